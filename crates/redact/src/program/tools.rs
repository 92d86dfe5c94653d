//! Secrets in what single tools write, where no name stands before them. Pure.

use std::ops::Range;

use crate::text::alphabet::{DIGIT, DOTTED, HEX, WORD};
use crate::text::place::{Place, boundary, run, run_within};
use crate::text::shell::word;
use crate::value::speech::{is_stand_in, stands_in};
use crate::word::random::{is_strong, is_varied, looks_random};
use crate::word::shape::{is_identifying, is_uuid};

/// How far what a tool writes is followed.
const NEAR: usize = 256;
const FIELD: usize = 64;

/// How long a UUID is.
const UUID: usize = 36;

/// The shortest key of a transaction, and the shortest item of a list that is told by nothing but its letters.
const SHORTEST_KEY: usize = 16;
const SHORTEST_ITEM: usize = 10;

/// How many items a list has that tells how a database is reached.
const ITEMS: std::ops::RangeInclusive<usize> = 4..=16;

/// What an item's key begins with that Zabbix checks a database by: `mysql.ping[uri,user,…]`.
const CHECKS: [&str; 5] = ["mysql.", "pgsql.", "mssql.", "oracle.", "mongodb."];

/// Queries of InfluxDB: the ends of their paths.
const QUERIES: [&str; 3] = ["/query?", "/write?", "/ping?"];

/// The key that `nsupdate` and `dig` sign with: `-y hmac-sha256:name:…`.
pub(crate) fn of_transaction(place: Place<'_>) -> Option<Range<usize>> {
    place.rest().strip_prefix("hmac-")?;
    let near = &place.rest()[..boundary(place.rest(), NEAR)];
    let (kind, rest) = near.strip_prefix("hmac-")?.split_once(':')?;
    let (name, key) = rest.split_once(':')?;
    let length = run(key, |byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
    let is_name = |text: &str| !text.is_empty() && text.bytes().all(DOTTED);
    let begin = place.at + near.len() - key.len();
    (is_name(kind) && is_name(name) && length >= SHORTEST_KEY && is_strong(key.get(..length)?))
        .then(|| begin..begin + length)
}

/// The password by which Zabbix checks a database: the third parameter of an item's key.
pub(crate) fn of_check(place: Place<'_>) -> Option<Range<usize>> {
    CHECKS.iter().find(|check| place.rest().starts_with(**check))?;
    let near = &place.rest()[..boundary(place.rest(), NEAR)];
    let open = run(near, DOTTED);
    let inner = near[open..].strip_prefix('[')?;
    let inner = &inner[..inner.find([']', '\n'])?];
    let mut at = open + 1;
    for (nth, parameter) in inner.split(',').enumerate() {
        let password = parameter.trim().trim_matches(['"', '\'']);
        if nth == 2 {
            let begin = place.at + at + parameter.find(password)?;
            let is_macro = password.starts_with("{$") || password.starts_with("{#");
            return (password.len() >= 3 && !is_macro && !stands_in(password)).then(|| begin..begin + password.len());
        }
        at += parameter.len() + 1;
    }
    None
}

/// The password of a query of InfluxDB: `/query?u=telegraf&p=…`.
pub(crate) fn of_query(place: Place<'_>) -> Option<Range<usize>> {
    place.rest().strip_prefix("u=").filter(|_| place.is_parameter)?;
    let near = &place.rest()[..boundary(place.rest(), NEAR)];
    let user = near.strip_prefix("u=")?;
    let length = run(user, |byte| DOTTED(byte) || b"%@+".contains(&byte));
    let password = user[length..].strip_prefix("&p=").or_else(|| user[length..].strip_prefix("&amp;p="))?;
    let end = password.find(|c: char| c.is_whitespace() || "&\"'`<>)]}".contains(c)).unwrap_or(password.len());
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(NEAR))..place.at];
    let is_query = before
        .rsplit(char::is_whitespace)
        .next()
        .is_some_and(|address| QUERIES.iter().any(|path| address.contains(path)));
    let text = &password[..end];
    let is_secret = is_query && !text.is_empty() || is_strong(text) || is_varied(text);
    let begin = place.at + near.len() - password.len();
    (is_secret && !stands_in(text)).then(|| begin..begin + end)
}

/// Paths of links that sign in or set a new password, and the names of what stands for both in them.
const LINKS: &str = "magic-link magic_link magiclink magic-login reset-password password-reset password/reset verify-email confirm-email \
    login-link one-time-login invite";
