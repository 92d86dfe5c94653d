//! `rules simulate`: what a rules file would make of payloads, or of the deliveries that a store keeps. Nothing is created, and
//! the store is only read.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::load;
use crate::cli::alert_relay::options::OutputChoice;
use crate::cli::{Exit, FAILURE, SUCCESS, runtime, usage};
use crate::output::Output;
use crate::relay::driver::time;
use crate::relay::serve::rules::{Devin, Rules};
use crate::relay::serve::store::{Address, Archive};
use crate::relay::serve::{Counts, Course, Difference, Replayed, Simulated, compare, replay, simulate};
use crate::relay::values::duration;

pub const HELP: &str = "\
Examples:
  source-devin-ai alert-relay rules simulate relay.yaml --alert alert.json --route alertmanager
  source-devin-ai alert-relay rules simulate changed.yaml --since 30d --store sqlite:relay.db

Exit codes:
  0   it is said what would start, and what would not
  1   the rules file is wrong, a payload would be rejected, or the store cannot be read";

#[derive(Debug, Args)]
pub struct Simulate {
    /// The rules file; keys and secrets of integrations need not be there
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A payload as a sender delivers it; may be repeated
    #[arg(long, value_name = "FILE", required_unless_present = "since")]
    alert: Vec<PathBuf>,
    /// The route that it comes in by; may be left out if there is only one
    #[arg(long, value_name = "NAME", conflicts_with = "since")]
    route: Option<String>,
    /// The deliveries that came within this time, such as 30d, instead of payloads; needs --store
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "store", conflicts_with = "alert")]
    since: Option<Duration>,
    /// The store of serve, which may be running: sqlite:FILE or postgres://HOST/DATABASE. It is only read
    // Not parsed by clap, which would repeat a password in what it refuses.
    #[arg(long, value_name = "STORE", requires = "since")]
    store: Option<String>,
    /// Text, or JSON lines [default: text on a terminal, else JSON with --since]
    #[arg(long, value_enum)]
    output: Option<OutputChoice>,
}

/// Says what would start, be held or be dropped.
pub fn run(options: &Simulate, output: &Output) -> Exit {
    match (&options.since, &options.store) {
        (Some(since), Some(store)) => {
            let address = match store.parse::<Address>() {
                Ok(address) => address,
                Err(problem) => return usage(output, &format!("--store: {problem}")),
            };
            let Some(rules) = load(&options.file, Devin::Nobody, output) else { return FAILURE };
            let is_json = options.is_json(!output.is_terminal());
            runtime().block_on(of_a_store(&rules, &address, *since, is_json, output))
        }
        _ => of_payloads(options, output),
    }
}

impl Simulate {
    fn is_json(&self, otherwise: bool) -> bool {
        match self.output {
            Some(OutputChoice::Json) => true,
            Some(OutputChoice::Text) => false,
            None => otherwise,
        }
    }
}

fn of_payloads(options: &Simulate, output: &Output) -> Exit {
    let Some(rules) = load(&options.file, Devin::Nobody, output) else { return FAILURE };
    let names = rules.routes.iter().map(|route| route.name.as_str()).collect::<Vec<_>>().join(", ");
    let route = match (&options.route, &rules.routes[..]) {
        (None, [route]) => Some(route),
        (None, _) => None,
        (Some(name), routes) => routes.iter().find(|route| route.name == *name),
    };
    let Some(route) = route else { return usage(output, &format!("--route: give one of {names}")) };
    let is_json = options.is_json(false);
    let mut exit = SUCCESS;
    for path in &options.alert {
        let name = path.display();
        let read = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"));
        match read.and_then(|body| simulate(&rules, route, body, &output.redactor())) {
            Ok(Simulated { lines, notes }) => {
                notes.iter().for_each(|note| output.note(&format!("warning: {name}: {note}")));
                if is_json {
                    let file = path.to_string_lossy();
                    alert_events(&file, &lines).iter().for_each(|event| output.line(&event.to_string()));
                } else {
                    lines.iter().for_each(|line| output.line(&format!("{name}: {line}")));
                }
            }
            Err(problem) => {
                output.note(&format!("error: {name}: {problem}"));
                exit = FAILURE;
            }
        }
    }
    exit
}

