//! A store that moves elsewhere: marked first, filled there, and brought to its end by whoever runs it again.

use super::super::{Address, StoreError};
use super::holding::Held;
use super::mark::{self, Mark, MarkKind};
use super::{Copied, identity, into_empty, rows, serving};
use crate::relay::draw::drawn;

/// A move that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// The new store.
    pub moved_to: String,
    /// Whether nobody serves that one; otherwise it could not be seen.
    pub is_unserved: bool,
}

/// Moves a store into another one, which has to be empty. Nobody may serve either; a bridge that is started on the old one is told where
/// the new one is.
///
/// # Errors
/// A sentence; both are as before then. A move that was broken off, and cannot be brought to its end now, stays so: the old store is not
/// served.
pub async fn migrate_store(from: &Address, into: &Address) -> Result<Copied, StoreError> {
    if from == into {
        return Err(StoreError("it is the same store: name another one to move to".to_string()));
    }
    if let Address::Sqlite(path) = from
        && !path.is_file()
    {
        return Err(from.cannot_be_opened(&StoreError("there is no such file".to_string())));
    }
    let mut guard = Held::alone(from).await?;
    let moved = move_to(&mut guard, from, into).await;
    guard.close().await;
    moved
}

async fn move_to(guard: &mut Held, from: &Address, into: &Address) -> Result<Copied, StoreError> {
    let failed = |error: StoreError| from.cannot_be_opened(&error);
    guard.contents().await.map_err(failed)?;
    let detail = into.in_full();
    let begun = match guard.mark().await.map_err(failed)? {
        Some(mark) if mark.kind == MarkKind::Moving && mark.detail == detail => Some(mark),
        Some(mark) => return Err(failed(mark.refusal())),
        None => None,
    };
    let id = match identity::find(&mut guard.connection, guard.dialect).await.map_err(failed)? {
        Some(id) if begun.is_some() => id,
        _ => drawn(),
    };
    let is_filled = identity::has_filled(into, &id).await?;
    let is_new = begun.is_none();
    let at = guard.now().await?;
    let mark = begun.unwrap_or(Mark { kind: MarkKind::Moving, at, detail });
    if is_new {
        // First, so that whatever ends this process, no two bridges go on from the same jobs.
        guard.set_mark(&mark, Some(&id)).await?;
    }
    let copied = if is_filled { count_all(guard).await } else { copy_all(from, into, &id).await };
    let copied = match copied {
        // The commit may have arrived although its answer did not.
        Err(error) if !is_filled => match identity::has_filled(into, &id).await {
            Ok(true) => count_all(guard).await,
            Ok(false) if is_new => {
                mark::clear(&mut guard.connection, guard.dialect).await?;
                Err(error)
            }
            _ => Err(StoreError(format!("{error}. {from} stays marked as one that is being moved: run this again"))),
        },
        copied => copied,
    }?;
    guard.set_mark(&Mark { kind: MarkKind::Moved, ..mark }, None).await?;
    Ok(copied)
}

async fn copy_all(from: &Address, into: &Address, id: &str) -> Result<Copied, StoreError> {
    let mut source = Held::to_be_read(from).await?;
    let copied = into_empty(&mut source, into, Some(id)).await;
    source.close().await;
    copied
}

/// What a store has, of which all was copied before.
async fn count_all(held: &mut Held) -> Result<Copied, StoreError> {
    let at = held.now().await?;
    let (version, tables) = held.contents().await?;
    let mut rows = Vec::new();
    for table in &tables {
        rows.push((table.name.clone(), rows::count(&mut held.connection, table).await?));
    }
    Ok(Copied { version, at, rows })
}

/// Has a store that was moved elsewhere be served again.
///
/// # Errors
/// A sentence: it was not moved, or is served, or the new one is.
pub async fn undo_migration(address: &Address) -> Result<Undone, StoreError> {
    if let Address::Sqlite(path) = address
        && !path.is_file()
    {
        return Err(address.cannot_be_opened(&StoreError("there is no such file".to_string())));
    }
    let mut held = Held::alone(address).await?;
    let undone = undo(&mut held, address).await;
    held.close().await;
    undone
}

async fn undo(held: &mut Held, address: &Address) -> Result<Undone, StoreError> {
    let mark = match held.mark().await? {
        Some(mark) if mark.kind == MarkKind::Backup => return Err(address.cannot_be_opened(&mark.refusal())),
        Some(mark) => mark,
        None => return Err(StoreError(format!("the store {address} was not moved: nothing is to be undone"))),
    };
    let is_served = serving::is_served(&mark.detail).await;
    if is_served == Some(true) {
        return Err(StoreError(format!(
            "a bridge serves {}, where {address} was moved to: two bridges would go on from the same jobs. Stop every process that has that store, and try again",
            mark.detail
        )));
    }
    mark::clear(&mut held.connection, held.dialect).await?;
    Ok(Undone { moved_to: mark.detail, is_unserved: is_served.is_some() })
}
