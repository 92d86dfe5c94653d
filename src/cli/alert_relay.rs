//! The commands of `alert-relay`: what may be typed, and how it becomes a job.

mod jobs;
mod options;
mod orders;
mod place;
#[cfg(feature = "serve")]
mod rules;
#[cfg(feature = "serve")]
mod serve;

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use options::{Check, OutputChoice, Prompt, Run, Senders, Watch};
use orders::{Orders, Prepared, orders};
use place::{Loaded, OR_SANDBOX, identify, load, place};
use tokio::sync::watch::{Receiver, Sender};

use super::{Exit, FAILURE, SUCCESS, runtime};
use crate::output::Output;
use crate::redact::{Redactor, redact};
use crate::relay::alert::State;
use crate::relay::draw::drawn;
use crate::relay::error_report::{Code, ErrorReport};
use crate::relay::event::EventKind;
use crate::relay::inbound::senders;
use crate::relay::job::Job;
use crate::relay::organization::{Identified, UNTESTED};
use crate::relay::report::{OutputFormat, Presenter};
use crate::relay::run::{Relay, RunEnd, goes_on};
use crate::stop::{PATIENCE, Signals};

/// What is said when asked to stop before there is anything to leave running.
const NOTHING_CREATED: &str = "stopped before a session was created";

const ENDS: &str = "\
Exit codes:
  0   a pull request, or a finding without one; no alert fires; created, with --detach
  1   nothing was created, or nothing is known: the message says what to do
  20  the session waits for a person
  21  a limit or quota is used up
  22  the session failed
  23  it was still running after the last poll
  24  it was suspended, or cannot be found anymore
  25  it is not known whether a session was created
  26  finished without a pull request, with --require-pr
  27  the relay ended the session before it had a result";

const RUN_HELP: &str = "\
Examples:
  source-devin-ai alert-relay run --sandbox --alert alert.json
  source-devin-ai alert-relay run --alert alert.json --repo my-org/my-service --max-acu-limit 10
  curl -s https://example.com/alert.json | source-devin-ai alert-relay run --alert - --detach

Exit codes:
  0   a pull request, or a finding without one; no alert fires; created, with --detach
  1   nothing was created, or nothing is known: the message says what to do
  20  the session waits for a person
  21  a limit or quota is used up
  22  the session failed
  23  it was still running after the last poll
  24  it was suspended, or cannot be found anymore
  25  it is not known whether a session was created
  26  finished without a pull request, with --require-pr
  27  the relay ended the session before it had a result";

const WATCH_HELP: &str = "\
Examples:
  source-devin-ai alert-relay watch https://app.devin.ai/sessions/0d902d4d605a230ab8f5a3d24bdfd1fe
  source-devin-ai alert-relay watch 0d902d4d605a230ab8f5a3d24bdfd1fe --require-pr --output json

Exit codes:
  0   a pull request, or a finding without one
  1   the session cannot be polled: the message says why
  20  the session waits for a person
  21  a limit or quota is used up
  22  the session failed
  23  it was still running after the last poll
  24  it was suspended, or cannot be found anymore
  26  finished without a pull request, with --require-pr
  27  the relay ended the session before it had a result";

const CHECK_HELP: &str = "\
Example:
  source-devin-ai alert-relay check --config devin.json";

const PROMPT_HELP: &str = "\
Example:
  source-devin-ai alert-relay prompt --alert alert.json --prompt-template prompt.txt";

const SENDERS_HELP: &str = "\
Examples:
  source-devin-ai alert-relay senders
  source-devin-ai alert-relay senders datadog";

