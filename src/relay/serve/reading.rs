//! From a delivery's bytes to what is kept of it: its alerts, and the job that each would have. Pure: identifiers are drawn by
//! the caller.

mod beside;

use chrono::DateTime;

use super::rules::{Route, Rule, Rules};
use super::store::{Entry, EntryState, NewDelivery, NewJob, Verdict, body_hash};
use crate::devin::session::NewSession;
use crate::redact::Redactor;
use crate::relay::alert::{Alert, State, tag_in};
use crate::relay::inbound::{self, Problem, Reading};
use crate::relay::job::Job;
use crate::relay::names::Names;
use crate::relay::prompt::{Key, dedupe_key, shown_key, words};
use crate::relay::request::{one_a_key, request};

const NO_ALERT: &str = "the delivery holds no alert";

/// What a delivery is kept as, and what its sender is told beside that.
pub struct Read {
    pub delivery: NewDelivery,
    /// What was not taken, guessed or counted only, one sentence each.
    pub notes: Vec<String>,
}

/// Why it is not kept at all: sending the same bytes again never helps.
pub enum Unreadable {
    TooLarge(String),
    NotJson(String),
}

/// Reads a delivery. `draw` gives a new identifier each time.
///
/// # Errors
/// When it is no JSON, or too much. What is JSON is kept, recognized or not.
pub fn read(
    rules: &Rules,
    route: &Route,
    body: Vec<u8>,
    headers: &[(&str, &str)],
    redactor: &Redactor,
    draw: &dyn Fn() -> String,
) -> Result<Read, Unreadable> {
    let reading = Reading { format: route.format, grouping: rules.rule.grouping, mapping: route.mapping.as_ref() };
    let mut delivery = NewDelivery {
        id: format!("delivery-{}", draw()),
        route: route.name.clone(),
        sender_id: None,
        body_hash: body_hash(&body),
        verdict: Verdict::Alerts,
        retention: rules.retention,
        entries: Vec::new(),
        body: Vec::new(),
    };
    let mut notes = Vec::new();
    match inbound::read(&body, headers, reading) {
        Ok(found) => {
            delivery.sender_id.clone_from(&found.delivery_id);
            notes = notes_on(&found, redactor);
            let told_at = found.occurred_at.as_deref().and_then(moment);
            let changed_at = found.newest_change.as_deref().and_then(moment);
            // An alert that the rules cannot make a session of is no foreign message: whoever sent it must hear of it.
            let (mut keyed, mut failed) = (Vec::new(), Vec::new());
            for alert in found.alerts {
                match key(&rules.rule, alert) {
                    Ok(one) => keyed.push(one),
                    Err(reason) => failed.push(redactor.redact(&reason).into_owned()),
                }
            }
            let alerts = one_a_key(keyed);
            let firing = alerts.iter().filter(|(_, alert)| alert.state.is_firing()).count();
            if firing > rules.rule.max_sessions {
                return Err(Unreadable::TooLarge(format!(
                    "the delivery holds {firing} alerts that fire, more than the {} sessions that max_sessions allows; none was started",
                    rules.rule.max_sessions
                )));
            }
            for (key, alert) in alerts {
                match entry(rules, &key, &alert, (told_at, changed_at), redactor, draw) {
                    Ok(entry) => delivery.entries.push(entry),
                    Err(reason) => failed.push(reason),
                }
            }
            if delivery.entries.is_empty() {
                delivery.verdict = match failed.first() {
                    Some(reason) => Verdict::Unrecognized(reason.clone()),
                    None => Verdict::NoAlert(notes.first().cloned().unwrap_or_else(|| NO_ALERT.to_string())),
                };
            }
            notes.extend(failed);
        }
        Err(problem) => {
            let said = redactor.redact(&problem.to_string()).into_owned();
            delivery.sender_id = inbound::delivery_id(headers);
            delivery.verdict = match problem {
                Problem::TooLarge { .. } => return Err(Unreadable::TooLarge(said)),
                Problem::Empty | Problem::NotJson { .. } => return Err(Unreadable::NotJson(said)),
                Problem::NotAnAlert { .. } => Verdict::NoAlert(said),
                _ => match beside::no_alert(headers) {
                    Some(reason) => Verdict::NoAlert(redactor.redact(&reason).into_owned()),
                    None => Verdict::Unrecognized(said),
                },
            };
        }
    }
    delivery.body = body;
    Ok(Read { delivery, notes })
}

