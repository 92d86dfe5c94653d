//! The only door out: whole lines to stdout through one writer, notes for people to stderr through another.
//!
//! Both writers are threads of their own, because a reader may stand still, and signals are to be heard all the same. On
//! a terminal, stderr also shows live progress, which notes step around. Everything but record data passes the redaction
//! of known secrets, and of what is shaped like one, on its way. The door knows no message format.

mod json;
#[cfg(unix)]
mod pipe;
mod stderr;
mod stdout;

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use stderr::{Note, Notes, Screen};
use stdout::Waiting;
use tokio::sync::{Semaphore, oneshot};

use crate::devin::Token;
use redact::Redactor;

pub use stderr::LiveLine;
pub use stdout::sync as sync_written;

/// How many bytes may wait for a slow reader of stdout before whoever produces them has to wait.
const WAITING_BYTES: usize = 4 << 20;

/// The door. Clones lead through the same one.
#[derive(Clone)]
pub struct Output {
    shared: Arc<Shared>,
}

/// Nothing more can be written; [`Output::finish`] says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed;

struct Shared {
    queue: Mutex<Option<Sender<Waiting>>>,
    outcome: Mutex<Receiver<io::Result<()>>>,
    notes: Notes,
    /// Disconnected when the last note is out.
    noted: Mutex<Receiver<()>>,
    room: Arc<Semaphore>,
    /// Never has room; closed when the writer has stopped.
    stopped: Arc<Semaphore>,
    redactor: Mutex<Redactor>,
    /// The live lines; `None` where nobody watches.
    screen: Option<Arc<Screen>>,
    /// Whether stdout is the terminal that shows the live lines too.
    is_shared: bool,
}

impl Output {
    /// Starts the writers of stdout and stderr.
    pub fn new() -> Output {
        Output::start(stdout::stdout(), true)
    }

    /// Starts a writer of something else, without live progress.
    pub fn to(sink: Box<dyn Write + Send>) -> Output {
        Output::start(sink, false)
    }

    fn start(sink: Box<dyn Write + Send>, is_stdout: bool) -> Output {
        let room = Arc::new(Semaphore::new(WAITING_BYTES));
        let stopped = Arc::new(Semaphore::new(0));
        let (queue, outcome) = stdout::start(sink, Arc::clone(&room), Arc::clone(&stopped));
        let (screen, notes, noted) = stderr::start(is_stdout);
        Output {
            shared: Arc::new(Shared {
                queue: Mutex::new(Some(queue)),
                outcome: Mutex::new(outcome),
                notes,
                noted: Mutex::new(noted),
                room,
                stopped,
                redactor: Mutex::default(),
                screen,
                is_shared: is_stdout && io::stdout().is_terminal(),
            }),
        }
    }

    /// From now on `secret` is masked in everything but record data.
    pub fn hide(&self, secret: &Token) {
        lock(&self.shared.redactor).add(secret.expose());
    }

    /// From now on, what `tell` tells the redactor is masked likewise.
    pub fn hide_all(&self, tell: impl FnOnce(&mut Redactor)) {
        tell(&mut lock(&self.shared.redactor));
    }

    /// Finds all that is masked here, for texts that go elsewhere.
    pub fn redactor(&self) -> Redactor {
        lock(&self.shared.redactor).clone()
    }

    /// Queues one line of text, a line feed added. Never waits; what cannot be written is noticed at the end.
    pub fn line(&self, text: &str) {
        let text = self.redact(text);
        let mut bytes = if self.is_terminal() { cleaned(&text) } else { text }.into_bytes();
        bytes.push(b'\n');
        self.push(Waiting { bytes, room: 0, then: None });
    }

    /// Queues one line as it is, for what must arrive whole and is no secret of the user's.
    pub fn line_as_it_is(&self, text: &str) {
        self.push(Waiting { bytes: format!("{text}\n").into_bytes(), room: 0, then: None });
    }

    /// Calls `then` once everything queued so far has been written and flushed; never, if that fails.
    pub fn after_all_that(&self, then: impl FnOnce() -> io::Result<()> + Send + 'static) {
        self.push(Waiting { bytes: Vec::new(), room: 0, then: Some(Box::new(then)) });
    }

    /// Waits for room for so many bytes of record lines.
    ///
    /// # Errors
    /// [`Closed`] when the reader of stdout has gone.
    pub async fn room_for(&self, bytes: usize) -> Result<(), Closed> {
        let room = self.shared.room.acquire_many(room_of(bytes)).await.map_err(|_| Closed)?;
        room.forget();
        Ok(())
    }

    /// Queues whole record lines, for which [`Output::room_for`] has made room. Record data is never redacted.
    pub fn records(&self, bytes: Vec<u8>) {
        let room = room_of(bytes.len());
        self.push(Waiting { bytes, room, then: None });
    }

    /// Has `write` called in the order of all that is queued, for lines that go elsewhere: so many bytes, for which
    /// [`Output::room_for`] has made room. Nothing is written after its error.
    pub fn records_elsewhere(&self, bytes: usize, write: impl FnOnce() -> io::Result<()> + Send + 'static) {
        self.push(Waiting { bytes: Vec::new(), room: room_of(bytes), then: Some(Box::new(write)) });
    }

