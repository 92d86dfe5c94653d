//! The forms of vendors' keys: how those go on that begin as words do, too, and keys that are told by their midst or end. Pure.

use std::ops::Range;

use crate::text::alphabet::{Alphabet, DIGIT, DOTTED, HEX, UPPER, WORD};
use crate::text::place::{Place, boundary, run, run_within};
use crate::word::random::is_strong;
use crate::word::shape::{is_cause, is_uuid};

/// So much is looked at of a key that is told by its midst or end.
const LONGEST: usize = 256;

/// So many consonants follow each other in no word.
const CONSONANTS: usize = 5;

/// The kinds of Doppler's tokens.
const OF_DOPPLER: &str = "pt st ct sa scim audit said";

/// What stands before a digest or a signature, which is as long as a key of Azure's storage.
const OF_DIGESTS: [&str; 7] = ["sha", "digest", "integrity", "checksum", "hash", "sig", "public"];
const DIGESTS_NAME: usize = 32;

/// How long a name in a token of Unleash is, and its digits.
const FLAGS: usize = 40;
const DIGITS_OF_FLAGS: usize = 56;

/// Whether what follows a short beginning, which words have too, has the form that keys with this beginning have.
pub(crate) fn has_form(beginning: &str, body: &str, place: Place<'_>) -> bool {
    let ends = || !place.rest()[beginning.len() + body.len()..].starts_with(['+', '/', '=', '-', '_']);
    let is_alone = |length: usize| body.len() == length && place.begins() && is_strong(body) && ends();
    let byte = |at: usize| body.as_bytes().get(at).copied();
    match beginning {
        // Fourteen characters, a dot, and the rest.
        "pat" => byte(14) == Some(b'.'),
        // `pat-na1-`, and a UUID.
        "pat-" => body.get(3..4) == Some("-") && body.get(4..).is_some_and(is_uuid),
        "xaat-" | "xapt-" | "sdk-" | "access-production-" | "access-development-" | "access-sandbox-" => {
            is_uuid(body) && place.begins()
        }
        "dp." => is_of_doppler(body),
        "st." => {
            let parts: Vec<&str> = body.split('.').collect();
            let is_part = |part: &&str| part.len() >= 24 && part.bytes().all(|byte| HEX(byte) || byte == b'-');
            parts.len() == 3 && parts.iter().all(is_part)
        }
        // A letter, two digits, a dot and the rest.
        "dt0" => byte(3) == Some(b'.') && body.get(1..3).is_some_and(|digits| digits.bytes().all(DIGIT)),
        // `hcaik_`: a letter that says where, and two that say what.
        "hc" => {
            let key = body.split_once('_').filter(|(kind, _)| kind.len() == 3).map(|(_, key)| key);
            place.begins() && key.is_some_and(|key| key.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        }
        // A name such as `npg_createTables` is words.
        "npg_" => place.begins() && !is_cause(body),
        "AVNS_" | "fw_" | "dub_" | "unkey_" | "tr_prod_" | "tr_stg_" | "tr_dev_" | "apify_api_" | "test_" => {
            is_strong(body)
        }
        // Of Mollie; and of Twitch, behind the number of a channel.
        "live_" => match body.split_once('_') {
            Some((channel, key)) => channel.bytes().all(DIGIT) && key.len() == 30 && is_strong(key),
            None => is_strong(body),
        },
        "pk_" => is_of_account(body) && place.begins(),
        // Of Zoho, and of Salesforce behind the id of an organization.
        "1000." => body.len() == 65 && body.split('.').all(|part| part.len() == 32 && part.bytes().all(HEX)),
        "00D" => {
            let organization = body.split_once('!').filter(|(id, _)| [12, 15].contains(&id.len()));
            organization.is_some_and(|(_, token)| token.len() >= 60 && is_strong(token))
        }
        // Of Twitch, PubNub and AppSync.
        "oauth:" => body.len() == 30 && place.begins() && !body.bytes().any(|byte| byte.is_ascii_uppercase()),
        "sec-c-" => is_uuid(body) || body.len() == 48 && is_strong(body),
        "da2-" => body.len() == 26 && place.begins() && !body.bytes().any(|byte| byte.is_ascii_uppercase()),
        // A ticket of CAS, with its number.
        "TGT-" | "PGT-" => body.split_once('-').is_some_and(|(number, _)| number.bytes().all(DIGIT)) && is_strong(body),
        "eyJhIjoi" => place.begins() && is_strong(body),
        "EAAA" | "EAAl" => is_alone(60),
        // Of Alibaba and Azure.
        "CAIS" | "STS.N" | "0.A" | "1.A" => place.begins() && is_strong(body),
        // Of Yandex: what it says, and a signature of 64 bytes.
        "t1." | "c1." => {
            let signature = body.trim_end_matches('=').rsplit_once('.').map_or("", |(_, signature)| signature);
            place.begins() && signature.len() == 86 && signature.bytes().all(WORD)
        }
        // Ids of things begin so, too, in one letter case.
        "00" => is_alone(40) && body.bytes().any(|byte| byte.is_ascii_uppercase()),
        "oy2" => is_alone(43),
        "tk_" => is_alone(29),
        "u+" => is_alone(18),
        "as-" | "ser." => is_alone(22),
        "cu_" | "fhb-" | "fc-" | "o." => is_alone(32),
        "aio_" => is_alone(28),
        "nbp_" => is_alone(36),
        // Base64 of `tok:`, which other texts in base64 may have inside.
        "dG9rOj" | "AQVN" => place.begins() && is_strong(body),
        "s." => place.begins() && body.bytes().any(|byte| byte.is_ascii_digit()),
        // `xapp-1-…`; pods have names such as `webxapp-684d8d675b-xz99d`.
        "re_" => byte(8) == Some(b'_') && is_strong(body),
        // `v1.0-`, 24 digits, a dash and the rest.
        "v1.0-" => byte(24) == Some(b'-'),
        // The key of a server of Firebase; its first part has eleven characters.
        "AAAA" => body.get(7..14) == Some(":APA91b"),
        // As PostgreSQL keeps passwords.
        "md5" => body.len() == 32 && place.begins(),
        // A token of crates.io.
        "cio" => body.len() == 32 && place.begins(),
        // A key of Ceph.
        "AQ" => body.len() == 38 && place.begins() && body.ends_with("==") && is_strong(body),
        "key-" => body.len() == 32,
        // A key of Backblaze B2.
        "K00" => body.len() == 28 && place.begins() && is_strong(body),
        "xapp-" => place.begins() || byte(1) == Some(b'-'),
        _ => true,
    }
}

/// Whether what follows `pk_` is of ClickUp, the number of a user and 32 capitals and digits, or of Klaviyo, 34 hexadecimal digits.
fn is_of_account(body: &str) -> bool {
    match body.split_once('_') {
        Some((user, key)) => {
            (6..=10).contains(&user.len()) && user.bytes().all(DIGIT) && key.len() == 32 && key.bytes().all(UPPER)
        }
        None => body.len() == 34 && body.bytes().all(|byte| HEX(byte) && !byte.is_ascii_uppercase()),
    }
}

/// Whether a token of Doppler has its kind before it, and maybe the name of a setting: `st.prd.`.
fn is_of_doppler(body: &str) -> bool {
    let kind = body.split('.').next().unwrap_or_default();
    let token = body.rsplit('.').next().unwrap_or_default();
    token.len() >= 40 && OF_DOPPLER.split(' ').any(|known| known == kind)
}

/// Whether capitals that have no digit among them are the rest of an AWS key all the same, and no word.
pub(crate) fn is_drawn(beginning: &str, body: &str) -> bool {
    let is_consonant = |byte: &u8| !b"AEIOUY234567".contains(byte);
    ["AKIA", "ASIA"].contains(&beginning)
        && body.len() == 16
        && body.as_bytes().chunk_by(|a, b| is_consonant(a) && is_consonant(b)).any(|run| run.len() >= CONSONANTS)
}

/// Keys that are told by what stands in their midst or at their end: client secrets of Azure, tokens of Terraform, of Azure's
/// pipelines and of bots of Telegram, and keys of MaxMind, Mailchimp, Mailgun and New Relic.
pub(crate) fn by_its_end(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let length = run_within(rest, LONGEST, |byte| DOTTED(byte) || byte == b'~' || byte == b'=');
    let text = rest[..length].trim_end_matches('.');
    let all = |range: Range<usize>, alphabet: Alphabet| text.get(range).is_some_and(|part| part.bytes().all(alphabet));
    let has = |at: usize, known: &str| text.get(at..).is_some_and(|part| part.starts_with(known));
    let is_key = match text.len() {
        84 if has(76, "AZDO") => is_strong(text),
        // Parts of 32, 8 and 8 digits.
        50 if has(32, "-") && has(41, "-") => all(0..32, HEX) && all(33..41, HEX) && all(42..50, HEX),
        40 if text.ends_with("_mmk") => true,
        40 if text.ends_with("NRAL") => all(6..36, HEX),
        // A private key of Bitcoin, as wallets take it in: base58 of 32 bytes, and of one more.
        51 | 52 if is_of_wallet(text) => true,
        36..=38 if has(32, "-us") => all(0..32, HEX),
        // A seed of NATS or Stellar in base32.
        56 | 58 if text.starts_with('S') => {
            text.bytes().any(DIGIT) && text.bytes().all(|byte| UPPER(byte) && !b"0189".contains(&byte))
        }
        _ => length >= 34 && has(4, "Q~") || length >= 60 && has(14, ".atlasv1."),
    };
    if is_key {
        return Some(place.at..place.at + text.len());
    }
    if is_of_tunnel(text) || is_of_storage_server(text) {
        return Some(place.at..place.at + text.len());
    }
    if let Some(end) = of_flags(rest) {
        return Some(place.at..place.at + end);
    }
    if is_of_discord(text) {
        return Some(place.at..place.at + text.len());
    }
    if let Some(end) = of_account_of_machine(rest) {
        return Some(place.at..place.at + end);
    }
    // In the path of a request, it stands behind `bot`.
    let bot = if rest.starts_with("bot") { "bot".len() } else { 0 };
    let digits = run(&rest[bot..], DIGIT);
    let is_number = (8..=10).contains(&digits) && length == bot + digits;
    let token = rest[length..].strip_prefix(":AA").filter(|_| is_number);
    let token = token.map_or(0, |token| run(token, WORD));
    (token >= 31).then(|| place.at + bot..place.at + length + ":AA".len() + token)
}

/// Whether `text` is the token of a bot of Discord: its number in base64, and two parts behind dots.
fn is_of_discord(text: &str) -> bool {
    let mut parts = text.split('.');
    let (Some(id), Some(time), Some(rest), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    // Digits in base64 begin so in every group.
    let is_id = (24..=28).contains(&id.len()) && id.bytes().step_by(4).all(|byte| b"MNO".contains(&byte));
    is_id
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && time.len() == 6
        && (27..=38).contains(&rest.len())
        && is_strong(rest)
}

/// Whether `text` is a private key of Bitcoin in base58.
fn is_of_wallet(text: &str) -> bool {
    let begins = if text.len() == 51 {
        ["5H", "5J", "5K"].iter().any(|begin| text.starts_with(begin))
    } else {
        text.starts_with(['K', 'L'])
    };
    begins && is_strong(text) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() && !b"0OIl".contains(&byte))
}

/// Whether `text` is a token of ngrok: an id of 27 characters, and some twenty behind it.
fn is_of_tunnel(text: &str) -> bool {
    let Some((id, rest)) = text.split_once('_') else { return false };
    let is_part = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric()) && is_strong(part);
    id.len() == 27 && id.starts_with(['1', '2', '3']) && (20..=22).contains(&rest.len()) && is_part(id) && is_part(rest)
}

