//! An alert of a sender that nobody here knows: its values are found by the names that senders use. Pure.

mod detection;
mod envelope;
mod heading;
mod identity;
mod state;

use serde_json::{Map, Value};

pub use detection::is_sure;
pub use envelope::carried;
pub use identity::{further_sources, key, sources};
pub use state::state;

use detection::is_sure_itself;
use envelope::carried_alert;

use super::fields::Fields;
use super::leaves::{Leaf, is_kept_secret, is_personal, leaves, looks_personal};
use super::names::{LINKS, MESSAGES, SEVERITIES, STARTS};
use super::{Delivery, Problem};
use crate::relay::alert::{Alert, Format, Link, Severity};

/// Names of lists of alerts.
const LISTS: [&str; 6] = ["alerts", "incidents", "problems", "messages", "events", "notifications"];

/// Reads any object; `title` is what a sender with a title of its own calls it.
pub fn read(payload: Fields) -> Alert {
    let leaves = leaves(payload.value);
    let title = identity::title(&leaves).unwrap_or_else(|| "an alert without a title".to_string());
    let identity = identity::identity(&leaves, &title);
    let (state, warning) = state(&leaves);
    let mut alert = Alert::new(payload.format, state, title, identity);
    alert.warnings.extend(warning);
    tell(&mut alert, &leaves);
    alert
}

/// Reads the alerts in an object.
///
/// # Errors
/// Never; every reading may fail.
pub fn read_each(payload: Fields, delivery: &mut Delivery) -> Result<(), Problem> {
    delivery.alerts.extend(each(payload.value).iter().map(|value| read(Fields { value, ..payload })));
    Ok(())
}

/// Whether a field, or the title, has a word for a state.
pub fn says_state(value: &Value) -> bool {
    let leaves = leaves(value);
    state::word(&leaves).is_some() || state::in_text(&leaves).is_some()
}

/// The alerts in an object, or in the one that it carries as text: the items of its list of alerts, each with what stands
/// beside the list, or itself.
pub fn each(value: &Value) -> Vec<Value> {
    if let Some(carried) = carried_alert(value) {
        return each(&carried);
    }
    let Some((list_name, list)) = LISTS.iter().find_map(|name| Some((*name, alerts_in(value, name)?))) else {
        return vec![value.clone()];
    };
    let beside = value.as_object().into_iter().flatten().filter(|(name, _)| *name != list_name);
    let outer: Map<String, Value> = beside.map(|(name, value)| (name.clone(), value.clone())).collect();
    let with_outer = |item: &Value| {
        let mut all = outer.clone();
        all.extend(item.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
        Value::Object(all)
    };
    list.iter().map(with_outer).collect()
}

/// The items of a list, where all are alerts by themselves; those of one called so are taken at their word.
fn alerts_in<'a>(value: &'a Value, name: &str) -> Option<&'a Vec<Value>> {
    let list = value.get(name)?.as_array().filter(|list| !list.is_empty() && list.iter().all(Value::is_object))?;
    let is_alert = |value| is_sure(Fields { format: Format::Any, value });
    (name == LISTS[0] || list.iter().all(is_alert)).then_some(list)
}

/// The names under which a title, a state, a severity and a link stand, for a person to look at.
pub fn found(payload: Fields) -> Vec<(&'static str, String)> {
    let leaves = leaves(payload.value);
    let path = |leaf: Option<&Leaf>| leaf.map(|leaf| leaf.path.clone());
    let all = [
        ("title", path(identity::title_field(&leaves))),
        ("state", path(state::states(&leaves).first().copied())),
        ("severity", path(pick(&leaves, &SEVERITIES))),
        ("url", path(pick(&leaves, &LINKS))),
    ];
    // A name with a point in it is no path.
    let leads = |path: &String| payload.text(path).is_some();
    all.into_iter().filter_map(|(name, path)| Some((name, path.filter(leads)?))).collect()
}

/// Fills in what is only told.
pub fn tell(alert: &mut Alert, leaves: &[Leaf]) {
    alert.message = pick(leaves, &MESSAGES)
        .filter(|leaf| leaf.text != alert.title)
        .map(|leaf| leaf.text.clone())
        .unwrap_or_default();
    alert.severity = SEVERITIES
        .iter()
        .find_map(|name| leaves.iter().filter(|leaf| is_severity_name(leaf, &[name])).find_map(severity_of));
    alert.started_at = pick_all(leaves, &STARTS).find_map(|leaf| super::fields::moment(&leaf.text));
    super::leaves::tell(alert, leaves, |_| true);
    let mut links: Vec<Link> = Vec::new();
    for leaf in pick_all(leaves, &LINKS).filter(|leaf| leaf.is_link()) {
        super::fields::add_link(&mut links, &leaf.path, Some(leaf.text.clone()));
    }
    links.truncate(6);
    alert.links = links;
}

/// Whether a field is called by one of the names for a severity, or is the name of one: `severity.label`.
fn is_severity_name(leaf: &Leaf, names: &[&str]) -> bool {
    let named = |name: &str| names.contains(&name);
    named(&leaf.name)
        || leaf.name.ends_with("severity")
        || named(&leaf.parent) && ["label", "name", "slug", "level", "value"].contains(&leaf.name.as_str())
}

fn severity_of(leaf: &Leaf) -> Option<Severity> {
    Severity::from_priority(&leaf.text)
}

fn pick<'a>(leaves: &'a [Leaf], names: &[&str]) -> Option<&'a Leaf> {
    pick_all(leaves, names).next()
}

fn pick_all<'a>(leaves: &'a [Leaf], names: &[&str]) -> impl Iterator<Item = &'a Leaf> {
    let mut found: Vec<(usize, &Leaf)> = leaves
        .iter()
        .filter(|leaf| leaf.is_fact())
        .filter_map(|leaf| Some((names.iter().position(|name| *name == leaf.name)?, leaf)))
        .collect();
    found.sort_by_key(|(rank, leaf)| (leaf.in_list, *rank, leaf.depth));
    found.into_iter().map(|(_, leaf)| leaf)
}

/// Fills in the labels of a sender with an object of them.
pub fn label(alert: &mut Alert, payload: Fields) {
    alert.labels = payload.pairs("labels");
    alert.labels.retain(|name, value| !is_personal(name) && !looks_personal(value));
    let secrets = alert.labels.iter().filter(|(name, value)| is_kept_secret(name, value));
    alert.secrets.extend(secrets.map(|(name, _)| name.clone()));
}
