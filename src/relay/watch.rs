//! Polling one session until it is settled: pace, patience, giving up. Knows no HTTP and no clock: asking, waiting and
//! the time that has passed come in as arguments, so that an hour of polling takes a test no time.

use std::time::Duration;

use super::outcome::{Outcome, Status, Verdict, Watch, settle};
use crate::devin::session::Session;
use crate::devin::{Error, Kind};

/// How a session is polled.
#[derive(Debug, Clone)]
pub struct Polling {
    pub interval: Duration,
    /// How many looks are taken at most. A look that fails is none.
    pub attempts: u32,
    /// How many further looks an end without a pull request is given for one to appear.
    pub pr_grace: u32,
    /// How long a session that was never seen may be missing before it is taken for gone: a new one may not be everywhere
    /// yet.
    pub settling: Duration,
}

impl Polling {
    /// What polling may take in all, looks that fail included: twice what it takes when every look succeeds.
    pub fn deadline(&self) -> Duration {
        self.interval * self.attempts * 2 + Duration::from_secs(300)
    }
}

/// How polling ended.
#[derive(Debug, Clone)]
pub enum Ended {
    /// The session is settled, or the looks are used up. `is_current` says whether the last look has succeeded.
    Settled { outcome: Outcome, last: Option<Session>, polls: u32, is_current: bool },
    /// The key is not accepted any more: nothing is known about the session, which goes on.
    Refused(Error),
    /// Asked to stop; the session goes on.
    Stopped,
}

/// Polls until the session is settled. `elapsed` is counted from the first look. `wait` answers `false` when asked to stop; `look` is told each session that was seen, and each failure.
pub async fn watch(
    polling: &Polling,
    ask: impl AsyncFn() -> Result<Session, Error>,
    wait: impl AsyncFn(Duration) -> bool,
    elapsed: impl Fn() -> Duration,
    mut look: impl FnMut(Result<&Session, &Error>),
) -> Ended {
    let mut watch = Watch::new(polling.pr_grace);
    let mut last = None;
    let mut polls = 0;
    loop {
        let mut pause = polling.interval;
        let mut is_current = false;
        let settled = match ask().await {
            Ok(session) => {
                polls += 1;
                is_current = true;
                look(Ok(&session));
                let settled = watch.look(&session);
                last = Some(session);
                settled
            }
            Err(error) if is_missing(&error) => {
                polls += 1;
                look(Err(&error));
                watch.look_missed().filter(|_| last.is_some() || elapsed() >= polling.settling)
            }
            Err(error) if is_passing(&error) => {
                look(Err(&error));
                if let Kind::WaitTooLong { wait, .. } = error.kind {
                    pause = pause.max(wait);
                }
                let left = polling.deadline().saturating_sub(elapsed());
                pause = pause.min(left.max(Duration::from_secs(1)));
                left.is_zero().then(unanswered)
            }
            Err(error) => return Ended::Refused(error),
        };
        let settled = settled.or_else(|| (polls >= polling.attempts).then(|| used_up(last.as_ref(), polls)));
        if let Some(outcome) = settled {
            return Ended::Settled { outcome, last, polls, is_current };
        }
        if !wait(pause).await {
            return Ended::Stopped;
        }
    }
}

/// Whether a look says that there is no such session.
pub fn is_missing(error: &Error) -> bool {
    matches!(error.kind, Kind::Status(404 | 410))
}

/// Whether a look that failed says nothing about the next one.
fn is_passing(error: &Error) -> bool {
    error.kind.is_retryable() || matches!(error.kind, Kind::WaitTooLong { .. } | Kind::TimeUp(_) | Kind::Status(409))
}

/// The last look has been taken: an end that it showed still counts, but a session at work, or one that may be asking a
/// person, is given up.
fn used_up(last: Option<&Session>, polls: u32) -> Outcome {
    match last.map(settle) {
        Some(outcome)
            if !matches!(outcome.verdict.status(), Status::Blocked) && outcome.verdict != Verdict::PollTimeout =>
        {
            outcome
        }
        Some(outcome) => {
            Outcome { verdict: Verdict::PollTimeout, reason: format!("after {polls} looks: {}", outcome.reason) }
        }
        None => Outcome { verdict: Verdict::PollTimeout, reason: format!("the session was not seen in {polls} looks") },
    }
}

