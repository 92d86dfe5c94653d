//! A bridge that is operated: its store is backed up while it works, restored, and moved elsewhere, and no alert gets a second session
//! by that. `tests/postgres/run` moves it to PostgreSQL, too.

mod common;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use common::bridge::{Bridge, by, request};
use common::devin::{Devin, Sessions, state};
use common::{Program, Ran, postgres};
use rustix::process::Signal;
use serde_json::{Value, json};

const READ: &str = "Xq9vT2kLmZ4wXq9vT2kLmZ4w";
const ADMIN: &str = "Hx8dk2PqLw9vTz4rNc6bYm1s";
const ACCESS: &str =
    "access: {read_token: {env: RELAY_TEST_READ}, admin_token: {name: ops, token: {env: RELAY_TEST_ADMIN}}}\n";

/// Nothing but the attempt's tag keeps a session from being created again. What a stop leaves unclear is created again soon.
const RULE: &str = "poll_interval: 1s, pr_grace: 0, cooldown: 0s, while_pr_open: start, reconcile_window: 5s";

fn alert(key: &str) -> String {
    json!({"title": format!("{key} is full"), "dedup_key": key}).to_string()
}

fn guarded(devin: &Devin) -> Program {
    by(&devin.settings(), RULE, ACCESS)
        .variable("RELAY_TEST_READ", READ)
        .variable("RELAY_TEST_ADMIN", ADMIN)
        .file("read.token", READ)
        .file("admin.token", ADMIN)
}

/// A command that asks a bridge.
fn ask(program: &Program, bridge: &Bridge, words: &str, token: &str) -> Ran {
    program.run(&format!("alert-relay {words} --bridge http://{} --token-file {token}.token", bridge.address))
}

fn stop(bridge: Bridge) {
    bridge.signal(Signal::TERM);
    let (said, status) = bridge.end();
    assert!(status.success(), "{said:?}");
}

fn object(ran: &Ran) -> Value {
    assert_eq!(ran.exit(), "exit 0", "{}{}", ran.text(), ran.stderr);
    serde_json::from_str(ran.text()).unwrap()
}

#[test]
fn a_bridge_that_is_restored_goes_on_without_a_second_session() {
    let devin = Devin::of(&Arc::new(Sessions::new().on_look(|_| state("running/finished", true))));
    let program = guarded(&devin);
    let mut bridge = Bridge::start(&program, "--rules relay.yaml --store sqlite:relay.db");
    assert_eq!(ask(&program, &bridge, "pause", "admin").exit(), "exit 0");
    bridge.post("generic", &alert("disk"));
    let refused = ask(&program, &bridge, "backup relay.backup", "read");
    assert!(refused.exit() == "exit 1" && refused.text().contains("bridge_denied"), "{}", refused.text());
    let copied = object(&ask(&program, &bridge, "backup relay.backup", "admin"));
    assert_eq!((&copied["rows"]["alerts"], &copied["rows"]["jobs"]), (&json!(1), &json!(1)), "{copied}");
    let refused = ask(&program, &bridge, "backup relay.backup", "admin");
    assert!(refused.exit() == "exit 1" && refused.text().contains("--force"), "{}", refused.text());
    assert!(refused.text().contains("store_unusable"), "{}", refused.text());
    for (file, problem) in
        [("relay.yaml", "is not written over: it is no backup"), ("no/x.backup", "there is no folder no")]
    {
        let refused = ask(&program, &bridge, &format!("backup {file}"), "admin");
        assert!(refused.exit() == "exit 1" && refused.text().contains(problem), "{}", refused.text());
        assert!(refused.text().contains("store_unusable") && !refused.text().contains("--force"), "{}", refused.text());
    }
    object(&ask(&program, &bridge, "backup relay.backup --force", "admin"));
    for words in ["backup relay.db --force", "backup ./relay.db-wal --force", "backup relay.db-lock --force"] {
        let refused = ask(&program, &bridge, words, "admin");
        assert!(refused.exit() == "exit 1" && refused.text().contains("is not written over"), "{}", refused.text());
    }
    let refused = program.run("alert-relay backup relay.db --store sqlite:relay.db --force");
    assert!(refused.exit() == "exit 1" && refused.text().contains("is not written over"), "{}", refused.text());
    // What happens after the backup: the alert gets its session, which comes to its end, and another alert comes in.
    assert_eq!(ask(&program, &bridge, "resume", "admin").exit(), "exit 0");
    let before = bridge.until("outcome");
    bridge.post("generic", &alert("memory"));
    bridge.until("outcome");
    stop(bridge);
    assert_eq!(devin.count("POST"), 2);

    let refused = program.run("alert-relay restore relay.backup --store sqlite:relay.db");
    assert!(refused.exit() == "exit 1" && refused.text().contains("it is not empty"), "{}", refused.text());
    let refused = program.run("alert-relay serve --rules relay.yaml --store sqlite:relay.backup --listen 127.0.0.1:0");
    assert!(refused.exit() == "exit 1" && refused.stderr.contains("it is a backup of"), "{}", refused.stderr);
    let restored = object(&program.run("alert-relay restore relay.backup --store sqlite:restored.db"));
    assert_eq!(restored["rows"]["jobs"], 1, "{restored}");
    let mut bridge = Bridge::start(&program, "--rules relay.yaml --store sqlite:restored.db");
    assert_eq!(ask(&program, &bridge, "resume", "admin").exit(), "exit 0");
    let after = bridge.until("outcome");
    assert_eq!(after["session_id"], before["session_id"], "{after}");
    assert_eq!(devin.count("POST"), 2, "the session is found by the tag of its attempt: {}", devin.asked());
    let actions = ask(&program, &bridge, "ps --all", "admin").text().to_string();
    assert!(!actions.contains("memory"), "what came after the backup is not known: {actions}");
}

