//! From what was typed, and an alert, to what a job is made with.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use chrono::DateTime;

use super::options::{NewAlertsChoice, PollingOptions, Run, SessionLimitChoice, TimeoutChoice, WhilePrOpenChoice};
use super::orders::Prepared;
use crate::relay::alert::{Member, tag_in};
use crate::relay::job::{DispatchRequest, Firing, FiringReason, OnNewAlerts, OnSessionLimit, OnTimeout, Policy};
use crate::relay::names::Names;
use crate::relay::prior::Holds;

/// The attempt that stands in what is only printed.
pub const ANY_ATTEMPT: &str = "0000000000000000";

/// An attempt, or the end of a job's identifier: sixteen hexadecimal digits. They come of the system's randomness (with which
/// every `RandomState` begins), not of a clock: two runs that start in the same instant must never draw the same.
pub fn drawn() -> String {
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}

/// The dedupe tag of an alert.
pub fn alert_tag(order: &Prepared, namespace: &str) -> String {
    tag_in(namespace, &order.key)
}

/// What a session is wanted for.
pub fn request(order: &Prepared, namespace: &str, attempt: &str) -> DispatchRequest {
    let names = Names::new(alert_tag(order, namespace), attempt.to_string());
    let mut new = order.new.clone();
    names.put_on(&mut new);
    DispatchRequest { names, new, firing: firing(order) }
}

/// Why the alert came, and what a session at work is told of it. Nothing is kept between two runs, so that the whole group
/// is told.
fn firing(order: &Prepared) -> Firing {
    let reason = match order.alert.notification_reason.as_deref() {
        Some("new alerts added") => FiringReason::NewAlerts,
        Some("repeat interval elapsed") => FiringReason::Repeat,
        _ => FiringReason::First,
    };
    let message = format!(
        "Alerts have joined the group that this session works on. The group as it is now, in the words that a new session would be given:\n\n{}",
        order.new.prompt
    );
    let members = &order.alert.members;
    let began = |member: &Member| DateTime::parse_from_rfc3339(member.started_at.as_deref()?).ok();
    Firing {
        reason,
        fingerprints: members.iter().map(|member| member.fingerprint.clone()).collect(),
        latest_start: members.iter().filter_map(began).map(|began| began.timestamp_millis()).max(),
        message,
    }
}

/// How hard `run` tries, and what it does where there is a choice.
pub fn policy(run: &Run) -> Policy {
    let while_pr_open = (run.while_pr_open == WhilePrOpenChoice::Hold).then_some(run.while_pr_open_max);
    Policy {
        holds: Holds { cooldown: run.cooldown, while_pr_open },
        new_attempt: run.new_attempt,
        detach: run.detach,
        reconcile_window: run.reconcile_window,
        create_again: run.create_again,
        on_session_limit: match run.on_session_limit {
            SessionLimitChoice::Wait => OnSessionLimit::Wait,
            SessionLimitChoice::Fail => OnSessionLimit::Fail,
        },
        on_new_alerts: match run.on_new_alerts {
            NewAlertsChoice::Message => OnNewAlerts::Message,
            NewAlertsChoice::Start => OnNewAlerts::Start,
            NewAlertsChoice::Ignore => OnNewAlerts::Ignore,
        },
        ..polling(&run.polling, run.sandbox.sandbox)
    }
}

/// The same for `watch`, which finds and creates nothing.
pub fn watch_policy(options: &PollingOptions) -> Policy {
    polling(options, false)
}

fn polling(options: &PollingOptions, is_sandbox: bool) -> Policy {
    let default = Duration::from_secs(if is_sandbox { 1 } else { 30 });
    Policy {
        holds: Holds { cooldown: Duration::ZERO, while_pr_open: None },
        new_attempt: false,
        detach: false,
        reconcile_window: Duration::ZERO,
        create_again: false,
        on_session_limit: OnSessionLimit::Fail,
        on_new_alerts: OnNewAlerts::Ignore,
        on_timeout: match options.on_timeout {
            TimeoutChoice::Leave => OnTimeout::Leave,
            TimeoutChoice::Terminate => OnTimeout::Terminate,
        },
        poll_interval: options.poll_interval.unwrap_or(default),
        max_polls: options.max_poll_attempts,
        pr_grace: options.pr_grace,
    }
}
