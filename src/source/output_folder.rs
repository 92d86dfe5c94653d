//! `--output`: a folder with one file of records for each stream, `sessions.jsonl`. Knows no message and no state.
//!
//! A file that is new has another name until what it holds may be relied upon. A full refresh gives it its own when the stream
//! is complete; an incremental read does so before the first state is said that counts its records, and adds to it from then on.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::output::Output;

/// How much of a file is looked through at once for the end of its last line.
const BLOCK: u64 = 64 << 10;

/// What is to be written into a folder.
#[derive(Debug)]
pub enum Wanted<'a> {
    /// These streams, each in full.
    Whole(&'a [&'static str]),
    /// What has changed of these streams; of those in `continued`, records may be there.
    Changes { streams: &'a [&'static str], continued: &'a [&'static str] },
}

/// A folder, locked against other reads for as long as this one lasts.
pub struct OutputFolder {
    path: PathBuf,
    is_whole: bool,
    files: BTreeMap<&'static str, Arc<Mutex<OutputFile>>>,
    /// Sentences about what an earlier read had left, for an INFO.
    pub notes: Vec<String>,
    _lock: File,
}

/// Why records cannot be written into a folder.
#[derive(Debug)]
pub enum Error {
    NotAFolder(PathBuf),
    /// Something else is in it.
    NotEmpty {
        folder: PathBuf,
        holds: String,
    },
    /// Records of this file are there, and no state says which.
    NoState(PathBuf),
    /// Another read writes there.
    InUse(PathBuf),
    Io(PathBuf, io::Error),
}

impl Error {
    /// Whether the command was called wrongly.
    pub fn is_usage(&self) -> bool {
        !matches!(self, Error::InUse(_) | Error::Io(..))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotAFolder(path) => {
                write!(
                    formatter,
                    "--output names {}, which is not a folder: name a new or an empty one",
                    path.display()
                )
            }
            Error::NotEmpty { folder, holds } => write!(
                formatter,
                "--output names {}, which is not empty (it holds {holds}): name a new folder, or use --state and --state-out to add what has changed",
                folder.display()
            ),
            Error::NoState(path) => write!(
                formatter,
                "{} is there, but no state says which records it holds: give --state, remove the file, or name another folder for --output",
                path.display()
            ),
            Error::InUse(path) => write!(
                formatter,
                "another read writes into {}: wait for it, or name another folder for --output",
                path.display()
            ),
            Error::Io(path, error) => write!(formatter, "cannot write into {}: {error}", path.display()),
        }
    }
}

impl OutputFolder {
    /// Opens or makes the folder at `path`, and a file for each stream.
    ///
    /// # Errors
    /// See [`Error`]; nothing has been changed but what an earlier read had left unfinished.
    pub fn open(path: &Path, wanted: &Wanted<'_>) -> Result<OutputFolder, Error> {
        let failed = |error| Error::Io(path.to_path_buf(), error);
        match std::fs::create_dir_all(path) {
            Err(_) if path.exists() && !path.is_dir() => return Err(Error::NotAFolder(path.to_path_buf())),
            made => made.map_err(failed)?,
        }
        let lock = File::open(path).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::InUse(path.to_path_buf())),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let (streams, is_whole) = match wanted {
            Wanted::Whole(streams) => {
                if let Some(holds) = first_of(path).map_err(failed)? {
                    return Err(Error::NotEmpty { folder: path.to_path_buf(), holds });
                }
                (*streams, true)
            }
            Wanted::Changes { streams, continued } => {
                let is_there = |stream: &&&str| !continued.contains(*stream) && own_name(path, stream).exists();
                if let Some(stream) = streams.iter().find(is_there) {
                    return Err(Error::NoState(own_name(path, stream)));
                }
                (*streams, false)
            }
        };
        let (files, notes) = (BTreeMap::new(), Vec::new());
        let mut folder = OutputFolder { path: path.to_path_buf(), is_whole, files, notes, _lock: lock };
        for stream in streams {
            let (file, note) =
                OutputFile::open(path, stream).map_err(|error| Error::Io(own_name(path, stream), error))?;
            folder.notes.extend(note);
            folder.files.insert(stream, Arc::new(Mutex::new(file)));
        }
        Ok(folder)
    }

    /// Queues a stream's records, for which there is room in `output`.
    pub fn write(&self, output: &Output, stream: &str, lines: Vec<u8>) {
        let bytes = lines.len();
        if let Some(file) = self.of(stream) {
            output.records_elsewhere(bytes, move || lock(&file).write(&lines));
        }
    }

    /// A state is about to be said that counts all records of the stream so far.
    pub fn keep(&self, output: &Output, stream: &str) {
        if !self.is_whole {
            self.complete(output, stream);
        }
    }

    /// The stream is complete.
    pub fn complete(&self, output: &Output, stream: &str) {
        if let Some(file) = self.of(stream) {
            output.after_all_that(move || lock(&file).keep());
        }
    }

    /// The stream has ended early: what may not be relied upon goes. Answers with a sentence for a WARN where all of it does.
    pub fn abandon(&self, output: &Output, stream: &str) -> Option<String> {
        let file = self.of(stream)?;
        output.after_all_that(move || {
            lock(&file).abandon();
            Ok(())
        });
        let file = own_name(&self.path, stream);
        self.is_whole.then(|| format!("{} is not written, because not everything could be read", file.display()))
    }

    fn of(&self, stream: &str) -> Option<Arc<Mutex<OutputFile>>> {
        self.files.get(stream).map(Arc::clone)
    }
}

