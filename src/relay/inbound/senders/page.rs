//! The table of senders as people read it: at a terminal, and as a page of the documentation. Pure.

use std::fmt::Write as _;

use super::{Reader, Sender, all};

/// What stands for the address in the steps.
const URL: &str = "URL is where the relay receives the sender's webhooks (`https://<your relay>/v1/hooks/<name>`; with a secret \
                   in it, `.../<name>/<secret>`), or a program of yours that pipes each body into `source-devin-ai alert-relay run --alert -`.";

/// One line for each sender: its name, what it is, and how it signs.
pub fn list() -> String {
    let mut page = String::new();
    for sender in all() {
        let title = sender.format.sender_name();
        let also = if sender.also.is_empty() { String::new() } else { format!(" (also {})", sender.also.join(", ")) };
        let _ = writeln!(page, "{:<22}{title}{also}", sender.format.name());
    }
    page
}

/// How a sender is set up, and how its messages are read.
pub fn steps(sender: &Sender) -> String {
    let mut page = format!("{} ({})\n", sender.format.sender_name(), sender.format.name());
    if !sender.also.is_empty() {
        let _ = writeln!(page, "Also: {}", sender.also.join(", "));
    }
    let _ = writeln!(page, "Documentation: {}", sender.documentation);
    let (seen, address) = sender.evidence.name();
    let _ = writeln!(page, "The message {seen}: {address}");
    let _ = writeln!(page, "Dedupe key: {}", sender.key);
    let _ = writeln!(page, "Signature: {}", sender.signature.name());
    let _ = writeln!(
        page,
        "Its route in the rules of serve: kind: {}, auth: {}\n",
        sender.format.name(),
        sender.signature.auth()
    );
    for (step, number) in sender.setup.iter().zip(1..) {
        let _ = writeln!(page, "{number}. {step}");
    }
    let _ = writeln!(page, "\n{URL}");
    if let Some(template) = sender.template {
        let _ = writeln!(page, "\nThe body:\n\n{template}");
    }
    for text in sender.forms.iter().filter_map(|form| mapping(&form.reader)) {
        let _ = writeln!(page, "\nHow it is read, as a mapping to start from (--map):\n\n{}", text.trim());
    }
    page
}

/// The table, and the steps for each sender, in Markdown.
pub fn in_markdown() -> String {
    let mut page = String::new();
    page.push_str("| Name | Sender | Dedupe key | Signature | `auth` in `serve` |\n|---|---|---|---|---|\n");
    for sender in all() {
        let name = sender.format.name();
        let title = sender.format.sender_name();
        let signature = sender.signature.name();
        let auth = sender.signature.auth();
        let _ = writeln!(page, "| [`{name}`](#{name}) | {title} | {} | {signature} | `{auth}` |", sender.key);
    }
    for sender in all() {
        let _ = write!(page, "\n### {}\n\n", sender.format.name());
        let also = if sender.also.is_empty() { String::new() } else { format!(" Also: {}.", sender.also.join(", ")) };
        let (seen, address) = sender.evidence.name();
        let _ = writeln!(
            page,
            "[{}]({}).{also} The message [{seen}]({address}).\n",
            sender.format.sender_name(),
            sender.documentation
        );
        for (step, number) in sender.setup.iter().zip(1..) {
            let _ = writeln!(page, "{number}. {step}");
        }
        if let Some(template) = sender.template {
            let _ = writeln!(page, "\n```text\n{template}\n```");
        }
    }
    page
}

fn mapping(reader: &Reader) -> Option<&'static str> {
    match reader {
        Reader::Mapping(yaml) => Some(yaml),
        Reader::Code(_) => None,
    }
}
