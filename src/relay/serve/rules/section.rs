//! Reads checked values out of a tree, and notes whatever is wrong with them: all of it, each with its line. Pure.

use std::io;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::node::{Node, Position, Value};
use super::shown::{A_KEY, shown};
use super::{Problem, Surroundings, reason};
use crate::config::similar;
use crate::relay::values::duration;
use redact::Redactor;

/// What is known while a file is read, and what was wrong with it so far.
pub struct Reader<'a> {
    pub surroundings: &'a dyn Surroundings,
    /// Knows the secrets that were found.
    pub redactor: Redactor,
    pub problems: Vec<Problem>,
    pub warnings: Vec<Problem>,
    /// What a variable or a file that is not there is not needed for; `None` where it is.
    pub spared: Option<&'static str>,
    /// The scenarios that a tag may name; `None` where no tag names any.
    pub scenarios: Option<&'static [&'static str]>,
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    pub at: Position,
    /// The keys that lead to it, as a person writes them: `routes[0].auth`.
    pub key: String,
    pub node: &'a Node,
}

/// The keys of a mapping.
pub struct Section<'a> {
    pub at: Position,
    pub key: String,
    entries: &'a [(String, Position, Node)],
}

/// A key that people write who come from elsewhere, and what to write instead.
pub type Elsewhere = (&'static str, &'static str);

