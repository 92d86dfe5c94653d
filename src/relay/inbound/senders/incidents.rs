//! On-call and incident management. Pure.

use super::signature::{Hash, Signed};
use super::{Evidence, Sender, Signature, coded, form, mapped};
use crate::relay::alert::Format;
use crate::relay::inbound::{incidentio, opsgenie, pagerduty};

pub static SENDERS: &[Sender] = &[
    Sender {
        format: Format::PagerDuty,
        also: &[],
        documentation: "https://developer.pagerduty.com/docs/webhooks/v3-overview/",
        evidence: Evidence::Sent("https://github.com/PagerDuty/go-pagerduty/blob/main/webhookv3/webhookv3_test.go"),
        forms: &[coded(
            &[
                &["event.event_type", "event.data"],
                &["messages.0.incident"],
                &["event", "log_entries", "incident.id"],
                &["messages.0.data.incident"],
                &["event.event_type=pagey.ping"],
            ],
            |payload, _, delivery| pagerduty::read(payload, delivery),
        )],
        key: "the incident",
        signature: Signature::hmac("x-pagerduty-signature", "v1="),
        setup: &[
            "Under Integrations, Generic Webhooks (v3), add a webhook with URL for the service or the account.",
            "Choose the events incident.triggered, incident.reopened and incident.resolved. The secret that is shown once signs.",
        ],
        template: None,
    },
    Sender {
        format: mapped("pagerduty-events", "A PagerDuty integration"),
        also: &["PagerDuty Events API"],
        documentation: "https://developer.pagerduty.com/docs/events-api-v2-overview",
        evidence: Evidence::Shown(
            "https://github.com/PagerDuty/developer-docs/blob/main/docs/events-API-v2/02-Trigger-Events.md",
        ),
        forms: &[
            form(
                &[
                    &["event_action", "payload.summary"],
                    &["event_action", "routing_key"],
                    &["event_action", "dedup_key"],
                ],
                r#"
title: payload.summary | dedup_key
severity: payload.severity
state: event_action
dedup_key: [dedup_key | payload.summary, "{{ '' if dedup_key else payload.source }}"]
url: client_url | links.0.href
started_at: payload.timestamp
labels: {source: payload.source, component: payload.component, group: payload.group, class: payload.class, client: client}
facts: [payload.custom_details, links, images]
"#,
            ),
            form(
                &[
                    &["event_type=trigger", "service_key"],
                    &["event_type=resolve", "service_key"],
                    &["event_type=acknowledge", "service_key"],
                ],
                r#"
title: description | incident_key
state: event_type
dedup_key: incident_key | description
url: client_url
labels: {client: client}
facts: [details, contexts]
"#,
            ),
        ],
        key: "`dedup_key`; without one, summary and source",
        signature: Signature::Header,
        setup: &[
            "For a tool that can send to PagerDuty and lets you choose the address: set its address for events to URL, with a secret in it unless the tool can send a header of yours as well.",
            "Any routing key will do; it is not read.",
        ],
        template: None,
    },
    Sender {
        format: Format::Opsgenie,
        also: &["Jira Service Management"],
        documentation: "https://support.atlassian.com/opsgenie/docs/opsgenie-edge-connector-alert-action-data/",
        evidence: Evidence::Shown("https://docs.opsgenie.com/v1.0/docs/webhook-integration"),
        forms: &[coded(&[&["action", "alert.alertId"]], |payload, _, delivery| {
            delivery.alerts.push(opsgenie::read(payload)?);
            Ok(())
        })],
        key: "the alert",
        signature: Signature::Header,
        setup: &[
            "Under Settings, Integrations, add Webhook with URL, a custom header with a secret, and the actions Alert is created and Alert is closed.",
        ],
        template: None,
    },
    Sender {
        format: mapped("incident-io", "incident.io"),
        also: &[],
        documentation: "https://docs.incident.io/integrations/webhooks",
        evidence: Evidence::Shown("https://api-docs.incident.io/tag/Webhooks/"),
        forms: &[coded(&[&["event_type~public_"], &["event_type~private_"]], |payload, _, delivery| {
            delivery.alerts.push(incidentio::read(payload)?);
            Ok(())
        })],
        key: "`alert` or `incident` with its identifier",
        signature: Signature::StandardWebhooks,
        setup: &[
            "Under Settings, Webhooks, add an endpoint with URL, and the events for alerts or incidents that are created and resolved or closed. The endpoint's signing secret signs.",
        ],
        template: None,
    },
    Sender {
        format: mapped("rootly", "Rootly"),
        also: &[],
        documentation: "https://docs.rootly.com/configuration/webhooks",
        evidence: Evidence::Shown("https://docs.rootly.com/configuration/webhooks"),
        forms: &[
            form(
                &[&["event.type~alert.", "data.summary", "event.issued_at"]],
                r#"
title: data.summary
message: data.description
severity: data.alert_urgency.name | data.severity
state: data.status | event.type
states: {alert.created: firing, alert.triggered: firing, alert.resolved: resolved, alert.acknowledged: ignored, alert.updated: ignored, alert.deferred: ignored}
resolved_when: "{{ data.ended_at }}"
dedup_key: ["{{ 'alert' }}", data.id]
url: data.external_url | data.url
started_at: data.started_at
labels: {source: data.source, id: data.external_id}
facts: [data.labels, data.data, data.services, data.environments]
"#,
            ),
            form(
                &[&["event.type~incident.", "data.title", "event.issued_at"]],
                r#"
title: data.title
message: data.summary
severity: data.severity.data.attributes.slug | data.severity.slug | data.severity
state: event.type
states: {incident.created: firing, incident.updated: ignored, incident.mitigated: resolved, incident.resolved: resolved, incident.cancelled: resolved, incident.canceled: resolved, incident.deleted: resolved}
dedup_key: ["{{ 'incident' }}", data.id]
url: data.url
started_at: data.started_at
labels: {status: data.status, kind: data.kind}
facts: [data.services, data.environments, data.groups, data.slug]
"#,
            ),
        ],
        key: "`alert` or `incident` with its identifier",
        signature: Signature::Hmac {
            header: "x-rootly-signature",
            hash: Hash::Sha256,
            is_base64: false,
            prefix: "v1=",
            signed: Signed::TimeInHeader { field: "t=", separator: "" },
        },
        setup: &[
            "Under Settings, Webhooks, add an endpoint with URL and the event types alert.created and alert.resolved, or those of incidents. The endpoint's secret signs.",
        ],
        template: None,
    },
    Sender {
        format: mapped("squadcast", "Squadcast"),
        also: &[],
        documentation: "https://developers.squadcast.com/outgoing-webhooks/payload/",
        evidence: Evidence::Shown("https://developers.squadcast.com/outgoing-webhooks/payload/"),
        forms: &[
            form(
                &[&["event_type~incident_", "service.id", "organization.id"]],
                r#"
title: message
message: description
severity: tags.severity.value
state: event_type
states: {incident_triggered: firing, incident_reassigned: ignored, incident_acknowledged: ignored, incident_resolved: resolved, incident_suppressed: ignored}
dedup_key: id
url: url
started_at: created_at
labels: {service: service.name, source: alert_source.type}
facts: [event_payload.description, event_count, status]
"#,
            ),
            form(
                &[&["event.type~incident.", "event.resource", "data.resource_data.id"]],
                r#"
title: data.resource_data.message
message: data.resource_data.description
severity: data.resource_data.tags.severity.value | data.resource_data.priority
state: "{{ event.type if event.type in ['incident.triggered', 'incident.resolved', 'incident.reopened'] else 'information' }}"
states: {incident.triggered: firing, incident.reopened: firing, incident.resolved: resolved, information: ignored}
dedup_key: data.resource_data.id
url: data.resource_data.url
started_at: data.resource_data.created_at
labels: {service: data.resource_data.service.name, source: data.resource_data.alert_source.type}
facts: [event.type, data.resource_data.event_payload.description, data.resource_data.status]
"#,
            ),
        ],
        key: "the incident",
        signature: Signature::Header,
        setup: &[
            "Under Settings, Webhooks, add an outgoing webhook with URL, a header with a secret, and the triggers Incident triggered and Incident resolved.",
        ],
        template: None,
    },
    Sender {
        format: mapped("splunk-on-call", "Splunk On-Call"),
        also: &["VictorOps"],
        documentation: "https://help.splunk.com/en/splunk-on-call/integrations/rest-endpoint-integration-guide",
        evidence: Evidence::Shown(
            "https://help.splunk.com/en/splunk-enterprise/alert-and-respond/splunk-on-call/integrations-with-splunk-on-call/rest-endpoint-integration-for-splunk-on-call",
        ),
        forms: &[form(
            &[&["message_type", "entity_id"], &["message_type", "entity_display_name", "state_message"]],
            r#"
title: entity_display_name | entity_id
message: state_message
severity: "{{ message_type if message_type in ['CRITICAL', 'WARNING', 'INFO'] else '' }}"
state: message_type
states: {CRITICAL: firing, WARNING: firing, INFO: ignored, RECOVERY: resolved}
dedup_key: entity_id | entity_display_name
url: alert_url
started_at: state_start_time | timestamp
labels: {tool: monitoring_tool, host: host_name}
"#,
        )],
        key: "`entity_id`",
        signature: Signature::Header,
        setup: &[
            "For a tool that can send to the REST endpoint of Splunk On-Call: set its address to URL, with a secret in it.",
            "Or, under Integrations, Outgoing Webhooks, add one for Incident-Triggered and one for Incident-Resolved with URL, a custom header with a secret, and the body below.",
        ],
        template: Some(
            r#"{
  "message_type": "${{ALERT.message_type}}",
  "entity_id": "${{ALERT.entity_id}}",
  "entity_display_name": "${{ALERT.entity_display_name}}",
  "state_message": "${{ALERT.state_message}}",
  "monitoring_tool": "${{ALERT.monitoring_tool}}"
}"#,
        ),
    },
    Sender {
        format: mapped("grafana-oncall", "Grafana OnCall"),
        also: &["Grafana IRM"],
        documentation: "https://grafana.com/docs/oncall/latest/configure/outgoing-webhooks/",
        evidence: Evidence::Shown(
            "https://grafana.com/docs/oncall/latest/configure/integrations/outgoing-webhooks/#outgoing-webhook-templates",
        ),
        forms: &[
            form(
                &[&["alert_group.id", "alert_group.state", "event.type"]],
                r#"
title: alert_group.title
message: alert_payload.message | alert_payload.commonAnnotations.description
severity: alert_payload.commonLabels.severity | alert_group.labels.severity
state: alert_group.state
states: {new: firing}
dedup_key: ["{{ 'alert_group' }}", alert_group.id]
url: alert_group.permalinks.web
started_at: alert_group.created_at
labels: {integration: integration.name, team: integration.team}
facts: [event.type, alert_group.alerts_count, alert_payload]
"#,
            ),
            form(
                &[&["alert_uid", "title"], &["alert_uid", "state"], &["alert_uid", "message"]],
                r#"
title: title | message
message: message
state: state
dedup_key: alert_uid
url: link_to_upstream_details
"#,
            ),
        ],
        key: "`alert_group` with its identifier; of the formatted webhook, `alert_uid`",
        signature: Signature::Header,
        setup: &[
            "Under Outgoing webhooks, add one with URL, an authorization header, the method POST, and Forward all.",
            "Let it be triggered by Alert Group Created and by Resolved, in two webhooks.",
        ],
        template: None,
    },
];
