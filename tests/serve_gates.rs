//! Whether an alert may start now, later or not at all: what the running bridge does, says and shows.

mod common;

use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

use common::bridge::{Bridge, Reply, by, request};
use common::devin::{Devin, Sessions, state};
use rustix::process::Signal;
use serde_json::{Value, json};

/// An organization whose sessions work until somebody looks for the `ends`th time.
fn that_works(ends: usize) -> Devin {
    let look = move |look| if look < ends { state("running/working", false) } else { state("running/finished", true) };
    let sessions = Sessions::new().on_look(look);
    Devin::start(move |heard| sessions.answer(heard))
}

fn organization() -> Devin {
    that_works(1)
}

fn alert(key: &str, status: &str) -> String {
    json!({"title": format!("{key} is full"), "status": status, "dedup_key": key}).to_string()
}

fn start(devin: &Devin, top: &str) -> (common::Program, Bridge) {
    by_rule(devin, "", top)
}

/// A bridge with these further keys of the default rule, and these lines at the top of the file.
fn by_rule(devin: &Devin, rule: &str, top: &str) -> (common::Program, Bridge) {
    let program = by(&devin.settings(), &format!("poll_interval: 1s, pr_grace: 0{rule}"), top);
    let bridge = Bridge::start(&program, "--rules relay.yaml --store sqlite:relay.db");
    (program, bridge)
}

fn switch(bridge: &Bridge, path: &str, body: &Value) -> Reply {
    let body = body.to_string();
    request(&bridge.address, "POST", path, "content-type: application/json\r\n", body.as_bytes()).unwrap()
}

fn decisions(bridge: &Bridge) -> Vec<String> {
    let page = bridge.get("/api/v1/decisions").json();
    let mut all = page["decisions"].as_array().unwrap().clone();
    all.reverse();
    let word = |value: &Value| value.as_str().unwrap_or("-").to_string();
    all.iter()
        .map(|row| format!("{} {} {}", word(&row["dedupe_key"]), word(&row["decision"]), word(&row["gate"])))
        .collect()
}

/// Waits until an alert is held by a gate.
fn until_held(bridge: &Bridge, gate: &str) -> Value {
    loop {
        let alerts = bridge.alerts();
        if let Some(alert) = alerts.iter().find(|alert| alert["job"]["held"]["gate"] == gate) {
            return alert.clone();
        }
    }
}

#[test]
fn behind_the_kill_switch_alerts_are_taken_and_nothing_starts_until_it_is_off() {
    let devin = organization();
    let (program, mut bridge) = start(&devin, "");
    let on = switch(&bridge, "/api/v1/kill-switch", &json!({"on": true}));
    assert_eq!((on.status, &on.json()["kill_switch"]["on"]), (200, &json!(true)), "{on:?}");
    assert_eq!(bridge.post("generic", &alert("disk", "firing")).status, 202);
    assert_eq!(bridge.post("generic", &alert("cpu", "firing")).status, 202);
    let held = until_held(&bridge, "kill_switch");
    assert_eq!(held["job"]["waits_for"], "the kill switch is on", "{held}");
    let ready = bridge.get("/readyz");
    assert_eq!((ready.status, &ready.json()["kill_switch"]["on"]), (200, &json!(true)), "{ready:?}");
    assert_eq!(devin.count("POST"), 0);
    // It outlives the process, and what resolves behind it is over.
    bridge.kill();
    bridge = Bridge::start(&program, "--rules relay.yaml --store sqlite:relay.db");
    assert_eq!(bridge.post("generic", &alert("cpu", "resolved")).status, 202);
    let ended = bridge.until("outcome");
    assert_eq!((&ended["result"], devin.count("POST")), (&json!("resolved_before_start"), 0), "{ended}");
    let off = switch(&bridge, "/api/v1/kill-switch", &json!({"on": false}));
    assert_eq!(off.json()["kill_switch"], json!({"on": false, "reason": null, "since": null}));
    let ended = bridge.until("outcome");
    assert_eq!((&ended["result"], devin.count("POST")), (&json!("pr_opened"), 1), "{ended}");
    let mut said = decisions(&bridge);
    said.sort();
    assert_eq!(
        said,
        [
            "generic:cpu hold kill_switch",
            "generic:cpu refuse resolved",
            "generic:disk hold kill_switch",
            "generic:disk start -"
        ]
    );
}

