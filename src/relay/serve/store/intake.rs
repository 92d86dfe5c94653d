//! Deliveries come in: is one known already, what becomes of each of its alerts, and which jobs follow? Everything that they
//! change is in the caller's transaction. What they ask is looked up for all of them at once, and what they change is written
//! at once: in between, each one knows what those before it have changed.

mod known;
mod mentions;
mod news;
#[cfg(test)]
mod tests;
mod write;

use std::time::Duration;

use super::trouble::StoreError;
use super::work::Work;
use crate::relay::alert::Severity;
use crate::relay::job::Job;
use crate::relay::serve::duplicate::{Duplicate, Earlier, Fate, Received, duplicate};
use crate::relay::serve::gates::Gates;
use known::{Alert, Known};
use mentions::Mention;
pub use write::{NewRow, start};

/// A delivery that is to be kept.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    pub id: String,
    pub route: String,
    /// The sender's own identifier of it; `None` where there is none.
    pub sender_id: Option<String>,
    pub body_hash: [u8; 32],
    pub body: Vec<u8>,
    pub verdict: Verdict,
    /// How long its identifier is unique.
    pub retention: Duration,
    /// Its alerts. One that has none is kept all the same.
    pub entries: Vec<Entry>,
}

/// What a delivery was taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Alerts,
    /// Recognized, and no alert: a ping, a push.
    NoAlert(String),
    /// Authentic, and of no known shape.
    Unrecognized(String),
}

/// One alert of a delivery.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Tells the alert apart, in every integration and namespace.
    pub tag: String,
    /// As it may be shown.
    pub dedupe_key: String,
    pub title: String,
    /// When what it tells of happened, by the sender's clock, in Unix milliseconds.
    pub occurred_at: Option<i64>,
    /// Whether the sender says so. Else it is when the alert began or ended: one that fires may have been told of later.
    pub is_told_at: bool,
    pub state: EntryState,
    /// The tags that the alert has by other rules: one of them that has an active job takes this one's place.
    pub siblings: Vec<String>,
}

/// Whether it is on.
#[derive(Debug, Clone)]
pub enum EntryState {
    /// With the job that is made if none is active.
    Firing(Box<NewJob>),
    Resolved,
    /// Resolved, and nothing where the alert is not known.
    ResolvedIfKnown,
    /// In between, in a word that may be shown.
    Other(String),
    /// Whatever its state is, nothing is done about it, for this reason.
    Unwanted(String),
}

/// A job that may be made.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub integration: String,
    pub job: Job,
    /// What is asked of it before it starts.
    pub gates: Gates,
    /// How bad it is; `None` where its sender does not say.
    pub severity: Option<Severity>,
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub delivery_id: String,
    /// The delivery that it repeats; `None` unless it is a duplicate.
    pub duplicate_of: Option<String>,
    /// One for each alert, in the delivery's order; none for a duplicate.
    pub taken: Vec<Taken>,
}

impl Receipt {
    /// Whether it has come before.
    pub fn is_duplicate(&self) -> bool {
        self.duplicate_of.is_some()
    }
}

/// What became of one alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It has a job now.
    Started { job_id: String },
    /// Its job was told.
    Joined { job_id: String },
    /// Nothing is done, for this reason.
    Suppressed { dedupe_key: String, reason: String },
    /// It is not known, and nobody is told of that.
    Nothing,
}

/// Keeps deliveries and what follows from them, in their order.
///
/// # Errors
/// The database's.
pub async fn accept(work: &mut Work<'_>, deliveries: &[&NewDelivery]) -> Result<Vec<Receipt>, StoreError> {
    let mut known = Known::look_up(work, deliveries).await?;
    let mut mentions = Vec::new();
    let receipts = deliveries.iter().map(|delivery| take_in(&mut known, &mut mentions, delivery)).collect();
    known.write(work).await?;
    mentions::write(work, &mentions).await?;
    Ok(receipts)
}

fn take_in<'d>(known: &mut Known<'d>, mentions: &mut Vec<Mention<'d>>, delivery: &'d NewDelivery) -> Receipt {
    // What is at work when it comes in decides, not what it starts itself.
    let alerts: Vec<(&str, &Entry)> = delivery.entries.iter().map(|entry| (known.leading_tag(entry), entry)).collect();
    let duplicate_of = duplicate_of(known, delivery, alerts.iter().map(|(tag, _)| tag.to_string()).collect());
    let is_duplicate = duplicate_of.is_some();
    known.keep(delivery, is_duplicate);
    let mut all_taken = Vec::new();
    for (tag, entry) in alerts {
        let taken = (!is_duplicate).then(|| take(known, delivery, tag, entry));
        mentions.extend(Mention::new(delivery, tag, entry, taken.as_ref()));
        all_taken.extend(taken);
    }
    Receipt { delivery_id: delivery.id.clone(), duplicate_of, taken: all_taken }
}

