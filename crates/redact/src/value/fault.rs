//! What stands behind the name of a secret where a fault is told: the error, a figure of the page that is called so, the user who was
//! refused, what a form says; and whether a sentence refuses a credential. Pure.

use super::certain::is_of_token;
use crate::text::place::{Place, boundary, run};
use crate::word::names::{Kind, Name};
use crate::word::predicate::is_state;
use crate::word::shape::{is_label, is_uuid};

/// How far behind a value the next word is looked at.
const NEAR: usize = 64;

/// How a sentence begins whose verb failed.
const FAILING: [&str; 9] =
    ["failed to ", "failure to ", "unable to ", "could not ", "couldn't ", "cannot ", "can not ", "can't ", "error "];

/// Words between such a verb and a name that is not what the verb failed at: `cannot log in with password: …`.
const JOINING: &str = "with using use as by in into for at on via user";

/// Words before a name that say that what was given is refused.
const REFUSING: &str = "invalid bad wrong incorrect unknown failed expired rejected";

/// Words before a name that make it that of a page or of a step.
const PAGES: &str = "reset change forgot forgotten update set check test step";

/// What a program calls of its system: the name begins the error.
const CALLS: &str = "open stat lstat read write mkdir remove rename chmod chown unlink exec dial lookup access create";

/// What begins the argument of such a call.
const ARGUMENTS: [&str; 9] = [" /", " ./", " ../", " ~/", " C:\\", " \\\\", " tcp ", " udp ", " unix "];

/// Formats and protocols of which more is said.
const FORMATS: &str =
    "PEM PKCS1 PKCS8 PKCS12 DER ASN1 RSA AES HSM KMS LDAP HTTP HTTPS TLS SSL SMTP SAML OIDC SSO DNS TCP JSON YAML";

/// Names of errors of systems.
const ERRNO: &str = "ENOENT EACCES EPERM EOF EPIPE ECONNREFUSED ECONNRESET ECONNABORTED ETIMEDOUT ENOTFOUND EHOSTUNREACH ENETUNREACH \
    EAI_AGAIN EINVAL EIO ENOSPC EISDIR ENOTDIR EBUSY EADDRINUSE EMFILE Throttled Throttling";

/// How codes of errors begin that have a number.
const CODES: [&str; 9] = ["RFC", "ORA-", "TNS-", "AADSTS", "SQL-", "SQLSTATE", "LDAP-", "HTTP-", "JNDI-"];

/// What plugins of monitoring say at first.
const STATUSES: [&str; 4] = ["OK", "WARNING", "CRITICAL", "UNKNOWN"];

/// What is measured of a page, of which words or figures follow; and what is counted there, of which only figures do.
const MEASURED: &str = "latency SLO SLI step errors availability uptime";
const COUNTED: &str = "error duration apdex saturation throughput requests failures timeouts checks rate success status code response \
    slo http";

/// How far before a token its owner is looked for.
const OWNER: usize = 24;

/// Words too short for a secret, before what is no part of one: `kid 2026-11-a`, `im Tresor`.
const LEADING: &str = "kid im";

/// The longest code of an error, and the most digits at its end.
const LONGEST_CODE: usize = 16;
const MOST_DIGITS: usize = 6;

/// What has a password besides a user: `invalid username or password`.
const USERS: [&str; 7] = ["username", "user name", "user", "login", "email", "e-mail", "account"];
const JOINTS: [&str; 5] = [" or", " and", "/", " or/and", " &"];

/// What is said behind a credential that opens nothing any more; the first words say it of everything that opens, and of nothing that
/// identifies.
const REVOKED: &str = "rejected revoked leaked";
const REFUSED: &str =
    "rejected revoked leaked invalid expired denied refused unknown exposed compromised unauthorized over";
const BEING: [&str; 6] = [" has been ", " has ", " was ", " is ", " got ", " is not "];

/// What a program says of a request that it refuses.
const FACTS: &str = "user username uid account client server host node source src ip rhost tty realm device namespace tenant attempts status iss aud reason name";

/// Tokens that name something, and open nothing.
const NAMING: &str = "continuation page paging pagination sync request fencing idempotency dedup dedupe cache cached next cursor lease \
    trace correlation resume partition row stream change delta watch lock bucket client design csrf xsrf unexpected";

