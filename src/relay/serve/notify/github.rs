//! GitHub: a comment on an issue. Pure.

use serde_json::json;

use super::post::Post;
use super::quoting::{address, code};
use super::words::Words;

/// The request for a comment.
pub fn comment(token: &str, (repo, issue): (&str, u32), api_url: &str, words: &Words) -> Post {
    let mut lines = vec![format!("**{}**", words.opening()), String::new(), code(&words.title), String::new()];
    lines.extend(words.links.iter().map(|(name, url)| format!("- {name}: {}", address(url))));
    lines.extend(words.facts.iter().map(|(name, value)| format!("- {name}: {}", code(value))));
    let url = format!("{api_url}/repos/{repo}/issues/{issue}/comments");
    Post::new(url, &json!({"body": lines.join("\n")}))
        .with("authorization", format!("Bearer {token}"))
        .with("accept", "application/vnd.github+json".to_string())
        .with("x-github-api-version", "2022-11-28".to_string())
}
