//! Messages in the form of Slack's incoming webhooks, which many tools send that can send nothing else. Pure.

use serde_json::{Map, Value};

use super::any;
use super::fields::Fields;
use crate::relay::alert::{Alert, State};

/// Reads a message; only its words and its color say how it stands.
pub fn read(payload: Fields) -> Alert {
    let attachment = payload.at("attachments.0").or_else(|| payload.at("embeds.0")).unwrap_or(payload);
    let title = attachment
        .first(&["title", "pretext", "fallback", "author_name"])
        .or_else(|| payload.first(&["text", "blocks.0.text.text", "content"]))
        .or_else(|| attachment.first(&["text", "blocks.0.text.text"]));
    let text = attachment.first(&["text", "description", "fallback", "blocks.1.text.text"]);
    let fields =
        attachment.items("fields").filter_map(|field| Some((field.first(&["title", "name"])?, field.text("value")?)));
    let mut told: Map<String, Value> = fields.map(|(name, value)| (name, Value::String(value))).collect();
    let placed = [
        ("title", title.and_then(|title| title.lines().next().map(str::to_string))),
        ("text", text.or_else(|| payload.text("text"))),
        ("url", attachment.first(&["title_link", "url"])),
        ("channel", payload.text("channel")),
        ("source", payload.first(&["username", "footer"])),
    ];
    told.extend(placed.into_iter().filter_map(|(name, value)| Some((name.to_string(), Value::String(value?)))));
    let mut alert = any::read(Fields { format: payload.format, value: &Value::Object(told.clone()) });
    let says_state = any::says_state(&Value::Object(told));
    match attachment.text("color").as_deref() {
        Some("good") if !says_state => alert.state = State::Resolved,
        Some("danger" | "warning") if !says_state => alert.state = State::Firing,
        _ => {}
    }
    alert
}
