//! The status page: how many alerts stand how, what is switched off, the list, and beside it what explains it. Pure.

use maud::{Markup, html};

use super::action::Action;
use super::beside::{integrations, limits, refusals, routes, rules, storms};
use super::chart::charts;
use super::filter::Filter;
use super::frame::page;
use super::list::list;
use super::view::{Health, Overview, Tally};
use super::words::{acus, ago};

/// The page `/`.
pub fn overview(overview: &Overview) -> String {
    let Tally { working, waiting, blocked, .. } = &overview.tally;
    let title = format!("{working} working, {waiting} waiting, {blocked} need a person · alert-relay");
    let main = html! {
        h1.hidden { "Status of alert-relay" }
        (warnings(overview))
        (tally(&overview.tally))
        div.columns {
            div.main {
                (storms(&overview.storms, overview.frame.now))
                (list(overview))
            }
            aside aria-label="Limits, integrations, rules and routes" {
                (limits(&overview.limits, overview.frame.now))
                (integrations(overview))
                (rules(overview))
                (routes(&overview.routes, overview.frame.now))
                (refusals(&overview.refusals, overview.frame.now))
                (controls(overview))
            }
        }
        (charts(overview))
    };
    page(&overview.frame, &title, &main)
}

/// What keeps everything, or much, from starting: first of all.
fn warnings(overview: &Overview) -> Markup {
    let now = overview.frame.now;
    let bad = overview.integrations.iter().filter(|one| one.health == Health::Bad);
    html! {
        div #warnings {
            @if let Some(reason) = &overview.kill_switch {
                p.notice.bad role="alert" { strong { "Everything is paused." } " No session starts: " (reason) "." }
            }
            @for (one, quota) in overview.integrations.iter().filter_map(|one| Some((one, one.quota?))) {
                p.notice.bad role="alert" {
                    strong { "The quota of the integration " (one.name) " is used up" } ", since " (ago(quota.since, now))
                    ". One start is tried every 15 minutes until a session has worked, the next " @if quota.next_at > now { (ago(quota.next_at, now)) } @else { "with the next alert" }
                    ". To go on sooner, raise the limit in Devin, and retry an " a href=(Filter::only(Filter::QUOTA).address()) { "alert that was stopped" }
                    " or start another one again: that is tried at once, and when its session has worked, all others start."
                }
            }
            @for one in bad {
                p.notice.bad role="alert" { strong { "The integration " (one.name) " is paused." } " " (one.text) }
            }
        }
    }
}

fn tally(tally: &Tally) -> Markup {
    let counts = [
        ("on_it", "Working", tally.working, "work"),
        ("waiting", "Waiting", tally.waiting, "wait"),
        ("blocked", "Need a person", tally.blocked, "warn"),
    ];
    html! {
        ul.tally #tally aria-label="Alerts, now and today (UTC)" {
            @for (state, word, number, tone) in counts {
                li class=(if number == 0 { "none" } else { tone }) {
                    a href=(Filter::only(state).address()) { span.figure { (number) } " " span.word { (word) } }
                }
            }
            li.good { span.figure { (tally.pull_requests_today) } " " span.word { "Pull requests today" } }
            li.quiet { span.figure { (tally.dropped_today) } " " span.word { "Alerts dropped today" } }
            li.quiet { span.figure { (acus(tally.acus_today)) } " " span.word { "ACUs today" } }
        }
    }
}

fn controls(overview: &Overview) -> Markup {
    let switch = if overview.kill_switch.is_some() { Action::GoOn } else { Action::StopAll };
    html! {
        @if overview.frame.may_act() {
            section #controls aria-labelledby="controls-title" {
                h2 #controls-title { "Controls" }
                (overview.frame.form(&switch))
                (overview.frame.form(&Action::Reload))
            }
        }
    }
}
