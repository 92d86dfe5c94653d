//! A key that is known, found in every spelling a text may give it. Pure.
//!
//! A text is read in several ways at once: as it stands, with its escapes resolved once and twice, and each of these as
//! hexadecimal, as base64 from every offset and as decimal numbers. Every reading keeps letters and digits only, in lower
//! case, so that white space, separators and invisible characters hide nothing.

use std::ops::Range;

use super::reading;
use super::scan::looked_at;

/// So many letters and digits of a key in a row, whatever stands between them, are no coincidence.
const TELLING_LENGTH: usize = 16;

/// A part of a key that ends a line, or goes on after what a log puts before one, has so many letters and digits.
const SHORTEST_PART: usize = 4;

/// So many letters and digits may stand before a line: a date, a level, the name of a pod.
const LONGEST_PREFIX: usize = 96;

/// A key with fewer letters and digits than this is looked for as it is, not letter by letter.
const FEW_LETTERS: usize = 8;

/// A key shorter than this is looked for as a word of its own, lest parts of words are taken for it.
const SHORT: usize = 8;

/// A key shorter than this is none: it would be found everywhere.
const SHORTEST: usize = 4;

/// So many letters and digits there are.
const LETTERS: usize = 36;

/// A key that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnKey {
    whole: String,
    letters: Vec<u8>,
    /// For every two letters whether a telling part of the key begins with them: most places of a text are passed over by that.
    begins: Vec<bool>,
}

/// One way to read a text: bytes, each with where it stands in the text.
type Reading = Vec<(u8, Range<usize>)>;

impl OwnKey {
    /// Takes the key without the white space that comes along when it is pasted.
    pub fn new(key: &str) -> OwnKey {
        let whole = key.trim().to_string();
        let bytes = whole.strip_prefix("cog_").unwrap_or(&whole).bytes();
        let letters: Vec<u8> = bytes.filter(counts).map(|byte| byte.to_ascii_lowercase()).collect();
        let mut begins = vec![false; LETTERS * LETTERS];
        let parts = (letters.len() + 1).saturating_sub(telling(&letters));
        letters.windows(2).take(parts).for_each(|pair| begins[place_of(pair[0], pair[1])] = true);
        OwnKey { letters, begins, whole }
    }

    /// Where the key stands in `text`, or a telling part of it.
    pub(super) fn find(&self, text: &str) -> Vec<Range<usize>> {
        if self.whole.len() < SHORTEST {
            return Vec::new();
        }
        let mut found = Vec::new();
        self.find_decoded(text.bytes().enumerate().map(|(at, byte)| (byte, at..at + 1)).collect(), &mut found);
        if let Some(seen) = reading::Reading::as_seen(text) {
            let bytes = seen.text.bytes().enumerate();
            self.find_decoded(bytes.map(|(at, byte)| (byte, seen.origin(at..at + 1))).collect(), &mut found);
        }
        found.iter_mut().for_each(|range| widen(text, range));
        super::merged(found)
    }

    /// Adds what is found in a reading, with its escapes resolved once and twice, and in what these encode.
    fn find_decoded(&self, mut source: Reading, found: &mut Vec<Range<usize>>) {
        for _ in 0..3 {
            self.find_in(&source, found);
            for skip in 0..2 {
                self.find_in(&from_hex(&source, skip), found);
            }
            for skip in 0..4 {
                self.find_in(&from_base64(&source, skip), found);
            }
            self.find_in(&from_decimal(&source), found);
            let resolved = unescaped(&source);
            if resolved.len() == source.len() {
                break;
            }
            source = resolved;
        }
    }

    /// Adds every stretch that is a telling part of the key.
    fn find_in(&self, reading: &[(u8, Range<usize>)], found: &mut Vec<Range<usize>>) {
        if self.letters.len() < FEW_LETTERS {
            self.find_whole(reading, found);
            return;
        }
        let letters = letters(reading);
        let telling = telling(&self.letters);
        let mut at = 0;
        while at + telling <= letters.len() {
            if !self.begins[place_of(letters[at].byte, letters[at + 1].byte)] {
                looked_at(1);
                at += 1;
                continue;
            }
            // Of two equally long parts the first: more of the key may follow on the next line.
            let parts = (0..=self.letters.len() - telling).rev();
            let parts = parts.map(|offset| (common(&self.letters[offset..], &letters[at..]), offset));
            let (length, offset) = parts.max_by_key(|(length, _)| *length).unwrap_or_default();
            let further = self.on_further_lines(&letters[at + length..], offset + length, length);
            if length == 0 || length + further.iter().map(Range::len).sum::<usize>() < telling {
                at += 1;
                continue;
            }
            let further = further.iter().map(|part| length + part.start..length + part.end);
            let mut last = 0;
            for part in std::iter::once(0..length).chain(further) {
                found.push(letters[at + part.start].place.start..letters[at + part.end - 1].place.end);
                last = part.end;
            }
            at += last;
        }
    }

