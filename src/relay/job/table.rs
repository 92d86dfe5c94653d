//! The state machine as a table of phases, observations and actions, which the design shows and tests hold. Pure.

use super::{Action, Observation, Phase};

/// A phase, an observation, and what may follow: each a next phase with the action after the reports.
pub const ROWS: &[(&str, &str, &str)] = &[];

/// [`ROWS`] in Markdown.
pub fn table() -> String {
    let rows = ROWS.iter().map(|(phase, observation, next)| format!("| {phase} | {observation} | {next} |\n"));
    format!("| Phase | Observation | Next: phase (action) |\n|---|---|---|\n{}", rows.collect::<String>())
}

impl Phase {
    /// Its word.
    pub fn name(&self) -> &'static str {
        match self {
            Phase::Received => "received",
            Phase::Finding { .. } => "finding",
            Phase::Creating { .. } => "creating",
            Phase::Reconciling(_) => "reconciling",
            Phase::Watching(_) => "watching",
            Phase::Settled(_) => "settled",
        }
    }
}

impl Observation {
    /// Its words.
    pub fn name(&self) -> &'static str {
        match self {
            Observation::Started => "started",
            Observation::SessionsFound(_) => "sessions found",
            Observation::FindFailed(_) => "find failed",
            Observation::Created(_) => "created",
            Observation::CreateRefused(_) => "create refused",
            Observation::CreateLimited(..) => "create limited",
            Observation::CreateUnclear(_) => "create unclear",
            Observation::SessionPolled(_) => "session polled",
            Observation::PollFailed(_) => "poll failed",
            Observation::Tagged(_) => "tagged",
            Observation::Terminated(_) => "terminated",
            Observation::Messaged(_) => "messaged",
            Observation::WaitOver => "wait over",
            Observation::AlertResolved => "alert resolved",
            Observation::NewAlerts(_) => "new alerts",
            Observation::StopAsked => "stop asked",
        }
    }
}

impl Action {
    /// Its word.
    pub fn name(&self) -> &'static str {
        match self {
            Action::Find(_) => "find",
            Action::Create(_) => "create",
            Action::Poll { .. } => "poll",
            Action::Tag { .. } => "tag",
            Action::Terminate { .. } => "terminate",
            Action::Message { .. } => "message",
            Action::WaitUntil(_) => "wait until",
            Action::Report(_) => "report",
        }
    }
}
