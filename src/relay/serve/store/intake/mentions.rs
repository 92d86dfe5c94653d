//! Which deliveries told of an alert, and what became of it each time: the first lines of its timeline.

use super::{Entry, EntryState, NewDelivery, Taken};
use crate::relay::serve::store::rows::insert;
use crate::relay::serve::store::trouble::StoreError;
use crate::relay::serve::store::work::Work;

/// An alert in a delivery.
pub struct Mention<'d> {
    tag: &'d str,
    delivery_id: &'d str,
    state: &'d str,
    taken: &'static str,
    job_id: Option<String>,
    reason: Option<String>,
}

impl<'d> Mention<'d> {
    /// What became of it; `taken` is `None` for a duplicate. `None` where nothing is known of the alert.
    pub fn new(
        delivery: &'d NewDelivery,
        tag: &'d str,
        entry: &'d Entry,
        taken: Option<&Taken>,
    ) -> Option<Mention<'d>> {
        let state = match &entry.state {
            EntryState::Firing(_) => "firing",
            EntryState::Resolved | EntryState::ResolvedIfKnown => "resolved",
            EntryState::Other(word) => word,
            EntryState::Unwanted(_) => "unwanted",
        };
        let (taken, job_id, reason) = match taken {
            None => ("duplicate", None, None),
            Some(Taken::Nothing) => return None,
            Some(Taken::Started { job_id }) => ("started", Some(job_id.clone()), None),
            Some(Taken::Joined { job_id }) => ("joined", Some(job_id.clone()), None),
            Some(Taken::Suppressed { reason, .. }) => ("suppressed", None, Some(reason.clone())),
        };
        Some(Mention { tag, delivery_id: &delivery.id, state, taken, job_id, reason })
    }
}

/// Keeps them.
///
/// # Errors
/// The database's.
pub async fn write(work: &mut Work<'_>, mentions: &[Mention<'_>]) -> Result<(), StoreError> {
    let columns = ["alert", "delivery", "at", "state", "taken", "job", "reason"];
    let now = work.now;
    insert(work, ("alert_deliveries", &columns), "", mentions, |bound, mention| {
        let bound = bound.bind(mention.tag.to_string()).bind(mention.delivery_id.to_string()).bind(now);
        let bound = bound.bind(mention.state.to_string()).bind(mention.taken);
        bound.bind(mention.job_id.clone()).bind(mention.reason.clone())
    })
    .await
}
