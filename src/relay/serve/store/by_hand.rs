//! What a person asks for while the bridge runs: another attempt at an alert, the end of a session, or that a key starts nothing
//! for a time. Each that is done leaves a row among the decisions, with who asked.

mod possible;

use sqlx::Row as _;

use super::decisions::{Record, record};
use super::intake::{NewRow, start};
use super::queue::read;
use super::suppressions::{self, moment};
use super::trouble::StoreError;
use super::work::Dialect;
use super::work::Work;
use super::{Order, Reply, Store};
use crate::relay::draw::drawn;
use crate::relay::serve::gates::Gates;
use possible::{Last, objection_to_end};
pub use possible::{Possible, is_retryable, possible};

/// What became of what a person asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    Done {
        /// The job that it was done with; `None` where it is about a key.
        job_id: Option<String>,
    },
    /// There is no such job, alert or suppression.
    NotFound,
    /// It cannot be done, for this reason; nothing has changed.
    Refused { reason: String },
}

/// What a person asks for. What has to be drawn is drawn already.
#[derive(Debug, Clone)]
pub enum Wish {
    Retry { job_id: String, drawn: Drawn },
    StartAgain { alert: String, drawn: Drawn },
    EndSession { job_id: String },
    Suppress { dedupe_key: String, until: i64, row: String },
    Unsuppress { dedupe_key: String, row: String },
}

/// What tells a new job and its attempt from all others.
#[derive(Debug, Clone)]
pub struct Drawn {
    pub job_id: String,
    attempt: String,
}

impl Store {
    /// Makes a new attempt at the alert of a job that came to nothing for want of quota, or because its session could not be
    /// created. It passes the cool-down and the wait for the quota, and no other gate.
    ///
    /// # Errors
    /// The database's.
    pub async fn retry(&self, job_id: &str, by: &str) -> Result<Answered, StoreError> {
        self.wish(Wish::Retry { job_id: job_id.to_string(), drawn: Drawn::new() }, by).await
    }

    /// Makes a new attempt at an alert, given by its tag, whose last job has ended, however it did. It passes the cool-down and the
    /// wait for the quota, and no other gate.
    ///
    /// # Errors
    /// The database's.
    pub async fn start_again(&self, alert: &str, by: &str) -> Result<Answered, StoreError> {
        self.wish(Wish::StartAgain { alert: alert.to_string(), drawn: Drawn::new() }, by).await
    }

    /// Ends the session of a job that has created it and watches it. That takes a moment; what it has to show by then counts.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_session(&self, job_id: &str, by: &str) -> Result<Answered, StoreError> {
        self.wish(Wish::EndSession { job_id: job_id.to_string() }, by).await
    }

    /// Has alerts with this key, as it is shown, start nothing until then, in Unix milliseconds. A session that is at work goes on.
    ///
    /// # Errors
    /// The database's.
    pub async fn suppress(&self, dedupe_key: &str, until: i64, by: &str) -> Result<Answered, StoreError> {
        let row = format!("suppress-{}", drawn());
        self.wish(Wish::Suppress { dedupe_key: dedupe_key.to_string(), until, row }, by).await
    }

    /// Ends that. What was turned away in the meantime stays so.
    ///
    /// # Errors
    /// The database's.
    pub async fn unsuppress(&self, dedupe_key: &str, by: &str) -> Result<Answered, StoreError> {
        let row = format!("unsuppress-{}", drawn());
        self.wish(Wish::Unsuppress { dedupe_key: dedupe_key.to_string(), row }, by).await
    }

    async fn wish(&self, wish: Wish, by: &str) -> Result<Answered, StoreError> {
        match self.ask(Order::ByHand { wish, by: by.to_string() }).await? {
            Reply::ByHand(answered) => Ok(answered),
            _ => Err(StoreError::mixed_up()),
        }
    }
}

