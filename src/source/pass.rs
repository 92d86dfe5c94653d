//! What one pass over a list takes for records, and what it learns for the state. Pure.

use super::cursor::Bounds;
use super::deletions::Deletions;
use super::facts::Facts;
use super::fingerprint::{digits, fingerprint};
use super::listing::{Listing, Sight};
use super::open::OpenSessions;
use super::recent::RecentRecords;
use super::state::Known;
use super::state::StreamState;
use super::step::Step;
use super::streams::{Listing as Listed, Stream};

/// One pass of a stream over its list, from a step's state to the next one.
pub struct Pass {
    stream: &'static Stream,
    is_full_refresh: bool,
    needs_key: bool,
    bounds: Bounds,
    from: StreamState,
    recent: RecentRecords,
    pub open: OpenSessions,
    /// `None` where deletions are not reported.
    deletions: Option<Deletions>,
    /// The largest cursor value that has been listed. What was asked for by name came later, when others may have changed.
    pub largest: Option<i64>,
    /// Whether none has come before a smaller one.
    is_ascending: bool,
    /// The last one of the list at hand, and whether it was larger than one before it there.
    last: Option<i64>,
    has_ascended: bool,
    /// When the list was first asked for, in Unix seconds.
    now: i64,
    /// How many items without a key have been left out.
    keyless: u64,
}

impl Pass {
    /// A pass that begins now, by a clock that is not the server's.
    pub fn new(step: &Step) -> Pass {
        // In a full refresh, what does not come is gone.
        let deletions = (step.reports_deletions && !step.is_full_refresh).then(|| Deletions::new(&step.state));
        let mut from = step.state.clone();
        if deletions.is_none() {
            // What has been known once would be out of date when it is needed again.
            (from.known_items, from.missing_items) = (None, Known::new());
        }
        Pass {
            stream: step.stream,
            is_full_refresh: step.is_full_refresh,
            needs_key: step.needs_key,
            bounds: step.bounds,
            from,
            deletions,
            recent: RecentRecords::new(step.state.recent.clone(), step.state.cursor(), step.lookback),
            open: OpenSessions::new(&step.state),
            largest: None,
            is_ascending: true,
            last: None,
            has_ascended: false,
            now: step.now,
            keyless: 0,
        }
    }

    /// The list is not in the order that was asked for, so nothing is claimed before its end.
    pub fn is_unordered(&mut self) {
        self.is_ascending = false;
    }

    /// Notes which of the paths is read that the list may have.
    pub fn set_path(&mut self, path: &str) {
        self.from.set_path(Some(path.to_string()));
    }

    /// Takes the server's clock.
    pub fn begin(&mut self, now: i64) {
        self.now = now;
    }

    /// The server's clock as far as it is known, in Unix seconds.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// Goes on to another list of the same stream.
    pub fn next_list(&mut self) {
        (self.last, self.has_ascended) = (None, false);
    }

    /// Notes an item of the list, and answers whether it is a record to be emitted.
    pub fn wants(&mut self, item: &str, facts: &Facts, sight: Sight) -> bool {
        let cursor = facts.cursor(self.stream.cursor);
        let id = facts.id.text();
        let is_back = match (&mut self.deletions, id) {
            (Some(deletions), Some(id)) => deletions.note(&id, facts.changed.0),
            _ => false,
        };
        if is_back && sight == Sight::New {
            self.take(item, facts, cursor, sight);
            self.largest = self.largest.max(cursor);
            return true;
        }
        if self.bounds.admit(facts.created_at(), cursor) {
            self.is_ascending &= cursor.is_some() && cursor >= self.largest;
            self.has_ascended |= self.last.is_some() && cursor > self.last;
            self.last = cursor;
            self.largest = self.largest.max(cursor);
            return self.take(item, facts, cursor, sight);
        }
        // A server that ignores the filter answers for those that would be asked for by name, too.
        self.open.remembers(facts) && self.wants_again(item, facts, sight)
    }

    /// The same of a session that was asked for by name: it is wanted if it is remembered, and anything about it has changed.
    /// Others are asked for by whoever shares the list.
    pub fn wants_again(&mut self, item: &str, facts: &Facts, sight: Sight) -> bool {
        let id = facts.session_id.text();
        let Some(before) = id.as_deref().and_then(|id| self.open.before(id)) else { return false };
        let has_changed = before != digits(fingerprint(item.as_bytes()));
        let cursor = facts.cursor(self.stream.cursor);
        let is_in_range = Bounds { since: None, ..self.bounds }.admit(facts.created_at(), cursor);
        is_in_range && self.take(item, facts, cursor, sight) && has_changed
    }

