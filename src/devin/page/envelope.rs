//! An answer's body: walked over once, so that its items and their fields are found where its list has them. What the walk
//! refuses is read slowly, to say why.

use std::borrow::Cow;
use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::form::{Shape, described};
use super::super::walk::{Refused, Walker};
use super::{Envelope, FieldPlace, Invalid, Noted, Place};

/// Walks over a page once: checks it, finds the items and their fields, reads the envelope.
pub(super) fn walk(
    body: &str,
    shape: Shape,
    items: &mut Vec<Place>,
    fields: &mut Vec<FieldPlace>,
) -> Result<Envelope, Refused> {
    let walker = Walker::new(body);
    let is_array = body.trim_ascii_start().starts_with('[');
    let name = match shape {
        Shape::Array => "",
        Shape::ArrayOr(name) if !is_array => name,
        Shape::ArrayOr(_) => "",
        Shape::Items => "items",
        Shape::In(name) => name,
        Shape::Sums(_) if says_nothing(body, &walker)? => return Ok(Envelope::default()),
        Shape::Sums(name) => name,
        Shape::Measures => return walk_measures(body, &walker, items, fields),
    };
    if name.is_empty() {
        let end = walker.list(walker.start(), |at| walk_item(body, &walker, at, items, fields))?;
        return walker.end(end).map(|()| Envelope::default());
    }
    walk_envelope(body, &walker, name, items, fields)
}

/// Walks over an envelope whose items stand under `list`.
fn walk_envelope(
    body: &str,
    walker: &Walker,
    list: &str,
    items: &mut Vec<Place>,
    fields: &mut Vec<FieldPlace>,
) -> Result<Envelope, Refused> {
    let mut envelope = Envelope::default();
    let mut seen = Vec::new();
    let end = walker.object(walker.start(), |key, at| {
        // An escape may spell a name that is known.
        let name = spelled_out(body, key)?;
        let is_known = [list, "end_cursor", "has_next_page", "total"].contains(&&*name);
        // One of these twice is contradictory.
        if is_known && seen.contains(&name) {
            return Err(Refused);
        }
        let end = if name == list {
            walker.list(at, |at| walk_item(body, walker, at, items, fields))?
        } else {
            let end = walker.value(at)?;
            let value = &body[at..end];
            match &*name {
                "end_cursor" => envelope.end_cursor = serde_json::from_str(value).map_err(|_| Refused)?,
                "has_next_page" => envelope.has_next_page = serde_json::from_str(value).map_err(|_| Refused)?,
                "total" => envelope.total = value.parse().ok(),
                _ => {}
            }
            end
        };
        if is_known {
            seen.push(name);
        }
        Ok(end)
    })?;
    walker.end(end)?;
    if seen.iter().any(|name| name == list) { Ok(envelope) } else { Err(Refused) }
}

/// Names that an envelope has, or the word of an error that came with a status of success.
const NOT_OF_MEASURES: [&str; 9] =
    ["items", "has_next_page", "detail", "error", "errors", "message", "title", "status", "code"];

/// Whether an answer is an object of sums that are all zero, so that it lacks its list because there is nothing in it.
fn says_nothing(body: &str, walker: &Walker) -> Result<bool, Refused> {
    if !body.trim_ascii_start().starts_with('{') {
        return Ok(false);
    }
    let mut is_nothing = true;
    let end = walker.object(walker.start(), |key, at| {
        let end = walker.value(at)?;
        let value = &body[at..end];
        let is_zero = value == "null" || value.parse::<f64>().is_ok_and(|sum| sum == 0.0);
        is_nothing &= is_zero && !NOT_OF_MEASURES.contains(&&body[key]);
        Ok(end)
    })?;
    walker.end(end)?;
    Ok(is_nothing)
}

