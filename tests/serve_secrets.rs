//! `alert-relay serve`: no secret of an alert, and the own key in no spelling, gets to Devin, onto the page, into an answer of the
//! API, into what is printed or to those who are notified.

mod common;

use common::ORG;
use common::bridge::{Bridge, by, request};
use common::devin::{Devin, Said};
use common::own_key::{KEY, finished, inside_itself, spellings};
use rustix::process::Signal;
use serde_json::{Value, json};

/// What alerts say, and the secrets in it, which are plain words.
const SAID: &str = "the root pw is sunflower, mysql -u app -psnowdrop shop, postgres://app:daffodil@db/x, \
    curl -u elastic:marigold https://es, {\"token\": \"petunia-77-aX9q\"}, das Passwort lautet Kornblume, --set 'auth.password=blue bell'";
const SECRETS: [&str; 7] = ["sunflower", "snowdrop", "daffodil", "marigold", "petunia", "Kornblume", "blue bell"];

/// Lists of the API, and pages; those of single things are found in them.
const ASKED: [&str; 17] = [
    "/",
    "/readyz",
    "/metrics",
    "/api/v1/alerts",
    "/api/v1/jobs",
    "/api/v1/deliveries",
    "/api/v1/decisions",
    "/api/v1/storms",
    "/api/v1/actions",
    "/api/v1/notifications",
    "/api/v1/suppressions",
    "/api/v1/rules",
    "/api/v1/limits",
    "/api/v1/integrations",
    "/api/v1/stats",
    "/api/v1/kill-switch",
    "/api/v1/openapi.json",
];

/// Alerts with `said` in one field or another.
fn alerts(said: &str) -> Vec<Value> {
    let labels = json!({"alertname": said, "instance": said, said: "x"});
    let member = json!({"status": "firing", "labels": labels, "annotations": {"summary": said, "runbook_url": said},
        "startsAt": "2026-03-01T10:00:00Z", "generatorURL": said, "fingerprint": "a"});
    vec![
        json!({"title": format!("disk {said}"), "status": "firing", "message": said, "dedup_key": said}),
        json!({"title": "disk", "source": said, "status": said, "severity": said, "timestamp": said, "dedup_key": format!("k{}", said.len())}),
        json!({"title": "disk", "labels": {"a": said, said: "b"}, "annotations": {"note": said}, "url": said, "dedup_key": "l"}),
        json!({"title": "disk", "metadata": {"deep": [{"deeper": said}]}, "service": {"name": said}, "dedup_key": "m"}),
        json!({"title": "disk", "status": "resolved", "message": said, "dedup_key": said}),
        json!({"version": "4", "groupKey": said, "receiver": said, "status": "firing", "groupLabels": labels, "commonLabels": labels,
            "commonAnnotations": {"description": said}, "externalURL": said, "alerts": [member]}),
        json!({"nothing": said, "status": said}),
        json!(said),
    ]
}

/// Everything that can be asked of a bridge.
fn shown(bridge: &Bridge) -> String {
    let mut all: String = ASKED.iter().map(|path| bridge.get(path).body).collect();
    for (list, key) in [("alerts", "tag"), ("jobs", "id"), ("deliveries", "id")] {
        let items = bridge.get(&format!("/api/v1/{list}?limit=100")).json()[list].clone();
        for id in items.as_array().unwrap().iter().map(|item| item[key].as_str().unwrap()) {
            all += &bridge.get(&format!("/api/v1/{list}/{id}")).body;
            all += &bridge.get(&format!("/{list}/{id}")).body;
        }
    }
    all
}

