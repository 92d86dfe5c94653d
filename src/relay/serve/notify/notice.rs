//! What is told to people, as values: which events there are, who wants to hear of which, and what one message says. Pure.

use serde::{Deserialize, Serialize};

use crate::relay::event::{AdoptionReason, EventKind, OutcomeEvent};
use crate::relay::job::End;
use crate::relay::outcome::{OutcomeKind, OutcomeStatus};

/// Something that people may want to hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A session works on the alert.
    Created,
    /// The session waits for a person.
    Blocked,
    /// There is a pull request.
    PullRequest,
    /// The session has done what it could.
    Done,
    /// Devin has stopped for want of quota.
    Quota,
    /// It came to no end that helps.
    Failed,
    /// The alert waits, for another reason than the delay of its own rule.
    Held,
    /// No session is started for the alert.
    Dropped,
}

impl Event {
    /// Every event, in the order in which they are listed to people.
    pub const ALL: [Event; 8] = [
        Event::Created,
        Event::Blocked,
        Event::PullRequest,
        Event::Done,
        Event::Quota,
        Event::Failed,
        Event::Held,
        Event::Dropped,
    ];

    /// Those that a rule is told of that names none.
    pub const COMMON: [Event; 6] =
        [Event::Created, Event::Blocked, Event::PullRequest, Event::Done, Event::Quota, Event::Failed];

    /// The word in the rules file, in the store, and for programs.
    pub fn name(self) -> &'static str {
        match self {
            Event::Created => "created",
            Event::Blocked => "blocked",
            Event::PullRequest => "pull_request",
            Event::Done => "done",
            Event::Quota => "quota",
            Event::Failed => "failed",
            Event::Held => "held",
            Event::Dropped => "dropped",
        }
    }

    /// What a message begins with.
    pub fn headline(self) -> &'static str {
        match self {
            Event::Created => "Devin works on it",
            Event::Blocked => "Devin waits for a person",
            Event::PullRequest => "there is a pull request",
            Event::Done => "Devin is done",
            Event::Quota => "Devin is out of quota",
            Event::Failed => "the session came to nothing",
            Event::Held => "the alert is held back",
            Event::Dropped => "no session is started",
        }
    }
}

/// Who wants to hear of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// The name of a target.
    pub target: String,
    pub on: Vec<Event>,
}

/// What happened, before it is known who wants to hear of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    pub event: Event,
    /// Tells it from others of its kind that happen to the same job; empty where there is one at most.
    pub mark: String,
    /// `None` leaves it to what is kept of the job.
    pub reason: Option<String>,
}

impl Happened {
    pub fn new(event: Event, mark: &str, reason: Option<&str>) -> Happened {
        Happened { event, mark: mark.to_string(), reason: reason.map(str::to_string) }
    }
}

/// One message, as it is kept until it is sent. The texts in it are those of alerts and of Devin: not yet fit for any target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The same however often it is sent.
    pub id: String,
    pub event: Event,
    /// When it happened, in Unix milliseconds.
    pub at: i64,
    /// The alert's tag.
    pub alert: String,
    pub dedupe_key: String,
    pub title: String,
    pub severity: Option<String>,
    pub rule: String,
    pub integration: String,
    pub job_id: String,
    pub session_id: Option<String>,
    pub session_url: Option<String>,
    pub pr_url: Option<String>,
    pub reason: Option<String>,
    /// One that somebody has asked for to see whether it arrives.
    #[serde(default)]
    pub is_test: bool,
}

/// What of a job's course people may want to hear of.
pub fn of_course(events: &[EventKind], end: Option<&End>) -> Vec<Happened> {
    let mut happened: Vec<Happened> = events.iter().flat_map(of_event).collect();
    if let (Some(End::Failed { .. } | End::Stopped { .. }), false) = (end, has_end(&happened)) {
        happened.push(Happened::new(Event::Failed, "end", None));
    }
    happened
}

/// What has become of a session after its job had ended, by the words that are kept of it.
pub fn of_late_end(result: Option<&str>, pr_url: Option<&str>) -> Vec<Happened> {
    let word = result.map(|word| serde_json::Value::String(word.to_string()));
    let kind = word.and_then(|word| serde_json::from_value::<OutcomeKind>(word).ok());
    let mut happened: Vec<Happened> =
        pr_url.into_iter().map(|url| Happened::new(Event::PullRequest, url, None)).collect();
    let event = kind.map(of_outcome).filter(|event| *event != Event::Blocked);
    happened.extend(event.map(|event| Happened::new(event, "late", None)));
    happened
}

fn of_event(event: &EventKind) -> Vec<Happened> {
    match event {
        EventKind::SessionCreated { .. }
        | EventKind::SessionAdopted {
            reason: AdoptionReason::FoundAfterUnclearCreate | AdoptionReason::OlderSessionOfAnotherRun,
            ..
        } => vec![Happened::new(Event::Created, "", None)],
        EventKind::SessionStatus { pr_url: Some(url), .. } => vec![Happened::new(Event::PullRequest, url, None)],
        EventKind::AlertHeld { reason, .. } => vec![Happened::new(Event::Dropped, "end", Some(reason))],
        EventKind::Outcome(outcome) => of_end(outcome),
        _ => Vec::new(),
    }
}

fn of_end(outcome: &OutcomeEvent) -> Vec<Happened> {
    let opened = outcome.pr_url.as_deref().filter(|_| outcome.result == OutcomeKind::PrOpened);
    let mut happened: Vec<Happened> =
        opened.into_iter().map(|url| Happened::new(Event::PullRequest, url, None)).collect();
    happened.push(Happened::new(of_outcome(outcome.result), "end", Some(&outcome.reason)));
    happened
}

fn of_outcome(kind: OutcomeKind) -> Event {
    match kind {
        OutcomeKind::QuotaExceeded => Event::Quota,
        OutcomeKind::ResolvedBeforeStart | OutcomeKind::Refused | OutcomeKind::Attached => Event::Dropped,
        kind => match kind.status() {
            OutcomeStatus::Done => Event::Done,
            OutcomeStatus::Blocked => Event::Blocked,
            OutcomeStatus::Dropped => Event::Failed,
        },
    }
}

fn has_end(happened: &[Happened]) -> bool {
    happened.iter().any(|one| one.mark == "end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_is_told_under_one_word() {
        let table: Vec<String> =
            OutcomeKind::ALL.iter().map(|kind| format!("{kind:?} {}", of_outcome(*kind).name())).collect();
        insta::assert_snapshot!(table.join("\n"), @"
        PrOpened done
        PrClosed done
        NoPr done
        WaitingForUser blocked
        WaitingForApproval blocked
        QuotaExceeded quota
        SessionError failed
        Suspended failed
        PollTimeout failed
        SessionGone failed
        CreateUnknown failed
        Terminated failed
        ResolvedBeforeStart dropped
        Refused dropped
        Attached dropped
        ");
    }
}
