//! Times, numbers and addresses in the words of the pages. Pure.

use chrono::{DateTime, SecondsFormat};
use maud::{Markup, html};

/// How long something took or is ago, in the largest unit that fits: `47 s`, `3 min`, `5 h`, `12 d`.
pub fn span(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A moment as it lies from `now`, with the moment itself to be read by programs and by whoever points at it.
pub fn ago(at: i64, now: i64) -> Markup {
    let text = if at > now { format!("in {}", span(at - now)) } else { format!("{} ago", span(now - at)) };
    moment(at, &text)
}

/// A moment in UTC.
pub fn clock(at: i64) -> Markup {
    moment(at, &utc(at))
}

fn moment(at: i64, text: &str) -> Markup {
    let machine = DateTime::from_timestamp_millis(at).map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
    html! { time datetime=[machine] title=(utc(at)) { (text) } }
}

/// `2026-11-28 22:10:05 UTC`
pub fn utc(at: i64) -> String {
    let at = DateTime::from_timestamp_millis(at);
    at.map_or_else(|| "an unknown time".to_string(), |at| at.format("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// ACUs with the digits that matter: `12`, `3.4`, `0.05`.
pub fn acus(value: f64) -> String {
    let text = if value != 0.0 && value.abs() < 0.1 { format!("{value:.2}") } else { format!("{value:.1}") };
    text.strip_suffix(".0").map_or(text.clone(), str::to_string)
}

/// `1 session`, `3 sessions`
pub fn count(number: u64, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// A link, where the address is one of the web's; anything else is only text.
pub fn link(address: &str, text: &str) -> Markup {
    html! {
        @if is_web(address) { a href=(address) rel="noopener noreferrer" { (text) } }
        @else { span { (text) } }
    }
}

fn is_web(address: &str) -> bool {
    let scheme = address.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("http" | "https"))
}

/// A pull request as people write it: `owner/repo#12`; else its address without the scheme.
pub fn pull_request(address: &str) -> String {
    let bare = address.split_once("://").map_or(address, |(_, rest)| rest);
    let path: Vec<&str> = bare.trim_end_matches('/').split('/').collect();
    match path[..] {
        [_, owner, repo, "pull" | "pulls" | "pull-requests", number] => format!("{owner}/{repo}#{number}"),
        [_, owner, .., repo, "-", "merge_requests", number] => format!("{owner}/{repo}!{number}"),
        _ => bare.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_the_unit_that_fits() {
        let spans = [-5, 0, 59_999, 60_000, 3_599_999, 3_600_000, 172_799_999, 172_800_000].map(span);
        assert_eq!(spans, ["0 s", "0 s", "59 s", "1 min", "59 min", "1 h", "47 h", "2 d"]);
    }

    #[test]
    fn only_an_address_of_the_web_is_a_link() {
        let shown = |address: &str| link(address, "x").into_string();
        assert_eq!(shown("https://a.b/c"), r#"<a href="https://a.b/c" rel="noopener noreferrer">x</a>"#);
        assert!(shown("HTTP://a.b").starts_with("<a "));
        for hostile in
            ["javascript:alert(1)", "javascript://a.b/%0aalert(1)", " https://a.b", "data:text/html,x", "//a.b"]
        {
            assert_eq!(shown(hostile), "<span>x</span>", "{hostile}");
        }
        assert!(
            shown(r#"https://a.b/"onclick="alert(1)"#).contains(r#"href="https://a.b/&quot;onclick=&quot;alert(1)""#)
        );
    }

    #[test]
    fn a_pull_request_has_its_short_name() {
        let names = [
            "https://github.com/a/b/pull/12",
            "https://gitlab.com/a/b/-/merge_requests/3/",
            "https://bitbucket.org/a/b/pull-requests/4",
            "https://git.example.com/x",
            "no address",
        ]
        .map(pull_request);
        assert_eq!(names, ["a/b#12", "a/b!3", "a/b#4", "git.example.com/x", "no address"]);
    }

    #[test]
    fn acus_have_the_digits_that_matter() {
        assert_eq!([0.0, 12.0, 3.44, 0.05].map(acus), ["0", "12", "3.4", "0.05"]);
    }
}