fn unanswered() -> Outcome {
    Outcome {
        verdict: Verdict::PollTimeout,
        reason: "the API did not answer often enough to tell how the session ended; it goes on".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Polls through a script of looks: `status/detail`, an HTTP status, or `reset`; the last one repeats.
    async fn check(script: &str, attempts: u32) -> String {
        check_every(30, script, attempts).await
    }

    /// The same, with so many seconds between two looks.
    async fn check_every(seconds: u64, script: &str, attempts: u32) -> String {
        let (interval, settling) = (Duration::from_secs(seconds), Duration::from_secs(30));
        let polling = Polling { interval, attempts, pr_grace: 3, settling };
        let looks: Vec<&str> = script.split(' ').collect();
        let asked = Cell::new(0usize);
        let clock = Cell::new(Duration::ZERO);
        let ask = async || {
            let look = looks[asked.get().min(looks.len() - 1)];
            asked.set(asked.get() + 1);
            let fail = |kind| Error { kind, path: "/sessions/s".to_string(), explanation: None, tries: 1 };
            if let Ok(status) = look.parse() {
                return Err(fail(Kind::Status(status)));
            }
            if look == "reset" {
                return Err(fail(Kind::Broken("connection reset".to_string())));
            }
            let (status, detail) = look.split_once('/').unwrap_or((look, ""));
            let json = serde_json::json!({"session_id": "s", "status": status, "status_detail": detail});
            Ok(serde_json::from_value(json).unwrap())
        };
        let wait = async |time| {
            clock.set(clock.get() + time);
            true
        };
        let ended = watch(&polling, ask, wait, || clock.get(), |_| ()).await;
        let took = format!("{} asked, {} s", asked.get(), clock.get().as_secs());
        match ended {
            Ended::Settled { outcome, polls, .. } => {
                format!("{:?} after {polls} looks, {took}: {}", outcome.verdict, outcome.reason)
            }
            Ended::Refused(error) => format!("refused, {took}: {error}"),
            Ended::Stopped => format!("stopped, {took}"),
        }
    }

    #[tokio::test]
    async fn an_hour_of_polling_ends_in_a_timeout() {
        insta::assert_snapshot!(check("running/working", 120).await, @"PollTimeout after 120 looks, 120 asked, 3570 s: after 120 looks: the session was still at work (working) when the last look was taken; it goes on");
        insta::assert_snapshot!(check("dreaming", 3).await, @"PollTimeout after 3 looks, 3 asked, 60 s: after 3 looks: the session was still at work () when the last look was taken; it goes on");
    }

    #[tokio::test]
    async fn a_poll_that_fails_uses_up_no_attempt_and_settles_nothing() {
        insta::assert_snapshot!(check("running/working 500 429 reset 503 running/working suspended/payment_declined", 3).await, @"QuotaExceeded after 3 looks, 7 asked, 180 s: payment_declined: top up or raise the limit at https://app.devin.ai/settings/usage, then run the same alert again; this is never retried by itself");
        insta::assert_snapshot!(check("500", 3).await, @"PollTimeout after 0 looks, 17 asked, 480 s: the API did not answer often enough to tell how the session ended; it goes on");
        insta::assert_snapshot!(check("running/waiting_for_user reset running/waiting_for_user reset running/waiting_for_user", 9).await, @"WaitingForUser after 3 looks, 5 asked, 120 s: Devin asks a person: open the session and answer");
    }

    #[tokio::test]
    async fn a_key_that_is_refused_stops_at_once_and_a_session_that_is_missing_does_not() {
        insta::assert_snapshot!(check("running/working 401", 9).await, @"refused, 2 asked, 30 s: /sessions/s answered 401 (Unauthorized)");
        insta::assert_snapshot!(check("running/working 403", 9).await, @"refused, 2 asked, 30 s: /sessions/s answered 403 (Forbidden)");
        insta::assert_snapshot!(check("404 404 running/working 404 404 404", 9).await, @"SessionGone after 6 looks, 6 asked, 150 s: the session no longer exists, or this key may not see it");
    }

    #[tokio::test]
    async fn a_new_session_may_be_missing_for_a_while() {
        insta::assert_snapshot!(check_every(1, "404 404 404 404 404 running/working running/finished", 120).await, @"NoPr after 10 looks, 10 asked, 9 s: the session finished without a pull request");
        insta::assert_snapshot!(check_every(1, "404", 120).await, @"SessionGone after 31 looks, 31 asked, 30 s: the session no longer exists, or this key may not see it");
        insta::assert_snapshot!(check_every(1, "running/working 404", 120).await, @"SessionGone after 4 looks, 4 asked, 3 s: the session no longer exists, or this key may not see it");
    }

    #[tokio::test]
    async fn a_session_that_is_gone_or_in_conflict_is_no_refusal() {
        insta::assert_snapshot!(check("running/working 410", 9).await, @"SessionGone after 4 looks, 4 asked, 90 s: the session no longer exists, or this key may not see it");
        insta::assert_snapshot!(check("running/working 409 409 suspended/payment_declined", 2).await, @"QuotaExceeded after 2 looks, 4 asked, 90 s: payment_declined: top up or raise the limit at https://app.devin.ai/settings/usage, then run the same alert again; this is never retried by itself");
        insta::assert_snapshot!(check("running/working 422", 9).await, @"refused, 2 asked, 30 s: /sessions/s answered 422 (Unprocessable Entity)");
    }

    #[tokio::test]
    async fn the_last_look_still_counts() {
        insta::assert_snapshot!(check("running/working running/finished", 2).await, @"NoPr after 2 looks, 2 asked, 30 s: the session finished without a pull request");
        insta::assert_snapshot!(check("running/working running/waiting_for_user", 2).await, @"PollTimeout after 2 looks, 2 asked, 30 s: after 2 looks: Devin asks a person: open the session and answer");
        insta::assert_snapshot!(check("404", 2).await, @"PollTimeout after 2 looks, 2 asked, 30 s: the session was not seen in 2 looks");
    }
}
