//! The commands that look into a running bridge from the shell and act there: what each prints, and what it says when it cannot.

mod common;

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;

use common::bridge::{Bridge, by};
use common::devin::{Devin, Sessions, state};
use common::{Answer, Api, Program, Ran, Terminal, program};
use serde_json::{Value, json};

const READ: &str = "Xq9vT2kLmZ4wXq9vT2kLmZ4w";
const ADMIN: &str = "Hx8dk2PqLw9vTz4rNc6bYm1s";

const ACCESS: &str =
    "access: {read_token: {env: RELAY_TEST_READ}, admin_token: {name: ops, token: {env: RELAY_TEST_ADMIN}}}\n";

/// An organization whose sessions are like this from the `nth` poll on.
fn organization(nth: usize, status: &'static str, has_pr: bool) -> Devin {
    let look = move |look| if look < nth { state("running/working", false) } else { state(status, has_pr) };
    let sessions = Sessions::new().on_look(look);
    Devin::start(move |heard| sessions.answer(heard))
}

/// A bridge with tokens, in a directory that has them in files.
fn start(devin: &Devin) -> (Program, Bridge) {
    let program = by(&devin.settings(), "poll_interval: 1s, pr_grace: 0", ACCESS)
        .variable("RELAY_TEST_READ", READ)
        .variable("RELAY_TEST_ADMIN", ADMIN)
        .file("read.token", format!("{READ}\n"))
        .file("admin.token", format!("{ADMIN}\n"));
    let bridge = Bridge::start(&program, "--rules relay.yaml --store sqlite:relay.db");
    (program, bridge)
}

fn alert(key: &str) -> String {
    json!({"title": format!("{key} is full"), "severity": "high", "dedup_key": key}).to_string()
}

/// A command with the admin token, for a person.
fn ask(program: &Program, bridge: &Bridge, words: &str) -> Ran {
    program
        .run(&format!("alert-relay {words} --bridge http://{} --token-file admin.token --output text", bridge.address))
}