    /// Waits until the writer has stopped early: when the reader of stdout has gone.
    pub async fn stopped(&self) {
        // Acquiring fails when the semaphore is closed, which is what is waited for.
        let _ = self.shared.stopped.acquire().await;
    }

    /// Whether the writer has stopped early.
    pub fn has_stopped(&self) -> bool {
        self.shared.stopped.is_closed()
    }

    /// Waits until everything queued so far has been written, lines and notes, or the writer of stdout has stopped.
    pub async fn written(&self) {
        let (tell, told) = oneshot::channel();
        self.after_all_that(move || {
            // Nobody waits any more when a signal came first.
            let _ = tell.send(());
            Ok(())
        });
        let (mark, noted) = oneshot::channel();
        self.shared.notes.push(Note::Mark(mark));
        tokio::select! {
            _ = told => {}
            () = self.stopped() => {}
        }
        // An error says that there is no writer of notes any more, so nothing is waited for.
        let _ = noted.await;
    }

    /// Queues a line for a person, to stderr. Never waits.
    pub fn note(&self, text: &str) {
        self.shared.notes.push(Note::Text(cleaned(&self.redact(text))));
    }

    /// Queues a last line for a person in place of the live lines: nothing where another program has the terminal. Never waits.
    pub fn closing_note(&self, text: &str) {
        self.shared.notes.push(Note::Closing(cleaned(&self.redact(text))));
    }

    /// Whether somebody watches live lines while records go elsewhere.
    pub fn is_watched(&self) -> bool {
        self.shared.screen.is_some() && !self.shared.is_shared
    }

    /// Whether somebody watches at all.
    pub fn is_seen(&self) -> bool {
        self.shared.screen.is_some()
    }

    /// Whether stdout is a terminal.
    pub fn is_terminal(&self) -> bool {
        self.shared.is_shared
    }

    /// Queues one line of text that steps around live lines where they share a terminal with it: for a few lines, where
    /// nothing else is queued.
    pub fn line_at_once(&self, text: &str) {
        if self.is_seen() && self.shared.is_shared {
            self.shared.notes.push(Note::Line(cleaned(&self.redact(text))));
        } else {
            self.line(text);
        }
    }

    /// A live line on stderr that begins with `name`; `None` where there is nobody to watch it.
    pub fn live_line(&self, name: &str) -> Option<LiveLine> {
        Some(self.shared.screen.as_ref()?.line(self.shared.notes.clone(), name))
    }

    /// Writes out what is queued and stops the writer. Waits for a slow reader until `deadline`; `None` waits as long as it
    /// takes.
    ///
    /// # Errors
    /// The writer's, for instance `BrokenPipe` when the reader has gone; `TimedOut` when the deadline has passed.
    pub fn finish(&self, deadline: Option<Instant>) -> io::Result<()> {
        drop(lock(&self.shared.queue).take());
        let outcome = lock(&self.shared.outcome);
        match deadline {
            Some(deadline) => outcome
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
                .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?,
            None => outcome.recv().map_err(|_| io::Error::other("the writer of stdout failed"))?,
        }
    }

    /// Writes out the notes that are queued; there can be none after that. Waits for a slow reader of stderr until
    /// `deadline`; `None` waits as long as it takes.
    pub fn finish_notes(&self, deadline: Option<Instant>) {
        self.shared.notes.close();
        let noted = lock(&self.shared.noted);
        // Nothing is ever sent: the wait ends with the writer, or at the deadline.
        let _ = match deadline {
            Some(deadline) => noted.recv_timeout(deadline.saturating_duration_since(Instant::now())).is_ok(),
            None => noted.recv().is_ok(),
        };
    }

    /// `text` without the keys that are hidden, for one who is going to cut it: half a key would not be recognized.
    pub fn without_keys(&self, text: &str) -> String {
        self.redact(text)
    }

    fn redact(&self, text: &str) -> String {
        // What comes from an alert or from Devin was redacted when it was read; names such as `password` in a message of
        // this program's own make no secret of what follows them.
        let redactor = lock(&self.shared.redactor);
        match redactor.redact_certain(text) {
            Cow::Owned(_) if json::is_json(text) => json::redacted(text, &redactor),
            redacted => redacted.into_owned(),
        }
    }

    fn push(&self, waiting: Waiting) {
        if let Some(queue) = lock(&self.shared.queue).as_ref() {
            // A writer that has stopped keeps its error for `finish`.
            let _ = queue.send(waiting);
        }
    }
}

impl Default for Output {
    fn default() -> Output {
        Output::new()
    }
}

/// Text without the characters by which it could speak to a terminal, or have it show words in another order.
fn cleaned(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let speaks = |c: char| c.is_control() && c != '\n' && c != '\t' || turns(c);
    text.replace(speaks, "\u{fffd}")
}

/// How much of the waiting room so many bytes take: more than there is would wait for ever.
fn room_of(bytes: usize) -> u32 {
    u32::try_from(bytes.min(WAITING_BYTES)).unwrap_or(u32::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
