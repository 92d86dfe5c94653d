//! The fields of a settings file on their way to settings: where they come from, what form they must have, and all that is
//! wrong with them at once. Knows nothing of what the settings are for.

use std::io::Read as _;
use std::ops::RangeInclusive;
use std::path::Path;

use chrono::{DateTime, NaiveDateTime};
use serde_json::{Map, Value};

use super::secrets::secrets_of_text;
use super::{DEFAULT_API_URL, Error, SETTINGS, SHORTEST_REDACT_KEY};
use crate::devin::token::holds_key;
use crate::devin::{Token, base_address};
use redact::Redactor;

/// The form of `start_date`, as chrono and as people write it.
const START_DATE: (&str, &str) = ("%Y-%m-%dT%H:%M:%SZ", "YYYY-MM-DDTHH:MM:SSZ");

/// The file's fields on the way to settings, and what was wrong with them.
pub struct Fields {
    fields: Map<String, Value>,
    problems: Vec<String>,
    /// Knows the key, once it has been read: no problem may quote it.
    redactor: Redactor,
}

impl Fields {
    /// The file's fields; none when the environment has to do. `on_secret` is told of all that may be a key.
    pub fn read(
        path: Option<&Path>,
        variable: &dyn Fn(&str) -> Option<String>,
        on_secret: &dyn Fn(&str),
    ) -> Result<Fields, Error> {
        variable("DEVIN_API_KEY").as_deref().into_iter().for_each(on_secret);
        let fields = match path {
            Some(path) => read_object(path, on_secret)?,
            None if variable("DEVIN_API_KEY").is_none() => return Err(Error::Absent),
            None => Map::new(),
        };
        Ok(Fields { fields, problems: Vec::new(), redactor: Redactor::default() })
    }

    /// Names that are no settings, as far as they can be shown. A platform's own begin with `_`.
    pub fn unknown(&self) -> Vec<String> {
        let is_unknown = |name: &&String| !name.starts_with('_') && !SETTINGS.contains(&name.as_str());
        let shown = |name: &String| {
            if holds_key(name) { "****".to_string() } else { self.shown(name) }
        };
        self.fields.keys().filter(is_unknown).map(shown).collect()
    }

    /// The beginning of a text, without secrets: those go first, because half a key would not be recognized.
    fn shown(&self, text: &str) -> String {
        self.redactor.redact(text).chars().filter(|c| !c.is_control()).take(40).collect()
    }

    /// All problems at once.
    pub fn finish(self) -> Result<(), Error> {
        if self.problems.is_empty() { Ok(()) } else { Err(Error::Fields(self.problems)) }
    }

