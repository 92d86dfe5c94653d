//! What is wrong with a place in a rules file, as a person is told it. Pure.

use std::fmt;

use super::node::Position;

/// What is wrong with a place in the file, or likely to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// `None` where the file as a whole is meant.
    pub at: Option<Position>,
    /// The keys that lead there: `routes[0].auth`; empty where none does.
    pub key: String,
    /// The end of a sentence that begins with the key.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = self.at {
            write!(formatter, "{at}: ")?;
        }
        match self.key.as_str() {
            "" => write!(formatter, "the rules file {}", self.message),
            key => write!(formatter, "{key} {}", self.message),
        }
    }
}
