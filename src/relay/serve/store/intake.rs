//! A delivery comes in: is it one that is known, what becomes of each of its alerts, and which jobs follow? Everything that
//! it changes is in the caller's transaction.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Row as _};

use super::admission::note_firing;
use super::database::Work;
use super::decisions::forget;
use super::{StoreError, siblings};
use crate::relay::alert::Severity;
use crate::relay::job::Job;
use crate::relay::serve::duplicate::{Earlier, Fate, Received, duplicate};
use crate::relay::serve::gates::Gates;

/// So many news wait for one job at most; then the newest takes the place of the one before it.
const MOST_NEWS: i64 = 100;

/// A delivery that is to be kept.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    pub id: String,
    pub route: String,
    /// The sender's own identifier of it; `None` where there is none.
    pub sender_id: Option<String>,
    pub body_hash: [u8; 32],
    pub body: Vec<u8>,
    pub verdict: Verdict,
    /// How long its identifier is unique.
    pub retention: Duration,
    /// Its alerts. One that has none is kept all the same.
    pub entries: Vec<Entry>,
}

/// What a delivery was taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Alerts,
    /// Recognized, and no alert: a ping, a push.
    NoAlert(String),
    /// Authentic, and of no known shape.
    Unrecognized(String),
}

/// One alert of a delivery.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Tells the alert apart, in every integration and namespace.
    pub tag: String,
    /// As it may be shown.
    pub dedupe_key: String,
    pub title: String,
    /// When what it tells of happened, by the sender's clock, in Unix milliseconds.
    pub occurred_at: Option<i64>,
    /// Whether the sender says so. Else it is when the alert began or ended: one that fires may have been told of later.
    pub is_told_at: bool,
    pub state: EntryState,
    /// The tags that the alert has by other rules: one of them that has an active job takes this one's place.
    pub siblings: Vec<String>,
}

/// Whether it is on.
#[derive(Debug, Clone)]
pub enum EntryState {
    /// With the job that is made if none is active.
    Firing(Box<NewJob>),
    Resolved,
    /// Resolved, and nothing where the alert is not known.
    ResolvedIfKnown,
    /// In between, in a word that may be shown.
    Other(String),
    /// Whatever its state is, nothing is done about it, for this reason.
    Unwanted(String),
}

/// A job that may be made.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub integration: String,
    pub job: Job,
    /// What is asked of it before it starts.
    pub gates: Gates,
    /// How bad it is; `None` where its sender does not say.
    pub severity: Option<Severity>,
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub delivery_id: String,
    pub is_duplicate: bool,
    /// One for each alert, in the delivery's order; none for a duplicate.
    pub taken: Vec<Taken>,
}

/// What became of one alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It has a job now.
    Started { job_id: String },
    /// Its job was told.
    Joined { job_id: String },
    /// Nothing is done, for this reason.
    Suppressed { dedupe_key: String, reason: String },
    /// It is not known, and nobody is told of that.
    Nothing,
}

/// The alert as it is known.
struct Known {
    last_delivery: String,
    last_route: String,
    last_hash: [u8; 32],
    last_at: i64,
    occurred_at: Option<i64>,
    state: String,
    /// Its last job: identifier, whether it is active, and its status.
    job: Option<(String, bool, Option<String>)>,
}

/// Keeps a delivery and what follows from it.
///
/// # Errors
/// The database's.
pub async fn accept(work: &mut Work<'_>, delivery: &NewDelivery) -> Result<Receipt, StoreError> {
    let led = siblings::led(work, delivery).await?;
    let delivery = led.as_ref().unwrap_or(delivery);
    let mut known = Vec::new();
    for entry in &delivery.entries {
        known.push(look_up(work, &entry.tag).await?);
    }
    let same_id = match &delivery.sender_id {
        Some(sender_id) => with_sender_id(work, &delivery.route, sender_id).await?,
        None => None,
    };
    let is_duplicate = is_duplicate(work.now, delivery, same_id, &known);
    if let Some(sender_id) = delivery.sender_id.as_ref().filter(|_| same_id.is_some() && !is_duplicate) {
        forget_sender_id(work, &delivery.route, sender_id).await?;
    }
    insert(work, delivery, is_duplicate).await?;
    let mut taken = Vec::new();
    if !is_duplicate {
        for (entry, known) in delivery.entries.iter().zip(known) {
            // Two parts of one delivery may be one alert.
            let known = if taken.is_empty() { known } else { look_up(work, &entry.tag).await? };
            taken.push(take(work, delivery, entry, known).await?);
        }
    }
    Ok(Receipt { delivery_id: delivery.id.clone(), is_duplicate, taken })
}

