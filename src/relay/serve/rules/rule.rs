//! The rule of a rules file: what is done about an alert, with the options of `alert-relay run`. Pure.

use std::time::Duration;

use serde_json::Value as Json;

use super::node::Value;
use super::section::{Elsewhere, Place, Reader, Section, about_the_key};
use super::{Integration, OnCreateUnknown, Rule};
use crate::devin::session::NewSession;
use crate::relay::engine;
use crate::relay::inbound::Grouping;
use crate::relay::job::{OnNewAlerts, OnResolved, OnSessionLimit, OnTimeout, Policy};
use crate::relay::prior::Holds;
use crate::relay::prompt::Template;
use crate::relay::serve::gates::Gates;
use crate::relay::values::{create_timeout, duration, poll_interval, title, without_secret, word};

pub const KEYS: [&str; 27] = [
    "integration",
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
    "reconcile_window",
    "create_timeout",
    "poll_interval",
    "max_poll_attempts",
    "pr_grace",
    "on_timeout",
];

/// As other tools spell these, and what stands elsewhere.
const ELSEWHERE: [Elsewhere; 18] = [
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
];

/// How long a create may stay unclear before it is created again, at least: lists lag.
const SHORTEST_RETRY: Duration = Duration::from_secs(600);

/// The largest schema that the API takes, in bytes.
const LARGEST_SCHEMA: usize = 64 << 10;

/// The rule where the file says nothing.
pub fn standard(integration: String, on_create_unknown: OnCreateUnknown) -> Rule {
    Rule {
        integration,
        session: NewSession::default(),
        prompt_template: None,
        dedupe_key: None,
        ignored_labels: Vec::new(),
        grouping: Grouping::Group,
        fire_on: Vec::new(),
        max_sessions: 20,
        create_timeout: Duration::from_secs(60),
        policy: Policy {
            holds: Holds { cooldown: Duration::from_secs(3600), while_pr_open: Some(Duration::from_secs(168 * 3600)) },
            new_attempt: false,
            detach: false,
            reconcile_window: SHORTEST_RETRY,
            create_again: on_create_unknown == OnCreateUnknown::Retry,
            on_session_limit: OnSessionLimit::Wait,
            on_new_alerts: OnNewAlerts::Message,
            on_timeout: OnTimeout::Leave,
            on_resolved: OnResolved::Annotate,
            poll_interval: Duration::from_secs(30),
            max_polls: 120,
            pr_grace: 3,
        },
        gates: Gates::open("default"),
    }
}

/// Reads a rule into `rule`, which holds what is done where it says nothing.
pub fn rule<'a>(place: &Place<'a>, integrations: &[Integration], rule: &mut Rule, reader: &mut Reader<'a>) {
    let Some(section) = reader.section(place, &KEYS, &ELSEWHERE) else { return };
    integration(&section, integrations, rule, reader);
    session(&section, rule, reader);
    alerts(&section, rule, reader);
    // Only on this machine is there anything that is no Devin.
    let is_real = integrations.iter().any(|integration| integration.api_url.starts_with("https://"));
    policy(&section, &mut rule.policy, is_real, reader);
    if let Some(timeout) = section.get("create_timeout", reader).and_then(|place| reader.time(&place, create_timeout)) {
        rule.create_timeout = timeout;
    }
}

fn integration<'a>(section: &Section<'a>, integrations: &[Integration], rule: &mut Rule, reader: &mut Reader<'a>) {
    let names: Vec<&str> = integrations.iter().map(|integration| integration.name.as_str()).collect();
    match section.get("integration", reader) {
        Some(place) => {
            let choices: Vec<(&str, &str)> = names.iter().map(|name| (*name, *name)).collect();
            if let Some(name) = reader.choice(&place, &choices) {
                rule.integration = name.to_string();
            }
        }
        None if names.len() > 1 => {
            let message = format!("is missing: give one of {}", names.join(", "));
            reader.problem_at(section.line, &format!("{}.integration", section.key), message);
        }
        None => {}
    }
}

/// What a session is created with.
fn session<'a>(section: &Section<'a>, rule: &mut Rule, reader: &mut Reader<'a>) {
    let new = &mut rule.session;
    let mut one = |name: &str, check: fn(&str) -> Result<String, String>| {
        let place = section.get(name, reader)?;
        let text = reader.checked(&place, check)?;
        reader.sendable(&place, text)
    };
    new.playbook_id = one("playbook", without_secret);
    new.title = one("title", title);
    new.devin_mode = one("devin_mode", without_secret);
    let mut many = |name: &str, check: fn(&str) -> Result<String, String>| {
        let Some(place) = section.get(name, reader) else { return Vec::new() };
        let texts = reader.each(&place, check);
        texts.into_iter().filter_map(|text| reader.sendable(&place, text)).collect::<Vec<String>>()
    };
    new.repos = many("repo", without_secret);
    new.knowledge_ids = many("knowledge", without_secret);
    new.secret_ids = many("secret", without_secret);
    new.tags = many("tag", word);
    let limit = section.get("max_acu_limit", reader);
    new.max_acu_limit = limit.and_then(|place| reader.number(&place, 1..=u32::MAX));
    let schema = section.get("structured_output_schema", reader);
    new.structured_output_schema = schema.and_then(|place| schema_of(&place, reader));
    rule.prompt_template = section.get("prompt_template", reader).and_then(|place| template(&place, reader));
}

