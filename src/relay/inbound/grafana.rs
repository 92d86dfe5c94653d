//! Grafana Alerting's webhook, and the legacy alerting of Grafana 8 and older. Pure.
//!
//! The page that silences an alert is left out: it invites to act.

use super::fields::Fields;
use super::{Grouping, Problem, group};
use crate::relay::alert::{Alert, Identity, State};

/// Reads a group, or a legacy rule's message.
///
/// # Errors
/// When the receiver, the group labels, or every alert is missing.
pub fn read(payload: Fields, grouping: Grouping) -> Result<Vec<Alert>, Problem> {
    if payload.at("alerts").is_none() && payload.at("ruleId").is_some() {
        return Ok(vec![legacy(payload)?]);
    }
    let pages = [("dashboard", "dashboardURL"), ("panel", "panelURL"), ("generator", "generatorURL")];
    let mut alerts = group::read(payload, grouping, &pages)?;
    if let [alert] = alerts.as_mut_slice()
        && alert.message.is_empty()
    {
        alert.message = payload.text("message").unwrap_or_default();
    }
    Ok(alerts)
}

fn legacy(payload: Fields) -> Result<Alert, Problem> {
    let identity = Identity::Own(vec!["rule".to_string(), payload.required("ruleId")?]);
    let state = payload.text("state").map_or(State::Firing, |word| State::from_word(&word));
    let title = payload.first(&["title", "ruleName"]).unwrap_or_else(|| "a rule without a name".to_string());
    let mut alert = Alert::new(payload.format, state, title, identity);
    alert.message = payload.text("message").unwrap_or_default();
    alert.labels = payload.pairs("tags");
    alert.annotations =
        payload.items("evalMatches").filter_map(|hit| Some((series(hit)?, hit.text("value")?))).collect();
    alert.links = payload.links(&[("rule", "ruleUrl")]);
    Ok(alert)
}

/// The name of a series with what tells it from others of that name: `used {host=db-1}`.
fn series(hit: Fields) -> Option<String> {
    let tags: Vec<String> = hit.pairs("tags").iter().map(|(name, value)| format!("{name}={value}")).collect();
    let metric = hit.text("metric")?;
    Some(if tags.is_empty() { metric } else { format!("{metric} {{{}}}", tags.join(", ")) })
}
