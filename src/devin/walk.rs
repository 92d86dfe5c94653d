//! One walk over a JSON text: is it valid, where do its values stand, is there white space between them? Pure.
//!
//! It accepts and refuses what `serde_json` does when it skips a value, and knows neither numbers nor texts: only where
//! they begin and end. It says that it refuses, not why; whoever needs the reason asks `serde_json`. Nothing here calls
//! itself, so no depth of brackets is too deep.

use std::ops::Range;

/// The text is not valid JSON, or not of the shape that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

type Walked<T = ()> = Result<T, Refused>;

/// A place in a JSON text, and how to step on from it.
#[derive(Debug)]
pub struct Walker<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the last white space between two tokens began.
    last_space: Option<usize>,
    /// The brackets that are open in the value at hand; kept, so that it is allocated once.
    open: Vec<u8>,
}

impl<'a> Walker<'a> {
    /// Stands before the first value of `text`.
    pub fn new(text: &'a str) -> Walker<'a> {
        let mut walker = Walker { bytes: text.as_bytes(), at: 0, last_space: None, open: Vec::new() };
        walker.space();
        walker
    }

    /// The byte that the next token begins with.
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Where the next token begins, or where the last one ended if white space has not been stepped over.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Whether there has been white space between tokens since the place `start`.
    pub fn has_space_since(&self, start: usize) -> bool {
        self.last_space.is_some_and(|at| at >= start)
    }

    /// Steps over an object. At each of its values `value` gets the range of the key's inside, as it is spelled, and must
    /// step over the value.
    ///
    /// # Errors
    /// [`Refused`] when there is no object, or it is broken.
    pub fn object(&mut self, mut value: impl FnMut(&mut Self, Range<usize>) -> Walked) -> Walked {
        self.take(b'{')?;
        self.space();
        if self.takes(b'}') {
            return Ok(());
        }
        loop {
            let key = self.key()?;
            value(self, key)?;
            self.space();
            if !self.takes(b',') {
                return self.take(b'}');
            }
            self.space();
        }
    }

    /// Steps over a list. At each of its elements `element` must step over it.
    ///
    /// # Errors
    /// [`Refused`] when there is no list, or it is broken.
    pub fn list(&mut self, mut element: impl FnMut(&mut Self) -> Walked) -> Walked {
        self.take(b'[')?;
        self.space();
        if self.takes(b']') {
            return Ok(());
        }
        loop {
            element(self)?;
            self.space();
            if !self.takes(b',') {
                return self.take(b']');
            }
            self.space();
        }
    }

    /// Steps over any value and answers where it stands.
    ///
    /// # Errors
    /// [`Refused`] when there is none, or it is broken.
    pub fn value(&mut self) -> Walked<Range<usize>> {
        let start = self.at;
        self.open.clear();
        loop {
            // A value begins here, unless it opens a bracket that closes at once.
            match self.peek().ok_or(Refused)? {
                b'"' => {
                    self.string()?;
                }
                bracket @ (b'{' | b'[') => {
                    self.at += 1;
                    self.space();
                    self.open.push(bracket);
                    match (bracket, self.peek()) {
                        (b'{', Some(b'}')) | (b'[', Some(b']')) => {}
                        (b'[', _) => continue,
                        _ => {
                            self.key()?;
                            continue;
                        }
                    }
                }
                b't' => self.word(b"true")?,
                b'f' => self.word(b"false")?,
                b'n' => self.word(b"null")?,
                _ => self.number()?,
            }
            // It has ended here: what is open ends too, or goes on.
            loop {
                let Some(bracket) = self.open.last().copied() else { return Ok(start..self.at) };
                self.space();
                match (bracket, self.peek()) {
                    (b'{', Some(b'}')) | (b'[', Some(b']')) => {
                        self.at += 1;
                        self.open.pop();
                    }
                    (bracket, Some(b',')) => {
                        let is_object = bracket == b'{';
                        self.at += 1;
                        self.space();
                        if is_object {
                            self.key()?;
                        }
                        break;
                    }
                    _ => return Err(Refused),
                }
            }
        }
    }

    /// Nothing but white space may follow.
    ///
    /// # Errors
    /// [`Refused`] when something does.
    pub fn end(&mut self) -> Walked {
        self.space();
        if self.at == self.bytes.len() { Ok(()) } else { Err(Refused) }
    }

    /// Steps over a key and its colon, and answers where the key's inside stands.
    fn key(&mut self) -> Walked<Range<usize>> {
        let key = self.string()?;
        self.space();
        self.take(b':')?;
        self.space();
        Ok(key)
    }

    /// Steps over a string and answers where its inside stands.
    fn string(&mut self) -> Walked<Range<usize>> {
        self.take(b'"')?;
        let start = self.at;
        loop {
            self.at = end_of_plain(self.bytes, self.at);
            match self.peek().ok_or(Refused)? {
                b'"' => {
                    self.at += 1;
                    return Ok(start..self.at - 1);
                }
                b'\\' => self.escape()?,
                _ => return Err(Refused),
            }
        }
    }

    /// Steps over an escape in a string. Half of a surrogate pair is valid JSON.
    fn escape(&mut self) -> Walked {
        let escaped = self.bytes.get(self.at + 1).ok_or(Refused)?;
        self.at += 2;
        match escaped {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => {
                let digits = self.bytes.get(self.at..self.at + 4).ok_or(Refused)?;
                self.at += 4;
                if digits.iter().all(u8::is_ascii_hexdigit) { Ok(()) } else { Err(Refused) }
            }
            _ => Err(Refused),
        }
    }

    /// Steps over a number of any size.
    fn number(&mut self) -> Walked {
        self.takes(b'-');
        // A leading zero stands alone: a digit after it belongs to nothing, and is refused by what comes next.
        if !self.takes(b'0') {
            self.digits()?;
        }
        if self.takes(b'.') {
            self.digits()?;
        }
        if self.takes(b'e') || self.takes(b'E') {
            let _is_signed = self.takes(b'+') || self.takes(b'-');
            self.digits()?;
        }
        Ok(())
    }

    /// Steps over at least one digit.
    fn digits(&mut self) -> Walked {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(Refused) }
    }

