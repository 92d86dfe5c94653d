//! Steps of a program that are named like a secret, and what is told of them: `RefreshToken: OAuth2 flow failed`. Pure.

use super::predicate::{ends_clause, is_method};
use super::shape::is_cause;

/// Words with which the names of such steps begin.
const VERBS: &str = "refresh rotate create reset sign update decrypt encrypt get fetch delete remove validate verify generate issue revoke \
    renew exchange check load read store sync import export list mint forgot change";

/// How the names of causes begin and end.
const BEGINNINGS: [&str; 6] = ["Bad", "Invalid", "No", "Not", "Too", "Missing"];
const ENDS: [&str; 16] = [
    "Exceeded",
    "Denied",
    "Failed",
    "Failure",
    "Error",
    "Exception",
    "Timeout",
    "Found",
    "Exists",
    "Expired",
    "Unavailable",
    "Conflict",
    "Mismatch",
    "Throttled",
    "Refused",
    "Missing",
];

/// Words behind a password that say that it is one.
const OF_PASSWORDS: &str = "works work worked ok klappt geht gilt funktioniert is was did does";

/// Words with which the captions of pages begin, and with which they end.
const CAPTIONS: &str = "forgot forgotten reset change enter confirm repeat choose create update show hide retype";
const FIELDS: &str = "password passwords passphrase token secret passcode pin key code";

/// The longest name of a system in capitals with a number, and the longest number.
const LONGEST: usize = 6;
const MOST_DIGITS: usize = 2;

/// Whether the step that is called `name` tells something with `value`, the first word behind its colon: a system or a cause.
pub(crate) fn tells(name: &str, value: &str, after: &str) -> bool {
    let verb = name.find(|c: char| c.is_ascii_uppercase()).filter(|at| *at > 0);
    let verb = verb.or_else(|| name.get(1..)?.find(|c: char| c.is_ascii_uppercase()).map(|at| at + 1));
    let is_step = verb.is_some_and(|end| is_in(VERBS, &name[..end].to_ascii_lowercase()));
    let next = after.strip_prefix(' ').unwrap_or_default();
    if !is_step || !next.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return false;
    }
    let next = next.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let is_word = next.len() > 1 && next.bytes().all(|byte| byte.is_ascii_lowercase()) && !is_in(OF_PASSWORDS, next);
    let is_status = next.len() == 3 && next.starts_with(['4', '5']) && next.bytes().all(|byte| byte.is_ascii_digit());
    is_compound(value) || (is_name(value) || is_numbered(value)) && (is_word && !ends_clause(after) || is_status)
}

/// Whether quoted words are what a page has on a button or over a field: `Forgot your password?`.
pub(crate) fn is_caption(text: &str) -> bool {
    let mut words = text.trim_end_matches(['?', '!', '.', ':', '…', '*']).split(' ').map(str::to_ascii_lowercase);
    words.next().is_some_and(|first| is_in(CAPTIONS, &first))
        && words.next_back().is_some_and(|last| is_in(FIELDS, &last))
}

/// Whether a word is the name of a cause: `LimitExceeded`, `BadPadding`.
fn is_compound(word: &str) -> bool {
    let is_told = ENDS.iter().any(|end| word.len() > end.len() && word.ends_with(end))
        || BEGINNINGS.iter().any(|begin| {
            word.strip_prefix(begin).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
        });
    is_told && is_name(word) && is_cause(word)
}

/// Whether a word may be the name of a system.
fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_uppercase()) && word.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Whether a word is a way to sign in, or the name of a system in capitals with a number: `OAuth2`, `HSM2`.
fn is_numbered(word: &str) -> bool {
    let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
    is_method(&word.to_ascii_lowercase())
        || (2..=LONGEST).contains(&letters.len())
            && word.len() - letters.len() <= MOST_DIGITS
            && letters.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn is_in(table: &str, word: &str) -> bool {
    table.split_ascii_whitespace().any(|known| known == word)
}
