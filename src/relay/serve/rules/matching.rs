//! Which alerts a rule is for: conditions over the whole alert, before anything of it is cut. Pure; knows no YAML.

use std::fmt;

use regex::{Regex, RegexBuilder};

use crate::relay::alert::{Alert, Identity, Pairs, Severity};
use crate::relay::inbound::severity_of;

/// How large a compiled pattern may be, in bytes.
const LARGEST_PATTERN: usize = 1 << 20;

/// What a rule wants of an alert. Of a group, it wants it of one of the alerts that fire.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Match {
    /// All of these hold.
    pub wanted: Conditions,
    /// None of these holds.
    pub unwanted: Conditions,
}

/// Conditions, each of which may be left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Conditions {
    /// Names of labels, and what one of them must be.
    pub labels: Vec<(String, Vec<Pattern>)>,
    pub annotations: Vec<(String, Vec<Pattern>)>,
    /// `None` among them stands for an alert without a severity that is known.
    pub severity: Vec<Option<Severity>>,
    pub texts: Vec<(Text, Vec<Pattern>)>,
}

/// A text that every alert has, though it may be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// The label `source`, else the receiver or whatever else the sender calls itself.
    Source,
    /// The name of the route that it came in by.
    Route,
    Title,
    /// The name of the sender, as in `kind`.
    Sender,
}

/// What a text must be.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// As it was written.
    text: String,
    /// `None` where it is the text itself.
    regex: Option<Regex>,
}

/// One alert, alone or of a group.
struct View<'a> {
    labels: &'a Pairs,
    annotations: &'a Pairs,
    severity: Option<Severity>,
    alert: &'a Alert,
    route: &'a str,
}

impl Match {
    /// Whether a rule is for this alert, which came in by `route`.
    pub fn is_met_by(&self, alert: &Alert, route: &str) -> bool {
        let whole =
            View { labels: &alert.labels, annotations: &alert.annotations, severity: alert.severity, alert, route };
        if alert.members.is_empty() {
            return self.holds(&whole);
        }
        let nothing = Pairs::new();
        let kept = alert.members.iter().map(|member| (&member.labels, &member.annotations));
        let further = alert.further_labels.iter().map(|labels| (labels, &nothing));
        kept.chain(further).any(|(labels, annotations)| {
            self.holds(&View { labels, annotations, severity: severity_of(labels), alert, route })
        })
    }

    /// Whether it is met by every alert.
    pub fn is_of_all(&self) -> bool {
        *self == Match::default()
    }

    /// Whether every alert that meets `other` meets this one, as far as that can be told without an alert.
    pub fn covers(&self, other: &Match) -> bool {
        let (ours, theirs) = (&self.wanted, &other.wanted);
        let has_all = |ours: &[(String, Vec<Pattern>)], theirs: &[(String, Vec<Pattern>)]| {
            ours.iter().all(|(name, any)| theirs.iter().any(|(known, other)| known == name && are_within(other, any)))
        };
        let is_severe = ours.severity.is_empty()
            || !theirs.severity.is_empty() && theirs.severity.iter().all(|level| ours.severity.contains(level));
        let are_texts = ours
            .texts
            .iter()
            .all(|(text, any)| theirs.texts.iter().any(|(known, other)| known == text && are_within(other, any)));
        let excludes_no_more = self.unwanted == Conditions::default() || self.unwanted == other.unwanted;
        is_severe
            && are_texts
            && excludes_no_more
            && has_all(&ours.labels, &theirs.labels)
            && has_all(&ours.annotations, &theirs.annotations)
    }

    fn holds(&self, view: &View) -> bool {
        self.wanted.each(view).all(|holds| holds) && !self.unwanted.each(view).any(|holds| holds)
    }
}

impl Conditions {
    /// Whether each of the conditions that are there holds.
    fn each<'a>(&'a self, view: &'a View<'a>) -> impl Iterator<Item = bool> + 'a {
        let pair = |pairs: &'a Pairs| {
            move |(name, any): &'a (String, Vec<Pattern>)| pairs.get(name).is_some_and(|value| is_one_of(any, value))
        };
        let severity = (!self.severity.is_empty()).then(|| self.severity.contains(&view.severity));
        let texts = self.texts.iter().map(|(text, any)| is_one_of(any, view.text(*text)));
        let labels = self.labels.iter().map(pair(view.labels));
        labels.chain(self.annotations.iter().map(pair(view.annotations))).chain(severity).chain(texts)
    }
}

impl View<'_> {
    fn text(&self, text: Text) -> &str {
        match text {
            Text::Route => self.route,
            Text::Title => &self.alert.title,
            Text::Sender => self.alert.format.name(),
            Text::Source => match (self.labels.get("source"), &self.alert.identity) {
                (Some(source), _) => source,
                (None, Identity::Group { receiver, .. } | Identity::Labels { receiver, .. }) => receiver,
                (None, Identity::Title { source, .. }) => source,
                (None, Identity::Own(_)) => "",
            },
        }
    }
}

impl Pattern {
    /// Reads a pattern: `/…/` is a regular expression that is searched for, a text with `*` or `?` stands for many, any other
    /// text for itself.
    ///
    /// # Errors
    /// What is wrong with a regular expression.
    pub fn parse(text: &str) -> Result<Pattern, String> {
        let regular = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        let source = match regular {
            Some(regular) => Some(regular.to_string()),
            None if text.contains(['*', '?']) => Some(of_glob(text)),
            None => None,
        };
        let compiled = source.map(|source| RegexBuilder::new(&source).size_limit(LARGEST_PATTERN).build()).transpose();
        let regex = compiled.map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "is a regular expression that takes too much memory".to_string(),
            // Its last line says what is wrong, those before it quote the expression.
            error => format!(
                "is no usable regular expression: {}",
                error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ")
            ),
        })?;
        Ok(Pattern { text: text.to_string(), regex })
    }

    /// The text, where it stands for nothing but itself.
    pub fn exact(&self) -> Option<&str> {
        self.regex.is_none().then_some(self.text.as_str())
    }

    pub fn is_met_by(&self, text: &str) -> bool {
        match &self.regex {
            None => self.text == text,
            Some(regex) => regex.is_match(text),
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.text == other.text
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

fn is_one_of(patterns: &[Pattern], text: &str) -> bool {
    patterns.iter().any(|pattern| pattern.is_met_by(text))
}

/// Whether whatever one of the `narrow` is met by meets one of the `wide`.
fn are_within(narrow: &[Pattern], wide: &[Pattern]) -> bool {
    let is_within = |pattern: &Pattern| {
        wide.iter().any(|other| {
            other == pattern || other.text == "*" || pattern.exact().is_some_and(|text| other.is_met_by(text))
        })
    };
    narrow.iter().all(is_within)
}

/// The regular expression for a text in which `*` stands for any characters and `?` for one.
fn of_glob(glob: &str) -> String {
    let parts = glob.chars().map(|c| match c {
        '*' => ".*".to_string(),
        '?' => ".".to_string(),
        c => regex::escape(c.encode_utf8(&mut [0; 4])),
    });
    format!(r"(?s)\A{}\z", parts.collect::<String>())
}

#[cfg(test)]
mod tests {
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
                Conditions {
                    annotations: vec![("runbook".to_string(), any(&["/runbooks/"]))],
                    ..Conditions::default()
                },
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
}
