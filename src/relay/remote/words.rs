//! The small words that tables and lines about alerts have in common: texts of an answer, ages and moments. Pure.

use chrono::{DateTime, SecondsFormat};
use serde_json::Value;

use crate::relay::text::clean_line;

/// So much of each foreign text is shown, in bytes.
pub const LINE_BYTES: usize = 400;

/// The gates that may hold an alert, in the order in which a bridge asks them.
pub const HOLDING_GATES: [&str; 9] = [
    "kill_switch",
    "paused",
    "delay",
    "min_occurrences",
    "storm",
    "quota",
    "concurrent_sessions",
    "runs",
    "acu_per_day",
];

/// A text in an answer, fit for a terminal; empty where there is none.
pub fn text(value: &Value, name: &str) -> String {
    clean_line(value[name].as_str().unwrap_or_default(), LINE_BYTES)
}

/// The same, where there is one.
pub fn some_text(value: &Value, name: &str) -> Option<String> {
    Some(text(value, name)).filter(|text| !text.is_empty())
}

/// The first characters of a text on one line, with a mark where more follow.
pub fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_string();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// How long ago a moment was, both in Unix milliseconds: `12s`, `5m`, `3h`, `2d`. Clocks may differ.
pub fn age(at: i64, now: i64) -> String {
    match now.saturating_sub(at).max(0) / 1000 {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3600 => format!("{}m", seconds / 60),
        seconds @ 3600..172_800 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// A moment in Unix milliseconds, in UTC.
pub fn moment(at: i64) -> String {
    let moment = DateTime::from_timestamp_millis(at).unwrap_or_default();
    moment.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// How an alert stands, in a word or two: `waiting: storm`, `on_it`, `done: pr_opened`; `no session` where none was ever wanted.
pub fn standing(job: &Value, responder: &Value) -> String {
    let result = some_text(job, "result").map(|result| format!(": {result}")).unwrap_or_default();
    match responder["status"].as_str() {
        Some("on_it") => "on_it".to_string(),
        // Its job is over, and a person is to answer.
        Some(_) if result == ": waiting_for_user" || result == ": waiting_for_approval" => format!("blocked{result}"),
        Some(_) => format!("{}{result}", text(responder, "status")),
        None if job.is_null() => "no session".to_string(),
        None => {
            let gate = some_text(&job["held"], "gate").map(|gate| format!(": {gate}"));
            format!("waiting{}", gate.unwrap_or_default())
        }
    }
}

/// Why nothing is done about a job for now, or how it ended, or nothing.
pub fn reason(job: &Value) -> Option<String> {
    let until = job["held"]["until"].as_i64().map(|at| format!(" (asked again by {})", moment(at))).unwrap_or_default();
    let waits = some_text(job, "waits_for").map(|reason| format!("{reason}{until}"));
    waits.or_else(|| some_text(job, "reason"))
}

/// The bare identifier of a session, as its address has it.
pub fn bare(session_id: &str) -> &str {
    session_id.strip_prefix("devin-").unwrap_or(session_id)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_age_has_one_unit_and_is_never_negative() {
        let ages = [0, 59, 60, 3599, 3600, 90_000, 172_800, -5].map(|seconds| age(0, seconds * 1000));
        assert_eq!(ages, ["0s", "59s", "1m", "59m", "1h", "25h", "2d", "0s"]);
    }

    #[test]
    fn how_an_alert_stands_is_said_in_the_words_of_the_api() {
        let told = [
            standing(&Value::Null, &Value::Null),
            standing(&json!({"held": null}), &Value::Null),
            standing(&json!({"held": {"gate": "storm"}}), &Value::Null),
            standing(&json!({"result": null}), &json!({"status": "on_it"})),
            standing(&json!({"result": "quota_exceeded"}), &json!({"status": "dropped"})),
        ];
        assert_eq!(told, ["no session", "waiting", "waiting: storm", "on_it", "dropped: quota_exceeded"]);
    }

    #[test]
    fn a_long_text_is_cut_with_a_mark() {
        assert_eq!([short("abc", 3), short("abcd", 3), short("über alles", 5)], ["abc", "ab…", "über…"]);
    }
}
