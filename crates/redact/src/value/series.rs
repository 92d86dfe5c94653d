//! More than one value of a name: the members of a map, the items of a list, and what a value was before it changed. Pure.

use std::ops::Range;

use super::extent::{quoted, unquoted};
use super::sign::{Sign, is_blank};
use super::speech::{Value, only_speaks};
use crate::text::alphabet::DOTTED;
use crate::text::place::{Place, boundary, looked_at, run};
use crate::word::names::{Kind, Name};
use crate::word::random::{is_strong, is_varied, looks_random};
use crate::word::shape::{is_identifying, is_label};

/// How far a map, a list or a change is followed.
const NEAR: usize = 1024;

/// How many lines of a block are looked at.
const MOST_LINES: usize = 32;

/// Words that may stand between a name and its old value.
const LEADS: &str = "is was has been changed rotated updated reset replaced mismatch from got expected";

/// How many of them.
const MOST_LEADS: usize = 5;

/// What divides an old value from a new one.
const TURNS: [&str; 18] = [
    " -> ",
    "->",
    " => ",
    "=>",
    " > ",
    " to equal ",
    " to ",
    ", want ",
    ", got ",
    ", expected ",
    " but got ",
    " but was ",
    " != ",
    " and ",
    ", now it's ",
    ", now it is ",
    ", now ",
    " now ",
];

/// Names of what a field was and is, beside each other: `"old": "…", "new": "…"`.
const TIMES: &str = "old new from to before after previous current oldvalue newvalue";

/// Members of a map that are no secrets, whatever it is called.
const PLAIN: &str = "id name type kind user username host hostname port role region profile expires expiration issued created updated \
    namespace version email account url uri path";

/// The values in the map, the list of maps, or the block of lines that a name has.
pub(crate) fn inside(place: Place<'_>, named: &Name, sign: Sign, begin: usize) -> Vec<Range<usize>> {
    let text = &place.text[begin..];
    if !matches!(named.kind, Kind::Token | Kind::Password) || !matches!(sign, Sign::Colon | Sign::Equals) {
        return Vec::new();
    }
    let is_map = text.starts_with('{') && !text.starts_with("{{") || text.starts_with("[{");
    let members = match text.as_bytes() {
        _ if is_map => members(&text[..boundary(text, NEAR)]),
        [b'\n', ..] => indent(place).map_or_else(Vec::new, |indent| block(&text[..boundary(text, NEAR)], indent)),
        _ => return Vec::new(),
    };
    let is_secret = |(name, range): &(&str, Range<usize>)| is_member(named, name, &text[range.clone()]);
    members.into_iter().filter(is_secret).map(|(_, range)| range).collect()
}

/// Whether the member of a map that keeps secrets is one.
fn is_member(named: &Name, name: &str, value: &str) -> bool {
    let is_random = if named.kind == Kind::Password { looks_random(value, 6) } else { is_strong(value) };
    let told = Value { text: value, after: "", sign: Sign::Equals, is_quoted: true, is_parameter: false };
    // `"password": {"before": "…", "after": null}`
    let was_one = named.kind == Kind::Password && is_time(&name.to_ascii_lowercase());
    !is_plain(name)
        && (was_one || is_random && !is_label(value) && !is_identifying(value))
        && !value.contains([' ', ':'])
        && !only_speaks(named.kind, &named.core, told)
}

/// Whether a member with this name is no secret in any map.
pub(crate) fn is_plain(name: &str) -> bool {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    PLAIN.split_ascii_whitespace().any(|plain| plain == name) || name.ends_with("id") || name.ends_with("name")
}

