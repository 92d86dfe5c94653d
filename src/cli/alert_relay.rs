//! The commands of `alert-relay`: what may be typed, and how it becomes an order.

mod options;
mod orders;

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use options::{AccessOptions, PollingOptions, Prompt, Run, TimeoutChoice, Watch};
use orders::{Prepared, orders};
use tokio::sync::watch::{Receiver, Sender};
use tokio::task::LocalSet;

use super::{Exit, FAILURE, SUCCESS, level, runtime, usage, variable};
use crate::airbyte::Level;
use crate::config::{self, Access};
use crate::devin::retry::Policy;
use crate::devin::{Client, Settings, Token, endpoint};
use crate::output::Output;
use crate::redact::Redactor;
use crate::relay::alert::tag;
use crate::relay::dispatch::Order;
use crate::relay::once::{End, OnTimeout, Origin, Relay, goes_on};
use crate::relay::organisation::{self, Identified};
use crate::relay::report::{Code, Event, Report, Trouble, say};
use crate::relay::watch::Polling;
use crate::sandbox::{self, Sandbox};
use crate::stop::{PATIENCE, Signals};

/// The longest time that a session that was never seen may be missing before it is taken for gone.
const LONGEST_SETTLING: Duration = Duration::from_secs(30);

/// What is said when asked to stop before there is anything to leave running.
const NOTHING_CREATED: &str = "stopped before a session was created";

/// How long a simulated session lives, in seconds.
const SANDBOX_SESSION_S: f64 = 4.0;

const ENDS: &str = "\
Exit codes:
  0   a pull request, or a finding without one; no alert fires; created, with --detach
  1   nothing was created, or nothing is known: the message says what to do
  20  the session waits for a person
  21  a limit or quota is used up
  22  the session failed
  23  it was still at work after the last look
  24  it was suspended, or cannot be found any more
  25  it is not known whether a session was created
  26  finished without a pull request, with --require-pr";

#[derive(Debug, Args)]
#[command(after_help = ENDS)]
pub struct AlertRelay {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Verify the key, and find its organisation
    Check(AccessOptions),
    /// Create a session for an alert, once, and watch it to its end
    #[command(after_help = ENDS)]
    Run(Box<Run>),
    /// Watch a session that exists
    #[command(after_help = ENDS)]
    Watch(Watch),
    /// Print what would be said to Devin; create nothing
    Prompt(Box<Prompt>),
}

/// Runs one of the commands to its end.
pub fn run(relay: AlertRelay, output: &Output) -> Exit {
    match relay.command {
        Command::Prompt(prompt) => match orders(&prompt.input, &prompt.session) {
            Ok(orders) => print_prompts(orders, output),
            Err(problem) => fail(output, Code::BadInput, &format!("{problem:#}")),
        },
        Command::Check(access) => runtime().block_on(check(&access, output)),
        Command::Run(run) => match orders(&run.input, &run.session) {
            Ok(orders) if run.dry_run => print_prompts(orders, output),
            Ok(orders) => runtime().block_on(LocalSet::new().run_until(run_orders(&run, orders, output))),
            Err(problem) => fail(output, Code::BadInput, &format!("{problem:#}")),
        },
        Command::Watch(watch) => runtime().block_on(watch_one(&watch, output)),
    }
}

fn print_prompts(mut orders: Vec<Prepared>, output: &Output) -> Exit {
    let redactor = Redactor::new(variable("DEVIN_API_KEY").as_deref());
    for order in &mut orders {
        if let Err(problem) = order.keep_back(&redactor) {
            return fail(output, Code::BadInput, &format!("{problem:#}"));
        }
        received(order, output);
        nothing_to_do(order, output);
        let title = order.new.title.as_deref().unwrap_or_default();
        say(output, &Event::Prompt { dedupe_key: &order.key, tags: &order.new.tags, title, prompt: &order.new.prompt });
    }
    SUCCESS
}

fn received(order: &Prepared, output: &Output) {
    let (format, state) = (order.alert.format.name(), order.alert.state.name());
    let (title, tag) = (order.new.title.as_deref().unwrap_or_default(), tag(&order.key));
    let alerts = order.alert.firing.max(1);
    say(output, &Event::AlertReceived { format, state, title, dedupe_key: &order.key, tag: &tag, alerts });
}

/// Says so of an alert for which no session is created.
fn nothing_to_do(order: &Prepared, output: &Output) {
    let state = &order.alert.state;
    if !state.is_firing() {
        let reason = format!("the alert is {}, so no session is created", state.name());
        say(output, &Event::NothingToDo { dedupe_key: &order.key, reason: &reason });
    }
}

async fn check(access: &AccessOptions, output: &Output) -> Exit {
    let place = match place(access, output).await {
        Ok(place) => place,
        Err(exit) => return exit,
    };
    let (_tell, stop) = tokio::sync::watch::channel(None);
    match identify(&place, output, stop, "stopped").await {
        Ok(Identified { principal, org_id, missing }) => {
            let kind = principal.as_ref().and_then(|principal| principal.principal_type.as_deref());
            let name = principal.as_ref().and_then(|principal| principal.name());
            say(output, &Event::Check { principal_type: kind, principal: name, org_id: &org_id, missing: &missing });
            if missing.is_empty() { SUCCESS } else { FAILURE }
        }
        Err(exit) => exit,
    }
}

