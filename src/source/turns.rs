//! Which sessions of an ordered list are asked next, and which are done. Pure.

use std::collections::HashSet;

/// In which order sessions are asked: by their place, but for the newest, which can be asked before its turn.
pub struct Turns {
    next: usize,
    newest: usize,
    all: usize,
    /// Whether the newest has had its turn already.
    is_probed: bool,
}

impl Turns {
    /// The turns of `all` sessions, none of which has been asked; the newest one is at the place `newest`.
    pub fn new(all: usize, newest: usize) -> Turns {
        Turns { next: 0, newest, all, is_probed: false }
    }

    /// The place of the session to ask now, the newest one's when `wants_probe`; `None` when all have been asked.
    pub fn next(&mut self, wants_probe: bool) -> Option<usize> {
        if self.is_probed && self.next == self.newest {
            self.next += 1;
        }
        if self.next >= self.all {
            return None;
        }
        if wants_probe && !self.is_probed && self.next < self.newest {
            self.is_probed = true;
            return Some(self.newest);
        }
        self.next += 1;
        Some(self.next - 1)
    }
}

/// Which sessions are done.
pub struct Progress {
    /// Everything before this place is done.
    before: usize,
    ahead: HashSet<usize>,
    all: usize,
}

impl Progress {
    /// None of `all` sessions is done.
    pub fn new(all: usize) -> Progress {
        Progress { before: 0, ahead: HashSet::new(), all }
    }

    /// Notes that the session at this place is done; once more changes nothing.
    pub fn finish(&mut self, place: usize) {
        if place >= self.before {
            self.ahead.insert(place);
        }
        while self.ahead.remove(&self.before) {
            self.before += 1;
        }
    }

    /// How many sessions are not done.
    pub fn left(&self) -> usize {
        self.all - self.before - self.ahead.len()
    }

    /// The place of the first session that is not done; `None` when none or all are.
    pub fn reached(&self) -> Option<usize> {
        (0 < self.before && self.before < self.all).then_some(self.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The turns of `all` sessions, the newest one being wanted early from the turn `probe` on.
    fn check(all: usize, newest: usize, probe: usize) -> Vec<usize> {
        let mut turns = Turns::new(all, newest);
        let taken = (0..).map_while(|turn| turns.next(turn >= probe)).collect();
        assert_eq!(turns.next(true), None, "the end stays the end");
        taken
    }

    #[test]
    fn every_session_has_one_turn() {
        assert_eq!(check(4, 3, 9), [0, 1, 2, 3]);
        assert_eq!(check(4, 3, 2), [0, 1, 3, 2], "the newest early");
        assert_eq!(check(4, 3, 3), [0, 1, 2, 3], "in its own turn");
        assert_eq!(check(5, 3, 1), [0, 3, 1, 2, 4], "with one behind it");
        assert_eq!(check(5, 3, 4), [0, 1, 2, 3, 4], "too late");
        assert_eq!(check(1, 0, 0), [0]);
        assert_eq!(check(0, 0, 0), [0_usize; 0]);
    }

    #[test]
    fn what_is_done_counts_up_to_the_first_that_is_not() {
        let mut progress = Progress::new(3);
        assert_eq!((progress.reached(), progress.left()), (None, 3));
        progress.finish(1);
        assert_eq!((progress.reached(), progress.left()), (None, 2));
        progress.finish(0);
        progress.finish(1);
        assert_eq!((progress.reached(), progress.left()), (Some(2), 1));
        progress.finish(2);
        assert_eq!((progress.reached(), progress.left()), (None, 0));
    }
}
