//! What stands in a secret's place: a variable, a template, a filler, or a reference to where the secret is kept. Pure.

use super::beginnings::PREFIXES;
use super::random::{is_strong, looks_random};
use crate::text::alphabet::DOTTED;

/// How references begin that tell where a secret is kept: in a vault, in a variable, or in a file.
const REFERENCES: [&str; 22] = [
    "file:///",
    "op://",
    "vault:",
    "vault://",
    "ref+",
    "secret://",
    "secretref+",
    "secretref:",
    "arn:",
    "aws-sm://",
    "aws-ssm://",
    "awssm:",
    "ssm:/",
    "gcp-sm://",
    "gcpsm:",
    "sm://",
    "akv:",
    "azurekeyvault://",
    "keyvault:",
    "@Microsoft.KeyVault(",
    "/run/secrets/",
    "/var/run/secrets/",
];

/// Words in capitals that say that something else belongs there: `VALUE_SPECIFIED_IN_NO_LOG_PARAMETER`.
const TELLING: &str = "VALUE PARAMETER YOUR HERE PLACEHOLDER REPLACE REPLACED INSERT REDACTED MASKED HIDDEN";

/// What others write in brackets for what they have masked: `https://gitlab-ci-token:[MASKED]@…`.
const MASKED: &str = "masked filtered redacted hidden removed secure";

/// So much of a secret is shown on purpose, as a rule its end.
const LONGEST_SHOWN: usize = 4;

/// Whether `text` only stands in a secret's place.
pub(crate) fn is_placeholder(text: &str) -> bool {
    let first = text.chars().next().unwrap_or_default();
    let is_filler = text.len() >= 3 && "xX*.#?-_•●".contains(first) && text.chars().all(|c| c == first);
    let is_bracketed = text.starts_with('<') && text.ends_with('>') && !text.bytes().any(|byte| byte.is_ascii_digit());
    let is_masked = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .is_some_and(|word| MASKED.split(' ').any(|known| known.eq_ignore_ascii_case(word)));
    let is_left_out = text.chars().all(|c| c == '…') || is_instruction(text);
    is_filler
        || is_shown_in_part(text)
        || is_bracketed
        || is_masked
        || is_left_out
        || text == "?"
        || is_variable(text)
        || is_reference(text)
        || is_of_vendor(text)
}

/// How keys begin that go on as others do, or with capitals or letters at once.
const BEGINNINGS: [&str; 8] = ["AKIA", "ASIA", "AIza", "eyJ", "sk-ant-", "sk-proj-", "sk-svcacct-", "sk-ant-api03-"];

/// Whether nothing but a filler follows the beginning of a vendor's key: `ghp_xxxxxxxx`, `xoxb-0000-0000-xxxx`, `eyJ...`.
fn is_of_vendor(text: &str) -> bool {
    let may_be = text.ends_with(|c: char| FILLERS.contains(c) || "-_".contains(c)) || BEGINNINGS.contains(&text);
    let is_beginning = |begin: &&str| begin.len() > 2 && begin.ends_with(['-', '_', '.']) || BEGINNINGS.contains(begin);
    let mut beginnings = BEGINNINGS.into_iter().chain(PREFIXES.iter().map(|rule| rule.text)).filter(is_beginning);
    may_be && beginnings.any(|begin| text.strip_prefix(begin).is_some_and(|rest| rest.is_empty() || is_filler(rest)))
}

/// What is written where a key has its letters and digits.
const FILLERS: &str = "xX0*.…•";

/// Whether `text` has nothing else, in parts or in one.
pub(crate) fn is_filler(text: &str) -> bool {
    let count = text.chars().filter(|c| FILLERS.contains(*c)).count();
    (count > 2 || text == "…") && text.chars().all(|c| FILLERS.contains(c) || "-_".contains(c))
}

/// Whether `text` says that something else belongs there: `YOUR_PASSWORD_HERE`.
fn is_instruction(text: &str) -> bool {
    let tells = || text.split('_').any(|word| TELLING.split(' ').any(|known| known == word));
    let is_told = text.matches('_').count() >= 2 && !text.bytes().any(|byte| byte.is_ascii_lowercase()) && tells();
    (is_told || begins_so(text)) && text.bytes().all(|byte| byte.is_ascii_alphabetic() || b"_-".contains(&byte))
}

/// Whether `text` begins like `your_password`.
fn begins_so(text: &str) -> bool {
    let begins = |word: &str| text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
    ["your_", "your-", "insert_", "insert-", "replace_", "replace-"].into_iter().any(begins)
}

