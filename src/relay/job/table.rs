//! The state machine as a table of phases, observations and actions, which the design shows and tests hold. Pure.

use super::{Action, Observation, Phase};

/// A phase, an observation, and what may follow: each a next phase with the action after the reports. An observation that
/// does not fit its phase changes nothing, and what was to be done is to be done still.
pub const ROWS: &[(&str, &str, &str)] = &[
    ("received", "alert resolved", "settled"),
    ("received", "end asked", "finding (find)"),
    ("received", "new alerts", "finding (find)"),
    ("received", "started", "finding (find)"),
    ("received", "stop asked", "settled"),
    ("finding", "alert resolved", "finding (find), settled"),
    ("finding", "end asked", "finding (find)"),
    ("finding", "find failed", "settled"),
    ("finding", "new alerts", "finding (find)"),
    ("finding", "sessions found", "creating (create), finding (find), settled, watching (message), watching (poll)"),
    ("finding", "started", "finding (find)"),
    ("finding", "stop asked", "settled"),
    ("creating", "alert resolved", "creating, settled"),
    ("creating", "create limited", "creating (wait until), settled"),
    ("creating", "create refused", "finding (find), settled"),
    ("creating", "create unclear", "reconciling (find)"),
    ("creating", "created", "settled, watching (message), watching (tag), watching (wait until)"),
    ("creating", "end asked", "creating, creating (wait until)"),
    ("creating", "new alerts", "creating, creating (wait until)"),
    ("creating", "started", "creating (wait until), reconciling (find)"),
    ("creating", "stop asked", "settled"),
    ("creating", "wait over", "finding (find)"),
    ("reconciling", "alert resolved", "reconciling (find), reconciling (wait until)"),
    ("reconciling", "end asked", "reconciling (find), reconciling (wait until)"),
    ("reconciling", "find failed", "reconciling (wait until), settled"),
    ("reconciling", "new alerts", "reconciling (find), reconciling (wait until)"),
    (
        "reconciling",
        "sessions found",
        "finding (find), reconciling (find), reconciling (wait until), settled, watching (message), watching (tag), watching (wait until)",
    ),
    ("reconciling", "started", "reconciling (find)"),
    ("reconciling", "stop asked", "reconciling (find), settled"),
    ("reconciling", "wait over", "reconciling (find)"),
    (
        "watching",
        "alert resolved",
        "watching (find), watching (message), watching (poll), watching (tag), watching (terminate)",
    ),
    (
        "watching",
        "end asked",
        "watching (find), watching (message), watching (poll), watching (tag), watching (terminate)",
    ),
    (
        "watching",
        "find failed",
        "settled, watching (find), watching (message), watching (poll), watching (tag), watching (wait until)",
    ),
    (
        "watching",
        "messaged",
        "settled, watching (find), watching (message), watching (poll), watching (tag), watching (wait until)",
    ),
    (
        "watching",
        "new alerts",
        "watching (find), watching (message), watching (poll), watching (tag), watching (terminate), watching (wait until)",
    ),
    (
        "watching",
        "poll failed",
        "settled, watching (find), watching (message), watching (poll), watching (tag), watching (terminate), watching (wait until)",
    ),
    (
        "watching",
        "session polled",
        "finding (find), settled, watching (find), watching (message), watching (poll), watching (tag), watching (terminate), watching (wait until)",
    ),
    (
        "watching",
        "sessions found",
        "settled, watching (find), watching (message), watching (poll), watching (tag), watching (wait until)",
    ),
    (
        "watching",
        "started",
        "watching (find), watching (message), watching (poll), watching (tag), watching (terminate)",
    ),
    ("watching", "stop asked", "settled"),
    (
        "watching",
        "tagged",
        "settled, watching (find), watching (message), watching (poll), watching (tag), watching (terminate), watching (wait until)",
    ),
    (
        "watching",
        "terminated",
        "settled, watching (find), watching (message), watching (poll), watching (tag), watching (wait until)",
    ),
    ("watching", "wait over", "watching (find), watching (poll), watching (tag), watching (terminate)"),
];

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
            Observation::EndAsked(_) => "end asked",
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
