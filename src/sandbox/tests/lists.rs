//! Lists, their pages and their filters.

use std::collections::HashSet;

use serde_json::Value;

use super::*;

const SESSION: &str = "session_id url org_id status status_detail title tags created_at updated_at \
    acus_consumed pull_requests user_id service_user_id playbook_id parent_session_id automation_id \
    child_session_ids is_archived origin category subcategory devin_mode structured_output \
    security_profile";
const INSIGHT: &str = "num_user_messages num_devin_messages session_size analysis analysis_status skill_usage";
const MESSAGE: &str = "event_id source message created_at origin user_id username";
const PLAYBOOK: &str = "playbook_id title body created_by updated_by macro org_id created_at \
    updated_at access_type structured_output_schema";
const SECRET: &str = "secret_id created_by key note is_sensitive created_at secret_type access_type \
    updated_at updated_by";
const NOTE: &str = "note_id name body trigger folder_path folder_id org_id macro pinned_repo \
    is_enabled created_at updated_at access_type";
const ANALYSIS: &str = "action_items classification issues note_usage suggested_prompt timeline";

/// Whether a filter should let an item pass.
type Admits = Box<dyn Fn(&Value) -> bool>;

fn assert_fields(item: &Value, names: &[&str]) {
    let found: HashSet<&str> = item.as_object().unwrap().keys().map(String::as_str).collect();
    let named = names.iter().flat_map(|names| names.split_whitespace());
    assert_eq!(found, named.collect::<HashSet<&str>>());
}

#[tokio::test]
async fn every_field_of_the_reference_is_there() {
    let sandbox = start(Options::default()).await;
    let sessions = items(&sandbox, "{org}/sessions").await;
    for session in &sessions {
        assert_fields(session, &[SESSION]);
        let id = session["session_id"].as_str().unwrap();
        let detail = get(&sandbox, &format!("{{org}}/sessions/{id}")).await.json();
        assert_eq!(&detail, session);
    }
    for session in items(&sandbox, "{org}/sessions/insights").await {
        assert_fields(&session, &[SESSION, INSIGHT]);
        assert_eq!(session["analysis"].is_null(), session["analysis_status"].is_null());
        if !session["analysis"].is_null() {
            assert_fields(&session["analysis"], &[ANALYSIS]);
        }
    }
    let newest = sessions[0]["session_id"].as_str().unwrap();
    for message in items(&sandbox, &format!("{{org}}/sessions/{newest}/messages")).await {
        assert_fields(&message, &[MESSAGE]);
    }
    for playbook in items(&sandbox, "{org}/playbooks").await {
        assert_fields(&playbook, &[PLAYBOOK]);
    }
    for secret in items(&sandbox, "{org}/secrets").await {
        let has_update = secret.get("updated_at").is_some();
        let names = SECRET.replace("updated_at updated_by", "");
        assert_fields(&secret, &[if has_update { SECRET } else { &names }]);
    }
    for note in items(&sandbox, "{org}/knowledge/notes").await {
        assert_fields(&note, &[NOTE]);
    }
}

#[tokio::test]
async fn pages_of_any_size_join_to_the_list_without_a_repeat() {
    let sandbox = start(Options::default()).await;
    let long = long_session(&sandbox).await;
    let messages = format!("{{org}}/sessions/devin-{long}/messages");
    let lists = [
        ("{org}/sessions", "session_id", 36),
        ("{org}/sessions/insights", "session_id", 36),
        ("{org}/playbooks", "playbook_id", 9),
        ("{org}/secrets", "secret_id", 14),
        ("{org}/knowledge/notes", "note_id", 24),
        ("{org}/automations", "automation_id", 3),
        (&messages, "event_id", 230),
    ];
    for (list, key, count) in lists {
        let whole = items(&sandbox, list).await;
        assert_eq!(whole.len(), count, "{list}");
        let keys: HashSet<String> = texts(&whole, key).into_iter().collect();
        assert_eq!(keys.len(), count, "{list}");
        for size in [1, 7, 200] {
            let joined = items(&sandbox, &format!("{list}?first={size}")).await;
            assert_eq!(joined, whole, "{list} by {size}");
        }
    }
}