/// How PHP's variables begin that hold what a request, the environment or a session says.
const OF_REQUESTS: [&str; 6] = ["$_POST[", "$_GET[", "$_ENV[", "$_SERVER[", "$_REQUEST[", "$_SESSION["];

/// Whether what follows `%{` is a variable or a call of Puppet: `%{hiera('…')}`.
fn is_of_puppet(text: &str) -> bool {
    let name = text.len() - text.trim_start_matches(|c: char| c.is_ascii_lowercase() || "._:".contains(c)).len();
    name > 1 && text[name..].starts_with(['(', '}'])
}

/// Whether `text` is `${X}`, `$X`, `$1`, `%s`, `%X%`, `{{ x }}`, `$(…)`.
fn is_variable(text: &str) -> bool {
    let is_name = |name: &str| {
        let is_capital = name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_' || byte.is_ascii_digit());
        !name.is_empty()
            && (is_capital && !name.starts_with(|c: char| c.is_ascii_digit() && name.len() > 2)
                || name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
    };
    text.strip_prefix("{{").is_some_and(|inner| !is_strong(inner) || inner.contains(['}', ' ', '.']))
        || (text.starts_with("$(") && !text.starts_with("$(echo ") && !text.starts_with("$(printf "))
        || text.strip_prefix("$env:").is_some_and(|name| !name.is_empty() && name.bytes().all(DOTTED))
        || OF_REQUESTS.iter().any(|begin| text.starts_with(begin))
        || (text.starts_with("${") && !text.contains(":-"))
        || text.strip_prefix("%{").is_some_and(is_of_puppet)
        || text.strip_prefix('$').is_some_and(is_name)
        || (text.starts_with('%') && text.len() <= 3 && text.ends_with(|c: char| c.is_ascii_alphabetic()))
        || text.strip_prefix('%').and_then(|name| name.strip_suffix('%')).is_some_and(is_name)
}

/// Whether all of `text` is a variable or a template in its brackets: `${DB_PASSWORD}`, `{{ x }}`.
pub(crate) fn is_told_variable(text: &str) -> bool {
    [("${", "}"), ("{{", "}}"), ("$(", ")"), ("<", ">"), ("%", "%")]
        .iter()
        .any(|(open, close)| text.starts_with(open) && text.ends_with(close))
}

/// Whether somebody else has masked a key, with what tells it from others left: `sk_live_****************4242`.
fn is_shown_in_part(text: &str) -> bool {
    let Some((begin, rest)) = text.split_once("****") else { return false };
    let end = rest.trim_start_matches('*').trim_end_matches('.');
    begin.ends_with(['-', '_'])
        && begin.bytes().all(|byte| byte.is_ascii_lowercase() || b"-_".contains(&byte))
        && end.len() <= LONGEST_SHOWN
        && end.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether real letters follow a mask, more of them than are shown on purpose to tell one from others: `****Kq8Zm4`.
pub(crate) fn is_half_masked(text: &str) -> bool {
    let shown = text.trim_start_matches('*');
    shown.len() > LONGEST_SHOWN
        && looks_random(shown, LONGEST_SHOWN)
        && shown.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether an option is given where its secret is kept, and not the secret: `-storepass:env NAME`, `--ks-pass file:/run/pass`.
pub(crate) fn is_kept_elsewhere(option: &str, text: &str) -> bool {
    let is_named =
        |begin: &str| text.strip_prefix(begin).is_some_and(|name| name.starts_with(|c: char| !c.is_whitespace()));
    let is_modifier = |word: &str| text.strip_prefix(word).is_some_and(|name| name.starts_with(' '));
    option.starts_with('-')
        && if option.ends_with(':') {
            ["env", "file"].into_iter().any(is_modifier)
        } else {
            ["env:", "file:", "fd:"].into_iter().any(is_named)
        }
}

/// Whether `text` tells where a secret is kept. A user's password may begin so, too, but has no path behind.
fn is_reference(text: &str) -> bool {
    let names = |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphanumeric());
    let is_label = |name: &str| !is_strong(name) && !name.is_empty() && name.bytes().all(DOTTED);
    // `arn:aws:secretsmanager:eu-west-1:123456789012:secret:db`
    let is_of_aws = text.starts_with("arn:aws") && text.matches(':').count() >= 5;
    is_of_aws
        || REFERENCES.iter().any(|known| text.strip_prefix(known).is_some_and(names)) && text.contains(['/', '#'])
        || text.starts_with("projects/") && text.contains("/secrets/")
        || text.strip_prefix("secretref:").is_some_and(is_label)
        || text == "from_secret"
}
