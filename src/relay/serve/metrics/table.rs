//! Every metric: its name, what kind it is, what its labels may say, and what it counts. One table, which the exposition and the
//! page about it are made from. Pure.

use super::labels::Labels;

/// What kind of metric it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Only grows, from 0 at the start of the process.
    Counter,
    /// As it is now.
    Gauge,
    /// A moment, in Unix seconds; not there until there is one.
    Moment,
    /// How long something took, counted up to each of these seconds.
    Histogram(&'static [f64]),
}

impl Kind {
    /// As Prometheus names it.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge | Kind::Moment => "gauge",
            Kind::Histogram(_) => "histogram",
        }
    }
}

/// Who knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// This process, in its memory.
    Process,
    /// The store, for all processes that share it.
    Store,
}

/// A metric, as the exposition names it.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub name: &'static str,
    pub kind: Kind,
    pub from: From,
    pub labels: &'static [Labels],
    pub help: &'static str,
}

/// Seconds of an answer to a sender, most of whom wait for some seconds.
const ANSWER: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
/// Seconds of a request over the internet.
const REQUEST: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Seconds until there is a session: at once, or after delays, limits and pauses.
const WAIT: &[f64] = &[1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0];
/// Seconds of a transaction: a sync of the disk.
const TRANSACTION: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Declares the metrics, in the order in which they are shown.
macro_rules! metrics {
    ($($metric:ident = $from:ident $kind:expr, $name:literal [$($labels:ident),*] $help:literal;)*) => {
        /// A metric.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Metric {
            $($metric,)*
        }

        impl Metric {
            /// All of them, in the order in which they are shown.
            pub const ALL: &[Metric] = &[$(Metric::$metric),*];

            /// What the table says of it.
            pub const fn row(self) -> Row {
                match self {
                    $(Metric::$metric => Row {
                        name: $name,
                        kind: $kind,
                        from: From::$from,
                        labels: &[$(Labels::$labels),*],
                        help: $help,
                    },)*
                }
            }
        }
    };
}

use Kind::{Counter, Gauge, Histogram, Moment};

