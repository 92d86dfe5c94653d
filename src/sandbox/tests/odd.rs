//! What is odd about the organization when it is asked to be.

use std::time::{Duration, SystemTime};

use serde_json::json;

use super::{MOST_REQUESTS, create, get, items, start, texts};
use crate::sandbox::{CreateAnswer, Oddities, Options, Sandbox, TagRule};

const HOUR: Duration = Duration::from_secs(3600);

async fn odd(oddities: Oddities) -> Sandbox {
    start(Options { sessions: 2, session_seconds: f64::INFINITY, oddities, ..Options::default() }).await
}

/// How many sessions lists show that were created.
async fn listed(sandbox: &Sandbox) -> usize {
    items(sandbox, "{org}/sessions?tags=mine").await.len()
}

async fn created(sandbox: &Sandbox) -> String {
    let reply = create(sandbox, &json!({"prompt": "Fix it", "tags": ["mine"]})).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    format!("{{org}}/sessions/{}", reply.json()["session_id"].as_str().unwrap())
}

#[tokio::test]
async fn a_session_comes_late_to_lists_or_to_whoever_asks_for_it() {
    let sandbox = odd(Oddities { list_lag: HOUR, ..Oddities::default() }).await;
    let session = created(&sandbox).await;
    assert_eq!((listed(&sandbox).await, get(&sandbox, &session).await.status), (0, 200));
    let sandbox = odd(Oddities { get_lag: HOUR, ..Oddities::default() }).await;
    let session = created(&sandbox).await;
    assert_eq!((listed(&sandbox).await, get(&sandbox, &session).await.status), (1, 404));
    // It comes: here an hour is over soon.
    let both = Oddities { list_lag: HOUR, get_lag: HOUR, clock_speed: 100_000.0, ..Oddities::default() };
    let sandbox = odd(both).await;
    let session = created(&sandbox).await;
    for request in 0.. {
        assert!(request < MOST_REQUESTS, "it never comes");
        if get(&sandbox, &session).await.status == 200 {
            break;
        }
    }
    assert_eq!(listed(&sandbox).await, 1);
}

#[tokio::test]
async fn the_first_lists_are_stale() {
    let sandbox = odd(Oddities { stale_lists: 2, ..Oddities::default() }).await;
    created(&sandbox).await;
    assert_eq!([listed(&sandbox).await, listed(&sandbox).await, listed(&sandbox).await], [0, 0, 1]);
    assert_eq!(items(&sandbox, "{org}/sessions").await.len(), 3);
}

#[tokio::test]
async fn tags_are_dropped_renamed_or_refused() {
    for (rule, kept) in [(TagRule::Keep, "mine"), (TagRule::Drop, ""), (TagRule::Capitals, "MINE")] {
        let sandbox = odd(Oddities { tags: rule, ..Oddities::default() }).await;
        let session = get(&sandbox, &created(&sandbox).await).await.json();
        let tags: Vec<&str> = session["tags"].as_array().unwrap().iter().filter_map(|tag| tag.as_str()).collect();
        assert_eq!(tags.join(" "), kept, "{rule:?}");
    }
    let sandbox = odd(Oddities { tags: TagRule::Refuse, ..Oddities::default() }).await;
    let refused = create(&sandbox, &json!({"prompt": "Fix it", "tags": ["mine"]})).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("allows no tags"), "{}", refused.body);
    // A scenario is picked all the same.
    let taken = create(&sandbox, &json!({"prompt": "Fix it", "tags": ["scenario:error"]})).await;
    assert_eq!(taken.status, 200);
}

#[tokio::test]
async fn the_clock_is_ahead_or_behind_by_hours_and_runs_faster() {
    for ahead in [-18_000, 0, 7_200] {
        let sandbox = odd(Oddities { clock_ahead: ahead, ..Oddities::default() }).await;
        let reply = get(&sandbox, &created(&sandbox).await).await;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64;
        let said = httpdate::parse_http_date(&title_case(reply.header("date").unwrap())).unwrap();
        let said = said.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64;
        assert!((said - now - ahead).abs() < 60, "{ahead}: {said}");
        let created_at = reply.json()["created_at"].as_i64().unwrap();
        assert!((created_at - now - ahead).abs() < 60, "{ahead}: {created_at}");
    }
    let still = odd(Oddities { clock_speed: 0.0, ..Oddities::default() }).await;
    let (first, second) = (created(&still).await, created(&still).await);
    let at = |session: serde_json::Value| session["created_at"].as_i64().unwrap();
    assert_eq!(at(get(&still, &first).await.json()), at(get(&still, &second).await.json()));
}

/// A head is read in small letters, and a date is not.
fn title_case(date: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    date.split(' ').map(capital).collect::<Vec<_>>().join(" ").replace("Gmt", "GMT")
}

#[tokio::test]
async fn creates_are_answered_with_any_status_after_any_time() {
    let answer = |status, milliseconds| CreateAnswer { status, delay: Duration::from_millis(milliseconds) };
    let answers = [answer(500, 0), answer(409, 0), answer(422, 0), answer(201, 30), answer(429, 0)];
    let sandbox = odd(Oddities { create_answers: answers.into(), ..Oddities::default() }).await;
    let mut told = Vec::new();
    for _ in 0..6 {
        let began = std::time::Instant::now();
        let reply = create(&sandbox, &json!({"prompt": "Fix it", "tags": ["mine"]})).await;
        let is_late = began.elapsed() >= Duration::from_millis(30);
        assert!(reply.status != 201 || is_late);
        told.push((reply.status, listed(&sandbox).await));
    }
    assert_eq!(told, [(500, 1), (409, 2), (422, 2), (201, 3), (429, 3), (200, 4)]);
}

#[tokio::test]
async fn a_session_is_archived_or_lost() {
    let sandbox = start(Options { session_seconds: 0.0, ..Options::default() }).await;
    let made = |scenario: &str| json!({"prompt": "Fix it", "tags": [format!("scenario:{scenario}"), "mine"]});
    create(&sandbox, &made("archived")).await;
    create(&sandbox, &made("gone")).await;
    let items = items(&sandbox, "{org}/sessions?tags=mine").await;
    assert_eq!(texts(&items, "status_detail"), ["working"]);
    assert_eq!(items[0]["is_archived"], true);
}
