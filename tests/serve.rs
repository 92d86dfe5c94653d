//! `alert-relay serve`: what is delivered is kept before it is answered, becomes one session, and goes on after a restart.

mod common;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use common::bridge::{Bridge, at, reply, request};
use common::{Sandboxed, program};
use rustix::process::Signal;
use serde_json::{Value, json};

const DISK_FULL: &str = r#"{"title": "disk full", "status": "firing", "dedup_key": "disk"}"#;

fn job(bridge: &Bridge) -> Value {
    bridge.alerts()[0]["job"].clone()
}

#[test]
fn an_alert_that_is_delivered_becomes_a_session_and_an_outcome() {
    let program = program();
    let mut bridge = Bridge::start(&program, "--sandbox --store sqlite:relay.db");
    let accepted = bridge.post("generic", DISK_FULL);
    assert_eq!((accepted.status, &accepted.json()["accepted"]), (202, &json!(true)));
    let again = bridge.post("generic", DISK_FULL);
    assert_eq!((again.status, &again.json()["deduplicated"]), (202, &json!(true)));
    assert_eq!(again.json()["duplicate_of"], accepted.json()["delivery_id"]);
    assert_eq!(accepted.json()["duplicate_of"], Value::Null, "it is no duplicate: {:?}", accepted.json());
    let created = bridge.until("session_created");
    assert_eq!(created["job_id"], accepted.json()["job_ids"][0]);
    assert_eq!(bridge.until("outcome")["result"], "pr_opened");
    let job = job(&bridge);
    assert_eq!(
        (&job["status"], &job["result"], &job["session_id"]),
        (&json!("done"), &json!("pr_opened"), &created["session_id"])
    );
    assert!(job["pr_url"].as_str().unwrap().starts_with("https://"), "{job}");
    assert!(job["session_url"].as_str().unwrap().starts_with("https://"), "{job}");
    bridge.signal(Signal::TERM);
    let (said, status) = bridge.end();
    assert!(status.success(), "{status}");
    assert_eq!(said.last().unwrap()["message"], "stopped");
}

#[test]
fn an_address_of_a_store_that_is_refused_is_not_repeated() {
    let ran = program().run("alert-relay serve --sandbox --store mysql://app:Xq9vT2kLmZ4w@db.example.com/relay");
    assert_eq!(ran.exit(), "exit 2");
    assert!(ran.stderr.contains("--store: expected sqlite:FILE") && !ran.stderr.contains("Xq9v"), "{}", ran.stderr);
}

