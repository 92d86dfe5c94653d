//! Intruders: what watches for them, and traps. Pure.

use super::{Evidence, Sender, Signature, form, mapped};

pub static SENDERS: &[Sender] = &[
    Sender {
        format: mapped("falco", "Falco"),
        also: &["Falcosidekick"],
        documentation: "https://falco.org/docs/concepts/outputs/channels/#http-https-output",
        evidence: Evidence::Shown("https://github.com/falcosecurity/falcosidekick/blob/master/README.md"),
        forms: &[form(
            &[&["rule", "priority", "output_fields"], &["rule", "priority", "output", "time"]],
            r#"
title: rule
message: output
severity: priority
state: "{{ 'firing' }}"
test_when: "{{ rule == 'Test rule' }}"
dedup_key: [rule, hostname, "{{ output_fields['k8s.pod.name'] or output_fields['container.id'] }}"]
started_at: time
labels: {rule: rule, host: hostname, source: source}
"#,
        )],
        key: "rule, host and pod",
        signature: Signature::Header,
        setup: &[
            "Set `json_output: true` and `http_output: {enabled: true, url: URL}` (with a secret in it) in `falco.yaml`; or the `webhook` output of Falcosidekick, with a header that holds a secret.",
            "Falco says nothing when something is over.",
        ],
        template: None,
    },
    Sender {
        format: mapped("thinkst", "Thinkst Canary"),
        also: &[],
        documentation: "https://docs.canary.tools/webhooks/generic.html",
        evidence: Evidence::Shown("https://docs.canary.tools/webhooks/generic.html"),
        forms: &[form(
            &[&["AlertType~Canary", "IncidentHash"], &["AlertType~Canary", "CanaryID", "Intro"]],
            r#"
title: "{{ Description or AlertType }}{{ ' on ' ~ CanaryName if CanaryName else '' }}{{ ': ' ~ Reminder if Reminder else '' }}"
message: Intro
severity: "{{ 'high' }}"
state: "{{ 'firing' }}"
test_when: "{{ CanaryID == '0000000testnode' }}"
dedup_key: IncidentHash | CanaryID
started_at: Timestamp
labels: {canary: CanaryName, location: CanaryLocation}
facts: [AlertType, CanaryPort, Triggered, AdditionalDetails]
"#,
        )],
        key: "the incident",
        signature: Signature::Header,
        setup: &["In the console, under Webhooks, add a Generic webhook with URL and a custom header with a secret."],
        template: None,
    },
    Sender {
        format: mapped("canarytokens", "Canarytokens"),
        also: &[],
        documentation: "https://docs.canarytokens.org/guide/",
        evidence: Evidence::Sent("https://github.com/thinkst/canarytokens/blob/master/channel_output_webhook.py"),
        forms: &[form(
            &[&["manage_url", "memo", "channel"]],
            r#"
title: "Canarytoken: {{ memo }}"
message: memo
severity: "{{ 'high' }}"
state: "{{ 'firing' }}"
test_when: "{{ 'example.com/test' in manage_url or 'newly saved webhook works' in memo }}"
dedup_key: [token | memo, channel]
started_at: time
labels: {channel: channel}
facts: [channel, time, additional_data]
"#,
        )],
        key: "the token and its channel; of an older server, its memo",
        signature: Signature::Nothing,
        setup: &["When creating the token, give URL (with a secret in it) as the webhook."],
        template: None,
    },
];
