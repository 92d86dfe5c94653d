//! `rules explain`: why a real alert did or did not start a session. The store is only read.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::load;
use crate::cli::alert_relay::options::OutputChoice;
use crate::cli::{Exit, FAILURE, SUCCESS, runtime, usage};
use crate::output::Output;
use crate::relay::driver::time;
use crate::relay::serve::rules::{Devin, Rules};
use crate::relay::serve::store::{Address, Archive};
use crate::relay::serve::{Explained, Explanation, explain};

pub const HELP: &str = "\
Examples:
  source-devin-ai alert-relay rules explain alertmanager:DiskFull --store sqlite:relay.db
  source-devin-ai alert-relay rules explain devin-0d902d4d605a230a --store sqlite:relay.db --rules relay.yaml

Exit codes:
  0   it is said why
  1   nobody knows the key, the rules file is wrong, or the store cannot be read";

#[derive(Debug, Args)]
pub struct Explain {
    /// The alert: its dedupe key, its tag, its job, or its session by identifier or URL, or how one of these begins
    #[arg(value_name = "KEY")]
    key: String,
    /// The store of serve, which may be running: sqlite:FILE or postgres://HOST/DATABASE. It is only read
    // Not parsed by clap, which would repeat a password in what it refuses.
    #[arg(long, value_name = "STORE", default_value = "sqlite:relay.db")]
    store: String,
    /// The rules file, to be told of each delivery which rule took it, and which condition the others miss
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Text, or a JSON line for each alert [default: text on a terminal, else JSON]
    #[arg(long, value_enum)]
    output: Option<OutputChoice>,
}

/// Says why an alert did or did not start a session.
pub fn run(options: &Explain, output: &Output) -> Exit {
    let address = match options.store.parse::<Address>() {
        Ok(address) => address,
        Err(problem) => return usage(output, &format!("--store: {problem}")),
    };
    let rules = match &options.rules {
        None => None,
        Some(path) => match load(path, Devin::Nobody, output) {
            Some(rules) => Some(rules),
            None => return FAILURE,
        },
    };
    runtime().block_on(explained(options, &address, rules.as_ref(), output))
}

async fn explained(options: &Explain, address: &Address, rules: Option<&Rules>, output: &Output) -> Exit {
    let redactor = output.redactor();
    let found = async {
        let mut archive = Archive::open(address).await?;
        explain(&mut archive, options.key.trim(), rules, &redactor).await
    };
    let is_json = match options.output {
        Some(OutputChoice::Json) => true,
        Some(OutputChoice::Text) => false,
        None => !output.is_terminal(),
    };
    match found.await {
        Ok(Explained::Alerts(alerts)) => {
            for alert in &alerts {
                if is_json {
                    let mut line = json!(alert);
                    line["event"] = "explanation".into();
                    output.line(&line.to_string());
                } else {
                    lines(alert).iter().for_each(|line| output.line(line));
                }
            }
            SUCCESS
        }
        Ok(Explained::Several(named)) => {
            let key = redactor.redact(&options.key).into_owned();
            output.note(&format!("error: several alerts begin with {key:?} ({}): type more of it", named.join(", ")));
            FAILURE
        }
        Ok(Explained::Unknown(near)) => {
            let near = match &near[..] {
                [] => "the store knows no alert at all".to_string(),
                near => format!("it knows {}", near.join(", ")),
            };
            let key = redactor.redact(&options.key).into_owned();
            output.note(&format!("error: the store {address} knows no alert {key:?}; {near}"));
            FAILURE
        }
        Err(error) => {
            output.note(&format!("error: {error}. Of a bridge that runs, alert-relay show tells what happened, too"));
            FAILURE
        }
    }
}

fn lines(alert: &Explanation) -> Vec<String> {
    let title = if alert.title.is_empty() { String::new() } else { format!(": {}", alert.title) };
    let mut lines = vec![format!("{} ({}){title}", alert.dedupe_key, alert.tag)];
    lines.extend(alert.timeline.iter().map(|moment| format!("  {}  {}", time(moment.at), moment.what)));
    lines.push(format!("now: {}", alert.now));
    lines.extend(alert.advice.iter().map(|advice| format!("to do: {advice}")));
    lines
}
