//! Targets of notifications.

use super::*;

/// A file with these targets, of which `default` tells the first.
fn with_targets(allowed: &str, targets: &str) -> String {
    said(&format!(
        "{INTEGRATIONS}{ROUTES}notify: {{allow_internal: [{allowed}], targets: [{targets}]}}\ndefault: {{notify: {{target: a}}}}\n"
    ))
}

#[test]
fn a_target_that_can_never_be_reached_is_told() {
    let inner = "{name: a, kind: slack, url: {env: INNER}}";
    let clear = "{name: a, kind: teams, url: {env: CLEAR}}";
    let mail = "{name: a, kind: email, server: '127.0.0.1:25', tls: none, from: a@example.com, to: b@example.com}";
    let github =
        "{name: a, kind: github, token: {env: TOKEN}, repo: o/r, issue: 1, endpoint: 'https://192.168.0.1/api'}";
    let told = |targets: &str| with_targets("other.internal", targets);
    insta::assert_snapshot!([inner, clear, mail, github].map(told).join("\n"), @"
    line 7, column 77: notify.targets[0].url cannot be used: 10.1.2.3 is an address within the own network, which is not sent to: list it under notify.allow_internal if that is meant
    line 7, column 77: notify.targets[0].url cannot be used: chat.internal must be reached by https://
    line 7, column 77: notify.targets[0].server cannot be used: 127.0.0.1 is an address within the own network, which is not sent to: list it under notify.allow_internal if that is meant
    line 7, column 120: notify.targets[0].endpoint cannot be used: 192.168.0.1 is an address within the own network, which is not sent to: list it under notify.allow_internal if that is meant
    ");
    for (allowed, target) in
        [("10.1.0.0/16", inner), ("chat.internal", clear), ("127.0.0.1", mail), ("192.168.0.1", github)]
    {
        assert_eq!(with_targets(allowed, target), "right");
    }
    assert!(!told(inner).contains("/hook"), "the address is a secret");
}

/// Whatever else is wrong with the two.
#[test]
fn every_name_that_is_given_twice_is_told() {
    let targets = with_targets("", "{name: a, kind: pigeon}, {name: a, kind: slack, url: {env: HOOK}}");
    let routes =
        said(&format!("{INTEGRATIONS}routes:\n  - {{name: r, auth: {{bearer: x}}}}\n  - {{name: r, auth: none}}\n"));
    for (said, name) in
        [(targets, "is \"a\", the name of another target"), (routes, "is \"r\", the name of another route")]
    {
        assert!(said.contains(name), "{said}");
        assert!(said.lines().count() >= 2, "{said}");
    }
}
