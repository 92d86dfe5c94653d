//! How events are shown: JSON lines on stdout for programs, and text for a person.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};

use super::event::{EventKind, RelayEvent};
use super::terminal::text;
use super::text::clean_line;
use crate::output::Output;
use redact::redact;

/// So much of an alert's title stands before its lines where there are several alerts.
const TITLE_BYTES: usize = 40;

/// What stdout gets. Where it gets JSON lines, the text goes to stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    Text,
    Json,
}

/// Shows the events of a run.
pub struct Presenter {
    output: Output,
    format: OutputFormat,
    require_pr: bool,
    /// The titles of the alerts by their dedupe keys.
    titles: Mutex<HashMap<String, String>>,
}

impl Presenter {
    /// A presenter that writes to `output`. `require_pr` decides which exit code an outcome has.
    pub fn new(output: &Output, format: OutputFormat, require_pr: bool) -> Presenter {
        Presenter { output: output.clone(), format, require_pr, titles: Mutex::default() }
    }

    /// Shows what happened to no job, or before there is one.
    pub fn tell(&self, kind: EventKind, dedupe_key: Option<&str>) {
        let time = DateTime::<Utc>::from(SystemTime::now()).to_rfc3339_opts(SecondsFormat::Secs, true);
        self.show(&RelayEvent { time, kind, job_id: None, dedupe_key: dedupe_key.map(str::to_string) });
    }

    /// Shows an event.
    pub fn show(&self, event: &RelayEvent) {
        // Before anything is cut to size.
        let kind = event.kind.map_foreign(&|text| self.output.without_keys(text));
        let event = &RelayEvent { kind, ..event.clone() };
        let prefix = self.prefix(event);
        let text = text(&event.kind, self.require_pr);
        let text = text.map(|text| text.lines().map(|line| format!("{prefix}{line}")).collect::<Vec<_>>().join("\n"));
        match self.format {
            OutputFormat::Json => {
                if !matches!(event.kind, EventKind::Note { .. }) {
                    // A dedupe key is the sender's text as it came, so that its hash never changes; what is shown is redacted.
                    let dedupe_key = event.dedupe_key.as_deref().map(|key| redact(key).into_owned());
                    let kind = event.kind.map_foreign(&|text| redact(text).into_owned());
                    let event = RelayEvent { dedupe_key, kind, ..event.clone() };
                    let json = serde_json::to_string(&event).expect("an event has string keys and serializes");
                    self.output.line_at_once(&json);
                }
                if let Some(text) = text.filter(|_| !matches!(event.kind, EventKind::Prompt { .. })) {
                    self.output.note(&text);
                }
            }
            OutputFormat::Text => {
                let is_problem = matches!(event.kind, EventKind::Error(_) | EventKind::Warning { .. });
                match text {
                    Some(text) if is_problem => self.output.note(&text),
                    Some(text) => self.output.line_at_once(&text),
                    None => {}
                }
            }
        }
    }

    /// The alert's title, where there are several.
    fn prefix(&self, event: &RelayEvent) -> String {
        let Some(key) = &event.dedupe_key else { return String::new() };
        let mut titles = self.titles.lock().unwrap_or_else(PoisonError::into_inner);
        if let EventKind::AlertReceived { title, .. } = &event.kind {
            titles.insert(key.clone(), clean_line(title, TITLE_BYTES));
            return String::new();
        }
        match titles.get(key) {
            Some(title) if titles.len() > 1 => format!("[{title}] "),
            _ => String::new(),
        }
    }
}
