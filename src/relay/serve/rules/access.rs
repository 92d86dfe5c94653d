//! Who may see and who may act, as a rules file says it. Pure.

use super::node::Value;
use super::section::{Elsewhere, Place, Reader};
use super::sources::{FORM, secret};
use crate::relay::serve::access::{Access, AccessToken};

pub const KEYS: [&str; 3] = ["read_token", "admin_token", "hosts"];
pub const TOKEN: [&str; 2] = ["name", "token"];

const ELSEWHERE: [Elsewhere; 4] = [
    ("token", "write read_token or admin_token"),
    ("read", "write read_token"),
    ("admin", "write admin_token"),
    ("allowed_hosts", "write hosts"),
];

/// Reads `access`.
pub fn access<'a>(place: &Place<'a>, reader: &mut Reader<'a>) -> Access {
    let Some(section) = reader.section(place, &KEYS, &ELSEWHERE) else { return Access::default() };
    let mut tokens = |name: &str| section.get(name, reader).map(|place| tokens(name, &place, reader));
    let read = tokens("read_token").unwrap_or_default();
    let admin = tokens("admin_token").unwrap_or_default();
    if section.names().next().is_none() {
        reader.problem(place, format!("is empty: give read_token or admin_token, each {FORM}"));
    }
    if let (Some(token), Some(place)) = (
        admin.iter().find(|token| read.iter().any(|other| other.secret == token.secret)),
        section.get("admin_token", reader),
    ) {
        reader.problem(&place, format!("has the same token as read_token ({}): who may read could act", token.name));
    }
    let hosts = section.get("hosts", reader);
    let hosts = hosts.map(|place| reader.each(&place, host)).unwrap_or_default();
    Access { read, admin, hosts }
}

/// One token, or a list of them, each with a name or without.
fn tokens<'a>(kind: &str, place: &Place<'a>, reader: &mut Reader<'a>) -> Vec<AccessToken> {
    let items = reader.items(place);
    if items.is_empty() {
        reader.problem(place, format!("is an empty list: give {FORM}"));
    }
    let mut tokens: Vec<AccessToken> = Vec::new();
    for (number, item) in (1..).zip(&items) {
        let is_named = matches!(&item.node.value, Value::Map(entries) if entries.iter().any(|(key, ..)| TOKEN.contains(&key.as_str())));
        let (name, found) = if is_named {
            let Some(section) = reader.section(item, &TOKEN, &[]) else { continue };
            let name = section.required("name", "whose token it is, such as name: ops", reader);
            let name = name.and_then(|place| reader.checked(&place, label));
            let found = section.required("token", FORM, reader).and_then(|place| secret(&place, reader));
            (name, found)
        } else {
            let name = if items.len() == 1 { kind.to_string() } else { format!("{kind} {number}") };
            (Some(name), secret(item, reader))
        };
        let (Some(name), Some(secret)) = (name, found) else { continue };
        if tokens.iter().any(|token| token.name == name) {
            reader.problem(item, format!("has the name {name:?}, as another one does"));
        }
        tokens.push(AccessToken { name, secret });
    }
    tokens
}

fn label(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_. @".contains(c);
    if !text.is_empty() && text.len() <= 64 && text.chars().all(is_plain) {
        Ok(text.to_string())
    } else {
        Err("must be at most 64 letters, digits, spaces, and -_.@".to_string())
    }
}

fn host(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let name = text.trim_end_matches('.').to_ascii_lowercase();
    if !name.is_empty() && name.len() <= 253 && name.chars().all(is_plain) {
        Ok(name)
    } else {
        Err("must be the name of a host, such as relay.example.com, without scheme, port and path".to_string())
    }
}
