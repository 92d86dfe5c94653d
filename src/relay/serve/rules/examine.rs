//! What follows from rules that are right: what their templates come to, and which of them may take the same alert. Pure.

use super::matching::{Pattern, Text};
use super::{Route, Rule, Rules, is_repo, is_template};
use crate::relay::alert::{Alert, Format, Identity, Link, MEMBERS_KEPT, Member, Pairs, State};
use crate::relay::inbound::senders;
use crate::relay::prompt::{Key, line, named, words};
use crate::relay::serve::gates::{Limits, Runs, shown as as_written};
use redact::Redactor;

/// What was found, a sentence each.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// What fails on every alert.
    pub problems: Vec<String>,
    /// What fails on some.
    pub warnings: Vec<String>,
    /// What is meant, most likely, and good to know.
    pub notes: Vec<String>,
}

/// So many pairs of rules are told of that may take the same alert.
const MOST_PAIRS: usize = 20;

/// A label of an alert that is as large as alerts are shown, in bytes; and its description.
const LARGE_LABEL: usize = 300;
const LARGE_MESSAGE: usize = 6000;

/// Looks at all rules.
pub fn examine(rules: &Rules) -> Findings {
    let (mut problems, mut warnings) = (Told::default(), Told::default());
    for message in never_reached(&rules.bounds.limits) {
        warnings.add_of("the bridge", message);
    }
    for (name, limits) in &rules.bounds.integrations {
        never_reached(limits).for_each(|message| warnings.add_of(&format!("integration {name}"), message));
    }
    for rule in &rules.rules {
        if let Some(message) = never_matches(rule, &rules.routes) {
            warnings.add(rule, message);
        }
        never_reached(&rule.gates.limits).for_each(|message| warnings.add(rule, message));
        if let Some(message) = above(rule, rules) {
            warnings.add(rule, message);
        }
        if let Some(template) = &rule.prompt_template {
            let names = named(template.text());
            let key = Key { hashed: "key", shown: "key" };
            let made = |alert: &Alert| words(alert, key, "", Some(template), &Redactor::default()).map(drop);
            let large = full(rule, &names, &"v".repeat(LARGE_LABEL));
            match (made(&large), made(&bare(rule))) {
                (Err(problem), _) => problems.add(rule, format!("{problem}; no alert would get this prompt")),
                (Ok(()), Err(problem)) => warnings.add(
                    rule,
                    format!(
                        "on an alert with nothing but what match asks for, {problem}; it would get the default prompt"
                    ),
                ),
                (Ok(()), Ok(())) => {}
            }
        }
        let lines = rule.dedupe_key.iter().map(|key| ("dedupe_key", key));
        let lines = lines.chain(rule.session.repos.iter().filter(|repo| is_template(repo)).map(|repo| ("repo", repo)));
        for (name, template) in lines {
            let made = |alert: &Alert| match line(template, alert) {
                Ok(text) if name == "repo" && !is_repo(&text) => Err("comes to no OWNER/NAME".to_string()),
                made => made,
            };
            let instead = match name {
                "repo" => "the session would be started without it",
                _ => "the sender's own key would take its place",
            };
            let names = named(template);
            let whole = ["name", "owner/name"].map(|value| made(&full(rule, &names, value)));
            match (whole, made(&bare(rule))) {
                ([Err(problem), Err(_)], _) => problems.add(rule, format!("{name} {problem}, whatever the alert")),
                (_, Err(problem)) => {
                    let message =
                        format!("on an alert with nothing but what match asks for, {name} {problem}; {instead}");
                    warnings.add(rule, message);
                }
                (_, Ok(_)) => {}
            }
        }
        let late = rule.gates.min_occurrences.filter(|often| often.within > rule.gates.max_wait);
        if late.is_some() {
            warnings.add(rule, "min_occurrences takes longer than max_wait lets an alert wait: it may be dropped before it has fired often enough".to_string());
        }
        for message in longer_than_it_waits(rule, rules) {
            warnings.add(rule, message);
        }
    }
    Findings { problems: problems.lines(), warnings: warnings.lines(), notes: notes(&rules.rules) }
}

/// Why no alert ever comes to a rule, as far as that can be told without one.
fn never_matches(rule: &Rule, routes: &[Route]) -> Option<String> {
    if rule.matching.is_contradictory() {
        return Some(
            "no alert meets match: not excludes what it asks for beside it; remove one of the two".to_string(),
        );
    }
    // What comes in an envelope, or by a format of anybody, has a sender of its own.
    let sender = |route: &Route| match route.format {
        None | Some(Format::Any | Format::Generic | Format::CloudEvents | Format::CloudWatch) => None,
        Some(format) => Some(format.name()),
    };
    if routes.iter().any(|route| rule.matching.may_come_by(&route.name, sender(route))) {
        return None;
    }
    let names: Vec<&str> = routes.iter().map(|route| route.name.as_str()).collect();
    Some(format!(
        "no alert meets match: no route brings the senders and routes that it asks for; there are {}",
        names.join(", ")
    ))
}

