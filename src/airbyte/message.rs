//! The messages a source prints, each as one JSON line.
//!
//! Letter case follows the published protocol, which mixes snake_case and camelCase on purpose. RECORD has its own
//! writer, because a record's data is never taken apart.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::line::compact_into;

/// A message other than RECORD.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Message<'a> {
    Spec {
        spec: &'a RawValue,
    },
    ConnectionStatus {
        #[serde(rename = "connectionStatus")]
        connection_status: ConnectionStatus<'a>,
    },
    Catalog {
        catalog: Catalog<'a>,
    },
    State {
        state: State<'a>,
    },
    Log {
        log: Log<'a>,
    },
    Trace {
        trace: Trace<'a>,
    },
}

impl Message<'_> {
    /// The message as one line of JSON, without a line feed.
    pub fn line(&self) -> String {
        let json = serde_json::to_string(self).expect("a message has string keys and serializes");
        let mut line = Vec::with_capacity(json.len());
        compact_into(&json, &mut line);
        String::from_utf8(line).expect("removing ASCII from UTF-8 leaves UTF-8")
    }

    /// A LOG message.
    pub fn log(level: Level, message: &str) -> Message<'_> {
        Message::Log { log: Log { level, message } }
    }

    /// A TRACE message of type ERROR. `stream` names the stream that failed; `None` when all did.
    pub fn error<'a>(
        message: &'a str,
        failure_type: FailureType,
        stream: Option<&'a StreamDescriptor>,
        emitted_at: i64,
    ) -> Message<'a> {
        let error = Error { message, failure_type, stream_descriptor: stream };
        Message::Trace { trace: Trace::Error { emitted_at, error } }
    }

    /// A TRACE message of type STREAM_STATUS. `rate_limited` says why a running stream stands still.
    pub fn status(stream: &StreamDescriptor, status: StreamStatus, rate_limited: bool, emitted_at: i64) -> Message<'_> {
        let reasons = if rate_limited { vec![Reason { r#type: "RATE_LIMITED" }] } else { Vec::new() };
        let stream_status = Status { stream_descriptor: stream, status, reasons };
        Message::Trace { trace: Trace::StreamStatus { emitted_at, stream_status } }
    }

    /// A TRACE message of type ESTIMATE: how many rows the stream will have.
    pub fn estimate(stream: &StreamDescriptor, row_estimate: u64, emitted_at: i64) -> Message<'_> {
        let estimate = Estimate { stream, r#type: "STREAM", row_estimate };
        Message::Trace { trace: Trace::Estimate { emitted_at, estimate } }
    }

    /// A STATE message. `records` counts this stream's records since its last STATE.
    pub fn state<'a>(stream: &'a StreamDescriptor, stream_state: &'a Value, records: u64) -> Message<'a> {
        let stream = StreamState { stream_descriptor: stream, stream_state };
        // A number with a decimal point, as the protocol wants it.
        let source_stats = SourceStats { record_count: records as f64 };
        Message::State { state: State { r#type: "STREAM", stream, source_stats } }
    }
}

/// What stands before and after a record's data on its line, the line feed included.
pub fn record_frame(stream: &StreamDescriptor, emitted_at: i64) -> (Vec<u8>, Vec<u8>) {
    let name = Value::from(stream.name.as_str());
    let namespace = stream.namespace.as_deref().map(|namespace| format!(",\"namespace\":{}", Value::from(namespace)));
    let before = format!(r#"{{"type":"RECORD","record":{{"stream":{name},"data":"#);
    let after = format!(",\"emitted_at\":{emitted_at}{}}}}}\n", namespace.unwrap_or_default());
    (before.into_bytes(), after.into_bytes())
}

/// How serious a LOG message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// Who has to act on an error, as the platform understands it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureType {
    /// The user: a key, a permission, a setting.
    ConfigError,
    /// Nobody: trying again later can help.
    TransientError,
    /// The makers of this program or of the API.
    SystemError,
}

/// Where a stream's read stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum StreamStatus {
    Started,
    Running,
    Complete,
    Incomplete,
}

/// The answer to `check`.
#[derive(Debug, Serialize)]
pub struct ConnectionStatus<'a> {
    pub status: CheckStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<&'a str>,
}

/// Whether `check` found a usable connection.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CheckStatus {
    Succeeded,
    Failed,
}

/// The answer to `discover`.
#[derive(Debug, Serialize)]
pub struct Catalog<'a> {
    pub streams: Vec<CatalogStream<'a>>,
}

/// One stream as `discover` describes it. Keys and cursor are paths: lists of field names.
#[derive(Debug, Serialize)]
pub struct CatalogStream<'a> {
    pub name: &'a str,
    pub json_schema: &'a RawValue,
    pub supported_sync_modes: &'a [&'a str],
    pub source_defined_cursor: bool,
    pub default_cursor_field: Vec<&'a str>,
    pub source_defined_primary_key: Vec<Vec<&'a str>>,
    pub is_resumable: bool,
    pub is_file_based: bool,
}

