//! Finds secrets by their shape, from left to right, looking at every byte a bounded number of times. Pure.

use std::ops::Range;
use std::sync::LazyLock;

use super::rules::{ADDRESSES, Alphabet, DOTTED, PREFIXES, Prefix};
use super::{command, pair};

/// How far after `://` the end of a password is looked for.
const USER_INFO: usize = 512;

/// How far after `BEGIN` the words `PRIVATE KEY` may stand, and how long one line of its header may be.
const HEADING: usize = 80;

/// So much of what follows a beginning decides whether it is a key.
const TELLING_BODY: usize = 256;

/// The rules about beginnings, by their first byte in lower case.
static BEGINNINGS: LazyLock<[Vec<&'static Prefix>; 128]> = LazyLock::new(|| {
    std::array::from_fn(|first| {
        let begins = |rule: &&Prefix| usize::from(rule.text.as_bytes()[0].to_ascii_lowercase()) == first;
        PREFIXES.iter().chain(&ADDRESSES).filter(begins).collect()
    })
});

/// What looks at one place of a text, and answers with the secret that is told by it.
type Rule = fn(Place<'_>) -> Option<Range<usize>>;

/// Rules that leave no doubt.
const CERTAIN: [Rule; 3] = [private_key, known_key, json_web_token];

/// Rules that go by what stands around a secret.
const SUSPECT: [Rule; 8] = [
    user_info,
    data_source,
    scheme_credential,
    command::flag,
    command::sql,
    command::oracle,
    command::hash,
    pair::pair,
];

/// A place in a text, and what stands right before it.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub text: &'a str,
    pub at: usize,
    /// `None` at the beginning, and after an escaped character such as `%20` or a spelled-out `\n`.
    pub before: Option<u8>,
    /// Whether a parameter of an address begins here.
    pub is_parameter: bool,
}

impl<'a> Place<'a> {
    fn of(text: &'a str, at: usize) -> Place<'a> {
        let (before, is_parameter) = preceding(&text.as_bytes()[..at]);
        Place { text, at, before, is_parameter }
    }

    pub fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Whether no name or word goes on here.
    pub fn begins(&self) -> bool {
        self.before.is_none_or(|byte| !DOTTED(byte))
    }
}

/// All secrets, in order.
pub(super) fn secrets(text: &str) -> Vec<Range<usize>> {
    find(text, |place| CERTAIN.iter().chain(&SUSPECT).find_map(|rule| rule(place)))
}

/// The secrets about which there is no doubt, in order.
pub(super) fn certain(text: &str) -> Vec<Range<usize>> {
    find(text, |place| CERTAIN.iter().find_map(|rule| rule(place)))
}

fn find(text: &str, rule: impl Fn(Place<'_>) -> Option<Range<usize>>) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        match rule(Place::of(text, at)) {
            Some(secret) if &text[secret.clone()] != super::MASK && !secret.is_empty() => {
                at = secret.end;
                found.push(secret);
            }
            _ => at += character.len_utf8(),
        }
    }
    found
}

/// The byte before a place, and whether it opens a parameter.
fn preceding(before: &[u8]) -> (Option<u8>, bool) {
    let opens = |code: &[u8]| [b"26".as_slice(), b"3f", b"3b"].iter().any(|known| code.eq_ignore_ascii_case(known));
    let is_hex = |code: &[u8]| code.iter().all(u8::is_ascii_hexdigit);
    match before {
        [.., b'&', b'a', b'm', b'p', b';'] => (None, true),
        [.., b'\\', b'u', b'0', b'0', a, b] if is_hex(&[*a, *b]) => (None, opens(&[*a, *b])),
        [.., b'%', a, b] if is_hex(&[*a, *b]) => (None, opens(&[*a, *b])),
        [.., b'%', b'2', b'5', a, b] if is_hex(&[*a, *b]) => (None, opens(&[*a, *b])),
        [.., b'\\', b'n' | b'r' | b't' | b'f' | b'b'] => (None, false),
        [.., last] => (Some(*last), b"?&;".contains(last)),
        [] => (None, false),
    }
}

/// A vendor's key, or an address that is one.
fn known_key(place: Place<'_>) -> Option<Range<usize>> {
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
        let is_address = rule.text.contains(".com/") || rule.text.contains(".cn/");
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
            .then(|| place.at..place.at + rule.text.len() + run(&rest[rule.text.len()..], rule.alphabet))
    })
}

