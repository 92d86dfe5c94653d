//! Secrets that servers write into their logs and states, and that their tools print when they are set up: `Login incorrect: [mia/…]`,
//! `PASSWORD elastic = …`, `Secret ID = …`. Pure.

use std::ops::Range;

use crate::text::alphabet::{DOTTED, WORD};
use crate::text::place::{Place, boundary, looked_at, run, run_within};
use crate::value::speech::stands_in;
use crate::word::random::{is_strong, looks_random};
use crate::word::shape::is_uuid;

/// How far a line is followed, and how far before a result the kind of a resource stands.
const LINE: usize = 256;
const RESOURCE: usize = 768;

/// How many characters a UUID has.
const UUID: usize = 36;

/// The shortest key of a server of names.
const SHORTEST_KEY: usize = 20;

/// What FreeRADIUS says of an attempt, before the user and the password in brackets.
const ATTEMPTS: [&str; 3] = ["Login incorrect", "Login OK", "Invalid user"];

/// The password of an attempt in the log of FreeRADIUS: `Login incorrect (pap): [mia/…] (from client sw1 port 1)`.
pub(crate) fn of_attempt(place: Place<'_>) -> Option<Range<usize>> {
    let open = ATTEMPTS.iter().find(|attempt| place.rest().starts_with(**attempt))?.len();
    let near = &place.rest()[..boundary(place.rest(), LINE)];
    let line = near.split('\n').next()?;
    let bracket =
        open + line[open..].find(": [").filter(|sign| *sign == 0 || line[open..].starts_with(" ("))? + ": [".len();
    let account = &line[bracket..];
    let end = account.find("] (from client").or_else(|| account.find("] (")).or_else(|| account.rfind(']'))?;
    // A machine signs in by its name: `host/pc1.acme.local`.
    let machine = if account.starts_with("host/") { "host/".len() } else { 0 };
    let user = machine + account[..end].get(machine..)?.find('/')?;
    let password = &account[user + 1..end];
    // `<via Auth-Type = mschap>`
    let is_secret = !password.is_empty() && !password.starts_with('<') && !stands_in(password);
    let begin = place.at + bracket + user + 1;
    is_secret.then(|| begin..begin + password.len())
}

/// The password of a user that Elastic's tools have set: `PASSWORD elastic = …`.
pub(crate) fn of_setup(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), LINE)];
    let user = near.strip_prefix("PASSWORD ")?;
    let name = run(user, DOTTED);
    let value = user[name..].strip_prefix(" = ").filter(|_| name > 0)?;
    let end = value.find(|c: char| c.is_whitespace() || "\"'`,\\".contains(c)).unwrap_or(value.len());
    let begin = place.at + "PASSWORD ".len() + name + " = ".len();
    (looks_random(&value[..end], 6) && !stands_in(&value[..end])).then(|| begin..begin + end)
}

/// The secret of a token that Nomad or Consul has made: `Secret ID    = …`.
pub(crate) fn of_bootstrap(place: Place<'_>) -> Option<Range<usize>> {
    let name = place.rest().strip_prefix("Secret ID").map(|_| "Secret ID".len())?;
    let sign = run_within(&place.rest()[name..], 24, |byte| b" =:|\"".contains(&byte));
    let value = place.rest().get(name + sign..name + sign + UUID)?;
    let begin = place.at + name + sign;
    (sign > 0 && is_uuid(value)).then(|| begin..begin + UUID)
}

/// What Terraform has made up, in its state or in a plan: `"type": "random_password"`, and behind it `"result": "…"`.
pub(crate) fn of_state(place: Place<'_>) -> Option<Range<usize>> {
    let name = ["result", "bcrypt_hash"].into_iter().find(|name| place.rest().starts_with(name))?.len();
    let sign = name + run_within(&place.rest()[name..], 24, |byte| b"\\\"' :=+".contains(&byte));
    let near = &place.rest()[sign..boundary(place.rest(), sign + LINE).max(sign)];
    if !place.rest()[name..sign].contains([':', '=']) || !place.rest()[..sign].ends_with('"') {
        return None;
    }
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(RESOURCE))..place.at];
    looked_at(before.len());
    let resource = &before[before.rfind("random_password")?..];
    // The next resource has a kind of its own.
    let is_of_it = !resource.contains("\"type\"") && !resource.contains("resource \"");
    let length = near.find('"')?;
    let length = near[..length].trim_end_matches('\\').len();
    let begin = place.at + sign;
    (is_of_it && length > 0 && !near[..length].starts_with(['(', '<'])).then(|| begin..begin + length)
}