/// Deliveries that are kept for whoever looks into what goes on: those that an active job was made of, or heard of last.
const IN_USE: &str = "SELECT delivery FROM jobs WHERE settled_at IS NULL AND delivery IS NOT NULL \
    UNION SELECT a.last_delivery FROM alerts a JOIN jobs j ON j.alert = a.tag WHERE j.settled_at IS NULL";

/// Forgets deliveries that came longer ago, and of the others the oldest bodies until those that are left have no more than
/// `most_bytes` together. Answers with how many bodies that were.
///
/// # Errors
/// The database's.
pub async fn prune(work: &mut Work<'_>, older_than_ms: i64, most_bytes: i64) -> Result<u64, StoreError> {
    let before = work.now.saturating_sub(older_than_ms);
    forget(work, before).await?;
    sqlx::query("DELETE FROM deliveries WHERE received_at < $1").bind(before).execute(&mut *work.connection).await?;
    let text = format!(
        "UPDATE deliveries SET body = NULL WHERE id IN (SELECT id FROM (SELECT id, CAST(SUM(LENGTH(body)) OVER \
        (ORDER BY received_at DESC, id DESC) AS BIGINT) AS bytes FROM deliveries WHERE body IS NOT NULL) newest \
        WHERE bytes > $1) AND id NOT IN ({IN_USE})"
    );
    let cut = sqlx::query(AssertSqlSafe(text)).bind(most_bytes).execute(&mut *work.connection).await?;
    Ok(cut.rows_affected())
}

/// Whether it has come before. Of the deliveries of each alert only the last one that was none matters: if that is another
/// one, it came in between. So the list is as long as the delivery, however many came before.
fn is_duplicate(now: i64, delivery: &NewDelivery, same_id: Option<([u8; 32], i64)>, known: &[Option<Known>]) -> bool {
    let alerts: Vec<String> = delivery.entries.iter().map(|entry| entry.tag.clone()).collect();
    let received =
        |delivery_id, body_hash, received_at, alerts| Received { delivery_id, body_hash, received_at, alerts };
    let mut earlier: Vec<Earlier> = Vec::new();
    if let Some((body_hash, received_at)) = same_id {
        let received = received(delivery.sender_id.as_deref(), body_hash, received_at, &[][..]);
        earlier.push(Earlier { id: 0, is_of_route: true, received, fate: Fate::Kept });
    }
    let mut ids: Vec<&str> = Vec::new();
    for (known, alert) in known.iter().zip(&alerts).filter_map(|(known, alert)| Some((known.as_ref()?, alert))) {
        let place = ids.iter().position(|id| *id == known.last_delivery).unwrap_or(ids.len());
        ids.extend((place == ids.len()).then_some(known.last_delivery.as_str()));
        let has_come_to_nothing = known.job.as_ref().is_some_and(|(_, is_active, status)| {
            !is_active && matches!(status.as_deref(), Some("dropped" | "failed"))
        });
        let fate = if has_come_to_nothing { Fate::Lost } else { Fate::Kept };
        let id = i64::try_from(place + 1).unwrap_or(i64::MAX);
        match earlier.iter_mut().find(|earlier| earlier.id == id) {
            Some(earlier) => earlier.fate = earlier.fate.max(fate),
            None => earlier.push(Earlier {
                id,
                is_of_route: known.last_route == delivery.route,
                received: received(None, known.last_hash, known.last_at, std::slice::from_ref(alert)),
                fate,
            }),
        }
    }
    let asked = received(delivery.sender_id.as_deref(), delivery.body_hash, now, &alerts[..]);
    duplicate(&asked, &earlier, delivery.retention).is_some()
}

async fn take(
    work: &mut Work<'_>,
    delivery: &NewDelivery,
    entry: &Entry,
    known: Option<Known>,
) -> Result<Taken, StoreError> {
    let suppressed = |reason: String| Taken::Suppressed { dedupe_key: entry.dedupe_key.clone(), reason };
    let job = known.as_ref().and_then(|known| known.job.clone());
    let active = job.filter(|(_, is_active, _)| *is_active).map(|(id, ..)| id);
    let newest = known.as_ref().and_then(|known| known.occurred_at);
    let is_late = occurred_at(work, entry).zip(newest).is_some_and(|(this, newest)| this < newest);
    let was_firing = known.as_ref().is_some_and(|known| known.state == "firing");
    match &entry.state {
        EntryState::ResolvedIfKnown if known.is_none() => Ok(Taken::Nothing),
        EntryState::Firing(_) if is_late && entry.is_told_at && !was_firing => {
            touch(work, delivery, entry).await?;
            Ok(suppressed("fired, but before it was resolved last".to_string()))
        }
        EntryState::Firing(new) => {
            remember(work, delivery, entry, "firing").await?;
            note_firing(work, &entry.tag, &new.gates).await?;
            if let Some(job_id) = active {
                tell(work, &job_id, Some(&new.job)).await?;
                return Ok(Taken::Joined { job_id });
            }
            let severity = new.severity.map(Severity::name);
            start(work, &entry.tag, &new.integration, &new.job, (&new.gates, severity), Some(&delivery.id)).await?;
            Ok(Taken::Started { job_id: new.job.id.clone() })
        }
        EntryState::Resolved | EntryState::ResolvedIfKnown if is_late && was_firing => {
            touch(work, delivery, entry).await?;
            Ok(suppressed("resolved, but before it fired last".to_string()))
        }
        EntryState::Resolved | EntryState::ResolvedIfKnown => {
            remember(work, delivery, entry, "resolved").await?;
            match active {
                Some(job_id) => {
                    tell(work, &job_id, None).await?;
                    Ok(Taken::Joined { job_id })
                }
                None => Ok(suppressed("resolved".to_string())),
            }
        }
        EntryState::Other(word) => {
            touch(work, delivery, entry).await?;
            Ok(suppressed(format!("the alert is {word}, which starts nothing")))
        }
        EntryState::Unwanted(reason) => Ok(suppressed(reason.clone())),
    }
}

