//! Secrets in statements: SQL, what protocols send to sign in, connections of Oracle, and files of accounts. Pure.

use std::ops::Range;

use super::names::{Kind, Name};
use super::rules::DOTTED;
use super::scan::{Place, boundary, is_strong, looks_random, run};
use super::value::quoted;

/// How far a statement is followed.
const STATEMENT: usize = 1024;

/// What stands before `user/password@database`.
const CONNECTIONS: [&str; 12] = [
    "oracle:thin:",
    "oracle:oci:",
    "sqlplus -s ",
    "sqlplus ",
    "rman target ",
    "userid=",
    "expdp ",
    "impdp ",
    "sqlldr ",
    "CONNECT ",
    "connect ",
    "conn ",
];

/// What signs in with one secret after it: SMTP, IMAP and Redis.
const MECHANISMS: [&str; 5] = ["default", "PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"];

/// How hashes of passwords begin in files of accounts.
const HASHES: [&str; 11] = ["$1$", "$2a$", "$2b$", "$2y$", "$5$", "$6$", "$7$", "$y$", "$apr1$", "$argon2", "$pbkdf2"];

/// The shortest hash of a password.
const SHORTEST_HASH: usize = 28;

/// Whether `text` begins with these words, in any letter case.
fn begins(text: &str, words: &str) -> bool {
    text.get(..words.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(words))
}

/// The password of `IDENTIFIED BY '…'`.
pub(super) fn sql(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let words = ["identified by ", "identified with "].into_iter().find(|words| begins(rest, words))?.len();
    let plugin = run(&rest[words..], DOTTED);
    // `IDENTIFIED WITH plugin BY '…'`
    let by = words + if begins(&rest[words + plugin..], " by ") { plugin + " by ".len() } else { 0 };
    let at = by + run(&rest[by..], |byte| byte == b' ');
    let at = at + if begins(&rest[at..], "password ") { "password ".len() } else { 0 };
    let slashes = run(&rest[at..], |byte| byte == b'\\');
    let Some(quote) = rest[at + slashes..].chars().next().filter(|c| "\"'".contains(*c)) else {
        let word = run(&rest[at..], |byte| DOTTED(byte) || b"$#!@%".contains(&byte));
        return looks_random(&rest[at..at + word], 6).then_some(place.at + at..place.at + at + word);
    };
    let range = quoted(&rest[at..], slashes, quote);
    (!range.is_empty()).then(|| place.at + at + range.start..place.at + at + range.end)
}

/// The password of Oracle's `jdbc:oracle:thin:user/…@` and `sqlplus user/…@`.
pub(super) fn oracle(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let words = CONNECTIONS.iter().find(|words| rest.starts_with(**words))?.len();
    let words = words + run(&rest[words..], |byte| b"\"' ".contains(&byte));
    let near = &rest[words..boundary(rest, words + STATEMENT).max(words)];
    let user = run(near, DOTTED);
    let password = near[user..].strip_prefix('/').filter(|_| user > 0)?;
    let end = password.find(|c: char| c.is_whitespace() || "\"'`".contains(c)).unwrap_or(password.len());
    // `connect` is a word of sentences, too.
    let is_sure = !rest.starts_with(['c', 'C']);
    let length = password[..end].rfind('@').filter(|at| *at > 0 && (is_sure || looks_random(&password[..*at], 6)))?;
    let begin = place.at + words + user + 1;
    Some(begin..begin + length)
}

/// The hash of a password in `root:$6$…` and its kind.
pub(super) fn hash(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    if !rest.starts_with('$') || !HASHES.iter().any(|hash| rest.starts_with(hash)) {
        return None;
    }
    let length = run(rest, |byte| DOTTED(byte) || b"$/+=,".contains(&byte));
    let length = rest[..length].trim_end_matches([',', '.']).len();
    let is_hash = length >= SHORTEST_HASH && rest[1..length].matches('$').count() >= 2;
    is_hash.then(|| place.at..place.at + length)
}

/// The password of `SET PASSWORD FOR … = '…'` and `PASSWORD('…')`.
pub(super) fn set_password(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    if !begins(rest, "set password") {
        return None;
    }
    let near = &rest[..boundary(rest, STATEMENT)];
    let near = &near[..near.find(['\n', ';']).unwrap_or(near.len())];
    let sign = near.find('=')?;
    let quote = sign + near[sign..].find('\'')?;
    let range = quoted(&rest[quote..], 0, '\'');
    (!range.is_empty()).then(|| place.at + quote + range.start..place.at + quote + range.end)
}

