//! A backup that cannot be written: the command names the file that was asked for, and a bridge says where it could not write.

#![cfg(target_os = "linux")]

mod common;

use std::process::Stdio;
use std::sync::Arc;

use common::bridge::{Bridge, by, request};
use common::devin::{Devin, Sessions};
use common::{Program, Ran};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::json;

/// No file of the process may grow beyond this, in bytes, as on a disk that is full.
const MOST: u64 = 64 << 10;

/// Lets a process hear of a file that may not grow instead of being ended by it.
const HEARS: &str = "trap '' XFSZ; exec $PROGRAM alert-relay";

/// A bridge with more in its store than such a file holds.
fn bridge(program: &Program) -> (Bridge, Pid) {
    let line = format!("{HEARS} serve --rules relay.yaml --store sqlite:relay.db --listen 127.0.0.1:0");
    let child = program.shell(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = Pid::from_child(&child);
    let bridge = Bridge::of(child);
    let body = json!({"title": "over", "status": "resolved", "dedup_key": "disk", "padding": "x".repeat(1 << 18)});
    assert_eq!(bridge.post("generic", &body.to_string()).status, 202);
    (bridge, pid)
}

fn failed(ran: &Ran, words: &[&str]) {
    let said = ran.text();
    assert!(ran.exit() == "exit 1" && words.iter().all(|word| said.contains(word)), "{said}{}", ran.stderr);
    assert!(!said.contains("relay.backup."), "by the name that was asked for: {said}");
}

#[test]
fn a_backup_that_cannot_be_written_says_what_failed_where() {
    let program = by(&Devin::of(&Arc::new(Sessions::new())).settings(), "poll_interval: 1s", "");
    let (bridge, pid) = bridge(&program);

    let missing = program.run("alert-relay backup missing/relay.backup --store sqlite:relay.db");
    failed(&missing, &["\"store_unusable\"", "missing/relay.backup cannot be written: there is no folder missing"]);
    let words = "backup relay.backup --store sqlite:relay.db";
    let full = program.shell(&format!("ulimit -f 128; {HEARS} {words}")).output().unwrap();
    let said = String::from_utf8(full.stdout).unwrap();
    assert!(full.status.code() == Some(1) && said.contains("relay.backup cannot be written: "), "{said}");
    assert!(!said.contains("relay.backup."), "by the name that was asked for: {said}");

    let unlimited = prlimit(Some(pid), Resource::Fsize, Rlimit { current: Some(MOST), maximum: None }).unwrap();
    let address = format!("--bridge http://{}", bridge.address);
    let refused = program.run(&format!("alert-relay backup relay.backup {address}"));
    failed(&refused, &["the bridge answered 507: the backup is made in the folder ", "cannot be written there: "]);
    assert!(!refused.text().contains("ry again"), "{}", refused.text());
    prlimit(Some(pid), Resource::Fsize, unlimited).unwrap();

    let done = program.run(&format!("alert-relay backup relay.backup {address}"));
    assert_eq!(done.exit(), "exit 0", "{}{}", done.text(), done.stderr);
    let left: Vec<String> = program.files().into_iter().filter(|name| name.contains("backup")).collect();
    assert_eq!(left, ["relay.backup"]);
}

#[test]
fn a_notification_that_nobody_knows_is_answered_with_where_they_are_seen() {
    let program = by(&Devin::of(&Arc::new(Sessions::new())).settings(), "poll_interval: 1s", "");
    let bridge = Bridge::start(&program, "--rules relay.yaml --store memory");
    let refused = request(&bridge.address, "POST", "/api/v1/notifications/notice-1/resend", "", b"").unwrap();
    assert!(refused.status == 404 && refused.body.contains("alert-relay show"), "{refused:?}");
}
