//! `kill -9` at random moments, while Devin fails and lags: every alert that was accepted has exactly one session.
//!
//! `CRASHES=1000 cargo test --release --test serve_crashes -- --nocapture` is the long form; `CRASH_SEED` plays one again, and
//! `CRASH_STORE` names a store of its own, such as an empty database of PostgreSQL.

mod common;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::Sandboxed;
use common::bridge::{Bridge, at, request};
use serde_json::Value;

/// Answers to creates that leave open whether a session was made: some made one, others did not.
const UNCLEAR: [&str; 4] = ["500", "504:300ms", "502:20ms", "409"];

/// By then the lists show the last session.
const LISTED_BY_THEN: Duration = Duration::from_secs(1);

/// So many alerts come in between two kills.
const ALERTS_EACH: u32 = 3;

#[test]
fn every_accepted_alert_has_exactly_one_session_however_often_the_bridge_is_killed() {
    let crashes = number("CRASHES").unwrap_or(12);
    let seed = number("CRASH_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("CRASH_SEED={seed}");
    let mut dice = Dice(seed);
    // Its clock runs fast, so that the ten minutes of a search are over in a few seconds. Lists show a session late, but well
    // within that.
    let answers = |each: u64| UNCLEAR.map(|answer| format!(" --create-answer {answer}").repeat(each as usize)).concat();
    let sandbox = Sandboxed::start(&format!(
        "--sessions 2 --session-seconds inf --clock-speed 100 --list-lag 50s --latency 2ms --fault 500:0.02 --fault reset:0.02{}",
        answers(crashes / 4 + 1)
    ));
    let program = at(&sandbox.config);
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
    }
    let mut bridge = Bridge::start(&program, arguments);
    while bridge
        .alerts()
        .iter()
        .any(|alert| alert["job"]["session_id"].is_null() && alert["job"]["settled_at"].is_null())
    {
        bridge.line().expect("it goes on");
    }
    let alerts = bridge.alerts();
    let asked = Instant::now();
    let mut sessions = sessions_by_tag(&sandbox.config);
    while asked.elapsed() < LISTED_BY_THEN {
        sessions = sessions_by_tag(&sandbox.config);
    }
    let mut wrong = Vec::new();
    for alert in &alerts {
        let count = sessions.get(alert["tag"].as_str().unwrap()).copied().unwrap_or_default();
        if count != 1 || alert["job"]["session_id"].is_null() {
            wrong.push(format!("{count} sessions: {alert}"));
        }
    }
    println!(
        "{crashes} kills, {accepted} alerts accepted, {} kept, {} with not exactly one session",
        alerts.len(),
        wrong.len()
    );
    assert_eq!(wrong, [""; 0]);
    // The view is bounded.
    assert!(alerts.len() as u64 >= accepted.min(500), "{} of {accepted} are kept", alerts.len());
}

fn alert(crash: u64, number: u32) -> String {
    format!(r#"{{"title": "alert {crash}/{number}", "status": "firing", "dedup_key": "{crash}-{number}"}}"#)
}

fn sessions_by_tag(config: &str) -> BTreeMap<String, u32> {
    let mut sessions: BTreeMap<String, u32> = BTreeMap::new();
    for session in all_sessions(config) {
        for tag in session["tags"].as_array().unwrap().iter().filter_map(Value::as_str) {
            *sessions.entry(tag.to_string()).or_default() += 1;
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
