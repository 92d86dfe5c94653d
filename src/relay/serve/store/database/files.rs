//! The files of a store in SQLite: whose they are, and whether they are still there.

use std::fs::{File, Metadata, OpenOptions};
use std::path::{Path, PathBuf};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::{StoreError, place};

/// The files of a database that is open, which somebody may delete or put others in the place of: what is written to them then
/// is gone with the process.
pub struct Files {
    pub path: PathBuf,
    /// Which files they are.
    pub opened: Vec<Option<u64>>,
}

impl Files {
    /// Remembers which files they are now.
    pub fn note(&mut self) {
        self.opened = self.seen();
    }

    /// Sees whether they are still those.
    ///
    /// # Errors
    /// A sentence: what is gone.
    pub fn check(&self) -> Result<(), StoreError> {
        if self.seen() == self.opened {
            return Ok(());
        }
        let path = self.path.display();
        Err(StoreError(format!(
            "the file {path} or its journal {path}-wal was deleted or replaced while it was open: put it back, or start the bridge again"
        )))
    }

    /// The database and its journal.
    fn seen(&self) -> Vec<Option<u64>> {
        let mut journal = self.path.clone().into_os_string();
        journal.push("-wal");
        [self.path.as_path(), Path::new(&journal)]
            .map(|path| std::fs::metadata(path).ok().map(|file| number(&file)))
            .to_vec()
    }
}

/// What tells a file from another one of its name; where there is no such thing, only whether it is there.
fn number(file: &Metadata) -> u64 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::ino(file);
    #[cfg(not(unix))]
    return u64::from(file.is_dir());
}

/// How a file is opened: `ro` only to be read, `rwc` to be made if it is not there.
pub fn url_of_file(path: &Path, mode: &str) -> String {
    let name = utf8_percent_encode(&path.to_string_lossy(), NON_ALPHANUMERIC).to_string();
    format!("sqlite:{name}?mode={mode}")
}

/// The file, readable to its owner only (SQLite gives the same mode to its journal), and the lock of who writes to it. `remedy` is what to do
/// while another process has that.
///
/// # Errors
/// A sentence: another process has it, or it cannot be there.
pub fn claim_file(path: &Path, remedy: &str) -> Result<File, StoreError> {
    let options = || {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options
    };
    let in_words = |error: std::io::Error| place::in_words(&error);
    place::look(path)?;
    drop(options().open(path).map_err(in_words)?);
    // Another name of the same file, through a symbolic link, has the same lock.
    let mut beside = path.canonicalize().map_err(in_words)?.into_os_string();
    beside.push("-lock");
    let lock = options().open(&beside).map_err(in_words)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => {
            return Err(StoreError(format!("another process writes to it: {remedy}")));
        }
        Err(std::fs::TryLockError::Error(error)) => return Err(in_words(error)),
    }
    Ok(lock)
}
