//! What may be typed after each command of `alert-relay`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::cli::{Common, duration};
use crate::devin::session::pasted;
use crate::relay::alert::Format;
use crate::relay::inbound::senders::{self, Sender};
use crate::relay::values::{create_timeout, namespace, poll_interval, title, without_secret, word};

#[derive(Debug, Args)]
pub struct AccessOptions {
    /// JSON file with api_token, org_id, api_url; DEVIN_API_KEY, DEVIN_ORG_ID and DEVIN_API_URL fill in what it lacks
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The full URL that creates a session, https://HOST/v3/organizations/ORG/sessions; takes precedence over the settings
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// What stdout gets; where it gets JSON lines, the text goes to stderr [default: text on a terminal, else json]
    #[arg(long, value_name = "FORMAT")]
    pub output: Option<OutputChoice>,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum OutputChoice {
    Text,
    Json,
}

#[derive(Debug, Args)]
pub struct SandboxOption {
    /// Use a simulated organization instead of the Devin API
    #[arg(long, conflicts_with_all = ["config", "endpoint"])]
    pub sandbox: bool,
}

impl AccessOptions {
    /// These options as they are typed, each with a blank before it.
    pub fn words(&self) -> String {
        let config = self.config.as_deref().map(|path| ("--config", path.display().to_string()));
        let given = config.into_iter().chain(self.endpoint.clone().map(|address| ("--endpoint", address)));
        let words = given.map(|(option, value)| format!(" {option} {}", quoted(&value)));
        words.collect()
    }
}

/// A word for a POSIX shell.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:%+=@".contains(c);
    if word.chars().all(is_plain) { word.to_string() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    pub access: AccessOptions,
    #[command(flatten)]
    pub sandbox: SandboxOption,
}

#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    pub access: AccessOptions,
    #[command(flatten)]
    pub sandbox: SandboxOption,
    #[command(flatten)]
    pub input: Input,
    #[command(flatten)]
    pub session: SessionOptions,
    #[command(flatten)]
    pub polling: PollingOptions,
    /// Print what would be said to Devin; create nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print the session and leave it alone
    #[arg(long)]
    pub detach: bool,
    /// Create a session even if there is one for the same alert
    #[arg(long)]
    pub new_attempt: bool,
    /// After an unclear answer and a search that found nothing, create once more
    #[arg(long)]
    pub create_again: bool,
    /// A session for the same alert that ended so recently is reported instead of starting another
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration)]
    pub cooldown: Duration,
    /// While an earlier session's pull request is open, hold the alert or start another session
    #[arg(long, value_name = "WHAT", default_value = "hold")]
    pub while_pr_open: WhilePrOpenChoice,
    /// How long an open pull request holds the alert at most, after its session's last update
    #[arg(long, value_name = "TIME", default_value = "168h", value_parser = duration)]
    pub while_pr_open_max: Duration,
    /// Where the organization runs as many sessions as it may: wait up to an hour for one to end, or fail
    #[arg(long, value_name = "WHAT", default_value = "wait")]
    pub on_session_limit: SessionLimitChoice,
    /// Where alerts join a group whose session is at work: send it a message, start another session, or ignore them
    #[arg(long, value_name = "WHAT", default_value = "message")]
    pub on_new_alerts: NewAlertsChoice,
    /// How long to look for a session whose create was answered unclearly
    #[arg(long, value_name = "TIME", default_value = "90s", value_parser = duration)]
    pub reconcile_window: Duration,
    /// How long the create may take
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = create_timeout)]
    pub create_timeout: Duration,
    /// The most sessions that one payload may create
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub max_sessions: usize,
}

#[derive(Debug, Args)]
pub struct Watch {
    /// The session's identifier, or its URL in the web app
    #[arg(value_name = "SESSION", value_parser = pasted)]
    pub session: String,
    #[command(flatten)]
    pub access: AccessOptions,
    #[command(flatten)]
    pub polling: PollingOptions,
}

#[derive(Debug, Args)]
pub struct Prompt {
    /// What stdout gets [default: text on a terminal, else json]
    #[arg(long, value_name = "FORMAT")]
    pub output: Option<OutputChoice>,
    #[command(flatten)]
    pub input: Input,
    #[command(flatten)]
    pub session: SessionOptions,
}

#[derive(Debug, Args)]
pub struct Senders {
    /// How to set this one up, with the body to paste where you write it, and how it is read
    #[arg(value_name = "NAME", value_parser = sender)]
    pub name: Option<&'static Sender>,
}

