//! All keys that are known, looked for at once in every spelling that a text may give them. Pure.
//!
//! A text is read in every way in which it may spell something ([`spelled`]). Each of these readings is gone through once, however
//! many keys there are: where four letters are those that a part of some key begins with, that key is compared.

use std::cell::LazyCell;
use std::collections::HashMap;
use std::ops::Range;

use super::key::{Letter, OwnKey, Part, SHORTEST_PART, counts};
use super::spelled::{self, along};
use crate::text::place::looked_at;
use crate::text::reading::Reading;

/// So many places has the table of what parts begin with.
const PLACES: usize = 1 << 15;

/// Keys that are never shown.
#[derive(Clone, Default)]
pub(crate) struct KeyRing {
    keys: Vec<OwnKey>,
    /// Which keys have a telling part that begins with these four letters.
    of_beginning: HashMap<u32, Vec<usize>>,
    /// Whether one of these has a place in a table: most places of a text are passed over by that. Empty where there is none.
    begins: Vec<bool>,
}

impl KeyRing {
    /// From now on, this key is known too; one that would be found everywhere is not.
    pub(crate) fn add(&mut self, key: OwnKey) {
        if key.is_none() || self.keys.contains(&key) {
            return;
        }
        let nth = self.keys.len();
        if !key.is_whole() {
            self.begins.resize(PLACES, false);
            for beginning in key.beginnings() {
                self.begins[place_of(beginning)] = true;
                let keys = self.of_beginning.entry(beginning).or_default();
                if keys.last() != Some(&nth) {
                    keys.push(nth);
                }
            }
        }
        self.keys.push(key);
    }

    /// Where one of the keys stands in `text`, or a telling part of one.
    pub(crate) fn find(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        if self.keys.is_empty() {
            return found;
        }
        let seen = Reading::as_seen(text);
        spelled::each(seen.text.as_bytes(), &mut |bytes, ways| {
            // Where bytes stand is only asked where something is found.
            let placed = LazyCell::new(|| {
                let places: Vec<_> =
                    seen.text.bytes().enumerate().map(|(at, byte)| (byte, seen.origin(at..at + 1))).collect();
                along(&places, ways)
            });
            for part in self.parts(bytes) {
                let places = part.into_iter().map(|at| placed[at].1.clone());
                found.extend(stretches(text.as_bytes(), places));
            }
        });
        found.iter_mut().for_each(|range| widen(text, range));
        crate::merged(found)
    }

    /// Every telling part of a key in `bytes`.
    fn parts(&self, bytes: &[u8]) -> Vec<Part> {
        let whole = self.keys.iter().filter(|key| key.is_whole());
        let mut found: Vec<Part> = whole.flat_map(|key| key.find_whole(bytes)).collect();
        if !self.may_hold_parts(bytes) {
            return found;
        }
        let letters = letters(bytes);
        // Up to where the part of each key that was found last goes.
        let mut ends: HashMap<usize, usize> = HashMap::new();
        for (at, four) in letters.windows(SHORTEST_PART).enumerate() {
            let beginning = four.iter().fold(0, |number, letter| number << 8 | u32::from(letter.byte));
            looked_at(1);
            if !self.begins[place_of(beginning)] {
                continue;
            }
            for nth in self.of_beginning.get(&beginning).into_iter().flatten() {
                if ends.get(nth).is_some_and(|end| at < *end) {
                    continue;
                }
                let part = self.keys[*nth].part(&letters[at..]);
                let Some(last) = part.last() else { continue };
                ends.insert(*nth, at + last.end);
                let part = part.iter().flat_map(|part| &letters[at + part.start..at + part.end]);
                found.push(part.map(|letter| letter.at).collect());
            }
        }
        found
    }

    /// Whether the letters and digits of `bytes` have four in a row that a part of a key begins with.
    fn may_hold_parts(&self, bytes: &[u8]) -> bool {
        if self.begins.is_empty() {
            return false;
        }
        looked_at(bytes.len());
        let mut last = 0u32;
        bytes.iter().filter(|byte| counts(byte)).any(|byte| {
            last = last << 8 | u32::from(byte.to_ascii_lowercase());
            self.begins[place_of(last)] && self.of_beginning.contains_key(&last)
        })
    }
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

/// Where four letters have their place in the table.
fn place_of(letters: u32) -> usize {
    (letters.wrapping_mul(0x9e37_79b1) >> 17) as usize
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
