//! `alert-relay serve` as it is set up: where it listens, what it says beforehand, and what can be asked of it.

mod common;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use common::bridge::{Bridge, at, reply, request};
use common::{Sandboxed, program};
use rustix::process::Signal;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};

const DISK_FULL: &str =
    r#"{"title": "disk full", "status": "firing", "dedup_key": "disk", "note": "password=hunter22hunter"}"#;

/// Made for these tests, and of no use elsewhere.
const CERTIFICATE: &str = include_str!("tls/cert.pem");
const KEY: &str = include_str!("tls/key.pem");
/// The same, until 2021, from 2099 on, and the key of another one.
const EXPIRED: &str = include_str!("tls/expired.pem");
const EARLY: &str = include_str!("tls/early.pem");
const OTHER_KEY: &str = include_str!("tls/other-key.pem");

#[test]
fn a_check_says_what_would_be_served_and_serves_nothing() {
    let rules = "\
namespace: staging
integrations:
  - {name: main, api_key: {env: RELAY_TEST_KEY}, org_id: org-1}
routes:
  - {name: github, kind: github, auth: {bearer: {env: RELAY_TEST_SECRET}}}
  - {name: uptime, kind: any, auth: {path: {env: RELAY_TEST_SECRET}}}
  - {name: local, auth: none}
";
    let program = program().file("relay.yaml", rules).variable("RELAY_TEST_SECRET", "Xq9vT2kLmZ4wXq9vT2kLmZ4w");
    let missing = program.run("alert-relay serve --rules relay.yaml --listen localhost:0 --check");
    let program = program.variable("RELAY_TEST_KEY", "cog_Xq9vT2kLmZ4wXq9vT2kLmZ4w");
    let right = program.run("alert-relay serve --rules relay.yaml --listen localhost:0 --check");
    let simulated = program.run("alert-relay serve --rules relay.yaml --listen localhost:0 --sandbox --check");
    let ran = [missing, right, simulated]
        .map(|ran| format!("{}{}\n{}", String::from_utf8_lossy(&ran.stdout), ran.stderr, ran.exit()));
    insta::assert_snapshot!(ran.join("\n\n"));
    assert_eq!(program.files(), ["relay.yaml"], "no store is made");
}

#[test]
fn a_check_looks_at_the_place_of_the_store_and_the_address() {
    let closed = "routes: [{name: github, kind: github, auth: {github: {env: RELAY_TEST_SECRET}}}]\n";
    let program = program().file("closed.yaml", closed).variable("RELAY_TEST_SECRET", "Xq9vT2kLmZ4wXq9vT2kLmZ4w");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let check = |arguments: &str| {
        let ran = program.run(&format!("alert-relay serve --sandbox --check {arguments}"));
        let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), ran.stderr);
        let said = said.lines().filter(|line| line.contains("warning: somebody") || line.starts_with("error: "));
        format!("{}\n{}", said.collect::<Vec<_>>().join("\n"), ran.exit()).replace(&address.to_string(), "ADDRESS")
    };
    let said = [
        check("--listen 127.0.0.1:0 --store sqlite:relay.db"),
        check("--listen 127.0.0.1:0 --store sqlite:missing/relay.db"),
        check(&format!("--listen {address}")),
        check("--listen 192.0.2.1:8080 --rules closed.yaml"),
    ];
    insta::assert_snapshot!(said.join("\n"));
    assert_eq!(program.files(), ["closed.yaml"], "nothing is left");
}

