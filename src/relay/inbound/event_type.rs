//! What the type of an event says of its alert. Pure.

/// Last words of an event's type that end an alert.
const ENDINGS: [&str; 5] = ["resolved", "closed", "recovered", "cleared", "ok"];

/// Whether the type's last word, before a version like `.0.2.0` or `.v1`, ends an alert: `alert.resolved`, `AlertResolved`.
pub fn ends(event_type: &str) -> bool {
    let is_version = |part: &&str| part.trim_start_matches('v').bytes().all(|byte| byte.is_ascii_digit());
    let last = event_type.rsplit(|c: char| !c.is_ascii_alphanumeric()).find(|part| !is_version(part));
    last.is_some_and(|word| ENDINGS.iter().any(|ending| ends_in_word(word, ending)))
}

/// Whether `ending` is all of `text`, or its last word where each begins with a capital letter.
fn ends_in_word(text: &str, ending: &str) -> bool {
    let (before, last) = text.split_at(text.len().saturating_sub(ending.len()));
    last.eq_ignore_ascii_case(ending)
        && (before.is_empty()
            || before.ends_with(|c: char| c.is_ascii_lowercase()) && last.starts_with(|c: char| c.is_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_a_type_ends_an_alert() {
        for event_type in [
            "com.example.alert.resolved",
            "com.example.alert.Closed.v1",
            "dev.cdevents.incident.resolved.0.2.0",
            "com.example.alert-resolved",
            "com.example:alert_cleared",
            "AlertResolved",
            "com.example.StatusOK",
            "com.example/ok/v2",
        ] {
            assert!(ends(event_type), "{event_type}");
        }
        for event_type in
            ["com.example.alert.unresolved", "Unresolved", "UNRESOLVED", "com.example.ok.failed", "v1", "", "look"]
        {
            assert!(!ends(event_type), "{event_type}");
        }
    }
}
