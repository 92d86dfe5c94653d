//! The commands about rules files: `rules check`, `rules simulate` and `init`. Nothing is served, and nothing is created but the file of `init`.

mod explain;
mod simulate;

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::cli::{Exit, FAILURE, SUCCESS, runtime};
use crate::devin::retry::Policy;
use crate::devin::{Client, Settings};
use crate::output::Output;
use crate::relay::error_report::Audience;
use crate::relay::organization;
use crate::relay::serve::rule_lines;
use crate::relay::serve::rules::{self, Devin, Findings, Integration, STARTER};
use crate::sandbox;

pub const HELP: &str = "\
Examples:
  source-devin-ai alert-relay rules check relay.yaml
  source-devin-ai alert-relay rules check relay.yaml --online

Exit codes:
  0   the file is right; there may be warnings
  1   it is not, or something that it names";

pub const INIT_HELP: &str = "\
Examples:
  source-devin-ai alert-relay init
  source-devin-ai alert-relay init -";

#[derive(Debug, Args)]
pub struct Rules {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a rules file and all it names: mistakes, templates, rules that are never asked
    #[command(after_help = HELP)]
    Check(Check),
    /// Say what the rules would make of payloads, or of the deliveries that a store keeps; start nothing
    #[command(after_help = simulate::HELP)]
    Simulate(simulate::Simulate),
    /// Say why a real alert did or did not start a session
    #[command(after_help = explain::HELP)]
    Explain(explain::Explain),
}

#[derive(Debug, Args)]
struct Check {
    /// The rules file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// As it would be served with --sandbox: keys of integrations need not be there
    #[arg(long)]
    sandbox: bool,
    /// Ask Devin whether the keys are good, and which organizations they belong to
    #[arg(long, conflicts_with = "sandbox")]
    online: bool,
}

#[derive(Debug, Args)]
pub struct Init {
    /// Where to write it; - for stdout
    #[arg(value_name = "FILE", default_value = "relay.yaml")]
    file: PathBuf,
}

/// Runs one of the commands about a rules file.
pub fn run(rules: &Rules, output: &Output) -> Exit {
    match &rules.command {
        Command::Check(options) => check(options, output),
        Command::Simulate(options) => simulate::run(options, output),
        Command::Explain(options) => explain::run(options, output),
    }
}

fn check(options: &Check, output: &Output) -> Exit {
    let devin = if options.sandbox { Devin::Sandbox(sandbox::SCENARIOS) } else { Devin::Api };
    let name = options.file.display();
    let Some(rules) = load(&options.file, devin, output) else { return FAILURE };
    let Findings { problems, warnings, notes } = rules::examine(&rules);
    let warnings: Vec<String> = rules.warnings.iter().map(ToString::to_string).chain(warnings).collect();
    problems.iter().for_each(|problem| output.note(&format!("error: {name}: {problem}")));
    warnings.iter().for_each(|warning| output.note(&format!("warning: {name}: {warning}")));
    if !problems.is_empty() {
        return FAILURE;
    }
    rule_lines(&rules).iter().for_each(|line| output.line(line));
    notes.iter().for_each(|note| output.line(&format!("note: {note}")));
    let warned = match warnings.len() {
        0 => String::new(),
        1 => ", with 1 warning".to_string(),
        many => format!(", with {many} warnings"),
    };
    if options.online && !runtime().block_on(are_keys_good(&rules, output)) {
        return FAILURE;
    }
    output.line(&format!("{name} is right{warned}"));
    SUCCESS
}

/// The rules, whose secrets the output knows from then on; `None` where they are wrong, which has been said.
pub(super) fn load(path: &Path, devin: Devin, output: &Output) -> Option<rules::Rules> {
    match rules::load(path, devin) {
        Ok(rules) => {
            output.hide_all(|redactor| rules.tell(redactor));
            rules.integrations.iter().filter_map(|known| known.token.as_ref()).for_each(|token| output.hide(token));
            Some(rules)
        }
        Err(problems) => {
            problems.iter().for_each(|problem| output.note(&format!("error: {}: {problem}", path.display())));
            None
        }
    }
}

/// Asks Devin about the key of each integration.
async fn are_keys_good(rules: &rules::Rules, output: &Output) -> bool {
    let mut are_good = true;
    for Integration { name, token, api_url, org_id, .. } in rules.integrations.clone() {
        let Some(token) = token else { continue };
        let client = Client::new(Settings { api_url, token, policy: Policy::brief(), concurrency: 1 });
        let problem = match organization::find(&client, org_id.as_deref(), Audience::Rules).await {
            Ok(found) if found.missing.is_empty() => {
                output.line(&format!("integration {name}: the key is good, the organization is {}", found.org_id));
                continue;
            }
            Ok(found) => format!("the key lacks {}", found.missing.join(", ")),
            Err(report) => report.message,
        };
        output.note(&format!("error: integration {name}: {problem}"));
        are_good = false;
    }
    are_good
}

/// Writes a rules file to begin with. One that is there stays.
pub fn init(init: &Init, output: &Output) -> Exit {
    if init.file == Path::new("-") {
        output.line_as_it_is(STARTER.trim_end());
        return SUCCESS;
    }
    let name = init.file.display();
    let written = OpenOptions::new().write(true).create_new(true).open(&init.file);
    match written.and_then(|mut file| file.write_all(STARTER.as_bytes()).and_then(|()| file.sync_all())) {
        Ok(()) => {
            output.line(&format!("{name} is written: fill in your own names, and check it with: source-devin-ai alert-relay rules check {name}"));
            SUCCESS
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            output.note(&format!(
                "error: {name} is there already, and stays as it is: give another name, or - to print the file"
            ));
            FAILURE
        }
        Err(error) => {
            output.note(&format!("error: {name} cannot be written: {error}"));
            FAILURE
        }
    }
}
