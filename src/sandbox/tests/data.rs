//! Whether the organization is repeatable and looks like one.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;

#[tokio::test]
async fn the_same_seed_gives_the_same_bytes() {
    let lists = ["{org}/sessions/insights", "{org}/playbooks", "{org}/secrets", "{org}/knowledge/notes", "/v3/self"];
    let mut bodies = Vec::new();
    for seed in [1, 1, 2] {
        let sandbox = start(Options { seed, ..Options::default() }).await;
        let mut joined = String::new();
        for list in lists {
            joined += &get(&sandbox, list).await.body;
        }
        bodies.push(joined);
    }
    assert_eq!(bodies[0], bodies[1]);
    assert_ne!(bodies[0], bodies[2]);
}

#[tokio::test]
async fn the_default_organization_tells_a_believable_story() {
    let sandbox = start(Options::default()).await;
    let mut told = String::new();
    for item in items(&sandbox, "{org}/sessions").await {
        let text = |field: &str| item[field].as_str().unwrap_or("-").to_owned();
        let pulls = item["pull_requests"].as_array().unwrap().iter();
        let pulls: Vec<&str> = pulls.map(|pull| pull["pr_state"].as_str().unwrap_or("-")).collect();
        told += &format!(
            "{} {}/{} {} {} {} [{}] {:?}\n",
            item["created_at"],
            text("status"),
            text("status_detail"),
            text("origin"),
            item["acus_consumed"],
            text("category"),
            pulls.join(" "),
            text("title"),
        );
    }
    insta::assert_snapshot!(told, @r#"
    1780144187 running/working api 1.05 ci_cd_and_devops [] "Pin the base images by digest"
    1779966285 running/waiting_for_user webapp 3.4 feature_development [] "Show delivery windows at checkout"
    1779882403 running/waiting_for_approval slack 7.1 refactoring_and_optimization [] "Split the order service into modules"
    1779365572 claimed/- cli 0.0 - [] "-"
    1779365572 running/working webapp 8.12 feature_development [draft draft] "Let customers change their billing address"
    1779347371 suspended/user_usage_limit_exceeded desktop 13.32 refactoring_and_optimization [] "Make the nightly report faster in northwind-labs/warehouse-sync"
    1779111814 running/finished jira 12.78 data_and_automation [] "Match supplier names across two systems in northwind-labs/warehouse-sync"
    1778079075 suspended/inactivity webapp 0.52 feature_development [open merged] "PAY-154: Show delivery windows at checkout"
    1778078985 suspended/contract_expired slack 2.58 bug_fixing [] "Stop the retry loop after a lost lock"
    1778078895 suspended/user_request webapp 0.6 feature_development [merged] "Let customers change their billing address – für Zürich & São Paulo"
    1777808542 suspended/inactivity api 1.38 code_review_and_analysis [] "List every caller of the old tax service in northwind-labs/mobile-app"
    1777451070 exit/- slack 0.31 research_and_exploration [] "PAY-494: Estimate the work to support IPv6"
    1777034659 suspended/usage_limit_exceeded slack 3.54 data_and_automation [] "Match supplier names across two systems (\"urgent\", says support)"
    1776793148 exit/- automation 8.41 bug_fixing [merged merged] "Find out why invoices arrive twice"
    1776593777 suspended/payment_declined slack 16.06 bug_fixing [] "Fix the rounding error in refunds"
    1775903905 suspended/inactivity automation 0.49 research_and_exploration [] "Compare three queue libraries for our load"
    1775903905 suspended/usage_limit_exceeded webapp 4.69 ci_cd_and_devops [] "Repair the red deployment pipeline"
    1775151848 exit/- webapp 4.93 security [merged merged] "PAY-776: Rotate the signing keys without downtime"
    1775052517 exit/- webapp 0.36 feature_development [merged] "Show delivery windows at checkout"
    1774460225 error/- cli 1.18 documentation_and_content [] "Document the feature flags"
    1773253706 exit/- slack 5.44 bug_fixing [merged merged] "Stop the retry loop after a lost lock in northwind-labs/payments-api 🚀"
    1773253616 running/finished linear 0.38 unit_test_generation [merged] "Write tests for the voucher parser"
    1773227571 suspended/inactivity slack 6.0 bug_fixing [closed closed merged] "Fix the rounding error in refunds in northwind-labs/warehouse-sync"
    1772647474 exit/- api 3.06 ci_cd_and_devops [merged] "Cache dependencies in the build"
    1772026431 exit/- webapp 9.92 feature_development [merged merged] "Let customers change their billing address in northwind-labs/payments-api"
    1771407868 suspended/inactivity linear 1.1 refactoring_and_optimization [merged merged] "Make the nightly report faster"
    1770825825 exit/- webapp 3.27 code_review [] "Review the new permission checks 🚀"
    1769453351 suspended/inactivity api 1.72 production_investigation [merged] "Find the cause of the latency peak on Tuesday in northwind-labs/storefront"
    1769453351 exit/- webapp 6.74 refactoring_and_optimization [merged open merged] "Split the order service into modules in northwind-labs/warehouse-sync"
    1769096766 suspended/inactivity webapp 4.11 bug_fixing [merged] "Find out why invoices arrive twice in northwind-labs/storefront"
    1767973772 exit/- webapp 0.14 code_review_and_analysis [] "Judge the error handling of the importer"
    1767792857 suspended/inactivity slack 0.87 unit_test_generation [merged merged] "Cover the tax rules with tests"
    1766745596 exit/- slack 0.76 bug_fixing [open merged] "Stop the retry loop after a lost lock"
    1766068706 suspended/inactivity slack 5.73 bug_fixing [merged merged merged] "PAY-495: Find out why invoices arrive twice in northwind-labs/infra"
    1765814836 exit/- automation 0.12 production_investigation [] "Find the cause of the latency peak on Tuesday"
    1764945274 exit/- webapp 0.63 security [open merged merged] "Rotate the signing keys without downtime"
    "#);
}

#[tokio::test]
async fn a_large_organization_is_mixed_plausibly() {
    let options = Options { sessions: 4_000, ..Options::default() };
    let sandbox = start(options).await;
    let sessions = items(&sandbox, "{org}/sessions?first=200").await;
    let mut told = String::new();
    for field in ["status", "status_detail", "origin", "category", "devin_mode"] {
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        for session in &sessions {
            *counts.entry(session[field].as_str().unwrap_or("null")).or_default() += 1;
        }
        let counts: Vec<String> = counts.iter().map(|(value, count)| format!("{value} {count}")).collect();
        told += &format!("{field}: {}\n", counts.join(", "));
    }
    let count = |is_it: &dyn Fn(&Value) -> bool| sessions.iter().filter(|item| is_it(item)).count();
    let has_merged =
        |item: &Value| item["pull_requests"].as_array().unwrap().iter().any(|pull| pull["pr_state"] == "merged");
    let bytes: usize = sessions.iter().map(|item| item.to_string().len()).sum();
    let acus: f64 = sessions.iter().map(|item| item["acus_consumed"].as_f64().unwrap()).sum();
    told += &format!("with a merged pull request: {}\n", count(&has_merged));
    for number in 1..=3 {
        let has_pulls = |item: &Value| item["pull_requests"].as_array().unwrap().len() == number;
        told += &format!("with {number} pull requests: {}\n", count(&has_pulls));
    }
    told += &format!("with a playbook: {}\n", count(&|item| !item["playbook_id"].is_null()));
    told += &format!("with a parent: {}\n", count(&|item| !item["parent_session_id"].is_null()));
    told += &format!("with structured output: {}\n", count(&|item| !item["structured_output"].is_null()));
    told += &format!("without a title: {}\n", count(&|item| item["title"].is_null()));
    told += &format!("archived: {}\n", count(&|item| item["is_archived"] == true));
    told += &format!("ACUs: {acus:.2}\n");
    told += &format!("bytes of a session: {}\n", bytes / sessions.len());
    insta::assert_snapshot!(told, @"
    status: claimed 6, error 125, exit 1385, new 12, resuming 3, running 758, suspended 1711
    status_detail: contract_expired 8, error 60, finished 397, inactivity 1132, no_quota_allocation 25, null 1531, org_usage_limit_exceeded 40, out_of_credits 32, out_of_quota 72, payment_declined 17, total_session_limit_exceeded 24, usage_limit_exceeded 82, user_request 182, user_usage_limit_exceeded 37, waiting_for_approval 39, waiting_for_user 238, working 84
    origin: api 538, automation 280, cli 190, code_scan 106, desktop 83, jira 208, linear 294, other 26, slack 787, teams 125, webapp 1363
    category: bug_fixing 688, ci_cd_and_devops 212, code_quality_and_security 96, code_review 214, code_review_and_analysis 97, data_and_automation 156, documentation_and_content 184, feature_development 623, migrations_and_upgrades 300, null 265, other 148, production_investigation 173, refactoring_and_optimization 281, research_and_exploration 147, security 107, unit_test_generation 309
    devin_mode: fast 427, fusion 127, lite 352, normal 2700, null 229, ultra 165
    with a merged pull request: 1434
    with 1 pull requests: 1514
    with 2 pull requests: 478
    with 3 pull requests: 226
    with a playbook: 1601
    with a parent: 368
    with structured output: 649
    without a title: 125
    archived: 384
    ACUs: 20247.41
    bytes of a session: 837
    ");
}

#[tokio::test]
async fn parents_and_children_name_each_other() {
    let sandbox = start(Options { sessions: 500, ..Options::default() }).await;
    let sessions = items(&sandbox, "{org}/sessions?first=200").await;
    let by_id: BTreeMap<&str, &Value> =
        sessions.iter().map(|item| (item["session_id"].as_str().unwrap(), item)).collect();
    let playbooks = texts(&items(&sandbox, "{org}/playbooks").await, "playbook_id");
    let mut children = 0;
    for session in &sessions {
        for child in session["child_session_ids"].as_array().unwrap_or(&Vec::new()) {
            let child = by_id[child.as_str().unwrap()];
            assert_eq!(child["parent_session_id"], session["session_id"]);
            assert!(child["created_at"].as_i64() >= session["created_at"].as_i64());
            children += 1;
        }
        let playbook = session["playbook_id"].as_str();
        assert!(playbook.is_none_or(|id| playbooks.iter().any(|known| known == id)));
        assert_ne!(session["user_id"].is_null(), session["service_user_id"].is_null());
    }
    let with_parent = sessions.iter().filter(|item| !item["parent_session_id"].is_null());
    assert_eq!(with_parent.count(), children);
    assert!(children > 20);
}

#[tokio::test]
async fn what_is_measured_adds_up_to_the_sessions_and_their_people_are_members() {
    let sandbox = start(Options { sessions: 500, ..Options::default() }).await;
    let sessions = items(&sandbox, "{org}/sessions?first=200").await;
    let window = "time_after=1764000000&time_before=1780272000";
    let acus = async |list: &str| get(&sandbox, &format!("{{org}}/consumption/daily{list}?{window}")).await.json();
    let sum = |of: &dyn Fn(&Value) -> bool| {
        let used = sessions.iter().filter(|item| of(item)).map(|item| item["acus_consumed"].as_f64().unwrap());
        (used.sum::<f64>() * 100.0).round() / 100.0
    };
    assert_eq!(acus("").await["total_acus"], sum(&|_| true));
    let mut members = Vec::new();
    for list in ["users", "idp-users"] {
        members.extend(items(&sandbox, &format!("/v3beta1/organizations/{ORG_ID}/members/{list}")).await);
    }
    let people = texts(&members, "user_id");
    for session in &sessions {
        assert!(session["user_id"].as_str().is_none_or(|id| people.iter().any(|known| known == id)));
    }
    let first = people[0].as_str();
    let of_first = acus(&format!("/users/{}", first.replace('|', "%7C"))).await;
    assert_eq!(of_first["total_acus"], sum(&|item| item["user_id"] == first));
    let counts = get(&sandbox, &format!("{{org}}/metrics/sessions?{window}")).await.json();
    let counted = sessions.iter().filter(|item| item["origin"] != "cli").count();
    assert_eq!(counts["sessions_created_count"], counted);
}

#[tokio::test]
async fn sessions_from_alerts_are_tagged_as_the_relay_tags_them() {
    let sandbox = start(Options { sessions: 500, ..Options::default() }).await;
    let sessions = items(&sandbox, "{org}/sessions?tags=alert-relay&first=200").await;
    assert!(sessions.len() > 20, "{}", sessions.len());
    for session in sessions {
        let tags: Vec<&str> = session["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap()).collect();
        let [relay, alert, attempt] = tags[..] else { panic!("{tags:?}") };
        // `relay/names.rs` says so, which this part of the program may not name.
        assert_eq!((relay, alert.len(), attempt.len()), ("alert-relay", 29, 31), "{tags:?}");
        assert!(alert.starts_with("ar-") && attempt.starts_with("ar-a-"));
    }
}
