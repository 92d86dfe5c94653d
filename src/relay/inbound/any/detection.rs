//! Whether a payload of no known sender is an alert for sure. Pure.

use std::collections::BTreeSet;

use super::super::fields::Fields;
use super::super::leaves::{Leaf, leaves, parts, plain};
use super::super::names::{ALERTING, ASSETS, OWN, SEVERITIES, TELLING, TRADE, WORK};
use super::envelope::carried_alert;
use super::identity::{key, title};
use super::state::{flag, in_text, kinds, of_kind, sign, state, states, word};
use super::{is_severity_name, severity_of};
use crate::relay::alert::{Severity, State};

/// How many words of alerts the names of fields must hold where nothing tells a state.
const WORDS_OF_ALERTS: usize = 2;

/// Whether it is an alert for sure, or carries one as text.
pub fn is_sure(payload: Fields) -> bool {
    is_sure_itself(payload) || carried_alert(payload.value).is_some()
}

/// Whether something says what it is about, something says alarm, and nothing says that it is other business.
pub fn is_sure_itself(payload: Fields) -> bool {
    let leaves = leaves(payload.value);
    let ends_known = || key(&leaves).is_some() && state(&leaves).0 == State::Resolved;
    (title(&leaves).is_some() || ends_known()) && !is_other_business(payload, &leaves) && says_alarm(payload, &leaves)
}

fn says_alarm(payload: Fields, leaves: &[Leaf]) -> bool {
    let severity = leaves.iter().any(is_severity);
    // A rule of a repository is one of its settings.
    let is_of_repository = top(payload).any(|name| name == "repository");
    let is_own = top(payload).any(|name| OWN.contains(&name.as_str()) && !(is_of_repository && name == "rule"));
    let is_alerting = |leaf: &Leaf| leaf.depth <= 3 && is_named(leaf);
    let alerting =
        leaves.iter().any(is_alerting) || kinds(leaves).any(|leaf| leaf.text.len() <= 60 && has_part(&leaf.text));
    let says_state = match word(leaves) {
        Some((State::Firing, leaf)) => State::is_alarm(&leaf.text) || alerting,
        // What starts nothing needs no further proof.
        Some(_) => true,
        None => {
            kinds(leaves).any(|leaf| is_alarm_kind(&leaf.text))
                || of_kind(leaves) == Some(State::Resolved)
                || alerting && !states(leaves).is_empty()
                || telling_words(leaves) >= WORDS_OF_ALERTS
        }
    };
    let is_ease = |leaf: &Leaf| {
        leaf.depth <= 2 && is_severity_name(leaf, &SEVERITIES) && State::known(&leaf.text) == Some(State::Resolved)
    };
    says_state
        || severity
        || leaves.iter().any(is_number_of_severity)
        || flag(leaves).is_some()
        || is_own
        || sign(leaves).is_some()
        || in_text(leaves).is_some_and(|state| state == State::Firing || state == State::Resolved)
        || leaves.iter().any(is_ease)
        || is_recurring(leaves)
        || counts_crashes(leaves)
}

/// Whether it tells when something was seen first and last, as error trackers do.
fn is_recurring(leaves: &[Leaf]) -> bool {
    let has = |name: &str| leaves.iter().any(|leaf| leaf.name == name && leaf.depth <= 3);
    has("firstseen") && has("lastseen")
}

fn top(payload: Fields) -> impl Iterator<Item = String> {
    payload.value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()).map(|(name, _)| plain(name))
}

/// Work that is planned or discussed, trade, and letters: they open, fail and close as alerts do.
fn is_other_business(payload: Fields, leaves: &[Leaf]) -> bool {
    let is_trade = |leaf: &Leaf| {
        let words = parts(&leaf.text);
        let is_kind = leaf.text.contains(['.', ':', '_']) || words.len() == 2;
        let is_card = plain(&leaf.text) == "messagecard";
        leaf.text.len() <= 60 && is_kind && !is_card && words.iter().any(|word| TRADE.contains(&word.as_str()))
            || leaf.name == "objectkind" && WORK.contains(&plain(&leaf.text).as_str())
    };
    let asks = leaves.iter().filter(|leaf| leaf.depth <= 1);
    let mut asks = asks.filter(|leaf| {
        ["type", "event", "eventtype", "eventname", "topic", "objectkind", "object", "webhookevent"]
            .contains(&leaf.name.as_str())
    });
    let is_letter = |leaf: &Leaf| leaf.depth <= 2 && leaf.name == "recipient";
    leaves.iter().any(is_letter)
        || top(payload).any(|name| WORK.contains(&name.as_str()))
        || asks.any(is_trade) && !counts_crashes(leaves)
}

/// Whether crashes are counted: work and trade open and close, but do not crash.
fn counts_crashes(leaves: &[Leaf]) -> bool {
    leaves.iter().any(|leaf| parts(leaf.own_name()).iter().any(|part| part == "crashes"))
}

/// Whether a field is called by a word that only alerts have.
fn is_named(leaf: &Leaf) -> bool {
    let is_of_severity = is_severity_name(leaf, &SEVERITIES);
    let is_about_code = leaf.path.split('.').any(|name| ASSETS.contains(&plain(name).as_str()));
    (!is_of_severity || severity_of(leaf).is_some()) && !is_about_code && leaf.path.split('.').any(has_part)
}

/// How many different words of alerts stand in the fields' own names.
fn telling_words(leaves: &[Leaf]) -> usize {
    let words = leaves.iter().filter(|leaf| leaf.depth <= 3 && is_named(leaf)).flat_map(|leaf| parts(leaf.own_name()));
    let telling: BTreeSet<String> = words.filter(|word| TELLING.contains(&word.as_str())).collect();
    telling.len()
}

fn has_part(name: &str) -> bool {
    parts(name)
        .iter()
        .any(|part| ALERTING.contains(&part.strip_suffix('s').unwrap_or(part)) || ALERTING.contains(&part.as_str()))
}

fn is_severity(leaf: &Leaf) -> bool {
    let severity = severity_of(leaf);
    let is_bad = severity >= Some(Severity::High) && ["level", "loglevel"].contains(&leaf.name.as_str());
    leaf.depth <= 4 && severity.is_some() && (is_bad || is_severity_name(leaf, &SEVERITIES[..8]))
}

fn is_number_of_severity(leaf: &Leaf) -> bool {
    leaf.depth <= 3 && leaf.name.ends_with("severity") && leaf.text.parse::<f64>().is_ok()
}

fn is_alarm_kind(text: &str) -> bool {
    parts(text).iter().any(|word| ALERTING.contains(&word.as_str()) || State::is_alarm(word))
        && super::state::last_word(text).is_some()
}
