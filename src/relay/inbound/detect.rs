//! Which sender a payload is from, by marks that no other sender's payload bears. Pure.

use serde_json::Value;

use super::{Fields, Problem};
use crate::relay::alert::Format;

/// The marks, in the order they are tried: a payload is of the first format whose fields are all there.
///
/// `=` asks for a value too. A format may have several rows.
pub(super) const MARKS: [(Format, &[&str]); 30] = [
    (Format::CloudEvents, &["specversion", "type", "source", "id"]),
    (Format::PagerDuty, &["event.event_type", "event.data"]),
    (Format::Sentry, &["action", "data.event"]),
    (Format::Sentry, &["action", "data.issue"]),
    (Format::Sentry, &["action", "data.metric_alert"]),
    (Format::Sentry, &["action", "data.error"]),
    (Format::Sentry, &["action", "data.comment"]),
    (Format::Sentry, &["action", "data.installation"]),
    (Format::Opsgenie, &["action", "alert.alertId"]),
    (Format::CloudWatch, &["Type", "TopicArn", "MessageId"]),
    (Format::CloudWatch, &["AlarmName", "NewStateValue"]),
    (Format::CloudWatch, &["AlarmArn", "NewStateValue"]),
    (Format::CloudWatch, &["Records.0.Sns"]),
    (Format::Grafana, &["alerts", "receiver", "orgId"]),
    (Format::Grafana, &["alerts", "receiver", "version=1"]),
    (Format::Grafana, &["ruleId", "state", "evalMatches"]),
    (Format::Grafana, &["ruleId", "state", "ruleName"]),
    (Format::Alertmanager, &["alerts", "receiver"]),
    (Format::Alertmanager, &["alerts", "groupKey"]),
    (Format::Datadog, &["alert_transition"]),
    (Format::Datadog, &["alert_cycle_key"]),
    (Format::Datadog, &["aggreg_key"]),
    (Format::Datadog, &["alert_title"]),
    (Format::Datadog, &["alert_id", "alert_type"]),
    (Format::Datadog, &["alert_id", "transition"]),
    (Format::Datadog, &["event_type", "last_updated", "org"]),
    (Format::Generic, &["data.type=incident", "data.attributes"]),
    (Format::Generic, &["data.id", "data.attributes.cause"]),
    (Format::Generic, &["type", "timestamp", "data.title"]),
    (Format::Generic, &["title"]),
];

/// The format whose marks `payload` bears.
///
/// # Errors
/// [`Problem::UnknownShape`], with the format of whose marks most are there.
pub fn format(payload: &Value) -> Result<Format, Problem> {
    let mut closest: Option<(usize, usize, Format, &'static str)> = None;
    for (format, marks) in MARKS {
        let fields = Fields { format, value: payload };
        let Some(missing) = marks.iter().find(|mark| !bears(fields, mark)) else {
            return Ok(format);
        };
        let (there, all) = (marks.iter().filter(|mark| bears(fields, mark)).count(), marks.len());
        let is_closer = closest.is_none_or(|(best, of, ..)| there * of > best * all);
        if there > 0 && is_closer {
            closest = Some((there, all, format, missing));
        }
    }
    let closest = closest.map(|(_, _, format, missing)| (format, missing));
    Err(Problem::UnknownShape { closest })
}

pub(super) fn bears(fields: Fields, mark: &str) -> bool {
    match mark.split_once('=') {
        Some((path, value)) => fields.text(path).as_deref() == Some(value),
        None => fields.at(mark).is_some(),
    }
}
