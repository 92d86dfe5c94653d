//! Storms: many alerts of one rule at once. Each belongs to one storm at most; when that is looked into, one of them stands for
//! all.

use std::time::Duration;

use sqlx::Row as _;

use super::trouble::StoreError;
use super::work::Work;
use crate::relay::prior::Holds;
use crate::relay::prompt::Companion;
use crate::relay::serve::gates::{Candidate, Linked, Root, Storm, StormFacts, is_storm, root, triage_at};

/// A job whose alert may be part of a storm.
pub struct Member<'a> {
    pub job_id: &'a str,
    pub rule: &'a str,
    pub storm: Option<String>,
    /// When it came: when its alert had fired long and often enough.
    pub came_at: i64,
    /// How long after an alert was made a job it counts as having come, as far as one can tell of those that were not asked about.
    pub delay: Duration,
}

impl Member<'_> {
    /// After which moment and before which one others came that one window may have with it.
    fn around(&self, storm: &Storm) -> (i64, i64) {
        let window = millis(storm.window);
        (self.came_at.saturating_sub(window), self.came_at.saturating_add(window))
    }
}

/// How the storm of a job stands, which may begin with it; `None` where there is none.
///
/// # Errors
/// The database's.
pub async fn look(
    work: &mut Work<'_>,
    member: &Member<'_>,
    storm: &Storm,
    holds: &Holds,
) -> Result<Option<StormFacts>, StoreError> {
    let id = match &member.storm {
        Some(id) => id.clone(),
        None => match join(work, member, storm, holds).await? {
            Some(id) => id,
            None => return Ok(None),
        },
    };
    let text = "SELECT s.detected_at, s.last_at, s.root, r.settled_at, r.session_id, r.session_url, \
        (SELECT COUNT(*) FROM jobs j WHERE j.storm = s.id AND j.started_at IS NOT NULL) \
        FROM storms s LEFT JOIN jobs r ON r.id = s.root WHERE s.id = $1";
    let row = sqlx::query(text).bind(&id).fetch_one(&mut *work.connection).await?;
    let (detected_at, last_at): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    let (chosen, settled_at): (Option<String>, Option<i64>) = (row.try_get(2)?, row.try_get(3)?);
    let session_id: Option<String> = row.try_get(4)?;
    let started = u32::try_from(row.try_get::<i64, _>(6)?).unwrap_or(u32::MAX);
    let root = match (chosen, session_id) {
        (Some(chosen), _) if chosen == member.job_id => Root::This,
        (Some(_), Some(session_id)) => Root::Session(Linked { session_id, session_url: row.try_get(5)? }),
        (Some(_), None) if settled_at.is_none() => Root::Waits,
        _ if work.now >= triage_at(detected_at, last_at) => triage(work, &id, member.job_id).await?,
        _ => Root::Open,
    };
    Ok(Some(StormFacts { detected_at, last_at, started, root }))
}

/// The alerts that came with the one that stands for all of a storm.
///
/// # Errors
/// The database's.
pub async fn companions(work: &mut Work<'_>, job_id: &str) -> Result<Vec<Companion>, StoreError> {
    let text = "SELECT a.title, j.severity, a.dedupe_key FROM storms s JOIN jobs j ON j.storm = s.id \
        JOIN alerts a ON a.tag = j.alert WHERE s.root = $1 AND j.id <> $1 AND a.state = 'firing' ORDER BY j.created_at, j.id";
    let rows = sqlx::query(text).bind(job_id).fetch_all(&mut *work.connection).await?;
    let companion = |row: &sqlx::any::AnyRow| {
        Ok(Companion { title: row.try_get(0)?, severity: row.try_get(1)?, dedupe_key: row.try_get(2)? })
    };
    rows.iter().map(companion).collect()
}

/// No further alert joins the storm that a job stands for: it has started.
///
/// # Errors
/// The database's.
pub async fn close(work: &mut Work<'_>, root: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE storms SET is_open = 0 WHERE root = $1").bind(root).execute(&mut *work.connection).await?;
    Ok(())
}

/// The storm that a job joins: one that is under way, or a new one.
async fn join(
    work: &mut Work<'_>,
    member: &Member<'_>,
    storm: &Storm,
    holds: &Holds,
) -> Result<Option<String>, StoreError> {
    let text = "SELECT s.id, s.detected_at, s.last_at, (SELECT COUNT(*) FROM jobs j WHERE j.storm = s.id \
        AND j.settled_at IS NULL AND j.started_at IS NULL), (SELECT COUNT(*) FROM jobs j WHERE j.storm = s.id \
        AND j.ready_at > $2 AND j.ready_at < $3) FROM storms s WHERE s.rule = $1 AND s.is_open = 1 \
        ORDER BY s.detected_at, s.id";
    let (from, to) = member.around(storm);
    let rows = sqlx::query(text).bind(member.rule).bind(from).bind(to).fetch_all(&mut *work.connection).await?;
    let mut under_way = None;
    for row in rows {
        let id: String = row.try_get(0)?;
        let (detected_at, last_at, waiting): (i64, i64, i64) = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        let near: i64 = row.try_get(4)?;
        if waiting == 0 && work.now >= triage_at(detected_at, last_at) {
            // All of it was resolved before it was looked into.
            let text = "UPDATE storms SET is_open = 0 WHERE id = $1";
            sqlx::query(text).bind(&id).execute(&mut *work.connection).await?;
        } else if near > 0 {
            // It came with one of its alerts. What a switch held may have come long before, and the storm itself may have been held for long.
            under_way = Some(id);
        }
    }
    let id = match under_way {
        Some(id) => {
            let text = "UPDATE storms SET last_at = $2 WHERE id = $1 AND last_at < $2";
            sqlx::query(text).bind(&id).bind(work.now).execute(&mut *work.connection).await?;
            id
        }
        None if is_storm(member.came_at, &others(work, member, storm, holds).await?, storm) => {
            begin(work, member, storm).await?
        }
        None => return Ok(None),
    };
    let text = "UPDATE jobs SET storm = $2 WHERE id = $1";
    sqlx::query(text).bind(member.job_id).bind(&id).execute(&mut *work.connection).await?;
    Ok(Some(id))
}