/// Whether what follows a credential says that it was refused: ` rejected by …`, ` has been revoked`.
pub(crate) fn is_refused(after: &str) -> bool {
    is_said(REFUSED, after)
}

fn is_said(table: &str, after: &str) -> bool {
    let after = after.trim_start_matches(['"', '\'', '`']);
    let told = BEING.iter().find_map(|being| after.strip_prefix(being)).or_else(|| after.strip_prefix(' '));
    told.is_some_and(|told| is_in(table, &told[..run(told, |byte| byte.is_ascii_lowercase())]))
}

/// Whether hexadecimal digits or a UUID behind a name open something, because a sentence revokes them, or refuses digits that it calls
/// a token: `encryption key … leaked`, `token … expired`, `invalid token …`.
pub(crate) fn is_refused_token(named: &Name, place: Place<'_>, word: &str, after: &str) -> bool {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(OWNER))..place.at];
    let owner = before.trim_end_matches([' ', '-', '_']).rsplit(|c: char| !c.is_ascii_alphanumeric()).next();
    let owner = owner.unwrap_or_default().to_ascii_lowercase();
    let is_token = named.core == "token";
    let is_refused = || (is_token || named.core == "secret") && (is_refused(after) || is_in(REFUSED, &owner));
    named.kind >= Kind::Token
        && is_of_token(word)
        && !(is_token && is_in(NAMING, &owner))
        && (is_said(REVOKED, after) || !is_uuid(word) && is_refused())
}

/// Whether a word behind a colon is an error, the beginning of one, or what a monitor tells, whatever stands before it.
pub(crate) fn begins(text: &str, after: &str) -> bool {
    let next = after.strip_prefix(' ').unwrap_or_default();
    let goes_on = || next.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '>');
    is_in(CALLS, text) && ARGUMENTS.iter().any(|argument| after.starts_with(argument))
        || (is_in(FORMATS, text) || is_in(MEASURED, text) || is_share(text)) && goes_on()
        || is_in(ERRNO, text)
        || is_kind(text)
        || is_of_status(text) && next.starts_with(|c: char| c.is_ascii_digit())
        || CODES
            .iter()
            .any(|begin| text.strip_prefix(begin).is_some_and(|number| number.len() > 2 && is_number(number)))
        || is_counted(after)
        || STATUSES.contains(&text) && after.starts_with(" - ")
        || text.len() == 3 && text.starts_with('2') && is_number(text) && after.starts_with(" OK")
}

/// Whether the name of an error is told: `NullPointerException`, `java.io.IOException`.
fn is_kind(text: &str) -> bool {
    let name = text.rsplit(['.', '$']).next().unwrap_or_default();
    ["Exception", "Error"].iter().any(|end| name.len() > end.len() && name.ends_with(end))
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && text.bytes().all(|byte| byte.is_ascii_alphabetic() || b".$".contains(&byte))
}

