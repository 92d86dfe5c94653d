//! Compact JSON written straight into one text: no value tree, so a page costs microseconds.
//!
//! Commas come by themselves: a value or a key looks at the byte before it. Non-ASCII text stays as
//! it is and only what JSON demands is escaped, as the real API does it.

use std::fmt::{Display, Write};

/// The JSON text so far.
#[derive(Default)]
pub struct Json {
    text: String,
}

impl Json {
    /// An empty text with room for this many bytes.
    pub fn with_capacity(bytes: usize) -> Json {
        Json { text: String::with_capacity(bytes) }
    }

    /// The finished text.
    pub fn into_text(self) -> String {
        self.text
    }

    /// The name of a field; its value must follow.
    pub fn key(&mut self, name: &'static str) -> &mut Json {
        self.separate();
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str("\":");
        self
    }

    /// A string.
    pub fn text(&mut self, value: &str) {
        self.separate();
        self.text.push('"');
        let mut clean_from = 0;
        for (at, byte) in value.bytes().enumerate() {
            if byte >= b' ' && byte != b'"' && byte != b'\\' {
                continue;
            }
            self.text.push_str(&value[clean_from..at]);
            clean_from = at + 1;
            match byte {
                b'"' => self.text.push_str("\\\""),
                b'\\' => self.text.push_str("\\\\"),
                b'\n' => self.text.push_str("\\n"),
                b'\t' => self.text.push_str("\\t"),
                control => self.push(format_args!("\\u{control:04x}")),
            }
        }
        self.text.push_str(&value[clean_from..]);
        self.text.push('"');
    }

    /// A string, or null.
    pub fn optional_text(&mut self, value: Option<&str>) {
        match value {
            Some(value) => self.text(value),
            None => self.null(),
        }
    }

    /// A string that needs no escaping, from anything that can be displayed.
    pub fn plain(&mut self, value: impl Display) {
        self.separate();
        self.push(format_args!("\"{value}\""));
    }

    /// An identifier: a prefix and 32 hex digits.
    pub fn id(&mut self, prefix: &str, id: u128) {
        self.separate();
        self.text.push('"');
        self.text.push_str(prefix);
        push_hex(&mut self.text, id);
        self.text.push('"');
    }

    /// A number, written as it displays.
    pub fn number(&mut self, value: impl Display) {
        self.separate();
        self.push(format_args!("{value}"));
    }

    /// A number of hundredths as a decimal with both digits: `110` is `1.10`.
    pub fn hundredths(&mut self, value: u64) {
        self.number(format_args!("{}.{:02}", value / 100, value % 100));
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, value: bool) {
        self.number(value);
    }

    /// `null`.
    pub fn null(&mut self) {
        self.separate();
        self.text.push_str("null");
    }

    /// Any value, as it is.
    pub fn value(&mut self, value: &serde_json::Value) {
        self.number(value);
    }

    /// `{` or `[`.
    pub fn open(&mut self, bracket: char) {
        self.separate();
        self.text.push(bracket);
    }

    /// `}` or `]`.
    pub fn close(&mut self, bracket: char) {
        self.text.push(bracket);
    }

    fn separate(&mut self) {
        if !matches!(self.text.as_bytes().last(), None | Some(b'{' | b'[' | b':')) {
            self.text.push(',');
        }
    }

    fn push(&mut self, arguments: std::fmt::Arguments<'_>) {
        self.text.write_fmt(arguments).expect("a String takes all that is written");
    }
}

/// Adds the 32 hex digits of an identifier.
pub fn push_hex(text: &mut String, id: u128) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in id.to_be_bytes() {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_and_escapes_come_by_themselves() {
        let mut json = Json::default();
        json.open('{');
        json.key("text").text("\"a\" \\ b\n\t\u{1b}\u{2028}ä🚀");
        json.key("list").open('[');
        json.text("");
        json.null();
        json.boolean(true);
        json.hundredths(110);
        json.id("note-", 0xab);
        json.close(']');
        json.key("empty").open('{');
        json.close('}');
        json.key("next").number(7);
        json.close('}');
        let text = json.into_text();
        insta::assert_snapshot!(text.replace('\u{2028}', "<2028>"), @r#"{"text":"\"a\" \\ b\n\t\u001b<2028>ä🚀","list":["",null,true,1.10,"note-000000000000000000000000000000ab"],"empty":{},"next":7}"#);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["text"], "\"a\" \\ b\n\t\u{1b}\u{2028}ä🚀");
    }
}
