//! What is refused, and with which words.

use super::*;

#[tokio::test]
async fn every_refusal_is_a_problem_document_with_its_status() {
    let without_permissions = ["ManageOrgSecrets", "ManageOrgKnowledge"].map(str::to_owned);
    let options = Options { without_permissions: without_permissions.to_vec(), ..Options::default() };
    let sandbox = start(options).await;
    let get = request;
    let cases = [
        get("/v3/self").replace("authorization", "x-authorization"),
        get("/v3/self").replace(TOKEN, "cog_another"),
        get("/v3/self").replace("Bearer", "Basic"),
        get("{org}/secrets"),
        get("{org}/knowledge/folders"),
        get("/v3/organizations/org-another/sessions"),
        get("{org}/snapshots"),
        get("{org}/sessions/"),
        get("/"),
        get("{org}/sessions/0123456789abcdef0123456789abcdef"),
        get("{org}/sessions/devin-nobody/messages"),
        get("{org}/sessions").replace("GET", "PATCH"),
        get("{org}/playbooks").replace("GET", "DELETE"),
        get("{org}/sessions?first=0"),
        get("{org}/playbooks?first=201"),
        get("{org}/sessions?created_after=2026-01-01"),
        get("{org}/sessions?category=gardening"),
        get("{org}/sessions?is_archived=maybe"),
        get("{org}/sessions?after=%3D%3D"),
    ];
    let mut told = String::new();
    for case in cases {
        let reply = Reply::read(exchange(&sandbox, &case).await.unwrap());
        let asked = case.lines().next().unwrap().replace(ORG_ID, "{org}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
        assert_eq!(reply.json()["status"], reply.status);
        let allow = reply.header("allow").map_or(String::new(), |methods| format!(" allow: {methods}"));
        let detail = reply.json()["detail"].as_str().unwrap().to_owned();
        told += &format!("{} {asked}: {detail}{allow}\n", reply.status);
    }
    insta::assert_snapshot!(told, @"
    403 GET /v3/self HTTP/1.1: not authenticated
    401 GET /v3/self HTTP/1.1: invalid token
    401 GET /v3/self HTTP/1.1: invalid token
    403 GET /v3/organizations/{org}/secrets HTTP/1.1: missing permission: ManageOrgSecrets
    403 GET /v3/organizations/{org}/knowledge/folders HTTP/1.1: missing permission: ManageOrgKnowledge
    404 GET /v3/organizations/org-another/sessions HTTP/1.1: organization not found
    404 GET /v3/organizations/{org}/snapshots HTTP/1.1: path not found
    404 GET /v3/organizations/{org}/sessions/ HTTP/1.1: session not found
    404 GET / HTTP/1.1: path not found
    404 GET /v3/organizations/{org}/sessions/0123456789abcdef0123456789abcdef HTTP/1.1: session not found
    404 GET /v3/organizations/{org}/sessions/devin-nobody/messages HTTP/1.1: session not found
    405 PATCH /v3/organizations/{org}/sessions HTTP/1.1: method not allowed allow: get, post
    405 DELETE /v3/organizations/{org}/playbooks HTTP/1.1: method not allowed allow: get
    422 GET /v3/organizations/{org}/sessions?first=0 HTTP/1.1: the request has an invalid parameter
    422 GET /v3/organizations/{org}/playbooks?first=201 HTTP/1.1: the request has an invalid parameter
    422 GET /v3/organizations/{org}/sessions?created_after=2026-01-01 HTTP/1.1: the request has an invalid parameter
    422 GET /v3/organizations/{org}/sessions?category=gardening HTTP/1.1: the request has an invalid parameter
    422 GET /v3/organizations/{org}/sessions?is_archived=maybe HTTP/1.1: the request has an invalid parameter
    400 GET /v3/organizations/{org}/sessions?after=%3D%3D HTTP/1.1: the cursor is not one of this list
    ");
}

#[tokio::test]
async fn a_problem_document_is_whole() {
    let sandbox = start(Options::default()).await;
    let reply = get(&sandbox, "{org}/sessions?first=201").await;
    insta::assert_snapshot!(reply.body, @r#"{"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"the request has an invalid parameter","instance":"/v3/organizations/org-5a4db0c05a4db0c05a4db0c05a4db0c0/sessions","errors":[{"loc":["query","first"],"msg":"Input should be less than or equal to 200","type":"less_than_equal","input":"201"}]}"#);
}

#[tokio::test]
async fn a_key_may_ask_who_it_is_without_any_permission() {
    let options = Options { without_permissions: vec!["ViewOrgSessions".to_owned()], ..Options::default() };
    let sandbox = start(options).await;
    insta::assert_snapshot!(get(&sandbox, "/v3/self").await.body, @r#"{"principal_type":"service_user","service_user_id":"service-user-3f0c9d6e8b5a4f2c9a7d1e6b0c4f8a23","service_user_name":"alert-bridge","org_id":"org-5a4db0c05a4db0c05a4db0c05a4db0c0"}"#);
    assert_eq!(get(&sandbox, "{org}/sessions").await.status, 403);
    assert_eq!(get(&sandbox, "{org}/secrets").await.status, 200);
}

#[tokio::test]
async fn every_permission_can_be_left_out() {
    let without_permissions = crate::sandbox::PERMISSIONS.map(str::to_owned).to_vec();
    let sandbox = start(Options { without_permissions, ..Options::default() }).await;
    for list in ["sessions", "sessions/insights", "playbooks", "secrets", "knowledge/notes", "knowledge/folders"] {
        assert_eq!(get(&sandbox, &format!("{{org}}/{list}")).await.status, 403, "{list}");
    }
}

#[tokio::test]
async fn paths_may_be_percent_encoded() {
    let sandbox = start(Options::default()).await;
    let target = "{org}/sessions".replace("{org}", &format!("/v3/organizations/{}", ORG_ID.replace('-', "%2D")));
    assert_eq!(get(&sandbox, &target).await.status, 200);
}

#[tokio::test]
async fn a_connection_is_kept_and_the_length_is_told() {
    let sandbox = start(Options::default()).await;
    let kept = request("/v3/self").replace("connection: close\r\n", "");
    let both = exchange(&sandbox, &format!("{kept}{}", request("/v3/self"))).await.unwrap();
    let both = String::from_utf8(both).unwrap();
    assert_eq!(both.matches("HTTP/1.1 200 OK\r\n").count(), 2);
    let body = get(&sandbox, "/v3/self").await.body;
    let length = format!("content-length: {}\r\n", body.len());
    assert_eq!(both.matches(&length).count(), 2);
}

#[tokio::test]
async fn dropping_the_sandbox_stops_it() {
    let sandbox = start(Options::default()).await;
    assert_eq!(sandbox.url(), format!("http://127.0.0.1:{}", sandbox.port()));
    let port = sandbox.port();
    fn may_cross_threads(_: &impl Send) {}
    may_cross_threads(&Sandbox::start(Options::default()));
    may_cross_threads(&sandbox);
    let mut open = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    drop(sandbox);
    assert_eq!(open.read(&mut [0]).await.unwrap_or(0), 0);
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
}

#[tokio::test]
async fn a_taken_port_is_an_error() {
    let sandbox = start(Options::default()).await;
    let options = Options { port: sandbox.port(), ..Options::default() };
    let error = Sandbox::start(options).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
}
