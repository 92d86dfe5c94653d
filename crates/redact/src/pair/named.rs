//! Secrets that are told by a name: a name, what stands between, and a value. Pure.
//!
//! `password=…`, `"token": "…"`, `--secret …`, `<password>…</password>`, `{"name": "PASSWORD", "value": "…"}`: a small grammar
//! with much tolerance for what decorates its three parts.

use std::ops::Range;

use super::beside::{before_name, listed_key, new_value};
use super::closed::{behind, is_closed, is_condition, is_of_pattern, line_before};
use super::connection;
use super::header::header;
use super::link::link;
use super::phrase;
use super::setting;
use super::whole::{enclosed, to_the_lines_end};
use crate::program::protocol::fifth_field;
use crate::text::alphabet::{DOTTED, WORD};
use crate::text::letters::goes_on;
use crate::text::place::{Place, boundary, looked_at, run};
use crate::told::change::misfit;
use crate::told::joined::{begins_with_verb, led};
use crate::told::recovery::may_be_code;
use crate::told::second::are_listed;
use crate::value::decoration::secure_string;
use crate::value::extent::{encoded, extent, listed_below, within};
use crate::value::fault;
use crate::value::generated;
use crate::value::next::separates;
use crate::value::series::{after, inside, is_plain, old_and_new};
use crate::value::sign::Sign;
use crate::value::speech::{Value, only_speaks, stands_in};
use crate::word::ends::may_matter;
use crate::word::event;
use crate::word::figure;
use crate::word::names::{self, Kind, Name, spaced};
use crate::word::placeholder::is_kept_elsewhere;
use crate::word::random::{is_strong, is_varied, looks_random};
use crate::word::shape::{is_identifier, is_identifying};
use crate::word::tongue;

/// What stands before the name of a thing whose digest follows.
const DIGESTS: [&str; 6] = ["checksum/", "checksums/", "checksum-", "hash/", "sha256/", "rollme/"];

/// The longest name.
const LONGEST_NAME: usize = 128;

/// Whether what belongs to `name` is a secret: `db_password`, `X-Api-Key`, `token`.
pub fn is_secret_name(name: &str) -> bool {
    Name::of(name).is_some_and(|name| name.kind >= Kind::Token && !name.is_plural)
}

/// Whether `value` under `name` is a secret, and not only a word about one: `token: expired`, `license.key: mit`.
pub fn is_secret(name: &str, value: &str) -> bool {
    if figure::follows(name, value) {
        return false;
    }
    let Some(name) = Name::of(name) else { return false };
    let value = Value { text: value, after: "", sign: Sign::Equals, is_quoted: true, is_parameter: false };
    match name.kind {
        Kind::Phrase => phrase::mnemonic(value.text, name.core.ends_with("seed")).is_some(),
        Kind::Authorization | Kind::Cookie => !only_speaks(Kind::Token, &name.core, value),
        kind if name.is_plural => is_strong(value.text) && !only_speaks(kind, &name.core, value),
        kind => !only_speaks(kind, &name.core, value),
    }
}

/// Whether some of the values that belong to `name` are secrets: also those of `passwords` and `cookies`.
pub fn keeps_secrets(name: &str) -> bool {
    Name::of(name).is_some_and(|name| name.kind >= Kind::Token)
}

/// Whether `value` of the member `name` is a secret in an object called `around`: in `credentials`, what looks like one.
pub fn is_secret_within(around: &str, name: &str, value: &str) -> bool {
    let Some(named) = Name::of(around) else { return false };
    match named.kind {
        _ if is_plain(name) => false,
        Kind::Password | Kind::Cookie => is_secret(around, value),
        Kind::Authorization => crate::may_be_secret(value),
        _ => is_secret(around, value) && looks_random(value, 6) && !is_identifying(value),
    }
}