/// Which alerts there are, and which of them are one.
fn alerts<'a>(section: &Section<'a>, rule: &mut Rule, reader: &mut Reader<'a>) {
    rule.dedupe_key = section.get("dedupe_key", reader).and_then(|place| reader.checked(&place, dedupe_key));
    let mut many = |name: &str| section.get(name, reader).map(|place| reader.each(&place, word)).unwrap_or_default();
    rule.ignored_labels = many("ignore_label");
    rule.fire_on = many("fire_on");
    if let Some(true) = section.get("per_alert", reader).and_then(|place| reader.flag(&place)) {
        rule.grouping = Grouping::PerAlert;
    }
    if let Some(number) = section.get("max_sessions", reader).and_then(|place| reader.number(&place, 1..=1000)) {
        rule.max_sessions = number as usize;
    }
}

/// How hard to try, and what to do where there is a choice.
fn policy<'a>(section: &Section<'a>, policy: &mut Policy, is_real: bool, reader: &mut Reader<'a>) {
    let time =
        |name: &str, reader: &mut Reader<'a>| section.get(name, reader).and_then(|place| reader.time(&place, duration));
    if let Some(cooldown) = time("cooldown", reader) {
        policy.holds.cooldown = cooldown;
    }
    if let Some(longest) = time("while_pr_open_max", reader) {
        policy.holds.while_pr_open = Some(longest);
    }
    if let Some(place) = section.get("while_pr_open", reader)
        && reader.choice(&place, &[("hold", true), ("start", false)]) == Some(false)
    {
        policy.holds.while_pr_open = None;
    }
    set(&mut policy.on_session_limit, section, "on_session_limit", reader, |place, reader| {
        reader.choice(place, &[("wait", OnSessionLimit::Wait), ("fail", OnSessionLimit::Fail)])
    });
    set(&mut policy.on_new_alerts, section, "on_new_alerts", reader, |place, reader| {
        let choices =
            [("message", OnNewAlerts::Message), ("start", OnNewAlerts::Start), ("ignore", OnNewAlerts::Ignore)];
        reader.choice(place, &choices)
    });
    set(&mut policy.on_timeout, section, "on_timeout", reader, |place, reader| {
        reader.choice(place, &[("leave", OnTimeout::Leave), ("terminate", OnTimeout::Terminate)])
    });
    set(&mut policy.poll_interval, section, "poll_interval", reader, |place, reader| reader.time(place, poll_interval));
    set(&mut policy.max_polls, section, "max_poll_attempts", reader, |place, reader| reader.number(place, 1..=1000));
    set(&mut policy.pr_grace, section, "pr_grace", reader, |place, reader| reader.number(place, 0..=1000));
    let again = policy.create_again;
    set(&mut policy.reconcile_window, section, "reconcile_window", reader, |place, reader| {
        let window = reader.time(place, duration)?;
        if again && is_real && window < SHORTEST_RETRY {
            let message = "must be at least 10m where on_create_unknown is retry: lists lag, and a session would be created twice";
            reader.problem(place, message);
        }
        Some(window)
    });
}

/// Sets what a key says, where it says something.
fn set<'a, T>(
    value: &mut T,
    section: &Section<'a>,
    name: &str,
    reader: &mut Reader<'a>,
    read: impl Fn(&Place<'a>, &mut Reader<'a>) -> Option<T>,
) {
    if let Some(found) = section.get(name, reader).and_then(|place| read(&place, reader)) {
        *value = found;
    }
}

/// A template over the alert: a text that stays the same would make all alerts one.
fn dedupe_key(text: &str) -> Result<String, String> {
    let key = word(text)?;
    if !key.contains("{{") {
        return Err("would give all alerts one key: use a template, such as '{{ labels.service }}'".to_string());
    }
    engine::check(&key).map_err(|fault| format!("is not a usable template: {}", fault.detail))?;
    Ok(key)
}

/// A template that stands here, or in the file that is named.
fn template<'a>(place: &Place<'a>, reader: &mut Reader<'a>) -> Option<Template> {
    let given = reader.text(place)?;
    let text = if given.contains(['\n', '{']) { given.to_string() } else { reader.file(place, given)? };
    let parsed = Template::parse(&text).map_err(|problem| format!("is not usable: {problem}"));
    let parsed = parsed.and_then(|parsed| without_secret(&text).map_err(about_the_key).map(|_| parsed));
    let template = parsed.map_err(|message| reader.problem(place, message)).ok()?;
    reader.sendable(place, text).map(|_| template)
}

/// A JSON Schema that stands here, or in the file that is named.
fn schema_of<'a>(place: &Place<'a>, reader: &mut Reader<'a>) -> Option<Json> {
    let text = match &place.node.value {
        Value::Map(_) => place.node.json().to_string(),
        _ => {
            let path = reader.text(place)?;
            reader.file(place, path)?
        }
    };
    let parsed = match serde_json::from_str(&text) {
        _ if text.len() > LARGEST_SCHEMA => Err("is larger than 64 KiB, the most that the API takes".to_string()),
        Ok(schema @ Json::Object(_)) => without_secret(&text).map_err(about_the_key).map(|_| schema),
        Ok(_) => Err("must be a JSON object".to_string()),
        Err(error) => Err(format!("is not valid JSON (line {}, column {})", error.line(), error.column())),
    };
    let schema = parsed.map_err(|message| reader.problem(place, message)).ok()?;
    reader.sendable(place, text).map(|_| schema)
}
