//! What is open in the store, as metrics. One question at a time, and one answer for all who ask within a few seconds; what is
//! not answered in time is left out, and its answer waited for before the next question.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::labels::{NO_GATE, Names, runs_within};
use super::registry::Registry;
use super::table::{From, Metric};
use crate::relay::serve::kill_switch;
use crate::relay::serve::rules::Rules;
use crate::relay::serve::store::{OpenAsked, OpenView, ScopeKind, Store, StoreError, Switch};

/// How long the store may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// For how long an answer is as good as a new one.
const SHARED_FOR: Duration = Duration::from_secs(3);

/// The question to the store that was asked last.
#[derive(Default)]
pub struct Open(Mutex<State>);

#[derive(Default)]
struct State {
    /// One that is not answered yet.
    asked: Option<JoinHandle<Result<OpenView, StoreError>>>,
    /// The last answer, or that there was none in time, and since when.
    last: Option<(Instant, Option<Arc<Registry>>)>,
}

impl Open {
    /// What is open, by these rules; `None` where the store does not answer.
    pub async fn look(&self, store: &Arc<Store>, rules: &Rules, names: &Names) -> Option<Arc<Registry>> {
        let mut state = self.0.lock().await;
        if let Some((since, answer)) = &state.last
            && since.elapsed() < SHARED_FOR
        {
            return answer.clone();
        }
        let began = Instant::now();
        let asked = state.asked.get_or_insert_with(|| {
            let (store, asked) = (Arc::clone(store), asked(rules, names));
            tokio::spawn(async move { store.open_now(asked).await })
        });
        let answered = tokio::time::timeout(PATIENCE, asked).await;
        let mut answer = None;
        if let Ok(answered) = answered {
            state.asked = None;
            if let Ok(Ok(view)) = answered {
                let is_off = is_switched_off(&view, rules).await;
                answer = Some(Arc::new(shown(&view, rules, names, (is_off, began.elapsed()))));
            }
        }
        state.last = Some((Instant::now(), answer.clone()));
        answer
    }
}

async fn is_switched_off(view: &OpenView, rules: &Rules) -> bool {
    let in_file = match &rules.bounds.kill_switch {
        Some(path) => kill_switch::look(path).await,
        None => None,
    };
    in_file.is_some() || view.switches.contains(&Switch::Bridge)
}

/// What the store is asked for.
fn asked(rules: &Rules, names: &Names) -> OpenAsked {
    let limits = super::limits(rules);
    let windows = limits.iter().flat_map(|(.., limits)| &limits.runs).map(|runs| millis(runs.within));
    let mut windows: Vec<i64> = windows.collect();
    windows.sort_unstable();
    windows.dedup();
    OpenAsked {
        routes: names.routes().to_vec(),
        integrations: names.integrations().to_vec(),
        windows,
        has_budget: limits.iter().any(|(.., limits)| limits.acu_per_day.is_some()),
    }
}

/// The metrics of what is open.
fn shown(view: &OpenView, rules: &Rules, names: &Names, (is_off, took): (bool, Duration)) -> Registry {
    let mut open = Registry::default();
    let of_store = Metric::ALL.iter().copied().filter(|metric| metric.row().from == From::Store);
    open.expect(names.clone(), of_store);
    open.set(Metric::StoreLook, &[], took.as_secs_f64());
    open.set(Metric::StoreSize, &[], view.size_bytes as f64);
    open.set(Metric::KillSwitch, &[], f64::from(u8::from(is_off)));
    jobs(&mut open, view, names);
    for (integration, count) in &view.blocked {
        open.add(Metric::SessionsBlocked, &[integration], *count as f64);
    }
    for (metric, of_targets) in [(Metric::Outstanding, &view.outstanding), (Metric::DeadLetters, &view.dead)] {
        for (target, count) in of_targets {
            open.add(metric, &[target, names.kind_of(target)], *count as f64);
        }
    }
    for (route, at) in &view.last_deliveries {
        open.set(Metric::LastDelivery, &[route], *at as f64 / 1000.0);
    }
    for integration in &view.out_of_quota {
        open.set(Metric::QuotaExhausted, &[integration], 1.0);
    }
    for switch in &view.switches {
        match switch {
            Switch::Bridge => {}
            Switch::Integration(name) => open.set(Metric::Paused, &["integration", name], 1.0),
            Switch::Rule(id) => open.set(Metric::Paused, &["rule", id], 1.0),
        }
    }
    limits(&mut open, view, rules);
    open
}

fn jobs(open: &mut Registry, view: &OpenView, names: &Names) {
    for jobs in &view.jobs {
        let gate = jobs.gate.as_deref().unwrap_or(NO_GATE);
        let age = (view.now - jobs.oldest_at).max(0) as f64 / 1000.0;
        if jobs.has_session {
            open.add(Metric::SessionsActive, &[&jobs.rule], jobs.count as f64);
        } else {
            open.add(Metric::JobsWaiting, &[&jobs.rule, gate], jobs.count as f64);
            open.raise(Metric::OldestWaiting, &[gate], age);
        }
        if !names.integrations().contains(&jobs.integration) {
            open.add(Metric::JobsOfNobody, &[], jobs.count as f64);
        }
    }
}

fn limits(open: &mut Registry, view: &OpenView, rules: &Rules) {
    for (kind, name, limits) in super::limits(rules) {
        let is_of = |integration: &str, rule: &str| match kind {
            ScopeKind::Bridge => true,
            ScopeKind::Integration => integration == name,
            ScopeKind::Rule => rule == name,
        };
        let scope = super::scope_word(kind);
        let mut put = |limit: &str, used: f64, of: u32| {
            // The sum of nothing is -0.
            open.set(Metric::LimitUsed, &[scope, name, limit], used + 0.0);
            open.set(Metric::Limit, &[scope, name, limit], f64::from(of));
        };
        if let Some(of) = limits.concurrent_sessions {
            let at_work = view.jobs.iter().filter(|jobs| jobs.has_place && is_of(&jobs.integration, &jobs.rule));
            put("concurrent_sessions", at_work.map(|jobs| jobs.count as f64).sum(), of);
        }
        for runs in &limits.runs {
            let within = view.starts.iter().filter(|starts| starts.within_ms == millis(runs.within));
            let started = within.filter(|starts| is_of(&starts.integration, &starts.rule));
            put(&runs_within(runs.within.as_secs()), started.map(|starts| starts.count as f64).sum(), runs.count);
        }
        if let Some(of) = limits.acu_per_day {
            let acus = view.acus.iter().filter(|(integration, rule, _)| is_of(integration, rule));
            put("acu_per_day", acus.map(|(.., acus)| *acus).sum(), of);
        }
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
