//! Whether a store in PostgreSQL is served: whoever serves it shares a lock, whoever copies all of it has that alone.

use std::time::{Duration, Instant};

use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::super::trouble::StoreError;

/// How long PostgreSQL may still keep the lock of a process that has just ended.
const LINGERING: Duration = Duration::from_secs(1);

/// Takes the lock of all that serve a store in PostgreSQL, as one of them or alone, for as long as the connection is open. Answers whether
/// it could be had at once.
///
/// # Errors
/// The database's.
pub async fn lock(connection: &mut AnyConnection, is_alone: bool) -> Result<bool, StoreError> {
    // A database may have a store in each of its schemas.
    let text = format!(
        "SELECT CAST(CAST(pg_try_advisory_lock{}(7340033, hashtext(COALESCE(current_schema(), ''))) AS INT) AS BIGINT)",
        if is_alone { "" } else { "_shared" }
    );
    Ok(sqlx::query(AssertSqlSafe(text)).fetch_one(connection).await?.try_get::<i64, _>(0)? == 1)
}

/// Takes it alone, after waiting for a moment for what may linger. Answers whether it could be had.
///
/// # Errors
/// The database's.
pub async fn lock_alone(connection: &mut AnyConnection) -> Result<bool, StoreError> {
    let begun = Instant::now();
    loop {
        if lock(connection, true).await? {
            return Ok(true);
        }
        if begun.elapsed() > LINGERING {
            return Ok(false);
        }
        tokio::time::sleep(LINGERING / 20).await;
    }
}
