//! Lines of files that keep secrets by their place: lists of a pool's users, credentials of OpenVPN, secrets of IPsec, shares of
//! Windows, and files that hold nothing but a secret. Pure.

use std::ops::Range;

use crate::text::alphabet::DOTTED;
use crate::text::place::{Place, boundary, looked_at, run};
use crate::value::extent::quoted;
use crate::value::speech::stands_in;
use crate::word::random::{is_strong, is_varied, looks_random};
use crate::word::shape::is_odd;

/// Sections of settings whose lines are names with their secrets; the first one is CouchDB's.
const SECTIONS: [&str; 4] = ["admins", "passwords", "secrets", "api_keys"];

/// How far the lines are followed, and how far before them the name of their file may stand.
const NEAR: usize = 256;
const FILE: usize = 512;
const FIELD: usize = 64;

/// Names of the list of a pool's users.
const USER_LISTS: [&str; 3] = ["userlist.txt", "auth_file", "pgbouncer"];

/// What says that the lines below belong to the option of OpenVPN: a tag, a here-document, or the path of a file.
const OPENING: [&str; 3] = [">", "<<", ":"];

/// Kinds of secrets in `ipsec.secrets`, and those of them after which a file stands first.
const OF_IPSEC: [&str; 5] = ["PSK", "XAUTH", "EAP", "NTLM", "PIN"];
const OF_KEY_FILES: [&str; 5] = ["RSA", "ECDSA", "PKCS8", "PKCS12", "P12"];

/// Commands that show a file.
const SHOWING: [&str; 7] = ["cat ", "head ", "tail ", "more ", "less ", "type ", "Get-Content "];

/// The end of the names of files that hold nothing but a secret, besides those that are called like one.
const SECRET_FILES: [&str; 6] = [".psk", "keyfile", ".pass", ".pw", "-token", "/token"];

/// The second of two quoted texts, which are all that a line has, below or behind the name of a list of users: `"app" "…"`.
pub(crate) fn of_pool(place: Place<'_>) -> Option<Range<usize>> {
    let user = 1 + run(&place.rest()[1..], |byte| DOTTED(byte) || byte == b'@');
    if user == 1 || !place.rest()[user..].starts_with("\" ") {
        return None;
    }
    let near = &place.rest()[..boundary(place.rest(), NEAR)];
    let line = near.split('\n').next()?;
    let open = user + 1 + run(line.get(user + 1..)?, |byte| byte == b' ');
    if !line[open..].starts_with('"') {
        return None;
    }
    let secret = quoted(&line[open..], 0, '"');
    let secret = open + secret.start..open + secret.end;
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(FILE))..place.at];
    looked_at(before.len());
    let is_listed = USER_LISTS.iter().any(|file| before.contains(file)) && before.ends_with(['\n', ' ', ':']);
    let text = line.get(secret.clone())?;
    (is_listed && !text.is_empty() && !stands_in(text)).then(|| place.at + secret.start..place.at + secret.end)
}

/// The password on the second line below the option that reads a user and a password: `auth-user-pass`.
pub(crate) fn of_tunnel(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    rest.strip_prefix("auth-user-pass")?;
    let near = &rest[..boundary(rest, NEAR)];
    let option = near.strip_prefix("auth-user-pass")?;
    let mut lines = option.split('\n');
    let (first, user, password) = (lines.next()?, lines.next()?.trim(), lines.next()?);
    let told = password.trim().trim_end_matches(['"', '\'']);
    let is_file = OPENING.iter().any(|sign| first.contains(sign));
    let is_marked = told.bytes().any(|byte| byte.is_ascii_digit() || b"!@#$%^&*".contains(&byte));
    let is_told = if is_file { !told.starts_with(['<', '-']) } else { is_marked && !told.contains(' ') };
    let begin = near.len() - option.len() + first.len() + 1;
    let begin = begin + option[first.len() + 1..].find('\n')? + 1 + password.find(told)?;
    // What is masked already says that the line before it is a user.
    let is_secret = is_told && !told.is_empty() && !stands_in(told) || told == crate::MASK;
    (is_secret && !user.is_empty() && !user.contains(' ')).then(|| place.at + begin..place.at + begin + told.len())
}

