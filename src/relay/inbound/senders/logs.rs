//! Logs and traces. Pure.

use super::{Evidence, Sender, Signature, form, mapped};

pub static SENDERS: &[Sender] = &[
    Sender {
        format: mapped("splunk", "Splunk"),
        also: &["Splunk Enterprise", "Splunk Cloud"],
        documentation: "https://help.splunk.com/en/splunk-enterprise/alert-and-respond/alerting-manual/configure-alert-actions/use-a-webhook-alert-action",
        evidence: Evidence::Shown(
            "https://help.splunk.com/splunk-enterprise/alert-and-respond/alerting-manual/10.0/configure-alert-actions/use-a-webhook-alert-action",
        ),
        forms: &[form(
            &[&["search_name", "results_link"], &["sid", "results_link"], &["search_name", "sid", "result"]],
            r#"
title: search_name | result.source | sid
message: result._raw | result.message
state: "{{ 'firing' }}"
dedup_key: ["{{ search_name or (sid or '') | split('_at_') | first or result.source or app }}", result.host, result.source]
url: results_link
started_at: result._time
labels: {search: search_name, app: app, host: result.host, source: result.source}
facts: [result, app]
"#,
        )],
        key: "saved search (without a name, what its `sid` begins with), host and source of the first result",
        signature: Signature::Nothing,
        setup: &[
            "Add the trigger action Webhook with URL (with a secret in it) to the alert, and allow the URL in `alert_actions.conf`.",
            "Splunk says nothing when an alert is over.",
        ],
        template: None,
    },
    Sender {
        format: mapped("elastic", "Elastic"),
        also: &["Kibana", "Elastic Security"],
        documentation: "https://www.elastic.co/docs/reference/kibana/connectors-kibana/webhook-action-type",
        evidence: Evidence::Shown("https://github.com/COG-GTM/devin-triage-workflow/blob/main/docs/ELASTIC-SETUP.md"),
        forms: &[
            form(
                &[&["source=kibana", "dedup_key", "status"]],
                r#"
title: title
message: message
severity: severity
state: "{{ 'recovered' if status in ['recovered', 'resolved'] else 'firing' }}"
dedup_key: dedup_key
url: url
started_at: timestamp
labels: {rule: title, group: group}
facts: [status, value, tags]
"#,
            ),
            // The variables by the names that Kibana gives them, as `{{{.}}}` writes all.
            form(
                &[&["rule.id", "alert.id", "alert.actionGroup"]],
                r#"
title: rule.name | rule.id
message: context.reason | context.message | context.title
severity: context.severity
state: "{{ 'recovered' if alert.actionGroup == 'recovered' else 'firing' }}"
dedup_key: [rule.id, alert.id]
url: rule.url | context.viewInAppUrl | context.alertDetailsUrl
started_at: date
labels: {rule: rule.name, type: rule.type, alert: alert.id}
facts: [alert.actionGroup, alert.actionGroupName, context.value, context.conditions, context.group, rule.tags]
"#,
            ),
            // The body of Cognition's guide for Kibana, which is sent for what fires only.
            form(
                &[&["alertName", "alertId", "source=kibana"]],
                r#"
title: alertName
message: description
state: "{{ 'firing' }}"
dedup_key: [alertName, alertId]
started_at: firedTime
labels: {rule: alertName, alert: alertId, group: groupByField}
facts: [severity, signalType, matchedDocuments, logs]
"#,
            ),
        ],
        key: "rule and alert",
        signature: Signature::Header,
        setup: &[
            "Under Connectors, create one of the type Webhook with the method POST, URL, and a header with a secret.",
            "Add it to the rule twice, both times with the body below: once for the action group of the alert, once for Recovered; per alert, on status changes.",
        ],
        template: Some(
            r#"{
  "title": "{{rule.name}}",
  "message": "{{context.reason}}",
  "status": "{{alert.actionGroup}}",
  "dedup_key": "{{rule.id}}/{{alert.id}}",
  "source": "kibana",
  "url": "{{rule.url}}",
  "timestamp": "{{date}}",
  "group": "{{context.group}}",
  "value": "{{context.value}}"
}"#,
        ),
    },
    Sender {
        format: mapped("honeycomb", "Honeycomb"),
        also: &[],
        documentation: "https://docs.honeycomb.io/notify/webhooks/",
        evidence: Evidence::Shown("https://docs.honeycomb.io/integrations/webhooks"),
        forms: &[form(
            &[
                &["trigger_url", "status", "id"],
                &["trigger_description", "status"],
                &["result_url", "status", "shared_secret"],
            ],
            r#"
title: name | trigger_name | summary
message: summary | description | trigger_description
state: status
test_when: "{{ is_test }}"
dedup_key: id | trigger_url | name
url: result_url | trigger_url
labels: {environment: environment, dataset: dataset}
"#,
        )],
        key: "the trigger",
        signature: Signature::Token { header: "x-honeycomb-webhook-token" },
        setup: &[
            "Under Team settings, Integrations, add a Webhook with URL and a shared secret, and make it a recipient of the trigger or burn alert.",
        ],
        template: None,
    },
    Sender {
        format: mapped("axiom", "Axiom"),
        also: &[],
        documentation: "https://axiom.co/docs/monitor-data/custom-webhook-notifier",
        evidence: Evidence::Shown("https://axiom.co/docs/monitor-data/custom-webhook-notifier"),
        forms: &[form(
            &[&["action", "event.monitorID"]],
            r#"
title: event.title
message: event.body | event.description
state: action
dedup_key: [event.monitorID, event.groupValues]
started_at: event.timestamp | event.queryEndTime
labels: {monitor: event.title}
"#,
        )],
        key: "the monitor",
        signature: Signature::Header,
        setup: &[
            "Under Monitors, Manage notifiers, add a Custom webhook with URL and a header with a secret. Keep the default body, and add the notifier to the monitor.",
        ],
        template: None,
    },
    Sender {
        format: mapped("coralogix", "Coralogix"),
        also: &[],
        documentation: "https://coralogix.com/docs/user-guides/alerting/outbound-webhooks/generic-outbound-webhooks/",
        evidence: Evidence::Shown(
            "https://www.coralogix.com/docs/user-guides/alerting/outbound-webhooks/generic-outbound-webhooks-alert-webhooks/",
        ),
        forms: &[form(
            &[&["alert_id", "alert_action", "alert_url"], &["alert_id", "alert_action", "log_url"]],
            r#"
title: name | alert_name
message: description
severity: "{% for f in fields %}{% if f.key == 'severity' %}{{ f.value }}{% endif %}{% endfor %}"
state: alert_action
dedup_key: [alert_id, group_by_labels]
url: alert_url
labels: {application: application, subsystem: subsystem}
"#,
        )],
        key: "the alert, with the labels that it groups by",
        signature: Signature::Header,
        setup: &[
            "Under Data flow, Outbound webhooks, add a Generic webhook with URL, the method POST and a header with a secret, and keep the default message.",
        ],
        template: None,
    },
    Sender {
        format: mapped("graylog", "Graylog"),
        also: &[],
        documentation: "https://go2docs.graylog.org/current/interacting_with_your_log_data/notifications.html",
        evidence: Evidence::Sent(
            "https://github.com/Graylog2/graylog2-server/blob/master/graylog2-server/src/main/java/org/graylog/events/notifications/EventNotificationModelData.java",
        ),
        forms: &[
            form(
                &[&["event_definition_id", "event_definition_title", "event"]],
                r#"
title: event_definition_title
message: event.message | event_definition_description
severity: >-
  {{ {'1': 'low', '2': 'medium', '3': 'high', '4': 'critical'}[event.priority ~ ''] }}
state: "{{ 'firing' }}"
test_when: "{{ event_definition_id in ['NotificationTestId', 'EventDefinitionTestId'] }}"
dedup_key: [event_definition_id, event.key, "{% for f in event.group_by_fields | items %}{{ f[0] }}={{ f[1] }},{% endfor %}"]
started_at: event.timestamp
labels: {definition: event_definition_title, source: event.source}
facts: [event_definition_description, remediation_steps, event.fields, event.group_by_fields, event.timerange_start, event.timerange_end, backlog]
"#,
            ),
            form(
                &[&["check_result.triggered_condition", "check_result.result_description"]],
                r#"
title: "{{ stream.title or check_result.triggered_condition.title or 'A stream' }}"
message: check_result.result_description
state: "{{ 'firing' }}"
dedup_key: [check_result.triggered_condition.id, stream.id]
started_at: check_result.triggered_at
labels: {stream: stream.title}
facts: [check_result.triggered_condition.description, check_result.triggered_condition.type, check_result.matching_messages]
"#,
            ),
        ],
        key: "event definition, key and group",
        signature: Signature::Header,
        setup: &[
            "Under Alerts, Notifications, create an HTTP Notification with URL and an API key as header, and add it to the event definition.",
            "Graylog says nothing when an event is over.",
        ],
        template: None,
    },
    Sender {
        format: mapped("papertrail", "Papertrail"),
        also: &["SolarWinds Observability Logs"],
        documentation: "https://www.papertrail.com/help/webhooks/",
        evidence: Evidence::Shown("http://help.papertrailapp.com/kb/how-it-works/web-hooks/"),
        forms: &[form(
            &[&["saved_search.id", "saved_search.name", "events"], &["saved_search.id", "saved_search.name", "counts"]],
            r#"
title: saved_search.name
message: events.0.message
state: "{{ 'firing' }}"
dedup_key: saved_search.id
url: saved_search.html_search_url
started_at: events.0.received_at
labels: {search: saved_search.name, query: saved_search.query}
facts: [events, counts, min_id, max_id]
"#,
        )],
        key: "the saved search",
        signature: Signature::Nothing,
        setup: &["Add the alert type Webhook with URL (with a secret in it) to a saved search."],
        template: None,
    },
];