const SHORT_NAMES: [&str; 3] = ["t", "k", "tk"];

/// What stands for a password in a link that signs in: `/magic-link?t=…`.
pub(crate) fn of_link(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let name = SHORT_NAMES
        .iter()
        .find(|name| rest[name.len().min(run(rest, DOTTED))..].starts_with('=') && rest.starts_with(**name))?;
    let near = &rest[..boundary(rest, NEAR)];
    let begin = name.len() + 1;
    let end = near[begin..]
        .find(|c: char| c.is_whitespace() || "&\"'`<>)]}#,".contains(c))
        .map_or(near.len(), |end| begin + end);
    let text = &near[begin..end];
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(NEAR))..place.at];
    let address = before.rsplit(char::is_whitespace).next().filter(|_| place.is_parameter)?;
    let is_link = LINKS.split_ascii_whitespace().any(|path| address.contains(path));
    let is_secret = looks_random(text, 6) && !text.bytes().all(DIGIT) && !stands_in(text);
    (is_link && is_secret).then(|| place.at + begin..place.at + end)
}

/// How the names of functions and kinds end that hold how something is reached.
const SETTINGS: [&str; 9] =
    ["Settings", "Config", "Configuration", "Options", "Props", "Params", "Parameters", "Connection", "Credentials"];

/// The random item of the settings of a connection, printed without names: `DbSettings(db1,5432,app,…,Some(10))`.
pub(crate) fn of_settings(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), NEAR)];
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(FIELD))..place.at];
    if !SETTINGS.iter().any(|end| before.ends_with(end)) {
        return None;
    }
    let inner = near.get(1..)?;
    let inner = &inner[..inner.find(['\n', '"', '\'', '=']).unwrap_or(inner.len())];
    let is_port = |item: &str| (4..=5).contains(&item.len()) && item.bytes().all(DIGIT);
    let (mut at, mut has_port) = (place.at + 1, false);
    for (nth, item) in inner.split(',').enumerate() {
        let text = item.trim_matches([' ', ')']);
        has_port |= nth > 0 && is_port(text);
        if has_port && text.len() >= SHORTEST_ITEM && is_strong(text) && text.bytes().all(WORD) && !is_identifying(text)
        {
            let begin = at + item.find(text)?;
            return Some(begin..begin + text.len());
        }
        at += item.len() + 1;
    }
    None
}

/// Names of what opens a wireless network, behind a section of OpenWrt's settings.
const KEYS: [&str; 3] = [".key", ".sae_password", ".wpa_psk_key"];

/// The key of a wireless network in OpenWrt's settings, whose sections may have numbers: `wireless.@wifi-iface[0].key='…'`.
pub(crate) fn of_network(place: Place<'_>) -> Option<Range<usize>> {
    place.rest().strip_prefix("wireless.")?;
    let near = &place.rest()[..boundary(place.rest(), NEAR)];
    let name = run(near, |byte| DOTTED(byte) || b"@[]".contains(&byte));
    let value = near[name..].strip_prefix('=').filter(|_| KEYS.iter().any(|key| near[..name].ends_with(key)))?;
    let word = word(value, char::is_whitespace);
    let text = &value[word.range.clone()];
    let begin = place.at + name + 1;
    (!text.is_empty() && !is_stand_in(text)).then(|| begin + word.range.start..begin + word.range.end)
}

/// The random item of a list that Go has printed without names, beside a host and a port: `[db.example 5432 shop … disable]`.
pub(crate) fn of_list(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), NEAR)];
    let close = if near.starts_with('[') { ']' } else { '}' };
    let inner = near.get(1..)?;
    let inner = &inner[..inner.find(['\n', '"', '\'', '=', '[', '{', '(', ',', close])?];
    let is_list = inner.len() + 1 < near.len() && near[1 + inner.len()..].starts_with(close);
    if !is_list || !ITEMS.contains(&inner.split(' ').count()) {
        return None;
    }
    let is_port = |item: &str| (4..=5).contains(&item.len()) && item.bytes().all(DIGIT);
    let is_host =
        |item: &str| item == "localhost" || item.contains('.') && item.bytes().all(DOTTED) && !item.starts_with('.');
    let is_random = |item: &str| {
        item.len() >= SHORTEST_ITEM && is_strong(item) && !item.contains(['.', '/', ':']) && !is_identifying(item)
    };
    if !inner.split(' ').zip(inner.split(' ').skip(1)).any(|(host, port)| is_host(host) && is_port(port)) {
        return None;
    }
    let mut at = place.at + 1;
    for item in inner.split(' ') {
        if is_random(item) {
            return Some(at..at + item.len());
        }
        at += item.len() + 1;
    }
    None
}

