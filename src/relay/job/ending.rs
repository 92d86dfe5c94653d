//! The end of a session of our own: it is tagged, seen to be the one to end, and ended. Pure.

use serde::{Deserialize, Serialize};

use super::rivals::{MOST_DOUBTS, is_certain, is_older};
use super::watching::{LONGEST_PAUSE, Task, Watching, asked_for, is_passing, times};
use super::{Action, End, Job, Millis, Observation, Origin, Phase};
use crate::devin::session::Session;
use crate::devin::{Error, Kind};
use crate::relay::event::{AdoptionReason, EventKind};
use crate::relay::names::ENDED_TAG;
use crate::relay::outcome::{Outcome, OutcomeKind, session_phase};
use crate::relay::pull_request::remember;

/// How often tagging and ending a session are tried, about a minute long; unlike a create, both may be repeated, and a session
/// that was made a moment ago may not be there for them yet.
const MOST_TRIES: u32 = 7;

/// The wait before the second of these tries; each is twice as long as the one before.
const FIRST_WAIT: Millis = 1_000;

const SAME_ATTEMPT: &str = "this attempt made an older session, too";

/// A session of our own that is being ended: tagged first, since a kill between the two must not leave one that has ended
/// and passes for finished. Nothing stands between the last poll and the end but the way of two requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Ending {
    session: Session,
    then: Then,
    step: Step,
    tries: u32,
    /// How long these tries have waited.
    waited: Millis,
    /// A poll has shown it: if it cannot be found any more, it is not because it was made a moment ago.
    was_polled: bool,
    is_tagged: bool,
    /// A try to end it failed without saying whether it did.
    may_be_over: bool,
    /// As `may_be_over`, or the process that tried has died.
    was_tried: bool,
    pub(super) waits_until: Option<Millis>,
}

/// What is asked for next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    Tagging,
    /// Sees once more whether it is to be ended.
    Confirming,
    Terminating,
}

/// What comes after a session was ended, or could not be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Then {
    /// The rival takes its place.
    Adopt(Box<Session>),
    /// The watch is over, for this reason.
    GiveUp(String),
    /// Its alert was resolved.
    Resolved,
    /// A person, who is named, asked for it.
    Asked(String),
    /// It was a second one of this very attempt; the watch of the first goes on.
    GoOn,
}

impl Ending {
    pub(super) fn new(session: Session, was_polled: bool, then: Then) -> Ending {
        Ending {
            session,
            then,
            step: Step::Tagging,
            tries: 0,
            waited: 0,
            was_polled,
            is_tagged: false,
            may_be_over: false,
            was_tried: false,
            waits_until: None,
        }
    }

    /// The request that is due, or the wait for it. `watched` is the session that is watched.
    pub(super) fn next(&self, watched: &str, now: Millis) -> Action {
        let session_id = self.session.session_id.clone();
        match (self.waits_until, self.step) {
            (Some(until), _) if now < until => Action::WaitUntil(until),
            (_, Step::Tagging) => Action::Tag { session_id, tag: ENDED_TAG.to_string() },
            (_, Step::Confirming) => Action::Poll {
                session_id: match &self.then {
                    Then::Adopt(rival) => rival.session_id.clone(),
                    Then::GiveUp(_) | Then::Resolved | Then::Asked(_) => session_id,
                    Then::GoOn => watched.to_string(),
                },
            },
            (_, Step::Terminating) => Action::Terminate { session_id },
        }
    }

    /// Whether it is ended because its alert was resolved.
    pub(super) fn is_for_resolved(&self) -> bool {
        self.then == Then::Resolved
    }

    fn go_to(&mut self, step: Step) {
        (self.step, self.waits_until) = (step, None);
    }

    /// Another process goes on: it tags at once, or sees again whether the session is to be ended. Whether the last try has
    /// ended it is not known.
    pub(super) fn take_on(&mut self) {
        if self.step == Step::Terminating {
            (self.step, self.was_tried) = (Step::Confirming, true);
        }
        self.waits_until = None;
    }

