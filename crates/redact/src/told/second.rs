//! The other one of two passwords that a sentence tells: `password is either … or …`, `pw: … / …`, `try …, then …`. Pure.

use std::ops::Range;

use super::need::{Need, value};
use crate::text::place::{Place, boundary, looked_at};
use crate::word::predicate::ends_clause;

/// How far a line is followed in both directions, and how many words may stand between the word for passwords and the second.
const NEAR: usize = 128;
const MOST_WORDS: usize = 10;

/// What stands between two passwords, the longer ones first.
const BETWEEN: [&str; 16] = [
    "or maybe ",
    "or perhaps ",
    "or else ",
    "or even ",
    "or ",
    "oder ",
    "and then ",
    "and ",
    "then maybe ",
    "then ",
    "now ",
    "/ ",
    "(old: ",
    "(was ",
    "(previously ",
    "(or ",
];

/// Words before the first of them.
const FIRST: [&str; 4] = ["either ", "entweder ", "are ", "were "];

/// Words for passwords.
const NAMES: [&str; 11] =
    ["password", "passwords", "passwort", "passphrase", "passwd", "passcode", "pw", "pws", "pwd", "kennwort", "pass:"];

/// Words that link the word for passwords with the first of them, and words that may stand between them.
const LINKS: &str = "is was are were be ist war either entweder try tries use still it's = -";
const LEADS: &str = "now then or oder and maybe perhaps /";

/// The second password, or the first of two behind `either` or `are`.
pub(crate) fn other(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), NEAR)];
    let first = FIRST.iter().find(|word| near.starts_with(**word));
    let is_first = first.is_some();
    let lead = first.or_else(|| BETWEEN.iter().find(|word| near.starts_with(**word)))?.len();
    let range = value(near, lead, Need::Spelled).filter(|_| !is_first || are_listed(&near[lead..]))?;
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(NEAR))..place.at];
    looked_at(before.len());
    let line = before.rsplit('\n').next().unwrap_or_default();
    let after = &near[range.end..].trim_start_matches(['"', '\'', '`']);
    let is_last = ends_clause(after)
        || after.starts_with([' ', ','])
            && BETWEEN.iter().any(|word| after.trim_start_matches([' ', ',']).starts_with(word));
    let goes_on =
        [" depending", " works", " should", " if ", " one of", " whichever"].iter().any(|word| after.starts_with(word));
    ((is_last || goes_on) && follows_name(line, is_first)).then(|| place.at + range.start..place.at + range.end)
}

/// Whether `text` begins with two passwords or more, one behind the other.
pub(crate) fn are_listed(text: &str) -> bool {
    let near = &text[..boundary(text, NEAR)];
    let first = value(near, 0, Need::Spelled);
    first.is_some_and(|first| {
        let next = near[first.end..].trim_start_matches(['"', '\'', '`']).trim_start_matches([',', ' ']);
        let lead = BETWEEN.iter().find(|word| next.starts_with(**word)).map_or(0, |word| word.len());
        first.end + next.len() < near.len() && value(&next[lead..], 0, Need::Spelled).is_some()
    })
}

/// Whether a line ends with the word for passwords and, if this is not the first one, with others, and nothing that says anything else.
fn follows_name(line: &str, is_first: bool) -> bool {
    let is_of = |table: &str, word: &str| table.split(' ').any(|known| known == word);
    let (mut has_value, mut is_linked) = (is_first, true);
    for (nth, word) in line.trim_end_matches([' ', ',']).rsplit(' ').take(MOST_WORDS).enumerate() {
        let plain = word.trim_end_matches([',', ':']);
        let lower = plain.to_lowercase();
        if has_value && NAMES.iter().any(|name| lower == *name || word.eq_ignore_ascii_case(name)) {
            return is_linked && (nth > 0 || is_first);
        }
        if (is_of(LINKS, &lower) || is_of(LEADS, &lower)) && (nth > 0 || is_first) {
            is_linked = is_of(LINKS, &lower);
            continue;
        }
        let is_value = || plain == crate::MASK || value(plain, 0, Need::Spelled).is_some();
        if is_first && nth == 0 || !is_value() {
            return false;
        }
        (has_value, is_linked) = (true, true);
    }
    false
}
