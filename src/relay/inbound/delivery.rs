//! What one delivery of a sender holds: the alerts, and what was not taken with its reason. Pure.

use super::Problem;
use crate::relay::alert::Alert;

/// What one delivery holds.
#[derive(Debug, Default)]
pub struct Delivery {
    /// The sender's identifier of the delivery, the same when it is sent again; `None` where the sender has none.
    pub delivery_id: Option<String>,
    /// In the delivery's order; firing, resolved, and in between.
    pub alerts: Vec<Alert>,
    /// The parts that are no alert, or cannot be read.
    pub rejected: Vec<Rejected>,
    /// How many further alerts were counted only.
    pub more: usize,
}

/// A part of a delivery that was not taken.
#[derive(Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Its place in the delivery, from 1.
    pub place: usize,
    pub problem: Problem,
}

/// Headers that carry a delivery's identifier.
const DELIVERY_IDS: [&str; 6] =
    ["webhook-id", "request-id", "x-amz-sns-message-id", "x-github-delivery", "ce-id", "x-gitlab-event-uuid"];

/// The delivery's identifier among its headers.
pub fn delivery_id(headers: &[(&str, &str)]) -> Option<String> {
    let find = |wanted: &&str| headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    DELIVERY_IDS.iter().find_map(find).map(|(_, value)| value.trim().to_string()).filter(|id| !id.is_empty())
}
