//! A store that moves elsewhere. The new one is filled first, then the old one is marked, then the new one is opened: whatever ends the
//! process, not more than one of them is served, and running it again brings it to its end.

use super::super::{Address, StoreError};
use super::filling::Filling;
use super::holding::Held;
use super::mark::{Mark, MarkKind};
use super::{Copied, rows, serving};

/// A move that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// The new store.
    pub moved_to: String,
    /// Whether nobody serves that one; otherwise it could not be seen.
    pub is_unserved: bool,
}

/// Moves a store into another one, which has to be empty, or to be left by such a move that was broken off. Nobody may serve either; a
/// bridge that is started on the old one is told where the new one is.
///
/// # Errors
/// A sentence; the old store is as before then, and the new one is not served.
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
    if let Some(mark) = guard.mark().await.map_err(failed)? {
        if mark.kind == MarkKind::Moved
            && mark.detail == into.in_full()
            && let Some(filled) = Filling::of_migration(into, &from.in_full()).await?
        {
            // The old one is marked only after all has arrived.
            filled.open().await?;
            return count_all(guard).await;
        }
        return Err(failed(mark.refusal()));
    }
    guard.contents().await.map_err(failed)?;
    let mut filling = Filling::begin(into, MarkKind::Arriving, from.in_full()).await?;
    let copied = match copy_all(from, &mut filling).await {
        Ok(copied) => copied,
        Err(error) => return Err(filling.give_up(error).await),
    };
    let moved = Mark { kind: MarkKind::Moved, at: copied.at, detail: into.in_full() };
    guard.set_mark(&moved).await.map_err(|error| {
        StoreError(format!("{from} cannot be marked as moved: {error}. Everything is in {into} as well, which no bridge serves: run this again"))
    })?;
    filling.open().await?;
    Ok(copied)
}

async fn copy_all(from: &Address, filling: &mut Filling) -> Result<Copied, StoreError> {
    let mut source = Held::to_be_read(from).await?;
    let copied = filling.fill(&mut source).await;
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
    Ok(Copied { version, at, rows, digests: Vec::new() })
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
        Some(mark) if mark.kind == MarkKind::Moved => mark,
        Some(mark) => return Err(address.cannot_be_opened(&mark.refusal())),
        None => return Err(StoreError(format!("the store {address} was not moved: nothing is to be undone"))),
    };
    let is_served = serving::is_served(&mark.detail).await;
    if is_served == Some(true) {
        return Err(StoreError(format!(
            "a bridge serves {}, where {address} was moved to: two bridges would go on from the same jobs. Stop every process that has that store, and try again",
            mark.detail
        )));
    }
    held.clear_mark().await?;
    Ok(Undone { moved_to: mark.detail, is_unserved: is_served.is_some() })
}
