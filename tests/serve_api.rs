//! What programs see of a running bridge, and what they do with it: every answer is the one that the description promises.

mod common;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use common::bridge::{Bridge, Reply, by, request};
use common::devin::{Devin, Sessions, state};
use common::openapi::Description;
use common::{Program, program};
use serde_json::{Value, json};

const READ: &str = "Xq9vT2kLmZ4wXq9vT2kLmZ4w";
const ADMIN: &str = "Hx8dk2PqLw9vTz4rNc6bYm1s";

const ACCESS: &str =
    "access: {read_token: {env: RELAY_TEST_READ}, admin_token: {name: ops, token: {env: RELAY_TEST_ADMIN}}}\n";

/// An organization whose sessions open a pull request at once.
fn that_works() -> Devin {
    let sessions = Sessions::new().on_look(|_| state("running/finished", true));
    Devin::start(move |heard| sessions.answer(heard))
}

/// One that is out of quota.
fn without_quota() -> Devin {
    let sessions = Sessions::new().on_look(|_| state("suspended/out_of_credits", false));
    Devin::start(move |heard| sessions.answer(heard))
}

fn with(devin: &Devin, top: &str) -> Program {
    let program = by(&devin.settings(), "poll_interval: 1s, pr_grace: 0", top);
    program.variable("RELAY_TEST_READ", READ).variable("RELAY_TEST_ADMIN", ADMIN)
}

fn start(program: &Program) -> Bridge {
    Bridge::start(program, "--rules relay.yaml --store sqlite:relay.db")
}

fn alert(key: &str) -> String {
    json!({"title": format!("{key} is full"), "severity": "high", "dedup_key": key}).to_string()
}

fn bearer(token: &str) -> String {
    if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") }
}

fn ask(bridge: &Bridge, method: &str, path: &str, token: &str, body: &Value) -> Reply {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    request(&bridge.address, method, path, &bearer(token), body.as_bytes()).unwrap()
}

fn kind(reply: &Reply) -> &str {
    reply.head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap_or_default()
}

/// Asks, and holds the answer against the description.
fn described(bridge: &Bridge, method: &str, path: &str, token: &str, body: &Value) -> Reply {
    let description = Description::read();
    let reply = ask(bridge, method, path, token, body);
    let bare = path.split('?').next().unwrap();
    let is_at = |pattern: &str| {
        let (segments, wanted): (Vec<&str>, Vec<&str>) = (bare.split('/').collect(), pattern.split('/').collect());
        let fits = |(segment, wanted): (&&str, &&str)| segment == wanted || wanted.starts_with('{');
        segments.len() == wanted.len() && segments.iter().zip(&wanted).all(fits)
    };
    let operations = description.operations();
    let of_path = operations.iter().filter(|(other, pattern, _)| other == method && is_at(pattern));
    // A path without braces comes before one with them.
    let operation = of_path.min_by_key(|(_, pattern, _)| pattern.contains('{')).map(|(.., operation)| operation);
    let operation = operation.unwrap_or_else(|| panic!("{method} {path} is not described"));
    let wrong = description.compare(operation, reply.status, kind(&reply), &reply.json());
    assert_eq!(wrong, "", "{method} {path}: {reply:?}");
    reply
}

fn get(bridge: &Bridge, path: &str) -> Value {
    let reply = described(bridge, "GET", path, "", &Value::Null);
    assert_eq!(reply.status, 200, "{path}: {reply:?}");
    reply.json()
}

