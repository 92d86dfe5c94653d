//! The rules file of `alert-relay serve`: YAML that says who may deliver, to which organization sessions belong, and what is
//! done about an alert. Pure.
//!
//! [`check`] turns its text into checked values, or into everything that is wrong with it. It reads no environment and no
//! file: [`Surroundings`] does, those of this machine for [`load`]. No problem shows a secret, not even one that stands
//! where it should not.

mod abilities;
mod file;
mod integrations;
mod node;
mod routes;
mod rule;
mod section;
mod sources;

use std::fmt;
use std::io;
use std::time::Duration;

use super::auth::Auth;
use super::gates::{Bounds, Gates};
use super::secret::Secret;
use crate::devin::Token;
use crate::devin::session::NewSession;
use crate::relay::alert::Format;
use crate::relay::inbound::{Grouping, Mapping};
use crate::relay::job::Policy;
use crate::relay::prompt::Template;
use crate::relay::values::{namespace, size};
pub use file::load;
use node::{Node, Value};
use section::{Elsewhere, Place, Reader};

/// A rules file that has been checked.
#[derive(Debug)]
pub struct Rules {
    pub routes: Vec<Route>,
    pub integrations: Vec<Integration>,
    /// What is done about an alert.
    pub rule: Rule,
    /// How long deliveries are kept, and so how long their identifiers are unique.
    pub retention: Duration,
    /// How many bytes the bodies of deliveries that are kept may have together.
    pub max_store_size: u64,
    /// Keeps these alerts apart from the same alerts of other bridges; empty for none.
    pub namespace: String,
    /// What holds for all jobs, whenever they were made.
    pub bounds: Bounds,
    /// What is allowed and yet likely to be a mistake.
    pub warnings: Vec<Problem>,
}

/// Where deliveries come in.
#[derive(Debug)]
pub struct Route {
    /// Unique; the end of the URL.
    pub name: String,
    /// Who sends; `None` to tell it by the payload, or where a mapping does.
    pub format: Option<Format>,
    pub mapping: Option<Mapping>,
    pub auth: Auth,
}

/// A Devin organization, and how to reach it.
#[derive(Debug)]
pub struct Integration {
    /// Unique.
    pub name: String,
    /// `None` in a simulated organization.
    pub token: Option<Token>,
    /// The API's base address, without a trailing slash.
    pub api_url: String,
    /// `None` leaves it to the key to tell.
    pub org_id: Option<String>,
}

/// What is done about an alert.
#[derive(Debug)]
pub struct Rule {
    /// The name of an integration.
    pub integration: String,
    /// What sessions are created with, without the words of an alert. A title here takes the place of the alert's.
    pub session: NewSession,
    pub prompt_template: Option<Template>,
    /// The template of the dedupe key; `None` for the sender's own.
    pub dedupe_key: Option<String>,
    pub ignored_labels: Vec<String>,
    pub grouping: Grouping,
    /// States beside firing that start a session, in any letter case.
    pub fire_on: Vec<String>,
    /// The most sessions that one delivery may create.
    pub max_sessions: usize,
    pub create_timeout: Duration,
    pub policy: Policy,
    /// What is asked of an alert before it starts a session; handed with each of its jobs.
    pub gates: Gates,
}

/// What becomes of a create that nobody knows the end of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnCreateUnknown {
    /// It is created once more when the session did not show for [`Policy::reconcile_window`].
    Retry,
    /// A person is told.
    Report,
}

/// Which Devin the bridge talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Devin {
    Api,
    /// Integrations need not be there, nor the variables and files that hold their keys.
    Sandbox,
}

/// Where secrets and other files are.
pub trait Surroundings {
    /// A variable of the environment.
    fn variable(&self, name: &str) -> Option<String>;

    /// A file. A relative path begins in the folder of the rules file.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn file(&self, path: &str) -> Result<Vec<u8>, io::ErrorKind>;
}

/// What is wrong with a place in the file, or likely to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// From 1; `None` where the file as a whole is meant.
    pub line: Option<u64>,
    /// The keys that lead there: `routes[0].auth`; empty where none does.
    pub key: String,
    /// The end of a sentence that begins with the key.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(formatter, "line {line}: ")?;
        }
        match self.key.as_str() {
            "" => write!(formatter, "the rules file {}", self.message),
            key => write!(formatter, "{key} {}", self.message),
        }
    }
}

