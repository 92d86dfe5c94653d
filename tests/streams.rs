//! Every stream of the table is read from the sandbox: in full, and where its row has a cursor incrementally.

mod common;

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Answer, Api, Library, ORG, Told, program};
use serde_json::{Value, json};
use source_devin_ai::config::Config;
use source_devin_ai::sandbox::{ORG_ID, ORG_IDS, Options, Sandbox, TOKEN, TOKEN_ENTERPRISE};
use source_devin_ai::source::read::Ending;
use source_devin_ai::source::streams::STREAMS;

const DAY: i64 = 86_400;

fn names() -> Vec<&'static str> {
    STREAMS.iter().map(|stream| stream.name).collect()
}

/// A read of the sandbox's organization with a key that may see everything.
fn of_sandbox(sandbox: &Sandbox) -> Library {
    let mut config = Config::of_sandbox(TOKEN_ENTERPRISE, ORG_ID, &sandbox.url());
    config.start_date = None;
    Library::with(config)
}

/// A key as text; the fields of a key are texts.
fn key_of(record: &Value, fields: &[&str]) -> String {
    let part = |field: &&str| record[*field].as_str().unwrap_or_else(|| panic!("{record} has no {field}")).to_string();
    fields.iter().map(part).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn every_stream_is_read_in_full_each_record_once_under_a_key() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let (ending, told) = of_sandbox(&sandbox).read(&names(), "[]").await;
    assert_eq!(ending, Ending::Complete, "{}", told.lines());
    for stream in STREAMS {
        let records = told.records(stream.name);
        assert!(!records.is_empty(), "{}", stream.name);
        let keys: HashSet<String> = records.iter().map(|record| key_of(record, stream.primary_key)).collect();
        assert_eq!(keys.len(), records.len(), "{}", stream.name);
        // Some destinations take the first field alone.
        let firsts: HashSet<String> = records.iter().map(|record| key_of(record, &stream.primary_key[..1])).collect();
        assert_eq!(firsts.len(), records.len(), "{}", stream.name);
        let schema: Value = serde_json::from_str(stream.schema).unwrap();
        for record in &records {
            // What nobody has seen may have further fields.
            let declared = |field: &String| !stream.is_verified || schema["properties"][field].is_object();
            assert!(record.as_object().unwrap().keys().all(declared), "{}: {record}", stream.name);
            for field in stream.adds {
                assert!(!record[field.field()].is_null(), "{}: {record}", stream.name);
            }
            if let Some(cursor) = stream.cursor {
                assert!(schema["properties"][cursor.field].is_object());
                assert!(!record[cursor.field].is_null() || cursor.fallback.is_some(), "{}: {record}", stream.name);
            }
        }
    }
}

#[tokio::test]
async fn every_stream_of_several_organizations_has_each_record_once_and_says_whose_it_is() {
    let sandbox = Sandbox::start(Options { organizations: 3, ..Options::default() }).await.unwrap();
    let mut library = of_sandbox(&sandbox);
    library.config.org_ids = ORG_IDS[1..].iter().map(ToString::to_string).collect();
    let (ending, told) = library.read(&names(), "[]").await;
    assert_eq!(ending, Ending::Complete, "{}", told.lines());
    for stream in STREAMS {
        let records = told.records(stream.name);
        let firsts: HashSet<String> = records.iter().map(|record| key_of(record, &stream.primary_key[..1])).collect();
        assert_eq!(firsts.len(), records.len(), "{}", stream.name);
        // A person in several organizations is one record, of the first.
        if stream.path_of_enterprise().is_none() && !stream.is_merged() {
            let owners: HashSet<&str> = records.iter().filter_map(|record| record["org_id"].as_str()).collect();
            assert_eq!(owners.len(), 3, "{}: {owners:?}", stream.name);
        }
    }
    let (ending, second) = library.read(&names(), &told.state_file()).await;
    assert_eq!(ending, Ending::Complete, "{}", second.lines());
    let again = second.records("sessions").len();
    assert!(again * 4 < told.records("sessions").len(), "{again} sessions again");
}

