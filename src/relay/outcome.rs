//! What a session's state means for the alert it was made for: one table, and the words that go with each end. Pure.

use serde::{Deserialize, Serialize};

use super::prior::is_ended_by_us;
use super::pull_request::{PullRequestState, best, is_of, state_of};
use crate::devin::session::{PullRequest, Session};

/// Where a session stands, as one poll shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionPhase {
    /// At work, or on its way.
    Working,
    /// In a state that this program does not know: poll again.
    Unknown,
    /// The task is done.
    Finished,
    /// Asks a person, or is idle after finishing.
    WaitingForUser,
    /// Asks for an approval.
    WaitingForApproval,
    /// Asleep; a message would wake it.
    Suspended,
    /// Stopped by a limit or by billing.
    QuotaExceeded,
    /// Failed.
    Failed,
}

impl SessionPhase {
    /// Whether the session may still come to something by itself.
    pub fn is_active(self) -> bool {
        matches!(self, SessionPhase::Working | SessionPhase::Unknown)
    }

    /// Whether it asks a person.
    pub fn is_blocked(self) -> bool {
        matches!(self, SessionPhase::WaitingForUser | SessionPhase::WaitingForApproval)
    }
}

/// The whole table: what `status` and `status_detail` mean.
pub fn session_phase(session: &Session) -> SessionPhase {
    let detail = session.status_detail.as_deref();
    match (session.status.as_str(), detail) {
        ("suspended" | "exit" | "error", Some(detail)) if is_quota(detail) => SessionPhase::QuotaExceeded,
        ("running", Some("finished")) | ("exit", _) => SessionPhase::Finished,
        ("running", Some("waiting_for_user")) => SessionPhase::WaitingForUser,
        ("running", Some("waiting_for_approval")) => SessionPhase::WaitingForApproval,
        ("suspended", Some("error")) | ("error", _) => SessionPhase::Failed,
        ("suspended", None | Some("inactivity" | "user_request")) => SessionPhase::Suspended,
        ("running", None | Some("working")) | ("new" | "claimed" | "creating" | "resuming", _) => SessionPhase::Working,
        _ => SessionPhase::Unknown,
    }
}

/// Every detail that stands for a limit or for billing.
const QUOTA_DETAILS: [&str; 9] = [
    "usage_limit_exceeded",
    "org_usage_limit_exceeded",
    "user_usage_limit_exceeded",
    "out_of_credits",
    "out_of_quota",
    "no_quota_allocation",
    "total_session_limit_exceeded",
    "payment_declined",
    "contract_expired",
];

fn is_quota(detail: &str) -> bool {
    QUOTA_DETAILS.contains(&detail)
}

/// How it ended, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeStatus {
    Done,
    Blocked,
    Dropped,
}

impl OutcomeStatus {
    /// The word in the outcome's line.
    pub fn name(self) -> &'static str {
        match self {
            OutcomeStatus::Done => "done",
            OutcomeStatus::Blocked => "blocked",
            OutcomeStatus::Dropped => "dropped",
        }
    }
}

/// How it ended, more closely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    PrOpened,
    PrClosed,
    NoPr,
    WaitingForUser,
    WaitingForApproval,
    QuotaExceeded,
    SessionError,
    Suspended,
    PollTimeout,
    SessionGone,
    CreateUnknown,
    Terminated,
    ResolvedBeforeStart,
    /// A gate of its rule turned the alert away.
    Refused,
    /// The session of another alert of its storm takes care of it.
    Attached,
}

impl OutcomeKind {
    /// Every kind, as the relay's page lists them.
    pub const ALL: [OutcomeKind; 15] = [
        OutcomeKind::PrOpened,
        OutcomeKind::PrClosed,
        OutcomeKind::NoPr,
        OutcomeKind::WaitingForUser,
        OutcomeKind::WaitingForApproval,
        OutcomeKind::QuotaExceeded,
        OutcomeKind::SessionError,
        OutcomeKind::Suspended,
        OutcomeKind::PollTimeout,
        OutcomeKind::SessionGone,
        OutcomeKind::CreateUnknown,
        OutcomeKind::Terminated,
        OutcomeKind::ResolvedBeforeStart,
        OutcomeKind::Refused,
        OutcomeKind::Attached,
    ];

    /// The class it belongs to.
    pub fn status(self) -> OutcomeStatus {
        match self {
            OutcomeKind::PrOpened | OutcomeKind::PrClosed | OutcomeKind::NoPr | OutcomeKind::Attached => {
                OutcomeStatus::Done
            }
            OutcomeKind::WaitingForUser | OutcomeKind::WaitingForApproval => OutcomeStatus::Blocked,
            _ => OutcomeStatus::Dropped,
        }
    }

