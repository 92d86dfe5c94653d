//! Grafana Alerting's webhook, and the legacy alerting of Grafana 8 and older. Pure.
//!
//! The page that silences an alert is left out: it invites to act.

use super::fields::Fields;
use super::{Delivery, Grouping, Problem, group};
use crate::relay::alert::{Alert, Identity, State};

/// Reads a group, or a legacy rule's message.
///
/// # Errors
/// When the receiver, the group labels, or every alert is missing.
pub fn read(payload: Fields, grouping: Grouping, delivery: &mut Delivery) -> Result<(), Problem> {
    if payload.at("alerts").is_none() && payload.at("ruleId").is_some() {
        delivery.alerts.push(legacy(payload)?);
        return Ok(());
    }
    let pages =
        [("dashboard", "dashboardURL"), ("panel", "panelURL"), ("image", "imageURL"), ("generator", "generatorURL")];
    let before = delivery.alerts.len();
    group::read(payload, grouping, &pages, delivery)?;
    let is_test = is_test(payload);
    for alert in delivery.alerts.iter_mut().skip(before).filter(|_| is_test) {
        alert.state = State::Test;
    }
    Ok(())
}

/// The message of the button that tries a contact point.
fn is_test(payload: Fields) -> bool {
    let is_test = |alert: Fields| {
        let is = |path: &str, value: &str| alert.text(path).as_deref() == Some(value);
        is("labels.alertname", "TestAlert") && is("labels.instance", "Grafana")
            || payload.text("receiver").is_none()
                && (is("annotations.summary", "Notification test")
                    || payload.text("message").as_deref() == Some("Webhook test message."))
    };
    payload.items("alerts").any(is_test)
}

fn legacy(payload: Fields) -> Result<Alert, Problem> {
    // Every server counts its rules from 1.
    let host =
        payload.text("ruleUrl").and_then(|url| Some(url.split_once("://")?.1.split(['/', '?']).next()?.to_string()));
    let server = host.into_iter().chain(payload.text("orgId"));
    let identity =
        Identity::Own(["rule".to_string()].into_iter().chain(server).chain([payload.required("ruleId")?]).collect());
    let state = match (payload.text("ruleId").as_deref(), payload.text("state")) {
        (Some("0"), _) => State::Test,
        (_, Some(word)) => State::from_word(&word),
        _ => State::Firing,
    };
    let title = payload.first(&["title", "ruleName"]).unwrap_or_else(|| "a rule without a name".to_string());
    let mut alert = Alert::new(payload.format, state, title, identity);
    alert.message = payload.text("message").unwrap_or_default();
    alert.labels = payload.pairs("tags");
    alert.severity = group::severity(&alert.labels);
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
