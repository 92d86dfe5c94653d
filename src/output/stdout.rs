//! The writer of stdout: a thread that takes what is queued, in order. Knows no message format.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::sync::Semaphore;

/// What stands in the queue: bytes, the room they take, and what follows when they are out.
pub struct Waiting {
    pub bytes: Vec<u8>,
    pub room: u32,
    pub then: Option<Box<dyn FnOnce() -> io::Result<()> + Send>>,
}

/// Starts the writer: where to queue, and how it has ended. It gives `room` back, and closes both semaphores when it ends.
pub fn start(
    sink: Box<dyn Write + Send>,
    room: Arc<Semaphore>,
    stopped: Arc<Semaphore>,
) -> (Sender<Waiting>, Receiver<io::Result<()>>) {
    let (queue, waiting) = channel();
    let (told, outcome) = channel();
    std::thread::Builder::new()
        .name("stdout".to_string())
        .spawn(move || {
            let outcome = write_all(sink, &waiting, &room);
            room.close();
            stopped.close();
            // Nobody listens any more when the process has stopped waiting for a reader that stands still.
            drop(told.send(outcome));
        })
        .expect("the system can start one more thread");
    (queue, outcome)
}

/// The writer's whole life: takes what is queued, writes it, gives the room back; flushes whenever nothing waits.
fn write_all(mut sink: Box<dyn Write + Send>, queue: &Receiver<Waiting>, room: &Semaphore) -> io::Result<()> {
    while let Ok(first) = queue.recv() {
        let mut next = Some(first);
        while let Some(waiting) = next {
            sink.write_all(&waiting.bytes)?;
            if let Some(then) = waiting.then {
                sink.flush()?;
                then()?;
            }
            room.add_permits(waiting.room as usize);
            next = queue.try_recv().ok();
        }
        sink.flush()?;
    }
    Ok(())
}

/// Stdout, which never ends in the middle of a line that could have waited.
pub fn stdout() -> Box<dyn Write + Send> {
    match file() {
        Ok(file) => sink(file),
        Err(_) => Box::new(io::stdout()),
    }
}

/// Brings what has been written to stdout to the disk, where it is a file: what follows from it must not outlive it.
///
/// # Errors
/// The disk's.
pub fn sync() -> io::Result<()> {
    match file() {
        Ok(file) if file.metadata()?.is_file() => file.sync_data(),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn file() -> io::Result<File> {
    use std::os::fd::AsFd as _;
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

#[cfg(windows)]
fn file() -> io::Result<File> {
    use std::os::windows::io::AsHandle as _;
    Ok(File::from(io::stdout().as_handle().try_clone_to_owned()?))
}

#[cfg(unix)]
fn sink(file: File) -> Box<dyn Write + Send> {
    match super::pipe::Pipe::of(file) {
        Ok(pipe) => Box::new(pipe),
        Err(file) => Box::new(Patient(file)),
    }
}

#[cfg(windows)]
fn sink(file: File) -> Box<dyn Write + Send> {
    Box::new(file)
}

/// A file that may have been opened to answer at once, full or not, by whoever shares it: then waiting is up to us.
#[cfg(unix)]
struct Patient(File);

#[cfg(unix)]
impl Write for Patient {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        use rustix::event::{PollFd, PollFlags, poll};
        loop {
            match self.0.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // Whatever came of waiting, the next try says it better.
                    let _ = poll(&mut [PollFd::new(&self.0, PollFlags::OUT)], None);
                }
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