#[test]
fn all_that_can_be_read_is_what_the_description_says() {
    let devin = that_works();
    let top = "limits: {concurrent_sessions: 5, runs: [9/1h], acu_per_day: 50}\n";
    let program = by(&devin.settings(), "poll_interval: 1s, pr_grace: 0, max_acu_limit: 5, storm: {}", top);
    let mut bridge = start(&program);
    let delivery = bridge.post("generic", &alert("disk")).json();
    assert_eq!(bridge.post("generic", &alert("disk")).status, 202);
    assert_eq!(bridge.post("auto", "{\"hello\": 1}").status, 422);
    assert_eq!(bridge.post("auto", "[").status, 400);
    bridge.until("outcome");
    let list = get(&bridge, "/api/v1/alerts");
    let shown = &list["alerts"][0];
    assert_eq!((&shown["responder"]["status"], &shown["severity"]), (&json!("done"), &json!("high")), "{shown}");
    assert!(shown["responder"]["pr_url"].is_string(), "{shown}");
    let (tag, job) = (shown["tag"].as_str().unwrap(), shown["job"]["id"].as_str().unwrap());
    let one = get(&bridge, &format!("/api/v1/alerts/{tag}"));
    let kinds: Vec<String> = one["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let word = ["event", "taken"].iter().find_map(|name| entry[*name].as_str());
            word.or_else(|| entry["decision"]["decision"].as_str()).unwrap_or_default().to_string()
        })
        .collect();
    assert_eq!(kinds[..2], ["started", "duplicate"], "{one:#}");
    for told in ["start", "session_created", "outcome"] {
        assert!(kinds.iter().any(|kind| kind == told), "{told}: {kinds:?}");
    }
    let of_job = get(&bridge, &format!("/api/v1/jobs/{job}"));
    assert!(of_job["prompt"].as_str().unwrap().contains("disk is full"), "{of_job:#}");
    assert_eq!(of_job["delivery_id"], delivery["delivery_id"], "{of_job:#}");
    let id = delivery["delivery_id"].as_str().unwrap();
    assert!(get(&bridge, &format!("/api/v1/deliveries/{id}"))["body"].as_str().unwrap().contains("disk is full"));
    for path in [
        "/healthz",
        "/readyz?at=1795906053583",
        "/api/v1/jobs?responder=done",
        "/api/v1/deliveries?state=duplicate",
        "/api/v1/decisions?decision=start",
        "/api/v1/storms",
        "/api/v1/actions",
        "/api/v1/suppressions",
        "/api/v1/rules",
        "/api/v1/kill-switch",
        "/api/v1/pause",
        "/api/v1/openapi.json",
    ] {
        get(&bridge, path);
    }
    let limits = get(&bridge, "/api/v1/limits");
    let used = &limits["limits"][0];
    assert_eq!((&used["scope"], &used["runs"][0]["used"]), (&json!("bridge"), &json!(1.0)), "{limits}");
    let health = get(&bridge, "/api/v1/integrations");
    assert_eq!(health["integrations"][0]["state"], "ready", "{health}");
    let auto = health["routes"].as_array().unwrap().iter().find(|route| route["name"] == "auto").unwrap();
    let told = (&auto["unrecognized_last_day"], &auto["last_refusal"]["status"]);
    assert_eq!(told, (&json!(1), &json!(400)), "{health}");
    let stats = get(&bridge, "/api/v1/stats?days=2");
    assert_eq!((stats["days"].as_array().unwrap().len(), &stats["time_to_pr"]["count"]), (2, &json!(1)), "{stats}");
    let simulated = described(&bridge, "POST", "/api/v1/rules/simulate?route=generic", "", &json!({"title": "x"}));
    assert!(simulated.body.contains("would start a session by the rule default"), "{simulated:?}");
    for (path, status) in [
        ("/api/v1/alerts/nobody", 404),
        ("/api/v1/jobs/nobody", 404),
        ("/api/v1/deliveries/nobody", 404),
        ("/api/v1/alerts?colour=red", 400),
        ("/api/v1/alerts?severity=bad", 400),
        ("/api/v1/stats?days=0", 400),
        ("/api/v1/alerts/%FF", 400),
    ] {
        assert_eq!(described(&bridge, "GET", path, "", &Value::Null).status, status, "{path}");
    }
    assert_eq!(bridge.alerts().len(), 1, "a simulation creates nothing");
    assert_eq!(devin.count("POST"), 1);
}

#[test]
fn a_list_is_read_page_by_page_with_its_filter() {
    let devin = that_works();
    let program = with(&devin, "");
    let bridge = start(&program);
    for number in 0..7 {
        assert_eq!(bridge.post("generic", &alert(&format!("disk/{number}"))).status, 202);
    }
    assert_eq!(bridge.post("generic", &alert("cpu")).status, 202);
    let (mut keys, mut next) = (Vec::new(), Some("/api/v1/alerts?text=DISK%2F&limit=3".to_string()));
    let mut pages = 0;
    while let Some(path) = next {
        let page = get(&bridge, &path);
        keys.extend(
            page["alerts"].as_array().unwrap().iter().map(|alert| alert["dedupe_key"].as_str().unwrap().to_string()),
        );
        next = page["next"].as_str().map(str::to_string);
        pages += 1;
    }
    keys.sort();
    let expected: Vec<String> = (0..7).map(|number| format!("generic:disk/{number}")).collect();
    assert_eq!((keys, pages), (expected, 3));
}

