//! The store as it is now, as a file that is sent to whoever may have all of it. Deliveries are taken in meanwhile.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper::StatusCode;
use hyper::body::Bytes;
use tokio::sync::mpsc;

use super::super::Door;
use super::super::answer::{self, Answer};
use super::Who;
use crate::relay::draw::drawn;
use crate::relay::serve::store::{BackupError, NewAction};

/// What a backup is, to programs.
const SQLITE: &str = "application/vnd.sqlite3";

/// How a backup is called while it is being made, beside the store.
const BEGINNING: &str = ".alert-relay-backup-";

/// Older ones were left behind by a process that was killed.
const LEFT_BEHIND: Duration = Duration::from_secs(86_400);

/// So many bytes are sent at once, and so many parts wait at most.
const PART: usize = 64 << 10;
const WAITING: usize = 4;

impl Door {
    /// Makes a backup, and sends it.
    ///
    /// # Errors
    /// The answer that says why there is none.
    pub(super) async fn back_up(&self, who: &Who) -> Result<Answer, Answer> {
        let made = self.make_backup().await;
        let (is_done, result) = match &made {
            Ok((_, told)) => (true, told.clone()),
            Err(answer) => (false, answer.reason().to_string()),
        };
        let (id, target, action) = (String::new(), String::new(), "backup".to_string());
        self.keep_action(NewAction { id, who: who.to_string(), action, target, alert: None, is_done, result }).await;
        made.map(|(file, _)| Answer::file(file))
    }

    async fn make_backup(&self) -> Result<(answer::File, String), Answer> {
        let busy = "a backup is being made: try again when that is done";
        let Ok(_alone) = self.backing_up.try_lock() else { return Err(Answer::problem(StatusCode::CONFLICT, busy)) };
        if self.store.is_in_memory() {
            let reason = "the store is in memory, and is gone with the process: give serve a --store to back up";
            return Err(Answer::problem(StatusCode::CONFLICT, reason));
        }
        let folder = self.store.folder_beside();
        sweep(&folder);
        let path = folder.join(format!("{BEGINNING}{}", drawn()));
        // Trying again would be of no use.
        let unwritable = |problem: String| {
            let reason = format!(
                "the backup is made in the folder {} first, and cannot be written there: {problem}. Make room for it, or have it be written to; or run backup with --store beside the bridge",
                folder.display()
            );
            self.log.warn(&reason);
            Answer::problem(StatusCode::INSUFFICIENT_STORAGE, &reason)
        };
        let copied = self.store.back_up(&path).await.map_err(|error| match error {
            BackupError::File(problem) => unwritable(problem),
            BackupError::Store(error) => self
                .trouble(&format!("a backup cannot be made: {error}"), "a backup cannot be made now: the log says why"),
        })?;
        let file = send(&path).map_err(|error| unwritable(error.to_string()))?;
        let told = format!(
            "{} alerts, {} jobs and {} deliveries in {} bytes",
            copied.rows_of("alerts"),
            copied.rows_of("jobs"),
            copied.rows_of("deliveries"),
            file.length
        );
        Ok((file, told))
    }
}

/// Sends a file, which is gone from its folder afterwards: where the system can do that, at once.
fn send(path: &Path) -> std::io::Result<answer::File> {
    let opened = File::open(path);
    // Elsewhere a file that is open cannot be deleted yet.
    let _ = std::fs::remove_file(path);
    let mut file = opened?;
    let length = file.metadata()?.len();
    let (sender, parts) = mpsc::channel(WAITING);
    let path = path.to_path_buf();
    tokio::task::spawn_blocking(move || {
        let mut part = vec![0; PART];
        // What does not arrive whole, whoever asked for it notices by its length.
        while let Ok(read @ 1..) = file.read(&mut part)
            && sender.blocking_send(Bytes::copy_from_slice(&part[..read])).is_ok()
        {}
        drop(file);
        let _ = std::fs::remove_file(path);
    });
    Ok(answer::File { kind: SQLITE, length, parts })
}

/// Deletes what was left behind; a folder that cannot be read has nothing that could be deleted.
fn sweep(folder: &Path) {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_ours = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(BEGINNING))
    };
    for path in files.map(|file| file.path()).filter(is_ours) {
        let age = path.metadata().and_then(|file| file.modified()).ok().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age > LEFT_BEHIND) {
            let _ = std::fs::remove_file(path);
        }
    }
}
