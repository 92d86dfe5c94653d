//! The values of keys that a sentence tells: `the key is …`, `session key … was rejected`. Pure.

use std::ops::Range;

use super::generated::is_no_code;
use super::place::{Place, boundary, run};
use super::random::is_strong;
use super::said::is_random;
use super::shape::is_identifying;
use super::value::quoted;

/// How far a sentence is followed.
const SENTENCE: usize = 256;

/// Words that say what the value of a key is, and the shortest value.
const KEY_IS: [&str; 7] = ["key is ", "key was ", "key is: ", "key: ", "key seems to be ", "key would be ", "key "];

/// Words before `key` after which its value may follow at once, and things that have keys, too.
const KEY_OF: &str =
    "with using by session master app application jwt hmac signing encryption shared secret private root";
const THINGS: &str = "item record entry entries document documents map message kafka topic event dictionary";
const SHORTEST_KEY: usize = 16;
const SHORTEST_HEX_KEY: usize = 32;

/// Words of a sentence about a key that opens something, and about one that only names something.
const OPENING: &str = "api vendor auth unauthorized 401 403 rotate rotated leaked revoked revoke decrypt encrypt encryption credential \
    credentials login partner provider hmac signing";
const NAMING: &str = "cache cached redis object bucket s3 partition row primary sort public idempotency dedup dedupe";

/// The value of a key that a sentence tells: `the key is …`. Hexadecimal digits are as often the name of something; the
/// sentence has to say that the key opens something.
pub(super) fn key(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    // `use key "…"`
    if let Some(after) = rest.strip_prefix("key ")
        && let Some(quote) = after.chars().next().filter(|c| "\"'`".contains(*c))
    {
        let after = &after[..boundary(after, SENTENCE)];
        let range = quoted(after, 0, quote);
        let key = &after[range.clone()];
        let begin = place.at + "key ".len();
        if after[range.end..].starts_with(quote) && is_no_code(key) && !key.contains('/') {
            return Some(begin + range.start..begin + range.end);
        }
    }
    let open = KEY_IS.iter().filter(|words| rest.starts_with(**words)).map(|words| words.len()).max()?;
    let near = &rest[..boundary(rest, SENTENCE)];
    let open = open + run(&near[open..], |byte| b"\"'`".contains(&byte));
    let length = run(&near[open..], |byte| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte));
    let key = &near[open..open + length];
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(SENTENCE))..place.at];
    let before = before.rsplit(['\n', ';']).next().unwrap_or_default();
    let after = near[open + length..].split(['\n', ';']).next().unwrap_or_default();
    let has = |table: &str| {
        let mut words = [before, after].into_iter().flat_map(|part| part.split(|c: char| !c.is_ascii_alphanumeric()));
        words.any(|word| table.split_ascii_whitespace().any(|known| known.eq_ignore_ascii_case(word)))
    };
    let is_hex = key.bytes().all(|byte| byte.is_ascii_hexdigit());
    // `session key … was rejected`
    let owner = before.trim_end_matches(' ').rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let is_owned = KEY_OF.split(' ').any(|known| known.eq_ignore_ascii_case(owner));
    let is_key = if rest[..open].trim_end_matches(['"', '\'', '`']) == "key " {
        is_owned && is_random(key) && !has(THINGS)
    } else if is_hex {
        length >= SHORTEST_HEX_KEY && has(OPENING)
    } else {
        length >= SHORTEST_KEY && is_strong(key) && !is_identifying(key)
    };
    (is_key && !has(NAMING)).then(|| place.at + open..place.at + open + length)
}