/// The values that belong to the name at `place`, as a rule one, and where the text is read on: a map may hold more.
pub(crate) fn secrets(place: Place<'_>) -> Option<(Vec<Range<usize>>, usize)> {
    let rest = place.rest();
    let name = &rest[..name(rest)];
    if name.is_empty() || name.len() > LONGEST_NAME || !may_matter(name) || is_no_name(place) {
        return None;
    }
    let from = |begin: usize, found: Vec<Range<usize>>| -> Option<(Vec<Range<usize>>, usize)> {
        let next = begin + found.first()?.end;
        Some((found.into_iter().map(|range| begin + range.start..begin + range.end).collect(), next))
    };
    if name.eq_ignore_ascii_case("value") {
        return from(
            place.at,
            before_name(place).or_else(|| new_value(place)).or_else(|| listed_key(place)).into_iter().collect(),
        );
    }
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(16))..place.at];
    let spaced = spaced(before, name);
    let named = Name::of(spaced.as_deref().unwrap_or(name));
    let is_parameter = named.is_none();
    let named = named.or_else(|| Name::of_parameter(name))?;
    if !is_parameter && named.kind >= Kind::Token {
        let text = &rest[name.len()..];
        let change = old_and_new(text, &named);
        let is_code = |old: &Range<usize>| !named.is_plural || may_be_code(&text[old.clone()], &text[old.end..]);
        if change.first().is_some_and(is_code) {
            return from(place.at + name.len(), change);
        }
    }
    let (at, sign) = link(place, name, &named)?;
    if is_parameter && !is_in_its_place(place, &named, sign, &rest[at..]) {
        return None;
    }
    if named.core == "secret" && sign == Sign::Colon && is_in_arn(place) {
        return None;
    }
    if !place.is_parameter && figure::follows(name, &rest[at..]) || is_of_pattern(place, &rest[..at], &rest[at..]) {
        return None;
    }
    let is_code = || is_condition(place, &rest[at..]) || is_closed(place, &rest[..at], &rest[at..]);
    if is_kept_elsewhere(&rest[..at], &rest[at..]) || sign == Sign::Colon && is_code() {
        return None;
    }
    if let Some(joined) = behind(place, &named, &rest[..at], &rest[at..]) {
        return from(place.at + at, joined);
    }
    let begin = place.at + at + secure_string(&rest[at..]);
    let text = &place.text[begin..];
    let is_made = || {
        named.kind == Kind::Password
            && generated::unquoted(text, false).is_some()
            && !text[1..].starts_with(['"', '\''])
    };
    let members = if is_made() { Vec::new() } else { inside(place, &named, sign, begin) };
    if !members.is_empty() {
        return from(begin, members).map(|(found, _)| (found, begin));
    }
    if let Some(pairs) = connection::quoted_pairs(&named, sign, text) {
        return from(begin, pairs).map(|(found, _)| (found, begin));
    }
    let first = value(place, &named, sign, text).or_else(|| unfit(&named, text))?;
    let more = after(text, &first, &named);
    from(begin, std::iter::once(first).chain(more).collect())
}

