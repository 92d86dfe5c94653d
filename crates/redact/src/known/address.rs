//! Credentials in addresses, and after the name of a scheme: `https://user:…@host`, `user:…@tcp(db)`, `Bearer …`. Pure.

use std::ops::Range;

use crate::text::alphabet::{Alphabet, DOTTED, HEX, WORD};
use crate::text::place::{Place, boundary, run};
use crate::value::generated::{self, is_no_code, is_word};
use crate::word::placeholder::is_placeholder;
use crate::word::random::{is_strong, looks_random};

/// What stands in a password's place has so many characters at least: `xxxxx`, `*****`.
const FILLER: usize = 3;

/// How far after `://` the end of a password is looked for.
const USER_INFO: usize = 512;

/// The shortest key in base64 that stands for a user.
const SHORTEST_BASE64: usize = 32;

/// The shortest token in place of a user, and the shortest key of a proxy.
const SHORTEST_TOKEN: usize = 40;
const SHORTEST_OF_PROXY: usize = 6;

/// What stands in the place of a password where the user is the key.
const STAND_INS: [&str; 4] = ["", "x", "x-oauth-basic", "api_token"];

/// `user:password@` after `://`, or a token in place of a user in a web address.
pub(crate) fn user_info(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let coded = rest.get(..9).is_some_and(|begin| begin.eq_ignore_ascii_case("%3A%2F%2F"));
    let open = if rest.starts_with("://") {
        3
    } else if coded {
        9
    } else {
        return None;
    };
    let near = &rest[open..boundary(rest, open + USER_INFO)];
    let end = |ends: &str| near.find(|c: char| c.is_whitespace() || ends.contains(c)).unwrap_or(near.len());
    if coded {
        let near = &near[..end("\"'<>`\\&")];
        let length = near.find("%40")?;
        return (!near[..length].contains("%2F")).then(|| place.at + open..place.at + open + length);
    }
    let authority = &near[..end("/?#\"'<>`\\")];
    let wider = &near[..end("/?#<>`\\")];
    let (authority, marks) =
        if is_quote_within(wider, authority.len()) { (wider, "<>`\\") } else { (authority, "\"'<>`\\") };
    let scheme = place.text[..place.at].rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    if is_connection(authority) {
        return None;
    }
    if let Some(length) = key_of_proxy(scheme, authority) {
        return Some(place.at + open..place.at + open + length);
    }
    let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    if is_web && let Some(length) = key_in_base64(&near[..end("?#\"'<>`\\")]) {
        return Some(place.at + open..place.at + open + length);
    }
    let is_cut = near[authority.len()..].starts_with('#') && !is_web;
    let with_angles = || Some(&near[..end("\"'`\\")]).filter(|_| !is_web && has_angle_inside(&near[authority.len()..]));
    let length = match authority.rfind('@').filter(|_| !is_cut) {
        Some(length) => Some(length),
        // Passwords come unescaped, too; what follows a host's colon is a port.
        None if has_password(authority) => {
            near[..end(marks)].rfind('@').or_else(|| with_angles().and_then(|near| near.rfind('@')))
        }
        None => None,
    };
    let odd = odd_password(&near[..end("")]);
    let length = length.max(odd)?;
    let length = beyond_slash(&near[..end(marks)], authority, length);
    let (user, password) = near[..length].split_once(':').unwrap_or((&near[..length], ""));
    let begin = place.at + open;
    if password.len() >= FILLER && is_placeholder(password) {
        return None;
    }
    // `discord://…@240416184933917963`: what has no user has a key in its place.
    let is_key = !["ssh", "sftp", "scp", "rsync"].contains(&scheme)
        && password.is_empty()
        && user.len() >= SHORTEST_TOKEN
        && is_strong(user);
    let takes_token = is_web || scheme.eq_ignore_ascii_case("nats") || is_key;
    if user_is_key(user, is_web) || password.is_empty() || is_web && STAND_INS.contains(&password) {
        let is_secret = length > 0 && takes_token && looks_random(&near[..length], 5);
        // `https://…:x-oauth-basic@github.com`
        let end = if STAND_INS.contains(&password) { user.len() } else { length };
        return is_secret.then_some(begin..begin + end);
    }
    Some(begin + user.len() + 1..begin + length)
}

/// Proxies whose addresses have a key, or base64 of a method and a password, in place of a user.
const PROXIES: [&str; 7] = ["ss", "ssr", "trojan", "vless", "hysteria2", "hy2", "tuic"];

/// The length of what stands for a user in the address of such a proxy: `ss://…@host:8388`.
fn key_of_proxy(scheme: &str, authority: &str) -> Option<usize> {
    let length = authority.rfind('@').filter(|length| PROXIES.contains(&scheme) && *length >= SHORTEST_OF_PROXY)?;
    (!is_placeholder(&authority[..length])).then_some(length)
}

