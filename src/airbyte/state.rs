//! The state that comes in: what an earlier run has said about how far it came. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

/// Each stream's state blob by the stream's name, and what was wrong with the rest.
#[derive(Debug, Default, PartialEq)]
pub struct InputState {
    pub streams: BTreeMap<String, Value>,
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

    fn add(&mut self, mut entry: Value) {
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
        match stream["stream_descriptor"]["name"].as_str().map(str::to_string) {
            Some(name) => {
                self.streams.insert(name, stream["stream_state"].take());
            }
            None => self.ignore("a state that names no stream is ignored"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> String {
        match InputState::parse(text) {
            Ok(state) => format!("{} ignored {:?}", serde_json::to_string(&state.streams).unwrap(), state.ignored),
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
    }

    #[test]
    fn what_cannot_be_used_is_ignored_aloud() {
        insta::assert_snapshot!(check(r#"{"sessions":{"updated_at":5}}"#), @r#"{} ignored ["a state in the legacy form is ignored: only per-stream states (type STREAM or GLOBAL) are read, so every stream starts from the beginning"]"#);
        insta::assert_snapshot!(check(r#"[{"type":"STREAM","stream":{}},{"type":"NEW"},{"type":"GLOBAL","global":3},5]"#), @r#"{} ignored ["a state that names no stream is ignored", "a state of an unknown type is ignored", "a GLOBAL state without stream_states is ignored", "a state in the legacy form is ignored: only per-stream states (type STREAM or GLOBAL) are read, so every stream starts from the beginning"]"#);
        insta::assert_snapshot!(check("{"), @"error: is not valid JSON (line 1, column 1)");
    }
}
