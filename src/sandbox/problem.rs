//! Every refusal, as RFC 9457 `application/problem+json`.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::json::Json;

/// Why there is no answer.
#[derive(Debug, PartialEq)]
pub struct Problem {
    pub status: StatusCode,
    detail: String,
    errors: Vec<Invalid>,
}

/// One mistake that a 422 tells of.
#[derive(Debug, PartialEq)]
pub struct Invalid {
    /// Where it is: `body` or `query`, then names and places.
    pub loc: Value,
    pub input: Value,
    /// The framework's name for the mistake, such as `int_parsing`.
    pub kind: &'static str,
    pub message: String,
}

/// The parameter that a 422 is about, told as the real API's framework tells it.
#[derive(Debug, PartialEq)]
pub struct InvalidParameter {
    pub name: &'static str,
    pub input: String,
    /// The framework's name for the mistake, such as `int_parsing`.
    pub kind: &'static str,
    pub message: String,
}

impl Problem {
    /// A refusal in one sentence.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Problem {
        Problem { status, detail: detail.into(), errors: Vec::new() }
    }

    /// 403: the key lacks a permission.
    pub fn lacks(permission: &str) -> Problem {
        Problem::new(StatusCode::FORBIDDEN, format!("missing permission: {permission}"))
    }

    /// 422: a parameter has a value it cannot have.
    pub fn invalid(parameter: InvalidParameter) -> Problem {
        Problem {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            detail: "the request has an invalid parameter".to_owned(),
            errors: vec![Invalid {
                loc: json!(["query", parameter.name]),
                input: parameter.input.into(),
                kind: parameter.kind,
                message: parameter.message,
            }],
        }
    }

    /// 422: the body cannot be what was meant.
    pub fn invalid_body(errors: Vec<Invalid>) -> Problem {
        let detail = "the request body is invalid".to_owned();
        Problem { status: StatusCode::UNPROCESSABLE_ENTITY, detail, errors }
    }

    /// 404: the named thing is not in this organization.
    pub fn unknown(what: &str) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, format!("{what} not found"))
    }

    /// The body; `path` is where it happened.
    pub fn body(&self, path: &str) -> String {
        let mut json = Json::default();
        json.open('{');
        json.key("type").text("about:blank");
        json.key("title").text(self.status.canonical_reason().unwrap_or("Unknown"));
        json.key("status").number(self.status.as_u16());
        json.key("detail").text(&self.detail);
        json.key("instance").text(path);
        if !self.errors.is_empty() {
            json.key("errors").open('[');
            for error in &self.errors {
                json.open('{');
                json.key("loc").value(&error.loc);
                json.key("msg").text(&error.message);
                json.key("type").text(error.kind);
                json.key("input").value(&error.input);
                json.close('}');
            }
            json.close(']');
        }
        json.close('}');
        json.into_text()
    }
}
