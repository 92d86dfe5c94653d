//! The writer of stderr: a thread that writes notes, and live lines below them where a terminal shows them. All drawing
//! happens there, since a terminal may stand still like any reader. Knows nothing of what is said.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::oneshot;

/// What stands in the queue.
pub enum Note {
    Text(String),
    /// A line for stdout, where that is the same terminal.
    Line(String),
    /// Live lines have changed.
    Draw,
    /// What takes the place of the live lines in the end.
    Closing(String),
    /// Everything before it is out.
    Mark(oneshot::Sender<()>),
}

/// The way into the queue, which can be closed for everybody.
#[derive(Clone)]
pub struct Notes(Arc<Mutex<Option<Sender<Note>>>>);

impl Notes {
    /// Queues a note; nothing once the queue is closed.
    pub fn push(&self, note: Note) {
        if let Some(notes) = self.lock().as_ref() {
            // The writer lives as long as there can be notes.
            let _ = notes.send(note);
        }
    }

    /// Lets the writer end when it has written what is queued.
    pub fn close(&self) {
        drop(self.lock().take());
    }

    fn lock(&self) -> MutexGuard<'_, Option<Sender<Note>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The live lines of a terminal.
pub struct Screen {
    lines: Mutex<Vec<Shown>>,
    /// Whether a [`Note::Draw`] is under way: one is enough for any number of changes.
    is_to_be_drawn: AtomicBool,
}

/// One line of live progress.
pub struct LiveLine {
    screen: Arc<Screen>,
    notes: Notes,
    place: usize,
}

/// What a live line is to show.
#[derive(Clone)]
struct Shown {
    name: String,
    text: String,
    /// How much is done, of how much; `None` where nobody knows.
    bar: Option<(u64, u64)>,
    has_ended: bool,
    has_changed: bool,
}

/// Starts the writer: the screen, where stderr is a terminal; where notes go; and what disconnects when the last one is out.
pub fn start(is_watched: bool) -> (Option<Arc<Screen>>, Notes, Receiver<()>) {
    let screen = (is_watched && io::stderr().is_terminal())
        .then(|| Arc::new(Screen { lines: Mutex::default(), is_to_be_drawn: AtomicBool::new(false) }));
    let (notes, queue) = channel();
    let (done, noted) = channel();
    let drawn = screen.clone();
    std::thread::Builder::new()
        .name("stderr".to_string())
        .spawn(move || {
            write(&queue, drawn.as_deref());
            drop(done);
        })
        .expect("the system can start one more thread");
    (screen, Notes(Arc::new(Mutex::new(Some(notes)))), noted)
}

/// The writer's whole life. What cannot be written has nobody to be told to.
fn write(queue: &Receiver<Note>, screen: Option<&Screen>) {
    let bars = screen.map(|_| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(5)));
    let mut drawn = Vec::new();
    let around = |write: &dyn Fn()| match &bars {
        // The lines would be drawn anew below the note.
        Some(bars) if !is_taken() => bars.suspend(write),
        _ => write(),
    };
    for note in queue {
        match note {
            Note::Text(text) => around(&|| drop(writeln!(io::stderr(), "{text}"))),
            Note::Line(text) => around(&|| drop(writeln!(io::stdout(), "{text}"))),
            Note::Draw => {
                if let (Some(bars), Some(screen)) = (&bars, screen) {
                    screen.draw(bars, &mut drawn);
                }
            }
            Note::Closing(_) if is_taken() => {}
            Note::Closing(text) => {
                if let Some(bars) = &bars {
                    // What cannot be drawn has nobody to be told to, either.
                    let _ = bars.clear();
                }
                drop(writeln!(io::stderr(), "{text}"));
            }
            Note::Mark(mark) => drop(mark.send(())),
        }
    }
}

/// Whether another program has the terminal: a pager, which reads it key by key, or one that runs in the foreground while
/// this one does not. Live lines would be drawn over what it shows.
#[cfg(unix)]
fn is_taken() -> bool {
    use rustix::termios::{LocalModes, tcgetattr, tcgetpgrp};
    let is_read_by_key = tcgetattr(io::stderr()).is_ok_and(|modes| !modes.local_modes.contains(LocalModes::ICANON));
    is_read_by_key || tcgetpgrp(io::stderr()).is_ok_and(|foreground| foreground != rustix::process::getpgrp())
}

#[cfg(not(unix))]
fn is_taken() -> bool {
    false
}

impl Screen {
    /// A further line that begins with `name`.
    pub fn line(self: &Arc<Screen>, notes: Notes, name: &str) -> LiveLine {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push(Shown {
            name: name.to_string(),
            text: String::new(),
            bar: None,
            has_ended: false,
            has_changed: false,
        });
        LiveLine { screen: Arc::clone(self), notes, place: lines.len() - 1 }
    }

    fn draw(&self, bars: &MultiProgress, drawn: &mut Vec<ProgressBar>) {
        self.is_to_be_drawn.store(false, Ordering::SeqCst);
        if is_taken() {
            return;
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        for line in lines.iter().skip(drawn.len()) {
            let bar = bars.add(ProgressBar::no_length());
            bar.set_style(style("{prefix:>18}  {wide_msg}"));
            bar.set_prefix(line.name.clone());
            drawn.push(bar);
        }
        let changed: Vec<(usize, Shown)> = lines
            .iter_mut()
            .enumerate()
            .filter_map(|(place, line)| std::mem::take(&mut line.has_changed).then(|| (place, line.clone())))
            .collect();
        // The terminal may take its time; nobody else has to wait for it.
        drop(lines);
        for (place, line) in changed {
            let bar = &drawn[place];
            if let Some((done, all)) = line.bar {
                if bar.length().is_none() {
                    bar.set_style(style("{prefix:>18}  {bar:12} {wide_msg}").progress_chars("=> "));
                }
                bar.set_length(all);
                bar.set_position(done);
            }
            bar.set_message(line.text);
            if line.has_ended {
                bar.abandon();
            }
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is sound")
}

impl LiveLine {
    /// Shows `text`, and a bar when it is known how much is done of how much.
    pub fn show(&self, bar: Option<(u64, u64)>, text: &str) {
        self.change(|line| (line.bar, line.text) = (bar, text.to_string()));
    }

    /// Leaves the line as it is.
    pub fn finish(&self) {
        self.change(|line| line.has_ended = true);
    }

    fn change(&self, change: impl FnOnce(&mut Shown)) {
        let mut lines = self.screen.lines.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut lines[self.place]);
        lines[self.place].has_changed = true;
        drop(lines);
        if !self.screen.is_to_be_drawn.swap(true, Ordering::SeqCst) {
            self.notes.push(Note::Draw);
        }
    }
}
