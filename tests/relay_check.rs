//! What is wrong is found before anything is created: the key, its organization, the options, the alert. And the key
//! never shows.

mod common;

use std::sync::Arc;

use common::devin::{Devin, Heard, Said, Sessions, now, session, state};
use common::events::{events, story};
use common::{ORG, Program, Sandboxed, TOKEN, program};
use serde_json::{Value, json};

const ALERT: &str = r#"{"title": "something is wrong", "status": "firing"}"#;
const RUN: &str = "alert-relay run --config config.json --alert alert.json --poll-interval 1s --reconcile-window 1s";

fn relay(devin: &Devin) -> Program {
    program().file("config.json", devin.config()).file("alert.json", ALERT)
}

/// A server that answers as `answer` says, and as an organization without sessions where that is `None`.
fn server(answer: impl Fn(&Heard) -> Option<Said> + Send + Sync + 'static) -> Devin {
    let sessions = Sessions::new();
    Devin::start(move |heard| answer(heard).unwrap_or_else(|| sessions.answer(heard)))
}

/// What `check` says about a server, and what it asks.
fn check(answer: impl Fn(&Heard) -> Option<Said> + Send + Sync + 'static) -> String {
    let devin = server(answer);
    let ran = relay(&devin).run("alert-relay check --config config.json");
    format!("{}\nasked:\n{}", story(&ran), devin.asked())
}