async fn long_session(sandbox: &Sandbox) -> String {
    let sessions = items(sandbox, "{org}/sessions/insights").await;
    let count =
        |item: &Value| item["num_user_messages"].as_u64().unwrap() + item["num_devin_messages"].as_u64().unwrap();
    let mut long = sessions.into_iter().filter(|item| count(item) == 230);
    let found = long.next().expect("one session has 230 messages");
    assert!(long.next().is_none(), "only one session has 230 messages");
    found["session_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn messages_agree_with_insights_and_lie_within_the_session() {
    for messages in [None, Some(0), Some(3)] {
        let options = Options { messages, ..Options::default() };
        let sandbox = start(options).await;
        for session in items(&sandbox, "{org}/sessions/insights").await {
            let id = session["session_id"].as_str().unwrap();
            let list = format!("{{org}}/sessions/{id}/messages");
            let found = items(&sandbox, &list).await;
            let sent_by = |source| texts(&found, "source").iter().filter(|s| *s == source).count();
            assert_eq!(session["num_user_messages"], sent_by("user"));
            assert_eq!(session["num_devin_messages"], sent_by("devin"));
            assert!(messages.is_none_or(|count| count == found.len()));
            let mut last = session["created_at"].as_i64().unwrap();
            for message in found {
                let time = message["created_at"].as_i64().unwrap();
                assert!(last <= time && time <= session["updated_at"].as_i64().unwrap());
                last = time;
            }
        }
    }
}

#[tokio::test]
async fn filters_mean_what_they_say() {
    let options = Options { sessions: 300, ..Options::default() };
    let sandbox = start(options).await;
    let all = items(&sandbox, "{org}/sessions").await;
    let middle = &all[150];
    let created = middle["created_at"].as_i64().unwrap();
    let updated = middle["updated_at"].as_i64().unwrap();
    let user = "google-oauth2|104273958120645871301";
    let playbook = all.iter().find_map(|item| item["playbook_id"].as_str()).unwrap();
    let parent = all.iter().find_map(|item| item["parent_session_id"].as_str()).unwrap();
    let twin = all[7]["session_id"].as_str().unwrap();
    let id = middle["session_id"].as_str().unwrap();
    let number = |field: &'static str| move |item: &Value| item[field].as_i64().unwrap();
    let is = |field: &'static str, text: &str| {
        let text = text.to_owned();
        Box::new(move |item: &Value| item[field] == text.as_str()) as Admits
    };
    let has_tag = |item: &Value, tag: &str| item["tags"].as_array().unwrap().iter().any(|carried| carried == tag);
    let cases: Vec<(String, Admits)> = vec![
        (format!("created_after={created}"), Box::new(move |item| number("created_at")(item) >= created)),
        (format!("created_before={created}"), Box::new(move |item| number("created_at")(item) < created)),
        (format!("updated_after={updated}"), Box::new(move |item| number("updated_at")(item) >= updated)),
        (format!("updated_before={updated}"), Box::new(move |item| number("updated_at")(item) < updated)),
        (
            format!("created_after={created}&created_before={}", created + 1),
            Box::new(move |item| number("created_at")(item) == created),
        ),
        (
            "tags=p1&tags=needs%20review".to_owned(),
            Box::new(move |item| has_tag(item, "p1") || has_tag(item, "needs review")),
        ),
        ("tags=customer%2Brequest".to_owned(), Box::new(move |item| has_tag(item, "customer+request"))),
        ("origins=api&origins=slack".to_owned(), Box::new(|item| item["origin"] == "api" || item["origin"] == "slack")),
        ("category=bug_fixing".to_owned(), is("category", "bug_fixing")),
        (format!("playbook_id={playbook}"), is("playbook_id", playbook)),
        (format!("user_ids={}", user.replace('|', "%7C")), is("user_id", user)),
        (
            "service_user_ids=service-user-3f0c9d6e8b5a4f2c9a7d1e6b0c4f8a23".to_owned(),
            is("service_user_id", "service-user-3f0c9d6e8b5a4f2c9a7d1e6b0c4f8a23"),
        ),
        (format!("parent_session_id=devin-{parent}"), is("parent_session_id", parent)),
        ("is_archived=true".to_owned(), Box::new(|item| item["is_archived"] == true)),
        ("is_archived=false".to_owned(), Box::new(|item| item["is_archived"] == false)),
        (format!("session_ids=devin-{id}&session_ids={twin}&session_ids=nobody&session_ids={id}"), {
            let ids = [id.to_owned(), twin.to_owned()];
            Box::new(move |item| ids.iter().any(|id| item["session_id"] == id.as_str()))
        }),
    ];
    for (filter, admits) in cases {
        let expected: Vec<Value> = all.iter().filter(|item| admits(item)).cloned().collect();
        assert!(!expected.is_empty() && expected.len() < 300, "{filter}");
        let found = items(&sandbox, &format!("{{org}}/sessions?first=9&{filter}")).await;
        assert_eq!(found, expected, "{filter}");
    }
    let too_old = format!("session_ids={id}&created_before={created}");
    for nothing in [too_old.as_str(), "user_ids=nobody", "session_ids=nobody", "created_before=0", "tags=P1"] {
        let page = get(&sandbox, &format!("{{org}}/sessions?{nothing}")).await;
        assert_eq!(page.body, r#"{"items":[],"end_cursor":null,"has_next_page":false,"total":0}"#);
    }
    let unknown = items(&sandbox, "{org}/sessions?qs=%7B%7D&page=3&repo_names=x%2Fy").await;
    assert_eq!(unknown.len(), 300);
}

#[tokio::test]
async fn notes_are_searched_by_words_folder_and_repository() {
    let sandbox = start(Options::default()).await;
    let cases = [
        "search=LABEL",
        "folder_path=/Backend/Payments",
        "folder_path=%2FOn-call+%26+incidents",
        "pinned_repo=northwind-labs%2Finfra",
        "search=moon",
    ];
    let mut told = String::new();
    for case in cases {
        let notes = items(&sandbox, &format!("{{org}}/knowledge/notes?first=2&{case}")).await;
        told += &format!("{case}: {}\n", texts(&notes, "name").join(", "));
    }
    insta::assert_snapshot!(told, @"
    search=LABEL: Accessibility
    folder_path=/Backend/Payments: Money types, Refund states, Payment provider sandbox, Idempotency keys
    folder_path=%2FOn-call+%26+incidents: First five minutes, Dashboards, Escalation, Known noise
    pinned_repo=northwind-labs%2Finfra: Dashboards, Known noise
    search=moon:
    ");
}

#[tokio::test]
async fn folders_come_at_once_and_count_their_notes() {
    let sandbox = start(Options::default()).await;
    let folders = get(&sandbox, "{org}/knowledge/folders").await;
    insta::assert_snapshot!(folders.body, @r#"{"folders":[{"folder_id":"folder-1d3aa4d4155e25e6c902c44e6128c1c6","name":"Backend","path":"/Backend","note_count":5,"parent_folder_id":null},{"folder_id":"folder-7c814e2102708013571b8682f83d3e20","name":"Payments","path":"/Backend/Payments","note_count":4,"parent_folder_id":"folder-1d3aa4d4155e25e6c902c44e6128c1c6"},{"folder_id":"folder-5459cc8f756ace5d659bb75ad2b084cf","name":"Frontend","path":"/Frontend","note_count":5,"parent_folder_id":null},{"folder_id":"folder-0277fcacdf697e49dceb1754a825099f","name":"On-call & incidents","path":"/On-call & incidents","note_count":4,"parent_folder_id":null},{"folder_id":"folder-3227dd4a8ca8ac25e0bd9ba35efb47fb","name":"Überblick","path":"/Überblick","note_count":2,"parent_folder_id":null}],"root_note_count":4}"#);
}

#[tokio::test]
async fn sessions_come_newest_first_in_any_number() {
    for sessions in [0, 1, 13, 450] {
        let options = Options { sessions, ..Options::default() };
        let found = items(&start(options).await, "{org}/sessions?first=200").await;
        assert_eq!(found.len(), sessions);
        let times = found.iter().map(|item| item["created_at"].as_i64().unwrap());
        assert!(times.is_sorted_by(|newer, older| newer >= older));
    }
}
