//! `alert-relay serve` over PostgreSQL: several processes on one queue, of which one dies and another stands still for longer than
//! it may, and a database that goes away and comes back. `tests/postgres/run` runs it; without a database there is nothing to test.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use common::Program;
use common::bridge::{Bridge, by, request};
use common::devin::{Devin, Said, Sessions, state};
use common::postgres;
use rustix::process::Signal;
use serde_json::{Value, json};

/// One of the tests stops the database that both use.
static DATABASE: Mutex<()> = Mutex::new(());

/// The create whose answer comes after its process has lost the job.
const HELD: usize = 9;

fn alert(number: usize) -> String {
    json!({"title": "disk full", "status": "firing", "dedup_key": number.to_string()}).to_string()
}

/// Over a schema of its own; `None` where there is no database.
fn start(devin: &Devin, schema: &str) -> Option<(Program, String)> {
    let store = postgres::store(schema)?;
    let program = by(&devin.settings(), "poll_interval: 1s, pr_grace: 0, reconcile_window: 5s", "");
    Some((program, format!("--rules relay.yaml --store {store}")))
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}");
}

fn unsettled(bridge: &Bridge) -> usize {
    bridge.alerts().iter().filter(|alert| alert["job"]["settled_at"].is_null()).count()
}

/// Each alert has one session, which no other has, and nothing else was created.
fn check(bridge: &Bridge, devin: &Devin, accepted: usize) {
    let alerts = bridge.alerts();
    let sessions: BTreeSet<&str> = alerts.iter().filter_map(|alert| alert["job"]["session_id"].as_str()).collect();
    assert_eq!((alerts.len(), sessions.len(), devin.count("POST")), (accepted, accepted, accepted), "{alerts:?}");
    assert!(alerts.iter().all(|alert| alert["job"]["result"] == "pr_opened"), "{alerts:?}");
}

/// Delivers an alert as its sender does, again after a 503: whoever was stopped in the middle of a transaction holds the others
/// up until the database gives it up.
fn deliver(bridge: &Bridge, number: usize) {
    loop {
        let reply = bridge.post("generic", &alert(number));
        if reply.status == 202 {
            return;
        }
        assert!(reply.status == 503 && reply.head.contains("retry-after"), "{reply:?}");
    }
}

#[test]
fn three_processes_share_the_work_while_one_dies_and_one_stands_still_beyond_its_lease() {
    let _alone = DATABASE.lock().unwrap_or_else(PoisonError::into_inner);
    let (held, is_held) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let (sessions, held, released) = (Sessions::new(), Mutex::new(held), Mutex::new(released));
    let sessions = sessions.on_look(|_| state("running/finished", true));
    let creates = Mutex::new(0);
    let devin = Devin::start(move |heard| {
        let said = sessions.answer(heard);
        let number = if heard.is_create() {
            let mut creates = creates.lock().unwrap();
            *creates += 1;
            *creates
        } else {
            0
        };
        if number == HELD {
            // The session is there; who made it hears of it when somebody else has taken it on.
            held.lock().unwrap().send(()).unwrap();
            let _ = released.lock().unwrap().recv();
        }
        said
    });
    let Some((program, arguments)) = start(&devin, "replicas") else { return };
    let still = Bridge::start(&program, &arguments);
    for number in 0..12 {
        deliver(&still, number);
    }
    is_held.recv().unwrap();
    still.signal(Signal::STOP);
    let mut dying = Bridge::start(&program, &arguments);
    for number in 12..18 {
        deliver(&dying, number);
    }
    dying.until("session_created");
    dying.kill();
    let mut third = Bridge::start(&program, &arguments);
    // One is in the hands of the process that stands still, as soon as the third one has looked at its key.
    let waits_for = |alert: &Value| alert["job"]["waits_for"].as_str().map(str::to_string);
    let is_told = |reason: &String| reason.starts_with("another process has it in hand, and was heard of last at 20");
    while !third.alerts().iter().filter_map(waits_for).any(|reason| is_told(&reason)) {
        std::thread::yield_now();
    }
    // What the two others hold comes once their leases have ended.
    while unsettled(&third) > 0 {
        third.until("outcome");
    }
    check(&third, &devin, 18);
    release.send(()).unwrap();
    still.signal(Signal::CONT);
    deliver(&still, 18);
    while unsettled(&third) > 0 {
        std::thread::yield_now();
    }
    check(&third, &devin, 19);
    // What it still held was another's by then, and it says nothing about it.
    still.signal(Signal::TERM);
    let (said, status) = still.end();
    assert!(status.success(), "{said:?}");
}

