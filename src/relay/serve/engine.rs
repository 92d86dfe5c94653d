//! Takes the jobs of one integration to their ends: claims what is due, steps, keeps, and only then acts. What it holds in
//! memory is nothing but what the store has: it may end at any line.

mod admission;
mod held;
mod late;
mod measuring;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch::Receiver;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

use super::Log;
use super::gates::Bounds;
use super::integration::{Integration, Requests};
use super::metrics::Metrics;
use super::polling;
use super::store::{Claimed, Saved, Store};
use crate::devin::Error;
use crate::devin::gate::Pass;
use crate::devin::session::Session;
use crate::relay::driver::{act, event_of, time};
use crate::relay::event::EventKind;
use crate::relay::job::{Action, Observation, Query, step};
use held::Held;

/// How many jobs are worked on at once; the others wait in the store.
const AT_ONCE: usize = 64;

/// How long a job is held without a word before another process may take it on, and how often that word is given.
const LEASE: Duration = Duration::from_secs(60);
const RENEWAL: Duration = Duration::from_secs(15);

/// Who has a job in hand, and from when on another process may take it on, in Unix milliseconds.
pub fn told_in_hand(who: &str, until: i64) -> String {
    let heard_at = until - i64::try_from(LEASE.as_millis()).unwrap_or_default();
    format!(
        "{who} has it in hand, and was heard of last at {}: if that one is gone, it is taken on at {}",
        time(heard_at),
        time(until)
    )
}

/// The longest that nobody looks for due jobs: another process may have left some.
const IDLE: Duration = Duration::from_secs(2);

/// When something is kept again that the store could not keep.
const KEEP_AGAIN: Duration = Duration::from_millis(500);

/// The engine of one integration.
pub struct Engine {
    store: Arc<Store>,
    integration: Arc<Integration>,
    /// Of this process, drawn at its start.
    owner: String,
    log: Log,
    stop: Receiver<Option<i32>>,
    /// What holds for all jobs, as the rules file says it now.
    bounds: Receiver<Arc<Bounds>>,
    metrics: Arc<Metrics>,
    wake: Arc<Notify>,
    places: Arc<Semaphore>,
    /// The jobs in hand, with their claims. What was claimed and is not in hand comes back when its lease ends.
    in_hand: Mutex<HashMap<String, i64>>,
}

impl Engine {
    /// An engine that does nothing until it is run.
    pub fn new(
        store: Arc<Store>,
        integration: Arc<Integration>,
        owner: &str,
        log: &Log,
        stop: Receiver<Option<i32>>,
        bounds: Receiver<Arc<Bounds>>,
        metrics: &Arc<Metrics>,
    ) -> Arc<Engine> {
        Arc::new(Engine {
            store,
            integration,
            owner: owner.to_string(),
            log: log.clone(),
            stop,
            bounds,
            metrics: Arc::clone(metrics),
            wake: Arc::new(Notify::new()),
            places: Arc::new(Semaphore::new(AT_ONCE)),
            in_hand: Mutex::default(),
        })
    }

