//! The routes of a rules file: who sends to each, and how it proves that. Pure.

use super::node::Value;
use super::section::{Place, Reader, Section};
use super::sources::{FORM, secrets};
use super::{Route, abilities};
use crate::config::similar;
use crate::relay::alert::Format;
use crate::relay::inbound::Mapping;
use crate::relay::inbound::senders::{self, Hash, Signed};
use crate::relay::serve::auth::{Auth, Hmac, Method, Scheme, standard_webhooks_key};
use crate::relay::serve::secret::Secret;

pub const KEYS: [&str; 4] = ["name", "kind", "map", "auth"];

/// The ways to authenticate, as they are written.
pub const METHODS: [&str; 11] = [
    "bearer",
    "basic",
    "header",
    "path",
    "hmac",
    "pagerduty",
    "grafana",
    "sentry",
    "github",
    "standard_webhooks",
    "sns",
];

/// A secret in a path is at least so long: it is what a URL is guessed by.
const SHORTEST_PATH: usize = 16;

/// Reads `routes`.
pub fn routes<'a>(place: &Place<'a>, reader: &mut Reader<'a>) -> Vec<Route> {
    let (mut routes, mut names) = (Vec::new(), Vec::new());
    for item in reader.list(place, "routes", "- {name: …, kind: …, auth: …}") {
        let Some(section) = reader.section(&item, &KEYS, &[("provider", "write kind"), ("webhookKey", "write auth")])
        else {
            continue;
        };
        let name = section.required("name", "the end of its URL, such as name: grafana", reader);
        let name = name.and_then(|place| {
            let name = reader.checked(&place, name_of_url)?;
            if names.contains(&name) {
                reader.problem(&place, format!("is {name:?}, the name of another route: the URLs would be the same"));
            }
            names.push(name.clone());
            Some(name)
        });
        let (format, mapping) = kind(&section, reader);
        let place = section.required(
            "auth",
            "a way for the sender to prove who it is, or auth: none for this machine only",
            reader,
        );
        let auth = place.and_then(|place| {
            let auth = auth(&place, format, reader)?;
            abilities::compare(&place, format, &auth, reader);
            Some(auth)
        });
        if let (Some(name), Some(auth)) = (name, auth) {
            routes.push(Route { name, format, mapping, auth });
        }
    }
    routes
}

/// A name that can stand in a URL as it is.
pub fn name_of_url(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    if text.len() <= 64 && text.chars().all(is_plain) {
        Ok(text.to_string())
    } else {
        Err("must consist of at most 64 lowercase letters, digits, - and _".to_string())
    }
}

/// Who sends, where it is said; and the mapping, where there is one.
fn kind<'a>(section: &Section<'a>, reader: &mut Reader<'a>) -> (Option<Format>, Option<Mapping>) {
    let mapping = section.get("map", reader).and_then(|place| mapping(&place, reader));
    let Some(place) = section.get("kind", reader) else { return (None, mapping) };
    let Some(word) = reader.text(&place) else { return (None, mapping) };
    if !["auto", "map"].contains(&word) && senders::by_name(word).is_none() {
        let senders = senders::all().map(|sender| sender.format.name());
        let words: Vec<&str> = ["auto", "map"].into_iter().chain(senders).collect();
        let near = similar(word, &words).map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
        reader.problem(
            &place,
            format!("must be auto, any, map, or a sender that `source-devin-ai alert-relay senders` lists{near}"),
        );
    }
    match (word, section.has("map")) {
        ("map", false) => reader.problem(&place, "needs map beside it: where in the payload an alert's values stand"),
        ("map", true) | (_, false) => {}
        (_, true) => reader.problem(&place, "must be map where there is a mapping, or be left out"),
    }
    (word.parse().ok(), mapping)
}

/// A mapping that stands here, or in the file that is named.
fn mapping<'a>(place: &Place<'a>, reader: &mut Reader<'a>) -> Option<Mapping> {
    let mapping = match &place.node.value {
        Value::Map(_) => Mapping::of(place.node.json()).map_err(|problem| format!("is not usable: {problem}")),
        Value::Text(path) => {
            let text = reader.file(place, path.trim())?;
            Mapping::parse(&text).map_err(|problem| format!("names a file that is not usable: {problem}"))
        }
        _ => Err("must be the path of a file, or a mapping such as {title: check.name, state: status}".to_string()),
    };
    mapping.map_err(|message| reader.problem(place, message)).ok()
}

