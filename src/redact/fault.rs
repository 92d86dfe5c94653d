//! What an error, a monitor or a form says behind the name of a secret and a colon: `failed to load private key: open /etc/…`. Pure.

/// Calls of a system that a path follows.
const CALLS: &str = "open stat lstat read write unlink rename mkdir exec dial";

/// Formats and protocols of which more is said.
const FORMATS: &str =
    "PEM PKCS1 PKCS8 PKCS12 DER ASN1 RSA AES LDAP HTTP HTTPS TLS SSL SMTP SAML OIDC SSO DNS TCP JSON YAML";

/// What a monitor measures.
const MEASURED: &str = "latency p50 p90 p95 p99 SLO SLI step errors availability uptime";

/// Names of errors of systems.
const ERRNO: &str = "ENOENT EACCES EPERM EOF EPIPE ECONNREFUSED ECONNRESET ECONNABORTED ETIMEDOUT ENOTFOUND EHOSTUNREACH ENETUNREACH EAI_AGAIN \
    EINVAL EIO ENOSPC EISDIR ENOTDIR EBUSY EADDRINUSE EMFILE Throttled Throttling";

/// How codes of errors begin that have a number.
const CODES: [&str; 8] = ["ORA-", "TNS-", "AADSTS", "SQL-", "SQLSTATE", "LDAP-", "HTTP-", "JNDI-"];

/// Whether a word behind a colon is the beginning of an error, or what a monitor tells.
pub(super) fn begins(text: &str, after: &str) -> bool {
    let is_in = |table: &str| table.split_ascii_whitespace().any(|known| known == text);
    let next = after.strip_prefix(' ').unwrap_or_default();
    let is_word = next.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '>');
    let is_kind = || {
        text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'.')
            && ["Exception", "Error"].iter().any(|end| text.ends_with(end) && text.len() > end.len() + 1)
    };
    let is_code = || {
        let number = CODES.iter().find_map(|begin| text.strip_prefix(begin));
        number.is_some_and(|number| number.len() > 2 && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    // `Failed password: root (214), admin (98)`
    let is_counted = || {
        let count = next.strip_prefix('(').and_then(|count| count.split_once(')')).map(|(count, _)| count);
        count.is_some_and(|count| !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit()))
    };
    is_in(CALLS) && next.starts_with('/')
        || (is_in(FORMATS) || is_in(MEASURED)) && is_word
        || is_in(ERRNO)
        || is_kind()
        || is_code()
        || is_counted()
}

/// What stands before the word for a password where a name of a user is as wrong.
const USER_OR: [&str; 7] =
    ["username or ", "username/", "username and ", "user or ", "user name or ", "login or ", "email or "];

/// Whether the user follows who is refused, and no password: `invalid username or password: jo@example.com`.
pub(super) fn tells_user(before: &str, text: &str) -> bool {
    let word = text.split(|c: char| c.is_whitespace() || ",;()".contains(c)).next().unwrap_or_default();
    let is_plain =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || b"._-".contains(&byte));
    let is_user = match word.split_once('@') {
        Some((user, host)) => is_plain(user) && host.contains('.') && is_plain(host),
        None => is_plain(word) && word.contains(['.', '_', '-']),
    };
    is_user && USER_OR.iter().any(|known| before.to_ascii_lowercase().ends_with(known))
}

/// Whether a quoted text is what a form says of its field: `This field is required.`
pub(super) fn is_of_form(text: &str) -> bool {
    ["This field ", "This value ", "Field ", "This password "].iter().any(|begin| text.starts_with(begin))
        && text.ends_with('.')
}
