//! What a sender sends beside its alerts, known by what its headers say. Pure. Knows only what could not be read as an alert.

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
pub fn no_alert(headers: &[(&str, &str)]) -> Option<String> {
    for (header, sender, events) in EVENTS {
        let event = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(header)).map(|(_, event)| event.trim());
        if let Some(event) = event.filter(|event| events.contains(event)) {
            return Some(format!("the payload is the event {event} of {sender}, not an alert"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_sender_sends_beside_its_alerts_is_no_alert() {
        let reason = no_alert;
        assert_eq!(
            reason(&[("X-GitHub-Event", "ping")]).as_deref(),
            Some("the payload is the event ping of GitHub, not an alert")
        );
        assert!(reason(&[("x-gitlab-event", "Push Hook")]).is_some());
        assert!(reason(&[("sentry-hook-resource", "installation")]).is_some());
        assert_eq!(reason(&[("sentry-hook-resource", "issue"), ("x-github-event", "secret_scanning_alert")]), None);
    }
}
