//! THE TABLE: one row per stream. A seventh stream is one more row and one more schema file.

/// A stream as the connector knows it.
#[derive(Debug)]
pub struct Stream {
    pub name: &'static str,
    /// JSON Schema, draft-07.
    pub schema: &'static str,
    /// The fields that together identify a record.
    pub primary_key: &'static [&'static str],
    /// The field that tells a changed record from an old one, in Unix seconds.
    pub cursor_field: &'static str,
    /// What stands in for an absent or null cursor field.
    pub cursor_fallback: Option<&'static str>,
    /// The path below the organization: `["sessions", "insights"]`.
    pub path: &'static [&'static str],
    pub listing: Listing,
    /// The permission that Devin's pages name for it.
    pub permission: &'static str,
    /// Whether the connector is of no use where this list cannot be read.
    pub is_essential: bool,
}

/// How a stream's items are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// One list of sessions, which the server filters by time.
    Sessions,
    /// One list per session, below the session's path; `path` is what follows the session.
    PerSession,
    /// One short list without a filter.
    Whole,
}

/// All streams, in the order of the catalog.
pub const STREAMS: &[Stream] = &[
    Stream {
        name: "sessions",
        schema: include_str!("../../schemas/sessions.json"),
        primary_key: &["session_id"],
        cursor_field: "updated_at",
        cursor_fallback: None,
        path: &["sessions"],
        listing: Listing::Sessions,
        permission: "ViewOrgSessions",
        is_essential: true,
    },
    Stream {
        name: "sessions_insights",
        schema: include_str!("../../schemas/sessions_insights.json"),
        primary_key: &["session_id"],
        cursor_field: "updated_at",
        cursor_fallback: None,
        path: &["sessions", "insights"],
        listing: Listing::Sessions,
        permission: "ViewOrgSessions",
        is_essential: true,
    },
    Stream {
        name: "session_messages",
        schema: include_str!("../../schemas/session_messages.json"),
        // The event comes first: some Singer bridges take the first field alone for the key.
        primary_key: &["event_id", "session_id"],
        cursor_field: "created_at",
        cursor_fallback: None,
        path: &["messages"],
        listing: Listing::PerSession,
        permission: "ViewOrgSessions",
        is_essential: false,
    },
    Stream {
        name: "playbooks",
        schema: include_str!("../../schemas/playbooks.json"),
        primary_key: &["playbook_id"],
        cursor_field: "updated_at",
        cursor_fallback: Some("created_at"),
        path: &["playbooks"],
        listing: Listing::Whole,
        permission: "ManageOrgPlaybooks",
        is_essential: false,
    },
    Stream {
        name: "secrets",
        schema: include_str!("../../schemas/secrets.json"),
        primary_key: &["secret_id"],
        cursor_field: "updated_at",
        cursor_fallback: Some("created_at"),
        path: &["secrets"],
        listing: Listing::Whole,
        permission: "ManageOrgSecrets",
        is_essential: false,
    },
    Stream {
        name: "knowledge_notes",
        schema: include_str!("../../schemas/knowledge_notes.json"),
        primary_key: &["note_id"],
        cursor_field: "updated_at",
        cursor_fallback: Some("created_at"),
        path: &["knowledge", "notes"],
        listing: Listing::Whole,
        permission: "ManageOrgKnowledge",
        is_essential: false,
    },
];

impl Stream {
    /// The field that tells a record from others of the same list.
    pub fn id_field(&self) -> &'static str {
        self.primary_key[0]
    }
}

/// The row of the stream called `name`; `None` when there is none.
pub fn find(name: &str) -> Option<&'static Stream> {
    STREAMS.iter().find(|stream| stream.name == name)
}

/// The names of all streams, for a sentence: `sessions, …, knowledge_notes`.
pub fn names() -> String {
    let names: Vec<&str> = STREAMS.iter().map(|stream| stream.name).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;

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
            for cursor in [Some(stream.cursor_field), stream.cursor_fallback].into_iter().flatten() {
                assert_eq!(
                    properties[cursor]["type"],
                    serde_json::json!(["null", "integer"]),
                    "{}.{cursor}",
                    stream.name
                );
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
}
