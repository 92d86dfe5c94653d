//! What a person may ask for about an alert, and why not: whoever offers an action and whoever refuses it ask here.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::super::queue::read;
use super::super::suppressions;
use super::super::trouble::StoreError;
use super::super::work::Work;
use crate::relay::job::Job;

/// What a person may do about an alert at this moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Possible {
    /// The job at which another attempt may be made; `None` where none may.
    pub retry: Option<String>,
    /// Whether the alert may have a new session.
    pub start: bool,
    /// The job whose session may be ended; `None` where there is none.
    pub end: Option<String>,
}

/// What may be done about an alert, by its tag: nothing where it never had a job.
///
/// # Errors
/// The database's.
pub async fn possible(work: &mut Work<'_>, alert: &str) -> Result<Possible, StoreError> {
    let Some(last) = Last::of(work, alert).await? else { return Ok(Possible::default()) };
    let start = last.startable(work).await?.is_ok();
    let named = |is_possible: bool| is_possible.then(|| last.id.clone());
    Ok(Possible {
        retry: named(start && last.objection_to_retry().is_none()),
        start,
        end: named(objection_to_end(&last.id, &last.job).is_none()),
    })
}

/// The last job of an alert.
pub struct Last {
    pub id: String,
    pub alert: String,
    pub dedupe_key: String,
    state: String,
    pub integration: String,
    pub rule: String,
    job: String,
    pub gates: Option<String>,
    pub severity: Option<String>,
    pub delivery: Option<String>,
    is_settled: bool,
    held_why: Option<String>,
    status: Option<String>,
    result: Option<String>,
    session: Option<String>,
    /// Its session waits for a person, and is polled for what that answers.
    is_waiting: bool,
    /// It was attached to a session of a storm that is still at work.
    is_attached: bool,
}

impl Last {
    /// That of an alert, by its tag; `None` where it never had one.
    ///
    /// # Errors
    /// The database's.
    pub async fn of(work: &mut Work<'_>, alert: &str) -> Result<Option<Last>, StoreError> {
        let text = "SELECT j.id, j.alert, COALESCE(a.dedupe_key, j.alert), COALESCE(a.state, ''), j.integration, j.rule, j.job, \
            j.gates, j.severity, j.delivery, j.settled_at, j.held_why, j.status, j.result, \
            COALESCE(j.session_url, j.session_id), j.look_at, r.id, r.settled_at FROM jobs j \
            LEFT JOIN alerts a ON a.tag = j.alert LEFT JOIN storms s ON s.id = j.storm AND s.root <> j.id \
            LEFT JOIN jobs r ON r.id = s.root WHERE j.alert = $1 \
            ORDER BY j.settled_at IS NULL DESC, j.created_at DESC LIMIT 1";
        let row = sqlx::query(text).bind(alert).fetch_optional(&mut *work.connection).await?;
        row.as_ref().map(Last::read).transpose()
    }

    fn read(row: &AnyRow) -> Result<Last, StoreError> {
        let number = |column: usize| row.try_get::<Option<i64>, _>(column);
        let (status, result): (Option<String>, Option<String>) = (row.try_get(12)?, row.try_get(13)?);
        let (root, root_ended): (Option<String>, Option<i64>) = (row.try_get(16)?, number(17)?);
        Ok(Last {
            id: row.try_get(0)?,
            alert: row.try_get(1)?,
            dedupe_key: row.try_get(2)?,
            state: row.try_get(3)?,
            integration: row.try_get(4)?,
            rule: row.try_get(5)?,
            job: row.try_get(6)?,
            gates: row.try_get(7)?,
            severity: row.try_get(8)?,
            delivery: row.try_get(9)?,
            is_settled: number(10)?.is_some(),
            held_why: row.try_get(11)?,
            session: row.try_get(14)?,
            is_waiting: status.as_deref() == Some("blocked") && number(15)?.is_some(),
            is_attached: result.as_deref() == Some("attached") && root.is_some() && root_ended.is_none(),
            status,
            result,
        })
    }

    /// How it ended.
    pub fn end(&self) -> &str {
        self.result.as_deref().or(self.status.as_deref()).unwrap_or("failed")
    }

    /// The job as it stands, of which a new one may be made, or why none is.
    ///
    /// # Errors
    /// The database's.
    pub async fn startable(&self, work: &mut Work<'_>) -> Result<Result<Job, String>, StoreError> {
        if let Some(reason) = self.objection() {
            return Ok(Err(reason));
        }
        if let Some(reason) = suppressions::suppressed(work, &self.dedupe_key).await? {
            return Ok(Err(format!("{reason}: end the suppression first")));
        }
        Ok(read(&self.job).map_err(|_| unreadable(&self.id)))
    }

    /// Why it is not what `retry` is for, whatever else may speak against a new attempt; `None` where it is.
    pub fn objection_to_retry(&self) -> Option<String> {
        if !self.is_settled || is_retryable(self.status.as_deref(), self.result.as_deref()) {
            return None;
        }
        // Nothing else is advised that would be refused as well.
        Some(self.objection().unwrap_or_else(|| format!(
            "it ended as {}, and only a job that ended for want of quota, or whose session could not be created, is retried: start the alert again instead (alert-relay start)",
            self.end()
        )))
    }

    /// Why no new attempt is made; `None` where one may be.
    fn objection(&self) -> Option<String> {
        let Last { id, session, .. } = self;
        let session = session.as_deref().unwrap_or("its session");
        if !self.is_settled {
            let why = self.held_why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            let or = if self.session.is_some() { ", or end its session first (alert-relay end)" } else { "" };
            return Some(format!("the alert has a job that goes on, {id}{why}: wait for it{or}"));
        }
        if self.state == "resolved" {
            return Some("the alert is resolved: it can be started again when it fires".to_string());
        }
        if self.is_waiting {
            return Some(format!(
                "the session {session} is alive and waits for a person: answer it, or end it in Devin"
            ));
        }
        self.is_attached
            .then(|| format!("the session {session} takes care of the storm that the alert is part of, and is at work"))
    }
}

/// Why the session of a job, given as it is kept, cannot be ended by hand; `None` where it can.
pub fn objection_to_end(job_id: &str, kept: &str) -> Option<String> {
    match read::<Job>(kept) {
        Ok(job) => job.objection_to_end(),
        Err(_) => Some(unreadable(job_id)),
    }
}

/// Whether a job that ended so came to nothing for want of quota, or because its session could not be created.
pub fn is_retryable(status: Option<&str>, result: Option<&str>) -> bool {
    matches!(result, Some("quota_exceeded" | "create_unknown"))
        || (result.is_none() && matches!(status, None | Some("failed")))
}

fn unreadable(job_id: &str) -> String {
    format!("another version of this program has written {job_id}, which cannot be read")
}
