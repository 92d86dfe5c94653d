//! Monitoring as a whole: metrics, services, applications. Pure.

use super::signature::{Hash, Signed};
use super::{Evidence, Sender, Signature, coded, form, mapped};
use crate::relay::alert::Format;
use crate::relay::inbound::{alertmanager, datadog, grafana};

pub static SENDERS: &[Sender] = &[
    Sender {
        format: Format::Grafana,
        also: &[],
        documentation: "https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/",
        evidence: Evidence::Sent("https://github.com/grafana/alerting/blob/main/receivers/webhook/webhook.go"),
        forms: &[coded(
            &[
                &["alerts", "receiver", "orgId"],
                &["alerts", "receiver", "version=1"],
                &["ruleId", "state", "evalMatches"],
                &["ruleId", "state", "ruleName"],
            ],
            grafana::read,
        )],
        key: "receiver and group labels; without group labels the rule",
        signature: Signature::Hmac {
            header: "x-grafana-alerting-signature",
            hash: Hash::Sha256,
            is_base64: false,
            prefix: "",
            signed: Signed::TimeIfSent { header: "x-grafana-alerting-timestamp", separator: ":" },
        },
        setup: &[
            "Under Alerting, Contact points, add a Webhook with URL. Leave the payload as it is.",
            "Set an HMAC secret (Grafana 12 and later), and the timestamp header `X-Grafana-Alerting-Timestamp`; or an authorization header.",
        ],
        template: None,
    },
    Sender {
        format: Format::Alertmanager,
        also: &["vmalert", "Google Managed Prometheus", "Mimir", "Loki", "Thanos", "SigNoz"],
        documentation: "https://prometheus.io/docs/alerting/latest/configuration/#webhook_config",
        evidence: Evidence::Sent("https://github.com/prometheus/alertmanager/blob/main/notify/webhook/webhook.go"),
        forms: &[coded(
            &[&["alerts.0.labels", "receiver"], &["alerts", "groupKey"], &["alerts", "receiver"]],
            alertmanager::read,
        )],
        key: "receiver and group labels; without group labels the alert's name",
        signature: Signature::Header,
        setup: &[
            "Add a receiver with the `webhook_configs` below, and a route to it. The file holds the secret and nothing else.",
            "Group by what tells two problems apart, such as `alertname` and `service`: a group is one session.",
        ],
        template: Some(
            r"receivers:
  - name: devin
    webhook_configs:
      - url: URL
        send_resolved: true
        http_config:
          authorization:
            credentials_file: /etc/alertmanager/devin-relay-secret",
        ),
    },
    Sender {
        format: Format::Datadog,
        also: &[],
        documentation: "https://docs.datadoghq.com/integrations/webhooks/",
        evidence: Evidence::Shown("https://docs.datadoghq.com/integrations/webhooks/"),
        forms: &[coded(
            &[
                &["alert_transition"],
                &["alert_cycle_key"],
                &["aggreg_key"],
                &["alert_title"],
                &["alert_id", "alert_type"],
                &["alert_id", "transition"],
                &["alert_id", "event_title"],
                &["alert_id", "title~[Triggered"],
                &["alert_id", "title~[Re-Triggered"],
                &["alert_id", "title~[Recovered"],
                &["alert_id", "title~[No data"],
                &["alert_id", "title~[Warn"],
                &["alert_id", "title~[P"],
                &["event_type", "last_updated", "org"],
            ],
            |payload, _, delivery| {
                delivery.alerts.push(datadog::read(payload)?);
                Ok(())
            },
        )],
        key: "the alert cycle; without it alert and scope, aggregation key, or title and tags",
        signature: Signature::Header,
        setup: &[
            "Under Integrations, Webhooks, add one with the name devin, URL, the payload below, and a custom header with a secret.",
            "Write `@webhook-devin` into the message of the monitors.",
        ],
        template: Some(
            r#"{
  "alert_id": "$ALERT_ID",
  "alert_cycle_key": "$ALERT_CYCLE_KEY",
  "aggreg_key": "$AGGREG_KEY",
  "alert_transition": "$ALERT_TRANSITION",
  "alert_title": "$ALERT_TITLE",
  "alert_scope": "$ALERT_SCOPE",
  "alert_priority": "$ALERT_PRIORITY",
  "alert_type": "$ALERT_TYPE",
  "alert_query": "$ALERT_QUERY",
  "text_only_msg": "$TEXT_ONLY_MSG",
  "tags": "$TAGS",
  "hostname": "$HOSTNAME",
  "link": "$LINK",
  "date": "$DATE"
}"#,
        ),
    },
    Sender {
        format: mapped("newrelic", "New Relic"),
        also: &[],
        documentation: "https://docs.newrelic.com/docs/alerts/get-notified/notification-integrations/#webhook",
        evidence: Evidence::Shown(
            "https://docs.newrelic.com/docs/alerts/get-notified/notification-integrations/#webhook",
        ),
        forms: &[
            form(
                &[&["issueUrl", "state"], &["issueUrl", "priority"], &["alertConditionNames", "state"]],
                r#"
title: title | condition_name | alertConditionNames.0 | issueTitle
message: details | description
severity: priority
state: state
states: {ACKNOWLEDGED: ignored}
dedup_key: id | issueId
url: issueUrl
started_at: createdAt | activatedAt
labels: {policy: alertPolicyNames.0, condition: alertConditionNames.0 | condition_name, entity: impactedEntities.0}
"#,
            ),
            form(
                &[
                    &["current_state", "condition_name"],
                    &["current_state", "policy_name"],
                    &["current_state", "incident_id", "incident_url"],
                    &["incident_url", "condition_name"],
                ],
                r#"
title: condition_name | policy_name
message: details
severity: severity
state: current_state
test_when: "{{ policy_name == 'New Relic Alert - Test Policy' }}"
dedup_key: incident_id
url: incident_url
started_at: timestamp
labels: {policy: policy_name, condition: condition_name, account: account_name}
"#,
            ),
        ],
        key: "the issue; in the older form, the incident",
        signature: Signature::Header,
        setup: &[
            "Under Alerts, Destinations, add a Webhook with URL and a bearer token.",
            "Under Workflows, add the destination with the template below, and notify when an issue is activated and when it is closed.",
        ],
        template: Some(
            r#"{
  "id": {{ json issueId }},
  "issueUrl": {{ json issuePageUrl }},
  "title": {{ json annotations.title.[0] }},
  "details": {{ json annotations.description.[0] }},
  "priority": {{ json priority }},
  "state": {{ json state }},
  "createdAt": {{ createdAt }},
  "impactedEntities": {{ json entitiesData.names }},
  "alertPolicyNames": {{ json accumulations.policyName }},
  "alertConditionNames": {{ json accumulations.conditionName }}
}"#,
        ),
    },
    Sender {
        format: mapped("splunk-observability", "Splunk Observability Cloud"),
        also: &["SignalFx"],
        documentation: "https://help.splunk.com/en/splunk-observability-cloud/create-alerts-detectors-and-service-level-objectives/send-alerts-to-other-systems/send-alert-notifications-to-a-webhook",
        evidence: Evidence::Shown(
            "https://dev.splunk.com/observability/docs/integrations/webhook_integration_overview/",
        ),
        forms: &[form(
            &[&["incidentId", "detectorUrl"], &["incidentId", "detectorId"]],
            r#"
title: messageTitle | detector | rule
message: messageBody | description
severity: severity
state: statusExtended | status
states: {anomalous: firing, manually resolved: resolved, stopped: resolved}
dedup_key: incidentId
url: detectorUrl
started_at: timestampISO8601 | timestamp
labels: {detector: detector, rule: rule, metric: originatingMetric}
"#,
        )],
        key: "the incident",
        signature: Signature::Hmac {
            header: "x-sfx-signature",
            hash: Hash::Sha256,
            is_base64: true,
            prefix: "",
            signed: Signed::Body,
        },
        setup: &[
            "Under Data management, add a Webhook integration with URL and a shared secret, which signs, and add it to the recipients of the detector. Leave the payload as it is.",
        ],
        template: None,
    },
    Sender {
        format: mapped("dynatrace", "Dynatrace"),
        also: &[],
        documentation: "https://docs.dynatrace.com/docs/analyze-explore-automate/notifications-and-alerting/problem-notifications/webhook-integration",
        evidence: Evidence::Shown(
            "https://docs.dynatrace.com/docs/discover-dynatrace/references/dynatrace-api/configuration-api/notifications-api/models",
        ),
        forms: &[form(
            &[&["ProblemID", "ProblemTitle"], &["ProblemID", "State"], &["PID", "State"]],
            r#"
title: ProblemTitle | ProblemID
message: ProblemDetailsText | ProblemDetails | ImpactedEntity
severity: >-
  {{ {'AVAILABILITY': 'critical', 'ERROR': 'high', 'PERFORMANCE': 'medium', 'RESOURCE_CONTENTION': 'medium', 'CUSTOM_ALERT': 'medium'}[ProblemSeverity] }}
state: State
states: {MERGED: ignored}
test_when: "{{ 'notification test run' in (ProblemTitle or '') or ProblemID in ['999', 'TESTID'] }}"
dedup_key: PID | ProblemID
url: ProblemURL
labels: {impact: ProblemImpact, entity: ImpactedEntity, tags: Tags}
"#,
        )],
        key: "the problem",
        signature: Signature::Header,
        setup: &[
            "Under Settings, Integration, Problem notifications, add a Custom integration with URL, an `Authorization` header, the payload below, and the call when a problem closes.",
        ],
        template: Some(
            r#"{
  "PID": "{PID}",
  "ProblemID": "{ProblemID}",
  "ProblemTitle": "{ProblemTitle}",
  "ProblemDetailsText": "{ProblemDetailsText}",
  "ProblemSeverity": "{ProblemSeverity}",
  "ProblemImpact": "{ProblemImpact}",
  "ProblemURL": "{ProblemURL}",
  "ImpactedEntity": "{ImpactedEntity}",
  "State": "{State}",
  "Tags": "{Tags}"
}"#,
        ),
    },
    Sender {
        format: mapped("instana", "Instana"),
        also: &["IBM Instana"],
        documentation: "https://www.ibm.com/docs/en/instana-observability/current?topic=alerts-webhook",
        evidence: Evidence::Shown("https://www.ibm.com/docs/en/instana-observability?topic=alerting-webhooks"),
        forms: &[
            // That a part went away, came back or changed has no state.
            form(
                &[&["issue.id", "issue.type=presence", "issue.text"], &["issue.id", "issue.type=change", "issue.text"]],
                r#"
title: "{{ issue.entityLabel or issue.entity or 'An entity' }} is {{ issue.text }}"
message: issue.description
state: "{{ issue.text if issue.type == 'presence' else 'change' }}"
states: {change: ignored, offline: firing, online: resolved}
dedup_key: ["{{ issue.type }}", issue.fqdn, issue.entityLabel | issue.entity, "{{ '' if issue.type == 'presence' else issue.id }}"]
url: issue.link
started_at: issue.start
labels: {type: issue.type, zone: issue.zone, entity: issue.entityLabel, host: issue.fqdn}
"#,
            ),
            form(
                &[&["issue.id", "issue.state", "issue.start"]],
                r#"
title: issue.text | issue.type
message: issue.suggestion
severity: >-
  {{ {'10': 'critical', '5': 'medium'}[issue.severity ~ ''] or issue.severity }}
state: issue.state
dedup_key: issue.id
url: issue.link
started_at: issue.start
labels: {type: issue.type, zone: issue.zone, entity: issue.entityLabel, host: issue.fqdn}
"#,
            ),
        ],
        key: "the issue",
        signature: Signature::Header,
        setup: &["Under Settings, Alert channels, add a Generic webhook with URL and a header with a secret."],
        template: None,
    },
];
