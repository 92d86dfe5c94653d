//! Secrets that a program tells when it has made them: `New token generated: …`, and the first password of MySQL. Pure.

use std::ops::Range;

use crate::text::alphabet::DOTTED;
use crate::text::place::{Place, boundary, run};
use crate::word::random::is_strong;

/// How far a line is followed, and how many words stand before a token.
const LINE: usize = 256;
const MOST_WORDS: usize = 10;

/// The shortest token.
const SHORTEST: usize = 20;

/// What is made, what is said of it, and other words of such a sentence.
const MADE: [&str; 2] = ["token", "tokens"];
const MAKING: &str = "generated created issued regenerated rotated";
const OTHERS: &str =
    "new api access auth personal deploy bot runner registration service your a the has been was is successfully";

/// After these, a word says whose it is.
const WHOSE: [&str; 3] = ["for", "user", "account"];

/// What levels of logs are called: a sentence begins behind them.
const LEVELS: [&str; 5] = ["info", "notice", "debug", "warning", "warn"];

/// What MySQL writes when it starts for the first time.
const TEMPORARY: &str = "temporary password is generated for ";

/// The password that MySQL has made for its first user: `A temporary password is generated for root@localhost: …`.
pub(crate) fn temporary(place: Place<'_>) -> Option<Range<usize>> {
    place.rest().strip_prefix(TEMPORARY)?;
    let near = &place.rest()[..boundary(place.rest(), LINE)];
    let user = TEMPORARY.len() + near[TEMPORARY.len()..].find(": ")?;
    let begin = user + ": ".len();
    let length = near[begin..].find(|c: char| c.is_whitespace() || "\"'`\\".contains(c)).unwrap_or(near.len() - begin);
    let password = &near[begin..begin + length];
    let has = |kind: fn(&u8) -> bool| password.bytes().any(|byte| kind(&byte));
    let is_made = has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && has(|byte| byte.is_ascii_digit() || b"!#%&*;:?=<>()+".contains(byte));
    let is_user = near[TEMPORARY.len()..user].contains('@') && !near[TEMPORARY.len()..user].contains(' ');
    (is_made && is_user).then(|| place.at + begin..place.at + begin + length)
}

/// The token in a sentence of a program that has made it.
pub(crate) fn token(place: Place<'_>) -> Option<Range<usize>> {
    let is_one_of = |table: &str, word: &str| table.split(' ').any(|known| known.eq_ignore_ascii_case(word));
    let is_made = |word: &str| MADE.iter().any(|known| known.eq_ignore_ascii_case(word));
    let is_known = |word: &str| is_made(word) || is_one_of(MAKING, word) || is_one_of(OTHERS, word);
    let first = run(place.rest(), |byte| byte.is_ascii_alphabetic());
    if !is_known(&place.rest()[..first]) || !begins_sentence(place) {
        return None;
    }
    let near = &place.rest()[..boundary(place.rest(), LINE)];
    let line = near.split('\n').next()?;
    let (mut at, mut has_made, mut has_making, mut of_someone, mut follows) = (0, false, false, false, false);
    for word in line.split(' ').take(MOST_WORDS) {
        let name = word.trim_end_matches(':');
        if is_known(name) {
            has_made |= is_made(name);
            has_making |= is_one_of(MAKING, name);
            follows = is_made(name) || is_one_of(MAKING, name) || name.len() < word.len();
        } else if WHOSE.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            (of_someone, follows) = (true, false);
        } else if of_someone {
            (of_someone, follows) = (false, name.len() < word.len());
        } else {
            let open = word.len() - word.trim_start_matches(['"', '\'', '`']).len();
            let length = run(&word[open..], DOTTED);
            let value = word[open..open + length].trim_end_matches('.');
            let is_ended = word[open + length..].chars().all(|c| "\"'`,;)]\r".contains(c));
            let is_token = value.len() >= SHORTEST && is_strong(value) && is_ended;
            let begin = place.at + at + open;
            return (has_made && has_making && follows && is_token).then(|| begin..begin + value.len());
        }
        at += word.len() + 1;
    }
    None
}

/// Whether a sentence begins here: no other word of it stands before.
fn begins_sentence(place: Place<'_>) -> bool {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(LINE / 8))..place.at];
    let before = before.trim_end_matches(' ');
    let last = before.rsplit(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    last.is_empty() && !before.ends_with(['-', '_', '/'])
        || LEVELS.iter().any(|level| level.eq_ignore_ascii_case(last))
        || last.len() > 1 && last.bytes().all(|byte| byte.is_ascii_uppercase())
}
