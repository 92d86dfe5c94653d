//! Senders that were once refused, and what a prompt once lacked, each at its smallest.

use serde_json::{Value, json};

use super::{Grouping, Reading, alerts, data_of, payload};
use crate::relay::alert::{Alert, Format, Severity};
use crate::relay::inbound::{Problem, read as read_delivery};
fn one(value: &Value) -> Alert {
    alerts(value, Grouping::Group).unwrap_or_else(|problem| panic!("{value}: {problem}")).remove(0)
}

pub(super) fn told(value: &Value) -> (Format, String, String) {
    let alert = one(value);
    (alert.format, alert.state.name().to_string(), alert.title)
}

pub(super) fn key(value: &Value) -> String {
    one(value).dedupe_key(&[])
}

#[test]
fn old_webhooks_of_pagerduty_are_read_each_message_and_say_that_they_have_ended() {
    let message = |event: &str, id: &str| json!({"event": event, "incident": {"id": id, "title": "DB", "status": "x"}});
    let body = json!({"messages": [message("incident.trigger", "P1"), message("incident.resolve", "P2")]});
    let found = alerts(&body, Grouping::Group).unwrap();
    let read: Vec<_> = found.iter().map(|alert| (alert.state.name(), alert.dedupe_key(&[]))).collect();
    assert_eq!(read, [("firing", "pagerduty:P1".to_string()), ("resolved", "pagerduty:P2".to_string())]);
    assert!(found[0].warnings[0].contains("add a V3 subscription"));
    let first = json!({"type": "incident.trigger", "data": {"incident": {"id": "P1", "status": "triggered"}}});
    assert_eq!(key(&json!({"messages": [first]})), "pagerduty:P1");
}

#[test]
fn an_event_for_pagerduty_is_read_from_trigger_to_resolve() {
    let event = |action: &str, payload: Value| json!({"event_action": action, "dedup_key": "a", "payload": payload});
    let full = json!({"summary": "x", "severity": "critical", "source": "h"});
    assert_eq!(told(&event("trigger", full.clone())).1, "firing");
    assert_eq!(told(&event("acknowledge", full.clone())).1, "acknowledge");
    assert_eq!(told(&event("resolve", full.clone())).1, "resolved");
    assert_eq!(told(&event("resolve", Value::Null)).1, "resolved");
    assert_eq!(key(&event("trigger", full)), key(&event("resolve", Value::Null)));
}

#[test]
fn sentrys_plugin_and_links_name_the_issue() {
    let plugin =
        json!({"id": "1", "project_slug": "p", "url": "https://s.example/issues/7/", "event": {"title": "KeyError"}});
    assert_eq!(told(&plugin), (Format::Sentry, "firing".to_string(), "KeyError".to_string()));
    assert_eq!(key(&plugin), "sentry:7");
    let event = json!({"title": "KeyError", "web_url": "https://s.example/issues/77/events/abc/"});
    assert_eq!(key(&json!({"action": "triggered", "data": {"event": event}})), "sentry:77");
    let error = json!({"action": "created", "data": {"error": {"title": "KeyError", "issue_id": "78"}}});
    assert_eq!((told(&error).1.as_str(), key(&error).as_str()), ("firing", "sentry:78"));
}

#[test]
fn a_group_of_managed_prometheus_needs_no_group_labels() {
    let alert = json!({"status": "firing", "labels": {"alertname": "A"}});
    let group = json!({"version": "1", "groupKey": "g", "receiver": "r", "status": "firing", "alerts": [alert]});
    assert_eq!(told(&group).1, "firing");
}

#[test]
fn a_build_that_succeeds_resolves_its_failure() {
    let run = |number: u32, conclusion: &str| {
        let run = json!({"id": number, "run_number": number, "name": "CI", "display_title": format!("Commit {number}"),
            "head_branch": "main", "status": "completed", "conclusion": conclusion});
        json!({"action": "completed", "workflow_run": run, "repository": {"full_name": "o/r"}})
    };
    assert_eq!(told(&run(1, "failure")).1, "firing");
    assert_eq!(told(&run(2, "success")).1, "resolved");
    assert_eq!(key(&run(1, "failure")), key(&run(2, "success")));
    let pipeline = |number: u32, status: &str| {
        json!({"object_kind": "pipeline", "object_attributes": {"id": number, "ref": "main", "status": status},
            "project": {"path_with_namespace": "g/p"}, "commit": {"title": format!("Commit {number}")}})
    };
    assert_eq!(
        (told(&pipeline(1, "failed")).1, told(&pipeline(2, "success")).1),
        ("firing".to_string(), "resolved".to_string())
    );
    assert_eq!(key(&pipeline(1, "failed")), key(&pipeline(2, "success")));
    assert_eq!(told(&pipeline(3, "running")).1, "running");
}

