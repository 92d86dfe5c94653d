//! What a rules file would have made of what a running bridge keeps, and why an alert did or did not start a session.

mod common;

use common::Program;
use common::bridge::{Bridge, by, request};
use common::devin::{Devin, Sessions, state};
use common::postgres;
use serde_json::{Value, json};

const FILE: &str = "sqlite:relay.db";

const RULES: &str = "\
limits: {concurrent_sessions: 20}
rules:
  - {id: payments, match: {labels: {team: payments}}}
  - {id: noisy, match: {labels: {team: noisy}}, limits: {runs: [2/1h]}}
  - {id: often, match: {labels: {team: often}}, min_occurrences: {count: 2, within: 10m}}
  - {id: stormy, match: {labels: {team: stormy}}, storm: {threshold: 3, window: 60s, immediate: 1}}
  - {id: slow, match: {labels: {team: slow}}, delay: 10m}
";

/// An organization whose sessions end when they are looked at for the second time; those of `stays` work on.
fn organization() -> Devin {
    let look = |look| if look < 1 { state("running/working", false) } else { state("running/finished", false) };
    let sessions = Sessions::new().on_look(look);
    Devin::start(move |heard| sessions.answer(heard))
}

fn alert(key: &str, team: &str, status: &str) -> String {
    json!({"title": format!("{key} is full"), "status": status, "dedup_key": key, "labels": {"team": team}}).to_string()
}

fn start(devin: &Devin, store: &str) -> (Program, Bridge) {
    let program = by(&devin.settings(), "poll_interval: 1s, pr_grace: 0", RULES);
    let bridge = Bridge::start(&program, &format!("--rules relay.yaml --store {store}"));
    (program, bridge)
}

fn switch(bridge: &Bridge, is_on: bool) {
    let body = json!({"on": is_on}).to_string();
    let reply =
        request(&bridge.address, "POST", "/api/v1/kill-switch", "content-type: application/json\r\n", body.as_bytes());
    assert_eq!(reply.unwrap().status, 200);
}

/// Waits until every alert was asked about, and as many jobs as `ended` have ended.
fn settled(bridge: &Bridge, ended: usize) {
    loop {
        let alerts = bridge.alerts();
        let jobs = alerts.iter().map(|alert| &alert["job"]);
        let is_open = |job: &&Value| job["settled_at"].is_null() && job["held"].is_null();
        let (open, over): (Vec<_>, Vec<_>) = jobs.filter(|job| !job.is_null()).partition(is_open);
        let over = over.iter().filter(|job| !job["settled_at"].is_null()).count();
        if open.is_empty() && over == ended {
            return;
        }
    }
}

/// A day of a bridge, in which every gate has its say.
fn a_day(bridge: &mut Bridge) {
    let post = |bridge: &Bridge, key: &str, team: &str, status: &str| {
        assert_eq!(bridge.post("generic", &alert(key, team, status)).status, 202);
    };
    post(bridge, "pay", "payments", "firing");
    bridge.until("outcome");
    // Its session has ended within the cool-down, and holds it back.
    assert_eq!(
        bridge.post("auto", &alert("pay", "payments", "firing").replace("is full", "is full again")).status,
        202
    );
    bridge.until("outcome");
    for key in ["n1", "n2", "n3"] {
        post(bridge, key, "noisy", "firing");
        settled_one(bridge, key);
    }
    post(bridge, "once", "often", "firing");
    post(bridge, "twice", "often", "firing");
    settled_one(bridge, "twice");
    assert_eq!(
        bridge.post("generic", &alert("twice", "often", "firing").replace("is full", "is full again")).status,
        202
    );
    for key in ["s1", "s2", "s3", "s4"] {
        post(bridge, key, "stormy", "firing");
        settled_one(bridge, key);
    }
    post(bridge, "lag", "slow", "firing");
    settled_one(bridge, "lag");
    post(bridge, "lag", "slow", "resolved");
    post(bridge, "who", "search", "firing");
    switch(bridge, true);
    post(bridge, "off", "payments", "firing");
    settled_one(bridge, "off");
    switch(bridge, false);
    // The same bytes once more are one delivery.
    post(bridge, "who", "search", "firing");
}

/// Waits until an alert was asked about.
fn settled_one(bridge: &Bridge, key: &str) {
    loop {
        let page = bridge.get("/api/v1/decisions").json();
        let mut rows = page["decisions"].as_array().unwrap().iter();
        if rows.any(|row| row["dedupe_key"].as_str().is_some_and(|known| known.ends_with(&format!(":{key}")))) {
            return;
        }
    }
}

fn simulated(program: &Program, file: &str, store: &str) -> Vec<Value> {
    let ran = program.run(&format!("alert-relay rules simulate {file} --since 1d --store {store} --output json"));
    assert_eq!(ran.end().lines().last(), Some("exit 0"), "{}", ran.end());
    String::from_utf8_lossy(&ran.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of<'a>(lines: &'a [Value], event: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["event"] == event).collect()
}

#[test]
fn by_the_same_rules_a_recorded_day_comes_to_what_the_bridge_did_and_by_others_to_what_they_change() {
    play_a_day(FILE);
}

#[test]
fn over_postgresql_a_recorded_day_comes_to_the_same_and_is_explained() {
    let Some(store) = postgres::store("simulation") else { return };
    let program = play_a_day(&store);
    let explained = program.run(&format!("alert-relay rules explain generic:n3 --store {store}"));
    let explained: Value = serde_json::from_slice(&explained.stdout).unwrap();
    assert_eq!(explained["dedupe_key"], "generic:n3", "{explained}");
    assert!(explained.to_string().contains("as many as runs allows"), "{explained}");
}

