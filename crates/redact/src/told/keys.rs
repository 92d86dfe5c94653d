//! The values of keys that a sentence tells: `the key is …`, `session key … was rejected`. Pure.

use std::ops::Range;

use super::joined::{ends, is_joined};
use super::said::is_random;
use crate::text::place::{Place, boundary, run};
use crate::value::extent::quoted;
use crate::value::fault::is_refused;
use crate::value::generated::is_no_code;
use crate::value::speech::stands_in;
use crate::word::predicate::describes;
use crate::word::random::{is_strong, looks_random};
use crate::word::shape::is_identifying;

/// How far a sentence is followed.
const SENTENCE: usize = 256;

/// Words that say what the value of a key is, and the shortest value.
const KEY_IS: [&str; 10] = [
    "key is ",
    "key was ",
    "key is: ",
    "key is\n",
    "key is:\n",
    "key is:\n\n",
    "key: ",
    "key seems to be ",
    "key would be ",
    "key ",
];

/// Words before `key` after which its value may follow at once, and things that have keys, too.
const KEY_OF: &str = "with using by session master app application jwt hmac signing encryption shared secret private root \
    gossip encrypt aes fernet preshared wireguard serf consul nomad";
const THINGS: &str = "item record entry entries document documents map message kafka topic event dictionary";
const SHORTEST_KEY: usize = 16;
const SHORTEST_HEX_KEY: usize = 32;

/// Words before keys that are hexadecimal and name nothing; and before such as do where they are shorter than a key of 256 bits.
const OF_HEX: &str = "master private secret admin root management";
const OF_LONG_HEX: &str = "encryption decryption signing access hmac";
const LONG_HEX_KEY: usize = 64;

/// Words of a sentence about a key that opens something, and about one that only names something.
const OPENING: &str = "api vendor auth unauthorized 401 403 rotate rotated leaked revoked revoke decrypt encrypt encryption credential \
    credentials login partner provider hmac signing";
const NAMING: &str = "cache cached redis object bucket s3 partition row primary sort public idempotency dedup dedupe";

/// The value of a key that a sentence tells: `the key is …`. Hexadecimal digits are as often the name of something; the
/// sentence has to say that the key opens something.
pub(crate) fn key(place: Place<'_>) -> Option<Range<usize>> {
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
    let has_in = |parts: &[&str], table: &str| {
        let mut words = parts.iter().flat_map(|part| part.split(|c: char| !c.is_ascii_alphanumeric()));
        words.any(|word| table.split_ascii_whitespace().any(|known| known.eq_ignore_ascii_case(word)))
    };
    let has = |table: &str| has_in(&[before, after], table);
    let is_hex = key.bytes().all(|byte| byte.is_ascii_hexdigit());
    // `session key … was rejected`
    let owner = before.trim_end_matches(' ').rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let is_of = |table: &str| table.split(' ').any(|known| known.eq_ignore_ascii_case(owner));
    let is_refused = || is_refused(after) && !owner.is_empty() && !is_of(OTHERS) && !is_of("session");
    let is_hex_of_owner = || is_of(OF_HEX) || is_of(OF_LONG_HEX) && length >= LONG_HEX_KEY || is_refused();
    let is_certain = is_hex && length >= SHORTEST_HEX_KEY && is_hex_of_owner();
    let is_small = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_refused_word = || {
        rest[..open].ends_with("key ")
            && is_refused()
            && (is_random(key) || is_strong(key) && key.bytes().all(is_small))
            && length >= SHORTEST_KEY
    };
    let is_key = if is_certain || is_refused_word() {
        !has(THINGS)
    } else if rest[..open].trim_end_matches(['"', '\'', '`']) == "key " {
        is_of(KEY_OF) && is_random(key) && !has(THINGS)
    } else if is_hex {
        length >= SHORTEST_HEX_KEY && has(OPENING)
    } else {
        length >= SHORTEST_KEY && is_strong(key) && !is_identifying(key)
    };
    // `encryption key … for bucket backups`
    let names = if is_certain { has_in(&[before], NAMING) } else { has(NAMING) };
    (is_key && !names).then(|| place.at + open..place.at + open + length)
}