/// Each address without a token, with the one to read, and with the one to act.
#[test]
fn with_tokens_each_address_answers_only_whoever_may() {
    let devin = that_works();
    let program = with(&devin, ACCESS);
    let mut bridge = start(&program);
    let delivery = bridge.post("generic", &alert("disk")).json();
    bridge.until("outcome");
    let mut table = Vec::new();
    for (method, path, _) in Description::read().operations() {
        let path = path.replace('{', "no-").replace('}', "");
        let statuses = ["", "wrong", READ, ADMIN].map(|token| {
            let reply = ask(&bridge, &method, &path, token, &Value::Null);
            assert!(reply.head.contains("cache-control: no-store"), "{reply:?}");
            let has_challenge = reply.head.contains("www-authenticate: bearer");
            assert_eq!(reply.status == 401, has_challenge, "{reply:?}");
            reply.status.to_string()
        });
        table.push(format!("{method} {path}: {}", statuses.join(" ")));
    }
    insta::assert_snapshot!(table.join("\n"));
    let path = format!("/api/v1/deliveries/{}", delivery["delivery_id"].as_str().unwrap());
    let body = |token| described(&bridge, "GET", &path, token, &Value::Null).json()["body"].clone();
    assert_eq!(body(READ), Value::Null);
    assert!(body(ADMIN).as_str().unwrap().contains("disk is full"));
    assert_eq!(ask(&bridge, "GET", "/readyz", "", &Value::Null).json(), json!({"ready": true}));
    let through_a_proxy = format!("x-forwarded-for: 192.0.2.1\r\n{}", bearer(READ));
    let reply = request(&bridge.address, "GET", "/api/v1/alerts", &through_a_proxy, b"").unwrap();
    assert_eq!(reply.status, 200, "a token is as good through a proxy");
    bridge.signal(rustix::process::Signal::TERM);
    let said = format!("{:?}", bridge.end().0);
    assert!(!said.contains(READ) && !said.contains(ADMIN), "{said}");
}

#[test]
fn what_ran_out_of_quota_is_retried_and_the_trail_says_who_asked() {
    let devin = without_quota();
    let program = with(&devin, ACCESS);
    let mut bridge = start(&program);
    assert_eq!(bridge.post("generic", &alert("disk")).status, 202);
    let ended = bridge.until("outcome");
    assert_eq!(ended["result"], "quota_exceeded", "{ended}");
    let job = ended["job_id"].as_str().unwrap();
    let act = |method: &str, path: &str, body: &Value| described(&bridge, method, path, ADMIN, body);
    let begun = act("POST", &format!("/api/v1/jobs/{job}/retry"), &Value::Null);
    assert_eq!(begun.status, 200, "{begun:?}");
    let tag = begun.json()["alert"].as_str().unwrap().to_string();
    let again = act("POST", &format!("/api/v1/jobs/{job}/retry"), &Value::Null);
    assert_eq!(again.status, 409, "{again:?}");
    assert_eq!(act("POST", "/api/v1/jobs/nobody/retry", &Value::Null).status, 404);
    assert_eq!(act("POST", "/api/v1/alerts/nobody/start", &Value::Null).status, 404);
    let key = json!({"dedupe_key": "generic:disk/a b", "for": "2h"});
    assert_eq!(act("POST", "/api/v1/suppressions", &key).status, 200);
    let listed = described(&bridge, "GET", "/api/v1/suppressions", READ, &Value::Null).json();
    assert_eq!(listed["suppressions"][0]["by"], "ops from 127.0.0.1", "{listed}");
    assert_eq!(act("DELETE", "/api/v1/suppressions/generic%3Adisk%2Fa%20b", &Value::Null).status, 200);
    assert_eq!(act("DELETE", "/api/v1/suppressions/generic%3Adisk%2Fa%20b", &Value::Null).status, 404);
    for body in [json!({"dedupe_key": "x"}), json!({"dedupe_key": "x", "for": "soon"}), json!([])] {
        assert_eq!(act("POST", "/api/v1/suppressions", &body).status, 400, "{body}");
    }
    assert_eq!(act("POST", "/api/v1/pause", &json!({"on": true, "rule": "default"})).status, 200);
    assert_eq!(act("POST", "/api/v1/pause", &json!({"on": false, "rule": "default"})).status, 200);
    assert_eq!(act("POST", "/api/v1/pause", &json!({"on": true, "rule": "nobody"})).status, 404);
    assert_eq!(act("POST", "/api/v1/kill-switch", &json!({"on": false})).status, 200);
    assert_eq!(act("POST", "/api/v1/reload", &Value::Null).status, 200);
    let trail = described(&bridge, "GET", "/api/v1/actions", READ, &Value::Null).json();
    let mut lines: Vec<String> = trail["actions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap().replace(job, "JOB");
            assert_eq!(text("who"), "ops from 127.0.0.1", "{row}");
            let done = if row["is_done"] == true { "done" } else { "refused" };
            format!("{} {}: {done}", text("action"), text("target"))
        })
        .collect();
    lines.sort();
    insta::assert_snapshot!(lines.join("\n"));
    let timeline = described(&bridge, "GET", &format!("/api/v1/alerts/{tag}"), READ, &Value::Null).json();
    let acted = timeline["timeline"].as_array().unwrap().iter().any(|entry| entry["action"]["action"] == "retry");
    assert!(acted, "{timeline:#}");
}