#[test]
fn no_secret_of_an_alert_and_no_spelling_of_the_own_key_leaves_the_bridge() {
    let (devin, recorder) = (finished(), Devin::start(|_| Said::Answer(200, Vec::new(), "ok".to_string())));
    let settings = json!({"api_token": KEY, "org_id": ORG, "api_url": devin.url}).to_string();
    let target = |kind: &str, rest: &str| format!("{{name: {kind}, kind: {kind}, url: {{env: HOOK}}{rest}}}");
    let mut targets: Vec<String> = ["slack", "teams", "discord"].map(|kind| target(kind, "")).into();
    targets.push(target("webhook", ", secret: {env: SIGNING}"));
    let top = format!("notify: {{allow_internal: 127.0.0.1, targets: [{}]}}\n", targets.join(", "));
    let rule = "poll_interval: 1s, notify: [{target: slack}, {target: teams}, {target: discord}, {target: webhook}]";
    let program = by(&settings, rule, &top).variable("HOOK", &format!("{}/hook", recorder.url));
    let program = program.variable("SIGNING", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let mut bridge = Bridge::start(&program, "--rules relay.yaml --store memory");

    let spellings = spellings();
    let said: Vec<String> = spellings.iter().cloned().chain(inside_itself()).chain([SAID.to_string()]).collect();
    for said in &said {
        for alert in alerts(said) {
            for route in ["generic", "auto"] {
                let reply = bridge.post(route, &alert.to_string());
                assert_hidden(&format!("the answer to {alert}"), &reply.body, &spellings);
                assert!(alert.get("title").is_none() || reply.status < 300, "{alert} is lost: {}", reply.body);
            }
            let simulated = request(
                &bridge.address,
                "POST",
                "/api/v1/rules/simulate?route=generic",
                "",
                alert.to_string().as_bytes(),
            )
            .unwrap();
            assert_hidden("a simulation", &simulated.body, &spellings);
        }
    }
    bridge.until("outcome");
    assert_hidden("what is shown", &shown(&bridge), &spellings);
    bridge.signal(Signal::TERM);
    let printed: String = bridge.end().0.iter().map(Value::to_string).collect();
    let sent: String =
        devin.heard().iter().map(|heard| format!("{} {:?} {}", heard.path, heard.query, heard.body)).collect();
    let told: String = recorder.heard().iter().map(|heard| format!("{} {}", heard.path, heard.body)).collect();
    assert!(
        sent.contains("****") && told.contains("****") && printed.contains("****"),
        "something was redacted everywhere"
    );
    for (place, text) in [("the requests to Devin", &sent), ("the notifications", &told), ("stdout", &printed)] {
        assert_hidden(place, text, &spellings);
    }
}

fn assert_hidden(place: &str, text: &str, spellings: &[String]) {
    for secret in spellings.iter().map(String::as_str).chain(SECRETS) {
        let escaped = Value::from(secret).to_string();
        for spelling in [secret, escaped.trim_matches('"')] {
            if let Some(at) = text.find(spelling) {
                let (from, to) = (text.floor_char_boundary(at.saturating_sub(300)), text.ceil_char_boundary(at + 200));
                panic!("{place} shows {secret}: …{}…", &text[from..to.min(text.len())]);
            }
        }
    }
}

/// Plain words, which nothing but their being named tells from others.
#[test]
fn a_secret_that_the_rules_file_names_leaves_in_no_spelling_also_after_a_reload() {
    let devin = finished();
    let settings = json!({"api_token": KEY, "org_id": ORG, "api_url": devin.url}).to_string();
    let program = by(&settings, "poll_interval: 1s", "mask: [{file: masks.txt}, {env: PIN}]\n");
    let program = program.file("masks.txt", "Wintergarten\n").variable("PIN", "48392017");
    let mut bridge = Bridge::start(&program, "--rules relay.yaml --store memory");
    let tell = |words: &str, key: &str| {
        let said = format!("it has {words}");
        json!({"title": said, "message": said, "labels": {"a": said}, "status": "firing", "dedup_key": format!("{key} {words}")})
    };
    let first = ["Wintergarten", "48392017", "V2ludGVyZ2FydGVu", "wintergarten"].map(str::to_string);
    assert!(bridge.post("generic", &tell(&first.join(", "), "a").to_string()).status < 300);
    bridge.until("outcome");
    std::fs::write(program.path("masks.txt"), "Wintergarten\nSommerhaus\n").unwrap();
    let reply = request(&bridge.address, "POST", "/api/v1/reload", "", b"").unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    let both: Vec<String> = first.into_iter().chain(["Sommerhaus", "SOMMER-HAUS"].map(str::to_string)).collect();
    assert!(bridge.post("generic", &tell(&both.join(", "), "b").to_string()).status < 300);
    bridge.until("outcome");
    let shown = shown(&bridge);
    assert_hidden("the page or the API", &shown, &both);
    bridge.signal(Signal::TERM);
    let printed: String = bridge.end().0.iter().map(Value::to_string).collect();
    let sent: String =
        devin.heard().iter().map(|heard| format!("{} {:?} {}", heard.path, heard.query, heard.body)).collect();
    assert!(sent.contains("it has ****"), "{sent}");
    for (place, text) in [("the requests to Devin", &sent), ("stdout", &printed)] {
        assert_hidden(place, text, &both);
    }
}
