//! Hashes of passwords, from which a password can be found out: in files of accounts, directories, databases and dumps. Pure.

use std::ops::Range;

use crate::text::alphabet::{DIGIT, DOTTED, HEX};
use crate::text::place::{Place, boundary, run};

/// How hashes of passwords begin in files of accounts.
const HASHES: [&str; 15] = [
    "$1$",
    "$2a$",
    "$2b$",
    "$2y$",
    "$5$",
    "$6$",
    "$7$",
    "$y$",
    "$apr1$",
    "$argon2",
    "$pbkdf2",
    "SCRAM-SHA-256$",
    "pbkdf2_sha",
    "pbkdf2:sha",
    "scrypt:",
];

/// How they begin in directories: `{SSHA}…`.
const SCHEMES: [&str; 6] = ["{SSHA", "{SHA", "{SMD5}", "{BLF-CRYPT}", "{ARGON2", "{PBKDF2"];
const SHORTEST_DIGEST: usize = 20;

/// The shortest hash of a password.
const SHORTEST_HASH: usize = 28;

/// How many digits the hash of a password has that MySQL and Windows keep.
const OF_MYSQL: usize = 40;
const OF_WINDOWS: usize = 32;

/// How far a line of a dump is followed.
const LINE: usize = 256;

/// The hash of a password in `root:$6$…` and its kind.
pub(crate) fn of_account(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    if SCHEMES.iter().any(|scheme| rest.starts_with(scheme)) {
        let scheme = rest[..boundary(rest, 24)].find('}')? + 1;
        let length = run(&rest[scheme..], |byte| DOTTED(byte) || b"$/+=,".contains(&byte));
        return (length >= SHORTEST_DIGEST).then(|| place.at..place.at + scheme + length);
    }
    if !HASHES.iter().any(|hash| rest.starts_with(hash)) {
        return None;
    }
    let length = run(rest, |byte| DOTTED(byte) || b"$/+=,:".contains(&byte));
    let length = rest[..length]
        .split(if rest.starts_with('$') { ':' } else { ' ' })
        .next()?
        .trim_end_matches([',', '.', ':'])
        .len();
    let is_hash = length >= SHORTEST_HASH && rest[1..length].matches('$').count() >= 2;
    is_hash.then(|| place.at..place.at + length)
}

/// The hash as MySQL keeps it: an asterisk and forty digits.
pub(crate) fn of_mysql(place: Place<'_>) -> Option<Range<usize>> {
    let digits = place.rest().strip_prefix('*')?;
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
    let is_end = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || "-_*".contains(c));
    let length = run(&digits[..boundary(digits, OF_MYSQL + 1)], is_digit);
    (length == OF_MYSQL && is_end(&digits[length..])).then(|| place.at..place.at + 1 + length)
}

/// Both hashes of a user of Windows, as dumps of accounts have them: `bob:1001:LM:NT:::`.
pub(crate) fn of_windows(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), LINE)];
    let number = run(near, DIGIT);
    let is_number = (1..=10).contains(&number) && place.before == Some(b':');
    let hashes = near[number..].strip_prefix(':').filter(|_| is_number)?;
    let (first, second) = hashes.split_once(':')?;
    let second = second.split(':').next()?;
    let is_hash = |text: &str| text.len() == OF_WINDOWS && text.bytes().all(HEX);
    let is_ended = hashes[first.len() + 1 + second.len()..].starts_with(":::");
    let begin = place.at + number + 1;
    (is_hash(first) && is_hash(second) && is_ended).then(|| begin..begin + first.len() + 1 + second.len())
}

/// Tickets of Kerberos as tools write them that find passwords out: `$krb5tgs$23$*svc$CORP$…*$…`.
pub(crate) fn of_kerberos(place: Place<'_>) -> Option<Range<usize>> {
    place.rest().strip_prefix("$krb5")?;
    let length = run(place.rest(), |byte| DOTTED(byte) || b"$/*+=,:@\\".contains(&byte));
    let digest = place.rest()[..length].rsplit('$').next()?;
    (digest.len() >= OF_WINDOWS && digest.bytes().all(HEX)).then(|| place.at..place.at + length)
}

/// The hash of a password of Windows that a tool has read in memory: `* NTLM : …`, `* SHA1 : …`.
pub(crate) fn of_memory(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), LINE)];
    let is_listed = place.text[..place.at].ends_with("* ");
    let (name, digits) = if is_listed && near.starts_with("SHA1") { ("SHA1", OF_MYSQL) } else { ("NTLM", OF_WINDOWS) };
    let rest = near.strip_prefix(name)?;
    let sign = run(rest, |byte| byte == b' ');
    let begin = sign + 1 + run(rest[sign..].strip_prefix(':')?, |byte| byte == b' ');
    let length = run(&rest[begin..], HEX);
    let begin = place.at + name.len() + begin;
    (length == digits).then(|| begin..begin + length)
}

/// How many digits a server of Windows asks with.
const CHALLENGE: usize = 16;

/// What answers the question of a server of Windows, as tools write it: `bob::CORP:1122334455667788:…:…`.
pub(crate) fn of_exchange(place: Place<'_>) -> Option<Range<usize>> {
    let domain = place.rest().strip_prefix("::")?;
    let near = &domain[..boundary(domain, LINE)];
    let begin = run(near, DOTTED) + 1;
    let rest = near[begin - 1..].strip_prefix(':')?;
    let [first, second] = [0, 1].map(|nth| rest.split(':').nth(nth).unwrap_or_default());
    let is_hex = |text: &str| text.bytes().all(HEX);
    let is_answer = matches!((first.len(), second.len()), (CHALLENGE, OF_WINDOWS) | (48, 48));
    let begin = place.at + "::".len() + begin;
    (is_answer && is_hex(first) && is_hex(second))
        .then(|| begin..begin + run(&place.text[begin..], |byte| HEX(byte) || byte == b':'))
}
