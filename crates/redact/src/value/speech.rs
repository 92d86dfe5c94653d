//! Whether a value is a secret or only speaks of one: a cause, a placeholder, code, the name of a thing, or a sentence. Pure.

use super::code::{gives, hands_on, is_member};
use super::fault;
use super::generated::{is_looked_up, is_no_code};
use super::sign::Sign;
use crate::word::event::is_caption;
use crate::word::names::{Kind, is_variable, owner};
use crate::word::placeholder::{is_half_masked, is_placeholder, is_told_variable};
use crate::word::predicate::{describes, ends_clause, is_method, is_of_field, is_other, is_state};
use crate::word::random::{is_strong, is_varied, looks_random};
use crate::word::remark::{is_drawn, is_of_code, is_one_of, is_prose, is_remark, is_remark_itself};
use crate::word::shape::{
    is_cause, is_dated, is_file, is_group, is_identifier, is_identifying, is_key_of_cache, is_label, is_uuid,
    is_version,
};
use crate::word::tongue;

/// Owners whose keys are as often names of queues and places as secrets.
const DOUBTFUL_OWNERS: &str = "routing integration service session account app consumer license aes";

/// Keys that are hexadecimal. Those of others are identifiers as a rule.
const HEX_KEYS: &str = "applicationkey writekey readkey functionskey functionkey validationkey decryptionkey storagekey cosmoskey relickey rolekey";

/// Whose secret is a value, and not the name of an object that keeps it.
const SECRET_OWNERS: &str = "jwt session cookie app hmac webhook signing consumer";

/// How the names of such objects end.
const OBJECTS: &str =
    "secret secrets key keys tls cert certs token tokens auth creds credentials config prod staging dev test";

/// Ends of what says how a secret is kept: `base64-encoded`.
const KEPT: [&str; 3] = ["encoded", "encrypted", "hashed"];

/// A longer value without a blank is no remark. It would be read again at each of its words.
const LONGEST_REMARK: usize = 256;

/// Words after a value that go on with a sentence that began before it.
const GOING_ON: &str = "and or but for in on at to from by with user as the a an if when because after before then";

/// A value, and what is known about it besides its name.
#[derive(Clone, Copy)]
pub(crate) struct Value<'a> {
    pub text: &'a str,
    /// What follows it.
    pub after: &'a str,
    pub sign: Sign,
    pub is_quoted: bool,
    /// Whether it belongs to a parameter of an address.
    pub is_parameter: bool,
}

/// Whether the value of a name of this kind only speaks of a secret.
pub(crate) fn only_speaks(kind: Kind, name: &str, value: Value<'_>) -> bool {
    let text = value.text;
    if !value.is_quoted && text.len() > LONGEST_REMARK && !text.starts_with(crate::MASK) {
        return false;
    }
    if kind == Kind::Password
        && !name.ends_with("connectionstring")
        && is_no_code(text)
        && (value.is_quoted || !is_looked_up(text, value.after) && !is_member(text))
        && !is_told_variable(text)
        && !is_identifying(text)
    {
        return false;
    }
    let word = text.trim_matches(|c: char| c.is_ascii_punctuation() && c != '*').to_lowercase();
    if text.starts_with(crate::MASK) && !(kind == Kind::Password && is_half_masked(text))
        || (word.is_empty() && text.len() < 4)
        || !text.contains(|c: char| c.is_alphanumeric() || c.is_ascii()) && text.chars().count() <= 2
        || word.split('-').all(is_remark)
        || !value.is_quoted && is_of_field(&word)
        || is_placeholder(text)
        || is_near_path(text)
        || tongue::speaks(name, text, value.sign == Sign::Word)
        || matches!(value.sign, Sign::Colon | Sign::Equals) && !value.is_parameter && is_state(text)
        || value.sign == Sign::Blank && is_prose(text, value.after)
    {
        return true;
    }
    // `--auth-user-pass fails with 'auth.txt'`
    let is_option = value.sign == Sign::Blank && name.ends_with("userpass");
    if is_option && !looks_random(text, 6) {
        return true;
    }
    if is_of_its_own(name, text, &word) || is_sentence(value, &word) || is_code(value) || is_handed_on(name, value) {
        return true;
    }
    match value.sign {
        Sign::Word => {
            let is_told = kind == Kind::Password && ends_clause(value.after) && !describes(name, text);
            // `the creds are AssumeRole`
            let is_named = kind == Kind::Token && has_small(text) && is_cause(text);
            let is_said = !is_told && (is_named || is_said(&word, text));
            return !value.is_quoted && is_said || word.len() < 4 || is_version(&word);
        }
        Sign::Beside | Sign::Loose if kind == Kind::Password && is_drawn(text) => return false,
        Sign::Beside => return !looks_random(text, 4) && !is_varied(text) || kind == Kind::Token && is_cause(text),
        Sign::Loose => return !(looks_random(text, 6) || kind == Kind::Password && is_varied(text)),
        _ => {}
    }
    match kind {
        // The pairs of a connection are looked at by themselves.
        Kind::Password if name.ends_with("connectionstring") && !value.is_quoted && text.contains('=') => true,
        Kind::Password => is_doubtful(name, text) || name.ends_with("key") && (is_label(text) || is_dated(text)),
        Kind::Token => is_no_token(name, value, &word),
        _ => is_no_opaque(name, value),
    }
}

