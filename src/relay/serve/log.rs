//! What `serve` says while it runs: a line for each decision, with its job and its alert. Text where a person watches, JSON
//! elsewhere. The door out takes secrets away.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use super::outage::Outage;
use super::store::StoreError;
use crate::output::Output;
use crate::relay::event::{EventKind, RelayEvent};
use crate::relay::terminal::{ended, text};
use crate::relay::text::plain_line;
use redact::redact;

/// The most of a dedupe key that a line of text shows, in bytes.
const LINE_BYTES: usize = 120;

/// What became of one alert of a delivery.
#[derive(Debug, Serialize)]
pub struct Decision {
    pub dedupe_key: String,
    /// `started`, `joined` or `suppressed`.
    pub decision: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Where lines go. Clones lead to the same place.
#[derive(Clone)]
pub struct Log {
    output: Output,
    is_json: bool,
    began: Instant,
    outage: Arc<Mutex<Outage>>,
}

impl Log {
    /// A log that writes to `output`.
    pub fn new(output: &Output, is_json: bool) -> Log {
        Log { output: output.clone(), is_json, began: Instant::now(), outage: Arc::default() }
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
        let text = match &kind {
            // No process ends with it here, so there is no exit code.
            EventKind::Outcome(outcome) => Some(ended(outcome)),
            kind => text(kind, false),
        };
        let job = event.job_id.as_deref().unwrap_or_default();
        let key = key.map(|key| format!(" {}", plain_line(&key, LINE_BYTES))).unwrap_or_default();
        for line in text.iter().flat_map(|text| text.lines()) {
            self.output.line(&format!("{} {job}{key} {line}", event.time));
        }
    }

    /// What became of a delivery: as JSON one line with a member for each alert, as text a line for each alert.
    ///
    /// One that cannot be kept while the store is known not to answer is only counted.
    pub fn delivery(&self, route: &str, status: u16, answer: &Value, decisions: &[Decision]) {
        if status == 503 && self.outage().is_on() {
            return;
        }
        let time = now();
        // What is not taken, its sender may not look at.
        let (level, mark) = if status < 400 { ("info", "") } else { ("warning", "warning: ") };
        if self.is_json {
            let line = json!({"time": time, "level": level, "event": "delivery", "route": route,
                "delivery_id": answer["delivery_id"], "status": status, "alerts": decisions, "answer": answer});
            self.output.line(&line.to_string());
            return;
        }
        let id = answer["delivery_id"].as_str().unwrap_or("delivery");
        let reason = answer["reason"].as_str().map(|reason| format!(": {reason}")).unwrap_or_default();
        if decisions.is_empty() {
            self.output.line(&format!("{time} {mark}{route} {id} {status}{reason}"));
        }
        for Decision { dedupe_key, decision, job_id, reason } in decisions {
            let key = plain_line(dedupe_key, LINE_BYTES);
            let job = job_id.as_deref().map(|id| format!(" {id}")).unwrap_or_default();
            let reason = reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
            self.output.line(&format!("{time} {mark}{route} {id} {status} {key} {decision}{job}{reason}"));
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
            let reason = what["reason"].as_str().unwrap_or_default();
            self.output.line(&format!("{time} warning: {route} {status}: {reason}"));
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

    /// Something that the store could not do. The first is told, and what follows is counted until it answers again.
    pub fn store_failed(&self, what: &str, error: &StoreError) {
        if self.outage().failed(self.began.elapsed()) {
            self.warn(&format!(
                "the store does not answer: {error} ({what}). What else fails until it answers again is counted, and not told"
            ));
        }
    }

    /// The store could do something.
    pub fn store_answered(&self) {
        let over = self.outage().answered(self.began.elapsed());
        if let Some(over) = over {
            let (seconds, others) = (over.lasted.as_secs(), over.others);
            self.note(&format!("the store answers again: it failed for {seconds} s, {others} more times"));
        }
    }

    fn outage(&self) -> MutexGuard<'_, Outage> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner)
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

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What a log says of the same deliveries, without the times.
    fn said(is_json: bool) -> String {
        let written = Written::default();
        let output = Output::to(Box::new(written.clone()));
        let log = Log::new(&output, is_json);
        let decision = |decision, job_id: Option<&str>, reason: Option<&str>| Decision {
            dedupe_key: "generic:disk\nfull".to_string(),
            decision,
            job_id: job_id.map(str::to_string),
            reason: reason.map(str::to_string),
        };
        let decisions = [
            decision("started", Some("job-1"), None),
            decision("suppressed", None, Some("resolved, and no job is active")),
        ];
        let answer = json!({"delivery_id": "delivery-1", "accepted": true});
        log.delivery("auto", 202, &answer, &decisions);
        let answer = json!({"delivery_id": "delivery-2", "accepted": false, "reason": "title is missing"});
        log.delivery("auto", 422, &answer, &[]);
        log.refused("auto", 401, &json!({"reason": "the request has no Authorization header"}));
        log.note("stopped");
        log.warn("the key cog_Xq9vT2kLmZ4wXq9vT2kLmZ4w is refused");
        output.finish(None).unwrap();
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let time = &now()[..11];
        let lines = text.lines().map(|line| match line.find(time) {
            Some(at) => format!("{}TIME{}", &line[..at], &line[at + 24..]),
            None => line.to_string(),
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_decision_is_a_line_with_its_route_its_alert_and_its_job() {
        insta::assert_snapshot!(format!("{}\n{}", said(false), said(true)));
    }
}
