//! Who is asked again when a place becomes free: those that wait for it, of each rule and integration the oldest.

use sqlx::{AssertSqlSafe, Row as _};

use crate::relay::job::{End, Job};
use crate::relay::outcome::{OutcomeKind, OutcomeStatus};
use crate::relay::serve::store::queue::Save;
use crate::relay::serve::store::trouble::StoreError;
use crate::relay::serve::store::work::Work;

/// The gates whose places become free when a session ends, and the one that a start which is given back makes room at.
pub const FREED_AT_ONCE: [&str; 2] = ["concurrent_sessions", "acu_per_day"];
pub const RUNS: &str = "runs";

/// Whoever waits for quota is asked again when a session has worked.
pub const QUOTA: &str = "quota";

/// Whose place has become free.
#[derive(Debug, Clone, Copy)]
pub struct Freed<'a> {
    pub integration: &'a str,
    pub rule: &'a str,
    /// It is left by this job, which was asked: the next of its own is. `None` where it is free for all.
    pub by_its_next: Option<&'a str>,
}

/// Frees the place of a job that has ended without a session, and what its session has left over of its ACUs. Others that wait
/// for a place are asked again.
///
/// # Errors
/// The database's.
pub async fn release(work: &mut Work<'_>, save: &Save) -> Result<(), StoreError> {
    let text = "UPDATE jobs SET held_by = NULL, started_at = CASE WHEN $2 = 0 THEN NULL ELSE started_at END, \
        acus_reserved = CASE WHEN $3 = 0 THEN acus_reserved ELSE NULL END WHERE id = $1 RETURNING integration, rule";
    let has_begun = save.job.may_have_made_a_session();
    let row = sqlx::query(text)
        .bind(&save.job.id)
        .bind(i64::from(has_begun))
        .bind(i64::from(!has_begun || consumes_no_more(&save.job)))
        .fetch_one(&mut *work.connection)
        .await?;
    let (integration, rule): (String, String) = (row.try_get(0)?, row.try_get(1)?);
    wake(work, Freed { integration: &integration, rule: &rule, by_its_next: None }).await
}

/// Has those asked again that may have the place. Of one rule and integration all wait for the same, so that one is enough: when
/// it does not need the place, or there are more, it has the next one asked. They are due in the order in which they came.
///
/// # Errors
/// The database's.
pub async fn wake(work: &mut Work<'_>, freed: Freed<'_>) -> Result<(), StoreError> {
    let [sessions, acus] = FREED_AT_ONCE;
    let whom = match freed.by_its_next {
        Some(_) => "integration = $2 AND rule = $3 AND id <> $4",
        None => {
            "$4 = '' AND (held_for IS NULL OR held_for = 'bridge' OR held_for = 'integration' AND integration = $2 \
            OR held_for = 'rule' AND rule = $3)"
        }
    };
    let text = format!(
        "UPDATE jobs SET due_at = created_at WHERE due_at > $1 AND id IN (SELECT id FROM (SELECT id, ROW_NUMBER() OVER \
        (PARTITION BY integration, rule, held_by ORDER BY created_at, id) AS place FROM jobs WHERE settled_at IS NULL \
        AND held_by IN ('{sessions}', '{acus}', '{RUNS}', '{QUOTA}') AND due_at > $1 AND {whom}) waiting WHERE place = 1)"
    );
    let query = sqlx::query(AssertSqlSafe(text)).bind(work.now).bind(freed.integration).bind(freed.rule);
    query.bind(freed.by_its_next.unwrap_or_default()).execute(&mut *work.connection).await?;
    Ok(())
}

/// Whether its session has come to an end that leaves the rest of its ACUs free.
fn consumes_no_more(job: &Job) -> bool {
    match job.end() {
        Some(End::Outcome(kind)) => {
            kind.status() == OutcomeStatus::Done
                || matches!(
                    kind,
                    OutcomeKind::QuotaExceeded
                        | OutcomeKind::SessionError
                        | OutcomeKind::Suspended
                        | OutcomeKind::Terminated
                )
        }
        _ => false,
    }
}
