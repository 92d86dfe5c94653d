//! A state file from anywhere is read or refused, and what we write we read back.

#![no_main]

use libfuzzer_sys::fuzz_target;
use source_devin_ai::airbyte::InputState;
use source_devin_ai::source::cursor::Checkpoint;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(state) = InputState::parse(text)
    {
        for blob in state.streams.values() {
            for field in ["updated_at", "created_at"] {
                let (Ok(checkpoint) | Err((checkpoint, _))) = Checkpoint::read(field, Some(blob));
                check(field, &checkpoint);
            }
        }
    }
    check("updated_at", &made_of(data));
});

/// Writes a checkpoint as a state file and reads it again.
fn check(field: &str, checkpoint: &Checkpoint) {
    let blob = checkpoint.write(field);
    let file =
        format!(r#"[{{"type":"STREAM","stream":{{"stream_descriptor":{{"name":"x"}},"stream_state":{blob}}}}}]"#);
    let state = InputState::parse(&file).unwrap();
    assert!(state.ignored.is_empty());
    let read = Checkpoint::read(field, state.streams.get("x")).unwrap();
    // An unfinished first pass writes its missing cursor as 0.
    let cursor = checkpoint.cursor.or(checkpoint.sessions_updated_from.map(|_| 0));
    assert_eq!(read, Checkpoint { cursor, ..checkpoint.clone() });
    assert_eq!(read.write(field), blob);
}

/// Some checkpoint for any bytes.
fn made_of(data: &[u8]) -> Checkpoint {
    let (flags, data) = data.split_first().unwrap_or((&0, &[]));
    let (cursor, data) = number(data);
    let (from, data) = number(data);
    let ids = data.split(|&byte| byte == 0).filter(|_| flags & 4 != 0);
    Checkpoint {
        cursor: (flags & 1 != 0).then_some(cursor),
        sessions_updated_from: (flags & 2 != 0).then_some(from),
        open_sessions: ids.map(|id| (String::from_utf8_lossy(id).into_owned(), "0".to_string())).collect(),
        ..Checkpoint::default()
    }
}

fn number(data: &[u8]) -> (i64, &[u8]) {
    match data.split_first_chunk() {
        Some((bytes, rest)) => (i64::from_le_bytes(*bytes), rest),
        None => (0, data),
    }
}
