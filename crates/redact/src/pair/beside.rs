//! Names that are values themselves, with the secret beside them: `{"name": "PASSWORD", "value": "…"}`, `('Password', '…')`. Pure.

use std::ops::Range;

use crate::text::alphabet::DOTTED;
use crate::text::place::{Place, boundary, run};
use crate::value::extent::{extent, quoted};
use crate::value::following::after_sign;
use crate::value::series::is_time;
use crate::value::sign::{Sign, is_blank};
use crate::word::random::is_strong;
use crate::word::remark::is_of_code;

/// How far the value is looked for.
const NEAR: usize = 200;

/// Names of a name, beside that of its value.
const NAMES: [&str; 3] = ["name", "key", "id"];

/// The value beside a name that is a value itself: `"name": "PASSWORD", "value": "…"`, `key="Password" value="…"`. Other members
/// may stand between.
pub(super) fn value_beside(rest: &str, at: usize) -> Option<(usize, Sign)> {
    if !rest[at..].starts_with([',', ' ', ';', '\n', '\r', '\t', '}', '>']) {
        return None;
    }
    let near = &rest[at..boundary(rest, at + NEAR).max(at)];
    let near = &near[..near
        .find(['{', '['])
        .into_iter()
        .chain(near.find("}, "))
        .chain(near.find("\n- "))
        .min()
        .unwrap_or(near.len())];
    // `key="Password" value="…"`, but not `token errors: value=…`.
    let is_attribute = rest[..at].ends_with(['"', '\'']);
    let mut from = 0;
    while from < near.len() {
        let begin = from + near[from..].bytes().take_while(|byte| !byte.is_ascii_alphanumeric()).count();
        let word = run(&near[begin..], |byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let (name, before) = (near[begin..begin + word].to_ascii_lowercase(), &near[..begin]);
        from = begin + word.max(1);
        let is_first = before.bytes().all(|byte| b" ,;\n\r\t\\\"'}>".contains(&byte));
        let is_quoted = before.ends_with(['"', '\'']);
        let is_member = before
            .trim_end_matches(['"', '\'', '\\'])
            .bytes()
            .next_back()
            .is_none_or(|byte| b", ;\n{<\t".contains(&byte));
        let is_value = (name.ends_with("value") || name == "val")
            && (is_first || is_quoted || is_attribute && before.ends_with(['<', ' ']))
            || is_time(&name) && is_quoted;
        let after = at + begin + word;
        let after = after + run(&rest[after..], |byte| b"\\\"' ".contains(&byte));
        if is_value && is_member && rest[after..].starts_with([':', '=', '>']) {
            return after_sign(rest, after)
                .map(|(begin, sign)| (begin, if sign == Sign::Block { sign } else { Sign::Equals }));
        }
    }
    None
}

/// `{"value": "…", "name": "PASSWORD"}`: where the value stands, counted from the word `value`.
pub(super) fn before_name(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let close = "value".len() + run(&rest["value".len()..], |byte| b"\\\"' ".contains(&byte));
    let signs = run(&rest[close..], |byte| b":=".contains(&byte));
    let begin = close + signs + run(&rest[close + signs..], is_blank);
    let value = extent(&rest[begin..], Sign::Equals, "").filter(|_| signs > 0)?;
    let value = begin + value.start..begin + value.end;
    let gap = run(&rest[value.end..], |byte| b" ,;\n\r\t\\\"'".contains(&byte));
    // `SET value = '…' WHERE name = 'password'`
    let gap = gap
        + if rest[value.end + gap..].get(..6).is_some_and(|word| word.eq_ignore_ascii_case("where ")) { 6 } else { 0 };
    let name = value.end + gap;
    let word = run(&rest[name..], |byte| byte.is_ascii_alphabetic());
    let is_name = gap > 0 && NAMES.iter().any(|known| known.eq_ignore_ascii_case(&rest[name..name + word]));
    let secret = name + word + run(&rest[name + word..], |byte| b"\\\"' :=".contains(&byte));
    let secret = &rest[secret..secret + run(&rest[secret..boundary(rest, secret + 128).max(secret)], DOTTED)];
    (is_name && crate::is_secret(secret, &rest[value.clone()])).then_some(value)
}

/// Functions that give what they name a value.
const GIVING: &str = "define setenv putenv set_env setproperty set_option add_option update_option set_config setconfig configset \
    set_password setpassword";

/// The same for any name, of settings and of others: the value must look like one that somebody chose.
const SETTING: &str = "set put withproperty addproperty setattribute";

/// Parts of names of what has words for each name.
const SPEAKING: &str =
    "error violation message msg label validation hint placeholder i18n translation field column mapping schema";

/// The shortest password that somebody chose.
const SHORTEST_CHOSEN: usize = 6;

/// Words of what lists keys before their values, and the shortest key.
const LISTING: [&str; 4] = ["keyName", "key list", "keys list", "account keys"];
const SHORTEST_KEY: usize = 40;

/// A key in a list of them: `"keyName": "key1", "value": "…"`, counted from the word `value`.
pub(super) fn listed_key(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let begin = "value".len() + run(&rest["value".len()..], |byte| b"\\\"': ".contains(&byte));
    let near = &rest[begin..boundary(rest, begin + NEAR).max(begin)];
    let length = run(near, |byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
    if length < SHORTEST_KEY || !is_strong(&rest[begin..begin + length]) {
        return None;
    }
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(NEAR))..place.at];
    LISTING.iter().any(|word| before.contains(word)).then(|| begin..begin + length)
}

