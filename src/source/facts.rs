//! What the logic reads of an item: a few fields at its top level, found without taking the item apart. Pure.
//!
//! A page is walked over once, which checks it and notes where the usual fields stand. So nothing is parsed twice, and an
//! oddity elsewhere in an item (a repeated key, half a surrogate pair) does not hide its facts. A cursor field of another
//! name is looked for in the item, in lists that are short.

use std::borrow::Cow;

use chrono::DateTime;

use super::streams::{Cursor, Unit};
use crate::devin::walk::Walker;
use crate::devin::{Item, Noted};

/// Which fields tell what of the items of a list.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// The field that tells an item from others.
    pub id: &'static str,
    pub cursor: Option<Cursor>,
}

/// What the logic reads of an item; everything else passes through unread.
#[derive(Debug, Default)]
pub struct Facts<'a> {
    /// The field that tells the item from others of its list.
    pub id: Field<'a>,
    pub session_id: Field<'a>,
    created_at: Time,
    updated_at: Time,
    /// When it last changed, as the item writes it.
    pub changed: Field<'a>,
    /// A cursor field of another name.
    other_cursor: Time,
    status: Field<'a>,
}

/// A time that an item names.
#[derive(Debug, Default, Clone, Copy)]
struct Time {
    /// Whether the field is there and not null.
    is_given: bool,
    /// In whole Unix seconds; `None` when it is absent or no time in its unit.
    seconds: Option<i64>,
}

/// A field as it stands in an item: the text of its value, `null` included. `None` when the item lacks it; the last
/// one when the item repeats it, as most parsers have it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a>(pub Option<&'a str>);

