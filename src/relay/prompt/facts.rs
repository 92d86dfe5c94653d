//! An alert's values, cleaned and cut to size: all that a prompt may show, and the block of data made of them. Knows no
//! secrets: they have been removed before. Pure.

use std::fmt::Write;

use serde::Serialize;

use super::fence::fenced;
use crate::relay::alert::{Alert, Format, Identity, Link, Member, Pairs, State, tag};
use crate::relay::text::{cap, link, plain, plain_line};

/// What a template may name.
pub const VARIABLES: [&str; 19] = [
    "annotations",
    "data",
    "dedupe_key",
    "firing",
    "is_firing",
    "labels",
    "links",
    "members",
    "message",
    "more_members",
    "secrets_removed",
    "sender",
    "sender_name",
    "severity",
    "started_at",
    "state",
    "tag",
    "title",
    "truncated",
];

/// How much is shown: numbers of things, and bytes of texts.
const MEMBERS: usize = 20;
const PAIRS: usize = 40;
const LINKS: usize = 15;
const NAME_BYTES: usize = 100;
const LINE_BYTES: usize = 300;
const ANNOTATION_BYTES: usize = 2000;
const MESSAGE_BYTES: usize = 6000;
const BLOCK_BYTES: usize = 24 * 1024;

/// The variables of a template. Texts that the alert lacks are empty.
#[derive(Debug, Serialize)]
pub struct Facts {
    pub sender: &'static str,
    pub sender_name: &'static str,
    pub state: String,
    pub is_firing: bool,
    pub title: String,
    pub message: String,
    pub severity: &'static str,
    pub started_at: String,
    pub labels: Pairs,
    pub annotations: Pairs,
    pub links: Vec<Page>,
    pub members: Vec<Part>,
    /// How many alerts fire in the group.
    pub firing: usize,
    /// How many of them are not in `members`.
    pub more_members: usize,
    /// How many the sender left out.
    pub truncated: u64,
    /// How many secrets were cut out of the texts; `****` stands for each.
    pub secrets_removed: usize,
    pub dedupe_key: String,
    pub tag: String,
    /// All foreign texts above as one block between marks, with the sentence before it.
    pub data: String,
}

/// A member of a group, without what it shares with the others.
#[derive(Debug, Serialize)]
pub struct Part {
    pub labels: Pairs,
    pub annotations: Pairs,
    pub started_at: String,
    pub links: Vec<Page>,
}

/// A link that may be shown.
#[derive(Debug, Serialize)]
pub struct Page {
    pub name: String,
    pub url: String,
}

impl Facts {
    /// The values of `alert`. Its long texts are cut to the usual length halved `halvings` times.
    pub fn of(alert: &Alert, key: &str, halvings: u32) -> Facts {
        let annotation_bytes = ANNOTATION_BYTES >> halvings;
        let sender = alert.format.name();
        let mut facts = Facts {
            sender,
            sender_name: alert.format.sender_name(),
            state: plain_line(alert.state.name(), NAME_BYTES),
            is_firing: alert.state.is_firing(),
            title: plain_line(&alert.title, LINE_BYTES),
            message: plain(&alert.message, MESSAGE_BYTES >> halvings),
            severity: alert.severity.map_or("", |severity| severity.name()),
            started_at: plain_line(alert.started_at.as_deref().unwrap_or_default(), NAME_BYTES),
            labels: pairs(&alert.labels, LINE_BYTES),
            annotations: pairs(&alert.annotations, annotation_bytes),
            links: pages(&alert.links),
            members: alert.members.iter().take(MEMBERS).map(|member| part(alert, member)).collect(),
            firing: alert.firing,
            more_members: alert.firing - alert.members.len().min(MEMBERS),
            truncated: alert.truncated,
            secrets_removed: 0,
            dedupe_key: plain_line(key, LINE_BYTES),
            tag: tag(key),
            data: String::new(),
        };
        facts.data = fenced(&cap(facts.block(alert).trim_end(), BLOCK_BYTES >> halvings));
        facts
    }