#[test]
fn a_check_refuses_a_certificate_that_no_client_trusts_and_the_bridge_warns_of_it() {
    let program = program()
        .file("cert.pem", CERTIFICATE)
        .file("key.pem", KEY)
        .file("expired.pem", EXPIRED)
        .file("early.pem", EARLY)
        .file("chain.pem", format!("{CERTIFICATE}{EXPIRED}"))
        .file("other.pem", OTHER_KEY);
    let check = |files: &str| {
        let ran = program.run(&format!("alert-relay serve --sandbox --check --listen 127.0.0.1:0 {files}"));
        (ran.exit(), ran.stderr)
    };
    assert_eq!(check("--tls-cert cert.pem --tls-key key.pem"), ("exit 0".to_string(), String::new()));
    for (files, told) in [
        ("--tls-cert expired.pem --tls-key key.pem", "the certificate in expired.pem expired on 2021-01-01T00:00:00Z"),
        ("--tls-cert chain.pem --tls-key key.pem", "certificate 2 in chain.pem expired on 2021-01-01T00:00:00Z"),
        (
            "--tls-cert early.pem --tls-key key.pem",
            "the certificate in early.pem is not valid before 2099-01-01T00:00:00Z",
        ),
        (
            "--tls-cert cert.pem --tls-key other.pem",
            "the key in other.pem does not belong to the first certificate in cert.pem",
        ),
    ] {
        let (exit, said) = check(files);
        assert!(exit == "exit 1" && said.contains(told), "{files}: {said}");
    }
    // It goes on serving: who does not look is served all the same, and who looks is told what is wrong.
    let mut bridge = Bridge::start(&program, "--sandbox --tls-cert expired.pem --tls-key key.pem");
    let warned = bridge.until("warning");
    let mut all = vec![warned];
    while !all.last().unwrap()["message"].as_str().unwrap().contains("expired on") {
        all.push(bridge.until("warning"));
    }
    let asked = program.run(&format!("alert-relay ps --bridge https://{} --ca-file expired.pem", bridge.address));
    assert!(asked.text().contains("Its certificate has expired, which --ca-file does not change"), "{}", asked.text());
}

#[test]
fn a_database_that_is_asked_over_the_network_unverified_is_told_of() {
    let check = |store: &str| {
        let ran = program().run(&format!("alert-relay serve --sandbox --listen 127.0.0.1:0 --check --store {store}"));
        String::from_utf8(ran.stdout).unwrap()
    };
    let said = check("postgres://me:Xq9vT2kLmZ4w@db.invalid/relay");
    assert!(
        said.contains("warning: PostgreSQL is asked over the network without making sure that it is the right one"),
        "{said}"
    );
    assert!(!said.contains("Xq9v"), "{said}");
    for sure in ["postgres://localhost/relay", "postgres://db.invalid/relay?sslmode=verify-full"] {
        assert!(!check(sure).contains("without making sure"), "{sure}");
    }
}

#[test]
fn where_it_cannot_listen_or_keep_is_said_with_what_to_do() {
    let program = program().file("cert.pem", CERTIFICATE).file("key.pem", KEY).file("empty.pem", "");
    let mut said = String::new();
    for arguments in [
        "--listen 8080",
        "--listen localhost",
        "--listen :8080",
        "--tls-cert cert.pem",
        "--tls-cert missing.pem --tls-key key.pem",
        "--tls-cert key.pem --tls-key key.pem",
        "--tls-cert cert.pem --tls-key cert.pem",
        "--tls-cert cert.pem --tls-key empty.pem",
        "--store sqlite:missing/relay.db",
        "--store sqlite:.",
    ] {
        let ran = program.run(&format!("alert-relay serve --sandbox {arguments}"));
        let first = ran.stderr.lines().next().unwrap_or_default();
        said += &format!("{arguments}\n  {first}\n  {}\n", ran.exit());
    }
    insta::assert_snapshot!(said);
}

#[test]
fn a_delivery_comes_in_encrypted_and_not_in_the_clear() {
    let program = program().file("cert.pem", CERTIFICATE).file("key.pem", KEY);
    let bridge = Bridge::start(&program, "--sandbox --tls-cert cert.pem --tls-key key.pem");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    let name = ServerName::try_from("localhost").unwrap();
    let connection = rustls::ClientConnection::new(config, name).unwrap();
    let mut stream = rustls::StreamOwned::new(connection, TcpStream::connect(&bridge.address).unwrap());
    let length = DISK_FULL.len();
    let head =
        format!("POST /v1/hooks/generic HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}");
    write!(stream, "{head}\r\n\r\n{DISK_FULL}").unwrap();
    let mut answer = String::new();
    // Whether the connection is closed with a word or without one is no matter here.
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    let clear = bridge.post("generic", DISK_FULL);
    assert_eq!(clear.status, 400, "not in the clear");
    assert!(clear.body.contains("https://"), "{clear:?}");
    let silent = TcpStream::connect(&bridge.address).unwrap();
    bridge.signal(Signal::TERM);
    assert!(bridge.end().1.success());
    drop(silent);
}