#[derive(Debug, Args)]
#[command(after_help = ENDS)]
pub struct AlertRelay {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Verify the key, and find its organization
    #[command(after_help = CHECK_HELP)]
    Check(Check),
    /// Create a session for an alert, once, and watch it to its end
    #[command(after_help = RUN_HELP)]
    Run(Box<Run>),
    /// Watch a session that exists
    #[command(after_help = WATCH_HELP)]
    Watch(Watch),
    /// Receive alerts by HTTP, and take each to the end of its session
    #[cfg(feature = "serve")]
    #[command(after_help = serve::HELP)]
    Serve(serve::Serve),
    /// Write a rules file for serve, to begin with
    #[cfg(feature = "serve")]
    #[command(after_help = rules::INIT_HELP)]
    Init(rules::Init),
    /// Check rules files of serve
    #[cfg(feature = "serve")]
    Rules(rules::Rules),
    /// Print what would be said to Devin; create nothing
    #[command(after_help = PROMPT_HELP)]
    Prompt(Box<Prompt>),
    /// List the senders of alerts that are known by name, or say how one is set up
    #[command(after_help = SENDERS_HELP)]
    Senders(Senders),
}

/// Runs one of the commands to its end.
pub fn run(relay: AlertRelay, output: &Output) -> Exit {
    match relay.command {
        Command::Prompt(prompt) => {
            let shown = presenter(prompt.output, output, false);
            match orders(&prompt.input, &prompt.session) {
                Ok(orders) => print_prompts(told(orders, &shown), &prompt.input.namespace, &output.redactor(), &shown),
                Err(problem) => fail(&shown, Code::BadInput, &format!("{problem:#}")),
            }
        }
        Command::Check(options) => runtime().block_on(check(&options, output)),
        Command::Run(run) => {
            let shown = presenter(run.access.output, output, run.polling.require_pr);
            // First, so that the key is known to the output before an alert, which may hold it, is spoken of.
            let loaded = (!run.sandbox.sandbox).then(|| load(&run.access, OR_SANDBOX, output));
            match orders(&run.input, &run.session) {
                Ok(orders) if run.dry_run => {
                    print_prompts(told(orders, &shown), &run.input.namespace, &output.redactor(), &shown)
                }
                Ok(orders) => runtime().block_on(run_orders(&run, told(orders, &shown), loaded, output, shown)),
                Err(problem) => fail(&shown, Code::BadInput, &format!("{problem:#}")),
            }
        }
        #[cfg(feature = "serve")]
        Command::Init(options) => rules::init(&options, output),
        #[cfg(feature = "serve")]
        Command::Rules(options) => rules::run(&options, output),
        #[cfg(feature = "serve")]
        Command::Serve(options) => runtime().block_on(serve::run(options, output)),
        Command::Watch(watch) => runtime().block_on(watch_one(&watch, output)),
        Command::Senders(Senders { name }) => {
            let page = name.map_or_else(senders::list, senders::steps);
            output.line_as_it_is(page.trim_end());
            SUCCESS
        }
    }
}

/// The orders, after what was not taken or was guessed has been said.
fn told(orders: Orders, shown: &Presenter) -> Vec<Prepared> {
    orders.notes.iter().for_each(|note| shown.tell(EventKind::warning(redact(note).into_owned()), None));
    orders.prepared
}

fn presenter(choice: Option<OutputChoice>, output: &Output, require_pr: bool) -> Presenter {
    let format = match choice {
        Some(OutputChoice::Text) => OutputFormat::Text,
        Some(OutputChoice::Json) => OutputFormat::Json,
        None if output.is_terminal() => OutputFormat::Text,
        None => OutputFormat::Json,
    };
    Presenter::new(output, format, require_pr)
}

fn print_prompts(mut orders: Vec<Prepared>, namespace: &str, redactor: &Redactor, shown: &Presenter) -> Exit {
    for order in &mut orders {
        if let Err(problem) = order.keep_back(redactor) {
            return fail(shown, Code::BadInput, &format!("{problem:#}"));
        }
        let request = jobs::request(order, namespace, jobs::ANY_ATTEMPT);
        received(order, namespace, shown);
        nothing_to_do(order, shown);
        let (tags, title, prompt) = (request.new.tags, request.new.title.unwrap_or_default(), request.new.prompt);
        shown.tell(EventKind::Prompt { tags, title, prompt }, Some(&order.shown_key));
    }
    SUCCESS
}

