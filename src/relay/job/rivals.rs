//! Rivals, which are sessions that other runs made for the same alert: which they are, and whether they are alive. Pure.

use serde::{Deserialize, Serialize};

use super::ending::{Ending, Then};
use super::watching::{Task, is_passing};
use super::{Action, Job, Millis, Phase, millis};
use crate::devin::session::Session;
use crate::devin::{Error, Kind};
use crate::relay::event::EventKind;
use crate::relay::names::{ENDED_TAG, has_tag};
use crate::relay::outcome::{SessionPhase, session_phase};
use crate::relay::prior::{Holds, age, prior};

/// How often rivals are looked for again because one is in doubt, and the first wait before; each is twice as long as the
/// one before, a minute in all.
pub(super) const MOST_DOUBTS: u32 = 5;
const FIRST_DOUBT_AFTER: Millis = 2_000;

/// How often rivals are looked for again where nobody stays to do it later, and how soon.
const MOST_FAILED_FINDS: u32 = 3;
const AFTER_A_FAILED_FIND: Millis = 2_000;

/// Whether a session is alive and may stay so: what carries the tag of one that is being ended is about to go.
pub(super) fn is_staying(session: &Session, holds: &Holds, now_s: i64) -> bool {
    prior(session, holds, now_s).is_alive() && !has_tag(session, ENDED_TAG)
}

/// Whether a session is alive for certain, so that another one may be ended in favor of it: a status that this program does
/// not know may as well be an end.
pub(super) fn is_certain(session: &Session, holds: &Holds, now_s: i64) -> bool {
    is_staying(session, holds, now_s) && session_phase(session) != SessionPhase::Unknown
}

