//! What the store knows when a job is about to start: the facts that the gates are asked with. Changes nothing.

use sqlx::{AssertSqlSafe, Row as _};

use super::Ask;
use super::places::{FREED_AT_ONCE, QUOTA, RUNS};
use super::quota::outage;
use crate::relay::prior::Holds;
use crate::relay::serve::gates::{Facts, Gates, Limits, Linked, Usage};
use crate::relay::serve::store::decisions::switched_on;
use crate::relay::serve::store::trouble::StoreError;
use crate::relay::serve::store::work::Work;
use crate::relay::serve::store::{queue, suppressions};

/// How long after a session has failed another one is held back, at most, in milliseconds.
const COOLDOWN_AFTER_ERROR: i64 = 600_000;

/// Why a job is let through that takes no place yet.
const LOOKED_UP: &str =
    "an earlier session of this alert ended lately or goes on: whether it holds this one back is looked up";

/// The job, as the store has it.
pub struct Asking {
    pub alert: String,
    pub dedupe_key: String,
    pub integration: String,
    pub rule: String,
    pub gates: Gates,
    pub storm: Option<String>,
    /// The storm whose session takes care of the alert since its last job.
    pub last_storm: Option<String>,
    pub held: Option<(String, Option<String>)>,
    pub number: i64,
    pub facts: Facts,
}

impl Asking {
    /// Whether it was last told that it waits for somebody to end.
    pub fn waited_for_a_place(&self) -> bool {
        self.held
            .as_ref()
            .is_some_and(|(gate, _)| FREED_AT_ONCE.contains(&gate.as_str()) || gate == RUNS || gate == QUOTA)
    }
}

/// The job, with all that the gates ask of it; `None` where somebody else has taken it on.
///
/// # Errors
/// The database's.
pub async fn gather(work: &mut Work<'_>, ask: &Ask) -> Result<Option<Asking>, StoreError> {
    let text = "SELECT j.alert, COALESCE(a.dedupe_key, j.alert), COALESCE(a.state, ''), j.integration, j.rule, j.gates, \
        j.created_at, j.ready_at, j.started_at, j.held_by, j.held_why, j.decisions, j.storm FROM jobs j \
        LEFT JOIN alerts a ON a.tag = j.alert WHERE j.id = $1 AND j.epoch = $2 AND j.settled_at IS NULL";
    let query = sqlx::query(text).bind(&ask.job_id).bind(ask.epoch);
    let Some(row) = query.fetch_optional(&mut *work.connection).await? else { return Ok(None) };
    let (alert, integration): (String, String) = (row.try_get(0)?, row.try_get(3)?);
    let (rule, gates): (String, Option<String>) = (row.try_get(4)?, row.try_get(5)?);
    let gates = match gates {
        Some(text) => queue::read(&text)?,
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
    let mut last_storm = None;
    let asking_number: i64 = row.try_get(11)?;
    let dedupe_key: String = row.try_get(1)?;
    let switched = switched_on(work, &integration, &rule).await?;
    facts.kill_switch = facts.kill_switch.or(switched.bridge);
    facts.paused = switched.paused;
    facts.suppressed = suppressions::suppressed(work, &dedupe_key).await?;
    if !facts.has_place || ask.is_at_create {
        facts.tried_again_at = outage(work, &integration, &ask.job_id).await?.map(|outage| outage.next_at);
        if gates.min_occurrences.is_some() {
            let text = "SELECT at FROM firings WHERE alert = $1 ORDER BY at DESC";
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
                Some(Earlier::OfAStorm { session, storm, is_at_work }) => {
                    facts.linked = Some((session, is_at_work));
                    last_storm = Some(storm);
                }
                None => {}
            }
        }
    }
    let held = held_by.map(|held_by| (held_by, held_why));
    Ok(Some(Asking {
        storm: row.try_get(12)?,
        last_storm,
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

/// What of a limit is taken by other jobs: by all, or by those that have this value in this column. A job that has its place
/// comes with when it was made: of those that have one and are held all the same, the later ones wait for it.
pub async fn usage(
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
    /// Of the storm that the alert was part of.
    OfAStorm {
        session: Linked,
        storm: String,
        is_at_work: bool,
    },
}

/// The session of the alert's last job, where that may hold this one back.
async fn cooldown(work: &mut Work<'_>, alert: &str, holds: &Holds) -> Result<Option<Earlier>, StoreError> {
    let text = "SELECT j.settled_at, j.status, j.result, j.session_id, j.session_url, r.settled_at, r.status, r.result, s.id \
        FROM jobs j LEFT JOIN storms s ON s.id = j.storm LEFT JOIN jobs r ON r.id = s.root WHERE j.alert = $1 \
        AND j.settled_at IS NOT NULL AND j.session_id IS NOT NULL ORDER BY j.settled_at DESC LIMIT 1";
    let Some(row) = sqlx::query(text).bind(alert).fetch_optional(&mut *work.connection).await? else { return Ok(None) };
    let (result, storm): (Option<String>, Option<String>) = (row.try_get(2)?, row.try_get(8)?);
    if let Some(storm) = storm.filter(|_| result.as_deref() == Some("attached")) {
        let session = Linked { session_id: row.try_get(3)?, session_url: row.try_get(4)? };
        let (ended_at, status): (Option<i64>, Option<String>) = (row.try_get(5)?, row.try_get(6)?);
        let Some(ended_at) = ended_at else {
            return Ok(Some(Earlier::OfAStorm { session, storm, is_at_work: true }));
        };
        let result: Option<String> = row.try_get(7)?;
        // That it waits for a person does not keep the others waiting for ever.
        let status = status.map(|status| if status == "blocked" { "done".to_string() } else { status });
        let lasts = holds_for(status.as_deref(), result.as_deref(), holds);
        let is_held = work.now - ended_at < lasts;
        return Ok(is_held.then_some(Earlier::OfAStorm { session, storm, is_at_work: false }));
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
