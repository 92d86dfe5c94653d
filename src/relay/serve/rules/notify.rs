//! Who is told what, as a rules file says it: the targets, and of what each rule tells them. Pure.

use super::Rule;
use super::routes::name_of_url;
use super::section::{Elsewhere, Place, Reader, Section};
use super::sources::{FORM, secret};
use crate::relay::serve::auth::standard_webhooks_key;
use crate::relay::serve::notify::{
    Allowed, Encryption, Event, Kind, Mail, Settings, Slack, Subscription, Target, check_template,
};
use crate::relay::serve::secret::Secret;

pub const KEYS: [&str; 2] = ["targets", "allow_internal"];
pub const TARGET: [&str; 16] = [
    "name", "kind", "url", "secret", "template", "token", "channel", "from", "to", "server", "tls", "username",
    "password", "repo", "issue", "endpoint",
];
pub const SUBSCRIPTION: [&str; 2] = ["target", "on"];

/// Which keys a kind has beside its name, in the order of [`KINDS`].
const OF_KIND: [&[&str]; 7] = [
    &["url", "token", "channel", "endpoint"],
    &["url"],
    &["url"],
    &["server", "from", "to", "tls", "username", "password"],
    &["token", "from", "endpoint"],
    &["token", "repo", "issue", "endpoint"],
    &["url", "secret", "template"],
];

pub const KINDS: [&str; 7] = ["slack", "teams", "discord", "email", "pagerduty", "github", "webhook"];

const ELSEWHERE: [Elsewhere; 6] = [
    ("id", "write name"),
    ("type", "write kind"),
    ("webhook_url", "write url: {env: NAME}"),
    ("api_key", "write token: {env: NAME}"),
    ("routing_key", "write token: {env: NAME}, a key of PagerDuty's REST API: notes are written on incidents"),
    ("body", "write template"),
];

/// The ports of submission: encrypted after a command, and from the beginning.
const SUBMISSION_PORT: u16 = 587;
const IMPLICIT_PORT: u16 = 465;

const SLACK_API: &str = "https://slack.com/api";
const PAGERDUTY_API: &str = "https://api.pagerduty.com";
const GITHUB_API: &str = "https://api.github.com";

/// Reads `notify` at the top of the file.
pub fn settings<'a>(place: &Place<'a>, reader: &mut Reader<'a>) -> Settings {
    let elsewhere = [("target", "write targets, a list"), ("allow", "write allow_internal")];
    let Some(section) = reader.section(place, &KEYS, &elsewhere) else { return Settings::default() };
    let mut settings = Settings::default();
    if let Some(place) = section.get("allow_internal", reader) {
        for item in reader.items(&place) {
            let Some(text) = reader.text(&item) else { continue };
            if let Err(message) = settings.allowed.add(text) {
                reader.problem(&item, message);
            }
        }
    }
    if let Some(place) = section.required("targets", "a list, such as - {name: on-call, kind: slack, url: …}", reader)
    {
        let mut names = Vec::new();
        for item in reader.list(&place, "targets", "- {name: on-call, kind: slack, url: {env: NAME}}") {
            if let Some(target) = target(&item, &mut names, &settings.allowed, reader) {
                settings.targets.push(target);
            }
        }
    }
    settings
}

/// Reads `notify` of a rule or of `default`.
pub fn subscriptions<'a>(place: &Place<'a>, targets: &[Target], reader: &mut Reader<'a>) -> Vec<Subscription> {
    let names: Vec<(&str, &str)> = targets.iter().map(|target| (&*target.name, &*target.name)).collect();
    let events: Vec<(&str, Event)> = Event::ALL.iter().map(|event| (event.name(), *event)).collect();
    let mut subscriptions: Vec<Subscription> = Vec::new();
    for item in reader.items(place) {
        let elsewhere = [("name", "write target"), ("events", "write on")];
        let Some(section) = reader.section(&item, &SUBSCRIPTION, &elsewhere) else { continue };
        let target = section.required("target", "the name of one of notify.targets", reader);
        let target = target.and_then(|place| {
            if names.is_empty() {
                reader.problem(&place, "names a target, and the file has none: add notify: {targets: […]} at its top");
                return None;
            }
            reader.choice(&place, &names)
        });
        let on = section.get("on", reader);
        let on = on.map(|place| {
            let items = reader.items(&place);
            if items.is_empty() {
                reader.problem(&place, "is an empty list: give one or more events, or remove the line");
            }
            items.iter().filter_map(|item| reader.choice(item, &events)).collect()
        });
        let Some(target) = target else { continue };
        if subscriptions.iter().any(|other| other.target == target) {
            reader.problem(&item, format!("is about {target:?}, as another one of this list is: join the two"));
        }
        let on = on.unwrap_or_else(|| Event::COMMON.to_vec());
        subscriptions.push(Subscription { target: target.to_string(), on });
    }
    subscriptions
}

