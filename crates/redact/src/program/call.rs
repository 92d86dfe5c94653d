//! The arguments of calls that sign in or make a hash, as traces of a stack show them: `connect('db', 'root', '…')`. Pure.

use std::ops::Range;

use crate::text::place::{Place, boundary, run};
use crate::value::extent::quoted;
use crate::value::speech::{is_stand_in, stands_in};
use crate::word::names::{fetches, signs_in};
use crate::word::predicate::is_method;
use crate::word::random::{is_strong, is_varied, looks_random};
use crate::word::shape::{is_identifying, is_label, is_odd};

/// How far a call is followed.
const CALL: usize = 512;

/// The longest name of a function.
const LONGEST_NAME: usize = 48;

/// How the names of functions end, and of what they belong to, that take a password to make or compare its hash.
const HASHING: &str = "crypt hashpw checkpw encrypt decrypt password_verify password_hash verifypassword checkpassword";
const HASHES: &str = "bcrypt argon2 scrypt";

/// Calls that take a password at a place of its own, whatever it looks like: how their names end, how their first argument
/// begins or ends, and which one is the password, counted from zero.
const IN_PLACE: [(&str, &str, usize); 27] = [
    ("__construct", "mysql: pgsql: sqlsrv: oci: odbc: dblib:", 2),
    ("pdo", "mysql: pgsql: sqlsrv: oci: odbc: dblib:", 2),
    ("getconnection", "jdbc:", 2),
    ("db.auth", "", 1),
    ("mysqli_connect", "", 2),
    ("mysqli", "", 2),
    ("ftp_login", "", 2),
    ("connect", "dbi:", 2),
    ("pymysql.connect", "", 2),
    ("mysqldb.connect", "", 2),
    ("cx_oracle.connect", "", 1),
    ("oracledb.connect", "", 1),
    ("oci_connect", "", 1),
    ("odbc_connect", "", 2),
    ("ldap_bind", "", 2),
    ("imap_open", "", 2),
    ("ssh2_auth_password", "", 2),
    ("plainauth", "", 2),
    ("httpbasicauth", "", 1),
    ("setbasicauth", "", 1),
    ("networkcredential", "", 1),
    ("usernamepasswordcredentials", "", 1),
    ("passwordauthentication", "", 1),
    ("authtokens.basic", "", 1),
    ("credentials", "", 3),
    ("username_pw_set", "", 1),
    ("wifi.begin", "", 1),
];

/// Calls that take a user and a password and nothing else, which has a digit or a mark where they are told by their names alone.
const OF_TWO: [&str; 4] = ["login", "auth", "log_in", "sign_in"];

/// How the names of functions end that take the private key of a wallet.
const OF_WALLETS: &str = "wallet signingkey from_key privatekeytoaccount frommnemonic privatekey fromprivatekey";

/// Users after whom any word that is no word of a language is a password.
const USERS: &str = "root admin administrator sa postgres app user guest";

/// The password among the arguments in the brackets that open here.
pub(crate) fn argument(place: Place<'_>) -> Option<Range<usize>> {
    let before = &place.text.as_bytes()[place.at.saturating_sub(LONGEST_NAME)..place.at];
    let length = before.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(byte)).count();
    let name = String::from_utf8_lossy(&before[before.len() - length..]).to_ascii_lowercase();
    // `auth=("bob", "…")`
    let name = if name.is_empty() && (before.ends_with(b"auth=") || before.ends_with(b"auth = ")) {
        "auth".to_string()
    } else if name == "new" && before.ends_with(b"]::new") {
        // `[System.Net.NetworkCredential]::new("bob", "…")`
        let class = &before[..before.len() - "]::new".len()];
        let length = class.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'.').count();
        String::from_utf8_lossy(&class[class.len() - length..]).to_ascii_lowercase()
    } else {
        name
    };
    let ends = |table: &str| table.split_ascii_whitespace().any(|end| name.ends_with(end));
    let hashes = || ends(HASHING) || HASHES.split(' ').any(|hash| name.rsplit('.').nth(1).is_some_and(|of| of == hash));
    let is_open = || place.rest()[1..].starts_with(['"', '\'']);
    if is_open() && fetches(&name) {
        return fallback(place);
    }
    if is_open() && OF_WALLETS.split(' ').any(|end| name.ends_with(end)) {
        return wallet(place);
    }
    let (from, is_sure) = match () {
        () if !name.is_empty() && hashes() => (0, true),
        () if name.ends_with("auth") && has_one(place.rest()) => (0, true),
        () if !name.is_empty() && signs_in(&name) => (1, true),
        // The arguments of what is called elsewhere: `args: ('db', 'root', '…')`
        () if is_open() => (1, false),
        () => return None,
    };
    let text = &place.rest()[1..boundary(place.rest(), CALL).max(1)];
    let in_place = in_place(&name, text);
    let last = name.rsplit('.').next().unwrap_or_default();
    // `db.auth("admin", "read2only")`
    let is_of_two = OF_TWO.contains(&last) && (last != "auth" || name == last) && has_two(text);
    let (mut at, mut nth, mut last) = (0, 0, "");
    while let Some(c) = text[at..].chars().next() {
        match c {
            ')' | '\n' => break,
            ',' => {
                nth += 1;
                at += 1;
            }
            '"' | '\'' => {
                let range = quoted(&text[at..], 0, c);
                let range = at + range.start..at + range.end;
                let argument = text.get(range.clone())?;
                let is_after_user = USERS.split(' ').any(|user| user == last)
                    && looks_random(argument, 6)
                    && !argument.contains([' ', '=', '/', ':']);
                let is_hashed = from == 0
                    && nth == 0
                    && argument.bytes().any(|byte| byte.is_ascii_digit())
                    && !argument.contains([' ', '$', '/']);
                let is_second = is_of_two && nth == 1 && is_marked(argument);
                let is_in_place = in_place == Some(nth)
                    && !argument.is_empty()
                    && !is_stand_in(argument)
                    && (name != "db.auth" || !argument.contains('-'));
                if nth >= from
                    && (is_in_place
                        || is_second
                        || is_hashed
                        || is_after_user && !is_label(argument)
                        || is_strong(argument) && is_password(argument) && follows_port(&text[..at])
                        || is_sure && (is_password(argument) || is_odd(argument)))
                {
                    let begin = place.at + 1;
                    return Some(begin + range.start..begin + range.end);
                }
                last = argument;
                at = (range.end + 1).min(text.len());
            }
            c => at += c.len_utf8(),
        }
    }
    None
}

