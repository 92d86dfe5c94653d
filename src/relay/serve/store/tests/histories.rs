//! Thousands of alerts by chance, with a clock of their own, beside a slow and plain account of who may start: what the store
//! decides is what that says. No limit is ever broken, nobody is held without need or left asleep while a place is free, each
//! answer has a row, and nobody is forgotten.
//! `RELAY_HISTORIES=1000 cargo test --release --lib store::tests::histories` plays more of them, `RELAY_HISTORY=SEED` one.

mod model;
mod storming;
mod wishing;
mod working;

use std::sync::Mutex;

use sqlx::{AnyConnection, Connection as _, Row as _};

use self::model::{Job as PlainJob, Plain, Told};
use super::super::schema::migrate;
use super::super::work::Dialect;
use super::super::work::Work;
use super::super::{admission, decisions, intake, queue};
use super::*;
use crate::relay::alert::Severity;
use crate::relay::job::FindBy;
use crate::relay::serve::gates::{Bounds, Limits, Occurrences, Runs, Storm};

const SECOND: i64 = 1000;
const RULES: [&str; 5] = ["plain", "often", "stormy", "slow", "cool"];
const INTEGRATIONS: [&str; 2] = ["one", "two"];
const TAGS: usize = 30;
/// So many are played where nobody asks for more: some thousand alerts.
const HISTORIES: usize = 12;
const LIMITS: [&str; 3] = ["concurrent_sessions", "runs", "acu_per_day"];

struct World {
    seed: u64,
    history: Vec<String>,
    connection: AnyConnection,
    now: i64,
    random: fastrand::Rng,
    bounds: Bounds,
    number: u32,
    plain: Plain,
    /// Until when somebody may be asleep though his place is free: a process that died holds the one who was woken, or the limits
    /// are others.
    is_excused_until: i64,
    /// How often each answer was given.
    answers: Answers,
}

fn limits(random: &mut fastrand::Rng) -> Limits {
    let mut runs = Vec::new();
    if random.bool() {
        runs.push(Runs { count: random.u32(1..9), within: Duration::from_secs(random.u64(60..3600)) });
        runs.push(Runs { count: random.u32(9..60), within: Duration::from_secs(86_400) });
    }
    Limits {
        concurrent_sessions: random.bool().then(|| random.u32(1..8)),
        runs,
        acu_per_day: random.bool().then(|| random.u32(12..200)),
    }
}

fn rule_of(tag: usize) -> &'static str {
    RULES[tag % RULES.len()]
}

impl World {
    async fn new(seed: u64) -> World {
        let mut random = fastrand::Rng::with_seed(seed);
        // It installs the drivers.
        drop(Store::open(&Address::Memory).await.unwrap());
        let mut connection = AnyConnection::connect("sqlite::memory:").await.unwrap();
        migrate(&mut connection, Dialect::Sqlite).await.unwrap();
        let mut plain = Plain::default();
        for rule in RULES {
            let mut gates = Gates { limits: limits(&mut random), ..Gates::open(rule) };
            let cooldown = if ["stormy", "cool"].contains(&rule) { 1200 * SECOND } else { 0 };
            match rule {
                "often" => {
                    gates.min_occurrences = Some(Occurrences { count: 3, within: Duration::from_secs(900) });
                }
                "stormy" => gates.storm = Some(Storm { threshold: 4, immediate: random.u32(0..3), ..Storm::default() }),
                "slow" => gates.delay = Duration::from_secs(120),
                _ => {}
            }
            plain.rules.insert(rule.to_string(), (gates, cooldown));
        }
        plain.integrations = INTEGRATIONS.map(|name| (name.to_string(), limits(&mut random))).into();
        plain.bridge = limits(&mut random);
        let (limits, integrations) = (plain.bridge.clone(), plain.integrations.clone());
        let bounds = Bounds { limits, integrations, ..Bounds::default() };
        let (history, number, now) = (Vec::new(), 0, 1_800_000_000_000);
        let (is_excused_until, answers) = (now, Answers::new());
        World { seed, history, connection, now, random, bounds, number, plain, is_excused_until, answers }
    }

