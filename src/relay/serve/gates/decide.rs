//! The gates that an alert passes before it starts a session, in their order. Pure: every moment is handed in, in Unix
//! milliseconds by the store's clock.

use std::time::Duration;

use super::settings::{Bounds, Gates, Limits, Runs, Storm};
use super::storm::{Linked, Root, StormFacts, triage_at};

/// How long until what may change at any moment is asked about again. Whatever changes it makes the alert due sooner.
const ASK_AGAIN: i64 = 60_000;
const ASK_SWITCH_AGAIN: i64 = 300_000;
/// What was about to start was put off in two steps: between them, nobody makes it due sooner.
const ASK_SWITCH_AGAIN_AT_CREATE: i64 = 15_000;
const ASK_ROOT_AGAIN: i64 = 10_000;

const DAY: i64 = 86_400_000;

/// What turns away an alert that no rule takes. It stands before the gates: such an alert has no job that could be asked about.
pub const FILTER: &str = "filter";

/// What the store knows when a job is about to start.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    pub now: i64,
    pub integration: String,
    pub is_resolved: bool,
    pub created_at: i64,
    /// When it was found to have fired long and often enough; `None` until then.
    pub ready_at: Option<i64>,
    /// When it fired, the newest first.
    pub firings: Vec<i64>,
    /// Why nothing starts at all, in a sentence; `None` where it may.
    pub kill_switch: Option<String>,
    /// Which of the rule and the integration is paused, in a sentence; `None` where neither is.
    pub paused: Option<String>,
    /// Until when, and by whom, alerts of its key are suppressed, in a sentence; `None` where they are not.
    pub suppressed: Option<String>,
    /// A person has asked for it.
    pub is_by_hand: bool,
    /// An earlier session of the alert may hold it back, in a sentence.
    pub cooldown: Option<String>,
    /// The session of the storm that it was part of last, and whether that is at work.
    pub linked: Option<(Linked, bool)>,
    /// The storm that it is part of.
    pub storm: Option<StormFacts>,
    /// When the next start is tried, while sessions of the integration are stopped for want of quota; `None` while none is.
    pub tried_again_at: Option<i64>,
    /// It has looked for earlier sessions, and none holds it back.
    pub is_at_create: bool,
    /// It has its place already, and is about to send its create.
    pub has_place: bool,
    /// The most that its session may consume.
    pub max_acu_limit: Option<u32>,
    /// What else goes on and was started of the bridge, the integration and the rule, as far as they have limits.
    pub bridge: Usage,
    pub of_integration: Usage,
    pub of_rule: Usage,
}

/// What of a limit is taken.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    /// Sessions at work.
    pub at_work: u32,
    /// When sessions were started, the newest first, as many as the largest count of a window.
    pub starts: Vec<i64>,
    /// ACUs of this day (UTC) that were consumed, or are reserved.
    pub acus: f64,
}

/// Declares the gates, in the order in which they are asked, each with its word.
macro_rules! gates {
    ($($gate:ident = $name:literal,)*) => {
        /// What an alert waits at, or is turned away by.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Gate {
            $($gate,)*
        }

        impl Gate {
            /// All of them, in the order in which they are asked.
            pub const ALL: &[Gate] = &[$(Gate::$gate),*];

            /// Its word.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Gate::$gate => $name,)*
                }
            }
        }
    };
}

gates! {
    Resolved = "resolved",
    MaxWait = "max_wait",
    Rule = "rule",
    Suppressed = "suppressed",
    KillSwitch = "kill_switch",
    Paused = "paused",
    Delay = "delay",
    MinOccurrences = "min_occurrences",
    Cooldown = "cooldown",
    Storm = "storm",
    Quota = "quota",
    ConcurrentSessions = "concurrent_sessions",
    Runs = "runs",
    AcuPerDay = "acu_per_day",
}

/// What a limit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Bridge,
    Integration,
    Rule,
}

/// Whether a job may start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// With a place of its own.
    Start,
    /// It may look for the session that holds it back, and has no place yet.
    Look { gate: Gate, reason: String },
    /// It is asked again then, or sooner. `scope` says whose limit it waits for, if it does.
    Hold { until: i64, gate: Gate, scope: Option<Scope>, reason: String },
    /// It ends: this session takes care of it.
    Join { session: Linked, reason: String },
    /// It ends.
    Refuse { gate: Gate, reason: String },
}

