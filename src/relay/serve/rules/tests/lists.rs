//! Rules side by side: what each begins with, which of them are never asked, and what limits need of them.

use super::*;
use crate::relay::serve::gates::{Limits, Occurrences, Runs, Storm};

fn with_rules(rules: &str) -> String {
    said(&format!("{INTEGRATIONS}{ROUTES}{rules}"))
}

fn right(rules: &str) -> Rules {
    check(&format!("{INTEGRATIONS}{ROUTES}{rules}"), Devin::Api, &world()).unwrap()
}

#[test]
fn a_rule_begins_with_what_the_default_says() {
    let rules = right(
        "\
default:
  session: {repo: [my-org/all], tag: on-call, max_acu_limit: 5}
  cooldown: 2h
  delay: 1m
  limits: {concurrent_sessions: 3}
  storm: {}
rules:
  - id: payments
    match: {labels: {team: payments}}
    session: {repo: ['my-org/{{ labels.service }}']}
    delay: 0s
    storm: false
  - {id: rest, order: 0, enabled: false, limits: {runs: [3/1h, 7/d]}}
",
    );
    let [rest, payments] = &rules.rules[..] else { panic!("{rules:?}") };
    assert_eq!((rest.id.as_str(), payments.id.as_str()), ("rest", "payments"));
    assert_eq!(payments.session.repos, ["my-org/{{ labels.service }}"]);
    assert_eq!(
        (payments.session.tags.as_slice(), payments.session.max_acu_limit),
        (&["on-call".to_string()][..], Some(5))
    );
    assert_eq!(payments.policy.holds.cooldown, Duration::from_secs(7200));
    assert_eq!(
        (payments.gates.rule.as_str(), payments.gates.delay, payments.gates.storm),
        ("payments", Duration::ZERO, None)
    );
    assert_eq!(payments.gates.limits.concurrent_sessions, Some(3));
    assert_eq!((rest.gates.delay, rest.gates.storm), (Duration::from_secs(60), Some(Storm::default())));
    let runs = [(3, 3600), (7, 86_400)].map(|(count, seconds)| Runs { count, within: Duration::from_secs(seconds) });
    // Limits are taken over as a whole, or not at all.
    assert_eq!(rest.gates.limits, Limits { runs: runs.to_vec(), ..Limits::default() });
    assert_eq!(rules.bounds.disabled.iter().collect::<Vec<_>>(), ["rest"]);
}

#[test]
fn without_a_list_there_is_one_rule_for_every_alert() {
    let rules = right("default: {min_occurrences: {count: 3, within: 10m}, max_wait: 2h, on_resolved: terminate}\n");
    let [rule] = &rules.rules[..] else { panic!("{rules:?}") };
    assert_eq!((rule.id.as_str(), rule.gates.rule.as_str(), rule.matching.is_of_all()), (DEFAULT, DEFAULT, true));
    assert_eq!(rule.gates.min_occurrences, Some(Occurrences { count: 3, within: Duration::from_secs(600) }));
}

