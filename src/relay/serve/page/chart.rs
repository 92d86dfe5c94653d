//! Pictures of the last days, as SVG, each with the same in words and in a table for those who do not see it. Pure.

use chrono::NaiveDate;
use maud::{Markup, html};

use super::view::{Day, Overview, RuleCost, ToPullRequest};
use super::words::{acus, count, span};

/// What the picture of the days measures, in units of its own.
const WIDTH: f64 = 280.0;
const HEIGHT: f64 = 88.0;
/// What the dates below it take.
const AXIS: f64 = 14.0;

/// The ends of a day from the bottom up: the color and the word.
const ENDS: [(&str, &str); 4] =
    [("good", "Pull request"), ("quiet", "Done without"), ("warn", "Needs a person"), ("bad", "Dropped")];

/// All pictures; nothing where nothing has begun or ended yet.
pub fn charts(overview: &Overview) -> Markup {
    let Overview { days, to_pull_request, costs, .. } = overview;
    html! {
        section.charts #charts aria-labelledby="charts-title" hidden[days.iter().all(|day| highest(day) == 0)] {
            h2 #charts-title { "The last " (days.len()) " days" }
            div.figures {
                (outcomes(days))
                (time_to_pull_request(*to_pull_request, days))
                (costs_by_rule(costs))
            }
        }
    }
}

fn ends(day: &Day) -> [u64; 4] {
    [day.pull_requests, day.done, day.blocked, day.dropped]
}

fn highest(day: &Day) -> u64 {
    ends(day).iter().sum::<u64>().max(day.sessions)
}

/// Stacked bars for how alerts ended, by day, and a dot for the sessions that began.
fn outcomes(days: &[Day]) -> Markup {
    let most = days.iter().map(highest).max().unwrap_or(0).max(1);
    let sessions: u64 = days.iter().map(|day| day.sessions).sum();
    let total = |index: usize| days.iter().map(|day| ends(day)[index]).sum::<u64>();
    let words: Vec<String> =
        ENDS.iter().enumerate().map(|(index, (_, word))| format!("{word}: {}", total(index))).collect();
    html! {
        figure {
            figcaption { "Sessions, and how alerts ended, by day" }
            svg role="img" aria-label=(format!("Sessions: {sessions}, {}", words.join(", "))) viewBox=(view_box()) {
                (axis(days))
                @for (index, day) in days.iter().enumerate() {
                    @let (x, width) = column(index, days.len());
                    g {
                        title { (day.date) ": " (count(day.sessions, "session")) " began, " (count(ends(day).iter().sum(), "alert")) " ended" }
                        @for ((top, height), (tone, _)) in stack(ends(day), most).iter().zip(ENDS) {
                            @if *height > 0.0 { rect class=(tone) x=(fixed(x)) y=(fixed(*top)) width=(fixed(width)) height=(fixed(*height)) {} }
                        }
                        @if day.sessions > 0 { circle.work cx=(fixed(x + width / 2.0)) cy=(fixed(top(day.sessions, most))) r="3" {} }
                    }
                }
            }
            ul.legend {
                li { span.dot.work {} "Sessions " strong { (sessions) } }
                @for (index, (tone, word)) in ENDS.iter().enumerate() {
                    li { span class={"dot " (tone)} {} (word) " " strong { (total(index)) } }
                }
            }
            details { summary { "As a table" } (outcome_table(days)) }
        }
    }
}

fn outcome_table(days: &[Day]) -> Markup {
    html! {
        div.scroll tabindex="0" { table {
            thead { tr {
                th scope="col" { "Day" } th.number scope="col" { "Sessions" }
                @for (_, word) in ENDS { th.number scope="col" { (word) } }
            } }
            tbody { @for day in days.iter().rev() {
                tr { th scope="row" { (day.date) } td.number { (day.sessions) } @for end in ends(day) { td.number { (end) } } }
            } }
        } }
    }
}

fn view_box() -> String {
    format!("0 0 {WIDTH} {}", HEIGHT + AXIS)
}

/// The floor, and below it the first day, one in the middle, and the last.
fn axis(days: &[Day]) -> Markup {
    let middle = days.len() / 2;
    let at = |index: usize| {
        let (x, width) = column(index, days.len());
        fixed(x + width / 2.0)
    };
    html! {
        line.floor x1="0" x2=(WIDTH) y1=(HEIGHT - 0.5) y2=(HEIGHT - 0.5) {}
        @if let [first, .., last] = days {
            text.axis x="0" y=(HEIGHT + AXIS - 3.0) { (short_date(&first.date)) }
            @if days.len() > 6 { text.axis.middle x=(at(middle)) y=(HEIGHT + AXIS - 3.0) { (short_date(&days[middle].date)) } }
            text.axis.end x=(WIDTH) y=(HEIGHT + AXIS - 3.0) { (short_date(&last.date)) }
        }
    }
}