/// Whether one session is older than another, as everybody sees it.
pub(super) fn is_older(session: &Session, than: &Session) -> bool {
    age(session).zip(age(than)).is_some_and(|(session, than)| session < than)
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

impl Job {
    /// A find for rivals has failed: it is made again, since there is no other way to learn of them.
    pub(super) fn on_rivals_not_found(&mut self, error: &Error, now: Millis) -> Vec<Action> {
        let interval = millis(self.policy.poll_interval);
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        let is_brief = self.policy.detach || watching.ends_as.is_some();
        watching.task = Task::Nothing;
        watching.failed_finds += 1;
        let unknown = format!("{error}; whether another run made a session for this alert is not known");
        if is_brief && watching.failed_finds >= MOST_FAILED_FINDS {
            let url = watching.session.url.clone().unwrap_or_else(|| watching.session.session_id.clone());
            let warning = format!("{unknown}: run the same alert again later, and it names every session beside {url}");
            let mut actions = vec![Action::Report(EventKind::warning(warning))];
            let doubted = std::mem::take(&mut watching.doubted);
            let named = doubted.iter().map(|(rival, reason)| EventKind::duplicate(rival, false, reason.clone()));
            actions.extend(named.map(Action::Report));
            actions.extend(self.watch_on(now));
            return actions;
        }
        if watching.rival_finds.is_empty() {
            watching.rival_finds.push(now + if is_brief { AFTER_A_FAILED_FIND } else { interval });
        }
        self.note_and_go_on(unknown, now)
    }

    /// A list shows the alert's sessions: those that a first find would have adopted are rivals.
    pub(super) fn on_rivals_found(&mut self, found: Vec<Session>, now: Millis) -> Vec<Action> {
        let found: Vec<Session> =
            found.into_iter().filter(|session| self.concerns(session) && !self.is_gone(session)).collect();
        let (holds, now_s) = (self.policy.holds, self.devin_s(now));
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        watching.task = Task::Nothing;
        (watching.failed_finds, watching.doubted) = (0, Vec::new());
        let own_id = watching.session.session_id.clone();
        if let Some(listed) = found.iter().find(|session| session.is_named(&own_id)) {
            watching.session.created_at = listed.created_at.or(watching.session.created_at);
        }
        let own = watching.session.clone();
        if age(&own).is_none() || !is_staying(&own, &holds, now_s) {
            return self.watch_on(now);
        }
        let is_alive = |session: &Session| prior(session, &holds, now_s).is_alive();
        let mut rivals: Vec<Session> =
            found.into_iter().filter(|session| !session.is_named(&own_id) && is_alive(session)).collect();
        rivals.sort_by_key(|session| age(session).unwrap_or((i64::MAX, String::new())));
        let (going, rivals): (Vec<Session>, Vec<Session>) =
            rivals.into_iter().partition(|rival| has_tag(rival, ENDED_TAG));
        let (older, younger): (Vec<Session>, Vec<Session>) =
            rivals.into_iter().partition(|rival| is_older(rival, &own));
        let mut actions = Vec::new();
        for rival in going.iter().filter(|rival| is_older(rival, &own)) {
            actions.extend(self.doubt(rival, "it is being ended, and still running", now));
        }
        if older.is_empty() {
            actions.extend(self.on_younger(younger, now));
            return actions;
        }
        if let Phase::Watching(watching) = &mut self.phase {
            watching.task = Task::Confirming(Box::new(Confirming::Rivals { older, younger }));
        }
        actions.extend(self.watch_on(now));
        actions
    }

    /// Whether an older session goes on is not known, so it is looked for again; after the last find both go on, which is said.
    pub(super) fn doubt(&mut self, rival: &Session, why: &str, now: Millis) -> Option<Action> {
        let Phase::Watching(watching) = &mut self.phase else { return None };
        let due = now + (FIRST_DOUBT_AFTER << watching.doubts.min(MOST_DOUBTS));
        let is_due = watching.rival_finds.iter().any(|at| *at <= due);
        if !is_due && watching.ends_as.is_none() && watching.doubts < MOST_DOUBTS {
            watching.doubts += 1;
            watching.rival_finds.insert(0, due);
        }
        let reason = format!("it is for the same alert, and {why}: both go on");
        watching.doubted.push((rival.clone(), reason.clone()));
        self.name_at_last(rival, &reason)
    }

    /// Names a session that goes on, unless there will be another find.
    fn name_at_last(&self, rival: &Session, reason: &str) -> Option<Action> {
        let Phase::Watching(watching) = &self.phase else { return None };
        watching.rival_finds.is_empty().then(|| Action::Report(EventKind::duplicate(rival, false, reason)))
    }

    /// None that is older than ours is alive. One of the same attempt is ended, the others are for those that made them.
    fn on_younger(&mut self, mut younger: Vec<Session>, now: Millis) -> Vec<Action> {
        let place = younger.iter().position(|session| self.has_made(session));
        let second = place.map(|place| younger.remove(place));
        // After the last find nobody will end what a run that was killed has left.
        let reason = "it is for the same alert, and younger; only the run that made it ends it";
        let mut actions: Vec<Action> = younger.iter().filter_map(|rival| self.name_at_last(rival, reason)).collect();
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        watching.task = match second {
            Some(second) => {
                let (second, own) = (Box::new(second), Box::new(watching.session.clone()));
                Task::Confirming(Box::new(Confirming::Own { second, own }))
            }
            None => Task::Nothing,
        };
        actions.extend(self.watch_on(now));
        actions
    }

    /// Whether a session that a list shows is the one that is watched, or could be its rival.
    fn concerns(&self, session: &Session) -> bool {
        self.has_made(session) || self.request.names.is_of_alert(session) && !self.stands_beside
    }

    /// Whether this job, and nobody else, has made a session.
    pub(super) fn has_made(&self, session: &Session) -> bool {
        self.request.names.is_of_attempt(session) || self.made.iter().any(|id| session.is_named(id))
    }

    /// A session as it is at this moment: only for one that is alive, and older, one of ours is ended.
    pub(super) fn on_confirmed(&mut self, polled: Session, now: Millis) -> Vec<Action> {
        let (holds, now_s) = (self.policy.holds, self.devin_s(now));
        let (is_alive, is_certain) = (is_staying(&polled, &holds, now_s), is_certain(&polled, &holds, now_s));
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        let Task::Confirming(confirming) = &watching.task else { return Vec::new() };
        let (session, was_polled, then) = match &**confirming {
            Confirming::Own { second, .. } if is_certain && is_older(&polled, second) => {
                ((**second).clone(), false, Then::GoOn)
            }
            Confirming::Own { second, .. } => {
                let reason = "this attempt made an older session, too, which has ended: this one goes on";
                let event = Action::Report(EventKind::duplicate(second, false, reason));
                return self.confirmed_nothing(event, now);
            }
            Confirming::Rivals { .. } if is_certain && is_older(&polled, &watching.session) => {
                (watching.session.clone(), watching.last_state.is_some(), Then::Adopt(Box::new(polled)))
            }
            Confirming::Rivals { .. } => {
                let is_going = prior(&polled, &holds, now_s).is_alive() && !is_alive;
                let doubt = if is_going {
                    self.doubt(&polled, "it is being ended, and still running", now)
                } else if is_alive && !is_certain {
                    let state = polled.status_detail.as_deref().unwrap_or(&polled.status);
                    let reason = format!(
                        "it is for the same alert, and what its state means is not known ({state}): both go on"
                    );
                    self.name_at_last(&polled, &reason)
                } else {
                    None
                };
                let mut actions: Vec<Action> = doubt.into_iter().collect();
                actions.extend(self.next_rival(now));
                return actions;
            }
        };
        watching.task = Task::Ending(Box::new(Ending::new(session, was_polled, then)));
        self.watch_on(now)
    }

    pub(super) fn on_not_confirmed(&mut self, error: &Error, now: Millis) -> Vec<Action> {
        let Phase::Watching(watching) = &self.phase else { return Vec::new() };
        let Task::Confirming(confirming) = &watching.task else { return Vec::new() };
        match (**confirming).clone() {
            Confirming::Own { second, .. } => {
                let reason =
                    format!("it is for the same alert, and whether it is alive is not known ({error}): both go on");
                let event = Action::Report(EventKind::duplicate(&second, false, reason));
                self.confirmed_nothing(event, now)
            }
            Confirming::Rivals { older, .. } => {
                let doubt = older.first().and_then(|rival| self.doubt_unseen(rival, error, now));
                let mut actions: Vec<Action> = doubt.into_iter().collect();
                actions.extend(self.next_rival(now));
                actions
            }
        }
    }

    /// A list shows a rival, and a poll does not: one that was made a moment ago may not be there yet.
    pub(super) fn doubt_unseen(&mut self, rival: &Session, error: &Error, now: Millis) -> Option<Action> {
        let why = format!("whether it is alive is not known ({error})");
        if is_passing(error) || matches!(error.kind, Kind::Status(404)) {
            return self.doubt(rival, &why, now);
        }
        self.name_at_last(rival, &format!("it is for the same alert, and {why}: both go on"))
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
}
