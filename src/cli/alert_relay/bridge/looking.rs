//! `ps` and `show`: what the bridge has, and what became of it.

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::{Nothing, Reach, Shell, now_ms};
use crate::cli::values::start_date;
use crate::cli::{Exit, SUCCESS};
use crate::devin::client::now_s;
use crate::relay::remote::alert::lines;
use crate::relay::remote::encoded;
use crate::relay::remote::table::table;
use crate::relay::remote::words::{HOLDING_GATES, LINE_BYTES};
use crate::relay::report::OutputFormat;
use crate::relay::text::clean_line;

/// So long what has ended is listed, in milliseconds.
const RECENT: i64 = 86_400_000;

#[derive(Debug, Args)]
pub struct Ps {
    #[command(flatten)]
    pub reach: Reach,
    /// All alerts, not only those that are open or came within the last 24 hours
    #[arg(long, conflicts_with = "since")]
    all: bool,
    /// Only what came then or later: 2h, 2026-01-31, 2026-01-31T09:00:00Z
    #[arg(long, value_name = "TIME", value_parser = |text: &str| start_date(text, now_s()))]
    since: Option<i64>,
    /// Only alerts in this state: whether they fire, or how their last job stands
    #[arg(long)]
    state: Option<State>,
    /// Only alerts whose last job stands so, whatever --state says of them
    #[arg(long, value_name = "STATUS")]
    responder: Option<Responder>,
    /// Only alerts that this gate holds
    #[arg(long, value_parser = HOLDING_GATES)]
    gate: Option<String>,
    /// Only alerts whose last job ended so, such as pr_opened or quota_exceeded
    #[arg(long)]
    result: Option<String>,
    /// Only alerts that this rule took
    #[arg(long, value_name = "ID")]
    rule: Option<String>,
    /// Only alerts of this integration
    #[arg(long, value_name = "NAME")]
    integration: Option<String>,
    /// Only alerts that came by this route
    #[arg(long, value_name = "NAME")]
    route: Option<String>,
    /// Only alerts of this severity
    #[arg(long)]
    severity: Option<Severity>,
    /// Only alerts with this in their title or key, in whatever letter case
    #[arg(long)]
    text: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum State {
    Firing,
    Resolved,
    Waiting,
    OnIt,
    Blocked,
    Done,
    Dropped,
}

impl State {
    /// The word for how a job stands; `None` for one that tells whether the alert fires.
    fn responder(self) -> Option<Responder> {
        match self {
            State::Firing | State::Resolved => None,
            State::Waiting => Some(Responder::Waiting),
            State::OnIt => Some(Responder::OnIt),
            State::Blocked => Some(Responder::Blocked),
            State::Done => Some(Responder::Done),
            State::Dropped => Some(Responder::Dropped),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Responder {
    Waiting,
    OnIt,
    Blocked,
    Done,
    Dropped,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Severity {
    Critical,
    High,
    Medium,
    Low,
    Info,
}

#[derive(Debug, Args)]
pub struct Show {
    /// The alert: its tag, its key, a job, a session or its URL, or how one of these begins
    #[arg(value_name = "ID")]
    pub id: String,
    #[command(flatten)]
    pub reach: Reach,
}

/// The word for a value, as it is typed and asked for.
fn word(value: Option<impl ValueEnum>) -> Option<String> {
    Some(value?.to_possible_value()?.get_name().to_string())
}

impl Ps {
    /// What each list that is asked for has in its query: open alerts may have come long ago.
    fn queries(&self, now: i64) -> Vec<Vec<(&'static str, String)>> {
        let responder = self.responder.or(self.state.and_then(State::responder));
        let filters = [
            ("state", word(self.state.filter(|state| state.responder().is_none()))),
            ("responder", word(responder)),
            ("gate", self.gate.clone()),
            ("result", self.result.clone()),
            ("rule", self.rule.clone()),
            ("integration", self.integration.clone()),
            ("route", self.route.clone()),
            ("severity", word(self.severity)),
            ("text", self.text.clone()),
        ];
        let filters: Vec<(&str, String)> =
            filters.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let with = |name: &'static str, value: String| {
            let mut query = filters.clone();
            query.push((name, value));
            query
        };
        let is_open = matches!(responder, Some(Responder::Waiting | Responder::OnIt));
        match self.since {
            Some(since) => vec![with("since", since.saturating_mul(1000).to_string())],
            None if self.all || is_open => vec![filters],
            None => {
                let mut queries = vec![with("since", (now - RECENT).to_string())];
                if responder.is_none() {
                    queries.extend(["waiting", "on_it"].map(|status| with("responder", status.to_string())));
                }
                queries
            }
        }
    }
}

impl Shell {
    pub(super) async fn ps(&self, options: &Ps) -> Result<Exit, Nothing> {
        let now = now_ms();
        let (mut alerts, mut tags) = (Vec::new(), BTreeSet::new());
        for query in options.queries(now) {
            for alert in self.bridge.list("alerts", &query).await? {
                if tags.insert(alert["tag"].as_str().unwrap_or_default().to_string()) {
                    alerts.push(alert);
                }
            }
        }
        if alerts.is_empty() {
            self.note_unknown(options).await?;
        }
        alerts.sort_by_key(|alert| std::cmp::Reverse(alert["last_at"].as_i64()));
        match self.format {
            OutputFormat::Json => alerts.iter().for_each(|alert| self.output.line(&alert.to_string())),
            OutputFormat::Text if alerts.is_empty() => {
                let older = if options.all || options.since.is_some() { "" } else { ": --all lists older ones, too" };
                self.output.note(&format!("no alerts{older}"));
            }
            OutputFormat::Text => table(&alerts, now).iter().for_each(|line| self.output.line(line)),
        }
        Ok(SUCCESS)
    }

    /// Says so if the rules have no such rule, integration or route: alerts of one may have come while they had.
    async fn note_unknown(&self, options: &Ps) -> Result<(), Nothing> {
        let asked = [
            ("rule", ("/api/v1/rules", "rules", "id"), &options.rule),
            ("integration", ("/api/v1/integrations", "integrations", "name"), &options.integration),
            ("route", ("/api/v1/integrations", "routes", "name"), &options.route),
        ];
        for (what, (path, list, field), typed) in asked {
            let Some(typed) = typed else { continue };
            let known = self.bridge.get(path).await?;
            let names: Vec<&str> =
                known[list].as_array().into_iter().flatten().filter_map(|one| one[field].as_str()).collect();
            if !names.is_empty() && !names.contains(&typed.as_str()) {
                let typed = clean_line(typed, LINE_BYTES);
                self.output.note(&format!("note: the rules have no {what} {typed}: there are {}", names.join(", ")));
            }
        }
        Ok(())
    }

    pub(super) async fn show(&self, typed: &str) -> Result<Exit, Nothing> {
        let mut alert = self.find(typed).await?;
        let job = match alert["job"]["id"].as_str() {
            Some(id) => self.bridge.get(&format!("/api/v1/jobs/{}", encoded(id))).await?,
            None => Value::Null,
        };
        let lines = lines(&alert, &job, now_ms());
        alert["prompt"] = job["prompt"].clone();
        self.print(&lines, &alert);
        Ok(SUCCESS)
    }
}

#[cfg(all(test, feature = "serve"))]
mod tests {
    use super::*;
    use crate::relay::serve::gates::Gate;

    #[test]
    fn every_gate_that_holds_can_be_asked_for() {
        let holding = Gate::ALL.iter().filter(|gate| gate.holds()).map(|gate| gate.name());
        assert_eq!(holding.collect::<Vec<_>>(), HOLDING_GATES);
    }
}
