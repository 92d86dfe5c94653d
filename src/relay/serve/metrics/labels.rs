//! What labels may say: names of the rules file, and words of closed lists. Nothing that somebody else wrote ever becomes a label.
//! Pure.

use serde::Serialize;

use crate::relay::error_report::Code;
use crate::relay::outcome::OutcomeKind;
use crate::relay::serve::auth::Refusal;
use crate::relay::serve::gates::{Gate, Limits};
use crate::relay::serve::rules::Rules;
use crate::relay::serve::store::ScopeKind;

/// What a name becomes that the rules file does not have any more. No name may have parentheses.
pub const OTHER: &str = "(other)";

/// Where no gate holds a job.
pub const NO_GATE: &str = "none";

/// What a delivery may be answered.
pub const ANSWERS: [&str; 11] = [
    "accepted",
    "duplicate",
    "no_alert",
    "confirmed",
    "unrecognized",
    "refused",
    "malformed",
    "too_large",
    "too_slow",
    "not_kept",
    "other",
];

/// What may become of an alert.
pub const TAKEN: [&str; 4] = ["started", "joined", "suppressed", "nothing"];

/// What may become of a try to send a notification.
pub const SENT: [&str; 4] = ["sent", "retried", "dead", "skipped"];

/// Classes of a response's status.
pub const STATUSES: [&str; 7] = ["2xx", "3xx", "4xx", "429", "5xx", "other", "none"];

/// How jobs end that have no outcome: by an error, or with an earlier session that is left alone.
pub const FAILED: &str = "failed";
pub const HELD_BACK: &str = "held_back";

/// A create whose answer does not say whether there is a session.
pub const UNCLEAR: &str = "unclear";

/// One label, or two that say one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Labels {
    Build,
    Route,
    Rule,
    Integration,
    Target,
    Answer,
    Refusal,
    Taken,
    Decision,
    Outcome,
    CreateFailure,
    Trouble,
    Status,
    Sent,
    Waiting,
    Limit,
    Pausable,
}

/// The names of a rules file.
#[derive(Debug, Clone, Default)]
pub struct Names {
    routes: Vec<String>,
    rules: Vec<String>,
    integrations: Vec<String>,
    targets: Vec<(String, &'static str)>,
    limits: Vec<[String; 3]>,
}

impl Names {
    /// Those of these rules, with the integrations that this process works for.
    pub fn of(rules: &Rules, integrations: &[String]) -> Names {
        let limits =
            limits(rules).into_iter().flat_map(|(kind, name, limits)| limits_of(scope_word(kind), name, limits));
        let targets = rules.notify.targets.iter().map(|target| (target.name.clone(), target.kind.name()));
        Names {
            routes: rules.routes.iter().map(|route| route.name.clone()).collect(),
            rules: rules.rules.iter().map(|rule| rule.id.clone()).collect(),
            integrations: integrations.to_vec(),
            targets: targets.collect(),
            limits: limits.collect(),
        }
    }

    /// The kind of a target; `(other)` where there is none of this name.
    pub fn kind_of(&self, target: &str) -> &'static str {
        self.targets.iter().find(|(name, _)| name == target).map_or(OTHER, |(_, kind)| *kind)
    }

    /// The routes.
    pub fn routes(&self) -> &[String] {
        &self.routes
    }

    /// The integrations.
    pub fn integrations(&self) -> &[String] {
        &self.integrations
    }
}

/// Everything that may have limits.
pub fn limits(rules: &Rules) -> Vec<(ScopeKind, &str, &Limits)> {
    let mut limits = vec![(ScopeKind::Bridge, "", &rules.bounds.limits)];
    let of_integrations = rules.bounds.integrations.iter();
    limits.extend(of_integrations.map(|(name, limits)| (ScopeKind::Integration, name.as_str(), limits)));
    limits.extend(rules.rules.iter().map(|rule| (ScopeKind::Rule, rule.id.as_str(), &rule.gates.limits)));
    limits
}

/// What a scope is called.
pub fn scope_word(kind: ScopeKind) -> &'static str {
    match kind {
        ScopeKind::Bridge => "bridge",
        ScopeKind::Integration => "integration",
        ScopeKind::Rule => "rule",
    }
}

/// The word of a limit on starts within some seconds.
pub fn runs_within(seconds: u64) -> String {
    format!("runs_per_{seconds}s")
}

