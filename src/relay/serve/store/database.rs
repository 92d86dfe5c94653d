//! The one connection: opened so that what is committed survives a power loss, and opened again when it is lost.

mod beside;
mod files;
mod orders;

use std::sync::Once;

use sqlx::{AnyConnection, Connection as _, Executor as _};

use super::ground::{see_that_it_is_new_enough, see_that_it_is_ours};
use super::place;
use super::schema::migrate;
use super::transfer::{lock::lock, mark};
use super::trouble::StoreError;
use super::work::{Dialect, Work, now};
use super::{Address, Order, Reply, hint};
pub use beside::throw;
use files::Files;
pub use files::{Claim, claim_file, url_of_file};
use orders::{has_due_jobs, perform};

/// Before anything is read: the journal that lets readers in beside the writer, and a sync with every commit.
const SQLITE_SETTINGS: &str = "
PRAGMA busy_timeout = 5000;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
";

/// A process that stands still in the middle of a transaction holds locks that all others wait for: it is given up before the
/// deliveries that wait for it are.
const POSTGRES_SETTINGS: &str = "SET idle_in_transaction_session_timeout = '3s'";

/// The database behind a store.
pub struct Database {
    dialect: Dialect,
    url: String,
    /// `None` after an error, until the next transaction.
    connection: Option<AnyConnection>,
    /// A store in memory would be gone with its connection.
    may_be_opened_again: bool,
    /// What cannot be read any more, as it was first met: until somebody has restored it, all is not well, though other pages can be read.
    damage: Option<StoreError>,
    files: Option<Files>,
    /// Held as long as this process writes to the file.
    _lock: Option<Claim>,
}

impl Database {
    /// Opens what `address` names, and makes it if it is not there.
    ///
    /// # Errors
    /// A sentence with the place.
    pub async fn open(address: &Address) -> Result<Database, StoreError> {
        install_drivers();
        let failed = |error: StoreError| address.cannot_be_opened(&error);
        let (dialect, url, lock) = match address {
            Address::Memory => (Dialect::Sqlite, "sqlite::memory:".to_string(), None),
            Address::Sqlite(path) => {
                let lock = claim_file(path, "stop that one, or give this one a store of its own").map_err(failed)?;
                (Dialect::Sqlite, url_of_file(path, "rwc"), Some(lock))
            }
            Address::Postgres(url) => (Dialect::Postgres, place::with_name(url), None),
        };
        let may_be_opened_again = *address != Address::Memory;
        let files = match address {
            Address::Sqlite(path) => Some(Files { path: path.clone(), opened: Vec::new() }),
            _ => None,
        };
        let mut database =
            Database { dialect, url, connection: None, may_be_opened_again, damage: None, files, _lock: lock };
        database.prepare().await.map_err(failed)?;
        database.end_leases().await.map_err(failed)?;
        Ok(database)
    }

    /// Does orders in one transaction, in their order. All or none.
    ///
    /// # Errors
    /// What kept it from being committed.
    pub async fn transact(&mut self, orders: &[Order]) -> Result<Vec<Reply>, StoreError> {
        if let Some(files) = self.files.as_ref().filter(|_| self.connection.is_some()) {
            // The connection stays: as long as it does, what the files held can be got back.
            files.check()?;
        }
        if let Some(damage) = self.damage.as_ref().filter(|_| orders.iter().any(|order| matches!(order, Order::Ping))) {
            return Err(damage.clone());
        }
        let result = self.try_to(orders).await;
        if let Err(error) = &result
            && error.is_damage()
        {
            self.damage = Some(error.clone());
        }
        if result.is_err() && self.may_be_opened_again {
            self.give_up().await;
        }
        result
    }

    async fn try_to(&mut self, orders: &[Order]) -> Result<Vec<Reply>, StoreError> {
        let dialect = self.dialect;
        let connection = self.connected().await?;
        let mut transaction = connection.begin_with(dialect.begin()).await?;
        let is_alone = |order: &Order| match order {
            Order::Accept(_) | Order::Admit(_) | Order::ByHand { .. } | Order::AskSwitched => true,
            Order::Save(save) => save.job.end().is_some(),
            _ => false,
        };
        if dialect == Dialect::Postgres && orders.iter().any(is_alone) {
            take_turn(&mut transaction).await?;
        }
        let now = now(&mut transaction, dialect).await?;
        let mut replies = Vec::with_capacity(orders.len());
        for run in orders.chunk_by(|one, next| one.delivery().is_some() && next.delivery().is_some()) {
            let mut work = Work { connection: &mut transaction, dialect, now };
            match perform(&mut work, run).await {
                Ok(these) => replies.extend(these),
                Err(error) => {
                    // What kept the order from being done says more than why nothing was left to undo.
                    let _ = transaction.rollback().await;
                    return Err(error);
                }
            }
        }
        if dialect == Dialect::Postgres && replies.iter().any(has_due_jobs) {
            hint::give(&mut Work { connection: &mut transaction, dialect, now }).await?;
        }
        transaction.commit().await?;
        Ok(replies)
    }

    /// Closes it: what the journal holds goes into the file.
    pub async fn close(self) {
        if let Some(connection) = self.connection {
            // All is committed; a journal that stays is read at the next start.
            let _ = connection.close().await;
        }
    }

    /// Lets a connection go after an error. It may be lost, or a full disk has ended its transaction behind its back, after
    /// which it can begin no other; a new one costs little.
    async fn give_up(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        if self.dialect == Dialect::Sqlite {
            // Until it is closed, it may hold the lock that the next one needs.
            let _ = connection.close().await;
        }
    }

