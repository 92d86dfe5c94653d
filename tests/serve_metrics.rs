//! What programs that watch the bridge are told.

mod common;

use common::bridge::{Bridge, by, request};
use common::devin::{Devin, Said, Sessions, state};
use serde_json::json;

/// An organization whose sessions open a pull request at once.
fn that_works() -> Devin {
    let sessions = Sessions::new().on_look(|_| state("running/finished", true));
    Devin::start(move |heard| sessions.answer(heard))
}

fn alert(key: &str) -> String {
    json!({"title": format!("{key} is full"), "severity": "high", "dedup_key": key}).to_string()
}

/// The value of a series; `None` where there is none.
fn value(text: &str, series: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

fn metrics(bridge: &Bridge) -> String {
    let reply = bridge.get("/metrics");
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(reply.head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{}", reply.head);
    reply.body
}

#[test]
fn deliveries_are_counted_by_route_and_answer_and_every_series_is_there_before_the_first_one() {
    let devin = that_works();
    let program = by(&devin.settings(), "poll_interval: 1s, pr_grace: 0", "");
    let bridge = Bridge::start(&program, "--rules relay.yaml");
    let accepted = "alert_relay_deliveries_total{route=\"generic\",answer=\"accepted\"}";
    let started = "alert_relay_alerts_total{route=\"generic\",taken=\"started\"}";
    let before = metrics(&bridge);
    assert_eq!((value(&before, accepted), value(&before, started)), (Some(0.0), Some(0.0)), "{before}");
    for key in ["disk", "disk", "cpu"] {
        assert_eq!(bridge.post("generic", &alert(key)).status, 202);
    }
    assert_eq!(bridge.post("generic", "no JSON").status, 400);
    assert_eq!(bridge.post("elsewhere", &alert("x")).status, 404);
    let after = metrics(&bridge);
    let of = |series: &str| value(&after, series).unwrap_or(f64::NAN);
    assert_eq!((of(accepted), of(started)), (2.0, 2.0), "{after}");
    assert_eq!(of("alert_relay_deliveries_total{route=\"generic\",answer=\"duplicate\"}"), 1.0, "{after}");
    assert_eq!(of("alert_relay_deliveries_total{route=\"generic\",answer=\"malformed\"}"), 1.0, "{after}");
    assert_eq!(of("alert_relay_deliveries_without_route_total"), 1.0, "{after}");
    assert_eq!(of("alert_relay_delivery_duration_seconds_count{route=\"generic\"}"), 4.0, "{after}");
}

#[test]
fn metrics_are_shown_to_whoever_may_read_and_a_wrong_key_is_counted() {
    let secret = "Xq9vT2kLmZ4wXq9vT2kLmZ4w";
    let devin = that_works();
    let top = "access: {read_token: {env: RELAY_TEST_READ}}\n";
    let program = by(&devin.settings(), "poll_interval: 1s", top).variable("RELAY_TEST_READ", secret);
    let rules = std::fs::read_to_string(program.path("relay.yaml")).unwrap();
    let rules = rules.replace("kind: generic, auth: none", "kind: generic, auth: {bearer: {env: RELAY_TEST_READ}}");
    let program = program.file("relay.yaml", rules);
    let bridge = Bridge::start(&program, "--rules relay.yaml");
    assert_eq!(bridge.post("generic", &alert("disk")).status, 401);
    let with =
        |token: &str| request(&bridge.address, "GET", "/metrics", &format!("authorization: Bearer {token}\r\n"), b"");
    assert_eq!(bridge.get("/metrics").status, 401);
    assert_eq!(with("wrong").unwrap().status, 401);
    let text = with(secret).unwrap().body;
    let missing = "alert_relay_deliveries_refused_total{route=\"generic\",reason=\"missing_credential\"}";
    assert_eq!(value(&text, missing), Some(1.0), "{text}");
    assert!(!text.contains(secret));
}

/// Asks until a series has this value.
fn until(bridge: &Bridge, series: &str, expected: f64) -> String {
    let began = std::time::Instant::now();
    loop {
        let text = metrics(bridge);
        if value(&text, series) == Some(expected) {
            return text;
        }
        assert!(began.elapsed().as_secs() < 120, "{series} does not become {expected}: {text}");
        std::thread::yield_now();
    }
}

#[test]
fn a_job_is_counted_from_its_delivery_to_its_outcome_and_open_is_what_has_not_ended() {
    let devin = that_works();
    let rule = "poll_interval: 1s, pr_grace: 0, limits: {concurrent_sessions: 3, runs: 9/1h, acu_per_day: 50}, max_acu_limit: 5";
    let program = by(&devin.settings(), rule, "");
    let mut bridge = Bridge::start(&program, "--rules relay.yaml --store sqlite:relay.db");
    assert_eq!(bridge.post("generic", &alert("disk")).status, 202);
    bridge.until("outcome");
    let text = until(&bridge, "alert_relay_sessions_active{rule=\"default\"}", 0.0);
    let of = |series: &str| value(&text, series).unwrap_or_else(|| panic!("{series} is not there: {text}"));
    for (series, expected) in [
        ("alert_relay_decisions_total{rule=\"default\",decision=\"start\",gate=\"none\"}", 1.0),
        ("alert_relay_decisions_total{rule=\"default\",decision=\"hold\",gate=\"quota\"}", 0.0),
        ("alert_relay_sessions_created_total{rule=\"default\"}", 1.0),
        ("alert_relay_session_wait_seconds_count{rule=\"default\"}", 1.0),
        ("alert_relay_outcomes_total{rule=\"default\",status=\"done\",result=\"pr_opened\"}", 1.0),
        ("alert_relay_pull_requests_total{rule=\"default\"}", 1.0),
        ("alert_relay_devin_requests_total{integration=\"main\",status=\"5xx\"}", 0.0),
        ("alert_relay_integration_up{integration=\"main\"}", 1.0),
        ("alert_relay_integration_polling{integration=\"main\"}", 1.0),
        ("alert_relay_store_up", 1.0),
        ("alert_relay_limit{scope=\"rule\",name=\"default\",limit=\"runs_per_3600s\"}", 9.0),
        ("alert_relay_limit{scope=\"rule\",name=\"default\",limit=\"acu_per_day\"}", 50.0),
    ] {
        assert_eq!(of(series), expected, "{series} {text}");
    }
    for series in [
        "alert_relay_store_size_bytes",
        "alert_relay_store_transaction_duration_seconds_count",
        "alert_relay_devin_requests_total{integration=\"main\",status=\"2xx\"}",
        "alert_relay_last_poll_timestamp_seconds{integration=\"main\"}",
        "alert_relay_last_delivery_timestamp_seconds{route=\"generic\"}",
        "process_start_time_seconds",
    ] {
        assert!(of(series) > 0.0, "{series} {text}");
    }
    let used = "alert_relay_limit_used{scope=\"rule\",name=\"default\",limit=\"runs_per_3600s\"}";
    until(&bridge, used, 1.0);
}

#[test]
fn what_waits_is_counted_by_what_it_waits_for() {
    let devin = that_works();
    let program = by(&devin.settings(), "poll_interval: 1s", "");
    let mut bridge = Bridge::start(&program, "--rules relay.yaml");
    let on = request(&bridge.address, "POST", "/api/v1/kill-switch", "", b"{\"on\": true}").unwrap();
    assert_eq!(on.status, 200, "{on:?}");
    assert_eq!(bridge.post("generic", &alert("disk")).status, 202);
    bridge.until("note");
    let text = until(&bridge, "alert_relay_jobs_waiting{rule=\"default\",gate=\"kill_switch\"}", 1.0);
    assert_eq!(value(&text, "alert_relay_kill_switch"), Some(1.0), "{text}");
    let held = "alert_relay_decisions_total{rule=\"default\",decision=\"hold\",gate=\"kill_switch\"}";
    assert_eq!(value(&text, held), Some(1.0), "{text}");
    assert_eq!(value(&text, "alert_relay_jobs_waiting{rule=\"default\",gate=\"none\"}"), Some(0.0), "{text}");
}

#[test]
fn creates_that_fail_are_counted_by_their_code() {
    let sessions = Sessions::new();
    let devin = Devin::start(
        move |heard| if heard.method == "POST" { Said::problem(400, "no") } else { sessions.answer(heard) },
    );
    let program = by(&devin.settings(), "poll_interval: 1s", "");
    let bridge = Bridge::start(&program, "--rules relay.yaml");
    assert_eq!(bridge.post("generic", &alert("disk")).status, 202);
    let refused = "alert_relay_create_failures_total{integration=\"main\",code=\"refused\"}";
    let text = until(&bridge, refused, 1.0);
    assert_eq!(value(&text, "alert_relay_sessions_created_total{rule=\"default\"}"), Some(0.0), "{text}");
}

#[test]
fn a_store_that_does_not_answer_takes_only_its_own_figures_with_it() {
    let devin = that_works();
    let program = by(&devin.settings(), "poll_interval: 1s", "");
    let bridge = Bridge::start(&program, "--rules relay.yaml --store sqlite:relay.db");
    assert_eq!(bridge.post("generic", &alert("disk")).status, 202);
    assert_eq!(value(&metrics(&bridge), "alert_relay_store_up"), Some(1.0));
    std::fs::remove_file(program.path("relay.db")).unwrap();
    let text = until(&bridge, "alert_relay_store_up", 0.0);
    assert!(!text.contains("alert_relay_jobs_waiting"), "{text}");
    assert_eq!(
        value(&text, "alert_relay_deliveries_total{route=\"generic\",answer=\"accepted\"}"),
        Some(1.0),
        "{text}"
    );
    assert!(value(&text, "alert_relay_store_transaction_failures_total").unwrap() > 0.0, "{text}");
}

#[test]
fn a_reload_brings_the_series_of_new_names_and_a_mistake_is_told() {
    let devin = that_works();
    let program = by(&devin.settings(), "poll_interval: 1s", "");
    let bridge = Bridge::start(&program, "--rules relay.yaml");
    let reload = || request(&bridge.address, "POST", "/api/v1/reload", "", b"").unwrap().status;
    let series = "alert_relay_deliveries_total{route=\"added\",answer=\"accepted\"}";
    let successful = "alert_relay_rules_last_reload_successful";
    assert_eq!(value(&metrics(&bridge), series), None);
    let rules = program.text("relay.yaml").replace("name: auto", "name: added");
    std::fs::write(program.path("relay.yaml"), rules).unwrap();
    assert_eq!(reload(), 200);
    let text = metrics(&bridge);
    assert_eq!((value(&text, series), value(&text, successful)), (Some(0.0), Some(1.0)), "{text}");
    std::fs::write(program.path("relay.yaml"), "routes: 7").unwrap();
    assert_eq!(reload(), 422);
    assert_eq!(value(&metrics(&bridge), successful), Some(0.0));
}
