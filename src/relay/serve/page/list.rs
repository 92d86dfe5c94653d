//! The list of alerts with its filter. Pure.

use maud::{Markup, html};

use super::filter::Filter;
use super::standing::Standing;
use super::view::{AlertRow, Choices, JobRow, Overview};
use super::words::{acus, ago, link, pull_request, utc};

/// The filter and the list.
pub fn list(overview: &Overview) -> Markup {
    let Overview { filter, alerts, next, frame, .. } = overview;
    html! {
        section.alerts #alerts aria-labelledby="alerts-title" {
            h2 #alerts-title { "Alerts" }
            (search(filter, &overview.choices))
            @if alerts.is_empty() {
                p.empty {
                    @if filter.is_set() { "No alert matches. " a href="/" { "Show all alerts" } "." }
                    @else { "No alert yet. Send one to a route, and it is here within a second." }
                }
            } @else {
                table.list {
                    thead { tr {
                        th scope="col" { "State" } th scope="col" { "Alert" } th scope="col" { "Result" }
                        th.number scope="col" { "ACUs" } th.number scope="col" { "Last fired" }
                    } }
                    @for alert in alerts { (row(alert, frame.now)) }
                }
            }
            (pages(filter, next.as_deref()))
        }
    }
}

fn pages(filter: &Filter, next: Option<&str>) -> Markup {
    html! {
        @if next.is_some() || !filter.after.is_empty() {
            nav.pages aria-label="Pages" {
                @if !filter.after.is_empty() { a href=(filter.from("").address()) { "Newest" } }
                @if let Some(next) = next { a rel="next" href=(filter.from(next).address()) { "Older" } }
            }
        }
    }
}

fn search(filter: &Filter, choices: &Choices) -> Markup {
    let named = |names: &[String]| names.iter().map(|name| (name.clone(), name.clone())).collect::<Vec<_>>();
    let fixed = |values: &[(&str, &str)]| {
        values.iter().map(|(value, text)| ((*value).to_string(), (*text).to_string())).collect::<Vec<_>>()
    };
    let severities = Filter::SEVERITIES.map(|severity| (severity, severity));
    html! {
        form.filter role="search" method="get" action="/" {
            input type="search" name="q" value=(filter.q) placeholder="Title or key" aria-label="Search in title and key";
            (choice("state", "State", "Any state", &filter.state, &fixed(&Filter::STATES)))
            (choice("severity", "Severity", "Any severity", &filter.severity, &fixed(&severities)))
            (choice("rule", "Rule", "Any rule", &filter.rule, &named(&choices.rules)))
            (choice("integration", "Integration", "Any integration", &filter.integration, &named(&choices.integrations)))
            (choice("route", "Route", "Any route", &filter.route, &named(&choices.routes)))
            button { "Filter" }
            @if filter.is_set() { a href="/" { "Clear" } }
        }
    }
}

/// A choice; none where there is only one thing to choose.
fn choice(name: &str, label: &str, any: &str, chosen: &str, values: &[(String, String)]) -> Markup {
    // A name that the rules do not have any more can be asked for all the same.
    let is_known = chosen.is_empty() || values.iter().any(|(value, _)| value == chosen);
    html! {
        @if values.len() > 1 || !chosen.is_empty() {
            select name=(name) aria-label=(label) {
                option value="" { (any) }
                @if !is_known { option value=(chosen) selected { (chosen) } }
                @for (value, text) in values { option value=(value) selected[value == chosen] { (text) } }
            }
        }
    }
}

/// One alert: a line, and below it, over the whole width, what a person would ask.
fn row(alert: &AlertRow, now: i64) -> Markup {
    let job = alert.job.as_ref();
    let standing = Standing::of(job);
    let why = job.map(|job| why(job, standing, now)).filter(|why| !why.0.is_empty());
    html! {
        tbody {
            tr {
                td.state { (badge(standing)) }
                td.what {
                    a.title href=(format!("/alerts/{}", alert.tag)) { (alert.title) }
                    p.meta { (meta(alert)) }
                }
                td.result { @if let Some(job) = job { (result(job)) } }
                td.number.acus { @if let Some(value) = job.and_then(|job| job.acus) { (acus(value)) span.unit { " ACU" } } }
                td.number.age { (ago(alert.last_at, now)) }
            }
            @if let Some(why) = why { tr.because { td {} td colspan="4" { (why) } } }
        }
    }
}

/// How it stands: a word and a color.
pub fn badge(standing: Standing) -> Markup {
    html! { span class={"badge " (standing.tone())} { (standing.word()) } }
}

/// What it is: severity, rule, route.
pub fn meta(alert: &AlertRow) -> Markup {
    html! {
        @if let Some(severity) = &alert.severity { span class={"severity " (severity)} { (severity) } " · " }
        @if let Some(job) = &alert.job { "rule " (job.rule) " · " }
        "from " (alert.route)
        @if alert.is_resolved { " · " span.resolved { "resolved" } }
    }
}

/// Why it waits, or why it ended as it did, where a person would ask.
pub fn why(job: &JobRow, standing: Standing, now: i64) -> Markup {
    let reason = job.reason.as_deref().filter(|reason| !reason.is_empty());
    let is_asked = !matches!(standing, Standing::PullRequest | Standing::Working);
    html! {
        @if let Some(waits) = &job.waits {
            p.why {
                @if let Some(gate) = &waits.gate { strong { "Held by " (gate) } ": " }
                (waits.reason)
                @if let Some(until) = waits.until { " (asked again " (later(until, now)) ")" }
            }
        } @else if let Some(reason) = reason.filter(|_| is_asked || job.settled_at.is_none()) {
            p.why {
                @if let Some(result) = job.result.as_deref() { strong { (result) } ": " }
                (reason)
            }
        }
    }
}

fn later(until: i64, now: i64) -> Markup {
    html! { @if until <= now { "now" } @else { (ago(until, now)) } }
}

/// Its pull request and its session.
pub fn result(job: &JobRow) -> Markup {
    html! {
        @if let Some(url) = &job.pr_url { span.pr { (link(url, &pull_request(url))) } }
        @if let Some(session) = &job.session {
            span.session {
                @if let Some(url) = &session.url { (link(url, "Devin session")) }
                @else { "session " code { (session.id) } }
            }
        }
    }
}

/// When a job began and ended, for its own page.
pub fn dates(job: &JobRow) -> String {
    let from = utc(job.created_at);
    job.settled_at.map_or_else(|| format!("since {from}"), |to| format!("{from} to {}", utc(to)))
}
