//! The values of `Authorization` and `Cookie` headers, wherever in a line they stand. Pure.

use std::ops::Range;

use crate::text::alphabet::{Alphabet, DOTTED};
use crate::text::place::{Place, boundary, looked_at, run, run_within};
use crate::value::extent::quoted;
use crate::value::generated::{self, is_no_code};
use crate::value::sign::Sign;
use crate::value::speech::{Value, only_speaks};
use crate::word::names::{self, Kind};
use crate::word::random::{is_strong, looks_random};
use crate::word::shape::is_uuid;

/// How far a header is followed.
const LINE: usize = 512;

/// How the names of cookies end that keep what somebody chose.
const CHOICES: &str =
    "theme mode lang language locale consent currency country region timezone tz color scheme layout view sort";

/// What begins the value of an authorization header, where one word follows, and where many may.
const SCHEMES: &str = "basic bearer token apikey key ssws geniekey negotiate ntlm aws splunk sso-key deepl-auth-key";
const SCHEMES_OF_PARTS: &str = "digest oauth hawk aws4-hmac-sha256";

/// What follows a scheme: no closing bracket of a dump is of it.
const CREDENTIAL: Alphabet = |byte| DOTTED(byte) || b"~+/=%:!@#$^&*".contains(&byte);

/// The header that has the protocols of a socket, and the shortest token among them.
const SUBPROTOCOLS: &str = "sec-websocket-protocol";
const SHORTEST_TOKEN: usize = 16;

/// The longest name of a header, and what may stand between it and its value.
const LONGEST_NAME: usize = 48;
const SIGN: usize = 8;

/// The attributes of cookies, which keep no secrets.
const ATTRIBUTES: [&str; 6] = ["samesite", "path", "domain", "max-age", "expires", "secure"];

/// The attributes of cookies that have no value.
const MARKS: [&str; 3] = ["httponly", "secure", "partitioned"];

/// The value of a header, which ends with the quotation mark before its name, if there is one; `None` for a sentence about one.
pub(crate) fn header(text: &str, is_authorization: bool, before: Option<u8>) -> Option<Range<usize>> {
    if text.starts_with(crate::MASK) {
        return None;
    }
    let slashes = run(text, |byte| byte == b'\\');
    if let Some(quote) = text[slashes..].chars().next().filter(|c| "\"'".contains(*c) || *c == '`' && is_authorization)
    {
        let range = quoted(text, slashes, quote);
        let begin = range.start + scheme(&text[range.clone()]);
        let credential = &text[begin..range.end];
        return match is_authorization {
            _ if credential.is_empty() || speaks(credential, true) => None,
            true => Some(begin..range.end),
            false => within_cookies(text, begin..range.end),
        };
    }
    let open = run(text, |byte| b"[\"' ".contains(&byte));
    let near = &text[open..boundary(text, open + LINE).max(open)];
    let line = &near[..near.find(['\n', '\r']).unwrap_or(near.len())];
    let line = &line[..line.find("\\n").into_iter().chain(line.find("\\r")).min().unwrap_or(line.len())];
    // `[\r][\n]`
    let line = if line.len() < near.len() { line.trim_end_matches('[') } else { line };
    let mark = before.filter(|byte| b"\"'`".contains(byte)).and_then(|quote| line.find(char::from(quote)));
    let closed = mark.map(|end| line[..end].trim_end_matches('\\')).and_then(all_of);
    let length = match closed {
        Some(length) if is_authorization => length,
        _ if is_authorization => authorization(line)?,
        _ => cookies(line)?,
    };
    // The line may be longer than what was looked at.
    let end = if length == near.len() { text.find('\n').unwrap_or(text.len()) } else { open + length };
    let secret = open + scheme(line)..end;
    if is_authorization { Some(secret) } else { within_cookies(text, secret) }
}

/// The part of cookies from the first value that may be a secret to the last one: names and attributes stay. `None` where all
/// are hidden, or none keeps a secret.
fn within_cookies(text: &str, cookies: Range<usize>) -> Option<Range<usize>> {
    let (mut at, mut begin, mut end) = (cookies.start, None, cookies.end);
    for cookie in text[cookies.clone()].split(';') {
        let blanks = run(cookie, |byte| byte == b' ');
        let name = cookie[blanks..].find('=').filter(|sign| !is_strong(&cookie[blanks..][..*sign]));
        let value = name.map_or(blanks, |sign| blanks + sign + 1);
        if !is_shown(cookie) && &cookie[value..] != crate::MASK {
            begin = begin.or(Some(at + value));
            end = at + cookie.len();
        }
        at += cookie.len() + 1;
    }
    looked_at(cookies.len());
    begin.map(|begin| begin..end)
}

/// Whether a cookie is an attribute, or keeps what somebody chose.
fn is_shown(cookie: &str) -> bool {
    let name = cookie.trim().to_ascii_lowercase();
    MARKS.contains(&name.as_str()) || name.ends_with("=deleted") || cookie.contains('=') && is_choice(cookie)
}