fn limits_of(scope: &str, name: &str, limits: &Limits) -> Vec<[String; 3]> {
    let concurrent = limits.concurrent_sessions.map(|_| "concurrent_sessions".to_string());
    let runs = limits.runs.iter().map(|runs| runs_within(runs.within.as_secs()));
    let acus = limits.acu_per_day.map(|_| "acu_per_day".to_string());
    let all = concurrent.into_iter().chain(runs).chain(acus);
    all.map(|limit| [scope.to_string(), name.to_string(), limit]).collect()
}

impl Labels {
    /// What they are called.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Labels::Build => &["version", "commit"],
            Labels::Route => &["route"],
            Labels::Rule => &["rule"],
            Labels::Integration => &["integration"],
            Labels::Target => &["target", "kind"],
            Labels::Answer => &["answer"],
            Labels::Refusal => &["reason"],
            Labels::Taken => &["taken"],
            Labels::Decision => &["decision", "gate"],
            Labels::Outcome => &["status", "result"],
            Labels::CreateFailure | Labels::Trouble => &["code"],
            Labels::Status => &["status"],
            Labels::Sent => &["result"],
            Labels::Waiting => &["gate"],
            Labels::Limit => &["scope", "name", "limit"],
            Labels::Pausable => &["scope", "name"],
        }
    }

    /// Everything that they may say.
    pub fn values(self, names: &Names) -> Vec<Vec<String>> {
        let one = |value: &str| vec![value.to_string()];
        let two = |first: &str, second: &str| vec![first.to_string(), second.to_string()];
        let all = |words: &[&str]| words.iter().map(|word| one(word)).collect();
        match self {
            Labels::Build => vec![build()],
            Labels::Route => names.routes.iter().map(|name| one(name)).collect(),
            Labels::Rule => names.rules.iter().map(|name| one(name)).collect(),
            Labels::Integration => names.integrations.iter().map(|name| one(name)).collect(),
            Labels::Target => names.targets.iter().map(|(name, kind)| two(name, kind)).collect(),
            Labels::Answer => all(&ANSWERS),
            Labels::Refusal => all(&Refusal::CODES),
            Labels::Taken => all(&TAKEN),
            Labels::Decision => decisions().iter().map(|(decision, gate)| two(decision, gate)).collect(),
            Labels::Outcome => {
                let outcomes = OutcomeKind::ALL.iter().map(|kind| two(kind.status().name(), &word(kind)));
                outcomes.chain([two(FAILED, FAILED), two(HELD_BACK, HELD_BACK)]).collect()
            }
            Labels::CreateFailure => codes().chain([UNCLEAR.to_string()]).map(|code| vec![code]).collect(),
            Labels::Trouble => codes().map(|code| vec![code]).collect(),
            Labels::Status => all(&STATUSES),
            Labels::Sent => all(&SENT),
            Labels::Waiting => {
                let holding = Gate::ALL.iter().filter(|gate| gate.holds()).map(|gate| gate.name());
                holding.chain([NO_GATE]).map(one).collect()
            }
            Labels::Limit => names.limits.iter().map(|limit| limit.to_vec()).collect(),
            Labels::Pausable => {
                let integrations = names.integrations.iter().map(|name| two("integration", name));
                integrations.chain(names.rules.iter().map(|id| two("rule", id))).collect()
            }
        }
    }
}

/// The codes of errors that a request to Devin may have.
fn codes() -> impl Iterator<Item = String> {
    let codes = [
        Code::BadSettings,
        Code::InvalidDevinToken,
        Code::MissingPermission,
        Code::OrganizationUnknown,
        Code::Refused,
        Code::RateLimited,
        Code::SessionLimit,
        Code::ApiTrouble,
        Code::Unreachable,
        Code::NotAsked,
    ];
    codes.into_iter().map(|code| word(&code))
}

/// The word of a value that is one, as it stands in JSON.
pub fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|word| Some(word.as_str()?.to_string())).unwrap_or_default()
}

/// What gates may answer, each with which one does.
fn decisions() -> Vec<(&'static str, &'static str)> {
    let held = Gate::ALL.iter().filter(|gate| gate.holds()).map(|gate| ("hold", gate.name()));
    let refused = Gate::ALL.iter().filter(|gate| gate.refuses()).map(|gate| ("refuse", gate.name()));
    [("start", NO_GATE), ("join", Gate::Storm.name())].into_iter().chain(held).chain(refused).collect()
}

/// The version, and the commit that it is built from; empty where that is not known.
pub fn build() -> Vec<String> {
    let version = env!("SOURCE_DEVIN_AI_VERSION");
    let (version, commit) = version.split_once(" (").unwrap_or((version, ""));
    vec![version.to_string(), commit.trim_end_matches(')').to_string()]
}
