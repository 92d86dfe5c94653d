//! How a watch ends: at once, after a last request, or not yet. Pure.

use super::ending::{Ending, Then};
use super::rivals::is_staying;
use super::watching::Task;
use super::{Action, Job, Millis, OnTimeout, Origin, Phase, jittered};
use crate::relay::event::EventKind;
use crate::relay::outcome::{Outcome, OutcomeKind, session_phase};

impl Job {
    /// Ends, or waits for the next poll: the usual time, or `pause` where that is longer.
    pub(super) fn settle_or_go_on(
        &mut self,
        settled: Option<Outcome>,
        pause: Option<Millis>,
        now: Millis,
    ) -> Vec<Action> {
        let (id, interval) = (self.id.clone(), self.policy.poll_interval);
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        let is_used_up = watching.polls >= self.policy.max_polls;
        if let Some(outcome) = settled {
            return self.settle_at_last(outcome, now);
        }
        if !is_used_up {
            watching.requests += 1;
            watching.next_poll = now + jittered(interval, &id, watching.requests).max(pause.unwrap_or_default());
            return self.watch_on(now);
        }
        if watching.is_missing() {
            watching.task = Task::FindingItself;
            return self.watch_on(now);
        }
        let outcome = watching.used_up(&self.request.new.repos);
        let is_at_work = watching.is_current && session_phase(&watching.session).is_active();
        let is_given_up = outcome.kind == OutcomeKind::PollTimeout && is_at_work;
        if !is_given_up || self.policy.on_timeout == OnTimeout::Leave {
            return self.settle_at_last(outcome, now);
        }
        if watching.origin == Origin::Another {
            let reason =
                format!("{}: --on-timeout ends only a session that this run has certainly made", outcome.reason);
            return self.settle_watched(Outcome { reason, ..outcome }, now);
        }
        let (session, was_polled) = (watching.session.clone(), !watching.is_only_listed);
        watching.task = Task::Ending(Box::new(Ending::new(session, was_polled, Then::GiveUp(outcome.reason))));
        self.watch_on(now)
    }

    /// Ends with an outcome; before that come a last find for rivals if one was to come later, and what follows an adopted
    /// session that the relay has ended.
    pub(super) fn settle_at_last(&mut self, outcome: Outcome, now: Millis) -> Vec<Action> {
        let (holds, now_s) = (self.policy.holds, self.devin_s(now));
        if let Some(actions) = self.succeed(&outcome, now) {
            return actions;
        }
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        if watching.rival_finds.is_empty() || !is_staying(&watching.session, &holds, now_s) {
            return self.settle_watched(outcome, now);
        }
        (watching.rival_finds, watching.failed_finds, watching.ends_as) = (vec![now], 0, Some(outcome));
        self.watch_on(now)
    }

    /// Ends with an outcome of the session that is watched.
    pub(super) fn settle_watched(&mut self, outcome: Outcome, now: Millis) -> Vec<Action> {
        let about = match &self.phase {
            Phase::Watching(watching) => Some((**watching).clone()),
            _ => None,
        };
        let mut actions = Vec::new();
        if let Some(watching) = about.as_ref().filter(|watching| watching.message_due && self.patience.is_some()) {
            let reason =
                "alerts have joined the group, and its session ended before it could be told: they get one of their own"
                    .to_string();
            let session_id = watching.session.session_id.clone();
            actions.push(Action::Report(EventKind::SessionMessaged { session_id, sent: false, reason }));
        }
        actions.extend(self.settle(outcome, about.as_ref(), now));
        actions
    }
}
