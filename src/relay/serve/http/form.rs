//! JSON in a form: GitHub sends `payload=` and the JSON behind it, percent-encoded, unless its webhook is set to JSON. Pure.

use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderMap};

use super::answer::Answer;
use crate::relay::inbound::form::payload;

/// The body's JSON: what a form holds, or the body itself where it is none. `curl --data` calls anything a form.
///
/// # Errors
/// The answer to a form that holds none.
pub fn json(headers: &HeaderMap, body: Vec<u8>) -> Result<Vec<u8>, Answer> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "multipart/form-data" => Err(refused("a form of several parts")),
        "application/x-www-form-urlencoded" if !matches!(body.trim_ascii_start().first(), None | Some(b'{' | b'[')) => {
            payload(&body).ok_or_else(|| refused("a form without a field named payload that holds JSON"))
        }
        _ => Ok(body),
    }
}

fn refused(what: &str) -> Answer {
    let reason = format!("the body is {what}: set the sender to send JSON (application/json)");
    Answer::problem(StatusCode::BAD_REQUEST, &reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_holds_json_or_is_told_to_be_none() {
        let said = |kind: &str, body: &str| {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, kind.parse().unwrap())]);
            match json(&headers, body.as_bytes().to_vec()) {
                Ok(json) => String::from_utf8(json).unwrap(),
                Err(answer) => format!("{} {}", answer.status.as_u16(), answer.body["reason"].as_str().unwrap()),
            }
        };
        let form = "application/x-www-form-urlencoded";
        let table = [
            said(form, "payload=%7B%22zen%22%3A+%22a%2Bb%22%7D"),
            said("Application/X-WWW-Form-Urlencoded; charset=UTF-8", "a=1&payload=%7b%7D&b=2"),
            said(form, "text=disk+full"),
            said(form, " {\"payload\": \"a+b\"}"),
            said(form, "[1]"),
            said(form, ""),
            said("multipart/form-data; boundary=x", "--x"),
            said("application/json", "payload=%7B%7D"),
        ];
        insta::assert_snapshot!(table.join("\n"));
    }
}