    /// Where the key goes on after a part of it that ends its line, behind what a log puts before a line. Counted in letters.
    fn on_further_lines(&self, rest: &[Letter<'_>], mut known: usize, part: usize) -> Vec<Range<usize>> {
        let (mut parts, mut at) = (Vec::new(), 0);
        if part < SHORTEST_PART {
            return parts;
        }
        while known < self.letters.len() && rest.get(at).is_some_and(|letter| letter.begins_line) {
            let least = SHORTEST_PART.min(self.letters.len() - known);
            let end = rest.len().min(at + LONGEST_PREFIX);
            let next = (at..end).find_map(|from| {
                let length = common(&self.letters[known..], &rest[from..]);
                (length >= least).then_some(from..from + length)
            });
            let Some(next) = next else { break };
            (known, at) = (known + next.len(), next.end);
            parts.push(next);
        }
        parts
    }

    /// Adds every stretch that is the key as it is, in any letter case where it is long enough to be no word.
    fn find_whole(&self, reading: &[(u8, Range<usize>)], found: &mut Vec<Range<usize>>) {
        let key = self.whole.as_bytes();
        let is_word = key.len() < SHORT;
        for (at, window) in reading.windows(key.len()).enumerate() {
            let mut pairs = window.iter().zip(key);
            let is_key = pairs.all(|((byte, _), key)| byte == key || (!is_word && byte.eq_ignore_ascii_case(key)));
            looked_at(key.len());
            let goes_on = |neighbor: Option<&(u8, Range<usize>)>| neighbor.is_some_and(|(byte, _)| counts(byte));
            let stands_alone = || {
                let before = at.checked_sub(1).and_then(|before| reading.get(before));
                !goes_on(before) && !goes_on(reading.get(at + key.len()))
            };
            if is_key && (!is_word || stands_alone()) {
                found.push(window[0].1.start..window[key.len() - 1].1.end);
            }
        }
    }
}

/// A letter or digit of a reading, in lower case.
struct Letter<'a> {
    byte: u8,
    place: &'a Range<usize>,
    /// Whether it is the first of its line.
    begins_line: bool,
}

fn letters(reading: &[(u8, Range<usize>)]) -> Vec<Letter<'_>> {
    let mut begins_line = false;
    let mut letters = Vec::new();
    for (byte, place) in reading {
        begins_line |= *byte == b'\n';
        if counts(byte) {
            letters.push(Letter { byte: byte.to_ascii_lowercase(), place, begins_line });
            begins_line = false;
        }
    }
    letters
}

/// How many letters of a key in a row are no coincidence.
fn telling(letters: &[u8]) -> usize {
    TELLING_LENGTH.min(letters.len())
}

/// Where two letters stand in a table of all pairs.
fn place_of(first: u8, second: u8) -> usize {
    let number = |byte: u8| usize::from(if byte.is_ascii_digit() { byte - b'0' } else { byte - b'a' + 10 });
    number(first) * LETTERS + number(second)
}