    fn word(&mut self, word: &[u8]) -> Walked {
        let is_there = self.bytes[self.at..].starts_with(word);
        self.at += word.len();
        if is_there { Ok(()) } else { Err(Refused) }
    }

    /// Steps over white space.
    fn space(&mut self) {
        if self.peek().is_some_and(is_space) {
            self.last_space = Some(self.at);
            while self.peek().is_some_and(is_space) {
                self.at += 1;
            }
        }
    }

    fn take(&mut self, byte: u8) -> Walked {
        if self.takes(byte) { Ok(()) } else { Err(Refused) }
    }

    fn takes(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// Whether a byte is more than itself in a string: its end, an escape, or a control character, which must not be there.
fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Where the first special byte from `at` on stands. Eight bytes at once: most strings are long.
fn end_of_plain(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHS: u64 = ONES << 7;
    let rest = bytes.get(at..).unwrap_or_default();
    for chunk in rest.as_chunks::<8>().0 {
        let word = u64::from_le_bytes(*chunk);
        // A byte that borrows in the subtraction, and had no high bit of its own, was smaller. A borrow may reach the
        // bytes above it, so only the lowest mark is to be trusted.
        let below = |word: u64, least: u8| word.wrapping_sub(ONES * u64::from(least)) & !word;
        let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
        let marks = (below(word, 0x20) | equal(b'"') | equal(b'\\')) & HIGHS;
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    bytes[at.min(bytes.len())..].iter().position(|byte| is_special(*byte)).map_or(bytes.len(), |found| at + found)
}

#[cfg(test)]
mod tests {
    use serde::de::IgnoredAny;

    use super::*;

    fn is_valid(text: &str) -> bool {
        let mut walker = Walker::new(text);
        walker.value().is_ok() && walker.end().is_ok()
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
        for special in (0..0x20).chain([b'"', b'\\']) {
            for length in 0..40 {
                let mut bytes = vec![b'!'; 40];
                bytes[length] = special;
                assert_eq!(end_of_plain(&bytes, 0), length, "{special:#x}");
            }
        }
        let plain: Vec<u8> = (0x20..=0xff).filter(|byte| !is_special(*byte)).collect();
        assert_eq!(end_of_plain(&plain, 0), plain.len());
        assert_eq!(end_of_plain(&plain, 1000), plain.len(), "past the end");
    }

    #[test]
    fn white_space_is_noticed_between_tokens_and_not_in_strings() {
        for (text, has_space) in [(r#"{"a b":"c d"}"#, false), (r#"{"a": 1}"#, true), ("[1,\n2]", true), ("[]", false)]
        {
            let mut walker = Walker::new(text);
            walker.value().unwrap();
            assert_eq!(walker.has_space_since(0), has_space, "{text}");
        }
    }
}
