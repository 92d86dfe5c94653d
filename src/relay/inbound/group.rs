//! Groups of alerts, as Alertmanager and Grafana deliver them: only those that fire count. Pure.

use super::fields::{Fields, add_link};
use super::{Grouping, MAX_ALERTS, Problem};
use crate::relay::alert::{Alert, Identity, Link, MEMBERS_KEPT, Member, Pairs, Severity, State};

/// Labels that may hold how bad it is, the most telling first.
const SEVERITY_LABELS: [&str; 3] = ["severity", "priority", "level"];

/// Annotations that are a title, and those that are a description.
const TITLES: [&str; 2] = ["summary", "title"];
const MESSAGES: [&str; 2] = ["description", "message"];

/// How many different alert names a title lists.
const NAMES_IN_TITLE: usize = 3;

/// Reads a group; `pages` are the links of a member, by name and path.
///
/// # Errors
/// When what identifies the group, or with [`Grouping::PerAlert`] a member, is missing.
pub fn read(payload: Fields, grouping: Grouping, pages: &[(&str, &str)]) -> Result<Vec<Alert>, Problem> {
    let alerts = || payload.items("alerts").filter(|alert| alert.value.is_object());
    let count = alerts().count();
    if count == 0 {
        return Err(payload.missing("alerts.0"));
    }
    if count > MAX_ALERTS {
        return Err(Problem::TooManyAlerts { alerts: count });
    }
    let receiver = payload.required("receiver")?;
    let (firing, quiet): (Vec<_>, Vec<_>) =
        alerts().map(|alert| (state(payload, alert), member(alert, pages))).partition(|(state, _)| state.is_firing());
    // Of a group in which nothing fires, the others tell what it was about.
    let counting = if firing.is_empty() { &quiet } else { &firing };
    match grouping {
        Grouping::Group => Ok(vec![group(payload, receiver, counting, !firing.is_empty())?]),
        Grouping::PerAlert => {
            counting.iter().map(|(state, member)| single(payload, &receiver, state, member)).collect()
        }
    }
}

fn group(payload: Fields, receiver: String, members: &[(State, Member)], fires: bool) -> Result<Alert, Problem> {
    if payload.object("groupLabels").is_none() {
        return Err(payload.missing("groupLabels"));
    }
    let labels = shared(members, |member| &member.labels);
    let annotations = shared(members, |member| &member.annotations);
    let identity = Identity::Labels { receiver, labels: payload.pairs("groupLabels") };
    let state = if fires { State::Firing } else { at_rest(members) };
    let title = title(&labels, &annotations).unwrap_or_else(|| names(members));
    let mut alert = Alert::new(payload.format, state, title, identity);
    alert.message = first(&annotations, &MESSAGES).unwrap_or_default();
    alert.severity = members.iter().filter_map(|(_, member)| severity(&member.labels)).max();
    alert.started_at = members.iter().filter_map(|(_, member)| member.started_at.clone()).min();
    alert.links = shared_links(members);
    add_link(&mut alert.links, payload.format.name(), payload.text("externalURL"));
    alert.truncated = payload.text("truncatedAlerts").and_then(|count| count.parse().ok()).unwrap_or(0);
    if fires {
        alert.firing = members.len();
        alert.members = members.iter().take(MEMBERS_KEPT).map(|(_, member)| member.clone()).collect();
    }
    alert.labels = labels;
    alert.annotations = annotations;
    Ok(alert)
}

fn single(payload: Fields, receiver: &str, state: &State, member: &Member) -> Result<Alert, Problem> {
    if member.labels.is_empty() {
        return Err(payload.missing("labels of an alert"));
    }
    let identity = Identity::Labels { receiver: receiver.to_string(), labels: member.labels.clone() };
    let title = title(&member.labels, &member.annotations).unwrap_or_else(|| "an alert without a name".to_string());
    let mut alert = Alert::new(payload.format, state.clone(), title, identity);
    alert.message = first(&member.annotations, &MESSAGES).unwrap_or_default();
    alert.severity = severity(&member.labels);
    alert.started_at = member.started_at.clone();
    alert.links = member.links.clone();
    add_link(&mut alert.links, payload.format.name(), payload.text("externalURL"));
    alert.labels = member.labels.clone();
    alert.annotations = member.annotations.clone();
    Ok(alert)
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
    Member { labels: alert.pairs("labels"), annotations, started_at: alert.moment("startsAt"), links }
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
        0 => format!("{} alerts", members.len()),
        many if many > NAMES_IN_TITLE => {
            format!("{} and {} more", names[..NAMES_IN_TITLE].join(", "), many - NAMES_IN_TITLE)
        }
        _ => names.join(", "),
    }
}

fn severity(labels: &Pairs) -> Option<Severity> {
    SEVERITY_LABELS.iter().find_map(|name| Severity::from_word(labels.get(*name)?))
}

fn first(pairs: &Pairs, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| pairs.get(*name)).cloned()
}
