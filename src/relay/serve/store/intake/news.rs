//! News for jobs that are active: what fires now, or that it is over. A job is due as soon as there is any; if it ends before it
//! hears of it, what fires becomes the next job.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Row as _};

use crate::relay::job::Job;
use crate::relay::serve::store::rows::{insert, list};
use crate::relay::serve::store::trouble::StoreError;
use crate::relay::serve::store::work::Work;

/// So many news wait for one job at most; then the newest takes the place of the one before it.
const MOST_NEWS: i64 = 100;

/// The news of one job.
struct Waiting<'d> {
    count: i64,
    /// The number that was given last. None is given twice, or news would be taken for some that were heard.
    last: i64,
    /// That of the one that is written already and makes room.
    replaced: Option<i64>,
    new: Vec<(i64, Option<&'d Job>)>,
}

/// Leaves news for jobs that are active, each with the job that would follow, or with `None` that it is over; in their order.
///
/// # Errors
/// The database's, or that one of the jobs has ended.
pub async fn tell(work: &mut Work<'_>, news: &[(String, Option<&Job>)]) -> Result<(), StoreError> {
    if news.is_empty() {
        return Ok(());
    }
    let mut ids: Vec<[&str; 1]> = news.iter().map(|(job_id, _)| [job_id.as_str()]).collect();
    ids.sort_unstable();
    ids.dedup();
    let ids_too = list(&ids)?;
    let each = work.dialect.each();
    let text = format!(
        "UPDATE jobs SET due_at = CASE WHEN due_at > $2 THEN $2 ELSE due_at END WHERE settled_at IS NULL \
        AND id IN (SELECT w.value ->> 0 FROM {each})"
    );
    let due = sqlx::query(AssertSqlSafe(text)).bind(&ids_too).bind(work.now).execute(&mut *work.connection).await?;
    if due.rows_affected() != ids.len() as u64 {
        return Err(StoreError("a job has ended that was to hear of an alert: send it again".to_string()));
    }
    let mut waiting = waiting(work, &ids_too).await?;
    for (job_id, follow_up) in news {
        if let Some(waiting) = waiting.get_mut(job_id) {
            waiting.add(*follow_up);
        }
    }
    let mut rows = Vec::new();
    for (job_id, waiting) in &waiting {
        if let Some(seq) = waiting.replaced {
            let text = "DELETE FROM news WHERE job = $1 AND seq = $2";
            sqlx::query(text).bind(job_id).bind(seq).execute(&mut *work.connection).await?;
        }
        for (seq, follow_up) in &waiting.new {
            rows.push((job_id, *seq, follow_up.map(serde_json::to_string).transpose()?));
        }
    }
    insert(work, ("news", &["job", "seq", "follow_up"]), "", &rows, |bound, (job_id, seq, body)| {
        bound.bind(*job_id).bind(*seq).bind(body.as_ref())
    })
    .await
}

/// The news that these jobs have, which are a [`list`].
async fn waiting<'d>(work: &mut Work<'_>, ids: &str) -> Result<BTreeMap<String, Waiting<'d>>, StoreError> {
    let text = format!(
        "SELECT j.id, j.heard, COUNT(n.seq), COALESCE(MAX(n.seq), 0) FROM {} CROSS JOIN jobs j \
        LEFT JOIN news n ON n.job = j.id WHERE j.id = w.value ->> 0 GROUP BY j.id, j.heard",
        work.dialect.each()
    );
    let rows = sqlx::query(AssertSqlSafe(text)).bind(ids.to_string()).fetch_all(&mut *work.connection).await?;
    let mut waiting = BTreeMap::new();
    for row in rows {
        let (heard, last): (i64, i64) = (row.try_get(1)?, row.try_get(3)?);
        let one = Waiting { count: row.try_get(2)?, last: last.max(heard), replaced: None, new: Vec::new() };
        waiting.insert(row.try_get(0)?, one);
    }
    Ok(waiting)
}

impl<'d> Waiting<'d> {
    fn add(&mut self, follow_up: Option<&'d Job>) {
        if self.count < MOST_NEWS {
            self.count += 1;
        } else if self.new.pop().is_none() {
            self.replaced = Some(self.last);
        }
        self.last += 1;
        self.new.push((self.last, follow_up));
    }
}
