//! Every refusal, as RFC 9457 `application/problem+json`.

use hyper::StatusCode;

use super::json::Json;

/// Why there is no answer.
#[derive(Debug, PartialEq)]
pub struct Problem {
    pub status: StatusCode,
    detail: String,
    invalid: Option<InvalidParameter>,
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
        Problem { status, detail: detail.into(), invalid: None }
    }

    /// 422: a parameter has a value it cannot have.
    pub fn invalid(parameter: InvalidParameter) -> Problem {
        Problem {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            detail: "the request has an invalid parameter".to_owned(),
            invalid: Some(parameter),
        }
    }

    /// 404: the named thing is not in this organisation.
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
        if let Some(parameter) = &self.invalid {
            json.key("errors").open('[');
            json.open('{');
            json.key("loc").open('[');
            json.text("query");
            json.text(parameter.name);
            json.close(']');
            json.key("msg").text(&parameter.message);
            json.key("type").text(parameter.kind);
            json.key("input").text(&parameter.input);
            json.close('}');
            json.close(']');
        }
        json.close('}');
        json.into_text()
    }
}