impl<'a> Facts<'a> {
    /// Reads the facts of a session, which should be a JSON object; text that is none has none beyond where it breaks.
    pub fn of(session: &'a str) -> Facts<'a> {
        let mut facts = Facts::default();
        // What is broken has been refused with its page.
        let walker = Walker::new(session);
        let _ = walker.object(walker.start(), |key, at| {
            let end = walker.value(at)?;
            if let Some(noted) = Noted::of(session[key].as_bytes()) {
                facts.note(noted, noted == Noted::SessionId, &session[at..end], Unit::Seconds);
            }
            Ok(end)
        });
        facts
    }

    /// The facts of an item, as the walk over its page has noted them.
    pub fn noted(item: Item<'a>, reading: &Reading) -> Facts<'a> {
        let mut facts = Facts::default();
        let unit = reading.cursor.map_or(Unit::Seconds, |cursor| cursor.unit);
        for (noted, key, value) in item.fields() {
            facts.note(noted, key == reading.id, value, unit);
        }
        if let Some(cursor) = reading.cursor.filter(|cursor| cursor.is_of_its_own()) {
            facts.other_cursor = field_of(item, cursor.field).0.map_or(Time::default(), |value| Time::of(value, unit));
        }
        facts
    }

    fn note(&mut self, noted: Noted, is_id: bool, value: &'a str, unit: Unit) {
        match noted {
            Noted::SessionId => self.session_id = Field(Some(value)),
            Noted::CreatedAt => self.created_at = Time::of(value, unit),
            Noted::UpdatedAt => {
                self.updated_at = Time::of(value, unit);
                self.changed = Field(Some(value));
            }
            Noted::Status => self.status = Field(Some(value)),
            Noted::OtherId => {}
        }
        if is_id {
            self.id = Field(Some(value));
        }
    }

    /// When the item was made, in Unix seconds; `None` when the field is absent or no number.
    pub fn created_at(&self) -> Option<i64> {
        self.created_at.seconds
    }

    /// When the item last changed, in Unix seconds; `None` when the field is absent or no number.
    pub fn updated_at(&self) -> Option<i64> {
        self.updated_at.seconds
    }

    /// The cursor field, or the later of it and its fallback. `None`, which every bound admits, where the list has none, and
    /// also when the field is there and no time.
    pub fn cursor(&self, cursor: Option<Cursor>) -> Option<i64> {
        let named = |name: &str| match name {
            "created_at" => self.created_at,
            "updated_at" => self.updated_at,
            _ => self.other_cursor,
        };
        let Cursor { field, fallback, .. } = cursor?;
        match named(field) {
            Time { is_given: true, seconds: None } => None,
            time => time.seconds.max(fallback.and_then(|fallback| named(fallback).seconds)),
        }
    }

    /// Takes the cursor value that the record gets, where the item has none; `value` is in seconds.
    pub fn complete_cursor(&mut self, value: &str) {
        if !self.other_cursor.is_given {
            self.other_cursor = Time::of(value, Unit::Seconds);
        }
    }

    /// Whether the session is asleep.
    pub fn is_suspended(&self) -> bool {
        self.status.0 == Some("\"suspended\"")
    }

    /// Whether the session may still change without its `updated_at` saying so: new, claimed, running, resuming, or
    /// in a state newer than this program.
    pub fn is_open(&self) -> bool {
        let is_text = self.status.0.is_some_and(|status| status.starts_with('"'));
        is_text && !matches!(self.status.0, Some("\"suspended\"" | "\"exit\"" | "\"error\""))
    }
}

impl<'a> Field<'a> {
    /// The field as text; `None` when it is absent or anything but a string.
    pub fn text(&self) -> Option<Cow<'a, str>> {
        let inside = self.0?.strip_prefix('"')?.strip_suffix('"')?;
        if inside.contains('\\') {
            self.0.and_then(|value| serde_json::from_str(value).ok())
        } else {
            Some(inside.into())
        }
    }
}

impl Time {
    /// Reads the text of a value.
    fn of(value: &str, unit: Unit) -> Time {
        // Rust also reads words like `inf`, which JSON does not have.
        let fraction = || value.parse().ok().filter(|at: &f64| at.is_finite()).map(|at| at as i64);
        let number = || value.parse().ok().or_else(fraction);
        let seconds = match unit {
            Unit::Seconds => number(),
            Unit::SecondsOrMilliseconds => {
                number().map(|at: i64| if at.abs() >= MILLISECONDS { at / 1000 } else { at })
            }
            Unit::Iso => Field(Some(value)).text().and_then(|text| iso(&text)),
        };
        Time { is_given: value != "null", seconds }
    }
}

/// From here on, a number is taken for milliseconds: as seconds, it would lie in the year 5138.
const MILLISECONDS: i64 = 100_000_000_000;

/// The second of an ISO 8601 time; one without an offset is in UTC.
fn iso(text: &str) -> Option<i64> {
    let parse = |text: &str| DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp());
    parse(text).or_else(|| parse(&format!("{text}Z")))
}

