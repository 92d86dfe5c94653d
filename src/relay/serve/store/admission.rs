//! A job is about to start: may it? The facts are gathered, the gates asked, and the answer, with the place that a start takes,
//! kept in the caller's transaction, so that no two jobs take the last place.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Row as _};

use super::database::Work;
use super::decisions::{Record, record, switched_on};
use super::queue::Save;
use super::rows::insert;
use super::storms::{self, Member};
use super::{Order, Reply, Store, StoreError, suppressions};
use crate::relay::job::{End, Job};
use crate::relay::outcome::{OutcomeKind, OutcomeStatus};
use crate::relay::prior::Holds;
use crate::relay::prompt::Companion;
use crate::relay::serve::gates::{Bounds, Decision, Facts, Gate, Gates, Limits, Linked, Usage, decide};

/// How many jobs are asked again when one has ended; the others are a little later.
const ASKED_AGAIN: i64 = 8;

/// How long after a session has failed another one is held back, at most, in milliseconds.
const COOLDOWN_AFTER_ERROR: i64 = 600_000;

/// Why a job is let through that takes no place yet.
const LOOKED_UP: &str =
    "an earlier session of this alert ended lately or goes on: whether it holds this one back is looked up";

/// A job that is about to start.
#[derive(Debug, Clone)]
pub struct Ask {
    pub job_id: String,
    pub epoch: i64,
    /// As the rules file says it now.
    pub bounds: Arc<Bounds>,
    /// Why its kill switch is on, in a sentence.
    pub kill_switch: Option<String>,
    pub holds: Holds,
    pub max_acu_limit: Option<u32>,
    /// Whether a person has asked for it.
    pub is_by_hand: bool,
    /// Whether it has looked for earlier sessions, and none holds it back.
    pub is_at_create: bool,
}

/// Whether it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    Start {
        /// The others of the storm that it stands for.
        companions: Vec<Companion>,
    },
    /// It is asked again after so many milliseconds. One that had not begun is given back already.
    /// `is_new` where it was told another answer before.
    Hold {
        wait: i64,
        reason: String,
        is_new: bool,
    },
    /// This session takes care of it.
    Join {
        session: Linked,
        reason: String,
    },
    Refuse {
        is_resolved: bool,
        reason: String,
    },
    /// Somebody else has taken it on.
    Lost,
}

impl Store {
    /// Decides whether a job may start, and takes its place if it does.
    ///
    /// # Errors
    /// The database's.
    pub async fn admit(&self, ask: Ask) -> Result<Admission, StoreError> {
        match self.ask(Order::Admit(Box::new(ask))).await? {
            Reply::Admission(admission) => Ok(admission),
            _ => Err(StoreError::mixed_up()),
        }
    }
}

/// The job, as the store has it.
struct Asking {
    alert: String,
    dedupe_key: String,
    integration: String,
    rule: String,
    gates: Gates,
    storm: Option<String>,
    held: Option<(String, Option<String>)>,
    number: i64,
    facts: Facts,
}

