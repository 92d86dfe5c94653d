//! What is served, where and for whom, in sentences: as `--check` and the start say it. Pure.

use std::fmt;
use std::net::SocketAddr;

use super::access::Access;
use super::auth::Auth;
use super::rules::{DEFAULT, Route, Rule, Rules};
use super::store::Address;
use redact::redact;

/// Where requests come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    pub address: SocketAddr,
    pub is_encrypted: bool,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_encrypted { "https" } else { "http" };
        write!(formatter, "{scheme}://{}", self.address)
    }
}

/// All that would be served.
pub fn would_serve(origin: Origin, store: &Address, rules: &Rules) -> Vec<String> {
    let mut lines = vec![format!("would listen on {origin}, store {store}")];
    lines.extend(rules.routes.iter().map(|route| route_line(origin, route)));
    lines.push(access_line(origin, &rules.access));
    for integration in &rules.integrations {
        let place = match &integration.token {
            None => "a simulated organization".to_string(),
            Some(_) => {
                let organization = integration.org_id.as_deref().unwrap_or("found by the key");
                format!("{}, organization {}", redact(&integration.api_url), redact(organization))
            }
        };
        lines.push(format!("integration {}: {place}", integration.name));
    }
    lines.extend(rule_lines(rules));
    lines.extend(warnings(origin, store, rules).into_iter().map(|warning| format!("warning: {warning}")));
    lines
}

/// Which rules there are, and where their sessions go.
pub fn rule_lines(rules: &Rules) -> Vec<String> {
    match &rules.rules[..] {
        [rule] if rule.id == DEFAULT => vec![format!("sessions go to the integration {}", rule.integration)],
        rules => rules.iter().map(rule_line).collect(),
    }
}

/// A rule: where it stands, and where its sessions go.
fn rule_line(rule: &Rule) -> String {
    let (id, group, integration) = (&rule.id, &rule.group, &rule.integration);
    let rest = match (rule.is_enabled, rule.matching.is_of_all()) {
        (false, _) => "; disabled",
        (true, true) => "; takes every alert that comes to it",
        (true, false) => "",
    };
    format!("rule {id} of the group {group}, sessions go to the integration {integration}{rest}")
}

/// Why nothing can come in at an address.
pub fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> String {
    format!("cannot listen on {address}: {error}; give another --listen")
}

/// A route: its URL, who sends to it, and by what that is proven.
pub fn route_line(origin: Origin, route: &Route) -> String {
    let sender = match (&route.format, &route.mapping) {
        (Some(format), _) => format.name(),
        (None, Some(_)) => "map",
        (None, None) => "auto",
    };
    let methods = match &route.auth {
        Auth::Open => "none".to_string(),
        Auth::AnyOf(methods) => methods.iter().map(|method| method.name()).collect::<Vec<_>>().join(", "),
    };
    let secret = if methods.split(", ").any(|name| name == "path") { "/SECRET" } else { "" };
    format!("route {origin}/v1/hooks/{}{secret}, kind {sender}, auth {methods}", route.name)
}

/// Who may see what goes on, and who may act.
pub fn access_line(origin: Origin, access: &Access) -> String {
    let who = match (access.read.len(), access.admin.len()) {
        (0, 0) => "for whoever is on this machine".to_string(),
        (read, admin) => format!("with a token: {read} to read, {admin} to act"),
    };
    format!("API {origin}/api/v1, {who}")
}

/// What a person should know about it.
pub fn warnings(origin: Origin, store: &Address, rules: &Rules) -> Vec<String> {
    let mut warnings: Vec<String> = rules
        .open_routes()
        .map(|name| format!("the route {name} has no authentication: every program on this machine can start sessions"))
        .collect();
    warnings.extend(rules.warnings.iter().map(ToString::to_string));
    if !origin.is_encrypted && !origin.address.ip().to_canonical().is_loopback() {
        warnings.push(
            "deliveries and their secrets come in without encryption: give --tls-cert and --tls-key, or put a proxy with TLS in front".to_string(),
        );
    }
    if store.is_unverified() {
        warnings.push(
            "PostgreSQL is asked over the network without making sure that it is the right one, and without encryption if it offers none: end its address with sslmode=verify-full, or let only a network that you trust lie between".to_string(),
        );
    }
    warnings
}
