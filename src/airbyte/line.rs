//! One message, one line: JSON without the white space that means nothing. Pure.

use memchr::memchr2;

/// Appends `json`, which must be valid, without the white space outside its strings.
///
/// An answer may be pretty-printed; a line feed left between two tokens would cut a message in two. Everything else
/// stays byte for byte: digits, escapes, key order, duplicate keys.
pub fn compact_into(json: &str, out: &mut Vec<u8>) {
    let bytes = json.as_bytes();
    let mut kept = 0;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at = after_string(bytes, at + 1),
            b' ' | b'\n' | b'\r' | b'\t' => {
                out.extend_from_slice(&bytes[kept..at]);
                at += 1;
                kept = at;
            }
            _ => at += 1,
        }
    }
    out.extend_from_slice(&bytes[kept..]);
}

/// Where the string whose content begins at `at` has ended: after its closing quote.
fn after_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(found) = memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        at += found;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str) -> String {
        let mut out = Vec::new();
        compact_into(json, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_white_space_between_tokens_goes() {
        insta::assert_snapshot!(check("{\r\n\t\"a b\" : [ 1.10 ,\n 123456789012345678901234567890 , -0 ]\n}\n"), @r#"{"a b":[1.10,123456789012345678901234567890,-0]}"#);
        insta::assert_snapshot!(check(r#"{"a": "x , \" : \\", "b": "\u2028 \\\" "}"#), @r#"{"a":"x , \" : \\","b":"\u2028 \\\" "}"#);
        insta::assert_snapshot!(check(r#"{"b":1,"a":{"a":1,"a":2}}"#), @r#"{"b":1,"a":{"a":1,"a":2}}"#);
        insta::assert_snapshot!(check("{ }"), @"{}");
    }

    #[test]
    fn text_that_was_cut_off_does_no_harm() {
        for json in ["", "\"", "\"\\", "\"a\\\"", "{\"a", " "] {
            check(json);
        }
    }
}