fn received(order: &Prepared, namespace: &str, shown: &Presenter) {
    let (format, state) = (order.alert.format.name().to_string(), order.alert.state.name().to_string());
    let title = order.new.title.clone().unwrap_or_default();
    let (tag, alerts) = (jobs::alert_tag(order, namespace), order.alert.firing.max(1));
    shown.tell(EventKind::AlertReceived { format, state, title, tag, alerts }, Some(&order.shown_key));
    if order.secrets_removed > 0 {
        let were = if order.secrets_removed == 1 { " was" } else { "s were" };
        let message = format!("{} secret{were} removed from what the alert says", order.secrets_removed);
        shown.tell(EventKind::warning(message), Some(&order.shown_key));
    }
}

/// Says so of an alert for which no session is created.
fn nothing_to_do(order: &Prepared, shown: &Presenter) {
    let state = &order.alert.state;
    if !state.is_firing() {
        let reason = match state {
            State::Test => {
                "the sender's test message arrived, and no session is created for it (--fire-on test does)".to_string()
            }
            state => format!("the alert is {}, so no session is created", state.name()),
        };
        shown.tell(EventKind::NothingToDo { reason }, Some(&order.shown_key));
    }
}

async fn check(options: &Check, output: &Output) -> Exit {
    let shown = presenter(options.access.output, output, false);
    let loaded = (!options.sandbox.sandbox).then(|| load(&options.access, OR_SANDBOX, output));
    let place = match place(&options.access, loaded, output, &shown).await {
        Ok(place) => place,
        Err(exit) => return exit,
    };
    let (_tell, stop) = tokio::sync::watch::channel(None);
    match identify(&place, &shown, stop, "stopped").await {
        Ok(Identified { principal, org_id, missing, .. }) => {
            let is_complete = missing.is_empty();
            shown.tell(
                EventKind::Check {
                    principal_type: principal.as_ref().and_then(|principal| principal.principal_type.clone()),
                    principal: principal.as_ref().and_then(|principal| principal.name()).map(str::to_string),
                    org_id,
                    missing,
                    untested: UNTESTED.map(str::to_string).to_vec(),
                },
                None,
            );
            if is_complete { SUCCESS } else { FAILURE }
        }
        Err(exit) => exit,
    }
}

/// Takes all alerts to their ends. A first signal lets a create that is under way have its answer, so that no session
/// is started unseen; a second one does not.
async fn run_orders(
    run: &Run,
    orders: Vec<Prepared>,
    loaded: Option<Loaded>,
    output: &Output,
    shown: Presenter,
) -> Exit {
    let (tell, stop) = tokio::sync::watch::channel(None);
    let at_once =
        "stopped at once: a create that was under way may have started a session; run the same alert again to adopt it";
    until_stopped(take(run, orders, loaded, output, shown, stop), &tell, output, at_once).await
}