/// Decides whether a job may start, and keeps the answer.
///
/// # Errors
/// The database's.
pub async fn admit(work: &mut Work<'_>, ask: &Ask) -> Result<Admission, StoreError> {
    let Some(mut asking) = gather(work, ask).await? else { return Ok(Admission::Lost) };
    let mut decision = decide(&asking.facts, &asking.gates, &ask.bounds);
    let has_storms = decision.is_ready() && !ask.is_at_create && !asking.facts.has_place;
    if let Some(storm) = asking.gates.storm.filter(|_| has_storms) {
        let (storm_id, at) = (asking.storm.clone(), asking.facts.ready_at.unwrap_or(work.now));
        let member = Member { job_id: &ask.job_id, rule: &asking.rule, storm: storm_id, at };
        asking.facts.storm = storms::look(work, &member, &storm, &ask.holds).await?;
        decision = decide(&asking.facts, &asking.gates, &ask.bounds);
    }
    let is_first_start = decision == Decision::Start && !asking.facts.has_place;
    // One that has its place and has to wait all the same keeps the next one for itself.
    let takes_place = is_first_start || ask.is_at_create && asking.facts.has_place && decision.is_ready();
    let (gate, reason, until) = match &decision {
        Decision::Start => (None, None, None),
        Decision::Join { reason, .. } => (Some(Gate::Storm), Some(reason), None),
        Decision::Look { gate, reason } | Decision::Refuse { gate, reason } => (Some(*gate), Some(reason), None),
        Decision::Hold { until, gate, reason } => (Some(*gate), Some(reason), Some(*until)),
    };
    let is_new = match (&decision, &asking.held) {
        (Decision::Start, _) => is_first_start,
        (Decision::Hold { gate, reason, .. }, Some((held_by, held_why))) => {
            held_by != gate.name() || held_why.as_ref() != Some(reason)
        }
        _ => true,
    };
    if is_new {
        let record_of = Record {
            id: format!("{}.{}", ask.job_id, asking.number + 1),
            alert: &asking.alert,
            dedupe_key: &asking.dedupe_key,
            rule: &asking.rule,
            integration: &asking.integration,
            job: &ask.job_id,
            decision: decision.name(),
            gate: gate.map(|gate| gate.name()),
            reason: reason.map(String::as_str),
            until,
        };
        record(work, &record_of).await?;
    }
    let is_given_back = until.filter(|_| !ask.is_at_create);
    let text = "UPDATE jobs SET decisions = decisions + $3, held_by = $4, held_why = $5, \
        ready_at = CASE WHEN $6 = 0 THEN ready_at ELSE COALESCE(ready_at, $7) END, \
        started_at = CASE WHEN $8 = 0 THEN started_at ELSE $7 END, \
        acus_reserved = CASE WHEN $8 = 0 THEN acus_reserved ELSE $9 END, \
        due_at = COALESCE($10, due_at), lease_until = CASE WHEN $11 = 0 THEN lease_until ELSE NULL END \
        WHERE id = $1 AND epoch = $2";
    sqlx::query(text)
        .bind(&ask.job_id)
        .bind(ask.epoch)
        .bind(i64::from(is_new))
        .bind(until.and(gate).map(|gate| gate.name()))
        .bind(until.and(reason))
        .bind(i64::from(decision.is_ready()))
        .bind(work.now)
        .bind(i64::from(takes_place))
        .bind(ask.max_acu_limit.map(i64::from))
        .bind(is_given_back)
        .bind(i64::from(is_given_back.is_some()))
        .execute(&mut *work.connection)
        .await?;
    if is_first_start {
        storms::close(work, &ask.job_id).await?;
    }
    Ok(match decision {
        Decision::Start => {
            let companions = match &asking.gates.storm {
                Some(_) if !ask.is_at_create => storms::companions(work, &ask.job_id).await?,
                _ => Vec::new(),
            };
            Admission::Start { companions }
        }
        Decision::Look { .. } => Admission::Start { companions: Vec::new() },
        Decision::Join { session, reason } => Admission::Join { session, reason },
        Decision::Hold { until, reason, .. } => Admission::Hold { wait: until - work.now, reason, is_new },
        Decision::Refuse { reason, .. } => Admission::Refuse { is_resolved: asking.facts.is_resolved, reason },
    })
}

/// Frees the place of a job that has ended without a session, and what its session has left over of its ACUs. Others that wait
/// for a place are asked again.
///
/// # Errors
/// The database's.
pub async fn release(work: &mut Work<'_>, save: &Save) -> Result<(), StoreError> {
    let text = "UPDATE jobs SET held_by = NULL, started_at = CASE WHEN $2 = 0 THEN NULL ELSE started_at END, \
        acus_reserved = CASE WHEN $3 = 0 THEN acus_reserved ELSE NULL END WHERE id = $1";
    let has_begun = save.job.may_have_made_a_session();
    sqlx::query(text)
        .bind(&save.job.id)
        .bind(i64::from(has_begun))
        .bind(i64::from(!has_begun || consumes_no_more(&save.job)))
        .execute(&mut *work.connection)
        .await?;
    let text = "UPDATE jobs SET due_at = $1 WHERE due_at > $1 AND id IN (SELECT id FROM jobs WHERE settled_at IS NULL \
        AND held_by IN ('concurrent_sessions', 'acu_per_day') ORDER BY created_at LIMIT $2)";
    sqlx::query(text).bind(work.now).bind(ASKED_AGAIN).execute(&mut *work.connection).await?;
    Ok(())
}

