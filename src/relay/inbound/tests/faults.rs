//! Payloads that were once read wrongly, each at its smallest.

use serde_json::{Value, json};

use super::{Grouping, Reading, alerts};
use crate::relay::alert::Alert;
use crate::relay::alert::without_secrets;
use crate::relay::inbound::{Problem, read as read_delivery};
use redact::Redactor;

fn one(value: &Value) -> Alert {
    alerts(value, Grouping::Group).unwrap_or_else(|problem| panic!("{value}: {problem}")).remove(0)
}

fn state(value: &Value) -> String {
    one(value).state.name().to_string()
}

fn key(value: &Value) -> String {
    one(value).dedupe_key(&[])
}

#[test]
fn an_alert_that_fires_is_never_silent() {
    let new_relic = json!({"title": "High CPU on app-1", "priority": "CRITICAL", "state": "ACTIVATED",
        "issueUrl": "https://one.example/i", "impactedEntities": ["app-1"]});
    let alert = one(&new_relic);
    assert_eq!(alert.state.name(), "firing");
    assert!(alert.annotations["impactedEntities"] == "app-1" && alert.links[0].url == "https://one.example/i");
    let event =
        json!({"event_type": "incident.reopened", "data": {"id": "P1", "status": "triggered", "title": "DB down"}});
    assert_eq!(state(&json!({"event": event})), "firing");
    let issue = |action: &str, substatus: &str| {
        let issue = json!({"id": "1", "title": "KeyError", "status": "unresolved", "substatus": substatus});
        state(&json!({"action": action, "data": {"issue": issue}}))
    };
    let states =
        [("unresolved", "regressed"), ("unresolved", "escalating"), ("unresolved", "ongoing"), ("triggered", "")];
    assert_eq!(states.map(|(action, sub)| issue(action, sub)), ["firing", "firing", "ongoing", "firing"]);
    for word in [
        "fired",
        "activated",
        "created",
        "in_alarm",
        "triggering",
        "degraded",
        "outage",
        "unhealthy",
        "warn",
        "broken",
        "regressed",
        "reopened",
        "1",
        "true",
        "nobody knows",
    ] {
        assert_eq!(state(&json!({"title": "x", "status": word})), "firing", "{word}");
        let event = json!({"specversion": "1.0", "id": "1", "source": "s", "type": "t", "data": {"status": word}});
        assert_eq!(state(&event), "firing", "{word}");
    }
    for word in ["cleared", "resolve", "recovery", "healthy", "completed", "deactivated"] {
        assert_eq!(state(&json!({"title": "x", "status": word})), "resolved", "{word}");
    }
    assert_eq!(one(&json!({"title": "x", "status": "nobody knows"})).warnings.len(), 1);
}

#[test]
fn what_is_no_alert_starts_nothing() {
    let freshstatus = json!({"title": "Database degraded", "status": "", "incident_status": "Closed",
        "message": "The incident has been resolved."});
    assert_eq!(state(&freshstatus), "resolved");
    for value in [
        json!({"id": "1", "title": "foo marked E#2 as fixed", "url": "https://x"}),
        json!({"action": "created", "type": "Comment", "data": {"issue": {"id": "f9a3", "title": "A ticket"}}}),
    ] {
        let problem = alerts(&value, Grouping::Group).unwrap_err();
        assert!(matches!(problem, Problem::UnknownShape { .. }), "{value}: {problem}");
    }
    for kind in ["com.example.order.placed", "com.github.pull_request.opened"] {
        let event = json!({"specversion": "1.0", "id": "1", "source": "s", "type": kind, "data": {"x": 1}});
        assert!(matches!(alerts(&event, Grouping::Group), Err(Problem::NotAnAlert { .. })), "{kind}");
    }
}

#[test]
fn different_alerts_have_different_keys() {
    let group = |labels: Value, name: &str| {
        let alert = json!({"status": "firing", "labels": {"alertname": name}});
        json!({"receiver": "r", "groupKey": "g", "groupLabels": labels, "alerts": [alert]})
    };
    assert_ne!(key(&group(json!({}), "DiskFull")), key(&group(json!({}), "DatabaseDown")));
    let node = |instance: &str| group(json!({"alertname": "NodeDown", "instance": instance}), "NodeDown");
    assert_ne!(key(&node("db-1")), key(&node("web-7")));
    let legacy =
        |host: &str| json!({"ruleId": 1, "state": "alerting", "ruleName": "x", "ruleUrl": format!("https://{host}/d")});
    assert_ne!(key(&legacy("one.example")), key(&legacy("two.example")));
    let datadog = |host: &str| json!({"alert_id": "1234", "alert_type": "error", "title": format!("[Triggered on {{host:{host}}}] CPU")});
    assert_ne!(key(&datadog("a")), key(&datadog("b")));
    for name in ["alert_uid", "deduplication_key", "fingerprint", "incident_id", "alert_id"] {
        let value = |id: &str| json!({"title": "monit", "message": "m", name: id});
        assert_ne!(key(&value("1")), key(&value("2")), "{name}");
    }
    let source = |source: &str| json!({"title": "t", "source": source, "dedup_key": "disk"});
    assert_ne!(key(&source("web")), key(&source("db")));
}

