//! Secrets between whose name and value stands what they are for: `deploy token for staging: …`, `pass for db01: …`. Pure.

use std::ops::Range;

use super::certain::opens;
use super::ends::may_matter;
use super::generated::is_no_code;
use super::joined::ends;
use super::names::{Kind, Name, spaced};
use super::need::{self, Need};
use super::place::{Place, boundary, looked_at, run};
use super::rules::{DOTTED, HEX};
use super::shape::{is_identifying, is_in_blocks, is_label, is_uuid};
use super::speech::stands_in;

/// How far a line is followed behind a name, and how long a name is.
const NEAR: usize = 160;
const LONGEST_NAME: usize = 48;

/// How many words may say what a secret is for, and what begins them.
const MOST_WORDS: usize = 5;
const FOR: [&str; 3] = [" for ", " of ", " on "];

/// What divides them from the value.
const SIGNS: [&str; 4] = [": ", " : ", " = ", " => "];

/// Words before a name or among those that say what a secret is for, with which an identifier or a result follows.
const OF_THINGS: &str = "session commit request trace span build job run step stage test suite check case image container pod \
    revision sha hash digest checksum id page next continuation sync cursor correlation idempotency message transaction order event \
    node platform os version release phase target lint spec pipeline not no is was are were has had in";

/// Keys of letters of one case and digits are so long, and those in hexadecimal digits; with strokes, as base64 has them, all are.
const LONG: usize = 20;
const LONG_HEX: usize = 32;

/// An identifier that begins with the time has so many capitals and digits.
const ULID: usize = 26;

/// The value of the name at `place`.
pub(super) fn stated(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), NEAR)];
    let near = near.split('\n').next().unwrap_or_default();
    let (name, after) = near.split_at(run(near, DOTTED));
    if !(2..=LONGEST_NAME).contains(&name.len()) || !after.starts_with(' ') || !may_matter(name) {
        return None;
    }
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(16))..place.at];
    looked_at(before.len());
    let named = Name::of(spaced(before, name).as_deref().unwrap_or(name)).filter(|named| !named.is_plural)?;
    let begin = name.len() + purpose(before, after)?;
    let range = value(place, name, &named, &near[begin..])?;
    Some(place.at + begin + range.start..place.at + begin + range.end)
}

/// Where the value begins behind what a secret is for.
fn purpose(before: &str, after: &str) -> Option<usize> {
    let is_thing = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_ascii_lowercase();
        word.ends_with("ed") || OF_THINGS.split_ascii_whitespace().any(|known| known == word)
    };
    let lead = FOR.iter().find(|lead| after.starts_with(**lead))?.len();
    let text = &after[lead..];
    let found = SIGNS.iter().filter_map(|sign| text.find(sign).map(|at| (at, sign.len())));
    let (at, sign) = found.min_by_key(|(at, sign)| (*at, usize::MAX - sign))?;
    let words = || text[..at].split(' ');
    let is_plain = |word: &str| !word.is_empty() && !word.contains([',', ';', '=', '?', '!']) && !word.ends_with('.');
    let is_told = (1..=MOST_WORDS).contains(&words().count()) && words().all(|word| is_plain(word) && !is_thing(word));
    let last = before.trim_end().rsplit(' ').next().unwrap_or_default();
    let begin = lead + at + sign;
    (is_told && !is_thing(last)).then_some(begin + run(&after[begin..], |byte| byte == b' '))
}

/// Where the value stands in `text`, if it is as much of a secret as its name needs.
fn value(place: Place<'_>, name: &str, named: &Name, text: &str) -> Option<Range<usize>> {
    let ends_with = |ends: &[&str]| ends.iter().any(|end| named.core.ends_with(end));
    let open = run(text, |byte| b"\"'`*".contains(&byte));
    let length = text[open..].find(|c: char| c.is_whitespace() || "\"'`*,;()<>".contains(c));
    let word = text[open..open + length.unwrap_or(text.len() - open)].trim_end_matches(['.', '!', '?']);
    let (range, rest) = (open..open + word.len(), &text[open + word.len()..]);
    let is_given = match named.kind {
        Kind::Token if named.core == "pass" || ends_with(&["cred", "creds", "credential"]) => {
            let found = need::value(text, 0, Need::Varied)?;
            let word = &text[found.clone()];
            return (!is_identifying(word) && !is_hex(word) && !is_label(word) && ends(&text[found.end..]))
                .then_some(found);
        }
        Kind::Token if named.core.ends_with("licensekey") => is_made(word) || is_in_blocks(word),
        Kind::Token if named.core.ends_with("secret") || opens(place, name, named) => is_made(word) || is_hex(word),
        Kind::Token if named.core.ends_with("token") => is_made(word),
        Kind::Opaque if ["pat", "jwt", "bearer"].contains(&named.core.as_str()) => is_made(word),
        Kind::Opaque if named.core == "pin" => {
            let length = if name == "PIN" { 4..=8 } else { 6..=6 };
            length.contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit()) && ends(rest)
        }
        _ => false,
    };
    (is_given && !stands_in(word)).then_some(range)
}

/// Whether a word looks like a key that a program has made, and is no name and no identifier.
fn is_made(word: &str) -> bool {
    let plain = word.trim_end_matches('=');
    let has = |kind: fn(&u8) -> bool| word.bytes().any(|byte| kind(&byte));
    let is_one_case = || {
        plain.len() >= LONG
            && plain.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && has(u8::is_ascii_digit)
            && has(u8::is_ascii_alphabetic)
            && !plain.bytes().all(HEX)
    };
    let is_ulid = plain.len() == ULID && plain.starts_with("01") && !has(u8::is_ascii_lowercase);
    plain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-+/".contains(&byte))
        && (is_no_code(word) || is_one_case())
        && (!word.contains('/') || word.len() >= LONG_HEX)
        && !(is_ulid || is_uuid(word) || is_identifying(word) || is_label(word))
}

/// Whether a word is a key in hexadecimal digits.
fn is_hex(word: &str) -> bool {
    word.len() >= LONG_HEX && word.bytes().all(HEX)
}