/// The token with which a line of syslog is sent to Loggly: `[5e884898-…@41058 tag="nginx"]`.
pub(crate) fn of_syslog(place: Place<'_>) -> Option<Range<usize>> {
    let token = place.rest().get(..UUID)?;
    let is_sent = place.before == Some(b'[') && place.rest()[UUID..].starts_with("@41058");
    (is_sent && is_uuid(token)).then(|| place.at..place.at + UUID)
}

/// A text to which a debugger shows the pointer first: `password = 0x5581 "…"`.
pub(crate) fn of_debugger(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let name = run_within(rest, FIELD, WORD);
    let sign = [" = 0x", "=0x"].into_iter().find(|sign| rest[name..].starts_with(sign))?;
    let pointer = name + sign.len();
    let digits = run(&rest[pointer..], HEX);
    let begin = pointer + digits + rest[pointer + digits..].strip_prefix(" \"").map(|_| " \"".len())?;
    let length = rest[begin..boundary(rest, begin + NEAR)].find(['"', '\n'])?;
    let value = &rest[begin..begin + length];
    // Where the text is none, the pointer before it is none, either.
    let length = if stands_in(value) { 0 } else { length };
    crate::is_secret_name(&rest[..name]).then(|| place.at + begin..place.at + begin + length)
}

/// Settings of Bundler that name no host, and the length of a user who was drawn by lot.
const DRAWN: usize = 8;
const NO_HOSTS: [&str; 3] = ["BUNDLE_BUILD__", "BUNDLE_LOCAL__", "BUNDLE_MIRROR__"];

/// The password for a host in the settings of Bundler: `BUNDLE_GEMS__EXAMPLE__COM="user:…"`.
pub(crate) fn of_bundler(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    rest.strip_prefix("BUNDLE_").filter(|_| !NO_HOSTS.iter().any(|name| rest.starts_with(name)))?;
    let name = run_within(rest, FIELD, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    let sign = run_within(&rest[name..], 3, |byte| b"=: \"'".contains(&byte));
    let near = &rest[name + sign..boundary(rest, name + sign + NEAR).max(name + sign)];
    let user = run(near, |byte| DOTTED(byte) || byte == b'@' || byte == b'%');
    let password = near[user..].strip_prefix(':').filter(|_| user > 0 && sign > 0 && rest[..name].contains("__"))?;
    let length = password.find(|c: char| c.is_whitespace() || "\"'".contains(c)).unwrap_or(password.len());
    let text = &password[..length];
    // Of vendors of gems, both halves were drawn.
    let is_drawn = user == DRAWN && near[..user].bytes().all(HEX);
    let open = place.at + name + sign;
    let (begin, length) = if is_drawn { (open, user + 1 + length) } else { (open + user + 1, length) };
    (length > 2 && !text.starts_with(['/', '\\']) && !stands_in(text)).then(|| begin..begin + length)
}

/// How many digits a token of Asana has at its end, and its numbers.
const OF_TASKS: usize = 32;
const NUMBERS: std::ops::RangeInclusive<usize> = 10..=20;

/// A token of Asana: `1/1201234567890123:…`, `2/1201234567890123/1209876543210987:…`.
pub(crate) fn of_tasks(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), NEAR)];
    let (numbers, token) = near.split_once(':')?;
    let mut parts = numbers.split('/').skip(1);
    let is_number = |part: &str| NUMBERS.contains(&part.len()) && part.bytes().all(DIGIT);
    let is_token = numbers[1..].starts_with('/')
        && place.before.is_none_or(|byte| byte != b'/')
        && numbers.matches('/').count() <= 2
        && parts.all(is_number)
        && run(token, HEX) == OF_TASKS;
    is_token.then(|| place.at..place.at + numbers.len() + 1 + OF_TASKS)
}

/// What a firewall for applications has found in the field of a password: `Matched Data: … found within ARGS:pwd`.
pub(crate) fn of_match(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), NEAR)];
    let data = near.strip_prefix("Matched Data: ")?;
    let (found, field) = data.split_once(" found within ")?;
    let name = field.strip_prefix("ARGS:").or_else(|| field.strip_prefix("ARGS_POST:"))?;
    let name = &name[..run(name, DOTTED)];
    let begin = place.at + near.len() - data.len();
    (crate::is_secret(name, found) && !found.contains('\n')).then(|| begin..begin + found.len())
}

