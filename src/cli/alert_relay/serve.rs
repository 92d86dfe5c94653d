//! The command `serve`: what may be typed, and what is put together for it.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use tokio::sync::watch::channel;

use super::SANDBOX_SESSION_S;
use crate::cli::{Common, Exit, FAILURE, SUCCESS, usage};
use crate::devin::retry;
use crate::devin::session::NewSession;
use crate::devin::{Client, Settings as ClientSettings, Token};
use crate::output::Output;
use crate::redact::Redactor;
use crate::relay::alert::Format;
use crate::relay::inbound::Grouping;
use crate::relay::job::{OnNewAlerts, OnSessionLimit, OnTimeout, Policy};
use crate::relay::prior::Holds;
use crate::relay::serve::store::Address;
use crate::relay::serve::{IntegrationSettings, Log, Route, Rule, Settings};
use crate::sandbox::{self, Sandbox};
use crate::stop::Signals;

pub const HELP: &str = "\
Examples:
  source-devin-ai alert-relay serve --sandbox
  curl -d @alert.json http://127.0.0.1:8080/v1/hooks/auto
  curl http://127.0.0.1:8080/api/v1/alerts";

/// So many requests to Devin are under way at once.
const REQUESTS_AT_ONCE: usize = 8;

#[derive(Debug, Args)]
pub struct Serve {
    /// Use a simulated organization instead of the Devin API
    #[arg(long)]
    sandbox: bool,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where to keep what comes in: sqlite:FILE, postgres://HOST/DATABASE, or memory
    #[arg(long, value_name = "STORE", default_value = "sqlite:relay.db")]
    store: Address,
    #[command(flatten)]
    common: Common,
}

/// Serves until a signal asks to stop; a second one ends it where it stands.
pub async fn run(options: Serve, output: &Output) -> Exit {
    if !options.sandbox {
        return usage(output, "give --sandbox");
    }
    if !options.listen.ip().is_loopback() {
        return usage(
            output,
            "--listen: without authentication, only an address of this machine, such as 127.0.0.1:8080, can be served",
        );
    }
    let simulated = sandbox::Options { session_seconds: SANDBOX_SESSION_S, ..sandbox::Options::default() };
    let sandbox = match Sandbox::start(simulated).await {
        Ok(sandbox) => sandbox,
        Err(error) => {
            output.note(&format!("error: cannot serve the sandbox on this machine: {error}"));
            return FAILURE;
        }
    };
    let token = Token::new(sandbox::TOKEN);
    output.hide(&token);
    let redactor = Redactor::new([token.expose()]);
    let client = Client::new(ClientSettings {
        api_url: sandbox.url(),
        token,
        policy: retry::Policy::brief(),
        concurrency: REQUESTS_AT_ONCE,
    });
    let (tell, stop) = channel(None);
    let settings = Settings {
        listen: options.listen,
        store: options.store,
        routes: vec![route("generic", Some(Format::Generic)), route("auto", None)],
        rule: rule(),
        integrations: vec![IntegrationSettings {
            name: INTEGRATION.to_string(),
            client,
            org_id: Some(sandbox::ORG_ID.to_string()),
        }],
        redactor,
        log: Log::new(output, !output.is_terminal()),
        stop,
    };
    let serving = crate::relay::serve::serve(settings);
    let mut signals = Signals::listen();
    tokio::pin!(serving);
    loop {
        tokio::select! {
            served = &mut serving => return match served {
                Ok(()) => SUCCESS,
                Err(problem) => {
                    output.note(&format!("error: {problem}"));
                    FAILURE
                }
            },
            signal = signals.next() => {
                if tell.borrow().is_some() {
                    output.note("stopped at once: what was under way is looked for at the next start");
                    return Exit::Signal(signal);
                }
                let _ = tell.send(Some(signal));
            }
        }
    }
}

/// The integration that there is without a rules file.
const INTEGRATION: &str = "sandbox";

fn route(name: &str, format: Option<Format>) -> Route {
    Route { name: name.to_string(), format, grouping: Grouping::Group, mapping: None }
}

/// What is done about an alert where nothing else is said.
fn rule() -> Rule {
    Rule {
        integration: INTEGRATION.to_string(),
        namespace: String::new(),
        policy: Policy {
            holds: Holds { cooldown: Duration::from_secs(3600), while_pr_open: Some(Duration::from_secs(168 * 3600)) },
            new_attempt: false,
            detach: false,
            reconcile_window: Duration::from_secs(600),
            create_again: true,
            on_session_limit: OnSessionLimit::Wait,
            on_new_alerts: OnNewAlerts::Message,
            on_timeout: OnTimeout::Leave,
            poll_interval: Duration::from_secs(1),
            max_polls: 120,
            pr_grace: 2,
        },
        session: NewSession::default(),
        ignored_labels: Vec::new(),
    }
}