/// The length of a key in base64 that stands for a user and has strokes, which end an address as a rule: no host is before them.
fn key_in_base64(near: &str) -> Option<usize> {
    let length = run(near, |byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
    let host = near[length..].strip_prefix('@')?;
    let key = &near[..length];
    let is_key = length >= SHORTEST_BASE64 && key.contains('/') && is_strong(key);
    (is_key && host[..run(host, DOTTED)].contains('.')).then_some(length)
}

/// Where a password ends that has marks which end an address, and looks like one that was made: before the first host.
fn odd_password(near: &str) -> Option<usize> {
    let user = run(near, |byte| DOTTED(byte) || byte == b'%');
    let password = near[user..].strip_prefix(':')?;
    let is_host = |at: &usize| {
        let host = &password[at + 1..];
        let name = run(host, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte));
        let after = &host[name..];
        let is_end = after.is_empty() || after.starts_with(['/', '?', '"', '\'', '`', ')', ',']);
        let has_port = after.strip_prefix(':').is_some_and(|port| port.starts_with(|c: char| c.is_ascii_digit()));
        let is_name = || host[..name].contains('.') || after.starts_with('/') || host[..name].split('-').all(is_word);
        name > 1 && (is_end && is_name() || has_port)
    };
    let length = password.match_indices('@').map(|(at, _)| at).find(is_host)?;
    let password = &password[..length];
    let port = run(password, |byte| byte.is_ascii_digit());
    let is_port = port > 0
        && password[port..].starts_with(['/', '?', '#', ',', '\'', '"'])
        && (port > 1 || !is_no_code(password));
    // `git+ssh://host:/srv/Repo2@v1`
    let is_path = password.starts_with('/') && password[1..].contains('/') && password.split('/').all(is_word);
    let is_made = is_no_code(password) || password.len() >= FILLER && looks_random(password, 5);
    (is_made && !is_port && !is_path && !password.contains("://")).then_some(user + 1 + length)
}

/// Whether an angle begins `text` that is of a password, and ends no address: `W>MLxpS50r@db.example`.
fn has_angle_inside(text: &str) -> bool {
    let inner = text.strip_prefix(['<', '>']);
    inner.is_some_and(|inner| inner.starts_with(|c: char| c.is_ascii_alphanumeric())) && !text.contains("</")
}

/// Whether the quotation mark at `at` is of a password, and not the end of the address: `bob:x7"Rt9@git.example`.
fn is_quote_within(text: &str, at: usize) -> bool {
    let (user, rest) = text.split_at(at);
    let Some((password, host)) = rest.get(1..).and_then(|rest| rest.rsplit_once('@')) else { return false };
    let is_inside = user.ends_with(|c: char| c.is_ascii_alphanumeric()) && has_password(user) && !user.contains('@');
    is_inside
        && !password.is_empty()
        && password.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && !host.is_empty()
        && host.bytes().all(|byte| DOTTED(byte) || byte == b':')
}

/// Whether what looks like a user with a password is a host with what belongs to its connection: `db:1433;user=…`,
/// `db:3306/app?user=…`.
fn is_connection(text: &str) -> bool {
    let host = run(text, |byte| DOTTED(byte) || byte == b'\\');
    let port = text[host..].strip_prefix(':').map_or(0, |port| 1 + run(port, |byte| byte.is_ascii_digit()));
    let rest = &text[host + port..];
    host > 0 && port != 1 && rest.contains('=') && (rest.starts_with(';') || port > 1 && rest.starts_with(['/', '?']))
}

/// Where the password of an address ends whose host, as it seems, is none: `app:p@ss/w0rd@db.example`.
fn beyond_slash(near: &str, authority: &str, length: usize) -> usize {
    let is_host = |host: &str| host.contains(['.', ':']) || host == "localhost";
    let goes_on = &near[authority.len()..];
    if is_host(&authority[(length + 1).min(authority.len())..])
        || !authority[..length.min(authority.len())].contains(':')
    {
        return length;
    }
    let Some(last) = goes_on.rfind('@').map(|last| authority.len() + last) else { return length };
    let host = run(&near[last + 1..], DOTTED);
    let is_end = near[last + 1 + host..].is_empty() || near[last + 1 + host..].starts_with([':', '/', '?', ',']);
    let is_password =
        host > 0 && is_end && last > length && !near[..last].ends_with('/') && !near[length..last].contains('=');
    if is_password { last } else { length }
}

/// Whether the user of an address is a key itself, and no name.
fn user_is_key(user: &str, is_web: bool) -> bool {
    is_web && (is_strong(user) || user.len() >= 20 && looks_random(user, 20))
}

fn has_password(authority: &str) -> bool {
    let after_colon = authority.split_once(':').map_or("", |(_, rest)| rest);
    !authority.starts_with('[') && !after_colon.bytes().all(|byte| byte.is_ascii_digit())
}

