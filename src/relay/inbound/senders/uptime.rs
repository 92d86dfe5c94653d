//! Checks from outside, and status pages. Pure.

use super::{Evidence, Sender, Signature, form, mapped};

pub static SENDERS: &[Sender] = &[
    Sender {
        format: mapped("pingdom", "Pingdom"),
        also: &[],
        documentation: "https://www.pingdom.com/resources/webhooks/",
        evidence: Evidence::Shown("https://www.pingdom.com/resources/webhooks/"),
        forms: &[form(
            &[&["check_id", "check_name", "current_state"]],
            r#"
title: check_name
message: long_description | description
severity: importance_level
state: current_state
states: {FAILING: firing, UNCONFIRMED_DOWN: ignored}
dedup_key: check_id
started_at: state_changed_utc_time | state_changed_timestamp
labels: {check: check_name, type: check_type, host: check_params.hostname}
"#,
        )],
        key: "the check",
        signature: Signature::Nothing,
        setup: &["Under Integrations, add a webhook with URL (with a secret in it), and choose it in the checks."],
        template: None,
    },
    Sender {
        format: mapped("uptime-kuma", "Uptime Kuma"),
        also: &[],
        documentation: "https://github.com/louislam/uptime-kuma/wiki/Notification-Methods",
        evidence: Evidence::Sent(
            "https://github.com/louislam/uptime-kuma/blob/master/server/notification-providers/webhook.js",
        ),
        forms: &[
            form(
                &[&["heartbeat.status", "monitor.name"], &["heartbeat.monitorID", "heartbeat.status", "msg"]],
                r#"
title: monitor.name | msg
message: heartbeat.msg | msg
state: heartbeat.status
states: {'0': firing, '1': resolved, '2': ignored, '3': ignored}
dedup_key: monitor.id | heartbeat.monitorID | monitor.name
url: monitor.url
started_at: heartbeat.time
labels: {monitor: monitor.name, type: monitor.type, host: monitor.hostname}
facts: [msg, heartbeat.ping, heartbeat.duration, heartbeat.retries, monitor.description, monitor.port]
"#,
            ),
            // Of a certificate that expires, or the test: neither has a monitor.
            form(
                &[&["heartbeat?", "monitor?", "msg"]],
                r#"
title: msg
state: "{{ 'test' if 'Testing' in msg else 'firing' }}"
states: {test: test}
"#,
            ),
        ],
        key: "the monitor",
        signature: Signature::Header,
        setup: &[
            "Under Settings, Notifications, add one of the type Webhook with URL, the request body application/json, and a header with a secret.",
        ],
        template: None,
    },
    Sender {
        format: mapped("uptimerobot", "UptimeRobot"),
        also: &[],
        documentation: "https://help.uptimerobot.com/en/articles/14498593-webhook-integration",
        evidence: Evidence::Shown("https://help.uptimerobot.com/en/articles/14498593-webhook-integration"),
        forms: &[form(
            &[&["alert_type_friendly_name"], &["alertTypeFriendlyName"]],
            r#"
title: monitor_friendly_name | monitorFriendlyName | monitor_url | monitorURL
message: alert_details | alertDetails
state: alert_type_friendly_name | alertTypeFriendlyName
states: {SSL expiry: firing, Domain expiry: firing}
dedup_key: monitor_id | monitorID | monitor_url | monitorURL | monitor_friendly_name
url: monitor_url | monitorURL
started_at: alert_date_time | alertDateTime
labels: {monitor: monitor_friendly_name | monitorFriendlyName}
"#,
        )],
        key: "the monitor",
        signature: Signature::Header,
        setup: &[
            "Under Integrations, add a webhook with URL, the body below as the POST value, Send as JSON, and a custom header with a secret.",
        ],
        template: Some(
            r#"{
  "monitor_id": "*monitorID*",
  "monitor_friendly_name": "*monitorFriendlyName*",
  "monitor_url": "*monitorURL*",
  "alert_type_friendly_name": "*alertTypeFriendlyName*",
  "alert_details": "*alertDetails*",
  "alert_date_time": "*alertDateTime*"
}"#,
        ),
    },
    Sender {
        format: mapped("updown", "updown.io"),
        also: &[],
        documentation: "https://updown.io/api#webhooks",
        evidence: Evidence::Shown("https://updown.io/api#webhooks"),
        forms: &[form(
            &[&["event~check.", "check.token", "check.url"]],
            r#"
title: check.alias | check.url
message: description | downtime.error | check.error
state: event
states: {check.down: firing, check.up: resolved, check.ssl_invalid: firing, check.ssl_valid: resolved, check.ssl_expiration: firing, check.ssl_renewed: resolved, check.performance_drop: firing}
dedup_key: [check.token, "{{ 'ssl' if 'ssl' in event else 'performance' if 'performance' in event else '' }}"]
url: check.url
started_at: downtime.started_at | time
labels: {check: check.url}
facts: [check.last_status, check.error, check.uptime, check.period, downtime.error, downtime.duration, ssl, apdex_dropped]
"#,
        )],
        key: "the check, with what is wrong of it: down, certificate, performance",
        signature: Signature::Nothing,
        setup: &["Under Settings, add URL (with a secret in it) as a webhook, and choose it in the checks."],
        template: None,
    },
    Sender {
        format: mapped("checkly", "Checkly"),
        also: &[],
        documentation: "https://www.checklyhq.com/docs/integrations/alerts/webhooks/",
        evidence: Evidence::Shown("https://www.checklyhq.com/docs/alerting-and-retries/webhooks"),
        forms: &[form(
            &[&["check_id", "alert_type~ALERT_"], &["CHECK_ID", "ALERT_TYPE~ALERT_"], &["checkId", "alertType~ALERT_"]],
            r#"
title: check_name | CHECK_NAME | checkName | event | ALERT_TITLE
message: check_error_message | CHECK_ERROR_MESSAGE | checkErrorMessage | event | ALERT_TITLE
state: alert_type | ALERT_TYPE | alertType
states: {ALERT_FAIL: firing, ALERT_FAILURE: firing, ALERT_FAILURE_REMAIN: firing, ALERT_FAILURE_DEGRADED: firing, ALERT_DEGRADED: firing, ALERT_DEGRADED_REMAIN: firing, ALERT_DEGRADED_FAILURE: firing, ALERT_SSL: firing, ALERT_RECOVERY: resolved, ALERT_DEGRADED_RECOVERY: resolved}
dedup_key: check_id | CHECK_ID | checkId
url: link | RESULT_LINK | resultLink
started_at: started_at | STARTED_AT | startedAt
labels: {check: check_name | CHECK_NAME | checkName, type: check_type | CHECK_TYPE, group: group_name | GROUP_NAME}
"#,
        )],
        key: "the check",
        signature: Signature::hmac("x-checkly-signature", ""),
        setup: &[
            "Under Alert settings, add a webhook with the method POST, URL, a webhook secret, and the body below.",
        ],
        template: Some(
            r#"{
  "event": "{{ALERT_TITLE}}",
  "alert_type": "{{ALERT_TYPE}}",
  "check_id": "{{CHECK_ID}}",
  "check_name": "{{CHECK_NAME}}",
  "check_type": "{{CHECK_TYPE}}",
  "group_name": "{{GROUP_NAME}}",
  "check_error_message": "{{CHECK_ERROR_MESSAGE}}",
  "run_location": "{{RUN_LOCATION}}",
  "started_at": "{{STARTED_AT}}",
  "link": "{{RESULT_LINK}}"
}"#,
        ),
    },
    Sender {
        format: mapped("site24x7", "Site24x7"),
        also: &[],
        documentation: "https://www.site24x7.com/help/admin/third-party-integration/webhooks.html",
        evidence: Evidence::Shown("https://www.site24x7.com/help/admin/third-party-integration/webhooks.html"),
        forms: &[form(
            &[
                &["MONITORNAME", "STATUS", "MONITORURL"],
                &["MONITORNAME", "STATUS", "MONITOR_ID"],
                &["MONITORNAME", "STATUS", "MONITORTYPE"],
            ],
            r#"
title: MONITORNAME
message: INCIDENT_REASON | INCIDENT_DETAILS
state: STATUS
states: {SUSPENDED: ignored, MAINTENANCE: ignored}
dedup_key: MONITOR_ID | MONITORURL | MONITORNAME
url: MONITOR_DASHBOARD_LINK | MONITORURL
started_at: INCIDENT_TIME_ISO
labels: {monitor: MONITORNAME, type: MONITORTYPE, group: MONITOR_GROUPNAME}
"#,
        )],
        key: "the monitor",
        signature: Signature::Header,
        setup: &[
            "Under Admin, Third-Party Integrations, add Webhooks with URL, the method POST, Post as JSON, and a custom header with a secret.",
        ],
        template: None,
    },
    Sender {
        format: mapped("healthchecks", "Healthchecks.io"),
        also: &[],
        documentation: "https://healthchecks.io/docs/configuring_notifications/",
        evidence: Evidence::Sent("https://github.com/healthchecks/healthchecks/blob/master/hc/api/transports.py"),
        forms: &[
            // What `$JSON` stands for.
            form(
                &[&["n_pings", "grace", "status"], &["check.n_pings", "check.grace", "check.status"]],
                r#"
title: name | check.name | slug | check.slug
message: desc | check.desc
state: status | check.status
states: {grace: ignored, paused: ignored, new: ignored, started: ignored}
dedup_key: uuid | check.uuid | unique_key | check.unique_key | ping_url | check.ping_url | name | check.name
started_at: last_ping | check.last_ping
labels: {check: name | check.name, tags: tags | check.tags}
facts: [schedule, tz, timeout, next_ping, n_pings, check.schedule, check.tz, check.timeout, check.next_ping, check.n_pings]
"#,
            ),
            form(
                &[&["source=healthchecks", "dedup_key", "status"]],
                r#"
title: title
message: message
state: status
dedup_key: dedup_key
started_at: timestamp
labels: {check: title}
facts: [exit_status, last_ping_body]
"#,
            ),
        ],
        key: "the check",
        signature: Signature::Header,
        setup: &[
            "Under Integrations, add a webhook: POST to URL with the body below and a header with a secret, both when a check goes down and when it goes up. `$JSON` as the body does as well, but sends the ping URL along.",
        ],
        template: Some(
            r#"{
  "title": $NAME_JSON,
  "message": "Tags: $TAGS",
  "status": "$STATUS",
  "dedup_key": "$CODE",
  "source": "healthchecks",
  "exit_status": "$EXITSTATUS",
  "timestamp": "$NOW"
}"#,
        ),
    },
    Sender {
        format: mapped("betterstack", "Better Stack"),
        also: &["Better Uptime"],
        documentation: "https://betterstack.com/docs/uptime/webhooks/",
        evidence: Evidence::Shown("https://betterstack.com/docs/uptime/api/incidents-api-response-params"),
        forms: &[
            form(
                &[&["data.type=incident", "data.attributes"], &["data.id", "data.attributes.cause"]],
                r#"
title: "{{ data.attributes.name or data.attributes.url or 'An incident' }}{{ ': ' ~ data.attributes.cause if data.attributes.cause else '' }}"
message: data.attributes.cause
state: data.attributes.status
resolved_when: "{{ (not data.attributes.status) and data.attributes.resolved_at }}"
dedup_key: data.id
url: data.attributes.origin_url | data.attributes.url
started_at: data.attributes.started_at
labels: {team: data.attributes.team_name, method: data.attributes.http_method}
facts: [data.attributes.regions, data.attributes.metadata]
"#,
            ),
            form(
                &[&["data.type=error", "data.attributes.event"]],
                r#"
title: "{{ data.attributes.error_type }}: {{ data.attributes.error_message }}"
message: data.attributes.error_message
state: data.attributes.event
states: {new_error: firing, threshold: firing, spike: firing, reoccurred: firing, unresolved: firing}
dedup_key: ["{{ 'error' }}", data.id]
url: data.attributes.error_url
labels: {application: data.attributes.application_name, team: data.attributes.team_id}
"#,
            ),
        ],
        key: "the incident, or `error` with the error",
        signature: Signature::Nothing,
        setup: &[
            "Under Integrations, Exporting data, configure an outgoing webhook of the type Incident with URL (with a secret in it).",
        ],
        template: None,
    },
    Sender {
        format: mapped("statuspage", "Statuspage"),
        also: &["Better Stack status pages"],
        documentation: "https://support.atlassian.com/statuspage/docs/enable-webhook-notifications/",
        evidence: Evidence::Shown("https://support.atlassian.com/statuspage/docs/enable-webhook-notifications/"),
        forms: &[
            form(
                &[&["page.id", "incident.incident_updates"], &["page.id", "incident.shortlink"]],
                r#"
title: incident.name
message: incident.incident_updates.0.body
severity: >-
  {{ {'critical': 'critical', 'major': 'high', 'minor': 'medium'}[incident.impact] }}
state: incident.status | incident.incident_updates.0.status
states: {postmortem: ignored, scheduled: ignored, in_progress: ignored, verifying: ignored, monitoring: ignored}
dedup_key: [page.id, incident.id | incident.shortlink | incident.name]
url: incident.shortlink
started_at: incident.created_at
labels: {page: page.id, impact: incident.impact}
facts: [page.status_description, incident.components, incident.updated_at]
"#,
            ),
            form(
                &[&["page.id", "component_update.new_status", "component.id"]],
                r#"
title: component.name
message: page.status_description
state: component_update.new_status
dedup_key: [page.id, "{{ 'component' }}", component.id]
started_at: component_update.created_at
labels: {page: page.id, component: component.name}
facts: [component_update.old_status, component_update.new_status]
"#,
            ),
        ],
        key: "page with incident, or with component",
        signature: Signature::Nothing,
        setup: &["On the status page, subscribe to updates by webhook with URL (with a secret in it)."],
        template: None,
    },
    Sender {
        format: mapped("freshstatus", "Freshstatus"),
        also: &[],
        documentation: "https://support.freshstatus.io/support/solutions/articles/50000006041-webhooks",
        evidence: Evidence::Kept("https://github.com/zulip/zulip/tree/main/zerver/webhooks/freshstatus"),
        forms: &[form(
            &[&["event_data.event_type", "event_data.webhook_id", "title"]],
            r#"
title: title
message: description | message
state: >-
  {{ 'maintenance' if 'MAINTENANCE' in event_data.event_type else incident_status if incident_status == 'Closed' else 'note' if 'NOTE' in event_data.event_type else status or event_data.event_type }}
states: {note: ignored, INCIDENT_OPEN: firing, INCIDENT_REOPEN: firing, INCIDENT_RESOLVED: resolved}
dedup_key: [event_data.account_id, incident_id | id]
started_at: start_time
labels: {services: affected_services, source: source}
"#,
        )],
        key: "account and incident",
        signature: Signature::Nothing,
        setup: &[
            "Under Settings, Integrations, add a webhook with URL (with a secret in it) for incidents that are opened and closed.",
        ],
        template: None,
    },
];
