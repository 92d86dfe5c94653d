//! Syncs, one after the other, as a platform runs them: it cuts some short at any line of their output, keeps the state that
//! it has read by then, and hands it to the next one.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use fastrand::Rng;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use source_devin_ai::airbyte::{ConfiguredCatalog, InputState, Level};
use source_devin_ai::config::Config;
use source_devin_ai::devin::retry::Policy;
use source_devin_ai::devin::{Client, Settings};
use source_devin_ai::output::Output;
use source_devin_ai::source::context::Context;
use source_devin_ai::source::emit::{Emitter, Format};
use source_devin_ai::source::plan::plan;
use source_devin_ai::source::read::{Ending, read};
use source_devin_ai::source::streams::find;

use super::organization::{FILES, OTHER, TRAIL};
use super::server::Server;
use crate::common::{ORG, TOKEN};

/// The platform's side of a connection.
#[derive(Debug)]
pub struct Chain {
    pub config: Config,
    pub streams: Vec<(&'static str, Mode)>,
    /// The newest state of each stream that the platform has read.
    committed: BTreeMap<String, Value>,
    /// What has come, of all syncs.
    pub arrived: Vec<Arrival>,
    /// Streams whose last read came to its end, whose state no read has set back, aloud, because this machine's clock lies far
    /// behind, and whose settings have not changed since.
    pub settled: BTreeSet<&'static str>,
    /// Streams whose state has been set back, by any sync.
    set_back: BTreeSet<&'static str>,
    pub syncs: u32,
    /// The earliest start date by now.
    earliest: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Incremental,
    /// The platform forgets the state when a sync has come to its end.
    FullRefresh,
}

/// A record that the platform has read.
#[derive(Debug, Clone)]
pub struct Arrival {
    pub stream: &'static str,
    /// As it stands in the line.
    pub data: String,
    pub sync: u32,
    /// Whether the stream's last read came to its end, this session's too, and whose mark lay in another second.
    pub may_not_repeat: bool,
    /// The mark that the sync began from, and that of the other organization.
    pub mark: Option<i64>,
    other_mark: Option<i64>,
    /// The earliest start date that any sync has been given by now: what a state remembers by name is read to its end, also
    /// when the start date has moved past it.
    pub start_date: Option<i64>,
}

/// How a sync has ended.
#[derive(Debug)]
pub struct Ended {
    pub ending: Ending,
    /// Everything that was said but records, for a failure's story.
    pub story: String,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    record: Option<Record<'a>>,
    #[serde(borrow)]
    state: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Record<'a> {
    stream: &'a str,
    #[serde(borrow)]
    data: &'a RawValue,
}

impl Arrival {
    /// The marks in whose second a record may come again. What is in the enterprise's trail may be in either state.
    pub fn marks(&self) -> Vec<Option<i64>> {
        if self.stream == TRAIL { vec![self.mark, self.other_mark] } else { vec![self.mark] }
    }
}

impl Chain {
    pub fn new(config: Config, streams: Vec<(&'static str, Mode)>) -> Chain {
        let (committed, arrived) = (BTreeMap::new(), Vec::new());
        let settled = streams.iter().map(|(stream, _)| *stream).collect();
        let earliest = config.start_date;
        Chain { config, streams, committed, arrived, settled, set_back: BTreeSet::new(), syncs: 0, earliest }
    }

    /// One sync; with `cut`, its output is read up to a line that the dice choose.
    pub async fn sync(&mut self, server: &Server, dice: &mut Rng, cut: bool) -> Ended {
        let (ending, output) = self.read(server).await;
        let mut lines: Vec<&str> = output.split_terminator('\n').collect();
        if cut {
            lines.truncate(dice.usize(..=lines.len()));
        }
        self.syncs += 1;
        self.earliest = self.earliest.min(self.config.start_date);
        let unread = self.unread();
        let mark = |org: &'static str| {
            let marks = self.streams.iter().map(|(stream, _)| (*stream, self.mark(stream, org)));
            marks.collect::<BTreeMap<&'static str, Option<i64>>>()
        };
        let (marks, marks_of_other) = (mark(ORG), mark(OTHER));
        let mut complete = BTreeSet::new();
        let mut story = String::new();
        for line in lines {
            let parsed: Line = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
            if let Some(record) = parsed.record {
                let stream = self.stream(record.stream);
                let data = without_session_time(stream, record.data.get());
                let is_of_other = data.contains(&format!(r#""org_id":"{OTHER}""#));
                let (marks, others) = if is_of_other { (&marks_of_other, &marks) } else { (&marks, &marks_of_other) };
                self.arrived.push(Arrival {
                    stream,
                    data,
                    sync: self.syncs,
                    may_not_repeat: self.settled.contains(stream)
                        && (unread.is_empty() || !unread.contains(&session(record.data.get()))),
                    mark: marks[stream],
                    other_mark: others[stream],
                    start_date: self.earliest,
                });
                continue;
            }
            story += &format!("{}\n", without_machine_time(line));
            if let Some(state) = parsed.state {
                let state: Value = serde_json::from_str(state.get()).expect("a state is JSON");
                let name = state["stream"]["stream_descriptor"]["name"].as_str().expect("a state has a stream");
                self.committed.insert(name.to_string(), state.clone());
            } else if parsed.kind == "TRACE" || parsed.kind == "LOG" {
                let value: Value = serde_json::from_str(line).expect("a line is JSON");
                if let Some(warning) = value["log"]["message"].as_str()
                    && warning.contains("the state lies in the future")
                {
                    let name = warning.split([' ', ':']).nth(1).expect("it names the stream");
                    self.set_back.insert(self.stream(name));
                }
                // The other trail begins anew.
                if value["log"]["message"].as_str().is_some_and(|warning| warning.contains("answers now")) {
                    self.settled.remove("audit_logs");
                }
                let status = &value["trace"]["stream_status"];
                if status["status"] == "COMPLETE" {
                    complete.insert(self.stream(status["stream_descriptor"]["name"].as_str().expect("a name")));
                }
            }
        }
        self.settled = complete.difference(&self.set_back).copied().collect();
        if ending == Ending::Complete && !cut {
            for (stream, mode) in &self.streams {
                if *mode == Mode::FullRefresh {
                    self.committed.remove(*stream);
                }
            }
        }
        Ended { ending, story }
    }

    /// The program's own read, into memory.
    async fn read(&self, server: &Server) -> (Ending, String) {
        let sink = Sink::default();
        let output = Output::to(Box::new(sink.clone()));
        let emitter = Emitter::new(output.clone(), Format::Airbyte, Level::Info);
        let client = Client::over(
            Arc::new(server.clone()),
            Settings {
                api_url: self.config.api_url.clone(),
                token: self.config.token.clone(),
                policy: Policy::patient(),
                concurrency: self.config.concurrency,
            },
        )
        .with_machine_clock({
            let server = server.clone();
            move || UNIX_EPOCH + Duration::from_secs(server.machine_s() as u64)
        });
        let mut context = Context::new(client, emitter, &self.config);
        context.checkpoint_every = Duration::from_millis(300);
        let now_s = server.machine_s();
        let states: Vec<&Value> = self.committed.values().collect();
        let state =
            InputState::parse(&serde_json::to_string(&states).expect("states are JSON")).expect("our own state");
        let catalog = ConfiguredCatalog::parse(&self.catalog()).expect("our own catalog");
        let plan = plan(&self.config, &catalog, &state, now_s);
        let ending = read(&Arc::new(context), plan, std::future::pending()).await;
        output.finish(None).expect("memory takes everything");
        (ending, sink.text())
    }

    fn catalog(&self) -> String {
        let streams = self.streams.iter().map(|(name, mode)| {
            let mode = if *mode == Mode::FullRefresh { "full_refresh" } else { "incremental" };
            json!({
                "stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]},
                "sync_mode": mode, "destination_sync_mode": "append",
            })
        });
        json!({"streams": streams.collect::<Vec<_>>()}).to_string()
    }

    /// Sessions whose messages could not be read, though the stream came to its end.
    fn unread(&self) -> BTreeSet<String> {
        let states = self.committed.values().map(|state| &state["stream"]["stream_state"]);
        let of_each = |state: &Value| {
            let others = &state["organizations"];
            vec![state.clone(), others[ORG].clone(), others[OTHER].clone()]
        };
        let unread = states.flat_map(of_each).filter_map(|state| state["unread_sessions"].as_object().cloned());
        unread.flat_map(|unread| unread.keys().cloned().collect::<Vec<_>>()).collect()
    }

    fn mark(&self, stream: &str, org: &str) -> Option<i64> {
        let state = &self.committed.get(stream)?["stream"]["stream_state"];
        let is_read_once = find(stream)?.is_read_once();
        let state = if self.config.org_ids.is_empty() || is_read_once { state } else { &state["organizations"][org] };
        state[find(stream)?.cursor?.field].as_i64()
    }

    fn stream(&self, name: &str) -> &'static str {
        self.streams.iter().find(|(stream, _)| *stream == name).expect("no other stream was asked for").0
    }
}

/// A record but for when its session had last changed as its files were read.
fn without_session_time(stream: &str, record: &str) -> String {
    let Some((before, after)) = record.split_once(r#""session_updated_at":"#).filter(|_| stream == FILES) else {
        return record.to_string();
    };
    format!("{before}{}", after.split_once(',').expect("more follows").1)
}

/// Whose record it is; empty for what is of no session.
fn session(record: &str) -> String {
    let record: Value = serde_json::from_str(record).expect("a record is JSON");
    record["session_id"].as_str().unwrap_or_default().to_string()
}

/// The line without what this machine's clock has put into it.
fn without_machine_time(line: &str) -> String {
    let Some((before, after)) = line.split_once("\"emitted_at\":") else { return line.to_string() };
    format!("{before}{}", after.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').trim_start_matches(','))
}

/// The settings of a read from a simulated organization.
pub fn settings(dice: &mut Rng, now_s: i64) -> Config {
    let (reports_deletions, has_another) = (dice.bool(), dice.u8(..4) == 0);
    Config {
        lookback_window: [600, 600, 600, 60, 0][dice.usize(..5)],
        concurrency: dice.usize(1..=6),
        start_date: (dice.u8(..4) == 0).then(|| now_s - dice.i64(0..20_000)),
        report_deletions: reports_deletions && !has_another,
        org_ids: if has_another { vec![OTHER.to_string()] } else { Vec::new() },
        ..Config::of_sandbox(TOKEN, ORG, "http://127.0.0.1:9")
    }
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("nobody panics").clone()).expect("lines are text")
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
