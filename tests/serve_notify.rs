//! `alert-relay serve` tells people: every target hears what it subscribed to, once and in order, whatever fails in between,
//! and none of the secrets is shown.

mod common;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use common::Program;
use common::bridge::{Bridge, by, request};
use common::devin::{Devin, Heard, Said, Sessions};
use ring::hmac;
use serde_json::{Value, json};

const DISK_FULL: &str = r#"{"title": "disk <!channel> @everyone ![x](https://evil.example/x.png) full", "status": "firing", "dedup_key": "disk"}"#;
const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BOT: &str = "xoxb-t3st-0nly-b0t-t0ken";
const GITHUB: &str = "t3st-0nly-gith0b-t0ken";

/// An organization whose sessions end at once with a pull request.
fn devin() -> Devin {
    let look = json!({"status": "running", "status_detail": "finished",
        "pull_requests": [{"pr_url": "https://github.com/acme/shop/pull/7", "pr_state": "open"}]});
    Devin::of(&Arc::new(Sessions::new().on_look(move |_| look.clone())))
}

/// A program whose rules tell these targets of everything; `url` is what {env: HOOK} leads to.
fn telling(devin: &Devin, url: &str, targets: &[(&str, &str)]) -> Program {
    let list: Vec<String> = targets.iter().map(|(name, rest)| format!("{{name: {name}, {rest}}}")).collect();
    let top = format!("notify: {{allow_internal: 127.0.0.1, targets: [{}]}}\n", list.join(", "));
    let wanted: Vec<String> = targets.iter().map(|(name, _)| format!("{{target: {name}}}")).collect();
    let rule = format!("poll_interval: 1s, notify: [{}]", wanted.join(", "));
    by(&devin.settings(), &rule, &top)
        .variable("HOOK", &format!("{url}/hook/s3cr3t-p4th-0f-h00k"))
        .variable("HANGING", &format!("{url}/hanging/s3cr3t-p4th-0f-h00k"))
        .variable("SECRET", &format!("whsec_{SECRET}"))
        .variable("BOT", BOT)
        .variable("GITHUB", GITHUB)
}

