//! What the connector has to say, in the form that was asked for: Airbyte's messages, or bare records with notes for
//! people on stderr. What it says of one stream, from its beginning to its end, has its own file.

mod story;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

pub use super::ledger::Ledger;
use super::output_folder::OutputFolder;
use super::progress::{self, Outcome};
use super::redaction::Redactions;
use super::state_file::StateFile;
use crate::airbyte::StreamDescriptor;
use crate::airbyte::message::{CheckStatus, ConnectionStatus, FailureType, Level, Message};
use crate::output::Output;

/// The form of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Airbyte's messages on stdout, logs among them.
    Airbyte,
    /// Bare records on stdout, everything else as text on stderr.
    Records,
}

/// Says things in one [`Format`].
pub struct Emitter {
    output: Output,
    format: Format,
    least: Level,
    label_records: bool,
    /// Whether errors and warnings go to stderr, too: a person reads along.
    is_read_by_a_person: bool,
    /// Whether somebody watches who wants to see progress and a summary.
    shows_progress: bool,
    states: Option<StateFile>,
    /// Where records go instead of stdout.
    folder: Option<OutputFolder>,
    redactions: Redactions,
    began: Instant,
    ledgers: Mutex<Vec<Arc<Ledger>>>,
}

impl Emitter {
    /// An emitter that leaves out logs below `least`.
    pub fn new(output: Output, format: Format, least: Level) -> Emitter {
        let is_seen = output.is_seen();
        Emitter {
            output,
            format,
            least,
            label_records: false,
            is_read_by_a_person: is_seen,
            shows_progress: is_seen,
            states: None,
            folder: None,
            redactions: Redactions::default(),
            began: Instant::now(),
            ledgers: Mutex::default(),
        }
    }

    /// Puts the stream's name into each bare record: for when several streams share the output.
    pub fn labeled(mut self, label_records: bool) -> Emitter {
        self.label_records = label_records;
        self
    }

    /// Tells errors and warnings on stderr, too.
    pub fn to_a_person(mut self) -> Emitter {
        self.is_read_by_a_person = true;
        self
    }

    /// Leaves out what is no warning and no error: logs, progress, the summary.
    pub fn quiet(mut self, is_quiet: bool) -> Emitter {
        if is_quiet {
            self.least = self.least.max(Level::Warn);
            self.shows_progress = false;
        }
        self
    }

    /// Keeps each stream's newest state in a file too.
    pub fn keeping(mut self, states: Option<StateFile>) -> Emitter {
        self.states = states;
        self
    }

    /// Writes bare records into a folder, a file for each stream, instead of stdout.
    pub fn into_folder(mut self, folder: Option<OutputFolder>) -> Emitter {
        self.folder = folder;
        self
    }

    /// Leaves out or hashes fields of records.
    pub fn redacting(mut self, redactions: Redactions) -> Emitter {
        self.redactions = redactions;
        self
    }

    /// A log message, or a note on stderr.
    pub fn log(&self, level: Level, text: &str) {
        if level < self.least {
            return;
        }
        match (self.format, level) {
            (Format::Airbyte, _) => {
                self.message(&Message::log(level, text));
                if self.is_read_by_a_person && level >= Level::Warn {
                    self.output.note(&format!("warning: {text}"));
                }
            }
            (Format::Records, Level::Warn) => self.output.note(&format!("warning: {text}")),
            (Format::Records, Level::Error) => self.output.note(&format!("error: {text}")),
            (Format::Records, Level::Info | Level::Debug) => self.output.note(text),
        }
    }

    /// What a read that is stopped has left, and how the next one goes on.
    pub fn how_to_go_on(&self) -> String {
        match (&self.states, self.format) {
            (Some(file), _) => file.how_to_go_on(),
            (None, _) if self.folder.is_some() => "only streams that were complete have a file".to_string(),
            (None, Format::Airbyte) => {
                "the last STATE of each stream says how far it got; pass it to --state to continue".to_string()
            }
            (None, Format::Records) => {
                "the records so far have been written. With --state-out FILE, a read can be continued".to_string()
            }
        }
    }

    /// Waits until nothing more can be said, because the reader of stdout has gone.
    pub async fn closed(&self) {
        self.output.stopped().await;
    }

    /// Says how far a stream has come: on its live line, or in a log message.
    pub fn progress(&self, ledger: &Ledger) {
        match (&ledger.shared.line, self.format) {
            (Some(_), _) => ledger.show(),
            (None, Format::Airbyte) => self.log(Level::Info, &format!("stream {}: {}", ledger.stream, ledger.told())),
            (None, Format::Records) => {}
        }
    }

    /// How often that is worth saying.
    pub fn progress_every(&self) -> Duration {
        Duration::from_millis(if self.has_live_lines() { 200 } else { 10_000 })
    }

    /// Sums the read up for whoever has watched it, in place of the live lines.
    pub fn summarize(&self) {
        if !self.shows_progress {
            return;
        }
        let ledgers = lock(&self.ledgers);
        let streams: Vec<progress::StreamSummary> = ledgers
            .iter()
            .map(|ledger| {
                let account = ledger.lock();
                (ledger.stream.to_string(), account.figures, account.outcome().unwrap_or(Outcome::Incomplete))
            })
            .collect();
        if !streams.is_empty() {
            self.output.closing_note(&progress::summary(&streams, self.began.elapsed()));
        }
    }

    fn has_live_lines(&self) -> bool {
        let has_stdout_to_itself = self.folder.is_some() && self.output.is_seen();
        self.shows_progress && (has_stdout_to_itself || self.output.is_watched())
    }

    /// An error that ends a stream, or the whole command when `stream` is `None`.
    pub fn error(&self, message: &str, failure_type: FailureType, stream: Option<&StreamDescriptor>) {
        match self.format {
            Format::Airbyte => {
                self.message(&Message::error(message, failure_type, stream, now_ms()));
                if self.is_read_by_a_person {
                    self.output.note(&format!("error: {message}"));
                }
            }
            Format::Records => self.output.note(&format!("error: {message}")),
        }
    }

    /// Any message of Airbyte's; bare records have no place for it.
    pub fn message(&self, message: &Message) {
        match (self.format, message) {
            (Format::Records, _) => {}
            // What a platform reads back has to come back as it was.
            (Format::Airbyte, Message::State { .. }) => self.output.line_as_it_is(&message.line()),
            (Format::Airbyte, _) => self.output.line(&message.line()),
        }
    }

    /// The answer to `check`.
    pub fn connection(&self, status: CheckStatus, message: Option<&str>) {
        self.message(&Message::ConnectionStatus { connection_status: ConnectionStatus { status, message } });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// This machine's clock, in Unix milliseconds.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
