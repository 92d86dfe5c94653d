//! What the connector has to say, in the form that was asked for: Airbyte's messages, or bare records with notes for
//! people on stderr. Keeps each stream's account, so that a STATE counts the records before it.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::record::{Frame, Framed};
use super::streams::Stream;
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
    states: Option<StateFile>,
}

/// One stream's account while it is read.
pub struct Ledger {
    pub stream: &'static str,
    account: Mutex<Account>,
}

#[derive(Default)]
struct Account {
    records: u64,
    since_state: u64,
    /// The newest state that everything already queued supports.
    safe: Option<Value>,
    last_state: Option<Value>,
    is_running: bool,
    is_rate_limited: bool,
    has_ended: bool,
}

impl Emitter {
    /// An emitter that leaves out logs below `least`.
    pub fn new(output: Output, format: Format, least: Level) -> Emitter {
        Emitter { output, format, least, label_records: false, states: None }
    }

    /// Puts the stream's name into each bare record: for when several streams share the output.
    pub fn labelled(mut self, label_records: bool) -> Emitter {
        self.label_records = label_records;
        self
    }

    /// Keeps each stream's newest state in a file too, starting from the states that came in.
    pub fn with_state_file(mut self, path: Option<PathBuf>, states: BTreeMap<String, Value>) -> Emitter {
        self.states = path.map(|path| StateFile { path, states: Arc::new(Mutex::new(states)) });
        self
    }

    /// A log message, or a note on stderr.
    pub fn log(&self, level: Level, text: &str) {
        if level < self.least {
            return;
        }
        match (self.format, level) {
            (Format::Airbyte, _) => self.message(&Message::log(level, text)),
            (Format::Records, Level::Warn) => self.output.note(&format!("warning: {text}")),
            (Format::Records, Level::Error) => self.output.note(&format!("error: {text}")),
            (Format::Records, Level::Info | Level::Debug) => self.output.note(text),
        }
    }

    /// What was done, said when it is done: a log message, or a note where a person is watching.
    pub fn summary(&self, text: &str) {
        if self.format == Format::Airbyte || io::stderr().is_terminal() {
            self.log(Level::Info, text);
        }
    }

    /// An error that ends a stream, or the whole command when `stream` is `None`.
    pub fn error(&self, message: &str, failure_type: FailureType, stream: Option<&str>) {
        match self.format {
            Format::Airbyte => self.message(&Message::error(message, failure_type, stream, now_ms())),
            Format::Records => self.output.note(&format!("error: {message}")),
        }
    }

    /// Any message of Airbyte's; bare records have no place for it.
    pub fn message(&self, message: &Message) {
        if self.format == Format::Airbyte {
            self.output.line(&message.line());
        }
    }

    /// The answer to `check`.
    pub fn connection(&self, status: CheckStatus, message: Option<&str>) {
        self.message(&Message::ConnectionStatus { connection_status: ConnectionStatus { status, message } });
    }

    /// A stream's read begins. `safe` is the state it begins from.
    pub fn start(&self, stream: &'static Stream, safe: Value) -> Arc<Ledger> {
        self.status(stream.name, StreamStatus::Started, false);
        let account = Account { safe: Some(safe), ..Account::default() };
        Arc::new(Ledger { stream: stream.name, account: Mutex::new(account) })
    }

    /// A stream's first answer is there: said once, before its first record.
    pub fn running(&self, ledger: &Ledger) {
        let mut account = ledger.lock();
        account.is_rate_limited = false;
        if !account.is_running && !account.has_ended {
            account.is_running = true;
            self.status(ledger.stream, StreamStatus::Running, false);
        }
    }

    /// A stream waits because the API limits the rate: said once until it goes on.
    pub fn rate_limited(&self, ledger: &Ledger) {
        let mut account = ledger.lock();
        if !account.is_rate_limited && !account.has_ended {
            account.is_rate_limited = true;
            self.status(ledger.stream, StreamStatus::Running, true);
        }
    }

    /// How many rows the stream will have.
    pub fn estimate(&self, ledger: &Ledger, rows: u64) {
        self.message(&Message::estimate(ledger.stream, rows, now_ms()));
    }

    /// What a record of `stream` that is read now looks like on its line.
    pub fn frame(&self, stream: &str) -> Frame {
        match self.format {
            Format::Airbyte => Frame::airbyte(stream, now_ms()),
            Format::Records => Frame::bare(self.label_records.then_some(stream)),
        }
    }

