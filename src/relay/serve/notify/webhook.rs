//! Any receiver: a JSON body of its own or of a template, signed as Standard Webhooks has it. Pure.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use minijinja::{UndefinedBehavior, Value, value::Serde};
use ring::hmac;
use serde_json::json;

use super::notice::Notice;
use super::post::Post;
use super::words::Words;
use crate::relay::driver::time;
use crate::relay::engine::{Allowance, render};
use crate::relay::serve::secret::Secret;
use crate::relay::text::{clean_line, link};
use redact::Redactor;

/// What a template may name. All are texts; what there is not is empty.
pub const VARIABLES: [&str; 16] = [
    "id",
    "event",
    "time",
    "is_test",
    "alert",
    "dedupe_key",
    "title",
    "severity",
    "rule",
    "integration",
    "job_id",
    "session_id",
    "session_url",
    "pr_url",
    "reason",
    "text",
];

/// The most of a text, in bytes.
const LONGEST: usize = 2000;

/// The request. `now` is in Unix seconds: the receiver may refuse what is much older.
///
/// # Errors
/// Why the template does not come to JSON.
pub fn request(
    url: &str,
    key: &Secret,
    template: Option<&str>,
    notice: &Notice,
    redactor: &Redactor,
    now: i64,
) -> Result<Post, String> {
    let values = values(notice, redactor);
    let body = match template {
        None => {
            let data: serde_json::Map<String, serde_json::Value> = values
                .iter()
                .filter(|(name, _)| !["event", "time", "is_test"].contains(*name))
                .map(|(name, value)| (name.to_string(), json!(Some(value).filter(|value| !value.is_empty()))))
                .collect();
            let kind = if notice.is_test { "test" } else { notice.event.name() };
            json!({"type": format!("alert_relay.{kind}"), "timestamp": time(notice.at), "data": data}).to_string()
        }
        Some(template) => filled(template, &values)?,
    };
    let signed = format!("{}.{now}.{body}", notice.id);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.expose()), signed.as_bytes());
    let post = Post { url: url.to_string(), headers: Vec::new(), body: body.into_bytes() };
    Ok(post
        .with("webhook-id", notice.id.clone())
        .with("webhook-timestamp", now.to_string())
        .with("webhook-signature", format!("v1,{}", BASE64_STANDARD.encode(tag))))
}

/// What is wrong with a template; nothing, where an example comes to JSON.
///
/// # Errors
/// The end of a sentence.
pub fn check(template: &str) -> Result<(), String> {
    let example: BTreeMap<&'static str, String> =
        VARIABLES.iter().map(|name| (*name, format!("a \"{name}\"\\ {{{{ x }}}}"))).collect();
    filled(template, &example).map(drop)
}

/// Every value stands in it as within a string of JSON.
fn filled(template: &str, values: &BTreeMap<&'static str, String>) -> Result<String, String> {
    let escaped: BTreeMap<&str, String> = values
        .iter()
        .map(|(name, value)| {
            let quoted = json!(value).to_string();
            (*name, quoted[1..quoted.len() - 1].to_string())
        })
        .collect();
    let mut allowance = Allowance::of_a_template();
    let root = Value::from(Serde(&escaped));
    let rendered = render(template, root, UndefinedBehavior::Strict, &mut allowance);
    let rendered = rendered.map_err(|fault| format!("is wrong in line {}: {}", fault.line, fault.detail))?;
    match serde_json::from_str::<serde::de::IgnoredAny>(&rendered) {
        Ok(_) => Ok(rendered),
        Err(error) => Err(format!("does not come to JSON: {error}; write values in quotes, as in \"{{{{ title }}}}\"")),
    }
}

fn values(notice: &Notice, redactor: &Redactor) -> BTreeMap<&'static str, String> {
    let safe = |text: &str| clean_line(&redactor.redact(text), LONGEST);
    let maybe = |text: &Option<String>| text.as_deref().map(safe).unwrap_or_default();
    let page = |url: &Option<String>| url.as_deref().and_then(|url| link(&redactor.redact(url))).unwrap_or_default();
    let Notice { id, event, at, alert, dedupe_key, title, rule, integration, job_id, is_test, .. } = notice;
    BTreeMap::from([
        ("id", id.clone()),
        ("event", event.name().to_string()),
        ("time", time(*at)),
        ("is_test", is_test.to_string()),
        ("alert", safe(alert)),
        ("dedupe_key", safe(dedupe_key)),
        ("title", safe(title)),
        ("severity", maybe(&notice.severity)),
        ("rule", safe(rule)),
        ("integration", safe(integration)),
        ("job_id", safe(job_id)),
        ("session_id", maybe(&notice.session_id)),
        ("session_url", page(&notice.session_url)),
        ("pr_url", page(&notice.pr_url)),
        ("reason", maybe(&notice.reason)),
        ("text", Words::of(notice, redactor).plain()),
    ])
}
