//! The state that comes in: what an earlier run has said about how far it came. Pure.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::message::StreamDescriptor;

/// Each stream's state blob by the stream, and what was wrong with the rest.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InputState {
    pub streams: BTreeMap<StreamDescriptor, Value>,
    /// Sentences for a WARN, each about a part of the input that is not used.
    pub ignored: Vec<String>,
}

impl InputState {
    /// Reads a state file: a list of STREAM states, one GLOBAL state, `[]` or null. States still in their STATE
    /// message are accepted, and so is a single one without a list around it.
    ///
    /// # Errors
    /// A sentence that says where the text stops being JSON; it quotes nothing of the file.
    pub fn parse(text: &str) -> Result<InputState, String> {
        let text = text.trim_start_matches('\u{feff}');
        if text.trim().is_empty() {
            return Ok(InputState::default());
        }
        let value: Value = serde_json::from_str(text)
            .map_err(|error| format!("is not valid JSON (line {}, column {})", error.line(), error.column()))?;
        let mut state = InputState::default();
        match value {
            Value::Null => {}
            Value::Array(entries) => entries.into_iter().for_each(|entry| state.add(entry)),
            other => state.add(other),
        }
        Ok(state)
    }

    /// Whether a text is a state, or the absence of one.
    pub fn is_one(text: &str) -> bool {
        InputState::parse(text).is_ok_and(|state| state.ignored.is_empty())
    }

    /// What is said of a stream; what is said without a namespace serves any.
    pub fn of(&self, stream: &StreamDescriptor) -> Option<&Value> {
        self.streams.get(stream).or_else(|| self.streams.get(&StreamDescriptor::of(&stream.name)))
    }

    /// The namespace under which a stream of this name has a state that is not this one's.
    pub fn other_namespace(&self, stream: &StreamDescriptor) -> Option<&str> {
        let mut others = self.streams.keys().filter(|other| other.name == stream.name && *other != stream);
        others.find_map(|other| other.namespace.as_deref())
    }

    /// Begins this stream anew, whatever the state says of it.
    pub fn forget(&mut self, stream: &str) {
        self.streams.retain(|descriptor, _| descriptor.name != stream);
    }

    fn add(&mut self, mut entry: Value) {
        snake_case(&mut entry);
        if entry["type"] == "STATE" && entry["state"].is_object() {
            entry = entry["state"].take();
        }
        match entry["type"].as_str() {
            Some("STREAM") => self.add_stream(entry["stream"].take()),
            None if entry["stream"]["stream_descriptor"].is_object() => self.add_stream(entry["stream"].take()),
            Some("GLOBAL") => match entry.pointer_mut("/global/stream_states").map(Value::take) {
                Some(Value::Array(streams)) => streams.into_iter().for_each(|stream| self.add_stream(stream)),
                _ => self.ignore("a GLOBAL state without stream_states is ignored"),
            },
            None if entry.as_object().is_some_and(Map::is_empty) => {}
            None if entry["stream_states"].is_array() => {
                let Value::Array(streams) = entry["stream_states"].take() else { return };
                streams.into_iter().for_each(|stream| self.add_stream(stream));
            }
            None | Some("LEGACY") => self.ignore("a state in the legacy form is ignored: only per-stream states (type STREAM or GLOBAL) are read, so every stream starts from the beginning"),
            Some(_) => self.ignore("a state of an unknown type is ignored"),
        }
    }

    /// Each reason is said once, however often it occurs.
    fn ignore(&mut self, reason: &str) {
        if !self.ignored.iter().any(|said| said == reason) {
            self.ignored.push(reason.to_string());
        }
    }

    fn add_stream(&mut self, mut stream: Value) {
        match StreamDescriptor::deserialize(&stream["stream_descriptor"]) {
            Ok(descriptor) => {
                self.streams.insert(descriptor, stream["stream_state"].take());
            }
            Err(_) => self.ignore("a state that names no stream is ignored"),
        }
    }
}

