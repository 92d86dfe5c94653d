//! The commands that ask a bridge which runs, by its API: where it is, with which token, and how what it answers is printed.

mod acting;
mod looking;
mod tail;

use std::path::{Path, PathBuf};
use std::time::Duration;

use acting::{Act, Resend, Suppress, Switch};
use clap::{Args, Subcommand};
use looking::{Ps, Show};
use serde_json::Value;

use super::options::OutputChoice;
use super::{fail, output_format, presenter};
use crate::cli::{Exit, duration, runtime, usage, variable};
use crate::devin::session::pasted;
use crate::devin::{Token, client::now_s};
use crate::output::Output;
use crate::relay::error_report::{Code, ErrorReport};
use crate::relay::remote::find::{Meant, meant};
use crate::relay::remote::{Bridge, RemoteError, base_address, encoded};
use crate::relay::report::{OutputFormat, Presenter};

/// Where a bridge listens unless it is told otherwise.
pub const LISTEN: &str = "127.0.0.1:8080";

/// So many alerts a search for one brings at most, and so many are named where several are meant.
const FOUND: &str = "100";
const NAMED: usize = 5;

const PS_HELP: &str = "\
Examples:
  source-devin-ai alert-relay ps
  source-devin-ai alert-relay ps --state waiting
  source-devin-ai alert-relay ps --all --result quota_exceeded --output json | jq -r .tag

STATE is waiting (and the gate that holds it), on_it, blocked (a person is asked), done or dropped (and the result).";

const SHOW_HELP: &str = "\
Examples:
  source-devin-ai alert-relay show ar-5c1f
  source-devin-ai alert-relay show https://app.devin.ai/sessions/0d902d4d605a230ab8f5a3d24bdfd1fe";

const RETRY_HELP: &str = "\
Example:
  source-devin-ai alert-relay retry ar-5c1f";

const START_HELP: &str = "\
Example:
  source-devin-ai alert-relay start ar-5c1f";

const SUPPRESS_HELP: &str = "\
Examples:
  source-devin-ai alert-relay suppress ar-5c1f --for 2h
  source-devin-ai alert-relay suppress --key 'generic:disk' --for 2h
  source-devin-ai alert-relay suppress ar-5c1f --lift";

const END_HELP: &str = "\
Example:
  source-devin-ai alert-relay end ar-5c1f";

const RESEND_HELP: &str = "\
Examples:
  source-devin-ai alert-relay resend ar-5c1f
  source-devin-ai alert-relay resend notice-1ac9ad6b4bf115edde898c33
  source-devin-ai alert-relay resend --all

`source-devin-ai alert-relay show ALERT` says which notifications of an alert were given up, each with its identifier and the reason.";

const PAUSE_HELP: &str = "\
Examples:
  source-devin-ai alert-relay pause
  source-devin-ai alert-relay pause --rule backend";

const RESUME_HELP: &str = "\
Examples:
  source-devin-ai alert-relay resume
  source-devin-ai alert-relay resume --rule backend";

const TAIL_HELP: &str = "\
Examples:
  source-devin-ai alert-relay tail
  source-devin-ai alert-relay tail --output json | jq -c 'select(.event == \"outcome\")'";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the alerts that a bridge takes care of, and what becomes of them
    #[command(after_help = PS_HELP)]
    Ps(Box<Ps>),
    /// Show one alert of a bridge: how it stands, all that happened, and the prompt
    #[command(after_help = SHOW_HELP)]
    Show(Show),
    /// Have a bridge try an alert again whose job ended without a session or for want of quota
    #[command(after_help = RETRY_HELP)]
    Retry(Act),
    /// Have a bridge start a new session for an alert whose last one has ended
    #[command(after_help = START_HELP)]
    Start(Act),
    /// Have a bridge start nothing for alerts with a key, for a time
    #[command(after_help = SUPPRESS_HELP)]
    Suppress(Suppress),
    /// Have a bridge end the session of an alert
    #[command(after_help = END_HELP)]
    End(Act),
    /// Have a bridge send notifications again that it has given up
    #[command(after_help = RESEND_HELP)]
    Resend(Resend),
    /// Have a bridge start no sessions until it is resumed; what comes in is kept
    #[command(after_help = PAUSE_HELP)]
    Pause(Switch),
    /// Have a bridge start sessions again
    #[command(after_help = RESUME_HELP)]
    Resume(Switch),
    /// Print the decisions and outcomes of a bridge as they happen
    #[command(after_help = TAIL_HELP)]
    Tail(Reach),
}

