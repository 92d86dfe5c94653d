//! What a bridge did, as far as its store knows: its jobs, and when its switches were on. Pure.

use std::collections::VecDeque;

use super::switching::{Thrown, switches};
use crate::relay::serve::store::{KeptJob, Origin, Switch};

/// How long a session is taken to work where no other one says.
const TYPICAL: i64 = 1_800_000;

/// What a bridge did.
pub struct Record {
    pub jobs: Vec<KeptJob>,
    /// Jobs that have been found to be another one's twin.
    taken: Vec<bool>,
    /// Switches that were thrown, in their order.
    pub switched: VecDeque<Thrown>,
    /// How long a session works: as long as half of them do.
    pub typical_ms: i64,
}

impl Record {
    /// Of a store's jobs and of the switches that are on, as they are at `until`.
    pub fn new(jobs: Vec<KeptJob>, on: Vec<(Switch, i64)>, until: i64) -> Record {
        let mut times: Vec<i64> =
            jobs.iter().filter_map(|job| Some((job.settled_at? - job.started_at?).max(0))).collect();
        times.sort_unstable();
        let typical_ms = times.get(times.len() / 2).copied().unwrap_or(TYPICAL);
        let switched = switches(&jobs, on, until);
        Record { taken: vec![false; jobs.len()], jobs, switched, typical_ms }
    }

    /// The bridge's own job for the same alert of the same delivery, by its place. None is found twice. After a change of a
    /// rule's `id` the alert has another tag.
    pub fn twin(&mut self, origin: &Origin) -> Option<usize> {
        let is_free = |place: &usize| !self.taken[*place] && self.jobs[*place].delivery == origin.delivery;
        let free: Vec<usize> = (0..self.jobs.len()).filter(is_free).collect();
        let by_tag = free.iter().find(|place| self.jobs[**place].alert == origin.alert);
        let by_key = || free.iter().find(|place| self.jobs[**place].dedupe_key == origin.dedupe_key);
        let found = by_tag.or_else(by_key).copied()?;
        self.taken[found] = true;
        Some(found)
    }
}