/// The values of a map, with their names, at any depth. An item of a list has the name before the list.
pub(crate) fn members(text: &str) -> Vec<(&str, Range<usize>)> {
    let mut found = Vec::new();
    let (mut at, mut name, mut is_value) = (0, "", false);
    // The brackets that are open.
    let mut open = Vec::new();
    while let Some(c) = text[at..].chars().next() {
        match c {
            '{' | '[' | '(' => {
                open.push(c);
                is_value = c != '{';
                at += 1;
            }
            '}' | ']' | ')' => {
                open.pop();
                is_value = false;
                at += 1;
            }
            ',' | ';' => {
                is_value = open.last() != Some(&'{');
                at += 1;
            }
            ':' | '=' => {
                is_value = true;
                at += run(&text[at..], |byte| b":=>".contains(&byte));
            }
            '"' | '\'' => {
                let range = quoted(&text[at..], 0, c);
                let range = at + range.start..at + range.end;
                at = (range.end + 1).min(text.len());
                if is_value {
                    found.push((name, range));
                } else {
                    name = &text[range];
                }
                is_value = false;
            }
            c if is_value && !c.is_whitespace() => {
                let length = unquoted(&text[at..], "").max(c.len_utf8());
                found.push((name, at..at + length));
                at += length;
                is_value = false;
            }
            c => {
                let word = run(&text[at..], DOTTED);
                if word > 0 {
                    name = &text[at..at + word];
                }
                at += word.max(c.len_utf8());
            }
        }
        if open.is_empty() || !text.is_char_boundary(at) {
            break;
        }
    }
    looked_at(at);
    found
}

/// How far to the right the line of a name begins, if nothing but quotation marks or a dash stands before it.
fn indent(place: Place<'_>) -> Option<usize> {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(128))..place.at];
    let line = before.rsplit('\n').next().unwrap_or_default();
    let is_first = line.trim_start_matches(['-', ' ', '"', '\'']).is_empty();
    is_first.then(|| line.len() - line.trim_start_matches(' ').len())
}

/// The values of the lines below a name, with their names, that are further to the right than it.
pub(crate) fn block(text: &str, indent: usize) -> Vec<(&str, Range<usize>)> {
    let (mut found, mut at) = (Vec::new(), 1);
    for line in text[1..].split('\n').take(MOST_LINES) {
        let own = run(line, |byte| byte == b' ');
        if own <= indent && !line.trim().is_empty() {
            break;
        }
        let begin = own + run(&line[own..], |byte| b"\"' -".contains(&byte));
        let name = run(&line[begin..], DOTTED);
        let sign = begin + name + run(&line[begin + name..], |byte| b"\"' ".contains(&byte));
        if name > 0 && line[sign..].starts_with(':') {
            let value = sign + 1 + run(&line[sign + 1..], is_blank);
            let quote = line[value..].chars().next().filter(|c| "\"'".contains(*c));
            let range = quote.map_or_else(|| 0..unquoted(&line[value..], ""), |quote| quoted(&line[value..], 0, quote));
            found.push((&line[begin..begin + name], at + value + range.start..at + value + range.end));
        }
        at += line.len() + 1;
    }
    looked_at(at);
    found
}

/// The old and the new value of a name, in the text behind it: `changed 'S' to 'T'`, `mismatch: got S, want T`.
pub(crate) fn old_and_new(text: &str, named: &Name) -> Vec<Range<usize>> {
    let near = &text[..boundary(text, NEAR)];
    let near = &near[..near.find('\n').unwrap_or(near.len())];
    let mut lead = run(near, |byte| byte == b' ' || byte == b':');
    for _ in 0..MOST_LEADS {
        let word = run(&near[lead..], |byte| byte.is_ascii_alphabetic());
        if lead == 0 || !LEADS.split(' ').any(|known| known == &near[lead..lead + word]) {
            break;
        }
        lead += word + run(&near[lead + word..], |byte| byte == b' ' || byte == b':');
    }
    if lead == 0 {
        return Vec::new();
    }
    let Some(old) = one(near, lead, named) else { return Vec::new() };
    let Some(new) = turned(near, &old, named) else { return Vec::new() };
    looked_at(new.end);
    vec![old, new]
}