    /// The exit code that a shell can branch on. `require_pr` makes an end without a pull request that stands a failure.
    pub fn exit_code(self, require_pr: bool) -> u8 {
        match self {
            OutcomeKind::NoPr | OutcomeKind::PrClosed if require_pr => 26,
            OutcomeKind::PrOpened
            | OutcomeKind::PrClosed
            | OutcomeKind::NoPr
            | OutcomeKind::ResolvedBeforeStart
            | OutcomeKind::Refused
            | OutcomeKind::Attached => 0,
            OutcomeKind::WaitingForUser | OutcomeKind::WaitingForApproval => 20,
            OutcomeKind::QuotaExceeded => 21,
            OutcomeKind::SessionError => 22,
            OutcomeKind::PollTimeout => 23,
            OutcomeKind::Suspended | OutcomeKind::SessionGone => 24,
            OutcomeKind::CreateUnknown => 25,
            OutcomeKind::Terminated => 27,
        }
    }
}

/// How it ended, and the words that go with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub kind: OutcomeKind,
    /// What a person should know or do; the API's own words where it gave some.
    pub reason: String,
}

/// What a person does in a shell who wants another session.
const RUN_AGAIN: &str = "run the same alert again";

impl Outcome {
    /// An outcome with these words.
    pub fn new(kind: OutcomeKind, reason: impl Into<String>) -> Outcome {
        Outcome { kind, reason: reason.into() }
    }

    /// In the words for whoever has a bridge: there, an alert is tried again by its tag.
    pub fn of_a_bridge(self, alert_tag: &str) -> Outcome {
        let reason = self.reason.replace(RUN_AGAIN, &format!("retry it (`alert-relay retry {alert_tag}`)"));
        Outcome { reason, ..self }
    }
}

/// What a session that has come to its end, or to a stop, means. For one that is at work it is a time-out. `seen` are all
/// pull requests that were ever seen in it, `repos` the repositories that it was created for.
pub fn settle(session: &Session, seen: &[PullRequest], repos: &[String]) -> Outcome {
    let detail = session.status_detail.as_deref().unwrap_or(&session.status);
    let has_pr = !seen.is_empty();
    let has_output = session.structured_output.is_some();
    let phase = session_phase(session);
    if is_ended_by_us(session) && !has_pr {
        return Outcome::new(OutcomeKind::Terminated, "the relay ended the session before it had a result");
    }
    let is_asleep = session.status == "suspended";
    if session.is_archived && phase.is_active() {
        if has_pr || has_output {
            return done(seen, repos, "delivered its result", " and was archived");
        }
        let reason = "the session was archived before it had a result: unarchive it in Devin, and a message wakes it";
        return Outcome::new(OutcomeKind::Suspended, reason);
    }
    match phase {
        SessionPhase::Finished => done(seen, repos, "finished", ""),
        SessionPhase::WaitingForUser if has_pr || has_output => {
            done(seen, repos, "delivered its result", " and waits for further instructions")
        }
        SessionPhase::Suspended if has_pr || has_output => {
            done(seen, repos, "delivered its result", " and went to sleep")
        }
        SessionPhase::Unknown if is_asleep && (has_pr || has_output) => {
            done(seen, repos, "delivered its result", " and went to sleep")
        }
        SessionPhase::WaitingForUser => {
            Outcome::new(OutcomeKind::WaitingForUser, "Devin asks a person: open the session and answer")
        }
        SessionPhase::WaitingForApproval => {
            Outcome::new(OutcomeKind::WaitingForApproval, "Devin asks for an approval: open the session and decide")
        }
        SessionPhase::QuotaExceeded => Outcome::new(
            OutcomeKind::QuotaExceeded,
            format!(
                "{detail}: top up or raise the limit at https://app.devin.ai/settings/usage, then {RUN_AGAIN}; this is never retried by itself"
            ),
        ),
        SessionPhase::Failed => {
            Outcome::new(OutcomeKind::SessionError, format!("the session failed ({detail}): open it to see why"))
        }
        SessionPhase::Suspended => Outcome::new(
            OutcomeKind::Suspended,
            format!("the session went to sleep without a result ({detail}): a message in the session wakes it"),
        ),
        SessionPhase::Working | SessionPhase::Unknown => Outcome::new(
            OutcomeKind::PollTimeout,
            format!("the session was still running ({detail}) at the last poll; it goes on"),
        ),
    }
}

