//! What a sender sends beside its alerts, known by what its headers or its list of alerts say. Pure. Knows only what could
//! not be read as an alert.

use serde_json::Value;

use crate::relay::inbound::Problem;

/// Headers that name the event, who sends them, and which of their events are never an alert.
const EVENTS: [(&str, &str, &[&str]); 3] = [
    (
        "x-github-event",
        "GitHub",
        &[
            "ping",
            "push",
            "create",
            "delete",
            "fork",
            "star",
            "watch",
            "member",
            "meta",
            "public",
            "release",
            "repository",
            "installation",
            "installation_repositories",
            "commit_comment",
            "issue_comment",
            "pull_request",
            "pull_request_review",
            "pull_request_review_comment",
        ],
    ),
    (
        "x-gitlab-event",
        "GitLab",
        &["Push Hook", "Tag Push Hook", "Note Hook", "Merge Request Hook", "Wiki Page Hook", "Release Hook"],
    ),
    ("sentry-hook-resource", "Sentry", &["installation", "comment"]),
];

/// Why a body that could not be read is no alert; `None` where it may be one.
pub fn no_alert(problem: &Problem, headers: &[(&str, &str)], body: &[u8]) -> Option<String> {
    for (header, sender, events) in EVENTS {
        let event = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(header)).map(|(_, event)| event.trim());
        if let Some(event) = event.filter(|event| events.contains(event)) {
            return Some(format!("the payload is the event {event} of {sender}, not an alert"));
        }
    }
    let is_of_list = matches!(problem, Problem::Missing { field, .. } if field.starts_with("alerts"));
    let has_none = || {
        let payload: Value = serde_json::from_slice(body).ok()?;
        payload.get("alerts")?.as_array().map(Vec::is_empty)
    };
    (is_of_list && has_none() == Some(true)).then(|| "the payload has no alerts in its list".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::alert::Format;

    #[test]
    fn what_a_sender_sends_beside_its_alerts_is_no_alert() {
        let unknown = Problem::UnknownShape { found: Vec::new() };
        let reason = |headers: &[(&str, &str)]| no_alert(&unknown, headers, b"{}");
        assert_eq!(
            reason(&[("X-GitHub-Event", "ping")]).as_deref(),
            Some("the payload is the event ping of GitHub, not an alert")
        );
        assert!(reason(&[("x-gitlab-event", "Push Hook")]).is_some());
        assert!(reason(&[("sentry-hook-resource", "installation")]).is_some());
        assert_eq!(reason(&[("sentry-hook-resource", "issue"), ("x-github-event", "secret_scanning_alert")]), None);
    }

    #[test]
    fn a_list_without_alerts_holds_none() {
        let missing = Problem::Missing { format: Format::Alertmanager, field: "alerts.0".to_string() };
        assert!(no_alert(&missing, &[], br#"{"alerts": []}"#).is_some());
        assert_eq!(no_alert(&missing, &[], br#"{"alerts": "none"}"#), None);
        let other = Problem::Missing { format: Format::Alertmanager, field: "groupKey".to_string() };
        assert_eq!(no_alert(&other, &[], br#"{"alerts": []}"#), None);
    }
}
