//! The finding of prior sessions, and what follows from each. Pure.

use super::{
    Action, End, FindBy, Firing, FiringReason, Job, Millis, Observation, OnNewAlerts, Origin, Phase, Query,
    SECOND_FIND_AFTER, Watching,
};
use crate::devin::Error;
use crate::devin::session::Session;
use crate::relay::error_report::error_report;
use crate::relay::event::{AdoptionReason, EventKind};
use crate::relay::names::was_told;
use crate::relay::outcome::{Outcome, OutcomeKind, settle};
use crate::relay::prior::{PriorSession, age, prior};
use crate::relay::pull_request::best;

/// How far back sessions are looked through by title, in seconds.
const TITLES_WITHIN: i64 = 7 * 86_400;

/// An end without a pull request that is younger than this is given its grace, in seconds.
const A_MOMENT_AGO: i64 = 60;

impl Job {
    /// Looks for prior sessions: nothing is ever created without.
    pub(super) fn find(&mut self) -> Vec<Action> {
        let by = if self.by_title { FindBy::Title } else { FindBy::Tag };
        self.phase = Phase::Finding { by };
        // The moment matters only to a find by title.
        vec![Action::Find(self.query(by, self.started_at.unwrap_or_default()))]
    }

    pub(super) fn query(&self, by: FindBy, now: Millis) -> Query {
        match by {
            FindBy::Tag => Query::Tag(self.request.names.alert_tag.clone()),
            FindBy::Title => Query::CreatedAfter(self.devin_s(now) - TITLES_WITHIN),
        }
    }

    pub(super) fn on_finding(&mut self, observation: Observation, now: Millis) -> Vec<Action> {
        match observation {
            Observation::SessionsFound(found) => {
                let names = &self.request.names;
                let is_of_alert = |session: &Session| names.is_of_alert(session) || names.is_of_attempt(session);
                let found = found.into_iter().filter(is_of_alert).filter(|session| !self.is_gone(session));
                let found: Vec<Session> = found.collect();
                self.decide(&found, now)
            }
            Observation::FindFailed(error) if self.unclear.is_some() => self.unknown(Some(error.to_string()), now),
            Observation::StopAsked if self.unclear.is_some() => self.unknown(None, now),
            Observation::FindFailed(error) => self.fail(&error),
            Observation::StopAsked => self.stop(End::Stopped { session_id: None }),
            _ => self.resume(now),
        }
    }

    /// One of this very attempt is its own, however the create was answered. Else one at work is adopted, the oldest. Else
    /// one that ended within the cool-down is reported: what has a result before what has none, and then the newest. Else
    /// one that waits for a person is adopted, the oldest. Else one whose pull request is open holds the alert. Else a
    /// session is created.
    fn decide(&mut self, found: &[Session], now: Millis) -> Vec<Action> {
        let (holds, now_s) = (self.policy.holds, self.devin_s(now));
        let of = move |wanted| found.iter().filter(move |session| prior(session, &holds, now_s) == wanted);
        let oldest = move |wanted| of(wanted).min_by_key(|session| age(session).unwrap_or((i64::MAX, String::new())));
        let newest = move |wanted| of(wanted).max_by_key(|session| session.updated_at.or(session.created_at));
        let alive = oldest(PriorSession::Working);
        let is_start = self.policy.on_new_alerts == OnNewAlerts::Start
            && (self.request.firing.reason == FiringReason::NewAlerts
                || alive.is_some_and(|session| self.has_news_for(session)));
        let was_sent = self.creates > 0;
        let is_beside = self.policy.new_attempt || is_start || self.follows && alive.is_none();
        self.stands_beside = is_beside || self.stands_beside && was_sent;
        if let Some(actions) = self.go_on_with_ours(found, now) {
            return actions;
        }
        if self.stands_beside {
            return if was_sent { self.find_by_title_or_create(now) } else { self.create(now) };
        }
        let ended = newest(PriorSession::EndedLately { has_result: true })
            .or_else(|| newest(PriorSession::EndedLately { has_result: false }));
        let waiting = oldest(PriorSession::Waiting).filter(|_| ended.is_none());
        if let Some(session) = alive.or(waiting) {
            let others = of(PriorSession::Working).chain(of(PriorSession::Waiting));
            let others = others.filter(|other| !other.is_named(&session.session_id));
            let mut actions = self.unseen_one();
            actions.extend(others.map(|other| goes_on_too(other, session)));
            let session = session.clone();
            actions.extend(self.adopt(session, AdoptionReason::Alive, now));
            return actions;
        }
        if let Some(session) = ended.cloned() {
            let mut actions = self.unseen_one();
            actions.extend(of(PriorSession::Waiting).map(|other| goes_on_too(other, &session)));
            actions.extend(self.adopt(session, AdoptionReason::EndedWithinCooldown, now));
            return actions;
        }
        if let Some(session) = newest(PriorSession::HeldByPullRequest).cloned() {
            let mut actions = self.unseen_one();
            actions.extend(self.held(session, now));
            return actions;
        }
        self.find_by_title_or_create(now)
    }

