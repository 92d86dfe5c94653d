//! Storms with their members.

use serde::Serialize;
use sqlx::Row as _;

use super::super::trouble::StoreError;
use super::super::work::Work;
use super::After;
use super::filter::Conditions;
use super::jobs::JobView;
use crate::relay::serve::gates::triage_at;

/// So many members of a storm are shown.
const MEMBERS: i64 = 100;

/// A storm, as programs are shown it. Moments are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StormView {
    pub id: String,
    pub rule: String,
    pub state: StormState,
    pub detected_at: i64,
    /// When the last of its alerts came.
    pub last_at: i64,
    /// When it is looked into; `None` where it has been.
    pub triage_at: Option<i64>,
    /// The job that stands for all of it; `None` until one is chosen.
    pub root_job_id: Option<String>,
    /// How many alerts it has; the first ones are in `members`.
    pub size: i64,
    pub members: Vec<MemberView>,
}

/// How far a storm has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StormState {
    /// Alerts join it.
    Collecting,
    /// One alert stands for all of it, and has not started yet.
    Triaging,
    /// A session takes care of it.
    Dispatched,
    /// Its session has ended, or its alerts were resolved before there was one.
    Resolved,
}

/// An alert of a storm, with its job.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MemberView {
    /// The alert's tag.
    pub alert: String,
    pub dedupe_key: String,
    pub title: String,
    pub is_root: bool,
    pub job: JobView,
}

/// The storms that were detected last, the newest first.
///
/// # Errors
/// The database's.
pub async fn storms(work: &mut Work<'_>, most: i64, after: Option<&After>) -> Result<Vec<StormView>, StoreError> {
    let mut conditions = Conditions::default();
    conditions.follow(("s.detected_at", "s.id"), after);
    let select = "SELECT s.id, s.rule, s.detected_at, s.last_at, s.is_open, s.root, r.started_at, r.settled_at, \
        (SELECT COUNT(*) FROM jobs j WHERE j.storm = s.id) FROM storms s LEFT JOIN jobs r ON r.id = s.root";
    let mut storms = Vec::new();
    for row in conditions.rows(work, select, "s.detected_at DESC, s.id", most).await? {
        let (id, root): (String, Option<String>) = (row.try_get(0)?, row.try_get(5)?);
        let (detected_at, last_at): (i64, i64) = (row.try_get(2)?, row.try_get(3)?);
        let (started_at, settled_at): (Option<i64>, Option<i64>) = (row.try_get(6)?, row.try_get(7)?);
        let state = match (&root, row.try_get::<i64, _>(4)? == 1) {
            (Some(_), _) if settled_at.is_some() => StormState::Resolved,
            (Some(_), _) if started_at.is_some() => StormState::Dispatched,
            (Some(_), _) => StormState::Triaging,
            (None, true) => StormState::Collecting,
            (None, false) => StormState::Resolved,
        };
        storms.push(StormView {
            members: members(work, &id, root.as_deref()).await?,
            id,
            rule: row.try_get(1)?,
            state,
            detected_at,
            last_at,
            triage_at: (state == StormState::Collecting).then(|| triage_at(detected_at, last_at)),
            root_job_id: root,
            size: row.try_get(8)?,
        });
    }
    Ok(storms)
}

async fn members(work: &mut Work<'_>, storm: &str, root: Option<&str>) -> Result<Vec<MemberView>, StoreError> {
    let mut conditions = Conditions::default();
    conditions.text("j.storm = ?", storm);
    let select = format!(
        "SELECT j.alert, COALESCE(a.dedupe_key, j.alert), COALESCE(a.title, ''), {} FROM jobs j \
        LEFT JOIN alerts a ON a.tag = j.alert",
        super::jobs::COLUMNS
    );
    let mut members = Vec::new();
    for row in conditions.rows(work, &select, "j.created_at, j.id", MEMBERS).await? {
        let job = JobView::of(&row)?;
        members.push(MemberView {
            alert: row.try_get(0)?,
            dedupe_key: row.try_get(1)?,
            title: row.try_get(2)?,
            is_root: root == Some(job.id.as_str()),
            job,
        });
    }
    Ok(members)
}
