//! Sends one message, and says what has become of it.

use std::sync::Arc;
use std::time::Duration;

use super::address::Allowed;
use super::backoff::wait;
use super::client::{Answer, Unanswered, send};
use super::notice::{Event, Notice};
use super::post::{Form, form};
use super::target::{Kind, Slack, Target};
use super::{slack, smtp};
use crate::devin::client::now_s;
use crate::redact::Redactor;
use crate::relay::serve::store::{Outgoing, Settled};
use crate::relay::text::clean_line;

/// The most of an answer that is shown, in bytes.
const SHOWN: usize = 200;

/// What came of a try.
#[derive(Debug, PartialEq, Eq)]
pub enum Tried {
    Sent {
        reference: Option<String>,
    },
    /// It may come through later; where the target says when, then.
    Failed {
        reason: String,
        asked: Option<Duration>,
    },
    /// It never will as it is.
    Refused {
        reason: String,
    },
    Nowhere {
        reason: String,
    },
}

/// Tries to send a message that was claimed, and says what to keep of that.
pub async fn attempt(target: &Target, allowed: &Arc<Allowed>, redactor: &Redactor, outgoing: &Outgoing) -> Settled {
    match try_once(target, allowed, redactor, &outgoing.notice, outgoing.reference.as_deref()).await {
        Tried::Sent { reference } => Settled::Sent { reference },
        Tried::Nowhere { reason } => Settled::Skipped { reason },
        Tried::Refused { reason } => Settled::Dead { reason },
        Tried::Failed { reason, asked } => match wait(outgoing.attempt, outgoing.tried_for, asked, fastrand::f64()) {
            Some(wait) => Settled::Later { wait, reason },
            None => Settled::Dead { reason: format!("{reason}; it was tried {} times", outgoing.attempt) },
        },
    }
}

/// Sends a message once.
pub async fn try_once(
    target: &Target,
    allowed: &Arc<Allowed>,
    redactor: &Redactor,
    notice: &Notice,
    reference: Option<&str>,
) -> Tried {
    let safe = |text: String| clean_line(&redactor.redact(&text), SHOWN * 2);
    let post = match form(target, notice, reference, redactor, now_s()) {
        Form::Post(post) => post,
        Form::Mail(mail, message) => {
            return match smtp::send(allowed, &mail, &message).await {
                Tried::Failed { reason, asked } => Tried::Failed { reason: safe(reason), asked },
                Tried::Refused { reason } => Tried::Refused { reason: safe(reason) },
                tried => tried,
            };
        }
        Form::Nowhere(reason) => return Tried::Nowhere { reason },
        Form::Unfit(reason) => return Tried::Refused { reason: safe(format!("the template {reason}")) },
    };
    match send(allowed, post).await {
        Ok(answer) => judge(&target.kind, &answer, &safe),
        Err(Unanswered::Failed(reason)) => Tried::Failed { reason: safe(reason), asked: None },
        Err(Unanswered::Impossible(reason)) => Tried::Refused { reason: safe(reason) },
    }
}

/// Sends a message that is marked as a test; says what came of it.
///
/// # Errors
/// Why it did not arrive.
pub async fn try_out(target: &Target, allowed: &Allowed, redactor: &Redactor) -> Result<String, String> {
    let now = now_s();
    let notice = Notice {
        id: format!("notice-test-{now}"),
        event: Event::Created,
        at: now * 1000,
        alert: "ar-test".to_string(),
        dedupe_key: "test".to_string(),
        title: "A test of alert-relay notify test".to_string(),
        severity: None,
        rule: "test".to_string(),
        integration: "test".to_string(),
        job_id: "job-test".to_string(),
        session_id: None,
        session_url: None,
        pr_url: None,
        reason: Some("somebody asked whether messages arrive here".to_string()),
        is_test: true,
    };
    match try_once(target, &Arc::new(allowed.clone()), redactor, &notice, None).await {
        Tried::Sent { .. } => Ok("the message was taken".to_string()),
        // An incident would have to be there.
        Tried::Nowhere { reason } => Err(format!("a test cannot be sent: {reason}")),
        Tried::Failed { reason, .. } | Tried::Refused { reason } => Err(reason),
    }
}

/// What an answer means.
fn judge(kind: &Kind, answer: &Answer, safe: &dyn Fn(String) -> String) -> Tried {
    let Answer { status, retry_after, body } = answer;
    let said = || {
        let text: String = String::from_utf8_lossy(body).chars().take(SHOWN).collect();
        let text = text.trim();
        safe(if text.is_empty() { format!("it answered {status}") } else { format!("it answered {status}: {text}") })
    };
    match status {
        200..300 if matches!(kind, Kind::Slack(Slack::Bot { .. })) => match slack::answer(body) {
            Ok(reference) => Tried::Sent { reference },
            Err(word) if slack::passes(&word) => {
                Tried::Failed { reason: safe(format!("Slack answered {word}")), asked: *retry_after }
            }
            Err(word) => Tried::Refused { reason: safe(format!("Slack answered {word}")) },
        },
        200..300 => Tried::Sent { reference: None },
        300..400 => {
            Tried::Refused { reason: format!("it answered {status}: it is elsewhere, and that is not followed") }
        }
        408 | 425 | 429 | 500.. => Tried::Failed { reason: said(), asked: *retry_after },
        _ => Tried::Refused { reason: said() },
    }
}
