//! A session that is watched, and what its polls have shown: when it is settled, and as what. Asks for nothing. Pure.

use serde::{Deserialize, Serialize};

use super::ending::Ending;
use super::rivals::Confirming;
use super::{A_SECOND_LATER, Millis, Policy, SECOND_FIND_AFTER, millis};
use crate::devin::session::{PullRequest, Session};
use crate::devin::{Error, Kind};
use crate::relay::outcome::{Outcome, OutcomeKind, OutcomeStatus, SessionPhase, session_phase, settle};
use crate::relay::prior::is_ended_by_us;
use crate::relay::pull_request::remember;

/// How often in a row, and for how long, a session must ask for a person before that is believed: it may just be between
/// two steps.
const POLLS_BEFORE_BLOCKED: u32 = 3;
const TIME_BEFORE_BLOCKED: Millis = 60_000;

/// The longest `Retry-After` that is kept between two polls.
pub(super) const LONGEST_PAUSE: Millis = 300_000;

/// Whose a session is: only our own is ever ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    Ours,
    Another,
}

/// A session that is being watched, and what its polls have shown so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Watching {
    /// As it was last seen.
    pub session: Session,
    pub origin: Origin,
    /// Every pull request that was ever seen in it.
    pub seen: Vec<PullRequest>,
    /// How many polls were answered.
    pub polls: u32,
    /// Whether any of them has shown the session, or a list or a create has.
    pub was_seen: bool,
    pub(super) message_due: bool,
    pub(super) task: Task,
    pub(super) next_poll: Millis,
    /// When rivals are looked for.
    pub(super) rival_finds: Vec<Millis>,
    /// How many finds for rivals have failed in a row.
    pub(super) failed_finds: u32,
    /// How many finds were made because a rival was in doubt.
    #[serde(default)]
    pub(super) doubts: u32,
    /// The rivals that were in doubt at the last of them, and why.
    #[serde(default)]
    pub(super) doubted: Vec<(Session, String)>,
    /// It carries the tag of an ended session although nobody ended it.
    #[serde(default)]
    pub(super) is_spared: bool,
    /// It had ended before this job began, and its cool-down holds the alert.
    #[serde(default)]
    pub(super) is_held: bool,
    /// It carried the tag of an ended session when it was adopted, so that its end may have begun before this job did.
    #[serde(default)]
    pub(super) was_going: bool,
    /// How the watch ends once a last find is answered.
    pub(super) ends_as: Option<Outcome>,
    pub(super) since: Millis,
    pub(super) requests: u32,
    pub(super) refusals: u32,
    pub(super) missing: u32,
    blocked: u32,
    blocked_since: Option<Millis>,
    /// How many further polls an end without a pull request has been given since the session was last at work.
    grace: u32,
    pub(super) last_state: Option<(String, Option<String>, usize)>,
    /// Whether the last poll was answered.
    pub(super) is_current: bool,
    /// Whether only a list has shown it lately: a 404 does not say then that it is gone.
    #[serde(default)]
    pub(super) is_only_listed: bool,
}

/// What is under way besides waiting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Task {
    Nothing,
    FindingRivals,
    /// Sees whether a session is alive before another one is ended in favor of it.
    Confirming(Box<Confirming>),
    /// A session that is missing may still be in the list.
    FindingItself,
    Ending(Box<Ending>),
    /// The session that was adopted has been ended: another one may have taken its place.
    FindingSuccessor,
    Messaging,
    /// Says that the alert was resolved.
    TellingResolved,
    /// Tags the session with what it was told, so that no later run tells it again.
    NotingTold,
}

impl Watching {
    /// The watch of a session that has been seen.
    pub fn new(session: Session, origin: Origin, now: Millis) -> Watching {
        let mut seen = Vec::new();
        remember(&mut seen, &session.pull_requests);
        Watching { seen, origin, was_seen: true, ..Watching::unseen(session, now) }
    }

    /// The watch of a session that somebody names.
    pub fn unseen(session: Session, now: Millis) -> Watching {
        Watching {
            session,
            // Who names a session asks for it by name: what becomes of it is theirs to decide.
            origin: Origin::Ours,
            seen: Vec::new(),
            polls: 0,
            was_seen: false,
            message_due: false,
            task: Task::Nothing,
            next_poll: now,
            rival_finds: Vec::new(),
            failed_finds: 0,
            doubts: 0,
            doubted: Vec::new(),
            is_spared: false,
            is_held: false,
            was_going: false,
            ends_as: None,
            since: now,
            requests: 0,
            refusals: 0,
            missing: 0,
            blocked: 0,
            blocked_since: None,
            grace: 0,
            last_state: None,
            is_current: false,
            is_only_listed: false,
        }
    }

