//! What the logic reads of an item: four fields at its top level, found without taking the item apart. Pure.
//!
//! A page is walked over once, which checks it and notes where these fields stand. So nothing is parsed twice, and an
//! oddity elsewhere in an item (a repeated key, half a surrogate pair) does not hide its facts.

use std::borrow::Cow;

use crate::devin::walk::Walker;
use crate::devin::{Item, Noted};

/// What the logic reads of an item; everything else passes through unread.
#[derive(Debug, Default)]
pub struct Facts<'a> {
    /// The field that tells the item from others of its list.
    pub id: Field<'a>,
    pub session_id: Field<'a>,
    created_at: Time,
    updated_at: Time,
    status: Field<'a>,
}

/// A time that an item names.
#[derive(Debug, Default, Clone, Copy)]
struct Time {
    /// Whether the field is there and not null.
    is_given: bool,
    /// In whole Unix seconds; `None` when it is absent or no number.
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
                facts.note(noted, noted == Noted::SessionId, &session[at..end]);
            }
            Ok(end)
        });
        facts
    }

    /// The facts of an item, which is told from others by the field `id_field`, as the walk over its page has noted them.
    pub fn noted(item: Item<'a>, id_field: &str) -> Facts<'a> {
        let mut facts = Facts::default();
        for (noted, key, value) in item.fields() {
            facts.note(noted, key == id_field, value);
        }
        facts
    }

    fn note(&mut self, noted: Noted, is_id: bool, value: &'a str) {
        match noted {
            Noted::SessionId => self.session_id = Field(Some(value)),
            Noted::CreatedAt => self.created_at = Time::of(value),
            Noted::UpdatedAt => self.updated_at = Time::of(value),
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

    /// The named cursor field, or the later of it and its fallback. `None`, which every bound admits, also when the
    /// field is there and no number.
    pub fn cursor(&self, field: &str, fallback: Option<&str>) -> Option<i64> {
        let named = |name: &str| if name == "created_at" { self.created_at } else { self.updated_at };
        match named(field) {
            Time { is_given: true, seconds: None } => None,
            time => time.seconds.max(fallback.and_then(|fallback| named(fallback).seconds)),
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
    fn of(value: &str) -> Time {
        // Rust also reads words like `inf`, which JSON does not have.
        let fraction = || value.parse().ok().filter(|at: &f64| at.is_finite()).map(|at| at as i64);
        Time { is_given: value != "null", seconds: value.parse().ok().or_else(fraction) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let read = |fields: &str| Facts::of(&format!("{{{fields}}}")).cursor("updated_at", Some("created_at"));
        assert_eq!(read(r#""updated_at":5,"created_at":3"#), Some(5));
        assert_eq!(read(r#""updated_at":0,"created_at":3"#), Some(3));
        assert_eq!(read(r#""updated_at":null,"created_at":3"#), Some(3));
        assert_eq!(read(r#""created_at":3"#), Some(3));
        assert_eq!(read(r#""updated_at":"2026-10-10T00:00:00Z","created_at":3"#), None, "not understood, so kept");
        assert_eq!(read(""), None);
    }
}
