//! Passwords that people give each other in passing: `user netadmin, pass …`, `I typed … as my password`, `login admin:…`,
//! `a password was generated for jo: …`, `now it's …`. Pure.

use std::ops::Range;

use super::joined::is_joined;
use crate::text::alphabet::DOTTED;
use crate::text::place::{Place, boundary, looked_at, run};
use crate::value::generated;
use crate::value::speech::stands_in;
use crate::word::predicate::{describes, ends_clause, is_method};
use crate::word::random::{is_varied, looks_random};
use crate::word::shape::{is_identifying, is_version};

/// How far a sentence is followed, and how far before it the word for a password may stand.
const SENTENCE: usize = 128;
const BEFORE: usize = 120;

/// What stands between a user and the password.
const AND_PASS: [&str; 9] =
    [", pass ", ", pw ", ", passwd ", ", pwd ", " and pass ", " and pw ", " with pass ", " with pw ", " pw "];

/// What is said of a password that was made, before the user whom it is for.
const MADE: [&str; 6] = ["generated for ", "set for ", "created for ", "assigned to ", "reset for ", "issued for "];
const WAS: [&str; 5] = [" was ", " has been ", " is ", " got ", " "];
const MOST_WORDS: usize = 4;

/// What says which one there is now, where the sentence has spoken of a password before.
const NOW: [&str; 9] = [
    "now it's ",
    "now it is ",
    "it's now ",
    "it is now ",
    "reset it to ",
    "changed it to ",
    "set it to ",
    "switched it to ",
    "new one's ",
];

/// Words for a password.
const NAMES: [&str; 7] = ["password", "passwort", "passphrase", "passwd", "passcode", "pw", "pwd"];

/// Words behind the word for a password with which it says what something is for.
const HAVING_ONE: &str = "policy policies rule rules check checks field hash hashing reset page manager length prompt rotation auth \
    authentication service job file mount age history expiry column";

/// What says of a word before it that it is a password.
const AS_MINE: [&str; 7] = [
    " as password",
    " as my password",
    " as my pw",
    " as our password",
    " as his password",
    " as her password",
    " as my passphrase",
];

/// The password behind a user: `user netadmin, pass …`.
pub(crate) fn of_user(place: Place<'_>) -> Option<Range<usize>> {
    let open =
        ["user ", "User ", "login ", "Login ", "account "].iter().find(|word| place.rest().starts_with(**word))?;
    let near = &place.rest()[..boundary(place.rest(), SENTENCE)];
    let user = open.len() + run(&near[open.len()..], |byte| DOTTED(byte) || byte == b'@');
    if user == open.len() {
        return None;
    }
    // `login admin:…`
    if let Some(rest) = near[user..].strip_prefix(':').filter(|_| open.eq_ignore_ascii_case("login ")) {
        let begin = near.len() - rest.len();
        return spelled(near, begin).map(|range| place.at + range.start..place.at + range.end);
    }
    if let Some(rest) = near[user..].strip_prefix(" / ") {
        let varied = spelled(near, near.len() - rest.len())
            .filter(|range| is_varied(&near[range.clone()]) && has_mark(&near[range.clone()]));
        return varied.map(|range| place.at + range.start..place.at + range.end);
    }
    let sign = AND_PASS.iter().find(|sign| near[user..].starts_with(**sign))?.len();
    // `user login, pass TestLogin2`
    let range = spelled(near, user + sign).filter(|range| !near[range.start..].starts_with("Test"));
    range.map(|range| place.at + range.start..place.at + range.end)
}

/// The password that was made for somebody: `a password has been set for jo: …`.
pub(crate) fn made(place: Place<'_>) -> Option<Range<usize>> {
    let name = name(place)?;
    let near = &place.rest()[..boundary(place.rest(), SENTENCE)];
    let verbs = WAS.iter().filter(|verb| near[name..].starts_with(**verb)).map(|verb| name + verb.len());
    let open =
        verbs.filter_map(|at| Some(at + MADE.iter().find(|made| near[at..].starts_with(**made))?.len())).next()?;
    let colon = open + near[open..].find(": ")?;
    let whom = &near[open..colon];
    let is_whom = whom.split(' ').count() <= MOST_WORDS && !whom.contains(['\n', ',', ';', ':', '"']);
    let range = spelled(near, colon + ": ".len()).filter(|_| is_whom)?;
    // One that a program has made may have any mark in it.
    let end = generated::unquoted(&near[range.start..], false).map_or(0, |length| range.start + length);
    Some(place.at + range.start..place.at + range.end.max(end))
}

/// Words for a password in languages whose sentences are not read otherwise, and what turns to it.
const OTHERS: [(&str, &str); 7] = [
    ("hasło", "to"),
    ("haslo", "to"),
    ("heslo", "je"),
    ("parola", "este"),
    ("salasana", "on"),
    ("jelszó", "az"),
    ("lozinka", "je"),
];

/// The password of a sentence in one of these languages: `Hasło do routera to …`.
pub(crate) fn in_other_language(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), SENTENCE)];
    let first = near.find(' ').filter(|length| (5..=12).contains(length))?;
    let name = near[..first].to_lowercase();
    let is_name = |known: &str| name.starts_with(known) && name.chars().count() <= known.chars().count() + 2;
    let (_, turn) = OTHERS.iter().find(|(known, _)| is_name(known))?;
    let mut at = first + 1;
    for _ in 0..=MOST_WORDS {
        let word = &near[at..at + near[at..].find(' ')?];
        at += word.len() + 1;
        if word == *turn {
            let range = spelled(near, at).filter(|range| ends_clause(&near[range.end..]))?;
            return Some(place.at + range.start..place.at + range.end);
        }
        if word.contains([',', '.', ':', ';', '\n']) {
            return None;
        }
    }
    None
}