/// The length of the scheme that begins a header, with the blank after it: it is no secret.
fn scheme(text: &str) -> usize {
    let first = text.split(' ').next().unwrap_or_default();
    let is_scheme =
        SCHEMES.split(' ').chain(SCHEMES_OF_PARTS.split(' ')).any(|known| known.eq_ignore_ascii_case(first));
    if is_scheme { first.len() + run(&text[first.len()..], |byte| byte == b' ') } else { 0 }
}

/// The length of a header of a scheme with one word behind, where it is known that all is of it.
fn all_of(header: &str) -> Option<usize> {
    let begin = scheme(header);
    let word = header.get(begin..).filter(|_| begin > 0)?;
    let is_code = word.contains(['{', '(', '<', '[', '%', '\\']) && !is_no_code(word);
    (!word.is_empty() && !word.contains(char::is_whitespace) && !is_code && !speaks(word, false))
        .then_some(header.len())
}

/// The length of a scheme with its credential, or of a credential without a scheme.
fn authorization(line: &str) -> Option<usize> {
    let first = line.split_whitespace().next()?;
    let is_one_of = |schemes: &str| schemes.split(' ').any(|scheme| scheme.eq_ignore_ascii_case(first));
    if is_one_of(SCHEMES_OF_PARTS) {
        let has_parts = line.contains("=\"");
        // A digest has quotation marks of its own.
        let line = if has_parts { line } else { within_marks(line) };
        let credential = line.get(first.len()..).unwrap_or_default().trim();
        let is_whole = line.split_whitespace().count() <= 8;
        let is_credential = !speaks(credential, false) && credential.split(' ').any(|word| looks_random(word, 4));
        return (is_whole && is_credential).then(|| line.trim_end_matches([' ', '\\']).len());
    }
    if is_one_of(SCHEMES) {
        let begin = first.len() + run(&line[first.len()..], |byte| byte == b' ');
        if let Some(length) = generated::unquoted(&line[begin..], false) {
            return Some(begin + length);
        }
        let word = credential(&line[begin..]);
        let is_last = line[begin + word.len()..].trim_start().is_empty();
        let is_secret = !word.is_empty() && !speaks(word, false) && (is_last || looks_random(word, 4));
        return is_secret.then(|| begin + word.len());
    }
    if let Some(length) = generated::unquoted(line, false).filter(|length| !line[..*length].contains("://")) {
        return Some(length);
    }
    let word = credential(line);
    let is_last =
        within_marks(line)[word.len()..].trim_start_matches([']', ')', '}', ',', ';', '\\']).trim().is_empty();
    let is_secret = if is_last { !speaks(word, false) } else { is_strong(word) && !word.contains(':') };
    if !word.is_empty() && is_secret {
        return Some(word.len());
    }
    // A scheme nobody knows.
    let begin = first.len() + run(&line[first.len().min(line.len())..], |byte| byte == b' ');
    let word = credential(line.get(begin..)?);
    // As schemes are spelled, `Zoho-oauthtoken …`, with nothing behind.
    let is_last = within_marks(line).get(begin + word.len()..).is_none_or(|rest| rest.trim().is_empty());
    let is_pair = word.contains(':') && looks_random(word, 6);
    let is_scheme = is_strong(word) || first.contains('-') && (is_pair || is_uuid(word));
    let is_named = first.contains('-') || first.starts_with(|c: char| c.is_ascii_uppercase());
    let is_told =
        is_scheme && is_named && is_last && !word.trim_end_matches("=").contains(['=', '/']) && !word.starts_with(':');
    let is_secret = is_told || word.len() >= 12 && is_strong(word) && !word.contains(':') && !word.contains("=");
    (is_secret && first.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')).then(|| begin + word.len())
}

/// The credential that begins `text`, without what closes around it.
fn credential(text: &str) -> &str {
    text[..run(text, CREDENTIAL)].trim_end_matches(['.', ':', '&', '*'])
}

/// What stands before the quotation mark or bracket that ends a header which began without one.
fn within_marks(line: &str) -> &str {
    let end = line.find(['"', '\'', '<']).into_iter().chain(line.find(" |")).min();
    &line[..end.unwrap_or(line.len())]
}

/// The length of cookies: as many pairs as follow each other after semicolons.
fn cookies(line: &str) -> Option<usize> {
    let line = within_marks(line);
    let is_last = !line.trim().contains(' ');
    let mut length = 0;
    loop {
        let rest = &line[length..];
        let begin = run(rest, |byte| byte == b' ');
        let word = &rest[begin..];
        let end = word.find([' ', ']', ')', '}', ',']).unwrap_or(word.len());
        let value = word.find('=').map_or(0, |sign| sign + 1);
        let end = end.max(value + generated::unquoted(&word[value..], false).unwrap_or(0));
        let word = &word[..end + usize::from(word[end..].starts_with(';'))];
        length += begin + word.len();
        if !word.ends_with(';') {
            break;
        }
    }
    let value = line[..length].trim_end_matches([' ', '\\', ';']);
    let is_word = !value.contains([' ', '=']) && looks_random(value.trim_matches('`'), 6);
    let is_whole =
        is_last || value.contains(';') || value.split_once('=').is_some_and(|(_, value)| looks_random(value, 6));
    (is_whole && is_cookie(value) || is_word).then_some(value.len())
}

/// The token that browsers send as one of the protocols of a socket: `Sec-WebSocket-Protocol: bearer, …`.
pub(crate) fn subprotocol(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let name = rest.get(..SUBPROTOCOLS.len()).filter(|name| name.eq_ignore_ascii_case(SUBPROTOCOLS))?.len();
    let open = name + run(&rest[name..], |byte| b"\\\"': ".contains(&byte));
    let near = &rest[open..boundary(rest, open + LINE)];
    let line = &near[..near.find(['\n', '\r', '"', '\'', '\\']).unwrap_or(near.len())];
    let mut begin = open;
    for protocol in line.split(',') {
        let word = protocol.trim();
        let at = begin + protocol.find(word).unwrap_or_default();
        if word.len() >= SHORTEST_TOKEN && is_strong(word) && !word.contains(' ') {
            return Some(place.at + at..place.at + at + word.len());
        }
        begin += protocol.len() + 1;
    }
    None
}

/// The values of the cookies that a command sends: `curl -b "session=…"`.
pub(crate) fn of_command(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let option = ["-b ", "--cookie ", "--cookie="].iter().find(|option| rest.starts_with(**option))?.len();
    let quote = rest[option..].chars().next().filter(|c| "\"'".contains(*c))?;
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(LINE))..place.at];
    let line = before.rsplit('\n').next().unwrap_or_default();
    looked_at(line.len());
    let range = quoted(&rest[option..], 0, quote);
    let cookies = place.at + option + range.start..place.at + option + range.end;
    let is_cookie = line.contains("curl") && place.text[cookies.clone()].contains('=');
    is_cookie.then(|| within_cookies(place.text, cookies)).flatten()
}