/// The same, for programs: the lines of stdout.
fn objects(program: &Program, bridge: &Bridge, words: &str) -> Vec<Value> {
    let ran = program.run(&format!("alert-relay {words} --bridge http://{} --token-file admin.token", bridge.address));
    assert!(ran.status.success(), "{}{}", ran.text(), ran.stderr);
    ran.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What was printed and how it ended, without what differs from run to run.
fn told(ran: &Ran, bridge: Option<&Bridge>) -> String {
    let mut text = format!("{}{}", ran.text(), ran.stderr);
    if let Some(bridge) = bridge {
        text = text.replace(&bridge.address, "HOST:PORT");
    }
    let words = text.split_inclusive([' ', '\n', ':', ',', ')', '(']).map(|word| {
        let bare = word.trim_end_matches([' ', '\n', ':', ',', ')', '(']);
        let end = &word[bare.len()..];
        let kind = ["job-", "ar-", "delivery-"].into_iter().find(|kind| bare.starts_with(*kind) && bare.len() > 15);
        match kind {
            Some(kind) => format!("{kind}…{end}"),
            None => word.to_string(),
        }
    });
    format!("{}\n{}", words.collect::<String>().trim_end(), ran.exit())
}

#[test]
fn alerts_are_listed_and_shown_with_their_pull_requests() {
    let (program, mut bridge) = start(&organization(1, "running/finished", true));
    let empty = ask(&program, &bridge, "ps");
    assert_eq!(told(&empty, None), "no alerts: --all lists older ones, too\nexit 0");
    bridge.post("generic", &alert("disk"));
    let ended = bridge.until("outcome");
    let session = ended["session_id"].as_str().unwrap();
    let list = objects(&program, &bridge, "ps");
    let tag = list[0]["tag"].as_str().unwrap();
    assert_eq!((list.len(), &list[0]["responder"]["status"]), (1, &json!("done")), "{list:?}");
    let table = ask(&program, &bridge, "ps").text().to_string();
    let lines: Vec<&str> = table.lines().collect();
    for word in ["ALERT", "STATE", "AGE", "RULE", "SESSION", "ACUS", "TITLE", "PULL REQUEST"] {
        assert!(lines[0].contains(word), "{table}");
    }
    for word in [tag, "done: pr_opened", "default", "disk is full", ended["pr_url"].as_str().unwrap()] {
        assert!(lines[1].contains(word), "{word}: {table}");
    }
    for (filter, count) in [
        ("--responder done", 1),
        ("--responder waiting", 0),
        ("--state firing --severity high --rule default --route generic --integration main --text DISK", 1),
        ("--result quota_exceeded", 0),
        ("--since 1h", 1),
        ("--since 2200-01-01", 0),
        ("--all --gate storm", 0),
        ("--all", 1),
    ] {
        assert_eq!(objects(&program, &bridge, &format!("ps {filter}")).len(), count, "{filter}");
    }
    for id in
        [tag, &tag[..12], &tag[3..12], "generic:disk", session, &format!("https://app.devin.ai/sessions/{session}")]
    {
        let shown = objects(&program, &bridge, &format!("show {id}"));
        assert_eq!(shown[0]["tag"], tag, "{id}");
        assert!(shown[0]["prompt"].as_str().unwrap().contains("disk is full"), "{shown:?}");
    }
    let shown = ask(&program, &bridge, &format!("show {}", list[0]["job"]["id"].as_str().unwrap())).text().to_string();
    for word in [
        "disk is full",
        "generic:disk",
        "Timeline",
        "delivery: firing, a job was made of it",
        "decision: start",
        "session created:",
        "Prompt as sent",
        "done: ",
    ] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    assert!(!shown.contains("exit code"), "nobody exits: {shown}");
    let unknown = ask(&program, &bridge, "ps --rule nobody");
    assert!(unknown.stderr.contains("the rules have no rule nobody: there are default"), "{}", unknown.stderr);
    let unknown = ask(&program, &bridge, "ps --gate nope");
    assert!(unknown.stderr.contains("kill_switch, paused, delay"), "{}", unknown.stderr);
}

#[test]
fn what_ended_for_want_of_quota_is_retried_and_a_key_is_suppressed() {
    let (program, mut bridge) = start(&organization(1, "suspended/out_of_credits", false));
    bridge.post("generic", &alert("disk"));
    bridge.until("outcome");
    let listed = objects(&program, &bridge, "ps");
    let tag = listed[0]["tag"].as_str().unwrap();
    let say =
        |words: &str| format!("$ {words}\n{}", told(&ask(&program, &bridge, words), Some(&bridge))).replace(tag, "TAG");
    let story = [format!("retry {tag}"), "retry nothing".to_string(), format!("suppress {tag} --lift")];
    let story = story.map(|words| say(&words));
    insta::assert_snapshot!(story.join("\n"), @"
    $ retry TAG
    ar-… (disk is full): job-… is a new attempt
    exit 0
    $ retry nothing
    error: the bridge has no alert with this tag, key, session or job: `alert-relay ps --all` lists what it has, and `alert-relay rules explain` says why no rule took one
    exit 1
    $ suppress TAG --lift
    error: the bridge answered 404: no alerts with this key are suppressed.
    exit 1
    ");
    let until = objects(&program, &bridge, &format!("suppress {tag} --for 2h"));
    assert_eq!((&until[0]["dedupe_key"], until[0]["until"].is_i64()), (&json!("generic:disk"), true), "{until:?}");
    assert!(
        say("suppress --key generic:other/a --for 1d").contains("\nsuppressed until 2"),
        "the alert need not be there"
    );
    assert!(say(&format!("suppress {tag} --lift")).contains("no longer suppressed: generic:disk"));
    for wrong in [format!("suppress {tag}"), format!("suppress {tag} --for 0s"), "suppress --for 2h".to_string()] {
        assert_eq!(ask(&program, &bridge, &wrong).status.code(), Some(2), "{wrong}");
    }
}

#[test]
fn a_session_is_ended_and_another_one_started() {
    let devin = organization(usize::MAX, "", false);
    let (program, mut bridge) = start(&devin);
    bridge.post("generic", &alert("disk"));
    bridge.until("session_created");
    let tag = loop {
        let on_it = objects(&program, &bridge, "ps --responder on_it");
        if let Some(tag) = on_it.first().and_then(|alert| alert["tag"].as_str()) {
            break tag.to_string();
        }
    };
    for words in ["start", "retry"] {
        let refused = ask(&program, &bridge, &format!("{words} {tag}"));
        assert_eq!(refused.status.code(), Some(1), "{}", refused.text());
        assert!(refused.stderr.starts_with("error: the bridge answered 409: "), "{}", refused.stderr);
    }
    let ended = ask(&program, &bridge, &format!("end {tag}"));
    assert!(
        ended.status.success() && ended.text().contains("its session will be ended"),
        "{}{}",
        ended.text(),
        ended.stderr
    );
    assert_eq!(bridge.until("outcome")["result"], "terminated");
    let started = objects(&program, &bridge, &format!("start {tag}"));
    assert_eq!((&started[0]["done"], &started[0]["alert"]), (&json!(true), &json!(tag)), "{started:?}");
    bridge.until("session_created");
    assert_eq!(devin.creates().len(), 2);
}

#[test]
fn a_pause_says_what_it_holds_and_what_is_held_after_it() {
    let (program, bridge) = start(&organization(1, "running/finished", true));
    let story = [
        "pause",
        "pause --rule default",
        "pause --integration main",
        "resume",
        "resume --rule default",
        "resume --integration main",
        "pause --rule nobody",
        "pause --rule default --integration main",
    ]
    .map(|words| format!("$ {words}\n{}", told(&ask(&program, &bridge, words), Some(&bridge))));
    insta::assert_snapshot!(story.join("\n"), @"
    $ pause
    paused the bridge: deliveries are kept, and no session is started until it is resumed
    exit 0
    $ pause --rule default
    paused the rule default: deliveries are kept, and no session is started until it is resumed
    exit 0
    $ pause --integration main
    paused the integration main: deliveries are kept, and no session is started until it is resumed
    exit 0
    $ resume
    resumed the bridge
    still paused: the integration main
    still paused: the rule default
    exit 0
    $ resume --rule default
    resumed the rule default
    still paused: the integration main
    exit 0
    $ resume --integration main
    resumed the integration main
    exit 0
    $ pause --rule nobody
    error: the bridge answered 404: there is no rule with this id: there are default.
    exit 1
    $ pause --rule default --integration main
    error: the argument '--rule <ID>' cannot be used with '--integration <NAME>'

    Usage: source-devin-ai alert-relay pause --rule <ID> --bridge <URL> --token-file <FILE> --output <FORMAT>

    For more information, try '--help'.
    exit 2
    ");
}

#[test]
fn whoever_may_not_and_whoever_is_not_there_is_told_what_to_do() {
    let (program, bridge) = start(&organization(1, "running/finished", true));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let html = Api::open(|_| Answer::html(200));
    let error = Api::open(|_| Answer::problem(404, "Not Found"));
    let moved = Api::open(|_| Answer::status(302, "text/plain", "").header("location", "https://example.com"));
    let program =
        program.file("wrong.token", "Wr0ngT0kenWr0ngT0ken").file("empty.token", "\n").file("two.token", "a\nb\n");
    let url = format!("http://{}", bridge.address);
    let cases = [
        format!("ps --bridge {url}"),
        format!("ps --bridge {url} --token-file wrong.token"),
        format!("pause --bridge {url} --token-file read.token"),
        format!("ps --bridge {url} --token-file missing.token"),
        format!("ps --bridge {url} --token-file empty.token"),
        format!("ps --bridge {url} --token-file two.token"),
        format!("ps --bridge {url} --ca-file read.token"),
        format!("ps --bridge http://127.0.0.1:{port}"),
        format!("tail --bridge http://127.0.0.1:{port}"),
        format!("ps --bridge https://{}", bridge.address),
        format!("ps --bridge {}", html.url()),
        format!("show ar-1 --bridge {}", error.url()),
        format!("ps --bridge {}", moved.url()),
        "ps --bridge http://relay.example.com".to_string(),
        "ps --bridge https://ops:hunter2Zq9@relay.example.com".to_string(),
    ];
    let places = [(html.url(), "http://HTML"), (error.url(), "http://ERROR"), (moved.url(), "http://MOVED")];
    let story = cases.map(|words| {
        let ran = program.run(&format!("alert-relay {words} --output text"));
        let mut told = format!("$ {words}\n{}", told(&ran, None)).replace(&bridge.address, "HOST:PORT");
        told = told.replace(&format!("127.0.0.1:{port}"), "HOST:CLOSED");
        places
            .iter()
            .fold(told, |told, (url, name)| told.replace(url, name))
            .replace("\n\nFor more information, try '--help'.", "")
    });
    let story = story.join("\n");
    assert!(!story.contains("Wr0ngT0ken"), "{story}");
    insta::assert_snapshot!(story, @"
    $ ps --bridge http://HOST:PORT
    error: the bridge answered 401: this needs a token: send it as Authorization: Bearer TOKEN; access in the rules file says where it is. Give it with --token-file FILE or in DEVIN_RELAY_TOKEN.
    exit 1
    $ ps --bridge http://HOST:PORT --token-file wrong.token
    error: the bridge answered 401: this is not one of the tokens that access in the rules file names. Check the token in --token-file or DEVIN_RELAY_TOKEN.
    exit 1
    $ pause --bridge http://HOST:PORT --token-file read.token
    error: the bridge answered 403: this needs an admin token: the one that was sent is a read token.
    exit 1
    $ ps --bridge http://HOST:PORT --token-file missing.token
    error: --token-file missing.token cannot be read: No such file or directory (os error 2)
    exit 1
    $ ps --bridge http://HOST:PORT --token-file empty.token
    error: --token-file empty.token is empty
    exit 1
    $ ps --bridge http://HOST:PORT --token-file two.token
    error: --token-file two.token holds more than one line: it must hold the token and nothing else
    exit 1
    $ ps --bridge http://HOST:PORT --ca-file read.token
    error: --ca-file read.token: it holds no certificate in PEM
    exit 1
    $ ps --bridge http://HOST:CLOSED
    error: the bridge at http://HOST:CLOSED could not be reached: 127.0.0.1: Connection refused (os error 111). Start it with `source-devin-ai alert-relay serve`, or say where it is with --bridge URL or DEVIN_RELAY_URL.
    exit 1
    $ tail --bridge http://HOST:CLOSED
    error: the bridge at http://HOST:CLOSED could not be reached: 127.0.0.1: Connection refused (os error 111). Start it with `source-devin-ai alert-relay serve`, or say where it is with --bridge URL or DEVIN_RELAY_URL.
    exit 1
    $ ps --bridge https://HOST:PORT
    error: the bridge at https://HOST:PORT could not be reached: 127.0.0.1: the server does not speak TLS on this port. Begin --bridge with http://.
    exit 1
    $ ps --bridge http://HTML
    error: what answers at http://HTML is not alert-relay serve: another program, or a proxy in between. Check --bridge or DEVIN_RELAY_URL.
    exit 1
    $ show ar-1 --bridge http://ERROR
    error: what answers at http://ERROR is not alert-relay serve: another program, or a proxy in between. Check --bridge or DEVIN_RELAY_URL.
    exit 1
    $ ps --bridge http://MOVED
    error: what answers at http://MOVED is not alert-relay serve: another program, or a proxy in between. Check --bridge or DEVIN_RELAY_URL.
    exit 1
    $ ps --bridge http://relay.example.com
    error: --bridge must begin with https:// (http:// is allowed for this machine only, because it would show the token): a tunnel to the bridge's machine (ssh -L, kubectl port-forward) makes it this machine
    exit 2
    $ ps --bridge https://ops:hunter2Zq9@relay.example.com
    error: --bridge must not hold a user name or password: a token belongs in --token-file or DEVIN_RELAY_TOKEN
    exit 2
    ");
    let as_json = program.run(&format!("alert-relay ps --bridge {url}"));
    let error: Value = serde_json::from_str(as_json.text()).unwrap();
    assert_eq!((&error["event"], &error["code"]), (&json!("error"), &json!("bridge_denied")), "{error}");
    let by_variable = program.variable("DEVIN_RELAY_URL", &url).variable("DEVIN_RELAY_TOKEN", READ);
    assert!(by_variable.run("alert-relay ps").status.success(), "the variables are enough");
}

#[test]
fn a_bridge_with_a_certificate_of_its_own_is_trusted_by_that() {
    let program = program()
        .file("plain.pem", include_str!("tls/cert.pem"))
        // As `openssl req -x509` makes it: it may sign others.
        .file("own.pem", include_str!("tls/own.pem"))
        .file("key.pem", include_str!("tls/key.pem"));
    let asked = |options: &str| program.run(&format!("alert-relay ps {options} --output text"));
    let mut bridge = None;
    for name in ["own.pem", "plain.pem"] {
        let started = Bridge::start(&program, &format!("--sandbox --tls-cert {name} --tls-key key.pem"));
        let port = started.address.rsplit(':').next().unwrap();
        let trusted = asked(&format!("--bridge https://localhost:{port} --ca-file {name}"));
        assert!(trusted.status.success(), "{name}: {}", trusted.stderr);
        bridge = Some(started);
    }
    let bridge = bridge.unwrap();
    let port = bridge.address.rsplit(':').next().unwrap();
    let unknown = asked(&format!("--bridge https://localhost:{port}"));
    assert!(unknown.stderr.contains("--ca-file") && unknown.status.code() == Some(1), "{}", unknown.stderr);
    let clear = asked(&format!("--bridge http://localhost:{port}"));
    assert!(clear.stderr.contains("begin the URL with https://"), "{}", clear.stderr);
}

/// The bridge cleans what it keeps. What asks it does not count on that: it may be of another version, or no bridge at all.
#[test]
fn what_a_stranger_writes_does_not_speak_to_the_terminal() {
    let odd = "disk\u{1b}]0;owned\u{7}\u{1b}[2J\r\nar-0000 \u{9b}31m\u{202e}\u{200b}full";
    let alert = json!({
        "tag": "ar-1", "dedupe_key": odd, "title": odd, "state": "firing", "severity": odd, "route": odd, "first_at": 0, "last_at": 0,
        "responder": {"status": "dropped"},
        "job": {"id": "job-1", "rule": odd, "result": odd, "reason": odd, "session_id": odd, "session_url": odd, "pr_url": odd},
        "prompt": odd,
        "timeline": [{"at": 0, "kind": "action", "action": {"who": odd, "action": odd, "result": odd}}, {"at": 0, "kind": odd}],
    });
    let bridge = Api::open(move |ask| match ask.list.as_str() {
        "/api/v1/alerts" => Answer::json(json!({"alerts": [alert], "next": null}).to_string()),
        act if act.ends_with("/retry") => Answer::json(json!({"done": true, "result": odd}).to_string()),
        act if act.ends_with("/end") => {
            Answer::status(409, "application/json", json!({"accepted": false, "reason": odd}).to_string())
        }
        _ => Answer::json(alert.to_string()),
    });
    let program = program();
    for words in ["ps", "show ar-1", "retry ar-1", "end ar-1"] {
        let terminal = Terminal::open();
        let arguments = format!("alert-relay {words} --bridge {}", bridge.url());
        let mut child = program.start_into(terminal.side(), terminal.side(), &arguments);
        assert_eq!(child.wait().unwrap().success(), words != "end ar-1", "{words}");
        let sent = terminal.seen().sent;
        assert!(sent.contains("full"), "text is what a terminal gets: {sent}");
        assert!(!sent.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}', '\u{200b}']), "{words}: {sent:?}");
        assert!(sent.lines().all(|line| !line.starts_with("ar-0000")), "{words}: {sent}");
    }
}

#[test]
fn what_happens_is_printed_as_it_happens_until_somebody_asks_to_stop() {
    let (program, mut bridge) = start(&organization(6, "running/finished", true));
    bridge.post("generic", &alert("old"));
    bridge.until("outcome");
    let arguments = format!("alert-relay tail --bridge http://{} --token-file read.token", bridge.address);
    let mut tail = program.start(&arguments);
    let mut notes = BufReader::new(tail.stderr.take().unwrap()).lines();
    assert_eq!(notes.next().unwrap().unwrap(), format!("following http://{}", bridge.address));
    bridge.post("generic", &alert("disk"));
    let mut news = Vec::new();
    for line in BufReader::new(tail.stdout.take().unwrap()).lines() {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let event = line["event"].as_str().unwrap().to_string();
        assert_eq!(line["dedupe_key"], "generic:disk", "what was before is no news: {line}");
        assert!(line["time"].is_string() && line["prompt"].is_null(), "{line}");
        news.push(event);
        if news.last().unwrap() == "outcome" {
            assert_eq!(line["result"], "pr_opened", "{line}");
            break;
        }
    }
    assert!(news.contains(&"decision".to_string()) && news.contains(&"session".to_string()), "{news:?}");
    for event in ["session", "pull_request", "outcome"] {
        assert_eq!(news.iter().filter(|told| *told == event).count(), 1, "{event}: {news:?}");
    }
    rustix::process::kill_process(rustix::process::Pid::from_child(&tail), rustix::process::Signal::INT).unwrap();
    assert_eq!(tail.wait().unwrap().signal(), Some(2));
}
