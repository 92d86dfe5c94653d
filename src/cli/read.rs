//! The command `read`: what may be typed, and how it becomes a plan that is read to its end.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use clap::builder::{StringValueParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::values::{Offered, start_date};
use super::{Connection, Exit, FAILURE, SUCCESS, client, level, place, usage};
use crate::airbyte::{ConfiguredCatalog, FailureType, InputState, Level, StreamDescriptor};
use crate::config::{self, Config};
use crate::devin::retry::Policy;
use crate::output::Output;
use crate::source::context::Context;
use crate::source::emit::{Emitter, Format, now_ms};
use crate::source::output_folder::{self, OutputFolder, Wanted};
use crate::source::plan::{self, Plan};
use crate::source::read::{self, Ending};
use crate::source::state_file::{self, StateFile};
use crate::source::streams::{STREAMS, Stream};
use crate::stop::Signals;

pub const HELP: &str = "\
Examples:
  source-devin-ai read --sandbox --streams playbooks --format records
  source-devin-ai read --streams sessions --format records | jq .acus_consumed
  source-devin-ai read --streams sessions --format records --state state.json --state-out state.json
  source-devin-ai read --streams all --output devin
  source-devin-ai read --config config.json --catalog catalog.json --state state.json";

#[derive(Debug, Args)]
pub struct Read {
    #[command(flatten)]
    connection: Connection,
    /// Configured catalog: the streams to read, as Airbyte writes them
    #[arg(long, value_name = "FILE", conflicts_with = "streams")]
    catalog: Option<PathBuf>,
    /// Streams to read, separated by commas
    #[arg(long, value_name = "NAMES", value_parser = names())]
    streams: Option<String>,
    /// State of an earlier read: read only what has changed since
    // The aliases are what argparse, which other connectors use, takes for it; here two more options begin so.
    #[arg(long, value_name = "FILE", aliases = ["st", "sta", "stat"])]
    state: Option<PathBuf>,
    /// Save the state to this file for the next read's --state. Both may name the same file, which need not exist at first
    #[arg(long, value_name = "FILE")]
    state_out: Option<PathBuf>,
    /// Leave out sessions created before this: 2026-01-31, 2026-01-31T00:00:00Z, or 7d for the last 7 days
    #[arg(long, value_name = "DATE", value_parser = |text: &str| start_date(text, now_ms() / 1000))]
    start_date: Option<i64>,
    /// Leave out sessions created at this moment or later
    #[arg(long, value_name = "DATE", value_parser = |text: &str| start_date(text, now_ms() / 1000))]
    end_date: Option<i64>,
    /// Streams to read from the beginning, whatever the state says, separated by commas
    #[arg(long, value_name = "NAMES", value_parser = names(), hide_possible_values = true)]
    full_refresh: Option<String>,
    /// Airbyte messages, or plain records, one JSON object a line
    #[arg(long, value_name = "FORM", default_value = "airbyte")]
    format: Form,
    /// Write plain records into this folder instead, one file a stream: DIR/sessions.jsonl. With --state-out, add to them
    #[arg(long, value_name = "DIR", conflicts_with_all = ["catalog", "format"])]
    output: Option<PathBuf>,
    /// Show only warnings and errors: no progress, no summary
    #[arg(long, short, conflicts_with = "debug")]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    Airbyte,
    Records,
}

impl Read {
    /// Whether only what has changed is read, as far as the state goes.
    fn is_incremental(&self) -> bool {
        self.state.is_some() || self.state_out.is_some()
    }

    /// Whether `--state` and `--state-out` name the same file.
    fn has_own_state(&self) -> bool {
        let absolute = |path: &Path| std::path::absolute(path).ok();
        self.state.as_deref().zip(self.state_out.as_deref()).is_some_and(|(from, to)| absolute(from) == absolute(to))
    }
}

/// Names of streams, of which a shell offers each.
fn names() -> impl TypedValueParser<Value = String> {
    let values = || STREAMS.iter().map(|stream| stream.name).chain(["all"]);
    Offered { values, parse: StringValueParser::new() }
}

