//! When a message is tried again, and when it is given up. Pure: the chance is given.

use std::time::Duration;

/// The first wait, which doubles with each try, and the longest.
const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(1800);

/// The longest that a target may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(3600);

/// For so long, and so often, a message is tried.
const TRIED_FOR: Duration = Duration::from_secs(24 * 3600);
const MOST_TRIES: i64 = 60;

/// How long to wait after a try that failed; `None` where it was the last one. `chance` lies between 0 and 1, `asked` is what
/// the target said.
pub fn wait(attempt: i64, tried_for_ms: i64, asked: Option<Duration>, chance: f64) -> Option<Duration> {
    let is_over = attempt >= MOST_TRIES || tried_for_ms >= i64::try_from(TRIED_FOR.as_millis()).unwrap_or(i64::MAX);
    if is_over {
        return None;
    }
    let doubled = u32::try_from(attempt - 1).unwrap_or(0).min(16);
    let longest = FIRST.saturating_mul(1 << doubled).min(LONGEST);
    // Half of it is chance, so that many that failed together do not come again together.
    let own = longest.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0);
    Some(asked.map_or(own, |asked| asked.min(LONGEST_ASKED).max(own)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_half_an_hour_and_end_after_a_day() {
        let waits: Vec<f64> = [1, 2, 3, 9, 10, 59].map(|at| wait(at, 0, None, 1.0).unwrap().as_secs_f64()).to_vec();
        assert_eq!(waits, [5.0, 10.0, 20.0, 1280.0, 1800.0, 1800.0]);
        assert_eq!(wait(1, 0, None, 0.0), Some(Duration::from_millis(2500)));
        assert_eq!(wait(60, 0, None, 0.5), None);
        assert_eq!(wait(2, 86_400_000, None, 0.5), None);
    }

    #[test]
    fn what_a_target_asks_for_is_kept_within_an_hour() {
        let asked = |seconds| wait(1, 0, Some(Duration::from_secs(seconds)), 1.0).unwrap().as_secs();
        assert_eq!([asked(0), asked(120), asked(1_000_000)], [5, 120, 3600]);
    }
}
