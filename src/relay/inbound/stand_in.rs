//! What stands in where a sender's own identifier is missing: the alert is read all the same, with a sentence on what
//! was missing. Pure.

use serde_json::Value;

use super::any;
use super::fields::Fields;
use super::problem::Problem;
use crate::relay::alert::{Alert, Format, Identity};

/// By what an alert is told from others.
pub struct Known {
    pub identity: Identity,
    /// What was missing, where something was.
    pub warning: Option<String>,
}

/// The sender's own identifier; without it, the title together with what says where it happened.
pub fn known(own: Option<Vec<String>>, field: &str, place: &[Option<String>], title: &str) -> Known {
    match own {
        Some(parts) => Known { identity: Identity::Own(parts), warning: None },
        None => {
            // What is missing of a place must not move the rest of it.
            let place: Vec<&str> = place.iter().map(|part| part.as_deref().unwrap_or_default()).collect();
            let identity = Identity::Title { source: place.join("\n"), title: title.to_string() };
            let warning = format!("{field} is missing, so the alert is told from others by its title and where it is");
            Known { identity, warning: Some(warning) }
        }
    }
}

/// An alert that cannot be read as its sender's, read by the names of its fields.
pub fn by_names(value: &Value, problem: &Problem) -> Alert {
    let mut alert = any::read(Fields { format: Format::Any, value });
    alert.warnings.push(format!("{problem}, so it was read by the names of its fields"));
    // Sentry's messages hold the requests of users: what is not asked for by name is not told.
    if matches!(problem, Problem::Missing { format: Format::Sentry, .. }) {
        alert.annotations.clear();
    }
    alert
}

/// The same where something is missing and the message is an alert for sure.
///
/// # Errors
/// The problem, where it is another one, or nothing says for sure that it is an alert.
pub fn instead(value: &Value, problem: Problem) -> Result<Alert, Problem> {
    let is_missing = matches!(problem, Problem::Missing { .. });
    if is_missing && any::is_sure(Fields { format: Format::Any, value }) {
        Ok(by_names(value, &problem))
    } else {
        Err(problem)
    }
}