#[tokio::test]
async fn a_second_read_of_what_has_not_changed_repeats_only_what_may_still_change() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let library = of_sandbox(&sandbox);
    let (_, first) = library.read(&names(), "[]").await;
    let (ending, second) = library.read(&names(), &first.state_file()).await;
    assert_eq!(ending, Ending::Complete, "{}", second.lines());
    let mut told = BTreeMap::new();
    for stream in STREAMS {
        let (before, after) = (first.records(stream.name).len(), second.records(stream.name).len());
        match stream.cursor {
            None => assert_eq!(after, before, "{}: always read completely", stream.name),
            // What lies in the mark's own second comes again.
            Some(_) => assert!(after * 3 <= before || after == 1, "{}: {after} of {before} again", stream.name),
        }
        told.insert(stream.name, after);
    }
    assert_eq!(told["audit_logs"], 1, "the entry of the mark's own second");
}

#[tokio::test]
async fn a_plain_key_reads_what_is_its_own_and_leaves_out_the_rest_where_nobody_named_it() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let library = Library::with(Config::of_sandbox(TOKEN, ORG_ID, &sandbox.url()));
    let (ending, told) = library.read(&["sessions", "roles"], "[]").await;
    assert_eq!(ending, Ending::Failed);
    assert!(told.lines().contains("stream roles: /v3/enterprise/roles answered 403"), "{}", told.lines());
    let settings = json!({"api_token": TOKEN, "org_id": ORG_ID, "api_url": sandbox.url()}).to_string();
    let ran = tokio::task::spawn_blocking(move || {
        program().file("config.json", settings).run("read --config config.json --streams all --format records --quiet")
    });
    let ran = ran.await.unwrap();
    assert_eq!(ran.exit(), "exit 0", "{}", ran.stderr);
    let left_out: Vec<&str> = ran.stderr.lines().filter_map(|line| line.strip_prefix("warning: stream ")).collect();
    let mut left_out: Vec<&str> = left_out.iter().filter_map(|line| Some(line.split_once(" is left out")?.0)).collect();
    left_out.sort_unstable();
    insta::assert_snapshot!(left_out.join(" "), @"acu_limits audit_logs consumption_cycles organizations roles service_users");
}

/// A server that has one list below the organization, and knows nothing else.
fn only(list: &'static str, body: Value) -> Api {
    Api::start(move |ask| if ask.list == list { Answer::json(body.to_string()) } else { Answer::unknown() })
}

async fn read(api: &Api, stream: &str) -> (Ending, Told) {
    Library::at(api).read(&[stream], "[]").await
}

