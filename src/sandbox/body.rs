//! What a request's body must look like, as tables of fields; every mistake is told, not only the first.

use hyper::StatusCode;
use serde_json::{Map, Value, json};

use super::problem::{Invalid, Problem};

/// How many tags a session may carry.
pub const MOST_TAGS: usize = 50;

/// How a tag begins that picks a scenario.
pub const SCENARIO_TAG: &str = "scenario:";

const LONGEST_URL: usize = 2_083;
const LONGEST_SECRET_NAME: usize = 256;
const LONGEST_SECRET: usize = 65_536;
const LONGEST_SCHEMA: usize = 64 * 1024;

/// One field of a body. Fields that no table names are ignored.
pub struct Field {
    name: &'static str,
    kind: Kind,
    /// A required field may be neither absent nor null.
    is_required: bool,
}

/// What a field may hold.
#[derive(Clone, Copy)]
pub enum Kind {
    /// A text of at least this many characters besides white space, and of any length.
    Text {
        shortest: usize,
    },
    /// Texts that are short names.
    Texts,
    /// At most [`MOST_TAGS`] texts.
    Tags,
    Urls,
    Integer,
    Boolean,
    /// A JSON Schema: an object of bounded size.
    Schema,
    /// One of certain words.
    Word(&'static [&'static str]),
    /// `{key, value, sensitive}`, as often as wanted.
    Secrets,
}

pub const fn required(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, is_required: true }
}

pub const fn optional(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, is_required: false }
}

/// Reads a body that must be an object with these fields.
///
/// # Errors
/// 400 when it is no JSON, 422 with every mistake when it is JSON of another shape.
pub fn read(body: &[u8], fields: &[Field]) -> Result<Map<String, Value>, Problem> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the request body is not JSON"))?;
    let mut mistakes = Mistakes(Vec::new());
    let Value::Object(object) = value else {
        let message = "Input should be a valid dictionary or object to extract fields from";
        mistakes.add(json!(["body"]), "model_attributes_type", message, &value);
        return Err(Problem::invalid_body(mistakes.0));
    };
    mistakes.find(&json!(["body"]), &object, fields);
    if mistakes.0.is_empty() { Ok(object) } else { Err(Problem::invalid_body(mistakes.0)) }
}

/// The texts of a list that was checked before; none when it is absent or null.
pub fn texts(object: &Map<String, Value>, name: &str) -> Vec<String> {
    let values = object.get(name).and_then(Value::as_array).into_iter().flatten();
    values.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A text that was checked before; `None` when it is absent or null.
pub fn text(object: &Map<String, Value>, name: &str) -> Option<String> {
    object.get(name).and_then(Value::as_str).map(str::to_owned)
}

struct Mistakes(Vec<Invalid>);

impl Mistakes {
    fn add(&mut self, loc: Value, kind: &'static str, message: impl Into<String>, input: &Value) {
        self.0.push(Invalid { loc, input: input.clone(), kind, message: message.into() });
    }

    fn find(&mut self, loc: &Value, object: &Map<String, Value>, fields: &[Field]) {
        for field in fields {
            let loc = below(loc, field.name.into());
            match object.get(field.name) {
                None if field.is_required => self.add(loc, "missing", "Field required", &Value::Null),
                None => {}
                Some(Value::Null) if !field.is_required => {}
                Some(value) => self.check(loc, value, field.kind),
            }
        }
    }

    fn check(&mut self, loc: Value, value: &Value, kind: Kind) {
        match kind {
            Kind::Text { shortest } => self.check_text(loc, value, shortest, usize::MAX),
            Kind::Texts => self.check_each(&loc, value, |all, loc, value| all.check_text(loc, value, 0, usize::MAX)),
            Kind::Urls => self.check_each(&loc, value, |all, loc, value| all.check_text(loc, value, 1, LONGEST_URL)),
            Kind::Secrets => self.check_each(&loc, value, Mistakes::check_secret),
            Kind::Tags => {
                let count = value.as_array().map_or(0, Vec::len);
                if count > MOST_TAGS {
                    let message = format!("List should have at most {MOST_TAGS} items after validation, not {count}");
                    // Without the input: it is long, and the client has it.
                    return self.add(loc, "too_long", message, &Value::Null);
                }
                self.check(loc, value, Kind::Texts);
            }
            Kind::Integer if value.is_i64() => {}
            Kind::Integer => self.add(loc, "int_type", "Input should be a valid integer", value),
            Kind::Boolean if value.is_boolean() => {}
            Kind::Boolean => self.add(loc, "bool_type", "Input should be a valid boolean", value),
            Kind::Schema if !value.is_object() => {
                self.add(loc, "dict_type", "Input should be a valid dictionary", value);
            }
            Kind::Schema if value.to_string().len() > LONGEST_SCHEMA => {
                self.add(loc, "value_error", "Value error, the schema is larger than 64 KB", &Value::Null);
            }
            Kind::Schema => {}
            Kind::Word(known) if value.as_str().is_some_and(|word| known.contains(&word)) => {}
            Kind::Word(known) => {
                self.add(loc, "enum", format!("Input should be one of: {}", known.join(", ")), value);
            }
        }
    }

    fn check_text(&mut self, loc: Value, value: &Value, shortest: usize, longest: usize) {
        let Some(text) = value.as_str() else {
            return self.add(loc, "string_type", "Input should be a valid string", value);
        };
        if text.trim().chars().count() < shortest {
            let message = format!("String should have at least {shortest} character");
            self.add(loc, "string_too_short", message, value);
        } else if text.len() > longest && text.chars().count() > longest {
            let message = format!("String should have at most {longest} characters");
            self.add(loc, "string_too_long", message, &Value::Null);
        }
    }

    fn check_secret(&mut self, loc: Value, value: &Value) {
        let Some(secret) = value.as_object() else {
            return self.add(loc, "dict_type", "Input should be a valid dictionary", value);
        };
        for (name, shortest, longest) in [("key", 1, LONGEST_SECRET_NAME), ("value", 0, LONGEST_SECRET)] {
            let loc = below(&loc, name.into());
            match secret.get(name) {
                None => self.add(loc, "missing", "Field required", &Value::Null),
                Some(value) => self.check_text(loc, value, shortest, longest),
            }
        }
        self.find(&loc, secret, &[optional("sensitive", Kind::Boolean)]);
    }

    fn check_each(&mut self, loc: &Value, value: &Value, check: impl Fn(&mut Mistakes, Value, &Value)) {
        let Some(items) = value.as_array() else {
            return self.add(loc.clone(), "list_type", "Input should be a valid list", value);
        };
        for (place, item) in items.iter().enumerate() {
            check(self, below(loc, place.into()), item);
        }
    }
}

/// The location of something inside the thing at this one.
fn below(loc: &Value, inside: Value) -> Value {
    let mut steps = loc.as_array().cloned().unwrap_or_default();
    steps.push(inside);
    Value::Array(steps)
}