/// The name in a folder that comes first and is not hidden; `None` when there is none.
fn first_of(folder: &Path) -> io::Result<Option<String>> {
    let names = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name()));
    let names: Vec<_> = names.collect::<io::Result<_>>()?;
    let seen = names.iter().map(|name| name.to_string_lossy()).filter(|name| !name.starts_with('.')).min();
    Ok(seen.map(std::borrow::Cow::into_owned))
}

fn own_name(folder: &Path, stream: &str) -> PathBuf {
    folder.join(format!("{stream}.jsonl"))
}

/// One stream's file.
struct OutputFile {
    file: File,
    path: PathBuf,
    /// What it is called until its records may be relied upon; `None` from then on.
    part: Option<PathBuf>,
}

impl OutputFile {
    /// A new file, or the one that is there; and what is to be said about it.
    fn open(folder: &Path, stream: &str) -> io::Result<(OutputFile, Option<String>)> {
        let path = own_name(folder, stream);
        let part = folder.join(format!(".{stream}.jsonl.part"));
        // An interrupted read may have left one. Whatever else is called so is not followed.
        match std::fs::remove_file(&part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        if path.exists() {
            let mut file = File::options().read(true).append(true).open(&path)?;
            let note = cut_half_a_line(&mut file)?.then(|| {
                format!("{} ended in the middle of a line, which has been removed: it is read again", path.display())
            });
            return Ok((OutputFile { file, path, part: None }, note));
        }
        let file = File::options().write(true).create_new(true).open(&part)?;
        Ok((OutputFile { file, path, part: Some(part) }, None))
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        self.file.write_all(lines).map_err(|error| self.named(&error))
    }

    /// Brings everything to the disk, under the file's own name.
    fn keep(&mut self) -> io::Result<()> {
        let mut keep = || -> io::Result<()> {
            if self.file.metadata()?.is_file() {
                self.file.sync_data()?;
            }
            if let Some(part) = &self.part {
                std::fs::rename(part, &self.path)?;
                self.part = None;
                File::open(self.path.parent().unwrap_or(Path::new(".")))?.sync_all()?;
            }
            Ok(())
        };
        keep().map_err(|error| self.named(&error))
    }

    fn abandon(&mut self) {
        if let Some(part) = self.part.take() {
            // What stays behind is hidden, and goes with the next read.
            let _ = std::fs::remove_file(part);
        }
    }

    fn named(&self, error: &io::Error) -> io::Error {
        io::Error::other(format!("{}: {error}", self.path.display()))
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        self.abandon();
    }
}

/// Cuts off what stands behind the last line feed of a file, and answers whether there was anything.
fn cut_half_a_line(file: &mut File) -> io::Result<bool> {
    if !file.metadata()?.is_file() {
        return Ok(false);
    }
    let length = file.seek(SeekFrom::End(0))?;
    let mut end = length;
    let mut block = Vec::new();
    let whole = loop {
        if end == 0 {
            break 0;
        }
        let begin = end.saturating_sub(BLOCK);
        block.clear();
        file.seek(SeekFrom::Start(begin))?;
        file.take(end - begin).read_to_end(&mut block)?;
        if let Some(at) = memchr::memrchr(b'\n', &block) {
            break begin + at as u64 + 1;
        }
        end = begin;
    };
    if whole < length {
        file.set_len(whole)?;
    }
    Ok(whole < length)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_line_is_cut_off_wherever_it_began() {
        let long = "x".repeat(2 * BLOCK as usize);
        let folder = tempfile::tempdir().unwrap();
        for (text, whole) in [
            ("", ""),
            ("a\n", "a\n"),
            ("a\nb", "a\n"),
            ("ab", ""),
            (&*format!("a\n{long}"), "a\n"),
            (&*long, ""),
            (&*format!("{long}\n"), &*format!("{long}\n")),
        ] {
            let path = folder.path().join("sessions.jsonl");
            std::fs::write(&path, text).unwrap();
            let mut file = File::options().read(true).append(true).open(&path).unwrap();
            assert_eq!(cut_half_a_line(&mut file).unwrap(), text != whole);
            assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
        }
    }
}
