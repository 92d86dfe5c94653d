//! What the connector has to say, in the form that was asked for: Airbyte's messages, or bare records with notes for
//! people on stderr. Keeps each stream's account, so that a STATE counts the records before it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio::time::Instant;

use super::ledger::Account;
pub use super::ledger::Ledger;
use super::output_folder::OutputFolder;
use super::progress::{self, Outcome, counted};
use super::record::{Frame, Framed};
use super::redaction::Redactions;
use super::shape::Shape;
use super::state_file::StateFile;
use crate::airbyte::StreamDescriptor;
use crate::airbyte::message::{CheckStatus, ConnectionStatus, FailureType, Level, Message, StreamStatus};
use crate::output::{Closed, Output};

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
        match (&ledger.line, self.format) {
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
                (ledger.stream.to_string(), account.figures, account.outcome.unwrap_or(Outcome::Incomplete))
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

    /// A stream's read begins. `safe` is the state it begins from.
    pub fn start(&self, stream: &StreamDescriptor, safe: Value) -> Arc<Ledger> {
        self.status(stream, StreamStatus::Started, false);
        let account = Account { safe: Some(safe), ..Account::default() };
        let line = if self.has_live_lines() { self.output.live_line(&stream.to_string()) } else { None };
        let ledger =
            Arc::new(Ledger { stream: stream.clone(), started: Instant::now(), line, account: Mutex::new(account) });
        lock(&self.ledgers).push(Arc::clone(&ledger));
        ledger
    }

    /// A stream's first answer is there: said once, before its first record.
    pub fn running(&self, ledger: &Ledger) {
        let mut account = ledger.lock();
        account.figures.is_rate_limited = false;
        if !account.is_running && account.outcome.is_none() {
            account.is_running = true;
            self.status(&ledger.stream, StreamStatus::Running, false);
        }
    }

    /// A stream waits because the API limits the rate: said once until it goes on.
    pub fn rate_limited(&self, ledger: &Ledger) {
        let mut account = ledger.lock();
        if !account.figures.is_rate_limited && account.outcome.is_none() {
            account.figures.is_rate_limited = true;
            self.status(&ledger.stream, StreamStatus::Running, true);
        }
    }

    /// How many rows the stream will have.
    pub fn estimate(&self, ledger: &Ledger, rows: u64) {
        ledger.lock().figures.total = Some(rows);
        self.message(&Message::estimate(&ledger.stream, rows, now_ms()));
    }

    /// What a record of `stream` that is read now looks like on its line.
    pub fn frame(&self, stream: &StreamDescriptor) -> Frame {
        let frame = match self.format {
            Format::Airbyte => Frame::airbyte(stream, now_ms()),
            Format::Records => Frame::bare(self.label_records.then_some(stream.name.as_str())),
        };
        let is_told = self.least <= Level::Info;
        let shape = Shape::of_stream(&stream.name).filter(|_| is_told);
        frame.redacted(self.redactions.of_stream(&stream.name)).declared(shape)
    }

    /// Queues a page's records, waiting while the reader of stdout is behind.
    ///
    /// # Errors
    /// [`Closed`] when that reader has gone, or when the stream has been ended meanwhile.
    pub async fn records(&self, ledger: &Ledger, framed: Framed) -> Result<(), Closed> {
        if framed.empty > 0 {
            let text = format!(
                "stream {}: {} left out, as Airbyte would drop {}",
                ledger.stream,
                counted(framed.empty, "empty record is", "empty records are"),
                if framed.empty == 1 { "it" } else { "them" }
            );
            self.log(Level::Warn, &text);
        }
        self.tell_differences(ledger, framed.differences);
        if framed.records == 0 {
            return Ok(());
        }
        self.output.room_for(framed.lines.len()).await?;
        let mut account = ledger.lock();
        if account.outcome.is_some() {
            return Err(Closed);
        }
        account.figures.records += framed.records;
        account.since_state += framed.records;
        match &self.folder {
            Some(folder) => folder.write(&self.output, &ledger.stream.name, framed.lines),
            None => self.output.records(framed.lines),
        }
        Ok(())
    }

    /// Says how what the API sends differs from the schema, of each field once.
    fn tell_differences(&self, ledger: &Ledger, differences: BTreeMap<String, String>) {
        for (field, sentence) in differences {
            if ledger.lock().differing.insert(field) {
                self.log(
                    Level::Info,
                    &format!("stream {}: {sentence}; the records have it as it was sent", ledger.stream),
                );
            }
        }
    }

    /// Notes that everything queued so far supports `state`, without saying so yet.
    pub fn safe(&self, ledger: &Ledger, state: Value) {
        let mut account = ledger.lock();
        account.has_moved = true;
        account.safe = Some(state);
    }

    /// Says the newest safe state, unless it has been said already.
    pub fn checkpoint(&self, ledger: &Ledger) {
        let mut account = ledger.lock();
        if account.outcome.is_some() || !account.has_moved || account.safe == account.last_state {
            return;
        }
        if let Some(state) = account.safe.clone() {
            self.state(&ledger.stream, &mut account, state);
        }
    }

    /// The stream has been read to its end, with this state.
    pub fn complete(&self, ledger: &Ledger, state: Value) {
        self.running(ledger);
        self.end(ledger);
        let mut account = ledger.lock();
        account.has_moved = true;
        if let Some(folder) = &self.folder {
            folder.complete(&self.output, &ledger.stream.name);
        }
        self.state(&ledger.stream, &mut account, state);
        account.outcome = Some(Outcome::Complete);
        self.status(&ledger.stream, StreamStatus::Complete, false);
    }

    /// The stream ends early: its records so far are counted by the newest safe state. Once; later calls do nothing.
    pub fn incomplete(&self, ledger: &Ledger) {
        if ledger.has_ended() {
            return;
        }
        self.end(ledger);
        let mut account = ledger.lock();
        if account.since_state > 0
            && account.safe != account.last_state
            && let Some(state) = account.safe.clone()
        {
            self.state(&ledger.stream, &mut account, state);
        }
        self.abandon(ledger);
        account.outcome = Some(Outcome::Incomplete);
        self.status(&ledger.stream, StreamStatus::Incomplete, false);
    }

    /// The stream is not there for this key, and nobody has named it: it ends without a state.
    pub fn left_out(&self, ledger: &Ledger) {
        self.end(ledger);
        self.abandon(ledger);
        ledger.lock().outcome = Some(Outcome::LeftOut);
        self.status(&ledger.stream, StreamStatus::Incomplete, false);
    }

    /// A stream has no file where it was to have a whole one.
    fn abandon(&self, ledger: &Ledger) {
        let gone = self.folder.as_ref().and_then(|folder| folder.abandon(&self.output, &ledger.stream.name));
        if let Some(gone) = gone {
            self.log(Level::Warn, &format!("stream {}: {gone}", ledger.stream));
        }
    }

    /// Any stream's status, known to us or not.
    pub fn status(&self, stream: &StreamDescriptor, status: StreamStatus, rate_limited: bool) {
        self.message(&Message::status(stream, status, rate_limited, now_ms()));
    }

    /// A stream's last figures.
    fn end(&self, ledger: &Ledger) {
        self.progress(ledger);
        if let Some(line) = &ledger.line {
            line.finish();
        }
    }

    fn state(&self, stream: &StreamDescriptor, account: &mut Account, state: Value) {
        self.message(&Message::state(stream, &state, account.since_state));
        if let Some(folder) = self.folder.as_ref().filter(|_| account.has_moved) {
            folder.keep(&self.output, &stream.name);
        }
        if let Some(file) = &self.states {
            file.keep(&self.output, stream.clone(), state.clone());
        }
        account.since_state = 0;
        account.last_state = Some(state);
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
