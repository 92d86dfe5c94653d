//! What the fields that speak of a state say together. Pure.

use super::super::leaves::{Leaf, parts};
use super::super::names::{ASIDE, KINDS, PAST, SEVERITIES, STATES, TESTS, TITLES};
use super::{heading, is_severity_name, pick_all, severity_of};
use crate::relay::alert::State;

/// Words that say little of an alert: any other field takes precedence over them.
const WEAK: [&str; 15] = [
    "1",
    "true",
    "false",
    "yes",
    "on",
    "active",
    "completed",
    "complete",
    "finished",
    "ended",
    "available",
    "new",
    "done",
    "success",
    "succeeded",
];

/// Words that say that something has run to its end, however it went.
const OVER: [&str; 4] = ["completed", "complete", "finished", "done"];

/// Words that say how bad it is, rather than whether it is on: `POLICY_CLOSE_CRITICAL` is an end.
const DEGREES: [&str; 10] =
    ["critical", "warning", "warn", "major", "minor", "error", "alert", "incident", "problem", "alarm"];

/// Words that are said of nothing but alerts, whatever the name before them.
const SIGNS: [&str; 11] = [
    "firing",
    "triggered",
    "alerting",
    "inalarm",
    "alarm",
    "breached",
    "problem",
    "resolved",
    "recovered",
    "recovery",
    "cleared",
];

/// What the fields say, and a warning where none of their words is known.
pub fn state(leaves: &[Leaf]) -> (State, Option<String>) {
    let is_test = |leaf: &Leaf| leaf.depth <= 2 && TESTS.contains(&(leaf.name.as_str(), leaf.text.as_str()));
    if leaves.iter().any(is_test) {
        return (State::Test, None);
    }
    let found = closing_note(leaves)
        .or_else(|| kinds(leaves).find_map(aside))
        .or_else(|| stage(leaves))
        .or_else(|| notification(leaves))
        .or_else(|| fresh(leaves))
        .or_else(|| strong(leaves).map(|(state, _)| state))
        .or_else(|| went_well(leaves))
        .or_else(|| flag(leaves))
        .or_else(|| of_kind(leaves))
        .or_else(|| at_ease(leaves))
        .or_else(|| sign(leaves).map(|(state, _)| state))
        .or_else(|| in_text(leaves))
        .or_else(|| weak(leaves).map(|(state, _)| state));
    if let Some(state) = found {
        return (state, None);
    }
    let warn =
        |leaf: &&Leaf| format!("the word in {} is no state that is known, so the alert counts as firing", leaf.path);
    (State::Firing, states(leaves).first().map(warn))
}

/// The fields that say what state it is in now, the most telling first.
pub fn states(leaves: &[Leaf]) -> Vec<&Leaf> {
    let exact = pick_all(leaves, &STATES).filter(|leaf| leaf.depth <= 5 && leaf.text.len() <= 40);
    let value = leaves.iter().filter(|leaf| leaf.name == "value" && leaf.parent == "state");
    let ends = leaves.iter().filter(|leaf| {
        leaf.depth <= 3
            && leaf.text.len() <= 40
            && !STATES.contains(&leaf.name.as_str())
            && (["status", "state", "statename"].iter().any(|end| leaf.name.ends_with(end)))
    });
    exact.chain(value).chain(ends).filter(is_now).collect()
}

/// The first field whose word is known; one that says little only where no other does.
pub fn word(leaves: &[Leaf]) -> Option<(State, &Leaf)> {
    strong(leaves).or_else(|| weak(leaves))
}

/// A word that is said of nothing but alerts, under whatever name.
pub fn sign(leaves: &[Leaf]) -> Option<(State, &Leaf)> {
    let is_sign = |leaf: &&Leaf| {
        leaf.depth <= 4 && !leaf.in_list && leaf.text.len() <= 12 && SIGNS.contains(&plain(&leaf.text).as_str())
    };
    leaves.iter().filter(is_sign).filter(is_now).find_map(|leaf| Some((State::known(&leaf.text)?, leaf)))
}

/// The state in the fields that name the kind of event.
pub fn of_kind(leaves: &[Leaf]) -> Option<State> {
    KINDS
        .iter()
        .flat_map(|name| kinds(leaves).filter(move |leaf| leaf.name == *name))
        .find_map(|leaf| last_word(&leaf.text))
}

