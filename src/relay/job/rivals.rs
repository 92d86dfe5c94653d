//! Rivals, which are sessions that other runs made for the same alert, and the end of a session of our own. Pure.

use serde::{Deserialize, Serialize};

use super::watching::{Task, times};
use super::{Action, End, Job, Millis, Observation, Origin, Phase, Watching, seconds};
use crate::devin::session::Session;
use crate::devin::{Error, Kind};
use crate::relay::event::{AdoptionReason, EventKind};
use crate::relay::names::{ENDED_TAG, has_tag};
use crate::relay::outcome::{Outcome, OutcomeKind};
use crate::relay::prior::{Holds, age, prior};

/// How often tagging and ending a session are tried; unlike a create, both may be repeated.
const MOST_TRIES: u32 = 3;

/// The wait before the second of these tries; it grows by as much with each.
const BETWEEN_TRIES: Millis = 1_000;

/// A session of our own that is being ended: tagged first, since a kill between the two must not leave one that has ended
/// and passes for finished.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Ending {
    session: Session,
    then: Then,
    is_tagged: bool,
    tries: u32,
    /// A poll has shown it: if it cannot be found any more, it is not because it was made a moment ago.
    was_polled: bool,
    /// A try to end it failed without saying whether it did.
    may_be_over: bool,
    pub(super) waits_until: Option<Millis>,
}

/// What comes after a session was ended, or could not be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Then {
    /// The rival takes its place.
    Adopt(Box<Session>),
    /// The watch is over, for this reason.
    GiveUp(String),
    /// It was a second one of this very attempt; the watch of the first goes on.
    GoOn,
}

impl Ending {
    pub(super) fn new(session: Session, was_polled: bool, then: Then) -> Ending {
        Ending { session, then, was_polled, is_tagged: false, tries: 0, may_be_over: false, waits_until: None }
    }

    pub(super) fn next(&self, now: Millis) -> Action {
        let session_id = self.session.session_id.clone();
        match self.waits_until {
            Some(until) if now < until => Action::WaitUntil(until),
            _ if self.is_tagged => Action::Terminate { session_id },
            _ => Action::Tag { session_id, tag: ENDED_TAG.to_string() },
        }
    }

    /// Counts a try that failed; whether there is another one. A session that was made a moment ago may not be there yet.
    fn tries_again(&mut self, error: &Error, now: Millis) -> bool {
        self.tries += 1;
        let again = self.tries < MOST_TRIES && (is_passing(error) || matches!(error.kind, Kind::Status(404)));
        if again {
            self.waits_until = Some(now + BETWEEN_TRIES * Millis::from(self.tries));
        }
        again
    }
}

/// Whether a session is alive and may stay so: what carries the tag of one that is being ended is about to go.
fn is_staying(session: &Session, holds: &Holds, now: Millis) -> bool {
    prior(session, holds, seconds(now)).is_alive() && !has_tag(session, ENDED_TAG)
}

/// Whether an error says nothing about the next try.
fn is_passing(error: &Error) -> bool {
    error.kind.is_retryable() || matches!(error.kind, Kind::TimeUp(_))
}

/// What is polled before a session of our own is ended in favor of another one, which must be alive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Confirming {
    /// Older rivals, the oldest first; ours ends in favor of the first one that is alive. The younger ones come after them.
    Rivals { older: Vec<Session>, younger: Vec<Session> },
    /// The one that is watched; this younger one of the same attempt ends in favor of it.
    Own { second: Box<Session>, own: Box<Session> },
}

impl Confirming {
    /// The session that is to be polled.
    pub(super) fn asks_for(&self) -> Option<&Session> {
        match self {
            Confirming::Rivals { older, .. } => older.first(),
            Confirming::Own { own, .. } => Some(own),
        }
    }
}

const SAME_ATTEMPT: &str = "this attempt made an older session, too";

impl Job {
    /// A list shows the alert's sessions: those that a first find would have adopted are rivals.
    pub(super) fn on_rivals_found(&mut self, found: Vec<Session>, now: Millis) -> Vec<Action> {
        let found: Vec<Session> = found.into_iter().filter(|session| self.concerns(session)).collect();
        let holds = &self.policy.holds;
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        watching.task = Task::Nothing;
        watching.failed_finds = 0;
        let own_id = watching.session.session_id.clone();
        if let Some(listed) = found.iter().find(|session| session.is_named(&own_id)) {
            watching.session.created_at = listed.created_at.or(watching.session.created_at);
        }
        let is_alive = |session: &Session| is_staying(session, holds, now);
        let mut rivals: Vec<Session> =
            found.into_iter().filter(|session| !session.is_named(&own_id) && is_alive(session)).collect();
        rivals.sort_by_key(|session| age(session).unwrap_or((i64::MAX, String::new())));
        let Some(own_age) = age(&watching.session).filter(|_| is_alive(&watching.session)) else {
            return self.watch_on(now);
        };
        let (older, younger): (Vec<Session>, Vec<Session>) =
            rivals.into_iter().partition(|rival| age(rival).is_some_and(|rival| rival < own_age));
        if older.is_empty() {
            return self.on_younger(younger, now);
        }
        watching.task = Task::Confirming(Box::new(Confirming::Rivals { older, younger }));
        self.watch_on(now)
    }