/// What has been heard once `enough` says so.
fn heard(recorder: &Devin, enough: impl Fn(&[Heard]) -> bool) -> Vec<Heard> {
    let began = Instant::now();
    loop {
        let heard = recorder.heard();
        if enough(&heard) {
            return heard;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{heard:#?}");
        std::thread::yield_now();
    }
}

fn header<'h>(heard: &'h Heard, name: &str) -> &'h str {
    heard.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

fn json_of(heard: &Heard) -> Value {
    serde_json::from_str(&heard.body).unwrap()
}

/// What is kept of all notifications once none waits any more.
fn kept(bridge: &Bridge) -> Vec<Value> {
    let tag = bridge.alerts()[0]["tag"].as_str().unwrap().to_string();
    let began = Instant::now();
    loop {
        let shown = bridge.get(&format!("/api/v1/alerts/{tag}")).json();
        let all = shown["timeline"].as_array().unwrap().iter().filter(|entry| entry["kind"] == "notification");
        let all: Vec<Value> = all.map(|entry| entry["notification"].clone()).collect();
        if !all.is_empty() && all.iter().all(|one| one["state"] != "waiting") {
            return all;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{all:#?}");
    }
}

#[test]
fn every_target_is_told_what_happens_in_its_own_language() {
    let recorder = Devin::start(|heard| match heard.path.contains("chat.") {
        true => Said::json(&json!({"ok": true, "channel": "C1", "ts": "17.000100"})),
        false => Said::Answer(200, Vec::new(), "ok".to_string()),
    });
    let url = recorder.url.clone();
    let bot = format!("kind: slack, token: {{env: BOT}}, channel: C1, endpoint: '{url}/api'");
    let github = format!("kind: github, token: {{env: GITHUB}}, repo: acme/ops, issue: 7, endpoint: '{url}'");
    let pagerduty = format!("kind: pagerduty, token: {{env: GITHUB}}, from: ops@example.com, endpoint: '{url}'");
    let targets = [
        ("slack", "kind: slack, url: {env: HOOK}"),
        ("bot", bot.as_str()),
        ("teams", "kind: teams, url: {env: HOOK}"),
        ("discord", "kind: discord, url: {env: HOOK}"),
        ("github", github.as_str()),
        ("pagerduty", pagerduty.as_str()),
        ("any", "kind: webhook, url: {env: HOOK}, secret: {env: SECRET}"),
    ];
    let devin = devin();
    let mut bridge = Bridge::start(&telling(&devin, &url, &targets), "--rules relay.yaml --store memory");
    assert_eq!(bridge.post("generic", DISK_FULL).status, 202);
    bridge.until("outcome");
    let kept = kept(&bridge);
    let all = recorder.heard();
    assert_eq!((all.len(), kept.len()), (18, 21), "{kept:#?}");
    let states: Vec<&Value> = kept.iter().filter(|one| one["target"] == "pagerduty").map(|one| &one["state"]).collect();
    assert_eq!(states, ["skipped"; 3], "it is no incident of PagerDuty");
    let of = |part: &dyn Fn(&Value) -> bool| all.iter().filter(|one| part(&json_of(one))).collect::<Vec<_>>();

    let slack = of(&|body| body["blocks"].is_array() && body["channel"].is_null());
    let text = json_of(slack[0])["blocks"][0]["text"]["text"].to_string();
    assert!(text.contains("*Devin works on it*") && text.contains("&lt;!channel&gt;"), "{text}");
    let text = json_of(slack[2])["blocks"][0]["text"]["text"].to_string();
    assert!(text.contains("<https://github.com/acme/shop/pull/7|Pull request>"), "{text}");

    let bot: Vec<(String, Value)> = all
        .iter()
        .filter(|one| one.path.contains("chat."))
        .map(|one| (one.path.rsplit('/').next().unwrap().to_string(), json_of(one)["ts"].clone()))
        .collect();
    let update = ("chat.update".to_string(), json!("17.000100"));
    assert_eq!(bot, [("chat.postMessage".to_string(), Value::Null), update.clone(), update], "one message is changed");

    let teams = of(&|body| body["attachments"].is_array());
    let card = &json_of(teams[0])["attachments"][0]["content"];
    assert_eq!(
        (card["type"].as_str(), card["body"][1]["type"].as_str()),
        (Some("AdaptiveCard"), Some("RichTextBlock"))
    );

    let discord = of(&|body| body["content"].is_string());
    let body = json_of(discord[0]);
    assert_eq!(body["allowed_mentions"], json!({"parse": []}));
    assert!(body["content"].to_string().contains("`disk <!channel> @everyone ![x]("), "{body}");

    let github: Vec<&Heard> = all.iter().filter(|one| one.path.contains("issues/7/comments")).collect();
    assert_eq!(header(github[0], "authorization"), format!("Bearer {GITHUB}"));
    assert!(json_of(github[0])["body"].to_string().contains("`disk <!channel> @everyone"), "quoted as code");

    let any: Vec<&Heard> = all.iter().filter(|one| !header(one, "webhook-id").is_empty()).collect();
    let events: Vec<Value> = any.iter().map(|one| json_of(one)["type"].clone()).collect();
    assert_eq!(events, ["alert_relay.created", "alert_relay.pull_request", "alert_relay.done"]);
    for one in any {
        let (id, time) = (header(one, "webhook-id"), header(one, "webhook-timestamp"));
        let key = hmac::Key::new(hmac::HMAC_SHA256, &BASE64_STANDARD.decode(SECRET).unwrap());
        let signature = hmac::sign(&key, format!("{id}.{time}.{}", one.body).as_bytes());
        assert_eq!(header(one, "webhook-signature"), format!("v1,{}", BASE64_STANDARD.encode(signature)));
    }
}

#[test]
fn a_message_that_somebody_deleted_is_posted_anew_and_changed_from_then_on() {
    let updates = Arc::new(AtomicUsize::new(0));
    let posts = Arc::new(AtomicUsize::new(0));
    let recorder = Devin::start(move |heard| match heard.path.ends_with("chat.update") {
        true if updates.fetch_add(1, Ordering::SeqCst) == 0 => {
            Said::json(&json!({"ok": false, "error": "message_not_found"}))
        }
        true => Said::json(&json!({"ok": true, "channel": "C1", "ts": json_of(heard)["ts"]})),
        false => Said::json(
            &json!({"ok": true, "channel": "C1", "ts": format!("{}.1", posts.fetch_add(1, Ordering::SeqCst))}),
        ),
    });
    let bot = format!("kind: slack, token: {{env: BOT}}, channel: C1, endpoint: '{}/api'", recorder.url);
    let devin = devin();
    let targets = [("bot", bot.as_str())];
    let mut bridge = Bridge::start(&telling(&devin, &recorder.url, &targets), "--rules relay.yaml --store memory");
    assert_eq!(bridge.post("generic", DISK_FULL).status, 202);
    bridge.until("outcome");
    assert!(kept(&bridge).iter().all(|one| one["state"] == "sent"), "{:#?}", kept(&bridge));
    let calls: Vec<(String, Value)> = recorder
        .heard()
        .iter()
        .map(|one| (one.path.rsplit('.').next().unwrap().to_string(), json_of(one)["ts"].clone()))
        .collect();
    let call = |method: &str, ts: Value| (method.to_string(), ts);
    let expected = [
        call("postMessage", Value::Null),
        call("update", json!("0.1")),
        call("postMessage", Value::Null),
        call("update", json!("1.1")),
    ];
    assert_eq!(calls, expected);
}

#[test]
fn what_was_sent_and_not_kept_is_sent_again_under_the_same_name() {
    let tries = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&tries);
    // The first one arrives, and the bridge is killed before it hears so.
    let recorder = Devin::start(move |_| match seen.fetch_add(1, Ordering::SeqCst) {
        0 => Said::Silence,
        _ => Said::Answer(204, Vec::new(), String::new()),
    });
    let devin = devin();
    let targets = [("any", "kind: webhook, url: {env: HOOK}, secret: {env: SECRET}")];
    let program = telling(&devin, &recorder.url, &targets);
    let bridge = Bridge::start(&program, "--rules relay.yaml");
    assert_eq!(bridge.post("generic", DISK_FULL).status, 202);
    heard(&recorder, |heard| !heard.is_empty());
    bridge.kill();
    let bridge = Bridge::start(&program, "--rules relay.yaml");
    let all = heard(&recorder, |heard| heard.len() == 4);
    let ids: Vec<&str> = all.iter().map(|one| header(one, "webhook-id")).collect();
    assert_eq!(ids[0], ids[1], "the same once more");
    let events: Vec<Value> = all.iter().map(|one| json_of(one)["type"].clone()).collect();
    assert_eq!(events[1..], ["alert_relay.created", "alert_relay.pull_request", "alert_relay.done"]);
    assert!(kept(&bridge).iter().all(|one| one["state"] == "sent"));
    assert_eq!(recorder.heard().len(), 4, "and no more than that");
}

#[test]
fn a_target_that_hangs_or_is_busy_or_refuses_holds_up_no_other_and_no_secret_is_shown() {
    let tries = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&tries);
    let recorder = Devin::start(move |heard| match heard.path.contains("hanging") {
        true => Said::Silence,
        false if heard.headers.iter().any(|(name, _)| name == "webhook-id") => Said::problem(404, "no such hook"),
        false => match seen.fetch_add(1, Ordering::SeqCst) {
            0 => Said::problem(429, "slow down").header("retry-after", "1"),
            _ => Said::Answer(200, Vec::new(), "ok".to_string()),
        },
    });
    let devin = devin();
    let targets = [
        ("hanging", "kind: teams, url: {env: HANGING}"),
        ("busy", "kind: slack, url: {env: HOOK}"),
        ("gone", "kind: webhook, url: {env: HOOK}, secret: {env: SECRET}"),
    ];
    let bridge = Bridge::start(&telling(&devin, &recorder.url, &targets), "--rules relay.yaml --store memory");
    assert_eq!(bridge.post("generic", DISK_FULL).status, 202);
    let all = heard(&recorder, |heard| heard.iter().filter(|one| one.body.contains("blocks")).count() == 4);
    assert!(all.iter().any(|one| one.path.contains("hanging")), "it was tried as well");
    let busy: Vec<&str> =
        all.iter().filter(|one| one.body.contains("blocks")).map(|one| header(one, "idempotency-key")).collect();
    assert_eq!(busy[0], busy[1], "what was turned away came again before the next");
    let tag = bridge.alerts()[0]["tag"].as_str().unwrap().to_string();
    let shown = bridge.get(&format!("/api/v1/alerts/{tag}")).body + &bridge.get(&format!("/alerts/{tag}")).body;
    let dead = shown.matches(r#""state":"dead""#).count();
    assert!(dead >= 1 && shown.contains("it answered 404"), "{shown}");
    let dead = bridge.get("/api/v1/notifications?state=dead&target=gone").json()["notifications"].clone();
    let id = dead[0]["id"].as_str().unwrap();
    let path = format!("/api/v1/notifications/{id}/resend");
    let resent = request(&bridge.address, "POST", &path, "", b"").unwrap();
    assert_eq!((resent.status, &resent.json()["done"]), (200, &json!(true)), "{resent:?}");
    let again = heard(&recorder, |heard| heard.iter().filter(|one| header(one, "webhook-id") == id).count() == 2);
    assert!(!again.is_empty());
    let action = bridge.get("/api/v1/actions").json()["actions"][0].clone();
    assert_eq!((&action["action"], &action["target"]), (&json!("resend"), &json!(id)), "it is audited");
    bridge.signal(rustix::process::Signal::TERM);
    let (said, _) = bridge.end();
    let said = json!(said).to_string() + &shown;
    assert!(said.contains("could not be sent to busy"), "{said}");
    for secret in ["s3cr3t-p4th", SECRET, BOT, GITHUB] {
        assert!(!said.contains(secret), "{said}");
    }
}

#[test]
fn nothing_is_sent_into_the_own_network_unless_it_is_listed() {
    let recorder = Devin::start(|_| Said::Answer(200, Vec::new(), String::new()));
    let devin = devin();
    let without_list = |url: &str| {
        let program = telling(&devin, url, &[("slack", "kind: slack, url: {env: HOOK}")]);
        let rules = program.text("relay.yaml").replace("allow_internal: 127.0.0.1, ", "");
        program.file("relay.yaml", rules)
    };
    let checked = without_list(&recorder.url).run("alert-relay rules check relay.yaml");
    assert!(checked.exit() == "exit 1" && checked.stderr.contains("notify.allow_internal"), "{}", checked.stderr);
    // A name may lead there, too, at any moment.
    let by_name = recorder.url.replace("http://127.0.0.1", "https://localhost");
    let mut bridge = Bridge::start(&without_list(&by_name), "--rules relay.yaml --store memory");
    assert_eq!(bridge.post("generic", DISK_FULL).status, 202);
    while !bridge.until("warning")["message"].as_str().unwrap().contains("notify.allow_internal") {}
    assert!(recorder.heard().is_empty());
}

#[test]
fn a_target_can_be_tried_out_without_a_bridge() {
    let recorder = Devin::start(|_| Said::Answer(200, Vec::new(), "ok".to_string()));
    let program = telling(&devin(), &recorder.url, &[("ops", "kind: slack, url: {env: HOOK}")]);
    let ran = program.run("alert-relay notify test relay.yaml ops");
    assert_eq!(ran.exit(), "exit 0", "{}", ran.text());
    assert!(recorder.heard()[0].body.contains("TEST of alert-relay"), "{:?}", recorder.heard());
    let ran = program.run("alert-relay notify test relay.yaml nobody");
    assert_ne!(ran.exit(), "exit 0");
    assert_eq!(recorder.heard().len(), 1);
}

/// A mail server that writes down what it is told, and answers to `RCPT` what the test says.
fn mail_server(to_recipient: impl Fn() -> &'static str + Send + 'static) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let notes = Arc::clone(&told);
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let (mut answers, mut is_body) = (connection.try_clone().unwrap(), false);
            let mut say = |text: &str| write!(answers, "{text}\r\n").unwrap();
            say("220 mail.example.com");
            for line in BufReader::new(connection).lines().map_while(Result::ok) {
                notes.lock().unwrap().push(line.clone());
                match line.split(' ').next().unwrap_or_default() {
                    "." if is_body => {
                        is_body = false;
                        say("250 taken");
                    }
                    _ if is_body => {}
                    "EHLO" => say("250-mail.example.com\r\n250 8BITMIME"),
                    "RCPT" => say(to_recipient()),
                    "DATA" => {
                        is_body = true;
                        say("354 go on");
                    }
                    "QUIT" => say("221 bye"),
                    _ => say("250 ok"),
                }
            }
        }
    });
    (address, told)
}

