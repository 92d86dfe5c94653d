//! The rules file of `alert-relay serve`: YAML that says who may deliver, to which organization sessions belong, and what is
//! done about an alert. Pure.
//!
//! [`check`] turns its text into checked values, or into everything that is wrong with it. It reads no environment and no
//! file: [`Surroundings`] does, those of this machine for [`load`]. No problem shows a secret, not even one that stands
//! where it should not.

mod abilities;
mod access;
mod conditions;
mod examine;
mod file;
mod integrations;
mod keys;
mod limits;
mod list;
pub mod matching;
mod node;
mod notify;
mod problem;
mod routes;
mod rule;
mod section;
mod session;
mod shown;
mod sources;
mod surroundings;

use std::time::Duration;

use super::access::Access;
use super::auth::Auth;
use super::gates::{Bounds, Gates, Limits};
use super::notify as telling;
use super::secret::Secret;
use super::store::Keep;
use crate::devin::Token;
use crate::devin::session::NewSession;
use crate::relay::alert::Format;
use crate::relay::inbound::{Grouping, Mapping};
use crate::relay::job::Policy;
use crate::relay::prompt::Template;
use crate::relay::values::{namespace, size};
pub use examine::{Findings, examine};
pub use file::load;
pub use limits::Limited;
use matching::Match;
use node::{Node, Value};
pub use problem::Problem;
use redact::Redactor;
use section::{Elsewhere, Place, Reader, Section};
pub use session::{is_repo, is_template};
use surroundings::reason;
pub use surroundings::{Devin, Surroundings};

/// A rules file that has been checked.
#[derive(Debug)]
pub struct Rules {
    pub routes: Vec<Route>,
    pub integrations: Vec<Integration>,
    /// What is done about an alert. Those of one group stand in the order in which they are asked.
    pub rules: Vec<Rule>,
    /// How long deliveries are kept, and so how long their identifiers are unique.
    pub retention: Duration,
    /// How long alerts and jobs are kept that are over.
    pub alert_retention: Duration,
    /// How many bytes the bodies of deliveries that are kept may have together.
    pub max_store_size: u64,
    /// Keeps these alerts apart from the same alerts of other bridges; empty for none.
    pub namespace: String,
    /// What holds for all jobs, whenever they were made.
    pub bounds: Bounds,
    /// Who may see what the bridge does, and who may act.
    pub access: Access,
    /// What is never sent to Devin or shown, whatever stands around it, beside the secrets of routes and targets.
    pub masked: Vec<Secret>,
    /// Whom to tell what becomes of alerts.
    pub notify: telling::Settings,
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
#[derive(Debug, Clone)]
pub struct Integration {
    /// Unique.
    pub name: String,
    /// `None` in a simulated organization.
    pub token: Option<Token>,
    /// The API's base address, without a trailing slash.
    pub api_url: String,
    /// `None` leaves it to the key to tell.
    pub org_id: Option<String>,
    /// What holds for all of its jobs together.
    pub limited: Limited,
}

impl Integration {
    /// Whether both lead to the same organization by the same key, whatever their limits are.
    pub fn is_same(&self, other: &Integration) -> bool {
        let all = |integration: &Integration| {
            let Integration { name, token, api_url, org_id, .. } = integration.clone();
            (name, token, api_url, org_id)
        };
        all(self) == all(other)
    }
}

/// What is done about an alert.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Unique. [`DEFAULT`] where the file has no list of rules.
    pub id: String,
    /// Of the rules of a group, one takes an alert; groups stand side by side.
    pub group: String,
    /// A rule that is not is passed over.
    pub is_enabled: bool,
    /// The alerts that it is for.
    pub matching: Match,
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

impl Rules {
    /// How long what is kept. Whatever the file says, what a job may be asked to wait for is remembered that long.
    pub fn keep(&self) -> Keep {
        let all_limits = || self.bounds.integrations.values().chain([&self.bounds.limits]);
        let of_limits = |limits: &Limits| limits.runs.iter().map(|runs| runs.within).max().unwrap_or_default();
        let of_rule = |rule: &Rule| {
            let holds = rule.policy.holds;
            holds.cooldown.max(holds.while_pr_open.unwrap_or_default()).max(of_limits(&rule.gates.limits))
        };
        let needed = self.rules.iter().map(of_rule).chain(all_limits().map(of_limits)).max().unwrap_or_default();
        let alerts = self.alert_retention.max(self.retention).max(needed);
        Keep { deliveries: self.retention, alerts, most_bytes: self.max_store_size }
    }

