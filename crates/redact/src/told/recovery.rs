//! Lists of codes that stand in for a second factor: `recovery codes: …, …`, and one below the other. Pure.

use std::ops::Range;

use crate::text::place::{boundary, looked_at, run};
use crate::word::predicate::{ends_clause, is_state};

/// What the codes of such a list are called.
const KINDS: [&str; 10] =
    ["recovery", "backup", "scratch", "emergency", "one-time", "single-use", "2fa", "mfa", "otp", "totp"];

/// How far a list is followed, how long what stands before its first code is, and how many codes it has.
const LIST: usize = 1024;
const LABEL: usize = 64;
const MOST_CODES: usize = 32;

/// How many letters and digits a code has, a part of it, and a group of digits with a blank behind.
const CODE: std::ops::RangeInclusive<usize> = 6..=24;
const PART: std::ops::RangeInclusive<usize> = 3..=8;
const GROUP: std::ops::RangeInclusive<usize> = 3..=5;

/// The same where none has a digit: how long a part is, a code without parts, and so many consonants follow each other.
const PART_OF_LETTERS: std::ops::RangeInclusive<usize> = 4..=6;
const LONG_CODE: usize = 8;
const CONSONANTS: usize = 4;

/// The codes of all such lists.
pub(crate) fn codes(text: &str) -> Vec<Range<usize>> {
    looked_at(text.len());
    let mut found = Vec::new();
    let mut at = 0;
    for (end, word) in text.match_indices("odes").chain(text.match_indices("ODES")) {
        let open = end + word.len();
        if is_named(&text[..end]) && open >= at {
            found.extend(listed(text, open));
            at = found.last().map_or(at, |last| last.end);
        }
    }
    found
}

/// Whether the name that ends with the `c` of `codes` is one of such a list.
fn is_named(before: &str) -> bool {
    let Some(before) = before.strip_suffix(['c', 'C']) else { return false };
    let before = before.trim_end_matches([' ', '-', '_']);
    KINDS.iter().any(|kind| {
        let word = before.len().checked_sub(kind.len()).and_then(|at| before.get(at..));
        word.is_some_and(|word| word.eq_ignore_ascii_case(kind))
    })
}

/// The codes that begin behind a name, or behind a label that ends with a sign, with its line or with a verb.
fn listed(text: &str, open: usize) -> Vec<Range<usize>> {
    let rest = &text[open..];
    let near = &rest[..boundary(rest, LIST)];
    let label =
        near.find([':', '=', '\n']).into_iter().chain(near.find(" are ").map(|at| at + " are ".len() - 1)).min();
    let label = label.filter(|label| *label <= LABEL).map_or(0, |label| label + 1);
    for at in [0, label] {
        let drawn = drawn(near, at);
        if !drawn.is_empty() {
            return drawn.into_iter().map(|code| open + code.start..open + code.end).collect();
        }
    }
    let mut codes = Vec::new();
    let mut at = if next(near, 0).is_some() { 0 } else { label };
    while let Some(code) = next(near, at).filter(|_| codes.len() < MOST_CODES) {
        at = code.end;
        codes.push(open + code.start..open + code.end);
    }
    codes
}

/// The codes of a list whose first is at a place, if all have the same form, most have no digit, and they are no words.
fn drawn(near: &str, mut at: usize) -> Vec<Range<usize>> {
    let mut codes: Vec<Range<usize>> = Vec::new();
    let form = |code: &str| code.split('-').map(str::len).collect::<Vec<_>>();
    while codes.len() < MOST_CODES {
        let begin = item(near, at);
        let length = run(&near[begin..], |byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let code = &near[begin..begin + length];
        let is_like = |first: &Range<usize>| form(&near[first.clone()]) == form(code);
        let is_one = code.bytes().any(|byte| byte.is_ascii_alphabetic()) && is_even(code);
        if !is_one || !codes.first().is_none_or(is_like) {
            break;
        }
        at = begin + length;
        codes.push(begin..at);
    }
    let is_odd = |code: &Range<usize>| near[code.clone()].split('-').any(is_no_word);
    let is_list = codes.len() > 1 && codes.iter().any(is_odd);
    let is_end = near[at..].starts_with('\n') || ends_clause(&near[at..]);
    if is_list && is_end { codes } else { Vec::new() }
}

/// Whether a word has parts that are as long as each other, or is long itself, in one letter case.
fn is_even(code: &str) -> bool {
    let first = code.split('-').next().map_or(0, str::len);
    let is_parted =
        code.contains('-') && PART_OF_LETTERS.contains(&first) && code.split('-').all(|part| part.len() == first);
    let has = |kind: fn(&u8) -> bool| code.bytes().any(|byte| kind(&byte));
    CODE.contains(&code.len())
        && (is_parted || !code.contains('-') && code.len() >= LONG_CODE)
        && !(has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase))
}