/// Whether what stands in the place of a command's argument is none: a variable of a shell, a path, or a word such as `PASSWORD`.
pub(crate) fn stands_in(text: &str) -> bool {
    let word = text.trim_matches(|c: char| c.is_ascii_punctuation() && c != '*').to_lowercase();
    is_stand_in(text) || is_remark_itself(&word)
}

/// The same where a word is as good a secret as any other.
pub(crate) fn is_stand_in(text: &str) -> bool {
    let name = text.strip_prefix('$').unwrap_or_default();
    let is_variable = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '(')
        && (name.starts_with('(') || name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:".contains(&byte)));
    is_variable && !is_no_code(text) || text.starts_with(crate::MASK) || is_placeholder(text) || is_near_path(text)
}

/// Whether `text` is a path from here: `./pw.txt`.
fn is_near_path(text: &str) -> bool {
    let path = ["./", "../", "~/"].iter().find_map(|begin| text.strip_prefix(begin));
    path.is_some_and(|path| !is_strong(path) || path.contains(['/', '.']))
}

/// What some names have besides secrets: `pass: 12`, `PWD=/srv`, `secret_id: prod/db`.
fn is_of_its_own(name: &str, text: &str, word: &str) -> bool {
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
    let is_share = !word.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || b".,/%".contains(&byte));
    match name {
        // `pass=98.5`, `PASS: TestLogin/with_v2_token`
        "pass" if is_share || word.starts_with("test") => true,
        "pwd" => text.starts_with(['/', '~', '\\']),
        "secretid" => {
            !(is_uuid(text) || is_varied(text) && text.contains(['!', '@', '#', '$', '%', '^', '&', '*', '?']))
        }
        // Of systemd: a name, and the path that it is loaded from.
        "loadcredential" | "importcredential" => true,
        "pw" => is_number && word.len() <= 4,
        _ if name.ends_with("pin") => !(4..=8).contains(&word.len()) || !is_number,
        _ if name.ends_with("cvv") || name.ends_with("cvc") => !(3..=4).contains(&word.len()) || !is_number,
        _ if (name.ends_with("key") || name.ends_with("userpass")) && is_file(text) => true,
        _ => is_number && word.len() <= if name.ends_with("pass") { 4 } else { 1 },
    }
}

