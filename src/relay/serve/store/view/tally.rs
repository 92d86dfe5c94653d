//! How many alerts stand how, now and today (UTC), by their last jobs.

use sqlx::Row as _;

use super::super::trouble::StoreError;
use super::super::work::Work;

/// So many alerts stand so. Each has one job that goes on at most.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TallyView {
    /// Their jobs have no session yet.
    pub waiting: i64,
    /// A session works on them.
    pub on_it: i64,
    /// Their sessions ask a person, and are polled for the answer.
    pub blocked: i64,
    /// Their last jobs came to nothing today (UTC).
    pub dropped_today: i64,
}

const DAY: i64 = 86_400_000;

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
    let text = "SELECT COUNT(*) FROM jobs j WHERE settled_at >= $1 AND status IN ('dropped', 'failed') \
        AND NOT EXISTS (SELECT 1 FROM jobs l WHERE l.alert = j.alert AND l.created_at > j.created_at)";
    let query = sqlx::query(text).bind(work.now.div_euclid(DAY) * DAY);
    let dropped_today = query.fetch_one(&mut *work.connection).await?.try_get(0)?;
    Ok(TallyView { waiting, on_it: active - waiting, blocked, dropped_today })
}