    /// A group of one that has something of everything, to try a template on.
    pub fn example() -> Facts {
        let text = |text: &str| text.to_string();
        let pairs = Pairs::from([(text("alertname"), text("Example"))]);
        let mut alert =
            Alert::new(Format::Generic, State::Firing, text("Example"), Identity::Own(vec![text("example")]));
        alert.links = vec![Link { name: text("alert"), url: text("https://alerts.example") }];
        let member = Member { labels: pairs.clone(), annotations: pairs.clone(), ..Member::default() };
        (alert.members, alert.firing) = (vec![member], 1);
        (alert.labels, alert.annotations) = (pairs.clone(), pairs);
        Facts::of(&alert, "generic:example", 0)
    }

    fn block(&self, alert: &Alert) -> String {
        let mut out = String::new();
        let mut line = |name: &str, text: &str| {
            if !text.is_empty() {
                let _ = writeln!(out, "{name}: {}", indented(text));
            }
        };
        line("Title", &self.title);
        line("State", &self.state);
        line("Message", if self.annotations.values().any(|text| *text == self.message) { "" } else { &self.message });
        list(&mut out, "Labels", &self.labels, alert.labels.len());
        list(&mut out, "Annotations", &self.annotations, alert.annotations.len());
        if !self.links.is_empty() {
            out.push_str("Links:\n");
            self.links.iter().for_each(|page| write_page(&mut out, "  ", page));
        }
        if self.firing > 1 || self.truncated > 0 {
            self.list_members(&mut out);
        }
        out
    }

    fn list_members(&self, out: &mut String) {
        let _ = writeln!(out, "Firing alerts, each with what it does not share with the others:");
        for (number, part) in (1..).zip(&self.members) {
            let since = if part.started_at.is_empty() { "" } else { " since " };
            let _ = writeln!(out, "  {number}. firing{since}{}", part.started_at);
            for (name, text) in part.labels.iter().chain(&part.annotations) {
                let _ = writeln!(out, "     {name}: {}", indented(text));
            }
            part.links.iter().for_each(|page| write_page(out, "     ", page));
        }
        if self.more_members > 0 {
            let _ = writeln!(out, "  and {} more", self.more_members);
        }
        if self.truncated > 0 {
            let _ = writeln!(out, "  and {} that the sender left out", self.truncated);
        }
    }
}

fn list(out: &mut String, heading: &str, pairs: &Pairs, all: usize) {
    if pairs.is_empty() {
        return;
    }
    let _ = writeln!(out, "{heading}:");
    for (name, text) in pairs {
        let _ = writeln!(out, "  {name}: {}", indented(text));
    }
    if all > PAIRS {
        let _ = writeln!(out, "  and {} more", all - PAIRS);
    }
}

fn write_page(out: &mut String, margin: &str, page: &Page) {
    let _ = writeln!(out, "{margin}{}: {}", page.name, page.url);
}

/// Further lines stand deeper than any name, so that a value cannot pass for another field.
fn indented(text: &str) -> String {
    text.replace('\n', "\n          ")
}

fn part(alert: &Alert, member: &Member) -> Part {
    let own = |of_member: &Pairs, of_group: &Pairs| -> Pairs {
        let own = of_member.iter().filter(|(name, value)| of_group.get(*name) != Some(value));
        pairs(&own.map(|(name, value)| (name.clone(), value.clone())).collect(), LINE_BYTES)
    };
    let links: Vec<Link> = member.links.iter().filter(|link| !alert.links.contains(link)).cloned().collect();
    Part {
        labels: own(&member.labels, &alert.labels),
        annotations: own(&member.annotations, &alert.annotations),
        started_at: plain_line(member.started_at.as_deref().unwrap_or_default(), NAME_BYTES),
        links: pages(&links),
    }
}

fn pairs(pairs: &Pairs, limit: usize) -> Pairs {
    let fit = |(name, value): (&String, &String)| (plain_line(name, NAME_BYTES), plain(value, limit));
    pairs.iter().take(PAIRS).map(fit).collect()
}

/// The links that lead to web pages.
fn pages(links: &[Link]) -> Vec<Page> {
    let page = |found: &Link| Some(Page { name: plain_line(&found.name, NAME_BYTES), url: link(&found.url)? });
    links.iter().filter_map(page).take(LINKS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variables_are_the_fields() {
        let value = serde_json::to_value(Facts::example()).unwrap();
        let mut names: Vec<&String> = value.as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(names, VARIABLES);
    }
}
