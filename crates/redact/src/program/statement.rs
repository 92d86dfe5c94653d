//! Secrets in statements of SQL. Pure.

use std::ops::Range;

use super::call::is_password;
use crate::text::alphabet::DOTTED;
use crate::text::place::{Place, boundary, looked_at, run};
use crate::value::extent::quoted;
use crate::value::speech::stands_in;
use crate::word::names::{Kind, Name};
use crate::word::random::{is_strong, looks_random};

/// How far a statement is followed.
const STATEMENT: usize = 1024;

/// How far before its password a statement about a role may begin.
const ROLE: usize = 256;

/// Words of statements.
const STATEMENTS: [&str; 4] = ["select", "insert", "update", "delete"];

/// Whether `text` begins with these words, in any letter case.
pub(crate) fn begins(text: &str, words: &str) -> bool {
    text.get(..words.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(words))
}

/// The password of `IDENTIFIED BY '…'`.
pub(crate) fn sql(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let words = ["identified by ", "identified with "].into_iter().find(|words| begins(rest, words))?.len();
    let plugin = run(&rest[words..], DOTTED);
    // `IDENTIFIED WITH plugin BY '…'`
    let by = words + if begins(&rest[words + plugin..], " by ") { plugin + " by ".len() } else { 0 };
    let at = by + run(&rest[by..], |byte| byte == b' ');
    let at = at + if begins(&rest[at..], "password ") { "password ".len() } else { 0 };
    let range = literal(&rest[at..]).or_else(|| {
        let word = run(&rest[at..], |byte| DOTTED(byte) || b"$#!@%".contains(&byte));
        looks_random(&rest[at..at + word], 6).then_some(0..word)
    })?;
    (!range.is_empty()).then(|| place.at + at + range.start..place.at + at + range.end)
}

/// The text of a literal of SQL that begins `text`: `'…'`, `"…"`, `E'…'`, `$$…$$`, `$tag$…$tag$`.
fn literal(text: &str) -> Option<Range<usize>> {
    let tag = text.strip_prefix('$').map_or(0, |tag| run(tag, |byte| byte.is_ascii_alphanumeric() || byte == b'_'));
    if text.starts_with('$') && text[1 + tag..].starts_with('$') {
        let begin = tag + 2;
        let near = &text[begin..boundary(text, begin + STATEMENT).max(begin)];
        return near.find(&text[..begin]).map(|length| begin..begin + length);
    }
    let letter = usize::from(text.starts_with(['N', 'n', 'E', 'e']) && text[1..].starts_with('\''));
    let slashes = run(&text[letter..], |byte| byte == b'\\');
    let quote = text[letter + slashes..].chars().next().filter(|c| "\"'".contains(*c))?;
    let range = quoted(&text[letter..], slashes, quote);
    Some(letter + range.start..letter + range.end)
}

/// The password of `CREATE ROLE app LOGIN PASSWORD '…'`, `OPTIONS (user 'bob', password '…')`, and the one that is replaced.
pub(crate) fn of_role(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let word = ["password", "replace"].into_iter().find(|word| begins(rest, word))?.len();
    let at = word + run(&rest[word..], |byte| b" =".contains(&byte));
    let value = literal(&rest[at..]).filter(|value| at > word && !value.is_empty())?;
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(ROLE))..place.at];
    looked_at(before.len());
    let statement = before.rsplit(';').next()?;
    let has = |known: &str| {
        let mut words = statement.split(|c: char| !c.is_ascii_alphanumeric());
        words.any(|word| known.split(' ').any(|known| known.eq_ignore_ascii_case(word)))
    };
    let is_secret = has("create alter") && has("user role login group") && !stands_in(&rest[at..][value.clone()]);
    is_secret.then(|| place.at + at + value.start..place.at + at + value.end)
}

/// The password of `SET PASSWORD FOR … = '…'` and `PASSWORD('…')`.
pub(crate) fn set_password(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    if !begins(rest, "set password") {
        return None;
    }
    let near = &rest[..boundary(rest, STATEMENT)];
    let near = &near[..near.find(['\n', ';']).unwrap_or(near.len())];
    let sign = near.find('=')?;
    let quote = sign + near[sign..].find('\'')?;
    // `= md5('…')`, but not `= NULL WHERE id = '…'`
    let mut between = near[sign + 1..quote].trim_end_matches(' ').split('(');
    let is_assigned = between.all(|function| function.trim().bytes().all(DOTTED));
    let range = quoted(&rest[quote..], 0, '\'');
    let value = &rest[quote + range.start..quote + range.end];
    (is_assigned && crate::is_secret("password", value))
        .then(|| place.at + quote + range.start..place.at + quote + range.end)
}

/// The secret of `INSERT INTO users (name, password) VALUES ('bob', '…')`.
pub(crate) fn inserted(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    if !begins(rest, "values") {
        return None;
    }
    let open = rest[..boundary(rest, 16)].find('(')?;
    let before = before(place);
    secret_column(before)
        .map_or_else(|| by_its_name(place, open, before), |nth| in_row(place, open, nth))
        .or_else(|| of_table(place, open, before))
}

/// The columns in the last brackets of a statement, without their marks.
fn columns(before: &str) -> Option<Vec<&str>> {
    let columns = before.trim_end().strip_suffix(')')?;
    let columns = &columns[columns.rfind('(')? + 1..];
    let bare = |column| str::trim_matches(column, |c: char| c.is_whitespace() || "`\"[]".contains(c));
    Some(columns.split(',').map(bare).collect())
}

