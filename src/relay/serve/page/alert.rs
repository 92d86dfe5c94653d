//! The page of one alert: how it stands, what happened to it in order, the prompt, and what can be done. Pure.

use maud::{Markup, html};

use super::action::Action;
use super::frame::page;
use super::list::{badge, dates, meta, result, why};
use super::standing::Standing;
use super::view::{AlertPage, JobRow, Moment};
use super::words::{acus, ago, clock};

/// The page `/alerts/{tag}`.
pub fn alert(shown: &AlertPage) -> String {
    let AlertPage { frame, alert, key, jobs, timeline, prompt, .. } = shown;
    let standing = Standing::of(alert.job.as_ref());
    let main = html! {
        p.crumb { a href="/" { "All alerts" } }
        section #summary {
            h1 { (alert.title) }
            p.lead { (badge(standing)) " " (meta(alert)) }
            @if let Some(job) = &alert.job { (why(job, standing, frame.now)) }
            dl.facts {
                @if let Some(job) = &alert.job {
                    dt { "Result" } dd.result { @if job.session.is_some() || job.pr_url.is_some() { (result(job)) } @else { "no session yet" } }
                    dt { "ACUs" } dd { (job.acus.map_or_else(|| "unknown".to_string(), acus)) }
                    dt { "Integration" } dd { (job.integration) }
                }
                dt { "First fired" } dd { (ago(alert.first_at, frame.now)) }
                dt { "Last fired" } dd { (ago(alert.last_at, frame.now)) }
                dt { "Dedupe key" } dd { code { (key) } }
                dt { "Tag in Devin" } dd { code { (alert.tag) } }
            }
            (actions(shown))
        }
        section #timeline aria-labelledby="timeline-title" {
            h2 #timeline-title { "Timeline" }
            @if timeline.is_empty() { p.empty { "Nothing is kept of it any more." } }
            ol.timeline { @for moment in timeline { (line(moment, shown)) } }
        }
        @if let Some(prompt) = prompt {
            section #prompt aria-labelledby="prompt-title" {
                h2 #prompt-title { @if prompt.is_sent { "Prompt as sent" } @else { "Prompt, not sent" } }
                pre tabindex="0" { (prompt.text) }
            }
        }
        (earlier(jobs))
    };
    page(frame, &format!("{} · {} · alert-relay", standing.word(), alert.title), &main)
}

fn actions(shown: &AlertPage) -> Markup {
    let AlertPage { frame, actions, .. } = shown;
    html! {
        @if frame.may_act() {
            div.actions { @for action in actions { (frame.form(action)) } }
        }
        @if let Some(until) = shown.suppressed_until {
            p.why { strong { "Suppressed" } " until " (clock(until)) ": it starts no session before that." }
        }
    }
}

fn line(moment: &Moment, shown: &AlertPage) -> Markup {
    html! {
        li class=(moment.kind) {
            p.when { (clock(moment.at)) }
            p { strong { (moment.text) } @if let Some(detail) = &moment.detail { br; (detail) } }
            @if let Some(delivery) = moment.delivery.as_ref().filter(|_| shown.frame.may_act()) {
                p.fine { a href=(format!("/api/v1/deliveries/{delivery}")) { "Body as it came" } }
            }
            @if let Some(id) = moment.given_up.as_ref().filter(|_| shown.frame.may_act()) {
                (shown.frame.form(&Action::Resend(id.clone())))
            }
        }
    }
}

/// The jobs before the last one.
fn earlier(jobs: &[JobRow]) -> Markup {
    html! {
        @if jobs.len() > 1 {
            section #earlier aria-labelledby="earlier-title" {
                h2 #earlier-title { "Earlier jobs" }
                ul.plain { @for job in jobs.iter().skip(1) {
                    li {
                        p { (badge(Standing::of(Some(job)))) " " (dates(job)) @if let Some(value) = job.acus { ", " (acus(value)) " ACUs" } }
                        p.result { (result(job)) }
                    }
                } }
            }
        }
    }
}