/// The key of a server of names, without quotation marks: `algorithm hmac-md5; secret …==;`.
pub(crate) fn of_name_server(place: Place<'_>) -> Option<Range<usize>> {
    let value = place.rest().strip_prefix("secret ")?;
    let value = &value[..boundary(value, LINE)];
    let length = run(value, |byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
    let key = &value[..length];
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(LINE))..place.at];
    looked_at(before.len());
    let is_told = value[length..].starts_with(';') || before.contains("hmac-");
    let is_key = length >= SHORTEST_KEY && length.is_multiple_of(4) && key.ends_with('=') && is_strong(key);
    let begin = place.at + "secret ".len();
    (is_told && is_key).then(|| begin..begin + length)
}

/// The password with which Exim signs in at another server: `client_send = ^mia^…`.
pub(crate) fn of_mail(place: Place<'_>) -> Option<Range<usize>> {
    let name = place.rest().strip_prefix("client_send").map(|_| "client_send".len())?;
    let sign = name + run_within(&place.rest()[name..], 8, |byte| b" =\"'".contains(&byte));
    let near = &place.rest()[sign..boundary(place.rest(), sign + LINE).max(sign)];
    let (user, rest) = near.strip_prefix('^')?.split_once('^')?;
    let length = rest.find(|c: char| c.is_whitespace() || "\"';".contains(c)).unwrap_or(rest.len());
    let begin = place.at + sign + 1 + user.len() + 1;
    (!user.contains(char::is_whitespace) && length > 2 && !stands_in(&rest[..length])).then(|| begin..begin + length)
}

/// How keys are called that are told as a list of their bytes, and how many bytes they have at least.
const OF_BYTES: [&str; 7] =
    ["network_key", "networkKey", "keypair", "secret_key", "secretKey", "private_key", "privateKey"];
const FEWEST_BYTES: usize = 16;

/// The bytes of a key as a list of numbers: `network_key: [1, 3, …]`.
pub(crate) fn of_bytes(place: Place<'_>) -> Option<Range<usize>> {
    let name = OF_BYTES.iter().find(|name| place.rest().starts_with(**name))?.len();
    let sign = name + run_within(&place.rest()[name..], 8, |byte| b"\\\"': =".contains(&byte));
    let list = place.rest()[sign..].strip_prefix('[')?;
    let length = run_within(list, RESOURCE, |byte| byte.is_ascii_digit() || b", \n".contains(&byte));
    let mut numbers = list[..length].split(',').map(str::trim);
    let is_key = numbers.clone().count() >= FEWEST_BYTES
        && numbers.all(|number| number.parse::<u8>().is_ok())
        && list[length..].starts_with(']');
    let begin = place.at + sign + 1;
    is_key.then(|| begin..begin + length)
}

/// How keys of what signs messages are called in one word, without a sign behind: `hmacKey …`.
const KEYS: [&str; 7] = ["hmacKey ", "localKey ", "managementKey ", "AppKey ", "AppSKey ", "NwkKey ", "NwkSKey "];

/// The value of such a name, where it is as long as keys are.
pub(crate) fn of_key(place: Place<'_>) -> Option<Range<usize>> {
    let name = KEYS.iter().find(|name| place.rest().starts_with(**name))?.len();
    let near = &place.rest()[name..boundary(place.rest(), name + LINE).max(name)];
    let length = run(near, |byte| WORD(byte) || b"+/=".contains(&byte));
    let key = &near[..length];
    (length >= 16 && key.bytes().any(|byte| byte.is_ascii_digit()) && is_strong_or_long(key))
        .then(|| place.at + name..place.at + name + length)
}

/// Whether a key has letters and digits, and no dashes between words.
fn is_strong_or_long(key: &str) -> bool {
    is_strong(key) || key.len() >= 16 && key.bytes().all(|byte| byte.is_ascii_alphanumeric()) && looks_random(key, 16)
}
