//! What programs that watch the bridge are told, in Prometheus' format: what this process has counted since its start, in memory,
//! and what is open in the store, by a question that is asked at most every few seconds. Nobody is held up by it: counting
//! touches no store, and asking waits for nobody longer than two seconds.

mod labels;
mod open;
mod registry;
mod table;
mod text;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use labels::Names;
use labels::{FAILED, HELD_BACK, UNCLEAR, build, limits, scope_word, word};
pub use open::Open;
use registry::Registry;
pub use table::in_markdown;
use table::{From, Metric};
pub use text::CONTENT_TYPE;

use super::gates::Gate;
use super::integration::{Integration, Standing};
use super::store::{Admission, Settled};
use crate::devin::Error;
use crate::relay::error_report::{Audience, create_error_report};
use crate::relay::job::{End, Observation};
use crate::relay::outcome::OutcomeKind;

/// What this process has counted.
pub struct Metrics(Mutex<Registry>);

impl Metrics {
    /// Nothing yet, of all that these names may have.
    pub fn new(names: Names) -> Metrics {
        let metrics = Metrics(Mutex::default());
        metrics.expect(names);
        let mut registry = metrics.registry();
        let build = build();
        registry.set(Metric::BuildInfo, &build.iter().map(String::as_str).collect::<Vec<_>>(), 1.0);
        registry.set(Metric::StartTime, &[], now_s());
        registry.set(Metric::ReloadOk, &[], 1.0);
        registry.set(Metric::ReloadTime, &[], now_s());
        drop(registry);
        metrics
    }

    /// Other rules are in force.
    pub fn expect(&self, names: Names) {
        let of_process = Metric::ALL.iter().copied().filter(|metric| metric.row().from == From::Process);
        self.registry().expect(names, of_process);
    }

    /// A delivery was answered, `code` says why it was not let in.
    pub fn delivered(&self, route: &str, answer: &str, code: Option<&str>, took: Duration) {
        let mut registry = self.registry();
        registry.add(Metric::Deliveries, &[route, answer], 1.0);
        if let Some(code) = code {
            registry.add(Metric::DeliveriesRefused, &[route, code], 1.0);
        }
        registry.observe(Metric::DeliverySeconds, &[route], took.as_secs_f64());
    }

    /// A delivery came to a route that nobody knows.
    pub fn has_no_route(&self) {
        self.registry().add(Metric::DeliveriesWithoutRoute, &[], 1.0);
    }

    /// An alert of a delivery was taken for this.
    pub fn took(&self, route: &str, taken: &str) {
        self.registry().add(Metric::Alerts, &[route, taken], 1.0);
    }

    /// The gates have answered a job of this rule.
    pub fn decided(&self, rule: &str, admission: &Admission) {
        let (decision, gate) = match admission {
            Admission::Start { is_new: true, .. } => ("start", labels::NO_GATE),
            Admission::Join { .. } => ("join", Gate::Storm.name()),
            Admission::Hold { is_new: true, gate, .. } => ("hold", gate.name()),
            Admission::Refuse { gate, .. } => ("refuse", gate.name()),
            Admission::Start { .. } | Admission::Hold { .. } | Admission::Lost => return,
        };
        self.registry().add(Metric::Decisions, &[rule, decision, gate], 1.0);
    }

    /// A session was created for an alert that came so long ago.
    pub fn created(&self, rule: &str, waited: Duration) {
        let mut registry = self.registry();
        registry.add(Metric::SessionsCreated, &[rule], 1.0);
        registry.observe(Metric::SessionSeconds, &[rule], waited.as_secs_f64());
    }

    /// A session that is there was taken for an alert.
    pub fn adopted(&self, rule: &str) {
        self.registry().add(Metric::SessionsAdopted, &[rule], 1.0);
    }

    /// A job has come to this.
    pub fn came_to(&self, rule: &str, result: OutcomeKind) {
        self.registry().add(Metric::Outcomes, &[rule, result.status().name(), &word(&result)], 1.0);
    }

    /// A job has ended, and maybe without an outcome.
    pub fn ended(&self, rule: &str, end: &End) {
        let word = match end {
            End::Outcome(_) => return,
            End::Detached { .. } => HELD_BACK,
            End::Failed { .. } | End::Stopped { .. } => FAILED,
        };
        self.registry().add(Metric::Outcomes, &[rule, word, word], 1.0);
    }

