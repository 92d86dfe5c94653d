//! Rules choose what an alert starts, in the running bridge.

mod common;

use common::bridge::{Bridge, Reply, request};
use common::devin::{Devin, Said, Sessions, state};
use common::{Program, program};
use rustix::process::Signal;
use serde_json::{Value, json};

/// A program whose `relay.yaml` has these rules, with the organization behind it.
fn with(devin: &Devin, rules: &str) -> Program {
    let settings: Value = serde_json::from_str(&devin.settings()).unwrap();
    let text = |name: &str| settings[name].as_str().unwrap();
    let yaml = format!(
        "routes:\n  - {{name: generic, kind: generic, auth: none}}\n  - {{name: am, kind: alertmanager, auth: none}}\n\
        integrations:\n  - name: main\n    api_key: {{env: RELAY_TEST_KEY}}\n    endpoint: {}/v3/organizations/{}/sessions\n{rules}",
        text("api_url"),
        text("org_id")
    );
    program().file("relay.yaml", yaml).variable("RELAY_TEST_KEY", text("api_token"))
}

fn start(program: &Program) -> Bridge {
    Bridge::start(program, "--rules relay.yaml")
}

/// An organization whose sessions work until somebody looks for the `ends`th time.
fn organization(ends: usize) -> Devin {
    let look = move |look| if look < ends { state("running/working", false) } else { state("running/finished", false) };
    let sessions = Sessions::new().on_look(look);
    Devin::start(move |heard| {
        let is_message = heard.method == "POST" && heard.path.ends_with("/messages");
        if is_message { Said::json(&json!({})) } else { sessions.answer(heard) }
    })
}

fn alert(key: &str, status: &str, fields: Value) -> String {
    let mut alert = json!({"title": format!("{key} is full"), "status": status, "dedup_key": key});
    alert.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    alert.to_string()
}

/// Everything that a command says.
fn whole(program: &Program, arguments: &str) -> String {
    let ran = program.run(arguments);
    format!("{}{}", String::from_utf8_lossy(&ran.stdout), ran.end())
}

fn jobs(reply: &Reply) -> usize {
    assert_eq!(reply.status, 202, "{reply:?}");
    reply.json()["job_ids"].as_array().unwrap().len()
}

const RULES: &str = "\
default: {poll_interval: 1s, repo: my-org/rest}
rules:
  - id: payments
    match: {labels: {team: payments}, severity: '>=high', not: {title: '*test*'}}
    session: {repo: 'my-org/{{ labels.service }}', tag: payments}
  - id: infra
    match: {labels: {team: [infra, 'sre-*']}}
  - id: audit
    group: audit
    match: {labels: {team: payments}}
    session: {tag: audit}
";

#[test]
fn of_each_group_the_first_rule_that_matches_takes_the_alert() {
    let devin = organization(1);
    let program = with(&devin, RULES);
    let mut bridge = start(&program);
    let labels = |team: &str| json!({"team": team, "service": "shop"});
    let both =
        bridge.post("generic", &alert("a", "firing", json!({"severity": "critical", "labels": labels("payments")})));
    assert_eq!(jobs(&both), 2);
    let ends = [bridge.until("outcome"), bridge.until("outcome")];
    assert_eq!(bridge.alerts().len(), 2, "{ends:?}");
    let mut made: Vec<(String, String)> = devin
        .creates()
        .iter()
        .map(|new| (new["repos"][0].as_str().unwrap().to_string(), new["tags"][3].as_str().unwrap().to_string()))
        .collect();
    made.sort();
    assert_eq!(
        made,
        [("my-org/rest", "audit"), ("my-org/shop", "payments")].map(|(a, b)| (a.to_string(), b.to_string()))
    );
    let one = bridge.post("generic", &alert("b", "firing", json!({"severity": "low", "labels": labels("sre-eu")})));
    assert_eq!(jobs(&one), 1);
    let none = bridge.post("generic", &alert("c", "firing", json!({"labels": labels("search")})));
    assert_eq!(jobs(&none), 0);
    assert_eq!(none.json()["suppressed"][0]["reason"], "no rule matches it", "{none:?}");
    assert_eq!(none.json()["accepted"], true);
    let decisions = bridge.get("/api/v1/decisions").json();
    let mut rows = decisions["decisions"].as_array().unwrap().iter();
    let row = rows.find(|row| row["gate"] == "filter").unwrap_or(&Value::Null);
    let told = ["dedupe_key", "decision", "gate", "reason", "rule"].map(|name| row[name].as_str().unwrap_or("-"));
    assert_eq!(told[1..], ["refuse", "filter", "no rule matches it", "-"], "{decisions}");
    assert!(told[0].ends_with('c'), "{decisions}");
}

