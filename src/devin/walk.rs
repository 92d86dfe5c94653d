//! One walk over a JSON text: is it valid, where do its values stand, is there white space between them? Pure.
//!
//! It accepts and refuses what `serde_json` does when it skips a value, and knows neither numbers nor texts: only where
//! they begin and end. It says that it refuses, not why; whoever needs the reason asks `serde_json`. Nothing here calls
//! itself, so no depth of brackets is too deep.
//!
//! Every step takes the place that it begins at and answers the place behind: a place that is handed on stays in a register,
//! one that a walker keeps is written and read again at every byte, which took twice as long.

use std::cell::Cell;
use std::ops::Range;

/// The text is not valid JSON, or not of the shape that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

type Walked<T = usize> = Result<T, Refused>;

/// A JSON text, to be walked over.
#[derive(Debug)]
pub struct Walker<'a> {
    bytes: &'a [u8],
    /// A bit for each byte: is it special?
    special: Vec<u64>,
    /// Where the white space began that was stepped over last.
    last_space: Cell<Option<usize>>,
}

impl<'a> Walker<'a> {
    pub fn new(text: &'a str) -> Walker<'a> {
        Walker { bytes: text.as_bytes(), special: specials(text.as_bytes()), last_space: Cell::new(None) }
    }

    /// Where the first value begins.
    pub fn start(&self) -> usize {
        self.space(0)
    }

    /// Whether white space between tokens has been stepped over at the place `start` or behind it.
    pub fn has_space_since(&self, start: usize) -> bool {
        self.last_space.get().is_some_and(|at| at >= start)
    }

    /// Steps over the object at `at`. At each of its values `value` gets the range of the key's inside, as it is spelled, and
    /// must step over the value.
    ///
    /// # Errors
    /// [`Refused`] when there is no object, or it is broken.
    #[inline]
    pub fn object(&self, at: usize, mut value: impl FnMut(Range<usize>, usize) -> Walked) -> Walked {
        let mut at = self.space(self.take(at, b'{')?);
        if self.byte(at) == b'}' {
            return Ok(at + 1);
        }
        loop {
            let (key, behind) = (at, self.key(at)?);
            at = self.space(value(key + 1..behind.end_of_key - 1, behind.value)?);
            match self.byte(at) {
                b',' => at = self.space(at + 1),
                b'}' => return Ok(at + 1),
                _ => return Err(Refused),
            }
        }
    }

    /// Steps over the list at `at`. At each of its elements `element` must step over it.
    ///
    /// # Errors
    /// [`Refused`] when there is no list, or it is broken.
    #[inline]
    pub fn list(&self, at: usize, mut element: impl FnMut(usize) -> Walked) -> Walked {
        let mut at = self.space(self.take(at, b'[')?);
        if self.byte(at) == b']' {
            return Ok(at + 1);
        }
        loop {
            at = self.space(element(at)?);
            match self.byte(at) {
                b',' => at = self.space(at + 1),
                b']' => return Ok(at + 1),
                _ => return Err(Refused),
            }
        }
    }

    /// Steps over any value.
    ///
    /// # Errors
    /// [`Refused`] when there is none, or it is broken.
    #[inline]
    pub fn value(&self, at: usize) -> Walked {
        match self.byte(at) {
            b'{' | b'[' => self.bracketed(at),
            _ => self.scalar(at),
        }
    }

    /// Nothing but white space may follow.
    ///
    /// # Errors
    /// [`Refused`] when something does.
    pub fn end(&self, at: usize) -> Walked<()> {
        if self.space(at) == self.bytes.len() { Ok(()) } else { Err(Refused) }
    }

    /// Steps over an object or a list with all that is in it.
    fn bracketed(&self, mut at: usize) -> Walked {
        /// The closing brackets stand two behind the opening ones, in ASCII.
        const CLOSES: u8 = b'}' - b'{';
        let mut open = Vec::new();
        loop {
            // A value begins here.
            match self.byte(at) {
                bracket @ (b'{' | b'[') => {
                    at = self.space(at + 1);
                    if self.byte(at) == bracket + CLOSES {
                        at += 1;
                    } else {
                        open.push(bracket);
                        if bracket == b'{' {
                            at = self.key(at)?.value;
                        }
                        continue;
                    }
                }
                _ => at = self.scalar(at)?,
            }
            // It has ended: what is open ends too, or goes on.
            loop {
                let Some(bracket) = open.last().copied() else { return Ok(at) };
                at = self.space(at);
                match self.byte(at) {
                    b',' => {
                        at = self.space(at + 1);
                        if bracket == b'{' {
                            at = self.key(at)?.value;
                        }
                        break;
                    }
                    end if end == bracket + CLOSES => {
                        at += 1;
                        open.pop();
                    }
                    _ => return Err(Refused),
                }
            }
        }
    }

    /// Steps over a value that is neither an object nor a list.
    #[inline]
    fn scalar(&self, at: usize) -> Walked {
        match self.byte(at) {
            b'"' => self.string(at),
            b't' => self.word(at, b"true"),
            b'f' => self.word(at, b"false"),
            b'n' => self.word(at, b"null"),
            _ => self.number(at),
        }
    }

    /// Steps over a key and its colon.
    #[inline]
    fn key(&self, at: usize) -> Walked<Key> {
        let end_of_key = self.string(at)?;
        let colon = self.space(end_of_key);
        Ok(Key { end_of_key, value: self.space(self.take(colon, b':')?) })
    }

    /// Steps over a string.
    #[inline]
    fn string(&self, at: usize) -> Walked {
        let mut at = self.take(at, b'"')?;
        loop {
            at = self.end_of_plain(at);
            match self.byte(at) {
                b'"' => return Ok(at + 1),
                b'\\' => at = self.escape(at)?,
                _ => return Err(Refused),
            }
        }
    }

    /// Steps over an escape in a string. Half of a surrogate pair is valid JSON.
    fn escape(&self, at: usize) -> Walked {
        match self.byte(at + 1) {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(at + 2),
            b'u' => {
                let digits = self.bytes.get(at + 2..at + 6).ok_or(Refused)?;
                if digits.iter().all(u8::is_ascii_hexdigit) { Ok(at + 6) } else { Err(Refused) }
            }
            _ => Err(Refused),
        }
    }

    /// Steps over a number of any size.
    #[inline]
    fn number(&self, at: usize) -> Walked {
        let mut at = at + usize::from(self.byte(at) == b'-');
        // A leading zero stands alone: a digit after it belongs to nothing, and is refused by what comes next.
        at = if self.byte(at) == b'0' { at + 1 } else { self.digits(at)? };
        if self.byte(at) == b'.' {
            at = self.digits(at + 1)?;
        }
        if matches!(self.byte(at), b'e' | b'E') {
            let is_signed = matches!(self.byte(at + 1), b'+' | b'-');
            at = self.digits(at + 1 + usize::from(is_signed))?;
        }
        Ok(at)
    }

    /// Steps over at least one digit.
    #[inline]
    fn digits(&self, start: usize) -> Walked {
        let mut at = start;
        while self.byte(at).is_ascii_digit() {
            at += 1;
        }
        if at > start { Ok(at) } else { Err(Refused) }
    }

    #[inline]
    fn word(&self, at: usize, word: &[u8]) -> Walked {
        if self.bytes[at..].starts_with(word) { Ok(at + word.len()) } else { Err(Refused) }
    }

    /// Steps over white space, if there is any; most answers have none.
    #[inline]
    fn space(&self, at: usize) -> usize {
        if self.byte(at) <= b' ' { self.some_space(at) } else { at }
    }

    #[cold]
    fn some_space(&self, start: usize) -> usize {
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
        let at = start + self.bytes.iter().skip(start).take_while(|byte| is_space(byte)).count();
        if at > start {
            self.last_space.set(Some(start));
        }
        at
    }

    #[inline]
    fn take(&self, at: usize, byte: u8) -> Walked {
        if self.byte(at) == byte { Ok(at + 1) } else { Err(Refused) }
    }

    /// The byte at `at`; behind the end a zero, which no token holds.
    #[inline]
    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// Where the first special byte from `at` on stands; a place behind the end where there is none.
    #[inline]
    fn end_of_plain(&self, at: usize) -> usize {
        let (mut word, bit) = (at / 64, at % 64);
        let mut marks = self.special.get(word).copied().unwrap_or_default() >> bit;
        if marks != 0 {
            return at + marks.trailing_zeros() as usize;
        }
        while marks == 0 && word < self.special.len() {
            word += 1;
            marks = self.special.get(word).copied().unwrap_or_default();
        }
        64 * word + marks.trailing_zeros() as usize
    }
}

/// The places behind a key.
struct Key {
    end_of_key: usize,
    /// Where the value begins.
    value: usize,
}

/// Whether a byte is more than itself in a string: its end, an escape, or a control character, which must not be there.
fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// A bit for each byte: is it special? The lowest bit is the first byte's.
fn specials(bytes: &[u8]) -> Vec<u64> {
    let (blocks, rest) = bytes.as_chunks::<64>();
    let mut last = [b' '; 64];
    last[..rest.len()].copy_from_slice(rest);
    blocks.iter().chain([&last]).map(specials_of_block).collect()
}

/// The same of 64 bytes, written so that a compiler does many of them at once.
fn specials_of_block(bytes: &[u8; 64]) -> u64 {
    /// Bit n of byte n.
    const OWN_BITS: u64 = 0x8040_2010_0804_0201;
    /// Moves the sum of all bytes into the highest one.
    const SUM: u64 = 0x0101_0101_0101_0101;
    let marks = bytes.map(|byte| if is_special(byte) { u8::MAX } else { 0 });
    let eights = marks.as_chunks::<8>().0.iter();
    eights.rev().fold(0, |all, eight| all << 8 | (u64::from_le_bytes(*eight) & OWN_BITS).wrapping_mul(SUM) >> 56)
}

#[cfg(test)]
mod tests;
