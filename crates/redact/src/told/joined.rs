//! Words joined by dashes with a number, as people make passwords and machines make names: `tiger-lily-9`. What stands around
//! them decides. Pure.

use std::ops::Range;

use crate::text::alphabet::DOTTED;
use crate::text::place::{Place, boundary, looked_at, run};
use crate::value::speech::stands_in;
use crate::word::predicate::{describes, ends_clause};
use crate::word::random::{is_varied, looks_random};
use crate::word::remark::{is_clause, is_remark};
use crate::word::shape::is_identifying;

/// How far before a name its user may stand.
const NEAR: usize = 64;

/// How many parts such a password has, and the longest number and the longest word among them.
const PARTS: std::ops::RangeInclusive<usize> = 2..=6;
const LONGEST_NUMBER: usize = 4;
const LONGEST_WORD: usize = 14;

/// The shortest of them, and the shortest password of another kind.
const SHORTEST: usize = 8;
const SHORTEST_CHOSEN: usize = 6;

/// Words for things that have numbers.
const NUMBERED: &str = "policy rule rules reset rotation job page form service server host node web app api db database vault rack row room \
    version step line field section item ticket issue attempt sync check task change update min max chars days prod \
    production staging stage dev test tenant region zone east west north south eu us ap cluster pod worker cron build \
    release user group role account admin key cert file table queue topic shard auth method";

/// What stands between a user and the word for a password, and words before a user.
const BETWEEN: [&str; 7] = [" / ", ", ", "; ", " and ", " with ", " & ", " "];
const BEFORE_USER: &str = "login user username usr as account ssh ssid wifi wlan";

/// Accounts that every system has.
const ACCOUNTS: [&str; 6] = ["administrator", "admin", "root", "sa", "postgres", "elastic"];

/// Whether `text` is words joined by dashes with a number, and no name of a thing.
pub(crate) fn is_joined(text: &str) -> bool {
    let is_number = |part: &str| part.len() <= LONGEST_NUMBER && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_word = |part: &str| part.len() <= LONGEST_WORD && part.bytes().all(|byte| byte.is_ascii_alphabetic());
    let says = |part: &str| {
        let part = part.to_ascii_lowercase();
        is_remark(&part) || is_clause(&part) || NUMBERED.split_ascii_whitespace().any(|known| known == part)
    };
    let parts = || text.split(['-', '_']);
    text.len() >= SHORTEST
        && PARTS.contains(&parts().count())
        && parts().all(|part| part.len() > 1 && is_word(part) || !part.is_empty() && is_number(part))
        && parts().any(is_number)
        && parts().any(|part| part.len() > 3 && is_word(part))
        && !parts().any(says)
        && !parts().filter(|part| !is_number(part)).all(|word| describes("password", word))
}

/// Whether such words at the beginning of `after` are the password of a user who is named before the place:
/// `login is admin / password tiger-lily-9`.
pub(crate) fn follows_user(place: Place<'_>, after: &str) -> bool {
    let near = &after[..boundary(after, NEAR)];
    let word = near[..run(near, DOTTED)].trim_end_matches('.');
    if !is_joined(word) || !ends(&near[word.len()..]) {
        return false;
    }
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(NEAR))..place.at];
    looked_at(before.len());
    let line = before.rsplit('\n').next().unwrap_or_default();
    let Some(between) = BETWEEN.iter().find(|between| line.ends_with(**between)) else { return false };
    let line = &line[..line.len() - between.len()];
    let last = |text: &str| text.len() - text.bytes().rev().take_while(|byte| DOTTED(*byte) || *byte == b'@').count();
    let user = &line[last(line)..];
    let lead = line[..line.len() - user.len()].trim_end_matches([' ', ':', '=']);
    let lead = lead.strip_suffix(" is").unwrap_or(lead);
    let lead = &lead[last(lead)..];
    let is_lead = BEFORE_USER.split(' ').any(|known| known.eq_ignore_ascii_case(lead));
    let is_account = *between != " " && ACCOUNTS.contains(&user.split('@').next().unwrap_or_default());
    let is_said = is_remark(&user.to_ascii_lowercase()) || describes("password", user);
    !user.is_empty() && !is_said && (is_lead || is_account)
}

/// The word that begins `text`, where it can be nothing but a password that somebody chose, and ends its clause.
pub(crate) fn chosen(text: &str) -> Option<Range<usize>> {
    let near = &text[..boundary(text, NEAR)];
    let open = run(near, |byte| b"\"'`".contains(&byte));
    let length =
        near[open..].find(|c: char| c.is_whitespace() || "\"'`,;()<>".contains(c)).unwrap_or(near.len() - open);
    let word = near[open..open + length].trim_end_matches(['.', ':', '?']);
    // `Sommer2024!`
    let word = if is_varied(word) { word } else { word.trim_end_matches(['.', ':', '!', '?']) };
    let is_mixed = looks_random(word, SHORTEST_CHOSEN) && word.bytes().any(|byte| byte.is_ascii_alphabetic());
    let is_path = word.contains(['/', '=', '.', ':']);
    let is_told = is_mixed && !is_path && !is_identifying(word) && !stands_in(word) || is_joined(word);
    (is_told && ends(&near[open + word.len()..])).then_some(open..open + word.len())
}

/// Whether a clause or a line ends before `after`, behind a quotation mark or none.
pub(crate) fn ends(after: &str) -> bool {
    let rest = after.trim_start_matches(['"', '\'', '`', ' ', '\r']);
    rest.starts_with('\n') || ends_clause(rest) || ends_clause(after)
}

/// Words between the sign of a name and its value, and those of them that are no value themselves.
const LEADS: [&str; 5] = ["use ", "try ", "still ", "now ", "it's "];
const VERBS: [&str; 9] = ["use ", "try ", "still ", "ask ", "get ", "request ", "fetch ", "ping ", "contact "];

/// The value behind such a word at the beginning of `text`: what is like a password, or what is in quotation marks.
pub(crate) fn led(name: &str, text: &str) -> Option<Range<usize>> {
    let at = LEADS.iter().find(|lead| text.starts_with(**lead))?.len();
    let near = &text[at..boundary(text, at + NEAR).max(at)];
    let quoted = || {
        let quote = near.chars().next().filter(|c| "\"'`".contains(*c))?;
        let length = near[1..].find(quote).filter(|length| *length > 3)?;
        let word = &near[1..=length];
        (!stands_in(word) && !describes(name, word) && !word.contains(' ')).then_some(1..=length)
    };
    let masked = || near.starts_with(crate::MASK).then_some(0..crate::MASK.len());
    let range = masked().or_else(|| chosen(near)).or_else(|| quoted().map(|range| *range.start()..range.end() + 1))?;
    Some(at + range.start..at + range.end)
}

/// Whether `text` says what to do about a password: `password: use the vault`.
pub(crate) fn begins_with_verb(text: &str) -> bool {
    VERBS.iter().any(|verb| text.starts_with(verb))
}
