//! How fast the API may be asked: arithmetic without a clock of its own.

use std::time::{Duration, Instant};

/// How many requests may be under way, and since when none may start.
///
/// A 429 pauses everybody and halves the number; every full round of successes gives one back.
#[derive(Debug)]
pub struct Pace {
    most: usize,
    limit: usize,
    under_way: usize,
    successes: usize,
    /// Requests that have been refused before and wait for another try.
    waiting_again: usize,
    paused_until: Option<Instant>,
}

/// Whether a request may start.
#[derive(Debug, PartialEq, Eq)]
pub enum Start {
    Now,
    /// Not before this moment.
    At(Instant),
    /// When another request has ended.
    WhenOneEnds,
}

impl Pace {
    /// `most` requests at once, at least one.
    pub fn new(most: usize) -> Pace {
        let most = most.max(1);
        Pace { most, limit: most, under_way: 0, successes: 0, waiting_again: 0, paused_until: None }
    }

    /// A request that has been refused queues for another try; `false` takes it out again.
    pub fn wait_again(&mut self, comes: bool) {
        self.waiting_again = if comes { self.waiting_again + 1 } else { self.waiting_again - 1 };
    }

    /// Starts a request if one may start. One that has been refused before (`again`) goes before fresh ones: under a
    /// strict limit it would lose its tries to them.
    pub fn start(&mut self, now: Instant, again: bool) -> Start {
        match self.paused_until {
            Some(until) if now < until => return Start::At(until),
            _ => self.paused_until = None,
        }
        if self.under_way >= self.limit || (self.waiting_again > 0 && !again) {
            return Start::WhenOneEnds;
        }
        self.under_way += 1;
        Start::Now
    }

    /// A request has ended, one way or another.
    pub fn end(&mut self) {
        self.under_way -= 1;
    }

    /// A request has succeeded: a round of them opens the pool by one.
    pub fn succeeded(&mut self) {
        self.successes += 1;
        if self.successes >= self.limit && self.limit < self.most {
            self.limit += 1;
            self.successes = 0;
        }
    }

    /// A request was answered with 429: nobody starts before `now + wait`, and half as many afterwards. Answers
    /// that arrive within a pause lengthen it but halve nothing again: they were asked before it.
    pub fn rate_limited(&mut self, now: Instant, wait: Duration) {
        let until = now + wait;
        match self.paused_until {
            Some(paused) if now < paused => self.paused_until = Some(paused.max(until)),
            _ => {
                self.paused_until = Some(until);
                self.limit = (self.limit / 2).max(1);
                self.successes = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_429_pauses_everybody_halves_the_pool_once_and_successes_open_it_again() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut pace = Pace::new(4);
        assert!((0..4).all(|_| pace.start(at(0), false) == Start::Now));
        assert_eq!(pace.start(at(0), false), Start::WhenOneEnds);

        pace.rate_limited(at(1), Duration::from_secs(10));
        pace.rate_limited(at(2), Duration::from_secs(20));
        (0..4).for_each(|_| pace.end());
        assert_eq!(pace.start(at(3), false), Start::At(at(22)), "the longer wait holds");

        assert_eq!(pace.start(at(22), false), Start::Now);
        assert_eq!(pace.start(at(22), false), Start::Now);
        assert_eq!(pace.start(at(22), false), Start::WhenOneEnds, "halved once, from 4 to 2");

        (0..2).for_each(|_| pace.succeeded());
        assert_eq!(pace.start(at(22), false), Start::Now, "2 successes open the pool to 3");
        (0..100).for_each(|_| pace.succeeded());
        assert_eq!(pace.start(at(22), false), Start::Now);
        assert_eq!(pace.start(at(22), false), Start::WhenOneEnds, "never more than at first");

        pace.end();
        pace.wait_again(true);
        assert_eq!(pace.start(at(23), false), Start::WhenOneEnds, "a refused request goes first");
        assert_eq!(pace.start(at(23), true), Start::Now);
    }
}
