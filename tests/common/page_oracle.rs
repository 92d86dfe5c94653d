//! What a page is, by serde_json alone: slow, short, and independent of the walk that the program takes. The fuzz targets
//! hold the program against it, too.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use source_devin_ai::devin::{Noted, Page};

/// Reads `body` both ways, and panics where they differ: in what is refused and with which words, in the items, in their
/// fields, in whether there is white space. Answers whether it is a page.
pub fn compare(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    let (page, expected) = (Page::parse(body.to_vec()), expected(body));
    let (page, expected) = match (page, expected) {
        (Ok(page), Ok(expected)) => (page, expected),
        (Err(invalid), Err(expected)) => {
            assert_eq!(invalid.to_string(), expected, "{text:?}");
            return false;
        }
        (page, expected) => panic!("{:?} and not {:?}: {text:?}", page.map(|_| ()), expected.map(|_| ())),
    };
    assert_eq!(page.has_next(), expected.has_next, "{text:?}");
    assert_eq!(page.total, expected.total, "{text:?}");
    assert_eq!(page.items().len(), expected.items.len(), "{text:?}");
    for ((item, noted), expected) in page.items().zip(page.noted()).zip(expected.items) {
        assert_eq!((item, noted.text), (expected, expected), "{text:?}");
        let spelled = noted.fields().map(|(field, key, value)| {
            assert_eq!(Noted::of(key.as_bytes()), Some(field), "{text:?}");
            (key, value)
        });
        assert_eq!(spelled.collect::<Vec<_>>(), fields(expected), "{text:?}");
        assert_eq!(noted.has_space, has_space(expected), "{text:?}");
    }
    true
}

struct Expected<'a> {
    items: Vec<&'a str>,
    has_next: bool,
    total: Option<u64>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    end_cursor: Option<String>,
    #[serde(default)]
    has_next_page: Option<bool>,
    #[serde(borrow, default)]
    total: Option<&'a RawValue>,
}

/// What is to be read, or the sentence that says why not.
fn expected(body: &[u8]) -> Result<Expected<'_>, String> {
    let body = std::str::from_utf8(body).map_err(|_| "it is not UTF-8 text")?;
    let envelope: Envelope = serde_json::from_str(body)
        .map_err(|error| format!("it is not the JSON of a list (line {}, column {})", error.line(), error.column()))?;
    let is_object = body.trim_ascii_start().starts_with('{');
    let items = envelope.items.filter(|_| is_object).ok_or("it has no list of items")?;
    if let Some(index) = items.iter().position(|item| !item.get().starts_with('{')) {
        return Err(format!("item {index} is not an object"));
    }
    let cursor = envelope.end_cursor.filter(|cursor| !cursor.is_empty());
    if cursor.as_ref().is_some_and(|cursor| cursor.contains('\u{fffd}')) {
        return Err("its cursor is damaged".to_string());
    }
    if envelope.has_next_page == Some(true) && cursor.is_none() {
        return Err("it promises a next page without a cursor for it".to_string());
    }
    Ok(Expected {
        items: items.into_iter().map(RawValue::get).collect(),
        has_next: cursor.is_some() && envelope.has_next_page != Some(false),
        total: envelope.total.and_then(|total| total.get().parse().ok()),
    })
}

/// An object's fields that are to be noted, in their order, repeated ones too, keys as they are spelled.
fn fields(object: &str) -> Vec<(&str, &str)> {
    struct Fields;
    impl<'de> Visitor<'de> for Fields {
        type Value = Vec<(&'de RawValue, &'de RawValue)>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut fields = Vec::new();
            while let Some(field) = map.next_entry()? {
                fields.push(field);
            }
            Ok(fields)
        }
    }
    let fields = serde_json::Deserializer::from_str(object).deserialize_map(Fields).expect("it is an object");
    let spelled = fields.into_iter().map(|(key, value)| {
        let key = key.get().trim();
        (&key[1..key.len() - 1], value.get())
    });
    spelled.filter(|(key, _)| Noted::of(key.as_bytes()).is_some()).collect()
}

/// Whether there is white space outside the strings of a valid text.
fn has_space(json: &str) -> bool {
    let (mut is_inside, mut is_escaped) = (false, false);
    json.bytes().any(|byte| {
        let is_space = !is_inside && byte.is_ascii_whitespace();
        is_inside ^= byte == b'"' && !is_escaped;
        is_escaped = is_inside && byte == b'\\' && !is_escaped;
        is_space
    })
}
