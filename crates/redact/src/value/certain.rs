//! What a name must be for a value that no sign divides from it: a UUID, hexadecimal digits, or a quotation. Pure.

use super::extent::quoted;
use super::generated::is_no_code;
use crate::text::alphabet::DOTTED;
use crate::text::place::{Place, boundary, run};
use crate::word::names::{Kind, Name};
use crate::word::random::{is_strong, is_varied};
use crate::word::shape::{is_identifying, is_label, is_uuid};

/// How far a quotation is followed.
const NEAR: usize = 200;

/// Hexadecimal digits are a key from this length on, after a name that is certain.
pub(crate) const LONG_HEX: usize = 32;

/// Words before `token` that say that what follows opens something, and identifies no request.
const TOKEN_OWNERS: &str =
    "hec acl api access auth bearer bootstrap management deploy agent admin root personal ingest collector";

/// The shortest name of a setting within a quotation.
const SHORTEST_SETTING: usize = 3;

/// Words before `token` of those who read code: `unexpected token "…"`.
const OF_PARSERS: [&str; 5] = ["unexpected ", "Unexpected ", "near ", "at ", "invalid "];

/// Whether a quotation without blanks begins `after`, and what stands in it looks like a secret, as much as the name demands.
pub(crate) fn is_quoted_secret(place: Place<'_>, named: &Name, after: &str) -> bool {
    let near = &after[..boundary(after, NEAR)];
    let Some(quote) = near.chars().next().filter(|c| "\"'`".contains(*c)) else { return false };
    let range = quoted(near, 0, quote);
    let text = &near[range.clone()];
    if !near[range.end..].starts_with(quote) || text.contains(char::is_whitespace) || is_identifying(text) {
        return false;
    }
    // `credentials 'aws_access_key_id=…;…'`
    let name = run(text, |byte| byte.is_ascii_lowercase() || byte == b'_');
    let is_setting = name >= SHORTEST_SETTING && text[name..].starts_with('=');
    let is_made = is_no_code(text) && !is_setting && !text.contains("${") && !text.contains("{{");
    match named.kind {
        Kind::Password => {
            is_made
                || !is_setting
                    && (is_strong(text) || is_varied(text))
                    && !is_label(text)
                    && !text.contains(['/', '(', '{', '<'])
        }
        Kind::Token => is_made && !OF_PARSERS.iter().any(|word| place.text[..place.at].ends_with(word)),
        _ => false,
    }
}

/// Names of keys that are secrets whatever they look like.
const CERTAIN_KEYS: [&str; 2] = ["apikey", "secretkey"];

/// Words before `password` that say that something happened to one, and no value follows: `reset password 8f86…`.
const HAPPENING: [&str; 6] = ["reset", "forgot", "forgotten", "change", "changed", "lost"];

/// Whether a name is certainly that of a secret, so that a UUID behind it is one, too.
pub(crate) fn is_certain(place: Place<'_>, named: &Name) -> bool {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(16))..place.at];
    let last = before.trim_end_matches([' ', '-', '_']).rsplit(|c: char| !c.is_ascii_alphabetic()).next();
    let happens = last.is_some_and(|last| HAPPENING.iter().any(|known| known.eq_ignore_ascii_case(last)));
    named.kind == Kind::Password && !happens && (!named.core.ends_with("key") || is_certain_key(named))
}

pub(crate) fn is_certain_key(named: &Name) -> bool {
    CERTAIN_KEYS.iter().any(|key| named.core.ends_with(key))
}

/// Whether a word has a form that tokens have, and identifiers, too: a UUID, or 32 hexadecimal digits or more.
pub(crate) fn is_of_token(word: &str) -> bool {
    is_uuid(word) || word.len() >= LONG_HEX && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a name is that of a token which may be a UUID: `HEC token`, `SecretID`.
pub(crate) fn opens(place: Place<'_>, name: &str, named: &Name) -> bool {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(16))..place.at];
    let begin = name.floor_char_boundary(name.len().saturating_sub("token".len()));
    let of = if name.eq_ignore_ascii_case("token") { before } else { &name[..begin] };
    let owner = of.trim_end_matches([' ', '-', '_', '.']).rsplit(|c: char| !c.is_ascii_alphanumeric()).next();
    let is_owner = |owner: &str| TOKEN_OWNERS.split(' ').any(|known| known.eq_ignore_ascii_case(owner));
    named.core == "secretid" || named.core.ends_with("token") && owner.is_some_and(is_owner)
}

/// Whether what follows a name without any sign is no value of it: an address with its query, one of mail, or another name with
/// its value, as in `user=apikey pass=…`.
pub(crate) fn is_elsewhere(text: &str) -> bool {
    let word = text[..boundary(text, 128)].split(char::is_whitespace).next().unwrap_or_default();
    let name = run(word, |byte| byte.is_ascii_alphabetic() || b"_-.".contains(&byte));
    let has_value =
        word[name..].strip_prefix('=').is_some_and(|value| value.starts_with(|c: char| c.is_ascii_alphanumeric()));
    let is_query = || word.split_once('?').is_some_and(|(path, query)| path.contains('/') && query.contains('='));
    let is_mail = || {
        let mut parts = word.trim_end_matches([',', ';', '.', ')', '>']).split('@');
        let (user, host) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let is_host = host.split('.').count() > 1
            && host
                .split('.')
                .all(|part| part.len() > 1 && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
        parts.next().is_none() && is_host && user.bytes().all(DOTTED) && !is_strong(user)
    };
    name > 1 && has_value || word.contains("://") || is_query() || is_mail()
}
