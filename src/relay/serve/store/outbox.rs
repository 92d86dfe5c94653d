//! What is to be told to people: a row for each message and target, written in the transaction of what it tells of, so that
//! none is lost, and under an identifier that follows from it, so that none is there twice.

use std::time::Duration;

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::queue::read;
use super::trouble::StoreError;
use super::view::{After, Conditions};
use super::work::Dialect;
use super::work::Work;
use super::{Answered, Order, Reply, Store, millis};
use crate::relay::serve::gates::Gates;
use crate::relay::serve::notify::{Happened, Notice};
use redact::redact;

/// A message that is to be sent now.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    pub notice: Notice,
    /// Which try this is, from 1.
    pub attempt: i64,
    /// For how long it has been tried, in milliseconds.
    pub tried_for: i64,
    /// What the target calls the message that an earlier notice of the same job became; `None` where there is none.
    pub reference: Option<String>,
}

/// Those that are due, and when the next one is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outstanding {
    pub outgoing: Vec<Outgoing>,
    /// In milliseconds; `None` where none waits.
    pub next_in: Option<i64>,
}

/// What has become of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    Sent {
        /// What the target calls the message, where later ones can change it.
        reference: Option<String>,
    },
    /// It is tried again after so long.
    Later { wait: Duration, reason: String },
    /// It is given up, until somebody has it sent again.
    Dead { reason: String },
    /// This target has no place for it.
    Skipped { reason: String },
}

/// A message, as people and programs are shown it. Moments are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NoticeView {
    pub id: String,
    pub at: i64,
    pub event: String,
    pub target: String,
    /// The alert's tag.
    pub alert: String,
    pub job_id: String,
    pub title: String,
    /// `waiting`, `sent`, `dead` or `skipped`.
    pub state: String,
    pub attempts: i64,
    /// When it was sent or given up; `None` while it waits.
    pub settled_at: Option<i64>,
    /// When it is tried next, while it waits.
    pub due_at: Option<i64>,
    /// Why the last try failed; `None` where none did.
    pub reason: Option<String>,
}

/// Which messages are asked for: those that all of this holds for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoticeFilter {
    pub state: Option<String>,
    pub target: Option<String>,
    pub alert: Option<String>,
    pub job_id: Option<String>,
}

/// What is asked of the outbox.
pub enum Wish {
    Claim { target: String, lease_ms: i64, most: i64 },
    Settle { id: String, attempt: i64, settled: Settled },
    Resend { id: String },
    List { filter: NoticeFilter, most: i64, after: Option<After> },
}

/// What it answers.
pub enum Answer {
    Outstanding(Outstanding),
    Answered(Answered),
    Views(Vec<NoticeView>),
    Done,
}

impl Wish {
    pub(super) fn is_change(&self) -> bool {
        matches!(self, Wish::Settle { .. } | Wish::Resend { .. })
    }
}

impl Store {
    /// Takes messages to a target that are due, `most` at most and of each alert the oldest, for the time of `lease`.
    ///
    /// # Errors
    /// The database's.
    pub async fn claim_notices(&self, target: &str, lease: Duration, most: usize) -> Result<Outstanding, StoreError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        match self.outbox(Wish::Claim { target: target.to_string(), lease_ms: millis(lease), most }).await? {
            Answer::Outstanding(outstanding) => Ok(outstanding),
            _ => Err(StoreError::mixed_up()),
        }
    }

    /// Keeps what has become of a try.
    ///
    /// # Errors
    /// The database's.
    pub async fn settle_notice(&self, id: &str, attempt: i64, settled: Settled) -> Result<(), StoreError> {
        self.outbox(Wish::Settle { id: id.to_string(), attempt, settled }).await.map(drop)
    }

    /// Has a message sent that was given up.
    ///
    /// # Errors
    /// The database's.
    pub async fn resend(&self, id: &str) -> Result<Answered, StoreError> {
        match self.outbox(Wish::Resend { id: id.to_string() }).await? {
            Answer::Answered(answered) => Ok(answered),
            _ => Err(StoreError::mixed_up()),
        }
    }

    /// Messages, the newest first; those that follow `after`, if it is given.
    ///
    /// # Errors
    /// The database's.
    pub async fn notices(
        &self,
        filter: NoticeFilter,
        most: usize,
        after: Option<After>,
    ) -> Result<Vec<NoticeView>, StoreError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        match self.outbox(Wish::List { filter, most, after }).await? {
            Answer::Views(views) => Ok(views),
            _ => Err(StoreError::mixed_up()),
        }
    }

    async fn outbox(&self, wish: Wish) -> Result<Answer, StoreError> {
        match self.ask(Order::Outbox(Box::new(wish))).await? {
            Reply::Outbox(answer) => Ok(answer),
            _ => Err(StoreError::mixed_up()),
        }
    }
}