/// Whether a sentence goes on after the value: `password: must be at least 8 characters`.
fn is_sentence(value: Value<'_>, word: &str) -> bool {
    let text = value.text;
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_lowercase() || c == '\'');
    if value.is_quoted || text.contains(' ') {
        let mut words = text.split_whitespace();
        let first = words.next().unwrap_or_default().to_lowercase();
        // `3 failures`
        let is_number = first.len() <= 3 && first.bytes().all(|byte| byte.is_ascii_digit());
        let is_counted = is_number && !value.is_quoted && words.next().is_some_and(is_word) && words.next().is_none();
        let is_remark = || is_remark(first.trim_end_matches([',', ':']));
        return text.contains(' ') && (is_counted || is_remark() || is_caption(text));
    }
    let next = value.after.strip_prefix(' ').unwrap_or_default();
    let next = next.split(|c: char| c.is_whitespace() || ".,:;()".contains(c)).next().unwrap_or_default();
    let is_count = !word.is_empty() && word.len() <= 6 && word.bytes().all(|byte| byte.is_ascii_digit());
    let begins = value.sign == Sign::Colon && (is_count || is_word(text.trim_end_matches([',', ':', ';'])));
    // `aws_secret.db_password: Refreshing state...`
    let is_progress = text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.len() >= 8
        && text[1..].trim_end_matches('.').bytes().all(|byte| byte.is_ascii_lowercase())
        && (text.ends_with("ing...") || is_word(next.trim_end_matches('.')) && !is_one_of(GOING_ON, next));
    if is_progress && value.sign == Sign::Colon {
        return true;
    }
    let is_status = word.len() == 3 && word.starts_with(['4', '5']) && word.bytes().all(|byte| byte.is_ascii_digit());
    let told = next.trim_end_matches(['"', '\'', '}', ']']);
    let is_cause = |word: &str| word.bytes().all(|byte| byte.is_ascii_alphabetic()) && is_remark_itself(told);
    if value.sign == Sign::Colon && is_cause(text) {
        // `Permission denied`
        return true;
    }
    // `password: sshpass -p …`
    let is_command = value.after.strip_prefix(" -").is_some_and(|option| option.starts_with(|c: char| c != ' '));
    let goes_on = is_command || is_word(next) && !is_one_of(GOING_ON, next) || word.ends_with("n't");
    begins && goes_on || is_status && value.sign == Sign::Colon && next.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Whether a value without quotation marks is code that gives it: `os.environ["X"]`, `getToken()`, `self.password`, `String!`.
fn is_code(value: Value<'_>) -> bool {
    if value.is_quoted || value.is_parameter {
        return false;
    }
    let text = value.text;
    if is_of_code(text.trim_end_matches(['!', '?', ',', ';', '>', '|'])) {
        return true;
    }
    gives(text, value.after)
}

/// Whether a value is the beginning of an error, the variable of the same name, or another one with the name of a secret, that code hands on.
fn is_handed_on(name: &str, value: Value<'_>) -> bool {
    let is_fault = || {
        value.sign == Sign::Colon
            && if value.is_quoted { fault::is_of_form(value.text) } else { fault::begins(value.text, value.after) }
    };
    let is_plain = value.sign == Sign::Equals || value.sign == Sign::Colon;
    is_fault() || is_plain && !value.is_quoted && !value.is_parameter && hands_on(name, value.text, value.after)
}

/// Whether a word has small letters, and no other characters than letters.
fn has_small(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphabetic()) && text.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// Whether a word after `is` only says something: `expired`, `read-only`, `base64-encoded`.
fn is_said(word: &str, text: &str) -> bool {
    let has_capitals = text.bytes().skip(1).any(|byte| byte.is_ascii_uppercase());
    let mut parts = word.split(['-', '_']);
    let is_plain = |part: &str| part.chars().all(char::is_lowercase);
    let is_kept = KEPT.iter().any(|kept| word.ends_with(kept));
    let is_remark = is_remark(word.trim_end_matches(|c: char| c.is_ascii_digit()));
    // `TOO_SHORT`
    let is_code = || is_variable(text) && (word.starts_with("too_") || word.starts_with("not_"));
    is_code()
        || is_method(word)
        || !has_capitals && (is_kept || is_remark || parts.clone().count() <= 2 && parts.all(is_plain))
}

/// Whether the key of an owner that has keys of other kinds, too, is a plain name.
fn is_doubtful(name: &str, text: &str) -> bool {
    let is_plain =
        text.bytes().all(|byte| byte.is_ascii_lowercase() || b".-_:/#*".contains(&byte)) || is_key_of_cache(text);
    (is_plain || is_label(text)) && owner(name).is_some_and(|owner| is_one_of(DOUBTFUL_OWNERS, owner))
}

/// Whether what a token, a secret or credentials have is words, a number or the name of a thing.
fn is_no_token(name: &str, value: Value<'_>, word: &str) -> bool {
    let text = value.text;
    if word.len() < 3 || is_version(word) || is_doubtful(name, text) {
        return true;
    }
    if word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        let is_code = name.ends_with("unlockcode") || name.ends_with("verificationcode");
        return word.len() <= 4 - usize::from(is_code) || word.contains('.');
    }
    if is_own_secret(name, text) {
        return false;
    }
    if name.ends_with("secret") && is_label(text) || is_setting(text) || is_other(name, text) {
        return true;
    }
    let is_in_groups = name.ends_with("setupkey") && text.split(' ').all(is_group);
    if text.contains(' ')
        && !name.ends_with("secret")
        && !is_in_groups
        && !text.split(' ').any(|word| looks_random(word, 6))
    {
        return true;
    }
    let is_plain = word.bytes().all(|byte| byte.is_ascii_lowercase() || b"_-./:".contains(&byte));
    if !is_plain {
        return false;
    }
    let is_single = word.bytes().all(|byte| byte.is_ascii_lowercase());
    let has_capitals = text.bytes().skip(1).any(|byte| byte.is_ascii_uppercase());
    match (has_capitals, is_single) {
        (true, _) => text.split(['_', '-', '.', '/']).all(is_cause),
        (false, true) => {
            (value.sign == Sign::Colon && !value.is_quoted && !name.ends_with("secret") || text.len() <= 3)
                && !value.is_parameter
        }
        (false, false) => word.split(['_', '-', '.', '/', ':']).all(|part| part.len() < 16),
    }
}