    /// Counts a try that failed; whether there is another one, after the wait that the answer asks for or ours.
    fn tries_again(&mut self, error: &Error, now: Millis) -> bool {
        let wait = asked_for(error).unwrap_or_default().max(FIRST_WAIT << self.tries.min(MOST_TRIES));
        self.tries += 1;
        self.waited += wait;
        let may_help = is_passing(error) || matches!(error.kind, Kind::Status(404));
        let again = may_help && self.tries < MOST_TRIES && self.waited <= LONGEST_PAUSE;
        if again {
            self.waits_until = Some(now + wait);
        }
        again
    }
}

impl Job {
    pub(super) fn on_ending(&mut self, observation: Observation, now: Millis) -> Vec<Action> {
        let by_title = self.by_title;
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        let Task::Ending(ending) = &mut watching.task else { return Vec::new() };
        match (observation, ending.step) {
            (Observation::WaitOver, _) => ending.waits_until = None,
            (Observation::Tagged(Ok(())), Step::Tagging) => {
                (ending.is_tagged, ending.tries, ending.waited) = (true, 0, 0);
                ending.go_to(Step::Confirming);
            }
            (Observation::Tagged(Err(error)), Step::Tagging) if !ending.tries_again(&error, now) => {
                let is_refused = matches!(error.kind, Kind::Status(400..=428 | 430..=499)) || by_title;
                if let Then::GiveUp(reason) = &ending.then
                    && !is_refused
                {
                    let reason = format!(
                        "{reason}; it was left running, because it could not be tagged as ended ({error}) and a later run would take it for finished"
                    );
                    watching.task = Task::Nothing;
                    return self.settle_at_last(Outcome::new(OutcomeKind::PollTimeout, reason), now);
                }
                let then = ending.then.clone();
                if matches!(then, Then::Resolved | Then::Asked(_)) && !is_refused {
                    watching.task = Task::Nothing;
                    return self.on_ended_early(&then, Err(format!("it could not be tagged as ended ({error})")), now);
                }
                (ending.tries, ending.waited) = (0, 0);
                ending.go_to(Step::Confirming);
                let warning = format!(
                    "{error}: session {} could not be tagged as ended, so a later run cannot tell it from one that finished",
                    ending.session.session_id
                );
                let mut actions = vec![Action::Report(EventKind::warning(warning))];
                actions.extend(self.watch_on(now));
                return actions;
            }
            (Observation::SessionPolled(session), Step::Confirming) => return self.on_seen_again(session, now),
            (Observation::PollFailed(error), Step::Confirming) => return self.on_not_seen_again(&error, now),
            (Observation::Terminated(Ok(())), Step::Terminating) => return self.ended(Ok(()), now),
            (Observation::Terminated(Err(error)), Step::Terminating) => {
                // An earlier try has ended it, and only its answer was lost.
                let is_gone = matches!(error.kind, Kind::Status(404)) && ending.was_polled;
                if ending.may_be_over && (is_gone || matches!(error.kind, Kind::Status(409))) {
                    return self.ended(Ok(()), now);
                }
                ending.may_be_over |= is_passing(&error);
                ending.was_tried |= ending.may_be_over;
                if !ending.tries_again(&error, now) {
                    return self.ended(Err(error.to_string()), now);
                }
                // What was alive before the wait may have ended in it.
                ending.step = Step::Confirming;
            }
            _ => {}
        }
        self.watch_on(now)
    }

