//! Every example in `docs/rules.md` is right.

use super::*;

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
        assert_eq!(said(example), "right", "{example}");
    }
    // Each key stands in an example.
    let all = examples.concat();
    let lists: [&[&str]; 6] = [
        &[
            "id",
            "match",
            "session",
            "delay",
            "min_occurrences",
            "max_wait",
            "cooldown",
            "storm",
            "limits",
            "on_resolved",
        ],
        &rule::SESSION,
        &conditions::KEYS,
        &limits::LIMITS,
        &limits::STORM,
        &limits::OCCURRENCES,
    ];
    for key in lists.concat().iter().chain(&list::KEYS) {
        assert!(all.contains(&format!("{key}:")), "{key} has no example");
    }
}