/// Whether the argument before the end of `text` is the number of a port, after another one: `'cache1', 6379, `.
fn follows_port(text: &str) -> bool {
    let before = text.trim_end_matches(' ').strip_suffix(',').unwrap_or_default();
    let host = before.trim_end_matches(|c: char| c.is_ascii_digit());
    (4..=5).contains(&(before.len() - host.len())) && host.trim_end_matches(' ').ends_with(',')
}

/// Which of the arguments is a password, counted from zero, where a call has a place for it.
fn in_place(name: &str, arguments: &str) -> Option<usize> {
    let first = arguments.trim_start_matches(['"', '\'']);
    let begins = |kinds: &str| kinds.is_empty() || kinds.split(' ').any(|kind| first.starts_with(kind));
    // `smtp.login('bot@example.com', '…')`
    let of_mail = first.split(['"', '\'']).next().is_some_and(is_address);
    if name.ends_with(".login") && of_mail {
        return Some(1);
    }
    let known = IN_PLACE.iter().find(|(end, kinds, _)| name.ends_with(end) && begins(kinds));
    known.map(|(_, _, nth)| *nth)
}

/// The private key of a wallet: 64 hexadecimal digits as the first argument.
fn wallet(place: Place<'_>) -> Option<Range<usize>> {
    let text = &place.rest()[2..boundary(place.rest(), CALL).max(2)];
    let open = if text.starts_with("0x") { 2 } else { 0 };
    let is_key = run(&text[open..], |byte| byte.is_ascii_hexdigit()) == 64;
    is_key.then(|| place.at + 2..place.at + 2 + open + 64)
}

/// The value that a secret has where none is set: `getenv("DB_PASSWORD", "…")`.
fn fallback(place: Place<'_>) -> Option<Range<usize>> {
    let text = &place.rest()[1..boundary(place.rest(), CALL).max(1)];
    let quote = text.chars().next().filter(|c| "\"'".contains(*c))?;
    let name = quoted(text, 0, quote);
    let begin = name.end + 1;
    let begin = begin + run(text.get(begin..)?, |byte| b", ".contains(&byte));
    let quote = text[begin..].chars().next().filter(|c| "\"'".contains(*c))?;
    let value = quoted(&text[begin..], 0, quote);
    let value = begin + value.start..begin + value.end;
    let is_secret = crate::is_secret(text.get(name)?, text.get(value.clone())?);
    is_secret.then(|| place.at + 1 + value.start..place.at + 1 + value.end)
}

/// Whether a call has one argument, a quoted one.
fn has_one(call: &str) -> bool {
    let argument = call[1..].chars().next().filter(|c| "\"'".contains(*c)).map(|quote| quoted(&call[1..], 0, quote));
    argument.is_some_and(|argument| call.get(argument.end + 2..).is_some_and(|rest| rest.starts_with(')')))
}

/// Whether the arguments that begin `text` are two quoted ones.
fn has_two(text: &str) -> bool {
    let mut at = 0;
    for nth in 0..2 {
        at += run(&text[at..], |byte| b", \n".contains(&byte));
        let Some(quote) = text[at..].chars().next().filter(|c| "\"'".contains(*c)) else { return false };
        at = (at + quoted(&text[at..], 0, quote).end + 1).min(text.len());
        if nth == 1 {
            return text[at..].trim_start().starts_with(')');
        }
    }
    false
}

/// Whether an argument is one word with a digit or a mark among letters, and no name of a thing.
fn is_marked(argument: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| argument.bytes().any(|byte| kind(&byte));
    let is_spelled =
        has(u8::is_ascii_alphabetic) && (has(u8::is_ascii_digit) || argument.contains(['!', '#', '$', '%', '&']));
    argument.len() > 5
        && is_spelled
        && !argument.contains([' ', '/', ':', ',', '=', '{', '<', '.', '('])
        && !is_address(argument)
        && !is_identifying(argument)
        && !is_label(&argument.replace('_', "-"))
        && !is_method(&argument.to_ascii_lowercase())
        && !stands_in(argument)
}

/// Whether an argument is an address of mail.
fn is_address(argument: &str) -> bool {
    argument.split_once('@').is_some_and(|(_, host)| host.contains('.'))
}

/// Whether an argument looks like a password rather than a name, a place or a message.
pub(crate) fn is_password(argument: &str) -> bool {
    let has_mark = argument.contains(['!', '$', '#', '%', '^', '&', '*']) && looks_random(argument, 5);
    (is_strong(argument) || is_varied(argument) || has_mark)
        && !argument.contains([' ', '/', ':', ',', '='])
        && !is_address(argument)
        && !is_identifying(argument)
}
