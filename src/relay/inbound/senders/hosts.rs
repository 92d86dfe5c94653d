//! Monitoring of hosts, networks and time series. Pure.

use super::{Evidence, Sender, Signature, form, mapped};

pub static SENDERS: &[Sender] = &[
    Sender {
        format: mapped("zabbix", "Zabbix"),
        also: &[],
        documentation: "https://www.zabbix.com/documentation/current/en/manual/config/notifications/media/webhook",
        evidence: Evidence::Sent(
            "https://github.com/zabbix/zabbix/blob/master/templates/media/event_driven_ansible/media_event_driven_ansible.yaml",
        ),
        forms: &[
            form(
                &[&["source=zabbix", "dedup_key", "status"]],
                r#"
title: title
message: message
severity: >-
  {{ {'disaster': 'critical', 'high': 'high', 'average': 'medium', 'warning': 'low', 'information': 'info'}[severity | lower] }}
state: status
dedup_key: dedup_key
url: url
labels: {host: host}
facts: [trigger_id, value, tags]
"#,
            ),
            // The parameters of the webhooks that come with Zabbix, as the one for Event-Driven Ansible posts them.
            form(
                &[&["event_name", "event_value", "event_nseverity"], &["event_name", "event_value", "event_severity"]],
                r#"
title: event_name
message: operation_data | event_opdata | trigger_description
severity: >-
  {{ {'disaster': 'critical', 'high': 'high', 'average': 'medium', 'warning': 'low', 'information': 'info'}[event_severity | lower] or {'5': 'critical', '4': 'high', '3': 'medium', '2': 'low', '1': 'info'}[event_nseverity ~ ''] }}
state: "{{ 'update' if event_update_status ~ '' == '1' else event_value }}"
states: {'0': resolved, '1': firing}
dedup_key: event_id | event_name
labels: {host: host_host | host_name, trigger: trigger_name}
facts: [event_tags, trigger_id, trigger_description, host_groups, operation_data, event_opdata]
"#,
            ),
            form(
                &[&["trigger", "item", "hostname", "status"], &["trigger", "item", "severity", "status"]],
                r#"
title: trigger
message: item
severity: >-
  {{ {'disaster': 'critical', 'high': 'high', 'average': 'medium', 'warning': 'low', 'information': 'info'}[severity | lower] }}
state: status
dedup_key: ["{{ (link | split('triggerid=') | last | split('&') | first) if 'triggerid=' in (link or '') else trigger }}", hostname]
url: link
labels: {host: hostname}
"#,
            ),
        ],
        key: "the event; in the form of trigger, item and status, the host and the trigger, by its identifier if the link has one",
        signature: Signature::Header,
        setup: &[
            "Under Alerts, Media types, create one of the type Webhook whose parameters are the fields below, and whose script posts them: `var r = new HttpRequest(); r.addHeader('Content-Type: application/json'); r.addHeader('Authorization: Bearer SECRET'); r.post(URL, value); return 'OK';`.",
            "Use it in an action with operations and recovery operations.",
        ],
        template: Some(
            r#"{
  "title": "{EVENT.NAME}",
  "message": "{EVENT.OPDATA}",
  "severity": "{EVENT.SEVERITY}",
  "status": "{EVENT.STATUS}",
  "dedup_key": "{EVENT.ID}",
  "source": "zabbix",
  "host": "{HOST.NAME}",
  "trigger_id": "{TRIGGER.ID}",
  "url": "{TRIGGER.URL}"
}"#,
        ),
    },
    Sender {
        format: mapped("checkmk", "Checkmk"),
        also: &["Nagios", "Icinga", "Naemon", "Centreon"],
        documentation: "https://docs.checkmk.com/latest/en/notifications.html#scripts",
        evidence: Evidence::Sent("https://github.com/Checkmk/checkmk/blob/master/notifications/pushover"),
        forms: &[form(
            &[&["NOTIFICATIONTYPE", "HOSTNAME"]],
            r#"
title: "{{ SERVICEDESC or SERVICEDESCRIPTION or 'Host' }} on {{ HOSTNAME }}"
message: SERVICEOUTPUT | HOSTOUTPUT
severity: >-
  {{ {'CRITICAL': 'critical', 'CRIT': 'critical', 'DOWN': 'critical', 'UNREACHABLE': 'high', 'UNKNOWN': 'medium', 'WARNING': 'medium', 'WARN': 'medium'}[SERVICESTATE or HOSTSTATE] }}
state: NOTIFICATIONTYPE
dedup_key: [HOSTNAME, SERVICEDESC | SERVICEDESCRIPTION]
started_at: SHORTDATETIME | LONGDATETIME
labels: {host: HOSTNAME, service: SERVICEDESC | SERVICEDESCRIPTION}
"#,
        )],
        key: "host and service",
        signature: Signature::Header,
        setup: &[
            "Put a script into `~/local/share/check_mk/notifications/` that posts the body below with `curl --json @- -H \"Authorization: Bearer SECRET\" URL`, and choose it in a notification rule.",
            "With Nagios or Icinga, make the same a notification command; the names have `NAGIOS_` or `NOTIFY_` in front of them.",
        ],
        template: Some(
            r#"{
  "NOTIFICATIONTYPE": "$NOTIFY_NOTIFICATIONTYPE",
  "HOSTNAME": "$NOTIFY_HOSTNAME",
  "HOSTSTATE": "$NOTIFY_HOSTSTATE",
  "HOSTOUTPUT": "$NOTIFY_HOSTOUTPUT",
  "SERVICEDESC": "$NOTIFY_SERVICEDESC",
  "SERVICESTATE": "$NOTIFY_SERVICESTATE",
  "SERVICEOUTPUT": "$NOTIFY_SERVICEOUTPUT"
}"#,
        ),
    },
    Sender {
        format: mapped("librenms", "LibreNMS"),
        also: &[],
        documentation: "https://docs.librenms.org/Alerting/Transports/",
        evidence: Evidence::Sent("https://github.com/librenms/librenms/blob/master/LibreNMS/Alert/Transport/Api.php"),
        forms: &[form(
            &[&["sysName", "rule", "state", "device_id"], &["hostname", "rule", "state", "device_id"]],
            r#"
title: title | rule | name
message: msg | description
severity: severity
state: state
states: {'0': resolved, '1': firing, '2': ignored, '3': firing, '4': ignored, '5': ignored}
test_when: "{{ title == 'Testing transport from LibreNMS' }}"
dedup_key: [device_id, rule_id | rule | name]
started_at: timestamp
labels: {host: hostname, rule: rule | name, location: location}
facts: [sysName, os, type, hardware, version, features, purpose, notes, uptime_short, faults, elapsed]
"#,
        )],
        key: "device and rule",
        signature: Signature::Header,
        setup: &[
            "Under Alerts, Alert transports, add an API transport: POST, URL, a header with a secret, and the body below.",
        ],
        template: Some(
            r#"{
  "title": "{{ $title }}",
  "msg": "{{ $msg }}",
  "severity": "{{ $severity }}",
  "state": "{{ $state }}",
  "device_id": "{{ $device_id }}",
  "hostname": "{{ $hostname }}",
  "rule": "{{ $rule }}",
  "name": "{{ $name }}",
  "timestamp": "{{ $timestamp }}"
}"#,
        ),
    },
    Sender {
        format: mapped("influxdb", "InfluxDB"),
        also: &[],
        documentation: "https://docs.influxdata.com/influxdb/v2/monitor-alert/notification-endpoints/",
        evidence: Evidence::Sent("https://github.com/influxdata/influxdb/blob/main-2.x/notification/rule/http.go"),
        forms: &[form(
            &[&["_check_id", "_level"]],
            r#"
title: _check_name
message: _message
severity: "{{ _level if _level != 'ok' else '' }}"
state: _level
states: {info: ignored}
dedup_key: [_check_id, host, _source_measurement, path | device, cpu, interface, container_name | pod_name, instance | service | db | url]
started_at: _status_timestamp | _time
labels: {check: _check_name, host: host, measurement: _source_measurement, path: path, device: device, service: service}
"#,
        )],
        key: "check, host, measurement, and what is measured there: path, interface, container or service",
        signature: Signature::Header,
        setup: &[
            "Under Alerts, create an HTTP notification endpoint: POST, URL, the authentication bearer with a secret as its token; and rules for the levels CRIT and OK.",
        ],
        template: None,
    },
    Sender {
        format: mapped("kapacitor", "Kapacitor"),
        also: &[],
        documentation: "https://docs.influxdata.com/kapacitor/v1/reference/event_handlers/post/",
        evidence: Evidence::Sent("https://github.com/influxdata/kapacitor/blob/master/alert/types.go"),
        forms: &[form(
            &[&["id", "level", "previousLevel"], &["id", "level", "data.series", "duration"]],
            r#"
title: message | id
message: details
severity: "{{ level if level != 'OK' else '' }}"
state: level
states: {INFO: ignored}
dedup_key: id
started_at: time
facts: [previousLevel, duration, data]
"#,
        )],
        key: "the alert's `id`",
        signature: Signature::Header,
        setup: &["Add a `.post('URL')` to the alert node, with a header that holds a secret."],
        template: None,
    },
    Sender {
        format: mapped("librato", "Librato"),
        also: &["AppOptics"],
        documentation: "https://documentation.solarwinds.com/en/success_center/appoptics/content/kb/alert/notification_services/webhook.htm",
        evidence: Evidence::Shown(
            "https://documentation.solarwinds.com/en/success_center/appoptics/content/kb/alert/notification_services/webhook.htm",
        ),
        forms: &[form(
            &[&["alert.id", "alert.name", "trigger_time"]],
            r#"
title: alert.name
message: alert.description
state: "{{ 'cleared' if clear else 'firing' }}"
dedup_key: alert.id
url: alert.runbook_url
started_at: trigger_time
labels: {alert: alert.name}
facts: [conditions, violations]
"#,
        )],
        key: "the alert",
        signature: Signature::Nothing,
        setup: &["Under Integrations, add a Webhook with URL (with a secret in it), and choose it in the alert."],
        template: None,
    },
    Sender {
        format: mapped("robusta", "Robusta"),
        also: &["HolmesGPT"],
        documentation: "https://docs.robusta.dev/master/configuration/exporting/send-alerts-api.html",
        evidence: Evidence::Shown(
            "https://github.com/robusta-dev/robusta/blob/master/docs/configuration/exporting/send-alerts-api.rst",
        ),
        forms: &[form(
            &[&["account_id", "alerts.0.title", "alerts.0.aggregation_key"]],
            r#"
each: alerts
title: title
message: description
severity: priority
state: "{{ 'resolved' if failure == false or status == 'resolved' else 'firing' }}"
dedup_key: [aggregation_key, source]
started_at: starts_at
labels: {source: source, cluster: cluster, namespace: subject_namespace, name: subject_name}
"#,
        )],
        key: "`aggregation_key` and source",
        signature: Signature::Header,
        setup: &[
            "Send the body of Robusta's Send Alerts API to URL, with an `Authorization` header that holds a secret.",
        ],
        template: None,
    },
];