    async fn connected(&mut self) -> Result<&mut AnyConnection, StoreError> {
        if self.connection.is_none() {
            self.prepare().await?;
        }
        self.connection.as_mut().ok_or_else(|| StoreError("there is no connection".to_string()))
    }

    async fn prepare(&mut self) -> Result<(), StoreError> {
        let mut connection = AnyConnection::connect(&self.url).await?;
        if self.dialect == Dialect::Postgres {
            see_that_it_is_new_enough(&mut connection).await?;
        }
        // Before the settings, which change a file.
        see_that_it_is_ours(&mut connection, self.dialect).await?;
        connection.execute(self.dialect.settings()).await?;
        if self.dialect == Dialect::Postgres && !lock(&mut connection, false).await? {
            let problem = "it is being restored or migrated: wait until that has come to its end";
            return Err(StoreError(problem.to_string()));
        }
        let mut transaction = connection.begin_with(self.dialect.begin()).await?;
        if self.dialect == Dialect::Postgres {
            sqlx::query("SELECT CAST(pg_advisory_xact_lock(7340032) AS TEXT)").execute(&mut *transaction).await?;
        }
        if let Some(mark) = mark::find(&mut transaction, self.dialect).await? {
            return Err(mark.refusal());
        }
        migrate(&mut transaction, self.dialect).await?;
        transaction.commit().await?;
        self.connection = Some(connection);
        if let Some(files) = &mut self.files {
            files.note();
        }
        Ok(())
    }

    /// At the start of the process, nobody else writes to this file: whoever held a lease is gone.
    async fn end_leases(&mut self) -> Result<(), StoreError> {
        if self.dialect == Dialect::Sqlite {
            // Those that have ended are held by nobody, and may be many.
            let text = "UPDATE jobs SET lease_until = NULL WHERE settled_at IS NULL AND lease_until IS NOT NULL";
            self.connected().await?.execute(text).await?;
            self.connected().await?.execute("UPDATE outbox SET lease_until = NULL WHERE state = 'waiting'").await?;
        }
        Ok(())
    }
}

/// Lets connections be opened at all.
pub fn install_drivers() {
    static DRIVERS: Once = Once::new();
    DRIVERS.call_once(|| {
        sqlx::any::install_drivers(&[sqlx::sqlite::any::DRIVER, sqlx::postgres::any::DRIVER])
            .expect("they are installed once")
    });
}

/// Waits in PostgreSQL until no other process does what only one may do at a time. Two deliveries of one alert through two processes: the
/// second sees what the first has made. Two jobs that are about to start: only one takes the last place. One that waits for a place
/// hears of each that becomes free, and one that a switch holds of each that goes off.
async fn take_turn(connection: &mut AnyConnection) -> Result<(), StoreError> {
    sqlx::query("SELECT CAST(pg_advisory_xact_lock(7340031) AS TEXT)").execute(connection).await?;
    Ok(())
}

impl Dialect {
    /// What a connection begins with.
    fn settings(self) -> &'static str {
        match self {
            Dialect::Sqlite => SQLITE_SETTINGS,
            Dialect::Postgres => POSTGRES_SETTINGS,
        }
    }

    /// SQLite takes the lock of the writer at once, so that no transaction fails halfway for want of it.
    fn begin(self) -> &'static str {
        match self {
            Dialect::Sqlite => "BEGIN IMMEDIATE",
            Dialect::Postgres => "BEGIN",
        }
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;

    use super::*;

    /// No page may be added any more, as on a full disk: SQLite ends such a transaction itself.
    async fn fill(database: &mut Database) {
        let connection = database.connected().await.unwrap();
        connection.execute("PRAGMA max_page_count = 1").await.unwrap();
    }

    #[tokio::test]
    async fn a_full_disk_is_told_and_when_there_is_space_again_the_store_goes_on() {
        let directory = tempfile::tempdir().unwrap();
        let address = Address::Sqlite(directory.path().join("relay.db"));
        let mut database = Database::open(&address).await.unwrap();
        let held = "INSERT INTO jobs (id, alert, integration, phase, job, created_at, due_at, epoch, lease_until) \
            VALUES ('j', 'x', 'one', 'received', '{}', 0, 0, 1, 9)";
        database.connected().await.unwrap().execute(held).await.unwrap();
        for _ in 0..2 {
            fill(&mut database).await;
            let full = database.transact(&[Order::Ping]).await.err().unwrap().to_string();
            assert_eq!(full, "the disk is full: make room on it");
        }
        assert!(database.transact(&[Order::Ping]).await.is_ok(), "there is space again");
        let text = "SELECT COUNT(*) FROM jobs WHERE lease_until = 9";
        let row = sqlx::query(text).fetch_one(database.connected().await.unwrap()).await.unwrap();
        assert_eq!(row.try_get::<i64, _>(0).unwrap(), 1, "jobs that are in hand stay so");
    }

    #[tokio::test]
    async fn a_job_that_cannot_be_read_keeps_no_other_waiting() {
        let mut database = Database::open(&Address::Memory).await.unwrap();
        let foreign = "INSERT INTO jobs (id, alert, integration, phase, job, created_at, due_at, epoch) \
            VALUES ('j', 'x', 'one', 'received', '{}', 0, 0, 0)";
        database.connected().await.unwrap().execute(foreign).await.unwrap();
        let claim = || Order::Claim { integration: "one".into(), owner: "o".into(), lease_ms: 9_000, most: 9 };
        for expected in [1, 0] {
            let replies = database.transact(&[claim()]).await.unwrap_or_else(|error| panic!("{error}"));
            let [Reply::Due(due)] = &replies[..] else { panic!("no answer to the question") };
            assert_eq!((due.claimed.len(), due.unreadable.len()), (0, expected), "until its lease ends");
        }
    }
}