/// The values that follow the first one: the next items of a list, and what it changed to.
pub(crate) fn after(text: &str, first: &Range<usize>, named: &Name) -> Vec<Range<usize>> {
    let near = &text[..boundary(text, first.end + NEAR).max(first.end)];
    if !matches!(named.kind, Kind::Token | Kind::Password) {
        return Vec::new();
    }
    if let Some(new) = turned(near, first, named).or_else(|| beside(near, first, named)) {
        return vec![new];
    }
    let is_list = text[..first.start].ends_with(['\'', '"']) || named.is_plural;
    if is_list { items(near, first, named) } else { Vec::new() }
}

/// The items that follow the first one of a list, as long as they look like secrets.
fn items(near: &str, first: &Range<usize>, named: &Name) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    loop {
        let last = found.last().unwrap_or(first);
        let close = usize::from(near[last.end..].starts_with(['\'', '"', '`']));
        let Some(next) = near[last.end + close..].strip_prefix(',') else { break };
        let begin = near.len() - next.trim_start_matches(' ').len();
        let is_alike = near[begin..].starts_with(['\'', '"', '`']) == (close > 0);
        let Some(item) = one(near, begin, named).filter(|item| is_alike && is_random(&near[item.clone()], named))
        else {
            break;
        };
        if near.get(item.end + close..).is_none_or(|rest| rest.starts_with([':', '='])) {
            break;
        }
        found.push(item);
    }
    found
}

/// The new value after an old one.
fn turned(near: &str, old: &Range<usize>, named: &Name) -> Option<Range<usize>> {
    let close = run(&near[old.end..], |byte| b"\"'`".contains(&byte)).min(1);
    let rest = &near[old.end + close..];
    let turn = TURNS.iter().find(|turn| rest.starts_with(**turn))?.len();
    let begin = old.end + close + turn;
    let is_quoted = close > 0;
    one(near, begin, named).filter(|_| near[begin..].starts_with(['"', '\'', '`']) == is_quoted)
}

/// The value of the member beside one that tells what it was: `"old": "S", "new": "T"`.
fn beside(near: &str, old: &Range<usize>, named: &Name) -> Option<Range<usize>> {
    let gap = run(&near[old.end..], |byte| b"\"', ".contains(&byte));
    let begin = old.end + gap;
    let word = run(&near[begin..], |byte| byte.is_ascii_alphabetic() || byte == b'_');
    let name = near[begin..begin + word].replace('_', "").to_ascii_lowercase();
    let is_time = near[old.end..begin].contains(',') && is_time(&name);
    let sign = begin + word + run(&near[begin + word..], |byte| b"\"' ".contains(&byte));
    let signs = run(&near[sign..], |byte| b":=>".contains(&byte));
    let value = sign + signs + run(&near[sign + signs..], is_blank);
    (is_time && signs > 0).then(|| one(near, value, named)).flatten()
}

/// Whether a name is that of a value at a time: `old`.
pub(crate) fn is_time(name: &str) -> bool {
    TIMES.split(' ').any(|time| time == name)
}

/// The value that begins at a place: a quoted one, or a word that looks like a secret.
fn one(near: &str, begin: usize, named: &Name) -> Option<Range<usize>> {
    let quote = near[begin..].chars().next()?;
    let is_quoted = "\"'`".contains(quote);
    let range = if is_quoted { quoted(&near[begin..], 0, quote) } else { 0..unquoted(&near[begin..], ",;)") };
    let range = begin + range.start..begin + range.end;
    let text = near[range.clone()].trim_end_matches(['.', ',', ';']);
    let range = range.start..range.start + text.len();
    let told = Value { text, after: &near[range.end..], sign: Sign::Equals, is_quoted, is_parameter: false };
    let is_secret = !text.is_empty()
        && (is_quoted && !text.contains(' ') || is_random(text, named))
        && !only_speaks(named.kind, &named.core, told);
    is_secret.then_some(range)
}

/// Whether a word is none of a language; codes come in short groups.
fn is_random(text: &str, named: &Name) -> bool {
    looks_random(text, 6)
        || is_varied(text)
        || named.core.ends_with("code") && text.bytes().any(|byte| byte.is_ascii_digit())
}
