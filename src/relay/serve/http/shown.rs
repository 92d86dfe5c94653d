//! What can be asked: whether all is well, which alerts there are, and what was delivered. Changes nothing.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::answer::Answer;
use super::{DEADLINE, Door};
use crate::relay::serve::integration::{Integration, Standing};
use crate::relay::serve::store::{After, AlertView, Deliveries, JobView, StoreError};

/// How many alerts or deliveries are shown at once.
const MOST: usize = 500;

/// The states of deliveries that can be asked for.
const STATES: [&str; 4] = ["alerts", "no_alert", "unrecognized", "duplicate"];

/// Something that can be asked for.
pub enum Shown {
    Health,
    Readiness,
    Alerts,
    Deliveries,
    Decisions,
    /// By its identifier.
    Delivery(String),
}

impl Shown {
    /// What stands at a path; `None` where nothing does.
    pub fn at(path: &str) -> Option<Shown> {
        Some(match path {
            "/healthz" => Shown::Health,
            "/readyz" => Shown::Readiness,
            "/api/v1/alerts" => Shown::Alerts,
            "/api/v1/deliveries" => Shown::Deliveries,
            "/api/v1/decisions" => Shown::Decisions,
            _ => Shown::Delivery(path.strip_prefix("/api/v1/deliveries/")?.to_string()),
        })
    }

    /// Whether it is for this machine only.
    pub fn is_private(&self) -> bool {
        !matches!(self, Shown::Health | Shown::Readiness)
    }
}

impl Door {
    /// Answers what is asked.
    pub(super) async fn show(&self, shown: Shown, query: Option<&str>) -> Answer {
        let answer = match shown {
            Shown::Health => return Answer::new(StatusCode::OK, json!({"status": "ok"})),
            Shown::Readiness => return self.readiness().await,
            Shown::Alerts => self.alerts(query).await,
            Shown::Deliveries => self.deliveries(query).await,
            Shown::Decisions => self.decisions(query).await,
            Shown::Delivery(id) => self.delivery(id).await,
        };
        answer.unwrap_or_else(|answer| answer)
    }

    /// How many jobs wait for each integration that the rules do not have.
    ///
    /// # Errors
    /// The store's.
    pub async fn jobs_of_nobody(&self) -> Result<Vec<(String, i64)>, StoreError> {
        let mut active = self.store.active().await?;
        active.retain(|(name, _)| !self.integrations.iter().any(|known| known.name == *name));
        Ok(active)
    }

    /// Whether deliveries are kept and sessions started, and why not.
    async fn readiness(&self) -> Answer {
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
        // Deliveries are kept all the same while an integration is paused, so it makes nothing unready.
        let mut integrations: Vec<Value> = self.integrations.iter().map(|one| standing(one)).collect();
        for (name, jobs) in jobs_of_nobody {
            integrations.push(json!({"name": name, "state": "unknown", "jobs": jobs,
                "reason": "its alerts wait: the rules do not have an integration of this name any more"}));
        }
        let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let (kill_switch, paused) = (&switches["kill_switch"], &switches["paused"]);
        Answer::new(
            status,
            json!({"ready": is_ready, "reasons": reasons, "integrations": integrations, "kill_switch": kill_switch,
                "paused": paused}),
        )
    }

    async fn alerts(&self, query: Option<&str>) -> Result<Answer, Answer> {
        let after = after(query)?;
        // One more tells whether any follow.
        let alerts = self.store.alerts(MOST + 1, after).await;
        let mut alerts = alerts.map_err(|error| self.unreadable("alerts", &error))?;
        let has_more = cut(&mut alerts);
        let next = alerts.last().filter(|_| has_more);
        let next = next.map(|last| format!("/api/v1/alerts?after={}.{}", last.last_at, last.tag));
        let alerts: Vec<Value> = alerts.iter().map(|alert| self.with_what_it_waits_for(alert)).collect();
        Ok(Answer::new(StatusCode::OK, json!({"alerts": alerts, "next": next})))
    }