#[test]
fn every_request_is_answered_as_what_it_is() {
    let program = program();
    let bridge = Bridge::start(&program, "--sandbox --store memory");
    let answer = |method: &str, path: &str, headers: &str, body: &[u8]| {
        let reply = request(&bridge.address, method, path, headers, body).unwrap();
        let body = reply.json();
        format!("{method} {path}: {} {}\n", reply.status, body["reason"].as_str().unwrap_or_default())
    };
    let gzip = |bytes: &[u8]| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    };
    let huge = vec![b' '; (2 << 20) + 1];
    let packed = "content-encoding: gzip\r\n";
    let mut said = String::new();
    for (method, path, headers, body) in [
        ("POST", "/v1/hooks/generic", "", DISK_FULL.as_bytes()),
        ("POST", "/v1/hooks/auto", packed, &gzip(DISK_FULL.replace("disk", "cpu").as_bytes())),
        ("POST", "/v1/hooks/auto", packed, DISK_FULL.as_bytes()),
        ("POST", "/v1/hooks/auto", packed, &gzip(&huge)),
        ("POST", "/v1/hooks/auto", "content-encoding: br\r\n", b"x"),
        ("POST", "/v1/hooks/auto", "", &huge),
        ("POST", "/v1/hooks/auto", "", b""),
        ("POST", "/v1/hooks/auto", "", b"{"),
        ("POST", "/v1/hooks/auto", "", b"[1]"),
        ("POST", "/v1/hooks/auto", "", b"[]"),
        ("POST", "/v1/hooks/auto", "content-type: application/x-www-form-urlencoded\r\n", b"text=disk+full"),
        ("POST", "/v1/hooks/auto", "", br#"{"hello": "world"}"#),
        ("POST", "/v1/hooks/auto", "x-github-event: ping\r\n", br#"{"zen": "x", "hook_id": 1}"#),
        ("POST", "/v1/hooks/auto", "", br#"{"version": "4", "groupKey": "g", "status": "firing", "alerts": []}"#),
        ("POST", "/v1/hooks/generic", "", br#"{"title": "over", "status": "resolved"}"#),
        ("POST", "/v1/hooks/nobody", "", b"{}"),
        ("POST", "/v1/hooks/auto/secret", "", b"{}"),
        ("POST", "/v1/hooks/auto", "x-forwarded-for: 192.0.2.1\r\n", b"{}"),
        ("POST", "/v1/hooks/auto", "origin: https://example.com\r\n", b"{}"),
        ("GET", "/v1/hooks/auto", "", b""),
        ("POST", "/healthz", "", b""),
        ("GET", "/healthz", "", b""),
        ("GET", "/readyz", "", b""),
        ("GET", "/api/v2", "", b""),
        ("GET", "/api/v1/alerts", "", b""),
        ("GET", "/api/v1/alerts?after=x", "", b""),
        ("GET", "/api/v1/alerts", "forwarded: for=192.0.2.1\r\n", b""),
    ] {
        said += &answer(method, path, headers, body);
    }
    insta::assert_snapshot!(said);
}

#[test]
fn a_delivery_that_is_not_taken_leaves_a_line() {
    let program = program();
    let mut bridge = Bridge::start(&program, "--sandbox --store memory");
    assert_eq!(bridge.post("auto", "{").status, 400);
    let refused = bridge.until("delivery_refused");
    assert_eq!((&refused["route"], &refused["status"]), (&json!("auto"), &json!(400)));
    assert!(refused["answer"]["reason"].as_str().unwrap().contains("not JSON"), "{refused}");
    assert_eq!(bridge.post("auto", &" ".repeat((2 << 20) + 1)).status, 413);
    assert_eq!(bridge.until("delivery_refused")["status"], 413);
}

#[test]
fn alerts_beyond_the_first_page_are_at_the_address_that_it_names() {
    let settings = json!({"api_token": "cog_t3st-0nly_k3y", "org_id": "org-1", "api_url": "http://127.0.0.1:9"});
    let program = at(&settings.to_string());
    let bridge = Bridge::start(&program, "--rules relay.yaml --store memory");
    for number in 0..501 {
        let body = DISK_FULL.replace("\"disk\"", &format!("\"disk {number}\""));
        assert_eq!(bridge.post("generic", &body).status, 202);
    }
    let first = bridge.get("/api/v1/alerts").json();
    let rest = bridge.get(first["next"].as_str().unwrap()).json();
    let keys = [&first, &rest].map(|page| page["alerts"].as_array().unwrap().clone()).concat();
    let mut keys: Vec<String> = keys.iter().map(|alert| alert["dedupe_key"].to_string()).collect();
    keys.sort();
    keys.dedup();
    assert_eq!((keys.len(), &rest["next"]), (501, &Value::Null));
}

#[test]
fn a_hang_up_stops_it_as_any_other_signal_does() {
    let program = program();
    let bridge = Bridge::start(&program, "--sandbox");
    assert_eq!(bridge.post("generic", DISK_FULL).status, 202);
    bridge.signal(Signal::HUP);
    let (said, status) = bridge.end();
    assert!(status.success(), "{status}");
    assert_eq!(said.last().unwrap()["message"], "stopped");
}

#[test]
fn a_body_is_read_no_further_than_it_may_be_long() {
    let program = program();
    let bridge = Bridge::start(&program, "--sandbox --store memory");
    let mut stream = TcpStream::connect(&bridge.address).unwrap();
    stream.write_all(b"POST /v1/hooks/auto HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
    let chunk = [b"10000\r\n".to_vec(), vec![b' '; 0x10000], b"\r\n".to_vec()].concat();
    // It would go on for ever; the answer comes while it does.
    while stream.write_all(&chunk).is_ok() {}
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(bridge.post("generic", DISK_FULL).status, 202);
}

#[test]
fn what_was_accepted_goes_on_after_a_kill() {
    let sandbox = Sandboxed::start("--sessions 2 --session-seconds inf");
    let program = at(&sandbox.config);
    let mut bridge = Bridge::start(&program, "--rules relay.yaml");
    bridge.post("generic", DISK_FULL);
    let created = bridge.until("session_created");
    bridge.kill();
    let mut bridge = Bridge::start(&program, "--rules relay.yaml");
    // It polls at once, and does not look for another session.
    let status = bridge.until("session_status");
    assert_eq!((&status["session_id"], &status["job_id"]), (&created["session_id"], &created["job_id"]));
    assert_eq!(job(&bridge)["session_id"], created["session_id"]);
    let again = bridge.post("generic", DISK_FULL);
    assert_eq!(again.json()["deduplicated"], true, "what was known before is known still");
}

#[test]
fn a_key_that_is_refused_pauses_and_what_comes_is_kept() {
    let sandbox = Sandboxed::start("--sessions 2");
    let mut settings: Value = serde_json::from_str(&sandbox.config).unwrap();
    settings["api_token"] = json!("cog_t3st-0nly_k3y");
    let program = at(&settings.to_string());
    let mut bridge = Bridge::start(&program, "--rules relay.yaml");
    let mut warning = String::new();
    while !warning.contains("is paused") {
        warning = bridge.until("warning")["message"].to_string();
    }
    assert!(!warning.contains("t3st"), "{warning}");
    assert_eq!(bridge.post("generic", DISK_FULL).status, 202);
    let ready = bridge.get("/readyz");
    let integration = &ready.json()["integrations"][0];
    assert_eq!(
        (ready.status, &integration["state"], &integration["code"]),
        (200, &json!("paused"), &json!("invalid_devin_token"))
    );
    assert_eq!(job(&bridge)["phase"], "received");
}

#[test]
fn while_devin_cannot_be_reached_what_comes_is_kept() {
    let settings = json!({"api_token": "cog_t3st-0nly_k3y", "org_id": "org-1", "api_url": "http://127.0.0.1:9"});
    let program = at(&settings.to_string());
    let bridge = Bridge::start(&program, "--rules relay.yaml");
    assert_eq!(bridge.post("generic", DISK_FULL).status, 202);
    assert_eq!(bridge.get("/healthz").status, 200);
    bridge.signal(Signal::TERM);
    assert!(bridge.end().1.success());
}

#[test]
fn a_second_process_on_the_same_store_is_refused() {
    let program = program();
    let bridge = Bridge::start(&program, "--sandbox --store sqlite:relay.db");
    let refused = program.run("alert-relay serve --sandbox --listen 127.0.0.1:0 --store sqlite:relay.db");
    insta::assert_snapshot!(refused.end(), @r"
    stderr: error: cannot open the store sqlite:relay.db: another process writes to it: stop that one, or give this one a store of its own
    exit 1
    ");
    drop(bridge);
}

#[test]
fn an_address_that_is_not_of_this_machine_is_refused() {
    let refused = program().run("alert-relay serve --sandbox --listen 0.0.0.0:0");
    assert!(refused.end().ends_with("exit 2"), "{}", refused.end());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let sandbox = Sandboxed::start("--sessions 2 --create-answer 500:60s");
    let program = at(&sandbox.config);
    let mut bridge = Bridge::start(&program, "--rules relay.yaml");
    bridge.post("generic", DISK_FULL);
    while job(&bridge)["phase"] != "creating" {}
    bridge.signal(Signal::TERM);
    while !bridge.line().unwrap()["message"].as_str().unwrap_or_default().starts_with("stopping") {}
    assert_eq!(bridge.get("/readyz").status, 503);
    // Deliveries are still kept while a create waits for its answer.
    assert_eq!(bridge.post("generic", &DISK_FULL.replace("disk", "cpu")).status, 202);
    bridge.signal(Signal::TERM);
    let (_, status) = bridge.end();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(Signal::TERM.as_raw()));
    let mut bridge = Bridge::start(&program, "--rules relay.yaml");
    assert_eq!(bridge.until("session_adopted")["reason"], "found_after_unclear_create");
}

#[test]
fn slow_and_silent_connections_hold_up_nobody() {
    let program = program();
    let bridge = Bridge::start(&program, "--sandbox --store memory");
    // More than there are places; those who are silent for longest make room.
    let slow: Vec<TcpStream> = (0..600)
        .map(|number| {
            let mut stream = TcpStream::connect(&bridge.address).unwrap();
            let begun: &[u8] =
                if number % 2 == 0 { b"" } else { b"POST /v1/hooks/auto HTTP/1.1\r\ncontent-length: 9\r\n\r\n{" };
            stream.write_all(begun).unwrap();
            stream
        })
        .collect();
    let asked = Instant::now();
    assert_eq!(bridge.post("generic", DISK_FULL).status, 202);
    assert!(asked.elapsed() < Duration::from_secs(8), "{:?}", asked.elapsed());
    drop(slow);
    let mut stream = TcpStream::connect(&bridge.address).unwrap();
    stream.write_all(b"nonsense\r\n\r\n").unwrap();
    assert_eq!(reply(stream).unwrap().status, 400);
}