/// Whether what follows a short beginning, which words have too, has the form that keys with this beginning have.
fn has_form(beginning: &str, body: &str, place: &Place<'_>) -> bool {
    match beginning {
        // Fourteen characters, a dot, and the rest.
        "pat" => body.as_bytes().get(14) == Some(&b'.'),
        "s." => place.begins() && body.bytes().any(|byte| byte.is_ascii_digit()),
        // `xapp-1-…`; pods have names such as `webxapp-684d8d675b-xz99d`.
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

/// Whether a part of `body`, at least so long, is no word: digits among letters, capitals inside, or very long.
pub(super) fn looks_random(body: &str, least: usize) -> bool {
    body.split(|c: char| "_-.:/+=~".contains(c)).any(|part| {
        let has = |kind: fn(&u8) -> bool| part.bytes().any(|byte| kind(&byte));
        let capitals_inside = part.bytes().skip(1).any(|byte| byte.is_ascii_uppercase()) && has(u8::is_ascii_lowercase);
        let mixed = (has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)) || capitals_inside;
        (part.len() >= least && mixed) || part.len() >= 20 || (part.len() >= 10 && !has(u8::is_ascii_alphabetic))
    })
}

/// `eyJ….….…`, and three that are told by what stands in their midst or at their end: client secrets of Azure, tokens of
/// Terraform, and keys of MaxMind.
fn json_web_token(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    if !place.begins() {
        return None;
    }
    if rest.starts_with("ey") {
        let is_path = place.before.is_some_and(|byte| b"/+".contains(&byte));
        let alphabet: Alphabet = if is_path { DOTTED } else { |byte| DOTTED(byte) || byte == b'/' || byte == b'+' };
        let length = run(rest, alphabet);
        let parts: Vec<&str> = rest[..length].splitn(4, '.').collect();
        let is_json = rest.starts_with("eyJ") || parts.get(1).is_some_and(|part| part.starts_with("ey"));
        let is_token = is_json && parts.len() >= 3 && parts[0].len() >= 10 && parts[1].len() >= 4;
        return is_token.then(|| place.at..place.at + length);
    }
    let length = run(rest, |byte| DOTTED(byte) || byte == b'~' || byte == b'=');
    let bytes = &rest.as_bytes()[..length];
    let is_key = length >= 34 && bytes.get(4..6) == Some(b"Q~")
        || length >= 60 && bytes.get(14..23) == Some(b".atlasv1.")
        || length == 40 && bytes.ends_with(b"_mmk");
    is_key.then(|| place.at..place.at + length)
}

/// A block from `-----BEGIN … PRIVATE KEY-----` to its end. A sentence that only names the heading is none.
fn private_key(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let heading = if rest.starts_with("-----BEGIN") || rest.starts_with("---- BEGIN") {
        let near = &rest[..boundary(rest, HEADING)];
        let after = ["PRIVATE KEY", "PRIVATE%20KEY", "PRIVATE+KEY"]
            .iter()
            .find_map(|words| near.find(words).map(|at| at + words.len()))?;
        after + rest[after..boundary(rest, after + 20)].find("----")?
    } else if let Some(lines) = rest.strip_prefix("Private-Lines:") {
        rest.len() - lines.len() + run(lines, |byte| byte == b' ' || byte.is_ascii_digit())
    } else {
        return None;
    };
    let mut at = heading + run(&rest[heading..], |byte| byte == b'-');
    let (mut secret_end, mut is_strict) = (None, true);
    loop {
        let gap = separators(&rest[at..]);
        let broken = rest[at..at + gap].bytes().any(|byte| byte != b' ');
        at += gap;
        if rest[at..].starts_with("-----END") || rest[at..].starts_with("---- END") {
            let closing = &rest[at + 8..];
            let end = closing.find("----").map_or(closing.len(), |end| end + run(&closing[end..], |byte| byte == b'-'));
            return Some(place.at..place.at + at + 8 + end);
        }
        if let Some(line) = header_line(&rest[at..]) {
            at += line;
            continue;
        }
        let token = body_run(&rest[at..]);
        looked_at(gap + token);
        let is_alone = rest[at + token..]
            .bytes()
            .next()
            .is_none_or(|next| !next.is_ascii_punctuation() || b"-\\%\"'".contains(&next));
        is_strict &= token >= 16 || (secret_end.is_some() && token > 0 && broken);
        if token == 0 || !is_alone || !(is_strict || broken) {
            break;
        }
        at += token;
        if is_strict {
            secret_end = Some(at);
        }
    }
    secret_end.map(|end| place.at..place.at + end)
}

/// How many bytes of white space, escaped or not, begin `text`.
fn separators(text: &str) -> usize {
    let mut at = 0;
    loop {
        let rest = &text.as_bytes()[at..];
        at += match rest {
            [b' ' | b'\n' | b'\r' | b'\t', ..] => 1,
            [b'\\', b'n' | b'r' | b't', ..] => 2,
            [b'\\', b'\\', b'n' | b'r', ..] | [b'%', b'0', b'A' | b'D' | b'a' | b'd', ..] | [b'%', b'2', b'0', ..] => 3,
            _ => return at,
        };
    }
}

/// The length of a line such as `Proc-Type: 4,ENCRYPTED` between the heading of a key and its body.
fn header_line(text: &str) -> Option<usize> {
    let known = ["Proc-Type:", "DEK-Info:", "Comment:", "Version:", "Subject:"];
    let near = &text[..boundary(text, 2 * HEADING)];
    known.iter().any(|name| near.starts_with(name)).then(|| near.find(['\n', '\\']).unwrap_or(near.len()))
}

/// How many bytes of base64, percent-encoded or not, begin `text`.
fn body_run(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += match byte {
            b'%' if [b"%2B".as_slice(), b"%2F", b"%3D"].iter().any(|code| bytes[at..].starts_with(code)) => 3,
            byte if byte.is_ascii_alphanumeric() || b"+/=".contains(byte) => 1,
            _ => break,
        };
    }
    at
}