fn auth<'a>(place: &Place<'a>, format: Option<Format>, reader: &mut Reader<'a>) -> Option<Auth> {
    if let Value::Text(text) = &place.node.value {
        if text == "none" {
            return Some(Auth::Open);
        }
        // Not quoted: it may be a secret.
        reader.problem(
            place,
            format!("must be none or a mapping such as bearer: {{env: NAME}}, with {}", METHODS.join(", ")),
        );
        return None;
    }
    let section = reader.section(
        place,
        &METHODS,
        &[("token", "write bearer"), ("password", "write basic"), ("signature", "write hmac, or the sender's name")],
    )?;
    let names: Vec<&str> = section.names().filter(|name| METHODS.contains(name)).collect();
    let mut read = |name: &&str| section.get(name, reader).and_then(|place| method(name, &place, format, reader));
    let methods: Vec<Option<Method>> = names.iter().map(&mut read).collect();
    if section.names().next().is_none() {
        reader.problem(place, format!("names no way to authenticate: give one of {}", METHODS.join(", ")));
    }
    // A route with one method less than was written would refuse what it should accept.
    methods.into_iter().collect::<Option<Vec<Method>>>().filter(|methods| !methods.is_empty()).map(Auth::AnyOf)
}

fn method<'a>(name: &str, place: &Place<'a>, format: Option<Format>, reader: &mut Reader<'a>) -> Option<Method> {
    match name {
        "bearer" => some(secrets(place, reader)).map(Method::Bearer),
        "basic" => {
            let section = reader.section(place, &["username", "password"], &[("user", "write username")])?;
            let username = section.required("username", "the name that the sender logs in with", reader);
            let username = username.and_then(|place| {
                reader.checked(&place, |text| match text.contains(':') {
                    true => Err("must not hold a colon, which ends it in the header".to_string()),
                    false => Ok(text.to_string()),
                })
            });
            let passwords = given("password", &section, reader);
            Some(Method::Basic { username: username?, passwords: passwords? })
        }
        "header" => {
            let section = reader.section(place, &["name", "secret"], &[("value", "write secret")])?;
            let name = section.required("name", "the header's, such as X-Webhook-Secret", reader);
            let name = name.and_then(|place| reader.checked(&place, header_name));
            let secrets = given("secret", &section, reader);
            Some(Method::Header { name: name?, secrets: secrets? })
        }
        "path" => {
            let secrets = secrets(place, reader);
            if secrets.iter().any(|secret| !fits_a_path(secret)) {
                let message = format!(
                    "leads to a secret that cannot be the end of a URL: it needs at least {SHORTEST_PATH} characters, all of them letters, digits, - or _"
                );
                reader.problem(place, message);
                return None;
            }
            some(secrets).map(Method::Path)
        }
        "sns" => {
            let section = reader.section(place, &["topics"], &[("topic", "write topics")])?;
            let topics = section.required("topics", "the ARNs of the topics that may deliver", reader)?;
            if matches!(&topics.node.value, Value::List(items) if items.is_empty()) {
                reader.problem(
                    &topics,
                    "is an empty list, so that nothing would be accepted: give the ARNs of the topics",
                );
            }
            some(reader.each(&topics, topic)).map(|topics| Method::Sns { topics })
        }
        "grafana" => grafana(place, reader),
        "hmac" => hmac(place, format, reader),
        "pagerduty" => signature(Scheme::PagerDuty, secrets(place, reader)),
        "sentry" => signature(Scheme::Sentry, secrets(place, reader)),
        "github" => signature(Scheme::GitHub, secrets(place, reader)),
        _ => {
            let mut keys = Vec::new();
            for secret in secrets(place, reader) {
                match standard_webhooks_key(&secret) {
                    Ok(key) => keys.push(key),
                    Err(problem) => reader.problem(place, format!("leads to what {problem}")),
                }
            }
            signature(Scheme::StandardWebhooks, keys)
        }
    }
}

