//! Secrets of Kubernetes, whatever their members are called: what `data` and `stringData` hold. Pure.

use std::ops::Range;

use crate::text::alphabet::DOTTED;
use crate::text::place::{looked_at, run};
use crate::value::series::{block, is_plain, members};
use crate::value::speech::is_stand_in;
use crate::word::random::looks_random;

/// How far the members of a secret are followed.
const NEAR: usize = 2048;

/// How much is looked at before the name of the members: the name itself, and its line.
const LONGEST_NAME: usize = 16;
const LINE: usize = 256;

/// What Terraform writes in the place of a value.
const WITHHELD: [&str; 4] = ["(known after", "known after apply", "(sensitive ", "sensitive value"];

/// How a certificate begins in base64: it is no secret.
const CERTIFICATE: &str = "LS0tLS1CRUdJTiBDRVJU";

/// The values of the members of secrets in `text`, but for names of users and their kind.
pub(crate) fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    for document in text.split_inclusive("\n---") {
        looked_at(document.len());
        let is_of_terraform = document.contains("\"kubernetes_secret");
        let is_secret = is_of_terraform || is_kind_secret(document);
        let mut at = 0;
        while let Some(next) = document[at..].find("ata").map(|next| at + next) {
            at = next + "ata".len();
            let before = &document[document.floor_char_boundary(at.saturating_sub(LONGEST_NAME))..at];
            looked_at(before.len());
            let word = before.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
            let is_text = word == "stringData" || is_of_terraform && word == "data";
            if is_text || is_secret && word == "data" {
                let values = values(document, at);
                // What was read here is not read again at the next name in it.
                at = values.last().map_or(at, |last| last.end);
                let values = values.into_iter();
                let kept = values.filter(|value| is_text || is_kept(&document[value.clone()]));
                // `(known after apply)`, `(sensitive value)`
                let kept = kept.filter(|value| !WITHHELD.iter().any(|word| document[value.start..].starts_with(word)));
                found.extend(kept.map(|value| from + value.start..from + value.end));
            }
        }
        from += document.len();
    }
    found
}

/// Whether a document says that it is a secret: `kind: Secret`.
fn is_kind_secret(document: &str) -> bool {
    let after = |kind: usize| document[kind + "kind".len()..].trim_start_matches(['"', '\'', ':', '=', ' ', '\\']);
    let is_secret = |kind: usize| {
        let word = after(kind);
        word[..run(word, DOTTED)] == *"Secret"
    };
    document.match_indices("kind").any(|(kind, _)| is_secret(kind))
}

/// The values of the map after a name that ends at `at`.
fn values(document: &str, at: usize) -> Vec<Range<usize>> {
    let sign = at + run(&document[at..], |byte| b"\"' :=".contains(&byte));
    let near = &document[sign..document.floor_char_boundary(sign + NEAR).max(sign)];
    let before = &document[document.floor_char_boundary(at.saturating_sub(LINE))..at];
    looked_at(before.len() + near.len());
    let line = before.rsplit('\n').next().unwrap_or_default();
    let indent = line.len() - line.trim_start_matches(' ').len();
    let members = match near.as_bytes().first() {
        _ if !document[at..sign].contains([':', '=']) => Vec::new(),
        Some(b'{') => members(near),
        Some(b'\n') => block(near, indent),
        _ => Vec::new(),
    };
    let secret = members.into_iter().filter(|(name, value)| !value.is_empty() && !is_plain(name));
    secret.map(|(_, value)| sign + value.start..sign + value.end).collect()
}

/// Whether a member of a secret keeps one: in base64 as it should be, or as somebody wrote it.
fn is_kept(value: &str) -> bool {
    is_base64(value)
        || looks_random(value, 6) && !value.contains(' ') && !value.starts_with(CERTIFICATE) && !is_stand_in(value)
}

fn is_base64(value: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    value.len() >= 4 && value.len().is_multiple_of(4) && value.bytes().all(is_digit) && !value.starts_with(CERTIFICATE)
}
