//! Several organizations in one run: every record says whose it is, each organization has a state, and one that is refused does not
//! hold up the others.

mod common;

use common::{Answer, Api, Program, Ran, Told, catalog, program};
use serde_json::{Value, json};

const T: i64 = 1_700_000_000;

/// An API with these lists, by path; what is not there is refused.
fn api(lists: &[(&str, &[&str])]) -> Api {
    let lists: Vec<(String, Vec<String>)> =
        lists.iter().map(|(path, items)| (path.to_string(), items.iter().map(ToString::to_string).collect())).collect();
    Api::start(move |ask| {
        let path = ask.target.split('?').next().unwrap();
        match lists.iter().find(|(known, _)| known == path) {
            Some((_, items)) => Answer::list(&items.iter().map(String::as_str).collect::<Vec<_>>()),
            None => Answer::problem(403, "Forbidden"),
        }
    })
}

fn program_for(api: &Api, streams: &[(&str, &str)], state: &str, more: Value) -> Program {
    program().at(api, more).file("catalog.json", catalog(streams)).file("state.json", state)
}

fn read(api: &Api, streams: &[(&str, &str)], state: &str, others: &[&str]) -> Ran {
    program_for(api, streams, state, json!({"org_ids": others}))
        .run("read --config config.json --catalog catalog.json --state state.json")
}

