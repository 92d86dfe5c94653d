//! What `serve` waits out where a single run gives up: it has time, and an alert that it has accepted is not dropped for an
//! answer that may be another one soon. Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::creating::{SESSION_LIMIT_INTERVAL, is_about_tags};
use super::{Job, Millis, Observation, OnSessionLimit, Phase, millis};
use crate::devin::{Error, Kind};
use crate::relay::error_report::{Audience, is_session_limit};

/// How often a request may be refused, for good as it seems: a proxy in between may be wrong for a while.
const MOST_REFUSALS: u32 = 6;

/// How often a message is tried, while its session may not be polled.
const MOST_MESSAGE_TRIES: u32 = 3;

/// When a request is made again; one that is limited or refused, later each time.
const WAIT: Millis = 10_000;
const LONGEST_WAIT: Millis = 300_000;

/// The longest wait that an answer may ask for.
const LONGEST_ASKED: Millis = 3_600_000;

/// What has been waited out so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Patience {
    /// Finds in a row.
    refused_finds: u32,
    /// Polls in a row.
    #[serde(default)]
    refused_polls: u32,
    refused_creates: u32,
    limited_creates: u32,
    /// In a row.
    #[serde(default)]
    failed_messages: u32,
}

impl Job {
    /// From now on it waits for as long as it takes.
    #[must_use]
    pub fn made_patient(mut self) -> Job {
        self.patience.get_or_insert_default();
        self
    }

    /// Who is told of it: whoever is patient works from a rules file.
    pub(super) fn audience(&self) -> Audience {
        if self.patience.is_some() { Audience::Rules } else { Audience::Settings }
    }

    /// Why the request that was answered so is to be made again, and after how long; `None` where a step is to decide.
    pub fn wait_out(&mut self, observation: &Observation) -> Option<(Error, Millis)> {
        let is_searching = matches!(self.phase, Phase::Finding { .. } | Phase::Reconciling(_));
        let may_drop_tags = !self.by_title;
        let waits_for_sessions = self.policy.on_session_limit == OnSessionLimit::Wait;
        let patience = self.patience.as_mut()?;
        let (error, wait) = match observation {
            Observation::SessionsFound(_) => {
                patience.refused_finds = 0;
                return None;
            }
            // A search that is not answered says nothing about what is there.
            Observation::FindFailed(error) if is_searching && will_pass(error) => (error, WAIT),
            Observation::FindFailed(error) if is_searching && is_about_the_organization(error) => {
                (error, limited(&mut patience.refused_finds, None))
            }
            Observation::FindFailed(error) if is_searching => (error, refused(&mut patience.refused_finds)?),
            Observation::SessionPolled(_) => {
                patience.refused_polls = 0;
                return None;
            }
            // If it is the key, nothing is polled soon; if it is this session, others need not wait for it.
            Observation::PollFailed(error) if is_about_the_key(error) => (error, refused(&mut patience.refused_polls)?),
            Observation::CreateRefused(error) if may_drop_tags && is_about_tags(error) => return None,
            Observation::CreateRefused(error) if is_about_the_organization(error) => {
                (error, limited(&mut patience.limited_creates, None))
            }
            Observation::CreateRefused(error) if will_pass(error) => (error, WAIT),
            Observation::CreateRefused(error) => (error, refused(&mut patience.refused_creates)?),
            // Whether a place is waited for is the rule's to say.
            Observation::CreateLimited(error, _) if is_session_limit(error) && !waits_for_sessions => return None,
            Observation::CreateLimited(error, asked) if is_session_limit(error) => {
                (error, asked.map_or(0, millis).clamp(SESSION_LIMIT_INTERVAL, LONGEST_ASKED))
            }
            Observation::CreateLimited(error, asked) => (error, limited(&mut patience.limited_creates, *asked)),
            Observation::Messaged(Ok(())) => {
                patience.failed_messages = 0;
                return None;
            }
            // Polls wait meanwhile, so it is not tried for ever.
            Observation::Messaged(Err(error)) if error.kind.is_retryable() => {
                patience.failed_messages += 1;
                (error, (patience.failed_messages < MOST_MESSAGE_TRIES).then_some(WAIT)?)
            }
            _ => return None,
        };
        Some((error.clone(), wait))
    }

    /// As it was `before` a create that certainly has created nothing: it looks for sessions again.
    #[must_use]
    pub fn before_create(self, before: Job) -> Job {
        let by = before.first_find();
        Job { patience: self.patience, phase: Phase::Finding { by }, ..before }
    }

    /// How long to look for the session of an unclear create. One that is made again and again is looked for longer each time,
    /// so that a list that lags by hours brings only a few sessions.
    pub(super) fn reconcile_window(&self) -> Millis {
        let doublings = if self.patience.is_some() { self.creates.saturating_sub(1).min(5) } else { 0 };
        millis(self.policy.reconcile_window) << doublings
    }
}

/// Whether it may be the key that is not accepted.
fn is_about_the_key(error: &Error) -> bool {
    matches!(error.kind, Kind::Status(401 | 403))
}

/// Whether a request to list or to create sessions was refused for what every other one is refused for: the key, or the
/// organization's address.
fn is_about_the_organization(error: &Error) -> bool {
    is_about_the_key(error) || matches!(error.kind, Kind::Status(300..=399 | 404))
}

fn will_pass(error: &Error) -> bool {
    is_about_the_key(error)
        || error.kind.is_retryable()
        || matches!(error.kind, Kind::TimeUp(_) | Kind::WaitTooLong { .. } | Kind::Barred(_))
}

fn refused(times: &mut u32) -> Option<Millis> {
    *times += 1;
    (*times < MOST_REFUSALS).then(|| grown(*times))
}

fn limited(times: &mut u32, asked: Option<Duration>) -> Millis {
    *times = times.saturating_add(1);
    asked.map_or_else(|| grown(*times), |asked| millis(asked).clamp(WAIT, LONGEST_ASKED))
}

fn grown(times: u32) -> Millis {
    (WAIT << (times - 1).min(8)).min(LONGEST_WAIT)
}
