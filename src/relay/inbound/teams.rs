//! The cards that tools send to Microsoft Teams: MessageCards of connectors, and Adaptive Cards of workflows. Pure.

use serde_json::{Map, Value};

use super::Problem;
use super::any;
use super::fields::Fields;
use crate::relay::alert::Alert;

/// How deep the parts of a card are looked through.
const DEPTH: usize = 8;

/// Reads a card; only its words say how it stands.
///
/// # Errors
/// When it says nothing of an alarm: people are sent cards as well.
pub fn read(payload: Fields) -> Result<Alert, Problem> {
    let card = payload.at("attachments.0.content").unwrap_or(payload);
    let mut told = Told::default();
    told.look_through(card.value, 0);
    told.texts.splice(0..0, card.text("title").or_else(|| card.text("summary")));
    let mut texts = told.texts.into_iter();
    let title = texts.next();
    let text = texts.collect::<Vec<_>>().join("\n");
    let placed = [("title", title), ("text", Some(text)), ("url", told.url)];
    let placed = placed.into_iter().filter_map(|(name, text)| Some((name.to_string(), Value::String(text?))));
    let mut fields = told.facts;
    fields.extend(placed);
    let value = Value::Object(fields);
    if !any::says_state(&value) {
        return Err(Problem::NotAnAlert {
            what: "a card for Microsoft Teams that says nothing of an alarm",
            remedy: "let its title begin with the state, as in [FIRING] or [RESOLVED], or read it with --format any",
        });
    }
    Ok(any::read(Fields { value: &value, ..payload }))
}

/// What a card tells, in its order.
#[derive(Default)]
struct Told {
    texts: Vec<String>,
    facts: Map<String, Value>,
    url: Option<String>,
}

impl Told {
    fn look_through(&mut self, part: &Value, depth: usize) {
        let parts = match part {
            Value::Array(parts) => parts.iter().collect(),
            Value::Object(fields) => {
                self.take(fields);
                fields.values().collect::<Vec<_>>()
            }
            _ => return,
        };
        if depth < DEPTH {
            parts.into_iter().for_each(|part| self.look_through(part, depth + 1));
        }
    }

    fn take(&mut self, fields: &Map<String, Value>) {
        let text = |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        // The facts of one kind of card have names, those of the other titles.
        if let (Some(name), Some(value)) = (text("name").or_else(|| text("title")), text("value")) {
            self.facts.insert(name.trim_end_matches(':').to_string(), Value::String(value.to_string()));
            return;
        }
        let url = || text("uri").or_else(|| text("url")).filter(|url| url.starts_with("https://"));
        let is_button = text("type").is_some_and(|kind| kind == "Action.OpenUrl") || fields.contains_key("uri");
        if is_button {
            self.url = self.url.take().or_else(|| url().map(str::to_string));
            return;
        }
        let told = ["activityTitle", "activitySubtitle", "activityText", "text"].into_iter().filter_map(text);
        self.texts.extend(told.map(str::to_string));
    }
}
