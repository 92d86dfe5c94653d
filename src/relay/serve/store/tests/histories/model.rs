//! Who may start, by a slow and plain account that is written from the rules for alerts and not from the code: lists that are
//! gone through from end to end, every time.

use std::collections::BTreeMap;

use super::super::Switch;
use super::storming::Storm;
use crate::relay::outcome::OutcomeKind;
use crate::relay::serve::gates::{Gates, Limits};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// What a job was told.
pub type Told = (&'static str, Option<&'static str>);

#[derive(Default)]
pub struct Plain {
    pub bridge: Limits,
    pub integrations: BTreeMap<String, Limits>,
    pub rules: BTreeMap<String, (Gates, i64)>,
    pub jobs: Vec<Job>,
    pub storms: Vec<Storm>,
    /// By tag: whether it fires, and every time that it did.
    pub firing: BTreeMap<String, bool>,
    pub firings: BTreeMap<String, Vec<i64>>,
    pub is_stopped: bool,
    pub paused: Option<Switch>,
    /// By tag: until when it is to start nothing.
    pub suppressed: BTreeMap<String, i64>,
}

#[derive(Clone, Default)]
pub struct Job {
    pub id: String,
    pub tag: String,
    pub rule: String,
    pub integration: String,
    pub severity: Option<&'static str>,
    pub came: i64,
    /// When it had fired long and often enough.
    pub ready: Option<i64>,
    /// Whether it was asked about at all, or only held by a switch.
    pub is_known: bool,
    pub is_by_hand: bool,
    pub storm: Option<usize>,
    /// When it took its place; given back where it came to no session.
    pub placed: Option<i64>,
    pub created: Option<i64>,
    pub acus: f64,
    pub has_worked: bool,
    pub ended: Option<(i64, OutcomeKind)>,
    /// The job whose session it has: its own, or that of its storm.
    pub session_of: Option<String>,
}

impl Job {
    /// When it was known that its session works: it was at work for long enough, or ended well before.
    fn worked_at(&self, now: i64) -> Option<i64> {
        let long = self.placed? + 15 * MINUTE;
        if self.has_worked && self.ended.map_or(now, |(at, _)| at) >= long {
            return Some(long);
        }
        self.ended.filter(|(_, kind)| matches!(kind, OutcomeKind::NoPr | OutcomeKind::WaitingForUser)).map(|(at, _)| at)
    }
}

impl Plain {
    pub fn job(&mut self, id: &str) -> &mut Job {
        self.jobs.iter_mut().find(|job| job.id == id).expect("it is known")
    }

    pub fn of(&self, id: &str) -> &Job {
        self.jobs.iter().find(|job| job.id == id).expect("it is known")
    }

    /// The job of an alert that goes on.
    pub fn active(&self, tag: &str) -> Option<&Job> {
        self.jobs.iter().find(|job| job.tag == tag && job.ended.is_none())
    }

    pub fn is_firing(&self, tag: &str) -> bool {
        self.firing.get(tag).copied().unwrap_or_default()
    }

    pub fn is_suppressed(&self, tag: &str, now: i64) -> bool {
        self.suppressed.get(tag).is_some_and(|until| now < *until)
    }

