//! `alert-relay serve` and the sessions of its alerts: what becomes of one that is gone, that ends too early, or that may not be
//! created.

mod common;

use std::sync::{Arc, Mutex, OnceLock};

use common::bridge::{Bridge, by, request};
use common::devin::{Devin, Said, Sessions, state};
use rustix::process::Signal;
use serde_json::{Value, json};

const DISK_FULL: &str = r#"{"title": "disk full", "status": "firing", "dedup_key": "disk"}"#;

#[test]
fn a_session_that_is_gone_after_a_restart_is_told_as_gone() {
    let looks = |look| if look < 2 { state("running/working", false) } else { json!({"refused": 404}) };
    let devin = Devin::of(&Arc::new(Sessions::new().on_look(looks)));
    let program = by(&devin.settings(), "poll_interval: 1s, max_poll_attempts: 3", "");
    let mut bridge = Bridge::start(&program, "--rules relay.yaml");
    bridge.post("generic", DISK_FULL);
    bridge.until("session_status");
    bridge.signal(Signal::TERM);
    assert!(bridge.end().1.success());
    let mut bridge = Bridge::start(&program, "--rules relay.yaml");
    let outcome = bridge.until("outcome");
    assert_eq!((&outcome["result"], &outcome["status"]), (&json!("session_gone"), &json!("dropped")), "{outcome}");
}

/// A delivery of one Alertmanager group, with these alerts.
fn group(instances: &[&str]) -> String {
    let alerts: Vec<Value> = instances
        .iter()
        .map(|instance| {
            json!({"status": "firing", "labels": {"alertname": "Down", "instance": instance}, "annotations": {},
                "startsAt": "2026-03-01T10:00:00Z", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": instance})
        })
        .collect();
    json!({"version": "4", "groupKey": "{}:{alertname=\"Down\"}", "receiver": "relay", "status": "firing",
        "groupLabels": {"alertname": "Down"}, "commonLabels": {"alertname": "Down"}, "commonAnnotations": {},
        "externalURL": "http://alerts.example.com", "alerts": alerts})
    .to_string()
}

#[test]
fn an_alert_that_its_session_could_not_be_told_gets_a_session_of_its_own() {
    let sessions = Arc::new(Sessions::new().on_look(|look| match look {
        1..3 => state("running/working", false),
        _ => state("running/finished", true),
    }));
    let devin = Devin::start(move |heard| {
        // The session has ended, though nobody has seen it yet.
        if heard.path.ends_with("/messages") { Said::problem(409, "session has ended") } else { sessions.answer(heard) }
    });
    let program = by(&devin.settings(), "poll_interval: 1s", "");
    let mut bridge = Bridge::start(&program, "--rules relay.yaml");
    bridge.post("auto", &group(&["a"]));
    let first = bridge.until("session_created");
    bridge.until("session_status");
    let joined = bridge.post("auto", &group(&["a", "b"]));
    assert_eq!(joined.json()["job_ids"][0], first["job_id"]);
    let told = bridge.until("session_messaged");
    assert_eq!(told["sent"], false, "{told}");
    assert_eq!(bridge.until("outcome")["session_id"], first["session_id"]);
    let second = bridge.until("session_created");
    assert!(second["job_id"] != first["job_id"] && second["session_id"] != first["session_id"], "{second}");
    assert_eq!(bridge.until("outcome")["session_id"], second["session_id"]);
    assert!(devin.creates()[1]["prompt"].as_str().unwrap().contains("instance: b"), "{}", devin.creates()[1]);
    // A repeat of what both have been told is the cool-down's business, and says so.
    bridge.post("auto", &group(&["b", "a"]));
    let held = bridge.until("outcome");
    assert!(held["reason"].as_str().unwrap().starts_with("held by the cool-down"), "{held}");
    assert_eq!(devin.creates().len(), 2);
    assert_eq!(bridge.alerts()[0]["job"]["reason"], held["reason"]);
}

/// The key may read everything, and may not create.
#[test]
fn a_create_that_is_forbidden_pauses_until_one_is_allowed() {
    let address: Arc<OnceLock<String>> = Arc::default();
    let standing = |address: &str| {
        let ready = request(address, "GET", "/readyz", "", b"").unwrap().json();
        ready["integrations"][0]["state"].as_str().unwrap().to_string()
    };
    let (sessions, asked, known) = (Sessions::new(), Mutex::new(Vec::new()), Arc::clone(&address));
    let devin = Devin::start(move |heard| {
        if !heard.is_create() {
            return sessions.answer(heard);
        }
        let mut asked = asked.lock().unwrap();
        asked.push(standing(known.wait()));
        // While it is tried again, it is no more ready than before.
        if *asked == ["ready", "paused"] { sessions.answer(heard) } else { Said::problem(403, "missing permission") }
    });
    let program = by(&devin.settings(), "poll_interval: 1s", "");
    let mut bridge = Bridge::start(&program, "--rules relay.yaml");
    address.set(bridge.address.clone()).unwrap();
    bridge.post("generic", DISK_FULL);
    let paused = loop {
        let line = bridge.until("warning");
        if line["message"].as_str().unwrap().starts_with("integration main is paused") {
            break line;
        }
    };
    assert!(paused["message"].as_str().unwrap().contains("missing permission"), "{paused}");
    bridge.until("outcome");
    assert_eq!((standing(&bridge.address).as_str(), devin.count("POST")), ("ready", 2));
}
