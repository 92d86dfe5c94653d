//! The only door out: whole lines to stdout through one writer, notes for people to stderr through another.
//!
//! Both writers are threads of their own, because a reader may stand still, and signals are to be heard all the same. On
//! a terminal, stderr also shows live progress, which notes step around. Everything but record data passes the redaction
//! of known secrets, and of what is shaped like one, on its way. The door knows no message format.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::{Semaphore, oneshot};

use crate::devin::Token;
use crate::redact::Redactor;

/// How many bytes may wait for a slow reader of stdout before whoever produces them has to wait.
const WAITING_BYTES: usize = 4 << 20;

/// How long to wait until a full pipe that does not wait by itself is tried again.
const A_MOMENT: Duration = Duration::from_millis(2);

/// The door. Clones lead through the same one.
#[derive(Clone)]
pub struct Output {
    shared: Arc<Shared>,
}

/// Nothing more can be written; [`Output::finish`] says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed;

/// One line of live progress. It stays, as it was last, when the work is done.
pub struct LiveLine(ProgressBar);

impl LiveLine {
    /// Shows `text`, and a bar when it is known how much there will be.
    pub fn show(&self, done: u64, all: Option<u64>, text: &str) {
        if let (Some(all), None) = (all, self.0.length()) {
            let style =
                ProgressStyle::with_template("{prefix:>18}  {bar:16} {wide_msg}").expect("the template is sound");
            self.0.set_style(style.progress_chars("=> "));
            self.0.set_length(all);
        }
        self.0.set_position(done);
        self.0.set_message(text.to_string());
    }

    /// Leaves the line as it is.
    pub fn finish(&self) {
        self.0.abandon();
    }
}

/// What stands in the queue: bytes, the room they take, and what follows when they are out.
struct Waiting {
    bytes: Vec<u8>,
    room: u32,
    then: Option<Box<dyn FnOnce() -> io::Result<()> + Send>>,
}

/// What stands in the queue of stderr.
enum Note {
    Text(String),
    /// Everything before it is out.
    Mark(oneshot::Sender<()>),
}

struct Shared {
    queue: Mutex<Option<Sender<Waiting>>>,
    outcome: Mutex<Receiver<io::Result<()>>>,
    notes: Mutex<Option<Sender<Note>>>,
    /// Disconnected when the last note is out.
    noted: Mutex<Receiver<()>>,
    room: Arc<Semaphore>,
    /// Never has room; closed when the writer has stopped.
    stopped: Arc<Semaphore>,
    redactor: Mutex<Redactor>,
    /// The live lines; `None` where nobody watches.
    bars: Option<MultiProgress>,
    /// Whether stdout is the terminal that shows the live lines too.
    is_shared: bool,
}