#[test]
fn a_delivery_can_be_looked_at_without_its_secrets() {
    let bridge = Bridge::start(&program(), "--sandbox --store memory");
    let id = |body: &str| bridge.post("generic", body).json()["delivery_id"].as_str().unwrap().to_string();
    let (fired, odd, again) = (id(DISK_FULL), id("{\"hello\": 1}"), id(DISK_FULL));
    let states = |query: &str| {
        let listed = bridge.get(&format!("/api/v1/deliveries{query}")).json();
        let listed = listed["deliveries"].as_array().unwrap().clone();
        listed.iter().map(|one| (one["id"].as_str().unwrap().to_string(), one["state"].clone())).collect::<Vec<_>>()
    };
    let mut all = states("");
    all.sort_by_key(|(id, _)| [&fired, &odd, &again].iter().position(|known| *known == id));
    let expected = [("alerts", &fired), ("unrecognized", &odd), ("duplicate", &again)];
    assert_eq!(all, expected.map(|(state, id)| (id.clone(), json!(state))));
    assert_eq!(states("?state=unrecognized"), [(odd.clone(), json!("unrecognized"))]);
    let shown = bridge.get(&format!("/api/v1/deliveries/{fired}")).json();
    assert_eq!((&shown["route"], &shown["state"]), (&json!("generic"), &json!("alerts")));
    let body: Value = serde_json::from_str(shown["body"].as_str().unwrap()).unwrap();
    assert_eq!((&body["title"], &body["note"]), (&json!("disk full"), &json!("password=****")));
    let odd = bridge.get(&format!("/api/v1/deliveries/{odd}")).json();
    assert!(odd["reason"].as_str().unwrap().contains("title is missing"), "{odd}");
    assert_eq!(bridge.get("/api/v1/deliveries/nobody").status, 404);
    assert_eq!(bridge.get("/api/v1/deliveries?state=lost").status, 400);
    let through_a_proxy = "x-forwarded-for: 192.0.2.1\r\n";
    for path in ["/api/v1/deliveries", &format!("/api/v1/deliveries/{fired}")] {
        assert_eq!(request(&bridge.address, "GET", path, through_a_proxy, b"").unwrap().status, 403, "{path}");
    }
}

/// A webhook of GitHub that nobody has set to JSON; the signature is over the form as it was sent.
#[test]
fn an_event_of_github_in_a_form_is_read_and_its_signature_is_over_the_form() {
    let secret = "Xq9vT2kLmZ4wXq9vT2kLmZ4w";
    let rules = "routes: [{name: github, kind: github, auth: {github: {env: RELAY_TEST_SECRET}}}]\n";
    let program = program().file("relay.yaml", rules).variable("RELAY_TEST_SECRET", secret);
    let bridge = Bridge::start(&program, "--sandbox --rules relay.yaml");
    let event = std::fs::read_to_string("tests/payloads/github-workflow-firing.json").unwrap();
    let form = format!("payload={}", percent_encoding::utf8_percent_encode(&event, percent_encoding::NON_ALPHANUMERIC));
    let post = |signed: &str| {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
        let tag = ring::hmac::sign(&key, signed.as_bytes());
        let tag: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let headers = format!(
            "content-type: application/x-www-form-urlencoded\r\nx-hub-signature-256: sha256={tag}\r\nx-github-event: workflow_run\r\n"
        );
        request(&bridge.address, "POST", "/v1/hooks/github", &headers, form.as_bytes()).unwrap()
    };
    assert_eq!(post(&event).status, 403, "signed is what is sent");
    let reply = post(&form);
    assert_eq!((reply.status, reply.json()["job_ids"].as_array().unwrap().len()), (202, 1), "{reply:?}");
}

