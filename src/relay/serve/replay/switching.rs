//! When switches were on: since when those are that are on, and between the answers that held a job because of one. What was on
//! while nothing asked left no trace, and changed nothing. Pure.

use std::collections::VecDeque;

use crate::relay::serve::store::{KeptJob, Switch};

/// A switch that is thrown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thrown {
    pub at: i64,
    pub switch: Switch,
    pub is_on: bool,
}

/// The switches as they were thrown until `until`, in their order; `on` are those that are on then, each with when it was
/// thrown.
pub fn switches(jobs: &[KeptJob], on: Vec<(Switch, i64)>, until: i64) -> VecDeque<Thrown> {
    let mut spans: Vec<(Switch, i64, i64)> = on.into_iter().map(|(switch, at)| (switch, at, i64::MAX)).collect();
    for job in jobs {
        for (place, held) in job.decisions.iter().enumerate() {
            let reason = held.reason.as_deref().unwrap_or_default();
            let switch = match (held.decision.as_str(), held.gate.as_deref()) {
                ("hold", Some("kill_switch")) => Switch::Bridge,
                ("hold", Some("paused")) if reason.starts_with("the rule") => Switch::Rule(job.rule.clone()),
                ("hold", Some("paused")) => Switch::Integration(job.integration.clone()),
                _ => continue,
            };
            let over = job.decisions.get(place + 1).map(|next| next.at).or(job.settled_at);
            spans.push((switch, held.at, over.unwrap_or(until)));
        }
    }
    // Those of one switch that touch are one.
    spans.sort_by(|one, other| (name(&one.0), one.1, one.2).cmp(&(name(&other.0), other.1, other.2)));
    let mut merged: Vec<(Switch, i64, i64)> = Vec::new();
    for (switch, from, to) in spans {
        match merged.last_mut() {
            Some((last, _, end)) if *last == switch && from <= *end => *end = (*end).max(to),
            _ => merged.push((switch, from, to)),
        }
    }
    let mut thrown: Vec<Thrown> = merged
        .into_iter()
        .flat_map(|(switch, from, to)| {
            let off = Thrown { at: to, switch: switch.clone(), is_on: false };
            [Thrown { at: from, switch, is_on: true }, off]
        })
        .collect();
    thrown.sort_by_key(|one| (one.at, one.is_on));
    thrown.into()
}

fn name(switch: &Switch) -> (u8, &str) {
    match switch {
        Switch::Bridge => (0, ""),
        Switch::Integration(name) => (1, name),
        Switch::Rule(id) => (2, id),
    }
}
