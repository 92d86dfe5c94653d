//! The table of senders: every row with the messages in `tests/payloads`, and with what people read of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Grouping, alerts, names, payload, sender_of};
use crate::relay::alert::{Alert, Format, State};
use crate::relay::inbound::Mapping;
use crate::relay::inbound::senders::{Reader, Signature, all, by_name, of};

fn one(name: &str) -> Alert {
    alerts(&payload(name), Grouping::Group).unwrap_or_else(|problem| panic!("{name}: {problem}")).remove(0)
}

/// What a file's name promises: `github-workflow-firing` is of `github-workflow`, and fires.
fn promise(name: &str) -> (&str, &str) {
    name.rsplit_once('-').unwrap()
}

fn is_mapped(name: &str) -> bool {
    sender_of(name).forms.iter().all(|form| matches!(form.reader, Reader::Mapping(_)))
}

#[test]
fn a_message_is_what_its_name_says() {
    for name in names() {
        let alert = one(&name);
        let (_, promised) = promise(&name);
        match promised {
            "firing" => assert_eq!(alert.state, State::Firing, "{name}"),
            "resolved" => assert_eq!(alert.state, State::Resolved, "{name}"),
            "test" => assert_eq!(alert.state, State::Test, "{name}"),
            _ if is_mapped(&name) => assert!(matches!(alert.state, State::Other(_)), "{name}: {:?}", alert.state),
            _ => {}
        }
        assert_eq!(alert.warnings, [""; 0], "{name}");
    }
}

#[test]
fn what_ends_an_alert_has_its_key_and_another_alert_has_another() {
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for name in names().iter().filter(|name| is_mapped(name)) {
        let (subject, promised) = promise(name);
        if ["firing", "resolved"].contains(&promised) {
            keys.entry(subject.to_string()).or_default().insert(one(name).dedupe_key(&[]));
        }
    }
    let mut seen = BTreeSet::new();
    for (subject, found) in keys {
        assert_eq!(found.len(), 1, "{subject}: {found:?}");
        let key = found.into_iter().next().unwrap();
        assert!(key.starts_with(&format!("{}:", sender_of(&format!("{subject}-")).format.name())), "{subject}: {key}");
        assert!(seen.insert(key), "{subject}");
    }
}

#[test]
fn the_steps_say_where_what_proves_a_message_is_filled_in() {
    for sender in all().filter(|sender| sender.format != Format::Any) {
        let (name, steps) = (sender.format.name(), sender.setup.join(" ").to_lowercase().replace('`', ""));
        let words = match sender.signature {
            Signature::Nothing => &["with a secret in it", "secret in the url"][..],
            Signature::Sns => &["sns topic"],
            _ => &["secret", "token", "authorization header", "api key"],
        };
        assert!(words.iter().any(|word| steps.contains(word)), "{name} ({:?}): {steps}", sender.signature);
    }
}

#[test]
fn every_row_is_complete_and_has_a_message_that_fires() {
    let names = names();
    let mut known = BTreeSet::new();
    for sender in all() {
        let name = sender.format.name();
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'), "{name}");
        assert!(known.insert(name), "{name} is there twice");
        assert!(sender.documentation.starts_with("https://"), "{name}");
        assert!(!sender.setup.is_empty() && !sender.key.is_empty(), "{name}");
        assert_eq!(name.parse(), Ok(sender.format));
        for form in sender.forms {
            if let Reader::Mapping(yaml) = form.reader {
                Mapping::parse(yaml).unwrap_or_else(|problem| panic!("{name}: {problem}"));
            }
            let fires = |file: &&String| {
                let is_of = |found: &crate::relay::inbound::senders::Sender| found.format == sender.format;
                of(&first(&payload(file))).is_some_and(is_of) && one(file).state.is_firing()
            };
            assert!(
                sender.format == Format::Any
                    || names.iter().filter(|file| file.starts_with(name)).any(|file| fires(&file)),
                "{name}"
            );
        }
    }
    for format in Format::CODED {
        assert!(by_name(format.name()).is_some(), "{format}");
    }
}

