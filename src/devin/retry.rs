//! When to try again: arithmetic without a clock of its own.

use std::time::{Duration, Instant, SystemTime};

use super::error::Kind;

/// How patient one request is.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How often a request is made at most.
    pub tries: u32,
    /// The wait after the first failed try; each later one is [`Policy::growth`] times as long.
    pub first_wait: Duration,
    pub growth: u32,
    /// The same after a 429 that names no wait: limits are often counted by the minute, so these waits exceed one.
    pub growth_when_limited: u32,
    /// What all tries of one request may take together, waits of our own choosing included. Waits that the server
    /// asked for by `Retry-After` come on top.
    pub budget: Duration,
    /// The longest `Retry-After` that is waited for.
    pub longest_wait: Duration,
    /// How long a connection may take to be made.
    pub connect: Duration,
    /// How long an answer may send nothing before the try is given up.
    pub silence: Duration,
}

/// So many 429 of one request that came while others got through are no failed tries, if they come within ten minutes of the
/// first.
pub const OUTRUN_TRIES: u32 = 20;

/// These are the ten minutes of [`OUTRUN_TRIES`].
const OUTRUN_TIME: Duration = Duration::from_secs(600);

/// So long everybody waits with such a request, all its waits together. Then it waits alone: a limit that others do not meet
/// may be its endpoint's own.
const OUTRUN_PAUSE: Duration = Duration::from_secs(60);

impl Policy {
    /// For reading: five tries, at most two minutes.
    pub fn patient() -> Policy {
        Policy {
            tries: 5,
            first_wait: Duration::from_secs(1),
            growth: 3,
            growth_when_limited: 4,
            budget: Duration::from_secs(120),
            longest_wait: Duration::from_secs(300),
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(30),
        }
    }

    /// For `check`, where a person waits for the answer: three tries.
    pub fn brief() -> Policy {
        let (budget, longest_wait) = (Duration::from_secs(60), Duration::from_secs(30));
        Policy { tries: 3, growth: 2, growth_when_limited: 2, budget, longest_wait, ..Policy::patient() }
    }
}

/// What follows a failed try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Try again after this wait. `asked` when the server named it, which then does not count against the budget.
    Wait { wait: Duration, asked: bool },
    /// Give up with this kind of error.
    GiveUp(Kind),
}

impl Policy {
    /// Decides what follows try number `tried` (from 1), which failed as `kind`.
    ///
    /// `spent` is what the request has taken so far without the waits the server asked for; `retry_after` is the
    /// server's wish; `jitter` from 0 to 1 lengthens our own wait by up to a quarter, so that many clients spread out.
    pub fn after(
        &self,
        kind: &Kind,
        tried: u32,
        spent: Duration,
        retry_after: Option<Duration>,
        jitter: f64,
    ) -> Verdict {
        if !kind.is_retryable() {
            return Verdict::GiveUp(kind.clone());
        }
        if let (Some(wait), Some(status)) = (retry_after, kind.status())
            && wait > self.longest_wait
        {
            return Verdict::GiveUp(Kind::WaitTooLong { status, wait });
        }
        if tried >= self.tries {
            return Verdict::GiveUp(kind.clone());
        }
        if let Some(wait) = retry_after.filter(|wait| !wait.is_zero()) {
            return Verdict::Wait { wait, asked: true };
        }
        let growth = if *kind == Kind::Status(429) { self.growth_when_limited } else { self.growth };
        let wait = self.first_wait.saturating_mul(growth.saturating_pow(tried.saturating_sub(1)));
        let wait = wait.mul_f64(1.0 + 0.25 * jitter.clamp(0.0, 1.0));
        if spent + wait >= self.budget {
            return Verdict::GiveUp(kind.clone());
        }
        Verdict::Wait { wait, asked: false }
    }
}

/// The tries of one request so far.
#[derive(Debug, Default)]
pub struct Tries {
    failed: u32,
    /// How long they have taken, waits of our own choosing included.
    spent: Duration,
    /// How often it has met a limit that let others through, and since when.
    outrun: u32,
    outrun_since: Option<Instant>,
    /// How long others have waited with it, although they got through.
    paused: Duration,
}

