//! incident.io's webhooks: the event's own name is the name of the field that holds it. Pure.

use super::Problem;
use super::fields::Fields;
use super::stand_in::known;
use crate::relay::alert::{Alert, Severity, State};

/// Reads an event about an alert or an incident.
///
/// # Errors
/// When it is about something else, or has neither an identifier nor a name.
pub fn read(payload: Fields) -> Result<Alert, Problem> {
    let event_type = payload.required("event_type")?;
    let event = payload.value.get(&event_type).ok_or_else(|| payload.missing(&event_type))?;
    let event = Fields { value: event, ..payload };
    let subject = event.at("incident").or_else(|| event.at("alert")).unwrap_or(event);
    let (kind, name) = event_type.split_once('.').unwrap_or(("", &event_type));
    if !(name.starts_with("alert") || name.starts_with("incident")) || kind.is_empty() {
        return Err(Problem::NotAnAlert {
            what: "an incident.io event about something other than an alert or an incident",
            remedy: "subscribe the endpoint to the events of alerts or of incidents",
        });
    }
    let kind = if name.starts_with("alert") { "alert" } else { "incident" };
    let id = subject.text("id");
    let word = event.first(&["new_status.category"]).or_else(|| subject.first(&["incident_status.category", "status"]));
    let state = match word.as_deref() {
        Some("closed" | "learning" | "declined" | "canceled" | "merged" | "resolved") => State::Resolved,
        Some("triage" | "active" | "live" | "firing") if name.contains("created") || name.contains("status") => {
            State::Firing
        }
        // Whatever else happens to it while it is on.
        Some(_) => State::other(name),
        None => State::Firing,
    };
    let title = subject.first(&["name", "title", "reference"]).or_else(|| Some(format!("{kind} {}", id.as_ref()?)));
    let title = title.ok_or_else(|| subject.missing("id"))?;
    let place = [Some(kind.to_string()), subject.first(&["reference", "deduplication_key"]), subject.text("permalink")];
    let known = known(id.map(|id| vec![kind.to_string(), id]), "id", &place, &title);
    let mut alert = Alert::new(payload.format, state, title, known.identity);
    alert.warnings.extend(known.warning);
    alert.message = subject.first(&["summary", "description"]).unwrap_or_default();
    alert.severity = subject.first(&["severity.name", "priority.name"]).and_then(|word| Severity::from_priority(&word));
    alert.started_at = subject.moment("created_at");
    alert.labels = subject.pick(&["reference", "mode", "visibility", "deduplication_key"]);
    alert.labels.extend(subject.text("incident_type.name").map(|name| ("incident_type".to_string(), name)));
    alert.links = subject.links(&[(kind, "permalink"), ("source", "source_url")]);
    Ok(alert)
}
