//! Runs of the relay against the Devin in memory, by the real driver.

use std::sync::Mutex;
use std::time::Duration;

use super::world::World;
use crate::devin::Error;
use crate::devin::session::{NewSession, Session};
use crate::devin::sessions::Creation;
use crate::relay::alert::tag;
use crate::relay::driver::{Cancellation, Clock, Sessions, drive, event_of};
use crate::relay::event::{EventKind, OutcomeEvent, RelayEvent};
use crate::relay::job::{
    Action, DispatchRequest, Firing, Job, Millis, Observation, OnNewAlerts, OnResolved, OnSessionLimit, OnTimeout,
    Policy, Query,
};
use crate::relay::names::Names;
use crate::relay::prior::Holds;

/// A run of the relay: its events, and the job as it ended.
#[derive(Debug)]
pub struct Told {
    pub events: Vec<RelayEvent>,
    pub job: Job,
}

impl Told {
    pub fn outcome(&self) -> Option<OutcomeEvent> {
        self.events.iter().find_map(|event| match &event.kind {
            EventKind::Outcome(outcome) => Some((**outcome).clone()),
            _ => None,
        })
    }

    /// The outcome's kind.
    pub fn result(&self) -> String {
        self.outcome().map_or_else(|| format!("{:?}", self.job.end()), |outcome| format!("{:?}", outcome.result))
    }

    pub fn text(&self) -> String {
        let told = self.events.iter().map(|event| serde_json::to_string(&event.kind).unwrap() + "\n");
        told.collect()
    }
}

pub fn policy() -> Policy {
    Policy {
        holds: Holds { cooldown: Duration::from_secs(3600), while_pr_open: Some(Duration::from_secs(7 * 86_400)) },
        new_attempt: false,
        detach: false,
        reconcile_window: Duration::from_secs(90),
        create_again: false,
        on_session_limit: OnSessionLimit::Wait,
        on_new_alerts: OnNewAlerts::Message,
        on_timeout: OnTimeout::Leave,
        on_resolved: OnResolved::Annotate,
        poll_interval: Duration::from_secs(30),
        max_polls: 120,
        pr_grace: 3,
    }
}

/// A job of the alert of all tests; each number is an attempt of its own.
pub fn job(number: u32, policy: Policy) -> Job {
    let names = Names::new(tag("key"), format!("{number:08x}{number:08x}"));
    let mut new = NewSession { prompt: "Fix it".to_string(), title: Some("disk".to_string()), ..NewSession::default() };
    names.put_on(&mut new);
    let request = DispatchRequest { names, new, firing: Firing::default() };
    Job::new(format!("job-{number}"), "key".to_string(), request, policy)
}

impl World {
    pub fn run(&self, number: u32, policy: Policy) -> Told {
        self.go_on(job(number, policy))
    }

    /// Takes a job from where it is to its end.
    pub fn go_on(&self, job: Job) -> Told {
        let events = Mutex::new(Vec::new());
        let on_event = |event| events.lock().unwrap().push(event);
        // A kept job is what a new process would go on from.
        let keep = |job: &Job| {
            let text = serde_json::to_string(job).unwrap();
            assert_eq!(&serde_json::from_str::<Job>(&text).unwrap(), job);
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let job = runtime.block_on(drive(job, self, &on_event, &keep));
        Told { events: events.into_inner().unwrap(), job }
    }
}

/// As [`World::go_on`], step by step: `instead` may put another observation in place of what an action is answered with.
pub fn play(world: &World, mut job: Job, mut instead: impl FnMut(&Action) -> Option<Observation>) -> Told {
    let (mut events, mut observation) = (Vec::new(), Observation::Started);
    for _ in 0..1_000 {
        let now = world.now();
        let (after, kinds, next) = World::step(job, observation, now);
        job = after;
        events.extend(kinds.into_iter().map(|kind| event_of(&job, kind, now)));
        let Some(action) = next.filter(|_| job.end().is_none()) else { return Told { events, job } };
        world.state().is_clock_known = true;
        observation = instead(&action).unwrap_or_else(|| world.perform(&action));
    }
    panic!("never ends: {:?}", job.phase);
}

impl Sessions for World {
    async fn find(&self, query: &Query, _marker: &str) -> Result<Vec<Session>, Error> {
        self.state().is_clock_known = true;
        self.state().find(query)
    }

    async fn create(&self, new: &NewSession) -> Option<Creation> {
        let mut state = self.state();
        let creation = state.create(new);
        let delay = state.create_delay;
        state.advance(delay);
        state.is_clock_known = true;
        Some(creation)
    }

    async fn poll(&self, session_id: &str) -> Result<Session, Error> {
        self.state().poll(session_id)
    }

    async fn tag(&self, session_id: &str, tag: &str) -> Result<(), Error> {
        self.state().tag(session_id, tag)
    }

    async fn terminate(&self, session_id: &str) -> Result<(), Error> {
        self.state().end(session_id)
    }

    async fn message(&self, _session_id: &str, message: &str) -> Result<(), Error> {
        self.state().messages.push(message.to_string());
        Ok(())
    }
}

impl Clock for World {
    fn now(&self) -> Millis {
        let state = self.state();
        state.now + if state.is_clock_known { 0 } else { state.skew }
    }

    /// Each answer comes from another one of its servers.
    fn devin_now(&self) -> Millis {
        let state = self.state();
        let ahead = state.asked.len().checked_rem(state.clocks.len()).map_or(0, |place| state.clocks[place]);
        state.now + if state.is_clock_known { ahead } else { state.skew }
    }

    async fn sleep_until(&self, moment: Millis) {
        let mut state = self.state();
        let wait = moment - state.now;
        state.advance(wait.max(0));
    }
}

impl Cancellation for World {
    async fn cancelled(&self) {
        std::future::pending::<()>().await;
    }
}
