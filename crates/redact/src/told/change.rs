//! What people and programs write about a secret that has changed or does not fit, with the secret far from its name: `old: …`
//! in a note, `from … to … in the password field`, `SECRET_KEY must have 32 characters, got "…"`. Pure.

use std::ops::Range;

use crate::text::alphabet::DOTTED;
use crate::text::place::{Place, boundary, looked_at, run};
use crate::value::extent::quoted;
use crate::value::speech::stands_in;
use crate::word::ends::may_matter;
use crate::word::names::{Kind, Name, spaced};
use crate::word::random::{is_strong, is_varied};
use crate::word::shape::{is_identifying, is_version};

/// How far before a value the sentence may begin that says what has changed, and how far behind it what field has.
const NOTE: usize = 200;
const FIELD: usize = 64;

/// Words for what was and what is, before a value.
const TIMES: [&str; 7] = ["old", "new", "previous", "previously", "prev", "current", "now"];

/// How the words begin that say that something has changed.
const CHANGES: [&str; 5] = ["rotat", "chang", "reset", "replac", "renew"];

/// What fields are called.
const FIELDS: [&str; 4] = ["field", "column", "attribute", "property"];

/// Words between a name and a value that does not fit it, and words before this one.
const EXPECTING: [&str; 8] =
    ["must ", "should ", "expected", "expects ", "has to ", "needs ", "too short", "at least "];
const GOT: [&str; 7] = [" got ", " got: ", " received ", " received: ", " was ", " found ", " given "];

/// The value after `old:` or `new:`, where the sentence before says that a secret has changed.
pub(crate) fn noted(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let word = run(&rest[..boundary(rest, 12)], |byte| byte.is_ascii_alphabetic());
    TIMES.iter().find(|time| time.eq_ignore_ascii_case(&rest[..word]))?;
    let near = &rest[..boundary(rest, NOTE)];
    let begin = word + run(&near[word..], |byte| b" :=*\"'`".contains(&byte));
    let has_sign = near[word..begin].contains([':', '=']);
    let secret = told(near, begin)?;
    let text = &near[secret.clone()];
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(NOTE))..place.at];
    looked_at(before.len());
    let lower = before.to_ascii_lowercase();
    if !CHANGES.iter().any(|change| lower.contains(change)) {
        return None;
    }
    let kind = named(before)?;
    let is_spelled = has_sign && kind == Kind::Password && has_digit(text) && text.len() > 5;
    (begin > word && (is_spelled || is_strong(text) || is_varied(text)))
        .then(|| place.at + secret.start..place.at + secret.end)
}

/// The first value of `from … to … in the password field`, and at `to` the second one.
pub(crate) fn in_field(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let near = &rest[..boundary(rest, NOTE)];
    if let Some(open) = near.strip_prefix("from ") {
        let old = told(near, near.len() - open.len())?;
        let turn = closed(near, old.end);
        let open = turn + near[turn..].strip_prefix(" to ").map(|_| " to ".len())?;
        // `change the password from … to a variable`
        let Some(new) = told(near, open) else {
            let is_old = is_of_password(place, "") && is_varied(&near[old.clone()]);
            return is_old.then(|| place.at + old.start..place.at + old.end);
        };
        let is_old = is_of_field(near, &old, &new) || is_of_password(place, "") && is_spelled(near, &old);
        return is_old.then(|| place.at + old.start..place.at + old.end);
    }
    let new = told(near, near.strip_prefix("to ").map(|_| "to ".len())?)?;
    let is_new = is_of_field(near, &new, &new) || is_of_password(place, "from ") && is_spelled(near, &new);
    is_new.then(|| place.at + new.start..place.at + new.end)
}

