//! What happened, for those who ask: the alerts and their last jobs.

use serde::Serialize;
use sqlx::Row as _;

use super::StoreError;
use super::database::Work;
use super::queue::Progress;

/// An alert with its last job, as programs are shown it. Moments are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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

/// Where a list of alerts was left: the one that was shown last, by its `last_at` and its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    pub last_at: i64,
    pub tag: String,
}

/// A job, likewise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobView {
    pub id: String,
    pub integration: String,
    pub phase: String,
    pub created_at: i64,
    pub settled_at: Option<i64>,
    #[serde(flatten)]
    pub progress: Progress,
}

/// The alerts that came last, the newest first; those that follow `after`, if it is given.
///
/// # Errors
/// The database's.
pub async fn alerts(work: &mut Work<'_>, most: i64, after: Option<&After>) -> Result<Vec<AlertView>, StoreError> {
    let text = "SELECT a.tag, a.dedupe_key, a.route, a.title, a.state, a.first_at, a.last_at, j.id, j.integration, j.phase, \
        j.created_at, j.settled_at, j.session_id, j.session_url, j.pr_url, j.status, j.result, j.reason FROM alerts a \
        LEFT JOIN jobs j ON j.id = (SELECT l.id FROM jobs l WHERE l.alert = a.tag \
        ORDER BY l.created_at DESC, l.settled_at IS NULL DESC LIMIT 1) \
        WHERE a.last_at < $2 OR (a.last_at = $2 AND a.tag > $3) ORDER BY a.last_at DESC, a.tag LIMIT $1";
    let (last_at, tag) = after.map_or((i64::MAX, ""), |after| (after.last_at, after.tag.as_str()));
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
