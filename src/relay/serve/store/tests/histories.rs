//! Thousands of alerts by chance, with a clock of their own, beside a slow and plain account of who may start: what the store
//! decides never breaks a limit, never holds without need, always leaves a row, and forgets nobody.
//! `RELAY_HISTORIES=1000 cargo test --release --lib store::tests::histories` plays more of them, `RELAY_HISTORY=SEED` one.

use sqlx::{AnyConnection, Connection as _, Row as _};

use super::super::database::Work;
use super::super::schema::migrate;
use super::super::{Dialect, admission, decisions, intake, queue};
use super::*;
use crate::relay::serve::gates::{Bounds, Limits, Occurrences, Runs, Storm};

const SECOND: i64 = 1000;
const HOUR: i64 = 3600 * SECOND;
const DAY: i64 = 24 * HOUR;
const RULES: [&str; 4] = ["plain", "often", "stormy", "slow"];
const INTEGRATIONS: [&str; 2] = ["one", "two"];

/// A start, as the plain account has it.
struct Start {
    job: String,
    integration: String,
    rule: String,
    at: i64,
    is_over: bool,
    is_given_back: bool,
    acus: f64,
}

struct World {
    seed: u64,
    history: Vec<String>,
    connection: AnyConnection,
    now: i64,
    random: fastrand::Rng,
    bounds: Bounds,
    gates: Vec<Gates>,
    number: u32,
    starts: Vec<Start>,
    is_stopped: bool,
    paused: Option<Switch>,
}

fn limits(random: &mut fastrand::Rng) -> Limits {
    let mut runs = Vec::new();
    if random.bool() {
        runs.push(Runs { count: random.u32(1..6), within: Duration::from_secs(random.u64(60..7200)) });
        runs.push(Runs { count: random.u32(4..20), within: Duration::from_secs(86_400) });
    }
    Limits {
        concurrent_sessions: random.bool().then(|| random.u32(1..5)),
        runs,
        acu_per_day: random.bool().then(|| random.u32(4..60)),
    }
}

impl World {
    async fn new(seed: u64) -> World {
        let mut random = fastrand::Rng::with_seed(seed);
        // It installs the drivers.
        drop(Store::open(&Address::Memory).await.unwrap());
        let mut connection = AnyConnection::connect("sqlite::memory:").await.unwrap();
        migrate(&mut connection, Dialect::Sqlite).await.unwrap();
        let integrations = INTEGRATIONS.map(|name| (name.to_string(), limits(&mut random))).into();
        let bounds = Bounds { limits: limits(&mut random), integrations, ..Bounds::default() };
        let mut gates: Vec<Gates> =
            RULES.iter().map(|rule| Gates { limits: limits(&mut random), ..Gates::open(rule) }).collect();
        gates[1].min_occurrences = Some(Occurrences { count: 3, within: Duration::from_secs(900) });
        gates[2].storm = Some(Storm { threshold: 4, immediate: random.u32(0..3), ..Storm::default() });
        gates[3].delay = Duration::from_secs(120);
        World {
            seed,
            history: Vec::new(),
            connection,
            now: 1_800_000_000_000,
            random,
            bounds,
            gates,
            number: 0,
            starts: Vec::new(),
            is_stopped: false,
            paused: None,
        }
    }