/// An alert with its key; one in a state that fires by the rule fires.
fn key(rule: &Rule, mut alert: Alert) -> Result<(String, Alert), String> {
    let is_wanted = rule.fire_on.iter().any(|word| word.eq_ignore_ascii_case(alert.state.name()));
    if is_wanted && alert.state != State::Resolved {
        alert.state = State::Firing;
    }
    let key = match &rule.dedupe_key {
        None => alert.dedupe_key(&rule.ignored_labels),
        Some(template) => dedupe_key(template, &alert).map_err(|problem| format!("dedupe_key {problem}"))?,
    };
    Ok((key, alert))
}

fn entry(
    rules: &Rules,
    key: &str,
    alert: &Alert,
    (told_at, changed_at): (Option<i64>, Option<i64>),
    redactor: &Redactor,
    draw: &dyn Fn() -> String,
) -> Result<Entry, String> {
    let rule = &rules.rule;
    let namespace = namespace(rules);
    let shown = match &rule.dedupe_key {
        None => alert.shown_key(key, &|text| redactor.redact(text).into_owned()),
        Some(template) => shown_key(template, alert, redactor),
    };
    let words = words(alert, Key { hashed: key, shown: &shown }, &namespace, rule.prompt_template.as_ref(), redactor);
    let words = words.map_err(|problem| format!("no prompt can be made of the alert: {problem}"))?;
    if redactor.contains_own_key(&words.prompt) {
        return Err("the prompt would hold a key of this bridge".to_string());
    }
    let tag = tag_in(&namespace, key);
    let state = match &alert.state {
        State::Firing => {
            let title = rule.session.title.clone().or_else(|| Some(words.title.clone()));
            let new = NewSession { prompt: words.prompt, title, ..rule.session.clone() };
            let request = request(Names::new(tag.clone(), draw()), new, alert);
            let job = Job::new(format!("job-{}", draw()), shown.clone(), request, rule.policy.clone());
            let gates = rule.gates.clone();
            EntryState::Firing(Box::new(NewJob {
                integration: rule.integration.clone(),
                job,
                gates,
                severity: alert.severity,
            }))
        }
        State::Resolved => EntryState::Resolved,
        state => EntryState::Other(redactor.redact(state.name()).into_owned()),
    };
    let occurred_at = told_at.or(changed_at).or_else(|| alert.started_at.as_deref().and_then(moment));
    Ok(Entry { tag, dedupe_key: shown, title: words.title, occurred_at, is_told_at: told_at.is_some(), state })
}

/// The same alert of two integrations, or of two namespaces, has two sessions.
fn namespace(rules: &Rules) -> String {
    format!("{}\n{}", rules.rule.integration, rules.namespace)
}

fn notes_on(found: &inbound::Delivery, redactor: &Redactor) -> Vec<String> {
    let clean = |text: &str| redactor.redact(text).into_owned();
    let rejected = found
        .rejected
        .iter()
        .map(|part| format!("part {} of the payload is not taken: {}", part.place, clean(&part.problem.to_string())));
    let warnings = found.alerts.iter().flat_map(|alert| &alert.warnings).map(|text| clean(text));
    let more = (found.more > 0).then(|| format!("and {} more alerts, for which no session is created", found.more));
    rejected.chain(warnings).chain(more).collect()
}

fn moment(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.timestamp_millis())
}
