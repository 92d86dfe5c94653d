//! A Devin whose clock differs, whose lists hold what cannot be read, or who does not say whose key it is: the alert still
//! gets one session, and every event its key.

mod common;

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use common::devin::{Devin, Heard, Said, Sessions, now, session, state};
use common::events::{events, outcome, story};
use common::{ORG, Program, TOKEN, program};
use serde_json::{Value, json};

const ALERT: &str = r#"{"title": "something is wrong", "status": "firing"}"#;
const RUN: &str = "alert-relay run --config config.json --alert alert.json --poll-interval 1s --reconcile-window 1s";

fn relay(devin: &Devin) -> Program {
    program().file("config.json", devin.config()).file("alert.json", ALERT)
}

/// The tag of the alert.
fn tag() -> String {
    let ran = program().file("alert.json", ALERT).run("alert-relay prompt --alert alert.json");
    events(&ran)[0]["tag"].as_str().unwrap().to_string()
}

/// How many sessions are made where one ended so many seconds ago by a clock that differs from this machine's by so many.
fn creates(ahead_s: i64, ago_s: i64, written: fn(i64) -> Value) -> usize {
    let devin_now = i64::try_from(now()).unwrap() + ahead_s;
    let mut ended = session("ended", &[&tag()], 0, &state("exit", false));
    for field in ["created_at", "updated_at"] {
        ended[field] = written(devin_now - ago_s);
    }
    let sessions = Sessions::new().with(ended);
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(devin_now.unsigned_abs()));
    let devin = Devin::start(move |heard| sessions.answer(heard).header("date", &date));
    relay(&devin).run(&format!("{RUN} --detach"));
    devin.count("POST")
}

#[test]
fn the_cooldown_counts_by_devins_clock() {
    let seconds = |moment: i64| json!(moment);
    // This machine is two hours ahead, or five hours behind.
    assert_eq!((creates(-7_200, 60, seconds), creates(-7_200, 10_800, seconds)), (0, 1));
    assert_eq!((creates(18_000, 60, seconds), creates(18_000, 10_800, seconds)), (0, 1));
}

#[test]
fn times_are_read_as_text_too() {
    let iso = |moment: i64| json!(chrono::DateTime::from_timestamp(moment, 0).unwrap().to_rfc3339());
    assert_eq!((creates(0, 60, iso), creates(0, 9_000_000, iso)), (0, 1));
    assert_eq!(creates(0, 60, |_| json!("yesterday")), 1, "what cannot be read is old");
}

#[test]
fn an_item_of_somebody_else_that_cannot_be_read_keeps_nobody_from_a_session() {
    let run = |broken: Value| {
        let sessions = Sessions::new();
        let devin = Devin::start(move |heard| match (heard.method.as_str(), heard.path.as_str()) {
            ("GET", "sessions") => Said::list(std::slice::from_ref(&broken)),
            _ => sessions.answer(heard),
        });
        let ran = relay(&devin).run(&format!("{RUN} --detach"));
        (devin.count("POST"), ran.exit())
    };
    assert_eq!(run(json!({"status": "running", "tags": ["theirs"]})), (1, "exit 0".to_string()));
    // One of the alert's own would be created again.
    assert_eq!(run(json!({"status": "running", "tags": [tag()]})), (0, "exit 1".to_string()));
}

#[test]
fn whose_key_it_is_matters_little_where_the_organization_is_configured() {
    let html = || Said::Answer(200, Vec::new(), "<html>".to_string());
    for said in [Said::problem(503, "later"), Said::problem(400, "no"), html()] {
        let sessions = Arc::new(Sessions::new());
        let devin = Devin::start(move |heard: &Heard| match heard.path.as_str() {
            "/v3/self" => said.clone(),
            _ => sessions.answer(heard),
        });
        let config = json!({"api_token": TOKEN, "org_id": ORG, "api_url": devin.url}).to_string();
        let ran = program().file("config.json", config).file("alert.json", ALERT).run(&format!("{RUN} --detach"));
        let told = story(&ran);
        assert!(told.contains("\nwarning /v3/self ") && told.ends_with("exit 0"), "{told}");
        assert_eq!(devin.count("POST"), 1);
    }
}

#[test]
fn every_event_of_an_alert_has_its_key_also_where_one_of_several_creates_is_refused() {
    let sessions = Sessions::new();
    let devin = Devin::start(move |heard| match heard.is_create() && heard.body.contains("second") {
        true => Said::problem(400, "no"),
        false => sessions.answer(heard),
    });
    let alert = |name: &str| json!({"status": "firing", "labels": {"alertname": name}, "annotations": {}, "startsAt": "2026-01-01T00:00:00Z"});
    let group = json!({
        "version": "4", "groupKey": "g", "receiver": "r", "status": "firing", "groupLabels": {}, "commonLabels": {},
        "commonAnnotations": {}, "externalURL": "", "alerts": [alert("first"), alert("second")],
    });
    let ran = relay(&devin).file("alert.json", group.to_string()).run(&format!("{RUN} --per-alert --detach"));
    let told = events(&ran);
    assert_eq!(told.len(), 4, "{}", story(&ran));
    for event in &told {
        assert!(event["dedupe_key"].is_string(), "{event}");
        assert!(event["job_id"].is_string() || event["event"] == "alert_received", "{event}");
    }
    // For a person, the alert's title stands before each line.
    assert!(ran.stderr.contains("[first] session created: "), "{}", ran.stderr);
}

#[test]
fn a_person_reads_text_and_a_program_lines_of_json() {
    let devin = Devin::of(&Sessions::new().into());
    let ran = relay(&devin).run(&format!("{RUN} --output text"));
    let text = ran.text().to_string();
    let lines: Vec<&str> = text.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(lines, ["alert", "session created", "status", "done"], "{text}");
    assert!(text.trim_end().ends_with("(exit code 0: success)"), "{text}");
    let ran = relay(&devin).run(&format!("{RUN} --new-attempt --output json"));
    assert_eq!(outcome(&ran)["result"], "pr_opened");
    assert!(ran.stderr.contains("(exit code 0: success)"), "{}", ran.stderr);
}

#[test]
fn watch_has_no_sandbox() {
    let help = program().run("alert-relay watch --help");
    assert!(!help.text().contains("--sandbox") && help.text().contains("27"), "{}", help.text());
    assert_eq!(program().run("alert-relay watch abc --sandbox").exit(), "exit 2");
}
