//! Keys of vendors by how they begin, addresses that are keys, and tokens with a form of their own. Pure.

use std::ops::Range;
use std::sync::LazyLock;

use super::pem;
use super::place::{Place, boundary, run};
use super::random::{is_strong, looks_random};
use super::rules::{ADDRESSES, Alphabet, DIGIT, DOTTED, HEX, PREFIXES, Prefix, WORD};

/// So much of what follows a beginning decides whether it is a key.
const TELLING_BODY: usize = 256;

/// The rules about beginnings, by their first byte in lower case.
static BEGINNINGS: LazyLock<[Vec<&'static Prefix>; 128]> = LazyLock::new(|| {
    std::array::from_fn(|first| {
        let begins = |rule: &&Prefix| usize::from(rule.text.as_bytes()[0].to_ascii_lowercase()) == first;
        PREFIXES.iter().chain(&ADDRESSES).filter(begins).collect()
    })
});

/// A vendor's key, or an address that is one.
pub(super) fn known_key(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let first = usize::from(rest.as_bytes()[0].to_ascii_lowercase());
    let follows_a_word = place.before.is_some_and(|byte| byte.is_ascii_alphanumeric());
    BEGINNINGS.get(first)?.iter().find_map(|rule| {
        let any_case = ["cog_", "apk_"].contains(&rule.text);
        let begin = rest.get(..rule.text.len())?;
        if begin != rule.text && !(any_case && begin.eq_ignore_ascii_case(rule.text)) {
            return None;
        }
        let body = &rest[rule.text.len()..];
        let length = run(&body[..boundary(body, TELLING_BODY)], rule.alphabet);
        let body = &body[..length];
        let is_address = rule.text.contains('.') && rule.text.contains('/');
        let shortest = match rule.text.len() {
            _ if any_case => 10,
            5.. => 6,
            _ if rule.least < 16 => 6,
            _ => 12,
        };
        // A long random rest is a key also where something was written right before it.
        let may_follow = is_address || (length >= 16 && rule.text.len() > 4) || any_case && length >= 16;
        let is_key = length >= rule.least
            && (is_address || looks_random(body, shortest))
            && has_form(rule.text, body, &place)
            && !(any_case && is_wordy(body));
        (is_key && (!follows_a_word || may_follow))
            .then(|| rule.text.len() + run(&rest[rule.text.len()..], rule.alphabet))
            .map(|length| {
                let begin = place.at + if is_address { address_part(rule.text, body) } else { 0 };
                begin..place.at + length + pem::continued(rule.text, &rest[length..])
            })
    })
}

/// How much of an address says only whose it is: to the end of its beginning, or of the part of its path that begins there.
fn address_part(beginning: &str, body: &str) -> usize {
    let is_open = !beginning.ends_with('/') && !beginning.ends_with("bot");
    beginning.len() + if is_open { body.find('/').map_or(0, |slash| slash + 1) } else { 0 }
}

/// Whether what follows a short beginning, which words have too, has the form that keys with this beginning have.
fn has_form(beginning: &str, body: &str, place: &Place<'_>) -> bool {
    match beginning {
        // Fourteen characters, a dot, and the rest.
        "pat" => body.as_bytes().get(14) == Some(&b'.'),
        "s." => place.begins() && body.bytes().any(|byte| byte.is_ascii_digit()),
        // `xapp-1-…`; pods have names such as `webxapp-684d8d675b-xz99d`.
        "re_" => body.as_bytes().get(8) == Some(&b'_') && is_strong(body),
        // `v1.0-`, 24 digits, a dash and the rest.
        "v1.0-" => body.as_bytes().get(24) == Some(&b'-'),
        // The key of a server of Firebase; its first part has eleven characters.
        "AAAA" => body.get(7..14) == Some(":APA91b"),
        // As PostgreSQL keeps passwords.
        "md5" => body.len() == 32 && place.begins(),
        // A token of crates.io.
        "cio" => body.len() == 32 && place.begins(),
        // A key of Ceph.
        "AQ" => body.len() == 38 && place.begins() && body.ends_with("==") && is_strong(body),
        "key-" => body.len() == 32,
        // A key of Backblaze B2.
        "K00" => body.len() == 28 && place.begins() && is_strong(body),
        "xapp-" => place.begins() || body.as_bytes().get(1) == Some(&b'-'),
        _ => true,
    }
}

/// Whether all parts of `body` are words, with a number or date behind: `release20241128_failed`.
fn is_wordy(body: &str) -> bool {
    body.split(['_', '-', '.']).all(|part| {
        let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
        word.len() < 16 && word.bytes().all(|byte| byte.is_ascii_lowercase()) && part.len() - word.len() <= 8
    })
}

/// `eyJ….….…`, and those that are told by what stands in their midst or at their end: client secrets of Azure, tokens of
/// Terraform and of bots of Telegram, and keys of MaxMind and Mailchimp.
pub(super) fn json_web_token(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    if rest.starts_with("ey") {
        let is_path = place.before.is_some_and(|byte| b"/+".contains(&byte));
        let alphabet: Alphabet = if is_path { DOTTED } else { |byte| DOTTED(byte) || byte == b'/' || byte == b'+' };
        let length = run(rest, alphabet);
        let parts: Vec<&str> = rest[..length].splitn(4, '.').collect();
        let is_json = rest.starts_with("eyJ") || parts.get(1).is_some_and(|part| part.starts_with("ey"));
        let is_token = is_json && parts.len() >= 3 && parts[0].len() >= 10 && parts[1].len() >= 4;
        return is_token.then(|| place.at..place.at + length);
    }
    let length = run(&rest[..boundary(rest, TELLING_BODY)], |byte| DOTTED(byte) || byte == b'~' || byte == b'=');
    let bytes = &rest.as_bytes()[..length];
    let is_key = length >= 34 && bytes.get(4..6) == Some(b"Q~")
        || length >= 60 && bytes.get(14..23) == Some(b".atlasv1.")
        || length == 40 && bytes.ends_with(b"_mmk")
        || (36..=38).contains(&length) && bytes[32..].starts_with(b"-us") && run(rest, HEX) == 32;
    let token = rest[length..].strip_prefix(":AA").filter(|_| (8..=10).contains(&length) && run(rest, DIGIT) == length);
    let token = token.map_or(0, |token| run(token, WORD));
    let length = if token >= 31 { length + ":AA".len() + token } else { length };
    (is_key || token >= 31).then(|| place.at..place.at + length)
}