/// `('Password', '…')`, `["--password", "…"]`.
pub(super) fn tuple(place: Place<'_>, at: usize, is_password: bool) -> Option<(usize, Sign)> {
    let rest = place.rest();
    let gap = run(&rest[at..], |byte| b" ,\n\t\\\"'".contains(&byte));
    let between = &rest[at..at + gap];
    let opening = place.text[..place.at].trim_end_matches(['"', '\'', '\\']).trim_end_matches(' ').bytes().next_back();
    let comma = between.find(',')?;
    let value = at + comma + 1 + run(&between[comma + 1..], |byte| byte.is_ascii_whitespace());
    let value = value + if rest[value..].starts_with("<<") { 2 } else { 0 };
    let is_quoted = rest[value..].starts_with(['"', '\'', '\\']);
    let is_word = |near: &str| !near.split(',').next().is_some_and(|word| word.contains(|c: char| c.is_ascii_digit()));
    if speaks(place) && is_word(&rest[value..boundary(rest, value + NEAR).max(value)]) {
        return None;
    }
    let is_given = || gives(place, GIVING) || gives(place, SETTING) && !speaks(place) && is_chosen(&rest[value..]);
    let sign = if is_password && is_given() { Sign::Equals } else { Sign::Beside };
    (matches!(opening, Some(b'(' | b'[' | b'{')) && is_quoted).then_some((value, sign))
}

/// Whether the bracket before a name is that of a call that gives what the name stands for a value: `define('PASSWORD', '…')`.
fn gives(place: Place<'_>, calls: &str) -> bool {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(32))..place.at];
    let Some(call) = before.trim_end_matches(['"', '\'', '\\', ' ']).strip_suffix('(') else { return false };
    let name = call.rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or_default();
    calls.split_ascii_whitespace().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether what a call is made of only speaks of what it is given: `errors.put('password', '…')`.
fn speaks(place: Place<'_>) -> bool {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(64))..place.at];
    let path = before.rsplit_once('(').map_or(before, |(path, _)| path);
    let path = path.rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')).next().unwrap_or_default();
    let path = path.to_ascii_lowercase();
    let mut parts = path.split(['.', '_']).map(|part| part.trim_end_matches('s'));
    parts.any(|part| SPEAKING.split(' ').any(|word| part.starts_with(word) || part.ends_with(word)))
}

/// Whether the quoted text that begins `text` may be a password that somebody chose: one word, and no word of code.
fn is_chosen(text: &str) -> bool {
    let Some(quote) = text.chars().next().filter(|c| "\"'".contains(*c)) else { return false };
    let chosen = &text[quoted(text, 0, quote)];
    chosen.len() >= SHORTEST_CHOSEN && !chosen.contains([' ', '/', '.', '(']) && !is_of_code(chosen)
}

/// `Password … reset.`, and on another line `New value: …`: where the value stands, counted from the word `value`.
pub(super) fn new_value(place: Place<'_>) -> Option<Range<usize>> {
    let value = place.rest().strip_prefix("value: ")?;
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(NEAR))..place.at];
    let line = &value[..boundary(value, NEAR)];
    let length = line.find(char::is_whitespace).unwrap_or(line.len());
    let begin = "value: ".len();
    let is_secret = before.ends_with("New ") && before.contains("assword") && length > 5;
    is_secret.then_some(begin..begin + length)
}