    /// A session has opened a pull request.
    pub fn has_pull_request(&self, rule: &str) {
        self.registry().add(Metric::PullRequests, &[rule], 1.0);
    }

    /// A session has consumed so many more ACUs.
    pub fn consumed(&self, rule: &str, acus: f64) {
        self.registry().add(Metric::Acus, &[rule], acus);
    }

    /// A request of a job was answered: what matters of it is a create that failed.
    pub fn heard(&self, integration: &str, observation: &Observation) {
        let code = match observation {
            Observation::CreateRefused(error) | Observation::CreateLimited(error, _) => code_of(error),
            Observation::CreateUnclear(_) => UNCLEAR.to_string(),
            _ => return,
        };
        self.registry().add(Metric::CreateFailures, &[integration, &code], 1.0);
    }

    /// A request to Devin was answered with this status, or with none.
    pub fn asked_devin(&self, integration: &str, status: Option<u16>, took: Duration) {
        let class = match status {
            None => "none",
            Some(429) => "429",
            Some(200..=299) => "2xx",
            Some(300..=399) => "3xx",
            Some(400..=499) => "4xx",
            Some(500..=599) => "5xx",
            Some(_) => "other",
        };
        let mut registry = self.registry();
        registry.add(Metric::Requests, &[integration, class], 1.0);
        registry.observe(Metric::RequestSeconds, &[integration], took.as_secs_f64());
    }

    /// A try to send a notification has come to this.
    pub fn notified(&self, target: &str, kind: &str, settled: &Settled) {
        let result = match settled {
            Settled::Sent { .. } => "sent",
            Settled::Later { .. } => "retried",
            Settled::Dead { .. } => "dead",
            Settled::Skipped { .. } => "skipped",
        };
        self.registry().add(Metric::Notifications, &[target, kind, result], 1.0);
    }

    /// A transaction of the store took so long, and was committed or not.
    pub fn transacted(&self, took: Duration, is_committed: bool) {
        let mut registry = self.registry();
        registry.observe(Metric::StoreSeconds, &[], took.as_secs_f64());
        if !is_committed {
            registry.add(Metric::StoreFailures, &[], 1.0);
        }
    }

    /// The rules file was read again, and other names are in force; `None` where those before it stay.
    pub fn reloaded(&self, names: Option<Names>) {
        let is_done = names.is_some();
        if let Some(names) = names {
            self.expect(names);
        }
        let mut registry = self.registry();
        registry.set(Metric::ReloadOk, &[], f64::from(u8::from(is_done)));
        if is_done {
            registry.set(Metric::ReloadTime, &[], now_s());
        }
    }

    /// The certificate that is shown expires then, in Unix seconds.
    pub fn expires(&self, at: i64) {
        self.registry().set(Metric::CertificateExpiry, &[], at as f64);
    }

    /// The names that labels may say now.
    pub fn names(&self) -> Names {
        self.registry().names().clone()
    }

    /// Everything as it is shown, with what is open in the store, where that is known.
    pub fn text(&self, integrations: &[Arc<Integration>], open: Option<&Registry>) -> String {
        let mut registry = self.registry();
        registry.set(Metric::StoreUp, &[], f64::from(u8::from(open.is_some())));
        integrations.iter().for_each(|integration| stand(&mut registry, integration));
        let registries: Vec<&Registry> = [&*registry].into_iter().chain(open).collect();
        text::write(&registries)
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How an integration stands, by its metrics.
fn stand(registry: &mut Registry, integration: &Integration) {
    let name = integration.name.as_str();
    let standing = integration.standing();
    let troubles: Vec<Vec<String>> = labels::Labels::Trouble.values(registry.names());
    for code in troubles.iter().flatten() {
        let is_it = matches!(&standing, Standing::Paused { reason, .. } if word(&reason.code) == *code);
        registry.set(Metric::IntegrationTrouble, &[name, code], f64::from(u8::from(is_it)));
    }
    let is_ready = matches!(standing, Standing::Ready { .. });
    registry.set(Metric::IntegrationUp, &[name], f64::from(u8::from(is_ready)));
    registry.set(Metric::IntegrationWorks, &[name], f64::from(u8::from(integration.requests().is_some())));
    if let Some(at_ms) = integration.polls.last_at() {
        registry.set(Metric::LastPoll, &[name], at_ms as f64 / 1000.0);
    }
}

fn code_of(error: &Error) -> String {
    word(&create_error_report(error, Audience::Rules).code)
}

/// This machine's clock, in Unix seconds.
fn now_s() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}