#[tokio::test]
async fn another_shape_than_the_rows_is_an_error_that_names_what_came() {
    let mut told = Vec::new();
    for (stream, list, body) in [
        ("knowledge_folders", "knowledge/folders", json!({"items": [], "total": 0})),
        ("automations", "automations", json!({"automations": []})),
        ("metrics_prs_daily", "metrics/prs", json!({"items": []})),
        ("metrics_sessions_daily", "metrics/sessions", json!({"error": {"code": "unavailable"}})),
        ("consumption_daily", "consumption/daily", json!({"consumption_by_date": [{"day": "2026-01-01", "acus": 1}]})),
        ("active_users", "metrics/dau", json!({"items": []})),
    ] {
        let (ending, read) = read(&only(list, body), stream).await;
        assert_eq!(ending, Ending::Failed, "{stream}");
        let errors = read.errors();
        told.push(errors[0].split(" (tried").next().unwrap().to_string());
        assert!(read.records(stream).is_empty());
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn a_path_that_is_unknown_or_refused_is_tried_elsewhere_and_only_at_first() {
    for status in [403, 404] {
        let api = Api::start(move |ask| match ask.list.as_str() {
            "/v3/enterprise/organizations/org-1/members/users" => Answer::list(&[r#"{"user_id":"u|1","name":"A"}"#]),
            "/v3/enterprise/organizations/org-1/members/idp-users" => Answer::list(&[
                r#"{"user_id":"u|1","name":"again","idp_role_assignments":[{"idp_group_name":"g"}]}"#,
                r#"{"user_id":"u|2"}"#,
            ]),
            _ => Answer::problem(status, "not here"),
        });
        let (ending, told) = read(&api, "members").await;
        assert_eq!(ending, Ending::Complete, "{}", told.lines());
        let ids: Vec<String> = told.records("members").iter().map(|record| key_of(record, &["user_id"])).collect();
        assert_eq!(ids, ["u|1", "u|2"]);
        // One record has what both lists say of a person.
        assert_eq!(told.records("members")[0]["name"], "A");
        assert_eq!(told.records("members")[0]["idp_role_assignments"][0]["idp_group_name"], "g");
        assert!(told.records("members").iter().all(|record| record["org_id"] == ORG));
        let beginnings =
            ["/v3beta1/organizations/org-1/members/users", "/v3/enterprise/organizations/org-1/members/users"];
        assert_eq!(api.asked()[..2], beginnings.map(|path| format!("{path} first=200")));
    }
}

#[tokio::test]
async fn people_of_an_identity_provider_that_is_unknown_where_the_others_are_are_none() {
    let api = Api::start(|ask| match ask.list.as_str() {
        "/v3beta1/organizations/org-1/members/users" => Answer::list(&[r#"{"user_id":"u|1"}"#]),
        // Whatever a plain key asks the enterprise for is refused.
        list if list.starts_with("/v3/enterprise") => Answer::problem(403, "not for this key"),
        list if list.starts_with("consumption/daily/users") => Answer::json(r#"{"consumption_by_date":[]}"#),
        _ => Answer::unknown(),
    });
    let (ending, told) = Library::at(&api).read(&["members", "consumption_daily_users"], "[]").await;
    assert_eq!((ending, told.records("members").len()), (Ending::Complete, 1), "{}", told.lines());
    assert!(api.asked().iter().any(|asked| asked.starts_with("consumption/daily/users/u%7C1")), "{:?}", api.asked());
}

#[tokio::test]
async fn repositories_without_a_number_are_told_apart_by_their_path() {
    let api = Api::start(|_| {
        Answer::list(&[
            r#"{"git_connection_id":"g1","repo_path":"o/a"}"#,
            r#"{"git_connection_id":"g1","repo_path":"o/b"}"#,
            r#"{"git_connection_id":"g1","provider_repository_id":7,"repo_path":"o/c"}"#,
        ])
    });
    let (ending, told) = read(&api, "repositories").await;
    let ids: Vec<String> = told.records("repositories").iter().map(|record| key_of(record, &["id"])).collect();
    assert_eq!(
        (ending, ids),
        (Ending::Complete, ["org-1/g1/o/a", "org-1/g1/o/b", "org-1/g1/7"].map(String::from).to_vec())
    );
}

#[tokio::test]
async fn a_stream_that_is_nowhere_is_incomplete_and_says_where_it_was_looked_for() {
    let api = Api::start(|_| Answer::unknown());
    let (ending, told) = read(&api, "repositories").await;
    assert_eq!(ending, Ending::Failed);
    insta::assert_snapshot!(told.errors()[0]);
}

#[tokio::test]
async fn an_offset_list_is_read_page_by_page() {
    let schedule = |number: usize| json!({"scheduled_session_id": format!("sched-{number}"), "updated_at": "2026-01-01T00:00:00Z"});
    let api = Api::start(move |ask| {
        let offset: usize = ask.parameter("offset").unwrap_or("0").parse().unwrap();
        let items: Vec<Value> = (offset..450.min(offset + 200)).map(schedule).collect();
        Answer::json(json!({"items": items}).to_string())
    });
    let (ending, told) = read(&api, "schedules").await;
    assert_eq!((ending, told.records("schedules").len()), (Ending::Complete, 450), "{}", told.lines());
    assert!(told.state_file().contains(r#""updated_at":1767225600"#), "{}", told.state_file());
    let asked: HashSet<String> = api.asked().into_iter().collect();
    let expected = ["", " offset=200", " offset=400"].map(|offset| format!("schedules limit=200{offset}"));
    assert_eq!(asked, HashSet::from(expected));
}

#[tokio::test]
async fn an_offset_list_of_smaller_pages_goes_on_until_its_total_is_reached() {
    static TOTAL: AtomicUsize = AtomicUsize::new(250);
    let schedule = |number: usize| json!({"scheduled_session_id": format!("sched-{number}"), "updated_at": "2026-01-01T00:00:00Z"});
    let api = Api::start(move |ask| {
        let offset: usize = ask.parameter("offset").unwrap_or("0").parse().unwrap();
        let items: Vec<Value> = (offset..250.min(offset + 100)).map(schedule).collect();
        Answer::json(json!({"items": items, "total": TOTAL.load(Ordering::Relaxed)}).to_string())
    });
    let (ending, told) = read(&api, "schedules").await;
    assert_eq!((ending, told.records("schedules").len()), (Ending::Complete, 250), "{}", told.lines());
    assert!(!told.lines().contains("twice in a row"), "{}", told.lines());
    // One that counts more than there are is told, and what there is has been read.
    TOTAL.store(260, Ordering::Relaxed);
    let (ending, told) = read(&api, "schedules").await;
    assert_eq!((ending, told.records("schedules").len()), (Ending::Complete, 250), "{}", told.lines());
    assert!(told.lines().contains("counts 260 items and lists 250, twice in a row"), "{}", told.lines());
}

#[tokio::test]
async fn figures_of_a_day_are_asked_for_day_by_day_and_the_last_week_again() {
    let api = Api::start(|ask| match ask.list.as_str() {
        "metrics/prs" => Answer::json(r#"{"prs_merged_count":1}"#),
        _ => Answer::unknown(),
    });
    let mut library = Library::at(&api);
    let today = source_devin_ai::source::emit::now_ms() / 1000 / DAY * DAY;
    library.config.start_date = Some(today - 20 * DAY + 5);
    let (ending, first) = library.read(&["metrics_prs_daily"], "[]").await;
    assert_eq!(ending, Ending::Complete, "{}", first.lines());
    let windows: Vec<i64> =
        first.records("metrics_prs_daily").iter().map(|record| record["window_start"].as_i64().unwrap()).collect();
    assert_eq!(windows, (0..=20).map(|day| today - (20 - day) * DAY).collect::<Vec<_>>());
    api.forget();
    let (_, second) = library.read(&["metrics_prs_daily"], &first.state_file()).await;
    assert_eq!(api.asked().len(), 8, "today, and seven days before");
    assert_eq!(
        second.records("metrics_prs_daily").len(),
        1,
        "what has not changed is not said again, but for the last day"
    );
}

#[tokio::test]
async fn an_earlier_start_date_reads_the_days_before_the_ninety_that_were_read_without_one() {
    let api = Api::start(|ask| match ask.list.as_str() {
        "metrics/usage" => Answer::json(r#"{"sessions_count":1}"#),
        _ => Answer::unknown(),
    });
    let mut library = Library::at(&api);
    let (_, first) = library.read(&["metrics_usage_daily"], "[]").await;
    assert_eq!(first.records("metrics_usage_daily").len(), 90);
    let (_, second) = library.read(&["metrics_usage_daily"], &first.state_file()).await;
    assert_eq!(second.records("metrics_usage_daily").len(), 1);
    let today = source_devin_ai::source::emit::now_ms() / 1000 / DAY * DAY;
    library.config.start_date = Some(today - 100 * DAY);
    let (_, third) = library.read(&["metrics_usage_daily"], &second.state_file()).await;
    assert_eq!(third.records("metrics_usage_daily").len(), 101);
    assert!(third.lines().contains("was written with a later start date"), "{}", third.lines());
}

#[tokio::test]
async fn a_start_date_that_is_removed_reads_the_ninety_days_that_there_are_without_one() {
    let api = only("metrics/usage", json!({"sessions_count": 1}));
    let mut library = Library::at(&api);
    let today = source_devin_ai::source::emit::now_ms() / 1000 / DAY * DAY;
    library.config.start_date = Some(today - 4 * DAY);
    let (_, first) = library.read(&["metrics_usage_daily"], "[]").await;
    assert_eq!(first.records("metrics_usage_daily").len(), 5);
    library.config.start_date = None;
    let (_, second) = library.read(&["metrics_usage_daily"], &first.state_file()).await;
    assert_eq!(second.records("metrics_usage_daily").len(), 90);
    assert!(second.lines().contains("was written with a later start date"), "{}", second.lines());
}

#[tokio::test]
async fn a_stream_that_is_refused_halfway_is_not_left_out_as_if_it_were_not_offered() {
    let api = Api::start(|ask| match ask.list.as_str() {
        "metrics/dau" => Answer::json("[]"),
        "metrics/wau" => Answer::problem(403, "missing permission"),
        _ => Answer::problem(404, "not here"),
    });
    let ran = tokio::task::spawn_blocking(move || {
        program().at(&api, json!({})).run("read --config config.json --streams all --format records")
    });
    let ran = ran.await.unwrap();
    assert_eq!(ran.exit(), "exit 1", "{}", ran.stderr);
    let line = ran.stderr.lines().find(|line| line.starts_with("error: ") && line.contains("active_users"));
    assert!(line.is_some_and(|line| line.contains("metrics/wau answered 403")), "{}", ran.stderr);
}

#[tokio::test]
async fn days_that_a_server_adds_to_a_window_are_not_taken_twice() {
    let today = source_devin_ai::source::emit::now_ms() / 1000 / DAY * DAY;
    let days: Vec<Value> = (1..=5).map(|back| json!({"date": today - back * DAY + 8 * 3_600, "acus": back})).collect();
    let api = only("consumption/daily", json!({"total_acus": 15, "consumption_by_date": days}));
    let mut library = Library::at(&api);
    library.config.start_date = Some(today - 5 * DAY);
    let (ending, told) = library.read(&["consumption_daily"], "[]").await;
    assert_eq!(ending, Ending::Complete, "{}", told.lines());
    let acus: Vec<i64> =
        told.records("consumption_daily").iter().map(|record| record["acus"].as_i64().unwrap()).collect();
    assert_eq!(acus, [5, 4, 3, 2, 1]);
}

#[tokio::test]
async fn a_day_in_milliseconds_is_that_day_and_one_that_cannot_be_is_an_error() {
    let today = source_devin_ai::source::emit::now_ms() / 1000 / DAY * DAY;
    for (unit, ending) in [(1_000, Ending::Complete), (1_000_000, Ending::Failed)] {
        let date = (today - DAY) * unit;
        let consumption = only("consumption/daily", json!({"consumption_by_date": [{"date": date, "acus": 1}]}));
        let mut library = Library::at(&consumption);
        library.config.start_date = Some(today - 3 * DAY);
        let (ended, told) = library.read(&["consumption_daily"], "[]").await;
        assert_eq!(ended, ending, "{}", told.lines());
        let records = told.records("consumption_daily");
        assert_eq!(records.len(), usize::from(ending == Ending::Complete), "{}", told.lines());
        assert!(records.iter().all(|record| record["date"] == date), "as it was sent");
    }
    let (ended, told) =
        read(&only("consumption/daily", json!({"consumption_by_date": [{"date": 20_261_128}]})), "consumption_daily")
            .await;
    assert_eq!(ended, Ending::Failed, "{}", told.lines());
}

#[tokio::test]
async fn an_audit_trail_that_comes_newest_first_is_read_all_the_same() {
    let now = source_devin_ai::source::emit::now_ms() / 1000;
    // A server may heed the bounds and not the order, or neither.
    for heeds_bounds in [true, false] {
        let api = Api::start(move |ask| {
            if ask.list != "/v3/enterprise/audit-logs" {
                return Answer::unknown();
            }
            let bound = |name: &str| ask.parameter(name).filter(|_| heeds_bounds)?.parse::<i64>().ok();
            let (after, before) = (bound("time_after").unwrap_or(0), bound("time_before").unwrap_or(i64::MAX));
            let first: usize = ask.parameter("first").unwrap().parse().unwrap();
            let entries =
                (1..=50).map(|back| (back, now - back * 3 * DAY)).filter(|(_, at)| (after..before).contains(at));
            let items: Vec<Value> = entries
                .map(|(back, at)| json!({"audit_log_id": format!("e{back}"), "created_at": at}))
                .take(first)
                .collect();
            Answer::json(json!({"items": items, "has_next_page": false}).to_string())
        });
        let library = Library::at(&api);
        let (ending, told) = library.read(&["audit_logs"], "[]").await;
        assert_eq!((ending, told.records("audit_logs").len()), (Ending::Complete, 50), "{}", told.lines());
        assert!(told.lines().contains("does not list the oldest entries first"), "{}", told.lines());
        // From a state of some time ago, nothing is skipped either.
        let state = common::state(&[("audit_logs", json!({"created_at": now - 30 * DAY}))]);
        let (ending, told) = library.read(&["audit_logs"], &state).await;
        assert_eq!((ending, told.records("audit_logs").len()), (Ending::Complete, 10), "{}", told.lines());
    }
}

#[tokio::test]
async fn an_audit_trail_of_the_organization_alone_is_told_from_the_enterprises() {
    for (list, is_warned) in [("/v3/enterprise/audit-logs", false), ("audit-logs", true)] {
        let (ending, told) =
            read(&only(list, json!({"items": [{"audit_log_id": "e1", "created_at": 5}]})), "audit_logs").await;
        assert_eq!((ending, told.records("audit_logs").len()), (Ending::Complete, 1), "{}", told.lines());
        assert_eq!(told.lines().contains("only entries of this organization"), is_warned, "{}", told.lines());
    }
}

#[tokio::test]
async fn a_state_of_the_organizations_trail_does_not_serve_that_of_the_enterprise() {
    let now = source_devin_ai::source::emit::now_ms() / 1000;
    // The enterprise's trail has entries that the organization's lacks, before the mark of the latter.
    let entry =
        move |number: i64| json!({"audit_log_id": format!("e{number}"), "created_at": now - 5_000 * (50 - number)});
    let is_open = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let opened = std::sync::Arc::clone(&is_open);
    let api = Api::start(move |ask| {
        let numbers: Vec<i64> = match ask.list.as_str() {
            "/v3/enterprise/audit-logs" if opened.load(Ordering::Relaxed) => (1..=40).collect(),
            "/v3/enterprise/audit-logs" => return Answer::problem(403, "missing permission"),
            "audit-logs" => (1..=40).filter(|number| number % 4 == 0).collect(),
            _ => return Answer::unknown(),
        };
        let after: i64 = ask.parameter("time_after").map_or(0, |bound| bound.parse().unwrap());
        let items = numbers.into_iter().map(entry).filter(|entry| entry["created_at"].as_i64() >= Some(after));
        Answer::json(json!({"items": items.collect::<Vec<_>>()}).to_string())
    });
    let library = Library::at(&api);
    let (ending, first) = library.read(&["audit_logs"], "[]").await;
    assert_eq!((ending, first.records("audit_logs").len()), (Ending::Complete, 10), "{}", first.lines());
    is_open.store(true, Ordering::Relaxed);
    let (ending, second) = library.read(&["audit_logs"], &first.state_file()).await;
    assert_eq!((ending, second.records("audit_logs").len()), (Ending::Complete, 40), "{}", second.lines());
    assert!(second.lines().contains("/v3/enterprise/audit-logs answers now"), "{}", second.lines());
    let (_, third) = library.read(&["audit_logs"], &second.state_file()).await;
    assert_eq!(third.records("audit_logs").len(), 1, "the same list goes on: {}", third.lines());
    // Of a state that was written before states said so, nobody knows which list it is of.
    let state = second.state_file().replace(r#","path":"/v3/enterprise/audit-logs""#, "");
    assert_ne!(state, second.state_file());
    let (_, fourth) = library.read(&["audit_logs"], &state).await;
    assert_eq!(fourth.records("audit_logs").len(), 40, "{}", fourth.lines());
}

#[tokio::test]
async fn limits_are_told_apart_by_all_that_they_are_for_and_otherwise_refused() {
    let limits = |items: Value| only("/v3/enterprise/consumption/acu-limits/devin", json!({"items": items}));
    let api = limits(json!([
        {"scope": "user", "org_id": "a", "cycle_acu_limit": 1},
        {"scope": "user", "user_id": "a", "cycle_acu_limit": 2},
        {"scope": "user", "org_id": "a", "user_id": "b", "cycle_acu_limit": 3},
        {"scope": "user", "org_id": "a", "user_id": "b", "cycle_acu_limit": 3},
    ]));
    let (ending, told) = read(&api, "acu_limits").await;
    let limits_of = |told: &Told| {
        told.records("acu_limits").iter().map(|record| record["cycle_acu_limit"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((ending, limits_of(&told)), (Ending::Complete, vec![1, 2, 3]), "{}", told.lines());
    let group = |name: &str, limit: i64| json!({"scope": "group", "group": name, "cycle_acu_limit": limit});
    let (ending, told) = read(&limits(json!([group("a", 1), group("b", 2)])), "acu_limits").await;
    assert_eq!(ending, Ending::Failed, "{}", told.lines());
    assert!(told.errors()[0].contains("different records with the same scope, org_id, user_id"), "{}", told.lines());
}

#[tokio::test]
async fn a_day_without_anything_is_an_empty_day_and_another_answer_is_none() {
    for (stream, list, body, ending) in [
        ("consumption_daily", "consumption/daily", json!({"total_acus": 0}), Ending::Complete),
        ("consumption_daily", "consumption/daily", json!({}), Ending::Complete),
        (
            "consumption_daily",
            "consumption/daily",
            json!({"total_acus": 0.0, "consumption_by_date": null}),
            Ending::Complete,
        ),
        ("metrics_usage_daily", "metrics/usage", json!({}), Ending::Complete),
        ("consumption_daily", "consumption/daily", json!({"total_acus": 3}), Ending::Failed),
        ("consumption_daily", "consumption/daily", json!({"total_acus": 0, "days": []}), Ending::Failed),
        ("metrics_usage_daily", "metrics/usage", json!({"status": "ok"}), Ending::Failed),
        ("active_users", "metrics/dau", json!({}), Ending::Failed),
        ("knowledge_folders", "knowledge/folders", json!({}), Ending::Failed),
    ] {
        let (ended, told) = read(&only(list, body.clone()), stream).await;
        assert_eq!((ended, told.records(stream).len()), (ending, 0), "{stream} {body}: {}", told.lines());
    }
}

#[tokio::test]
async fn an_end_date_bounds_the_days_and_the_trail() {
    let today = source_devin_ai::source::emit::now_ms() / 1000 / DAY * DAY;
    let entries: Vec<Value> = (0..20)
        .map(|back| json!({"audit_log_id": format!("e{back}"), "created_at": today - (20 - back) * DAY}))
        .collect();
    let api = Api::start(move |ask| match ask.list.as_str() {
        "metrics/prs" => Answer::json(r#"{"prs_merged_count":1}"#),
        "/v3/enterprise/audit-logs" => Answer::json(json!({"items": entries}).to_string()),
        _ => Answer::unknown(),
    });
    let mut library = Library::at(&api);
    library.config.start_date = Some(today - 10 * DAY);
    library.config.end_date = Some(today - 4 * DAY + 7);
    let (ending, told) = library.read(&["metrics_prs_daily", "audit_logs"], "[]").await;
    assert_eq!(ending, Ending::Complete, "{}", told.lines());
    let days: Vec<i64> = told
        .records("metrics_prs_daily")
        .iter()
        .map(|day| (today - day["window_start"].as_i64().unwrap()) / DAY)
        .collect();
    assert_eq!(days, [10, 9, 8, 7, 6, 5, 4], "a day that has begun by then is told whole");
    let days: Vec<i64> =
        told.records("audit_logs").iter().map(|entry| (today - entry["created_at"].as_i64().unwrap()) / DAY).collect();
    assert_eq!(days, [10, 9, 8, 7, 6, 5, 4]);
    assert!(
        api.asked().iter().any(|asked| asked.starts_with("/v3/enterprise/audit-logs") && asked.contains("time_before"))
    );
    // A later end date reads on from nothing, or days in between would be lacking.
    library.config.end_date = None;
    let (_, later) = library.read(&["metrics_prs_daily", "audit_logs"], &told.state_file()).await;
    assert_eq!(
        (later.records("metrics_prs_daily").len(), later.records("audit_logs").len()),
        (11, 10),
        "{}",
        later.lines()
    );
}

#[tokio::test]
async fn an_audit_trail_says_a_state_after_each_page_and_goes_on_from_it() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let (ending, told) = of_sandbox(&sandbox).read(&["audit_logs"], "[]").await;
    assert_eq!((ending, told.records("audit_logs").len()), (Ending::Complete, 450), "{}", told.lines());
    let times: Vec<i64> =
        told.records("audit_logs").iter().map(|record| record["created_at"].as_i64().unwrap()).collect();
    assert!(times.is_sorted());
    let states = told.states("audit_logs").len();
    assert!(states >= 3, "{states}");
}

#[tokio::test]
async fn pull_requests_take_no_request_of_their_own() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let (_, told) = of_sandbox(&sandbox).read(&["sessions", "pull_requests"], "[]").await;
    let mut expected = Vec::new();
    for session in told.records("sessions") {
        for pull_request in session["pull_requests"].as_array().unwrap() {
            let id = session["session_id"].as_str().unwrap();
            expected.push(format!("{id}/{}", pull_request["pr_url"].as_str().unwrap()));
        }
    }
    let found: Vec<String> = told.records("pull_requests").iter().map(|record| key_of(record, &["id"])).collect();
    assert!(!found.is_empty());
    assert_eq!(found, expected);
    let api = Api::start(|ask| {
        assert_eq!(ask.list, "sessions");
        Answer::list(&[r#"{"session_id":"a","updated_at":5,"pull_requests":[{"pr_url":"u","new":1.0}]}"#])
    });
    let (_, told) = Library::at(&api).read(&["sessions", "pull_requests"], "[]").await;
    assert_eq!(api.asked(), ["sessions first=200"]);
    let expected = json!({"id": "a/u", "session_id": "a", "updated_at": 5, "pr_url": "u", "new": 1.0});
    assert_eq!(told.records("pull_requests"), vec![&expected]);
}

/// An audit trail that grows while it is read, and whose server fails now and then.
struct Trail {
    dice: fastrand::Rng,
    /// The times of the entries, in order.
    times: Vec<i64>,
    page: usize,
    is_exclusive: bool,
    fails: bool,
    grows: bool,
}

impl Trail {
    fn answer(&mut self, ask: &common::Ask, now: i64) -> Answer {
        if self.fails && self.dice.u8(..8) == 0 {
            return Answer::problem(400, "not this time");
        }
        if self.grows && self.dice.bool() {
            self.times.push(now);
        }
        assert_eq!(ask.parameter("order"), Some("asc"));
        let bound = |name: &str| ask.parameter(name).map(|bound| bound.parse::<i64>().unwrap());
        let (after, before) = (bound("time_after"), bound("time_before"));
        if let (Some(after), Some(before)) = (after, before) {
            assert!(before - after <= 100 * DAY, "too long a window");
        }
        let admits = |at: i64| {
            let is_after = after.is_none_or(|after| if self.is_exclusive { at > after } else { at >= after });
            is_after && before.is_none_or(|before| if self.is_exclusive { at < before } else { at <= before })
        };
        let entries: Vec<Value> = self
            .times
            .iter()
            .enumerate()
            .filter(|(_, at)| admits(**at))
            .map(|(number, at)| json!({"audit_log_id": format!("entry-{number}"), "created_at": at}))
            .collect();
        let from: usize = ask.parameter("after").map_or(0, |cursor| cursor.parse().unwrap());
        let first: usize = ask.parameter("first").unwrap().parse().unwrap();
        let until = entries.len().min(from + first.min(self.page));
        let has_next = until < entries.len();
        Answer::json(
            json!({"items": entries[from..until], "end_cursor": until.to_string(), "has_next_page": has_next})
                .to_string(),
        )
    }
}

#[tokio::test]
async fn an_audit_trail_that_grows_and_fails_loses_nothing_over_a_chain_of_reads() {
    for seed in 0..12 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let now = || source_devin_ai::source::emit::now_ms() / 1000;
        let mut times: Vec<i64> = (0..dice.usize(..90)).map(|_| now() - dice.i64(60..320 * DAY)).collect();
        times.extend(times.clone().iter().take(9));
        times.sort_unstable();
        let trail = Trail {
            times,
            page: dice.usize(1..40),
            is_exclusive: dice.bool(),
            fails: true,
            grows: true,
            dice: dice.fork(),
        };
        let trail = std::sync::Arc::new(std::sync::Mutex::new(trail));
        let served = std::sync::Arc::clone(&trail);
        let api = Api::start(move |ask| match ask.list.as_str() {
            "/v3/enterprise/audit-logs" => {
                served.lock().unwrap().answer(ask, source_devin_ai::source::emit::now_ms() / 1000)
            }
            _ => Answer::unknown(),
        });
        let mut library = Library::at(&api);
        library.config.lookback_window = [0, 600][dice.usize(..2)];
        let (mut state, mut seen, mut records) = ("[]".to_string(), HashSet::new(), 0);
        for sync in 0..6 {
            if sync == 5 {
                let mut trail = trail.lock().unwrap();
                (trail.fails, trail.grows) = (false, false);
            }
            let (_, told) = library.read(&["audit_logs"], &state).await;
            for record in told.records("audit_logs") {
                seen.insert(key_of(record, &["audit_log_id"]));
                records += 1;
            }
            if !told.states("audit_logs").is_empty() {
                state = told.state_file();
                let last: Vec<Value> = serde_json::from_str(&state).unwrap();
                state = Value::from(last[last.len() - 1..].to_vec()).to_string();
            }
        }
        let entries = trail.lock().unwrap().times.len();
        assert_eq!(seen.len(), entries, "seed {seed}: all entries, and no others");
        assert!(records < 3 * entries + 60, "seed {seed}: {records} records for {entries} entries");
    }
}
