//! THE TABLE of senders: one row each, with the marks by which it is recognized, where the values of an alert stand, how
//! it signs, and how it is set up. Pure.
//!
//! Adding a sender is adding a row; `CONTRIBUTING.md` shows one. A row has code only where a mapping is not enough.

mod builds;
mod delivery;
mod errors;
mod events;
mod hosts;
mod incidents;
mod infrastructure;
mod logs;
mod monitoring;
mod own;
mod page;
mod repositories;
mod security;
mod signature;
mod uptime;

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

pub use page::{in_markdown, list, steps};
pub use signature::{Hash, Signature, Signed};

use super::fields::Fields;
use super::stand_in::{by_names, instead};
use super::{Delivery, Grouping, Mapping, Problem, any, cloudwatch, generic};
use crate::config::similar;
use crate::relay::alert::{Format, Mapped};
use crate::relay::engine::Allowance;

/// One sender.
#[derive(Debug)]
pub struct Sender {
    pub format: Format,
    /// Other products whose messages have the same form.
    pub also: &'static [&'static str],
    /// Where the sender describes its message.
    pub documentation: &'static str,
    /// What the row was compared with.
    pub evidence: Evidence,
    /// The kinds of its messages; none where the user writes the body in the form of an alert of their own.
    pub forms: &'static [Form],
    /// What the dedupe key is made of.
    pub key: &'static str,
    pub signature: Signature,
    /// What to do in the sender, step by step.
    pub setup: &'static [&'static str],
    /// The body to paste, where the body is the user's to write.
    pub template: Option<&'static str>,
}

