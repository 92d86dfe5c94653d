//! Alerts that a person does not want to start anything for a time, by their dedupe keys.

use chrono::{DateTime, SecondsFormat};
use serde::Serialize;
use sqlx::Row as _;

use super::trouble::StoreError;
use super::work::Work;
use super::{Order, Reply, Store};

/// A suppression, as programs are shown it. Moments are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SuppressionView {
    pub dedupe_key: String,
    pub since: i64,
    pub until: i64,
    /// Who asked for it.
    pub by: String,
}

impl Store {
    /// The suppressions that are in effect, by their keys.
    ///
    /// # Errors
    /// The database's.
    pub async fn suppressions(&self) -> Result<Vec<SuppressionView>, StoreError> {
        match self.ask(Order::Suppressions).await? {
            Reply::Suppressions(suppressions) => Ok(suppressions),
            _ => Err(StoreError::mixed_up()),
        }
    }
}

/// The suppressions that are in effect.
///
/// # Errors
/// The database's.
pub async fn all(work: &mut Work<'_>) -> Result<Vec<SuppressionView>, StoreError> {
    let text = "SELECT dedupe_key, at, until, asked_by FROM suppressions WHERE until > $1 ORDER BY dedupe_key";
    let rows = sqlx::query(text).bind(work.now).fetch_all(&mut *work.connection).await?;
    let mut suppressions = Vec::with_capacity(rows.len());
    for row in rows {
        suppressions.push(SuppressionView {
            dedupe_key: row.try_get(0)?,
            since: row.try_get(1)?,
            until: row.try_get(2)?,
            by: row.try_get(3)?,
        });
    }
    Ok(suppressions)
}

/// Why alerts with this key start nothing, in a sentence; `None` where they may.
///
/// # Errors
/// The database's.
pub async fn suppressed(work: &mut Work<'_>, dedupe_key: &str) -> Result<Option<String>, StoreError> {
    let text = "SELECT until, asked_by FROM suppressions WHERE dedupe_key = $1 AND until > $2";
    let query = sqlx::query(text).bind(dedupe_key).bind(work.now);
    let Some(row) = query.fetch_optional(&mut *work.connection).await? else { return Ok(None) };
    let (until, by): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
    Ok(Some(format!("alerts with this key are suppressed until {} ({by})", moment(until))))
}

/// Starts a suppression, or gives one another end. What waits to start is asked about at once.
///
/// # Errors
/// The database's.
pub async fn begin(work: &mut Work<'_>, dedupe_key: &str, until: i64, by: &str) -> Result<(), StoreError> {
    let text = "INSERT INTO suppressions (dedupe_key, at, until, asked_by) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (dedupe_key) DO UPDATE SET at = EXCLUDED.at, until = EXCLUDED.until, asked_by = EXCLUDED.asked_by";
    let query = sqlx::query(text).bind(dedupe_key).bind(work.now).bind(until).bind(by);
    query.execute(&mut *work.connection).await?;
    let text = "UPDATE jobs SET due_at = $2 WHERE settled_at IS NULL AND held_by IS NOT NULL AND due_at > $2 \
        AND alert IN (SELECT tag FROM alerts WHERE dedupe_key = $1)";
    sqlx::query(text).bind(dedupe_key).bind(work.now).execute(&mut *work.connection).await?;
    Ok(())
}

/// Ends a suppression; `false` where there was none in effect.
///
/// # Errors
/// The database's.
pub async fn end(work: &mut Work<'_>, dedupe_key: &str) -> Result<bool, StoreError> {
    let was_on = suppressed(work, dedupe_key).await?.is_some();
    let text = "DELETE FROM suppressions WHERE dedupe_key = $1";
    sqlx::query(text).bind(dedupe_key).execute(&mut *work.connection).await?;
    Ok(was_on)
}

/// A moment as RFC 3339 in UTC.
pub fn moment(at: i64) -> String {
    let far = DateTime::from_timestamp_millis(at).unwrap_or(DateTime::<chrono::Utc>::MAX_UTC);
    far.to_rfc3339_opts(SecondsFormat::Secs, true)
}
