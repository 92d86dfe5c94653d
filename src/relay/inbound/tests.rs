//! Every payload of `tests/payloads`, what it becomes, and what is refused.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::senders as rows;
use super::*;
use crate::redact::Redactor;
use crate::relay::alert::Alert;
use crate::relay::prompt;

mod corpus;
mod faults;
mod keys;
mod senders;
mod table;

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
fn every_payload_of_a_sender_that_code_reads_becomes_alerts() {
    let mut story = String::new();
    let is_coded = |name: &String| Format::CODED.contains(&sender_of(name).format);
    for name in names().into_iter().filter(is_coded) {
        let value = payload(&name);
        let group = alerts(&value, Grouping::Group).unwrap();
        let single = alerts(&value, Grouping::PerAlert).unwrap();
        story.push_str(&format!("{name}: {}, {} and {}\n", group[0].format, group.len(), single.len()));
        group.iter().for_each(|alert| story.push_str(&format!("  {}", tell(alert))));
        if single != group {
            single.iter().for_each(|alert| story.push_str(&format!("  per alert: {}", tell(alert))));
        }
    }
    insta::assert_snapshot!(story, @"
    alertmanager-group-firing: alertmanager, 1 and 2
      firing | critical | 2026-03-01T09:55:00Z | CheckoutErrors: 5xx ratio above 5 %
        alertmanager:devin-relay:578665be604297dd9b5dc8968b
      per alert: firing | critical | 2026-03-01T09:58:12.500Z | CheckoutErrors: 5xx ratio above 5 %
        alertmanager:devin-relay:81e1bca167ec45d48966cba973
      per alert: firing | medium | 2026-03-01T09:55:00Z | CheckoutErrors: 5xx ratio above 5 %
        alertmanager:devin-relay:2c086075619c1c305b6f63fdb9
    alertmanager-mixed: alertmanager, 1 and 2
      firing | medium | 2026-03-01T09:58:12.500Z | CheckoutErrors: 5xx ratio above 5 %
        alertmanager:devin-relay:578665be604297dd9b5dc8968b
      per alert: resolved | critical | 2026-03-01T08:00:00Z | CheckoutErrors: 5xx ratio above 5 %
        alertmanager:devin-relay:81e1bca167ec45d48966cba973
      per alert: firing | medium | 2026-03-01T09:58:12.500Z | CheckoutErrors: 5xx ratio above 5 %
        alertmanager:devin-relay:2c086075619c1c305b6f63fdb9
    alertmanager-resolved: alertmanager, 1 and 1
      resolved | critical | 2026-03-01T09:58:12.500Z | CheckoutErrors: 5xx ratio above 5 %
        alertmanager:devin-relay:578665be604297dd9b5dc8968b
      per alert: resolved | critical | 2026-03-01T09:58:12.500Z | CheckoutErrors: 5xx ratio above 5 %
        alertmanager:devin-relay:81e1bca167ec45d48966cba973
    alertmanager-version-3: alertmanager, 1 and 1
      firing | critical | 2026-03-01T09:58:12.500Z | NodeDown: node is gone
        alertmanager:on-call:051faf231a2199db045deb3360
      per alert: firing | critical | 2026-03-01T09:58:12.500Z | NodeDown: node is gone
        alertmanager:on-call:0873813c73f175388ca774862a
    cloudevents-firing: cloudevents, 1 and 1
      firing | medium | 2026-03-01T10:00:00Z | Consumer lag of orders
        cloudevents:/monitoring/shop#orders-lag
    cloudevents-resolved-by-type: cloudevents, 1 and 1
      resolved | - | 2026-03-01T11:00:00Z | Consumer lag of orders
        cloudevents:/monitoring/shop#orders-lag
    cloudevents-without-subject: cloudevents, 1 and 1
      firing | high | 2026-03-01T10:00:00Z | com.example.build.failed
        cloudevents:49a1e2cc2dda68499994cc3abf
    cloudwatch-eventbridge-firing: cloudwatch, 1 and 1
      firing | - | 2026-03-01T10:00:00Z | orders-queue-depth
        cloudwatch:arn:aws:cloudwatch:eu-central-1:123456789012:alarm:orders-queue-depth
    cloudwatch-eventbridge-resolved: cloudwatch, 1 and 1
      resolved | - | 2026-03-01T10:00:00Z | orders-queue-depth
        cloudwatch:arn:aws:cloudwatch:eu-central-1:123456789012:alarm:orders-queue-depth
    cloudwatch-lambda-firing: cloudwatch, 1 and 1
      firing | - | 2026-03-01T10:00:00Z | orders-queue-depth
        cloudwatch:arn:aws:cloudwatch:eu-central-1:123456789012:alarm:orders-queue-depth
    cloudwatch-lambda-records: cloudwatch, 1 and 1
      INSUFFICIENT_DATA | - | 2026-03-01T10:05:12.345Z | orders-api-5xx
        cloudwatch:arn:aws:cloudwatch:eu-central-1:123456789012:alarm:orders-api-5xx
    cloudwatch-raw-without-arn: cloudwatch, 1 and 1
      firing | - | 2026-03-01T10:05:12.345Z | orders-api-5xx
        cloudwatch:123456789012#EU (Frankfurt)#orders-api-5xx
    cloudwatch-sns-alarm: cloudwatch, 1 and 1
      firing | - | 2026-03-01T10:05:12.345Z | orders-api-5xx
        cloudwatch:arn:aws:cloudwatch:eu-central-1:123456789012:alarm:orders-api-5xx
    cloudwatch-sns-ok: cloudwatch, 1 and 1
      resolved | - | 2026-03-01T10:05:12.345Z | orders-api-5xx
        cloudwatch:arn:aws:cloudwatch:eu-central-1:123456789012:alarm:orders-api-5xx
    datadog-default-body: datadog, 1 and 1
      firing | - | 2026-03-01T10:00:00Z | CPU is high on web-1
        datadog:8359596f023de72d0c37783112
    datadog-no-data-without-cycle-key: datadog, 1 and 1
      firing | medium | 2026-03-01T10:00:00Z | CPU is high on web-1
        datadog:alert#20931177#host:web-1
    datadog-recovered: datadog, 1 and 1
      resolved | medium | 2026-03-01T11:00:00Z | CPU is high on web-1
        datadog:cycle#8377512345678901234
    datadog-triggered: datadog, 1 and 1
      firing | medium | 2026-03-01T10:00:00Z | CPU is high on web-1
        datadog:cycle#8377512345678901234
    generic-firing: generic, 1 and 1
      firing | high | 2026-03-01T03:14:00Z | Nightly export failed
        generic:6fabaa1a6bfc10a98f2e49558e
    generic-minimal: generic, 1 and 1
      firing | - | - | something is wrong
        generic:614757f4eed4a95980edc095aa
    generic-resolved-with-key: generic, 1 and 1
      resolved | info | - | Nightly export failed
        generic:export/nightly
    grafana-firing: grafana, 1 and 1
      firing | high | 2026-03-01T10:02:30Z | ReplicationLag: replication lag is above 30 s
        grafana:Devin--payments-:5efc8f206ccf966b4c04592a88
      per alert: firing | high | 2026-03-01T10:02:30Z | ReplicationLag: replication lag is above 30 s
        grafana:Devin--payments-:e29710dd28949284c1a24247d3
    grafana-legacy: grafana, 1 and 1
      firing | - | - | [Alerting] Disk used
        grafana:rule#grafana.example#1#6
    grafana-mixed: grafana, 1 and 3
      firing | high | 2026-03-01T10:02:30Z | ReplicationLag: replication lag is above 30 s
        grafana:Devin--payments-:5efc8f206ccf966b4c04592a88
      per alert: resolved | high | 2026-03-01T10:02:30Z | ReplicationLag: replication lag is above 30 s
        grafana:Devin--payments-:e29710dd28949284c1a24247d3
      per alert: firing | high | 2026-03-01T10:02:30Z | ReplicationLag: replication lag is above 30 s
        grafana:Devin--payments-:5e43fa6919e4f5cee40576269a
      per alert: firing | high | 2026-03-01T10:02:30Z | ReplicationLag: replication lag is above 30 s
        grafana:Devin--payments-:b678fd92b376b90a9d29d437aa
    grafana-resolved-without-organization: grafana, 1 and 1
      resolved | high | 2026-03-01T10:02:30Z | DatasourceNoData: replication lag is above 30 s
        grafana:Devin--payments-:882109cbfa5c3522533c074a4f
      per alert: resolved | high | 2026-03-01T10:02:30Z | DatasourceNoData: replication lag is above 30 s
        grafana:Devin--payments-:4908be33242b044c0aa5b51006
    opsgenie-acknowledge: opsgenie, 1 and 1
      Acknowledge | medium | 2026-03-01T10:00:00.123Z | Queue of orders is not drained
        opsgenie:d1f0a9b8-5c4e-4d2f-8b7a-3e6c9f012345-1772359200123
    opsgenie-close: opsgenie, 1 and 1
      resolved | high | 2026-03-01T10:00:00.123Z | Queue of orders is not drained
        opsgenie:d1f0a9b8-5c4e-4d2f-8b7a-3e6c9f012345-1772359200123
    opsgenie-create: opsgenie, 1 and 1
      firing | high | 2026-03-01T10:00:00.123Z | Queue of orders is not drained
        opsgenie:d1f0a9b8-5c4e-4d2f-8b7a-3e6c9f012345-1772359200123
    pagerduty-acknowledged-older: pagerduty, 1 and 1
      acknowledged | low | 2026-03-01T10:00:04.120Z | Checkout latency p99 above 2 s
        pagerduty:Q1K2M3N4P5R6S7
    pagerduty-resolved: pagerduty, 1 and 1
      resolved | high | 2026-03-01T10:00:03Z | Checkout latency p99 above 2 s
        pagerduty:Q1K2M3N4P5R6S7
    pagerduty-triggered: pagerduty, 1 and 1
      firing | high | 2026-03-01T10:00:03Z | Checkout latency p99 above 2 s
        pagerduty:Q1K2M3N4P5R6S7
    sentry-event-alert: sentry, 1 and 1
      firing | high | 2026-03-01T10:01:11.482Z | KeyError: 'basket_id'
        sentry:5123456789
    sentry-issue-archived: sentry, 1 and 1
      archived | high | 2026-03-01T10:01:11.482Z | KeyError: 'basket_id'
        sentry:5123456789
    sentry-issue-created: sentry, 1 and 1
      firing | high | 2026-03-01T10:01:11.482Z | KeyError: 'basket_id'
        sentry:5123456789
    sentry-issue-resolved: sentry, 1 and 1
      resolved | high | 2026-03-01T10:01:11.482Z | KeyError: 'basket_id'
        sentry:5123456789
    sentry-metric-alert: sentry, 1 and 1
      firing | critical | 2026-03-01T09:50:00Z | Critical: Failure rate of checkout
        sentry:metric_alert#9912
    ");
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
                (sender.format, *other) != (Format::Grafana, Format::Alertmanager) && *other != Format::Generic
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
    // Of a sender that a mapping reads, one kind of message each is enough.
    let is_tried = |name: &String| Format::CODED.contains(&sender_of(name).format) || name.ends_with("-firing");
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

#[test]
fn a_datadog_template_of_ones_own_is_known_by_a_few_variables() {
    let told = [
        json!({"title": "CPU is high", "alert_id": 1, "transition": "Recovered"}),
        json!({"event_title": "[Re-Triggered] CPU is high", "alert_id": 1, "alert_type": "error"}),
        json!({"alert_title": "CPU is high", "alert_type": "success"}),
    ];
    insta::assert_snapshot!(told.map(|body| check(body.to_string().as_bytes())).join(""), @"
    resolved | - | - | CPU is high
        datadog:alert#1
    firing | high | - | CPU is high
        datadog:alert#1
    resolved | - | - | CPU is high
        datadog:8c9467a9554126ec58f1744eef
    ");
}

#[test]
fn a_chain_of_sentrys_exceptions_is_told_with_where_each_was_raised() {
    let mut body = payload("sentry-event-alert");
    let frames = json!([
        {"filename": "checkout/views.py", "function": "pay", "lineno": 120, "in_app": true},
        {"filename": "django/db.py", "function": "get", "lineno": 7, "in_app": false},
    ]);
    body["data"]["event"]["exception"]["values"] = json!([
        {"type": "KeyError", "value": "the first cause"},
        {"type": "InvalidToken", "value": "expired", "stacktrace": {"frames": [frames[1]]}},
        {"type": "KeyError", "value": null, "stacktrace": null},
        {"type": "KeyError", "value": "'basket_id'", "stacktrace": {"frames": frames}},
    ]);
    let alert = &alerts(&body, Grouping::Group).unwrap()[0];
    let prompt = prompt::words(alert, &alert.dedupe_key(&[]), "", None, &Redactor::default()).unwrap().prompt;
    let told: Vec<&str> = prompt.lines().skip_while(|line| !line.contains("exception:")).take(3).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    exception: KeyError in pay at checkout/views.py:120: 'basket_id'
            caused by KeyError
            caused by InvalidToken in get at django/db.py:7: expired
    ");
}

#[test]
fn the_data_of_a_cloud_event_is_read_however_it_is_written() {
    let event = |name: &str, data: Value| {
        let mut event = json!({"specversion": "1.0", "id": "1", "source": "s", "type": "alert", "subject": "lag"});
        event[name] = data;
        let alert = alerts(&event, Grouping::Group).unwrap().remove(0);
        format!("{} | {} | {}", alert.state.name(), alert.title, alert.message)
    };
    let told = [
        event("data", json!({"title": "Lag", "status": "resolved", "message": "m"})),
        event("data", json!(r#"{"title": "Lag", "status": "resolved", "message": "m"}"#)),
        event("data_base64", json!("eyJ0aXRsZSI6ICJMYWciLCAic3RhdHVzIjogInJlc29sdmVkIiwgIm1lc3NhZ2UiOiAibSJ9")),
        event("data_base64", json!("bm90IGRyYWluZWQ=")),
        event("data_base64", json!("AP8=")),
        event("data", json!("not drained")),
        event("data", json!({"subject": {"id": "lag", "content": {"description": "not drained"}}})),
    ];
    insta::assert_snapshot!(told.join("\n"), @"
    resolved | Lag | m
    resolved | Lag | m
    resolved | Lag | m
    firing | alert: lag | not drained
    firing | alert: lag | 
    firing | alert: lag | not drained
    firing | alert: lag | not drained
    ");
}

fn data_of(value: &Value) -> String {
    let alert = &alerts(value, Grouping::Group).unwrap()[0];
    let prompt = prompt::words(alert, &alert.dedupe_key(&[]), "", None, &Redactor::default()).unwrap().prompt;
    let data = prompt.lines().skip_while(|line| !line.starts_with("Title:")).take_while(|line| !line.starts_with("</"));
    data.collect::<Vec<_>>().join("\n")
}

#[test]
fn an_alarm_on_an_expression_says_where_it_measures() {
    let metric = |id: &str, name: &str| {
        let metric = json!({"Namespace": "AWS/ApplicationELB", "MetricName": name,
            "Dimensions": [{"name": "LoadBalancer", "value": "app/shop/50dc"}]});
        json!({"Id": id, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": false})
    };
    let mut body = payload("cloudwatch-raw-without-arn");
    body["Trigger"] = json!({"Period": 60, "EvaluationPeriods": 1, "Threshold": 5.0, "Metrics": [
        {"Id": "e1", "Expression": "m1 / m2 * 100", "Label": "error rate", "ReturnData": true},
        metric("m1", "HTTPCode_Target_5XX_Count"),
        metric("m2", "RequestCount"),
    ]});
    insta::assert_snapshot!(data_of(&body), @"
    Title: orders-api-5xx
    State: firing
    Message: More than 10 answers with 5xx in 5 minutes
    Labels:
      AWSAccountId: 123456789012
      LoadBalancer: app/shop/50dc
      MetricName: HTTPCode_Target_5XX_Count, RequestCount
      Namespace: AWS/ApplicationELB
      Region: EU (Frankfurt)
    Annotations:
      EvaluationPeriods: 1
      Expression: m1 / m2 * 100
      NewStateReason: Threshold Crossed: 1 datapoint [17.0 (01/03/26 10:00:00)] was greater than the threshold (10.0).
      OldStateValue: OK
      Period: 60
      Threshold: 5.0
    ");
}

#[test]
fn an_alarm_on_other_alarms_names_them() {
    let mut body = payload("cloudwatch-raw-without-arn");
    body["AlarmRule"] = json!("ALARM(a) OR ALARM(b)");
    body["TriggeringChildren"] = json!([{"Arn": "arn:a", "State": {"Value": "ALARM"}}, {"Arn": "arn:b"}, {}]);
    body["Trigger"] = Value::Null;
    insta::assert_snapshot!(data_of(&body), @"
    Title: orders-api-5xx
    State: firing
    Message: More than 10 answers with 5xx in 5 minutes
    Labels:
      AWSAccountId: 123456789012
      Region: EU (Frankfurt)
    Annotations:
      AlarmRule: ALARM(a) OR ALARM(b)
      NewStateReason: Threshold Crossed: 1 datapoint [17.0 (01/03/26 10:00:00)] was greater than the threshold (10.0).
      OldStateValue: OK
      TriggeringChildren: arn:a, arn:b
    ");
}

#[test]
fn a_sentry_event_and_an_opsgenie_alert_say_whose_they_are() {
    assert!(data_of(&payload("sentry-event-alert")).contains("\n  project: checkout\n"));
    let mut body = payload("opsgenie-create");
    body["alert"]["teams"] = json!(["Orders", "Platform"]);
    assert!(data_of(&body).contains("\n  teams: Orders, Platform\n"));
}

#[test]
fn what_grafana_measured_is_told() {
    let mut body = payload("grafana-firing");
    body["alerts"][0]["values"] = json!({"B": 44.2, "C": 1});
    assert!(data_of(&body).contains("\n  values: B=44.2, C=1\n"), "{}", data_of(&body));
    let mut body = payload("grafana-legacy");
    body["evalMatches"] = json!([
        {"metric": "used", "tags": {"host": "db-1"}, "value": 93},
        {"metric": "used", "tags": {"host": "db-2"}, "value": 97},
        {"metric": "free", "tags": null, "value": 1},
    ]);
    insta::assert_snapshot!(data_of(&body), @"
    Title: [Alerting] Disk used
    State: firing
    Message: Disk is nearly full
    Labels:
      team: web
    Annotations:
      free: 1
      used {host=db-1}: 93
      used {host=db-2}: 97
    Links:
      rule: https://grafana.example/d/abc?tab=alert
    ");
}

#[test]
fn an_incident_of_better_stack_is_over_when_it_says_so() {
    let over = |name: &str, value: Value| {
        let mut body = payload("betterstack-firing");
        body["data"]["attributes"][name] = value;
        alerts(&body, Grouping::Group).unwrap()[0].state.name().to_string()
    };
    let states = ["Started", "Resolved", "Acknowledged", "Unconfirmed"].map(|status| over("status", json!(status)));
    insta::assert_snapshot!(states.join(", "), @"firing, resolved, Acknowledged, Unconfirmed");
    assert_eq!(over("status", Value::Null), "firing");
}

#[test]
fn an_alert_of_ones_own_may_stand_in_the_envelope_of_standard_webhooks() {
    let read = |event_type: &str, data: Value| {
        check(json!({"type": event_type, "timestamp": "2026-03-01T10:00:00Z", "data": data}).to_string().as_bytes())
    };
    let told = [
        read("alert.created", json!({"title": "disk full", "severity": "high", "dedup_key": "k"})),
        read("alert.resolved", json!({"title": "disk full", "dedup_key": "k", "timestamp": 1772359200})),
        read("alert.resolved", json!({"title": "disk full", "dedup_key": "k", "status": "firing"})),
    ];
    insta::assert_snapshot!(told.join(""), @"
    firing | high | 2026-03-01T10:00:00Z | disk full
        generic:k
    resolved | - | 2026-03-01T10:00:00Z | disk full
        generic:k
    firing | - | 2026-03-01T10:00:00Z | disk full
        generic:k
    ");
}

#[test]
fn an_alert_of_ones_own_may_say_that_it_is_over_as_its_state() {
    assert!(check(br#"{"title": "x", "message": "m", "state": "ok"}"#).starts_with("resolved"));
    assert!(check(br#"{"title": "x", "message": "m", "state": "ok", "status": "firing"}"#).starts_with("firing"));
}
