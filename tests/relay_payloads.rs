//! What becomes of a payload on the way to its sessions: nothing is lost in silence, and a refusal says how to go on.

mod common;

use common::events::events;
use common::{Ran, program};
use serde_json::json;

const ALERT: &str = r#"{"title": "something is wrong", "status": "firing"}"#;

/// What is refused comes with a command that takes it, filled in from what stands in it.
#[test]
fn the_command_that_a_refusal_names_works_when_it_is_pasted() {
    let cases = [
        (
            json!({"payload": {"title": "Crash", "url": "https://x.example/1"}}),
            "alert.json",
            "--map '{title: \"payload.title\"",
            "Crash",
        ),
        (json!({"payload": {"title": "It's one"}}), "it's.json", "--map", "It's one"),
        (json!({"$(touch pwned)": {"title": "Odd"}}), "alert.json", "--format any", "Odd"),
        (json!({"hello": 1}), "alert.json", "--format any", "an alert without a title"),
    ];
    for (body, file, reading, title) in cases {
        let program = program().file(file, body.to_string());
        let refused = program.run(&format!("alert-relay prompt --alert {file}"));
        assert_eq!(refused.exit(), "exit 1");
        let message = events(&refused)[0]["message"].as_str().unwrap().to_string();
        let (_, command) =
            message.split_once("if it is one, run: source-devin-ai").unwrap_or_else(|| panic!("{message}"));
        assert!(command.contains(reading), "{command}");
        let pasted = program.shell(&format!("\"$PROGRAM\"{command} --dry-run")).output().unwrap();
        let taken = Ran::new(pasted.status, pasted.stdout, pasted.stderr);
        assert_eq!(program.files(), [file], "nothing else was done");
        assert_eq!(
            events(&taken)[0]["title"].as_str().map(|told| told.starts_with(title)),
            Some(true),
            "{command}: {}",
            taken.stderr
        );
    }
}

#[test]
fn what_came_by_standard_input_is_named_as_a_file() {
    let refused = program().run_from("{\"hello\": 1}", "alert-relay prompt --alert -");
    let message = events(&refused)[0]["message"].as_str().unwrap().to_string();
    assert!(message.ends_with("run --format any --alert alert.json"), "{message}");
}

/// An alert that cannot be read must not keep others from their sessions, and one that can must not be lost.
#[test]
fn the_recipe_for_cron_sets_aside_what_can_never_be_read_and_keeps_what_may_still_succeed() {
    let page = include_str!("../docs/alert-relay.md");
    let (_, script) = page.split_once("cat > relay.sh << 'END'\n").expect("the recipe is there");
    let (script, _) = script.split_once("\nEND\n").expect("it has an end");
    let no_api = r#"{"api_token": "cog_0", "org_id": "org-1", "api_url": "http://127.0.0.1:9"}"#;
    let script = script.replace("source-devin-ai", "\"$PROGRAM\"");
    for (options, left) in [
        ("--sandbox", &["rejected/a.json", "rejected/c.json"][..]),
        ("--config \"$PWD/config.json\"", &["incoming/b.json", "rejected/a.json", "rejected/c.json"]),
    ] {
        let program = program().file("relay.sh", &script).file("config.json", no_api);
        for folder in ["incoming", "rejected"] {
            std::fs::create_dir(program.path(folder)).unwrap();
        }
        for (name, text) in [("a", "{\"hello\": 1}"), ("b", ALERT), ("c", "[[[")] {
            std::fs::write(program.path(&format!("incoming/{name}.json")), text).unwrap();
        }
        let ran = program.shell(&format!("sh relay.sh \"$PWD\" {options}")).output().unwrap();
        let there = ["incoming", "rejected"].map(|folder| {
            let found = std::fs::read_dir(program.path(folder)).unwrap();
            found.map(|entry| format!("{folder}/{}", entry.unwrap().file_name().to_str().unwrap())).collect::<Vec<_>>()
        });
        let mut there = there.concat();
        there.sort();
        assert_eq!(there, left, "{options}: {}", String::from_utf8_lossy(&ran.stderr));
    }
}

/// Nothing of a delivery is dropped in silence: what shares a key is told in one prompt, and a fixed key for several is refused.
#[test]
fn alerts_with_one_key_are_told_together_and_a_fixed_key_takes_one_alert() {
    let alert = |pod: &str| json!({"status": "firing", "labels": {"alertname": "Crash", "pod": pod}});
    let group = json!({"receiver": "r", "groupLabels": {"alertname": "Crash"}, "alerts": [alert("a-1"), alert("b-2")]});
    let program = program().file("group.json", group.to_string());
    let told = events(&program.run("alert-relay prompt --alert group.json --per-alert"));
    assert_eq!((told[1]["alerts"].as_u64(), told.len()), (Some(2), 3), "{told:?}");
    let prompt = told[2]["prompt"].as_str().unwrap();
    assert!(prompt.contains("pod: a-1") && prompt.contains("pod: b-2"), "{prompt}");

    let three = [1, 2, 3].map(|number| json!({"title": format!("t{number}"), "severity": "high"}));
    let program = program.file("three.json", json!(three).to_string());
    let refused = program.run("alert-relay prompt --alert three.json --dedupe-key fixed");
    assert_eq!(refused.exit(), "exit 1");
    assert!(refused.stderr.contains("all but one would be lost"), "{}", refused.stderr);
    assert_eq!(events(&program.run("alert-relay prompt --alert three.json --dedupe-key {{title}}")).len(), 6);
}

/// One alert that fires among very many that do not is a session.
#[test]
fn a_very_large_group_is_one_session() {
    let alert = |number: usize| {
        let status = if number == 700 { "firing" } else { "resolved" };
        json!({"status": status, "labels": {"alertname": "Down", "pod": number.to_string()},
            "annotations": {"description": "x".repeat(2_000)}})
    };
    let alerts: Vec<_> = (0..1_500).map(alert).collect();
    let group = json!({"receiver": "r", "groupLabels": {"alertname": "Down"}, "alerts": alerts});
    let told = events(&program().file("group.json", group.to_string()).run("alert-relay prompt --alert group.json"));
    assert_eq!((told[0]["state"].as_str(), told[0]["alerts"].as_u64(), told.len()), (Some("firing"), Some(1), 2));
}