/// The password with which Squid signs in at another proxy: `cache_peer … login=user:…`.
pub(crate) fn of_peer(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), FIELD)];
    let login = near.strip_prefix("login=")?;
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(NEAR))..place.at];
    let is_peer = before.rsplit('\n').next()?.contains("cache_peer ");
    let user = login.find(|c: char| c == ':' || c.is_whitespace()).filter(|at| login[*at..].starts_with(':'))?;
    let password = &login[user + 1..];
    let length = password.find(char::is_whitespace).unwrap_or(password.len());
    let begin = place.at + near.len() - password.len();
    (is_peer && length > 2 && !stands_in(&password[..length])).then(|| begin..begin + length)
}

/// Last words of the names of Zabbix' macros that keep a secret, and signs behind one.
const MACROS: [&str; 7] = ["PASS", "PASSWORD", "PASSWD", "PW", "SECRET", "TOKEN", "COMMUNITY"];
const MACRO_SIGNS: [&str; 7] = [": ", " = ", "=", " => ", " changed to ", " set to ", " is now "];

/// The value of such a macro: `{$IPMI.PASS} = …`.
pub(crate) fn of_macro(place: Place<'_>) -> Option<Range<usize>> {
    place.rest().strip_prefix("{$")?;
    let near = &place.rest()[..boundary(place.rest(), FIELD)];
    let name = 2 + run(&near[2..], |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"._".contains(&byte));
    let after = near[name..].strip_prefix('}')?;
    let last = near[2..name].rsplit(['.', '_']).next()?;
    let sign = MACRO_SIGNS.iter().find(|sign| after.starts_with(**sign)).filter(|_| MACROS.contains(&last))?;
    let begin = name + 1 + sign.len();
    let word = word(&near[begin..], |c: char| c.is_whitespace() || ",;)".contains(c));
    let text = &near[begin + word.range.start..begin + word.range.end];
    let is_odd = text.bytes().any(|byte| byte.is_ascii_digit()) && text.bytes().any(|byte| byte.is_ascii_alphabetic());
    let is_secret = text.len() > 4 && is_odd && !text.starts_with('{') && !text.contains('/') && !stands_in(text);
    is_secret.then(|| place.at + begin + word.range.start..place.at + begin + word.range.end)
}

/// The password that a tool of attackers has tried: `[+] CORP\jo:… (Pwn3d!)`, `[-] CORP\jo:… STATUS_LOGON_FAILURE`.
pub(crate) fn of_attack(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), NEAR)];
    let account = near.strip_prefix("[+] ").or_else(|| near.strip_prefix("[-] "))?;
    let domain = run(account, DOTTED);
    let user = account[domain..].strip_prefix('\\').filter(|_| domain > 1)?;
    let password = user[run(user, DOTTED)..].strip_prefix(':')?;
    let line = password.split('\n').next()?;
    let told = [" (Pwn3d!)", " STATUS_"].iter().find_map(|end| line.find(end)).unwrap_or(line.trim_end().len());
    let text = &line[..told];
    let begin = place.at + near.len() - password.len();
    let is_told = told < line.trim_end().len() || is_strong(text) || is_varied(text);
    (is_told && text.len() > 3 && !text.contains([' ', '\\']) && !stands_in(text)).then(|| begin..begin + told)
}

/// The password of a user in the list of cloud-init: `chpasswd:` with `list: |` below, and lines `root:…`.
pub(crate) fn of_user_list(place: Place<'_>) -> Option<Range<usize>> {
    let before = place.before.filter(|byte| b" \"'\n".contains(byte))?;
    let near = &place.rest()[..boundary(place.rest(), FIELD)];
    let user = run(near, DOTTED);
    let password =
        near[user..].strip_prefix(':').filter(|rest| user > 0 && !rest.starts_with([' ', '\n', ':', '/']))?;
    let above = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(NEAR))..place.at];
    let list = &above[above.rfind("list:")?..];
    let is_list = above[..above.len() - list.len()].trim_end().ends_with("chpasswd:")
        || above.contains("chpasswd:") && above.contains("expire:");
    let is_inside = list.lines().skip(1).all(|line| line.trim().is_empty() || line.starts_with([' ', '-']));
    let length = password
        .find(|c: char| c.is_whitespace() || c == char::from(before) && before != b' ')
        .unwrap_or(password.len());
    let text = &password[..length];
    let begin = place.at + user + 1;
    (is_list && is_inside && text.len() > 2 && text != "RANDOM" && !stands_in(text)).then(|| begin..begin + length)
}