impl<'a> Reader<'a> {
    pub fn new(surroundings: &'a dyn Surroundings) -> Reader<'a> {
        Reader {
            surroundings,
            redactor: Redactor::default(),
            problems: Vec::new(),
            warnings: Vec::new(),
            spared: None,
            scenarios: None,
        }
    }

    /// Notes what is wrong with a value.
    pub fn problem(&mut self, place: &Place, message: impl Into<String>) {
        self.problem_at(place.at, &place.key, message);
    }

    pub fn problem_at(&mut self, at: Position, key: &str, message: impl Into<String>) {
        self.problems.push(Problem { at: Some(at), key: key.to_string(), message: message.into() });
    }

    /// Notes what is allowed and yet likely to be a mistake.
    pub fn warning(&mut self, place: &Place, message: impl Into<String>) {
        self.warnings.push(Problem { at: Some(place.at), key: place.key.clone(), message: message.into() });
    }

    /// Notes that something outside the file is not there.
    pub fn absent(&mut self, place: &Place, message: String) {
        match self.spared {
            None => self.problem(place, message),
            Some(spared) => self.warning(place, format!("{message}; {spared}")),
        }
    }

    /// The items of a list that must not be empty; `form` is what one of its items looks like.
    pub fn list(&mut self, place: &Place<'a>, what: &str, form: &str) -> Vec<Place<'a>> {
        match &place.node.value {
            Value::List(items) if items.is_empty() => {
                self.problem(place, format!("is an empty list: give one or more {what}, such as {form}"));
                Vec::new()
            }
            Value::List(_) => self.items(place),
            _ => {
                self.problem(place, format!("must be a list of {what}, such as {form}, but is {}", place.node.kind()));
                Vec::new()
            }
        }
    }

    /// The mapping at a place, of whose keys all must be `known`.
    pub fn section(&mut self, place: &Place<'a>, known: &[&str], elsewhere: &[Elsewhere]) -> Option<Section<'a>> {
        let Value::Map(entries) = &place.node.value else {
            let forms = known.iter().take(3).map(|key| format!("{key}: …")).collect::<Vec<_>>().join(", ");
            self.problem(place, format!("must be a mapping ({forms}), but is {}", place.node.kind()));
            return None;
        };
        let section = Section { at: place.at, key: place.key.clone(), entries };
        for (name, at, _) in entries.iter().filter(|(name, ..)| !known.contains(&name.as_str())) {
            let message = match elsewhere.iter().find(|(other, _)| other == name) {
                Some((_, instead)) => format!("is not known here: {instead}"),
                None => match similar(&snake_case(name), known) {
                    Some(near) => format!("is not known here; did you mean {near:?}?"),
                    None => format!("is not known here; there are {}", known.join(", ")),
                },
            };
            // Where a secret belongs, any other key may be one.
            let is_meant =
                elsewhere.iter().any(|(other, _)| other == name) || similar(&snake_case(name), known).is_some();
            let is_shown = is_meant || !["env", "bearer"].iter().any(|key| known.contains(key));
            let name = if is_shown { shown(name) } else { A_KEY.to_string() };
            self.problem_at(*at, &section.path(&name), message);
        }
        Some(section)
    }

    /// The items of a list, or the one value that stands in the place of a list.
    pub fn items(&mut self, place: &Place<'a>) -> Vec<Place<'a>> {
        match &place.node.value {
            Value::List(items) => (0..).zip(items).map(|(at, node)| place.item(at, node)).collect(),
            _ => vec![place.clone()],
        }
    }

    /// A text that is not empty.
    pub fn text(&mut self, place: &Place<'a>) -> Option<&'a str> {
        match &place.node.value {
            Value::Text(text) if text.trim().is_empty() => {
                self.problem(place, "is empty: give a value, or remove the line")
            }
            Value::Text(text) => return Some(text.trim()),
            Value::Number(_) | Value::Decimal(_) | Value::Bool(_) => {
                self.problem(place, format!("must be a text, but is {}: put it in quotes", place.node.kind()));
            }
            _ => self.problem(place, format!("must be a text, but is {}", place.node.kind())),
        }
        None
    }

    /// A text that passes a check.
    pub fn checked<T>(&mut self, place: &Place<'a>, check: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(place)?;
        check(text).map_err(|message| self.problem(place, about_the_key(message))).ok()
    }

    /// Texts that pass a check: a list, or one in its place.
    pub fn each<T>(&mut self, place: &Place<'a>, check: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        let items = self.items(place);
        items.iter().filter_map(|item| self.checked(item, &check)).collect()
    }

    /// A text that goes to Devin, unless one of the secrets stands in it.
    pub fn sendable(&mut self, place: &Place, text: String) -> Option<String> {
        if !self.redactor.contains_own_key(&text) {
            return Some(text);
        }
        self.problem(place, "holds one of the secrets that this file names, which would be sent to Devin");
        None
    }

    /// A length of time.
    pub fn time(&mut self, place: &Place<'a>, check: impl Fn(&str) -> Result<Duration, String>) -> Option<Duration> {
        match &place.node.value {
            Value::Number(number) => {
                self.problem(place, format!("needs a unit: write {number}s, {number}m, {number}h or {number}d"));
                return None;
            }
            Value::Decimal(_) => {
                self.problem(place, "must be a time with its unit: 30s, 5m, 1h or 30d");
                return None;
            }
            _ => {}
        }
        self.checked(place, check)
    }

    /// A length of time within bounds.
    pub fn time_within(
        &mut self,
        place: &Place<'a>,
        range: RangeInclusive<Duration>,
        bounds: &str,
    ) -> Option<Duration> {
        self.time(place, |text| {
            let time = duration(text)?;
            if range.contains(&time) { Ok(time) } else { Err(format!("must be a time {bounds}, but is {text}")) }
        })
    }

    /// A whole number.
    pub fn number(&mut self, place: &Place<'a>, range: RangeInclusive<u32>) -> Option<u32> {
        let number = match &place.node.value {
            Value::Number(number) => u32::try_from(*number).ok().filter(|number| range.contains(number)),
            _ => None,
        };
        if number.is_none() {
            let (from, to) = (range.start(), range.end());
            let bounds = if *to == u32::MAX { format!("from {from}") } else { format!("from {from} to {to}") };
            self.problem(place, format!("must be a whole number {bounds}"));
        }
        number
    }

    pub fn flag(&mut self, place: &Place<'a>) -> Option<bool> {
        if let Value::Bool(value) = &place.node.value {
            return Some(*value);
        }
        self.problem(place, "must be true or false");
        None
    }

    /// One of some words.
    pub fn choice<T: Copy>(&mut self, place: &Place<'a>, choices: &[(&str, T)]) -> Option<T> {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        if !matches!(place.node.value, Value::Text(_)) {
            self.problem(place, format!("must be one of {}, but is {}", words.join(", "), place.node.kind()));
            return None;
        }
        self.checked(place, |text| {
            let found = choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
            found.ok_or_else(|| match similar(text, &words) {
                Some(near) => format!("must be one of {}; did you mean {near:?}?", words.join(", ")),
                None => format!("must be one of {}", words.join(", ")),
            })
        })
    }

    /// Notes that a file is not there, or cannot be read. Its path is not shown: it may be a secret, put in the wrong place.
    pub fn unreadable(&mut self, place: &Place, kind: io::ErrorKind) {
        self.absent(place, format!("names a file that cannot be read: {}", reason(kind)));
    }

    /// The text of a file that a place names.
    pub fn file(&mut self, place: &Place<'a>, path: &str) -> Option<String> {
        let bytes = match self.surroundings.file(path) {
            Ok(bytes) => bytes,
            Err(kind) => {
                self.unreadable(place, kind);
                return None;
            }
        };
        let text = String::from_utf8(bytes).ok();
        if text.is_none() {
            self.problem(place, "names a file that is not UTF-8 text");
        }
        text
    }
}

impl<'a> Place<'a> {
    fn item(&self, number: usize, node: &'a Node) -> Place<'a> {
        Place { at: node.at, key: format!("{}[{number}]", self.key), node }
    }
}

impl<'a> Section<'a> {
    /// A key's value. An empty one is a problem, and not there.
    pub fn get(&self, name: &str, reader: &mut Reader<'a>) -> Option<Place<'a>> {
        self.given(name, "give a value, or remove the line", reader)
    }

    /// The same, with what to do about an empty one.
    pub fn given(&self, name: &str, instead: &str, reader: &mut Reader<'a>) -> Option<Place<'a>> {
        let (_, at, node) = self.entries.iter().find(|(key, ..)| key == name)?;
        let place = Place { at: *at, key: self.path(name), node };
        if node.value == Value::Null {
            reader.problem(&place, format!("is empty: {instead}"));
            return None;
        }
        Some(place)
    }

    /// A key's value, which must be there. `what` is what to give, with an example.
    pub fn required(&self, name: &str, what: &str, reader: &mut Reader<'a>) -> Option<Place<'a>> {
        if !self.has(name) {
            reader.problem_at(self.at, &self.path(name), format!("is missing: give {what}"));
        }
        self.get(name, reader)
    }

    /// Whether the key is there, with whatever value.
    pub fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|(key, ..)| key == name)
    }

    /// The keys that are there.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.entries.iter().map(|(name, ..)| name.as_str())
    }

    fn path(&self, name: &str) -> String {
        if self.key.is_empty() { name.to_string() } else { format!("{}.{name}", self.key) }
    }
}

/// What a check of a value says, as the end of a sentence about its key.
pub fn about_the_key(message: String) -> String {
    match (message.strip_prefix("expected "), message.strip_prefix("it ")) {
        (Some(form), _) => format!("must be {form}"),
        (_, Some(rest)) => rest.to_string(),
        _ => message,
    }
}

/// `pollInterval` and `poll-interval` as `poll_interval`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        match c {
            '-' | ' ' => snake.push('_'),
            c if c.is_ascii_uppercase() && !snake.is_empty() && !snake.ends_with('_') => {
                snake.extend(['_', c.to_ascii_lowercase()]);
            }
            c => snake.push(c.to_ascii_lowercase()),
        }
    }
    snake
}
