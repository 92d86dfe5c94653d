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
    /// Only alerts in this state
    #[arg(long)]
    state: Option<State>,
    /// Only alerts that wait, or that a session takes care of so
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
enum State {
    Firing,
    Resolved,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Responder {
    Waiting,
    OnIt,
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
        let filters = [
            ("state", word(self.state)),
            ("responder", word(self.responder)),
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
        let is_open = matches!(self.responder, Some(Responder::Waiting | Responder::OnIt));
        match self.since {
            Some(since) => vec![with("since", since.saturating_mul(1000).to_string())],
            None if self.all || is_open => vec![filters],
            None => {
                let mut queries = vec![with("since", (now - RECENT).to_string())];
                if self.responder.is_none() {
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
        if let Some(id) = options.rule.as_ref().filter(|_| alerts.is_empty()) {
            self.note_unknown_rule(id).await?;
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

    /// Says so if the rules have no such rule: its alerts may have come while they had.
    async fn note_unknown_rule(&self, id: &str) -> Result<(), Nothing> {
        let rules = self.bridge.get("/api/v1/rules").await?;
        let ids: Vec<&str> =
            rules["rules"].as_array().into_iter().flatten().filter_map(|rule| rule["id"].as_str()).collect();
        if !ids.contains(&id) {
            let id = clean_line(id, LINE_BYTES);
            self.output.note(&format!("note: the rules have no rule {id}: there are {}", ids.join(", ")));
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
