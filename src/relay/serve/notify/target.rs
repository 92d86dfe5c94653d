//! Whom to tell: the targets of a rules file. Pure.

use super::address::Allowed;
use super::mail::Mail;
use crate::relay::serve::secret::Secret;

/// What the rules file says under `notify`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    pub targets: Vec<Target>,
    /// Addresses within the own network that may be sent to.
    pub allowed: Allowed,
}

/// Where messages go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Unique.
    pub name: String,
    pub kind: Kind,
}

/// How they are sent there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Slack(Slack),
    /// A workflow's webhook.
    Teams {
        url: Secret,
    },
    Discord {
        url: Secret,
    },
    Email(Mail),
    /// A note on the incident that the alert is.
    PagerDuty {
        token: Secret,
        /// The address of the user who writes it.
        from: String,
        api_url: String,
    },
    /// A comment on one issue.
    GitHub {
        token: Secret,
        repo: String,
        issue: u32,
        api_url: String,
    },
    /// A signed request, as Standard Webhooks has it.
    Webhook {
        url: Secret,
        /// The key of the signature.
        key: Secret,
        /// `None` for the JSON that is documented.
        template: Option<String>,
    },
}

/// The two ways to Slack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slack {
    /// A message for each notice.
    Webhook { url: Secret },
    /// One message for each job, which is changed.
    Bot { token: Secret, channel: String, api_url: String },
}

impl Settings {
    /// The target of this name.
    pub fn target(&self, name: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.name == name)
    }

    /// What must never be shown.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.targets.iter().flat_map(|target| target.kind.secrets())
    }
}

impl Kind {
    /// The word in the rules file.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Slack(_) => "slack",
            Kind::Teams { .. } => "teams",
            Kind::Discord { .. } => "discord",
            Kind::Email(_) => "email",
            Kind::PagerDuty { .. } => "pagerduty",
            Kind::GitHub { .. } => "github",
            Kind::Webhook { .. } => "webhook",
        }
    }

    fn secrets(&self) -> Vec<&Secret> {
        match self {
            Kind::Slack(Slack::Webhook { url }) | Kind::Teams { url } | Kind::Discord { url } => vec![url],
            Kind::Slack(Slack::Bot { token, .. }) | Kind::PagerDuty { token, .. } | Kind::GitHub { token, .. } => {
                vec![token]
            }
            Kind::Email(mail) => mail.login.iter().map(|(_, password)| password).collect(),
            Kind::Webhook { url, key, .. } => vec![url, key],
        }
    }
}
