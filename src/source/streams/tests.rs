//! What holds for every row.

use std::collections::HashSet;

use serde_json::Value;

use super::*;
use crate::source::deletions::DELETED;

fn schema(stream: &Stream) -> Value {
    serde_json::from_str(stream.schema).unwrap_or_else(|error| panic!("{}: {error}", stream.name))
}

/// Every schema below and including `schema`, with its path, so that a rule can be held everywhere.
fn walk(path: &str, schema: &Value, visit: &mut dyn FnMut(&str, &Value)) {
    visit(path, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        walk(&format!("{path}.{name}"), property, visit);
    }
    if schema["items"].is_object() {
        walk(&format!("{path}[]"), &schema["items"], visit);
    }
}

#[test]
fn names_are_unique_and_found() {
    let names: HashSet<&str> = STREAMS.iter().map(|stream| stream.name).collect();
    assert_eq!(names.len(), STREAMS.len());
    assert!(STREAMS.iter().all(|stream| find(stream.name).is_some_and(|found| found.name == stream.name)));
    assert!(find("session").is_none());
}

#[test]
fn keys_and_cursors_are_fields_of_their_schema() {
    for stream in STREAMS {
        let properties = &schema(stream)["properties"];
        for key in stream.primary_key {
            assert_eq!(properties[key]["type"], "string", "{}.{key}: a key is a plain text", stream.name);
        }
        let Some(Cursor { field, fallback, unit }) = stream.cursor else { continue };
        let told = if unit == Unit::Iso { "string" } else { "integer" };
        for cursor in [Some(field), fallback].into_iter().flatten() {
            assert_eq!(properties[cursor]["type"], serde_json::json!(["null", told]), "{}.{cursor}", stream.name);
        }
    }
}

#[test]
fn schemas_let_through_what_the_api_may_send_tomorrow() {
    for stream in STREAMS {
        let schema = schema(stream);
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#", "{}", stream.name);
        assert_eq!(schema["type"], "object", "{}", stream.name);
        walk(stream.name, &schema, &mut |path, part| {
            for word in ["enum", "const", "$ref", "allOf", "anyOf", "oneOf", "not", "pattern", "required"] {
                assert!(part.get(word).is_none(), "{path} must not say {word}");
            }
            let types = part["type"].as_array().cloned().unwrap_or_else(|| vec![part["type"].clone()]);
            if types.contains(&Value::from("object")) {
                assert_eq!(part["additionalProperties"], true, "{path} is closed");
            }
            let field = path.strip_prefix(stream.name).unwrap().trim_start_matches('.');
            let is_free = path.contains("[]") && part.as_object().is_some_and(serde_json::Map::is_empty);
            if !field.is_empty() && !is_free && !stream.primary_key.contains(&field) {
                assert!(types.contains(&Value::from("null")), "{path} must be nullable");
            }
        });
    }
}

#[test]
fn the_fields_of_every_stream() {
    let fields: Vec<String> = STREAMS
        .iter()
        .map(|stream| {
            let schema = schema(stream);
            let fields: Vec<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
            format!("{}: {}", stream.name, fields.join(" "))
        })
        .collect();
    insta::assert_snapshot!(fields.join("\n"));
}

#[test]
fn a_path_leads_to_one_list_unless_the_row_says_for_what_it_stands_many_times() {
    for stream in STREAMS {
        assert!(!stream.paths.is_empty(), "{}", stream.name);
        for path in stream.paths {
            let is_for_each = path.below.contains(&EACH);
            assert_eq!(is_for_each, stream.each != Each::One, "{}: {:?}", stream.name, path.below);
        }
        let is_synthetic = !stream.id.is_empty();
        assert_eq!(is_synthetic, stream.primary_key == ["id"], "{}: `id` is made here, and only here", stream.name);
        for part in stream.id {
            if let Part::Field(name) = part {
                assert!(schema(stream)["properties"][name].is_object(), "{}.{name}", stream.name);
            }
        }
        assert!(stream.is_essential <= stream.is_usual, "{}", stream.name);
    }
}

#[test]
fn what_a_row_adds_is_in_its_schema() {
    for stream in STREAMS {
        for added in stream.adds {
            assert!(schema(stream)["properties"][added.field()].is_object(), "{}.{}", stream.name, added.field());
        }
    }
}

#[test]
fn a_list_that_can_report_deletions_has_a_column_for_them_and_no_other_has() {
    for stream in STREAMS {
        let is_declared = schema(stream)["properties"][DELETED].is_object();
        assert_eq!(is_declared, stream.can_report_deletions(), "{}.{DELETED}", stream.name);
    }
}

#[test]
fn what_the_enterprise_has_for_all_is_not_said_to_be_one_organizations() {
    for stream in STREAMS.iter().filter(|stream| stream.is_read_once()) {
        assert!(stream.is_enterprise, "{}", stream.name);
        assert!(!stream.adds.contains(&Added::Organization), "{} adds one", stream.name);
        assert!(!stream.id.contains(&Part::Organization), "{} has one in its id", stream.name);
    }
}
