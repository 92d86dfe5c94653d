//! Executes what a job asks for, against three small ports: the sessions, the clock, and being asked to stop. Knows no HTTP
//! and prints nothing.

use chrono::{DateTime, SecondsFormat};

use super::event::{EventKind, RelayEvent};
use super::job::{Action, Job, Millis, Now, Observation, Query, step};
use crate::devin::session::{NewSession, Session};
use crate::devin::sessions::Creation;
use crate::devin::{Error, Kind};

/// How long a find, or the end of a session, may still take when asked to stop, in milliseconds.
const GRACE: Millis = 1_200;

/// The API, as a job needs it.
pub trait Sessions: Sync {
    /// The sessions that a query finds. An item that cannot be read is an error only if it holds `marker`.
    fn find(&self, query: &Query, marker: &str) -> impl Future<Output = Result<Vec<Session>, Error>> + Send;
    /// One request, never repeated; `None` when asked to stop before anything was sent.
    fn create(&self, new: &NewSession) -> impl Future<Output = Option<Creation>> + Send;
    /// One session as it is now.
    fn poll(&self, session_id: &str) -> impl Future<Output = Result<Session, Error>> + Send;
    /// Appends a tag.
    fn tag(&self, session_id: &str, tag: &str) -> impl Future<Output = Result<(), Error>> + Send;
    /// Ends a session.
    fn terminate(&self, session_id: &str) -> impl Future<Output = Result<(), Error>> + Send;
    /// Writes to a session.
    fn message(&self, session_id: &str, message: &str) -> impl Future<Output = Result<(), Error>> + Send;
}

/// The clocks. Whoever takes on a job that another process has begun has heard from Devin before: its clock is known.
pub trait Clock: Sync {
    /// Now, in Unix milliseconds: as Devin first told it, and running on evenly since.
    fn now(&self) -> Millis;
    /// Now as Devin last told it, which may be another of its servers.
    fn devin_now(&self) -> Millis {
        self.now()
    }
    /// Waits until a moment.
    fn sleep_until(&self, moment: Millis) -> impl Future<Output = ()> + Send;
}

/// Being asked to stop.
pub trait Cancellation: Sync {
    /// Waits until asked to stop.
    fn cancelled(&self) -> impl Future<Output = ()> + Send;
}

/// Takes a job to its end, or to where it is asked to stop. Each event goes to `on_event`; `keep` gets the job after every
/// step, before its action is taken.
pub async fn drive<P: Sessions + Clock + Cancellation>(
    mut job: Job,
    ports: &P,
    on_event: &(dyn Fn(RelayEvent) + Send + Sync),
    keep: &(dyn Fn(&Job) + Send + Sync),
) -> Job {
    let mut observation = Observation::Started;
    let mut is_stopping = false;
    loop {
        let now = Now { steady: ports.now(), devin: ports.devin_now() };
        let (after, actions) = step(job, observation, now);
        job = after;
        keep(&job);
        let mut next = None;
        for action in actions {
            match action {
                Action::Report(kind) => on_event(event_of(&job, kind, now.devin)),
                action => next = Some(action),
            }
        }
        if job.end().is_some() {
            return job;
        }
        observation = match next {
            Some(action) => perform(ports, &job, action, &mut is_stopping).await,
            None => Observation::Started,
        };
    }
}

/// An event of a job.
pub fn event_of(job: &Job, kind: EventKind, now: Millis) -> RelayEvent {
    let key = (!job.dedupe_key.is_empty()).then(|| job.dedupe_key.clone());
    RelayEvent { time: time(now), kind, job_id: Some(job.id.clone()), dedupe_key: key }
}

/// A moment as RFC 3339 in UTC.
pub fn time(now: Millis) -> String {
    DateTime::from_timestamp_millis(now).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Takes an action that is a request, and answers with what came of it. A wait and a report are the caller's.
pub async fn act<P: Sessions>(ports: &P, marker: &str, action: Action) -> Observation {
    match action {
        Action::Create(new) => match ports.create(&new).await {
            None => Observation::StopAsked,
            Some(Creation::Created(session)) => Observation::Created(session),
            Some(Creation::Refused(error)) => Observation::CreateRefused(error),
            Some(Creation::RateLimited(error, wait)) => Observation::CreateLimited(error, wait),
            Some(Creation::Unclear(error)) => Observation::CreateUnclear(error),
        },
        Action::Find(query) => match ports.find(&query, marker).await {
            Ok(found) => Observation::SessionsFound(found),
            Err(error) => Observation::FindFailed(error),
        },
        Action::Poll { session_id } => match ports.poll(&session_id).await {
            Ok(session) => Observation::SessionPolled(session),
            Err(error) => Observation::PollFailed(error),
        },
        Action::Tag { session_id, tag } => Observation::Tagged(ports.tag(&session_id, &tag).await),
        Action::Terminate { session_id } => Observation::Terminated(ports.terminate(&session_id).await),
        Action::Message { session_id, message } => Observation::Messaged(ports.message(&session_id, &message).await),
        Action::WaitUntil(_) | Action::Report(_) => Observation::Started,
    }
}

async fn perform<P: Sessions + Clock + Cancellation>(
    ports: &P,
    job: &Job,
    action: Action,
    is_stopping: &mut bool,
) -> Observation {
    let is_ending = matches!(action, Action::Tag { .. } | Action::Terminate { .. });
    let work = async {
        match action {
            Action::WaitUntil(moment) => {
                if !*is_stopping {
                    ports.sleep_until(moment).await;
                }
                Observation::WaitOver
            }
            action => act(ports, job.marker(), action).await,
        }
    };
    if is_create(job) {
        // Its answer is waited for, so that no session is started unseen.
        return work.await;
    }
    let was_stopping = *is_stopping;
    let late = async {
        if !was_stopping {
            ports.cancelled().await;
        }
        if is_ending || was_stopping {
            ports.sleep_until(ports.now() + GRACE).await;
        }
    };
    let late = async {
        late.await;
        if was_stopping && !is_ending { Observation::FindFailed(time_up()) } else { Observation::StopAsked }
    };
    let observation = first(work, late).await;
    *is_stopping |= matches!(observation, Observation::StopAsked);
    observation
}

fn is_create(job: &Job) -> bool {
    matches!(job.phase, super::job::Phase::Creating { waits_until: None })
}

fn time_up() -> Error {
    let kind = Kind::TimeUp(std::time::Duration::from_millis(GRACE.unsigned_abs()));
    Error { kind, path: "the last find".to_string(), explanation: None, tries: 1 }
}

/// Whichever is done first; the second one where both are.
async fn first<T>(work: impl Future<Output = T>, late: impl Future<Output = T>) -> T {
    tokio::select! {
        biased;
        late = late => late,
        done = work => done,
    }
}
