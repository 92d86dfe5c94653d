//! The words that senders use: their names, and how bad it is. Pure.

use std::fmt;

use serde::{Serialize, Serializer};

/// Who sent it, and so what its payload looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    Alertmanager,
    Grafana,
    PagerDuty,
    Sentry,
    Datadog,
    Opsgenie,
    CloudWatch,
    CloudEvents,
    Generic,
    /// Any JSON object.
    Any,
    /// A sender whose alerts a mapping reads.
    Mapped(Mapped),
}

/// The names of a sender whose alerts a mapping reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mapped {
    /// As it is typed and printed: `newrelic`.
    pub name: &'static str,
    /// As a sentence begins: `New Relic`.
    pub title: &'static str,
}

impl Format {
    /// Those that code reads.
    pub const CODED: [Format; 10] = [
        Format::Alertmanager,
        Format::Grafana,
        Format::PagerDuty,
        Format::Sentry,
        Format::Datadog,
        Format::Opsgenie,
        Format::CloudWatch,
        Format::CloudEvents,
        Format::Generic,
        Format::Any,
    ];

    /// The name as it is typed and printed, and the beginning of a dedupe key.
    pub fn name(self) -> &'static str {
        match self {
            Format::Alertmanager => "alertmanager",
            Format::Grafana => "grafana",
            Format::PagerDuty => "pagerduty",
            Format::Sentry => "sentry",
            Format::Datadog => "datadog",
            Format::Opsgenie => "opsgenie",
            Format::CloudWatch => "cloudwatch",
            Format::CloudEvents => "cloudevents",
            Format::Generic => "generic",
            Format::Any => "any",
            Format::Mapped(sender) => sender.name,
        }
    }

    /// The sender as a sentence about it begins.
    pub fn sender_name(self) -> &'static str {
        match self {
            Format::Alertmanager => "Alertmanager",
            Format::Grafana => "Grafana",
            Format::PagerDuty => "PagerDuty",
            Format::Sentry => "Sentry",
            Format::Datadog => "Datadog",
            Format::Opsgenie => "Opsgenie",
            Format::CloudWatch => "Amazon CloudWatch",
            Format::CloudEvents => "A CloudEvents source",
            Format::Generic => "One of our own tools",
            Format::Any => "A webhook",
            Format::Mapped(sender) => sender.title,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// How bad it is, from the least to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

/// Every word for a severity, without case, blanks and hyphens. The first of a row is its name.
const SEVERITY_WORDS: [(Severity, &[&str]); 5] = [
    (
        Severity::Critical,
        &["critical", "crit", "fatal", "emergency", "emerg", "disaster", "page", "blocker", "p0", "p1", "sev0", "sev1"],
    ),
    (Severity::High, &["high", "error", "err", "alert", "major", "severe", "p2", "sev2"]),
    (Severity::Medium, &["medium", "warning", "warn", "moderate", "average", "ticket", "p3", "sev3"]),
    (Severity::Low, &["low", "minor", "notice", "p4", "sev4"]),
    (Severity::Info, &["info", "informational", "information", "debug", "p5", "sev5"]),
];

impl Severity {
    /// The level a word stands for; `None` for a word nobody knows.
    pub fn from_word(word: &str) -> Option<Severity> {
        let exactly = |word: &str| {
            let row =
                SEVERITY_WORDS.iter().find(|(_, words)| words.iter().any(|known| word.eq_ignore_ascii_case(known)));
            row.map(|(severity, _)| *severity)
        };
        let whole: String = word.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        // `P2 - High`, `Sev1 (Critical)`, `ALERT_CRITICALITY_LEVEL_WARNING`
        let mut parts =
            word.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.eq_ignore_ascii_case("alert"));
        exactly(&whole).or_else(|| parts.find_map(exactly))
    }

    /// The level of a priority, which is a number from 1 (the worst) to 5, a `P3`, or a word.
    pub fn from_priority(priority: &str) -> Option<Severity> {
        Severity::from_word(priority).or_else(|| Severity::from_word(&format!("p{}", priority.trim())))
    }

    pub fn name(self) -> &'static str {
        let row = SEVERITY_WORDS.iter().find(|(severity, _)| *severity == self);
        row.map_or("", |(_, words)| words[0])
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Serialize for Severity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_come_from_all_the_words_senders_use() {
        let words = [
            "critical", "Fatal", "error", "high", "WARNING", "medium", "low", "info", "P1", "SEV-1", "Sev 2", "notice",
            "none", "success", "", "7",
        ];
        let read: Vec<String> = words.iter().map(|word| format!("{word}: {:?}", Severity::from_word(word))).collect();
        insta::assert_snapshot!(read.join("\n"), @"
        critical: Some(Critical)
        Fatal: Some(Critical)
        error: Some(High)
        high: Some(High)
        WARNING: Some(Medium)
        medium: Some(Medium)
        low: Some(Low)
        info: Some(Info)
        P1: Some(Critical)
        SEV-1: Some(Critical)
        Sev 2: Some(High)
        notice: Some(Low)
        none: None
        success: None
        : None
        7: None
        ");
        let numbers = ["1", "2", "3", "4", "5", "P3", "p5", "0", "6", "normal"];
        let read: Vec<String> =
            numbers.iter().map(|word| format!("{word}: {:?}", Severity::from_priority(word))).collect();
        insta::assert_snapshot!(read.join("\n"), @"
        1: Some(Critical)
        2: Some(High)
        3: Some(Medium)
        4: Some(Low)
        5: Some(Info)
        P3: Some(Medium)
        p5: Some(Info)
        0: Some(Critical)
        6: None
        normal: None
        ");
    }

    #[test]
    fn a_severity_has_the_first_name_of_its_row() {
        for (severity, words) in SEVERITY_WORDS {
            assert_eq!(severity.name(), words[0]);
        }
        assert!(Severity::Critical > Severity::High && Severity::Low > Severity::Info);
    }
}