#[test]
fn an_email_is_handed_to_its_server_and_tried_again_where_that_is_busy() {
    let tries = AtomicUsize::new(0);
    let (server, told) = mail_server(move || match tries.fetch_add(1, Ordering::SeqCst) {
        0 => "450 try later",
        _ => "250 ok",
    });
    let devin = devin();
    let kind = format!("kind: email, server: '{server}', tls: none, from: relay@example.com, to: ops@example.com");
    let program = telling(&devin, "http://127.0.0.1:9", &[("mail", &kind)]);
    let bridge = Bridge::start(&program, "--rules relay.yaml --store memory");
    assert_eq!(bridge.post("generic", DISK_FULL).status, 202);
    let began = Instant::now();
    while told.lock().unwrap().iter().filter(|line| *line == ".").count() < 3 {
        assert!(began.elapsed() < Duration::from_secs(60), "{told:?}");
        std::thread::yield_now();
    }
    assert!(kept(&bridge).iter().all(|one| one["state"] == "sent"));
    let told = told.lock().unwrap().clone();
    let of = |begin: &str| told.iter().filter(|line| line.starts_with(begin)).count();
    assert_eq!((of("MAIL FROM:<relay@example.com>"), of("RCPT TO:<ops@example.com>"), of("Message-ID: ")), (4, 4, 3));
    assert_eq!(of("AUTH"), 0);
    let strict = program.text("relay.yaml").replace("tls: none", "tls: starttls");
    let ran = program.file("relay.yaml", strict).run("alert-relay notify test relay.yaml mail");
    assert!(ran.stderr.contains("offers no STARTTLS"), "{}", ran.stderr);
}
