//! One session: the status model, and the body that creates a session.
//!
//! `status` and `status_detail` are open: new values have arrived without notice, so both stay text here, and a
//! reader that does not know a value must not take it for an end.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The status of a session that is told without one: a word that nobody knows, so that it is no end.
pub const UNTOLD: &str = "unknown";

/// A session as the API describes it, as far as a relay reads it. Only `session_id` is certain: any other field that is
/// absent or not what it should be is at its default, so that an oddity in one of them hides no session. It is written as
/// it is read, so that a job can be kept.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Session {
    /// As received; with or without the prefix `devin-`.
    pub session_id: String,
    /// [`UNTOLD`] where the API does not tell it.
    pub status: String,
    /// `None` in the answer to a create, and whenever the API has nothing to add.
    pub status_detail: Option<String>,
    /// Where a person opens it; `None` where the API does not tell it.
    pub url: Option<String>,
    pub title: Option<String>,
    pub tags: Vec<String>,
    /// Unix seconds.
    pub created_at: Option<i64>,
    /// Unix seconds.
    pub updated_at: Option<i64>,
    /// Agent compute units so far; 0 on plans that are not billed by them.
    pub acus_consumed: f64,
    pub pull_requests: Vec<PullRequest>,
    /// The result in the creator's own schema; `None` until there is one.
    pub structured_output: Option<Value>,
    /// Put away by a person; a message does not wake it.
    pub is_archived: bool,
}

/// A pull request that a session opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequest {
    pub pr_url: String,
    /// Free text; `open`, `closed`, `merged` and `draft` have been seen.
    pub pr_state: Option<String>,
}

impl<'de> Deserialize<'de> for Session {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Session, D::Error> {
        // Field by field: a number beyond what a value holds is an oddity of its own field only.
        let fields: BTreeMap<String, Box<RawValue>> = BTreeMap::deserialize(deserializer)?;
        let read = |raw: &RawValue| serde_json::from_str(raw.get()).unwrap_or_else(|_| raw.get().into());
        let fields: Map<String, Value> = fields.into_iter().map(|(name, raw)| (name, read(&raw))).collect();
        let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_string);
        let seconds = |name: &str| fields.get(name).and_then(unix_seconds);
        let list = |name: &str| fields.get(name).and_then(Value::as_array).into_iter().flatten();
        let pull_request = |item: &Value| {
            let pr_url = item["pr_url"].as_str().filter(|url| may_be_pull_request(url))?.to_string();
            Some(PullRequest { pr_url, pr_state: item["pr_state"].as_str().map(str::to_string) })
        };
        let filled = |name: &str| text(name).filter(|text| !bare(text).is_empty());
        Ok(Session {
            session_id: filled("session_id").ok_or_else(|| D::Error::missing_field("session_id"))?,
            status: filled("status").unwrap_or_else(|| UNTOLD.to_string()),
            status_detail: text("status_detail"),
            url: filled("url"),
            title: text("title"),
            tags: list("tags").filter_map(|tag| tag.as_str().map(str::to_string)).collect(),
            created_at: seconds("created_at"),
            updated_at: seconds("updated_at"),
            acus_consumed: fields.get("acus_consumed").and_then(Value::as_f64).unwrap_or_default(),
            pull_requests: list("pull_requests").filter_map(pull_request).collect(),
            structured_output: fields.get("structured_output").filter(|output| !output.is_null()).cloned(),
            is_archived: fields.get("is_archived").and_then(Value::as_bool).unwrap_or_default(),
        })
    }
}

/// A time as Unix seconds, or as ISO 8601 text; `None` for anything else.
fn unix_seconds(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => {
            let text = text.trim();
            let moment = chrono::DateTime::parse_from_rfc3339(text).map(|moment| moment.timestamp());
            let without_offset = || text.parse::<chrono::NaiveDateTime>().map(|moment| moment.and_utc().timestamp());
            moment.or_else(|_| without_offset()).ok().or_else(|| text.parse().ok())
        }
        _ => value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64)),
    }
}

