//! A key that is known, and which parts of it a text may not show. Pure.
//!
//! It is found as it is, from its end, and with its letters shifted by half the alphabet. Only letters and digits count, in lower
//! case, so that white space, separators and invisible characters hide nothing.

use std::ops::Range;

use super::encoding::alike;
use crate::text::place::looked_at;

/// So many letters and digits of a key in a row, whatever stands between them, are no coincidence.
const TELLING_LENGTH: usize = 16;

/// A part of a key that ends a line, or goes on after what a log puts before one, has so many letters and digits.
pub(super) const SHORTEST_PART: usize = 4;

/// So many letters and digits may stand before a line: a date, a level, the name of a pod.
const LONGEST_PREFIX: usize = 96;

/// A key with fewer letters and digits than this is looked for as it is, not letter by letter.
const FEW_LETTERS: usize = 8;

/// A key shorter than this is looked for as a word of its own, lest parts of words are taken for it.
const SHORT: usize = 8;

/// A key shorter than this is none: it would be found everywhere.
const SHORTEST: usize = 4;

/// A key that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct OwnKey {
    whole: String,
    /// Its letters and digits in lower case: as they are, from the last one on, and shifted.
    spellings: [Vec<u8>; 3],
    /// So many of them in a row are no coincidence.
    telling: usize,
}

/// Where the letters of a part of a key stand in a reading.
pub(super) type Part = Vec<usize>;

impl OwnKey {
    /// Takes the key without the white space that comes along when it is pasted.
    pub(crate) fn new(key: &str) -> OwnKey {
        let whole = key.trim().to_string();
        let letters = letters_of(whole.strip_prefix("cog_").unwrap_or(&whole));
        let spellings =
            [letters.clone(), letters.iter().rev().copied().collect(), letters.iter().map(shifted).collect()];
        OwnKey { telling: TELLING_LENGTH.min(letters.len()), spellings, whole }
    }

    /// The same for what may be no secret after all: parts of it are none.
    pub(crate) fn undivided(key: &str) -> OwnKey {
        let key = OwnKey::new(key);
        OwnKey { telling: key.spellings[0].len(), ..key }
    }

    /// Whether it is told by its letters and digits, so that every spelling of it is found.
    pub(crate) fn is_found_in_any_spelling(key: &str) -> bool {
        letters_of(key).len() >= FEW_LETTERS
    }

    /// Whether it is so short that it would be found everywhere, and so is none.
    pub(super) fn is_none(&self) -> bool {
        self.whole.len() < SHORTEST
    }

    /// Whether it is looked for as it is, not letter by letter.
    pub(super) fn is_whole(&self) -> bool {
        self.spellings[0].len() < FEW_LETTERS
    }

    /// What a telling part of the key may begin with, four letters each.
    pub(super) fn beginnings(&self) -> impl Iterator<Item = u32> {
        let letters = &self.spellings[0];
        let count = (letters.len() + 1).saturating_sub(self.telling);
        self.spellings.iter().flat_map(move |letters| letters.windows(SHORTEST_PART).take(count).map(number))
    }

    /// The telling part of the key that `letters` begin with, in pieces: what stands between them is none of it. Empty where they
    /// begin with none.
    pub(super) fn part(&self, letters: &[Letter]) -> Vec<Range<usize>> {
        let length = |parts: &Vec<Range<usize>>| parts.iter().map(Range::len).sum::<usize>();
        let parts = self.spellings.iter().map(|key| part(key, self.telling, letters));
        let longest = parts.max_by_key(length).unwrap_or_default();
        if length(&longest) < self.telling { Vec::new() } else { longest }
    }

    /// Every place of the key as it is, in any letter case where it is long enough to be no word.
    pub(super) fn find_whole(&self, bytes: &[u8]) -> Vec<Part> {
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

/// The letters and digits of a key in lower case, read as those of a text are.
fn letters_of(key: &str) -> Vec<u8> {
    let bytes = alike(key.as_bytes()).into_iter();
    bytes.filter(counts).map(|byte| byte.to_ascii_lowercase()).collect()
}

/// A letter or digit of a reading, in lower case, and where it stands there.
pub(super) struct Letter {
    pub(super) byte: u8,
    pub(super) at: usize,
    /// Whether it is the first of its line.
    pub(super) begins_line: bool,
}

/// The parts of a key that begin `letters`: of two equally long ones the first, for more of the key may follow on further lines.
fn part(key: &[u8], telling: usize, letters: &[Letter]) -> Vec<Range<usize>> {
    let offsets = (0..=key.len() - telling).rev();
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

/// Four letters as one number.
fn number(letters: &[u8]) -> u32 {
    letters.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
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
pub(super) fn counts(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric()
}