    fn work(&mut self) -> Work<'_> {
        Work { connection: &mut self.connection, dialect: Dialect::Sqlite, now: self.now }
    }

    fn note(&mut self, what: String) {
        self.history.push(format!("{} {what}", self.now - 1_800_000_000_000));
    }

    /// How it came to this.
    fn told(&self) -> String {
        let last = self.history.len().saturating_sub(60);
        format!("RELAY_HISTORY={}\n{}", self.seed, self.history[last..].join("\n"))
    }

    fn any_tag(&mut self) -> usize {
        self.random.usize(..TAGS)
    }

    async fn deliver(&mut self, tag: usize, state: &str) {
        self.number += 1;
        let (number, name, rule) = (self.number, format!("t{tag}"), rule_of(tag));
        let mut delivery = delivery(number, "", &number.to_string(), &name, state);
        let severity = [None, Some(Severity::Low), Some(Severity::High), Some(Severity::Critical)][tag % 4];
        let (gates, cooldown) = self.plain.rules[rule].clone();
        if let EntryState::Firing(new) = &mut delivery.entries[0].state {
            (new.gates, new.severity) = (gates, severity);
            new.integration = INTEGRATIONS[tag % INTEGRATIONS.len()].to_string();
            new.job.request.new.max_acu_limit = Some(4);
            new.job.policy.holds.cooldown = Duration::from_millis(cooldown.unsigned_abs());
        }
        self.note(format!("{name} {state}"));
        let receipt = intake::accept(&mut self.work(), &[&delivery]).await.unwrap().remove(0);
        let active = self.plain.active(&name).map(|job| job.id.clone());
        let is_firing = state == "firing";
        let expected = match (&active, is_firing) {
            (Some(job), _) => format!("joined {job}"),
            (None, true) => format!("started j{number}"),
            (None, false) => "resolved".to_string(),
        };
        assert_eq!(super::told(&receipt), expected, "{}", self.told());
        self.plain.firing.insert(name.clone(), is_firing);
        if is_firing {
            self.plain.firings.entry(name.clone()).or_default().push(self.now);
        }
        if is_firing && active.is_none() {
            self.plain.jobs.push(PlainJob {
                id: format!("j{number}"),
                tag: name,
                rule: rule.to_string(),
                integration: INTEGRATIONS[tag % INTEGRATIONS.len()].to_string(),
                severity: severity.map(Severity::name),
                came: self.now,
                ..PlainJob::default()
            });
        }
    }

    /// Takes everything that is due; a process that dies leaves some of it.
    async fn process(&mut self, may_die: bool) {
        for integration in INTEGRATIONS {
            let due = queue::claim(&mut self.work(), integration, "me", 60 * SECOND, 64).await.unwrap();
            for claimed in due.claimed {
                if may_die && self.random.u8(..10) == 0 {
                    self.is_excused_until = self.now + 61 * SECOND;
                    continue;
                }
                match claimed.job.phase {
                    Phase::Received => self.begin(claimed).await,
                    Phase::Finding { .. } => self.create(claimed).await,
                    _ => self.finish(claimed).await,
                }
            }
        }
    }

    async fn throw(&mut self, switch: Switch, is_on: bool) {
        self.note(format!("{switch:?} {is_on}"));
        decisions::throw(&mut self.work(), &switch, is_on).await.unwrap();
    }

    /// Whoever waits for a place and is not asked soon has to wait.
    async fn check_that_nobody_sleeps(&mut self) {
        let text = "SELECT id, due_at, held_by FROM jobs WHERE settled_at IS NULL AND started_at IS NULL AND held_by IS NOT NULL";
        let rows = sqlx::query(text).fetch_all(&mut self.connection).await.unwrap();
        let of = |row: &sqlx::any::AnyRow| -> (String, i64, String) {
            (row.try_get(0).unwrap(), row.try_get(1).unwrap(), row.try_get(2).unwrap())
        };
        let waiting: Vec<_> = rows.iter().map(of).filter(|(_, _, gate)| LIMITS.contains(&gate.as_str())).collect();
        let is_asked_soon = waiting.iter().any(|(_, due_at, _)| *due_at <= self.now);
        if is_asked_soon || self.now < self.is_excused_until {
            return;
        }
        for (id, _, gate) in waiting {
            let job = self.plain.job(&id).clone();
            let waits_for_quota = !job.is_by_hand && self.plain.waits_for_quota(&job, self.now);
            let has_to_wait = waits_for_quota || self.plain.full(&job, self.now, false).is_some();
            assert!(has_to_wait, "{id} sleeps at {gate}: {}", self.told());
        }
    }

    async fn play(&mut self, steps: usize) {
        for _ in 0..steps {
            // Nothing happens in the same moment as something else.
            self.now += 1;
            match self.random.u8(..24) {
                0..=9 => {
                    for _ in 0..self.random.u8(1..=4) {
                        self.now += 1;
                        let tag = self.any_tag();
                        self.deliver(tag, "firing").await;
                    }
                }
                10..=11 => {
                    let tag = self.any_tag();
                    self.deliver(tag, "resolved").await;
                }
                12 if self.plain.is_stopped || self.random.u8(..4) == 0 => {
                    self.plain.is_stopped = !self.plain.is_stopped;
                    self.throw(Switch::Bridge, self.plain.is_stopped).await;
                }
                13 if self.random.u8(..4) == 0 => match self.plain.paused.take() {
                    Some(switch) => self.throw(switch, false).await,
                    None => {
                        let rule = Switch::Rule(RULES[self.random.usize(..RULES.len())].to_string());
                        let integration = Switch::Integration(INTEGRATIONS[self.random.usize(..2)].to_string());
                        let switch = if self.random.bool() { rule } else { integration };
                        self.plain.paused = Some(switch.clone());
                        self.throw(switch, true).await;
                    }
                },
                14 if self.random.u8(..8) == 0 => {
                    self.note("other limits".to_string());
                    self.plain.bridge = limits(&mut self.random);
                    self.bounds.limits = self.plain.bridge.clone();
                    self.is_excused_until = self.now + 600 * SECOND;
                }
                15 if self.random.u8(..4) == 0 => {
                    self.note("a restart".to_string());
                    sqlx::query("UPDATE jobs SET lease_until = NULL").execute(&mut self.connection).await.unwrap();
                }
                16..=17 => self.by_hand().await,
                20 => {
                    // Many of one rule at once.
                    let others = self.random.usize(3..6);
                    for place in 0..others {
                        self.now += 1;
                        self.deliver(2 + place * RULES.len(), "firing").await;
                    }
                }
                18..=19 => self.now += self.random.i64(0..1800 * SECOND),
                _ => self.now += self.random.i64(0..20 * SECOND),
            }
            self.process(true).await;
            self.check_that_nobody_sleeps().await;
        }
    }

    /// In the end everybody has started and ended, or was told why not.
    async fn drain(&mut self) {
        self.plain.is_stopped = false;
        self.throw(Switch::Bridge, false).await;
        if let Some(switch) = self.plain.paused.take() {
            self.throw(switch, false).await;
        }
        // Longer and longer: some wait for the end of a day.
        for round in 0..1000 {
            self.now += (61 + round) * SECOND;
            self.process(false).await;
            let row =
                sqlx::query("SELECT COUNT(*) FROM jobs WHERE settled_at IS NULL").fetch_one(&mut self.connection).await;
            if row.unwrap().try_get::<i64, _>(0).unwrap() == 0 {
                return;
            }
        }
        panic!("somebody is forgotten: {}", self.told());
    }
}

