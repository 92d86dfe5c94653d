//! One stream's account while it is read: what has been counted, said and queued. Says nothing itself.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::time::Instant;

use super::merged::Merged;
use super::organizations::{States, together};
use super::progress::{Figures, Outcome, Sessions};
use crate::airbyte::StreamDescriptor;
use crate::devin::Page;
use crate::failure::Advice;
use crate::output::LiveLine;

/// One stream's account while it is read.
pub struct Ledger {
    pub stream: StreamDescriptor,
    /// The place of the organization that is read, among those of the stream.
    pub(super) part: usize,
    pub(super) shared: Arc<Shared>,
}

/// What all organizations of a stream have in common.
pub(super) struct Shared {
    pub(super) started: Instant,
    pub(super) line: Option<LiveLine>,
    pub(super) account: Mutex<Account>,
}

/// An organization's part of a stream.
pub(super) struct Part {
    pub(super) org_id: String,
    /// The newest state that everything already queued supports.
    pub(super) safe: Value,
    /// How it ended, once it has.
    pub(super) outcome: Option<Outcome>,
}

/// Why an organization's list of a stream is left out, in case it is left out everywhere.
pub(super) struct Refused {
    /// The stream, with the organization where it is one of many.
    pub(super) name: String,
    pub(super) advice: Advice,
}

#[derive(Default)]
pub(super) struct Account {
    pub(super) figures: Figures,
    pub(super) since_state: u64,
    /// One for each organization.
    pub(super) parts: Vec<Part>,
    /// Those of them that are left out: said at the stream's end, which decides what it means.
    pub(super) refused: Vec<Refused>,
    /// The states of organizations that are not read this time.
    pub(super) kept: States,
    pub(super) last_state: Option<Value>,
    /// Whether the state is more than the one that the stream began with.
    pub(super) has_moved: bool,
    pub(super) is_running: bool,
    /// The fields of which it has been said that they differ from the schema.
    pub(super) differing: BTreeSet<String>,
    /// Records that are written when all lists have been read.
    pub(super) merged: Merged,
    /// What has come under a hash of its identifier, where several organizations may list the same: from which, and a hash of all.
    pub(super) seen: HashMap<u64, (usize, u64)>,
}

impl Account {
    /// The stream's newest safe state.
    pub(super) fn state(&self) -> Value {
        let parts: Vec<(&str, &Value)> = self.parts.iter().map(|part| (part.org_id.as_str(), &part.safe)).collect();
        together(&parts, &self.kept)
    }

    /// How the stream has ended; `None` while an organization is still to be read.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        let outcomes: Vec<Outcome> = self.parts.iter().map(|part| part.outcome).collect::<Option<_>>()?;
        let has = |outcome| outcomes.contains(&outcome);
        Some(match (has(Outcome::Complete), has(Outcome::Incomplete), has(Outcome::LeftOut)) {
            (true, false, false) => Outcome::Complete,
            (false, false, true) => Outcome::LeftOut,
            // Also what one organization has not, and another has: it is not whole.
            _ => Outcome::Incomplete,
        })
    }
}

impl Ledger {
    /// Whether it stands for its stream, of which there is one for each organization.
    pub fn is_first(&self) -> bool {
        self.part == 0
    }

    /// Whether all other organizations of the stream have been read.
    pub fn is_last_to_end(&self) -> bool {
        let account = self.lock();
        account.parts.iter().enumerate().all(|(place, part)| place == self.part || part.outcome.is_some())
    }

    /// Whether a record of a list that organizations may share is to be emitted: not when it has come from another one as it is.
    /// `key` and `print` are hashes of what identifies it, and of all of it.
    pub fn wants(&self, key: u64, print: u64) -> bool {
        let mut account = self.lock();
        match account.seen.insert(key, (self.part, print)) {
            Some((part, before)) if part != self.part => before != print,
            _ => true,
        }
    }

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
        let began = account.figures.sessions.map_or_else(|| self.shared.started.elapsed(), |sessions| sessions.began);
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

    /// Whether the organization has been read, to its end or not.
    pub fn has_ended(&self) -> bool {
        self.lock().parts[self.part].outcome.is_some()
    }

    /// Whether the stream's last status has been said.
    pub fn is_over(&self) -> bool {
        self.lock().outcome().is_some()
    }

    /// Whether the stream has ended, and is not whole.
    pub fn is_incomplete(&self) -> bool {
        self.lock().outcome() == Some(Outcome::Incomplete)
    }

    pub(super) fn told(&self) -> String {
        self.lock().figures.log(self.shared.started.elapsed())
    }

    pub(super) fn show(&self) {
        let Some(line) = &self.shared.line else { return };
        let figures = self.lock().figures;
        line.show(figures.bar(), &figures.line(self.shared.started.elapsed()));
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Account> {
        self.shared.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
