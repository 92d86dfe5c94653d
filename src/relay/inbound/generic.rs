//! An alert that somebody's own program writes, flat or in the envelope of Standard Webhooks; only a title is needed. And
//! Better Stack's incidents. Pure.

use super::Problem;
use super::cloudevents::ends;
use super::fields::Fields;
use crate::relay::alert::{Alert, Identity, Severity, State};

/// Reads the flat form, the same as the data of an envelope, or an incident in the form of JSON:API, as Better Stack
/// sends it.
///
/// # Errors
/// When there is no title, or the incident has no identifier.
pub fn read(payload: Fields) -> Result<Alert, Problem> {
    match (payload.at("title"), payload.at("data"), payload.at("data.attributes")) {
        (None, _, Some(incident)) => self::incident(payload, incident),
        (None, Some(data), None) => enveloped(payload, data),
        _ => flat(payload),
    }
}

fn flat(payload: Fields) -> Result<Alert, Problem> {
    let title = payload.required("title")?;
    let identity = match payload.first(&["dedup_key", "dedupe_key", "externalId", "external_id"]) {
        Some(key) => Identity::Own(vec![key]),
        None => Identity::Title { source: payload.text("source").unwrap_or_default(), title: title.clone() },
    };
    let state = payload.first(&["status", "state"]).map_or(State::Firing, |word| State::from_word(&word));
    let mut alert = Alert::new(payload.format, state, title, identity);
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

fn incident(payload: Fields, incident: Fields) -> Result<Alert, Problem> {
    let identity = Identity::Own(vec!["incident".to_string(), payload.required("data.id")?]);
    let state = match incident.text("status") {
        Some(word) => State::from_word(&word),
        None if incident.at("resolved_at").is_some() => State::Resolved,
        None => State::Firing,
    };
    let told: Vec<String> = ["name", "cause"].iter().filter_map(|name| incident.text(name)).collect();
    let title = if told.is_empty() { "an incident without a name".to_string() } else { told.join(": ") };
    let mut alert = Alert::new(payload.format, state, title, identity);
    alert.started_at = incident.moment("started_at");
    alert.labels = incident.pick(&["team_name", "http_method", "regions"]);
    alert.links = incident.links(&[("checked page", "url")]);
    Ok(alert)
}

/// Fills in what is only told; CloudEvents carry the same fields.
pub fn tell(alert: &mut Alert, data: Fields) {
    alert.message = data.first(&["message", "description"]).unwrap_or_default();
    alert.severity = data.first(&["severity", "level", "priority"]).and_then(|word| Severity::from_priority(&word));
    alert.started_at = data.moment("timestamp").or_else(|| data.moment("started_at"));
    alert.labels = data.pairs("labels");
    alert.annotations = data.pairs("metadata");
    alert.annotations.extend(data.pairs("annotations"));
    alert.links = data.links(&[("alert", "url"), ("runbook", "runbook_url"), ("dashboard", "dashboard_url")]);
}