    async fn deliveries(&self, query: Option<&str>) -> Result<Answer, Answer> {
        let state = value(query, "state").map(str::to_string);
        if state.as_deref().is_some_and(|state| !STATES.contains(&state)) {
            let reason = format!("state is one of {}", STATES.join(", "));
            return Err(Answer::problem(StatusCode::BAD_REQUEST, &reason));
        }
        let filter = state.as_ref().map(|state| format!("state={state}&")).unwrap_or_default();
        let most = i64::try_from(MOST + 1).unwrap_or(i64::MAX);
        let deliveries = self
            .store
            .deliveries(Deliveries::Newest { most, state, route: None, since: None, after: after(query)? })
            .await;
        let mut deliveries = deliveries.map_err(|error| self.unreadable("deliveries", &error))?;
        let has_more = cut(&mut deliveries);
        let next = deliveries.last().filter(|_| has_more);
        let next = next.map(|last| format!("/api/v1/deliveries?{filter}after={}.{}", last.received_at, last.id));
        Ok(Answer::new(StatusCode::OK, json!({"deliveries": deliveries, "next": next})))
    }

    async fn decisions(&self, query: Option<&str>) -> Result<Answer, Answer> {
        let decisions = self.store.decisions(MOST + 1, after(query)?).await;
        let mut decisions = decisions.map_err(|error| self.unreadable("decisions", &error))?;
        let has_more = cut(&mut decisions);
        let next = decisions.last().filter(|_| has_more);
        let next = next.map(|last| format!("/api/v1/decisions?after={}.{}", last.at, last.id));
        Ok(Answer::new(StatusCode::OK, json!({"decisions": decisions, "next": next})))
    }

    async fn delivery(&self, id: String) -> Result<Answer, Answer> {
        let deliveries = self.store.deliveries(Deliveries::One(id)).await;
        let delivery = deliveries.map_err(|error| self.unreadable("deliveries", &error))?.pop();
        let delivery = delivery.ok_or_else(|| {
            Answer::problem(StatusCode::NOT_FOUND, "no delivery with this identifier is kept (any more)")
        })?;
        let body = delivery.body.as_deref().map(String::from_utf8_lossy);
        let mut shown = json!(delivery);
        shown["body"] = json!(body.map(|body| self.live.now().redactor.redact(&body).into_owned()));
        Ok(Answer::new(StatusCode::OK, shown))
    }

    /// An alert, and why nothing is done about it for now.
    fn with_what_it_waits_for(&self, alert: &AlertView) -> Value {
        let mut shown = json!(alert);
        let Some(job) = alert.job.as_ref().filter(|job| job.settled_at.is_none()) else { return shown };
        let held = job.held.as_ref().and_then(|held| held.reason.clone());
        let reasons: Vec<String> = held.into_iter().chain(self.paused(job)).collect();
        if !reasons.is_empty() {
            shown["job"]["waits_for"] = Value::from(reasons.join("; "));
        }
        shown
    }

    /// Why an integration does nothing about a job for now.
    pub(super) fn paused(&self, job: &JobView) -> Option<String> {
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

    fn unreadable(&self, what: &str, error: &StoreError) -> Answer {
        self.trouble(&format!("the {what} cannot be read: {error}"), &format!("the {what} cannot be read now"))
    }
}

fn standing(integration: &Integration) -> Value {
    let name = &integration.name;
    match integration.standing() {
        Standing::Starting => json!({"name": name, "state": "starting"}),
        Standing::Ready { org_id } => json!({"name": name, "state": "ready", "org_id": org_id}),
        Standing::Paused { reason, .. } => {
            json!({"name": name, "state": "paused", "code": reason.code, "reason": reason.message})
        }
    }
}

/// Leaves as many as are shown, and says whether there were more.
fn cut<T>(items: &mut Vec<T>) -> bool {
    let has_more = items.len() > MOST;
    items.truncate(MOST);
    has_more
}

/// The value of a name in a query.
pub fn value<'q>(query: Option<&'q str>, name: &str) -> Option<&'q str> {
    let pairs = query?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(found, _)| *found == name).map(|(_, value)| value).next()
}

/// Where a list was left.
///
/// # Errors
/// When it is not what an answer said.
pub fn after(query: Option<&str>) -> Result<Option<After>, Answer> {
    let Some(text) = value(query, "after") else { return Ok(None) };
    match text.split_once('.').map(|(at, id)| (at.parse(), id)) {
        Some((Ok(at), id)) => Ok(Some(After { at, id: id.to_string() })),
        _ => Err(Answer::problem(StatusCode::BAD_REQUEST, "after is not what an answer's next has")),
    }
}
