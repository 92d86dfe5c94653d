//! The command line: what may be typed, and which module answers. Only this file, those below it and `main.rs` name the
//! command-line library.

mod alert_relay;
mod check;
mod describe;
mod manual;
mod read;
mod runtime;
mod simulation;
mod typed;
mod values;

use std::path::{Path, PathBuf};

use alert_relay::AlertRelay;
use check::Check;
use clap::{Args, Parser, Subcommand};
use describe::{Completions, Man};
use read::Read;
use runtime::{runtime, spare_files};
use simulation::Simulation;
pub use typed::{misplaced, not_repeated, not_typed};
use values::duration;

use crate::airbyte::Level;
use crate::config::{self, Config};
use crate::devin::retry::Policy;
use crate::devin::{Client, Settings, Token};
use crate::output::Output;
use crate::sandbox::{self, Sandbox};
use crate::source::redaction::Redactions;
use crate::source::spec;

/// The version and, where it is known, the commit.
const VERSION: &str = env!("SOURCE_DEVIN_AI_VERSION");

/// Short lines: the manual's pages indent them.
const SURROUNDINGS: &str = "\
Environment:
  DEVIN_API_KEY    the API key, unless the settings file has one
  DEVIN_ORG_ID     the organization, likewise
  DEVIN_API_URL    the API's base URL, likewise
  DEVIN_RELAY_URL, DEVIN_RELAY_TOKEN
                   a bridge (alert-relay serve) and its token
  LOG_LEVEL=debug  the same as --debug
  HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE
                   as in other programs

Exit codes:
  0      success; for check, also when its answer is FAILED
  1      failure: the last lines say why, and what to do
  2      the command line is wrong
  20-27  how a session of alert-relay ended
  141    stdout was closed early
  SIGINT and SIGTERM end the program as that signal.";

/// An Airbyte source, and an alert relay, for Devin, the AI software engineer.
#[derive(Debug, Parser)]
#[command(name = "source-devin-ai", version = VERSION, after_help = SURROUNDINGS, infer_long_args = true, arg_required_else_help = false)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the settings that the connector takes
    Spec(Common),
    /// Test the settings: is the key valid, and what can it read?
    #[command(after_help = check::HELP)]
    Check(Check),
    /// Print the streams and their schemas
    Discover(Connection),
    /// Read streams, as Airbyte messages or as plain records
    #[command(after_help = read::HELP)]
    Read(Box<Read>),
    /// Turn an alert into a Devin session, exactly once, and follow it to its end
    AlertRelay(AlertRelay),
    /// Serve a simulated Devin organization on this machine, to try things and to test
    Sandbox(Simulation),
    /// Print a shell completion script
    Completions(Completions),
    /// Write the manual pages
    Man(Man),
}

#[derive(Debug, Args)]
struct Common {
    /// Log each request (also LOG_LEVEL=debug)
    #[arg(long)]
    debug: bool,
}

#[derive(Debug, Args)]
struct Connection {
    /// JSON file with the settings, - for stdin. DEVIN_API_KEY, DEVIN_ORG_ID and DEVIN_API_URL fill in what it lacks
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Use a simulated organization instead of the Devin API
    #[arg(long, conflicts_with = "config")]
    sandbox: bool,
    #[command(flatten)]
    common: Common,
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
        && let Err(problem) = spare_files()
    {
        output.note(&format!("error: {problem}"));
        return FAILURE;
    }
    match arguments.command {
        Command::Spec(_) => {
            output.line_as_it_is(&spec());
            SUCCESS
        }
        Command::Discover(connection) => check::discover(&connection, output),
        Command::Check(check) => runtime().block_on(check::run(&check, output)),
        Command::Read(read) => runtime().block_on(read::run(*read, output)),
        Command::AlertRelay(relay) => alert_relay::run(relay, output),
        Command::Sandbox(simulation) => runtime().block_on(simulation::serve(simulation, output)),
        Command::Completions(completions) => describe::print_completions(&completions, output),
        Command::Man(man) => describe::write_manual(&man, output),
    }
}

/// Where to read from: settings, and the sandbox that must live as long as they are used.
struct Place {
    config: Config,
    redactions: Redactions,
    _sandbox: Option<Sandbox>,
}

async fn place(connection: &Connection, output: &Output) -> Result<Place, config::Error> {
    if !connection.sandbox {
        let config = load(connection.config.as_deref(), output)?;
        let redactions = Redactions::of(&config).map_err(config::Error::Fields)?;
        return Ok(Place { config, redactions, _sandbox: None });
    }
    let sandbox = Sandbox::start(sandbox::Options::default())
        .await
        .map_err(|error| config::Error::File(format!("cannot serve the sandbox on this machine: {error}")))?;
    let config = Config::of_sandbox(sandbox::TOKEN, sandbox::ORG_ID, &sandbox.url());
    output.hide(&config.token);
    Ok(Place { config, redactions: Redactions::default(), _sandbox: Some(sandbox) })
}

fn load(path: Option<&Path>, output: &Output) -> Result<Config, config::Error> {
    Config::load(path, variable, |secret| output.hide(&Token::new(secret)))
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
