//! A store in memory whose clock is set by its owner: what a bridge would have kept of the same deliveries. The statements are
//! the store's own, so that a simulation decides by what a bridge decides by.

use sqlx::{AnyConnection, Connection as _, Row as _};

use super::archive::Archive;
#[cfg(test)]
use super::by_hand::{self, Wish};
use super::database::install_drivers;
use super::schema::migrate;
use super::trouble::StoreError;
use super::work::Dialect;
use super::work::Work;
use super::{Admission, Ask, Claimed, NewDelivery, Receipt, Save, Switch, admission, decisions, intake, queue};

/// Nobody else works here: a claim lasts as long as its owner likes.
const LEASE: i64 = 3_600_000;

/// The owner of all claims.
pub const OWNER: &str = "simulation";

/// The store of a simulation.
pub struct Ledger {
    archive: Archive,
    /// In Unix milliseconds; the owner's to set.
    pub now: i64,
}

/// Where a job came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The alert's tag.
    pub alert: String,
    pub dedupe_key: String,
    /// `None` where it follows another job.
    pub delivery: Option<String>,
}

impl Ledger {
    /// An empty one.
    ///
    /// # Errors
    /// The database's.
    pub async fn new() -> Result<Ledger, StoreError> {
        install_drivers();
        let mut connection = AnyConnection::connect("sqlite::memory:").await?;
        migrate(&mut connection, Dialect::Sqlite).await?;
        Ok(Ledger { archive: Archive::of(connection), now: 0 })
    }

    /// What it holds, to be read as any other store.
    pub fn archive(&mut self) -> &mut Archive {
        &mut self.archive
    }

    /// Takes in a delivery.
    ///
    /// # Errors
    /// The database's.
    pub async fn accept(&mut self, delivery: &NewDelivery) -> Result<Option<Receipt>, StoreError> {
        Ok(intake::accept(&mut self.work(), &[delivery]).await?.pop())
    }

    /// When a job is due next; `None` where none is.
    ///
    /// # Errors
    /// The database's.
    pub async fn next_due(&mut self) -> Result<Option<i64>, StoreError> {
        let text = "SELECT MIN(due_at) FROM jobs WHERE settled_at IS NULL AND lease_until IS NULL";
        Ok(sqlx::query(text).fetch_one(self.archive.connection()).await?.try_get(0)?)
    }

    /// Takes what is due.
    ///
    /// # Errors
    /// The database's.
    pub async fn claim(&mut self, integration: &str) -> Result<Vec<Claimed>, StoreError> {
        Ok(queue::claim(&mut self.work(), integration, OWNER, LEASE, i64::MAX).await?.claimed)
    }

    /// Where a job came from.
    ///
    /// # Errors
    /// The database's.
    pub async fn origin(&mut self, job_id: &str) -> Result<Origin, StoreError> {
        let text = "SELECT j.alert, COALESCE(a.dedupe_key, j.alert), j.delivery FROM jobs j \
            LEFT JOIN alerts a ON a.tag = j.alert WHERE j.id = $1";
        let row = sqlx::query(text).bind(job_id).fetch_one(self.archive.connection()).await?;
        Ok(Origin { alert: row.try_get(0)?, dedupe_key: row.try_get(1)?, delivery: row.try_get(2)? })
    }

    /// Makes a job due later, or sooner.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_off(&mut self, job_id: &str, until: i64) -> Result<(), StoreError> {
        let text = "UPDATE jobs SET due_at = $2 WHERE id = $1";
        sqlx::query(text).bind(job_id).bind(until).execute(self.archive.connection()).await?;
        Ok(())
    }

    /// Decides whether a job may start, and takes its place if it does.
    ///
    /// # Errors
    /// The database's.
    pub async fn admit(&mut self, ask: &Ask) -> Result<Admission, StoreError> {
        admission::admit(&mut self.work(), ask).await
    }

    /// Keeps how far a job has come.
    ///
    /// # Errors
    /// The database's.
    pub async fn save(&mut self, save: &Save) -> Result<(), StoreError> {
        queue::save(&mut self.work(), save).await.map(drop)
    }

    /// Throws a switch.
    ///
    /// # Errors
    /// The database's.
    pub async fn throw(&mut self, switch: &Switch, is_on: bool) -> Result<(), StoreError> {
        decisions::throw(&mut self.work(), switch, is_on).await
    }

    /// Has alerts with this key start nothing until then.
    ///
    /// # Errors
    /// The database's.
    #[cfg(test)]
    pub async fn suppress(&mut self, dedupe_key: &str, until: i64, by: &str) -> Result<(), StoreError> {
        let wish = Wish::Suppress { dedupe_key: dedupe_key.to_string(), until, row: "suppress-1".to_string() };
        by_hand::fulfill(&mut self.work(), &wish, by).await.map(drop)
    }

    /// A transaction of this moment.
    pub(super) fn work(&mut self) -> Work<'_> {
        Work { connection: self.archive.connection(), dialect: Dialect::Sqlite, now: self.now }
    }
}
