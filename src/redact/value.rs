//! The value that belongs to a name: where it ends, and whether it only says something about a secret. Pure.

use std::ops::Range;

use super::names::{HARMLESS_VALUES, PARAMETERS, SCHEMES, TALKATIVE_NAMES};
use super::pair::{Sign, owner};
use super::rules::DOTTED;
use super::scan::{boundary, looked_at, looks_random, run};

/// How far a line is followed in search of its sense.
const LINE: usize = 512;

/// Owners whose keys are as often names of queues and places as secrets.
const DOUBTFUL_OWNERS: [&str; 8] =
    ["routing", "integration", "service", "session", "account", "app", "consumer", "license"];

/// Ends of what says how a secret is kept: `base64-encoded`.
const KEPT: [&str; 3] = ["encoded", "encrypted", "hashed"];

/// How many words a phrase has at least that stands for a key.
const FEWEST_WORDS: usize = 12;

/// Where the value stands, without its quotation marks.
pub(super) fn extent(text: &str, sign: Sign) -> Option<Range<usize>> {
    let slashes = run(text, |byte| byte == b'\\');
    let quote = text[slashes..].chars().next()?;
    if "\"'`".contains(quote) {
        return Some(quoted(text, slashes, quote));
    }
    if sign == Sign::Beside {
        return None;
    }
    let line = &text[..boundary(text, LINE)];
    let line = &line[..line.find('\n').unwrap_or(line.len())];
    match quote {
        '(' => Some(1..line.find(')').unwrap_or(line.len()).max(1)),
        '{' if sign == Sign::Equals && !line.starts_with("{{") => Some(1..line.find('}').unwrap_or(line.len()).max(1)),
        '[' if sign == Sign::Equals => Some(1..line.find(']').unwrap_or(line.len()).max(1)),
        '[' => listed(line),
        '{' => None,
        _ if sign == Sign::Block => Some(0..line.trim_end().len()),
        _ => Some(0..unquoted(text)),
    }
}

pub(super) fn quoted(text: &str, slashes: usize, quote: char) -> Range<usize> {
    let range = quotation(text, slashes, quote);
    looked_at(range.end);
    range
}

/// The quoted items of a list, as headers are told: one word each, and no words of a language.
fn listed(line: &str) -> Option<Range<usize>> {
    let open = 1 + run(&line[1..], |byte| b" \\".contains(&byte));
    let quote = line[open..].chars().next().filter(|c| "\"'".contains(*c))?;
    let inner = &line[open + 1..line.find(']')?.max(open + 1)];
    let end = inner.rfind(quote)?;
    let items = inner[..end].trim_end_matches('\\');
    let is_secret = |item: &str| {
        let item = item.trim_matches(|c: char| c == quote || c == '\\' || c == ' ');
        !item.contains(char::is_whitespace) && looks_random(item, 6)
    };
    items.split(',').all(is_secret).then(|| open + 1..open + 1 + items.len())
}

/// A phrase of many plain words, which stands for a key, to the end of its line.
pub(super) fn phrase(text: &str) -> Option<Range<usize>> {
    let near = &text[..boundary(text, LINE)];
    let begin = run(near, |byte| byte == b'"' || byte == b'\'' || byte == b'\\');
    let line = &near[begin..];
    let line = line[..line.find(['\n', '"', '\'', '\\']).unwrap_or(line.len())].trim_end();
    let is_word = |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_phrase = line.split(' ').all(is_word) && line.split(' ').count() >= FEWEST_WORDS;
    is_phrase.then(|| begin..begin + line.len())
}

fn quotation(text: &str, slashes: usize, quote: char) -> Range<usize> {
    let open = slashes + 1;
    let inner = &text[open..];
    let mut preceding = 0;
    for (at, character) in inner.char_indices() {
        match character {
            '\\' => preceding += 1,
            '\n' => return open..open + at,
            _ if character == quote && preceding <= slashes => return open..open + at - preceding,
            _ => preceding = 0,
        }
    }
    open..text.len()
}

/// The length of a value without quotation marks, which may have punctuation in it.
fn unquoted(text: &str) -> usize {
    let ends_here = |rest: &str| {
        let coded = [
            "%26", "%23", "%20", "%22", "%3B", "%0A", "%2526", "&amp;", "&quot;", "&#34;", "\\u0026", "\\n", "\\r",
            "\\t", "\\\"",
        ];
        coded.iter().any(|code| rest.starts_with(code))
    };
    let (mut length, mut is_open) = (text.len(), false);
    for (at, c) in text.char_indices() {
        let rest = &text[at..];
        let is_end = match c {
            '"' | '`' | '|' => true,
            '\'' | ';' => !goes_on(&rest[1..]),
            '<' if is_tag(&rest[1..]) || !goes_on(&rest[1..]) => true,
            '<' => {
                is_open = true;
                false
            }
            '>' => !is_open,
            '%' | '\\' => ends_here(rest),
            '&' => ends_here(rest) || separates(&rest[1..]),
            ',' | ')' | ']' | '}' => separates(&rest[1..]),
            c => c.is_whitespace(),
        };
        if is_end {
            length = at;
            break;
        }
    }
    looked_at(length);
    text[..length].trim_end_matches([',', ')', ']', '}']).len()
}

/// Whether a value has a quotation mark or semicolon in its midst: neither its end nor another name comes after it.
fn goes_on(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_ascii_alphanumeric()) && !separates(rest)
}

