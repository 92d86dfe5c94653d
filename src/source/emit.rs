//! What the connector has to say, in the form that was asked for: Airbyte's messages, or bare records with notes for
//! people on stderr. Keeps each stream's account, so that a STATE counts the records before it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::record::{Frame, Framed};
use super::state_file::StateFile;
use crate::airbyte::StreamDescriptor;
use crate::airbyte::message::{CheckStatus, ConnectionStatus, FailureType, Level, Message, StreamStatus};
use crate::output::{Closed, LiveLine, Output};

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
    states: Option<StateFile>,
}

/// One stream's account while it is read.
pub struct Ledger {
    pub stream: StreamDescriptor,
    started: Instant,
    line: Option<LiveLine>,
    account: Mutex<Account>,
}

#[derive(Default)]
struct Account {
    records: u64,
    since_state: u64,
    /// How many records the API has promised.
    total: Option<u64>,
    bytes: u64,
    requests: u64,
    retries: u64,
    /// The newest state that everything already queued supports.
    safe: Option<Value>,
    last_state: Option<Value>,
    /// Whether `safe` is more than the state that the stream began with.
    has_moved: bool,
    is_running: bool,
    is_rate_limited: bool,
    has_ended: bool,
}

impl Emitter {
    /// An emitter that leaves out logs below `least`.
    pub fn new(output: Output, format: Format, least: Level) -> Emitter {
        let is_read_by_a_person = output.is_seen();
        Emitter { output, format, least, label_records: false, is_read_by_a_person, states: None }
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

    /// Keeps each stream's newest state in a file too.
    pub fn keeping(mut self, states: Option<StateFile>) -> Emitter {
        self.states = states;
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
    pub fn how_to_go_on(&self) -> &'static str {
        match (&self.states, self.format) {
            (Some(_), _) => {
                "the state file says how far it came, and the same command with --state on that file goes on from there"
            }
            (None, Format::Airbyte) => "the last STATE of each stream says how far it came",
            (None, Format::Records) => {
                "the records so far are out; with --state-out FILE, the next read could go on from here"
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
        Duration::from_millis(if self.output.is_watched() { 200 } else { 10_000 })
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
        let line = if self.output.is_watched() { self.output.live_line(&stream.to_string()) } else { None };
        Arc::new(Ledger { stream: stream.clone(), started: Instant::now(), line, account: Mutex::new(account) })
    }

    /// A stream's first answer is there: said once, before its first record.
    pub fn running(&self, ledger: &Ledger) {
        let mut account = ledger.lock();
        account.is_rate_limited = false;
        if !account.is_running && !account.has_ended {
            account.is_running = true;
            self.status(&ledger.stream, StreamStatus::Running, false);
        }
    }

    /// A stream waits because the API limits the rate: said once until it goes on.
    pub fn rate_limited(&self, ledger: &Ledger) {
        let mut account = ledger.lock();
        if !account.is_rate_limited && !account.has_ended {
            account.is_rate_limited = true;
            self.status(&ledger.stream, StreamStatus::Running, true);
        }
    }

    /// How many rows the stream will have.
    pub fn estimate(&self, ledger: &Ledger, rows: u64) {
        ledger.lock().total = Some(rows);
        self.message(&Message::estimate(&ledger.stream, rows, now_ms()));
    }

    /// What a record of `stream` that is read now looks like on its line.
    pub fn frame(&self, stream: &StreamDescriptor) -> Frame {
        match self.format {
            Format::Airbyte => Frame::airbyte(stream, now_ms()),
            Format::Records => Frame::bare(self.label_records.then_some(stream.name.as_str())),
        }
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
        let mut account = ledger.lock();
        account.has_moved = true;
        account.safe = Some(state);
    }

    /// Says the newest safe state, unless it has been said already.
    pub fn checkpoint(&self, ledger: &Ledger) {
        let mut account = ledger.lock();
        if account.has_ended || !account.has_moved || account.safe == account.last_state {
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
        self.state(&ledger.stream, &mut account, state);
        account.has_ended = true;
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
        account.has_ended = true;
        self.status(&ledger.stream, StreamStatus::Incomplete, false);
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
        if let Some(file) = &self.states {
            file.keep(&self.output, stream.clone(), state.clone());
        }
        account.since_state = 0;
        account.last_state = Some(state);
    }
}

impl Ledger {
    /// A request has gone out.
    pub fn asking(&self) {
        self.lock().requests += 1;
    }

    /// A request has to be made again.
    pub fn retrying(&self) {
        self.lock().retries += 1;
    }

    /// So many bytes have come in.
    pub fn received(&self, bytes: usize) {
        self.lock().bytes += bytes as u64;
    }

    /// Whether the stream's last status has been said.
    pub fn has_ended(&self) -> bool {
        self.lock().has_ended
    }

    /// `36 of 40 records, 30 kB, 1 request, 0 retries, 0.1 s, 360 records/s`.
    fn told(&self) -> String {
        let account = self.lock();
        let of = account.total.map_or(String::new(), |total| format!(" of {total}"));
        let seconds = self.started.elapsed().as_secs_f64();
        let rate = account.records as f64 / seconds.max(0.001);
        format!(
            "{}{of} {}, {} kB, {}, {}, {seconds:.1} s, {rate:.0} records/s",
            account.records,
            if account.records == 1 && of.is_empty() { "record" } else { "records" },
            account.bytes.div_ceil(1000),
            counted(account.requests, "request", "requests"),
            counted(account.retries, "retry", "retries")
        )
    }

    /// The same in fewer words, for a line of a terminal.
    fn show(&self) {
        let Some(line) = &self.line else { return };
        let account = self.lock();
        let Account { records, requests, retries, .. } = *account;
        let rate = records as f64 / self.started.elapsed().as_secs_f64().max(0.001);
        let retries = if retries > 0 { format!(", {}", counted(retries, "retry", "retries")) } else { String::new() };
        let (records_so_far, requests) =
            (counted(records, "record", "records"), counted(requests, "request", "requests"));
        line.show(records, account.total, &format!("{records_so_far}, {rate:.0}/s, {requests}{retries}"));
    }

    fn lock(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number with its noun.
fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// This machine's clock, in Unix milliseconds.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
