//! What `report_deletions` says of items that are gone, and when it says nothing.

mod common;

use std::sync::{Arc, Mutex};

use common::{Answer, Api, catalog, program};
use serde_json::{Value, json};

const T: i64 = 1_767_225_600;

/// What a list answers in one read.
type List = (&'static [&'static str], Option<u64>);

/// Reads a stream as often as there are lists, each time from the state before, and tells the records of each read.
fn check(stream: &str, path: &'static str, mode: &str, settings: Value, lists: &[List]) -> String {
    let (now, key) = (Arc::new(Mutex::new(lists[0])), format!("{}_id", stream.trim_end_matches('s')));
    let key = if stream == "schedules" { "scheduled_session_id".to_string() } else { key };
    let (shown, id) = (Arc::clone(&now), key.clone());
    let api = Api::start(move |ask| {
        let (items, total) = *shown.lock().unwrap();
        if ask.list != path || total == Some(403) {
            return Answer::problem(403, "Forbidden");
        }
        let at = |item: &str| match path {
            "schedules" => json!("2026-01-01T00:00:00Z"),
            _ if item.starts_with('n') => Value::Null,
            _ => json!(T),
        };
        let items: Vec<Value> = items.iter().map(|item| json!({&id: item, "updated_at": at(item)})).collect();
        Answer::json(json!({"items": items, "has_next_page": false, "total": total}).to_string())
    });
    let (mut state, mut told) = ("[]".to_string(), Vec::new());
    for list in lists {
        *now.lock().unwrap() = *list;
        let program = program().at(&api, settings.clone()).file("catalog.json", catalog(&[(stream, mode)]));
        let ran = program
            .file("state.json", &state)
            .run("read --config config.json --catalog catalog.json --state state.json");
        let records: Vec<String> = ran
            .told()
            .records(stream)
            .iter()
            .map(|record| {
                let deleted = if record["_deleted"] == true { " is gone" } else { "" };
                format!("{}{deleted}", record[&key].as_str().unwrap())
            })
            .collect();
        told.push(format!("{}; {}", records.join(", "), ran.exit()));
        if !ran.told().states(stream).is_empty() {
            state = ran.told().state_file();
        }
    }
    told.join("\n")
}

const ALL: List = (&["a", "b", "c"], Some(3));
const LESS: List = (&["a", "c"], Some(2));

fn on() -> Value {
    json!({"report_deletions": true, "lookback_window": 0})
}

#[test]
fn an_item_is_reported_gone_once_when_two_complete_reads_lack_it() {
    // The second of the mark is repeated at each read.
    insta::assert_snapshot!(check("playbooks", "playbooks", "incremental", on(), &[ALL, LESS, LESS, LESS, ALL]), @"
    a, b, c; exit 0
    a, c; exit 0
    a, c, b is gone; exit 0
    a, c; exit 0
    a, b, c; exit 0
    ");
    assert!(check("schedules", "schedules", "incremental", on(), &[ALL, LESS, LESS]).contains("b is gone"));
}

#[test]
fn a_list_that_is_empty_refused_or_not_as_long_as_it_says_deletes_nothing() {
    let more: List = (&["a", "c"], Some(4));
    let fewer: List = (&["a", "c"], Some(1));
    let told = check(
        "secrets",
        "secrets",
        "incremental",
        on(),
        &[ALL, (&[], Some(0)), (&[], None), more, more, fewer, fewer, (&[], Some(403)), LESS, (&[], Some(403)), ALL],
    );
    assert!(!told.contains("gone"), "{told}");
    // Without a number, a list counts that came to its end.
    let told = check("secrets", "secrets", "incremental", on(), &[ALL, (&["a", "c"], None), (&["a", "c"], None)]);
    assert!(told.contains("b is gone"), "{told}");
}

#[test]
fn nothing_is_reported_where_it_is_off_or_in_a_full_refresh() {
    for (mode, settings) in [("incremental", json!({})), ("full_refresh", on())] {
        let told = check("playbooks", "playbooks", mode, settings, &[ALL, LESS, LESS, LESS]);
        assert!(!told.contains("gone"), "{told}");
    }
}

#[test]
fn the_row_has_the_key_and_the_cursor_as_it_was_and_nothing_else() {
    let lists = Arc::new(Mutex::new(vec!["a", "n"]));
    let shown = Arc::clone(&lists);
    let api = Api::start(move |_| {
        let items: Vec<String> = shown
            .lock()
            .unwrap()
            .iter()
            .map(|id| {
                let at = if *id == "n" { "null" } else { "1767225600" };
                format!(r#"{{"automation_id":"{id}","created_at":1767220000,"updated_at":{at},"name":"x"}}"#)
            })
            .collect();
        Answer::list(&items.iter().map(String::as_str).collect::<Vec<_>>())
    });
    let read = |state: &str| {
        let program = program().at(&api, on()).file("catalog.json", catalog(&[("automations", "incremental")]));
        program.file("state.json", state).run("read --config config.json --catalog catalog.json --state state.json")
    };
    let first = read("[]").told().state_file();
    *lists.lock().unwrap() = vec!["z"];
    let second = read(&first).told().state_file();
    let ran = read(&second);
    let gone: Vec<String> = ran
        .told()
        .records("automations")
        .iter()
        .filter(|record| record["_deleted"] == true)
        .map(|record| record.to_string())
        .collect();
    insta::assert_snapshot!(gone.join("\n"), @r#"
    {"_deleted":true,"automation_id":"a","org_id":"org-1","updated_at":1767225600}
    {"_deleted":true,"automation_id":"n","org_id":"org-1","updated_at":null}
    "#);
    insta::assert_snapshot!(ran.told().logs("INFO")[0], @"stream automations: 2 items are gone from the list: reported with _deleted");
}
