//! Why a payload is not taken, in one sentence that quotes nothing of it. Pure.

use std::fmt;

use super::MAX_BYTES;
use crate::relay::alert::Format;

/// Why a payload is not taken. Sending the same bytes again never helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// More than [`MAX_BYTES`]; a server answers 413.
    TooLarge {
        bytes: usize,
    },
    /// No bytes but white space.
    Empty,
    NotJson {
        line: usize,
        column: usize,
    },
    /// JSON, but not an object.
    NotAnObject {
        found: &'static str,
    },
    /// No format's marks are all there, and nothing says for sure that it is an alert. With the paths under which a title,
    /// a status, a severity, or a link was found.
    UnknownShape {
        found: Vec<(&'static str, String)>,
    },
    /// The format is known, but a field that identifies the alert is absent, empty, or of another type.
    Missing {
        format: Format,
        field: String,
    },
    /// A template of the mapping goes beyond what it may take, alone or with the others over one delivery. So many further
    /// parts are not taken for the same reason.
    TooCostly {
        field: String,
        more: usize,
    },
    /// A message that the sender sends beside its alerts.
    NotAnAlert {
        what: &'static str,
        remedy: &'static str,
    },
}

impl Problem {
    /// The mapping, on one line, that takes a payload of no known sender by what was found in it; `None` where there is
    /// nothing like a title, or for another problem.
    pub fn mapping(&self) -> Option<String> {
        let Problem::UnknownShape { found } = self else { return None };
        let safe: Vec<_> = found.iter().filter(|(_, path)| is_safe(path)).collect();
        let has_title = safe.iter().any(|(name, _)| *name == "title");
        let fields: Vec<String> = safe.into_iter().map(|(name, path)| format!("{name}: \"{path}\"")).collect();
        has_title.then(|| format!("{{{}}}", fields.join(", ")))
    }

    /// Whether there is too much of it, rather than something wrong with it.
    pub fn is_too_much(&self) -> bool {
        matches!(self, Problem::TooLarge { .. })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::TooLarge { bytes } => {
                write!(formatter, "the payload has {bytes} bytes or more, of which at most {MAX_BYTES} are taken")
            }
            Problem::Empty => formatter.write_str("the payload is empty"),
            Problem::NotJson { line, column } => {
                write!(
                    formatter,
                    "the payload is not JSON in UTF-8: it cannot be read beyond line {line}, column {column}"
                )
            }
            Problem::NotAnObject { found } => {
                write!(formatter, "the payload is JSON, but {found} instead of an object")
            }
            Problem::UnknownShape { .. } => formatter
                .write_str("the payload is of no known sender, and nothing in it says for sure that it is an alert"),
            Problem::Missing { format, field } => {
                write!(
                    formatter,
                    "the payload cannot be read as {format}: {field} is missing, empty or of another type"
                )
            }
            Problem::TooCostly { field, more } => {
                let more = match more {
                    0 => String::new(),
                    1 => ", and so is the part after it".to_string(),
                    more => format!(", and so are the {more} parts after it"),
                };
                write!(
                    formatter,
                    "the mapping's template for {field} goes beyond what the templates of a delivery may take{more}: shorten its loops"
                )
            }
            Problem::NotAnAlert { what, remedy } => {
                write!(formatter, "the payload is {what}, not an alert: {remedy}")
            }
        }
    }
}

impl std::error::Error for Problem {}

/// Whether a path can stand in a command line: names of letters, digits and underscores, and places in lists.
fn is_safe(path: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let is_plain = |name: &str| is_name(name) || !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    path.len() <= 60 && path.split('.').all(is_plain)
}
