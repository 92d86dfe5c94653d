//! A store that is copied: opened to be read beside whoever serves it, or held so that nobody serves it meanwhile.

use std::path::{Path, PathBuf};

use sqlx::{AnyConnection, Connection as _, Executor as _, Row as _};

use super::super::Address;
use super::super::database::{Claim, claim_file, install_drivers, url_of_file};
use super::super::ground::{see_that_it_is_new_enough, see_that_it_is_ours};
use super::super::place::with_name;
use super::super::schema::{has_table, migrate_to, version};
use super::super::trouble::StoreError;
use super::super::work::{Dialect, now};
use super::lock::lock_alone;
use super::mark::{self, Mark};
use super::rows::{Side, count};
use super::tables::{Table, tables};

/// A store that is there.
pub struct Held {
    pub connection: AnyConnection,
    pub dialect: Dialect,
    /// As long as this lives, no bridge serves it; `None` where one may, or where the connection itself keeps it away.
    claim: Option<Claim>,
}

impl Held {
    /// Opens a store only to read what it holds at this moment. A bridge may go on serving it.
    ///
    /// # Errors
    /// A sentence with the place.
    pub async fn to_be_read(address: &Address) -> Result<Held, StoreError> {
        let failed = |error: StoreError| address.cannot_be_opened(&error);
        Held::connect(address, "ro", None).await.map_err(failed)?.begin_reading().await.map_err(failed)
    }

    /// Opens a file to read what it holds without leaving anything beside it.
    ///
    /// # Errors
    /// A sentence with the place.
    pub async fn to_be_looked_at(address: &Address) -> Result<Held, StoreError> {
        let has_beside = |end: &str| {
            let Address::Sqlite(path) = address else { return false };
            let Ok(mut beside) = path.canonicalize().map(PathBuf::into_os_string) else { return false };
            beside.push(end);
            Path::new(&beside).exists()
        };
        let mode = match (has_beside("-wal"), has_beside("-shm")) {
            // Without a journal, nobody writes to it, and reading it as it stands makes none.
            (false, _) => "ro&immutable=1",
            // Nobody has it open; what is kept of the journal then stands in memory.
            (true, false) if cfg!(unix) => "ro&vfs=unix-none",
            (true, _) => "ro",
        };
        let failed = |error: StoreError| address.cannot_be_opened(&error);
        let mut held = Held::connect(address, mode, None).await.map_err(failed)?;
        if mode.ends_with("unix-none") {
            let alone = held.connection.execute("PRAGMA locking_mode = EXCLUSIVE").await;
            alone.map_err(|error| failed(error.into()))?;
        }
        Ok(held)
    }

