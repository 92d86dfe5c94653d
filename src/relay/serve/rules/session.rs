//! What the sessions of a rule are created with. Pure.

use serde_json::Value as Json;

use super::Rule;
use super::keys::{ELSEWHERE, SESSION};
use super::node::Value;
use super::section::{Place, Reader, Section, about_the_key};
use crate::config::similar;
use crate::relay::engine;
use crate::relay::prompt::{Template, VARIABLES, first_unknown};
use crate::relay::values::{title, without_secret, word};

/// The largest schema that the API takes, in bytes.
const LARGEST_SCHEMA: usize = 64 << 10;

/// How the tags begin by which the relay finds its sessions.
const RESERVED: &str = "ar-";

/// How a tag begins that says what becomes of a session in the sandbox.
const SCENARIO: &str = "scenario:";

/// The types of JSON Schema.
const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

/// Keys of a schema whose values are data.
const DATA: [&str; 4] = ["const", "default", "enum", "examples"];

/// Reads what stands in `session`, and what stands beside it.
pub fn session<'a>(section: &Section<'a>, rule: &mut Rule, reader: &mut Reader<'a>) {
    if let Some(place) = section.get("session", reader)
        && let Some(inner) = reader.section(&place, &SESSION, &ELSEWHERE)
    {
        for name in SESSION.iter().filter(|name| section.has(name) && inner.has(name)) {
            if let Some(place) = section.get(name, reader) {
                reader.problem(&place, "stands in session, too: keep one of the two");
            }
        }
        fields(&inner, rule, reader);
    }
    fields(section, rule, reader);
}

fn fields<'a>(section: &Section<'a>, rule: &mut Rule, reader: &mut Reader<'a>) {
    let new = &mut rule.session;
    let one =
        |name: &str, value: &mut Option<String>, check: fn(&str) -> Result<String, String>, reader: &mut Reader<'a>| {
            let Some(place) = section.get(name, reader) else { return };
            if let Some(text) = reader.checked(&place, check) {
                *value = reader.sendable(&place, text);
            }
        };
    one("playbook", &mut new.playbook_id, without_secret, reader);
    one("title", &mut new.title, title, reader);
    one("devin_mode", &mut new.devin_mode, without_secret, reader);
    let many =
        |name: &str, values: &mut Vec<String>, check: fn(&str) -> Result<String, String>, reader: &mut Reader<'a>| {
            let Some(place) = section.get(name, reader) else { return };
            let mut found = Vec::new();
            for item in reader.items(&place) {
                let Some(text) = reader.checked(&item, without_secret) else { continue };
                let Some(text) = reader.sendable(&item, text) else { continue };
                match check(&text) {
                    Ok(text) => found.push(text),
                    Err(message) => reader.problem(&item, about_the_key(message)),
                }
            }
            *values = found;
        };
    many("repo", &mut new.repos, repo, reader);
    many("knowledge", &mut new.knowledge_ids, without_secret, reader);
    many("secret", &mut new.secret_ids, without_secret, reader);
    many("tag", &mut new.tags, tag, reader);
    scenarios(section, reader);
    if let Some(limit) = section.get("max_acu_limit", reader) {
        new.max_acu_limit = reader.number(&limit, 1..=u32::MAX);
    }
    if let Some(schema) = section.get("structured_output_schema", reader) {
        new.structured_output_schema = schema_of(&schema, reader);
    }
    if let Some(place) = section.get("prompt_template", reader) {
        rule.prompt_template = template(&place, reader);
    }
}

/// Whether the tags name scenarios that the sandbox has, where it is the one that is asked.
fn scenarios<'a>(section: &Section<'a>, reader: &mut Reader<'a>) {
    let (Some(known), Some(place)) = (reader.scenarios, section.get("tag", reader)) else { return };
    for item in reader.items(&place) {
        let Value::Text(text) = &item.node.value else { continue };
        let Some(name) = text.trim().strip_prefix(SCENARIO) else { continue };
        if !known.contains(&name) {
            let near = similar(name, known).map(|near| format!(" (did you mean {near:?}?)")).unwrap_or_default();
            reader.problem(&item, format!("names no scenario of the sandbox{near}: there are {}", known.join(", ")));
        }
    }
}

