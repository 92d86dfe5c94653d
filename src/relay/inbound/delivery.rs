//! What one delivery of a sender holds: the alerts, and what was not taken with its reason. Pure.

use chrono::DateTime;
use serde_json::Value;

use super::Problem;
use super::fields::{Fields, moment};
use crate::relay::alert::{Alert, Format, State};

/// What one delivery holds.
#[derive(Debug, Default)]
pub struct Delivery {
    /// Who sent it, where all its parts are of one kind.
    pub sender: Option<Format>,
    /// When what it tells of happened, by the sender's clock; `None` where the sender does not say.
    pub occurred_at: Option<String>,
    /// The newest of the starts and ends that the alerts of a group tell. What the delivery tells is no older, and may be newer.
    pub newest_change: Option<String>,
    /// The sender's identifier of the delivery, the same when it is sent again; `None` where the sender has none.
    pub delivery_id: Option<String>,
    /// In the delivery's order; firing, resolved, and in between.
    pub alerts: Vec<Alert>,
    /// The parts that are no alert, or cannot be read.
    pub rejected: Vec<Rejected>,
    /// How many further alerts were counted only.
    pub more: usize,
}

/// A part of a delivery that was not taken.
#[derive(Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Its place in the delivery, from 1.
    pub place: usize,
    pub problem: Problem,
}

/// Headers that carry a delivery's identifier.
const DELIVERY_IDS: [&str; 5] =
    ["webhook-id", "request-id", "x-amz-sns-message-id", "x-github-delivery", "x-gitlab-event-uuid"];

/// Headers that say when a delivery was sent.
const TIMES: [&str; 3] = ["ce-time", "webhook-timestamp", "sentry-hook-timestamp"];

/// Where bodies say when what they tell of happened, beside the start of an alert.
const OCCURRED: [&str; 8] =
    ["event.occurred_at", "occurred_at", "time", "Timestamp", "timestamp", "StateChangeTime", "last_updated", "date"];

/// When a delivery's first object, or else its headers, say that it happened.
pub fn occurred_at(first: Option<&Value>, headers: &[(&str, &str)]) -> Option<String> {
    let in_body = |value| {
        let fields = Fields { format: Format::Any, value };
        OCCURRED.iter().find_map(|path| fields.moment(path))
    };
    first.and_then(in_body).or_else(|| moment(&header(headers, &TIMES)?))
}

/// The newest of the starts and ends that the alerts of a group tell. One that fires may name an end that is still to come.
pub fn newest_change(values: &[Value]) -> Option<String> {
    let groups = values.iter().map(|value| Fields { format: Format::Any, value });
    let alerts = groups.flat_map(|group| group.items("alerts").map(move |alert| (group, alert)));
    let changes = alerts.flat_map(|(group, alert)| {
        let state = alert.text("status").or_else(|| group.text("status"));
        let is_over = state.is_some_and(|word| State::from_word(&word) == State::Resolved);
        [alert.moment("startsAt"), alert.moment("endsAt").filter(|_| is_over)]
    });
    let dated = changes.flatten().filter_map(|text| Some((DateTime::parse_from_rfc3339(&text).ok()?, text)));
    dated.max().map(|(_, text)| text)
}

/// The delivery's identifier among its headers.
pub fn delivery_id(headers: &[(&str, &str)]) -> Option<String> {
    let of_event = || Some(of_event(&header(headers, &["ce-source"])?, &header(headers, &["ce-id"])?));
    header(headers, &DELIVERY_IDS).or_else(of_event)
}

/// The identifier of a delivery that is a CloudEvent, whose own is unique within its source only.
pub fn of_event(source: &str, id: &str) -> String {
    format!("{source} {id}")
}

fn header(headers: &[(&str, &str)], wanted: &[&str]) -> Option<String> {
    let find = |wanted: &&str| headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    wanted.iter().find_map(find).map(|(_, value)| value.trim().to_string()).filter(|value| !value.is_empty())
}