/// Reads what was asked for.
pub async fn run(read: Read, output: &Output) -> Exit {
    let format = match read.format {
        Form::Airbyte if read.output.is_none() => Format::Airbyte,
        Form::Airbyte | Form::Records => Format::Records,
    };
    let mut emitter = Emitter::new(output.clone(), format, level(&read.connection.common)).quiet(read.quiet);
    if read.catalog.is_none() {
        // A platform names a catalog, and takes what is on stderr for errors of its own.
        emitter = emitter.to_a_person();
    }
    let fail = |emitter: &Emitter, message: &str| {
        emitter.error(message, FailureType::ConfigError, None);
        FAILURE
    };
    if read.catalog.is_none() && read.streams.is_none() && !read.connection.sandbox {
        return usage(
            output,
            "read needs --catalog FILE (from a platform) or --streams NAMES (sessions,playbooks or all; messages hold personal data and cost one request per session)",
        );
    }
    let picked = match read.streams.as_deref().map_or_else(|| Ok(plan::usual()), plan::pick) {
        Ok(picked) => picked,
        Err(problem) => return usage(output, &problem),
    };
    let anew = match read.full_refresh.as_deref().map(plan::pick).transpose() {
        Ok(anew) => anew.unwrap_or_default(),
        Err(problem) => return usage(output, &problem),
    };
    let mut place = match place(&read.connection, output).await {
        Ok(place) => place,
        Err(config::Error::Absent) => return usage(output, &config::Error::Absent.to_string()),
        Err(error) => return fail(&emitter, &error.to_string()),
    };
    if read.start_date.is_some() {
        place.config.start_date = read.start_date;
    }
    if read.end_date.is_some() {
        place.config.end_date = read.end_date;
    }
    let planned = state_before(&read).and_then(|state| {
        let mut anew_state = state.clone();
        anew.iter().for_each(|stream| anew_state.forget(stream.name));
        Ok((planned(&read, &place.config, &picked, &anew_state)?, state))
    });
    let (plan, mut state) = match planned {
        Ok(planned) => planned,
        Err(problem) => return fail(&emitter, &format!("{problem:#}")),
    };
    for warning in place.config.warnings(now_ms() / 1000) {
        emitter.log(Level::Warn, &warning);
    }
    for stream in &anew {
        // What is not read keeps its state.
        if plan.steps.iter().any(|step| step.stream.name == stream.name) {
            state.forget(stream.name);
        } else if !is_all(&read.full_refresh) {
            let message = format!("--full-refresh names {}, which is not among the streams to read", stream.name);
            emitter.log(Level::Warn, &message);
        }
    }
    let folder = match read.output.as_deref().map(|path| folder(path, &read, &plan, &state, &anew)).transpose() {
        Ok(folder) => folder,
        Err(error) if error.is_usage() => return usage(output, &error.to_string()),
        Err(error) => return fail(&emitter, &error.to_string()),
    };
    for note in folder.iter().flat_map(|folder| &folder.notes) {
        emitter.log(Level::Info, note);
    }
    let is_own = read.has_own_state();
    let open = |path| StateFile::open(path, is_own, state.streams);
    let state_file = match read.state_out.map(open).transpose() {
        Ok(state_file) => state_file,
        Err(error @ state_file::Error::NoState(_)) => return usage(output, &error.to_string()),
        Err(error) => return fail(&emitter, &error.to_string()),
    };
    if plan.steps.is_empty() && plan.refused.is_empty() {
        emitter.log(Level::Warn, "the catalog configures no stream, so there is nothing to read");
    }
    let emitter = emitter
        .labeled(streams_of(&plan).len() > 1 && folder.is_none())
        .keeping(state_file)
        .into_folder(folder)
        .redacting(place.redactions);
    // Before the first message, after which a platform may want to stop us.
    let mut signals = Signals::listen();
    let context = Arc::new(Context::new(client(&place.config, Policy::patient()), emitter, &place.config));
    let exit = match read::read(&context, plan, signals.next()).await {
        Ending::Complete | Ending::Closed => SUCCESS,
        Ending::Failed => FAILURE,
        Ending::Stopped(signal) => {
            context.emitter.summarize();
            return Exit::Signal(signal);
        }
    };
    // The last lines may wait for a slow reader; being told to stop still counts.
    tokio::select! {
        () = output.written() => {
            if !output.has_stopped() {
                context.emitter.summarize();
            }
            exit
        }
        signal = signals.next() => Exit::Signal(signal),
    }
}

/// Whether a list of names says `all`.
fn is_all(names: &Option<String>) -> bool {
    names.as_deref().is_some_and(|names| names.split(',').any(|name| name.trim() == "all"))
}

/// The state of `--state`; none for the first of many runs that share one file.
fn state_before(read: &Read) -> anyhow::Result<InputState> {
    let Some(path) = &read.state else { return Ok(InputState::default()) };
    let name = path.display();
    if path.try_exists().with_context(|| format!("cannot read the state {name}"))? {
        return parse(path, "state", InputState::parse);
    }
    if read.has_own_state() {
        return Ok(InputState::default());
    }
    bail!(
        "cannot read the state {name}: there is no such file. For a first read leave out --state, or name the same file for --state-out"
    )
}

/// The streams that are read, each once: there is a step for each organization.
fn streams_of(plan: &Plan) -> Vec<&'static str> {
    let mut streams: Vec<&'static str> = Vec::new();
    for step in &plan.steps {
        if !streams.contains(&step.stream.name) {
            streams.push(step.stream.name);
        }
    }
    streams
}

/// The folder of `--output`. A stream that the state knows, or that is read anew on request, may have records there.
fn folder(
    path: &Path,
    read: &Read,
    plan: &Plan,
    state: &InputState,
    anew: &[&'static Stream],
) -> Result<OutputFolder, output_folder::Error> {
    let streams = streams_of(plan);
    if !read.is_incremental() {
        return OutputFolder::open(path, &Wanted::Whole(&streams));
    }
    let is_known = |name: &str| state.of(&StreamDescriptor::of(name)).is_some();
    let is_continued = |name: &&str| is_known(name) || anew.iter().any(|stream| stream.name == *name);
    let continued: Vec<&'static str> = streams.iter().copied().filter(is_continued).collect();
    OutputFolder::open(path, &Wanted::Changes { streams: &streams, continued: &continued })
}

/// What `--catalog` asks for, or else the picked streams.
fn planned(read: &Read, config: &Config, picked: &[&'static Stream], state: &InputState) -> anyhow::Result<Plan> {
    match &read.catalog {
        Some(path) => {
            Ok(plan::plan(config, &parse(path, "catalog", ConfiguredCatalog::parse)?, state, now_ms() / 1000))
        }
        None => {
            let state = read.is_incremental().then_some(state);
            let plan = plan::plan_streams(config, picked, state, now_ms() / 1000);
            Ok(Plan { leaves_out: is_all(&read.streams), ..plan })
        }
    }
}

/// Reads and parses an input file; the problem names the file and its role.
fn parse<T>(path: &Path, role: &str, parse: impl Fn(&str) -> Result<T, String>) -> anyhow::Result<T> {
    let name = path.display();
    let text = std::fs::read(path).with_context(|| format!("cannot read the {role} {name}"))?;
    let text = String::from_utf8(text).map_err(|_| anyhow!("the {role} {name} is not UTF-8 text"))?;
    parse(&text).map_err(|problem| anyhow!("the {role} {name} {problem}"))
}
