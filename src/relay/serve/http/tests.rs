//! What a connection may cost, whatever the other side does. The clock stands still but for what is waited for.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::watch::channel;
use tokio::time::{Instant, pause};

use super::connections::{HEAD, exchange};
use super::places::Places;
use super::*;
use crate::output::Output;
use crate::relay::serve::auth::tests::sns_messages::{confirmation, pending};
use crate::relay::serve::live::Served;
use crate::relay::serve::metrics::Names;
use crate::relay::serve::rules::{Devin, Surroundings, check};
use crate::relay::serve::store::Address;
use redact::Redactor;

const RULES: &str = "routes: [{name: generic, kind: generic, auth: none}]\n";

struct Nowhere;

impl Surroundings for Nowhere {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &str) -> Result<Vec<u8>, std::io::ErrorKind> {
        Err(std::io::ErrorKind::NotFound)
    }
}

/// What a delivery to this door is read by.
pub fn served() -> Arc<Served> {
    let rules = check(RULES, Devin::Nobody, &Nowhere).unwrap();
    Live::new(rules, Redactor::default(), None).now()
}

/// A door, after which the clock stands still.
async fn door() -> Arc<Door> {
    door_with(Sns::new()).await
}

async fn door_with(sns: Sns) -> Arc<Door> {
    let log = Log::new(&Output::to(Box::new(std::io::sink())), true);
    let rules = check(RULES, Devin::Nobody, &Nowhere).unwrap();
    let store = Arc::new(Store::open(&Address::Memory).await.unwrap());
    let (_, stop) = channel(None);
    let (wake, integrations) = (Vec::new(), Vec::new());
    let live = Arc::new(Live::new(rules, Redactor::default(), None));
    pause();
    Arc::new(Door {
        live,
        bounds: tokio::sync::watch::Sender::default(),
        log,
        wake,
        integrations,
        stop,
        store,
        owner: "relay-1".to_string(),
        sns,
        refusals: Refusals::default(),
        metrics: Arc::new(Metrics::new(Names::default())),
        open: Open::default(),
        tls: None,
        form_key: Secret::new("key"),
        backing_up: tokio::sync::Mutex::default(),
    })
}

/// A connection to a door, from the side of whoever asks.
async fn connection(door: &Arc<Door>) -> DuplexStream {
    let (near, far) = tokio::io::duplex(1 << 20);
    let peer = SocketAddr::from(([127, 0, 0, 1], 9));
    let (door, place) = (Arc::clone(door), Places::new(1).take().await);
    tokio::spawn(async move {
        let (_close, closing) = channel(false);
        exchange(far, peer, door, closing, place).await;
    });
    near
}

/// The lines that begin the answers to what is sent, and after how many seconds the connection was closed.
async fn answers(door: &Arc<Door>, sent: &[u8]) -> (Vec<String>, u64) {
    let mut stream = connection(door).await;
    stream.write_all(sent).await.unwrap();
    told(stream).await
}

async fn told(mut stream: DuplexStream) -> (Vec<String>, u64) {
    let began = Instant::now();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).await.unwrap();
    let said = String::from_utf8_lossy(&said);
    let lines = said.lines().filter(|line| line.contains("HTTP/1.")).map(|line| {
        let at = line.find("HTTP/1.").unwrap_or_default();
        line[at + 9..].to_string()
    });
    (lines.collect(), began.elapsed().as_secs())
}

const POST: &str = "POST /v1/hooks/generic HTTP/1.1\r\nhost: localhost\r\n";

#[tokio::test]
async fn a_head_that_does_not_come_is_not_waited_for_without_end() {
    let door = door().await;
    for sent in ["", "POST /v1/hooks/gen", POST] {
        let (lines, seconds) = answers(&door, sent.as_bytes()).await;
        assert_eq!((lines.len(), seconds), (0, HEAD.as_secs()), "{sent:?}: {lines:?}");
    }
}

