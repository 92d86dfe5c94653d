//! What the deliveries of one transaction have changed, written at once; and how a job is made.

use std::collections::{BTreeMap, HashMap};

use sqlx::Row as _;

use super::known::{Alert, Known};
use super::news::tell;
use super::{Entry, NewDelivery, Verdict};
use crate::relay::job::Job;
use crate::relay::serve::gates::{FILTER, Gates, Occurrences};
use crate::relay::serve::store::rows::insert;
use crate::relay::serve::store::trouble::StoreError;
use crate::relay::serve::store::work::Work;

/// A job that is made.
pub struct NewRow<'d> {
    pub alert: &'d str,
    pub integration: &'d str,
    pub job: &'d Job,
    pub gates: &'d Gates,
    pub severity: Option<&'d str>,
    /// `None` where the delivery that told of it is not known any more.
    pub delivery_id: Option<&'d str>,
}

impl Known<'_> {
    /// Writes what has changed.
    ///
    /// # Errors
    /// The database's.
    pub async fn write(&self, work: &mut Work<'_>) -> Result<(), StoreError> {
        for (route, sender_id) in &self.freed {
            let text = "UPDATE deliveries SET sender_id = NULL WHERE route = $1 AND sender_id = $2";
            sqlx::query(text).bind(route).bind(sender_id).execute(&mut *work.connection).await?;
        }
        write_deliveries(work, &self.deliveries).await?;
        write_alerts(work, &self.alerts).await?;
        start(work, &self.jobs).await?;
        note_firings(work, &self.firings).await?;
        write_unwanted(work, &self.unwanted).await?;
        tell(work, &self.news).await
    }
}

/// One that was not recognized started nothing, so that it may be sent again once the rules are right.
pub fn sender_id_to_keep(delivery: &NewDelivery, is_duplicate: bool) -> Option<&String> {
    let is_unrecognized = matches!(delivery.verdict, Verdict::Unrecognized(_));
    delivery.sender_id.as_ref().filter(|_| !is_duplicate && !is_unrecognized)
}

/// Of a duplicate, the body is there already.
async fn write_deliveries(work: &mut Work<'_>, deliveries: &[(&NewDelivery, bool)]) -> Result<(), StoreError> {
    let columns = ["id", "route", "sender_id", "body_hash", "body", "received_at", "verdict", "reason"];
    let now = work.now;
    insert(work, ("deliveries", &columns), "", deliveries, |bound, (delivery, is_duplicate)| {
        let (verdict, reason) = match &delivery.verdict {
            _ if *is_duplicate => ("duplicate", delivery.sender_id.as_ref()),
            Verdict::Alerts => ("alerts", None),
            Verdict::NoAlert(reason) => ("no_alert", Some(reason)),
            Verdict::Unrecognized(reason) => ("unrecognized", Some(reason)),
        };
        bound
            .bind(&delivery.id)
            .bind(&delivery.route)
            .bind(sender_id_to_keep(delivery, *is_duplicate))
            .bind(delivery.body_hash.to_vec())
            .bind((!is_duplicate).then_some(&delivery.body))
            .bind(now)
            .bind(verdict)
            .bind(reason)
    })
    .await
}

async fn write_unwanted(work: &mut Work<'_>, unwanted: &[(&NewDelivery, &Entry, &str)]) -> Result<(), StoreError> {
    let columns = ["id", "at", "alert", "dedupe_key", "rule", "integration", "job", "decision", "gate", "reason"];
    let now = work.now;
    let rows: Vec<_> = (0..).zip(unwanted).map(|(number, row)| (format!("{}.{number}", row.0.id), row)).collect();
    insert(work, ("decisions", &columns), "", &rows, |bound, (id, (_, entry, reason))| {
        let bound = bound.bind(id.clone()).bind(now).bind(&entry.tag).bind(&entry.dedupe_key);
        bound.bind("").bind("").bind("").bind("refuse").bind(FILTER).bind(*reason)
    })
    .await
}

async fn write_alerts(work: &mut Work<'_>, alerts: &HashMap<&str, Alert<'_>>) -> Result<(), StoreError> {
    let columns = [
        "tag",
        "dedupe_key",
        "route",
        "title",
        "state",
        "first_at",
        "last_at",
        "occurred_at",
        "last_delivery",
        "last_hash",
        "last_route",
    ];
    let update = "ON CONFLICT (tag) DO UPDATE SET title = EXCLUDED.title, state = EXCLUDED.state, \
        last_at = EXCLUDED.last_at, occurred_at = EXCLUDED.occurred_at, last_delivery = EXCLUDED.last_delivery, \
        last_hash = EXCLUDED.last_hash, last_route = EXCLUDED.last_route";
    let mut changed: Vec<_> = alerts.iter().filter(|(_, alert)| alert.is_changed).collect();
    changed.sort_unstable_by_key(|(tag, _)| **tag);
    insert(work, ("alerts", &columns), update, &changed, |bound, (tag, alert)| {
        bound
            .bind(tag.to_string())
            .bind(alert.dedupe_key.to_string())
            .bind(alert.route.to_string())
            .bind(alert.title.to_string())
            .bind(alert.state.to_string())
            .bind(alert.first_at)
            .bind(alert.last_at)
            .bind(alert.occurred_at)
            .bind(alert.last_delivery.to_string())
            .bind(alert.last_hash.to_vec())
            .bind(alert.last_route.to_string())
    })
    .await
}