/// The body of LOG.
#[derive(Debug, Serialize)]
pub struct Log<'a> {
    level: Level,
    message: &'a str,
}

/// The body of STATE, for one stream.
#[derive(Debug, Serialize)]
pub struct State<'a> {
    r#type: &'static str,
    stream: StreamState<'a>,
    #[serde(rename = "sourceStats")]
    source_stats: SourceStats,
}

#[derive(Debug, Serialize)]
struct StreamState<'a> {
    stream_descriptor: &'a StreamDescriptor,
    stream_state: &'a Value,
}

#[derive(Debug, Serialize)]
struct SourceStats {
    #[serde(rename = "recordCount")]
    record_count: f64,
}

/// What a platform calls a stream. The same name in two namespaces is two streams.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StreamDescriptor {
    pub name: String,
    /// `None` where the catalog names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

impl StreamDescriptor {
    /// A stream without a namespace.
    pub fn of(name: &str) -> StreamDescriptor {
        StreamDescriptor { name: name.to_string(), namespace: None }
    }
}

impl fmt::Display for StreamDescriptor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(formatter, "{namespace}.{}", self.name),
            None => formatter.write_str(&self.name),
        }
    }
}

/// The body of TRACE. Times are in Unix milliseconds.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Trace<'a> {
    Error { emitted_at: i64, error: Error<'a> },
    StreamStatus { emitted_at: i64, stream_status: Status<'a> },
    Estimate { emitted_at: i64, estimate: Estimate<'a> },
}

/// What went wrong, whose fault it is, and with which stream; without one it is the whole command's.
#[derive(Debug, Serialize)]
pub struct Error<'a> {
    message: &'a str,
    failure_type: FailureType,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_descriptor: Option<&'a StreamDescriptor>,
}

/// How far a stream has come, and why it is held up.
#[derive(Debug, Serialize)]
pub struct Status<'a> {
    stream_descriptor: &'a StreamDescriptor,
    status: StreamStatus,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<Reason>,
}

#[derive(Debug, Serialize)]
struct Reason {
    r#type: &'static str,
}

/// How many records a stream is expected to have.
#[derive(Debug, Serialize)]
pub struct Estimate<'a> {
    #[serde(flatten)]
    stream: &'a StreamDescriptor,
    r#type: &'static str,
    row_estimate: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_one_line_in_the_protocols_spelling() {
        let schema = RawValue::from_string("{\n  \"type\": \"object\"\n}".to_string()).unwrap();
        let catalog = Catalog {
            streams: vec![CatalogStream {
                name: "sessions",
                json_schema: &schema,
                supported_sync_modes: &["full_refresh"],
                source_defined_cursor: true,
                default_cursor_field: vec!["updated_at"],
                source_defined_primary_key: vec![vec!["session_id"]],
                is_resumable: true,
                is_file_based: false,
            }],
        };
        let state = serde_json::json!({"updated_at": 5});
        let (sessions, secrets) = (StreamDescriptor::of("sessions"), StreamDescriptor::of("secrets"));
        let named = StreamDescriptor { namespace: Some("devin".to_string()), ..secrets.clone() };
        let messages = [
            Message::Spec { spec: &schema },
            Message::ConnectionStatus {
                connection_status: ConnectionStatus { status: CheckStatus::Failed, message: Some("no key") },
            },
            Message::ConnectionStatus {
                connection_status: ConnectionStatus { status: CheckStatus::Succeeded, message: None },
            },
            Message::Catalog { catalog },
            Message::state(&sessions, &state, 200),
            Message::log(Level::Warn, "two\nlines"),
            Message::error("no", FailureType::ConfigError, Some(&secrets), 7),
            Message::error("no", FailureType::SystemError, None, 7),
            Message::status(&secrets, StreamStatus::Running, true, 7),
            Message::status(&secrets, StreamStatus::Complete, false, 7),
            Message::estimate(&sessions, 12, 7),
            Message::estimate(&named, 12, 7),
            Message::state(&named, &state, 0),
        ];
        let lines: Vec<String> = messages.iter().map(Message::line).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn a_record_is_framed_without_touching_its_data() {
        let (before, after) = record_frame(&StreamDescriptor::of("sessions"), 1765321198810);
        let line = format!("{}{{}}{}", String::from_utf8(before).unwrap(), String::from_utf8(after).unwrap());
        insta::assert_snapshot!(line, @r#"{"type":"RECORD","record":{"stream":"sessions","data":{},"emitted_at":1765321198810}}"#);
        let named = StreamDescriptor { name: "sessions".to_string(), namespace: Some("a\"b".to_string()) };
        let (_, after) = record_frame(&named, 7);
        insta::assert_snapshot!(String::from_utf8(after).unwrap(), @r#","emitted_at":7,"namespace":"a\"b"}}"#);
    }
}