    /// Told when there may be a due job.
    pub fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// Works until asked to stop, and then until every create that was sent is answered.
    pub async fn run(self: Arc<Engine>) {
        let (verifying, renewing) = (Arc::clone(&self), Arc::clone(&self));
        let mut helpers = JoinSet::new();
        helpers.spawn(async move { verifying.integration.verify(&verifying.store, &verifying.log).await });
        helpers.spawn(async move { renewing.renew().await });
        let integration = Arc::clone(&self.integration);
        helpers.spawn(async move { polling::make(&integration).await });
        let looking = Arc::clone(&self);
        helpers.spawn(async move { looking.look_later().await });
        let mut jobs = JoinSet::new();
        while !self.is_stopping() {
            let wait = self.claim(&mut jobs).await;
            while jobs.try_join_next().is_some() {}
            let mut stop = self.stop.clone();
            tokio::select! {
                () = self.wake.notified() => {}
                () = self.integration.readied() => {}
                () = self.store.hinted() => {}
                _ = stop.wait_for(Option::is_some) => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        while jobs.join_next().await.is_some() {}
    }

    /// Starts what is due, and answers with how long nothing else will be.
    async fn claim(self: &Arc<Engine>, jobs: &mut JoinSet<()>) -> Duration {
        let free = self.places.available_permits();
        if free == 0 || self.integration.requests().is_none() {
            return IDLE;
        }
        let due = match self.store.claim(&self.integration.name, &self.owner, LEASE, free).await {
            Ok(due) => due,
            Err(error) => {
                self.log.store_failed("due jobs cannot be read", &error);
                return IDLE;
            }
        };
        for (job_id, error) in due.unreadable {
            self.log.warn(&format!("{job_id} is left as it is: {error}"));
        }
        for claimed in due.claimed {
            let engine = Arc::clone(self);
            let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { break };
            jobs.spawn(async move {
                engine.work(claimed).await;
                drop(place);
                engine.wake.notify_one();
            });
        }
        due.next_in.map_or(IDLE, |next| Duration::from_millis(next.max(1).unsigned_abs()).min(IDLE))
    }

    async fn renew(&self) {
        loop {
            tokio::time::sleep(RENEWAL).await;
            let held = self.in_hand().iter().map(|(job_id, epoch)| (job_id.clone(), *epoch)).collect();
            if let Err(error) = self.store.renew(held, LEASE).await {
                self.log.store_failed("the leases cannot be renewed", &error);
            }
        }
    }

    /// Takes a job as far as it goes without waiting.
    async fn work(&self, claimed: Claimed) {
        let Some(requests) = self.integration.requests() else { return };
        let _in_hand = InHand::new(self, &claimed);
        let mut held = Held::new(claimed, &self.owner);
        if held.is_new() && !self.may_begin(&mut held, &requests).await {
            return;
        }
        let mut observation = held.first_observation();
        loop {
            let now = requests.now();
            let before = held.job.clone();
            let (job, actions) = step(held.job, observation, now);
            held.job = job;
            let (mut events, mut next) = (Vec::new(), None);
            for action in actions {
                match action {
                    Action::Report(kind) => events.push(event_of(&held.job, kind, now.devin)),
                    action => next = Some(action),
                }
            }
            let due_in = match next {
                Some(Action::WaitUntil(moment)) if held.news.is_empty() => Some(moment - now.steady),
                _ => None,
            };
            // Before anything is told, and before anything is done.
            let (is_kept, pass) = if matches!(next, Some(Action::Create(_))) {
                let pass = self.may_create(&mut held, &before, &events, &requests).await;
                (pass.is_some(), pass)
            } else {
                held.note_all(&events);
                (self.keep(&mut held, due_in).await, None)
            };
            if !is_kept {
                return;
            }
            self.tell(&mut held, &events);
            if held.job.end().is_some() || due_in.is_some() {
                return;
            }
            observation = match next {
                Some(Action::WaitUntil(_)) => held.next_news(),
                Some(action) => {
                    let is_create = pass.is_some();
                    match self.perform(&requests, &held, action, pass).await {
                        Some(observation) => observation,
                        None if is_create => {
                            self.keep_unsent(&mut held, &before).await;
                            return;
                        }
                        None => return,
                    }
                }
                None => Observation::Started,
            };
            self.metrics.heard(&self.integration.name, &observation);
            if held.hear(&observation) {
                self.integration.doubt();
            }
            if let Some((error, wait)) = held.job.wait_out(&observation) {
                if matches!(observation, Observation::CreateRefused(_) | Observation::CreateLimited(..)) {
                    held.job = held.job.before_create(before);
                    self.integration.refuse(&error, Duration::from_millis(wait.unsigned_abs()), &self.log);
                }
                self.put_off(held, &error, wait).await;
                return;
            }
        }
    }

    /// Takes one action; a create with the place that it has among the requests. `None` where it was asked to stop before it was done:
    /// then another process begins it anew.
    async fn perform(
        &self,
        requests: &Requests<'_>,
        held: &Held,
        action: Action,
        pass: Option<Pass<'_>>,
    ) -> Option<Observation> {
        // A session that is looked for by name may be gone: that it was seen once says nothing then.
        let is_by_name = matches!(action, Action::Find(Query::Id(_)));
        let attempt_tag = &held.job.request.names.attempt_tag;
        if let Some(pass) = pass {
            // Its answer is waited for, so that no session is started unseen.
            if self.is_stopping() {
                return None;
            }
            let observation = act(requests, held.job.marker(), action).await;
            drop(pass);
            if let Observation::Created(session) = &observation {
                self.integration.has_worked(&self.log);
                self.sight(attempt_tag, session).await;
            }
            return Some(observation);
        }
        let mut stop = self.stop.clone();
        let observation = tokio::select! {
            biased;
            _ = stop.wait_for(Option::is_some) => return None,
            observation = act(requests, held.job.marker(), action) => observation,
        };
        match observation {
            Observation::SessionsFound(found) if !is_by_name => {
                let sighted = self.sightings(attempt_tag).await?;
                let is_new = |session: &Session| !found.iter().any(|other| other.is_named(&session.session_id));
                let missing: Vec<Session> = sighted.into_iter().filter(is_new).collect();
                Some(Observation::SessionsFound(found.into_iter().chain(missing).collect()))
            }
            observation => Some(observation),
        }
    }

    /// Keeps how far a job has come; `false` where somebody else has taken it on, or this process is asked to stop.
    async fn keep(&self, held: &mut Held, due_in: Option<i64>) -> bool {
        loop {
            if let Some(is_kept) = self.keep_once(held, due_in).await {
                return is_kept;
            }
            if !self.waits_for_the_store().await {
                return false;
            }
        }
    }

    /// Likewise, or `None` where the store cannot keep it now.
    async fn keep_once(&self, held: &mut Held, due_in: Option<i64>) -> Option<bool> {
        match self.store.save(held.save(due_in)).await {
            Ok(Saved::Kept(news)) => {
                held.is_kept(news);
                Some(true)
            }
            Ok(Saved::Lost) => Some(false),
            Err(error) => {
                self.log.store_failed(&format!("how far {} has come cannot be kept yet", held.job.id), &error);
                None
            }
        }
    }

    /// Keeps that a session was made, whoever holds the job by now.
    async fn sight(&self, attempt_tag: &str, session: &Session) {
        while let Err(error) = self.store.sight(attempt_tag, session).await {
            self.log
                .store_failed(&format!("that the session {} was made cannot be kept yet", session.session_id), &error);
            if !self.waits_for_the_store().await {
                return;
            }
        }
    }

    /// Waits until the store is asked again that has failed; `false` where it is not, because this process is asked to stop.
    async fn waits_for_the_store(&self) -> bool {
        if self.is_stopping() {
            return false;
        }
        tokio::time::sleep(KEEP_AGAIN).await;
        true
    }

    /// `None` where they cannot be read: then nothing is decided without them.
    async fn sightings(&self, attempt_tag: &str) -> Option<Vec<Session>> {
        match self.store.sightings(attempt_tag).await {
            Ok(sessions) => Some(sessions),
            Err(error) => {
                self.log.store_failed("which sessions were made cannot be read", &error);
                None
            }
        }
    }

    /// Gives a job back whose request failed for a reason that may pass.
    async fn put_off(&self, mut held: Held, error: &Error, wait: i64) {
        if self.keep(&mut held, Some(wait)).await {
            let kind = EventKind::warning(format!("{error}; trying again in {} s", wait / 1000));
            self.log.event(&event_of(&held.job, kind, crate::devin::client::now_s() * 1000));
        }
    }

    fn is_stopping(&self) -> bool {
        self.stop.borrow().is_some()
    }

    fn in_hand(&self) -> MutexGuard<'_, HashMap<String, i64>> {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds on to a claim as long as it lives, however its work ends.
struct InHand<'a> {
    engine: &'a Engine,
    job_id: String,
}

impl InHand<'_> {
    fn new<'a>(engine: &'a Engine, claimed: &Claimed) -> InHand<'a> {
        let job_id = claimed.job.id.clone();
        engine.in_hand().insert(job_id.clone(), claimed.epoch);
        InHand { engine, job_id }
    }
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        self.engine.in_hand().remove(&self.job_id);
    }
}

#[cfg(test)]
mod tests;
