//! What a rules file would have made of the deliveries that a store keeps: they are taken in once more, in their order and at
//! their times, by a ledger in memory that asks the same gates. What only Devin can say (how long a session works, how it ends,
//! whether an earlier one holds an alert back) is taken from what the store knows of the same alert.

mod comparing;
mod counting;
mod course;
mod devin;
mod player;
mod record;
mod switching;

#[cfg(test)]
mod tests;

use super::rules::Rules;
use super::store::{Archive, DecisionView, KeptDelivery, KeptJob, StoreError, Switch};
pub use comparing::{Difference, compare};
pub use counting::Counts;
pub use course::{Course, Step, courses};
use player::Player;
use record::Record;
use redact::Redactor;

/// What became of the deliveries.
pub struct Replayed {
    /// What the bridge did, and what it would do by the rules: each for the deliveries since the moment that was asked for.
    pub recorded: Vec<Course>,
    pub simulated: Vec<Course>,
    pub counts: Counts,
}

/// Plays all deliveries that the store keeps, and says what becomes of those since `since`, in Unix milliseconds.
///
/// # Errors
/// The database's.
pub async fn replay(
    rules: &Rules,
    archive: &mut Archive,
    redactor: &Redactor,
    since: i64,
) -> Result<Replayed, StoreError> {
    archive.begin().await?;
    let until = archive.now().await? + 1;
    let kept = Kept::of(archive, until).await?;
    archive.end().await?;
    play(rules, archive, redactor, kept, since).await
}

/// What a store keeps, as of one moment.
struct Kept {
    until: i64,
    deliveries: Vec<KeptDelivery>,
    jobs: Vec<KeptJob>,
    decisions: Vec<DecisionView>,
    switches: Vec<(Switch, i64)>,
}

impl Kept {
    async fn of(archive: &mut Archive, until: i64) -> Result<Kept, StoreError> {
        Ok(Kept {
            until,
            deliveries: archive.deliveries(until).await?,
            jobs: archive.jobs(None).await?,
            decisions: archive.decisions(None).await?,
            switches: archive.switches().await?,
        })
    }
}

async fn play(
    rules: &Rules,
    archive: &mut Archive,
    redactor: &Redactor,
    kept: Kept,
    since: i64,
) -> Result<Replayed, StoreError> {
    let Kept { until, deliveries, jobs, decisions, switches } = kept;
    let recorded = courses(&jobs, &decisions, &deliveries, since);
    let record = Record::new(jobs, switches, until);
    let mut player = Player::new(rules, redactor, record, until).await?;
    player.counts.assumed_ms = player.record.typical_ms;
    for delivery in &deliveries {
        player.advance(delivery.received_at).await?;
        let is_counted = delivery.received_at >= since;
        player.counts.deliveries += usize::from(is_counted);
        let body = player.body(archive, delivery).await?;
        player.deliver(delivery, body, is_counted).await?;
    }
    player.advance(until).await?;
    let ledger = player.ledger.archive();
    let (jobs, decisions) = (ledger.jobs(None).await?, ledger.decisions(None).await?);
    let simulated = courses(&jobs, &decisions, &deliveries, since);
    Ok(Replayed { recorded, simulated, counts: player.counts })
}