/// Where the secret stands in `text`, which begins after what follows the name.
fn value(place: Place<'_>, named: &Name, sign: Sign, text: &str) -> Option<Range<usize>> {
    match named.kind {
        Kind::Phrase => {
            let words = phrase::mnemonic(text, named.core.ends_with("seed"));
            return words.or_else(|| instead_of_phrase(text, sign));
        }
        Kind::Authorization => return header(text, true, place.before),
        Kind::Cookie => return header(text, false, place.before),
        _ => {}
    }
    // The value of a parameter ends with the query, that of a connection's does not.
    let is_query = place.is_parameter && place.before != Some(b';');
    let is_word = named.kind == Kind::Password && !named.core.ends_with("key");
    let ends = match () {
        () if is_query && !is_word || named.core == "jsessionid" => "#?&",
        () if is_query => "&",
        () => "",
    };
    if let Some(second) = after_user(named, text) {
        return Some(second);
    }
    if named.core == "pgpass"
        && let Some(field) = fifth_field(text)
    {
        return (!stands_in(&text[field.clone()])).then_some(field);
    }
    let is_led = is_word && sign == Sign::Colon;
    if let Some(words) = led(&named.core, text).filter(|_| is_led).or_else(|| phrase::told(place, named, sign, text)) {
        return Some(words);
    }
    if is_led && begins_with_verb(text) {
        return None;
    }
    let mut range = within(text, sign, named.is_plural).or_else(|| extent(text, sign, ends))?;
    if is_query && matches!(place.before, Some(b'?' | b'&')) && text[range.end..].starts_with('%') {
        range.end += encoded(&text[range.end..]);
    }
    let is_quoted = range.start > 0 && text[..range.start].ends_with(['"', '\'', '`']);
    if is_quoted && is_name_of_another(&text[range.clone()], &text[range.end..]) {
        return None;
    }
    if text[..range.start].ends_with('`') && text[range.clone()].contains(' ') {
        // A command of a shell.
        return None;
    }
    let ends_sentence = || text[range.end..].strip_prefix(' ').is_some_and(|next| next.starts_with(char::is_uppercase));
    if !is_quoted && (matches!(sign, Sign::Word | Sign::Blank | Sign::Loose) || ends_sentence()) {
        range.end = range.start + text[range.clone()].trim_end_matches('.').len();
    }
    if !is_quoted && text[range.clone()].ends_with(':') {
        // A value that is complained about, or the name of another value.
        let told = text[range.clone()].trim_end_matches([':', ')', ']', ',']);
        let has_digit = told.bytes().any(|byte| byte.is_ascii_digit());
        let is_value = sign == Sign::Equals
            || place.is_parameter
            || has_digit && (is_strong(told) || is_varied(told) || looks_random(told, 8));
        if told.is_empty() || !is_value && range.len() <= LONGEST_NAME {
            return None;
        }
        range.end = range.start + told.len();
    }
    if sign == Sign::Equals && !is_quoted {
        range.end = range.end.max(range.start + phrase::to_the_quotes_end(place, &text[range.start..]));
    }
    if !is_quoted && range.start == 0 {
        let end = enclosed(place, sign, text);
        let is_element = || place.text[..place.text.len() - text.len()].ends_with(['>', '[']);
        let mut after = text[range.end..end.max(range.end)].chars();
        if after.next().is_some() && (is_element() || !separates(after.as_str())) {
            range.end = end;
        }
    }
    if !is_quoted && sign == Sign::Colon {
        range.end = range.end.max(range.start + to_the_lines_end(place, &text[range.start..]));
    }
    range.end = range.end.max(range.start + phrase::in_groups(&text[range.start..], named));
    if text[..range.start].is_empty() && place.text[..place.text.len() - text.len()].ends_with("- ") {
        range.end = listed_below(text, range.end);
    }
    let is_listed = text[..range.start].starts_with('[');
    let is_code = named.core.ends_with("code") && may_be_code(&text[range.clone()], &text[range.end..]);
    let is_one_of = || named.kind == Kind::Password && are_listed(&text[range.start..]);
    if named.is_plural && !(is_listed || is_code || is_strong(&text[range.clone()]) || is_one_of()) {
        return None;
    }
    if is_version_or_digest(&place.text[..place.text.len() - text.len()], &text[range.clone()], place) {
        return None;
    }
    if !is_quoted && is_compared(&place.text[..place.text.len() - text.len()], &text[range.clone()]) {
        return None;
    }
    let after = &text[range.end..boundary(text, range.end + 96).max(range.end)];
    let word = &text[range.clone()];
    let is_told = || {
        let name = &place.rest()[..name(place.rest())];
        fault::tells(line_before(place), word, after) || event::tells(name, word, after)
    };
    if !is_quoted && sign == Sign::Colon && is_told() {
        return None;
    }
    let value = Value { text: &text[range.clone()], after, sign, is_quoted, is_parameter: place.is_parameter };
    let is_told = !only_speaks(named.kind, &named.core, value) || setting::is_chosen(place, named, value);
    (is_told || is_of_cookie(place, named, value.text)).then_some(range)
}