/// Keeps that alerts have fired, each by its tag, where its rule counts that.
///
/// # Errors
/// The database's.
pub async fn note_firings(work: &mut Work<'_>, firings: &[(&str, &Gates)]) -> Result<(), StoreError> {
    let mut counted: Vec<&str> = Vec::new();
    for (tag, often) in firings.iter().filter_map(|(tag, gates)| Some((*tag, gates.min_occurrences?))) {
        if !counted.contains(&tag) {
            let before = work.now.saturating_sub(i64::try_from(often.within.as_millis()).unwrap_or(i64::MAX));
            let text = "DELETE FROM firings WHERE alert = $1 AND at <= $2";
            sqlx::query(text).bind(tag).bind(before).execute(&mut *work.connection).await?;
        }
        counted.push(tag);
    }
    let now = work.now;
    insert(work, ("firings", &["alert", "at"]), "", &counted, |bound, tag| bound.bind(*tag).bind(now)).await
}

/// Whether its session has come to an end that leaves the rest of its ACUs free.
fn consumes_no_more(job: &Job) -> bool {
    match job.end() {
        Some(End::Outcome(kind)) => {
            kind.status() == OutcomeStatus::Done
                || matches!(
                    kind,
                    OutcomeKind::QuotaExceeded
                        | OutcomeKind::SessionError
                        | OutcomeKind::Suspended
                        | OutcomeKind::Terminated
                )
        }
        _ => false,
    }
}

async fn gather(work: &mut Work<'_>, ask: &Ask) -> Result<Option<Asking>, StoreError> {
    let text = "SELECT j.alert, COALESCE(a.dedupe_key, j.alert), COALESCE(a.state, ''), j.integration, j.rule, j.gates, \
        j.created_at, j.ready_at, j.started_at, j.held_by, j.held_why, j.decisions, j.storm FROM jobs j \
        LEFT JOIN alerts a ON a.tag = j.alert WHERE j.id = $1 AND j.epoch = $2 AND j.settled_at IS NULL";
    let query = sqlx::query(text).bind(&ask.job_id).bind(ask.epoch);
    let Some(row) = query.fetch_optional(&mut *work.connection).await? else { return Ok(None) };
    let (alert, integration): (String, String) = (row.try_get(0)?, row.try_get(3)?);
    let (rule, gates): (String, Option<String>) = (row.try_get(4)?, row.try_get(5)?);
    let gates = match gates {
        Some(text) => super::queue::read(&text)?,
        None => Gates::open(&rule),
    };
    let (state, started_at): (String, Option<i64>) = (row.try_get(2)?, row.try_get(8)?);
    let (held_by, held_why): (Option<String>, Option<String>) = (row.try_get(9)?, row.try_get(10)?);
    let mut facts = Facts {
        now: work.now,
        integration: integration.clone(),
        is_resolved: state == "resolved",
        created_at: row.try_get(6)?,
        ready_at: row.try_get(7)?,
        is_at_create: ask.is_at_create,
        is_by_hand: ask.is_by_hand,
        has_place: started_at.is_some(),
        max_acu_limit: ask.max_acu_limit,
        kill_switch: ask.kill_switch.clone(),
        ..Facts::default()
    };
    let asking_number: i64 = row.try_get(11)?;
    let dedupe_key: String = row.try_get(1)?;
    let switched = switched_on(work, &integration, &rule).await?;
    facts.kill_switch = facts.kill_switch.or(switched.bridge);
    facts.paused = switched.paused;
    facts.suppressed = suppressions::suppressed(work, &dedupe_key).await?;
    if !facts.has_place || ask.is_at_create {
        facts.out_of_quota_at = out_of_quota_at(work, &integration, &ask.job_id).await?;
        if gates.min_occurrences.is_some() {
            let text = "SELECT at FROM firings WHERE alert = $1 ORDER BY at DESC LIMIT 1000";
            let rows = sqlx::query(text).bind(&alert).fetch_all(&mut *work.connection).await?;
            facts.firings = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        }
        let no_limits = Limits::default();
        let of_integration = ask.bounds.integrations.get(&integration).unwrap_or(&no_limits);
        let job = (ask.job_id.as_str(), facts.has_place.then_some(facts.created_at));
        facts.bridge = usage(work, &ask.bounds.limits, ("", ""), job).await?;
        facts.of_integration = usage(work, of_integration, ("integration", &integration), job).await?;
        facts.of_rule = usage(work, &gates.limits, ("rule", &rule), job).await?;
        let has_limits = [&ask.bounds.limits, of_integration, &gates.limits].iter().any(|limits| **limits != no_limits);
        if (has_limits || gates.storm.is_some()) && !ask.is_at_create {
            match cooldown(work, &alert, &ask.holds).await? {
                Some(Earlier::Own) => facts.cooldown = Some(LOOKED_UP.to_string()),
                Some(Earlier::OfAStorm(session, is_at_work)) => facts.linked = Some((session, is_at_work)),
                None => {}
            }
        }
    }
    let held = held_by.map(|held_by| (held_by, held_why));
    Ok(Some(Asking {
        storm: row.try_get(12)?,
        alert,
        dedupe_key,
        integration,
        rule,
        gates,
        held,
        number: asking_number,
        facts,
    }))
}