/// Tells of targets that no rule names.
pub fn unused<'a>(place: &Place<'a>, targets: &[Target], rules: &[Rule], reader: &mut Reader<'a>) {
    let is_named =
        |target: &&Target| rules.iter().any(|rule| rule.gates.notify.iter().any(|wanted| wanted.target == target.name));
    for target in targets.iter().filter(|target| !is_named(target)) {
        let name = &target.name;
        reader.warning(place, format!("has the target {name:?}, which no rule tells anything: add notify: [{{target: {name}}}] to default or to a rule"));
    }
}

fn target<'a>(item: &Place<'a>, names: &mut Vec<String>, allowed: &Allowed, reader: &mut Reader<'a>) -> Option<Target> {
    let section = reader.section(item, &TARGET, &ELSEWHERE)?;
    let name = section.required("name", "a name for the rules to use, such as name: on-call", reader);
    let name = name.and_then(|place| {
        let name = reader.checked(&place, name_of_url)?;
        if names.contains(&name) {
            reader.problem(&place, format!("is {name:?}, the name of another target"));
        }
        names.push(name.clone());
        Some(name)
    });
    let choices: Vec<(&str, usize)> = KINDS.iter().copied().zip(0..).collect();
    let kind = section.required("kind", &format!("one of {}", KINDS.join(", ")), reader);
    let kind = kind.and_then(|place| reader.choice(&place, &choices))?;
    let others = section.names().filter(|key| !["name", "kind"].contains(key) && !OF_KIND[kind].contains(key));
    for key in others.collect::<Vec<_>>() {
        if let (true, Some(place)) = (TARGET.contains(&key), section.get(key, reader)) {
            let keys = OF_KIND[kind].join(", ");
            reader.problem(&place, format!("is not known for {}; there are {keys}", KINDS[kind]));
        }
    }
    Some(Target { name: name?, kind: of_kind(KINDS[kind], &section, allowed, reader)? })
}

fn of_kind<'a>(kind: &str, section: &Section<'a>, allowed: &Allowed, reader: &mut Reader<'a>) -> Option<Kind> {
    let url = |reader: &mut Reader<'a>| {
        section.required("url", FORM, reader).and_then(|place| url_of(&place, allowed, reader))
    };
    let endpoint = |standard: &str, reader: &mut Reader<'a>| endpoint(section, standard, allowed, reader);
    let token =
        |reader: &mut Reader<'a>| section.required("token", FORM, reader).and_then(|place| secret(&place, reader));
    Some(match kind {
        "slack" if section.has("token") => {
            if let Some(place) = section.get("url", reader) {
                reader.problem(&place, "is there beside token: a bot writes by its token, a webhook by its url");
            }
            let channel =
                section.required("channel", "the identifier of a channel, such as channel: C0123456789", reader);
            let channel = channel.and_then(|place| reader.checked(&place, plain_word));
            let (token, api_url) = (token(reader), endpoint(SLACK_API, reader));
            Kind::Slack(Slack::Bot { token: token?, channel: channel?, api_url: api_url? })
        }
        "slack" => Kind::Slack(Slack::Webhook { url: url(reader)? }),
        "teams" => Kind::Teams { url: url(reader)? },
        "discord" => Kind::Discord { url: url(reader)? },
        "email" => Kind::Email(mail(section, allowed, reader)?),
        "pagerduty" => {
            let from =
                section.required("from", "the e-mail address of a user of PagerDuty, who writes the note", reader);
            let from = from.and_then(|place| reader.checked(&place, mail_address));
            let (token, api_url) = (token(reader), endpoint(PAGERDUTY_API, reader));
            Kind::PagerDuty { token: token?, from: from?, api_url: api_url? }
        }
        "github" => {
            let repo = section.required("repo", "the repository, as OWNER/NAME", reader);
            let repo = repo.and_then(|place| reader.checked(&place, repository));
            let issue = section.required("issue", "the number of the issue", reader);
            let issue = issue.and_then(|place| reader.number(&place, 1..=u32::MAX));
            let (token, api_url) = (token(reader), endpoint(GITHUB_API, reader));
            Kind::GitHub { token: token?, repo: repo?, issue: issue?, api_url: api_url? }
        }
        _ => {
            let key = section.required("secret", FORM, reader).and_then(|place| {
                let secret = secret(&place, reader)?;
                let key = standard_webhooks_key(&secret);
                key.map_err(|message| reader.problem(&place, message)).ok()
            });
            let template = section.get("template", reader).and_then(|place| template(&place, reader));
            Kind::Webhook { url: url(reader)?, key: key?, template }
        }
    })
}