#[derive(Debug, Args)]
pub struct Reach {
    /// Where the bridge is; DEVIN_RELAY_URL if it is not given [default: http://127.0.0.1:8080]
    // Not parsed by clap, which would repeat a password in what it refuses.
    #[arg(long, value_name = "URL")]
    bridge: Option<String>,
    /// File with the bridge's token; DEVIN_RELAY_TOKEN if it is not given. Acting needs an admin token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// File with the certificates that vouch for the bridge, in PEM, instead of the system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// What stdout gets [default: text on a terminal, else json]
    #[arg(long, value_name = "FORMAT")]
    pub(super) output: Option<OutputChoice>,
}

/// A bridge, and how its answers are printed.
pub(super) struct Shell {
    pub(super) bridge: Bridge,
    format: OutputFormat,
    shown: Presenter,
    output: Output,
}

/// Why a command has come to nothing.
pub(super) enum Nothing {
    /// What was typed makes no sense.
    Usage(String),
    Failure(ErrorReport),
}

impl From<RemoteError> for Nothing {
    fn from(error: RemoteError) -> Nothing {
        Nothing::Failure(error.report)
    }
}

/// Runs one of the commands to its end.
pub fn run(command: Command, output: &Output) -> Exit {
    let reach = match &command {
        Command::Ps(ps) => &ps.reach,
        Command::Show(show) => &show.reach,
        Command::Retry(act) | Command::Start(act) | Command::End(act) => &act.reach,
        Command::Suppress(suppress) => &suppress.reach,
        Command::Resend(resend) => &resend.reach,
        Command::Pause(switch) | Command::Resume(switch) => &switch.reach,
        Command::Tail(reach) => reach,
    };
    let shown = presenter(reach.output, output, false);
    let done = shell(reach, output).and_then(|shell| runtime().block_on(shell.run(&command)));
    match done {
        Ok(exit) => exit,
        Err(Nothing::Usage(problem)) => usage(output, &problem),
        Err(Nothing::Failure(ErrorReport { code, message })) => fail(&shown, code, &message),
    }
}

/// The bridge that was named.
pub(super) fn shell(reach: &Reach, output: &Output) -> Result<Shell, Nothing> {
    let token = token(reach.token_file.as_deref())?;
    token.iter().for_each(|token| output.hide(token));
    let given = match &reach.bridge {
        Some(given) => Some(("--bridge", given.clone())),
        None => variable("DEVIN_RELAY_URL").filter(|url| !url.trim().is_empty()).map(|url| ("DEVIN_RELAY_URL", url)),
    };
    let (name, given) = given.unwrap_or_else(|| ("--bridge", format!("http://{LISTEN}")));
    let address = base_address(&given).map_err(|problem| Nothing::Usage(format!("{name} {problem}")))?;
    let roots = reach.ca_file.as_deref().map(|path| file("--ca-file", path)).transpose()?;
    let bridge = Bridge::new(&address, token.as_ref(), roots.as_deref()).map_err(|problem| {
        let about = reach.ca_file.as_ref().map(|path| format!("--ca-file {}: ", path.display())).unwrap_or_default();
        bad_input(format!("{about}{problem}"))
    })?;
    let (format, shown) = (output_format(reach.output, output), presenter(reach.output, output, false));
    Ok(Shell { bridge, format, shown, output: output.clone() })
}

/// The token in a file, or in the environment.
fn token(path: Option<&Path>) -> Result<Option<Token>, Nothing> {
    let Some(path) = path else {
        return Ok(variable("DEVIN_RELAY_TOKEN")
            .map(|text| Token::new(&text))
            .filter(|token| !token.expose().is_empty()));
    };
    let name = path.display();
    let text = String::from_utf8(file("--token-file", path)?)
        .map_err(|_| bad_input(format!("--token-file {name} holds no text")))?;
    let token = Token::new(&text);
    match token.expose().lines().count() {
        1 => Ok(Some(token)),
        0 => Err(bad_input(format!("--token-file {name} is empty"))),
        _ => Err(bad_input(format!(
            "--token-file {name} holds more than one line: it must hold the token and nothing else"
        ))),
    }
}

