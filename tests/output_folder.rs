//! `read --output`: one file of records a stream, written whole or not at all in a full refresh, added to in an incremental read.

mod common;

use std::collections::BTreeSet;
use std::fs::File;
use std::sync::{Arc, Mutex};

use common::{Answer, Api, Organization, Program, program};
use serde_json::json;

const T: i64 = 1_700_000_000;
const FULL: &str = "read --config config.json --streams sessions,secrets --output out";
const CHANGES: &str =
    "read --config config.json --streams sessions,secrets --output out --state state.json --state-out state.json";

fn organization() -> Arc<Mutex<Organization>> {
    let sessions = json!([{"session_id": "a", "updated_at": T}, {"session_id": "b", "updated_at": T + 1}]);
    Organization::new(&[("sessions", sessions), ("secrets", json!([]))])
}

/// An API whose list of secrets answers 403.
fn without_secrets() -> Api {
    let organization = organization();
    Api::start(move |ask| match ask.list == "secrets" {
        true => Answer::problem(403, "Forbidden"),
        false => organization.lock().unwrap().answer(ask),
    })
}

/// The names in the folder, hidden ones too.
fn files(program: &Program) -> Vec<String> {
    let entries = std::fs::read_dir(program.path("out")).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The sessions in the folder, each once: those of the last second come again with the next read.
fn ids(program: &Program) -> Vec<String> {
    let text = program.text("out/sessions.jsonl");
    let id = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["session_id"].to_string();
    let ids: BTreeSet<String> = text.lines().map(id).collect();
    ids.into_iter().collect()
}

#[test]
fn a_full_refresh_writes_one_file_a_stream_and_nothing_to_stdout() {
    let api = Api::of(&organization());
    let program = program().at(&api, json!({}));
    let ran = program.run(FULL);
    assert_eq!((ran.exit().as_str(), ran.text(), ran.stderr.as_str()), ("exit 0", "", ""));
    assert_eq!(files(&program), ["secrets.jsonl", "sessions.jsonl"]);
    assert_eq!(ids(&program), [r#""a""#, r#""b""#]);
    assert_eq!(program.text("out/secrets.jsonl"), "");
}

#[test]
fn a_stream_that_fails_has_no_file_and_the_others_have() {
    let api = without_secrets();
    let program = program().at(&api, json!({}));
    let ran = program.run(FULL);
    assert_eq!(ran.exit(), "exit 1");
    assert!(ran.stderr.contains("warning: stream secrets: out/secrets.jsonl is not written"), "{}", ran.stderr);
    assert_eq!(files(&program), ["sessions.jsonl"]);
}

#[test]
fn an_incremental_read_adds_what_has_changed() {
    let organization = organization();
    let api = Api::of(&organization);
    let program = program().at(&api, json!({}));
    assert_eq!(program.run(CHANGES).exit(), "exit 0");
    assert_eq!(program.run(CHANGES).exit(), "exit 0");
    assert_eq!(ids(&program), [r#""a""#, r#""b""#]);
    organization.lock().unwrap().lists.insert("sessions".into(), vec![json!({"session_id": "c", "updated_at": T + 9})]);
    assert_eq!(program.run(CHANGES).exit(), "exit 0");
    assert_eq!(ids(&program), [r#""a""#, r#""b""#, r#""c""#]);
    assert_eq!(files(&program), ["secrets.jsonl", "sessions.jsonl"]);
}

#[test]
fn a_first_incremental_read_that_fails_leaves_no_file_that_a_second_one_would_repeat() {
    let failing = without_secrets();
    let program = program().at(&failing, json!({}));
    assert_eq!(program.run(CHANGES).exit(), "exit 1");
    assert_eq!(files(&program), ["sessions.jsonl"]);
    let answering = Api::of(&organization());
    let program = program.at(&answering, json!({}));
    assert_eq!(program.run(CHANGES).exit(), "exit 0");
    assert_eq!(files(&program), ["secrets.jsonl", "sessions.jsonl"]);
    assert_eq!(ids(&program), [r#""a""#, r#""b""#]);
}

#[test]
fn what_an_interrupted_read_has_left_is_cleared_away() {
    let api = Api::of(&organization());
    let program = program().at(&api, json!({}));
    assert_eq!(program.run(CHANGES).exit(), "exit 0");
    let whole = program.text("out/sessions.jsonl");
    let program = program
        .file("out/sessions.jsonl", format!("{whole}{{\"session_id\":\"ha"))
        .file("out/.secrets.jsonl.part", "{\"secret_id\":\"1\"}\n");
    let ran = program.run(CHANGES);
    assert!(ran.stderr.contains("out/sessions.jsonl ended in the middle of a line"), "{}", ran.stderr);
    assert!(program.text("out/sessions.jsonl").starts_with(&whole));
    assert_eq!(ids(&program), [r#""a""#, r#""b""#]);
}

#[test]
fn a_folder_that_is_none_holds_something_or_is_in_use_is_left_alone() {
    let api = Api::of(&organization());
    let program = program().at(&api, json!({})).file("file", "");
    std::fs::create_dir(program.path("out")).unwrap();
    let into = |folder: &str, arguments: &str| {
        let ran = program.run(&arguments.replace("--output out", &format!("--output {folder}")));
        format!("{}{}", ran.stderr, ran.exit())
    };
    insta::assert_snapshot!(into("file", FULL), @"
    error: --output names file, which is not a folder: name a new or an empty one

    For more information, try '--help'.
    exit 2
    ");
    insta::assert_snapshot!(into("file/below", FULL), @"
    error: cannot write into file/below: Not a directory (os error 20)
    exit 1
    ");
    insta::assert_snapshot!(into("/proc/devin", FULL), @"
    error: cannot write into /proc/devin: No such file or directory (os error 2)
    exit 1
    ");
    let lock = File::open(program.path("out")).unwrap();
    lock.lock().unwrap();
    insta::assert_snapshot!(into("out", FULL), @"
    error: another read writes into out: wait for it, or name another folder for --output
    exit 1
    ");
    drop(lock);
    std::fs::write(program.path("out/sessions.jsonl"), "{\"session_id\":\"old\"}\n").unwrap();
    insta::assert_snapshot!(into("out", FULL), @"
    error: --output names out, which is not empty (it holds sessions.jsonl): name a new folder, or use --state and --state-out to add what has changed

    For more information, try '--help'.
    exit 2
    ");
    insta::assert_snapshot!(into("out", CHANGES), @"
    error: out/sessions.jsonl is there, but no state says which records it holds: give --state, remove the file, or name another folder for --output

    For more information, try '--help'.
    exit 2
    ");
    assert_eq!(ids(&program), [r#""old""#]);
    assert!(api.asked().is_empty());
}

#[test]
fn a_full_disk_ends_the_read_and_names_the_file() {
    let api = Api::of(&organization());
    let program = program().at(&api, json!({}));
    std::fs::create_dir(program.path("out")).unwrap();
    std::os::unix::fs::symlink("/dev/full", program.path("out/sessions.jsonl")).unwrap();
    let program = program.file("state.json", common::state(&[("sessions", json!({"updated_at": 5}))]));
    let ran = program.run(CHANGES);
    insta::assert_snapshot!(ran.end(), @"
    stderr: error: cannot write the output: out/sessions.jsonl: No space left on device (os error N)
    exit 1
    ");
    assert!(program.text("state.json").contains("\"updated_at\":5"), "{}", program.text("state.json"));
}

#[test]
fn records_in_a_folder_are_no_messages() {
    let api = Api::of(&organization());
    let program = program().at(&api, json!({})).catalog(&["sessions"]);
    for more in ["--format airbyte", "--catalog catalog.json"] {
        let ran = program.run(&format!("read --config config.json --output out {more}"));
        assert_eq!(ran.exit(), "exit 2", "{more}: {}", ran.stderr);
        assert!(!program.path("out").exists());
    }
}
