//! A pipe that is written to in pieces of whole lines, so that a process that ends while its reader stands still leaves no
//! line in half. Knows nothing of what the lines say.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::FileTypeExt;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionread;

/// So much the kernel takes as a whole or not at all (`PIPE_BUF`).
const AT_ONCE: usize = 4096;

/// How long to wait before a pipe without enough room is looked at again.
const A_MOMENT: Timespec = Timespec { tv_sec: 0, tv_nsec: 1_000_000 };

/// The writing end of a pipe, and what the kernel holds of it.
pub struct Pipe {
    file: File,
    slots: Slots,
    slot: usize,
}

impl Pipe {
    /// `file` as a pipe; the file itself when it is something else, or the system does not say how large the pipe is.
    pub fn of(file: File) -> Result<Pipe, File> {
        if !file.metadata().is_ok_and(|file| file.file_type().is_fifo()) {
            return Err(file);
        }
        let slot = rustix::param::page_size();
        match capacity(&file) {
            Some(capacity) if capacity >= AT_ONCE => {
                Ok(Pipe { slots: Slots::new((capacity / slot).max(1)), slot, file })
            }
            _ => Err(file),
        }
    }

    /// Waits for a moment; whether the reader has gone.
    fn wait(&self) -> io::Result<bool> {
        match poll(&mut [PollFd::new(&self.file, PollFlags::empty())], Some(&A_MOMENT)) {
            Ok(events) => Ok(events > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// How many of `bytes` to write now: as many lines as fit, or the one line that the kernel takes as a whole, or one that
    /// never fits.
    fn piece(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1);
        loop {
            let room = self.slots.free(ioctl_fionread(&self.file)?) * self.slot;
            if line <= room {
                let most = bytes.len().min(room);
                return Ok(memchr::memrchr(b'\n', &bytes[..most]).map_or(most, |end| end + 1));
            }
            // Where the reader has gone, the write says so.
            if line <= AT_ONCE || line > self.slots.all * self.slot || self.wait()? {
                return Ok(line);
            }
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let size = self.piece(bytes)?;
            match (&self.file).write(&bytes[..size]) {
                Ok(written) => {
                    self.slots.take(written, self.slot);
                    return Ok(written);
                }
                // Whoever shares the pipe may have opened it to answer at once, full or not: then waiting is up to us.
                Err(error) if error.kind() == ErrorKind::WouldBlock => drop(self.wait()?),
                Err(error) => return Err(error),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(target_os = "linux")]
fn capacity(pipe: &File) -> Option<usize> {
    rustix::pipe::fcntl_getpipe_size(pipe).ok()
}

#[cfg(not(target_os = "linux"))]
fn capacity(_: &File) -> Option<usize> {
    None
}

/// How many of a pipe's slots may be in use. Each write begins at most one slot for each page of its bytes; a slot is free
/// again when all of it has been read.
struct Slots {
    all: usize,
    used: usize,
    written: u64,
    /// What has been written and perhaps not been read: where each piece ends, and its slots.
    pieces: VecDeque<(u64, usize)>,
}

impl Slots {
    fn new(all: usize) -> Slots {
        Slots { all, used: 0, written: 0, pieces: VecDeque::new() }
    }

    /// How many slots are free for certain while so many bytes have not been read.
    fn free(&mut self, unread: u64) -> usize {
        let read = self.written.saturating_sub(unread);
        while let Some((end, slots)) = self.pieces.front().copied()
            && end <= read
        {
            self.pieces.pop_front();
            self.used -= slots;
        }
        self.all.saturating_sub(self.used)
    }

    /// Notes a piece that has been written.
    fn take(&mut self, bytes: usize, slot: usize) {
        self.written += bytes as u64;
        self.used += bytes.div_ceil(slot);
        self.pieces.push_back((self.written, bytes.div_ceil(slot)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_free_when_all_of_a_piece_has_been_read() {
        let mut slots = Slots::new(16);
        assert_eq!(slots.free(0), 16);
        slots.take(10_000, 4096);
        slots.take(1, 4096);
        assert_eq!(slots.free(10_001), 12);
        assert_eq!(slots.free(2), 12, "a byte of the first piece is unread");
        assert_eq!(slots.free(1), 15);
        assert_eq!(slots.free(0), 16);
    }
}
