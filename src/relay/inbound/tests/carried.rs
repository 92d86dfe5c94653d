//! Messages that others carry: forms, SNS, queues.

use serde_json::{Value, json};

use super::senders::{key, told};
use super::{AUTO, Grouping, alerts, payload};
use crate::relay::alert::Format;
use crate::relay::inbound::{Problem, read as read_delivery};

fn sns(message: &Value) -> Value {
    json!({"Type": "Notification", "MessageId": "1", "TopicArn": "t", "Message": message.to_string()})
}

#[test]
fn a_form_whose_payload_is_json_is_read_as_that() {
    let read = |body: &str| read_delivery(body.as_bytes(), &[], AUTO).map(|delivery| delivery.alerts);
    let sent = payload("papertrail-firing");
    let escaped: String = sent.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect();
    assert_eq!(read(&format!("payload={escaped}")), read(&sent.to_string()));
    assert!(matches!(read("payload=hello"), Err(Problem::NotJson { .. })));
}

#[test]
fn what_a_queue_or_a_topic_hands_on_is_read_as_its_senders() {
    use base64::Engine as _;
    let sent = payload("gcp-firing");
    let data = base64::prelude::BASE64_STANDARD.encode(sent.to_string());
    let pushed = json!({"message": {"data": data, "messageId": "1"}, "subscription": "projects/p/subscriptions/s"});
    let queued = json!({"messageId": "1", "receiptHandle": "h", "body": sent.to_string(), "eventSource": "aws:sqs"});
    for value in [pushed, queued] {
        assert_eq!(alerts(&value, Grouping::Group), alerts(&sent, Grouping::Group), "{value}");
    }
    // Of a sender that nobody knows, too, but not where nothing says that it is an alert.
    let own = json!({"monitor": "disk of db-1", "status": "critical"});
    assert_eq!(
        told(&json!({"Body": own.to_string()})),
        (Format::Any, "firing".to_string(), "disk of db-1".to_string())
    );
    assert!(alerts(&json!({"body": "{\"name\": \"x\"}"}), Grouping::Group).is_err());
}

#[test]
fn an_event_of_eventbridge_is_read_bare_and_inside_sns() {
    let finding = json!({"detail-type": "GuardDuty Finding", "source": "aws.guardduty", "id": "e",
        "detail": {"id": "f", "title": "Mining", "severity": 8}});
    let alarm = |state: &str| {
        json!({"detail-type": "CloudWatch Alarm State Change", "source": "aws.cloudwatch",
        "detail": {"alarmName": "A", "state": {"value": state}, "previousState": {"value": "ALARM"}}})
    };
    for (value, state) in [(finding, "firing"), (alarm("ALARM"), "firing"), (alarm("OK"), "resolved")] {
        assert_eq!(told(&value).1, state, "{value}");
        assert_eq!(told(&sns(&value)).1, state, "{value}");
        assert_eq!(key(&value), key(&sns(&value)));
    }
    assert_eq!(key(&alarm("ALARM")), key(&alarm("OK")));
    let edited = json!({"detail-type": "CloudWatch Alarm Configuration Change", "source": "aws.cloudwatch",
        "detail": {"alarmName": "A", "operation": "update", "state": {"value": "ALARM"}}});
    assert_eq!(told(&edited).1, "update");
    let lambda = json!({"alarmArn": "arn:a", "alarmData": {"alarmName": "A", "state": {"value": "ALARM"}}});
    assert_eq!((told(&lambda).1.as_str(), key(&lambda).as_str()), ("firing", "cloudwatch:arn:a"));
}
