//! Which alerts meet which conditions.

use super::*;
use crate::relay::alert::{Format, Member, State};

fn alert() -> Alert {
    let identity = Identity::Labels { receiver: "devin".to_string(), labels: Pairs::new() };
    let mut alert = Alert::new(Format::Alertmanager, State::Firing, "Disk is full".to_string(), identity);
    alert.labels = pairs(&[("team", "payments"), ("env", "prod-eu")]);
    alert.annotations = pairs(&[("runbook", "https://runbooks.example/disk")]);
    alert.severity = Some(Severity::High);
    alert
}

fn pairs(pairs: &[(&str, &str)]) -> Pairs {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn any(patterns: &[&str]) -> Vec<Pattern> {
    patterns.iter().map(|text| Pattern::parse(text).unwrap()).collect()
}

fn label(name: &str, patterns: &[&str]) -> Conditions {
    Conditions { labels: vec![(name.to_string(), any(patterns))], ..Conditions::default() }
}

fn text(text: Text, patterns: &[&str]) -> Conditions {
    Conditions { texts: vec![(text, any(patterns))], ..Conditions::default() }
}

fn wanted(wanted: Conditions) -> Match {
    Match { wanted, ..Match::default() }
}

#[test]
fn a_pattern_is_a_text_a_glob_or_a_regular_expression() {
    let cases = [
        ("prod", "prod", true),
        ("prod", "prod-eu", false),
        ("prod", "Prod", false),
        ("prod-*", "prod-eu", true),
        ("prod-*", "prod", false),
        ("prod-*", "my-prod-eu", false),
        ("*", "", true),
        ("*", "two\nlines", true),
        ("prod-??", "prod-eu", true),
        ("prod-??", "prod-eur", false),
        ("a.c*", "abc", false),
        ("/prod/", "my-prod-eu", true),
        ("/^prod$/", "prod-eu", false),
        ("/(?i)PROD/", "prod-eu", true),
        ("/", "/", true),
        ("/var/log", "/var/log", true),
    ];
    for (pattern, text, expected) in cases {
        assert_eq!(Pattern::parse(pattern).unwrap().is_met_by(text), expected, "{pattern} {text}");
    }
    let wrong = ["/(/", "/a{1000}{1000}{1000}/", "/(?=a)/"].map(|text| Pattern::parse(text).unwrap_err());
    insta::assert_snapshot!(wrong.join("\n"));
}

#[test]
fn every_condition_that_is_there_must_hold_and_none_of_the_others() {
    let severe = |levels: &[Option<Severity>]| Conditions { severity: levels.to_vec(), ..Conditions::default() };
    let cases = [
        (Conditions::default(), true),
        (label("team", &["payments"]), true),
        (label("team", &["search", "pay*"]), true),
        (label("team", &["search"]), false),
        (label("region", &["*"]), false),
        (
            Conditions { annotations: vec![("runbook".to_string(), any(&["/runbooks/"]))], ..Conditions::default() },
            true,
        ),
        (severe(&[Some(Severity::High), Some(Severity::Critical)]), true),
        (severe(&[Some(Severity::Low), None]), false),
        (text(Text::Route, &["main"]), true),
        (text(Text::Source, &["devin"]), true),
        (text(Text::Title, &["Disk*"]), true),
        (text(Text::Sender, &["grafana"]), false),
    ];
    for (conditions, expected) in cases {
        let (alert, said) = (alert(), format!("{conditions:?}"));
        let without = Match { unwanted: conditions.clone(), ..Match::default() };
        let is_empty = conditions == Conditions::default();
        assert_eq!(wanted(conditions).is_met_by(&alert, "main"), expected, "{said}");
        assert_eq!(without.is_met_by(&alert, "main"), is_empty || !expected, "not {said}");
    }
    let two = Conditions {
        labels: vec![("team".to_string(), any(&["*"])), ("env".to_string(), any(&["dev"]))],
        ..Conditions::default()
    };
    // One that does not hold is enough for the ones, and one that holds for the others.
    assert!(!wanted(two.clone()).is_met_by(&alert(), "main"));
    assert!(!Match { unwanted: two, ..Match::default() }.is_met_by(&alert(), "main"));
    let both = Match { wanted: label("team", &["payments"]), unwanted: label("env", &["prod-*"]) };
    assert!(!both.is_met_by(&alert(), "main"));
    let mut unknown = alert();
    unknown.severity = None;
    assert!(wanted(severe(&[None])).is_met_by(&unknown, "main"));
}

#[test]
fn of_a_group_one_alert_that_fires_is_enough_and_must_meet_all() {
    let mut group = alert();
    let member = |team: &str, severity: &str| Member {
        labels: pairs(&[("team", team), ("severity", severity)]),
        ..Member::default()
    };
    group.labels = Pairs::new();
    group.members = vec![member("payments", "low"), member("search", "critical")];
    group.further_labels = vec![pairs(&[("team", "billing")])];
    for (team, expected) in [("payments", true), ("search", true), ("billing", true), ("other", false)] {
        assert_eq!(wanted(label("team", &[team])).is_met_by(&group, "main"), expected, "{team}");
    }
    let severe = |team| Conditions { severity: vec![Some(Severity::Critical)], ..label("team", &[team]) };
    assert!(wanted(severe("search")).is_met_by(&group, "main"));
    assert!(!wanted(severe("payments")).is_met_by(&group, "main"), "no alert is both");
}

#[test]
fn what_covers_another_match_is_told_without_an_alert() {
    let cases = [
        (Conditions::default(), label("team", &["a"]), true),
        (label("team", &["a"]), Conditions::default(), false),
        (label("team", &["a", "b"]), label("team", &["b"]), true),
        (label("team", &["b"]), label("team", &["a", "b"]), false),
        (label("team", &["a*"]), label("team", &["abc"]), true),
        (label("team", &["a*"]), label("team", &["ab*"]), false),
        (label("team", &["*"]), label("team", &["/x/"]), true),
        (text(Text::Route, &["a"]), text(Text::Title, &["a"]), false),
        (
            Conditions { severity: vec![Some(Severity::High), Some(Severity::Low)], ..Conditions::default() },
            Conditions { severity: vec![Some(Severity::Low)], ..Conditions::default() },
            true,
        ),
    ];
    for (wide, narrow, expected) in cases {
        let said = format!("{wide:?} {narrow:?}");
        assert_eq!(wanted(wide.clone()).covers(&wanted(narrow.clone())), expected, "{said}");
        let but = Match { wanted: wide, unwanted: label("x", &["y"]) };
        assert!(!but.covers(&wanted(narrow)), "{said}");
    }
}
