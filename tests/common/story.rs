//! Airbyte's messages retold for people, one a line, without what changes from run to run.

use serde_json::Value;

/// What was said, in its order.
pub struct Told {
    lines: Vec<(String, Value)>,
}

impl Told {
    /// Takes stdout apart. Every line must be one message, and the last one whole.
    pub fn of(stdout: &str) -> Told {
        assert!(stdout.is_empty() || stdout.ends_with('\n'), "the last line is whole");
        let message = |line: &str| -> (String, Value) {
            let message = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
            (line.to_string(), message)
        };
        // Only a line feed ends a line: U+2028 and a lone carriage return do not.
        Told { lines: stdout.split_terminator('\n').map(message).collect() }
    }

    pub fn messages(&self) -> impl Iterator<Item = &Value> {
        self.lines.iter().map(|(_, message)| message)
    }

    /// The records of a stream.
    pub fn records(&self, stream: &str) -> Vec<&Value> {
        self.messages()
            .map(|message| &message["record"])
            .filter(|record| record["stream"] == stream)
            .map(|record| &record["data"])
            .collect()
    }

    /// The states of a stream.
    pub fn states(&self, stream: &str) -> Vec<&Value> {
        let states = self.messages().filter(|message| message["type"] == "STATE");
        states
            .filter(|message| stream_of(message) == Some(stream))
            .map(|message| &message["state"]["stream"]["stream_state"])
            .collect()
    }

    /// The newest states as a state file.
    pub fn state_file(&self) -> String {
        let states: Vec<&Value> =
            self.messages().filter(|message| message["type"] == "STATE").map(|message| &message["state"]).collect();
        serde_json::to_string(&states).unwrap()
    }

    /// The texts of the logs of one level.
    pub fn logs(&self, level: &str) -> Vec<&str> {
        self.messages()
            .map(|message| &message["log"])
            .filter(|log| log["level"] == level)
            .filter_map(|log| log["message"].as_str())
            .collect()
    }

    /// The errors' messages.
    pub fn errors(&self) -> Vec<&str> {
        self.messages().filter_map(|message| message["trace"]["error"]["message"].as_str()).collect()
    }

    pub fn without_records(mut self) -> Told {
        self.lines.retain(|(_, message)| message["type"] != "RECORD");
        self
    }

    pub fn lines(&self) -> String {
        self.lines.iter().map(|(line, message)| tell(line, message) + "\n").collect()
    }

    /// Each stream's lines together, after those that concern none.
    pub fn lines_by_stream(&self) -> String {
        let place = |message: &Value| -> usize {
            let Some(stream) = stream_of(message) else { return 0 };
            super::STREAMS.iter().position(|name| *name == stream).map_or(usize::MAX, |place| place + 1)
        };
        let mut lines: Vec<&(String, Value)> = self.lines.iter().collect();
        lines.sort_by_key(|(_, message)| place(message));
        lines.iter().map(|(line, message)| tell(line, message) + "\n").collect()
    }
}

/// The stream a message is about.
pub fn stream_of(message: &Value) -> Option<&str> {
    let trace = &message["trace"];
    [
        &message["record"]["stream"],
        &message["state"]["stream"]["stream_descriptor"]["name"],
        &trace["stream_status"]["stream_descriptor"]["name"],
        &trace["estimate"]["name"],
        &trace["error"]["stream_descriptor"]["name"],
    ]
    .into_iter()
    .find_map(Value::as_str)
    .or_else(|| message["log"]["message"].as_str()?.strip_prefix("stream ")?.split_once(':').map(|(name, _)| name))
}

fn tell(line: &str, message: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_string();
    let stream = stream_of(message).unwrap_or("?");
    let told = match message["type"].as_str() {
        // The bytes as they stand there, not as a parser understands them.
        Some("RECORD") => {
            let (_, data) = line.split_once(r#","data":"#).expect("a record has data");
            let (data, at) = data.rsplit_once(r#","emitted_at":"#).expect("a record says when");
            assert!(at.trim_end_matches('}').parse::<u64>().is_ok(), "emitted_at is whole: {at}");
            return format!("RECORD {stream} {data}");
        }
        Some("STATE") => {
            let (_, count) = line.split_once(r#""recordCount":"#).expect("a state counts");
            let state = &message["state"]["stream"]["stream_state"];
            format!("STATE {stream} {state} after {} records", count.trim_end_matches('}'))
        }
        Some("LOG") => format!("{} {}", text(&message["log"]["level"]), text(&message["log"]["message"])),
        Some("CONNECTION_STATUS") => {
            let status = &message["connectionStatus"];
            match status["message"].as_str() {
                Some(why) => format!("{}: {why}", text(&status["status"])),
                None => text(&status["status"]),
            }
        }
        Some("TRACE") => tell_trace(&message["trace"], stream),
        Some(other) => other.to_string(),
        None => panic!("a message has a type: {line}"),
    };
    redact(&told)
}

fn tell_trace(trace: &Value, stream: &str) -> String {
    assert!(trace["emitted_at"].is_number(), "a trace says when: {trace}");
    match trace["type"].as_str() {
        Some("ERROR") => {
            let error = &trace["error"];
            let kind = error["failure_type"].as_str().unwrap_or("no failure_type");
            let whose = if error["stream_descriptor"].is_object() { format!("{stream} ") } else { String::new() };
            format!("ERROR {whose}({kind}) {}", error["message"].as_str().unwrap_or("?"))
        }
        Some("STREAM_STATUS") => {
            let status = &trace["stream_status"];
            let reasons = status["reasons"].as_array().into_iter().flatten();
            let reasons: String =
                reasons.map(|reason| format!(" because {}", reason["type"].as_str().unwrap_or("?"))).collect();
            format!("{} {stream}{reasons}", status["status"].as_str().unwrap_or("?"))
        }
        Some("ESTIMATE") => format!("ESTIMATE {stream} {} rows", trace["estimate"]["row_estimate"]),
        other => panic!("no such trace: {other:?}"),
    }
}

/// Replaces ports, waits of the program's own choosing, which are lengthened by chance, and
/// the system's numbers for errors.
pub fn redact(text: &str) -> String {
    let text = number_after(text, "127.0.0.1:", "PORT");
    let text = number_after(&text, "trying again in ", "N");
    let text = number_after(&text, " bytes in ", "N");
    let text = number_after(&text, "(os error ", "N");
    // What a stream took, which is never the same twice, stands at the end of its figures.
    for word in [" retries", " retry"] {
        if let Some((figures, took)) = text.split_once(&format!("{word}, "))
            && took.ends_with(" records/s")
        {
            return format!("{figures}{word}");
        }
    }
    text
}

/// Replaces the number that follows each `prefix`.
fn number_after(text: &str, prefix: &str, name: &str) -> String {
    let mut parts = text.split(prefix);
    let mut told = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        told += prefix;
        told += if rest.len() < part.len() { name } else { "" };
        told += rest;
    }
    told
}
