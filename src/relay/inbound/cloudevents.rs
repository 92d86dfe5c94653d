//! CloudEvents in structured mode: the envelope identifies, the data tells, in the generic format's fields. Pure.

use serde_json::Value;

use super::delivery::of_event;
use super::encoded::decoded;
use super::event_type::ends;
use super::fields::Fields;
use super::leaves::parts;
use super::{Problem, generic, json};
use crate::relay::alert::{Alert, Identity, State};

/// Reads the event; data that is JSON inside a text or in Base64 is read too, other text is the message.
///
/// # Errors
/// When source or type is missing.
pub fn read(payload: Fields) -> Result<Alert, Problem> {
    // A CDEvent has the envelope in `context`, and the rest in `subject`.
    if let (Some(context), Some(subject)) = (payload.at("context"), payload.at("subject.id")) {
        let mut envelope = context.value.clone();
        envelope["subject"] = subject.value.clone();
        envelope["data"] = payload.at("subject.content").map_or(Value::Null, |content| content.value.clone());
        return read(Fields { value: &envelope, ..payload });
    }
    let source = payload.required("source")?;
    let event_type = payload.required("type")?;
    let data = data(payload);
    let data = Fields { value: &data, ..payload };
    let subject = payload.text("subject");
    let title = data.first(&["title", "summary", "name"]).unwrap_or_else(|| match &subject {
        Some(subject) => format!("{event_type}: {subject}"),
        None => event_type.clone(),
    });
    let alarm = alarm(&event_type);
    let identity = match &subject {
        Some(subject) => Identity::Own(vec![source.clone(), subject.clone()]),
        None => Identity::Title {
            source: format!("{source} {}", without_state(&event_type)),
            title: without_state(&title).to_string(),
        },
    };
    let state = match data.first(&["status", "state"]) {
        Some(word) => State::from_word(&word),
        None if ends(&event_type) => State::Resolved,
        None if alarm || data.first(&["severity", "level", "priority"]).is_some() => State::Firing,
        None => {
            return Err(Problem::NotAnAlert {
                what: "a CloudEvent whose type and data say nothing of an alarm",
                remedy: "give its data a status or a severity, or read it with --format any",
            });
        }
    };
    let mut alert = Alert::new(payload.format, state, title, identity);
    generic::tell(&mut alert, data);
    if alert.message.is_empty() {
        // The latter is where a CDEvent has it.
        let text = data.value.as_str().map(str::to_string).or_else(|| data.text("subject.content.description"));
        alert.message = text.unwrap_or_default();
    }
    alert.started_at = alert.started_at.or_else(|| payload.moment("time"));
    for (name, text) in [("source", Some(source)), ("type", Some(event_type)), ("subject", subject)] {
        alert.annotations.extend(text.map(|text| (name.to_string(), text)));
    }
    Ok(alert)
}

/// What identifies the delivery of the event; in a CDEvent the envelope is in `context`.
pub fn delivery_id(payload: Fields) -> Option<String> {
    let envelope = payload.at("context").unwrap_or(payload);
    Some(of_event(&envelope.text("source")?, &envelope.text("id")?))
}

/// Whether a word of the type says alarm.
fn alarm(event_type: &str) -> bool {
    const WORDS: [&str; 8] = ["alert", "alerts", "alarm", "incident", "problem", "outage", "error", "anomaly"];
    parts(event_type).iter().any(|word| WORDS.contains(&word.as_str()) || State::is_alarm(word))
}

/// A type without its last word where that is a state, so that an alert and its end are one.
fn without_state(event_type: &str) -> &str {
    match event_type.rsplit_once('.') {
        Some((before, last)) if State::known(last).is_some() => before,
        _ => event_type,
    }
}

/// The event's data, out of a text or Base64 where it is JSON; otherwise as the text.
fn data(payload: Fields) -> Value {
    let text = match payload.at("data").map(|data| data.value) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(data) => return data.clone(),
        None => payload.text("data_base64").and_then(|base64| String::from_utf8(decoded(&base64)?).ok()),
    };
    text.map_or(Value::Null, |text| json(text.as_bytes()).unwrap_or(Value::String(text)))
}