fn records(told: &Told, stream: &str) -> String {
    told.records(stream).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

const INCREMENTAL: [(&str, &str); 4] = [
    ("sessions", "incremental"),
    ("session_messages", "incremental"),
    ("playbooks", "incremental"),
    ("members", "full_refresh"),
];

fn two() -> Api {
    api(&[
        ("/v3/organizations/org-1/sessions", &[r#"{"session_id":"a","org_id":"org-1","updated_at":1700000001}"#]),
        ("/v3/organizations/org-1/sessions/devin-a/messages", &[r#"{"event_id":"m1","created_at":1700000001}"#]),
        (
            "/v3/organizations/org-1/playbooks",
            &[
                r#"{"playbook_id":"everybodys","org_id":null,"updated_at":1700000001}"#,
                r#"{"playbook_id":"p1","updated_at":1700000001}"#,
            ],
        ),
        (
            "/v3beta1/organizations/org-1/members/users",
            &[r#"{"user_id":"u","role_assignments":[{"org_id":"org-1"}]}"#, r#"{"user_id":"v"}"#],
        ),
        ("/v3/organizations/org-2/sessions", &[r#"{"session_id":"b","org_id":"org-2","updated_at":1700000002}"#]),
        ("/v3/organizations/org-2/sessions/devin-b/messages", &[r#"{"event_id":"m2","created_at":1700000002}"#]),
        (
            "/v3/organizations/org-2/playbooks",
            &[
                r#"{"playbook_id":"everybodys","org_id":null,"updated_at":1700000001}"#,
                r#"{"playbook_id":"p2","updated_at":1700000002}"#,
            ],
        ),
        ("/v3beta1/organizations/org-2/members/users", &[r#"{"user_id":"u","role_assignments":[{"org_id":"org-2"}]}"#]),
        ("/v3beta1/organizations/org-1/members/idp-users", &[]),
        ("/v3beta1/organizations/org-2/members/idp-users", &[]),
    ])
}

#[test]
fn every_record_says_whose_it_is_and_each_key_comes_once() {
    let api = two();
    let ran = read(&api, &INCREMENTAL, "[]", &["org-2", "org_1"]);
    assert_eq!(ran.exit(), "exit 0", "{}", ran.text());
    let told = ran.told();
    insta::assert_snapshot!(records(&told, "sessions"), @r#"
    {"org_id":"org-1","session_id":"a","updated_at":1700000001}
    {"org_id":"org-2","session_id":"b","updated_at":1700000002}
    "#);
    insta::assert_snapshot!(records(&told, "session_messages"), @r#"
    {"created_at":1700000001,"event_id":"m1","org_id":"org-1","session_id":"a"}
    {"created_at":1700000002,"event_id":"m2","org_id":"org-2","session_id":"b"}
    "#);
    // What is everybody's comes once, and is nobody's.
    insta::assert_snapshot!(records(&told, "playbooks"), @r#"
    {"org_id":null,"playbook_id":"everybodys","updated_at":1700000001}
    {"org_id":"org-1","playbook_id":"p1","updated_at":1700000001}
    {"org_id":"org-2","playbook_id":"p2","updated_at":1700000002}
    "#);
    insta::assert_snapshot!(records(&told, "members"), @r#"
    {"org_id":"org-1","role_assignments":[{"org_id":"org-1"},{"org_id":"org-2"}],"user_id":"u"}
    {"org_id":"org-1","user_id":"v"}
    "#);
    let states = told.states("sessions");
    let state = &states.last().unwrap()["organizations"];
    assert_eq!((&state["org-1"]["updated_at"], &state["org-2"]["updated_at"]), (&json!(T + 1), &json!(T + 2)));
    for stream in INCREMENTAL {
        let statuses: Vec<String> = ran
            .story()
            .lines()
            .filter(|line| {
                ["STARTED", "RUNNING", "COMPLETE", "INCOMPLETE"]
                    .iter()
                    .any(|status| *line == format!("{status} {}", stream.0))
            })
            .map(str::to_string)
            .collect();
        assert_eq!(statuses.len(), 3, "{statuses:?}");
    }
    // Nothing is new the second time but what is of the mark's own second.
    let again = read(&api, &INCREMENTAL, &told.state_file(), &["org-2"]).told();
    assert_eq!(again.records("sessions").len(), 2);
}

#[test]
fn an_organization_that_is_refused_ends_its_streams_and_loses_no_other() {
    let lists: [(&str, &[&str]); 3] = [
        ("/v3/organizations/org-1/sessions", &[r#"{"session_id":"a","updated_at":1700000001}"#]),
        ("/v3/organizations/org-3/sessions", &[r#"{"session_id":"c","updated_at":1700000003}"#]),
        ("/v3beta1/organizations/org-1/members/users", &[r#"{"user_id":"u"}"#]),
    ];
    let api = api(&lists);
    let ran = read(&api, &[("sessions", "incremental"), ("members", "full_refresh")], "[]", &["org-2", "org-3"]);
    assert_eq!(ran.exit(), "exit 1");
    let told = ran.told();
    assert_eq!(told.records("sessions").len(), 2, "{}", ran.text());
    assert_eq!(told.records("members").len(), 1, "{}", ran.text());
    let states = told.states("sessions");
    let state = states.last().unwrap();
    assert_eq!(state["organizations"]["org-1"]["updated_at"], T + 1);
    assert_eq!(state["organizations"]["org-2"]["updated_at"], Value::Null);
    assert_eq!(state["organizations"]["org-3"]["updated_at"], T + 3);
    assert!(told.errors().iter().any(|error| error.starts_with("stream sessions of org-2: ")), "{:?}", told.errors());
    assert!(ran.story().contains("INCOMPLETE sessions") && !ran.story().contains("\nCOMPLETE sessions"));
}

#[test]
fn a_state_of_one_organization_is_continued_and_one_of_an_absent_one_is_kept() {
    let api = two();
    let streams = [("sessions", "incremental")];
    let single = read(&api, &streams, "[]", &[]).told().state_file();
    api.forget();
    let both = read(&api, &streams, &single, &["org-2"]).told().state_file();
    insta::assert_snapshot!(api.asked_sorted(), @"
    /v3/organizations/org-2/sessions first=200
    sessions first=200 updated_after=1699999400
    ");
    let alone = read(&api, &streams, &both, &[]).told().state_file();
    let state: Value = serde_json::from_str(&alone).unwrap();
    let states = &state[0]["stream"]["stream_state"];
    let states = if states.is_null() { &state[0]["stream_state"] } else { states };
    assert_eq!(states["organizations"]["org-2"]["updated_at"], T + 2, "{alone}");
    api.forget();
    read(&api, &streams, &alone, &["org-2"]);
    insta::assert_snapshot!(api.asked_sorted(), @"
    /v3/organizations/org-2/sessions first=200 updated_after=1699999401
    sessions first=200 updated_after=1699999400
    ");
}

#[test]
fn what_the_enterprise_has_once_is_read_once() {
    let entry: &[&str] = &[r#"{"audit_log_id":"e","created_at":1700000001}"#];
    let streams = [("audit_logs", "incremental"), ("service_users", "full_refresh"), ("roles", "full_refresh")];
    let of_all = api(&[
        ("/v3/enterprise/audit-logs", entry),
        ("/v3/enterprise/members/service-users", &[r#"{"service_user_id":"s"}"#]),
        ("/v3/enterprise/roles", &[r#"{"role_id":"r"}"#]),
    ]);
    let ran = read(&of_all, &streams, "[]", &["org-2"]);
    assert_eq!(ran.exit(), "exit 0", "{}", ran.text());
    for (stream, _) in streams {
        assert_eq!(ran.told().records(stream).len(), 1, "{stream}");
    }
    assert!(!of_all.asked_sorted().contains("org-2"), "{}", of_all.asked_sorted());
    // Without it, each organization has its own; what several have comes once.
    let shared = r#"{"audit_log_id":"shared","created_at":1700000000}"#;
    let everybodys = r#"{"audit_log_id":"everybodys","created_at":1700000000,"org_id":null}"#;
    let of_each = api(&[
        ("/v3/organizations/org-1/audit-logs", &[shared, everybodys, entry[0]]),
        (
            "/v3/organizations/org-2/audit-logs",
            &[
                shared,
                everybodys,
                r#"{"audit_log_id":"f","created_at":1700000002}"#,
                r#"{"audit_log_id":"g","created_at":1700000003,"org_id":"org-2"}"#,
            ],
        ),
        ("/v3/enterprise/organizations/org-1/members/service-users", &[r#"{"service_user_id":"s","name":"S"}"#]),
        ("/v3/enterprise/organizations/org-2/members/service-users", &[r#"{"service_user_id":"s","expires_at":5}"#]),
    ]);
    let ran = read(&of_each, &streams[..2], "[]", &["org-2"]);
    assert_eq!(ran.exit(), "exit 0", "{}", ran.text());
    insta::assert_snapshot!(records(&ran.told(), "audit_logs"), @r#"
    {"audit_log_id":"shared","created_at":1700000000,"org_id":"org-1"}
    {"audit_log_id":"everybodys","created_at":1700000000,"org_id":null}
    {"audit_log_id":"e","created_at":1700000001,"org_id":"org-1"}
    {"audit_log_id":"f","created_at":1700000002,"org_id":"org-2"}
    {"audit_log_id":"g","created_at":1700000003,"org_id":"org-2"}
    "#);
    insta::assert_snapshot!(records(&ran.told(), "service_users"), @r#"{"expires_at":5,"name":"S","org_id":"org-1","service_user_id":"s"}"#);
}

/// What is asked for at the second of two reads of the enterprise's lists, the settings of which name these organizations.
fn asked_again(before: &[&str], now: &[&str]) -> String {
    let api = api(&[
        ("/v3/enterprise/organizations", &[r#"{"org_id":"org-1","created_at":1700000001}"#]),
        (
            "/v3/enterprise/audit-logs",
            &[r#"{"audit_log_id":"e","created_at":1700000001}"#, r#"{"audit_log_id":"f","created_at":1700000002}"#],
        ),
    ]);
    let streams = [("organizations", "incremental"), ("audit_logs", "incremental")];
    let read = |ids: &[&str], state: &str| {
        let ran = program_for(&api, &streams, state, json!({"org_id": ids[0], "org_ids": ids[1..]}))
            .run("read --config config.json --catalog catalog.json --state state.json");
        assert_eq!(ran.exit(), "exit 0", "{}", ran.text());
        ran
    };
    let state = read(before, "[]").told().state_file();
    api.forget();
    let ran = read(now, &state);
    let again: Vec<String> = ran
        .text()
        .lines()
        .filter(|line| line.contains("from the beginning"))
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["log"]["message"].as_str().unwrap().to_string())
        .collect();
    let windows = api.asked_sorted();
    let since = windows.lines().find_map(|line| line.split_once("time_after=")?.1.split(' ').next());
    let told = ran.told();
    format!(
        "organizations: {}, audit_logs: {} since {}{}",
        told.records("organizations").len(),
        told.records("audit_logs").len(),
        since.unwrap_or("ever"),
        again.iter().map(|text| format!("\n{text}")).collect::<String>(),
    )
}

#[test]
fn what_the_enterprise_has_goes_on_in_whatever_order_the_organizations_are_named() {
    let same = asked_again(&["org-1", "org-2"], &["org-1", "org-2"]);
    insta::assert_snapshot!(same, @"organizations: 1, audit_logs: 1 since 1700000000");
    for (before, now) in [
        (&["org-1", "org-2"][..], &["org-2", "org-1"][..]),
        (&["org-1", "org-2"], &["org_2", "org-1"]),
        (&["org-1", "org-2", "org-3"], &["org-3", "org-2"]),
        (&["org-1", "org-2"], &["org-2"]),
        (&["org-1"], &["org-2", "org-1"]),
        (&["org-1", "org-2"], &["org-3", "org-2", "org-4"]),
    ] {
        assert_eq!(asked_again(before, now), same, "{before:?}, then {now:?}");
    }
    // Nothing says that these are of the same enterprise.
    insta::assert_snapshot!(asked_again(&["org-1", "org-2"], &["org-3", "org-4"]), @"
    organizations: 1, audit_logs: 2 since 1700000000
    stream organizations: the state is another organization's, so the stream is read from the beginning
    ");
    insta::assert_snapshot!(asked_again(&["org-1"], &["org-3"]), @"
    organizations: 1, audit_logs: 2 since 1700000000
    stream organizations: the state is another organization's, so the stream is read from the beginning
    stream audit_logs: the state is another organization's, so the stream is read from the beginning
    ");
}

#[test]
fn check_says_which_organization_can_be_read() {
    let lists: [(&str, &[&str]); 2] =
        [("/v3/organizations/org-1/sessions", &[]), ("/v3/organizations/org-1/sessions/insights", &[])];
    let api = api(&lists);
    let check = |others: &[&str]| {
        let ran = program().at(&api, json!({"org_ids": others})).run("check --config config.json");
        let status = ran.told().messages().find(|message| message["type"] == "CONNECTION_STATUS").unwrap().clone();
        let status = &status["connectionStatus"];
        format!("{} {}", status["status"].as_str().unwrap(), status["message"].as_str().unwrap())
    };
    assert!(check(&[]).starts_with("SUCCEEDED Streams that can be read"), "{}", check(&[]));
    let said = check(&["org-2"]);
    assert!(said.starts_with("FAILED org-1: Streams that can be read: sessions"), "{said}");
    assert!(said.contains(". org-2: stream sessions: /v3/organizations/org-2/sessions answered 403"), "{said}");
}

#[test]
fn a_wrong_list_of_organizations_is_a_wrong_setting() {
    let api = two();
    for (more, part) in [
        (json!({"org_ids": "org-2"}), "org_ids must be a list of organization IDs"),
        (json!({"org_ids": ["https://app.devin.ai"]}), "org_ids[0] is a URL"),
        (json!({"org_ids": ["org-2", "org-3,org-4"]}), "org_ids[1] is not an organization ID"),
        (json!({"org_ids": ["org-2/sessions"]}), "org_ids[0] is not an organization ID"),
        (json!({"org_ids": ["org-2", "org 3"]}), "org_ids[1] is not an organization ID"),
        (json!({"org_ids": ["org-2", " "]}), "org_ids must be a list of organization IDs"),
        (json!({"org_id": "org-1/", "org_ids": []}), "org_id is not an organization ID"),
        (json!({"org_ids": ["org-2"], "report_deletions": true}), "report_deletions cannot be used with org_ids"),
    ] {
        let said = program().at(&api, more.clone()).check().text().to_string();
        assert!(said.contains(part), "{more}: {said}");
    }
}

#[test]
fn items_that_say_they_are_of_different_organizations_are_two() {
    let lists = [("org-1", "one"), ("org-2", "two")].map(|(org, title)| {
        let item = json!({"playbook_id": "p", "org_id": org, "title": title, "updated_at": T});
        (format!("/v3/organizations/{org}/playbooks"), item.to_string())
    });
    let api = Api::start(move |ask| {
        let path = ask.target.split('?').next().unwrap();
        let found = lists.iter().find(|(known, _)| known == path);
        found.map_or_else(|| Answer::problem(403, "Forbidden"), |(_, item)| Answer::list(&[item]))
    });
    for mode in ["full_refresh", "incremental"] {
        let told = read(&api, &[("playbooks", mode)], "[]", &["org-2"]).told();
        assert_eq!(told.records("playbooks").len(), 2, "{mode}");
    }
}

#[test]
fn what_one_organization_lacks_makes_a_stream_incomplete_also_where_all_streams_are_read() {
    for (has, lacks) in [("org-1", "org-2"), ("org-2", "org-1")] {
        let playbooks = format!("/v3/organizations/{has}/playbooks");
        let api = api(&[
            (&playbooks, &[r#"{"playbook_id":"p","updated_at":1700000001}"#]),
            ("/v3/organizations/org-1/sessions", &[]),
            ("/v3/organizations/org-1/sessions/insights", &[]),
            ("/v3/organizations/org-2/sessions", &[]),
            ("/v3/organizations/org-2/sessions/insights", &[]),
        ]);
        let program = program().at(&api, json!({"org_ids": ["org-2"]}));
        let ran = program.run("read --config config.json --streams all");
        let (text, told) = (ran.text(), ran.told());
        let statuses = || text.lines().filter(|line| line.contains("STREAM_STATUS"));
        let last = |stream: &str| statuses().rfind(|line| line.contains(stream)).unwrap();
        assert!(last("\"playbooks\"").contains("INCOMPLETE"), "{text}");
        assert_eq!((ran.exit().as_str(), told.records("playbooks").len()), ("exit 1", 1), "{text}");
        // The only error, and it names the organization; what neither has is a warning.
        let errors = told.errors();
        let of_playbooks = format!("stream playbooks of {lacks}: /v3/organizations/{lacks}/playbooks answered 403");
        assert!(errors.len() == 1 && errors[0].starts_with(&of_playbooks), "{errors:?}");
        let warned = told.logs("WARN").join("\n");
        assert!(!warned.contains("playbooks"), "{warned}");
        for org_id in ["org-1", "org-2"] {
            assert!(warned.contains(&format!("stream secrets of {org_id} is left out: ")), "{warned}");
        }
        let ran = program.run("read --config config.json --streams all --output out");
        assert_eq!(ran.exit(), "exit 1", "{}", ran.text());
        assert!(!program.path("out/playbooks.jsonl").exists() && program.path("out/sessions.jsonl").exists());
    }
}

#[test]
fn what_no_organization_has_is_left_out_and_is_no_failure() {
    let api = api(&[
        ("/v3/organizations/org-1/sessions", &[]),
        ("/v3/organizations/org-1/sessions/insights", &[]),
        ("/v3/organizations/org-2/sessions", &[]),
        ("/v3/organizations/org-2/sessions/insights", &[]),
    ]);
    let ran = program().at(&api, json!({"org_ids": ["org-2"]})).run("read --config config.json --streams all");
    assert_eq!(ran.exit(), "exit 0", "{}", ran.text());
    assert!(ran.told().errors().is_empty(), "{:?}", ran.told().errors());
}

#[test]
fn a_stream_of_several_organizations_has_one_file_and_no_label_of_its_own() {
    let api = two();
    let mut program = program().at(&api, json!({"org_ids": ["org-2"]}));
    let ran = program.run("read --config config.json --streams sessions --output out");
    assert_eq!(ran.exit(), "exit 0", "{}", ran.text());
    assert_eq!(program.text("out/sessions.jsonl").lines().count(), 2);
    let ran = program.run("read --config config.json --streams sessions --format records");
    assert!(!ran.text().contains("_stream"), "{}", ran.text());
    program = program.file("state.json", "[]");
    let ran = program.run("read --config config.json --streams sessions --state state.json --output more");
    assert_eq!(ran.exit(), "exit 0", "{}", ran.text());
    assert_eq!(program.text("more/sessions.jsonl").lines().count(), 2);
}

#[test]
fn an_organization_that_is_named_twice_is_read_once() {
    let api = two();
    let ran = read(&api, &[("sessions", "incremental")], "[]", &["org-1", " org-2 ", "org_1", "org_2", "org-2"]);
    assert_eq!(ran.exit(), "exit 0", "{}", ran.text());
    insta::assert_snapshot!(api.asked_sorted(), @"
    /v3/organizations/org-2/sessions first=200
    sessions first=200
    ");
    let alone = read(&api, &[("sessions", "incremental")], "[]", &[" org_1 "]).told();
    assert_eq!(alone.states("sessions").last().unwrap()["organizations"], Value::Null);
}

#[test]
fn a_folder_of_the_same_identifier_in_two_organizations_is_two_records() {
    let lists = [("org-1", 3), ("org-2", 5)].map(|(org, notes)| {
        let body = json!({"folders": [{"folder_id": "f", "name": org, "note_count": notes}, {"folder_id": "of-all"}]});
        (format!("/v3/organizations/{org}/knowledge/folders"), body.to_string())
    });
    let api = Api::start(move |ask| {
        let found = lists.iter().find(|(path, _)| *path == ask.target);
        found.map_or_else(Answer::unknown, |(_, body)| Answer::json(body.clone()))
    });
    let ran = read(&api, &[("knowledge_folders", "full_refresh")], "[]", &["org-2"]);
    assert_eq!(ran.exit(), "exit 0", "{}", ran.text());
    insta::assert_snapshot!(records(&ran.told(), "knowledge_folders"), @r#"
    {"folder_id":"f","id":"org-1/f","name":"org-1","note_count":3,"org_id":"org-1"}
    {"folder_id":"of-all","id":"org-1/of-all","org_id":"org-1"}
    {"folder_id":"f","id":"org-2/f","name":"org-2","note_count":5,"org_id":"org-2"}
    {"folder_id":"of-all","id":"org-2/of-all","org_id":"org-2"}
    "#);
}

#[test]
fn what_differs_between_the_lists_of_two_organizations_is_not_taken_for_the_same() {
    let api = api(&[
        ("/v3/organizations/org-1/schedules", &[r#"{"scheduled_session_id":"s","name":"one"}"#]),
        ("/v3/organizations/org-2/schedules", &[r#"{"scheduled_session_id":"s","name":"two"}"#]),
        ("/v3/organizations/org-1/automations", &[r#"{"automation_id":"a","name":"of all"}"#]),
        ("/v3/organizations/org-2/automations", &[r#"{"automation_id":"a","name":"of all"}"#]),
    ]);
    for mode in ["full_refresh", "incremental"] {
        let ran = read(&api, &[("schedules", mode), ("automations", mode)], "[]", &["org-2"]);
        assert_eq!((ran.exit().as_str(), ran.told().records("automations").len()), ("exit 0", 1), "{}", ran.text());
        assert_eq!(ran.told().records("schedules").len(), 2, "{mode}");
    }
}