impl Rules {
    /// The secrets of all routes: what must never be shown.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let methods = self.routes.iter().flat_map(|route| match &route.auth {
            Auth::Open => &[][..],
            Auth::AnyOf(methods) => methods,
        });
        methods.flat_map(|method| method.secrets())
    }

    /// The names of the routes that ask for nothing and so work on loopback only.
    pub fn open_routes(&self) -> impl Iterator<Item = &str> {
        self.routes.iter().filter(|route| route.auth == Auth::Open).map(|route| route.name.as_str())
    }
}

const KEYS: [&str; 7] =
    ["routes", "integrations", "default", "retention", "max_store_size", "on_create_unknown", "namespace"];

const ELSEWHERE: [Elsewhere; 3] =
    [("rules", "write default, one rule for all alerts"), ("hooks", "routes"), ("webhooks", "routes")];

/// Deliveries are kept so long where the file says nothing.
const RETENTION: Duration = Duration::from_secs(30 * 86_400);

/// And as many bytes of them, at least and where the file says nothing.
const LEAST_STORE: u64 = 16 << 20;
const STORE: u64 = 1 << 30;

/// The name of the only integration of a simulated organization, where the file has none.
const SANDBOX: &str = "sandbox";

/// Checks a rules file.
///
/// # Errors
/// Everything that is wrong with it, in the order of its lines.
pub fn check(yaml: &str, devin: Devin, surroundings: &dyn Surroundings) -> Result<Rules, Vec<Problem>> {
    let root = Node::parse(yaml).map_err(|problem| vec![problem])?;
    let mut reader = Reader::new(surroundings);
    let rules = read(&root, devin, &mut reader);
    reader.problems.sort_by_key(|problem| problem.line);
    reader.warnings.sort_by_key(|warning| warning.line);
    match rules {
        Some(rules) if reader.problems.is_empty() => Ok(Rules { warnings: reader.warnings, ..rules }),
        _ => Err(reader.problems),
    }
}

fn read<'a>(root: &'a Node, devin: Devin, reader: &mut Reader<'a>) -> Option<Rules> {
    let root = Place { line: root.line, key: String::new(), node: root };
    let section = reader.section(&root, &KEYS, &ELSEWHERE)?;
    let routes = section.required("routes", "a list of routes, where deliveries come in", reader);
    let routes = routes.map(|place| routes::routes(&place, reader)).unwrap_or_default();
    let place = match devin {
        Devin::Api => section.required("integrations", "a list of integrations, each a Devin organization", reader),
        Devin::Sandbox => section.get("integrations", reader),
    };
    let integrations = place.map(|place| integrations::integrations(&place, devin, reader)).unwrap_or_default();
    let choices = [("retry", OnCreateUnknown::Retry), ("report", OnCreateUnknown::Report)];
    let on_create_unknown = section.get("on_create_unknown", reader);
    let on_create_unknown = on_create_unknown.and_then(|place| reader.choice(&place, &choices));
    let first = integrations.first().map_or(SANDBOX, |integration| &integration.name).to_string();
    let mut rule = rule::standard(first, on_create_unknown.unwrap_or(OnCreateUnknown::Retry));
    match section.get("default", reader) {
        Some(place) => rule::rule(&place, &integrations, &mut rule, reader),
        None if integrations.len() > 1 => {
            let message = "is missing: say which integration gets the sessions, as default: {integration: NAME}";
            reader.problem_at(section.line, "default", message);
        }
        None => {}
    }
    let retention = section.get("retention", reader);
    let (hour, years) = (Duration::from_secs(3600), Duration::from_secs(3650 * 86_400));
    let retention = retention.and_then(|place| reader.time_within(&place, hour..=years, "from 1h to 3650d"));
    let max_store_size = section.get("max_store_size", reader);
    let max_store_size = max_store_size.and_then(|place| {
        if matches!(place.node.value, Value::Number(_) | Value::Decimal(_)) {
            reader.problem(&place, "needs a unit: 64MiB, 2GiB");
            return None;
        }
        let bytes = reader.checked(&place, size)?;
        if bytes < LEAST_STORE {
            reader.problem(&place, "must be at least 16MiB, or what just came would be forgotten");
        }
        Some(bytes)
    });
    let namespace = section.get("namespace", reader).and_then(|place| reader.checked(&place, namespace));
    Some(Rules {
        routes,
        integrations,
        rule,
        retention: retention.unwrap_or(RETENTION),
        max_store_size: max_store_size.unwrap_or(STORE),
        namespace: namespace.unwrap_or_default(),
        bounds: Bounds::default(),
        warnings: Vec::new(),
    })
}

/// Why a file cannot be read, for people.
fn reason(kind: io::ErrorKind) -> String {
    match kind {
        io::ErrorKind::NotFound => "it does not exist".to_string(),
        kind => kind.to_string(),
    }
}

#[cfg(test)]
mod tests;
