//! Prometheus Alertmanager's webhook, version 4, and 3 which differs in the group key's type only. Pure.
//!
//! The group key is not used: it changes with the route tree.

use super::fields::Fields;
use super::{Delivery, Grouping, Problem, group};

/// Reads a group.
///
/// # Errors
/// When the receiver, the group labels, or every alert is missing.
pub fn read(payload: Fields, grouping: Grouping, delivery: &mut Delivery) -> Result<(), Problem> {
    group::read(payload, grouping, &[("generator", "generatorURL")], delivery)
}
