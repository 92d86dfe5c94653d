//! `notify test`: sends one message to a target of a rules file, to see whether it arrives. No bridge is asked, and nothing is kept.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::rules::load;
use crate::cli::{Exit, FAILURE, SUCCESS, runtime};
use crate::output::Output;
use crate::relay::serve::notify::try_out;
use crate::relay::serve::rules::Devin;
use redact::Redactor;

const HELP: &str = "\
Example:
  source-devin-ai alert-relay notify test relay.yaml on-call

Exit codes:
  0   the target has taken the message
  1   it has not, or there is no such target";

#[derive(Debug, Args)]
pub struct Notify {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Send one message, marked as a test, to a target of a rules file
    #[command(after_help = HELP)]
    Test(Test),
}

#[derive(Debug, Args)]
struct Test {
    /// The rules file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The name of one of its targets
    #[arg(value_name = "TARGET")]
    target: String,
}

/// Runs the command.
pub fn run(notify: &Notify, output: &Output) -> Exit {
    let Command::Test(Test { file, target: name }) = &notify.command;
    // Whoever tests a target needs no key of Devin.
    let Some(rules) = load(file, Devin::Nobody, output) else { return FAILURE };
    let Some(target) = rules.notify.target(name) else {
        let names: Vec<&str> = rules.notify.targets.iter().map(|target| target.name.as_str()).collect();
        output.note(&match names.as_slice() {
            [] => format!("error: {} has no notify.targets", file.display()),
            names => format!("error: {} has no target of this name: there are {}", file.display(), names.join(", ")),
        });
        return FAILURE;
    };
    let mut redactor = Redactor::default();
    rules.tell(&mut redactor);
    match runtime().block_on(try_out(target, &rules.notify.allowed, &redactor)) {
        Ok(said) => {
            output.line(&format!("{name}: {said}"));
            SUCCESS
        }
        Err(reason) => {
            output.note(&format!("error: {name}: {reason}"));
            FAILURE
        }
    }
}