    /// What a job that has not begun is to be told.
    pub fn predict(&mut self, id: &str, now: i64, is_at_create: bool) -> Told {
        let job = self.of(id).clone();
        let (gates, _) = self.rules[&job.rule].clone();
        let delay = millis(gates.delay);
        if !self.is_firing(&job.tag) {
            return ("refuse", Some("resolved"));
        }
        let ready = self.ready_at(&job, now);
        let too_late = ready.filter(|ready| now >= ready + HOUR).map(|_| ("refuse", Some("max_wait")));
        if let (Some(told), false) = (too_late, is_at_create) {
            return told;
        }
        if self.is_suppressed(&job.tag, now) {
            return ("refuse", Some("suppressed"));
        }
        if self.is_stopped {
            self.job(id).is_known &= is_at_create;
            return ("hold", Some("kill_switch"));
        }
        if self.is_paused(&job) {
            self.job(id).is_known &= is_at_create;
            return ("hold", Some("paused"));
        }
        self.job(id).is_known = true;
        if job.ready.is_none() && !is_at_create {
            if now < job.came + delay {
                return ("hold", Some("delay"));
            }
            if let (Some(often), None) = (gates.min_occurrences, ready) {
                let since = now - millis(often.within);
                let has_fired = self.firings[&job.tag].iter().any(|at| *at > since);
                return (if has_fired { "hold" } else { "refuse" }, Some("min_occurrences"));
            }
        }
        let has_limits = [&self.bridge, &self.integrations[&job.integration], &gates.limits]
            .iter()
            .any(|limits| **limits != Limits::default());
        if (has_limits || gates.storm.is_some()) && !is_at_create {
            // Where nothing is at stake, the search for sessions says it.
            match self.holding(&job, now) {
                Some(Holding::Own) => return ("look", Some("cooldown")),
                Some(Holding::Storms { is_at_work: true }) => return ("join", Some("storm")),
                Some(Holding::Storms { is_at_work: false }) => return ("refuse", Some("cooldown")),
                None => {}
            }
        }
        if gates.storm.is_some()
            && !is_at_create
            && let Some(told) = self.in_a_storm(id, now)
        {
            self.job(id).ready = ready;
            return told;
        }
        let told = match self.full(&job, now, false) {
            _ if !job.is_by_hand && self.waits_for_quota(&job, now) => ("hold", Some("quota")),
            Some(gate) => ("hold", Some(gate)),
            None => ("start", None),
        };
        if let (Some(too_late), "hold") = (too_late, told.0) {
            return too_late;
        }
        self.job(id).ready = ready;
        told
    }

    /// When a job had fired long and often enough, or will have.
    pub fn ready_at(&self, job: &Job, now: i64) -> Option<i64> {
        let (gates, _) = &self.rules[&job.rule];
        let delayed = job.came + millis(gates.delay);
        let Some(often) = gates.min_occurrences else { return job.ready.or(Some(delayed)) };
        let firings = &self.firings[&job.tag];
        let is_often = |moment: i64| {
            let within = firings.iter().filter(|at| **at <= moment && moment - **at < millis(often.within));
            within.count() >= often.count as usize
        };
        let moments = firings.iter().copied().filter(|at| *at > job.came && *at <= now).chain([job.came]);
        let reached = moments.filter(|moment| is_often(*moment)).min();
        job.ready.or(reached.map(|reached| reached.max(delayed)))
    }

    /// What a job that has its place, and is about to create, is told by a switch; `None` where it may go on.
    pub fn switched(&self, id: &str, now: i64) -> Option<Told> {
        let job = self.of(id);
        if self.is_suppressed(&job.tag, now) {
            return Some(("refuse", Some("suppressed")));
        }
        if self.is_stopped {
            return Some(("hold", Some("kill_switch")));
        }
        self.is_paused(job).then_some(("hold", Some("paused")))
    }

    fn is_paused(&self, job: &Job) -> bool {
        match &self.paused {
            Some(Switch::Integration(name)) => *name == job.integration,
            Some(Switch::Rule(rule)) => *rule == job.rule,
            _ => false,
        }
    }

    /// What may hold back the next session of an alert: the last one.
    fn holding(&self, job: &Job, now: i64) -> Option<Holding> {
        let cooldown = if job.is_by_hand { 0 } else { self.rules[&job.rule].1 };
        let with_session = self
            .jobs
            .iter()
            .filter(|other| other.tag == job.tag && other.session_of.is_some() && other.ended.is_some());
        let last = with_session.max_by_key(|other| other.ended.map(|(at, _)| at))?;
        let (at, kind) = last.ended?;
        if kind == OutcomeKind::Attached {
            let root = self.of(last.session_of.as_ref()?);
            let Some((at, kind)) = root.ended else { return Some(Holding::Storms { is_at_work: true }) };
            let kind = if kind == OutcomeKind::WaitingForUser { OutcomeKind::NoPr } else { kind };
            return (now - at < lasts(kind, cooldown)).then_some(Holding::Storms { is_at_work: false });
        }
        (now - at < lasts(kind, cooldown)).then_some(Holding::Own)
    }

