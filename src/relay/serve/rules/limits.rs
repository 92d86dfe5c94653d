//! What a rules file says about when an alert may start: delays, occurrences, storms, limits. Pure; what it means is decided
//! by the gates.

use std::time::Duration;

use super::node::{Position, Value};
use super::section::{Elsewhere, Place, Reader, Section};
use crate::relay::serve::gates::{Gates, Limits, Occurrences, Runs, Storm};
use crate::relay::values::duration;

/// The keys of a rule that say when it starts.
pub const KEYS: [&str; 5] = ["delay", "min_occurrences", "max_wait", "storm", "limits"];

pub const LIMITS: [&str; 3] = ["concurrent_sessions", "runs", "acu_per_day"];
pub const OCCURRENCES: [&str; 2] = ["count", "within"];
pub const STORM: [&str; 3] = ["threshold", "window", "immediate"];

const STORM_ELSEWHERE: [Elsewhere; 5] = [
    ("stormThreshold", "write threshold"),
    ("stormWindowSeconds", "write window: 60s, with its unit"),
    ("maxImmediateDispatches", "write immediate"),
    ("window_seconds", "write window: 60s, with its unit"),
    ("max_immediate_dispatches", "write immediate"),
];

const LIMITS_ELSEWHERE: [Elsewhere; 4] = [
    ("concurrent", "write concurrent_sessions"),
    ("max_concurrent", "write concurrent_sessions"),
    ("acus", "write acu_per_day"),
    ("rate", "write runs: [3/1h, 7/1d]"),
];

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

/// Where an `acu_per_day` stands, and its key.
pub type Budget = (Position, String);

/// Limits and where their budget stands.
#[derive(Debug, Clone, Default)]
pub struct Limited {
    pub limits: Limits,
    pub budget: Option<Budget>,
}

/// Reads into `gates` what a rule says; limits are inherited as a whole.
pub fn gates<'a>(section: &Section<'a>, gates: &mut Gates, budget: &mut Option<Budget>, reader: &mut Reader<'a>) {
    let time = |name: &str, longest: Duration, bounds: &str, reader: &mut Reader<'a>| {
        let place = section.get(name, reader)?;
        reader.time_within(&place, Duration::ZERO..=longest, bounds)
    };
    if let Some(delay) = time("delay", DAY, "of at most 24h", reader) {
        gates.delay = delay;
    }
    if let Some(place) = section.get("max_wait", reader)
        && let Some(longest) = reader.time_within(&place, SECOND..=30 * DAY, "from 1s to 30d")
    {
        gates.max_wait = longest;
    }
    if let Some(place) = section.get("min_occurrences", reader) {
        gates.min_occurrences = occurrences(&place, reader);
    }
    if let Some(place) = section.get("storm", reader) {
        gates.storm = storm(&place, reader);
    }
    if let Some(place) = section.get("limits", reader) {
        Limited { limits: gates.limits, budget: *budget } = limits(&place, reader);
    }
    if gates.delay >= gates.max_wait
        && let Some(place) = section.get("delay", reader).or_else(|| section.get("max_wait", reader))
    {
        reader.problem(&place, "leaves no time to start: max_wait, which is 1h by default, must be longer than delay");
    }
}

/// Reads `limits`, of whatever holds them.
pub fn limits<'a>(place: &Place<'a>, reader: &mut Reader<'a>) -> Limited {
    let Some(section) = reader.section(place, &LIMITS, &LIMITS_ELSEWHERE) else { return Limited::default() };
    let mut limits = Limits::default();
    let concurrent = section.get("concurrent_sessions", reader);
    limits.concurrent_sessions = concurrent.and_then(|place| reader.number(&place, 1..=10_000));
    if let Some(place) = section.get("runs", reader) {
        let items = if matches!(&place.node.value, Value::List(_)) { reader.items(&place) } else { vec![place] };
        limits.runs = items.iter().filter_map(|item| runs(item, reader)).collect();
    }
    let place = section.get("acu_per_day", reader);
    limits.acu_per_day = place.as_ref().and_then(|place| reader.number(place, 1..=u32::MAX));
    let budget = place.filter(|_| limits.acu_per_day.is_some()).map(|place| (place.at, place.key));
    Limited { limits, budget }
}

