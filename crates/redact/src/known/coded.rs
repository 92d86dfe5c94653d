//! What is written in base64 or hexadecimal digits and is a secret, or says one, where it is read: `echo … | base64 -d`, a
//! configuration as one word, a command line as auditd has it: `proctitle=6D7973716C00…`. Pure.

use std::ops::Range;

use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, Engine, GeneralPurpose, GeneralPurposeConfig};

use crate::text::place::{looked_at, run};
use crate::word::shape::is_identifying;

/// The shortest run that is read: fewer characters say no name with its value.
const SHORTEST: usize = 20;

/// The shortest password that somebody encodes, and the longest key of bytes.
const SHORTEST_WORD: usize = 6;
const LONGEST_KEY: usize = 64;

/// As people and programs write it: with padding or without, and cut off anywhere.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);
const READERS: [GeneralPurpose; 2] = [GeneralPurpose::new(&STANDARD, LENIENT), GeneralPurpose::new(&URL_SAFE, LENIENT)];

/// The runs of base64 and of hexadecimal digits in `text` that say something in which `has_secret` finds one.
pub(crate) fn secrets(text: &str, has_secret: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(next) = text.as_bytes()[at..].iter().position(|byte| is_digit(*byte)) {
        let begin = at + next;
        let length = run(&text[begin..], is_digit);
        at = begin + length + run(&text[begin + length..], |byte| byte == b'=');
        let says_secret = || {
            let run = &text[begin..begin + length];
            let has_capital = || run.bytes().any(|byte| byte.is_ascii_uppercase());
            let says = |said: Option<String>| said.is_some_and(|said| has_secret(&said));
            says(said_in_hex(run)) || has_capital() && says(said(run))
        };
        if length >= SHORTEST && says_secret() {
            found.push(begin..at);
        }
    }
    looked_at(text.len());
    found
}

/// Whether what somebody has decoded by a command is a secret: a word with a digit or a mark in it, or a few bytes of a key.
pub(crate) fn is_secret_word(encoded: &str) -> bool {
    let Some(bytes) = decoded(encoded) else { return false };
    let Ok(word) = std::str::from_utf8(&bytes) else { return bytes.len() <= LONGEST_KEY };
    let word = word.trim_end();
    let is_word = word.len() >= SHORTEST_WORD && word.bytes().all(|byte| byte.is_ascii_graphic());
    is_word
        && !word.bytes().all(|byte| byte.is_ascii_alphabetic())
        && !word.starts_with(['{', '[', '<'])
        && !is_identifying(word)
}

/// What a run of base64 says, where that is text. A signed envelope is not: its signatures prove something and open nothing.
fn said(encoded: &str) -> Option<String> {
    text(decoded(encoded)?)
}

/// What a run of hexadecimal digits says, where that is text. Between the arguments of a command are bytes of zeros.
fn said_in_hex(digits: &str) -> Option<String> {
    let is_hex = digits.len().is_multiple_of(2) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    looked_at(digits.len());
    let pairs = digits.as_bytes().chunks(2).filter(|_| is_hex);
    let bytes = pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    let bytes: Option<Vec<u8>> = bytes.map(|byte| byte.map(|byte| if byte == 0 { b' ' } else { byte })).collect();
    text(bytes?)
}

fn text(bytes: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(bytes).ok()?;
    let is_text = text.chars().all(|c| !c.is_control() || c.is_ascii_whitespace());
    (is_text && !text.contains("\"signatures\"")).then_some(text)
}

fn decoded(encoded: &str) -> Option<Vec<u8>> {
    let encoded = encoded.trim_end_matches('=');
    // Of a run that is cut off, the last character may say nothing by itself.
    let whole = &encoded.as_bytes()[..encoded.len() - usize::from(encoded.len() % 4 == 1)];
    looked_at(whole.len());
    READERS.iter().find_map(|reader| reader.decode(whole).ok())
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte)
}
