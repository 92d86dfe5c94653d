//! A limit on how often the API may be asked is kept to, not failed on; and one that only some requests meet holds up
//! nobody else for long.

mod common;

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use common::{Connection, Library, ORG, TOKEN, wire};
use source_devin_ai::config::Config;
use source_devin_ai::devin::retry::OUTRUN_TRIES;
use source_devin_ai::source::read::Ending;

/// No test waits longer than this for something that should happen at once.
const SOON: Duration = Duration::from_secs(10);

/// What an organization of `sessions` sessions with one message each answers to a request.
fn answer(target: &str, sessions: usize) -> String {
    let path = target.split('?').next().unwrap();
    let items: Vec<String> = if path.ends_with("/messages") {
        vec![r#"{"event_id":"e"}"#.to_string()]
    } else {
        (0..sessions).map(|n| format!(r#"{{"session_id":"{n}","updated_at":{n}}}"#)).collect()
    };
    format!(r#"{{"items":[{}]}}"#, items.join(","))
}

fn limited(connection: &mut Connection) {
    connection.answer(429, r#"{"detail":"slow down"}"#);
}

#[tokio::test]
async fn a_list_that_is_always_limited_ends_while_the_others_go_on() {
    const SESSIONS: usize = 600;
    // How often the list has been asked for, and anything else.
    let asked = Arc::new((Mutex::new((0, 0)), Condvar::new()));
    let counts = Arc::clone(&asked);
    let url = wire(move |connection| {
        let (counts, changed) = &*counts;
        while let Some(target) = connection.next() {
            let mut asked = counts.lock().unwrap();
            if target.contains("/secrets") {
                asked.0 += 1;
                // The client asks for so much more only when others have succeeded meanwhile.
                let enough = asked.1 + 12;
                drop(changed.wait_timeout_while(asked, SOON, |(_, others)| *others < enough).unwrap());
                limited(connection);
            } else {
                asked.1 += 1;
                changed.notify_all();
                drop(asked);
                connection.answer(200, &answer(&target, SESSIONS));
            }
        }
    });
    let library = Library::with(Config::of_sandbox(TOKEN, ORG, &url));
    let (ending, told) = library.read(&["session_messages", "secrets"], "[]").await;
    assert_eq!((ending, told.records("session_messages").len()), (Ending::Failed, SESSIONS));
    assert_eq!(asked.0.lock().unwrap().0, OUTRUN_TRIES + library.policy.tries);
    assert_eq!(told.errors().len(), 1, "{:?}", told.errors());
    assert!(told.errors()[0].contains("/secrets answered 429 (Too Many Requests)"), "{:?}", told.errors());
    let story = told.lines();
    let end = |line: &str| story.lines().position(|told| told == line).unwrap_or_else(|| panic!("no {line}"));
    assert!(end("INCOMPLETE secrets") < end("COMPLETE session_messages"));
}

#[tokio::test]
async fn a_limit_that_lets_two_requests_through_at_a_time_is_kept_to() {
    const SESSIONS: usize = 60;
    // A fiftieth of what is usual: two requests a second, and a wait of one second.
    let window = Duration::from_millis(20);
    for concurrency in [10, 64] {
        let began = Instant::now();
        let granted = Mutex::new((0, 0));
        let url = wire(move |connection| {
            while let Some(target) = connection.next() {
                let now = began.elapsed().as_millis() / window.as_millis();
                let mut granted = granted.lock().unwrap();
                if granted.0 != now {
                    *granted = (now, 0);
                }
                granted.1 += 1;
                let is_granted = granted.1 <= 2;
                drop(granted);
                if is_granted { connection.answer(200, &answer(&target, SESSIONS)) } else { limited(connection) }
            }
        });
        let mut library = Library::with(Config::of_sandbox(TOKEN, ORG, &url));
        library.config.concurrency = concurrency;
        library.policy.tries = 5;
        library.policy.first_wait = window;
        let (ending, told) = library.read(&["session_messages"], "[]").await;
        let records = told.records("session_messages").len();
        assert_eq!((ending, records), (Ending::Complete, SESSIONS), "{concurrency}: {:?}", told.errors());
    }
}