/// The server that takes e-mails, and whom they are for.
fn mail<'a>(section: &Section<'a>, allowed: &Allowed, reader: &mut Reader<'a>) -> Option<Mail> {
    let server = section.required("server", "the mail server, such as server: smtp.example.com:587", reader);
    let server = server.and_then(|place| {
        let server = reader.checked(&place, mail_server)?;
        told(allowed.check_host(&server.0), &place, reader);
        Some(server)
    });
    let from = section.required("from", "the sender's e-mail address", reader);
    let from = from.and_then(|place| reader.checked(&place, mail_address));
    let to = section.required("to", "one or more e-mail addresses", reader);
    let to = to.map(|place| reader.each(&place, mail_address)).filter(|to| !to.is_empty());
    let (server, port) = server?;
    let choices = [("implicit", Encryption::Implicit), ("starttls", Encryption::StartTls), ("none", Encryption::None)];
    let tls = section.get("tls", reader).and_then(|place| reader.choice(&place, &choices));
    let usual = if port == IMPLICIT_PORT { Encryption::Implicit } else { Encryption::StartTls };
    let encryption = tls.unwrap_or(usual);
    let username =
        section.get("username", reader).and_then(|place| reader.checked(&place, |text| Ok(text.to_string())));
    let password = section.get("password", reader);
    if let (Some(place), Encryption::None) = (&password, encryption) {
        reader.problem(place, "would be sent in the clear: tls must not be none");
    }
    let password = password.and_then(|place| secret(&place, reader));
    if section.has("username") != section.has("password") {
        reader.problem_at(section.at, &section.key, "has one of username and password, which belong together");
    }
    Some(Mail { server, port, encryption, login: username.zip(password), from: from?, to: to? })
}

/// The address of a webhook, which is a secret.
fn url_of<'a>(place: &Place<'a>, allowed: &Allowed, reader: &mut Reader<'a>) -> Option<Secret> {
    let secret = secret(place, reader)?;
    let url = std::str::from_utf8(secret.expose()).ok();
    let url = url.filter(|text| (text.starts_with("https://") || text.starts_with("http://")) && !text.contains(' '));
    let Some(url) = url else {
        reader.problem(place, "leads to no URL: it must begin with https://");
        return None;
    };
    told(allowed.check_url(url), place, reader);
    Some(secret)
}

fn endpoint<'a>(section: &Section<'a>, standard: &str, allowed: &Allowed, reader: &mut Reader<'a>) -> Option<String> {
    if !section.has("endpoint") {
        return Some(standard.to_string());
    }
    let place = section.get("endpoint", reader)?;
    let endpoint = reader.checked(&place, |text| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]".contains(c);
        if (text.starts_with("https://") || text.starts_with("http://")) && text.chars().all(is_plain) {
            Ok(text.trim_end_matches('/').to_string())
        } else {
            Err(format!("must be the base address of the API, such as {standard}"))
        }
    })?;
    told(allowed.check_url(&endpoint), &place, reader);
    Some(endpoint)
}

/// Tells of an address that can never be reached. It is taken all the same, so that nothing else is said of it.
fn told<'a>(looked_at: Result<(), String>, place: &Place<'a>, reader: &mut Reader<'a>) {
    if let Err(problem) = looked_at {
        reader.problem(place, format!("cannot be used: {problem}"));
    }
}

/// The template itself, or the path of a file that holds it.
fn template<'a>(place: &Place<'a>, reader: &mut Reader<'a>) -> Option<String> {
    let text = reader.text(place)?;
    let text = if text.contains(['{', '\n']) { text.to_string() } else { reader.file(place, text)? };
    check_template(&text).map_err(|message| reader.problem(place, message)).ok()?;
    Some(text)
}

fn plain_word(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_#.".contains(c);
    if text.len() <= 80 && text.chars().all(is_plain) {
        Ok(text.to_string())
    } else {
        Err("must be the identifier of a channel, such as C0123456789".to_string())
    }
}

fn mail_address(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_graphic() && !"<>()[],;:\\\"".contains(c);
    match text.split_once('@') {
        Some((name, host)) if !name.is_empty() && host.contains('.') && text.chars().all(is_plain) => {
            Ok(text.to_string())
        }
        _ => Err("must be an e-mail address, such as ops@example.com".to_string()),
    }
}

/// A host, and a port: that of submission where it is left out.
fn mail_server(text: &str) -> Result<(String, u16), String> {
    let (host, port) = text.rsplit_once(':').map_or((text, Ok(SUBMISSION_PORT)), |(host, port)| (host, port.parse()));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    match port {
        Ok(port) if port > 0 && !host.is_empty() && host.len() <= 253 && host.chars().all(is_plain) => {
            Ok((host.to_string(), port))
        }
        _ => Err("must be a mail server and its port, such as smtp.example.com:587".to_string()),
    }
}

fn repository(text: &str) -> Result<String, String> {
    if super::is_repo(text) && text.split('/').all(|part| !matches!(part, "." | "..")) {
        Ok(text.to_string())
    } else {
        Err("must be OWNER/NAME".to_string())
    }
}
