//! How dedupe keys are made, as a table for people. Pure.

use super::Format;

/// How one sender's dedupe key is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRow {
    pub format: Format,
    /// What the key looks like; `<hash>` is 26 hexadecimal digits of a SHA-256.
    pub key: &'static str,
    pub made_of: &'static str,
}

/// How dedupe keys are made. The user's documentation shows it as [`key_table`] prints it.
pub const KEY_TABLE: [KeyRow; 19] = [
    KeyRow {
        format: Format::Alertmanager,
        key: "alertmanager:<receiver>:<hash>",
        made_of: "receiver and group labels, without group labels the alert's name; with `--per-alert`, receiver and labels",
    },
    KeyRow {
        format: Format::Grafana,
        key: "grafana:<receiver>:<hash>",
        made_of: "receiver and group labels, without group labels the alert's name; with `--per-alert`, receiver and labels",
    },
    KeyRow {
        format: Format::Grafana,
        key: "grafana:rule#<host>#<orgId>#<ruleId>",
        made_of: "Grafana 8 and older, legacy alerting: the server, the organization, and the rule's identifier",
    },
    KeyRow { format: Format::PagerDuty, key: "pagerduty:<id>", made_of: "incident identifier, also of V1 and V2" },
    KeyRow {
        format: Format::Sentry,
        key: "sentry:<id>",
        made_of: "issue identifier, the same for `issue` and `event_alert`",
    },
    KeyRow {
        format: Format::Sentry,
        key: "sentry:metric_alert#<id>",
        made_of: "`metric_alert`: the metric incident's identifier",
    },
    KeyRow { format: Format::Datadog, key: "datadog:cycle#<alert_cycle_key>", made_of: "alert cycle key" },
    KeyRow {
        format: Format::Datadog,
        key: "datadog:alert#<alert_id>#<alert_scope>",
        made_of: "without a cycle key: alert identifier and scope",
    },
    KeyRow {
        format: Format::Datadog,
        key: "datadog:aggregation#<aggreg_key>",
        made_of: "without both: aggregation key",
    },
    KeyRow {
        format: Format::Datadog,
        key: "datadog:<hash>",
        made_of: "without all three: title, without its `[Triggered …]`, and labels",
    },
    KeyRow { format: Format::Opsgenie, key: "opsgenie:<alertId>", made_of: "alert identifier" },
    KeyRow {
        format: Format::CloudWatch,
        key: "cloudwatch:<AlarmArn>",
        made_of: "alarm ARN; without it `<account>#<region>#<name>`",
    },
    KeyRow {
        format: Format::CloudEvents,
        key: "cloudevents:<source>#<subject>",
        made_of: "source and subject; without a subject, `cloudevents:<hash>` of source, type, title and labels",
    },
    KeyRow {
        format: Format::Generic,
        key: "generic:<dedup_key>",
        made_of: "`dedup_key`, `externalId`, `deduplication_key`",
    },
    KeyRow { format: Format::Generic, key: "generic:<source>#<dedup_key>", made_of: "the same, with a `source`" },
    KeyRow {
        format: Format::Generic,
        key: "generic:<field>#<id>",
        made_of: "without these: `fingerprint`, `alert_uid`, `incident_id`, `alert_id`",
    },
    KeyRow {
        format: Format::Generic,
        key: "generic:<hash>",
        made_of: "without any of them: source, host and the like, title and labels",
    },
    KeyRow { format: Format::Any, key: "any:<field>#<id>", made_of: "the field that identifies the alert" },
    KeyRow {
        format: Format::Any,
        key: "any:<hash>",
        made_of: "without one: the rule's identifier or the title, with host, service and the like",
    },
];

/// [`KEY_TABLE`] in Markdown.
pub fn key_table() -> String {
    let rows = KEY_TABLE.iter().map(|row| format!("| `{}` | `{}` | {} |\n", row.format, row.key, row.made_of));
    format!("| Format | Dedupe key | Made of |\n|---|---|---|\n{}", rows.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_row_for_every_format() {
        for format in Format::CODED {
            let rows: Vec<_> = KEY_TABLE.iter().filter(|row| row.format == format).collect();
            assert!(!rows.is_empty() && rows.iter().all(|row| row.key.starts_with(format.name())), "{format}");
        }
        insta::assert_snapshot!(key_table(), @"
        | Format | Dedupe key | Made of |
        |---|---|---|
        | `alertmanager` | `alertmanager:<receiver>:<hash>` | receiver and group labels, without group labels the alert's name; with `--per-alert`, receiver and labels |
        | `grafana` | `grafana:<receiver>:<hash>` | receiver and group labels, without group labels the alert's name; with `--per-alert`, receiver and labels |
        | `grafana` | `grafana:rule#<host>#<orgId>#<ruleId>` | Grafana 8 and older, legacy alerting: the server, the organization, and the rule's identifier |
        | `pagerduty` | `pagerduty:<id>` | incident identifier, also of V1 and V2 |
        | `sentry` | `sentry:<id>` | issue identifier, the same for `issue` and `event_alert` |
        | `sentry` | `sentry:metric_alert#<id>` | `metric_alert`: the metric incident's identifier |
        | `datadog` | `datadog:cycle#<alert_cycle_key>` | alert cycle key |
        | `datadog` | `datadog:alert#<alert_id>#<alert_scope>` | without a cycle key: alert identifier and scope |
        | `datadog` | `datadog:aggregation#<aggreg_key>` | without both: aggregation key |
        | `datadog` | `datadog:<hash>` | without all three: title, without its `[Triggered …]`, and labels |
        | `opsgenie` | `opsgenie:<alertId>` | alert identifier |
        | `cloudwatch` | `cloudwatch:<AlarmArn>` | alarm ARN; without it `<account>#<region>#<name>` |
        | `cloudevents` | `cloudevents:<source>#<subject>` | source and subject; without a subject, `cloudevents:<hash>` of source, type, title and labels |
        | `generic` | `generic:<dedup_key>` | `dedup_key`, `externalId`, `deduplication_key` |
        | `generic` | `generic:<source>#<dedup_key>` | the same, with a `source` |
        | `generic` | `generic:<field>#<id>` | without these: `fingerprint`, `alert_uid`, `incident_id`, `alert_id` |
        | `generic` | `generic:<hash>` | without any of them: source, host and the like, title and labels |
        | `any` | `any:<field>#<id>` | the field that identifies the alert |
        | `any` | `any:<hash>` | without one: the rule's identifier or the title, with host, service and the like |
        ");
    }
}