/// Windows of `runs` that another one leaves nothing to hold back.
fn never_reached(limits: &Limits) -> impl Iterator<Item = String> {
    let runs = &limits.runs;
    let is_within = |one: &Runs, other: &Runs| other.count <= one.count && other.within >= one.within && one != other;
    let shown = |runs: &Runs| format!("{}/{}", runs.count, as_written(runs.within));
    runs.iter().filter_map(move |one| {
        let other = runs.iter().find(|other| is_within(one, other))?;
        Some(format!(
            "runs: {} is never reached, since {} holds as well; remove it, or lower it",
            shown(one),
            shown(other)
        ))
    })
}

/// Windows of `runs` that hold an alert for longer than it may wait.
fn longer_than_it_waits(rule: &Rule, rules: &Rules) -> Vec<String> {
    let max_wait = rule.gates.max_wait;
    let of_integration = rules.bounds.integrations.get(&rule.integration);
    let covering = [
        ("", Some(&rule.gates.limits)),
        (" of the integration", of_integration),
        (" of the bridge", Some(&rules.bounds.limits)),
    ];
    let mut told = Vec::new();
    for (whose, limits) in covering {
        for Runs { count, within } in
            limits.iter().flat_map(|limits| &limits.runs).filter(|runs| runs.within > max_wait)
        {
            let (within, max_wait) = (as_written(*within), as_written(max_wait));
            told.push(format!(
                "runs{whose}: what {count}/{within} holds for longer than max_wait, {max_wait}, is dropped; if it should wait for its turn, write max_wait: {within}"
            ));
        }
    }
    told
}

/// A rule may have more sessions at work than what covers it allows.
fn above(rule: &Rule, rules: &Rules) -> Option<String> {
    let own = rule.gates.limits.concurrent_sessions?;
    let of_integration = rules.bounds.integrations.get(&rule.integration).and_then(|limits| limits.concurrent_sessions);
    let covering = [("the integration", of_integration), ("the bridge", rules.bounds.limits.concurrent_sessions)];
    let (whose, most) =
        covering.into_iter().find_map(|(whose, most)| Some((whose, most.filter(|most| *most < own)?)))?;
    Some(format!("concurrent_sessions: {own} is never reached, since {whose} allows {most}; remove it, or lower it"))
}

/// Messages, each once, with the rules that they are about.
#[derive(Default)]
struct Told(Vec<(String, Vec<String>)>);

impl Told {
    fn add(&mut self, rule: &Rule, message: String) {
        match self.0.iter_mut().find(|(known, _)| *known == message) {
            Some((_, rules)) => rules.push(rule.id.clone()),
            None => self.0.push((message, vec![rule.id.clone()])),
        }
    }

    fn add_of(&mut self, whose: &str, message: String) {
        self.0.push((format!("{whose}: {message}"), Vec::new()));
    }

    fn lines(self) -> Vec<String> {
        let lines = self.0.into_iter().map(|(message, rules)| match &rules[..] {
            [] => message,
            [rule] => format!("rule {rule}: {message}"),
            rules => format!("rules {}: {message}", rules.join(", ")),
        });
        lines.collect()
    }
}

fn notes(rules: &[Rule]) -> Vec<String> {
    let mut notes = Vec::new();
    let enabled: Vec<&Rule> = rules.iter().filter(|rule| rule.is_enabled).collect();
    let mut pairs = 0;
    for (at, one) in enabled.iter().enumerate() {
        for other in &enabled[at + 1..] {
            if one.group == other.group || one.matching.excludes(&other.matching) {
                continue;
            }
            pairs += 1;
            if pairs <= MOST_PAIRS {
                notes.push(format!(
                    "an alert may be taken by {} (group {}) and by {} (group {}), and then has two sessions",
                    one.id, one.group, other.id, other.group
                ));
            }
        }
    }
    if pairs > MOST_PAIRS {
        notes.push(format!("and by {} more pairs of rules in different groups", pairs - MOST_PAIRS));
    }
    if !enabled.iter().any(|rule| rule.matching.is_of_all()) {
        notes.push("an alert that no rule matches starts nothing".to_string());
    }
    notes
}

/// The smallest alert that a rule is for.
fn bare(rule: &Rule) -> Alert {
    let wanted = &rule.matching.wanted;
    let example = |patterns: &[Pattern]| patterns.iter().find_map(Pattern::exact).unwrap_or("value").to_string();
    let pairs = |pairs: &[(String, Vec<Pattern>)]| -> Pairs {
        pairs.iter().map(|(name, any)| (name.clone(), example(any))).collect()
    };
    let text = |wanted_text| wanted.texts.iter().find(|(text, _)| *text == wanted_text).map(|(_, any)| example(any));
    let sender = text(Text::Sender).and_then(|name| senders::by_name(&name)).map(|sender| sender.format);
    let title = text(Text::Title).unwrap_or_else(|| "An alert".to_string());
    let identity = Identity::Own(vec!["key".to_string()]);
    let mut alert = Alert::new(sender.unwrap_or(Format::Generic), State::Firing, title, identity);
    alert.labels = pairs(&wanted.labels);
    alert.annotations = pairs(&wanted.annotations);
    alert.severity = wanted.severity.iter().copied().flatten().next();
    alert
}

