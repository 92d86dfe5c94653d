//! Alerts: each with its last job and who takes care of it, and one of them with all that happened to it.

use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::super::trouble::StoreError;
use super::super::work::Work;
use super::After;
use super::filter::{Conditions, containing};
use super::jobs::{COLUMNS, JobFilter, JobView, Responder, Standing, jobs};
use super::timeline::{self, TimelineEntry};

/// So many jobs of one alert are shown, the last ones.
const JOBS: i64 = 50;

/// An alert with its last job, as programs are shown it. Moments are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertView {
    pub tag: String,
    pub dedupe_key: String,
    pub route: String,
    pub title: String,
    /// `firing` or `resolved`.
    pub state: String,
    /// Of its last job; `None` where its sender does not say.
    pub severity: Option<String>,
    pub first_at: i64,
    pub last_at: i64,
    /// `None` while nobody has begun to take care of it.
    pub responder: Option<Responder>,
    /// `None` where none was ever made.
    pub job: Option<JobView>,
}

/// An alert with all that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertDetail {
    #[serde(flatten)]
    pub alert: AlertView,
    /// The newest first.
    pub jobs: Vec<JobView>,
    /// The oldest first.
    pub timeline: Vec<TimelineEntry>,
}

/// Which alerts are asked for: those that all of this holds for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertFilter {
    /// `firing` or `resolved`.
    pub state: Option<String>,
    pub standing: Option<Standing>,
    /// The gate that holds its job.
    pub gate: Option<String>,
    /// How its last job ended: `pr_opened`, `quota_exceeded` …
    pub result: Option<String>,
    pub rule: Option<String>,
    pub integration: Option<String>,
    pub route: Option<String>,
    pub severity: Option<String>,
    /// Stands in the title or the dedupe key, in whatever letter case, or is the tag or the session's identifier.
    pub text: Option<String>,
    /// Came then or later, in Unix milliseconds.
    pub since: Option<i64>,
}

impl AlertView {
    fn of(row: &AnyRow) -> Result<AlertView, StoreError> {
        let job = match row.try_get::<Option<String>, _>("id")? {
            Some(_) => Some(JobView::of(row)?),
            None => None,
        };
        Ok(AlertView {
            tag: row.try_get("tag")?,
            dedupe_key: row.try_get("dedupe_key")?,
            route: row.try_get("route")?,
            title: row.try_get("title")?,
            state: row.try_get("state")?,
            severity: job.as_ref().and_then(|job| job.severity.clone()),
            first_at: row.try_get("first_at")?,
            last_at: row.try_get("last_at")?,
            responder: job.as_ref().and_then(JobView::responder),
            job,
        })
    }
}

/// The alerts that came last, the newest first.
///
/// # Errors
/// The database's.
pub async fn alerts(
    work: &mut Work<'_>,
    filter: &AlertFilter,
    most: i64,
    after: Option<&After>,
) -> Result<Vec<AlertView>, StoreError> {
    let mut conditions = Conditions::default();
    if let Some(standing) = filter.standing {
        conditions.plain(standing.condition());
    }
    conditions.maybe("a.state = ?", filter.state.as_ref());
    conditions.maybe("a.route = ?", filter.route.as_ref());
    conditions.maybe("j.settled_at IS NULL AND j.held_by = ?", filter.gate.as_ref());
    conditions.maybe("j.result = ?", filter.result.as_ref());
    conditions.maybe("j.rule = ?", filter.rule.as_ref());
    conditions.maybe("j.integration = ?", filter.integration.as_ref());
    conditions.maybe("j.severity = ?", filter.severity.as_ref());
    if let Some(text) = filter.text.as_ref().filter(|text| !text.is_empty()) {
        conditions.text("(LOWER(a.title) LIKE ? ESCAPE '!' OR LOWER(a.dedupe_key) LIKE ? ESCAPE '!' OR LOWER(a.tag) LIKE ? ESCAPE '!' OR LOWER(COALESCE(j.session_id, '')) LIKE ? ESCAPE '!')", &containing(text));
    }
    if let Some(since) = filter.since {
        conditions.number("a.last_at >= ?", since);
    }
    conditions.follow(("a.last_at", "a.tag"), after);
    let rows = conditions.rows(work, &select(), "a.last_at DESC, a.tag", most).await?;
    rows.iter().map(AlertView::of).collect()
}

/// One alert.
///
/// # Errors
/// The database's.
pub async fn alert(work: &mut Work<'_>, tag: &str) -> Result<Option<AlertDetail>, StoreError> {
    let mut conditions = Conditions::default();
    conditions.text("a.tag = ?", tag);
    let rows = conditions.rows(work, &select(), "a.tag", 1).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let of_alert = JobFilter { alert: Some(tag.to_string()), ..JobFilter::default() };
    let jobs = jobs(work, &of_alert, JOBS, None).await?.into_iter().map(|row| row.job).collect();
    Ok(Some(AlertDetail { alert: AlertView::of(row)?, jobs, timeline: timeline::of_alert(work, tag).await? }))
}

fn select() -> String {
    format!(
        "SELECT a.tag, a.dedupe_key, a.route, a.title, a.state, a.first_at, a.last_at, {COLUMNS} FROM alerts a \
        LEFT JOIN jobs j ON j.id = (SELECT l.id FROM jobs l WHERE l.alert = a.tag \
        ORDER BY l.created_at DESC, l.settled_at IS NULL DESC LIMIT 1)"
    )
}
