//! A rules file that is right, and everything that may be wrong with one.

use std::io;

use super::*;

/// Variables and files that are there.
struct World {
    variables: Vec<(&'static str, &'static str)>,
    files: Vec<(&'static str, &'static [u8])>,
}

const SECRET: &str = "Zq7wz3kfH5x2mt9Vbn4c8dj6";

impl Surroundings for World {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string())
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, io::ErrorKind> {
        let found = self.files.iter().find(|(known, _)| *known == path);
        found.map(|(_, text)| text.to_vec()).ok_or(io::ErrorKind::NotFound)
    }
}

fn world() -> World {
    World {
        variables: vec![
            ("KEY", "cog_Zq7wz3kfH5x2mt9Vbn4c8dj6\n"),
            ("OLD_KEY", "apk_Zq7wz3kfH5x2mt9Vbn4c8dj6"),
            ("TOKEN", SECRET),
            ("HOOK", "https://hooks.slack.com/services/T0/B0/Zq7wz3kfH5x2"),
            ("INNER", "https://10.1.2.3/hook/Zq7wz3kfH5x2"),
            ("CLEAR", "http://chat.internal/hook/Zq7wz3kfH5x2"),
            ("OTHER", "Hx8dk2PqLw9vTz4rNc6bYm1s"),
            ("SHORT", "hunt3r2"),
            ("WORDS", "checkout-service-prod"),
            ("EMPTY", " "),
            ("LINES", "a long first line\nand another"),
            ("QUOTED", "\"cog_Zq7wz3kfH5x2mt9Vbn4c8dj6\""),
            ("SLASHED", "Zq7wz3kfH5x2/mt9Vbn4c8dj6"),
            ("WHSEC", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ],
        files: vec![
            ("secret", b"Zq7wz3kfH5x2mt9Vbn4c8dj6\n"),
            ("binary", b"\xff\xfe\xfd"),
            ("prompt.txt", b"Look at {{ title }}.\n"),
            ("bad.txt", b"Look at {{ nobody }}.\n"),
            ("map.yaml", b"title: a.b\n"),
            ("schema.json", b"{\"type\": \"object\"}"),
            ("list.json", b"[1]"),
        ],
    }
}

const INTEGRATIONS: &str = "integrations:\n  - name: main\n    api_key: {env: KEY}\n";
const ROUTES: &str = "routes:\n  - name: auto\n    auth: none\n";

/// What is wrong with a file, and what is odd about one that is right.
fn said(yaml: &str) -> String {
    let lines = |problems: &[Problem]| problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n");
    match check(yaml, Devin::Api, &world()) {
        Ok(rules) => format!("right\n{}", lines(&rules.warnings)).trim_end().to_string(),
        Err(problems) => lines(&problems),
    }
}

/// A file with one route, which has this `auth`.
fn with_auth(auth: &str) -> String {
    said(&format!("{INTEGRATIONS}routes:\n  - name: r\n    auth: {auth}\n"))
}

/// A file with this default rule.
fn with_default(rule: &str) -> String {
    said(&format!("{INTEGRATIONS}{ROUTES}default:\n{rule}"))
}

/// A file that is accepted with something left out would be worse than one that is refused.
#[test]
fn whatever_cannot_be_used_is_a_problem() {
    let odd = ["", "7", "true", "[]", "{}", "[[]]", "[{}]", "{x: y}", "text", "-1.5", "'a b'", "[null]", "{env: }"];
    let places = [
        "{bearer: _}",
        "{basic: _}",
        "{basic: {username: _, password: {env: TOKEN}}}",
        "{basic: {username: u, password: _}}",
        "{header: _}",
        "{header: {name: _, secret: {env: TOKEN}}}",
        "{header: {name: X, secret: _}}",
        "{path: _}",
        "{pagerduty: _}",
        "{grafana: _}",
        "{grafana: {secret: _}}",
        "{grafana: {secret: {env: TOKEN}, header: _}}",
        "{sentry: _}",
        "{github: _}",
        "{STANDARD: _}",
        "{sns: _}",
        "{sns: {topics: _}}",
        "_",
    ];
    for place in places {
        for value in odd {
            let said = with_auth(&place.replace('_', value).replace("STANDARD", "standard_webhooks"));
            let is_name = place.contains("username: _") && ["text", "'a b'"].contains(&value)
                || (place.contains("{name: _") || place.contains("{env: TOKEN}, header: _")) && value == "text";
            assert_eq!(said == "right", is_name, "{place} {value}: {said}");
        }
    }
}

/// Neither the key nor what a sender proves itself with may come to a prompt, whatever it looks like.
#[test]
fn a_secret_that_the_file_names_is_not_sent_to_devin() {
    let routes = "routes:\n  - name: a\n    auth: {bearer: {env: OTHER}}\n";
    for place in [
        "playbook: _",
        "title: Look _",
        "tag: [a, _]",
        "repo: [_]",
        "prompt-template: '{{ title }} _'",
        "structured-output-schema: {x: _}",
    ] {
        for secret in ["Hx8dk2PqLw9vTz4rNc6bYm1s", "Zq7wz3kfH5x2mt9Vbn4c8dj6"] {
            let rule = place.replace('_', secret).replace("t-", "t_").replace("d-", "d_");
            let said = said(&format!("default: {{{rule}}}\n{INTEGRATIONS}{routes}"));
            assert!(said.contains("would be sent to Devin") && !said.contains(&secret[..8]), "{rule}: {said}");
        }
    }
}

fn told(cases: &[&str], said: impl Fn(&str) -> String) -> String {
    cases.iter().map(|case| format!("{case:?}\n  {}", said(case).replace('\n', "\n  "))).collect::<Vec<_>>().join("\n")
}

/// The file in the documents, with every variable and file that it names.
#[test]
fn the_example_in_the_documents_is_right() {
    struct Anything;

    impl Surroundings for Anything {
        fn variable(&self, name: &str) -> Option<String> {
            let value = match name {
                "DEVIN_API_KEY" => "cog_Zq7wz3kfH5x2mt9Vbn4c8dj6".to_string(),
                "CHECKS_SECRET" => "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_string(),
                _ => format!("{SECRET}_{name}"),
            };
            Some(value)
        }

        fn file(&self, path: &str) -> Result<Vec<u8>, io::ErrorKind> {
            Ok(format!("{SECRET} of {path}\n").into_bytes())
        }
    }

    let rules = check(include_str!("../../../../docs/relay.yaml"), Devin::Api, &Anything).unwrap();
    assert_eq!(rules.warnings, []);
    assert_eq!(rules.open_routes().collect::<Vec<_>>(), ["local"]);
    assert_eq!(rules.secrets().count(), 9);
    let shown = format!("{rules:#?}");
    assert!(!shown.contains(SECRET), "{shown}");
    insta::assert_snapshot!(shown);
}

/// The page in the documents has every key, and its example is right.
#[test]
fn the_page_in_the_documents_has_every_key() {
    let page = include_str!("../../../../docs/rules.md");
    let lists: [&[&str]; 10] = [
        &KEYS,
        &routes::KEYS,
        &routes::METHODS,
        &integrations::KEYS,
        &keys::keys(),
        &list::KEYS,
        &conditions::KEYS,
        &limits::LIMITS,
        &limits::OCCURRENCES,
        &limits::STORM,
    ];
    let tables: String = page.lines().filter(|line| line.starts_with("| `")).collect();
    for key in lists.concat() {
        assert!(tables.contains(&format!("`{key}`")), "{key} is not described");
    }
    for kind in ["auto", "map", "any", "alert-relay senders"] {
        assert!(tables.contains(&format!("`{kind}`")), "{kind} is not described");
    }
    let (_, example) = page.split_once("```yaml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let example = example.replace("DEVIN_API_KEY", "KEY").replace("ALERTMANAGER_TOKEN", "TOKEN");
    assert_eq!(said(&example), "right");
}

#[test]
fn the_shortest_file_has_a_route_and_an_integration() {
    let rules = check(&format!("{INTEGRATIONS}{ROUTES}"), Devin::Api, &world()).unwrap();
    assert_eq!(rules.integrations[0].token.as_ref().map(Token::expose), Some("cog_Zq7wz3kfH5x2mt9Vbn4c8dj6"));
    assert_eq!(
        (rules.rules[0].integration.as_str(), rules.retention, rules.namespace.as_str()),
        ("main", RETENTION, "")
    );
    assert!(rules.rules[0].policy.create_again);
    insta::assert_snapshot!(said(""));
    insta::assert_snapshot!(said("- a\n"));
    insta::assert_snapshot!(said("retention: 1d\n"));
    for (size, expected) in [
        ("1GiB", "right"),
        ("15MiB", "max_store_size must be at least 16MiB"),
        ("5", "max_store_size needs a unit: 64MiB, 2GiB"),
        ("1.5GiB", "max_store_size must be a size: 64MiB, 2GiB"),
        ("17179869184GiB", "max_store_size must be a size: 64MiB, 2GiB"),
    ] {
        let told = said(&format!("max_store_size: {size}\n{INTEGRATIONS}{ROUTES}"));
        assert!(told.contains(expected), "{size}: {told}");
    }
}

/// A simulated organization with two scenarios.
const SANDBOX: Devin = Devin::Sandbox(&["blocked", "out-of-quota"]);

#[test]
fn a_tag_names_a_scenario_that_the_sandbox_has() {
    let said = |tags: &str, devin| {
        let checked = check(&format!("{ROUTES}default: {{tag: {tags}}}\n"), devin, &world());
        checked.map_or_else(|problems| problems[0].to_string(), |rules| rules.rules[0].session.tags.join(" "))
    };
    assert_eq!(said("[a, 'scenario:blocked']", SANDBOX), "a scenario:blocked");
    assert_eq!(said("'scenario:blokked'", Devin::Nobody), "scenario:blokked", "elsewhere it is a tag as any other");
    insta::assert_snapshot!(said("[a, 'scenario:blokked']", SANDBOX), @r#"line 4, column 20: default.tag[1] names no scenario of the sandbox (did you mean "blocked"?): there are blocked, out-of-quota"#);
}

#[test]
fn a_simulated_organization_needs_no_integration_and_no_key() {
    let rules = check(ROUTES, SANDBOX, &world()).unwrap();
    assert_eq!((rules.integrations.len(), rules.rules[0].integration.as_str()), (0, "main"));
    let yaml = format!("{ROUTES}integrations:\n  - name: main\n    api_key: {{env: NOT_SET}}\n");
    let rules = check(&yaml, SANDBOX, &world()).unwrap();
    assert_eq!((rules.integrations[0].token.is_none(), rules.rules[0].integration.as_str()), (true, "main"));
    // What would be wrong without the sandbox is told all the same.
    let warned = |problems: &[Problem]| problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(warned(&rules.warnings), @"line 6, column 5: integrations[0].api_key names the environment variable NOT_SET, which is not set; the sandbox does not need it");
    for key in ["cog_Zq7wz3kfH5x2mt9Vbn4c8dj6", "{env: QUOTED}", "{evn: KEY}"] {
        let yaml = format!("{ROUTES}integrations:\n  - {{name: main, api_key: {key}}}\n");
        let problems = check(&yaml, SANDBOX, &world()).unwrap_err();
        assert!(warned(&problems).starts_with("line 5, column 18: integrations[0].api_key "), "{problems:?}");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_its_place() {
    let yaml = "\
route:
  - name: a
integrations:
  - name: Main Org
    provider: cursor
    apiKey: {env: KEY}
    endpoint: https://api.devin.ai/sessions
  - name: second
    api_key: cog_Zq7wz3kfH5x2mt9Vbn4c8dj6
    org_id: https://app.devin.ai/org/acme
default:
  integraton: second
  pollInterval: 30000
  cooldown: 5
  max_acu_limit: 0
  playbook:
  tags: [a]
retention: 5m
on_create_unknown: maybe
namespace: 7
";
    insta::assert_snapshot!(said(yaml));
}

#[test]
fn an_integration_is_an_organization_and_its_key() {
    let with_integration = |fields: &str| said(&format!("{ROUTES}integrations:\n  - {{name: main, {fields}}}\n"));
    let key = "api_key: {env: KEY}";
    let cases = [
        "provider: devin",
        "api_key: {env: OLD_KEY}",
        "api_key: {env: QUOTED}",
        "api_key: {env: LINES}",
        "api_key: {file: binary}",
        &format!("{key}, endpoint: 'https://api.devin.ai/v3/organizations/org-1/sessions', org_id: org-1"),
        &format!("{key}, endpoint: 'https://api.devin.ai/v3/organizations/org-1/sessions', org_id: org-2"),
        &format!("{key}, endpoint: 'http://api.devin.ai/v3/organizations/org-1/sessions'"),
        &format!("{key}, org_id: cog_Zq7wz3kfH5x2mt9Vbn4c8dj6"),
        &format!("{key}, api_url: 'https://api.devin.ai'"),
    ];
    insta::assert_snapshot!(told(&cases, with_integration));
    let two = "integrations:\n  - {name: a, api_key: {env: KEY}}\n  - {name: b, api_key: {env: KEY}}\n";
    insta::assert_snapshot!(said(&format!("{ROUTES}{two}")));
    insta::assert_snapshot!(said(&format!("{ROUTES}{two}default: {{tag: a}}\n")));
    assert_eq!(said(&format!("{ROUTES}{two}default: {{integration: b}}\n")), "right");
}

#[test]
fn the_rule_takes_the_options_of_a_run() {
    let yaml = "\
default:
  playbook: playbook-1
  repo: my-org/my-service
  knowledge: [note-1, note-2]
  secret: [secret-1]
  tag: on-call
  title: Look
  max_acu_limit: 10
  devin_mode: fast
  structured_output_schema: schema.json
  prompt_template: prompt.txt
  dedupe_key: '{{ labels.service }}'
  ignore_label: [node]
  per_alert: true
  fire_on: [warn]
  max_sessions: 3
  cooldown: 30m
  while_pr_open: hold
  while_pr_open_max: 24h
  on_session_limit: fail
  on_new_alerts: start
  reconcile_window: 15m
  create_timeout: 10s
  poll_interval: 15s
  max_poll_attempts: 200
  pr_grace: 0
  on_timeout: terminate
";
    let rules = check(&format!("{INTEGRATIONS}{ROUTES}{yaml}"), Devin::Api, &world()).unwrap();
    insta::assert_debug_snapshot!(rules.rules[0]);
    let cases = [
        "  tag: ['', cog_Zq7wz3kfH5x2mt9Vbn4c8dj6]",
        "  playbook: 7",
        "  dedupe_key: always the same",
        "  dedupe_key: '{{ labels'",
        "  prompt_template: missing.txt",
        "  prompt_template: bad.txt",
        "  prompt_template: |\n    Look at {{ title }}.",
        "  prompt_template: |\n    Look at {{ title }} with cog_Zq7wz3kfH5x2mt9Vbn4c8dj6",
        "  structured_output_schema: list.json",
        "  structured_output_schema: binary",
        "  structured_output_schema: {type: object}",
        "  per_alert: yes",
        "  max_sessions: many",
        "  max_poll_attempts: 1001",
        "  poll_interval: 10m",
        "  cooldown: -5",
        "  create_timeout: 1ms",
        "  reconcile_window: 90s",
        "  while_pr_open: strat",
        "  on_timeout: never",
        "  require_pr: true",
        "  colour: red",
        "  repos: [a/b]",
        "  repo: not a repo",
        "  repo: 'my-org/{{ label.service }}'",
        "  repo: [my-org/api, 'my-org/{{ labels.service }}']",
        "  tag: [on-call, AR-x]",
        "  fire_on: [bogus, test, acknowledged]",
        "  structured_output_schema: {type: objekt}",
        "  structured_output_schema: {properties: {a: {$ref: 'https://example.com/a.json'}}}",
        "  structured_output_schema: {properties: {type: {type: string, enum: [a]}}}",
        "  on_session_limit: 1",
        "  on_resolved: end",
        "  delayMinutes: 5",
        "  id: payments",
    ];
    insta::assert_snapshot!(told(&cases, with_default));
    let yaml = format!("on_create_unknown: report\n{INTEGRATIONS}{ROUTES}default: {{reconcile_window: 90s}}\n");
    let rules = check(&yaml, Devin::Api, &world()).unwrap();
    assert_eq!(
        (rules.rules[0].policy.create_again, rules.rules[0].policy.reconcile_window),
        (false, Duration::from_secs(90))
    );
}

mod credentials;
mod documents;
mod lists;
mod masks;
mod schema;
mod targets;
mod tokens;
