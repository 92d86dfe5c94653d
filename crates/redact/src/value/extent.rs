//! The value that belongs to a name: where it begins and where it ends. Pure.

use std::ops::Range;

use super::braces::{closing, in_braces, is_map, is_scheme};
use super::generated;
use super::next::separates;
use super::sign::Sign;
use crate::text::alphabet::DOTTED;
use crate::text::place::{boundary, looked_at, run};
use crate::word::random::{is_strong, is_varied, looks_random};
use crate::word::tongue;

/// How far a line is followed in search of its sense.
const LINE: usize = 512;

/// How far the word that follows a value at once is followed.
const MOST_GLUED: usize = 48;

/// Names inside of an object that is the value of a secret's name.
const INNER: [&str; 10] =
    ["value", "plaintext", "plain", "data", "content", "secret", "default", "string", "text", "s"];

/// Brackets that values may stand in.
const BRACKETS: [(char, char); 3] = [('(', ')'), ('[', ']'), ('{', '}')];

/// Where the value stands, without its quotation marks. Without any, one of the characters `ends` ends it, too.
pub(crate) fn extent(text: &str, sign: Sign, ends: &str) -> Option<Range<usize>> {
    let slashes = run(text, |byte| byte == b'\\');
    let quote = text[slashes..].chars().next()?;
    // A key with its marks is looked at by itself.
    if text.starts_with("-----BEGIN ") {
        return None;
    }
    let (ends, is_query) = ends.strip_suffix('&').map_or((ends, false), |ends| (ends, true));
    if let Some(close) = in_braces(text, sign) {
        return Some(1..close);
    }
    if sign != Sign::Beside
        && ends.is_empty()
        && let Some(range) = made(text, slashes, quote, is_query)
    {
        return Some(range.start..range.end.max(if range.start == 0 { unquoted(text, ends) } else { 0 }));
    }
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
    let inside = |close: char| 1..closing(line, close).max(1);
    match quote {
        // A password may begin with a bracket that nothing closes.
        '[' | '{' if is_unclosed(line) => Some(0..unquoted(text, ends)),
        '(' => Some(of_two(line).unwrap_or_else(|| inside(')'))),
        '{' if line.starts_with("{{") => None,
        // `{SSHA}…`, and in strings of connections `{…}`.
        '{' => match line.find('}').filter(|close| is_scheme(&line[1..*close])) {
            Some(close) if !line[close + 1..].trim().is_empty() && !line[close + 1..].starts_with([',', '}', ' ']) => {
                Some(0..close + 1 + unquoted(&text[close + 1..], ends))
            }
            _ => (sign == Sign::Equals && !is_map(&line[inside('}')])).then(|| inside('}')),
        },
        '[' if sign == Sign::Equals && line.len() > 1 && !line[1..].trim_start().starts_with(['"', '\'']) => {
            Some(inside(']'))
        }
        '[' => listed(text),
        _ if sign == Sign::Block => Some(0..line.trim_end().len()),
        _ => Some(0..unquoted(text, ends)),
    }
}

/// A generated password that stands without quotation marks, also one that begins with such a mark or with a bracket: what these
/// open closes, and not before the word ends that would be a password.
fn made(text: &str, slashes: usize, first: char, is_query: bool) -> Option<Range<usize>> {
    let length = generated::unquoted(text, is_query)?;
    if "\"'`".contains(first) {
        let end = quoted(text, slashes, first).end;
        let is_quotation = end >= length && text[end..].trim_start_matches('\\').starts_with(first);
        return (!is_quotation && slashes + 1 < length).then_some(slashes + 1..length);
    }
    let Some((_, close)) = BRACKETS.iter().find(|(open, _)| *open == first) else { return Some(0..length) };
    let after = text[length..].trim_start_matches(['"', '\'']);
    match text[1..].chars().next().filter(|c| "\"'".contains(*c)) {
        Some(quote) => {
            let end = 1 + quoted(&text[1..], 0, quote).end;
            let is_closed = text
                .get(end + 1..)
                .is_none_or(|after| after.is_empty() || after.starts_with([',', ' ', ':', '=', ')', ']', '}']));
            (!is_closed).then_some(0..length)
        }
        None if after.starts_with(", ") => None,
        None => Some(usize::from(after.starts_with(*close))..length),
    }
}

