//! Keys of vendors by how they begin, addresses that are keys, and JSON Web Tokens. Pure.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use super::forms::{has_form, is_drawn};
use super::pem;
use crate::text::alphabet::{Alphabet, DOTTED, HEX, UPPER, WORD};
use crate::text::place::{Place, boundary, looked_at, run};
use crate::word::beginnings::{ADDRESSES, PREFIXES, Prefix};
use crate::word::placeholder::is_filler;
use crate::word::random::{is_strong, looks_random};

/// So much of what follows a beginning decides whether it is a key.
const TELLING_BODY: usize = 256;

/// Short beginnings that are told also where something was written right before them, for what follows is long and random.
const GLUED: &str = "ghp_ gho_ ghu_ ghs_ ghr_ hf_ npm_ glc_ gsk_ nfp_ hvs. hvb. hvr. SG.";
const LONG_BODY: usize = 24;

/// The shortest part of a key that is told although all its letters are capitals.
const SHORTEST_IN_CAPITALS: usize = 16;

/// Keys of the same vendors by how they go on after a beginning that words end with, too: `task-`.
const GOING_ON: [&str; 3] = ["ant-", "proj-", "svcacct-"];

/// The rules about beginnings, by their first byte in lower case.
static BEGINNINGS: LazyLock<[Vec<&'static Prefix>; 128]> = LazyLock::new(|| {
    std::array::from_fn(|first| {
        let begins = |rule: &&Prefix| usize::from(rule.text.as_bytes()[0].to_ascii_lowercase()) == first;
        PREFIXES.iter().chain(&ADDRESSES).filter(begins).collect()
    })
});

/// A vendor's key, or an address that is one.
pub(crate) fn known_key(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let first = usize::from(rest.as_bytes()[0].to_ascii_lowercase());
    let follows_a_word = place.before.is_some_and(|byte| byte.is_ascii_alphanumeric());
    BEGINNINGS.get(first)?.iter().find_map(|rule| {
        let any_case = ["cog_", "apk_"].contains(&rule.text);
        let begin = rest.get(..rule.text.len())?;
        if !begin.eq_ignore_ascii_case(rule.text) {
            return None;
        }
        let is_exact = begin == rule.text;
        let is_shouted =
            !is_exact && rule.text.ends_with(['_', '-']) && !begin.bytes().any(|byte| byte.is_ascii_lowercase());
        if !is_exact && !is_shouted && !any_case {
            return None;
        }
        let body = &rest[rule.text.len()..];
        let length = run(&body[..boundary(body, TELLING_BODY)], rule.alphabet);
        let is_address = rule.text.contains('.') && rule.text.contains('/');
        // A key that a line's end divides.
        let is_short = (SHORTEST_PART..rule.least).contains(&length) && !is_address;
        let rest_of_it = wrapped(&body[length..], rule.alphabet, true).filter(|_| is_short);
        let body = match rest_of_it {
            Some(part) => Cow::from([&body[..length], &body[length + part.start..length + part.end]].concat()),
            None => Cow::from(&body[..length]),
        };
        let (body, length) = (&*body, body.len());
        let shortest = match rule.text.len() {
            _ if any_case => 10,
            5.. => 6,
            _ if rule.least < 16 => 6,
            _ => 12,
        };
        // A long random rest is a key also where something was written right before it.
        let may_follow = is_address
            || (length >= 16 && rule.text.len() > 4)
            || any_case && length >= 16
            || may_be_glued(rule.text, body, place.before);
        let is_key = length >= rule.least
            && (is_address || looks_random(body, shortest) || is_drawn(rule.text, body))
            && has_form(rule.text, body.trim_end_matches('.'), place)
            && (is_address
                || !is_wordy(body)
                    && !is_filler(GOING_ON.iter().find_map(|next| body.strip_prefix(next)).unwrap_or(body)))
            && (!is_shouted || any_case || is_in_capitals(body));
        (is_key && (!follows_a_word || may_follow))
            .then(|| rule.text.len() + run(&rest[rule.text.len()..], rule.alphabet))
            .map(|length| {
                let begin = place.at + if is_address { address_part(rule.text, body) } else { 0 };
                // The dot that ends a sentence.
                let length = if is_address { length } else { rest[..length].trim_end_matches('.').len() };
                let further = pem::continued(rule.text, &rest[length..]);
                let further =
                    if is_address || further > 0 { further } else { wraps(&rest[length..], rule.alphabet, is_short) };
                begin..place.at + length + further
            })
    })
}

