//! A place in a text, and how the rules look on from there, at a counted number of bytes. Pure.

use super::alphabet::{Alphabet, DOTTED};
use super::letters::goes_on;

/// A place in a text, and what stands right before it.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub text: &'a str,
    pub at: usize,
    /// `None` at the beginning, and after an escaped character such as `%20` or a spelled-out `\n`.
    pub before: Option<u8>,
    /// Whether a parameter of an address begins here.
    pub is_parameter: bool,
}

impl<'a> Place<'a> {
    pub fn of(text: &'a str, at: usize) -> Place<'a> {
        let (before, is_parameter) = preceding(&text.as_bytes()[..at]);
        Place { text, at, before, is_parameter }
    }

    pub fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Whether no name or word goes on here.
    pub fn begins(&self) -> bool {
        match self.before {
            Some(byte) if !byte.is_ascii() => !self.text[..self.at].ends_with(goes_on),
            before => before.is_none_or(|byte| !DOTTED(byte)),
        }
    }
}

/// The byte before a place, and whether it opens a parameter.
fn preceding(before: &[u8]) -> (Option<u8>, bool) {
    let opens = |code: &[u8]| [b"26".as_slice(), b"3f", b"3b"].iter().any(|known| code.eq_ignore_ascii_case(known));
    let is_hex = |code: &[u8]| code.iter().all(u8::is_ascii_hexdigit);
    match before {
        [.., b'&', b'a', b'm', b'p', b';'] => (None, true),
        [.., b'\\', b'u', b'0', b'0', a, b] if is_hex(&[*a, *b]) => (None, opens(&[*a, *b])),
        [.., b'%', a, b] if is_hex(&[*a, *b]) => (None, opens(&[*a, *b])),
        [.., b'%', b'2', b'5', a, b] if is_hex(&[*a, *b]) => (None, opens(&[*a, *b])),
        [.., b'\\', b'n' | b'r' | b't' | b'f' | b'b'] => (None, false),
        [.., last] => (Some(*last), b"?&;".contains(last)),
        [] => (None, false),
    }
}

/// How many bytes at the beginning of `text` are of the alphabet, which is ASCII.
pub(crate) fn run(text: &str, alphabet: Alphabet) -> usize {
    let length = text.bytes().position(|byte| !alphabet(byte)).unwrap_or(text.len());
    looked_at(length);
    length
}

/// The same, of the first `most` bytes.
pub(crate) fn run_within(text: &str, most: usize, alphabet: Alphabet) -> usize {
    let length = text.bytes().take(most).take_while(|byte| alphabet(*byte)).count();
    looked_at(length);
    length
}

/// The last end of a character within the first `limit` bytes, all of which may be looked at.
pub(crate) fn boundary(text: &str, limit: usize) -> usize {
    let end = (0..=limit.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    looked_at(end);
    end
}

/// Counts work where a test compares it.
#[cfg(not(test))]
pub(crate) fn looked_at(_bytes: usize) {}

#[cfg(test)]
pub(crate) use crate::tests::looked_at;
