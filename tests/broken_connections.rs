//! A connection that breaks before an answer has begun costs neither a try nor a wait, once per request.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Connection, Library, ORG, TOKEN, Told, wire};
use source_devin_ai::config::Config;
use source_devin_ai::source::read::Ending;

/// How many sessions the organization has; each has one message.
const SESSIONS: usize = 40;

/// What an organization answers to a request.
fn answer(target: &str) -> String {
    let path = target.split('?').next().unwrap();
    let items: Vec<String> = match path.strip_suffix("/messages") {
        Some(session) => vec![format!(r#"{{"event_id":"e","session":"{session}"}}"#)],
        None => (0..SESSIONS).map(|n| format!(r#"{{"session_id":"{n}","updated_at":{n}}}"#)).collect(),
    };
    format!(r#"{{"items":[{}]}}"#, items.join(","))
}

/// Reads from a server with one try for each request: none may fail even once.
async fn read(stream: &str, url: &str, concurrency: usize) -> (Ending, Told) {
    let mut library = Library::with(Config::of_sandbox(TOKEN, ORG, url));
    library.policy.tries = 1;
    library.config.concurrency = concurrency;
    library.read(&[stream], "[]").await
}

/// Answers one request, and does with the connection what `then` says.
fn answers_once(then: fn(&mut Connection)) -> String {
    wire(move |connection| {
        if let Some(target) = connection.next() {
            connection.answer(200, &answer(&target));
            then(connection);
        }
    })
}

#[tokio::test]
async fn a_connection_that_is_closed_after_each_answer_costs_no_try() {
    let servers = [
        ("closed", answers_once(|_| {})),
        ("closed at the next request", answers_once(|connection| drop(connection.next()))),
        ("reset at the next request", answers_once(Connection::ignore)),
    ];
    for (name, url) in servers {
        for concurrency in [1, 10] {
            let (ending, told) = read("session_messages", &url, concurrency).await;
            let records = told.records("session_messages").len();
            assert_eq!((ending, records), (Ending::Complete, SESSIONS), "{name} {concurrency}: {:?}", told.errors());
            // Where it is closed at once, it depends on the machine whether a request is on its way already.
            let is_told = told.logs("INFO").iter().any(|log| log.contains("trying again in 0.0 s"));
            assert!(is_told || name == "closed", "{name} {concurrency}");
        }
    }
}

#[tokio::test]
async fn a_connection_that_breaks_twice_for_one_request_is_a_failed_try() {
    for is_reset in [false, true] {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let url = wire(move |connection| {
            count.fetch_add(1, Ordering::SeqCst);
            if is_reset { connection.ignore() } else { drop(connection.next()) }
        });
        let (ending, told) = read("secrets", &url, 10).await;
        assert_eq!((ending, asked.load(Ordering::SeqCst)), (Ending::Failed, 2), "{is_reset}");
        assert!(told.errors()[0].contains("(tried 2 times). Check the network"), "{:?}", told.errors());
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_a_failed_try() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let url = wire(move |connection| {
        count.fetch_add(1, Ordering::SeqCst);
        connection.next();
        connection.say("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"items\":[");
    });
    let (ending, _) = read("secrets", &url, 10).await;
    assert_eq!((ending, asked.load(Ordering::SeqCst)), (Ending::Failed, 1));
}
