//! A key that is known, found in every spelling a text may give it. Pure.
//!
//! A text is read in several ways at once: as it stands, with its escapes resolved once and twice, and each of these as
//! hexadecimal, as base64 from every offset and as decimal numbers. Every reading keeps letters and digits only, in lower
//! case, so that white space, separators and invisible characters hide nothing.

use std::cell::LazyCell;
use std::ops::Range;

use super::encoding::{DECODINGS, decoded, unescaped};
use super::place::looked_at;
use super::reading;

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

/// How often escapes are resolved.
const MOST_LEVELS: usize = 2;

/// So many places has the table of what parts begin with.
const PLACES: usize = 1 << 13;

/// A key that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnKey {
    whole: String,
    letters: Vec<u8>,
    /// What a telling part of the key may begin with, four letters each.
    parts: Vec<u32>,
    /// Whether one of these has a place in a table: most places of a text are passed over by that.
    begins: Vec<bool>,
}

/// One way to read a text: bytes, each with where it stands in the text.
type Reading = Vec<(u8, Range<usize>)>;

/// Where one of these keys stands in `text`, or a telling part of one.
pub(super) fn find(keys: &[OwnKey], text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if keys.iter().all(|key| key.whole.len() < SHORTEST) {
        return found;
    }
    let place = |at: usize| at..at + 1;
    find_decoded(keys, text, place, &mut found);
    if let Some(seen) = reading::Reading::as_seen(text) {
        find_decoded(keys, &seen.text, |at| seen.origin(place(at)), &mut found);
    }
    found.iter_mut().for_each(|range| widen(text, range));
    super::merged(found)
}

/// Adds what is found in a reading, with its escapes resolved once and twice, and in what these encode. Where its bytes stand is
/// only asked of what may hold a part of a key.
fn find_decoded(keys: &[OwnKey], text: &str, place: impl Fn(usize) -> Range<usize>, found: &mut Vec<Range<usize>>) {
    let mut bytes = text.as_bytes().to_vec();
    for level in 0..=MOST_LEVELS {
        let placed = LazyCell::new(|| {
            let mut placed: Reading = text.bytes().enumerate().map(|(at, byte)| (byte, place(at))).collect();
            (0..level).for_each(|_| placed = unescaped(&placed));
            placed
        });
        keys.iter().filter(|key| key.may_stand_in(&bytes)).for_each(|key| key.find_in(&placed, found));
        for way in 0..DECODINGS {
            let encoded = decoded(&bytes, way);
            let placed = LazyCell::new(|| decoded(&placed, way));
            keys.iter().filter(|key| key.may_stand_in(&encoded)).for_each(|key| key.find_in(&placed, found));
        }
        let resolved = unescaped(&bytes);
        if resolved.len() == bytes.len() {
            break;
        }
        bytes = resolved;
    }
}

impl OwnKey {
    /// Takes the key without the white space that comes along when it is pasted.
    pub fn new(key: &str) -> OwnKey {
        let whole = key.trim().to_string();
        let bytes = whole.strip_prefix("cog_").unwrap_or(&whole).bytes();
        let letters: Vec<u8> = bytes.filter(counts).map(|byte| byte.to_ascii_lowercase()).collect();
        let count = (letters.len() + 1).saturating_sub(telling(&letters));
        let parts: Vec<u32> = letters.windows(SHORTEST_PART).take(count).map(number).collect();
        let mut begins = vec![false; PLACES];
        parts.iter().for_each(|part| begins[place_of(*part)] = true);
        OwnKey { letters, parts, begins, whole }
    }

    /// Whether the letters and digits of `bytes` have as many of the key's in a row as every part of it has.
    fn may_stand_in(&self, bytes: &[u8]) -> bool {
        if self.whole.len() < SHORTEST {
            return false;
        }
        if self.letters.len() < FEW_LETTERS {
            return bytes.len() >= self.whole.len();
        }
        looked_at(bytes.len());
        let mut last = 0u32;
        bytes.iter().filter(|byte| counts(byte)).any(|byte| {
            last = last << 8 | u32::from(byte.to_ascii_lowercase());
            self.begins[place_of(last)] && self.parts.contains(&last)
        })
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
            let next = letters[at..at + SHORTEST_PART].iter().map(|letter| letter.byte);
            let next = next.fold(0, |number, byte| number << 8 | u32::from(byte));
            if !self.begins[place_of(next)] || !self.parts.contains(&next) {
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

/// Four letters as one number.
fn number(letters: &[u8]) -> u32 {
    letters.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// Where four letters have their place in the table.
fn place_of(letters: u32) -> usize {
    (letters.wrapping_mul(0x9e37_79b1) >> 19) as usize
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
