//! The last delivery that each route has refused since the start: what a sender was told, for whoever looks after it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::devin::client::now_s;

/// The last one of each route.
#[derive(Default)]
pub struct Refusals(Mutex<BTreeMap<String, RefusalView>>);

/// A delivery of which nothing was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusalView {
    /// In Unix milliseconds.
    pub at: i64,
    pub status: u16,
    pub reason: String,
    /// How many there were since the start.
    pub count: u64,
}

impl Refusals {
    /// Keeps one.
    pub fn note(&self, route: &str, status: u16, reason: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.get(route).map_or(0, |last| last.count) + 1;
        all.insert(route.to_string(), RefusalView { at: now_s() * 1000, status, reason: reason.to_string(), count });
    }

    /// The last one of a route; `None` where there was none.
    pub fn of(&self, route: &str) -> Option<RefusalView> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(route).cloned()
    }
}
