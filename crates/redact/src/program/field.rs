//! What a script of a browser types into the field of a password: `findElement(By.id('password')).sendKeys('…')`. Pure.

use std::ops::Range;

use crate::text::place::{Place, boundary, looked_at, run};
use crate::value::extent::quoted;
use crate::word::remark::is_of_code;

/// How far before a call what it is made on may begin, and how far what is typed is followed.
const NEAR: usize = 160;

/// Methods that type what they are given into a field, or compare what is in it, in small letters and without underscores.
const TYPING: &str = "sendkeys type fill setvalue val typetext replacetext inputtext entertext presssequentially clearandtype \
    tohavevalue performtextinput set settext";

/// How the names of variables end that stand for a field.
const FIELDS: [&str; 9] = ["textfield", "textbox", "field", "input", "box", "element", "locator", "edit", "el"];

/// What is typed is a secret from this length on.
const SHORTEST: usize = 3;

/// Keys that are pressed behind what is typed.
const KEYS: [&str; 2] = ["{enter}", "{tab}"];

/// How many calls are made on a field, at most, before something is typed: `.clear()`.
const MOST_CALLS: usize = 4;

/// The secret in the brackets that open here, or behind this blank, of a call that types it into a field.
pub(crate) fn typed(place: Place<'_>) -> Option<Range<usize>> {
    let quote = place.rest()[1..].chars().next().filter(|c| "\"'`".contains(*c))?;
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(NEAR))..place.at];
    let method = last_name(before);
    if !is_typing(method) {
        return None;
    }
    looked_at(before.len());
    let on = before[..before.len() - method.len()].trim_end();
    let name = field(on.strip_suffix('.').or_else(|| on.strip_suffix(".perform("))?)?;
    let near = &place.rest()[1..boundary(place.rest(), NEAR).max(1)];
    let range = quoted(near, 0, quote);
    let text = near.get(range.clone())?;
    let text = KEYS.iter().find_map(|key| text.strip_suffix(key)).unwrap_or(text);
    let begin = place.at + 1 + range.start;
    (text.len() >= SHORTEST && !is_of_code(text) && crate::is_secret(&name, text)).then(|| begin..begin + text.len())
}

/// What a script sets the value of a field to: `getElementById('password').value = '…'`.
pub(crate) fn assigned(place: Place<'_>) -> Option<Range<usize>> {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(NEAR))..place.at];
    let on = before.strip_suffix(' ').unwrap_or(before).strip_suffix(".value")?;
    looked_at(before.len());
    let near = &place.rest()[1..boundary(place.rest(), NEAR).max(1)];
    let open = run(near, |byte| byte == b' ');
    let quote = near[open..].chars().next().filter(|c| "\"'`".contains(*c))?;
    let range = quoted(&near[open..], 0, quote);
    let text = near.get(open + range.start..open + range.end)?;
    let begin = place.at + 1 + open + range.start;
    crate::is_secret(&field(on)?, text).then(|| begin..begin + text.len())
}

/// What is filled into the field of a password: `fill_in 'Password', with: '…'`.
pub(crate) fn filled(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), NEAR)];
    let open = "fill_in".len() + run(near.strip_prefix("fill_in")?, |byte| b" (".contains(&byte));
    let quote = near[open..].chars().next().filter(|c| "\"'".contains(*c))?;
    let named = quoted(&near[open..], 0, quote);
    let after = near.get(open + named.end + 1..)?;
    let value = after.strip_prefix(", with: ").or_else(|| after.strip_prefix(", :with => "))?;
    let begin = near.len() - value.len();
    let quote = value.chars().next().filter(|c| "\"'".contains(*c))?;
    let range = quoted(value, 0, quote);
    let is_secret = crate::is_secret(&named_in(&near[open..][named])?, value.get(range.clone())?);
    is_secret.then(|| place.at + begin + range.start..place.at + begin + range.end)
}

fn is_typing(method: &str) -> bool {
    let name = method.replace('_', "").to_ascii_lowercase();
    !name.is_empty() && TYPING.split_ascii_whitespace().any(|known| known == name)
}

/// The name at the end of `text`.
fn last_name(text: &str) -> &str {
    text.rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or_default()
}

/// The name of a secret by which the expression at the end of `text` finds a field: in its last call that is given anything, or
/// as the name of a variable.
fn field(text: &str) -> Option<String> {
    let mut on = text.trim_end();
    for _ in 0..MOST_CALLS {
        if let Some((_, index)) = on.strip_suffix(']').and_then(|on| on.rsplit_once('[')) {
            return named_in(index);
        }
        let Some(call) = on.strip_suffix(')') else { return named_in(last_name(on)) };
        let open = opening(call)?;
        let (path, given) = (&call[..open], &call[open + 1..]);
        if is_typing(last_name(path)) {
            return None;
        }
        if given.contains(|c: char| c.is_ascii_alphabetic()) {
            return named_in(given);
        }
        on = path[..path.len() - last_name(path).len()].trim_end().strip_suffix('.')?.trim_end();
    }
    None
}

/// Where the bracket opens that closes behind `text`.
fn opening(text: &str) -> Option<usize> {
    let mut depth = 0;
    text.bytes().rposition(|byte| {
        depth += match byte {
            b')' => 1,
            b'(' => -1,
            _ => 0,
        };
        depth < 0
    })
}

/// The name of a secret among the words by which a field is found, without the word for a field: `#login-password`,
/// `passwordInput`.
fn named_in(text: &str) -> Option<String> {
    let words = text.split(|c: char| !(c.is_alphanumeric() || b"_-".iter().any(|mark| char::from(*mark) == c)));
    let bare = |word: &str| {
        let lower = word.to_lowercase();
        let end = FIELDS.iter().find(|end| lower.ends_with(**end) && lower.len() == word.len());
        word[..word.len() - end.map_or(0, |end| end.len())].trim_matches(['_', '-']).to_string()
    };
    words.map(bare).find(|word| crate::is_secret_name(word))
}
