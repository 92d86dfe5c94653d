//! What must go and what must stay. `cargo test --package redact -- --nocapture` prints the figures.

#![expect(clippy::print_stdout, reason = "it prints figures for the person who runs it")]

mod generated;
mod grid;
mod own;
mod random;
mod work;

use super::*;

/// Texts with a secret, each between `⟦` and `⟧`.
const GO: &str = include_str!("must_go.txt");

/// Texts without one.
const STAY: &str = include_str!("must_stay.txt");

/// One random key for most rules of gitleaks 8.30 that go by a key's own shape, made by a program from the rule's
/// pattern: they are not gitleaks' own examples. The table of rules was extended after this list was first tried. A dot in the middle keeps scanners of repositories quiet.
const GITLEAKS: &str = include_str!("gitleaks.txt");

/// One random key for each format of further vendors, made by a program.
const VENDORS: &str = include_str!("vendors.txt");

/// What is no key behind the beginning of one.
const NEAR: [&str; 7] = [
    "checkout_service_request_latency_seconds_total",
    "checkout-7d9f8b6c5-abcde",
    "build_release20241128_failed_in_production",
    "v2.14.1",
    "2024-11-28",
    "keys",
    "",
];

/// A key of the program that has no known shape.
const OWN: &str = "S3cr3t-0wnK3yOfTheOrg_42x";

fn lines(text: &str) -> Vec<String> {
    let kept = text.lines().filter(|line| !line.is_empty() && !line.starts_with("# "));
    // A literal \n of the file stays as it is. A dot inside a key keeps scanners quiet.
    let characters = [('␤', "\n"), ('␛', "\u{1b}"), ('⍽', "\u{a0}"), ('¤', "\u{200b}"), ('·', "")];
    let read =
        |line: &str| characters.iter().fold(line.to_string(), |line, (mark, character)| line.replace(*mark, character));
    kept.map(read).collect()
}