impl Drawn {
    /// Digits that nobody else draws.
    pub fn new() -> Drawn {
        Drawn { job_id: format!("job-{}", drawn()), attempt: drawn() }
    }
}

/// Does what a person asks for.
///
/// # Errors
/// The database's.
pub async fn fulfill(work: &mut Work<'_>, wish: &Wish, by: &str) -> Result<Answered, StoreError> {
    match wish {
        Wish::Retry { job_id, drawn } => retry(work, job_id, drawn, by).await,
        Wish::StartAgain { alert, drawn } => match Last::of(work, alert).await? {
            None => not_begun(work, alert).await,
            Some(last) => begin(work, &last, "start_again", drawn, by).await,
        },
        Wish::EndSession { job_id } => end_session(work, job_id, by).await,
        Wish::Suppress { until, .. } if *until <= work.now => {
            refused(format!("{} is over: name a later moment", moment(*until)))
        }
        Wish::Suppress { dedupe_key, until, row } => {
            suppressions::begin(work, dedupe_key, *until, by).await?;
            let reason = format!("{by} asked for nothing to be started until {}", moment(*until));
            note_key(work, (row, "suppress"), dedupe_key, &reason, Some(*until)).await
        }
        Wish::Unsuppress { dedupe_key, row } => {
            if !suppressions::end(work, dedupe_key).await? {
                return Ok(Answered::NotFound);
            }
            let reason = format!("{by} asked for alerts with this key to start sessions again");
            note_key(work, (row, "unsuppress"), dedupe_key, &reason, None).await
        }
    }
}

/// A new attempt, where one can help that is no other than the last.
async fn retry(work: &mut Work<'_>, job_id: &str, drawn: &Drawn, by: &str) -> Result<Answered, StoreError> {
    let row =
        sqlx::query("SELECT alert FROM jobs WHERE id = $1").bind(job_id).fetch_optional(&mut *work.connection).await?;
    let Some(row) = row else { return Ok(Answered::NotFound) };
    let Some(last) = Last::of(work, &row.try_get::<String, _>(0)?).await? else { return Ok(Answered::NotFound) };
    if last.id != job_id {
        return refused(format!("the alert has had a later job, {}: ask for that one", last.id));
    }
    if let Some(reason) = last.objection_to_retry() {
        return refused(reason);
    }
    begin(work, &last, "retry", drawn, by).await
}

/// Makes the new job, unless something speaks against it.
async fn begin(work: &mut Work<'_>, last: &Last, word: &str, drawn: &Drawn, by: &str) -> Result<Answered, StoreError> {
    let earlier = match last.startable(work).await? {
        Ok(earlier) => earlier,
        Err(reason) => return refused(reason),
    };
    // A session that may have been created without an answer is found by the tag of its attempt.
    let attempt = Some(drawn.attempt.clone()).filter(|_| last.end() != "create_unknown");
    let job = earlier.again(drawn.job_id.clone(), attempt);
    let gates = last.gates.as_deref().map_or_else(|| Ok(Gates::open(&last.rule)), read)?;
    let (alert, integration, severity) = (last.alert.as_str(), last.integration.as_str(), last.severity.as_deref());
    let new = NewRow { alert, integration, job: &job, gates: &gates, severity, delivery_id: last.delivery.as_deref() };
    start(work, &[new]).await?;
    // Whether it fires for long and often enough is no question any more.
    let text = "UPDATE jobs SET ready_at = $2, decisions = 1 WHERE id = $1";
    sqlx::query(text).bind(&job.id).bind(work.now).execute(&mut *work.connection).await?;
    let reason = format!("{by} asked for it after {}, which ended as {}", last.id, last.end());
    let record_of = Record {
        id: format!("{}.1", job.id),
        alert,
        dedupe_key: &last.dedupe_key,
        rule: &last.rule,
        integration,
        job: &job.id,
        decision: word,
        gate: None,
        reason: Some(&reason),
        until: None,
    };
    record(work, &record_of).await?;
    Ok(Answered::Done { job_id: Some(job.id) })
}

