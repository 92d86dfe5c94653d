//! Integrations whose quota is used up, as far as their sessions have shown.

use sqlx::Row as _;

use super::super::admission::outage;
use super::super::trouble::StoreError;
use super::super::work::Work;
use crate::relay::serve::gates::Outage;

/// An integration whose sessions are stopped for want of quota. Moments are Unix milliseconds.
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
        if let Some(Outage { since, next_at }) = outage(work, &integration, "").await? {
            quotas.push(QuotaView { integration, since, next_at });
        }
    }
    Ok(quotas)
}
