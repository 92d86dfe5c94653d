//! An alert that somebody's own program writes, flat or in the envelope of Standard Webhooks; only a title is needed. Pure.

use super::event_type::ends;
use super::fields::Fields;
use super::leaves::{leaves, tell as tell_all};
use super::{Problem, any};
use crate::relay::alert::{Alert, Identity, Severity, State};

/// Fields that have a place of their own in an alert.
const PLACED: [&str; 13] = [
    "title",
    "message",
    "description",
    "severity",
    "level",
    "timestamp",
    "started_at",
    "url",
    "runbook_url",
    "dashboard_url",
    "dedup_key",
    "externalId",
    "status",
];

/// Objects whose values are told without their own name.
const OUTER: [&str; 3] = ["labels", "metadata", "annotations"];

/// Reads the flat form, or the same as the data of an envelope.
///
/// # Errors
/// When there is no title.
pub fn read(payload: Fields) -> Result<Alert, Problem> {
    match (payload.at("title"), payload.at("data")) {
        (None, Some(data)) => enveloped(payload, data),
        _ => flat(payload),
    }
}

/// Reads the flat form.
///
/// # Errors
/// When there is no title.
pub fn flat(payload: Fields) -> Result<Alert, Problem> {
    let title = payload.required("title")?;
    let leaves = leaves(payload.value);
    let source = payload.text("source");
    let identity = match payload.first(&["dedup_key", "dedupe_key", "externalId", "external_id", "deduplication_key"]) {
        Some(key) => Identity::Own(source.into_iter().chain([key]).collect()),
        None => match any::key(&leaves) {
            Some(key) => Identity::Own(vec![key.name.clone(), key.text.clone()]),
            None => {
                let further = Some(any::further_sources(&leaves)).filter(|further| !further.is_empty());
                let source = source.into_iter().chain(further).collect::<Vec<_>>().join("\n");
                Identity::Title { source, title: title.clone() }
            }
        },
    };
    let (state, warning) = any::state(&leaves);
    let mut alert = Alert::new(payload.format, state, title, identity);
    alert.warnings.extend(warning);
    tell(&mut alert, payload);
    Ok(alert)
}

fn enveloped(envelope: Fields, data: Fields) -> Result<Alert, Problem> {
    let mut alert = flat(data)?;
    if data.first(&["status", "state"]).is_none() && envelope.text("type").is_some_and(|kind| ends(&kind)) {
        alert.state = State::Resolved;
    }
    alert.started_at = alert.started_at.or_else(|| envelope.moment("timestamp"));
    Ok(alert)
}

/// Fills in what is only told; CloudEvents carry the same fields.
pub fn tell(alert: &mut Alert, data: Fields) {
    alert.message = data.first(&["message", "description"]).unwrap_or_default();
    alert.severity = data.first(&["severity", "level", "priority"]).and_then(|word| Severity::from_priority(&word));
    alert.started_at = data.moment("timestamp").or_else(|| data.moment("started_at"));
    any::label(alert, data);
    // What has a place of its own is not told twice.
    let is_outer = |name: &str| OUTER.contains(&name) && data.object(name).is_some();
    let is_further =
        |path: &str| !PLACED.contains(&path) && !path.split_once('.').is_some_and(|(name, _)| is_outer(name));
    tell_all(alert, &leaves(data.value), is_further);
    for object in OUTER.iter().filter_map(|name| data.at(name)).filter(|object| object.value.is_object()) {
        let labels = alert.labels.clone();
        tell_all(alert, &leaves(object.value), |path| !labels.contains_key(path));
    }
    alert.links = data.links(&[("alert", "url"), ("runbook", "runbook_url"), ("dashboard", "dashboard_url")]);
}
