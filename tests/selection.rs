//! Which sessions are read: by date, tag and user, whether the server filters or not.

mod common;

use common::{Answer, Api, Program, Ran, program};
use serde_json::{Value, json};

/// 2026-01-01T00:00:00Z.
const T: i64 = 1_767_225_600;
const STREAMS: [&str; 4] = ["sessions", "sessions_insights", "session_messages", "pull_requests"];

/// An API that ignores every filter.
fn api() -> Api {
    let session = |id: &str, created_at: i64, tags: Value, user: &str| {
        let pull_request = json!([{"pr_url": format!("https://git.example/{id}")}]);
        json!({"session_id": id, "created_at": created_at, "updated_at": T + 5, "tags": tags, "user_id": user,
               "status": "exit", "pull_requests": pull_request})
        .to_string()
    };
    let items = [
        session("wanted", T, json!(["Billing", "x"]), "u1"),
        session("late", T + 10, json!(["billing"]), "u1"),
        session("untagged", T, json!([]), "u1"),
        session("null-tagged", T, Value::Null, "u1"),
        session("of-another", T, json!(["billing"]), "u2"),
    ];
    Api::start(move |ask| match ask.list.as_str() {
        "sessions" | "sessions/insights" => Answer::list(&items.iter().map(String::as_str).collect::<Vec<_>>()),
        "sessions/devin-wanted/messages" => Answer::list(&[r#"{"event_id":"e"}"#]),
        list if list.ends_with("/messages") => Answer::list(&[]),
        _ => Answer::unknown(),
    })
}

fn read(api: &Api, more: Value, state: &str) -> Ran {
    let catalog = common::catalog(&STREAMS.map(|stream| (stream, "incremental")));
    let program: Program = program().at(api, more).file("catalog.json", catalog).file("state.json", state);
    program.run("read --config config.json --catalog catalog.json --state state.json")
}

#[test]
fn only_what_is_wanted_is_read_although_the_server_ignores_the_filters() {
    let api = api();
    let settings = json!({"end_date": "2026-01-01T00:00:10Z", "tags": ["Billing"], "user_ids": ["u1"]});
    let ran = read(&api, settings, "[]");
    assert_eq!(ran.exit(), "exit 0", "{}", ran.text());
    for stream in STREAMS {
        let told = ran.told();
        let ids: Vec<&str> = told.records(stream).iter().map(|record| record["session_id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["wanted"], "{stream}");
    }
    insta::assert_snapshot!(api.asked_sorted(), @"
    sessions first=200 created_before=1767225610 tags=Billing tags=billing tags=BILLING user_ids=u1
    sessions/devin-wanted/messages first=200
    sessions/insights first=200 created_before=1767225610 tags=Billing tags=billing tags=BILLING user_ids=u1
    ");
}

#[test]
fn a_state_of_another_choice_is_not_continued_and_says_so() {
    let api = api();
    let settings = json!({"end_date": "2026-01-01T00:00:10Z", "tags": ["billing"], "user_ids": ["u1"]});
    let state = read(&api, settings.clone(), "[]").told().state_file();
    let again = |name: &str, value: Value| {
        let mut settings = settings.clone();
        settings[name] = value;
        let ran = read(&api, settings, &state);
        let told = ran.told();
        told.logs("WARN").into_iter().filter(|text| text.contains("stream sessions:")).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(again("tags", json!(["billing"])), "");
    assert_eq!(again("end_date", json!("2026-01-01T00:00:08Z")), "", "less is wanted than before");
    insta::assert_snapshot!(again("tags", json!(["billing", "x"])), @"stream sessions: the state was written for other tags or users, so the stream is read from the beginning");
    insta::assert_snapshot!(again("user_ids", json!(null)), @"stream sessions: the state was written for other tags or users, so the stream is read from the beginning");
    insta::assert_snapshot!(again("end_date", json!("2027-01-01T00:00:00Z")), @"stream sessions: the state was written with an earlier end date, so the stream is read from the beginning");
    insta::assert_snapshot!(again("end_date", json!(null)), @"stream sessions: the state was written with an end date, which has been removed, so the stream is read from the beginning");
}

#[test]
fn a_choice_that_is_none_is_a_wrong_setting_or_warned_about() {
    let api = api();
    let check = |more: &Value| program().at(&api, more.clone()).check().text().to_string();
    for (more, part) in [
        (json!({"tags": "billing"}), "tags must be a list of tags"),
        (json!({"tags": [" "]}), "tags must be a list of tags"),
        (json!({"user_ids": [7]}), "user_ids must be a list of user IDs"),
        (json!({"end_date": "2026-01-01"}), "end_date must be a date in the form"),
        (
            json!({"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-01-01T00:00:00Z"}),
            "end_date is not after start_date",
        ),
    ] {
        let said = check(&more);
        assert!(said.contains(part), "{more}: {said}");
    }
}

/// An API that refuses tags that it does not know, of which it has these.
fn validating(known: &'static [&'static str]) -> Api {
    let item = json!({"session_id": "a", "updated_at": T, "tags": known}).to_string();
    Api::start(move |ask| match ask.list.as_str() {
        "sessions" | "sessions/insights" => {
            let is_known = |tag: &str| known.contains(&tag);
            match ask.query.iter().any(|(name, tag)| name == "tags" && !is_known(tag)) {
                true => Answer::problem(422, "unknown tag"),
                false => Answer::list(&[&item]),
            }
        }
        list if list.ends_with("/messages") => Answer::list(&[]),
        _ => Answer::unknown(),
    })
}

#[test]
fn an_api_that_refuses_unknown_tags_is_asked_for_the_spellings_that_it_knows() {
    let api = validating(&["Team:Ops", "billing"]);
    let ran = read(&api, json!({"tags": ["team:ops", "Billing"]}), "[]");
    assert_eq!(ran.exit(), "exit 0", "{}", ran.text());
    assert_eq!(ran.told().records("sessions").len(), 1);
    let lists = api.asked().into_iter().filter(|asked| asked.starts_with("sessions first=200")).collect::<Vec<_>>();
    assert_eq!(lists.last().unwrap(), "sessions first=200 tags=billing tags=Team:Ops");
    assert!(ran.text().contains("so it is not asked for Billing, BILLING, team:ops"), "{}", ran.text());
}

#[test]
fn a_tag_that_is_refused_however_it_is_spelled_is_named() {
    let api = validating(&["billing"]);
    let ran = read(&api, json!({"tags": ["billing", "nonsense"]}), "[]");
    assert_eq!((ran.exit().as_str(), ran.told().records("sessions").len()), ("exit 1", 0));
    let said = ran.told().errors().join("\n");
    assert!(said.contains("The API refuses the tag \"nonsense\", in whatever letter case: check tags"), "{said}");
    // A request that is refused for another reason is told as it is.
    let api = Api::start(|ask| match (ask.list.as_str(), ask.parameter("created_before")) {
        ("sessions", Some(_)) => Answer::problem(422, "created_before is out of range"),
        ("sessions", None) => Answer::list(&[]),
        _ => Answer::unknown(),
    });
    let said = read(&api, json!({"tags": ["a"], "end_date": "2026-01-01T00:00:00Z"}), "[]").told().errors().join("\n");
    assert!(said.contains("created_before is out of range"), "{said}");
}
