//! Half characters in JSON texts: an escaped surrogate without its other half. Pure.

use memchr::memchr;

/// Writes U+FFFD over every escaped surrogate that stands alone, as in `"cut off \ud83d"`.
///
/// The grammar of JSON allows such an escape, and there is no character for it. It comes from a text that was cut in the
/// middle of an emoji. jq, DuckDB and Python's orjson refuse the line that holds one, so the whole record would be lost on
/// its way. Both escapes have six bytes, so everything else stays where it is.
pub fn replace_halves(json: &mut [u8]) {
    let mut at = 0;
    while let Some(found) = memchr(b'\\', json.get(at..).unwrap_or_default()) {
        at += found;
        at += match (escaped_unit(json, at), escaped_unit(json, at + 6)) {
            (None, _) => 2,
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                json[at..at + 6].copy_from_slice(br"\ufffd");
                6
            }
            (Some(_), _) => 6,
        };
    }
}

/// The UTF-16 unit whose escape, `\uXXXX`, begins at `at`; `None` when another escape or none does.
fn escaped_unit(json: &[u8], at: usize) -> Option<u16> {
    let digits = json.get(at..at + 6)?.strip_prefix(br"\u")?;
    let is_number = digits.iter().all(u8::is_ascii_hexdigit);
    is_number.then(|| u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str) -> String {
        let mut json = json.as_bytes().to_vec();
        replace_halves(&mut json);
        String::from_utf8(json).unwrap()
    }

    #[test]
    fn a_half_that_stands_alone_is_replaced() {
        insta::assert_snapshot!(check(r#"{"a":"x\ud83d","b":"\uDE00y","c":"\ud83d\ud83d\ude00"}"#), @r#"{"a":"x\ufffd","b":"\ufffdy","c":"\ufffd\ud83d\ude00"}"#);
        insta::assert_snapshot!(check(r#""\ud83d\n\ude00""#), @r#""\ufffd\n\ufffd""#);
        insta::assert_snapshot!(check(r#""\ud83d \ude00""#), @r#""\ufffd \ufffd""#);
        insta::assert_snapshot!(check(r#""\ud83d\u0041""#), @r#""\ufffd\u0041""#);
    }

    #[test]
    fn everything_else_stays() {
        for json in [
            r#"{"pair":"\ud83d\ude00","upper":"\uD83D\uDE00","line":"a\nb \u2028 \u0000 \" \\"}"#,
            r#""a backslash and letters: \\ud83d""#,
            r#""before it: \\\\ud83d \\\ud83d\ude00""#,
            "\"😀\"",
            "",
            "\\",
            r"\u",
            r"\ud8",
            r"\u+d83d",
        ] {
            assert_eq!(check(json), json);
        }
    }
}
