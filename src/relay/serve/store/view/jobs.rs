//! Jobs: how far each has come, what it waits for, and what its session was told.

use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::super::queue::{Progress, read};
use super::super::trouble::StoreError;
use super::super::work::Work;
use super::After;
use super::filter::Conditions;
use super::timeline::{self, TimelineEntry};
use crate::relay::job::Job;

/// A job, as programs are shown it. Moments are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobView {
    pub id: String,
    pub integration: String,
    pub phase: String,
    pub created_at: i64,
    /// When the gates let it through; `None` where they have not.
    pub started_at: Option<i64>,
    /// When its pull request was seen first.
    pub pr_at: Option<i64>,
    pub settled_at: Option<i64>,
    /// The rule that took the alert.
    pub rule: String,
    pub severity: Option<String>,
    /// The storm that it is part of.
    pub storm: Option<String>,
    /// What keeps it from starting; `None` where nothing does.
    pub held: Option<HeldView>,
    /// Who has it in hand; `None` where nobody has.
    #[serde(skip)]
    pub in_hand: Option<InHand>,
    #[serde(flatten)]
    pub progress: Progress,
}

/// The process that has a job in hand, or had when it ended without giving it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InHand {
    pub owner: String,
    /// Until when nobody else takes it, in Unix milliseconds.
    pub until: i64,
}

/// What keeps a job from starting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldView {
    pub gate: String,
    pub reason: Option<String>,
    /// When it is asked again at the latest.
    pub until: i64,
}

/// Who takes care of an alert: Devin, by a session.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Responder {
    pub status: ResponderStatus,
    pub job_id: String,
    pub session_id: Option<String>,
    pub session_url: Option<String>,
    pub pr_url: Option<String>,
    pub joined_at: Option<i64>,
    pub completed_at: Option<i64>,
    /// How it ended, more closely.
    pub result: Option<String>,
}

/// Whether it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponderStatus {
    OnIt,
    /// Also where the session asks a person: nothing goes on without one.
    Done,
    Dropped,
}

/// Whether a job waits, or how its responder stands: what lists can be filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing has started yet.
    Waiting,
    OnIt,
    /// Of those that are done, the ones that ask a person.
    Blocked,
    Done,
    Dropped,
}

/// A job with the alert that it is of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobRow {
    /// The alert's tag.
    pub alert: String,
    pub dedupe_key: String,
    pub title: String,
    /// The alert's: `firing` or `resolved`.
    pub alert_state: String,
    #[serde(flatten)]
    pub job: JobView,
}

/// A job with all that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobDetail {
    #[serde(flatten)]
    pub row: JobRow,
    /// The delivery that it was made of; `None` where that is not known.
    pub delivery_id: Option<String>,
    /// The prompt as it is sent.
    pub prompt: Option<String>,
    pub session_title: Option<String>,
    pub tags: Vec<String>,
    pub repos: Vec<String>,
    pub max_acu_limit: Option<u32>,
    /// Its decisions and events, the oldest first.
    pub timeline: Vec<TimelineEntry>,
}

/// Which jobs are asked for: those that all of this holds for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    pub standing: Option<Standing>,
    /// The gate that holds it.
    pub gate: Option<String>,
    /// `pr_opened`, `quota_exceeded` …
    pub result: Option<String>,
    pub rule: Option<String>,
    pub integration: Option<String>,
    pub severity: Option<String>,
    /// An alert's tag.
    pub alert: Option<String>,
    /// Made then or later, in Unix milliseconds.
    pub since: Option<i64>,
}

/// The columns of a job `j` that [`JobView::of`] reads.
pub const COLUMNS: &str = "j.id, j.integration, j.phase, j.created_at, j.started_at, j.pr_at, j.settled_at, j.session_id, \
    j.session_url, j.pr_url, j.status, j.result, j.reason, j.acus_consumed, j.rule, j.severity, j.storm, j.held_by, \
    j.held_why, j.due_at, j.owner, j.lease_until";

impl JobView {
    /// From the columns of a job.
    ///
    /// # Errors
    /// When one is not there, or holds something else.
    pub fn of(row: &AnyRow) -> Result<JobView, StoreError> {
        let settled_at: Option<i64> = row.try_get("settled_at")?;
        let gate: Option<String> = row.try_get("held_by")?;
        let held = match gate.filter(|_| settled_at.is_none()) {
            Some(gate) => Some(HeldView { gate, reason: row.try_get("held_why")?, until: row.try_get("due_at")? }),
            None => None,
        };
        Ok(JobView {
            id: row.try_get("id")?,
            integration: row.try_get("integration")?,
            phase: row.try_get("phase")?,
            created_at: row.try_get("created_at")?,
            started_at: row.try_get("started_at")?,
            pr_at: row.try_get("pr_at")?,
            settled_at,
            rule: row.try_get("rule")?,
            severity: row.try_get("severity")?,
            storm: row.try_get("storm")?,
            held,
            in_hand: match (row.try_get("owner")?, row.try_get("lease_until")?) {
                (Some(owner), Some(until)) if settled_at.is_none() => Some(InHand { owner, until }),
                _ => None,
            },
            progress: Progress::of(row)?,
        })
    }