    /// What a create of this attempt has made although its answer did not say so, unless it is dead and another one alive.
    fn go_on_with_ours(&mut self, found: &[Session], now: Millis) -> Option<Vec<Action>> {
        let (names, holds, now_s) = (&self.request.names, &self.policy.holds, self.devin_s(now));
        let mut alive = found.iter().filter(|session| prior(session, holds, now_s).is_alive()).peekable();
        let is_first =
            self.stands_beside || alive.peek().is_none() || alive.any(|session| names.is_of_attempt(session));
        let (session, mut actions) = if is_first { self.take_ours(found, now)? } else { return None };
        actions.extend(self.adopt(session, AdoptionReason::FoundAfterUnclearCreate, now));
        Some(actions)
    }

    /// Where tags are dropped without a word, only titles tell.
    fn find_by_title_or_create(&mut self, now: Millis) -> Vec<Action> {
        if self.phase == (Phase::Finding { by: FindBy::Tag }) {
            self.phase = Phase::Finding { by: FindBy::Title };
            return vec![Action::Find(self.query(FindBy::Title, now))];
        }
        self.create(now)
    }

    /// A warning, where a create was answered unclearly and what it may have made is not what follows.
    fn unseen_one(&self) -> Vec<Action> {
        let Some(create) = self.unclear.as_ref().filter(|_| self.made.is_empty()) else { return Vec::new() };
        let tag = &self.request.names.attempt_tag;
        let warning = format!("{create}: a session may have been created that no list shows yet, tagged {tag}");
        vec![Action::Report(EventKind::warning(warning))]
    }

    /// Takes a session that is there for the alert's.
    pub(super) fn adopt(&mut self, session: Session, reason: AdoptionReason, now: Millis) -> Vec<Action> {
        let mut actions = vec![Action::Report(EventKind::adopted(&session, reason))];
        let origin = if reason == AdoptionReason::FoundAfterUnclearCreate { Origin::Ours } else { Origin::Another };
        let is_over = reason == AdoptionReason::EndedWithinCooldown;
        let is_news = reason == AdoptionReason::Alive && self.has_news_for(&session);
        let mut watching = Watching::new(session, origin, now);
        watching.is_held = is_over;
        if origin == Origin::Ours {
            watching.expect_rivals((!self.policy.detach).then_some(SECOND_FIND_AFTER), now);
        }
        if is_over && !self.policy.detach && !watching.is_owed_grace(&self.policy, self.devin_s(now), A_MOMENT_AGO) {
            let outcome = settle(&watching.session, &watching.seen, &self.request.new.repos);
            actions.extend(self.settle(outcome, Some(&watching), now));
            return actions;
        }
        self.phase = Phase::Watching(Box::new(watching));
        self.note_going();
        if origin == Origin::Ours {
            self.note_prompted();
        } else if is_news {
            let firing = self.request.firing.clone();
            self.hear_of(firing);
        }
        actions.extend(self.watch_on(now));
        actions
    }

    /// Alerts join while a session of somebody else is watched: keeps what the prompt tells of, should it be needed yet.
    pub(super) fn keep_prompted(&mut self) {
        if matches!(&self.phase, Phase::Watching(watching) if watching.origin == Origin::Another) {
            let firing = &self.request.firing;
            self.prompted.get_or_insert_with(|| firing.fingerprints.clone());
        }
    }

    /// A session knows what its prompt tells of. What has joined the group since is news to it.
    pub(super) fn note_prompted(&mut self) {
        let firing = self.request.firing.clone();
        match self.prompted.take() {
            None => self.told = firing.fingerprints,
            Some(prompted) => {
                self.told = prompted;
                self.hear_of(firing);
            }
        }
    }

    /// Whether some of these alerts are not among those that the session was told of. Where no alerts are told apart, it is
    /// one, in other words perhaps, unless its sender says otherwise.
    pub(super) fn is_news(&self, firing: &Firing) -> bool {
        let is_said = firing.fingerprints.is_empty() && firing.reason == FiringReason::NewAlerts;
        is_said || firing.fingerprints.iter().any(|print| !self.told.contains(print))
    }