fn first(value: &Value) -> Value {
    value.get(0).unwrap_or(value).clone()
}

#[test]
fn a_sender_is_found_by_the_names_of_products_that_send_its_messages() {
    for (name, sender) in [
        ("newrelic", "newrelic"),
        ("New Relic", "newrelic"),
        ("vmalert", "alertmanager"),
        ("google-managed-prometheus", "alertmanager"),
        ("terraform-cloud", "terraform"),
        ("VictorOps", "splunk-on-call"),
    ] {
        assert_eq!(by_name(name).map(|found| found.format.name()), Some(sender), "{name}");
    }
    insta::assert_snapshot!("auto".parse::<Format>().unwrap_err(), @"no such sender; did you mean autoscaling? `source-devin-ai alert-relay senders` lists them");
    insta::assert_snapshot!("Datadgo".parse::<Format>().unwrap_err(), @"no such sender; did you mean datadog? `source-devin-ai alert-relay senders` lists them");
    insta::assert_snapshot!("VictorOp".parse::<Format>().unwrap_err(), @"no such sender; did you mean splunk-on-call? `source-devin-ai alert-relay senders` lists them");
}

/// How the variables of the bodies to paste are filled in, when the alert fires and when it is over. What else is there
/// stands for itself.
const FILLED_IN: [(&str, [&str; 2]); 14] = [
    ("${{ALERT.message_type}}", ["CRITICAL", "RECOVERY"]),
    ("${currentBuild.currentResult}", ["FAILURE", "SUCCESS"]),
    ("$ALERT_CYCLE_KEY", ["1", "1"]),
    ("$ALERT_TITLE", ["CPU", "CPU"]),
    ("$ALERT_TRANSITION", ["Triggered", "Recovered"]),
    ("$NOTIFY_NOTIFICATIONTYPE", ["PROBLEM", "RECOVERY"]),
    ("$STATUS", ["down", "up"]),
    ("{EVENT.STATUS}", ["PROBLEM", "RESOLVED"]),
    ("*alertTypeFriendlyName*", ["Down", "Up"]),
    ("{{ALERT_TYPE}}", ["ALERT_FAILURE", "ALERT_RECOVERY"]),
    ("{{alert.actionGroup}}", ["threshold met", "recovered"]),
    ("{{ $state }}", ["1", "0"]),
    ("{State}", ["OPEN", "RESOLVED"]),
    (
        "{{if and (eq .app.status.health.status \"Healthy\") (ne .app.status.operationState.phase \"Failed\")}}resolved{{else}}firing{{end}}",
        ["firing", "resolved"],
    ),
];