#[test]
fn a_step_that_went_well_may_have_found_something_bad() {
    let scan = |gate: &str| json!({"status": "SUCCESS", "project": {"name": "p"}, "qualityGate": {"name": "g", "status": gate}});
    assert_eq!((told(&scan("ERROR")).1, told(&scan("OK")).1), ("firing".to_string(), "resolved".to_string()));
    assert_eq!(
        told(
            &json!({"resource": {"status": "completed", "result": "failed"}, "event": "build.complete", "service": "s"})
        )
        .1,
        "firing"
    );
}

#[test]
fn a_notification_goes_before_the_states_beside_it() {
    let of = |kind: &str, state: &str, last: &str| {
        told(&json!({"NOTIFICATIONTYPE": kind, "HOSTNAME": "h", "SERVICEDESC": "Disk", "SERVICESTATE": state,
            "LASTSERVICESTATE": last, "SERVICEOUTPUT": "95 %"}))
        .1
    };
    assert_eq!(of("PROBLEM", "CRITICAL", "OK"), "firing");
    assert_eq!(of("RECOVERY", "OK", "CRITICAL"), "resolved");
    assert_eq!(of("ACKNOWLEDGEMENT", "CRITICAL", "CRITICAL"), "ACKNOWLEDGEMENT");
    let icinga = json!({"host": {"name": "h", "state": "UP"}, "service": {"name": "s", "state": "CRITICAL"},
        "notification": {"type": "PROBLEM"}});
    assert_eq!(told(&icinga).1, "firing");
}

#[test]
fn a_state_may_stand_in_a_kind_a_severity_a_truth_value_or_a_title() {
    for (value, state) in [
        (json!({"eventType": "POLICY_OPEN_CRITICAL", "severity": "ERROR", "summaryMessage": "m"}), "firing"),
        (json!({"eventType": "POLICY_CLOSE_CRITICAL", "severity": "INFO", "summaryMessage": "m"}), "resolved"),
        (json!({"Name": "Errors", "TriggerType": "ResolvedCritical", "TriggerValue": "0"}), "resolved"),
        (json!({"id": "cpu:h1", "message": "cpu", "level": "OK", "previousLevel": "CRITICAL"}), "resolved"),
        (json!({"rule": {"name": "r"}, "alert": {"id": "h", "actionGroup": "recovered"}}), "resolved"),
        (json!({"subject": "[CRITICAL] lag on pg-2", "body": "400 s"}), "firing"),
        (json!({"subject": "[OK] lag on pg-2", "body": "0 s"}), "resolved"),
        (json!({"connection": {"name": "c"}, "success": false}), "firing"),
        (
            json!({"monitor": {"name": "API"}, "heartbeat": {"status": 1, "msg": "200 - OK"}, "msg": "[API] Up"}),
            "resolved",
        ),
    ] {
        assert_eq!(told(&value).1, state, "{value}");
    }
}

#[test]
fn what_is_other_business_starts_nothing() {
    for value in [
        json!({"object_kind": "issue", "object_attributes": {"title": "New API", "state": "opened", "severity": "UNKNOWN"}}),
        json!({"event-data": {"event": "failed", "severity": "permanent", "recipient": "a@example.com", "reason": "bounce"}}),
        json!({"type": "track", "event": "Order Failed", "properties": {"status": "failed"}}),
        json!({"type": "invoice.payment_failed", "data": {"object": {"status": "open"}}}),
        json!({"involvedObject": {"name": "apps"}, "severity": "info", "reason": "ReconciliationSucceeded", "message": "m"}),
        json!({"eventType": "workitem.created", "resource": {"fields": {"Title": "Bug", "State": "New", "Severity": "2 - High"}}}),
        json!({"action": "created", "rule": {"id": 1, "name": "main"}, "repository": {"full_name": "o/r"}}),
        json!({"event": "shipment.failed", "status": "failed", "status_description": "Undeliverable"}),
        json!({"event": "unknown", "check": {"url": "https://x.example", "enabled": true, "period": 30}}),
    ] {
        let fires =
            alerts(&value, Grouping::Group).is_ok_and(|alerts| alerts.iter().any(|alert| alert.state.is_firing()));
        assert!(!fires, "{value}");
    }
}

