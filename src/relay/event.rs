//! What happens on the way from an alert to its outcome, as values: owned, and independent of how they are shown. Pure.

use serde::{Deserialize, Serialize};

use super::error_report::ErrorReport;
use super::outcome::{OutcomeKind, OutcomeStatus};
use crate::devin::session::{PullRequest, Session};

/// One thing that happened, with the job that it happened to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RelayEvent {
    /// RFC 3339 in UTC, by Devin's clock where it is known.
    pub time: String,
    #[serde(flatten)]
    pub kind: EventKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dedupe_key: Option<String>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    AlertReceived {
        format: String,
        state: String,
        title: String,
        tag: String,
        alerts: usize,
    },
    Prompt {
        tags: Vec<String>,
        title: String,
        prompt: String,
    },
    NothingToDo {
        reason: String,
    },
    SessionCreated {
        session_id: String,
        session_url: Option<String>,
    },
    SessionAdopted {
        session_id: String,
        session_url: Option<String>,
        reason: AdoptionReason,
    },
    /// No session is started, because an earlier one's pull request is still open.
    AlertHeld {
        session_id: String,
        session_url: Option<String>,
        pr_url: Option<String>,
        reason: String,
    },
    /// A session that is not needed: `terminated` says whether it was ended.
    SessionDuplicate {
        session_id: String,
        session_url: Option<String>,
        terminated: bool,
        reason: String,
    },
    SessionStatus {
        session_id: String,
        status: String,
        status_detail: Option<String>,
        pr_url: Option<String>,
        pull_requests: Vec<PullRequest>,
        acus_consumed: f64,
    },
    /// New alerts of the group were told to its session.
    SessionMessaged {
        session_id: String,
        sent: bool,
        reason: String,
    },
    AlertResolved {
        reason: String,
    },
    Outcome(Box<OutcomeEvent>),
    Check {
        principal_type: Option<String>,
        principal: Option<String>,
        org_id: String,
        missing: Vec<String>,
        untested: Vec<String>,
    },
    Warning {
        message: String,
    },
    /// For a person only.
    Note {
        message: String,
    },
    Error(ErrorReport),
}

/// Why a session that is there was taken for the alert's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdoptionReason {
    /// It was made for the same alert before, and is alive.
    Alive,
    /// It ended within the cool-down.
    EndedWithinCooldown,
    /// Its create was answered unclearly, and it was found afterwards.
    FoundAfterUnclearCreate,
    /// Another run made it at the same time, a little earlier.
    OlderSessionOfAnotherRun,
}

/// The last event of an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutcomeEvent {
    pub status: OutcomeStatus,
    pub result: OutcomeKind,
    pub pr_url: Option<String>,
    pub pull_requests: Vec<PullRequest>,
    pub session_id: Option<String>,
    pub session_url: Option<String>,
    pub reason: String,
    pub acus_consumed: Option<f64>,
    pub polls: u32,
    pub seconds: u64,
}

impl EventKind {
    /// This event with every text of Devin's and of the alert's passed through `change`, and so every sentence that may quote
    /// one. Only what would be sent stays as it is.
    pub fn map_foreign(&self, change: &dyn Fn(&str) -> String) -> EventKind {
        let mut event = self.clone();
        let one = |text: &mut String| *text = change(text);
        let maybe = |text: &mut Option<String>| *text = text.as_deref().map(change);
        let all = |found: &mut Vec<PullRequest>| {
            for found in found {
                one(&mut found.pr_url);
                maybe(&mut found.pr_state);
            }
        };
        match &mut event {
            EventKind::AlertReceived { state, title, .. } => [state, title].into_iter().for_each(one),
            EventKind::NothingToDo { reason } | EventKind::AlertResolved { reason } => one(reason),
            EventKind::SessionMessaged { session_id, reason, .. } => [session_id, reason].into_iter().for_each(one),
            EventKind::SessionCreated { session_id, session_url }
            | EventKind::SessionAdopted { session_id, session_url, .. } => {
                one(session_id);
                maybe(session_url);
            }
            EventKind::AlertHeld { session_id, session_url, pr_url, reason } => {
                [session_id, reason].into_iter().for_each(one);
                [session_url, pr_url].into_iter().for_each(maybe);
            }
            EventKind::SessionDuplicate { session_id, session_url, reason, .. } => {
                [session_id, reason].into_iter().for_each(one);
                maybe(session_url);
            }
            EventKind::SessionStatus { session_id, status, status_detail, pr_url, pull_requests, .. } => {
                [session_id, status].into_iter().for_each(one);
                [status_detail, pr_url].into_iter().for_each(maybe);
                all(pull_requests);
            }
            EventKind::Outcome(outcome) => {
                [&mut outcome.pr_url, &mut outcome.session_id, &mut outcome.session_url].into_iter().for_each(maybe);
                one(&mut outcome.reason);
                all(&mut outcome.pull_requests);
            }
            EventKind::Check { principal_type, principal, org_id, missing, .. } => {
                [principal_type, principal].into_iter().for_each(maybe);
                one(org_id);
                missing.iter_mut().for_each(one);
            }
            EventKind::Warning { message } | EventKind::Note { message } => one(message),
            EventKind::Error(report) => one(&mut report.message),
            EventKind::Prompt { .. } => {}
        }
        event
    }

