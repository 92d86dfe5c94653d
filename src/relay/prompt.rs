//! What is said to Devin about an alert: the session's title and its prompt. Pure.
//!
//! Everything a stranger may have written stands between two marks that cannot occur in it, after a sentence that says
//! it is data. The default prompt is a template like a user's own.

mod facts;
mod fence;
mod key;
mod template;

pub use facts::VARIABLES;
pub use key::dedupe_key;
pub use template::{Template, TemplateProblem};

use super::alert::{Alert, tag};
use super::text;
use facts::Facts;

/// The longest prompt, in bytes.
pub const LONGEST_PROMPT: usize = 32 * 1024;

/// The longest title after its mark, in bytes before the note on the rest.
pub const LONGEST_TITLE: usize = 120;

/// The prompt when the user has no template.
pub const DEFAULT_TEMPLATE: &str = include_str!("prompt/default.txt");

/// What a session is created with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    pub title: String,
    pub prompt: String,
}

/// The words for `alert`, whose dedupe key is `key`; without a `template`, the default ones.
///
/// # Errors
/// When the template cannot be rendered for this alert, or renders to nothing.
pub fn words(alert: &Alert, key: &str, template: Option<&Template>) -> Result<Words, TemplateProblem> {
    let facts = Facts::of(alert, key);
    let rendered = match template {
        Some(template) => template.render(&facts)?,
        None => Template::parse(DEFAULT_TEMPLATE)?.render(&facts)?,
    };
    let prompt = fence::closed(&facts.data, text::cap(&rendered, LONGEST_PROMPT));
    Ok(Words { title: marked_title(key, &alert.title), prompt })
}

/// A title that begins with the mark of the alert with this key, so that the session can be found by it.
pub fn marked_title(key: &str, title: &str) -> String {
    format!("[{}] {}", tag(key), text::clean_line(title, LONGEST_TITLE))
}

#[cfg(test)]
mod tests;
