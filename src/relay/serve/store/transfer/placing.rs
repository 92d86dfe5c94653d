//! Where a backup may be put: never in the place of a store, nor of anything else that is no backup.

use std::path::{Path, PathBuf};

use super::holding::Held;
use super::mark::MarkKind;
use crate::relay::serve::store::Address;
use crate::relay::serve::store::trouble::StoreError;

/// What SQLite and this program keep beside a store.
const BESIDE: [&str; 4] = ["-wal", "-shm", "-journal", "-lock"];

/// Sees whether a backup may have this name, in the place of the backup that may have it already.
///
/// # Errors
/// A sentence: what stands there, or would be there beside a store.
pub async fn may_be_placed(file: &Path) -> Result<(), StoreError> {
    let refused = |problem: &str| {
        Err(StoreError(format!("{} is not written over: {problem}; name another file for the backup", file.display())))
    };
    if let Some(store) = store_beside(file) {
        return refused(&format!("it belongs to {}", store.display()));
    }
    let Ok(found) = file.symlink_metadata() else { return Ok(()) };
    if found.is_symlink() {
        return refused("it is a link to another file");
    }
    if !found.is_file() {
        return refused("it is no regular file");
    }
    // A new store is empty for a moment, too; it has its lock by then.
    let has_beside = || BESIDE.iter().any(|end| with_end(file, end).symlink_metadata().is_ok());
    if found.len() == 0 && !has_beside() {
        return Ok(());
    }
    match is_backup(file).await {
        true => Ok(()),
        false => refused("it is no backup, but a store or another file"),
    }
}

/// The file that has this one beside it; `None` where it stands for itself.
fn store_beside(file: &Path) -> Option<PathBuf> {
    let text = file.to_str()?;
    let stores = BESIDE.iter().filter_map(|end| text.strip_suffix(end)).filter(|text| !text.is_empty());
    stores.map(PathBuf::from).find(|store| store.is_file())
}

fn with_end(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Whether it says so itself; one that cannot be read does not.
async fn is_backup(file: &Path) -> bool {
    let Ok(mut held) = Held::to_be_looked_at(&Address::Sqlite(file.to_path_buf())).await else { return false };
    let mark = held.mark().await;
    held.close().await;
    matches!(mark, Ok(Some(mark)) if mark.kind == MarkKind::Backup)
}
