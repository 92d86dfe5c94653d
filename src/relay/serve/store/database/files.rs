//! The files of a store in SQLite: whose they are, and whether they are still there.

use std::fs::{File, Metadata, OpenOptions};
use std::path::{Path, PathBuf};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::place;
use super::super::trouble::StoreError;

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

/// Who writes to a file, as long as this lives.
pub struct Claim {
    lock: File,
    path: PathBuf,
}

impl Claim {
    /// Deletes the lock with the claim: whoever made it may be another user than the one that is to serve the file.
    pub fn discard(self) {
        // Where an open file cannot be deleted, it stays.
        let _ = std::fs::remove_file(&self.path);
    }

    /// Whether it is still the lock that others find.
    fn is_found(&self) -> bool {
        let found = (self.lock.metadata(), std::fs::metadata(&self.path));
        matches!(found, (Ok(own), Ok(found)) if number(&own) == number(&found))
    }
}

/// The file, readable to its owner only (SQLite gives the same mode to its journal), and the lock of who writes to it. `remedy` is what to do
/// while another process has that.
///
/// # Errors
/// A sentence: another process has it, or it cannot be there.
pub fn claim_file(path: &Path, remedy: &str) -> Result<Claim, StoreError> {
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
    let beside = place::lock_beside(&path.canonicalize().map_err(in_words)?);
    loop {
        let lock = options().open(&beside).map_err(in_words)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(StoreError(format!("another process writes to it: {remedy}")));
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(in_words(error)),
        }
        let claim = Claim { lock, path: beside.clone() };
        // It may have been discarded between the two, and others would not see it any more.
        if claim.is_found() {
            return Ok(claim);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn a_file_is_claimed_once_at_a_time_also_while_locks_are_discarded() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("relay.db");
        let (at_once, claims) = (AtomicU32::new(0), AtomicU32::new(0));
        let claim = || {
            while claims.load(Ordering::SeqCst) < 500 {
                let Ok(claim) = claim_file(&path, "wait") else { continue };
                assert_eq!(at_once.fetch_add(1, Ordering::SeqCst), 0, "by another one, too");
                claims.fetch_add(1, Ordering::SeqCst);
                std::thread::yield_now();
                at_once.fetch_sub(1, Ordering::SeqCst);
                claim.discard();
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(claim);
            }
        });
        assert!(!place::lock_beside(&path).exists());
    }
}
