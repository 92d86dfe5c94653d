//! Jobs that are due: who has one, for how long, and what is kept of it. Whoever has lost a job to somebody else keeps
//! nothing of it: every write names the number of the claim that it belongs to.

mod news;
mod seen;

use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::intake::{NewRow, start};
use super::trouble::StoreError;
use super::work::Dialect;
use super::work::Work;
use super::{admission, late, outbox};
use crate::relay::event::EventKind;
use crate::relay::job::Job;
use crate::relay::serve::gates::Gates;
use crate::relay::serve::notify::of_course;
pub use news::News;
use news::{told, waiting_news};
use redact::redact;
pub use seen::{keep_organization, organization, sight, sightings};

/// A job that is held.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub job: Job,
    /// The rule that it was made by.
    pub rule: String,
    /// How long ago it was made, in milliseconds.
    pub age: i64,
    pub epoch: i64,
    /// Who took the last step; `None` before the first.
    pub stepped_by: Option<String>,
    pub progress: Progress,
    /// In their order.
    pub news: Vec<(i64, News)>,
}

/// What is shown of a job beside its phase.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Progress {
    pub session_id: Option<String>,
    pub session_url: Option<String>,
    pub pr_url: Option<String>,
    /// As a word; `None` until it has ended.
    pub status: Option<String>,
    pub result: Option<String>,
    pub reason: Option<String>,
    /// What its session had consumed when it was seen last.
    pub acus_consumed: Option<f64>,
}

impl Progress {
    /// The pull request's address as it may be kept: whoever wrote it may have put a credential in it.
    pub(super) fn kept_pr_url(&self) -> Option<String> {
        self.pr_url.as_deref().map(|url| redact(url).into_owned())
    }

    /// From the columns of a job, by their names.
    ///
    /// # Errors
    /// When one is not there, or holds something else.
    pub fn of(row: &AnyRow) -> Result<Progress, StoreError> {
        Ok(Progress {
            session_id: row.try_get("session_id")?,
            session_url: row.try_get("session_url")?,
            pr_url: row.try_get("pr_url")?,
            status: row.try_get("status")?,
            result: row.try_get("result")?,
            reason: row.try_get("reason")?,
            acus_consumed: row.try_get("acus_consumed")?,
        })
    }
}

/// How far a job has come.
#[derive(Debug, Clone)]
pub struct Save {
    pub job: Job,
    pub epoch: i64,
    pub owner: String,
    pub progress: Progress,
    /// What has happened to it since it was kept last.
    pub events: Vec<EventKind>,
    /// News up to this one have been taken in.
    pub news_until: i64,
    /// It is given back until so long from now, in milliseconds; `None` where it is held on to.
    pub due_in: Option<i64>,
}

/// What was due.
#[derive(Debug, Clone, Default)]
pub struct Due {
    pub claimed: Vec<Claimed>,
    /// Jobs that cannot be read, each with the reason. They stay as they are, and are tried again when their leases end.
    pub unreadable: Vec<(String, StoreError)>,
    /// How long until the next one is, in milliseconds; `None` where none waits.
    pub next_in: Option<i64>,
}

/// Whether it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saved {
    /// With the news that have come in since.
    Kept(Vec<(i64, News)>),
    /// Somebody else has taken it on.
    Lost,
}

const CLAIM_SQLITE: &str = "UPDATE jobs SET owner = $1, epoch = epoch + 1, lease_until = $2 WHERE id IN (\
    SELECT id FROM jobs WHERE settled_at IS NULL AND integration = $3 AND due_at <= $4 \
    AND (lease_until IS NULL OR lease_until < $4) ORDER BY due_at LIMIT $5) \
    RETURNING id, job, epoch, stepped_by, session_id, session_url, pr_url, status, result, reason, \
    acus_consumed, rule, created_at, due_at";

const CLAIM_POSTGRES: &str = "UPDATE jobs SET owner = $1, epoch = epoch + 1, lease_until = $2 WHERE id IN (\
    SELECT id FROM jobs WHERE settled_at IS NULL AND integration = $3 AND due_at <= $4 \
    AND (lease_until IS NULL OR lease_until < $4) ORDER BY due_at LIMIT $5 FOR UPDATE SKIP LOCKED) \
    RETURNING id, job, epoch, stepped_by, session_id, session_url, pr_url, status, result, reason, \
    acus_consumed, rule, created_at, due_at";