/// How often each answer was given.
type Answers = std::collections::BTreeMap<String, u32>;

/// Plays a history to its end: how many alerts it had, and what was answered.
fn played(seed: u64) -> (u32, Answers) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut world = World::new(seed).await;
        world.play(250).await;
        world.drain().await;
        (world.number, world.answers)
    })
}

#[test]
fn what_the_store_decides_is_what_a_slow_and_plain_account_says() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seeds = match number("RELAY_HISTORY") {
        Some(seed) => seed..seed + 1,
        None => 0..number("RELAY_HISTORIES").unwrap_or(HISTORIES as u64),
    };
    let is_one = seeds.end - seeds.start == 1;
    // Each history has a clock of its own, so that they may be played side by side.
    let seeds = Mutex::new(seeds);
    let next = || seeds.lock().unwrap().next();
    let lane = || std::iter::from_fn(next).map(played).collect::<Vec<_>>();
    let all: Vec<(u32, Answers)> = std::thread::scope(|scope| {
        let lanes = [scope.spawn(lane), scope.spawn(lane)];
        lanes
            .into_iter()
            .flat_map(|lane| lane.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let alerts: u32 = all.iter().map(|(alerts, _)| alerts).sum();
    assert!(all.len() < HISTORIES || alerts >= 3000, "{alerts} alerts are few");
    let mut answers = Answers::new();
    for (answer, times) in all.into_iter().flat_map(|(_, answers)| answers) {
        *answers.entry(answer).or_default() += times;
    }
    let expected = [
        "by hand begun",
        "hold acu_per_day",
        "hold concurrent_sessions",
        "hold delay",
        "hold kill_switch",
        "hold min_occurrences",
        "hold paused",
        "hold quota",
        "hold runs",
        "hold storm",
        "join storm",
        "look cooldown",
        "refuse max_wait",
        "refuse resolved",
        "refuse suppressed",
        "start -",
    ];
    for answer in expected {
        assert!(is_one || answers.contains_key(answer), "{answer} never happens: {answers:?}");
    }
}
