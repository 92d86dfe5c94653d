//! What a session's state means for the alert it was made for: one pure table, and what several looks in a row add.

use serde::Serialize;

use crate::devin::session::{PullRequest, Session};

/// How often in a row a session must ask for a person before that is believed: it may just be between two steps.
const LOOKS_BEFORE_BLOCKED: u32 = 3;

/// How often in a row a session must be missing before that is believed: a new one may not be everywhere yet.
const LOOKS_BEFORE_GONE: u32 = 3;

/// One look at a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// At work, on its way, or in a state that this program does not know: look again.
    Active,
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

/// The whole table: what `status` and `status_detail` mean.
pub fn standing(session: &Session) -> Standing {
    let detail = session.status_detail.as_deref();
    match (session.status.as_str(), detail) {
        ("suspended" | "exit" | "error", Some(detail)) if is_quota(detail) => Standing::QuotaExceeded,
        ("running", Some("finished")) | ("exit", _) => Standing::Finished,
        ("running", Some("waiting_for_user")) => Standing::WaitingForUser,
        ("running", Some("waiting_for_approval")) => Standing::WaitingForApproval,
        ("suspended", Some("error")) | ("error", _) => Standing::Failed,
        ("suspended", None | Some("inactivity" | "user_request")) => Standing::Suspended,
        _ => Standing::Active,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Done,
    Blocked,
    Dropped,
}

/// How it ended, more closely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    PrOpened,
    NoPr,
    WaitingForUser,
    WaitingForApproval,
    QuotaExceeded,
    SessionError,
    Suspended,
    PollTimeout,
    SessionGone,
    CreateUnknown,
}

impl Verdict {
    /// The class a verdict belongs to.
    pub fn status(self) -> Status {
        match self {
            Verdict::PrOpened | Verdict::NoPr => Status::Done,
            Verdict::WaitingForUser | Verdict::WaitingForApproval => Status::Blocked,
            Verdict::QuotaExceeded
            | Verdict::SessionError
            | Verdict::Suspended
            | Verdict::PollTimeout
            | Verdict::SessionGone
            | Verdict::CreateUnknown => Status::Dropped,
        }
    }

    /// The exit code that a shell can branch on. `require_pr` makes an end without a pull request a failure.
    pub fn exit_code(self, require_pr: bool) -> u8 {
        match self {
            Verdict::NoPr if require_pr => 26,
            Verdict::PrOpened | Verdict::NoPr => 0,
            Verdict::WaitingForUser | Verdict::WaitingForApproval => 20,
            Verdict::QuotaExceeded => 21,
            Verdict::SessionError => 22,
            Verdict::PollTimeout => 23,
            Verdict::Suspended | Verdict::SessionGone => 24,
            Verdict::CreateUnknown => 25,
        }
    }
}

/// A verdict, and the words that go with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub verdict: Verdict,
    /// What a person should know or do; the API's own words where it gave some.
    pub reason: String,
}

/// Several looks at one session, which together settle it. Pure.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// How many further looks an end without a pull request is given for one to appear.
    grace: u32,
    /// How many of these have been given since the session was last at work.
    waited: u32,
    /// How many looks in a row found it asking a person.
    asks: u32,
    missing: u32,
}

impl Watch {
    /// A watch that gives a late pull request `pr_grace` further looks.
    pub fn new(pr_grace: u32) -> Watch {
        Watch { grace: pr_grace, ..Watch::default() }
    }

    /// Takes a look into account; `None` means that it is not settled yet.
    pub fn look(&mut self, session: &Session) -> Option<Outcome> {
        self.missing = 0;
        let standing = standing(session);
        let asks = matches!(standing, Standing::WaitingForUser | Standing::WaitingForApproval);
        self.asks = if asks { self.asks + 1 } else { 0 };
        let has_delivered = session.structured_output.is_some();
        let may_gain_pr = session.pull_requests.is_empty()
            && match standing {
                Standing::Finished | Standing::Suspended => true,
                Standing::WaitingForUser => has_delivered,
                _ => false,
            };
        match standing {
            Standing::Active => {
                self.waited = 0;
                None
            }
            _ if may_gain_pr && self.waited < self.grace => {
                self.waited += 1;
                None
            }
            _ if asks && self.asks < LOOKS_BEFORE_BLOCKED => None,
            _ => Some(settle(session)),
        }
    }