/// The password of `user:password@tcp(host)` and `user:password@host:port`.
pub(crate) fn data_source(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    // The telephone of somebody, whose password has a rule of its own.
    if place.before == Some(b'/') || rest.starts_with("sip:") || rest.starts_with("sips:") {
        return None;
    }
    let user = run(rest, DOTTED);
    let is_user = user > 0 && user < 64 && rest[user..].starts_with(':') && !rest[user..].starts_with("://");
    let password = rest.get(user + 1..).filter(|_| is_user)?;
    let password = &password[..boundary(password, USER_INFO)];
    // Most texts with a colon have no such sign behind.
    password.find('@')?;
    let end = password.find(|c: char| c.is_whitespace() || "\"'<>`,;".contains(c)).unwrap_or(password.len());
    let mut length = password[..end].rfind('@')?;
    // `jdbc:oracle:thin:…`, where Oracle's own rule knows what is the password.
    let is_of_oracle = |text: &str| ["thin:", "oci:"].iter().any(|kind| text.starts_with(kind));
    let driver = if rest.starts_with("jdbc:oracle:") { password.strip_prefix("oracle:") } else { Some(password) };
    if ["jdbc", "oracle"].contains(&&rest[..user]) && driver.is_some_and(is_of_oracle) {
        return None;
    }
    // `jdbc:mysql://…`, `db:3306/app?user=…`
    if password.get(..length).is_some_and(|password| password.contains("://"))
        || is_connection(&rest[..user + 1 + length])
    {
        return None;
    }
    let mut host = &password[length + 1..end];
    if ["sha256:", "sha512:"].into_iter().any(|digest| host.starts_with(digest)) {
        // The digest of an image, which may still have a password before its host.
        host = &password[..length];
        length = host.rfind('@')?;
        host = &host[length + 1..];
    }
    let name = run(host, DOTTED);
    let after = &host[name..];
    let is_source = after.starts_with('(') || (name > 0 && after.starts_with(':') && !password.starts_with('/'));
    let begin = place.at + user + 1;
    let is_source = is_source || is_account_of_twilio(&rest[..user], &password[..length]);
    (is_source && length > 0 && !(length >= FILLER && is_placeholder(&password[..length])))
        .then(|| begin..begin + length)
}

/// Whether a user and a password are an account of Twilio with its token: `AC` and twice 32 hexadecimal digits.
fn is_account_of_twilio(user: &str, password: &str) -> bool {
    let is_hex = |text: &str| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    user.strip_prefix("AC").is_some_and(is_hex) && is_hex(password)
}

/// The credential after `Bearer`, `Basic` or `GenieKey`, unless it is an ordinary word.
pub(crate) fn scheme_credential(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let scheme = ["bearer", "basic", "geniekey", "ssws", "sso-key", "deepl-auth-key"]
        .into_iter()
        .find(|scheme| rest.get(..scheme.len()).is_some_and(|word| word.eq_ignore_ascii_case(scheme)))?;
    let after = &rest[scheme.len()..];
    let gap = separators(after).max(run(after, |byte| b" +:=\"'".contains(&byte)));
    // Base64 has no percent signs; a run of them would be read again at each of its words.
    let alphabet: Alphabet = match scheme {
        "basic" => |byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte),
        // A key and its secret, or what kind of an account it is of.
        "sso-key" | "deepl-auth-key" => |byte| WORD(byte) || byte == b':',
        _ => |byte| DOTTED(byte) || b"~+/=%".contains(&byte),
    };
    let credential = &after[gap..][..run(&after[gap..], alphabet)];
    // `token_type=Bearer expires_in=3600`: what follows is another name with its value.
    let is_named = credential.split_once('=').is_some_and(|(name, value)| {
        !value.trim_start_matches('=').is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    });
    let has = |kind: fn(&u8) -> bool| credential.bytes().any(|byte| kind(&byte));
    let is_secret = match scheme {
        "basic" => {
            let mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
            credential.len() >= 12 && credential.len().is_multiple_of(4) && mixed
        }
        _ => credential.len() >= 8 && (credential.len() >= 20 || has(u8::is_ascii_digit)),
    };
    let begin = place.at + scheme.len() + gap;
    let made = generated::unquoted(&after[gap..], false).filter(|made| scheme != "basic" && *made > credential.len());
    if let Some(made) = made.filter(|_| gap > 0) {
        return Some(begin..begin + made);
    }
    let end = begin + credential.len();
    // `Bearer 1/1200…:…`: a number, and behind a colon the secret.
    let further = place.text[end..].strip_prefix(':').map_or(0, |rest| run(rest, HEX));
    let end = end + if credential.contains('/') && further >= SHORTEST_BASE64 { 1 + further } else { 0 };
    (gap > 0 && is_secret && !is_named && !is_placeholder(credential)).then_some(begin..end)
}

/// How many bytes of white space, escaped or not, begin `text`.
fn separators(text: &str) -> usize {
    let mut at = 0;
    loop {
        let rest = &text.as_bytes()[at..];
        at += match rest {
            [b' ' | b'\n' | b'\r' | b'\t', ..] => 1,
            [b'\\', b'n' | b'r' | b't', ..] => 2,
            [b'\\', b'\\', b'n' | b'r', ..] | [b'%', b'0', b'A' | b'D' | b'a' | b'd', ..] | [b'%', b'2', b'0', ..] => 3,
            _ => return at,
        };
    }
}
