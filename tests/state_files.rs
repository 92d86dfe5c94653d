//! The file of `--state-out`: it replaces no other file, and one read at a time writes it.

mod common;

use std::fs::File;
use std::io::Read as _;

use common::{Answer, Api, ORG, Organization, TOKEN, program, state};
use serde_json::json;

const T: i64 = 1_700_000_000;

fn api() -> Api {
    Api::of(&Organization::new(&[("sessions", json!([{"session_id": "a", "created_at": T, "updated_at": T}]))]))
}

#[test]
fn a_file_that_is_no_state_is_not_replaced() {
    let api = api();
    let settings = json!({"api_token": TOKEN, "org_id": ORG, "api_url": api.url()}).to_string();
    let catalog = common::catalog(&[("sessions", "incremental")]);
    for (name, text) in
        [("config.json", &*settings), ("catalog.json", &*catalog), ("notes.txt", "my notes"), ("list.json", "[1, 2]")]
    {
        let program = program().file("config.json", &settings).file("catalog.json", &catalog).file(name, text);
        let ran = program.run(&format!("read --config config.json --catalog catalog.json --state-out {name}"));
        assert_eq!(ran.exit(), "exit 2", "{name}");
        assert!(ran.stderr.contains(name) && ran.stderr.contains("would be replaced"), "{name}: {}", ran.stderr);
        assert_eq!(program.text(name), text, "{name}");
        assert_eq!(program.files().iter().filter(|file| file.contains(".lock")).count(), 0, "{name}");
    }
    assert!(api.asked().is_empty());
}

#[test]
fn an_empty_file_an_empty_list_and_an_older_state_are_replaced() {
    for text in ["", "[]", "{}", &state(&[("secrets", json!({"updated_at": 5}))])] {
        let api = api();
        let program = program().at(&api, json!({})).file("state.json", text);
        let ran = program.run("read --config config.json --streams sessions --state-out state.json");
        assert_eq!(ran.exit(), "exit 0", "{text}: {}", ran.stderr);
        assert!(program.text("state.json").contains("\"updated_at\": 1700000000"), "{text}");
    }
}

#[test]
fn a_device_is_written_to() {
    let api = api();
    let program = program().at(&api, json!({}));
    let ran = program.run("read --config config.json --streams sessions --state-out /dev/null");
    assert_eq!(ran.exit(), "exit 0", "{}", ran.stderr);
}

#[test]
fn a_second_read_with_the_same_state_file_says_so() {
    let api = api();
    let program = program().at(&api, json!({})).file("state.json", "[]");
    let lock = File::create(program.path("state.json.lock")).unwrap();
    lock.lock().unwrap();
    let arguments = "read --config config.json --streams sessions --state state.json --state-out state.json";
    let second = program.run(arguments);
    assert_eq!(second.exit(), "exit 1");
    assert!(second.told().errors()[0].contains("another read keeps its state in"), "{:?}", second.told().errors());
    assert_eq!(program.text("state.json"), "[]");
    drop(lock);
    // A lock file that somebody has left behind is nobody's.
    assert_eq!(program.run(arguments).exit(), "exit 0");
    assert_eq!(program.files(), ["config.json", "state.json"]);
}

/// A pipe that does not wait by itself, as some programs that share it leave it.
#[test]
fn a_full_pipe_that_answers_at_once_is_waited_for() {
    let items: Vec<String> =
        (0..2000).map(|n| json!({"secret_id": n.to_string(), "note": "x".repeat(200)}).to_string()).collect();
    let api = Api::start(move |_| Answer::list(&items.iter().map(String::as_str).collect::<Vec<_>>()));
    let program = program().at(&api, json!({}));
    let (mut reader, writer) = std::os::unix::net::UnixStream::pair().unwrap();
    writer.set_nonblocking(true).unwrap();
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        text
    });
    let ran = program
        .run_into(std::os::fd::OwnedFd::from(writer), "read --config config.json --streams secrets --format records");
    assert_eq!(ran.exit(), "exit 0", "{}", ran.stderr);
    assert_eq!(reading.join().unwrap().lines().count(), 2000);
}

#[test]
fn a_stream_is_begun_anew_on_request_and_the_others_go_on() {
    let session = json!({"session_id": "a", "created_at": T, "updated_at": T});
    let lists = [("sessions", json!([session])), ("playbooks", json!([{"playbook_id": "p", "updated_at": T}]))];
    let before = json!({"updated_at": T + 5000});
    let api = Api::of(&Organization::new(&lists));
    let program =
        program().at(&api, json!({})).file("state.json", state(&[("sessions", before.clone()), ("playbooks", before)]));
    let arguments = "read --config config.json --streams sessions,playbooks --state state.json --state-out state.json";
    let told = program.run(&format!("{arguments} --full-refresh sessions")).told();
    assert_eq!((told.records("sessions").len(), told.records("playbooks").len()), (1, 0));
    assert_eq!(program.run(&format!("{arguments} --full-refresh session")).exit(), "exit 2");
}

#[test]
fn a_stream_that_is_to_begin_anew_and_is_not_read_is_said_and_keeps_its_state() {
    let lists = [("sessions", json!([])), ("playbooks", json!([{"playbook_id": "p", "updated_at": T}]))];
    let before = json!({"updated_at": T - 5000});
    let api = Api::of(&Organization::new(&lists));
    let program =
        program().at(&api, json!({})).file("state.json", state(&[("sessions", before.clone()), ("playbooks", before)]));
    let arguments = "read --config config.json --streams playbooks --state state.json --state-out state.json";
    let ran = program.run(&format!("{arguments} --full-refresh sessions"));
    let warning = "--full-refresh names sessions, which is not among the streams to read";
    assert!(ran.text().contains(warning) && ran.exit() == "exit 0", "{}\n{}", ran.text(), ran.stderr);
    assert!(program.text("state.json").contains("\"sessions\""), "{}", program.text("state.json"));
    let all = program.run(&format!("{arguments} --full-refresh all"));
    assert!(!all.text().contains("--full-refresh names"), "{}", all.text());
}