    /// Takes a look into account that found no such session.
    pub fn look_missed(&mut self) -> Option<Outcome> {
        self.missing += 1;
        (self.missing >= LOOKS_BEFORE_GONE).then(|| Outcome {
            verdict: Verdict::SessionGone,
            reason: "the session no longer exists, or this key may not see it".to_string(),
        })
    }
}

/// What a session that has come to its end, or to a stop, means. For one that is at work it is a time-out.
pub fn settle(session: &Session) -> Outcome {
    let has_pr = !session.pull_requests.is_empty();
    let detail = session.status_detail.as_deref().unwrap_or(&session.status);
    let done = |reason: &str| Outcome {
        verdict: if has_pr { Verdict::PrOpened } else { Verdict::NoPr },
        reason: reason.to_string(),
    };
    let other = |verdict, reason: String| Outcome { verdict, reason };
    match standing(session) {
        Standing::Finished => done(if has_pr {
            "the session opened a pull request"
        } else {
            "the session finished without a pull request"
        }),
        Standing::WaitingForUser if has_pr => {
            done("the session opened a pull request and waits for further instructions")
        }
        Standing::WaitingForUser if session.structured_output.is_some() => {
            done("the session delivered its result without a pull request and waits for further instructions")
        }
        // Asleep for a reason that this program does not know, but with something to show.
        Standing::Active if has_pr && session.status == "suspended" => {
            done("the session opened a pull request and went to sleep")
        }
        Standing::Suspended if has_pr => done("the session opened a pull request and went to sleep"),
        Standing::Suspended if session.structured_output.is_some() => {
            done("the session delivered its result without a pull request and went to sleep")
        }
        Standing::WaitingForUser => {
            other(Verdict::WaitingForUser, "Devin asks a person: open the session and answer".to_string())
        }
        Standing::WaitingForApproval => {
            other(Verdict::WaitingForApproval, "Devin asks for an approval: open the session and decide".to_string())
        }
        Standing::QuotaExceeded => other(
            Verdict::QuotaExceeded,
            format!(
                "{detail}: top up or raise the limit at https://app.devin.ai/settings/usage, then run the same alert again; this is never retried by itself"
            ),
        ),
        Standing::Failed => other(Verdict::SessionError, format!("the session failed ({detail}): open it to see why")),
        Standing::Suspended => other(
            Verdict::Suspended,
            format!("the session went to sleep without a result ({detail}): a message in the session wakes it"),
        ),
        Standing::Active => other(
            Verdict::PollTimeout,
            format!("the session was still at work ({detail}) when the last look was taken; it goes on"),
        ),
    }
}

