//! Alerts as a table for a person. Foreign text is cleaned and cut, so that a row stays a row. Pure.

use serde_json::Value;

use super::words::{age, bare, reason, short, some_text, standing, text};

/// So many characters a column has at most; the last one has what is left.
const WIDEST: [usize; 7] = [16, 28, 5, 20, 9, 7, 40];

const HEADINGS: [&str; 8] =
    ["ALERT", "STATE", "AGE", "RULE", "SESSION", "ACUS", "TITLE", "PULL REQUEST, OR WHAT IT WAITS FOR"];

/// The lines of the table, with its headings.
pub fn table(alerts: &[Value], now: i64) -> Vec<String> {
    let rows: Vec<[String; 8]> = alerts.iter().map(|alert| row(alert, now)).collect();
    let all = || std::iter::once(HEADINGS.map(str::to_string)).chain(rows.iter().cloned());
    let mut widths = [0; 7];
    for row in all() {
        for (width, cell) in widths.iter_mut().zip(&row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: [String; 8]| {
        let mut line = String::new();
        for (place, cell) in row.iter().enumerate() {
            line.push_str(cell);
            let width = widths.get(place).copied().unwrap_or_default();
            line.extend(std::iter::repeat_n(' ', (width + 2).saturating_sub(cell.chars().count())));
        }
        line.trim_end().to_string()
    };
    all().map(line).collect()
}

fn row(alert: &Value, now: i64) -> [String; 8] {
    let (job, responder) = (&alert["job"], &alert["responder"]);
    let acus = job["acus_consumed"].as_f64().map(|acus| format!("{acus:.1}")).unwrap_or_default();
    let session = some_text(job, "session_id").map(|id| short_id(bare(&id))).unwrap_or_default();
    let cells = [
        text(alert, "tag"),
        standing(job, responder),
        age(alert["first_at"].as_i64().unwrap_or(now), now),
        text(job, "rule"),
        session,
        acus,
        text(alert, "title"),
    ];
    let mut place = 0;
    let [tag, state, age, rule, session, acus, title] = cells.map(|cell| {
        place += 1;
        // The tag is typed again: it is never cut.
        if place == 1 { cell } else { short(&cell, WIDEST[place - 1]) }
    });
    let last = some_text(job, "pr_url").or_else(|| reason(job)).unwrap_or_default();
    [tag, state, age, rule, session, acus, title, last]
}

/// Enough of a session's identifier to find it by.
fn short_id(id: &str) -> String {
    id.chars().take(8).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_says_what_is_going_on_and_stays_a_row() {
        let alerts = [
            json!({"tag": "ar-1", "title": "disk is full", "first_at": 0, "state": "firing",
                "responder": {"status": "done"},
                "job": {"rule": "default", "result": "pr_opened", "session_id": "devin-0123456789abcdef", "acus_consumed": 1.25,
                    "pr_url": "https://example.com/pull/7", "reason": "a pull request is open"}}),
            json!({"tag": "ar-2", "title": "cpu \u{1b}[31mis\nbusy", "first_at": 100_000, "state": "firing", "responder": null,
                "job": {"rule": "a-rule-with-a-very-long-name", "held": {"gate": "delay", "until": 200_000},
                    "waits_for": "it must fire for 60 s"}}),
            json!({"tag": "ar-3", "title": "gone", "first_at": 110_000, "state": "resolved", "responder": null, "job": null}),
        ];
        insta::assert_snapshot!(table(&alerts, 120_000).join("\n"), @"
        ALERT  STATE            AGE  RULE                  SESSION   ACUS  TITLE         PULL REQUEST, OR WHAT IT WAITS FOR
        ar-1   done: pr_opened  2m   default               01234567  1.2   disk is full  https://example.com/pull/7
        ar-2   waiting: delay   20s  a-rule-with-a-very-…                  cpu is busy   it must fire for 60 s (asked again by 1970-01-01T00:03:20Z)
        ar-3   no session       10s                                        gone
        ");
    }
}
