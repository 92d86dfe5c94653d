//! PagerDuty's V3 webhook, and what its V1 and V2 sent, as other programs still do. Pure.

use super::fields::Fields;
use super::stand_in::known;
use super::{Delivery, Problem, any};
use crate::relay::alert::{Alert, Identity, Severity, State};

/// Reads an incident's event, or the messages of V1 and V2.
///
/// # Errors
/// When the event is about no incident, or the incident has neither an identifier nor a title.
pub fn read(payload: Fields, delivery: &mut Delivery) -> Result<(), Problem> {
    let messages = payload.items("messages").chain(payload.at("log_entries").map(|_| payload));
    let before = delivery.alerts.len();
    delivery.alerts.extend(messages.filter(|message| message.value.is_object()).map(old));
    if delivery.alerts.len() == before {
        delivery.delivery_id = delivery.delivery_id.take().or_else(|| payload.text("event.id"));
        delivery.alerts.push(event(payload)?);
    }
    Ok(())
}

/// A message of V1 or V2.
fn old(message: Fields) -> Alert {
    let mut alert = any::read(message);
    if let Some(id) = message.first(&["incident.id", "data.incident.id"]) {
        alert.identity = Identity::Own(vec![id]);
    }
    let ended = "PagerDuty's V1 and V2 webhooks have ended: add a V3 subscription, if PagerDuty sent this";
    alert.warnings.push(ended.to_string());
    alert
}

fn event(payload: Fields) -> Result<Alert, Problem> {
    let event_type = payload.required("event.event_type")?;
    if event_type == "pagey.ping" {
        let title = "a test message of PagerDuty".to_string();
        return Ok(Alert::new(payload.format, State::Test, title, Identity::Own(vec![event_type])));
    }
    let Some(event) = event_type.strip_prefix("incident.") else {
        return Err(Problem::NotAnAlert {
            what: "a PagerDuty event about something other than an incident",
            remedy: "subscribe the webhook to incident.triggered and incident.resolved",
        });
    };
    // Notes, status updates and responder requests wrap the incident they are about.
    let incident = payload.at("event.data.incident").or_else(|| payload.at("event.data"));
    let incident = incident.ok_or_else(|| payload.missing("event.data"))?;
    let id = incident.text("id");
    let title = incident.first(&["title", "summary"]).or_else(|| Some(format!("incident {}", id.as_ref()?)));
    let title = title.ok_or_else(|| payload.missing("event.data.id"))?;
    let state = match event {
        "triggered" | "reopened" => State::Firing,
        "resolved" => State::Resolved,
        other => State::other(other),
    };
    let place = [incident.text("incident_key"), incident.first(&["service.id", "service.summary"])];
    let known = known(id.map(|id| vec![id]), "event.data.id", &place, &title);
    let mut alert = Alert::new(payload.format, state, title, known.identity);
    alert.warnings.extend(known.warning);
    alert.severity = incident
        .first(&["priority.summary", "priority.name", "priority"])
        .and_then(|priority| Severity::from_priority(&priority))
        .or_else(|| Severity::from_word(&incident.text("urgency")?));
    alert.started_at = incident.moment("created_at").or_else(|| payload.moment("event.occurred_at"));
    alert.links = incident.links(&[("incident", "html_url"), ("service", "service.html_url")]);
    alert.labels = incident.pick(&["number", "status", "urgency"]);
    for (name, path) in [
        ("service", "service.summary"),
        ("escalation_policy", "escalation_policy.summary"),
        ("priority", "priority.summary"),
        ("team", "teams.0.summary"),
    ] {
        alert.labels.extend(incident.text(path).map(|text| (name.to_string(), text)));
    }
    Ok(alert)
}
