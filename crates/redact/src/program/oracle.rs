//! Connections of Oracle: `sqlplus scott/…@db`, `scott/…@//db1:1521/orders`. Pure.

use std::ops::Range;

use super::command::is_of;
use crate::text::alphabet::DOTTED;
use crate::text::place::{Place, boundary, looked_at, run};
use crate::value::extent::quoted;
use crate::word::random::looks_random;

/// How far a connection is followed, and the longest user and password of one that nothing announces.
const CONNECTION: usize = 1024;
const LONGEST: usize = 64;

/// What stands before `user/password@database`.
const CONNECTIONS: [&str; 13] = [
    "oracle:thin:",
    "oracle:oci:",
    "sqlplus ",
    "sqlplus64 ",
    "rman target ",
    "catalog ",
    "auxiliary ",
    "userid=",
    "expdp ",
    "impdp ",
    "sqlldr ",
    "exp ",
    "imp ",
];

/// Tools among these that need no database.
const TOOLS: [&str; 6] = ["sqlplus ", "sqlplus64 ", "expdp ", "impdp ", "sqlldr ", "rman target "];

/// The same where words of sentences may be meant.
const DOUBTFUL: [&str; 5] = ["CONNECT ", "connect ", "connecting ", "conn ", "connect as "];

/// The password after a word that announces it: `sqlplus user/…@db`.
pub(crate) fn announced(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let starts = |words: &&&str| rest.starts_with(**words);
    let is_sure = CONNECTIONS.iter().any(|words| starts(&words));
    let words = CONNECTIONS.iter().chain(&DOUBTFUL).filter(starts).map(|words| words.len()).max()?;
    let words = words + options(&rest[words..]);
    let words = words + run(&rest[words..], |byte| b"\"' ".contains(&byte));
    let near = &rest[words..boundary(rest, words + CONNECTION).max(words)];
    // `app[scott]` signs in for another one.
    let user = run(near, |byte| DOTTED(byte) || b"[]$#".contains(&byte));
    let begin = place.at + words + user + 1;
    let password = near[user..].strip_prefix('/').filter(|_| near.starts_with(|c: char| c.is_ascii_alphabetic()))?;
    if let Some(range) = in_quotes(password) {
        return Some(begin + range.start..begin + range.end);
    }
    let end = password.find(|c: char| c.is_whitespace() || "\"'`".contains(c)).unwrap_or(password.len());
    // `connect` is a word of sentences, too.
    let is_of_rman = ["catalog ", "auxiliary "].iter().any(|word| rest.starts_with(word));
    if is_of_rman && !is_of(place, "rman, RMAN") {
        return None;
    }
    let is_told = |at: &usize| {
        let database = &password[at + 1..end];
        *at > 0 && (is_sure || looks_random(&password[..*at], 6) || is_easy(database))
    };
    let is_tool = || TOOLS.iter().any(|tool| rest.starts_with(tool)) && is_chosen(&password[..end]);
    let length = password[..end].rfind('@').filter(is_told).or_else(|| is_tool().then_some(end))?;
    Some(begin..begin + length)
}

/// Whether a word is a password although no database follows: `impdp system/Manager_2 directory=…`.
fn is_chosen(text: &str) -> bool {
    let has_mark = text.contains(['#', '$', '!']) && text.len() > 5;
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit()) && text.len() > 5;
    (has_digit || has_mark) && !text.contains(['/', '.', '@', '(', '\\']) && !text.starts_with(['$', '&', '%', '*'])
}

/// The length of options without a value that stand before a connection: `-S -L `.
fn options(text: &str) -> usize {
    let mut at = 0;
    while text[at..].starts_with('-')
        && text[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic())
        && text[at + 2..].starts_with(' ')
    {
        at += 3;
    }
    at
}

/// The password behind the stroke of a connection that is told by its form: `scott/…@//db1:1521/orders`, `scott/…@(DESCRIPTION=…`.
pub(crate) fn by_form(place: Place<'_>) -> Option<Range<usize>> {
    let is_of_user = |byte: u8| byte.is_ascii_alphanumeric() || b"_$#]".contains(&byte);
    place.before.filter(|byte| is_of_user(*byte))?;
    let rest = place.rest();
    let begin = place.at + 1;
    let near = &rest[1..boundary(rest, LONGEST * 2).max(1)];
    let quoted = in_quotes(near);
    let length = match &quoted {
        Some(range) => range.end + 1,
        None => run(near, |byte| byte.is_ascii_graphic() && !b"\"'`<>/@".contains(&byte)),
    };
    let is_told = near[length..].strip_prefix('@').is_some_and(is_easy) && length > 0 && has_user(place);
    is_told.then(|| quoted.map_or(begin..begin + length, |range| begin + range.start..begin + range.end))
}

/// Whether a user stands before a place, and no path.
fn has_user(place: Place<'_>) -> bool {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(LONGEST))..place.at];
    looked_at(before.len());
    let around = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "_$#[]".contains(c));
    before[around.len()..].starts_with(|c: char| c.is_ascii_alphabetic())
        && !around.ends_with(['/', '@', ':', '.', '-'])
}

/// Whether a database is named as nothing else is: `//db1:1521/orders`, `(DESCRIPTION=…`, `db1:1521/orders`.
fn is_easy(database: &str) -> bool {
    let with_port = |text: &str| {
        let host = run(text, DOTTED);
        let port = text[host..].strip_prefix(":15").map_or(0, |port| run(port, |byte| byte.is_ascii_digit()));
        host > 0 && port == 2 && text[host + ":1521".len()..].starts_with(['/', ':'])
    };
    let is_description = database.get(..12).is_some_and(|begin| begin.eq_ignore_ascii_case("(DESCRIPTION"));
    let host = database.strip_prefix("//");
    is_description
        || host.is_some_and(|host| host.starts_with(|c: char| c.is_ascii_alphanumeric()))
        || with_port(database)
}

/// A password in quotation marks before its database: `scott/"…"@db`.
fn in_quotes(password: &str) -> Option<Range<usize>> {
    let range = password.starts_with('"').then(|| quoted(password, 0, '"'))?;
    let is_closed = password.get(range.end..).is_some_and(|rest| rest.starts_with("\"@"));
    (is_closed && !range.is_empty()).then_some(range)
}
