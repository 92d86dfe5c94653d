//! The create, which is never repeated blindly, and the search for what an unclear one may have made. Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Action, End, FindBy, Job, Millis, Observation, OnSessionLimit, Origin, Phase, Query, SECOND_FIND_AFTER, Watching,
    millis, seconds,
};
use crate::devin::session::Session;
use crate::devin::{Error, Kind};
use crate::relay::error_report::{Audience, Code, create_error_report, is_session_limit};
use crate::relay::event::{AdoptionReason, EventKind};
use crate::relay::names::Kept;
use crate::relay::outcome::{Outcome, OutcomeKind};
use crate::relay::prior::{age, prior};

/// How often a create that was answered with 429 is tried at most.
const MOST_LIMITED_TRIES: u32 = 5;

/// The longest that a create waits for a rate limit, all its waits together.
const LONGEST_LIMITED: Millis = 300_000;

/// How long a create waits for another session of the organization to end, and how often it asks.
const LONGEST_SESSION_LIMIT: Millis = 3_600_000;
pub(super) const SESSION_LIMIT_INTERVAL: Millis = 60_000;

/// The waits between finds after an unclear answer grow from this.
const FIRST_FIND_AFTER: Millis = 2_000;

/// How long before the create a session of it may have been made, in seconds: clocks of one API may differ by hours.
const BEFORE_INTENT: i64 = 86_400;

/// The search for the session that an unclear create may have made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reconciling {
    by: FindBy,
    until: Millis,
    wait: Millis,
    waits_until: Option<Millis>,
    /// Whether any find of this process was answered: only then is Devin's clock known, and `until` of that clock.
    has_looked: bool,
    /// Why the last find failed; `None` when it was answered.
    failure: Option<String>,
    is_cut_short: bool,
}

impl Job {
    pub(super) fn on_creating(&mut self, observation: Observation, now: Millis) -> Vec<Action> {
        match observation {
            Observation::Created(session) => self.on_created(session, now),
            Observation::CreateRefused(error) | Observation::CreateLimited(error, _) if self.unclear.is_some() => {
                // Once an answer has been unclear, nothing that follows makes it certain that there is no session.
                let mut actions = vec![Action::Report(EventKind::warning(format!(
                    "{error}; the create before it was answered unclearly"
                )))];
                actions.extend(self.unknown(None, now));
                actions
            }
            Observation::CreateRefused(error) if !self.by_title && is_about_tags(&error) => {
                self.by_title = true;
                // Further tags are the user's, and theirs to change.
                let names = self.request.names.clone();
                names.take_tags_off(&mut self.request.new);
                let warning = format!(
                    "{error}; trying again with the marker in the title only. Without tags, a session that this relay ends cannot be told from one that finished"
                );
                let mut actions = vec![Action::Report(EventKind::warning(warning))];
                actions.extend(self.find());
                actions
            }
            Observation::CreateRefused(error) => self.refuse(&error),
            Observation::CreateLimited(error, wait) => self.on_limited(&error, wait, now),
            Observation::CreateUnclear(error) => self.reconcile(&error.to_string(), now),
            Observation::WaitOver => self.find(),
            Observation::StopAsked if self.unclear.is_some() => self.unknown(None, now),
            Observation::StopAsked => self.stop(End::Stopped { session_id: None }),
            _ => self.resume_waiting(now),
        }
    }

