//! Where secrets are: in the environment or in a file, never in the rules file. Pure: whoever calls looks them up.

use super::node::Value;
use super::section::{Place, Reader};
use crate::relay::masks::{self, is_name_of_variable};
use crate::relay::serve::secret::Secret;
use redact::is_of_words;

/// A secret that is shorter is told of.
const SHORT: usize = 16;

/// The largest file that can hold a secret, in bytes.
const LARGEST: usize = 64 * 1024;

/// How a secret is given.
pub const FORM: &str = "{env: NAME} or {file: PATH}";

/// One secret or several, of which each is in the environment or in a file.
pub fn secrets<'a>(place: &Place<'a>, reader: &mut Reader<'a>) -> Vec<Secret> {
    let items = reader.items(place);
    if items.is_empty() {
        reader.problem(place, format!("is an empty list: give {FORM}"));
    }
    items.iter().filter_map(|item| secret(item, reader)).collect()
}

/// One secret.
pub fn secret<'a>(place: &Place<'a>, reader: &mut Reader<'a>) -> Option<Secret> {
    let bytes = bytes(place, reader)?;
    checked(place, &bytes, reader)
}

/// Secrets that are only masked, one on each line of what is in the environment or in a file.
pub fn masked<'a>(place: &Place<'a>, reader: &mut Reader<'a>) -> Vec<Secret> {
    let items = reader.items(place);
    if items.is_empty() {
        reader.problem(place, format!("is an empty list: give {FORM}"));
    }
    let mut secrets = Vec::new();
    for item in items {
        let Some(bytes) = bytes(&item, reader) else { continue };
        match masks::masks(&bytes) {
            Ok(masks) => {
                masks.warnings.iter().for_each(|warning| reader.warning(&item, warning));
                masks.secrets.iter().for_each(|secret| reader.redactor.add_whole(secret));
                secrets.extend(masks.secrets.into_iter().map(Secret::new));
            }
            Err(problem) => reader.problem(&item, problem),
        }
    }
    secrets
}

/// What a place leads to, before it is known to be one secret.
fn bytes<'a>(place: &Place<'a>, reader: &mut Reader<'a>) -> Option<Vec<u8>> {
    match &place.node.value {
        Value::Map(entries) => match entries.as_slice() {
            [(key, _, node)] if key == "env" => match &node.value {
                Value::Text(name) => variable(place, name, reader),
                _ => {
                    reader.problem(place, "needs the name of an environment variable after env");
                    None
                }
            },
            [(key, _, node)] if key == "file" => match &node.value {
                Value::Text(path) => file(place, path, reader),
                _ => {
                    reader.problem(place, "needs the path of a file after file");
                    None
                }
            },
            _ => {
                reader.problem(place, format!("must be {FORM}, with one of the two and nothing else"));
                None
            }
        },
        Value::Null => {
            reader.problem(place, format!("is empty: give {FORM}"));
            None
        }
        Value::List(_) => {
            reader.problem(place, format!("is a list in a list: give {FORM}"));
            None
        }
        Value::Text(_) | Value::Number(_) | Value::Decimal(_) | Value::Bool(_) => {
            reader.problem(
                place,
                format!(
                    "holds the secret itself, which does not belong in this file: put it into an environment variable or a file, write {FORM} here, and replace the secret if others could read this file"
                ),
            );
            None
        }
    }
}

fn variable(place: &Place, name: &str, reader: &mut Reader) -> Option<Vec<u8>> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(is_name) {
        reader.problem(
            place,
            "must name an environment variable after env (letters, digits and _), not hold the secret itself",
        );
        return None;
    }
    let value = reader.surroundings.variable(name);
    if value.is_none() {
        let problem = match is_name_of_variable(name) {
            true => format!("names the environment variable {name}, which is not set"),
            false => {
                "names an environment variable that is not set; it must be a name, not the secret itself".to_string()
            }
        };
        reader.absent(place, problem);
    }
    value.map(String::into_bytes)
}

fn file(place: &Place, path: &str, reader: &mut Reader) -> Option<Vec<u8>> {
    match reader.surroundings.file(path) {
        Ok(bytes) if bytes.len() <= LARGEST => Some(bytes),
        Ok(_) => {
            reader.problem(place, "names a file that is too large to hold a secret");
            None
        }
        Err(kind) => {
            reader.unreadable(place, kind);
            None
        }
    }
}

/// A secret without the white space around it, which editors and shells add.
fn checked(place: &Place, bytes: &[u8], reader: &mut Reader) -> Option<Secret> {
    let bytes = bytes.trim_ascii();
    if bytes.is_empty() {
        reader.problem(place, "leads to an empty secret");
        return None;
    }
    if bytes.iter().any(u8::is_ascii_control) {
        reader.problem(place, "leads to a secret of several lines, or with control characters: it must be one line");
        return None;
    }
    let text = std::str::from_utf8(bytes).ok();
    if text.is_some_and(is_of_words) {
        reader.warning(
            place,
            "leads to a secret that is made of words, which can be guessed; where an alert has these words, **** stands for them",
        );
    } else if bytes.len() < SHORT {
        reader.warning(place, format!("leads to a secret of fewer than {SHORT} characters, which can be guessed"));
    }
    if let Some(text) = text {
        reader.redactor.add(text);
    }
    Some(Secret::new(bytes))
}