    fn take(&mut self, item: &str, facts: &Facts, cursor: Option<i64>, sight: Sight) -> bool {
        let is_wanted = match sight {
            Sight::New => true,
            Sight::Changed => !self.is_full_refresh,
            Sight::Repeated => false,
        };
        // What is not emitted is not known either: it may have changed once more, behind the same `updated_at`.
        if self.stream.listing == Listed::Sessions && is_wanted {
            self.open.note(item, facts, self.now);
        }
        let id = facts.id.text().filter(|id| !id.is_empty());
        if id.is_none() && self.needs_key {
            self.keyless += u64::from(is_wanted);
            return false;
        }
        is_wanted && self.recent.wants(id.as_deref(), cursor, || fingerprint(item.as_bytes()))
    }

    /// The state of a pass over an ordered list that has come so far; `None` where the list was not in order, has not shown that it
    /// is, or claims nothing: one that begins with the newest looks the same until a second moment has come.
    pub fn so_far(&self) -> Option<StreamState> {
        let largest = self.largest.filter(|_| self.is_ascending && self.has_ascended)?;
        Some(self.state_at(next_mark(self.from.cursor(), Some(largest), None, self.now)))
    }

    /// The state when everything up to this mark has been read.
    pub fn state_at(&self, mark: Option<i64>) -> StreamState {
        let mut state = self.from.clone();
        if let Some(cursor) = self.stream.cursor {
            state.set_cursor(cursor.field, mark.max(self.from.cursor()));
            state.recent = self.recent.since(state.cursor());
        }
        state
    }

    /// What is gone from the list, now that it has been read to its end.
    pub fn gone(&mut self, list: &Listing) -> Known {
        self.deletions.as_mut().map(|deletions| deletions.end(list.is_exact())).unwrap_or_default()
    }

    /// Sentences for a WARN about what the next pass will not see, and what this one has left out.
    pub fn warnings(&self) -> Vec<String> {
        let key = self.stream.id_field();
        let keyless = match self.keyless {
            0 => None,
            1 => Some(format!("1 record has no {key} and is left out: the destination tells records apart by it")),
            many => Some(format!(
                "{many} records have no {key} and are left out: the destination tells records apart by it"
            )),
        };
        let too_many = self.deletions.as_ref().and_then(Deletions::warning);
        self.open.forgotten().into_iter().chain(keyless).chain(too_many).collect()
    }

    /// The state of a pass that is complete, as `list` has found the list to be.
    pub fn state(&self, list: &Listing) -> StreamState {
        let mut state = self.from.clone();
        let mark = next_mark(self.from.cursor(), self.largest, list.lacks_after(), self.now);
        // A list without a cursor field has nothing to go on from.
        let Some(cursor) = self.stream.cursor else { return state };
        state.set_cursor(cursor.field, mark);
        state.recent = self.recent.since(mark);
        self.open.write(&mut state);
        if let Some(deletions) = &self.deletions {
            deletions.write(&mut state);
        }
        state
    }
}

/// The mark after a complete pass: the largest value seen, but never past the moment that the list was asked for, nor past
/// what it lacks, and never behind where it was.
pub fn next_mark(before: Option<i64>, largest: Option<i64>, lacks_after: Option<i64>, now: i64) -> Option<i64> {
    let largest = largest.map(|largest| largest.min(now).min(lacks_after.unwrap_or(i64::MAX)));
    largest.max(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_moves_forward_only_and_never_past_what_is_known() {
        assert_eq!(next_mark(None, Some(1_000), None, 5_000), Some(1_000));
        assert_eq!(next_mark(None, Some(9_000), None, 5_000), Some(5_000), "not past the moment of asking");
        assert_eq!(next_mark(None, Some(4_000), Some(3_000), 5_000), Some(3_000), "not past what is lacking");
        assert_eq!(next_mark(Some(1_000), Some(900), None, 5_000), Some(1_000), "not back");
        assert_eq!(next_mark(Some(8_000), Some(9_000), None, 5_000), Some(8_000), "a mark of a faster clock stays");
        assert_eq!(next_mark(None, None, None, 5_000), None);
    }
}