/// The key of a cluster's gossip in its settings: `encrypt = "…"`, `"encrypt": "…"`.
pub(crate) fn of_gossip(place: Place<'_>) -> Option<Range<usize>> {
    let after = place.rest().strip_prefix("encrypt")?;
    let after = &after[..boundary(after, SENTENCE)];
    let begin = run(after, |byte| b"\\\"' :=".contains(&byte));
    let length = run(&after[begin..], |byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
    let key = &after[begin..begin + length];
    // 16 or 32 bytes in base64.
    let is_key = (length == 24 && key.ends_with("==") || length == 44 && key.ends_with('=')) && is_strong(key);
    let begin = place.at + "encrypt".len() + begin;
    (is_key && begin > place.at + "encrypt".len()).then(|| begin..begin + length)
}

/// Words of a line about a wireless network, and what its keys are called by, which is none of them.
const WIRELESS: &str = "wifi fi wlan ssid wpa wpa2 wpa3 hotspot";
const CIPHERS: [&str; 4] = ["WPA", "TKIP", "CCMP", "SAE"];

/// Words before keys of other kinds.
const OTHERS: &str = "registry sorting rsa ssh gpg api item host";

/// How long the key of a wireless network is at least.
const SHORTEST_OF_WIRELESS: usize = 8;

/// How far the name of a network is followed.
const MOST_OF_NETWORK: usize = 64;

/// The key of a wireless network that the line names before: `wifi: ssid acme-dc, key …`.
pub(crate) fn of_wireless(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let name = rest.get(.."key".len()).filter(|name| name.eq_ignore_ascii_case("key"))?.len();
    if !rest[name..].starts_with([' ', ':', '=', '"', '\'', '\\']) {
        return None;
    }
    let near = &rest[..boundary(rest, SENTENCE)];
    let whose = network(&near[name..]);
    let sign = name + whose + run(&near[name + whose..], |byte| b"\\\"' :=".contains(&byte));
    let sign = sign + near[sign..].strip_prefix("is ").map_or(0, |_| "is ".len());
    let begin = sign + run(&near[sign..], |byte| b"\"'`".contains(&byte));
    let length = near[begin..].find(|c: char| c.is_whitespace() || "\"'`,;)".contains(c)).unwrap_or(near.len() - begin);
    let key = near[begin..begin + length].trim_end_matches('.');
    let is_place = place.is_parameter || key.contains(['/', '\\', '(', '&']);
    if sign == name
        || is_place
        || key.len() < SHORTEST_OF_WIRELESS
        || CIPHERS.iter().any(|cipher| key.starts_with(cipher))
    {
        return None;
    }
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(SENTENCE))..place.at];
    let line = before.rsplit('\n').next().unwrap_or_default();
    let mut words = line.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let is_in = |table: &str, word: &str| table.split(' ').any(|known| known.eq_ignore_ascii_case(word));
    let is_of_thing = words.clone().next_back().is_some_and(|word| is_in(NAMING, word) || is_in(OTHERS, word));
    // Every object has a member that is called so.
    let is_object =
        near[name..].starts_with(['"', '\\']) && !words.clone().any(|word| word.eq_ignore_ascii_case("ssid"));
    let is_mixed = looks_random(key, 6) || is_joined(key) || key.contains(['!', '#', '$', '%', '&', '*']);
    let is_plain =
        near[name..begin].contains([':', '=', '"', '\'']) && key.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_key = (is_mixed || is_plain && !describes("password", key)) && !is_identifying(key) && !stands_in(key);
    let is_told = is_key && !is_of_thing && !is_object && ends(&near[begin + key.len()..]);
    (is_told && (whose > 0 || words.any(|word| is_in(WIRELESS, word))))
        .then(|| place.at + begin..place.at + begin + key.len())
}

/// The length of the words that say of which wireless network a key is: ` for the wifi acme-guest`.
fn network(text: &str) -> usize {
    let near = &text[..boundary(text, MOST_OF_NETWORK)];
    let Some(whose) = near.strip_prefix(" for ").or_else(|| near.strip_prefix(" of ")) else { return 0 };
    let end = [" is ", ": ", " = "].iter().filter_map(|sign| whose.find(sign)).min().unwrap_or(0);
    let mut words = whose[..end].split(|c: char| !c.is_ascii_alphanumeric());
    let is_wireless = words.any(|word| WIRELESS.split(' ').any(|known| known.eq_ignore_ascii_case(word)));
    if is_wireless && !whose[..end].contains(['\n', ',', '.', ';']) { near.len() - whose.len() + end } else { 0 }
}
