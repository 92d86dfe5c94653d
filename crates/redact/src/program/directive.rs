//! Secrets of directives that take nothing else and begin their line: `requirepass …`, `rootpw --plaintext …`. Pure.

use std::ops::Range;

use crate::text::place::{Place, boundary, run};
use crate::text::shell::{Word, words};
use crate::value::speech::{is_stand_in, stands_in};
use crate::word::predicate::{describes, is_state};

/// How far a line is followed, and how much may stand before a directive: blanks, or where it was found.
const LINE: usize = 256;
const BEFORE: usize = 64;

/// Directives, and how many arguments stand before the secret; it is the last one of the line.
const DIRECTIVES: [(&str, usize); 34] = [
    ("requirepass", 0),
    ("masterauth", 0),
    ("primaryauth", 0),
    ("rootpw", 0),
    ("sshpw", 0),
    ("bindpw", 0),
    ("bind_password", 0),
    ("bind_pw", 0),
    ("ldap_bind_pw", 0),
    ("rootbindpw", 0),
    ("auth_pass", 0),
    ("proxy_password", 0),
    ("smtp_password", 0),
    ("smtpd_password", 0),
    ("memcached_password", 0),
    ("ike-psk", 0),
    ("wpa-psk", 0),
    ("wpa-passphrase", 0),
    ("wireless-key", 0),
    ("AuthLDAPBindPassword", 0),
    ("olcDbBindpw", 0),
    ("olcRootPW", 0),
    ("ppp chap password", 0),
    ("ppp pap sent-username", 2),
    ("d-i passwd/root-password password", 0),
    ("d-i passwd/root-password-again password", 0),
    ("d-i passwd/user-password password", 0),
    ("d-i passwd/user-password-again password", 0),
    ("cachemgr_passwd", 0),
    ("mail_password", 0),
    ("ssl_password", 0),
    ("smtpd_pass", 0),
    ("SSLProxyMachinePass", 0),
    ("plain-text-password-value", 0),
];

/// Words in which a sentence about a directive goes on.
const SAID: &str =
    "is was must should option directive command setting value differs ignored deprecated missing and or in for on";

/// Words that may follow the secret of a directive.
const BEHIND: [&str; 2] = ["all", "disable"];

/// The secret of a directive that begins its line.
pub(crate) fn secret(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let (name, skipped) = DIRECTIVES
        .iter()
        .find(|(name, _)| rest.strip_prefix(*name).is_some_and(|after| after.starts_with([' ', '\t'])))?;
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(BEFORE))..place.at];
    let mark = before.rsplit('\n').next().unwrap_or_default();
    // `/etc/redis.conf:12: requirepass …`, `+ requirepass …` of a difference.
    let begins = mark.trim().is_empty()
        || mark.trim_end().ends_with([':', '>', '+', '-', '$']) && !mark.trim_end().contains(' ');
    let near = &rest[name.len()..boundary(rest, LINE).max(name.len())];
    let line = &near[..near.find('\n').unwrap_or(near.len())];
    if !begins {
        return None;
    }
    let words = words(line, "");
    let told = |word: &Word| &line[word.range.clone()];
    // The kind of a hash stands before it: `ppp chap password 7 …`.
    let is_kind = |word: &&Word| told(word).len() == 1 && told(word).starts_with(|c: char| c.is_ascii_digit());
    let mut arguments: Vec<&Word> = words
        .iter()
        .filter(|word| word.is_quoted || !told(word).starts_with('-'))
        .filter(|word| !is_kind(word))
        .collect();
    if arguments.last().is_some_and(|last| arguments.len() > 1 && BEHIND.contains(&told(last))) {
        arguments.pop();
    }
    let [.., value] = arguments.as_slice() else { return None };
    let text = told(value);
    let says = |word: &str| SAID.split(' ').any(|known| known == word) || describes("password", word) || is_state(word);
    let is_word = !value.is_quoted && text.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_secret = arguments.len() == skipped + 1
        && text.len() > 2
        && !is_stand_in(text)
        && !(is_word && (stands_in(text) || says(text)));
    let begin = place.at + name.len();
    is_secret.then(|| begin + value.range.start..begin + value.range.end)
}

/// What stands before each of the secrets of a user of Net-SNMP: `createUser mia SHA … AES …`.
const KINDS: [&str; 9] = ["MD5", "SHA", "SHA-224", "SHA-256", "SHA-384", "SHA-512", "DES", "AES", "AES256"];

/// A secret of a user of Net-SNMP, behind the kind of its hash or its cipher.
pub(crate) fn of_user(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let kind = KINDS.iter().find(|kind| rest.strip_prefix(**kind).is_some_and(|after| after.starts_with(' ')))?.len();
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(LINE))..place.at];
    before.rsplit('\n').next().filter(|line| line.contains("createUser "))?;
    let begin = kind + run(&rest[kind..], |byte| b" \"'".contains(&byte));
    let near = &rest[begin..boundary(rest, begin + LINE).max(begin)];
    let length = near.find(|c: char| c.is_whitespace() || "\"'".contains(c)).unwrap_or(near.len());
    (length > 2 && !stands_in(&near[..length])).then(|| place.at + begin..place.at + begin + length)
}
