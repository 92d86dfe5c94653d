//! Secrets in the settings of network devices and telephones, which stand in a block or behind the kind of a hash: `radius server r1`
//! and below it `key …`, `snmp-server user … auth sha … priv aes 128 …`, `register => bob:…@sip.example`. Pure.

use std::ops::Range;

use crate::text::alphabet::{DIGIT, DOTTED};
use crate::text::place::{Place, boundary, looked_at, run, run_within};
use crate::text::shell::{Word, words};
use crate::value::speech::{is_stand_in, stands_in};
use crate::word::predicate::{describes, is_state};

/// How far a line is followed, and how much is looked at above it.
const LINE: usize = 256;
const BLOCK: usize = 512;

/// The shortest secret.
const SHORTEST: usize = 3;

/// Heads of blocks that have a key, and of those that have a password; and how many lines may be between.
const WITH_KEY: [&str; 5] = ["radius server ", "tacacs server ", "aaa-server ", "radius-server ", "tacacs-server "];
const WITH_PASSWORD: [&str; 3] = ["line vty", "line con", "line aux"];
const MOST_LINES: usize = 8;

/// Kinds of hashes and ciphers, which stand before the secrets of a user of SNMP, and how long the keys of a cipher are.
const HASHES: &str = "md5 sha sha1 sha224 sha256 sha384 sha512 sha-224 sha-256 sha-384 sha-512 sha2-256";
const CIPHERS: &str = "des 3des aes aes128 aes192 aes256 aes-128 aes-192 aes-256";
const LENGTHS: &str = "128 192 256";

/// How hashes and ciphers begin that Huawei's devices keep.
const KEPT: [&str; 5] = ["%^%#", "%$%$", "%@%@", "%#%#", "$1"];

/// The part of a line from `at` on, and what stands before it on that line.
fn line(place: Place<'_>) -> (&str, &str) {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(LINE))..place.at];
    looked_at(before.len());
    let near = &place.rest()[..boundary(place.rest(), LINE)];
    (before.rsplit('\n').next().unwrap_or_default(), near.split('\n').next().unwrap_or_default())
}

/// Whether what stands in the place of a secret may be one, and says nothing.
fn is_secret(text: &str) -> bool {
    text.len() >= SHORTEST && !stands_in(text) && !describes("password", text) && !is_state(text)
}

fn is_in(table: &str, word: &str) -> bool {
    table.split(' ').any(|known| known.eq_ignore_ascii_case(word))
}

/// A secret of a user of SNMP: `snmp-server user mia ops v3 auth sha … priv aes 128 …`.
pub(crate) fn of_user(place: Place<'_>) -> Option<Range<usize>> {
    let kinds = ["auth ", "priv "].into_iter().zip([HASHES, CIPHERS]);
    let (name, kinds) = kinds.into_iter().find(|(name, _)| place.rest().starts_with(name))?;
    let (before, near) = line(place);
    if !before.contains("snmp-server user ") {
        return None;
    }
    let words = words(&near[name.len()..], "");
    let told = |word: &Word| &near[name.len() + word.range.start..name.len() + word.range.end];
    let mut words = words.iter().skip_while(|word| is_in(kinds, told(word)) || is_in(LENGTHS, told(word)));
    let value = words.next().filter(|word| is_secret(told(word)))?;
    let begin = place.at + name.len();
    Some(begin + value.range.start..begin + value.range.end)
}

/// The key or the password of a block, the last word of its line: `radius server r1` and below it `key …`.
pub(crate) fn of_block(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let (name, heads) = if rest.starts_with("key ") {
        ("key ", WITH_KEY.as_slice())
    } else if rest.starts_with("password ") {
        ("password ", WITH_PASSWORD.as_slice())
    } else {
        return None;
    };
    let (before, near) = line(place);
    if before.is_empty() || !before.trim_start().is_empty() {
        return None;
    }
    let words: Vec<&str> = near[name.len()..].split_ascii_whitespace().collect();
    let value = match words[..] {
        [value] => value,
        // The kind of a hash.
        [kind, value] if kind.len() == 1 && kind.bytes().all(DIGIT) => value,
        _ => return None,
    };
    let above = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(BLOCK))..place.at - before.len()];
    looked_at(above.len());
    let mut lines = above.trim_end_matches('\n').rsplit('\n').take(MOST_LINES);
    let is_head = |line: &str| heads.iter().any(|head| line.contains(head));
    let has_head = lines.find(|line| is_head(line) || !line.starts_with([' ', '\t'])).is_some_and(is_head);
    let begin = place.at + near.rfind(value)?;
    (has_head && is_secret(value)).then(|| begin..begin + value.len())
}

/// The key behind its number and the kind of its hash, `ntp authentication-key 1 md5 …`, and the one of a group of gateways,
/// `standby 1 authentication md5 key-string …`.
pub(crate) fn of_protocol(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let is_of_time = rest.starts_with("ntp authentication-key ");
    if !is_of_time && !["standby ", "vrrp ", "glbp "].iter().any(|word| rest.starts_with(word)) {
        return None;
    }
    let (_, near) = line(place);
    let words = words(near, "");
    let told: Vec<&str> = words.iter().map(|word| &near[word.range.clone()]).collect();
    let is_number = |word: &str| word.bytes().all(DIGIT);
    let nth = match told[..] {
        [_, _, number, _, kind, _] if is_of_time && is_number(number) && kind.len() == 1 && is_number(kind) => 5,
        [_, _, number, _, _] if is_of_time && is_number(number) => 4,
        [_, _, number, "type", _, "value", _] if is_of_time && is_number(number) => 6,
        // The kind of the encryption, behind the key.
        [_, _, number, _, _, kind] if is_of_time && is_number(number) && is_number(kind) => 4,
        [_, number, "authentication", _] if is_number(number) => 3,
        [_, number, "authentication", "text", _] if is_number(number) => 4,
        [_, number, "authentication", "md5", "key-string", _] if is_number(number) => 5,
        _ => return None,
    };
    let range = words[nth].range.clone();
    is_secret(told[nth]).then(|| place.at + range.start..place.at + range.end)
}