/// Whether a word is the name of a status, the number of which follows: `HttpStatusCode 401`.
fn is_of_status(text: &str) -> bool {
    ["Code", "Status"].iter().any(|end| text.ends_with(end)) && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Whether how often something happened follows: `root (214)`.
fn is_counted(after: &str) -> bool {
    let count = after.strip_prefix(" (").and_then(|count| count.split_once(')'));
    count.is_some_and(|(count, _)| is_number(count))
}

/// Whether a quoted text is what a form says of its field, or a schema: `This field is required.`, `string`.
pub(crate) fn is_of_form(text: &str) -> bool {
    ["This field ", "This value ", "This password ", "Field ", "Ensure this "]
        .iter()
        .any(|begin| text.starts_with(begin))
        && text.ends_with('.')
        || text == "string"
}

/// Whether `value`, which follows a name and a colon, is what a sentence tells; `before` is its line up to the name.
pub(crate) fn tells(before: &str, value: &str, after: &str) -> bool {
    let clause = before.rsplit([':', ';', ',', '(']).next().unwrap_or_default().to_ascii_lowercase();
    let near = &after[..boundary(after, NEAR)];
    is_error(&clause, value)
        || is_figure(&clause, value, near)
        || is_user(&clause, value)
        || is_fact(&clause, value, near)
}

/// Whether a value is a name with what is known of who was refused: `Invalid password: user=anna`, `Invalid password : server = 10.1.1.20`.
fn is_fact(clause: &str, value: &str, near: &str) -> bool {
    let (name, told) = value.split_once('=').unwrap_or((value, near.strip_prefix(" = ").unwrap_or_default()));
    let letters = name.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let is_name = name.len() > 1 && letters.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let is_refused = || has_word(clause, REFUSING) || has_word(clause, "missing");
    let is_told = told.starts_with(|c: char| c.is_ascii_alphanumeric() || "/\"'<".contains(c));
    is_name && is_told && (is_in(FACTS, &name.to_ascii_lowercase()) || is_refused()) || is_setting(value)
}

/// Whether a value is an error by what stands before it: a state in capitals, after `failed to` also `ORA-28003` and any state.
fn is_error(clause: &str, value: &str) -> bool {
    let is_state = || is_state(&value.to_ascii_lowercase());
    let is_locked = || value.bytes().all(|byte| byte.is_ascii_uppercase()) && is_state();
    is_locked() || is_failing(clause) && (is_code(value) || is_state())
}

fn is_failing(clause: &str) -> bool {
    let governs = |told: &str| !has_word(told, JOINING);
    FAILING.iter().any(|begin| clause.split_once(begin).is_some_and(|(_, told)| governs(told)))
}

/// Whether a word is the code of an error, or the short name of a thing: `EOF`, `AADSTS50173`, `ORA-28003`, `PKCS8`.
fn is_code(word: &str) -> bool {
    let digits = word.len() - word.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let letters = word[..word.len() - digits].trim_end_matches(['-', '_']);
    word.len() <= LONGEST_CODE
        && digits <= MOST_DIGITS
        && letters.len() >= 2
        && letters.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

/// Whether a value begins a figure, or what is wrong with a page: `HTTP 500`, `p99 4.2s`, `SLO burn rate`.
fn is_figure(clause: &str, value: &str, near: &str) -> bool {
    let next = near.strip_prefix(' ').unwrap_or_default();
    let has_number = next.starts_with(|c: char| c.is_ascii_digit() || "<>=≥≤~".contains(c))
        || is_share(next.split(' ').next().unwrap_or_default());
    let is_measure = || {
        let measure = value.to_ascii_lowercase();
        is_in(MEASURED, &measure) || is_in(COUNTED, &measure)
    };
    let word = run(next, |byte| byte.is_ascii_lowercase());
    let goes_on = word > 2 && !next[word..].starts_with(|c: char| c.is_ascii_alphanumeric());
    let is_short = || (2..=6).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_of_page = || has_word(clause, PAGES) || has_word(clause, REFUSING);
    has_number && (is_measure() || is_share(value)) || goes_on && is_short() && is_of_page() || is_in(LEADING, value)
}

/// Whether a value is the user whose password was refused: in `invalid username or password: jo`, or an address of mail.
fn is_user(clause: &str, value: &str) -> bool {
    if !has_word(clause, REFUSING) {
        return false;
    }
    let is_plain =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || b"._-".contains(&byte));
    let is_realm = |host: &str| !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'.');
    let is_mail = || {
        value
            .split_once('@')
            .is_some_and(|(user, host)| is_plain(user) && (is_plain(host) && host.contains('.') || is_realm(host)))
    };
    let is_of_both = || {
        let told = clause.trim_end_matches(" the ").trim_end();
        let user = JOINTS.iter().find_map(|joint| told.strip_suffix(joint)).map(str::trim_end);
        user.is_some_and(|user| USERS.iter().any(|known| user.ends_with(known)))
    };
    let is_account = || clause.trim_end().ends_with("expired") && (value.contains('_') || is_label(value));
    is_mail() || is_plain(value) && (is_of_both() || is_account())
}

/// Whether a value is the name of a setting that is lacking: `missing api key: OPENAI_API_KEY`.
fn is_setting(value: &str) -> bool {
    let is_shouted = value.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    is_shouted && ["_KEY", "_TOKEN", "_SECRET", "_PASSWORD"].iter().any(|end| value.ends_with(end))
}

/// Whether a share of what is measured is told: `p99`.
fn is_share(word: &str) -> bool {
    word.strip_prefix('p').is_some_and(|of| (2..=3).contains(&of.len()) && is_number(of))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn has_word(text: &str, table: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| is_in(table, word))
}

fn is_in(table: &str, word: &str) -> bool {
    table.split_ascii_whitespace().any(|known| known == word)
}