    /// The last poll before the end: of the session itself where it is given up, else of the one that it is ended for.
    fn on_seen_again(&mut self, polled: Session, now: Millis) -> Vec<Action> {
        let (holds, now_s) = (self.policy.holds, self.devin_s(now));
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        let Task::Ending(ending) = &mut watching.task else { return Vec::new() };
        match &ending.then {
            Then::GiveUp(_) | Then::Resolved | Then::Asked(_) => {
                remember(&mut watching.seen, &polled.pull_requests);
                let phase = session_phase(&polled);
                // A person may well end what waits for a person.
                let is_to_end = phase.is_active() || phase.is_blocked() && matches!(ending.then, Then::Asked(_));
                if is_to_end && !polled.is_archived {
                    ending.go_to(Step::Terminating);
                    return self.watch_on(now);
                }
                if ending.was_tried {
                    return self.ended(Ok(()), now);
                }
                // It has come to an end of its own, which counts.
                (watching.task, watching.is_spared) = (Task::Nothing, ending.is_tagged);
                self.on_polled(polled, now)
            }
            Then::Adopt(_) | Then::GoOn if is_certain(&polled, &holds, now_s) && is_older(&polled, &ending.session) => {
                ending.go_to(Step::Terminating);
                self.watch_on(now)
            }
            Then::Adopt(_) => {
                let id = &polled.session_id;
                let state = polled.status_detail.as_deref().unwrap_or(&polled.status);
                let why = format!("session {id}, which it was to be ended for, is not running any more ({state})");
                if watching.doubts < MOST_DOUBTS {
                    // There may be others, of which this one was only the oldest.
                    watching.doubts += 1;
                    watching.rival_finds.insert(0, now);
                }
                self.spare(&why, now)
            }
            Then::GoOn => self.spare("the older session of this attempt has ended", now),
        }
    }

    fn on_not_seen_again(&mut self, error: &Error, now: Millis) -> Vec<Action> {
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        let Task::Ending(ending) = &mut watching.task else { return Vec::new() };
        let rival = match &ending.then {
            // A poll has shown it at work just now.
            Then::GiveUp(_) | Then::Resolved | Then::Asked(_) => {
                ending.go_to(Step::Terminating);
                return self.watch_on(now);
            }
            Then::Adopt(rival) => Some((**rival).clone()),
            Then::GoOn => None,
        };
        if ending.tries_again(error, now) {
            return self.watch_on(now);
        }
        let mut actions: Vec<Action> = rival.iter().filter_map(|rival| self.doubt_unseen(rival, error, now)).collect();
        let why = format!("whether the session that it was to be ended for is alive is not known ({error})");
        actions.extend(self.spare(&why, now));
        actions
    }

    /// A session that was to be ended goes on, as far as anybody knows.
    fn spare(&mut self, why: &str, now: Millis) -> Vec<Action> {
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        let Task::Ending(ending) = std::mem::replace(&mut watching.task, Task::Nothing) else { return Vec::new() };
        let Ending { session, then, is_tagged, was_tried, .. } = *ending;
        let name = session.url.as_ref().unwrap_or(&session.session_id);
        let tag = match (is_tagged, was_tried) {
            (true, false) => format!(": remove its tag {ENDED_TAG} in Devin, or a later run may take it for ended"),
            (_, true) => ", unless a request to end it did so without an answer".to_string(),
            (false, false) => String::new(),
        };
        let mut actions =
            vec![Action::Report(EventKind::warning(format!("session {name} goes on, because {why}{tag}")))];
        if then == Then::GoOn {
            actions.push(Action::Report(EventKind::duplicate(&session, false, SAME_ATTEMPT)));
        } else {
            watching.is_spared = is_tagged && !was_tried;
            watching.next_poll = now;
        }
        actions.extend(self.watch_on(now));
        actions
    }

    /// Asked to stop while a session is being ended: what becomes of it is not known, and nothing else is begun.
    pub(super) fn ending_stopped(&mut self, now: Millis) -> Vec<Action> {
        let mut actions = self.ended(Err("asked to stop before that was answered".to_string()), now);
        let Phase::Watching(watching) = &mut self.phase else { return actions };
        actions.retain(|action| matches!(action, Action::Report(_)));
        // There is no time for a last find.
        if let Some(outcome) = watching.ends_as.take() {
            actions.extend(self.settle_watched(outcome, now));
            return actions;
        }
        let session_id = Some(watching.session.session_id.clone());
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
                let outcome = Outcome::new(OutcomeKind::PollTimeout, reason);
                if ended.is_ok() { self.settle_watched(outcome, now) } else { self.settle_at_last(outcome, now) }
            }
            Then::Resolved | Then::Asked(_) => self.on_ended_early(&ending.then, ended, now),
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
