//! What an alert is called, and by what it is told apart from others. Pure.

use super::super::leaves::{Leaf, parts};
use super::super::names::{
    CODE, KEYS, KINDS, MESSAGES, NAMED, OUTPUTS, OWNERS, RULE_KEYS, SOURCES, SUBJECTS, THINGS, TITLES, WATCHED,
};
use super::heading::{self, VERBS};
use super::{pick, pick_all};
use crate::relay::alert::{Identity, State};

/// The identity: the sender's own key; else the rule, or else the title, with what names the source.
pub fn identity(leaves: &[Leaf], title: &str) -> Identity {
    if let Some(key) = key(leaves) {
        return Identity::Own(vec![key.name.clone(), key.text.clone()]);
    }
    let source = sources(leaves);
    match rule(leaves) {
        // One rule watches many things.
        Some(rule) => Identity::Title { source, title: format!("{}={}", rule.name, rule.text) },
        // What was measured this time does not identify.
        None if named_title(leaves).is_none()
            && (is_watched(leaves) || telling_message(leaves).is_none() && !source.is_empty())
            || named_title(leaves).is_some_and(is_passing) && is_build(leaves) && !source.is_empty() =>
        {
            Identity::Title { source, title: String::new() }
        }
        None => Identity::Title { source, title: lasting(title, is_build(leaves)) },
    }
}

/// The title that the payload gives; else its message, or else what it is about.
pub fn title(leaves: &[Leaf]) -> Option<String> {
    let first_line = |leaf: &Leaf| leaf.text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_string);
    let things = || {
        let named = SOURCES.iter().flat_map(|name| leaves.iter().filter(move |leaf| is_source(leaf, name)));
        let things: Vec<&str> = named.map(|leaf| leaf.text.as_str()).take(3).collect();
        let kind = leaves.iter().find(|leaf| leaf.depth == 1 && KINDS.contains(&leaf.name.as_str()) && leaf.is_text);
        let kind = kind.map(|leaf| format!("{}: ", leaf.text)).unwrap_or_default();
        (!things.is_empty()).then(|| format!("{kind}{}", things.join(", ")))
    };
    let given = named_title(leaves).or_else(|| telling_message(leaves)).and_then(first_line);
    let output = || pick(leaves, &OUTPUTS).and_then(first_line);
    let kind =
        || leaves.iter().find(|leaf| leaf.depth == 1 && KINDS.contains(&leaf.name.as_str()) && leaf.text.contains(' '));
    given.or_else(|| match (things(), output()) {
        (Some(things), Some(output)) => Some(format!("{things}: {output}")),
        (things, output) => things.or(output).or_else(|| kind().and_then(first_line)),
    })
}

/// The field that a title is best taken from.
pub fn title_field(leaves: &[Leaf]) -> Option<&Leaf> {
    named_title(leaves).or_else(|| telling_message(leaves)).or_else(|| pick(leaves, &OUTPUTS))
}

/// A message that says what it is about.
fn telling_message(leaves: &[Leaf]) -> Option<&Leaf> {
    let by_name = pick_all(leaves, &MESSAGES).find(|leaf| !OUTPUTS.contains(&leaf.name.as_str()));
    by_name.or_else(|| {
        let mut by_ending =
            leaves.iter().filter(|leaf| leaf.is_fact() && leaf.is_text && leaf.depth <= 3 && !leaf.in_list);
        by_ending.find(|leaf| {
            leaf.name.ends_with("description") && !OUTPUTS.contains(&leaf.name.as_str())
                || leaf.name.ends_with("summary")
        })
    })
}

/// The field that holds the title.
pub fn named_title(leaves: &[Leaf]) -> Option<&Leaf> {
    let is_build = is_build(leaves);
    let is_candidate = |leaf: &&Leaf| {
        leaf.is_fact()
            && leaf.is_text
            && !leaf.is_link()
            && leaf.depth <= 6
            && !OWNERS.contains(&leaf.parent.as_str())
            && title_rank(leaf).is_some()
    };
    let is_passing = |leaf: &Leaf| is_build && is_passing(leaf);
    let candidates = leaves.iter().filter(is_candidate);
    candidates.min_by_key(|leaf| (leaf.in_list, is_passing(leaf), title_rank(leaf), leaf.depth))
}

/// The field that identifies the alert.
pub fn key(leaves: &[Leaf]) -> Option<&Leaf> {
    let by_name = pick_all(leaves, &KEYS).find(|leaf| leaf.depth <= 4 && !leaf.in_list);
    by_name.or_else(|| {
        let is_subject = |leaf: &&Leaf| is_id(leaf) && leaf.depth <= 4 && SUBJECTS.contains(&leaf.parent.as_str());
        leaves.iter().find(is_subject).or_else(|| linked_id(leaves))
    })
}

