//! Slack: an incoming webhook, or a bot that writes one message for each job and changes it. Pure.

use serde_json::{Value, json};

use super::post::Post;
use super::quoting::slack;
use super::words::Words;

/// The most characters of a section's text (docs.slack.dev, "Section block").
const MOST: usize = 3000;

/// The message.
pub fn message(words: &Words) -> Value {
    let mut lines = vec![format!("*{}*", slack(&words.opening())), slack(&words.title)];
    // An address has no `|`, `<` or `>` in it, which would end the link.
    let links = words.links.iter().map(|(name, url)| format!("<{}|{name}>", slack(&url.replace('|', "%7C"))));
    let links: Vec<String> = links.collect();
    if !links.is_empty() {
        lines.push(links.join(" · "));
    }
    let mut left = MOST - lines.iter().map(|line| line.chars().count() + 1).sum::<usize>().min(MOST);
    let mut facts = Vec::new();
    for (name, value) in &words.facts {
        let fact = fitting(name, value, left);
        left -= fact.as_ref().map_or(0, |fact| fact.chars().count() + 1);
        facts.extend(fact);
    }
    lines.splice(2..2, facts);
    let text = slack(&format!("{}: {}", words.opening(), words.title));
    let block = json!({"type": "section", "text": {"type": "mrkdwn", "verbatim": true, "text": lines.join("\n")}});
    json!({"text": text, "blocks": [block], "unfurl_links": false, "unfurl_media": false})
}

/// A fact as a line of at most so many characters with its end. Quoting makes a text longer, of five characters at most each of
/// its own; one that has no room is cut, and left out where there is none at all.
fn fitting(name: &str, value: &str, left: usize) -> Option<String> {
    let line = |value: &str| format!("{name}: {}", slack(value));
    let whole = line(value);
    if whole.chars().count() < left {
        return Some(whole);
    }
    let most = left.checked_sub(name.len() + 4)? / 5;
    let short: String = value.chars().take(most).collect();
    (most > 0).then(|| line(&short) + "…")
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

/// Whether an error's word says that a message cannot be changed any more: somebody deleted it, or it is too old (the errors of
/// `chat.update`).
pub fn is_gone(word: &str) -> bool {
    matches!(word, "message_not_found" | "edit_window_closed" | "cant_update_message")
}

/// Whether an error's word tells of something that passes.
pub fn passes(word: &str) -> bool {
    matches!(
        word,
        "ratelimited" | "rate_limited" | "internal_error" | "fatal_error" | "service_unavailable" | "no JSON"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_texts_fit_into_a_section_and_the_link_stays() {
        let words = Words {
            headline: "Devin works on it",
            title: "&".repeat(200),
            facts: vec![("Reason", "<".repeat(600)), ("Severity", "&".repeat(120))],
            links: vec![("Pull request", "https://github.com/a/b/pull/7".to_string())],
            is_test: false,
        };
        let body = message(&words);
        let text = body["blocks"][0]["text"]["text"].as_str().unwrap();
        assert!(text.chars().count() <= MOST, "{}", text.chars().count());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "*Devin works on it*");
        assert!(
            lines[2].starts_with("Reason: &lt;&lt;") && lines[2].ends_with(";…"),
            "the reason is cut: {}",
            lines[2]
        );
        assert_eq!(lines.last(), Some(&"<https://github.com/a/b/pull/7|Pull request>"));
    }

    #[test]
    fn what_fits_is_whole() {
        assert_eq!(fitting("Rule", "a&b", 14).as_deref(), Some("Rule: a&amp;b"));
        assert_eq!(fitting("Rule", "a&b", 13).as_deref(), Some("Rule: a…"));
        assert_eq!(fitting("Rule", "a&b", 5), None);
    }
}
