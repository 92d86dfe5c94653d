//! A state file from anywhere is read or refused, and what we write we read back.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use source_devin_ai::airbyte::InputState;
use source_devin_ai::source::cursor::Checkpoint;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(state) = InputState::parse(text)
    {
        for blob in state.streams.values() {
            for field in ["updated_at", "created_at"] {
                let checkpoint = Checkpoint::read(field, Some(blob)).unwrap_or_default();
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
    // An unfinished first pass writes its missing cursor as 0. Without one the rest means nothing.
    let cursor = checkpoint.cursor.or(checkpoint.sessions_updated_from.map(|_| 0));
    let again_from = checkpoint.again_from.min(cursor);
    let expected = cursor.map(|_| Checkpoint { cursor, again_from, ..checkpoint.clone() });
    assert_eq!(read, expected.unwrap_or_default());
    if cursor.is_some() && again_from == checkpoint.again_from {
        assert_eq!(read.write(field), blob);
    }
}

/// Some checkpoint for any bytes.
fn made_of(data: &[u8]) -> Checkpoint {
    let (flags, data) = data.split_first().unwrap_or((&0, &[]));
    let (cursor, data) = number(data);
    let (from, data) = number(data);
    let (newest, data) = number(data);
    let (began, data) = number(data);
    let (again, data) = number(data);
    let (more_flags, data) = data.split_first().unwrap_or((&0, &[]));
    let is_set = |flag: u8| flags & flag != 0;
    let has_more = |flag: u8| more_flags & flag != 0;
    Checkpoint {
        cursor: is_set(1).then_some(cursor),
        sessions_updated_from: is_set(2).then_some(from),
        open_sessions: if is_set(4) { sessions(data, 0).collect() } else { BTreeMap::new() },
        open_later: if is_set(8) { sessions(data, b'\n').collect() } else { BTreeMap::new() },
        newest_seen: is_set(16).then_some(newest),
        pass_began: is_set(32).then_some(began),
        again_from: is_set(64).then_some(again),
        unread_sessions: if is_set(128) {
            sessions(data, b' ').map(|(id, _)| (id, from)).collect()
        } else {
            BTreeMap::new()
        },
        recent: if has_more(1) { prints(data).collect() } else { Default::default() },
        recent_later: if has_more(2) {
            prints(data).map(|(print, at)| (!print, at)).collect()
        } else {
            Default::default()
        },
    }
}

/// Some open sessions for any bytes: what stands between two `separator`s is an identifier, its length the fingerprint.
fn sessions(data: &[u8], separator: u8) -> impl Iterator<Item = (String, String)> {
    let ids = data.split(move |&byte| byte == separator);
    ids.map(|id| (String::from_utf8_lossy(id).into_owned(), id.len().to_string()))
}

/// Some fingerprints for any bytes, each with a moment.
fn prints(data: &[u8]) -> impl Iterator<Item = (u64, i64)> {
    data.chunks_exact(16).map(|chunk| {
        let (print, rest) = number(chunk);
        (print.cast_unsigned(), number(rest).0)
    })
}

fn number(data: &[u8]) -> (i64, &[u8]) {
    match data.split_first_chunk() {
        Some((bytes, rest)) => (i64::from_le_bytes(*bytes), rest),
        None => (0, data),
    }
}
