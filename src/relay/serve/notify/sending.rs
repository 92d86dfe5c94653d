//! Sends one message, and says what has become of it.

use std::sync::Arc;

use super::address::Allowed;
use super::backoff::wait;
use super::client::{Unanswered, send};
use super::form::{Form, form};
use super::notice::{Event, Notice};
use super::smtp;
use super::target::Target;
use super::tried::Tried;
use super::verdict::judge;
use crate::devin::client::now_s;
use crate::relay::serve::store::{Outgoing, Settled};
use crate::relay::text::clean_line;
use redact::Redactor;

/// The most that is shown of why something was not sent, in bytes.
const SHOWN: usize = 400;

/// Tries to send a message that was claimed, and says what to keep of that.
pub async fn attempt(target: &Target, allowed: &Arc<Allowed>, redactor: &Redactor, outgoing: &Outgoing) -> Settled {
    let notice = &outgoing.notice;
    let mut tried = try_once(target, allowed, redactor, notice, outgoing.reference.as_deref()).await;
    if let (Tried::Gone { .. }, Some(_)) = (&tried, &outgoing.reference) {
        tried = try_once(target, allowed, redactor, notice, None).await;
    }
    match tried {
        Tried::Sent { reference } => Settled::Sent { reference },
        Tried::Nowhere { reason } => Settled::Skipped { reason },
        Tried::Refused { reason } | Tried::Gone { reason } => Settled::Dead { reason },
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
    let safe = |text: String| clean_line(&redactor.redact(&text), SHOWN);
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
        Tried::Failed { reason, .. } | Tried::Refused { reason } | Tried::Gone { reason } => Err(reason),
    }
}