fn done(seen: &[PullRequest], repos: &[String], without: &str, then: &str) -> Outcome {
    let Some(best) = best(seen, repos) else {
        return Outcome::new(OutcomeKind::NoPr, format!("the session {without} without a pull request{then}"));
    };
    let elsewhere = !repos.is_empty() && !is_of(best, repos);
    let note = if elsewhere { format!("; warning: it is not in {}", repos.join(" or ")) } else { String::new() };
    match state_of(best) {
        PullRequestState::Closed => Outcome::new(
            OutcomeKind::PrClosed,
            format!("the session's pull request was closed without being merged{then}{note}"),
        ),
        _ => Outcome::new(OutcomeKind::PrOpened, format!("the session opened a pull request{then}{note}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn session(status: &str, detail: Option<&str>) -> Session {
        serde_json::from_value(json!({"session_id": "s", "status": status, "status_detail": detail})).unwrap()
    }

    fn pull_request(state: Option<&str>) -> PullRequest {
        PullRequest { pr_url: "https://github.com/a/b/pull/1".to_string(), pr_state: state.map(str::to_string) }
    }

    #[test]
    fn what_asks_a_person_is_at_work_no_more() {
        use SessionPhase::*;
        let phases = [Working, Unknown, WaitingForUser, WaitingForApproval, Finished, Suspended, QuotaExceeded, Failed];
        let told: Vec<String> = phases
            .into_iter()
            .map(|phase| format!("{phase:?}: active {}, blocked {}", phase.is_active(), phase.is_blocked()))
            .collect();
        insta::assert_snapshot!(told.join("\n"), @"
        Working: active true, blocked false
        Unknown: active true, blocked false
        WaitingForUser: active false, blocked true
        WaitingForApproval: active false, blocked true
        Finished: active false, blocked false
        Suspended: active false, blocked false
        QuotaExceeded: active false, blocked false
        Failed: active false, blocked false
        ");
    }

    #[test]
    fn every_state_of_a_session_means_one_thing() {
        let details = [
            "working",
            "waiting_for_user",
            "waiting_for_approval",
            "finished",
            "inactivity",
            "user_request",
            "error",
            "brand_new",
        ];
        let details = details.into_iter().chain(QUOTA_DETAILS);
        let statuses = ["new", "claimed", "creating", "running", "resuming", "suspended", "exit", "error", "brand_new"];
        let mut table = Vec::new();
        for status in statuses {
            for detail in std::iter::once(None).chain(details.clone().map(Some)) {
                let session = session(status, detail);
                let with_output = Session { structured_output: Some(json!({})), ..session.clone() };
                let kind = |session: &Session, seen: &[PullRequest]| format!("{:?}", settle(session, seen, &[]).kind);
                let (alone, open) = (kind(&session, &[]), kind(&session, &[pull_request(None)]));
                let output = kind(&with_output, &[]);
                table.push(format!(
                    "{status} × {}: {:?}; {alone}; with a pull request {open}; with an output {output}",
                    detail.unwrap_or("null"),
                    session_phase(&session),
                ));
            }
        }
        insta::assert_snapshot!(table.join("\n"));
    }

    #[test]
    fn what_a_bridge_was_not_paid_for_is_retried_by_its_tag() {
        let outcome = settle(&session("suspended", Some("out_of_quota")), &[], &[]).of_a_bridge("ar-1");
        insta::assert_snapshot!(outcome.reason, @"out_of_quota: top up or raise the limit at https://app.devin.ai/settings/usage, then retry it (`alert-relay retry ar-1`); this is never retried by itself");
    }

    #[test]
    fn outcomes_have_stable_classes_and_exit_codes() {
        let table = OutcomeKind::ALL.map(|kind| {
            let name = serde_json::to_value(kind).unwrap();
            format!(
                "{} {}: {}, with --require-pr {}",
                kind.status().name(),
                name.as_str().unwrap(),
                kind.exit_code(false),
                kind.exit_code(true)
            )
        });
        insta::assert_snapshot!(table.join("\n"));
    }

    #[test]
    fn an_end_names_what_became_of_the_pull_request() {
        let end = session("exit", None);
        let told = |seen: &[PullRequest], repos: &[&str]| {
            let repos: Vec<String> = repos.iter().map(ToString::to_string).collect();
            let outcome = settle(&end, seen, &repos);
            format!("{:?}: {}", outcome.kind, outcome.reason)
        };
        insta::assert_snapshot!(told(&[pull_request(Some("closed"))], &[]));
        insta::assert_snapshot!(told(&[pull_request(Some("open"))], &["x/y"]));
        insta::assert_snapshot!(told(&[], &[]));
        let ended = Session { tags: vec![crate::relay::names::ENDED_TAG.to_string()], ..end.clone() };
        assert_eq!(settle(&ended, &[], &[]).kind, OutcomeKind::Terminated);
        let archived = Session { is_archived: true, ..session("running", Some("working")) };
        assert_eq!(settle(&archived, &[], &[]).kind, OutcomeKind::Suspended);
        assert_eq!(settle(&archived, &[pull_request(None)], &[]).kind, OutcomeKind::PrOpened);
        assert_eq!(settle(&ended, &[pull_request(Some("merged"))], &[]).kind, OutcomeKind::PrOpened);
    }
}
