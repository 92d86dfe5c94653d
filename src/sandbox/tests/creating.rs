//! What creates a session, and what does not.

use super::*;
use serde_json::json;

/// One row for a reply: its status, and what it says.
fn told(reply: &Reply) -> String {
    let body = reply.json();
    let errors = body["errors"].as_array().into_iter().flatten().map(|error| {
        let steps = error["loc"].as_array().unwrap().iter();
        let steps: Vec<String> = steps.map(|step| step.to_string().replace('"', "")).collect();
        format!("; {}: {} ({})", steps.join("."), error["msg"].as_str().unwrap(), error["type"].as_str().unwrap())
    });
    let what = if reply.status == 200 { &body["status"] } else { &body["detail"] };
    format!("{} {}{}", reply.status, what.as_str().unwrap(), errors.collect::<String>())
}

#[tokio::test]
async fn a_new_session_is_told_whole_and_without_what_comes_later() {
    let sandbox = start(Options { session_seconds: 0.0, ..Options::default() }).await;
    let body = json!({
        "prompt": "Find out why checkout answers 502", "title": "Checkout is down", "tags": ["b", "a", "b"],
        "playbook_id": "playbook-1", "devin_mode": "fast", "max_acu_limit": 5, "platform": "Linux",
        "repos": ["northwind-labs/storefront"], "structured_output_schema": {"type": "object"}, "unheard_of": 1,
    });
    let reply = create(&sandbox, &body).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    let created = reply.json();
    assert!(created["created_at"].as_i64() >= Some(1_780_272_000));
    assert_eq!(created["created_at"], created["updated_at"]);
    let redacted = reply.body.replace(&created["created_at"].to_string(), "<now>");
    insta::assert_snapshot!(redacted, @r#"{"session_id":"7cc13109c5bb9594ffcf51337b4ddc67","url":"https://app.devin.ai/sessions/7cc13109c5bb9594ffcf51337b4ddc67","org_id":"org-5a4db0c05a4db0c05a4db0c05a4db0c0","status":"new","status_detail":null,"title":"Checkout is down","tags":["b","a","b"],"created_at":<now>,"updated_at":<now>,"acus_consumed":0.00,"pull_requests":[],"user_id":null,"service_user_id":"service-user-3f0c9d6e8b5a4f2c9a7d1e6b0c4f8a23","playbook_id":"playbook-1","automation_id":null,"parent_session_id":null,"child_session_ids":null,"is_archived":false,"origin":"api","category":null,"subcategory":null,"devin_mode":"fast","structured_output":null,"security_profile":null}"#);
    let id = created["session_id"].as_str().unwrap();
    let read = get(&sandbox, &format!("{{org}}/sessions/{id}")).await.json();
    let names = |session: &Value| session.as_object().unwrap().keys().cloned().collect::<Vec<String>>();
    assert_eq!(names(&read), names(&created));
    assert_eq!(names(&read), names(&items(&sandbox, "{org}/sessions?first=50").await[1]));
    assert_eq!(get(&sandbox, &format!("{{org}}/sessions/devin-{id}")).await.json(), read);
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_and_creates_nothing() {
    let sandbox = start(Options { sessions: 0, ..Options::default() }).await;
    let tags: Vec<String> = (0..51).map(|number| number.to_string()).collect();
    let with = |name: &str, value: Value| json!({"prompt": "p", name: value}).to_string();
    let bodies = [
        String::new(),
        "prompt=p".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        json!({"prompt": null}).to_string(),
        json!({"prompt": 7}).to_string(),
        json!({"prompt": " \n"}).to_string(),
        json!({"prompt": "", "tags": [1, "a", null], "resumable": "yes"}).to_string(),
        with("title", json!(["a"])),
        with("tags", json!("a")),
        with("tags", json!(tags)),
        with("tags", json!(["a", "scenario:lunch"])),
        with("devin_mode", json!("slow")),
        with("platform", json!("amiga")),
        with("max_acu_limit", json!("5")),
        with("max_acu_limit", json!(1.5)),
        with("structured_output_schema", json!([])),
        with("structured_output_schema", json!({"title": "x".repeat(64 * 1024)})),
        with("attachment_urls", json!([""])),
        with("session_secrets", json!([{"key": ""}, "a", {"key": "k", "value": "v", "sensitive": 1}])),
    ];
    let mut table = String::new();
    for body in bodies {
        let reply = send(&sandbox, "POST", "{org}/sessions", &body, TOKEN).await;
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
        let shown: String = body.chars().take(60).collect();
        table += &format!("{shown} => {}\n", told(&reply));
    }
    insta::assert_snapshot!(table, @r#"
     => 400 the request body is not JSON
    prompt=p => 400 the request body is not JSON
    [] => 422 the request body is invalid; body: Input should be a valid dictionary or object to extract fields from (model_attributes_type)
    {} => 422 the request body is invalid; body.prompt: Field required (missing)
    {"prompt":null} => 422 the request body is invalid; body.prompt: Input should be a valid string (string_type)
    {"prompt":7} => 422 the request body is invalid; body.prompt: Input should be a valid string (string_type)
    {"prompt":" \n"} => 422 the request body is invalid; body.prompt: String should have at least 1 character (string_too_short)
    {"prompt":"","resumable":"yes","tags":[1,"a",null]} => 422 the request body is invalid; body.prompt: String should have at least 1 character (string_too_short); body.tags.0: Input should be a valid string (string_type); body.tags.2: Input should be a valid string (string_type); body.resumable: Input should be a valid boolean (bool_type)
    {"prompt":"p","title":["a"]} => 422 the request body is invalid; body.title: Input should be a valid string (string_type)
    {"prompt":"p","tags":"a"} => 422 the request body is invalid; body.tags: Input should be a valid list (list_type)
    {"prompt":"p","tags":["0","1","2","3","4","5","6","7","8","9 => 422 the request body is invalid; body.tags: List should have at most 50 items after validation, not 51 (too_long)
    {"prompt":"p","tags":["a","scenario:lunch"]} => 422 the request body is invalid; body.tags.1: The sandbox knows these scenarios: pull-request, late-pull-request, no-pull-request, exit-with-pull-request, exit-without-pull-request, blocked, needs-approval, blocked-then-finished, idle-after-pull-request, usage-limit-exceeded, org-usage-limit-exceeded, user-usage-limit-exceeded, out-of-credits, out-of-quota, out-of-quota-once, no-quota-allocation, total-session-limit-exceeded, payment-declined, contract-expired, error, suspended-error, suspended-inactivity, suspended-user-request, suspended-with-pull-request, never-ending, gone, archived, unknown-status, slow-to-list, create-times-out, create-breaks, create-500, create-lost-500, rate-limited-create (enum)
    {"devin_mode":"slow","prompt":"p"} => 422 the request body is invalid; body.devin_mode: Input should be one of: normal, fast, lite, ultra, fusion (enum)
    {"platform":"amiga","prompt":"p"} => 400 unknown platform; valid platforms: linux, windows, northwind-pool, inherit
    {"max_acu_limit":"5","prompt":"p"} => 422 the request body is invalid; body.max_acu_limit: Input should be a valid integer (int_type)
    {"max_acu_limit":1.5,"prompt":"p"} => 422 the request body is invalid; body.max_acu_limit: Input should be a valid integer (int_type)
    {"prompt":"p","structured_output_schema":[]} => 422 the request body is invalid; body.structured_output_schema: Input should be a valid dictionary (dict_type)
    {"prompt":"p","structured_output_schema":{"title":"xxxxxxxxx => 422 the request body is invalid; body.structured_output_schema: Value error, the schema is larger than 64 KB (value_error)
    {"attachment_urls":[""],"prompt":"p"} => 422 the request body is invalid; body.attachment_urls.0: String should have at least 1 character (string_too_short)
    {"prompt":"p","session_secrets":[{"key":""},"a",{"key":"k"," => 422 the request body is invalid; body.session_secrets.0.key: String should have at least 1 character (string_too_short); body.session_secrets.0.value: Field required (missing); body.session_secrets.1: Input should be a valid dictionary (dict_type); body.session_secrets.2.sensitive: Input should be a valid boolean (bool_type)
    "#);
    assert_eq!(items(&sandbox, "{org}/sessions").await, Vec::<Value>::new());
}

#[tokio::test]
async fn nulls_are_as_good_as_nothing_and_fifty_tags_are_not_too_many() {
    let sandbox = start(Options::default()).await;
    let nulls = [
        "title",
        "playbook_id",
        "tags",
        "knowledge_ids",
        "secret_ids",
        "repos",
        "max_acu_limit",
        "devin_mode",
        "platform",
        "resumable",
        "structured_output_schema",
        "session_secrets",
        "create_as_user_id",
    ];
    let mut body = json!({"prompt": "p"});
    for name in nulls {
        body[name] = Value::Null;
    }
    assert_eq!(told(&create(&sandbox, &body).await), "200 new");
    let tags: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    let reply = create(&sandbox, &json!({"prompt": "p", "tags": tags})).await;
    assert_eq!(texts(std::slice::from_ref(&reply.json()), "devin_mode"), ["normal"]);
    assert_eq!(reply.json()["tags"], json!(tags));
}

#[tokio::test]
async fn who_may_create_is_decided_before_what() {
    let mut table = String::new();
    let cases: [(&[&str], &str, &str); 9] = [
        (&[], TOKEN, "p"),
        (&[], TOKEN_ENTERPRISE, "p"),
        (&[], TOKEN_PERSONAL, "p"),
        (&[], "cog_another", ""),
        (&["UseDevinSessions"], TOKEN, ""),
        (&["ManageOrgSessions"], TOKEN, "p"),
        (&["ViewOrgSessions"], TOKEN, "p"),
        (&[], TOKEN, "as"),
        (&["ImpersonateOrgSessions"], TOKEN, "as"),
    ];
    for (missing, token, prompt) in cases {
        let without_permissions = missing.iter().map(|name| (*name).to_owned()).collect();
        let sandbox = start(Options { sessions: 0, without_permissions, ..Options::default() }).await;
        let mut body = json!({"prompt": prompt});
        if prompt == "as" {
            body["create_as_user_id"] = json!("email|someone");
        }
        let reply = send(&sandbox, "POST", "{org}/sessions", &body.to_string(), token).await;
        let creator = if reply.status == 200 {
            format!(", user {}, service user {}", reply.json()["user_id"], reply.json()["service_user_id"])
        } else {
            String::new()
        };
        table += &format!("{prompt:?} without {missing:?}, {token}: {}{creator}\n", told(&reply));
    }
    insta::assert_snapshot!(table, @r#"
    "p" without [], cog_sandbox_0_not_a_real_key: 200 new, user null, service user "service-user-3f0c9d6e8b5a4f2c9a7d1e6b0c4f8a23"
    "p" without [], cog_sandbox_not_a_real_enterprise_key: 200 new, user null, service user "service-user-0a7c4be1d2f94d6385b1c7e08f2a6d93"
    "p" without [], cog_sandbox_not_a_real_personal_key: 200 new, user "google-oauth2|104273958120645871301", service user null
    "" without [], cog_another: 401 invalid token
    "" without ["UseDevinSessions"], cog_sandbox_0_not_a_real_key: 403 missing permission: UseDevinSessions
    "p" without ["ManageOrgSessions"], cog_sandbox_0_not_a_real_key: 200 new, user null, service user "service-user-3f0c9d6e8b5a4f2c9a7d1e6b0c4f8a23"
    "p" without ["ViewOrgSessions"], cog_sandbox_0_not_a_real_key: 200 new, user null, service user "service-user-3f0c9d6e8b5a4f2c9a7d1e6b0c4f8a23"
    "as" without [], cog_sandbox_0_not_a_real_key: 200 new, user "email|someone", service user null
    "as" without ["ImpersonateOrgSessions"], cog_sandbox_0_not_a_real_key: 403 missing permission: ImpersonateOrgSessions
    "#);
    let sandbox = start(Options::default()).await;
    let elsewhere = send(&sandbox, "POST", "/v3/organizations/org-another/sessions", "", TOKEN).await;
    assert_eq!(told(&elsewhere), "404 organization not found");
}

#[tokio::test]
async fn a_quota_refuses_what_is_too_many() {
    let sandbox = start(Options { sessions: 0, quota: Some(2), ..Options::default() }).await;
    let mut replies = Vec::new();
    for _ in 0..3 {
        replies.push(told(&create(&sandbox, &json!({"prompt": "p"})).await));
    }
    assert_eq!(replies, ["200 new", "200 new", "429 You exceeded your concurrent session limit of 2"]);
    assert_eq!(items(&sandbox, "{org}/sessions").await.len(), 2);
}

/// What a client sees of two equal requests, and how many sessions there are after each.
#[tokio::test]
async fn creates_that_go_wrong_leave_what_they_say() {
    let mut table = String::new();
    for name in ["create-breaks", "create-500", "create-lost-500", "rate-limited-create", "pull-request"] {
        let sandbox = start(Options { sessions: 0, ..Options::default() }).await;
        let body = json!({"prompt": "p", "tags": [format!("scenario:{name}"), "ar-1"]}).to_string();
        let mut seen = Vec::new();
        for _ in 0..2 {
            let reply = exchange(&sandbox, &request_with("POST", "{org}/sessions", &body, TOKEN)).await;
            let reply = reply.map(Reply::read).map_or_else(
                |error| format!("{:?}", error.kind()),
                |reply| format!("{} retry-after {:?}", told(&reply), reply.header("retry-after")),
            );
            let count = items(&sandbox, "{org}/sessions?tags=ar-1").await.len();
            seen.push(format!("{reply}, {count} there"));
        }
        table += &format!("{name}: {}\n", seen.join(" | then "));
    }
    insta::assert_snapshot!(table, @r#"
    create-breaks: ConnectionReset, 1 there | then ConnectionReset, 2 there
    create-500: 500 internal server error retry-after None, 1 there | then 500 internal server error retry-after None, 2 there
    create-lost-500: 500 internal server error retry-after None, 0 there | then 500 internal server error retry-after None, 0 there
    rate-limited-create: 429 rate limit exceeded retry-after Some("1"), 0 there | then 200 new retry-after None, 1 there
    pull-request: 200 new retry-after None, 1 there | then 200 new retry-after None, 2 there
    "#);
}

#[tokio::test]
async fn a_create_that_times_out_has_created_and_says_nothing() {
    let sandbox = start(Options { sessions: 0, ..Options::default() }).await;
    let body = json!({"prompt": "p", "tags": ["scenario:create-times-out"]}).to_string();
    let request = request_with("POST", "{org}/sessions", &body, TOKEN);
    let mut stream = TcpStream::connect(("127.0.0.1", sandbox.port())).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut asked = 0;
    while items(&sandbox, "{org}/sessions").await.is_empty() {
        asked += 1;
        assert!(asked < MOST_REQUESTS);
    }
    let silence = stream.try_read(&mut [0]).unwrap_err();
    assert_eq!(silence.kind(), io::ErrorKind::WouldBlock);
    drop(stream);
    assert_eq!(items(&sandbox, "{org}/sessions").await.len(), 1);
}

#[tokio::test]
async fn faults_never_strike_a_change() {
    let faults = vec!["500:1".parse().unwrap()];
    let sandbox = start(Options { faults, ..Options::default() }).await;
    assert_eq!(told(&create(&sandbox, &json!({"prompt": "p"})).await), "200 new");
    assert_eq!(get(&sandbox, "{org}/sessions").await.status, 500);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let sandbox = start(Options::default()).await;
    let body = json!({"prompt": "p".repeat(9 << 20)}).to_string();
    let reply = exchange(&sandbox, &request_with("POST", "{org}/sessions", &body, TOKEN)).await;
    // The server stops reading: the client sees the refusal, or a connection that broke while it wrote.
    assert!(reply.map_or(true, |bytes| Reply::read(bytes).status == 413));
}
