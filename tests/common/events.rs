//! What the relay says, retold for people: one event a line, without what changes from run to run.

use serde_json::Value;

use super::program::Ran;
use super::story::redact;

/// The events on stdout. Every line must be one, with a name and a time, and the last one whole.
pub fn events(ran: &Ran) -> Vec<Value> {
    let text = ran.text();
    assert!(text.is_empty() || text.ends_with('\n'), "the last line is whole");
    let events = text.split_terminator('\n').map(|line| {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
        assert!(event["event"].is_string(), "{line}");
        let time = event["time"].as_str().unwrap_or_else(|| panic!("no time in {line}"));
        assert!(chrono::DateTime::parse_from_rfc3339(time).is_ok() && time.ends_with('Z'), "{line}");
        event
    });
    events.collect()
}

/// The whole run: its events, what it says to people, and how it ended.
pub fn story(ran: &Ran) -> String {
    events(ran).iter().map(|event| tell(event) + "\n").collect::<String>() + &end(ran)
}

/// The same; of the looks at the session only the last, and all work alike: the rest is a matter of the machine's pace.
pub fn story_of_the_end(ran: &Ran) -> String {
    let events = events(ran);
    let last = events.iter().rposition(|event| event["event"] == "session_status");
    let told = events.iter().enumerate().filter(|(at, event)| event["event"] != "session_status" || Some(*at) == last);
    let told: String = told.map(|(_, event)| tell(event) + "\n").collect();
    let at_work = ["new", "claimed", "running/working"];
    let told = at_work
        .iter()
        .fold(told, |told, state| told.replace(&format!("session_status {state}\n"), "session_status at work\n"));
    told + &end(ran)
}

/// What it says to people beyond its events, and how it ended.
pub fn end(ran: &Ran) -> String {
    let is_further = |line: &&str| !EVENTS_AS_TEXT.iter().any(|beginning| line.starts_with(beginning));
    let said = ran.stderr.lines().filter(is_further).map(|line| format!("stderr: {}\n", shorten(line)));
    said.collect::<String>() + &ran.exit()
}

/// The outcome's line; null without one.
pub fn outcome(ran: &Ran) -> Value {
    let events = events(ran);
    let outcomes: Vec<&Value> = events.iter().filter(|event| event["event"] == "outcome").collect();
    assert!(outcomes.len() <= 1, "one outcome: {outcomes:?}");
    if let [outcome] = outcomes[..] {
        assert_eq!(events.last(), Some(outcome), "the outcome is last");
        assert!(outcome["polls"].is_u64() && outcome["seconds"].is_u64(), "{outcome}");
    }
    outcomes.first().map_or(Value::Null, |outcome| (*outcome).clone())
}

/// The identifier in the line that tells where the session comes from.
pub fn session_id(ran: &Ran) -> String {
    let events = events(ran);
    let names = ["session_created", "session_adopted"];
    let event = events.iter().find(|event| names.contains(&event["event"].as_str().unwrap())).expect("a session");
    event["session_id"].as_str().unwrap().to_string()
}

/// How the lines begin that tell on stderr what stdout has as an event.
const EVENTS_AS_TEXT: [&str; 14] = [
    "alert: ",
    "nothing to do: ",
    "session created: ",
    "existing session of this alert: ",
    "session of this alert that ended within the cool-down: ",
    "session created, and found ",
    "older session of another run: ",
    "held: ",
    "duplicate session, ",
    "status: ",
    "done: ",
    "blocked: ",
    "dropped: ",
    "warning: ",
];

fn tell(event: &Value) -> String {
    let text = |name: &str| match &event[name] {
        Value::Null => "-".to_string(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let name = text("event");
    let told = match name.as_str() {
        "alert_received" => {
            format!(
                "{} {} “{}” key {} × {}",
                text("format"),
                text("state"),
                text("title"),
                text("dedupe_key"),
                text("alerts")
            )
        }
        "prompt" => format!("{} “{}” tagged {}", text("dedupe_key"), text("title"), text("tags")),
        "nothing_to_do" => format!("{}: {}", text("dedupe_key"), text("reason")),
        "session_created" => text("session_url"),
        "session_adopted" => format!("{} ({})", text("session_url"), text("reason")),
        "session_duplicate" => format!("{} {} ({})", text("session_id"), text("terminated"), text("reason")),
        "session_status" => match event["status_detail"].as_str() {
            Some(detail) => format!("{}/{detail}", text("status")),
            None => text("status"),
        },
        "outcome" => format!(
            "{} {} pr {} at {}: {}",
            text("status"),
            text("result"),
            text("pr_url"),
            text("session_url"),
            text("reason")
        ),
        "alert_held" => format!("{} {}", text("pr_url"), text("reason")),
        "session_messaged" => format!("{} {}: {}", text("session_id"), text("sent"), text("reason")),
        "alert_resolved" => text("reason"),
        "warning" => text("message"),
        "check" => {
            format!("{} {} in {}, lacks {}", text("principal_type"), text("principal"), text("org_id"), text("missing"))
        }
        "error" => format!("{}: {}", text("code"), text("message")),
        other => panic!("no such event: {other}"),
    };
    shorten(&format!("{name} {told}"))
}

/// Without ports, marks, sessions' identifiers and the numbers of pull requests.
pub fn shorten(text: &str) -> String {
    let mut told = String::new();
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let redacted = redact(text);
    let mut rest = redacted.as_str();
    while let Some(first) = rest.chars().next() {
        let hex = rest.find(|c| !is_hex(c)).unwrap_or(rest.len());
        let is_mark = hex == 26 && (told.ends_with("ar-") || told.ends_with("ar-a-"));
        let is_attempt = hex == 8 && told.ends_with("ar-MARK/");
        if hex == 32 && !told.ends_with("org-") {
            told += "SESSION";
            rest = &rest[hex..];
        } else if is_mark {
            told += "MARK";
            rest = &rest[hex..];
        } else if is_attempt {
            told += "ATTEMPT";
            rest = &rest[hex..];
        } else if told.ends_with("/pull/") {
            told += "N";
            rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        } else {
            let step = hex.max(first.len_utf8());
            told += &rest[..step];
            rest = &rest[step..];
        }
    }
    told
}
