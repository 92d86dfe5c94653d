//! Fields of one record are dropped or hashed; everything else stays as it is, byte for byte. Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use ring::hmac;

use crate::devin::walk::{Refused, Walker};

/// Lists in lists are followed so far; what is deeper goes.
const DEEPEST: usize = 32;

/// What becomes of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is left out.
    Drop,
    /// Its texts become hashes, and what is neither text nor holds any becomes null.
    Hash,
}

/// Fields by name, and what becomes of each.
pub type Fields = BTreeMap<String, Node>;

#[derive(Debug)]
pub enum Node {
    Act(Action),
    /// Only of what is below: in an object, or in each object of a list.
    Below(Fields),
}

/// What is edited in the records of one stream.
#[derive(Debug)]
pub struct Rules {
    pub fields: Fields,
    pub key: Arc<hmac::Key>,
}

impl Rules {
    /// The record without what is to be dropped, and with hashes for what is to be hashed. A record that is no JSON object,
    /// which cannot be, becomes an empty one.
    pub fn edited(&self, record: &str) -> String {
        let mut editor = Editor { text: record, key: &self.key, out: String::with_capacity(record.len()) };
        let walker = Walker::new(record);
        match editor.object(&walker, walker.start(), &self.fields, 0) {
            Ok(_) => editor.out,
            Err(Refused) => "{}".to_string(),
        }
    }
}

/// One record on its way.
struct Editor<'a> {
    text: &'a str,
    key: &'a hmac::Key,
    out: String,
}

impl Editor<'_> {
    /// Writes the object at `at` as `fields` have it, and steps over it.
    fn object(&mut self, walker: &Walker, at: usize, fields: &Fields, depth: usize) -> Result<usize, Refused> {
        self.out.push('{');
        let mut is_first = true;
        let end = walker.object(at, |key, at| {
            let node = fields.get(&*self.name(key.clone()));
            if let Some(Node::Act(Action::Drop)) = node {
                return walker.value(at);
            }
            if !is_first {
                self.out.push(',');
            }
            is_first = false;
            self.out.push_str(&self.text[key.start - 1..=key.end]);
            self.out.push(':');
            match node {
                Some(Node::Below(fields)) => self.value(walker, at, fields, depth),
                Some(Node::Act(_)) => {
                    let end = walker.value(at)?;
                    self.hash(at..end);
                    Ok(end)
                }
                None => {
                    let end = walker.value(at)?;
                    self.out.push_str(&self.text[at..end]);
                    Ok(end)
                }
            }
        })?;
        self.out.push('}');
        Ok(end)
    }

    /// Writes the value at `at` as `fields` have the objects in it, and steps over it.
    fn value(&mut self, walker: &Walker, at: usize, fields: &Fields, depth: usize) -> Result<usize, Refused> {
        match self.text.as_bytes().get(at) {
            Some(b'{') => self.object(walker, at, fields, depth),
            Some(b'[') if depth < DEEPEST => {
                self.out.push('[');
                let mut is_first = true;
                let end = walker.list(at, |at| {
                    if !is_first {
                        self.out.push(',');
                    }
                    is_first = false;
                    self.value(walker, at, fields, depth + 1)
                })?;
                self.out.push(']');
                Ok(end)
            }
            Some(b'[') => {
                self.out.push_str("null");
                walker.value(at)
            }
            _ => {
                let end = walker.value(at)?;
                self.out.push_str(&self.text[at..end]);
                Ok(end)
            }
        }
    }

    /// Writes a value with a hash for each text that is not a field's name, and null for numbers and truth values. It may
    /// be nested as deep as it likes: nothing here calls itself.
    fn hash(&mut self, value: Range<usize>) {
        let bytes = self.text.as_bytes();
        let mut at = value.start;
        while at < value.end {
            let start = at;
            match bytes[at] {
                b'"' => {
                    at = end_of_string(bytes, at);
                    let is_name = bytes[at..value.end].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
                    if is_name {
                        self.out.push_str(&self.text[start..at]);
                    } else {
                        let text = decoded(&self.text[start..at]);
                        self.write_hash(&text);
                    }
                }
                b'{' | b'}' | b'[' | b']' | b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' => {
                    self.out.push(char::from(bytes[at]));
                    at += 1;
                }
                _ => {
                    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
                    at += bytes[at..value.end].iter().take_while(is_part).count().max(1);
                    self.out.push_str("null");
                }
            }
        }
    }

    fn write_hash(&mut self, text: &str) {
        self.out.push('"');
        for byte in hmac::sign(self.key, text.as_bytes()).as_ref() {
            // Writing to a text does not fail.
            let _ = write!(self.out, "{byte:02x}");
        }
        self.out.push('"');
    }

    fn name(&self, key: Range<usize>) -> Cow<'_, str> {
        decoded(&self.text[key.start - 1..=key.end])
    }
}

/// What a string in quotes says; as it is spelled where no text can be made of it, which half a character prevents.
fn decoded(string: &str) -> Cow<'_, str> {
    let inside = &string[1..string.len() - 1];
    if inside.contains('\\') {
        serde_json::from_str(string).map_or(Cow::Borrowed(inside), Cow::Owned)
    } else {
        Cow::Borrowed(inside)
    }
}

/// The place behind the string that begins at `at`.
fn end_of_string(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}
