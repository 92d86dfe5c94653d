//! Slack: an incoming webhook, or a bot that writes one message for each job and changes it. Pure.

use serde_json::{Value, json};

use super::post::Post;
use super::quoting::slack;
use super::words::Words;

/// The message.
pub fn message(words: &Words) -> Value {
    let mut lines = vec![format!("*{}*", slack(&words.opening())), slack(&words.title)];
    lines.extend(words.facts.iter().map(|(name, value)| format!("{name}: {}", slack(value))));
    // An address has no `|`, `<` or `>` in it, which would end the link.
    let links = words.links.iter().map(|(name, url)| format!("<{}|{name}>", slack(&url.replace('|', "%7C"))));
    let links: Vec<String> = links.collect();
    if !links.is_empty() {
        lines.push(links.join(" · "));
    }
    let text = slack(&format!("{}: {}", words.opening(), words.title));
    let block = json!({"type": "section", "text": {"type": "mrkdwn", "verbatim": true, "text": lines.join("\n")}});
    json!({"text": text, "blocks": [block], "unfurl_links": false, "unfurl_media": false})
}

/// The request of a bot: a new message, or a change of the one that there is.
pub fn by_bot(token: &str, channel: &str, api_url: &str, words: &Words, reference: Option<&str>) -> Post {
    let mut body = message(words);
    let known = reference.and_then(|reference| reference.split_once(' '));
    let method = match known {
        Some((channel, ts)) => {
            body["channel"] = Value::from(channel);
            body["ts"] = Value::from(ts);
            "chat.update"
        }
        None => {
            body["channel"] = Value::from(channel);
            "chat.postMessage"
        }
    };
    Post::new(format!("{api_url}/{method}"), &body).with("authorization", format!("Bearer {token}"))
}

/// What the API says: the reference of the message, or the error's word. It answers 200 for either.
///
/// # Errors
/// The word, or what stands for it.
pub fn answer(body: &[u8]) -> Result<Option<String>, String> {
    let Ok(answer) = serde_json::from_slice::<Value>(body) else { return Err("no JSON".to_string()) };
    if answer["ok"] != Value::Bool(true) {
        return Err(answer["error"].as_str().unwrap_or("no reason").to_string());
    }
    let place = answer["channel"].as_str().zip(answer["ts"].as_str());
    Ok(place.map(|(channel, ts)| format!("{channel} {ts}")))
}

/// Whether an error's word tells of something that passes.
pub fn passes(word: &str) -> bool {
    matches!(
        word,
        "ratelimited" | "rate_limited" | "internal_error" | "fatal_error" | "service_unavailable" | "no JSON"
    )
}
