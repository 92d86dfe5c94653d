//! What a target's answer means: taken, not now, or never. Pure.

use std::time::Duration;

use super::client::Answer;
use super::slack;
use super::target::{Kind, Slack};
use super::tried::Tried;

/// The most of an answer that is shown, in characters.
const SHOWN: usize = 200;

/// How long GitHub wants to be left alone where it says no time (docs.github.com, "Rate limits for the REST API").
const UNSAID: Duration = Duration::from_secs(60);

/// Judges an answer. `safe` makes a target's words fit to be shown.
pub fn judge(kind: &Kind, answer: &Answer, safe: &dyn Fn(String) -> String) -> Tried {
    let Answer { status, asked, body } = answer;
    let text = String::from_utf8_lossy(body);
    let status = teams_error(kind, *status, &text).unwrap_or(*status);
    let said = || {
        let text: String = text.trim().chars().take(SHOWN).collect();
        safe(if text.is_empty() { format!("it answered {status}") } else { format!("it answered {status}: {text}") })
    };
    match status {
        200..300 if matches!(kind, Kind::Slack(Slack::Bot { .. })) => match slack::answer(body) {
            Ok(reference) => Tried::Sent { reference },
            Err(word) if slack::passes(&word) => {
                Tried::Failed { reason: safe(format!("Slack answered {word}")), asked: *asked }
            }
            Err(word) if slack::is_gone(&word) => Tried::Gone { reason: safe(format!("Slack answered {word}")) },
            Err(word) => Tried::Refused { reason: safe(format!("Slack answered {word}")) },
        },
        200..300 => Tried::Sent { reference: None },
        300..400 => {
            Tried::Refused { reason: format!("it answered {status}: it is elsewhere, and that is not followed") }
        }
        408 | 425 | 429 | 500.. => Tried::Failed { reason: said(), asked: *asked },
        // GitHub says so that there were too many.
        403 if asked.is_some() || text.contains("rate limit") => {
            Tried::Failed { reason: said(), asked: Some(asked.unwrap_or(UNSAID)) }
        }
        _ => Tried::Refused { reason: said() },
    }
}

/// The status that a connector of Teams hides behind its 200: "… Microsoft Teams endpoint returned HTTP error 429 with …"
/// (MicrosoftDocs/msteams-docs, issues 402 and 7425).
fn teams_error(kind: &Kind, status: u16, text: &str) -> Option<u16> {
    if status != 200 || !matches!(kind, Kind::Teams { .. }) || !text.contains("delivery failed with error") {
        return None;
    }
    let number = text.split_once("returned HTTP error ").and_then(|(_, rest)| rest.get(..3)?.parse().ok());
    Some(number.filter(|number| (400..600).contains(number)).unwrap_or(502))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::serve::secret::Secret;

    fn tried(kind: &Kind, status: u16, asked: Option<u64>, body: &str) -> Tried {
        let answer = Answer { status, asked: asked.map(Duration::from_secs), body: body.as_bytes().to_vec() };
        judge(kind, &answer, &|text| text)
    }

    fn teams() -> Kind {
        Kind::Teams { url: Secret::new(b"https://teams.example".to_vec()) }
    }

    fn github() -> Kind {
        let token = Secret::new(b"token".to_vec());
        Kind::GitHub { token, repo: "a/b".to_string(), issue: 1, api_url: String::new() }
    }

    fn bot() -> Kind {
        let token = Secret::new(b"token".to_vec());
        Kind::Slack(Slack::Bot { token, channel: "C1".to_string(), api_url: String::new() })
    }

    #[test]
    fn an_error_of_teams_behind_a_200_is_one() {
        let failed = |number| {
            format!(
                "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error {number} with ContextId x.."
            )
        };
        assert!(matches!(tried(&teams(), 200, None, &failed("429")), Tried::Failed { .. }));
        assert!(matches!(tried(&teams(), 200, None, &failed("413")), Tried::Refused { .. }));
        let unsaid = "Webhook message delivery failed with error: Error contacting Microsoft Teams endpoint";
        assert!(matches!(tried(&teams(), 200, None, unsaid), Tried::Failed { .. }));
        assert_eq!(tried(&teams(), 200, None, "1"), Tried::Sent { reference: None });
        assert_eq!(tried(&teams(), 202, None, ""), Tried::Sent { reference: None });
        assert_eq!(tried(&github(), 200, None, &failed("429")), Tried::Sent { reference: None }, "no other says so");
    }

    #[test]
    fn githubs_403_for_too_many_passes_and_any_other_does_not() {
        let asked = |tried| match tried {
            Tried::Failed { asked, .. } => asked.map(|asked| asked.as_secs()),
            other => panic!("{other:?}"),
        };
        assert_eq!(asked(tried(&github(), 403, Some(90), "{}")), Some(90));
        let secondary = r#"{"message":"You have exceeded a secondary rate limit. Please wait a few minutes."}"#;
        assert_eq!(asked(tried(&github(), 403, None, secondary)), Some(60));
        let forbidden = r#"{"message":"Resource not accessible by personal access token"}"#;
        assert!(matches!(tried(&github(), 403, None, forbidden), Tried::Refused { .. }));
    }

    #[test]
    fn slacks_words_tell_what_passes_and_what_is_gone() {
        let said = |word: &str| tried(&bot(), 200, None, &format!(r#"{{"ok":false,"error":"{word}"}}"#));
        assert!(matches!(said("ratelimited"), Tried::Failed { .. }));
        assert!(matches!(said("message_not_found"), Tried::Gone { .. }));
        assert!(matches!(said("channel_not_found"), Tried::Refused { .. }));
        let reference = Some("C1 17.1".to_string());
        assert_eq!(tried(&bot(), 200, None, r#"{"ok":true,"channel":"C1","ts":"17.1"}"#), Tried::Sent { reference });
    }
}
