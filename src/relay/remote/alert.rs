//! One alert with all that happened to it, for a person. Foreign text is cleaned and cut. Pure.

use serde_json::Value;

use super::words::{LINE_BYTES, age, moment, reason, some_text, standing, text};
use crate::relay::event::EventKind;
use crate::relay::terminal;
use crate::relay::text::{clean_line, plain};

/// So much of a prompt is shown, in bytes.
const PROMPT_BYTES: usize = 64 << 10;

/// Decisions of people, which stand among the actions too, by the words of these.
const BY_HAND: [(&str, &str); 5] = [
    ("retry", "retry"),
    ("start_again", "start"),
    ("end", "end"),
    ("suppress", "suppress"),
    ("unsuppress", "unsuppress"),
];

/// The lines for an alert, as the API shows it, with its last job, whose prompt is shown; null where it has none.
pub fn lines(alert: &Value, last: &Value, now: i64) -> Vec<String> {
    let job = &alert["job"];
    let mut lines = vec![text(alert, "title")];
    let mut row = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            lines.push(format!("  {name:<13} {value}"));
        }
    };
    let at = |name: &str| alert[name].as_i64().map(|at| format!("{} ({} ago)", moment(at), age(at, now)));
    let severity = some_text(alert, "severity").map(|severity| format!(", {severity}")).unwrap_or_default();
    row("alert", Some(format!("{} ({}{severity})", text(alert, "tag"), text(alert, "state"))));
    row("key", some_text(alert, "dedupe_key"));
    row("state", Some(standing(job, &alert["responder"])));
    row(if alert["responder"].is_null() { "waits for" } else { "reason" }, reason(job));
    row("pull request", some_text(job, "pr_url"));
    row("session", some_text(job, "session_url").or_else(|| some_text(job, "session_id")));
    row("ACUs", job["acus_consumed"].as_f64().map(|acus| format!("{acus:.2}")));
    row("job", some_text(job, "id"));
    row("rule", some_text(job, "rule"));
    row("integration", some_text(job, "integration"));
    row("route", some_text(alert, "route"));
    row("first", at("first_at"));
    row("last", at("last_at"));
    let timeline = alert["timeline"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !timeline.is_empty() {
        lines.extend([String::new(), "Timeline".to_string()]);
    }
    let is_told = |decision: &Value| {
        let action = BY_HAND.iter().find(|(word, _)| decision["decision"] == *word).map(|(_, action)| *action);
        action.is_some_and(|action| timeline.iter().any(|entry| entry["action"]["action"] == action))
    };
    for entry in timeline.iter().filter(|entry| !is_told(&entry["decision"])) {
        let at = moment(entry["at"].as_i64().unwrap_or_default());
        lines.extend(happening(entry).map(|what| format!("  {at}  {what}")));
    }
    if let Some(prompt) = last["prompt"].as_str() {
        lines.extend([String::new(), prompt_heading(last).to_string()]);
        // Secrets are out of the alert already, and the user's words are not altered.
        lines.extend(plain(prompt, PROMPT_BYTES).lines().map(|line| format!("  {line}").trim_end().to_string()));
    }
    lines
}

/// What a prompt is: a job that waits or was dropped has one, too.
fn prompt_heading(job: &Value) -> &'static str {
    let events = job["timeline"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_sent = events.iter().any(|entry| {
        let event: Option<EventKind> = serde_json::from_value(entry.clone()).ok();
        event.is_some_and(|event| event.is_prompted())
    });
    match (is_sent, job["settled_at"].is_null()) {
        (true, _) => "Prompt as sent",
        (false, true) => "Prompt, not sent yet",
        (false, false) => "Prompt, which was not sent",
    }
}

/// An entry of a timeline, on one line; `None` where a person needs none.
fn happening(entry: &Value) -> Option<String> {
    match entry["kind"].as_str()? {
        "delivery" => {
            let reason = some_text(entry, "reason").map(|reason| format!(": {reason}")).unwrap_or_default();
            let (state, id) = (text(entry, "state"), text(entry, "delivery_id"));
            let taken = match entry["taken"].as_str() {
                // That its session has started is another thing.
                Some("started") => "a job was made of it".to_string(),
                Some("joined") => "its job was told".to_string(),
                _ => text(entry, "taken"),
            };
            Some(format!("delivery: {state}, {taken}{reason} ({id})"))
        }
        "action" => {
            let action = &entry["action"];
            let refused = if action["is_done"] == true { "" } else { ", refused" };
            let (who, what, result) = (text(action, "who"), text(action, "action"), text(action, "result"));
            Some(format!("action: {what} by {who}{refused}: {result}"))
        }
        "decision" => Some(answered(&entry["decision"])),
        "event" => event(entry),
        "notification" => Some(notification(&entry["notification"])),
        other => Some(clean_line(other, LINE_BYTES)),
    }
}

