//! What senders put on the wire, read into alerts: one file per sender. Pure.
//!
//! Lenient where a field is only told, strict where it identifies the alert. Signatures and headers are not its
//! business.

mod alertmanager;
mod cloudevents;
mod cloudwatch;
mod datadog;
mod detect;
mod fields;
mod generic;
mod grafana;
mod group;
mod opsgenie;
mod pagerduty;
mod problem;
mod sentry;

use serde_json::Value;

pub use problem::Problem;

use super::alert::{Alert, Format};
use crate::devin::surrogate::replace_halves;
use fields::Fields;

/// The largest payload that is read, in bytes: what PagerDuty sends at most.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;

/// How many alerts one payload may hold.
pub const MAX_ALERTS: usize = 1000;

/// What becomes of a payload with several alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// One alert for the group, as its sender grouped it.
    Group,
    /// One alert for each that fires, or for each when none does.
    PerAlert,
}

/// The alerts in a payload, in its order, at least one. Without a `format`, it is told by the payload's marks.
///
/// Only firing members of a mixed group count. With [`Grouping::PerAlert`] two alerts may share a dedupe key, when they
/// differ in ignored labels only.
///
/// # Errors
/// Why the payload is not taken.
pub fn read(format: Option<Format>, payload: &[u8], grouping: Grouping) -> Result<Vec<Alert>, Problem> {
    let value = parse(payload)?;
    let format = match format {
        Some(format) => format,
        None => detect::format(&value)?,
    };
    let fields = Fields { format, value: &value };
    match format {
        Format::Alertmanager => alertmanager::read(fields, grouping),
        Format::Grafana => grafana::read(fields, grouping),
        Format::PagerDuty => pagerduty::read(fields).map(one),
        Format::Sentry => sentry::read(fields).map(one),
        Format::Datadog => datadog::read(fields).map(one),
        Format::Opsgenie => opsgenie::read(fields).map(one),
        Format::CloudWatch => cloudwatch::read(fields),
        Format::CloudEvents => cloudevents::read(fields).map(one),
        Format::Generic => generic::read(fields).map(one),
    }
}

fn one(alert: Alert) -> Vec<Alert> {
    vec![alert]
}

/// The payload as a JSON object, without the byte order mark that some writers put before it.
fn parse(payload: &[u8]) -> Result<Value, Problem> {
    if payload.len() > MAX_BYTES {
        return Err(Problem::TooLarge { bytes: payload.len() });
    }
    let payload = payload.strip_prefix(b"\xef\xbb\xbf").unwrap_or(payload);
    if payload.trim_ascii().is_empty() {
        return Err(Problem::Empty);
    }
    let value = json(payload).map_err(|error| Problem::NotJson { line: error.line(), column: error.column() })?;
    let found = match &value {
        Value::Object(_) => return Ok(value),
        Value::Array(_) => "a list (give its items one by one)",
        Value::String(_) => "a text",
        Value::Number(_) => "a number",
        Value::Bool(_) | Value::Null => "a single word",
    };
    Err(Problem::NotAnObject { found })
}

/// Senders cut long texts, some of them in the middle of an emoji.
fn json(text: &[u8]) -> serde_json::Result<Value> {
    let mut text = text.to_vec();
    replace_halves(&mut text);
    serde_json::from_slice(&text)
}

#[cfg(test)]
mod tests;
