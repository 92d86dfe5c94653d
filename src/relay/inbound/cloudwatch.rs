//! Amazon CloudWatch alarms, bare, inside an SNS envelope, or inside the records that SNS hands to Lambda. Pure.
//!
//! Nothing here visits an address from a payload.

use serde_json::Value;

use super::fields::Fields;
use super::{Delivery, Problem, Rejected, any, json};
use crate::relay::alert::{Alert, Format, Identity, Link, Pairs, State};

/// Reads one alarm, or one for each record.
///
/// # Errors
/// When a message is no alarm, or the alarm cannot be told from others.
pub fn read(payload: Fields, delivery: &mut Delivery) -> Result<(), Problem> {
    delivery.delivery_id = delivery.delivery_id.take().or_else(|| payload.text("MessageId"));
    if payload.items("Records").next().is_some() {
        let envelope = |record: Fields| match record.at("Sns") {
            Some(sns) => unwrapped(Fields { value: sns.value, ..payload }),
            None => Err(payload.missing("Records.0.Sns")),
        };
        for (record, place) in payload.items("Records").zip(1..) {
            match envelope(record) {
                Ok(alert) => delivery.alerts.push(alert),
                Err(problem) => delivery.rejected.push(Rejected { place, problem }),
            }
        }
        return Ok(());
    }
    delivery.alerts.push(unwrapped(payload)?);
    Ok(())
}

/// The alarm in an SNS envelope, whose message is JSON inside a text; or the alarm itself.
fn unwrapped(payload: Fields) -> Result<Alert, Problem> {
    match payload.text("Type").as_deref() {
        Some("SubscriptionConfirmation") => {
            return Err(Problem::NotAnAlert {
                what: "an SNS SubscriptionConfirmation",
                remedy: "if the topic is yours, confirm it with aws sns confirm-subscription and the message's TopicArn and Token, or open its SubscribeURL after checking that the host is sns.<region>.amazonaws.com",
            });
        }
        Some("UnsubscribeConfirmation") => {
            return Err(Problem::NotAnAlert {
                what: "an SNS UnsubscribeConfirmation",
                remedy: "alarms no longer come from this topic; subscribe again if that was not intended",
            });
        }
        _ => {}
    }
    let Some(message) = payload.at("Message") else {
        return alarm(payload);
    };
    let parsed: Option<Value> = message.value.as_str().and_then(|text| json(text.as_bytes()).ok());
    let value = parsed.as_ref().unwrap_or(message.value);
    if !value.is_object() {
        return Err(Problem::NotAnAlert {
            what: "an SNS message of something other than CloudWatch",
            remedy: "publish alarms to a topic of their own",
        });
    }
    let inside = Fields { value, ..payload };
    if inside.at("NewStateValue").is_some() || inside.at("AlarmName").is_some() {
        return alarm(inside);
    }
    // An event of EventBridge, or an alert that somebody's own program published.
    let inside = Fields { format: Format::Any, ..inside };
    if any::is_sure(inside) {
        return Ok(any::read(inside));
    }
    Err(Problem::NotAnAlert {
        what: "an SNS message of something other than CloudWatch",
        remedy: "publish alarms to a topic of their own",
    })
}

fn alarm(alarm: Fields) -> Result<Alert, Problem> {
    let state = match alarm.required("NewStateValue")?.as_str() {
        "ALARM" => State::Firing,
        "OK" => State::Resolved,
        other => State::other(other),
    };
    let name = alarm.text("AlarmName");
    let identity = match (alarm.text("AlarmArn"), &name) {
        (Some(arn), _) => vec![arn],
        (None, Some(name)) => vec![alarm.required("AWSAccountId")?, alarm.required("Region")?, name.clone()],
        (None, None) => return Err(alarm.missing("AlarmName")),
    };
    let title = name.unwrap_or_else(|| "an alarm without a name".to_string());
    let mut alert = Alert::new(alarm.format, state, title, Identity::Own(identity));
    alert.message = alarm.first(&["AlarmDescription", "NewStateReason"]).unwrap_or_default();
    alert.started_at = alarm.moment("StateChangeTime");
    for metric in alarm.at("Trigger").into_iter().chain(metrics(alarm)) {
        for (name, value) in metric.items("Dimensions").map(|pair| (pair.text("name"), pair.text("value"))) {
            add(&mut alert.labels, name, value);
        }
        for name in ["Namespace", "MetricName"] {
            add(&mut alert.labels, Some(name.to_string()), metric.text(name));
        }
    }
    alert.labels.extend(alarm.pick(&["AWSAccountId", "Region"]));
    alert.annotations = alarm.pick(&[
        "NewStateReason",
        "OldStateValue",
        "Trigger.Statistic",
        "Trigger.ComparisonOperator",
        "Trigger.Threshold",
        "Trigger.Period",
        "Trigger.EvaluationPeriods",
        "AlarmRule",
    ]);
    for expression in alarm.items("Trigger.Metrics").map(|metric| metric.text("Expression")) {
        add(&mut alert.annotations, Some("Expression".to_string()), expression);
    }
    alert.annotations.extend(alarm.pick(&["QueryString", "LogGroups"]));
    alert.links.extend(alarm.text("AlarmArn").and_then(|arn| console(&arn)));
    for child in alarm.items("TriggeringChildren").map(|child| child.text("Arn")) {
        add(&mut alert.annotations, Some("TriggeringChildren".to_string()), child);
    }
    Ok(alert)
}

/// The alarm's page in the console: `arn:aws:cloudwatch:<region>:<account>:alarm:<name>` has region and name.
fn console(arn: &str) -> Option<Link> {
    let mut parts = arn.splitn(7, ':');
    let (partition, region, kind) = (parts.nth(1)?, parts.nth(1)?, parts.nth(1)?);
    let name = parts.next().filter(|name| kind == "alarm" && !name.is_empty())?;
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let host = match partition {
        "aws" => "console.aws.amazon.com",
        "aws-cn" => "console.amazonaws.cn",
        "aws-us-gov" => "console.amazonaws-us-gov.com",
        _ => return None,
    };
    let name = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    let url = format!("https://{region}.{host}/cloudwatch/home?region={region}#alarmsV2:alarm/{name}");
    is_plain(region).then(|| Link { name: "console".to_string(), url })
}

/// The metrics that an expression computes with.
fn metrics(alarm: Fields) -> impl Iterator<Item = Fields> {
    alarm.items("Trigger.Metrics").filter_map(|metric| metric.at("MetricStat.Metric"))
}

/// Adds a value, after those that the name has already; each once.
fn add(pairs: &mut Pairs, name: Option<String>, value: Option<String>) {
    if let (Some(name), Some(value)) = (name, value) {
        let known = pairs.entry(name).or_default();
        if known.is_empty() {
            *known = value;
        } else if known.split(", ").all(|one| one != value) {
            *known = format!("{known}, {value}");
        }
    }
}
