//! Which rule takes an alert, by which key, and for which repositories. Pure.

use crate::relay::alert::{Alert, State};
use crate::relay::inbound::{Delivery, Grouping};
use crate::relay::prompt::{dedupe_key, line};
use crate::relay::request::one_a_key;
use crate::relay::serve::rules::{Route, Rule, Rules, is_repo, is_template};
use redact::Redactor;

/// Why an alert starts nothing that is none of the rules'.
pub const UNMATCHED: &str = "no rule matches it";

/// What becomes of the alerts of a delivery.
pub struct Chosen<'a> {
    /// Rules with the alerts that they take, by their keys.
    pub taken: Vec<(&'a Rule, Vec<(String, Alert)>)>,
    /// Resolved alerts for the rules that do not match them and may have taken them when they fired: a resolve may lack
    /// labels, and rules change.
    pub resolved: Vec<(&'a Rule, String, Alert)>,
    pub unmatched: Vec<Alert>,
    /// What was done in place of what a rule says, one sentence each.
    pub warnings: Vec<String>,
}

/// Has each group of rules choose the one that takes an alert. `found` holds the alerts once for each grouping.
pub fn choose<'a>(rules: &'a Rules, route: &Route, found: Vec<(Grouping, Delivery)>) -> Chosen<'a> {
    let all = &rules.rules;
    let mut taken: Vec<Vec<(String, Alert)>> = vec![Vec::new(); all.len()];
    let mut chosen = Chosen { taken: Vec::new(), resolved: Vec::new(), unmatched: Vec::new(), warnings: Vec::new() };
    let is_read_twice = found.len() > 1;
    let mut leftover = Vec::new();
    for (grouping, delivery) in found {
        for alert in delivery.alerts {
            let takers = takers(all, grouping, &alert, &route.name);
            for &at in &takers {
                let (key, warning) = key(&all[at], &alert);
                chosen.warnings.extend(warning);
                taken[at].push((key, fired(&all[at], alert.clone())));
            }
            if alert.state == State::Resolved {
                for (at, rule) in all.iter().enumerate() {
                    if rule.grouping == grouping && !takers.contains(&at) {
                        chosen.resolved.push((rule, key(rule, &alert).0, alert.clone()));
                    }
                }
            }
            if takers.is_empty() {
                leftover.push(alert);
            }
        }
    }
    chosen.taken = all
        .iter()
        .zip(taken)
        .filter(|(_, alerts)| !alerts.is_empty())
        .map(|(rule, alerts)| (rule, one_a_key(alerts)))
        .collect();
    // What was read in two ways is no leftover because one of them has no rule for it.
    if !is_read_twice || chosen.taken.is_empty() {
        chosen.unmatched = leftover;
    }
    chosen
}

/// The rules that take an alert, by their places: of each group the first that matches.
fn takers(rules: &[Rule], grouping: Grouping, alert: &Alert, route: &str) -> Vec<usize> {
    let mut takers: Vec<usize> = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        let is_asked = rule.is_enabled
            && rule.grouping == grouping
            && !takers.iter().any(|&taker| rules[taker].group == rule.group);
        if is_asked && rule.matching.is_met_by(alert, route) {
            takers.push(at);
        }
    }
    takers
}

/// An alert as a rule sees it: one in a state that fires by the rule fires.
fn fired(rule: &Rule, mut alert: Alert) -> Alert {
    let is_wanted = rule.fire_on.iter().any(|word| word.eq_ignore_ascii_case(alert.state.name()));
    if is_wanted && alert.state != State::Resolved {
        alert.state = State::Firing;
    }
    alert
}

/// An alert's key by a rule, and a warning where it is the sender's in place of the rule's.
pub fn key(rule: &Rule, alert: &Alert) -> (String, Option<String>) {
    let own = || alert.dedupe_key(&rule.ignored_labels);
    match &rule.dedupe_key {
        None => (own(), None),
        Some(template) => match dedupe_key(template, alert) {
            Ok(key) => (key, None),
            Err(problem) => (own(), Some(format!("dedupe_key {problem}; the sender's own key takes its place"))),
        },
    }
}

/// The repositories of an alert's session. One whose template comes to none is left out, and that is noted.
pub fn repos(rule: &Rule, alert: &Alert, redactor: &Redactor, notes: &mut Vec<String>) -> Vec<String> {
    let mut repos: Vec<String> = Vec::new();
    for repo in &rule.session.repos {
        let found = if is_template(repo) { filled_in(repo, alert, redactor) } else { Ok(repo.clone()) };
        match found {
            Ok(repo) if repos.contains(&repo) => {}
            Ok(repo) => repos.push(repo),
            Err(problem) => {
                let note = format!("repo {problem}; the session is started without it");
                notes.push(redactor.redact(&note).into_owned());
            }
        }
    }
    repos
}

fn filled_in(template: &str, alert: &Alert, redactor: &Redactor) -> Result<String, String> {
    let repo = line(template, alert)?;
    // A value must not lead to another place than the one that the template's own words give.
    let own = template.split("{{").map(|part| part.rsplit("}}").next().unwrap_or_default());
    let slashes = own.map(|text| text.matches('/').count()).sum::<usize>();
    let is_deeper = slashes > 0 && repo.matches('/').count() != slashes;
    if !is_repo(&repo) || is_deeper || redactor.redact(&repo) != repo {
        return Err("comes to no OWNER/NAME for this alert".to_string());
    }
    Ok(repo)
}