/// When the other alerts of the rule came that may be part of one storm with this one, and belong to none yet. One that was not asked
/// about, or was held by a switch, counts unless an earlier session holds it back.
async fn others(
    work: &mut Work<'_>,
    member: &Member<'_>,
    storm: &Storm,
    holds: &Holds,
) -> Result<Vec<i64>, StoreError> {
    let text = "SELECT j.ready_at, j.created_at FROM jobs j WHERE j.rule = $1 AND j.storm IS NULL AND j.id <> $2 AND \
        (j.ready_at > $3 AND j.ready_at < $4 OR (j.ready_at IS NULL AND j.settled_at IS NULL AND j.phase = 'received' \
        AND j.created_at > $5 AND j.created_at < $6 AND (j.held_by IS NULL OR j.held_by IN ('kill_switch', 'paused')) \
        AND NOT EXISTS (SELECT 1 FROM jobs p WHERE p.alert = j.alert AND p.settled_at > $7 AND p.session_id IS NOT NULL \
        AND p.status IN ('done', 'blocked'))))";
    let ((from, to), delay) = (member.around(storm), millis(member.delay));
    let query = sqlx::query(text).bind(member.rule).bind(member.job_id).bind(from).bind(to);
    // What has not fired for long enough yet has not come.
    let query = query.bind(from.saturating_sub(delay)).bind(to.min(work.now.saturating_add(1)).saturating_sub(delay));
    let query = query.bind(work.now.saturating_sub(millis(holds.cooldown)));
    let rows = query.fetch_all(&mut *work.connection).await?;
    let came_at = |row: &sqlx::any::AnyRow| {
        let (ready_at, created_at): (Option<i64>, i64) = (row.try_get(0)?, row.try_get(1)?);
        Ok(ready_at.unwrap_or(created_at.saturating_add(delay)))
    };
    rows.iter().map(came_at).collect()
}

/// A storm is detected. What was started within its window is part of it.
async fn begin(work: &mut Work<'_>, member: &Member<'_>, storm: &Storm) -> Result<String, StoreError> {
    let id = format!("storm-{}", member.job_id);
    let text = "INSERT INTO storms (id, rule, detected_at, last_at, is_open) VALUES ($1, $2, $3, $4, 1)";
    let query = sqlx::query(text).bind(&id).bind(member.rule).bind(work.now).bind(work.now);
    query.execute(&mut *work.connection).await?;
    let text = "UPDATE jobs SET storm = $1 WHERE rule = $2 AND storm IS NULL AND ready_at > $3 AND ready_at < $4";
    let (from, to) = member.around(storm);
    let query = sqlx::query(text).bind(&id).bind(member.rule).bind(from).bind(to);
    query.execute(&mut *work.connection).await?;
    Ok(id)
}

/// Chooses the one that stands for all of a storm, and has it asked about at once.
async fn triage(work: &mut Work<'_>, storm: &str, job_id: &str) -> Result<Root, StoreError> {
    let text = "SELECT j.id, j.severity, j.created_at FROM jobs j JOIN alerts a ON a.tag = j.alert \
        WHERE j.storm = $1 AND j.settled_at IS NULL AND j.started_at IS NULL AND a.state = 'firing'";
    let rows = sqlx::query(text).bind(storm).fetch_all(&mut *work.connection).await?;
    let mut candidates = Vec::new();
    for row in rows {
        candidates.push(Candidate { job_id: row.try_get(0)?, severity: row.try_get(1)?, at: row.try_get(2)? });
    }
    let Some(root) = root(&candidates) else { return Ok(Root::Open) };
    let text = "UPDATE storms SET root = $2 WHERE id = $1";
    sqlx::query(text).bind(storm).bind(&root.job_id).execute(&mut *work.connection).await?;
    let text = "UPDATE jobs SET due_at = $2 WHERE id = $1 AND due_at > $2";
    sqlx::query(text).bind(&root.job_id).bind(work.now).execute(&mut *work.connection).await?;
    Ok(if root.job_id == job_id { Root::This } else { Root::Waits })
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 4)
}
