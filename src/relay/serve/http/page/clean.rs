//! What the store says of alerts, jobs and storms, as pages show it: without secrets.

use super::Door;
use crate::relay::serve::page::{AlertRow, JobRow, Prompt, Refusal, Session, StormRow, StormState, Waits};
use crate::relay::serve::store::{
    AlertView, DecisionView, Happening, JobDetail, JobView, StormState as StateOfStorm, StormView,
};
use crate::relay::text::plain;
use redact::Redactor;

/// So many members of a storm are shown.
const MEMBERS: usize = 12;

/// Makes of what the store says what a page shows.
pub struct Clean<'d> {
    pub redactor: &'d Redactor,
    pub door: &'d Door,
}

impl Clean<'_> {
    /// A text without secrets and without what a terminal or a page would act on.
    pub fn text(&self, text: &str) -> String {
        plain(&self.redactor.redact(text), usize::MAX)
    }

    /// A line of the list.
    pub fn alert(&self, alert: AlertView) -> AlertRow {
        AlertRow {
            title: self.text(&alert.title),
            tag: alert.tag,
            route: alert.route,
            severity: alert.severity,
            is_resolved: alert.state == "resolved",
            first_at: alert.first_at,
            last_at: alert.last_at,
            job: alert.job.as_ref().map(|job| self.job(job)),
        }
    }

    /// A job, as far as it is shown.
    pub fn job(&self, job: &JobView) -> JobRow {
        let progress = &job.progress;
        let maybe = |text: &Option<String>| text.as_deref().map(|text| self.text(text));
        JobRow {
            rule: job.rule.clone(),
            integration: job.integration.clone(),
            phase: job.phase.clone(),
            created_at: job.created_at,
            settled_at: job.settled_at,
            status: progress.status.clone(),
            result: progress.result.clone(),
            reason: maybe(&progress.reason),
            session: progress.session_id.clone().map(|id| Session { id, url: maybe(&progress.session_url) }),
            pr_url: maybe(&progress.pr_url),
            acus: progress.acus_consumed,
            waits: self.waits(job),
        }
    }

    /// What a session is asked; `None` where that is not kept.
    pub fn prompt(&self, job: &JobDetail) -> Option<Prompt> {
        let text = self.redactor.redact(job.prompt.as_deref()?).into_owned();
        let is_sent = job
            .timeline
            .iter()
            .any(|entry| matches!(&entry.what, Happening::Event { event, .. } if event.is_prompted()));
        Some(Prompt { text, is_sent })
    }

    /// What holds a job up: its gate first, then its integration.
    fn waits(&self, job: &JobView) -> Option<Waits> {
        if job.settled_at.is_some() {
            return None;
        }
        if let Some(held) = &job.held {
            let reason = held.reason.as_deref().map(|reason| self.text(reason)).unwrap_or_default();
            return Some(Waits { gate: Some(held.gate.clone()), reason, until: Some(held.until) });
        }
        let reason = self.door.paused(job).or_else(|| self.door.held_elsewhere(job))?;
        Some(Waits { gate: None, reason: self.text(&reason), until: None })
    }

    /// A storm; `None` where it is over.
    pub fn storm(&self, storm: StormView) -> Option<StormRow> {
        let state = match storm.state {
            StateOfStorm::Collecting => StormState::Collecting,
            StateOfStorm::Triaging => StormState::Triaging,
            StateOfStorm::Dispatched => StormState::Dispatched,
            StateOfStorm::Resolved => return None,
        };
        let root = storm.members.iter().find(|member| member.is_root).map(|member| member.alert.clone());
        let members: Vec<_> = storm.members.iter().take(MEMBERS).collect();
        Some(StormRow {
            rule: storm.rule,
            detected_at: storm.detected_at,
            state,
            more: u64::try_from(storm.size).unwrap_or(0).saturating_sub(members.len() as u64),
            members: members.into_iter().map(|member| (member.alert.clone(), self.text(&member.title))).collect(),
            root,
        })
    }

    /// An alert that a gate turned away.
    pub fn refusal(&self, decision: DecisionView) -> Refusal {
        Refusal {
            at: decision.at,
            tag: Some(decision.alert).filter(|_| !decision.job_id.is_empty()),
            title: decision.title.filter(|title| !title.is_empty()).map(|title| self.text(&title)),
            key: self.text(&decision.dedupe_key),
            gate: decision.gate.unwrap_or_default(),
            reason: self.text(&decision.reason.unwrap_or_default()),
        }
    }
}
