//! A job in hand: what it has been told of, and what is shown of it. Asks nobody, and decides nothing about its course.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::relay::event::{EventKind, RelayEvent};
use crate::relay::job::{End, Job, Observation, Phase};
use crate::relay::serve::store::{Claimed, News, Progress, Save};

/// A job in hand.
pub(super) struct Held {
    pub(super) job: Job,
    pub(super) rule: String,
    /// How old it was when it was claimed, and when that was.
    age: (Duration, Instant),
    /// What of its progress has been counted.
    pub(super) counted: Progress,
    pub(super) epoch: i64,
    owner: String,
    is_taken_over: bool,
    pub(super) progress: Progress,
    /// What has happened, and is not kept yet.
    events: Vec<EventKind>,
    pub(super) news: VecDeque<(i64, News)>,
    pub(super) news_until: i64,
}

impl Held {
    pub(super) fn new(claimed: Claimed, owner: &str) -> Held {
        Held {
            is_taken_over: claimed.stepped_by.is_some_and(|by| by != owner),
            job: claimed.job.made_patient(),
            rule: claimed.rule,
            age: (Duration::from_millis(u64::try_from(claimed.age).unwrap_or_default()), Instant::now()),
            counted: claimed.progress.clone(),
            epoch: claimed.epoch,
            owner: owner.to_string(),
            progress: claimed.progress,
            events: Vec::new(),
            news: claimed.news.into(),
            news_until: 0,
        }
    }

    /// How long ago its alert came.
    pub(super) fn age(&self) -> Duration {
        self.age.0 + self.age.1.elapsed()
    }

    /// What another process did may not have been done; what this one waited for is over.
    pub(super) fn first_observation(&mut self) -> Observation {
        let is_create_open = matches!(self.job.phase, Phase::Creating { waits_until: None });
        if self.is_taken_over || is_create_open { Observation::Started } else { self.next_news() }
    }

    /// The oldest news, or that a wait is over.
    pub(super) fn next_news(&mut self) -> Observation {
        let Some((seq, news)) = self.news.pop_front() else { return Observation::WaitOver };
        self.news_until = seq;
        match news {
            News::Firing(firing) => Observation::NewAlerts(firing),
            News::Resolved => Observation::AlertResolved,
            News::EndAsked(by) => Observation::EndAsked(by),
        }
    }

    /// Keeps of an answer why the job is no further, until another answer says that it is. Whether it failed.
    pub(super) fn hear(&mut self, observation: &Observation) -> bool {
        let failed = match observation {
            Observation::CreateRefused(error)
            | Observation::CreateLimited(error, _)
            | Observation::FindFailed(error)
            | Observation::PollFailed(error)
            | Observation::Tagged(Err(error))
            | Observation::Terminated(Err(error))
            | Observation::Messaged(Err(error)) => Some(error.to_string()),
            Observation::CreateUnclear(error) => {
                Some(format!("{error}; a session may have been created, and is looked for"))
            }
            // Until its session is found, how the create was answered is what keeps it there.
            Observation::SessionsFound(_) if matches!(self.job.phase, Phase::Reconciling(_)) => return false,
            Observation::SessionsFound(_)
            | Observation::Created(_)
            | Observation::SessionPolled(_)
            | Observation::Tagged(Ok(()))
            | Observation::Terminated(Ok(()))
            | Observation::Messaged(Ok(())) => None,
            // No answers.
            Observation::Started
            | Observation::WaitOver
            | Observation::AlertResolved
            | Observation::NewAlerts(_)
            | Observation::EndAsked(_)
            | Observation::StopAsked => return false,
        };
        self.progress.reason = failed;
        self.progress.reason.is_some()
    }

    /// All that has happened is kept, and this is news.
    pub(super) fn is_kept(&mut self, news: Vec<(i64, News)>) {
        self.events.clear();
        self.news = news.into();
    }

    /// Keeps all that a step has brought.
    pub(super) fn note_all(&mut self, events: &[RelayEvent]) {
        events.iter().for_each(|event| self.note(&event.kind));
        self.note_end();
    }

    /// What was noted since it was last kept has not happened.
    pub(super) fn forget_noted(&mut self) {
        self.events.clear();
    }

    /// Keeps an event, and of it what is shown of the job.
    pub(super) fn note(&mut self, event: &EventKind) {
        self.events.push(event.clone());
        let progress = &mut self.progress;
        match event {
            EventKind::SessionCreated { session_id, session_url }
            | EventKind::SessionAdopted { session_id, session_url, .. } => {
                progress.session_id = Some(session_id.clone());
                progress.session_url.clone_from(session_url);
                progress.reason = None;
            }
            EventKind::AlertHeld { session_id, session_url, pr_url, reason } => {
                progress.session_id = Some(session_id.clone());
                progress.session_url.clone_from(session_url);
                progress.pr_url.clone_from(pr_url);
                progress.reason = Some(reason.clone());
            }
            EventKind::SessionStatus { pr_url, acus_consumed, .. } => {
                progress.pr_url = pr_url.clone().or(progress.pr_url.take());
                progress.acus_consumed = Some(*acus_consumed);
            }
            EventKind::Outcome(outcome) => {
                progress.status = Some(outcome.status.name().to_string());
                progress.result =
                    serde_json::to_value(outcome.result).ok().and_then(|word| Some(word.as_str()?.to_string()));
                progress.reason = Some(outcome.reason.clone());
                progress.pr_url.clone_from(&outcome.pr_url);
                progress.acus_consumed = outcome.acus_consumed.or(progress.acus_consumed);
                if outcome.session_id.is_some() {
                    progress.session_id.clone_from(&outcome.session_id);
                    progress.session_url.clone_from(&outcome.session_url);
                }
            }
            EventKind::Error(report) => progress.reason = Some(report.message.clone()),
            _ => {}
        }
    }

    /// An end without an outcome has a word too.
    fn note_end(&mut self) {
        if let Some(End::Failed { .. } | End::Stopped { .. }) = self.job.end() {
            self.progress.status = Some("failed".to_string());
        }
    }

    pub(super) fn save(&self, due_in: Option<i64>) -> Save {
        Save {
            job: self.job.clone(),
            epoch: self.epoch,
            owner: self.owner.clone(),
            progress: self.progress.clone(),
            events: self.events.clone(),
            news_until: self.news_until,
            due_in,
        }
    }
}
