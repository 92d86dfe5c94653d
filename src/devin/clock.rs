//! The server's clock, learned from its `Date` headers: what decides about ages of sessions, since their times are of
//! that clock. Pure.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// `Date` has whole seconds and takes its way here: what differs by no more than this is the same clock, which then runs
/// on evenly.
const SLACK: Duration = Duration::from_secs(2);

/// What is known of the server's clock.
#[derive(Debug, Default)]
pub struct ServerClock(Mutex<Option<Known>>);

/// A time of the server at a moment of this machine's steady clock.
type Reading = (SystemTime, Instant);

#[derive(Debug, Clone, Copy)]
struct Known {
    first: Reading,
    last: Reading,
}

impl ServerClock {
    /// The server has said `date`, at `now`.
    pub fn heard(&self, date: SystemTime, now: Instant) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let expected = known.map(|known| at(known.last, now));
        let is_close = expected.is_some_and(|expected| {
            let difference = expected.duration_since(date).unwrap_or_else(|error| error.duration());
            difference <= SLACK
        });
        if !is_close {
            let first = known.map_or((date, now), |known| known.first);
            *known = Some(Known { first, last: (date, now) });
        }
    }

    /// Its time in Unix milliseconds; `machine` where it has not said any.
    pub fn now_ms(&self, now: Instant, machine: SystemTime) -> i64 {
        unix_ms(self.known().map_or(machine, |known| at(known.last, now)))
    }

    /// The same by the first time that it said: several servers may differ, and this one does not jump between them.
    pub fn steady_ms(&self, now: Instant, machine: SystemTime) -> i64 {
        unix_ms(self.known().map_or(machine, |known| at(known.first, now)))
    }

    fn known(&self) -> Option<Known> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a clock says now that has said `time` at `then`.
fn at((time, then): Reading, now: Instant) -> SystemTime {
    time + now.saturating_duration_since(then)
}

fn unix_ms(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_clock_is_followed_and_runs_evenly_between_its_dates() {
        let clock = ServerClock::default();
        let (start, at) = (Instant::now(), |seconds| UNIX_EPOCH + Duration::from_secs(seconds));
        let after = |millis| start + Duration::from_millis(millis);
        assert_eq!(clock.now_ms(start, at(7)), 7_000, "this machine's until the server says its own");
        clock.heard(at(1_000), start);
        assert_eq!(clock.now_ms(after(1_500), at(7)), 1_001_500);
        clock.heard(at(1_001), after(1_900));
        assert_eq!(clock.now_ms(after(2_000), at(7)), 1_002_000, "whole seconds do not set it back");
        clock.heard(at(5_000), after(2_000));
        assert_eq!(clock.now_ms(after(2_000), at(7)), 5_000_000, "a real difference does");
        clock.heard(at(3_000), after(3_000));
        assert_eq!(clock.now_ms(after(3_000), at(7)), 3_000_000);
        assert_eq!(clock.steady_ms(after(3_000), at(7)), 1_003_000, "waits are by the first");
        assert_eq!(ServerClock::default().steady_ms(start, at(7)), 7_000);
    }
}
