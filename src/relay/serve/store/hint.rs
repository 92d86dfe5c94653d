//! A word from one process to the others over PostgreSQL: there may be a due job. It is a hint and never the truth. Whoever
//! misses it finds the job a moment later by looking.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::sync::Notify;

use super::trouble::StoreError;
use super::work::Work;

const CHANNEL: &str = "alert_relay_jobs";

/// When a connection is tried again that could not be had.
const LISTEN_AGAIN: Duration = Duration::from_secs(10);

/// Passes every hint on. Never ends.
pub async fn listen(url: String, hinted: Arc<Notify>) {
    loop {
        if let Ok(mut listener) = PgListener::connect(&url).await
            && listener.listen(CHANNEL).await.is_ok()
        {
            // A connection that is lost is opened again while it waits.
            while listener.recv().await.is_ok() {
                hinted.notify_waiters();
            }
        }
        tokio::time::sleep(LISTEN_AGAIN).await;
    }
}

/// Gives the hint once the transaction is committed.
///
/// # Errors
/// The database's.
pub async fn give(work: &mut Work<'_>) -> Result<(), StoreError> {
    sqlx::query("SELECT CAST(pg_notify($1, '') AS TEXT)").bind(CHANNEL).execute(&mut *work.connection).await?;
    Ok(())
}