/// Takes all alerts to their ends. A first signal lets a create that is under way have its answer, so that no session
/// is started unseen; a second one does not.
async fn run_orders(run: &Run, orders: Vec<Prepared>, output: &Output) -> Exit {
    let (tell, stop) = tokio::sync::watch::channel(None);
    let at_once =
        "stopped at once: a create that was under way may have started a session; run the same alert again to adopt it";
    until_stopped(take(run, orders, output, stop), &tell, output, at_once).await
}

async fn take(run: &Run, orders: Vec<Prepared>, output: &Output, stop: Receiver<Option<i32>>) -> Exit {
    let (mut firing, ended): (Vec<_>, Vec<_>) = orders.into_iter().partition(|order| order.alert.state.is_firing());
    if firing.len() > run.max_sessions {
        let message = format!(
            "the payload holds {} alerts, more than the {} sessions that --max-sessions allows; nothing was created",
            firing.len(),
            run.max_sessions
        );
        return fail(output, Code::TooManyAlerts, &message);
    }
    let place = if firing.is_empty() { None } else { Some(place(&run.access, output).await) };
    ended.iter().for_each(|order| {
        received(order, output);
        nothing_to_do(order, output);
    });
    let place = match place {
        None => return SUCCESS,
        Some(Ok(place)) => place,
        Some(Err(exit)) => return exit,
    };
    for order in &mut firing {
        if let Err(problem) = order.keep_back(&place.redactor) {
            return fail(output, Code::BadInput, &format!("{problem:#}"));
        }
    }
    firing.iter().for_each(|order| received(order, output));
    let identified = match identify(&place, output, stop.clone(), NOTHING_CREATED).await {
        Ok(identified) if identified.missing.is_empty() => identified,
        Ok(identified) => {
            let message = format!(
                "the key lacks {}, without which a session that exists cannot be found and would be created again",
                identified.missing.join(", ")
            );
            return fail(output, Code::MissingPermission, &message);
        }
        Err(exit) => return exit,
    };
    let relay = Arc::new(Relay {
        client: place.client,
        org_id: identified.org_id,
        polling: polling(&run.polling, run.access.sandbox, run.reconcile_window),
        create_timeout: run.create_timeout,
        on_timeout: on_timeout(&run.polling),
        detach: run.detach,
        access: run.access.words(),
        output: output.clone(),
        stop,
    });
    let mut trips = Vec::new();
    for prepared in firing {
        let order = Order {
            mark: tag(&prepared.key),
            new: prepared.new,
            by_title: false,
            cooldown: run.cooldown,
            new_attempt: run.new_attempt,
            reconcile_window: run.reconcile_window,
            create_again: run.create_again,
        };
        trips.push(tokio::task::spawn_local(Arc::clone(&relay).run(order, prepared.key)));
    }
    let mut exit = SUCCESS;
    // In the order of the payload, so that the exit code does not depend on which session ends first.
    for trip in trips {
        let end = trip.await.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()));
        exit = worse(exit, exit_of(&end, run.polling.require_pr));
    }
    exit
}

async fn watch_one(watch: &Watch, output: &Output) -> Exit {
    if watch.access.sandbox {
        return usage(
            output,
            "a sandbox that begins with this command has no session to watch: start source-devin-ai sandbox, and give its settings by --config",
        );
    }
    let (tell, stop) = tokio::sync::watch::channel(None);
    let left_running = format!("stopped; {}", goes_on(&watch.session, watch.access.words().as_deref()));
    let watching = async {
        let place = match place(&watch.access, output).await {
            Ok(place) => place,
            Err(exit) => return exit,
        };
        let identified = match identify(&place, output, stop.clone(), &left_running).await {
            Ok(identified) => identified,
            Err(exit) => return exit,
        };
        let relay = Relay {
            client: place.client,
            org_id: identified.org_id,
            polling: polling(&watch.polling, false, LONGEST_SETTLING),
            create_timeout: Duration::ZERO,
            on_timeout: on_timeout(&watch.polling),
            detach: false,
            access: watch.access.words(),
            output: output.clone(),
            stop,
        };
        // Who names a session asks for it by name: --on-timeout is theirs to decide.
        let end = relay.watch(&watch.session, None, Origin::Ours, &Report::new(output, None)).await;
        exit_of(&end, watch.polling.require_pr)
    };
    until_stopped(watching, &tell, output, &left_running).await
}

