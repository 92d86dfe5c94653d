//! `kill -9` at random moments, while Devin fails and lags: every alert that was accepted has exactly one session.
//!
//! `tests/crashes/run` is the long form, over SQLite and PostgreSQL. `CRASHES` says how many kills there are, `CRASH_SEED` plays
//! a run again, `CRASH_STORE` names a store of its own, such as an empty database of PostgreSQL, and `CRASH_LAG=beyond` makes
//! Devin list sessions later than they are looked for: then a second one may be created, and the younger one is ended.

mod common;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::Sandboxed;
use common::bridge::{Bridge, by, request};
use serde_json::Value;

/// Answers to creates that leave open whether a session was made: some made one, others did not.
const UNCLEAR: [&str; 4] = ["500", "504:300ms", "502:20ms", "409"];

/// By then the lists show the last session, and where they lag beyond the search the younger of two is ended.
const LISTED_BY_THEN: Duration = Duration::from_secs(2);
const ENDED_BY_THEN: Duration = Duration::from_secs(150);

/// After so many kills the bridge runs until it has nothing left to create.
const CATCHES_UP_AFTER: u64 = 100;

/// So many alerts come in between two kills.
const ALERTS_EACH: u32 = 3;

#[test]
fn every_accepted_alert_has_exactly_one_session_however_often_the_bridge_is_killed() {
    let crashes = number("CRASHES").unwrap_or(12);
    let seed = number("CRASH_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("CRASH_SEED={seed}");
    let mut dice = Dice(seed);
    let is_beyond = std::env::var("CRASH_LAG").is_ok_and(|lag| lag == "beyond");
    // Its clock runs fast, so lists show a session half a second late: well within the time that is searched for one. Or
    // four seconds late, which is not.
    let lag = if is_beyond { "400s" } else { "50s" };
    let answers = |each: u64| UNCLEAR.map(|answer| format!(" --create-answer {answer}").repeat(each as usize)).concat();
    let sandbox = Sandboxed::start(&format!(
        "--sessions 2 --session-seconds inf --clock-speed 100 --list-lag {lag} --latency 2ms --fault 500:0.02 --fault reset:0.02{}",
        answers(crashes / 4 + 1)
    ));
    let program = by(&sandbox.config, "poll_interval: 1s, reconcile_window: 3s", "");
    let store = std::env::var("CRASH_STORE").unwrap_or_else(|_| "sqlite:relay.db".to_string());
    let arguments = &format!("--rules relay.yaml --store {store}");
    let mut waiting: Vec<String> = Vec::new();
    let mut accepted = 0;
    for crash in 0..crashes {
        let mut bridge = Bridge::start(&program, arguments);
        waiting.extend((0..ALERTS_EACH).map(|number| alert(crash, number)));
        let lines = dice.below(14);
        // A sender that got no answer sends again, to the next process if need be.
        waiting.retain(|alert| {
            let answer = request(&bridge.address, "POST", "/v1/hooks/generic", "", alert.as_bytes());
            !answer.is_ok_and(|answer| answer.status == 202)
        });
        for _ in 0..lines {
            if bridge.line().is_none() {
                break;
            }
        }
        spin(Duration::from_micros(dice.below(4000)));
        bridge.kill();
        accepted = u64::from(ALERTS_EACH) * (crash + 1) - waiting.len() as u64;
        if (crash + 1) % CATCHES_UP_AFTER == 0 {
            // Or each process would have more to look for than the one before it, and come to nothing new.
            catch_up(&mut Bridge::start(&program, arguments));
            println!("{} kills, {accepted} alerts accepted", crash + 1);
        }
    }
    let mut bridge = Bridge::start(&program, arguments);
    catch_up(&mut bridge);
    let alerts = bridge.alerts();
    let asked = Instant::now();
    let (mut wrong, mut twice) = (vec![String::new()], 0);
    while asked.elapsed() < LISTED_BY_THEN || is_beyond && !wrong.is_empty() && asked.elapsed() < ENDED_BY_THEN {
        let sessions = sessions_by_tag(&sandbox.config);
        (wrong, twice) = (Vec::new(), 0);
        for alert in &alerts {
            let (alive, all) = sessions.get(alert["tag"].as_str().unwrap()).copied().unwrap_or_default();
            let is_right = if is_beyond { alive == 1 } else { (alive, all) == (1, 1) };
            twice += u32::from(all > 1);
            if !is_right || alert["job"]["session_id"].is_null() {
                wrong.push(format!("{all} sessions, {alive} of them alive: {alert}"));
            }
        }
    }
    println!(
        "{crashes} kills, {accepted} alerts accepted, {} kept, {twice} for which a second session was created and ended, {} without exactly one session",
        alerts.len(),
        wrong.len()
    );
    assert_eq!(wrong, [""; 0]);
    assert!(alerts.len() as u64 >= accepted, "{} of {accepted} are kept", alerts.len());
}

/// Waits until every alert has a session, or an end without one.
fn catch_up(bridge: &mut Bridge) {
    let is_open = |alert: &Value| alert["job"]["session_id"].is_null() && alert["job"]["settled_at"].is_null();
    while bridge.alerts().iter().any(is_open) {
        bridge.line().expect("it goes on");
    }
}

fn alert(crash: u64, number: u32) -> String {
    format!(r#"{{"title": "alert {crash}/{number}", "status": "firing", "dedup_key": "{crash}-{number}"}}"#)
}

/// How many sessions carry each tag: those that are alive, and all.
fn sessions_by_tag(config: &str) -> BTreeMap<String, (u32, u32)> {
    let mut sessions: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for session in all_sessions(config) {
        for tag in session["tags"].as_array().unwrap().iter().filter_map(Value::as_str) {
            let (alive, all) = sessions.entry(tag.to_string()).or_default();
            *alive += u32::from(session["status"] != "exit");
            *all += 1;
        }
    }
    sessions
}

fn all_sessions(config: &str) -> Vec<Value> {
    let config: Value = serde_json::from_str(config).unwrap();
    let address = config["api_url"].as_str().unwrap().strip_prefix("http://").unwrap().to_string();
    let headers = format!("authorization: Bearer {}\r\n", config["api_token"].as_str().unwrap());
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/v3/organizations/{}/sessions?first=200{after}", config["org_id"].as_str().unwrap());
        // It fails now and then, as it was asked to.
        let Some(page) = request(&address, "GET", &path, &headers, b"").ok().filter(|page| page.status == 200) else {
            continue;
        };
        let page = page.json();
        found.extend(page["items"].as_array().unwrap().clone());
        match page["end_cursor"].as_str().filter(|_| page["has_next_page"] == true) {
            Some(cursor) => after = format!("&after={cursor}"),
            None => return found,
        }
    }
}

/// Lets a moment pass in which the process may come to any line.
fn spin(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}
