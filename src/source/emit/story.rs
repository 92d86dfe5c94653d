//! What is said of one stream: that it begins, its records and states, how it ends. Keeps its account, so that a STATE counts the
//! records before it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::time::Instant;

use super::{Emitter, Format, lock, now_ms};
use crate::airbyte::StreamDescriptor;
use crate::airbyte::message::{Level, Message, StreamStatus};
use crate::failure::Advice;
use crate::output::Closed;
use crate::source::ledger::{Account, Ledger, Part, Refused, Shared};
use crate::source::organizations::States;
use crate::source::progress::{Outcome, counted};
use crate::source::record::{Frame, Framed};
use crate::source::shape::Shape;

impl Emitter {
    /// A stream's read begins: an account for each organization, with the state that it begins from. `kept` are the states of
    /// organizations that are not read.
    pub fn start(&self, stream: &StreamDescriptor, begins: Vec<(String, Value)>, kept: States) -> Vec<Arc<Ledger>> {
        self.status(stream, StreamStatus::Started, false);
        let parts: Vec<Part> = begins.into_iter().map(|(org_id, safe)| Part { org_id, safe, outcome: None }).collect();
        let count = parts.len();
        let line = if self.has_live_lines() { self.output.live_line(&stream.to_string()) } else { None };
        let account = Mutex::new(Account { parts, kept, ..Account::default() });
        let shared = Arc::new(Shared { started: Instant::now(), line, account });
        let one = |part| Arc::new(Ledger { stream: stream.clone(), part, shared: Arc::clone(&shared) });
        let ledgers: Vec<Arc<Ledger>> = (0..count).map(one).collect();
        lock(&self.ledgers).extend(ledgers.first().cloned());
        ledgers
    }

    /// A stream's first answer is there: said once, before its first record.
    pub fn running(&self, ledger: &Ledger) {
        let mut account = ledger.lock();
        account.figures.is_rate_limited = false;
        if !account.is_running && account.outcome().is_none() {
            account.is_running = true;
            self.status(&ledger.stream, StreamStatus::Running, false);
        }
    }

    /// A stream waits because the API limits the rate: said once until it goes on.
    pub fn rate_limited(&self, ledger: &Ledger) {
        let mut account = ledger.lock();
        if !account.figures.is_rate_limited && account.outcome().is_none() {
            account.figures.is_rate_limited = true;
            self.status(&ledger.stream, StreamStatus::Running, true);
        }
    }

    /// How many rows the stream will have.
    pub fn estimate(&self, ledger: &Ledger, rows: u64) {
        let mut account = ledger.lock();
        let others = if account.parts.len() > 1 { account.figures.total.unwrap_or(0) } else { 0 };
        let rows = others + rows;
        account.figures.total = Some(rows);
        drop(account);
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
        if account.parts[ledger.part].outcome.is_some() {
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

    /// Notes that everything queued so far supports `state` of the organization, without saying so yet.
    pub fn safe(&self, ledger: &Ledger, state: Value) {
        let mut account = ledger.lock();
        account.has_moved = true;
        account.parts[ledger.part].safe = state;
    }

    /// Says the newest safe state, unless it has been said already.
    pub fn checkpoint(&self, ledger: &Ledger) {
        let mut account = ledger.lock();
        if account.parts[ledger.part].outcome.is_none() {
            self.state_if_new(ledger, &mut account);
        }
    }

    /// The organization's part has been read to its end, with this state.
    pub fn complete(&self, ledger: &Ledger, state: Value) {
        self.running(ledger);
        self.safe(ledger, state);
        self.end(ledger, Outcome::Complete);
    }

    /// The organization's part ends early: its records so far are counted by the newest safe state. Once; later calls do nothing.
    pub fn incomplete(&self, ledger: &Ledger) {
        if !ledger.has_ended() {
            self.end(ledger, Outcome::Incomplete);
        }
    }

    /// The list that is called `name` is not there for this key, and nobody has named its stream, which ends without a state: with
    /// a warning if no organization has it, and as incomplete if another one does.
    pub fn left_out(&self, ledger: &Ledger, name: String, advice: Advice) {
        ledger.lock().refused.push(Refused { name, advice });
        self.end(ledger, Outcome::LeftOut);
    }

    /// An organization has been read. With the last one, the stream ends: complete, if all of them are that are there.
    fn end(&self, ledger: &Ledger, outcome: Outcome) {
        let of_stream = {
            let mut account = ledger.lock();
            account.parts[ledger.part].outcome = Some(outcome);
            account.outcome()
        };
        let Some(outcome) = of_stream else {
            return self.state_if_new(ledger, &mut ledger.lock());
        };
        self.progress(ledger);
        if let Some(line) = &ledger.shared.line {
            line.finish();
        }
        let mut account = ledger.lock();
        match outcome {
            Outcome::Complete => {
                if let Some(folder) = &self.folder {
                    folder.complete(&self.output, &ledger.stream.name);
                }
                self.state(&ledger.stream, &mut account);
            }
            Outcome::Incomplete => {
                // What a part has not moved past need not be said again.
                let is_news = account.since_state > 0 || account.parts.len() > 1 && account.has_moved;
                if is_news && account.last_state.as_ref() != Some(&account.state()) {
                    self.state(&ledger.stream, &mut account);
                }
            }
            Outcome::LeftOut => {}
        }
        let refused = std::mem::take(&mut account.refused);
        drop(account);
        for Refused { name, advice: Advice { message, failure_type } } in refused {
            if outcome == Outcome::LeftOut {
                self.log(Level::Warn, &format!("stream {name} is left out: {message}"));
            } else {
                self.error(&format!("stream {name}: {message}"), failure_type, Some(&ledger.stream));
            }
        }
        if outcome != Outcome::Complete {
            self.abandon(ledger);
        }
        let status = if outcome == Outcome::Complete { StreamStatus::Complete } else { StreamStatus::Incomplete };
        self.status(&ledger.stream, status, false);
    }

    fn state_if_new(&self, ledger: &Ledger, account: &mut Account) {
        if account.has_moved && account.last_state.as_ref() != Some(&account.state()) {
            self.state(&ledger.stream, account);
        }
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

    fn state(&self, stream: &StreamDescriptor, account: &mut Account) {
        let state = account.state();
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