/// The identifier at the top that stands in the link to the alert itself.
fn linked_id(leaves: &[Leaf]) -> Option<&Leaf> {
    const LINKS: [&str; 4] = ["issueurl", "incidenturl", "alerturl", "problemurl"];
    let links = || leaves.iter().filter(|leaf| leaf.depth == 1 && LINKS.contains(&leaf.name.as_str()));
    let is_linked =
        |leaf: &&Leaf| links().any(|link| link.text.split(['/', '?', '#', '=', '&']).any(|part| part == leaf.text));
    leaves.iter().filter(|leaf| leaf.depth == 1 && leaf.name == "id").find(is_linked)
}

fn is_id(leaf: &Leaf) -> bool {
    ["id", "uniqueid", "uuid"].contains(&leaf.name.as_str())
}

fn rule(leaves: &[Leaf]) -> Option<&Leaf> {
    pick_all(leaves, &RULE_KEYS).find(|leaf| leaf.depth <= 4 && !leaf.in_list)
}

/// What tells two alerts of one title or rule apart.
pub fn sources(leaves: &[Leaf]) -> String {
    let named = SOURCES.iter().flat_map(|name| leaves.iter().filter(move |leaf| is_source(leaf, name)));
    named.map(|leaf| format!("{}={}", leaf.path, leaf.text)).collect::<Vec<_>>().join("\n")
}

/// The same of an alert whose title, labels and `source` count already.
pub fn further_sources(leaves: &[Leaf]) -> String {
    let counts = |leaf: &Leaf| {
        ["source", "labels", "metadata", "annotations"].contains(&leaf.path.split('.').next().unwrap_or_default())
    };
    let named =
        SOURCES.iter().flat_map(|name| leaves.iter().filter(move |leaf| is_source(leaf, name) && !counts(leaf)));
    named.map(|leaf| format!("{}={}", leaf.path, leaf.text)).collect::<Vec<_>>().join("\n")
}

/// Whether it tells of a check of one thing, so that a message beside it says only how it went this time.
fn is_watched(leaves: &[Leaf]) -> bool {
    leaves.iter().any(|leaf| WATCHED.iter().any(|name| is_source(leaf, name)))
}

fn is_source(leaf: &Leaf, name: &str) -> bool {
    leaf.depth <= 3
        && !leaf.in_list
        && (leaf.name == name
            || leaf.parent == name && NAMED.contains(&leaf.name.as_str())
            // A site that is watched is called by its address.
            || leaf.parent == name && leaf.name == "url" && ["site", "website", "endpoint"].contains(&name))
}

/// Whether it is what a commit says, and so another text in each build.
fn is_passing(leaf: &Leaf) -> bool {
    ["title", "message", "subject", "displaytitle"].contains(&leaf.name.as_str())
}

/// Whether it tells of code that is built or delivered.
fn is_build(leaves: &[Leaf]) -> bool {
    leaves.iter().any(|leaf| leaf.depth <= 4 && CODE.contains(&leaf.name.as_str()))
}

fn title_rank(leaf: &Leaf) -> Option<usize> {
    let name = leaf.name.as_str();
    let is_about_alerts = || parts(leaf.own_name()).iter().any(|part| THINGS.contains(&part.as_str()));
    let at = |name: &str| TITLES.iter().position(|title| *title == name);
    let rank = at(name);
    // `check.down` is a kind, `NodeDown` a name.
    let is_kind = name == "event" && leaf.text.contains(['.', ':', '_']);
    if is_kind || rank >= at("alert") && State::known(&leaf.text).is_some() {
        return None;
    }
    rank.or_else(|| match name {
        _ if name.ends_with("title") || name.ends_with("subject") || name.ends_with("displayname") => {
            at("shortdescription")
        }
        "label" if SUBJECTS.contains(&leaf.parent.as_str()) => at("name"),
        _ if name.ends_with("name") && is_about_alerts() => at("jobname"),
        _ => None,
    })
}

/// A title without the words for a state around it, and that of a build without numbers.
fn lasting(title: &str, is_build: bool) -> String {
    let rest = heading::split(title).map_or(title, |(_, rest)| rest);
    let mut words: Vec<&str> = rest.split_whitespace().collect();
    let ends = words.last().is_some_and(|word| State::known(word).is_some());
    if ends && words.len() > 2 && VERBS.contains(&words[words.len() - 2]) {
        words.pop();
        while words.len() > 1 && words.last().is_some_and(|word| VERBS.contains(word)) {
            words.pop();
        }
    }
    if is_build {
        words.retain(|word| !word.trim_start_matches('#').bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_a_state_around_a_title_do_not_count() {
        for title in ["[RESOLVED] disk full", "Problem: disk full", "[FIRING:1] disk full", "disk full"] {
            assert_eq!(lasting(title, false), "disk full");
        }
        assert_eq!(lasting("db-1 is down", false), lasting("db-1 has recovered", false));
        assert_eq!(lasting("[db-1] is it 5?", false), "[db-1] is it 5?");
        assert_eq!(lasting("build #12 of 7.3", true), "build of");
    }
}