/// The delivery that it repeats, if it has come before. Of the deliveries of each alert only the last one that was none matters: if that is another
/// one, it came in between. So the list is as long as the delivery, however many came before.
fn duplicate_of(known: &Known, delivery: &NewDelivery, alerts: Vec<String>) -> Option<String> {
    let received =
        |delivery_id, body_hash, received_at, alerts| Received { delivery_id, body_hash, received_at, alerts };
    let mut earlier: Vec<Earlier> = Vec::new();
    let same_id = known.same_id(delivery);
    if let Some(first) = same_id {
        let received = received(delivery.sender_id.as_deref(), first.body_hash, first.received_at, &[][..]);
        earlier.push(Earlier { id: 0, is_of_route: true, received, fate: Fate::Kept });
    }
    let mut ids: Vec<&str> = Vec::new();
    for (known, alert) in alerts.iter().filter_map(|alert| Some((known.alert(alert)?, alert))) {
        let place = ids.iter().position(|id| *id == known.last_delivery).unwrap_or(ids.len());
        ids.extend((place == ids.len()).then_some(known.last_delivery.as_ref()));
        let has_come_to_nothing = known
            .job
            .as_ref()
            .is_some_and(|job| !job.is_active && matches!(job.status.as_deref(), Some("dropped" | "failed")));
        let fate = if has_come_to_nothing { Fate::Lost } else { Fate::Kept };
        let id = i64::try_from(place + 1).unwrap_or(i64::MAX);
        match earlier.iter_mut().find(|earlier| earlier.id == id) {
            Some(earlier) => earlier.fate = earlier.fate.max(fate),
            None => earlier.push(Earlier {
                id,
                is_of_route: known.last_route == delivery.route,
                received: received(None, known.last_hash, known.last_at, std::slice::from_ref(alert)),
                fate,
            }),
        }
    }
    let asked = received(delivery.sender_id.as_deref(), delivery.body_hash, known.now, &alerts[..]);
    let first = match duplicate(&asked, &earlier, delivery.retention)? {
        Duplicate::SameId { .. } => same_id?.id.as_str(),
        Duplicate::SameBody { of } => ids.get(usize::try_from(of - 1).ok()?)?,
    };
    Some(first.to_string())
}

/// What becomes of an alert, which is kept under this tag.
fn take<'d>(known: &mut Known<'d>, delivery: &'d NewDelivery, tag: &'d str, entry: &'d Entry) -> Taken {
    let suppressed = |reason: String| Taken::Suppressed { dedupe_key: entry.dedupe_key.clone(), reason };
    let alert = known.alert(tag);
    let active = alert.and_then(Alert::active_job);
    let newest = alert.and_then(|alert| alert.occurred_at);
    let is_late = known.occurred_at(entry).zip(newest).is_some_and(|(this, newest)| this < newest);
    let was_firing = alert.is_some_and(|alert| alert.state == "firing");
    match &entry.state {
        EntryState::ResolvedIfKnown if alert.is_none() => Taken::Nothing,
        EntryState::Firing(_) if is_late && entry.is_told_at && !was_firing => {
            known.touch(delivery, tag);
            suppressed("fired, but before it was resolved last".to_string())
        }
        EntryState::Firing(new) => {
            known.remember(delivery, tag, entry, "firing");
            known.note_firing(tag, &new.gates);
            if let Some(job_id) = active {
                known.tell(&job_id, Some(&new.job));
                return Taken::Joined { job_id };
            }
            known.start(delivery, tag, new);
            Taken::Started { job_id: new.job.id.clone() }
        }
        EntryState::Resolved | EntryState::ResolvedIfKnown if is_late && was_firing => {
            known.touch(delivery, tag);
            suppressed("resolved, but before it fired last".to_string())
        }
        EntryState::Resolved | EntryState::ResolvedIfKnown => {
            known.remember(delivery, tag, entry, "resolved");
            match active {
                Some(job_id) => {
                    known.tell(&job_id, None);
                    Taken::Joined { job_id }
                }
                None => suppressed("resolved".to_string()),
            }
        }
        EntryState::Other(word) => {
            known.touch(delivery, tag);
            suppressed(format!("the alert is {word}, which starts nothing"))
        }
        EntryState::Unwanted(reason) => {
            known.turn_away(delivery, entry, reason);
            suppressed(reason.clone())
        }
    }
}
