//! What happened to an alert or a job, moment by moment: deliveries, answers of the gates, events of the job, and what people did.

use serde::Serialize;
use sqlx::Row as _;

use super::super::actions::{self, ActionView};
use super::super::decisions::{self, DecisionFilter, DecisionView};
use super::super::outbox::{self, NoticeFilter, NoticeView};
use super::super::trouble::StoreError;
use super::super::work::Work;
use super::filter::Conditions;
use crate::relay::event::EventKind;

/// So much of each kind is shown, the newest.
const MOST: i64 = 500;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimelineEntry {
    /// In Unix milliseconds.
    pub at: i64,
    #[serde(flatten)]
    pub what: Happening,
}

/// What it was. Those of one moment stand in this order.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Happening {
    /// The alert was told of.
    Delivery {
        delivery_id: String,
        /// `firing`, `resolved`, or the sender's word for what lies between.
        state: String,
        /// `started`, `joined`, `suppressed` or `duplicate`.
        taken: String,
        job_id: Option<String>,
        reason: Option<String>,
    },
    /// A person did something.
    Action { action: ActionView },
    /// The gates answered.
    Decision { decision: DecisionView },
    /// The job came further.
    Event {
        job_id: String,
        #[serde(flatten)]
        event: Box<EventKind>,
    },
    /// People were told, or are to be.
    Notification { notification: Box<NoticeView> },
}

/// All that happened to an alert, the oldest first.
///
/// # Errors
/// The database's.
pub async fn of_alert(work: &mut Work<'_>, tag: &str) -> Result<Vec<TimelineEntry>, StoreError> {
    let mut entries = deliveries(work, tag).await?;
    for action in actions::on_alert(work, tag, MOST).await? {
        entries.push(TimelineEntry { at: action.at, what: Happening::Action { action } });
    }
    let filter = DecisionFilter { alert: Some(tag.to_string()), ..DecisionFilter::default() };
    entries.extend(decisions(work, &filter).await?);
    entries.extend(events(work, "SELECT id FROM jobs WHERE alert = ?", tag).await?);
    entries
        .extend(notifications(work, NoticeFilter { alert: Some(tag.to_string()), ..NoticeFilter::default() }).await?);
    Ok(sorted(entries))
}

/// What happened to a job, the oldest first.
///
/// # Errors
/// The database's.
pub async fn of_job(work: &mut Work<'_>, id: &str) -> Result<Vec<TimelineEntry>, StoreError> {
    let filter = DecisionFilter { job_id: Some(id.to_string()), ..DecisionFilter::default() };
    let mut entries = decisions(work, &filter).await?;
    entries.extend(events(work, "?", id).await?);
    entries
        .extend(notifications(work, NoticeFilter { job_id: Some(id.to_string()), ..NoticeFilter::default() }).await?);
    Ok(sorted(entries))
}

/// Those of one moment stay in the order that they were gathered in.
fn sorted(mut entries: Vec<TimelineEntry>) -> Vec<TimelineEntry> {
    entries.sort_by_key(|entry| entry.at);
    entries
}

async fn deliveries(work: &mut Work<'_>, tag: &str) -> Result<Vec<TimelineEntry>, StoreError> {
    let mut conditions = Conditions::default();
    conditions.text("alert = ?", tag);
    let select = "SELECT delivery, at, state, taken, job, reason FROM alert_deliveries";
    let mut entries = Vec::new();
    for row in conditions.rows(work, select, "at DESC, delivery DESC", MOST).await?.into_iter().rev() {
        let what = Happening::Delivery {
            delivery_id: row.try_get(0)?,
            state: row.try_get(2)?,
            taken: row.try_get(3)?,
            job_id: row.try_get(4)?,
            reason: row.try_get(5)?,
        };
        entries.push(TimelineEntry { at: row.try_get(1)?, what });
    }
    Ok(entries)
}

async fn decisions(work: &mut Work<'_>, filter: &DecisionFilter) -> Result<Vec<TimelineEntry>, StoreError> {
    let mut decisions = decisions::decisions(work, filter, MOST, None).await?;
    // Of one moment, too, the first comes first: their numbers follow the job's identifier.
    decisions.sort_by_key(|decision| (decision.at, decision.number()));
    let entry = |decision: DecisionView| TimelineEntry { at: decision.at, what: Happening::Decision { decision } };
    Ok(decisions.into_iter().map(entry).collect())
}

/// Events of the jobs that `jobs` stands for.
async fn events(work: &mut Work<'_>, jobs: &str, value: &str) -> Result<Vec<TimelineEntry>, StoreError> {
    let mut conditions = Conditions::default();
    conditions.text(&format!("job IN ({jobs})"), value);
    let select = "SELECT job, at, event FROM job_events";
    let mut entries = Vec::new();
    for row in conditions.rows(work, select, "at DESC, job DESC, number DESC", MOST).await?.into_iter().rev() {
        let text: String = row.try_get(2)?;
        // One that another version has written is shown as it stands.
        let event = serde_json::from_str(&text).unwrap_or_else(|_| EventKind::note(text));
        let what = Happening::Event { job_id: row.try_get(0)?, event: Box::new(event) };
        entries.push(TimelineEntry { at: row.try_get(1)?, what });
    }
    Ok(entries)
}

/// What people were told, each where it was sent or given up; what waits, where it happened.
async fn notifications(work: &mut Work<'_>, filter: NoticeFilter) -> Result<Vec<TimelineEntry>, StoreError> {
    let mut notices = outbox::list(work, &filter, MOST, None).await?;
    notices.sort_by(|one, other| (one.at, &one.target, &one.id).cmp(&(other.at, &other.target, &other.id)));
    let entry = |notice: NoticeView| TimelineEntry {
        at: notice.settled_at.unwrap_or(notice.at),
        what: Happening::Notification { notification: Box::new(notice) },
    };
    Ok(notices.into_iter().map(entry).collect())
}