/// The secret of `INSERT INTO users (name, password) VALUES ('bob', '…')`.
pub(super) fn inserted(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    if !begins(rest, "values") {
        return None;
    }
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(STATEMENT))..place.at];
    let columns = &before[before.rfind('(')? + 1..before.rfind(')')?.max(before.rfind('(')? + 1)];
    let is_secret = |column: &str| {
        Name::of(column.trim_matches(|c: char| c.is_whitespace() || "`\"[]".contains(c)))
            .is_some_and(|name| name.kind >= Kind::Token)
    };
    let nth = columns.split(',').position(is_secret)?;
    let near = &rest[..boundary(rest, STATEMENT)];
    let mut at = near.find('(')? + 1;
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

/// The secret of `AUTH …`, `AUTH default …` and `AUTH PLAIN …`.
pub(super) fn signing_in(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    if !begins(rest, "auth ") {
        return None;
    }
    let near = &rest[..boundary(rest, STATEMENT)];
    let near = &near[..near.find('\n').unwrap_or(near.len())];
    let mut at = "auth ".len();
    let word = |at: usize| {
        &near[at..at + near[at..].find(|c: char| c.is_whitespace() || "\"'`,;)".contains(c)).unwrap_or(near.len() - at)]
    };
    at += run(&near[at..], |byte| b"\"' ".contains(&byte));
    let is_mechanism = MECHANISMS.iter().any(|mechanism| mechanism.eq_ignore_ascii_case(word(at)));
    if is_mechanism {
        at += word(at).len();
        at += run(&near[at..], |byte| b"\"' ".contains(&byte));
    }
    let is_command = is_mechanism || rest.starts_with("AUTH") || near[at + word(at).len()..].trim().is_empty();
    let secret = word(at).len();
    (is_command && looks_random(word(at), 6)).then(|| place.at + at..place.at + at + secret)
}

/// The password of `creds: bob / …`, `user/pass: bob/…` and `login bob:…`.
pub(super) fn user_and_password(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let words = [
        "credentials",
        "credential",
        "creds",
        "login",
        "account",
        "user/pass",
        "username/password",
        "user:pass",
        "sftp",
        "ftp",
    ];
    let word = words.into_iter().find(|word| begins(rest, word))?;
    let near = &rest[..boundary(rest, STATEMENT)];
    let open = word.len() + run(&near[word.len()..], |byte| b" :=\"'".contains(&byte));
    let open =
        open + ["with ", "as "].iter().find(|word| near[open..].starts_with(**word)).map_or(0, |word| word.len());
    let user = run(&near[open..], |byte| DOTTED(byte) || byte == b'@');
    let sign = open + user;
    let gap = run(&near[sign..], |byte| b" :/".contains(&byte));
    let password = &near[sign + gap..];
    let end = password.find(|c: char| c.is_whitespace() || "\"'`,;)<".contains(c)).unwrap_or(password.len());
    let end = if word.ends_with("ftp") { password[..end].rfind('@')? } else { end };
    let is_pair = open > word.len() && user > 0 && near[sign..sign + gap].contains([':', '/']);
    (is_pair && is_strong(&password[..end])).then(|| place.at + sign + gap..place.at + sign + gap + end)
}

/// The password of `host:5432:database:user:…`, as files of PostgreSQL's clients have it.
pub(super) fn password_file(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let host = run(rest, |byte| DOTTED(byte) || byte == b'*');
    if host == 0 || host > 128 || !rest[host..].starts_with(':') || rest[host + 1..].starts_with('/') {
        return None;
    }
    let near = &rest[..boundary(rest, STATEMENT)];
    let near = &near[..near.find(char::is_whitespace).unwrap_or(near.len())];
    let mut parts = near.splitn(5, ':');
    let (host, port, database, user) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let password = parts.next()?;
    let is_name = |name: &str| !name.is_empty() && (name == "*" || name.bytes().all(DOTTED));
    let is_port = port == "*" || port.len() >= 4 && port.bytes().all(|byte| byte.is_ascii_digit());
    let is_file = is_name(host) && is_port && is_name(database) && is_name(user);
    (is_file && is_strong(password)).then(|| place.at + near.len() - password.len()..place.at + near.len())
}
