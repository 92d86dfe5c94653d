//! A mark on a store that no bridge may serve: it is a backup, it was moved elsewhere, or it is being filled. It stands in a table of its
//! own, so that a store of any version can have it.

use sqlx::{AnyConnection, Executor as _, Row as _};

use super::super::schema::has_table;
use super::super::trouble::StoreError;
use super::super::work::Dialect;
use super::told_at;

/// What a store is that no bridge may serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub kind: MarkKind,
    /// Since when, in Unix milliseconds.
    pub at: i64,
    /// Where it is moved to, what goes on in its place, or what it is filled from; of a backup, how many rows each table has.
    pub detail: String,
}

/// Why no bridge may serve it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    Backup,
    Moved,
    /// A store was moved to it, and that was undone: the old one goes on.
    GivenUp,
    /// It is being filled from a backup, or that was broken off.
    Restoring,
    /// It is being filled from a store that moves, or that was broken off.
    Arriving,
}

impl MarkKind {
    const ALL: [MarkKind; 5] =
        [MarkKind::Backup, MarkKind::Moved, MarkKind::GivenUp, MarkKind::Restoring, MarkKind::Arriving];

    fn name(self) -> &'static str {
        match self {
            MarkKind::Backup => "backup",
            MarkKind::Moved => "moved",
            MarkKind::GivenUp => "given_up",
            MarkKind::Restoring => "restoring",
            MarkKind::Arriving => "arriving",
        }
    }

    /// Whether what such a store holds is not all of it, or not to be served yet.
    pub fn is_of_filling(self) -> bool {
        matches!(self, MarkKind::Restoring | MarkKind::Arriving)
    }
}

impl Mark {
    /// Why a bridge does not serve the store, and what to do.
    pub fn refusal(&self) -> StoreError {
        let (at, place) = (told_at(self.at), &self.detail);
        StoreError(match self.kind {
            MarkKind::Backup => format!(
                "it is a backup of {at}: make a store of it with `source-devin-ai alert-relay restore FILE --store STORE`"
            ),
            MarkKind::Moved => format!(
                "it was moved to {place} on {at}: serve that one, so that no alert gets a second session. If that one is given up, `source-devin-ai alert-relay migrate --undo STORE` has this one served again, as it was then"
            ),
            MarkKind::GivenUp => format!(
                "it was given up on {at}, and {place} goes on from the same jobs: serve that one, so that no alert gets a second session. If that one says that it was moved here, giving this one up was broken off: `source-devin-ai alert-relay migrate --undo OLD_STORE` again brings it to its end. To have it here after that, delete this one, and run `source-devin-ai alert-relay migrate OLD_STORE NEW_STORE` again"
            ),
            MarkKind::Restoring => format!(
                "a restore of {place} into it began on {at} and did not come to its end: run it again, `source-devin-ai alert-relay restore FILE --store STORE`, which fills it anew"
            ),
            MarkKind::Arriving => format!(
                "its migration from {place} began on {at} and did not come to its end: run it again, `source-devin-ai alert-relay migrate OLD_STORE NEW_STORE`. The old store has everything until then: to go on with that one, delete this one, and where the old one says that it was moved, `source-devin-ai alert-relay migrate --undo OLD_STORE`"
            ),
        })
    }

    /// Whether a store with this mark may be filled anew: what a restore has left is of no use, and what a migration has left is the
    /// business of that one only.
    pub fn may_be_filled_again(&self, kind: MarkKind, from: &str) -> bool {
        match self.kind {
            MarkKind::Restoring => true,
            MarkKind::Arriving => kind == MarkKind::Arriving && self.detail == from,
            MarkKind::Backup | MarkKind::Moved | MarkKind::GivenUp => false,
        }
    }
}

/// The mark of a store; `None` where a bridge may serve it.
///
/// # Errors
/// The database's.
pub async fn find(connection: &mut AnyConnection, dialect: Dialect) -> Result<Option<Mark>, StoreError> {
    if !has_table(connection, dialect, "relay_mark").await? {
        return Ok(None);
    }
    let row = sqlx::query("SELECT kind, at, detail FROM relay_mark").fetch_optional(connection).await?;
    let Some(row) = row else { return Ok(None) };
    let name: String = row.try_get(0)?;
    // One that a newer program has made keeps this one away, too.
    let kind = MarkKind::ALL.into_iter().find(|kind| kind.name() == name).unwrap_or(MarkKind::Moved);
    Ok(Some(Mark { kind, at: row.try_get(1)?, detail: row.try_get(2)? }))
}

/// Marks a store, in the place of the mark that it may have.
///
/// # Errors
/// The database's.
pub async fn set(connection: &mut AnyConnection, dialect: Dialect, mark: &Mark) -> Result<(), StoreError> {
    clear(connection, dialect).await?;
    connection
        .execute("CREATE TABLE relay_mark (kind TEXT NOT NULL, at BIGINT NOT NULL, detail TEXT NOT NULL)")
        .await?;
    let query = sqlx::query("INSERT INTO relay_mark (kind, at, detail) VALUES ($1, $2, $3)");
    query.bind(mark.kind.name()).bind(mark.at).bind(&mark.detail).execute(connection).await?;
    Ok(())
}

/// Takes the mark of a store away.
///
/// # Errors
/// The database's.
pub async fn clear(connection: &mut AnyConnection, dialect: Dialect) -> Result<(), StoreError> {
    if has_table(connection, dialect, "relay_mark").await? {
        connection.execute("DROP TABLE relay_mark").await?;
    }
    Ok(())
}