/// `user:password@` after `://`, or a token in place of a user in a web address.
fn user_info(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let coded = rest.get(..9).is_some_and(|begin| begin.eq_ignore_ascii_case("%3A%2F%2F"));
    let open = if rest.starts_with("://") {
        3
    } else if coded {
        9
    } else {
        return None;
    };
    let near = &rest[open..boundary(rest, open + USER_INFO)];
    let end = |ends: &str| near.find(|c: char| c.is_whitespace() || ends.contains(c)).unwrap_or(near.len());
    if coded {
        let near = &near[..end("\"'<>`\\&")];
        let length = near.find("%40")?;
        return (!near[..length].contains("%2F")).then(|| place.at + open..place.at + open + length);
    }
    let authority = &near[..end("/?#\"'<>`\\")];
    let scheme = place.text[..place.at].rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let length = match authority.rfind('@') {
        Some(length) => length,
        // Passwords come unescaped, too; what follows a host's colon is a port.
        None if has_password(authority) => near[..end("\"'<>`\\")].rfind('@')?,
        None => return None,
    };
    let is_secret = length > 0 && (is_web || near[..length].contains(':'));
    is_secret.then(|| place.at + open..place.at + open + length)
}

fn has_password(authority: &str) -> bool {
    let after_colon = authority.split_once(':').map_or("", |(_, rest)| rest);
    !authority.starts_with('[') && !after_colon.bytes().all(|byte| byte.is_ascii_digit())
}

/// The password of `user:password@tcp(host)` and `user:password@host:port`.
fn data_source(place: Place<'_>) -> Option<Range<usize>> {
    if !place.begins() || place.before == Some(b'/') {
        return None;
    }
    let rest = &place.rest()[..boundary(place.rest(), USER_INFO / 2)];
    let user = run(rest, DOTTED);
    let password = rest[user..].strip_prefix(':').filter(|rest| user > 0 && user < 64 && !rest.starts_with("//"))?;
    let end = password.find(|c: char| c.is_whitespace() || "\"'<>`,;".contains(c)).unwrap_or(password.len());
    let mut length = password[..end].rfind('@')?;
    let mut host = &password[length + 1..end];
    if ["sha256:", "sha512:"].into_iter().any(|digest| host.starts_with(digest)) {
        // The digest of an image, which may still have a password before its host.
        host = &password[..length];
        length = host.rfind('@')?;
        host = &host[length + 1..];
    }
    let name = run(host, DOTTED);
    let after = &host[name..];
    let is_source = after.starts_with('(') || (name > 0 && after.starts_with(':') && !password.starts_with('/'));
    let begin = place.at + user + 1;
    (is_source && length > 0).then(|| begin..begin + length)
}

/// The credential after `Bearer`, `Basic` or `GenieKey`, unless it is an ordinary word.
fn scheme_credential(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    if !place.begins() {
        return None;
    }
    let scheme = ["bearer", "basic", "geniekey"]
        .into_iter()
        .find(|scheme| rest.get(..scheme.len()).is_some_and(|word| word.eq_ignore_ascii_case(scheme)))?;
    let after = &rest[scheme.len()..];
    let gap = separators(after).max(run(after, |byte| b" +:=\"'".contains(&byte)));
    // Base64 has no percent signs; a run of them would be read again at each of its words.
    let alphabet: Alphabet = match scheme {
        "basic" => |byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte),
        _ => |byte| DOTTED(byte) || b"~+/=%".contains(&byte),
    };
    let credential = &after[gap..][..run(&after[gap..], alphabet)];
    let has = |kind: fn(&u8) -> bool| credential.bytes().any(|byte| kind(&byte));
    let is_secret = match scheme {
        "basic" => {
            let mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
            credential.len() >= 12 && credential.len().is_multiple_of(4) && mixed
        }
        _ => credential.len() >= 8 && (credential.len() >= 20 || has(u8::is_ascii_digit)),
    };
    let begin = place.at + scheme.len() + gap;
    (gap > 0 && is_secret).then(|| begin..begin + credential.len())
}

/// How many bytes at the beginning of `text` are of the alphabet, which is ASCII.
pub(super) fn run(text: &str, alphabet: Alphabet) -> usize {
    let length = text.bytes().position(|byte| !alphabet(byte)).unwrap_or(text.len());
    looked_at(length);
    length
}

/// The last end of a character within the first `limit` bytes, all of which may be looked at.
pub(super) fn boundary(text: &str, limit: usize) -> usize {
    let end = (0..=limit.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    looked_at(end);
    end
}

/// Counts work where a test compares it.
#[cfg(not(test))]
pub(super) fn looked_at(_bytes: usize) {}

#[cfg(test)]
pub(super) use super::tests::looked_at;
