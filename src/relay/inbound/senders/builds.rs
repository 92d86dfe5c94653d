//! Builds and their tests. Pure.

use super::signature::{Hash, Signed};
use super::{Evidence, Sender, Signature, form, mapped};

pub static SENDERS: &[Sender] = &[
    Sender {
        format: mapped("jenkins", "Jenkins"),
        also: &[],
        documentation: "https://plugins.jenkins.io/notification/",
        evidence: Evidence::Sent(
            "https://github.com/jenkinsci/notification-plugin/blob/master/src/main/java/com/tikal/hudson/plugins/notification/model/BuildState.java",
        ),
        forms: &[
            form(
                &[&["source=jenkins", "dedup_key", "status"]],
                r#"
title: title
message: message
state: status
states: {UNSTABLE: firing, NOT_BUILT: ignored, ABORTED: ignored}
dedup_key: dedup_key
url: url
labels: {job: title}
"#,
            ),
            form(
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
            ),
        ],
        key: "job and branch; a build that succeeds ends the failure",
        signature: Signature::Nothing,
        setup: &[
            "Either install the Notification plugin, and add an endpoint to the job: format JSON, protocol HTTP, URL (with a secret in it), event Job Finalized, log lines 30.",
            "Or, with the plugin HTTP Request, send the body below at the end of each build: `post { always { httpRequest url: 'URL', httpMode: 'POST', contentType: 'APPLICATION_JSON', requestBody: \"\"\"…\"\"\" } }`.",
        ],
        template: Some(
            r#"{
  "title": "${env.JOB_NAME}",
  "message": "Build ${env.BUILD_NUMBER}: ${currentBuild.description}",
  "status": "${currentBuild.currentResult}",
  "dedup_key": "${env.JOB_NAME}",
  "source": "jenkins",
  "url": "${env.BUILD_URL}"
}"#,
        ),
    },
    Sender {
        format: mapped("teamcity", "TeamCity"),
        also: &[],
        documentation: "https://www.jetbrains.com/help/teamcity/teamcity-webhooks.html",
        evidence: Evidence::Sent(
            "https://github.com/tcplugins/tcWebHooks/blob/master/tcwebhooks-core/src/main/java/webhook/teamcity/payload/content/WebHookPayloadContent.java",
        ),
        forms: &[
            form(
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
            ),
            // What TeamCity sends without a plugin: the build as its REST API has it.
            form(
                &[&["eventType~BUILD_", "payload.buildTypeId", "payload.state"]],
                r#"
title: "{{ payload.buildType.projectName ~ ' :: ' ~ payload.buildType.name if payload.buildType.name else payload.buildTypeId }}"
message: payload.statusText
state: "{{ payload.status if payload.state == 'finished' else payload.state }}"
states: {UNKNOWN: ignored}
dedup_key: [payload.buildTypeId, payload.branchName]
url: payload.webUrl
labels: {project: payload.buildType.projectName, build: payload.buildType.name, branch: payload.branchName}
facts: [eventType, payload.number, payload.statusText]
"#,
            ),
        ],
        key: "build configuration and branch",
        signature: Signature::Nothing,
        setup: &[
            "Either install the plugin tcWebHooks, add a webhook with URL (with a secret in it) and the payload format JSON to the project, and choose the events Build Failed and Build Fixed.",
            "Or set the parameters `teamcity.internal.webhooks.enable` to `true`, `teamcity.internal.webhooks.url` to URL (with a secret in it) and `teamcity.internal.webhooks.events` to `BUILD_FINISHED`.",
        ],
        template: None,
    },
    Sender {
        format: mapped("circleci", "CircleCI"),
        also: &[],
        documentation: "https://circleci.com/docs/guides/integration/outbound-webhooks/",
        evidence: Evidence::Shown("https://circleci.com/docs/reference/webhooks-reference/"),
        forms: &[
            form(
                &[&["type=workflow-completed", "workflow.status", "pipeline"]],
                r#"
title: "{{ workflow.name }} on {{ pipeline.vcs.branch or pipeline.vcs.tag or pipeline.trigger_parameters.git.branch or pipeline.trigger_parameters.git.tag }} of {{ project.name or project.slug }}"
message: pipeline.vcs.commit.subject | pipeline.trigger_parameters.gitlab.commit_title
state: workflow.status
states: {unauthorized: firing}
dedup_key: [project.slug | pipeline.vcs.origin_repository_url | project.id | workflow.url, workflow.name, pipeline.vcs.branch | pipeline.vcs.tag | pipeline.trigger_parameters.git.branch | pipeline.trigger_parameters.git.tag | pipeline.trigger_parameters.gitlab.branch]
url: workflow.url
started_at: workflow.created_at
labels: {project: project.slug, branch: pipeline.vcs.branch | pipeline.trigger_parameters.git.branch, workflow: workflow.name}
facts: [pipeline.number, pipeline.vcs.revision, pipeline.vcs.origin_repository_url, pipeline.vcs.commit.subject]
"#,
            ),
            form(
                &[&["type=job-completed", "job.status", "job.name"]],
                r#"
title: "{{ job.name }} on {{ pipeline.vcs.branch or pipeline.vcs.tag or pipeline.trigger_parameters.git.branch or pipeline.trigger_parameters.git.tag }} of {{ project.name or project.slug }}"
message: pipeline.vcs.commit.subject | pipeline.trigger_parameters.gitlab.commit_title
state: job.status
states: {unauthorized: firing}
dedup_key: [project.slug | pipeline.vcs.origin_repository_url | project.id | job.name, workflow.name, job.name, pipeline.vcs.branch | pipeline.vcs.tag | pipeline.trigger_parameters.git.branch | pipeline.trigger_parameters.git.tag | pipeline.trigger_parameters.gitlab.branch]
url: workflow.url
started_at: job.started_at
labels: {project: project.slug, branch: pipeline.vcs.branch | pipeline.trigger_parameters.git.branch, workflow: workflow.name, job: job.name}
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
        evidence: Evidence::Shown("https://buildkite.com/docs/apis/webhooks/pipelines/build-events"),
        forms: &[
            form(
                &[&["event~build.", "build.state", "pipeline.slug"]],
                r#"
title: "{{ pipeline.name or pipeline.slug }} on {{ build.branch }}"
message: build.message
state: "{{ 'blocked' if build.blocked and build.state == 'passed' else build.state }}"
states: {failing: firing, skipped: ignored, scheduled: ignored, blocked: ignored, creating: ignored, canceling: ignored, not_run: ignored}
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
            "Under Settings, Notification Services, add a Webhook with URL and the event build.finished; with build.failing as well, the first job that fails is told.",
            "Let the token be sent as an HMAC signature.",
        ],
        template: None,
    },
    Sender {
        format: mapped("semaphore", "Semaphore"),
        also: &[],
        documentation: "https://docs.semaphoreci.com/using-semaphore/webhooks",
        evidence: Evidence::Shown(
            "https://github.com/semaphoreci/docs/blob/master/docs/essentials/webhook-notifications.md",
        ),
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
        signature: Signature::hmac("x-semaphore-signature-256", ""),
        setup: &[
            "Create a secret with a variable `WEBHOOK_SECRET`.",
            "Under Notifications, add a rule with URL as its webhook and the name of the secret; or run `sem create notification devin --projects PROJECT --webhook-endpoint URL --webhook-secret NAME`.",
        ],
        template: None,
    },
    Sender {
        format: mapped("buildbot", "Buildbot"),
        also: &[],
        documentation: "https://docs.buildbot.net/current/manual/configuration/reporters/http_status.html",
        evidence: Evidence::Sent("https://github.com/buildbot/buildbot/blob/master/master/buildbot/reporters/http.py"),
        forms: &[
            form(
                &[&["buildid", "state_string", "builder.name"]],
                r#"
title: builder.name
message: state_string
state: "{{ results if complete else 'running' }}"
states: {'0': resolved, '1': resolved, '2': firing, '3': ignored, '4': firing, '5': ignored, '6': ignored}
dedup_key: [builder.name, properties.project.0, properties.branch.0]
url: url
started_at: started_at
labels: {builder: builder.name, project: properties.project.0, branch: properties.branch.0}
facts: [number, state_string, properties.revision, properties.repository]
"#,
            ),
            form(
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
            ),
        ],
        key: "builder, project and branch",
        signature: Signature::Header,
        setup: &[
            "Add an `HttpStatusPush` reporter with `serverUrl=URL`, without a message formatter of your own: it sends the build. It sends `auth=('NAME', 'PASSWORD')`, a secret, as basic authentication.",
            "A `ZulipStatusPush` adds `/api/v1/external/buildbot` to its endpoint; its messages are read where a proxy takes that off.",
        ],
        template: None,
    },
    Sender {
        format: mapped("gocd", "GoCD"),
        also: &[],
        documentation: "https://github.com/gocd-contrib/gocd-webhook-notification-plugin",
        evidence: Evidence::Shown("https://plugin-api.gocd.org/current/notifications/"),
        forms: &[
            form(
                &[&["type=stage", "data.pipeline.stage.state", "data.pipeline.name"]],
                r#"
title: "{{ data.pipeline.stage.name }} of {{ data.pipeline.name }}"
state: data.pipeline.stage.state
states: {Unknown: ignored}
dedup_key: [data.pipeline.name, data.pipeline.stage.name]
started_at: data.pipeline.stage.last-transition-time
labels: {pipeline: data.pipeline.name, stage: data.pipeline.stage.name}
facts: [data.pipeline.counter, data.pipeline.group, data.pipeline.label, data.pipeline.build-cause, data.pipeline.stage.counter, data.pipeline.stage.result, data.pipeline.stage.jobs]
"#,
            ),
            // The notification as GoCD hands it to plugins, which some pass on as it is.
            form(
                &[&["pipeline.stage.state", "pipeline.stage.name", "pipeline.counter"]],
                r#"
title: "{{ pipeline.stage.name }} of {{ pipeline.name }}"
state: pipeline.stage.state
states: {Unknown: ignored}
dedup_key: [pipeline.name, pipeline.stage.name]
started_at: pipeline.stage.last-transition-time
labels: {pipeline: pipeline.name, stage: pipeline.stage.name}
facts: [pipeline.counter, pipeline.group, pipeline.label, pipeline.build-cause, pipeline.stage.counter, pipeline.stage.result, pipeline.stage.jobs]
"#,
            ),
        ],
        key: "pipeline and stage",
        signature: Signature::Nothing,
        setup: &["Install the webhook notification plugin, and set its stage URL to URL (with a secret in it)."],
        template: None,
    },
];
