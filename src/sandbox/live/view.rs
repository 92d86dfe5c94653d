//! A created session as JSON, in the shape of the ready-made ones.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Session;
use super::scenario::State;
use crate::sandbox::ORG_ID;
use crate::sandbox::data::insight;
use crate::sandbox::data::words::CATEGORIES;
use crate::sandbox::json::Json;

/// Where created sessions come from.
pub const ORIGIN: &str = "api";

const CATEGORY: &str = "production_investigation";
const LONGEST_TITLE: usize = 60;

/// Which of the replies with a session this is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reply {
    /// A list or a GET.
    Read,
    /// A list or a GET that shows insights too.
    ReadWithInsights,
    /// To a change: detail, category and structured output are null in these.
    Changed,
}

/// Its category, which is known once its work is over.
pub fn category(state: &State) -> Option<&'static str> {
    is_over(state).then_some(CATEGORY)
}

/// Writes one created session.
pub fn write(json: &mut Json, session: &Session, state: &State, now: Duration, reply: Reply) {
    let is_read = reply != Reply::Changed;
    let category = category(state).filter(|_| is_read);
    let subcategory = category.and_then(|name| CATEGORIES.iter().find(|category| category.name == name));
    let create = &session.create;
    json.open('{');
    json.key("session_id").id("", session.id);
    json.key("url").plain(format_args!("https://app.devin.ai/sessions/{:032x}", session.id));
    json.key("org_id").text(ORG_ID);
    json.key("status").text(state.status);
    json.key("status_detail").optional_text(state.status_detail.filter(|_| is_read));
    json.key("title").optional_text(title(session, state).as_deref());
    json.key("tags").open('[');
    for tag in &create.tags {
        json.text(tag);
    }
    json.close(']');
    json.key("created_at").number(session.created.as_secs());
    json.key("updated_at").number(session.updated(state, now).as_secs());
    json.key("acus_consumed").hundredths(state.acu_hundredths);
    json.key("pull_requests").open('[');
    if state.pull_requests > 0 {
        json.open('{');
        json.key("pr_url").text(&session.pull_request_url);
        json.key("pr_state").text("open");
        json.close('}');
    }
    json.close(']');
    json.key("user_id").optional_text(session.user_id.as_deref());
    json.key("service_user_id").optional_text(session.service_user_id.as_deref());
    json.key("playbook_id").optional_text(create.playbook_id.as_deref());
    json.key("automation_id").null();
    json.key("parent_session_id").null();
    json.key("child_session_ids").null();
    json.key("is_archived").boolean(session.is_archived || state.is_archived);
    json.key("origin").text(ORIGIN);
    json.key("category").optional_text(category);
    json.key("subcategory").optional_text(subcategory.map(|category| category.subcategories[0]));
    json.key("devin_mode").text(&create.devin_mode);
    json.key("structured_output");
    match &create.structured_output_schema {
        Some(schema) if is_read && is_over(state) && state.status != "error" => json.value(&example(schema)),
        _ => json.null(),
    }
    json.key("security_profile").null();
    if reply == Reply::ReadWithInsights {
        let lines = session.conversation(now);
        let from_users = lines.iter().filter(|line| line.is_from_user()).count();
        json.key("num_user_messages").number(from_users);
        json.key("num_devin_messages").number(lines.len() - from_users);
        json.key("session_size").text(insight::size(state.acu_hundredths));
        json.key("analysis").null();
        json.key("analysis_status").null();
        json.key("skill_usage").null();
    }
    json.close('}');
}

fn is_over(state: &State) -> bool {
    matches!(state.status, "exit" | "error" | "suspended") || state.status_detail == Some("finished")
}

/// The title it was given, or the one that Devin gives it from its prompt when it sets to work.
fn title(session: &Session, state: &State) -> Option<String> {
    let named = || {
        let line = session.create.prompt.trim().lines().next().unwrap_or_default();
        line.chars().take(LONGEST_TITLE).collect()
    };
    let is_waiting_to_start = matches!(state.status, "new" | "claimed");
    session.create.title.clone().or_else(|| (!is_waiting_to_start).then(named))
}

/// The plainest value that a JSON Schema of the simple kind lets pass.
fn example(schema: &Value) -> Value {
    let first = |name: &str| schema[name].get(0).cloned();
    if let Some(value) = schema.get("const").cloned().or_else(|| first("enum")) {
        return value;
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str),
        kind => kind.as_str(),
    };
    match kind {
        Some("string") => json!("simulated"),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(0)),
        Some("boolean") => json!(true),
        Some("array") => json!([]),
        Some("object") | None => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            let values: Map<String, Value> = properties.map(|(name, schema)| (name.clone(), example(schema))).collect();
            Value::Object(values)
        }
        Some(_) => Value::Null,
    }
}