/// Whether `text` is a key of TrueNAS: its number, a dash and 64 letters and digits.
fn is_of_storage_server(text: &str) -> bool {
    let Some((number, key)) = text.split_once('-') else { return false };
    let has = |kind: fn(&u8) -> bool| key.bytes().any(|byte| kind(&byte));
    key.len() == 64
        && (1..=4).contains(&number.len())
        && number.bytes().all(DIGIT)
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
}

/// The length of a token of Unleash: a project or a star, an environment, and 56 hexadecimal digits: `*:production.…`.
fn of_flags(text: &str) -> Option<usize> {
    let project = if text.starts_with('*') { 1 } else { run_within(text, FLAGS, WORD) };
    let environment = run_within(text[project..].strip_prefix(':')?, FLAGS, WORD);
    let begin = project + 1 + environment;
    let hex = run_within(text[begin..].strip_prefix('.')?, DIGITS_OF_FLAGS + 1, HEX);
    (project > 0 && environment > 0 && hex == DIGITS_OF_FLAGS).then_some(begin + 1 + hex)
}

/// The length of a token of Bitwarden's accounts of machines: `0.`, a UUID, a dot, and two parts with a colon between.
fn of_account_of_machine(text: &str) -> Option<usize> {
    let near = text.strip_prefix("0.").map(|near| &near[..boundary(near, LONGEST)])?;
    let (id, rest) = near.split_once('.').filter(|(id, _)| is_uuid(id))?;
    let (secret, key) = rest.split_once(':').filter(|(secret, _)| secret.len() == 30 && is_strong(secret))?;
    let key = run(key, |byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
    (key >= 20).then(|| "0.".len() + id.len() + 1 + secret.len() + 1 + key)
}

/// A key of Azure's storage that stands by itself: 64 bytes in base64. A digest or a signature says that it is one.
pub(crate) fn of_storage(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let length = run_within(rest, LONGEST, |byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte));
    let is_key = length == 86
        && rest[length..].starts_with("==")
        && !rest[length + 2..].starts_with(['='])
        && is_strong(&rest[..length])
        && place.before.is_none_or(|byte| b" \n\t\"'`(>".contains(&byte));
    if !is_key {
        return None;
    }
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(DIGESTS_NAME))..place.at];
    let before = before.rsplit('\n').next().unwrap_or_default().to_ascii_lowercase();
    (!OF_DIGESTS.iter().any(|word| before.contains(word))).then(|| place.at..place.at + length + 2)
}
