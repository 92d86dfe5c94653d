//! Days of a bridge by chance, with a clock of their own and sessions that work as long as they like: by the same rules a
//! simulation comes to the same, alert by alert. `RELAY_DAYS=500 cargo test --lib replay::tests` plays more of them,
//! `RELAY_DAY=SEED` one.

mod gates;

use std::collections::HashMap;
use std::sync::Arc;

use super::devin::{Ending, driven, stand_in};
use super::*;
use crate::relay::job::{End, Observation, Phase};
use crate::relay::outcome::OutcomeKind;
use crate::relay::serve::reading::read;
use crate::relay::serve::rules::{Devin, Surroundings, check};
use crate::relay::serve::store::{Admission, Ask, Claimed, Ledger, OWNER, Progress, Save};

const SECOND: i64 = 1000;
/// So many come in a day.
const DELIVERIES: u32 = 50;

const BEGIN: i64 = 1_800_000_000_000;

const RULES: &str = "\
routes: [{name: generic, kind: generic, auth: none}]
integrations: [{name: main, api_key: {env: KEY}, limits: {runs: [30/1h]}}]
limits: {concurrent_sessions: 6}
default: {cooldown: 20m, while_pr_open: start, max_acu_limit: 5}
rules:
  - {id: plain, match: {labels: {team: plain}}}
  - {id: often, match: {labels: {team: often}}, min_occurrences: {count: 2, within: 15m}}
  - {id: stormy, match: {labels: {team: stormy}}, storm: {threshold: 3, window: 60s, immediate: 1}}
  - {id: slow, match: {labels: {team: slow}}, delay: 2m}
  - {id: noisy, match: {labels: {team: noisy}}, limits: {runs: [3/1h], acu_per_day: 40, concurrent_sessions: 2}}
";

const TEAMS: [&str; 6] = ["plain", "often", "stormy", "slow", "noisy", "nobody"];

struct Nowhere;

impl Surroundings for Nowhere {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &str) -> Result<Vec<u8>, std::io::ErrorKind> {
        Err(std::io::ErrorKind::NotFound)
    }
}

