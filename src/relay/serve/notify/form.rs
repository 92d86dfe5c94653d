//! A message in the form that its target takes. Pure.

use super::mail::{self, Mail};
use super::notice::Notice;
use super::post::Post;
use super::target::{Kind, Slack, Target};
use super::words::Words;
use super::{discord, github, pagerduty, slack, teams, webhook};
use crate::relay::serve::secret::Secret;
use redact::Redactor;

/// What becomes of a message at a target.
pub enum Form {
    Post(Post),
    /// An e-mail, for this server.
    Mail(Mail, String),
    /// It has no place there, for this reason.
    Nowhere(String),
    /// It cannot be put into words, for this reason.
    Unfit(String),
}

/// The request for a notice. `reference` is the message that an earlier one of the same job became; `now` is in Unix seconds.
pub fn form(target: &Target, notice: &Notice, reference: Option<&str>, redactor: &Redactor, now: i64) -> Form {
    let words = Words::of(notice, redactor);
    let post = match &target.kind {
        Kind::Slack(Slack::Webhook { url }) => Post::new(text(url), &slack::message(&words)),
        Kind::Slack(Slack::Bot { token, channel, api_url }) => {
            slack::by_bot(&text(token), channel, api_url, &words, reference)
        }
        Kind::Teams { url } => Post::new(text(url), &teams::message(&words)),
        Kind::Discord { url } => Post::new(text(url), &discord::message(&words)),
        Kind::Email(server) => return Form::Mail(server.clone(), mail::message(server, notice, &words)),
        Kind::PagerDuty { token, from, api_url } => {
            let Some(incident) = pagerduty::incident(&notice.dedupe_key) else {
                return Form::Nowhere("the alert is no incident of PagerDuty".to_string());
            };
            pagerduty::note(&text(token), from, api_url, incident, &words)
        }
        Kind::GitHub { token, repo, issue, api_url } => github::comment(&text(token), (repo, *issue), api_url, &words),
        Kind::Webhook { url, key, template } => {
            match webhook::request(&text(url), key, template.as_deref(), notice, redactor, now) {
                Ok(post) => return Form::Post(post),
                Err(reason) => return Form::Unfit(reason),
            }
        }
    };
    // A receiver that has seen it may let it pass.
    Form::Post(post.with("idempotency-key", notice.id.clone()))
}

/// A secret as text; the rules file has seen that it is one.
fn text(secret: &Secret) -> String {
    String::from_utf8_lossy(secret.expose()).into_owned()
}
