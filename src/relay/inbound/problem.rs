//! Why a payload is not taken, in one sentence that quotes nothing of it. Pure.

use std::fmt;

use super::{MAX_ALERTS, MAX_BYTES};
use crate::relay::alert::Format;

/// Why a payload is not taken. Sending the same bytes again never helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// More than [`MAX_BYTES`]; a server answers 413.
    TooLarge {
        bytes: usize,
    },
    /// More than [`MAX_ALERTS`] in one payload; a server answers 413.
    TooManyAlerts {
        alerts: usize,
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
    /// No format's marks are all there. With the format that comes closest, and the first mark it lacks.
    UnknownShape {
        closest: Option<(Format, &'static str)>,
    },
    /// The format is known, but a field that identifies the alert is absent, empty, or of another type.
    Missing {
        format: Format,
        field: String,
    },
    /// A message that the sender sends beside its alerts.
    NotAnAlert {
        what: &'static str,
        remedy: &'static str,
    },
}

impl Problem {
    /// Whether there is too much of it, rather than something wrong with it.
    pub fn is_too_much(&self) -> bool {
        matches!(self, Problem::TooLarge { .. } | Problem::TooManyAlerts { .. })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::TooLarge { bytes } => {
                write!(formatter, "the payload has {bytes} bytes or more, of which at most {MAX_BYTES} are taken")
            }
            Problem::TooManyAlerts { alerts } => {
                write!(formatter, "the payload has {alerts} alerts, of which at most {MAX_ALERTS} are taken: let the sender group or cap them")
            }
            Problem::Empty => formatter.write_str("the payload is empty"),
            Problem::NotJson { line, column } => {
                write!(formatter, "the payload is not JSON in UTF-8: it cannot be read beyond line {line}, column {column}")
            }
            Problem::NotAnObject { found } => write!(formatter, "the payload is JSON, but {found} instead of an object"),
            Problem::UnknownShape { closest: Some((format, field)) } => write!(
                formatter,
                "the payload is of no known format: it comes closest to {format}, but has no {field} (name the format if it is another)"
            ),
            Problem::UnknownShape { closest: None } => formatter.write_str(
                "the payload is of no known format: it shares no field with any (the generic format needs only a title)",
            ),
            Problem::Missing { format, field } => {
                write!(formatter, "the payload cannot be read as {format}: {field} is missing, empty or of another type")
            }
            Problem::NotAnAlert { what, remedy } => {
                write!(formatter, "the payload is {what}, not an alert: {remedy}")
            }
        }
    }
}

impl std::error::Error for Problem {}