    fn on_created(&mut self, session: Session, now: Millis) -> Vec<Action> {
        self.made.push(session.bare_id().to_string());
        let mut actions = vec![Action::Report(EventKind::created(&session))];
        let kept = self.request.names.kept(&session, self.by_title);
        let mut watching = Watching::new(session, Origin::Ours, now);
        match kept {
            Kept::All => {}
            Kept::AlertTag(missing) => actions.push(attempt_unnamed(&missing)),
            Kept::TitleOnly(missing) => {
                actions.push(self.tell_by_title(&missing));
            }
            Kept::Nothing => {
                let reason = nameless(&watching.session);
                actions.push(Action::Report(EventKind::warning(reason.clone())));
                actions.extend(self.settle(Outcome::new(OutcomeKind::CreateUnknown, reason), Some(&watching), now));
                return actions;
            }
        }
        if !self.stands_beside || self.creates > 1 {
            // Another session of this attempt may still be hidden.
            let window = millis(self.policy.reconcile_window).min(SECOND_FIND_AFTER);
            let second =
                if self.policy.detach { self.unclear.as_ref().map(|_| window) } else { Some(SECOND_FIND_AFTER) };
            watching.expect_rivals(second, now);
        }
        self.phase = Phase::Watching(Box::new(watching));
        self.note_prompted();
        actions.extend(self.watch_on(now));
        actions
    }

    /// From now on only titles tell the alert's sessions, and why.
    fn tell_by_title(&mut self, missing: &[String]) -> Action {
        self.by_title = true;
        Action::Report(EventKind::warning(format!(
            "Devin did not keep the tags {} of the session: only the marker in its title tells it from others, so a session that this relay ends cannot be told from one that finished",
            missing.join(", ")
        )))
    }

    fn refuse(&mut self, error: &Error) -> Vec<Action> {
        self.phase = Phase::Settled(End::Failed { session_id: None });
        let mut report = create_error_report(error, self.audience());
        if report.code == Code::SessionLimit && self.audience() == Audience::Rules {
            report.message = format!(
                "{error}. The organization runs as many sessions as it may at once, and on_session_limit: fail waits for none of them to end, so nothing was created: end one in Devin and have the alert delivered again, or set on_session_limit to wait."
            );
        }
        vec![Action::Report(EventKind::Error(report))]
    }

    fn on_limited(&mut self, error: &Error, asked: Option<Duration>, now: Millis) -> Vec<Action> {
        let asked = asked.filter(|wait| !wait.is_zero()).map(millis);
        let wait = if is_session_limit(error) {
            let since = *self.limited.session_limit_since.get_or_insert(now);
            let wait = asked.unwrap_or_default().clamp(SESSION_LIMIT_INTERVAL, LONGEST_LIMITED);
            if self.policy.on_session_limit == OnSessionLimit::Fail || now + wait > since + LONGEST_SESSION_LIMIT {
                return self.refuse(error);
            }
            wait
        } else {
            self.limited.tries += 1;
            let wait = asked.unwrap_or(FIRST_FIND_AFTER << self.limited.tries.min(8));
            if self.limited.waited + wait > LONGEST_LIMITED {
                let wait = Duration::from_millis(wait.unsigned_abs());
                return self.refuse(&Error { kind: Kind::WaitTooLong { status: 429, wait }, ..error.clone() });
            }
            if self.limited.tries >= MOST_LIMITED_TRIES {
                return self.refuse(error);
            }
            self.limited.waited += wait;
            wait
        };
        self.phase = Phase::Creating { waits_until: Some(now + wait) };
        let note = format!("{error}; nothing was created, trying again in {} s", wait / 1000);
        vec![Action::Report(EventKind::note(note)), Action::WaitUntil(now + wait)]
    }

    /// Begins to look for what a create may have made.
    pub(super) fn reconcile(&mut self, create: &str, now: Millis) -> Vec<Action> {
        self.unclear.get_or_insert_with(|| create.to_string());
        self.phase = Phase::Reconciling(Reconciling {
            by: self.first_find(),
            until: now + self.reconcile_window(),
            wait: FIRST_FIND_AFTER,
            waits_until: None,
            has_looked: false,
            failure: None,
            is_cut_short: false,
        });
        let note = EventKind::note(format!("{create}; a session may have been created, looking for it"));
        let mut actions = vec![Action::Report(note)];
        actions.extend(self.reconcile_again(now));
        actions
    }

