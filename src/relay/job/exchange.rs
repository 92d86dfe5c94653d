//! What a job hears and what it asks for: everything that passes between the machine and whoever drives it. Pure.

use std::time::Duration;

use super::{Firing, Millis};
use crate::devin::Error;
use crate::devin::session::{NewSession, Session};
use crate::relay::event::EventKind;

/// What has happened.
#[derive(Debug, Clone)]
pub enum Observation {
    /// A process takes the job on, for the first time or after another one died.
    Started,
    SessionsFound(Vec<Session>),
    FindFailed(Error),
    Created(Session),
    /// Certainly not created, and trying again would not help.
    CreateRefused(Error),
    /// Certainly not created; worth another try after the wait, when the server named one.
    CreateLimited(Error, Option<Duration>),
    /// Possibly created.
    CreateUnclear(Error),
    SessionPolled(Session),
    PollFailed(Error),
    Tagged(Result<(), Error>),
    Terminated(Result<(), Error>),
    Messaged(Result<(), Error>),
    WaitOver,
    AlertResolved,
    /// Alerts have joined the group.
    NewAlerts(Firing),
    /// A person, who is named, asks for its session to be ended.
    EndAsked(String),
    StopAsked,
}

/// What is to be done. A step answers with any number of reports and at most one of the others, which the driver answers
/// with an observation.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    Find(Query),
    Create(Box<NewSession>),
    Poll { session_id: String },
    Tag { session_id: String, tag: String },
    Terminate { session_id: String },
    Message { session_id: String, message: String },
    WaitUntil(Millis),
    Report(EventKind),
}

/// Which sessions are wanted. The API ignores filters that it does not know: what comes back is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    Tag(String),
    /// Created at or after this second.
    CreatedAfter(i64),
    Id(String),
}

impl Query {
    /// As a filter of the API's list.
    pub fn filter(&self) -> (&'static str, String) {
        match self {
            Query::Tag(tag) => ("tags", tag.clone()),
            Query::CreatedAfter(moment) => ("created_after", moment.max(&0).to_string()),
            Query::Id(session_id) => ("session_ids", session_id.clone()),
        }
    }
}
