//! Streams that take a list for each person or session: what one of them refuses, and what comes again.

mod common;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use common::{Answer, Api, Ask, Library};
use serde_json::{Value, json};
use source_devin_ai::source::emit::now_ms;
use source_devin_ai::source::read::Ending;

const DAY: i64 = 86_400;

fn today() -> i64 {
    now_ms() / 1000 / DAY * DAY
}

/// Two people, and another one whom the consumption does not know.
fn people(ask: &Ask) -> Answer {
    let days = json!({"consumption_by_date": [{"date": today() - DAY + 8 * 3_600, "acus": 1.5}]});
    match ask.list.as_str() {
        "/v3beta1/organizations/org-1/members/users" => {
            Answer::list(&[r#"{"user_id":"email|1"}"#, r#"{"user_id":"email|2"}"#, r#"{"user_id":"email|gone"}"#])
        }
        "consumption/daily/users/email%7C1" | "consumption/daily/users/email%7C2" => Answer::json(days.to_string()),
        _ => Answer::unknown(),
    }
}

#[tokio::test]
async fn a_person_whom_the_consumption_does_not_know_has_none() {
    let api = Api::start(people);
    let mut library = Library::at(&api);
    library.config.start_date = Some(today() - 3 * DAY);
    let (ending, told) = library.read(&["consumption_daily_users"], "[]").await;
    assert_eq!(ending, Ending::Complete, "{}", told.lines());
    let of = |record: &&Value| (record["user_id"].clone(), record["acus"].clone());
    let records: Vec<(Value, Value)> = told.records("consumption_daily_users").iter().map(of).collect();
    assert_eq!(records, [("email|1".into(), 1.5.into()), ("email|2".into(), 1.5.into())]);
    let ids: Vec<&str> =
        told.records("consumption_daily_users").iter().map(|record| record["id"].as_str().unwrap()).collect();
    assert!(ids[0].starts_with("org-1/20") && ids[0].ends_with("/email|1"), "{ids:?}");
    // It may be there later, and its earlier days lie behind the mark by then.
    insta::assert_snapshot!(told.logs("WARN").join("\n"), @r#"stream consumption_daily_users: 1 person is a member and has no list here (/v3/organizations/org-1/consumption/daily/users/email%7Cgone answered 404 (Not Found), saying "Refused: Not Found"), so there are no records of theirs. If it comes later, an incremental read gets its last days only: read the stream from the beginning then"#);
}

#[tokio::test]
async fn a_consumption_that_knows_nobody_is_not_offered() {
    let api = Api::start(|ask| if ask.list.starts_with("consumption") { Answer::unknown() } else { people(ask) });
    let (ending, told) = Library::at(&api).read(&["consumption_daily_users"], "[]").await;
    assert_eq!(ending, Ending::Failed);
    assert!(told.errors()[0].contains("This API does not offer the stream"), "{}", told.lines());
}

#[tokio::test]
async fn what_people_cannot_be_listed_without_is_named() {
    let api = Api::start(|_| Answer::problem(403, "missing permission"));
    let (ending, told) = Library::at(&api).read(&["consumption_daily_users"], "[]").await;
    assert_eq!(ending, Ending::Failed);
    let error = told.errors()[0];
    assert!(error.contains("/members/users answered 403") && error.contains("ViewOrgMembership"), "{error}");
}

/// A session with a file, whose address is signed anew each time.
fn files(session_updated_at: i64, name: &'static str) -> Api {
    let session = json!({"session_id": "a", "updated_at": session_updated_at, "created_at": 5, "status": "exit"});
    let asked = std::sync::atomic::AtomicU32::new(0);
    Api::start(move |ask| match ask.list.as_str() {
        "sessions" if ask.parameter("session_ids").is_none() => Answer::list(&[&session.to_string()]),
        "sessions/devin-a/attachments" => {
            let number = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let url = format!("https://files.example/1?signature={session_updated_at}{number}");
            Answer::json(json!([{"attachment_id": "f1", "name": name, "url": url}]).to_string())
        }
        _ => Answer::list(&[]),
    })
}

#[tokio::test]
async fn a_file_comes_again_when_something_but_its_address_has_changed() {
    let now = now_ms() / 1000 - 100;
    let read = async |api: &Api, state: &str| Library::at(api).read(&["session_attachments"], state).await.1;
    let first = read(&files(now, "a.log"), "[]").await;
    let expected = json!({"attachment_id": "f1", "session_id": "a", "session_updated_at": now, "org_id": "org-1"});
    let records = first.records("session_attachments");
    assert_eq!(records.len(), 1, "{}", first.lines());
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&records[0][field], value);
    }
    let changed = read(&files(now + 2, "b.log"), &first.state_file()).await;
    assert_eq!(changed.records("session_attachments").len(), 1);
    let touched = read(&files(now + 4, "b.log"), &changed.state_file()).await;
    assert_eq!(touched.records("session_attachments").len(), 0, "{}", touched.lines());
}

#[tokio::test]
async fn figures_that_change_for_a_week_are_right_after_a_chain_of_reads_that_fail() {
    for seed in 0..10 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let days = dice.i64(1..40);
        let first = today() - (days - 1) * DAY;
        // For each day its figure; `None` is a day without any.
        let figures: Vec<Option<u32>> = (0..days).map(|_| dice.bool().then(|| dice.u32(..9))).collect();
        let truth = Arc::new(Mutex::new((figures, dice.fork(), true)));
        let served = Arc::clone(&truth);
        let api = Api::start(move |ask| {
            let mut truth = served.lock().unwrap();
            if truth.2 && truth.1.u8(..9) == 0 {
                return Answer::problem(400, "not this time");
            }
            let bound = |name: &str| ask.parameter(name).unwrap().parse::<i64>().unwrap();
            let (after, before) = (bound("time_after"), bound("time_before"));
            // The days that begin in the window, each at eight in the morning.
            let told =
                truth.0.iter().zip(0..).filter_map(|(acus, number)| Some((acus.as_ref()?, first + number * DAY)));
            let told = told.map(|(acus, day)| json!({"date": day + 8 * 3_600, "acus": acus}));
            let in_window = |day: &Value| (after..before).contains(&day["date"].as_i64().unwrap());
            Answer::json(json!({"consumption_by_date": told.filter(in_window).collect::<Vec<_>>()}).to_string())
        });
        let mut library = Library::at(&api);
        library.config.start_date = Some(first);
        library.checkpoint_every = std::time::Duration::ZERO;
        let (mut state, mut arrived) = ("[]".to_string(), BTreeMap::new());
        for sync in 0..7 {
            {
                let mut truth = truth.lock().unwrap();
                truth.2 = sync < 6;
                let last = truth.0.len();
                let changed = last.saturating_sub(truth.1.clone().usize(1..=7));
                truth.0[changed] = Some(10 + sync);
            }
            let (ending, told) = library.read(&["consumption_daily"], &state).await;
            assert!(ending == Ending::Complete || sync < 6, "{}", told.lines());
            for record in told.records("consumption_daily") {
                arrived.insert(record["date"].as_i64().unwrap(), record["acus"].as_u64().unwrap() as u32);
            }
            if let Some(last) = told.states("consumption_daily").last() {
                state = common::state(&[("consumption_daily", (*last).clone())]);
            }
        }
        let now = now_ms() / 1000;
        let expected: BTreeMap<i64, u32> = truth
            .lock()
            .unwrap()
            .0
            .iter()
            .zip(0..)
            .filter_map(|(acus, number)| Some((first + number * DAY + 8 * 3_600, (*acus)?)))
            .filter(|(date, _)| *date < now)
            .collect();
        assert_eq!(arrived, expected, "seed {seed}");
    }
}

