//! What happened, for those who ask: the alerts and their last jobs, and the deliveries that they came by.

use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::StoreError;
use super::database::Work;
use super::queue::Progress;

/// An alert with its last job, as programs are shown it. Moments are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertView {
    pub tag: String,
    pub dedupe_key: String,
    pub route: String,
    pub title: String,
    /// `firing` or `resolved`.
    pub state: String,
    pub first_at: i64,
    pub last_at: i64,
    /// `None` where none was ever made.
    pub job: Option<JobView>,
}

/// Where a list was left: the alert or delivery that was shown last, by when it came last and its tag or identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    pub at: i64,
    pub id: String,
}

/// A delivery, as programs are shown it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeliveryView {
    pub id: String,
    pub route: String,
    pub received_at: i64,
    /// `alerts`, `no_alert`, `unrecognized` or `duplicate`.
    pub state: String,
    pub reason: Option<String>,
    /// As it came; `None` for a duplicate, and in a list.
    #[serde(skip)]
    pub body: Option<Vec<u8>>,
}

/// Which deliveries are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deliveries {
    /// The newest first; of this state only, if one is given.
    Newest { most: i64, state: Option<String>, after: Option<After> },
    /// The one with this identifier, and its body.
    One(String),
}

/// A job, likewise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobView {
    pub id: String,
    pub integration: String,
    pub phase: String,
    pub created_at: i64,
    pub settled_at: Option<i64>,
    /// The rule that took the alert.
    pub rule: String,
    /// What keeps it from starting; `None` where nothing does.
    pub held: Option<HeldView>,
    #[serde(flatten)]
    pub progress: Progress,
}

/// What keeps a job from starting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldView {
    pub gate: String,
    pub reason: Option<String>,
    /// When it is asked again at the latest.
    pub until: i64,
}

/// The alerts that came last, the newest first; those that follow `after`, if it is given.
///
/// # Errors
/// The database's.
pub async fn alerts(work: &mut Work<'_>, most: i64, after: Option<&After>) -> Result<Vec<AlertView>, StoreError> {
    let text = "SELECT a.tag, a.dedupe_key, a.route, a.title, a.state, a.first_at, a.last_at, j.id, j.integration, j.phase, \
        j.created_at, j.settled_at, j.session_id, j.session_url, j.pr_url, j.status, j.result, j.reason, \
        j.acus_consumed, j.rule, j.held_by, j.held_why, j.due_at FROM alerts a \
        LEFT JOIN jobs j ON j.id = (SELECT l.id FROM jobs l WHERE l.alert = a.tag \
        ORDER BY l.created_at DESC, l.settled_at IS NULL DESC LIMIT 1) \
        WHERE a.last_at < $2 OR (a.last_at = $2 AND a.tag > $3) ORDER BY a.last_at DESC, a.tag LIMIT $1";
    let (last_at, tag) = after.map_or((i64::MAX, ""), |after| (after.at, after.id.as_str()));
    let rows = sqlx::query(text).bind(most).bind(last_at).bind(tag).fetch_all(&mut *work.connection).await?;
    let mut alerts = Vec::new();
    for row in rows {
        let job = match row.try_get("id")? {
            None => None,
            Some(id) => Some(JobView {
                id,
                integration: row.try_get("integration")?,
                phase: row.try_get("phase")?,
                created_at: row.try_get("created_at")?,
                settled_at: row.try_get("settled_at")?,
                rule: row.try_get("rule")?,
                held: held(&row)?,
                progress: Progress::of(&row)?,
            }),
        };
        alerts.push(AlertView {
            tag: row.try_get("tag")?,
            dedupe_key: row.try_get("dedupe_key")?,
            route: row.try_get("route")?,
            title: row.try_get("title")?,
            state: row.try_get("state")?,
            first_at: row.try_get("first_at")?,
            last_at: row.try_get("last_at")?,
            job,
        });
    }
    Ok(alerts)
}

fn held(row: &AnyRow) -> Result<Option<HeldView>, StoreError> {
    let Some(gate) = row.try_get("held_by")? else { return Ok(None) };
    Ok(Some(HeldView { gate, reason: row.try_get("held_why")?, until: row.try_get("due_at")? }))
}

/// Deliveries that are kept.
///
/// # Errors
/// The database's.
pub async fn deliveries(work: &mut Work<'_>, which: &Deliveries) -> Result<Vec<DeliveryView>, StoreError> {
    let rows = match which {
        Deliveries::One(id) => {
            let text = "SELECT id, route, received_at, verdict, reason, body FROM deliveries WHERE id = $1";
            sqlx::query(text).bind(id).fetch_all(&mut *work.connection).await?
        }
        Deliveries::Newest { most, state, after } => {
            let text = "SELECT id, route, received_at, verdict, reason FROM deliveries \
                WHERE ($2 = '' OR verdict = $2) AND (received_at < $3 OR (received_at = $3 AND id > $4)) \
                ORDER BY received_at DESC, id LIMIT $1";
            let (at, id) = after.as_ref().map_or((i64::MAX, ""), |after| (after.at, after.id.as_str()));
            let query = sqlx::query(text).bind(*most).bind(state.as_deref().unwrap_or_default()).bind(at).bind(id);
            query.fetch_all(&mut *work.connection).await?
        }
    };
    let mut deliveries = Vec::new();
    for row in rows {
        deliveries.push(DeliveryView {
            id: row.try_get(0)?,
            route: row.try_get(1)?,
            received_at: row.try_get(2)?,
            state: row.try_get(3)?,
            reason: row.try_get(4)?,
            body: if matches!(which, Deliveries::One(_)) { row.try_get(5)? } else { None },
        });
    }
    Ok(deliveries)
}
