//! What is answered: a status and JSON. What is wrong is a problem document (RFC 9457), which also has the fields that senders of
//! deliveries look at.

use std::borrow::Cow;

use http_body_util::Full;
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS};
use hyper::http::{HeaderValue, Response};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::sent::Sent;
use redact::Redactor;

/// An answer, before it is bytes.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
    is_problem: bool,
    /// `None` as a rule; apart, since answers are handed around as errors.
    more: Option<Box<More>>,
    header: Option<(HeaderName, HeaderValue)>,
}

/// What is sent in the place of JSON, part after part.
#[derive(Debug)]
pub struct File {
    pub kind: &'static str,
    /// In bytes.
    pub length: u64,
    pub parts: mpsc::Receiver<Bytes>,
}

/// What few answers have.
#[derive(Debug, Default)]
struct More {
    /// A text that takes the place of the body, with its media type.
    text: Option<(&'static str, String)>,
    /// A file that does.
    file: Option<File>,
    /// Why it is refused, in one word.
    code: Option<&'static str>,
}

impl Answer {
    /// An answer that says this.
    pub fn new(status: StatusCode, body: Value) -> Answer {
        Answer { status, body, is_problem: false, more: None, header: None }
    }

    /// An answer that says nothing more.
    pub fn empty(status: StatusCode) -> Answer {
        Answer::new(status, Value::Null)
    }

    /// An answer that is a text.
    pub fn text(media_type: &'static str, text: String) -> Answer {
        let more = More { text: Some((media_type, text)), ..More::default() };
        Answer { more: Some(Box::new(more)), ..Answer::empty(StatusCode::OK) }
    }

    /// An answer that is a file.
    pub fn file(file: File) -> Answer {
        let more = More { file: Some(file), ..More::default() };
        Answer { more: Some(Box::new(more)), ..Answer::empty(StatusCode::OK) }
    }

    /// An answer that says what is wrong.
    pub fn problem(status: StatusCode, reason: &str) -> Answer {
        let answer = Answer::new(status, json!({"accepted": false, "reason": reason}));
        Answer { is_problem: true, ..answer }
    }

    /// A problem with more to say: these fields beside its reason.
    pub fn with_fields(mut self, fields: Value) -> Answer {
        if let (Some(own), Value::Object(more)) = (self.body.as_object_mut(), fields) {
            own.extend(more);
        }
        self
    }

    /// What is wrong; empty where nothing is.
    pub fn reason(&self) -> &str {
        self.body["reason"].as_str().unwrap_or_default()
    }

    /// The same, with why in one word.
    pub fn coded(self, code: &'static str) -> Answer {
        let more = More { code: Some(code), ..More::default() };
        Answer { more: Some(Box::new(more)), ..self }
    }

    /// Why it is refused, in one word; `None` where nothing but the status says so.
    pub fn code(&self) -> Option<&'static str> {
        self.more.as_ref().and_then(|more| more.code)
    }

    /// The same, with what to do about its reason.
    pub fn and(mut self, remedy: &str) -> Answer {
        if let Some(reason) = self.body["reason"].as_str() {
            self.body["reason"] = Value::from(format!("{reason}: {remedy}"));
        }
        self
    }

    /// The same with this header.
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Answer {
        self.header = Some((name, value));
        self
    }

    /// The same without secrets: what Devin or a sender wrote stands in the store as it came.
    pub fn without_secrets(mut self, redactor: &Redactor) -> Answer {
        redact(&mut self.body, redactor);
        self
    }

    /// As it goes out, whole or part after part.
    pub fn into_sent(mut self) -> Response<Sent> {
        let file = self.more.as_mut().and_then(|more| more.file.take());
        let response = self.into_response();
        let Some(File { kind, length, parts }) = file else { return Sent::whole(response) };
        let mut response = response.map(|_| Sent::Parts(parts));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        response
    }

    /// As it goes out.
    pub fn into_response(mut self) -> Response<Full<Bytes>> {
        if self.is_problem {
            let title = self.status.canonical_reason().unwrap_or("Problem");
            let (status, detail) = (self.status.as_u16(), self.reason().to_string());
            self = self.with_fields(json!({"type": "about:blank", "title": title, "status": status, "detail": detail}));
        }
        let kind = if self.is_problem { "application/problem+json" } else { "application/json" };
        let (kind, text) = match self.more.take().and_then(|more| more.text) {
            Some((kind, text)) => (Some(kind), text),
            None if self.body.is_null() => (None, String::new()),
            None => (Some(kind), format!("{}\n", self.body)),
        };
        let mut response = Response::new(Full::from(text));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.extend(self.header);
        if let Some(kind) = kind {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }
}

fn redact(value: &mut Value, redactor: &Redactor) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(shown) = redactor.redact(text) {
                *text = shown;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, redactor)),
        Value::Object(fields) => fields.values_mut().for_each(|field| redact(field, redactor)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
