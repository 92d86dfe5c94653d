//! Secrets between whose name and value stands what they are for: `deploy token for staging: …`, `pass for db01: …`. Pure.

use std::ops::Range;

use super::joined::ends;
use super::need::{self, Need};
use super::said::is_random;
use crate::text::alphabet::{DOTTED, HEX};
use crate::text::place::{Place, boundary, looked_at, run, run_within};
use crate::value::certain::opens;
use crate::value::generated::is_no_code;
use crate::value::speech::stands_in;
use crate::word::ends::may_matter;
use crate::word::names::{Kind, Name, spaced};
use crate::word::random::is_of_names;
use crate::word::shape::{is_cause, is_identifying, is_in_blocks, is_label, is_uuid};

/// How far a line is followed behind a name, and how long a name is at least and at most.
const NEAR: usize = 160;
const SHORTEST_NAME: usize = 2;
const LONGEST_NAME: usize = 48;

/// How many words may say what a secret is for, and what begins them.
const MOST_WORDS: usize = 5;
const FOR: [&str; 3] = [" for ", " of ", " on "];

/// What divides them from the value: signs, and dashes and arrows, some of which may follow the name at once.
const SIGNS: [&str; 3] = [": ", " : ", " = "];
const DASHES: [&str; 7] = [" – ", " — ", " - ", " > ", " -> ", " => ", HAND];
const AT_ONCE: [&str; 3] = [" – ", " — ", HAND];
const HAND: &str = " 👉 ";

/// What stands before a name that is a step of a path through menus; an arrow is read as this, too.
const STEP: &str = ">";

/// Words before a name or among those that say what a secret is for, with which an identifier or a result follows.
const OF_THINGS: &str = "session commit request trace span build job run step stage test suite check case image container pod \
    revision sha hash digest checksum id page next continuation sync cursor correlation idempotency message transaction order event \
    node platform os version release phase target lint spec pipeline not no is was are were has had in";

/// Who has a secret, and an identifier behind that looks like one.
const OWNERS: &str = "client user account tenant org organization organisation project device customer subscription workspace team channel \
    member host instance bucket key application app merchant installation id name sku serial article product model number cert certificate named called with and or as to via by uses using";

/// Marks that no name has.
const MARKS: [char; 7] = ['!', '#', '$', '%', '^', '&', '*'];

/// Keys of letters of one case and digits are so long, and those in hexadecimal digits; with strokes, as base64 has them, all are.
const LONG: usize = 20;
const LONG_HEX: usize = 32;

/// An identifier that begins with the time has so many capitals and digits.
const ULID: usize = 26;

/// The value of the name at `place`.
pub(crate) fn stated(place: Place<'_>) -> Option<Range<usize>> {
    let (name, after) = place.rest().split_at(run_within(place.rest(), LONGEST_NAME, DOTTED));
    if name.len() < SHORTEST_NAME || !after.starts_with(' ') || !may_matter(name) {
        return None;
    }
    let after = after[..boundary(after, NEAR)].split('\n').next().unwrap_or_default();
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(16))..place.at];
    looked_at(before.len());
    let named = Name::of(spaced(before, name).as_deref().unwrap_or(name)).filter(|named| !named.is_plural)?;
    let Some((begin, sign)) = at_once(after).or_else(|| purpose(before, after)) else {
        let range = unsigned(before, &named, after)?;
        return Some(place.at + name.len() + range.start..place.at + name.len() + range.end);
    };
    let text = &after[begin..];
    let begin = place.at + name.len() + begin;
    let range = match sign {
        _ if SIGNS.contains(&sign) => value(place, name, &named, text)?,
        _ if before.trim_end().ends_with(STEP) => return None,
        _ => after_dash(&named, text, !after.starts_with(sign), sign == HAND)?,
    };
    Some(begin + range.start..begin + range.end)
}

/// Where the value begins behind a dash that follows the name, and the dash.
fn at_once(after: &str) -> Option<(usize, &'static str)> {
    AT_ONCE.into_iter().find(|dash| after.starts_with(dash)).map(|dash| (dash.len(), dash))
}

/// Where the value begins behind what a secret is for, and the sign before it.
fn purpose(before: &str, after: &str) -> Option<(usize, &'static str)> {
    let lead = FOR.iter().find(|lead| after.starts_with(**lead))?.len();
    let text = &after[lead..];
    let found = SIGNS.into_iter().chain(DASHES).filter_map(|sign| text.find(sign).map(|at| (at, sign)));
    let (at, sign) = found.min_by_key(|(at, sign)| (*at, usize::MAX - sign.len()))?;
    let words = || text[..at].split(' ');
    let is_plain = |word: &str| !word.is_empty() && !word.contains([',', ';', '=', '?', '!']) && !word.ends_with('.');
    let is_told = (1..=MOST_WORDS).contains(&words().count()) && words().all(|word| is_plain(word) && !is_thing(word));
    let last = before.trim_end().rsplit(' ').next().unwrap_or_default();
    let begin = lead + at + sign.len();
    (is_told && !is_thing(last)).then_some((begin + run(&after[begin..], |byte| byte == b' '), sign))
}

