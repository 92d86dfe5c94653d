//! The walk against serde_json, and where it finds what.

use serde::de::IgnoredAny;

use super::*;

fn is_valid(text: &str) -> bool {
    let walker = Walker::new(text);
    walker.value(walker.start()).is_ok_and(|end| walker.end(end).is_ok())
}

#[test]
fn what_serde_json_skips_is_stepped_over_and_nothing_else() {
    let words = [
        "0",
        "-0",
        "00",
        "01",
        "-",
        "-a",
        "1.",
        "1.5",
        ".5",
        "1e",
        "1e5",
        "1E+5",
        "1e-",
        "1e999",
        "+1",
        "1a",
        "true",
        "tru",
        "truex",
        "null",
        "nul",
        "false",
        "",
        " ",
        "{",
        "}",
        "[",
        "]",
        "{}",
        "[]",
        "[ ]",
        "{ }",
        "[1,]",
        "[,]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":1 \"b\":2}",
        "{1:2}",
        "{\"a\" : [ 1 , { } ] }",
        "[1}",
        "{\"a\":1]",
        "[[[[]]]]",
        "[[]",
        "[]]",
        "\"",
        "\"a",
        "\"a\"",
        "\"\\\"",
        "\"\\\"\"",
        "\"\\u12\"",
        "\"\\u12ab\"",
        "\"\\u12ag\"",
        "\"\\ud83d\"",
        "\"\\x\"",
        "\"a\u{1}\"",
        "\"\u{7f}é😀\"",
        "\"a\nb\"",
        "1 2",
        "\u{feff}1",
        "\u{b}1",
        "\"12345678\"",
        "\"1234567\\\"8\"",
        "\"12345678\u{1f}\"",
        "nan",
    ];
    for text in words {
        let expected = serde_json::from_str::<IgnoredAny>(text).is_ok();
        assert_eq!(is_valid(text), expected, "{text:?}");
    }
}

#[test]
fn a_hundred_thousand_open_brackets_are_not_too_deep() {
    assert!(is_valid(&["[".repeat(100_000), "]".repeat(100_000)].concat()));
    assert!(!is_valid(&"[".repeat(100_000)));
}

#[test]
fn a_special_byte_is_found_wherever_it_stands() {
    for special in 0..=u8::MAX {
        for place in [0, 1, 7, 8, 62, 63, 64, 100, 127, 128, 129] {
            let mut bytes = vec![b'!'; 130];
            bytes[place] = special;
            let walker = Walker { bytes: &bytes, special: specials(&bytes), last_space: Cell::new(None) };
            for from in [0, place.saturating_sub(1), place] {
                let found = walker.end_of_plain(from);
                assert_eq!(found == place, is_special(special), "{special:#x} at {place} from {from}");
                assert!(found == place || found >= bytes.len(), "{special:#x} at {place} from {from}: {found}");
            }
            assert!(walker.end_of_plain(place + 1) >= bytes.len());
        }
    }
}

#[test]
fn white_space_is_noticed_between_tokens_and_not_in_strings() {
    for (text, has_space) in [(r#"{"a b":"c d"}"#, false), (r#"{"a": 1}"#, true), ("[1,\n2]", true), ("[]", false)] {
        let walker = Walker::new(text);
        walker.value(walker.start()).unwrap();
        assert_eq!(walker.has_space_since(0), has_space, "{text}");
    }
}