/// The body of a create. A field that is `None` or empty is left out, which means the API's default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
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

    /// Whether an identifier, with or without the prefix and in whatever letter case, is this session's.
    pub fn is_named(&self, session_id: &str) -> bool {
        self.bare_id().eq_ignore_ascii_case(bare(session_id))
    }
}

/// A session's identifier without the prefix that only some answers give it.
pub fn bare(session_id: &str) -> &str {
    let cut = session_id.split_at_checked("devin-".len());
    cut.filter(|(prefix, _)| prefix.eq_ignore_ascii_case("devin-")).map_or(session_id, |(_, bare)| bare)
}

/// The identifier in what people paste: the session's address in the web app, or the identifier itself. Blanks and `<…>`
/// around it are forgiven, and so is upper case.
///
/// # Errors
/// A sentence that says what is expected.
pub fn pasted(text: &str) -> Result<String, String> {
    let text = text.trim();
    let text = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text);
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let segment = path.split_once("/sessions/").map_or(path, |(_, below)| below.split('/').next().unwrap_or_default());
    let id = bare(segment);
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err("expected a session's identifier or its address, https://app.devin.ai/sessions/…".to_string());
    }
    let is_hex = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    Ok(if is_hex { id.to_ascii_lowercase() } else { id.to_string() })
}