#[derive(Debug, Args)]
pub struct Input {
    /// The alert as its sender's webhook delivers it; - reads standard input
    #[arg(long, value_name = "FILE")]
    pub alert: PathBuf,
    /// The sender: auto, one of `alert-relay senders` (datadog, github, newrelic …), generic for a body of your own, or any for any JSON object
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = format)]
    pub format: FormatChoice,
    /// YAML that says where in the payload the title, state, key and so on are, for a sender of your own: a file, or '{title: a.b}'
    #[arg(long, value_name = "FILE", conflicts_with = "format")]
    pub map: Option<PathBuf>,
    /// One session for each alert of a group, instead of one for the group
    #[arg(long)]
    pub per_alert: bool,
    /// Let a state that starts nothing start a session: warn, test, acknowledged
    #[arg(long, value_name = "STATE")]
    pub fire_on: Vec<String>,
    /// Leave this label out of the dedupe key, beside pod, endpoint and uid
    #[arg(long, value_name = "NAME")]
    pub ignore_label: Vec<String>,
    /// Keep these alerts apart from the same alerts of other namespaces
    #[arg(long, value_name = "NAME", default_value = "", value_parser = namespace)]
    pub namespace: String,
    /// Take this as the dedupe key; a template such as '{{ labels.host }}' is filled in from the alert
    #[arg(long, value_name = "TEXT", value_parser = word)]
    pub dedupe_key: Option<String>,
    /// Replace the prompt by this template
    #[arg(long, value_name = "FILE")]
    pub prompt_template: Option<PathBuf>,
    /// Never send or show what this environment variable holds
    #[arg(long, value_name = "NAME")]
    pub mask_env: Vec<String>,
    /// Never send or show the secrets in this file, one on each line
    #[arg(long, value_name = "FILE")]
    pub mask_file: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub struct SessionOptions {
    /// Playbook to follow
    #[arg(long, value_name = "ID", value_parser = without_secret)]
    pub playbook: Option<String>,
    /// Repository to work in, as owner/name
    #[arg(long, value_name = "REPO", value_parser = without_secret)]
    pub repo: Vec<String>,
    /// Knowledge note to give
    #[arg(long, value_name = "ID", value_parser = without_secret)]
    pub knowledge: Vec<String>,
    /// Secret to give, by its identifier
    #[arg(long, value_name = "ID", value_parser = without_secret)]
    pub secret: Vec<String>,
    /// A further tag
    #[arg(long, value_parser = word)]
    pub tag: Vec<String>,
    /// Title, instead of the alert's
    #[arg(long, value_parser = title)]
    pub title: Option<String>,
    /// The most ACUs the session may use
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_acu_limit: Option<u32>,
    /// normal, fast, lite, ultra, fusion, or another mode that the API knows
    #[arg(long, value_name = "MODE", value_parser = without_secret)]
    pub devin_mode: Option<String>,
    /// JSON Schema of the result wanted
    #[arg(long, value_name = "FILE")]
    pub structured_output_schema: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct PollingOptions {
    /// Time between two polls, 1s to 300s [default: 30s; 1s in a simulated organization]
    #[arg(long, value_name = "TIME", value_parser = poll_interval)]
    pub poll_interval: Option<Duration>,
    /// How many polls there are at most
    #[arg(long, value_name = "N", default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub max_poll_attempts: u32,
    /// Further polls for a pull request after the session has finished without one
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub pr_grace: u32,
    /// What becomes of a session still at work after the last poll
    #[arg(long, value_name = "WHAT", default_value = "leave")]
    pub on_timeout: TimeoutChoice,
    /// End with exit code 26 when the session finished without a pull request
    #[arg(long)]
    pub require_pr: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WhilePrOpenChoice {
    Hold,
    Start,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum SessionLimitChoice {
    Wait,
    Fail,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum NewAlertsChoice {
    Message,
    Start,
    Ignore,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum TimeoutChoice {
    Leave,
    Terminate,
}

/// `None` is `auto`.
#[derive(Debug, Clone, Copy)]
pub struct FormatChoice(pub Option<Format>);

fn format(text: &str) -> Result<FormatChoice, String> {
    if text == "auto" {
        return Ok(FormatChoice(None));
    }
    text.parse().map(|format| FormatChoice(Some(format)))
}

fn sender(name: &str) -> Result<&'static Sender, String> {
    senders::by_name(name).ok_or_else(|| senders::no_such_sender(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_is_told_can_be_pasted() {
        assert_eq!(quoted("/etc/devin.json"), "/etc/devin.json");
        assert_eq!(quoted("it's mine.json"), r"'it'\''s mine.json'");
    }
}
