//! What a later run reads: everything that may have changed, as little else as possible, and never less.

mod common;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Answer, Api, Library, Organization, Program, Ran, STREAMS, Told, catalog, program, state};
use serde_json::{Value, json};
use source_devin_ai::source::read::Ending;

/// A moment well before the test, so that the machine's clock does not matter.
const T: i64 = 1_700_000_000;

/// Ten minutes.
const LOOKBACK: i64 = 600;

/// A session that has ended.
fn session(id: &str, created_at: i64, updated_at: i64) -> Value {
    json!({"session_id": id, "created_at": created_at, "updated_at": updated_at, "status": "exit"})
}

fn open_session(id: &str, updated_at: i64, status: &str) -> Value {
    json!({"session_id": id, "created_at": T, "updated_at": updated_at, "status": status})
}

/// Reads one stream in incremental mode from a state file.
fn read(api: &Api, stream: &str, state: &str) -> Ran {
    program_for(api, stream, state).run("read --config config.json --catalog catalog.json --state state.json")
}

fn program_for(api: &Api, stream: &str, state: &str) -> Program {
    let program = program().at(api, json!({})).file("catalog.json", catalog(&[(stream, "incremental")]));
    program.file("state.json", state)
}

/// The values of a field in a stream's records, sorted.
fn values(told: &Told, stream: &str, field: &str) -> Vec<String> {
    let mut values: Vec<String> =
        told.records(stream).iter().map(|record| record[field].as_str().unwrap_or("?").to_string()).collect();
    values.sort();
    values
}

#[test]
fn the_first_run_asks_for_everything_and_its_state_names_the_newest_and_a_look_back_before_it() {
    let organization = Organization::new(&[("sessions", json!([session("a", T, T + 50), session("b", T, T + 90)]))]);
    let api = Api::of(&organization);
    insta::assert_snapshot!(read(&api, "sessions", "[]").story(), @r#"
    STARTED sessions
    RUNNING sessions
    RECORD sessions {"created_at":1700000000,"session_id":"a","status":"exit","updated_at":1700000050}
    RECORD sessions {"created_at":1700000000,"session_id":"b","status":"exit","updated_at":1700000090}
    INFO stream sessions: 2 records, 1 kB, 1 request, 0 retries
    STATE sessions {"recent":{"a":[1700000050,"6bf011b38e8584f1"],"b":[1700000090,"eace7bea239b5c2b"]},"scope":{"org_id":"org-1"},"updated_at":1700000090,"version":2} after 2.0 records
    COMPLETE sessions
    exit 0
    "#);
    assert_eq!(api.asked(), ["sessions first=200"]);
}

#[test]
fn the_second_run_asks_from_the_state_on_and_emits_nothing_older() {
    for (stream, list) in [("sessions", "sessions"), ("sessions_insights", "sessions/insights")] {
        for is_exclusive in [false, true] {
            let organization =
                Organization::new(&[(list, json!([session("old", T, T), session("new", T, T + 10_000)]))]);
            organization.lock().unwrap().is_exclusive = is_exclusive;
            let api = Api::of(&organization);
            let first = read(&api, stream, "[]").told();
            let from = T + 10_000 - LOOKBACK;
            assert_eq!(first.states(stream)[0]["updated_at"], T + 10_000);
            // On the very second of the bound, where it was not before, one before it, and one that changed.
            organization.lock().unwrap().lists.insert(
                list.to_string(),
                json!([session("at", T, from), session("before", T, from - 1), session("old", T, T + 20_000)])
                    .as_array()
                    .unwrap()
                    .clone(),
            );
            api.forget();
            let second = read(&api, stream, &first.state_file()).told();
            assert_eq!(values(&second, stream, "session_id"), ["at", "old"], "{stream}, exclusive: {is_exclusive}");
            assert_eq!(api.asked(), [format!("{list} first=200 updated_after={}", from - 1)]);
            assert_eq!(second.states(stream)[0]["updated_at"], T + 20_000);
        }
    }
}

#[test]
fn the_look_back_is_a_setting() {
    let organization = Organization::new(&[("sessions", json!([session("a", T, T + 5000)]))]);
    let api = Api::of(&organization);
    let first = read(&api, "sessions", "[]").told().state_file();
    for (window, from) in [(0, T + 5000), (600, T + 4400), (3600, T + 1400)] {
        api.forget();
        let program = program().at(&api, json!({"lookback_window": window})).catalog(&["sessions"]);
        let program = program.file("state.json", first.clone());
        assert_eq!(program.run("read --config config.json --catalog catalog.json --state state.json").exit(), "exit 0");
        assert_eq!(api.asked(), [format!("sessions first=200 updated_after={}", from - 1)]);
    }
}

#[test]
fn nothing_moves_when_nothing_changed_and_never_backwards() {
    let organization = Organization::new(&[("sessions", json!([session("a", T, T + 100)]))]);
    let api = Api::of(&organization);
    let first = read(&api, "sessions", "[]").told();
    let second = read(&api, "sessions", &first.state_file()).told();
    assert_eq!(first.states("sessions"), second.states("sessions"));
    // A longer look-back later, or a session that is gone, does not move it back.
    organization.lock().unwrap().lists.insert("sessions".to_string(), Vec::new());
    let third = read(&api, "sessions", &second.state_file()).told();
    assert_eq!(first.states("sessions"), third.states("sessions"));
}

/// A list that is ordered by the last change, newest first: a session that changes while it is read moves to a page that
/// has come by. The next read would take it for one whose older messages have been read.
#[tokio::test]
async fn a_session_that_moves_up_while_it_is_listed_loses_no_message() {
    // The session changes at T + 100_001; the server's clock is right, or ahead of that.
    for clock in [T + 100_000, T + 100_100] {
        assert_eq!(moved_while_listed(clock).await, ["a-old", "b-old", "c-old", "d-old"], "{clock}");
    }
}

async fn moved_while_listed(clock: i64) -> Vec<String> {
    let sessions = Mutex::new(vec![("a", T), ("b", T + 10_000), ("c", T + 20_000), ("d", T + 30_000)]);
    let api = Api::start(move |ask| {
        let mut sessions = sessions.lock().unwrap();
        if ask.list == "sessions" {
            let from: i64 = ask.parameter("updated_after").map_or(0, |at| at.parse().unwrap());
            let below: i64 = ask.parameter("after").map_or(i64::MAX, |at| at.parse().unwrap());
            let mut wanted: Vec<_> = sessions.iter().filter(|(_, at)| (from..below).contains(at)).copied().collect();
            wanted.sort_by_key(|(_, at)| -at);
            let page: Vec<String> = wanted.iter().take(2).map(|(id, at)| session(id, T, *at).to_string()).collect();
            let page: Vec<&str> = page.iter().map(String::as_str).collect();
            if ask.parameter("after").is_none() && from == 0 {
                // Between the first page and the second one, `a` gets a message.
                sessions[0].1 = T + 100_001;
            }
            let answer = match wanted.get(1).filter(|_| wanted.len() > 2) {
                Some((_, last)) => Answer::page(&page, &last.to_string()),
                None => Answer::list(&page),
            };
            return answer.header("date", date(clock));
        }
        let id = ask.list.trim_start_matches("sessions/devin-").trim_end_matches("/messages");
        Answer::list(&[&json!({"event_id": format!("{id}-old"), "created_at": T - 5}).to_string()])
    });
    let (_, told) = Library::at(&api).read(&["session_messages"], "[]").await;
    values(&told, "session_messages", "event_id")
}

#[test]
fn the_state_never_lies_past_the_moment_the_listing_began() {
    // The server's clock stands at T; one session claims to be of a later time, as it changes while it is listed.
    let organization = Organization::new(&[("sessions", json!([session("a", T - 50, T + 5000)]))]);
    organization.lock().unwrap().now = Some(T as u64);
    let api = Api::of(&organization);
    let told = read(&api, "sessions", "[]").told();
    let state = told.states("sessions")[0]["updated_at"].as_i64().unwrap();
    // How long the answer took is taken off, in whole seconds.
    assert!((T - 3..=T).contains(&state), "{state}");
}

#[test]
fn the_first_pages_clock_counts_and_not_the_last_ones() {
    let api = Api::start(|ask| match ask.parameter("after") {
        None => Answer::page(&[&session("a", T, T + 9000).to_string()], "1").header("date", date(T + 1000)),
        _ => Answer::list(&[&session("b", T, T + 9000).to_string()]).header("date", date(T + 8000)),
    });
    let told = read(&api, "sessions", "[]").told();
    assert!(told.states("sessions")[0]["updated_at"].as_i64().unwrap() <= T + 1000);
}

fn date(at: i64) -> String {
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(at as u64))
}

