//! Values in brackets and braces: where they close, and what stands in them. Pure.

use super::sign::Sign;
use crate::text::place::boundary;

/// How far a line is followed.
const LINE: usize = 512;

/// Schemes of passwords in braces, besides those in capitals.
const SCHEMES: &str = "noop plain bcrypt scrypt pbkdf2 argon2 crypt sha256 sha512 md5 SHA-256";

/// Where the brace closes that a value of a connection stands in, as ODBC has it: `PWD={…};`.
pub(super) fn in_braces(text: &str, sign: Sign) -> Option<usize> {
    let line = &text[..boundary(text, LINE)];
    let line = line
        .split('\n')
        .next()
        .filter(|line| sign == Sign::Equals && line.starts_with('{') && !line.starts_with("{{"))?;
    let close = closing(line, '}');
    let is_closed = line.get(close + 1..).is_some_and(|after| after.is_empty() || after.starts_with([';', '"', '\'']));
    (is_closed && close > 1 && !line[1..close].contains(['"', '\'', '=']) && !is_scheme(&line[1..close]))
        .then_some(close)
}

/// Whether a word in braces is the scheme of a password that stands behind: `{SSHA}`, `{noop}`.
pub(super) fn is_scheme(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_uppercase()) || SCHEMES.split(' ').any(|known| known == word)
}

/// Where a bracket closes that opened `line`; two of the same stand for one that is of the value: `{odbc}}x}`.
pub(super) fn closing(line: &str, close: char) -> usize {
    let mut at = 0;
    while let Some(found) = line[at..].find(close).map(|found| at + found) {
        if !(close == '}' && line[found + 1..].starts_with("}") && line[found + 2..].contains('}')) {
            return found;
        }
        at = found + 2;
    }
    line.len()
}

/// Whether a text in braces is the members of a map, and no value.
pub(super) fn is_map(text: &str) -> bool {
    ["\":", "\"=>", "\" =>", "':"].iter().any(|sign| text.contains(sign))
}
