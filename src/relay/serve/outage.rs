//! Whether the store answers, as the log tells it: once when it stops, and once when it is back, however much fails in between. Pure.

use std::time::Duration;

/// It is back only after nothing has failed for so long: a full disk refuses what is written, and goes on to answer questions.
const QUIET: Duration = Duration::from_secs(5);

/// What has failed since the store answered last.
#[derive(Debug, Default)]
pub struct Outage(Option<Failures>);

#[derive(Debug)]
struct Failures {
    first: Duration,
    last: Duration,
    /// Beside the first.
    others: u64,
}

/// An outage that is over.
#[derive(Debug, PartialEq, Eq)]
pub struct Over {
    pub lasted: Duration,
    /// How many requests failed beside the one that was told.
    pub others: u64,
}

impl Outage {
    /// Hears that a request failed, so long after a beginning that all times here have in common. Answers whether it is the first.
    pub fn failed(&mut self, now: Duration) -> bool {
        match &mut self.0 {
            Some(failures) => {
                failures.last = now;
                failures.others += 1;
                false
            }
            None => {
                self.0 = Some(Failures { first: now, last: now, others: 0 });
                true
            }
        }
    }

    /// Hears that a request was answered; `None` unless that ends an outage.
    pub fn answered(&mut self, now: Duration) -> Option<Over> {
        let is_over = |failures: &mut Failures| now.saturating_sub(failures.last) >= QUIET;
        let failures = self.0.take_if(is_over)?;
        Some(Over { lasted: failures.last.saturating_sub(failures.first), others: failures.others })
    }

    /// Whether there is one.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_once_and_is_over_when_nothing_fails_any_more() {
        let (mut outage, at) = (Outage::default(), Duration::from_secs);
        assert_eq!(outage.answered(at(1)), None);
        assert!(outage.failed(at(10)) && outage.is_on());
        assert_eq!([outage.failed(at(11)), outage.failed(at(31))], [false, false]);
        assert_eq!(outage.answered(at(32)), None, "what is read may be answered while nothing can be written");
        assert_eq!(outage.answered(at(36)), Some(Over { lasted: at(21), others: 2 }));
        assert_eq!(outage.answered(at(37)), None);
        assert!(outage.failed(at(50)), "the next one is told again");
    }
}