#[test]
fn a_stranger_is_refused_without_waiting_for_its_body() {
    let rules = "routes: [{name: closed, kind: any, auth: {bearer: {env: RELAY_TEST_SECRET}}}]\n";
    let program = program().file("relay.yaml", rules).variable("RELAY_TEST_SECRET", "Xq9vT2kLmZ4wXq9vT2kLmZ4w");
    let bridge = Bridge::start(&program, "--sandbox --store memory --rules relay.yaml");
    let mut stream = TcpStream::connect(&bridge.address).unwrap();
    let head =
        "POST /v1/hooks/closed HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer no\r\ncontent-length: 1000000";
    write!(stream, "{head}\r\n\r\n{{\"title\":").unwrap();
    assert_eq!(reply(stream).unwrap().status, 401, "and not 408 after the time that a body may take");
}

#[test]
fn a_proxy_that_names_another_host_opens_nothing() {
    let bridge = Bridge::start(&program(), "--sandbox --store memory");
    for path in ["GET /api/v1/alerts", "GET /api/v1/deliveries", "POST /v1/hooks/auto"] {
        for (version, host, status) in [("1.1", "relay.example.com", 403), ("1.0", "127.0.0.1:8080", 403)] {
            let mut stream = TcpStream::connect(&bridge.address).unwrap();
            write!(stream, "{path} HTTP/{version}\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
            assert_eq!(reply(stream).unwrap().status, status, "{path} {host}");
        }
    }
    let typed = request(&bridge.address, "GET", "/api/v1/alerts", "sec-fetch-site: none\r\n", b"").unwrap();
    assert_eq!(typed.status, 200, "a person may look with a browser");
}

#[test]
fn an_alert_says_what_it_waits_for() {
    let sandbox = Sandboxed::start("--sessions 2");
    let mut settings: Value = serde_json::from_str(&sandbox.config).unwrap();
    settings["api_token"] = json!("cog_t3st-0nly_k3y");
    let program = at(&settings.to_string());
    let mut bridge = Bridge::start(&program, "--rules relay.yaml");
    bridge.post("generic", DISK_FULL);
    while !bridge.until("warning")["message"].as_str().unwrap().contains("is paused") {}
    let alerts = bridge.alerts();
    let reason = alerts[0]["job"]["waits_for"].as_str().unwrap_or_default().to_string();
    assert!(reason.starts_with("the integration main is paused: ") && !reason.contains("t3st"), "{alerts:?}");
}

/// As systemd does it where a unit has `Accept=yes`: what is handed over is a connection.
#[test]
fn a_socket_that_is_handed_over_and_does_not_listen_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let shell = "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"";
    let ran = Command::new("sh")
        .args(["-c", shell, "sh", env!("CARGO_BIN_EXE_source-devin-ai"), "alert-relay", "serve", "--sandbox"])
        .stdin(std::os::fd::OwnedFd::from(connection))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1), "{said}");
    assert!(said.contains("hands over a socket that does not listen") && said.contains("Accept=yes"), "{said}");
}

/// As systemd does it: a socket that stays open over restarts, and a place to tell that all is well.
#[test]
fn it_listens_on_a_socket_that_is_handed_over_and_tells_its_supervisor() {
    let program = program();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    // What comes before the process is there waits for it.
    let early = std::thread::spawn({
        let address = address.clone();
        move || request(&address, "POST", "/v1/hooks/generic", "", DISK_FULL.as_bytes())
    });
    let supervisor = UnixDatagram::bind(program.path("notify")).unwrap();
    supervisor.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let told = || {
        let mut bytes = [0; 64];
        let length = supervisor.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    };
    let shell = "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"";
    let child = Command::new("sh")
        .args(["-c", shell, "sh", env!("CARGO_BIN_EXE_source-devin-ai"), "alert-relay", "serve", "--sandbox"])
        .env("NOTIFY_SOCKET", program.path("notify"))
        .env("WATCHDOG_USEC", "60000000")
        .stdin(std::os::fd::OwnedFd::from(listener))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let bridge = Bridge::of(child);
    assert_eq!(bridge.address, address);
    assert_eq!(early.join().unwrap().unwrap().status, 202);
    let mut states = [told(), told()];
    states.sort();
    assert_eq!(states, ["READY=1", "WATCHDOG=1"]);
    bridge.signal(Signal::TERM);
    assert_eq!(told(), "STOPPING=1");
    assert!(bridge.end().1.success());
}
