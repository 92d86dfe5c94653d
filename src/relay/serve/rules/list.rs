//! The rules of a rules file, side by side: `default`, and those that begin with what it says. Pure.

use super::keys;
use super::matching::Match;
use super::node::Position;
use super::rule::{self, Draft};
use super::section::{Elsewhere, Place, Reader, Section};
use super::{Integration, Route, Rule, conditions, limits};
use crate::relay::serve::gates::Bounds;
use crate::relay::serve::notify::Target;

/// What only one of the rules may say.
pub const KEYS: [&str; 5] = ["id", "group", "order", "enabled", "match"];

const ELSEWHERE: [Elsewhere; 12] = [
    ("name", "write id"),
    ("externalKey", "write id"),
    ("when", "write match"),
    ("if", "write match"),
    ("filter", "write match"),
    ("labels", "write match: {labels: {NAME: VALUE}}"),
    ("annotations", "write match: {annotations: {NAME: VALUE}}"),
    ("severity", "write match: {severity: VALUE}"),
    ("source", "write match: {source: VALUE}"),
    ("route", "write match: {route: NAME}"),
    ("sender", "write match: {sender: NAME}"),
    ("not", "write match: {not: {labels: {NAME: VALUE}}}"),
];

/// The most rules of a file.
const MOST: usize = 200;

/// The budgets above the rules: of the bridge, and of integrations by their names.
pub type Budgets = Vec<(Option<String>, Option<limits::Budget>)>;

/// Reads `default` and `rules`; without the latter there is one rule that takes every alert. Those of one group stand in the
/// order in which they are asked.
pub fn rules<'a>(
    file: &Section<'a>,
    (routes, integrations, targets): (&[Route], &[Integration], &[Target]),
    standard: Rule,
    budgets: (&Bounds, &Budgets),
    reader: &mut Reader<'a>,
) -> Vec<Rule> {
    let mut common = Draft { rule: standard, has_integration: integrations.len() < 2, budget: None };
    let (default, list) = (file.get("default", reader), file.get("rules", reader));
    if let Some(place) = &default {
        let elsewhere: Vec<Elsewhere> = KEYS
            .iter()
            .map(|key| (*key, "it belongs to one of the rules: rules: [{id: NAME, …}]"))
            .chain(keys::ELSEWHERE)
            .collect();
        if let Some(section) = reader.section(place, &keys::keys(), &elsewhere) {
            rule::rule(&section, (integrations, targets), &mut common, reader);
        }
    }
    let Some(list) = list else {
        if file.has("rules") {
            return Vec::new();
        }
        let at = default.as_ref().map_or(file.at, |place| place.at);
        match &default {
            Some(_) => whose("default", at, &common, integrations, reader),
            None if !common.has_integration => {
                let message = "is missing: say which integration gets the sessions, as default: {integration: NAME}";
                reader.problem_at(at, "default", message);
            }
            None => {}
        }
        within(&common, (at, "default"), budgets, reader);
        return vec![common.rule];
    };
    let names: Vec<&str> = routes.iter().map(|route| route.name.as_str()).collect();
    let items = reader.list(&list, "rules", "- {id: …, match: {labels: {NAME: VALUE}}}");
    if items.len() > MOST {
        reader.problem(&list, format!("holds more than {MOST} rules"));
    }
    let mut read: Vec<(u32, Draft, Place<'a>)> = Vec::new();
    for (item, at) in items.iter().take(MOST).zip(1..) {
        let known: Vec<&str> = KEYS.into_iter().chain(keys::keys()).collect();
        let elsewhere: Vec<Elsewhere> = ELSEWHERE.iter().chain(&keys::ELSEWHERE).copied().collect();
        let Some(section) = reader.section(item, &known, &elsewhere) else { continue };
        let mut draft = common.clone();
        let order = own(&section, &names, at, &mut draft.rule, reader);
        if let Some((_, other, there)) = read.iter().find(|(_, other, _)| other.rule.id == draft.rule.id)
            && !draft.rule.id.is_empty()
        {
            let message = format!("is {:?}, as of the rule in {}: give it another", other.rule.id, there.at.in_short());
            reader.problem_at(section.at, &format!("{}.id", section.key), message);
        }
        rule::rule(&section, (integrations, targets), &mut draft, reader);
        draft.rule.gates.rule.clone_from(&draft.rule.id);
        whose(&section.key, section.at, &draft, integrations, reader);
        within(&draft, (section.at, &section.key), budgets, reader);
        read.push((order, draft, item.clone()));
    }
    read.sort_by_key(|(order, ..)| *order);
    compare(&read, reader);
    read.into_iter().map(|(_, draft, _)| draft.rule).collect()
}

/// What only one of the rules says; answers with its order.
fn own<'a>(section: &Section<'a>, routes: &[&str], at: u32, rule: &mut Rule, reader: &mut Reader<'a>) -> u32 {
    let id = section.required("id", "a name that stays the same, such as id: payments", reader);
    // Empty where it cannot be used: then nothing is served.
    rule.id = id.and_then(|place| reader.checked(&place, name)).unwrap_or_default();
    if let Some(group) = section.get("group", reader).and_then(|place| reader.checked(&place, name)) {
        rule.group = group;
    }
    if let Some(is_enabled) = section.get("enabled", reader).and_then(|place| reader.flag(&place)) {
        rule.is_enabled = is_enabled;
    }
    let instead =
        "give conditions, such as labels: {team: payments}, or remove the line: then the rule is for every alert";
    if let Some(place) = section.given("match", instead, reader) {
        rule.matching = conditions::matching(&place, routes, reader);
    }
    section.get("order", reader).and_then(|place| reader.number(&place, 0..=1_000_000)).unwrap_or(at)
}

