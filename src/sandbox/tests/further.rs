//! The lists beside sessions and what is set up: their pages, their times, their permissions.

use super::*;
use crate::sandbox::{ORG_IDS, TOKEN_ENTERPRISE};

#[tokio::test]
async fn schedules_are_told_by_limit_and_offset() {
    let sandbox = start(Options::default()).await;
    let whole = get(&sandbox, "{org}/schedules").await.json();
    assert_eq!((whole["items"].as_array().unwrap().len(), &whole["has_next_page"]), (5, &Value::from(false)));
    let page = get(&sandbox, "{org}/schedules?limit=2&offset=3").await.json();
    assert_eq!(page["items"].as_array().unwrap()[..], whole["items"].as_array().unwrap()[3..5]);
    assert_eq!(get(&sandbox, "{org}/schedules?limit=2").await.json()["has_next_page"], true);
    assert_eq!(get(&sandbox, "{org}/schedules?limit=201").await.status, 422);
}

#[tokio::test]
async fn figures_need_their_times_and_days_are_told_by_where_they_begin() {
    let sandbox = start(Options::default()).await;
    for list in ["sessions", "prs", "dau", "wau", "mau"] {
        assert_eq!(get(&sandbox, &format!("{{org}}/metrics/{list}")).await.status, 422, "{list}");
    }
    assert_eq!(get(&sandbox, "{org}/metrics/usage").await.status, 200);
    let window = "time_after=1780099200&time_before=1780272000";
    let days = get(&sandbox, &format!("{{org}}/consumption/daily?{window}")).await.json();
    let dates: Vec<&Value> = days["consumption_by_date"].as_array().unwrap().iter().map(|day| &day["date"]).collect();
    assert_eq!(dates, [1_780_128_000, 1_780_214_400], "08:00 of two days");
    let user = "{org}/consumption/daily/users/email%7C6650f1c2a4b98d0012e7f304";
    let one = get(&sandbox, &format!("{user}?{window}")).await.json();
    assert!(one["total_acus"].as_f64() < days["total_acus"].as_f64());
    assert_eq!(get(&sandbox, &format!("{{org}}/consumption/daily/users/nobody?{window}")).await.status, 404);
}

#[tokio::test]
async fn the_enterprise_answers_its_own_key_only() {
    let sandbox = start(Options::default()).await;
    for list in ["organizations", "members/service-users", "roles", "audit-logs", "consumption/cycles"] {
        let target = format!("/v3/enterprise/{list}");
        assert_eq!(get(&sandbox, &target).await.status, 403, "{list}");
        assert_eq!(send(&sandbox, "GET", &target, "", TOKEN_ENTERPRISE).await.status, 200, "{list}");
    }
}

#[tokio::test]
async fn an_audit_trail_has_an_order_and_windows() {
    let sandbox = start(Options::default()).await;
    let ask = async |question: &str| {
        send(&sandbox, "GET", &format!("/v3/enterprise/audit-logs?{question}"), "", TOKEN_ENTERPRISE).await
    };
    let times = async |question: &str| -> Vec<i64> {
        let page = ask(question).await.json();
        page["items"].as_array().unwrap().iter().map(|entry| entry["created_at"].as_i64().unwrap()).collect()
    };
    assert!(times("order=asc&first=200").await.is_sorted());
    assert!(times("first=200").await.iter().rev().is_sorted());
    let window = times("order=asc&time_after=1775000000&time_before=1776000000").await;
    assert!(!window.is_empty() && window.iter().all(|at| (1_775_000_000..1_776_000_000).contains(at)));
    assert_eq!(ask("time_before=1776000000").await.status, 400);
    assert_eq!(ask("time_after=1&time_before=8640002").await.status, 400);
}

#[tokio::test]
async fn further_organizations_are_the_enterprises_to_read_and_share_only_what_is_everybodys() {
    let sandbox = start(Options { organizations: 2, ..Options::default() }).await;
    let listed = send(&sandbox, "GET", "/v3/enterprise/organizations", "", TOKEN_ENTERPRISE).await.json();
    let ids: Vec<&str> =
        listed["items"].as_array().unwrap().iter().map(|item| item["org_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ORG_IDS[..2]);
    let below = |number: usize, list: &str| format!("/v3/organizations/{}/{list}", ORG_IDS[number]);
    assert_eq!(get(&sandbox, &below(1, "sessions")).await.status, 404, "the first one's key");
    assert_eq!(send(&sandbox, "GET", &below(2, "sessions"), "", TOKEN_ENTERPRISE).await.status, 404);
    assert_eq!(send(&sandbox, "POST", &below(1, "sessions"), r#"{"prompt":"p"}"#, TOKEN_ENTERPRISE).await.status, 403);
    let mut told = Vec::new();
    for (list, id) in [("sessions", "session_id"), ("playbooks", "playbook_id"), ("knowledge/notes", "note_id")] {
        let mut of_each = Vec::new();
        for (number, org_id) in ORG_IDS[..2].iter().enumerate() {
            let target = below(number, &format!("{list}?first=200"));
            let body = send(&sandbox, "GET", &target, "", TOKEN_ENTERPRISE).await.json();
            let items = body["items"].as_array().unwrap().clone();
            assert!(items.iter().all(|item| item["org_id"] == *org_id || item["org_id"].is_null()), "{list}");
            of_each.push(items);
        }
        let has = |item: &&Value| of_each[1].iter().any(|other| other[id] == item[id]);
        let shared: Vec<&Value> = of_each[0].iter().filter(has).collect();
        assert!(shared.iter().all(|item| item["org_id"].is_null()), "{list}");
        told.push(format!(
            "{list}: {} and {}, of which {} are shared",
            of_each[0].len(),
            of_each[1].len(),
            shared.len()
        ));
    }
    insta::assert_snapshot!(told.join("\n"), @"
    sessions: 36 and 12, of which 0 are shared
    playbooks: 9 and 9, of which 1 are shared
    knowledge/notes: 24 and 24, of which 2 are shared
    ");
}
