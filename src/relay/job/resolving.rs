//! What becomes of a session that is at work when its alert is resolved. Pure.

use serde::{Deserialize, Serialize};

use super::ending::{Ending, Then};
use super::watching::Task;
use super::{Action, Job, Millis, OnResolved, Phase};
use crate::devin::Error;
use crate::relay::event::EventKind;
use crate::relay::outcome::{SessionPhase, session_phase};

/// What a session is told whose alert was resolved.
const MESSAGE: &str = "The alert that this session was started for has been resolved. If you know its cause, finish what you were asked for. If you do not, write down what you have found so far, and stop.";

/// How far what follows from a resolve has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Resolved {
    /// The alert fires.
    #[default]
    No,
    /// Its session is to be told, or ended.
    Due,
    Done,
}

impl Job {
    /// The alert is over while its session is watched.
    pub(super) fn on_resolved(&mut self, now: Millis) -> Vec<Action> {
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        (watching.message_due, self.is_owing) = (false, false);
        let session = watching.session.clone();
        let then = match self.policy.on_resolved {
            OnResolved::Ignore => None,
            OnResolved::Annotate => Some("its session goes on"),
            OnResolved::Message => Some("its session is told"),
            OnResolved::Terminate if self.has_made(&session) => Some("its session is ended"),
            OnResolved::Terminate => Some("its session goes on: on_resolved ends only one that this job has made"),
        };
        self.note_resolved();
        let report = then.map(|then| EventKind::AlertResolved { reason: format!("the alert was resolved; {then}") });
        let mut actions: Vec<Action> = report.into_iter().map(Action::Report).collect();
        actions.extend(self.watch_on(now));
        actions
    }

    /// Keeps that the alert is over, for when there is a session.
    pub(super) fn note_resolved(&mut self) {
        if self.resolved == Resolved::No {
            self.resolved = Resolved::Due;
        }
    }

    /// The alert is not over. One whose session is being ended gets another one.
    pub(super) fn fires_again(&mut self) {
        self.resolved = Resolved::No;
        if let Phase::Watching(watching) = &self.phase
            && let Task::Ending(ending) = &watching.task
        {
            self.is_owing |= self.patience.is_some() && ending.is_for_resolved();
        }
    }

    /// Begins what follows from a resolve, where nothing else is under way.
    pub(super) fn follow_resolved(&mut self) {
        let Phase::Watching(watching) = &self.phase else { return };
        if self.resolved != Resolved::Due || watching.task != Task::Nothing {
            return;
        }
        self.resolved = Resolved::Done;
        // A message wakes a session that has ended.
        let is_at_work = session_phase(&watching.session) == SessionPhase::Working && !watching.session.is_archived;
        let is_made_here = self.has_made(&watching.session);
        let (session, was_polled) = (watching.session.clone(), !watching.is_only_listed);
        let task = match self.policy.on_resolved {
            OnResolved::Message if is_at_work => Task::TellingResolved,
            OnResolved::Terminate if is_made_here && session_phase(&session).is_active() => {
                Task::Ending(Box::new(Ending::new(session, was_polled, Then::Resolved)))
            }
            _ => return,
        };
        if let Phase::Watching(watching) = &mut self.phase {
            watching.task = task;
        }
    }

    /// The message that says so.
    pub(super) fn tell_resolved(session_id: String) -> Action {
        Action::Message { session_id, message: MESSAGE.to_string() }
    }

    /// It was answered.
    pub(super) fn on_told_resolved(&mut self, sent: &Result<(), Error>, now: Millis) -> Vec<Action> {
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        watching.task = Task::Nothing;
        let session_id = watching.session.session_id.clone();
        let reason = match sent {
            Ok(()) => "the alert was resolved".to_string(),
            Err(error) => format!("the alert was resolved, and its session could not be told: {error}"),
        };
        let mut actions = vec![Action::Report(EventKind::SessionMessaged { session_id, sent: sent.is_ok(), reason })];
        actions.extend(self.watch_on(now));
        actions
    }
}
