//! Secrets in blocks of Terraform's language, which are named before their braces: `variable "db_password" { default = "…" }`. Pure.

use std::ops::Range;

use crate::text::alphabet::WORD;
use crate::text::place::{Place, boundary, run};
use crate::value::extent::quoted;

/// How far a block is followed.
const BLOCK: usize = 1024;

/// What blocks are called that have a value, and the members that it has in them.
const KINDS: [&str; 3] = ["variable", "output", "resource"];
const MEMBERS: [&str; 5] = ["default", "value", "result", "plaintext", "secret_data"];

/// The value in a block whose label names a secret.
pub(crate) fn values(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let mut at = KINDS.iter().find(|kind| rest.starts_with(**kind))?.len();
    let mut secret = None;
    loop {
        at += run(rest.get(at..)?, |byte| byte == b' ');
        if !rest.get(at..)?.starts_with('"') {
            break;
        }
        let label = quoted(&rest[at..], 0, '"');
        let label = rest.get(at + label.start..at + label.end).filter(|label| label.len() < 128)?;
        at += label.len() + 2;
        secret = secret.or_else(|| crate::is_secret_name(label).then_some(label));
    }
    // A form that is rare and that its tools read, too: `variable db_password {`.
    let bare = run(&rest[at..], WORD);
    if secret.is_none() && bare > 0 && rest[at + bare..].starts_with(" {") {
        secret = Some(&rest[at..at + bare]).filter(|label| crate::is_secret_name(label));
        at += bare + 1;
    }
    let label = secret.filter(|_| rest[at..].starts_with('{'))?;
    let body = &rest[at + 1..boundary(rest, at + BLOCK).max(at + 1)];
    let body = &body[..body.find("\n}").unwrap_or(body.len())];
    let mut from = 0;
    while let Some(sign) = body[from..].find('=').map(|sign| from + sign) {
        let is_none_of_a_name = |c: char| !c.is_ascii_alphanumeric() && c != '_';
        let name = body[from..sign].trim_end().rsplit(is_none_of_a_name).next().unwrap_or_default();
        let value = sign + 1 + run(&body[sign + 1..], |byte| byte == b' ');
        from = value;
        if MEMBERS.contains(&name) && body[value..].starts_with('"') {
            let range = quoted(&body[value..], 0, '"');
            let range = value + range.start..value + range.end;
            let begin = place.at + at + 1;
            return crate::is_secret(label, &body[range.clone()]).then(|| begin + range.start..begin + range.end);
        }
    }
    None
}