/// Takes due jobs that nobody holds, or whose holder has not been heard of for too long.
///
/// # Errors
/// The database's.
pub async fn claim(
    work: &mut Work<'_>,
    integration: &str,
    owner: &str,
    lease_ms: i64,
    most: i64,
) -> Result<Due, StoreError> {
    let text = match work.dialect {
        Dialect::Sqlite => CLAIM_SQLITE,
        Dialect::Postgres => CLAIM_POSTGRES,
    };
    let mut rows = sqlx::query(text)
        .bind(owner)
        .bind(work.now + lease_ms)
        .bind(integration)
        .bind(work.now)
        .bind(most)
        .fetch_all(&mut *work.connection)
        .await?;
    // An update answers in no order.
    rows.sort_by_key(|row| row.try_get::<i64, _>("due_at").unwrap_or_default());
    let ids: Vec<String> = rows.iter().map(|row| row.try_get("id")).collect::<Result<_, _>>()?;
    let waiting = waiting_news(work, &ids).await?;
    let (mut claimed, mut unreadable) = (Vec::new(), Vec::new());
    for (row, id) in rows.iter().zip(ids) {
        let job: String = row.try_get("job")?;
        let news = waiting.get(&id).map_or(&[][..], Vec::as_slice);
        // One that another version has written must not keep the others waiting.
        let (job, news) = match read(&job).and_then(|job| Ok((job, told(news)?))) {
            Ok(readable) => readable,
            Err(error) => {
                unreadable.push((id, error));
                continue;
            }
        };
        claimed.push(Claimed {
            job,
            rule: row.try_get("rule")?,
            age: work.now - row.try_get::<i64, _>("created_at")?,
            epoch: row.try_get("epoch")?,
            stepped_by: row.try_get("stepped_by")?,
            progress: Progress::of(row)?,
            news,
        });
    }
    let text = "SELECT MIN(due_at) FROM jobs WHERE settled_at IS NULL AND integration = $1 AND lease_until IS NULL";
    let row = sqlx::query(text).bind(integration).fetch_one(&mut *work.connection).await?;
    let next: Option<i64> = row.try_get(0)?;
    Ok(Due { claimed, unreadable, next_in: next.map(|next| next - work.now) })
}

/// Keeps how far a job has come.
///
/// # Errors
/// The database's.
pub async fn save(work: &mut Work<'_>, save: &Save) -> Result<Saved, StoreError> {
    let job = serde_json::to_string(&save.job).map_err(|error| StoreError(error.to_string()))?;
    let is_settled = save.job.end().is_some();
    let is_given_back = is_settled || save.due_in.is_some();
    let progress = &save.progress;
    let text = "UPDATE jobs SET job = $1, phase = $2, stepped_by = $3, \
        due_at = CASE WHEN $4 = 0 THEN due_at ELSE $5 END, lease_until = CASE WHEN $4 = 0 THEN lease_until ELSE NULL END, \
        settled_at = CASE WHEN $6 = 0 THEN NULL ELSE $7 END, session_id = $8, session_url = $9, pr_url = $10, status = $11, \
        result = $12, reason = $13, pr_at = CASE WHEN pr_at IS NULL AND $10 IS NOT NULL THEN $7 ELSE pr_at END, acus_consumed = CAST($17 AS DOUBLE PRECISION), heard = CASE WHEN heard < $16 THEN $16 ELSE heard END \
        WHERE id = $14 AND epoch = $15 AND settled_at IS NULL";
    let result = sqlx::query(text)
        .bind(job)
        .bind(save.job.phase.name())
        .bind(&save.owner)
        .bind(i64::from(is_given_back))
        .bind(work.now + save.due_in.unwrap_or_default().max(0))
        .bind(i64::from(is_settled))
        .bind(work.now)
        .bind(&progress.session_id)
        .bind(&progress.session_url)
        .bind(progress.kept_pr_url())
        .bind(&progress.status)
        .bind(&progress.result)
        .bind(&progress.reason)
        .bind(&save.job.id)
        .bind(save.epoch)
        .bind(save.news_until)
        .bind(progress.acus_consumed.map(as_text))
        .execute(&mut *work.connection)
        .await?;
    if result.rows_affected() == 0 {
        return Ok(Saved::Lost);
    }
    note_events(work, &save.job.id, &save.events).await?;
    outbox::put(work, &save.job.id, &of_course(&save.events, save.job.end())).await?;
    if is_settled {
        follow_up(work, save).await?;
        admission::release(work, save).await?;
        late::expect(work, save).await?;
    } else {
        // The last one of the alert that was heard stays where it may have to become the next job.
        let text = "DELETE FROM news WHERE job = $1 AND seq <= (SELECT heard FROM jobs WHERE id = $1) AND ($2 = 0 \
            OR seq < (SELECT MAX(n.seq) FROM news n JOIN jobs j ON j.id = n.job WHERE n.job = $1 AND n.seq <= j.heard \
            AND n.asked_by IS NULL))";
        let kept = i64::from(save.job.is_owing());
        sqlx::query(text).bind(&save.job.id).bind(kept).execute(&mut *work.connection).await?;
    }
    let waiting = waiting_news(work, std::slice::from_ref(&save.job.id)).await?;
    let news = told(waiting.get(&save.job.id).map_or(&[], Vec::as_slice))?;
    if is_given_back && !is_settled && !news.is_empty() {
        let text = "UPDATE jobs SET due_at = $2 WHERE id = $1";
        sqlx::query(text).bind(&save.job.id).bind(work.now).execute(&mut *work.connection).await?;
    }
    Ok(Saved::Kept(news))
}

