//! Builds and their tests. Pure.

use super::signature::{Hash, Signed};
use super::{Sender, Signature, form, mapped};

pub static SENDERS: &[Sender] = &[
    Sender {
        format: mapped("jenkins", "Jenkins"),
        also: &[],
        documentation: "https://plugins.jenkins.io/notification/",
        forms: &[form(
            &[&["name", "build.phase", "build.full_url"], &["name", "build.phase", "build.number"]],
            r#"
title: display_name | name
message: build.log
state: build.status | build.phase
states: {UNSTABLE: firing, NOT_BUILT: ignored, ABORTED: ignored, STARTED: ignored, FINALIZED: ignored, COMPLETED: ignored}
dedup_key: [url | name, build.scm.branch]
url: build.full_url
started_at: build.timestamp
labels: {job: name, branch: build.scm.branch}
"#,
        )],
        key: "job and branch; a build that succeeds ends the failure",
        signature: Signature::Nothing,
        setup: &[
            "Either install the Notification plugin, and add an endpoint to the job: format JSON, protocol HTTP, URL, event Job Finalized, log lines 30.",
            "Or send the body below from the `post { failure { … } success { … } }` of a pipeline, with `curl --json @- URL`.",
        ],
        template: Some(
            r#"{
  "title": "${JOB_NAME}",
  "message": "Build ${BUILD_NUMBER} of ${GIT_BRANCH}",
  "status": "failed",
  "dedup_key": "${JOB_NAME}",
  "source": "jenkins",
  "url": "${BUILD_URL}"
}"#,
        ),
    },
    Sender {
        format: mapped("teamcity", "TeamCity"),
        also: &[],
        documentation: "https://github.com/tcplugins/tcWebHooks/wiki/WebHook-Payload-Formats",
        forms: &[form(
            &[&["build.buildFullName", "build.buildResult"]],
            r#"
title: build.buildFullName
message: build.buildStatus
state: build.buildResult
dedup_key: [build.buildTypeId | build.buildFullName, build.branchName]
url: build.buildStatusUrl
labels: {project: build.projectName, build: build.buildName, branch: build.branchName}
facts: [build.buildNumber, build.buildResultDelta, build.notifyType, build.message, build.text]
"#,
        )],
        key: "build configuration and branch",
        signature: Signature::Nothing,
        setup: &[
            "Install the plugin tcWebHooks, and add a webhook with URL and the payload format JSON to the project.",
            "Choose the events Build Failed and Build Fixed.",
        ],
        template: None,
    },
    Sender {
        format: mapped("circleci", "CircleCI"),
        also: &[],
        documentation: "https://circleci.com/docs/guides/integration/outbound-webhooks/",
        forms: &[
            form(
                &[&["type=workflow-completed", "workflow.status", "pipeline"]],
                r#"
title: "{{ workflow.name }} on {{ pipeline.vcs.branch or pipeline.vcs.tag }} of {{ project.slug }}"
message: pipeline.vcs.commit.subject
state: workflow.status
states: {unauthorized: firing}
dedup_key: [project.slug | pipeline.vcs.origin_repository_url | project.id | workflow.url, workflow.name, pipeline.vcs.branch | pipeline.vcs.tag]
url: workflow.url
started_at: workflow.created_at
labels: {project: project.slug, branch: pipeline.vcs.branch, workflow: workflow.name}
facts: [pipeline.number, pipeline.vcs.revision, pipeline.vcs.origin_repository_url, pipeline.vcs.commit.subject]
"#,
            ),
            form(
                &[&["type=job-completed", "job.status", "job.name"]],
                r#"
title: "{{ job.name }} on {{ pipeline.vcs.branch or pipeline.vcs.tag }} of {{ project.slug }}"
message: pipeline.vcs.commit.subject
state: job.status
states: {unauthorized: firing}
dedup_key: [project.slug | pipeline.vcs.origin_repository_url | project.id | job.name, workflow.name, job.name, pipeline.vcs.branch | pipeline.vcs.tag]
url: workflow.url
started_at: job.started_at
labels: {project: project.slug, branch: pipeline.vcs.branch, workflow: workflow.name, job: job.name}
facts: [job.number, pipeline.number, pipeline.vcs.revision]
"#,
            ),
            form(
                &[&["type=ping", "webhook.id", "happened_at"]],
                r#"
title: "{{ 'CircleCI pinged the webhook' }}"
test_when: "{{ 1 == 1 }}"
dedup_key: webhook.id
"#,
            ),
        ],
        key: "project, workflow and branch; a workflow that succeeds ends the failure",
        signature: Signature::hmac("circleci-signature", "v1="),
        setup: &[
            "In the project's settings, under Webhooks, add URL with a secret token and the event Workflow Completed.",
        ],
        template: None,
    },
    Sender {
        format: mapped("buildkite", "Buildkite"),
        also: &[],
        documentation: "https://buildkite.com/docs/apis/webhooks/pipelines",
        forms: &[
            form(
                &[&["event~build.", "build.state", "pipeline.slug"]],
                r#"
title: "{{ pipeline.name or pipeline.slug }} on {{ build.branch }}"
message: build.message
state: build.state
states: {blocked: ignored, creating: ignored, canceling: ignored, not_run: ignored}
dedup_key: [pipeline.slug, build.branch]
url: build.web_url
started_at: build.started_at | build.created_at
labels: {pipeline: pipeline.slug, branch: build.branch}
facts: [build.number, build.commit, build.source, build.message, pipeline.repository]
"#,
            ),
            form(
                &[&["event=ping", "service.provider", "organization"]],
                r#"
title: "{{ 'Buildkite pinged the webhook' }}"
test_when: "{{ 1 == 1 }}"
dedup_key: service.id
facts: [service.events]
"#,
            ),
        ],
        key: "pipeline and branch; a build that passes ends the failure",
        signature: Signature::Hmac {
            header: "x-buildkite-signature",
            hash: Hash::Sha256,
            is_base64: false,
            prefix: "signature=",
            signed: Signed::TimeInHeader { field: "timestamp=", separator: "." },
        },
        setup: &[
            "Under Settings, Notification Services, add a Webhook with URL and the event build.finished.",
            "Let the token be sent as an HMAC signature.",
        ],
        template: None,
    },
    Sender {
        format: mapped("semaphore", "Semaphore"),
        also: &[],
        documentation: "https://docs.semaphoreci.com/using-semaphore/webhooks",
        forms: &[form(
            &[&["pipeline.result", "pipeline.yaml_file_name", "project.name"]],
            r#"
title: "{{ pipeline.name or pipeline.yaml_file_name }} of {{ project.name }}"
message: revision.commit_message
state: pipeline.result
dedup_key: [project.name, pipeline.yaml_file_name, revision.branch.name | revision.pull_request.branch_name | revision.reference]
started_at: pipeline.created_at
labels: {project: project.name, branch: revision.branch.name | revision.pull_request.branch_name}
facts: [pipeline.result_reason, pipeline.id, workflow.id, revision.commit_sha, revision.reference_type, repository.slug]
"#,
        )],
        key: "project, pipeline and branch",
        signature: Signature::Nothing,
        setup: &["Under Settings, Notifications, add a rule with URL (with a secret in it) as its webhook."],
        template: None,
    },
    Sender {
        format: mapped("buildbot", "Buildbot"),
        also: &[],
        documentation: "https://docs.buildbot.net/current/manual/configuration/reporters/zulip_status.html",
        forms: &[form(
            &[&["event", "buildid", "buildername"]],
            r#"
title: buildername
state: "{{ results if event == 'finished' else event }}"
states: {'0': resolved, '1': resolved, '2': firing, '3': ignored, '4': firing, '5': ignored, '6': ignored, new: ignored}
dedup_key: [buildername, project]
url: url
started_at: timestamp
labels: {builder: buildername, project: project}
"#,
        )],
        key: "builder and project",
        signature: Signature::Nothing,
        setup: &[
            "Add a `ZulipStatusPush` reporter with URL as its endpoint, or an `HttpStatusPush` whose template has a title and a status.",
        ],
        template: None,
    },
    Sender {
        format: mapped("gocd", "GoCD"),
        also: &[],
        documentation: "https://github.com/gocd-contrib/gocd-webhook-notification-plugin",
        forms: &[form(
            &[&["type=stage", "data.pipeline.stage.state", "data.pipeline.name"]],
            r#"
title: "{{ data.pipeline.stage.name }} of {{ data.pipeline.name }}"
state: data.pipeline.stage.state
states: {Unknown: ignored}
dedup_key: [data.pipeline.name, data.pipeline.stage.name]
labels: {pipeline: data.pipeline.name, stage: data.pipeline.stage.name}
facts: [data.pipeline.counter, data.pipeline.group, data.pipeline.stage.counter, data.pipeline.stage.result]
"#,
        )],
        key: "pipeline and stage",
        signature: Signature::Nothing,
        setup: &["Install the webhook notification plugin, and set its stage URL to URL."],
        template: None,
    },
];