    /// Another process goes on: it looks at once, and waits for a limit no longer than one may.
    pub(super) fn wait_anew(&mut self, now: Millis) {
        let window = self.reconcile_window();
        match &mut self.phase {
            Phase::Creating { waits_until: Some(until) } => *until = (*until).min(now + LONGEST_LIMITED),
            Phase::Reconciling(reconciling) => {
                (reconciling.waits_until, reconciling.has_looked) = (None, false);
                reconciling.until = now + window;
            }
            _ => {}
        }
    }

    pub(super) fn first_find(&self) -> FindBy {
        if self.by_title { FindBy::Title } else { FindBy::Tag }
    }

    /// The find, or the wait, that is due.
    pub(super) fn reconcile_again(&mut self, _now: Millis) -> Vec<Action> {
        let Phase::Reconciling(reconciling) = &self.phase else { return Vec::new() };
        if let Some(until) = reconciling.waits_until {
            return vec![Action::WaitUntil(until)];
        }
        vec![Action::Find(match reconciling.by {
            FindBy::Tag => Query::Tag(self.request.names.attempt_tag.clone()),
            FindBy::Title => Query::CreatedAfter(seconds(self.intent_at) - BEFORE_INTENT),
        })]
    }

    pub(super) fn on_reconciling(&mut self, observation: Observation, now: Millis) -> Vec<Action> {
        let (first_find, window) = (self.first_find(), self.reconcile_window());
        let Phase::Reconciling(reconciling) = &mut self.phase else { return Vec::new() };
        match observation {
            Observation::SessionsFound(found) => {
                if !std::mem::replace(&mut reconciling.has_looked, true) {
                    reconciling.until = now + window;
                }
                reconciling.failure = None;
                let is_cut_short = reconciling.is_cut_short;
                if let Some((oldest, mut actions)) = self.take_ours(&found, now) {
                    if is_cut_short {
                        let session_id = Some(oldest.session_id.clone());
                        let reason = AdoptionReason::FoundAfterUnclearCreate;
                        actions.push(Action::Report(EventKind::adopted(&oldest, reason)));
                        actions.extend(self.stop(End::Stopped { session_id }));
                        return actions;
                    }
                    actions.extend(self.adopt(oldest, AdoptionReason::FoundAfterUnclearCreate, now));
                    return actions;
                }
                if let Phase::Reconciling(reconciling) = &mut self.phase
                    && reconciling.by == FindBy::Tag
                {
                    // The tags may have been dropped.
                    reconciling.by = FindBy::Title;
                    return self.reconcile_again(now);
                }
                self.not_found(now)
            }
            Observation::FindFailed(error) => {
                reconciling.failure = Some(error.to_string());
                self.not_found(now)
            }
            Observation::WaitOver => {
                reconciling.waits_until = None;
                reconciling.by = first_find;
                self.reconcile_again(now)
            }
            Observation::StopAsked if reconciling.is_cut_short => self.unknown(None, now),
            Observation::StopAsked => {
                // It looks one last time.
                (reconciling.is_cut_short, reconciling.waits_until, reconciling.by) = (true, None, first_find);
                self.reconcile_again(now)
            }
            _ => self.reconcile_again(now),
        }
    }

    /// The session of this attempt that goes on among those that a find shows: the oldest that is alive. And what is to be
    /// said of its names.
    pub(super) fn take_ours(&mut self, found: &[Session], now: Millis) -> Option<(Session, Vec<Action>)> {
        let (names, holds, now_s) = (&self.request.names, self.policy.holds, self.devin_s(now));
        let ours = || found.iter().filter(|session| names.is_of_attempt(session));
        let is_dead = |session: &Session| !prior(session, &holds, now_s).is_alive();
        let place = |session: &&Session| (is_dead(session), age(session).unwrap_or((i64::MAX, String::new())));
        let oldest = ours().min_by_key(place).cloned()?;
        self.made.extend(ours().map(|session| session.bare_id().to_string()));
        let mut actions = Vec::new();
        match names.kept(&oldest, self.by_title) {
            Kept::All => {}
            Kept::AlertTag(missing) => actions.push(attempt_unnamed(&missing)),
            Kept::TitleOnly(missing) => actions.push(self.tell_by_title(&missing)),
            Kept::Nothing => actions.push(Action::Report(EventKind::warning(nameless(&oldest)))),
        }
        Some((oldest, actions))
    }