/// Whether a key with a short beginning is told where a letter or digit stands before it.
fn may_be_glued(beginning: &str, body: &str, before: Option<u8>) -> bool {
    let is_long = || body.split(['_', '-', '.']).any(|part| part.len() >= LONG_BODY && looks_random(part, LONG_BODY));
    match beginning {
        "AKIA" | "ASIA" => {
            body.len() == 16 && is_strong_in_capitals(body) && !before.is_some_and(|byte| UPPER(byte) && byte > b'9')
        }
        "AIza" => body.len() == 35 && is_strong(body),
        "sk-" => body.len() >= 40 && is_strong(body) && GOING_ON.iter().any(|next| body.starts_with(next)),
        _ => GLUED.split(' ').any(|known| known == beginning) && (is_long() || body.len() >= 60 && is_strong(body)),
    }
}

/// Whether a key was written in capitals: the name of a setting has shorter words, and fewer digits.
fn is_in_capitals(body: &str) -> bool {
    let is_random = |part: &str| {
        part.len() >= SHORTEST_IN_CAPITALS
            && is_strong_in_capitals(part)
            && part.bytes().filter(u8::is_ascii_digit).count() > 2
            && looks_random(part, SHORTEST_IN_CAPITALS)
    };
    !body.bytes().any(|byte| byte.is_ascii_lowercase()) && body.split(['_', '-']).any(is_random)
}