/// Gives a state in the form of Airbyte's own interface the names that the protocol has: `streamState` becomes a list of
/// streams, `streamDescriptor` a `stream_descriptor`. What a stream's state itself holds is not touched.
fn snake_case(entry: &mut Value) {
    let Some(fields) = entry.as_object_mut() else { return };
    fields.remove("stateType");
    if let Some(Value::Object(global)) = fields.remove("globalState") {
        fields.extend(global);
    }
    for name in ["streamStates", "streamState"] {
        if fields.get(name).is_some_and(Value::is_array) {
            let streams = fields.remove(name).unwrap_or_default();
            fields.insert("stream_states".to_string(), streams);
        }
    }
    for stream in fields.get_mut("stream_states").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(stream) = stream.as_object_mut() else { continue };
        for (theirs, ours) in [("streamDescriptor", "stream_descriptor"), ("streamState", "stream_state")] {
            if let Some(value) = stream.remove(theirs) {
                stream.insert(ours.to_string(), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> String {
        match InputState::parse(text) {
            Ok(state) => {
                let streams: BTreeMap<String, &Value> =
                    state.streams.iter().map(|(stream, state)| (stream.to_string(), state)).collect();
                format!("{} ignored {:?}", serde_json::to_string(&streams).unwrap(), state.ignored)
            }
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn every_form_of_state_that_platforms_hand_in_is_read() {
        insta::assert_snapshot!(check(r#"[{"type":"STREAM","stream":{"stream_descriptor":{"name":"sessions","namespace":null},"stream_state":{"updated_at":5}},"sourceStats":{"recordCount":3.0},"id":7}]"#), @r#"{"sessions":{"updated_at":5}} ignored []"#);
        insta::assert_snapshot!(check(r#"[{"type":"GLOBAL","global":{"shared_state":{},"stream_states":[{"stream_descriptor":{"name":"a"},"stream_state":{"x":1}},{"stream_descriptor":{"name":"b"},"stream_state":null}]}}]"#), @r#"{"a":{"x":1},"b":null} ignored []"#);
        insta::assert_snapshot!(check(r#"{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"a"},"stream_state":{"x":1}}}}"#), @r#"{"a":{"x":1}} ignored []"#);
        insta::assert_snapshot!(check(r#"[{"stream":{"stream_descriptor":{"name":"a"},"stream_state":{"x":1}}}]"#), @r#"{"a":{"x":1}} ignored []"#);
        insta::assert_snapshot!(check("[]"), @"{} ignored []");
        insta::assert_snapshot!(check("null"), @"{} ignored []");
        insta::assert_snapshot!(check(" \n"), @"{} ignored []");
        insta::assert_snapshot!(check("{}"), @"{} ignored []");
        insta::assert_snapshot!(check(r#"{"connectionId":"c","stateType":"stream","streamState":[{"streamDescriptor":{"name":"a"},"streamState":{"x":1}}]}"#), @r#"{"a":{"x":1}} ignored []"#);
        insta::assert_snapshot!(check(r#"{"stateType":"global","globalState":{"sharedState":{},"streamStates":[{"streamDescriptor":{"name":"a"},"streamState":{"x":1}}]}}"#), @r#"{"a":{"x":1}} ignored []"#);
    }

    #[test]
    fn a_state_without_a_namespace_serves_any() {
        let of = |namespace: &str| {
            format!(
                r#"{{"type":"STREAM","stream":{{"stream_descriptor":{{"name":"a"{namespace}}},"stream_state":{{"x":{}}}}}}}"#,
                namespace.len()
            )
        };
        let state = InputState::parse(&format!("[{},{}]", of(""), of(r#","namespace":"n""#))).unwrap();
        let named =
            |namespace: &str| StreamDescriptor { name: "a".to_string(), namespace: Some(namespace.to_string()) };
        assert_eq!(state.of(&StreamDescriptor::of("a")).unwrap()["x"], 0);
        assert_eq!(state.of(&named("n")).unwrap()["x"], 16);
        assert_eq!(state.of(&named("m")).unwrap()["x"], 0);
    }

    #[test]
    fn what_cannot_be_used_is_ignored_aloud() {
        insta::assert_snapshot!(check(r#"{"sessions":{"updated_at":5}}"#), @r#"{} ignored ["a state in the legacy form is ignored: only per-stream states (type STREAM or GLOBAL) are read, so every stream starts from the beginning"]"#);
        insta::assert_snapshot!(check(r#"[{"type":"STREAM","stream":{}},{"type":"NEW"},{"type":"GLOBAL","global":3},5]"#), @r#"{} ignored ["a state that names no stream is ignored", "a state of an unknown type is ignored", "a GLOBAL state without stream_states is ignored", "a state in the legacy form is ignored: only per-stream states (type STREAM or GLOBAL) are read, so every stream starts from the beginning"]"#);
        insta::assert_snapshot!(check("{"), @"error: is not valid JSON (line 1, column 1)");
    }
}