/// Answers a path with a status.
fn refuses(path: &'static str, status: u16) -> impl Fn(&Heard) -> Option<Said> + Send + Sync + 'static {
    move |heard| (heard.path == path).then(|| Said::problem(status, "refused"))
}

#[test]
fn a_key_that_works_is_told_with_its_organization() {
    insta::assert_snapshot!(check(|_| None), @"
    check service_user relay in org-1, lacks []
    stderr: key: relay (service_user), organization org-1
    stderr: missing permissions: none
    stderr: untested permissions: UseDevinSessions, ManageOrgSessions
    exit 0
    asked:
    GET /v3/self
    GET sessions first=1
    ");
}

#[test]
fn a_refused_key_is_invalid_devin_token_and_nothing_is_ever_created() {
    insta::assert_snapshot!(check(refuses("/v3/self", 401)), @r#"
    error invalid_devin_token: /v3/self answered 401 (Unauthorized), saying "refused". The API key is not accepted: check that it is whole, begins with cog_ and has not been revoked, or make a new one at https://app.devin.ai/org/<your-org-slug>/settings/org-service-users.
    stderr: error: /v3/self answered 401 (Unauthorized), saying "refused". The API key is not accepted: check that it is whole, begins with cog_ and has not been revoked, or make a new one at https://app.devin.ai/org/<your-org-slug>/settings/org-service-users.
    exit 1
    asked:
    GET /v3/self
    "#);
    for path in ["/v3/self", "sessions"] {
        let devin = server(refuses(path, 401));
        let ran = relay(&devin).run(RUN);
        let told = story(&ran);
        assert!(told.contains("error invalid_devin_token: ") && told.ends_with("\nexit 1"), "{told}");
        assert!(told.contains("https://app.devin.ai/org/<your-org-slug>/settings/org-service-users"), "{told}");
        assert!(devin.heard().iter().all(|heard| heard.method == "GET"), "{}", devin.asked());
    }
}

#[test]
fn a_key_that_may_not_see_sessions_lacks_a_permission() {
    insta::assert_snapshot!(check(refuses("sessions", 403)), @r#"
    check service_user relay in org-1, lacks ["ViewOrgSessions"]
    stderr: key: relay (service_user), organization org-1
    stderr: missing permissions: ViewOrgSessions
    stderr: untested permissions: UseDevinSessions, ManageOrgSessions
    exit 1
    asked:
    GET /v3/self
    GET sessions first=1
    "#);
    let devin = server(refuses("sessions", 403));
    let ran = relay(&devin).run(RUN);
    insta::assert_snapshot!(story(&ran), @"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    error missing_permission: the key lacks ViewOrgSessions, without which a session that exists cannot be found and would be created again
    stderr: error: the key lacks ViewOrgSessions, without which a session that exists cannot be found and would be created again
    exit 1
    ");
    assert_eq!(devin.count("POST"), 0);
}

/// Neither is a matter of the session's options.
#[test]
fn what_the_check_meets_is_told_by_its_own_name() {
    let redirected = |heard: &Heard| {
        (heard.path == "/v3/self").then(|| Said::problem(302, "moved").header("location", "https://app.devin.ai/login"))
    };
    insta::assert_snapshot!(check(redirected), @r#"
    error bad_settings: /v3/self answered 302 (Found), saying "moved". A redirect is not followed: check api_url or --endpoint.
    stderr: error: /v3/self answered 302 (Found), saying "moved". A redirect is not followed: check api_url or --endpoint.
    exit 1
    asked:
    GET /v3/self
    "#);
    let a_list = |heard: &Heard| (heard.path == "/v3/self").then(|| Said::json(&json!([])));
    insta::assert_snapshot!(check(a_list), @"
    error api_trouble: /v3/self answered 200 with an unusable body: it does not describe a principal (tried 3 times). Nothing of this answer was used. Run again later; if it stays so, check that api_url is the Devin API.
    stderr: error: /v3/self answered 200 with an unusable body: it does not describe a principal (tried 3 times). Nothing of this answer was used. Run again later; if it stays so, check that api_url is the Devin API.
    exit 1
    asked:
    GET /v3/self
    GET /v3/self
    GET /v3/self
    ");
}

#[test]
fn an_api_that_does_not_answer_creates_nothing() {
    let devin = server(refuses("/v3/self", 500));
    let ran = relay(&devin).run(RUN);
    insta::assert_snapshot!(story(&ran), @r#"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    error api_trouble: /v3/self answered 500 (Internal Server Error), saying "refused" (tried 3 times). The API has trouble at the moment: run again later.
    stderr: error: /v3/self answered 500 (Internal Server Error), saying "refused" (tried 3 times). The API has trouble at the moment: run again later.
    exit 1
    "#);
    assert_eq!(devin.count("POST"), 0);
}

/// The organization that is found for this answer of `/v3/self` and these organizations of an enterprise key.
fn organization(principal: Value, organizations: Option<&'static [&'static str]>, config: Value) -> String {
    let devin = Devin::start(move |heard| match heard.path.as_str() {
        "/v3/self" => Said::json(&principal),
        "/v3/enterprise/organizations" => match organizations {
            None => Said::problem(403, "no"),
            Some(ids) => {
                let items = ids.iter().map(|id| json!({"org_id": id, "name": id, "created_at": 1, "updated_at": 1}));
                Said::list(&items.collect::<Vec<_>>())
            }
        },
        path if path.ends_with("/sessions") || path == "sessions" => Said::list(&[]),
        _ => Said::problem(404, "no"),
    });
    let mut settings = json!({"api_token": TOKEN, "api_url": devin.url});
    settings.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
    let ran = program().file("config.json", settings.to_string()).run("alert-relay check --config config.json");
    let found = events(&ran)[0].clone();
    let paths: Vec<String> = devin.heard().iter().map(Heard::told).collect();
    let said = found["org_id"].as_str().unwrap_or_else(|| found["message"].as_str().unwrap());
    format!("{said} ({}; {})\n", ran.exit(), paths.join(", "))
}

#[test]
fn the_organization_is_found_for_every_kind_of_key() {
    let service = |org: Value| json!({"principal_type": "service_user", "service_user_id": "s", "service_user_name": "n", "org_id": org});
    let personal = |org: Value, devin: Value| json!({"principal_type": "pat_user", "user_id": "u", "user_name": "n", "api_key_id": "k", "api_key_name": "k", "org_id": org, "devin_sessions_org_id": devin});
    let none = json!({});
    let found: String = [
        ("of one organization", service(json!("org-a")), None, none.clone()),
        ("configured", service(json!("org-a")), None, json!({"org_id": "org-b"})),
        ("enterprise, one", service(Value::Null), Some(&["org-c"][..]), none.clone()),
        ("enterprise, several", service(Value::Null), Some(&["org-c", "org-d"][..]), none.clone()),
        (
            "enterprise, several, configured",
            service(Value::Null),
            Some(&["org-c", "org-d"][..]),
            json!({"org_id": "org-d"}),
        ),
        ("enterprise, forbidden", service(Value::Null), None, none.clone()),
        ("enterprise, none", service(Value::Null), Some(&[][..]), none.clone()),
        ("personal", personal(Value::Null, json!("org-e")), None, none.clone()),
        ("personal with both", personal(json!("org-f"), json!("org-e")), None, none.clone()),
        ("personal in an enterprise", personal(json!("org-f"), Value::Null), Some(&["org-c"][..]), none.clone()),
        ("personal with none", personal(Value::Null, Value::Null), None, none.clone()),
        ("unknown kind", json!({"principal_type": "martian", "org_id": "org-g"}), None, none.clone()),
        ("odd organization", service(json!("")), None, none.clone()),
        ("a number for organization", service(json!(7)), Some(&["org-c"][..]), none),
    ]
    .into_iter()
    .map(|(name, principal, organizations, config)| {
        format!("{name}: {}", organization(principal, organizations, config))
    })
    .collect();
    insta::assert_snapshot!(found, @"
    of one organization: org-a (exit 0; GET /v3/self, GET /v3/organizations/org-a/sessions first=1)
    configured: org-b (exit 0; GET /v3/self, GET /v3/organizations/org-b/sessions first=1)
    enterprise, one: org-c (exit 0; GET /v3/self, GET /v3/enterprise/organizations first=200, GET /v3/organizations/org-c/sessions first=1)
    enterprise, several: the key may act in 2 organizations: name one as org_id, in DEVIN_ORG_ID, or by --endpoint (exit 1; GET /v3/self, GET /v3/enterprise/organizations first=200)
    enterprise, several, configured: org-d (exit 0; GET /v3/self, GET /v3/organizations/org-d/sessions first=1)
    enterprise, forbidden: the key does not tell its organization: give org_id (it stands on the page where the key was made), in the file or in DEVIN_ORG_ID (exit 1; GET /v3/self, GET /v3/enterprise/organizations first=200)
    enterprise, none: the key does not tell its organization: give org_id (it stands on the page where the key was made), in the file or in DEVIN_ORG_ID (exit 1; GET /v3/self, GET /v3/enterprise/organizations first=200)
    personal: org-e (exit 0; GET /v3/self, GET /v3/enterprise/organizations first=200, GET /v3/organizations/org-e/sessions first=1)
    personal with both: org-f (exit 0; GET /v3/self, GET /v3/enterprise/organizations first=200, GET /v3/organizations/org-f/sessions first=1)
    personal in an enterprise: org-c (exit 0; GET /v3/self, GET /v3/enterprise/organizations first=200, GET /v3/organizations/org-c/sessions first=1)
    personal with none: the key does not tell its organization: give org_id (it stands on the page where the key was made), in the file or in DEVIN_ORG_ID (exit 1; GET /v3/self, GET /v3/enterprise/organizations first=200)
    unknown kind: org-g (exit 0; GET /v3/self, GET /v3/organizations/org-g/sessions first=1)
    odd organization: the key does not tell its organization: give org_id (it stands on the page where the key was made), in the file or in DEVIN_ORG_ID (exit 1; GET /v3/self, GET /v3/enterprise/organizations first=200)
    a number for organization: org-c (exit 0; GET /v3/self, GET /v3/enterprise/organizations first=200, GET /v3/organizations/org-c/sessions first=1)
    ");
}

#[test]
fn the_sandbox_has_a_key_of_every_kind() {
    let sandbox = Sandboxed::start("--sessions 3");
    let config: Value = serde_json::from_str(&sandbox.config).unwrap();
    let told: String = [
        source_devin_ai::sandbox::TOKEN,
        source_devin_ai::sandbox::TOKEN_ENTERPRISE,
        source_devin_ai::sandbox::TOKEN_PERSONAL,
        "cog_not_a_key",
    ]
    .into_iter()
    .map(|token| {
        let config = json!({"api_token": token, "api_url": config["api_url"]});
        let ran = program().file("config.json", config.to_string()).run("alert-relay check --config config.json");
        assert!(!ran.text().contains(token) && !ran.stderr.contains(token));
        story(&ran) + "\n\n"
    })
    .collect();
    insta::assert_snapshot!(told, @r#"
    check service_user alert-bridge in org-5a4db0c05a4db0c05a4db0c05a4db0c0, lacks []
    stderr: key: alert-bridge (service_user), organization org-5a4db0c05a4db0c05a4db0c05a4db0c0
    stderr: missing permissions: none
    stderr: untested permissions: UseDevinSessions, ManageOrgSessions
    exit 0

    check service_user enterprise-relay in org-5a4db0c05a4db0c05a4db0c05a4db0c0, lacks []
    stderr: key: enterprise-relay (service_user), organization org-5a4db0c05a4db0c05a4db0c05a4db0c0
    stderr: missing permissions: none
    stderr: untested permissions: UseDevinSessions, ManageOrgSessions
    exit 0

    check pat_user Amira Haddad in org-5a4db0c05a4db0c05a4db0c05a4db0c0, lacks []
    stderr: key: Amira Haddad (pat_user), organization org-5a4db0c05a4db0c05a4db0c05a4db0c0
    stderr: missing permissions: none
    stderr: untested permissions: UseDevinSessions, ManageOrgSessions
    exit 0

    error invalid_devin_token: /v3/self answered 401 (Unauthorized), saying "Unauthorized: invalid token". The API key is not accepted: check that it is whole, begins with cog_ and has not been revoked, or make a new one at https://app.devin.ai/org/<your-org-slug>/settings/org-service-users.
    stderr: error: /v3/self answered 401 (Unauthorized), saying "Unauthorized: invalid token". The API key is not accepted: check that it is whole, begins with cog_ and has not been revoked, or make a new one at https://app.devin.ai/org/<your-org-slug>/settings/org-service-users.
    exit 1
    "#);
}

#[test]
fn the_environment_is_enough() {
    let devin = Devin::of(&Sessions::new().into());
    let program = program().variable("DEVIN_API_KEY", TOKEN).variable("DEVIN_API_URL", &devin.url);
    let ran = program.run("alert-relay check");
    assert!(story(&ran).ends_with("exit 0"), "{}", story(&ran));
    let ran = common::program().run("alert-relay check");
    insta::assert_snapshot!(story(&ran), @"
    stderr: error: no API key: give --config FILE, or set DEVIN_API_KEY, or use --sandbox
    stderr: 
    stderr: For more information, try '--help'.
    exit 2
    ");
}

/// `--endpoint` wins over settings, whatever stands in them.
#[test]
fn an_endpoint_wins_over_settings_that_are_wrong() {
    let devin = Devin::of(&Sessions::new().into());
    let program =
        program().variable("DEVIN_API_KEY", TOKEN).variable("DEVIN_API_URL", "nonsense").variable("DEVIN_ORG_ID", "..");
    let ran = program.run(&format!("alert-relay check --endpoint {}/v3/organizations/{ORG}/sessions", devin.url));
    insta::assert_snapshot!(story(&ran), @"
    check service_user relay in org-1, lacks []
    stderr: key: relay (service_user), organization org-1
    stderr: missing permissions: none
    stderr: untested permissions: UseDevinSessions, ManageOrgSessions
    exit 0
    ");
}

#[test]
fn an_endpoint_names_server_and_organization() {
    let devin = Devin::of(&Sessions::new().into());
    let config = json!({"api_token": TOKEN, "api_url": "http://127.0.0.1:9", "org_id": "org-9"}).to_string();
    let program = program().file("config.json", config).file("alert.json", ALERT);
    let run = |endpoint: &str| {
        let ran = program.run(&format!("{RUN} --detach --endpoint {endpoint}"));
        story(&ran).lines().filter(|line| !line.starts_with("alert_received ")).collect::<Vec<_>>().join("\n")
    };
    for form in ["", "/"] {
        let told = run(&format!("{}/v3/organizations/{ORG}/sessions{form}", devin.url));
        assert!(told.ends_with("\nexit 0"), "{told}");
    }
    assert_eq!(devin.count("POST"), 1, "the second run adopts");
    let asked = devin.heard().len();
    let wrong: String = [
        devin.url.clone(),
        format!("{}/v3/organizations/{ORG}", devin.url),
        format!("{}/v3/organizations//sessions", devin.url),
        format!("{}/v1/sessions", devin.url),
        format!("{}/v3/organizations/{ORG}/sessions?x=1", devin.url),
        format!("http://api.devin.ai/v3/organizations/{ORG}/sessions"),
        format!("{}/v3/organizations/{{org_id}}/sessions", devin.url),
        format!("ftp://127.0.0.1/v3/organizations/{ORG}/sessions"),
        "nonsense".to_string(),
    ]
    .iter()
    .map(|endpoint| run(endpoint) + "\n\n")
    .collect();
    insta::assert_snapshot!(wrong, @"
    error bad_endpoint: --endpoint must be the address that creates a session: https://HOST/v3/organizations/ORG/sessions
    stderr: error: --endpoint must be the address that creates a session: https://HOST/v3/organizations/ORG/sessions
    exit 1

    error bad_endpoint: --endpoint must be the address that creates a session: https://HOST/v3/organizations/ORG/sessions
    stderr: error: --endpoint must be the address that creates a session: https://HOST/v3/organizations/ORG/sessions
    exit 1

    error bad_endpoint: --endpoint must be the address that creates a session: https://HOST/v3/organizations/ORG/sessions
    stderr: error: --endpoint must be the address that creates a session: https://HOST/v3/organizations/ORG/sessions
    exit 1

    error bad_endpoint: --endpoint must be the address that creates a session: https://HOST/v3/organizations/ORG/sessions
    stderr: error: --endpoint must be the address that creates a session: https://HOST/v3/organizations/ORG/sessions
    exit 1

    error bad_endpoint: --endpoint must be the address that creates a session: https://HOST/v3/organizations/ORG/sessions
    stderr: error: --endpoint must be the address that creates a session: https://HOST/v3/organizations/ORG/sessions
    exit 1

    error bad_endpoint: --endpoint must begin with https:// (http:// is allowed for this machine only, because it would show the key)
    stderr: error: --endpoint must begin with https:// (http:// is allowed for this machine only, because it would show the key)
    exit 1

    error bad_endpoint: --endpoint must be the address that creates a session: https://HOST/v3/organizations/ORG/sessions
    stderr: error: --endpoint must be the address that creates a session: https://HOST/v3/organizations/ORG/sessions
    exit 1

    error bad_endpoint: --endpoint must begin with https://
    stderr: error: --endpoint must begin with https://
    exit 1

    error bad_endpoint: --endpoint must be the address that creates a session: https://HOST/v3/organizations/ORG/sessions
    stderr: error: --endpoint must be the address that creates a session: https://HOST/v3/organizations/ORG/sessions
    exit 1
    ");
    assert_eq!(devin.heard().len(), asked, "nobody was asked");
}

/// What a run says that must not reach the server.
fn refused(program: &Program, devin: &Devin, arguments: &str) -> String {
    let ran = program.run(arguments);
    assert_eq!(devin.asked(), "", "{arguments}");
    story(&ran)
}

#[test]
fn limits_out_of_their_range_are_usage_errors() {
    let devin = Devin::of(&Sessions::new().into());
    let program = relay(&devin);
    for options in [
        "--poll-interval 0s",
        "--poll-interval 999ms",
        "--poll-interval 301s",
        "--poll-interval 6m",
        "--poll-interval 30",
        "--poll-interval -1s",
        "--max-poll-attempts 0",
        "--max-poll-attempts 1001",
        "--max-poll-attempts 1.5",
        "--on-timeout kill",
        "--max-acu-limit 0",
        "--format nosuch",
        "--cooldown 5",
        "--create-timeout x",
        "--sandbox --endpoint https://x/v3/organizations/o/sessions",
    ] {
        let run = format!("alert-relay run --config config.json --alert alert.json {options}");
        let told = refused(&program, &devin, &run);
        assert!(told.ends_with("\nexit 2") && told.contains("stderr: error: "), "{options}: {told}");
    }
    for options in ["--poll-interval 0s", "--max-poll-attempts 1001"] {
        let told = refused(&program, &devin, &format!("alert-relay watch abc --config config.json {options}"));
        assert!(told.ends_with("\nexit 2"), "{options}: {told}");
    }
    insta::assert_snapshot!(refused(&program, &devin, "alert-relay run --config config.json --alert alert.json --poll-interval 301s"), @"
    stderr: error: invalid value '301s' for '--poll-interval <TIME>': expected a time from 1s to 300s
    stderr: 
    stderr: For more information, try '--help'.
    exit 2
    ");
    insta::assert_snapshot!(refused(&program, &devin, "alert-relay run --config config.json"), @"
    stderr: error: the following required arguments were not provided:
    stderr:   --alert <FILE>  The alert as its sender's webhook delivers it; - reads standard input
    stderr: 
    stderr: Usage: source-devin-ai alert-relay run --alert <FILE> --config <FILE>
    stderr: 
    stderr: Examples:
    stderr:   source-devin-ai alert-relay run --sandbox --alert alert.json
    stderr:   source-devin-ai alert-relay run --alert alert.json --repo my-org/my-service --max-acu-limit 10
    stderr:   curl -s https://example.com/alert.json | source-devin-ai alert-relay run --alert - --detach
    stderr: 
    stderr: For more information, try '--help'.
    exit 2
    ");
}

#[test]
fn the_ends_of_the_limits_are_within_them() {
    let devin = Devin::of(&Sessions::new().into());
    let program = relay(&devin);
    for options in ["--poll-interval 300s", "--poll-interval 5m", "--max-poll-attempts 1000", "--max-poll-attempts 1"] {
        let ran = program.run(&format!("alert-relay run --config config.json --alert alert.json {options}"));
        assert_eq!(ran.exit(), "exit 0", "{options}: {}", story(&ran));
    }
}

#[test]
fn bad_input_is_one_sentence_and_no_request() {
    let devin = Devin::of(&Sessions::new().into());
    let large = format!(r#"{{"title": "{}"}}"#, "x".repeat(16 << 20));
    let template = |text: &str| relay(&devin).file("prompt.txt", text);
    let alert = |text: &[u8]| relay(&devin).file("alert.json", text);
    let with_template = format!("{RUN} --prompt-template prompt.txt");
    let with_schema = format!("{RUN} --structured-output-schema schema.json");
    let told: String = [
        ("no such template", relay(&devin), &*with_template),
        ("unknown variable", template("{{ nothing }}"), &with_template),
        ("broken template", template("{% if %}"), &with_template),
        ("empty template", template(""), &with_template),
        ("no such schema", relay(&devin), &with_schema),
        ("schema is no object", relay(&devin).file("schema.json", "[]"), &with_schema),
        ("schema is no JSON", relay(&devin).file("schema.json", "{"), &with_schema),
        ("schema is too large", relay(&devin).file("schema.json", " ".repeat(65_537)), &with_schema),
        ("no such alert", relay(&devin), "alert-relay run --config config.json --alert missing.json"),
        ("empty", alert(b""), RUN),
        ("not JSON", alert(b"{"), RUN),
        ("not text", alert(b"\xff\xfe"), RUN),
        ("no object", alert(b"[1]"), RUN),
        ("unknown shape", alert(br#"{"foo": 1}"#), RUN),
        ("nearly alertmanager", alert(br#"{"version": "4", "alerts": []}"#), RUN),
        ("oversized", alert(large.as_bytes()), RUN),
        ("no such settings", relay(&devin), "alert-relay run --config missing.json --alert alert.json"),
        ("odd settings", relay(&devin).file("config.json", r#"{"api_token": ""}"#), RUN),
    ]
    .into_iter()
    .map(|(name, program, arguments)| {
        let told = refused(&program, &devin, arguments);
        let (events, people): (Vec<&str>, Vec<&str>) = told.lines().partition(|line| line.starts_with("error "));
        let [error] = events[..] else { panic!("one error: {told}") };
        // People read the same sentence.
        let sentence = error.split_once(": ").unwrap().1;
        assert!(people.contains(&&*format!("stderr: error: {sentence}")), "{told}");
        format!("{name}: {error} ({})\n", people.last().unwrap())
    })
    .collect();
    insta::assert_snapshot!(told, @"
    no such template: error bad_input: cannot read the prompt template prompt.txt: No such file or directory (os error N) (exit 1)
    unknown variable: error bad_input: the prompt template names nothing in line 1, which does not exist; there are annotations, data, dedupe_key, firing, is_firing, labels, links, members, message, more_members, secrets_removed, sender, sender_name, severity, started_at, state, tag, title, truncated (prompt.txt) (exit 1)
    broken template: error bad_input: the prompt template is wrong in line 1: syntax error: unexpected end of block (prompt.txt) (exit 1)
    empty template: error bad_input: the prompt template renders to nothing for this alert (exit 1)
    no such schema: error bad_input: cannot read the schema schema.json: No such file or directory (os error N) (exit 1)
    schema is no object: error bad_input: the schema schema.json must be a JSON object (exit 1)
    schema is no JSON: error bad_input: the schema schema.json is not valid JSON (line 1, column 1) (exit 1)
    schema is too large: error bad_input: the schema schema.json is larger than 64 KiB, the most that the API takes (exit 1)
    no such alert: error bad_input: cannot read the alert missing.json: No such file or directory (os error N) (exit 1)
    empty: error bad_input: the alert alert.json: the payload is empty (exit 1)
    not JSON: error bad_input: the alert alert.json: the payload is not JSON in UTF-8: it cannot be read beyond line 1, column 1 (exit 1)
    not text: error bad_input: the alert alert.json: the payload is not JSON in UTF-8: it cannot be read beyond line 1, column 1 (exit 1)
    no object: error bad_input: the alert alert.json: the payload is JSON, but a number instead of an object (exit 1)
    unknown shape: error bad_input: the alert alert.json: the payload is of no known sender, and nothing in it says for sure that it is an alert; if it is one, run: source-devin-ai alert-relay run --format any --alert alert.json (exit 1)
    nearly alertmanager: error bad_input: the alert alert.json: the payload is of no known sender, and nothing in it says for sure that it is an alert; if it is one, run: source-devin-ai alert-relay run --format any --alert alert.json (exit 1)
    oversized: error bad_input: the alert alert.json: the payload has 16777217 bytes or more, of which at most 16777216 are taken (exit 1)
    no such settings: error bad_settings: cannot read the configuration missing.json: No such file or directory (os error N) (exit 1)
    odd settings: error bad_settings: the configuration is not usable: api_token is empty: give the API key (exit 1)
    ");
}

#[test]
fn the_key_never_shows_even_when_the_server_repeats_it() {
    let echo = format!("your key is {TOKEN}");
    let tokens = |status: u16| {
        let echo = echo.clone();
        move |heard: &Heard| {
            let session = session(TOKEN, &[], now(), &state("running/working", false));
            match (status, heard.path.as_str()) {
                (200, "sessions") if heard.method == "GET" => Some(Said::list(&[])),
                (200, "/v3/self") => Some(Said::json(
                    &json!({"principal_type": "service_user", "service_user_name": echo, "org_id": ORG}),
                )),
                (200, path) => {
                    let mut session = session;
                    if path.ends_with("abc") {
                        session["session_id"] = "abc".into();
                    }
                    for field in ["url", "title", "status_detail"] {
                        session[field] = echo.as_str().into();
                    }
                    session["pull_requests"] = json!([{"pr_url": echo, "pr_state": echo}]);
                    session["status"] = "exit".into();
                    Some(Said::json(&session))
                }
                // The check passes, and what follows is refused.
                (_, "/v3/self") => None,
                (_, "sessions") if heard.method == "GET" && heard.parameter("tags").is_none() => None,
                (status, _) => Some(Said::problem(status, &echo)),
            }
        }
    };
    for status in [200, 400, 403, 404, 422] {
        let devin = server(tokens(status));
        let program = relay(&devin);
        for arguments in [
            "alert-relay check --config config.json",
            RUN,
            "alert-relay watch abc --config config.json --poll-interval 1s --max-poll-attempts 3",
        ] {
            let ran = program.run(arguments);
            assert!(!ran.text().contains(TOKEN), "{status} {arguments}: {}", ran.text());
            assert!(!ran.stderr.contains(TOKEN), "{status} {arguments}: {}", ran.stderr);
        }
    }
    let devin = server(move |heard| (heard.path == "/v3/self").then(|| Said::problem(401, &echo)));
    let ran = relay(&devin).run(RUN);
    insta::assert_snapshot!(story(&ran), @r#"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    error invalid_devin_token: /v3/self answered 401 (Unauthorized), saying "(withheld: the server's explanation repeats the API key)". The API key is not accepted: check that it is whole, begins with cog_ and has not been revoked, or make a new one at https://app.devin.ai/org/<your-org-slug>/settings/org-service-users.
    stderr: error: /v3/self answered 401 (Unauthorized), saying "(withheld: the server's explanation repeats the API key)". The API key is not accepted: check that it is whole, begins with cog_ and has not been revoked, or make a new one at https://app.devin.ai/org/<your-org-slug>/settings/org-service-users.
    exit 1
    "#);
    assert!(!ran.text().contains(TOKEN) && !ran.stderr.contains(TOKEN));
}

#[test]
fn a_key_that_is_revoked_while_watching_stops_after_three_polls_and_says_how_to_go_on() {
    let sessions = Sessions::new().on_look(|look| match look {
        1 => state("running/working", false),
        _ => json!({"refused": 401}),
    });
    let sessions = Arc::new(sessions);
    let devin = Devin::of(&sessions);
    let ran = relay(&devin).run(RUN);
    insta::assert_snapshot!(story(&ran), @r#"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    session_created https://app.devin.ai/sessions/SESSION
    session_status running/working
    error invalid_devin_token: /v3/organizations/org-1/sessions/devin-SESSION answered 401 (Unauthorized), saying "refused". The API key is not accepted: check that it is whole, begins with cog_ and has not been revoked, or make a new one at https://app.devin.ai/org/<your-org-slug>/settings/org-service-users.
    stderr: /v3/organizations/org-1/sessions/devin-SESSION answered 401 (Unauthorized), saying "refused"; this poll does not count
    stderr: /v3/organizations/org-1/sessions/devin-SESSION answered 401 (Unauthorized), saying "refused"; this poll does not count
    stderr: error: /v3/organizations/org-1/sessions/devin-SESSION answered 401 (Unauthorized), saying "refused". The API key is not accepted: check that it is whole, begins with cog_ and has not been revoked, or make a new one at https://app.devin.ai/org/<your-org-slug>/settings/org-service-users.
    stderr: the session goes on; watch it again with: source-devin-ai alert-relay watch SESSION --config config.json
    exit 1
    "#);
    let polls = devin.heard().iter().filter(|heard| heard.path.starts_with("sessions/")).count();
    assert_eq!((polls, devin.count("POST"), devin.count("DELETE"), sessions.alive()), (4, 1, 0, 1));
}

#[test]
fn a_permission_that_is_taken_away_while_watching_stops_it_too() {
    let sessions = Arc::new(Sessions::new().on_look(|_| json!({"refused": 403})));
    let devin = Devin::of(&sessions);
    let ran = relay(&devin).run(RUN);
    let told = story(&ran);
    assert!(told.contains("\nerror missing_permission: ") && told.contains("alert-relay watch SESSION"), "{told}");
    let polls = devin.heard().iter().filter(|heard| heard.path.starts_with("sessions/")).count();
    assert_eq!((polls, devin.count("DELETE"), ran.exit().as_str()), (3, 0, "exit 1"));
}