#[test]
fn a_database_that_goes_away_under_load_costs_no_alert_and_comes_back() {
    let _alone = DATABASE.lock().unwrap_or_else(PoisonError::into_inner);
    let devin = Devin::of(&Arc::new(Sessions::new()));
    let Some((program, arguments)) = start(&devin, "restarts") else { return };
    let bridge = Bridge::start(&program, &arguments);
    let shell = |variable| run("sh", &["-c", &std::env::var(variable).unwrap()]);
    let (mut accepted, mut busy) = (0, 0);
    for round in 0..3 {
        std::thread::scope(|scope| {
            let (bridge, done) = (&bridge, mpsc::channel::<()>());
            let (stop, stopped) = done;
            let sending = scope.spawn(move || {
                let (mut accepted, mut busy) = (0, 0);
                for number in 0.. {
                    // The sender tries until it is accepted, as Alertmanager does after a 503.
                    loop {
                        let reply = bridge.post("generic", &alert(round * 100_000 + number));
                        match reply.status {
                            202 => break,
                            status => {
                                assert!(status == 503 && reply.head.contains("retry-after"), "{reply:?}");
                                busy += 1;
                            }
                        }
                    }
                    accepted += 1;
                    if number >= 20 && stopped.try_recv().is_ok() {
                        return (accepted, busy);
                    }
                }
                (accepted, busy)
            });
            shell("RELAY_POSTGRES_STOP");
            assert_eq!(bridge.get("/readyz").status, 503);
            shell("RELAY_POSTGRES_START");
            stop.send(()).unwrap();
            let (more, turned_away) = sending.join().unwrap();
            accepted += more;
            busy += turned_away;
        });
    }
    assert!(busy > 0, "no delivery met the database away");
    while unsettled(&bridge) > 0 {
        std::thread::yield_now();
    }
    check(&bridge, &devin, accepted);
}