/// The text by which gateways know each other, on the line that names what they speak: `auth_type PASS auth_pass …`, and quoted in what
/// they say of it: `auth string "…"`.
pub(crate) fn of_gateway(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let quoted = ["auth string \"", "authentication string \""].into_iter().find(|name| rest.starts_with(name));
    let name = quoted.or_else(|| Some("auth_pass ").filter(|name| rest.starts_with(name)))?;
    let (before, near) = line(place);
    let value = near[name.len()..].split(['"', ' ', '\r']).next()?;
    let is_told =
        quoted.is_some() && near[name.len() + value.len()..].starts_with('"') || before.contains("auth_type ");
    let begin = place.at + name.len();
    (is_told && is_secret(value)).then(|| begin..begin + value.len())
}

/// What a device of Huawei keeps: `irreversible-cipher $1a$…`, `cipher %^%#…%^%#`; and what one of HP's is given:
/// `password manager plaintext …`.
pub(crate) fn of_account(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let name =
        ["irreversible-cipher ", "cipher ", "simple ", "plaintext "].into_iter().find(|name| rest.starts_with(name))?;
    let (before, near) = line(place);
    let value = near[name.len()..].split([' ', '\t', '\r']).next()?;
    let is_told = match name {
        "plaintext " => ["password manager ", "password operator "].iter().any(|word| before.contains(word)),
        "simple " => before.ends_with("password ") && near[name.len() + value.len()..].trim().is_empty(),
        "cipher " => KEPT.iter().any(|begin| value.starts_with(begin)),
        _ => value.len() > 8 && value.bytes().any(|byte| !byte.is_ascii_alphabetic()),
    };
    let begin = place.at + name.len();
    (is_told && is_secret(value)).then(|| begin..begin + value.len())
}

/// The password in a registration of Asterisk, `register => bob:…@sip.example/100`, and in an address of a telephone,
/// `sip:bob:…@pbx.example`.
pub(crate) fn of_telephone(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let open = match ["sip:", "sips:"].into_iter().find(|scheme| rest.starts_with(scheme)) {
        Some(scheme) => scheme.len(),
        None => {
            let name = rest.strip_prefix("register").map(|_| "register".len())?;
            let sign = name + run_within(&rest[name..], 8, |byte| byte == b' ');
            let sign = sign + ["=>", "="].iter().find(|mark| rest[sign..].starts_with(**mark))?.len();
            sign + run_within(&rest[sign..], 8, |byte| byte == b' ')
        }
    };
    let near = &rest[open..boundary(rest, open + LINE).max(open)];
    let account = &near[..near.find(|c: char| c.is_whitespace() || "\"'<>;,`".contains(c)).unwrap_or(near.len())];
    let scheme = account.find("://").map_or(0, |sign| sign + 3);
    let account = &account[..account.rfind('@')?];
    let user = scheme + account.get(scheme..)?.find(':')?;
    let is_user = run(&account[scheme..], |byte| DOTTED(byte) || b"+@%".contains(&byte)) == user - scheme;
    // The name to sign in with may follow.
    let password = account[user + 1..].split(':').next()?;
    let begin = place.at + open + user + 1;
    // What is masked already is looked at by no other rule.
    let is_secret = password.len() >= SHORTEST && !stands_in(password) || password == crate::MASK;
    (is_user && user > scheme && is_secret).then(|| begin..begin + password.len())
}

/// What the block of a telephone's account has besides its secret.
const OF_ACCOUNTS: [&str; 6] =
    ["type=friend", "type=peer", "type=user", "type = friend", "type = peer", "host=dynamic"];

/// The secret of an account of Asterisk, also of words: `secret = …` in a block with `type = friend`.
pub(crate) fn of_friend(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let name = rest.strip_prefix("secret").map(|_| "secret".len())?;
    let sign = name + run_within(&rest[name..], 8, |byte| b" =>".contains(&byte));
    if !rest[name..sign].contains('=') {
        return None;
    }
    let (before, near) = line(place);
    let value = near.get(sign..)?.split(" ;").next()?.trim_end();
    let above = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(LINE))..place.at];
    let below = &rest[..boundary(rest, LINE)];
    looked_at(above.len());
    let block = [above.rsplit("\n\n").next().unwrap_or_default(), below.split("\n\n").next().unwrap_or_default()];
    let is_account = OF_ACCOUNTS.iter().any(|word| block.iter().any(|part| part.contains(word)));
    let is_line = before.trim().is_empty() && !value.contains([' ', '"', '\'']);
    (is_line && is_account && value.len() >= SHORTEST && !is_stand_in(value))
        .then(|| place.at + sign..place.at + sign + value.len())
}

/// The number that opens a mailbox of Asterisk: `204 => 4711,Mia Berg,mia@acme.example`.
pub(crate) fn of_mailbox(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let mailbox = run_within(rest, 8, DIGIT);
    let value = rest[mailbox..].strip_prefix(" => ")?;
    let digits = run_within(value, 10, DIGIT);
    let (before, near) = line(place);
    let mut fields = near[mailbox..].split(',').skip(1);
    let has_mail = fields.next().is_some() && fields.next().is_some_and(|mail| mail.contains('@'));
    let begin = place.at + mailbox + " => ".len();
    ((3..=8).contains(&digits) && value[digits..].starts_with(',') && has_mail && !before.contains("=>"))
        .then(|| begin..begin + digits)
}
