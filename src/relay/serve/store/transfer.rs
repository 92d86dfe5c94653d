//! A whole store, copied: into a file (a backup), out of one (a restore), and into another store (a migration). What is read is of one
//! moment, what is written is there as a whole or is served by nobody, and every table has as many rows afterwards as before.

mod filling;
pub(super) mod holding;
pub(super) mod lock;
pub(super) mod mark;
mod moving;
mod placing;
pub(super) mod rows;
mod serving;
mod tables;

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::path::Path;

use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Value};

use super::trouble::StoreError;
use super::{Address, Store};
use filling::Filling;
use holding::Held;
use mark::{Mark, MarkKind};
pub use moving::{Undone, migrate_store, undo_migration};
pub use placing::may_be_placed;
pub use serving::may_be_served;

/// Where a backup has the checksums of its tables, beside how many rows each has. No table is called so.
const DIGESTS: &str = "sha256";

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The version of its tables.
    pub version: i64,
    /// Of which moment it is, in Unix milliseconds.
    pub at: i64,
    /// How many rows each table has.
    pub rows: Vec<(String, i64)>,
    /// The checksum of each table; none where it was not read.
    digests: Vec<(String, String)>,
}

impl Copied {
    /// How many rows a table has.
    pub fn rows_of(&self, table: &str) -> i64 {
        self.rows.iter().find(|(name, _)| name == table).map_or(0, |(_, rows)| *rows)
    }
}

impl Store {
    /// Writes all that is kept now into a new file, while deliveries go on.
    ///
    /// # Errors
    /// As [`back_up`].
    pub async fn back_up(&self, file: &Path) -> Result<Copied, BackupError> {
        back_up(&self.address, file).await
    }

    /// Whether it is gone with this process.
    pub fn is_in_memory(&self) -> bool {
        self.address == Address::Memory
    }

    /// Where a backup can be made before it is sent.
    pub fn folder_beside(&self) -> std::path::PathBuf {
        let beside = match &self.address {
            Address::Sqlite(path) => path.parent().map(Path::to_path_buf),
            _ => Some(std::env::temp_dir()),
        };
        beside.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| ".".into())
    }
}

/// Why there is no backup: a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackupError {
    /// The store cannot be read.
    Store(StoreError),
    /// The file cannot be written; without its name, which may be one that nobody has heard of.
    File(String),
}

