//! How much is asked at once: as much as allowed, never more, and nothing while nobody takes what is there.

mod common;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use common::{Answer, Api, ORG, Ran, TOKEN, program};
use serde_json::json;

/// No test waits longer than this for something that should happen at once.
const SOON: Duration = Duration::from_secs(10);

/// How many requests are under way, and the most there were.
#[derive(Default)]
struct UnderWay {
    counts: Mutex<(usize, usize)>,
    changed: Condvar,
}

impl UnderWay {
    /// Comes in, and stays until `company` have been in at once.
    fn pass_with(&self, company: usize) {
        let mut counts = self.counts.lock().unwrap();
        counts.0 += 1;
        counts.1 = counts.1.max(counts.0);
        self.changed.notify_all();
        drop(self.changed.wait_timeout_while(counts, SOON, |(_, most)| *most < company).unwrap());
        self.counts.lock().unwrap().0 -= 1;
    }

    fn most(&self) -> usize {
        self.counts.lock().unwrap().1
    }
}

/// Serves twelve sessions without messages; each request for messages passes only in company.
fn serve(listener: TcpListener, under_way: &Arc<UnderWay>, company: usize) {
    for stream in listener.incoming() {
        let under_way = Arc::clone(under_way);
        std::thread::spawn(move || answer(stream.unwrap(), &under_way, company));
    }
}

fn answer(mut stream: TcpStream, under_way: &UnderWay, company: usize) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    while let Some(Ok(first)) = lines.next() {
        while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
        let body = if first.contains("/messages") {
            under_way.pass_with(company);
            r#"{"items":[]}"#.to_string()
        } else {
            let items: Vec<String> =
                (0..12).map(|n| format!(r#"{{"session_id":"{n:032x}","updated_at":{n}}}"#)).collect();
            format!(r#"{{"items":[{}]}}"#, items.join(","))
        };
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        if stream.write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}

#[test]
fn as_many_requests_as_allowed_run_at_once_and_never_more() {
    for concurrency in [1, 4] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let under_way = Arc::new(UnderWay::default());
        let counts = Arc::clone(&under_way);
        std::thread::spawn(move || serve(listener, &counts, concurrency));
        let config = json!({"api_token": TOKEN, "org_id": ORG, "api_url": url, "concurrency": concurrency});
        let ran = program().file("config.json", config.to_string()).catalog(&["session_messages"]).read();
        assert_eq!((ran.exit().as_str(), under_way.most()), ("exit 0", concurrency), "{}", ran.story());
    }
}

#[test]
fn a_reader_that_stands_still_stops_the_asking() {
    // Forty megabytes in two hundred pages: far more than may wait.
    let asked = Arc::new((Mutex::new(0), Condvar::new()));
    let counts = Arc::clone(&asked);
    let api = Api::start(move |ask| {
        *counts.0.lock().unwrap() += 1;
        counts.1.notify_all();
        let page: usize = ask.parameter("after").map_or(0, |cursor| cursor.parse().unwrap());
        let items: Vec<String> = (0..200)
            .map(|n| json!({"secret_id": format!("{page}-{n}"), "note": "x".repeat(1000)}).to_string())
            .collect();
        let items: Vec<&str> = items.iter().map(String::as_str).collect();
        if page < 200 { Answer::page(&items, &(page + 1).to_string()) } else { Answer::list(&items) }
    });
    let program = program().at(&api, json!({}));
    let mut child = program.start("read --config config.json --streams secrets --format records");
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 1000]).unwrap();
    let (count, changed) = &*asked;
    let too_many = |count: &mut usize| *count < 60;
    let (count, waited) = changed.wait_timeout_while(count.lock().unwrap(), Duration::from_secs(1), too_many).unwrap();
    assert!(waited.timed_out(), "{count} pages were asked for although nobody reads");
    drop(count);
    child.kill().unwrap();
    assert_eq!(Ran::wait(child, Vec::new()).exit(), "died of signal 9");
}
