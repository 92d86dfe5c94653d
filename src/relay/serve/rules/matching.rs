//! Which alerts a rule is for: conditions over the whole alert, before anything of it is cut. Pure; knows no YAML.

mod miss;

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
        View::all(alert, route).iter().any(|view| self.holds(view))
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

    /// Whether no alert meets it, since `not` excludes what is wanted; as far as that can be told without an alert.
    pub fn is_contradictory(&self) -> bool {
        let (wanted, unwanted) = (&self.wanted, &self.unwanted);
        let excludes = |wanted: &[(String, Vec<Pattern>)], unwanted: &[(String, Vec<Pattern>)]| {
            unwanted
                .iter()
                .any(|(name, any)| wanted.iter().any(|(known, other)| known == name && are_within(other, any)))
        };
        let is_level_excluded =
            !wanted.severity.is_empty() && wanted.severity.iter().all(|level| unwanted.severity.contains(level));
        is_level_excluded
            || excludes(&wanted.labels, &unwanted.labels)
            || excludes(&wanted.annotations, &unwanted.annotations)
            || unwanted
                .texts
                .iter()
                .any(|(text, any)| wanted.texts.iter().any(|(known, other)| known == text && are_within(other, any)))
    }

    /// Whether a route, which takes in what this sender delivers (`None` for any), may bring an alert that meets it.
    pub fn may_come_by(&self, route: &str, sender: Option<&str>) -> bool {
        let meets = |wanted: Text, value: &str| {
            self.wanted.texts.iter().filter(|(text, _)| *text == wanted).all(|(_, any)| is_one_of(any, value))
        };
        meets(Text::Route, route) && sender.is_none_or(|sender| meets(Text::Sender, sender))
    }

    /// Whether no single alert can meet both, as far as that can be told without one.
    pub fn excludes(&self, other: &Match) -> bool {
        let (ours, theirs) = (&self.wanted, &other.wanted);
        let is_apart = |ours: &[(String, Vec<Pattern>)], theirs: &[(String, Vec<Pattern>)]| {
            ours.iter().any(|(name, any)| theirs.iter().any(|(known, other)| known == name && are_apart(any, other)))
        };
        let are_levels_apart = !ours.severity.is_empty()
            && !theirs.severity.is_empty()
            && !ours.severity.iter().any(|level| theirs.severity.contains(level));
        are_levels_apart
            || is_apart(&ours.labels, &theirs.labels)
            || is_apart(&ours.annotations, &theirs.annotations)
            || ours
                .texts
                .iter()
                .any(|(text, any)| theirs.texts.iter().any(|(known, other)| known == text && are_apart(any, other)))
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

impl<'a> View<'a> {
    /// The alert, or those of a group that fire.
    fn all(alert: &'a Alert, route: &'a str) -> Vec<View<'a>> {
        static NOTHING: Pairs = Pairs::new();
        if alert.members.is_empty() {
            let (labels, annotations, severity) = (&alert.labels, &alert.annotations, alert.severity);
            return vec![View { labels, annotations, severity, alert, route }];
        }
        let kept = alert.members.iter().map(|member| (&member.labels, &member.annotations));
        let further = alert.further_labels.iter().map(|labels| (labels, &NOTHING));
        let view = |(labels, annotations)| View { labels, annotations, severity: severity_of(labels), alert, route };
        kept.chain(further).map(view).collect()
    }

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
            error => format!("is not a usable regular expression{}", fault(&error.to_string())),
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

/// What is wrong with an expression, and at which of its characters. The last line says what, those before it quote the
/// expression, with a mark below the place.
fn fault(said: &str) -> String {
    let what = said.lines().last().unwrap_or_default().trim_start_matches("error: ");
    let place = said.lines().find(|line| line.trim_start().starts_with('^')).and_then(|line| line.find('^'));
    // The quote is indented by four, and the slash before the expression counts.
    place.map_or_else(
        || format!(": {what}"),
        |place| format!(", at its character {}: {what}", (place + 2).saturating_sub(4)),
    )
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

/// Whether no text is met by one of both, which is told of texts that stand for themselves.
fn are_apart(ours: &[Pattern], theirs: &[Pattern]) -> bool {
    let never = |exact: &[Pattern], others: &[Pattern]| {
        exact.iter().all(|pattern| pattern.exact().is_some_and(|text| !is_one_of(others, text)))
    };
    never(ours, theirs) || never(theirs, ours)
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
mod tests;
