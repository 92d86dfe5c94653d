//! What people ask a bridge to do: another attempt, the end of a session, quiet for a key, a pause. What it answers is said.

use clap::Args;
use serde_json::{Value, json};

use super::{Nothing, Reach, Shell, bad_input, length, refused};
use crate::cli::{Exit, SUCCESS};
use crate::relay::remote::encoded;
use crate::relay::remote::words::{moment, text};
use redact::MASK;

#[derive(Debug, Args)]
pub struct Act {
    /// The alert: its tag, its key, a job, a session or its URL, or how one of these begins
    #[arg(value_name = "ID")]
    pub id: String,
    #[command(flatten)]
    pub reach: Reach,
}

#[derive(Debug, Args)]
pub struct Suppress {
    /// An alert with the key: its tag, the key, a job, a session or its URL, or how one of these begins
    #[arg(value_name = "ID", required_unless_present = "key")]
    id: Option<String>,
    /// The dedupe key, also of an alert that has not come yet
    #[arg(long, conflicts_with = "id")]
    key: Option<String>,
    /// How long, as 30m, 2h or 1d
    #[arg(long = "for", value_name = "TIME", required_unless_present = "lift", value_parser = length)]
    lasts: Option<String>,
    /// Let alerts with the key start sessions again
    #[arg(long, conflicts_with = "lasts")]
    lift: bool,
    #[command(flatten)]
    pub reach: Reach,
}

#[derive(Debug, Args)]
pub struct Resend {
    /// A notification, as `alert-relay show` names it, or an alert for all of its: its tag, its key, a job, a session or its URL, or how one of these begins
    #[arg(value_name = "ID", required_unless_present = "all")]
    id: Option<String>,
    /// All that were given up
    #[arg(long, conflicts_with = "id")]
    all: bool,
    #[command(flatten)]
    pub reach: Reach,
}

#[derive(Debug, Args)]
pub struct Switch {
    /// Only alerts that this rule takes
    #[arg(long, value_name = "ID", conflicts_with = "integration")]
    rule: Option<String>,
    /// Only alerts of this integration
    #[arg(long, value_name = "NAME")]
    integration: Option<String>,
    #[command(flatten)]
    pub reach: Reach,
}

impl Shell {
    pub(super) async fn retry(&self, typed: &str) -> Result<Exit, Nothing> {
        let alert = self.find(typed).await?;
        let job = job_of(&alert, typed)?;
        let answer = self.bridge.post(&format!("/api/v1/jobs/{}/retry", encoded(job)), None).await?;
        Ok(self.done(&alert, &answer))
    }

    pub(super) async fn start(&self, typed: &str) -> Result<Exit, Nothing> {
        let alert = self.find(typed).await?;
        let tag = alert["tag"].as_str().unwrap_or_default();
        let answer = self.bridge.post(&format!("/api/v1/alerts/{}/start", encoded(tag)), None).await?;
        Ok(self.done(&alert, &answer))
    }

    pub(super) async fn end(&self, typed: &str) -> Result<Exit, Nothing> {
        let alert = self.find(typed).await?;
        let job = job_of(&alert, typed)?;
        let answer = self.bridge.post(&format!("/api/v1/jobs/{}/end", encoded(job)), None).await?;
        Ok(self.done(&alert, &answer))
    }

    pub(super) async fn suppress(&self, options: &Suppress) -> Result<Exit, Nothing> {
        let key = match (&options.key, &options.id) {
            (Some(key), _) => key.clone(),
            (None, id) => {
                let alert = self.find(id.as_deref().unwrap_or_default()).await?;
                alert["dedupe_key"].as_str().unwrap_or_default().to_string()
            }
        };
        if key.contains(MASK) {
            return Err(bad_input(
                "the bridge does not show this key whole, for it holds a secret: give it with --key".to_string(),
            ));
        }
        let answer = match &options.lasts {
            Some(lasts) => {
                let body = json!({"dedupe_key": key, "for": lasts});
                self.bridge.post("/api/v1/suppressions", Some(&body)).await?
            }
            None => self.bridge.delete(&format!("/api/v1/suppressions/{}", encoded(&key))).await?,
        };
        let line = match answer["until"].as_i64() {
            Some(until) => format!("suppressed until {}: {}", moment(until), text(&answer, "dedupe_key")),
            None => format!("no longer suppressed: {}", text(&answer, "dedupe_key")),
        };
        self.print(&[line], &answer);
        Ok(SUCCESS)
    }

