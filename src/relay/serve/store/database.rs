//! The one connection: opened so that what is committed survives a power loss, and opened again when it is lost.

use std::fs::{File, Metadata, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Once;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::{AnyConnection, Connection as _, Executor as _, Row as _};

use super::place;
use super::schema::migrate;
use super::transfer::{lock::lock, mark};
use super::{
    Address, Answered, Dialect, NewDelivery, Order, Reply, StoreError, Taken, actions, admission, by_hand, decisions,
    hint, intake, late, outbox, pruning, queue, suppressions, view,
};

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

/// So many bytes are written to see whether any can be: the size of a common delivery.
const PROBE: usize = 32 << 10;

/// The database behind a store.
pub struct Database {
    dialect: Dialect,
    url: String,
    /// `None` after an error, until the next transaction.
    connection: Option<AnyConnection>,
    /// A store in memory would be gone with its connection.
    may_be_opened_again: bool,
    files: Option<Files>,
    /// Held as long as this process writes to the file.
    _lock: Option<File>,
}

/// What an order is done with.
pub struct Work<'c> {
    pub connection: &'c mut AnyConnection,
    pub dialect: Dialect,
    /// By the database's clock, in Unix milliseconds.
    pub now: i64,
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
        let mut database = Database { dialect, url, connection: None, may_be_opened_again, files, _lock: lock };
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
        let result = self.try_to(orders).await;
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
            Order::Accept(_) | Order::Admit(_) | Order::ByHand { .. } => true,
            Order::Save(save) => save.job.end().is_some(),
            _ => false,
        };
        if dialect == Dialect::Postgres && orders.iter().any(is_alone) {
            // Two deliveries of one alert through two processes: the second sees what the first has made. Two jobs that are
            // about to start: only one takes the last place. One that waits for a place hears of each that becomes free.
            sqlx::query("SELECT CAST(pg_advisory_xact_lock(7340031) AS TEXT)").execute(&mut *transaction).await?;
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
            self.connected().await?.execute("UPDATE jobs SET lease_until = NULL").await?;
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

/// The files of a database that is open, which somebody may delete or put others in the place of: what is written to them then
/// is gone with the process.
struct Files {
    path: PathBuf,
    /// Which files they are.
    opened: Vec<Option<u64>>,
}

impl Files {
    fn note(&mut self) {
        self.opened = self.seen();
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.seen() == self.opened {
            return Ok(());
        }
        let path = self.path.display();
        Err(StoreError(format!(
            "the file {path} or its journal {path}-wal was deleted or replaced while it was open: put it back, or start the bridge again"
        )))
    }

    /// The database and its journal.
    fn seen(&self) -> Vec<Option<u64>> {
        let mut journal = self.path.clone().into_os_string();
        journal.push("-wal");
        [self.path.as_path(), Path::new(&journal)]
            .map(|path| std::fs::metadata(path).ok().map(|file| number(&file)))
            .to_vec()
    }
}

/// What tells a file from another one of its name; where there is no such thing, only whether it is there.
fn number(file: &Metadata) -> u64 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::ino(file);
    #[cfg(not(unix))]
    return u64::from(file.is_dir());
}

/// How a file is opened: `ro` only to be read, `rwc` to be made if it is not there.
pub(super) fn url_of_file(path: &Path, mode: &str) -> String {
    let name = utf8_percent_encode(&path.to_string_lossy(), NON_ALPHANUMERIC).to_string();
    format!("sqlite:{name}?mode={mode}")
}

/// The file, readable to its owner only (SQLite gives the same mode to its journal), and the lock of who writes to it. `remedy` is what to do
/// while another process has that.
pub(super) fn claim_file(path: &Path, remedy: &str) -> Result<File, StoreError> {
    let options = || {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options
    };
    let in_words = |error: std::io::Error| place::in_words(&error);
    place::look(path)?;
    drop(options().open(path).map_err(in_words)?);
    // Another name of the same file, through a symbolic link, has the same lock.
    let mut beside = path.canonicalize().map_err(in_words)?.into_os_string();
    beside.push("-lock");
    let lock = options().open(&beside).map_err(in_words)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => {
            return Err(StoreError(format!("another process writes to it: {remedy}")));
        }
        Err(std::fs::TryLockError::Error(error)) => return Err(in_words(error)),
    }
    Ok(lock)
}

/// Whether a job is due now that was not.
fn has_due_jobs(reply: &Reply) -> bool {
    match reply {
        Reply::Receipt(receipt) => {
            receipt.taken.iter().any(|taken| matches!(taken, Taken::Started { .. } | Taken::Joined { .. }))
        }
        Reply::ByHand(answered) => matches!(answered, Answered::Done { .. }),
        _ => false,
    }
}

