//! What the store and the rules say, as the pages show it: every text that came from elsewhere without secrets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use hyper::http::request::Parts;

use super::super::api::scopes;
use super::clean::Clean;
use super::visitor::parameter;
use super::{Door, Visitor, story};
use crate::relay::serve::integration::{self, Standing};
use crate::relay::serve::kill_switch;
use crate::relay::serve::live::Served;
use crate::relay::serve::page::{
    self, Action, AlertPage, Choices, Day, Filter, Frame, Health, Integration, Limit, Notice, Overview, Quota, Route,
    RuleCost, RuleRow, Tally, ToPullRequest,
};
use crate::relay::serve::rules;
use crate::relay::serve::store::{
    ActionView, After, AlertFilter, DayView, DecisionFilter, Possible, QuotaView, ScopeKind, Share,
    Standing as StandingFilter, StatisticsView, StoreError, Switch, TallyView, TimeView, UsageView,
};

/// So many alerts are on a page.
const MOST: usize = 50;
/// So many refusals and storms.
const REFUSALS: usize = 8;
const STORMS: usize = 20;
/// So many days are in the pictures.
const DAYS: u32 = 14;
/// So many of the last actions the one that was just done is looked for in.
const ACTIONS: usize = 50;

impl Door {
    /// The page `/`.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn overview(&self, visitor: &Visitor, head: &Parts) -> Result<Option<String>, StoreError> {
        let served = self.live.now();
        // Before anything is read: what changes from here on may not be on the page.
        let seen = *self.store.changes().borrow();
        let filter = Filter::of(head.uri.query());
        let refused = DecisionFilter { decision: Some("refuse".to_string()), ..DecisionFilter::default() };
        // Asked together, they are answered from one transaction.
        let (alerts, storms, usage, refusals, routes, statistics, tally, switches, quotas) = tokio::join!(
            self.store.find_alerts(filter_of(&filter), MOST + 1, after(&filter.after)),
            self.store.storms(STORMS, None),
            self.store.usage(scopes(&served.rules)),
            self.store.find_decisions(refused, REFUSALS, None),
            self.store.routes(),
            self.store.statistics(DAYS),
            self.store.tally(),
            self.store.switches(),
            self.store.quotas(),
        );
        let (mut alerts, switches, statistics, tally) = (alerts?, switches?, statistics?, tally?);
        let has_more = alerts.len() > MOST;
        alerts.truncate(MOST);
        let next = alerts.last().filter(|_| has_more).map(|last| format!("{}.{}", last.last_at, last.tag));
        let clean = Clean { redactor: &served.redactor, door: self };
        let routes = routes?;
        let route = |route: &rules::Route| {
            let seen = routes.iter().find(|seen| seen.route == route.name);
            Route {
                name: route.name.clone(),
                sender: route.format.map_or_else(|| "any sender".to_string(), |format| format.to_string()),
                last_delivery_at: seen.map(|seen| seen.last_at),
                unrecognized: seen.map_or(0, |seen| counted(seen.unrecognized_last_day)),
                refused: self.refusals.of(&route.name).map(|last| (last.at, last.count, clean.text(&last.reason))),
            }
        };
        let overview = Overview {
            frame: self.frame(visitor, head, seen).await?,
            filter,
            choices: choices(&served),
            tally: tally_of(&statistics, &tally),
            alerts: alerts.into_iter().map(|alert| clean.alert(alert)).collect(),
            next,
            storms: storms?.into_iter().filter_map(|storm| clean.storm(storm)).collect(),
            limits: usage?.iter().flat_map(limits).collect(),
            refusals: refusals?.into_iter().map(|decision| clean.refusal(decision)).collect(),
            kill_switch: self.kill_switch(&switches).await,
            integrations: self.integrations_shown(&switches, &quotas?),
            rules: served.rules.rules.iter().map(|rule| rule_row(rule, &switches)).collect(),
            routes: served.rules.routes.iter().map(route).collect(),
            days: statistics.days.iter().map(day).collect(),
            to_pull_request: to_pull_request(statistics.time_to_pr),
            costs: statistics
                .rules
                .iter()
                .filter(|rule| rule.acus_consumed > 0.0)
                .map(|rule| RuleCost { rule: rule.rule.clone(), acus: rule.acus_consumed })
                .collect(),
        };
        Ok(Some(page::overview(&overview)))
    }

    /// The page of an alert; `None` where there is none.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn alert_page(
        &self,
        visitor: &Visitor,
        head: &Parts,
        tag: &str,
    ) -> Result<Option<String>, StoreError> {
        let served = self.live.now();
        let seen = *self.store.changes().borrow();
        let clean = Clean { redactor: &served.redactor, door: self };
        let Some(detail) = self.store.alert(tag).await? else { return Ok(None) };
        let last = detail.alert.job.as_ref().map(|job| job.id.clone());
        let job = match &last {
            Some(id) => self.store.job(id).await?,
            None => None,
        };
        let key = detail.alert.dedupe_key.clone();
        let suppressions = self.store.suppressions().await?;
        let suppressed_until = suppressions.iter().find(|one| one.dedupe_key == key).map(|one| one.until);
        let actions = actions(tag, self.store.possible(tag).await?, suppressed_until.is_some());
        let shown = AlertPage {
            frame: self.frame(visitor, head, seen).await?,
            key: clean.text(&key),
            alert: clean.alert(detail.alert),
            jobs: detail.jobs.iter().map(|job| clean.job(job)).collect(),
            timeline: detail
                .timeline
                .iter()
                .filter_map(|entry| story::moment(entry, &|text| clean.text(text)))
                .collect(),
            prompt: job.and_then(|job| clean.prompt(&job)),
            suppressed_until,
            actions,
        };
        Ok(Some(page::alert(&shown)))
    }

    async fn frame(&self, visitor: &Visitor, head: &Parts, seen: u64) -> Result<Frame, StoreError> {
        let notice = match parameter(head, "did") {
            None => None,
            Some(id) => {
                let actions = self.store.actions(ACTIONS, None).await?;
                let action = actions.into_iter().find(|action| action.id == id);
                action.map(|row| noted(&row))
            }
        };
        let query: Vec<&str> = head
            .uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.starts_with("did=") && !pair.is_empty())
            .collect();
        let path = head.uri.path();
        let here = if query.is_empty() { path.to_string() } else { format!("{path}?{}", query.join("&")) };
        Ok(Frame { now: now_ms(), viewer: visitor.viewer(), form_token: visitor.form_token(), here, notice, seen })
    }

    /// Why nothing starts at all; `None` where it may.
    pub(super) async fn kill_switch(&self, switches: &[(Switch, i64)]) -> Option<String> {
        if switches.iter().any(|(switch, _)| *switch == Switch::Bridge) {
            return Some("a person has switched it on".to_string());
        }
        let path = self.bounds.borrow().kill_switch.clone()?;
        kill_switch::look(&path).await
    }

    fn integrations_shown(&self, switches: &[(Switch, i64)], quotas: &[QuotaView]) -> Vec<Integration> {
        let of = |integration: &Arc<integration::Integration>| {
            let (health, text) = match integration.standing() {
                Standing::Starting => (Health::Unknown, "its key is being looked at".to_string()),
                Standing::Ready { org_id } => (Health::Good, format!("ready, organization {org_id}")),
                Standing::Paused { reason, .. } => (Health::Bad, reason.message),
            };
            let name = integration.name.clone();
            let paused = switches.iter().find(|(switch, _)| *switch == Switch::Integration(name.clone()));
            let quota = quotas.iter().find(|quota| quota.integration == name);
            let quota = quota.map(|quota| Quota { since: quota.since, next_at: quota.next_at });
            let paused_at = paused.map(|(_, at)| *at);
            Integration { name, health, text, since: Some(integration.since()), paused_at, quota }
        };
        self.integrations.iter().map(of).collect()
    }
}

