//! One alert on its way to one session and that session's end: a state machine. Pure.
//!
//! [`step`] takes a job and an observation and answers with the job as it is then and the actions to take. A job can be
//! kept after every step, and another process goes on from it with [`Observation::Started`]. Everything that decides is in
//! the job; the time comes in by Devin's clock.

mod by_hand;
mod creating;
mod ending;
mod exchange;
mod finding;
mod patience;
mod phase;
mod polling;
mod request;
mod resolving;
mod rivals;
mod settling;
mod succession;
mod table;
mod watching;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::exchange::{Action, Observation, Query};
pub use self::phase::{End, FindBy, Phase};
pub use self::request::{
    DispatchRequest, Firing, FiringReason, OnNewAlerts, OnResolved, OnSessionLimit, OnTimeout, Policy,
};
pub use self::table::{ROWS, table};
pub use self::watching::{Origin, Watching};
use super::event::{EventKind, OutcomeEvent};
use super::names::Names;
use super::outcome::Outcome;
use super::pull_request::best;
use crate::devin::session::{NewSession, Session};

/// A moment, in Unix milliseconds.
pub type Millis = i64;

/// This moment by two clocks. Devin may have several servers whose clocks differ, so that its time can jump from answer to
/// answer: that must not make a wait longer or shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// By a clock that runs on evenly: it is waited by.
    pub steady: Millis,
    /// By Devin's, as last heard: ages are told by it.
    pub devin: Millis,
}

impl From<Millis> for Now {
    /// By one clock that is both.
    fn from(moment: Millis) -> Now {
        Now { steady: moment, devin: moment }
    }
}

/// Times of creation are whole seconds: a find after a session's own has passed sees everybody who created in it, so that
/// all of them decide by the same list.
pub const A_SECOND_LATER: Millis = 1_100;

/// Lists lag, so rivals are looked for once more after so long.
pub const SECOND_FIND_AFTER: Millis = 60_000;

/// One alert that is being taken care of; all that a process needs to go on with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    pub id: String,
    pub dedupe_key: String,
    pub request: DispatchRequest,
    pub policy: Policy,
    pub phase: Phase,
    pub started_at: Option<Millis>,
    /// When the create was sent, or is.
    intent_at: Millis,
    /// Tags are refused or dropped here, so that only the title tells a session.
    by_title: bool,
    /// The bare identifiers of the sessions that this job has made.
    made: Vec<String>,
    creates: u32,
    /// The session is wanted beside those that are there: none of another attempt is its rival.
    stands_beside: bool,
    /// How the first create was answered that may have made a session nobody has seen since.
    unclear: Option<String>,
    limited: Limited,
    /// What has been waited out; `None` where it is given up instead.
    #[serde(default)]
    patience: Option<patience::Patience>,
    /// The fingerprints that the session has been told of.
    told: Vec<String>,
    /// Those that the prompt tells of, where others have joined since; `None` where it tells of all.
    #[serde(default)]
    prompted: Option<Vec<String>>,
    /// Alerts have joined the group, and no session has been told.
    #[serde(default)]
    is_owing: bool,
    /// Made of alerts that an earlier session was to be told of, and was not: none that has ended holds it back.
    #[serde(default)]
    follows: bool,
    /// A person has asked for it.
    #[serde(default)]
    is_by_hand: bool,
    /// Who has asked for its session to be ended, which has not begun.
    #[serde(default)]
    end_asked_by: Option<String>,
    /// What is to be done about the session of an alert that was resolved.
    #[serde(default)]
    resolved: resolving::Resolved,
    messages_sent: u32,
    #[serde(default)]
    messaged_at: Option<Millis>,
    /// How often another session has taken the place of an adopted one that was ended.
    #[serde(default)]
    successions: u32,
    /// The adopted sessions that were being ended already and have ended, and when each was last updated: lists may go on to
    /// show them as they were.
    #[serde(default)]
    gone: Vec<(String, Option<i64>)>,
    /// How far Devin's clock is ahead of the steady one, as of the last step.
    #[serde(default)]
    devin_ahead: Millis,
}

