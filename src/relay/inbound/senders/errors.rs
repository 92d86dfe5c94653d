//! Error trackers. Pure.

use super::{Evidence, Sender, Signature, coded, form, mapped};
use crate::relay::alert::Format;
use crate::relay::inbound::sentry;

pub static SENDERS: &[Sender] = &[
    Sender {
        format: Format::Sentry,
        also: &[],
        documentation: "https://docs.sentry.io/organization/integrations/integration-platform/webhooks/",
        evidence: Evidence::Shown(
            "https://docs.sentry.io/organization/integrations/integration-platform/webhooks/issue-alerts/",
        ),
        forms: &[coded(
            &[
                &["action", "data.event"],
                &["action", "data.issue", "installation"],
                &["action", "data.issue.shortId"],
                &["action", "data.issue.project"],
                &["action=triggered", "data.issue"],
                &["action=unresolved", "data.issue"],
                &["action", "data.metric_alert"],
                &["action", "data.error"],
                &["action", "data.comment"],
                &["action", "data.installation"],
                &["project_slug", "event", "url"],
            ],
            |payload, _, delivery| {
                delivery.alerts.push(sentry::read(payload)?);
                Ok(())
            },
        )],
        key: "the issue, or `metric_alert` with the metric incident",
        signature: Signature::hmac("sentry-hook-signature", ""),
        setup: &[
            "Under Settings, Developer settings, create an internal integration with URL as its webhook URL.",
            "Switch on Alert Rule Action, and the resource issue, so that resolved issues are told.",
            "Choose the integration as an action of the alert rules. The client secret of the integration signs.",
        ],
        template: None,
    },
    Sender {
        format: mapped("rollbar", "Rollbar"),
        also: &[],
        documentation: "https://docs.rollbar.com/docs/webhooks",
        evidence: Evidence::Shown("https://docs.rollbar.com/docs/webhooks"),
        forms: &[
            form(
                &[&["event_name", "data.item.id"], &["event_name", "data.item.public_item_id", "data.item.title"]],
                r#"
title: data.item.title
message: data.item.last_occurrence.body.trace.exception.message | data.occurrence.body.trace.exception.message | data.occurrence.body.message.body
severity: data.item.last_occurrence.level | data.occurrence.level
state: event_name
states: {new_item: firing, occurrence: firing, exp_repeat_item: firing, item_velocity: firing, reactivated_item: firing, reopened_item: firing, resolved_item: resolved}
dedup_key: data.item.id | data.item.public_item_id
url: data.url | data.item.url
started_at: data.item.first_occurrence_timestamp
labels: {environment: data.item.environment, framework: data.item.framework, project: data.item.project_id}
facts: [data.item.counter, data.item.total_occurrences, data.item.last_occurrence.body, data.item.last_occurrence.language, data.item.last_occurrence.server, data.item.last_occurrence.notifier, data.occurrence.body, data.occurrence.server, data.trigger]
"#,
            ),
            form(
                &[&["event_name=test", "data.message"]],
                r#"
title: data.message
test_when: "{{ 1 == 1 }}"
"#,
            ),
        ],
        key: "the item",
        signature: Signature::Nothing,
        setup: &[
            "In the project's settings, under Notifications, add Webhook with URL (with a secret in it) and the rules New Item, Reactivated Item and Resolved Item.",
        ],
        template: None,
    },
    Sender {
        format: mapped("bugsnag", "BugSnag"),
        also: &["SmartBear Insight Hub"],
        documentation: "https://docs.bugsnag.com/product/integrations/data-forwarding/webhook/",
        evidence: Evidence::Shown("https://docs.bugsnag.com/product/integrations/webhook/"),
        forms: &[
            form(
                &[&["trigger.type=projectSpiking", "project.id"]],
                r#"
title: "{{ 'Spike of errors in ' ~ project.name }}"
message: trigger.message
state: "{{ 'firing' }}"
dedup_key: ["{{ 'spike' }}", project.id]
url: project.url
labels: {project: project.name}
facts: [trigger]
"#,
            ),
            form(
                &[&["trigger.type", "error.errorId", "project.name"]],
                r#"
title: "{{ error.exceptionClass }}: {{ error.message }}"
message: error.message
severity: error.severity
state: trigger.type
states: {firstException: firing, powerTen: firing, exception: firing, errorEventFrequency: firing, reopened: firing, comment: ignored, release: ignored, errorStateManualChange: ignored}
resolved_when: "{{ trigger.type == 'errorStateManualChange' and error.status == 'fixed' }}"
dedup_key: error.errorId
url: error.url
started_at: error.firstReceived
labels: {project: project.name, stage: error.releaseStage, context: error.context}
facts: [trigger.message, error.app, error.stackTrace, error.unhandled, error.exceptionClass]
"#,
            ),
        ],
        key: "the error, or `spike` with the project",
        signature: Signature::Nothing,
        setup: &["Under Integrations, Data forwarding, add Webhook with URL (with a secret in it)."],
        template: None,
    },
    Sender {
        format: mapped("honeybadger", "Honeybadger"),
        also: &[],
        documentation: "https://docs.honeybadger.io/guides/integrations/payloads/v2/",
        evidence: Evidence::Shown("https://docs.honeybadger.io/integrations/webhook"),
        forms: &[
            form(
                &[&["event", "fault.id", "fault.klass"], &["event", "fault.id", "project.id"]],
                r#"
title: "{{ fault.klass }}: {{ fault.message }}"
message: message
state: event
states: {rate_exceeded: firing, volume_spike: firing, commented: ignored, deployed: ignored}
test_when: "{{ fault.klass == 'TestingException' and 'generated by Honeybadger' in (fault.message or '') }}"
dedup_key: fault.id
url: fault.url
started_at: fault.created_at
labels: {project: project.name, environment: fault.environment, component: fault.component, action: fault.action}
facts: [fault.notices_count, fault.last_notice_at, notice.application_trace, notice.backtrace, notice.url]
"#,
            ),
            form(
                &[&["event", "site.id", "project.id"], &["event", "site.url", "project.id"]],
                r#"
title: site.name | site.url
message: message
state: event
states: {cert_will_expire: firing}
dedup_key: ["{{ 'site' }}", site.id | site.url, "{{ 'certificate' if 'cert' in event else '' }}"]
url: site.details_url | site.url
started_at: outage.down_at
labels: {project: project.name, site: site.name}
facts: [outage.reason, outage.status, site.url, site.state]
"#,
            ),
            form(
                &[&["event~check_in_", "project.id"]],
                r#"
title: "{{ check_in.name or 'A check-in' }} of {{ project.name }}"
message: message
state: event
states: {check_in_missing: firing, check_in_reporting: resolved}
dedup_key: ["{{ 'check_in' }}", check_in.id | check_in.url | check_in.name | project.id]
url: check_in.details_url
started_at: check_in.missed_at
labels: {project: project.name, check_in: check_in.name}
facts: [check_in.schedule_type, check_in.report_period, check_in.grace_period, check_in.reported_at]
"#,
            ),
            form(
                &[&["event~alarm_", "alarm.id"]],
                r#"
title: alarm.name
message: message | alarm.description
state: event
states: {alarm_alert: firing, alarm_ok: resolved}
dedup_key: ["{{ 'alarm' }}", alarm.id]
url: alarm.url
labels: {project: project.name}
facts: [alarm.query, alarm.state, trigger]
"#,
            ),
        ],
        key: "the error; or `site`, `check_in` or `alarm` with its identifier",
        signature: Signature::Token { header: "honeybadger-token" },
        setup: &[
            "In the project's settings, under Alerts & Integrations, add WebHook with URL, and the events for errors, uptime and check-ins that are wrong and that are right again. The token of the integration is the secret.",
        ],
        template: None,
    },
    Sender {
        format: mapped("airbrake", "Airbrake"),
        also: &[],
        documentation: "https://airbrake.io/docs/integrations/webhooks/",
        evidence: Evidence::Shown("https://airbrake.io/docs/integrations/webhooks/"),
        forms: &[form(
            &[&["error.id", "error.error_class", "error.error_message"], &["error.id", "airbrake_error_url"]],
            r#"
title: "{{ error.error_class }}: {{ error.error_message }}"
message: error.error_message
state: "{{ 'firing' }}"
dedup_key: error.id
url: airbrake_error_url
started_at: error.first_occurred_at
labels: {project: error.project.name, environment: error.environment}
facts: [error.file, error.line_number, error.times_occurred, error.last_occurred_at, error.last_notice.backtrace, error.last_notice.request_url]
"#,
        )],
        key: "the error",
        signature: Signature::Nothing,
        setup: &["In the project's settings, under Integrations, add Webhook with URL (with a secret in it)."],
        template: None,
    },
    Sender {
        format: mapped("raygun", "Raygun"),
        also: &[],
        documentation: "https://raygun.com/documentation/integrations/webhooks/",
        evidence: Evidence::Shown(
            "https://raygun.com/documentation/product-guides/crash-reporting/integrations/webhooks/",
        ),
        forms: &[form(
            &[&["eventType", "error.url", "application.name"], &["event", "eventType", "error", "application"]],
            r#"
title: error.message | eventType
message: error.description
state: "{{ 'goes on' if 'FollowUp' in eventType else eventType }}"
states: {NewErrorOccurred: firing, ErrorReoccurred: firing, goes on: firing, StatusChanged: ignored, AssignedToUser: ignored, CommentAdded: ignored}
resolved_when: "{{ eventType == 'StatusChanged' and error.status == 'Resolved' }}"
dedup_key: error.url
url: error.url
started_at: error.firstOccurredOn
labels: {application: application.name}
facts: [error.totalOccurrences, error.usersAffected, error.lastOccurredOn, error.instance.tags, error.status]
"#,
        )],
        key: "the error",
        signature: Signature::Nothing,
        setup: &["In the application's settings, under Integrations, add Webhook with URL (with a secret in it)."],
        template: None,
    },
    Sender {
        format: mapped("crashlytics", "Firebase Crashlytics"),
        also: &["Fabric"],
        documentation: "https://firebase.google.com/docs/reference/functions/2nd-gen/node/firebase-functions.alerts.crashlytics",
        evidence: Evidence::Shown(
            "https://firebase.google.com/docs/reference/functions/2nd-gen/node/firebase-functions.alerts.crashlytics",
        ),
        forms: &[
            // The event that a Cloud Function is handed, passed on as it is.
            form(
                &[&["data.payload.issue.id", "data.payload.issue.title", "data.createTime"]],
                r#"
title: data.payload.issue.title
message: data.payload.issue.subtitle
state: "{{ 'firing' }}"
dedup_key: data.payload.issue.id
started_at: data.payload.createTime | data.createTime
labels: {kind: alertType | alerttype, app: appId | appid, version: data.payload.issue.appVersion}
facts: [data.payload.issue, data.payload.crashCount, data.payload.crashPercentage, data.payload.firstVersion, data.payload.resolveTime, data.payload.type]
"#,
            ),
            // What Fabric sent.
            form(
                &[&["payload_type=issue", "payload.title", "payload.display_id"]],
                r#"
title: payload.title
message: payload.method
state: event
states: {issue_impact_change: firing, issue_velocity_alert: firing, issue_status_change: ignored}
dedup_key: payload.url | payload.display_id
url: payload.url
labels: {method: payload.method}
facts: [payload.impact_level, payload.crashes_count, payload.impacted_devices_count]
"#,
            ),
            form(
                &[&["event=verification", "payload_type=none"]],
                r#"
title: "{{ 'Crashlytics verified the webhook' }}"
test_when: "{{ 1 == 1 }}"
"#,
            ),
        ],
        key: "the issue",
        signature: Signature::Header,
        setup: &[
            "Deploy a Cloud Function for `onNewFatalIssuePublished`, `onRegressionAlertPublished` and `onVelocityAlertPublished` of `firebase-functions/v2/alerts/crashlytics` that posts its event as JSON to URL, with an `Authorization` header that holds a secret.",
        ],
        template: None,
    },
];
