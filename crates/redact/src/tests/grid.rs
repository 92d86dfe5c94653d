//! Every way to write a name with its value, with every name and every value: what must go and what must stay.

use super::{MASK, lines, redact};

/// How a name and its value are written. `⟦other⟧` is another value.
const WRAPPINGS: &str = include_str!("wrappings.txt");

const NAMES: [&str; 7] =
    ["password", "DB_PASSWORD", "clientSecret", "X-Api-Key", "passphrase", "auth_token", "app.secret"];

const SECRETS: [&str; 6] =
    ["hunter2Zq9", "Tr0ub4dor3xY", "aX9kQ2mZ77pL", "0f9e8d7c6b5a4938ZZ", "s3cr3tPassw0rdXy", "Zk8-Qp1Lm_92xW"];

const WORDS: [&str; 16] = [
    "expired",
    "null",
    "${DB_PASSWORD}",
    "op://prod/db/password",
    "vault:secret/data/db",
    MASK,
    "<redacted>",
    "xxxxxxxx",
    "missing",
    "required",
    "{{ .Values.x }}",
    "$(cat /run/x)",
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf",
    "true",
    "[FILTERED]",
    "revoked",
];

#[test]
fn a_secret_goes_under_every_name_in_every_wrapping() {
    let mut wrong = Vec::new();
    for (wrapping, secret) in cells(&SECRETS) {
        let want = wrapping.replace("⟦value⟧", MASK).replace("⟦other⟧", MASK);
        let got = redact(&filled(&wrapping, secret)).into_owned();
        if got != want {
            wrong.push(got);
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_word_stays_under_every_name_in_every_wrapping() {
    let alone = |wrapping: &str| !wrapping.contains("⟦other⟧");
    let texts = cells(&WORDS).filter(|(wrapping, _)| alone(wrapping)).map(|(wrapping, word)| filled(&wrapping, word));
    let changed: Vec<_> = texts.filter(|text| redact(text) != **text).collect();
    assert!(changed.is_empty(), "{} destroyed:\n{}", changed.len(), changed.join("\n"));
}

/// Every wrapping with every name, and every value.
fn cells(values: &'static [&'static str]) -> impl Iterator<Item = (String, &'static str)> {
    let named = lines(WRAPPINGS).into_iter().flat_map(|wrapping| NAMES.map(|name| wrapping.replace("⟦name⟧", name)));
    named.flat_map(move |wrapping| values.iter().map(move |value| (wrapping.clone(), *value)))
}

fn filled(wrapping: &str, value: &str) -> String {
    wrapping.replace("⟦value⟧", value).replace("⟦other⟧", &format!("{value}2"))
}
