//! Secrets in statements: SQL, what protocols send to sign in, connections of Oracle, and files of accounts. Pure.

use std::ops::Range;

use super::call::is_password;
use super::names::{Kind, Name};
use super::rules::DOTTED;
use super::scan::{Place, boundary, is_strong, looked_at, looks_random, run};
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

/// Words of statements.
const STATEMENTS: [&str; 4] = ["select", "insert", "update", "delete"];

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
    let value = &rest[quote + range.start..quote + range.end];
    super::is_secret("password", value).then(|| place.at + quote + range.start..place.at + quote + range.end)
}

/// The secret of `INSERT INTO users (name, password) VALUES ('bob', '…')`.
pub(super) fn inserted(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    if !begins(rest, "values") {
        return None;
    }
    let open = rest[..boundary(rest, 16)].find('(')?;
    in_row(place, open, secret_column(before(place))?)
}

/// The secret of one more row of values: `('bob', '…'), ('eve', '…')`.
pub(super) fn inserted_row(place: Place<'_>) -> Option<Range<usize>> {
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
    let columns = before.trim_end().strip_suffix(')')?;
    let columns = &columns[columns.rfind('(')? + 1..];
    let is_secret = |column: &str| {
        Name::of(column.trim_matches(|c: char| c.is_whitespace() || "`\"[]".contains(c)))
            .is_some_and(|name| name.kind >= Kind::Token)
    };
    columns.split(',').position(is_secret)
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
pub(super) fn duplicate(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let near = rest[..boundary(rest, STATEMENT)].strip_prefix("Duplicate entry '")?;
    let length = near.find("' for key '")?;
    let key = &near[length + "' for key '".len()..];
    let key = &key[..run(key, DOTTED)];
    let begin = place.at + "Duplicate entry '".len();
    let is_secret = Name::of(key.trim_end_matches("_UNIQUE")).is_some_and(|name| name.kind >= Kind::Token);
    (is_secret && super::is_secret(key, &near[..length])).then_some(begin..begin + length)
}

/// The secret among the parameters of a statement that names a secret column: `[parameters: ('bob', '…')]`.
pub(super) fn parameters(place: Place<'_>) -> Option<Range<usize>> {
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

/// The secret of `AUTH …`, `AUTH default …`, `AUTH PLAIN …` and `AUTHENTICATE PLAIN …`.
pub(super) fn signing_in(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let verb = ["authenticate", "auth"].into_iter().find(|verb| begins(rest, verb))?.len();
    let near = &rest[..boundary(rest, STATEMENT)];
    let gap = run(&near[verb..], |byte| b"\"' ".contains(&byte));
    if gap == 0 {
        return None;
    }
    let mut at = verb + gap;
    let word = |at: usize| {
        &near[at..at + near[at..].find(|c: char| c.is_whitespace() || "\"'`,;)".contains(c)).unwrap_or(near.len() - at)]
    };
    let is_mechanism = MECHANISMS.iter().any(|mechanism| mechanism.eq_ignore_ascii_case(word(at)));
    if is_mechanism {
        at += word(at).len();
        // What the server asks stands on a line of its own.
        at += run(&near[at..], |byte| b"\"' \r".contains(&byte));
        at += near[at..].strip_prefix("\n334").map_or(0, |asked| {
            let line = asked.find('\n').unwrap_or(asked.len());
            "\n334".len() + line + usize::from(line < asked.len())
        });
    }
    let line = near[at..].split('\n').next().unwrap_or_default();
    let is_command = is_mechanism || rest.starts_with("AUTH") || line[word(at).len()..].trim().is_empty();
    // `stats auth admin:…`
    at += if is_mechanism { 0 } else { word(at).find(':').map_or(0, |sign| sign + 1) };
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
    let open = word.len() + run(&near[word.len()..], |byte| b" :=\"'*".contains(&byte));
    let open =
        open + ["with ", "as "].iter().find(|word| near[open..].starts_with(**word)).map_or(0, |word| word.len());
    let user = run(&near[open..], |byte| DOTTED(byte) || byte == b'@');
    let sign = open + user;
    let gap = run(&near[sign..], |byte| b" :/".contains(&byte));
    let password = &near[sign + gap..];
    let end = password.find(|c: char| c.is_whitespace() || "\"'`,;)<".contains(c)).unwrap_or(password.len());
    let end = match password[..end].rfind('@') {
        None if word.ends_with("ftp") => return None,
        None => end,
        // `login: bob:…@10.0.0.3`
        Some(at) => at,
    };
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
