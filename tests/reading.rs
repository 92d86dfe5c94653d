//! `read` asks for every page, hands on every record as it came, and says what happened in the order Airbyte expects.

mod common;

use std::io::Read as _;

use common::{Answer, Api, Organization, Program, Ran, STREAMS, Sandboxed, program};
use serde_json::json;
use source_devin_ai::source::streams::names;

/// Serves one list; everything else is unknown.
fn one_list(list: &'static str, pages: impl Fn(Option<&str>) -> Answer + Send + Sync + 'static) -> Api {
    Api::start(move |ask| if ask.list == list { pages(ask.parameter("after")) } else { Answer::unknown() })
}

fn read(api: &Api, streams: &[&str]) -> Ran {
    program().at(api, json!({})).catalog(streams).read()
}

#[test]
fn a_list_is_read_page_by_page_with_cursors_handed_back_whole() {
    let api = one_list("playbooks", |after| match after {
        None => Answer::page(&[r#"{"playbook_id":"p1","updated_at":1000}"#], "a+b/c=="),
        Some("a+b/c==") => Answer::page(&[r#"{"playbook_id":"p2","updated_at":5000}"#], "ü &?#%"),
        Some("ü &?#%") => Answer::list(&[r#"{"playbook_id":"p3","updated_at":3000}"#]),
        Some(_) => Answer::problem(400, "no such cursor"),
    });
    insta::assert_snapshot!(read(&api, &["playbooks"]).story(), @r#"
    STARTED playbooks
    RUNNING playbooks
    RECORD playbooks {"playbook_id":"p1","updated_at":1000}
    RECORD playbooks {"playbook_id":"p2","updated_at":5000}
    RECORD playbooks {"playbook_id":"p3","updated_at":3000}
    INFO stream playbooks: 3 records, 1 kB, 6 requests, 0 retries
    STATE playbooks {"recent":{"p2":[5000,"256768bbb3a8bc25"]},"scope":{"org_id":"org-1"},"updated_at":5000,"version":2} after 3.0 records
    COMPLETE playbooks
    exit 0
    "#);
    let targets: Vec<String> = api.asks().into_iter().map(|ask| ask.target).collect();
    insta::assert_snapshot!(targets.join("\n"), @"
    /v3/organizations/org-1/playbooks?first=200
    /v3/organizations/org-1/playbooks?first=200&after=a%2Bb%2Fc%3D%3D
    /v3/organizations/org-1/playbooks?first=200&after=%C3%BC%20%26%3F%23%25
    /v3/organizations/org-1/playbooks?first=200
    /v3/organizations/org-1/playbooks?first=200&after=a%2Bb%2Fc%3D%3D
    /v3/organizations/org-1/playbooks?first=200&after=%C3%BC%20%26%3F%23%25
    ");
}

#[test]
fn a_request_carries_the_key_and_says_who_asks() {
    let api = one_list("secrets", |_| Answer::list(&[]));
    read(&api, &["secrets"]);
    let asks = api.asks();
    assert_eq!(asks.len(), 1);
    assert_eq!(asks[0].header("authorization"), Some(format!("Bearer {}", common::TOKEN).as_str()));
    assert_eq!(asks[0].header("user-agent"), Some(concat!("source-devin-ai/", env!("CARGO_PKG_VERSION"))));
    assert_eq!(asks[0].header("accept"), Some("application/json"));
    assert!(asks[0].header("accept-encoding").is_some_and(|value| value.contains("gzip")));
}

#[test]
fn an_empty_stream_still_says_everything() {
    let api = Api::start(|_| Answer::list(&[]));
    insta::assert_snapshot!(read(&api, &STREAMS).story_by_stream(), @r#"
    STARTED sessions
    RUNNING sessions
    INFO stream sessions: 0 records, 1 kB, 1 request, 0 retries
    STATE sessions {"scope":{"org_id":"org-1"},"version":2} after 0.0 records
    COMPLETE sessions
    STARTED sessions_insights
    RUNNING sessions_insights
    INFO stream sessions_insights: 0 records, 1 kB, 1 request, 0 retries
    STATE sessions_insights {"scope":{"org_id":"org-1"},"version":2} after 0.0 records
    COMPLETE sessions_insights
    STARTED session_messages
    RUNNING session_messages
    INFO stream session_messages: 0 records, 0 kB, 0 requests, 0 retries
    STATE session_messages {"scope":{"org_id":"org-1"},"version":2} after 0.0 records
    COMPLETE session_messages
    STARTED playbooks
    RUNNING playbooks
    INFO stream playbooks: 0 records, 1 kB, 1 request, 0 retries
    STATE playbooks {"scope":{"org_id":"org-1"},"version":2} after 0.0 records
    COMPLETE playbooks
    STARTED secrets
    RUNNING secrets
    INFO stream secrets: 0 records, 1 kB, 1 request, 0 retries
    STATE secrets {"scope":{"org_id":"org-1"},"version":2} after 0.0 records
    COMPLETE secrets
    STARTED knowledge_notes
    RUNNING knowledge_notes
    INFO stream knowledge_notes: 0 records, 1 kB, 1 request, 0 retries
    STATE knowledge_notes {"scope":{"org_id":"org-1"},"version":2} after 0.0 records
    COMPLETE knowledge_notes
    exit 0
    "#);
    insta::assert_snapshot!(api.asked_sorted(), @"
    knowledge/notes first=200
    playbooks first=200
    secrets first=200
    sessions first=200
    sessions/insights first=200
    ");
}

#[test]
fn an_empty_page_in_the_middle_is_not_the_end() {
    let api = one_list("secrets", |after| match after {
        None => Answer::page(&[], "1"),
        Some("1") => Answer::page(&[r#"{"secret_id":"s1"}"#], "2"),
        _ => Answer::list(&[]),
    });
    insta::assert_snapshot!(read(&api, &["secrets"]).story(), @r#"
    STARTED secrets
    RUNNING secrets
    RECORD secrets {"secret_id":"s1"}
    INFO stream secrets: 1 record, 1 kB, 6 requests, 0 retries
    STATE secrets {"scope":{"org_id":"org-1"},"version":2} after 1.0 records
    COMPLETE secrets
    exit 0
    "#);
    assert_eq!(api.asked().len(), 6, "without a total, a list of several pages is asked for twice");
}

#[test]
fn a_cursor_without_has_next_page_means_ask_on_and_neither_is_the_end() {
    let api = one_list("secrets", |after| match after {
        None => Answer::json(r#"{"items":[{"secret_id":"s1"}],"end_cursor":"1"}"#),
        Some("1") => Answer::json(r#"{"items":[{"secret_id":"s2"}],"end_cursor":"2","has_next_page":null}"#),
        Some("2") => Answer::json(r#"{"items":[{"secret_id":"s3"}]}"#),
        Some(_) => Answer::unknown(),
    });
    insta::assert_snapshot!(read(&api, &["secrets"]).story(), @r#"
    STARTED secrets
    RUNNING secrets
    RECORD secrets {"secret_id":"s1"}
    RECORD secrets {"secret_id":"s2"}
    RECORD secrets {"secret_id":"s3"}
    INFO stream secrets: 3 records, 1 kB, 6 requests, 0 retries
    STATE secrets {"scope":{"org_id":"org-1"},"version":2} after 3.0 records
    COMPLETE secrets
    exit 0
    "#);
    assert_eq!(api.asked()[..3], ["secrets first=200", "secrets first=200 after=1", "secrets first=200 after=2"]);
}

#[test]
fn a_last_page_may_carry_a_cursor() {
    let api = one_list("secrets", |_| Answer::json(r#"{"items":[],"end_cursor":"1","has_next_page":false,"total":0}"#));
    insta::assert_snapshot!(read(&api, &["secrets"]).story(), @r#"
    STARTED secrets
    ESTIMATE secrets 0 rows
    RUNNING secrets
    INFO stream secrets: 0 of 0 records, 1 kB, 1 request, 0 retries
    STATE secrets {"scope":{"org_id":"org-1"},"version":2} after 0.0 records
    COMPLETE secrets
    exit 0
    "#);
    assert_eq!(api.asked(), ["secrets first=200"]);
}

#[test]
fn a_total_becomes_an_estimate_once() {
    let api = one_list("sessions", |after| match after {
        None => Answer::json(r#"{"items":[{"session_id":"a"}],"end_cursor":"1","has_next_page":true,"total":2}"#),
        _ => Answer::json(r#"{"items":[{"session_id":"b"}],"has_next_page":false,"total":2}"#),
    });
    insta::assert_snapshot!(read(&api, &["sessions"]).story(), @r#"
    STARTED sessions
    ESTIMATE sessions 2 rows
    RUNNING sessions
    RECORD sessions {"session_id":"a"}
    RECORD sessions {"session_id":"b"}
    INFO stream sessions: 2 of 2 records, 1 kB, 2 requests, 0 retries
    STATE sessions {"scope":{"org_id":"org-1"},"version":2} after 2.0 records
    COMPLETE sessions
    exit 0
    "#);
}

#[test]
fn a_record_is_what_the_api_sent_byte_for_byte() {
    let item = r#"{"session_id":"a","z":1.10,"big":12345678901234567890123,"neg":-0.0,"e":1E+2,"escaped":"\u2028\ud83d\ude00\/ \\\" \u0000","raw":"  é😀","unknown":{"b":1,"a":[{}, [ ]]},"a":1,"a":2}"#;
    let api = one_list("sessions", move |_| Answer::list(&[item]));
    let ran = read(&api, &["sessions"]);
    let sent = item.replace("{}, [ ]", "{},[]");
    let line = ran.text().lines().find(|line| line.contains("RECORD")).unwrap();
    assert!(
        line.starts_with(&format!(r#"{{"type":"RECORD","record":{{"stream":"sessions","data":{sent},"emitted_at":"#)),
        "{line}"
    );
    assert_eq!(ran.exit(), "exit 0");
}

#[test]
fn a_pretty_printed_answer_still_makes_one_line_a_record() {
    let body = "{\r\n  \"items\": [\r\n    {\r\n\t\"session_id\" : \"a\",\n      \"text\": \"two  blanks, \u{2028}, \\n and \\\" : { \",\n      \"list\": [\n        1,\n        2\n      ]\n    }\n  ],\n  \"has_next_page\": false\n}\n";
    let api = one_list("sessions", move |_| Answer::json(body));
    let ran = read(&api, &["sessions"]);
    insta::assert_snapshot!(ran.story(), @r#"
    STARTED sessions
    RUNNING sessions
    INFO stream sessions: list (array) is not in the schema; the records have it as it was sent
    INFO stream sessions: text (string) is not in the schema; the records have it as it was sent
    RECORD sessions {"session_id":"a","text":"two  blanks,  , \n and \" : { ","list":[1,2]}
    INFO stream sessions: 1 record, 1 kB, 1 request, 0 retries
    STATE sessions {"scope":{"org_id":"org-1"},"version":2} after 1.0 records
    COMPLETE sessions
    exit 0
    "#);
    // A line feed ends each message, and nothing else that some programs take for the end of a line is left bare.
    assert_eq!(ran.stdout.iter().filter(|byte| **byte == b'\n').count(), ran.told().messages().count());
    assert!(!ran.stdout.contains(&b'\r'));
}

#[test]
fn an_empty_record_is_left_out_with_a_warning() {
    let api = one_list("secrets", |_| Answer::list(&["{}", r#"{"secret_id":"s"}"#, "{ \n}"]));
    insta::assert_snapshot!(read(&api, &["secrets"]).story(), @r#"
    STARTED secrets
    RUNNING secrets
    WARN stream secrets: 2 empty records are left out, as Airbyte would drop them
    RECORD secrets {"secret_id":"s"}
    INFO stream secrets: 1 record, 1 kB, 1 request, 0 retries
    STATE secrets {"scope":{"org_id":"org-1"},"version":2} after 1.0 records
    COMPLETE secrets
    exit 0
    "#);
}

#[test]
fn an_item_that_comes_again_on_the_next_page_is_emitted_once_and_a_changed_one_again() {
    let api = one_list("secrets", |after| match after {
        None => Answer::page(&[r#"{"secret_id":"a"}"#, r#"{"secret_id":"b","n":1}"#], "1"),
        _ => Answer::list(&[r#"{"secret_id":"a"}"#, r#"{"secret_id":"b","n":2}"#, r#"{"secret_id":"c"}"#]),
    });
    insta::assert_snapshot!(read(&api, &["secrets"]).story(), @r#"
    STARTED secrets
    RUNNING secrets
    RECORD secrets {"secret_id":"a"}
    RECORD secrets {"secret_id":"b","n":1}
    RECORD secrets {"secret_id":"c"}
    INFO stream secrets: 3 records, 1 kB, 4 requests, 0 retries
    STATE secrets {"scope":{"org_id":"org-1"},"version":2} after 3.0 records
    COMPLETE secrets
    exit 0
    "#);
}

/// Two sessions; the first has two pages of messages.
fn conversations() -> Api {
    Api::start(|ask| match (ask.list.as_str(), ask.parameter("after")) {
        ("sessions", _) => Answer::list(&[
            r#"{"session_id":"aaa","created_at":1000,"updated_at":1500,"status":"exit"}"#,
            r#"{"session_id":"devin-bbb","created_at":2000,"updated_at":2500,"status":"exit"}"#,
        ]),
        ("sessions/devin-aaa/messages", None) => {
            Answer::page(&[r#"{"event_id":"e1","source":"user","created_at":1100}"#], "=")
        }
        ("sessions/devin-aaa/messages", Some("=")) => {
            Answer::list(&[r#"{"event_id":"e2","session_id":null,"created_at":1200}"#])
        }
        ("sessions/devin-bbb/messages", None) => {
            Answer::list(&[r#"{"event_id":"e1","session_id":"told","created_at":2100}"#])
        }
        _ => Answer::unknown(),
    })
}

#[test]
fn messages_of_every_page_arrive_and_say_their_session_as_the_list_wrote_it() {
    let api = conversations();
    // One at a time, so that the story has one order.
    let program = program().at(&api, json!({"concurrency": 1})).catalog(&["session_messages"]);
    insta::assert_snapshot!(program.read().story(), @r#"
    STARTED session_messages
    RUNNING session_messages
    RECORD session_messages {"session_id":"aaa","event_id":"e1","source":"user","created_at":1100}
    RECORD session_messages {"event_id":"e2","session_id":"aaa","created_at":1200}
    RECORD session_messages {"event_id":"e1","session_id":"told","created_at":2100}
    INFO stream session_messages: 3 records, 1 kB, 4 requests, 0 retries
    STATE session_messages {"created_at":2100,"recent":{"bbb/e1":[2100,"d2b6e50f91cca378"]},"scope":{"org_id":"org-1"},"sessions_updated_at":2500,"version":2} after 3.0 records
    COMPLETE session_messages
    exit 0
    "#);
    insta::assert_snapshot!(api.asked().join("\n"), @"
    sessions first=200
    sessions/devin-aaa/messages first=200
    sessions/devin-aaa/messages first=200 after==
    sessions/devin-bbb/messages first=200
    ");
}

#[test]
fn every_message_of_a_long_session_arrives() {
    let sandbox = Sandboxed::start("--sessions 2 --messages 450");
    let program = program().file("config.json", &sandbox.config).catalog(&["session_messages"]);
    let told = program.read().told();
    let mut keys: Vec<_> = told
        .records("session_messages")
        .iter()
        .map(|record| (record["session_id"].as_str().unwrap(), record["event_id"].as_str().unwrap()))
        .collect();
    assert_eq!(keys.len(), 900);
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 900);
}

fn gone(gone: &'static [&'static str]) -> Api {
    Api::start(move |ask| match ask.list.as_str() {
        "sessions" => {
            let ids = ask.parameters("session_ids");
            let sessions =
                [("a", r#"{"session_id":"a","updated_at":9001}"#), ("b", r#"{"session_id":"b","updated_at":9002}"#)];
            let is_there =
                |id: &str| ids.is_empty() || !gone.contains(&format!("sessions/devin-{id}/messages").as_str());
            Answer::list(&sessions.iter().filter(|(id, _)| is_there(id)).map(|(_, item)| *item).collect::<Vec<_>>())
        }
        list if gone.contains(&list) => Answer::unknown(),
        _ => Answer::list(&[r#"{"event_id":"e"}"#]),
    })
}

#[test]
fn a_session_that_disappears_is_skipped_with_a_warning() {
    for gone_list in [&["sessions/devin-a/messages"], &["sessions/devin-b/messages"]] {
        let api = gone(gone_list);
        let ran = program().at(&api, json!({"concurrency": 1})).catalog(&["session_messages"]).read();
        let name = &gone_list[0][15..16];
        let told = ran.told();
        assert_eq!(
            told.logs("WARN"),
            [format!(
                "stream session_messages: session {name} disappeared between the list and the reading of its messages, and is skipped"
            )]
        );
        assert_eq!(told.records("session_messages").len(), 1);
        assert_eq!(ran.exit(), "exit 0");
        assert_eq!(api.asked().len(), 5, "the one that is missing was asked for twice, and then by name");
    }
}

#[test]
fn sessions_that_all_disappear_are_an_error() {
    let api = gone(&["sessions/devin-a/messages", "sessions/devin-b/messages"]);
    let ran = program().at(&api, json!({"concurrency": 1})).catalog(&["session_messages"]).read();
    insta::assert_snapshot!(ran.story(), @r#"
    STARTED session_messages
    RUNNING session_messages
    WARN stream session_messages: session a disappeared between the list and the reading of its messages, and is skipped
    WARN stream session_messages: session b disappeared between the list and the reading of its messages, and is skipped
    INFO stream session_messages: 0 records, 1 kB, 7 requests, 0 retries
    STATE session_messages {"created_at":9002,"scope":{"org_id":"org-1"},"sessions_updated_at":9002,"version":2} after 0.0 records
    COMPLETE session_messages
    exit 0
    "#);
}

#[test]
fn one_failing_stream_leaves_the_others_whole() {
    let api = Api::start(|ask| match ask.list.as_str() {
        "playbooks" => Answer::list(&[r#"{"playbook_id":"p","updated_at":1000}"#]),
        "secrets" => Answer::problem(403, "missing permission"),
        "knowledge/notes" if ask.parameter("after").is_none() => {
            Answer::page(&[r#"{"note_id":"n","updated_at":1000}"#], "1")
        }
        "knowledge/notes" => Answer::problem(422, "first is out of order"),
        _ => Answer::unknown(),
    });
    insta::assert_snapshot!(read(&api, &["playbooks", "secrets", "knowledge_notes"]).story_by_stream(), @r#"
    STARTED playbooks
    RUNNING playbooks
    RECORD playbooks {"playbook_id":"p","updated_at":1000}
    INFO stream playbooks: 1 record, 1 kB, 1 request, 0 retries
    STATE playbooks {"recent":{"p":[1000,"db485a55b105dc8d"]},"scope":{"org_id":"org-1"},"updated_at":1000,"version":2} after 1.0 records
    COMPLETE playbooks
    STARTED secrets
    ERROR secrets (config_error) stream secrets: /v3/organizations/org-1/secrets answered 403 (Forbidden), saying "Refused: missing permission". The API key lacks the permission ManageOrgSecrets: grant it to the key's service user (in Devin: Enterprise settings > Roles), or leave the stream out.
    INFO stream secrets: 0 records, 0 kB, 1 request, 0 retries
    INCOMPLETE secrets
    STARTED knowledge_notes
    RUNNING knowledge_notes
    RECORD knowledge_notes {"note_id":"n","updated_at":1000}
    ERROR knowledge_notes (system_error) stream knowledge_notes: /v3/organizations/org-1/knowledge/notes answered 422 (Unprocessable Entity), saying "Refused: first is out of order". The API does not accept this request: check org_id and api_url, and report this message if they are right.
    INFO stream knowledge_notes: 1 record, 1 kB, 2 requests, 0 retries
    STATE knowledge_notes {"scope":{"org_id":"org-1"},"version":2} after 1.0 records
    INCOMPLETE knowledge_notes
    exit 1
    "#);
}

#[test]
fn a_stream_or_mode_that_does_not_exist_fails_and_the_others_are_read() {
    let api = one_list("playbooks", |_| Answer::list(&[]));
    let catalog = common::catalog(&[("users", "full_refresh"), ("secrets", "INVALID"), ("playbooks", "incremental")]);
    let told = program().at(&api, json!({})).file("catalog.json", catalog).read().story_by_stream();
    insta::assert_snapshot!(told.replace(&names(), "(all streams)"), @r#"
    STARTED playbooks
    RUNNING playbooks
    INFO stream playbooks: 0 records, 1 kB, 1 request, 0 retries
    STATE playbooks {"scope":{"org_id":"org-1"},"version":2} after 0.0 records
    COMPLETE playbooks
    ERROR secrets (config_error) stream secrets: the catalog asks for a sync mode that does not exist; full_refresh and incremental do
    INCOMPLETE secrets
    ERROR users (config_error) stream "users" does not exist: this connector has (all streams)
    INCOMPLETE users
    exit 1
    "#);
    assert_eq!(api.asked(), ["playbooks first=200"], "what is refused is not asked for");
}

#[test]
fn an_unknown_stream_alone_with_an_unknown_mode_fails_too() {
    let api = Api::start(|_| Answer::unknown());
    let catalog = common::catalog(&[("stream_that_is_not", "INVALID")]);
    let told = program().at(&api, json!({})).file("catalog.json", catalog).read().story();
    insta::assert_snapshot!(told.replace(&names(), "(all streams)"), @r#"
    ERROR stream_that_is_not (config_error) stream "stream_that_is_not" does not exist: this connector has (all streams)
    INCOMPLETE stream_that_is_not
    exit 1
    "#);
    assert_eq!(api.asked(), [""; 0]);
}

#[test]
fn an_empty_catalog_succeeds_without_a_request() {
    let api = Api::start(|_| Answer::unknown());
    let ran = read(&api, &[]);
    let story = "WARN the catalog configures no stream, so there is nothing to read\nexit 0";
    assert_eq!((ran.story().as_str(), api.asked().len()), (story, 0));
}

#[test]
fn bad_settings_end_a_read_before_any_request() {
    let api = Api::start(|_| Answer::unknown());
    let program = program().at(&api, json!({"start_date": "yesterday"})).catalog(&["sessions"]);
    insta::assert_snapshot!(program.read().story(), @r#"
    ERROR (config_error) the configuration is not usable: start_date must be a date in the form YYYY-MM-DDTHH:MM:SSZ, in UTC, but is "yesterday"
    exit 1
    "#);
    assert_eq!(api.asked(), [""; 0]);
}

#[test]
fn a_start_date_is_inclusive_asked_a_second_early_and_held_by_ourselves_too() {
    // 2026-01-01T00:00:00Z is 1767225600. A server that ignores the filter, as it does with unknown ones.
    let items = [
        r#"{"session_id":"before","created_at":1767225599,"updated_at":1800000000}"#,
        r#"{"session_id":"at","created_at":1767225600,"updated_at":1767225600}"#,
        r#"{"session_id":"float","created_at":1767225600.5,"updated_at":1767225600}"#,
        r#"{"session_id":"without"}"#,
        r#"{"session_id":"null","created_at":null}"#,
    ];
    let api = Api::start(move |ask| match ask.list.as_str() {
        "sessions" | "sessions/insights" => Answer::list(&items),
        "playbooks" => Answer::list(&[r#"{"playbook_id":"old","created_at":1,"updated_at":1}"#]),
        "sessions/devin-before/messages" => Answer::problem(500, "must not be asked"),
        list if list.ends_with("/messages") => Answer::list(&[r#"{"event_id":"e"}"#]),
        _ => Answer::unknown(),
    });
    let program = program().at(&api, json!({"start_date": "2026-01-01T00:00:00Z"})).catalog(&STREAMS[..4]);
    let ran = program.read();
    let told = ran.told();
    let ids = |stream: &str| -> Vec<String> {
        let mut ids: Vec<String> = told
            .records(stream)
            .iter()
            .map(|record| record["session_id"].as_str().unwrap_or("?").to_string())
            .collect();
        ids.sort();
        ids
    };
    for stream in ["sessions", "sessions_insights", "session_messages"] {
        assert_eq!(ids(stream), ["at", "float", "null", "without"], "{stream}");
    }
    assert_eq!(told.records("playbooks").len(), 1, "start_date is about sessions");
    assert_eq!(ran.exit(), "exit 0");
    insta::assert_snapshot!(api.asked_sorted(), @"
    playbooks first=200
    sessions first=200 created_after=1767225599
    sessions/devin-at/messages first=200
    sessions/devin-float/messages first=200
    sessions/devin-null/messages first=200
    sessions/devin-without/messages first=200
    sessions/insights first=200 created_after=1767225599
    ");
}

#[test]
fn a_session_of_that_very_second_is_in_whatever_the_servers_boundary() {
    for is_exclusive in [false, true] {
        let organization =
            Organization::new(&[("sessions", json!([{"session_id": "at", "created_at": 1_767_225_600}]))]);
        organization.lock().unwrap().is_exclusive = is_exclusive;
        let api = Api::of(&organization);
        let program = program().at(&api, json!({"start_date": "2026-01-01T00:00:00Z"})).catalog(&["sessions"]);
        assert_eq!(program.read().told().records("sessions").len(), 1, "exclusive: {is_exclusive}");
    }
}

#[test]
fn an_organization_with_odd_characters_is_one_path_segment() {
    let api = Api::start(|_| Answer::list(&[]));
    program().at(&api, json!({"org_id": "org|1;ü"})).catalog(&["secrets"]).read();
    let targets: Vec<String> = api.asks().into_iter().map(|ask| ask.target).collect();
    assert_eq!(targets, ["/v3/organizations/org%7C1%3B%C3%BC/secrets?first=200"]);
}

#[test]
fn a_session_identifier_with_odd_characters_is_one_path_segment() {
    let api = Api::start(|ask| match ask.list.as_str() {
        "sessions" => Answer::list(&[r#"{"session_id":"..\/a|b"}"#]),
        _ => Answer::list(&[r#"{"event_id":"e"}"#]),
    });
    insta::assert_snapshot!(read(&api, &["session_messages"]).story(), @r#"
    STARTED session_messages
    RUNNING session_messages
    RECORD session_messages {"session_id":"../a|b","event_id":"e"}
    INFO stream session_messages: 1 record, 1 kB, 2 requests, 0 retries
    STATE session_messages {"scope":{"org_id":"org-1"},"version":2} after 1.0 records
    COMPLETE session_messages
    exit 0
    "#);
    assert_eq!(api.asks()[1].target, "/v3/organizations/org-1/sessions/devin-..%2Fa%7Cb/messages?first=200");
}

/// The sandbox's address in `config.json`.
fn in_sandbox(sandbox: &Sandboxed) -> Program {
    program().file("config.json", &sandbox.config)
}

#[test]
fn names_pick_streams_and_bare_records_come_one_a_line() {
    let api = Api::start(|ask| match ask.list.as_str() {
        "playbooks" => Answer::list(&["{\n \"playbook_id\": \"p\"}"]),
        "secrets" => Answer::list(&["{}", r#"{"secret_id":"s"}"#]),
        _ => Answer::problem(403, "not this one"),
    });
    let program = program().at(&api, json!({}));
    let read = |arguments: &str| {
        let ran = program.run(&format!("read --config config.json --format records {arguments}"));
        let mut lines: Vec<&str> = ran.text().lines().collect();
        lines.sort_unstable();
        lines.join("\n") + "\n" + &ran.end()
    };
    insta::assert_snapshot!(read("--streams playbooks"), @r#"
    {"playbook_id":"p"}
    exit 0
    "#);
    insta::assert_snapshot!(read("--streams playbooks,secrets"), @r#"
    {"_stream":"playbooks","playbook_id":"p"}
    {"_stream":"secrets","secret_id":"s"}
    stderr: warning: stream secrets: 1 empty record is left out, as Airbyte would drop it
    exit 0
    "#);
    insta::assert_snapshot!(read("--streams knowledge_notes"), @r#"

    stderr: error: stream knowledge_notes: /v3/organizations/org-1/knowledge/notes answered 403 (Forbidden), saying "Refused: not this one". If the reason is a permission: The API key lacks the permission ManageOrgKnowledge: grant it to the key's service user (in Devin: Enterprise settings > Roles), or leave the stream out.
    exit 1
    "#);
    insta::assert_snapshot!(program.run("read --config config.json --streams playbooks").story(), @r#"
    STARTED playbooks
    RUNNING playbooks
    RECORD playbooks {"playbook_id":"p"}
    INFO stream playbooks: 1 record, 1 kB, 1 request, 0 retries
    STATE playbooks {"scope":{"org_id":"org-1"},"version":2} after 1.0 records
    COMPLETE playbooks
    exit 0
    "#);
}

#[test]
fn the_sandbox_is_read_whole_with_one_command() {
    let ran = program().run("read --sandbox");
    let told = ran.told();
    let counts: Vec<String> = STREAMS.iter().map(|stream| format!("{stream} {}", told.records(stream).len())).collect();
    insta::assert_snapshot!(counts.join("\n"), @"
    sessions 36
    sessions_insights 36
    session_messages 593
    playbooks 9
    secrets 14
    knowledge_notes 24
    ");
    insta::assert_snapshot!(ran.story_without_records(), @r#"
    STARTED sessions
    ESTIMATE sessions 36 rows
    RUNNING sessions
    INFO stream sessions: 36 of 36 records, 31 kB, 1 request, 0 retries
    STATE sessions {"open_sessions":{"0d902d4d605a230ab8f5a3d24bdfd1fe":"fa13ce60c099a817","0e349130bb853086561b7dfb5d7d2fbf":"41f2a67408d9dfc3","1017e7237c9408dc50ffa5d8033fb576":"3a70bb37a14174ae","3fd935b953a3c5d0b38442948457eaa3":"4d6d898570ee6d2d","4e6d67d604c3b4742bdd27e08bb398be":"d9c9aa295aa72942","b8de88b00112ab81e03edf2c2ad16083":"ed92f20a755d4a06","e9f3f3a3bc079026042e12374219b187":"f74cd0727a345f37"},"recent":{"0d902d4d605a230ab8f5a3d24bdfd1fe":[1780271724,"fa13ce60c099a817"],"4e6d67d604c3b4742bdd27e08bb398be":[1780271224,"d9c9aa295aa72942"]},"scope":{"org_id":"org-5a4db0c05a4db0c05a4db0c05a4db0c0"},"updated_at":1780271724,"version":2} after 36.0 records
    COMPLETE sessions
    STARTED sessions_insights
    ESTIMATE sessions_insights 36 rows
    RUNNING sessions_insights
    INFO stream sessions_insights: 36 of 36 records, 56 kB, 1 request, 0 retries
    STATE sessions_insights {"open_sessions":{"0d902d4d605a230ab8f5a3d24bdfd1fe":"26dff096ea1952ac","0e349130bb853086561b7dfb5d7d2fbf":"56220a77e2b7b9b7","1017e7237c9408dc50ffa5d8033fb576":"d39cd0b48dffb78a","3fd935b953a3c5d0b38442948457eaa3":"56d5b1855c742174","4e6d67d604c3b4742bdd27e08bb398be":"ec1cc1d39e823840","b8de88b00112ab81e03edf2c2ad16083":"29791f9bdbc89aca","e9f3f3a3bc079026042e12374219b187":"0e0b4dbd44714186"},"recent":{"0d902d4d605a230ab8f5a3d24bdfd1fe":[1780271724,"26dff096ea1952ac"],"4e6d67d604c3b4742bdd27e08bb398be":[1780271224,"ec1cc1d39e823840"]},"scope":{"org_id":"org-5a4db0c05a4db0c05a4db0c05a4db0c0"},"updated_at":1780271724,"version":2} after 36.0 records
    COMPLETE sessions_insights
    STARTED session_messages
    RUNNING session_messages
    INFO stream session_messages: 593 records, 155 kB, 37 requests, 0 retries
    STATE session_messages {"created_at":1780257553,"open_sessions":{"0d902d4d605a230ab8f5a3d24bdfd1fe":"fa13ce60c099a817","0e349130bb853086561b7dfb5d7d2fbf":"41f2a67408d9dfc3","1017e7237c9408dc50ffa5d8033fb576":"3a70bb37a14174ae","3fd935b953a3c5d0b38442948457eaa3":"4d6d898570ee6d2d","4e6d67d604c3b4742bdd27e08bb398be":"d9c9aa295aa72942","b8de88b00112ab81e03edf2c2ad16083":"ed92f20a755d4a06","e9f3f3a3bc079026042e12374219b187":"f74cd0727a345f37"},"recent":{"0d902d4d605a230ab8f5a3d24bdfd1fe/event-316c35158368cd693d67bd33c6dfa1e5":[1780257553,"3dca974c279191d9"]},"scope":{"org_id":"org-5a4db0c05a4db0c05a4db0c05a4db0c0"},"sessions_updated_at":1780271724,"version":2} after 593.0 records
    COMPLETE session_messages
    STARTED playbooks
    ESTIMATE playbooks 9 rows
    RUNNING playbooks
    INFO stream playbooks: 9 of 9 records, 5 kB, 1 request, 0 retries
    STATE playbooks {"recent":{"playbook-72a6bf04d244030ed4c893b22cd7b277":[1766655368,"ffda3e0719689639"]},"scope":{"org_id":"org-5a4db0c05a4db0c05a4db0c05a4db0c0"},"updated_at":1766655368,"version":2} after 9.0 records
    COMPLETE playbooks
    STARTED secrets
    ESTIMATE secrets 14 rows
    RUNNING secrets
    INFO stream secrets: 14 of 14 records, 5 kB, 1 request, 0 retries
    STATE secrets {"recent":{"secret-d454bc5900a3c6915a49116775913af0":[1775144173,"173e8fa47ee46b07"]},"scope":{"org_id":"org-5a4db0c05a4db0c05a4db0c05a4db0c0"},"updated_at":1775144173,"version":2} after 14.0 records
    COMPLETE secrets
    STARTED knowledge_notes
    ESTIMATE knowledge_notes 24 rows
    RUNNING knowledge_notes
    INFO stream knowledge_notes: 24 of 24 records, 11 kB, 1 request, 0 retries
    STATE knowledge_notes {"recent":{"note-2056781f8f10465f55b2e9de7eb8afd4":[1776396983,"9558a0d4618e42fc"]},"scope":{"org_id":"org-5a4db0c05a4db0c05a4db0c05a4db0c0"},"updated_at":1776396983,"version":2} after 24.0 records
    COMPLETE knowledge_notes
    exit 0
    "#);
}

#[test]
fn a_state_counts_exactly_the_records_since_the_one_before() {
    let ran = program().run("read --sandbox");
    let mut since = std::collections::BTreeMap::<String, u64>::new();
    for message in ran.told().messages() {
        let Some(stream) = common::stream_of(message) else { continue };
        let count = since.entry(stream.to_string()).or_default();
        match message["type"].as_str() {
            Some("RECORD") => *count += 1,
            Some("STATE") => {
                let told = message["state"]["sourceStats"]["recordCount"].as_f64();
                assert_eq!(told, Some(std::mem::take(count) as f64), "{stream}");
            }
            _ => {}
        }
    }
    assert!(since.values().all(|count| *count == 0), "every record is counted: {since:?}");
}

#[test]
fn a_reader_that_leaves_ends_the_program_quietly() {
    let sandbox = Sandboxed::start("--sessions 3000");
    let program = in_sandbox(&sandbox);
    for arguments in ["--format records --streams sessions", "--format airbyte --streams sessions,sessions_insights"] {
        let mut child = program.start(&format!("read --config config.json {arguments}"));
        let mut stdout = child.stdout.take().unwrap();
        let mut first = [0; 100];
        stdout.read_exact(&mut first).unwrap();
        drop(stdout);
        let ran = Ran::wait(child, Vec::new());
        assert_eq!((ran.exit().as_str(), ran.stderr.as_str()), ("exit 141", ""), "{arguments}");
    }
}

#[test]
fn a_reader_that_was_never_there_ends_it_quietly_too() {
    for arguments in ["spec", "discover", "check --sandbox", "read --sandbox --streams secrets"] {
        // A pipe whose reading end is closed before the program starts.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = program().run_into(writer, arguments);
        assert_eq!((ran.exit().as_str(), ran.stderr.as_str()), ("exit 141", ""), "{arguments}");
    }
}

#[test]
fn a_slow_reader_gets_everything() {
    let sandbox = Sandboxed::start("--sessions 12000 --messages 0");
    let program = in_sandbox(&sandbox);
    let mut child = program.start("read --config config.json --format records --streams sessions");
    let mut stdout = child.stdout.take().unwrap();
    // More than fits into the pipe and the program's own buffer; so the program has to wait for us.
    let mut told = Vec::new();
    let mut part = vec![0; 1000];
    for _ in 0..200 {
        stdout.read_exact(&mut part).unwrap();
        told.extend_from_slice(&part);
        std::thread::yield_now();
    }
    stdout.read_to_end(&mut told).unwrap();
    let ran = Ran::wait(child, told);
    assert_eq!((ran.exit().as_str(), ran.text().lines().count()), ("exit 0", 12000));
}

/// `{"items":[{"secret_id":"zipped"}]}`, compressed.
const GZIPPED: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\xca\x2c\x49\xcd\x2d\x56\xb2\x8a\xae\x56\x2a\x4e\x4d\x2e\x4a\x2d\x89\xcf\x4c\x51\xb2\x52\xaa\xca\x2c\x28\x48\x4d\x51\xaa\x8d\xad\x05\x00\xd9\x7d\x88\x7c\x22\x00\x00\x00";

#[test]
fn a_compressed_answer_is_read_and_a_damaged_one_asked_again() {
    let api = Api::start(|ask| {
        let body = if ask.nth == 1 { &GZIPPED[..GZIPPED.len() - 12] } else { GZIPPED };
        Answer::json("").bytes(body).header("content-encoding", "gzip")
    });
    let ran = read(&api, &["secrets"]);
    assert_eq!(ran.told().records("secrets"), [&json!({"secret_id": "zipped"})]);
    assert_eq!((ran.exit().as_str(), api.asked().len()), ("exit 0", 2));
}

#[test]
fn no_proxy_stands_between_the_program_and_this_machine() {
    let api = Api::start(|_| Answer::list(&[]));
    let mut program = program().at(&api, json!({})).catalog(&["secrets"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        program = program.variable(name, "http://127.0.0.1:9");
    }
    let program = program.variable("SSL_CERT_FILE", "/nowhere");
    assert_eq!(program.read().exit(), "exit 0");
    assert_eq!(api.asked().len(), 1);
}

#[test]
fn a_session_that_the_list_names_twice_is_asked_for_messages_once() {
    let api = Api::start(|ask| match (ask.list.as_str(), ask.parameter("after")) {
        ("sessions", None) => Answer::page(&[r#"{"session_id":"a","updated_at":9001}"#], "1"),
        ("sessions", _) => Answer::list(&[r#"{"session_id":"devin-a","updated_at":9002}"#]),
        _ => Answer::list(&[r#"{"event_id":"e"}"#]),
    });
    let ran = read(&api, &["session_messages"]);
    assert_eq!(ran.told().records("session_messages").len(), 1);
    assert_eq!(api.asked().iter().filter(|asked| asked.contains("messages")).count(), 1);
}

/// The list of sessions has been read, so the organization is not unknown.
#[test]
fn sessions_that_all_disappear_are_not_blamed_on_the_organization() {
    let api = Api::start(|ask| match ask.list.as_str() {
        "sessions" => Answer::list(&[r#"{"session_id":"a"}"#]),
        _ => Answer::unknown(),
    });
    let story = program().at(&api, json!({})).catalog(&["session_messages"]).read().story();
    assert!(!story.contains("organization is unknown"), "{story}");
}
