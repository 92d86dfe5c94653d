//! The command line: what may be typed, and which module answers. Only this file, those below it and `main.rs` name the
//! command-line library.

mod alert_relay;
mod describe;
mod simulation;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use alert_relay::AlertRelay;
use anyhow::{Context as _, anyhow, bail};
use chrono::{DateTime, NaiveDate};
use clap::{Args, Parser, Subcommand, ValueEnum};
use describe::{Completions, Man};
use simulation::Simulation;

use crate::airbyte::message::CheckStatus;
use crate::airbyte::{ConfiguredCatalog, FailureType, InputState, Level};
use crate::config::{self, Config};
use crate::devin::retry::Policy;
use crate::devin::{Client, Settings};
use crate::output::Output;
use crate::sandbox::{self, Sandbox};
use crate::source::context::Context;
use crate::source::emit::{Emitter, Format, now_ms};
use crate::source::plan::Plan;
use crate::source::read::Ending;
use crate::source::state_file::{self, StateFile};
use crate::source::streams::Stream;
use crate::source::{check, discover, plan, read, spec};
use crate::stop::Signals;

/// The version and, where it is known, the commit.
const VERSION: &str = env!("SOURCE_DEVIN_AI_VERSION");

/// Short lines: the manual's pages indent them.
const SURROUNDINGS: &str = "\
Environment:
  DEVIN_API_KEY    key, where no file of settings has it
  DEVIN_ORG_ID     organisation, likewise
  DEVIN_API_URL    address of the API, likewise
  LOG_LEVEL=debug  as --debug
  HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE are obeyed.

Exit codes:
  0    done; for check also when its answer is FAILED
  1    failed: the last lines say why and what to do
  2    the command was not understood
  20 to 27  how a session of alert-relay ended
  141  stdout was closed early
  Stopped by SIGINT or SIGTERM, it ends by that signal.";

const READS: &str = "\
Examples:
  source-devin-ai read --sandbox
  source-devin-ai read --streams sessions --format records | jq .acus_consumed
  source-devin-ai read --streams sessions --format records --state state.json --state-out state.json
  source-devin-ai read --config config.json --catalog catalog.json --state state.json";

const CHECKS: &str = "\
Examples:
  source-devin-ai check --sandbox --format text
  DEVIN_API_KEY=cog_… DEVIN_ORG_ID=org-… source-devin-ai check
  source-devin-ai check --config config.json";

/// An Airbyte source, and an alert relay, for Devin, the AI software engineer.
#[derive(Debug, Parser)]
#[command(name = "source-devin-ai", version = VERSION, after_help = SURROUNDINGS, infer_long_args = true, arg_required_else_help = false)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print which settings the connector takes
    Spec(Common),
    /// Try the settings: is the key valid, and what may it read?
    #[command(after_help = CHECKS)]
    Check(Check),
    /// Print the streams with their schemas
    Discover(Connection),
    /// Read streams
    #[command(after_help = READS)]
    Read(Box<Read>),
    /// Turn an alert into a Devin session, exactly once, and follow it to its end
    AlertRelay(AlertRelay),
    /// Serve a simulated Devin organisation on this machine, for trying and for testing
    Sandbox(Simulation),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Write the manual's pages, one for each command
    Man(Man),
}

#[derive(Debug, Args)]
struct Common {
    /// Say more about what is done (also LOG_LEVEL=debug)
    #[arg(long)]
    debug: bool,
}

