//! What each sender can prove itself by, and a warning where a route asks for something else. Pure.

use super::section::{Place, Reader};
use crate::relay::alert::Format;
use crate::relay::inbound::senders::{self, Signature};
use crate::relay::serve::auth::{Auth, Method, Scheme};

/// Senders of which more is known than their row in the table of senders says; the best way first.
const KNOWN: [(Format, &[&str]); 7] = [
    (Format::Alertmanager, &["bearer", "basic", "header", "path"]),
    (Format::Grafana, &["grafana", "bearer", "basic", "header", "path"]),
    (Format::PagerDuty, &["pagerduty", "bearer", "basic", "header", "path"]),
    (Format::Sentry, &["sentry", "path"]),
    (Format::Datadog, &["bearer", "basic", "header", "path"]),
    (Format::Opsgenie, &["bearer", "basic", "header", "path"]),
    (Format::CloudWatch, &["sns", "basic", "path"]),
];

/// Tells of a sender that can do nothing of what its route asks for.
pub fn compare(place: &Place, format: Option<Format>, auth: &Auth, reader: &mut Reader) {
    let (Some(format), Auth::AnyOf(methods)) = (format, auth) else { return };
    let sender = format.sender_name();
    let signature = senders::by_name(format.name()).map(|sender| sender.signature);
    let abilities = abilities(format);
    // What its row says of its signature, hmac takes as well.
    let signs = |method: &Method| method.name() == "hmac" && matches!(signature, Some(Signature::Hmac { .. }));
    let is_sent = |method: &Method| abilities.contains(&method.name()) || signs(method);
    if !abilities.is_empty() && !methods.iter().any(is_sent) {
        let message = format!("asks for what {sender} does not send: use {}", one_of(&abilities));
        reader.warning(place, message);
    }
    if let Some(Signature::Token { header }) = signature {
        for method in methods {
            if let Method::Header { name, .. } = method
                && !name.eq_ignore_ascii_case(header)
            {
                reader.warning(place, format!("names the header {name}, but {sender} sends its secret in {header}"));
            }
        }
    }
}

/// `a, b or c`
fn one_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [word] => (*word).to_string(),
        [others @ .., last] => format!("{} or {last}", others.join(", ")),
    }
}

/// What a sender can do; empty where it can be told anything.
fn abilities(format: Format) -> Vec<&'static str> {
    if let Some((_, abilities)) = KNOWN.iter().find(|(known, _)| *known == format) {
        return abilities.to_vec();
    }
    // Their senders are programs of anybody.
    if matches!(format, Format::Any | Format::Generic | Format::CloudEvents) {
        return Vec::new();
    }
    match senders::by_name(format.name()).map(|sender| sender.signature) {
        None => Vec::new(),
        Some(Signature::Nothing) => vec!["path"],
        Some(Signature::Header) => vec!["bearer", "basic", "header", "path"],
        Some(Signature::Token { .. }) => vec!["header", "path"],
        Some(Signature::Hmac { header, .. }) => {
            let schemes = [Scheme::PagerDuty, Scheme::Sentry, Scheme::GitHub];
            let scheme = schemes.iter().find(|scheme| scheme.header().eq_ignore_ascii_case(header));
            vec![scheme.map_or("hmac", Scheme::name), "path"]
        }
        Some(Signature::StandardWebhooks) => vec!["standard_webhooks", "path"],
        Some(Signature::Sns) => vec!["sns", "basic", "path"],
    }
}
