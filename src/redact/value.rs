//! The value that belongs to a name: where it begins and where it ends. Pure.

use std::ops::Range;

use super::names::Kind;
use super::rules::DOTTED;
use super::scan::{boundary, looked_at, looks_random, run};
use super::sign::Sign;
use super::speech::{Value, only_speaks};

/// How far a line is followed in search of its sense.
const LINE: usize = 512;

/// How many words a phrase has at least that stands for a key.
const FEWEST_WORDS: usize = 12;

/// Names inside of an object that is the value of a secret's name.
const INNER: [&str; 10] =
    ["value", "plaintext", "plain", "data", "content", "secret", "default", "string", "text", "s"];

/// What begins the value of an authorization header.
const SCHEMES: &str = "basic bearer digest token apikey key geniekey aws4-hmac-sha256 negotiate ntlm oauth hawk";

/// Where the value stands, without its quotation marks. Without any, one of the characters `ends` ends it, too.
pub(super) fn extent(text: &str, sign: Sign, ends: &str) -> Option<Range<usize>> {
    let slashes = run(text, |byte| byte == b'\\');
    let quote = text[slashes..].chars().next()?;
    if "\"'`".contains(quote) {
        // A quotation may begin with the end of its line.
        let white = run(&text[slashes + 1..], |byte| byte == b'\n' || byte == b' ');
        if slashes == 0 && text[1..].starts_with('\n') {
            let end = text[1 + white..].find(['\n', quote]).unwrap_or(0);
            return Some(1 + white..1 + white + end);
        }
        return Some(quoted(text, slashes, quote));
    }
    if sign == Sign::Beside {
        return None;
    }
    let line = &text[..boundary(text, LINE)];
    let line = &line[..line.find('\n').unwrap_or(line.len())];
    let inside = |close: char| 1..line.find(close).unwrap_or(line.len()).max(1);
    match quote {
        '(' => Some(inside(')')),
        '{' if line.starts_with("{{") => None,
        // `{SSHA}…`, and in strings of connections `{…}`.
        '{' => match line.find('}').filter(|close| line[1..*close].bytes().all(|byte| byte.is_ascii_uppercase())) {
            Some(close) if !line[close + 1..].trim().is_empty() => {
                Some(0..close + 1 + unquoted(&text[close + 1..], ends))
            }
            _ => (sign == Sign::Equals).then(|| inside('}')),
        },
        '[' if sign == Sign::Equals && line.len() > 1 && !line[1..].trim_start().starts_with(['"', '\'']) => {
            Some(inside(']'))
        }
        '[' => listed(text),
        _ if sign == Sign::Block => Some(0..line.trim_end().len()),
        _ => Some(0..unquoted(text, ends)),
    }
}

