//! Whether an alert may start now, later or not at all: what the running bridge does, says and shows.

mod common;

use common::bridge::{Bridge, Reply, by, request};
use common::devin::{Devin, Sessions, state};
use serde_json::{Value, json};

fn organization() -> Devin {
    let sessions = Sessions::new().on_look(|_| state("running/finished", true));
    Devin::start(move |heard| sessions.answer(heard))
}

fn alert(key: &str, status: &str) -> String {
    json!({"title": format!("{key} is full"), "status": status, "dedup_key": key}).to_string()
}

fn start(devin: &Devin, top: &str) -> (common::Program, Bridge) {
    let program = by(&devin.settings(), "poll_interval: 1s, pr_grace: 0", top);
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
