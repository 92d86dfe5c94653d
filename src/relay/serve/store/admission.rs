//! A job is about to start: may it? The facts are gathered, the gates asked, and the answer, with the place that a start takes,
//! kept in the caller's transaction, so that no two jobs take the last place.

mod facts;
mod places;
mod quota;

use std::sync::Arc;

use super::decisions::{Record, record};
use super::storms::{self, Member};
use super::trouble::StoreError;
use super::work::Work;
use super::{Order, Reply, Store, outbox};
use crate::relay::prior::Holds;
use crate::relay::prompt::Companion;
use crate::relay::serve::gates::{Bounds, Decision, Gate, Linked, decide, ready_at};
use crate::relay::serve::notify::{Event, Happened};
use facts::gather;
pub use facts::usage;
pub use places::{Freed, release, wake};
pub use quota::outage;

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
        /// Whether it was told another answer before.
        is_new: bool,
    },
    /// It is asked again after so many milliseconds. One that had not begun is given back already.
    /// `is_new` where it was told another answer before.
    Hold {
        wait: i64,
        gate: Gate,
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
        gate: Gate,
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

/// Decides whether a job may start, and keeps the answer.
///
/// # Errors
/// The database's.
pub async fn admit(work: &mut Work<'_>, ask: &Ask) -> Result<Admission, StoreError> {
    let Some(mut asking) = gather(work, ask).await? else { return Ok(Admission::Lost) };
    let mut decision = decide(&asking.facts, &asking.gates, &ask.bounds);
    let ready_at = ready_at(&asking.facts, &asking.gates).unwrap_or(work.now);
    let has_storms = decision.is_ready() && !ask.is_at_create && !asking.facts.has_place;
    if let Some(storm) = asking.gates.storm.filter(|_| has_storms) {
        let (storm_id, delay) = (asking.storm.clone(), asking.gates.delay);
        let member = Member { job_id: &ask.job_id, rule: &asking.rule, storm: storm_id, came_at: ready_at, delay };
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
        Decision::Hold { until, gate, reason, .. } => (Some(*gate), Some(reason), Some(*until)),
    };
    let is_new = match (&decision, &asking.held) {
        // Also after a hold right before its create.
        (Decision::Start, held) => is_first_start || held.is_some(),
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
    if let (true, Decision::Hold { gate, reason, .. }) = (is_new, &decision)
        && !matches!(gate, Gate::Delay | Gate::MinOccurrences)
    {
        // Once for each gate, however often its reason changes.
        outbox::put(work, &ask.job_id, &[Happened::new(Event::Held, gate.name(), Some(reason))]).await?;
    }
    let scope = if let Decision::Hold { scope, .. } = &decision { *scope } else { None };
    let is_given_back = until.filter(|_| !ask.is_at_create);
    let text = "UPDATE jobs SET decisions = decisions + $3, held_by = $4, held_why = $5, held_for = $12, storm = COALESCE(storm, $13), \
        ready_at = CASE WHEN $6 = 0 THEN ready_at ELSE COALESCE(ready_at, $14) END, \
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
        .bind(scope.map(|scope| scope.name()))
        // A repeat is part of the storm too, so that the next one knows its session.
        .bind(asking.last_storm.as_ref().filter(|_| matches!(decision, Decision::Join { .. })))
        .bind(ready_at)
        .execute(&mut *work.connection)
        .await?;
    let waits_for_quota = matches!(decision, Decision::Hold { gate: Gate::Quota, .. });
    if scope.is_none() && !waits_for_quota && asking.waited_for_a_place() {
        // It did not need the place that it was asked again for, or there may be more than one.
        let (integration, rule) = (&asking.integration, &asking.rule);
        wake(work, Freed { integration, rule, by_its_next: Some(&ask.job_id) }).await?;
    }
    if is_first_start {
        storms::close(work, &ask.job_id).await?;
    }
    Ok(match decision {
        Decision::Start => {
            let companions = match &asking.gates.storm {
                Some(_) if !ask.is_at_create => storms::companions(work, &ask.job_id).await?,
                _ => Vec::new(),
            };
            Admission::Start { companions, is_new }
        }
        Decision::Look { .. } => Admission::Start { companions: Vec::new(), is_new: false },
        Decision::Join { session, reason } => Admission::Join { session, reason },
        Decision::Hold { until, gate, reason, .. } => Admission::Hold { wait: until - work.now, gate, reason, is_new },
        Decision::Refuse { gate, reason } => Admission::Refuse { is_resolved: asking.facts.is_resolved, gate, reason },
    })
}
