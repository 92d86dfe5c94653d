//! One alert, whatever sent it: what fired, since when, how badly, and by what it is told apart from others. Pure.
//!
//! The texts are the sender's own and untrusted; [`super::text`] cleans them before anybody is shown them.

pub mod identity;
mod keys;
mod secrets;
mod state;
pub mod words;

use std::collections::{BTreeMap, BTreeSet};

use redact::Redactor;

pub use identity::{Identity, attempt_tag, tag, tag_in};
pub use keys::{KEY_TABLE, KeyRow, key_table};
pub use secrets::{secrets_apart, without, without_secrets};
pub use state::State;
pub use words::{Format, Mapped, Severity};

/// Names with values, as labels and annotations are.
pub type Pairs = BTreeMap<String, String>;

/// How many members of a group an [`Alert`] carries; further ones are counted only.
pub const MEMBERS_KEPT: usize = 100;

/// One thing that went wrong: a single alert, or a group that its sender delivers as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    pub format: Format,
    pub state: State,
    /// Never empty.
    pub title: String,
    /// The sender's description; empty when there is none.
    pub message: String,
    /// `None` when the sender gives none, or a word nobody knows. Of a group, the worst.
    pub severity: Option<Severity>,
    /// RFC 3339 in UTC, without the `Z` where the sender tells no offset; the earliest of a group; `None` when unknown.
    /// Never part of the identity.
    pub started_at: Option<String>,
    /// Of a group, those that all firing members share.
    pub labels: Pairs,
    /// Of a group, those that all firing members share.
    pub annotations: Pairs,
    /// Names of labels and annotations whose value is a secret by the place where it stood; it is masked before anybody is
    /// shown it, and so is what a name like `password` tells by itself.
    pub secrets: BTreeSet<String>,
    /// Web pages to look at, each address once, not yet checked.
    pub links: Vec<Link>,
    /// Of a group, the alerts that fire, at most [`MEMBERS_KEPT`]; empty for a single alert.
    pub members: Vec<Member>,
    /// Of a group, the labels of the alerts that fire beyond [`MEMBERS_KEPT`]: never shown, only compared.
    pub further_labels: Vec<Pairs>,
    /// Of a group, how many alerts fire, with those beyond [`MEMBERS_KEPT`]; 0 for a single alert.
    pub firing: usize,
    /// Of a group, how many alerts the sender itself left out.
    pub truncated: u64,
    /// Why it was sent, in the sender's words (Alertmanager's `notification_reason`, since 0.32); `None` where it does not say.
    pub notification_reason: Option<String>,
    /// What was guessed while it was read, one sentence each, for the person who set the sender up.
    pub warnings: Vec<String>,
    pub identity: Identity,
}

/// An alert inside a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Member {
    /// By what its sender tells it from the others of the group: its fingerprint, else its labels.
    pub fingerprint: String,
    pub labels: Pairs,
    pub annotations: Pairs,
    pub started_at: Option<String>,
    pub links: Vec<Link>,
}

/// A web page that a sender points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub name: String,
    pub url: String,
}

impl Alert {
    /// An alert with what every sender has; the rest is empty.
    pub fn new(format: Format, state: State, title: String, identity: Identity) -> Alert {
        Alert {
            format,
            state,
            title,
            message: String::new(),
            severity: None,
            started_at: None,
            labels: Pairs::new(),
            annotations: Pairs::new(),
            secrets: BTreeSet::new(),
            links: Vec::new(),
            members: Vec::new(),
            further_labels: Vec::new(),
            firing: 0,
            truncated: 0,
            notification_reason: None,
            warnings: Vec::new(),
            identity,
        }
    }

    /// This alert with every text that may be shown passed through `change`; the identity stays.
    pub fn map_texts(&self, change: &dyn Fn(&str) -> String) -> Alert {
        let pairs = |pairs: &Pairs| pairs.iter().map(|(name, value)| (change(name), change(value))).collect();
        let links = |links: &[Link]| {
            links.iter().map(|link| Link { name: change(&link.name), url: change(&link.url) }).collect::<Vec<_>>()
        };
        let member = |member: &Member| Member {
            fingerprint: member.fingerprint.clone(),
            labels: pairs(&member.labels),
            annotations: pairs(&member.annotations),
            started_at: member.started_at.as_deref().map(change),
            links: links(&member.links),
        };
        Alert {
            state: match &self.state {
                State::Other(word) => State::Other(change(word)),
                state => state.clone(),
            },
            title: change(&self.title),
            message: change(&self.message),
            started_at: self.started_at.as_deref().map(change),
            labels: pairs(&self.labels),
            annotations: pairs(&self.annotations),
            links: links(&self.links),
            members: self.members.iter().map(member).collect(),
            warnings: self.warnings.iter().map(|warning| change(warning)).collect(),
            ..self.clone()
        }
    }

    /// By what the same alert is recognized when it comes again: one line of printable ASCII.
    ///
    /// [`KEY_TABLE`] says how each sender's is made. `ignored_labels` are left out of hashed labels, as
    /// [`identity::CHURNING_LABELS`] always are.
    pub fn dedupe_key(&self, ignored_labels: &[String]) -> String {
        identity::dedupe_key(self, ignored_labels)
    }

    /// What may be shown of a key that [`Alert::dedupe_key`] made: without the secrets that it or the alert's texts hold.
    pub fn shown_key(&self, key: &str, redactor: &Redactor) -> String {
        secrets::shown_key(self, key, redactor)
    }

    /// Whether `ignored_labels` are all that its key is made of, so that they count after all.
    pub fn ignores_all(&self, ignored_labels: &[String]) -> bool {
        identity::ignores_all(self, ignored_labels)
    }
}
