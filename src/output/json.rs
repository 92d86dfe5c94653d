//! Lines of JSON without secrets, which stay JSON. Pure.

use std::borrow::Cow;

use redact::Redactor;
use serde::de::IgnoredAny;

/// A line of JSON without secrets, which stays JSON: a secret that its quotation marks and commas divide is left there.
pub fn redacted(line: &str, redactor: &Redactor) -> String {
    let mut texts = String::with_capacity(line.len());
    let (mut rest, mut is_inside) = (line, false);
    while let Some(at) = mark(rest) {
        let text = &rest[..at];
        texts.push_str(&if is_inside { redactor.redact_certain(text) } else { Cow::Borrowed(text) });
        texts.push('"');
        (rest, is_inside) = (&rest[at + 1..], !is_inside);
    }
    texts.push_str(rest);
    let all = redactor.redact_certain(&texts);
    if is_json(&all) { all.into_owned() } else { texts }
}

/// Where the next quotation mark stands that is none of a text.
fn mark(json: &str) -> Option<usize> {
    let mut bytes = json.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Some(at),
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
    None
}

/// Whether a line is an object of JSON.
pub fn is_json(text: &str) -> bool {
    text.starts_with('{') && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_its_secrets_is_still_json() {
        let mut redactor = Redactor::default();
        for secret in ["title disk full", "20261128", "C:\\temp\\x\"y", "Wintergarten"] {
            redactor.add_whole(secret);
        }
        let lines = [
            r#"{"title":"disk full","alerts":20261128}"#,
            r#"{"path":"it is C:\\temp\\x\"y"}"#,
            r#"{"a":"Winter\u0067arten\\","b":["Wintergarten",1],"W\"":"x"}"#,
            r#"{"a":"nothing"}"#,
        ];
        let shown = lines.map(|line| {
            assert!(is_json(line), "{line}");
            let line = redacted(line, &redactor);
            assert!(is_json(&line), "{line}");
            line
        });
        insta::assert_snapshot!(shown.join("\n"), @r#"
        {"title":"disk full","alerts":20261128}
        {"path":"it is C:\\temp\\x\"y"}
        {"a":"****\\","b":["****",1],"W\"":"x"}
        {"a":"nothing"}
        "#);
    }
}