/// Does what is asked of the outbox.
///
/// # Errors
/// The database's.
pub async fn fulfill(work: &mut Work<'_>, wish: &Wish) -> Result<Answer, StoreError> {
    Ok(match wish {
        Wish::Claim { target, lease_ms, most } => Answer::Outstanding(claim(work, target, *lease_ms, *most).await?),
        Wish::Settle { id, attempt, settled } => {
            settle(work, id, *attempt, settled).await?;
            Answer::Done
        }
        Wish::Resend { id } => Answer::Answered(resend(work, id).await?),
        Wish::List { filter, most, after } => Answer::Views(list(work, filter, *most, after.as_ref()).await?),
    })
}

/// Keeps what is to be told of a job, to those who want to hear of it. What is there already stays as it is.
///
/// # Errors
/// The database's.
pub async fn put(work: &mut Work<'_>, job_id: &str, happened: &[Happened]) -> Result<(), StoreError> {
    if happened.is_empty() {
        return Ok(());
    }
    let text = "SELECT j.alert, j.integration, j.rule, j.gates, j.severity, j.session_id, j.session_url, j.pr_url, j.reason, \
        COALESCE(a.dedupe_key, j.alert), COALESCE(a.title, '') FROM jobs j LEFT JOIN alerts a ON a.tag = j.alert WHERE j.id = $1";
    let Some(row) = sqlx::query(text).bind(job_id).fetch_optional(&mut *work.connection).await? else { return Ok(()) };
    let gates: Option<String> = row.try_get(3)?;
    // Gates of another version, which cannot be read, are the engine's to tell of.
    let Some(gates) = gates.and_then(|gates| read::<Gates>(&gates).ok()) else { return Ok(()) };
    for one in happened {
        for wanted in gates.notify.iter().filter(|wanted| wanted.on.contains(&one.event)) {
            let notice = Notice {
                id: identifier(job_id, one, &wanted.target),
                event: one.event,
                at: work.now,
                alert: row.try_get(0)?,
                dedupe_key: row.try_get(9)?,
                title: row.try_get(10)?,
                severity: row.try_get(4)?,
                rule: row.try_get(2)?,
                integration: row.try_get(1)?,
                job_id: job_id.to_string(),
                session_id: row.try_get(5)?,
                session_url: row.try_get(6)?,
                pr_url: row.try_get(7)?,
                reason: one.reason.clone().or(row.try_get(8)?).map(|reason| redact(&reason).into_owned()),
                is_test: false,
            };
            insert(work, &wanted.target, &notice).await?;
        }
    }
    Ok(())
}

async fn insert(work: &mut Work<'_>, target: &str, notice: &Notice) -> Result<(), StoreError> {
    let text = "INSERT INTO outbox (id, target, alert, job, seq, at, event, notice, state, since, due_at, attempts) \
        VALUES ($1, $2, $3, $4, (SELECT COALESCE(MAX(seq), 0) + 1 FROM outbox WHERE alert = $3 AND target = $2), \
        $5, $6, $7, 'waiting', $5, $5, 0) ON CONFLICT (id) DO NOTHING";
    sqlx::query(text)
        .bind(&notice.id)
        .bind(target)
        .bind(&notice.alert)
        .bind(&notice.job_id)
        .bind(work.now)
        .bind(notice.event.name())
        .bind(serde_json::to_string(notice)?)
        .execute(&mut *work.connection)
        .await?;
    Ok(())
}