/// Whether the value of a session's name is a credential although it looks like an identifier: a line that speaks of cookies has it.
fn is_of_cookie(place: Place<'_>, named: &Name, text: &str) -> bool {
    let is_session = ["session", "sessionid", "sid"].iter().any(|end| named.core.ends_with(end));
    is_session
        && named.kind == Kind::Opaque
        && is_identifier(text)
        && !text.starts_with("devin-")
        && line_before(place).to_ascii_lowercase().contains("cookie")
}

/// Whether a word is the name of a variable that code compares with: `password === confirmPassword`.
fn is_compared(before: &str, word: &str) -> bool {
    let is_operator = [" == ", " === ", " != ", " !== "].iter().any(|operator| before.ends_with(operator));
    let name = word.trim_start_matches(['$', '@']).trim_end_matches(|c: char| c.is_ascii_digit());
    is_operator && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic() || b"_.->".contains(&byte))
}

/// A word in the place of a phrase that stands for a key, if it is as varied as passwords are: `MNEMONIC=…`.
fn instead_of_phrase(text: &str, sign: Sign) -> Option<Range<usize>> {
    let range = extent(text, sign, "")?;
    let word = &text[range.clone()];
    let is_hex = word.bytes().all(|byte| byte.is_ascii_hexdigit());
    ((is_strong(word) || is_varied(word)) && !is_hex && !word.contains(['/', ' ']) && !is_identifying(word))
        .then_some(range)
}

/// The value that does not fit, where what stands after the sign says which one would: `api_key: expected 32 characters, got "…"`.
fn unfit(named: &Name, text: &str) -> Option<Range<usize>> {
    let begin = misfit(text).filter(|_| named.kind >= Kind::Token)?;
    let value = extent(&text[begin..], Sign::Equals, "")?;
    Some(begin + value.start..begin + value.end)
}

/// The password after the user where a name says that both follow: `auth-user-pass: bob …`.
fn after_user(named: &Name, text: &str) -> Option<Range<usize>> {
    if named.core == "neo4jauth" {
        let begin = text.find('/').filter(|sign| *sign == run(text, DOTTED))? + 1;
        let length =
            text[begin..].find(|c: char| c.is_whitespace() || "\"'`".contains(c)).unwrap_or(text.len() - begin);
        looked_at(length);
        return (length > 0).then(|| begin..begin + length);
    }
    let user = run(text, DOTTED);
    let begin = user + 1;
    let password = text[user..].strip_prefix(' ').filter(|_| user > 0 && named.core.ends_with("userpass"))?;
    let length = password.find(char::is_whitespace).unwrap_or(password.len());
    looked_at(length);
    let password = &password[..length];
    (is_strong(password) || is_varied(password) || password == crate::MASK).then(|| begin..begin + length)
}

/// Whether a value is the version that a package must have, or the digest of a thing that is called so: `keyring-pass==9.1`,
/// `checksum/secret: …`.
fn is_version_or_digest(before: &str, value: &str, place: Place<'_>) -> bool {
    let is_version = value.contains('.') && value.bytes().all(|byte| byte.is_ascii_digit() || b".*".contains(&byte));
    let is_digest = value.len() >= 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_annotation = || DIGESTS.iter().any(|word| place.text[..place.at].ends_with(word));
    is_version && before.ends_with("==") || is_digest && is_annotation()
}

/// Whether a quoted text is the name of the next value: `access-key: "SecretAccessKey": "…"`.
fn is_name_of_another(text: &str, after: &str) -> bool {
    let sign = run(after, |byte| b"\\\"' :=".contains(&byte));
    let mut between = after[..sign].trim_matches(['\\', ' ']).chars();
    let is_sign = |c: Option<char>| c.is_some_and(|c| ":=".contains(c));
    let is_quote = |c: Option<char>| c.is_some_and(|c| "\"'".contains(c));
    let is_name = !text.is_empty() && text.bytes().all(WORD);
    is_name && is_quote(between.next()) && is_quote(between.next_back()) && is_sign(between.find(|c| *c != ' '))
}

