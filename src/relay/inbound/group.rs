//! Groups of alerts, as Alertmanager and Grafana deliver them: only those that fire count. Pure.

use std::collections::BTreeMap;

use super::fields::{Fields, add_link};
use super::{Delivery, Grouping, Problem, Rejected};
use crate::relay::alert::identity::fingerprint;
use crate::relay::alert::{Alert, Identity, Link, MEMBERS_KEPT, Member, Pairs, Severity, State};

/// Labels that may hold how bad it is, the most telling first.
const SEVERITY_LABELS: [&str; 3] = ["severity", "priority", "level"];

/// Annotations that are a title, and those that are a description.
const TITLES: [&str; 2] = ["summary", "title"];
const MESSAGES: [&str; 2] = ["description", "message"];

/// Grafana's identifier of a rule, told with the annotations.
const RULE: &str = "ruleUID";

/// How many different alert names a title lists.
const NAMES_IN_TITLE: usize = 3;

/// Reads a group; `pages` are the links of a member, by name and path.
///
/// # Errors
/// When what identifies the group, or with [`Grouping::PerAlert`] a member, is missing.
pub fn read(
    payload: Fields,
    grouping: Grouping,
    pages: &[(&str, &str)],
    delivery: &mut Delivery,
) -> Result<(), Problem> {
    let receiver = payload.text("receiver").unwrap_or_default();
    let mut members: Vec<(State, Member)> = Vec::new();
    for (alert, place) in payload.items("alerts").zip(1..) {
        let member = member(alert, pages);
        let is_nameless = || member.labels.is_empty() && title(&member.labels, &member.annotations).is_none();
        if !alert.value.is_object() || grouping == Grouping::PerAlert && is_nameless() {
            delivery.rejected.push(Rejected { place, problem: payload.missing("labels of an alert") });
        } else {
            members.push((state(payload, alert), member));
        }
    }
    if members.is_empty() && delivery.rejected.is_empty() {
        let is_list = payload.at("alerts").is_some_and(|alerts| alerts.value.is_array());
        return Err(match is_list {
            true => Problem::NotAnAlert {
                what: "a list without alerts",
                remedy: "if the sender has a template for its payload, see that it lists the alerts",
            },
            false => payload.missing("alerts.0"),
        });
    }
    if grouping == Grouping::PerAlert {
        delivery.alerts.extend(members.iter().map(|(state, member)| single(payload, &receiver, state, member)));
        return Ok(());
    }
    let group_labels = payload.pairs("groupLabels");
    if !group_labels.is_empty() {
        delivery.alerts.extend((!members.is_empty()).then(|| group(payload, &receiver, group_labels, members)));
        return Ok(());
    }
    // Nobody grouped them, so alerts of different names are different alerts.
    let mut by_name: BTreeMap<Pairs, Vec<(State, Member)>> = BTreeMap::new();
    for member in members {
        by_name.entry(rule(&member.1)).or_default().push(member);
    }
    delivery.alerts.extend(by_name.into_iter().map(|(rule, members)| group(payload, &receiver, rule, members)));
    Ok(())
}