#[test]
fn an_integration_or_a_rule_is_paused_and_goes_on() {
    for wanted in [json!({"on": true, "integration": "main"}), json!({"on": true, "rule": "default"})] {
        let devin = organization();
        let (_program, mut bridge) = start(&devin, "");
        let paused = switch(&bridge, "/api/v1/pause", &wanted);
        assert_eq!((paused.status, paused.json()["paused"].as_array().map(Vec::len)), (200, Some(1)), "{paused:?}");
        assert_eq!(bridge.post("generic", &alert("disk", "firing")).status, 202);
        until_held(&bridge, "paused");
        let mut over = wanted.clone();
        over["on"] = json!(false);
        assert_eq!(switch(&bridge, "/api/v1/pause", &over).status, 200);
        bridge.until("outcome");
        assert_eq!(devin.count("POST"), 1, "{wanted}");
    }
}

#[test]
fn what_is_no_switch_is_refused_with_what_to_send() {
    let devin = organization();
    let (_program, bridge) = start(&devin, "");
    let refused = [
        ("/api/v1/kill-switch", json!({"on": "yes"})),
        ("/api/v1/kill-switch", json!({"on": true, "rule": "x"})),
        ("/api/v1/kill-switch", json!([])),
        ("/api/v1/pause", json!({"on": true})),
        ("/api/v1/pause", json!({"on": true, "rule": "x", "integration": "main"})),
        ("/api/v1/pause", json!({"on": true, "integration": "other"})),
    ];
    let said: Vec<String> = refused
        .iter()
        .map(|(path, body)| {
            let reply = switch(&bridge, path, body);
            format!("{path} {body}: {} {}", reply.status, reply.json()["reason"].as_str().unwrap_or_default())
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
    /api/v1/kill-switch {"on":"yes"}: 400 expected {"on": true} or {"on": false}
    /api/v1/kill-switch {"on":true,"rule":"x"}: 400 expected {"on": true} or {"on": false}
    /api/v1/kill-switch []: 400 expected {"on": true} or {"on": false}
    /api/v1/pause {"on":true}: 400 expected {"on": true, "integration": "NAME"} or {"on": true, "rule": "ID"}, or false to go on
    /api/v1/pause {"integration":"main","on":true,"rule":"x"}: 400 expected {"on": true, "integration": "NAME"} or {"on": true, "rule": "ID"}, or false to go on
    /api/v1/pause {"integration":"other","on":true}: 404 there is no integration of this name: the rules have main
    "#);
    let foreign = "forwarded: for=192.0.2.1\r\n";
    let reply = request(&bridge.address, "POST", "/api/v1/kill-switch", foreign, b"{\"on\": true}").unwrap();
    assert_eq!(reply.status, 403, "{reply:?}");
    assert_eq!(bridge.get("/api/v1/kill-switch").json()["kill_switch"]["on"], json!(false));
    assert_eq!(request(&bridge.address, "DELETE", "/api/v1/pause", "", b"").unwrap().status, 405);
}

#[test]
fn no_more_sessions_are_at_work_than_the_limit_and_each_has_its_turn() {
    let devin = that_works(2);
    let (_program, mut bridge) = start(&devin, "limits: {concurrent_sessions: 1}\n");
    for key in ["disk", "cpu", "memory"] {
        assert_eq!(bridge.post("generic", &alert(key, "firing")).status, 202);
    }
    let mut turns = Vec::new();
    while turns.len() < 6 {
        let line = bridge.line().unwrap();
        if let Some(event) = line["event"].as_str().filter(|event| ["session_created", "outcome"].contains(event)) {
            turns.push(event.to_string());
        }
    }
    assert_eq!(turns, ["session_created", "outcome"].repeat(3));
    assert!(decisions(&bridge).iter().any(|row| row.ends_with("hold concurrent_sessions")), "{:?}", decisions(&bridge));
}

#[test]
fn an_alert_that_resolves_within_its_delay_starts_nothing() {
    let devin = organization();
    let (_program, mut bridge) = by_rule(&devin, ", delay: 30m", "");
    assert_eq!(bridge.post("generic", &alert("disk", "firing")).status, 202);
    let held = until_held(&bridge, "delay");
    assert_eq!(held["job"]["held"]["reason"], "it has to fire for 30m first", "{held}");
    assert_eq!(bridge.post("generic", &alert("disk", "resolved")).status, 202);
    assert_eq!((&bridge.until("outcome")["result"], devin.count("POST")), (&json!("resolved_before_start"), 0));
}

#[test]
fn an_alert_starts_when_it_has_fired_often_enough() {
    let devin = organization();
    let (_program, mut bridge) = by_rule(&devin, ", min_occurrences: {count: 3, within: 1h}", "");
    let nth = |number| json!({"title": format!("full {number}"), "status": "firing", "dedup_key": "disk"}).to_string();
    for number in 1..=2 {
        assert_eq!(bridge.post("generic", &nth(number)).status, 202);
        until_held(&bridge, "min_occurrences");
    }
    assert_eq!(devin.count("POST"), 0);
    assert_eq!(bridge.post("generic", &nth(3)).status, 202);
    assert_eq!((&bridge.until("outcome")["result"], devin.count("POST")), (&json!("pr_opened"), 1));
}

#[test]
fn a_storm_has_one_session_that_is_told_of_all_and_the_others_are_attached_to_it() {
    let devin = that_works(3);
    let (_program, mut bridge) = by_rule(&devin, ", storm: {threshold: 3, window: 60s, immediate: 0}", "");
    switch(&bridge, "/api/v1/kill-switch", &json!({"on": true}));
    for (key, severity) in [("disk", "low"), ("cpu", "critical"), ("memory", "high")] {
        let body =
            json!({"title": format!("{key} is full"), "status": "firing", "dedup_key": key, "severity": severity});
        assert_eq!(bridge.post("generic", &body.to_string()).status, 202);
    }
    switch(&bridge, "/api/v1/kill-switch", &json!({"on": false}));
    let mut results: Vec<(String, String)> = Vec::new();
    for _ in 0..3 {
        let ended = bridge.until("outcome");
        let word = |name: &str| ended[name].as_str().unwrap_or_default().to_string();
        results.push((word("result"), word("session_id")));
    }
    results.sort();
    let session = results[0].1.clone();
    let of = |result: &str| (result.to_string(), session.clone());
    assert_eq!(results, [of("attached"), of("attached"), of("pr_opened")]);
    let creates = devin.creates();
    let prompt = creates[0]["prompt"].as_str().unwrap();
    assert_eq!(creates.len(), 1);
    assert!(
        prompt.contains("one of 3 that fired") && prompt.contains("- disk is full (low), key generic:disk"),
        "{prompt}"
    );
    assert!(creates[0]["title"].as_str().unwrap().starts_with("cpu is full"), "{creates:?}");
}

#[test]
fn a_session_whose_alert_is_resolved_is_ended_where_the_rule_says_so() {
    let devin = that_works(1000);
    let (_program, mut bridge) = by_rule(&devin, ", on_resolved: terminate", "");
    assert_eq!(bridge.post("generic", &alert("disk", "firing")).status, 202);
    bridge.until("session_status");
    assert_eq!(bridge.post("generic", &alert("disk", "resolved")).status, 202);
    assert_eq!((&bridge.until("outcome")["result"], devin.count("DELETE")), (&json!("terminated"), 1));
}

#[test]
fn the_kill_switch_in_a_file_holds_until_the_file_is_gone() {
    let devin = organization();
    let program =
        by(&devin.settings(), "poll_interval: 1s, pr_grace: 0", "kill_switch: {file: stop}\n").file("stop", "x");
    let mut bridge = Bridge::start(&program, "--rules relay.yaml");
    assert_eq!(bridge.post("generic", &alert("disk", "firing")).status, 202);
    let held = until_held(&bridge, "kill_switch");
    assert!(held["job"]["waits_for"].as_str().is_some_and(|reason| reason.contains("there is something in")), "{held}");
    // The switch of the store is another one.
    let off = switch(&bridge, "/api/v1/kill-switch", &json!({"on": false}));
    assert_eq!((off.status, &off.json()["kill_switch"]["on"]), (200, &json!(true)), "{off:?}");
    let action = bridge.get("/api/v1/actions").json()["actions"][0].clone();
    let said = "switched off, but nothing starts: the kill switch is on: there is something in ";
    assert!(action["result"].as_str().is_some_and(|result| result.starts_with(said)), "{action}");
    std::fs::remove_file(program.path("stop")).unwrap();
    bridge.until("outcome");
    assert_eq!((devin.count("POST"), &bridge.get("/readyz").json()["kill_switch"]["on"]), (1, &json!(false)));
}

/// How many requests a bridge has under way at most.
const PLACES: usize = 8;
const WAITING: usize = 4;

/// Alerts beyond the places that requests have: these are all taken by searches, which are answered once the sender is dropped. Some
/// jobs have theirs behind them, and wait for a place to send their creates.
fn at_the_door() -> (Devin, common::Program, Bridge, Sender<()>) {
    let (came, has_come) = channel();
    let (release, released) = channel();
    let (sessions, came, released) = (Sessions::new(), Mutex::new(came), Mutex::new(released));
    let devin = Devin::start(move |heard| {
        if heard.method == "GET" && heard.parameter("tags").is_some() {
            // Nobody counts them any more where they are not held any more.
            let _ = came.lock().unwrap().send(());
            let _ = released.lock().unwrap().recv();
        }
        sessions.answer(heard)
    });
    let (program, bridge) = start(&devin, "");
    for number in 0..PLACES + WAITING {
        assert_eq!(bridge.post("generic", &alert(&format!("disk {number}"), "firing")).status, 202);
    }
    has_come.iter().take(PLACES).for_each(drop);
    // A create may not come before a search that is not even waiting yet.
    let is_searching = |alert: &Value| alert["job"]["phase"] == "finding";
    while bridge.alerts().iter().filter(|alert| is_searching(alert)).count() < PLACES + WAITING {}
    (0..WAITING).for_each(|_| release.send(()).unwrap());
    has_come.iter().take(WAITING).for_each(drop);
    (devin, program, bridge, release)
}

#[test]
fn what_comes_while_a_create_waits_for_its_turn_is_heard_of_before_it_is_sent() {
    for (what, result) in [("switch", None), ("suppress", Some("refused")), ("resolve", Some("resolved_before_start"))]
    {
        let (devin, _program, mut bridge, release) = at_the_door();
        if what == "switch" {
            assert_eq!(switch(&bridge, "/api/v1/kill-switch", &json!({"on": true})).status, 200);
        }
        for number in (0..PLACES + WAITING).filter(|_| what != "switch") {
            let key = format!("disk {number}");
            let status = match what {
                "resolve" => bridge.post("generic", &alert(&key, "resolved")).status - 2,
                _ => {
                    let wanted = json!({"dedupe_key": format!("generic:{key}"), "for": "1h"});
                    switch(&bridge, "/api/v1/suppressions", &wanted).status
                }
            };
            assert_eq!(status, 200, "{what}");
        }
        assert_eq!(devin.count("POST"), 0, "{what}");
        drop(release);
        let all = PLACES + WAITING;
        match result {
            Some(result) => (0..all).for_each(|_| assert_eq!(bridge.until("outcome")["result"], result)),
            None => {
                let is_held = |alert: &Value| alert["job"]["held"]["gate"] == "kill_switch";
                while bridge.alerts().iter().filter(|alert| is_held(alert)).count() < all {}
            }
        }
        assert_eq!(devin.count("POST"), 0, "{what}");
    }
}

#[test]
fn what_waits_for_its_turn_when_the_bridge_ends_was_not_sent_and_is_not_looked_for() {
    for is_killed in [false, true] {
        let (devin, program, mut bridge, release) = at_the_door();
        if is_killed {
            bridge.kill();
            drop(release);
        } else {
            bridge.signal(Signal::TERM);
            while !bridge.line().unwrap()["message"].as_str().is_some_and(|said| said.starts_with("stopping: ")) {}
            drop(release);
            assert!(bridge.end().1.success());
        }
        assert_eq!(devin.count("POST"), 0, "killed: {is_killed}");
        let mut bridge = Bridge::start(&program, "--rules relay.yaml --store sqlite:relay.db");
        for _ in 0..PLACES + WAITING {
            assert_eq!(bridge.until("outcome")["result"], "pr_opened");
        }
        assert_eq!(devin.count("POST"), PLACES + WAITING, "killed: {is_killed}");
    }
}