fn filled_in(template: &str, over: usize) -> Value {
    let text = FILLED_IN.iter().fold(template.to_string(), |text, (name, words)| text.replace(name, words[over]));
    let text = text.replace("{{ json state }}", ["\"ACTIVATED\"", "\"CLOSED\""][over]);
    // Variables without quotation marks stand for values.
    let is_open = |rest: &str| rest.starts_with("{{") || rest.starts_with('$');
    let lines = text.lines().map(|line| match line.split_once("\": ") {
        Some((name, rest)) if is_open(rest) => {
            format!("{name}\": \"x\"{}\n", if rest.ends_with(',') { "," } else { "" })
        }
        _ => format!("{line}\n"),
    });
    let text: String = lines.collect();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A body that a person pastes is JSON once its variables are filled in; it is recognized as its sender's, fires, and the
/// one that ends it has its key.
#[test]
fn a_body_to_paste_is_its_senders_and_ends_what_it_began() {
    let mut pasted = 0;
    for sender in all() {
        let Some(template) = sender.template.filter(|template| template.starts_with('{')) else { continue };
        let read = |over: usize| {
            let value = filled_in(template, over);
            assert_eq!(of(&value).map(|found| found.format), Some(sender.format), "{value}");
            alerts(&value, Grouping::Group).unwrap().remove(0)
        };
        let firing = read(0);
        assert!(firing.state.is_firing() && firing.warnings.is_empty(), "{}: {:?}", sender.format, firing);
        // The body of one's own says what its program writes.
        if sender.format != Format::Generic {
            let over = read(1);
            assert_eq!((over.state, &over.identity), (State::Resolved, &firing.identity), "{}", sender.format);
        }
        pasted += 1;
    }
    assert_eq!(pasted, 14);
}

#[test]
fn a_message_that_a_row_cannot_read_is_read_by_names_with_a_warning() {
    let body =
        json!({"event_action": "trigger", "routing_key": "r", "payload": {"severity": "critical", "source": "db-1"}});
    let alert = &alerts(&body, Grouping::Group).unwrap()[0];
    assert_eq!((alert.format, &alert.state), (Format::Any, &State::Firing));
    insta::assert_snapshot!(alert.warnings[0], @"the payload cannot be read as pagerduty-events: what the mapping calls title is missing, empty or of another type, so it was read by the names of its fields");
}

#[test]
fn a_sender_that_is_named_may_come_inside_sns_and_may_send_what_is_no_alert() {
    let read = |format: &str, body: &Value| {
        let format = Some(format.parse().unwrap());
        super::read(format, body.to_string().as_bytes(), Grouping::Group)
    };
    let finding = payload("guardduty-firing");
    let inside = json!({"Type": "Notification", "MessageId": "1", "TopicArn": "t", "Message": finding.to_string()});
    assert_eq!(read("guardduty", &inside), read("guardduty", &finding));
    let push = json!({"ref": "refs/heads/main", "commits": [], "repository": {"full_name": "o/r"}});
    insta::assert_snapshot!(read("github", &push).unwrap_err(), @"the payload is a message that this sender sends beside its alerts, not an alert: `alert-relay senders NAME` says which events to choose; --format any reads it all the same");
    let own = json!({"monitor": "m", "status": "critical", "summary": "disk full"});
    let alert = read("newrelic", &own).unwrap().remove(0);
    assert_eq!((alert.format, alert.state.name(), alert.warnings.len()), (Format::Any, "firing", 1));
    // The host tells two alerts of one Datadog monitor apart, however little else the body has.
    let datadog =
        |host: &str| json!({"alert_id": "1", "title": format!("[Triggered on {{host:{host}}}] CPU"), "body": "b"});
    let key = |host: &str| alerts(&datadog(host), Grouping::Group).unwrap()[0].dedupe_key(&[]);
    assert_ne!(key("a"), key("b"));
}

/// Bodies that are near to a sender's, and are not.
#[test]
fn a_sender_is_not_seen_where_it_is_not() {
    for body in [
        json!({"action": "opened", "pull_request": {"title": "x"}, "repository": {"full_name": "o/r"}}),
        json!({"object_kind": "push", "project": {"path_with_namespace": "g/p"}, "ref": "main"}),
        json!({"text": "good morning"}),
        json!({"attachments": [{"text": "lunch?", "color": "#36a64f"}]}),
        json!({"event": "payment.failed", "check": {"id": 1}}),
        json!({"event_type": "invoice_paid", "organization": {"id": 1}, "status": "paid"}),
        json!({"id": 1, "status": "open", "summary": "x"}),
        json!({"incident": {"title": "x"}}),
    ] {
        assert_eq!(of(&body).map(|sender| sender.format), None, "{body}");
    }
}

#[test]
fn the_messages_of_all_senders() {
    let mut story = String::new();
    for name in names().iter().filter(|name| is_mapped(name)) {
        let alert = one(name);
        let severity = alert.severity.map_or("-", |severity| severity.name());
        let since = alert.started_at.as_deref().unwrap_or("-");
        story.push_str(&format!(
            "{name}: {} | {severity} | {since} | {}\n    {}\n",
            alert.state.name(),
            alert.title,
            alert.dedupe_key(&[])
        ));
    }
    insta::assert_snapshot!(story);
}
