//! Integrations whose quota is used up, as far as their sessions have shown.

use sqlx::Row as _;

use super::super::StoreError;
use super::super::admission::out_of_quota_at;
use super::super::database::Work;
use crate::relay::serve::gates::QUOTA_AGAIN;

/// An integration whose last session that was stopped was stopped for want of quota, and none has worked since. Moments are Unix
/// milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaView {
    pub integration: String,
    /// When the first of these sessions was stopped.
    pub since: i64,
    /// From when on a start is tried again: the next alert's, where none waits.
    pub next_at: i64,
}

/// All of them, by their names.
///
/// # Errors
/// The database's.
pub async fn quotas(work: &mut Work<'_>) -> Result<Vec<QuotaView>, StoreError> {
    let text = "SELECT DISTINCT integration FROM jobs WHERE result = 'quota_exceeded' ORDER BY integration";
    let mut quotas = Vec::new();
    for row in sqlx::query(text).fetch_all(&mut *work.connection).await? {
        let integration: String = row.try_get(0)?;
        let Some(tried_at) = out_of_quota_at(work, &integration, "").await? else { continue };
        // Those that were stopped after a session had worked for the last time.
        let text = "SELECT MIN(settled_at) FROM jobs WHERE integration = $1 AND result = 'quota_exceeded' \
            AND settled_at > (SELECT COALESCE(MAX(started_at), 0) FROM jobs WHERE integration = $1 \
            AND status IN ('done', 'blocked') AND started_at IS NOT NULL)";
        let row = sqlx::query(text).bind(&integration).fetch_one(&mut *work.connection).await?;
        let since = row.try_get::<Option<i64>, _>(0)?.unwrap_or(tried_at);
        quotas.push(QuotaView { integration, since, next_at: tried_at + QUOTA_AGAIN });
    }
    Ok(quotas)
}
