//! What is in the store: alerts, jobs, deliveries, decisions, storms, actions, notifications and suppressions. Changes nothing.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::super::Door;
use super::super::answer::Answer;
use super::super::query::Query;
use crate::relay::serve::access::Right;
use crate::relay::serve::engine::told_in_hand;
use crate::relay::serve::integration::Standing;
use crate::relay::serve::store::{
    self, AlertFilter, AlertView, DecisionFilter, Deliveries, JobFilter, JobRow, JobView, NoticeFilter, StormView,
};

/// The states of deliveries that can be asked for.
const STATES: [&str; 4] = ["alerts", "no_alert", "unrecognized", "duplicate"];

/// The states of alerts: whether they fire. How their jobs stand is another question, with other words.
fn state_of_alerts(query: &Query) -> Result<Option<String>, Answer> {
    let is_of_responder = |word: String| store::Standing::ALL.iter().any(|(known, _)| *known == word);
    if query.text("state").is_some_and(is_of_responder) {
        let reason = "state is one of firing, resolved: this is a word of responder";
        return Err(Answer::problem(StatusCode::BAD_REQUEST, reason));
    }
    query.word("state", &["firing", "resolved"])
}

/// The levels of alerts.
const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "info"];

impl Door {
    pub(super) async fn list_alerts(&self, query: &Query) -> Result<Answer, Answer> {
        let filter = AlertFilter {
            state: state_of_alerts(query)?,
            standing: query.standing()?,
            gate: query.text("gate"),
            result: query.text("result"),
            rule: query.text("rule"),
            integration: query.text("integration"),
            route: query.text("route"),
            severity: query.word("severity", &SEVERITIES)?,
            text: query.text("text"),
            since: query.moment("since")?,
        };
        let (limit, after) = (query.limit()?, query.after()?);
        let alerts = self.store.find_alerts(filter, limit + 1, after).await;
        let alerts = alerts.map_err(|error| self.unreadable("alerts", &error))?;
        let place = |alert: &AlertView| (alert.last_at, alert.tag.clone());
        Ok(list("alerts", alerts, (query, limit), place, |alert| self.with_what_it_waits_for(alert)))
    }

    pub(super) async fn show_alert(&self, tag: &str) -> Result<Answer, Answer> {
        let alert = self.store.alert(tag).await.map_err(|error| self.unreadable("alerts", &error))?;
        let alert = alert.ok_or_else(|| missing("there is no alert with this tag"))?;
        let mut shown = self.with_what_it_waits_for(&alert.alert);
        shown["jobs"] = alert.jobs.iter().map(|job| self.shown_job(job)).collect();
        shown["timeline"] = json!(alert.timeline);
        Ok(Answer::new(StatusCode::OK, shown))
    }

    pub(super) async fn list_jobs(&self, query: &Query) -> Result<Answer, Answer> {
        let filter = JobFilter {
            standing: query.standing()?,
            gate: query.text("gate"),
            result: query.text("result"),
            rule: query.text("rule"),
            integration: query.text("integration"),
            severity: query.word("severity", &SEVERITIES)?,
            alert: query.text("alert"),
            since: query.moment("since")?,
        };
        let (limit, after) = (query.limit()?, query.after()?);
        let jobs = self.store.jobs(filter, limit + 1, after).await;
        let jobs = jobs.map_err(|error| self.unreadable("jobs", &error))?;
        let place = |row: &JobRow| (row.job.created_at, row.job.id.clone());
        Ok(list("jobs", jobs, (query, limit), place, |row| self.shown_row(row, json!(row))))
    }

    pub(super) async fn show_job(&self, id: &str) -> Result<Answer, Answer> {
        let job = self.store.job(id).await.map_err(|error| self.unreadable("jobs", &error))?;
        let job = job.ok_or_else(|| missing("there is no job with this identifier"))?;
        Ok(Answer::new(StatusCode::OK, self.shown_row(&job.row, json!(job))))
    }

    pub(super) async fn list_deliveries(&self, query: &Query) -> Result<Answer, Answer> {
        let (limit, state) = (query.limit()?, query.word("state", &STATES)?);
        let (route, since, after) = (query.text("route"), query.moment("since")?, query.after()?);
        let most = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let deliveries = self.store.deliveries(Deliveries::Newest { most, state, route, since, after }).await;
        let deliveries = deliveries.map_err(|error| self.unreadable("deliveries", &error))?;
        Ok(list("deliveries", deliveries, (query, limit), |row| (row.received_at, row.id.clone()), |row| json!(row)))
    }

    /// A delivery. What it said may be somebody's secret, so that its body is for those who may act.
    pub(super) async fn show_delivery(&self, id: &str, right: Right) -> Result<Answer, Answer> {
        let deliveries = self.store.deliveries(Deliveries::One(id.to_string())).await;
        let delivery = deliveries.map_err(|error| self.unreadable("deliveries", &error))?.pop();
        let delivery = delivery.ok_or_else(|| missing("no delivery with this identifier is kept (any more)"))?;
        let mut shown = json!(delivery);
        let body = delivery.body.as_deref().filter(|_| right >= Right::Admin).map(String::from_utf8_lossy);
        shown["body"] = json!(body.map(|body| self.live.now().redactor.redact(&body).into_owned()));
        Ok(Answer::new(StatusCode::OK, shown))
    }

