//! `redact_fields`: which fields of which streams are dropped or hashed, checked against the table. Pure.
//!
//! A field that says which record it is, or which is newer, cannot be named: without it a destination mixes records up, and
//! the next read does not know where to begin. What the logic reads it reads before; only what is written is edited.

mod edit;

use std::collections::BTreeMap;
use std::sync::Arc;

use ring::hmac;
use serde_json::Value;

use super::deletions::DELETED;
use super::streams::{Added, Part, STREAMS, Stream};
use crate::config::{Config, similar};

pub use edit::Rules;
use edit::{Action, Fields, Node};

/// A field's name is repeated in a message up to this length, in characters.
const LONGEST_NAME: usize = 80;

/// What is edited in the records of each stream.
#[derive(Debug, Default)]
pub struct Redactions(BTreeMap<&'static str, Arc<Rules>>);

impl Redactions {
    /// What the settings ask for.
    ///
    /// # Errors
    /// A sentence for each field that is named wrongly.
    pub fn of(config: &Config) -> Result<Redactions, Vec<String>> {
        let (mut streams, mut problems) = (BTreeMap::<&'static str, Fields>::new(), Vec::new());
        for entry in &config.redact_fields {
            if let Err(problem) = add(entry, config.redact_key.is_some(), &mut streams) {
                let shown: String = entry.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
                problems.push(format!("redact_fields names {shown:?}, {problem}"));
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let secret = config.redact_key.as_ref().map_or("", |key| key.expose());
        let key = Arc::new(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()));
        let rules = |fields| Arc::new(Rules { fields, key: Arc::clone(&key) });
        Ok(Redactions(streams.into_iter().map(|(stream, fields)| (stream, rules(fields))).collect()))
    }

    /// What is edited in a stream's records; `None` when nothing is.
    pub fn of_stream(&self, stream: &str) -> Option<Arc<Rules>> {
        self.0.get(stream).map(Arc::clone)
    }
}

/// Adds what an entry names: `stream.field.path`, or `field.path` of every stream that has it, and perhaps `:hash`.
fn add(entry: &str, has_key: bool, streams: &mut BTreeMap<&'static str, Fields>) -> Result<(), String> {
    let (path, action) = match entry.trim().split_once(':') {
        None => (entry.trim(), Action::Drop),
        Some((path, "drop")) => (path, Action::Drop),
        Some((path, "hash")) if has_key => (path, Action::Hash),
        Some((_, "hash")) => {
            return Err("but there is no redact_key to hash with: set one, or drop the field".to_string());
        }
        Some(_) => return Err("but what stands behind the colon must be drop or hash".to_string()),
    };
    let path: Vec<&str> = path.split('.').collect();
    if path.iter().any(|name| name.is_empty()) {
        return Err("which is no field: write field, stream.field or stream.field.below".to_string());
    }
    // A name may be that of a stream, of a field, or of both.
    let of_one =
        STREAMS.iter().filter(|stream| stream.name == path[0] && path.len() > 1).map(|stream| (stream, &path[1..]));
    let of_all =
        STREAMS.iter().filter(|stream| declared(stream).get(path[0]).is_some()).map(|stream| (stream, &path[..]));
    let wanted: Vec<(&Stream, &[&str])> = of_one.chain(of_all).collect();
    if wanted.is_empty() {
        if STREAMS.iter().any(|stream| stream.name == path[0]) {
            return Err(format!("which is a stream: write {}.field, or leave the stream out of the read", path[0]));
        }
        let names: Vec<String> = STREAMS.iter().flat_map(|stream| keys(&declared(stream))).collect();
        return Err(unknown(path[0], &names, "no stream"));
    }
    for (stream, path) in wanted {
        check(stream, path, action)?;
        insert(streams.entry(stream.name).or_default(), path, action)?;
    }
    Ok(())
}

/// Whether a stream has such a field, and can do without it.
fn check(stream: &Stream, path: &[&str], action: Action) -> Result<(), String> {
    let is_cursor =
        |name: &str| stream.cursor.is_some_and(|cursor| cursor.field == name || cursor.fallback == Some(name));
    let role = match path {
        [name] if stream.primary_key.contains(name) || is_in_id(stream, name) => {
            Some("by which records are told apart")
        }
        [name] if is_cursor(name) => Some("by which a newer record is told from an older one"),
        ["org_id"] => Some("which says whose a record is"),
        [DELETED] => Some("which says that a record's item is gone"),
        _ => None,
    };
    if let Some(role) = role {
        return Err(format!(
            "{role} in {}, so it must stay; for the field of another stream write stream.field",
            stream.name
        ));
    }
    let mut fields = Some(declared(stream));
    let mut types = Value::Null;
    for (depth, name) in path.iter().enumerate() {
        // Below a field without declared ones, anything may be.
        let Some(known) = &fields else { return Ok(()) };
        let Some(field) = known.get(*name) else {
            let place = [&[stream.name], &path[..depth]].concat().join(".");
            return Err(unknown(name, &keys(known), &place));
        };
        types = field["type"].clone();
        let below = |field: &Value| field.get("properties").filter(|fields| fields.is_object()).cloned();
        let is_plain = !holds(&types, "object") && !holds(&types, "array");
        if is_plain && depth + 1 < path.len() {
            return Err(format!("but nothing is below {name} in {}", stream.name));
        }
        fields = below(field).or_else(|| below(&field["items"]));
    }
    if action == Action::Hash && !["string", "array", "object"].iter().any(|kind| holds(&types, kind)) {
        return Err(format!("which holds no text in {}, so there is nothing to hash: drop it", stream.name));
    }
    Ok(())
}

/// Whether an identifier that is made here says what is in a field.
fn is_in_id(stream: &Stream, name: &str) -> bool {
    stream.id.iter().any(|part| match part {
        Part::Field(field) => *field == name,
        Part::Each => stream.adds.iter().any(|added| matches!(added, Added::Each(field) if *field == name)),
        _ => false,
    })
}

/// What is dropped stays dropped, whatever else names it or what is below.
fn insert(fields: &mut Fields, path: &[&str], action: Action) -> Result<(), String> {
    let [name, below @ ..] = path else { return Ok(()) };
    let Some(node) = fields.get_mut(*name) else {
        let node = if below.is_empty() { Node::Act(action) } else { Node::Below(Fields::new()) };
        fields.insert((*name).to_string(), node);
        return if below.is_empty() { Ok(()) } else { insert(fields, path, action) };
    };
    match node {
        Node::Act(Action::Drop) => {}
        Node::Below(fields) if !below.is_empty() => return insert(fields, below, action),
        Node::Act(Action::Hash) if below.is_empty() => *node = Node::Act(action),
        Node::Below(_) if action == Action::Drop => *node = Node::Act(action),
        Node::Act(Action::Hash) | Node::Below(_) => {
            return Err(format!("but {name} is to be hashed as a whole: name it or what is below, not both"));
        }
    }
    Ok(())
}

fn unknown(name: &str, known: &[String], place: &str) -> String {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let meant = similar(name, &known).map(|known| format!(": did you mean {known:?}?")).unwrap_or_default();
    let owner =
        if place == "no stream" { "which no stream has".to_string() } else { format!("which {place} does not have") };
    format!("{owner}{meant}")
}

/// The fields that a stream's schema declares.
fn declared(stream: &Stream) -> Value {
    let mut schema: Value =
        serde_json::from_str(stream.schema).expect("the files in schemas/ are JSON, which a test holds");
    schema["properties"].take()
}

fn keys(fields: &Value) -> Vec<String> {
    fields.as_object().into_iter().flat_map(|fields| fields.keys().cloned()).collect()
}

/// Whether a declared type allows this one.
fn holds(types: &Value, kind: &str) -> bool {
    types == kind || types.as_array().is_some_and(|types| types.iter().any(|known| known == kind))
}

#[cfg(test)]
mod tests;
