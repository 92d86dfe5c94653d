//! An alert that somebody's own program writes; only a title is needed. Pure.

use super::Problem;
use super::fields::Fields;
use crate::relay::alert::{Alert, Identity, Severity, State};

/// Reads the flat form.
///
/// # Errors
/// When there is no title.
pub fn read(payload: Fields) -> Result<Alert, Problem> {
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
