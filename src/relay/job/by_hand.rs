//! What a person asks for: another attempt at an alert whose job has ended, and the end of a session that is watched. Pure.

use std::time::Duration;

use super::ending::{Ending, Then};
use super::watching::Task;
use super::{Action, DispatchRequest, Firing, FiringReason, Job, Millis, Phase, Policy};
use crate::devin::session::Session;
use crate::relay::event::EventKind;
use crate::relay::names::Names;
use crate::relay::outcome::{Outcome, OutcomeKind, settle};
use crate::relay::prior::Holds;

impl Job {
    /// This job, which has ended, once more. No earlier session that has ended holds the new one back, but one that turns out to
    /// be alive still takes care of the alert. `attempt` is drawn by whoever calls; `None` for that of this job, where its create
    /// may have made a session.
    #[must_use]
    pub fn again(&self, id: String, attempt: Option<String>) -> Job {
        let earlier = &self.request;
        let mut new = earlier.new.clone();
        earlier.names.take_off(&mut new);
        let names = attempt
            .map_or_else(|| earlier.names.clone(), |attempt| Names::new(earlier.names.alert_tag.clone(), attempt));
        names.put_on(&mut new);
        // Whatever session there is was told of it.
        let firing = Firing { reason: FiringReason::Repeat, ..earlier.firing.clone() };
        let holds = Holds { cooldown: Duration::ZERO, while_pr_open: None };
        let policy = Policy { holds, ..self.policy.clone() };
        let job = Job::new(id, self.dedupe_key.clone(), DispatchRequest { names, new, firing }, policy);
        Job { is_by_hand: true, ..job }
    }

    /// Whether a person has asked for it.
    pub fn is_by_hand(&self) -> bool {
        self.is_by_hand
    }

    /// Why its session cannot be ended by hand; `None` where it can.
    pub fn objection_to_end(&self) -> Option<String> {
        match &self.phase {
            Phase::Settled(_) => {
                Some("the job has ended, and its session is not watched any more: end it in Devin".to_string())
            }
            Phase::Watching(watching) if self.has_made(&watching.session) => None,
            Phase::Watching(watching) => {
                let name = watching.session.url.as_ref().unwrap_or(&watching.session.session_id);
                Some(format!("the session {name} was not created by this job, which only watches it: end it in Devin"))
            }
            _ => Some("the job has no session yet".to_string()),
        }
    }

    /// A person asks for its session to be ended.
    pub(super) fn on_end_asked(&mut self, by: String, now: Millis) -> Vec<Action> {
        self.end_asked_by = Some(by);
        self.watch_on(now)
    }

    /// Begins to end it, where nothing else is under way, or says why not.
    pub(super) fn follow_end_asked(&mut self) -> Option<Action> {
        if matches!(&self.phase, Phase::Watching(watching) if watching.task != Task::Nothing) {
            return None;
        }
        let by = self.end_asked_by.take()?;
        // Another session may have taken its place in the meantime.
        if let Some(objection) = self.objection_to_end() {
            let warning = format!("{by} asked for the session to be ended, and it goes on: {objection}");
            return Some(Action::Report(EventKind::warning(warning)));
        }
        // What joined the alert is not wanted either.
        self.is_owing = false;
        let Phase::Watching(watching) = &mut self.phase else { return None };
        let (session, was_polled) = (watching.session.clone(), !watching.is_only_listed);
        watching.message_due = false;
        let note = format!("{by} asked for the session to be ended");
        watching.task = Task::Ending(Box::new(Ending::new(session, was_polled, Then::Asked(by))));
        Some(Action::Report(EventKind::note(note)))
    }

    /// A session was ended before its time, or could not be; what it has to show counts.
    pub(super) fn on_ended_early(&mut self, then: &Then, ended: Result<(), String>, now: Millis) -> Vec<Action> {
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        let session = &watching.session;
        if let Err(error) = ended {
            let name = session.url.as_ref().unwrap_or(&session.session_id);
            let why = match then {
                Then::Asked(by) => format!("{by} asked for the session {name} to be ended, and it goes on"),
                _ => format!("the alert was resolved, and its session {name} goes on"),
            };
            watching.next_poll = now;
            let mut actions = vec![Action::Report(EventKind::warning(format!("{why}: {error}")))];
            actions.extend(self.watch_on(now));
            return actions;
        }
        let outcome = if watching.seen.is_empty() && session.structured_output.is_none() {
            let reason = match then {
                Then::Asked(by) => format!("the session was ended, as {by} asked"),
                _ => "the alert was resolved, and its session ended, as on_resolved asks".to_string(),
            };
            Outcome::new(OutcomeKind::Terminated, reason)
        } else {
            let over = Session { status: "exit".to_string(), status_detail: None, ..session.clone() };
            settle(&over, &watching.seen, &self.request.new.repos)
        };
        self.settle_watched(outcome, now)
    }
}
