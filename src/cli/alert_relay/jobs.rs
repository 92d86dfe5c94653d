//! From what was typed, and an alert, to what a job is made with.

use std::time::Duration;

use super::options::{NewAlertsChoice, PollingOptions, Run, SessionLimitChoice, TimeoutChoice, WhilePrOpenChoice};
use super::orders::Prepared;
use crate::relay::alert::tag_in;
use crate::relay::job::{DispatchRequest, OnNewAlerts, OnResolved, OnSessionLimit, OnTimeout, Policy};
use crate::relay::names::Names;
use crate::relay::prior::Holds;
use crate::relay::request;

/// The attempt that stands in what is only printed.
pub const ANY_ATTEMPT: &str = "0000000000000000";

/// The dedupe tag of an alert.
pub fn alert_tag(order: &Prepared, namespace: &str) -> String {
    tag_in(namespace, &order.key)
}

/// What a session is wanted for.
pub fn request(order: &Prepared, namespace: &str, attempt: &str) -> DispatchRequest {
    let names = Names::new(alert_tag(order, namespace), attempt.to_string());
    request::request(names, order.new.clone(), &order.alert)
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
        on_resolved: OnResolved::Annotate,
        poll_interval: options.poll_interval.unwrap_or(default),
        max_polls: options.max_poll_attempts,
        pr_grace: options.pr_grace,
    }
}
