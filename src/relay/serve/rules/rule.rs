//! What a rule and `default` have in common: what is done about an alert, with the options of `alert-relay run`. Pure.

use std::time::Duration;

use super::matching::Match;
use super::section::{Place, Reader, Section};
use super::{DEFAULT, Integration, OnCreateUnknown, Rule, SANDBOX, limits, notify, session};
use crate::devin::session::NewSession;
use crate::relay::alert::State;
use crate::relay::inbound::Grouping;
use crate::relay::job::{OnNewAlerts, OnResolved, OnSessionLimit, OnTimeout, Policy};
use crate::relay::prior::Holds;
use crate::relay::serve::gates::Gates;
use crate::relay::serve::notify::Target;
use crate::relay::values::{create_timeout, duration, poll_interval, word};

/// How long a create may stay unclear before it is created again, at least: lists lag.
const SHORTEST_RETRY: Duration = Duration::from_secs(600);

/// How long a create may take.
pub const CREATE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long an open pull request holds its alert back, at most.
const LONGEST_HOLD: Duration = Duration::from_secs(168 * 3600);

/// A rule while it is read.
#[derive(Debug, Clone)]
pub struct Draft {
    pub rule: Rule,
    /// Whether the file says to which integration it belongs.
    pub has_integration: bool,
    pub budget: Option<limits::Budget>,
}

/// The rule where the file says nothing.
pub fn standard(integration: String, on_create_unknown: OnCreateUnknown) -> Rule {
    Rule {
        id: DEFAULT.to_string(),
        group: DEFAULT.to_string(),
        is_enabled: true,
        matching: Match::default(),
        integration,
        session: NewSession::default(),
        prompt_template: None,
        dedupe_key: None,
        ignored_labels: Vec::new(),
        grouping: Grouping::Group,
        fire_on: Vec::new(),
        max_sessions: 20,
        create_timeout: CREATE_TIMEOUT,
        policy: Policy {
            holds: Holds { cooldown: Duration::from_secs(3600), while_pr_open: Some(LONGEST_HOLD) },
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

/// Reads what a section says into `draft`, which holds what is done where it says nothing.
pub fn rule<'a>(
    section: &Section<'a>,
    (integrations, targets): (&[Integration], &[Target]),
    draft: &mut Draft,
    reader: &mut Reader<'a>,
) {
    let rule = &mut draft.rule;
    if let Some(place) = section.get("integration", reader) {
        let choices: Vec<(&str, &str)> = integrations.iter().map(|known| (&*known.name, &*known.name)).collect();
        if choices.is_empty() {
            // What is missing is told elsewhere; a sandbox has one without being told.
            let is_it = |text: &str| {
                if text == SANDBOX {
                    Ok(())
                } else {
                    Err(format!("must be {SANDBOX}, as the file has no integrations"))
                }
            };
            draft.has_integration = reader.checked(&place, is_it).is_some();
        } else if let Some(name) = reader.choice(&place, &choices) {
            rule.integration = name.to_string();
            draft.has_integration = true;
        }
    }
    session::session(section, rule, reader);
    alerts(section, rule, reader);
    // Only on this machine is there anything that is no Devin.
    let is_real = integrations.iter().any(|integration| integration.api_url.starts_with("https://"));
    policy(section, &mut rule.policy, is_real, reader);
    if let Some(timeout) = section.get("create_timeout", reader).and_then(|place| reader.time(&place, create_timeout)) {
        rule.create_timeout = timeout;
    }
    limits::gates(section, &mut rule.gates, &mut draft.budget, reader);
    if let Some(place) = section.get("notify", reader) {
        rule.gates.notify = notify::subscriptions(&place, targets, reader);
    }
}

/// Which alerts there are, and which of them are one.
fn alerts<'a>(section: &Section<'a>, rule: &mut Rule, reader: &mut Reader<'a>) {
    if let Some(key) = section.get("dedupe_key", reader).and_then(|place| reader.checked(&place, dedupe_key)) {
        rule.dedupe_key = Some(key);
    }
    if let Some(place) = section.get("ignore_label", reader) {
        rule.ignored_labels = reader.each(&place, word);
    }
    if let Some(place) = section.get("fire_on", reader) {
        rule.fire_on = reader.each(&place, word);
        for word in &rule.fire_on {
            if word != State::Test.name() && State::known(word).is_none() {
                let message = "names a state that no sender is known to send: look at the state that `alert-relay prompt` prints of such an alert";
                reader.warning(&place, message);
            }
        }
    }
    if let Some(is_per_alert) = section.get("per_alert", reader).and_then(|place| reader.flag(&place)) {
        rule.grouping = if is_per_alert { Grouping::PerAlert } else { Grouping::Group };
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
    if let Some(place) = section.get("while_pr_open", reader) {
        match reader.choice(&place, &[("hold", true), ("start", false)]) {
            Some(false) => policy.holds.while_pr_open = None,
            // Where the default starts, and a rule does not.
            Some(true) if policy.holds.while_pr_open.is_none() => policy.holds.while_pr_open = Some(LONGEST_HOLD),
            _ => {}
        }
    }
    set(&mut policy.on_session_limit, section, "on_session_limit", reader, |place, reader| {
        reader.choice(place, &[("wait", OnSessionLimit::Wait), ("fail", OnSessionLimit::Fail)])
    });
    set(&mut policy.on_new_alerts, section, "on_new_alerts", reader, |place, reader| {
        let choices =
            [("message", OnNewAlerts::Message), ("start", OnNewAlerts::Start), ("ignore", OnNewAlerts::Ignore)];
        reader.choice(place, &choices)
    });
    set(&mut policy.on_resolved, section, "on_resolved", reader, |place, reader| {
        let choices = [
            ("annotate", OnResolved::Annotate),
            ("message", OnResolved::Message),
            ("terminate", OnResolved::Terminate),
            ("ignore", OnResolved::Ignore),
        ];
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
    session::usable(&key)?;
    Ok(key)
}