/// How long a limited create has waited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Limited {
    tries: u32,
    waited: Millis,
    session_limit_since: Option<Millis>,
}

impl Job {
    /// An alert that has come in. `id` and the attempt in `names` are drawn by whoever calls.
    pub fn new(id: String, dedupe_key: String, request: DispatchRequest, policy: Policy) -> Job {
        Job {
            id,
            dedupe_key,
            request,
            policy,
            phase: Phase::Received,
            started_at: None,
            intent_at: 0,
            by_title: false,
            made: Vec::new(),
            creates: 0,
            stands_beside: false,
            unclear: None,
            limited: Limited::default(),
            patience: None,
            told: Vec::new(),
            prompted: None,
            is_owing: false,
            follows: false,
            is_by_hand: false,
            end_asked_by: None,
            resolved: resolving::Resolved::default(),
            messages_sent: 0,
            messaged_at: None,
            successions: 0,
            gone: Vec::new(),
            devin_ahead: 0,
        }
    }

    /// A job that watches a session which somebody names.
    pub fn watching(id: String, session_id: String, policy: Policy, now: Millis) -> Job {
        let names = Names::new(String::new(), String::new());
        let request = DispatchRequest { names, new: NewSession::default(), firing: Firing::default() };
        let mut job = Job::new(id, String::new(), request, policy);
        let session = Session { session_id, ..Session::default() };
        job.started_at = Some(now);
        job.phase = Phase::Watching(Box::new(Watching::unseen(session, now)));
        job
    }

    /// Devin's time in seconds, which ages are told by.
    fn devin_s(&self, now: Millis) -> i64 {
        seconds(now + self.devin_ahead)
    }

    /// How it ended; `None` while it goes on.
    pub fn end(&self) -> Option<&End> {
        match &self.phase {
            Phase::Settled(end) => Some(end),
            _ => None,
        }
    }

    /// What an item of a list must hold to be the alert's.
    pub fn marker(&self) -> &str {
        &self.request.names.alert_tag
    }

    /// Whether alerts have joined the group of which no session has been told: then they are the next job.
    pub fn is_owing(&self) -> bool {
        self.is_owing
    }

    /// This job as the one that comes after `earlier`, which has ended.
    #[must_use]
    pub fn after(self, earlier: &Job) -> Job {
        let has_session = !(earlier.made.is_empty() && earlier.told.is_empty());
        let is_untold = earlier.is_owing || has_session && earlier.is_news(&self.request.firing);
        Job { follows: is_untold && earlier.policy.on_new_alerts != OnNewAlerts::Ignore, ..self }
    }

    /// The sessions that this job has made, by their bare identifiers.
    pub fn made(&self) -> &[String] {
        &self.made
    }

    /// Another process goes on: with what was to be done, but no wait of the one that died is longer than it may be, and
    /// what that one had seen is seen again before anything is ended.
    fn take_on(&mut self, now: Millis) -> Vec<Action> {
        self.wait_anew(now);
        if let Phase::Watching(watching) = &mut self.phase {
            watching.take_on(now);
        }
        self.resume(now)
    }

    /// What is to be done next, whoever did it before.
    fn resume(&mut self, now: Millis) -> Vec<Action> {
        match &mut self.phase {
            Phase::Received => self.find(),
            Phase::Finding { by } => {
                let by = *by;
                vec![Action::Find(self.query(by, now))]
            }
            Phase::Creating { waits_until: Some(until) } => vec![Action::WaitUntil(*until)],
            Phase::Creating { waits_until: None } => self.reconcile("the process that made the create ended", now),
            Phase::Reconciling(_) => self.reconcile_again(now),
            Phase::Watching(_) => self.watch_on(now),
            Phase::Settled(_) => Vec::new(),
        }
    }

