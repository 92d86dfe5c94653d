//! How the bridge stands: whether it is ready, what is switched off, its rules, limits, integrations and routes, and what it has done.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::super::Door;
use super::super::answer::Answer;
use super::super::delivering::DEADLINE;
use super::super::query::Query;
use crate::relay::serve::access::Right;
use crate::relay::serve::auth::Auth;
use crate::relay::serve::gates::{Gates, Limits};
use crate::relay::serve::integration::{Integration, Standing};
use crate::relay::serve::kill_switch;
use crate::relay::serve::rules::{Route, Rule, Rules};
use crate::relay::serve::store::{Scope, ScopeKind, StoreError, Switch};

/// So many days are counted, if no other number is asked for, and at most.
const DAYS: usize = 30;
const MOST_DAYS: usize = 366;

impl Door {
    /// How many jobs wait for each integration that the rules do not have.
    ///
    /// # Errors
    /// The store's.
    pub async fn jobs_of_nobody(&self) -> Result<Vec<(String, i64)>, StoreError> {
        let mut active = self.store.active().await?;
        active.retain(|(name, _)| !self.integrations.iter().any(|known| known.name == *name));
        Ok(active)
    }

    /// Whether deliveries are kept and sessions started, and, for those who may read, why not.
    pub(super) async fn readiness(&self, right: Right) -> Answer {
        let mut reasons = Vec::new();
        if self.stop.borrow().is_some() {
            reasons.push("stopping".to_string());
        }
        let (mut jobs_of_nobody, mut switches) = (Vec::new(), Value::Null);
        let look = async {
            self.store.ping().await?;
            Ok::<_, StoreError>((self.jobs_of_nobody().await?, self.switches().await?))
        };
        match tokio::time::timeout(DEADLINE, look).await {
            Ok(Ok(found)) => (jobs_of_nobody, switches) = found,
            Ok(Err(error)) => reasons.push(format!("the store: {error}")),
            Err(_) => reasons.push("the store does not answer".to_string()),
        }
        let is_ready = reasons.is_empty();
        let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        if right < Right::Read {
            return Answer::new(status, json!({"ready": is_ready}));
        }
        // Deliveries are kept all the same while an integration is paused, so it makes nothing unready.
        let mut integrations: Vec<Value> = self.integrations.iter().map(|one| standing(one)).collect();
        integrations.extend(jobs_of_nobody.into_iter().map(nobodys));
        let (kill_switch, paused) = (&switches["kill_switch"], &switches["paused"]);
        Answer::new(
            status,
            json!({"ready": is_ready, "reasons": reasons, "integrations": integrations, "kill_switch": kill_switch,
                "paused": paused}),
        )
    }

    pub(super) async fn show_switches(&self) -> Result<Answer, Answer> {
        let switches = self.switches().await.map_err(|error| self.unreadable("switches", &error))?;
        Ok(Answer::new(StatusCode::OK, switches))
    }

    /// Which switches are on.
    ///
    /// # Errors
    /// The store's.
    pub(in crate::relay::serve::http) async fn switches(&self) -> Result<Value, StoreError> {
        let (mut by_hand, mut paused) = (None, Vec::new());
        for (switch, since) in self.store.switches().await? {
            match switch {
                Switch::Bridge => by_hand = Some(("it was switched on".to_string(), Some(since))),
                Switch::Integration(name) => paused.push(json!({"integration": name, "since": since})),
                Switch::Rule(id) => paused.push(json!({"rule": id, "since": since})),
            }
        }
        let path = self.bounds.borrow().kill_switch.clone();
        let in_file = match path {
            Some(path) => kill_switch::look(&path).await.map(|reason| (reason, None)),
            None => None,
        };
        let on = by_hand.or(in_file);
        let (reason, since) = on.clone().unzip();
        let since = since.flatten();
        Ok(json!({"kill_switch": {"on": on.is_some(), "reason": reason, "since": since}, "paused": paused}))
    }

    pub(super) async fn rules(&self) -> Result<Answer, Answer> {
        let switches = self.store.switches().await.map_err(|error| self.unreadable("switches", &error))?;
        let served = self.live.now();
        let rules = served.rules.rules.iter().map(|rule| {
            let paused = switches.iter().find(|(switch, _)| *switch == Switch::Rule(rule.id.clone()));
            shown_rule(rule, paused.map(|(_, since)| *since))
        });
        Ok(Answer::new(StatusCode::OK, json!({"rules": rules.collect::<Vec<_>>()})))
    }

    pub(super) async fn limits(&self) -> Result<Answer, Answer> {
        let scopes = scopes(&self.live.now().rules);
        let usage = self.store.usage(scopes).await.map_err(|error| self.unreadable("limits", &error))?;
        Ok(Answer::new(StatusCode::OK, json!({"limits": usage})))
    }

