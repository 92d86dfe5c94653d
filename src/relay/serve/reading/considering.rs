//! Why each rule takes an alert or does not, in words. Pure; decides nothing that `choosing` does not decide.

use super::choosing::key;
use super::{found, namespace};
use crate::relay::alert::{Alert, State, tag_in};
use crate::relay::inbound::Grouping;
use crate::relay::serve::rules::{Route, Rule, Rules};
use crate::relay::text::clean_line;
use redact::{MASK, Redactor};

/// The most of a value that is shown, in bytes.
const SHOWN: usize = 120;

/// The end of the sentence about a rule that takes an alert.
pub const TAKES: &str = "takes it";

/// An alert of a delivery, as the rules see it.
pub struct Considered {
    /// As a word that may be shown.
    pub state: String,
    /// Those that it has by the rules, and the one that it has where none takes it.
    pub tags: Vec<String>,
    /// A sentence for each rule.
    pub rules: Vec<String>,
    /// The rule of the first group that takes it, as it may be shown; `None` where none does.
    pub taker: Option<String>,
}

/// Asks every rule about every alert of a delivery.
///
/// # Errors
/// Why it holds no alert.
pub fn consider(rules: &Rules, route: &Route, body: &[u8], redactor: &Redactor) -> Result<Vec<Considered>, String> {
    let found = found(rules, route, body, &[]).map_err(|problem| redactor.redact(&problem.to_string()).into_owned())?;
    let mut considered = Vec::new();
    for (grouping, delivery) in found {
        considered.extend(delivery.alerts.iter().map(|alert| one(rules, route, grouping, alert, redactor)));
    }
    Ok(considered)
}

fn one(rules: &Rules, route: &Route, grouping: Grouping, alert: &Alert, redactor: &Redactor) -> Considered {
    let shown = |name: &str, value: &str| {
        let pair = format!("{name}: {value}");
        if redactor.redact(&pair) == pair { clean_line(value, SHOWN) } else { MASK.to_string() }
    };
    let mut tags = vec![tag_in(&format!("\n{}\n", rules.namespace), &alert.dedupe_key(&[]))];
    let mut takers: Vec<&Rule> = Vec::new();
    let mut told = Vec::new();
    for rule in rules.rules.iter().filter(|rule| rule.grouping == grouping) {
        tags.push(tag_in(&namespace(rules, rule), &key(rule, alert).0));
        let before = takers.iter().find(|taker| taker.group == rule.group);
        let what = match (rule.is_enabled, before, rule.matching.miss(alert, &route.name, &shown)) {
            (false, ..) => "is disabled".to_string(),
            (true, Some(before), _) => format!("is not asked: {} of the same group takes it before", before.id),
            (true, None, Some(miss)) => format!("does not match: {miss}"),
            (true, None, None) => {
                takers.push(rule);
                TAKES.to_string()
            }
        };
        told.push(redactor.redact(&format!("the rule {} {what}", rule.id)).into_owned());
    }
    let state = match &alert.state {
        State::Firing => "firing".to_string(),
        state => redactor.redact(state.name()).into_owned(),
    };
    let taker = takers.first().map(|rule| redactor.redact(&rule.id).into_owned());
    Considered { state, tags, rules: told, taker }
}
