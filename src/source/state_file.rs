//! `--state-out`: the states a later run can begin from, in a file that is never half written, by one read at a time.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::airbyte::{InputState, StreamDescriptor};
use crate::output::{Output, sync_written};

/// The newest states in a file, replaced as a whole once the records before them are out.
#[derive(Clone)]
pub struct StateFile {
    path: PathBuf,
    /// As the user calls it.
    name: String,
    /// Whether the read began from this very file.
    is_own: bool,
    states: Arc<Mutex<BTreeMap<StreamDescriptor, Value>>>,
    /// Held while the read lasts; `None` for what is no regular file.
    lock: Option<Arc<Lock>>,
}

/// Why a state cannot be kept in a file.
#[derive(Debug)]
pub enum Error {
    /// The file holds something else, which would be lost.
    NoState(PathBuf),
    /// Another read keeps its state there.
    InUse(PathBuf),
    Io(PathBuf, io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoState(path) => write!(
                formatter,
                "--state-out names {}, which holds something other than a state and would be replaced: name a new file, or one that a read has written",
                path.display()
            ),
            Error::InUse(path) => write!(
                formatter,
                "another read keeps its state in {}: wait for it, or name another file for --state-out",
                path.display()
            ),
            Error::Io(path, error) => {
                write!(formatter, "cannot write the file of --state-out, {}: {error}", path.display())
            }
        }
    }
}

impl StateFile {
    /// A file at `path` that begins with the states that came in; `is_own` when they came from there.
    ///
    /// # Errors
    /// When the file holds something else, is in use, or nothing can be written beside it: all better known before anything
    /// is read.
    pub fn open(path: PathBuf, is_own: bool, states: BTreeMap<StreamDescriptor, Value>) -> Result<StateFile, Error> {
        let name = path.display().to_string();
        // A link's target is what is replaced.
        let path = std::fs::canonicalize(&path).unwrap_or(path);
        let failed = |error| Error::Io(path.clone(), error);
        let states = Arc::new(Mutex::new(states));
        let mut file = StateFile { path: path.clone(), name, is_own, states, lock: None };
        match std::fs::metadata(&path) {
            Ok(there) if there.is_dir() => return Err(failed(io::Error::from(io::ErrorKind::IsADirectory))),
            // A device or a pipe is written to, and holds nothing.
            Ok(there) if !there.is_file() => return Ok(file),
            _ => {}
        }
        file.lock = Some(Arc::new(Lock::take(&path)?));
        match std::fs::read(&path) {
            Ok(there) if !std::str::from_utf8(&there).is_ok_and(InputState::is_one) => {
                return Err(Error::NoState(path));
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        File::create(file.beside()).and_then(|_| std::fs::remove_file(file.beside())).map_err(failed)?;
        Ok(file)
    }

    /// What the file says of a read that was stopped, and how the next one goes on from it.
    pub fn how_to_go_on(&self) -> String {
        let name = &self.name;
        if std::fs::metadata(&self.path).is_ok_and(|file| file.len() == 0) || !self.path.exists() {
            return "nothing has been saved yet, so the next read begins where this one did".to_string();
        }
        if self.is_own {
            format!("{name} says how far it got; run the same command again to continue")
        } else {
            format!("{name} says how far it got; run again with --state {name} to continue")
        }
    }

    /// Replaces one stream's state once everything queued in `output` so far has been written, and has reached the disk where
    /// it goes to a file.
    pub fn keep(&self, output: &Output, stream: StreamDescriptor, state: Value) {
        let file = self.clone();
        output.after_all_that(move || {
            let mut states = file.states.lock().unwrap_or_else(PoisonError::into_inner);
            states.insert(stream, state);
            let list: Vec<Value> = states
                .iter()
                .map(|(stream, state)| {
                    json!({"type": "STREAM", "stream": {"stream_descriptor": stream, "stream_state": state}})
                })
                .collect();
            let place = file.path.display();
            sync_written()?;
            file.replace(&format!("{:#}\n", Value::from(list)))
                .map_err(|error| io::Error::other(format!("the state file {place}: {error}")))
        });
    }

    /// Writes a file beside its path and puts it in its place, so that a reader sees the old or the new, never a part.
    fn replace(&self, text: &str) -> io::Result<()> {
        if self.lock.is_none() {
            return io::Write::write_all(&mut File::options().write(true).open(&self.path)?, text.as_bytes());
        }
        let write = || -> io::Result<()> {
            let mut file = File::create(self.beside())?;
            io::Write::write_all(&mut file, text.as_bytes())?;
            file.sync_all()?;
            if let Ok(there) = std::fs::metadata(&self.path) {
                std::fs::set_permissions(self.beside(), there.permissions())?;
            }
            std::fs::rename(self.beside(), &self.path)
        };
        write().inspect_err(|_| {
            // The first error is the one to report.
            let _ = std::fs::remove_file(self.beside());
        })
    }

    fn beside(&self) -> PathBuf {
        with_ending(&self.path, &format!(".{}.tmp", std::process::id()))
    }
}

/// The right to write a state file: a lock on a file beside it, since the state file itself is replaced. Given back, and the
/// file removed, when dropped or when the process ends.
struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    fn take(state: &Path) -> Result<Lock, Error> {
        let path = with_ending(state, ".lock");
        let failed = |error| Error::Io(state.to_path_buf(), error);
        loop {
            let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(Error::InUse(state.to_path_buf())),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            // Whoever held it may have removed the file that was opened here.
            let is_still_there = || Ok::<_, io::Error>(std::fs::metadata(&path)?.ino() == file.metadata()?.ino());
            if is_still_there().unwrap_or(false) {
                return Ok(Lock { path, _file: file });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // What stays behind is taken over by the next read.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_os_string();
    path.push(ending);
    PathBuf::from(path)
}