/// Where a sender's message can be seen, so that a row can be compared with it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// The sender's documentation, or its own samples, show the message.
    Shown(&'static str),
    /// The sender's code writes it.
    Sent(&'static str),
    /// Others have kept messages that they received; nothing of the sender itself was found.
    Kept(&'static str),
}

/// One kind of a sender's messages.
#[derive(Debug)]
pub struct Form {
    /// A message is of this kind when all marks of one line are there. `a.b` is a path, `a=x` asks for a value, `a~x` for
    /// the beginning of one, `a?` for a field that may be null.
    pub marks: &'static [&'static [&'static str]],
    pub reader: Reader,
}

/// How a message is read.
#[derive(Debug)]
pub enum Reader {
    /// The mapping as `--map` takes it.
    Mapping(&'static str),
    Code(Code),
}

/// Reads a message that no mapping can read.
pub type Code = fn(Fields, Grouping, &mut Delivery) -> Result<(), Problem>;

/// All rows, in the order in which marks are tried.
pub fn all() -> impl Iterator<Item = &'static Sender> {
    [
        incidents::SENDERS,
        infrastructure::SENDERS,
        events::SENDERS,
        errors::SENDERS,
        monitoring::SENDERS,
        logs::SENDERS,
        hosts::SENDERS,
        repositories::SENDERS,
        builds::SENDERS,
        delivery::SENDERS,
        uptime::SENDERS,
        security::SENDERS,
        own::SENDERS,
    ]
    .into_iter()
    .flatten()
}

/// The row of a sender, or of a product whose messages have the form of its messages.
pub fn by_name(name: &str) -> Option<&'static Sender> {
    let is_other = |sender: &&Sender| sender.also.iter().any(|other| slug(other) == slug(name));
    all().find(|sender| slug(sender.format.name()) == slug(name)).or_else(|| all().find(is_other))
}

/// What is said of a name that no sender has, with the name that it is like.
pub fn no_such_sender(name: &str) -> String {
    let names = |sender: &'static Sender| [sender.format.name()].into_iter().chain(sender.also.iter().copied());
    let known: Vec<String> = all().flat_map(names).map(slug).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let near = similar(&slug(name), &known).and_then(by_name);
    let near = near.map(|sender| format!("did you mean {}? ", sender.format.name())).unwrap_or_default();
    format!("no such sender; {near}`source-devin-ai alert-relay senders` lists them")
}

/// The sender whose marks a payload bears.
pub fn of(payload: &Value) -> Option<&'static Sender> {
    all().find(|sender| sender.form(payload).is_some())
}

impl Sender {
    /// Reads a message as this sender's. What cannot be read so, but is an alert, is read like a message of a sender that
    /// nobody knows, with a warning.
    ///
    /// # Errors
    /// Why nothing of it is taken.
    pub fn read(&self, value: &Value, grouping: Grouping, delivery: &mut Delivery) -> Result<(), Problem> {
        let payload = Fields { format: self.format, value };
        let code = || self.forms.iter().find(|form| matches!(form.reader, Reader::Code(_)));
        match self.form(value).or_else(code).map(|form| &form.reader) {
            None if self.forms.is_empty() => {
                let read = generic::read(Fields { format: Format::Generic, value });
                delivery.alerts.push(read.or_else(|problem| instead(value, problem))?);
            }
            None => return beside(value, grouping, delivery),
            Some(Reader::Code(read)) => {
                if let Err(problem) = read(payload, grouping, delivery) {
                    delivery.alerts.push(instead(value, problem)?);
                }
            }
            Some(Reader::Mapping(yaml)) => {
                let (mapping, mut allowance) = (parsed(yaml), Allowance::of_a_delivery());
                for item in mapping.items(value) {
                    let alert = mapping.alert(self.format, item, &mut allowance);
                    delivery.alerts.push(alert.unwrap_or_else(|problem| by_names(item, &problem)));
                }
            }
        }
        Ok(())
    }

    /// The kind of message that a payload is, if it is this sender's.
    pub fn form(&self, payload: &Value) -> Option<&Form> {
        let fields = Fields { format: self.format, value: payload };
        let has_all = |marks: &&[&str]| marks.iter().all(|mark| bears(fields, mark));
        self.forms.iter().find(|form| form.marks.iter().any(has_all))
    }
}

/// A message of a sender that is named, though it has none of its marks: in an envelope of SNS, of another form, or no alert.
fn beside(value: &Value, grouping: Grouping, delivery: &mut Delivery) -> Result<(), Problem> {
    let payload = Fields { format: Format::CloudWatch, value };
    if payload.at("TopicArn").is_some() && payload.at("Message").is_some() {
        return cloudwatch::read(payload, grouping, delivery);
    }
    if !any::is_sure(payload) {
        return Err(Problem::NotAnAlert {
            what: "a message that this sender sends beside its alerts",
            remedy: "`alert-relay senders NAME` says which events to choose; --format any reads it all the same",
        });
    }
    let mut alert = any::read(Fields { format: Format::Any, value });
    alert.warnings.push(
        "the message has no mark of the sender that was named, so it was read by the names of its fields".to_string(),
    );
    delivery.alerts.push(alert);
    Ok(())
}

/// The mapping of a row, parsed at its first use.
fn parsed(yaml: &'static str) -> Arc<Mapping> {
    static PARSED: Mutex<BTreeMap<&str, Arc<Mapping>>> = Mutex::new(BTreeMap::new());
    let mut known = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    let parse = || Arc::new(Mapping::parse(yaml).expect("a test parses all mappings of the table"));
    Arc::clone(known.entry(yaml).or_insert_with(parse))
}

impl Evidence {
    /// For people: what was seen, with its address.
    pub fn name(self) -> (&'static str, &'static str) {
        match self {
            Evidence::Shown(address) => ("as the sender shows it", address),
            Evidence::Sent(address) => ("as the sender's code writes it", address),
            Evidence::Kept(address) => ("as others have received it", address),
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Format, String> {
        let found = by_name(name).map(|sender| sender.format);
        found.ok_or_else(|| no_such_sender(name))
    }
}

const fn mapped(name: &'static str, title: &'static str) -> Format {
    Format::Mapped(Mapped { name, title })
}

/// A kind of message that a mapping reads.
const fn form(marks: &'static [&'static [&'static str]], yaml: &'static str) -> Form {
    Form { marks, reader: Reader::Mapping(yaml) }
}

/// A kind of message that code reads.
const fn coded(marks: &'static [&'static [&'static str]], read: Code) -> Form {
    Form { marks, reader: Reader::Code(read) }
}

/// Lowercase, letters and digits only.
fn slug(name: &str) -> String {
    super::leaves::plain(name)
}

fn bears(fields: Fields, mark: &str) -> bool {
    if let Some((path, value)) = mark.split_once('=') {
        return fields.text(path).as_deref() == Some(value);
    }
    match mark.split_once('~') {
        Some((path, start)) => fields.text(path).is_some_and(|text| text.starts_with(start)),
        None => match mark.strip_suffix('?') {
            Some(name) => fields.value.get(name).is_some(),
            None => fields.at(mark).is_some(),
        },
    }
}