    /// A warning.
    pub fn warning(message: impl Into<String>) -> EventKind {
        EventKind::Warning { message: message.into() }
    }

    /// A few words for a person.
    pub fn note(message: impl Into<String>) -> EventKind {
        EventKind::Note { message: message.into() }
    }

    /// A session was created.
    pub fn created(session: &Session) -> EventKind {
        EventKind::SessionCreated { session_id: session.session_id.clone(), session_url: session.url.clone() }
    }

    /// Whether it shows that a session has the prompt of its own job.
    pub fn is_prompted(&self) -> bool {
        use AdoptionReason::FoundAfterUnclearCreate;
        matches!(
            self,
            EventKind::SessionCreated { .. } | EventKind::SessionAdopted { reason: FoundAfterUnclearCreate, .. }
        )
    }

    /// A session was adopted.
    pub fn adopted(session: &Session, reason: AdoptionReason) -> EventKind {
        EventKind::SessionAdopted { session_id: session.session_id.clone(), session_url: session.url.clone(), reason }
    }

    /// A session is not needed.
    pub fn duplicate(session: &Session, terminated: bool, reason: impl Into<String>) -> EventKind {
        EventKind::SessionDuplicate {
            session_id: session.session_id.clone(),
            session_url: session.url.clone(),
            terminated,
            reason: reason.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_of_devins_and_of_the_alerts_is_passed_through() {
        let (id, url) = ("secret".to_string(), Some("secret".to_string()));
        let session = Session { session_id: id.clone(), url: url.clone(), ..Session::default() };
        let pull_requests = vec![PullRequest { pr_url: id.clone(), pr_state: url.clone() }];
        let outcome = OutcomeEvent {
            status: OutcomeStatus::Done,
            result: OutcomeKind::PrOpened,
            pr_url: url.clone(),
            pull_requests: pull_requests.clone(),
            session_id: url.clone(),
            session_url: url.clone(),
            reason: id.clone(),
            acus_consumed: None,
            polls: 1,
            seconds: 1,
        };
        let [state, title, reason, message, session_id, status, org_id] = std::array::from_fn(|_| id.clone());
        let missing = vec![id.clone()];
        let events = [
            EventKind::AlertReceived { format: "any".to_string(), state, title, tag: "ar-".to_string(), alerts: 1 },
            EventKind::NothingToDo { reason: reason.clone() },
            EventKind::AlertResolved { reason: reason.clone() },
            EventKind::created(&session),
            EventKind::adopted(&session, AdoptionReason::Alive),
            EventKind::duplicate(&session, false, reason.clone()),
            EventKind::AlertHeld { session_id, session_url: url.clone(), pr_url: url.clone(), reason: reason.clone() },
            EventKind::SessionStatus {
                session_id: id.clone(),
                status,
                status_detail: url.clone(),
                pr_url: url.clone(),
                pull_requests,
                acus_consumed: 0.0,
            },
            EventKind::SessionMessaged { session_id: id.clone(), sent: true, reason },
            EventKind::Outcome(Box::new(outcome)),
            EventKind::Check { principal_type: url.clone(), principal: url, org_id, missing, untested: Vec::new() },
            EventKind::warning(message.clone()),
            EventKind::note(message.clone()),
            EventKind::Error(ErrorReport { code: crate::relay::error_report::Code::BadInput, message }),
        ];
        for event in events {
            let passed = event.map_foreign(&|text| text.replace("secret", "****"));
            let line = serde_json::to_string(&passed).unwrap();
            assert!(line.contains("****") && !line.contains("secret"), "{line}");
        }
    }

    #[test]
    fn an_event_is_written_with_its_job_and_read_again() {
        let event = RelayEvent {
            time: "2026-01-01T00:00:00Z".to_string(),
            kind: EventKind::created(&Session { session_id: "s".to_string(), ..Session::default() }),
            job_id: Some("job-1".to_string()),
            dedupe_key: Some("generic:1".to_string()),
        };
        let line = serde_json::to_string(&event).unwrap();
        insta::assert_snapshot!(line, @r#"{"time":"2026-01-01T00:00:00Z","event":"session_created","session_id":"s","session_url":null,"job_id":"job-1","dedupe_key":"generic:1"}"#);
        assert_eq!(serde_json::from_str::<RelayEvent>(&line).unwrap(), event);
    }
}
