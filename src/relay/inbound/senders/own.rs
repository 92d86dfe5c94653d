//! Forms that many programs share, and alerts of one's own. Pure.

use super::{Evidence, Sender, Signature, coded, mapped};
use crate::relay::alert::Format;
use crate::relay::inbound::{any, cloudevents, generic, slack, teams};

pub static SENDERS: &[Sender] = &[
    Sender {
        format: Format::CloudEvents,
        also: &["CDEvents", "Knative", "Azure Event Grid"],
        documentation: "https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md",
        evidence: Evidence::Shown("https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md"),
        forms: &[coded(
            &[&["specversion", "type", "source", "id"], &["context.specversion", "context.type", "context.source"]],
            |payload, _, delivery| {
                delivery.delivery_id = delivery.delivery_id.take().or_else(|| cloudevents::delivery_id(payload));
                delivery.alerts.push(cloudevents::read(payload)?);
                Ok(())
            },
        )],
        key: "source and subject; without a subject, source, type and title",
        signature: Signature::Header,
        setup: &[
            "Send the event in structured mode to URL, with an `Authorization` header that holds a secret. A `status` or a `severity` in its data makes it an alert; so does a type such as `alert.fired`.",
        ],
        template: None,
    },
    Sender {
        format: mapped("slack", "A tool with a Slack output"),
        also: &["Mattermost", "Rocket.Chat", "Discord's Slack form", "GlitchTip"],
        documentation: "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/",
        evidence: Evidence::Shown("https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/"),
        forms: &[coded(
            &[
                &["attachments.0.color=danger"],
                &["attachments.0.color=warning"],
                &["attachments.0.color=good"],
                &["attachments.0.title~[FIRING"],
                &["attachments.0.title~[RESOLVED"],
                &["attachments.0.fallback~[FIRING"],
                &["attachments.0.fallback~[RESOLVED"],
                &["text~[FIRING"],
                &["text~[RESOLVED"],
                &["alias=GlitchTip", "attachments.0.title"],
            ],
            |payload, _, delivery| {
                delivery.alerts.push(slack::read(payload));
                Ok(())
            },
        )],
        key: "the title without its state, with channel and sender",
        signature: Signature::Nothing,
        setup: &[
            "For a tool that can send to nothing but Slack: give it URL (with a secret in it) as the incoming webhook.",
            "A message without a color or a word for a state is taken only where the sender is named.",
        ],
        template: None,
    },
    Sender {
        format: mapped("teams", "A tool with a Microsoft Teams output"),
        also: &["Microsoft Teams", "Power Automate"],
        documentation: "https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using",
        evidence: Evidence::Shown(
            "https://learn.microsoft.com/en-us/outlook/actionable-messages/message-card-reference",
        ),
        forms: &[coded(
            &[
                &["@type=MessageCard"],
                &["attachments.0.contentType=application/vnd.microsoft.card.adaptive"],
                &["type=AdaptiveCard", "body.0"],
            ],
            |payload, _, delivery| {
                delivery.alerts.push(teams::read(payload)?);
                Ok(())
            },
        )],
        key: "an identifier among the facts of the card; without one the title without its state, and host, service and the like",
        signature: Signature::Nothing,
        setup: &[
            "For a tool that can send to nothing but Microsoft Teams: give it URL (with a secret in it) as the incoming webhook.",
            "Only a card that says a state is taken, in its title as in `[FIRING] disk full`, or in one of its facts.",
        ],
        template: None,
    },
    Sender {
        format: Format::Generic,
        also: &["Standard Webhooks"],
        documentation: "https://www.standardwebhooks.com/",
        evidence: Evidence::Shown("https://www.standardwebhooks.com/"),
        forms: &[coded(
            &[
                &["type", "timestamp", "data.title"],
                &["title", "dedup_key"],
                &["title", "externalId"],
                &["title", "severity"],
                &["title", "description"],
                &["title", "message"],
                &["title", "status"],
                &["title", "source"],
            ],
            |payload, _, delivery| {
                delivery.alerts.push(generic::read(payload)?);
                Ok(())
            },
        )],
        key: "`dedup_key`, with `source`; without one another identifier, or source, title and labels",
        signature: Signature::StandardWebhooks,
        setup: &[
            "Send the body below to URL, signed with a secret as Standard Webhooks has it. Only `title` is required; whatever else is in it is shown to Devin as well.",
        ],
        template: Some(
            r#"{
  "title": "Nightly export failed",
  "message": "exit code 3",
  "severity": "high",
  "status": "firing",
  "dedup_key": "nightly-export",
  "source": "cron",
  "url": "https://example.com/runs/17"
}"#,
        ),
    },
    Sender {
        format: Format::Any,
        also: &[],
        documentation: "https://www.rfc-editor.org/rfc/rfc8259",
        evidence: Evidence::Shown("https://www.rfc-editor.org/rfc/rfc8259"),
        forms: &[coded(&[], |payload, _, delivery| any::read_each(payload, delivery))],
        key: "an identifier that is found; without one the rule or the title, with host, service and the like",
        signature: Signature::Header,
        setup: &[
            "Nothing: values are found by the names that senders use. Where a guess is wrong, write a mapping (`--map`).",
        ],
        template: None,
    },
];