/// Delivers alerts as a sender does that tries again until it hears that each is kept.
fn deliver(address: &Mutex<String>, accepted: &AtomicUsize, count: usize) {
    for number in 0..count {
        let body = alert(&number.to_string());
        loop {
            let address = address.lock().unwrap().clone();
            let answer = request(&address, "POST", "/v1/hooks/generic", "", body.as_bytes());
            if answer.is_ok_and(|answer| answer.status == 202) {
                break;
            }
            std::thread::yield_now();
        }
        accepted.fetch_add(1, Ordering::SeqCst);
    }
}

/// Moves a bridge between two stores while alerts are delivered to it.
fn move_under_load(from: &str, into: &str) {
    const ALERTS: usize = 60;
    let devin = Devin::of(&Arc::new(Sessions::new().on_look(|_| state("running/finished", true))));
    let program = by(&devin.settings(), RULE, "");
    let mut old = Bridge::start(&program, &format!("--rules relay.yaml --store {from}"));
    let (address, accepted) = (Mutex::new(old.address.clone()), AtomicUsize::new(0));
    let mut bridge = std::thread::scope(|scope| {
        scope.spawn(|| deliver(&address, &accepted, ALERTS));
        old.until("session_created");
        while accepted.load(Ordering::SeqCst) < ALERTS / 3 {
            std::thread::yield_now();
        }
        stop(old);
        let moved = program.run(&format!("alert-relay migrate {from} {into}"));
        assert_eq!(moved.exit(), "exit 0", "{}{}", moved.text(), moved.stderr);
        let new = Bridge::start(&program, &format!("--rules relay.yaml --store {into}"));
        address.lock().unwrap().clone_from(&new.address);
        while accepted.load(Ordering::SeqCst) < ALERTS {
            std::thread::yield_now();
        }
        new
    });
    while bridge.alerts().iter().any(|alert| alert["job"]["settled_at"].is_null()) {
        bridge.until("outcome");
    }
    let alerts = bridge.alerts();
    let sessions: BTreeSet<&str> = alerts.iter().filter_map(|alert| alert["job"]["session_id"].as_str()).collect();
    assert_eq!((alerts.len(), sessions.len(), devin.count("POST")), (ALERTS, ALERTS, ALERTS), "{alerts:?}");
    let refused = program.run(&format!("alert-relay serve --rules relay.yaml --store {from} --listen 127.0.0.1:0"));
    assert!(refused.exit() == "exit 1" && refused.stderr.contains("it was moved to"), "{}", refused.stderr);
}

