//! Which sender a payload is from, by marks that no other sender's payload bears. Pure.

use serde_json::Value;

use super::{Fields, Problem, any};
use crate::relay::alert::Format;

/// The marks, in the order they are tried: a payload is of the first format whose fields are all there.
///
/// `=` asks for a value too. A format may have several rows.
pub(super) const MARKS: [(Format, &[&str]); 46] = [
    (Format::CloudEvents, &["specversion", "type", "source", "id"]),
    (Format::PagerDuty, &["event.event_type", "event.data"]),
    (Format::Sentry, &["action", "data.event"]),
    (Format::Sentry, &["action", "data.issue", "installation"]),
    (Format::Sentry, &["action", "data.issue.shortId"]),
    (Format::Sentry, &["action", "data.issue.project"]),
    (Format::Sentry, &["action=triggered", "data.issue"]),
    (Format::Sentry, &["action=unresolved", "data.issue"]),
    (Format::Sentry, &["action", "data.metric_alert"]),
    (Format::Sentry, &["action", "data.error"]),
    (Format::Sentry, &["action", "data.comment"]),
    (Format::Sentry, &["action", "data.installation"]),
    (Format::Sentry, &["project_slug", "event", "url"]),
    (Format::PagerDuty, &["messages.0.incident"]),
    (Format::PagerDuty, &["event", "log_entries", "incident.id"]),
    (Format::PagerDuty, &["messages.0.data.incident"]),
    (Format::Opsgenie, &["action", "alert.alertId"]),
    (Format::CloudEvents, &["context.specversion", "context.type", "context.source"]),
    (Format::PagerDuty, &["event.event_type=pagey.ping"]),
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
    (Format::Generic, &["title", "dedup_key"]),
    (Format::Generic, &["title", "externalId"]),
    (Format::Generic, &["title", "severity"]),
    (Format::Generic, &["title", "description"]),
    (Format::Generic, &["title", "message"]),
    (Format::Generic, &["title", "status"]),
    (Format::Generic, &["title", "source"]),
];

/// The format whose marks `payload` bears, or [`Format::Any`] where something says for sure that it is an alert.
///
/// # Errors
/// [`Problem::UnknownShape`], with what was found.
pub fn format(payload: &Value) -> Result<Format, Problem> {
    let has = |format: Format, marks: &[&str]| marks.iter().all(|mark| bears(Fields { format, value: payload }, mark));
    if let Some((format, _)) = MARKS.into_iter().find(|(format, marks)| has(*format, marks)) {
        return Ok(format);
    }
    let fields = Fields { format: Format::Any, value: payload };
    if any::is_sure(fields) { Ok(Format::Any) } else { Err(Problem::UnknownShape { found: any::found(fields) }) }
}

pub(super) fn bears(fields: Fields, mark: &str) -> bool {
    match mark.split_once('=') {
        Some((path, value)) => fields.text(path).as_deref() == Some(value),
        None => fields.at(mark).is_some(),
    }
}
