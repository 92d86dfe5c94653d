//! What Devin would say to a job that is played: what it said to the bridge's own job where that was asked the same, and else
//! what follows from the sessions that the alert had until then. Pure.

use crate::devin::session::{PullRequest, Session};
use crate::relay::job::{Action, Job, Observation, OnResolved, Phase, step};
use crate::relay::names::{ENDED_TAG, RELAY_TAG};
use crate::relay::outcome::OutcomeKind;
use crate::relay::prior::{PriorSession, prior};
use crate::relay::serve::store::{KeptJob, Progress};

/// So many steps follow one another at most without a wait.
const MOST_STEPS: usize = 100;

/// So many polls follow on news at most.
const MOST_POLLS: usize = 8;

/// Starts that are no further apart are one.
const SAME: i64 = 60_000;

/// How a job ends.
#[derive(Debug, Clone)]
pub struct Ending {
    /// `None` where it fails.
    pub kind: Option<OutcomeKind>,
    pub progress: Progress,
}

/// What becomes of a job that may start.
pub enum Answer {
    /// Its session is to be created.
    Creates(Box<Job>),
    /// An earlier session of the alert goes on, and is watched.
    Adopts(Box<Job>, Ending),
    /// An earlier session holds it back, or Devin refuses.
    Ends(Ending),
}

/// What Devin says to `job`. `twin` is the bridge's own job, one of `record`; `earlier` are the jobs that the alert had in this
/// simulation, the oldest first.
pub fn answer(twin: Option<&KeptJob>, record: &[KeptJob], earlier: &[KeptJob], job: &Job, now: i64) -> Answer {
    let last = earlier.iter().rfind(|other| other.id != job.id && other.progress.session_id.is_some());
    let last_id = last.and_then(|last| last.progress.session_id.as_deref());
    // A job that was held back by a session bears its name, too, and ended later.
    let last = last_id.and_then(|id| earlier.iter().find(|other| other.progress.session_id.as_deref() == Some(id)));
    if let Some(twin) = twin.filter(|twin| twin.holds == Some(job.policy.holds)) {
        let is_before =
            |other: &&KeptJob| other.alert == twin.alert && other.id != twin.id && other.created_at <= twin.created_at;
        let before =
            record.iter().filter(is_before).filter_map(|other| other.progress.session_id.as_deref()).next_back();
        if before == last_id {
            let own = twin.progress.session_id.as_deref();
            if own.is_some() && own == before {
                return if twin.settled_at.is_some_and(|at| at - asked_last(twin) > SAME) || twin.settled_at.is_none() {
                    Answer::Adopts(
                        Box::new(driven(job.clone(), Observation::Started, &[], now).0),
                        Ending::of(Some(twin), &job.id),
                    )
                } else {
                    Answer::Ends(Ending::of(Some(twin), &job.id))
                };
            }
            if twin.started_at.is_some() {
                return Answer::Creates(Box::new(driven(job.clone(), Observation::Started, &[], now).0));
            }
            if twin.progress.status.as_deref() == Some("failed") {
                return Answer::Ends(Ending { kind: None, progress: twin.progress.clone() });
            }
        }
    }
    let sessions: Vec<Session> = last.and_then(|last| session(last, job, now)).into_iter().collect();
    let (next, halt) = driven(job.clone(), Observation::Started, &sessions, now);
    let (Some(last), Some(session), false) = (last, sessions.first(), halt == Halt::Create) else {
        return Answer::Creates(Box::new(driven(job.clone(), Observation::Started, &[], now).0));
    };
    let kind = kind_of(&last.progress);
    match prior(session, &job.policy.holds, now.div_euclid(1000)) {
        PriorSession::Working | PriorSession::Waiting => {
            Answer::Adopts(Box::new(next), Ending { kind, progress: last.progress.clone() })
        }
        _ => Answer::Ends(Ending { kind, progress: last.progress.clone() }),
    }
}

/// Where a job stops that is driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halt {
    Wait(i64),
    Create,
    End,
}

/// Steps a job until it waits, ends, or would create. Devin says yes to everything; its list has these sessions.
pub fn driven(mut job: Job, mut observation: Observation, listed: &[Session], now: i64) -> (Job, Halt) {
    let mut is_over = false;
    for _ in 0..MOST_STEPS {
        let (after, next) = stepped(job, observation, now);
        job = after;
        observation = match next {
            None | Some(Action::Report(_)) => return (job, Halt::End),
            Some(Action::WaitUntil(moment)) => return (job, Halt::Wait(moment)),
            Some(Action::Create(_)) => return (job, Halt::Create),
            Some(Action::Find(_)) => Observation::SessionsFound(listed.to_vec()),
            Some(Action::Tag { .. }) => Observation::Tagged(Ok(())),
            Some(Action::Message { .. }) => Observation::Messaged(Ok(())),
            Some(Action::Terminate { .. }) => {
                is_over = true;
                Observation::Terminated(Ok(()))
            }
            Some(Action::Poll { session_id }) => {
                let (status, detail) = if is_over { ("exit", None) } else { ("running", Some("working")) };
                let working = Session {
                    session_id: session_id.clone(),
                    status: status.to_string(),
                    status_detail: detail.map(str::to_string),
                    ..Session::default()
                };
                let listed = listed.iter().find(|session| session.is_named(&session_id)).filter(|_| !is_over);
                Observation::SessionPolled(listed.cloned().unwrap_or(working))
            }
        };
        if matches!(job.phase, Phase::Settled(_)) {
            return (job, Halt::End);
        }
    }
    (job, Halt::End)
}

