//! CloudEvents in structured mode: the envelope identifies, the data tells, in the generic format's fields. Pure.

use serde_json::Value;

use super::fields::Fields;
use super::{Problem, generic, json};
use crate::relay::alert::{Alert, Identity, State};

/// Last words of an event's type that end an alert.
const ENDINGS: [&str; 5] = ["resolved", "closed", "recovered", "cleared", "ok"];

/// Reads the event; data that is JSON inside a text is read too.
///
/// # Errors
/// When source or type is missing.
pub fn read(payload: Fields) -> Result<Alert, Problem> {
    let source = payload.required("source")?;
    let event_type = payload.required("type")?;
    let data = payload.at("data").map_or(&Value::Null, |data| data.value);
    let parsed: Option<Value> = data.as_str().and_then(|text| json(text.as_bytes()).ok());
    let data = Fields { value: parsed.as_ref().unwrap_or(data), ..payload };
    let subject = payload.text("subject");
    let title = data.first(&["title", "summary", "name"]).unwrap_or_else(|| match &subject {
        Some(subject) => format!("{event_type}: {subject}"),
        None => event_type.clone(),
    });
    let identity = match &subject {
        Some(subject) => Identity::Own(vec![source.clone(), subject.clone()]),
        None => Identity::Title { source: format!("{source} {event_type}"), title: title.clone() },
    };
    let state = match data.first(&["status", "state"]) {
        Some(word) => State::from_word(&word),
        None if ends(&event_type) => State::Resolved,
        None => State::Firing,
    };
    let mut alert = Alert::new(payload.format, state, title, identity);
    generic::tell(&mut alert, data);
    alert.started_at = alert.started_at.or_else(|| payload.moment("time"));
    for (name, text) in [("source", Some(source)), ("type", Some(event_type)), ("subject", subject)] {
        alert.annotations.extend(text.map(|text| (name.to_string(), text)));
    }
    Ok(alert)
}

/// Whether the type's last word, before a version like `.0.2.0` or `.v1`, ends an alert.
fn ends(event_type: &str) -> bool {
    let is_version = |part: &&str| part.trim_start_matches('v').bytes().all(|byte| byte.is_ascii_digit());
    let last = event_type.split(['.', '/', '_']).rev().find(|part| !is_version(part));
    last.is_some_and(|word| ENDINGS.iter().any(|ending| word.eq_ignore_ascii_case(ending)))
}
