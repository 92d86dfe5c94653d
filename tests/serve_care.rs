//! `alert-relay serve`: what was accepted is not forgotten when the rules change, and what is shown of an alert is true.

mod common;

use common::bridge::{Bridge, at, request};
use common::devin::{Devin, Sessions};
use common::{TOKEN, program};
use rustix::process::Signal;
use serde_json::{Value, json};

const DISK_FULL: &str = r#"{"title": "disk full", "status": "firing", "dedup_key": "disk"}"#;

#[test]
fn jobs_of_an_integration_that_the_rules_no_longer_have_are_told_of() {
    let settings = json!({"api_token": "cog_t3st-0nly_k3y", "org_id": "org-1", "api_url": "http://127.0.0.1:9"});
    let program = at(&settings.to_string());
    let bridge = Bridge::start(&program, "--rules relay.yaml");
    assert_eq!(bridge.post("generic", DISK_FULL).status, 202);
    bridge.signal(Signal::TERM);
    assert!(bridge.end().1.success());
    let rules = "routes:\n  - {name: generic, kind: generic, auth: none}\n\
        integrations:\n  - name: renamed\n    api_key: {env: RELAY_TEST_KEY}\n    \
        endpoint: http://127.0.0.1:9/v3/organizations/org-1/sessions\n";
    let program = program.file("relay.yaml", rules);
    let mut bridge = Bridge::start(&program, "--rules relay.yaml");
    let mut warning = String::new();
    while !warning.contains("main") {
        warning = bridge.until("warning")["message"].to_string();
    }
    assert!(warning.contains("1 of the alerts wait for the integration main"), "{warning}");
    let unknown = bridge.get("/readyz").json()["integrations"][1].clone();
    assert_eq!((&unknown["name"], &unknown["state"], &unknown["jobs"]), (&json!("main"), &json!("unknown"), &json!(1)));
}

/// An alert of a group: its instance, whether it fires, when it began and when it ended.
type Member<'a> = (&'a str, &'a str, &'a str, &'a str);

#[test]
fn the_end_of_a_group_that_another_alert_joined_is_believed() {
    let [began, joined, over, none] =
        ["2026-03-01T10:00:00Z", "2026-03-01T10:05:00Z", "2026-03-01T10:09:00Z", "0001-01-01T00:00:00Z"];
    let bridge = Bridge::start(&program(), "--sandbox --store memory");
    let deliver = |members: &[Member]| {
        let alerts: Vec<Value> = members
            .iter()
            .map(|(instance, status, start, end)| {
                json!({"status": status, "labels": {"alertname": "Down", "instance": instance}, "annotations": {},
                    "startsAt": start, "endsAt": end, "fingerprint": instance})
            })
            .collect();
        let body = json!({"version": "4", "groupKey": "{}:{alertname=\"Down\"}", "receiver": "relay", "status": "firing",
            "groupLabels": {"alertname": "Down"}, "commonLabels": {"alertname": "Down"}, "commonAnnotations": {},
            "externalURL": "http://alerts.example.com", "alerts": alerts});
        assert_eq!(bridge.post("auto", &body.to_string()).status, 202);
        bridge.alerts()[0]["state"].as_str().unwrap().to_string()
    };
    assert_eq!(deliver(&[("a", "firing", began, none)]), "firing");
    assert_eq!(deliver(&[("a", "resolved", began, over), ("b", "firing", joined, none)]), "firing");
    assert_eq!(deliver(&[("a", "resolved", began, over), ("b", "resolved", joined, over)]), "resolved");
    assert_eq!(deliver(&[("a", "firing", over, none)]), "firing", "it fires again");
}

