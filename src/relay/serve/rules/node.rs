//! YAML as a tree that knows where everything stands. Pure.

mod syntax;

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};
use serde_saphyr::{Error, Location, Spanned};

use super::Problem;
use super::shown::shown;

/// The largest file that is read, in bytes.
const LARGEST: usize = 1024 * 1024;

/// The most values and keys, each counted as often as an anchor repeats it.
const MOST_NODES: usize = 50_000;

/// A value, and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub at: Position,
    pub value: Value,
}

/// A place in the file; both numbers begin at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: u64,
    /// In characters.
    pub column: u64,
}

impl Position {
    /// Where one is named in a sentence about another.
    pub fn in_short(self) -> String {
        format!("line {}", self.line)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}, column {}", self.line, self.column)
    }
}

impl From<Location> for Position {
    fn from(location: Location) -> Position {
        Position { line: location.line(), column: location.column() }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    /// From 0, whole.
    Number(u64),
    /// Another number.
    Decimal(f64),
    Text(String),
    List(Vec<Node>),
    /// The keys with the places that they stand at, in the file's order.
    Map(Vec<(String, Position, Node)>),
}

impl Node {
    /// Reads a text.
    ///
    /// # Errors
    /// Where it is not YAML. Nothing of it is quoted but a key that stands there twice.
    pub fn parse(yaml: &str) -> Result<Node, Problem> {
        let refused = |at, message: &str| Problem { at, key: String::new(), message: message.to_string() };
        if yaml.len() > LARGEST {
            return Err(refused(None, "is larger than 1 MiB, which no rules file is"));
        }
        if yaml.lines().all(|line| line.trim_start().is_empty() || line.trim_start().starts_with('#')) {
            return Err(refused(None, "is empty: it needs at least routes and integrations"));
        }
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! { max_nodes: MOST_NODES },
            strict_booleans: true,
            with_snippet: false,
            emit_comments: false,
        };
        let spanned = serde_saphyr::from_str_with_options::<Spanned<Value>>(yaml, options);
        spanned.map(Node::from).map_err(|error| {
            let at = error.location().map(Position::from);
            let number = at.and_then(|at| usize::try_from(at.line).ok()).unwrap_or_default();
            let line = yaml.lines().nth(number.saturating_sub(1)).unwrap_or_default();
            match error.without_snippet() {
                Error::DuplicateMappingKey { key: Some(key), .. } => {
                    refused(at, &format!("has the key {:?} twice in one place", shown(key)))
                }
                Error::DuplicateMappingKey { .. } => refused(at, "has a key twice in one place"),
                Error::UnknownAnchor { .. } => refused(at, "names an anchor (*NAME) that it does not have"),
                Error::Budget { .. }
                | Error::AliasReplayLimitExceeded { .. }
                | Error::AliasExpansionLimitExceeded { .. }
                | Error::AliasReplayStackDepthExceeded { .. }
                | Error::AliasError { .. } => refused(at, "nests too deep, or repeats too much by its anchors"),
                Error::MultipleDocuments { .. } => refused(at, "holds several documents (---): keep one"),
                Error::ExternalMessage { msg, .. } => refused(at, syntax::meaning(msg, line)),
                _ => refused(at, syntax::meaning("", line)),
            }
        })
    }

    /// What it is, for people.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "empty",
            Value::Bool(_) => "true or false",
            Value::Number(_) | Value::Decimal(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// The same as JSON, without the lines.
    pub fn json(&self) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::from(*value),
            Value::Number(value) => Json::from(*value),
            Value::Decimal(value) => Json::from(*value),
            Value::Text(text) => Json::from(text.as_str()),
            Value::List(items) => items.iter().map(Node::json).collect(),
            Value::Map(entries) => {
                let entries = entries.iter().map(|(key, _, node)| (key.clone(), node.json()));
                Json::Object(entries.collect::<Map<String, Json>>())
            }
        }
    }
}

impl From<Spanned<Value>> for Node {
    fn from(spanned: Spanned<Value>) -> Node {
        Node { at: spanned.referenced.into(), value: spanned.value }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Value;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
                Ok(Value::Bool(value))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
                Ok(Value::Number(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
                Ok(u64::try_from(value).map_or(Value::Decimal(value as f64), Value::Number))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
                Ok(Value::Decimal(value))
            }

            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.to_string()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element::<Spanned<Value>>()? {
                    list.push(Node::from(item));
                }
                Ok(Value::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
                let mut map = Vec::new();
                while let Some(key) = entries.next_key::<Spanned<String>>()? {
                    let value = entries.next_value::<Spanned<Value>>()?;
                    map.push((key.value, key.referenced.into(), Node::from(value)));
                }
                Ok(Value::Map(map))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_knows_its_place() {
        let node = Node::parse("# first\na: &x\n  b: on\nc:\n  - 1\n  - -2.5\nd: *x\ne:\n").unwrap();
        let Value::Map(entries) = &node.value else { panic!("{node:?}") };
        let of = |at: Position| (at.line, at.column);
        let places: Vec<_> = entries.iter().map(|(key, at, node)| (key.as_str(), of(*at), of(node.at))).collect();
        assert_eq!(
            places,
            [("a", (2, 1), (3, 3)), ("c", (4, 1), (5, 3)), ("d", (7, 1), (7, 4)), ("e", (8, 1), (8, 2))]
        );
        insta::assert_snapshot!(node.json(), @r#"{"a":{"b":"on"},"c":[1,-2.5],"d":{"b":"on"},"e":null}"#);
    }

    #[test]
    fn what_is_not_yaml_is_told_with_its_place_and_without_its_text() {
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
        let deep = "[".repeat(5000);
        let cases = [
            "",
            "# only\n \n",
            "a: 1\na: 2\n",
            "a: hunter2 : x\n b",
            "a: [hunter2",
            "a: *hunter2",
            "a: 1\n---\nb: 2\n",
            "a:\n\thunter2: 1",
            "a:\n  - x\n hunter2: 1",
            "a:\n  b: 1\n c: hunter2",
            "a: 'hunter2\nb: 1",
            "a: {b: hunter2\nc: 1",
            "a: {{ hunter2 }}/x",
            "a: [{{ hunter2 }}]",
            "a: @hunter2",
            "a: %hunter2",
            "a: \"hunter2\\d\"",
            "a: |\n   b\n  hunter2\n c",
            "a: hunter2: b",
            "a: hunter2]\n- b",
            "- hunter2\nb: 1",
            "a: &\n",
            "hunter2\nb: 1",
            bomb,
            &deep,
        ];
        let told = cases.map(|yaml| Node::parse(yaml).unwrap_err().to_string());
        assert!(told.iter().all(|said| !said.contains("hunter2")), "{told:?}");
        insta::assert_snapshot!(told.join("\n"));
    }
}