    pub fn waits_for_quota(&self, job: &Job, now: i64) -> bool {
        let of_it = || self.jobs.iter().filter(|other| other.integration == job.integration);
        let stopped = of_it().filter_map(|other| other.ended.filter(|(_, kind)| *kind == OutcomeKind::QuotaExceeded));
        let mut stops: Vec<i64> = stopped.map(|(at, _)| at).collect();
        stops.sort_unstable();
        let mut over = i64::MIN;
        let mut since = None;
        for stop in stops {
            if since.is_some() || stop < over {
                continue;
            }
            let began_later = of_it().filter(|other| other.placed.is_some_and(|at| at > stop));
            match began_later.filter_map(|other| other.worked_at(now)).min() {
                Some(end) => over = end,
                None => since = Some(stop),
            }
        }
        let Some(since) = since else { return false };
        let tries = of_it().filter(|other| other.id != job.id && !other.is_by_hand).filter_map(|other| other.placed);
        let last = tries.filter(|at| *at > since).max().unwrap_or(since);
        now < last + 15 * MINUTE
    }

    /// Which limit leaves no room for one more: place, or session that was really created.
    pub fn full(&self, job: &Job, now: i64, of_sessions: bool) -> Option<&'static str> {
        let moment = |other: &Job| if of_sessions { other.created } else { other.placed };
        let all = || self.jobs.iter().filter(|other| other.id != job.id && moment(other).is_some());
        let scopes: [(&Limits, Vec<&Job>); 3] = [
            (&self.bridge, all().collect()),
            (
                &self.integrations[&job.integration],
                all().filter(|other| other.integration == job.integration).collect(),
            ),
            (&self.rules[&job.rule].0.limits, all().filter(|other| other.rule == job.rule).collect()),
        ];
        for (limits, others) in scopes {
            let at_work = others.iter().filter(|other| other.ended.is_none()).count();
            if limits.concurrent_sessions.is_some_and(|most| at_work >= most as usize) {
                return Some("concurrent_sessions");
            }
            for runs in &limits.runs {
                let since = now - millis(runs.within);
                if others.iter().filter(|other| moment(other) > Some(since)).count() >= runs.count as usize {
                    return Some("runs");
                }
            }
            let today = now / DAY * DAY;
            let used: f64 = others.iter().filter(|other| moment(other) >= Some(today)).map(|other| other.acus).sum();
            if limits.acu_per_day.is_some_and(|budget| used + 4.0 > f64::from(budget)) {
                return Some("acu_per_day");
            }
        }
        None
    }

    /// The last job of an alert, and why it is not started again by hand; `None` for no job, or no reason.
    pub fn objection(&self, tag: &str, now: i64) -> (Option<&Job>, Option<&'static str>) {
        let last = self.jobs.iter().filter(|job| job.tag == tag).max_by_key(|job| job.came);
        let Some(job) = last else { return (None, None) };
        let is_attached = || {
            let root = job.session_of.as_ref().map(|root| self.of(root));
            root.is_some_and(|root| root.ended.is_none())
        };
        let why = match job.ended {
            None => Some("it goes on"),
            Some(_) if !self.is_firing(tag) => Some("resolved"),
            Some((_, OutcomeKind::WaitingForUser)) => Some("it waits for a person"),
            Some((_, OutcomeKind::Attached)) if is_attached() => Some("attached"),
            Some(_) if self.is_suppressed(tag, now) => Some("suppressed"),
            Some(_) => None,
        };
        (last, why)
    }

    /// A job takes its place.
    pub fn place(&mut self, id: &str, now: i64) {
        let job = self.job(id);
        (job.placed, job.acus) = (Some(now), 4.0);
        for storm in &mut self.storms {
            if storm.root.as_deref() == Some(id) {
                storm.is_open = false;
            }
        }
    }
}

/// What holds an alert back.
enum Holding {
    Own,
    Storms { is_at_work: bool },
}

fn lasts(kind: OutcomeKind, cooldown: i64) -> i64 {
    match kind {
        OutcomeKind::WaitingForUser => i64::MAX,
        OutcomeKind::NoPr | OutcomeKind::PollTimeout => cooldown,
        OutcomeKind::SessionError => cooldown.min(10 * MINUTE),
        _ => 0,
    }
}

pub fn millis(time: std::time::Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap()
}
