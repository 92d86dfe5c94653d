//! Lists of codes that stand in for a second factor: `recovery codes: …, …`, and one below the other. Pure.

use std::ops::Range;

use super::place::{boundary, looked_at, run};

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

/// The codes of all such lists.
pub(super) fn codes(text: &str) -> Vec<Range<usize>> {
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
    let mut codes = Vec::new();
    let mut at = if next(near, 0).is_some() { 0 } else { label };
    while let Some(code) = next(near, at).filter(|_| codes.len() < MOST_CODES) {
        at = code.end;
        codes.push(open + code.start..open + code.end);
    }
    codes
}

/// The code that stands at a place, behind what divides the items of a list.
fn next(near: &str, at: usize) -> Option<Range<usize>> {
    let separators =
        |at: usize| at + run(&near[at..], |byte| byte.is_ascii_whitespace() || b",;:\"'`[](){}|*-\\".contains(&byte));
    let mut begin = separators(at);
    begin += ["and ", "or "].iter().find(|word| near[begin..].starts_with(**word)).map_or(0, |word| word.len());
    let number = run(&near[begin..], |byte| byte.is_ascii_digit());
    if (1..=2).contains(&number) && [". ", ") ", ": "].iter().any(|sign| near[begin + number..].starts_with(sign)) {
        begin = separators(begin + number + 1);
    }
    let length = run(&near[begin..], |byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_end = |end: usize| {
        let after = &near[end..];
        let goes_on = after.starts_with('.') && after[1..].starts_with(char::is_alphanumeric);
        !goes_on && !after.starts_with(['@', '=', ':', '/', '_']) && !after.starts_with(char::is_alphanumeric)
    };
    if is_code(&near[begin..begin + length]) && is_end(begin + length) {
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

/// Whether a word is as such codes are: digits, parts with digits among them, or letters with digits inside.
fn is_code(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let is_numbered = word.starts_with(|c: char| c.is_ascii_alphabetic())
        && !word.trim_end_matches(|c: char| c.is_ascii_digit()).bytes().any(|byte| byte.is_ascii_digit());
    let is_parted = word.contains('-') && word.split('-').all(|part| PART.contains(&part.len()));
    digits > 0 && CODE.contains(&word.len()) && (is_parted || !word.contains('-') && !is_numbered)
}