/// By the database's clock, in Unix milliseconds.
///
/// # Errors
/// The database's.
pub async fn now(connection: &mut AnyConnection, dialect: Dialect) -> Result<i64, StoreError> {
    let text = match dialect {
        Dialect::Sqlite => "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER)",
        Dialect::Postgres => "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
    };
    Ok(sqlx::query(text).fetch_one(connection).await?.try_get(0)?)
}

/// Writes more than one page, other bytes each time: a disk that is full or cannot be written to any more is found by it.
async fn probe(work: &mut Work<'_>) -> Result<(), StoreError> {
    let text = match work.dialect {
        Dialect::Sqlite => {
            "INSERT INTO probes (id, at, padding) VALUES (1, $1, $2) \
            ON CONFLICT (id) DO UPDATE SET at = EXCLUDED.at, padding = EXCLUDED.padding"
        }
        // A row for each connection, so that no process waits for another.
        Dialect::Postgres => {
            "INSERT INTO probes (id, at, padding) VALUES (pg_backend_pid(), $1, $2) \
            ON CONFLICT (id) DO UPDATE SET at = EXCLUDED.at, padding = EXCLUDED.padding"
        }
    };
    let padding = vec![work.now.to_le_bytes()[0]; PROBE];
    sqlx::query(text).bind(work.now).bind(padding).execute(&mut *work.connection).await?;
    Ok(())
}

/// Does a run of orders: deliveries, which are taken in together, or one of any other kind.
async fn perform(work: &mut Work<'_>, run: &[Order]) -> Result<Vec<Reply>, StoreError> {
    let [order, ..] = run else { return Ok(Vec::new()) };
    let reply = match order {
        Order::Accept(_) => {
            let deliveries: Vec<&NewDelivery> = run.iter().filter_map(Order::delivery).collect();
            return Ok(intake::accept(work, &deliveries).await?.into_iter().map(Reply::Receipt).collect());
        }
        Order::Claim { integration, owner, lease_ms, most } => {
            Reply::Due(queue::claim(work, integration, owner, *lease_ms, *most).await?)
        }
        Order::Save(save) => Reply::Saved(queue::save(work, save).await?),
        Order::Renew { held, lease_ms } => done(queue::renew(work, held, *lease_ms).await)?,
        Order::Release { owner } => done(queue::release(work, owner).await)?,
        Order::Active => Reply::Active(queue::active(work).await?),
        Order::Sight { attempt_tag, session } => done(queue::sight(work, attempt_tag, session).await)?,
        Order::Sightings { attempt_tag } => Reply::Sessions(queue::sightings(work, attempt_tag).await?),
        Order::KeepOrganization { integration, org_id } => {
            done(queue::keep_organization(work, integration, org_id).await)?
        }
        Order::Organization { integration } => Reply::Text(queue::organization(work, integration).await?),
        Order::See(question) => Reply::Seen(Box::new(view::see(work, question).await?)),
        Order::Admit(ask) => Reply::Admission(admission::admit(work, ask).await?),
        Order::Late { integration, most } => Reply::Late(late::due(work, integration, *most).await?),
        Order::Amend(amendment) => done(late::amend(work, amendment).await)?,
        Order::Decisions { filter, most, after } => {
            Reply::Decisions(decisions::decisions(work, filter, *most, after.as_ref()).await?)
        }
        Order::NoteAction(action) => done(actions::note(work, action).await)?,
        Order::Actions { most, after } => Reply::Actions(actions::actions(work, *most, after.as_ref()).await?),
        Order::Throw { switch, is_on } => done(decisions::throw(work, switch, *is_on).await)?,
        Order::ByHand { wish, by } => Reply::ByHand(by_hand::fulfill(work, wish, by).await?),
        Order::Suppressions => Reply::Suppressions(suppressions::all(work).await?),
        Order::Switches => Reply::Switches(decisions::switches(work).await?),
        Order::Prune(keep) => Reply::Pruned(pruning::prune(work, keep).await?),
        Order::Outbox(wish) => Reply::Outbox(outbox::fulfill(work, wish).await?),
        Order::Ping => done(probe(work).await)?,
    };
    Ok(vec![reply])
}

fn done(result: Result<(), StoreError>) -> Result<Reply, StoreError> {
    result.map(|()| Reply::Done)
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
            assert!(full.contains("database or disk is full"), "{full}");
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
