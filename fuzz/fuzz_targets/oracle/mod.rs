//! Slow and plain second opinions about JSON text, which share no code with what they check.

use serde::de::IgnoredAny;

/// Whether `text` is one JSON value. Deep nesting is as valid as any other.
pub fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

/// `json` without the white space outside its strings, one byte after the other.
pub fn without_white_space(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut in_string = false;
    let mut is_escaped = false;
    for &byte in json {
        if in_string {
            out.push(byte);
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
        } else if !b" \t\r\n".contains(&byte) {
            out.push(byte);
            in_string = byte == b'"';
        }
    }
    out
}
