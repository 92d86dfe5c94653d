//! Datadog's webhook, whose fields the user's own template names: the default template's and the recommended ones. Pure.

use super::Problem;
use super::fields::{Fields, tagged};
use super::leaves::{leaves, tell};
use crate::relay::alert::{Alert, Identity, Severity, State};

/// Reads what the template gives. A variable that Datadog did not fill in counts as absent.
///
/// # Errors
/// When there is neither a key nor a title.
pub fn read(payload: Fields) -> Result<Alert, Problem> {
    let text = |names: &[&str]| names.iter().find_map(|name| payload.text(name).filter(|text| is_filled_in(text)));
    let full_title = text(&["alert_title", "title", "event_title"]);
    let (prefix, title) = match &full_title {
        Some(title) => split_transition(title),
        None => (None, ""),
    };
    let identity = if let Some(cycle) = text(&["alert_cycle_key"]) {
        own("cycle", [cycle])
    } else if let Some(id) = text(&["alert_id"]) {
        let prefix = full_title.as_deref().and_then(|full_title| full_title.strip_suffix(title));
        let in_title = || prefix.and_then(scope_of).map(str::to_string);
        own("alert", std::iter::once(id).chain(text(&["alert_scope", "scope"]).or_else(in_title)))
    } else if let Some(key) = text(&["aggreg_key", "aggregation_key"]) {
        own("aggregation", [key])
    } else if !title.is_empty() {
        // Two hosts of one monitor are told apart by the scope in the title's prefix, which the recovery shares.
        let prefix = full_title.as_deref().and_then(|full_title| full_title.strip_suffix(title));
        let scope = prefix.and_then(scope_of).unwrap_or_default();
        let source = text(&["org.id", "org_id"]).unwrap_or_default();
        Identity::Title { source, title: format!("{title}{scope}") }
    } else {
        return Err(payload.missing("alert_cycle_key (or alert_id, aggreg_key, title)"));
    };
    let state = match text(&["alert_transition", "transition"]).or(prefix) {
        Some(word) => state(&word),
        None if text(&["alert_type"]).is_some_and(|kind| kind.eq_ignore_ascii_case("success")) => State::Resolved,
        None => State::Firing,
    };
    let title = if title.is_empty() { "a monitor without a title" } else { title };
    let mut alert = Alert::new(payload.format, state, title.to_string(), identity);
    alert.message = text(&["text_only_msg", "event_msg", "body", "message", "text"]).unwrap_or_default();
    alert.severity = text(&["alert_priority", "priority"])
        .and_then(|priority| Severity::from_priority(&priority))
        .or_else(|| Severity::from_word(&text(&["alert_type"])?));
    alert.started_at = payload.moment("date").or_else(|| payload.moment("last_updated"));
    // Tags come as a list, or as one text with commas.
    let tags = payload.pick(&["tags"]).remove("tags").filter(|tags| is_filled_in(tags)).unwrap_or_default();
    alert.labels = tagged(tags.split(','));
    for (name, names) in
        [("scope", &["alert_scope", "scope"][..]), ("hostname", &["hostname"]), ("event_type", &["event_type"])]
    {
        alert.labels.extend(text(names).map(|text| (name.to_string(), text)));
    }
    alert.annotations.extend(text(&["alert_metric", "metric"]).map(|metric| ("metric".to_string(), metric)));
    // The body is the user's own: whatever it holds is worth telling.
    tell(&mut alert, &leaves(payload.value), |_| true);
    alert.links = payload.links(&[("monitor", "link"), ("snapshot", "snapshot")]);
    Ok(alert)
}

fn own(kind: &str, parts: impl IntoIterator<Item = String>) -> Identity {
    Identity::Own(std::iter::once(kind.to_string()).chain(parts).collect())
}

/// A `$VARIABLE` that stands for itself was not known to Datadog.
fn is_filled_in(text: &str) -> bool {
    let name = text.strip_prefix('$').unwrap_or("x");
    text != "null" && !name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

fn state(transition: &str) -> State {
    match transition.to_ascii_lowercase().as_str() {
        "triggered" | "re-triggered" | "no data" | "re-no data" => State::Firing,
        "recovered" => State::Resolved,
        _ => State::other(transition),
    }
}

/// The `{host:web-1}` of a title's prefix, before which a priority may stand.
fn scope_of(prefix: &str) -> Option<&str> {
    let start = prefix.find('{')?;
    prefix[start..].find('}').map(|length| &prefix[start..=start + length])
}

/// `[Triggered on {host:web-1}] CPU is high` in two; the transition is `None` for any other title.
fn split_transition(title: &str) -> (Option<String>, &str) {
    const TRANSITIONS: [&str; 9] =
        ["Triggered", "Re-Triggered", "Recovered", "Warn", "Re-Warn", "No data", "Re-No data", "Renotify", "Ok"];
    // The priority may come first.
    let after_priority = |title: &'_ str| -> Option<usize> {
        let digits = title.strip_prefix("[P")?;
        digits
            .starts_with(|c: char| c.is_ascii_digit())
            .then_some("[P1] ".len())
            .filter(|_| digits[1..].starts_with("] "))
    };
    let title = &title[after_priority(title).unwrap_or(0)..];
    let inside = title.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    let Some((inside, rest)) = inside else {
        return (None, title);
    };
    let known = TRANSITIONS.iter().find(|word| {
        inside.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word))
            && !inside[word.len()..].starts_with(|c: char| c.is_alphanumeric())
    });
    match known {
        Some(word) => (Some((*word).to_string()), rest.trim()),
        None => (None, title),
    }
}
