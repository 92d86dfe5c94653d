//! An answer that cannot be what the API means is asked for again and then an error: never data, never an end.

mod common;

use std::time::{Duration, Instant};

use common::{Answer, Api, Ask, Library, Told, program};
use serde_json::json;
use source_devin_ai::source::read::Ending;

const FIRST: &str = r#"{"secret_id":"first"}"#;
const LAST: &str = r#"{"secret_id":"last"}"#;

/// A sound first page, and `bad` instead of the second one as often as `is_bad` says.
fn after_a_sound_page(bad: &Answer, is_bad: fn(usize) -> bool) -> Api {
    let bad = bad.clone();
    Api::start(move |ask: &Ask| match ask.parameter("after") {
        None => Answer::page(&[FIRST], "one"),
        Some("one") if is_bad(ask.nth) => bad.clone(),
        // With the total, the list need not be asked for once more.
        Some("one") => Answer::json(format!(r#"{{"items":[{LAST}],"total":2}}"#)),
        Some(_) => Answer::unknown(),
    })
}

async fn read(api: &Api) -> (Ending, Told) {
    Library::at(api).read(&["secrets"], "[]").await
}

/// Answers with status 200 that are no page. Each holds a record that must not be emitted, where it can.
fn senseless() -> Vec<(&'static str, Answer)> {
    let json = |body: &str| Answer::json(body.replace("BAD", r#"{"secret_id":"bad"}"#));
    vec![
        ("a web page", Answer::html(200)),
        ("nothing", json("")),
        ("cut off", json(r#"{"items":[BAD"#)),
        ("something after it", json(r#"{"items":[BAD]} trailing"#)),
        ("a list", json("[BAD]")),
        ("null", json("null")),
        ("an error with status 200", json(r#"{"detail":"maintenance"}"#)),
        ("items that are null", json(r#"{"items":null}"#)),
        ("items that are an object", json(r#"{"items":BAD}"#)),
        ("an item that is a text", json(r#"{"items":[BAD,"text"]}"#)),
        ("an item that is null", json(r#"{"items":[BAD,null]}"#)),
        ("a next page without a cursor", json(r#"{"items":[BAD],"has_next_page":true}"#)),
        ("a next page with a null cursor", json(r#"{"items":[BAD],"has_next_page":true,"end_cursor":null}"#)),
        ("a next page with an empty cursor", json(r#"{"items":[BAD],"has_next_page":true,"end_cursor":""}"#)),
        ("a cursor that is a number", json(r#"{"items":[BAD],"has_next_page":true,"end_cursor":5}"#)),
        ("the cursor it was asked with", json(r#"{"items":[BAD],"has_next_page":true,"end_cursor":"one"}"#)),
        ("a cursor with half a character", json(r#"{"items":[BAD],"has_next_page":true,"end_cursor":"a\ud83d"}"#)),
        ("has_next_page as a text", json(r#"{"items":[BAD],"has_next_page":"false"}"#)),
        ("bytes that are no text", Answer::json("").bytes(b"{\"items\":[{\"secret_id\":\"\xff\"}]}")),
    ]
}

#[tokio::test]
async fn a_senseless_answer_is_asked_for_again_and_the_read_goes_on() {
    for (name, bad) in senseless() {
        let api = after_a_sound_page(&bad, |nth| nth == 1);
        let (ending, told) = read(&api).await;
        assert_eq!(ending, Ending::Complete, "{name}");
        assert_eq!(told.records("secrets"), [&json!({"secret_id": "first"}), &json!({"secret_id": "last"})], "{name}");
        assert_eq!(
            api.asked(),
            ["secrets first=200", "secrets first=200 after=one", "secrets first=200 after=one"],
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_senseless_answer_that_stays_is_an_error_and_none_of_it_is_used() {
    let mut errors = Vec::new();
    for (name, bad) in senseless() {
        let api = after_a_sound_page(&bad, |_| true);
        let (ending, told) = read(&api).await;
        assert_eq!(ending, Ending::Failed, "{name}");
        assert_eq!(told.records("secrets"), [&json!({"secret_id": "first"})], "{name}");
        assert_eq!(api.asked().len(), 1 + 3, "{name}: three tries");
        let story = told.lines();
        assert!(story.ends_with("INCOMPLETE secrets\n"), "{name}: {story}");
        assert!(!story.contains("COMPLETE secrets\nCOMPLETE") && !story.contains("\nCOMPLETE"), "{name}: {story}");
        let error = told.messages().find(|message| message["trace"]["type"] == "ERROR").unwrap();
        assert_eq!(error["trace"]["error"]["failure_type"], "transient_error", "{name}");
        errors.push(format!("{name}: {}", told.errors().join("; ")));
    }
    insta::with_settings!({filters => vec![(r"stream secrets: /v3/organizations/org-1/secrets answered 200 with an unusable body: ", ""), (r" \(tried 3 times\)\. Nothing of this answer was used\. Run again later; if it stays so, check that api_url is the Devin API\.", "")]}, {
        insta::assert_snapshot!(errors.join("\n"), @"
        a web page: it is not the JSON of a list (line 1, column 1)
        nothing: it is not the JSON of a list (line 1, column 0)
        cut off: it is not the JSON of a list (line 1, column 29)
        something after it: it is not the JSON of a list (line 1, column 33)
        a list: it is not the JSON of a list (line 1, column 1)
        null: it is not the JSON of a list (line 1, column 4)
        an error with status 200: it has no list of items
        items that are null: it has no list of items
        items that are an object: it is not the JSON of a list (line 1, column 9)
        an item that is a text: item 1 is not an object
        an item that is null: item 1 is not an object
        a next page without a cursor: it promises a next page without a cursor for it
        a next page with a null cursor: it promises a next page without a cursor for it
        a next page with an empty cursor: it promises a next page without a cursor for it
        a cursor that is a number: it is not the JSON of a list (line 1, column 66)
        the cursor it was asked with: its cursor was given before, so the list would never end
        a cursor with half a character: its cursor is damaged
        has_next_page as a text: it is not the JSON of a list (line 1, column 54)
        bytes that are no text: it is not UTF-8 text
        ");
    });
}

#[tokio::test]
async fn a_cursor_that_comes_round_again_is_an_error() {
    let api = Api::start(|ask| match ask.parameter("after") {
        None => Answer::page(&[r#"{"secret_id":"1"}"#], "a"),
        Some("a") => Answer::page(&[r#"{"secret_id":"2"}"#], "b"),
        Some("b") => Answer::page(&[r#"{"secret_id":"3"}"#], "a"),
        Some(_) => Answer::unknown(),
    });
    let (ending, told) = read(&api).await;
    assert_eq!((ending, told.records("secrets").len()), (Ending::Failed, 2));
}

#[tokio::test]
async fn a_server_that_ignores_the_cursor_is_an_error_and_not_an_endless_read() {
    let api = Api::start(|_| Answer::page(&[FIRST], "again"));
    let (ending, told) = read(&api).await;
    assert_eq!((ending, told.records("secrets").len()), (Ending::Failed, 1));
}

#[tokio::test]
async fn a_senseless_list_of_sessions_is_no_empty_organization() {
    let api = Api::start(|_| Answer::html(200));
    let (ending, told) = Library::at(&api).read(&["session_messages"], "[]").await;
    assert_eq!(ending, Ending::Failed);
    insta::assert_snapshot!(told.lines(), @"
    STARTED session_messages
    INFO stream session_messages: answered 200 with an unusable body: it is not the JSON of a list (line 1, column 1); trying again in N s
    INFO stream session_messages: answered 200 with an unusable body: it is not the JSON of a list (line 1, column 1); trying again in N s
    ERROR session_messages (transient_error) stream session_messages: /v3/organizations/org-1/sessions answered 200 with an unusable body: it is not the JSON of a list (line 1, column 1) (tried 3 times). Nothing of this answer was used. Run again later; if it stays so, check that api_url is the Devin API.
    INFO stream session_messages: 0 records, 1 kB, 3 requests, 2 retries
    INCOMPLETE session_messages
    ");
}

#[tokio::test]
async fn a_session_whose_messages_stay_senseless_is_an_error_and_not_skipped() {
    let api = Api::start(|ask| match ask.list.as_str() {
        "sessions" => {
            Answer::list(&[r#"{"session_id":"a","updated_at":9001}"#, r#"{"session_id":"b","updated_at":9002}"#])
        }
        "sessions/devin-a/messages" => Answer::json(r#"{"items":[{"event_id":"e1"}],"has_next_page":true}"#),
        _ => Answer::list(&[r#"{"event_id":"e2"}"#]),
    });
    let (ending, told) = Library::at(&api).read(&["session_messages"], "[]").await;
    assert_eq!(ending, Ending::Failed);
    let states = told.states("session_messages");
    assert!(states.iter().all(|state| state["unread_sessions"]["a"] == json!(0)), "nothing is claimed: {states:?}");
}

#[tokio::test]
async fn a_session_without_an_identifier_keeps_no_other_back_and_none_with_one_is_an_error() {
    for item in [
        r#"{"title":"x"}"#,
        r#"{"session_id":null}"#,
        r#"{"session_id":7}"#,
        r#"{"session_id":""}"#,
        r#"{"session_id":"devin-"}"#,
    ] {
        let api = Api::start(move |ask| match ask.list.as_str() {
            "sessions" => Answer::list(&[item, r#"{"session_id":"a","updated_at":5}"#]),
            _ => Answer::list(&[r#"{"event_id":"e","created_at":5}"#]),
        });
        let (ending, told) = Library::at(&api).read(&["session_messages"], "[]").await;
        assert_eq!((ending, told.records("session_messages").len()), (Ending::Complete, 1), "{item}");
        assert_eq!(
            told.logs("WARN"),
            ["stream session_messages: 1 listed session has no session_id, so its messages cannot be asked for"],
            "{item}"
        );
        let api = Api::start(move |ask| if ask.list == "sessions" { Answer::list(&[item]) } else { Answer::list(&[]) });
        let (ending, told) = Library::at(&api).read(&["session_messages"], "[]").await;
        assert_eq!(ending, Ending::Failed, "{item}");
        assert_eq!(
            told.errors(),
            [
                "stream session_messages: the list of sessions holds none with a session_id, so no messages can be asked for"
            ],
            "{item}"
        );
    }
}

#[test]
fn the_program_recovers_from_a_senseless_answer_and_says_so() {
    let api = after_a_sound_page(&Answer::html(200), |nth| nth == 1);
    let program = program().at(&api, json!({})).catalog(&["secrets"]);
    insta::assert_snapshot!(program.read().story(), @r#"
    STARTED secrets
    RUNNING secrets
    RECORD secrets {"secret_id":"first"}
    INFO stream secrets: answered 200 with an unusable body: it is not the JSON of a list (line 1, column 1); trying again in N s
    RECORD secrets {"secret_id":"last"}
    INFO stream secrets: 2 records, 1 kB, 3 requests, 1 retry
    STATE secrets {"scope":{"org_id":"org-1"},"version":2} after 2.0 records
    COMPLETE secrets
    exit 0
    "#);
}

#[test]
fn what_cannot_succeed_later_is_asked_once() {
    let mut told = String::new();
    for status in [300, 301, 307, 400, 401, 402, 403, 404, 405, 409, 410, 422, 451, 418] {
        let api = Api::start(move |_| Answer::problem(status, "no"));
        let ran = program().at(&api, json!({})).catalog(&["secrets"]).read();
        assert_eq!(api.asked(), ["secrets first=200"], "{status}");
        assert_eq!(ran.exit(), "exit 1", "{status}");
        let messages = ran.told();
        let error = messages.messages().find(|message| message["trace"]["type"] == "ERROR").unwrap();
        told += &format!("{status}: {}\n", error["trace"]["error"]["failure_type"].as_str().unwrap());
    }
    insta::assert_snapshot!(told, @"
    300: config_error
    301: config_error
    307: config_error
    400: system_error
    401: config_error
    402: system_error
    403: config_error
    404: config_error
    405: system_error
    409: system_error
    410: system_error
    422: system_error
    451: system_error
    418: system_error
    ");
}

#[tokio::test]
async fn an_explanation_with_half_a_character_is_told() {
    let refusal = Answer::status(400, "application/problem+json", r#"{"title":"Bad","detail":"cut off \ud83d"}"#);
    let (_, told) = read(&Api::start(move |_| refusal.clone())).await;
    assert!(told.errors()[0].contains("saying \"Bad: cut off \u{fffd}\""), "{:?}", told.errors());
}

#[tokio::test]
async fn what_can_succeed_later_is_asked_again_and_the_read_goes_on() {
    for status in [408, 429, 500, 502, 503, 504, 520, 599] {
        let api = after_a_sound_page(&Answer::html(status), |nth| nth < 3);
        let (ending, told) = read(&api).await;
        assert_eq!((ending, told.records("secrets").len(), api.asked().len()), (Ending::Complete, 2, 4), "{status}");
    }
}

#[tokio::test]
async fn another_success_than_200_is_asked_again_and_never_a_page() {
    for status in [201, 202, 204, 206, 299] {
        let odd = Answer::status(status, "application/json", r#"{"items":[{"secret_id":"bad"}]}"#);
        let api = after_a_sound_page(&odd, |nth| nth == 1);
        let (ending, told) = read(&api).await;
        assert_eq!((ending, told.records("secrets").len(), api.asked().len()), (Ending::Complete, 2, 3), "{status}");

        let api = after_a_sound_page(&odd, |_| true);
        let (ending, told) = read(&api).await;
        assert_eq!((ending, told.records("secrets").len(), api.asked().len()), (Ending::Failed, 1, 4), "{status}");
    }
}

#[test]
fn a_wait_that_the_server_asks_for_is_obeyed() {
    let api = after_a_sound_page(&Answer::problem(429, "slow down").header("retry-after", "2"), |nth| nth == 1);
    let program = program().at(&api, json!({})).catalog(&["secrets"]);
    let began = Instant::now();
    let ran = program.read();
    assert!(began.elapsed() >= Duration::from_secs(2), "our own wait would be about one second");
    insta::assert_snapshot!(ran.story(), @r#"
    STARTED secrets
    RUNNING secrets
    RECORD secrets {"secret_id":"first"}
    INFO stream secrets: answered 429 (Too Many Requests); trying again in N s
    RUNNING secrets because RATE_LIMITED
    RECORD secrets {"secret_id":"last"}
    INFO stream secrets: 2 records, 1 kB, 3 requests, 1 retry
    STATE secrets {"scope":{"org_id":"org-1"},"version":2} after 2.0 records
    COMPLETE secrets
    exit 0
    "#);
}

#[test]
fn a_wait_longer_than_five_minutes_ends_the_stream_at_once() {
    let in_an_hour = httpdate::fmt_http_date(std::time::SystemTime::now() + Duration::from_secs(3600));
    for (wait, told) in [
        ("301", " 301 s"),
        ("99999999999999999999", " for years (Retry-After)"),
        (in_an_hour.as_str(), " s (Retry-After)"),
    ] {
        for status in [429, 503] {
            let api = after_a_sound_page(&Answer::problem(status, "later").header("retry-after", wait), |_| true);
            let ran = program().at(&api, json!({})).catalog(&["secrets"]).read();
            assert_eq!((ran.exit().as_str(), api.asked().len()), ("exit 1", 2), "{wait}");
            let messages = ran.told();
            assert_eq!(messages.records("secrets").len(), 1);
            let error = messages.errors()[0];
            assert!(error.contains(&format!("answered {status} and asks to wait")) && error.contains(told), "{error}");
            let failure = messages.messages().find(|message| message["trace"]["type"] == "ERROR").unwrap();
            assert_eq!(failure["trace"]["error"]["failure_type"], "transient_error");
        }
    }
}

#[test]
fn a_redirect_is_not_followed_with_the_key() {
    let elsewhere = Api::open(|_| Answer::list(&[]));
    for status in [301, 302, 303, 307, 308] {
        let target = format!("{}/v3/organizations/org-1/secrets", elsewhere.url());
        let api = Api::start(move |_| Answer::status(status, "text/html", "").header("location", target.clone()));
        let program = program().at(&api, json!({})).catalog(&["secrets"]);
        let ran = program.read();
        assert_eq!((ran.exit().as_str(), api.asked().len()), ("exit 1", 1), "{status}");
        assert!(ran.told().errors()[0].contains(&format!("answered {status} ")), "{status}");
        program.check();
    }
    assert_eq!(elsewhere.asked(), [""; 0]);
}