/// Whether the bracket that begins a line is of a password: a random word follows, and nothing closes it.
fn is_unclosed(line: &str) -> bool {
    let word = line.split(char::is_whitespace).next().unwrap_or_default();
    let inner = word.trim_start_matches(['[', '{']);
    let is_random = is_strong(inner)
        || inner.len() >= 10 && looks_random(inner, 10) && inner.bytes().any(|byte| byte.is_ascii_digit());
    is_random && word.len() - inner.len() <= 2 && !line.contains([']', '}', '"', '\'', ',', ':', '='])
}

/// The value in an object: `{"value": "…"}` after `"password":`.
pub(crate) fn within(text: &str, sign: Sign, is_plural: bool) -> Option<Range<usize>> {
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
        if signs > 0 && (is_plural || is_inner(name)) {
            let value = 1 + close + signs;
            let value = value + run(&text[value..], |byte| byte == b' ');
            let range = extent(&text[value..], Sign::Equals, "").filter(|_| !text[value..].starts_with('{'))?;
            return Some(value + range.start..value + range.end);
        }
        at = begin + word.max(1);
    }
    None
}

/// The second of two quoted texts in brackets, which are a user and a password: `auth=("bob", "…")`.
fn of_two(text: &str) -> Option<Range<usize>> {
    let quote = text[1..].chars().next().filter(|c| "\"'".contains(*c))?;
    let user = quoted(&text[1..], 0, quote);
    let gap = 1 + user.end + 1;
    let begin = gap + run(text.get(gap..)?, |byte| b", ".contains(&byte));
    let password = quoted(&text[begin..], 0, text[begin..].chars().next().filter(|c| *c == quote)?);
    Some(begin + password.start..begin + password.end)
}

/// Whether a member of an object has the value of that object's name: `value`, `plaintext`, `stringValue`.
fn is_inner(name: &str) -> bool {
    INNER.iter().any(|inner| inner.eq_ignore_ascii_case(name)) || name.ends_with("Value")
}

pub(crate) fn quoted(text: &str, slashes: usize, quote: char) -> Range<usize> {
    let range = quotation(text, slashes, quote);
    looked_at(range.end);
    range
}

/// The items of a list, from the first to the last: one word each, and no words of a language.
fn listed(text: &str) -> Option<Range<usize>> {
    let list = &text[1..boundary(text, 2 * LINE).max(1)];
    let list = &list[..list.find(']').unwrap_or(list.len())];
    if let Some(quote) = text[1..].chars().next().filter(|c| "\"'".contains(*c)) {
        // One item, with a bracket in it.
        let item = quoted(&text[1..], 0, quote);
        let item = 1 + item.start..1 + item.end;
        let is_only = text.get(item.end + 1..).is_some_and(|after| after.starts_with(']'));
        if is_only && item.end > list.len() && generated::is_no_code(&text[item.clone()]) {
            return Some(item);
        }
    }
    let decorates = |c: char| c.is_whitespace() || "\"'`\\".contains(c);
    let first = list.len() - list.trim_start_matches(decorates).len();
    let last = list.trim_end_matches(|c| decorates(c) || c == ',').len();
    let items = list.get(first..last).filter(|items| !items.is_empty())?;
    let is_secret = |item: &str| {
        let item = item.trim_matches(decorates);
        !item.contains(char::is_whitespace) && looks_random(item, 6)
    };
    if items.split(',').all(is_secret) {
        return Some(1 + first..1 + last);
    }
    // One secret among other items.
    let mut at = 1 + first;
    for item in items.split(',') {
        let word = item.trim_matches(decorates);
        if (is_strong(word) || is_varied(word)) && !word.contains(char::is_whitespace) {
            let begin = at + item.find(word)?;
            return Some(begin..begin + word.len());
        }
        at += item.len() + 1;
    }
    None
}

/// The end of the last item of a list of YAML, whose first item ends at `end`.
pub(crate) fn listed_below(text: &str, mut end: usize) -> usize {
    while let Some(next) = text[end..].trim_start_matches(['"', '\'']).strip_prefix('\n') {
        let line = &next[..boundary(next, 512)];
        let line = &line[..line.find('\n').unwrap_or(line.len())];
        let Some(item) = line.trim_start().strip_prefix("- ").map(|item| item.trim_matches(['"', '\'', ' '])) else {
            break;
        };
        if item.contains(' ') || !looks_random(item, 6) {
            break;
        }
        let begin = text.len() - next.len() + line.find(item).unwrap_or_default();
        end = begin + item.len();
    }
    end
}

