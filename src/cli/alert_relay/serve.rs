//! The command `serve`: what may be typed, and what is put together for it.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use tokio::sync::watch::channel;

use super::options::{AccessOptions, OutputChoice, SandboxOption};
use super::{load, place, presenter};
use crate::cli::{Exit, FAILURE, SUCCESS, usage};
use crate::devin::session::NewSession;
use crate::output::Output;
use crate::relay::alert::Format;
use crate::relay::inbound::Grouping;
use crate::relay::job::{OnNewAlerts, OnSessionLimit, OnTimeout, Policy};
use crate::relay::prior::Holds;
use crate::relay::serve::auth::Auth;
use crate::relay::serve::store::Address;
use crate::relay::serve::{IntegrationSettings, Log, Route, Rule, Settings};
use crate::stop::Signals;

pub const HELP: &str = "\
Examples:
  source-devin-ai alert-relay serve --sandbox
  curl -d @alert.json http://127.0.0.1:8080/v1/hooks/auto
  curl http://127.0.0.1:8080/api/v1/alerts";

#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    access: AccessOptions,
    #[command(flatten)]
    sandbox: SandboxOption,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where to keep what comes in: sqlite:FILE, or memory
    #[arg(long, value_name = "STORE", default_value = "sqlite:relay.db")]
    store: Address,
}

/// Serves until a signal asks to stop; a second one ends it where it stands.
pub async fn run(options: Serve, output: &Output) -> Exit {
    let Serve { access, sandbox, listen, store } = options;
    if !listen.ip().is_loopback() {
        return usage(
            output,
            "--listen: routes without authentication are served on an address of this machine only, such as 127.0.0.1:8080",
        );
    }
    let is_json = match access.output {
        Some(OutputChoice::Text) => false,
        Some(OutputChoice::Json) => true,
        None => !output.is_terminal(),
    };
    let shown = presenter(access.output, output, false);
    let loaded = (!sandbox.sandbox).then(|| load(&access, output));
    let place = match place(&access, loaded, output, &shown).await {
        Ok(place) => place,
        Err(exit) => return exit,
    };
    let (tell, stop) = channel(None);
    let settings = Settings {
        listen,
        store,
        routes: vec![route("generic", Some(Format::Generic)), route("auto", None)],
        rule: rule(sandbox.sandbox),
        integrations: vec![IntegrationSettings {
            name: INTEGRATION.to_string(),
            client: place.client,
            org_id: place.org_id,
        }],
        redactor: place.redactor,
        log: Log::new(output, is_json),
        stop,
    };
    let serving = crate::relay::serve::serve(settings);
    let mut signals = Signals::listen_with_hang_up();
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
const INTEGRATION: &str = "devin";

fn route(name: &str, format: Option<Format>) -> Route {
    Route { name: name.to_string(), format, grouping: Grouping::Group, mapping: None, auth: Auth::Open }
}

/// What is done about an alert where nothing else is said.
fn rule(is_sandbox: bool) -> Rule {
    let poll_interval = Duration::from_secs(if is_sandbox { 1 } else { 30 });
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
            poll_interval,
            max_polls: 120,
            pr_grace: 3,
        },
        session: NewSession::default(),
        ignored_labels: Vec::new(),
    }
}
