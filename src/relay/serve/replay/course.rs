//! What became of an alert of a delivery, told from the rows of a store: of the bridge's own, or of one that was simulated. Pure.

use std::collections::HashMap;

use serde::Serialize;

use crate::relay::serve::store::{DecisionView, KeptDelivery, KeptJob};

/// What became of an alert by one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Course {
    /// When it came, in Unix milliseconds.
    pub at: i64,
    /// `None` where it follows from alerts that came while an earlier job ended.
    pub delivery: Option<String>,
    pub dedupe_key: String,
    pub title: String,
    /// `None` where no rule takes it.
    pub rule: Option<String>,
    pub integration: Option<String>,
    pub decision: Step,
    /// Which gate said so; `None` for a start.
    pub gate: Option<String>,
    pub reason: Option<String>,
}

/// How far it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Start,
    /// An earlier session of the alert, or that of its storm, takes care of it.
    Join,
    Hold,
    Refuse,
    /// Devin refused to create its session.
    Fail,
    /// Nobody has asked the gates yet.
    Wait,
}

/// The decisions of people that a job was made by.
const BY_HAND: [&str; 2] = ["retry", "start_again"];

/// What became of the alerts that came since `since`: of those with a job, and of those that no rule took.
pub fn courses(jobs: &[KeptJob], decisions: &[DecisionView], deliveries: &[KeptDelivery], since: i64) -> Vec<Course> {
    let received: HashMap<&str, i64> = deliveries.iter().map(|one| (one.id.as_str(), one.received_at)).collect();
    let of_job = |job: &KeptJob| {
        let at = job.delivery.as_deref().and_then(|id| received.get(id).copied()).unwrap_or(job.created_at);
        Course { at, ..Course::of(job) }
    };
    let of_none = |row: &DecisionView| {
        let delivery = row.id.rsplit_once('.').map(|(delivery, _)| delivery.to_string());
        Course {
            at: row.at,
            delivery,
            dedupe_key: row.dedupe_key.clone(),
            title: String::new(),
            rule: None,
            integration: None,
            decision: Step::Refuse,
            gate: row.gate.clone(),
            reason: row.reason.clone(),
        }
    };
    // What people asked for has rows, too, and is not played.
    let unmatched = decisions.iter().filter(|row| row.job_id.is_empty() && row.decision == "refuse");
    let is_by_hand = |job: &KeptJob| job.decisions.iter().any(|row| BY_HAND.contains(&row.decision.as_str()));
    let jobs = jobs.iter().filter(|job| !is_by_hand(job));
    let mut courses: Vec<Course> = jobs.map(of_job).chain(unmatched.map(of_none)).collect();
    courses.retain(|course| course.at >= since);
    courses.sort_by(|one, other| one.place().cmp(&other.place()));
    courses
}

impl Course {
    fn of(job: &KeptJob) -> Course {
        let last = job.decisions.last();
        let reason = |reason: Option<&String>| reason.cloned();
        let last_gate = last.and_then(|last| last.gate.clone());
        let last_reason = last.and_then(|last| last.reason.clone());
        let (decision, gate, reason) = match (job.settled_at, job.progress.result.as_deref()) {
            (_, Some("refused")) => (Step::Refuse, last_gate, last_reason),
            (_, Some("resolved_before_start")) => (Step::Refuse, Some("resolved".to_string()), last_reason),
            (_, Some("attached")) => (Step::Join, Some("storm".to_string()), last_reason),
            _ if job.held_by.is_some() => (Step::Hold, job.held_by.clone(), reason(job.held_why.as_ref())),
            _ if job.started_at.is_some() => (Step::Start, None, None),
            (_, _) if job.progress.session_id.is_some() => {
                (Step::Join, Some("cooldown".to_string()), reason(job.progress.reason.as_ref()))
            }
            (Some(_), _) => (Step::Fail, None, reason(job.progress.reason.as_ref())),
            (None, _) => (Step::Wait, None, None),
        };
        Course {
            at: job.created_at,
            delivery: job.delivery.clone(),
            dedupe_key: job.dedupe_key.clone(),
            title: job.title.clone(),
            rule: Some(job.rule.clone()),
            integration: Some(job.integration.clone()),
            decision,
            gate,
            reason,
        }
    }

    fn place(&self) -> (i64, Option<&str>, &str, Option<&str>) {
        (self.at, self.delivery.as_deref(), &self.dedupe_key, self.rule.as_deref())
    }

    /// What is compared: words and reasons may have numbers in them that say nothing.
    pub fn essence(&self) -> (Step, Option<&str>, Option<&str>) {
        (self.decision, self.rule.as_deref(), self.gate.as_deref())
    }

    /// The end of a sentence about the alert. `is_past` where it has happened.
    pub fn told(&self, is_past: bool) -> String {
        let rule = self.rule.as_deref().unwrap_or_default();
        let by = format!("by the rule {rule}");
        let (gate, reason) = (self.gate.as_deref().unwrap_or("?"), self.reason.as_deref());
        let because = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        let verb = |past: &str, present: &str| if is_past { past.to_string() } else { format!("would {present}") };
        match self.decision {
            Step::Start => {
                let integration = self.integration.as_deref().unwrap_or_default();
                format!("{} a session {by} in {integration}", verb("started", "start"))
            }
            Step::Join => {
                let whose = if gate == "storm" { "its storm" } else { "an earlier firing" };
                format!("{} the session of {whose} {by}{because}", verb("joined", "join"))
            }
            Step::Hold => format!("{} held {by} at the gate {gate}{because}", verb("is", "be")),
            Step::Refuse if self.rule.is_none() => {
                format!("{} dropped{because}", verb("was", "be"))
            }
            Step::Refuse => format!("{} dropped {by} at the gate {gate}{because}", verb("was", "be")),
            Step::Fail => format!("{} no session {by}: Devin refused it{because}", verb("got", "get")),
            Step::Wait => format!("{} to be asked about {by}", verb("waits", "wait")),
        }
    }
}