#[test]
fn a_state_of_the_far_future_brings_nothing_and_says_now_from_then_on() {
    let future = 4_102_444_800_i64;
    for stream in STREAMS {
        let field = if stream == "session_messages" { "created_at" } else { "updated_at" };
        let organization = Organization::new(&[
            ("sessions", json!([session("a", T, T)])),
            ("sessions/insights", json!([session("a", T, T)])),
            ("sessions/devin-a/messages", json!([{"event_id": "e", "created_at": T}])),
            ("playbooks", json!([{"playbook_id": "p", "created_at": T, "updated_at": T}])),
            ("secrets", json!([{"secret_id": "s", "created_at": T}])),
            ("knowledge/notes", json!([{"note_id": "n", "created_at": T, "updated_at": T}])),
        ]);
        let mut blob = json!({});
        blob[field] = future.into();
        let api = Api::of(&organization);
        let ran = read(&api, stream, &state(&[(stream, blob.clone())]));
        let told = ran.told();
        assert_eq!((ran.exit().as_str(), told.records(stream).len()), ("exit 0", 0), "{stream}");
        assert_eq!(told.logs("WARN").len(), 1, "{stream}");
        let says = told.states(stream)[0][field].as_i64().unwrap();
        assert!((T + 10_000_000..future).contains(&says), "{stream}: {says}");
    }
}