/// Whether capitals have digits among them.
fn is_strong_in_capitals(body: &str) -> bool {
    body.bytes().any(|byte| byte.is_ascii_digit()) && body.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// A part of a key that a line's end divides has so many characters at least, and the blanks before it are so many at most.
const SHORTEST_PART: usize = 8;
const DEEPEST: usize = 40;

/// Where the next part of a key stands that a line's end divides, with a backslash before it or without: a part that is no
/// word, and none that may be an identifier, where what comes before it may be the whole key.
fn wrapped(text: &str, alphabet: Alphabet, is_short: bool) -> Option<Range<usize>> {
    let line = text.strip_prefix('\\').unwrap_or(text);
    let line = line.strip_prefix('\r').unwrap_or(line).strip_prefix('\n')?;
    let begin = text.len() - line.len() + run(&line[..boundary(line, DEEPEST)], |byte| byte == b' ' || byte == b'\t');
    let near = &text[begin..boundary(text, begin + TELLING_BODY).max(begin)];
    let length = run(near, alphabet);
    let part = &near[..length];
    let is_last = !near[length..].starts_with(['=', ':', '(', '/', '@', '[', '"']);
    let is_part = if is_short {
        looks_random(part, 6)
    } else {
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        let is_other = part.contains('.') || part.starts_with("eyJ") || part.bytes().all(HEX);
        length >= SHORTEST_PART && digits > 1 && is_strong(part) && !is_other
    };
    (is_last && is_part).then_some(begin..begin + length)
}

/// How far a key goes on behind the ends of lines.
fn wraps(text: &str, alphabet: Alphabet, is_short: bool) -> usize {
    let mut end = 0;
    while let Some(part) = wrapped(&text[end..], alphabet, is_short && end == 0) {
        end += part.end + run(&text[end + part.end..], alphabet);
        looked_at(part.end);
    }
    end
}

/// How much of an address says only whose it is: to the end of its beginning, or of the part of its path that begins there.
fn address_part(beginning: &str, body: &str) -> usize {
    // `rpc.ankr.com/eth/…`: the chain is before the key.
    let is_open = !beginning.ends_with('/') && !beginning.ends_with("bot") || beginning.ends_with("ankr.com/");
    beginning.len() + if is_open { body.find('/').map_or(0, |slash| slash + 1) } else { 0 }
}

/// Whether all parts of `body` are words, with a number or date behind, or the name of a pod: `release20241128_failed`,
/// `checkout-7d9f8b6c5-abcde`.
fn is_wordy(body: &str) -> bool {
    let is_word = |part: &str| {
        let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
        word.len() < 16 && word.bytes().all(|byte| byte.is_ascii_lowercase()) && part.len() - word.len() <= 8
    };
    let is_drawn = |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let mut parts: Vec<&str> = body.split(['_', '-', '.']).collect();
    if let [_, .., set, pod] = parts[..]
        && (8..=10).contains(&set.len())
        && pod.len() == 5
        && is_drawn(set)
        && is_drawn(pod)
    {
        parts.truncate(parts.len() - 2);
    }
    parts.into_iter().all(is_word)
}

/// `eyJ….….…`.
pub(crate) fn json_web_token(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    if !rest.starts_with("ey") {
        return None;
    }
    let is_path = place.before.is_some_and(|byte| b"/+".contains(&byte));
    let alphabet: Alphabet = if is_path { DOTTED } else { |byte| DOTTED(byte) || byte == b'/' || byte == b'+' };
    let length = run(rest, alphabet);
    let parts: Vec<&str> = rest[..length].splitn(4, '.').collect();
    let is_json = rest.starts_with("eyJ") || parts.get(1).is_some_and(|part| part.starts_with("ey"));
    let is_token = is_json && parts.len() >= 3 && parts[0].len() >= 10 && parts[1].len() >= 4;
    if is_token {
        return Some(place.at..place.at + length + wraps(&rest[length..], WORD, false));
    }
    wrapped_token(rest, length).map(|length| place.at..place.at + length)
}

/// The length of a token that ends of lines divide; its first line has `first` characters.
fn wrapped_token(rest: &str, first: usize) -> Option<usize> {
    let (mut end, mut token) = (first, rest[..boundary(rest, first)].to_string());
    if !rest.starts_with("eyJ") || first < SHORTEST_PART || token.matches('.').count() > 1 {
        return None;
    }
    while token.len() < TELLING_BODY
        && let Some(part) = wrapped(&rest[end..], DOTTED, true)
    {
        token.push_str(&rest[end + part.start..end + part.end]);
        end += part.end;
    }
    let parts: Vec<&str> = token.split('.').collect();
    let is_token = parts.len() == 3 && parts[1].starts_with("ey") && parts[2].len() >= SHORTEST_PART;
    is_token.then(|| end + wraps(&rest[end..], WORD, false))
}

/// `eyJ….eyJ….…` where something was written right before it.
pub(crate) fn glued_token(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    if place.begins() || !rest.starts_with("eyJ") {
        return None;
    }
    let header = run(&rest[..boundary(rest, LONGEST_HEADER)], WORD);
    if !rest[header..].starts_with(".ey") {
        return None;
    }
    let begin = header + 1;
    let payload = begin + run(&rest[begin..boundary(rest, begin + LONGEST_HEADER)], WORD);
    let signature = rest[payload..].strip_prefix('.').map_or(0, |signature| run(signature, WORD));
    // A payload may be longer than what is looked at.
    let is_long = header >= SHORTEST_HEADER && payload == begin + LONGEST_HEADER;
    (signature >= SHORTEST_PART || is_long).then(|| place.at..place.at + payload + run(&rest[payload..], DOTTED))
}

/// The header of a token has so many characters; so far it and the payload are looked at, where something was written before.
const SHORTEST_HEADER: usize = 20;
const LONGEST_HEADER: usize = 512;