/// Tells a job that its session is to be ended.
async fn end_session(work: &mut Work<'_>, job_id: &str, by: &str) -> Result<Answered, StoreError> {
    if work.dialect == Dialect::Postgres {
        // Whoever works on it hears of this, or this hears that it has ended.
        sqlx::query("SELECT id FROM jobs WHERE id = $1 FOR UPDATE").bind(job_id).execute(&mut *work.connection).await?;
    }
    let text = "SELECT j.alert, COALESCE(a.dedupe_key, j.alert), j.integration, j.rule, j.job, j.decisions, j.heard, \
        (SELECT COALESCE(MAX(n.seq), 0) FROM news n WHERE n.job = j.id) FROM jobs j LEFT JOIN alerts a ON a.tag = j.alert \
        WHERE j.id = $1";
    let row = sqlx::query(text).bind(job_id).fetch_optional(&mut *work.connection).await?;
    let Some(row) = row else { return Ok(Answered::NotFound) };
    if let Some(reason) = objection_to_end(job_id, &row.try_get::<String, _>(4)?) {
        return refused(reason);
    }
    let (heard, last): (i64, i64) = (row.try_get(6)?, row.try_get(7)?);
    let text = "INSERT INTO news (job, seq, asked_by) VALUES ($1, $2, $3)";
    sqlx::query(text).bind(job_id).bind(heard.max(last) + 1).bind(by).execute(&mut *work.connection).await?;
    let text = "UPDATE jobs SET decisions = decisions + 1, due_at = CASE WHEN due_at > $2 THEN $2 ELSE due_at END WHERE id = $1";
    sqlx::query(text).bind(job_id).bind(work.now).execute(&mut *work.connection).await?;
    let reason = format!("{by} asked for its session to be ended");
    let record_of = Record {
        id: format!("{job_id}.{}", row.try_get::<i64, _>(5)? + 1),
        alert: &row.try_get::<String, _>(0)?,
        dedupe_key: &row.try_get::<String, _>(1)?,
        rule: &row.try_get::<String, _>(3)?,
        integration: &row.try_get::<String, _>(2)?,
        job: job_id,
        decision: "end",
        gate: None,
        reason: Some(&reason),
        until: None,
    };
    record(work, &record_of).await?;
    Ok(Answered::Done { job_id: Some(job_id.to_string()) })
}

/// An alert that never had a job, or no alert.
async fn not_begun(work: &mut Work<'_>, alert: &str) -> Result<Answered, StoreError> {
    let row =
        sqlx::query("SELECT tag FROM alerts WHERE tag = $1").bind(alert).fetch_optional(&mut *work.connection).await?;
    match row {
        None => Ok(Answered::NotFound),
        Some(_) => refused("the alert has never fired, so that there is nothing to start".to_string()),
    }
}

async fn note_key(
    work: &mut Work<'_>,
    (id, word): (&str, &str),
    dedupe_key: &str,
    reason: &str,
    until: Option<i64>,
) -> Result<Answered, StoreError> {
    let text = "SELECT tag FROM alerts WHERE dedupe_key = $1 ORDER BY last_at DESC LIMIT 1";
    let row = sqlx::query(text).bind(dedupe_key).fetch_optional(&mut *work.connection).await?;
    let alert: String = row.map(|row| row.try_get(0)).transpose()?.unwrap_or_default();
    let record_of = Record {
        id: id.to_string(),
        alert: &alert,
        dedupe_key,
        rule: "",
        integration: "",
        job: "",
        decision: word,
        gate: None,
        reason: Some(reason),
        until,
    };
    record(work, &record_of).await?;
    Ok(Answered::Done { job_id: None })
}

fn refused(reason: String) -> Result<Answered, StoreError> {
    Ok(Answered::Refused { reason })
}
