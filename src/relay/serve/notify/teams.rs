//! Microsoft Teams: the webhook of a workflow, which posts an Adaptive Card. Pure.

use serde_json::{Value, json};

use super::words::Words;

/// The message. Text runs know no Markdown, so that nothing in them is a link or a mention.
pub fn message(words: &Words) -> Value {
    let line = |runs: Vec<Value>| json!({"type": "RichTextBlock", "inlines": runs});
    let run = |text: &str, is_bold: bool| {
        let weight = if is_bold { "Bolder" } else { "Default" };
        json!({"type": "TextRun", "text": text, "weight": weight})
    };
    let mut body = vec![line(vec![run(&words.opening(), true)]), line(vec![run(&words.title, false)])];
    for (name, value) in &words.facts {
        body.push(line(vec![run(&format!("{name}: "), true), run(value, false)]));
    }
    let actions: Vec<Value> =
        words.links.iter().map(|(name, url)| json!({"type": "Action.OpenUrl", "title": name, "url": url})).collect();
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    });
    if !actions.is_empty() {
        card["actions"] = Value::from(actions);
    }
    let attachment = json!({"contentType": "application/vnd.microsoft.card.adaptive", "content": card});
    json!({"type": "message", "attachments": [attachment]})
}
