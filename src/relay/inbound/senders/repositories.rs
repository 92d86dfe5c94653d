//! Hosts of repositories: their builds, and what they find in the code. Pure.

use super::{Evidence, Sender, Signature, form, mapped};

pub static SENDERS: &[Sender] = &[
    Sender {
        format: mapped("github", "GitHub"),
        also: &["GitHub Actions", "Dependabot"],
        documentation: "https://docs.github.com/en/webhooks/webhook-events-and-payloads",
        evidence: Evidence::Shown("https://github.com/octokit/webhooks/tree/main/payload-examples/api.github.com"),
        forms: &[
            form(
                &[&["workflow_run.name", "repository.full_name", "action"]],
                r#"
title: "{{ workflow_run.name }}{{ ' failed' if workflow_run.conclusion in ['failure', 'timed_out', 'startup_failure'] else '' }} on {{ workflow_run.head_branch }} of {{ repository.full_name }}"
message: workflow_run.display_title
state: "{{ workflow_run.conclusion if action == 'completed' else action }}"
states: {startup_failure: firing, stale: ignored, action_required: ignored}
dedup_key: [repository.full_name, workflow_run.name, workflow_run.head_branch]
url: workflow_run.html_url
started_at: workflow_run.run_started_at | workflow_run.created_at
labels: {repository: repository.full_name, branch: workflow_run.head_branch, workflow: workflow_run.name}
facts: [workflow_run.conclusion, workflow_run.event, workflow_run.head_sha, workflow_run.run_number, workflow_run.run_attempt, workflow_run.path]
"#,
            ),
            form(
                &[&["workflow_job.name", "repository.full_name", "action"]],
                r#"
title: "{{ workflow_job.name }} of {{ workflow_job.workflow_name or 'a workflow' }}{{ ' failed' if workflow_job.conclusion in ['failure', 'timed_out', 'startup_failure'] else '' }} on {{ workflow_job.head_branch }} of {{ repository.full_name }}"
state: "{{ workflow_job.conclusion if action == 'completed' else action }}"
states: {startup_failure: firing, stale: ignored, action_required: ignored, in_progress: ignored}
dedup_key: [repository.full_name, "{{ 'job' }}", workflow_job.workflow_name, workflow_job.name, workflow_job.head_branch]
url: workflow_job.html_url
started_at: workflow_job.started_at
labels: {repository: repository.full_name, branch: workflow_job.head_branch, workflow: workflow_job.workflow_name, job: workflow_job.name}
facts: [workflow_job.conclusion, workflow_job.head_sha, workflow_job.run_attempt, workflow_job.runner_name, workflow_job.steps]
"#,
            ),
            form(
                &[&["check_run.name", "repository.full_name", "action"]],
                r#"
title: "{{ check_run.name }}{{ ' failed' if check_run.conclusion in ['failure', 'timed_out', 'startup_failure'] else '' }} on {{ check_run.check_suite.head_branch or check_run.head_sha }} of {{ repository.full_name }}"
message: check_run.output.summary | check_run.output.title
state: "{{ check_run.conclusion if action == 'completed' else action }}"
states: {stale: ignored, action_required: ignored, created: ignored, rerequested: ignored, requested_action: ignored}
dedup_key: [repository.full_name, check_run.name, check_run.check_suite.head_branch | check_run.head_sha]
url: check_run.html_url
started_at: check_run.started_at
labels: {repository: repository.full_name, branch: check_run.check_suite.head_branch, check: check_run.name}
facts: [check_run.conclusion, check_run.head_sha, check_run.output.text, check_run.details_url]
"#,
            ),
            form(
                &[&["check_suite.head_branch", "repository.full_name", "action"]],
                r#"
title: "{{ check_suite.app.name or 'Checks' }}{{ ' failed' if check_suite.conclusion in ['failure', 'timed_out', 'startup_failure'] else '' }} on {{ check_suite.head_branch }} of {{ repository.full_name }}"
message: check_suite.head_commit.message
state: "{{ check_suite.conclusion if action == 'completed' else action }}"
states: {startup_failure: firing, stale: ignored, action_required: ignored, rerequested: ignored}
dedup_key: [repository.full_name, check_suite.app.slug, check_suite.head_branch]
labels: {repository: repository.full_name, branch: check_suite.head_branch}
facts: [check_suite.conclusion, check_suite.head_sha]
"#,
            ),
            form(
                &[&["deployment_status.state", "deployment.environment", "repository.full_name"]],
                r#"
title: "Deployment of {{ repository.full_name }} to {{ deployment.environment }}{{ ' failed' if deployment_status.state in ['failure', 'error'] else '' }}"
message: deployment_status.description
state: deployment_status.state
states: {inactive: ignored}
dedup_key: [repository.full_name, "{{ 'deployment' }}", deployment.environment, deployment.task]
url: deployment_status.log_url | deployment_status.target_url
started_at: deployment_status.created_at
labels: {repository: repository.full_name, environment: deployment.environment}
facts: [deployment.ref, deployment.sha, deployment.task, deployment.description]
"#,
            ),
            form(
                &[&["alert.rule.id", "alert.tool.name", "repository.full_name"]],
                r#"
title: "{{ alert.rule.description or alert.rule.id }} in {{ repository.full_name }}"
message: alert.most_recent_instance.message.text
severity: alert.rule.security_severity_level | alert.rule.severity
state: action
states: {appeared_in_branch: firing, reopened_by_user: firing, closed_by_user: resolved, updated_assignment: ignored}
dedup_key: [repository.full_name, "{{ 'code-scanning' }}", alert.number]
url: alert.html_url
started_at: alert.created_at
labels: {repository: repository.full_name, rule: alert.rule.id, tool: alert.tool.name}
facts: [alert.most_recent_instance.location, alert.most_recent_instance.ref, alert.most_recent_instance.commit_sha, alert.rule.help]
"#,
            ),
            form(
                &[&["alert.secret_type", "repository.full_name", "action"]],
                r#"
title: "{{ alert.secret_type_display_name or alert.secret_type }} in {{ repository.full_name }}"
message: "{{ 'GitHub found a credential in the repository.' }}"
severity: "{{ 'high' }}"
state: action
states: {publicly_leaked: firing, revoked: resolved, validated: ignored}
dedup_key: [repository.full_name, "{{ 'secret-scanning' }}", alert.number]
url: alert.html_url
started_at: alert.created_at
labels: {repository: repository.full_name, kind: alert.secret_type}
facts: [alert.validity, alert.push_protection_bypassed]
"#,
            ),
            form(
                &[
                    &["alert.dependency.package", "repository.full_name", "action"],
                    &["alert.security_advisory", "repository.full_name", "action"],
                    &["alert.affected_package_name", "repository.full_name", "action"],
                ],
                r#"
title: "{{ alert.security_advisory.summary or alert.dependency.package.name or alert.affected_package_name }} in {{ repository.full_name }}"
message: alert.security_advisory.description
severity: alert.security_advisory.severity | alert.severity
state: action
states: {reintroduced: firing, auto_reopened: firing, dismiss: resolved, dismissed: resolved, auto_dismissed: resolved, assignees_changed: ignored}
dedup_key: [repository.full_name, "{{ 'dependabot' }}", alert.number | alert.id]
url: alert.html_url | alert.external_reference
started_at: alert.created_at
labels: {repository: repository.full_name, package: alert.dependency.package.name | alert.affected_package_name, manifest: alert.dependency.manifest_path}
facts: [alert.security_advisory.ghsa_id, alert.security_advisory.cve_id, alert.security_vulnerability]
"#,
            ),
            form(
                &[&["sha", "context", "state", "commit", "repository.full_name"]],
                r#"
title: "{{ context }}{{ ' failed' if state in ['failure', 'error'] else '' }} on {{ branches[0].name or sha }} of {{ repository.full_name }}"
message: description
state: state
dedup_key: [repository.full_name, context, branches.0.name | sha]
url: target_url
labels: {repository: repository.full_name, branch: branches.0.name}
facts: [sha, context, state, commit.commit.message]
"#,
            ),
            form(
                &[&["zen", "hook_id", "hook"]],
                r#"
title: "{{ 'GitHub pinged the webhook' }}"
test_when: "{{ 1 == 1 }}"
dedup_key: hook_id
facts: [hook.events]
"#,
            ),
        ],
        key: "repository, workflow or check, and branch; of an alert, its number. A success ends the failure",
        signature: Signature::hmac("x-hub-signature-256", "sha256="),
        setup: &[
            "In the settings of the repository or the organization, add a webhook with URL, the content type `application/json` and a secret.",
            "Choose individual events: Workflow runs, and what else is an alert for you: Code scanning alerts, Dependabot alerts, Secret scanning alerts, Deployment statuses.",
            "Do not choose Workflow jobs, Check runs or Check suites beside Workflow runs: one failed build would be several alerts.",
        ],
        template: None,
    },
    Sender {
        format: mapped("gitlab", "GitLab"),
        also: &[],
        documentation: "https://docs.gitlab.com/user/project/integrations/webhook_events/",
        evidence: Evidence::Shown("https://docs.gitlab.com/user/project/integrations/webhook_events/"),
        forms: &[
            form(
                &[&["object_kind=pipeline", "object_attributes.status", "project.path_with_namespace"]],
                r#"
title: "Pipeline on {{ object_attributes.ref }} of {{ project.path_with_namespace }}"
message: commit.message
state: object_attributes.status
states: {created: ignored, manual: ignored, waiting_for_resource: ignored, preparing: ignored, canceling: ignored}
dedup_key: [project.path_with_namespace, "{{ 'pipeline' }}", object_attributes.ref, object_attributes.name]
url: object_attributes.url
started_at: object_attributes.created_at
labels: {project: project.path_with_namespace, ref: object_attributes.ref}
facts: [object_attributes.id, object_attributes.iid, object_attributes.source, object_attributes.sha, object_attributes.detailed_status, object_attributes.stages, commit.id, commit.url, builds]
"#,
            ),
            form(
                &[&["object_kind=build", "build_name", "build_status"]],
                r#"
title: "{{ build_name }} on {{ ref }} of {{ project_name }}"
message: build_failure_reason
state: "{{ 'allowed' if build_status == 'failed' and build_allow_failure else build_status }}"
states: {allowed: ignored, created: ignored, manual: ignored, waiting_for_resource: ignored, preparing: ignored, canceling: ignored}
dedup_key: [project_id | project_name, "{{ 'job' }}", ref, build_name]
started_at: build_started_at | build_created_at
labels: {project: project_name, ref: ref, stage: build_stage}
facts: [build_id, pipeline_id, sha, build_stage, commit.message, commit.id]
"#,
            ),
            form(
                &[&["object_kind=deployment", "status", "environment", "project.path_with_namespace"]],
                r#"
title: "Deployment of {{ project.path_with_namespace }} to {{ environment }}"
message: commit_title
state: status
states: {created: ignored, blocked: ignored, approved: ignored, rejected: ignored}
dedup_key: [project.path_with_namespace, "{{ 'deployment' }}", environment]
url: deployable_url
labels: {project: project.path_with_namespace, environment: environment}
facts: [deployment_id, short_sha, commit_url, ref]
"#,
            ),
            // An issue without a type is of an older GitLab: only an incident has a severity there.
            form(
                &[
                    &["object_kind=issue", "object_attributes.iid", "project.path_with_namespace"],
                    &["object_kind=work_item", "object_attributes.iid", "project.path_with_namespace"],
                ],
                r#"
title: object_attributes.title
message: object_attributes.description
state: "{{ (object_attributes.action or object_attributes.state) if object_attributes.type == 'Incident' or not object_attributes.type and (object_attributes.severity or 'unknown') | lower != 'unknown' else 'issue' }}"
states: {open: firing, opened: firing, reopen: firing, update: ignored, close: resolved, closed: resolved, issue: ignored}
severity: object_attributes.severity
dedup_key: [project.path_with_namespace, "{{ 'incident' }}", object_attributes.iid]
url: object_attributes.url
started_at: object_attributes.created_at
labels: {project: project.path_with_namespace}
facts: [object_attributes.id, object_attributes.iid, object_attributes.labels, assignees]
"#,
            ),
        ],
        key: "project, and branch of the pipeline, job with branch, environment, or number of the incident. A success ends the failure",
        signature: Signature::Token { header: "x-gitlab-token" },
        setup: &[
            "In the settings of the project or the group, under Webhooks, add URL and a secret token.",
            "Choose Pipeline events; Job events as well only where a single job is an alert for you.",
            "Choose Issues events (Work item events in newer versions) where you have incidents in GitLab: an issue of another kind starts nothing.",
        ],
        template: None,
    },
    Sender {
        format: mapped("azure-devops", "Azure DevOps"),
        also: &["Azure Pipelines", "Team Foundation Server"],
        documentation: "https://learn.microsoft.com/en-us/azure/devops/service-hooks/events",
        evidence: Evidence::Shown("https://learn.microsoft.com/en-us/azure/devops/service-hooks/events"),
        forms: &[
            form(
                &[&["eventType=build.complete", "resource.definition.name"]],
                r#"
title: "{{ resource.definition.name }} of {{ resource.project.name or resource.definition.project.name or 'a project' }}"
message: detailedMessage.text | message.text
state: resource.result | resource.status
states: {partiallySucceeded: firing, stopped: ignored, none: ignored}
dedup_key: [resource.definition.url | resource.definition.name, resource.sourceBranch]
url: resource._links.web.href | resource.url
started_at: resource.startTime | createdDate
labels: {project: resource.project.name | resource.definition.project.name, pipeline: resource.definition.name, branch: resource.sourceBranch}
facts: [resource.buildNumber, resource.reason, resource.sourceVersion, resource.sourceGetVersion]
"#,
            ),
            form(
                &[&["eventType=ms.vss-release.deployment-completed-event", "resource.environment.name"]],
                r#"
title: "Deployment of {{ resource.environment.releaseDefinition.name or resource.release.releaseDefinition.name or resource.environment.release.name }} to {{ resource.environment.name }}"
message: detailedMessage.text | message.text
state: resource.environment.status
states: {partiallySucceeded: firing}
dedup_key: [resource.project.id | resource.project.name | publisherId, "{{ 'release' }}", resource.environment.releaseDefinition.name | resource.release.releaseDefinition.name | resource.environment.release.name, resource.environment.name]
url: resource.environment.release._links.web.href | resource.release.url
started_at: createdDate
labels: {project: resource.project.name, environment: resource.environment.name}
facts: [resource.environment.release.name, resource.comment]
"#,
            ),
            form(
                &[&["eventType~ms.vss-pipelines.", "resource.pipeline.name", "resource.run.state"]],
                r#"
title: "{{ resource.stage.displayName ~ ' of ' if resource.stage.displayName else '' }}{{ resource.pipeline.name }}"
message: detailedMessage.text | message.text
state: "{{ resource.stage.result or resource.run.result or resource.stage.state or resource.run.state }}"
states: {partiallySucceeded: firing, unknown: ignored}
dedup_key: [resource.pipeline.url | resource.pipeline.name, resource.stage.name]
url: resource.run._links.web.href | resource.run.url
started_at: resource.run.createdDate | createdDate
labels: {pipeline: resource.pipeline.name, stage: resource.stage.name}
facts: [resource.run.name, resource.run.id]
"#,
            ),
        ],
        key: "pipeline and branch; of a deployment, project, release pipeline and environment. A success ends the failure",
        signature: Signature::Header,
        setup: &[
            "In the project's settings, under Service hooks, add Web Hooks for Build completed or Run state changed, and for Release deployment completed, with URL and an HTTP header with a secret.",
            "Do not choose Build completed beside Run state changed: one failed build would be several alerts.",
        ],
        template: None,
    },
    Sender {
        format: mapped("sonarqube", "SonarQube"),
        also: &["SonarCloud"],
        documentation: "https://docs.sonarsource.com/sonarqube-server/latest/project-administration/webhooks/",
        evidence: Evidence::Sent(
            "https://github.com/SonarSource/sonarqube/blob/master/server/sonar-server-common/src/main/java/org/sonar/server/webhook/WebhookPayloadFactoryImpl.java",
        ),
        forms: &[form(
            &[&["qualityGate.status", "project.key"]],
            r#"
title: "Quality gate of {{ project.name or project.key }}"
message: >-
  {% for c in qualityGate.conditions %}{% if c.status == 'ERROR' %}{{ c.metric }} is {{ c.value }}, wanted {{ c.errorThreshold }}. {% endif %}{% endfor %}{{ '' }}
state: qualityGate.status
states: {NONE: ignored}
dedup_key: [project.key, branch.name]
url: branch.url | project.url
started_at: analysedAt
labels: {project: project.key, branch: branch.name}
facts: [revision, qualityGate.name, branch.type, serverUrl]
"#,
        )],
        key: "project and branch",
        signature: Signature::hmac("x-sonar-webhook-hmac-sha256", ""),
        setup: &["Under Administration, Configuration, Webhooks, add URL with a secret."],
        template: None,
    },
];
