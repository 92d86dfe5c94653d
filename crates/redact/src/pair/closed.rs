//! Names whose sign is the last of a quotation or of a condition, so that what follows is no value: `|= "password=" | json`,
//! `expect "assword:"; send …`, `if not password: raise ValueError`. Pure.

use std::ops::Range;

use crate::text::place::{Place, boundary, looked_at, run};
use crate::value::extent::quoted;
use crate::value::generated;
use crate::value::sign::Sign;
use crate::value::speech::{Value, only_speaks, stands_in};
use crate::word::names::Name;
use crate::word::random::{is_strong, is_varied};

/// Words with which a condition of a language begins that a colon ends, and with which a statement begins.
const CONDITIONS: &str = "if elif else while for case when unless except with";
const STATEMENTS: &str = "raise continue break pass return throw goto yield panic exit die next assert del print await";

/// How much of a line is looked at before a name, and how much for the beginning of a quotation.
const LINE: usize = 96;
const QUOTATION: usize = 512;

/// The longest pattern of a value.
const LONGEST_PATTERN: usize = 12;

/// How many digits the number of a line has, and the options of systemd that load a credential.
const LONGEST_LINE: usize = 6;
const LOADING: [&str; 2] = ["LoadCredential=", "LoadCredentialEncrypted="];

/// What joins a quotation with the next one in code.
const JOINS: [&str; 7] = [" + ", "+", " . ", " .. ", " & ", " || ", " << "];

/// What stands before a name on its line.
pub(super) fn line_before(place: Place<'_>) -> &str {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(LINE))..place.at];
    looked_at(before.len());
    before.rsplit('\n').next().unwrap_or_default()
}

/// Whether a name ends a condition, and a statement of code follows: `if not password: raise ValueError`.
pub(super) fn is_condition(place: Place<'_>, text: &str) -> bool {
    let word = run(text, |byte| byte.is_ascii_lowercase());
    let begins = |table: &str, word: &str| table.split(' ').any(|known| known == word);
    begins(STATEMENTS, &text[..word])
        && line_before(place).split(|c: char| !c.is_ascii_alphanumeric()).any(|word| begins(CONDITIONS, word))
}

/// Whether the quotation mark after the sign closes a quotation that has the name in it: `expect "assword:"; send …`.
pub(super) fn is_closed(place: Place<'_>, name: &str, text: &str) -> bool {
    let Some(quote) = text.chars().next().filter(|c| "\"'".contains(*c)) else { return false };
    let opening = line_before(place);
    name.trim_end_matches(['*', '?', ' ']).ends_with(':')
        && !name.contains(quote)
        && opening.matches(quote).count() % 2 == 1
}

/// Whether what follows the sign of a name is a part of a substitution, `s/password=.*/password=XXX/`, or goes on with a sentence about
/// the sign, `rename password= to …`.
pub(super) fn is_of_pattern(place: Place<'_>, name: &str, text: &str) -> bool {
    if is_found(place, name, text) || is_loaded(place, text) {
        return true;
    }
    let goes_on = name.ends_with("= ") && ["to ", "in ", "from "].iter().any(|word| text.starts_with(word));
    let line = line_before(place);
    let begins = |(at, _): (usize, &str)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '/');
    let is_substituted = || ["s/", "s|", "s#"].iter().any(|sign| line.match_indices(sign).any(begins));
    let part = text.split(['/', '|', '#']).next().unwrap_or_default();
    let is_any = [".*", "[^", "\\S", "\\w"].iter().any(|begin| part.starts_with(begin));
    goes_on
        || is_substituted() && part.len() < text.len() && (is_any && part.len() <= LONGEST_PATTERN || stands_in(part))
}

/// Whether a name is a scanner's rule, between the file and the line of what it found: `config/dev.yml:generic-api-key:22`.
fn is_found(place: Place<'_>, name: &str, text: &str) -> bool {
    let digits = run(text, |byte| byte.is_ascii_digit());
    let is_rule = place.before == Some(b':') && name.ends_with(':') && name.contains('-');
    is_rule
        && (1..=LONGEST_LINE).contains(&digits)
        && !text[digits..].starts_with(|c: char| !c.is_whitespace() && !"\"',)]}".contains(c))
}