/// The secret of a line of `ipsec.secrets`: `%any : PSK "…"`, `bob : XAUTH …`, `: RSA key.pem "…"`.
pub(crate) fn of_ipsec(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let begins = |kind: &&&str| rest.strip_prefix(**kind).is_some_and(|after| after.starts_with([' ', '\t']));
    let of_file = OF_KEY_FILES.iter().find(|kind| begins(kind));
    let kind = OF_IPSEC.iter().find(|kind| begins(kind)).or(of_file)?.len();
    let before = place.text[..place.at].strip_suffix(' ')?.strip_suffix(':')?;
    let near = &rest[..boundary(rest, NEAR)];
    let line = near.split('\n').next()?;
    let mut begin = kind + run(&line[kind..], |byte| b" \t".contains(&byte));
    if of_file.is_some() {
        begin += line[begin..].find(' ')? + 1;
    }
    if line[begin..].starts_with('"') {
        let secret = quoted(&line[begin..], 0, '"');
        let text = line.get(begin + secret.start..begin + secret.end)?;
        return (!text.is_empty() && !stands_in(text))
            .then(|| place.at + begin + secret.start..place.at + begin + secret.end);
    }
    let text = line[begin..].trim_end();
    let is_line = before.is_empty() || before.ends_with(['\n', ' ', '\t']);
    let is_told = of_file.is_none() && !text.contains(' ') && text.bytes().any(|byte| byte.is_ascii_digit());
    (is_line && is_told && text.len() > 3 && !stands_in(text)).then(|| place.at + begin..place.at + begin + text.len())
}

/// Words of what mounts or opens shares of Windows: with them, a percent sign after a user is one.
const SHARES: [&str; 6] = ["cifs", "smb", "domain=", "DOMAIN=", "workgroup=", "//"];

/// The password of a share of Windows, behind its user: `username=bob%…`.
pub(crate) fn of_share(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let name = ["username=", "user="].into_iter().find(|name| rest.starts_with(name))?.len();
    let near = &rest[..boundary(rest, NEAR)];
    let user = name + run(&near[name..], |byte| DOTTED(byte) || b"\\/@".contains(&byte));
    let password = near[user..].strip_prefix('%').filter(|_| user > name)?;
    let end = password.find(|c: char| c.is_whitespace() || "\"'`,;&)".contains(c)).unwrap_or(password.len());
    let password = &password[..end];
    let is_escape = password.len() >= 2 && password.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(NEAR))..place.at];
    let line = [before.rsplit('\n').next().unwrap_or_default(), near.split('\n').next().unwrap_or_default()];
    looked_at(before.len());
    let is_share = SHARES.iter().any(|word| line.iter().any(|part| part.contains(word)));
    let is_secret = is_varied(password) || is_odd(password) || is_share && password.len() > 3;
    let is_secret = is_secret && (is_share || !is_escape) && !stands_in(password);
    is_secret.then(|| place.at + user + 1..place.at + user + 1 + end)
}

/// What a file holds that is named before: `vault_password_file contents: …`.
pub(crate) fn of_contents(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let word = ["contents", "content"].into_iter().find(|word| rest.starts_with(word))?.len();
    let sign = word + run(&rest[word..boundary(rest, word + 8).max(word)], |byte| b" :=\"'`".contains(&byte));
    let near = &rest[..boundary(rest, NEAR)];
    let text = near[sign..].split(|c: char| c.is_whitespace() || "\"'`".contains(c)).next()?;
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(FIELD))..place.at];
    looked_at(before.len());
    let file = before.trim_end_matches([' ', '\'', '"', ':']).rsplit([' ', '\n', '=', '/']).next()?;
    let name = file.to_ascii_lowercase();
    let name = name.trim_end_matches(".txt").trim_end_matches("file").trim_end_matches(['_', '-', '.']);
    let is_file = crate::is_secret_name(name) || SECRET_FILES.iter().any(|end| file.ends_with(end));
    (near[word..sign].contains([':', '=']) && is_file && is_content(text))
        .then(|| place.at + sign..place.at + sign + text.len())
}

