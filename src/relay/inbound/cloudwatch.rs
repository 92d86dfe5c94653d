//! Amazon CloudWatch alarms, bare, inside an SNS envelope, or inside the records that SNS hands to Lambda. Pure.
//!
//! Nothing here visits an address from a payload.

use serde_json::Value;

use super::fields::Fields;
use super::stand_in::instead;
use super::{Delivery, Grouping, Problem, Reading, Rejected, json, read_one};
use crate::relay::alert::{Alert, Identity, Link, Pairs, State};
use crate::relay::engine::Allowance;

/// Reads one alarm, or one for each record.
///
/// # Errors
/// When a message is no alarm, or the alarm cannot be told from others.
pub fn read(payload: Fields, grouping: Grouping, delivery: &mut Delivery) -> Result<(), Problem> {
    delivery.delivery_id = delivery.delivery_id.take().or_else(|| payload.text("MessageId"));
    if payload.items("Records").next().is_none() {
        return unwrapped(payload, grouping, delivery);
    }
    for (record, place) in payload.items("Records").zip(1..) {
        let read = match record.at("Sns") {
            Some(sns) => unwrapped(Fields { value: sns.value, ..payload }, grouping, delivery),
            None => Err(payload.missing("Records.0.Sns")),
        };
        if let Err(problem) = read {
            delivery.rejected.push(Rejected { place, problem });
        }
    }
    Ok(())
}

/// The alarm in an SNS envelope, whose message is JSON inside a text; or the alarm itself. The message may be another
/// sender's.
fn unwrapped(payload: Fields, grouping: Grouping, delivery: &mut Delivery) -> Result<(), Problem> {
    const OTHER: Problem = Problem::NotAnAlert {
        what: "an SNS message of something other than CloudWatch",
        remedy: "publish alarms to a topic of their own",
    };
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
    let Some(message) = payload.at("Message").filter(|_| payload.at("NewStateValue").is_none()) else {
        delivery.alerts.push(any_alarm(payload)?);
        return Ok(());
    };
    let parsed: Option<Value> = message.value.as_str().and_then(|text| json(text.as_bytes()).ok());
    let value = parsed.as_ref().unwrap_or(message.value);
    if !value.is_object() {
        return Err(OTHER);
    }
    let inside = Fields { value, ..payload };
    if inside.at("AlarmName").is_some() || inside.at("NewStateValue").is_some() {
        delivery.alerts.push(alarm(inside).or_else(|problem| instead(value, problem))?);
        return Ok(());
    }
    // An event of EventBridge, an alert of another sender, or of somebody's own program.
    let reading = Reading { format: None, grouping, mapping: None };
    match read_one(value, reading, &mut Allowance::of_a_delivery(), delivery) {
        Err(Problem::UnknownShape { .. }) => Err(OTHER),
        read => read,
    }
}

/// An alarm as an action of CloudWatch tells it, or as an event of EventBridge, or as it is handed to Lambda.
fn any_alarm(payload: Fields) -> Result<Alert, Problem> {
    let Some(event) = payload.at("detail").or_else(|| payload.at("alarmData")) else {
        return alarm(payload);
    };
    let arn = payload.first(&["alarmArn", "resources.0"]);
    // An ARN ends with the name.
    let name = event.text("alarmName").or_else(|| arn.as_deref()?.split(':').nth(6).map(str::to_string));
    let name = name.ok_or_else(|| payload.missing("alarmName"))?;
    // Who edits or deletes an alarm has looked at it.
    let edit = event
        .text("operation")
        .filter(|_| payload.text("detail-type").is_some_and(|kind| kind.contains("Configuration")));
    let state = match event.text("state.value").as_deref() {
        _ if edit.is_some() => State::other(&edit.unwrap_or_default()),
        Some("ALARM") => State::Firing,
        Some("OK") => State::Resolved,
        other => State::other(other.unwrap_or("unknown")),
    };
    let account = payload.first(&["account", "accountId"]).unwrap_or_default();
    let region = payload.text("region").unwrap_or_default();
    let identity = arn.clone().map_or_else(|| vec![account, region, name.clone()], |arn| vec![arn]);
    let mut alert = Alert::new(payload.format, state, name, Identity::Own(identity));
    alert.message = event.first(&["configuration.description", "state.reason"]).unwrap_or_default();
    alert.started_at = event.moment("state.timestamp").or_else(|| payload.moment("time"));
    alert.labels = payload.pick(&["account", "accountId", "region"]);
    for metric in event.items("configuration.metrics").filter_map(|metric| metric.at("metricStat.metric")) {
        for (name, value) in metric.pairs("dimensions") {
            add(&mut alert.labels, Some(name), Some(value));
        }
        for (name, path) in [("Namespace", "namespace"), ("MetricName", "name")] {
            add(&mut alert.labels, Some(name.to_string()), metric.text(path));
        }
    }
    alert.annotations = event.pick(&["state.reason", "configuration.alarmRule"]);
    alert.annotations.extend(event.text("previousState.value").map(|state| ("previousState".to_string(), state)));
    alert.links.extend(arn.as_deref().and_then(console));
    Ok(alert)
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
        (None, Some(name)) => {
            let part = |field| alarm.text(field).unwrap_or_default();
            vec![part("AWSAccountId"), part("Region"), name.clone()]
        }
        (None, None) => return Err(alarm.missing("AlarmName")),
    };
    let title = name.unwrap_or_else(|| "an alarm without a name".to_string());
    let is_whole = identity.iter().all(|part| !part.is_empty());
    let mut alert = Alert::new(alarm.format, state, title, Identity::Own(identity));
    if !is_whole {
        let warning = "the alarm has no ARN, and lacks its account or region: alarms of one name are one alert";
        alert.warnings.push(warning.to_string());
    }
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