/// A large alert that has whatever the template names, with this value.
fn full(rule: &Rule, names: &[String], value: &str) -> Alert {
    let mut alert = bare(rule);
    for name in names {
        let (pairs, name) = match name.split_once('.') {
            Some(("labels", name)) => (&mut alert.labels, name),
            Some(("annotations", name)) => (&mut alert.annotations, name),
            _ => continue,
        };
        pairs.entry(name.to_string()).or_insert_with(|| value.to_string());
    }
    alert.message = "m".repeat(LARGE_MESSAGE);
    alert.started_at = Some("2026-03-01T10:00:00Z".to_string());
    alert.severity = alert.severity.or(Some(crate::relay::alert::Severity::Critical));
    alert.links = vec![Link { name: "alert".to_string(), url: "https://alerts.example/1".to_string() }];
    let member = Member { labels: alert.labels.clone(), annotations: alert.annotations.clone(), ..Member::default() };
    (alert.members, alert.firing) = (vec![member; MEMBERS_KEPT], MEMBERS_KEPT);
    alert
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::serve::rules::{Devin, Surroundings, check};

    struct Nowhere;

    impl Surroundings for Nowhere {
        fn variable(&self, _: &str) -> Option<String> {
            None
        }

        fn file(&self, _: &str) -> Result<Vec<u8>, std::io::ErrorKind> {
            Err(std::io::ErrorKind::NotFound)
        }
    }

    fn found(rules: &str) -> String {
        let yaml = format!("routes: [{{name: a, auth: none}}]\n{rules}");
        let found = examine(&check(&yaml, Devin::Nobody, &Nowhere).unwrap());
        let told = |word: &str, lines: Vec<String>| lines.into_iter().map(|line| format!("{word}: {line}")).collect();
        let lines: [Vec<String>; 3] =
            [told("problem", found.problems), told("warning", found.warnings), told("note", found.notes)];
        lines.concat().join("\n")
    }

    #[test]
    fn what_follows_from_rules_is_told() {
        let long = format!("default: {{prompt_template: '{}{{{{ title }}}}'}}", "w".repeat(40_000));
        let cases = [
            "default: {prompt_template: 'Look at {{ title }} in {{ labels.region }}'}",
            "default: {prompt_template: \"Look at {{ labels.region | default('nowhere') }}\"}",
            "rules: [{id: a, match: {labels: {region: '*'}}, prompt_template: 'Look at {{ labels.region }}'}]",
            "default: {prompt_template: '{{ title * 2 }}'}",
            &long,
            "default: {repo: ['{{ labels.a }}'], dedupe_key: '{{ labels.b }}/{{ labels.c }}'}",
            "default: {repo: '{{ title }}/x/{{ title }} {{ title }}'}",
            "default: {repo: 'o/{{ labels.a }}'}\nrules: [{id: a, match: {title: x}}, {id: b, match: {labels: {a: y}}, group: b}, {id: c, match: {title: z}}]",
            "rules: [{id: a, match: {severity: high}}, {id: b, group: b, match: {severity: low}}]",
            "default: {min_occurrences: {count: 2, within: 2h}}",
            "rules: [{id: a, match: {labels: {team: a}, not: {labels: {team: [a, b]}}}}, {id: b, match: {labels: {team: [a, c]}, not: {labels: {team: a}}}}]",
            "rules: [{id: a, match: {severity: high, not: {severity: '>=medium'}}}, {id: b, match: {title: x, not: {title: '*'}}}]",
            "rules: [{id: a, match: {route: 'b*'}}, {id: b, match: {sender: grafana}}]",
            "limits: {runs: [7/1h, 3/1d], concurrent_sessions: 2}\nintegrations: [{name: main, api_key: {env: KEY}, limits: {runs: [3/1h, 7/1d]}}]\ndefault: {limits: {runs: [2/2h, 2/1h], concurrent_sessions: 3}}",
            "limits: {runs: [7/1d]}\ndefault: {max_wait: 1h}\nrules: [{id: a, match: {title: x}, limits: {runs: [3/1h, 9/2h]}}, {id: b, max_wait: 1d}]",
        ];
        let told: Vec<String> =
            cases.iter().map(|case| format!("{}\n{}\n", &case[..case.len().min(160)], found(case))).collect();
        insta::assert_snapshot!(told.join("\n"));
    }
}