#[test]
fn a_resolve_reaches_every_rule_that_took_the_alert_and_an_alert_at_work_starts_no_second_session() {
    let devin = organization(1000);
    let rules = "\
default: {poll_interval: 1s}
rules:
  - {id: critical, match: {severity: critical}}
  - {id: rest}
";
    let program = with(&devin, rules);
    let mut bridge = start(&program);
    let first = bridge.post("generic", &alert("a", "firing", json!({"severity": "low"})));
    bridge.until("session_created");
    // It has become worse, and its session is at work.
    let worse = bridge.post("generic", &alert("a", "firing", json!({"severity": "critical"})));
    assert_eq!(worse.json()["job_ids"], first.json()["job_ids"]);
    // Without what it was chosen by.
    let resolved = bridge.post("generic", &alert("a", "resolved", json!({"severity": "critical"})));
    assert_eq!(resolved.json()["job_ids"], first.json()["job_ids"], "{resolved:?}");
    assert_eq!(devin.creates().len(), 1);
    // One that nobody knows is told about by the rule that matches it, and by no other.
    let unknown = bridge.post("generic", &alert("z", "resolved", json!({})));
    assert_eq!(unknown.json()["suppressed"].as_array().unwrap().len(), 1, "{unknown:?}");
}

#[test]
fn a_template_that_fails_on_an_alert_costs_no_alert() {
    let devin = organization(1);
    let rules = "\
default:
  poll_interval: 1s
  repo: ['my-org/{{ labels.service }}', my-org/always]
  dedupe_key: '{{ labels.service }}'
  prompt_template: 'Look at {{ labels.region }}'
";
    let program = with(&devin, rules);
    let mut bridge = start(&program);
    let reply = bridge.post("generic", &alert("a", "firing", json!({})));
    assert_eq!(jobs(&reply), 1);
    let notes = reply.json()["notes"].to_string();
    for said in
        ["dedupe_key ", "own key takes its place", "the default prompt takes its place", "repo ", "started without it"]
    {
        assert!(notes.contains(said), "{said}: {notes}");
    }
    bridge.until("outcome");
    // A value that leads elsewhere is none.
    let odd =
        bridge.post("generic", &alert("b", "firing", json!({"labels": {"service": "../other/x", "region": "eu"}})));
    assert!(odd.json()["notes"].to_string().contains("comes to no OWNER/NAME"), "{odd:?}");
    bridge.until("outcome");
    let repos: Vec<Value> = devin.creates().iter().map(|new| new["repos"].clone()).collect();
    assert_eq!(repos, [json!(["my-org/always"]), json!(["my-org/always"])]);
}

#[test]
fn one_alert_of_a_group_is_enough_for_a_rule() {
    let devin = organization(1);
    let program = with(&devin, "default: {poll_interval: 1s}\nrules:\n  - {id: eu, match: {labels: {region: eu}}}\n");
    let bridge = start(&program);
    let group = |regions: &[(&str, &str)]| {
        let alerts: Vec<Value> = regions
            .iter()
            .map(|(region, status)| json!({"status": status, "labels": {"alertname": "Disk", "region": region}, "startsAt": "2026-03-01T10:00:00Z"}))
            .collect();
        json!({"version": "4", "groupKey": "g", "status": "firing", "receiver": "devin", "groupLabels": {"alertname": "Disk"},
            "commonLabels": {"alertname": "Disk"}, "commonAnnotations": {}, "externalURL": "http://am.example", "alerts": alerts})
        .to_string()
    };
    assert_eq!(jobs(&bridge.post("am", &group(&[("us", "firing"), ("eu", "resolved")]))), 0);
    assert_eq!(jobs(&bridge.post("am", &group(&[("us", "firing"), ("eu", "firing")]))), 1);
}

#[test]
fn a_file_is_checked_without_being_served() {
    let rules = "\
routes: [{name: generic, kind: generic, auth: none}]
default: {prompt_template: 'Look at {{ labels.region }}'}
rules:
  - {id: eu, match: {labels: {region: eu}}}
  - {id: all, group: audit}
  - {id: late, group: audit, match: {title: x}, fire_on: bogus}
";
    let program = program().file("relay.yaml", rules).file("wrong.yaml", "rules: [{id: a, delayMinutes: 5}]\n");
    insta::assert_snapshot!(whole(&program, "alert-relay rules check relay.yaml --sandbox"));
    insta::assert_snapshot!(whole(&program, "alert-relay rules check wrong.yaml --sandbox"));
    insta::assert_snapshot!(whole(&program, "alert-relay rules check missing.yaml"));
    assert_eq!(program.files(), ["relay.yaml", "wrong.yaml"]);
}

