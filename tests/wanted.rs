//! What the program should do and does not yet. Each of these moves to the file that promises it once it passes.

mod common;

use std::io::Read as _;
use std::process::Command;
use std::time::{Duration, Instant};

use common::{Answer, Api, ORG, Ran, Sandboxed, program};
use serde_json::json;

/// For ending.rs. Nobody reads, so the messages that remain can never be written; the program must not wait for that.
#[test]
fn a_signal_ends_the_program_although_its_reader_has_stalled() {
    let sandbox = Sandboxed::start("--sessions 12000 --messages 0");
    let program = program().file("config.json", &sandbox.config);
    let mut child = program.start("read --config config.json --streams sessions");
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 1000]).unwrap();
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let sent = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if sent.elapsed() > Duration::from_secs(4) {
            child.kill().unwrap();
            panic!("it still lives");
        }
        std::thread::yield_now();
    }
    assert_eq!(Ran::wait(child, Vec::new()).exit(), "died of signal 15");
}

/// For connection_check.rs. The advice is "set api_url to the API's own address": the user's to mend, so FAILED.
#[test]
fn an_address_that_redirects_fails_the_check() {
    let api = Api::start(|_| Answer::status(301, "text/html", "").header("location", "https://example.com/"));
    let ran = program().at(&api, json!({})).check();
    assert_eq!(ran.exit(), "exit 0", "{}", ran.story());
    assert!(ran.story().starts_with("FAILED: "), "{}", ran.story());
}

/// For secrets.rs. A key that holds something that looks like an escape: only its decoded reading is searched.
#[test]
fn a_part_of_a_key_that_looks_like_an_escape_stays_hidden() {
    let api = Api::open(|_| Answer::problem(401, "bad key cog_k3y%41k3y%42k3y%43k3y"));
    let config = json!({"api_token": "cog_k3y%41k3y%42k3y%43k3y%44", "org_id": ORG, "api_url": api.url()});
    let ran = program().file("config.json", config.to_string()).check();
    assert!(!ran.text().contains("k3y%42"), "{}", ran.story());
}

/// For reading.rs. The list of sessions has been read, so the organisation is not unknown.
#[test]
fn sessions_that_all_disappear_are_not_blamed_on_the_organisation() {
    let api = Api::start(|ask| match ask.list.as_str() {
        "sessions" => Answer::list(&[r#"{"session_id":"a"}"#]),
        _ => Answer::unknown(),
    });
    let story = program().at(&api, json!({})).catalog(&["session_messages"]).read().story();
    assert!(!story.contains("organisation is unknown"), "{story}");
}

/// For connection_check.rs. After "come back in fifteen minutes" every further question is pointless.
#[test]
fn a_check_that_is_told_to_wait_long_asks_nothing_more() {
    let api = Api::start(|_| Answer::problem(429, "slow down").header("retry-after", "900"));
    assert_eq!(program().at(&api, json!({})).check().exit(), "exit 1");
    assert_eq!(api.asked(), ["/v3/self"]);
}

/// For ending.rs. STARTED is out before anybody listens for signals: one that comes in between ends the program without
/// its last words. (Under load only, hence often.)
#[test]
fn a_signal_right_after_the_first_line_ends_the_program_in_order() {
    let sandbox = Sandboxed::start("--latency 60s");
    let program = program().file("config.json", &sandbox.config);
    let runs = (0..40).map(|_| {
        let mut child = program.start("read --config config.json --streams secrets");
        let mut stdout = child.stdout.take().unwrap();
        let mut told = vec![0; 1];
        stdout.read_exact(&mut told).unwrap();
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        stdout.read_to_end(&mut told).unwrap();
        Ran::wait(child, told).story()
    });
    for story in runs {
        assert!(story.contains("INCOMPLETE"), "{story}");
    }
}
