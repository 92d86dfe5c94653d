//! One stream's account while it is read: what has been counted, said and queued. Says nothing itself.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::time::Instant;

use super::merged::Merged;
use super::progress::{Figures, Outcome, Sessions};
use crate::airbyte::StreamDescriptor;
use crate::devin::Page;
use crate::output::LiveLine;

/// One stream's account while it is read.
pub struct Ledger {
    pub stream: StreamDescriptor,
    pub(super) started: Instant,
    pub(super) line: Option<LiveLine>,
    pub(super) account: Mutex<Account>,
}

#[derive(Default)]
pub(super) struct Account {
    pub(super) figures: Figures,
    pub(super) since_state: u64,
    /// The newest state that everything already queued supports.
    pub(super) safe: Option<Value>,
    pub(super) last_state: Option<Value>,
    /// Whether `safe` is more than the state that the stream began with.
    pub(super) has_moved: bool,
    pub(super) is_running: bool,
    /// The fields of which it has been said that they differ from the schema.
    pub(super) differing: BTreeSet<String>,
    /// Records that are written when all lists have been read.
    pub(super) merged: Merged,
    /// How it ended, once it has.
    pub(super) outcome: Option<Outcome>,
}

impl Ledger {
    /// A request has gone out.
    pub fn asking(&self) {
        self.lock().figures.requests += 1;
    }

    /// A request has to be made again.
    pub fn retrying(&self) {
        self.lock().figures.retries += 1;
    }

    /// So many bytes have come in.
    pub fn received(&self, bytes: usize) {
        self.lock().figures.bytes += bytes as u64;
    }

    /// Of `all` sessions whose messages are read, all but `left` are done.
    pub fn sessions(&self, all: usize, left: usize) {
        let mut account = self.lock();
        let began = account.figures.sessions.map_or_else(|| self.started.elapsed(), |sessions| sessions.began);
        account.figures.sessions = Some(Sessions { done: (all - left) as u64, all: all as u64, began });
    }

    /// Keeps a record until all lists have been read.
    pub fn merge(&self, id: Option<&str>, record: &str) {
        self.lock().merged.add(id, record);
    }

    /// Takes out the records that have been kept.
    pub fn merged(&self) -> Vec<Page> {
        self.lock().merged.pages()
    }

    /// Whether the stream's last status has been said.
    pub fn has_ended(&self) -> bool {
        self.lock().outcome.is_some()
    }

    pub(super) fn told(&self) -> String {
        self.lock().figures.log(self.started.elapsed())
    }

    pub(super) fn show(&self) {
        let Some(line) = &self.line else { return };
        let figures = self.lock().figures;
        line.show(figures.bar(), &figures.line(self.started.elapsed()));
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
