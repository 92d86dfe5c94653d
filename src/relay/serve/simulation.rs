//! What the rules would make of a delivery, in sentences. Pure: nothing is kept and nothing started, and what the store knows
//! (cool-downs, limits that are used up) is not asked.

use super::gates::shown;
use super::reading::{TAKES, Unreadable, consider, read};
use super::rules::{Route, Rules};
use super::store::{EntryState, NewJob, Verdict};
use redact::Redactor;

/// What would become of a delivery.
pub struct Simulated {
    /// A sentence for each alert and rule.
    pub lines: Vec<String>,
    /// What would be noted to the sender.
    pub notes: Vec<String>,
}

/// Reads a delivery to `route` as it would be read.
///
/// # Errors
/// Why it would be refused.
pub fn simulate(rules: &Rules, route: &Route, body: Vec<u8>, redactor: &Redactor) -> Result<Simulated, String> {
    let draw = || "00000000".to_string();
    let considered = consider(rules, route, &body, redactor).unwrap_or_default();
    let read = read(rules, route, body, &[], redactor, &draw).map_err(|problem| match problem {
        Unreadable::TooLarge(reason) | Unreadable::NotJson(reason) => reason,
    })?;
    let (mut lines, mut told) = (Vec::new(), Vec::new());
    for entry in &read.delivery.entries {
        let what = match &entry.state {
            EntryState::Firing(new) => started(rules, new, redactor),
            EntryState::Resolved => "is resolved: its session would hear of it".to_string(),
            // Where no session is known, nothing is told.
            EntryState::ResolvedIfKnown => continue,
            EntryState::Other(word) => format!("is {word}: nothing would start"),
            EntryState::Unwanted(reason) => format!("would start nothing: {reason}"),
        };
        lines.push(format!("{} ({}) {what}", entry.title, entry.dedupe_key));
        let asked = considered.iter().filter(|one| one.tags.contains(&entry.tag) && !told.contains(&one.tags));
        for one in asked.collect::<Vec<_>>() {
            told.push(one.tags.clone());
            let others = one.rules.iter().filter(|line| !line.ends_with(TAKES));
            lines.extend(others.map(|line| format!("  {line}")));
        }
    }
    match read.delivery.verdict {
        Verdict::Alerts => {}
        Verdict::NoAlert(reason) => lines.push(format!("no alert: {reason}")),
        Verdict::Unrecognized(reason) => return Err(reason),
    }
    Ok(Simulated { lines, notes: read.notes })
}

/// Which session would start, and what would hold it back.
fn started(rules: &Rules, new: &NewJob, redactor: &Redactor) -> String {
    let gates = &new.gates;
    let mut line = format!("would start a session by the rule {} in {}", gates.rule, new.integration);
    let repos = &new.job.request.new.repos;
    if !repos.is_empty() {
        line.push_str(&format!(", for {}", redactor.redact(&repos.join(", "))));
    }
    let mut held = Vec::new();
    if !gates.delay.is_zero() {
        held.push(format!("after it has fired for {}", shown(gates.delay)));
    }
    if let Some(often) = gates.min_occurrences {
        held.push(format!("once it has fired {} times within {}", often.count, shown(often.within)));
    }
    if let Some(storm) = gates.storm {
        held.push(format!("unless {} alerts within {} are a storm", storm.threshold, shown(storm.window)));
    }
    let of_integration = rules.bounds.integrations.get(&new.integration);
    let limits = [Some(&gates.limits), of_integration, Some(&rules.bounds.limits)];
    if limits.into_iter().flatten().any(|limits| *limits != Default::default()) {
        held.push("within the limits".to_string());
    }
    if !held.is_empty() {
        line.push_str(&format!("; {}", held.join(", ")));
    }
    line
}
