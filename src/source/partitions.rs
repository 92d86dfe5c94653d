//! The partitions of a pass: in which order they are read, how far, and what becomes of one that does not give its messages.
//! Pure, and the only place that decides it ([`Partitions::settle`]).

use std::collections::{BTreeMap, HashSet, VecDeque};

use super::context::End;
use super::open::is_plain;
use super::partition::Partition;
use super::state::MOST_UNREAD_SESSIONS;
use super::step::Step;
use crate::devin::session::bare;
use crate::devin::{Error, Kind};

/// So many sessions in a row that do not exist, or that fail after all tries, and the trouble is not theirs alone.
const MOST_IN_A_ROW: usize = 20;

/// So many sessions that fail while none has answered, and the newest one is asked: the old ones may be out of reach.
const PROBE_AFTER: usize = 3;

/// So many sessions that do not exist, and none that does, and it is not theirs alone.
const LEAST_MISSING: usize = 3;

/// So many sessions that cannot be read are named one by one.
const MOST_NAMED: usize = 20;

/// How reading a partition has ended.
#[derive(Debug)]
pub enum PartitionResult {
    Read,
    /// The first page of its messages was answered with 404.
    Missing(Error),
    Failed(Error),
}

/// What becomes of a partition that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It does not exist any more; a sentence for a WARN.
    Gone(String),
    /// The next read asks for it again; a sentence for a WARN.
    Deferred(String),
    /// In a full refresh, and where nobody could be asked for it by name, it is not known yet whether it exists: the list decides.
    Unclear,
}

/// The partitions of a pass, and how far it has come through them.
#[derive(Debug)]
pub struct Partitions {
    pub all: Vec<Partition>,
    /// What is read of each, in a word: `messages`.
    things: &'static str,
    is_full_refresh: bool,
    /// The sessions that could not be read, with the cursor value from which they are to be read.
    pub unread: BTreeMap<String, i64>,
    newest: usize,
    next: usize,
    is_probed: bool,
    /// Those that are asked once more when all have been asked.
    again: VecDeque<usize>,
    has_missed: HashSet<usize>,
    in_flight: usize,
    done: Done,
    /// How many partitions have been asked to the end, whatever came of it.
    asked: usize,
    /// How many pages of messages have come, of any partition.
    answered: usize,
    failed: usize,
    in_a_row: usize,
    last_failed: Option<Error>,
    missing: usize,
    last_missing: Option<Error>,
    is_newest_refused: bool,
    /// Those that have failed while it was not certain that the trouble is theirs.
    unsettled: Vec<usize>,
}

impl Partitions {
    /// None of `all` has been asked yet; those that are not listed come last.
    pub fn new(all: Vec<Partition>, step: &Step) -> Partitions {
        let is_left = |partition: &&Partition| {
            partition.is_unread && partition.updated_at.is_none() && partition.is_listed != Some(true)
        };
        let left = all.iter().rev().take_while(is_left).count();
        let mut done = Done::new(all.len());
        // They are remembered by name until they have been read, so they hold up no mark.
        (all.len() - left..all.len()).for_each(|place| done.note(place));
        Partitions {
            newest: (all.len() - left).max(1) - 1,
            all,
            things: step.stream.below_session(),
            is_full_refresh: step.is_full_refresh,
            unread: step.state.unread_sessions.clone(),
            next: 0,
            is_probed: false,
            again: VecDeque::new(),
            has_missed: HashSet::new(),
            in_flight: 0,
            done,
            asked: 0,
            answered: 0,
            failed: 0,
            in_a_row: 0,
            last_failed: None,
            missing: 0,
            last_missing: None,
            is_newest_refused: false,
            unsettled: Vec::new(),
        }
    }

    /// The place of the partition to ask now; `None` when there is none, or none yet.
    pub fn next_place(&mut self) -> Option<usize> {
        let place = self.first_time().or_else(|| if self.in_flight == 0 { self.again.pop_front() } else { None })?;
        self.in_flight += 1;
        Some(place)
    }