async fn take(
    run: &Run,
    orders: Vec<Prepared>,
    loaded: Option<Loaded>,
    output: &Output,
    shown: Presenter,
    stop: Receiver<Option<i32>>,
) -> Exit {
    let (mut firing, mut ended): (Vec<_>, Vec<_>) = orders.into_iter().partition(|order| order.alert.state.is_firing());
    if firing.len() > run.max_sessions {
        let message = format!(
            "the payload holds {} alerts that fire, and --max-sessions allows {}; nothing was created",
            firing.len(),
            if run.max_sessions == 1 { "1 session".to_string() } else { format!("{} sessions", run.max_sessions) }
        );
        return fail(&shown, Code::TooManyAlerts, &message);
    }
    let is_sandbox = run.sandbox.sandbox;
    for order in &mut ended {
        if let Err(problem) = order.keep_back(&output.redactor()) {
            return fail(&shown, Code::BadInput, &format!("{problem:#}"));
        }
    }
    let place = if firing.is_empty() { None } else { Some(place(&run.access, loaded, output, &shown).await) };
    let namespace = &run.input.namespace;
    ended.iter().for_each(|order| {
        received(order, namespace, &shown);
        nothing_to_do(order, &shown);
    });
    let place = match place {
        None => return SUCCESS,
        Some(Ok(place)) => place,
        Some(Err(exit)) => return exit,
    };
    for order in &mut firing {
        if let Err(problem) = order.keep_back(&output.redactor()) {
            return fail(&shown, Code::BadInput, &format!("{problem:#}"));
        }
    }
    firing.iter().for_each(|order| received(order, namespace, &shown));
    let identified = match identify(&place, &shown, stop.clone(), NOTHING_CREATED).await {
        Ok(identified) if identified.missing.is_empty() => identified,
        Ok(identified) => {
            let message = format!(
                "the key lacks {}, without which a session that exists cannot be found and would be created again",
                identified.missing.join(", ")
            );
            return fail(&shown, Code::MissingPermission, &message);
        }
        Err(exit) => return exit,
    };
    let policy = jobs::policy(run);
    let relay = Arc::new(Relay {
        client: place.client,
        org_id: identified.org_id,
        create_timeout: run.create_timeout,
        access: (!is_sandbox).then(|| run.access.words()),
        output: output.clone(),
        presenter: shown,
        stop,
    });
    let mut runs = Vec::new();
    for order in &firing {
        let request = jobs::request(order, namespace, &drawn());
        let job = Job::new(format!("job-{}", drawn()), order.shown_key.clone(), request, policy.clone());
        let relay = Arc::clone(&relay);
        runs.push(tokio::spawn(async move { relay.run(job).await }));
    }
    let mut exit = SUCCESS;
    // In the order of the payload, so that the exit code does not depend on which session ends first.
    for run_of_one in runs {
        let end = run_of_one.await.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()));
        exit = worse(exit, exit_of(end, run.polling.require_pr));
    }
    exit
}

async fn watch_one(watch: &Watch, output: &Output) -> Exit {
    let (tell, stop) = tokio::sync::watch::channel(None);
    let left_running = format!("stopped; {}", goes_on(&watch.session, Some(&watch.access.words())));
    let watching = async {
        let shown = presenter(watch.access.output, output, watch.polling.require_pr);
        let place = match place(&watch.access, Some(load(&watch.access, "", output)), output, &shown).await {
            Ok(place) => place,
            Err(exit) => return exit,
        };
        let identified = match identify(&place, &shown, stop.clone(), &left_running).await {
            Ok(identified) => identified,
            Err(exit) => return exit,
        };
        let relay = Relay {
            client: place.client,
            org_id: identified.org_id,
            create_timeout: Duration::ZERO,
            access: Some(watch.access.words()),
            output: output.clone(),
            presenter: shown,
            stop,
        };
        let (id, now) = (format!("job-{}", drawn()), relay.client.now_ms());
        let job = Job::watching(id, watch.session.clone(), jobs::watch_policy(&watch.polling), now);
        exit_of(relay.run(job).await, watch.polling.require_pr)
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

fn exit_of(end: RunEnd, require_pr: bool) -> Exit {
    match end {
        RunEnd::Outcome(kind) => Exit::Code(kind.exit_code(require_pr)),
        RunEnd::Detached => SUCCESS,
        RunEnd::Failed => FAILURE,
        RunEnd::Stopped(signal) => Exit::Signal(signal),
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
fn fail(shown: &Presenter, code: Code, message: &str) -> Exit {
    shown.tell(EventKind::Error(ErrorReport { code, message: message.to_string() }), None);
    FAILURE
}