/// Whether a name is one of systemd's credentials, of which the file follows: `LoadCredential=db-pass:/etc/credstore/db-pass`.
fn is_loaded(place: Place<'_>, text: &str) -> bool {
    text.starts_with('/') && LOADING.iter().any(|option| line_before(place).ends_with(option))
}

/// Where the sign of a name is the last of a quotation, the value that code or a shell puts behind it, or none:
/// `"password=" + "…"`, `|= "password=" | json`. `name` ends with the sign, and `text` begins behind it.
pub(super) fn behind(place: Place<'_>, named: &Name, name: &str, text: &str) -> Option<Vec<Range<usize>>> {
    let slashes = run(text, |byte| byte == b'\\');
    let quote = text[slashes..].chars().next().filter(|c| "\"'`".contains(*c))?;
    let after = &text[slashes + 1..];
    let is_apart = after.is_empty() || after.starts_with(|c: char| c.is_whitespace() || ")]},;|+".contains(c));
    let is_ended = name.ends_with(['=', ':']) && !name.contains(quote) && is_apart;
    if !is_ended || !opens(place, slashes, quote) || generated::unquoted(text, false).is_some() {
        return None;
    }
    Some(joined(named, after).map(|range| slashes + 1 + range.start..slashes + 1 + range.end).into_iter().collect())
}

/// Whether a quotation that such a mark with so many backslashes closes is open at a name.
fn opens(place: Place<'_>, slashes: usize, quote: char) -> bool {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(QUOTATION))..place.at];
    looked_at(before.len());
    let is_cut = before.len() < place.at && !before.contains('\n');
    let line = before.rsplit('\n').next().unwrap_or_default();
    let is_mark = |(at, _): &(usize, &str)| {
        let (lead, rest) = line.split_at(*at);
        let is_apostrophe =
            quote == '\'' && lead.ends_with(char::is_alphanumeric) && rest[1..].starts_with(char::is_alphabetic);
        lead.len() - lead.trim_end_matches('\\').len() == slashes && !is_apostrophe
    };
    let lead = line.strip_suffix(quote).map(|lead| lead.trim_end_matches('\\'));
    let is_first = lead.is_some_and(|lead| !lead.ends_with(|c: char| c.is_alphanumeric() || c == quote));
    is_first || !is_cut && line.match_indices(quote).filter(is_mark).count() % 2 == 1
}

/// The value behind a quotation: the one that is joined with it, or a word that is as varied as passwords are.
fn joined(named: &Name, after: &str) -> Option<Range<usize>> {
    let near = &after[..boundary(after, QUOTATION)];
    if let Some(join) = JOINS.iter().find(|join| near.starts_with(**join)).map(|join| join.len())
        && let Some(quote) = near[join..].chars().next().filter(|c| "\"'`".contains(*c))
    {
        let range = quoted(&near[join..], 0, quote);
        let text = near.get(join + range.start..join + range.end)?;
        let told = Value { text, after: "", sign: Sign::Equals, is_quoted: true, is_parameter: false };
        return (!text.contains(' ') && !only_speaks(named.kind, &named.core, told))
            .then_some(join + range.start..join + range.end);
    }
    let begin = run(near, |byte| b" ,".contains(&byte));
    let begin = begin + run(&near[begin..], |byte| b"\"'".contains(&byte)).min(1);
    let length = near[begin..].find(|c: char| c.is_whitespace() || "\"'`),;".contains(c)).unwrap_or(near.len() - begin);
    let word = &near[begin..begin + length];
    let is_value = (is_strong(word) || is_varied(word)) && !word.contains(['/', '=', ':', '(']) && !stands_in(word);
    (begin > 0 && is_value).then_some(begin..begin + length)
}