fn quotation(text: &str, slashes: usize, quote: char) -> Range<usize> {
    let open = slashes + 1;
    let inner = &text[open..];
    // Three of them, as languages have it.
    let three = || inner[2..].lines().next().is_some_and(|line| line.contains(&[quote; 3].iter().collect::<String>()));
    if slashes == 0
        && inner.get(..2).is_some_and(|more| more.chars().all(|c| c == quote))
        && (quote != '\'' || three() || below_quotes(&inner[2..], quote) > 0)
    {
        let begin = 2 + below_quotes(&inner[2..], quote);
        let length = inner[begin..].find(['\n', quote]).unwrap_or(inner.len() - begin);
        return open + begin..open + begin + length;
    }
    let (mut preceding, mut passed) = (0, 0);
    for (at, character) in inner.char_indices() {
        if passed > 0 && character != '\n' {
            passed -= 1;
            continue;
        }
        match character {
            '\n' => return open..open + at,
            '\\' => preceding += 1,
            _ if character == quote => {
                passed = if slashes == 0 && preceding == 0 { stands_for_one(inner, at, quote) } else { 0 };
                if passed == 0 && (closes(preceding, slashes) || slashes == 0 && is_bare(inner, at, quote)) {
                    return open..open + at - preceding.min(slashes);
                }
                preceding = 0;
            }
            _ => preceding = 0,
        }
    }
    open..text.len()
}

/// The length of the line's end behind three marks that open a text of one word: `"""` and below it the value.
fn below_quotes(text: &str, quote: char) -> usize {
    let Some(white) = ["\n", "\r\n"].iter().find(|end| text.starts_with(**end)).map(|end| end.len()) else { return 0 };
    let word = run(&text[white..], |byte| byte.is_ascii_graphic() && !b"\"'".contains(&byte));
    let after = text[white + word..].trim_start_matches(['\r', '\n']);
    if word > 0 && after.starts_with(&[quote; 3].iter().collect::<String>()) { white } else { 0 }
}

/// How many characters after the mark at `at` are passed where marks stand for one of the value: two of the same, or how a shell
/// writes one: `'it'"'"'s'`, `'it'\''s'`.
fn stands_for_one(inner: &str, at: usize, quote: char) -> usize {
    let rest = &inner[at..];
    if quote == '\'' && rest.starts_with("'\"'\"'") {
        return 4;
    }
    if quote == '\'' && rest.starts_with("'\\''") {
        return 3;
    }
    usize::from((at > 0 || quote == '\'' && rest.starts_with("''")) && is_doubled(rest, quote))
}

/// Whether the mark at `at` ends its quotation although a backslash stands before it, which is the last character of a password:
/// no other mark follows that could end it.
fn is_bare(inner: &str, at: usize, quote: char) -> bool {
    let rest = &inner[at + quote.len_utf8()..];
    let ends_word = || rest.trim_start_matches([',', ';', ')', '}', ']', ':']).starts_with(char::is_whitespace);
    let is_last = || {
        let end = rest.find([quote, '\n']).unwrap_or(rest.len());
        looked_at(end);
        !rest[end..].starts_with(quote)
    };
    quote == '\'' && is_last() || ends_word() && generated::is_generated(&inner[..at])
}

/// Whether a quotation mark with so many backslashes before it closes a quotation that so many opened: in pairs, the others
/// stand for backslashes.
fn closes(preceding: usize, slashes: usize) -> bool {
    preceding <= slashes || (preceding - slashes).is_multiple_of(2 * (slashes + 1))
}

/// Whether the mark that begins `text` is one of two that stand for one: `'it''s'`.
fn is_doubled(text: &str, quote: char) -> bool {
    let Some(rest) = text[1..].strip_prefix(quote) else { return false };
    let end = rest.find([quote, '\n']).filter(|end| rest[*end..].starts_with(quote));
    looked_at(end.unwrap_or(0));
    let Some(between) = end.map(|end| &rest[..end]) else { return false };
    let is_apart = rest.starts_with([',', ':', ';', ')', ']', '}']) || between.ends_with(['=', ':', '(', '[']);
    !(is_apart && between.contains(char::is_whitespace))
}

