//! What is answered: a status and JSON.

use std::borrow::Cow;

use http_body_util::Full;
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS};
use hyper::http::{HeaderValue, Response};
use serde_json::{Value, json};

use crate::redact::Redactor;

/// An answer, before it is bytes.
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Answer {
    /// An answer that says this.
    pub fn new(status: StatusCode, body: Value) -> Answer {
        Answer { status, body, header: None }
    }

    /// An answer that says what is wrong.
    pub fn problem(status: StatusCode, reason: &str) -> Answer {
        Answer::new(status, json!({"accepted": false, "reason": reason}))
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

    /// As it goes out.
    pub fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::from(format!("{}\n", self.body)));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.extend(self.header);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
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