fn rules(yaml: &str) -> Rules {
    check(yaml, Devin::Nobody, &Nowhere).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// A bridge that does what its store says, late at times, and whose sessions come to what chance says.
struct Bridge {
    rules: Rules,
    ledger: Ledger,
    random: fastrand::Rng,
    number: u32,
    /// When the session of a job ends, and how.
    ends: HashMap<String, (i64, Ending)>,
    /// The sessions of each alert: when each ended, and how.
    ended: HashMap<String, (i64, Ending)>,
    is_stopped: bool,
    is_paused: bool,
}

impl Bridge {
    async fn new(seed: u64, yaml: &str) -> Bridge {
        let (rules, random) = (rules(yaml), fastrand::Rng::with_seed(seed));
        let mut ledger = Ledger::new().await.unwrap();
        ledger.now = BEGIN;
        let (ends, ended) = (HashMap::new(), HashMap::new());
        Bridge { rules, ledger, random, number: 0, ends, ended, is_stopped: false, is_paused: false }
    }

    async fn deliver(&mut self) {
        let team = TEAMS[self.random.usize(..TEAMS.len())];
        let key = format!("{team}-{}", self.random.u32(..3));
        let status = if self.random.u8(..4) == 0 { "resolved" } else { "firing" };
        let severity = ["low", "high", "critical"][self.random.usize(..3)];
        // Some come once more as they are.
        let text = self.random.u32(..3);
        self.accept(&serde_json::json!({"title": format!("{key} {text}"), "status": status, "dedup_key": key,
            "severity": severity, "labels": {"team": team}}))
            .await;
    }

    async fn accept(&mut self, body: &serde_json::Value) {
        let number = std::cell::Cell::new(self.number);
        let draw = || {
            number.set(number.get() + 1);
            format!("{:08x}", number.get())
        };
        let body = body.to_string().into_bytes();
        let read = read(&self.rules, &self.rules.routes[0], body, &[], &Redactor::default(), &draw);
        let Ok(read) = read else { panic!("it is an alert") };
        self.number = number.get();
        self.ledger.accept(&read.delivery).await.unwrap();
    }

    async fn switch(&mut self) {
        if self.random.bool() {
            self.is_stopped = !self.is_stopped;
            self.ledger.throw(&Switch::Bridge, self.is_stopped).await.unwrap();
        } else {
            self.is_paused = !self.is_paused;
            self.ledger.throw(&Switch::Rule("plain".to_string()), self.is_paused).await.unwrap();
        }
    }

    async fn until(&mut self, moment: i64) {
        while let Some(due) = self.ledger.next_due().await.unwrap().filter(|due| *due <= moment) {
            self.ledger.now = due.max(self.ledger.now);
            for claimed in self.ledger.claim("main").await.unwrap() {
                self.ledger.now += self.random.i64(0..40);
                self.work(claimed).await;
            }
        }
        self.ledger.now = self.ledger.now.max(moment);
    }

    async fn admit(&mut self, claimed: &Claimed, is_at_create: bool) -> Admission {
        let ask = Ask {
            job_id: claimed.job.id.clone(),
            epoch: claimed.epoch,
            bounds: Arc::new(self.rules.bounds.clone()),
            kill_switch: None,
            holds: claimed.job.policy.holds,
            max_acu_limit: claimed.job.request.new.max_acu_limit,
            is_at_create,
            is_by_hand: claimed.job.is_by_hand(),
        };
        self.ledger.admit(&ask).await.unwrap()
    }

    async fn work(&mut self, claimed: Claimed) {
        let now = self.ledger.now;
        if let Some((at, ending)) = self.ends.get(&claimed.job.id).cloned() {
            if now >= at {
                self.ended.insert(claimed.job.marker().to_string(), (now, ending.clone()));
                self.settle(claimed, ending).await;
            } else {
                self.keep(claimed, at - now).await;
            }
            return;
        }
        // One that was held when it was about to create looks for earlier sessions again.
        if claimed.job.phase == Phase::Received {
            let admission = self.admit(&claimed, false).await;
            if matches!(admission, Admission::Hold { .. }) {
                return;
            }
            if let Some(ending) = turned_away(admission) {
                return self.settle(claimed, ending).await;
            }
        }
        let earlier = self.ended.get(claimed.job.marker()).cloned();
        if let Some((_, ending)) = earlier.filter(|(at, ending)| now - at < hold(ending.kind)) {
            return self.settle(claimed, ending).await;
        }
        match self.admit(&claimed, true).await {
            Admission::Hold { wait, .. } => {
                let job = claimed.job.clone().before_create(claimed.job.clone());
                return self.keep(Claimed { job, ..claimed }, wait).await;
            }
            admission => {
                if let Some(ending) = turned_away(admission) {
                    return self.settle(claimed, ending).await;
                }
            }
        }
        let kind = match self.random.u8(..20) {
            0..8 => OutcomeKind::NoPr,
            8..16 => OutcomeKind::PrOpened,
            16..19 => OutcomeKind::SessionError,
            _ => OutcomeKind::QuotaExceeded,
        };
        let mut ending = Ending::by(kind, "");
        self.number += 1;
        ending.progress.session_id = Some(format!("s{}", self.number));
        ending.progress.acus_consumed = Some(f64::from(self.random.u32(..5)));
        let (job, _) = driven(claimed.job.clone(), Observation::Started, &[], now);
        let session = stand_in(&ending, &claimed.job, now);
        let (job, _) = driven(job, Observation::Created(session), &[], now);
        let works = self.random.i64(20..200) * SECOND + self.random.i64(0..SECOND);
        self.ends.insert(job.id.clone(), (now + works, ending.clone()));
        let progress = Progress { status: None, result: None, ..ending.progress };
        self.keep(Claimed { job, progress, ..claimed }, works).await;
    }

    async fn settle(&mut self, claimed: Claimed, ending: Ending) {
        let mut job = claimed.job;
        job.phase = Phase::Settled(ending.kind.map_or(End::Failed { session_id: None }, End::Outcome));
        let news_until = claimed.news.last().map_or(0, |(seq, _)| *seq);
        let (epoch, owner, progress) = (claimed.epoch, OWNER.to_string(), ending.progress);
        self.ledger
            .save(&Save { job, epoch, owner, progress, events: Vec::new(), news_until, due_in: None })
            .await
            .unwrap();
    }

    async fn keep(&mut self, claimed: Claimed, due_in: i64) {
        let news_until = claimed.news.last().map_or(0, |(seq, _)| *seq);
        let Claimed { job, epoch, progress, .. } = claimed;
        let (owner, due_in) = (OWNER.to_string(), Some(due_in));
        self.ledger.save(&Save { job, epoch, owner, progress, events: Vec::new(), news_until, due_in }).await.unwrap();
    }
}

/// How a job ends that a gate turns away; `None` where it may go on.
fn turned_away(admission: Admission) -> Option<Ending> {
    match admission {
        Admission::Start { .. } => None,
        Admission::Refuse { is_resolved: true, reason, .. } => {
            Some(Ending::by(OutcomeKind::ResolvedBeforeStart, &reason))
        }
        Admission::Refuse { reason, .. } => Some(Ending::by(OutcomeKind::Refused, &reason)),
        Admission::Join { session, reason } => {
            let mut ending = Ending::by(OutcomeKind::Attached, &reason);
            ending.progress.session_id = Some(session.session_id);
            Some(ending)
        }
        Admission::Hold { .. } | Admission::Lost => panic!("{admission:?} is no end"),
    }
}

/// How long a session that ended so holds its alert back.
fn hold(kind: Option<OutcomeKind>) -> i64 {
    match kind {
        Some(OutcomeKind::QuotaExceeded) => 0,
        Some(OutcomeKind::SessionError) => 600 * SECOND,
        _ => 1200 * SECOND,
    }
}

/// A day, or as much of it as `deliveries` make.
async fn a_day(seed: u64, deliveries: u32) -> Bridge {
    let mut bridge = Bridge::new(seed, RULES).await;
    for _ in 0..deliveries {
        let pause = match bridge.random.u8(..10) {
            0..5 => bridge.random.i64(0..3 * SECOND),
            5..9 => bridge.random.i64(0..60 * SECOND),
            _ => bridge.random.i64(0..400 * SECOND),
        };
        bridge.until(bridge.ledger.now + pause).await;
        if bridge.random.u8(..40) == 0 {
            bridge.switch().await;
        }
        bridge.deliver().await;
    }
    bridge.until(bridge.ledger.now + 60 * SECOND).await;
    bridge
}

async fn played(bridge: &mut Bridge, rules: &Rules) -> Replayed {
    let until = bridge.ledger.now + 1;
    let archive = bridge.ledger.archive();
    let kept = Kept::of(archive, until).await.unwrap();
    play(rules, archive, &Redactor::default(), kept, 0).await.unwrap()
}

#[tokio::test]
async fn by_the_same_rules_every_alert_of_a_day_comes_to_the_same() {
    let days = std::env::var("RELAY_DAYS").ok().and_then(|days| days.parse().ok()).unwrap_or(4);
    let only: Option<u64> = std::env::var("RELAY_DAY").ok().and_then(|day| day.parse().ok());
    let mut seen: HashMap<(Step, Option<String>), usize> = HashMap::new();
    for seed in only.map_or(0..days, |day| day..day + 1) {
        let mut bridge = a_day(seed, DELIVERIES).await;
        let same = rules(RULES);
        let Replayed { recorded, simulated, counts } = played(&mut bridge, &same).await;
        let differences = compare(&recorded, &simulated);
        let told: Vec<String> =
            differences.iter().take(5).map(|one| format!("{} {}", one.at - BEGIN, one.told())).collect();
        assert!(
            differences.is_empty(),
            "RELAY_DAY={seed}: {} of {}\n{}",
            differences.len(),
            recorded.len(),
            told.join("\n")
        );
        assert_eq!(
            (counts.deliveries, counts.without_body, counts.unreadable, counts.assumed),
            (DELIVERIES as usize, 0, 0, 0),
            "{seed}"
        );
        for course in recorded {
            *seen.entry((course.decision, course.gate)).or_default() += 1;
        }
    }
    if only.is_none() {
        for gate in ["filter", "min_occurrences", "delay", "cooldown"] {
            assert!(seen.keys().any(|(_, known)| known.as_deref() == Some(gate)), "no alert met {gate}: {seen:?}");
        }
    }
}

#[tokio::test]
async fn by_other_rules_only_what_they_change_comes_to_something_else() {
    let mut bridge = a_day(7, DELIVERIES).await;
    let other = rules(&RULES.replace("{id: often,", "{id: often, enabled: false,"));
    let Replayed { recorded, simulated, .. } = played(&mut bridge, &other).await;
    let differences = compare(&recorded, &simulated);
    assert!(!differences.is_empty());
    for one in &differences {
        assert!(one.recorded.iter().all(|course| course.rule.as_deref() == Some("often")), "{}", one.told());
        assert!(one.simulated.iter().all(|course| course.rule.is_none()), "{}", one.told());
    }
}

#[tokio::test]
async fn a_session_that_ended_before_the_cool_down_holds_no_alert_back() {
    const HELD: &str = "\
routes: [{name: generic, kind: generic, auth: none}]
integrations: [{name: main, api_key: {env: KEY}}]
default: {cooldown: 20m, while_pr_open: start, limits: {runs: [1/1h]}}
";
    let mut bridge = Bridge::new(1, HELD).await;
    let alert = |title: &str| serde_json::json!({"title": title, "status": "firing", "dedup_key": "disk"});
    bridge.accept(&alert("The disk is full")).await;
    bridge.until(BEGIN + 1800 * SECOND).await;
    bridge.accept(&alert("The disk is full again")).await;
    bridge.until(BEGIN + 1900 * SECOND).await;
    let steps = |courses: &[Course]| courses.iter().map(|course| course.decision).collect::<Vec<_>>();
    let same = played(&mut bridge, &rules(HELD)).await;
    assert_eq!(steps(&same.recorded), [Step::Start, Step::Hold]);
    assert_eq!(steps(&same.simulated), [Step::Start, Step::Hold]);
    let more = played(&mut bridge, &rules(&HELD.replace("1/1h", "2/1h"))).await;
    assert_eq!(steps(&more.simulated), [Step::Start, Step::Start]);
}