async fn of_a_store(rules: &Rules, address: &Address, since: Duration, is_json: bool, output: &Output) -> Exit {
    let redactor = output.redactor();
    let played = async {
        let mut archive = Archive::open(address).await?;
        let now = archive.now().await?;
        let since = now.saturating_sub(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
        replay(rules, &mut archive, &redactor, since).await
    };
    let Replayed { recorded, simulated, counts } = match played.await {
        Ok(replayed) => replayed,
        Err(error) => {
            output.note(&format!("error: {error}"));
            return FAILURE;
        }
    };
    let differences = compare(&recorded, &simulated);
    let gaps = gaps(&counts);
    if is_json {
        simulated.iter().for_each(|course| output.line(&event("alert", json!(course)).to_string()));
        differences.iter().for_each(|one| output.line(&event("difference", json!(one)).to_string()));
        output.line(&summary(&simulated, &differences, &counts).to_string());
    } else {
        let line = |course: &Course| format!("{} {} {}", time(course.at), course.dedupe_key, course.told(false));
        simulated.iter().for_each(|course| output.line(&line(course)));
        output.line(&in_short(&simulated, &counts));
        let heading = match differences.len() {
            0 => "the bridge did the same".to_string(),
            1 => "1 alert came to something else:".to_string(),
            many => format!("{many} alerts came to something else:"),
        };
        output.line(&heading);
        differences.iter().for_each(|one| output.line(&format!("  {} {}", time(one.at), one.told())));
    }
    gaps.iter().for_each(|gap| output.note(&format!("note: {gap}")));
    SUCCESS
}

/// A line for programs for each alert, with what the rules that do not take it say.
fn alert_events(file: &str, lines: &[String]) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    for line in lines {
        match (line.strip_prefix("  "), events.last_mut()) {
            (Some(rule), Some(event)) => {
                if let Some(others) = event["others"].as_array_mut() {
                    others.push(rule.into());
                }
            }
            _ => events.push(json!({"event": "alert", "file": file, "message": line, "others": []})),
        }
    }
    events
}

/// A row as a line for programs.
fn event(name: &str, mut row: Value) -> Value {
    row["event"] = Value::from(name);
    row
}

/// How many alerts came to what, by the gates that said so.
fn by_gate(courses: &[Course]) -> BTreeMap<(String, String), usize> {
    let mut counts = BTreeMap::new();
    for course in courses {
        let word = json!(course.decision).as_str().unwrap_or_default().to_string();
        *counts.entry((word, course.gate.clone().unwrap_or_default())).or_default() += 1;
    }
    counts
}

fn in_short(courses: &[Course], counts: &Counts) -> String {
    let parts: Vec<String> = by_gate(courses)
        .into_iter()
        .map(
            |((word, gate), count)| {
                if gate.is_empty() { format!("{word}: {count}") } else { format!("{word} ({gate}): {count}") }
            },
        )
        .collect();
    let parts = if parts.is_empty() { "nothing".to_string() } else { parts.join(", ") };
    let deliveries =
        if counts.deliveries == 1 { "1 delivery".to_string() } else { format!("{} deliveries", counts.deliveries) };
    format!("of {deliveries}: {parts}")
}

fn summary(courses: &[Course], differences: &[Difference], counts: &Counts) -> Value {
    let decisions: Vec<Value> = by_gate(courses)
        .into_iter()
        .map(|((decision, gate), count)| json!({"decision": decision, "gate": Some(gate).filter(|gate| !gate.is_empty()), "count": count}))
        .collect();
    json!({
        "event": "summary",
        "deliveries": counts.deliveries,
        "decisions": decisions,
        "differences": differences.len(),
        "without_body": counts.without_body,
        "without_route": counts.without_route.iter().map(|(_, count)| count).sum::<usize>(),
        "unreadable": counts.unreadable,
        "assumed_sessions": counts.assumed,
    })
}

/// What the answer leaves out, or takes for granted.
fn gaps(counts: &Counts) -> Vec<String> {
    let of = |count: usize| if count == 1 { "1 delivery".to_string() } else { format!("{count} deliveries") };
    let mut gaps = Vec::new();
    if counts.without_body > 0 {
        gaps.push(format!("{} left out: the body is not kept anymore (max_store_size)", of(counts.without_body)));
    }
    for (name, count) in &counts.without_route {
        gaps.push(format!("{} left out: the file has no route {name}", of(*count)));
    }
    if counts.unreadable > 0 {
        gaps.push(format!(
            "{} left out: read then, and not now. The store keeps no headers, by which some senders are recognized: give the route its kind",
            of(counts.unreadable)
        ));
    }
    if counts.assumed > 0 {
        let minutes = (counts.assumed_ms / 60_000).max(1);
        gaps.push(format!(
            "{} that the bridge did not start: each is taken to end after {minutes} min, as half of the others did, without a pull request",
            if counts.assumed == 1 { "1 session".to_string() } else { format!("{} sessions", counts.assumed) }
        ));
    }
    gaps
}
