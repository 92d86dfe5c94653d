//! What a job has not heard yet of its alert.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, Row as _};

use super::super::rows::list;
use super::super::trouble::StoreError;
use super::super::work::Work;
use super::read;
use crate::relay::job::{Firing, Job};

/// What has happened to an alert whose job is active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    Firing(Firing),
    Resolved,
    /// A person, who is named, asks for the session to be ended.
    EndAsked(String),
}

/// News that wait for a job.
pub struct Waiting {
    seq: i64,
    /// What follows if it fires, as text.
    follow_up: Option<String>,
    /// Who asks for its session to be ended.
    asked_by: Option<String>,
}

/// The news that wait for each of these jobs, in their order.
///
/// # Errors
/// The database's.
pub async fn waiting_news(
    work: &mut Work<'_>,
    job_ids: &[String],
) -> Result<HashMap<String, Vec<Waiting>>, StoreError> {
    let mut waiting: HashMap<String, Vec<_>> = HashMap::new();
    if job_ids.is_empty() {
        return Ok(waiting);
    }
    let text = format!(
        "SELECT n.job, n.seq, n.follow_up, n.asked_by FROM {} CROSS JOIN jobs j CROSS JOIN news n \
        WHERE j.id = w.value ->> 0 AND n.job = j.id AND n.seq > j.heard ORDER BY n.job, n.seq",
        work.dialect.each()
    );
    let ids: Vec<[&String; 1]> = job_ids.iter().map(|id| [id]).collect();
    for row in sqlx::query(AssertSqlSafe(text)).bind(list(&ids)?).fetch_all(&mut *work.connection).await? {
        let one = Waiting { seq: row.try_get(1)?, follow_up: row.try_get(2)?, asked_by: row.try_get(3)? };
        waiting.entry(row.try_get(0)?).or_default().push(one);
    }
    Ok(waiting)
}

/// Each with its number.
///
/// # Errors
/// When one cannot be read.
pub fn told(waiting: &[Waiting]) -> Result<Vec<(i64, News)>, StoreError> {
    let news = |one: &Waiting| match (&one.asked_by, &one.follow_up) {
        (Some(by), _) => Ok(News::EndAsked(by.clone())),
        (None, Some(job)) => read::<Job>(job).map(|job| News::Firing(job.request.firing)),
        (None, None) => Ok(News::Resolved),
    };
    waiting.iter().map(|one| Ok((one.seq, news(one)?))).collect()
}