    /// The secrets of all routes, and the tokens: what must never be shown.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let methods = self.routes.iter().flat_map(|route| match &route.auth {
            Auth::Open => &[][..],
            Auth::AnyOf(methods) => methods,
        });
        methods.flat_map(|method| method.secrets()).chain(self.access.secrets()).chain(self.notify.secrets())
    }

    /// Tells a redactor what must never be sent or shown.
    pub fn tell(&self, redactor: &mut Redactor) {
        let text = |secret: &Secret| std::str::from_utf8(secret.expose()).map(str::to_string).ok();
        self.secrets().filter_map(text).for_each(|secret| redactor.add(&secret));
        self.masked.iter().filter_map(text).for_each(|secret| redactor.add_whole(&secret));
    }

    /// How long a create may take in an integration: as long as the most patient of its rules says.
    pub fn create_timeout(&self, integration: &str) -> Duration {
        let own = self.rules.iter().filter(|rule| rule.integration == integration).map(|rule| rule.create_timeout);
        own.max().unwrap_or(rule::CREATE_TIMEOUT)
    }

    /// How alerts are read: once for each way that a rule wants them.
    pub fn groupings(&self) -> impl Iterator<Item = Grouping> {
        let is_wanted = |grouping: &Grouping| self.rules.iter().any(|rule| rule.grouping == *grouping);
        [Grouping::Group, Grouping::PerAlert].into_iter().filter(is_wanted)
    }

    /// The names of the routes that ask for nothing and so work on loopback only.
    pub fn open_routes(&self) -> impl Iterator<Item = &str> {
        self.routes.iter().filter(|route| route.auth == Auth::Open).map(|route| route.name.as_str())
    }
}

/// The rule of a file that has no list of them, and the group of rules that name none.
pub const DEFAULT: &str = "default";

const KEYS: [&str; 14] = [
    "routes",
    "integrations",
    "default",
    "rules",
    "limits",
    "kill_switch",
    "access",
    "mask",
    "notify",
    "retention",
    "alert_retention",
    "max_store_size",
    "on_create_unknown",
    "namespace",
];

const ELSEWHERE: [Elsewhere; 11] = [
    ("hooks", "write routes"),
    ("webhooks", "write routes"),
    ("notifications", "write notify: {targets: […]}"),
    ("rule", "write rules, a list, or default for what all of them have in common"),
    ("defaults", "write default"),
    ("agentRules", "write rules"),
    ("killSwitch", "write kill_switch: {file: PATH}"),
    ("secrets", "write mask, a list of secrets that are never sent"),
    ("redact", "write mask, a list of secrets that are never sent"),
    ("read_token", "write access: {read_token: {env: NAME}}"),
    ("admin_token", "write access: {admin_token: {env: NAME}}"),
];

/// A rules file to begin with, commented.
pub const STARTER: &str = include_str!("rules/starter.yaml");

/// Deliveries are kept so long where the file says nothing.
const RETENTION: Duration = Duration::from_secs(30 * 86_400);

/// Alerts and jobs likewise, after they are over.
const ALERT_RETENTION: Duration = Duration::from_secs(365 * 86_400);

/// And as many bytes of deliveries, at least and where the file says nothing.
const LEAST_STORE: u64 = 16 << 20;
const STORE: u64 = 1 << 30;

/// The name of the only integration of a simulated organization, where the file has none: that of the examples.
const SANDBOX: &str = "main";

/// Checks a rules file.
///
/// # Errors
/// Everything that is wrong with it, in the order of its lines.
pub fn check(yaml: &str, devin: Devin, surroundings: &dyn Surroundings) -> Result<Rules, Vec<Problem>> {
    let root = Node::parse(yaml).map_err(|problem| vec![problem])?;
    let mut reader = Reader::new(surroundings);
    if let Devin::Sandbox(scenarios) = devin {
        reader.scenarios = Some(scenarios);
    }
    let rules = read(&root, devin, &mut reader);
    reader.problems.sort_by_key(|problem| problem.at);
    reader.warnings.sort_by_key(|warning| warning.at);
    match rules {
        Some(rules) if reader.problems.is_empty() => Ok(Rules { warnings: reader.warnings, ..rules }),
        _ => Err(reader.problems),
    }
}