/// A field of an item, whatever its name.
pub fn field_of<'a>(item: Item<'a>, name: &str) -> Field<'a> {
    if Noted::of(name.as_bytes()).is_some() {
        return Field(item.fields().filter(|(_, key, _)| *key == name).map(|(.., value)| value).last());
    }
    let (text, walker, mut found) = (item.text, Walker::new(item.text), Field(None));
    // What is broken has been refused with its page.
    let _ = walker.object(walker.start(), |key, at| {
        let end = walker.value(at)?;
        if &text[key] == name {
            found = Field(Some(&text[at..end]));
        }
        Ok(end)
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devin::Page;

    #[test]
    fn facts_are_found_wherever_they_stand() {
        let check = |item: &str| {
            let facts = Facts::of(item);
            format!("{:?} {:?} {:?} {}", facts.session_id.0, facts.created_at(), facts.updated_at(), facts.is_open())
        };
        insta::assert_snapshot!(check(r#"{"session_id":"a","created_at":1,"updated_at":2,"status":"running"}"#), @r#"Some("\"a\"") Some(1) Some(2) true"#);
        insta::assert_snapshot!(check("{ \"status\" :\n\"exit\" , \"session_id\"\t: \"a b\" ,\r\n\"created_at\" : 1 }"), @r#"Some("\"a b\"") Some(1) None false"#);
        insta::assert_snapshot!(check(r#"{"x":{"session_id":"inner","created_at":9},"y":[{"status":"running"}],"title":"\",\"created_at\":7","created_at":1}"#), @"None Some(1) None false");
        insta::assert_snapshot!(check(r#"{"created_at":1,"created_at":2,"\ud800":3,"updated_at":4}"#), @"None Some(2) Some(4) false");
        insta::assert_snapshot!(check(r#"{"a":"session_id","session_id":null,"updated_at":[1,{"updated_at":2}],"status":7}"#), @r#"Some("null") None None false"#);
        insta::assert_snapshot!(check("{}"), @"None None None false");
    }

    #[test]
    fn text_that_is_no_object_does_no_harm() {
        for text in ["", "{", "{\"", "{\"session_id", "{\"session_id\"", "{\"session_id\":", "}", "],", "{\"status\"}"]
        {
            Facts::of(text);
        }
    }

    #[test]
    fn timestamps_are_read_from_whatever_number_the_api_sends() {
        let read = |text: &str| Facts::of(&format!(r#"{{"created_at":{text}}}"#)).created_at();
        let table: Vec<String> =
            ["5", "5.9", "-1", "1e3", "null", r#""5""#, "true", "1e999", "123456789012345678901234567890"]
                .iter()
                .map(|text| format!("{text}: {:?}", read(text)))
                .collect();
        insta::assert_snapshot!(table.join("\n"), @r#"
        5: Some(5)
        5.9: Some(5)
        -1: Some(-1)
        1e3: Some(1000)
        null: None
        "5": None
        true: None
        1e999: None
        123456789012345678901234567890: Some(9223372036854775807)
        "#);
    }

    #[test]
    fn the_cursor_is_the_later_of_a_field_and_its_fallback() {
        let changes = Cursor { field: "updated_at", fallback: Some("created_at"), unit: Unit::Seconds };
        let read = |fields: &str| Facts::of(&format!("{{{fields}}}")).cursor(Some(changes));
        assert_eq!(read(r#""updated_at":5,"created_at":3"#), Some(5));
        assert_eq!(read(r#""updated_at":0,"created_at":3"#), Some(3));
        assert_eq!(read(r#""updated_at":null,"created_at":3"#), Some(3));
        assert_eq!(read(r#""created_at":3"#), Some(3));
        assert_eq!(read(r#""updated_at":"2026-10-10T00:00:00Z","created_at":3"#), None, "not understood, so kept");
        assert_eq!(read(""), None);
    }

    #[test]
    fn a_cursor_is_read_by_its_name_and_unit() {
        let read = |field, unit, value: &str| {
            let body = format!(r#"{{"items":[{{"x":{{"{field}":1}},"{field}":{value}}}]}}"#);
            let page = Page::parse(body.into_bytes()).unwrap();
            let cursor = Some(Cursor { field, fallback: None, unit });
            Facts::noted(page.noted().next().unwrap(), &Reading { id: "id", cursor }).cursor(cursor)
        };
        assert_eq!(read("date", Unit::Seconds, "1767225600"), Some(1_767_225_600));
        assert_eq!(read("updated_at", Unit::Iso, r#""2026-01-01T01:00:00.5+01:00""#), Some(1_767_225_600));
        assert_eq!(read("updated_at", Unit::Iso, r#""2026-01-01T00:00:00""#), Some(1_767_225_600));
        assert_eq!(read("updated_at", Unit::Iso, r#""yesterday""#), None);
        assert_eq!(read("updated_at", Unit::Iso, "1767225600"), None, "not understood, so kept");
        assert_eq!(read("created_at", Unit::SecondsOrMilliseconds, "1767225600123"), Some(1_767_225_600));
        assert_eq!(read("created_at", Unit::SecondsOrMilliseconds, "1767225600"), Some(1_767_225_600));
    }
}
