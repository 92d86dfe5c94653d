//! `redact_fields`: what is named never leaves the program, and nothing else changes.

mod common;

use common::{Api, Organization, program};
use serde_json::json;

const T: i64 = 1_700_000_000;
const SECRET: &str = "a-redaction-key-of-some-length";

fn api() -> Api {
    let session =
        json!({"session_id": "a", "title": "Payroll of Ann", "tags": ["x"], "created_at": T, "updated_at": T});
    let message = json!({"event_id": "1", "message": "Call Ann", "username": "ann", "created_at": T});
    Api::of(&Organization::new(&[("sessions", json!([session])), ("sessions/devin-a/messages", json!([message]))]))
}

#[test]
fn a_named_field_is_dropped_or_hashed_in_every_form_of_output() {
    let more = json!({"redact_fields": ["title", "session_messages.message", "username:hash"], "redact_key": SECRET});
    let api = api();
    let program = program().at(&api, more).catalog(&["sessions", "session_messages"]);
    let records = program.run("read --config config.json --streams sessions,session_messages --format records");
    insta::assert_snapshot!(records.text(), @r#"
    {"_stream":"sessions","created_at":1700000000,"session_id":"a","tags":["x"],"updated_at":1700000000}
    {"_stream":"session_messages","session_id":"a","created_at":1700000000,"event_id":"1","username":"1f25ac2ce92176ea21a7d4fe4f596671570914d70865e25055e92df4e5c9e107"}
    "#);
    let messages = program.run("read --config config.json --catalog catalog.json --debug");
    program.run("read --config config.json --streams sessions,session_messages --output out");
    let files = program.text("out/sessions.jsonl") + &program.text("out/session_messages.jsonl");
    for text in [messages.text(), &messages.stderr, records.text(), &records.stderr, &files] {
        assert!(!text.contains("Ann") && !text.contains("\"ann\"") && !text.contains(SECRET), "{text}");
    }
    assert_eq!((messages.told().records("sessions").len(), messages.told().records("session_messages").len()), (1, 1));
}

#[test]
fn what_is_remembered_of_a_record_is_of_the_record_as_it_came() {
    let catalog = common::catalog(&[("sessions", "incremental")]);
    let state_of = |more: serde_json::Value| {
        let api = api();
        let program = program().at(&api, more).file("catalog.json", &catalog);
        program.read().told().states("sessions").last().map(ToString::to_string).unwrap()
    };
    assert_eq!(state_of(json!({})), state_of(json!({"redact_fields": ["title"]})));
}

#[test]
fn a_wrong_field_is_a_wrong_setting() {
    for (fields, key, part) in [
        (json!(["titel"]), json!(null), "did you mean \\\"title\\\"?"),
        (json!(["title:hash"]), json!(null), "no redact_key"),
        (json!(["title:hash"]), json!("short"), "at least 16 characters"),
        (json!(["session_id"]), json!(null), "told apart"),
        (json!("title"), json!(null), "must be a list of fields"),
        (json!([7]), json!(null), "must be a list of fields"),
    ] {
        let api = api();
        let program = program().at(&api, json!({"redact_fields": fields, "redact_key": key})).catalog(&["sessions"]);
        let check = program.check();
        assert!(check.text().contains(part) && check.text().contains("FAILED"), "{fields}: {}", check.text());
        assert_eq!(check.exit(), "exit 0");
        let read = program.read();
        assert!(read.text().contains(part) && read.text().contains("config_error"), "{fields}: {}", read.text());
        assert_eq!(read.exit(), "exit 1");
        assert!(!read.text().contains("short"), "{}", read.text());
        assert!(api.asked().is_empty(), "{:?}", api.asked());
    }
}