#[tokio::test]
async fn the_people_are_listed_again_until_nobody_can_be_missing() {
    let days = json!({"consumption_by_date": [{"date": today() - DAY + 8 * 3_600, "acus": 1.5}]});
    let page = |ids: &[&str], next: Option<&str>| {
        let items: Vec<Value> = ids.iter().map(|id| json!({"user_id": id})).collect();
        json!({"items": items, "has_next_page": next.is_some(), "end_cursor": next, "total": 2})
    };
    let api = Api::start(move |ask| match (ask.list.as_str(), ask.parameter("after"), ask.nth) {
        ("/v3beta1/organizations/org-1/members/users", None, _) => Answer::json(page(&["1"], Some("c")).to_string()),
        // Somebody has moved to the page that has come by.
        ("/v3beta1/organizations/org-1/members/users", _, 1) => Answer::json(page(&[], None).to_string()),
        ("/v3beta1/organizations/org-1/members/users", ..) => Answer::json(page(&["2"], None).to_string()),
        (list, ..) if list.starts_with("consumption/daily/users/") => Answer::json(days.to_string()),
        _ => Answer::unknown(),
    });
    let mut library = Library::at(&api);
    library.config.start_date = Some(today() - 3 * DAY);
    let (ending, told) = library.read(&["consumption_daily_users"], "[]").await;
    assert_eq!(ending, Ending::Complete, "{}", told.lines());
    assert_eq!(told.records("consumption_daily_users").len(), 2, "{}", told.lines());
}