#[test]
fn two_things_with_one_trouble_are_two_alerts() {
    for (one, another) in [
        (
            json!({"title": "Down", "severity": "high", "host": "a"}),
            json!({"title": "Down", "severity": "high", "host": "b"}),
        ),
        (
            json!({"rule_id": "r", "rule_name": "CPU", "host": "a", "status": "alerting"}),
            json!({"rule_id": "r", "rule_name": "CPU", "host": "b", "status": "alerting"}),
        ),
        (json!({"service": "a", "status": "down"}), json!({"service": "b", "status": "down"})),
    ] {
        assert_ne!(key(&one), key(&another), "{one}");
    }
    let issue = |id: &str| json!({"id": id, "issueUrl": format!("https://one.example/issues/{id}?x=1"), "title": "CPU", "state": "ACTIVATED"});
    assert_eq!(key(&issue("a-1")), "newrelic:a-1");
    let measured = |output: &str, state: &str| json!({"host": "h", "service": "s", "state": state, "output": output});
    assert_eq!(key(&measured("95 % used", "CRITICAL")), key(&measured("40 % used", "OK")));
}

#[test]
fn a_list_of_alerts_is_read_one_by_one_whatever_it_is_called() {
    let incident = |name: &str| json!({"title": name, "state": "open", "incident_id": name});
    let found = alerts(&json!({"team": "t", "incidents": [incident("a"), incident("b")]}), Grouping::Group).unwrap();
    assert_eq!(found.iter().map(|alert| alert.title.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn a_delivery_says_who_sent_it_and_when() {
    let read = |body: Value, headers: &[(&str, &str)]| {
        let reading = Reading { format: None, grouping: Grouping::Group, mapping: None };
        let delivery = read_delivery(body.to_string().as_bytes(), headers, reading).unwrap();
        (delivery.sender, delivery.delivery_id, delivery.occurred_at)
    };
    let some = |text: &str| Some(text.to_string());
    assert_eq!(
        read(payload("pagerduty-triggered"), &[]),
        (Some(Format::PagerDuty), some("01DEVENTINCIDENT"), some("2026-03-01T10:00:04.120Z"))
    );
    let alert = json!({"title": "x", "severity": "high"});
    let headers = [("Webhook-Id", "d1"), ("Webhook-Timestamp", "1772359200")];
    assert_eq!(read(alert.clone(), &headers), (Some(Format::Generic), some("d1"), some("2026-03-01T10:00:00Z")));
    assert_eq!(read(json!([alert, payload("opsgenie-create")]), &[]).0, None);
}

/// An end counts where the alert is over: one that fires may name an end to come, or none.
#[test]
fn a_group_tells_the_newest_start_or_end_of_its_alerts() {
    let [began, joined, over, to_come] =
        ["2026-03-01T10:00:00Z", "2026-03-01T10:05:00Z", "2026-03-01T10:09:00Z", "2026-03-01T10:20:00Z"];
    let none = "0001-01-01T00:00:00Z";
    let newest = |alerts: &[(&str, &str, &str)]| {
        let alerts: Vec<Value> = alerts
            .iter()
            .map(|(status, start, end)| {
                json!({"status": status, "labels": {"alertname": "Down"}, "startsAt": start, "endsAt": end})
            })
            .collect();
        let body = json!({"version": "4", "groupKey": "{}:{}", "receiver": "r", "groupLabels": {"alertname": "Down"}, "alerts": alerts});
        let reading = Reading { format: None, grouping: Grouping::Group, mapping: None };
        let delivery = read_delivery(body.to_string().as_bytes(), &[], reading).unwrap();
        assert_eq!(delivery.occurred_at, None);
        delivery.newest_change.unwrap()
    };
    assert_eq!(newest(&[("firing", began, none)]), began);
    assert_eq!(newest(&[("firing", joined, to_come), ("firing", began, none)]), joined);
    assert_eq!(newest(&[("resolved", began, over), ("firing", joined, none)]), over);
    assert_eq!(newest(&[("resolved", began, joined), ("resolved", joined, over)]), over);
}

/// The identifier of a CloudEvent is unique within its source only, and that of an event in a batch is not the batch's.
#[test]
fn a_delivery_of_cloudevents_is_identified_by_source_and_id() {
    let id = |body: &Value, headers: &[(&str, &str)]| {
        let reading = Reading { format: None, grouping: Grouping::Group, mapping: None };
        read_delivery(body.to_string().as_bytes(), headers, reading).unwrap().delivery_id
    };
    let event = |id: &str| json!({"specversion": "1.0", "type": "disk.full", "source": "/a", "id": id, "data": {"title": "x", "severity": "high"}});
    assert_eq!(id(&event("1"), &[]).as_deref(), Some("/a 1"));
    assert_eq!(id(&event("1"), &[("webhook-id", "d1")]).as_deref(), Some("d1"));
    assert_eq!(id(&json!([event("1"), event("2")]), &[]), None);
    assert_eq!(id(&json!([event("1"), event("2")]), &[("webhook-id", "d1")]).as_deref(), Some("d1"));
    let alert = json!({"title": "x", "severity": "high"});
    assert_eq!(id(&alert, &[("ce-id", "1"), ("ce-source", "/a")]).as_deref(), Some("/a 1"));
    assert_eq!(id(&alert, &[("Ce-Id", "1")]), None);
}

#[test]
fn links_that_silence_stay_out_of_every_text() {
    let message =
        "**Firing**\nValue: 1\nSilence: https://grafana.example/alerting/silence/new?x=1\nSource: https://g.example";
    let mut grafana = payload("grafana-firing");
    grafana["message"] = json!(message);
    grafana["alerts"][0]["annotations"]["description"] = json!(message);
    let own = json!({"title": "x", "severity": "high", "message": message});
    for value in [grafana, own] {
        let data = data_of(&value);
        assert!(!data.to_lowercase().contains("silence"), "{data}");
    }
}

#[test]
fn the_frames_of_the_app_come_first_with_their_code_and_then_what_happened_before() {
    let mut body = payload("sentry-event-alert");
    let frame = |line: u32, own: bool| {
        json!({"filename": "shop/pay.py", "function": "pay", "lineno": line, "in_app": own,
        "context_line": "    total = basket['id']"})
    };
    let frames = json!([frame(1, true), frame(2, false), frame(3, true)]);
    body["data"]["event"]["exception"]["values"] = json!([{"type": "KeyError", "stacktrace": {"frames": frames}}]);
    body["data"]["event"]["breadcrumbs"] = json!({"values": [
        {"category": "query", "message": "SELECT 1"},
        {"category": "auth", "message": "login of jo@example.com failed"},
        {"category": "http", "data": {"method": "GET", "url": "https://x.example", "status_code": 500}},
    ]});
    let data = data_of(&body);
    let told: Vec<&str> = data.lines().skip_while(|line| !line.contains("breadcrumbs:")).collect();
    insta::assert_snapshot!(told.join("\n"), @"
      breadcrumbs: query: SELECT 1
              auth: login of … failed
              http: GET https://x.example 500
      exception: KeyError in pay at shop/pay.py:3
      rule: New errors in checkout
      stack: shop/pay.py:3 in pay: total = basket['id']
              shop/pay.py:1 in pay: total = basket['id']
    Links:
      event: https://sentry.example/organizations/shop/issues/5123456789/events/19a7c3f0d2b84e6f8a5b7c9d0e1f2a3b/
    ");
}

#[test]
fn a_severity_is_known_in_every_spelling() {
    for (word, severity) in [
        (json!("P2 - High"), Severity::High),
        (json!("Sev1 (Critical)"), Severity::Critical),
        (json!("ticket"), Severity::Medium),
        (json!("blocker"), Severity::Critical),
        (json!("1"), Severity::Critical),
    ] {
        let alert = json!({"status": "firing", "labels": {"alertname": "A", "severity": word}});
        let group = json!({"receiver": "r", "groupLabels": {"alertname": "A"}, "alerts": [alert]});
        for value in [json!({"title": "x", "severity": word}), group] {
            assert_eq!(one(&value).severity, Some(severity), "{value}");
        }
    }
    let legacy = json!({"ruleId": 1, "state": "alerting", "ruleName": "x", "tags": {"severity": "critical"}});
    assert_eq!(one(&legacy).severity, Some(Severity::Critical));
}

#[test]
fn a_prompt_holds_whatever_the_body_says() {
    let cases = [
        (
            json!({"title": "Crashing pod", "source": "kubernetes", "namespace": "prod", "host": "h1"}),
            &["kubernetes", "prod", "h1"][..],
        ),
        (
            json!({"specversion": "1.0", "id": "1", "source": "s", "type": "x.alarm", "data": {"alarm": "CPU", "host": "db-1", "value": 97}}),
            &["CPU", "db-1", "97"],
        ),
        (
            json!({"alert_id": "1", "alert_type": "error", "title": "t", "text": "the text", "host_name": "h9", "alert_query": "avg:x", "monitor": {"name": "mon"}}),
            &["the text", "h9", "avg:x", "mon"],
        ),
        (
            json!({"AlarmArn": "arn:aws:cloudwatch:eu-central-1:1:alarm:a b", "AlarmName": "a b", "NewStateValue": "ALARM", "LogGroups": ["lg"], "QueryString": "fields"}),
            &[
                "lg",
                "fields",
                "https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#alarmsV2:alarm/a%20b",
            ],
        ),
    ];
    for (value, wanted) in cases {
        let data = data_of(&value);
        wanted.iter().for_each(|text| assert!(data.contains(text), "{text}: {data}"));
    }
    let mut grafana = payload("grafana-firing");
    grafana["alerts"][0]["valueString"] = json!("[ var='B' value=44.2 ]");
    grafana["alerts"][0]["ruleUID"] = json!("uid7");
    let data = data_of(&grafana);
    assert!(data.contains("value=44.2") && data.contains("uid7"), "{data}");
}

#[test]
fn a_card_for_teams_is_read_where_it_says_a_state() {
    let (firing, resolved) = (payload("teams-firing"), payload("teams-resolved"));
    assert_eq!(key(&firing), key(&resolved));
    let alert = one(&firing);
    assert_eq!((alert.severity, alert.message.as_str()), (Some(Severity::Critical), "p99 is above 2 s"));
    assert_eq!((alert.annotations["Host"].as_str(), alert.links.len()), ("web-1", 1));
    assert_ne!(key(&firing), key(&payload("teams-connector-firing")));
    let moved = json!({"@type": "MessageCard", "title": "A card was moved to Done", "sections": [{"text": "by Ann"}]});
    assert!(matches!(alerts(&moved, Grouping::Group), Err(Problem::NotAnAlert { .. })));
}

#[test]
fn what_ends_an_alert_may_say_so_in_its_title_alone() {
    let titled = |title: &str| json!({"subject": title, "message": "see the dashboard"});
    for (firing, resolved) in [
        ("Problem: disk full", "Resolved in 1h 5m: disk full"),
        ("Monitor is DOWN: shop", "Monitor is UP: shop"),
        ("*ALERT* disk full", "*RESOLVED* disk full"),
    ] {
        let states = [firing, resolved].map(|title| told(&titled(title)).1);
        assert_eq!(states, ["firing", "resolved"], "{firing}");
        assert_eq!(key(&titled(firing)), key(&titled(resolved)), "{firing}");
    }
    assert!(alerts(&titled("the shop is open: come in"), Grouping::Group).is_err());
}

/// A commit says something else in each build.
#[test]
fn a_build_without_a_name_is_known_by_where_it_is() {
    let build = |state: &str, commit: &str| json!({"state": state, "message": commit, "branch": "main", "commit": "0a1b", "repository": {"name": "api"}});
    assert_eq!(key(&build("failed", "Add a cart")), key(&build("passed", "Mend the cart")));
}
