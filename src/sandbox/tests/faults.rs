//! How each fault looks on the wire.

use super::*;
use crate::sandbox::FaultKind;

async fn with_faults(faults: &[&str]) -> Sandbox {
    let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    start(Options { faults, ..Options::default() }).await
}

/// What a client sees of a request that is asked twice; each fault strikes the first time only.
async fn check(fault: FaultKind) -> String {
    let sandbox = with_faults(&[&format!("{fault}:once")]).await;
    let mut seen = Vec::new();
    for _ in 0..2 {
        seen.push(match exchange(&sandbox, &request("{org}/playbooks?first=200")).await {
            Err(error) => format!("{:?}", error.kind()),
            Ok(bytes) => {
                let reply = Reply::read(bytes);
                let promised: usize = reply.header("content-length").unwrap().parse().unwrap();
                let kind = reply.header("content-type").unwrap();
                let wait = reply.header("retry-after").map_or(String::new(), |wait| format!(", retry after {wait}"));
                let sent = if reply.body.len() == promised { "whole" } else { "cut" };
                format!("{} {kind}, {sent}{wait}", reply.status)
            }
        });
    }
    format!("{fault}: {}\n", seen.join(" | then "))
}

#[tokio::test]
async fn each_fault_looks_like_itself_and_once_strikes_once() {
    let mut told = String::new();
    for kind in FaultKind::ALL {
        if kind != FaultKind::Hang {
            told += &check(kind).await;
        }
    }
    insta::assert_snapshot!(told, @"
    429: 429 application/problem+json, whole | then 200 application/json, whole
    429-retry-after: 429 application/problem+json, whole, retry after 1 | then 200 application/json, whole
    500: 500 application/problem+json, whole | then 200 application/json, whole
    reset: ConnectionReset | then 200 application/json, whole
    truncate: 200 application/json, cut | then 200 application/json, whole
    html: 200 text/html; charset=utf-8, whole | then 200 application/json, whole
    stuck-cursor: 200 application/json, whole | then 200 application/json, whole
    ");
}

#[tokio::test]
async fn a_truncated_answer_holds_the_first_half() {
    let sandbox = with_faults(&["truncate:once"]).await;
    let cut = get(&sandbox, "{org}/secrets").await;
    let whole = get(&sandbox, "{org}/secrets").await;
    assert!(whole.body.starts_with(&cut.body));
    assert_eq!(cut.header("content-length"), whole.header("content-length"));
    assert!((100..whole.body.len()).contains(&cut.body.len()));
}

#[tokio::test]
async fn a_hanging_request_gets_nothing_while_the_next_one_is_answered() {
    let sandbox = with_faults(&["hang:once"]).await;
    let request = request("/v3/self");
    let address = ("127.0.0.1", sandbox.port());
    let mut one = TcpStream::connect(address).await.unwrap();
    let mut other = TcpStream::connect(address).await.unwrap();
    one.write_all(request.as_bytes()).await.unwrap();
    other.write_all(request.as_bytes()).await.unwrap();
    let (mut from_one, mut from_other) = (Vec::new(), Vec::new());
    // Whichever was asked first hangs; the answered one ends, since it closes its connection.
    let (answer, silent) = tokio::select! {
        end = one.read_to_end(&mut from_one) => { end.unwrap(); (from_one, other) }
        end = other.read_to_end(&mut from_other) => { end.unwrap(); (from_other, one) }
    };
    assert_eq!(Reply::read(answer).status, 200);
    let silence = silent.try_read(&mut [0]).unwrap_err();
    assert_eq!(silence.kind(), io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn a_stuck_cursor_stands_still_on_every_list() {
    for rate in ["once", "1"] {
        let sandbox = with_faults(&[&format!("stuck-cursor:{rate}")]).await;
        for list in
            ["{org}/sessions", "{org}/sessions/insights", "{org}/playbooks", "{org}/secrets", "{org}/knowledge/notes"]
        {
            let first = get(&sandbox, list).await.json();
            assert_eq!(first["has_next_page"], true);
            let cursor = first["end_cursor"].as_str().unwrap();
            let after = utf8_percent_encode(cursor, NON_ALPHANUMERIC);
            let second = get(&sandbox, &format!("{list}?after={after}")).await.json();
            assert_eq!(second["has_next_page"], true);
            assert_eq!(second["end_cursor"], cursor);
            assert_eq!(second["items"], first["items"]);
        }
        assert_eq!(get(&sandbox, "{org}/knowledge/folders").await.status, 200);
    }
}

#[tokio::test]
async fn several_faults_strike_one_after_the_other() {
    let sandbox = with_faults(&["429-retry-after:once", "500:once"]).await;
    let mut statuses = Vec::new();
    for target in ["/v3/self", "/v3/self", "/v3/self", "/v3/self?again"] {
        statuses.push(get(&sandbox, target).await.status);
    }
    assert_eq!(statuses, [429, 500, 200, 429]);
}
