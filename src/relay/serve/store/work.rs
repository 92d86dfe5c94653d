//! What every statement is made with: the connection, which database it is, and what time it is there.

use sqlx::{AnyConnection, Row as _};

use super::trouble::StoreError;

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

/// What an order is done with.
pub struct Work<'c> {
    pub connection: &'c mut AnyConnection,
    pub dialect: Dialect,
    /// By the database's clock, in Unix milliseconds.
    pub now: i64,
}

/// By the database's clock, in Unix milliseconds.
///
/// # Errors
/// The database's.
pub async fn now(connection: &mut AnyConnection, dialect: Dialect) -> Result<i64, StoreError> {
    let text = match dialect {
        Dialect::Sqlite => "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER)",
        Dialect::Postgres => "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
    };
    Ok(sqlx::query(text).fetch_one(connection).await?.try_get(0)?)
}
