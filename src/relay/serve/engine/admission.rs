//! Asks the store whether a job may start: before it does anything, and once more before its create is sent, since somebody
//! may have thrown a switch meanwhile.

use super::{Engine, Held, KEEP_AGAIN, event_of};
use crate::relay::event::EventKind;
use crate::relay::job::{Action, Job, Phase};
use crate::relay::outcome::OutcomeKind;
use crate::relay::serve::integration::Requests;
use crate::relay::serve::kill_switch;
use crate::relay::serve::store::{Admission, Ask};

impl Held {
    /// Whether nothing has been done about it, and nobody has said that it may start.
    pub(super) fn is_new(&self) -> bool {
        self.job.phase == Phase::Received && !self.is_admitted
    }
}

impl Engine {
    /// Whether a job that is new may begin. One that may not is given back, or has ended.
    pub(super) async fn may_begin(&self, held: &mut Held, requests: &Requests<'_>) -> bool {
        match self.admission(held, false).await {
            Some(Admission::Start) => true,
            Some(Admission::Hold { reason, is_new, .. }) => {
                if is_new {
                    self.tell_held(held, &reason, requests);
                }
                false
            }
            Some(Admission::Refuse { is_resolved, reason }) => {
                self.end(held, is_resolved, &reason, requests).await;
                false
            }
            Some(Admission::Lost) | None => false,
        }
    }

    /// Whether a job may send its create, which it has not done yet. One that may not is put off to where it was `before`, or
    /// has ended.
    pub(super) async fn may_create(&self, held: &mut Held, before: &Job, requests: &Requests<'_>) -> bool {
        match self.admission(held, true).await {
            Some(Admission::Start) => true,
            Some(Admission::Hold { wait, reason, is_new }) => {
                held.job = held.job.clone().before_create(before.clone());
                if self.keep(held, Some(wait)).await && is_new {
                    self.tell_held(held, &reason, requests);
                }
                false
            }
            Some(Admission::Refuse { is_resolved, reason }) => {
                self.end(held, is_resolved, &reason, requests).await;
                false
            }
            Some(Admission::Lost) | None => false,
        }
    }

    /// `None` where it was asked to stop before the store could say.
    async fn admission(&self, held: &Held, is_at_create: bool) -> Option<Admission> {
        let bounds = self.bounds.borrow().clone();
        let kill_switch = match &bounds.kill_switch {
            Some(path) => kill_switch::look(path).await,
            None => None,
        };
        let job = &held.job;
        let ask = Ask {
            job_id: job.id.clone(),
            epoch: held.epoch,
            bounds,
            kill_switch,
            holds: job.policy.holds,
            max_acu_limit: job.request.new.max_acu_limit,
            is_at_create,
        };
        loop {
            match self.store.admit(ask.clone()).await {
                Ok(admission) => return Some(admission),
                Err(error) => self.log.warn(&format!("{}: whether it may start is not known: {error}", job.id)),
            }
            if self.is_stopping() {
                return None;
            }
            tokio::time::sleep(KEEP_AGAIN).await;
        }
    }

    /// Ends a job that may not start. What it has been told of is over with it.
    async fn end(&self, held: &mut Held, is_resolved: bool, reason: &str, requests: &Requests<'_>) {
        let kind = if is_resolved { OutcomeKind::ResolvedBeforeStart } else { OutcomeKind::Refused };
        let now = requests.now();
        let (job, actions) = held.job.clone().refused(kind, reason, now.steady);
        held.job = job;
        held.news_until = held.news.back().map_or(held.news_until, |(seq, _)| *seq);
        let reports = actions.into_iter().filter_map(|action| match action {
            Action::Report(kind) => Some(event_of(&held.job, kind, now.devin)),
            _ => None,
        });
        let events: Vec<_> = reports.collect();
        events.iter().for_each(|event| held.note(&event.kind));
        if self.keep(held, None).await {
            events.iter().for_each(|event| self.log.event(event));
        }
    }

    fn tell_held(&self, held: &Held, reason: &str, requests: &Requests<'_>) {
        let kind = EventKind::note(format!("no session is started yet: {reason}"));
        self.log.event(&event_of(&held.job, kind, requests.now().devin));
    }
}