#[test]
fn a_kill_switch_that_another_program_keeps_from_going_on_is_answered_within_seconds_and_turns_no_delivery_away() {
    let _alone = DATABASE.lock().unwrap_or_else(PoisonError::into_inner);
    let devin = Devin::of(&Arc::new(Sessions::new()));
    let Some((program, arguments)) = start(&devin, "blocked") else { return };
    let bridge = Bridge::start(&program, &arguments);
    let url = std::env::var("RELAY_POSTGRES").unwrap();
    let mut psql = Command::new("psql");
    let psql = psql.args([&url, "--quiet"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut holding = psql.spawn().unwrap();
    let mut orders = holding.stdin.take().unwrap();
    writeln!(orders, "SELECT pg_advisory_lock(7340031);\n\\echo it is held").unwrap();
    let mut told = BufReader::new(holding.stdout.take().unwrap()).lines();
    assert!(told.any(|line| line.unwrap() == "it is held"));
    std::thread::scope(|scope| {
        let delivered = scope.spawn(|| deliver(&bridge, 1));
        let began = Instant::now();
        let on = request(&bridge.address, "POST", "/api/v1/kill-switch", "", b"{\"on\": true}").unwrap();
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        let reason = "the kill switch is not on, because the store cannot keep that now: ask again, or stop the bridge";
        assert_eq!((on.status, &on.json()["reason"]), (503, &json!(reason)), "{on:?}");
        drop(orders);
        assert!(holding.wait().unwrap().success());
        delivered.join().unwrap();
    });
    let on = request(&bridge.address, "POST", "/api/v1/kill-switch", "", b"{\"on\": true}").unwrap();
    assert_eq!((on.status, &on.json()["kill_switch"]["on"]), (200, &json!(true)), "{on:?}");
}

#[test]
fn two_processes_start_no_more_sessions_together_than_the_limit() {
    let _alone = DATABASE.lock().unwrap_or_else(PoisonError::into_inner);
    let sessions = Sessions::new().on_look(|_| state("running/working", false));
    let devin = Devin::of(&Arc::new(sessions));
    let Some((program, arguments)) = start(&devin, "limited") else { return };
    let rules = program.text("relay.yaml") + "limits: {concurrent_sessions: 3}\n";
    let program = program.file("relay.yaml", rules);
    let bridges = [Bridge::start(&program, &arguments), Bridge::start(&program, &arguments)];
    std::thread::scope(|scope| {
        for (place, bridge) in bridges.iter().enumerate() {
            scope.spawn(move || {
                for number in 0..15 {
                    assert_eq!(bridge.post("generic", &alert(place * 100 + number)).status, 202);
                }
            });
        }
    });
    let held = |alert: &serde_json::Value| alert["job"]["held"]["gate"] == "concurrent_sessions";
    while bridges[0].alerts().iter().filter(|alert| held(alert)).count() < 27 {
        std::thread::yield_now();
    }
    assert_eq!(devin.count("POST"), 3);
}

#[test]
fn two_processes_reserve_no_more_of_a_day_than_its_budget() {
    let _alone = DATABASE.lock().unwrap_or_else(PoisonError::into_inner);
    let sessions = Sessions::new().on_look(|_| state("running/working", false));
    let devin = Devin::of(&Arc::new(sessions));
    let Some((program, arguments)) = start(&devin, "budgeted") else { return };
    let rules = program.text("relay.yaml").replace("poll_interval: 1s", "poll_interval: 1s, max_acu_limit: 4");
    let program = program.file("relay.yaml", rules + "limits: {acu_per_day: 13}\n");
    let bridges = [Bridge::start(&program, &arguments), Bridge::start(&program, &arguments)];
    std::thread::scope(|scope| {
        for (place, bridge) in bridges.iter().enumerate() {
            scope.spawn(move || {
                for number in 0..15 {
                    assert_eq!(bridge.post("generic", &alert(place * 100 + number)).status, 202);
                }
            });
        }
    });
    let held = |alert: &serde_json::Value| alert["job"]["held"]["gate"] == "acu_per_day";
    while bridges[0].alerts().iter().filter(|alert| held(alert)).count() < 27 {
        std::thread::yield_now();
    }
    assert_eq!(devin.count("POST"), 3);
}

#[test]
fn two_processes_tell_of_everything_once_and_in_order() {
    let _alone = DATABASE.lock().unwrap_or_else(PoisonError::into_inner);
    let recorder = Devin::start(|_| Said::Answer(204, Vec::new(), String::new()));
    let sessions = Sessions::new().on_look(|_| state("running/finished", true));
    let devin = Devin::of(&Arc::new(sessions));
    let Some(store) = postgres::store("notified") else { return };
    let rule = "poll_interval: 1s, pr_grace: 0, notify: [{target: any}]";
    let target = "{name: any, kind: webhook, url: {env: HOOK}, secret: {env: SECRET}}";
    let top = format!("notify: {{allow_internal: 127.0.0.1, targets: [{target}]}}\n");
    let program = by(&devin.settings(), rule, &top)
        .variable("HOOK", &recorder.url)
        .variable("SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let arguments = format!("--rules relay.yaml --store {store}");
    let mut bridges = [Bridge::start(&program, &arguments), Bridge::start(&program, &arguments)];
    for number in 0..20 {
        deliver(&bridges[number % 2], number);
    }
    while unsettled(&bridges[0]) > 0 {
        std::thread::yield_now();
    }
    let told = || bridges[0].get("/api/v1/notifications?limit=200").json()["notifications"].as_array().unwrap().clone();
    while told().iter().any(|one| one["state"] == "waiting") {
        std::thread::yield_now();
    }
    let mut of_alert: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in recorder.heard() {
        let body: Value = serde_json::from_str(&one.body).unwrap();
        let event = body["type"].as_str().unwrap().to_string();
        of_alert.entry(body["data"]["dedupe_key"].to_string()).or_default().push(event);
    }
    assert_eq!(of_alert.len(), 20);
    for (alert, events) in of_alert {
        assert_eq!(events, ["alert_relay.created", "alert_relay.pull_request", "alert_relay.done"], "{alert}");
    }
    for bridge in &mut bridges {
        bridge.signal(Signal::TERM);
    }
}
