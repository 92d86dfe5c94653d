//! Every payload of `tests/payloads`, what it becomes, and what is refused.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::senders as rows;
use super::*;
use crate::relay::alert::Alert;
use crate::relay::prompt;
use redact::Redactor;

mod carried;
mod clouds;
mod coded;
mod corpus;
mod faults;
mod keys;
mod mappings;
mod monitors;
mod own;
mod senders;
mod table;
mod trackers;
fn read(format: Option<Format>, payload: &[u8], grouping: Grouping) -> Result<Vec<Alert>, Problem> {
    super::read(payload, &[], Reading { format, grouping, mapping: None }).map(|delivery| delivery.alerts)
}

fn payload(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads");
    serde_json::from_slice(&fs::read(folder.join(format!("{name}.json"))).unwrap()).unwrap()
}

fn names() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads");
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_string())
        .collect();
    names.sort();
    names
}

fn alerts(value: &Value, grouping: Grouping) -> Result<Vec<Alert>, Problem> {
    super::read(value.to_string().as_bytes(), &[], Reading { format: None, grouping, mapping: None })
        .map(|delivery| delivery.alerts)
}

/// Told by the payload's marks, as its sender grouped it.
const AUTO: Reading<'static> = Reading { format: None, grouping: Grouping::Group, mapping: None };

fn tell(alert: &Alert) -> String {
    let severity = alert.severity.map_or("-", |severity| severity.name());
    let since = alert.started_at.as_deref().unwrap_or("-");
    let state = alert.state.name();
    format!("{state} | {severity} | {since} | {}\n    {}\n", alert.title, alert.dedupe_key(&[]))
}

fn check(payload: &[u8]) -> String {
    match read(None, payload, Grouping::Group) {
        Ok(alerts) => alerts.iter().map(tell).collect(),
        Err(problem) => problem.to_string(),
    }
}

#[test]
fn a_payload_is_of_the_sender_its_name_says_and_of_no_other() {
    for name in names() {
        let value = payload(&name);
        let sender = sender_of(&name);
        assert_eq!(rows::of(value.get(0).unwrap_or(&value)).map(|sender| sender.format), Some(sender.format), "{name}");
        let others: Vec<Format> = rows::all()
            .filter(|other| other.format != sender.format && other.form(value.get(0).unwrap_or(&value)).is_some())
            .map(|other| other.format)
            .filter(|other| {
                // What a Cloud Function passes on is a CloudEvent, too.
                let is_event = *other == Format::CloudEvents && value.get("specversion").is_some();
                (sender.format, *other) != (Format::Grafana, Format::Alertmanager)
                    && *other != Format::Generic
                    && !is_event
            })
            .collect();
        assert!(others.is_empty(), "{name}: {others:?}");
        let named = read(Some(sender.format), value.to_string().as_bytes(), Grouping::Group);
        assert_eq!(named, alerts(&value, Grouping::Group), "{name}");
    }
}

/// The sender with the longest name that a file's name begins with.
fn sender_of(file: &str) -> &'static rows::Sender {
    let named = rows::all().filter(|sender| file.starts_with(&format!("{}-", sender.format.name())));
    named.max_by_key(|sender| sender.format.name().len()).unwrap_or_else(|| panic!("{file} is of no sender"))
}

#[test]
fn no_prompt_shows_what_is_not_listed_or_is_secret() {
    for name in names() {
        for alert in alerts(&payload(&name), Grouping::Group).unwrap() {
            let prompt = prompt::words(&alert, &alert.dedupe_key(&[]), "", None, &Redactor::default()).unwrap().prompt;
            for secret in [
                "hunter2",
                "abcdef",
                "abcdefghijklmnop1",
                "4111",
                "someone@example.com",
                "silence/new",
                "UnsubscribeURL",
            ] {
                assert!(!prompt.contains(secret), "{name}: {secret}");
            }
        }
    }
}