    fn work(&mut self) -> Work<'_> {
        Work { connection: &mut self.connection, dialect: Dialect::Sqlite, now: self.now }
    }

    fn note(&mut self, what: String) {
        self.history.push(format!("{} {what}", self.now));
    }

    /// How it came to this.
    fn told(&self) -> String {
        let last = self.history.len().saturating_sub(30);
        format!("RELAY_HISTORY={}\n{}", self.seed, self.history[last..].join("\n"))
    }

    async fn deliver(&mut self, tag: usize, state: &str) {
        self.number += 1;
        let number = self.number;
        let mut delivery = delivery(number, "", &number.to_string(), &format!("t{tag}"), state);
        if let EntryState::Firing(new) = &mut delivery.entries[0].state {
            new.gates = self.gates[tag % RULES.len()].clone();
            new.integration = INTEGRATIONS[tag % INTEGRATIONS.len()].to_string();
            new.job.request.new.max_acu_limit = Some(4);
        }
        self.note(format!("t{tag} {state}"));
        intake::accept(&mut self.work(), &[&delivery]).await.unwrap();
    }

    /// Takes everything that is due; a process that dies leaves some of it.
    async fn process(&mut self, may_die: bool) {
        for integration in INTEGRATIONS {
            let due = queue::claim(&mut self.work(), integration, "me", 60 * SECOND, 64).await.unwrap();
            for claimed in due.claimed {
                if may_die && self.random.u8(..10) == 0 {
                    continue;
                }
                if claimed.job.phase == Phase::Received {
                    self.begin(claimed, integration).await;
                } else {
                    self.finish(claimed).await;
                }
            }
        }
    }

    async fn begin(&mut self, claimed: Claimed, integration: &str) {
        let ask = Ask {
            job_id: claimed.job.id.clone(),
            epoch: claimed.epoch,
            bounds: Arc::new(self.bounds.clone()),
            kill_switch: None,
            holds: claimed.job.policy.holds,
            max_acu_limit: claimed.job.request.new.max_acu_limit,
            is_by_hand: claimed.job.is_by_hand(),
            is_at_create: false,
        };
        let admission = admission::admit(&mut self.work(), &ask).await.unwrap();
        let (rule, gate, decision) = self.last_row(&claimed.job.id).await;
        self.note(format!("{} {rule} {decision} {gate:?}", claimed.job.id));
        match admission {
            Admission::Start { .. } => {
                assert_eq!(decision, "start", "{}", self.told());
                assert!(!self.is_stopped, "nothing starts behind the switch: {}", self.told());
                let is_paused = match &self.paused {
                    Some(Switch::Integration(name)) => name == integration,
                    Some(Switch::Rule(id)) => *id == rule,
                    _ => false,
                };
                assert!(!is_paused, "nothing starts in a pause: {}", self.told());
                if !self.starts.iter().any(|start| start.job == claimed.job.id) {
                    let full = self.full(integration, &rule);
                    assert_eq!(full, None, "a limit is broken: {}", self.told());
                    let (job, integration) = (claimed.job.id.clone(), integration.to_string());
                    let (is_over, is_given_back, at) = (false, false, self.now);
                    self.starts.push(Start { job, integration, rule, at, is_over, is_given_back, acus: 4.0 });
                }
                let mut save = save(&claimed, "me", Some(self.random.i64(10..3000) * SECOND));
                save.job.phase = Phase::Finding { by: crate::relay::job::FindBy::Tag };
                save.news_until = claimed.news.last().map_or(0, |(seq, _)| *seq);
                queue::save(&mut self.work(), &save).await.unwrap();
            }
            Admission::Hold { wait, .. } => {
                assert!(decision == "hold" && wait > 0, "{decision} {wait}: {}", self.told());
                if ["concurrent_sessions", "runs", "acu_per_day"].contains(&gate.as_deref().unwrap()) {
                    assert!(self.full(integration, &rule).is_some(), "it is held without need: {}", self.told());
                }
            }
            Admission::Join { session, .. } => {
                self.settle(claimed, OutcomeKind::Attached, Some(session.session_id)).await
            }
            Admission::Refuse { is_resolved, .. } => {
                assert_eq!(
                    (decision.as_str(), is_resolved),
                    ("refuse", gate.as_deref() == Some("resolved")),
                    "{}",
                    self.told()
                );
                self.settle(claimed, OutcomeKind::Refused, None).await;
            }
            Admission::Lost => panic!("nobody else is there"),
        }
    }

    /// A session is seen at work, or its job ends: some made none.
    async fn finish(&mut self, claimed: Claimed) {
        let kinds =
            [OutcomeKind::NoPr, OutcomeKind::PollTimeout, OutcomeKind::SessionError, OutcomeKind::CreateUnknown];
        let kind = kinds[self.random.usize(..kinds.len())];
        let is_made = self.random.u8(..4) > 0;
        let consumed = f64::from(self.random.u8(..5)).min(4.0);
        let start = self.starts.iter_mut().find(|start| start.job == claimed.job.id).expect("it was started");
        start.is_over = true;
        start.is_given_back = !is_made;
        if is_made && matches!(kind, OutcomeKind::NoPr | OutcomeKind::SessionError) {
            start.acus = consumed;
        }
        let mut job = serde_json::to_value(&claimed.job).unwrap();
        job["made"] = if is_made { serde_json::json!(["s"]) } else { serde_json::json!([]) };
        let job = serde_json::from_value(job).unwrap();
        let progress = Progress { acus_consumed: Some(consumed), ..claimed.progress };
        let id = is_made.then(|| "s".to_string());
        self.settle(Claimed { job, progress, ..claimed }, kind, id).await;
    }

    async fn settle(&mut self, claimed: Claimed, kind: OutcomeKind, session_id: Option<String>) {
        let mut save = save(&claimed, "me", None);
        save.news_until = claimed.news.last().map_or(0, |(seq, _)| *seq);
        save.job.phase = Phase::Settled(End::Outcome(kind));
        save.progress.status = Some(kind.status().name().to_string());
        save.progress.result = serde_json::to_value(kind).unwrap().as_str().map(str::to_string);
        save.progress.session_id = session_id;
        queue::save(&mut self.work(), &save).await.unwrap();
    }

    /// Which limit leaves no room, by the plain account.
    fn full(&self, integration: &str, rule: &str) -> Option<&'static str> {
        let gates = self.gates.iter().find(|gates| gates.rule == rule).unwrap();
        let counts = |start: &&Start| !start.is_given_back;
        let of_all: Vec<&Start> = self.starts.iter().filter(counts).collect();
        let of_integration =
            of_all.iter().copied().filter(|start| start.integration == integration).collect::<Vec<_>>();
        let of_rule = of_all.iter().copied().filter(|start| start.rule == rule).collect::<Vec<_>>();
        let scopes = [
            (&self.bounds.limits, of_all),
            (&self.bounds.integrations[integration], of_integration),
            (&gates.limits, of_rule),
        ];
        for (limits, starts) in scopes {
            let at_work = starts.iter().filter(|start| !start.is_over).count();
            if limits.concurrent_sessions.is_some_and(|most| at_work >= most as usize) {
                return Some("concurrent_sessions");
            }
            for runs in &limits.runs {
                let since = self.now - i64::try_from(runs.within.as_millis()).unwrap();
                if starts.iter().filter(|start| start.at > since).count() >= runs.count as usize {
                    return Some("runs");
                }
            }
            let today = self.now / DAY * DAY;
            let used: f64 = starts.iter().filter(|start| start.at >= today).map(|start| start.acus).sum();
            if limits.acu_per_day.is_some_and(|budget| used + 4.0 > f64::from(budget)) {
                return Some("acu_per_day");
            }
        }
        None
    }

    async fn last_row(&mut self, job: &str) -> (String, Option<String>, String) {
        let text = "SELECT rule, gate, decision FROM decisions WHERE job = $1 ORDER BY at DESC, LENGTH(id) DESC, id DESC LIMIT 1";
        let row = sqlx::query(text).bind(job).fetch_one(&mut self.connection).await.expect("each answer has a row");
        (row.try_get(0).unwrap(), row.try_get(1).unwrap(), row.try_get(2).unwrap())
    }

    async fn unsettled(&mut self) -> Vec<String> {
        let text = "SELECT id FROM jobs WHERE settled_at IS NULL";
        let rows = sqlx::query(text).fetch_all(&mut self.connection).await.unwrap();
        rows.iter().map(|row| row.try_get(0).unwrap()).collect()
    }

    async fn throw(&mut self, switch: Switch, is_on: bool) {
        self.note(format!("{switch:?} {is_on}"));
        decisions::throw(&mut self.work(), &switch, is_on).await.unwrap();
    }

    async fn play(&mut self, steps: usize) {
        for _ in 0..steps {
            match self.random.u8(..20) {
                0..=8 => {
                    let tag = self.random.usize(..24);
                    self.deliver(tag, "firing").await;
                }
                9..=10 => {
                    let tag = self.random.usize(..24);
                    self.deliver(tag, "resolved").await;
                }
                11 if self.random.u8(..4) == 0 => {
                    self.is_stopped = !self.is_stopped;
                    self.throw(Switch::Bridge, self.is_stopped).await;
                }
                12 if self.random.u8(..4) == 0 => match self.paused.take() {
                    Some(switch) => self.throw(switch, false).await,
                    None => {
                        let rule = Switch::Rule(RULES[self.random.usize(..4)].to_string());
                        let integration = Switch::Integration(INTEGRATIONS[self.random.usize(..2)].to_string());
                        let switch = if self.random.bool() { rule } else { integration };
                        self.paused = Some(switch.clone());
                        self.throw(switch, true).await;
                    }
                },
                13..=14 => self.now += self.random.i64(0..1800 * SECOND),
                _ => self.now += self.random.i64(0..20 * SECOND),
            }
            self.process(true).await;
        }
    }

    /// In the end everybody has started and ended, or was told why not.
    async fn drain(&mut self) {
        self.is_stopped = false;
        self.throw(Switch::Bridge, false).await;
        if let Some(switch) = self.paused.take() {
            self.throw(switch, false).await;
        }
        for _ in 0..1000 {
            self.now += 61 * SECOND;
            self.process(false).await;
            if self.unsettled().await.is_empty() {
                return;
            }
        }
        let forgotten = self.unsettled().await;
        panic!("forgotten: {forgotten:?}: {}", self.told());
    }
}

#[tokio::test]
async fn no_limit_is_broken_nobody_is_held_without_need_and_nobody_is_forgotten() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seeds = match number("RELAY_HISTORY") {
        Some(seed) => seed..seed + 1,
        None => 0..number("RELAY_HISTORIES").unwrap_or(5),
    };
    for seed in seeds {
        let mut world = World::new(seed).await;
        world.play(300).await;
        world.drain().await;
        assert!(!world.starts.is_empty(), "seed {seed}: something starts");
    }
}