    /// A text field; `None` when it is absent or null, or no text, which is then a problem.
    pub fn text(&mut self, name: &str) -> Option<String> {
        match self.fields.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => {
                let problem = format!("{name} must be a string, but is {}", kind(other));
                self.problems.push(problem);
                None
            }
        }
    }

    /// A text field that the environment can fill in and that must not be empty. Empty after a problem.
    pub fn required(
        &mut self,
        name: &str,
        meaning: &str,
        fallback: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> String {
        let problems = self.problems.len();
        let value = self.text(name).or_else(|| if self.problems.len() == problems { variable(fallback) } else { None });
        match value {
            Some(value) if !value.trim().is_empty() => return value,
            Some(_) => self.problems.push(format!("{name} is empty: give {meaning}")),
            None if self.problems.len() == problems => {
                self.problems.push(format!("{name} is missing: give {meaning} there or in {fallback}"));
            }
            None => {}
        }
        String::new()
    }

    pub fn check_token(&mut self, token: &str) {
        self.redactor.add(token);
        if token.trim().starts_with(['"', '\'']) || token.trim().ends_with(['"', '\'']) {
            self.problems.push("api_token is in quotation marks: remove them".to_string());
            return;
        }
        if token.trim().chars().any(|c| !c.is_ascii_graphic()) {
            let problem = "api_token has spaces or other characters that no key has: copy the key again";
            self.problems.push(problem.to_string());
        }
    }

    pub fn check_org_id(&mut self, name: &str, org_id: &str) {
        let org_id = org_id.trim();
        if holds_key(org_id) {
            self.problems.push(format!("{name} is an API key: it must be the organization ID (org-…)"));
        } else if org_id.contains("://") {
            self.problems.push(format!("{name} is a URL: it must be the organization ID (org-…)"));
        } else if matches!(org_id, "." | "..")
            || org_id.chars().any(|c| c.is_control() || c.is_whitespace() || "/\\?#%,\"'".contains(c))
        {
            self.problems.push(format!("{name} is not an organization ID (org-…)"));
        }
    }

    /// What goes wrong with two settings together.
    pub fn problem(&mut self, problem: String) {
        self.problems.push(problem);
    }

    /// A date, of which there is one form.
    pub fn date(&mut self, name: &str) -> Option<i64> {
        // A form that is not filled in may send an empty text.
        let text = self.text(name).filter(|text| !text.is_empty())?;
        let read = NaiveDateTime::parse_from_str(&text, START_DATE.0).ok().map(|date| date.and_utc());
        // chrono also takes one-digit months and blanks; the form is fixed.
        match read.filter(|date: &DateTime<_>| date.format(START_DATE.0).to_string() == text) {
            Some(date) => Some(date.timestamp()),
            None => {
                let shown = self.shown(&text);
                let problem = format!("{name} must be a date in the form {}, in UTC, but is {shown:?}", START_DATE.1);
                self.problems.push(problem);
                None
            }
        }
    }

    pub fn api_url(&mut self, variable: &dyn Fn(&str) -> Option<String>) -> String {
        let text = self.text("api_url").filter(|text| !text.trim().is_empty());
        let text = text.or_else(|| variable("DEVIN_API_URL")).unwrap_or_else(|| DEFAULT_API_URL.to_string());
        match base_address(text.trim()) {
            Ok(address) => address,
            Err(problem) => {
                self.problems.push(format!("api_url {problem}"));
                String::new()
            }
        }
    }

    /// A list of texts that are not empty; a form that is not filled in may send null, or an empty text.
    pub fn list(&mut self, name: &str, form: &str) -> Vec<String> {
        let text = |value: &Value| value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_string);
        let texts = |values: &Vec<Value>| values.iter().map(text).collect();
        let list = match self.fields.get(name) {
            None | Some(Value::Null) => Some(Vec::new()),
            Some(Value::String(text)) if text.is_empty() => Some(Vec::new()),
            Some(Value::Array(values)) => texts(values),
            Some(_) => None,
        };
        list.unwrap_or_else(|| {
            self.problems.push(format!("{name} must be {form}"));
            Vec::new()
        })
    }

    /// The key of hashes, which is no API key and long enough.
    pub fn redact_key(&mut self) -> Option<Token> {
        let text = self.text("redact_key").filter(|text| !text.is_empty())?;
        if text.chars().count() >= SHORTEST_REDACT_KEY {
            self.redactor.add(&text);
        } else {
            self.problems.push(format!(
                "redact_key must have at least {SHORTEST_REDACT_KEY} characters: make one with openssl rand -hex 32, and keep it"
            ));
        }
        Some(Token::new(&text))
    }

    /// A setting that is on or off; off when it is absent.
    pub fn flag(&mut self, name: &str) -> bool {
        match self.fields.get(name) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                self.problems.push(format!("{name} must be true or false"));
                false
            }
        }
    }

    pub fn number(&mut self, name: &str, default: i64, range: RangeInclusive<i64>, form: &str) -> i64 {
        match self.fields.get(name) {
            None | Some(Value::Null) => default,
            Some(value) => match whole(value).filter(|number| range.contains(number)) {
                Some(number) => number,
                None => {
                    self.problems.push(format!("{name} must be {form}"));
                    default
                }
            },
        }
    }
}

/// Reads `path` as a JSON object.
fn read_object(path: &Path, on_secret: &dyn Fn(&str)) -> Result<Map<String, Value>, Error> {
    let name = path.display();
    let may_be_settings = name.to_string().contains(['{', '"']) || holds_key(&name.to_string());
    if may_be_settings && !path.exists() {
        return Err(Error::File("--config takes a file name, not the settings themselves".to_string()));
    }
    let text = if path == Path::new("-") {
        let mut text = Vec::new();
        std::io::stdin().read_to_end(&mut text).map(|_| text)
    } else {
        std::fs::read(path)
    };
    let text = text.map_err(|error| Error::File(format!("cannot read the configuration {name}: {error}")))?;
    let text =
        String::from_utf8(text).map_err(|_| Error::File(format!("the configuration {name} is not UTF-8 text")))?;
    secrets_of_text(&text).iter().for_each(|secret| on_secret(secret));
    match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(other) => {
            Err(Error::File(format!("the configuration {name} must be a JSON object, but is {}", kind(&other))))
        }
        Err(_) if text.trim().is_empty() => Err(Error::File(format!("the configuration {name} is empty"))),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            Err(Error::File(format!("the configuration {name} is not valid JSON (line {line}, column {column})")))
        }
    }
}

/// A whole number, also when it is written as `10.0`, which JSON Schema counts as an integer.
fn whole(value: &Value) -> Option<i64> {
    let written_as_float = || value.as_f64().filter(|number| number.fract() == 0.0).map(|number| number as i64);
    value.as_i64().or_else(written_as_float)
}

/// A JSON value's type, for people.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