/// The fields that name the kind of event.
pub fn kinds(leaves: &[Leaf]) -> impl Iterator<Item = &Leaf> {
    // A reason in one word is a kind, as Kubernetes has it.
    let is_kind = |leaf: &Leaf| {
        KINDS.contains(&leaf.name.as_str()) || leaf.name == "reason" && leaf.is_text && !leaf.text.contains(' ')
    };
    leaves.iter().filter(move |leaf| leaf.depth <= 3 && leaf.text.len() <= 120 && is_kind(leaf))
}

/// The state that a title or a short message begins with: `[RESOLVED] disk full`, `Problem: disk full`.
pub fn in_text(leaves: &[Leaf]) -> Option<State> {
    let texts = leaves.iter().filter(|leaf| {
        leaf.depth <= 3
            && (TITLES.contains(&leaf.name.as_str())
                || ["msg", "text", "content", "heartbeat"].contains(&leaf.name.as_str()))
    });
    texts.into_iter().find_map(|leaf| heading::split(&leaf.text).map(|(state, _)| state).or_else(|| brief(leaf)))
}

/// The last word that is a state in `incident.reopened`, `ALERT_RECOVERY` or `check #1 has recovered`.
pub fn last_word(text: &str) -> Option<State> {
    if text.len() > 120 {
        return None;
    }
    if let Some(state) = State::known(text).filter(|_| !OVER.contains(&plain(text).as_str())) {
        return Some(state);
    }
    let words = parts(text);
    let known = |word: &&String| {
        word.len() > 1 && *word != "monitoring" && !OVER.contains(&word.as_str()) && State::known(word).is_some()
    };
    let is_degree = |word: &&String| DEGREES.contains(&word.as_str());
    let found = words.iter().rev().filter(known).find(|word| !is_degree(word));
    found.or_else(|| words.iter().rev().find(known)).and_then(|word| State::known(word))
}

fn strong(leaves: &[Leaf]) -> Option<(State, &Leaf)> {
    states(leaves)
        .into_iter()
        .filter(|leaf| !is_weak(leaf) && !leaf.in_list)
        .find_map(|leaf| Some((State::known(&leaf.text)?, leaf)))
}

fn weak(leaves: &[Leaf]) -> Option<(State, &Leaf)> {
    states(leaves).into_iter().find_map(|leaf| Some((State::known(&leaf.text)?, leaf)))
}

/// An alert that was created a moment ago waits for a person, and fires.
fn fresh(leaves: &[Leaf]) -> Option<State> {
    let (_, leaf) = strong(leaves)?;
    let is_waiting = ["pending", "unassigned", "waiting"].contains(&plain(&leaf.text).as_str());
    let is_of_alert =
        |leaf: &Leaf| parts(&leaf.text).iter().any(|word| ["alert", "incident", "alarm"].contains(&word.as_str()));
    (is_waiting && kinds(leaves).any(|leaf| is_of_alert(leaf) && last_word(&leaf.text) == Some(State::Firing)))
        .then_some(State::Firing)
}

/// A step that went well may have found something bad, but not the other way round.
fn went_well(leaves: &[Leaf]) -> Option<State> {
    let is_success = |leaf: &&Leaf| !leaf.in_list && ["success", "succeeded"].contains(&plain(&leaf.text).as_str());
    states(leaves).into_iter().any(|leaf| is_success(&leaf)).then_some(State::Resolved)
}

fn is_weak(leaf: &Leaf) -> bool {
    WEAK.contains(&plain(&leaf.text).as_str())
}

/// An event beside the alert's course: a note on it, or an incident's event of a kind that starts and ends nothing.
fn aside(leaf: &Leaf) -> Option<State> {
    let words = parts(&leaf.text);
    let of_incident = leaf.text.strip_prefix("incident.").is_some_and(|event| {
        ["event", "type"].contains(&leaf.name.as_str())
            && !matches!(State::known(event), Some(State::Firing | State::Resolved))
    });
    (leaf.text.len() <= 60
        && words.len() <= 4
        && (of_incident || words.iter().any(|word| ASIDE.contains(&word.as_str()))))
    .then(|| State::other(&leaf.text))
}

