//! The same alert keeps its key, another has another.

use serde_json::{Value, json};

use super::{Grouping, alerts, check, payload};

fn keys(value: &Value, grouping: Grouping) -> Vec<String> {
    alerts(value, grouping).unwrap().iter().map(|alert| alert.dedupe_key(&[])).collect()
}

#[test]
fn a_key_stays_when_the_alert_comes_again() {
    let again = [
        ("alertmanager-group-firing", "/alerts/0/startsAt", json!("2026-03-02T00:00:00Z")),
        ("alertmanager-group-firing", "/alerts/0/labels/pod", json!("checkout-9999-zzzzz")),
        ("alertmanager-group-firing", "/groupKey", json!("{}/{team=\"new\"}:{}")),
        ("alertmanager-group-firing", "/alerts/1/status", json!("resolved")),
        ("alertmanager-group-firing", "/alerts/0/fingerprint", json!("")),
        ("grafana-firing", "/title", json!("[FIRING:9] other")),
        ("pagerduty-triggered", "/event/id", json!("01NEW")),
        ("pagerduty-triggered", "/event/event_type", json!("incident.resolved")),
        ("sentry-event-alert", "/data/event/event_id", json!("ffff")),
        ("sentry-event-alert", "/data/event/issue_id", json!(5123456789_i64)),
        ("sentry-event-alert", "/data/event/issue_id", Value::Null),
        ("datadog-triggered", "/alert_transition", json!("Re-Triggered")),
        ("datadog-triggered", "/date", json!(1772360000000_i64)),
        ("datadog-default-body", "/title", json!("[Recovered on {host:web-1}] CPU is high on web-1")),
        ("datadog-default-body", "/id", json!("1")),
        ("opsgenie-create", "/alert/updatedAt", json!(1772359260123999999_i64)),
        ("cloudwatch-sns-alarm", "/MessageId", json!("other")),
        ("cloudevents-firing", "/id", json!("other")),
        ("generic-firing", "/timestamp", json!("2026-03-02T03:14:00Z")),
        ("generic-firing", "/message", json!("exit code 4")),
        ("generic-resolved-with-key", "/title", json!("renamed")),
        ("betterstack-firing", "/data/attributes/status", json!("Resolved")),
    ];
    for (name, path, value) in again {
        for grouping in [Grouping::Group, Grouping::PerAlert] {
            let before = payload(name);
            let mut after = before.clone();
            *after.pointer_mut(path).unwrap() = value.clone();
            assert_eq!(keys(&before, grouping)[0], keys(&after, grouping)[0], "{name} {path} {grouping:?}");
        }
    }
    assert_eq!(
        keys(&payload("sentry-event-alert"), Grouping::Group),
        keys(&payload("sentry-issue-resolved"), Grouping::Group)
    );
    assert_eq!(
        keys(&payload("datadog-triggered"), Grouping::Group),
        keys(&payload("datadog-recovered"), Grouping::Group)
    );
}

#[test]
fn a_key_differs_for_another_alert() {
    let another = [
        ("alertmanager-group-firing", "/groupLabels/namespace", json!("stock"), Grouping::Group),
        ("alertmanager-group-firing", "/receiver", json!("other"), Grouping::Group),
        ("alertmanager-group-firing", "/alerts/0/labels/service", json!("stock"), Grouping::PerAlert),
        ("grafana-firing", "/alerts/0/labels/alertname", json!("Other"), Grouping::PerAlert),
        ("pagerduty-triggered", "/event/data/id", json!("QOTHER"), Grouping::Group),
        ("sentry-event-alert", "/data/event/issue_id", json!("1"), Grouping::Group),
        ("datadog-triggered", "/alert_cycle_key", json!("1"), Grouping::Group),
        ("datadog-no-data-without-cycle-key", "/alert_scope", json!("host:web-2"), Grouping::Group),
        ("opsgenie-create", "/alert/alertId", json!("x"), Grouping::Group),
        ("cloudevents-firing", "/subject", json!("x"), Grouping::Group),
        ("cloudevents-without-subject", "/data/labels/branch", json!("x"), Grouping::Group),
        ("betterstack-firing", "/data/id", json!("26"), Grouping::Group),
        ("generic-firing", "/title", json!("x"), Grouping::Group),
        ("generic-firing", "/source", json!("x"), Grouping::Group),
        ("generic-firing", "/labels/host", json!("x"), Grouping::Group),
    ];
    for (name, path, value, grouping) in another {
        let before = payload(name);
        let mut after = before.clone();
        *after.pointer_mut(path).unwrap() = value;
        assert_ne!(keys(&before, grouping)[0], keys(&after, grouping)[0], "{name} {path}");
    }
}

#[test]
fn hosts_of_a_datadog_monitor_are_told_apart_with_a_priority_in_the_title_too() {
    let key = |title: &str| {
        let mut body = payload("datadog-default-body");
        body["title"] = json!(title);
        keys(&body, Grouping::Group)
    };
    let first = key("[P1] [Triggered on {host:web-1}] CPU is high");
    assert_eq!(first, key("[P1] [Recovered on {host:web-1}] CPU is high"));
    assert_ne!(first, key("[P1] [Triggered on {host:web-2}] CPU is high"));
}

#[test]
fn the_order_of_labels_does_not_count() {
    let read = |labels: &str| check(format!(r#"{{"title":"x","labels":{{{labels}}}}}"#).as_bytes());
    assert_eq!(read(r#""a":"1","b":"2""#), read(r#""b":"2","a":"1""#));
}