#[test]
fn a_file_to_begin_with_is_right_and_replaces_none() {
    let program = program().variable("ALERTMANAGER_TOKEN", "Zq7wz3kfH5x2mt9Vbn4c8dj6");
    insta::assert_snapshot!(whole(&program, "alert-relay init"));
    insta::assert_snapshot!(whole(&program, "alert-relay rules check relay.yaml --sandbox"));
    insta::assert_snapshot!(whole(&program, "alert-relay init relay.yaml"));
    insta::assert_snapshot!(whole(&program, "alert-relay init no/such/folder.yaml"));
    assert!(whole(&program, "alert-relay init -").contains("integrations:"));
}

fn reload(bridge: &Bridge) -> Reply {
    request(&bridge.address, "POST", "/api/v1/reload", "", b"").unwrap()
}

#[test]
fn rules_are_read_again_while_jobs_go_on_by_those_that_they_were_made_by() {
    let devin = organization(3);
    let program = with(&devin, "default: {poll_interval: 1s, tag: before}\n");
    let mut bridge = start(&program);
    assert_eq!(jobs(&bridge.post("generic", &alert("a", "firing", json!({})))), 1);
    bridge.until("session_created");
    let file = program.text("relay.yaml");
    let with_rules = file.replace(
        "default: {poll_interval: 1s, tag: before}\n",
        "default: {poll_interval: 1s, tag: after}\nrules: [{id: payments, match: {labels: {team: payments}}}]\n",
    );
    let program = program.file("relay.yaml", &with_rules);
    bridge.signal(Signal::HUP);
    while !bridge.line().expect("it goes on")["message"].as_str().unwrap_or_default().contains("read again") {}
    assert_eq!(jobs(&bridge.post("generic", &alert("b", "firing", json!({})))), 0);
    assert_eq!(jobs(&bridge.post("generic", &alert("c", "firing", json!({"labels": {"team": "payments"}})))), 1);
    // A file that is wrong, and one that would need another start.
    for (wrong, said) in [
        (with_rules.replace("team: payments", "team: [payments"), "has a list in [ ] that is not closed"),
        (with_rules.replace("id: payments", "name: payments"), "write id"),
        (with_rules.replace("name: main", "name: other"), "needs a restart"),
    ] {
        std::fs::write(program.path("relay.yaml"), wrong).unwrap();
        let reply = reload(&bridge);
        assert!(reply.status == 422 && reply.body.contains(said), "{reply:?}");
        assert_eq!(jobs(&bridge.post("generic", &alert("b", "firing", json!({})))), 0, "the rules in force stay");
    }
    std::fs::write(program.path("relay.yaml"), &file).unwrap();
    let reply = reload(&bridge);
    assert_eq!((reply.status, &reply.json()["reloaded"]), (200, &json!(true)), "{reply:?}");
    assert_eq!(jobs(&bridge.post("generic", &alert("b", "firing", json!({})))), 1);
    (0..3).for_each(|_| drop(bridge.until("outcome")));
    let tags: Vec<Value> = devin.creates().iter().map(|new| new["tags"][3].clone()).collect();
    assert_eq!(tags, ["before", "after", "before"]);
    let elsewhere = request(&bridge.address, "GET", "/api/v1/reload", "", b"").unwrap();
    assert_eq!(elsewhere.status, 405);
    let through_a_proxy =
        request(&bridge.address, "POST", "/api/v1/reload", "X-Forwarded-For: 192.0.2.1\r\n", b"").unwrap();
    assert_eq!(through_a_proxy.status, 403);
}

#[test]
fn keys_are_asked_about_and_payloads_are_simulated() {
    let devin = organization(1);
    let program = with(&devin, RULES)
        .file(
            "payments.json",
            alert("a", "firing", json!({"severity": "high", "labels": {"team": "payments", "service": "shop"}})),
        )
        .file("search.json", alert("b", "firing", json!({"labels": {"team": "search"}})))
        .file("over.json", alert("a", "resolved", json!({})))
        .file("odd.json", "[");
    assert!(
        whole(&program, "alert-relay rules check relay.yaml --online").contains("integration main: the key is good")
    );
    let said = whole(
        &program,
        "alert-relay rules simulate relay.yaml --route generic --alert payments.json --alert search.json --alert over.json --alert odd.json",
    );
    insta::assert_snapshot!(said);
    assert!(whole(&program, "alert-relay rules simulate relay.yaml --alert payments.json").ends_with("exit 2"));
    assert_eq!(devin.creates().len(), 0);
}
