//! A store that moves elsewhere. The new one is filled first, then the old one is marked, then the new one is opened: whatever ends the
//! process, not more than one of them is served, and running it again brings it to its end.

use super::super::Address;
use super::super::trouble::StoreError;
use super::filling::Filling;
use super::holding::Held;
use super::mark::{Mark, MarkKind};
use super::{Copied, rows, serving};

/// A move that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// The new store.
    pub moved_to: String,
    /// Whether nobody serves that one, nor can from now on; otherwise it could not be seen.
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

/// Has a store that was moved elsewhere be served again. `may_be_unseen`: also where nobody can say from here whether a bridge serves the
/// new one.
///
/// # Errors
/// A sentence: it was not moved, or is served, or the new one is or may be.
pub async fn undo_migration(address: &Address, may_be_unseen: bool) -> Result<Undone, StoreError> {
    if let Address::Sqlite(path) = address
        && !path.is_file()
    {
        return Err(address.cannot_be_opened(&StoreError("there is no such file".to_string())));
    }
    let mut held = Held::alone(address).await?;
    let undone = undo(&mut held, address, may_be_unseen).await;
    held.close().await;
    undone
}

async fn undo(held: &mut Held, address: &Address, may_be_unseen: bool) -> Result<Undone, StoreError> {
    let mark = match held.mark().await? {
        Some(mark) if mark.kind == MarkKind::Moved => mark,
        Some(mark) => return Err(address.cannot_be_opened(&mark.refusal())),
        None => return Err(StoreError(format!("the store {address} was not moved: nothing is to be undone"))),
    };
    let place = &mark.detail;
    match serving::is_served(place).await {
        Some(true) => {
            return Err(StoreError(format!(
                "a bridge serves {place}, where {address} was moved to: two bridges would go on from the same jobs. Stop every process that has that store, and try again"
            )));
        }
        None if !may_be_unseen => return Err(unseen(address, place)),
        _ => {}
    }
    // First, so that not both can be served, whatever ends the process.
    let is_unserved = give_up(place, GivenUp { at: held.now().await?, by: address }).await?;
    if !is_unserved && !may_be_unseen {
        return Err(unseen(address, place));
    }
    held.clear_mark().await?;
    Ok(Undone { moved_to: mark.detail, is_unserved })
}

fn unseen(address: &Address, place: &str) -> StoreError {
    StoreError(format!(
        "whether a bridge serves {place}, where {address} was moved to, cannot be seen from here, and two bridges would go on from the same jobs. Let that store be asked (a password comes from PGPASSWORD or PGPASSFILE); or, if you know that no bridge serves it or will, say so with --force"
    ))
}

/// When a store was given up, and for which one.
struct GivenUp<'a> {
    at: i64,
    by: &'a Address,
}

/// Keeps bridges away from a store that is given up, and answers whether it could: it may not be reached from here. A file that is gone
/// keeps them away itself, and so does one that did not arrive.
///
/// # Errors
/// A sentence: the store was moved on, and what it was moved to may be served.
async fn give_up(place: &str, given_up: GivenUp<'_>) -> Result<bool, StoreError> {
    let Some(address) = serving::marked_address(place) else { return Ok(false) };
    if matches!(&address, Address::Sqlite(path) if !path.exists()) {
        return Ok(true);
    }
    let Ok(Ok(mut held)) = tokio::time::timeout(serving::PATIENCE, Held::alone(&address)).await else {
        return Ok(false);
    };
    let mark = Mark { kind: MarkKind::GivenUp, at: given_up.at, detail: given_up.by.in_full() };
    let marked = match held.mark().await {
        Ok(None) => Ok(held.set_mark(&mark).await.is_ok()),
        Ok(Some(mark)) if mark.kind == MarkKind::Moved => Err(StoreError(format!(
            "{place} was moved on to {}, which goes on from the same jobs: give that one up first, with `source-devin-ai alert-relay migrate --undo {place}`",
            mark.detail
        ))),
        found => Ok(found.is_ok()),
    };
    held.close().await;
    marked
}
