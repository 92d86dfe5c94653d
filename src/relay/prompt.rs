//! What is said to Devin about an alert: the session's title and its prompt. Pure.
//!
//! Everything a stranger may have written stands between two marks that cannot occur in it, after a sentence that says
//! it is data. The default prompt is a template like a user's own.

mod facts;
mod fence;
mod key;
mod storm;
mod template;

pub use facts::VARIABLES;
pub use key::{Key, dedupe_key, line, shown_key};
pub use storm::{Companion, with_storm};
pub use template::{Template, TemplateProblem, first_unknown, named};

use std::sync::LazyLock;

use super::alert::without_secrets;
use super::alert::{Alert, tag_in};
use super::text::plain_line;
use facts::Facts;
use redact::Redactor;

/// The longest prompt, in bytes.
pub const LONGEST_PROMPT: usize = 32 * 1024;

/// How often the alert's texts are halved, at most, to leave room for a template's own words.
const MOST_HALVINGS: u32 = 5;

/// The longest title before its marker, in bytes before the note on the rest.
pub const LONGEST_TITLE: usize = 120;

/// The prompt when the user has no template.
pub const DEFAULT_TEMPLATE: &str = include_str!("prompt/default.txt");

/// The same, parsed once.
static DEFAULT: LazyLock<Template> =
    LazyLock::new(|| Template::parse(DEFAULT_TEMPLATE).expect("a test renders the default template"));

/// What a session is created with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    pub title: String,
    pub prompt: String,
    /// How many secrets were cut out of what the alert says.
    pub secrets_removed: usize,
}

/// The words for `alert`, whose dedupe key is `key` in this namespace (empty for none); without a `template`, the default ones.
/// No own key of `redactor` is in them, nor one that only the template puts together of what the alert says.
///
/// # Errors
/// When the template cannot be rendered for this alert, or renders to nothing.
pub fn words<'a>(
    alert: &Alert,
    key: impl Into<Key<'a>>,
    namespace: &str,
    template: Option<&Template>,
    redactor: &Redactor,
) -> Result<Words, TemplateProblem> {
    // The tag is made of the key as it came, so that better rules for secrets never change it.
    let key = key.into();
    let tag = tag_in(namespace, key.hashed);
    let (alert, mut secrets_removed) = without_secrets(alert, redactor);
    let key = redactor.redact(key.shown);
    let template = template.unwrap_or(&DEFAULT);
    let mut halvings = 0;
    // The alert is cut until the template's own words have room; they never are.
    let prompt = loop {
        let facts = Facts { tag: tag.clone(), secrets_removed, ..Facts::of(&alert, &key, halvings) };
        let prompt = template.render(&facts)?;
        match prompt.len().checked_sub(LONGEST_PROMPT) {
            None | Some(0) => break prompt,
            Some(over) if halvings == MOST_HALVINGS => return Err(TemplateProblem::TooLarge { over }),
            Some(_) => halvings += 1,
        }
    };
    let (prompt, put_together) = redactor.redact_own(prompt);
    secrets_removed += put_together;
    let title = plain_line(&alert.title, LONGEST_TITLE);
    let title = if title.is_empty() { format!("Alert from {}", alert.format.sender_name()) } else { title };
    Ok(Words { title, prompt, secrets_removed })
}

/// A title that ends with the title marker, by which the session can be found: the alert's tag and the first eight digits
/// of the attempt.
pub fn marked_title(title: &str, alert_tag: &str, attempt: &str) -> String {
    let attempt: String = attempt.chars().take(8).collect();
    format!("{title} [{alert_tag}/{attempt}]")
}

#[cfg(test)]
mod tests;