fn file(option: &str, path: &Path) -> Result<Vec<u8>, Nothing> {
    std::fs::read(path).map_err(|error| bad_input(format!("{option} {} cannot be read: {error}", path.display())))
}

fn bad_input(message: String) -> Nothing {
    Nothing::Failure(ErrorReport { code: Code::BadInput, message })
}

/// What the bridge cannot do for lack of an alert, or of one alone.
fn refused(message: String) -> Nothing {
    Nothing::Failure(ErrorReport { code: Code::BridgeRefused, message })
}

impl Shell {
    async fn run(&self, command: &Command) -> Result<Exit, Nothing> {
        match command {
            Command::Ps(options) => self.ps(options).await,
            Command::Show(options) => self.show(&options.id).await,
            Command::Retry(act) => self.retry(&act.id).await,
            Command::Start(act) => self.start(&act.id).await,
            Command::End(act) => self.end(&act.id).await,
            Command::Suppress(options) => self.suppress(options).await,
            Command::Resend(options) => self.resend(options).await,
            Command::Pause(switch) => self.throw(switch, true).await,
            Command::Resume(switch) => self.throw(switch, false).await,
            Command::Tail(_) => self.tail().await,
        }
    }

    /// The alert that is meant by what was typed, with all that is known of it.
    async fn find(&self, typed: &str) -> Result<Value, Nothing> {
        let typed = typed.trim();
        let session = if typed.contains("/sessions/") { pasted(typed).ok() } else { None };
        let typed = session.as_deref().unwrap_or(typed);
        if typed.is_empty() {
            return Err(Nothing::Usage("ID is empty: give an alert's tag, its key, or a session".to_string()));
        }
        let tag = match self.named(typed).await? {
            Some(tag) => tag,
            None => self.searched(typed).await?,
        };
        Ok(self.bridge.get(&format!("/api/v1/alerts/{}", encoded(&tag))).await?)
    }

    /// The tag of the alert that has this very tag, or this job.
    async fn named(&self, typed: &str) -> Result<Option<String>, Nothing> {
        let path = match typed {
            _ if typed.starts_with("job-") => format!("/api/v1/jobs/{}", encoded(typed)),
            _ if typed.starts_with("ar-") => format!("/api/v1/alerts/{}", encoded(typed)),
            _ => return Ok(None),
        };
        match self.bridge.get(&path).await {
            Ok(found) => Ok(found["alert"].as_str().or_else(|| found["tag"].as_str()).map(str::to_string)),
            Err(error) if error.status == Some(404) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The tag of the alert that a search leads to.
    async fn searched(&self, typed: &str) -> Result<String, Nothing> {
        // A session is kept with or without what its address leaves out.
        let text = typed.strip_prefix("devin-").unwrap_or(typed);
        let found = self.bridge.get(&format!("/api/v1/alerts?limit={FOUND}&text={}", encoded(text))).await?;
        let alerts = found["alerts"].as_array().map(Vec::as_slice).unwrap_or_default();
        match meant(alerts, typed) {
            Meant::One(alert) => Ok(alert["tag"].as_str().unwrap_or_default().to_string()),
            Meant::Several(alerts) => {
                let named: Vec<&str> = alerts.iter().take(NAMED).filter_map(|alert| alert["tag"].as_str()).collect();
                let more = if alerts.len() > NAMED { " …" } else { "" };
                let (count, named) = (alerts.len(), named.join(", "));
                Err(refused(format!("{count} alerts begin with this ID ({named}{more}): type more of it")))
            }
            Meant::Nobody => Err(refused(
                "the bridge has no alert with this tag, key, session or job: `alert-relay ps --all` lists what it has, and `alert-relay rules explain` says why no rule took one"
                    .to_string(),
            )),
        }
    }

    /// Prints what has been asked for: lines for a person, or one object for a program.
    fn print(&self, lines: &[String], object: &Value) {
        match self.format {
            OutputFormat::Text => lines.iter().for_each(|line| self.output.line(line)),
            OutputFormat::Json => self.output.line(&object.to_string()),
        }
    }
}

/// A length of time, as it was typed.
fn length(text: &str) -> Result<String, String> {
    match duration(text)? {
        Duration::ZERO => Err("expected a time longer than nothing".to_string()),
        _ => Ok(text.to_string()),
    }
}

/// This machine's clock, in Unix milliseconds.
fn now_ms() -> i64 {
    now_s() * 1000
}
