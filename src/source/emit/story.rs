//! What is said of one stream: that it begins, its records and states, how it ends. Keeps its account, so that a STATE counts the
//! records before it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::time::Instant;

use super::{Emitter, Format, lock, now_ms};
use crate::airbyte::StreamDescriptor;
use crate::airbyte::message::{Level, Message, StreamStatus};
use crate::output::Closed;
use crate::source::ledger::{Account, Ledger};
use crate::source::progress::{Outcome, counted};
use crate::source::record::{Frame, Framed};
use crate::source::shape::Shape;

impl Emitter {
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
        frame.redacted(self.redactions.of_stream(&stream.name)).declared(self.shape(stream))
    }

    /// The same of a record that is not written yet, and so is whole.
    pub fn plain_frame(&self, stream: &StreamDescriptor) -> Frame {
        Frame::plain().declared(self.shape(stream))
    }

    /// What is declared of a stream's records, where anybody wants to hear how they differ.
    fn shape(&self, stream: &StreamDescriptor) -> Option<&'static Shape> {
        Shape::of_stream(&stream.name).filter(|_| self.least <= Level::Info)
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
