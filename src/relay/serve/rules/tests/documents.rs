//! Every example in `docs/rules.md` is right.

use serde_json::json;

use super::*;
use crate::relay::serve::gates::Gate;
use crate::relay::serve::reading;
use crate::relay::serve::store::EntryState;
use redact::Redactor;

/// Its variables are there, whatever they are called.
struct Anything;

impl Surroundings for Anything {
    fn variable(&self, name: &str) -> Option<String> {
        if name.ends_with("_URL") {
            return Some("https://hooks.example.com/services/T0/B0/Zq7wz3kfH5x2".to_string());
        }
        if name.ends_with("_WEBHOOK_SECRET") {
            return Some("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_string());
        }
        Some(if name.contains("KEY") { "cog_Zq7wz3kfH5x2mt9Vbn4c8dj6".to_string() } else { format!("{SECRET}-{name}") })
    }

    fn file(&self, _: &str) -> Result<Vec<u8>, io::ErrorKind> {
        Ok(SECRET.into())
    }
}

fn checked(yaml: &str) -> Rules {
    check(yaml, Devin::Api, &Anything).unwrap_or_else(|problems| panic!("{yaml}\n{problems:?}"))
}

/// The blocks of YAML of a page, with what a file needs beside them.
fn examples(page: &str) -> Vec<String> {
    let blocks = page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let whole = |block: &str| {
        let routes = "routes: [{name: local, auth: none}, {name: grafana, kind: grafana, auth: none}]\n";
        let integrations = "integrations: [{name: main, api_key: {env: KEY}}]\n";
        let has = |key: &str| block.lines().any(|line| line.starts_with(key));
        let mut file = block.to_string();
        for (key, rest) in [("routes:", routes), ("integrations:", integrations)] {
            if !has(key) {
                file.push_str(rest);
            }
        }
        file
    };
    blocks.map(whole).collect()
}

#[test]
fn every_example_of_the_page_about_rules_is_right() {
    let page = include_str!("../../../../../docs/rules.md");
    let examples = examples(page);
    assert!(examples.len() >= 6);
    for example in &examples {
        assert_eq!(checked(example).warnings, [], "{example}");
    }
    // Each key stands in an example.
    let all = examples.concat();
    let rule = keys::keys();
    let lists: [&[&str]; 8] = [
        &KEYS,
        &rule,
        &routes::KEYS,
        &integrations::KEYS,
        &conditions::KEYS,
        &limits::LIMITS,
        &limits::STORM,
        &limits::OCCURRENCES,
    ];
    for key in lists.concat().iter().chain(&list::KEYS) {
        assert!(all.contains(&format!("{key}:")), "{key} has no example");
    }
}

#[test]
fn every_example_of_the_page_about_notifications_is_right() {
    let examples = examples(include_str!("../../../../../docs/notifications.md"));
    assert!(examples.len() >= 7);
    for example in &examples {
        let rules = checked(example);
        assert_eq!(rules.warnings, [], "{example}");
        assert!(!rules.notify.targets.is_empty() && !rules.rules[0].gates.notify.is_empty(), "{example}");
    }
    let all = examples.concat();
    for name in notify::KEYS.iter().chain(&notify::TARGET).chain(&notify::SUBSCRIPTION) {
        assert!(all.contains(&format!("{name}:")), "{name} has no example");
    }
    for kind in notify::KINDS {
        assert!(all.contains(&format!("kind: {kind}")), "{kind} has no example");
    }
}

/// Whoever asks why nothing started finds each gate with what to do.
#[test]
fn every_gate_is_in_the_page_about_serving_with_what_to_do() {
    let page = include_str!("../../../../../docs/serve.md");
    let (_, section) = page.split_once("## Why did nothing start?\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    for gate in Gate::names() {
        let row = section.lines().find(|line| line.starts_with(&format!("| `{gate}` | ")));
        assert!(row.is_some_and(|row| row.matches(" | ").count() == 2), "{gate} has no row");
    }
}

/// What becomes of an alert, in a few words for each session that it would have.
fn fate(rules: &Rules, alert: &serde_json::Value) -> String {
    let body = alert.to_string().into_bytes();
    let draw = || "0123456789abcdef".to_string();
    let read = reading::read(rules, &rules.routes[0], body, &[], &Redactor::default(), &draw);
    let Ok(read) = read else { panic!("{alert}") };
    let told = read.delivery.entries.iter().map(|entry| match &entry.state {
        EntryState::Firing(new) => {
            let (rule, integration, session) = (&new.gates.rule, &new.integration, &new.job.request.new);
            let own = &session.tags[3..];
            format!("{rule} in {integration}, repos {:?}, tags {own:?}", session.repos)
        }
        EntryState::Unwanted(reason) => reason.clone(),
        other => format!("{other:?}"),
    });
    told.collect::<Vec<_>>().join("; ")
}

#[test]
fn every_recipe_does_what_its_title_says() {
    let page = include_str!("../../../../../docs/rules.md");
    let (_, recipes) = page.split_once("## Recipes\n").unwrap();
    let alerts = [
        json!({"title": "Disk", "severity": "critical", "labels": {"env": "prod-eu", "service": "shop", "team": "payments"}}),
        json!({"title": "Disk", "severity": "low", "labels": {"env": "prod-eu"}}),
        json!({"title": "Planned Maintenance", "severity": "high", "labels": {"env": "staging"}}),
        json!({"title": "Disk", "severity": "high", "labels": {"env": "test", "service": "a/../b"}}),
    ];
    let mut told = Vec::new();
    let recipes: Vec<&str> = recipes.split("\n### ").skip(1).collect();
    assert_eq!(recipes.len(), 10);
    for recipe in recipes {
        let rules = checked(&examples(recipe)[0]);
        let fates: Vec<String> = alerts.iter().map(|alert| fate(&rules, alert)).collect();
        let first = &rules.rules[0];
        let (gates, end, bridge) = (&first.gates, first.policy.on_resolved, &rules.bounds.limits);
        told.push(format!(
            "{}\n  {}\n  first rule: delay {:?}, {:?}, storm {:?}, on_resolved {end:?}\n  bridge: {bridge:?}",
            recipe.lines().next().unwrap(),
            fates.join("\n  "),
            gates.delay,
            gates.min_occurrences,
            gates.storm
        ));
    }
    insta::assert_snapshot!(told.join("\n"));
}
