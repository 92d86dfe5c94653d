//! The command `sandbox`: a simulated organization, served until somebody stops it.

use std::str::FromStr as _;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::values::Offered;
use super::{Common, Exit, FAILURE, duration};
use crate::output::Output;
use crate::sandbox::{self, Fault, FaultKind, Sandbox};
use crate::stop::Signals;

/// The most sessions, and the most messages in each, that can be asked for.
const MOST: usize = 100_000_000;

#[derive(Debug, Args)]
pub struct Simulation {
    /// Port on 127.0.0.1; 0 for any free port
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Sessions in the organization
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
    /// Refuse to create more sessions than this
    #[arg(long, value_name = "N")]
    quota: Option<usize>,
    #[command(flatten)]
    common: Common,
}

pub async fn serve(simulation: Simulation, output: &Output) -> Exit {
    let options = sandbox::Options {
        port: simulation.port,
        sessions: simulation.sessions,
        messages: simulation.messages,
        seed: simulation.seed,
        latency: simulation.latency,
        faults: simulation.fault,
        without_permissions: simulation.without_permission,
        session_seconds: simulation.session_seconds,
        quota: simulation.quota,
    };
    let port = options.port;
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
    output.line_as_it_is(&settings_of(&sandbox).to_string());
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

/// The settings that reach a sandbox.
fn settings_of(sandbox: &Sandbox) -> serde_json::Value {
    serde_json::json!({"api_token": sandbox::TOKEN, "org_id": sandbox::ORG_ID, "api_url": sandbox.url()})
}
