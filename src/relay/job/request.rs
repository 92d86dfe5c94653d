//! What a job is asked for, and how hard it is to try: what whoever makes one says. Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Millis;
use crate::devin::session::NewSession;
use crate::relay::names::Names;
use crate::relay::prior::Holds;

/// What a session is wanted for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DispatchRequest {
    pub names: Names,
    /// With the names on it.
    pub new: NewSession,
    pub firing: Firing,
}

/// Why this alert came, and what a session at work could be told about it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Firing {
    pub reason: FiringReason,
    /// Of the alerts of the group.
    pub fingerprints: Vec<String>,
    /// When the latest of them began, by its sender's clock; `None` where it does not say.
    #[serde(default)]
    pub latest_start: Option<Millis>,
    /// What a session at work is told of them.
    pub message: String,
}

/// Why an alert came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FiringReason {
    /// It fires for the first time, or its sender does not say: then alerts have joined where one of them began after the
    /// session was created.
    #[default]
    First,
    /// Alerts have joined the group.
    NewAlerts,
    /// Its sender says it again.
    Repeat,
}

/// How hard to try, and what to do where there is a choice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    pub holds: Holds,
    /// Creates whatever is there already.
    pub new_attempt: bool,
    /// Ends once there is a session.
    pub detach: bool,
    /// How long to look for a session whose create was answered unclearly.
    pub reconcile_window: Duration,
    /// Creates once more when that has found nothing.
    pub create_again: bool,
    pub on_session_limit: OnSessionLimit,
    pub on_new_alerts: OnNewAlerts,
    pub on_timeout: OnTimeout,
    #[serde(default)]
    pub on_resolved: OnResolved,
    pub poll_interval: Duration,
    /// How many polls there are at most. One that fails is none.
    pub max_polls: u32,
    /// How many further polls an end without a pull request is given for one to appear.
    pub pr_grace: u32,
}

/// What to do where the organization runs as many sessions as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnSessionLimit {
    Wait,
    Fail,
}

/// What to do when alerts have joined a group whose session is at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnNewAlerts {
    Message,
    Start,
    Ignore,
}

/// What becomes of a session that is still at work when the polls are used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnTimeout {
    Leave,
    Terminate,
}

/// What becomes of a session that is at work when its alert is resolved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnResolved {
    /// It is told in the log, and the session goes on.
    #[default]
    Annotate,
    /// The session is told.
    Message,
    /// The session is ended if this job has made it.
    Terminate,
    /// Nothing is said.
    Ignore,
}