/// When a session of the integration was last stopped by its quota, or tried after that; `None` where one has worked since.
async fn out_of_quota_at(work: &mut Work<'_>, integration: &str, job_id: &str) -> Result<Option<i64>, StoreError> {
    let text = "SELECT MAX(settled_at) FROM jobs WHERE integration = $1 AND result = 'quota_exceeded'";
    let row = sqlx::query(text).bind(integration).fetch_one(&mut *work.connection).await?;
    let Some(stopped_at) = row.try_get::<Option<i64>, _>(0)? else { return Ok(None) };
    let text = "SELECT MAX(started_at), SUM(CASE WHEN acus_consumed > 0 OR (settled_at IS NOT NULL \
        AND status IN ('done', 'blocked')) THEN 1 ELSE 0 END) FROM jobs WHERE integration = $1 AND started_at > $2 \
        AND (result IS NULL OR result <> 'quota_exceeded') AND id <> $3";
    let query = sqlx::query(text).bind(integration).bind(stopped_at).bind(job_id);
    let row = query.fetch_one(&mut *work.connection).await?;
    let (tried_at, worked): (Option<i64>, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
    Ok((worked.unwrap_or_default() == 0).then(|| tried_at.unwrap_or(stopped_at)))
}

/// What of a limit is taken by other jobs: by all, or by those that have this value in this column. A job that has its place
/// comes with when it was made: of those that have one and are held all the same, the later ones wait for it.
pub(super) async fn usage(
    work: &mut Work<'_>,
    limits: &Limits,
    (column, value): (&str, &str),
    (job_id, placed): (&str, Option<i64>),
) -> Result<Usage, StoreError> {
    let mut usage = Usage::default();
    let scope = if column.is_empty() { "$1 = ''".to_string() } else { format!("{column} = $1") };
    let behind = placed.map_or_else(String::new, |made_at| {
        format!(" AND (held_by IS NULL OR created_at < {made_at} OR created_at = {made_at} AND id < $2)")
    });
    let of = format!("{scope} AND id <> $2{behind}");
    if limits.concurrent_sessions.is_some() {
        let text = format!("SELECT COUNT(*) FROM jobs WHERE {of} AND settled_at IS NULL AND started_at IS NOT NULL");
        let row = sqlx::query(AssertSqlSafe(text)).bind(value).bind(job_id).fetch_one(&mut *work.connection).await?;
        usage.at_work = u32::try_from(row.try_get::<i64, _>(0)?).unwrap_or(u32::MAX);
    }
    if let Some(most) = limits.runs.iter().map(|runs| runs.count).max() {
        let text = format!(
            "SELECT started_at FROM jobs WHERE {of} AND started_at IS NOT NULL ORDER BY started_at DESC LIMIT $3"
        );
        let query = sqlx::query(AssertSqlSafe(text)).bind(value).bind(job_id).bind(i64::from(most));
        let rows = query.fetch_all(&mut *work.connection).await?;
        usage.starts = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    }
    if limits.acu_per_day.is_some() {
        let midnight = work.now.div_euclid(86_400_000) * 86_400_000;
        let text = format!(
            "SELECT CAST(COALESCE(SUM(COALESCE(acus_reserved, acus_consumed, 0)), 0) AS DOUBLE PRECISION) \
            FROM jobs WHERE {of} AND started_at >= $3"
        );
        let row = sqlx::query(AssertSqlSafe(text))
            .bind(value)
            .bind(job_id)
            .bind(midnight)
            .fetch_one(&mut *work.connection)
            .await?;
        usage.acus = row.try_get(0)?;
    }
    Ok(usage)
}

/// An earlier session that may hold a job back.
enum Earlier {
    Own,
    /// Of the storm that the alert was part of; whether it is at work.
    OfAStorm(Linked, bool),
}

/// The session of the alert's last job, where that may hold this one back.
async fn cooldown(work: &mut Work<'_>, alert: &str, holds: &Holds) -> Result<Option<Earlier>, StoreError> {
    let text = "SELECT j.settled_at, j.status, j.result, j.session_id, j.session_url, r.settled_at, r.status, r.result, r.id \
        FROM jobs j LEFT JOIN storms s ON s.id = j.storm LEFT JOIN jobs r ON r.id = s.root WHERE j.alert = $1 \
        AND j.settled_at IS NOT NULL AND j.session_id IS NOT NULL ORDER BY j.settled_at DESC LIMIT 1";
    let Some(row) = sqlx::query(text).bind(alert).fetch_optional(&mut *work.connection).await? else { return Ok(None) };
    let (result, root): (Option<String>, Option<String>) = (row.try_get(2)?, row.try_get(8)?);
    if result.as_deref() == Some("attached") && root.is_some() {
        let linked = Linked { session_id: row.try_get(3)?, session_url: row.try_get(4)? };
        let (ended_at, status): (Option<i64>, Option<String>) = (row.try_get(5)?, row.try_get(6)?);
        let Some(ended_at) = ended_at else { return Ok(Some(Earlier::OfAStorm(linked, true))) };
        let result: Option<String> = row.try_get(7)?;
        // That it waits for a person does not keep the others waiting for ever.
        let status = status.map(|status| if status == "blocked" { "done".to_string() } else { status });
        let lasts = holds_for(status.as_deref(), result.as_deref(), holds);
        return Ok((work.now - ended_at < lasts).then_some(Earlier::OfAStorm(linked, false)));
    }
    let (settled_at, status): (i64, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
    let lasts = holds_for(status.as_deref(), result.as_deref(), holds);
    Ok((work.now - settled_at < lasts).then_some(Earlier::Own))
}

/// How long a session that ended so may hold back another one, in milliseconds.
fn holds_for(status: Option<&str>, result: Option<&str>, holds: &Holds) -> i64 {
    let cooldown = i64::try_from(holds.cooldown.as_millis()).unwrap_or(i64::MAX);
    let open = holds.while_pr_open.map_or(0, |most| i64::try_from(most.as_millis()).unwrap_or(i64::MAX));
    match (status, result) {
        // It may wait for a person still.
        (Some("blocked"), _) => i64::MAX,
        (Some("done"), Some("pr_opened")) => cooldown.max(open),
        (Some("done"), _) | (_, Some("suspended" | "poll_timeout")) => cooldown,
        (_, Some("session_error")) => cooldown.min(COOLDOWN_AFTER_ERROR),
        _ => 0,
    }
}