/// The buttons of an alert: nothing is offered that would be refused, and of two that make a new attempt, one.
fn actions(tag: &str, possible: Possible, is_suppressed: bool) -> Vec<Action> {
    let tag = || tag.to_string();
    let again = match possible.retry {
        Some(job) => Some(Action::Retry(job)),
        None => possible.start.then(|| Action::Start(tag())),
    };
    let quiet = if is_suppressed { Action::Unsuppress(tag()) } else { Action::Suppress { tag: tag(), hours: 0 } };
    possible.end.map(Action::End).into_iter().chain(again).chain([quiet]).collect()
}

fn filter_of(filter: &Filter) -> AlertFilter {
    let maybe = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    AlertFilter {
        standing: StandingFilter::ALL.iter().find(|(word, _)| *word == filter.state).map(|(_, standing)| *standing),
        result: Some(filter.state.clone()).filter(|state| state == Filter::QUOTA),
        rule: maybe(&filter.rule),
        integration: maybe(&filter.integration),
        route: maybe(&filter.route),
        severity: maybe(&filter.severity),
        text: maybe(&filter.q),
        ..AlertFilter::default()
    }
}

fn choices(served: &Served) -> Choices {
    Choices {
        rules: served.rules.rules.iter().map(|rule| rule.id.clone()).collect(),
        integrations: served.rules.integrations.iter().map(|one| one.name.clone()).collect(),
        routes: served.rules.routes.iter().map(|route| route.name.clone()).collect(),
    }
}