#[test]
fn a_store_that_was_moved_is_neither_served_nor_backed_up_and_its_move_is_not_undone_while_the_new_one_is_served() {
    let devin = Devin::of(&Arc::new(Sessions::new()));
    let program = by(&devin.settings(), RULE, "");
    stop(Bridge::start(&program, "--rules relay.yaml --store sqlite:relay.db"));
    let moved = program.run("alert-relay migrate sqlite:relay.db sqlite:moved.db --output text");
    assert!(moved.text().ends_with("serve goes on from there with --store 'sqlite:moved.db'\n"), "{}", moved.text());
    let refused =
        program.run("alert-relay serve --rules relay.yaml --store sqlite:relay.db --listen 127.0.0.1:0 --check");
    assert!(refused.exit() == "exit 1" && refused.stderr.contains("it was moved to"), "{}", refused.stderr);
    let refused = program.run("alert-relay backup stale.backup --store sqlite:relay.db");
    assert!(refused.exit() == "exit 1" && refused.text().contains("it was moved to"), "{}", refused.text());
    let bridge = Bridge::start(&program, "--rules relay.yaml --store sqlite:moved.db");
    let refused = program.run("alert-relay migrate --undo sqlite:relay.db");
    assert!(refused.exit() == "exit 1" && refused.text().contains("two bridges"), "{}", refused.text());
    stop(bridge);
    let undone = object(&program.run("alert-relay migrate --undo sqlite:relay.db"));
    assert!(undone["warning"].as_str().unwrap().contains("no bridge serves the other one from now on"), "{undone}");
}

#[test]
fn a_store_that_moves_while_deliveries_go_on_loses_nothing() {
    move_under_load("sqlite:relay.db", "sqlite:moved.db");
}

#[test]
fn a_store_that_moves_to_postgresql_and_back_loses_nothing() {
    let Some(store) = postgres::store("moved") else { return };
    move_under_load("sqlite:relay.db", &store);
    let Some(store) = postgres::store("moving") else { return };
    move_under_load(&store, "sqlite:moved.db");
    told_whole();
}

/// So many large deliveries that start nothing.
const MANY: usize = 24;

/// A stopped bridge's store in `relay.db`, with a session and more than SQLite holds in memory, and its backup.
fn large_store(devin: &Devin) -> Program {
    let program = by(&devin.settings(), RULE, "");
    let mut bridge = Bridge::start(&program, "--rules relay.yaml --store sqlite:relay.db");
    bridge.post("generic", &alert("disk"));
    bridge.until("outcome");
    for number in 0..MANY {
        let body = json!({"title": "over", "status": "resolved", "dedup_key": number.to_string(), "padding": "x".repeat(1 << 18)});
        assert_eq!(bridge.post("generic", &body.to_string()).status, 202);
    }
    stop(bridge);
    object(&program.run("alert-relay backup relay.backup --store sqlite:relay.db"));
    program
}

/// Kills a command when a part of what it writes has arrived at the store that it fills, and nothing is committed but the mark.
fn kill_in_the_middle(program: &Program, words: &str, into: &str) {
    let mut child = program.start(&format!("alert-relay {words}"));
    let has_begun = || match into.strip_prefix("sqlite:") {
        Some(file) => program.path(&format!("{file}-wal")).metadata().is_ok_and(|file| file.len() > 1 << 20),
        None => postgres::answers(into, "SELECT kind FROM relay_mark"),
    };
    while !has_begun() {
        assert_eq!(child.try_wait().unwrap(), None, "it is at work: {words}");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().code(), None, "it was killed: {words}");
}