/// A try that has failed.
#[derive(Debug)]
pub struct FailedTry {
    pub kind: Kind,
    pub took: Duration,
    pub retry_after: Option<Duration>,
    /// Whether another request has got through since this one went out.
    pub others_got_through: bool,
}

/// What follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Try again after this wait, which everybody waits too.
    WaitTogether(Duration),
    /// Try again after this wait, while the others go on.
    WaitAlone(Duration),
    /// Give up with this kind of error.
    GiveUp(Kind),
}

impl Tries {
    /// How long the next try may take.
    pub fn left(&self, policy: &Policy) -> Duration {
        policy.budget.saturating_sub(self.spent)
    }

    /// Decides what follows a failed try; `jitter` is from 0 to 1.
    ///
    /// A limit (429) is everybody's, so everybody waits. Where it lets others through, it is no failed try, because this
    /// request's turn will come; but it may be this endpoint's own, so others wait only so long with it.
    pub fn after(&mut self, policy: &Policy, tried: &FailedTry, now: Instant, jitter: f64) -> Next {
        let is_limited = tried.kind == Kind::Status(429);
        let is_outrun = is_limited && tried.others_got_through;
        self.spent += tried.took;
        self.outrun += u32::from(is_outrun);
        let since = if is_outrun { *self.outrun_since.get_or_insert(now) } else { now };
        let is_excused = is_outrun && self.outrun <= OUTRUN_TRIES && now.duration_since(since) < OUTRUN_TIME;
        self.failed += u32::from(!is_excused);
        match policy.after(&tried.kind, self.failed, self.spent, tried.retry_after, jitter) {
            Verdict::GiveUp(kind) => Next::GiveUp(kind),
            Verdict::Wait { wait, .. } if is_limited && (!is_outrun || self.may_pause(wait)) => {
                self.paused += if is_outrun { wait } else { Duration::ZERO };
                Next::WaitTogether(wait)
            }
            Verdict::Wait { wait, asked } => {
                self.spent += if asked || is_limited { Duration::ZERO } else { wait };
                Next::WaitAlone(wait)
            }
        }
    }

    /// Whether others may wait so long with it. The first wait is always everybody's: the limit may have been met just now.
    fn may_pause(&self, wait: Duration) -> bool {
        self.paused.is_zero() || self.paused + wait <= OUTRUN_PAUSE
    }
}

