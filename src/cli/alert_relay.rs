//! The commands of `alert-relay`: what may be typed, who answers, and what is said before anything is created.

mod bridge;
mod jobs;
mod mask;
#[cfg(feature = "serve")]
mod notify;
mod options;
mod orders;
mod place;
#[cfg(feature = "serve")]
mod rules;
#[cfg(feature = "serve")]
mod serve;
#[cfg(feature = "serve")]
mod store;
mod take;

use clap::{Args, Subcommand};
use mask::mask;
use options::{Check, OutputChoice, Prompt, Run, Senders, Watch};
use orders::{Orders, Prepared, orders};
use place::{OR_SANDBOX, identify, load, place};
use take::{run_orders, watch_one};

use super::{Exit, FAILURE, SUCCESS, runtime};
use crate::output::Output;
use crate::relay::alert::State;
use crate::relay::error_report::{Code, ErrorReport};
use crate::relay::event::EventKind;
use crate::relay::inbound::senders;
use crate::relay::organization::{Identified, UNTESTED};
use crate::relay::report::{OutputFormat, Presenter};
use redact::{Redactor, redact};

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
    /// Try out whom the rules file of serve tells what becomes of alerts
    #[cfg(feature = "serve")]
    Notify(notify::Notify),
    #[command(flatten)]
    Bridge(bridge::Command),
    /// Write all that a bridge keeps into a file, while it goes on
    #[cfg(feature = "serve")]
    #[command(after_help = store::BACKUP_HELP)]
    Backup(store::Backup),
    /// Make a store of a backup, from which serve goes on
    #[cfg(feature = "serve")]
    #[command(after_help = store::RESTORE_HELP)]
    Restore(store::Restore),
    /// Move a store that nobody serves to another place: from SQLite to PostgreSQL, or back
    #[cfg(feature = "serve")]
    #[command(after_help = store::MIGRATE_HELP)]
    Migrate(store::Migrate),
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
            if let Err(problem) = mask(&prompt.input, &shown, output) {
                return fail(&shown, Code::BadInput, &format!("{problem:#}"));
            }
            match orders(&prompt.input, &prompt.session) {
                Ok(orders) => print_prompts(told(orders, &shown), &prompt.input.namespace, &output.redactor(), &shown),
                Err(problem) => fail(&shown, Code::BadInput, &format!("{problem:#}")),
            }
        }
        Command::Check(options) => runtime().block_on(check(&options, output)),
        Command::Run(run) => {
            let shown = presenter(run.access.output, output, run.polling.require_pr);
            // First, so that the output knows what it must not show before an alert, which may hold it, is spoken of.
            if let Err(problem) = mask(&run.input, &shown, output) {
                return fail(&shown, Code::BadInput, &format!("{problem:#}"));
            }
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
        Command::Notify(options) => notify::run(&options, output),
        #[cfg(feature = "serve")]
        Command::Serve(options) => runtime().block_on(serve::run(options, output)),
        #[cfg(feature = "serve")]
        Command::Backup(options) => store::back_up(&options, output),
        #[cfg(feature = "serve")]
        Command::Restore(options) => store::restore(&options, output),
        #[cfg(feature = "serve")]
        Command::Migrate(options) => store::migrate(&options, output),
        Command::Bridge(command) => bridge::run(command, output),
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
    Presenter::new(output, output_format(choice, output), require_pr)
}

/// What stdout gets: what was chosen, else text at a terminal and JSON lines elsewhere.
fn output_format(choice: Option<OutputChoice>, output: &Output) -> OutputFormat {
    match choice {
        Some(OutputChoice::Text) => OutputFormat::Text,
        Some(OutputChoice::Json) => OutputFormat::Json,
        None if output.is_terminal() => OutputFormat::Text,
        None => OutputFormat::Json,
    }
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

/// Says what is wrong, for programs and for people.
fn fail(shown: &Presenter, code: Code, message: &str) -> Exit {
    shown.tell(EventKind::Error(ErrorReport { code, message: message.to_string() }), None);
    FAILURE
}
