//! What a stream's schema declares, against what the API sends. Pure.
//!
//! Nothing follows from a difference but a sentence: a record is what the API sent.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

use super::streams::STREAMS;

/// A field's path is repeated up to this length, in characters.
const LONGEST_PATH: usize = 120;

/// At most so many differences are told of one item.
const MOST_TOLD: usize = 20;

static SHAPES: LazyLock<BTreeMap<&'static str, Shape>> =
    LazyLock::new(|| STREAMS.iter().map(|stream| (stream.name, Shape::of(stream.schema))).collect());

/// What a schema declares of a value.
#[derive(Debug, Default)]
pub struct Shape {
    /// The names of its types, `null` among them; empty when any will do.
    types: Vec<String>,
    /// Its fields, where it is an object that declares some.
    fields: Option<BTreeMap<String, Shape>>,
    /// Its items, where it is a list.
    items: Option<Box<Shape>>,
}

impl Shape {
    /// What a stream's schema declares; `None` when there is no such stream.
    pub fn of_stream(stream: &str) -> Option<&'static Shape> {
        SHAPES.get(stream)
    }

    fn of(schema: &str) -> Shape {
        Shape::read(&serde_json::from_str(schema).expect("the files in schemas/ are JSON, which a test holds"))
    }

    fn read(schema: &Value) -> Shape {
        let types = match &schema["type"] {
            Value::String(kind) => vec![kind.clone()],
            Value::Array(kinds) => kinds.iter().filter_map(|kind| kind.as_str().map(str::to_string)).collect(),
            _ => Vec::new(),
        };
        let read = |fields: &serde_json::Map<String, Value>| {
            fields.iter().map(|(name, schema)| (name.clone(), Shape::read(schema))).collect()
        };
        Shape {
            types,
            fields: schema["properties"].as_object().map(read),
            items: schema.get("items").map(|items| Box::new(Shape::read(items))),
        }
    }

    /// Sentences about fields of an item that are not declared, or are of another type; each field once.
    pub fn differences(&self, item: &str) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        // A text that serde_json cannot hold, such as half a character, says nothing about the schema.
        if let Ok(item) = serde_json::from_str(item) {
            self.compare(&item, "", &mut found);
        }
        found
    }

    fn compare(&self, value: &Value, path: &str, found: &mut BTreeMap<String, String>) {
        if found.len() >= MOST_TOLD {
            return;
        }
        if !self.types.is_empty() && !self.types.iter().any(|declared| is_of(value, declared)) {
            let types = self.types.join(" or ");
            found
                .entry(path.to_string())
                .or_insert_with(|| format!("{path} is {}, and the schema declares {types}", kind(value)));
            return;
        }
        match value {
            Value::Object(members) => {
                let Some(fields) = &self.fields else { return };
                for (name, value) in members {
                    let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    let below: String = below.chars().filter(|c| !c.is_control()).take(LONGEST_PATH).collect();
                    match fields.get(name) {
                        Some(shape) => shape.compare(value, &below, found),
                        None if found.len() < MOST_TOLD => {
                            let sentence = format!("{below} ({}) is not in the schema", kind(value));
                            found.entry(below).or_insert(sentence);
                        }
                        None => {}
                    }
                }
            }
            Value::Array(values) => {
                let Some(items) = &self.items else { return };
                values.iter().for_each(|value| items.compare(value, &format!("{path}[]"), found));
            }
            _ => {}
        }
    }
}

/// Whether a value is of a type that JSON Schema has.
fn is_of(value: &Value, declared: &str) -> bool {
    match declared {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) if is_of(value, "integer") => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(item: &str) -> String {
        let found = Shape::of_stream("sessions_insights").unwrap().differences(item);
        found.into_values().collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_differs_from_the_schema_is_told_by_its_path() {
        insta::assert_snapshot!(check(r#"{"session_id":"a","created_at":1.0,"title":null,"skill_usage":[7],"structured_output":{"any":1}}"#), @"");
        insta::assert_snapshot!(check(r#"{"session_id":7,"created_at":"2026-01-01","tags":["a",7,8],"new":{"a":1},"new\u001b":null,"is_archived":"yes","acus_consumed":1.5,"num_user_messages":1.5,"pull_requests":[{"pr_url":"u","merged_at":1}],"analysis":{"issues":[{"issue":[]}],"score":true}}"#), @"
        analysis.issues[].issue is array, and the schema declares null or string
        analysis.score (boolean) is not in the schema
        created_at is string, and the schema declares null or integer
        is_archived is string, and the schema declares null or boolean
        new (object) is not in the schema
        num_user_messages is number, and the schema declares null or integer
        pull_requests[].merged_at (integer) is not in the schema
        session_id is integer, and the schema declares string
        tags[] is integer, and the schema declares null or string
        ");
        assert_eq!(check("[]"), " is array, and the schema declares object");
        assert_eq!(check(r#"{"title":"\ud800"}"#), "");
    }

    #[test]
    fn an_item_full_of_news_is_told_in_part() {
        let fields: Vec<String> = (0..1000).map(|n| format!("\"f{n}\":1")).collect();
        assert_eq!(check(&format!("{{{}}}", fields.join(","))).lines().count(), MOST_TOLD);
    }
}
