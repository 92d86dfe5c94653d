//! The one notion of what an alert's session that is there already means for another run of the same alert. Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::names::{ENDED_TAG, has_tag};
use super::outcome::{SessionPhase, session_phase};
use super::pull_request::{PullRequestState, state_of};
use crate::devin::session::Session;

/// How long after its last update a failed session holds back another one.
const COOLDOWN_AFTER_ERROR: Duration = Duration::from_secs(600);

/// How long a session in a state that this program does not know counts as alive.
const UNKNOWN_STATE_ALIVE: i64 = 86_400;

/// What is to be done about a session of the alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriorSession {
    /// At work on the alert: to be adopted.
    Working,
    /// Alive, and waits for a person: to be adopted, however old.
    Waiting,
    /// Ended within the cool-down: to be reported.
    EndedLately { has_result: bool },
    /// Ended before the cool-down, but its pull request is still open.
    HeldByPullRequest,
    /// Stands in nobody's way.
    Past,
}

impl PriorSession {
    /// Whether the session is alive: what a find adopts, and what a rival can be.
    pub fn is_alive(self) -> bool {
        matches!(self, PriorSession::Working | PriorSession::Waiting)
    }
}

/// How long a session that has ended holds back another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holds {
    pub cooldown: Duration,
    /// How long an open pull request does at most, after its session's last update; `None` when it does not.
    pub while_pr_open: Option<Duration>,
}

/// What `session`, one of the alert's, means at `now`, in Unix seconds by Devin's clock.
pub fn prior(session: &Session, holds: &Holds, now: i64) -> PriorSession {
    let has_result = !session.pull_requests.is_empty() || session.structured_output.is_some();
    let phase = session_phase(session);
    if !session.is_archived {
        match phase {
            SessionPhase::Working => return PriorSession::Working,
            SessionPhase::Unknown if is_within(session, now, UNKNOWN_STATE_ALIVE) => return PriorSession::Working,
            SessionPhase::WaitingForApproval => return PriorSession::Waiting,
            SessionPhase::WaitingForUser if !has_result => return PriorSession::Waiting,
            _ => {}
        }
    }
    let cooldown = match phase {
        SessionPhase::QuotaExceeded => Duration::ZERO,
        SessionPhase::Unknown if !session.is_archived => Duration::ZERO,
        _ if is_ended_by_us(session) => Duration::ZERO,
        SessionPhase::Failed => holds.cooldown.min(COOLDOWN_AFTER_ERROR),
        _ => holds.cooldown,
    };
    let is_open = |pull_request| state_of(pull_request) == PullRequestState::Open;
    let hold = holds.while_pr_open.filter(|_| session.pull_requests.iter().any(is_open));
    if is_within(session, now, seconds(cooldown)) {
        PriorSession::EndedLately { has_result }
    } else if hold.is_some_and(|hold| is_within(session, now, seconds(hold))) {
        PriorSession::HeldByPullRequest
    } else {
        PriorSession::Past
    }
}

/// Whether the relay has ended this session, which has no result: that says nothing about the alert.
///
/// The tag alone does not prove it: it is put on before the session is ended, which may have failed, so that the session
/// went on.
pub fn is_ended_by_us(session: &Session) -> bool {
    let is_over = matches!(session.status.as_str(), "exit" | "suspended" | "error");
    let has_result = !session.pull_requests.is_empty() || session.structured_output.is_some();
    is_over && has_tag(session, ENDED_TAG) && !has_result
}

/// Older is smaller; within one second the identifier decides, the same way for everybody. `None` where it is not told.
pub fn age(session: &Session) -> Option<(i64, String)> {
    session.created_at.map(|created_at| (created_at, session.bare_id().to_ascii_lowercase()))
}

/// Whether a session was last updated less than so many seconds ago, which is never so for none; a time that is not told, or lies a
/// day ahead, is old.
fn is_within(session: &Session, now: i64, seconds: i64) -> bool {
    let touched = session.updated_at.or(session.created_at);
    touched.is_some_and(|touched| {
        let ago = now.saturating_sub(touched);
        ago.max(0) < seconds && ago > -86_400
    })
}

fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 10_000_000;

    fn session(state: &str, result: &str, tags: &[&str], ago: i64) -> Session {
        let (status, detail) = state.split_once('/').map_or((state, None), |(status, detail)| (status, Some(detail)));
        let (pull_requests, output) = match result {
            "output" => (serde_json::json!([]), serde_json::json!({"a": 1})),
            "" => (serde_json::json!([]), serde_json::Value::Null),
            pr => (serde_json::json!([{"pr_url": "https://x/pull/1", "pr_state": pr}]), serde_json::Value::Null),
        };
        serde_json::from_value(serde_json::json!({
            "session_id": "s", "status": status, "status_detail": detail, "tags": tags, "updated_at": NOW - ago,
            "pull_requests": pull_requests, "structured_output": output,
        }))
        .unwrap()
    }

    fn holds() -> Holds {
        Holds { cooldown: Duration::from_secs(3600), while_pr_open: Some(Duration::from_secs(7 * 86_400)) }
    }

    fn told(session: &Session) -> String {
        match prior(session, &holds(), NOW) {
            PriorSession::EndedLately { has_result: true } => "ended lately with a result".to_string(),
            PriorSession::EndedLately { has_result: false } => "ended lately".to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn every_state_of_an_earlier_session_means_one_thing_for_the_next_run() {
        let states = [
            "new",
            "running/working",
            "dreaming",
            "running/waiting_for_user",
            "running/waiting_for_approval",
            "running/finished",
            "exit",
            "suspended/inactivity",
            "suspended/new_reason",
            "suspended/out_of_quota",
            "error",
        ];
        let mut table = Vec::new();
        for state in states {
            for (when, ago) in [("a minute ago", 60), ("2 h ago", 7200), ("8 days ago", 8 * 86_400)] {
                let cell = |result, tags: &[&str]| told(&session(state, result, tags, ago));
                table.push(format!(
                    "{state}, {when}: {}; output {}; open {}; merged {}; ended by us {}",
                    cell("", &[]),
                    cell("output", &[]),
                    cell("open", &[]),
                    cell("merged", &[]),
                    cell("", &[ENDED_TAG])
                ));
            }
        }
        insta::assert_snapshot!(table.join("\n"));
    }

    #[test]
    fn a_session_that_the_relay_ended_counts_only_for_what_it_has_to_show() {
        assert_eq!(told(&session("exit", "open", &[ENDED_TAG], 60)), "ended lately with a result");
        assert_eq!(told(&session("running/working", "", &[ENDED_TAG], 60)), "Working");
        assert_eq!(told(&session("running/finished", "", &[ENDED_TAG], 60)), "ended lately");
    }

    #[test]
    fn an_archived_session_is_not_alive_but_holds_as_long_as_any() {
        let archived = |state, result, ago| told(&Session { is_archived: true, ..session(state, result, &[], ago) });
        assert_eq!(archived("running/waiting_for_user", "", 20 * 86_400), "Past");
        assert_eq!(archived("running/waiting_for_user", "", 60), "ended lately");
        assert_eq!(archived("dreaming", "", 60), "ended lately");
        assert_eq!(archived("running/working", "open", 7200), "HeldByPullRequest");
    }

    #[test]
    fn no_cooldown_holds_nothing_also_where_clocks_differ() {
        let at = |state, tags: &[&str]| told(&session(state, "", tags, -3));
        assert_eq!(at("suspended/out_of_quota", &[]), "Past");
        assert_eq!(at("exit", &[ENDED_TAG]), "Past");
        assert_eq!(at("exit", &[]), "ended lately");
    }

    #[test]
    fn the_edges_of_the_cooldowns() {
        let at = |state, ago| told(&session(state, "", &[], ago));
        assert_eq!([at("exit", 3599), at("exit", 3600)], ["ended lately", "Past"]);
        assert_eq!([at("error", 599), at("error", 600)], ["ended lately", "Past"]);
        assert_eq!([at("dreaming", 86_399), at("dreaming", 86_400)], ["Working", "Past"]);
        let week = 7 * 86_400;
        let open = |ago| told(&session("exit", "open", &[], ago));
        assert_eq!([open(week - 1), open(week)], ["HeldByPullRequest", "Past"]);
        let untold = Session { updated_at: None, created_at: None, ..session("exit", "open", &[], 0) };
        assert_eq!([told(&untold), at("exit", -86_400)], ["Past", "Past"]);
        let days = Holds { cooldown: Duration::from_secs(3 * 86_400), ..holds() };
        let unknown =
            |is_archived| prior(&Session { is_archived, ..session("dreaming", "", &[], 2 * 86_400) }, &days, NOW);
        assert_eq!(unknown(false), PriorSession::Past, "whether it has ended is not known: no cool-down");
        assert_eq!(unknown(true), PriorSession::EndedLately { has_result: false });
        // A server whose clock is behind tells the time.
        assert_eq!(told(&session("exit", "", &[ENDED_TAG], -30)), "Past", "no cool-down is none by any clock");
        let none = Holds { while_pr_open: None, cooldown: Duration::ZERO };
        assert_eq!(prior(&session("error", "open", &[], 0), &none, NOW), PriorSession::Past);
    }
}