/// Tells a job whose session works what is new, and polls until it has done what that asks for, or its session is over.
pub fn told(job: Job, news: Observation, now: i64, ends_at: i64) -> Job {
    let ends_it = matches!(news, Observation::AlertResolved) && job.policy.on_resolved == OnResolved::Terminate;
    let (mut job, mut halt) = driven(job, news, &[], now);
    for _ in 0..MOST_POLLS {
        match halt {
            Halt::Wait(moment) if moment < ends_at && (job.is_owing() || ends_it) => {
                (job, halt) = driven(job, Observation::WaitOver, &[], moment);
            }
            _ => break,
        }
    }
    job
}

/// The session that Devin answers a create with.
pub fn stand_in(ending: &Ending, job: &Job, now: i64) -> Session {
    let name = ending.progress.session_id.clone().unwrap_or_else(|| format!("simulated-{}", job.id));
    let second = Some(now.div_euclid(1000));
    Session {
        session_id: name,
        status: "new".to_string(),
        tags: job.request.new.tags.clone(),
        created_at: second,
        updated_at: second,
        ..Session::default()
    }
}

impl Ending {
    /// As the bridge's own job ended; one that has no such job, or whose job never started, is taken to find something out.
    pub fn of(twin: Option<&KeptJob>, job_id: &str) -> Ending {
        match twin.filter(|twin| twin.progress.session_id.is_some() || twin.started_at.is_some()) {
            Some(twin) => Ending { kind: kind_of(&twin.progress), progress: twin.progress.clone() },
            None => {
                let mut ending = Ending::by(OutcomeKind::NoPr, "");
                ending.progress.session_id = Some(format!("simulated-{job_id}"));
                ending
            }
        }
    }

    /// With this outcome, and no session.
    pub fn by(kind: OutcomeKind, reason: &str) -> Ending {
        let progress = Progress {
            status: Some(kind.status().name().to_string()),
            result: word(kind),
            reason: Some(reason.to_string()).filter(|reason| !reason.is_empty()),
            ..Progress::default()
        };
        Ending { kind: Some(kind), progress }
    }

    /// When a session ends that starts now: when the bridge's own did, or after as long.
    pub fn at(twin: Option<&KeptJob>, now: i64, typical_ms: i64) -> Option<i64> {
        let Some(twin) = twin else { return Some(now + typical_ms) };
        let began = twin.started_at.or_else(|| twin.progress.session_id.as_ref().map(|_| asked_last(twin)));
        match (began, twin.settled_at) {
            (Some(_), None) => None,
            (Some(began), Some(ended)) if (now - began).abs() <= SAME => Some(ended.max(now)),
            (Some(began), Some(ended)) => Some(now + (ended - began).max(0)),
            (None, _) => Some(now + typical_ms),
        }
    }
}

/// The word for an outcome.
pub fn word(kind: OutcomeKind) -> Option<String> {
    serde_json::to_value(kind).ok().and_then(|word| Some(word.as_str()?.to_string()))
}

fn kind_of(progress: &Progress) -> Option<OutcomeKind> {
    serde_json::from_value(progress.result.clone()?.into()).ok()
}

fn asked_last(job: &KeptJob) -> i64 {
    job.decisions.last().map_or(job.created_at, |last| last.at)
}

/// The session of an earlier job as Devin would list it; `None` where it is gone.
fn session(earlier: &KeptJob, job: &Job, now: i64) -> Option<Session> {
    let (status, detail, pull_request) = match kind_of(&earlier.progress) {
        None | Some(OutcomeKind::PollTimeout | OutcomeKind::Attached) => ("running", Some("working"), None),
        Some(OutcomeKind::PrOpened) => ("running", Some("finished"), Some("open")),
        Some(OutcomeKind::PrClosed) => ("running", Some("finished"), Some("closed")),
        Some(OutcomeKind::NoPr) => ("running", Some("finished"), None),
        Some(OutcomeKind::WaitingForUser) => ("running", Some("waiting_for_user"), None),
        Some(OutcomeKind::WaitingForApproval) => ("running", Some("waiting_for_approval"), None),
        Some(OutcomeKind::QuotaExceeded) => ("suspended", Some("out_of_quota"), None),
        Some(OutcomeKind::SessionError) => ("error", None, None),
        Some(OutcomeKind::Suspended) => ("suspended", Some("inactivity"), None),
        Some(OutcomeKind::Terminated) => ("exit", None, None),
        Some(_) => return None,
    };
    // Not the tag of this attempt: by that it would be taken for the session that the job itself has made.
    let mut tags = vec![RELAY_TAG.to_string(), job.request.names.alert_tag.clone()];
    if kind_of(&earlier.progress) == Some(OutcomeKind::Terminated) {
        tags.push(ENDED_TAG.to_string());
    }
    let pr_url = earlier.progress.pr_url.clone().unwrap_or_default();
    Some(Session {
        session_id: earlier.progress.session_id.clone()?,
        status: status.to_string(),
        status_detail: detail.map(str::to_string),
        url: earlier.progress.session_url.clone(),
        tags,
        created_at: Some(earlier.created_at.div_euclid(1000)),
        updated_at: Some(earlier.settled_at.unwrap_or(now).div_euclid(1000)),
        pull_requests: pull_request
            .map(|state| PullRequest { pr_url, pr_state: Some(state.to_string()) })
            .into_iter()
            .collect(),
        ..Session::default()
    })
}

/// Steps once, and leaves the reports aside.
fn stepped(job: Job, observation: Observation, now: i64) -> (Job, Option<Action>) {
    let (job, actions) = step(job, observation, now);
    let next = actions.into_iter().rfind(|action| !matches!(action, Action::Report(_)));
    (job, next)
}