    /// Starts nothing, because an earlier session's pull request is still open.
    fn held(&mut self, session: Session, now: Millis) -> Vec<Action> {
        let watching = Watching::new(session, Origin::Another, now);
        let session = &watching.session;
        let pr_url = best(&watching.seen, &self.request.new.repos).map(|best| best.pr_url.clone());
        let reason = "the pull request of an earlier session of this alert is still open".to_string();
        let (session_id, session_url) = (session.session_id.clone(), session.url.clone());
        let event = EventKind::AlertHeld {
            session_id: session_id.clone(),
            session_url: session_url.clone(),
            pr_url,
            reason: reason.clone(),
        };
        let mut actions = vec![Action::Report(event)];
        if self.policy.detach {
            let is_over = !prior(session, &self.policy.holds, self.devin_s(now)).is_alive();
            self.phase = Phase::Settled(End::Detached { session_id, session_url, is_over });
            return actions;
        }
        // However its session ended, what counts is the pull request that there is.
        let outcome = Outcome::new(OutcomeKind::PrOpened, reason);
        actions.extend(self.settle(outcome, Some(&watching), now));
        actions
    }

    /// Sends the create; whoever keeps the job keeps this intent before.
    pub(super) fn create(&mut self, now: Millis) -> Vec<Action> {
        self.phase = Phase::Creating { waits_until: None };
        self.intent_at = now + self.devin_ahead;
        self.creates += 1;
        vec![Action::Create(Box::new(self.request.new.clone()))]
    }

    /// Nothing was created, and this is why.
    pub(super) fn fail(&mut self, error: &Error) -> Vec<Action> {
        self.phase = Phase::Settled(End::Failed { session_id: None });
        vec![Action::Report(EventKind::Error(error_report(error, self.audience())))]
    }

    /// The alert is over before there is a session; a create that is under way, or may have been answered, goes on.
    pub(super) fn on_resolved_early(&mut self, now: Millis) -> Vec<Action> {
        if self.unclear.is_some() || self.phase == (Phase::Creating { waits_until: None }) {
            self.note_resolved();
            return self.resume_waiting(now);
        }
        let reason = "the alert was resolved before a session was created";
        self.settle(Outcome::new(OutcomeKind::ResolvedBeforeStart, reason), None, now)
    }

    /// Ends before there is a session: something else than the alert's sessions keeps it from starting. Not where a create may
    /// have made one.
    #[must_use]
    pub fn refused(mut self, kind: OutcomeKind, reason: &str, now: Millis) -> (Job, Vec<Action>) {
        let actions = if self.unclear.is_some() {
            self.unknown(None, now)
        } else {
            self.settle(Outcome::new(kind, reason), None, now)
        };
        (self, actions)
    }

    /// Whether it has made a session itself.
    pub fn has_made_a_session(&self) -> bool {
        !self.made.is_empty()
    }

    /// Whether there is a session that this job has made, or may have.
    pub fn may_have_made_a_session(&self) -> bool {
        !self.made.is_empty() || self.unclear.is_some()
    }

    /// What is under way goes on; a create that has been sent is not taken for lost.
    pub(super) fn resume_waiting(&mut self, now: Millis) -> Vec<Action> {
        if self.phase == (Phase::Creating { waits_until: None }) { Vec::new() } else { self.resume(now) }
    }

    /// Whether alerts have joined the group since a session was created that somebody else made. Its sender may know; where it
    /// does not say, an alert that began later has.
    fn has_news_for(&self, session: &Session) -> bool {
        let firing = &self.request.firing;
        if was_told(session, firing) {
            return false;
        }
        match firing.reason {
            FiringReason::NewAlerts => true,
            FiringReason::Repeat => false,
            FiringReason::First => {
                let created = session.created_at.map(|created| (created + 1) * 1000);
                firing.latest_start.zip(created).is_some_and(|(latest, created)| latest > created)
            }
        }
    }

    /// Alerts have joined the group: what the session is to be told, if it may be.
    pub(super) fn hear_of(&mut self, firing: Firing) {
        let is_news = self.is_news(&firing);
        self.request.firing = firing;
        self.is_owing |= is_news && self.patience.is_some() && self.policy.on_new_alerts != OnNewAlerts::Ignore;
        let may_tell = self.policy.on_new_alerts == OnNewAlerts::Message
            && (self.messages_sent < MOST_MESSAGES || self.patience.is_some());
        if let Phase::Watching(watching) = &mut self.phase
            && is_news
            && may_tell
            && !self.request.firing.message.is_empty()
        {
            watching.message_due = true;
        }
    }
}

/// Another live session of the alert, which nobody ends any more.
fn goes_on_too(other: &Session, taken: &Session) -> Action {
    let state = other.status_detail.as_deref().unwrap_or(&other.status);
    let reason = if age(other) < age(taken) {
        format!("the alert has a younger session that counts instead; this one goes on, too ({state})")
    } else {
        format!("the alert has an older session; this one goes on, too ({state})")
    };
    Action::Report(EventKind::duplicate(other, false, reason))
}

/// How many messages a session is sent at most; where nothing is given up, so many at once.
pub(super) const MOST_MESSAGES: u32 = 5;