    /// Whether it waits, or how its responder stands.
    pub fn standing(&self) -> Standing {
        match (self.settled_at, self.progress.status.as_deref()) {
            (None, _) if self.progress.session_id.is_none() => Standing::Waiting,
            (None, _) => Standing::OnIt,
            (Some(_), Some("done" | "blocked")) => Standing::Done,
            (Some(_), _) => Standing::Dropped,
        }
    }

    /// Who takes care of the alert; `None` while nobody has begun to.
    pub fn responder(&self) -> Option<Responder> {
        let status = match self.standing() {
            Standing::Waiting => return None,
            Standing::OnIt => ResponderStatus::OnIt,
            Standing::Done | Standing::Blocked => ResponderStatus::Done,
            Standing::Dropped => ResponderStatus::Dropped,
        };
        let progress = self.progress.clone();
        Some(Responder {
            status,
            job_id: self.id.clone(),
            session_id: progress.session_id,
            session_url: progress.session_url,
            pr_url: progress.pr_url,
            joined_at: self.started_at,
            completed_at: self.settled_at,
            result: progress.result,
        })
    }
}

impl Standing {
    /// All of them, by their words.
    pub const ALL: [(&str, Standing); 5] = [
        ("waiting", Standing::Waiting),
        ("on_it", Standing::OnIt),
        ("blocked", Standing::Blocked),
        ("done", Standing::Done),
        ("dropped", Standing::Dropped),
    ];

    /// The condition of a job `j`: what [`JobView::standing`] says, as SQL.
    pub(super) fn condition(self) -> &'static str {
        match self {
            Standing::Waiting => "j.id IS NOT NULL AND j.settled_at IS NULL AND j.session_id IS NULL",
            Standing::OnIt => "j.settled_at IS NULL AND j.session_id IS NOT NULL",
            Standing::Blocked => "j.settled_at IS NOT NULL AND j.status = 'blocked'",
            Standing::Done => "j.settled_at IS NOT NULL AND j.status IN ('done', 'blocked')",
            Standing::Dropped => {
                "j.settled_at IS NOT NULL AND (j.status IS NULL OR j.status NOT IN ('done', 'blocked'))"
            }
        }
    }
}

impl JobRow {
    fn of(row: &AnyRow) -> Result<JobRow, StoreError> {
        Ok(JobRow {
            alert: row.try_get("alert")?,
            dedupe_key: row.try_get("dedupe_key")?,
            title: row.try_get("title")?,
            alert_state: row.try_get("state")?,
            job: JobView::of(row)?,
        })
    }
}

/// The jobs that were made last, the newest first.
///
/// # Errors
/// The database's.
pub async fn jobs(
    work: &mut Work<'_>,
    filter: &JobFilter,
    most: i64,
    after: Option<&After>,
) -> Result<Vec<JobRow>, StoreError> {
    let mut conditions = Conditions::default();
    if let Some(standing) = filter.standing {
        conditions.plain(standing.condition());
    }
    conditions.maybe("j.settled_at IS NULL AND j.held_by = ?", filter.gate.as_ref());
    conditions.maybe("j.result = ?", filter.result.as_ref());
    conditions.maybe("j.rule = ?", filter.rule.as_ref());
    conditions.maybe("j.integration = ?", filter.integration.as_ref());
    conditions.maybe("j.severity = ?", filter.severity.as_ref());
    conditions.maybe("j.alert = ?", filter.alert.as_ref());
    if let Some(since) = filter.since {
        conditions.number("j.created_at >= ?", since);
    }
    conditions.follow(("j.created_at", "j.id"), after);
    let rows = conditions.rows(work, &select(""), "j.created_at DESC, j.id", most).await?;
    rows.iter().map(JobRow::of).collect()
}

/// One job.
///
/// # Errors
/// The database's.
pub async fn job(work: &mut Work<'_>, id: &str) -> Result<Option<JobDetail>, StoreError> {
    let mut conditions = Conditions::default();
    conditions.text("j.id = ?", id);
    let rows = conditions.rows(work, &select(", j.job, j.delivery"), "j.id", 1).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    // One that another version has written is shown without its request.
    let kept: Option<Job> = read(&row.try_get::<String, _>("job")?).ok();
    let new = kept.map(|job| job.request.new);
    let of_new = new.unwrap_or_default();
    Ok(Some(JobDetail {
        row: JobRow::of(row)?,
        delivery_id: row.try_get("delivery")?,
        prompt: Some(of_new.prompt).filter(|prompt| !prompt.is_empty()),
        session_title: of_new.title,
        tags: of_new.tags,
        repos: of_new.repos,
        max_acu_limit: of_new.max_acu_limit,
        timeline: timeline::of_job(work, id).await?,
    }))
}

fn select(more: &str) -> String {
    format!(
        "SELECT j.alert, COALESCE(a.dedupe_key, j.alert) AS dedupe_key, COALESCE(a.title, '') AS title, \
        COALESCE(a.state, '') AS state, {COLUMNS}{more} FROM jobs j LEFT JOIN alerts a ON a.tag = j.alert"
    )
}
