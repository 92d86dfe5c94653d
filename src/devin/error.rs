//! What can go wrong between us and the API: a status or a broken answer becomes a kind, a kind says whether
//! asking again can help. Knows no stream and gives no advice.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::page::Invalid;
use super::token::Token;
use redact::redact;

/// An explanation longer than this, in characters, is cut: it is a hint, not a page.
const EXPLANATION_LENGTH: usize = 300;

/// From here on the number of seconds says nothing to anybody.
const A_YEAR_S: u64 = 366 * 86_400;

/// A request that did not succeed, however often it was tried.
#[derive(Debug, Clone)]
pub struct Error {
    pub kind: Kind,
    /// The endpoint's path, percent-encoded as it was asked, without the query.
    pub path: String,
    /// What the server said about it, in plain text; `None` when it said nothing usable.
    pub explanation: Option<String>,
    /// How often the request was made; 0 when it never left.
    pub tries: u32,
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// An HTTP status other than 200, where 200 is the only one that answers the request.
    Status(u16),
    /// The server asked for a longer wait than this program is ready for.
    WaitTooLong { status: u16, wait: Duration },
    /// No connection: name not found, refused, TLS failed.
    Unreachable(String),
    /// No connection, and no other try will make one: a certificate that is not trusted, a proxy that asks for a password.
    Barred(String),
    /// Connected, but the answer stayed away or stopped for this long.
    Silent(Duration),
    /// The time for one request, all its tries together, was used up.
    TimeUp(Duration),
    /// The connection broke before the answer was complete, or the answer could not be decoded.
    Broken(String),
    /// A complete answer that cannot be what the API means.
    Invalid(Invalid),
    /// The request could not be made, for instance because the key holds characters no header can carry.
    Unaskable(String),
}

impl Kind {
    /// Whether the same request can succeed later. Enumerates what can; everything else is final at once.
    pub fn is_retryable(&self) -> bool {
        match self {
            // Another success than 200 brings nothing to read, like a 200 with an unusable body.
            Kind::Status(status) => matches!(status, 201..=299 | 408 | 429 | 500..=599),
            Kind::Invalid(Invalid::TooLarge { .. }) => false,
            Kind::Unreachable(_) | Kind::Silent(_) | Kind::Broken(_) | Kind::Invalid(_) => true,
            Kind::WaitTooLong { .. } | Kind::TimeUp(_) | Kind::Barred(_) | Kind::Unaskable(_) => false,
        }
    }

    /// The HTTP status, when the server gave one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Kind::Status(status) | Kind::WaitTooLong { status, .. } => Some(*status),
            Kind::Invalid(_) => Some(200),
            _ => None,
        }
    }

    /// Whether nobody answered at all, so that asking something else of the same server is pointless.
    pub fn is_out_of_reach(&self) -> bool {
        match self {
            Kind::Status(_) | Kind::WaitTooLong { .. } | Kind::Invalid(_) => false,
            Kind::Unreachable(_) | Kind::Barred(_) | Kind::Silent(_) | Kind::TimeUp(_) => true,
            Kind::Broken(_) | Kind::Unaskable(_) => true,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Status(status) => {
                let name = reqwest::StatusCode::from_u16(*status).ok().and_then(|code| code.canonical_reason());
                match name {
                    Some(name) => write!(formatter, "answered {status} ({name})"),
                    None => write!(formatter, "answered {status}"),
                }
            }
            Kind::WaitTooLong { status, wait } => {
                let wait = wait.as_secs();
                let wait = if wait < A_YEAR_S { format!("{wait} s") } else { "for years".to_string() };
                write!(formatter, "answered {status} and asks to wait {wait} (Retry-After)")
            }
            Kind::Unreachable(reason) | Kind::Barred(reason) => write!(formatter, "could not be reached: {reason}"),
            Kind::Silent(wait) => write!(formatter, "sent nothing for {} s", wait.as_secs_f32().ceil()),
            Kind::TimeUp(budget) => write!(formatter, "did not succeed within {} s", budget.as_secs_f32().ceil()),
            Kind::Broken(reason) => write!(formatter, "broke off its answer: {reason}"),
            Kind::Invalid(invalid) => write!(formatter, "answered 200 with an unusable body: {invalid}"),
            Kind::Unaskable(reason) => write!(formatter, "could not be asked: {reason}"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.path, self.kind)?;
        if let Some(explanation) = &self.explanation {
            write!(formatter, ", saying \"{explanation}\"")?;
        }
        if self.tries > 1 {
            write!(formatter, " (tried {} times)", self.tries)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// Reads the explanation out of an error body: problem+json (`title`, `detail`, `errors`) or `{"detail": …}`,
/// where `detail` may be a string, a list of `{loc, msg}`, or null; else `message` or `error`, which something between here
/// and the API may say, or one line of plain text.
///
/// `None` when the body is none of these, says nothing, or quotes the key.
pub fn explanation(body: &[u8], token: &Token) -> Option<String> {
    #[derive(Deserialize)]
    struct Body {
        title: Option<Value>,
        detail: Option<Value>,
        errors: Option<Value>,
        message: Option<Value>,
        error: Option<Value>,
    }
    let text = std::str::from_utf8(body).ok()?;
    if token.is_quoted_in(text) {
        return Some("(withheld: the server's explanation repeats the API key)".to_string());
    }
    let all = |parts: &[Option<Value>]| parts.iter().flatten().filter_map(sentence).collect::<Vec<String>>();
    let parts = match serde_json::from_str::<Value>(text) {
        Ok(Value::String(text)) => vec![text],
        Ok(body) => {
            let body: Body = serde_json::from_value(body).ok()?;
            let parts = all(&[body.title, body.detail, body.errors]);
            if parts.is_empty() { all(&[body.message, body.error]) } else { parts }
        }
        Err(_) => vec![line_of(text)?.to_string()],
    };
    // Before it is cut: half a secret would not be recognized any more.
    let said = plain(&redact(&parts.join(": ")));
    (!said.is_empty() && !token.is_quoted_in(&said)).then_some(said)
}

/// Plain text that is one line, and no markup or broken JSON.
fn line_of(text: &str) -> Option<&str> {
    let text = text.trim();
    let is_line =
        !text.starts_with(['<', '{', '[', '"']) && !text.contains('\n') && text.chars().count() <= EXPLANATION_LENGTH;
    is_line.then_some(text)
}

/// `"text"`, `{"loc": […], "msg": "…"}`, `{"pointer": "…", "detail": "…"}`, or a list of these, as one phrase.
fn sentence(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_string()),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().filter_map(sentence).collect();
            (!items.is_empty()).then(|| items.join("; "))
        }
        Value::Object(fields) => {
            let text = ["msg", "message", "detail", "title"].iter().find_map(|key| fields.get(*key)?.as_str())?;
            Some(match place(fields) {
                Some(place) if !place.is_empty() => format!("{place}: {text}"),
                _ => text.to_string(),
            })
        }
        _ => None,
    }
}

