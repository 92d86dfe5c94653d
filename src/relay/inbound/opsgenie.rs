//! Opsgenie's webhook. Pure.
//!
//! `createdAt` is in milliseconds, `updatedAt` in nanoseconds; a priority is a number or `P3`.

use super::Problem;
use super::fields::{Fields, tagged};
use super::stand_in::known;
use crate::relay::alert::{Alert, Severity, State};

/// Reads an alert's action.
///
/// # Errors
/// When the alert has neither an identifier nor a message, or no action is named.
pub fn read(payload: Fields) -> Result<Alert, Problem> {
    let id = payload.text("alert.alertId");
    let action = payload.required("action")?;
    let state = match action.as_str() {
        "Create" => State::Firing,
        "Close" => State::Resolved,
        other => State::other(other),
    };
    let title = payload.first(&["alert.message", "alert.alias"]).or_else(|| Some(format!("alert {}", id.as_ref()?)));
    let title = title.ok_or_else(|| payload.missing("alert.alertId"))?;
    let place = [payload.first(&["alert.alias", "alert.tinyId"]), payload.text("alert.entity")];
    let known = known(id.map(|id| vec![id]), "alert.alertId", &place, &title);
    let mut alert = Alert::new(payload.format, state, title, known.identity);
    alert.warnings.extend(known.warning);
    alert.message = payload.text("alert.description").unwrap_or_default();
    alert.severity = payload.text("alert.priority").and_then(|priority| Severity::from_priority(&priority));
    alert.started_at = payload.moment("alert.createdAt");
    let tags: Vec<String> =
        payload.items("alert.tags").filter_map(|tag| tag.value.as_str().map(str::to_string)).collect();
    alert.labels = tagged(tags.iter().map(String::as_str));
    alert.labels.extend(payload.pick(&[
        "alert.source",
        "alert.entity",
        "alert.alias",
        "alert.tinyId",
        "alert.teams",
        "integrationName",
    ]));
    alert.annotations = payload.pairs("alert.details");
    Ok(alert)
}
