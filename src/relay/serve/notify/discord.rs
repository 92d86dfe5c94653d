//! Discord: a channel's webhook. Pure.

use serde_json::{Value, json};

use super::quoting::{address, code};
use super::words::Words;

/// The most characters of a message.
const MOST: usize = 2000;

/// The message. Nobody is called by it, whatever its texts say.
pub fn message(words: &Words) -> Value {
    let mut lines = vec![format!("**{}**", words.opening()), code(&words.title)];
    // In angle brackets an address has no preview.
    lines.extend(words.links.iter().map(|(name, url)| format!("{name}: {}", address(url))));
    lines.extend(words.facts.iter().map(|(name, value)| format!("{name}: {}", code(value))));
    // The last lines are the least.
    while lines.iter().map(|line| line.chars().count() + 1).sum::<usize>() > MOST && lines.len() > 2 {
        lines.pop();
    }
    json!({"content": lines.join("\n"), "allowed_mentions": {"parse": []}})
}