#[test]
fn every_secret_goes_and_nothing_else() {
    let mut wrong = Vec::new();
    for line in lines(GO) {
        let text = line.replace(['⟦', '⟧'], "");
        let mut expected = String::new();
        let mut parts = line.split('⟦');
        expected.push_str(parts.next().unwrap());
        for part in parts {
            expected.push_str(MASK);
            expected.push_str(part.split_once('⟧').unwrap().1);
        }
        let got = redact(&text);
        if got != expected {
            wrong.push(format!("{text}\n  want {expected}\n  got  {got}"));
        }
    }
    println!("must go: {} texts, {} wrong", lines(GO).len(), wrong.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_is_no_secret_stays() {
    let redactor = Redactor::new([OWN]);
    let changed: Vec<String> = lines(STAY)
        .iter()
        .filter(|line| redactor.redact(line) != **line)
        .map(|line| redactor.redact(line).into())
        .collect();
    println!("must stay: {} texts, {} destroyed", lines(STAY).len(), changed.len());
    assert!(changed.is_empty(), "{} destroyed:\n{}", changed.len(), changed.join("\n"));
}

#[test]
fn keys_made_from_the_rules_of_gitleaks_are_found() {
    let keys = lines(GITLEAKS);
    let missed: Vec<&str> = keys
        .iter()
        .filter_map(|line| line.split_once('\t'))
        .filter(|(_, key)| redact(&format!("the log said {key} at noon")).contains(*key))
        .map(|(rule, _)| rule)
        .collect();
    println!("gitleaks: {} of {} found", keys.len() - missed.len(), keys.len());
    assert_eq!((keys.len() - missed.len(), keys.len()), (101, 103));
    // Both are bare hexadecimal or as good as: nothing tells them from the hash of a commit or an image.
    assert_eq!(missed, ["clickhouse-cloud-api-secret-key", "sourcegraph-access-token"]);
}

#[test]
fn keys_of_further_vendors_are_found_and_end_where_they_end() {
    let keys = lines(VENDORS);
    let missed: Vec<&String> = keys
        .iter()
        .filter(|line| {
            let key = line.split_once('\t').unwrap().1;
            redact(&format!("the log said {key} at noon, {key}.")) != "the log said **** at noon, ****."
        })
        .collect();
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn a_beginning_of_a_key_makes_none_of_words() {
    let beginnings =
        crate::word::beginnings::PREFIXES.iter().map(|rule| rule.text).filter(|text| text.ends_with(['-', '_', '.']));
    let texts = beginnings.flat_map(|begin| NEAR.map(|near| format!("the log said {begin}{near} at noon")));
    let changed: Vec<String> = texts.filter(|text| redact(text) != **text).collect();
    assert!(changed.is_empty(), "{} destroyed:\n{}", changed.len(), changed.join("\n"));
}

fn base64(bytes: &[u8], alphabet: &base64::engine::GeneralPurpose) -> String {
    use base64::Engine as _;
    alphabet.encode(bytes)
}

/// A letter in mathematical italics, one of which is among the symbols; a digit in bold.
fn mathematical(c: char) -> char {
    let at = |first: u32, zero: char| char::from_u32(first + u32::from(c) - u32::from(zero)).unwrap_or(c);
    match c {
        'h' => '\u{210e}',
        'A'..='Z' => at(0x1d434, 'A'),
        'a'..='z' => at(0x1d44e, 'a'),
        '0'..='9' => at(0x1d7ce, '0'),
        _ => c,
    }
}

#[test]
fn the_own_key_is_found_in_every_spelling() {
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
    let each = |write: &dyn Fn(u8) -> String| OWN.bytes().map(write).collect::<String>();
    let percent = each(&|byte| format!("%{byte:02X}"));
    let mut spellings = vec![
        OWN.to_string(),
        OWN.to_uppercase(),
        OWN.to_lowercase(),
        format!("x{OWN}"),
        percent.replace('%', "%25"),
        percent.to_lowercase(),
        percent,
        each(&|byte| format!("{byte:02x}")),
        each(&|byte| format!("{byte:02X}:")),
        each(&|byte| format!("0x{byte:02x}, ")),
        each(&|byte| format!("0X{byte:02X}")),
        format!("0x{}", each(&|byte| format!("{byte:02x}"))),
        each(&|byte| format!("\\u{byte:04x}")),
        each(&|byte| format!("&#{byte};")),
        each(&|byte| format!("{byte}, ")),
        each(&|byte| format!("{byte} ")),
        OWN.chars().map(mathematical).collect(),
        OWN.replace("Of", "O\nf"),
        OWN.replace("Of", "O\\nf"),
        OWN.replace("Of", "O \t f"),
        OWN.replace("Of", "O\u{200b}f"),
        OWN[..18].to_string(),
    ];
    for offset in ["", "a", "ab", "Bearer ", "user:"] {
        let bytes = format!("{offset}{OWN}");
        spellings.push(base64(bytes.as_bytes(), &BASE64_STANDARD));
        spellings.push(base64(bytes.as_bytes(), &BASE64_URL_SAFE_NO_PAD));
        spellings.push(base64(bytes.as_bytes(), &BASE64_STANDARD).replace('=', "%3D"));
    }
    let redactor = Redactor::new([OWN]);
    for spelling in spellings {
        for text in [spelling.clone(), format!("é said\\n{spelling}\\n, twice"), format!("{{\"a\":\"{spelling}\"}}")] {
            let redacted = redactor.redact(&text);
            assert!(
                redacted.contains(MASK) && !redacted.contains(&spelling[4..spelling.len() - 4]),
                "{text}: {redacted}"
            );
            assert!(redactor.contains_secret(&text), "{text}");
        }
    }
    let mut removed = std::collections::BTreeSet::new();
    assert_eq!(redactor.redact_keeping("nothing here", &mut removed), "nothing here");
    assert!(removed.is_empty());
}

/// What is left where a part of a key was taken out can be the key again: here it is put into itself, at every place.
#[test]
fn no_own_key_is_left_whatever_it_was_put_into() {
    let redactor = Redactor::new([OWN]);
    for at in 1..OWN.len() {
        let within = |key: String| format!("{}{key}{}", &OWN[..at], &OWN[at..]);
        for text in [within(OWN.to_string()), (0..20).fold(OWN.to_string(), |key, _| within(key))] {
            let redacted = redactor.redact(&text);
            assert!(!redactor.contains_own_key(&redacted), "{text}: {redacted}");
        }
    }
}

#[test]
fn a_short_own_key_is_found_and_takes_no_words_with_it() {
    use base64::prelude::BASE64_STANDARD;
    let redacted = |key: &str, text: &str| Redactor::new([key]).redact(text).into_owned();
    // Fewer than sixteen characters; few letters among many signs; and a word.
    for key in ["hunter2-Xy9", "a!b@c#d$e^f.g", "abc123"] {
        let each = |write: &dyn Fn(u8) -> String| key.bytes().map(write).collect::<String>();
        let spellings = [
            key.to_string(),
            each(&|byte| format!("%{byte:02X}")),
            each(&|byte| format!("\\u{byte:04x}")),
            each(&|byte| format!("{byte:02x}")),
            base64(key.as_bytes(), &BASE64_STANDARD),
            base64(format!("user:{key}").as_bytes(), &BASE64_STANDARD),
        ];
        for spelling in spellings {
            let got = redacted(key, &format!("it said <{spelling}> twice"));
            assert!(!got.contains(&spelling) && got.contains(MASK), "{key}, {spelling}: {got}");
        }
        let parts = format!("{} and {}", &key[..key.len() - 1], &key[1..]);
        assert_eq!(redacted(key, &parts), parts);
    }
    assert_eq!(redacted("abc123", "abc1234 xabc123 ABC123 abc-123"), "abc1234 xabc123 ABC123 abc-123");
    assert_eq!(redacted("abc", "abc"), "abc", "too short to be a key");
    assert_eq!(redacted("", "abc"), "abc");
}

#[test]
fn redacting_twice_changes_nothing_more() {
    for line in lines(GO) {
        let text = line.replace(['⟦', '⟧'], "");
        let once = redact(&text).into_owned();
        assert_eq!(redact(&once), once);
    }
}

thread_local! {
    static LOOKED_AT: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Counts bytes that are looked at.
pub(super) fn looked_at(bytes: usize) {
    LOOKED_AT.set(LOOKED_AT.get() + bytes);
}

#[test]
fn a_value_under_such_a_name_may_only_speak_of_a_secret() {
    let secret = [("db_password", "x1"), ("secret", "hunter2"), ("license_key", "A1B2"), ("token", "abcdef")];
    assert!(secret.iter().all(|(name, value)| is_secret(name, value)));
    let harmless = [
        ("token", "expired"),
        ("password", "None"),
        ("license.key", "mit"),
        ("api_key", ""),
        ("secret", "${X}"),
        ("secret", "web-tls"),
    ];
    assert!(harmless.iter().all(|(name, value)| !is_secret(name, value)));
}

#[test]
fn every_name_of_the_tables_keeps_a_secret() {
    for name in crate::word::names::examples().flat_map(|name| [name.to_uppercase(), name]) {
        let value = match name.to_lowercase().as_str() {
            "secretid" => "0d902d4d-605a-230a-b8f5-a3d24bdfd1fe",
            "db_pin" | "db_cvv" | "db_cvc" => "4821",
            _ => "S3cr3tV4lue9xyz",
        };
        assert_eq!(redact(&format!("{name}={value}")), format!("{name}=****"));
    }
}

#[test]
fn a_key_is_of_words_that_other_texts_have_too() {
    let words = ["checkout", "checkout-service-prod", "Checkout_Service_2", "hunter2", "correct horse battery staple"];
    assert!(words.iter().all(|key| is_of_words(key)));
    let keys = [OWN, "", "gpgchwaljbtxfzoqa", "aXbXcXdXeX", "0f9e8d7c6b5a4938", "https://chat.internal/hook", "a!b@c"];
    assert!(!keys.iter().any(|key| is_of_words(key)));
}

#[test]
fn names_that_keep_secrets() {
    let read = |names: &[&str]| names.iter().map(|name| is_secret_name(name)).collect::<Vec<_>>();
    let secret = [
        "db_password",
        "X-Api-Key",
        "token",
        "STRIPE_KEY",
        "password1",
        "DB_PASSWORD_PROD",
        "clientSecret",
        "SECRET_KEY_BASE",
        "bind_pw",
        "wifi-psk",
        "DB_CREDS",
    ];
    assert_eq!(read(&secret), vec![true; secret.len()]);
    let harmless = [
        "secretName",
        "tokens",
        "bypass",
        "next_token",
        "partition_key",
        "primary_key",
        "monkey",
        "key",
        "first_pass",
        "cpw",
        "auth",
        "sacred",
    ];
    assert_eq!(read(&harmless), vec![false; harmless.len()]);
}