/// The value of a field of a form, on the next line that is none of its headers: `form-data; name="password"`.
pub(crate) fn form_field(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let near = &rest[..boundary(rest, LINE)];
    let name = near.strip_prefix("form-data; name=\"")?;
    let name = &name[..name.find(['"', '\n'])?];
    if !crate::is_secret_name(name) {
        return None;
    }
    let mut at = near.find('\n')? + 1;
    for line in near[at..].split('\n') {
        let value = line.trim();
        if !value.is_empty() && !value.starts_with("Content-") {
            let begin = place.at + at + line.find(value)?;
            return (!value.starts_with("--")).then(|| begin..begin + value.len());
        }
        at += line.len() + 1;
    }
    None
}

/// Whether a text begins with a cookie: a name, an equals sign, and more than an attribute of cookies.
fn is_cookie(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default().trim_end_matches(';');
    let name = first.split_once('=').map(|(name, _)| name.to_ascii_lowercase());
    name.is_some_and(|name| !ATTRIBUTES.contains(&name.as_str())) && !text.split(';').all(is_choice)
}

/// Whether a cookie keeps what somebody chose, or is an attribute: `theme=dark`, `lang=en`, `Path=/`.
fn is_choice(cookie: &str) -> bool {
    let (name, value) = cookie.trim().split_once('=').unwrap_or((cookie, ""));
    let name = name.to_ascii_lowercase();
    let is_short = value.len() <= 8 && value.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
    ATTRIBUTES.contains(&name.as_str())
        || is_short && CHOICES.split(' ').any(|choice| name.ends_with(choice))
        || value.is_empty()
}

fn speaks(text: &str, is_quoted: bool) -> bool {
    let sign = if is_quoted { Sign::Equals } else { Sign::Colon };
    only_speaks(Kind::Token, "token", Value { text, after: "", sign, is_quoted, is_parameter: false })
}

/// The hexadecimal digits of a header for a key that somebody has made up: `X-Partner-Key: …`.
pub(crate) fn of_key(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    rest.as_bytes().get(1).filter(|byte| **byte == b'-')?;
    let name = run_within(rest, LONGEST_NAME, |byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let words = rest[..name].to_ascii_lowercase();
    let owner = words.strip_suffix("-key")?.rsplit('-').next()?;
    let sign = name + run_within(&rest[name..], SIGN, |byte| b"\"' :\\".contains(&byte));
    let value = &rest[sign..boundary(rest, sign + LINE).max(sign)];
    let length = run(value, |byte| DOTTED(byte) || b"+/=~".contains(&byte));
    let text = value[..length].trim_end_matches('.');
    // Others are told as those of every name are.
    let is_hex = text.len() >= SHORTEST_TOKEN && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_secret = is_hex && looks_random(text, SHORTEST_TOKEN) || is_uuid(text);
    let is_secret = is_secret && !names::is_of_thing(owner) && names::owner(&format!("{owner}key")).is_none();
    (is_secret && rest[name..sign].contains(':')).then(|| place.at + sign..place.at + sign + text.len())
}