fn play_a_day(store: &str) -> Program {
    let devin = organization();
    let (program, mut bridge) = start(&devin, store);
    a_day(&mut bridge);
    settled(&bridge, 8);
    // Beside the running bridge.
    let lines = simulated(&program, "relay.yaml", store);
    let told: Vec<String> = of(&lines, "alert")
        .iter()
        .map(|row| {
            let word = |name: &str| row[name].as_str().unwrap_or("-").to_string();
            format!("{} {} {} {}", word("dedupe_key"), word("rule"), word("decision"), word("gate"))
        })
        .collect();
    assert_eq!(of(&lines, "difference"), Vec::<&Value>::new(), "{told:#?}");
    insta::assert_snapshot!("a_recorded_day", told.join("\n"));
    let file = program.text("relay.yaml");
    let changed = file.replace("runs: [2/1h]", "runs: [3/1h]").replace("team: search", "team: x");
    let program = program.file("changed.yaml", &changed);
    let lines = simulated(&program, "changed.yaml", store);
    let different: Vec<&Value> = of(&lines, "difference");
    assert_eq!(different.len(), 1, "{different:?}");
    let (recorded, simulated) = (&different[0]["recorded"][0], &different[0]["simulated"][0]);
    assert!(different[0]["dedupe_key"].as_str().unwrap().ends_with(":n3"), "{different:?}");
    assert_eq!((&recorded["decision"], &recorded["gate"]), (&json!("hold"), &json!("runs")));
    assert_eq!(simulated["decision"], "start");
    // Nothing was written, and nothing was created.
    assert_eq!(
        devin.creates().len(),
        bridge.alerts().iter().filter(|alert| alert["job"]["session_id"].is_string()).count()
    );
    program
}

/// What a command says, without what differs from run to run.
fn said(program: &Program, arguments: &str) -> String {
    let ran = program.run(arguments);
    let text = format!("{}{}", String::from_utf8_lossy(&ran.stdout), ran.end());
    let mut told = String::new();
    for line in text.lines() {
        let plain = |word: &str| {
            let bare = word.trim_matches(|c: char| "();,.:".contains(c));
            let is_time = bare.len() == 20 && bare.starts_with("20") && bare.ends_with('Z');
            let known = ["delivery-", "job-", "ar-k-", "ar-"].into_iter().find(|begin| bare.starts_with(begin));
            match known {
                _ if is_time => word.replace(bare, "TIME"),
                Some(begin) if bare.len() > begin.len() + 7 => word.replace(bare, &format!("{begin}…")),
                _ => word.to_string(),
            }
        };
        let words: Vec<String> = line.split(' ').map(plain).collect();
        told.push_str(&words.join(" "));
        told.push('\n');
    }
    told
}

#[test]
fn why_an_alert_did_or_did_not_start_is_told_moment_by_moment() {
    let devin = organization();
    let (program, mut bridge) = start(&devin, FILE);
    let post = |bridge: &Bridge, key: &str, team: &str, status: &str| {
        assert_eq!(bridge.post("generic", &alert(key, team, status)).status, 202);
        settled_one(bridge, key);
    };
    post(&bridge, "pay", "payments", "firing");
    let ended = bridge.until("outcome");
    post(&bridge, "lag", "slow", "firing");
    post(&bridge, "lag", "slow", "resolved");
    bridge.until("outcome");
    post(&bridge, "once", "often", "firing");
    post(&bridge, "who", "search", "firing");
    let more = "rules:\n  - {id: search, match: {labels: {team: search}}}\n";
    let more = program.text("relay.yaml").replace("rules:\n", more);
    let program = program.file("more.yaml", more);
    let explain = |key: &str| {
        said(
            &program,
            &format!("alert-relay rules explain {key} --store sqlite:relay.db --rules relay.yaml --output text"),
        )
    };
    let session = ended["session_id"].as_str().unwrap();
    assert_eq!(explain(&format!("devin-{session}")), explain("generic:pay"), "{ended}");
    assert_eq!(explain("generic:pa"), explain("generic:pay"), "how a key begins is enough");
    assert_eq!(explain(&session[..12]), explain("generic:pay"), "and how a session does");
    let several = explain("generic:");
    assert!(several.contains("several alerts begin with \"generic:\""), "{several}");
    let with_more =
        said(&program, "alert-relay rules explain generic:who --store sqlite:relay.db --rules more.yaml --output text");
    assert!(with_more.contains("  the rule search takes it"), "{with_more}");
    let to_do = with_more.lines().find(|line| line.starts_with("to do: ")).unwrap();
    assert!(to_do.contains("rule search") && to_do.ends_with("it starts with its next delivery"), "{to_do}");
    let all = ["generic:pay", "generic:lag", "generic:once", "generic:who", "generic:lga"].map(explain);
    insta::assert_snapshot!(all.join("\n"));
    let json = program.run("alert-relay rules explain generic:who --store sqlite:relay.db");
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&json["event"], &json["dedupe_key"]), (&json!("explanation"), &json!("generic:who")), "{json}");
    insta::assert_snapshot!(
        said(&program, "alert-relay rules explain a --store sqlite:none.db")
            + &said(&program, "alert-relay rules explain a --store memory")
    );
}
