//! What the store knows of an integration's quota: which sessions were stopped for want of it, and which have worked.

use sqlx::Row as _;

use crate::relay::serve::gates::{Outage, QUOTA_AGAIN, Sign, out_of_quota_since};
use crate::relay::serve::store::trouble::StoreError;
use crate::relay::serve::store::work::Work;

/// Of so many sessions of each kind, the newest, it is asked what they have shown.
const SIGNS: i64 = 200;

/// Since when sessions of the integration are stopped for want of quota, and when the next start is tried: by others than this job.
/// `None` where one has worked since, or none was stopped.
///
/// # Errors
/// The database's.
pub async fn outage(work: &mut Work<'_>, integration: &str, job_id: &str) -> Result<Option<Outage>, StoreError> {
    let text = "SELECT settled_at FROM jobs WHERE integration = $1 AND result = 'quota_exceeded' AND settled_at IS NOT NULL \
        ORDER BY settled_at DESC LIMIT $2";
    let rows = sqlx::query(text).bind(integration).bind(SIGNS).fetch_all(&mut *work.connection).await?;
    let stops: Vec<i64> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let (Some(newest), Some(oldest)) = (stops.first(), stops.last()) else { return Ok(None) };
    if has_worked_since(work, integration, *newest).await? {
        return Ok(None);
    }
    let mut signs: Vec<Sign> = stops.iter().map(|at| Sign::Stopped { at: *at }).collect();
    signs.extend(worked(work, integration, *oldest).await?);
    let Some(since) = out_of_quota_since(signs) else { return Ok(None) };
    Ok(Some(Outage::new(since, tried_at(work, integration, since, job_id).await?)))
}

/// Whether a session has ended well that was started since then. It spares a look at all of them, and most often it is so.
async fn has_worked_since(work: &mut Work<'_>, integration: &str, since: i64) -> Result<bool, StoreError> {
    let text = "SELECT 1 FROM jobs WHERE started_at > $2 AND integration = $1 AND settled_at IS NOT NULL \
        AND status IN ('done', 'blocked') LIMIT 1";
    let query = sqlx::query(text).bind(integration).bind(since);
    Ok(query.fetch_optional(&mut *work.connection).await?.is_some())
}

/// The sessions started since then that have worked: they brought a result, asked a person, or were at work for a quarter of an hour.
/// That one has consumed some ACUs before that says nothing: it may be the rest.
async fn worked(work: &mut Work<'_>, integration: &str, since: i64) -> Result<Vec<Sign>, StoreError> {
    let text = "SELECT started_at, CASE WHEN acus_consumed > 0 AND COALESCE(settled_at, $3) - started_at >= $4 \
        THEN started_at + $4 ELSE settled_at END FROM jobs WHERE started_at > $2 AND integration = $1 \
        AND (settled_at IS NOT NULL AND status IN ('done', 'blocked') \
        OR acus_consumed > 0 AND COALESCE(settled_at, $3) - started_at >= $4) ORDER BY started_at DESC LIMIT $5";
    let query = sqlx::query(text).bind(integration).bind(since).bind(work.now).bind(QUOTA_AGAIN).bind(SIGNS);
    let rows = query.fetch_all(&mut *work.connection).await?;
    rows.iter().map(|row| Ok(Sign::Worked { started_at: row.try_get(0)?, at: row.try_get(1)? })).collect()
}

/// When a start was last tried since then, by another job than this and not because a person had asked for it; `None` where none was.
async fn tried_at(work: &mut Work<'_>, integration: &str, since: i64, job_id: &str) -> Result<Option<i64>, StoreError> {
    let text = "SELECT MAX(started_at) FROM jobs WHERE started_at > $2 AND integration = $1 AND id <> $3 AND NOT EXISTS \
        (SELECT 1 FROM decisions WHERE decisions.id = jobs.id || '.1' AND decision IN ('retry', 'start_again'))";
    let query = sqlx::query(text).bind(integration).bind(since).bind(job_id);
    Ok(query.fetch_one(&mut *work.connection).await?.try_get(0)?)
}