/// What tells rules apart: Grafana's identifier of the rule, else the alert's name.
fn rule(member: &Member) -> Pairs {
    let found = [member.annotations.get_key_value(RULE), member.labels.get_key_value("alertname")];
    found.into_iter().flatten().take(1).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn group(payload: Fields, receiver: &str, group_labels: Pairs, all: Vec<(State, Member)>) -> Alert {
    let (firing, quiet): (Vec<_>, Vec<_>) = all.into_iter().partition(|(state, _)| state.is_firing());
    // Of a group in which nothing fires, the others tell what it was about.
    let fires = !firing.is_empty();
    let members = if fires { &firing } else { &quiet };
    let labels = shared(members, |member| &member.labels);
    let annotations = shared(members, |member| &member.annotations);
    let identity = Identity::Group { receiver: receiver.to_string(), labels: group_labels };
    let state = if fires { State::Firing } else { at_rest(members) };
    let title = title(&labels, &annotations).unwrap_or_else(|| names(members));
    let mut alert = Alert::new(payload.format, state, title, identity);
    alert.message = first(&annotations, &MESSAGES).unwrap_or_default();
    alert.severity = members.iter().filter_map(|(_, member)| severity(&member.labels)).max();
    alert.started_at = members.iter().filter_map(|(_, member)| member.started_at.clone()).min();
    alert.links = shared_links(members);
    add_link(&mut alert.links, payload.format.name(), payload.text("externalURL"));
    alert.notification_reason = payload.text("notification_reason");
    alert.truncated = payload.text("truncatedAlerts").and_then(|count| count.parse().ok()).unwrap_or(0);
    if fires {
        alert.firing = members.len();
        alert.members = members.iter().take(MEMBERS_KEPT).map(|(_, member)| member.clone()).collect();
        alert.further_labels = members.iter().skip(MEMBERS_KEPT).map(|(_, member)| member.labels.clone()).collect();
    }
    alert.labels = labels;
    alert.annotations = annotations;
    alert
}

fn single(payload: Fields, receiver: &str, state: &State, member: &Member) -> Alert {
    let named = title(&member.labels, &member.annotations);
    let title = named.unwrap_or_else(|| "an alert without a name".to_string());
    let identity = match member.labels.is_empty() {
        true => Identity::Title { source: receiver.to_string(), title: title.clone() },
        false => Identity::Labels { receiver: receiver.to_string(), labels: member.labels.clone() },
    };
    let mut alert = Alert::new(payload.format, state.clone(), title, identity);
    alert.message = first(&member.annotations, &MESSAGES).unwrap_or_default();
    alert.severity = severity(&member.labels);
    alert.started_at = member.started_at.clone();
    alert.links = member.links.clone();
    add_link(&mut alert.links, payload.format.name(), payload.text("externalURL"));
    alert.labels = member.labels.clone();
    alert.annotations = member.annotations.clone();
    alert
}

/// An alert's own state, else the group's, else firing.
fn state(payload: Fields, alert: Fields) -> State {
    alert.text("status").or_else(|| payload.text("status")).map_or(State::Firing, |word| State::from_word(&word))
}

/// The state of a group in which nothing fires: resolved, unless one of its alerts is something else.
fn at_rest(members: &[(State, Member)]) -> State {
    let other = members.iter().map(|(state, _)| state).find(|state| **state != State::Resolved);
    other.cloned().unwrap_or(State::Resolved)
}

fn member(alert: Fields, pages: &[(&str, &str)]) -> Member {
    let mut annotations = alert.pairs("annotations");
    let mut links = alert.links(pages);
    for (name, key) in
        [("runbook", "runbook_url"), ("runbook", "runbook"), ("dashboard", "dashboard_url"), ("dashboard", "dashboard")]
    {
        let url = annotations.get(key).filter(|url| url.contains("://"));
        add_link(&mut links, name, url.cloned());
    }
    // What Grafana measured.
    let values: Vec<String> = alert.pairs("values").iter().map(|(name, value)| format!("{name}={value}")).collect();
    if !values.is_empty() {
        annotations.entry("values".to_string()).or_insert(values.join(", "));
    }
    for name in [RULE, "valueString"] {
        annotations.extend(alert.text(name).map(|text| (name.to_string(), text)));
    }
    let labels = alert.pairs("labels");
    let fingerprint = alert.text("fingerprint").unwrap_or_else(|| fingerprint(&labels));
    Member { fingerprint, labels, annotations, started_at: alert.moment("startsAt"), links }
}

/// The pairs that all members have.
fn shared(members: &[(State, Member)], of: fn(&Member) -> &Pairs) -> Pairs {
    let mut members = members.iter().map(|(_, member)| of(member));
    let mut shared = members.next().cloned().unwrap_or_default();
    for pairs in members {
        shared.retain(|name, value| pairs.get(name) == Some(value));
    }
    shared
}

/// The links that all members have.
fn shared_links(members: &[(State, Member)]) -> Vec<Link> {
    let mut members = members.iter().map(|(_, member)| &member.links);
    let mut shared = members.next().cloned().unwrap_or_default();
    for links in members {
        shared.retain(|link| links.contains(link));
    }
    shared
}

fn title(labels: &Pairs, annotations: &Pairs) -> Option<String> {
    let summary = first(annotations, &TITLES);
    match (labels.get("alertname"), summary) {
        (Some(name), Some(summary)) => Some(format!("{name}: {summary}")),
        (Some(name), None) => Some(name.clone()),
        (None, summary) => summary,
    }
}

/// A title for alerts of different names.
fn names(members: &[(State, Member)]) -> String {
    let mut names: Vec<&str> =
        members.iter().filter_map(|(_, member)| member.labels.get("alertname")).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    match names.len() {
        0 if members.len() == 1 => "1 alert".to_string(),
        0 => format!("{} alerts", members.len()),
        many if many > NAMES_IN_TITLE => {
            format!("{} and {} more", names[..NAMES_IN_TITLE].join(", "), many - NAMES_IN_TITLE)
        }
        _ => names.join(", "),
    }
}

/// How bad the labels say it is.
pub fn severity(labels: &Pairs) -> Option<Severity> {
    SEVERITY_LABELS.iter().find_map(|name| Severity::from_priority(labels.get(*name)?))
}

fn first(pairs: &Pairs, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| pairs.get(*name)).cloned()
}