/// The length of a value without quotation marks, which may have punctuation in it.
pub(crate) fn unquoted(text: &str, ends: &str) -> usize {
    const CODED: [&str; 17] = [
        "%26", "%23", "%20", "%22", "%3B", "%0A", "%2C", "%7D", "%5C", "%2526", "\\u0026", "\\u0022", "\\n", "\\r",
        "\\t", "\\\"", "\\0",
    ];
    let ends_here = |rest: &str| CODED.iter().any(|code| rest.starts_with(code));
    let is_entity =
        |rest: &str| ["&amp;", "&quot;", "&#34;", "&lt;", "&gt;", "&nbsp;"].iter().any(|code| rest.starts_with(code));
    let (mut length, mut is_open) = (text.len(), false);
    for (at, c) in text.char_indices() {
        let rest = &text[at..];
        let is_end = match c {
            '`' => true,
            c if ends.contains(c) => true,
            '"' | '|' => !(text[..at].ends_with(char::is_alphanumeric) && is_inside(&rest[1..])),
            '\'' | ';' => !goes_on(&rest[1..]),
            '<' if is_tag(&rest[1..]) || !goes_on(&rest[1..]) => true,
            '<' => {
                is_open = true;
                false
            }
            '>' => !is_open && !goes_on(&rest[1..]),
            '%' | '\\' => ends_here(rest) || rest[1..].starts_with('\n'),
            '&' => is_entity(rest) || separates(&rest[1..]),
            // A name follows no bracket at once.
            ')' => separates(&rest[1..]) && !rest[1..].starts_with(|c: char| c.is_ascii_alphanumeric()),
            ',' | '}' => separates(&rest[1..]),
            ']' => separates(&rest[1..]) || rest.starts_with("]]>"),
            '*' => closes_emphasis(&text[..at], rest),
            c => c.is_whitespace() || "。、،؛।".contains(c) || is_glued(text, at),
        };
        if is_end {
            length = at;
            break;
        }
    }
    looked_at(length);
    text[..length].trim_end_matches([',', ')', ']', '}']).len()
}

/// Whether words of a language without blanks follow a value at once: `…です`, `…입니다`.
fn is_glued(text: &str, at: usize) -> bool {
    let is_of_no_blanks =
        |c: char| matches!(c, '\u{e01}'..='\u{e4e}' | '\u{3040}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}');
    let is_ascii = |c: char| c.is_ascii_graphic();
    let (before, rest) = text.split_at(at);
    rest.starts_with(is_of_no_blanks) && before.starts_with(is_ascii) && before.ends_with(is_ascii) && {
        let word = rest[..boundary(rest, MOST_GLUED)].split(char::is_whitespace).next().unwrap_or_default();
        !word.bytes().any(|byte| byte.is_ascii_alphanumeric()) && !tongue::counts(text)
    }
}

/// Whether asterisks end what they emphasize; more of them are a mask.
fn closes_emphasis(before: &str, rest: &str) -> bool {
    let after = rest.trim_start_matches('*');
    (2..=crate::MASK.len()).contains(&(rest.len() - after.len())) && !before.ends_with('*') && separates(after)
}

/// How much of a value goes on at a character that is percent-encoded, in the query of an address that is itself not: to the
/// next parameter, the fragment or the end of the address.
pub(crate) fn encoded(text: &str) -> usize {
    let near = &text[..boundary(text, LINE)];
    near.find(|c: char| c.is_whitespace() || "&#\"'`<>\\".contains(c)).unwrap_or(near.len())
}

/// Whether a value has a quotation mark or semicolon in its midst: neither its end nor another name comes after it.
fn goes_on(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_ascii_alphanumeric()) && !separates(rest)
}

/// Whether a word goes on, and no other name with its value begins: `ab"cd`, `ab|cd`.
fn is_inside(rest: &str) -> bool {
    let word = run(rest, DOTTED);
    rest.starts_with(|c: char| c.is_ascii_alphanumeric()) && !rest[word..].starts_with(['=', ':'])
}

/// Whether a tag of HTML follows its bracket.
fn is_tag(rest: &str) -> bool {
    let name = run(rest, |byte| byte.is_ascii_alphabetic());
    name > 0 && rest[name..].starts_with(['>', ' ', '/'])
}