/// What follows from what is told and to whom, so that it is the same whoever comes to tell it again.
fn identifier(job_id: &str, happened: &Happened, target: &str) -> String {
    let parts = [job_id, happened.event.name(), &happened.mark, target].join("\n");
    let digest = Sha256::digest(parts.as_bytes());
    format!("notice-{}", digest[..12].iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

async fn claim(work: &mut Work<'_>, target: &str, lease_ms: i64, most: i64) -> Result<Outstanding, StoreError> {
    let skip = match work.dialect {
        Dialect::Sqlite => "",
        Dialect::Postgres => "FOR UPDATE OF o SKIP LOCKED",
    };
    // Of each alert only the first that waits: while it does, those after it do.
    let text = format!(
        "UPDATE outbox SET lease_until = $2, attempts = attempts + 1 WHERE id IN (\
        SELECT o.id FROM outbox o WHERE o.target = $1 AND o.state = 'waiting' AND o.due_at <= $3 \
        AND (o.lease_until IS NULL OR o.lease_until < $3) AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.target = o.target \
        AND e.alert = o.alert AND e.state = 'waiting' AND (e.seq < o.seq OR e.seq = o.seq AND e.id < o.id)) \
        ORDER BY o.due_at, o.id LIMIT $4 {skip}) RETURNING notice, attempts, since, id, \
        (SELECT t.reference FROM outbox_threads t WHERE t.target = outbox.target AND t.job = outbox.job)"
    );
    let query = sqlx::query(AssertSqlSafe(text)).bind(target).bind(work.now + lease_ms).bind(work.now).bind(most);
    let mut outgoing = Vec::new();
    for row in query.fetch_all(&mut *work.connection).await? {
        let notice = match read::<Notice>(&row.try_get::<String, _>(0)?) {
            Ok(notice) => notice,
            Err(error) => {
                // It must not keep those after it waiting.
                let id: String = row.try_get(3)?;
                settle(work, &id, row.try_get(1)?, &Settled::Dead { reason: error.to_string() }).await?;
                continue;
            }
        };
        let since: i64 = row.try_get(2)?;
        outgoing.push(Outgoing {
            notice,
            attempt: row.try_get(1)?,
            tried_for: work.now - since,
            reference: row.try_get(4)?,
        });
    }
    // A statement that changes rows gives them back in any order.
    outgoing.sort_by(|one: &Outgoing, other| (one.notice.at, &one.notice.id).cmp(&(other.notice.at, &other.notice.id)));
    let text = "SELECT MIN(due_at) FROM outbox WHERE target = $1 AND state = 'waiting' AND lease_until IS NULL";
    let next: Option<i64> = sqlx::query(text).bind(target).fetch_one(&mut *work.connection).await?.try_get(0)?;
    Ok(Outstanding { outgoing, next_in: next.map(|next| next - work.now) })
}

async fn settle(work: &mut Work<'_>, id: &str, attempt: i64, settled: &Settled) -> Result<(), StoreError> {
    if let Settled::Sent { reference: Some(reference) } = settled {
        let text = "INSERT INTO outbox_threads (target, job, reference, at) SELECT target, job, $2, $3 FROM outbox WHERE id = $1 \
            ON CONFLICT (target, job) DO UPDATE SET reference = EXCLUDED.reference, at = EXCLUDED.at";
        sqlx::query(text).bind(id).bind(reference).bind(work.now).execute(&mut *work.connection).await?;
    }
    let (state, reason, wait) = match settled {
        Settled::Sent { .. } => ("sent", None, None),
        Settled::Later { wait, reason } => ("waiting", Some(reason), Some(millis(*wait))),
        Settled::Dead { reason } => ("dead", Some(reason), None),
        Settled::Skipped { reason } => ("skipped", Some(reason), None),
    };
    // That it was sent is so whoever has taken it on since; else the last who has decides.
    let text = "UPDATE outbox SET state = $3, reason = $4, lease_until = NULL, due_at = COALESCE($5, due_at), \
        settled_at = CASE WHEN $3 = 'waiting' THEN NULL ELSE $6 END \
        WHERE id = $1 AND state = 'waiting' AND (attempts = $2 OR $3 = 'sent')";
    sqlx::query(text)
        .bind(id)
        .bind(attempt)
        .bind(state)
        .bind(reason)
        .bind(wait.map(|wait| work.now + wait))
        .bind(work.now)
        .execute(&mut *work.connection)
        .await?;
    Ok(())
}

async fn resend(work: &mut Work<'_>, id: &str) -> Result<Answered, StoreError> {
    let row = sqlx::query("SELECT state, job FROM outbox WHERE id = $1").bind(id);
    let Some(row) = row.fetch_optional(&mut *work.connection).await? else { return Ok(Answered::NotFound) };
    let state: String = row.try_get(0)?;
    if state != "dead" {
        let reason = format!("the notification is {state}, and only one that was given up can be sent again");
        return Ok(Answered::Refused { reason });
    }
    let text =
        "UPDATE outbox SET state = 'waiting', attempts = 0, since = $2, due_at = $2, settled_at = NULL WHERE id = $1";
    sqlx::query(text).bind(id).bind(work.now).execute(&mut *work.connection).await?;
    Ok(Answered::Done { job_id: Some(row.try_get(1)?) })
}

/// Messages, the newest first.
///
/// # Errors
/// The database's.
pub async fn list(
    work: &mut Work<'_>,
    filter: &NoticeFilter,
    most: i64,
    after: Option<&After>,
) -> Result<Vec<NoticeView>, StoreError> {
    let mut conditions = Conditions::default();
    conditions.maybe("state = ?", filter.state.as_ref());
    conditions.maybe("target = ?", filter.target.as_ref());
    conditions.maybe("alert = ?", filter.alert.as_ref());
    conditions.maybe("job = ?", filter.job_id.as_ref());
    conditions.follow(("at", "id"), after);
    let select =
        "SELECT id, at, event, target, alert, job, notice, state, attempts, settled_at, due_at, reason FROM outbox";
    conditions.rows(work, select, "at DESC, id", most).await?.iter().map(view).collect()
}

fn view(row: &AnyRow) -> Result<NoticeView, StoreError> {
    let state: String = row.try_get(7)?;
    let title = read::<Notice>(&row.try_get::<String, _>(6)?).map(|notice| notice.title).unwrap_or_default();
    let due_at: i64 = row.try_get(10)?;
    Ok(NoticeView {
        id: row.try_get(0)?,
        at: row.try_get(1)?,
        event: row.try_get(2)?,
        target: row.try_get(3)?,
        alert: row.try_get(4)?,
        job_id: row.try_get(5)?,
        title,
        due_at: (state == "waiting").then_some(due_at),
        state,
        attempts: row.try_get(8)?,
        settled_at: row.try_get(9)?,
        reason: row.try_get(11)?,
    })
}
