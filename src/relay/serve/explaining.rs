//! Why a real alert did or did not start a session: gathers what a store knows of it, beside the process that writes to it.

mod timeline;

use super::reading::consider;
use super::rules::Rules;
use super::store::{Archive, KeptAlert, KeptDelivery, StoreError};
use crate::config::similar;
use redact::Redactor;
pub use timeline::Explanation;
use timeline::{Arrival, explanation};

/// Of so many alerts, the newest, the nearest keys are told where nobody knows a key.
const LOOKED_THROUGH: i64 = 2000;

/// How many keys are told then.
const NEAREST: usize = 5;

/// What is known of a key.
pub enum Explained {
    /// One for each alert that it may mean.
    Alerts(Vec<Explanation>),
    /// Several begin so: their tags and keys.
    Several(Vec<String>),
    /// Nothing; keys that are near, or else the newest.
    Unknown(Vec<String>),
}

/// Explains an alert, by its dedupe key, its tag, its job, or the identifier or URL of its session, or by how one of these begins. With `rules`, what they say
/// of its deliveries is told too.
///
/// # Errors
/// The database's.
pub async fn explain(
    archive: &mut Archive,
    key: &str,
    rules: Option<&Rules>,
    redactor: &Redactor,
) -> Result<Explained, StoreError> {
    let mut alerts = archive.alerts(key).await?;
    if alerts.is_empty() && !key.is_empty() {
        alerts = archive.alerts_that_begin(key, NEAREST as i64 + 1).await?;
        if alerts.len() > 1 {
            let named = alerts.iter().take(NEAREST).map(|alert| format!("{} ({})", alert.tag, alert.dedupe_key));
            return Ok(Explained::Several(named.collect()));
        }
    }
    if alerts.is_empty() {
        return Ok(Explained::Unknown(nearest(archive, key).await?));
    }
    let now = archive.now().await?;
    let mut explanations = Vec::new();
    for alert in alerts {
        let jobs = archive.jobs(Some(&alert.tag)).await?;
        let decisions = archive.decisions(Some(&alert.tag)).await?;
        let deliveries = archive.deliveries(now + 1).await?;
        let arrivals = arrivals(archive, &alert, &deliveries, rules, redactor).await?;
        let is_of_job = |delivery: &&KeptDelivery| jobs.iter().any(|job| job.delivery.as_ref() == Some(&delivery.id));
        let of_jobs =
            deliveries.iter().filter(is_of_job).filter(|one| !arrivals.iter().any(|known| known.id == one.id));
        let of_jobs = of_jobs.map(|one| Arrival::of(one, "fired".to_string())).collect::<Vec<_>>();
        explanations.push(explanation(&alert, &jobs, &decisions, [arrivals, of_jobs].concat(), now));
    }
    Ok(Explained::Alerts(explanations))
}

/// The deliveries that told of the alert, by these rules: the store keeps of each only its body.
async fn arrivals(
    archive: &mut Archive,
    alert: &KeptAlert,
    deliveries: &[KeptDelivery],
    rules: Option<&Rules>,
    redactor: &Redactor,
) -> Result<Vec<Arrival>, StoreError> {
    let Some(rules) = rules else { return Ok(Vec::new()) };
    let mut arrivals = Vec::new();
    let within = |one: &&KeptDelivery| one.has_body && (alert.first_at..=alert.last_at).contains(&one.received_at);
    for delivery in deliveries.iter().filter(within) {
        let Some(route) = rules.routes.iter().find(|route| route.name == delivery.route) else { continue };
        let Some(body) = archive.body(&delivery.id).await? else { continue };
        let considered = consider(rules, route, &body, redactor).unwrap_or_default();
        for one in considered.into_iter().filter(|one| one.tags.contains(&alert.tag)) {
            arrivals.push(Arrival::of(delivery, one.state).asked(one.rules, one.taker));
        }
    }
    Ok(arrivals)
}

/// Keys that somebody may have meant: those that hold the text or are spelled much like it, or else the newest.
async fn nearest(archive: &mut Archive, key: &str) -> Result<Vec<String>, StoreError> {
    let mut keys: Vec<String> = Vec::new();
    for alert in archive.newest_alerts(LOOKED_THROUGH).await? {
        if !keys.contains(&alert.dedupe_key) {
            keys.push(alert.dedupe_key);
        }
    }
    let wanted = key.to_lowercase();
    let mut near: Vec<String> = keys.iter().filter(|known| known.to_lowercase().contains(&wanted)).cloned().collect();
    let words: Vec<&str> = keys.iter().map(String::as_str).collect();
    if near.is_empty()
        && let Some(one) = similar(key, &words)
    {
        near.push(one.to_string());
    }
    let near = if near.is_empty() { keys } else { near };
    Ok(near.into_iter().take(NEAREST).collect())
}
