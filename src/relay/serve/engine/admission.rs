//! Asks the store whether a job may start: before it does anything, and once more before its create is sent, since somebody
//! may have thrown a switch meanwhile.

use std::time::Duration;

use tokio::time::Instant;

use super::{Engine, Held, event_of};
use crate::devin::gate::Pass;
use crate::relay::event::{EventKind, RelayEvent};
use crate::relay::job::{Action, Job, Phase};
use crate::relay::outcome::OutcomeKind;
use crate::relay::prompt::with_storm;
use crate::relay::serve::gates::Linked;
use crate::relay::serve::integration::Requests;
use crate::relay::serve::kill_switch;
use crate::relay::serve::store::{Admission, Ask};

/// What the gates have said longer ago is asked once more before a create is sent: a switch may have been thrown while it was kept
/// that it is sent. Not without end, for a store may always be as slow as that.
const FRESH: Duration = Duration::from_millis(250);
const MOST_SLOW_TIMES: u32 = 20;

impl Held {
    /// Whether nothing has been done about it.
    pub(super) fn is_new(&self) -> bool {
        self.job.phase == Phase::Received
    }
}

impl Engine {
    /// Whether a job that is new may begin. One that may not is given back, or has ended.
    pub(super) async fn may_begin(&self, held: &mut Held, requests: &Requests<'_>) -> bool {
        match self.admission(held).await {
            Some(Admission::Start { companions, .. }) => {
                let new = &mut held.job.request.new;
                new.prompt = with_storm(&new.prompt, &companions);
                true
            }
            Some(Admission::Hold { reason, is_new, .. }) => {
                if is_new {
                    self.tell_held(held, &reason, requests);
                }
                false
            }
            Some(other) => self.end_without(held, other, requests).await,
            None => false,
        }
    }

    /// Whether a job may send its create, which it has not done yet. With its place among the requests in hand, so that nothing is
    /// waited for between this and the create, it is asked about and kept as creating, with these events; that place is the answer.
    /// `None` where it is put off to where it was `before`, or has ended; where it was asked to stop, the store has it as before.
    pub(super) async fn may_create<'a>(
        &self,
        held: &mut Held,
        before: &Job,
        events: &[RelayEvent],
        requests: &'a Requests<'_>,
    ) -> Option<Pass<'a>> {
        let mut is_kept = false;
        let mut slow_times = 0;
        loop {
            let Some(pass) = self.place(requests).await else { break };
            let asked_at = Instant::now();
            match self.ask(held, true).await {
                Some(Admission::Start { .. }) => {
                    if !is_kept {
                        held.note_all(events);
                        match self.keep_once(held, None).await {
                            Some(true) => is_kept = true,
                            Some(false) => return None,
                            // By the next time, a switch may have been thrown.
                            None => held.forget_noted(),
                        }
                    }
                    if is_kept {
                        if asked_at.elapsed() < FRESH || slow_times == MOST_SLOW_TIMES {
                            return Some(pass);
                        }
                        slow_times += 1;
                        continue;
                    }
                }
                Some(Admission::Hold { wait, reason, is_new, .. }) => {
                    drop(pass);
                    held.job = held.job.clone().before_create(before.clone());
                    if self.keep(held, Some(wait)).await && is_new {
                        self.tell_held(held, &reason, requests);
                    }
                    return None;
                }
                Some(other) => {
                    drop(pass);
                    self.end_without(held, other, requests).await;
                    return None;
                }
                None => {}
            }
            // Others may need it to find out what is wrong.
            drop(pass);
            if !self.waits_for_the_store().await {
                break;
            }
        }
        if is_kept {
            self.keep_unsent(held, before).await;
        }
        None
    }

    /// Keeps that a create was not sent, so that whoever takes the job on need not look for what it may have made.
    pub(super) async fn keep_unsent(&self, held: &mut Held, before: &Job) {
        held.job = held.job.clone().before_create(before.clone());
        self.keep(held, Some(0)).await;
    }

    /// A place among the requests; `None` where it is asked to stop before it has one.
    async fn place<'a>(&self, requests: &'a Requests<'_>) -> Option<Pass<'a>> {
        let mut stop = self.stop.clone();
        tokio::select! {
            biased;
            _ = stop.wait_for(Option::is_some) => None,
            pass = requests.enter() => Some(pass),
        }
    }

    /// Ends a job that is not to start, unless somebody else has taken it on. Always `false`: it does not go on.
    async fn end_without(&self, held: &mut Held, admission: Admission, requests: &Requests<'_>) -> bool {
        let (kind, reason, session) = match admission {
            Admission::Refuse { is_resolved: true, reason, .. } => (OutcomeKind::ResolvedBeforeStart, reason, None),
            Admission::Refuse { is_resolved: false, reason, .. } => (OutcomeKind::Refused, reason, None),
            Admission::Join { session, reason } => (OutcomeKind::Attached, reason, Some(session)),
            Admission::Start { .. } | Admission::Hold { .. } | Admission::Lost => return false,
        };
        self.end(held, kind, &reason, session, requests).await;
        false
    }

    /// What the gates say; `None` where it was asked to stop before the store could say.
    async fn admission(&self, held: &Held) -> Option<Admission> {
        loop {
            if let Some(admission) = self.ask(held, false).await {
                return Some(admission);
            }
            if !self.waits_for_the_store().await {
                return None;
            }
        }
    }

    /// What the switches and the gates say now; `None` where the store does not answer. The file is read each time: it is what people
    /// have while the store fails.
    async fn ask(&self, held: &Held, is_at_create: bool) -> Option<Admission> {
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
            is_by_hand: job.is_by_hand(),
            is_at_create,
        };
        match self.store.admit(ask).await {
            Ok(admission) => {
                self.metrics.decided(&held.rule, &admission);
                Some(admission)
            }
            Err(error) => {
                self.log.store_failed(&format!("whether {} may start is not known", job.id), &error);
                None
            }
        }
    }

    /// Ends a job that may not start. What it has been told of is over with it.
    async fn end(
        &self,
        held: &mut Held,
        kind: OutcomeKind,
        reason: &str,
        session: Option<Linked>,
        requests: &Requests<'_>,
    ) {
        let now = requests.now();
        let (job, actions) = held.job.clone().refused(kind, reason, now.steady);
        held.job = job;
        held.news_until = held.news.back().map_or(held.news_until, |(seq, _)| *seq);
        let mut events = Vec::new();
        for action in actions {
            let Action::Report(mut kind) = action else { continue };
            if let (EventKind::Outcome(outcome), Some(session)) = (&mut kind, &session) {
                outcome.session_id = Some(session.session_id.clone());
                outcome.session_url.clone_from(&session.session_url);
            }
            held.note(&kind);
            events.push(event_of(&held.job, kind, now.devin));
        }
        if self.keep(held, None).await {
            self.tell(held, &events);
        }
    }

    fn tell_held(&self, held: &Held, reason: &str, requests: &Requests<'_>) {
        let kind = EventKind::note(format!("no session is started yet: {reason}"));
        self.log.event(&event_of(&held.job, kind, requests.now().devin));
    }
}
