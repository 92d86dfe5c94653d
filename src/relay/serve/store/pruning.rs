//! What is old is forgotten, few rows at a time, so that no delivery waits for it: deliveries and what tells of the course of jobs after
//! one time, alerts and jobs that have ended after another. Nothing goes that an identifier, a window or a job still needs.

use std::time::Duration;

use sqlx::AssertSqlSafe;

use super::trouble::StoreError;
use super::work::Dialect;
use super::work::Work;
use super::{Order, Reply, Store, millis};

/// So many rows of a table are deleted in one transaction at most.
const TOGETHER: i64 = 500;

/// The longest time within which a rule may count how often an alert fires, in milliseconds.
const LONGEST_OCCURRENCES: i64 = 7 * 86_400_000;

/// How long what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Deliveries with their identifiers, decisions, timelines, notices and actions, as far as no active job needs them.
    pub deliveries: Duration,
    /// Alerts since they were heard of last, and jobs since they ended; no shorter than deliveries.
    pub alerts: Duration,
    /// The bodies of deliveries together.
    pub most_bytes: u64,
}

/// Up to which moments what is forgotten, in Unix milliseconds.
struct Before {
    deliveries: i64,
    alerts: i64,
    firings: i64,
}

impl Store {
    /// Forgets what is older, and of the rest the oldest bodies, until no more than so many bytes of them are left. Answers with how
    /// many bodies that were. What active jobs were made of stays.
    ///
    /// # Errors
    /// The database's.
    pub async fn prune(&self, keep: Keep) -> Result<u64, StoreError> {
        self.begin_to_prune();
        loop {
            match self.ask(Order::Prune(keep)).await? {
                Reply::Pruned(Some(bodies)) => return Ok(bodies),
                Reply::Pruned(None) => {}
                _ => return Err(StoreError::mixed_up()),
            }
        }
    }
}

/// Forgets some of what is old. Answers with `None` as long as there is more of it, and then with how many bodies were forgotten.
///
/// # Errors
/// The database's.
pub async fn prune(work: &mut Work<'_>, keep: &Keep) -> Result<Option<u64>, StoreError> {
    let deliveries = work.now.saturating_sub(millis(keep.deliveries));
    let alerts = work.now.saturating_sub(millis(keep.alerts)).min(deliveries);
    let before = Before { deliveries, alerts, firings: deliveries.min(work.now - LONGEST_OCCURRENCES) };
    let of_ended =
        |table: &str| format!("at < $1 AND {table}.job NOT IN (SELECT id FROM jobs WHERE settled_at IS NULL)");
    let unused = |moment: &str, delivery: &str| format!("{moment} < $1 AND {delivery} NOT IN ({IN_USE})");
    let mut is_done = true;
    for (table, moment, is_old) in [
        ("decisions", before.deliveries, of_ended("decisions").as_str()),
        ("firings", before.firings, "at < $1"),
        ("alert_deliveries", before.deliveries, &unused("at", "delivery")),
        ("job_events", before.deliveries, &of_ended("job_events")),
        ("actions", before.deliveries, "at < $1"),
        ("suppressions", before.deliveries, "until < $1"),
        // What waits has not been told yet.
        ("outbox", before.deliveries, "at < $1 AND state <> 'waiting'"),
        ("outbox_threads", before.deliveries, "at < $1"),
        ("deliveries", before.deliveries, &unused("received_at", "id")),
        ("jobs", before.alerts, OLD_JOB),
        ("news", before.alerts, "$1 = $1 AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = news.job)"),
        ("sightings", before.alerts, OLD_SIGHTING),
        (
            "storms",
            before.alerts,
            "last_at < $1 AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.storm IS NOT NULL AND j.storm = storms.id)",
        ),
        ("alerts", before.alerts, "last_at < $1 AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.alert = alerts.tag)"),
    ] {
        is_done &= delete(work, table, is_old, moment).await? < TOGETHER as u64;
    }
    if !is_done {
        return Ok(None);
    }
    cut_bodies(work, keep.most_bytes).await.map(Some)
}

/// A job that has ended, that is not looked at again, and that neither its alert nor a storm needs: an alert that is known keeps its last
/// one, from which a person may start again.
const OLD_JOB: &str = "settled_at < $1 AND look_at IS NULL \
    AND NOT EXISTS (SELECT 1 FROM alerts a WHERE a.tag = jobs.alert AND a.last_at >= $1 \
        AND NOT EXISTS (SELECT 1 FROM jobs n WHERE n.alert = jobs.alert AND n.created_at > jobs.created_at)) \
    AND NOT EXISTS (SELECT 1 FROM storms s JOIN jobs m ON m.storm = s.id WHERE s.root = jobs.id \
        AND (m.settled_at IS NULL OR m.settled_at >= $1))";

/// What a create made is looked for as long as its job goes on.
const OLD_SIGHTING: &str =
    "seen_at < $1 AND seen_at < COALESCE((SELECT MIN(j.created_at) FROM jobs j WHERE j.settled_at IS NULL), $1)";

async fn delete(work: &mut Work<'_>, table: &str, is_old: &str, before: i64) -> Result<u64, StoreError> {
    let text = match work.dialect {
        Dialect::Sqlite => {
            format!("DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE {is_old} LIMIT {TOGETHER})")
        }
        Dialect::Postgres => {
            format!(
                "DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE {is_old} LIMIT {TOGETHER}))"
            )
        }
    };
    Ok(sqlx::query(AssertSqlSafe(text)).bind(before).execute(&mut *work.connection).await?.rows_affected())
}

/// Deliveries that are kept for whoever looks into what goes on: those that an active job was made of, or heard of last.
const IN_USE: &str = "SELECT delivery FROM jobs WHERE settled_at IS NULL AND delivery IS NOT NULL \
    UNION SELECT a.last_delivery FROM alerts a JOIN jobs j ON j.alert = a.tag WHERE j.settled_at IS NULL";

/// Forgets the oldest bodies until those that are left have no more than `most_bytes` together. Answers with how many that were.
async fn cut_bodies(work: &mut Work<'_>, most_bytes: u64) -> Result<u64, StoreError> {
    let most_bytes = i64::try_from(most_bytes).unwrap_or(i64::MAX);
    let text = format!(
        "UPDATE deliveries SET body = NULL WHERE id IN (SELECT id FROM (SELECT id, CAST(SUM(LENGTH(body)) OVER \
        (ORDER BY received_at DESC, id DESC) AS BIGINT) AS bytes FROM deliveries WHERE body IS NOT NULL) newest \
        WHERE bytes > $1) AND id NOT IN ({IN_USE})"
    );
    let cut = sqlx::query(AssertSqlSafe(text)).bind(most_bytes).execute(&mut *work.connection).await?;
    Ok(cut.rows_affected())
}