/// Where a list goes on; an address that was cut shows the first page.
fn after(text: &str) -> Option<After> {
    let (at, id) = text.split_once('.')?;
    Some(After { at: at.parse().ok()?, id: id.to_string() })
}

fn limits(usage: &UsageView) -> Vec<Limit> {
    let name = usage.name.as_deref().unwrap_or_default();
    let scope = match usage.scope {
        ScopeKind::Bridge => "bridge".to_string(),
        ScopeKind::Integration => format!("integration {name}"),
        ScopeKind::Rule => format!("rule {name}"),
    };
    let limit = |what: String, share: Share, free_at| Limit {
        scope: scope.clone(),
        what,
        used: share.used,
        of: f64::from(share.of),
        free_at,
    };
    let mut limits = Vec::new();
    limits.extend(usage.concurrent_sessions.map(|share| limit("sessions at once".to_string(), share, None)));
    for window in &usage.runs {
        let within = page::span(i64::try_from(window.within_seconds).unwrap_or(i64::MAX / 1000) * 1000);
        limits.push(limit(format!("starts in {within}"), window.share, window.free_at));
    }
    limits.extend(usage.acu_per_day.map(|share| limit("ACUs today".to_string(), share, usage.acu_resets_at)));
    limits
}

fn rule_row(rule: &rules::Rule, switches: &[(Switch, i64)]) -> RuleRow {
    let paused = switches.iter().find(|(switch, _)| *switch == Switch::Rule(rule.id.clone()));
    RuleRow {
        id: rule.id.clone(),
        integration: rule.integration.clone(),
        is_enabled: rule.is_enabled,
        paused_at: paused.map(|(_, at)| *at),
    }
}

fn day(day: &DayView) -> Day {
    let of = |counts: &BTreeMap<String, i64>, word: &str| counted(counts.get(word).copied().unwrap_or(0));
    let pull_requests = of(&day.results, "pr_opened");
    Day {
        date: day.day.clone(),
        sessions: counted(day.sessions),
        pull_requests,
        done: of(&day.outcomes, "done").saturating_sub(pull_requests),
        blocked: of(&day.outcomes, "blocked"),
        dropped: of(&day.outcomes, "dropped") + of(&day.outcomes, "failed"),
        to_pull_request: to_pull_request(day.time_to_pr),
    }
}

fn to_pull_request(time: TimeView) -> ToPullRequest {
    let TimeView { count, p50_ms, p90_ms } = time;
    ToPullRequest { count: count as u64, half_ms: p50_ms.unwrap_or_default(), most_ms: p90_ms.unwrap_or_default() }
}

fn tally_of(statistics: &StatisticsView, tally: &TallyView) -> Tally {
    let today = statistics.days.last();
    Tally {
        working: counted(tally.on_it),
        waiting: counted(tally.waiting),
        blocked: counted(tally.blocked),
        pull_requests_today: today.map(day).unwrap_or_default().pull_requests,
        dropped_today: counted(tally.dropped_today),
        acus_today: today.map_or(0.0, |today| today.acus_consumed),
    }
}

/// What an action did, in the words of its form.
fn noted(row: &ActionView) -> Notice {
    let action = Action::noted(&row.action, &row.target).filter(|_| row.is_done);
    Notice { is_good: row.is_done, text: action.map_or_else(|| row.result.clone(), |action| action.after()) }
}

fn counted(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