#[tokio::test]
async fn a_body_that_drips_is_answered_with_408_and_closed() {
    let mut stream = connection(&door().await).await;
    stream.write_all(format!("{POST}content-length: 1000\r\n\r\n").as_bytes()).await.unwrap();
    let (mut reading, mut writing) = tokio::io::split(stream);
    let drip = async {
        // A byte a second, as long as somebody listens.
        while writing.write_all(b" ").await.is_ok() {
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        std::future::pending::<()>().await;
    };
    let read = async {
        let mut said = String::new();
        reading.read_to_string(&mut said).await.unwrap();
        said
    };
    let said = tokio::select! { said = read => said, () = drip => unreachable!() };
    assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
}

#[tokio::test]
async fn what_is_no_request_is_refused_and_the_connection_closed() {
    let door = door().await;
    let many: String = (0..129).map(|number| format!("x-{number}: 1\r\n")).collect();
    let long = format!("x: {}\r\n", "y".repeat(500_000));
    let close = "connection: close\r\n\r\n";
    let mut table = Vec::new();
    for (what, sent) in [
        ("129 headers", format!("{POST}{many}{close}")),
        ("a header of 500 KB", format!("{POST}{long}{close}")),
        ("a path of 70 KB", format!("GET /{} HTTP/1.1\r\nhost: localhost\r\n{close}", "a".repeat(70_000))),
        ("chunks without a length", format!("{POST}transfer-encoding: chunked\r\n\r\nxyz\r\n{{}}\r\n0\r\n\r\n")),
        ("a chunk that is too long", format!("{POST}transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n")),
        ("two lengths", format!("{POST}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}}")),
        ("a length that is none", format!("{POST}content-length: -1\r\n\r\n")),
        ("another coding", format!("{POST}transfer-encoding: gzip\r\n\r\n")),
        ("no HTTP", "\x16\x03\x01\x02\x00\x01".to_string()),
        ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_string()),
        ("HTTP/9", "GET /healthz HTTP/9.9\r\n\r\n".to_string()),
        ("a header with a line feed in it", format!("{POST}x: a\n b\r\n{close}")),
    ] {
        let (lines, seconds) = answers(&door, sent.as_bytes()).await;
        table.push(format!("{what}: {}, after {seconds} s", lines.join(", ")));
    }
    insta::assert_snapshot!(table.join("\n"));
}

/// A length beside chunks has been used to smuggle a second request past a proxy.
#[tokio::test]
async fn a_length_beside_chunks_makes_no_second_request() {
    let door = door().await;
    let smuggled = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let sent = format!("{POST}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}");
    let (lines, _) = answers(&door, sent.as_bytes()).await;
    insta::assert_snapshot!(lines.join(", "));
}

#[tokio::test]
async fn requests_that_come_at_once_are_answered_in_their_order() {
    let door = door().await;
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let refused = "POST /v1/hooks/nobody HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{}";
    let sent = [get("/healthz"), get("/nowhere"), refused.to_string(), get("/healthz")].concat();
    let (lines, seconds) = answers(&door, sent.as_bytes()).await;
    assert_eq!(lines, ["200 OK", "404 Not Found", "404 Not Found", "200 OK"]);
    assert_eq!(seconds, HEAD.as_secs(), "then the next one is waited for as long as any");
}

#[tokio::test]
async fn a_subscription_is_answered_with_200_once_it_is_confirmed_and_with_503_until_then() {
    const CERTIFICATE: &[u8] = include_bytes!("../auth/tests/sns.pem");
    let tried = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let sns = Sns::with(Box::new(move |_| {
        let answer = match tried.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            1 => Err("it answered 500".to_string()),
            _ => Ok(CERTIFICATE.to_vec()),
        };
        Box::pin(async { answer })
    }));
    let door = door_with(sns).await;
    let Ok(auth::Verdict::Accepted(accepted)) = door.sns.verify(&pending(&confirmation())).await else { panic!() };
    let kept = || Answer::new(StatusCode::ACCEPTED, json!({"accepted": true}));
    let mut statuses = Vec::new();
    for _ in 0..2 {
        statuses.push(door.confirm(accepted.clone(), kept()).await.status.as_u16());
    }
    assert_eq!(statuses, [503, 200]);
    let alert = Accepted { confirm: None, ..accepted };
    assert_eq!(door.confirm(alert, kept()).await.status, 202, "nothing is asked for");
}
