//! What `serve` says while it runs: a line for each decision, with its job and its alert. Text where a person watches, JSON
//! elsewhere. The door out takes secrets away.

use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::output::Output;
use crate::redact::redact;
use crate::relay::event::{EventKind, RelayEvent};
use crate::relay::terminal::text;

/// Where lines go. Clones lead to the same place.
#[derive(Clone)]
pub struct Log {
    output: Output,
    is_json: bool,
}

impl Log {
    /// A log that writes to `output`.
    pub fn new(output: &Output, is_json: bool) -> Log {
        Log { output: output.clone(), is_json }
    }

    /// An event of a job.
    pub fn event(&self, event: &RelayEvent) {
        // Before anything is cut to size.
        let kind = event.kind.map_foreign(&|text| redact(&self.output.without_keys(text)).into_owned());
        let level = match kind {
            EventKind::Error(_) => "error",
            EventKind::Warning { .. } => "warning",
            _ => "info",
        };
        let key = event.dedupe_key.as_deref().map(|key| redact(key).into_owned());
        if self.is_json {
            let event = RelayEvent { kind, dedupe_key: key, ..event.clone() };
            let mut line = serde_json::to_value(&event).unwrap_or_else(|_| json!({}));
            line["level"] = Value::from(level);
            self.output.line(&line.to_string());
            return;
        }
        let Some(text) = text(&kind, false) else { return };
        let job = event.job_id.as_deref().unwrap_or_default();
        for line in text.lines() {
            self.output.line(&format!("{} {job} {line}", event.time));
        }
    }

    /// A line about one delivery.
    pub fn delivery(&self, route: &str, delivery_id: &str, status: u16, what: &Value) {
        let time = now();
        if self.is_json {
            let line = json!({"time": time, "level": "info", "event": "delivery", "route": route,
                "delivery_id": delivery_id, "status": status, "answer": what});
            self.output.line(&line.to_string());
        } else {
            self.output.line(&format!("{time} {route} {delivery_id} {status} {what}"));
        }
    }

    /// A line about a request that may not deliver. Its body, which anybody may have written, is not told.
    pub fn refused(&self, route: &str, status: u16, what: &Value) {
        let time = now();
        if self.is_json {
            let line = json!({"time": time, "level": "warning", "event": "delivery_refused", "route": route,
                "status": status, "answer": what});
            self.output.line(&line.to_string());
        } else {
            self.output.line(&format!("{time} {route} {status} {what}"));
        }
    }

    /// Something that a person may want to know.
    pub fn note(&self, message: &str) {
        self.line("info", message);
    }

    /// Something that a person should look at.
    pub fn warn(&self, message: &str) {
        self.line("warning", message);
    }

    fn line(&self, level: &str, message: &str) {
        let time = now();
        if self.is_json {
            let event = if level == "info" { "note" } else { "warning" };
            let line = json!({"time": time, "level": level, "event": event, "message": message});
            self.output.line(&line.to_string());
        } else {
            let mark = if level == "info" { "" } else { "warning: " };
            self.output.line(&format!("{time} {mark}{message}"));
        }
    }
}

fn now() -> String {
    DateTime::<Utc>::from(SystemTime::now()).to_rfc3339_opts(SecondsFormat::Millis, true)
}
