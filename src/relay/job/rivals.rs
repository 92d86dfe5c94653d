//! Rivals, which are sessions that other runs made for the same alert, and the end of a session of our own. Pure.

use serde::{Deserialize, Serialize};

use super::watching::{Task, times};
use super::{Action, Job, Millis, Observation, Origin, Phase, Watching, seconds};
use crate::devin::session::Session;
use crate::devin::{Error, Kind};
use crate::relay::event::{AdoptionReason, EventKind};
use crate::relay::names::ENDED_TAG;
use crate::relay::outcome::{Outcome, OutcomeKind};
use crate::relay::prior::{age, prior};

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
    waits_until: Option<Millis>,
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
    pub(super) fn new(session: Session, then: Then) -> Ending {
        Ending { session, then, is_tagged: false, tries: 0, waits_until: None }
    }

    pub(super) fn next(&self, now: Millis) -> Action {
        let session_id = self.session.session_id.clone();
        match self.waits_until {
            Some(until) if now < until => Action::WaitUntil(until),
            _ if self.is_tagged => Action::Terminate { session_id },
            _ => Action::Tag { session_id, tag: ENDED_TAG.to_string() },
        }
    }

    /// Counts a try that failed; whether there is another one.
    fn tries_again(&mut self, error: &Error, now: Millis) -> bool {
        self.tries += 1;
        let again = self.tries < MOST_TRIES && (error.kind.is_retryable() || matches!(error.kind, Kind::TimeUp(_)));
        if again {
            self.waits_until = Some(now + BETWEEN_TRIES * Millis::from(self.tries));
        }
        again
    }
}

impl Job {
    /// A list shows the alert's sessions: those that a first find would have adopted are rivals.
    pub(super) fn on_rivals_found(&mut self, found: Vec<Session>, now: Millis) -> Vec<Action> {
        let (names, holds, made) = (&self.request.names, &self.policy.holds, &self.made);
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        watching.task = Task::Nothing;
        let own_id = watching.session.bare_id().to_string();
        if let Some(listed) = found.iter().find(|session| session.bare_id() == own_id) {
            watching.session.created_at = listed.created_at.or(watching.session.created_at);
        }
        let is_alive = |session: &Session| prior(session, holds, seconds(now)).is_alive();
        let mut rivals: Vec<Session> = found
            .into_iter()
            .filter(|session| names.is_of_alert(session) && session.bare_id() != own_id && is_alive(session))
            .collect();
        rivals.sort_by_key(|session| age(session).unwrap_or((i64::MAX, String::new())));
        let Some(own_age) = age(&watching.session).filter(|_| is_alive(&watching.session)) else {
            return self.watch_on(now);
        };
        let (older, younger): (Vec<Session>, Vec<Session>) =
            rivals.into_iter().partition(|rival| age(rival).is_some_and(|rival| rival < own_age));
        let is_ours = |session: &Session| names.is_of_attempt(session) || made.iter().any(|id| id == session.bare_id());
        if !older.is_empty() {
            watching.task = Task::Confirming(older);
            return self.watch_on(now);
        }
        if let Some(second) = younger.iter().find(|session| is_ours(session)).cloned() {
            watching.task = Task::Ending(Box::new(Ending::new(second, Then::GoOn)));
            return self.watch_on(now);
        }
        // After the last find nobody will end what a run that was killed has left.
        let is_last = watching.rival_finds.is_empty();
        let reason = "it is for the same alert, and younger; only the run that made it ends it";
        let named = younger.iter().filter(|_| is_last);
        let mut actions: Vec<Action> =
            named.map(|rival| Action::Report(EventKind::duplicate(rival, false, reason))).collect();
        actions.extend(self.watch_on(now));
        actions
    }

    /// A rival as it is at this moment: only for one that is alive and older ours is ended.
    pub(super) fn on_rival_polled(&mut self, rival: Session, now: Millis) -> Vec<Action> {
        let is_alive = prior(&rival, &self.policy.holds, seconds(now)).is_alive();
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        let is_older = match (age(&rival), age(&watching.session)) {
            (Some(rival), Some(own)) => rival < own,
            _ => false,
        };
        if !is_alive || !is_older {
            return self.next_rival(now);
        }
        let own = watching.session.clone();
        watching.task = Task::Ending(Box::new(Ending::new(own, Then::Adopt(Box::new(rival)))));
        self.watch_on(now)
    }

    pub(super) fn on_rival_missed(&mut self, error: &Error, now: Millis) -> Vec<Action> {
        let Phase::Watching(watching) = &self.phase else { return Vec::new() };
        let Task::Confirming(rivals) = &watching.task else { return Vec::new() };
        let mut actions = Vec::new();
        if let Some(rival) = rivals.first() {
            let reason =
                format!("it is for the same alert, and whether it is alive is not known ({error}): both go on");
            actions.push(Action::Report(EventKind::duplicate(rival, false, reason)));
        }
        actions.extend(self.next_rival(now));
        actions
    }

    fn next_rival(&mut self, now: Millis) -> Vec<Action> {
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        if let Task::Confirming(rivals) = &mut watching.task {
            rivals.remove(0);
            if rivals.is_empty() {
                watching.task = Task::Nothing;
            }
        }
        self.watch_on(now)
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
                let is_over = ending.tries > 0 && matches!(error.kind, Kind::Status(404 | 409));
                if is_over {
                    return self.ended(Ok(()), now);
                }
                if !ending.tries_again(&error, now) {
                    return self.ended(Err(error.to_string()), now);
                }
            }
            _ => {}
        }
        self.watch_on(now)
    }

    pub(super) fn ending_stopped(&mut self, now: Millis) -> Vec<Action> {
        self.ended(Err("asked to stop before that was answered".to_string()), now)
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
                let mut actions = vec![duplicate("this attempt made an older session, too")];
                actions.extend(self.watch_on(now));
                actions
            }
            Then::Adopt(rival) => {
                let mut actions = vec![duplicate("another run made an older session for this alert")];
                let reason = AdoptionReason::OlderSessionOfAnotherRun;
                let rival = (**rival).clone();
                actions.push(Action::Report(EventKind::adopted(&rival, reason)));
                **watching = Watching::new(rival, Origin::Another, now);
                actions.extend(self.watch_on(now));
                actions
            }
        }
    }
}