metrics! {
    BuildInfo = Process Gauge, "alert_relay_build_info" [Build]
        "Always 1; the labels say which version runs.";
    StartTime = Process Moment, "process_start_time_seconds" []
        "When the process started, in Unix seconds.";

    Deliveries = Process Counter, "alert_relay_deliveries_total" [Route, Answer]
        "Deliveries by what they were answered; accepted, duplicate, no_alert, confirmed and unrecognized ones are kept; of not_kept, some may be kept all the same, later than their senders waited.";
    DeliveriesRefused = Process Counter, "alert_relay_deliveries_refused_total" [Route, Refusal]
        "Deliveries that were not let in, by why: a missing or wrong key, a bad signature, and the like.";
    DeliveriesWithoutRoute = Process Counter, "alert_relay_deliveries_without_route_total" []
        "Deliveries to a route that the rules file does not have.";
    DeliverySeconds = Process Histogram(ANSWER), "alert_relay_delivery_duration_seconds" [Route]
        "How long senders waited for the answer to a delivery.";
    LastDelivery = Store Moment, "alert_relay_last_delivery_timestamp_seconds" [Route]
        "When the last delivery came that is kept, in Unix seconds.";
    Alerts = Process Counter, "alert_relay_alerts_total" [Route, Taken]
        "Alerts of deliveries by what became of them: a job of their own, part of one, suppressed, or nothing.";

    Decisions = Process Counter, "alert_relay_decisions_total" [Rule, Decision]
        "What the gates told jobs: to start, to wait at a gate, to join another session, or that they may not start. Waiting counts once until the reason changes.";
    SessionsCreated = Process Counter, "alert_relay_sessions_created_total" [Rule]
        "Sessions that were created.";
    SessionsAdopted = Process Counter, "alert_relay_sessions_adopted_total" [Rule]
        "Sessions that were there already and were taken for an alert: an earlier one of it, or one whose create was answered unclearly.";
    SessionSeconds = Process Histogram(WAIT), "alert_relay_session_wait_seconds" [Rule]
        "How long it took from the delivery of an alert until its session was created.";
    Outcomes = Process Counter, "alert_relay_outcomes_total" [Rule, Outcome]
        "Jobs that ended, by how. One that waits for a person counts again when its session comes to an end afterwards.";
    PullRequests = Process Counter, "alert_relay_pull_requests_total" [Rule]
        "Jobs whose session has opened a pull request.";
    Acus = Process Counter, "alert_relay_acus_consumed_total" [Rule]
        "ACUs that sessions were seen to have consumed while their jobs went on.";

    CreateFailures = Process Counter, "alert_relay_create_failures_total" [Integration, CreateFailure]
        "Requests to create a session that failed, by the code of the error; unclear where a session may have been created all the same.";
    Requests = Process Counter, "alert_relay_devin_requests_total" [Integration, Status]
        "Requests to Devin, by the class of the response's status; 429 stands by itself, and none where there was no response.";
    RequestSeconds = Process Histogram(REQUEST), "alert_relay_devin_request_duration_seconds" [Integration]
        "How long requests to Devin took.";
    IntegrationUp = Process Gauge, "alert_relay_integration_up" [Integration]
        "Whether the key of the integration is good and creates are accepted, as far as this process knows.";
    IntegrationTrouble = Process Gauge, "alert_relay_integration_trouble" [Integration, Trouble]
        "1 for the code of the error that pauses the integration, else 0.";
    IntegrationWorks = Process Gauge, "alert_relay_integration_polling" [Integration]
        "Whether this process polls sessions of the integration and starts jobs.";
    LastPoll = Process Moment, "alert_relay_last_poll_timestamp_seconds" [Integration]
        "When this process last saw a session of the integration, in Unix seconds.";

    Notifications = Process Counter, "alert_relay_notifications_total" [Target, Sent]
        "Notifications by what became of a try to send them.";

    ReloadOk = Process Gauge, "alert_relay_rules_last_reload_successful" []
        "Whether the rules file was put in force when it was last read.";
    ReloadTime = Process Moment, "alert_relay_rules_last_reload_success_timestamp_seconds" []
        "When the rules in force were read, in Unix seconds.";
    CertificateExpiry = Process Moment, "alert_relay_tls_certificate_expiry_timestamp_seconds" []
        "When the certificate that the bridge shows expires, in Unix seconds.";

    StoreSeconds = Process Histogram(TRANSACTION), "alert_relay_store_transaction_duration_seconds" []
        "How long transactions of the store took.";
    StoreFailures = Process Counter, "alert_relay_store_transaction_failures_total" []
        "Transactions of the store that failed.";
    StoreUp = Process Gauge, "alert_relay_store_up" []
        "Whether the store answered the question for the metrics within 2 s. If not, the metrics that come from it are left out.";
    StoreSize = Store Gauge, "alert_relay_store_size_bytes" []
        "How large the database is.";
    StoreLook = Store Gauge, "alert_relay_store_metrics_duration_seconds" []
        "How long the store took to answer the question for these metrics.";

    JobsWaiting = Store Gauge, "alert_relay_jobs_waiting" [Rule, Waiting]
        "Jobs without a session yet, by the gate that they wait at; none where no gate holds them.";
    OldestWaiting = Store Gauge, "alert_relay_oldest_waiting_job_age_seconds" [Waiting]
        "How long the oldest job without a session has waited, by the gate that it waits at.";
    SessionsActive = Store Gauge, "alert_relay_sessions_active" [Rule]
        "Jobs whose session is at work.";
    SessionsBlocked = Store Gauge, "alert_relay_sessions_blocked" [Integration]
        "Sessions that wait for a person and are still looked at.";
    JobsOfNobody = Store Gauge, "alert_relay_jobs_without_integration" []
        "Jobs whose integration the rules file does not have: nobody works on them.";
    Outstanding = Store Gauge, "alert_relay_notifications_outstanding" [Target]
        "Notifications that wait to be sent.";
    DeadLetters = Store Gauge, "alert_relay_notifications_dead" [Target]
        "Notifications that were given up and can be sent again.";
    LimitUsed = Store Gauge, "alert_relay_limit_used" [Limit]
        "How much of a limit is used.";
    Limit = Store Gauge, "alert_relay_limit" [Limit]
        "How much a limit allows.";
    QuotaExhausted = Store Gauge, "alert_relay_quota_exhausted" [Integration]
        "Whether the last sessions of the integration were stopped because the organization's quota is used up.";
    KillSwitch = Store Gauge, "alert_relay_kill_switch" []
        "Whether the kill switch is on, so that nothing starts.";
    Paused = Store Gauge, "alert_relay_paused" [Pausable]
        "Whether a rule or an integration is paused.";
}

/// The table, in Markdown.
pub fn in_markdown() -> String {
    let mut page = String::from("| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n");
    for row in Metric::ALL.iter().map(|metric| metric.row()) {
        let kind = row.kind.word();
        let names = row.labels.iter().flat_map(|labels| labels.names());
        let labels: Vec<String> = names.map(|name| format!("`{name}`")).collect();
        page += &format!("| `{}` | {kind} | {} | {} |\n", row.name, labels.join(", "), row.help);
    }
    page
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_and_helps_are_as_prometheus_wants_them() {
        let names: BTreeSet<&str> = Metric::ALL.iter().map(|metric| metric.row().name).collect();
        assert_eq!(names.len(), Metric::ALL.len(), "no name is there twice");
        for row in Metric::ALL.iter().map(|metric| metric.row()) {
            assert_eq!(row.name.ends_with("_total"), row.kind == Kind::Counter, "{}", row.name);
            assert!(!matches!(row.kind, Kind::Histogram(_)) || row.name.ends_with("_seconds"), "{}", row.name);
            assert!(row.kind != Kind::Moment || row.name.ends_with("_seconds"), "{}", row.name);
            assert!(row.help.ends_with('.') && !row.help.contains(['\\', '\n', '|']), "{}", row.help);
        }
    }
}
