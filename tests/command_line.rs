//! What may be typed, and what the program says to everything else.

mod common;

use common::{Answer, Api, program};
use serde_json::json;
use source_devin_ai::sandbox::FaultKind;
use source_devin_ai::source::streams::names;

const COMMANDS: [&str; 8] = ["spec", "check", "discover", "read", "alert-relay", "sandbox", "completions", "man"];

fn run(arguments: &str) -> String {
    program().run(arguments).story()
}

#[test]
fn an_unknown_flag_or_command_and_none_at_all_are_usage_errors() {
    insta::assert_snapshot!(run("check --nonsense"), @"
    stderr: error: unexpected argument '--nonsense' found
    stderr:
    stderr: Usage: source-devin-ai check [OPTIONS]
    stderr:
    stderr: For more information, try '--help'.
    exit 2
    ");
    insta::assert_snapshot!(run("chekc"), @"
    stderr: error: unrecognized subcommand 'chekc'
    stderr:
    stderr:   tip: a similar subcommand exists: 'check'
    stderr:
    stderr: Usage: source-devin-ai <COMMAND>
    stderr:
    stderr: For more information, try '--help'.
    exit 2
    ");
    insta::assert_snapshot!(program().run("").exit(), @"exit 2");
    insta::assert_snapshot!(run("read --config x --catalog y --streams sessions"), @"
    stderr: error: the argument '--catalog <FILE>' cannot be used with '--streams <NAMES>'
    stderr:
    stderr: Usage: source-devin-ai read --config <FILE> --catalog <FILE>
    stderr:
    stderr: For more information, try '--help'.
    exit 2
    ");
    let told = run("read --sandbox --streams session").replace(&names(), "(all streams)");
    insta::assert_snapshot!(told, @r#"
    stderr: error: stream "session" does not exist: did you mean "sessions"? this connector has (all streams)
    stderr:
    stderr: For more information, try '--help'.
    exit 2
    "#);
    insta::assert_snapshot!(run("read --sandbox --format csv"), @"
    stderr: error: invalid value 'csv' for '--format <FORM>'
    stderr:   [possible values: airbyte, records]
    stderr:
    stderr: For more information, try '--help'.
    exit 2
    ");
    insta::assert_snapshot!(run("spec --config x"), @"
    stderr: error: unexpected argument '--config' found
    stderr:
    stderr: Usage: source-devin-ai spec [OPTIONS]
    stderr:
    stderr: For more information, try '--help'.
    exit 2
    ");
}

#[test]
fn a_read_that_names_no_streams_is_a_usage_error_that_shows_both_ways() {
    insta::assert_snapshot!(program().file("config.json", "{}").run("read --config config.json").story(), @"
    stderr: error: read needs --catalog FILE (from a platform) or --streams NAMES (sessions,playbooks or all; messages hold personal data and cost one request per session)
    stderr:
    stderr: For more information, try '--help'.
    exit 2
    ");
}

#[test]
fn help_and_version_go_to_stdout_and_succeed() {
    for arguments in ["--help", "read --help", "check -h", "--version"] {
        let ran = program().run(arguments);
        assert_eq!((ran.exit().as_str(), ran.stderr.as_str()), ("exit 0", ""), "{arguments}");
        assert!(!ran.text().is_empty(), "{arguments}");
    }
    let help = program().run("--help");
    for command in COMMANDS {
        assert!(help.text().contains(command), "{command}");
    }
    let version = program().run("--version").text().to_string();
    assert!(version.starts_with(concat!("source-devin-ai ", env!("CARGO_PKG_VERSION"))), "{version}");
    let faults = program().run("sandbox --help").text().to_string();
    let kinds = FaultKind::ALL.map(FaultKind::name).join(", ");
    assert!(faults.contains(&kinds.replace(", stuck-cursor", " or stuck-cursor")), "{faults}");
}

#[test]
fn every_command_of_the_relay_shows_examples_and_the_codes_that_a_watch_can_have() {
    let help = |command: &str| program().run(&format!("{command} --help")).text().to_string();
    let mut commands = vec!["alert-relay".to_string()];
    let mut seen = 0;
    while let Some(command) = commands.pop() {
        let told = help(&command);
        let listed = told.split_once("Commands:\n").map_or("", |(_, rest)| rest.split("\n\n").next().unwrap());
        let below = listed.lines().filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
        let before = commands.len();
        commands.extend(below.map(|name| format!("{command} {name}")));
        // A command with others below has its examples there.
        let has_example = told.contains("\nExample:\n  ") || told.contains("\nExamples:\n  ");
        assert!(has_example || commands.len() > before, "{command}: {told}");
        seen += 1;
    }
    assert!(seen >= 6, "{seen}");
    let watch = help("alert-relay watch");
    let codes =
        watch.split_once("Exit codes:\n").unwrap().1.lines().map(|line| line.split_whitespace().next().unwrap());
    assert_eq!(codes.collect::<Vec<_>>(), ["0", "1", "20", "21", "22", "23", "24", "26", "27"]);
}

#[test]
fn a_permission_that_the_sandbox_does_not_know_is_a_usage_error() {
    insta::assert_snapshot!(run("sandbox --without-permission ManageOrgSecret"), @"
    stderr: error: invalid value 'ManageOrgSecret' for '--without-permission <PERMISSION>'
    stderr:   [possible values: ViewOrgSessions, UseDevinSessions, ManageOrgSessions, ManageOrgPlaybooks, ManageOrgSecrets, ManageOrgKnowledge, ViewOrgMembership, ViewOrgSchedules, ViewOrgAutomations, ViewOrgConsumption, ViewOrgMetrics, ViewAccountMembership, ManageEnterpriseSettings, ManageBilling, ManageOrganizations]
    stderr:
    stderr:   tip: a similar value exists: 'ManageOrgSecrets'
    stderr:
    stderr: For more information, try '--help'.
    exit 2
    ");
}

#[test]
fn every_shell_gets_a_completion_script_that_knows_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = program().run(&format!("completions {shell}"));
        assert_eq!((ran.exit().as_str(), ran.stderr.as_str()), ("exit 0", ""), "{shell}");
        for word in COMMANDS.iter().chain(&["state-out", "per-alert"]) {
            assert!(ran.text().contains(word), "{shell}: {word}");
        }
    }
    insta::assert_snapshot!(run("completions nonsense"), @"
    stderr: error: invalid value 'nonsense' for '<SHELL>'
    stderr:   [possible values: bash, elvish, fish, powershell, zsh]
    stderr:
    stderr: For more information, try '--help'.
    exit 2
    ");
}

/// The script is for people who press the tab key: ask it as their shell does.
#[test]
#[cfg(unix)]
fn bash_completes_commands_and_options() {
    let place = program().file("no-file.json", "");
    // Too long for one argument of a command.
    std::fs::write(place.path("completion.bash"), place.run("completions bash").text()).unwrap();
    for (typed, last, expected) in [
        ("source-devin-ai re", "re", "read"),
        ("source-devin-ai read --state-", "--state-", "--state-out"),
        ("source-devin-ai alert-relay w", "w", "watch"),
        ("source-devin-ai read --format r", "r", "records"),
        ("source-devin-ai read --streams play", "play", "playbooks"),
        ("source-devin-ai sandbox --fault stuck", "stuck", "stuck-cursor:once"),
        ("source-devin-ai sandbox --latency no-file", "no-file", "no-file"),
        ("source-devin-ai read --catalog no-file", "no-file", "no-file.json"),
    ] {
        let words = typed.split(' ').count();
        let before = typed.split(' ').nth(words - 2).unwrap();
        let ask = format!(
            "source ./completion.bash\nCOMP_WORDS=({typed}); COMP_CWORD={}; _source__devin__ai source-devin-ai {last:?} {before:?}; echo \"${{COMPREPLY[@]}}\"",
            words - 1
        );
        let answer = place.shell(&format!("exec bash -c {}", quoted(&ask))).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&answer.stdout).trim(), expected, "{typed}: {answer:?}");
    }
}

/// As one word of a shell's.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let place = program();
    assert_eq!(place.run("man --out pages/man1").story(), "exit 0");
    let pages: Vec<String> = std::fs::read_dir(place.path("pages/man1"))
        .unwrap()
        .map(|page| page.unwrap().file_name().into_string().unwrap())
        .collect();
    for command in COMMANDS.iter().chain(&["alert-relay-run", "alert-relay-watch"]) {
        assert!(pages.contains(&format!("source-devin-ai-{command}.1")), "{command}: {pages:?}");
    }
    for page in &pages {
        let text = place.text(&format!("pages/man1/{page}"));
        for section in ["ENVIRONMENT", "EXIT STATUS", "SEE ALSO"] {
            assert_eq!(text.matches(&format!(".SH \"{section}\"\n")).count(), 1, "{page}: {section}");
        }
        assert!(!text.contains("EXTRA") && !text.contains("Examples:") && !text.contains("Exit codes:"), "{page}");
    }
    let read = place.text("pages/man1/source-devin-ai-read.1");
    assert!(read.contains(".SH \"EXAMPLES\"\n.nf\nsource\\-devin\\-ai read"), "{read}");
    assert!(read.contains(r"\-\-state\-out") && read.contains("Save the state to this file"), "{read}");
    let place = place.file("taken", "");
    insta::assert_snapshot!(place.run("man --out taken").story(), @"
    stderr: error: cannot make the folder taken: File exists (os error N)
    exit 1
    ");
}

#[test]
fn spec_is_one_line_with_what_a_platform_needs() {
    let ran = program().run("spec");
    insta::assert_snapshot!(ran.story(), @"
    SPEC
    exit 0
    ");
    let told = ran.told();
    let spec = &told.messages().next().unwrap()["spec"];
    let connection = &spec["connectionSpecification"];
    assert_eq!(spec["documentationUrl"], "https://docs.airbyte.com/integrations/sources/devin-ai");
    assert_eq!(connection["required"], json!(["api_token", "org_id"]));
    assert_eq!(connection["additionalProperties"], true);
    assert_eq!(connection["properties"]["api_token"]["airbyte_secret"], true);
    let fields: Vec<&String> = connection["properties"].as_object().unwrap().keys().collect();
    insta::assert_snapshot!(format!("{fields:?}"), @r#"["api_token", "api_url", "concurrency", "end_date", "lookback_window", "org_id", "org_ids", "redact_fields", "redact_key", "report_deletions", "start_date", "tags", "user_ids"]"#);
    for (name, field) in connection["properties"].as_object().unwrap() {
        for word in ["minLength", "maxLength", "enum", "minimum", "maximum"] {
            assert!(field.get(word).is_none(), "{name} says {word}");
        }
        assert!(name.ends_with("_date") || field.get("pattern").is_none(), "{name} has a pattern");
    }
}

#[test]
fn discover_is_one_line_with_every_stream_and_asks_nobody() {
    let api = Api::start(|_| Answer::unknown());
    let ran = program().at(&api, json!({})).run("discover --config config.json");
    assert_eq!(api.asked(), [""; 0]);
    assert_eq!(ran.exit(), "exit 0");
    let told = ran.told();
    let messages: Vec<_> = told.messages().collect();
    assert_eq!((messages.len(), &messages[0]["type"]), (1, &json!("CATALOG")));
    let streams = messages[0]["catalog"]["streams"].as_array().unwrap();
    let rows: Vec<String> = streams
        .iter()
        .map(|stream| {
            format!(
                "{} key {} cursor {} modes {} defined {} resumable {}",
                stream["name"],
                stream["source_defined_primary_key"],
                stream["default_cursor_field"],
                stream["supported_sync_modes"],
                stream["source_defined_cursor"],
                stream["is_resumable"],
            )
        })
        .collect();
    insta::assert_snapshot!(rows.join("\n"), @r#"
    "sessions" key [["session_id"]] cursor ["updated_at"] modes ["full_refresh","incremental"] defined true resumable true
    "sessions_insights" key [["session_id"]] cursor ["updated_at"] modes ["full_refresh","incremental"] defined true resumable true
    "session_messages" key [["event_id"],["session_id"]] cursor ["created_at"] modes ["full_refresh","incremental"] defined true resumable true
    "playbooks" key [["playbook_id"]] cursor ["updated_at"] modes ["full_refresh","incremental"] defined true resumable true
    "secrets" key [["secret_id"]] cursor ["updated_at"] modes ["full_refresh","incremental"] defined true resumable true
    "knowledge_notes" key [["note_id"]] cursor ["updated_at"] modes ["full_refresh","incremental"] defined true resumable true
    "members" key [["user_id"]] cursor [] modes ["full_refresh"] defined false resumable false
    "schedules" key [["scheduled_session_id"]] cursor ["updated_at"] modes ["full_refresh","incremental"] defined true resumable true
    "automations" key [["automation_id"]] cursor ["updated_at"] modes ["full_refresh","incremental"] defined true resumable true
    "knowledge_folders" key [["id"]] cursor [] modes ["full_refresh"] defined false resumable false
    "repositories" key [["id"]] cursor [] modes ["full_refresh"] defined false resumable false
    "session_attachments" key [["attachment_id"]] cursor ["session_updated_at"] modes ["full_refresh","incremental"] defined true resumable true
    "pull_requests" key [["id"]] cursor ["updated_at"] modes ["full_refresh","incremental"] defined true resumable true
    "consumption_daily" key [["id"]] cursor ["date"] modes ["full_refresh","incremental"] defined true resumable true
    "consumption_daily_users" key [["id"]] cursor ["date"] modes ["full_refresh","incremental"] defined true resumable true
    "metrics_usage_daily" key [["id"]] cursor ["window_start"] modes ["full_refresh","incremental"] defined true resumable true
    "metrics_sessions_daily" key [["id"]] cursor ["window_start"] modes ["full_refresh","incremental"] defined true resumable true
    "metrics_prs_daily" key [["id"]] cursor ["window_start"] modes ["full_refresh","incremental"] defined true resumable true
    "active_users" key [["id"]] cursor ["start_time"] modes ["full_refresh","incremental"] defined true resumable true
    "organizations" key [["org_id"]] cursor ["updated_at"] modes ["full_refresh","incremental"] defined true resumable true
    "service_users" key [["service_user_id"]] cursor [] modes ["full_refresh"] defined false resumable false
    "roles" key [["role_id"]] cursor [] modes ["full_refresh"] defined false resumable false
    "audit_logs" key [["audit_log_id"]] cursor ["created_at"] modes ["full_refresh","incremental"] defined true resumable true
    "consumption_cycles" key [["id"]] cursor [] modes ["full_refresh"] defined false resumable false
    "acu_limits" key [["id"]] cursor [] modes ["full_refresh"] defined false resumable false
    "#);
}

#[test]
fn discover_needs_no_settings_but_a_file_must_be_there() {
    insta::assert_snapshot!(run("discover"), @"
    CATALOG
    exit 0
    ");
    insta::assert_snapshot!(run("discover --sandbox"), @"
    CATALOG
    exit 0
    ");
    insta::assert_snapshot!(run("discover --config missing.json"), @"
    ERROR (config_error) cannot read the configuration missing.json: No such file or directory (os error N)
    exit 1
    ");
    insta::assert_snapshot!(program().file("c.json", "[]").run("discover --config c.json").story(), @"
    ERROR (config_error) the configuration c.json must be a JSON object, but is a list
    exit 1
    ");
    insta::assert_snapshot!(program().file("c.json", "{}").run("discover --config c.json").story(), @"
    CATALOG
    exit 0
    ");
}

#[test]
fn flags_are_taken_in_every_form_that_the_python_connectors_take() {
    let program = program().file("c.json", "{}");
    for arguments in [
        "discover --config c.json",
        "discover --config=c.json",
        "discover --conf c.json",
        "discover --debug --config c.json",
        "discover --config c.json --debug",
    ] {
        assert_eq!(program.run(arguments).exit(), "exit 0", "{arguments}");
    }
    assert_eq!(program.run("spec --debug").exit(), "exit 0");
    let ambiguous = program.run("read --c c.json");
    assert_eq!(ambiguous.exit(), "exit 2", "config or catalog?");
}

#[test]
fn debug_adds_logs_that_show_each_request_without_its_query() {
    let api = Api::start(|ask| match ask.list.as_str() {
        "playbooks" if ask.parameter("after").is_none() => Answer::page(&[r#"{"a":1}"#], "next"),
        "playbooks" => Answer::list(&[]),
        _ => Answer::unknown(),
    });
    let program = program().at(&api, json!({})).catalog(&["playbooks"]);
    let quiet = program.read().told();
    assert_eq!(quiet.logs("DEBUG"), [""; 0]);
    let debug = program.run("read --config config.json --catalog catalog.json --debug").story();
    insta::assert_snapshot!(debug, @r#"
    STARTED playbooks
    DEBUG GET /v3/organizations/org-1/playbooks: 200, 60 bytes in N ms
    RUNNING playbooks
    INFO stream playbooks: a (integer) is not in the schema; the records have it as it was sent
    RECORD playbooks {"a":1}
    DEBUG GET /v3/organizations/org-1/playbooks: 200, 52 bytes in N ms
    DEBUG GET /v3/organizations/org-1/playbooks: 200, 60 bytes in N ms
    DEBUG GET /v3/organizations/org-1/playbooks: 200, 52 bytes in N ms
    INFO stream playbooks: 1 record, 1 kB, 4 requests, 0 retries
    STATE playbooks {"scope":{"org_id":"org-1"},"version":2} after 1.0 records
    COMPLETE playbooks
    exit 0
    "#);
    let program = program.variable("LOG_LEVEL", "debug");
    assert_eq!(program.read().told().logs("DEBUG").len(), 4);
}

#[test]
fn files_that_are_missing_or_no_json_end_a_read_with_one_sentence() {
    let api = Api::start(|_| Answer::unknown());
    let program =
        program().at(&api, json!({})).catalog(&["sessions"]).file("bad.json", "{\"a\":\n}").file("list.json", "[]");
    let read = |arguments: &str| program.run(&format!("read {arguments}")).story();
    insta::assert_snapshot!(read("--config missing.json --catalog catalog.json"), @"
    ERROR (config_error) cannot read the configuration missing.json: No such file or directory (os error N)
    exit 1
    ");
    insta::assert_snapshot!(read("--config config.json --catalog missing.json"), @"
    ERROR (config_error) cannot read the catalog missing.json: No such file or directory (os error N)
    exit 1
    ");
    insta::assert_snapshot!(read("--config config.json --catalog bad.json"), @"
    ERROR (config_error) the catalog bad.json is not valid JSON (line 2, column 1)
    exit 1
    ");
    insta::assert_snapshot!(read("--config config.json --catalog list.json"), @"
    ERROR (config_error) the catalog list.json is not a configured catalog: it is a list, not an object with streams
    exit 1
    ");
    insta::assert_snapshot!(read("--config config.json --catalog catalog.json --state missing.json"), @"
    ERROR (config_error) cannot read the state missing.json: there is no such file. For a first read leave out --state, or name the same file for --state-out
    exit 1
    ");
    insta::assert_snapshot!(read("--config config.json --catalog catalog.json --state bad.json"), @"
    ERROR (config_error) the state bad.json is not valid JSON (line 2, column 1)
    exit 1
    ");
    insta::assert_snapshot!(read("--catalog catalog.json"), @"
    stderr: error: no API key: give --config FILE, or set DEVIN_API_KEY (and DEVIN_ORG_ID), or use --sandbox
    stderr:
    stderr: For more information, try '--help'.
    exit 2
    ");
    assert_eq!(api.asked(), [""; 0]);
}

#[test]
fn a_sandbox_prints_settings_that_work() {
    let sandbox = common::Sandboxed::start("--sessions 3 --messages 2");
    let program = program().file("config.json", &sandbox.config);
    assert_eq!(program.check().exit(), "exit 0");
    let told = program.run("read --config config.json --streams sessions,session_messages").told();
    assert_eq!((told.records("sessions").len(), told.records("session_messages").len()), (3, 6));
}

#[test]
fn a_sandbox_with_nonsense_options_is_a_usage_error() {
    insta::assert_snapshot!(run("sandbox --fault 503:once"), @"
    stderr: error: invalid value '503:once' for '--fault <KIND:RATE>': `503:once` is not a fault: write KIND:RATE, where RATE is `once` or a probability from 0 to 1 and KIND is one of 429, 429-retry-after, 500, reset, truncate, hang, html, stuck-cursor
    stderr:
    stderr: For more information, try '--help'.
    exit 2
    ");
    insta::assert_snapshot!(run("sandbox --latency soon"), @"
    stderr: error: invalid value 'soon' for '--latency <TIME>': expected a number with a unit: 50ms, 1.5s, 2m, 1h30m or 7d
    stderr:
    stderr: For more information, try '--help'.
    exit 2
    ");
    insta::assert_snapshot!(run("sandbox --port 70000"), @"
    stderr: error: invalid value '70000' for '--port <PORT>': 70000 is not in 0..=65535
    stderr:
    stderr: For more information, try '--help'.
    exit 2
    ");
}

#[test]
fn a_help_that_cannot_be_written_is_a_failure_and_no_reader_that_left() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let program = env!("CARGO_BIN_EXE_source-devin-ai");
    let ran = std::process::Command::new(program).arg("--help").stdout(full).output().unwrap();
    assert_eq!(ran.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ran.stderr).starts_with("error: cannot write the output: "));
}

#[test]
fn a_state_is_told_apart_from_the_one_that_is_written_by_its_place_and_not_by_its_spelling() {
    let program = program();
    let ran = program.run("read --sandbox --streams secrets --state ./new.json --state-out new.json");
    assert_eq!(ran.exit(), "exit 0");
    let ran = program.run("read --sandbox --streams secrets --st new.json");
    assert_eq!((ran.exit().as_str(), ran.told().records("secrets").len() < 14), ("exit 0", true));
}
