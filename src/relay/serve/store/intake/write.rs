//! What the deliveries of one transaction have changed, written at once; and how a job is made.

use std::collections::HashMap;

use super::known::{Alert, Known};
use super::news::tell;
use super::{Entry, NewDelivery, Verdict};
use crate::relay::job::Job;
use crate::relay::serve::gates::{FILTER, Gates};
use crate::relay::serve::store::StoreError;
use crate::relay::serve::store::database::Work;
use crate::relay::serve::store::rows::insert;

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
    let mut counted: Vec<&str> = Vec::new();
    for (tag, often) in firings.iter().filter_map(|(tag, gates)| Some((*tag, gates.min_occurrences?))) {
        if !counted.contains(&tag) {
            let within = i64::try_from(often.within.as_millis()).unwrap_or(i64::MAX);
            let before = work.now.saturating_sub(within);
            // A job that waits still, which a switch may hold, may have fired often enough long ago.
            let text = "DELETE FROM firings WHERE alert = $1 AND at <= $2 AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.alert = $1 \
                AND j.settled_at IS NULL AND j.ready_at IS NULL AND j.created_at - firings.at < $3)";
            sqlx::query(text).bind(tag).bind(before).bind(within).execute(&mut *work.connection).await?;
        }
        counted.push(tag);
    }
    let now = work.now;
    insert(work, ("firings", &["alert", "at"]), "", &counted, |bound, tag| bound.bind(*tag).bind(now)).await
}