    async fn begin_reading(mut self) -> Result<Held, StoreError> {
        let held = &mut self;
        let (settings, begin) = match held.dialect {
            Dialect::Sqlite => ("PRAGMA busy_timeout = 5000; PRAGMA query_only = ON", "BEGIN"),
            // From the first row to the last, so that their order is that in which they were written.
            Dialect::Postgres => ("SET synchronize_seqscans = off", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
        };
        held.connection.execute(settings).await?;
        held.connection.execute(begin).await?;
        Ok(self)
    }

    /// Opens a store that nobody else may serve as long as this lives; makes the file of one that is not there.
    ///
    /// # Errors
    /// A sentence with the place: it is served, or cannot be opened.
    pub async fn alone(address: &Address) -> Result<Held, StoreError> {
        let failed = |error: StoreError| address.cannot_be_opened(&error);
        let claim = match address {
            Address::Sqlite(path) => Some(claim_file(path, "stop that one, and try again").map_err(failed)?),
            _ => None,
        };
        let mut held = Held::connect(address, "rwc", claim).await.map_err(failed)?;
        held.keep_bridges_away().await.map_err(failed)?;
        Ok(held)
    }

    async fn connect(address: &Address, mode: &str, claim: Option<Claim>) -> Result<Held, StoreError> {
        install_drivers();
        let (dialect, url) = match address {
            Address::Memory => {
                let problem =
                    "a store in memory is seen by its own process only, and ends with it: name a file or a database";
                return Err(StoreError(problem.to_string()));
            }
            Address::Sqlite(path) if !path.is_file() => {
                return Err(StoreError("there is no such file: name the store that serve keeps".to_string()));
            }
            Address::Sqlite(path) => (Dialect::Sqlite, url_of_file(path, mode)),
            Address::Postgres(url) => (Dialect::Postgres, with_name(url)),
        };
        Ok(Held { connection: AnyConnection::connect(&url).await?, dialect, claim })
    }

    async fn keep_bridges_away(&mut self) -> Result<(), StoreError> {
        match self.dialect {
            Dialect::Sqlite => {
                self.connection.execute("PRAGMA busy_timeout = 5000; PRAGMA synchronous = FULL").await?;
                Ok(())
            }
            Dialect::Postgres => {
                if lock_alone(&mut self.connection).await? {
                    return Ok(());
                }
                let problem = "a bridge serves it, or another migration or restore is at work: stop every process that has this store, and try again";
                Err(StoreError(problem.to_string()))
            }
        }
    }

    /// The version of a store, and its tables.
    ///
    /// # Errors
    /// A sentence: it is no store, or one of a newer program.
    pub async fn contents(&mut self) -> Result<(i64, Vec<Table>), StoreError> {
        if !has_table(&mut self.connection, self.dialect, "relay_store").await? {
            return Err(StoreError("it is not a store of alert-relay serve".to_string()));
        }
        match version(&mut self.connection).await? {
            (Some(found), known) if found > known => Err(StoreError(format!(
                "it has version {found}, and this program knows {known} at most: use the program that wrote it, or a newer one"
            ))),
            (Some(found), _) => Ok((found, tables(found).await?)),
            (None, _) => Err(StoreError("it is not a store of alert-relay serve".to_string())),
        }
    }

    /// Sees whether a bridge can serve it, without trying to.
    ///
    /// # Errors
    /// A sentence: why not.
    pub async fn see_that_it_can_be_served(&mut self) -> Result<(), StoreError> {
        if self.dialect == Dialect::Postgres {
            see_that_it_is_new_enough(&mut self.connection).await?;
        }
        if let Some(mark) = self.mark().await? {
            return Err(mark.refusal());
        }
        see_that_it_is_ours(&mut self.connection, self.dialect).await?;
        if has_table(&mut self.connection, self.dialect, "relay_store").await? {
            self.contents().await?;
        }
        Ok(())
    }

    /// What keeps a bridge from serving it.
    ///
    /// # Errors
    /// The database's.
    pub async fn mark(&mut self) -> Result<Option<Mark>, StoreError> {
        mark::find(&mut self.connection, self.dialect).await
    }

    /// Sets the mark, in the place of the one that it may have.
    ///
    /// # Errors
    /// The database's: it is marked as before then.
    pub async fn set_mark(&mut self, mark: &Mark) -> Result<(), StoreError> {
        self.begin().await?;
        mark::set(&mut self.connection, self.dialect, mark).await?;
        self.commit().await
    }

    /// Takes the mark away.
    ///
    /// # Errors
    /// The database's: it is marked as before then.
    pub async fn clear_mark(&mut self) -> Result<(), StoreError> {
        mark::clear(&mut self.connection, self.dialect).await
    }

    /// Takes the mark away if it is one of a store that is being filled.
    ///
    /// # Errors
    /// The database's: it is marked as before then.
    pub async fn clear_mark_of_filling(&mut self) -> Result<(), StoreError> {
        match self.mark().await? {
            Some(mark) if mark.kind.is_of_filling() => self.clear_mark().await,
            _ => Ok(()),
        }
    }

    /// Has what is not committed stand beside a file, as a bridge has it: a reader that comes after this process was killed need not take
    /// anything back.
    ///
    /// # Errors
    /// The database's.
    pub async fn keep_a_journal(&mut self) -> Result<(), StoreError> {
        if self.dialect == Dialect::Sqlite {
            self.connection.execute("PRAGMA journal_mode = WAL").await?;
        }
        Ok(())
    }

    /// Begins to fill a store: makes the tables of this version in the place of those that it may have, in a transaction that the caller
    /// ends.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin_filling(&mut self, version: i64) -> Result<(), StoreError> {
        self.begin().await?;
        if has_table(&mut self.connection, self.dialect, "relay_store").await? {
            let (_, tables) = self.contents().await?;
            for name in tables.iter().map(|table| table.name.as_str()).chain(["relay_store"]) {
                self.connection.execute(sqlx::AssertSqlSafe(format!("DROP TABLE {name}"))).await?;
            }
        }
        migrate_to(&mut self.connection, self.dialect, version).await
    }

