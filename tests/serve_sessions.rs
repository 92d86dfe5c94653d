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

#[test]
fn a_bridge_that_is_stopped_under_load_leaves_no_create_to_be_looked_for() {
    let devin = Devin::of(&Arc::new(Sessions::new().on_look(|_| state("running/finished", true))));
    let program = by(&devin.settings(), "poll_interval: 1s, pr_grace: 0", "");
    let mut accepted = 0;
    for _ in 0..3 {
        let bridge = Bridge::start(&program, "--rules relay.yaml");
        for _ in 0..20 {
            let alert = json!({"title": "disk full", "status": "firing", "dedup_key": accepted.to_string()});
            assert_eq!(bridge.post("generic", &alert.to_string()).status, 202);
            accepted += 1;
        }
        bridge.signal(Signal::TERM);
        let (said, status) = bridge.end();
        assert!(
            status.success() && !json!(said).to_string().contains("the process that made the create ended"),
            "{said:#?}"
        );
    }
    let mut bridge = Bridge::start(&program, "--rules relay.yaml");
    let mut said = Vec::new();
    while bridge.alerts().iter().any(|alert| alert["job"]["settled_at"].is_null()) {
        said.push(bridge.until("outcome"));
    }
    assert_eq!(devin.creates().len(), accepted);
    bridge.signal(Signal::TERM);
    said.extend(bridge.end().0);
    assert!(!json!(said).to_string().contains("the process that made the create ended"), "{said:#?}");
}

/// The next warning that says this.
fn warning(bridge: &mut Bridge, words: &str) -> Value {
    loop {
        let line = bridge.until("warning");
        if line["message"].as_str().unwrap().contains(words) {
            return line;
        }
    }
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

/// The key may read everything, and may not create; or the address of the integration leads to no organization.
#[test]
fn a_create_that_is_forbidden_or_goes_nowhere_pauses_until_one_is_allowed() {
    let cases = [(403, "missing permission", "missing_permission"), (404, "no such path", "organization_unknown")];
    std::thread::scope(|scope| {
        for (status, detail, code) in cases {
            scope.spawn(move || refused_once(status, detail, code));
        }
    });
}

fn refused_once(status: u16, detail: &'static str, code: &str) {
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
        if *asked == ["ready", "paused"] { sessions.answer(heard) } else { Said::problem(status, detail) }
    });
    let program = by(&devin.settings(), "poll_interval: 1s", "");
    let mut bridge = Bridge::start(&program, "--rules relay.yaml");
    address.set(bridge.address.clone()).unwrap();
    bridge.post("generic", DISK_FULL);
    let paused = warning(&mut bridge, "integration main is paused");
    assert!(paused["message"].as_str().unwrap().contains(detail), "{paused}");
    let shown = bridge.get("/readyz").json()["integrations"][0].clone();
    assert_eq!((&shown["state"], &shown["code"]), (&json!("paused"), &json!(code)), "{shown}");
    let job = bridge.alerts()[0]["job"].clone();
    let waits_for = job["waits_for"].as_str().unwrap();
    assert!(waits_for.starts_with("the integration main is paused: ") && waits_for.contains(detail), "{job}");
    bridge.until("session_created");
    let job = bridge.alerts()[0]["job"].clone();
    assert_eq!(
        (&job["waits_for"], &job["reason"]),
        (&json!(null), &json!(null)),
        "what has passed is not told any more"
    );
    bridge.until("outcome");
    assert_eq!((standing(&bridge.address).as_str(), devin.count("POST")), ("ready", 2));
}

#[test]
fn a_session_that_may_not_be_seen_holds_up_no_other() {
    let (sessions, looks) = (Sessions::new().on_look(|_| state("running/working", false)), Mutex::new(0));
    let devin = Devin::start(move |heard| {
        let is_first = heard.method == "GET" && heard.path == format!("sessions/devin-{:032x}", 1);
        let mut looks = looks.lock().unwrap();
        *looks += i32::from(is_first);
        if is_first && *looks == 1 { Said::problem(403, "not your session") } else { sessions.answer(heard) }
    });
    let program = by(&devin.settings(), "poll_interval: 1s", "");
    let mut bridge = Bridge::start(&program, "--rules relay.yaml");
    bridge.post("generic", DISK_FULL);
    let put_off = warning(&mut bridge, "not your session");
    let shown = bridge.get("/readyz").json()["integrations"][0].clone();
    assert_eq!(shown["state"], "ready", "{shown}");
    assert!(bridge.alerts()[0]["job"]["reason"].as_str().unwrap().contains("403"));
    bridge.post("generic", &DISK_FULL.replace("disk", "cpu"));
    bridge.until("session_created");
    // The first one is seen again, and nothing is left of what was said of it.
    while bridge.until("session_status")["job_id"] != put_off["job_id"] {}
    let reasons: Vec<Value> = bridge.alerts().iter().map(|alert| alert["job"]["reason"].clone()).collect();
    assert_eq!(reasons, [Value::Null, Value::Null]);
    bridge.signal(Signal::TERM);
    let (said, _) = bridge.end();
    assert!(!said.iter().any(|line| line.to_string().contains("is paused")), "{said:?}");
}

/// While a session is watched, the key is revoked, or Devin fails.
#[test]
fn what_is_wrong_with_all_requests_pauses_while_a_session_is_watched_too() {
    std::thread::scope(|scope| {
        for (status, code) in [(403, "missing_permission"), (503, "api_trouble")] {
            scope.spawn(move || failing_for_a_while(status, code));
        }
    });
}

fn failing_for_a_while(status: u16, code: &str) {
    let sessions = Sessions::new().on_look(|_| state("running/working", false));
    let fails = Arc::new(Mutex::new(false));
    let is_failing = Arc::clone(&fails);
    let devin = Devin::start(move |heard| {
        if *is_failing.lock().unwrap() { Said::problem(status, "not now") } else { sessions.answer(heard) }
    });
    let program = by(&devin.settings(), "poll_interval: 1s, limits: {concurrent_sessions: 1}", "");
    let mut bridge = Bridge::start(&program, "--rules relay.yaml");
    bridge.post("generic", DISK_FULL);
    bridge.until("session_status");
    bridge.post("generic", &DISK_FULL.replace("disk", "cpu"));
    while !bridge.until("note")["message"].as_str().unwrap().contains("concurrent_sessions") {}
    *fails.lock().unwrap() = true;
    warning(&mut bridge, "integration main is paused");
    let shown = bridge.get("/readyz").json()["integrations"][0].clone();
    assert_eq!((&shown["state"], &shown["code"]), (&json!("paused"), &json!(code)), "{shown}");
    let is_revoked =
        shown["reason"].as_str().unwrap().contains("the key is wrong or revoked, or lacks ViewOrgSessions");
    assert_eq!(is_revoked, status == 403, "{shown}");
    let alerts = bridge.alerts();
    let waiting = alerts.iter().find(|alert| alert["dedupe_key"] == "generic:cpu").unwrap();
    let waits_for = waiting["job"]["waits_for"].as_str().unwrap();
    assert!(waits_for.contains("concurrent_sessions allows; the integration main is paused: "), "{waits_for}");
    *fails.lock().unwrap() = false;
    while !bridge.until("note")["message"].as_str().unwrap().contains("the key is good") {}
    assert_eq!(bridge.get("/readyz").json()["integrations"][0]["state"], "ready");
}