/// Makes jobs.
///
/// # Errors
/// The database's.
pub async fn start(work: &mut Work<'_>, new: &[NewRow<'_>]) -> Result<(), StoreError> {
    let columns = [
        "id",
        "alert",
        "integration",
        "phase",
        "job",
        "created_at",
        "due_at",
        "epoch",
        "delivery",
        "rule",
        "gates",
        "severity",
    ];
    let mut rows = Vec::with_capacity(new.len());
    for row in new {
        rows.push((row, serde_json::to_string(row.job)?, serde_json::to_string(row.gates)?));
    }
    let now = work.now;
    insert(work, ("jobs", &columns), "", &rows, |bound, (row, job, gates)| {
        bound
            .bind(&row.job.id)
            .bind(row.alert)
            .bind(row.integration)
            .bind(row.job.phase.name())
            .bind(job)
            .bind(now)
            .bind(now)
            .bind(0i64)
            .bind(row.delivery_id)
            .bind(&row.gates.rule)
            .bind(gates)
            .bind(row.severity)
    })
    .await
}

/// Keeps that alerts have fired, each by its tag, where its rule counts that.
async fn note_firings(work: &mut Work<'_>, firings: &[(&str, &Gates)]) -> Result<(), StoreError> {
    let mut counted: BTreeMap<&str, (Occurrences, u32)> = BTreeMap::new();
    for (tag, often) in firings.iter().filter_map(|(tag, gates)| Some((*tag, gates.min_occurrences?))) {
        // At one moment, more say no more.
        let (_, times) = counted.entry(tag).or_insert((often, 0));
        *times = often.count.min(*times + 1);
    }
    let now = work.now;
    let rows: Vec<&str> =
        counted.iter().flat_map(|(tag, (_, times))| std::iter::repeat_n(*tag, *times as usize)).collect();
    insert(work, ("firings", &["alert", "at"]), "", &rows, |bound, tag| bound.bind(*tag).bind(now)).await?;
    for (tag, (often, _)) in counted {
        forget_firings(work, tag, often).await?;
    }
    Ok(())
}

/// Forgets the firings of an alert that say nothing any more: of its next job, which asks for so many, or of one that waits and may have
/// fired often enough long ago, because a switch holds it.
async fn forget_firings(work: &mut Work<'_>, tag: &str, often: Occurrences) -> Result<(), StoreError> {
    let rows =
        sqlx::query("SELECT at FROM firings WHERE alert = $1").bind(tag).fetch_all(&mut *work.connection).await?;
    let firings = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<i64>, _>>()?;
    let mut since = often.counts_since(&firings, work.now);
    let mut run = None;
    if let Some((asked, made)) = waiting(work, tag).await? {
        run = asked.first_run(&firings, made);
        if run.is_none() {
            since = since.min(asked.counts_since(&firings, work.now));
        }
    }
    let (first, last) = run.unwrap_or((since, since));
    let is_spare = |at: &i64| *at < since && !(first..=last).contains(at);
    if firings.iter().any(is_spare) {
        let text = "DELETE FROM firings WHERE alert = $1 AND at < $2 AND NOT (at >= $3 AND at <= $4)";
        let query = sqlx::query(text).bind(tag).bind(since).bind(first).bind(last);
        query.execute(&mut *work.connection).await?;
    }
    Ok(())
}

/// How often the job of an alert has to fire that has not fired for long and often enough yet, as far as anybody knows, and when it was made.
async fn waiting(work: &mut Work<'_>, tag: &str) -> Result<Option<(Occurrences, i64)>, StoreError> {
    let text = "SELECT gates, created_at FROM jobs WHERE alert = $1 AND settled_at IS NULL AND ready_at IS NULL AND gates IS NOT NULL";
    let Some(row) = sqlx::query(text).bind(tag).fetch_optional(&mut *work.connection).await? else { return Ok(None) };
    // One that cannot be read keeps no delivery from being kept.
    let gates = serde_json::from_str::<Gates>(row.try_get(0)?).ok();
    Ok(gates.and_then(|gates| gates.min_occurrences).zip(Some(row.try_get(1)?)))
}