/// Whether an alert may start a session.
pub fn decide(facts: &Facts, gates: &Gates, bounds: &Bounds) -> Decision {
    // What has its place hears of it from its job, until it is about to send its create.
    if facts.is_resolved && (!facts.has_place || facts.is_at_create) {
        return refuse(Gate::Resolved, "the alert was resolved before a session was created".to_string());
    }
    let ready_at = ready_at(facts, gates);
    // What has its place is not given up any more, and so not asked because of that.
    let longest = ready_at.filter(|_| !facts.has_place).map(|ready_at| ready_at.saturating_add(millis(gates.max_wait)));
    let longest = longest.unwrap_or(i64::MAX);
    let is_too_late = facts.now >= longest;
    let too_late = || {
        let reason = format!("it has waited to start for {}, the most of max_wait", shown(gates.max_wait));
        refuse(Gate::MaxWait, reason)
    };
    if is_too_late && !facts.is_at_create {
        return too_late();
    }
    let held = |until: i64, gate, scope, reason| match is_too_late {
        true => too_late(),
        false => Decision::Hold { until: longest.min(until), gate, scope, reason },
    };
    let hold = |until, gate, reason| held(until, gate, None, reason);
    // What was about to start is not given up because of a switch.
    let switched = |gate, reason: &String| {
        let until = match facts.has_place || facts.is_at_create {
            true => facts.now + ASK_SWITCH_AGAIN_AT_CREATE,
            false => longest.min(facts.now + ASK_SWITCH_AGAIN),
        };
        Decision::Hold { until, gate, scope: None, reason: reason.clone() }
    };
    if bounds.disabled.contains(&gates.rule) {
        return refuse(Gate::Rule, format!("the rule {} is disabled", gates.rule));
    }
    if let Some(reason) = &facts.suppressed {
        return refuse(Gate::Suppressed, reason.clone());
    }
    if let Some(reason) = &facts.kill_switch {
        return switched(Gate::KillSwitch, reason);
    }
    if let Some(reason) = &facts.paused {
        return switched(Gate::Paused, reason);
    }
    // What was put off since it took its place starts now, and not then.
    if facts.has_place && !facts.is_at_create {
        return Decision::Start;
    }
    if facts.ready_at.is_none() && !facts.is_at_create {
        let fired_for = facts.created_at.saturating_add(millis(gates.delay));
        if facts.now < fired_for {
            return hold(fired_for, Gate::Delay, format!("it has to fire for {} first", shown(gates.delay)));
        }
        if let (Some(often), None) = (gates.min_occurrences, ready_at) {
            let within = millis(often.within);
            let fired = facts.firings.iter().filter(|at| **at > facts.now - within).count();
            let asked = format!("{fired} of {} times within {}", often.count, shown(often.within));
            return match facts.firings.iter().max() {
                Some(newest) if fired > 0 => hold(newest + within, Gate::MinOccurrences, format!("it fired {asked}")),
                _ => {
                    let reason = format!("it fired fewer than {} times within {}", often.count, shown(often.within));
                    refuse(Gate::MinOccurrences, reason)
                }
            };
        }
    }
    if let Some(reason) = &facts.cooldown {
        return Decision::Look { gate: Gate::Cooldown, reason: reason.clone() };
    }
    match &facts.linked {
        Some((session, true)) => {
            let reason = "it was part of a storm whose session is at work".to_string();
            return Decision::Join { session: session.clone(), reason };
        }
        Some((_, false)) => {
            let reason = "it was part of a storm whose session ended within the cool-down".to_string();
            return refuse(Gate::Cooldown, reason);
        }
        None => {}
    }
    if let Some((storm, now)) = gates.storm.as_ref().zip(facts.storm.as_ref()) {
        match &now.root {
            Root::This => {}
            Root::Session(session) => {
                let reason = "it is part of a storm, which has one session".to_string();
                return Decision::Join { session: session.clone(), reason };
            }
            Root::Open if now.started < storm.immediate => {}
            Root::Open => {
                let until = triage_at(now.detected_at, now.last_at).max(facts.now + 1000);
                return hold(until, Gate::Storm, in_a_storm(storm));
            }
            Root::Waits => {
                let reason = "it is part of a storm, and waits for the session that is started for all of it";
                return hold(facts.now + ASK_ROOT_AGAIN, Gate::Storm, reason.to_string());
            }
        }
    }
    // What a person asks for is tried at once.
    let tried_again_at = facts.tried_again_at.filter(|_| !facts.is_by_hand);
    if let Some(tried_again_at) = tried_again_at.filter(|at| facts.now < *at) {
        let reason = format!(
            "the quota of the integration {} is used up: one start is tried every 15 minutes until a session has worked",
            facts.integration
        );
        return hold(tried_again_at, Gate::Quota, reason);
    }
    let no_limits = Limits::default();
    let of_integration = bounds.integrations.get(&facts.integration).unwrap_or(&no_limits);
    let scopes = [
        (Scope::Bridge, "the bridge".to_string(), &bounds.limits, &facts.bridge),
        (Scope::Integration, format!("the integration {}", facts.integration), of_integration, &facts.of_integration),
        (Scope::Rule, format!("the rule {}", gates.rule), &gates.limits, &facts.of_rule),
    ];
    match scopes.iter().find_map(|(scope, name, limits, usage)| Some((*scope, over(facts, name, limits, usage)?))) {
        None => Decision::Start,
        Some((scope, Over::Until(until, gate, reason))) => held(until, gate, Some(scope), reason),
        Some((_, Over::Forever(reason))) => refuse(Gate::AcuPerDay, reason),
    }
}