/// `3/1h`, or `{count: 3, within: 1h}`
fn runs<'a>(place: &Place<'a>, reader: &mut Reader<'a>) -> Option<Runs> {
    let bounds = SECOND..=30 * DAY;
    if let Value::Map(_) = &place.node.value {
        let section = reader.section(place, &OCCURRENCES, &[])?;
        let count = section.required("count", "how many sessions may start, such as count: 3", reader);
        let count = count.and_then(|place| reader.number(&place, 1..=10_000));
        let within = section.required("within", "the time, such as within: 1h", reader);
        let within = within.and_then(|place| reader.time_within(&place, bounds, "from 1s to 30d"));
        return Some(Runs { count: count?, within: within? });
    }
    const FORM: &str = "must be a number of starts and a time: 3/1h, 7/1d";
    if let Value::Number(_) | Value::Decimal(_) = &place.node.value {
        reader.problem(place, FORM);
        return None;
    }
    reader.checked(place, |text| {
        let wrong = || FORM.to_string();
        let (count, within) = text.split_once('/').ok_or_else(wrong)?;
        let count = count.trim().parse().ok().filter(|count| (1..=10_000).contains(count)).ok_or_else(wrong)?;
        let within = within.trim();
        // 3/h is what people write.
        let within =
            if within.starts_with(|c: char| c.is_ascii_digit()) { within.to_string() } else { format!("1{within}") };
        let within = duration(&within).map_err(|_| wrong())?;
        if !bounds.contains(&within) {
            return Err(format!("must have a time from 1s to 30d after the /, but has {text}"));
        }
        Ok(Runs { count, within })
    })
}

fn occurrences<'a>(place: &Place<'a>, reader: &mut Reader<'a>) -> Option<Occurrences> {
    let section = reader.section(place, &OCCURRENCES, &[("times", "write count"), ("window", "write within")])?;
    let count = section.required("count", "how often the alert has to fire, such as count: 3", reader);
    let count = count.and_then(|place| reader.number(&place, 2..=1000));
    let within = section.required("within", "the time, such as within: 10m", reader);
    let within = within.and_then(|place| reader.time_within(&place, SECOND..=7 * DAY, "from 1s to 7d"));
    Some(Occurrences { count: count?, within: within? })
}

fn storm<'a>(place: &Place<'a>, reader: &mut Reader<'a>) -> Option<Storm> {
    // `storm: false` in a rule where the default has storm control.
    if place.node.value == Value::Bool(false) {
        return None;
    }
    let section = reader.section(place, &STORM, &STORM_ELSEWHERE)?;
    let mut storm = Storm::default();
    if let Some(number) = section.get("threshold", reader).and_then(|place| reader.number(&place, 2..=50)) {
        storm.threshold = number;
    }
    if let Some(place) = section.get("window", reader)
        && let Some(window) = reader.time_within(&place, 10 * SECOND..=300 * SECOND, "from 10s to 300s")
    {
        storm.window = window;
    }
    if let Some(number) = section.get("immediate", reader).and_then(|place| reader.number(&place, 0..=5)) {
        storm.immediate = number;
    }
    Some(storm)
}

/// A rule's budget, and what covers it: `max_acu_limit` must be there, and no more than the budget.
pub fn compare(
    rule: (Position, &str),
    max_acu_limit: Option<u32>,
    budgets: &[(Option<u32>, &Option<Budget>)],
    reader: &mut Reader,
) {
    for (acus, place) in budgets {
        let (Some(acus), Some((there, key))) = (acus, place) else { continue };
        let (at, name) = rule;
        match max_acu_limit {
            None => reader.problem_at(
                at,
                &format!("{name}.max_acu_limit"),
                format!("is missing: {key} in {} reserves it for each session", there.in_short()),
            ),
            Some(limit) if limit > *acus => reader.problem_at(
                at,
                &format!("{name}.max_acu_limit"),
                format!(
                    "is {limit}, more than the {acus} that {key} in {} allows in a day: no session could start",
                    there.in_short()
                ),
            ),
            Some(_) => {}
        }
    }
}