/// `OWNER/NAME`, or a template that comes to one.
fn repo(text: &str) -> Result<String, String> {
    if is_template(text) {
        usable(text)?;
    } else if !is_repo(text) {
        return Err(
            "must be OWNER/NAME, such as my-org/my-service, or a template such as 'my-org/{{ labels.service }}'"
                .to_string(),
        );
    }
    Ok(text.to_string())
}

/// Whether a text is filled in for each alert.
pub fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// Whether a text names a repository: an owner or a group, and whatever is below it.
pub fn is_repo(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_part = |part: &str| !part.is_empty() && part.chars().all(is_plain) && !part.chars().all(|c| c == '.');
    text.len() <= 256 && text.contains('/') && text.split('/').all(is_part)
}

fn tag(text: &str) -> Result<String, String> {
    let tag = word(text)?;
    if tag.get(..RESERVED.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(RESERVED)) {
        return Err("begins with ar-, as the tags do that sessions are found by: use another one".to_string());
    }
    Ok(tag)
}

/// A template that stands here, or in the file that is named.
fn template<'a>(place: &Place<'a>, reader: &mut Reader<'a>) -> Option<Template> {
    let given = reader.text(place)?;
    let text = if given.contains(['\n', '{']) { given.to_string() } else { reader.file(place, given)? };
    let parsed = Template::parse(&text).map_err(|problem| format!("is not usable: {problem}"));
    let parsed = parsed.and_then(|parsed| without_secret(&text).map_err(about_the_key).map(|_| parsed));
    let template = parsed.map_err(|message| reader.problem(place, message)).ok()?;
    reader.sendable(place, text).map(|_| template)
}

/// A JSON Schema that stands here, or in the file that is named.
fn schema_of<'a>(place: &Place<'a>, reader: &mut Reader<'a>) -> Option<Json> {
    let text = match &place.node.value {
        Value::Map(_) => place.node.json().to_string(),
        _ => {
            let path = reader.text(place)?;
            reader.file(place, path)?
        }
    };
    let parsed = match serde_json::from_str(&text) {
        _ if text.len() > LARGEST_SCHEMA => Err("is larger than 64 KiB, the most that the API takes".to_string()),
        Ok(schema @ Json::Object(_)) => match fault(&schema) {
            Some(fault) => Err(fault),
            None => without_secret(&text).map_err(about_the_key).map(|_| schema),
        },
        Ok(_) => Err("must be a JSON object".to_string()),
        Err(error) => Err(format!("is not valid JSON (line {}, column {})", error.line(), error.column())),
    };
    let schema = parsed.map_err(|message| reader.problem(place, message)).ok()?;
    reader.sendable(place, text).map(|_| schema)
}

/// What the API would refuse in a schema.
fn fault(schema: &Json) -> Option<String> {
    match schema {
        Json::Object(fields) => fields.iter().find_map(|(name, value)| match (name.as_str(), value) {
            ("$ref", Json::String(place)) if !place.starts_with('#') => Some(
                "refers to a schema elsewhere ($ref), which the API does not take: write #/… of this one".to_string(),
            ),
            ("type", Json::String(word)) if !TYPES.contains(&word.as_str()) => {
                Some(format!("has a type that JSON Schema does not have: there are {}", TYPES.join(", ")))
            }
            (name, _) if DATA.contains(&name) => None,
            _ => fault(value),
        }),
        Json::Array(items) => items.iter().find_map(fault),
        _ => None,
    }
}

/// A template whose text is fit to be run, and names only what there is.
pub fn usable(template: &str) -> Result<(), String> {
    engine::check(template).map_err(|fault| format!("is not a usable template: {}", fault.detail))?;
    match first_unknown(template) {
        Some((_, name)) => Err(format!("names {name}, which no alert has; there are {}", VARIABLES.join(", "))),
        None => Ok(()),
    }
}
