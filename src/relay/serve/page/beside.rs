//! What stands beside the list and explains it: storms, limits, integrations, rules, routes, refusals. Pure.

use maud::{Markup, html};

use super::action::Action;
use super::view::{Health, Limit, Overview, Refusal, Route, StormRow, StormState};
use super::words::{acus, ago, count};

/// Storms, each with the alerts that it holds.
pub fn storms(storms: &[StormRow], now: i64) -> Markup {
    html! {
        @if !storms.is_empty() {
            section.storms #storms aria-labelledby="storms-title" {
                h2 #storms-title { "Storms" }
                @for storm in storms {
                    @let all = storm.members.len() as u64 + storm.more;
                    @let (word, tone) = state(storm.state);
                    details.storm open[storm.state == StormState::Collecting] {
                        summary {
                            span class={"badge " (tone)} { (word) } " " strong { (count(all, "alert")) } " of rule " (storm.rule) ", detected " (ago(storm.detected_at, now))
                        }
                        @if storm.state == StormState::Collecting {
                            p.fine { "One session starts for all that are held: 15 seconds after the last one, or 90 seconds after the storm was detected." }
                        }
                        ul { @for (tag, title) in &storm.members {
                            li {
                                a href=(format!("/alerts/{tag}")) { (title) }
                                @if storm.root.as_ref() == Some(tag) { " " span.root { "has the session" } }
                            }
                        } }
                        @if storm.more > 0 { p.fine { "and " (storm.more) " more" } }
                    }
                }
            }
        }
    }
}

fn state(state: StormState) -> (&'static str, &'static str) {
    match state {
        StormState::Collecting => ("Collecting", "wait"),
        StormState::Triaging => ("About to start", "wait"),
        StormState::Dispatched => ("Dispatched", "work"),
    }
}

/// Limits and budgets as bars.
pub fn limits(limits: &[Limit], now: i64) -> Markup {
    html! {
        section #limits aria-labelledby="limits-title" {
            h2 #limits-title { "Limits" }
            @if limits.is_empty() { p.empty { "The rules file sets no limits." } }
            @for limit in limits { (bar(limit, now)) }
        }
    }
}

fn bar(limit: &Limit, now: i64) -> Markup {
    let share = if limit.of > 0.0 { (limit.used / limit.of * 100.0).clamp(0.0, 100.0) } else { 100.0 };
    let tone = match share {
        ..80.0 => "work",
        80.0..100.0 => "wait",
        _ => "bad",
    };
    html! {
        div.limit {
            p {
                span { (limit.scope) ": " (limit.what) } " "
                span.number { strong { (acus(limit.used)) } " of " (acus(limit.of)) @if share >= 100.0 { ", full" } }
            }
            svg.bar aria-hidden="true" viewBox="0 0 100 4" preserveAspectRatio="none" {
                rect.track width="100" height="4" {}
                rect class=(tone) width=(format!("{share:.1}")) height="4" {}
            }
            @if let Some(at) = limit.free_at.filter(|_| share >= 100.0) { p.fine { "room again " (ago(at, now)) } }
        }
    }
}

/// Organizations and whether their keys work.
pub fn integrations(overview: &Overview) -> Markup {
    html! {
        section #integrations aria-labelledby="integrations-title" {
            h2 #integrations-title { "Integrations" }
            ul.plain { @for one in &overview.integrations {
                li {
                    p {
                        (dot(if one.quota.is_some() { Health::Bad } else { one.health })) strong { (one.name) } " "
                        @if let Some(paused_at) = one.paused_at { "paused by a person " (ago(paused_at, overview.frame.now)) }
                        @else { (one.text) }
                        @if let Some(quota) = one.quota { br; "quota used up since " (ago(quota.since, overview.frame.now)) }
                        @if let Some(since) = one.since.filter(|_| one.health == Health::Bad) { br; span.fine { "since " (ago(since, overview.frame.now)) } }
                    }
                    (overview.frame.form(&match one.paused_at {
                        Some(_) => Action::ResumeIntegration(one.name.clone()),
                        None => Action::PauseIntegration(one.name.clone()),
                    }))
                }
            } }
        }
    }
}

/// The rules of the file.
pub fn rules(overview: &Overview) -> Markup {
    html! {
        section #rules aria-labelledby="rules-title" {
            h2 #rules-title { "Rules" }
            ul.plain { @for rule in &overview.rules {
                li {
                    p {
                        (dot(if rule.paused_at.is_some() || !rule.is_enabled { Health::Unknown } else { Health::Good }))
                        strong { (rule.id) } " "
                        @if !rule.is_enabled { "disabled in the file" }
                        @else if let Some(paused_at) = rule.paused_at { "paused " (ago(paused_at, overview.frame.now)) }
                        @else { "starts sessions in " (rule.integration) }
                    }
                    (overview.frame.form(&match rule.paused_at {
                        Some(_) => Action::ResumeRule(rule.id.clone()),
                        None => Action::PauseRule(rule.id.clone()),
                    }))
                }
            } }
        }
    }
}

/// Where deliveries come in, and whether any do.
pub fn routes(routes: &[Route], now: i64) -> Markup {
    html! {
        section #routes aria-labelledby="routes-title" {
            h2 #routes-title { "Routes" }
            ul.plain { @for route in routes {
                li { p {
                    (dot(match route.last_delivery_at {
                        _ if route.unrecognized > 0 || is_refused(route) => Health::Bad,
                        Some(_) => Health::Good,
                        None => Health::Unknown,
                    }))
                    strong { (route.name) } " "
                    @if let Some(at) = route.last_delivery_at { "last delivery " (ago(at, now)) } @else { "no delivery yet" }
                    span.fine { " · " (route.sender) }
                    @if route.unrecognized > 0 {
                        br; (route.unrecognized) " of the last day not recognized"
                    }
                    @if let Some((at, count, reason)) = &route.refused {
                        br; (count) " refused since the start, the last " (ago(*at, now)) ": " (reason)
                    }
                } }
            } }
        }
    }
}

/// Whether the last delivery was refused.
fn is_refused(route: &Route) -> bool {
    route.refused.as_ref().is_some_and(|(at, ..)| Some(*at) > route.last_delivery_at)
}

/// Alerts that a gate turned away.
pub fn refusals(refusals: &[Refusal], now: i64) -> Markup {
    html! {
        section #refusals aria-labelledby="refusals-title" {
            h2 #refusals-title { "Recently refused" }
            @if refusals.is_empty() { p.empty { "No alert was refused." } }
            ul.plain { @for refusal in refusals {
                li { p {
                    @let name = refusal.title.as_ref().unwrap_or(&refusal.key);
                    @match &refusal.tag {
                        Some(tag) => a href=(format!("/alerts/{tag}")) { (name) },
                        None => (name),
                    }
                    " "
                    @if refusal.title.is_some() { span.fine { (refusal.key) } " " }
                    strong { (refusal.gate) } ": " (refusal.reason) ", " (ago(refusal.at, now))
                } }
            } }
        }
    }
}

/// A dot in the color of its word, which is there too.
fn dot(health: Health) -> Markup {
    let (tone, word) = match health {
        Health::Good => ("good", "OK"),
        Health::Unknown => ("quiet", "Idle"),
        Health::Bad => ("bad", "Problem"),
    };
    html! { span class={"dot " (tone)} { (word) } " " }
}
