//! A state file from anywhere is read or refused, and what we write we read back.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use source_devin_ai::airbyte::{InputState, StreamDescriptor};
use source_devin_ai::source::state::{Scope, StreamState};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(state) = InputState::parse(text) {
        state.streams.values().for_each(check);
    }
    // The same as the state of one stream.
    if let Ok(blob) = serde_json::from_str(text) {
        check(&blob);
    }
});

/// Reads a stream's state, writes it as a state file, and reads it again.
fn check(blob: &Value) {
    let scope = Scope { org_id: "org-1".to_string(), start_date: Some(5), ..Scope::default() };
    for field in ["updated_at", "created_at"] {
        let Ok(read) = StreamState::read(field, &scope, Some(blob)) else { continue };
        let written = read.write();
        let file = format!(
            r#"[{{"type":"STREAM","stream":{{"stream_descriptor":{{"name":"x"}},"stream_state":{written}}}}}]"#
        );
        let state = InputState::parse(&file).unwrap();
        assert!(state.ignored.is_empty());
        let again = StreamState::read(field, &scope, state.of(&StreamDescriptor::of("x"))).unwrap();
        let mut expected = read.clone();
        expected.is_foreign = false;
        assert_eq!(again, expected, "{written}");
        assert_eq!(again.write(), written);
    }
}
