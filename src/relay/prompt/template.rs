//! A prompt template in the language of Jinja, in which an unknown name is an error. Pure.

use std::fmt;

use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value, value::Serde};

use super::facts::{Facts, VARIABLES};

/// The one template of an environment.
const NAME: &str = "prompt";

/// A template that was understood, and names only what there is.
#[derive(Debug)]
pub struct Template {
    environment: Environment<'static>,
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
}

impl Template {
    /// Reads a template; [`VARIABLES`] are what it may name.
    ///
    /// # Errors
    /// When its syntax is wrong, or it names a variable that no alert has, or a filter that does not exist; the latter
    /// as far as rendering an example shows.
    pub fn parse(text: &str) -> Result<Template, TemplateProblem> {
        let mut environment = Environment::new();
        let wrong = |error: Error| TemplateProblem::Syntax { line: line(&error), detail: detail(&error) };
        environment.add_template_owned(NAME, text.to_string()).map_err(wrong)?;
        let mut template = Template { environment };
        if let Some((line, name)) = template.first_unknown(text) {
            return Err(TemplateProblem::UnknownVariable { line, name });
        }
        template.environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        if let Err(error) = template.render_with(&Facts::example())
            && matches!(error.kind(), ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction)
        {
            return Err(wrong(error));
        }
        template.environment.set_undefined_behavior(UndefinedBehavior::Strict);
        Ok(template)
    }

    /// The prompt for one alert.
    ///
    /// # Errors
    /// When it names a label or field that this alert lacks, or renders to nothing.
    pub(super) fn render(&self, facts: &Facts) -> Result<String, TemplateProblem> {
        let failed = |error: Error| TemplateProblem::Render { line: line(&error), detail: detail(&error) };
        let rendered = self.render_with(facts).map_err(failed)?;
        match rendered.trim() {
            "" => Err(TemplateProblem::Empty),
            prompt => Ok(prompt.to_string()),
        }
    }

    fn render_with(&self, facts: &Facts) -> Result<String, Error> {
        self.environment.get_template(NAME)?.render(Value::from(Serde(facts)))
    }

    fn first_unknown(&self, text: &str) -> Option<(usize, String)> {
        let globals: Vec<&str> = self.environment.globals().map(|(name, _)| name).collect();
        let named = self.environment.get_template(NAME).ok()?.undeclared_variables(false);
        let unknown =
            named.into_iter().filter(|name| !VARIABLES.contains(&name.as_str()) && !globals.contains(&name.as_str()));
        unknown.map(|name| (line_of(text, &name), name)).min()
    }
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
            TemplateProblem::Render { line, detail } => write!(
                formatter,
                "the prompt template does not fit this alert, in line {line}: {detail} (what an alert may lack needs a default filter)"
            ),
            TemplateProblem::Empty => formatter.write_str("the prompt template renders to nothing for this alert"),
        }
    }
}

impl std::error::Error for TemplateProblem {}

fn line(error: &Error) -> usize {
    error.line().unwrap_or(1)
}

fn detail(error: &Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

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