/// The address of a session's first pull request, which is the one to name; `None` when there is none.
pub fn first_pr(pull_requests: &[PullRequest]) -> Option<&str> {
    pull_requests.first().map(|pull_request| pull_request.pr_url.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn session(status: &str, detail: Option<&str>, pull_requests: usize) -> Session {
        let pull_requests: Vec<_> =
            (1..=pull_requests).map(|n| json!({"pr_url": format!("https://github.com/a/b/pull/{n}")})).collect();
        serde_json::from_value(json!({
            "session_id": "s", "status": status, "status_detail": detail, "pull_requests": pull_requests
        }))
        .unwrap()
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
            "usage_limit_exceeded",
            "org_usage_limit_exceeded",
            "user_usage_limit_exceeded",
            "out_of_credits",
            "out_of_quota",
            "no_quota_allocation",
            "total_session_limit_exceeded",
            "payment_declined",
            "contract_expired",
            "brand_new",
        ];
        let statuses = ["new", "claimed", "creating", "running", "resuming", "suspended", "exit", "error", "brand_new"];
        let mut table = Vec::new();
        for status in statuses {
            for detail in std::iter::once(None).chain(details.map(Some)) {
                let cell = |pull_requests| {
                    let session = session(status, detail, pull_requests);
                    format!("{:?}", settle(&session).verdict)
                };
                let standing = standing(&session(status, detail, 0));
                table.push(format!(
                    "{status} × {}: {standing:?}; {}; with a pull request {}",
                    detail.unwrap_or("null"),
                    cell(0),
                    cell(1)
                ));
            }
        }
        insta::assert_snapshot!(table.join("\n"));
    }

    #[test]
    fn verdicts_have_stable_classes_and_exit_codes() {
        let all = [
            Verdict::PrOpened,
            Verdict::NoPr,
            Verdict::WaitingForUser,
            Verdict::WaitingForApproval,
            Verdict::QuotaExceeded,
            Verdict::SessionError,
            Verdict::Suspended,
            Verdict::PollTimeout,
            Verdict::SessionGone,
            Verdict::CreateUnknown,
        ];
        let table: Vec<String> = all
            .iter()
            .map(|verdict| {
                let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_string();
                let (status, name) =
                    (serde_json::to_value(verdict.status()).unwrap(), serde_json::to_value(verdict).unwrap());
                format!(
                    "{} {}: {}, with --require-pr {}",
                    word(status),
                    word(name),
                    verdict.exit_code(false),
                    verdict.exit_code(true)
                )
            })
            .collect();
        insta::assert_snapshot!(table.join("\n"), @"
        done pr_opened: 0, with --require-pr 0
        done no_pr: 0, with --require-pr 26
        blocked waiting_for_user: 20, with --require-pr 20
        blocked waiting_for_approval: 20, with --require-pr 20
        dropped quota_exceeded: 21, with --require-pr 21
        dropped session_error: 22, with --require-pr 22
        dropped suspended: 24, with --require-pr 24
        dropped poll_timeout: 23, with --require-pr 23
        dropped session_gone: 24, with --require-pr 24
        dropped create_unknown: 25, with --require-pr 25
        ");
    }

    /// Looks in a row, each `status/detail` with an optional `+` for a pull request or `#` for a structured output, or
    /// `404`.
    fn check(looks: &str) -> String {
        let mut watch = Watch::new(3);
        for (index, look) in looks.split(' ').enumerate() {
            let (state, pull_requests) = look.strip_suffix('+').map_or((look, 0), |state| (state, 1));
            let (state, output) = state.strip_suffix('#').map_or((state, None), |state| (state, Some(json!({}))));
            let (status, detail) =
                state.split_once('/').map_or((state, None), |(status, detail)| (status, Some(detail)));
            let session = Session { structured_output: output, ..session(status, detail, pull_requests) };
            let outcome = if look == "404" { watch.look_missed() } else { watch.look(&session) };
            if let Some(outcome) = outcome {
                return format!("{:?} at look {}", outcome.verdict, index + 1);
            }
        }
        "unsettled".to_string()
    }

    #[test]
    fn several_looks_settle_a_session() {
        insta::assert_snapshot!(check("new claimed running/working running/finished+"), @"PrOpened at look 4");
        insta::assert_snapshot!(check("running/finished running/finished running/finished+"), @"PrOpened at look 3");
        insta::assert_snapshot!(check("running/finished running/finished running/finished running/finished"), @"NoPr at look 4");
        insta::assert_snapshot!(check("running/waiting_for_user running/waiting_for_user running/working running/waiting_for_user running/waiting_for_user running/waiting_for_user"), @"WaitingForUser at look 6");
        insta::assert_snapshot!(check("running/waiting_for_user+ running/waiting_for_user+ running/waiting_for_user+"), @"PrOpened at look 3");
        insta::assert_snapshot!(check("running/waiting_for_approval+ running/waiting_for_approval+ running/waiting_for_approval+"), @"WaitingForApproval at look 3");
        insta::assert_snapshot!(check("running/waiting_for_user# running/waiting_for_user# running/waiting_for_user# running/waiting_for_user#"), @"NoPr at look 4");
        insta::assert_snapshot!(check("running/waiting_for_user# running/waiting_for_user# running/waiting_for_user# running/waiting_for_user+"), @"PrOpened at look 4");
        insta::assert_snapshot!(check("suspended/out_of_credits"), @"QuotaExceeded at look 1");
        insta::assert_snapshot!(check("suspended/inactivity suspended/inactivity suspended/inactivity+"), @"PrOpened at look 3");
        insta::assert_snapshot!(check("suspended/inactivity suspended/inactivity suspended/inactivity suspended/inactivity"), @"Suspended at look 4");
        insta::assert_snapshot!(check("exit exit exit exit"), @"NoPr at look 4");
        insta::assert_snapshot!(check("404 404 running/working 404 404 404"), @"SessionGone at look 6");
        insta::assert_snapshot!(check("dreaming dreaming dreaming dreaming suspended/new_reason"), @"unsettled");
    }
}