/// The shortest identifier of a session.
const SHORTEST_ID: usize = 16;

/// Whether a `sid` is long enough for a session's: instances of databases, searches and messages of Twilio have one, too.
fn is_cookies_id(value: &str) -> bool {
    let value = value.trim_start_matches(['"', '\'', '\\']);
    let id = &value[..run(value, |byte| byte.is_ascii_alphanumeric() || b"%-_+/:".contains(&byte))];
    let is_message = id.len() == 34 && id.bytes().take(2).all(|byte| byte.is_ascii_uppercase());
    id.len() >= SHORTEST_ID && !is_message || id.starts_with("s%3A")
}

/// Whether a name that keeps a secret only as a parameter or a cookie is one.
fn is_in_its_place(place: Place<'_>, named: &Name, sign: Sign, value: &str) -> bool {
    let is_cookie = named.core.ends_with("session") || named.core == "sid" && is_cookies_id(value);
    match sign {
        Sign::Equals => {
            let is_first = || extent(value, sign, "").is_some_and(|range| value[range.end..].starts_with('&'));
            place.is_parameter || is_cookie && !value.starts_with('<') || place.rest().starts_with("KEY=") || is_first()
        }
        Sign::Colon => {
            named.core == "session" && value.starts_with(['"', '\'', '\\']) && {
                extent(value, sign, "").is_some_and(|range| is_strong(&value[range]))
            }
        }
        _ => false,
    }
}

/// How long the name is that begins `text`. Letters of all languages are of a name.
fn name(text: &str) -> usize {
    // `password......: …`
    let mut length = run(text, DOTTED);
    length = text[..length].find("..").filter(|dots| *dots > 0).unwrap_or(length);
    while let Some(c) = text[length..].chars().next().filter(|c| !c.is_ascii() && goes_on(*c)) {
        length += c.len_utf8();
        let is_linked = names::MEANS_IS.contains(c) || tongue::is_linked(&text[..length]);
        if is_linked && text[length..].starts_with(|c: char| c.is_ascii_alphanumeric()) {
            break;
        }
        length += run(&text[length..], DOTTED);
        looked_at(1);
        if length > LONGEST_NAME {
            break;
        }
    }
    length
}

/// Whether the name stands in a tag that closes, or in the place of a password: `</password>`, `</ns:password>`,
/// `mongodb://app:<password>@db`.
fn is_no_name(place: Place<'_>) -> bool {
    let after = &place.rest()[name(place.rest())..];
    let is_tag = || after[..boundary(after, LONGEST_NAME)].contains("</");
    // `curl -u "<user>:<password>" https://…`
    let ends_quotation = || {
        let behind = after.strip_prefix('>').and_then(|after| after.strip_prefix(['"', '\'', '`']));
        behind.is_some_and(|behind| behind.chars().next().is_none_or(|c| c.is_whitespace() || ",;)]}".contains(c)))
    };
    let stands_in = place.before == Some(b'<') && (after.starts_with(">@") || ends_quotation()) && !is_tag();
    if stands_in {
        return true;
    }
    let before = &place.text.as_bytes()[place.at.saturating_sub(32)..place.at];
    looked_at(before.len());
    let space = before.iter().rev().take_while(|byte| DOTTED(**byte) || **byte == b':').count();
    before[..before.len() - space].ends_with(b"</")
}

/// Whether the name is a part of `arn:aws:secretsmanager:…:secret:…`, after which a secret's name stands.
fn is_in_arn(place: Place<'_>) -> bool {
    let before = &place.text.as_bytes()[place.at.saturating_sub(64)..place.at];
    looked_at(before.len());
    before.ends_with(b":") && before.windows(16).any(|window| window == b":secretsmanager:")
}
