//! The records that have been emitted shortly before a mark, so that asking for that time again repeats only what has
//! changed. Pure.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::fingerprint::digits;
use crate::devin::token::holds_key;

/// At most so many records are remembered, the newest; what is forgotten is emitted once more.
pub const MOST: usize = 500;

/// Records by identifier, each with its cursor value and its fingerprint.
pub type Recent = BTreeMap<String, (i64, String)>;

/// What an earlier read has emitted of late, and what this one sees.
#[derive(Debug)]
pub struct RecentRecords {
    lookback: i64,
    /// What lies in this very second is emitted again: it may not have been over.
    mark: Option<i64>,
    known: Recent,
    newest: BinaryHeap<Reverse<Emitted>>,
    /// How many have been seen.
    seen: u64,
}

/// A record that this read has seen: its cursor value, the how many-th it was, its identifier and its fingerprint.
type Emitted = (i64, u64, String, u64);

impl RecentRecords {
    /// Begins with what a state with this mark knows. `lookback` is in seconds.
    pub fn new(known: Recent, mark: Option<i64>, lookback: i64) -> RecentRecords {
        RecentRecords { lookback, mark, known, newest: BinaryHeap::new(), seen: 0 }
    }

    /// Notes a record with the cursor value `at`, and answers whether it is to be emitted: not when it has been, as it is.
    /// One of the mark's own second always is, and so is one without an identifier or a cursor value.
    pub fn wants(&mut self, id: Option<&str>, at: Option<i64>, fingerprint: impl FnOnce() -> u64) -> bool {
        let (Some(id), Some(at)) = (id, at) else { return true };
        let known = self.known.get(id);
        // A state must not show what is shaped like a key.
        if known.is_none() && (!self.counts(at) || holds_key(id)) {
            return true;
        }
        let print = fingerprint();
        let is_new = known.is_none_or(|(_, before)| *before != digits(print));
        self.note(id.to_string(), at, print);
        is_new || Some(at) == self.mark
    }

    /// Takes what another part of this read has seen.
    pub fn absorb(&mut self, other: RecentRecords) {
        let of_old = other.newest.into_sorted_vec().into_iter().rev();
        of_old.for_each(|Reverse((at, _, id, print))| self.note(id, at, print));
    }

    /// The same for one part of the read, which begins with what is known and has seen nothing yet.
    pub fn part(&self, known: Recent) -> RecentRecords {
        RecentRecords::new(known, self.mark, self.lookback)
    }

    /// What is known of records whose identifier begins with `prefix`.
    pub fn known_of(&self, prefix: &str) -> Recent {
        let of = self.known.range(prefix.to_string()..).take_while(|(id, _)| id.starts_with(prefix));
        of.map(|(id, entry)| (id.clone(), entry.clone())).collect()
    }

    /// What a state with this mark is to know: everything since a look-back before it, whichever read has emitted it.
    pub fn since(&self, mark: Option<i64>) -> Recent {
        self.since_of(mark, |_| None)
    }

    /// The same where some records, told by their identifiers, are read again from an earlier time than others.
    pub fn since_of(&self, mark: Option<i64>, earlier: impl Fn(&str) -> Option<i64>) -> Recent {
        let from = mark.unwrap_or(i64::MIN).saturating_sub(self.lookback);
        let mut all = self.known.clone();
        let mut newest: Vec<&Emitted> = self.newest.iter().map(|Reverse(emitted)| emitted).collect();
        newest.sort_unstable();
        for (at, _, id, print) in newest {
            if all.get(id).is_none_or(|(before, _)| before <= at) {
                all.insert(id.clone(), (*at, digits(*print)));
            }
        }
        all.retain(|id, (at, _)| *at >= from || earlier(id).is_some_and(|from| *at >= from));
        if all.len() > MOST {
            let mut times: Vec<i64> = all.values().map(|(at, _)| *at).collect();
            times.sort_unstable_by_key(|at| Reverse(*at));
            let (oldest, mut room) = (times[MOST - 1], MOST - times.iter().filter(|at| **at > times[MOST - 1]).count());
            all.retain(|_, (at, _)| {
                let is_kept = *at > oldest || (*at == oldest && room > 0);
                room -= usize::from(is_kept && *at == oldest);
                is_kept
            });
        }
        all
    }

    fn note(&mut self, id: String, at: i64, print: u64) {
        self.seen += 1;
        self.newest.push(Reverse((at, self.seen, id, print)));
        if self.newest.len() > 2 * MOST {
            self.newest.pop();
        }
    }

    /// Whether a record of this time could still be among those that a state is to know. How far before the newest one the
    /// mark will lie is not known yet: a clock that is behind holds it back.
    fn counts(&self, at: i64) -> bool {
        self.newest.len() < 2 * MOST || self.newest.peek().is_some_and(|Reverse((oldest, ..))| at > *oldest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recent(entries: &[(&str, i64, u64)]) -> Recent {
        entries.iter().map(|(id, at, print)| (id.to_string(), (*at, digits(*print)))).collect()
    }

    #[test]
    fn what_has_been_emitted_as_it_is_is_not_emitted_again() {
        let mut records = RecentRecords::new(recent(&[("a", 900, 1), ("m", 1000, 1)]), Some(1000), 600);
        assert!(!records.wants(Some("a"), Some(900), || 1), "as it was");
        assert!(records.wants(Some("m"), Some(1000), || 1), "of the second that the mark names");
        assert!(records.wants(Some("a"), Some(950), || 2), "changed");
        assert!(records.wants(Some("b"), Some(900), || 1), "another one");
        assert!(records.wants(None, Some(900), || 1) && records.wants(Some("a"), None, || 1), "not to be told");
        assert_eq!(records.since(Some(950)), recent(&[("a", 950, 2), ("b", 900, 1), ("m", 1000, 1)]));
    }

    #[test]
    fn what_a_state_knows_is_carried_while_it_lies_in_the_look_back() {
        let known = recent(&[("old", 300, 1), ("late", 500, 2)]);
        let mut records = RecentRecords::new(known, Some(900), 600);
        assert!(records.wants(Some("new"), Some(1000), || 3));
        assert_eq!(records.since(Some(1000)), recent(&[("late", 500, 2), ("new", 1000, 3)]));
        assert_eq!(records.since(None).len(), 3);
    }

    #[test]
    fn only_the_newest_are_remembered_each_once() {
        let mut records = RecentRecords::new(Recent::new(), None, 10_000);
        (0..3 * MOST as i64).for_each(|n| assert!(records.wants(Some(&format!("r{n}")), Some(n), || 7)));
        let all = records.since(Some(3 * MOST as i64));
        assert_eq!(all.len(), MOST);
        assert_eq!(all.values().map(|(at, _)| *at).min(), Some(2 * MOST as i64));
        let mut same = RecentRecords::new(Recent::new(), None, 0);
        (0..2 * MOST).for_each(|n| assert!(same.wants(Some(&n.to_string()), Some(5), || 7)));
        assert_eq!(same.since(Some(5)).len(), MOST, "of one second, too");
    }

    #[test]
    fn what_is_older_than_all_that_can_be_remembered_is_not_even_looked_at() {
        let mut records = RecentRecords::new(Recent::new(), None, 600);
        for n in 0..2 * MOST {
            assert!(records.wants(Some(&format!("new{n}")), Some(5000), || 1));
        }
        assert!(records.wants(Some("old"), Some(4399), || unreachable!("no fingerprint is needed")));
    }
}
