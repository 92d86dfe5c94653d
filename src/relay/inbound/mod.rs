//! What senders put on the wire, read into alerts: one file per sender. Pure.
//!
//! Lenient where a field is only told, strict where it identifies the alert. Signatures and headers are not its
//! business.

mod alertmanager;
mod any;
mod cloudevents;
mod cloudwatch;
mod datadog;
mod delivery;
mod encoded;
mod event_type;
mod fields;
pub mod form;
mod generic;
mod grafana;
mod group;
mod incidentio;
mod leaves;
mod lenient;
mod mapping;
mod names;
mod opsgenie;
mod pagerduty;
mod problem;
pub mod senders;
mod sentry;
mod slack;
mod stand_in;
mod teams;

use serde_json::Value;

pub use delivery::{Delivery, Rejected, delivery_id};
pub use group::severity as severity_of;
pub use mapping::Mapping;
pub use problem::Problem;

use super::alert::{Alert, Format};
use super::engine::Allowance;
use crate::devin::surrogate::replace_halves;
use fields::Fields;

/// The largest payload that is read, in bytes: a group of thousands of alerts with long descriptions.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// How many alerts of one payload are taken; further ones are counted.
pub const MAX_ALERTS: usize = 1000;

/// What becomes of a payload with several alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// One alert for the group, as its sender grouped it.
    Group,
    /// Each alert of a group for itself.
    PerAlert,
}

/// How a delivery is to be read.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// The sender; `None` to tell it by the payload's marks.
    pub format: Option<Format>,
    pub grouping: Grouping,
    /// Where the values stand, in place of a format.
    pub mapping: Option<&'a Mapping>,
}

/// What a delivery holds. Several objects one after the other, and the items of a list, are read one by one; one that
/// is not taken does not cost the others.
///
/// # Errors
/// Why nothing of it is taken.
pub fn read(payload: &[u8], headers: &[(&str, &str)], reading: Reading) -> Result<Delivery, Problem> {
    let values = parse(payload)?;
    let sent_id = delivery::delivery_id(headers);
    let mut delivery = Delivery {
        delivery_id: sent_id.clone(),
        occurred_at: delivery::occurred_at(values.first(), headers),
        newest_change: delivery::newest_change(&values),
        ..Delivery::default()
    };
    let mut allowance = Allowance::of_a_delivery();
    for (value, place) in values.iter().zip(1..) {
        let found = match value.is_object() {
            true => read_one(value, reading, &mut allowance, &mut delivery),
            false => Err(not_an_object(value)),
        };
        if let Err(problem) = found {
            delivery.rejected.push(Rejected { place, problem });
        }
    }
    if values.len() > 1 {
        // What identifies one of several does not identify the delivery.
        delivery.delivery_id = sent_id;
    }
    if delivery.alerts.is_empty() && !delivery.rejected.is_empty() {
        return Err(delivery.rejected.swap_remove(0).problem);
    }
    delivery.alerts.iter_mut().for_each(leave_out_silences);
    let sender = delivery.alerts.first().map(|alert| alert.format);
    delivery.sender = sender.filter(|sender| delivery.alerts.iter().all(|alert| alert.format == *sender));
    delivery.more += delivery.alerts.len().saturating_sub(MAX_ALERTS);
    delivery.alerts.truncate(MAX_ALERTS);
    Ok(delivery)
}

fn read_one(
    value: &Value,
    reading: Reading,
    allowance: &mut Allowance,
    delivery: &mut Delivery,
) -> Result<(), Problem> {
    if let Some(mapping) = reading.mapping {
        mapping.read(value, allowance, delivery);
        return Ok(());
    }
    let sender = match reading.format {
        Some(format) => senders::by_name(format.name()),
        None => senders::of(value),
    };
    let Some(sender) = sender else {
        // What a queue or a topic hands on is its sender's.
        if let Some(carried) = any::carried(value).filter(|carried| senders::of(carried).is_some()) {
            return read_one(&carried, reading, allowance, delivery);
        }
        let fields = Fields { format: Format::Any, value };
        return if any::is_sure(fields) {
            any::read_each(fields, delivery)
        } else {
            Err(Problem::UnknownShape { found: any::found(fields) })
        };
    };
    sender.read(value, reading.grouping, delivery)
}

/// Leaves out the lines of texts that lead to the page that silences an alert, as Grafana's default message has them.
fn leave_out_silences(alert: &mut Alert) {
    let is_kept = |line: &&str| {
        let line = line.trim_start().to_ascii_lowercase();
        !(line.contains("/silence/new?") || line.starts_with("silence") && line.contains("://"))
    };
    let members = alert.members.iter_mut().flat_map(|member| member.annotations.values_mut());
    for text in alert.annotations.values_mut().chain(members).chain([&mut alert.message]) {
        if !text.lines().all(|line| is_kept(&line)) {
            *text = text.lines().filter(is_kept).collect::<Vec<_>>().join("\n");
        }
    }
}

/// The objects of a payload, without the byte order mark that some writers put before it.
fn parse(payload: &[u8]) -> Result<Vec<Value>, Problem> {
    if payload.len() > MAX_BYTES {
        return Err(Problem::TooLarge { bytes: payload.len() });
    }
    let payload = payload.strip_prefix(b"\xef\xbb\xbf").unwrap_or(payload);
    if payload.trim_ascii().is_empty() {
        return Err(Problem::Empty);
    }
    let form = form::payload(payload);
    let text = readable(form.as_deref().unwrap_or(payload));
    let mut values = Vec::new();
    for value in serde_json::Deserializer::from_slice(&text).into_iter::<Value>() {
        match value {
            Ok(Value::Array(items)) if !items.is_empty() => values.extend(items),
            Ok(value) => values.push(value),
            Err(error) => return Err(Problem::NotJson { line: error.line(), column: error.column() }),
        }
    }
    Ok(values)
}

fn not_an_object(value: &Value) -> Problem {
    let found = match value {
        Value::Array(items) if items.is_empty() => {
            return Problem::NotAnAlert { what: "an empty list", remedy: "it tells of nothing" };
        }
        Value::Array(_) => "a list in a list",
        Value::String(_) => "a text",
        Value::Number(_) => "a number",
        _ => "a single word",
    };
    Problem::NotAnObject { found }
}

/// The text as JSON in UTF-8: bytes of another encoding are replaced, and what nests too deep or is too large a number
/// to be read does not cost the rest.
fn readable(payload: &[u8]) -> Vec<u8> {
    let mut text = lenient::tamed(&String::from_utf8_lossy(payload)).into_bytes();
    replace_halves(&mut text);
    text
}

/// Senders cut long texts, some of them in the middle of an emoji.
fn json(text: &[u8]) -> serde_json::Result<Value> {
    let mut text = text.to_vec();
    replace_halves(&mut text);
    serde_json::from_slice(&text)
}

#[cfg(test)]
mod tests;
