//! A key that is known, found in every spelling a text may give it. Pure.
//!
//! A text is read in every way in which it may spell something ([`spelled`]), and each of these readings is searched for the key
//! as it is, from its end, and with its letters shifted by half the alphabet. Only letters and digits count, in lower case, so that
//! white space, separators and invisible characters hide nothing.

use std::cell::LazyCell;
use std::ops::Range;

use super::spelled::{self, along};
use crate::text::place::looked_at;
use crate::text::reading::Reading;

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

/// So many places has the table of what parts begin with.
const PLACES: usize = 1 << 13;

/// A key that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnKey {
    whole: String,
    /// Its letters and digits in lower case: as they are, from the last one on, and shifted.
    spellings: [Vec<u8>; 3],
    /// What a telling part of the key may begin with, four letters each.
    parts: Vec<u32>,
    /// Whether one of these has a place in a table: most places of a text are passed over by that.
    begins: Vec<bool>,
}

/// Where the letters of a part of a key stand in a reading.
type Part = Vec<usize>;

/// Where one of these keys stands in `text`, or a telling part of one.
pub(crate) fn find(keys: &[OwnKey], text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if keys.iter().all(|key| key.whole.len() < SHORTEST) {
        return found;
    }
    let seen = Reading::as_seen(text);
    spelled::each(seen.text.as_bytes(), &mut |bytes, ways| {
        let parts = || keys.iter().filter(|key| key.may_stand_in(bytes)).flat_map(|key| key.find_in(bytes));
        // Where bytes stand is only asked where something is found.
        let placed = LazyCell::new(|| {
            let places: Vec<_> =
                seen.text.bytes().enumerate().map(|(at, byte)| (byte, seen.origin(at..at + 1))).collect();
            along(&places, ways)
        });
        for part in parts() {
            let places = part.into_iter().map(|at| placed[at].1.clone());
            found.extend(stretches(text.as_bytes(), places));
        }
    });
    found.iter_mut().for_each(|range| widen(text, range));
    crate::merged(found)
}

/// The stretches of `text` that these places are in: what stands between them goes, too, unless there is a line's end with words
/// behind, which another part of the key follows.
fn stretches(text: &[u8], places: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut stretches: Vec<Range<usize>> = Vec::new();
    for place in places {
        let is_apart = |end: usize| {
            let between = text.get(end..place.start).unwrap_or_default();
            between.contains(&b'\n') && between.iter().any(counts)
        };
        match stretches.last_mut() {
            Some(last) if !is_apart(last.end) => *last = last.start.min(place.start)..last.end.max(place.end),
            _ => stretches.push(place),
        }
    }
    stretches
}

impl OwnKey {
    /// Takes the key without the white space that comes along when it is pasted.
    pub fn new(key: &str) -> OwnKey {
        let whole = key.trim().to_string();
        let bytes = whole.strip_prefix("cog_").unwrap_or(&whole).bytes();
        let letters: Vec<u8> = bytes.filter(counts).map(|byte| byte.to_ascii_lowercase()).collect();
        let spellings =
            [letters.clone(), letters.iter().rev().copied().collect(), letters.iter().map(shifted).collect()];
        let count = (letters.len() + 1).saturating_sub(telling(&letters));
        let parts = spellings.iter().flat_map(|letters| letters.windows(SHORTEST_PART).take(count).map(number));
        let parts: Vec<u32> = parts.collect();
        let mut begins = vec![false; PLACES];
        parts.iter().for_each(|part| begins[place_of(*part)] = true);
        OwnKey { spellings, parts, begins, whole }
    }

    /// How many letters and digits it has.
    fn count(&self) -> usize {
        self.spellings[0].len()
    }

    /// Whether the letters and digits of `bytes` have as many of the key's in a row as every part of it has.
    fn may_stand_in(&self, bytes: &[u8]) -> bool {
        if self.whole.len() < SHORTEST {
            return false;
        }
        if self.count() < FEW_LETTERS {
            return bytes.len() >= self.whole.len();
        }
        looked_at(bytes.len());
        let mut last = 0u32;
        bytes.iter().filter(|byte| counts(byte)).any(|byte| {
            last = last << 8 | u32::from(byte.to_ascii_lowercase());
            self.begins[place_of(last)] && self.parts.contains(&last)
        })
    }

