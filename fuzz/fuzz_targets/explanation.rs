//! An explanation of an error is one short line, and never holds the key that the server may have quoted.

#![no_main]

use libfuzzer_sys::fuzz_target;
use redact::Redactor;
use source_devin_ai::devin::Token;
use source_devin_ai::devin::error::explanation;

/// Every character that a key can be made of.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Stands for the key in an input, which could hardly guess it.
const QUOTE: u8 = b'$';

fuzz_target!(|data: &[u8]| {
    // Sixteen bytes for the key, the rest is the answer's body.
    let Some((seed, body)) = data.split_first_chunk::<16>() else { return };
    let secret: String = seed.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 63)])).collect();
    if !secret.contains(|c: char| c.is_ascii_alphanumeric()) {
        return;
    }
    let key = format!("cog_{secret}");
    let token = Token::new(&key);
    let quoting = body.split(|&byte| byte == QUOTE).collect::<Vec<_>>().join(key.as_bytes());
    if let Some(said) = explanation(&quoting, &token) {
        assert!(!said.contains(&key) && !said.contains(&secret), "{said}");
        assert!(!said.is_empty() && said.chars().count() <= 301, "{said}");
        assert!(!said.chars().any(char::is_control), "{said:?}");
    }
    let text = String::from_utf8_lossy(&quoting);
    assert!(token.is_quoted_in(&text) || !text.contains(&key), "a literal quotation is missed");
    assert!(!Redactor::new([key.as_str()]).redact(&text).contains(&key));
});
