//! How many jobs stand how, now, and what came of today (UTC).

use sqlx::Row as _;

use super::super::StoreError;
use super::super::database::Work;

/// So many jobs stand so.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TallyView {
    /// They have no session yet.
    pub waiting: i64,
    /// A session works on them.
    pub on_it: i64,
    /// Their sessions ask a person, and are polled for the answer.
    pub blocked: i64,
}

/// Counts them.
///
/// # Errors
/// The database's.
pub async fn tally(work: &mut Work<'_>) -> Result<TallyView, StoreError> {
    let text = "SELECT CAST(COALESCE(SUM(CASE WHEN session_id IS NULL THEN 1 ELSE 0 END), 0) AS BIGINT), COUNT(*) \
        FROM jobs WHERE settled_at IS NULL";
    let row = sqlx::query(text).fetch_one(&mut *work.connection).await?;
    let (waiting, active): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    let text = "SELECT COUNT(*) FROM jobs WHERE look_at IS NOT NULL AND status = 'blocked'";
    let blocked = sqlx::query(text).fetch_one(&mut *work.connection).await?.try_get(0)?;
    Ok(TallyView { waiting, on_it: active - waiting, blocked })
}
