//! What a request for a new session says.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::scenario::{self, Scenario};
use crate::sandbox::body::{self, Field, Kind, optional, required, text, texts};
use crate::sandbox::problem::{Invalid, Problem};

const MODES: [&str; 5] = ["normal", "fast", "lite", "ultra", "fusion"];

/// The machines, and the one pool of the organization's own.
const PLATFORMS: [&str; 4] = ["linux", "windows", "northwind-pool", "inherit"];

const FIELDS: [Field; 19] = [
    required("prompt", Kind::Text { shortest: 1 }),
    optional("title", Kind::Text { shortest: 0 }),
    optional("playbook_id", Kind::Text { shortest: 0 }),
    optional("child_playbook_id", Kind::Text { shortest: 0 }),
    optional("tags", Kind::Tags),
    optional("knowledge_ids", Kind::Texts),
    optional("secret_ids", Kind::Texts),
    optional("repos", Kind::Texts),
    optional("session_links", Kind::Texts),
    optional("session_secrets", Kind::Secrets),
    optional("attachment_urls", Kind::Urls),
    optional("max_acu_limit", Kind::Integer),
    optional("devin_mode", Kind::Word(&MODES)),
    optional("platform", Kind::Text { shortest: 0 }),
    optional("resumable", Kind::Boolean),
    optional("bypass_approval", Kind::Boolean),
    optional("create_as_user_id", Kind::Text { shortest: 0 }),
    optional("structured_output_schema", Kind::Schema),
    optional("structured_output_required", Kind::Boolean),
];

/// The parts of the request that its session remembers.
#[derive(Debug)]
pub struct Create {
    pub prompt: String,
    pub title: Option<String>,
    pub tags: Vec<String>,
    pub playbook_id: Option<String>,
    pub repositories: Vec<String>,
    pub devin_mode: String,
    pub is_resumable: bool,
    pub create_as_user_id: Option<String>,
    pub structured_output_schema: Option<Value>,
    pub scenario: &'static Scenario,
}

impl Create {
    /// Reads and checks the body.
    ///
    /// # Errors
    /// 400 when it is no JSON or names an unknown platform, 422 for every other mistake, an unknown
    /// scenario among them.
    pub fn read(bytes: &[u8]) -> Result<Create, Problem> {
        let fields = body::read(bytes, &FIELDS)?;
        let tags = texts(&fields, "tags");
        let scenario = Scenario::of_tags(&tags).map_err(|place| unknown_scenario(place, &tags[place]))?;
        let platform = text(&fields, "platform").map(|platform| platform.to_lowercase());
        if platform.is_some_and(|platform| !PLATFORMS.contains(&platform.as_str())) {
            let detail = format!("unknown platform; valid platforms: {}", PLATFORMS.join(", "));
            return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
        }
        Ok(Create {
            prompt: text(&fields, "prompt").unwrap_or_default(),
            title: text(&fields, "title"),
            tags,
            playbook_id: text(&fields, "playbook_id"),
            repositories: texts(&fields, "repos"),
            devin_mode: text(&fields, "devin_mode").unwrap_or_else(|| MODES[0].to_owned()),
            is_resumable: fields.get("resumable").and_then(Value::as_bool).unwrap_or(true),
            create_as_user_id: text(&fields, "create_as_user_id"),
            structured_output_schema: fields.get("structured_output_schema").filter(|it| !it.is_null()).cloned(),
            scenario,
        })
    }
}

fn unknown_scenario(place: usize, tag: &str) -> Problem {
    Problem::invalid_body(vec![Invalid {
        loc: json!(["body", "tags", place]),
        input: tag.into(),
        kind: "enum",
        message: format!("The sandbox knows these scenarios: {}", scenario::names()),
    }])
}
