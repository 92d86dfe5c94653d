//! What has been emitted of the time shortly before a checkpoint, so that the look-back repeats only what changed. Pure.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// At most so many records are remembered, the newest; what is forgotten is emitted once more.
pub const MOST: usize = 500;

/// Records by their fingerprint, each with its cursor value.
pub type Prints = BTreeMap<u64, i64>;

/// What an earlier read has emitted.
#[derive(Debug, Default)]
pub struct Known {
    /// The checkpoint's cursor: what lies before it has been read; `None` when nothing has.
    cursor: Option<i64>,
    prints: Prints,
}

impl Known {
    /// What a checkpoint says.
    pub fn new(cursor: Option<i64>, prints: &Prints) -> Known {
        Known { cursor, prints: prints.clone() }
    }
}

/// What this read has seen of its newest time.
#[derive(Debug)]
pub struct Seen {
    lookback: i64,
    /// No checkpoint of this read can lie later.
    until: i64,
    largest: i64,
    newest: BinaryHeap<Reverse<(i64, u64)>>,
}

impl Seen {
    /// Nothing yet, of a read whose checkpoint lies no later than `until`. `lookback` is in seconds; with 0 nothing is ever
    /// remembered.
    pub fn new(lookback: i64, until: i64) -> Seen {
        Seen { lookback, until, largest: i64::MIN, newest: BinaryHeap::new() }
    }

    /// Learns until when.
    pub fn ends(&mut self, until: i64) {
        self.until = until;
    }

    /// Notes a record with the cursor value `at`, and answers whether it is to be emitted: not when it lies before the
    /// checkpoint and an earlier read has emitted it as it is. One without a cursor value always is.
    pub fn wants(&mut self, known: &Known, at: Option<i64>, print: impl FnOnce() -> u64) -> bool {
        let Some(at) = at else { return true };
        let is_older = known.cursor.is_some_and(|cursor| at < cursor);
        if !is_older && !self.counts(at) {
            return true;
        }
        let print = print();
        self.note(at, print);
        !(is_older && known.prints.contains_key(&print))
    }

    /// Takes what another part of this read has seen.
    pub fn absorb(&mut self, other: Seen) {
        other.newest.into_iter().for_each(|Reverse((at, print))| self.note(at, print));
    }

    /// Takes what an interrupted part of this read has seen.
    pub fn remember(&mut self, prints: &Prints) {
        prints.iter().for_each(|(print, at)| self.note(*at, *print));
    }

    /// What lies between these cursor values, the first one included, by fingerprint.
    pub fn between(&self, from: i64, until: i64) -> Prints {
        self.all().filter(|(_, at)| (from..until).contains(at)).collect()
    }

    /// Everything that may lie in the look-back of a later checkpoint, by fingerprint.
    pub fn all(&self) -> impl Iterator<Item = (u64, i64)> {
        let from = self.largest.saturating_sub(self.lookback);
        self.newest.iter().filter(move |Reverse((at, _))| *at >= from).map(|Reverse((at, print))| (*print, *at))
    }

    fn note(&mut self, at: i64, print: u64) {
        if self.counts(at) {
            self.largest = self.largest.max(at);
            self.newest.push(Reverse((at, print)));
            if self.newest.len() > MOST {
                self.newest.pop();
            }
        }
    }

    /// Whether a record of this time could still matter.
    fn counts(&self, at: i64) -> bool {
        let is_full = self.newest.len() == MOST;
        let is_newer_than_one = || self.newest.peek().is_some_and(|Reverse((oldest, _))| at > *oldest);
        let is_lately = at >= self.largest.saturating_sub(self.lookback) && at <= self.until;
        self.lookback > 0 && is_lately && (!is_full || is_newer_than_one())
    }
}

/// A number that changes when any byte of these texts changes (FNV-1a, which is the same everywhere).
pub fn print(texts: &[&str]) -> u64 {
    let bytes = texts.iter().flat_map(|text| text.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sees records at these times, each printed as its time, and answers which of them are emitted.
    fn emitted(seen: &mut Seen, known: &Known, times: &[i64]) -> Vec<i64> {
        times.iter().copied().filter(|at| seen.wants(known, Some(*at), || *at as u64)).collect()
    }

    #[test]
    fn the_next_read_repeats_nothing_that_is_older_than_the_checkpoint_and_has_not_changed() {
        let mut first = Seen::new(100, i64::MAX);
        assert_eq!(emitted(&mut first, &Known::default(), &[850, 900, 950, 1000]), [850, 900, 950, 1000]);
        let known = Known::new(Some(1000), &first.between(900, 1000));
        let mut second = Seen::new(100, i64::MAX);
        assert_eq!(emitted(&mut second, &known, &[900, 950, 1000]), [1000], "the cursor's own second is read again");
        assert_eq!(emitted(&mut second, &known, &[970]), [970], "it came late");
        assert!(second.wants(&known, Some(950), || 1), "it has changed");
        assert!(second.wants(&known, None, || 1), "it has no time");
    }

    #[test]
    fn only_the_look_back_is_remembered() {
        let mut seen = Seen::new(100, i64::MAX);
        emitted(&mut seen, &Known::default(), &[1000, 899, 900, 950]);
        assert_eq!(seen.between(900, 1000), Prints::from([(900, 900), (950, 950)]));
        assert_eq!(seen.between(860, 960), Prints::from([(900, 900), (950, 950)]));
        emitted(&mut seen, &Known::default(), &[1040]);
        assert_eq!(seen.between(940, 1040), Prints::from([(950, 950), (1000, 1000)]));
        seen.ends(1050);
        emitted(&mut seen, &Known::default(), &[4000]);
        assert_eq!(seen.between(940, 1040), Prints::from([(950, 950), (1000, 1000)]), "the far future is no time");
        let mut none = Seen::new(0, i64::MAX);
        emitted(&mut none, &Known::default(), &[1000, 1001]);
        assert_eq!(none.between(0, 1001), Prints::new());
    }

    #[test]
    fn parts_of_a_read_come_together_and_the_newest_are_kept() {
        let (mut one, mut other) = (Seen::new(10_000, i64::MAX), Seen::new(10_000, i64::MAX));
        emitted(&mut one, &Known::default(), &(0..400).collect::<Vec<_>>());
        emitted(&mut other, &Known::default(), &(400..800).collect::<Vec<_>>());
        one.absorb(other);
        let kept = one.between(0, 800);
        assert_eq!((kept.len(), kept.first_key_value()), (MOST, Some((&300, &300))));
        let mut later = Seen::new(10_000, i64::MAX);
        later.remember(&kept);
        assert_eq!(later.between(0, 800), kept);
    }

    #[test]
    fn a_print_changes_with_any_byte() {
        assert_eq!(format!("{:016x}", print(&[r#"{"a":1}"#])), "9c3e82dd6fcae8b1");
        assert_ne!(print(&[r#"{"a":1}"#]), print(&[r#"{"a":2}"#]));
    }
}