    /// Ends with an outcome. `session` is the one that it is about, as it was last seen.
    fn settle(&mut self, outcome: Outcome, about: Option<&Watching>, now: Millis) -> Vec<Action> {
        let session = about.map(|watching| &watching.session);
        let pull_requests = about.map(|watching| watching.seen.clone()).unwrap_or_default();
        self.phase = Phase::Settled(End::Outcome(outcome.kind));
        let is_held = about.is_some_and(|watching| watching.is_held);
        let outcome =
            if self.patience.is_some() { outcome.of_a_bridge(&self.request.names.alert_tag) } else { outcome };
        let held = if is_held { "held by the cool-down after an earlier session of this alert: " } else { "" };
        let event = OutcomeEvent {
            status: outcome.kind.status(),
            result: outcome.kind,
            pr_url: best(&pull_requests, &self.request.new.repos).map(|best| best.pr_url.clone()),
            pull_requests,
            session_id: session.map(|session| session.session_id.clone()),
            session_url: session.and_then(|session| session.url.clone()),
            reason: format!("{held}{}", outcome.reason),
            acus_consumed: about.filter(|watching| watching.was_seen).map(|watching| watching.session.acus_consumed),
            polls: about.map_or(0, |watching| watching.polls),
            seconds: u64::try_from((now - self.started_at.unwrap_or(now)) / 1000).unwrap_or_default(),
        };
        vec![Action::Report(EventKind::Outcome(Box::new(event)))]
    }

    /// Ends for a reason that is no outcome.
    fn stop(&mut self, end: End) -> Vec<Action> {
        self.phase = Phase::Settled(end);
        Vec::new()
    }
}

/// One step. An observation that does not fit the phase changes nothing: what was to be done is to be done still.
pub fn step(mut job: Job, observation: Observation, now: impl Into<Now>) -> (Job, Vec<Action>) {
    let Now { steady: now, devin } = now.into();
    if job.end().is_none() {
        job.devin_ahead = devin - now;
    }
    let is_first_answer =
        matches!((&job.phase, &observation), (Phase::Finding { by: FindBy::Tag }, Observation::SessionsFound(_)));
    if job.started_at.is_none() || is_first_answer && job.creates == 0 && job.successions == 0 {
        // Before the first answer, Devin's clock may not have been known.
        job.started_at = Some(now);
    }
    let actions = match (&job.phase, observation) {
        (Phase::Settled(_), _) => Vec::new(),
        (_, Observation::Started) => job.take_on(now),
        (Phase::Watching(_), observation) => job.on_watching(observation, now),
        // There is no session yet.
        (_, Observation::EndAsked(_)) => job.resume_waiting(now),
        (_, Observation::AlertResolved) => job.on_resolved_early(now),
        (_, Observation::NewAlerts(firing)) => {
            job.fires_again();
            let earlier = std::mem::replace(&mut job.request.firing, firing);
            job.prompted.get_or_insert(earlier.fingerprints);
            job.resume_waiting(now)
        }
        (Phase::Received, Observation::StopAsked) => job.stop(End::Stopped { session_id: None }),
        (Phase::Received, _) => job.resume(now),
        (Phase::Finding { .. }, observation) => job.on_finding(observation, now),
        (Phase::Creating { .. }, observation) => job.on_creating(observation, now),
        (Phase::Reconciling(_), observation) => job.on_reconciling(observation, now),
    };
    (job, actions)
}

/// Seconds of a moment.
fn seconds(now: Millis) -> i64 {
    now.div_euclid(1000)
}

fn millis(time: Duration) -> Millis {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 4)
}

/// `time`, 15 % longer or shorter at most and at least 10 %, by the job and the number of the poll: jobs that began
/// together do not poll in step.
fn jittered(time: Duration, job: &str, number: u32) -> Millis {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in job.bytes().chain(number.to_le_bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 29;
    let share = i64::try_from(100 + (hash >> 8) % 51).unwrap_or_default();
    let change = millis(time) / 1000 * share + millis(time) % 1000 * share / 1000;
    if hash & 1 == 0 { millis(time) + change } else { millis(time) - change }
}

#[cfg(test)]
mod tests;
