//! Clouds: Amazon Web Services, Microsoft Azure, Google Cloud. Pure.

use super::{Evidence, Sender, Signature, coded, form, mapped};
use crate::relay::alert::Format;
use crate::relay::inbound::cloudwatch;

pub static SENDERS: &[Sender] = &[
    Sender {
        format: Format::CloudWatch,
        also: &["Amazon SNS", "AWS Lambda alarms"],
        documentation: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html",
        evidence: Evidence::Shown(
            "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html",
        ),
        forms: &[coded(
            &[
                &["Type", "TopicArn", "MessageId"],
                &["AlarmName", "NewStateValue"],
                &["AlarmArn", "NewStateValue"],
                &["Records.0.Sns"],
                &["detail-type=CloudWatch Alarm State Change", "detail.state"],
                &["detail-type=CloudWatch Alarm Configuration Change", "detail.alarmName"],
                &["alarmArn", "alarmData.state"],
            ],
            cloudwatch::read,
        )],
        key: "the alarm's ARN",
        signature: Signature::Sns,
        setup: &[
            "Create an SNS topic, and make it the action of the alarm for ALARM and for OK.",
            "Subscribe URL to the topic with the protocol HTTPS, without raw message delivery.",
            "`serve` confirms the subscription by itself; a program of yours that receives the messages has to do so. Whatever else the topic carries is read as well: alarms, EventBridge events, your own JSON.",
        ],
        template: None,
    },
    Sender {
        format: mapped("guardduty", "Amazon GuardDuty"),
        also: &[],
        documentation: "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings_eventbridge.html",
        evidence: Evidence::Shown(
            "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings_eventbridge.html",
        ),
        forms: &[form(
            &[&["detail-type=GuardDuty Finding", "detail.id"]],
            r#"
title: detail.title | detail.type
message: detail.description
severity: >-
  {{ 'critical' if detail.severity >= 9 else 'high' if detail.severity >= 7 else 'medium' if detail.severity >= 4 else 'low' }}
state: "{{ 'firing' }}"
dedup_key: detail.id
started_at: detail.service.eventFirstSeen | time
labels: {account: account, region: region, type: detail.type}
"#,
        )],
        key: "the finding",
        signature: Signature::Sns,
        setup: &[
            "Create an EventBridge rule for the event source `aws.guardduty` and the detail type `GuardDuty Finding`.",
            "Give it an SNS topic as its target, and subscribe URL to the topic with the protocol HTTPS.",
        ],
        template: None,
    },
    Sender {
        format: mapped("codebuild", "AWS CodeBuild"),
        also: &[],
        documentation: "https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications.html",
        evidence: Evidence::Shown(
            "https://github.com/awsdocs/aws-codebuild-user-guide/blob/main/doc_source/sample-build-notifications.md",
        ),
        forms: &[form(
            &[&["detail-type=CodeBuild Build State Change", "detail.build-status"]],
            r#"
title: detail.project-name
message: detail.additional-information.phases.0.phase-context
state: detail.build-status
states: {FAULT: firing, TIMED_OUT: firing, STOPPED: ignored}
dedup_key: [detail.project-name, region, account]
url: detail.additional-information.logs.deep-link
started_at: time
labels: {project: detail.project-name, region: region, account: account}
"#,
        )],
        key: "project, region and account; a build that succeeds ends the failure",
        signature: Signature::Sns,
        setup: &[
            "Create an EventBridge rule for the detail type `CodeBuild Build State Change`.",
            "Give it an SNS topic as its target, and subscribe URL to the topic with the protocol HTTPS.",
        ],
        template: None,
    },
    Sender {
        format: mapped("codepipeline", "AWS CodePipeline"),
        also: &[],
        documentation: "https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html",
        evidence: Evidence::Sent("https://github.com/aws/aws-lambda-go/tree/main/events/testdata"),
        forms: &[form(
            &[&["detail-type~CodePipeline ", "detail.pipeline", "detail.state"]],
            r#"
title: detail.pipeline
message: detail.execution-result.external-execution-summary
state: detail.state
states: {STARTED: ignored, RESUMED: ignored, STOPPING: ignored, STOPPED: ignored, SUPERSEDED: ignored, CANCELED: ignored, ABANDONED: ignored}
dedup_key: [detail.pipeline, region, account, detail.stage, detail.action]
url: detail.execution-result.external-execution-url
started_at: time
labels: {pipeline: detail.pipeline, stage: detail.stage, action: detail.action, region: region, account: account}
"#,
        )],
        key: "pipeline, region and account, with stage and action where the event is about one",
        signature: Signature::Sns,
        setup: &[
            "Create an EventBridge rule for the detail type `CodePipeline Pipeline Execution State Change`.",
            "Give it an SNS topic as its target, and subscribe URL to the topic with the protocol HTTPS.",
        ],
        template: None,
    },
    Sender {
        format: mapped("ecs", "Amazon ECS"),
        also: &[],
        documentation: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_cwe_events.html",
        evidence: Evidence::Shown(
            "https://github.com/awsdocs/amazon-ecs-developer-guide/blob/master/doc_source/ecs_cwe_events.md",
        ),
        forms: &[
            form(
                &[&["detail-type=ECS Task State Change", "detail.group"]],
                r#"
title: "Task of {{ detail.group }} stopped"
message: detail.stoppedReason
state: >-
  {{ 'finished' if detail.stopCode == 'EssentialContainerExited' and detail.containers[0].exitCode == 0 else detail.stopCode or detail.lastStatus }}
states: {EssentialContainerExited: firing, TaskFailedToStart: firing, finished: ignored, UserInitiated: ignored, ServiceSchedulerInitiated: ignored, SpotInterruption: ignored, TerminationNotice: ignored, STOPPED: ignored, PROVISIONING: ignored, ACTIVATING: ignored, DEACTIVATING: ignored, STOPPING: ignored, DEPROVISIONING: ignored}
dedup_key: [detail.group, detail.clusterArn]
started_at: detail.stoppingAt | time
labels: {group: detail.group, cluster: detail.clusterArn, region: region, account: account}
"#,
            ),
            form(
                &[&["detail-type=ECS Service Action", "detail.eventName", "resources.0"]],
                r#"
title: "{{ detail.eventName }}: {{ resources[0] }}"
message: detail.reason
state: "{{ 'failing' if detail.eventType in ['WARN', 'ERROR'] else detail.eventName }}"
states: {SERVICE_STEADY_STATE: resolved, TASKSET_STEADY_STATE: ignored, CAPACITY_PROVIDER_STEADY_STATE: ignored, SERVICE_DESIRED_COUNT_UPDATED: ignored}
dedup_key: ["{{ 'action' }}", resources.0]
started_at: detail.createdAt | time
labels: {service: resources.0, cluster: detail.clusterArn, region: region, account: account}
"#,
            ),
            form(
                &[&["detail-type=ECS Deployment State Change", "resources.0"]],
                r#"
title: "Deployment of {{ resources[0] }}"
message: detail.reason
state: detail.eventName
states: {SERVICE_DEPLOYMENT_FAILED: firing, SERVICE_DEPLOYMENT_COMPLETED: resolved, SERVICE_DEPLOYMENT_IN_PROGRESS: ignored}
dedup_key: resources.0
started_at: time
labels: {region: region, account: account}
"#,
            ),
        ],
        key: "the service or task family with its cluster; of a deployment or an action of the scheduler, the service",
        signature: Signature::Sns,
        setup: &[
            "Create an EventBridge rule for the detail types `ECS Task State Change`, `ECS Service Action` and `ECS Deployment State Change`.",
            "Give it an SNS topic as its target, and subscribe URL to the topic with the protocol HTTPS.",
        ],
        template: None,
    },
    Sender {
        format: mapped("autoscaling", "Amazon EC2 Auto Scaling"),
        also: &[],
        documentation: "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-sns-notifications.html",
        evidence: Evidence::Sent("https://github.com/aws/aws-lambda-go/tree/main/events/testdata"),
        forms: &[
            form(
                &[&["source=aws.autoscaling", "detail.AutoScalingGroupName"]],
                r#"
title: "{{ detail.AutoScalingGroupName }}: an instance cannot be started or ended"
message: detail.StatusMessage
state: detail-type
states: {EC2 Instance Launch Unsuccessful: firing, EC2 Instance Terminate Unsuccessful: firing, EC2 Instance Launch Successful: resolved, EC2 Instance Terminate Successful: ignored, EC2 Instance-launch Lifecycle Action: ignored, EC2 Instance-terminate Lifecycle Action: ignored}
dedup_key: [detail.AutoScalingGroupName, region, account]
started_at: detail.StartTime | time
labels: {group: detail.AutoScalingGroupName, region: region, account: account}
"#,
            ),
            form(
                &[&["Event~autoscaling:", "AutoScalingGroupName"]],
                r#"
title: "{{ AutoScalingGroupName }}: an instance cannot be started or ended"
message: StatusMessage | Description
state: Event
states: {'autoscaling:EC2_INSTANCE_LAUNCH_ERROR': firing, 'autoscaling:EC2_INSTANCE_TERMINATE_ERROR': firing, 'autoscaling:EC2_INSTANCE_LAUNCH': resolved, 'autoscaling:EC2_INSTANCE_TERMINATE': ignored, 'autoscaling:TEST_NOTIFICATION': test}
dedup_key: [AutoScalingGroupName, AccountId, AutoScalingGroupARN]
started_at: StartTime | Time
labels: {group: AutoScalingGroupName, account: AccountId}
"#,
            ),
        ],
        key: "group, region and account",
        signature: Signature::Sns,
        setup: &[
            "Send the notifications of the group for failed launches, and for launches, to an SNS topic.",
            "Subscribe URL to the topic with the protocol HTTPS.",
        ],
        template: None,
    },
    Sender {
        format: mapped("azure", "Azure Monitor"),
        also: &["Azure Service Health", "Azure Cost Management"],
        documentation: "https://learn.microsoft.com/en-us/azure/azure-monitor/alerts/alerts-common-schema",
        evidence: Evidence::Shown("https://learn.microsoft.com/en-us/azure/azure-monitor/alerts/alerts-common-schema"),
        forms: &[
            form(
                &[&["schemaId=azureMonitorCommonAlertSchema", "data.essentials"]],
                r#"
title: data.essentials.alertRule | data.alertContext.AlertData.BudgetName | data.essentials.description
message: data.essentials.description
severity: >-
  {{ {'Sev0': 'critical', 'Sev1': 'high', 'Sev2': 'medium', 'Sev3': 'info', 'Sev4': 'info'}[data.essentials.severity] }}
state: data.essentials.monitorCondition
resolved_when: "{{ data.essentials.monitoringService == 'ServiceHealth' and data.alertContext.properties.stage in ['Resolved', 'Complete', 'Canceled'] }}"
dedup_key:
  - data.essentials.alertRule | data.alertContext.AlertData.BudgetId | data.essentials.originAlertId
  - data.essentials.alertTargetIDs.0 | data.essentials.configurationItems.0
  - "{% for d in data.alertContext.condition.allOf[0].dimensions %}{{ d.name }}={{ d.value }},{% endfor %}"
  - data.alertContext.properties.trackingId
url: data.essentials.investigationLink | data.alertContext.condition.allOf.0.linkToSearchResultsUI | data.alertContext.LinkToSearchResults
started_at: data.essentials.firedDateTime
labels: {target: data.essentials.alertTargetIDs.0, item: data.essentials.configurationItems.0, service: data.essentials.monitoringService}
"#,
            ),
            form(
                &[&["schemaId=Microsoft.Insights/activityLogs", "data.context.activityLog"]],
                r#"
title: data.context.activityLog.properties.title | data.context.activityLog.operationName | data.context.activityLog.eventSource
message: data.context.activityLog.properties.communication | data.context.activityLog.description
severity: data.context.activityLog.level
state: data.status
resolved_when: "{{ data.context.activityLog.properties.stage in ['Resolved', 'Complete', 'Canceled'] or data.context.activityLog.properties.currentHealthStatus == 'Available' }}"
dedup_key: [data.context.activityLog.properties.trackingId | data.context.activityLog.operationName | data.context.activityLog.eventSource, data.context.activityLog.resourceId]
started_at: data.context.activityLog.eventTimestamp | data.context.activityLog.submissionTimestamp
labels: {resource: data.context.activityLog.resourceId, source: data.context.activityLog.eventSource}
facts: [data.context.activityLog.status, data.context.activityLog.subStatus, data.context.activityLog.resourceType, data.context.activityLog.resourceGroupName, data.context.activityLog.properties]
"#,
            ),
            form(
                &[
                    &["schemaId~AzureMonitor", "data.context.name"],
                    &["status", "context.resourceId", "context.portalLink"],
                ],
                r#"
title: data.context.name | context.name
message: data.context.description | context.description
severity: >-
  {{ {'0': 'critical', '1': 'high', '2': 'medium', '3': 'info', '4': 'info'}[(data.context.severity or context.severity) ~ ''] }}
state: data.status | status
dedup_key: [data.context.id | context.id | data.context.name, data.context.resourceId | context.resourceId]
url: data.context.portalLink | context.portalLink
started_at: data.context.timestamp | context.timestamp
labels: {resource: data.context.resourceName | context.resourceName}
"#,
            ),
        ],
        key: "alert rule, target and dimensions; of an event in the activity log, operation and resource",
        signature: Signature::Nothing,
        setup: &[
            "Add an action of the type Webhook to the action group of the alert rule.",
            "Set its URI to URL, with a secret in it, and enable the common alert schema.",
        ],
        template: None,
    },
    Sender {
        format: mapped("gcp", "Google Cloud Monitoring"),
        also: &["Stackdriver"],
        documentation: "https://docs.cloud.google.com/monitoring/support/notification-options",
        evidence: Evidence::Shown(
            "https://github.com/GoogleCloudPlatform/cloud-alerting-notification-forwarding/blob/main/gchat_integration/utilities/example_message.json",
        ),
        forms: &[form(
            &[
                &["incident.incident_id", "incident.policy_name"],
                &["incident.incident_id", "incident.condition_name"],
                &["incident.incident_id", "incident.state", "version"],
            ],
            r#"
title: incident.condition_name | incident.policy_name | incident.summary
message: incident.summary
severity: incident.severity
state: incident.state
test_when: "{{ version == 'test' }}"
dedup_key: incident.incident_id
url: incident.url
started_at: incident.started_at
labels: {policy: incident.policy_name, resource: incident.resource_name, project: incident.scoping_project_id}
"#,
        )],
        key: "the incident",
        signature: Signature::Header,
        setup: &[
            "Under Alerting, Edit notification channels, add a webhook with URL, and basic authentication or a secret in the URL.",
            "Choose the channel in the alerting policy, and notify on incident closure.",
        ],
        template: None,
    },
];