/// A note on an incident that has ended is how some tell that it has.
fn closing_note(leaves: &[Leaf]) -> Option<State> {
    let of_alert =
        |leaf: &&Leaf| ["incidentstatus", "incidentstate", "alertstatus", "alertstate"].contains(&leaf.name.as_str());
    let ended = |leaf: &Leaf| State::known(&leaf.text) == Some(State::Resolved);
    states(leaves).into_iter().filter(of_alert).any(ended).then_some(State::Resolved)
}

/// Azure tells the end of a service's trouble in its stage only.
fn stage(leaves: &[Leaf]) -> Option<State> {
    let ended = |leaf: &Leaf| leaf.name == "stage" && State::known(&leaf.text) == Some(State::Resolved);
    leaves.iter().any(ended).then_some(State::Resolved)
}

/// Nagios and its kin say in the kind of a notification what the state of host and service say less clearly.
fn notification(leaves: &[Leaf]) -> Option<State> {
    let is_kind = |leaf: &&Leaf| {
        leaf.depth <= 3 && (leaf.name == "notificationtype" || leaf.name == "type" && leaf.parent == "notification")
    };
    leaves.iter().filter(is_kind).find_map(|leaf| State::known(&leaf.text))
}

/// A truth value that says how it stands.
pub fn flag(leaves: &[Leaf]) -> Option<State> {
    const GOOD: [&str; 9] =
        ["resolved", "isresolved", "recovered", "success", "succeeded", "healthy", "passed", "isup", "backtonormal"];
    const BAD: [&str; 6] = ["failed", "isfailed", "down", "isdown", "firing", "alerting"];
    let of = |leaf: &Leaf| match (leaf.text.as_str(), leaf.name.as_str()) {
        ("true", name) if GOOD.contains(&name) => Some(State::Resolved),
        // Not resolved is what every alert is that fires.
        ("false", name) if GOOD[3..].contains(&name) => Some(State::Firing),
        ("true", name) if BAD.contains(&name) => Some(State::Firing),
        _ => None,
    };
    leaves.iter().filter(|leaf| leaf.depth <= 3 && !leaf.in_list).find_map(of)
}

/// A severity that says that there is none: `level: OK`. Flux tells successes as `info` with a reason.
fn at_ease(leaves: &[Leaf]) -> Option<State> {
    let of_severity = |leaf: &&Leaf| leaf.depth <= 3 && is_severity_name(leaf, &SEVERITIES);
    let severity = leaves.iter().filter(of_severity).filter(is_now).find_map(|leaf| State::known(&leaf.text));
    let reason = leaves.iter().filter(|leaf| leaf.depth == 1 && leaf.name == "reason" && !leaf.text.contains(' '));
    let reason = reason.into_iter().find_map(|leaf| last_word(&leaf.text));
    let is_mild = leaves
        .iter()
        .filter(of_severity)
        .filter_map(severity_of)
        .all(|severity| severity < crate::relay::alert::Severity::Medium);
    [severity, reason.filter(|_| is_mild)].into_iter().flatten().find(|state| *state == State::Resolved)
}

/// The end in a message of a word or three: `200 - OK`.
fn brief(leaf: &Leaf) -> Option<State> {
    let is_brief = ["msg", "message", "heartbeat"].contains(&leaf.name.as_str()) && parts(&leaf.text).len() <= 3;
    last_word(&leaf.text).filter(|state| is_brief && *state == State::Resolved)
}

/// Whether a field speaks of now, not of before.
fn is_now(leaf: &&Leaf) -> bool {
    let is_past = |name: &str| {
        let first = parts(name).into_iter().next().unwrap_or_default();
        PAST.iter().any(|past| first == *past)
            || ["last", "previous", "old"].iter().any(|past| first.starts_with(past) && first != "old")
    };
    let name = leaf.own_name();
    let begins = |words: &[&str]| parts(name).first().is_some_and(|first| words.contains(&first.as_str()));
    !begins(&["from", "initial", "http", "ack"]) && !leaf.path.split('.').any(is_past)
}

fn plain(text: &str) -> String {
    super::super::leaves::plain(text)
}