    pub(super) async fn integrations(&self) -> Result<Answer, Answer> {
        let failed = |error| self.unreadable("integrations", &error);
        let (active, routes) = (self.store.active().await.map_err(failed)?, self.store.routes().await.map_err(failed)?);
        let switches = self.store.switches().await.map_err(failed)?;
        let mut integrations = Vec::new();
        for integration in &self.integrations {
            let name = &integration.name;
            let jobs = active.iter().find(|(known, _)| known == name).map_or(0, |(_, jobs)| *jobs);
            let paused = switches.iter().find(|(switch, _)| *switch == Switch::Integration(name.clone()));
            let mut shown = standing(integration);
            shown["jobs"] = json!(jobs);
            shown["switched_off_since"] = json!(paused.map(|(_, since)| *since));
            integrations.push(shown);
        }
        let nobodys_jobs = self.jobs_of_nobody().await.map_err(failed)?;
        integrations.extend(nobodys_jobs.into_iter().map(nobodys));
        let served = self.live.now();
        let routes = served.rules.routes.iter().map(|route| {
            let mut shown = shown_route(route);
            let found = routes.iter().find(|found| found.route == route.name);
            shown["last_at"] = json!(found.map(|found| found.last_at));
            shown["last_day"] = json!(found.map_or(0, |found| found.last_day));
            shown["unrecognized_last_day"] = json!(found.map_or(0, |found| found.unrecognized_last_day));
            shown["last_refusal"] = json!(self.refusals.of(&route.name));
            shown
        });
        let body = json!({"integrations": integrations, "routes": routes.collect::<Vec<_>>()});
        Ok(Answer::new(StatusCode::OK, body))
    }

    pub(super) async fn statistics(&self, query: &Query) -> Result<Answer, Answer> {
        let days = query.number("days", 1..=MOST_DAYS)?.unwrap_or(DAYS);
        let statistics = self.store.statistics(u32::try_from(days).unwrap_or(1)).await;
        Ok(Answer::new(StatusCode::OK, json!(statistics.map_err(|error| self.unreadable("statistics", &error))?)))
    }
}

/// Everything that may have limits: the bridge, its integrations, and its rules.
pub fn scopes(rules: &Rules) -> Vec<Scope> {
    let scope = |kind, name: &str, limits: &Limits| Scope { kind, name: name.to_string(), limits: limits.clone() };
    let mut scopes = vec![scope(ScopeKind::Bridge, "", &rules.bounds.limits)];
    scopes.extend(rules.bounds.integrations.iter().map(|(name, limits)| scope(ScopeKind::Integration, name, limits)));
    scopes.extend(rules.rules.iter().map(|rule| scope(ScopeKind::Rule, &rule.id, &rule.gates.limits)));
    scopes
}

fn standing(integration: &Integration) -> Value {
    let (name, since) = (&integration.name, integration.since());
    match integration.standing() {
        Standing::Starting => json!({"name": name, "state": "starting", "since": since}),
        Standing::Ready { org_id } => json!({"name": name, "state": "ready", "since": since, "org_id": org_id}),
        Standing::Paused { reason, .. } => json!({"name": name, "state": "paused", "since": since, "code": reason.code,
            "reason": reason.message}),
    }
}

/// Jobs of an integration that the rules do not have.
fn nobodys((name, jobs): (String, i64)) -> Value {
    json!({"name": name, "state": "unknown", "jobs": jobs,
        "reason": "its alerts wait: the rules do not have an integration of this name any more"})
}

fn shown_route(route: &Route) -> Value {
    let kind = match (&route.format, &route.mapping) {
        (Some(format), _) => format.name(),
        (None, Some(_)) => "map",
        (None, None) => "auto",
    };
    let auth = match &route.auth {
        Auth::Open => vec!["none"],
        Auth::AnyOf(methods) => methods.iter().map(|method| method.name()).collect(),
    };
    json!({"name": route.name, "kind": kind, "auth": auth})
}

fn shown_rule(rule: &Rule, paused_since: Option<i64>) -> Value {
    let Gates { delay, min_occurrences, max_wait, storm, limits, .. } = &rule.gates;
    let often = min_occurrences.map(|often| json!({"count": often.count, "within_seconds": often.within.as_secs()}));
    let storm = storm.map(|storm| {
        json!({"threshold": storm.threshold, "window_seconds": storm.window.as_secs(), "immediate": storm.immediate})
    });
    let runs: Vec<Value> =
        limits.runs.iter().map(|runs| json!({"count": runs.count, "within_seconds": runs.within.as_secs()})).collect();
    let policy = &rule.policy;
    json!({
        "id": rule.id,
        "group": rule.group,
        "enabled": rule.is_enabled,
        "paused_since": paused_since,
        "takes_every_alert": rule.matching.is_of_all(),
        "integration": rule.integration,
        "repos": rule.session.repos,
        "delay_seconds": delay.as_secs(),
        "min_occurrences": often,
        "max_wait_seconds": max_wait.as_secs(),
        "cooldown_seconds": policy.holds.cooldown.as_secs(),
        "storm": storm,
        "limits": {"concurrent_sessions": limits.concurrent_sessions, "runs": runs, "acu_per_day": limits.acu_per_day},
        "max_acu_limit": rule.session.max_acu_limit,
        "poll_interval_seconds": policy.poll_interval.as_secs(),
        "max_poll_attempts": policy.max_polls,
        "on_resolved": policy.on_resolved,
    })
}
