//! PagerDuty: a note on the incident that an alert is. Pure.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::post::Post;
use super::words::Words;

/// The identifier of the incident, where PagerDuty sent the alert.
pub fn incident(dedupe_key: &str) -> Option<&str> {
    let id = dedupe_key.strip_prefix("pagerduty:")?;
    (!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(id)
}

/// The request for a note, which is plain text.
pub fn note(token: &str, from: &str, api_url: &str, incident: &str, words: &Words) -> Post {
    let incident = utf8_percent_encode(incident, NON_ALPHANUMERIC);
    Post::new(format!("{api_url}/incidents/{incident}/notes"), &json!({"note": {"content": words.plain()}}))
        .with("authorization", format!("Token token={token}"))
        .with("accept", "application/vnd.pagerduty+json;version=2".to_string())
        .with("from", from.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_pagerduty_sent_is_an_incident() {
        let keys = ["pagerduty:Q1K2M3N4P5R6S7", "pagerduty:a/b", "pagerduty:", "pagerduty-events:disk", "generic:Q1"];
        assert_eq!(keys.map(incident), [Some("Q1K2M3N4P5R6S7"), None, None, None, None]);
    }
}