    /// Sees whether nothing has come into a store yet.
    ///
    /// # Errors
    /// A sentence: what it holds.
    pub async fn see_that_it_is_empty(&mut self) -> Result<(), StoreError> {
        see_that_it_is_ours(&mut self.connection, self.dialect).await?;
        if !has_table(&mut self.connection, self.dialect, "relay_store").await? {
            return Ok(());
        }
        let (_, tables) = self.contents().await?;
        for table in &tables {
            let rows = count(&mut self.connection, table).await?;
            // What a bridge notes before anything comes in.
            if rows > 0 && !matches!(table.name.as_str(), "organizations" | "probes") {
                return Err(StoreError(format!(
                    "it is not empty ({} in the table {}): name a store that is not there yet, or delete this one first",
                    if rows == 1 { "1 row".to_string() } else { format!("{rows} rows") },
                    table.name
                )));
            }
        }
        Ok(())
    }

    /// As one side of a copy.
    pub fn side(&mut self) -> Side<'_> {
        Side { connection: &mut self.connection, dialect: self.dialect }
    }

    /// Lets nobody be taken for the holder of a job or of a notice any more.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_leases(&mut self) -> Result<(), StoreError> {
        self.connection.execute("UPDATE jobs SET lease_until = NULL WHERE lease_until IS NOT NULL").await?;
        let text = "UPDATE outbox SET lease_until = NULL WHERE state = 'waiting' AND lease_until IS NOT NULL";
        self.connection.execute(text).await?;
        Ok(())
    }

    async fn begin(&mut self) -> Result<(), StoreError> {
        let begin = if self.dialect == Dialect::Sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" };
        self.connection.execute(begin).await?;
        Ok(())
    }

    /// Ends a transaction, if there is one, as if it had not been.
    pub async fn roll_back(&mut self) {
        // Where there is none, that is what it says.
        let _ = self.connection.execute("ROLLBACK").await;
    }

    /// Ends a transaction.
    ///
    /// # Errors
    /// The database's: nothing of it is kept then.
    pub async fn commit(&mut self) -> Result<(), StoreError> {
        self.connection.execute("COMMIT").await?;
        Ok(())
    }

    /// Lets it go, and with it what was not committed.
    pub async fn close(self) {
        // Nothing waits for it.
        let _ = self.connection.close().await;
        if let Some(claim) = self.claim {
            claim.discard();
        }
    }

    /// By the database's clock, in Unix milliseconds.
    ///
    /// # Errors
    /// The database's.
    pub async fn now(&mut self) -> Result<i64, StoreError> {
        now(&mut self.connection, self.dialect).await
    }

    /// Whether SQLite finds every page and index of the file as it has to be.
    ///
    /// # Errors
    /// What is wrong.
    pub async fn check_pages(&mut self) -> Result<(), StoreError> {
        let row = sqlx::query("PRAGMA integrity_check(1)").fetch_one(&mut self.connection).await?;
        match row.try_get::<String, _>(0)? {
            said if said == "ok" => Ok(()),
            _ => Err(StoreError("the file is damaged".to_string())),
        }
    }
}
