//! A line is its JSON without the white space between tokens, and nothing else.

#![no_main]

mod oracle;

use libfuzzer_sys::fuzz_target;
use source_devin_ai::airbyte::line::compact_into;

fuzz_target!(|text: &str| {
    let mut line = b"before".to_vec();
    compact_into(text, &mut line);
    assert!(line.starts_with(b"before"));
    if oracle::is_json(text.as_bytes()) {
        assert_eq!(line[6..], oracle::without_white_space(text.as_bytes()));
        assert!(!line.contains(&b'\n'));
    }
});
