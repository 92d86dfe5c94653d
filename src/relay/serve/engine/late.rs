//! Looks at sessions that wait for a person when their jobs have ended: an answer may bring the pull request that was wanted.

use std::time::Duration;

use super::{Engine, event_of};
use crate::devin::session::Session;
use crate::relay::event::{EventKind, OutcomeEvent};
use crate::relay::outcome::{Outcome, OutcomeStatus, settle};
use crate::relay::pull_request::best;
use crate::relay::serve::integration::Requests;
use crate::relay::serve::store::{Amendment, Late, Progress};

/// How often it is asked which are due, and how many are looked at then.
const ASKING: Duration = Duration::from_secs(60);
const MOST: usize = 50;

impl Engine {
    /// Looks at those that are due. Never ends.
    pub(super) async fn look_later(&self) {
        loop {
            tokio::time::sleep(ASKING).await;
            let Some(requests) = self.integration.requests() else { continue };
            match self.store.late(&self.integration.name, MOST).await {
                Ok(due) => {
                    for late in due {
                        self.look_at(&late, &requests).await;
                    }
                }
                Err(error) => self.log.store_failed("sessions that wait for a person cannot be looked up", &error),
            }
        }
    }

    async fn look_at(&self, late: &Late, requests: &Requests<'_>) {
        // One that fails is made again, later.
        let Ok(session) = requests.poll_alone(&late.session_id).await else { return };
        let repos = &late.job.request.new.repos;
        let Some(outcome) = came_to(&session, repos) else { return };
        let pr_url = best(&session.pull_requests, repos).map(|best| best.pr_url.clone());
        let word = serde_json::to_value(outcome.kind).ok().and_then(|word| Some(word.as_str()?.to_string()));
        let progress = Progress {
            session_id: Some(session.session_id.clone()),
            session_url: session.url.clone(),
            pr_url: pr_url.clone(),
            status: Some(outcome.kind.status().name().to_string()),
            result: word,
            reason: Some(outcome.reason.clone()),
            acus_consumed: Some(session.acus_consumed),
        };
        if let Err(error) = self.store.amend(Amendment { job_id: late.job.id.clone(), progress }).await {
            self.log.store_failed(&format!("what the session of {} came to cannot be kept yet", late.job.id), &error);
            return;
        }
        self.metrics.came_to(&late.rule, outcome.kind);
        if pr_url.is_some() {
            self.metrics.has_pull_request(&late.rule);
        }
        let now = requests.now();
        let event = OutcomeEvent {
            status: outcome.kind.status(),
            result: outcome.kind,
            pr_url,
            pull_requests: session.pull_requests.clone(),
            session_id: Some(session.session_id.clone()),
            session_url: session.url.clone(),
            reason: outcome.reason,
            acus_consumed: Some(session.acus_consumed),
            polls: 0,
            seconds: u64::try_from((now.steady - late.job.started_at.unwrap_or(now.steady)) / 1000).unwrap_or_default(),
        };
        self.log.event(&event_of(&late.job, EventKind::Outcome(Box::new(event)), now.devin));
    }
}

/// What a session that waited for a person has come to; `None` while it has not.
fn came_to(session: &Session, repos: &[String]) -> Option<Outcome> {
    let outcome = settle(session, &session.pull_requests, repos);
    (outcome.kind.status() == OutcomeStatus::Done).then_some(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_asked_for_is_taken_for_an_end() {
        let came_to = |state: (&str, &str), pr: bool| {
            let pulls = if pr { serde_json::json!([{"pr_url": "https://x/pull/1"}]) } else { serde_json::json!([]) };
            let session = serde_json::json!({"session_id": "s", "status": state.0, "status_detail": state.1,
                "pull_requests": pulls});
            came_to(&serde_json::from_value(session).unwrap(), &[]).map(|outcome| outcome.kind.status().name())
        };
        assert_eq!(came_to(("running", "waiting_for_user"), false), None, "nobody has answered");
        assert_eq!(came_to(("running", "working"), true), None, "somebody has");
        assert_eq!(came_to(("running", "waiting_for_user"), true), Some("done"));
        assert_eq!(came_to(("running", "finished"), false), Some("done"));
        assert_eq!(came_to(("suspended", "inactivity"), false), None);
    }
}
