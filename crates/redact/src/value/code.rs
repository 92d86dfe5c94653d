//! Code that gives a value: calls, members and items of maps. Pure.

use super::generated::is_word;
use crate::text::alphabet::DOTTED;
use crate::text::place::run;
use crate::word::names::{Kind, Name, fetches, signs_in};
use crate::word::random::{is_strong, is_varied};

/// Words with which paths of code begin, and how the names of the kinds of resources do that Terraform knows.
const ROOTS: &str = "var local module data each self this settings config secrets env process os req request ctx context args opts options \
    props params values vars terraform";
const PROVIDERS: [&str; 9] =
    ["aws_", "google_", "azurerm_", "random_", "vault_", "kubernetes_", "tls_", "digitalocean_", "helm_"];

/// The longest number at the end of a word of a path.
const LONGEST_NUMBER: usize = 3;

/// Whether `text` is a member of what code knows, also with numbers in its names: `var.db_password1`, `process.env.DB1_PW`.
pub(super) fn is_member(text: &str) -> bool {
    let is_one = |word: &str| {
        let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
        word.len() - letters.len() <= LONGEST_NUMBER && (letters.is_empty() || is_word(letters))
    };
    let Some((root, path)) = text.split_once('.') else { return false };
    let is_root = ROOTS.split_ascii_whitespace().any(|known| known == root);
    let is_kind = || PROVIDERS.iter().any(|begin| root.starts_with(begin)) && path.contains('.');
    let is_name =
        |name: &str| name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.split('_').all(is_one);
    (is_root || is_kind()) && !is_strong(path) && path.split('.').all(is_name)
}

/// Whether `text` is code that gives a value and holds none: `getToken()`, `self.password`, `os.environ["X"]`, `vault.read('app')`.
pub(super) fn gives(text: &str, after: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_' || byte == b':' || byte == b'.')
    };
    // `SET password = b.password FROM b WHERE …`, `SET password = (SELECT …)`
    let is_column = || is_name(text) && (text.contains('.') || text == "DEFAULT");
    if [" WHERE ", " FROM "].iter().any(|word| after.starts_with(word)) && is_column() || text.starts_with("SELECT ") {
        return true;
    }
    let length = run(text, |byte| byte.is_ascii_alphanumeric() || b"_.:".contains(&byte));
    // `req.headers.authorization?.split(`
    if let Some((path, call)) = text.split_once("?.").filter(|(path, _)| path.len() == length && is_name(path)) {
        return gives(&[path, ".", call].concat(), after);
    }
    let path = text[..length].trim_matches(['.', ':']);
    let opens = text[length..].chars().next().or_else(|| after.chars().next());
    let goes_on = text.contains([')', ']'])
        && text.rsplit([')', ']']).next().is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()));
    // `TBURa[Hyx49wQ` is a password: nothing closes the bracket, or what stands in it is no index.
    let close = if opens == Some('(') { ')' } else { ']' };
    let is_index = |inner: &str| inner.bytes().all(|byte| DOTTED(byte) || b"$+*:@,/= ".contains(&byte));
    let is_unclosed = || {
        let inner = text.get(length + 1..).unwrap_or_default();
        !inner.is_empty()
            && !inner.contains(['"', '\''])
            && (!inner.contains(close) && !after.contains(close) && text.bytes().any(|byte| byte.is_ascii_digit())
                || opens == Some('[') && !is_index(inner.split(']').next().unwrap_or_default()))
    };
    let is_call = opens.is_some_and(|c| "([".contains(c))
        && !is_unclosed()
        && !goes_on
        && !is_strong(path)
        && path
            .split(['.', ':'])
            .all(|part| part.is_empty() || part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'));
    let is_access =
        length == text.len() && is_name(path) && path.contains('.') && path.split('.').all(|part| part.len() > 1);
    // What signs in is looked at by itself, and what names a secret that is fetched holds none.
    let inner = &text[length..];
    let names = || {
        let name = inner.trim_matches(|c: char| "([\"')]".contains(c));
        !is_strong(name) && !is_varied(name) && name.bytes().all(|byte| DOTTED(byte) || b" :/".contains(&byte))
    };
    let is_open =
        || !inner.contains(['"', '\'']) || signs_in(path) || (inner.starts_with('[') || fetches(path)) && names();
    length > 0 && (is_call && path.len() > 1 && is_open() || is_access || length == text.len() && is_member(path))
}

/// Whether `text` is a variable that code hands on as the argument called `name`: `Client(api_key=api_key, timeout=30)`,
/// `Client(api_key=PAY_API_KEY)`.
pub(super) fn hands_on(name: &str, text: &str, after: &str) -> bool {
    let is_variable = text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let same = || text.bytes().filter(|byte| *byte != b'_').map(|byte| byte.to_ascii_lowercase()).eq(name.bytes());
    let line = after.split('\n').next().unwrap_or_default();
    let is_last = line.starts_with(')') || line.starts_with(',') && line.contains(')');
    let is_of_secret = || {
        let is_made = text.contains('_') || text.bytes().skip(1).any(|byte| byte.is_ascii_uppercase());
        is_made && is_last && Name::of(text).is_some_and(|name| name.kind >= Kind::Token && !name.is_plural)
    };
    is_variable && line.starts_with([',', ')', '}', ';']) && (same() || is_of_secret())
}