/// The password of another user in the settings of a login module of Java: `user_admin="…"`.
pub(crate) fn of_login_module(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest().strip_prefix("user_")?;
    let name = run(&rest[..boundary(rest, FIELD)], DOTTED);
    let near = rest[name..boundary(rest, name + NEAR).max(name)].strip_prefix("=\"")?;
    let length = near.find('"')?;
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(FILE))..place.at];
    looked_at(before.len());
    let begin = place.at + "user_".len() + name + 2;
    (before.contains("LoginModule") && !stands_in(&near[..length])).then(|| begin..begin + length)
}

/// The password of a wireless network, as pictures of squares have it: `WIFI:T:WPA;S:guest;P:…;;`.
pub(crate) fn of_wireless(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), NEAR)];
    let fields = near.strip_prefix("WIFI:")?;
    let line = fields.split(char::is_whitespace).next()?;
    let begin = near.len() - fields.len() + line.find(";P:").or_else(|| line.strip_prefix("P:").map(|_| 0))?;
    let begin = begin + if near[begin..].starts_with(';') { ";P:".len() } else { "P:".len() };
    let length = near[begin..].find([';', '\n', '"'])?;
    let text = &near[begin..begin + length];
    (!text.is_empty() && !stands_in(text)).then(|| place.at + begin..place.at + begin + length)
}

/// The value of a line in a section that has users with their passwords: `[admins]`, and below it `admin = …`; and a phrase for a
/// password in a section of MySQL's clients.
pub(crate) fn of_section(place: Place<'_>) -> Option<Range<usize>> {
    if place.before != Some(b'\n') {
        return None;
    }
    let rest = place.rest();
    let name = run(rest, DOTTED);
    let sign = name + run(&rest[name..], |byte| byte == b' ');
    if name == 0 || !rest[sign..].starts_with('=') {
        return None;
    }
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(FILE))..place.at];
    looked_at(before.len());
    let head = &before[before.rfind('[')? + 1..];
    let head = head.split_once("]\n").map_or("", |(head, _)| head);
    let is_of_client = ["client", "mysql", "mariadb"].iter().any(|section| head.starts_with(section));
    let begin = sign + 1 + run(&rest[sign + 1..], |byte| b" \"'".contains(&byte));
    let text = rest[begin..boundary(rest, begin + NEAR).max(begin)]
        .split('\n')
        .next()?
        .trim_end_matches(['"', '\'', '\r', ' ']);
    // What MySQL's clients read may have blanks, to the end of its line.
    let text = if is_of_client { text.split(" #").next().unwrap_or_default().trim_end() } else { text };
    let is_phrase =
        is_of_client && rest.starts_with("password") && text.contains(' ') && !text.contains(['$', '<', '{']);
    let is_secret = SECTIONS.contains(&head) || is_phrase;
    (is_secret && text.len() > 2 && !stands_in(text)).then(|| place.at + begin..place.at + begin + text.len())
}

/// Whether a command shows a file that holds nothing but a secret: `cat /run/secrets/db_password`.
pub(crate) fn shows_secret(command: &str) -> bool {
    let Some(word) = SHOWING.iter().find_map(|word| command.rfind(word).map(|at| &command[at + word.len()..])) else {
        return false;
    };
    let path = word.trim().trim_matches(['"', '\'']);
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default().trim_end_matches(".txt");
    let is_path = !path.contains([' ', '|', '>', ';']) && path.contains(['/', '\\', '.']);
    let lower = path.to_ascii_lowercase();
    let is_kept = path.contains("/run/secrets/") && !path.contains("serviceaccount/ca");
    is_path && (is_kept || SECRET_FILES.iter().any(|end| lower.ends_with(end)) || crate::is_secret_name(name))
}

/// Whether what such a file holds is one, and no complaint of the command.
pub(crate) fn is_content(word: &str) -> bool {
    word.len() > 3
        && !stands_in(word)
        && (is_strong(word)
            || is_varied(word)
            || word.bytes().any(|byte| !byte.is_ascii_alphabetic())
            || looks_random(word, 6))
}