#[test]
fn what_can_be_asked_shows_no_key_that_devin_repeats() {
    let url = format!("https://github.com/acme/shop/pull/7?token={TOKEN}");
    let look = json!({"status": "running", "status_detail": "finished", "pull_requests": [{"pr_url": url, "pr_state": "open"}]});
    let sessions = Sessions::new().on_look(move |_| look.clone());
    let devin = Devin::start(move |heard| sessions.answer(heard));
    let program = at(&devin.settings());
    let mut bridge = Bridge::start(&program, "--rules relay.yaml");
    assert_eq!(bridge.post("generic", DISK_FULL).status, 202);
    bridge.until("outcome");
    let asked = ["alerts", "deliveries", "decisions", "kill-switch"].map(|name| format!("/api/v1/{name}"));
    for path in asked.iter().map(String::as_str).chain(["/readyz"]) {
        let shown = bridge.get(path).json().to_string();
        assert!(!shown.contains(TOKEN), "{path}: {shown}");
    }
    assert!(bridge.alerts()[0]["job"]["pr_url"].as_str().unwrap().starts_with("https://github.com/acme/shop/pull/7"));
    let nightly = json!({"on": true, "rule": "nightly"}).to_string();
    let unknown = request(&bridge.address, "POST", "/api/v1/pause", "", nightly.as_bytes()).unwrap();
    assert_eq!(unknown.status, 404, "{unknown:?}");
    assert!(unknown.json()["reason"].to_string().contains("there is no rule with this id: there are default"));
}

/// The actions that a page offers, by the ends of their paths.
fn offered(page: &str) -> Vec<String> {
    let forms = page.split("action=\"/actions/").skip(1);
    forms.map(|form| form.split('"').next().unwrap().to_string()).collect()
}

#[test]
fn the_page_of_an_alert_offers_what_would_be_done_and_nothing_else() {
    let devin = Devin::of(&Sessions::new().into());
    let mut bridge = Bridge::start(&at(&devin.settings()), "--rules relay.yaml --store memory");
    let page = |bridge: &Bridge| bridge.get(&format!("/alerts/{}", bridge.alerts()[0]["tag"].as_str().unwrap())).body;
    assert_eq!(bridge.post("generic", DISK_FULL).status, 202);
    bridge.until("outcome");
    assert_eq!(offered(&page(&bridge)), ["start", "suppress"]);
    let wanted = json!({"dedupe_key": bridge.alerts()[0]["dedupe_key"], "for": "1h"}).to_string();
    let suppressed = request(&bridge.address, "POST", "/api/v1/suppressions", "", wanted.as_bytes()).unwrap();
    assert_eq!(suppressed.status, 200, "{suppressed:?}");
    let shown = page(&bridge);
    assert_eq!(offered(&shown), ["unsuppress"], "it would start nothing");
    assert_eq!(shown.matches("<strong>Suppress, by somebody on this machine").count(), 1);
    assert!(!shown.contains("<strong>suppress</strong>"), "it is told once: {shown}");
    let before = bridge.get("/").body;
    assert!(before.contains("No alert was refused."), "{before}");
    let again = DISK_FULL.replace("disk full", "disk fuller");
    assert_eq!(bridge.post("generic", &again).status, 202);
    assert_eq!(bridge.until("outcome")["result"], "refused");
    let refused = bridge.get("/").body.split("id=\"refusals\"").nth(1).unwrap().to_string();
    assert!(refused.contains(">disk fuller</a>") && refused.contains("suppressed"), "{refused}");
}

#[test]
fn a_store_that_does_not_answer_is_told_once_and_once_when_it_is_back() {
    let program = at(&Devin::of(&std::sync::Arc::new(Sessions::new())).settings());
    let mut bridge = Bridge::start(&program, "--rules relay.yaml");
    let (here, elsewhere) = (program.path("relay.db"), program.path("elsewhere.db"));
    std::fs::rename(&here, &elsewhere).unwrap();
    for _ in 0..3 {
        assert_eq!(bridge.post("generic", DISK_FULL).status, 503);
    }
    std::fs::rename(&elsewhere, &here).unwrap();
    let mut said = Vec::new();
    while !said.last().is_some_and(|line: &String| line.contains("the store answers again")) {
        said.push(bridge.line().unwrap().to_string());
    }
    let told = said.iter().filter(|line| line.contains("the store does not answer")).count();
    assert_eq!(told, 1, "{said:#?}");
    assert!(!said.iter().any(|line| line.contains("\"status\":503")), "the deliveries are counted: {said:#?}");
}