/// Grafana's names of headers can be set: its secret alone, or `secret` with them.
fn grafana<'a>(place: &Place<'a>, reader: &mut Reader<'a>) -> Option<Method> {
    let mut header = Scheme::GRAFANA_HEADER.to_string();
    let has_settings = |name: &str| ["secret", "header", "timestamp_header"].contains(&name);
    match &place.node.value {
        Value::Map(entries) if entries.iter().any(|(name, ..)| has_settings(name)) => {
            let section = reader.section(place, &["secret", "header", "timestamp_header"], &[])?;
            if let Some(place) = section.get("header", reader) {
                header = reader.checked(&place, header_name)?;
            }
            let timestamp_header = section.get("timestamp_header", reader);
            let timestamp_header = timestamp_header.and_then(|place| reader.checked(&place, header_name));
            let keys = given("secret", &section, reader)?;
            signature(Scheme::Grafana { header, timestamp_header }, keys)
        }
        _ => signature(Scheme::Grafana { header, timestamp_header: None }, secrets(place, reader)),
    }
}

/// A keyed hash: of the route's sender with the secret alone, or as it is described here.
fn hmac<'a>(place: &Place<'a>, format: Option<Format>, reader: &mut Reader<'a>) -> Option<Method> {
    const KEYS: [&str; 5] = ["header", "secret", "hash", "encoding", "prefix"];
    if !matches!(&place.node.value, Value::Map(entries) if entries.iter().any(|(name, ..)| KEYS.contains(&name.as_str())))
    {
        let sender = format.and_then(|format| senders::by_name(format.name()));
        let Some(hmac) = sender.and_then(|sender| Hmac::of(sender.signature)) else {
            reader.problem(
                place,
                "needs a kind whose sender signs so, or how it is signed: {header: X-Signature, secret: {env: NAME}, hash: sha256, encoding: hex, prefix: \"\"}",
            );
            return None;
        };
        return signature(Scheme::Hmac(hmac), secrets(place, reader));
    }
    let section = reader.section(place, &KEYS, &[])?;
    let header = section.required("header", "where the signature stands, such as X-Signature", reader);
    let header = header.and_then(|place| reader.checked(&place, header_name));
    let hash = section.get("hash", reader);
    let hash = hash.map_or(Some(Hash::Sha256), |place| {
        reader.choice(&place, &[("sha256", Hash::Sha256), ("sha512", Hash::Sha512)])
    });
    let encoding = section.get("encoding", reader);
    let is_base64 = encoding.map_or(Some(false), |place| reader.choice(&place, &[("hex", false), ("base64", true)]));
    let prefix = section.get("prefix", reader);
    let prefix = prefix.map_or(Some(String::new()), |place| reader.text(&place).map(str::to_string));
    let keys = given("secret", &section, reader)?;
    let hmac = Hmac { header: header?, hash: hash?, is_base64: is_base64?, prefix: prefix?, signed: Signed::Body };
    signature(Scheme::Hmac(hmac), keys)
}

fn signature(scheme: Scheme, keys: Vec<Secret>) -> Option<Method> {
    some(keys).map(|keys| Method::Signature { scheme, keys })
}

/// The secrets of a key that must be there.
fn given<'a>(name: &str, section: &Section<'a>, reader: &mut Reader<'a>) -> Option<Vec<Secret>> {
    let place = section.required(name, FORM, reader)?;
    some(secrets(&place, reader))
}

fn some<T>(items: Vec<T>) -> Option<Vec<T>> {
    Some(items).filter(|items| !items.is_empty())
}

fn header_name(text: &str) -> Result<String, String> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if text.len() <= 100 && text.chars().all(is_token) {
        Ok(text.to_string())
    } else {
        Err("must be the name of a header, such as X-Webhook-Secret".to_string())
    }
}

fn topic(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    match parts[..] {
        ["arn", partition, "sns", region, account, name]
            if partition.starts_with("aws")
                && !region.is_empty()
                && !account.is_empty()
                && !name.is_empty()
                && text.chars().all(is_plain) =>
        {
            Ok(text.to_string())
        }
        _ => Err("must be a topic's ARN: arn:aws:sns:REGION:ACCOUNT:NAME, without wildcards".to_string()),
    }
}

fn fits_a_path(secret: &Secret) -> bool {
    let secret = secret.expose();
    secret.len() >= SHORTEST_PATH && secret.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
}
