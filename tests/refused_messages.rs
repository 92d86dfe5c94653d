//! Sessions that do not give their messages keep no other session back, and are read when they can be.

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use common::{Answer, Api, Library, Told};
use serde_json::json;
use source_devin_ai::source::read::Ending;

const T: i64 = 1_700_000_000;

/// An organization of `count` sessions with one message each; `refusal` may answer in place of a session's messages.
fn sessions(count: i64, refusal: impl Fn(i64) -> Option<Answer> + Send + Sync + 'static) -> Api {
    listed_sessions(count, refusal, |_| true)
}

/// Likewise, of which the list has only some.
fn listed_sessions(
    count: i64,
    refusal: impl Fn(i64) -> Option<Answer> + Send + Sync + 'static,
    is_listed: impl Fn(i64) -> bool + Send + Sync + 'static,
) -> Api {
    Api::start(move |ask| {
        if ask.list == "sessions" {
            let sessions = (1..=count).filter(|n| is_listed(*n)).map(|n| {
                json!({"session_id": format!("s{n}"), "status": "exit", "updated_at": T + 10_000 * n}).to_string()
            });
            return Answer::list(&sessions.collect::<Vec<_>>().iter().map(String::as_str).collect::<Vec<_>>());
        }
        let session = ask.list.trim_start_matches("sessions/devin-s").trim_end_matches("/messages");
        refusal(session.parse().unwrap())
            .unwrap_or_else(|| Answer::list(&[&format!(r#"{{"event_id":"e{session}","created_at":{T}}}"#)]))
    })
}

async fn read(api: &Api, state: &str) -> (Ending, Told) {
    Library::at(api).read(&["session_messages"], state).await
}

fn events(told: &Told) -> BTreeSet<String> {
    told.records("session_messages").iter().map(|record| record["event_id"].as_str().unwrap().to_string()).collect()
}

#[tokio::test]
async fn one_session_that_refuses_its_messages_keeps_no_other_back() {
    for status in [400, 403, 410, 500] {
        let is_mended = Arc::new(AtomicBool::new(false));
        let mended = Arc::clone(&is_mended);
        let api =
            sessions(5, move |n| (n == 2 && !mended.load(Ordering::SeqCst)).then(|| Answer::problem(status, "no")));
        let (ending, told) = read(&api, "[]").await;
        assert_eq!(ending, Ending::Failed, "{status}");
        assert_eq!(told.records("session_messages").len(), 4, "{status}");
        assert_eq!(told.errors().len(), 1, "{status}: {:?}", told.errors());
        let error = &told.errors()[0];
        assert!(error.contains("devin-s2/messages") && error.contains("1 of 5 sessions"), "{error}");

        is_mended.store(true, Ordering::SeqCst);
        let (ending, again) = read(&api, &told.state_file()).await;
        assert_eq!(ending, Ending::Complete, "{status}");
        assert!(events(&again).contains("e2"), "{status}: {:?}", events(&again));
    }
}

#[tokio::test]
async fn the_oldest_sessions_out_of_reach_keep_no_other_back() {
    for concurrency in [1, 10] {
        let api = sessions(100, |n| (n <= 5).then(|| Answer::problem(410, "archived")));
        let mut library = Library::at(&api);
        library.config.concurrency = concurrency;
        let (ending, told) = library.read(&["session_messages"], "[]").await;
        assert_eq!((ending, told.records("session_messages").len()), (Ending::Failed, 95));
        assert!(told.errors()[0].contains("5 of 100 sessions"), "{:?}", told.errors());
    }
}

#[tokio::test]
async fn many_sessions_that_refuse_are_named_up_to_twenty() {
    let api = sessions(100, |n| (n % 2 == 0).then(|| Answer::problem(403, "no")));
    let (_, told) = read(&api, "[]").await;
    assert_eq!(told.records("session_messages").len(), 50);
    assert_eq!(told.logs("WARN").len(), 20);
    assert!(told.errors()[0].contains("50 of 100 sessions"), "{:?}", told.errors());
}

#[tokio::test]
async fn a_key_that_may_read_no_messages_is_found_out_soon() {
    let api = sessions(50, |_| Some(Answer::problem(403, "no")));
    let (ending, told) = read(&api, "[]").await;
    assert_eq!(ending, Ending::Failed);
    // Those that were under way, and as many again while the newest one was asked.
    assert!(api.asked().len() <= 1 + 3 + 2 * 10, "{:?}", api.asked());
    assert!(told.errors()[0].contains("lacks the permission ViewOrgSessions"), "{:?}", told.errors());
}

#[tokio::test]
async fn an_api_that_fails_from_some_session_on_is_not_asked_for_all_the_others() {
    let api = sessions(500, |n| (n > 30).then(|| Answer::problem(500, "no")));
    let mut library = Library::at(&api);
    library.policy.tries = 1;
    let (ending, told) = library.read(&["session_messages"], "[]").await;
    assert_eq!((ending, told.records("session_messages").len()), (Ending::Failed, 30));
    assert!(api.asked().len() < 100, "{}", api.asked().len());
    assert!(told.errors()[0].contains("have not been tried."), "{:?}", told.errors());
}

#[tokio::test]
async fn a_key_that_is_revoked_ends_the_stream_at_once() {
    let api = sessions(100, |n| (n == 2).then(|| Answer::problem(401, "revoked")));
    let mut library = Library::at(&api);
    library.config.concurrency = 1;
    let (ending, told) = library.read(&["session_messages"], "[]").await;
    assert_eq!((ending, told.records("session_messages").len()), (Ending::Failed, 1));
    assert!(told.errors()[0].contains("1 of 100 sessions"), "{:?}", told.errors());
    assert!(told.errors()[0].contains("98 have not been tried."), "{:?}", told.errors());
}

#[tokio::test]
async fn a_rate_limit_for_everybody_ends_the_stream_soon_and_one_for_a_single_session_does_not() {
    let limits = [Answer::problem(429, "slow down"), Answer::problem(503, "later").header("retry-after", "9999")];
    for limit in limits {
        for (is_limited, read) in [(|n| n >= 2, 1), (|n| n == 2, 99), (|n| n == 1, 99)] as [(fn(i64) -> bool, usize); 3]
        {
            let limit = limit.clone();
            let api = sessions(100, move |n| is_limited(n).then(|| limit.clone()));
            let mut library = Library::at(&api);
            library.config.concurrency = 1;
            let (ending, told) = library.read(&["session_messages"], "[]").await;
            assert_eq!((ending, told.records("session_messages").len()), (Ending::Failed, read));
            assert!(api.asked().len() <= if read == 1 { 1 + 1 + 3 * 3 } else { 1 + 99 + 3 }, "{:?}", api.asked());
        }
    }
}

/// The second and later sessions answer by `others` while the first one has many pages.
async fn beside_a_long_session(others: fn(i64) -> Option<Answer>) -> (Ending, usize) {
    let api = Api::start(move |ask| match ask.list.as_str() {
        "sessions" => {
            let sessions = (1..=30).map(|n| format!(r#"{{"session_id":"s{n}","updated_at":{}}}"#, T + n));
            Answer::list(&sessions.collect::<Vec<_>>().iter().map(String::as_str).collect::<Vec<_>>())
        }
        "sessions/devin-s1/messages" => {
            let n: usize = ask.parameter("after").map_or(0, |after| after.parse().unwrap());
            let item = format!(r#"{{"event_id":"long{n}","created_at":{T}}}"#);
            if n < 40 { Answer::page(&[&item], &(n + 1).to_string()) } else { Answer::list(&[&item]) }
        }
        other => {
            let n = other.trim_start_matches("sessions/devin-s").trim_end_matches("/messages").parse().unwrap();
            others(n).unwrap_or_else(|| Answer::list(&[&format!(r#"{{"event_id":"e{n}","created_at":{T}}}"#)]))
        }
    });
    let mut library = Library::at(&api);
    library.config.concurrency = 2;
    library.policy.tries = 1;
    let (ending, told) = library.read(&["session_messages"], "[]").await;
    (ending, told.records("session_messages").len())
}

#[tokio::test]
async fn a_long_session_that_is_being_read_counts_as_an_answer() {
    let refusing = beside_a_long_session(|n| (n < 25).then(|| Answer::problem(500, "no"))).await;
    assert_eq!(refusing, (Ending::Failed, 41 + 6));
    let gone = beside_a_long_session(|n| (n < 25).then(Answer::unknown)).await;
    assert_eq!(gone, (Ending::Complete, 41 + 6));
}

#[tokio::test]
async fn a_later_page_that_is_missing_is_no_deleted_session() {
    let api = Api::start(|ask| match (ask.list.as_str(), ask.parameter("after")) {
        ("sessions", _) => Answer::list(&[r#"{"session_id":"a","updated_at":1700000000}"#]),
        (_, None) => Answer::page(&[r#"{"event_id":"1","created_at":1}"#], "x"),
        _ => Answer::unknown(),
    });
    let (ending, told) = read(&api, "[]").await;
    assert_eq!((ending, told.records("session_messages").len()), (Ending::Failed, 1));
    assert!(told.errors()[0].contains("1 of 1 sessions"), "{:?}", told.errors());
}

/// An open session gets a message that does not move its `updated_at`, after an unfinished pass has read it and before
/// the pass is finished, long after it began: the pass may claim nothing past its beginning.
#[tokio::test]
async fn a_message_that_came_while_a_pass_was_interrupted_is_not_lost() {
    let now = Arc::new(AtomicI64::new(T + 10_000));
    let clock = Arc::clone(&now);
    let api = Api::start(move |ask| {
        let now = clock.load(Ordering::SeqCst);
        let is_later = now > T + 10_000;
        let messages: &[(&str, i64)] = match ask.list.as_str() {
            "sessions" => {
                let ids = ask.parameters("session_ids");
                let after = ask.parameter("updated_after").map_or(0, |after| after.parse().unwrap());
                let items = [("open", "running", T), ("refused", "exit", T + 5_000), ("new", "exit", T + 90_000)]
                    .into_iter()
                    .filter(|(id, ..)| ids.is_empty() || ids.contains(id))
                    .filter(|(.., updated_at)| (after..=now).contains(updated_at))
                    .map(|(id, status, at)| json!({"session_id": id, "status": status, "updated_at": at}).to_string());
                let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(now as u64));
                return Answer::list(&items.collect::<Vec<_>>().iter().map(String::as_str).collect::<Vec<_>>())
                    .header("date", date);
            }
            "sessions/devin-open/messages" if is_later => &[("early", T - 10), ("late", T + 40_000)],
            "sessions/devin-open/messages" => &[("early", T - 10)],
            "sessions/devin-refused/messages" if is_later => &[("refused", T + 4_000)],
            "sessions/devin-new/messages" => &[("new", T + 90_000)],
            _ => return Answer::problem(403, "no"),
        };
        let items = messages.iter().map(|(id, at)| json!({"event_id": id, "created_at": at}).to_string());
        Answer::list(&items.collect::<Vec<_>>().iter().map(String::as_str).collect::<Vec<_>>())
    });
    let mut library = Library::at(&api);
    library.config.concurrency = 1;
    let (mut state, mut seen) = ("[]".to_string(), BTreeSet::new());
    for (at, ending) in [(10_000, Ending::Failed), (100_000, Ending::Complete), (200_000, Ending::Complete)] {
        now.store(T + at, Ordering::SeqCst);
        let (ended, told) = library.read(&["session_messages"], &state).await;
        assert_eq!(ended, ending, "{}", told.lines());
        state = told.state_file();
        seen.extend(events(&told));
    }
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), ["early", "late", "new", "refused"]);
}

/// A session that refuses for ever fails every read, and holds up none: it is remembered by name until it gives its
/// messages, all of them.
#[tokio::test]
async fn a_session_that_refuses_is_left_behind_and_read_when_it_can_be() {
    let is_mended = Arc::new(AtomicBool::new(false));
    let mended = Arc::clone(&is_mended);
    let api = sessions(5, move |n| (n == 2 && !mended.load(Ordering::SeqCst)).then(|| Answer::problem(403, "no")));
    let (ending, first) = read(&api, "[]").await;
    assert_eq!((ending, events(&first).len()), (Ending::Failed, 4));
    insta::assert_snapshot!(first.states("session_messages").last().unwrap(), @r#"{"created_at":1700000000,"recent":{"s1/e1":[1700000000,"36f779a8fac9e189"],"s3/e3":[1700000000,"d840285a20d09894"],"s4/e4":[1700000000,"0eabf1d373fb035b"],"s5/e5":[1700000000,"bc86786edc1c9855"]},"scope":{"org_id":"org-1"},"sessions_updated_at":1700050000,"unread_sessions":{"s2":0},"version":2}"#);

    api.forget();
    let (ending, second) = read(&api, &first.state_file()).await;
    assert_eq!((ending, second.errors().len()), (Ending::Failed, 1));
    assert!(second.errors()[0].contains("devin-s2/messages"), "{:?}", second.errors());
    let asked: Vec<String> = api.asked().into_iter().filter(|ask| ask.starts_with("sessions/devin-s2")).collect();
    assert_eq!(asked.len(), 1, "{:?}", api.asked());
    assert!(api.asked().len() < 7, "not everything again: {:?}", api.asked());

    is_mended.store(true, Ordering::SeqCst);
    let (ending, third) = read(&api, &first.state_file()).await;
    assert_eq!((ending, events(&third).contains("e2")), (Ending::Complete, true));
    let state = third.states("session_messages").last().unwrap().to_string();
    assert!(!state.contains("unread_sessions"), "{state}");
}

#[tokio::test]
async fn a_session_left_behind_that_is_deleted_meanwhile_is_forgotten() {
    let is_deleted = Arc::new(AtomicBool::new(false));
    let is_listed = Arc::new(AtomicBool::new(true));
    let (deleted, listed) = (Arc::clone(&is_deleted), Arc::clone(&is_listed));
    let refusal = move |n| {
        let answer = if deleted.load(Ordering::SeqCst) { Answer::unknown() } else { Answer::problem(403, "no") };
        (n == 2).then_some(answer)
    };
    let api = listed_sessions(5, refusal, move |n| n != 2 || listed.load(Ordering::SeqCst));
    let (_, first) = read(&api, "[]").await;
    is_deleted.store(true, Ordering::SeqCst);
    let (ending, second) = read(&api, &first.state_file()).await;
    assert_eq!(ending, Ending::Complete);
    assert!(second.states("session_messages").last().unwrap().to_string().contains("unread_sessions"), "it is listed");
    is_listed.store(false, Ordering::SeqCst);
    let (ending, second) = read(&api, &second.state_file()).await;
    assert_eq!(ending, Ending::Complete);
    assert!(!second.states("session_messages").last().unwrap().to_string().contains("unread_sessions"));
}

#[tokio::test]
async fn many_sessions_that_fail_in_a_row_are_passed_by_the_next_reads() {
    let api = sessions(100, |n| (11..=40).contains(&n).then(|| Answer::problem(500, "no")));
    let mut library = Library::at(&api);
    library.config.concurrency = 1;
    library.policy.tries = 1;
    let (mut state, mut seen, mut counts) = ("[]".to_string(), BTreeSet::new(), Vec::new());
    for _ in 0..3 {
        let (ending, told) = library.read(&["session_messages"], &state).await;
        assert_eq!(ending, Ending::Failed);
        seen.extend(events(&told));
        counts.push(seen.len());
        if !told.states("session_messages").is_empty() {
            state = told.state_file();
        }
    }
    assert_eq!(counts, [10, 70, 70]);
}

#[tokio::test]
async fn a_session_left_behind_that_is_gone_fails_no_read_in_which_nothing_else_is_asked() {
    let api = Api::start(|ask| if ask.list == "sessions" { Answer::list(&[]) } else { Answer::unknown() });
    let state = common::state(&[("session_messages", json!({"created_at": T, "unread_sessions": {"devin-x": 0}}))]);
    let (ending, told) = read(&api, &state).await;
    assert_eq!((ending, told.logs("WARN").len()), (Ending::Complete, 1));
    assert!(!told.state_file().contains("unread_sessions"), "{}", told.state_file());
}

#[tokio::test]
async fn a_session_left_behind_keeps_the_identifier_that_the_list_has_given_it() {
    let is_mended = Arc::new(AtomicBool::new(false));
    let mended = Arc::clone(&is_mended);
    let api = Api::start(move |ask| match ask.list.as_str() {
        "sessions" if ask.parameter("updated_after").is_some() => Answer::list(&[]),
        "sessions" => Answer::list(&[
            r#"{"session_id":"devin-a","updated_at":1700000000}"#,
            r#"{"session_id":"devin-b","updated_at":1700009000}"#,
        ]),
        "sessions/devin-a/messages" if !mended.load(Ordering::SeqCst) => Answer::problem(403, "no"),
        _ => Answer::list(&[r#"{"event_id":"e","created_at":1700000000}"#]),
    });
    let (_, first) = read(&api, "[]").await;
    is_mended.store(true, Ordering::SeqCst);
    let (ending, second) = read(&api, &first.state_file()).await;
    assert_eq!(ending, Ending::Complete);
    assert_eq!(second.records("session_messages")[0]["session_id"], "devin-a");
    assert!(!second.state_file().contains("unread_sessions"), "{}", second.state_file());
}

#[tokio::test]
async fn no_session_left_behind_is_forgotten_unread_however_many_a_state_names() {
    let api = Api::start(|ask| match ask.list.as_str() {
        "sessions" => Answer::list(&[r#"{"session_id":"fine","updated_at":1700000000}"#]),
        "sessions/devin-fine/messages" => Answer::list(&[r#"{"event_id":"e","created_at":1700000000}"#]),
        _ => Answer::problem(403, "no"),
    });
    let unread: serde_json::Map<String, serde_json::Value> = (0..510).map(|n| (format!("u{n}"), json!(5))).collect();
    let state = common::state(&[("session_messages", json!({"created_at": T - 50, "unread_sessions": unread}))]);
    let (_, told) = read(&api, &state).await;
    let last = told.states("session_messages").last().unwrap()["unread_sessions"].as_object().unwrap().len();
    assert_eq!(last, 510);
}
