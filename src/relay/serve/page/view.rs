//! What the pages are made of. Moments are Unix milliseconds. Pure.

use super::action::Action;
use super::filter::Filter;
use super::frame::Frame;

/// Everything that `/` shows.
#[derive(Debug, Clone)]
pub struct Overview {
    pub frame: Frame,
    pub filter: Filter,
    pub choices: Choices,
    pub tally: Tally,
    pub alerts: Vec<AlertRow>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
    pub storms: Vec<StormRow>,
    pub limits: Vec<Limit>,
    pub refusals: Vec<Refusal>,
    pub kill_switch: Option<String>,
    pub integrations: Vec<Integration>,
    pub rules: Vec<RuleRow>,
    pub routes: Vec<Route>,
    /// The oldest first, without gaps.
    pub days: Vec<Day>,
    pub to_pull_request: ToPullRequest,
    pub costs: Vec<RuleCost>,
}

/// What can be chosen in the filter.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    pub rules: Vec<String>,
    pub integrations: Vec<String>,
    pub routes: Vec<String>,
}

/// How many jobs stand how, now; what came of today (UTC).
#[derive(Debug, Clone, Default)]
pub struct Tally {
    pub working: u64,
    pub waiting: u64,
    pub blocked: u64,
    pub pull_requests_today: u64,
    pub dropped_today: u64,
    pub acus_today: f64,
}

/// One line of the list.
#[derive(Debug, Clone, Default)]
pub struct AlertRow {
    pub tag: String,
    pub title: String,
    pub route: String,
    pub severity: Option<String>,
    pub is_resolved: bool,
    pub first_at: i64,
    pub last_at: i64,
    /// Its last one.
    pub job: Option<JobRow>,
}

/// A job, as far as it is shown.
#[derive(Debug, Clone, Default)]
pub struct JobRow {
    pub rule: String,
    pub integration: String,
    pub phase: String,
    pub created_at: i64,
    pub settled_at: Option<i64>,
    pub status: Option<String>,
    pub result: Option<String>,
    pub reason: Option<String>,
    pub session: Option<Session>,
    pub pr_url: Option<String>,
    pub acus: Option<f64>,
    pub waits: Option<Waits>,
}

/// A session in Devin.
#[derive(Debug, Clone, Default)]
pub struct Session {
    /// Without one, the session is named by its identifier.
    pub url: Option<String>,
    pub id: String,
}

/// Why nothing is done about a job for now.
#[derive(Debug, Clone, Default)]
pub struct Waits {
    /// The gate; `None` where something else holds it up.
    pub gate: Option<String>,
    pub reason: String,
    /// When it is asked again at the latest.
    pub until: Option<i64>,
}

/// Many alerts that are one incident.
#[derive(Debug, Clone, Default)]
pub struct StormRow {
    pub rule: String,
    pub detected_at: i64,
    pub state: StormState,
    /// The tag and the title of each.
    pub members: Vec<(String, String)>,
    /// How many more there are.
    pub more: u64,
    /// The tag of the one whose session is told of all.
    pub root: Option<String>,
}

/// How far a storm has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StormState {
    /// Alerts join it.
    #[default]
    Collecting,
    /// One session was chosen for all of them, and has not started yet.
    Triaging,
    Dispatched,
}

/// A limit, and how much of it is taken.
#[derive(Debug, Clone, Default)]
pub struct Limit {
    /// `bridge`, or a name with its kind: `rule checkout`.
    pub scope: String,
    /// `sessions at once`
    pub what: String,
    pub used: f64,
    pub of: f64,
    /// When there is room again, in Unix milliseconds; `None` where there is now, or where nobody knows.
    pub free_at: Option<i64>,
}

/// An alert that a gate turned away.
#[derive(Debug, Clone, Default)]
pub struct Refusal {
    pub at: i64,
    /// `None` for an alert that no rule took: it has no page.
    pub tag: Option<String>,
    /// `None` where it is not known.
    pub title: Option<String>,
    pub key: String,
    pub gate: String,
    pub reason: String,
}

/// Whether something works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    Good,
    /// Not known yet, or not used yet.
    Unknown,
    Bad,
}

/// An organization of Devin.
#[derive(Debug, Clone)]
pub struct Integration {
    pub name: String,
    pub health: Health,
    /// `ready`, or what is wrong and what to do.
    pub text: String,
    /// Since when it stands so.
    pub since: Option<i64>,
    /// Since when a person has paused it.
    pub paused_at: Option<i64>,
    /// `None` unless its quota is used up.
    pub quota: Option<Quota>,
}

/// That no session can work for want of quota, as the last ones have shown.
#[derive(Debug, Clone, Copy)]
pub struct Quota {
    pub since: i64,
    /// From when on a start is tried again.
    pub next_at: i64,
}

/// A rule of the file.
#[derive(Debug, Clone, Default)]
pub struct RuleRow {
    pub id: String,
    pub integration: String,
    pub is_enabled: bool,
    pub paused_at: Option<i64>,
}

/// Where deliveries come in.
#[derive(Debug, Clone, Default)]
pub struct Route {
    pub name: String,
    pub sender: String,
    pub last_delivery_at: Option<i64>,
    /// Deliveries of the last day of which nothing could be made.
    pub unrecognized: u64,
    /// Deliveries that were refused since the start: when the last one was, how many there were, and why.
    pub refused: Option<(i64, u64, String)>,
}

/// What happened on a day (UTC).
#[derive(Debug, Clone, Default)]
pub struct Day {
    /// `2026-11-28`
    pub date: String,
    /// Sessions that began.
    pub sessions: u64,
    /// Alerts that ended so.
    pub pull_requests: u64,
    pub done: u64,
    pub blocked: u64,
    pub dropped: u64,
    /// From an alert to its pull request.
    pub to_pull_request: ToPullRequest,
}

/// How long it takes from an alert to its pull request.
#[derive(Debug, Clone, Copy, Default)]
pub struct ToPullRequest {
    /// So many there were.
    pub count: u64,
    /// Half of them came within this.
    pub half_ms: i64,
    /// Nine of ten came within this.
    pub most_ms: i64,
}

/// What the sessions of a rule consumed in the days that are shown.
#[derive(Debug, Clone, Default)]
pub struct RuleCost {
    pub rule: String,
    pub acus: f64,
}

/// Everything that the page of an alert shows.
#[derive(Debug, Clone)]
pub struct AlertPage {
    pub frame: Frame,
    pub alert: AlertRow,
    pub key: String,
    /// Its jobs, the newest first.
    pub jobs: Vec<JobRow>,
    /// The oldest first.
    pub timeline: Vec<Moment>,
    /// That of the last job; `None` where there is none.
    pub prompt: Option<Prompt>,
    /// Until when a person keeps it from starting sessions.
    pub suppressed_until: Option<i64>,
    /// What can be done about it now, in the order of the buttons.
    pub actions: Vec<Action>,
}

/// What a session is asked.
#[derive(Debug, Clone, Default)]
pub struct Prompt {
    pub text: String,
    /// Whether a session was sent it.
    pub is_sent: bool,
}

/// Something that happened to an alert.
#[derive(Debug, Clone, Default)]
pub struct Moment {
    pub at: i64,
    /// `delivery`, `gate`, `session`, `action`, or `outcome` with its status …
    pub kind: String,
    pub text: String,
    pub detail: Option<String>,
    /// The delivery whose body may be read by whoever may.
    pub delivery: Option<String>,
    /// The notification that was given up, and can be sent again by whoever may.
    pub given_up: Option<String>,
}