/// Writes all that a store holds now into a new file, readable to its owner only. A bridge may serve it meanwhile.
///
/// # Errors
/// A sentence; the file is gone then.
pub async fn back_up(from: &Address, file: &Path) -> Result<Copied, BackupError> {
    let mut source = Held::to_be_read(from).await.map_err(BackupError::Store)?;
    // Of a store that was moved, the jobs go on elsewhere.
    if let Some(mark) = source.mark().await.map_err(BackupError::Store)? {
        source.close().await;
        return Err(BackupError::Store(from.cannot_be_opened(&mark.refusal())));
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let unwritable = |error: std::io::Error| BackupError::File(error.to_string());
    let made = options.open(file).map_err(unwritable)?;
    let written = write_backup(&mut source, file).await;
    source.close().await;
    let written = written.map_err(|error| match is_of_disk(&error) {
        true => BackupError::File(error.to_string()),
        false => BackupError::Store(StoreError(format!("{from} cannot be backed up: {error}"))),
    });
    let synced = written.and_then(|copied| made.sync_all().map(|()| copied).map_err(unwritable));
    if synced.is_err() {
        discard(file);
    }
    synced
}

/// Whether SQLite could not write any more: a full disk, or one that fails.
fn is_of_disk(error: &StoreError) -> bool {
    error.0.contains("disk is full") || error.0.contains("disk I/O error")
}

async fn write_backup(source: &mut Held, file: &Path) -> Result<Copied, StoreError> {
    let into = Address::Sqlite(file.to_path_buf());
    let mut target = Held::alone(&into).await?;
    let copied = fill(source, &mut target).await;
    let copied = match copied {
        Ok(copied) => seal(&mut target, &copied).await.map(|()| copied),
        Err(error) => Err(error),
    };
    target.close().await;
    copied
}

/// Says in the file that it is a backup, and what belongs into it.
async fn seal(target: &mut Held, copied: &Copied) -> Result<(), StoreError> {
    let mut told: Map<String, Value> =
        copied.rows.iter().map(|(name, rows)| (name.clone(), Value::from(*rows))).collect();
    let digests = copied.digests.iter().map(|(name, digest)| (name.clone(), Value::from(digest.as_str())));
    told.insert(DIGESTS.to_string(), Value::Object(digests.collect()));
    let mark = Mark { kind: MarkKind::Backup, at: copied.at, detail: Value::Object(told).to_string() };
    mark::set(&mut target.connection, target.dialect, &mark).await?;
    target.commit().await
}

/// What a file holds that is a backup, after looking whether it is whole.
///
/// # Errors
/// A sentence: what is wrong with it.
pub async fn inspect(file: &Path) -> Result<Copied, StoreError> {
    has_the_form(file).map_err(|error| of_backup(file, &error))?;
    let mut held =
        Held::to_be_read(&Address::Sqlite(file.to_path_buf())).await.map_err(|error| of_backup(file, &error))?;
    let found = look_into(&mut held).await;
    held.close().await;
    found.map_err(|error| of_backup(file, &without_driver(error)))
}

/// Whether a file begins as a database does.
fn has_the_form(file: &Path) -> Result<(), StoreError> {
    const BEGINNING: &[u8] = b"SQLite format 3\0";
    if !file.exists() {
        return Err(StoreError("there is no such file".to_string()));
    }
    if !file.is_file() {
        return Err(StoreError("it is no regular file".to_string()));
    }
    let mut beginning = Vec::new();
    let read = File::open(file).and_then(|file| file.take(BEGINNING.len() as u64).read_to_end(&mut beginning));
    read.map_err(|error| StoreError(error.to_string()))?;
    if beginning != BEGINNING {
        return Err(StoreError("it is another kind of file".to_string()));
    }
    Ok(())
}

/// What a driver says of a page or a text that it cannot read is of no use.
fn without_driver(error: StoreError) -> StoreError {
    if error.0.contains("returned from database") || error.0.contains("while decoding") {
        return StoreError("the file is damaged".to_string());
    }
    error
}

async fn look_into(held: &mut Held) -> Result<Copied, StoreError> {
    held.check_pages().await?;
    let (version, tables) = held.contents().await?;
    let mark = held.mark().await?.filter(|mark| mark.kind == MarkKind::Backup);
    let mark = mark.ok_or_else(|| StoreError("it is no backup, but a store".to_string()))?;
    let told: Map<String, Value> = serde_json::from_str(&mark.detail)?;
    let mut found = Copied { version, at: mark.at, rows: Vec::new(), digests: Vec::new() };
    for table in &tables {
        found.add(table.name.clone(), rows::sum(&mut held.side(), table).await?);
    }
    found.check(&told).map(|()| found)
}

impl Copied {
    fn add(&mut self, table: String, sum: rows::Sum) {
        self.rows.push((table.clone(), sum.rows));
        self.digests.push((table, sum.digest));
    }

    /// Compares it with what a backup says of itself.
    fn check(&self, told: &Map<String, Value>) -> Result<(), StoreError> {
        for (table, rows) in &self.rows {
            if told.get(table).and_then(Value::as_i64) != Some(*rows) {
                return Err(StoreError(format!("the table {table} does not have the rows that it should have")));
            }
        }
        // One of an earlier build has none.
        let Some(digests) = told.get(DIGESTS) else { return Ok(()) };
        for (table, digest) in &self.digests {
            if digests[table].as_str() != Some(digest) {
                return Err(StoreError(format!(
                    "the table {table} does not hold what was written: its checksum is another. Restore another backup"
                )));
            }
        }
        Ok(())
    }
}

/// Makes a store of a backup, and brings it to today's tables. The store has to be empty, or one that a restore was to fill which was
/// broken off, and nobody may serve it.
///
/// # Errors
/// A sentence; the store is as before then.
pub async fn restore(file: &Path, into: &Address) -> Result<Copied, StoreError> {
    let told = inspect(file).await?;
    let mut source =
        Held::to_be_read(&Address::Sqlite(file.to_path_buf())).await.map_err(|error| of_backup(file, &error))?;
    let from = std::path::absolute(file).unwrap_or_else(|_| file.to_path_buf()).display().to_string();
    let copied = restore_from(&mut source, into, from).await;
    source.close().await;
    Ok(Copied { at: told.at, ..copied? })
}

async fn restore_from(source: &mut Held, into: &Address, from: String) -> Result<Copied, StoreError> {
    let mut filling = Filling::begin(into, MarkKind::Restoring, from).await?;
    match filling.fill(source).await {
        Ok(copied) => filling.open().await.map(|()| copied),
        Err(error) => Err(filling.give_up(error).await),
    }
}

/// Copies every table in a transaction of the target, which is left open.
async fn fill(source: &mut Held, target: &mut Held) -> Result<Copied, StoreError> {
    // What was committed by then is in it.
    let at = source.now().await?;
    let (version, tables) = source.contents().await?;
    target.begin_filling(version).await?;
    let mut all = Copied { version, at, rows: Vec::new(), digests: Vec::new() };
    for table in &tables {
        let copied = rows::copy(&mut source.side(), &mut target.side(), table).await?;
        let (there, here) =
            (rows::count(&mut source.connection, table).await?, rows::count(&mut target.connection, table).await?);
        if [there, here] != [copied.rows; 2] {
            return Err(StoreError(format!(
                "the table {} has {there} rows, and {here} arrived: nothing is kept of it",
                table.name
            )));
        }
        all.add(table.name.clone(), copied);
    }
    Ok(all)
}

fn of_backup(file: &Path, error: &StoreError) -> StoreError {
    StoreError(format!("{} is no backup that can be used: {error}", file.display()))
}

/// A moment as people and programs read it.
fn told_at(at: i64) -> String {
    DateTime::from_timestamp_millis(at).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Deletes a file that is of no use.
fn discard(file: &Path) {
    for end in ["", "-journal", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(end);
        // Most are not there.
        let _ = std::fs::remove_file(name);
    }
}