/// Keeps what has happened to a job.
async fn note_events(work: &mut Work<'_>, job_id: &str, events: &[EventKind]) -> Result<(), StoreError> {
    let text = "INSERT INTO job_events (job, number, at, event) \
        SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3 FROM job_events WHERE job = $1";
    for event in events {
        let query = sqlx::query(text).bind(job_id).bind(work.now).bind(serde_json::to_string(event)?);
        query.execute(&mut *work.connection).await?;
    }
    Ok(())
}

/// What fired while a job came to its end, or was never told to its session, becomes the alert's next job unless it is over.
async fn follow_up(work: &mut Work<'_>, save: &Save) -> Result<(), StoreError> {
    let text = "SELECT n.seq - j.heard, n.follow_up, j.alert, j.integration, j.rule, j.gates, j.severity FROM news n JOIN jobs j ON j.id = n.job \
        WHERE n.job = $1 AND n.asked_by IS NULL ORDER BY n.seq DESC LIMIT 1";
    let row = sqlx::query(text).bind(&save.job.id).fetch_optional(&mut *work.connection).await?;
    let Some(row) = row else { return Ok(()) };
    let (unheard, next): (i64, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
    if let Some(next) = next.filter(|_| unheard > 0 || save.job.is_owing()) {
        let (alert, integration): (String, String) = (row.try_get(2)?, row.try_get(3)?);
        let (rule, gates): (String, Option<String>) = (row.try_get(4)?, row.try_get(5)?);
        let severity: Option<String> = row.try_get(6)?;
        let gates = gates.map_or_else(|| Ok(Gates::open(&rule)), |gates| read(&gates))?;
        let (job, severity) = (read::<Job>(&next)?.after(&save.job), severity.as_deref());
        let (alert, integration, job, gates) = (&alert, &integration, &job, &gates);
        start(work, &[NewRow { alert, integration, job, gates, severity, delivery_id: None }]).await?;
    }
    let text = "DELETE FROM news WHERE job = $1";
    sqlx::query(text).bind(&save.job.id).execute(&mut *work.connection).await?;
    Ok(())
}

/// Holds on to these claims, each a job with its epoch. What somebody else has taken on stays theirs.
///
/// # Errors
/// The database's.
pub async fn renew(work: &mut Work<'_>, held: &[(String, i64)], lease_ms: i64) -> Result<(), StoreError> {
    let text = "UPDATE jobs SET lease_until = $3 WHERE id = $1 AND epoch = $2 AND lease_until IS NOT NULL";
    for (job_id, epoch) in held {
        let query = sqlx::query(text).bind(job_id).bind(epoch).bind(work.now + lease_ms);
        query.execute(&mut *work.connection).await?;
    }
    Ok(())
}

/// How many jobs go on, by integration.
///
/// # Errors
/// The database's.
pub async fn active(work: &mut Work<'_>) -> Result<Vec<(String, i64)>, StoreError> {
    let text =
        "SELECT integration, COUNT(*) FROM jobs WHERE settled_at IS NULL GROUP BY integration ORDER BY integration";
    let rows = sqlx::query(text).fetch_all(&mut *work.connection).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Gives everything back that `owner` holds.
///
/// # Errors
/// The database's.
pub async fn release(work: &mut Work<'_>, owner: &str) -> Result<(), StoreError> {
    let text = "UPDATE jobs SET lease_until = NULL WHERE owner = $1 AND settled_at IS NULL";
    sqlx::query(text).bind(owner).execute(&mut *work.connection).await?;
    Ok(())
}

/// A number for a statement that makes one of it again: sqlx gives PostgreSQL another type where there is none.
pub(super) fn as_text(number: f64) -> String {
    number.to_string()
}

pub(super) fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError(format!("the store holds what cannot be read: {error}")))
}
