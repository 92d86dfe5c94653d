//! A signal ends the program soon, in order, and the parent sees which one it was.

mod common;

use std::io::{BufRead as _, BufReader, Read as _};
use std::time::Duration;

use common::signals::signal;
use common::{Program, Ran, STREAMS, Sandboxed, Told, program};

/// SIGINT and SIGTERM.
const INT: i32 = 2;
const TERM: i32 = 15;

/// Starts `arguments`, sends the signal as soon as a line holds `moment`, and answers with the rest of its life, which may last
/// two seconds.
fn stop(program: &Program, arguments: &str, number: i32, moment: &str) -> Ran {
    let mut child = program.start(arguments);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut told = String::new();
    while !told.lines().last().unwrap_or_default().contains(moment) {
        assert!(stdout.read_line(&mut told).unwrap() > 0, "{moment} comes before the end");
    }
    signal(&child, number).rest(child, &mut stdout, told)
}

/// The statuses of a stream, in order.
fn statuses(told: &Told, stream: &str) -> Vec<String> {
    told.messages()
        .filter(|message| common::stream_of(message) == Some(stream))
        .filter_map(|message| message["trace"]["stream_status"]["status"].as_str().map(str::to_string))
        .collect()
}

#[test]
fn a_signal_ends_a_read_in_order_and_the_parent_sees_it() {
    let sandbox = Sandboxed::start("--latency 200ms --sessions 500");
    let program = program().file("config.json", &sandbox.config).catalog(&STREAMS);
    for number in [TERM, INT] {
        let arguments = "read --config config.json --catalog catalog.json";
        let ran = stop(&program, arguments, number, r#""type":"RECORD""#);
        assert_eq!((ran.exit().as_str(), ran.stderr.as_str()), (format!("died of signal {number}").as_str(), ""));
        let told = ran.told();
        let mut unfinished = 0;
        for stream in STREAMS {
            let statuses = statuses(&told, stream);
            assert_eq!(statuses[0], "STARTED", "{stream}");
            let last = statuses.last().unwrap();
            assert!(["COMPLETE", "INCOMPLETE"].contains(&last.as_str()), "{stream}: {statuses:?}");
            assert_eq!(statuses.iter().filter(|status| status.ends_with("COMPLETE")).count(), 1, "{stream}");
            unfinished += usize::from(last == "INCOMPLETE");
            // Nothing of a stream comes after its end, and what came before is counted.
            let mut uncounted = 0;
            let mut has_ended = false;
            for message in
                told.messages().filter(|message| message["type"] != "LOG" && common::stream_of(message) == Some(stream))
            {
                assert!(!has_ended, "{stream}: {message} after its end");
                match message["type"].as_str() {
                    Some("RECORD") => uncounted += 1,
                    Some("STATE") => {
                        assert_eq!(
                            message["state"]["sourceStats"]["recordCount"].as_f64(),
                            Some(f64::from(std::mem::take(&mut uncounted))),
                            "{stream}"
                        );
                    }
                    _ => {}
                }
                has_ended = message["trace"]["stream_status"]["status"]
                    .as_str()
                    .is_some_and(|status| status.ends_with("COMPLETE"));
            }
            assert_eq!(uncounted, 0, "{stream}: every record is counted by a state");
        }
        assert!(unfinished >= 1, "messages of 500 sessions take longer");
    }
}

#[test]
fn a_signal_before_the_first_answer_ends_every_stream_incomplete() {
    // A server that takes connections and never answers.
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", server.local_addr().unwrap());
    let config = serde_json::json!({"api_token": common::TOKEN, "org_id": common::ORG, "api_url": url});
    let program = program().file("config.json", config.to_string()).catalog(&["secrets"]);
    let child = program.start("read --config config.json --catalog catalog.json");
    let _connection = server.accept().unwrap();
    let ran = signal(&child, TERM).all(child);
    insta::assert_snapshot!(ran.story(), @"
    STARTED secrets
    WARN stopped by SIGTERM before the end: the last STATE of each stream says how far it got; pass it to --state to continue
    INFO stream secrets: 0 records, 0 kB, 1 request, 0 retries
    INCOMPLETE secrets
    died of signal 15
    ");
}

#[test]
fn a_signal_ends_a_wait_between_two_tries() {
    let sandbox = Sandboxed::start("--fault 500:1");
    let program = program().file("config.json", &sandbox.config).catalog(&["secrets"]);
    let ran = stop(&program, "read --config config.json --catalog catalog.json", TERM, "trying again");
    insta::assert_snapshot!(ran.story(), @"
    STARTED secrets
    INFO stream secrets: answered 500 (Internal Server Error); trying again in N s
    WARN stopped by SIGTERM before the end: the last STATE of each stream says how far it got; pass it to --state to continue
    INFO stream secrets: 0 records, 0 kB, 1 request, 1 retry
    INCOMPLETE secrets
    died of signal 15
    ");
}

/// What an interrupted read has said is where the next one goes on: together they have everything.
#[test]
fn a_read_that_is_stopped_and_started_again_loses_nothing() {
    let sandbox = Sandboxed::start("--latency 10ms --sessions 60 --messages 3");
    let config = sandbox.config.replacen('{', r#"{"concurrency":2,"#, 1);
    let program = program().file("config.json", config).catalog(&["session_messages"]);
    let key = |record: &serde_json::Value| format!("{} {}", record["session_id"], record["event_id"]);
    let ran = stop(&program, "read --config config.json --catalog catalog.json", TERM, r#""type":"RECORD""#);
    let first = ran.told();
    let program = program.file("state.json", first.state_file());
    let second = program.run("read --config config.json --catalog catalog.json --state state.json");
    assert_eq!(second.exit(), "exit 0");
    let second = second.told();
    let mut keys: Vec<String> =
        [&first, &second].iter().flat_map(|told| told.records("session_messages").into_iter().map(key)).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 180);
}

#[test]
fn a_sandbox_ends_by_the_signal_too() {
    let program = program();
    let mut child = program.start("sandbox");
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    let ran = signal(&child, INT).rest(child, &mut stdout, String::new());
    insta::assert_snapshot!(ran.end(), @"
    stderr: A simulated Devin organization, not a real one, is served at http://127.0.0.1:PORT until Ctrl-C. Its settings:
    died of signal 2
    ");
}

#[test]
fn a_signal_while_nobody_reads_ends_the_program_too() {
    let sandbox = Sandboxed::start("--sessions 12000 --messages 0");
    let program = program().file("config.json", &sandbox.config).catalog(&["sessions"]);
    let mut child = program.start("read --config config.json --catalog catalog.json");
    let mut stdout = child.stdout.take().unwrap();
    // Some of it is there; then nobody reads, and the program waits for room.
    let mut part = vec![0; 100_000];
    stdout.read_exact(&mut part).unwrap();
    let signaled = signal(&child, TERM);
    // A reader that comes back gets whole lines to the end.
    let ran = signaled.rest(child, &mut stdout, String::from_utf8(part).unwrap());
    assert_eq!(ran.exit(), "died of signal 15");
    let told = ran.told();
    assert_eq!(statuses(&told, "sessions").last().map(String::as_str), Some("INCOMPLETE"));
}

/// Nobody reads, so the messages that remain can never be written; the program must not wait for that.
#[test]
fn a_signal_ends_the_program_although_its_reader_has_stalled() {
    let sandbox = Sandboxed::start("--sessions 12000 --messages 0");
    let program = program().file("config.json", &sandbox.config);
    let mut child = program.start("read --config config.json --streams sessions");
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 1000]).unwrap();
    assert_eq!(signal(&child, TERM).end(child), "died of signal 15");
}

/// The reader of stderr has stalled, and all records are out: the notes that remain can never be written.
#[test]
fn a_signal_ends_the_program_although_nobody_reads_its_notes() {
    let sandbox = Sandboxed::start("--sessions 1500 --messages 1");
    let program = program().file("config.json", &sandbox.config);
    let mut child = program.start("read --config config.json --streams session_messages --format records --debug");
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || tell.send(stdout.lines().take(1500).count()));
    assert_eq!(told.recv_timeout(Duration::from_secs(20)), Ok(1500), "notes that nobody reads hold no record up");
    assert_eq!(signal(&child, TERM).end(child), "died of signal 15");
}

/// A signal that comes with the first line, before which the program must have begun to listen. (Under load only, hence
/// often.)
#[test]
fn a_signal_right_after_the_first_line_ends_the_program_in_order() {
    let sandbox = Sandboxed::start("--latency 60s");
    let program = program().file("config.json", &sandbox.config);
    let runs = (0..40).map(|_| {
        let mut child = program.start("read --config config.json --streams secrets");
        let mut stdout = child.stdout.take().unwrap();
        let mut told = vec![0; 1];
        stdout.read_exact(&mut told).unwrap();
        signal(&child, TERM).rest(child, &mut stdout, String::from_utf8(told).unwrap()).story()
    });
    for story in runs {
        assert!(story.contains("INCOMPLETE"), "{story}");
    }
}