#[derive(Debug, Args)]
struct Connection {
    /// JSON file with the settings (see spec); DEVIN_API_KEY, DEVIN_ORG_ID and DEVIN_API_URL fill in what it lacks
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Use a small simulated organisation instead of the Devin API
    #[arg(long, conflicts_with = "config")]
    sandbox: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Check {
    #[command(flatten)]
    connection: Connection,
    /// Airbyte's messages, or text for a person, with exit code 1 when the settings are not usable
    #[arg(long, value_name = "FORM", default_value = "airbyte")]
    format: CheckForm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CheckForm {
    Airbyte,
    Text,
}

#[derive(Debug, Args)]
struct Read {
    #[command(flatten)]
    connection: Connection,
    /// Configured catalog: which streams to read, as a platform says it
    #[arg(long, value_name = "FILE", conflicts_with = "streams")]
    catalog: Option<PathBuf>,
    /// Streams to read, separated by commas, or all
    #[arg(long, value_name = "NAMES")]
    streams: Option<String>,
    /// State of an earlier run: only what changed since is read
    // The aliases are what argparse, which other connectors use, takes for it; here two more options begin so.
    #[arg(long, value_name = "FILE", aliases = ["st", "sta", "stat"])]
    state: Option<PathBuf>,
    /// Keep the newest state in this file, in the form that --state reads; with --state on the same file, the file need
    /// not exist the first time
    #[arg(long, value_name = "FILE")]
    state_out: Option<PathBuf>,
    /// Oldest creation date of sessions, in place of start_date: 2026-01-31, 2026-01-31T00:00:00Z, or 7d for the last 7 days
    #[arg(long, value_name = "DATE", value_parser = start_date)]
    start_date: Option<i64>,
    /// Streams to begin anew, separated by commas, whatever the state says of them
    #[arg(long, value_name = "NAMES")]
    full_refresh: Option<String>,
    /// Airbyte's messages, or bare records with everything else on stderr
    #[arg(long, value_name = "FORM", default_value = "airbyte")]
    format: Form,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    Airbyte,
    Records,
}

/// What the process says when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Code(u8),
    /// As if this signal had ended it.
    Signal(i32),
}

const SUCCESS: Exit = Exit::Code(0);
const FAILURE: Exit = Exit::Code(1);
const USAGE: Exit = Exit::Code(2);

/// Runs a command to its end; everything it prints is queued in `output` by then.
pub fn run(arguments: Arguments, output: &Output) -> Exit {
    if arguments.command.needs_files()
        && let Err(error) = spare_files()
    {
        output.note(&format!(
            "error: this process may not open the {SPARE_FILES} more files that it needs ({error}): raise the limit (ulimit -n)"
        ));
        return FAILURE;
    }
    match arguments.command {
        Command::Spec(_) => {
            output.line_as_it_is(&spec());
            SUCCESS
        }
        Command::Discover(connection) => run_discover(&connection, output),
        Command::Check(check) => runtime().block_on(run_check(&check, output)),
        Command::Read(read) => runtime().block_on(run_read(*read, output)),
        Command::AlertRelay(relay) => alert_relay::run(relay, output),
        Command::Sandbox(simulation) => runtime().block_on(simulation::serve(simulation, output)),
        Command::Completions(completions) => describe::print_completions(&completions, output),
        Command::Man(man) => describe::write_manual(&man, output),
    }
}

/// The catalog is the same for everybody; a settings file that cannot be read is still a mistake worth telling.
fn run_discover(connection: &Connection, output: &Output) -> Exit {
    let emitter = Emitter::new(output.clone(), Format::Airbyte, level(&connection.common));
    if let Some(path) = &connection.config
        && let Err(error @ config::Error::File(_)) = load(Some(path), output)
    {
        emitter.error(&error.to_string(), FailureType::ConfigError, None);
        return FAILURE;
    }
    output.line_as_it_is(&discover());
    SUCCESS
}

async fn run_check(arguments: &Check, output: &Output) -> Exit {
    let connection = &arguments.connection;
    let format = if arguments.format == CheckForm::Text { Format::Records } else { Format::Airbyte };
    let emitter = Emitter::new(output.clone(), format, level(&connection.common));
    let place = match place(connection, output).await {
        Ok(place) => place,
        Err(config::Error::Absent) => return usage(output, &config::Error::Absent.to_string()),
        Err(error) if arguments.format == CheckForm::Text => {
            emitter.log(Level::Error, &error.to_string());
            return FAILURE;
        }
        Err(error @ config::Error::File(_)) => {
            emitter.error(&error.to_string(), FailureType::ConfigError, None);
            return FAILURE;
        }
        Err(error @ config::Error::Fields(_)) => {
            emitter.connection(CheckStatus::Failed, Some(&error.to_string()));
            return SUCCESS;
        }
    };
    for warning in place.config.warnings(now_ms() / 1000) {
        emitter.log(Level::Warn, &warning);
    }
    let context = Context::new(client(&place.config, Policy::brief()), emitter, &place.config);
    let verdict = check::check(&context).await;
    let is_answer = verdict.say(&context.emitter);
    match arguments.format {
        CheckForm::Airbyte if is_answer => SUCCESS,
        CheckForm::Text if verdict.is_usable() => {
            output.line(&verdict.text());
            SUCCESS
        }
        CheckForm::Text if is_answer => {
            context.emitter.log(Level::Error, &verdict.text());
            FAILURE
        }
        CheckForm::Airbyte | CheckForm::Text => FAILURE,
    }
}

async fn run_read(read: Read, output: &Output) -> Exit {
    let format = match read.format {
        Form::Airbyte => Format::Airbyte,
        Form::Records => Format::Records,
    };
    let mut emitter = Emitter::new(output.clone(), format, level(&read.connection.common));
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
    let picked = match plan::pick(read.streams.as_deref().unwrap_or("all")) {
        Ok(picked) => picked,
        Err(problem) => return usage(output, &problem),
    };
    let anew = match read.full_refresh.as_deref().map(plan::pick).transpose() {
        Ok(anew) => anew.unwrap_or_default(),
        Err(problem) => return usage(output, &problem),
    };
    let place = match place(&read.connection, output).await {
        Ok(place) => place,
        Err(config::Error::Absent) => return usage(output, &config::Error::Absent.to_string()),
        Err(error) => return fail(&emitter, &error.to_string()),
    };
    let mut place = place;
    if read.start_date.is_some() {
        place.config.start_date = read.start_date;
    }
    let before = state_before(&read).map(|mut state| {
        anew.iter().for_each(|stream| state.forget(stream.name));
        state
    });
    let planned = before.and_then(|state| Ok((planned(&read, &place.config, &picked, &state)?, state)));
    let (plan, state) = match planned {
        Ok(planned) => planned,
        Err(problem) => return fail(&emitter, &format!("{problem:#}")),
    };
    for warning in place.config.warnings(now_ms() / 1000) {
        emitter.log(Level::Warn, &warning);
    }
    let state_file = match read.state_out.map(|path| StateFile::open(path, state.streams)).transpose() {
        Ok(state_file) => state_file,
        Err(error @ state_file::Error::NoState(_)) => return usage(output, &error.to_string()),
        Err(error) => return fail(&emitter, &error.to_string()),
    };
    if plan.steps.is_empty() && plan.refused.is_empty() {
        emitter.log(Level::Warn, "the catalog configures no stream, so there is nothing to read");
    }
    let emitter = emitter.labelled(plan.steps.len() > 1).keeping(state_file);
    // Before the first message, after which a platform may want to stop us.
    let mut signals = Signals::listen();
    let context = Arc::new(Context::new(client(&place.config, Policy::patient()), emitter, &place.config));
    let exit = match read::read(&context, plan, signals.next()).await {
        Ending::Complete | Ending::Closed => SUCCESS,
        Ending::Failed => FAILURE,
        Ending::Stopped(signal) => return Exit::Signal(signal),
    };
    // The last lines may wait for a slow reader; being told to stop still counts.
    tokio::select! {
        () = output.written() => exit,
        signal = signals.next() => Exit::Signal(signal),
    }
}

/// A moment as a person writes it: a date, a date with a time, or so long ago (`12h`, `7d`).
fn start_date(text: &str) -> Result<i64, String> {
    let ago = |unit: char, seconds: i64| {
        text.strip_suffix(unit)?.parse::<u32>().ok().map(|number| i64::from(number) * seconds)
    };
    if let Some(ago) = ago('d', 86_400).or_else(|| ago('h', 3600)) {
        return Ok(now_ms() / 1000 - ago);
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(|date| date.and_hms_opt(0, 0, 0));
    let date = date.map(|date| date.and_utc().timestamp());
    let moment = || DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.timestamp());
    date.or_else(moment).ok_or_else(|| {
        format!("{text:?} is no date: write 2026-01-31, 2026-01-31T00:00:00Z, or 7d or 12h for so long ago")
    })
}

/// The state of `--state`; none for the first of many runs that share one file.
fn state_before(read: &Read) -> anyhow::Result<InputState> {
    let Some(path) = &read.state else { return Ok(InputState::default()) };
    let name = path.display();
    if path.try_exists().with_context(|| format!("cannot read the state {name}"))? {
        return parse(path, "state", InputState::parse);
    }
    let absolute = |path: &Path| std::path::absolute(path).ok();
    if read.state_out.as_deref().is_some_and(|out| absolute(out) == absolute(path)) {
        return Ok(InputState::default());
    }
    bail!(
        "cannot read the state {name}: there is no such file. For a first read leave out --state, or name the same file for --state-out"
    )
}

/// What `--catalog` asks for, or else the picked streams.
fn planned(read: &Read, config: &Config, picked: &[&'static Stream], state: &InputState) -> anyhow::Result<Plan> {
    match &read.catalog {
        Some(path) => {
            Ok(plan::plan(config, &parse(path, "catalog", ConfiguredCatalog::parse)?, state, now_ms() / 1000))
        }
        None => {
            let state = (read.state.is_some() || read.state_out.is_some()).then_some(state);
            Ok(plan::plan_streams(config, picked, state, now_ms() / 1000))
        }
    }
}

/// Where to read from: settings, and the sandbox that must live as long as they are used.
struct Place {
    config: Config,
    _sandbox: Option<Sandbox>,
}

async fn place(connection: &Connection, output: &Output) -> Result<Place, config::Error> {
    if !connection.sandbox {
        return Ok(Place { config: load(connection.config.as_deref(), output)?, _sandbox: None });
    }
    let sandbox = Sandbox::start(sandbox::Options::default())
        .await
        .map_err(|error| config::Error::File(format!("cannot serve the sandbox on this machine: {error}")))?;
    let config = Config::of_sandbox(sandbox::TOKEN, sandbox::ORG_ID, &sandbox.url());
    output.hide(&config.token);
    Ok(Place { config, _sandbox: Some(sandbox) })
}

fn load(path: Option<&Path>, output: &Output) -> Result<Config, config::Error> {
    let config = Config::load(path, variable)?;
    output.hide(&config.token);
    Ok(config)
}

/// Reads and parses an input file; the problem names the file and its role.
fn parse<T>(path: &Path, role: &str, parse: impl Fn(&str) -> Result<T, String>) -> anyhow::Result<T> {
    let name = path.display();
    let text = std::fs::read(path).with_context(|| format!("cannot read the {role} {name}"))?;
    let text = String::from_utf8(text).map_err(|_| anyhow!("the {role} {name} is not UTF-8 text"))?;
    parse(&text).map_err(|problem| anyhow!("the {role} {name} {problem}"))
}

fn client(config: &Config, policy: Policy) -> Client {
    Client::new(Settings {
        api_url: config.api_url.clone(),
        token: config.token.clone(),
        policy,
        concurrency: config.concurrency,
    })
}

fn usage(output: &Output, problem: &str) -> Exit {
    output.note(&format!("error: {problem}\n\nFor more information, try '--help'."));
    USAGE
}

fn level(common: &Common) -> Level {
    let is_debug = common.debug
        || variable("LOG_LEVEL").is_some_and(|level| ["debug", "trace"].contains(&&*level.to_ascii_lowercase()));
    if is_debug { Level::Debug } else { Level::Info }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Command {
    /// Whether it works with files and connections.
    fn needs_files(&self) -> bool {
        matches!(self, Command::Check(_) | Command::Read(_) | Command::AlertRelay(_) | Command::Sandbox(_))
    }
}

/// So many files more than stdin, stdout and stderr are open at once: the event loop's own, and a few connections.
const SPARE_FILES: usize = 12;

/// Whether that many can be opened.
#[cfg(unix)]
fn spare_files() -> std::io::Result<()> {
    use std::os::fd::AsFd as _;
    let stdin = std::io::stdin();
    let files: std::io::Result<Vec<_>> = (0..SPARE_FILES).map(|_| stdin.as_fd().try_clone_to_owned()).collect();
    files.map(drop)
}

#[cfg(not(unix))]
fn spare_files() -> std::io::Result<()> {
    Ok(())
}

/// The event loop of a command.
struct Runtime(tokio::runtime::Runtime);

impl Runtime {
    /// Runs `work` to its end. What other threads are still busy with, such as the name of a host, is not waited for.
    fn block_on<T>(self, work: impl Future<Output = T>) -> T {
        let done = self.0.block_on(work);
        self.0.shutdown_background();
        done
    }
}

/// One thread does: the work is waiting, and a writer has its own.
fn runtime() -> Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Runtime(runtime.expect("the system can start an event loop"))
}

/// A length of time with its unit: `50ms`, `1.5s`, `2m`.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale = match &text[digits.len()..] {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err("expected a number with a unit: 50ms, 1.5s, 2m or 1h".to_string()),
    };
    digits
        .parse::<f64>()
        .ok()
        .and_then(|number| Duration::try_from_secs_f64(number * scale).ok())
        .ok_or_else(|| "expected a number with a unit: 50ms, 1.5s, 2m or 1h".to_string())
}
