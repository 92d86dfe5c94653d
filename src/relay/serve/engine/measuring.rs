//! What is counted of a job's course, once it is kept.

use super::{Engine, Held};
use crate::relay::event::{EventKind, RelayEvent};

impl Engine {
    /// Says what has happened to a job, and counts it.
    pub(super) fn tell(&self, held: &mut Held, events: &[RelayEvent]) {
        for event in events {
            self.log.event(event);
            match &event.kind {
                EventKind::SessionCreated { .. } => self.metrics.created(&held.rule, held.age()),
                EventKind::SessionAdopted { .. } => self.metrics.adopted(&held.rule),
                EventKind::Outcome(outcome) => self.metrics.came_to(&held.rule, outcome.result),
                // Its pull request is that of an earlier session.
                EventKind::AlertHeld { .. } => held.counted.pr_url.clone_from(&held.progress.pr_url),
                _ => {}
            }
        }
        if let Some(end) = held.job.end() {
            self.metrics.ended(&held.rule, end);
        }
        if held.counted.pr_url.is_none() && held.progress.pr_url.is_some() {
            self.metrics.has_pull_request(&held.rule);
        }
        // What a session had consumed before it was taken for this alert is another job's.
        let before = held.counted.acus_consumed.or(held.job.has_made_a_session().then_some(0.0));
        if let (Some(before), Some(now)) = (before, held.progress.acus_consumed)
            && now > before
        {
            self.metrics.consumed(&held.rule, now - before);
        }
        held.counted = held.progress.clone();
    }
}