    /// In the order of their places, but for the newest, which is asked early when nothing has come from old ones.
    fn first_time(&mut self) -> Option<usize> {
        if self.is_probed && self.next == self.newest {
            self.next += 1;
        }
        if self.next >= self.all.len() {
            return None;
        }
        let wants_probe = self.answered == 0 && self.failed + self.missing >= PROBE_AFTER;
        if wants_probe && !self.is_probed && self.next < self.newest {
            self.is_probed = true;
            return Some(self.newest);
        }
        self.next += 1;
        Some(self.next - 1)
    }

    /// Learns how many pages have come by now, of any partition.
    pub fn heard(&mut self, answered: usize) {
        if answered > self.answered {
            self.in_a_row = 0;
            self.answered = answered;
        }
    }

    /// Decides what becomes of a partition. What could not be read is answered with its place and its fate:
    ///
    /// | its messages | first time | second time, at the end of the pass |
    /// |---|---|---|
    /// | all there | done | done |
    /// | 404 | asked once more | gone, if a list by name had lacked it already; else deferred; in a full refresh, and without a list by name, the list decides |
    /// | another error | deferred, and the stream fails at its end | the same |
    ///
    /// Nothing is decided while no partition at all has answered: the trouble may be everybody's.
    pub fn settle(&mut self, place: usize, result: PartitionResult) -> Vec<(usize, Fate)> {
        self.in_flight -= 1;
        match result {
            PartitionResult::Read => {
                self.asked += 1;
                self.is_done(place);
            }
            PartitionResult::Missing(error) if self.has_missed.insert(place) => {
                self.missing += 1;
                self.last_missing = Some(error);
                self.is_newest_refused |= place == self.newest;
                self.again.push_back(place);
            }
            PartitionResult::Missing(error) => {
                self.asked += 1;
                self.last_missing = Some(error);
                return vec![(place, self.fate_of_missing(place))];
            }
            PartitionResult::Failed(error) => {
                self.asked += 1;
                self.failed += 1;
                self.in_a_row += 1;
                self.last_failed = Some(error);
                self.is_newest_refused |= place == self.newest;
                self.unsettled.push(place);
            }
        }
        if self.answered > 0 {
            for place in std::mem::take(&mut self.unsettled) {
                self.defer(place);
            }
        }
        Vec::new()
    }

    fn fate_of_missing(&mut self, place: usize) -> Fate {
        let partition = &self.all[place];
        let name = partition.name();
        // It could not be read the last time either, and a list by name lacks it.
        if partition.is_unread && partition.is_listed == Some(false) {
            self.is_done(place);
            return Fate::Gone(format!("{name} has disappeared, and is skipped"));
        }
        if self.is_full_refresh || partition.is_listed.is_none() {
            return Fate::Unclear;
        }
        Fate::Deferred(self.leave_to_the_next(place))
    }

    /// The next read asks for this missing partition again; a sentence for a WARN.
    fn leave_to_the_next(&mut self, place: usize) -> String {
        let name = self.all[place].name();
        self.defer(place);
        format!(
            "the {} of {name} were answered with 404 twice, although it is listed: the next read asks again",
            self.things
        )
    }

    /// Whether a partition's failure is to be named.
    pub fn is_worth_naming(&self) -> bool {
        self.failed < MOST_NAMED
    }

    /// There is nothing more to be read of this partition.
    pub fn is_done(&mut self, place: usize) {
        self.forget(place);
        self.done.note(place);
    }

    /// The list has this missing partition: in a full refresh, which nobody goes on with, it could not be read. Otherwise the next read asks
    /// for it again; a sentence for a WARN.
    pub fn is_listed_and_missing(&mut self, place: usize) -> Option<String> {
        if !self.is_full_refresh {
            return Some(self.leave_to_the_next(place));
        }
        self.failed += 1;
        self.last_failed = self.last_missing.clone();
        self.defer(place);
        None
    }

