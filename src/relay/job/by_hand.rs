//! What a person asks for: another attempt at an alert whose job has ended. Pure.

use std::time::Duration;

use super::{DispatchRequest, Firing, FiringReason, Job, Policy};
use crate::relay::names::Names;
use crate::relay::prior::Holds;

impl Job {
    /// This job, which has ended, once more. No earlier session that has ended holds the new one back, but one that turns out to
    /// be alive still takes care of the alert. `attempt` is drawn by whoever calls; `None` for that of this job, where its create
    /// may have made a session.
    #[must_use]
    pub fn again(&self, id: String, attempt: Option<String>) -> Job {
        let earlier = &self.request;
        let mut new = earlier.new.clone();
        earlier.names.take_off(&mut new);
        let names = attempt
            .map_or_else(|| earlier.names.clone(), |attempt| Names::new(earlier.names.alert_tag.clone(), attempt));
        names.put_on(&mut new);
        // Whatever session there is was told of it.
        let firing = Firing { reason: FiringReason::Repeat, ..earlier.firing.clone() };
        let holds = Holds { cooldown: Duration::ZERO, while_pr_open: None };
        let policy = Policy { holds, ..self.policy.clone() };
        let job = Job::new(id, self.dedupe_key.clone(), DispatchRequest { names, new, firing }, policy);
        Job { is_by_hand: true, ..job }
    }

    /// Whether a person has asked for it.
    pub fn is_by_hand(&self) -> bool {
        self.is_by_hand
    }
}