    /// None that is older than ours is alive. One of the same attempt is ended, the others are for those that made them.
    fn on_younger(&mut self, mut younger: Vec<Session>, now: Millis) -> Vec<Action> {
        let place = younger.iter().position(|session| self.has_made(session));
        let second = place.map(|place| younger.remove(place));
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        watching.task = match second {
            Some(second) => {
                let (second, own) = (Box::new(second), Box::new(watching.session.clone()));
                Task::Confirming(Box::new(Confirming::Own { second, own }))
            }
            None => Task::Nothing,
        };
        // After the last find nobody will end what a run that was killed has left.
        let is_last = watching.rival_finds.is_empty();
        let reason = "it is for the same alert, and younger; only the run that made it ends it";
        let named = younger.iter().filter(|_| is_last);
        let mut actions: Vec<Action> =
            named.map(|rival| Action::Report(EventKind::duplicate(rival, false, reason))).collect();
        actions.extend(self.watch_on(now));
        actions
    }

    /// Whether a session that a list shows is the one that is watched, or could be its rival.
    fn concerns(&self, session: &Session) -> bool {
        self.has_made(session) || self.request.names.is_of_alert(session) && !self.stands_beside
    }

    /// Whether this job, and nobody else, has made a session.
    fn has_made(&self, session: &Session) -> bool {
        self.request.names.is_of_attempt(session) || self.made.iter().any(|id| session.is_named(id))
    }

    /// A session as it is at this moment: only for one that is alive, and older, one of ours is ended.
    pub(super) fn on_confirmed(&mut self, polled: Session, now: Millis) -> Vec<Action> {
        let is_alive = is_staying(&polled, &self.policy.holds, now);
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        let is_older = |other: &Session| match (age(&polled), age(other)) {
            (Some(polled), Some(other)) => polled < other,
            _ => false,
        };
        let Task::Confirming(confirming) = &watching.task else { return Vec::new() };
        let (ending, was_polled, then) = match &**confirming {
            Confirming::Own { second, .. } if is_alive && is_older(second) => ((**second).clone(), false, Then::GoOn),
            Confirming::Own { second, .. } => {
                let reason = "this attempt made an older session, too, which has ended: this one goes on";
                let event = Action::Report(EventKind::duplicate(second, false, reason));
                return self.confirmed_nothing(event, now);
            }
            Confirming::Rivals { .. } if is_alive && is_older(&watching.session) => {
                (watching.session.clone(), watching.last_state.is_some(), Then::Adopt(Box::new(polled)))
            }
            Confirming::Rivals { .. } => return self.next_rival(now),
        };
        watching.task = Task::Ending(Box::new(Ending::new(ending, was_polled, then)));
        self.watch_on(now)
    }

    pub(super) fn on_not_confirmed(&mut self, error: &Error, now: Millis) -> Vec<Action> {
        let Phase::Watching(watching) = &self.phase else { return Vec::new() };
        let Task::Confirming(confirming) = &watching.task else { return Vec::new() };
        let reason = format!("it is for the same alert, and whether it is alive is not known ({error}): both go on");
        match &**confirming {
            Confirming::Own { second, .. } => {
                let event = Action::Report(EventKind::duplicate(second, false, reason));
                self.confirmed_nothing(event, now)
            }
            Confirming::Rivals { older, .. } => {
                let event = older.first().map(|rival| Action::Report(EventKind::duplicate(rival, false, reason)));
                let mut actions: Vec<Action> = event.into_iter().collect();
                actions.extend(self.next_rival(now));
                actions
            }
        }
    }

    fn confirmed_nothing(&mut self, event: Action, now: Millis) -> Vec<Action> {
        if let Phase::Watching(watching) = &mut self.phase {
            watching.task = Task::Nothing;
        }
        let mut actions = vec![event];
        actions.extend(self.watch_on(now));
        actions
    }

    fn next_rival(&mut self, now: Millis) -> Vec<Action> {
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        if let Task::Confirming(confirming) = &mut watching.task
            && let Confirming::Rivals { older, younger } = &mut **confirming
        {
            older.remove(0);
            if older.is_empty() {
                let younger = std::mem::take(younger);
                return self.on_younger(younger, now);
            }
        }
        self.watch_on(now)
    }

