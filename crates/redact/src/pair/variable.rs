//! Variables whose names go on behind the word that says secret, and those that shorten it: `PASSWORD_FOR_DB=…`, `CLIENT_SEC=…`.
//! Pure.

use std::ops::Range;

use crate::text::alphabet::WORD;
use crate::text::place::{Place, boundary, run, run_within};
use crate::told::purpose::is_made;
use crate::value::generated::is_no_code;
use crate::value::speech::stands_in;
use crate::word::shape::is_identifying;

/// The longest name, and how far a value is followed.
const LONGEST_NAME: usize = 48;
const NEAR: usize = 128;

/// Words for a password behind which a name may go on, and those that need `for` there.
const WORDS: &str = "password passwd pwd passwort kennwort passphrase passcode";
const WORDS_FOR: &str = "secret token key apikey";

/// Words behind them with which a value is none of a password.
const OTHERS: &str = "id ids uuid file path dir url uri link name arn ref hash hasher version policy algorithm encoder salt checksum \
    digest by job user host hint key provider";

/// Short words for a secret and a token at the end of a name.
const SHORT: [&str; 4] = ["client_sec", "app_sec", "api_sec", "_tkn"];

/// The value of the variable at `place`, where it looks like one that a program has made.
pub(crate) fn assigned(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let name = run_within(rest, LONGEST_NAME, WORD);
    let sign = ["=", " = "].into_iter().find(|sign| rest[name..].starts_with(sign))?;
    if name == 0 || !says_secret(&rest[..name]) {
        return None;
    }
    let begin = name + sign.len();
    let begin = begin + run(&rest[begin..], |byte| b"\"'".contains(&byte));
    let near = &rest[begin..boundary(rest, begin + NEAR).max(begin)];
    let length = near.find(|c: char| c.is_whitespace() || "\"'`,;&()".contains(c)).unwrap_or(near.len());
    let word = &near[..length];
    let is_told = is_no_code(word) && !word.contains("${") && !word.contains("{{") || is_made(word);
    (is_told && !is_identifying(word) && !stands_in(word)).then_some(place.at + begin..place.at + begin + length)
}

/// Whether a name says secret, but not with its last word, or with a short one.
fn says_secret(name: &str) -> bool {
    let mut lower = String::with_capacity(name.len());
    let mut was_small = false;
    for c in name.chars() {
        if was_small && c.is_ascii_uppercase() {
            lower.push('_');
        }
        was_small = c.is_ascii_lowercase();
        lower.push(if c == '-' { '_' } else { c.to_ascii_lowercase() });
    }
    let is_one = |table: &str, word: &str| table.split_ascii_whitespace().any(|known| known == word);
    let words = || lower.split('_');
    let goes_on = |at: usize, word: &str| match words().nth(at + 1) {
        Some(next) => is_one(WORDS, word) || next == "for" && is_one(WORDS_FOR, word),
        None => false,
    };
    let is_other = |at: usize| words().skip(at + 1).any(|word| is_one(OTHERS, word));
    SHORT.iter().any(|end| lower.ends_with(end))
        || words().enumerate().any(|(at, word)| goes_on(at, word) && !is_other(at))
}