#[test]
fn the_bridge_and_an_integration_have_limits_and_the_bridge_a_kill_switch() {
    let yaml = format!(
        "limits: {{runs: {{count: 20, within: 1d}}}}\nkill_switch: {{file: stop}}\n{ROUTES}integrations:\n  - {{name: main, api_key: {{env: KEY}}, limits: {{concurrent_sessions: 4, acu_per_day: 100}}}}\ndefault: {{max_acu_limit: 10}}\n"
    );
    let rules = check(&yaml, Devin::Api, &world()).unwrap();
    assert_eq!(rules.bounds.limits.runs, [Runs { count: 20, within: Duration::from_secs(86_400) }]);
    assert_eq!(rules.bounds.integrations["main"].acu_per_day, Some(100));
    assert_eq!(rules.bounds.kill_switch.as_deref(), Some(std::path::Path::new("stop")));
    let without =
        yaml.replace("default: {max_acu_limit: 10}", "rules:\n  - {id: a}\n  - {id: b, max_acu_limit: 101, group: b}");
    let said = check(&without, Devin::Api, &world()).unwrap_err();
    insta::assert_snapshot!(said.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"));
}

#[test]
fn everything_that_may_be_wrong_with_rules_is_told() {
    let cases = [
        "rules: []",
        "rules: {id: a}",
        "rules: [a]",
        "rules:\n  - {match: {title: x}}",
        "rules:\n  - {id: a, match: {}}",
        "rules:\n  - {id: a, match: {labels: {}, annotations: {}, not: {}}}",
        "rules:\n  - {id: A b}",
        "rules:\n  - {id: a, name: a, externalKey: a, ruleType: agent}",
        "rules:\n  - {id: a, match: {labels: {team: x}}}\n  - {id: a}",
        "rules:\n  - {id: a, order: -1, enabled: maybe, group: ''}",
        "rules:\n  - {id: a, session: {repo: a/b, colour: red}, repo: c/d}",
        "rules:\n  - {id: a, match: {label: {team: x}}}",
        "rules:\n  - {id: a, match: {labels: [team]}}",
        "rules:\n  - {id: a, match: {labels: {team: 7, env: [], region: '/(/'}}}",
        "rules:\n  - {id: a, match: {severity: [critcal, '>=high', '>critical', '=>low', unknown]}}",
        "rules:\n  - {id: a, match: {route: autoo, sender: grafna}}",
        "rules:\n  - {id: a, match: {route: elsewhere}}",
        "rules:\n  - {id: a, match: {title: '/ab[c/'}}",
        "rules:\n  - id: a\n    match:",
        "rules:\n  - {id: a, match: {not: {not: {title: x}}}}",
        "rules:\n  - {id: a}\n  - {id: b, match: {title: x}}",
        "rules:\n  - {id: a, match: {severity: '>=high'}}\n  - {id: b, match: {severity: critical, title: x}}",
        "rules:\n  - {id: a, enabled: false}\n  - {id: b, match: {title: x}}",
        "rules:\n  - {id: a, group: x}\n  - {id: b, match: {title: x}}",
        "rules:\n  - {id: a, per_alert: true, match: {title: x}}\n  - {id: b}",
        "rules:\n  - {id: a, delay: 25h, max_wait: 0s}",
        "rules:\n  - {id: a, delay: 2h}",
        "rules:\n  - {id: a, min_occurrences: {count: 1, within: 8d}}",
        "rules:\n  - {id: a, min_occurrences: {count: 3}}",
        "rules:\n  - {id: a, storm: {threshold: 1, window: 5s, immediate: 6}}",
        "rules:\n  - {id: a, storm: {stormThreshold: 5, window: 60}}",
        "rules:\n  - {id: a, stormThreshold: 5, maxImmediateDispatches: 2, delayMinutes: 5}",
        "rules:\n  - {id: a, limits: {concurrent_sessions: 0, runs: [3, x/1h, 3/40d], acu_per_day: 1.5}}",
        "rules:\n  - {id: a, limits: {acu_per_day: 10}}",
        "rules:\n  - {id: a, limits: {acu_per_day: 10}, max_acu_limit: 11}",
        "kill_switch: stop",
        "kill_switch: {path: stop}",
    ];
    insta::assert_snapshot!(told(&cases, with_rules));
}

#[test]
fn of_two_integrations_every_rule_names_one() {
    let two = "integrations:\n  - {name: a, api_key: {env: KEY}}\n  - {name: b, api_key: {env: KEY}}\n";
    let of = |rules: &str| said(&format!("{ROUTES}{two}{rules}"));
    assert_eq!(of("rules:\n  - {id: x, integration: a}\n"), "right");
    assert_eq!(of("default: {integration: b}\nrules:\n  - {id: x}\n"), "right");
    assert_eq!(of("rules:\n  - {id: x}\n"), "line 8, column 5: rules[0].integration is missing: give one of a, b");
}