    /// Queues a page's records, waiting while the reader of stdout is behind.
    ///
    /// # Errors
    /// [`Closed`] when that reader has gone, or when the stream has been ended meanwhile.
    pub async fn records(&self, ledger: &Ledger, framed: Framed) -> Result<(), Closed> {
        if framed.empty > 0 {
            let text = format!(
                "stream {}: {} empty records are left out, as Airbyte would drop them",
                ledger.stream, framed.empty
            );
            self.log(Level::Warn, &text);
        }
        if framed.records == 0 {
            return Ok(());
        }
        self.output.room_for(framed.lines.len()).await?;
        let mut account = ledger.lock();
        if account.has_ended {
            return Err(Closed);
        }
        account.records += framed.records;
        account.since_state += framed.records;
        self.output.records(framed.lines);
        Ok(())
    }

    /// Notes that everything queued so far supports `state`, without saying so yet.
    pub fn safe(&self, ledger: &Ledger, state: Value) {
        ledger.lock().safe = Some(state);
    }

    /// Says the newest safe state, unless it has been said already.
    pub fn checkpoint(&self, ledger: &Ledger) {
        let mut account = ledger.lock();
        if account.has_ended || account.safe == account.last_state {
            return;
        }
        if let Some(state) = account.safe.clone() {
            self.state(ledger.stream, &mut account, state);
        }
    }

    /// The stream has been read to its end, with this state.
    pub fn complete(&self, ledger: &Ledger, state: Value) {
        self.running(ledger);
        let mut account = ledger.lock();
        self.state(ledger.stream, &mut account, state);
        account.has_ended = true;
        self.status(ledger.stream, StreamStatus::Complete, false);
    }

    /// The stream ends early: its records so far are counted by the newest safe state. Once; later calls do nothing.
    pub fn incomplete(&self, ledger: &Ledger) {
        let mut account = ledger.lock();
        if account.has_ended {
            return;
        }
        if account.since_state > 0
            && account.safe != account.last_state
            && let Some(state) = account.safe.clone()
        {
            self.state(ledger.stream, &mut account, state);
        }
        account.has_ended = true;
        self.status(ledger.stream, StreamStatus::Incomplete, false);
    }

    /// Any stream's status, known to us or not.
    pub fn status(&self, stream: &str, status: StreamStatus, rate_limited: bool) {
        self.message(&Message::status(stream, status, rate_limited, now_ms()));
    }

    fn state(&self, stream: &'static str, account: &mut Account, state: Value) {
        self.message(&Message::state(stream, &state, account.since_state));
        if let Some(file) = &self.states {
            file.keep(&self.output, stream, state.clone());
        }
        account.since_state = 0;
        account.last_state = Some(state);
    }
}

impl Ledger {
    /// How many records have been queued.
    pub fn records(&self) -> u64 {
        self.lock().records
    }

    fn lock(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The newest states in a file, replaced as a whole once the records before them are out.
struct StateFile {
    path: PathBuf,
    states: Arc<Mutex<BTreeMap<String, Value>>>,
}

impl StateFile {
    fn keep(&self, output: &Output, stream: &'static str, state: Value) {
        let (path, states) = (self.path.clone(), Arc::clone(&self.states));
        output.after_all_that(move || {
            let mut states = states.lock().unwrap_or_else(PoisonError::into_inner);
            states.insert(stream.to_string(), state);
            let list: Vec<Value> = states
                .iter()
                .map(|(name, state)| {
                    serde_json::json!({"type": "STREAM", "stream": {"stream_descriptor": {"name": name}, "stream_state": state}})
                })
                .collect();
            replace(&path, &format!("{:#}\n", Value::from(list)))
                .map_err(|error| io::Error::other(format!("cannot write the state file {}: {error}", path.display())))
        });
    }
}

/// Writes a file beside `path` and puts it in its place, so that a reader sees the old or the new, never a part.
fn replace(path: &std::path::Path, text: &str) -> io::Result<()> {
    let mut beside = path.as_os_str().to_os_string();
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = PathBuf::from(beside);
    let write = || -> io::Result<()> {
        let mut file = std::fs::File::create(&beside)?;
        io::Write::write_all(&mut file, text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().inspect_err(|_| {
        // The first error is the one to report.
        let _ = std::fs::remove_file(&beside);
    })
}

/// This machine's clock, in Unix milliseconds.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
