//! From a delivery's bytes to what is kept of it: its alerts, and the job that each would have. Pure: identifiers are drawn by
//! the caller.

mod beside;
mod choosing;
mod considering;

use chrono::DateTime;

use super::rules::{DEFAULT, Route, Rule, Rules};
use super::store::{Entry, EntryState, NewDelivery, NewJob, Verdict, body_hash};
use crate::devin::session::NewSession;
use crate::relay::alert::without_secrets;
use crate::relay::alert::{Alert, State, tag_in};
use crate::relay::inbound::{self, Grouping, Problem, Reading};
use crate::relay::job::Job;
use crate::relay::names::Names;
use crate::relay::prompt::{Key, LONGEST_TITLE, dedupe_key, shown_key, words};
use crate::relay::request::request;
use crate::relay::text::plain_line;
pub use considering::{TAKES, consider};
use redact::Redactor;

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
    match found(rules, route, &body, headers) {
        Ok(found) => {
            delivery.sender_id.clone_from(&found[0].1.delivery_id);
            for note in found.iter().flat_map(|(_, found)| notes_on(found, redactor)) {
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
            let maker = Maker { rules, redactor, draw, occurred_at: moments(&found[0].1) };
            let chosen = choosing::choose(rules, route, found);
            let mut failed = Vec::new();
            for (rule, alerts) in &chosen.taken {
                let firing = alerts.iter().filter(|(_, alert)| alert.state.is_firing()).count();
                if firing > rule.max_sessions {
                    return Err(Unreadable::TooLarge(format!(
                        "the delivery holds {firing} alerts that fire, more than the {} sessions that max_sessions allows; none was started",
                        rule.max_sessions
                    )));
                }
                for (key, alert) in alerts {
                    match maker.entry(rule, key, alert, &mut notes) {
                        Ok(entry) => delivery.entries.push(entry),
                        Err(reason) => failed.push(reason),
                    }
                }
            }
            delivery.entries.extend(chosen.resolved.iter().map(|(rule, key, alert)| maker.elsewhere(rule, key, alert)));
            delivery.entries.extend(chosen.unmatched.iter().map(|alert| maker.unmatched(alert)));
            notes.extend(chosen.warnings.iter().map(|warning| redactor.redact(warning).into_owned()));
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

/// What the body holds, for each way that a rule wants alerts.
///
/// # Errors
/// Where none of them can read it.
fn found(
    rules: &Rules,
    route: &Route,
    body: &[u8],
    headers: &[(&str, &str)],
) -> Result<Vec<(Grouping, inbound::Delivery)>, Problem> {
    let (mut found, mut failed) = (Vec::new(), None);
    for grouping in rules.groupings() {
        let reading = Reading { format: route.format, grouping, mapping: route.mapping.as_ref() };
        match inbound::read(body, headers, reading) {
            Ok(one) => found.push((grouping, one)),
            Err(problem) => failed = failed.or(Some(problem)),
        }
    }
    match failed {
        Some(problem) if found.is_empty() => Err(problem),
        _ => Ok(found),
    }
}

/// When what a delivery tells of happened: as it says itself, and as its newest alert does.
fn moments(found: &inbound::Delivery) -> (Option<i64>, Option<i64>) {
    (found.occurred_at.as_deref().and_then(moment), found.newest_change.as_deref().and_then(moment))
}

/// Makes the entries of one delivery.
struct Maker<'a> {
    rules: &'a Rules,
    redactor: &'a Redactor,
    draw: &'a dyn Fn() -> String,
    occurred_at: (Option<i64>, Option<i64>),
}

impl Maker<'_> {
    /// An alert that a rule takes.
    fn entry(&self, rule: &Rule, key: &str, alert: &Alert, notes: &mut Vec<String>) -> Result<Entry, String> {
        let (redactor, draw) = (self.redactor, self.draw);
        let namespace = namespace(self.rules, rule);
        let shown = self.shown(rule, key, alert);
        let key = Key { hashed: key, shown: &shown };
        let words = match words(alert, key, &namespace, rule.prompt_template.as_ref(), redactor) {
            Err(problem) if rule.prompt_template.is_some() => {
                notes.push(redactor.redact(&format!("{problem}; the default prompt takes its place")).into_owned());
                words(alert, key, &namespace, None, redactor)
            }
            words => words,
        };
        let words = words.map_err(|problem| format!("no prompt can be made of the alert: {problem}"))?;
        let tag = tag_in(&namespace, key.hashed);
        let state = match &alert.state {
            State::Firing => {
                let title = rule.session.title.clone().or_else(|| Some(words.title.clone()));
                let repos = choosing::repos(rule, alert, redactor, notes);
                let new = NewSession { prompt: words.prompt, title, repos, ..rule.session.clone() };
                let request = request(Names::new(tag.clone(), draw()), new, alert);
                let job = Job::new(format!("job-{}", draw()), shown.clone(), request, rule.policy.clone());
                let gates = rule.gates.clone();
                let (integration, severity) = (rule.integration.clone(), alert.severity);
                EntryState::Firing(Box::new(NewJob { integration, job, gates, severity }))
            }
            State::Resolved => EntryState::Resolved,
            state => EntryState::Other(redactor.redact(state.name()).into_owned()),
        };
        let siblings = if alert.state.is_firing() { self.siblings(rule, alert) } else { Vec::new() };
        Ok(Entry { siblings, ..self.kept(tag, (shown, words.title), alert, state) })
    }

    /// A resolved alert, for a rule that may have taken it when it fired.
    fn elsewhere(&self, rule: &Rule, key: &str, alert: &Alert) -> Entry {
        let tag = tag_in(&namespace(self.rules, rule), key);
        self.kept(tag, (self.shown(rule, key, alert), self.title(alert)), alert, EntryState::ResolvedIfKnown)
    }

    /// An alert that no rule takes.
    fn unmatched(&self, alert: &Alert) -> Entry {
        let key = alert.dedupe_key(&[]);
        let shown = alert.shown_key(&key, self.redactor);
        let tag = tag_in(&format!("\n{}\n", self.rules.namespace), &key);
        let reason = match alert.state {
            // Where a session is known, it hears of it all the same.
            State::Resolved => format!("it is resolved, and {}", choosing::UNMATCHED),
            _ => choosing::UNMATCHED.to_string(),
        };
        self.kept(tag, (shown, self.title(alert)), alert, EntryState::Unwanted(reason))
    }

    fn kept(&self, tag: String, (dedupe_key, title): (String, String), alert: &Alert, state: EntryState) -> Entry {
        let (told_at, changed_at) = self.occurred_at;
        let occurred_at = told_at.or(changed_at).or_else(|| alert.started_at.as_deref().and_then(moment));
        Entry { tag, dedupe_key, title, occurred_at, is_told_at: told_at.is_some(), state, siblings: Vec::new() }
    }

    fn title(&self, alert: &Alert) -> String {
        plain_line(&without_secrets(alert, self.redactor).0.title, LONGEST_TITLE)
    }

    /// The key as it may be shown. One that the sender made took the place of a template that could not be filled in.
    fn shown(&self, rule: &Rule, key: &str, alert: &Alert) -> String {
        match &rule.dedupe_key {
            Some(template) if dedupe_key(template, alert).is_ok() => shown_key(template, alert, self.redactor),
            _ => alert.shown_key(key, self.redactor),
        }
    }

    /// The tags that the alert has by the other rules of the group, where their sessions belong to the same organization.
    fn siblings(&self, rule: &Rule, alert: &Alert) -> Vec<String> {
        let is_sibling =
            |other: &&Rule| other.group == rule.group && other.id != rule.id && other.integration == rule.integration;
        let siblings = self.rules.rules.iter().filter(is_sibling);
        siblings.map(|other| tag_in(&namespace(self.rules, other), &choosing::key(other, alert).0)).collect()
    }
}

/// The same alert of two integrations, of two namespaces, or by two rules has two sessions. A rule that is called as the only
/// one of a file without a list has what that one had.
fn namespace(rules: &Rules, rule: &Rule) -> String {
    match rule.id.as_str() {
        DEFAULT => format!("{}\n{}", rule.integration, rules.namespace),
        id => format!("{}\n{}\n{id}", rule.integration, rules.namespace),
    }
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