/// Whether an address can be that of a pull request: one of the web's, or one without a scheme. Whatever else stands there was put
/// there to be clicked.
fn may_be_pull_request(url: &str) -> bool {
    let url = url.trim();
    match url.split_once(':') {
        _ if url.is_empty() => false,
        Some((scheme, rest)) if rest.starts_with("//") => {
            scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
        }
        // A colon further on is part of a path, and one before a number of a port.
        Some((before, rest)) => before.contains('/') || rest.starts_with(|first: char| first.is_ascii_digit()),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_read_however_little_the_api_says() {
        let least: Session = serde_json::from_str(r#"{"session_id":"devin-1","status":"new","tags":null,"url":null,"acus_consumed":null,"pull_requests":null,"security_profile":{}}"#).unwrap();
        assert_eq!(least.bare_id(), "1");
        assert_eq!([bare("DEVIN-1"), bare("devin"), bare("dévin-1")], ["1", "devin", "dévin-1"]);
        assert!(Session { session_id: "Devin-aB".to_string(), ..Session::default() }.is_named("Ab"));
        assert!(least.tags.is_empty() && least.url.is_none() && least.pull_requests.is_empty());
        assert!(serde_json::from_str::<Session>(r#"{"status":"new"}"#).is_err());
        for json in
            [r#"{"session_id":"1"}"#, r#"{"session_id":"1","status":null}"#, r#"{"session_id":"1","status":""}"#]
        {
            assert_eq!(serde_json::from_str::<Session>(json).unwrap().status, UNTOLD, "{json}");
        }
        assert!(serde_json::from_str::<Session>(r#"{"session_id":"devin-","status":"new"}"#).is_err());
    }

    #[test]
    fn an_oddity_in_a_field_hides_no_session() {
        let odd = r#"{"session_id":"1","status":"new","status_detail":{},"created_at":1.7e9,"updated_at":"soon","is_archived":7,"tags":["a",null],
            "acus_consumed":"1.5","pull_requests":[{"pr_url":null},{"pr_url":""},{"pr_url":"https://x/1"},7],"url":5,"title":[]}"#;
        let session: Session = serde_json::from_str(odd).unwrap();
        assert_eq!((session.created_at, session.updated_at), (Some(1_700_000_000), None));
        assert_eq!((session.tags, session.pull_requests.len()), (vec!["a".to_string()], 1));
        // The output is there, and is kept as it came.
        let huge = r#"{"session_id":"1","status":"exit","structured_output":{"n":1e400},"acus_consumed":-1e999}"#;
        let session: Session = serde_json::from_str(huge).unwrap();
        assert_eq!(session.structured_output, Some(Value::String(r#"{"n":1e400}"#.to_string())));
        assert_eq!((session.status.as_str(), session.acus_consumed), ("exit", 0.0));
    }

    #[test]
    fn only_an_address_of_the_web_is_that_of_a_pull_request() {
        let count = |url: &str| {
            let session = serde_json::json!({"session_id": "1", "pull_requests": [{"pr_url": url}]});
            serde_json::from_value::<Session>(session).unwrap().pull_requests.len()
        };
        for url in [
            "https://github.com/a/b/pull/1",
            "HTTP://git.local:3000/a/b/pulls/1",
            "github.com/a/b/pull/1",
            "git.local:3000/a/b",
        ] {
            assert_eq!(count(url), 1, "{url}");
        }
        for url in [
            "javascript:alert(1)",
            "javascript://x/%0aalert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "ssh://git@h/a",
            " ",
        ] {
            assert_eq!(count(url), 0, "{url}");
        }
    }

    #[test]
    fn a_time_is_seconds_or_iso_text_and_anything_else_is_none() {
        let read = |text: &str| unix_seconds(&serde_json::from_str(text).unwrap());
        assert_eq!(read("1764300000"), Some(1_764_300_000));
        assert_eq!(read(r#""2025-11-28T03:20:00Z""#), Some(1_764_300_000));
        assert_eq!(read(r#""2025-11-28T04:20:00.250+01:00""#), Some(1_764_300_000));
        assert_eq!(read(r#""2025-11-28T03:20:00.5""#), Some(1_764_300_000));
        assert_eq!(read(r#""1764300000""#), Some(1_764_300_000));
        assert_eq!([read(r#""soon""#), read("null"), read("{}")], [None; 3]);
    }

    #[test]
    fn a_session_is_written_as_it_is_read() {
        let json = r#"{"session_id":"1","status":"running","status_detail":"finished","url":"https://x/1","title":"t","tags":["a"],
            "created_at":5,"updated_at":6,"acus_consumed":1.5,"pull_requests":[{"pr_url":"https://x/pull/1","pr_state":"open"}],
            "structured_output":{"a":1},"is_archived":true}"#;
        let session: Session = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::from_str::<Session>(&serde_json::to_string(&session).unwrap()).unwrap(), session);
        assert_eq!(serde_json::to_value(&session).unwrap(), serde_json::from_str::<Value>(json).unwrap());
    }

    #[test]
    fn a_create_says_only_what_was_asked_for() {
        let body = NewSession { prompt: "Fix it".to_string(), tags: vec!["a".to_string()], ..NewSession::default() };
        insta::assert_snapshot!(serde_json::to_string(&body).unwrap(), @r#"{"prompt":"Fix it","tags":["a"]}"#);
    }

    #[test]
    fn a_session_is_named_by_its_identifier_or_its_address() {
        let id = "0d902d4d605a230ab8f5a3d24bdfd1fe";
        for text in [
            id,
            &format!("devin-{id}"),
            &id.to_ascii_uppercase(),
            &format!(" {id}\n"),
            &format!("https://app.devin.ai/sessions/{id}"),
            &format!("<https://app.devin.ai/sessions/{id}>"),
            &format!("https://app.devin.ai/sessions/{id}/messages"),
            &format!("https://app.devin.ai/org/acme/sessions/devin-{id}/?tab=1#x"),
        ] {
            assert_eq!(pasted(text).as_deref(), Ok(id), "{text}");
        }
        assert_eq!(pasted("Kept-As-It-Is").as_deref(), Ok("Kept-As-It-Is"));
        for text in
            ["", "https://app.devin.ai/", "https://app.devin.ai/sessions/", "https://app.devin.ai/org/x", "a b", "../x"]
        {
            assert!(pasted(text).is_err(), "{text}");
        }
    }
}