fn name(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.len() <= 64 && text.chars().all(is_plain) {
        Ok(text.to_string())
    } else {
        Err("must consist of at most 64 lowercase letters, digits and -".to_string())
    }
}

/// Notes that nothing says where a rule's sessions belong.
fn whose(key: &str, at: Position, draft: &Draft, integrations: &[Integration], reader: &mut Reader) {
    if !draft.has_integration {
        let names: Vec<&str> = integrations.iter().map(|integration| integration.name.as_str()).collect();
        let message = format!("is missing: give one of {}", names.join(", "));
        reader.problem_at(at, &format!("{key}.integration"), message);
    }
}

/// Compares a rule with the budgets that cover it: its own, its integration's, and the bridge's.
fn within(draft: &Draft, place: (Position, &str), (bounds, budgets): (&Bounds, &Budgets), reader: &mut Reader) {
    let rule = &draft.rule;
    let mut covering = vec![(rule.gates.limits.acu_per_day, &draft.budget)];
    for (name, budget) in budgets {
        match name {
            None => covering.push((bounds.limits.acu_per_day, budget)),
            Some(name) if *name == rule.integration => {
                covering.push((bounds.integrations.get(name).and_then(|limits| limits.acu_per_day), budget));
            }
            Some(_) => {}
        }
    }
    limits::compare(place, rule.session.max_acu_limit, &covering, reader);
}

/// Tells of rules that no alert can reach, and of what the rules of one group must have in common.
fn compare(read: &[(u32, Draft, Place)], reader: &mut Reader) {
    for (at, (_, draft, place)) in read.iter().enumerate() {
        let rule = &draft.rule;
        let earlier = || read[..at].iter().map(|(_, draft, _)| &draft.rule).filter(|other| other.group == rule.group);
        if let Some(other) = earlier().find(|other| other.grouping != rule.grouping) {
            let message = format!(
                "takes alerts one by one or in groups, other than the rule {:?} of the same group: give both the same per_alert, or one of them another group",
                other.id
            );
            reader.problem(place, message);
        }
        let covers = |other: &&Rule| other.is_enabled && is_before(&other.matching, &rule.matching);
        if rule.is_enabled
            && let Some(other) = earlier().find(covers)
        {
            let message = format!(
                "is never asked: the rule {:?}, which comes before it in the group {:?}, takes every alert that it would take; change the order, or give one of them another group",
                other.id, rule.group
            );
            reader.warning(place, message);
        }
    }
}

fn is_before(earlier: &Match, later: &Match) -> bool {
    earlier.is_of_all() || earlier.covers(later)
}