/// When it happened: no later than now, so that no time in the future makes everything after it late.
fn occurred_at(work: &Work<'_>, entry: &Entry) -> Option<i64> {
    entry.occurred_at.map(|moment| moment.min(work.now))
}

async fn look_up(work: &mut Work<'_>, tag: &str) -> Result<Option<Known>, StoreError> {
    let text = "SELECT a.last_hash, a.last_at, a.occurred_at, a.state, j.id, j.settled_at, j.status, a.last_delivery, a.last_route \
        FROM alerts a LEFT JOIN jobs j ON j.id = (SELECT l.id FROM jobs l WHERE l.alert = a.tag \
        ORDER BY l.created_at DESC, l.settled_at IS NULL DESC LIMIT 1) WHERE a.tag = $1";
    let Some(row) = sqlx::query(text).bind(tag).fetch_optional(&mut *work.connection).await? else { return Ok(None) };
    let job: Option<String> = row.try_get(4)?;
    let (settled_at, status): (Option<i64>, Option<String>) = (row.try_get(5)?, row.try_get(6)?);
    Ok(Some(Known {
        last_delivery: row.try_get(7)?,
        last_route: row.try_get(8)?,
        last_hash: hash(row.try_get(0)?)?,
        last_at: row.try_get(1)?,
        occurred_at: row.try_get(2)?,
        state: row.try_get(3)?,
        job: job.map(|id| (id, settled_at.is_none(), status)),
    }))
}

/// The delivery that has this identifier on this route: its body's hash, and when it came.
async fn with_sender_id(
    work: &mut Work<'_>,
    route: &str,
    sender_id: &str,
) -> Result<Option<([u8; 32], i64)>, StoreError> {
    let text = "SELECT body_hash, received_at FROM deliveries WHERE route = $1 AND sender_id = $2";
    let row = sqlx::query(text).bind(route).bind(sender_id).fetch_optional(&mut *work.connection).await?;
    row.map(|row| Ok((hash(row.try_get(0)?)?, row.try_get(1)?))).transpose()
}

/// Gives an identifier free that an older delivery has had for long enough, though that one is still kept.
async fn forget_sender_id(work: &mut Work<'_>, route: &str, sender_id: &str) -> Result<(), StoreError> {
    let text = "UPDATE deliveries SET sender_id = NULL WHERE route = $1 AND sender_id = $2";
    sqlx::query(text).bind(route).bind(sender_id).execute(&mut *work.connection).await?;
    Ok(())
}

fn hash(bytes: Vec<u8>) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| StoreError("the store holds a hash of another length".to_string()))
}

/// Of a duplicate, the body is there already.
async fn insert(work: &mut Work<'_>, delivery: &NewDelivery, is_duplicate: bool) -> Result<(), StoreError> {
    let (verdict, reason) = match &delivery.verdict {
        _ if is_duplicate => ("duplicate", delivery.sender_id.clone()),
        Verdict::Alerts => ("alerts", None),
        Verdict::NoAlert(reason) => ("no_alert", Some(reason.clone())),
        Verdict::Unrecognized(reason) => ("unrecognized", Some(reason.clone())),
    };
    // One that was not recognized started nothing, so that it may be sent again once the rules are right.
    let is_unrecognized = matches!(delivery.verdict, Verdict::Unrecognized(_));
    let text = "INSERT INTO deliveries (id, route, sender_id, body_hash, body, received_at, verdict, reason) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    sqlx::query(text)
        .bind(&delivery.id)
        .bind(&delivery.route)
        .bind(delivery.sender_id.as_ref().filter(|_| !is_duplicate && !is_unrecognized))
        .bind(delivery.body_hash.to_vec())
        .bind((!is_duplicate).then_some(&delivery.body))
        .bind(work.now)
        .bind(verdict)
        .bind(reason)
        .execute(&mut *work.connection)
        .await?;
    Ok(())
}