/// The old token lets in until the rules are read again, and the new one from then on.
#[test]
fn a_token_is_replaced_without_a_restart() {
    let devin = that_works();
    let top = "access: {admin_token: {name: ops, token: {file: token}}}\n";
    let program = with(&devin, top).file("token", READ);
    let bridge = start(&program);
    let status = |token| ask(&bridge, "GET", "/api/v1/alerts", token, &Value::Null).status;
    assert_eq!([status(READ), status(ADMIN)], [200, 401]);
    std::fs::write(program.path("token"), ADMIN).unwrap();
    assert_eq!([status(READ), status(ADMIN)], [200, 401]);
    assert_eq!(ask(&bridge, "POST", "/api/v1/reload", READ, &Value::Null).status, 200);
    assert_eq!([status(READ), status(ADMIN)], [401, 200]);
}

#[test]
fn a_web_page_of_somebody_else_can_do_nothing() {
    let devin = that_works();
    let program = with(&devin, "");
    let bridge = start(&program);
    let port = bridge.address.rsplit(':').next().unwrap().to_string();
    let status = |method: &str, headers: &str| {
        let path = if method == "GET" { "/api/v1/alerts" } else { "/api/v1/kill-switch" };
        request(&bridge.address, method, path, headers, b"{\"on\": false}").unwrap().status
    };
    let same = format!("origin: http://127.0.0.1:{port}\r\nsec-fetch-site: same-origin\r\n");
    assert_eq!([status("GET", &same), status("POST", &same)], [200, 200], "its own pages may");
    for headers in ["origin: https://evil.test\r\n", "origin: null\r\n", "sec-fetch-site: cross-site\r\n"] {
        assert_eq!([status("GET", headers), status("POST", headers)], [403, 403], "{headers}");
    }
    for host in ["evil.test", "localhost.evil.test", ""] {
        let mut stream = TcpStream::connect(&bridge.address).unwrap();
        write!(stream, "GET /api/v1/alerts HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
        assert_eq!(common::bridge::reply(stream).unwrap().status, 403, "{host}");
    }
}

#[test]
fn an_address_says_which_methods_it_takes() {
    let bridge = Bridge::start(&program(), "--sandbox --store memory");
    let allowed = |method: &str, path: &str| {
        let reply = request(&bridge.address, method, path, "", b"").unwrap();
        let allow = reply.head.lines().find_map(|line| line.strip_prefix("allow: ")).unwrap_or_default().to_string();
        format!("{method} {path}: {} {allow}", reply.status)
    };
    let said = [
        allowed("OPTIONS", "/api/v1/pause"),
        allowed("OPTIONS", "/api/v1/alerts/x/start"),
        allowed("OPTIONS", "/nowhere"),
        allowed("DELETE", "/api/v1/alerts"),
        allowed("GET", "/api/v1/reload"),
        allowed("PUT", "/api/v1/suppressions/x"),
    ];
    assert_eq!(
        said,
        [
            "OPTIONS /api/v1/pause: 204 get, head, post, options",
            "OPTIONS /api/v1/alerts/x/start: 204 post, options",
            "OPTIONS /nowhere: 404 ",
            "DELETE /api/v1/alerts: 405 get, head, options",
            "GET /api/v1/reload: 405 post, options",
            "PUT /api/v1/suppressions/x: 405 delete, options",
        ]
    );
    let mut stream = TcpStream::connect(&bridge.address).unwrap();
    write!(stream, "HEAD /api/v1/alerts HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n"), "{answer}");
    let problem = bridge.get("/nowhere");
    assert_eq!(kind(&problem), "application/problem+json");
    let fields = problem.json();
    assert_eq!(
        (&fields["type"], &fields["title"], &fields["status"]),
        (&json!("about:blank"), &json!("Not Found"), &json!(404))
    );
    assert!(fields["detail"].as_str().unwrap().contains("/api/v1/openapi.json"), "{fields}");
}