#[test]
fn alerts_that_nobody_grouped_are_split_by_name_whatever_comes_with_them() {
    let alert = |name: &str| json!({"status": "firing", "labels": {"alertname": name}});
    let delivery = |names: &[&str]| {
        let alerts: Vec<Value> = names.iter().map(|name| alert(name)).collect();
        json!({"receiver": "r", "groupLabels": {}, "alerts": alerts})
    };
    let both = alerts(&delivery(&["A", "B", "A"]), Grouping::Group).unwrap();
    assert_eq!(both.iter().map(|alert| alert.firing).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(both[1].dedupe_key(&[]), key(&delivery(&["B"])));
}

#[test]
fn the_same_alert_keeps_its_key_though_it_is_measured_again() {
    let title = |title: &str| key(&json!({"title": title, "message": "m"}));
    assert_eq!(title("CPU is 97.3 %"), title("CPU is 98.1 %"));
    let event = |kind: &str| key(&json!({"specversion": "1.0", "id": "1", "source": "s", "type": kind}));
    assert_eq!(event("x.alert.fired"), event("x.alert.resolved"));
    assert_ne!(event("x.alert.fired"), event("x.alert.cpu"));
}

#[test]
fn one_bad_part_does_not_cost_the_good_ones() {
    let read = |payload: &str, grouping| {
        let delivery =
            read_delivery(payload.as_bytes(), &[], Reading { format: None, grouping, mapping: None }).unwrap();
        (delivery.alerts.len(), delivery.rejected.len())
    };
    let record = |message: Value| json!({"Sns": {"Type": "Notification", "Message": message.to_string()}});
    let alarm = |name: &str| record(json!({"AlarmName": name, "AlarmArn": name, "NewStateValue": "ALARM"}));
    let records = json!({"Records": [alarm("a"), record(json!({"hello": 1})), alarm("b")]}).to_string();
    assert_eq!(read(&records, Grouping::Group), (2, 1));
    let members = json!({"receiver": "r", "groupLabels": {"a": "b"},
        "alerts": [{"labels": {"a": "1"}}, {"labels": {}}, {"labels": {"a": "2"}}]});
    assert_eq!(read(&members.to_string(), Grouping::PerAlert), (2, 1));
    let lines =
        "{\"title\": \"a\", \"severity\": \"high\"}\n{\"x\": 1}\n[{\"title\": \"b\", \"severity\": \"low\"}, 7]";
    assert_eq!(read(lines, Grouping::Group), (2, 2));
    assert_eq!(read("{\"title\": \"a\", \"severity\": \"high\", \"n\": 1e999}", Grouping::Group), (1, 0));
    let latin: &[u8] = b"{\"title\": \"a\", \"severity\": \"high\", \"n\": \"\xe9\"}";
    assert!(read_delivery(latin, &[], Reading { format: None, grouping: Grouping::Group, mapping: None }).is_ok());
}

#[test]
fn a_test_message_is_known_by_the_senders_own_mark() {
    let grafana =
        |labels: Value| json!({"receiver": "", "orgId": 1, "alerts": [{"status": "firing", "labels": labels}]});
    assert_eq!(state(&grafana(json!({"alertname": "TestAlert", "instance": "Grafana"}))), "test");
    assert_eq!(state(&grafana(json!({"alertname": "TestAlert", "region": "eu"}))), "firing");
    assert_eq!(state(&json!({"ruleId": 0, "state": "alerting", "ruleName": "Test rule"})), "test");
    assert_eq!(state(&json!({"event": {"event_type": "pagey.ping", "data": {"message": "Hello"}}})), "test");
    assert_eq!(state(&json!({"title": "a test failed", "severity": "high"})), "firing");
}

#[test]
fn personal_data_stay_out_and_credentials_are_masked() {
    let value = json!({"title": "x", "severity": "high", "user": "jo", "client_ip": "10.0.0.1", "api_key": "k",
        "reporter": "jo@example.com", "host": "h1", "silenceURL": "https://x/silence", "cluster": {"name": "c1"}});
    let alert = one(&value);
    let names: Vec<&String> = alert.annotations.keys().collect();
    assert_eq!(names, ["api_key", "cluster.name", "host"]);
    let (shown, count) = without_secrets(&alert, &Redactor::default());
    assert_eq!((shown.annotations["api_key"].as_str(), count), ("****", 1));
    // What stands deeper is told as well, under the names that lead to it.
    let deep = json!({"title": "x", "severity": "high", "labels": {"host": "h1", "session": "Ab12Cd34"}, "metadata": {"db": {"token": "t0kenX"}, "port": 1}});
    let (shown, count) = without_secrets(&one(&deep), &Redactor::default());
    insta::assert_snapshot!(format!("{count} {:?} {:?}", shown.labels, shown.annotations), @r#"2 {"host": "h1", "session": "****"} {"db.token": "****", "port": "1"}"#);
}

#[test]
fn a_sender_that_was_once_refused_is_read() {
    let azure = json!({"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": {"alertRule": "cpu",
        "severity": "Sev1", "monitorCondition": "Fired", "alertId": "/a/1"}}});
    let alert = one(&azure);
    assert_eq!((alert.format.name(), alert.title.as_str(), alert.state.name()), ("azure", "cpu", "firing"));
    assert_eq!(key(&azure), "azure:cpu", "samples share one alertId");
    for value in [
        json!({"source": "aws.cloudwatch", "id": "1", "detail-type": "CloudWatch Alarm State Change",
            "detail": {"alarmName": "A", "state": {"value": "ALARM"}}}),
        json!({"event_action": "trigger", "dedup_key": "a", "payload": {"summary": "x", "severity": "critical", "source": "h"}}),
        json!({"version": "1.2", "incident": {"incident_id": "1", "state": "open", "summary": "s"}}),
        json!({"current_state": "open", "condition_name": "C", "event_type": "INCIDENT"}),
    ] {
        assert_eq!(state(&value), "firing", "{value}");
    }
}

/// What its sender always sends may be missing: a template, a proxy or an old version left it out.
#[test]
fn a_message_without_its_senders_identifier_is_read_and_says_what_is_missing() {
    let pagerduty = |event: &str, service: &str| {
        let service = json!({"id": service, "summary": service});
        json!({"event": {"event_type": event, "data": {"status": "triggered", "title": "DB down", "service": service}}})
    };
    let sentry = |action: &str, project: &str| json!({"action": action, "data": {"issue": {"title": "KeyError", "shortId": format!("{project}-1"), "project": {"slug": project}}}});
    let event = |title: &str| json!({"action": "triggered", "data": {"event": {"title": title, "fingerprint": ["{{ default }}"]}}});
    let incident = |status: &str, reference: &str| {
        let incident = json!({"name": "Down", "reference": reference, "incident_status": {"category": status}});
        json!({"event_type": "public_incident.incident_status_updated_v2", "public_incident.incident_status_updated_v2": {"incident": incident}})
    };
    let alarm = |state: &str, name: &str| json!({"AlarmName": name, "NewStateValue": state, "Region": "EU"});
    for (firing, over, another) in [
        (
            pagerduty("incident.triggered", "a"),
            pagerduty("incident.resolved", "a"),
            pagerduty("incident.triggered", "b"),
        ),
        (sentry("created", "a"), sentry("resolved", "a"), sentry("created", "b")),
        (event("KeyError"), event("KeyError"), event("ValueError")),
        (incident("live", "INC-1"), incident("closed", "INC-1"), incident("live", "INC-2")),
        (alarm("ALARM", "a"), alarm("OK", "a"), alarm("ALARM", "b")),
    ] {
        assert_eq!(state(&firing), "firing");
        assert_eq!(key(&firing), key(&over), "{firing}");
        assert_ne!(key(&firing), key(&another), "{firing}");
        assert_eq!(one(&firing).warnings.len(), 1, "{firing}");
    }
    assert_eq!(state(&pagerduty("incident.resolved", "a")), "resolved");
    assert_eq!(state(&pagerduty("incident.escalated", "a")), "escalated", "what starts nothing starts nothing");
    insta::assert_snapshot!(one(&pagerduty("incident.triggered", "a")).warnings[0], @"event.data.id is missing, so the alert is told from others by its title and where it is");
    let named = |format: &str, body: &Value| {
        let format = Some(format.parse().unwrap());
        super::read(format, body.to_string().as_bytes(), Grouping::Group).map(|mut alerts| alerts.remove(0))
    };
    let opsgenie = |action: &str, alias: &str| {
        named("opsgenie", &json!({"action": action, "alert": {"message": "Down", "alias": alias}})).unwrap()
    };
    assert_eq!(opsgenie("Close", "a").state.name(), "resolved");
    assert_eq!(opsgenie("Create", "a").dedupe_key(&[]), opsgenie("Close", "a").dedupe_key(&[]));
    assert_ne!(opsgenie("Create", "a").dedupe_key(&[]), opsgenie("Create", "b").dedupe_key(&[]));
    // In the binary mode of CloudEvents the envelope is in the headers.
    let data = json!({"title": "Disk full", "severity": "high", "host": "a"});
    insta::assert_snapshot!(named("cloudevents", &data).unwrap().warnings[0], @"the payload cannot be read as cloudevents: source is missing, empty or of another type, so it was read by the names of its fields");
    // Requests of users stay out.
    let odd = json!({"level": "error", "title": "KeyError", "request": {"data": "name=jo"}, "severity": "high"});
    assert!(named("sentry", &odd).unwrap().annotations.is_empty());
    for (format, body) in [("sentry", json!({"hello": 1})), ("generic", json!({"text": "good morning"}))] {
        assert!(named(format, &body).is_err(), "{format}");
    }
    for version in [json!("1"), json!("4")] {
        let empty = json!({"version": version, "receiver": "r", "orgId": 1, "status": "firing", "title": "[FIRING:0]", "alerts": []});
        assert!(matches!(alerts(&empty, Grouping::Group), Err(Problem::NotAnAlert { .. })), "{empty}");
    }
}
