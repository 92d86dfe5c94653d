//! An alert of a sender that nobody here knows: its values are found by the names that senders use. Pure.

use serde_json::{Map, Value};

use super::fields::Fields;
use super::leaves::{Leaf, facts, leaves, parts};
use super::names::{
    ALERTING, ASIDE, KEYS, KINDS, LINKS, MESSAGES, OWN, SEVERITIES, SOURCES, STARTS, STATES, SUBJECTS, TESTS, TITLES,
    WORK,
};
use crate::relay::alert::{Alert, Identity, Link, Pairs, Severity, State};

/// Reads any object; `title` is what a sender with a title of its own calls it.
pub fn read(payload: Fields) -> Alert {
    let leaves = leaves(payload.value);
    let title = title(&leaves).map_or("an alert without a title", |leaf| first_line(&leaf.text)).to_string();
    let identity = match key(&leaves) {
        Some(key) => Identity::Own(vec![key.name.clone(), key.text.clone()]),
        None => Identity::Title { source: sources(&leaves), title: title.clone() },
    };
    let (state, warning) = state(&leaves);
    let mut alert = Alert::new(payload.format, state, title, identity);
    alert.warnings.extend(warning);
    tell(&mut alert, &leaves);
    alert
}

/// The alerts in an object: the items of its list of `alerts`, each with what stands beside the list, or itself.
pub fn each(value: &Value) -> Vec<Value> {
    let list = value
        .get("alerts")
        .and_then(Value::as_array)
        .filter(|list| !list.is_empty() && list.iter().all(Value::is_object));
    let Some(list) = list else {
        return vec![value.clone()];
    };
    let outer: Map<String, Value> = value
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| *name != "alerts")
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect();
    let with_outer = |item: &Value| {
        let mut all = outer.clone();
        all.extend(item.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
        Value::Object(all)
    };
    list.iter().map(with_outer).collect()
}

/// Whether it is an alert for sure: something says title or text, and something says alarm.
pub fn is_sure(payload: Fields) -> bool {
    let leaves = leaves(payload.value);
    let told = title(&leaves).is_some() || pick(&leaves, &MESSAGES).is_some();
    let named =
        |leaf: &Leaf| leaf.path.split('.').any(|name| parts(name).iter().any(|part| ALERTING.contains(&part.as_str())));
    let kinds =
        leaves.iter().filter(|leaf| leaf.depth <= 3 && KINDS.contains(&leaf.name.as_str()) && leaf.text.len() <= 60);
    let is_kind = kinds.into_iter().any(|leaf| parts(&leaf.text).iter().any(|part| ALERTING.contains(&part.as_str())));
    let alerting = is_kind || leaves.iter().filter(|leaf| leaf.depth <= 3).any(named);
    let word = states(&leaves).into_iter().find_map(|leaf| State::known(&leaf.text).map(|state| (state, leaf)));
    let of_kind = leaves.iter().filter(|leaf| leaf.depth <= 3 && KINDS.contains(&leaf.name.as_str()));
    let kind = of_kind.into_iter().find_map(|leaf| alarm_in(&leaf.text));
    let is_severity = |leaf: &Leaf| {
        let severity = severity_of(leaf);
        let is_bad = severity >= Some(Severity::High) && ["level", "loglevel"].contains(&leaf.name.as_str());
        leaf.depth <= 4 && severity.is_some() && (is_bad || SEVERITIES[..7].contains(&leaf.name.as_str()))
    };
    let severity = leaves.iter().any(is_severity);
    let top = || payload.value.as_object().into_iter().flatten().map(|(name, _)| super::leaves::plain(name));
    let is_own = top().any(|name| OWN.contains(&name.as_str()));
    let is_machine = top().any(|name| ["host", "hostname", "service", "metric"].contains(&name.as_str()));
    let has_state = !states(&leaves).is_empty();
    let says_state = match &word {
        Some((State::Firing, leaf)) => State::is_alarm(&leaf.text) || alerting,
        Some(_) => alerting || severity || is_machine,
        None => kind.is_some() || alerting && has_state,
    };
    let is_work = top().any(|name| WORK.contains(&name.as_str()));
    told && !is_work && (says_state || severity || is_own)
}

