//! From a payload and the options to orders: what would be created for each alert.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};

use super::options::{Input, SessionOptions};
use crate::devin::session::NewSession;
use crate::devin::token::mask_keys;
use crate::relay::alert::Alert;
use crate::relay::inbound::{self, Grouping, MAX_BYTES};
use crate::relay::prompt::{LONGEST_TITLE, Template, words};
use crate::relay::text::clean_line;

/// The largest schema that the API takes, in bytes.
const LARGEST_SCHEMA: u64 = 64 << 10;

/// An alert and what would be created for it, before the names of an attempt are put on it.
pub struct Prepared {
    pub alert: Alert,
    pub key: String,
    pub new: NewSession,
}

/// Reads the payload and makes of each alert what a session would be created with.
///
/// # Errors
/// A file that cannot be read, a payload of no known format, or a template that does not fit it.
pub fn orders(input: &Input, options: &SessionOptions) -> anyhow::Result<Vec<Prepared>> {
    let payload = read_payload(&input.alert)?;
    let grouping = if input.per_alert { Grouping::PerAlert } else { Grouping::Group };
    let name = input.alert.display();
    let alerts =
        inbound::read(input.format.0, &payload, grouping).map_err(|problem| anyhow!("the alert {name}: {problem}"))?;
    let template = input.prompt_template.as_deref().map(read_template).transpose()?;
    let schema = options.structured_output_schema.as_deref().map(read_schema).transpose()?;
    let mut prepared = Vec::new();
    let key = |alert: &Alert| input.dedupe_key.clone().unwrap_or_else(|| alert.dedupe_key(&input.ignore_label));
    for (key, alert) in one_a_key(alerts.into_iter().map(|alert| (key(&alert), alert))) {
        let words = words(&alert, &key, template.as_ref()).map_err(|problem| anyhow!("{problem}"))?;
        let title = options.title.as_deref().map_or(words.title, |title| clean_line(title, LONGEST_TITLE));
        let new = NewSession {
            prompt: words.prompt,
            title: Some(title),
            tags: options.tag.clone(),
            playbook_id: options.playbook.clone(),
            repos: options.repo.clone(),
            knowledge_ids: options.knowledge.clone(),
            secret_ids: options.secret.clone(),
            max_acu_limit: options.max_acu_limit,
            devin_mode: options.devin_mode.clone(),
            structured_output_schema: schema.clone(),
        };
        prepared.push(Prepared { alert, key, new });
    }
    Ok(prepared)
}

/// Alerts that share a key are one: the first of them that fires, or the first where none does.
fn one_a_key(alerts: impl Iterator<Item = (String, Alert)>) -> Vec<(String, Alert)> {
    let mut kept: Vec<(String, Alert)> = Vec::new();
    for (key, alert) in alerts {
        match kept.iter_mut().find(|(known, _)| *known == key) {
            None => kept.push((key, alert)),
            Some((_, known)) if alert.state.is_firing() && !known.state.is_firing() => *known = alert,
            Some(_) => {}
        }
    }
    kept
}

fn read_payload(path: &Path) -> anyhow::Result<Vec<u8>> {
    let most = MAX_BYTES as u64 + 1;
    let mut payload = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().take(most).read_to_end(&mut payload).context("cannot read the alert from standard input")?;
    } else {
        let file = std::fs::File::open(path).with_context(|| format!("cannot read the alert {}", path.display()))?;
        file.take(most)
            .read_to_end(&mut payload)
            .with_context(|| format!("cannot read the alert {}", path.display()))?;
    }
    Ok(payload)
}

fn read_template(path: &Path) -> anyhow::Result<Template> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the prompt template {name}"))?;
    if mask_keys(&text) != text {
        bail!("the prompt template {name} holds an API key, which would be sent to Devin");
    }
    Template::parse(&text).map_err(|problem| anyhow!("{problem} ({name})"))
}

fn read_schema(path: &Path) -> anyhow::Result<serde_json::Value> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the schema {name}"))?;
    if text.len() as u64 > LARGEST_SCHEMA {
        bail!("the schema {name} is larger than 64 KiB, the most that the API takes");
    }
    match serde_json::from_str(&text) {
        Ok(schema @ serde_json::Value::Object(_)) => Ok(schema),
        Ok(_) => bail!("the schema {name} must be a JSON object"),
        Err(error) => bail!("the schema {name} is not valid JSON (line {}, column {})", error.line(), error.column()),
    }
}