async fn remember(work: &mut Work<'_>, delivery: &NewDelivery, entry: &Entry, state: &str) -> Result<(), StoreError> {
    let text = "INSERT INTO alerts (tag, dedupe_key, route, title, state, first_at, last_at, occurred_at, last_delivery, last_hash, last_route) \
        VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9, $3) \
        ON CONFLICT (tag) DO UPDATE SET title = EXCLUDED.title, state = EXCLUDED.state, last_at = EXCLUDED.last_at, \
        occurred_at = CASE WHEN EXCLUDED.occurred_at < alerts.occurred_at THEN alerts.occurred_at \
        ELSE COALESCE(EXCLUDED.occurred_at, alerts.occurred_at) END, last_delivery = EXCLUDED.last_delivery, \
        last_hash = EXCLUDED.last_hash, last_route = EXCLUDED.last_route";
    sqlx::query(text)
        .bind(&entry.tag)
        .bind(&entry.dedupe_key)
        .bind(&delivery.route)
        .bind(&entry.title)
        .bind(state)
        .bind(work.now)
        .bind(occurred_at(work, entry))
        .bind(&delivery.id)
        .bind(delivery.body_hash.to_vec())
        .execute(&mut *work.connection)
        .await?;
    Ok(())
}

/// Keeps that the alert, if it is known, was told of once more.
async fn touch(work: &mut Work<'_>, delivery: &NewDelivery, entry: &Entry) -> Result<(), StoreError> {
    let text = "UPDATE alerts SET last_at = $2, last_delivery = $3, last_hash = $4, last_route = $5 WHERE tag = $1";
    sqlx::query(text)
        .bind(&entry.tag)
        .bind(work.now)
        .bind(&delivery.id)
        .bind(delivery.body_hash.to_vec())
        .bind(&delivery.route)
        .execute(&mut *work.connection)
        .await?;
    Ok(())
}

/// Makes a job of an alert; `None` where the delivery that told of it is not known any more.
///
/// # Errors
/// The database's.
pub async fn start(
    work: &mut Work<'_>,
    tag: &str,
    integration: &str,
    new: &Job,
    (gates, severity): (&Gates, Option<&str>),
    delivery_id: Option<&str>,
) -> Result<(), StoreError> {
    let job = serde_json::to_string(new).map_err(|error| StoreError(error.to_string()))?;
    let gates_json = serde_json::to_string(gates).map_err(|error| StoreError(error.to_string()))?;
    let text = "INSERT INTO jobs (id, alert, integration, phase, job, created_at, due_at, epoch, delivery, rule, gates, severity) \
        VALUES ($1, $2, $3, $4, $5, $6, $6, 0, $7, $8, $9, $10)";
    sqlx::query(text)
        .bind(&new.id)
        .bind(tag)
        .bind(integration)
        .bind(new.phase.name())
        .bind(job)
        .bind(work.now)
        .bind(delivery_id)
        .bind(&gates.rule)
        .bind(gates_json)
        .bind(severity)
        .execute(&mut *work.connection)
        .await?;
    Ok(())
}

/// Leaves news for a job: what fires now, as the job that it would be, or with `None` that it is over. The job is due at
/// once. If it ends before it hears of it, what fires becomes the next job.
async fn tell(work: &mut Work<'_>, job_id: &str, follow_up: Option<&Job>) -> Result<(), StoreError> {
    let counted = "SELECT COUNT(n.seq), COALESCE(MAX(n.seq), 0), MAX(j.heard) FROM jobs j LEFT JOIN news n ON n.job = j.id \
        WHERE j.id = $1";
    let row = sqlx::query(counted).bind(job_id).fetch_one(&mut *work.connection).await?;
    let (count, last, heard): (i64, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    // A number is given once, or news would be taken for some that were heard.
    let last = last.max(heard);
    if count >= MOST_NEWS {
        let text = "DELETE FROM news WHERE job = $1 AND seq = $2";
        sqlx::query(text).bind(job_id).bind(last).execute(&mut *work.connection).await?;
    }
    let body = follow_up.map(serde_json::to_string).transpose().map_err(|error| StoreError(error.to_string()))?;
    let text = "INSERT INTO news (job, seq, follow_up) VALUES ($1, $2, $3)";
    sqlx::query(text).bind(job_id).bind(last + 1).bind(body).execute(&mut *work.connection).await?;
    let text = "UPDATE jobs SET due_at = $2 WHERE id = $1 AND due_at > $2";
    sqlx::query(text).bind(job_id).bind(work.now).execute(&mut *work.connection).await?;
    Ok(())
}