/// What an object of an explanation is about: a list of steps in `loc`, or a text in `pointer` or `field`.
fn place(fields: &Map<String, Value>) -> Option<String> {
    if let Some(steps) = fields.get("loc").and_then(Value::as_array) {
        let step = |step: &Value| step.as_str().map_or_else(|| step.to_string(), str::to_string);
        return Some(steps.iter().map(step).collect::<Vec<_>>().join("."));
    }
    ["pointer", "field"].iter().find_map(|key| fields.get(*key)?.as_str()).map(str::to_string)
}

/// One line of foreign text: control and invisible formatting characters become blanks, and it is cut.
fn plain(text: &str) -> String {
    let invisible = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let text: String = text.chars().map(|c| if invisible(c) { ' ' } else { c }).collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    match text.char_indices().nth(EXPLANATION_LENGTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str) -> String {
        explanation(body.as_bytes(), &Token::new("cog_s3cr3tKey0fTheOrg42")).unwrap_or_else(|| "nothing".to_string())
    }

    #[test]
    fn both_shapes_of_error_bodies_are_read() {
        insta::assert_snapshot!(check(r#"{"type":"about:blank","title":"Forbidden","status":403,"detail":"needs ViewOrgSessions"}"#), @"Forbidden: needs ViewOrgSessions");
        insta::assert_snapshot!(check(r#"{"detail":"Not found"}"#), @"Not found");
        insta::assert_snapshot!(check(r#"{"detail":[{"loc":["query","first"],"msg":"must be at most 200","type":"value_error"},{"loc":["query",0],"msg":"no"}]}"#), @"query.first: must be at most 200; query.0: no");
        insta::assert_snapshot!(check(r#"{"title":"Unprocessable","status":422,"errors":[{"detail":"first is too large"}]}"#), @"Unprocessable: first is too large");
        insta::assert_snapshot!(check(r##"{"title":"Unprocessable","errors":[{"pointer":"#/tags/1","detail":"value is not allowed"},{"field":"title","message":"too long"}]}"##), @"Unprocessable: #/tags/1: value is not allowed; title: too long");
        insta::assert_snapshot!(check(r#"{"detail":"clone of https://bob:hunter2@git.example failed"}"#), @"clone of https://bob:****@git.example failed");
        insta::assert_snapshot!(check(r#"{"detail":null}"#), @"nothing");
        insta::assert_snapshot!(check("<html>502</html>"), @"nothing");
        insta::assert_snapshot!(check("You exceeded your limit of 5\n"), @"You exceeded your limit of 5");
        insta::assert_snapshot!(check(r#""You exceeded your limit""#), @"You exceeded your limit");
        insta::assert_snapshot!(check(r#"{"message":"You exceeded your limit"}"#), @"You exceeded your limit");
        insta::assert_snapshot!(check(r#"{"error":"You exceeded your limit"}"#), @"You exceeded your limit");
        insta::assert_snapshot!(check(r#"{"error":{"message":"You exceeded your limit"}}"#), @"You exceeded your limit");
        insta::assert_snapshot!(check(r#"{"error":"Too Many Requests","detail":"slow down"}"#), @"slow down");
        for body in ["two\nlines", "{broken", "", "7", "[1]", &"x".repeat(301)] {
            insta::allow_duplicates! { insta::assert_snapshot!(check(body), @"nothing") };
        }
        insta::assert_snapshot!(check(r#"{"detail":"two\nlines \u202e and\u0000more"}"#), @"two lines and more");
    }

    #[test]
    fn an_explanation_that_quotes_the_key_is_withheld() {
        insta::assert_snapshot!(check(r#"{"detail":"bad key cog_s3cr3tKey0fTheOrg42"}"#), @"(withheld: the server's explanation repeats the API key)");
        insta::assert_snapshot!(check(r#"{"detail":"bad key \u0063og_s3cr3tKey0"}"#), @"(withheld: the server's explanation repeats the API key)");
    }

    #[test]
    fn every_status_is_either_final_or_worth_another_try() {
        let retried: Vec<u16> = (100..600).filter(|status| Kind::Status(*status).is_retryable()).collect();
        let expected: Vec<u16> = (201..=299).chain([408, 429]).chain(500..=599).collect();
        assert_eq!(retried, expected);
    }
}