    /// Every part of the key in `bytes` that is a telling one.
    fn find_in(&self, bytes: &[u8]) -> Vec<Part> {
        if self.count() < FEW_LETTERS {
            return self.find_whole(bytes);
        }
        let mut found = Vec::new();
        let letters = letters(bytes);
        let telling = telling(&self.spellings[0]);
        let mut at = 0;
        while at + telling <= letters.len() {
            let next =
                letters[at..at + SHORTEST_PART].iter().fold(0, |number, letter| number << 8 | u32::from(letter.byte));
            looked_at(1);
            let is_part = self.begins[place_of(next)] && self.parts.contains(&next);
            let parts = self.spellings.iter().filter(|_| is_part).map(|key| part(key, &letters[at..]));
            let longest = parts.max_by_key(|parts| parts.iter().map(Range::len).sum::<usize>()).unwrap_or_default();
            if longest.iter().map(Range::len).sum::<usize>() < telling {
                at += 1;
                continue;
            }
            let part = longest.iter().flat_map(|part| &letters[at + part.start..at + part.end]);
            found.push(part.map(|letter| letter.at).collect());
            at += longest.last().map_or(1, |part| part.end);
        }
        found
    }

    /// Every place of the key as it is, in any letter case where it is long enough to be no word.
    fn find_whole(&self, bytes: &[u8]) -> Vec<Part> {
        let key = self.whole.as_bytes();
        let is_word = key.len() < SHORT;
        let is_at = |at: &usize| {
            let mut pairs = bytes[*at..].iter().zip(key);
            looked_at(key.len());
            pairs.all(|(byte, key)| byte == key || (!is_word && byte.eq_ignore_ascii_case(key)))
        };
        let goes_on = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(counts);
        let stands_alone = |at: usize| !goes_on(at.checked_sub(1)) && !goes_on(Some(at + key.len()));
        let places = (0..(bytes.len() + 1).saturating_sub(key.len())).filter(is_at);
        places.filter(|at| !is_word || stands_alone(*at)).map(|at| (at..at + key.len()).collect()).collect()
    }
}

/// The parts of a key that begin `letters`: of two equally long ones the first, for more of the key may follow on further lines.
fn part(key: &[u8], letters: &[Letter]) -> Vec<Range<usize>> {
    let offsets = (0..=key.len() - telling(key)).rev();
    let parts = offsets.map(|offset| (common(&key[offset..], letters), offset));
    let (length, offset) = parts.max_by_key(|(length, _)| *length).unwrap_or_default();
    let mut parts: Vec<_> = std::iter::once(0..length).collect();
    if length >= SHORTEST_PART {
        further(key, offset + length, letters, &mut parts);
    }
    parts
}

/// Adds where a key goes on of which so much is known, after a part of it that ends its line, behind what a log puts before a line.
fn further(key: &[u8], mut known: usize, letters: &[Letter], parts: &mut Vec<Range<usize>>) {
    let mut at = parts.last().map_or(0, |part| part.end);
    while known < key.len() && letters.get(at).is_some_and(|letter| letter.begins_line) {
        let least = SHORTEST_PART.min(key.len() - known);
        let next = (at..letters.len().min(at + LONGEST_PREFIX)).find_map(|from| {
            let length = common(&key[known..], &letters[from..]);
            (length >= least).then_some(from..from + length)
        });
        let Some(next) = next else { break };
        (known, at) = (known + next.len(), next.end);
        parts.push(next);
    }
}

/// A letter or digit of a reading, in lower case, and where it stands there.
struct Letter {
    byte: u8,
    at: usize,
    /// Whether it is the first of its line.
    begins_line: bool,
}

fn letters(bytes: &[u8]) -> Vec<Letter> {
    let mut begins_line = false;
    let mut letters = Vec::new();
    for (at, byte) in bytes.iter().enumerate() {
        begins_line |= *byte == b'\n';
        if counts(byte) {
            letters.push(Letter { byte: byte.to_ascii_lowercase(), at, begins_line });
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
fn common(key: &[u8], letters: &[Letter]) -> usize {
    let length = key.iter().zip(letters).take_while(|(key, letter)| **key == letter.byte).count();
    looked_at(length + 1);
    length
}

/// A letter thirteen places further in the alphabet, as ROT13 has it.
fn shifted(letter: &u8) -> u8 {
    if letter.is_ascii_lowercase() { (letter - b'a' + 13) % 26 + b'a' } else { *letter }
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
