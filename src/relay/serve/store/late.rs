//! Sessions that wait for a person when their jobs end: they are looked at every now and then, since an answer may bring what
//! was asked for.

use sqlx::Row as _;

use super::admission::{Freed, wake};
use super::queue::{Progress, Save, as_text, read};
use super::trouble::StoreError;
use super::work::Work;
use super::{Order, Reply, Store, outbox};
use crate::relay::job::{End, Job};
use crate::relay::outcome::OutcomeStatus;
use crate::relay::serve::notify::of_late_end;

/// How long after its job has ended a session is looked at, and how often, in milliseconds.
const LONGEST: i64 = 86_400_000;
const EVERY: i64 = 900_000;

/// A session that is to be looked at, and the job that it belongs to.
#[derive(Debug, Clone)]
pub struct Late {
    pub job: Job,
    /// The rule that it was made by.
    pub rule: String,
    pub session_id: String,
}

/// What has become of it.
#[derive(Debug, Clone)]
pub struct Amendment {
    pub job_id: String,
    pub progress: Progress,
}

impl Store {
    /// Sessions of jobs that have ended, which wait for a person and are to be looked at now.
    ///
    /// # Errors
    /// The database's.
    pub async fn late(&self, integration: &str, most: usize) -> Result<Vec<Late>, StoreError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        match self.ask(Order::Late { integration: integration.to_string(), most }).await? {
            Reply::Late(late) => Ok(late),
            _ => Err(StoreError::mixed_up()),
        }
    }

    /// Keeps what has become of such a session.
    ///
    /// # Errors
    /// The database's.
    pub async fn amend(&self, amendment: Amendment) -> Result<(), StoreError> {
        self.ask(Order::Amend(Box::new(amendment))).await.map(drop)
    }
}

/// Keeps that the session of a job that ends is to be looked at, where it waits for a person.
///
/// # Errors
/// The database's.
pub async fn expect(work: &mut Work<'_>, save: &Save) -> Result<(), StoreError> {
    let waits = matches!(save.job.end(), Some(End::Outcome(kind)) if kind.status() == OutcomeStatus::Blocked);
    if waits {
        let text = "UPDATE jobs SET look_at = $2 WHERE id = $1";
        sqlx::query(text).bind(&save.job.id).bind(work.now + EVERY).execute(&mut *work.connection).await?;
    }
    Ok(())
}

/// The sessions that are due. Whoever asks next is told of them 15 minutes later, and for a day at most.
///
/// # Errors
/// The database's.
pub async fn due(work: &mut Work<'_>, integration: &str, most: i64) -> Result<Vec<Late>, StoreError> {
    let text = "UPDATE jobs SET look_at = CASE WHEN settled_at + $3 <= $2 + $4 THEN NULL ELSE $2 + $4 END \
        WHERE id IN (SELECT id FROM jobs WHERE integration = $1 AND look_at <= $2 ORDER BY look_at LIMIT $5) \
        AND look_at <= $2 RETURNING job, session_id, rule";
    let query = sqlx::query(text).bind(integration).bind(work.now).bind(LONGEST).bind(EVERY).bind(most);
    let mut late = Vec::new();
    for row in query.fetch_all(&mut *work.connection).await? {
        let (job, session_id): (String, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
        // One that another version has written is left as it is.
        if let (Ok(job), Some(session_id)) = (read(&job), session_id) {
            late.push(Late { job, rule: row.try_get(2)?, session_id });
        }
    }
    Ok(late)
}

/// Keeps what has become of a session after its job had ended. It is not looked at again.
///
/// # Errors
/// The database's.
pub async fn amend(work: &mut Work<'_>, amendment: &Amendment) -> Result<(), StoreError> {
    let progress = &amendment.progress;
    let text = "UPDATE jobs SET look_at = NULL, status = $2, result = $3, reason = $4, pr_url = $5, acus_reserved = NULL, \
        acus_consumed = CAST($6 AS DOUBLE PRECISION) WHERE id = $1 AND settled_at IS NOT NULL RETURNING integration, rule";
    let row = sqlx::query(text)
        .bind(&amendment.job_id)
        .bind(&progress.status)
        .bind(&progress.result)
        .bind(&progress.reason)
        .bind(progress.kept_pr_url())
        .bind(progress.acus_consumed.map(as_text))
        .fetch_optional(&mut *work.connection)
        .await?;
    let Some(row) = row else { return Ok(()) };
    let happened = of_late_end(progress.result.as_deref(), progress.pr_url.as_deref());
    outbox::put(work, &amendment.job_id, &happened).await?;
    // What it left over of its ACUs is free.
    let (integration, rule): (String, String) = (row.try_get(0)?, row.try_get(1)?);
    wake(work, Freed { integration: &integration, rule: &rule, by_its_next: None }).await
}
