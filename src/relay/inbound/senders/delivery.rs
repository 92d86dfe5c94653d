//! Jobs that run and deliver: automation, infrastructure as code, GitOps. Pure.

use super::signature::{Hash, Signed};
use super::{Evidence, Sender, Signature, form, mapped};

pub static SENDERS: &[Sender] = &[
    Sender {
        format: mapped("rundeck", "Rundeck"),
        also: &["PagerDuty Process Automation"],
        documentation: "https://docs.rundeck.com/docs/manual/notifications/webhooks.html",
        evidence: Evidence::Shown("https://docs.rundeck.com/docs/manual/notifications/webhooks.html"),
        forms: &[form(
            &[&["trigger", "executionId", "execution.job"]],
            r#"
title: execution.job.name
message: execution.job.description
state: "{{ 'late' if trigger == 'avgduration' else execution.status or status }}"
states: {aborted: ignored, failed-with-retry: ignored}
dedup_key: [execution.project, execution.job.id | execution.job.name]
url: execution.permalink | execution.href
started_at: execution.date-started.date
labels: {project: execution.project, group: execution.job.group, job: execution.job.name}
facts: [trigger, executionId, execution.description, execution.argstring, execution.failedNodes]
"#,
        )],
        key: "project and job; an execution that succeeds ends the failure",
        signature: Signature::Nothing,
        setup: &[
            "In the job's notifications, add a webhook On Failure and On Success: URL (with a secret in it), the payload format JSON, and the method POST.",
        ],
        template: None,
    },
    Sender {
        format: mapped("awx", "AWX"),
        also: &["Ansible Automation Platform", "Ansible Tower"],
        documentation: "https://docs.ansible.com/projects/awx/en/latest/userguide/notifications.html",
        evidence: Evidence::Sent("https://github.com/ansible/awx/blob/devel/awx/main/models/notifications.py"),
        forms: &[
            form(
                &[&["traceback", "started", "status", "created_by"], &["friendly_name", "started", "status"]],
                r#"
title: name | friendly_name
message: traceback
state: status
dedup_key: [name | friendly_name, project | friendly_name, inventory]
url: url
started_at: started
labels: {job: name, project: project, inventory: inventory, playbook: playbook}
"#,
            ),
            form(
                &[&["body~Ansible Tower Test Notification"], &["body~AWX Test Notification"]],
                r#"
title: body
test_when: "{{ 1 == 1 }}"
"#,
            ),
        ],
        key: "job template, project and inventory; a job that succeeds ends the failure",
        signature: Signature::Header,
        setup: &[
            "Under Notifications, add a notifier of the type Webhook with URL, and an HTTP header with a secret.",
            "Switch it on for Failure and for Success of the job template.",
        ],
        template: None,
    },
    Sender {
        format: mapped("terraform", "HCP Terraform"),
        also: &["Terraform Cloud", "Terraform Enterprise"],
        documentation: "https://developer.hashicorp.com/terraform/cloud-docs/api-docs/notification-configurations",
        evidence: Evidence::Shown(
            "https://developer.hashicorp.com/terraform/cloud-docs/api-docs/notification-configurations#notification-payload",
        ),
        forms: &[
            form(
                &[&["trigger~assessment:", "trigger_scope=assessment", "details.workspace_name"]],
                r#"
title: "{{ details.organization_name }}/{{ details.workspace_name }}: {{ message or trigger }}"
message: message
state: trigger
states: {'assessment:drifted': firing, 'assessment:check_failure': firing, 'assessment:failed': firing}
dedup_key: [details.organization_name, details.workspace_name, "{{ 'assessment' }}", trigger]
url: details.new_assessment_result.url
started_at: details.new_assessment_result.created_at
labels: {organization: details.organization_name, workspace: details.workspace_name}
facts: [trigger, details.new_assessment_result]
"#,
            ),
            form(
                &[
                    &["notifications.0.trigger", "workspace_name", "organization_name"],
                    &["notifications.0.trigger=verification"],
                ],
                r#"
title: "{{ organization_name or 'A run' }}/{{ workspace_name or 'of a workspace' }}"
message: notifications.0.message
state: notifications.0.run_status | notifications.0.trigger
states: {planned_and_finished: resolved, applied: resolved, planning: ignored, planned: ignored, applying: ignored, confirmed: ignored, plan_queued: ignored, apply_queued: ignored, cost_estimating: ignored, cost_estimated: ignored, policy_checking: ignored, policy_checked: ignored, policy_override: ignored, policy_soft_failed: firing, discarded: ignored, force_canceled: ignored, 'assessment:drifted': firing, 'assessment:check_failure': firing, 'assessment:failed': firing}
test_when: "{{ notifications[0].trigger == 'verification' }}"
dedup_key: [organization_name | notifications.0.trigger, workspace_name, "{{ 'assessment' if 'assessment' in (notifications[0].trigger or '') else '' }}"]
url: run_url | details.new_assessment_result.url
started_at: run_created_at | notifications.0.run_updated_at
labels: {organization: organization_name, workspace: workspace_name}
facts: [run_id, run_message, notifications.0.trigger, notifications.0.message, details]
"#,
            ),
        ],
        key: "organization and workspace; of an assessment, its trigger as well. A run that is applied ends the failure",
        signature: Signature::Hmac {
            header: "x-tfe-notification-signature",
            hash: Hash::Sha512,
            is_base64: false,
            prefix: "",
            signed: Signed::Body,
        },
        setup: &[
            "In the workspace's settings, under Notifications, add a webhook with URL and a token.",
            "Choose the triggers Errored and Completed, and of health assessments Drift, Check failure and Failed. A drift that is over is not told.",
        ],
        template: None,
    },
    Sender {
        format: mapped("flux", "Flux"),
        also: &[],
        documentation: "https://fluxcd.io/flux/components/notification/providers/#generic-webhook-with-hmac",
        evidence: Evidence::Shown(
            "https://github.com/fluxcd/notification-controller/blob/main/docs/spec/v1beta3/events.md",
        ),
        forms: &[form(
            &[&["involvedObject.kind", "involvedObject.name", "reportingController", "severity"]],
            r#"
title: "{{ involvedObject.kind }} {{ involvedObject.namespace }}/{{ involvedObject.name }}: {{ reason }}"
message: message
severity: severity
state: >-
  {{ 'firing' if severity == 'error' else 'resolved' if reason in ['ReconciliationSucceeded', 'InstallSucceeded', 'UpgradeSucceeded', 'TestSucceeded', 'Succeeded'] else 'information' }}
states: {information: ignored}
dedup_key: [involvedObject.kind, involvedObject.namespace, involvedObject.name]
started_at: timestamp
labels: {kind: involvedObject.kind, namespace: involvedObject.namespace, name: involvedObject.name}
"#,
        )],
        key: "kind, namespace and name of the object",
        signature: Signature::hmac("x-signature", "sha256="),
        setup: &[
            "Create a `Provider` of the type `generic-hmac` with the address URL and a secret with the key `token`.",
            "Create an `Alert` for it with `eventSeverity: info`, so that successes end what failed.",
        ],
        template: None,
    },
    Sender {
        format: mapped("argocd", "Argo CD"),
        also: &[],
        documentation: "https://argo-cd.readthedocs.io/en/stable/operator-manual/notifications/services/webhook/",
        evidence: Evidence::Shown(
            "https://argo-cd.readthedocs.io/en/stable/operator-manual/notifications/services/webhook/",
        ),
        forms: &[
            form(
                &[&["source=argocd", "dedup_key", "status"]],
                r#"
title: title
message: message
state: status
dedup_key: dedup_key
url: url
labels: {application: dedup_key}
facts: [health, sync, phase, revision, repository]
"#,
            ),
            // The application itself, as `{{toJson .app}}` writes it.
            form(
                &[
                    &["kind=Application", "metadata.name", "status.health"],
                    &["app.kind=Application", "app.metadata.name", "app.status.health"],
                ],
                r#"
title: "{{ (app or {}).metadata.name or metadata.name }} is {{ (app or {}).status.health.status or status.health.status }}"
message: status.operationState.message | app.status.operationState.message | status.conditions.0.message | app.status.conditions.0.message
state: >-
  {% set s = (app or {}).status or status %}{{ 'failed' if s.operationState.phase in ['Failed', 'Error'] or s.health.status in ['Degraded', 'Missing'] else 'resolved' if s.health.status == 'Healthy' else s.health.status }}
states: {Progressing: ignored, Suspended: ignored, Unknown: ignored}
dedup_key: [metadata.namespace | app.metadata.namespace, metadata.name | app.metadata.name]
started_at: status.operationState.finishedAt | app.status.operationState.finishedAt
labels: {application: metadata.name | app.metadata.name, project: spec.project | app.spec.project, namespace: spec.destination.namespace | app.spec.destination.namespace}
facts: [status.sync.status, status.sync.revision, status.operationState.phase, app.status.sync.status, app.status.sync.revision, app.status.operationState.phase]
"#,
            ),
            // The commit status of the documentation's example.
            form(
                &[&["context~continuous-delivery/", "state", "target_url"]],
                r#"
title: context
message: description
state: state
dedup_key: context
url: target_url
"#,
            ),
        ],
        key: "the application, with its namespace",
        signature: Signature::Header,
        setup: &[
            "In the ConfigMap `argocd-notifications-cm`, add `service.webhook.devin` with `url: URL` and a header with a secret.",
            "Add a template whose `webhook.devin` has the method POST and the body below, and use it for `on-health-degraded`, `on-sync-failed` and `on-deployed`.",
        ],
        template: Some(
            r#"{
  "title": "{{.app.metadata.name}} is {{.app.status.health.status}}",
  "message": {{toJson .app.status.operationState.message}},
  "status": "{{if and (eq .app.status.health.status "Healthy") (ne .app.status.operationState.phase "Failed")}}resolved{{else}}firing{{end}}",
  "dedup_key": "{{.app.metadata.namespace}}/{{.app.metadata.name}}",
  "source": "argocd",
  "url": "{{.context.argocdUrl}}/applications/{{.app.metadata.name}}",
  "health": "{{.app.status.health.status}}",
  "sync": "{{.app.status.sync.status}}",
  "phase": "{{.app.status.operationState.phase}}",
  "revision": "{{.app.status.sync.revision}}",
  "repository": "{{.app.spec.source.repoURL}}"
}"#,
        ),
    },
    Sender {
        format: mapped("netlify", "Netlify"),
        also: &[],
        documentation: "https://docs.netlify.com/deploy/deploy-notifications/",
        evidence: Evidence::Kept("https://github.com/zulip/zulip/tree/main/zerver/webhooks/netlify/fixtures"),
        forms: &[form(
            &[&["site_id", "build_id", "state", "deploy_ssl_url"], &["site_id", "build_id", "state", "deploy_url"]],
            r#"
title: "Deploy of {{ name }} ({{ branch }})"
message: error_message
state: state
states: {new: ignored, uploaded: ignored, preparing: ignored, prepared: ignored}
dedup_key: [site_id, context, branch]
url: admin_url
started_at: created_at
labels: {site: name, branch: branch, context: context}
facts: [build_id, commit_ref, commit_url, title, error_message]
"#,
        )],
        key: "site, context and branch",
        signature: Signature::Nothing,
        setup: &[
            "In the site's deploy notifications, add HTTP POST requests to URL (with a secret in it) for Deploy failed and Deploy succeeded.",
        ],
        template: None,
    },
];