/// Reads `Retry-After`: whole seconds, or a date in any of HTTP's three forms, counted from `now`, the server's
/// clock where it is known. `None` for anything else; zero for a date that has passed.
pub fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Kind, tried: u32, spent_s: u64, retry_after_s: Option<u64>) -> String {
        let spent = Duration::from_secs(spent_s);
        match Policy::patient().after(&kind, tried, spent, retry_after_s.map(Duration::from_secs), 0.0) {
            Verdict::Wait { wait, asked: true } => format!("wait {} s as asked", wait.as_secs_f64()),
            Verdict::Wait { wait, asked: false } => format!("wait {} s", wait.as_secs_f64()),
            Verdict::GiveUp(kind) => format!("give up: {kind}"),
        }
    }

    #[test]
    fn waits_grow_until_the_tries_or_the_time_are_used_up() {
        insta::assert_snapshot!(check(Kind::Status(500), 1, 0, None), @"wait 1 s");
        insta::assert_snapshot!(check(Kind::Status(500), 2, 1, None), @"wait 3 s");
        insta::assert_snapshot!(check(Kind::Status(500), 3, 4, None), @"wait 9 s");
        insta::assert_snapshot!(check(Kind::Status(500), 4, 13, None), @"wait 27 s");
        insta::assert_snapshot!(check(Kind::Status(500), 5, 40, None), @"give up: answered 500 (Internal Server Error)");
        insta::assert_snapshot!(check(Kind::Silent(Duration::from_secs(30)), 4, 113, None), @"give up: sent nothing for 30 s");
        insta::assert_snapshot!(check(Kind::Status(403), 1, 0, None), @"give up: answered 403 (Forbidden)");
    }

    #[test]
    fn a_limit_by_the_minute_is_outlasted() {
        let waits: u64 = (1..5).map(|tried| 4u64.pow(tried - 1)).sum();
        assert!(waits > 60);
        insta::assert_snapshot!(check(Kind::Status(429), 4, 21, None), @"wait 64 s");
    }

    #[test]
    fn a_wait_the_server_asks_for_is_obeyed_up_to_five_minutes() {
        insta::assert_snapshot!(check(Kind::Status(429), 1, 0, Some(7)), @"wait 7 s as asked");
        insta::assert_snapshot!(check(Kind::Status(503), 4, 100, Some(300)), @"wait 300 s as asked");
        insta::assert_snapshot!(check(Kind::Status(429), 1, 0, Some(301)), @"give up: answered 429 and asks to wait 301 s (Retry-After)");
        insta::assert_snapshot!(check(Kind::Status(429), 1, 0, Some(0)), @"wait 1 s");
        insta::assert_snapshot!(check(Kind::Status(429), 5, 0, Some(1)), @"give up: answered 429 (Too Many Requests)");
    }

    /// A request that is answered with 429 every so many seconds, others getting through or not: what follows each time.
    fn limited(every_s: u64, others_got_through: bool) -> String {
        let (policy, start, mut tries) = (Policy::patient(), Instant::now(), Tries::default());
        let mut story: Vec<(String, u32)> = Vec::new();
        for nth in 0.. {
            let retry_after = None;
            let tried = FailedTry { kind: Kind::Status(429), took: Duration::ZERO, retry_after, others_got_through };
            let next = match tries.after(&policy, &tried, start + Duration::from_secs(nth * every_s), 0.0) {
                Next::WaitTogether(wait) => format!("together {} s", wait.as_secs()),
                Next::WaitAlone(wait) => format!("alone {} s", wait.as_secs()),
                Next::GiveUp(_) => break,
            };
            match story.last_mut() {
                Some((last, times)) if *last == next => *times += 1,
                _ => story.push((next, 1)),
            }
        }
        story.iter().map(|(next, times)| format!("{times} x {next}")).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn losing_to_others_is_excused_twenty_times_within_ten_minutes_and_holds_them_up_a_minute() {
        insta::assert_snapshot!(limited(1, true), @"21 x together 1 s, 1 x together 4 s, 1 x together 16 s, 1 x alone 64 s");
        insta::assert_snapshot!(limited(60, true), @"11 x together 1 s, 1 x together 4 s, 1 x together 16 s, 1 x alone 64 s");
        insta::assert_snapshot!(limited(1, false), @"1 x together 1 s, 1 x together 4 s, 1 x together 16 s, 1 x together 64 s");
    }

    #[test]
    fn jitter_lengthens_a_wait_by_a_quarter_at_most() {
        let wait = |jitter| Policy::patient().after(&Kind::Status(500), 2, Duration::ZERO, None, jitter);
        assert_eq!(wait(1.0), Verdict::Wait { wait: Duration::from_millis(3750), asked: false });
        assert_eq!(wait(9.0), wait(1.0));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let read: Vec<String> = [
            "7",
            " 120 ",
            "0",
            "99999999999999999999999",
            "Sun, 06 Nov 1994 08:50:37 GMT",
            "Sunday, 06-Nov-94 08:50:37 GMT",
            "Sun Nov  6 08:50:37 1994",
            "Sun, 06 Nov 1994 08:00:00 GMT",
            "-1",
            "1.5",
            "soon",
            "",
        ]
        .iter()
        .map(|value| format!("{value:?}: {:?}", retry_after(value, now)))
        .collect();
        insta::assert_snapshot!(read.join("\n"), @r#"
        "7": Some(7s)
        " 120 ": Some(120s)
        "0": Some(0ns)
        "99999999999999999999999": Some(18446744073709551615s)
        "Sun, 06 Nov 1994 08:50:37 GMT": Some(60s)
        "Sunday, 06-Nov-94 08:50:37 GMT": Some(60s)
        "Sun Nov  6 08:50:37 1994": Some(60s)
        "Sun, 06 Nov 1994 08:00:00 GMT": Some(0ns)
        "-1": None
        "1.5": None
        "soon": None
        "": None
        "#);
    }
}
