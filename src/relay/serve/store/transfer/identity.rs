//! Which move a store takes part in: it stands in the old store and, as one that has arrived, in the new one, so that a move that was broken
//! off after the new store was filled is told from a store that others have filled.

use sqlx::{AnyConnection, Executor as _, Row as _};

use super::super::schema::has_table;
use super::super::{Address, Dialect, StoreError};
use super::holding::Held;

/// The move that a store took part in last; `None` if it never did.
///
/// # Errors
/// The database's.
pub async fn find(connection: &mut AnyConnection, dialect: Dialect) -> Result<Option<String>, StoreError> {
    if !has_table(connection, dialect, "relay_move").await? {
        return Ok(None);
    }
    let row = sqlx::query("SELECT id FROM relay_move").fetch_optional(connection).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// What stands in a store that a move has filled: never what stands in the one that it came from, which may be named twice.
pub fn arrived(id: &str) -> String {
    format!("{id} arrived")
}

/// Has a store take part in a move. The caller ends the transaction.
///
/// # Errors
/// The database's.
pub async fn set(connection: &mut AnyConnection, id: &str) -> Result<(), StoreError> {
    connection.execute("CREATE TABLE IF NOT EXISTS relay_move (id TEXT NOT NULL)").await?;
    connection.execute("DELETE FROM relay_move").await?;
    sqlx::query("INSERT INTO relay_move (id) VALUES ($1)").bind(id).execute(connection).await?;
    Ok(())
}

/// Whether a move has filled this store. A bridge may serve it by now.
///
/// # Errors
/// A sentence with the place: it cannot be seen.
pub async fn has_filled(into: &Address, id: &str) -> Result<bool, StoreError> {
    let mut held = match into {
        Address::Sqlite(path) if !path.exists() => return Ok(false),
        // What a process that was killed has left in the journal is taken back by whoever may write.
        Address::Sqlite(_) => match Held::alone(into).await {
            Ok(held) => held,
            Err(error) => Held::to_be_read(into).await.map_err(|_| error)?,
        },
        _ => Held::to_be_read(into).await?,
    };
    let found = find(&mut held.connection, held.dialect).await;
    held.close().await;
    found.map(|found| found == Some(arrived(id))).map_err(|error| into.cannot_be_opened(&error))
}