/// The names under which a title, a state, a severity and a link stand, for a person to look at.
pub fn found(payload: Fields) -> Vec<(&'static str, String)> {
    let leaves = leaves(payload.value);
    let path = |leaf: Option<&Leaf>| leaf.map(|leaf| leaf.path.clone());
    let all = [
        ("title", path(title(&leaves))),
        ("status", path(states(&leaves).first().copied())),
        ("severity", path(pick(&leaves, &SEVERITIES))),
        ("url", path(pick(&leaves, &LINKS))),
    ];
    all.into_iter().filter_map(|(name, path)| Some((name, path?))).collect()
}

/// Fills in what is only told.
pub fn tell(alert: &mut Alert, leaves: &[Leaf]) {
    alert.message = pick(leaves, &MESSAGES)
        .filter(|leaf| leaf.text != alert.title)
        .map(|leaf| leaf.text.clone())
        .unwrap_or_default();
    alert.severity =
        SEVERITIES.iter().find_map(|name| leaves.iter().filter(|leaf| leaf.name == *name).find_map(severity_of));
    alert.started_at = pick_all(leaves, &STARTS).find_map(|leaf| super::fields::moment(&leaf.text));
    alert.annotations = facts(leaves);
    let mut links: Vec<Link> = Vec::new();
    for leaf in pick_all(leaves, &LINKS).filter(|leaf| leaf.is_link()) {
        super::fields::add_link(&mut links, &leaf.path, Some(leaf.text.clone()));
    }
    links.truncate(6);
    alert.links = links;
}

