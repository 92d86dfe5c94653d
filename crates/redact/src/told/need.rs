//! How much a word of a sentence has to look like a secret that is set of a name, and whether it does. Pure.

use std::ops::Range;

use super::said::is_random;
use crate::MASK;
use crate::text::place::run;
use crate::value::certain::{is_elsewhere, is_of_token};
use crate::value::extent::quoted;
use crate::value::speech::stands_in;
use crate::word::names::is_variable;
use crate::word::predicate::{describes, ends_clause, is_method};
use crate::word::random::{is_strong, is_varied, looks_random};
use crate::word::remark::is_clause;
use crate::word::shape::{is_cause, is_identifying, is_version};

/// The shortest value with a digit, and the shortest plain one.
const SHORTEST_SPELLED: usize = 5;
const SHORTEST_PLAIN: usize = 4;

/// A phrase that is a password has so many words.
const FEWEST_OF_PHRASE: usize = 3;

/// Ranges of characters, of which a text only speaks.
const RANGES: [&str; 3] = ["A-Z", "a-z", "0-9"];

/// What the names of hashes have.
const HASHES: [&str; 5] = ["sha-", "sha256", "sha512", "bcrypt", "pbkdf2"];

/// What is done to a password, or what it is brought to, where no value follows.
const PURPOSES: &str = "match meet fix stop avoid prevent enforce force allow deny resolve mitigate recover regain restore unlock verify \
    confirm help check test work apply account wait prepare rely login logon connect sync access rotate disable enable clear secure protect \
    reflect support comply satisfy follow address remove revoke contain vault keychain keystore keeper bitwarden lastpass okta secretsmanager \
    production staging preprod prod dev nightly weekly monthly quarterly daily yearly version factory policy standard strict everyone uppercase change appear \
    show live reside stay remain exist be come start begin end load read write \
    lowercase certificate certificates key keys ssh ssl iam pki rbac monday tuesday wednesday thursday \
    friday saturday sunday";

/// What goes on after a plain word that is all that was set.
const WHEN: [&str; 17] = [
    " because ",
    " since ",
    " yesterday",
    " today",
    " tonight",
    " this ",
    " last ",
    " until ",
    " after ",
    " before ",
    " again",
    " now",
    " and ",
    " temporarily",
    " in prod",
    " in staging",
    " in dev",
];

/// How much a value has to look like a secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    /// Any word that ends its clause.
    Plain,
    /// Digits among letters.
    Spelled,
    /// Capitals and digits.
    Varied,
    /// Letters and digits at random.
    Random,
}

/// The value at a place, if it is as much of a secret as is needed.
pub(super) fn value(near: &str, at: usize, need: Need) -> Option<Range<usize>> {
    // Emphasis of a chat stands around a value.
    let at = at + run(near.get(at..).filter(|word| !word.starts_with(MASK))?, |byte| byte == b'*');
    let quote = near.get(at..)?.chars().next().filter(|c| "\"'`".contains(*c));
    if let Some(quote) = quote {
        let range = quoted(&near[at..], 0, quote);
        let range = at + range.start..at + range.end;
        let text = &near[range.clone()];
        let is_closed = near[range.end..].starts_with(quote);
        let is_told = need <= Need::Spelled && is_words(text) || is_needed(text, need);
        return (is_closed && is_told && !is_no_value(text)).then_some(range);
    }
    let word = &near[at..];
    let length = word.find(|c: char| c.is_whitespace() || "\"'`,;)".contains(c)).unwrap_or(word.len());
    let text = word[..length].trim_end_matches(['.', ':', '?', '*']);
    let range = at..at + text.len();
    if let Some(second) = of_account(text) {
        // `changed the creds to bob/…`
        let is_told = is_needed(&text[second..], Need::Spelled) && !is_no_value(&text[second..]);
        return is_told.then(|| at + second..range.end);
    }
    let after = &near[range.end..];
    let is_last = || ends_clause(after.trim_start_matches('?')) || WHEN.iter().any(|when| after.starts_with(when));
    let is_plain = || {
        let word = text.trim_end_matches('!');
        need == Need::Plain && is_plain(word) && !is_no_value(word) && is_last()
    };
    let is_number = || {
        need == Need::Plain
            && (6..=16).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && is_last()
    };
    ((is_needed(text, need) || is_plain() || is_number()) && !is_no_value(text)).then_some(range)
}

/// Where the password begins that stands after a user and a stroke or a colon.
fn of_account(text: &str) -> Option<usize> {
    let sign = text.find(['/', ':'])?;
    let is_user =
        |user: &str| user.len() > 1 && user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.@".contains(&byte));
    let password = &text[sign + 1..];
    (is_user(&text[..sign]) && !password.contains(['/', ':', '='])).then_some(sign + 1)
}

/// Whether a word has what is needed, besides being any word.
fn is_needed(text: &str, need: Need) -> bool {
    let has = |kind: fn(&u8) -> bool| text.bytes().any(|byte| kind(&byte));
    let has_capital = || has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    let is_mixed = has(u8::is_ascii_digit) && text.chars().any(char::is_alphabetic) && !is_counted(text);
    match need {
        Need::Random => is_random(text) || is_strong(text) && text.len() >= 10 && looks_random(text, 10),
        Need::Varied => {
            is_strong(text) || is_varied(text) || is_mixed && has_capital() && text.len() > 5 || is_of_token(text)
        }
        Need::Spelled | Need::Plain => {
            is_varied(text) || is_mixed && text.len() >= SHORTEST_SPELLED || is_of_token(text)
        }
    }
}

/// Whether a number with its unit, or a word for a count, begins a text: `30days`, `12-character`, `3rd`.
fn is_counted(text: &str) -> bool {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    unit.len() < text.len()
        && unit.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

/// Whether a text cannot be the value: it stands for one, tells a place or a way, or says something of the secret.
fn is_no_value(text: &str) -> bool {
    let lower = text.to_lowercase();
    let is_object = !text.contains(' ') && text.contains(['/', '(', '=', '<', ':']) && !is_varied(text);
    let is_name = text.contains('_') && is_variable(text);
    stands_in(text)
        || is_elsewhere(text)
        || is_method(&lower)
        || is_object
        || is_name
        || is_version(&lower)
        || RANGES.iter().any(|range| text.contains(range))
        || HASHES.iter().any(|hash| lower.contains(hash))
        || is_identifying(text) && !is_of_token(text)
        || text.len() < SHORTEST_PLAIN
        || text.split(' ').count() < FEWEST_OF_PHRASE && text.split(' ').any(|word| describes("password", word))
}

/// Whether a plain word may be a password: no purpose, no place, no abbreviation.
fn is_plain(text: &str) -> bool {
    let is_word = text.chars().all(|c| c.is_alphabetic() || c == '-') && text.starts_with(char::is_alphabetic);
    let lower = text.to_lowercase();
    let is_purpose = || lower.split('-').any(|part| PURPOSES.split_ascii_whitespace().any(|known| known == part));
    let is_short = text.bytes().all(|byte| byte.is_ascii_uppercase()) && text.len() < 6;
    let is_compound = text.bytes().skip(1).any(|byte| byte.is_ascii_uppercase()) && is_cause(text);
    is_word && !is_short && !is_compound && !is_purpose()
}

/// Whether words in quotation marks may be a password: one, or several without any grammar.
fn is_words(text: &str) -> bool {
    text.split(' ').all(is_plain) && !is_clause(text) || text.split(' ').count() >= FEWEST_OF_PHRASE && !is_clause(text)
}
