//! The command `sandbox`: a simulated organization, served until somebody stops it.

use std::str::FromStr as _;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::values::Offered;
use super::{Common, Exit, FAILURE, duration};
use crate::output::Output;
use crate::sandbox::{self, CreateAnswer, Fault, FaultKind, Oddities, Sandbox, TagRule};
use crate::stop::Signals;

/// The most sessions, and the most messages in each, that can be asked for.
const MOST: usize = 100_000_000;

#[derive(Debug, Args)]
pub struct Simulation {
    /// Port on 127.0.0.1; 0 for any free port
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Organizations of the enterprise. With more than one, the settings that are printed have the key of the enterprise
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = organizations)]
    organizations: usize,
    /// Sessions in the organization; a further one has a third as many
    #[arg(long, value_name = "N", default_value_t = 36, value_parser = amount)]
    sessions: usize,
    /// Messages in each session, instead of a mix with one long session
    #[arg(long, value_name = "N", value_parser = amount)]
    messages: Option<usize>,
    /// Another seed makes another organization
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Delay each response: 50ms, 1.5s
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    latency: Duration,
    /// Misbehave: KIND is 429, 429-retry-after, 500, reset, truncate, hang, html or stuck-cursor; RATE is a share of the
    /// requests, from 0 to 1, or once: the first request to each URL
    #[arg(long, value_name = "KIND:RATE", value_parser = faults(), hide_possible_values = true)]
    fault: Vec<Fault>,
    /// Take a permission away from the key
    #[arg(long, value_name = "PERMISSION", value_parser = PossibleValuesParser::new(sandbox::PERMISSIONS))]
    without_permission: Vec<String>,
    /// How long a new session takes from start to end
    #[arg(long, value_name = "SECONDS", default_value_t = 20.0, allow_negative_numbers = true, value_parser = seconds)]
    session_seconds: f64,
    /// Answer a create with 429 while so many created sessions run
    #[arg(long, value_name = "N")]
    quota: Option<usize>,
    /// Show a created session in lists only so long after its creation, as 5s or 1m
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    list_lag: Duration,
    /// Find a created session by its identifier only so long after its creation
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    get_lag: Duration,
    /// Show no created session in the first N lists
    #[arg(long, value_name = "N", default_value_t = 0)]
    stale_lists: u32,
    /// What becomes of the tags of a session that is created
    #[arg(long, value_name = "RULE", default_value = "keep", value_parser = PossibleValuesParser::new(TagRule::ALL.map(|(word, _)| word)))]
    tags: String,
    /// Set the organization's clock ahead, or behind with a minus, as 2h or -5h
    #[arg(long, value_name = "TIME", default_value = "0s", allow_hyphen_values = true, value_parser = clock)]
    clock: i64,
    /// Let so many seconds pass on that clock in one
    #[arg(long, value_name = "TIMES", default_value_t = 1.0, value_parser = speed)]
    clock_speed: f64,
    /// Answer a create with this status after this time, as 500 or 409:3s; once for each time it is given. It creates a
    /// session all the same, unless the status is a refusal
    #[arg(long, value_name = "STATUS[:TIME]", value_parser = create_answer)]
    create_answer: Vec<CreateAnswer>,
    #[command(flatten)]
    common: Common,
}

pub async fn serve(simulation: Simulation, output: &Output) -> Exit {
    let options = sandbox::Options {
        port: simulation.port,
        organizations: simulation.organizations,
        sessions: simulation.sessions,
        messages: simulation.messages,
        seed: simulation.seed,
        latency: simulation.latency,
        faults: simulation.fault,
        without_permissions: simulation.without_permission,
        session_seconds: simulation.session_seconds,
        quota: simulation.quota,
        oddities: Oddities {
            list_lag: simulation.list_lag,
            get_lag: simulation.get_lag,
            stale_lists: simulation.stale_lists,
            tags: TagRule::ALL
                .iter()
                .find(|(word, _)| *word == simulation.tags)
                .map(|(_, rule)| *rule)
                .unwrap_or_default(),
            clock_ahead: simulation.clock,
            clock_speed: simulation.clock_speed,
            create_answers: simulation.create_answer.into(),
        },
    };
    let (port, organizations) = (options.port, options.organizations);
    let sandbox = match Sandbox::start(options).await {
        Ok(sandbox) => sandbox,
        Err(error) => {
            output.note(&format!("error: cannot serve on 127.0.0.1:{port}: {error}"));
            return FAILURE;
        }
    };
    output.note(&format!(
        "A simulated Devin organization, not a real one, is served at {} until Ctrl-C. Its settings:",
        sandbox.url()
    ));
    output.line_as_it_is(&settings_of(&sandbox, organizations).to_string());
    Exit::Signal(Signals::listen().next().await)
}

/// Faults, of which a shell offers each kind once.
fn faults() -> impl TypedValueParser<Value = Fault> {
    let values = || FaultKind::ALL.map(|kind| format!("{}:once", kind.name())).to_vec();
    Offered { values, parse: Fault::from_str }
}

/// A number of sessions or of messages, which an organization can have.
fn amount(text: &str) -> Result<usize, String> {
    let amount = text.parse().ok().filter(|amount| *amount <= MOST);
    amount.ok_or_else(|| format!("expected a whole number from 0 to {MOST}"))
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| *seconds >= 0.0);
    seconds.ok_or_else(|| "expected a number of seconds from 0 on, or inf".to_string())
}

/// A time with a sign, in seconds.
fn clock(text: &str) -> Result<i64, String> {
    let (time, sign) = text.strip_prefix('-').map_or((text.trim_start_matches('+'), 1), |time| (time, -1));
    let seconds = i64::try_from(duration(time)?.as_secs()).ok().filter(|seconds| *seconds <= 36_500 * 86_400);
    seconds.map(|seconds| sign * seconds).ok_or_else(|| "expected a hundred years at most".to_string())
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok().filter(|speed| (0.0..=1e6).contains(speed));
    speed.ok_or_else(|| "expected a number from 0 to 1000000".to_string())
}

fn create_answer(text: &str) -> Result<CreateAnswer, String> {
    let (status, delay) = text.split_once(':').unwrap_or((text, "0s"));
    let status = status.parse().ok().filter(|status| (200..=599).contains(status));
    let status = status.ok_or("expected a status from 200 to 599, or one with a time, as 500:3s")?;
    Ok(CreateAnswer { status, delay: duration(delay)? })
}

/// As many organizations as the sandbox can have.
fn organizations(text: &str) -> Result<usize, String> {
    let most = sandbox::ORG_IDS.len();
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| format!("expected a whole number from 1 to {most}"))
}

/// The settings that reach a sandbox with so many organizations.
fn settings_of(sandbox: &Sandbox, organizations: usize) -> serde_json::Value {
    let mut settings =
        serde_json::json!({"api_token": sandbox::TOKEN, "org_id": sandbox::ORG_ID, "api_url": sandbox.url()});
    if organizations > 1 {
        settings["api_token"] = sandbox::TOKEN_ENTERPRISE.into();
        settings["org_ids"] = sandbox::ORG_IDS[1..organizations].into();
    }
    settings
}
