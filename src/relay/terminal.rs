//! An event as a person reads it. Pure.

use super::event::{AdoptionReason, EventKind, OutcomeEvent};
use super::outcome::OutcomeKind;
use super::text::{clean_line, plain, plain_line};

/// So much of each foreign text is shown.
const LINE_BYTES: usize = 400;

/// So much of a prompt is shown.
const PROMPT_BYTES: usize = 64 << 10;

/// The lines for an event; `None` where a person needs none. Foreign text is cleaned, so that it does not speak to the
/// terminal.
pub fn text(kind: &EventKind, require_pr: bool) -> Option<String> {
    let clean_text = |text: &str| clean_line(text, LINE_BYTES);
    let at = |url: &Option<String>, id: &str| clean_text(url.as_deref().unwrap_or(id));
    Some(match kind {
        EventKind::AlertReceived { format, state, title, alerts, .. } => {
            let count = if *alerts > 1 { format!(", {alerts} alerts") } else { String::new() };
            format!("alert: {} ({format}, {state}{count})", clean_text(title))
        }
        EventKind::Prompt { tags, title, prompt } => {
            // As it would be sent: secrets are out of the alert already, and the user's words are not altered.
            let (title, tags) = (plain_line(title, LINE_BYTES), plain_line(&tags.join(", "), 64 * LINE_BYTES));
            format!("title: {title}\ntags: {tags}\n\n{}", plain(prompt, PROMPT_BYTES))
        }
        EventKind::NothingToDo { reason } => format!("nothing to do: {}", clean_text(reason)),
        EventKind::SessionCreated { session_id, session_url } => {
            format!("session created: {}", at(session_url, session_id))
        }
        EventKind::SessionAdopted { session_id, session_url, reason } => {
            let why = match reason {
                AdoptionReason::Alive => "existing session of this alert",
                AdoptionReason::EndedWithinCooldown => "session of this alert that ended within the cool-down",
                AdoptionReason::FoundAfterUnclearCreate => "session created, and found after an unclear answer",
                AdoptionReason::OlderSessionOfAnotherRun => "older session of another run",
            };
            format!("{why}: {}", at(session_url, session_id))
        }
        EventKind::AlertHeld { pr_url, reason, .. } => {
            format!("held: {}: {}", clean_text(reason), clean_text(pr_url.as_deref().unwrap_or("unknown pull request")))
        }
        EventKind::SessionDuplicate { session_id, session_url, terminated, reason } => {
            let what = if *terminated { "terminated" } else { "still running" };
            format!("duplicate session, {what}: {} ({})", at(session_url, session_id), clean_text(reason))
        }
        EventKind::SessionStatus { status, status_detail, pr_url, .. } => {
            let detail = status_detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
            let pull_request = pr_url.as_ref().map(|url| format!(", pull request {url}")).unwrap_or_default();
            clean_text(&format!("status: {status}{detail}{pull_request}"))
        }
        EventKind::SessionMessaged { sent, reason, .. } => {
            let what = if *sent { "message sent" } else { "warning: no message sent" };
            format!("{what}: {}", clean_text(reason))
        }
        EventKind::AlertResolved { reason } => clean_text(reason),
        EventKind::Outcome(outcome) => closing(outcome, require_pr),
        EventKind::Check { principal_type, principal, org_id, missing, untested } => {
            let kind = principal_type.as_deref().unwrap_or("unknown kind");
            let name = principal.as_deref().unwrap_or("unknown");
            let list = |names: &[String]| if names.is_empty() { "none".to_string() } else { names.join(", ") };
            let (missing, untested) = (list(missing), list(untested));
            format!(
                "key: {} ({}), organization {}\nmissing permissions: {missing}\nuntested permissions: {untested}",
                clean_text(name),
                clean_text(kind),
                clean_text(org_id)
            )
        }
        EventKind::Warning { message } => format!("warning: {}", clean_line(message, 4 * LINE_BYTES)),
        EventKind::Note { message } => clean_line(message, 4 * LINE_BYTES),
        EventKind::Error(report) => format!("error: {}", clean_line(&report.message, 4 * LINE_BYTES)),
    })
}

/// The last line of an alert: how it ended, where, and what the exit code means.
fn closing(outcome: &OutcomeEvent, require_pr: bool) -> String {
    let code = outcome.result.exit_code(require_pr);
    format!("{} (exit code {code}: {})", ended(outcome), meaning(outcome.result, require_pr))
}

/// How an alert ended, and where.
pub fn ended(outcome: &OutcomeEvent) -> String {
    let at = outcome.pr_url.as_deref().or(outcome.session_url.as_deref()).or(outcome.session_id.as_deref());
    let at = at.map(|url| format!(": {}", clean_line(url, LINE_BYTES))).unwrap_or_default();
    let reason = clean_line(&outcome.reason, 4 * LINE_BYTES);
    format!("{}: {reason}{at}", outcome.status.name())
}

/// What an outcome's exit code means, in a few words.
pub fn meaning(result: OutcomeKind, require_pr: bool) -> &'static str {
    match result.exit_code(require_pr) {
        0 => "success",
        20 => "the session waits for a person",
        21 => "a limit or quota is used up",
        22 => "the session failed",
        23 => "still running after the last poll",
        24 => "suspended, or not found anymore",
        25 => "it is not known whether a session was created",
        26 => "no pull request, which --require-pr asks for",
        _ => "the relay ended the session",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_does_not_speak_to_the_terminal() {
        let event = EventKind::SessionStatus {
            session_id: "s".to_string(),
            status: "run\u{1b}[31mning".to_string(),
            status_detail: Some("\u{1b}]0;title\u{7}x".to_string()),
            pr_url: Some("https://x/\u{1b}[2J".to_string()),
            pull_requests: Vec::new(),
            acus_consumed: 0.0,
        };
        insta::assert_snapshot!(text(&event, false).unwrap(), @"status: running (]0;titlex), pull request https://x/");
    }

    #[test]
    fn every_exit_code_has_a_meaning() {
        let told: Vec<String> = OutcomeKind::ALL
            .into_iter()
            .map(|kind| format!("{kind:?}: {}, with --require-pr {}", meaning(kind, false), meaning(kind, true)))
            .collect();
        insta::assert_snapshot!(told.join("\n"));
    }
}
