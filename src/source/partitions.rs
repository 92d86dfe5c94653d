//! The partitions of a pass: in which order they are read, how far, and what becomes of one that does not give its messages.
//! Pure, and the only place that decides it ([`Partitions::settle`]).

use std::collections::{BTreeMap, HashSet, VecDeque};

use super::context::End;
use super::open::is_plain;
use super::partition::Partition;
use super::plan::Step;
use super::state::MOST_UNREAD_SESSIONS;
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
    /// In a full refresh it is not known yet whether it exists: the list decides.
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
    /// | 404 | asked once more | gone, if a list by name had lacked it already; else deferred; in a full refresh the list decides |
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
        // It was not there the last time either, and no list shows it.
        if partition.is_unread && partition.is_listed != Some(true) {
            self.is_done(place);
            return Fate::Gone(format!("{name} has disappeared, and is skipped"));
        }
        if self.is_full_refresh {
            return Fate::Unclear;
        }
        self.defer(place);
        Fate::Deferred(format!(
            "the {} of {name} were answered with 404 twice, although it is listed: the next read asks again",
            self.things
        ))
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

    /// A full refresh has found this missing partition in the list: it could not be read.
    pub fn is_listed_and_missing(&mut self, place: usize) {
        self.failed += 1;
        self.last_failed = self.last_missing.clone();
        self.defer(place);
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
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::airbyte::StreamDescriptor;
    use crate::source::cursor::Bounds;
    use crate::source::state::{Scope, StreamState};
    use crate::source::streams::find;

    fn step(state: serde_json::Value, is_full_refresh: bool) -> Step {
        let scope = Scope { org_id: "org-1".to_string(), start_date: None };
        let state = StreamState::read("created_at", &scope, Some(&state)).unwrap();
        let since = state.cursor();
        Step {
            stream: find("session_messages").unwrap(),
            descriptor: StreamDescriptor::of("session_messages"),
            is_full_refresh,
            needs_key: false,
            state,
            bounds: Bounds { start_date: None, since },
            lookback: 600,
            now: 9_000_000,
        }
    }

    fn sessions(count: i64) -> Vec<Partition> {
        let partition = |n| Partition {
            id: Arc::from(format!("s{n}")),
            updated_at: Some(n),
            since: Some(n),
            is_unread: false,
            is_listed: Some(true),
        };
        (0..count).map(partition).collect()
    }

    fn error(status: u16) -> Error {
        Error { kind: Kind::Status(status), path: "/messages".to_string(), explanation: None, tries: 1 }
    }

    /// Plays a pass over `count` sessions, whose answers are `letters`: r(ead), m(issing), f(ailed), by their places; a second
    /// question to a session takes the capital letters. Answers with what was asked, in order, and what came of it.
    fn check(count: i64, letters: &str, is_full_refresh: bool) -> String {
        let mut partitions = Partitions::new(sessions(count), &step(json!(null), is_full_refresh));
        let letters: Vec<char> = letters.chars().collect();
        let (first, second): (Vec<char>, Vec<char>) = letters.iter().partition(|letter| letter.is_lowercase());
        let (mut asked, mut story, mut pages, mut seconds) = (Vec::new(), Vec::new(), 0, second.into_iter());
        while let Some(place) = partitions.next_place() {
            let letter = if asked.contains(&place) { seconds.next().unwrap_or('M') } else { first[place] };
            asked.push(place);
            let result = match letter.to_ascii_lowercase() {
                'r' => {
                    pages += 1;
                    PartitionResult::Read
                }
                'm' => PartitionResult::Missing(error(404)),
                _ => PartitionResult::Failed(error(403)),
            };
            partitions.heard(pages);
            for (place, fate) in partitions.settle(place, result) {
                story.push(match fate {
                    Fate::Gone(_) => format!("{place} gone"),
                    Fate::Deferred(_) => format!("{place} deferred"),
                    Fate::Unclear => format!("{place} unclear"),
                });
            }
            if let Some(end) = partitions.verdict() {
                story.push(format!("stop: {}", name(&end)));
                break;
            }
        }
        if let Some(end) = partitions.end() {
            story.push(format!("fails: {}", name(&end)));
        }
        format!("{asked:?} {} unread {:?}", story.join(", "), partitions.unread.keys().collect::<Vec<_>>())
    }

    fn name(end: &End) -> &'static str {
        match end {
            End::Gone(_) => "none exists",
            End::Partial { .. } => "some",
            _ => "all",
        }
    }

    #[test]
    fn every_fate_of_a_session_is_decided_here() {
        insta::assert_snapshot!(check(3, "rrr", false), @"[0, 1, 2]  unread []");
        insta::assert_snapshot!(check(3, "rmrR", false), @"[0, 1, 2, 1]  unread []");
        insta::assert_snapshot!(check(3, "rmrM", false), @r#"[0, 1, 2, 1] 1 deferred unread ["s1"]"#);
        insta::assert_snapshot!(check(3, "rmrM", true), @"[0, 1, 2, 1] 1 unclear unread []");
        insta::assert_snapshot!(check(3, "rfr", false), @r#"[0, 1, 2] fails: some unread ["s1"]"#);
        insta::assert_snapshot!(check(1, "mM", false), @r#"[0, 0] 0 deferred unread ["s0"]"#);
        insta::assert_snapshot!(check(2, "mmMM", false), @r#"[0, 1, 0, 1] 0 deferred, 1 deferred unread ["s0", "s1"]"#);
        insta::assert_snapshot!(check(3, "mmm", false), @"[0, 1, 2] stop: none exists unread []");
        insta::assert_snapshot!(check(5, "fffff", false), @"[0, 1, 2, 4] stop: all, fails: all unread []");
        insta::assert_snapshot!(check(5, "ffffr", false), @r#"[0, 1, 2, 4, 3] fails: some unread ["s0", "s1", "s2", "s3"]"#);
    }

    #[test]
    fn a_session_that_was_missing_the_last_time_too_is_gone_unless_a_list_shows_it() {
        for (is_listed, expected) in [(Some(true), "deferred"), (Some(false), "gone"), (None, "gone")] {
            let mut left = sessions(1);
            left[0] = Partition { updated_at: None, is_unread: true, is_listed, ..left[0].clone() };
            let state = json!({"version": 2, "created_at": 5, "unread_sessions": {"s0": 3}});
            let mut partitions = Partitions::new(left, &step(state, false));
            assert_eq!(partitions.next_place(), Some(0));
            assert!(partitions.settle(0, PartitionResult::Missing(error(404))).is_empty());
            assert_eq!(partitions.next_place(), Some(0), "asked once more");
            let fates = partitions.settle(0, PartitionResult::Missing(error(404)));
            let came = matches!(fates[..], [(0, Fate::Gone(_))]);
            assert_eq!(came, expected == "gone", "{is_listed:?}");
            assert_eq!(partitions.unread.is_empty(), came, "{is_listed:?}");
        }
    }

    #[test]
    fn what_is_done_counts_up_to_the_first_that_is_not() {
        let mut done = Done::new(3);
        assert_eq!((done.reached(), done.left()), (None, 3));
        done.note(1);
        assert_eq!((done.reached(), done.left()), (None, 2));
        done.note(0);
        done.note(1);
        assert_eq!((done.reached(), done.left()), (Some(2), 1));
        done.note(2);
        assert_eq!((done.reached(), done.left()), (None, 0));
    }
}
