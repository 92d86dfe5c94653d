//! What a rule and `default` may say, and what people write instead. Pure.

use super::limits;
use super::section::Elsewhere;

/// What a rule and `default` may say, beside [`SESSION`] and [`limits::KEYS`].
const OWN: [&str; 20] = [
    "integration",
    "session",
    "dedupe_key",
    "ignore_label",
    "per_alert",
    "fire_on",
    "max_sessions",
    "cooldown",
    "while_pr_open",
    "while_pr_open_max",
    "on_session_limit",
    "on_new_alerts",
    "on_resolved",
    "reconcile_window",
    "create_timeout",
    "poll_interval",
    "max_poll_attempts",
    "pr_grace",
    "on_timeout",
    "notify",
];

/// What sessions are created with: in `session`, or beside the other keys.
pub const SESSION: [&str; 10] = [
    "playbook",
    "repo",
    "knowledge",
    "secret",
    "tag",
    "title",
    "max_acu_limit",
    "devin_mode",
    "structured_output_schema",
    "prompt_template",
];

/// All keys of `default`, in the order in which they are listed to people.
pub fn keys() -> Vec<&'static str> {
    let (integration, others) = OWN.split_at(2);
    integration.iter().chain(&SESSION).chain(others).chain(&limits::KEYS).copied().collect()
}

/// As other tools spell these, and what stands elsewhere.
pub const ELSEWHERE: [Elsewhere; 38] = [
    ("integrationId", "write integration: NAME, the name of one under integrations"),
    ("integrationProvider", "write integration: NAME, the name of one under integrations"),
    ("pollInterval", "write poll_interval: 30s, with its unit"),
    ("maxPollAttempts", "write max_poll_attempts"),
    ("maxAcuLimit", "write max_acu_limit"),
    ("endpoint", "it belongs to the integration"),
    ("apiKey", "write api_key, at the integration"),
    ("api_key", "it belongs to the integration"),
    ("ruleType", "leave it out"),
    ("agentType", "leave it out"),
    ("repository", "write repo: [OWNER/NAME]"),
    ("prompt", "write prompt_template: the path of a file, or the template itself"),
    ("format", "write kind, at the route"),
    ("namespace", "it stands at the top of the file"),
    ("create_again", "write on_create_unknown: retry, at the top of the file"),
    ("require_pr", "leave it out: it changes the exit code of alert-relay run and nothing else"),
    ("detach", "leave it out: every session is followed to its end"),
    ("new_attempt", "leave it out: cooldown: 0s does not hold an alert back"),
    ("delayMinutes", "write delay: 5m, with its unit"),
    ("stormThreshold", "write storm: {threshold: 5}"),
    ("stormWindowSeconds", "write storm: {window: 60s}, with its unit"),
    ("maxImmediateDispatches", "write storm: {immediate: 2}"),
    ("storm_threshold", "write storm: {threshold: 5}"),
    ("storm_window_seconds", "write storm: {window: 60s}, with its unit"),
    ("max_immediate_dispatches", "write storm: {immediate: 2}"),
    ("config", "write its keys into the rule itself"),
    ("autoCreatePr", "leave it out: Devin opens pull requests by itself"),
    ("branchName", "leave it out, or say it in prompt_template"),
    ("autoBranch", "leave it out"),
    ("model", "write devin_mode"),
    ("priority", "leave it out"),
    ("type", "leave it out"),
    ("tags", "write tag: [NAME]"),
    ("repos", "write repo: [OWNER/NAME]"),
    ("playbook_id", "write playbook"),
    ("mode", "write devin_mode"),
    ("repeat", "leave it out: cooldown says when the same alert starts another session"),
    ("repeatPolicy", "leave it out: cooldown says when the same alert starts another session"),
];