/// How many letters of the key begin `letters`.
fn common(key: &[u8], letters: &[Letter<'_>]) -> usize {
    let length = key.iter().zip(letters).take_while(|(key, letter)| **key == letter.byte).count();
    looked_at(length + 1);
    length
}

/// What tells a key from another, whatever was put in between. Bytes beyond ASCII do so too.
fn counts(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// To the ends of characters, and over the beginning that all keys share.
fn widen(text: &str, range: &mut Range<usize>) {
    while !text.is_char_boundary(range.start) {
        range.start -= 1;
    }
    while !text.is_char_boundary(range.end) {
        range.end += 1;
    }
    let before = &text.as_bytes()[..range.start];
    if before.len() >= 4 && before[before.len() - 4..].eq_ignore_ascii_case(b"cog_") {
        range.start -= 4;
    }
}

/// Resolves `%41`, `\u0041`, `\x41`, `\101`, `&#65;`, `&#x41;` and the escapes of white space; anything else stays.
fn unescaped(source: &[(u8, Range<usize>)]) -> Reading {
    let mut out = Reading::with_capacity(source.len());
    let mut at = 0;
    while at < source.len() {
        let (byte, length) = escape(&source[at..]).unwrap_or((source[at].0, 1));
        out.push((byte, source[at].1.start..source[at + length - 1].1.end));
        at += length;
    }
    out
}

/// The character that the beginning of `rest` stands for, and how many bytes spell it.
fn escape(rest: &[(u8, Range<usize>)]) -> Option<(u8, usize)> {
    let byte = |at: usize| rest.get(at).map(|(byte, _)| *byte);
    let number = |from: usize, digits: usize, radix: u32| -> Option<u8> {
        let mut value = 0u32;
        for at in from..from + digits {
            value = value.checked_mul(radix)?.checked_add(char::from(byte(at)?).to_digit(radix)?)?;
        }
        u8::try_from(value).ok()
    };
    match (byte(0)?, byte(1)?) {
        (b'%', _) => Some((number(1, 2, 16)?, 3)),
        (b'\\', b'u') => Some((number(2, 4, 16)?, 6)),
        (b'\\', b'x') => Some((number(2, 2, 16)?, 4)),
        (b'\\', b'n' | b'r') => Some((b'\n', 2)),
        (b'\\', b't') => Some((b' ', 2)),
        (b'\\', b'0'..=b'3') => Some((number(1, 3, 8)?, 4)),
        (b'&', b'#') => {
            let is_hex = matches!(byte(2)?, b'x' | b'X');
            let from = if is_hex { 3 } else { 2 };
            let digits = (1..=6).find(|digits| byte(from + digits) == Some(b';'))?;
            Some((number(from, digits, if is_hex { 16 } else { 10 })?, from + digits + 1))
        }
        _ => None,
    }
}

fn from_hex(source: &[(u8, Range<usize>)], skip: usize) -> Reading {
    // The `0` of `0x` is no digit.
    let is_sign = |at: usize| {
        source[at].0 == b'0' && source.get(at + 1).is_some_and(|(next, _)| next.eq_ignore_ascii_case(&b'x'))
    };
    let digits: Vec<_> = (0..source.len())
        .filter(|at| !is_sign(*at))
        .filter_map(|at| Some((u8::try_from(char::from(source[at].0).to_digit(16)?).ok()?, &source[at].1)))
        .skip(skip)
        .collect();
    let pairs = digits.chunks_exact(2);
    pairs.map(|pair| (pair[0].0 << 4 | pair[1].0, pair[0].1.start..pair[1].1.end)).collect()
}

/// Bytes as numbers: `[99, 111, 103, …]`. A number that is no letter's parts what is around it.
fn from_decimal(source: &[(u8, Range<usize>)]) -> Reading {
    let mut out = Reading::new();
    let mut at = 0;
    while at < source.len() {
        let digits = source[at..].iter().take_while(|(byte, _)| byte.is_ascii_digit()).count();
        if digits > 0 {
            let number =
                source[at..at + digits.min(4)].iter().fold(0, |number, (byte, _)| number * 10 + u32::from(byte - b'0'));
            let byte = u8::try_from(number).ok().filter(u8::is_ascii_graphic).unwrap_or_default();
            out.push((byte, source[at].1.start..source[at + digits - 1].1.end));
        }
        at += digits.max(1);
    }
    out
}

fn from_base64(source: &[(u8, Range<usize>)], skip: usize) -> Reading {
    let digits: Vec<_> =
        source.iter().filter_map(|(byte, range)| Some((base64_digit(*byte)?, range))).skip(skip).collect();
    let mut out = Reading::new();
    for group in digits.chunks(4) {
        let bits = group.iter().fold(0u32, |bits, (digit, _)| bits << 6 | u32::from(*digit)) << (6 * (4 - group.len()));
        for at in 0..group.len() - 1 {
            let [_, bytes @ ..] = bits.to_be_bytes();
            out.push((bytes[at], group[at].1.start..group[at + 1].1.end));
        }
    }
    out
}

fn base64_digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}
