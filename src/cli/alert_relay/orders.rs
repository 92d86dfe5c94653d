//! From a payload and the options to orders: what would be created for each alert.

use std::io::Read as _;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context as _, anyhow, bail};

use super::options::{Input, SessionOptions, quoted};
use crate::devin::session::NewSession;
use crate::relay::alert::{Alert, State};
use crate::relay::inbound::{self, Delivery, Grouping, MAX_BYTES, Mapping, Problem, Reading};
use crate::relay::prompt::{Key, Template, Words, dedupe_key, shown_key, words};
use crate::relay::request::one_a_key;
use redact::{Redactor, redact};

/// The largest schema that the API takes, in bytes.
const LARGEST_SCHEMA: u64 = 64 << 10;

/// An alert and what would be created for it, before the names of an attempt are put on it.
pub struct Prepared {
    pub alert: Alert,
    pub key: String,
    /// The key without the secrets of the alert.
    pub shown_key: String,
    pub new: NewSession,
    /// How many secrets were cut out of what the alert says.
    pub secrets_removed: usize,
    parts: Rc<Parts>,
}

/// What the user gave.
struct Parts {
    namespace: String,
    template: Option<Template>,
    /// The dedupe key as a template over the alert.
    key_template: Option<String>,
    title: Option<String>,
    /// What is sent as it is: the option, and its text.
    given: Vec<(&'static str, String)>,
}

impl Prepared {
    /// Cuts this program's own key out of what the alert says, now that the key is known.
    ///
    /// # Errors
    /// When the key stands in what the user gave, which is never altered, or the template does not fit the alert.
    pub fn keep_back(&mut self, redactor: &Redactor) -> anyhow::Result<()> {
        if let Some((option, _)) = self.parts.given.iter().find(|(_, text)| redactor.contains_secret(text)) {
            bail!("{option} holds an API key or another secret, which would be sent to Devin; nothing was created");
        }
        // Before anything is cut to size: half a key would not be recognized any more.
        let words = compose(&self.alert, &self.key, &self.parts, redactor)?;
        self.shown_key = shown(&self.alert, &self.key, &self.parts, redactor);
        (self.new.prompt, self.new.title) = (words.prompt, Some(words.title));
        self.secrets_removed = words.secrets_removed;
        Ok(())
    }
}

/// What a payload comes to.
pub struct Orders {
    pub prepared: Vec<Prepared>,
    /// What was not taken, guessed or counted only, one sentence each.
    pub notes: Vec<String>,
}

/// Reads the payload and makes of each alert what a session would be created with.
///
/// # Errors
/// A file that cannot be read, a payload of no known format, or a template that does not fit it.
pub fn orders(input: &Input, options: &SessionOptions) -> anyhow::Result<Orders> {
    let payload = read_payload(&input.alert)?;
    let grouping = if input.per_alert { Grouping::PerAlert } else { Grouping::Group };
    let mapping = input.map.as_deref().map(read_mapping).transpose()?;
    let reading = Reading { format: input.format.0, grouping, mapping: mapping.as_ref() };
    let mut delivery = inbound::read(&payload, &[], reading).map_err(|problem| refused(&input.alert, &problem))?;
    let mut notes = notes(&delivery);
    for alert in &mut delivery.alerts {
        let wanted = input.fire_on.iter().any(|word| word.eq_ignore_ascii_case(alert.state.name()));
        if wanted && alert.state != State::Resolved {
            alert.state = State::Firing;
        }
    }
    let text = input.prompt_template.as_deref().map(read_template).transpose()?;
    let template = text.as_deref().zip(input.prompt_template.as_deref()).map(|(text, path)| parse_template(text, path));
    let template = template.transpose()?;
    let schema = options.structured_output_schema.as_deref().map(read_schema).transpose()?;
    let given = given(input, options, text.as_deref(), schema.as_ref());
    let key_template = input.dedupe_key.clone().filter(|key| is_template(key));
    if input.dedupe_key.is_none() && delivery.alerts.iter().any(|alert| alert.ignores_all(&input.ignore_label)) {
        notes.push(format!(
            "--ignore-label {} would leave no label to tell the alert by, so all of its labels count",
            input.ignore_label.join(" --ignore-label ")
        ));
    }
    let (namespace, title) = (input.namespace.clone(), options.title.clone());
    let parts = Rc::new(Parts { namespace, template, key_template, title, given });
    let mut prepared = Vec::new();
    let alerts = keyed(input, delivery.alerts)?;
    let all = alerts.len();
    let alerts = one_a_key(alerts);
    if alerts.len() < all {
        notes.push(match all - alerts.len() {
            1 => "1 alert with the key of another one in the same payload is told with it".to_string(),
            more => format!("{more} alerts with the key of another one in the same payload are told with it"),
        });
    }
    for (key, alert) in alerts {
        let words = compose(&alert, &key, &parts, &Redactor::default())?;
        let new = NewSession {
            prompt: words.prompt,
            title: Some(words.title),
            tags: options.tag.clone(),
            playbook_id: options.playbook.clone(),
            repos: options.repo.clone(),
            knowledge_ids: options.knowledge.clone(),
            secret_ids: options.secret.clone(),
            max_acu_limit: options.max_acu_limit,
            devin_mode: options.devin_mode.clone(),
            structured_output_schema: schema.clone(),
        };
        let secrets_removed = words.secrets_removed;
        let shown_key = shown(&alert, &key, &parts, &Redactor::default());
        prepared.push(Prepared { alert, key, shown_key, new, secrets_removed, parts: Rc::clone(&parts) });
    }
    Ok(Orders { prepared, notes })
}

/// Why the payload is not taken, with a command that takes it where there is one.
fn refused(path: &Path, problem: &Problem) -> anyhow::Error {
    let name = path.display();
    // A problem may quote the payload.
    let said = redact(&problem.to_string()).into_owned();
    // What came by standard input is gone: the person has it in a file, or puts it there.
    let file = if path == Path::new("-") { "alert.json".to_string() } else { quoted(&name.to_string()) };
    let reading = match (problem, problem.mapping()) {
        (_, Some(mapping)) => format!("--map {}", quoted(&mapping)),
        (Problem::UnknownShape { .. }, None) => "--format any".to_string(),
        _ => return anyhow!("the alert {name}: {said}"),
    };
    anyhow!("the alert {name}: {said}; if it is one, run: source-devin-ai alert-relay run {reading} --alert {file}")
}

/// What a person should know of a delivery beside its alerts.
fn notes(delivery: &Delivery) -> Vec<String> {
    let rejected = delivery
        .rejected
        .iter()
        .map(|part| format!("part {} of the payload is not taken: {}", part.place, redact(&part.problem.to_string())));
    let warnings = delivery.alerts.iter().flat_map(|alert| &alert.warnings).map(|text| redact(text).into_owned());
    let more = match delivery.more {
        0 => None,
        1 => Some("and 1 more alert, for which no session is created".to_string()),
        more => Some(format!("and {more} more alerts, for which no session is created")),
    };
    rejected.chain(warnings).chain(more).collect()
}

/// Each alert with its key.
fn keyed(input: &Input, alerts: Vec<Alert>) -> anyhow::Result<Vec<(String, Alert)>> {
    let Some(given) = &input.dedupe_key else {
        return Ok(alerts.into_iter().map(|alert| (alert.dedupe_key(&input.ignore_label), alert)).collect());
    };
    if is_template(given) {
        let key =
            |alert: &Alert| dedupe_key(given, alert).map_err(|problem| anyhow!("--dedupe-key: {}", redact(&problem)));
        return alerts.into_iter().map(|alert| Ok((key(&alert)?, alert))).collect();
    }
    if alerts.len() > 1 {
        bail!(
            "--dedupe-key would give the {} alerts of the payload one key, and all but one would be lost: use a template, such as '{{{{ title }}}}'",
            alerts.len()
        );
    }
    Ok(alerts.into_iter().map(|alert| (given.clone(), alert)).collect())
}

fn is_template(key: &str) -> bool {
    key.contains("{{")
}

/// What may be shown of an alert's key.
fn shown(alert: &Alert, key: &str, parts: &Parts, redactor: &Redactor) -> String {
    match &parts.key_template {
        Some(template) => shown_key(template, alert, redactor),
        None => alert.shown_key(key, redactor),
    }
}

fn compose(alert: &Alert, key: &str, parts: &Parts, redactor: &Redactor) -> anyhow::Result<Words> {
    let key = Key { hashed: key, shown: &shown(alert, key, parts, redactor) };
    let words = words(alert, key, &parts.namespace, parts.template.as_ref(), redactor);
    let mut words = words.map_err(|problem| anyhow!("{problem}"))?;
    if let Some(title) = &parts.title {
        words.title.clone_from(title);
    }
    Ok(words)
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

/// Everything that the user gave and that goes to Devin as it is, by its option.
fn given(
    input: &Input,
    options: &SessionOptions,
    template: Option<&str>,
    schema: Option<&serde_json::Value>,
) -> Vec<(&'static str, String)> {
    let one = |option, text: &Option<String>| text.clone().map(|text| (option, text)).into_iter();
    let many = |option, texts: &[String]| texts.iter().map(|text| (option, text.clone())).collect::<Vec<_>>();
    one("--playbook", &options.playbook)
        .chain(many("--repo", &options.repo))
        .chain(many("--knowledge", &options.knowledge))
        .chain(many("--secret", &options.secret))
        .chain(many("--tag", &options.tag))
        .chain(one("--title", &options.title))
        .chain(one("--devin-mode", &options.devin_mode))
        .chain(one("--dedupe-key", &input.dedupe_key))
        .chain(one("--namespace", &Some(input.namespace.clone())))
        .chain(one("--prompt-template", &template.map(str::to_string)))
        .chain(one("--structured-output-schema", &schema.map(serde_json::Value::to_string)))
        .collect()
}

fn read_template(path: &Path) -> anyhow::Result<String> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the prompt template {name}"))?;
    if Redactor::default().contains_secret(&text) {
        bail!("the prompt template {name} holds an API key or another secret, which would be sent to Devin");
    }
    Ok(text)
}

fn parse_template(text: &str, path: &Path) -> anyhow::Result<Template> {
    Template::parse(text).map_err(|problem| anyhow!("{problem} ({})", path.display()))
}

fn read_mapping(path: &Path) -> anyhow::Result<Mapping> {
    let name = path.display();
    if let Some(text) = path.to_str().filter(|text| text.trim_start().starts_with('{')) {
        return Mapping::parse(text).map_err(|problem| anyhow!("--map: {problem}"));
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the mapping {name}"))?;
    Mapping::parse(&text).map_err(|problem| anyhow!("the mapping {name}: {problem}"))
}

fn read_schema(path: &Path) -> anyhow::Result<serde_json::Value> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the schema {name}"))?;
    if text.len() as u64 > LARGEST_SCHEMA {
        bail!("the schema {name} is larger than 64 KiB, the most that the API takes");
    }
    if Redactor::default().contains_secret(&text) {
        bail!("the schema {name} holds an API key or another secret, which would be sent to Devin");
    }
    match serde_json::from_str(&text) {
        Ok(schema @ serde_json::Value::Object(_)) => Ok(schema),
        Ok(_) => bail!("the schema {name} must be a JSON object"),
        Err(error) => bail!("the schema {name} is not valid JSON (line {}, column {})", error.line(), error.column()),
    }
}