/// Walks over an answer that is one item: an object of numbers, no list's envelope and no error.
fn walk_measures(
    body: &str,
    walker: &Walker,
    items: &mut Vec<Place>,
    fields: &mut Vec<FieldPlace>,
) -> Result<Envelope, Refused> {
    let end = walk_item(body, walker, walker.start(), items, fields)?;
    walker.end(end)?;
    let (mut is_measured, mut is_envelope, mut is_nothing) = (false, false, true);
    let inside = Walker::new(body);
    inside.object(inside.start(), |key, at| {
        let end = inside.value(at)?;
        is_nothing = false;
        is_measured |= body[at..].starts_with(|c: char| c == '-' || c.is_ascii_digit() || c == '[' || c == '{');
        is_envelope |= NOT_OF_MEASURES.contains(&&body[key]);
        Ok(end)
    })?;
    if is_nothing {
        items.clear();
    }
    if is_nothing || is_measured && !is_envelope { Ok(Envelope::default()) } else { Err(Refused) }
}

fn spelled_out(body: &str, key: Range<usize>) -> Result<Cow<'_, str>, Refused> {
    if body[key.clone()].contains('\\') {
        serde_json::from_str(&body[key.start - 1..key.end + 1]).map_err(|_| Refused)
    } else {
        Ok(body[key].into())
    }
}

/// Steps over the item at `start`.
fn walk_item(
    body: &str,
    walker: &Walker,
    start: usize,
    items: &mut Vec<Place>,
    fields: &mut Vec<FieldPlace>,
) -> Result<usize, Refused> {
    let first_field = fields.len();
    let end = walker.object(start, |key, at| {
        let end = walker.value(at)?;
        if let Some(noted) = Noted::of(&body.as_bytes()[key.clone()]) {
            fields.push(FieldPlace { noted, key, value: at..end });
        }
        Ok(end)
    })?;
    items.push(Place { text: start..end, fields: first_field..fields.len(), has_space: walker.has_space_since(start) });
    Ok(end)
}

/// What is wrong with a body that the walk has refused. Read slowly: it is only to be told.
pub(super) fn why_refused(body: &str, shape: Shape) -> Invalid {
    if shape != Shape::Items {
        return why_other(body, shape);
    }
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow, default)]
        items: Option<Vec<&'a RawValue>>,
        #[serde(default, rename = "end_cursor")]
        _end_cursor: Option<String>,
        #[serde(default, rename = "has_next_page")]
        _has_next_page: Option<bool>,
        #[serde(borrow, default, rename = "total")]
        _total: Option<&'a RawValue>,
    }
    let envelope: Envelope = match serde_json::from_str(body) {
        Ok(envelope) => envelope,
        Err(error) => return Invalid::NotJson { line: error.line(), column: error.column() },
    };
    // serde would also fill the envelope from a list, field by field.
    let items = envelope.items.filter(|_| body.trim_ascii_start().starts_with('{'));
    match items.map(|items| items.iter().position(|item| !item.get().starts_with('{'))) {
        None => Invalid::NoItems,
        Some(Some(index)) => Invalid::ItemNotAnObject { index },
        Some(None) => Invalid::Unexpected("it is not the JSON of a list"),
    }
}

/// The same of a body that should be built in a way of its own.
fn why_other(body: &str, shape: Shape) -> Invalid {
    let value: serde_json::Value = match serde_json::from_str(body) {
        Ok(value) => value,
        Err(error) => return Invalid::NotJson { line: error.line(), column: error.column() },
    };
    let list = match shape {
        Shape::In(name) | Shape::Sums(name) | Shape::ArrayOr(name) if value.is_object() => &value[name],
        _ => &value,
    };
    match list.as_array().map(|items| items.iter().position(|item| !item.is_object())) {
        Some(Some(index)) => Invalid::ItemNotAnObject { index },
        Some(None) => Invalid::Unexpected("what it says beside its items cannot be read"),
        None => Invalid::OtherShape { wanted: shape, found: described(&value) },
    }
}