/// Runs `work` to its end, telling it of a first signal; a second one ends it where it stands, saying `at_once`.
async fn until_stopped(
    work: impl Future<Output = Exit>,
    tell: &Sender<Option<i32>>,
    output: &Output,
    at_once: &str,
) -> Exit {
    let mut signals = Signals::listen_with_hang_up();
    tokio::pin!(work);
    let exit = loop {
        tokio::select! {
            exit = &mut work => break exit,
            signal = signals.next() => {
                if tell.borrow().is_some() {
                    output.note(at_once);
                    return Exit::Signal(signal);
                }
                let _ = tell.send(Some(signal));
            }
        }
    };
    // A reader that stands still is waited for, until a signal asks to stop, or for a moment after one has.
    let stopped = async {
        match *tell.borrow() {
            Some(signal) => {
                tokio::time::sleep(PATIENCE).await;
                signal
            }
            None => signals.next().await,
        }
    };
    tokio::select! {
        () = output.written() => exit,
        signal = stopped => Exit::Signal(signal),
    }
}

/// A client, the organisation if it is configured, and the sandbox that must live as long as they are used.
struct Place {
    client: Client,
    org_id: Option<String>,
    /// Knows the key.
    redactor: Redactor,
    _sandbox: Option<Sandbox>,
}

async fn place(access: &AccessOptions, output: &Output) -> Result<Place, Exit> {
    let (settings, sandbox) = if access.sandbox {
        let options = sandbox::Options { session_seconds: SANDBOX_SESSION_S, ..sandbox::Options::default() };
        let sandbox = match Sandbox::start(options).await {
            Ok(sandbox) => sandbox,
            Err(error) => {
                return Err(fail(output, Code::Sandbox, &format!("cannot serve the sandbox on this machine: {error}")));
            }
        };
        let (token, org_id) = (Token::new(sandbox::TOKEN), Some(sandbox::ORG_ID.to_string()));
        (Access { token, org_id, api_url: sandbox.url() }, Some(sandbox))
    } else {
        (load(access, output)?, None)
    };
    output.hide(&settings.token);
    let redactor = Redactor::new([settings.token.expose()]);
    let client = Client::new(Settings {
        api_url: settings.api_url,
        token: settings.token,
        policy: Policy::brief(),
        concurrency: 4,
    });
    Ok(Place { client, org_id: settings.org_id, redactor, _sandbox: sandbox })
}

fn load(access: &AccessOptions, output: &Output) -> Result<Access, Exit> {
    let endpoint = match access.endpoint.as_deref().map(endpoint).transpose() {
        Ok(endpoint) => endpoint,
        Err(problem) => return Err(fail(output, Code::BadEndpoint, &format!("--endpoint {problem}"))),
    };
    let settings = match Access::load(access.config.as_deref(), endpoint, variable) {
        Ok(settings) => settings,
        Err(config::Error::Absent) => {
            return Err(usage(output, "no key: give --config FILE, or set DEVIN_API_KEY, or try --sandbox"));
        }
        Err(error) => return Err(fail(output, Code::BadSettings, &error.to_string())),
    };
    if level(&access.common) <= Level::Debug {
        output.note(&format!("the API is at {}", settings.api_url));
    }
    Ok(settings)
}

/// Verifies the key and finds the organisation, unless asked to stop, which is answered with the words `stopped_words`.
async fn identify(
    place: &Place,
    output: &Output,
    mut stop: Receiver<Option<i32>>,
    stopped_words: &str,
) -> Result<Identified, Exit> {
    let stopped = async {
        match stop.wait_for(Option::is_some).await {
            Ok(signal) => signal.unwrap_or_default(),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        signal = stopped => {
            output.note(stopped_words);
            Err(Exit::Signal(signal))
        }
        identified = organisation::find(&place.client, place.org_id.as_deref()) => {
            identified.map_err(|Trouble { code, message }| fail(output, code, &message))
        }
    }
}

/// `window` is how long a new session may be looked for.
fn polling(options: &PollingOptions, is_sandbox: bool, window: Duration) -> Polling {
    let default = Duration::from_secs(if is_sandbox { 1 } else { 30 });
    Polling {
        interval: options.poll_interval.unwrap_or(default),
        attempts: options.max_poll_attempts,
        pr_grace: options.pr_grace,
        settling: window.min(LONGEST_SETTLING),
    }
}

fn on_timeout(options: &PollingOptions) -> OnTimeout {
    match options.on_timeout {
        TimeoutChoice::Leave => OnTimeout::Leave,
        TimeoutChoice::Terminate => OnTimeout::Terminate,
    }
}

fn exit_of(end: &End, require_pr: bool) -> Exit {
    match end {
        End::Outcome(verdict) => Exit::Code(verdict.exit_code(require_pr)),
        End::Detached => SUCCESS,
        End::Trouble => FAILURE,
        End::Stopped(signal) => Exit::Signal(*signal),
    }
}

/// Of several alerts, the first in the payload that did not go well speaks for all; being stopped comes before everything.
fn worse(one: Exit, other: Exit) -> Exit {
    match (one, other) {
        (Exit::Signal(_), _) => one,
        (_, Exit::Signal(_)) => other,
        _ if one == SUCCESS => other,
        _ => one,
    }
}

/// Says what is wrong, for programs and for people.
fn fail(output: &Output, code: Code, message: &str) -> Exit {
    say(output, &Event::Error(&Trouble { code, message: message.to_string() }));
    output.note(&format!("error: {message}"));
    FAILURE
}