fn read<'a>(root: &'a Node, devin: Devin, reader: &mut Reader<'a>) -> Option<Rules> {
    let root = Place { at: root.at, key: String::new(), node: root };
    let section = reader.section(&root, &KEYS, &ELSEWHERE)?;
    // First, so that none of them is let through in a text that goes to Devin.
    let masked = section.get("mask", reader).map(|place| sources::masked(&place, reader)).unwrap_or_default();
    let routes = section.required("routes", "a list of routes, where deliveries come in", reader);
    let routes = routes.map(|place| routes::routes(&place, reader)).unwrap_or_default();
    let place = match devin {
        Devin::Api => {
            let what = "a list of integrations, each a Devin organization (with --sandbox, none is needed)";
            section.required("integrations", what, reader)
        }
        Devin::Nobody | Devin::Sandbox(_) => section.get("integrations", reader),
    };
    let integrations = place.map(|place| integrations::integrations(&place, devin, reader)).unwrap_or_default();
    let choices = [("retry", OnCreateUnknown::Retry), ("report", OnCreateUnknown::Report)];
    let on_create_unknown = section.get("on_create_unknown", reader);
    let on_create_unknown = on_create_unknown.and_then(|place| reader.choice(&place, &choices));
    let first = integrations.first().map_or(SANDBOX, |integration| &integration.name).to_string();
    let standard = rule::standard(first, on_create_unknown.unwrap_or(OnCreateUnknown::Retry));
    let (bounds, budgets) = bounds(&section, &integrations, reader);
    let notify = section.get("notify", reader).map(|place| notify::settings(&place, reader)).unwrap_or_default();
    let rules = list::rules(&section, (&routes, &integrations, &notify.targets), standard, (&bounds, &budgets), reader);
    if !notify.targets.is_empty()
        && let Some(place) = section.get("notify", reader)
    {
        notify::unused(&place, &notify.targets, &rules, reader);
    }
    let disabled = rules.iter().filter(|rule| !rule.is_enabled).map(|rule| rule.id.clone());
    let access = section.get("access", reader).map(|place| access::access(&place, reader)).unwrap_or_default();
    let retention = section.get("retention", reader);
    let (hour, years) = (Duration::from_secs(3600), Duration::from_secs(3650 * 86_400));
    let retention = retention.and_then(|place| reader.time_within(&place, hour..=years, "from 1h to 3650d"));
    let alert_retention = section.get("alert_retention", reader);
    let day = Duration::from_secs(86_400);
    let alert_retention = alert_retention.and_then(|place| reader.time_within(&place, day..=years, "from 1d to 3650d"));
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
        bounds: Bounds { disabled: disabled.collect(), ..bounds },
        rules,
        retention: retention.unwrap_or(RETENTION),
        alert_retention: alert_retention.unwrap_or(ALERT_RETENTION),
        max_store_size: max_store_size.unwrap_or(STORE),
        namespace: namespace.unwrap_or_default(),
        access,
        masked,
        notify,
        warnings: Vec::new(),
    })
}

/// What holds for all jobs, and where the budgets in it stand.
fn bounds<'a>(section: &Section<'a>, integrations: &[Integration], reader: &mut Reader<'a>) -> (Bounds, list::Budgets) {
    let mut bounds = Bounds::default();
    let mut budgets = list::Budgets::new();
    if let Some(place) = section.get("limits", reader) {
        let limited = limits::limits(&place, reader);
        bounds.limits = limited.limits;
        budgets.push((None, limited.budget));
    }
    for integration in integrations {
        bounds.integrations.insert(integration.name.clone(), integration.limited.limits.clone());
        budgets.push((Some(integration.name.clone()), integration.limited.budget.clone()));
    }
    if let Some(place) = section.get("kill_switch", reader)
        && let Some(section) = reader.section(&place, &["file"], &[("path", "write file")])
    {
        let path =
            section.required("file", "the path of a file that stops every start while something stands in it", reader);
        let path = path.and_then(|place| reader.text(&place));
        bounds.kill_switch = path.map(|path| reader.surroundings.path(path));
    }
    (bounds, budgets)
}

#[cfg(test)]
mod tests;