/// The password that somebody has set, spoken of as `it`: `the pw was changed, now it's …`.
pub(crate) fn now(place: Place<'_>) -> Option<Range<usize>> {
    let begins = |word: &&&str| place.rest().get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
    let open = NOW.iter().find(begins)?;
    let near = &place.rest()[..boundary(place.rest(), SENTENCE)];
    let range = spelled(near, open.len())?;
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(BEFORE))..place.at];
    looked_at(before.len());
    let lower = before.to_lowercase();
    let mut words = lower.rsplit("\n\n").next()?.split(|c: char| !c.is_alphanumeric());
    let text = &near[range.clone()];
    let is_named = words.any(|word| NAMES.contains(&word))
        && words.next().is_none_or(|next| !HAVING_ONE.split(' ').any(|known| known == next));
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    let is_last = ends_clause(&near[range.end..]) || near[range.end..].starts_with(" and ");
    (is_named && is_last && has_digit && text.starts_with(char::is_alphabetic))
        .then(|| place.at + range.start..place.at + range.end)
}

/// The word of which it is said that it is somebody's password: `I typed … as my password`.
pub(crate) fn as_mine(place: Place<'_>) -> Option<Range<usize>> {
    let open = ["typed ", "entered ", "put ", "took ", "set ", "have ", "had ", "gave "];
    let open = open.iter().find(|word| place.rest().starts_with(**word))?.len();
    let near = &place.rest()[..boundary(place.rest(), SENTENCE)];
    let range = spelled(near, open)?;
    let after = near[range.end..].trim_start_matches(['"', '\'', '`']);
    let is_mine = AS_MINE
        .iter()
        .any(|words| after.strip_prefix(words).is_some_and(|rest| ends_clause(rest) || rest.starts_with(" and ")));
    is_mine.then(|| place.at + range.start..place.at + range.end)
}

/// The old one of two passwords, and the new one: `password: old …, now …`.
pub(crate) fn old(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let near = &rest[..boundary(rest, SENTENCE)];
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(SENTENCE))..place.at];
    let line = before.rsplit('\n').next()?;
    looked_at(before.len());
    if let Some(open) = ["old ", "was "].iter().find(|word| near.starts_with(**word)) {
        let range = spelled(near, open.len())?;
        let is_first = ends_with_name(line) && is_followed(&near[range.end..]);
        return is_first.then(|| place.at + range.start..place.at + range.end);
    }
    let open = ["now ", "new "].iter().find(|word| near.starts_with(**word))?.len();
    let lead = line.trim_end_matches([',', ' ', ';', '/']);
    let (lead, _) = lead.rsplit_once(' ')?;
    let lead = ["old", "was"].iter().find_map(|word| lead.strip_suffix(word))?;
    spelled(near, open).filter(|_| ends_with_name(lead)).map(|range| place.at + range.start..place.at + range.end)
}

/// Whether the new one follows an old one.
fn is_followed(after: &str) -> bool {
    [", now ", ", new ", "; now ", "; new ", " now ", " new ", " / new "].iter().any(|word| after.starts_with(word))
}

/// Whether a line ends with the word for a password and a colon.
fn ends_with_name(line: &str) -> bool {
    let name = line.trim_end_matches(' ').strip_suffix(':').unwrap_or_default().to_ascii_lowercase();
    NAMES.iter().any(|known| name.ends_with(known))
}

/// The length of the word for a password at a place.
fn name(place: Place<'_>) -> Option<usize> {
    let is_here = |name: &&&str| place.rest().get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name));
    NAMES.iter().find(is_here).map(|name| name.len())
}

/// Whether a word is the name of a way to keep passwords.
fn is_hash(lower: &str) -> bool {
    ["sha-", "sha256", "sha512", "bcrypt", "pbkdf2", "argon2"].iter().any(|hash| lower.contains(hash))
}

/// Whether a word has a mark that names have not.
fn has_mark(text: &str) -> bool {
    text.contains(['!', '#', '$', '%', '&', '*', '@'])
}

/// The word at a place, if it is spelled as passwords are: with a digit or a mark that names have not.
fn spelled(near: &str, at: usize) -> Option<Range<usize>> {
    let at = at + run(near.get(at..)?, |byte| b"\"'`".contains(&byte));
    let length = near[at..].find(|c: char| c.is_whitespace() || "\"'`,;)<".contains(c)).unwrap_or(near.len() - at);
    let text = near[at..at + length].trim_end_matches(['.', ':', '?']);
    let has = |kind: fn(&u8) -> bool| text.bytes().any(|byte| kind(&byte));
    let has_letter = has(u8::is_ascii_lowercase);
    let has_digit = has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase);
    let is_password = has_mark(text) || has_digit && looks_random(text, 6) || is_varied(text) || is_joined(text);
    let is_object = text.contains(['/', '=', ':', '(', '{', '[']) || text.contains('@') && text.contains('.');
    let is_told = has_letter && text.len() >= 6 && is_password && !is_object && !is_identifying(text);
    let lower = text.to_lowercase();
    (is_told
        && !stands_in(text)
        && !is_version(&lower)
        && !is_method(&lower)
        && !describes("password", text)
        && !is_hash(&lower))
    .then(|| at..at + text.len())
}
