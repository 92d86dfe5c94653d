//! The secret half of a pair of keys, beside the id that its vendor gave with it: `AKIA… / …`. Pure.

use std::ops::{Range, RangeInclusive};

use crate::text::place::{Place, looked_at, run_within};

/// How ids begin, how long they are, and how long the secrets are that belong to them.
const IDS: [(&str, RangeInclusive<usize>, &[usize]); 4] = [
    // 44 characters sign in to send mail.
    ("AKIA", 20..=20, &[40, 44]),
    ("ASIA", 20..=20, &[40]),
    ("LTAI", 16..=26, &[30]),
    ("GOOG", 24..=64, &[40]),
];

/// The longest secret, and the most that stands between an id and its secret.
const LONGEST: usize = 44;
const BETWEEN: usize = 40;
const LONGEST_ID: usize = 64;

/// Words that stand between them.
const WORDS: &str = "aws access secret secretkey accesskey key keys id and with pw pass password sk ak";

/// The shortest part of a path that is a word.
const WORD: usize = 4;

/// The secret right behind an id, with marks and words between that say no more than what it is.
pub(crate) fn beside_id(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let length = run_within(rest, LONGEST + 1, |byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte));
    let text = &rest[..length];
    let is_drawn = IDS.iter().any(|(_, _, secrets)| secrets.contains(&length)) && is_drawn(text);
    if !is_drawn || rest[length..].starts_with(['.', '-', '_', '=']) {
        return None;
    }
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(LONGEST_ID + BETWEEN))..place.at];
    looked_at(before.len());
    let belongs = |(begin, ids, secrets): &(&str, RangeInclusive<usize>, &[usize])| {
        let id = before.rfind(begin).map_or("", |at| &before[at..]);
        let end = id.find(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit()).unwrap_or(id.len());
        let end = if *begin == "LTAI" { id.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(0) } else { end };
        secrets.contains(&length) && ids.contains(&end) && end < id.len() && divides(&id[end..])
    };
    IDS.iter().any(belongs).then(|| place.at..place.at + length)
}

/// Whether a text has letters of both cases and digits, and no part of a path that is a word.
fn is_drawn(text: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| text.bytes().any(|byte| kind(&byte));
    let is_word = |part: &str| part.len() >= WORD && part.bytes().all(|byte| byte.is_ascii_lowercase());
    has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_digit)
        && !text.split(['/', '+']).any(is_word)
}

/// Whether there is nothing but marks and words of keys in a text.
fn divides(text: &str) -> bool {
    let is_known = |word: &str| WORDS.split(' ').any(|known| known.eq_ignore_ascii_case(word));
    text.len() <= BETWEEN
        && text.is_ascii()
        && text.split(|c: char| !c.is_ascii_alphanumeric()).all(|word| word.is_empty() || is_known(word))
}