/// When it had fired long and often enough, or will have; `None` where that is not known.
pub fn ready_at(facts: &Facts, gates: &Gates) -> Option<i64> {
    let delayed = facts.created_at.saturating_add(millis(gates.delay));
    let often = gates.min_occurrences;
    let reached = || often.map_or(Some(delayed), |often| often.reached_at(&facts.firings, facts.created_at));
    facts.ready_at.or_else(|| reached().map(|reached| reached.max(delayed)))
}

/// A limit that leaves no room.
enum Over {
    Until(i64, Gate, String),
    Forever(String),
}

fn over(facts: &Facts, name: &str, limits: &Limits, usage: &Usage) -> Option<Over> {
    if let Some(most) = limits.concurrent_sessions.filter(|most| usage.at_work >= *most) {
        let reason = format!("{name} has {} at work, as many as concurrent_sessions allows", sessions(most));
        return Some(Over::Until(facts.now + ASK_AGAIN, Gate::ConcurrentSessions, reason));
    }
    for Runs { count, within } in &limits.runs {
        // The one that has to leave the window for another one to have room.
        let last = usage.starts.get((*count as usize).saturating_sub(1));
        if let Some(free_at) = last.map(|at| at.saturating_add(millis(*within))).filter(|free_at| facts.now < *free_at)
        {
            let reason =
                format!("{name} has started {} within {}, as many as runs allows", sessions(*count), shown(*within));
            return Some(Over::Until(free_at, Gate::Runs, reason));
        }
    }
    let budget = limits.acu_per_day?;
    let Some(wanted) = facts.max_acu_limit else {
        return Some(Over::Forever(format!("acu_per_day of {name} needs a max_acu_limit for each session")));
    };
    if wanted > budget {
        return Some(Over::Forever(format!(
            "its session may use {wanted} ACUs, more than the {budget} that acu_per_day of {name} allows in a whole day"
        )));
    }
    if usage.acus + f64::from(wanted) <= f64::from(budget) {
        return None;
    }
    let midnight = (facts.now.div_euclid(DAY) + 1) * DAY;
    let reason = format!(
        "{name} has used or reserved {} of the {budget} ACUs of this day (UTC), and its session may use {wanted}",
        (usage.acus * 100.0).round() / 100.0
    );
    // What sessions leave over is free when they end.
    Some(Over::Until(midnight.min(facts.now + 5 * ASK_AGAIN), Gate::AcuPerDay, reason))
}

fn refuse(gate: Gate, reason: String) -> Decision {
    Decision::Refuse { gate, reason }
}

impl Gate {
    /// Whether it lets alerts wait, and does not only turn them away or look them up.
    pub fn holds(self) -> bool {
        !matches!(self, Gate::Resolved | Gate::MaxWait | Gate::Rule | Gate::Suppressed | Gate::Cooldown)
    }

    /// Whether it turns alerts away.
    pub fn refuses(self) -> bool {
        use Gate::{AcuPerDay, Cooldown, MaxWait, MinOccurrences, Resolved, Rule, Suppressed};
        matches!(self, Resolved | MaxWait | Rule | Suppressed | MinOccurrences | Cooldown | AcuPerDay)
    }

    /// The words of all gates that a decision may name, in their order.
    pub fn names() -> impl Iterator<Item = &'static str> {
        std::iter::once(FILTER).chain(Gate::ALL.iter().map(|gate| gate.name()))
    }
}

impl Scope {
    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Bridge => "bridge",
            Scope::Integration => "integration",
            Scope::Rule => "rule",
        }
    }
}

impl Decision {
    /// Whether the alert has fired for long and often enough.
    pub fn is_ready(&self) -> bool {
        use Gate::{ConcurrentSessions, Runs};
        match self {
            Decision::Start => true,
            Decision::Hold { gate, .. } => {
                matches!(gate, Gate::Storm | Gate::Quota | ConcurrentSessions | Runs | Gate::AcuPerDay)
            }
            Decision::Look { .. } | Decision::Join { .. } | Decision::Refuse { .. } => false,
        }
    }

    /// Its word.
    pub fn name(&self) -> &'static str {
        match self {
            Decision::Start => "start",
            Decision::Look { .. } => "look",
            Decision::Hold { .. } => "hold",
            Decision::Join { .. } => "join",
            Decision::Refuse { .. } => "refuse",
        }
    }
}

fn in_a_storm(storm: &Storm) -> String {
    format!(
        "{} alerts or more within {} are a storm: one session is started for all of it",
        storm.threshold,
        shown(storm.window)
    )
}

/// So many sessions, in words.
fn sessions(number: u32) -> String {
    if number == 1 { "1 session".to_string() } else { format!("{number} sessions") }
}

/// A time as the rules file has it.
pub fn shown(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 if !time.is_zero() => format!("{}ms", time.as_millis()),
        _ if seconds > 0 && seconds.is_multiple_of(86_400) => format!("{}d", seconds / 86_400),
        _ if seconds > 0 && seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        _ if seconds > 0 && seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 4)
}
