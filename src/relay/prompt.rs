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

use super::alert::Alert;
use super::text;
use facts::Facts;

/// The longest prompt, in bytes.
pub const LONGEST_PROMPT: usize = 32 * 1024;

/// The longest title before its marker, in bytes before the note on the rest.
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
    Ok(Words { title: text::clean_line(&alert.title, LONGEST_TITLE), prompt })
}

/// A title that ends with the title marker, by which the session can be found: the alert's tag and the first eight digits
/// of the attempt. The title itself is cut, so that the marker never is.
pub fn marked_title(title: &str, alert_tag: &str, attempt: &str) -> String {
    let attempt: String = attempt.chars().take(8).collect();
    format!("{} [{alert_tag}/{attempt}]", text::clean_line(title, LONGEST_TITLE))
}

#[cfg(test)]
mod tests;
