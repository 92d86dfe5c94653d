//! What services of Amazon Web Services tell on EventBridge of findings, outages and jobs. Pure.

use super::{Evidence, Sender, Signature, form, mapped};

/// How the events come here; the rule names their detail type.
const TOPIC: &str = "Give it an SNS topic as its target, and subscribe URL to the topic with the protocol HTTPS.";

pub static SENDERS: &[Sender] = &[
    Sender {
        format: mapped("securityhub", "AWS Security Hub"),
        also: &["AWS Security Hub CSPM"],
        documentation: "https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-formats.html",
        evidence: Evidence::Shown(
            "https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-formats.html",
        ),
        forms: &[form(
            &[&["detail-type~Security Hub Findings", "detail.findings.0.Id"]],
            r#"
each: detail.findings
title: Title | Types.0 | Id
message: Description
severity: Severity.Label
state: >-
  {{ 'resolved' if Workflow.Status == 'RESOLVED' or RecordState == 'ARCHIVED' or Compliance.Status == 'PASSED' else 'seen' if Workflow.Status in ['SUPPRESSED', 'NOTIFIED'] or Severity.Label == 'INFORMATIONAL' else 'firing' }}
states: {seen: ignored}
dedup_key: Id
url: SourceUrl
started_at: FirstObservedAt | CreatedAt
labels: {account: AwsAccountId, region: Region, product: ProductName, resource: Resources.0.Id}
facts: [Types, GeneratorId, Compliance, Remediation, Workflow, RecordState, Resources.0.Type, Resources.0.Id]
"#,
        )],
        key: "the finding",
        signature: Signature::Sns,
        setup: &[
            "Create an EventBridge rule for the event source `aws.securityhub` and the detail type `Security Hub Findings - Imported`, with the severities that you want in its pattern.",
            TOPIC,
        ],
        template: None,
    },
    Sender {
        format: mapped("inspector", "Amazon Inspector"),
        also: &[],
        documentation: "https://docs.aws.amazon.com/inspector/latest/user/eventbridge-integration.html",
        evidence: Evidence::Shown("https://docs.aws.amazon.com/inspector/latest/user/eventbridge-integration.html"),
        forms: &[form(
            &[&["detail-type=Inspector2 Finding", "detail.findingArn"]],
            r#"
title: detail.title | detail.type
message: detail.description
severity: detail.severity
state: detail.status
states: {SUPPRESSED: ignored}
dedup_key: detail.findingArn
url: detail.packageVulnerabilityDetails.sourceUrl
started_at: detail.firstObservedAt | time
labels: {account: account, region: region, type: detail.type, resource: detail.resources.0.id}
facts: [detail.fixAvailable, detail.exploitAvailable, detail.inspectorScore, detail.remediation, detail.packageVulnerabilityDetails, detail.networkReachabilityDetails]
"#,
        )],
        key: "the finding",
        signature: Signature::Sns,
        setup: &["Create an EventBridge rule for the detail type `Inspector2 Finding`.", TOPIC],
        template: None,
    },
    Sender {
        format: mapped("aws-health", "AWS Health"),
        also: &["AWS Personal Health Dashboard"],
        documentation: "https://docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html",
        evidence: Evidence::Shown(
            "https://docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html",
        ),
        forms: &[form(
            &[&["detail-type=AWS Health Event", "detail.eventArn", "detail.eventTypeCode"]],
            r#"
title: "{{ detail.service or 'AWS' }}: {{ detail.eventTypeCode }}"
message: detail.eventDescription.0.latestDescription
state: "{{ detail.statusCode or 'open' if detail.eventTypeCategory in ['issue', 'investigation'] else 'notice' }}"
states: {notice: ignored, upcoming: ignored}
dedup_key: [detail.eventArn, detail.affectedAccount | account]
started_at: detail.startTime | time
labels: {service: detail.service, region: detail.eventRegion | region, account: detail.affectedAccount | account}
facts: [detail.eventTypeCategory, detail.eventScopeCode, detail.affectedEntities, detail.eventDescription]
"#,
        )],
        key: "the event, with the account that it affects. What is announced, such as maintenance, starts nothing",
        signature: Signature::Sns,
        setup: &["Create an EventBridge rule for the event source `aws.health`.", TOPIC],
        template: None,
    },
    Sender {
        format: mapped("stepfunctions", "AWS Step Functions"),
        also: &[],
        documentation: "https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html",
        evidence: Evidence::Shown("https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html"),
        forms: &[form(
            &[&["detail-type=Step Functions Execution Status Change", "detail.stateMachineArn", "detail.status"]],
            r#"
title: "{{ detail.stateMachineArn | split(':') | last }}"
message: detail.cause | detail.error
state: detail.status
states: {ABORTED: ignored, PENDING_REDRIVE: ignored}
dedup_key: detail.stateMachineArn
started_at: time
labels: {account: account, region: region, execution: detail.name}
facts: [detail.executionArn, detail.error, detail.cause]
"#,
        )],
        key: "the state machine; an execution that succeeds ends the failure",
        signature: Signature::Sns,
        setup: &["Create an EventBridge rule for the detail type `Step Functions Execution Status Change`.", TOPIC],
        template: None,
    },
];
