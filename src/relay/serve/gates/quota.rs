//! How long others wait after a session was stopped for want of quota. One rule: one start is tried every 15 minutes, the first
//! 15 minutes after the first stop, until a session that was started since then has worked. Pure: moments are Unix milliseconds by
//! the store's clock.

/// How long after the first stop the first start is tried, and after each try the next one; and how long a session that consumes
/// ACUs has to be at work to show that there is quota again. In milliseconds.
pub const QUOTA_AGAIN: i64 = 900_000;

/// That an organization has no quota, as far as its sessions have shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// When the first of its sessions was stopped.
    pub since: i64,
    /// From when on the next start is tried: the next alert's, where none waits.
    pub next_at: i64,
}

/// What a session has shown of its organization's quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It was stopped for want of quota.
    Stopped { at: i64 },
    /// It has worked: from this moment on that is known.
    Worked { started_at: i64, at: i64 },
}

impl Sign {
    fn at(self) -> i64 {
        match self {
            Sign::Stopped { at } | Sign::Worked { at, .. } => at,
        }
    }
}

/// Since when there is no quota; `None` where there is, as far as is known. A session that had started before the first stop may
/// have worked by what was left then, and shows nothing.
pub fn out_of_quota_since(mut signs: Vec<Sign>) -> Option<i64> {
    signs.sort_by_key(|sign| (sign.at(), matches!(sign, Sign::Stopped { .. })));
    signs.into_iter().fold(None, |since: Option<i64>, sign| match (since, sign) {
        (None, Sign::Stopped { at }) => Some(at),
        (Some(since), Sign::Worked { started_at, .. }) if started_at > since => None,
        _ => since,
    })
}

impl Outage {
    /// One that goes on since then, in which a start was last tried then. What a person asks for is no such try.
    pub fn new(since: i64, tried_at: Option<i64>) -> Outage {
        Outage { since, next_at: tried_at.unwrap_or(since).saturating_add(QUOTA_AGAIN) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    /// Signs as `stop 5`, or `work 5-20`: started in minute 5, known to have worked in minute 20.
    fn check(signs: &str) -> Option<i64> {
        let minute = |text: &str| text.parse::<i64>().unwrap() * MINUTE;
        let signs = signs.split(", ").map(|sign| match sign.split_once(' ').unwrap() {
            ("stop", at) => Sign::Stopped { at: minute(at) },
            (_, span) => {
                let (started_at, at) = span.split_once('-').unwrap();
                Sign::Worked { started_at: minute(started_at), at: minute(at) }
            }
        });
        out_of_quota_since(signs.collect()).map(|since| since / MINUTE)
    }

    #[test]
    fn the_first_stop_begins_it_and_a_session_that_was_started_since_and_worked_ends_it() {
        let table = [
            ("stop 5", Some(5)),
            // Later stops change nothing: neither those of sessions at work, nor those of early retries.
            ("stop 5, stop 6, stop 19", Some(5)),
            ("stop 5, work 7-12", None),
            // It was started before the newest stop, and after the first.
            ("stop 5, work 8-20, stop 9", None),
            // It was at work already when the first one was stopped.
            ("stop 5, work 4-20", Some(5)),
            // The quota is used up once more.
            ("stop 5, work 7-12, stop 13", Some(13)),
            ("stop 5, work 7-12, stop 13, work 11-20", Some(13)),
            ("stop 5, work 7-12, stop 13, work 14-20", None),
            // A session of an outage that is over says nothing of the next one.
            ("stop 5, work 7-12, work 8-30, stop 13", Some(13)),
            ("work 1-2", None),
        ];
        for (signs, since) in table {
            assert_eq!(check(signs), since, "{signs}");
        }
    }

    #[test]
    fn the_next_start_is_tried_a_quarter_of_an_hour_after_the_last_try() {
        assert_eq!(Outage::new(0, None).next_at, 15 * MINUTE);
        assert_eq!(Outage::new(0, Some(20 * MINUTE)).next_at, 35 * MINUTE);
    }
}