/// `value` with each of its inner values replaced by something else, one at a time.
fn spoiled(value: &Value) -> Vec<Value> {
    let with = |set: &dyn Fn(&mut Value, Value), inner: &Value| -> Vec<Value> {
        let odd = [Value::Null, json!(""), json!(-1), json!([]), json!({"é": [1]})];
        let inner = odd.into_iter().chain(spoiled(inner));
        inner
            .map(|inner| {
                let mut whole = value.clone();
                set(&mut whole, inner);
                whole
            })
            .collect()
    };
    match value {
        Value::Object(object) => {
            object.iter().flat_map(|(name, inner)| with(&|whole, inner| whole[name] = inner, inner)).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(at, inner)| with(&|whole, inner| whole[at] = inner, inner)).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn a_payload_with_an_odd_field_is_read_or_refused() {
    let mut read = 0;
    let mut refused = 0;
    // Of a sender that a mapping reads, one message is enough.
    let is_tried = |name: &String| {
        let sender = sender_of(name).format;
        Format::CODED.contains(&sender) || *name == format!("{sender}-firing")
    };
    for name in names().into_iter().filter(is_tried) {
        for value in spoiled(&payload(&name)) {
            match alerts(&value, Grouping::PerAlert) {
                Ok(alerts) => {
                    assert!(
                        alerts.iter().all(|alert| !alert.title.is_empty() && alert.dedupe_key(&[]).is_ascii()),
                        "{value}"
                    );
                    read += 1;
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(read > 5 * refused, "{read} and {refused}: most fields are not needed");
}

#[test]
fn payloads_that_are_no_alert_are_refused_in_one_sentence() {
    let payloads: [&[u8]; 27] = [
        b"",
        b" \n",
        b"{\"title\": \"secret text\n\"}",
        b"title=x",
        b"{\"title\": \"\xff\"}",
        b"[]",
        b"\"text\"",
        b"1",
        b"{}",
        br#"{"alerts": [], "version": "4"}"#,
        br#"{"specversion": "1.0", "type": "x", "id": "1"}"#,
        br#"{"alerts": [], "receiver": "r"}"#,
        br#"{"alerts": [null, "x"], "receiver": "r", "groupLabels": {}}"#,
        br#"{"alerts": [{"labels": {}}], "receiver": "r"}"#,
        br#"{"alerts": [{"labels": {}}], "groupKey": 1}"#,
        br#"{"event": {"event_type": "pagey.ping", "data": {}}}"#,
        br#"{"event": {"event_type": "incident.triggered", "data": {}}}"#,
        br#"{"action": "triggered", "data": {"event": {"title": "x"}}}"#,
        br#"{"action": "created", "data": {"error": {"issue_id": "1"}}, "installation": {"uuid": "u"}}"#,
        br#"{"action": "created", "data": {"installation": {"status": "pending"}}, "installation": {"uuid": "u"}}"#,
        br#"{"type": "x", "data": {"essentials": {}}}"#,
        br#"{"action": "Create", "alert": {"alertId": {}}}"#,
        br#"{"Type": "SubscriptionConfirmation", "MessageId": "1", "TopicArn": "a", "Token": "t", "Message": "You have chosen to subscribe"}"#,
        br#"{"Type": "Notification", "MessageId": "1", "TopicArn": "a", "Message": "hello"}"#,
        br#"{"Type": "Notification", "MessageId": "1", "TopicArn": "a", "Message": "{\"a\": 1}"}"#,
        br#"{"NewStateValue": "ALARM", "AlarmName": "x"}"#,
        br#"{"title": ""}"#,
    ];
    let said: Vec<String> = payloads.iter().map(|payload| check(payload)).collect();
    insta::assert_snapshot!(said.join("\n"), @"
    the payload is empty
    the payload is empty
    the payload is not JSON in UTF-8: it cannot be read beyond line 2, column 0
    the payload is not JSON in UTF-8: it cannot be read beyond line 1, column 2
    the payload is of no known sender, and nothing in it says for sure that it is an alert
    the payload is an empty list, not an alert: it tells of nothing
    the payload is JSON, but a text instead of an object
    the payload is JSON, but a number instead of an object
    the payload is of no known sender, and nothing in it says for sure that it is an alert
    the payload is of no known sender, and nothing in it says for sure that it is an alert
    the payload is of no known sender, and nothing in it says for sure that it is an alert
    the payload is a list without alerts, not an alert: if the sender has a template for its payload, see that it lists the alerts
    the payload cannot be read as alertmanager: labels of an alert is missing, empty or of another type
    firing | - | - | 1 alert
        alertmanager:r:c3622f6478c47bac403bcf6c9b

    firing | - | - | 1 alert
        alertmanager::ba768b331fd86cec803be04e56

    test | - | - | a test message of PagerDuty
        pagerduty:pagey.ping

    the payload cannot be read as pagerduty: event.data.id is missing, empty or of another type
    firing | - | - | x
        sentry:914a51b51b71bd6e0879217f34

    firing | - | - | issue 1
        sentry:1

    the payload is a Sentry message about something other than an issue, not an alert: subscribe the integration to issue and to alert rules
    the payload is of no known sender, and nothing in it says for sure that it is an alert
    the payload cannot be read as opsgenie: alert.alertId is missing, empty or of another type
    the payload is an SNS SubscriptionConfirmation, not an alert: if the topic is yours, confirm it with aws sns confirm-subscription and the message's TopicArn and Token, or open its SubscribeURL after checking that the host is sns.<region>.amazonaws.com
    the payload is an SNS message of something other than CloudWatch, not an alert: publish alarms to a topic of their own
    the payload is an SNS message of something other than CloudWatch, not an alert: publish alarms to a topic of their own
    firing | - | - | x
        cloudwatch:##x

    the payload is of no known sender, and nothing in it says for sure that it is an alert
    ");
}

#[test]
fn too_many_bytes_are_refused_and_too_many_alerts_are_counted() {
    let large = read(None, &vec![b' '; MAX_BYTES + 1], Grouping::Group).unwrap_err();
    assert!(large.is_too_much());
    insta::assert_snapshot!(large, @"the payload has 16777217 bytes or more, of which at most 16777216 are taken");
    let mut many = payload("alertmanager-group-firing");
    many["alerts"] = vec![json!({"labels": {"a": "b"}}); MAX_ALERTS + 1].into();
    let delivery = |grouping| {
        super::read(many.to_string().as_bytes(), &[], Reading { format: None, grouping, mapping: None }).unwrap()
    };
    let single = delivery(Grouping::PerAlert);
    assert_eq!((single.alerts.len(), single.more), (MAX_ALERTS, 1));
    let group = delivery(Grouping::Group);
    assert_eq!((group.alerts.len(), group.alerts[0].firing, group.more), (1, MAX_ALERTS + 1, 0));
}

#[test]
fn a_format_that_is_named_is_taken_at_its_word() {
    let body = br#"{"title": "x", "alert_transition": "Triggered"}"#;
    let read = |format| self::read(Some(format), body, Grouping::Group).map(|alerts| alerts[0].format);
    assert_eq!(read(Format::Generic), Ok(Format::Generic));
    let other = self::read(Some(Format::PagerDuty), body, Grouping::Group).unwrap().remove(0);
    insta::assert_snapshot!(other.warnings[0], @"the payload cannot be read as pagerduty: event.event_type is missing, empty or of another type, so it was read by the names of its fields");
    let problem = self::read(Some(Format::PagerDuty), br#"{"title": "x"}"#, Grouping::Group).unwrap_err();
    insta::assert_snapshot!(problem, @"the payload cannot be read as pagerduty: event.event_type is missing, empty or of another type");
    assert!(
        check(b"\xef\xbb\xbf{\"title\": \"with a byte order mark\", \"status\": \"firing\"}").starts_with("firing")
    );
}

#[test]
fn a_text_that_was_cut_inside_an_emoji_does_not_lose_the_alert() {
    let inner = r#"{"AlarmName": "x \ud83d", "AlarmArn": "arn:x", "NewStateValue": "ALARM"}"#;
    let envelope = json!({"Type": "Notification", "MessageId": "1", "TopicArn": "t", "Message": inner}).to_string();
    let read = [r#"{"title": "cut \ud83d", "dedup_key": "k"}"#, envelope.as_str()].map(|body| check(body.as_bytes()));
    insta::assert_snapshot!(read.join(""), @"
    firing | - | - | cut �
        generic:k
    firing | - | - | x �
        cloudwatch:arn:x
    ");
}

fn data_of(value: &Value) -> String {
    let alert = &alerts(value, Grouping::Group).unwrap()[0];
    let prompt = prompt::words(alert, &alert.dedupe_key(&[]), "", None, &Redactor::default()).unwrap().prompt;
    let data = prompt.lines().skip_while(|line| !line.starts_with("Title:")).take_while(|line| !line.starts_with("</"));
    data.collect::<Vec<_>>().join("\n")
}