    /// Looks for rivals before the first poll, and once more after `second`; only once where nobody stays.
    pub(super) fn expect_rivals(&mut self, second: Option<Millis>, now: Millis) {
        self.rival_finds = vec![now + A_SECOND_LATER];
        self.next_poll = now + A_SECOND_LATER;
        self.rival_finds.extend(second.map(|after| now + after));
    }

    /// Another process goes on: it polls at once.
    pub(super) fn take_on(&mut self, now: Millis) {
        self.next_poll = self.next_poll.min(now);
        for due in &mut self.rival_finds {
            *due = (*due).min(now + SECOND_FIND_AFTER);
        }
        if let Task::Ending(ending) = &mut self.task {
            ending.take_on();
        }
    }

    /// Whether a session that ended a moment ago may still show a pull request.
    pub(super) fn is_owed_grace(&self, policy: &Policy, now_s: i64, moment: i64) -> bool {
        let touched = self.session.updated_at.or(self.session.created_at);
        let is_fresh = touched.is_some_and(|touched| now_s - touched < moment);
        policy.pr_grace > 0 && is_fresh && self.may_gain_pr()
    }

    fn may_gain_pr(&self) -> bool {
        self.seen.is_empty()
            && !is_ended_by_us(&self.session)
            && match session_phase(&self.session) {
                SessionPhase::Finished | SessionPhase::Suspended => true,
                SessionPhase::WaitingForUser => self.session.structured_output.is_some(),
                _ => false,
            }
    }

    /// Takes a poll into account; `None` means that the session is not settled yet.
    pub(super) fn judge(&mut self, policy: &Policy, repos: &[String], now: Millis) -> Option<Outcome> {
        let phase = session_phase(&self.session);
        if phase.is_blocked() {
            self.blocked += 1;
            self.blocked_since.get_or_insert(now);
        } else {
            (self.blocked, self.blocked_since) = (0, None);
        }
        if phase.is_active() && !self.session.is_archived {
            self.grace = 0;
            return None;
        }
        if self.may_gain_pr() && self.grace < policy.pr_grace {
            self.grace += 1;
            return None;
        }
        let outcome = settle(&self.session, &self.seen, repos);
        // With something to show it is no question to a person that is waited for.
        let is_question = outcome.kind.status() == OutcomeStatus::Blocked;
        let is_brief = is_question && now - self.blocked_since.unwrap_or(now) < TIME_BEFORE_BLOCKED;
        if phase.is_blocked() && (is_brief || self.blocked < POLLS_BEFORE_BLOCKED) {
            return None;
        }
        Some(outcome)
    }

    /// Whether the last poll did not find a session that was there before.
    pub(super) fn is_missing(&self) -> bool {
        self.missing > 0 && self.was_seen
    }

    /// The last poll has been taken: an end that it showed still counts, but a session at work, or one that may be asking a
    /// person, is given up.
    pub(super) fn used_up(&self, repos: &[String]) -> Outcome {
        let polls = self.polls;
        if !self.was_seen {
            return Outcome::new(OutcomeKind::PollTimeout, format!("the session was not seen in {}", times(polls)));
        }
        let outcome = settle(&self.session, &self.seen, repos);
        if outcome.kind.status() != OutcomeStatus::Blocked && outcome.kind != OutcomeKind::PollTimeout {
            return outcome;
        }
        Outcome::new(OutcomeKind::PollTimeout, format!("after {}: {}", times(polls), outcome.reason))
    }

    /// When the watch ends, polls that fail included: twice what it takes when every poll succeeds.
    pub(super) fn deadline(&self, policy: &Policy) -> Millis {
        self.since + millis(policy.poll_interval * policy.max_polls * 2) + LONGEST_PAUSE
    }
}

/// How long an answer asks to wait.
pub(super) fn asked_for(error: &Error) -> Option<Millis> {
    match error.kind {
        Kind::WaitTooLong { wait, .. } => Some(millis(wait)),
        _ => None,
    }
}

/// Whether an error says nothing about the next try.
pub(super) fn is_passing(error: &Error) -> bool {
    error.kind.is_retryable() || matches!(error.kind, Kind::TimeUp(_) | Kind::WaitTooLong { .. })
}

/// So many polls, in words.
pub(super) fn times(polls: u32) -> String {
    if polls == 1 { "1 poll".to_string() } else { format!("{polls} polls") }
}