    /// The next read asks for this partition by name. One that cannot be remembered holds up the mark instead.
    fn defer(&mut self, place: usize) {
        self.forget(place);
        let partition = &self.all[place];
        if is_plain(&partition.id) && (partition.is_unread || self.unread.len() < MOST_UNREAD_SESSIONS) {
            self.unread.insert(partition.id.to_string(), partition.since.unwrap_or(0));
            self.done.note(place);
        }
    }

    fn forget(&mut self, place: usize) {
        let partition = &self.all[place];
        if partition.is_unread {
            self.unread.retain(|id, _| bare(id) != bare(&partition.id));
        }
    }

    /// Why it is pointless to ask the others; `None` when it is not.
    pub fn verdict(&self) -> Option<End> {
        let is_everybodys = self.last_failed.as_ref().is_some_and(|error| self.is_everybodys(error));
        let have_all_been_asked = self.next >= self.all.len() && self.in_flight == 0;
        let none_exists = self.answered == 0
            && self.failed == 0
            && (self.missing >= MOST_IN_A_ROW && self.is_newest_refused
                || self.missing >= LEAST_MISSING && have_all_been_asked && self.missing == self.all.len());
        if none_exists {
            return self.last_missing.clone().map(End::Gone);
        }
        if is_everybodys { self.end() } else { None }
    }

    /// What the stream fails with; `None` when every session has been read, or is gone, or can wait.
    pub fn end(&self) -> Option<End> {
        let error = self.last_failed.clone()?;
        if self.answered == 0 {
            let is_missing = self.missing > 0 && error.kind == Kind::Status(404);
            return Some(if is_missing { End::Gone(error) } else { End::Request(error) });
        }
        let (all, untried) = (self.all.len(), self.all.len() - self.asked);
        Some(End::Partial { error, stuck: self.failed, untried, all })
    }

    /// Whether this error would meet every other session as well.
    fn is_everybodys(&self, error: &Error) -> bool {
        match error.kind {
            Kind::Status(401) | Kind::Unaskable(_) => true,
            // So does a rate limit, unless it is for one session's own address.
            Kind::Status(429) | Kind::WaitTooLong { .. } => self.in_a_row >= PROBE_AFTER,
            _ if self.answered == 0 => self.failed >= PROBE_AFTER && self.is_newest_refused,
            // Each one has taken all its tries. A plain refusal costs one request.
            _ => (error.kind.is_retryable() || error.kind.is_out_of_reach()) && self.in_a_row >= MOST_IN_A_ROW,
        }
    }

    /// Whether there is nothing left that the next read would not ask for by name.
    pub fn is_complete(&self) -> bool {
        self.left() == 0
    }

    /// How many are not done.
    pub fn left(&self) -> usize {
        self.done.left()
    }

    /// Everything before this `updated_at` is done; `None` when that would claim nothing.
    pub fn reached(&self) -> Option<i64> {
        self.all[self.done.reached()?].updated_at
    }
}

/// Which places are done.
#[derive(Debug)]
struct Done {
    /// Everything before this place is.
    before: usize,
    ahead: HashSet<usize>,
    all: usize,
}

impl Done {
    fn new(all: usize) -> Done {
        Done { before: 0, ahead: HashSet::new(), all }
    }

    /// Once more changes nothing.
    fn note(&mut self, place: usize) {
        if place >= self.before {
            self.ahead.insert(place);
        }
        while self.ahead.remove(&self.before) {
            self.before += 1;
        }
    }

    fn left(&self) -> usize {
        self.all - self.before - self.ahead.len()
    }

    /// The first place that is not done; `None` when none or all are.
    fn reached(&self) -> Option<usize> {
        (0 < self.before && self.before < self.all).then_some(self.before)
    }
}

#[cfg(test)]
mod tests;