/// Whether a name says whose secret it is, and its value does not end like the name of an object that keeps one:
/// `jwtSecret: keyboard-cat-42`, but not `jwtSecret: api-jwt`.
fn is_own_secret(name: &str, text: &str) -> bool {
    let owner = name.strip_suffix("secret").unwrap_or_default();
    let last = text.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-').rsplit(['-', '/', '.', '_']).next();
    let names_thing = last.is_none_or(|last| OBJECTS.split(' ').any(|word| word == last) || owner.ends_with(last));
    let is_chosen = text.matches('-').count() >= 2 || text.bytes().any(|byte| byte.is_ascii_digit());
    is_label(text)
        && is_chosen
        && SECRET_OWNERS.split(' ').any(|known| owner.ends_with(known))
        && !names_thing
        && !text.contains('/')
}

/// Whether `text` gives a setting that is plain: `profile=prod`.
fn is_setting(text: &str) -> bool {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || b"-_".contains(&byte));
    text.split_once('=').is_some_and(|(name, value)| is_word(name) && is_word(value))
}

/// Names that have other values than secrets, too, which are as random as words with digits.
const OF_LONG_VALUES: [&str; 3] = ["kek", "hmac", "connstr"];

/// Whether a value of a name that has secrets and others looks like none, or like an identifier.
fn is_no_opaque(name: &str, value: Value<'_>) -> bool {
    let text = value.text;
    if ["pin", "cvv", "cvc"].iter().any(|digits| name.ends_with(digits)) {
        return false;
    }
    if let Some(opens) = crate::word::shape::opens(name, text) {
        return !opens;
    }
    let is_path = text.contains('/') && text.split('/').all(|part| part.len() < 16) && !text.ends_with('=');
    match name {
        "auth" => {
            let has_mark = || text.contains(['!', '?', '$', '#', '%', '&', '*', '@']);
            let is_secret = looks_random(text, if value.is_parameter { 6 } else { 12 })
                || is_varied(text) && has_mark()
                || text.split_once(':').is_some_and(|(_, password)| is_strong(password));
            !(value.sign == Sign::Equals || value.is_quoted || is_strong(text)) || !is_secret
        }
        _ if name.ends_with("auth") => {
            !(value.sign == Sign::Equals || value.is_quoted || is_strong(text)) || !looks_random(text, 6)
        }
        _ if name.ends_with("seed") && text.contains(' ') => !text.split(' ').all(is_group),
        // `hmac: sha256`, `connStr=host=db1`
        _ if OF_LONG_VALUES.iter().any(|end| name.ends_with(end)) => {
            text.trim_end_matches('=').contains(['=', ' ', ':']) || !is_strong(text) && !is_varied(text)
        }
        // What a service of keys gave, once.
        "plaintext" => !is_strong(text),
        _ if name.ends_with("session") || name.ends_with("sessionid") || name.ends_with("sid") => {
            is_identifier(text) || text.starts_with("S-1-") || text.contains(' ') || !looks_random(text, 6)
        }
        _ if name.len() > "key".len() && name.ends_with("key") && owner(name).is_none() => {
            is_path || !is_key(name, text)
        }
        _ => is_uuid(text) || is_path || text.contains([' ', ':']) && !value.is_parameter || !looks_random(text, 6),
    }
}

/// Whether the value of a key whose owner is not known is one, and no identifier of a thing.
fn is_key(name: &str, text: &str) -> bool {
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let text = text.strip_prefix("base64:").unwrap_or(text);
    is_strong(text)
        && !text.contains([' ', ':'])
        && !is_uuid(text)
        && (!is_hex || HEX_KEYS.split(' ').any(|end| name.ends_with(end)))
}