/// Whether a tag of HTML follows its bracket.
fn is_tag(rest: &str) -> bool {
    let name = run(rest, |byte| byte.is_ascii_alphabetic());
    name > 0 && rest[name..].starts_with(['>', ' ', '/'])
}

/// Whether a value ends before `rest`: at a blank, at more closing marks, or at the name of the next value.
fn separates(rest: &str) -> bool {
    let Some(next) = rest.chars().next() else { return true };
    let name = run(rest, DOTTED);
    next.is_whitespace()
        || "\"',;)]}(".contains(next)
        || (name > 0 && name < 64 && rest[name..].starts_with(['=', ':']))
}

/// Whether `value` only says something about the secret that `name` keeps.
pub(super) fn is_harmless(name: &str, value: &str, sign: Sign, is_quoted: bool) -> bool {
    let word = value.trim_matches(|c: char| c.is_ascii_punctuation() && c != '*').to_ascii_lowercase();
    if HARMLESS_VALUES.contains(&word.as_str()) || (word.is_empty() && value.len() < 4) {
        return true;
    }
    if value.starts_with("${") || value.starts_with("{{") || value.starts_with("$(") || value.starts_with(super::MASK) {
        return true;
    }
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
    let has_digits = word.bytes().any(|byte| byte.is_ascii_digit());
    let is_plain = word.bytes().all(|byte| byte.is_ascii_alphabetic());
    let has_capitals = value.bytes().skip(1).any(|byte| byte.is_ascii_uppercase());
    if is_number && word.len() <= 4 && (PARAMETERS.contains(&name) || name.ends_with("pass")) {
        return true;
    }
    if name == "code" && value.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') {
        return true;
    }
    if name == "pwd" && value.starts_with(['/', '~']) {
        return true;
    }
    if name == "pw" && is_number && word.len() <= 4 {
        return true;
    }
    if name == "secretid" {
        return !is_uuid(value);
    }
    match sign {
        Sign::Word => !is_quoted && is_said(&word, has_capitals) || word.len() < 4,
        Sign::Beside => !looks_random(value, 4),
        Sign::Colon if !is_quoted => {
            let is_word = !has_capitals || is_cause(value);
            is_plain && is_word && TALKATIVE_NAMES.iter().any(|talkative| name.ends_with(talkative))
        }
        _ => owner(name).is_some_and(|owner| DOUBTFUL_OWNERS.contains(&owner)) && !has_capitals && !has_digits,
    }
}

/// Whether a word after `is` only says something: `expired`, `read-only`, `base64-encoded`.
fn is_said(word: &str, has_capitals: bool) -> bool {
    let mut parts = word.split(['-', '_']);
    let is_plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_kept = KEPT.iter().any(|kept| word.ends_with(kept));
    !has_capitals && (is_kept || parts.clone().count() <= 2 && parts.all(is_plain))
}

/// Whether `value` has the form of a UUID.
fn is_uuid(value: &str) -> bool {
    let groups: Vec<&str> = value.split('-').collect();
    let lengths = groups.iter().map(|group| group.len());
    lengths.eq([8, 4, 4, 4, 12]) && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Whether a plain value is a cause such as `AccessDenied`, or an abbreviation such as `JWT`.
fn is_cause(value: &str) -> bool {
    let is_word = |word: &[u8]| word.len() >= 3 && word[1..].iter().all(u8::is_ascii_lowercase);
    let is_short = value.len() <= 4 && value.bytes().all(|byte| byte.is_ascii_uppercase());
    is_short || value.as_bytes().chunk_by(|_, next| next.is_ascii_lowercase()).all(is_word)
}

/// The value of an `Authorization` or `Cookie` header, to the end of its line; `None` for a sentence about one.
pub(super) fn header(text: &str, is_authorization: bool) -> Option<Range<usize>> {
    let slashes = run(text, |byte| byte == b'\\');
    if let Some(quote) = text[slashes..].chars().next().filter(|c| "\"'".contains(*c)) {
        let range = quoted(text, slashes, quote);
        return (!range.is_empty()).then_some(range);
    }
    let near = &text[..boundary(text, LINE)];
    let line = &near[..near.find(['\n', '\r']).unwrap_or(near.len())];
    let line = &line[..line.find("\\n").or_else(|| line.find("\\r")).unwrap_or(line.len())];
    let first = line.split_whitespace().next()?;
    let is_scheme = SCHEMES.contains(&first.to_ascii_lowercase().as_str());
    let has_parts = is_scheme && line.contains("=\"");
    // In a quotation the header ends with it; a digest has quotation marks of its own.
    let line = if has_parts { line } else { &line[..line.find(['"', '\'', '<']).unwrap_or(line.len())] };
    let line = line.trim_end();
    let words = line.split_whitespace().count();
    let is_header = match is_authorization {
        true => is_scheme && words > 1 || words == 1 && !is_harmless("token", line, Sign::Colon, false),
        false => first.trim_end_matches(';').contains('=') || (words == 1 && looks_random(line, 6)),
    };
    if is_header {
        // The line may be longer than what was looked at.
        let end = if line.len() == near.len() { text.find('\n').unwrap_or(text.len()) } else { line.len() };
        return Some(0..end);
    }
    let word = line.split_whitespace().find(|word| looks_random(word, 8) && word.len() >= 12)?;
    let at = line.find(word)?;
    Some(at..at + word.len())
}