    /// Another process goes on: what was to be ended in favor of a session is so only if that one is alive still.
    pub(super) fn confirm_again(&mut self) {
        let Phase::Watching(watching) = &mut self.phase else { return };
        let Task::Ending(ending) = &watching.task else { return };
        let confirming = match &ending.then {
            Then::GiveUp(_) => return,
            Then::Adopt(rival) => Confirming::Rivals { older: vec![(**rival).clone()], younger: Vec::new() },
            Then::GoOn => {
                let own = Box::new(watching.session.clone());
                Confirming::Own { second: Box::new(ending.session.clone()), own }
            }
        };
        watching.task = Task::Confirming(Box::new(confirming));
    }

    pub(super) fn on_ending(&mut self, observation: Observation, now: Millis) -> Vec<Action> {
        let by_title = self.by_title;
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        let Task::Ending(ending) = &mut watching.task else { return Vec::new() };
        match observation {
            Observation::WaitOver => ending.waits_until = None,
            Observation::Tagged(Ok(())) => (ending.is_tagged, ending.tries, ending.waits_until) = (true, 0, None),
            Observation::Tagged(Err(error)) if !ending.tries_again(&error, now) => {
                let is_refused = matches!(error.kind, Kind::Status(400..=499)) || by_title;
                if let Then::GiveUp(reason) = &ending.then
                    && !is_refused
                {
                    let reason = format!(
                        "{reason}; it was left running, because it could not be tagged as ended ({error}) and a later run would take it for finished"
                    );
                    return self.settle_watched(Outcome::new(OutcomeKind::PollTimeout, reason), now);
                }
                (ending.is_tagged, ending.tries, ending.waits_until) = (true, 0, None);
                let warning = format!(
                    "{error}: session {} could not be tagged as ended, so a later run cannot tell it from one that finished",
                    ending.session.session_id
                );
                let mut actions = vec![Action::Report(EventKind::warning(warning))];
                actions.extend(self.watch_on(now));
                return actions;
            }
            Observation::Terminated(Ok(())) => return self.ended(Ok(()), now),
            Observation::Terminated(Err(error)) => {
                // An earlier try has ended it, and only its answer was lost.
                let is_gone = matches!(error.kind, Kind::Status(404)) && ending.was_polled;
                if ending.may_be_over && (is_gone || matches!(error.kind, Kind::Status(409))) {
                    return self.ended(Ok(()), now);
                }
                ending.may_be_over |= is_passing(&error);
                if !ending.tries_again(&error, now) {
                    return self.ended(Err(error.to_string()), now);
                }
            }
            _ => {}
        }
        self.watch_on(now)
    }

    /// Asked to stop while a session is being ended: what becomes of it is not known, and nothing else is begun.
    pub(super) fn ending_stopped(&mut self, now: Millis) -> Vec<Action> {
        let mut actions = self.ended(Err("asked to stop before that was answered".to_string()), now);
        let Phase::Watching(watching) = &self.phase else { return actions };
        let session_id = Some(watching.session.session_id.clone());
        actions.retain(|action| matches!(action, Action::Report(_)));
        actions.extend(self.stop(End::Stopped { session_id }));
        actions
    }

    /// A session of ours was ended, or could not be.
    fn ended(&mut self, ended: Result<(), String>, now: Millis) -> Vec<Action> {
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        let Task::Ending(ending) = std::mem::replace(&mut watching.task, Task::Nothing) else { return Vec::new() };
        let duplicate = |why: &str| {
            let reason = match &ended {
                Ok(()) => why.to_string(),
                Err(error) => format!("{why}, and this one could not be terminated: {error}"),
            };
            Action::Report(EventKind::duplicate(&ending.session, ended.is_ok(), reason))
        };
        match &ending.then {
            Then::GiveUp(reason) => {
                let polls = watching.polls;
                let reason = match &ended {
                    Ok(()) => format!("still running after {}, and terminated, as --on-timeout asks", times(polls)),
                    Err(error) => format!("{reason}; it could not be terminated: {error}"),
                };
                self.settle_watched(Outcome::new(OutcomeKind::PollTimeout, reason), now)
            }
            Then::GoOn => {
                let mut actions = vec![duplicate(SAME_ATTEMPT)];
                actions.extend(self.watch_on(now));
                actions
            }
            Then::Adopt(rival) => {
                let rival = (**rival).clone();
                let (origin, reason, why) = if self.has_made(&rival) {
                    (Origin::Ours, AdoptionReason::FoundAfterUnclearCreate, SAME_ATTEMPT)
                } else {
                    let why = "another run made an older session for this alert";
                    (Origin::Another, AdoptionReason::OlderSessionOfAnotherRun, why)
                };
                let mut actions = vec![duplicate(why), Action::Report(EventKind::adopted(&rival, reason))];
                self.phase = Phase::Watching(Box::new(Watching::new(rival, origin, now)));
                actions.extend(self.watch_on(now));
                actions
            }
        }
    }
}