    pub(super) async fn list_decisions(&self, query: &Query) -> Result<Answer, Answer> {
        let filter = DecisionFilter {
            alert: query.text("alert"),
            job_id: query.text("job"),
            rule: query.text("rule"),
            decision: query.text("decision"),
            gate: query.text("gate"),
            since: query.moment("since")?,
        };
        let (limit, after) = (query.limit()?, query.after()?);
        let decisions = self.store.find_decisions(filter, limit + 1, after).await;
        let decisions = decisions.map_err(|error| self.unreadable("decisions", &error))?;
        Ok(list("decisions", decisions, (query, limit), |row| (row.at, row.id.clone()), |row| json!(row)))
    }

    pub(super) async fn list_storms(&self, query: &Query) -> Result<Answer, Answer> {
        // Each comes with its members.
        let (limit, after) = (query.limit()?.min(50), query.after()?);
        let storms = self.store.storms(limit + 1, after).await;
        let storms = storms.map_err(|error| self.unreadable("storms", &error))?;
        let place = |storm: &StormView| (storm.detected_at, storm.id.clone());
        Ok(list("storms", storms, (query, limit), place, |storm| {
            let mut shown = json!(storm);
            let members = storm.members.iter().map(|member| {
                let mut shown = json!(member);
                shown["job"] = self.shown_job(&member.job);
                shown
            });
            shown["members"] = members.collect();
            shown
        }))
    }

    pub(super) async fn list_actions(&self, query: &Query) -> Result<Answer, Answer> {
        let (limit, after) = (query.limit()?, query.after()?);
        let actions = self.store.actions(limit + 1, after).await;
        let actions = actions.map_err(|error| self.unreadable("actions", &error))?;
        Ok(list("actions", actions, (query, limit), |row| (row.at, row.id.clone()), |row| json!(row)))
    }

    pub(super) async fn list_notifications(&self, query: &Query) -> Result<Answer, Answer> {
        let filter = NoticeFilter {
            state: query.word("state", &["waiting", "sent", "dead", "skipped"])?,
            target: query.text("target"),
            alert: query.text("alert"),
            job_id: query.text("job"),
        };
        let (limit, after) = (query.limit()?, query.after()?);
        let notices = self.store.notices(filter, limit + 1, after).await;
        let notices = notices.map_err(|error| self.unreadable("notifications", &error))?;
        Ok(list("notifications", notices, (query, limit), |row| (row.at, row.id.clone()), |row| json!(row)))
    }

    pub(super) async fn list_suppressions(&self) -> Result<Answer, Answer> {
        let suppressions = self.store.suppressions().await;
        let suppressions = suppressions.map_err(|error| self.unreadable("suppressions", &error))?;
        Ok(Answer::new(StatusCode::OK, json!({"suppressions": suppressions})))
    }

    /// An alert, and why nothing is done about it for now.
    fn with_what_it_waits_for(&self, alert: &AlertView) -> Value {
        let mut shown = json!(alert);
        if let Some(job) = &alert.job {
            shown["job"] = self.shown_job(job);
        }
        shown
    }

    fn shown_job(&self, job: &JobView) -> Value {
        let mut shown = json!(job);
        if let Some(reason) = self.waits_for(job) {
            shown["waits_for"] = Value::from(reason);
        }
        shown
    }

    fn shown_row(&self, row: &JobRow, mut shown: Value) -> Value {
        shown["responder"] = json!(row.job.responder());
        if let Some(reason) = self.waits_for(&row.job) {
            shown["waits_for"] = Value::from(reason);
        }
        shown
    }

    /// Why nothing is done about a job for now; `None` where something is, or it has ended.
    pub(in crate::relay::serve::http) fn waits_for(&self, job: &JobView) -> Option<String> {
        if job.settled_at.is_some() {
            return None;
        }
        let held = job.held.as_ref().and_then(|held| held.reason.clone());
        let stands_still = self.paused(job).or_else(|| self.held_elsewhere(job));
        let reasons: Vec<String> = held.into_iter().chain(stands_still).collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }

    /// Who else has a job in hand that has no session yet: nobody can take it on meanwhile, also if that process was killed.
    pub(in crate::relay::serve::http) fn held_elsewhere(&self, job: &JobView) -> Option<String> {
        let held = job.in_hand.as_ref().filter(|held| held.owner != self.owner && job.progress.session_id.is_none())?;
        Some(told_in_hand("another process", held.until))
    }

    /// Why an integration does nothing about a job for now.
    pub(in crate::relay::serve::http) fn paused(&self, job: &JobView) -> Option<String> {
        let name = &job.integration;
        match self.integrations.iter().find(|one| one.name == *name).map(|one| one.standing()) {
            Some(Standing::Ready { .. }) => None,
            // What has a session goes on as well as it can; its own reason says how that is.
            Some(Standing::Paused { tried_in: Some(_), .. }) if job.progress.session_id.is_some() => None,
            Some(Standing::Starting) => Some(format!("the key of the integration {name} is being looked at")),
            Some(Standing::Paused { reason, .. }) => {
                Some(format!("the integration {name} is paused: {}", reason.message))
            }
            None => Some(format!("the rules have no integration {name}")),
        }
    }
}

/// A page of a list, of which one row more than is shown has been read: that tells whether any follow.
fn list<T>(
    name: &str,
    mut rows: Vec<T>,
    (query, limit): (&Query, usize),
    place: impl Fn(&T) -> (i64, String),
    show: impl Fn(&T) -> Value,
) -> Answer {
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| has_more).map(place);
    let next = last.map(|(at, id)| query.next(&format!("/api/v1/{name}"), at, &id));
    let shown: Vec<Value> = rows.iter().map(show).collect();
    Answer::new(StatusCode::OK, json!({name: shown, "next": next}))
}

fn missing(reason: &str) -> Answer {
    Answer::problem(StatusCode::NOT_FOUND, reason)
}
