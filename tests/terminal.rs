//! What a person sees who runs a read at a terminal: progress, a summary, and how to go on after a stop.

mod common;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use common::devin::{Devin, Sessions};
use common::{Sandboxed, Seen, Terminal, program, state};
use serde_json::json;

/// What the terminal shows of a read whose records go elsewhere.
fn watched(sandbox: &str, arguments: &str, terminal: Terminal) -> Seen {
    let sandbox = Sandboxed::start(sandbox);
    let program = program().file("config.json", &sandbox.config);
    let arguments = format!("read --config config.json {arguments}");
    program.start_into(Stdio::null(), terminal.side(), &arguments).wait().unwrap();
    terminal.seen()
}

/// What stands there at the end, with times and counts of requests redacted.
fn summary(seen: &Seen) -> String {
    let (before, after) = seen.screen.trim_end().rsplit_once(" in ").expect("a summary says how long it took");
    let counts =
        after.split_whitespace().map(|word| if word.starts_with(|c: char| c.is_ascii_digit()) { "N" } else { word });
    format!("{before} in {}", counts.collect::<Vec<_>>().join(" "))
}

#[test]
fn a_read_of_messages_shows_a_bar_of_sessions_and_a_summary() {
    for form in ["airbyte", "records"] {
        let arguments = format!("--streams sessions,session_messages --format {form}");
        let seen = watched("--sessions 60 --messages 2 --latency 60ms", &arguments, Terminal::open());
        assert!(seen.sent.contains(">"), "a bar: {}", seen.sent);
        assert!(seen.sent.contains(" of 60 sessions"), "{}", seen.sent);
        insta::allow_duplicates! {
            insta::assert_snapshot!(summary(&seen), @"
              sessions                  60 records
              session_messages         120 records
            Read 180 records of 2 streams in N s, with N requests
            ");
        }
    }
}

#[test]
fn a_read_whose_records_share_the_terminal_ends_in_a_summary() {
    let (sandbox, terminal) =
        (Sandboxed::start("--sessions 3 --without-permission ManageOrgSecrets"), Terminal::open());
    let program = program().file("config.json", &sandbox.config);
    let arguments = "read --config config.json --streams sessions,secrets --format records";
    program.start_into(terminal.side(), terminal.side(), arguments).wait().unwrap();
    let seen = terminal.seen();
    assert!(seen.screen.contains("ManageOrgSecrets"), "{}", seen.screen);
    let screen = seen.screen.lines().filter(|line| !line.starts_with(['{', 'e'])).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(summary(&Seen { screen, ..seen }), @"
      sessions           3 records
      secrets            0 records  INCOMPLETE
    Read 3 records of 2 streams (1 incomplete) in N s, with N requests
    ");
}

#[test]
fn a_quiet_read_says_nothing_but_what_is_wrong() {
    let quiet = "--streams sessions --quiet";
    assert_eq!(watched("--sessions 3", quiet, Terminal::open()).sent, "");
    assert_eq!(watched("--sessions 3", &format!("{quiet} --format records"), Terminal::open()).sent, "");
    let text = watched("--sessions 3 --without-permission ViewOrgSessions", quiet, Terminal::open()).screen;
    let text = text.trim_end();
    assert!(text.starts_with("error: stream sessions: ") && text.lines().count() == 1, "{text}");
}

#[test]
fn nothing_is_drawn_over_a_pager() {
    let streams = "--streams sessions,session_messages";
    assert_eq!(watched("--sessions 60 --latency 30ms", streams, Terminal::with_a_pager()).sent, "");
}

#[test]
fn a_stop_says_what_is_saved_and_how_to_go_on() {
    let mut told = Vec::new();
    for arguments in [
        "--format records",
        "--format records --state-out state.json",
        "--format records --state-out state.json --state state.json",
        "--state-out state.json",
        "--state-out new.json",
        "",
    ] {
        let sandbox = Sandboxed::start("--latency 100ms --sessions 500");
        let saved = state(&[("playbooks", json!({"updated_at": 5}))]);
        let program = program().file("config.json", &sandbox.config).file("state.json", saved);
        let terminal = Terminal::open();
        let arguments = format!("read --config config.json --streams session_messages {arguments}");
        let (reader, writer) = std::io::pipe().unwrap();
        let mut child = program.start_into(writer, terminal.side(), &arguments);
        let mut lines = BufReader::new(reader).lines();
        assert!(lines.any(|line| line.unwrap().contains("event_id")), "a message comes");
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        lines.for_each(drop);
        child.wait().unwrap();
        let text = terminal.seen().screen.replace('\n', " ");
        let (_, rest) = text.split_once("stopped by").expect("the stop is told");
        told.push(rest.split_once("  session_messages").expect("the summary follows").0.trim().to_string());
        assert!(text.contains("INCOMPLETE"), "{text}");
    }
    insta::assert_snapshot!(told.join("\n"), @"
    Ctrl-C before the end: the records so far have been written. With --state-out FILE, a read can be continued
    Ctrl-C before the end: state.json says how far it got; run again with --state state.json to continue
    Ctrl-C before the end: state.json says how far it got; run the same command again to continue
    Ctrl-C before the end: state.json says how far it got; run again with --state state.json to continue
    Ctrl-C before the end: nothing has been saved yet, so the next read begins where this one did
    Ctrl-C before the end: the last STATE of each stream says how far it got; pass it to --state to continue
    ");
}

/// Whatever Devin says of a session, it does not speak to the terminal: neither while it is watched nor in the closing note.
#[test]
fn nothing_that_devin_says_reaches_a_terminal_uncleaned() {
    let odd = "boom\u{1b}]0;PWNED\u{7}\u{1b}[2J\u{9b}31m\u{202e}\r\nerror: x";
    for status in ["exit", "error", "suspended", "blocked", "running"] {
        for options in ["--output text", "--output json"] {
            let look = move |_: usize| {
                json!({"status": status, "status_detail": odd, "title": odd, "url": format!("https://x.example/{odd}"),
                    "pull_requests": [{"pr_url": format!("https://x.example/{odd}"), "pr_state": odd}]})
            };
            let devin = Devin::of(&Sessions::new().on_look(look).into());
            let program = program()
                .file("config.json", devin.config())
                .file("alert.json", json!({"title": odd, "status": "firing", "message": odd}).to_string());
            let run = format!(
                "alert-relay run --config config.json --alert alert.json --poll-interval 1s --max-poll-attempts 1 {options}"
            );
            let terminal = Terminal::open();
            program.start_into(terminal.side(), terminal.side(), &run).wait().unwrap();
            let sent = terminal.seen().sent;
            assert!(sent.contains("PWNED"), "{status} {options}: the detail is told: {sent}");
            let speaks = ["\u{1b}]", "\u{7}", "\u{1b}[2J", "\u{9b}", "\u{202e}", "\nerror: x"];
            assert!(!speaks.iter().any(|speech| sent.contains(speech)), "{status} {options}: {sent:?}");
        }
    }
}
