//! Created sessions after their creation: listed, read, written to, tagged and ended.

use serde_json::json;

use super::*;

/// Lives so long that nothing happens by itself.
fn frozen() -> Options {
    Options { session_seconds: f64::INFINITY, ..Options::default() }
}

async fn created(sandbox: &Sandbox, tags: &[&str]) -> String {
    let reply = create(sandbox, &json!({"prompt": "Look into it\nplease", "tags": tags})).await;
    reply.json()["session_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn created_sessions_stand_before_the_ready_made_ones_on_every_page() {
    let sandbox = start(frozen()).await;
    let ready_made = items(&sandbox, "{org}/sessions").await;
    let mut ids = Vec::new();
    for tag in ["a", "b", "c"] {
        ids.push(created(&sandbox, &[tag]).await);
    }
    ids.reverse();
    for list in ["{org}/sessions", "{org}/sessions/insights"] {
        let whole = items(&sandbox, list).await;
        assert_eq!(texts(&whole[..3], "session_id"), ids);
        assert_eq!(texts(&whole[3..], "session_id"), texts(&ready_made, "session_id"));
        for size in [1, 2, 3, 4] {
            assert_eq!(items(&sandbox, &format!("{list}?first={size}")).await, whole, "{list} by {size}");
        }
    }
}

#[tokio::test]
async fn a_session_created_between_two_pages_moves_no_other_one() {
    let sandbox = start(Options { sessions: 2, ..frozen() }).await;
    let ids = [created(&sandbox, &[]).await, created(&sandbox, &[]).await];
    let first = get(&sandbox, "{org}/sessions?first=1").await.json();
    assert_eq!(first["items"][0]["session_id"], ids[1]);
    created(&sandbox, &[]).await;
    let after = utf8_percent_encode(first["end_cursor"].as_str().unwrap(), NON_ALPHANUMERIC).to_string();
    let second = get(&sandbox, &format!("{{org}}/sessions?first=1&after={after}")).await.json();
    assert_eq!(second["items"][0]["session_id"], ids[0]);
}

#[tokio::test]
async fn filters_hold_for_created_sessions_too() {
    let sandbox = start(frozen()).await;
    let ready_made = items(&sandbox, "{org}/sessions").await;
    let old = ready_made[0]["session_id"].as_str().unwrap();
    let one = created(&sandbox, &["alert-relay", "ar-1"]).await;
    let two = created(&sandbox, &["alert-relay", "ar-2"]).await;
    let body = json!({"prompt": "p", "playbook_id": "playbook-x"}).to_string();
    let three = send(&sandbox, "POST", "{org}/sessions", &body, TOKEN_PERSONAL).await.json();
    let (user, three) = (three["user_id"].as_str().unwrap(), three["session_id"].as_str().unwrap());
    let user = utf8_percent_encode(user, NON_ALPHANUMERIC);
    let since = "created_after=1780272000";
    let cases = [
        ("tags=ar-1".to_owned(), vec![one.as_str()]),
        ("tags=ar-1&tags=ar-2".to_owned(), vec![two.as_str(), &one]),
        ("tags=AR-1".to_owned(), vec![]),
        (format!("session_ids={one}&session_ids=devin-{three}&session_ids={old}"), vec![three, &one, old]),
        (since.to_owned(), vec![three, &two, &one]),
        (format!("{since}&created_before=1780272001"), vec![]),
        ("updated_after=1780272000".to_owned(), vec![three, &two, &one]),
        (format!("{since}&origins=api"), vec![three, &two, &one]),
        (format!("{since}&origins=slack"), vec![]),
        (format!("{since}&category=security"), vec![]),
        ("playbook_id=playbook-x".to_owned(), vec![three]),
        (format!("{since}&user_ids={user}"), vec![three]),
        (format!("{since}&service_user_ids=service-user-3f0c9d6e8b5a4f2c9a7d1e6b0c4f8a23"), vec![&two, &one]),
        (format!("{since}&is_archived=true"), vec![]),
        (format!("{since}&is_archived=false"), vec![three, &two, &one]),
        (format!("parent_session_id={old}"), vec![]),
    ];
    for (question, ids) in cases {
        for size in [1, 100] {
            let found = items(&sandbox, &format!("{{org}}/sessions?first={size}&{question}")).await;
            assert_eq!(texts(&found, "session_id"), ids, "{question}");
        }
    }
}

#[tokio::test]
async fn a_session_lives_on_the_wire_as_its_scenario_says() {
    let sandbox = start(Options { session_seconds: 0.3, ..Options::default() }).await;
    let id = created(&sandbox, &["scenario:pull-request"]).await;
    let gone = created(&sandbox, &["scenario:gone"]).await;
    let (mut story, mut consumed) = (Vec::new(), 0.0);
    for _ in 0..MOST_REQUESTS {
        let session = get(&sandbox, &format!("{{org}}/sessions/{id}")).await.json();
        let now = [&session["status"], &session["status_detail"], &session["pull_requests"][0]["pr_url"]];
        let now = now.map(|value| value.as_str().unwrap_or("-")).join(" ");
        assert!(session["acus_consumed"].as_f64() >= Some(consumed));
        consumed = session["acus_consumed"].as_f64().unwrap();
        if story.last() != Some(&now) {
            story.push(now);
        }
        if session["status_detail"] == "finished" {
            break;
        }
    }
    assert_eq!(consumed, 3.0);
    // A slow machine may miss a turn, but never sees one that is not there or two the wrong way round.
    let whole = [
        "new - -",
        "claimed - -",
        "running working -",
        "running working https://github.com/northwind-labs/payments-api/pull/211",
        "running finished https://github.com/northwind-labs/payments-api/pull/211",
    ];
    let mut rest = whole.iter();
    assert!(story.iter().all(|turn| rest.any(|known| known == turn)), "{story:?}");
    assert_eq!(story.last().unwrap(), whole[4]);
    for _ in 0..MOST_REQUESTS {
        if get(&sandbox, &format!("{{org}}/sessions/{gone}")).await.status == 404 {
            break;
        }
    }
    assert_eq!(get(&sandbox, &format!("{{org}}/sessions/{gone}/messages")).await.status, 404);
    assert!(items(&sandbox, "{org}/sessions?tags=scenario:gone").await.is_empty());
}

#[tokio::test]
async fn a_session_that_is_slow_to_list_is_there_by_its_identifier() {
    let sandbox = start(frozen()).await;
    let id = created(&sandbox, &["scenario:slow-to-list"]).await;
    assert_eq!(get(&sandbox, &format!("{{org}}/sessions/{id}")).await.status, 200);
    assert!(items(&sandbox, "{org}/sessions?tags=scenario:slow-to-list").await.is_empty());
    assert!(items(&sandbox, &format!("{{org}}/sessions?session_ids={id}")).await.is_empty());
}

#[tokio::test]
async fn sessions_are_ended_tagged_and_written_to() {
    let sandbox = start(frozen()).await;
    let ready_made = items(&sandbox, "{org}/sessions?first=200").await;
    let ready_made = ready_made[0]["session_id"].as_str().unwrap();
    let id = created(&sandbox, &["a"]).await;
    let asked = [
        ("GET", "/tags", ""),
        ("POST", "/tags", r#"{"tags":["b","a","b"]}"#),
        ("PUT", "/tags", r#"{"tags":["c","c"]}"#),
        ("PUT", "/tags", r#"{"tags":"c"}"#),
        ("POST", "/messages", r#"{"message":"Hello"}"#),
        ("POST", "/messages", "{}"),
        ("DELETE", "?archive=maybe", ""),
        ("DELETE", "", ""),
        ("POST", "/messages", r#"{"message":"Too late"}"#),
        ("DELETE", "?archive=true", ""),
        ("GET", "", ""),
        ("PUT", "/messages", ""),
        ("DELETE", "/insights", ""),
    ];
    let mut table = String::new();
    for (method, tail, body) in asked {
        let target = format!("{{org}}/sessions/devin-{id}{tail}");
        let reply = send(&sandbox, method, &target, body, TOKEN).await;
        let answer = reply.json();
        let known = ["tags", "status", "status_detail", "is_archived", "detail"];
        let known = known.iter().filter(|name| answer.get(**name).is_some());
        let known: Vec<String> = known.map(|name| format!("{name} {}", answer[*name])).collect();
        table += &format!("{method} {tail} {body}: {} {}\n", reply.status, known.join(", "));
    }
    insta::assert_snapshot!(table, @r#"
    GET /tags : 200 tags ["a"]
    POST /tags {"tags":["b","a","b"]}: 200 tags ["a","b"]
    PUT /tags {"tags":["c","c"]}: 200 tags ["c","c"]
    PUT /tags {"tags":"c"}: 422 status 422, detail "the request body is invalid"
    POST /messages {"message":"Hello"}: 200 tags ["c","c"], status "new", status_detail null, is_archived false
    POST /messages {}: 422 status 422, detail "the request body is invalid"
    DELETE ?archive=maybe : 422 status 422, detail "the request has an invalid parameter"
    DELETE  : 200 tags ["c","c"], status "exit", status_detail null, is_archived false
    POST /messages {"message":"Too late"}: 409 status 409, detail "the session has ended and cannot be resumed"
    DELETE ?archive=true : 200 tags ["c","c"], status "exit", status_detail null, is_archived true
    GET  : 200 tags ["c","c"], status "exit", status_detail null, is_archived true
    PUT /messages : 405 status 405, detail "method not allowed"
    DELETE /insights : 405 status 405, detail "method not allowed"
    "#);
    let mut refusals = Vec::new();
    for id in [ready_made, "0123456789abcdef0123456789abcdef"] {
        for (method, tail, body) in [("DELETE", "", ""), ("PUT", "/tags", "{}"), ("POST", "/messages", "{}")] {
            let target = format!("{{org}}/sessions/{id}{tail}");
            refusals.push(send(&sandbox, method, &target, body, TOKEN).await.status);
        }
    }
    assert_eq!(refusals, [409, 409, 409, 404, 404, 404]);
    assert_eq!(get(&sandbox, &format!("{{org}}/sessions/{ready_made}/tags")).await.status, 200);
}

#[tokio::test]
async fn ending_and_tagging_need_a_permission_of_their_own() {
    let without_permissions = vec!["ManageOrgSessions".to_owned()];
    let sandbox = start(Options { without_permissions, ..frozen() }).await;
    let id = created(&sandbox, &[]).await;
    let mut statuses = Vec::new();
    for (method, tail) in [("DELETE", ""), ("PUT", "/tags"), ("POST", "/messages")] {
        let target = format!("{{org}}/sessions/{id}{tail}");
        statuses.push(send(&sandbox, method, &target, r#"{"message":"m"}"#, TOKEN).await.status);
    }
    assert_eq!(statuses, [403, 403, 200]);
}

#[tokio::test]
async fn each_key_says_whose_it_is_and_only_the_enterprise_lists_organizations() {
    let sandbox = start(Options::default()).await;
    let mut told = String::new();
    for token in [TOKEN, TOKEN_ENTERPRISE, TOKEN_PERSONAL] {
        for target in ["/v3/self", "/v3/enterprise/organizations", "{org}/sessions?first=1"] {
            let reply = send(&sandbox, "GET", target, "", token).await;
            let body = if target.starts_with('{') { "..." } else { &reply.body };
            told += &format!("{target} {} {body}\n", reply.status);
        }
    }
    insta::assert_snapshot!(told, @r#"
    /v3/self 200 {"principal_type":"service_user","service_user_id":"service-user-3f0c9d6e8b5a4f2c9a7d1e6b0c4f8a23","service_user_name":"alert-bridge","org_id":"org-5a4db0c05a4db0c05a4db0c05a4db0c0"}
    /v3/enterprise/organizations 403 {"type":"about:blank","title":"Forbidden","status":403,"detail":"missing permission: ManageOrganizations","instance":"/v3/enterprise/organizations"}
    {org}/sessions?first=1 200 ...
    /v3/self 200 {"principal_type":"service_user","service_user_id":"service-user-0a7c4be1d2f94d6385b1c7e08f2a6d93","service_user_name":"enterprise-relay","org_id":null}
    /v3/enterprise/organizations 200 {"items":[{"org_id":"org-5a4db0c05a4db0c05a4db0c05a4db0c0","name":"Northwind Labs","created_at":1735689600,"updated_at":1767225600,"max_session_acu_limit":50,"max_cycle_acu_limit":null}],"end_cursor":"0b2WJPJdOtk=","has_next_page":false,"total":1}
    {org}/sessions?first=1 200 ...
    /v3/self 200 {"principal_type":"pat_user","user_id":"google-oauth2|104273958120645871301","user_name":"Amira Haddad","api_key_id":"api-key-6d1f0a9b3c5e4872a9d46b1c0e7f3582","api_key_name":"laptop","org_id":null,"devin_sessions_org_id":"org-5a4db0c05a4db0c05a4db0c05a4db0c0"}
    /v3/enterprise/organizations 403 {"type":"about:blank","title":"Forbidden","status":403,"detail":"missing permission: ManageOrganizations","instance":"/v3/enterprise/organizations"}
    {org}/sessions?first=1 200 ...
    "#);
}

#[tokio::test]
async fn a_quota_that_is_used_up_once_stops_the_first_session_and_no_other() {
    let sandbox = start(Options { session_seconds: 0.0, ..Options::default() }).await;
    let mut told = Vec::new();
    for tags in [&["scenario:out-of-quota-once", "ar-1"][..], &["a"], &["scenario:out-of-quota-once", "ar-1"]] {
        let id = created(&sandbox, tags).await;
        let session = get(&sandbox, &format!("{{org}}/sessions/{id}")).await.json();
        told.push(format!("{} {}", session["status"], session["status_detail"]));
    }
    assert_eq!(told, [r#""suspended" "out_of_quota""#, r#""running" "finished""#, r#""running" "finished""#]);
}
