//! One session: the status model, and the body that creates a session.
//!
//! `status` and `status_detail` are open: new values have arrived without notice, so both stay text here, and a
//! reader that does not know a value must not take it for an end.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// A session as the API describes it, as far as a relay reads it. Only `session_id` and `status` are certain.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Session {
    /// As received; with or without the prefix `devin-`.
    pub session_id: String,
    pub status: String,
    /// `None` in the answer to a create, and whenever the API has nothing to add.
    #[serde(default)]
    pub status_detail: Option<String>,
    /// Where a person opens it.
    #[serde(default, deserialize_with = "or_default")]
    pub url: String,
    #[serde(default)]
    pub title: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub tags: Vec<String>,
    /// Unix seconds.
    #[serde(default)]
    pub created_at: Option<i64>,
    /// Unix seconds.
    #[serde(default)]
    pub updated_at: Option<i64>,
    /// Agent compute units so far; 0 on plans that are not billed by them.
    #[serde(default, deserialize_with = "or_default")]
    pub acus_consumed: f64,
    #[serde(default, deserialize_with = "or_default")]
    pub pull_requests: Vec<PullRequest>,
    /// The result in the creator's own schema; `None` until there is one.
    #[serde(default)]
    pub structured_output: Option<Value>,
}

/// A pull request that a session opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequest {
    pub pr_url: String,
    /// Free text; `open`, `closed`, `merged` and `draft` have been seen.
    #[serde(default)]
    pub pr_state: Option<String>,
}

/// The body of a create. A field that is `None` or empty is left out, which means the API's default.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct NewSession {
    pub prompt: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub playbook_id: Option<String>,
    /// `owner/name`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repos: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub knowledge_ids: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secret_ids: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_acu_limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devin_mode: Option<String>,
    /// JSON Schema, draft-07.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub structured_output_schema: Option<Value>,
}

impl Session {
    /// The identifier without the prefix that only some answers give it, for comparing.
    pub fn bare_id(&self) -> &str {
        bare(&self.session_id)
    }
}

/// A session's identifier without the prefix that only some answers give it.
pub fn bare(session_id: &str) -> &str {
    session_id.strip_prefix("devin-").unwrap_or(session_id)
}

/// Null means the same as absent.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_read_however_little_the_api_says() {
        let least: Session = serde_json::from_str(r#"{"session_id":"devin-1","status":"new","tags":null,"url":null,"acus_consumed":null,"pull_requests":null,"security_profile":{}}"#).unwrap();
        assert_eq!(least.bare_id(), "1");
        assert!(least.tags.is_empty() && least.url.is_empty() && least.pull_requests.is_empty());
        assert!(serde_json::from_str::<Session>(r#"{"status":"new"}"#).is_err());
    }

    #[test]
    fn a_create_says_only_what_was_asked_for() {
        let body = NewSession { prompt: "Fix it".to_string(), tags: vec!["a".to_string()], ..NewSession::default() };
        insta::assert_snapshot!(serde_json::to_string(&body).unwrap(), @r#"{"prompt":"Fix it","tags":["a"]}"#);
    }
}