/// The secret of a row with a name and its value: `(key, value) VALUES ('smtp_password', '…')`.
fn by_its_name(place: Place<'_>, open: usize, before: &str) -> Option<Range<usize>> {
    let columns = columns(before)?;
    let nth =
        |known: &str| columns.iter().position(|column| known.split(' ').any(|name| column.eq_ignore_ascii_case(name)));
    let name = in_row(place, open, nth("key name setting option_name param")?)?;
    let value = in_row(place, open, nth("value val data setting_value option_value")?)?;
    crate::is_secret(&place.text[name], &place.text[value.clone()]).then_some(value)
}

/// The key in a row of a table of keys: `INSERT INTO api_keys (id, key) VALUES (1, '…')`.
fn of_table(place: Place<'_>, open: usize, before: &str) -> Option<Range<usize>> {
    let columns = columns(before)?;
    let table = before[..before.rfind('(')?].trim_end();
    let table = table.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').find(|word| !word.is_empty())?;
    let named = Name::of(table).filter(|name| name.kind >= Kind::Token)?;
    let is_key =
        |column: &&str| ["key", "value", "hash", "code"].iter().any(|known| column.eq_ignore_ascii_case(known));
    let value = in_row(place, open, columns.iter().position(is_key)?)?;
    (named.is_plural && is_strong(&place.text[value.clone()])).then_some(value)
}

/// The secret of one more row of values: `('bob', '…'), ('eve', '…')`.
pub(crate) fn inserted_row(place: Place<'_>) -> Option<Range<usize>> {
    let before = before(place);
    let rows = before.trim_end().strip_suffix(',').filter(|rows| rows.ends_with(')'))?;
    looked_at(rows.len());
    let values = rows.as_bytes().windows(6).rposition(|word| word.eq_ignore_ascii_case(b"values"))?;
    in_row(place, 0, secret_column(&rows[..values])?)
}

/// The statement before a place.
fn before<'a>(place: Place<'a>) -> &'a str {
    &place.text[place.text.floor_char_boundary(place.at.saturating_sub(STATEMENT))..place.at]
}

/// Which of the columns in the last brackets keeps a secret.
fn secret_column(before: &str) -> Option<usize> {
    let is_secret = |column: &&str| Name::of(column).is_some_and(|name| name.kind >= Kind::Token);
    columns(before)?.iter().position(is_secret)
}

/// The nth value of the row whose bracket opens at `open`.
fn in_row(place: Place<'_>, open: usize, nth: usize) -> Option<Range<usize>> {
    let rest = place.rest();
    let near = &rest[..boundary(rest, STATEMENT)];
    let mut at = open + 1;
    for skipped in 0..=nth {
        at += run(&near[at..], |byte| byte.is_ascii_whitespace());
        let value = near[at..]
            .starts_with(['\'', '"'])
            .then(|| quoted(&near[at..], 0, near[at..].chars().next().unwrap_or('\'')));
        if skipped == nth {
            let value = value.filter(|value| !value.is_empty())?;
            return Some(place.at + at + value.start..place.at + at + value.end);
        }
        at += value.map_or(0, |value| value.end + 1);
        at += near.get(at..)?.find(',')? + 1;
    }
    None
}

/// The value of `Duplicate entry '…' for key 'users.api_token'`.
pub(crate) fn duplicate(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let near = rest[..boundary(rest, STATEMENT)].strip_prefix("Duplicate entry '")?;
    let length = near.find("' for key '")?;
    let key = &near[length + "' for key '".len()..];
    let key = key[..run(key, DOTTED)].trim_end_matches("_UNIQUE").trim_end_matches("_unique");
    let begin = place.at + "Duplicate entry '".len();
    let is_secret = Name::of(key).is_some_and(|name| name.kind >= Kind::Token);
    (is_secret && crate::is_secret(key, &near[..length])).then_some(begin..begin + length)
}

/// The secret among the parameters of a statement that names a secret column: `[parameters: ('bob', '…')]`.
pub(crate) fn parameters(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let word = ["parameters", "params"].into_iter().find(|word| begins(rest, word))?.len();
    let near = &rest[word..boundary(rest, STATEMENT).max(word)];
    let line = near.split('\n').next()?;
    let around = [before(place), near];
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_\"`'".contains(c);
    let mut words = around.iter().flat_map(|text| text.split(|c| !is_word(c)));
    let is_statement = words.clone().any(|word| STATEMENTS.iter().any(|known| word.eq_ignore_ascii_case(known)));
    let names_secret =
        |word: &str| Name::of(word.trim_matches(['"', '`'])).is_some_and(|name| name.kind >= Kind::Token);
    if !is_statement || !words.any(names_secret) {
        return None;
    }
    let mut at = 0;
    while let Some(open) = line[at..].find(['\'', '"']).map(|open| at + open) {
        let range = quoted(&line[open..], 0, line[open..].chars().next()?);
        let range = open + range.start..(open + range.end).min(line.len());
        if is_password(line.get(range.clone())?) {
            let begin = place.at + word;
            return Some(begin + range.start..begin + range.end);
        }
        at = range.end + 1;
        if !line.is_char_boundary(at.min(line.len())) || at > line.len() {
            break;
        }
    }
    None
}