/// Every command that opens a store refuses this one, and says what to do.
fn is_refused(program: &Program, store: &str, because: &str) {
    for words in [
        &format!("serve --rules relay.yaml --listen 127.0.0.1:0 --store {store}"),
        &format!("serve --rules relay.yaml --listen 127.0.0.1:0 --store {store} --check"),
        &format!("backup of-no-use --store {store}"),
        &format!("rules simulate relay.yaml --since 1h --store {store}"),
        &format!("rules explain disk --store {store}"),
    ] {
        let (refused, said) = loop {
            let refused = program.run(&format!("alert-relay {words}"));
            let said = format!("{}{}", refused.text(), refused.stderr);
            // PostgreSQL notices a moment later that whoever filled it is gone.
            if !said.contains("wait until that has come to its end") && !said.contains("is at work") {
                break (refused, said);
            }
        };
        assert!(
            refused.exit() == "exit 1" && said.contains(because) && said.contains("run it again"),
            "{words}: {said}"
        );
    }
}

/// What a bridge with this store knows.
fn known(program: &Program, store: &str) -> (usize, Option<String>) {
    let bridge = Bridge::start(program, &format!("--rules relay.yaml --store {store}"));
    let alerts = bridge.alerts();
    stop(bridge);
    (alerts.len(), alerts.iter().find_map(|alert| alert["job"]["session_id"].as_str().map(str::to_string)))
}

/// Kills what fills these stores, and runs it again.
fn kill_what_fills(restored: &str, moved: &str) {
    let devin = Devin::of(&Arc::new(Sessions::new().on_look(|_| state("running/finished", true))));
    let program = large_store(&devin);
    let all = known(&program, "sqlite:relay.db");
    assert_eq!((all.0, all.1.is_some()), (1 + MANY, true));

    let restore = format!("restore relay.backup --store {restored}");
    for _ in 0..2 {
        kill_in_the_middle(&program, &restore, restored);
        is_refused(&program, restored, "relay.backup into it began on ");
    }
    object(&program.run(&format!("alert-relay {restore}")));
    assert_eq!(known(&program, restored), all);

    let migrate = format!("migrate sqlite:relay.db {moved}");
    for _ in 0..2 {
        kill_in_the_middle(&program, &migrate, moved);
        is_refused(&program, moved, "its migration from sqlite:");
        assert_eq!(known(&program, "sqlite:relay.db"), all, "the old one goes on");
    }
    object(&program.run(&format!("alert-relay {migrate}")));
    assert_eq!(known(&program, moved), all);
    let refused = program.run("alert-relay serve --rules relay.yaml --store sqlite:relay.db --listen 127.0.0.1:0");
    assert!(refused.exit() == "exit 1" && refused.stderr.contains("it was moved to"), "{}", refused.stderr);
    assert_eq!(devin.count("POST"), 1, "{}", devin.asked());
}

#[test]
fn a_restore_or_a_move_that_is_killed_leaves_no_second_store_that_is_served_and_is_finished_by_running_it_again() {
    kill_what_fills("sqlite:restored.db", "sqlite:moved.db");
}

#[test]
fn a_restore_or_a_move_to_postgresql_that_is_killed_leaves_no_second_store_that_is_served() {
    let Some(restored) = postgres::store("killed_restored") else { return };
    let Some(moved) = postgres::store("killed_moved") else { return };
    kill_what_fills(&restored, &moved);
}

/// The address of a store is printed as it can be used again.
fn told_whole() {
    let Some(store) = postgres::store("told") else { return };
    let program = by(&Devin::of(&Arc::new(Sessions::new())).settings(), RULE, "");
    stop(Bridge::start(&program, "--rules relay.yaml --store sqlite:relay.db"));
    object(&program.run("alert-relay backup relay.backup --store sqlite:relay.db"));
    let restored = program.run(&format!("alert-relay restore relay.backup --store {store} --output text"));
    assert!(restored.text().ends_with(&format!("--store '{store}'\n")), "{}", restored.text());
    assert!(restored.text().contains(&format!(" are in {store}\n")), "{}", restored.text());
}