/// The value in an object: `{"value": "…"}` after `"password":`.
pub(super) fn within(text: &str, sign: Sign, is_plural: bool) -> Option<Range<usize>> {
    let open = text.strip_prefix('{').filter(|_| matches!(sign, Sign::Colon | Sign::Equals | Sign::Loose))?;
    let near = &open[..boundary(open, LINE)];
    let near = &near[..near.find('}').unwrap_or(near.len())];
    let mut at = 0;
    while at < near.len() {
        let skipped = near[at..].bytes().take_while(|byte| !byte.is_ascii_alphabetic()).count();
        let begin = at + skipped;
        let word = run(&near[begin..], |byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let name = &near[begin..begin + word];
        let close = begin + word + run(&near[begin + word..], |byte| b"\\\"' ".contains(&byte));
        let signs = run(&near[close..], |byte| b":=".contains(&byte));
        if signs > 0 && (is_plural || INNER.iter().any(|inner| inner.eq_ignore_ascii_case(name))) {
            let value = 1 + close + signs;
            let value = value + run(&text[value..], |byte| byte == b' ');
            let range = extent(&text[value..], Sign::Equals, "")?;
            return Some(value + range.start..value + range.end);
        }
        at = begin + word.max(1);
    }
    None
}

pub(super) fn quoted(text: &str, slashes: usize, quote: char) -> Range<usize> {
    let range = quotation(text, slashes, quote);
    looked_at(range.end);
    range
}

/// The items of a list, from the first to the last: one word each, and no words of a language.
fn listed(text: &str) -> Option<Range<usize>> {
    let list = &text[1..boundary(text, 2 * LINE).max(1)];
    let list = &list[..list.find(']').unwrap_or(list.len())];
    let decorates = |c: char| c.is_whitespace() || "\"'`\\".contains(c);
    let first = list.len() - list.trim_start_matches(decorates).len();
    let last = list.trim_end_matches(|c| decorates(c) || c == ',').len();
    let items = list.get(first..last).filter(|items| !items.is_empty())?;
    let is_secret = |item: &str| {
        let item = item.trim_matches(decorates);
        !item.contains(char::is_whitespace) && looks_random(item, 6)
    };
    items.split(',').all(is_secret).then(|| 1 + first..1 + last)
}

/// A phrase of many plain words, which stands for a key, to the end of its line.
pub(super) fn phrase(text: &str) -> Option<Range<usize>> {
    let near = &text[..boundary(text, LINE)];
    let begin = run(near, |byte| b"\"'\\".contains(&byte));
    let line = &near[begin..];
    let line = line[..line.find(['\n', '"', '\'', '\\']).unwrap_or(line.len())].trim_end();
    let is_word = |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_phrase = line.split(' ').all(is_word) && line.split(' ').count() >= FEWEST_WORDS;
    is_phrase.then(|| begin..begin + line.len())
}

fn quotation(text: &str, slashes: usize, quote: char) -> Range<usize> {
    let open = slashes + 1;
    let inner = &text[open..];
    // Three of them, as languages have it.
    if slashes == 0 && inner.get(..2).is_some_and(|more| more.chars().all(|c| c == quote)) {
        let length = inner[2..].find(['\n', quote]).unwrap_or(inner.len() - 2);
        return open + 2..open + 2 + length;
    }
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
fn unquoted(text: &str, ends: &str) -> usize {
    const CODED: [&str; 16] = [
        "%26", "%23", "%20", "%22", "%3B", "%0A", "%2C", "%7D", "%5C", "%2526", "\\u0026", "\\u0022", "\\n", "\\r",
        "\\t", "\\\"",
    ];
    let ends_here = |rest: &str| CODED.iter().any(|code| rest.starts_with(code));
    let is_entity =
        |rest: &str| ["&amp;", "&quot;", "&#34;", "&lt;", "&gt;", "&nbsp;"].iter().any(|code| rest.starts_with(code));
    let (mut length, mut is_open) = (text.len(), false);
    for (at, c) in text.char_indices() {
        let rest = &text[at..];
        let is_end = match c {
            '"' | '`' | '|' => true,
            c if ends.contains(c) => true,
            '\'' | ';' => !goes_on(&rest[1..]),
            '<' if is_tag(&rest[1..]) || !goes_on(&rest[1..]) => true,
            '<' => {
                is_open = true;
                false
            }
            '>' => !is_open,
            '%' | '\\' => ends_here(rest) || rest[1..].starts_with('\n'),
            '&' => is_entity(rest) || separates(&rest[1..]),
            ',' | ')' | '}' => separates(&rest[1..]),
            ']' => separates(&rest[1..]) || rest.starts_with("]]>"),
            '*' => rest.starts_with("**") && separates(rest[2..].trim_start_matches('*')),
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
        || "\"',;)]}(*".contains(next)
        || (name > 0 && name < 64 && rest[name..].starts_with(['=', ':']))
        || (name > 0 && name < 64 && rest[name..].starts_with("[]="))
}

/// The value of an `Authorization` or `Cookie` header, to the end of its line; `None` for a sentence about one.
pub(super) fn header(text: &str, is_authorization: bool) -> Option<Range<usize>> {
    if text.starts_with(super::MASK) {
        return None;
    }
    let slashes = run(text, |byte| byte == b'\\');
    if let Some(quote) = text[slashes..].chars().next().filter(|c| "\"'".contains(*c)) {
        let range = quoted(text, slashes, quote);
        let value =
            Value { text: &text[range.clone()], after: "", sign: Sign::Equals, is_quoted: true, is_parameter: false };
        return (!range.is_empty() && !only_speaks(Kind::Token, "token", value)).then_some(range);
    }
    let open = run(text, |byte| b"[\"' ".contains(&byte));
    let near = &text[open..boundary(text, open + LINE).max(open)];
    let line = &near[..near.find(['\n', '\r']).unwrap_or(near.len())];
    let line = &line[..line.find("\\n").or_else(|| line.find("\\r")).unwrap_or(line.len())];
    let first = line.split_whitespace().next()?;
    let is_scheme = SCHEMES.split(' ').any(|scheme| scheme.eq_ignore_ascii_case(first));
    let has_parts =
        ["digest", "hawk", "oauth"].iter().any(|scheme| scheme.eq_ignore_ascii_case(first)) && line.contains("=\"");
    // In a quotation the header ends with it; a digest has quotation marks of its own.
    let line = if has_parts { line } else { &line[..line.find(['"', '\'', '<', '|']).unwrap_or(line.len())] };
    let line = line.trim_end_matches([' ', '\\']);
    let words = line.split_whitespace().count();
    let speaks = |text| {
        let value = Value { text, after: "", sign: Sign::Colon, is_quoted: false, is_parameter: false };
        only_speaks(Kind::Token, "token", value)
    };
    let credential = line.get(first.len()..).unwrap_or_default().trim();
    let is_credential = !speaks(credential) && (words == 2 || credential.split(' ').any(|word| looks_random(word, 4)));
    let is_header = match is_authorization {
        true => is_scheme && (2..=8).contains(&words) && is_credential || words == 1 && !speaks(line),
        false => is_cookie(line) || (words == 1 && looks_random(line, 6)),
    };
    if is_header {
        // The line may be longer than what was looked at.
        let end = if line.len() == near.len() { text.find('\n').unwrap_or(text.len()) } else { open + line.len() };
        return Some(open..end);
    }
    let has_digit = |word: &str| word.bytes().any(|byte| byte.is_ascii_digit());
    let word = line.split_whitespace().find(|word| word.len() >= 12 && has_digit(word) && looks_random(word, 8))?;
    let at = open + line.find(word)?;
    Some(at..at + word.len())
}

/// Whether a line begins with a cookie: a name, an equals sign, and more than an attribute of cookies.
fn is_cookie(line: &str) -> bool {
    let first = line.split_whitespace().next().unwrap_or_default().trim_end_matches(';');
    let is_whole = line.contains(';') || !line.trim().contains(' ');
    let name = first.split_once('=').filter(|(_, value)| is_whole || looks_random(value, 6));
    let name = name.map(|(name, _)| name.to_ascii_lowercase());
    name.is_some_and(|name| !["samesite", "path", "domain", "max-age", "expires", "secure"].contains(&name.as_str()))
}
