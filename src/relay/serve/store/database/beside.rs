//! What a person waits for and is done on a connection of its own, beside the one that everything else goes through: a switch in
//! PostgreSQL. Whatever stands still there, or in another process, is not waited for long.

use std::time::Duration;

use sqlx::{AnyConnection, Connection as _, Executor as _};

use super::super::trouble::StoreError;
use super::super::work::{Dialect, Work, now};
use super::super::{Switch, decisions, place};
use super::{POSTGRES_SETTINGS, take_turn};

/// The longest that it may take, with all of it; each lock may be waited for a little less, so that PostgreSQL is the one who gives up.
const PATIENCE: Duration = Duration::from_secs(4);
const LOCKS: &str = "SET lock_timeout = '3s'";

/// Throws a switch, for every process that shares the store.
///
/// # Errors
/// Why it is not thrown.
pub async fn throw(url: &str, switch: &Switch, is_on: bool) -> Result<(), StoreError> {
    let thrown = async {
        let mut connection = AnyConnection::connect(&place::with_name(url)).await?;
        connection.execute(POSTGRES_SETTINGS).await?;
        connection.execute(LOCKS).await?;
        let mut transaction = connection.begin().await?;
        take_turn(&mut transaction).await?;
        let now = now(&mut transaction, Dialect::Postgres).await?;
        let mut work = Work { connection: &mut transaction, dialect: Dialect::Postgres, now };
        decisions::throw(&mut work, switch, is_on).await?;
        transaction.commit().await?;
        // It is committed, whatever becomes of the connection.
        let _ = connection.close().await;
        Ok(())
    };
    tokio::time::timeout(PATIENCE, thrown).await.unwrap_or_else(|_| Err(StoreError::unanswered(PATIENCE)))
}
