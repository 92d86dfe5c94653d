//! What Datadog, Grafana and Better Stack tell.

use serde_json::{Value, json};

use super::{Grouping, alerts, check, data_of, payload};

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