/// What somebody was told, on one line.
pub fn notification(told: &Value) -> String {
    let reason = some_text(told, "reason").map(|reason| format!(": {reason}")).unwrap_or_default();
    let (event, target, state) = (text(told, "event"), text(told, "target"), text(told, "state"));
    let id = if state == "dead" { format!(" ({})", text(told, "id")) } else { String::new() };
    format!("notification: {event} to {target} {state}{id}{reason}")
}

/// An answer of the gates, on one line. Until when a hold lasts is said once, of the job: the gates put it off without a new answer.
fn answered(answer: &Value) -> String {
    let mut answer = answer.clone();
    if answer["decision"] == "hold" {
        answer["until"] = Value::Null;
    }
    decision(&answer)
}

/// An answer of the gates as it is given, on one line.
pub fn decision(decision: &Value) -> String {
    let gate = some_text(decision, "gate").map(|gate| format!(" by {gate}")).unwrap_or_default();
    let until = if decision["decision"] == "hold" { ", asked again by" } else { " until" };
    let until = decision["until"].as_i64().map(|at| format!("{until} {}", moment(at))).unwrap_or_default();
    let reason = some_text(decision, "reason").map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("decision: {}{gate}{until}{reason}", text(decision, "decision"))
}

/// An event of a job, on one line; what this version does not know is shown by its name.
fn event(entry: &Value) -> Option<String> {
    match serde_json::from_value(entry.clone()) {
        Ok(EventKind::Outcome(outcome)) => Some(terminal::ended(&outcome)),
        Ok(EventKind::Prompt { .. }) => None,
        Ok(kind) => terminal::text(&kind, false).map(|text| text.lines().collect::<Vec<_>>().join(", ")),
        Err(_) => some_text(entry, "event"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_alert_is_told_from_its_first_delivery_to_its_outcome() {
        let alert = json!({
            "tag": "ar-1", "dedupe_key": "generic:disk", "title": "disk\u{1b}]0;x\u{7} is full", "state": "firing", "severity": "high",
            "route": "generic", "first_at": 0, "last_at": 60_000,
            "responder": {"status": "dropped"},
            "job": {"id": "job-1", "rule": "default", "integration": "main", "result": "quota_exceeded", "acus_consumed": 0.5,
                "session_url": "https://app.devin.ai/sessions/1", "reason": "out of credits"},
            "timeline": [
                {"at": 0, "kind": "delivery", "delivery_id": "delivery-1", "state": "firing", "taken": "started", "job_id": "job-1",
                    "reason": null},
                {"at": 1000, "kind": "decision", "decision": {"decision": "hold", "gate": "delay", "until": 9000, "reason": "too new"}},
                {"at": 2000, "kind": "event", "job_id": "job-1", "event": "session_created", "session_id": "1",
                    "session_url": "https://app.devin.ai/sessions/1"},
                {"at": 3000, "kind": "event", "job_id": "job-1", "event": "of_tomorrow"},
                {"at": 3500, "kind": "decision", "decision": {"decision": "retry", "gate": null, "until": null, "reason": "ops asked"}},
                {"at": 4000, "kind": "action", "action": {"who": "ops", "action": "retry", "is_done": false, "result": "not\nnow"}},
            ],
        });
        let job = json!({"prompt": "Look at it.\n\u{1b}[2JNow.\n", "settled_at": 3000, "timeline": [
            {"at": 2000, "kind": "event", "job_id": "job-1", "event": "session_created", "session_id": "1", "session_url": null}]});
        insta::assert_snapshot!(lines(&alert, &job, 120_000).join("\n"), @"
        disk]0;x is full
          alert         ar-1 (firing, high)
          key           generic:disk
          state         dropped: quota_exceeded
          reason        out of credits
          session       https://app.devin.ai/sessions/1
          ACUs          0.50
          job           job-1
          rule          default
          integration   main
          route         generic
          first         1970-01-01T00:00:00Z (2m ago)
          last          1970-01-01T00:01:00Z (1m ago)

        Timeline
          1970-01-01T00:00:00Z  delivery: firing, a job was made of it (delivery-1)
          1970-01-01T00:00:01Z  decision: hold by delay: too new
          1970-01-01T00:00:02Z  session created: https://app.devin.ai/sessions/1
          1970-01-01T00:00:03Z  of_tomorrow
          1970-01-01T00:00:04Z  action: retry by ops, refused: not now

        Prompt as sent
          Look at it.
          Now.
        ");
    }

    #[test]
    fn a_prompt_that_nobody_was_sent_says_so() {
        let heading = |settled_at: Option<i64>| {
            let job = json!({"prompt": "Look.", "settled_at": settled_at, "timeline": [
                {"at": 1, "kind": "event", "event": "session_adopted", "session_id": "1", "session_url": null, "reason": "alive"}]});
            lines(&json!({"title": "disk"}), &job, 0).into_iter().rfind(|line| line.starts_with("Prompt")).unwrap()
        };
        assert_eq!(heading(None), "Prompt, not sent yet");
        assert_eq!(heading(Some(1)), "Prompt, which was not sent");
    }
}
