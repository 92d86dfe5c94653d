//! The `match` of a rule, read from the file. Pure.

use super::matching::{Conditions, Match, Pattern, Text};
use super::node::Value;
use super::section::{Elsewhere, Place, Reader, Section};
use crate::config::similar;
use crate::relay::alert::Severity;
use crate::relay::inbound::senders;

pub const KEYS: [&str; 8] = ["labels", "annotations", "severity", "source", "route", "title", "sender", "not"];

const ELSEWHERE: [Elsewhere; 7] = [
    ("label", "write labels: {NAME: VALUE}"),
    ("severities", "write severity: [critical, high], or severity: \">=high\""),
    ("receiver", "write source"),
    ("kind", "write sender"),
    ("name", "write title, or labels: {alertname: VALUE}"),
    ("any", "write two rules of the same group"),
    ("all", "leave it out: all conditions hold side by side"),
];

const LEVELS: [Option<Severity>; 6] = [
    Some(Severity::Critical),
    Some(Severity::High),
    Some(Severity::Medium),
    Some(Severity::Low),
    Some(Severity::Info),
    None,
];

/// The longest pattern, in bytes.
const LONGEST: usize = 512;

/// Reads `match`; `routes` are the names of those there are.
pub fn matching<'a>(place: &Place<'a>, routes: &[&str], reader: &mut Reader<'a>) -> Match {
    let Some(section) = reader.section(place, &KEYS, &ELSEWHERE) else { return Match::default() };
    has_any(place, "which every alert meets: give a condition, or remove the line", reader);
    let wanted = conditions(&section, routes, reader);
    let unwanted = section.get("not", reader).and_then(|place| {
        let section = reader.section(&place, &KEYS, &ELSEWHERE)?;
        has_any(&place, "which excludes nothing: give a condition, or remove the line", reader);
        if section.has("not") {
            reader.problem(&place, "holds another not: write what is wanted beside it");
        }
        Some(conditions(&section, routes, reader))
    });
    Match { wanted, unwanted: unwanted.unwrap_or_default() }
}

fn conditions<'a>(section: &Section<'a>, routes: &[&str], reader: &mut Reader<'a>) -> Conditions {
    let mut conditions = Conditions::default();
    if let Some(place) = section.get("labels", reader) {
        conditions.labels = pairs(&place, reader);
    }
    if let Some(place) = section.get("annotations", reader) {
        conditions.annotations = pairs(&place, reader);
    }
    if let Some(place) = section.get("severity", reader) {
        conditions.severity = some(&place, reader, levels).into_iter().flatten().collect();
    }
    for (name, text) in
        [("source", Text::Source), ("route", Text::Route), ("title", Text::Title), ("sender", Text::Sender)]
    {
        let Some(place) = section.get(name, reader) else { continue };
        let patterns = some(&place, reader, pattern);
        for exact in patterns.iter().filter_map(Pattern::exact) {
            match text {
                Text::Route if !routes.contains(&exact) => {
                    let message = match similar(exact, routes) {
                        Some(near) => format!("names a route that is not there; did you mean {near:?}?"),
                        None => format!("names a route that is not there; there are {}", routes.join(", ")),
                    };
                    reader.problem(&place, message);
                }
                Text::Sender if senders::by_name(exact).is_none() => {
                    let words: Vec<&str> = senders::all().map(|sender| sender.format.name()).collect();
                    let near = similar(exact, &words).map(|near| format!("; did you mean {near:?}?"));
                    let message = format!(
                        "must be a sender that `source-devin-ai alert-relay senders` lists{}",
                        near.unwrap_or_default()
                    );
                    reader.problem(&place, message);
                }
                _ => {}
            }
        }
        conditions.texts.push((text, patterns));
    }
    conditions
}

/// Names, each with what its value must be.
fn pairs<'a>(place: &Place<'a>, reader: &mut Reader<'a>) -> Vec<(String, Vec<Pattern>)> {
    let Value::Map(entries) = &place.node.value else {
        reader.problem(place, format!("must be a mapping such as {{team: payments}}, but is {}", place.node.kind()));
        return Vec::new();
    };
    has_any(place, "which asks for nothing: give a name and a value, or remove the line", reader);
    let mut pairs = Vec::new();
    for (name, at, node) in entries {
        let place = Place { at: *at, key: format!("{}.{}", place.key, super::shown::shown(name)), node };
        pairs.push((name.clone(), some(&place, reader, pattern)));
    }
    pairs
}

/// Refuses a mapping without an entry, which would mean what nobody has meant.
fn has_any<'a>(place: &Place<'a>, so: &str, reader: &mut Reader<'a>) {
    if matches!(&place.node.value, Value::Map(entries) if entries.is_empty()) {
        reader.problem(place, format!("is an empty mapping, {so}"));
    }
}

/// The values of a list that must not be empty, or the one in its place.
fn some<'a, T>(place: &Place<'a>, reader: &mut Reader<'a>, check: fn(&str) -> Result<T, String>) -> Vec<T> {
    if matches!(&place.node.value, Value::List(items) if items.is_empty()) {
        reader.problem(place, "is an empty list, which nothing meets: give a value, or remove the line");
    }
    reader.each(place, check)
}

fn pattern(text: &str) -> Result<Pattern, String> {
    if text.len() > LONGEST {
        return Err(format!("must be at most {LONGEST} bytes long"));
    }
    Pattern::parse(text)
}

/// The levels that a word stands for, alone or after a comparison.
fn levels(text: &str) -> Result<Vec<Option<Severity>>, String> {
    let wrong = || {
        "must be critical, high, medium, low, info or unknown, or one of the first five after >=, >, <= or <: severity: \">=high\""
            .to_string()
    };
    if text.eq_ignore_ascii_case("unknown") {
        return Ok(vec![None]);
    }
    let word = text.trim_start_matches(['<', '>', '=']);
    let level = Severity::from_word(word.trim()).ok_or_else(wrong)?;
    let is_meant = |known: Severity| match &text[..text.len() - word.len()] {
        "" | "=" => Ok(known == level),
        ">=" => Ok(known >= level),
        ">" => Ok(known > level),
        "<=" => Ok(known <= level),
        "<" => Ok(known < level),
        _ => Err(wrong()),
    };
    let mut meant = Vec::new();
    for known in LEVELS.into_iter().flatten() {
        if is_meant(known)? {
            meant.push(Some(known));
        }
    }
    if meant.is_empty() {
        return Err(format!("is met by no severity: {text}"));
    }
    Ok(meant)
}