    /// A find has not shown the session: another one later, or the end of the search.
    fn not_found(&mut self, now: Millis) -> Vec<Action> {
        let Phase::Reconciling(reconciling) = &mut self.phase else { return Vec::new() };
        if now < reconciling.until && !reconciling.is_cut_short {
            let until = now + reconciling.wait.min(reconciling.until - now);
            reconciling.wait *= 2;
            reconciling.waits_until = Some(until);
            return vec![Action::WaitUntil(until)];
        }
        let blind = reconciling.failure.clone().filter(|_| !reconciling.has_looked);
        if !self.policy.create_again || self.creates > 1 && self.patience.is_none() {
            return self.unknown(blind, now);
        }
        // Only a find after the whole window makes it certain enough that there is no session.
        let doubt = match &reconciling.failure {
            _ if reconciling.is_cut_short => "the search was stopped".to_string(),
            Some(error) => format!("the last find failed ({error})"),
            None => {
                // Meanwhile another run may have made one.
                let allows = match self.audience() {
                    Audience::Settings => "--create-again allows",
                    Audience::Rules => "on_create_unknown: retry allows",
                };
                let note = EventKind::note(format!("no session was found; creating once more, as {allows}"));
                let mut actions = vec![Action::Report(note)];
                actions.extend(self.find());
                return actions;
            }
        };
        let mut actions = vec![Action::Report(EventKind::note(format!("{doubt}, so nothing is created again")))];
        actions.extend(self.unknown(blind, now));
        actions
    }

    /// There may be a session that nobody has seen.
    pub(super) fn unknown(&mut self, blind: Option<String>, now: Millis) -> Vec<Action> {
        let create = self.unclear.clone().unwrap_or_else(|| "the create was not answered".to_string());
        let tag = &self.request.names.alert_tag;
        let search = match blind {
            None => "was not found".to_string(),
            Some(error) => format!("could not be looked for ({error})"),
        };
        let again = match self.audience() {
            Audience::Settings => "Running the same alert again",
            Audience::Rules => "The same alert, delivered again,",
        };
        let reason = format!(
            "{create}. A session may have been created and {search}: look for {tag} in Devin, a tag and part of the title. {again} adopts it once Devin lists it, and creates another one if it does not"
        );
        self.settle(Outcome::new(OutcomeKind::CreateUnknown, reason), None, now)
    }
}

/// What is to be known of a session that no later run can be sure to find.
fn nameless(session: &Session) -> String {
    let url = session.url.as_ref().unwrap_or(&session.session_id);
    format!(
        "Devin created {url} and kept neither the tags nor the marker in the title, so a later run of this alert may not find it: allow tags in the organization, and look after this session yourself"
    )
}

/// The alert's tag is enough for later runs, but not to find what an unclear create has made.
fn attempt_unnamed(missing: &[String]) -> Action {
    Action::Report(EventKind::warning(format!(
        "Devin did not keep the tags {} of the session: later runs find it by the alert's tag, but a create that is answered unclearly may not be found",
        missing.join(", ")
    )))
}

/// Whether a refusal is the organization's word on which tags a session may carry.
pub(super) fn is_about_tags(error: &Error) -> bool {
    let says = |said: &str| {
        said.split(|c: char| !c.is_alphanumeric()).any(|word| ["tag", "tags"].contains(&&*word.to_lowercase()))
    };
    matches!(error.kind, Kind::Status(400 | 403 | 422)) && error.explanation.as_deref().is_some_and(says)
}