/// `Nov 28` for `2026-11-28`.
fn short_date(date: &str) -> String {
    NaiveDate::parse_from_str(date, "%Y-%m-%d")
        .map_or_else(|_| date.to_string(), |date| date.format("%b %-d").to_string())
}

/// From the bottom up: where each part begins and how high it is.
fn stack(parts: [u64; 4], most: u64) -> [(f64, f64); 4] {
    let mut below = 0;
    parts.map(|part| {
        let floor = top(below, most);
        below += part;
        (top(below, most), floor - top(below, most))
    })
}

/// How far from the top so many reach.
fn top(count: u64, most: u64) -> f64 {
    HEIGHT - 1.0 - count as f64 / most as f64 * (HEIGHT - 6.0)
}

/// Where the column of a day begins, and how wide it is.
fn column(index: usize, of: usize) -> (f64, f64) {
    let step = WIDTH / of.max(1) as f64;
    (step * index as f64 + step * 0.15, step * 0.7)
}

/// A bar for each day as high as half of its pull requests took, and a line up to what nine of ten took.
fn time_to_pull_request(time: ToPullRequest, days: &[Day]) -> Markup {
    let ToPullRequest { count: number, half_ms, most_ms } = time;
    let most = days.iter().map(|day| day.to_pull_request.most_ms).max().unwrap_or(0).max(1);
    let height = |ms: i64| top(ms.unsigned_abs(), most.unsigned_abs());
    html! {
        figure {
            figcaption { "From alert to pull request, by day" }
            @if number == 0 { p.empty { "No pull request yet." } }
            @else {
                svg role="img" aria-label=(format!("Half of them within {}, nine of ten within {}", span(half_ms), span(most_ms))) viewBox=(view_box()) {
                    (axis(days))
                    @for (index, day) in days.iter().enumerate().filter(|(_, day)| day.to_pull_request.count > 0) {
                        @let (x, width) = column(index, days.len());
                        @let ToPullRequest { count: of_day, half_ms, most_ms } = day.to_pull_request;
                        g {
                            title { (day.date) ": half of " (count(of_day, "pull request")) " within " (span(half_ms)) ", nine of ten within " (span(most_ms)) }
                            rect.work x=(fixed(x)) y=(fixed(height(half_ms))) width=(fixed(width)) height=(fixed(HEIGHT - 1.0 - height(half_ms))) {}
                            line.whisker x1=(fixed(x + width / 2.0)) x2=(fixed(x + width / 2.0)) y1=(fixed(height(most_ms))) y2=(fixed(height(half_ms))) {}
                        }
                    }
                }
                ul.legend {
                    li { span.dot.work {} "Half within " strong { (span(half_ms)) } }
                    li { "Nine of ten within " strong { (span(most_ms)) } " · " (count(number, "pull request")) }
                }
                details { summary { "As a table" } (time_table(days)) }
            }
        }
    }
}

fn time_table(days: &[Day]) -> Markup {
    html! {
        div.scroll tabindex="0" { table {
            thead { tr {
                th scope="col" { "Day" } th.number scope="col" { "Pull requests" }
                th.number scope="col" { "Half within" } th.number scope="col" { "Nine of ten within" }
            } }
            tbody { @for day in days.iter().rev().filter(|day| day.to_pull_request.count > 0) {
                @let ToPullRequest { count, half_ms, most_ms } = day.to_pull_request;
                tr { th scope="row" { (day.date) } td.number { (count) } td.number { (span(half_ms)) } td.number { (span(most_ms)) } }
            } }
        } }
    }
}

/// One bar for each rule, the dearest first; it is its own table.
fn costs_by_rule(costs: &[RuleCost]) -> Markup {
    let most = costs.iter().map(|cost| cost.acus).fold(0.0, f64::max);
    html! {
        figure {
            figcaption { "ACUs by rule" }
            @if most <= 0.0 { p.empty { "No session has reported ACUs. For self-serve plans, Devin reports none." } }
            @else { table.costs {
                thead.hidden { tr { th scope="col" { "Rule" } th scope="col" { "Share" } th scope="col" { "ACUs" } } }
                tbody { @for cost in costs {
                    tr {
                        th scope="row" { (cost.rule) }
                        td { svg.bar aria-hidden="true" viewBox="0 0 100 4" preserveAspectRatio="none" {
                            rect.track width="100" height="4" {}
                            rect.work width=(fixed(cost.acus / most * 100.0)) height="4" {}
                        } }
                        td.number { (acus(cost.acus)) }
                    }
                } }
            } }
        }
    }
}

fn fixed(value: f64) -> String {
    format!("{value:.1}")
}
