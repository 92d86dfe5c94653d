//! What is a secret among settings and variables, usable or not, so that nothing of it is ever shown. Pure.

use serde_json::{Map, Value};

use super::similar;
use redact::is_secret_name;

/// A word from this length on may be a key wherever it stands.
const LONG: usize = 16;

/// Names that somebody may have misspelled for the key's.
const KEY_NAMES: [&str; 5] = ["api_token", "api_key", "redact_key", "token", "key"];

/// Settings whose values are no secrets.
const KNOWN: [&str; 7] =
    ["org_id", "start_date", "end_date", "api_url", "lookback_window", "concurrency", "redact_fields"];

/// All that may be a key in the text of a settings file: what stands under a name that keeps secrets or nearly does, and
/// every long word of letters and digits. Where the text is no JSON, every such word.
pub fn secrets_of_text(text: &str) -> Vec<String> {
    let Ok(object) = serde_json::from_str::<Map<String, Value>>(text.trim_start_matches('\u{feff}')) else {
        let words = text.split(|c: char| c.is_whitespace() || "\"'`,;={}[]".contains(c));
        return words.filter(|word| is_long(word)).map(str::to_string).collect();
    };
    let is_secret =
        |name: &str, value: &str| is_secret_name(name) || similar(name, &KEY_NAMES).is_some() || is_long(value);
    let fields = object.into_iter().filter(|(name, _)| !KNOWN.contains(&name.as_str()));
    fields
        .filter_map(|(name, value)| match value {
            Value::String(value) if is_secret(&name, &value) => Some(value),
            _ => None,
        })
        .collect()
}

/// Secrets among the variables that this program reads: the key, a bridge's token, and the users and passwords of proxies.
pub fn secrets_of_variables(variable: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut secrets: Vec<String> = ["DEVIN_API_KEY", "DEVIN_RELAY_TOKEN"].into_iter().filter_map(&variable).collect();
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"] {
        let Some(proxy) = variable(name) else { continue };
        let address = proxy.split_once("://").map_or(proxy.as_str(), |(_, rest)| rest);
        let user_info = address.split(['/', '?', '#']).next().and_then(|authority| authority.rsplit_once('@'));
        let password = user_info.and_then(|(user_info, _)| user_info.split_once(':')).map(|(_, password)| password);
        secrets.extend(password.map(str::to_string));
    }
    secrets
}

fn is_long(word: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| word.bytes().any(|byte| kind(&byte));
    word.len() >= LONG
        && !word.contains("://")
        && !word.starts_with("org-")
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic)
        && !word.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Vec<String> {
        let mut secrets = secrets_of_text(text);
        secrets.sort_unstable();
        secrets
    }

    #[test]
    fn what_may_be_a_key_is_found_in_settings_that_cannot_be_used() {
        assert_eq!(check(r#"{"api_token":"s3cr3t","org_id":"org-0123456789abcdef"}"#), ["s3cr3t"]);
        assert_eq!(check(r#"{"redact_key":"hush hush"}"#), ["hush hush"]);
        assert_eq!(
            check(r#"{"api_tokn":"s3cr3t","webhook_secret":"hush","x":"0123456789abcdef"}"#),
            ["0123456789abcdef", "hush", "s3cr3t"]
        );
        assert_eq!(
            check(r#"{"api_url":"https://api.example/0123456789","comment":"the settings of production 2"}"#),
            [""; 0]
        );
        assert_eq!(check("{\"api_token\": abcdefgh12345678,\n"), ["abcdefgh12345678"]);
        assert_eq!(check("DEVIN_API_KEY=abcdefgh12345678\nDEVIN_ORG_ID=org-abcdefgh12345678"), ["abcdefgh12345678"]);
        assert_eq!(check(""), [""; 0]);
    }

    #[test]
    fn the_variables_that_are_read_hold_secrets() {
        let variable = |name: &str| match name {
            "DEVIN_API_KEY" => Some("s3cr3t".to_string()),
            "HTTPS_PROXY" => Some("http://bob:hush@proxy.example:3128/".to_string()),
            "http_proxy" => Some("proxy.example:3128".to_string()),
            "ALL_PROXY" => Some("bob:w@rd@proxy.example".to_string()),
            _ => None,
        };
        assert_eq!(secrets_of_variables(variable), ["s3cr3t", "hush", "w@rd"]);
    }
}
