//! What happened to an alert, in the words of its page. Pure.

use crate::relay::event::EventKind;
use crate::relay::outcome::OutcomeStatus;
use crate::relay::serve::page::Moment;
use crate::relay::serve::store::{Happening, TimelineEntry};
use crate::relay::terminal;

/// Decisions of people, which stand among the actions too.
const BY_HAND: [&str; 5] = ["end", "retry", "start_again", "suppress", "unsuppress"];

/// One entry of the timeline; `None` for what the page shows elsewhere.
pub fn moment(entry: &TimelineEntry, clean: &dyn Fn(&str) -> String) -> Option<Moment> {
    let (kind, text, detail, delivery) = match &entry.what {
        Happening::Delivery { delivery_id, state, taken, reason, .. } => {
            let detail = match (taken.as_str(), reason) {
                (_, Some(reason)) => reason.clone(),
                ("started", None) => "a job was made of it".to_string(),
                ("joined", None) => "the job that goes on was told".to_string(),
                ("duplicate", None) => "it was there before".to_string(),
                (other, None) => other.to_string(),
            };
            ("delivery", format!("Delivered as {state}"), Some(detail), Some(delivery_id.clone()))
        }
        Happening::Action { action } => {
            let done = if action.is_done { "" } else { ", refused" };
            let text = format!("{}, by {}{done}", capitalized(&action.action.replace('_', " ")), action.who);
            ("action", text, Some(action.result.clone()), None)
        }
        // The action of the same moment says it.
        Happening::Decision { decision } if BY_HAND.contains(&decision.decision.as_str()) => return None,
        Happening::Decision { decision } => {
            let gate = decision.gate.as_deref().unwrap_or("a gate");
            let text = match decision.decision.as_str() {
                "start" => "May start".to_string(),
                "hold" => format!("Held by {gate}"),
                "refuse" => format!("Refused by {gate}"),
                "join" => "Joins the session of its storm".to_string(),
                "look" => format!("Looks at the earlier session, for {gate}"),
                other => other.replace('_', " "),
            };
            ("gate", text, decision.reason.clone(), None)
        }
        Happening::Event { event, .. } => event_moment(event)?,
        Happening::Notification { notification } => {
            let (event, target) = (notification.event.replace('_', " "), &notification.target);
            let text = match notification.state.as_str() {
                "sent" => format!("Told {target}: {event}"),
                "dead" => format!("Could not tell {target}: {event}"),
                "skipped" => format!("Did not tell {target}: {event}"),
                _ => format!("Is to tell {target}: {event}"),
            };
            ("notification", text, notification.reason.clone(), None)
        }
    };
    let given_up = match &entry.what {
        Happening::Notification { notification } if notification.state == "dead" => Some(notification.id.clone()),
        _ => None,
    };
    Some(Moment {
        at: entry.at,
        kind: kind.to_string(),
        text: clean(&text),
        detail: detail.map(|detail| clean(&detail)),
        delivery,
        given_up,
    })
}

type Told = (&'static str, String, Option<String>, Option<String>);

fn event_moment(event: &EventKind) -> Option<Told> {
    let kind = match event {
        EventKind::Prompt { .. } => return None,
        EventKind::SessionCreated { .. } | EventKind::SessionAdopted { .. } | EventKind::SessionStatus { .. } => {
            "session"
        }
        EventKind::Outcome(outcome) => {
            let detail = Some(outcome.reason.clone());
            let kind = match outcome.status {
                OutcomeStatus::Done => "outcome done",
                OutcomeStatus::Blocked => "outcome blocked",
                OutcomeStatus::Dropped => "outcome dropped",
            };
            let result =
                serde_json::to_value(outcome.result).ok().and_then(|word| Some(format!(", {}", word.as_str()?)));
            let text = format!("Ended as {}{}", outcome.status.name(), result.unwrap_or_default());
            return Some((kind, text, detail, None));
        }
        _ => "event",
    };
    let text = terminal::text(event, false)?;
    let (text, detail) = match text.split_once(": ") {
        Some((text, detail)) => (text, Some(detail.to_string())),
        None => (text.as_str(), None),
    };
    Some((kind, capitalized(text), detail, None))
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
