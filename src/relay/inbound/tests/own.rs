//! Alerts of one's own, and CloudEvents.

use serde_json::{Value, json};

use super::{Grouping, alerts, check};

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
