//! Identifiers that are made here, where no field of the API tells a record from others. Pure.

use std::borrow::Cow;
use std::collections::HashMap;

use chrono::DateTime;
use serde_json::Value;

use super::facts::{Facts, field_of};
use super::fingerprint::fingerprint;
use super::streams::{Cursor, Part, Stream};
use crate::devin::Item;

/// So long is an identifier made of others, as a rule.
pub const ROOM_FOR_AN_ID: usize = 160;

/// A part of an identifier that is made here.
#[derive(Debug, Clone)]
pub enum IdPart {
    /// The same for the whole list.
    Of(String),
    /// A field of the item; its place stays empty where that has none.
    Field(&'static str),
    /// The first of these fields that the item has, without which there is no identifier.
    FirstOf(&'static [&'static str]),
    /// The UTC day of the item's cursor.
    Day,
}

/// The identifier of an item, as JSON; `None` when nothing of the item tells it from others.
///
/// The parts stand between slashes, each in its own place, so that no two sets of parts make the same text.
pub fn made(parts: &[IdPart], item: Item, facts: &Facts, cursor: Option<Cursor>) -> Option<String> {
    let (mut texts, mut is_told) = (Vec::with_capacity(parts.len()), false);
    for part in parts {
        let of_item = match part {
            IdPart::Of(text) => {
                texts.push(text.clone());
                continue;
            }
            IdPart::Field(name) => text_of(item, name),
            IdPart::FirstOf(names) => Some(names.iter().find_map(|name| text_of(item, name))?),
            IdPart::Day => {
                let day = facts.cursor(cursor).and_then(|at| DateTime::from_timestamp(at, 0));
                day.map(|day| day.format("%Y-%m-%d").to_string())
            }
        };
        is_told |= of_item.is_some();
        texts.push(of_item.unwrap_or_default());
    }
    is_told.then(|| Value::from(joined(texts)).to_string())
}

/// The parts between slashes, without the empty places at the end. Only the last part keeps slashes of its own.
fn joined(mut texts: Vec<String>) -> String {
    let last = texts.len().saturating_sub(1);
    texts[..last].iter_mut().filter(|text| text.contains(['/', '%'])).for_each(|text| {
        *text = text.replace('%', "%25").replace('/', "%2F");
    });
    let told = texts.iter().rposition(|text| !text.is_empty()).map_or(0, |last| last + 1);
    texts[..told].join("/")
}

/// A text or a number that tells an item from others; `None` where it has none.
fn text_of(item: Item, name: &str) -> Option<String> {
    let field = field_of(item, name);
    let number = field.0.filter(|value| value.starts_with(|c: char| c == '-' || c.is_ascii_digit()));
    field.text().or(number.map(Into::into)).filter(|text| !text.is_empty()).map(Cow::into_owned)
}

/// The identifiers of one listing, and how many records have one that another record has already.
#[derive(Debug, Default)]
pub struct Identified {
    /// What the record looks like that has it; both are hashes.
    looks: HashMap<u64, u64>,
    taken: u64,
}

impl Identified {
    /// Begins another listing, in which everything may come again as something else.
    pub fn begin(&mut self) {
        *self = Identified::default();
    }

    /// Notes a record. One that comes again as it was is the same.
    pub fn note(&mut self, id: &str, item: &str) {
        let looks = fingerprint(item.as_bytes());
        let first = *self.looks.entry(fingerprint(id.as_bytes())).or_insert(looks);
        self.taken += u64::from(first != looks);
    }

    /// What to say of records that cannot be told apart; `None` where all can.
    pub fn refusal(&self, stream: &Stream) -> Option<String> {
        let fields = |part: &Part| match part {
            Part::Field(name) => Some((*name).to_string()),
            Part::FirstOf(names) => Some(names.join(" or ")),
            Part::Day => stream.cursor.map(|cursor| format!("day of {}", cursor.field)),
            Part::Organization | Part::Each => None,
        };
        let fields: Vec<String> = stream.id.iter().filter_map(fields).collect();
        (self.taken > 0).then(|| {
            format!(
                "the API lists different records with the same {}, which the connector tells records apart by: {} of them would have overwritten another at the destination, so the stream is incomplete. Report it with the names of the fields that differ",
                fields.join(", "),
                self.taken
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devin::Page;

    fn id(parts: &[IdPart], item: &str) -> String {
        let page = Page::parse(format!("{{\"items\":[{item}]}}").into_bytes()).unwrap();
        made(parts, page.noted().next().unwrap(), &Facts::default(), None).unwrap_or_default()
    }

    #[test]
    fn different_parts_never_make_the_same_identifier() {
        let parts = [IdPart::Field("scope"), IdPart::Field("org_id"), IdPart::Field("user_id")];
        let told: Vec<String> = [
            r#"{"scope":"enterprise"}"#,
            r#"{"scope":"user","org_id":"a"}"#,
            r#"{"scope":"user","user_id":"a"}"#,
            r#"{"scope":"user","org_id":"a","user_id":"b"}"#,
            r#"{"scope":"user","org_id":"a/b"}"#,
            r#"{"scope":"user","org_id":"a%2Fb"}"#,
            r#"{"scope":"user","user_id":"a/b"}"#,
            r#"{"user_id":7}"#,
        ]
        .iter()
        .map(|item| id(&parts, item))
        .collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        "enterprise"
        "user/a"
        "user//a"
        "user/a/b"
        "user/a%2Fb"
        "user/a%252Fb"
        "user//a/b"
        "//7"
        "#);
        assert_eq!(id(&parts, r#"{"cycle_acu_limit":1}"#), "");
        assert_eq!(id(&[IdPart::Of("o".into()), IdPart::FirstOf(&["a", "b"])], r#"{"c":1}"#), "");
    }

    #[test]
    fn a_record_that_comes_again_as_it_was_is_no_other_one() {
        let stream = crate::source::streams::find("acu_limits").unwrap();
        let mut identified = Identified::default();
        identified.note("a", "{}");
        identified.note("a", "{}");
        assert_eq!(identified.refusal(stream), None);
        identified.note("a", r#"{"b":1}"#);
        assert!(identified.refusal(stream).unwrap().contains("same scope, org_id, user_id"));
        identified.begin();
        identified.note("a", "7");
        assert_eq!(identified.refusal(stream), None);
    }
}