#[test]
fn sessions_that_were_open_are_asked_for_again_by_name_and_only_those() {
    let organization = Organization::new(&[(
        "sessions",
        json!([
            open_session("new", T, "new"),
            open_session("claimed", T, "claimed"),
            open_session("running", T, "running"),
            open_session("resuming", T, "resuming"),
            open_session("unknown", T, "a status of tomorrow"),
            session("ended", T, T),
            open_session("asleep", T, "suspended"),
            open_session("failed", T, "error"),
            session("newest", T, T + 50_000),
        ]),
    )]);
    let api = Api::of(&organization);
    let first = read(&api, "sessions", "[]").told();
    insta::assert_snapshot!(first.states("sessions")[0].to_string(), @r#"{"open_sessions":{"claimed":"4ab72842884d6cd6","new":"95e8c548a7505155","resuming":"dad151f0f1084847","running":"c291771a1fd589d1","unknown":"7506895c3c89d5bb"},"recent":{"newest":[1700050000,"4f9dff99561d9928"]},"scope":{"org_id":"org-1"},"updated_at":1700050000,"version":2}"#);
    api.forget();
    let second = read(&api, "sessions", &first.state_file()).told();
    insta::assert_snapshot!(api.asked().join("\n"), @"
    sessions first=200 updated_after=1700049399
    sessions first=200 session_ids=claimed session_ids=new session_ids=resuming session_ids=running session_ids=unknown
    ");
    assert_eq!(values(&second, "sessions", "session_id"), ["newest"], "the others have not changed by a single byte");
}

#[test]
fn an_open_session_that_changed_is_emitted_although_its_updated_at_did_not_move() {
    let organization = |running: Value| {
        let quiet = open_session("quiet", T, "running");
        Organization::new(&[("sessions", json!([quiet, running, session("newest", T, T + 50_000)]))])
    };
    let mut running = open_session("changed", T, "running");
    let first = read(&Api::of(&organization(running.clone())), "sessions", "[]").told();
    running["status"] = "exit".into();
    let second = read(&Api::of(&organization(running)), "sessions", &first.state_file()).told();
    assert_eq!(values(&second, "sessions", "session_id"), ["changed", "newest"]);
    let open = second.states("sessions")[0]["open_sessions"].as_object().unwrap();
    assert_eq!(open.keys().collect::<Vec<_>>(), ["quiet"], "what has ended is not asked for again");
}

/// An API that does not answer for a session it no longer has must not fail this run and every later one.
#[test]
fn an_open_session_that_the_api_refuses_to_look_up_twice_is_dropped_with_a_warning() {
    let api = Api::start(|ask| match ask.parameters("session_ids") {
        ids if ids.contains(&"deleted") => Answer::problem(422, "unknown session"),
        ids if ids.is_empty() => Answer::list(&[]),
        ids => {
            let items: Vec<String> = ids.iter().map(|id| open_session(id, T, "running").to_string()).collect();
            Answer::list(&items.iter().map(String::as_str).collect::<Vec<_>>())
        }
    });
    let open = json!({"a": "0", "b": "0", "deleted": "0", "z": "0"});
    let ran = read(&api, "sessions", &state(&[("sessions", json!({"updated_at": T, "open_sessions": open}))]));
    assert_eq!(ran.exit(), "exit 0", "{}", ran.story());
    let told = ran.told();
    assert_eq!(values(&told, "sessions", "session_id"), ["a", "b", "z"]);
    assert!(ran.story().contains("WARN"), "{}", ran.story());
    let open = told.states("sessions")[0]["open_sessions"].as_object().unwrap();
    assert_eq!(open.keys().collect::<Vec<_>>(), ["a", "b", "deleted", "z"], "it may have been a moment's trouble");
    let again = read(&api, "sessions", &told.state_file());
    assert!(again.story().contains("for the second time, is not asked for anymore"), "{}", again.story());
    let open = again.told().states("sessions")[0]["open_sessions"].as_object().unwrap().clone();
    assert_eq!(open.keys().collect::<Vec<_>>(), ["a", "b", "z"]);
}

/// A moment's trouble with a request by name loses nothing of the session.
#[test]
fn an_open_session_that_is_refused_once_is_read_by_the_next_read() {
    let is_well = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&is_well);
    for trouble in [404, 422, 200] {
        is_well.store(false, Ordering::Relaxed);
        let seen = Arc::clone(&seen);
        let api = Api::start(move |ask| {
            let is_well = seen.load(Ordering::Relaxed);
            match (ask.list.as_str(), ask.parameters("session_ids").is_empty()) {
                ("sessions", true) => Answer::list(&[]),
                ("sessions", false) if is_well => Answer::list(&[&open_session("a", T, "running").to_string()]),
                ("sessions", false) if trouble == 200 => {
                    Answer::status(200, "application/json", r#"{"items":[],"has_next_page":false,"total":1}"#)
                }
                ("sessions", false) => Answer::problem(trouble, "for a moment"),
                _ => Answer::list(&[r#"{"event_id":"new","created_at":1700000100}"#]),
            }
        });
        let before = json!({"updated_at": T, "open_sessions": {"a": "0"}});
        let first = read(&api, "sessions", &state(&[("sessions", before)]));
        assert_eq!(first.exit(), "exit 0", "{}", first.story());
        assert!(first.told().records("sessions").is_empty() && first.story().contains("WARN"), "{}", first.story());
        is_well.store(true, Ordering::Relaxed);
        let second = read(&api, "sessions", &first.told().state_file()).told();
        assert_eq!(values(&second, "sessions", "session_id"), ["a"], "{trouble}");
    }
}

#[test]
fn an_open_session_that_came_by_is_not_asked_for_again() {
    let organization = Organization::new(&[("sessions", json!([open_session("a", T, "running")]))]);
    let api = Api::of(&organization);
    let first = read(&api, "sessions", "[]").told();
    api.forget();
    let second = read(&api, "sessions", &first.state_file()).told();
    assert_eq!(api.asked().len(), 1, "the look-back brings it: {:?}", api.asked());
    assert_eq!(second.records("sessions").len(), 1);
}

#[test]
fn many_open_sessions_are_asked_for_fifty_at_a_time_and_the_newest_five_hundred_are_remembered() {
    let sessions: Vec<Value> = (0..600)
        .map(|n| json!({"session_id": format!("s{n:03}"), "created_at": T + n, "updated_at": T, "status": "running"}))
        .chain([session("newest", T, T + 50_000)])
        .collect();
    let organization = Organization::new(&[("sessions", Value::from(sessions))]);
    let api = Api::of(&organization);
    let first = read(&api, "sessions", "[]").told();
    let open = first.states("sessions")[0]["open_sessions"].as_object().unwrap();
    let names: Vec<&String> = open.keys().collect();
    assert_eq!((names.len(), names[0].as_str(), names[499].as_str()), (500, "s100", "s599"));
    assert!(first.lines().contains("WARN stream sessions: more than 500 sessions have not ended"));
    api.forget();
    let second = read(&api, "sessions", &first.state_file()).told();
    let asks = api.asks();
    assert_eq!(asks.len(), 1 + 10);
    assert!(
        asks[1..]
            .iter()
            .all(|ask| ask.parameters("session_ids").len() == 50 && ask.parameter("updated_after").is_none())
    );
    assert_eq!(values(&second, "sessions", "session_id"), ["newest"]);
}

/// Unknown parameters are ignored with 200; so the answer may hold every session there is.
#[test]
fn a_server_that_ignores_every_filter_changes_nothing() {
    let items = [open_session("open", T, "running"), session("old", T, T), session("new", T, T + 50_000)];
    let items: Vec<String> = items.iter().map(Value::to_string).collect();
    let api = Api::start(move |_| Answer::list(&items.iter().map(String::as_str).collect::<Vec<_>>()));
    let blob = json!({"updated_at": T + 40_000, "open_sessions": {"open": "another fingerprint"}});
    let told = read(&api, "sessions", &state(&[("sessions", blob)])).told();
    assert_eq!(values(&told, "sessions", "session_id"), ["new", "open"]);
}

#[test]
fn an_open_session_outside_of_the_start_date_stays_out() {
    let organization = Organization::new(&[("sessions", json!([open_session("open", T, "running")]))]);
    let api = Api::of(&organization);
    let blob = json!({"updated_at": T + 40_000, "open_sessions": ["open"]});
    let config = json!({"start_date": "2026-01-01T00:00:00Z"});
    let program = program().at(&api, config).catalog(&["sessions"]).file("state.json", state(&[("sessions", blob)]));
    let told = program.run("read --config config.json --catalog catalog.json --state state.json").told();
    assert_eq!(told.records("sessions").len(), 0);
}

#[test]
fn a_start_date_bounds_both_modes() {
    // 2026-01-01T00:00:00Z is 1767225600.
    let start = 1_767_225_600;
    let items = json!([session("before", start - 1, start + 9000), session("at", start, start + 9000)]);
    let organization = Organization::new(&[("sessions", items)]);
    let api = Api::of(&organization);
    for mode in ["full_refresh", "incremental"] {
        api.forget();
        let program = program().at(&api, json!({"start_date": "2026-01-01T00:00:00Z"}));
        let program = program.file("catalog.json", catalog(&[("sessions", mode)]));
        let program = program.file("state.json", state(&[("sessions", json!({"updated_at": start}))]));
        let told = program.run("read --config config.json --catalog catalog.json --state state.json").told();
        assert_eq!(values(&told, "sessions", "session_id"), ["at"], "{mode}");
        let asked = format!("sessions first=200 created_after={} updated_after={}", start - 1, start - 1);
        assert_eq!(api.asked(), [asked], "{mode}");
    }
}

#[test]
fn a_state_is_honoured_in_full_refresh_too() {
    let organization = Organization::new(&[("sessions", json!([session("old", T, T), session("new", T, T + 9000)]))]);
    let api = Api::of(&organization);
    let program = program().at(&api, json!({})).catalog(&["sessions"]);
    let program = program.file("state.json", state(&[("sessions", json!({"updated_at": T + 5000}))]));
    let told = program.run("read --config config.json --catalog catalog.json --state state.json").told();
    assert_eq!(values(&told, "sessions", "session_id"), ["new"]);
}

#[test]
fn short_lists_are_read_whole_and_only_what_changed_is_emitted() {
    let items = |key: &str| {
        let mut items = vec![
            json!({"created_at": T, "updated_at": T + 9000}),
            json!({"created_at": T, "updated_at": T + 5000}),
            json!({"created_at": T, "updated_at": T + 4999}),
            json!({"created_at": T + 9000, "updated_at": null}),
            json!({"created_at": T + 9000}),
            json!({"created_at": T, "updated_at": null}),
            json!({"note": "no time at all"}),
        ];
        for (item, name) in
            items.iter_mut().zip(["changed", "at", "before", "null-new", "absent-new", "null-old", "timeless"])
        {
            item[key] = name.into();
        }
        Value::from(items)
    };
    for (stream, list, key) in [
        ("playbooks", "playbooks", "playbook_id"),
        ("secrets", "secrets", "secret_id"),
        ("knowledge_notes", "knowledge/notes", "note_id"),
    ] {
        let api = Api::of(&Organization::new(&[(list, items(key))]));
        let told = read(&api, stream, &state(&[(stream, json!({"updated_at": T + 5000}))])).told();
        assert_eq!(values(&told, stream, key), ["absent-new", "at", "changed", "null-new", "timeless"], "{stream}");
        assert_eq!(api.asked(), [format!("{list} first=200")], "no filter exists");
        assert_eq!(told.states(stream)[0]["updated_at"], T + 9000, "{stream}");
    }
}

/// Every form of state, and what becomes of it: the lower bound that is asked for, and the warnings.
#[test]
fn every_form_of_state_that_a_platform_hands_in_is_understood() {
    let api = Api::of(&Organization::new(&[("sessions", json!([]))]));
    let stream = |blob: Value| json!({"type": "STREAM", "stream": {"stream_descriptor": {"name": "sessions"}, "stream_state": blob}});
    let global = json!({"type": "GLOBAL", "global": {"shared_state": {}, "stream_states": [{"stream_descriptor": {"name": "sessions"}, "stream_state": {"updated_at": T}}]}});
    let mut told = String::new();
    for (name, state) in [
        ("nothing", "".to_string()),
        ("null", "null".to_string()),
        ("empty list", "[]".to_string()),
        ("stream", json!([stream(json!({"updated_at": T}))]).to_string()),
        ("with more keys", json!([{"type": "STREAM", "id": 7, "sourceStats": {"recordCount": 3.0}, "stream": stream(json!({"updated_at": T, "id": 3}))["stream"]}]).to_string()),
        ("global", json!([global]).to_string()),
        ("number as text", json!([stream(json!({"updated_at": T.to_string()}))]).to_string()),
        ("null blob", json!([stream(Value::Null)]).to_string()),
        ("empty blob", json!([stream(json!({}))]).to_string()),
        ("full refresh of the CDK", json!([stream(json!({"__ab_no_cursor_state_message": true}))]).to_string()),
        ("null cursor", json!([stream(json!({"updated_at": null}))]).to_string()),
        ("senseless cursor", json!([stream(json!({"updated_at": "yesterday"}))]).to_string()),
        ("blob is a list", json!([stream(json!([1]))]).to_string()),
        ("legacy", json!({"sessions": {"updated_at": T}}).to_string()),
        ("another stream's", state(&[("users", json!({"updated_at": T})), ("secrets", json!({"updated_at": T}))])),
        ("a byte order mark", format!("\u{feff}{}", json!([stream(json!({"updated_at": T}))]))),
    ] {
        api.forget();
        let ran = read(&api, "sessions", &state);
        assert_eq!(ran.exit(), "exit 0", "{name}");
        let warnings: Vec<String> = ran.told().logs("WARN").iter().map(|warning| format!("\n    WARN {warning}")).collect();
        told += &format!("{name}: {}{}\n", api.asked().join("; "), warnings.join(""));
    }
    insta::assert_snapshot!(told, @"
    nothing: sessions first=200
    null: sessions first=200
    empty list: sessions first=200
    stream: sessions first=200 updated_after=1699999999
    with more keys: sessions first=200 updated_after=1699999999
    global: sessions first=200 updated_after=1699999999
    number as text: sessions first=200 updated_after=1699999999
    null blob: sessions first=200
    empty blob: sessions first=200
    full refresh of the CDK: sessions first=200
    null cursor: sessions first=200
    senseless cursor: sessions first=200
        WARN stream sessions: the state cannot be read (updated_at is not a Unix time in seconds), so the stream is read from the beginning
    blob is a list: sessions first=200
        WARN stream sessions: the state cannot be read (it is not an object), so the stream is read from the beginning
    legacy: sessions first=200
        WARN a state in the legacy form is ignored: only per-stream states (type STREAM or GLOBAL) are read, so every stream starts from the beginning
    another stream's: sessions first=200
    a byte order mark: sessions first=200 updated_after=1699999999
    ");
}

#[test]
fn the_state_file_is_written_whole_and_is_the_next_runs_state() {
    let organization = Organization::new(&[
        ("sessions", json!([session("a", T, T + 50)])),
        ("playbooks", json!([{"playbook_id": "p", "updated_at": T}])),
    ]);
    let api = Api::of(&organization);
    // The state of a stream that is not read now is kept.
    let program = program().at(&api, json!({})).file("state.json", state(&[("secrets", json!({"updated_at": 5}))]));
    let arguments = "read --config config.json --streams sessions,playbooks --state state.json --state-out state.json";
    let first = program.run(arguments);
    assert_eq!(first.exit(), "exit 0");
    insta::assert_snapshot!(program.text("state.json"), @r#"
    [
      {
        "stream": {
          "stream_descriptor": {
            "name": "playbooks"
          },
          "stream_state": {
            "recent": {
              "p": [
                1700000000,
                "33fd225c4e188faf"
              ]
            },
            "scope": {
              "org_id": "org-1"
            },
            "updated_at": 1700000000,
            "version": 2
          }
        },
        "type": "STREAM"
      },
      {
        "stream": {
          "stream_descriptor": {
            "name": "secrets"
          },
          "stream_state": {
            "updated_at": 5
          }
        },
        "type": "STREAM"
      },
      {
        "stream": {
          "stream_descriptor": {
            "name": "sessions"
          },
          "stream_state": {
            "recent": {
              "a": [
                1700000050,
                "6bf011b38e8584f1"
              ]
            },
            "scope": {
              "org_id": "org-1"
            },
            "updated_at": 1700000050,
            "version": 2
          }
        },
        "type": "STREAM"
      }
    ]
    "#);
    assert_eq!(program.files(), ["config.json", "state.json"], "nothing is left beside it");
    api.forget();
    let second = program.run(arguments);
    assert_eq!(second.exit(), "exit 0");
    insta::assert_snapshot!(api.asked_sorted(), @"
    playbooks first=200
    sessions first=200 updated_after=1699999449
    ");
    // With bare records there are no STATE messages; the file is all there is.
    let ran = program.run("read --config config.json --streams sessions --format records --state-out other.json");
    assert_eq!((ran.exit().as_str(), ran.stderr.as_str()), ("exit 0", ""));
    assert!(program.text("other.json").contains(&format!("\"updated_at\": {}", T + 50)));
}

#[test]
fn a_state_file_that_cannot_be_written_is_an_error() {
    let api = Api::of(&Organization::new(&[("sessions", json!([]))]));
    let program = program().at(&api, json!({}));
    let ran = program.run("read --config config.json --streams sessions --state-out nowhere/state.json");
    assert_eq!(ran.exit(), "exit 1");
    insta::assert_snapshot!(ran.end(), @"
    stderr: error: cannot write the file of --state-out, nowhere/state.json: No such file or directory (os error N)
    exit 1
    ");
}

#[test]
fn a_stream_that_fails_leaves_its_old_state_in_the_file() {
    let api = Api::of(&Organization::new(&[("sessions", json!([session("a", T, T + 50)]))]));
    let before = state(&[("secrets", json!({"updated_at": 5}))]);
    let program = program().at(&api, json!({})).file("state.json", before);
    let ran =
        program.run("read --config config.json --streams sessions,secrets --state state.json --state-out out.json");
    assert_eq!(ran.exit(), "exit 1");
    let out: Value = serde_json::from_str(&program.text("out.json")).unwrap();
    let blobs: Vec<String> = out.as_array().unwrap().iter().map(|state| state["stream"].to_string()).collect();
    insta::assert_snapshot!(blobs.join("\n"), @r#"
    {"stream_descriptor":{"name":"secrets"},"stream_state":{"updated_at":5}}
    {"stream_descriptor":{"name":"sessions"},"stream_state":{"recent":{"a":[1700000050,"6bf011b38e8584f1"]},"scope":{"org_id":"org-1"},"updated_at":1700000050,"version":2}}
    "#);
}

/// Sessions with messages of before and after the last sync.
fn conversations() -> Arc<Mutex<Organization>> {
    let mut lists = vec![("sessions".to_string(), Vec::new())];
    for n in 0..9_i64 {
        let id = format!("s{n}");
        // Two share each second; one has none.
        let updated_at = T + n / 2 * 1000;
        let mut session = session(&id, T - 5000 + n, updated_at);
        if n == 4 {
            session.as_object_mut().unwrap().remove("updated_at");
        }
        if n == 7 {
            session["status"] = "running".into();
        }
        lists[0].1.push(session);
        let messages = (0..n % 4).map(|m| json!({"event_id": format!("e{m}"), "created_at": T - 4000 + n * 100 + m}));
        lists.push((format!("sessions/devin-{id}/messages"), messages.collect()));
    }
    Arc::new(Mutex::new(Organization { lists: lists.into_iter().collect(), page: Some(2), ..Organization::default() }))
}

fn message_keys(told: &Told) -> BTreeSet<String> {
    let records = told.records("session_messages");
    records.iter().map(|record| format!("{} {}", record["session_id"], record["event_id"])).collect()
}

#[test]
fn only_sessions_that_changed_are_asked_for_messages_and_only_new_messages_are_emitted() {
    let organization = Organization::new(&[
        ("sessions", json!([session("quiet", T, T), session("busy", T, T + 9000)])),
        (
            "sessions/devin-busy/messages",
            json!([
                {"event_id": "old", "created_at": T}, {"event_id": "at", "created_at": T + 5000}, {"event_id": "new", "created_at": T + 9000},
                {"event_id": "timeless"},
            ]),
        ),
    ]);
    let api = Api::of(&organization);
    let ran = read(&api, "session_messages", &state(&[("session_messages", json!({"created_at": T + 5000}))]));
    insta::assert_snapshot!(ran.story(), @r#"
    STARTED session_messages
    RUNNING session_messages
    RECORD session_messages {"session_id":"busy","created_at":1700005000,"event_id":"at"}
    RECORD session_messages {"session_id":"busy","created_at":1700009000,"event_id":"new"}
    RECORD session_messages {"session_id":"busy","event_id":"timeless"}
    INFO stream session_messages: 3 records, 1 kB, 2 requests, 0 retries
    STATE session_messages {"created_at":1700009000,"recent":{"busy/new":[1700009000,"4c98ec686e49ab2f"]},"scope":{"org_id":"org-1"},"sessions_updated_at":1700009000,"version":2} after 3.0 records
    COMPLETE session_messages
    exit 0
    "#);
    insta::assert_snapshot!(api.asked().join("\n"), @"
    sessions first=200 updated_after=1700004999
    sessions/devin-busy/messages first=200
    ");
}

/// The proof: stop after every STATE in turn and start again from it.
#[tokio::test]
async fn a_read_of_messages_that_is_stopped_after_any_state_and_started_again_loses_nothing() {
    for concurrency in [1, 3] {
        for before in ["[]".to_string(), state(&[("session_messages", json!({"created_at": T - 3700}))])] {
            stop_after_every_state(&conversations(), concurrency, &before, 3).await;
        }
    }
}

/// Sessions that were open last time and have ended since, without a move of their `updated_at`, are found by name
/// only: an interrupted pass must not forget those it has not come to.
#[tokio::test]
async fn an_interrupted_pass_forgets_no_session_that_was_open_before_it() {
    let late = |event: &str| json!([{"event_id": event, "created_at": T + 20_000}]);
    let organization = Organization::new(&[
        ("sessions", json!([session("a", T, T), session("b", T, T), session("new", T + 9000, T + 30_000)])),
        ("sessions/devin-a/messages", late("a1")),
        ("sessions/devin-b/messages", late("b1")),
        ("sessions/devin-new/messages", late("n1")),
    ]);
    let before = json!({"created_at": T + 10_000, "open_sessions": {"a": "0", "b": "0"}});
    stop_after_every_state(&organization, 1, &state(&[("session_messages", before)]), 1).await;
}

async fn stop_after_every_state(
    organization: &Arc<Mutex<Organization>>,
    concurrency: usize,
    before: &str,
    least: usize,
) {
    let api = Api::of(organization);
    let mut library = Library::at(&api);
    library.config.concurrency = concurrency;
    library.config.lookback_window = 0;
    library.checkpoint_every = Duration::ZERO;
    let (ending, told) = library.read(&["session_messages"], before).await;
    assert_eq!(ending, Ending::Complete);
    let whole = message_keys(&told);
    assert!(!whole.is_empty());

    let mut seen = BTreeSet::new();
    let mut states: Vec<&Value> = Vec::new();
    for message in told.messages() {
        if message["type"] == "RECORD" {
            let data = &message["record"]["data"];
            seen.insert(format!("{} {}", data["session_id"], data["event_id"]));
        }
        if message["type"] != "STATE" {
            continue;
        }
        let blob = &message["state"]["stream"]["stream_state"];
        assert!(!states.contains(&blob), "two equal states: {blob}");
        states.push(blob);
        let (ending, again) = library.read(&["session_messages"], &json!([message["state"]]).to_string()).await;
        assert_eq!(ending, Ending::Complete);
        let union: BTreeSet<String> = seen.union(&message_keys(&again)).cloned().collect();
        assert_eq!(union, whole, "stopped after {blob}");
        assert_eq!(again.states("session_messages").last(), told.states("session_messages").last(), "from {blob}");
    }
    assert!(states.len() > least, "there were several states: {states:?}");
}

/// The two marks: with one, the old messages of the sessions that were not read yet would be dropped. And the moment the
/// pass began, which is now.
#[tokio::test]
async fn an_unfinished_pass_keeps_both_marks() {
    let api = Api::of(&conversations());
    let mut library = Library::at(&api);
    library.config.concurrency = 1;
    library.config.lookback_window = 0;
    library.checkpoint_every = Duration::ZERO;
    let (_, told) = library.read(&["session_messages"], "[]").await;
    let states: Vec<String> = told.states("session_messages").iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(states.join("\n"), @r#"
    {"created_at":0,"open_sessions":{"s7":"8cbf47ecc75dc2c8"},"scope":{"org_id":"org-1"},"unfinished":{"began":1700004000,"sessions_updated_at":1700000000},"version":2}
    {"created_at":0,"open_sessions":{"s7":"8cbf47ecc75dc2c8"},"recent":{"s1/e0":[1699996100,"3e515d0b9002ec6e"]},"scope":{"org_id":"org-1"},"unfinished":{"began":1700004000,"newest":1699996100,"sessions_updated_at":1700001000},"version":2}
    {"created_at":0,"open_sessions":{"s7":"8cbf47ecc75dc2c8"},"recent":{"s1/e0":[1699996100,"3e515d0b9002ec6e"],"s2/e0":[1699996200,"52aa25905050ab5e"],"s2/e1":[1699996201,"b8e3f32187e8b526"]},"scope":{"org_id":"org-1"},"unfinished":{"began":1700004000,"newest":1699996201,"sessions_updated_at":1700001000},"version":2}
    {"created_at":0,"open_sessions":{"s7":"8cbf47ecc75dc2c8"},"recent":{"s1/e0":[1699996100,"3e515d0b9002ec6e"],"s2/e0":[1699996200,"52aa25905050ab5e"],"s2/e1":[1699996201,"b8e3f32187e8b526"],"s3/e0":[1699996300,"390b45a2677ef7ee"],"s3/e1":[1699996301,"4ebe05169c296ab9"],"s3/e2":[1699996302,"127d53a3490a1303"]},"scope":{"org_id":"org-1"},"unfinished":{"began":1700004000,"newest":1699996302,"sessions_updated_at":1700002000},"version":2}
    {"created_at":0,"open_sessions":{"s7":"8cbf47ecc75dc2c8"},"recent":{"s1/e0":[1699996100,"3e515d0b9002ec6e"],"s2/e0":[1699996200,"52aa25905050ab5e"],"s2/e1":[1699996201,"b8e3f32187e8b526"],"s3/e0":[1699996300,"390b45a2677ef7ee"],"s3/e1":[1699996301,"4ebe05169c296ab9"],"s3/e2":[1699996302,"127d53a3490a1303"],"s5/e0":[1699996500,"52c729805d2e1f7f"]},"scope":{"org_id":"org-1"},"unfinished":{"began":1700004000,"newest":1699996500,"sessions_updated_at":1700003000},"version":2}
    {"created_at":0,"open_sessions":{"s7":"8cbf47ecc75dc2c8"},"recent":{"s1/e0":[1699996100,"3e515d0b9002ec6e"],"s2/e0":[1699996200,"52aa25905050ab5e"],"s2/e1":[1699996201,"b8e3f32187e8b526"],"s3/e0":[1699996300,"390b45a2677ef7ee"],"s3/e1":[1699996301,"4ebe05169c296ab9"],"s3/e2":[1699996302,"127d53a3490a1303"],"s5/e0":[1699996500,"52c729805d2e1f7f"],"s6/e0":[1699996600,"a5e85216d637fdbb"],"s6/e1":[1699996601,"5ca140893f5924b1"]},"scope":{"org_id":"org-1"},"unfinished":{"began":1700004000,"newest":1699996601,"sessions_updated_at":1700003000},"version":2}
    {"created_at":0,"open_sessions":{"s7":"8cbf47ecc75dc2c8"},"recent":{"s1/e0":[1699996100,"3e515d0b9002ec6e"],"s2/e0":[1699996200,"52aa25905050ab5e"],"s2/e1":[1699996201,"b8e3f32187e8b526"],"s3/e0":[1699996300,"390b45a2677ef7ee"],"s3/e1":[1699996301,"4ebe05169c296ab9"],"s3/e2":[1699996302,"127d53a3490a1303"],"s5/e0":[1699996500,"52c729805d2e1f7f"],"s6/e0":[1699996600,"a5e85216d637fdbb"],"s6/e1":[1699996601,"5ca140893f5924b1"],"s7/e0":[1699996700,"e1b7bf31087f49cb"],"s7/e1":[1699996701,"94f899c0d126d3bd"],"s7/e2":[1699996702,"a28b2b1ee699187a"]},"scope":{"org_id":"org-1"},"unfinished":{"began":1700004000,"newest":1699996702,"sessions_updated_at":1700004000},"version":2}
    {"created_at":1699996702,"open_sessions":{"s7":"8cbf47ecc75dc2c8"},"recent":{"s7/e0":[1699996700,"e1b7bf31087f49cb"],"s7/e1":[1699996701,"94f899c0d126d3bd"],"s7/e2":[1699996702,"a28b2b1ee699187a"]},"scope":{"org_id":"org-1"},"sessions_updated_at":1700004000,"version":2}
    "#);
}

#[test]
fn a_second_read_of_messages_finds_the_messages_that_came_meanwhile() {
    let organization = conversations();
    let api = Api::of(&organization);
    let first = read(&api, "session_messages", "[]").told();
    {
        let mut organization = organization.lock().unwrap();
        // An ended session is woken: its `updated_at` moves. A running one gets a message without that.
        organization.lists.get_mut("sessions").unwrap()[1]["updated_at"] = (T + 90_000).into();
        organization
            .lists
            .get_mut("sessions/devin-s1/messages")
            .unwrap()
            .push(json!({"event_id": "woken", "created_at": T + 90_000}));
        organization
            .lists
            .get_mut("sessions/devin-s7/messages")
            .unwrap()
            .push(json!({"event_id": "quiet", "created_at": T + 80_000}));
    }
    let second = read(&api, "session_messages", &first.state_file()).told();
    let keys = message_keys(&second);
    for key in [r#""s1" "woken""#, r#""s7" "quiet""#] {
        assert!(keys.contains(key), "{key}: {keys:?}");
    }
}

#[tokio::test]
async fn records_are_never_older_than_the_state_they_follow_from() {
    let api = Api::of(&Organization::new(&[(
        "sessions",
        json!([session("a", T, T), session("b", T, T + 100), session("c", T, T + 9000)]),
    )]));
    let mut before = "[]".to_string();
    let mut bound = i64::MIN;
    for _ in 0..3 {
        let (_, told) = Library::at(&api).read(&["sessions"], &before).await;
        for record in told.records("sessions") {
            assert!(record["updated_at"].as_i64().unwrap() >= bound);
        }
        bound = told.states("sessions").last().unwrap()["updated_at"].as_i64().unwrap();
        before = told.state_file();
    }
}

#[test]
fn the_second_run_against_the_sandbox_reads_little() {
    let sandbox = common::Sandboxed::start("--sessions 300");
    let program = program().file("config.json", &sandbox.config);
    let arguments = "read --config config.json --streams all --state-out state.json";
    let first = program.run(arguments).told();
    let second = program.run(&format!("{arguments} --state state.json"));
    assert_eq!(second.exit(), "exit 0");
    let second = second.told();
    for stream in STREAMS {
        assert!(second.records(stream).len() * 2 < first.records(stream).len(), "{stream}");
        assert_eq!(first.states(stream).last(), second.states(stream).last(), "{stream}: nothing changed");
    }
}
