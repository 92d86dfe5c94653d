//! From alerts to what a session is wanted for: which of them are one, and what is said of their coming. Pure.

use chrono::DateTime;

use super::alert::identity::fingerprint;
use super::alert::{Alert, MEMBERS_KEPT, Member};
use super::job::{DispatchRequest, Firing, FiringReason};
use super::names::Names;
use crate::devin::session::NewSession;

/// What a session is wanted for: `new` with the names of this attempt on it.
pub fn request(names: Names, mut new: NewSession, alert: &Alert) -> DispatchRequest {
    let firing = firing(alert, &new.prompt);
    names.put_on(&mut new);
    DispatchRequest { names, new, firing }
}

/// Alerts that share a key are one: the first of them that fires, with the others that fire as its members; or the first where
/// none does.
pub fn one_a_key(alerts: Vec<(String, Alert)>) -> Vec<(String, Alert)> {
    let mut kept: Vec<(String, Alert)> = Vec::new();
    for (key, alert) in alerts {
        match kept.iter_mut().find(|(known, _)| *known == key) {
            None => kept.push((key, alert)),
            Some((_, known)) if alert.state.is_firing() && !known.state.is_firing() => *known = alert,
            Some((_, known)) if alert.state.is_firing() => join(known, alert),
            Some(_) => {}
        }
    }
    kept
}

/// Makes an alert a member of another one.
fn join(known: &mut Alert, other: Alert) {
    let member = |alert: &Alert| Member {
        fingerprint: fingerprint(&alert.labels),
        labels: alert.labels.clone(),
        annotations: alert.annotations.clone(),
        started_at: alert.started_at.clone(),
        links: alert.links.clone(),
    };
    if known.firing == 0 {
        (known.firing, known.members) = (1, vec![member(known)]);
    }
    let new = if other.firing == 0 { vec![member(&other)] } else { other.members };
    known.firing += other.firing.max(1);
    known.members.extend(new);
    known.members.truncate(MEMBERS_KEPT);
}

/// Why the alert came, and what a session at work is told of it. Nothing is kept between two runs, so that the whole group
/// is told.
pub fn firing(alert: &Alert, prompt: &str) -> Firing {
    let reason = match alert.notification_reason.as_deref() {
        Some("new alerts added") => FiringReason::NewAlerts,
        Some("repeat interval elapsed") => FiringReason::Repeat,
        _ => FiringReason::First,
    };
    let message = format!(
        "Alerts have joined the group that this session works on. The group as it is now, in the words that a new session would be given:\n\n{}",
        prompt
    );
    let members = &alert.members;
    let began = |member: &Member| DateTime::parse_from_rfc3339(member.started_at.as_deref()?).ok();
    Firing {
        reason,
        fingerprints: members.iter().map(|member| member.fingerprint.clone()).collect(),
        latest_start: members.iter().filter_map(began).map(|began| began.timestamp_millis()).max(),
        message,
    }
}