impl Output {
    /// Starts the writer of stdout.
    pub fn new() -> Output {
        let bars = io::stderr().is_terminal();
        let bars = bars.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(5)));
        Output::start(stdout(), bars, io::stdout().is_terminal())
    }

    /// Starts a writer of something else, without live progress.
    pub fn to(sink: Box<dyn Write + Send>) -> Output {
        Output::start(sink, None, false)
    }

    fn start(sink: Box<dyn Write + Send>, bars: Option<MultiProgress>, is_shared: bool) -> Output {
        let (queue, lines) = channel();
        let room = Arc::new(Semaphore::new(WAITING_BYTES));
        let stopped = Arc::new(Semaphore::new(0));
        let (freed, stops) = (Arc::clone(&room), Arc::clone(&stopped));
        let (told, outcome) = channel();
        std::thread::Builder::new()
            .name("stdout".to_string())
            // Nobody listens any more when the process has stopped waiting for a reader that stands still.
            .spawn(move || {
                let outcome = write_all(sink, &lines, &freed);
                freed.close();
                stops.close();
                drop(told.send(outcome));
            })
            .expect("the system can start one more thread");
        let (notes, noted) = write_notes(bars.clone());
        Output {
            shared: Arc::new(Shared {
                queue: Mutex::new(Some(queue)),
                outcome: Mutex::new(outcome),
                notes: Mutex::new(Some(notes)),
                noted: Mutex::new(noted),
                room,
                stopped,
                redactor: Mutex::default(),
                bars,
                is_shared,
            }),
        }
    }

    /// From now on `secret` is masked in everything but record data.
    pub fn hide(&self, secret: &Token) {
        lock(&self.shared.redactor).add(secret.expose());
    }

    /// Queues one line of text, a line feed added. Never waits; what cannot be written is noticed at the end.
    pub fn line(&self, text: &str) {
        let mut bytes = self.redact(text).into_bytes();
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
        self.push_note(Note::Mark(mark));
        tokio::select! {
            _ = told => {}
            () = self.stopped() => {}
        }
        // An error says that there is no writer of notes any more, so nothing is waited for.
        let _ = noted.await;
    }

    /// Queues a line for a person, to stderr. Never waits.
    pub fn note(&self, text: &str) {
        self.push_note(Note::Text(self.redact(text)));
    }

    /// Whether somebody watches at all.
    pub fn is_seen(&self) -> bool {
        self.shared.bars.is_some()
    }

    /// Whether somebody watches live lines while records go elsewhere.
    pub fn is_watched(&self) -> bool {
        self.shared.bars.is_some() && !self.shared.is_shared
    }

    /// Whether stdout is a terminal.
    pub fn is_terminal(&self) -> bool {
        self.shared.is_shared
    }

    /// Writes one line of text at once, stepping around live lines: for a few lines, where nothing else is queued.
    pub fn line_at_once(&self, text: &str) {
        match &self.shared.bars {
            // What cannot be written to a terminal has nobody to be told to.
            Some(bars) if self.shared.is_shared => {
                bars.suspend(|| drop(writeln!(io::stdout(), "{}", self.redact(text))));
            }
            _ => self.line(text),
        }
    }

    /// A live line on stderr that begins with `name`; `None` where there is nobody to watch it.
    pub fn live_line(&self, name: &str) -> Option<LiveLine> {
        let bar = self.shared.bars.as_ref()?.add(ProgressBar::no_length());
        bar.set_style(ProgressStyle::with_template("{prefix:>18}  {wide_msg}").expect("the template is sound"));
        bar.set_prefix(name.to_string());
        Some(LiveLine(bar))
    }

    /// Writes out what is queued and stops the writer. Waits for a slow reader no longer than `patience`; `None` waits
    /// as long as it takes.
    ///
    /// # Errors
    /// The writer's, for instance `BrokenPipe` when the reader has gone; `TimedOut` when patience ran out.
    pub fn finish(&self, patience: Option<Duration>) -> io::Result<()> {
        drop(lock(&self.shared.queue).take());
        let outcome = lock(&self.shared.outcome);
        match patience {
            Some(patience) => outcome.recv_timeout(patience).map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?,
            None => outcome.recv().map_err(|_| io::Error::other("the writer of stdout failed"))?,
        }
    }

    /// Writes out the notes that are queued; there can be none after that. Waits for a slow reader of stderr no longer than
    /// `patience`; `None` waits as long as it takes.
    pub fn finish_notes(&self, patience: Option<Duration>) {
        drop(lock(&self.shared.notes).take());
        let noted = lock(&self.shared.noted);
        // Nothing is ever sent: the wait ends with the writer, or with patience.
        let _ = match patience {
            Some(patience) => noted.recv_timeout(patience).is_ok(),
            None => noted.recv().is_ok(),
        };
    }

    fn redact(&self, text: &str) -> String {
        // What comes from an alert or from Devin was redacted when it was read; names such as `password` in a message of
        // this program's own make no secret of what follows them.
        lock(&self.shared.redactor).redact_certain(text).into_owned()
    }

    fn push_note(&self, note: Note) {
        if let Some(notes) = lock(&self.shared.notes).as_ref() {
            // The writer lives as long as there can be notes.
            let _ = notes.send(note);
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

/// Brings what has been written to stdout to the disk, where it is a file: what follows from it must not outlive it.
///
/// # Errors
/// The disk's.
pub fn sync_written() -> io::Result<()> {
    match stdout_file() {
        Ok(file) if file.metadata()?.is_file() => file.sync_data(),
        _ => Ok(()),
    }
}

fn stdout_file() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

/// Stdout, one whole write at a time.
fn stdout() -> Box<dyn Write + Send> {
    match stdout_file() {
        Ok(file) => Box::new(Patient(file)),
        Err(_) => Box::new(io::stdout()),
    }
}

/// A file that may have been opened to answer at once, full or not, by whoever shares it: then waiting is up to us.
struct Patient(File);

impl Write for Patient {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(A_MOMENT),
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The writer's whole life: takes what is queued, writes it, gives the room back; flushes whenever nothing waits.
fn write_all(mut sink: Box<dyn Write + Send>, queue: &Receiver<Waiting>, room: &Semaphore) -> io::Result<()> {
    while let Ok(first) = queue.recv() {
        let mut next = Some(first);
        while let Some(waiting) = next {
            sink.write_all(&waiting.bytes)?;
            room.add_permits(waiting.room as usize);
            if let Some(then) = waiting.then {
                sink.flush()?;
                then()?;
            }
            next = queue.try_recv().ok();
        }
        sink.flush()?;
    }
    Ok(())
}

/// Starts the writer of stderr: where notes go, and what disconnects when the last one is out.
fn write_notes(bars: Option<MultiProgress>) -> (Sender<Note>, Receiver<()>) {
    let (notes, queue) = channel();
    let (done, noted) = channel();
    std::thread::Builder::new()
        .name("stderr".to_string())
        .spawn(move || {
            for note in queue {
                // Nobody is left to be told when stderr is closed as well.
                let write = |text| drop(writeln!(io::stderr(), "{text}"));
                match (note, &bars) {
                    (Note::Text(text), Some(bars)) => bars.suspend(|| write(text)),
                    (Note::Text(text), None) => write(text),
                    (Note::Mark(mark), _) => drop(mark.send(())),
                }
            }
            drop(done);
        })
        .expect("the system can start one more thread");
    (notes, noted)
}

/// How much of the waiting room so many bytes take: more than there is would wait for ever.
fn room_of(bytes: usize) -> u32 {
    u32::try_from(bytes.min(WAITING_BYTES)).unwrap_or(u32::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