/// Whether the words before say that a password was changed, with `from` and the old one where that is given:
/// `changed the password from … to …`.
fn is_of_password(place: Place<'_>, from: &str) -> bool {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(NOTE))..place.at];
    looked_at(before.len());
    let line = before.rsplit('\n').next().unwrap_or_default().trim_end_matches(' ').to_ascii_lowercase();
    let told = if from.is_empty() {
        Some(line.as_str())
    } else {
        line.rsplit_once(' ').and_then(|(line, _)| line.strip_suffix(from.trim_end()))
    };
    let told = told.map(|told| told.trim_end_matches(' '));
    let is_named = |told: &str| ["password", "passphrase", "passwd", " pw"].iter().any(|word| told.ends_with(word));
    told.is_some_and(|told| is_named(told) && CHANGES.iter().any(|change| told.contains(change)))
}

/// Whether a value is spelled as passwords are, or in quotation marks.
fn is_spelled(near: &str, value: &Range<usize>) -> bool {
    closed(near, value.end) > value.end || has_digit(&near[value.clone()]) || is_varied(&near[value.clone()])
}

/// Whether behind the second value it is said that a field with a secret's name has it.
fn is_of_field(near: &str, value: &Range<usize>, last: &Range<usize>) -> bool {
    let after = &near[closed(near, last.end)..];
    let after = &after[..boundary(after, FIELD)];
    let after = after.split(['\n', '.', ';']).next().unwrap_or_default();
    let is_place = [" in ", " of ", " for ", " on "].iter().any(|word| after.starts_with(word));
    let is_field = is_place && FIELDS.iter().any(|field| after.contains(field));
    is_field && named(after).is_some() && is_spelled(near, value)
}

/// Where the quotation begins of a value that does not fit its name: ` must have 32 characters, got "…"`.
pub(crate) fn misfit(after: &str) -> Option<usize> {
    let near = &after[..boundary(after, NOTE)];
    let near = near.split('\n').next()?;
    let mut quotes = near.match_indices(['"', '\'']).map(|(at, _)| at);
    let at = quotes.find(|at| GOT.iter().any(|got| near[..*at].ends_with(got)))?;
    let text = near.get(at + 1..)?;
    let text = &text[..text.find(['"', '\''])?];
    let is_word = text.len() > 3 && !text.contains(' ') && !stands_in(text);
    (is_word && EXPECTING.iter().any(|word| near[..at].contains(word))).then_some(at)
}

/// The strongest kind of secret that a sentence names.
fn named(text: &str) -> Option<Kind> {
    let mut at = 0;
    let mut kinds = Vec::new();
    for word in text.split(|c: char| !(c.is_alphanumeric() || "_-".contains(c))) {
        let begin = at;
        at += word.len();
        at += text[at..].chars().next().map_or(0, char::len_utf8);
        let name = spaced(&text[..begin], word);
        let name = name.as_deref().unwrap_or(word);
        if !name.is_empty() && may_matter(name) {
            kinds.extend(Name::of(name).filter(|name| name.kind >= Kind::Token).map(|name| name.kind));
        }
    }
    kinds.into_iter().max()
}

/// The value that begins at a place, in quotation marks or as a word, if it may be a secret.
fn told(near: &str, begin: usize) -> Option<Range<usize>> {
    let quote = near.get(begin..)?.chars().next().filter(|c| "\"'`".contains(*c));
    let range = match quote {
        Some(quote) => {
            let range = quoted(&near[begin..], 0, quote);
            begin + range.start..begin + range.end
        }
        None => {
            let word = &near[begin..];
            let end = word.find(|c: char| c.is_whitespace() || "\"'`,;)".contains(c)).unwrap_or(word.len());
            begin..begin + word[..end].trim_end_matches(['.', ':']).len()
        }
    };
    let text = near.get(range.clone())?;
    let is_object = text.contains(['/', '(', '=']) || text.bytes().filter(|byte| *byte == b'.').count() > 1;
    let is_told = text.len() > 4 && !text.contains(' ') && !is_object && !is_identifying(text) && !is_version(text);
    (is_told && !stands_in(text) && !text.bytes().all(|byte| DOTTED(byte) && !byte.is_ascii_alphabetic()))
        .then_some(range)
}

/// The end of a value with its quotation mark.
fn closed(near: &str, end: usize) -> usize {
    end + usize::from(near[end..].starts_with(['"', '\'', '`']))
}

fn has_digit(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}
