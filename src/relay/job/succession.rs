//! What comes after an adopted session that the relay has ended: the session that it was ended for, or a new one. Pure.

use super::resolving::Resolved;
use super::rivals::is_staying;
use super::watching::Task;
use super::{Action, Job, Millis, Origin, Phase};
use crate::devin::session::Session;
use crate::relay::event::{AdoptionReason, EventKind};
use crate::relay::names::{ENDED_TAG, has_tag};
use crate::relay::outcome::{Outcome, OutcomeKind};
use crate::relay::prior::age;

/// How often a job goes on after the session that it had adopted was ended.
const MOST_SUCCESSIONS: u32 = 3;

impl Job {
    /// An adopted session has come to this outcome. One that the relay has ended may not be the last word on the alert: what is
    /// done before it is settled; `None` where the outcome stands.
    pub(super) fn succeed(&mut self, outcome: &Outcome, now: Millis) -> Option<Vec<Action>> {
        let Phase::Watching(watching) = &self.phase else { return None };
        if watching.origin != Origin::Another || outcome.kind != OutcomeKind::Terminated {
            return None;
        }
        let is_untouched = self.made.is_empty() && self.unclear.is_none();
        if watching.was_going && is_untouched && self.resolved == Resolved::No && self.successions < MOST_SUCCESSIONS {
            return Some(self.find_anew());
        }
        self.looks_for_successor(outcome).then(|| self.watch_on(now))
    }

    /// The end of the adopted session had begun before this job did, and Devin showed it only now. It says nothing of the alert,
    /// which fires: as if that session had not been found.
    fn find_anew(&mut self) -> Vec<Action> {
        let Phase::Watching(watching) = &self.phase else { return Vec::new() };
        let session = &watching.session;
        let name = session.url.as_ref().unwrap_or(&session.session_id);
        let note = format!(
            "session {name} was being ended when it was adopted, and has ended: another one is looked for, or created"
        );
        self.gone.push((session.session_id.clone(), session.updated_at));
        self.successions += 1;
        // What that session was told of, no other one knows.
        (self.told, self.is_owing, self.end_asked_by) = (Vec::new(), false, None);
        let mut actions = vec![Action::Report(EventKind::note(note))];
        actions.extend(self.find());
        actions
    }

    /// Whether a list shows a session as it was before this job saw that it has ended.
    pub(super) fn is_gone(&self, listed: &Session) -> bool {
        self.gone.iter().any(|(id, touched)| listed.is_named(id) && listed.updated_at <= *touched)
    }

    /// Whether a session that is adopted carries the tag of one that is being ended: it is about to go, unless its end failed.
    pub(super) fn note_going(&mut self) {
        if let Phase::Watching(watching) = &mut self.phase {
            watching.was_going |= has_tag(&watching.session, ENDED_TAG);
        }
    }

    /// The session that was adopted has been ended by the relay. If that was as a duplicate, the one that it was ended for
    /// goes on: whether there is such a find, which comes before the outcome.
    fn looks_for_successor(&mut self, outcome: &Outcome) -> bool {
        let Phase::Watching(watching) = &mut self.phase else { return false };
        if self.successions >= MOST_SUCCESSIONS {
            return false;
        }
        self.successions += 1;
        watching.ends_as = Some(outcome.clone());
        watching.task = Task::FindingSuccessor;
        true
    }

    /// The oldest session of the alert that is alive takes the place of the one that was ended; without one the outcome stands.
    pub(super) fn on_successors_found(&mut self, found: &[Session], now: Millis) -> Vec<Action> {
        let (names, holds, now_s) = (&self.request.names, self.policy.holds, self.devin_s(now));
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        watching.task = Task::Nothing;
        let own_id = &watching.session.session_id;
        let is_wanted = |session: &&Session| {
            names.is_of_alert(session) && !session.is_named(own_id) && is_staying(session, &holds, now_s)
        };
        let oldest =
            found.iter().filter(is_wanted).min_by_key(|session| age(session).unwrap_or((i64::MAX, String::new())));
        match oldest.cloned() {
            Some(session) => self.adopt(session, AdoptionReason::Alive, now),
            None => self.watch_on(now),
        }
    }
}
