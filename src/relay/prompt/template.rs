//! A prompt template in the language of Jinja, in which an unknown name is an error. Pure.

use std::fmt;

use minijinja::{Environment, UndefinedBehavior, Value, value::Serde};

use super::facts::{Facts, VARIABLES};
use crate::relay::engine::{self, Allowance, Fault};

/// A template that was understood, and names only what there is.
#[derive(Debug, Clone)]
pub struct Template {
    text: String,
}

/// What is wrong with a template. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateProblem {
    Syntax {
        line: usize,
        detail: String,
    },
    UnknownVariable {
        line: usize,
        name: String,
    },
    /// It cannot be rendered for this alert: a label it names is missing, for example.
    Render {
        line: usize,
        detail: String,
    },
    /// It renders to white space.
    Empty,
    /// It renders to so many bytes more than a prompt may have, however little of the alert's text stands in it.
    TooLarge {
        over: usize,
    },
}

impl Template {
    /// Reads a template; [`VARIABLES`] are what it may name.
    ///
    /// # Errors
    /// When its syntax is wrong, or it names a variable that no alert has, or a filter that does not exist; the latter
    /// as far as rendering an example shows.
    pub fn parse(text: &str) -> Result<Template, TemplateProblem> {
        let wrong = |fault: Fault| TemplateProblem::Syntax { line: fault.line, detail: fault.detail };
        engine::check(text).map_err(wrong)?;
        if let Some((line, name)) = first_unknown(text) {
            return Err(TemplateProblem::UnknownVariable { line, name });
        }
        let example = Facts::example();
        let mut allowance = Allowance::of_a_template();
        match engine::render(text, Value::from(Serde(&example)), UndefinedBehavior::Chainable, &mut allowance) {
            Err(fault) if fault.is_unknown_name => Err(wrong(fault)),
            _ => Ok(Template { text: text.to_string() }),
        }
    }

    /// Its own text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The prompt for one alert.
    ///
    /// # Errors
    /// When it names a label or field that this alert lacks, goes beyond a limit, or renders to nothing.
    pub(super) fn render(&self, facts: &Facts) -> Result<String, TemplateProblem> {
        let failed = |fault: Fault| TemplateProblem::Render { line: fault.line, detail: fault.detail };
        let (root, mut allowance) = (Value::from(Serde(facts)), Allowance::of_a_template());
        let rendered = engine::render(&self.text, root, UndefinedBehavior::Strict, &mut allowance).map_err(failed)?;
        match rendered.trim() {
            "" => Err(TemplateProblem::Empty),
            prompt => Ok(prompt.to_string()),
        }
    }
}

/// What a template names, with dots: `title`, `labels.region`.
pub fn named(text: &str) -> Vec<String> {
    let environment = Environment::empty();
    let template = environment.template_from_str(text);
    template.map(|template| template.undeclared_variables(true).into_iter().collect()).unwrap_or_default()
}

/// The first variable that no alert has, and its line.
pub fn first_unknown(text: &str) -> Option<(usize, String)> {
    let environment = Environment::empty();
    let named = environment.template_from_str(text).ok()?.undeclared_variables(false);
    let is_known = |name: &str| VARIABLES.contains(&name) || engine::FUNCTIONS.contains(&name);
    let unknown = named.into_iter().filter(|name| !is_known(name));
    unknown.map(|name| (line_of(text, &name), name)).min()
}

impl fmt::Display for TemplateProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TemplateProblem::Syntax { line, detail } => {
                write!(formatter, "the prompt template is wrong in line {line}: {detail}")
            }
            TemplateProblem::UnknownVariable { line, name } => {
                write!(
                    formatter,
                    "the prompt template names {name} in line {line}, which does not exist; there are {}",
                    VARIABLES.join(", ")
                )
            }
            TemplateProblem::Render { line, detail } => {
                write!(formatter, "the prompt template fails on this alert, in line {line}: {detail}")?;
                if detail.contains("undefined") {
                    formatter.write_str(
                        " (give what an alert may lack a default: {{ labels.region | default('unknown') }})",
                    )?;
                }
                Ok(())
            }
            TemplateProblem::Empty => formatter.write_str("the prompt template renders to nothing for this alert"),
            TemplateProblem::TooLarge { over } => write!(
                formatter,
                "the prompt is {over} bytes longer than the {} KiB that it may have, however much the alert is cut: shorten the template",
                super::LONGEST_PROMPT / 1024
            ),
        }
    }
}

impl std::error::Error for TemplateProblem {}

/// The first line in which `name` stands as a word inside `{{ }}` or `{% %}`; 1 when there is none.
fn line_of(text: &str, name: &str) -> usize {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
    for (at, _) in text.match_indices(name) {
        let opened = text[..at].rfind("{{").max(text[..at].rfind("{%"));
        let closed = text[..at].rfind("}}").max(text[..at].rfind("%}"));
        let is_word = !text[..at].bytes().next_back().is_some_and(is_part)
            && !text[at + name.len()..].bytes().next().is_some_and(|byte| is_part(byte) && byte != b'.');
        if is_word && opened.is_some() && opened > closed {
            return text[..at].matches('\n').count() + 1;
        }
    }
    1
}