/// Whether a word tells a thing that has identifiers, or that something happened.
fn is_thing(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_ascii_lowercase();
    word.ends_with("ed") || OF_THINGS.split_ascii_whitespace().any(|known| known == word)
}

/// The value that no sign divides from what it is for: `deploy token for staging …`. Only what a program has made is told from a
/// word that goes on.
fn unsigned(before: &str, named: &Name, after: &str) -> Option<Range<usize>> {
    let lead = FOR.iter().find(|lead| after.starts_with(**lead))?.len();
    let is_password = is_of_password(named) && named.kind == Kind::Password;
    let is_key = is_password || matches!(named.kind, Kind::Token | Kind::Password) && named.core != "pass";
    if !is_key || is_thing(before.trim_end().rsplit(' ').next().unwrap_or_default()) {
        return None;
    }
    let (mut at, mut last) = (lead, "");
    for nth in 0..=MOST_WORDS {
        let range = word(&after[at..]);
        let text = &after[at + range.start..at + range.end];
        let is_value = is_random(text) && !is_of_names(text) && !text.contains('/') && is_made(text)
            || is_password && text.contains(MARKS) && is_no_code(text) && !text.contains(['/', ':', '=', '@', '\\']);
        if is_value && !stands_in(text) {
            let is_owner = OWNERS.split_ascii_whitespace().any(|known| known.eq_ignore_ascii_case(last));
            return (nth > 0 && !is_owner).then_some(at + range.start..at + range.end);
        }
        let next = after[at..].find(' ')?;
        last = &after[at..at + next];
        if last.is_empty() || last.contains([',', ';', ':', '=', '?', '!', '.', '(', '"']) || is_thing(last) {
            return None;
        }
        at += next + 1;
    }
    None
}

/// The word that begins `text`, within what stands around it.
fn word(text: &str) -> Range<usize> {
    let open = run(text, |byte| b"\"'`*".contains(&byte));
    let length = text[open..].find(|c: char| c.is_whitespace() || "\"'`*,;()<>".contains(c));
    let word = text[open..open + length.unwrap_or(text.len() - open)].trim_end_matches(['.', '!', '?']);
    open..open + word.len()
}

/// Whether a name is one of a password, or of something that is one as often.
fn is_of_password(named: &Name) -> bool {
    let is_known = || ["cred", "creds", "credential"].iter().any(|end| named.core.ends_with(end));
    match named.kind {
        Kind::Password => !named.core.ends_with("key"),
        Kind::Token => named.core == "pass" || is_known(),
        _ => false,
    }
}

/// The password that somebody chose at the beginning of `text`, where it ends its clause.
fn chosen(text: &str) -> Option<Range<usize>> {
    let found = need::value(text, 0, Need::Varied)?;
    let word = &text[found.clone()];
    (!is_identifying(word) && !is_hex(word) && !is_label(word) && ends(&text[found.end..])).then_some(found)
}

/// The value behind a dash or an arrow, which stand before words as well.
fn after_dash(named: &Name, text: &str, has_purpose: bool, is_hand: bool) -> Option<Range<usize>> {
    let range = word(text);
    let is_key =
        matches!(named.kind, Kind::Token | Kind::Password) || ["pat", "jwt", "bearer"].contains(&named.core.as_str());
    if is_key && is_made(&text[range.clone()]) {
        return Some(range);
    }
    // `LoginTest2`
    let is_compound = |word: &str| word.bytes().filter(u8::is_ascii_uppercase).count() > 1 && is_cause(word);
    let may_be = has_purpose || is_hand && named.kind == Kind::Password;
    chosen(text).filter(|found| {
        may_be
            && is_of_password(named)
            && !is_compound(text[found.clone()].trim_end_matches(|c: char| c.is_ascii_digit()))
    })
}

/// Where the value stands in `text`, if it is as much of a secret as its name needs.
fn value(place: Place<'_>, name: &str, named: &Name, text: &str) -> Option<Range<usize>> {
    let range = word(text);
    let (word, rest) = (&text[range.clone()], &text[range.end..]);
    let is_given = match named.kind {
        Kind::Token if is_of_password(named) => return chosen(text),
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
pub(crate) fn is_made(word: &str) -> bool {
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
