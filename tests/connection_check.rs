//! `check` answers every kind of trouble in its own way, and asks little to find out.

mod common;

use common::{Answer, Api, Ask, Library, ORG, program};
use serde_json::json;
use source_devin_ai::config::Config;

/// A server on which everything works: one session, and an empty list everywhere else.
fn healthy(ask: &Ask) -> Answer {
    match ask.list.as_str() {
        "/v3/self" => Answer::json(
            r#"{"principal_type":"service_user","service_user_id":"s","service_user_name":"n","org_id":"org-1"}"#,
        ),
        "sessions" | "sessions/insights" => Answer::list(&[r#"{"session_id":"abc"}"#]),
        "sessions/devin-abc/messages" | "playbooks" | "secrets" | "knowledge/notes" => Answer::list(&[]),
        _ => Answer::unknown(),
    }
}

/// Checks a server that answers as `answer` says, and as a healthy one where that is `None`.
fn check(answer: impl Fn(&Ask) -> Option<Answer> + Send + Sync + 'static) -> String {
    let api = Api::start(move |ask| answer(ask).unwrap_or_else(|| healthy(ask)));
    let story = of_every_key(&program().at(&api, json!({})).check().story());
    format!("{story}\nasked:\n{}", asked(&api).join("\n"))
}

/// What is asked for the streams that every key may have; the further ones have a test of their own.
fn asked(api: &Api) -> Vec<String> {
    let is_usual = |asked: &String| {
        let list = asked.split(' ').next().unwrap_or_default();
        matches!(list, "/v3/self" | "playbooks" | "secrets" | "knowledge/notes")
            || list.starts_with("sessions") && !list.ends_with("attachments")
    };
    api.asked().into_iter().filter(is_usual).collect()
}

/// The same of what is said.
fn of_every_key(story: &str) -> String {
    let line = |line: &str| {
        let ends = [". Further ones: ", ". Not for this key: ", ". Not offered by this API: ", ". Not tried, "];
        let end = ends.iter().filter_map(|end| line.find(end)).min().filter(|_| line.starts_with("SUCCEEDED"));
        line[..end.unwrap_or(line.len())].to_string()
    };
    story.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Checks a settings file against a server that must not be asked.
fn check_file(text: impl AsRef<[u8]>) -> String {
    program().file("config.json", text).check().story()
}

#[test]
fn a_usable_connection_succeeds_with_one_small_request_per_stream() {
    insta::assert_snapshot!(check(|_| None), @"
    SUCCEEDED: Streams that can be read: sessions, sessions_insights, session_messages, playbooks, secrets, knowledge_notes
    exit 0
    asked:
    /v3/self
    sessions first=1
    sessions/insights first=1
    sessions/devin-abc/messages first=1
    playbooks first=1
    secrets first=1
    knowledge/notes first=1
    ");
}

#[test]
fn an_organization_without_sessions_is_usable() {
    insta::assert_snapshot!(check(|ask| ask.list.starts_with("sessions").then(|| Answer::list(&[]))), @"
    SUCCEEDED: Streams that can be read: sessions, sessions_insights, playbooks, secrets, knowledge_notes
    exit 0
    asked:
    /v3/self
    sessions first=1
    sessions/insights first=1
    playbooks first=1
    secrets first=1
    knowledge/notes first=1
    ");
}

#[test]
fn a_deployment_that_does_not_know_self_is_usable() {
    insta::assert_snapshot!(check(|ask| (ask.list == "/v3/self").then(Answer::unknown)), @"
    SUCCEEDED: Streams that can be read: sessions, sessions_insights, session_messages, playbooks, secrets, knowledge_notes
    exit 0
    asked:
    /v3/self
    sessions first=1
    sessions/insights first=1
    sessions/devin-abc/messages first=1
    playbooks first=1
    secrets first=1
    knowledge/notes first=1
    ");
}

#[test]
fn a_refused_key_fails_after_the_first_answer() {
    let api = Api::start(healthy);
    let program = program().at(&api, json!({"api_token": "cog_another_k3y_entirely"}));
    insta::assert_snapshot!(program.check().story(), @r#"
    FAILED: /v3/self answered 401 (Unauthorized), saying "Refused: invalid token". The API key is not accepted. Does it begin with cog_, and is it complete? Has it been revoked? Create a new one at https://app.devin.ai/org/<your-org-slug>/settings/org-service-users and put it into api_token (DEVIN_API_KEY).
    exit 0
    "#);
    assert_eq!(api.asked(), ["/v3/self"]);
}

#[test]
fn a_key_that_only_the_lists_refuse_fails_too() {
    insta::assert_snapshot!(check(|ask| match ask.list.as_str() {
        "/v3/self" => Some(Answer::unknown()),
        _ => Some(Answer::status(401, "application/json", r#"{"detail":"expired"}"#)),
    }), @r#"
    FAILED: /v3/organizations/org-1/sessions answered 401 (Unauthorized), saying "expired". The API key is not accepted. Does it begin with cog_, and is it complete? Has it been revoked? Create a new one at https://app.devin.ai/org/<your-org-slug>/settings/org-service-users and put it into api_token (DEVIN_API_KEY).
    exit 0
    asked:
    /v3/self
    sessions first=1
    "#);
}

#[test]
fn an_unknown_organization_fails_and_names_the_keys_own() {
    let api = Api::start(healthy);
    let program = program().at(&api, json!({"org_id": "org-wrong"}));
    insta::assert_snapshot!(program.check().story(), @r#"
    FAILED: /v3/organizations/org-wrong/sessions answered 404 (Not Found), saying "Refused: Not Found". Check api_url first (https://api.devin.ai, or your Enterprise deployment's own address, without /v1 or /api), then org_id (copy it from the page where the key was made). The key itself belongs to org-1.
    exit 0
    "#);
    assert_eq!(api.asked(), ["/v3/self", "/v3/organizations/org-wrong/sessions first=1"]);
}

#[test]
fn no_access_to_sessions_fails_and_names_the_permission_per_stream() {
    insta::assert_snapshot!(check(|ask| {
        ask.list.starts_with("sessions").then(|| Answer::problem(403, "missing permission: ViewOrgSessions"))
    }), @r#"
    FAILED: stream sessions: /v3/organizations/org-1/sessions answered 403 (Forbidden), saying "Refused: missing permission: ViewOrgSessions". The API key lacks the permission ViewOrgSessions: grant it to the key's service user (in Devin: Enterprise settings > Roles), or leave the stream out. stream sessions_insights: /v3/organizations/org-1/sessions/insights answered 403 (Forbidden), saying "Refused: missing permission: ViewOrgSessions". The API key lacks the permission ViewOrgSessions: grant it to the key's service user (in Devin: Enterprise settings > Roles), or leave the stream out.
    exit 0
    asked:
    /v3/self
    sessions first=1
    sessions/insights first=1
    playbooks first=1
    secrets first=1
    knowledge/notes first=1
    "#);
}

#[test]
fn no_access_to_the_other_streams_is_a_warning_each() {
    insta::assert_snapshot!(check(|ask| match ask.list.as_str() {
        "playbooks" => Some(Answer::problem(403, "no playbooks for you")),
        "secrets" => Some(Answer::status(403, "application/json", r#"{"detail":"no secrets for you"}"#)),
        "knowledge/notes" => Some(Answer::status(403, "text/html", "<html>403</html>")),
        _ => None,
    }), @r#"
    WARN stream playbooks: /v3/organizations/org-1/playbooks answered 403 (Forbidden), saying "Refused: no playbooks for you". If the reason is a permission: The API key lacks the permission ManageOrgPlaybooks: grant it to the key's service user (in Devin: Enterprise settings > Roles), or leave the stream out.
    WARN stream secrets: /v3/organizations/org-1/secrets answered 403 (Forbidden), saying "no secrets for you". If the reason is a permission: The API key lacks the permission ManageOrgSecrets: grant it to the key's service user (in Devin: Enterprise settings > Roles), or leave the stream out.
    WARN stream knowledge_notes: /v3/organizations/org-1/knowledge/notes answered 403 (Forbidden). The response gives no reason, unlike the API's own, so something in front of the API may have refused the request: check api_url, the proxy, and whether this machine is allowed to reach the API. If it was the API: The API key lacks the permission ManageOrgKnowledge: grant it to the key's service user (in Devin: Enterprise settings > Roles), or leave the stream out.
    SUCCEEDED: Streams that can be read: sessions, sessions_insights, session_messages
    exit 0
    asked:
    /v3/self
    sessions first=1
    sessions/insights first=1
    sessions/devin-abc/messages first=1
    playbooks first=1
    secrets first=1
    knowledge/notes first=1
    "#);
}

#[test]
fn a_session_that_goes_away_meanwhile_is_no_trouble() {
    insta::assert_snapshot!(check(|ask| ask.list.ends_with("messages").then(Answer::unknown)), @"
    SUCCEEDED: Streams that can be read: sessions, sessions_insights, playbooks, secrets, knowledge_notes
    exit 0
    asked:
    /v3/self
    sessions first=1
    sessions/insights first=1
    sessions/devin-abc/messages first=1
    playbooks first=1
    secrets first=1
    knowledge/notes first=1
    ");
}

/// Checks in process, where the waits between tries take no time; leaves out what is told about them.
async fn check_in_trouble(answer: impl Fn(&Ask) -> Option<Answer> + Send + Sync + 'static) -> String {
    let api = Api::start(move |ask| answer(ask).unwrap_or_else(|| healthy(ask)));
    let (has_succeeded, told) = Library::at(&api).check().await;
    let lines = of_every_key(&told.lines());
    let told: Vec<&str> = lines.lines().filter(|line| !line.starts_with("INFO")).collect();
    let mut asked = asked(&api);
    asked.dedup();
    let exit = if has_succeeded { "exit 0" } else { "exit 1" };
    format!("{}\n{exit} after {}", told.join("\n"), asked.join(", "))
}

#[tokio::test]
async fn a_session_that_refuses_its_messages_is_a_warning() {
    let refused = check_in_trouble(|ask| ask.list.ends_with("messages").then(|| Answer::problem(403, "not this one")));
    insta::assert_snapshot!(refused.await, @r#"
    WARN stream session_messages: /v3/organizations/org-1/sessions/devin-abc/messages answered 403 (Forbidden), saying "Refused: not this one". Sessions can be listed, so this may affect this session only: a read gets the messages of the others, then the stream fails, and the next read tries this one again.
    SUCCEEDED: Streams that can be read: sessions, sessions_insights, playbooks, secrets, knowledge_notes
    exit 0 after /v3/self, sessions first=1, sessions/insights first=1, sessions/devin-abc/messages first=1, playbooks first=1, secrets first=1, knowledge/notes first=1
    "#);
    for status in [400, 410, 422] {
        let told = check_in_trouble(move |ask| ask.list.ends_with("messages").then(|| Answer::problem(status, "no")));
        let told = told.await;
        assert!(
            told.contains("WARN stream session_messages: ")
                && told.contains("\nSUCCEEDED: ")
                && told.contains("\nexit 0"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn a_list_that_answers_with_trouble_is_a_warning_where_sessions_can_be_read() {
    insta::assert_snapshot!(check_in_trouble(|ask| match ask.list.as_str() {
        "sessions/devin-abc/messages" => Some(Answer::problem(500, "no messages")),
        "playbooks" => Some(Answer::problem(503, "no playbooks")),
        "secrets" => Some(Answer::html(200)),
        "knowledge/notes" => Some(Answer::html(502)),
        _ => None,
    }).await, @r#"
    WARN stream session_messages: /v3/organizations/org-1/sessions/devin-abc/messages answered 500 (Internal Server Error), saying "Refused: no messages" (tried 3 times). The API has trouble at the moment: run again later.
    WARN stream playbooks: /v3/organizations/org-1/playbooks answered 503 (Service Unavailable), saying "Refused: no playbooks" (tried 3 times). The API has trouble at the moment: run again later.
    WARN stream secrets: /v3/organizations/org-1/secrets answered 200 with an unusable body: it is not the JSON of a list (line 1, column 1) (tried 3 times). Nothing of this answer was used. Run again later; if it stays so, check that api_url is the Devin API.
    WARN stream knowledge_notes: /v3/organizations/org-1/knowledge/notes answered 502 (Bad Gateway) (tried 3 times). The API has trouble at the moment: run again later.
    SUCCEEDED: Streams that can be read: sessions, sessions_insights
    exit 0 after /v3/self, sessions first=1, sessions/insights first=1, sessions/devin-abc/messages first=1, playbooks first=1, secrets first=1, knowledge/notes first=1
    "#);
}

#[tokio::test]
async fn sessions_that_answer_with_trouble_are_no_answer_about_the_connection() {
    for list in ["sessions", "sessions/insights"] {
        for trouble in [Answer::problem(503, "no"), Answer::html(200), Answer::problem(429, "no")] {
            let told = check_in_trouble(move |ask| (ask.list == list).then(|| trouble.clone())).await;
            assert!(told.starts_with("ERROR (transient_error) ") && told.contains("\nexit 1"), "{list}: {told}");
        }
    }
}

#[tokio::test]
async fn a_limit_after_sessions_is_a_warning_and_the_last_question() {
    insta::assert_snapshot!(check_in_trouble(|ask| (ask.list == "playbooks").then(|| {
        Answer::problem(429, "slow down").header("retry-after", "900")
    })).await, @r#"
    WARN stream playbooks: /v3/organizations/org-1/playbooks answered 429 and asks to wait 900 s (Retry-After), saying "Refused: slow down". The API limits how often it may be asked: run again later, or lower concurrency.
    SUCCEEDED: Streams that can be read: sessions, sessions_insights, session_messages
    exit 0 after /v3/self, sessions first=1, sessions/insights first=1, sessions/devin-abc/messages first=1, playbooks first=1
    "#);
}

#[tokio::test]
async fn a_server_that_falls_silent_is_no_answer_about_the_connection() {
    let url = common::wire(|connection| {
        while let Some(target) = connection.next().filter(|target| !target.contains("/playbooks")) {
            let body = if target.contains("/self") { "{}" } else { r#"{"items":[]}"# };
            connection.answer(200, body);
        }
    });
    let (has_succeeded, told) = Library::with(Config::of_sandbox(common::TOKEN, ORG, &url)).check().await;
    assert!(!has_succeeded && told.errors()[0].contains("/playbooks broke off its answer"), "{}", told.lines());
}

#[test]
fn a_server_in_trouble_is_no_answer_about_the_connection() {
    let api = Api::start(|_| Answer::problem(429, "slow down").header("retry-after", "900"));
    insta::assert_snapshot!(program().at(&api, json!({})).check().story(), @r#"
    ERROR (transient_error) /v3/self answered 429 and asks to wait 900 s (Retry-After), saying "Refused: slow down". The API limits how often it may be asked: run again later, or lower concurrency.
    exit 1
    "#);
    assert_eq!(api.asked(), ["/v3/self"]);
}

#[test]
fn an_unreachable_server_is_an_error_of_the_command() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = json!({"api_token": "cog_x", "org_id": ORG, "api_url": format!("http://127.0.0.1:{port}")});
    insta::assert_snapshot!(check_file(config.to_string()), @"
    INFO /v3/self could not be reached: 127.0.0.1: Connection refused (os error N); trying again in N s
    INFO /v3/self could not be reached: 127.0.0.1: Connection refused (os error N) (tried 2 times); trying again in N s
    ERROR (transient_error) /v3/self could not be reached: 127.0.0.1: Connection refused (os error N) (tried 3 times). Check api_url, the network and the proxy settings, and run again.
    exit 1
    ");
}

#[test]
fn a_file_that_cannot_be_read_as_an_object_is_an_error_of_the_command() {
    insta::assert_snapshot!(program().check().story(), @"
    ERROR (config_error) cannot read the configuration config.json: No such file or directory (os error N)
    exit 1
    ");
    insta::assert_snapshot!(check_file("{\"api_token\": \"cog_s3cr3t_value\",\n oops"), @"
    ERROR (config_error) the configuration config.json is not valid JSON (line 2, column 2)
    exit 1
    ");
    insta::assert_snapshot!(check_file("[\"cog_s3cr3t_value\"]"), @"
    ERROR (config_error) the configuration config.json must be a JSON object, but is a list
    exit 1
    ");
    insta::assert_snapshot!(check_file(b"\xff\xfe{"), @"
    ERROR (config_error) the configuration config.json is not UTF-8 text
    exit 1
    ");
    insta::assert_snapshot!(program().run("check --config .").story(), @"
    ERROR (config_error) cannot read the configuration .: Is a directory (os error N)
    exit 1
    ");
}

#[test]
fn no_settings_at_all_are_a_usage_error() {
    insta::assert_snapshot!(program().run("check").story(), @"
    stderr: error: no API key: give --config FILE, or set DEVIN_API_KEY (and DEVIN_ORG_ID), or use --sandbox
    stderr:
    stderr: For more information, try '--help'.
    exit 2
    ");
}

#[test]
fn bad_fields_fail_all_in_one_message_before_any_request() {
    let api = Api::start(healthy);
    let bad =
        json!({"api_token": 5, "org_id": " ", "start_date": "2026-13-01", "concurrency": 0, "lookback_window": "1h"});
    insta::assert_snapshot!(program().at(&api, bad).check().story(), @r#"
    FAILED: the configuration is not usable: api_token must be a string, but is a number; org_id is empty: give the organization ID; start_date must be a date in the form YYYY-MM-DDTHH:MM:SSZ, in UTC, but is "2026-13-01"; lookback_window must be a whole number of seconds from 0 to 315360000 (ten years); concurrency must be a whole number from 1 to 64
    exit 0
    "#);
    assert_eq!(api.asked(), [""; 0]);
    insta::assert_snapshot!(check_file("{}"), @"
    FAILED: the configuration is not usable: api_token is missing: give the API key there or in DEVIN_API_KEY; org_id is missing: give the organization ID there or in DEVIN_ORG_ID
    exit 0
    ");
    insta::assert_snapshot!(check_file(r#"{"api_token":"cog_x","org_id":"o","api_url":"http://example.com"}"#), @"
    FAILED: the configuration is not usable: api_url must begin with https:// (http:// is allowed for this machine only, because it would show the key)
    exit 0
    ");
    insta::assert_snapshot!(check_file(r#"{"api_token":"cog_s3cr3t value","org_id":"cog_s3cr3t_value","start_date":"2026-01-01"}"#), @r#"
    FAILED: the configuration is not usable: api_token has spaces or other characters that no key has: copy the key again; org_id is an API key: it must be the organization ID (org-…); start_date must be a date in the form YYYY-MM-DDTHH:MM:SSZ, in UTC, but is "2026-01-01"
    exit 0
    "#);
}

#[test]
fn settings_come_from_the_environment_and_a_file_wins() {
    let api = Api::start(healthy);
    let program = program().variable("DEVIN_API_KEY", common::TOKEN).variable("DEVIN_ORG_ID", ORG);
    let program = program.variable("DEVIN_API_URL", &api.url());
    insta::assert_snapshot!(of_every_key(&program.run("check").story()), @"
    SUCCEEDED: Streams that can be read: sessions, sessions_insights, session_messages, playbooks, secrets, knowledge_notes
    exit 0
    ");
    let program = program.file("config.json", r#"{"org_id":"org-of-the-file"}"#);
    api.forget();
    insta::assert_snapshot!(program.check().story(), @r#"
    FAILED: /v3/organizations/org-of-the-file/sessions answered 404 (Not Found), saying "Refused: Not Found". Check api_url first (https://api.devin.ai, or your Enterprise deployment's own address, without /v1 or /api), then org_id (copy it from the page where the key was made). The key itself belongs to org-1.
    exit 0
    "#);
    assert_eq!(api.asked(), ["/v3/self", "/v3/organizations/org-of-the-file/sessions first=1"]);
}

#[test]
fn what_is_likely_a_mistake_is_a_warning_and_the_server_decides() {
    let api = Api::open(healthy);
    let odd = json!({"api_token": "apk_old_kind_0f_key", "start_date": "2999-01-01T00:00:00Z"});
    insta::assert_snapshot!(of_every_key(&program().at(&api, odd).check().story()), @"
    WARN api_token does not start with cog_: keys of the Devin API v3 do (keys that start with apk_ are for its retired versions); the server decides
    WARN start_date is in the future, so no session can be in range yet
    SUCCEEDED: Streams that can be read: sessions, sessions_insights, session_messages, playbooks, secrets, knowledge_notes
    exit 0
    ");
}

#[test]
fn the_sandbox_can_be_checked_without_settings() {
    insta::assert_snapshot!(of_every_key(&program().run("check --sandbox").story()), @"
    SUCCEEDED: Streams that can be read: sessions, sessions_insights, session_messages, playbooks, secrets, knowledge_notes
    exit 0
    ");
}

#[test]
fn the_further_streams_are_told_by_what_they_lack_and_fail_nothing() {
    let program = program();
    insta::assert_snapshot!(program.run("check --sandbox --format text").text());
    let api = Api::start(|ask| match ask.list.as_str() {
        "schedules" => Answer::list(&[]),
        "automations" | "metrics/usage" => Answer::problem(403, "missing permission"),
        "metrics/prs" => Answer::problem(503, "no figures"),
        _ => healthy(ask),
    });
    let story = self::program().at(&api, json!({})).check().story();
    let told: Vec<&str> = story.lines().filter(|line| !line.starts_with("INFO")).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn no_number_of_records_is_told_of_a_list_of_which_only_the_newest_are_asked_for() {
    let api = Api::start(|ask| match ask.list.as_str() {
        "/v3/enterprise/audit-logs" => {
            let total = if ask.target.contains("time_after=") { 0 } else { 450 };
            Answer::json(json!({"items": [], "has_next_page": false, "total": total}).to_string())
        }
        "playbooks" => Answer::json(json!({"items": [], "has_next_page": false, "total": 7}).to_string()),
        _ => healthy(ask),
    });
    let ran = program().at(&api, json!({})).run("check --config config.json --format text");
    let line =
        |stream: &str| ran.text().lines().map(str::trim).find(|line| line.starts_with(stream)).unwrap().to_string();
    assert_eq!(line("audit_logs"), "audit_logs");
    assert!(line("playbooks").ends_with(" 7 records"), "{}", ran.text());
}

#[test]
fn a_stream_of_several_lists_is_readable_where_all_of_them_are() {
    let told = |people: Answer, months: Answer| {
        let answer = move |ask: &Ask| match ask.list.as_str() {
            "/v3beta1/organizations/org-1/members/users" => Answer::list(&[r#"{"user_id":"u1"}"#]),
            "/v3beta1/organizations/org-1/members/idp-users" => people.clone(),
            "metrics/dau" | "metrics/wau" => Answer::json("[]"),
            "metrics/mau" => months.clone(),
            list if list.contains("members") => Answer::unknown(),
            _ => healthy(ask),
        };
        let text = program()
            .at(&Api::start(answer), json!({}))
            .run("check --config config.json --format text")
            .text()
            .to_string();
        let cannot = text.split("Streams that cannot be read:").nth(1).unwrap_or_default().to_string();
        cannot
            .lines()
            .filter(|line| line.contains("members") || line.contains("active_users"))
            .map(str::trim)
            .collect::<Vec<_>>()
            .join("; ")
    };
    let refused = Answer::problem(403, "missing permission");
    assert_eq!(told(Answer::list(&[]), Answer::json("[]")), "");
    // People of an identity provider may be unknown where there is none.
    assert_eq!(told(Answer::unknown(), Answer::json("[]")), "");
    assert_eq!(
        told(refused.clone(), refused),
        "members (needs ViewOrgMembership); active_users (needs ViewOrgMetrics)"
    );
}

/// The advice is "set api_url to the API's own address": the user's to mend, so FAILED.
#[test]
fn an_address_that_redirects_fails_the_check() {
    let api = Api::start(|_| Answer::status(301, "text/html", "").header("location", "https://example.com/"));
    let ran = program().at(&api, json!({})).check();
    assert_eq!(ran.exit(), "exit 0", "{}", ran.story());
    assert!(ran.story().starts_with("FAILED: "), "{}", ran.story());
}

/// After "come back in fifteen minutes" every further question is pointless.
#[test]
fn a_check_that_is_told_to_wait_long_asks_nothing_more() {
    let api = Api::start(|_| Answer::problem(429, "slow down").header("retry-after", "900"));
    assert_eq!(program().at(&api, json!({})).check().exit(), "exit 1");
    assert_eq!(api.asked(), ["/v3/self"]);
}

/// Settings for a host that is asked over TLS and is nobody's.
fn elsewhere() -> common::Program {
    program().file(
        "config.json",
        json!({"api_token": common::TOKEN, "org_id": ORG, "api_url": "https://api.example.invalid"}).to_string(),
    )
}

#[test]
fn a_file_of_certificates_that_cannot_be_used_is_named_before_anybody_is_asked() {
    for (path, told) in [
        ("/nowhere/roots.pem", "SSL_CERT_FILE names /nowhere/roots.pem, which cannot be read: "),
        (concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), "/Cargo.toml, which holds no certificate"),
    ] {
        let ran = elsewhere().variable("SSL_CERT_FILE", path).run("check --config config.json");
        assert_eq!(ran.exit(), "exit 1");
        assert!(ran.told().errors()[0].contains(told), "{}", ran.story());
    }
}

#[test]
fn a_proxy_on_the_way_is_named_without_its_password() {
    let ran =
        elsewhere().variable("HTTPS_PROXY", "http://user:s3cr3tword@127.0.0.1:9").run("check --config config.json");
    assert_eq!(ran.exit(), "exit 1");
    let error = ran.told().errors()[0].to_string();
    assert!(error.contains("could not be reached: api.example.invalid through the proxy 127.0.0.1:9: "), "{error}");
    assert!(!ran.text().contains("s3cr3tword") && !ran.stderr.contains("s3cr3tword"));
}

#[test]
fn a_server_that_speaks_no_tls_is_told_so() {
    let api = Api::open(|_| Answer::list(&[]));
    let config =
        json!({"api_token": common::TOKEN, "org_id": ORG, "api_url": api.url().replace("http://", "https://")});
    let ran = program().file("config.json", config.to_string()).run("check --config config.json");
    assert_eq!(ran.exit(), "exit 1");
    assert!(ran.told().errors()[0].contains("the server does not speak TLS on this port"), "{}", ran.story());
}

/// Nothing that will change by itself: asking again would only take time.
#[test]
fn a_proxy_that_asks_for_a_password_or_is_of_another_kind_ends_the_check_at_once() {
    let proxy = |status: u16| {
        common::wire(move |connection| {
            while connection.next().is_some() {
                connection.answer(status, "");
            }
        })
    };
    let told = |proxy: &str| {
        let ran = elsewhere().variable("HTTPS_PROXY", proxy).run("check --config config.json");
        assert_eq!(ran.exit(), "exit 1", "{}", ran.story());
        ran.story()
    };
    let needs_password = told(&proxy(407));
    assert!(
        needs_password.contains("the proxy asks for a name and a password (407). Check the proxy in HTTPS_PROXY"),
        "{needs_password}"
    );
    let other = told("socks5://127.0.0.1:9");
    assert!(other.contains("unsupported scheme socks5: only http:// and https:// work"), "{other}");
    assert!(!needs_password.contains("tried") && !other.contains("tried"), "{needs_password}{other}");

    let ran = elsewhere().variable("HTTPS_PROXY", &proxy(502)).run("check --config config.json");
    assert!(
        ran.told().errors()[0]
            .contains("the proxy made no connection, and answered with an error of its own (tried 3 times)"),
        "{}",
        ran.story()
    );
}

#[test]
fn no_proxy_of_all_hosts_holds_for_addresses_too() {
    // This machine, by an address that is not known for it.
    let config = json!({"api_token": common::TOKEN, "org_id": ORG, "api_url": "https://0.0.0.0:9"});
    let program = program().file("config.json", config.to_string()).variable("NO_PROXY", "localhost, *");
    let ran = program.variable("HTTPS_PROXY", "socks5://127.0.0.1:9").run("check --config config.json");
    assert!(ran.told().errors()[0].contains("could not be reached: 0.0.0.0: Connection refused"), "{}", ran.story());
}

#[test]
fn certificates_are_also_found_where_pythons_programs_look() {
    let program = elsewhere().variable("SSL_CERT_FILE", "").variable("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem");
    let ran = program.run("check --config config.json");
    assert!(
        ran.told().errors()[0].contains("REQUESTS_CA_BUNDLE names /nowhere/ca.pem, which cannot be read: "),
        "{}",
        ran.story()
    );
}
