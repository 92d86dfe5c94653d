//! `alert-relay serve` and the sessions of its alerts: what becomes of one that is gone, that ends too early, or that may not be
//! created.

mod common;

use std::sync::Arc;

use common::bridge::{Bridge, by};
use common::devin::{Devin, Sessions, state};
use rustix::process::Signal;
use serde_json::json;

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
