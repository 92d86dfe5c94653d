//! A process that takes care of the alert in a random history, and what it has seen and said.

use std::collections::BTreeSet;

use super::promises::names;
use super::runs::policy;
use super::world::{START, State};
use crate::devin::session::Session;
use crate::relay::event::EventKind;
use crate::relay::job::{Action, Job, Millis, Observation, Query};
use crate::relay::prior::prior;

/// A process that takes care of the alert, and what it has done so far.
pub struct Running {
    pub number: u32,
    pub job: Job,
    pub next: Option<Action>,
    /// What it is about to hear.
    pub answer: Option<Observation>,
    /// When it goes on.
    pub at: Millis,
    pub is_create_sent: bool,
    pub is_clock_known: bool,
    pub is_undisturbed: bool,
    pub steps: u32,
    pub stopped_at: Option<u32>,
    /// When it died so that nobody goes on with its job.
    pub died_at: Option<Millis>,
    /// When another process went on.
    pub taken_on_at: Millis,
    pub events: Vec<(Millis, EventKind)>,
    pub finds: Vec<Find>,
    pub polled: Vec<(Millis, String, Option<Session>)>,
    pub not_ended: BTreeSet<String>,
    pub made: Vec<String>,
}

/// What it has done, for whoever reads of a failure.
impl std::fmt::Display for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let policy = &self.job.policy;
        writeln!(f, "run {} (detach {}, {:?})", self.number, policy.detach, policy.on_timeout)?;
        writeln!(f, "  made {:?}, died {:?}, ended as {:?}", self.made, self.died_at, self.job.end())?;
        for (at, event) in &self.events {
            writeln!(f, "  {} {}", at - START, serde_json::to_string(event).unwrap())?;
        }
        for find in &self.finds {
            writeln!(f, "  {} found by tag {} while {}: {:?}", find.at - START, find.by_tag, find.phase, find.shown)?;
        }
        for (at, id, seen) in &self.polled {
            writeln!(f, "  {} polled {id}: {:?}", at - START, seen.as_ref().map(|session| &session.status))?;
        }
        Ok(())
    }
}

/// A find, which was answered.
pub struct Find {
    pub at: Millis,
    pub phase: &'static str,
    pub by_tag: bool,
    pub shown: BTreeSet<String>,
    /// Those of them that are alive.
    pub alive: BTreeSet<String>,
    /// What lists show at this moment, whatever was asked for.
    pub listed: BTreeSet<String>,
}

impl Find {
    pub fn new(query: &Query, found: &[Session], run: &Running, state: &State, is_stale: bool) -> Find {
        let at = state.now;
        let listed = state.all.iter().filter(|kept| kept.listed_from <= at && at < kept.gone_from);
        let id = |session: &Session| session.session_id.clone();
        Find {
            at,
            // Whether the session itself still exists says nothing of others.
            phase: if matches!(query, Query::Id(_)) { "missing" } else { run.job.phase.name() },
            by_tag: matches!(query, Query::Tag(_)),
            shown: found.iter().map(id).collect(),
            alive: found.iter().filter(|one| prior(one, &policy().holds, at / 1000).is_alive()).map(id).collect(),
            listed: if is_stale { BTreeSet::new() } else { listed.map(|kept| id(&kept.session)).collect() },
        }
    }
}

impl Running {
    pub fn new(number: u32, job: Job, at: Millis) -> Running {
        Running {
            number,
            job,
            next: None,
            answer: Some(Observation::Started),
            at,
            is_create_sent: false,
            is_clock_known: false,
            is_undisturbed: false,
            steps: 0,
            stopped_at: None,
            died_at: None,
            taken_on_at: at,
            events: Vec::new(),
            finds: Vec::new(),
            polled: Vec::new(),
            not_ended: BTreeSet::new(),
            made: Vec::new(),
        }
    }

    pub fn is_going(&self) -> bool {
        self.job.end().is_none() && self.died_at.is_none()
    }

    /// Its process dies; another one may go on with the job as it was last kept.
    pub fn die(&mut self, is_taken_on: bool, at: Millis) {
        (self.next, self.answer, self.is_create_sent) = (None, Some(Observation::Started), false);
        (self.at, self.taken_on_at) = (at, at);
        if !is_taken_on {
            self.died_at = Some(at);
        }
    }

    pub fn seen(&mut self, events: &[EventKind], now: Millis) {
        self.events.extend(events.iter().map(|event| (now, event.clone())));
    }

    pub fn ended_at(&self) -> Millis {
        self.died_at.unwrap_or(self.at)
    }

    pub fn has_said(&self, wanted: impl Fn(&EventKind) -> bool) -> bool {
        self.events.iter().any(|(_, event)| wanted(event))
    }

    /// Whether it has named a session that goes on, with its URL.
    pub fn has_named(&self, id: &str) -> bool {
        self.has_said(|event| names(event, id))
    }
}