/// What the fields that speak of a state say, and a warning where none of their words is known.
pub fn state(leaves: &[Leaf]) -> (State, Option<String>) {
    let is_test = |leaf: &Leaf| leaf.depth <= 2 && TESTS.contains(&(leaf.name.as_str(), leaf.text.as_str()));
    if leaves.iter().any(is_test) {
        return (State::Test, None);
    }
    if let Some(aside) =
        leaves.iter().filter(|leaf| leaf.depth <= 3 && KINDS.contains(&leaf.name.as_str())).find_map(aside)
    {
        return (aside, None);
    }
    // Azure tells the end of a service's trouble in its stage only.
    if leaves.iter().any(|leaf| leaf.name == "stage" && State::known(&leaf.text) == Some(State::Resolved)) {
        return (State::Resolved, None);
    }
    let fields = states(leaves);
    let known = |leaf: &&Leaf| Some((State::known(&leaf.text)?, leaf.text.len() > 1 && leaf.text != "true"));
    // `1` and `true` say little: any other field goes before them.
    let telling: Vec<(State, bool)> = fields.iter().filter_map(known).collect();
    if let Some((state, _)) = telling.iter().find(|(_, is_word)| *is_word) {
        return (state.clone(), None);
    }
    let flag = leaves
        .iter()
        .find(|leaf| leaf.depth <= 3 && ["resolved", "isresolved", "recovered"].contains(&leaf.name.as_str()));
    if flag.is_some_and(|leaf| leaf.text == "true") {
        return (State::Resolved, None);
    }
    let of_kind = KINDS.iter().flat_map(|name| leaves.iter().filter(move |leaf| leaf.depth <= 3 && leaf.name == *name));
    if let Some(state) = of_kind.into_iter().find_map(|leaf| last_word(&leaf.text)) {
        return (state, None);
    }
    let short =
        leaves.iter().filter(|leaf| leaf.depth <= 2 && ["msg", "message", "heartbeat"].contains(&leaf.name.as_str()));
    if let Some(State::Resolved) = short.into_iter().find_map(|leaf| State::known(&leaf.text)) {
        return (State::Resolved, None);
    }
    if let Some((state, _)) = telling.into_iter().next() {
        return (state, None);
    }
    let unknown = fields
        .first()
        .map(|leaf| format!("the word in {} is no state that is known, so the alert counts as firing", leaf.path));
    (State::Firing, unknown)
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

/// The field that identifies the alert.
pub fn key(leaves: &[Leaf]) -> Option<&Leaf> {
    let by_name = pick_all(leaves, &KEYS).find(|leaf| leaf.depth <= 4 && !leaf.in_list);
    by_name.or_else(|| {
        let is_subject =
            |leaf: &&Leaf| leaf.name == "id" && leaf.depth <= 4 && SUBJECTS.contains(&leaf.parent.as_str());
        leaves.iter().find(is_subject)
    })
}

/// The last word that is a state in `incident.reopened`, `ALERT_RECOVERY` or `check #1 has recovered`.
pub fn last_word(text: &str) -> Option<State> {
    if text.len() > 120 {
        return None;
    }
    if let Some(state) = State::known(text) {
        return Some(state);
    }
    parts(text).iter().rev().filter(|word| word.len() > 1).find_map(|word| State::known(word))
}

/// The state in a kind whose words speak of an alarm.
fn alarm_in(text: &str) -> Option<State> {
    let words = parts(text);
    let is_alarm = words.iter().any(|word| ALERTING.contains(&word.as_str()) || State::is_alarm(word));
    if is_alarm { last_word(text) } else { None }
}

fn states(leaves: &[Leaf]) -> Vec<&Leaf> {
    let exact = pick_all(leaves, &STATES).filter(|leaf| leaf.depth <= 4 && leaf.text.len() <= 40);
    let value = leaves.iter().filter(|leaf| leaf.name == "value" && leaf.parent == "state");
    let ends = leaves.iter().filter(|leaf| {
        leaf.depth <= 2
            && leaf.text.len() <= 40
            && !STATES.contains(&leaf.name.as_str())
            && (leaf.name.ends_with("status") || leaf.name.ends_with("state"))
    });
    let is_now = |leaf: &&Leaf| {
        let name = leaf.path.rsplit('.').next().map(parts).unwrap_or_default();
        let first = name.first().map(String::as_str).unwrap_or_default();
        !["previous", "prev", "old", "last", "prior", "from", "initial", "http", "ack"].contains(&first)
            && !leaf
                .path
                .split('.')
                .any(|name| ["previous", "old", "last"].contains(&parts(name).first().map_or("", |p| p)))
    };
    exact.chain(value).chain(ends).filter(is_now).collect()
}

fn title(leaves: &[Leaf]) -> Option<&Leaf> {
    pick_all(leaves, &TITLES).find(|leaf| leaf.is_text && !leaf.is_link() && (leaf.name != "name" || leaf.depth <= 3))
}

fn severity_of(leaf: &Leaf) -> Option<Severity> {
    Severity::from_priority(&leaf.text)
}

fn sources(leaves: &[Leaf]) -> String {
    let found: Vec<String> = SOURCES
        .iter()
        .flat_map(|name| leaves.iter().filter(move |leaf| leaf.name == *name && leaf.depth <= 3))
        .map(|leaf| format!("{}={}", leaf.path, leaf.text))
        .collect();
    found.join("\n")
}

fn pick<'a>(leaves: &'a [Leaf], names: &[&str]) -> Option<&'a Leaf> {
    pick_all(leaves, names).next()
}

fn pick_all<'a>(leaves: &'a [Leaf], names: &[&str]) -> impl Iterator<Item = &'a Leaf> {
    let mut found: Vec<(usize, &Leaf)> = leaves
        .iter()
        .filter(|leaf| leaf.is_fact())
        .filter_map(|leaf| Some((names.iter().position(|name| *name == leaf.name)?, leaf)))
        .collect();
    found.sort_by_key(|(rank, leaf)| (leaf.in_list, *rank, leaf.depth));
    found.into_iter().map(|(_, leaf)| leaf)
}

/// The labels of a sender with an object of them.
pub fn labels(payload: Fields) -> Pairs {
    let mut labels = payload.pairs("labels");
    labels.retain(|name, value| !super::leaves::is_personal(name) && !super::leaves::looks_personal(value));
    labels
}

fn first_line(text: &str) -> &str {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or(text)
}