/// Whether letters have so many consonants among each other as no word has.
fn is_no_word(part: &str) -> bool {
    let is_consonant = |byte: &u8| byte.is_ascii_alphabetic() && !b"aeiouyAEIOUY".contains(byte);
    part.as_bytes()
        .chunk_by(|one, next| is_consonant(one) == is_consonant(next))
        .any(|run| run.len() >= CONSONANTS && is_consonant(&run[0]))
}

/// Where an item of a list begins, behind what divides it from the one before, and its number.
fn item(near: &str, at: usize) -> usize {
    let separators =
        |at: usize| at + run(&near[at..], |byte| byte.is_ascii_whitespace() || b",;:\"'`[](){}|*-\\".contains(&byte));
    let mut begin = separators(at);
    begin += ["and ", "or "].iter().find(|word| near[begin..].starts_with(**word)).map_or(0, |word| word.len());
    let number = run(&near[begin..], |byte| byte.is_ascii_digit());
    if (1..=2).contains(&number) && [". ", ") ", ": "].iter().any(|sign| near[begin + number..].starts_with(sign)) {
        begin = separators(begin + number + 1);
    }
    begin
}

/// The code that stands at a place, behind what divides the items of a list.
fn next(near: &str, at: usize) -> Option<Range<usize>> {
    let begin = item(near, at);
    let length = run(&near[begin..], |byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_end = |end: usize| {
        let after = &near[end..];
        let goes_on = after.starts_with('.') && after[1..].starts_with(char::is_alphanumeric);
        !goes_on && !after.starts_with(['@', '=', ':', '/', '_']) && !after.starts_with(char::is_alphanumeric)
    };
    let word = &near[begin..begin + length];
    if is_code(word) && is_end(begin + length) && may_be_code(word, &near[begin + length..]) {
        return Some(begin..begin + length);
    }
    // `1234 5678`
    let second = begin + length + 1;
    let group = near[begin + length..].strip_prefix(' ').map(|rest| run(rest, |byte| byte.is_ascii_alphanumeric()))?;
    let has_digit = |text: &str| text.bytes().any(|byte| byte.is_ascii_digit());
    let is_pair = GROUP.contains(&length) && group == length && is_end(second + group);
    (is_pair && has_digit(&near[begin..begin + length]) && has_digit(&near[second..second + group]))
        .then_some(begin..second + group)
}

/// What is said of things behind their names.
const VERBS: &str = "is are was were has have had does did can";

/// Whether a word with a digit may be such a code, and no host or job of which something is said: `host123 failed`.
pub(crate) fn may_be_code(word: &str, after: &str) -> bool {
    let mut runs = word.as_bytes().chunk_by(|one, next| one.is_ascii_digit() == next.is_ascii_digit());
    let is_name = word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && runs.by_ref().filter(|run| run[0].is_ascii_digit()).count() == 1;
    let is_said = || {
        let near = &after[..boundary(after, LABEL)];
        let mut words = near.split(' ').skip(1);
        let verb = if near.starts_with(" and ") { words.nth(2) } else { words.next() };
        verb.is_some_and(|verb| is_state(verb) || VERBS.split(' ').any(|known| known == verb))
    };
    word.bytes().any(|byte| byte.is_ascii_digit()) && !(is_name && is_said())
}

/// Whether a word is as such codes are: digits, parts with digits among them, or letters with digits inside.
fn is_code(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let is_numbered = word.starts_with(|c: char| c.is_ascii_alphabetic())
        && !word.trim_end_matches(|c: char| c.is_ascii_digit()).bytes().any(|byte| byte.is_ascii_digit());
    let is_parted = word.contains('-') && word.split('-').all(|part| PART.contains(&part.len()));
    digits > 0 && CODE.contains(&word.len()) && (is_parted || !word.contains('-') && !is_numbered)
}