    pub(super) async fn resend(&self, options: &Resend) -> Result<Exit, Nothing> {
        let typed = options.id.as_deref().unwrap_or_default().trim();
        let mut ids = vec![typed.to_string()];
        if !typed.starts_with("notice-") {
            let mut query = vec![("state", "dead".to_string())];
            if !options.all {
                query.push(("alert", text(&self.find(typed).await?, "tag")));
            }
            let dead = self.bridge.list("notifications", &query).await?;
            ids = dead.iter().map(|one| text(one, "id")).collect();
        }
        let mut answers = Vec::new();
        // The oldest first, as they were told.
        for id in ids.iter().rev() {
            let path = format!("/api/v1/notifications/{}/resend", encoded(id));
            answers.push(self.bridge.post(&path, None).await?);
        }
        let lines: Vec<String> =
            answers.iter().map(|answer| format!("{}: {}", text(answer, "id"), text(answer, "result"))).collect();
        self.print(&lines, &json!({"resent": answers}));
        if lines.is_empty() {
            self.output.note("no notification was given up");
        }
        Ok(SUCCESS)
    }

    pub(super) async fn throw(&self, switch: &Switch, is_on: bool) -> Result<Exit, Nothing> {
        let (path, body, what) = match (&switch.rule, &switch.integration) {
            (Some(id), _) => ("/api/v1/pause", json!({"on": is_on, "rule": id}), format!("the rule {id}")),
            (None, Some(name)) => {
                ("/api/v1/pause", json!({"on": is_on, "integration": name}), format!("the integration {name}"))
            }
            (None, None) => ("/api/v1/kill-switch", json!({"on": is_on}), "the bridge".to_string()),
        };
        let answer = self.bridge.post(path, Some(&body)).await?;
        let mut lines = vec![match is_on {
            true => format!("paused {what}: deliveries are kept, and no session is started until it is resumed"),
            false => format!("resumed {what}"),
        }];
        if !is_on {
            lines.extend(still_held(&answer));
        }
        self.print(&lines, &answer);
        Ok(SUCCESS)
    }

    /// Says what was done for an alert.
    fn done(&self, alert: &Value, answer: &Value) -> Exit {
        let line = format!("{} ({}): {}", text(alert, "tag"), text(alert, "title"), text(answer, "result"));
        self.print(&[line], answer);
        SUCCESS
    }
}

/// What keeps sessions from starting all the same.
fn still_held(switches: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let kill_switch = &switches["kill_switch"];
    if kill_switch["on"] == true {
        lines.push(format!("still paused: the bridge, by its kill switch: {}", text(kill_switch, "reason")));
    }
    for paused in switches["paused"].as_array().into_iter().flatten() {
        for name in ["rule", "integration"].into_iter().filter(|name| paused[*name].is_string()) {
            lines.push(format!("still paused: the {name} {}", text(paused, name)));
        }
    }
    lines
}

/// The job of an alert that was typed, or its last one.
fn job_of<'a>(alert: &'a Value, typed: &str) -> Result<&'a str, Nothing> {
    let mut jobs = alert["jobs"].as_array().into_iter().flatten().filter_map(|job| job["id"].as_str());
    let job = jobs.find(|id| *id == typed.trim()).or_else(|| alert["job"]["id"].as_str());
    job.ok_or_else(|| refused("no session was ever wanted for this alert: `alert-relay show` says why".to_string()))
}
