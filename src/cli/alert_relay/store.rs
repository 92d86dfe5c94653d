//! The commands for a whole store: a backup of it, a store made of a backup, and a store that moves elsewhere.

use std::fs::{File, Metadata, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};

use super::bridge::{Nothing, Reach, shell};
use super::options::OutputChoice;
use super::{fail, output_format, presenter};
use crate::cli::{Exit, SUCCESS, runtime, usage};
use crate::output::Output;
use crate::relay::draw::drawn;
use crate::relay::error_report::{Code, ErrorReport};
use crate::relay::remote::words::moment;
use crate::relay::report::OutputFormat;
use crate::relay::serve::store::{self, Address, BackupError, Copied, StoreError};
use redact::MASK;

pub const BACKUP_HELP: &str = "\
Examples:
  source-devin-ai alert-relay backup relay.backup
  source-devin-ai alert-relay backup relay.backup --bridge https://relay.example.com --token-file admin.token
  source-devin-ai alert-relay backup relay.backup --store sqlite:relay.db

The file is readable to you only, and holds the bodies of deliveries with all that is secret in them.";

pub const RESTORE_HELP: &str = "\
Examples:
  source-devin-ai alert-relay restore relay.backup --store sqlite:relay.db
  source-devin-ai alert-relay restore relay.backup --store postgres://relay@localhost/relay

Alerts that came after the backup are not in it.";

pub const MIGRATE_HELP: &str = "\
Examples:
  source-devin-ai alert-relay migrate sqlite:relay.db postgres://relay@localhost/relay
  source-devin-ai alert-relay migrate --undo sqlite:relay.db

Stop the bridge first, and start it with the other store afterwards.";

/// What the bridge sends.
const SQLITE: &str = "application/vnd.sqlite3";

/// Older parts of a backup were left behind by a process that was killed.
const LEFT_BEHIND: Duration = Duration::from_secs(86_400);

#[derive(Debug, Args)]
pub struct Backup {
    /// The file to write
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Read this store, sqlite:FILE or postgres://HOST/DATABASE, instead of asking a bridge
    // Not parsed by clap, which would repeat a password in what it refuses.
    #[arg(long, value_name = "STORE", conflicts_with_all = ["bridge", "token_file", "ca_file"])]
    store: Option<String>,
    /// Replace the file if it is there, and is a backup
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, Args)]
pub struct Restore {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The store to make of it, sqlite:FILE or postgres://HOST/DATABASE: one that is not there yet, or is empty
    #[arg(long, value_name = "STORE")]
    store: String,
    /// What stdout gets [default: text on a terminal, else json]
    #[arg(long, value_name = "FORMAT")]
    output: Option<OutputChoice>,
}

#[derive(Debug, Args)]
pub struct Migrate {
    /// The store that is to move: sqlite:FILE or postgres://HOST/DATABASE
    #[arg(value_name = "STORE")]
    from: String,
    /// Where to: a store that is not there yet, or is empty
    #[arg(value_name = "NEW_STORE", required_unless_present = "undo")]
    into: Option<String>,
    /// Have a store that was moved be served again, without what has come to the new one since
    #[arg(long, conflicts_with = "into")]
    undo: bool,
    /// With --undo: also if the new store cannot be asked, because no bridge serves it or will
    #[arg(long, requires = "undo")]
    force: bool,
    /// What stdout gets [default: text on a terminal, else json]
    #[arg(long, value_name = "FORMAT")]
    output: Option<OutputChoice>,
}

/// Writes a backup: of a bridge that runs, or of a store.
pub fn back_up(options: &Backup, output: &Output) -> Exit {
    let file = options.file.display();
    let done = try_to_back_up(options, output).map(|copied| {
        let at = moment(copied.at);
        let bytes = options.file.metadata().map(|file| file.len()).unwrap_or_default();
        let line = format!("{file} has {} as of {at} ({bytes} bytes, store version {})", summary(&copied), copied.version);
        (vec![line], json!({"file": file.to_string(), "at": copied.at, "version": copied.version, "bytes": bytes, "rows": rows(&copied)}))
    });
    end(done, options.reach.output, output)
}

/// Makes a store of a backup.
pub fn restore(options: &Restore, output: &Output) -> Exit {
    let done = address("--store", &options.store).and_then(|into| {
        let copied = runtime().block_on(store::restore(&options.file, &into)).map_err(unusable)?;
        let at = moment(copied.at);
        let lines = vec![
            format!("{} as of {at} are in {into}", summary(&copied)),
            format!("alerts that came after {at} are not in it: have their senders deliver them again"),
            format!("a session that was created after {at} is looked for before another one is created"),
            goes_on(&into),
        ];
        Ok((
            lines,
            json!({"store": into.to_string(), "at": copied.at, "version": copied.version, "rows": rows(&copied)}),
        ))
    });
    end(done, options.output, output)
}

/// Moves a store, or has one that was moved be served again.
pub fn migrate(options: &Migrate, output: &Output) -> Exit {
    let done = address("STORE", &options.from).and_then(|from| match options.into.as_deref() {
        Some(into) => move_store(&from, &address("NEW_STORE", into)?),
        None => {
            let undone = runtime().block_on(store::undo_migration(&from, options.force)).map_err(unusable)?;
            let place = undone.moved_to;
            let how = match undone.is_unserved {
                true => "no bridge serves the other one from now on",
                false => "the other one could not be reached from here: make sure that no bridge serves it",
            };
            let warning = format!(
                "{how}, because two bridges would go on from the same jobs; what has come to it since is not in this one"
            );
            let lines = vec![
                format!("can be served again, as it was when it was moved: {from}"),
                format!("was moved to: {place}"),
                warning.clone(),
            ];
            Ok((lines, json!({"store": from.to_string(), "moved_to": place, "undone": true, "warning": warning})))
        }
    });
    end(done, options.output, output)
}

/// What is printed: lines for a person, or one object for a program.
type Told = (Vec<String>, Value);

fn move_store(from: &Address, into: &Address) -> Result<Told, Nothing> {
    let copied = runtime().block_on(store::migrate_store(from, into)).map_err(unusable)?;
    let lines = vec![
        format!("{} are in {into}", summary(&copied)),
        format!("stays as it is, and no bridge serves it any more: {from}"),
        goes_on(into),
    ];
    Ok((
        lines,
        json!({"store": into.to_string(), "moved_from": from.to_string(), "at": copied.at, "rows": rows(&copied)}),
    ))
}

/// How the bridge is started with a store.
fn goes_on(store: &Address) -> String {
    let shown = store.to_string();
    let hidden = if shown.contains(MASK) { " (with what is left out here as ****)" } else { "" };
    format!("serve goes on from there{hidden} with --store '{shown}'")
}

fn try_to_back_up(options: &Backup, output: &Output) -> Result<Copied, Nothing> {
    let file = &options.file;
    let is_there = || {
        let message = format!("{} is there already: name another file, or replace it with --force", file.display());
        unusable(StoreError(message))
    };
    let may_be_placed = || runtime().block_on(store::may_be_placed(file)).map_err(unusable);
    // First: of what --force does not replace either, it is not spoken.
    may_be_placed()?;
    if !options.force && file.exists() {
        return Err(is_there());
    }
    if !folder_of(file).is_dir() {
        let problem = format!("there is no folder {}", folder_of(file).display());
        return Err(Nothing::Failure(report(file, &problem)));
    }
    let mut part = file.clone().into_os_string();
    part.push(format!(".{}", drawn()));
    sweep(file);
    let part = Part(part.into());
    match &options.store {
        Some(from) => {
            let from = address("--store", from)?;
            runtime().block_on(store::back_up(&from, &part.0)).map_err(|error| match error {
                BackupError::Store(error) => unusable(error),
                BackupError::File(problem) => Nothing::Failure(report(file, &problem)),
            })?;
        }
        None => runtime().block_on(download(&options.reach, &part.0, file, output))?,
    }
    let copied = runtime().block_on(store::inspect(&part.0)).map_err(|error| {
        // Nobody has heard of the name that it has until it is whole.
        let problem = error.0.replace(&part.0.display().to_string(), &file.display().to_string());
        unusable(StoreError(problem))
    })?;
    // It may have taken minutes.
    may_be_placed()?;
    let placed = part.place(file, options.force);
    placed.map_err(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists { is_there() } else { unwritable(file, &error) }
    })?;
    Ok(copied)
}

/// Asks a bridge for a backup, and writes it as it comes, by another name until it is whole.
async fn download(reach: &Reach, into: &Path, file: &Path, output: &Output) -> Result<(), Nothing> {
    let shell = shell(reach, output)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut made = options.open(into).map_err(|error| unwritable(file, &error))?;
    let take = |part: &[u8]| made.write_all(part).map_err(|error| report(file, &error));
    shell.bridge.download("/api/v1/backup", SQLITE, take).await?;
    made.sync_all().map_err(|error| unwritable(file, &error))
}

/// A file that is not whole yet; gone with this, unless it is put in its place.
struct Part(PathBuf);

impl Part {
    /// Gives the file its name, as a whole.
    fn place(self, file: &Path, may_replace: bool) -> std::io::Result<()> {
        // A link replaces nothing; where there are none, somebody else's file may have come since this was looked at.
        match std::fs::hard_link(&self.0, file) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && !may_replace => return Err(error),
            Err(_) => std::fs::rename(&self.0, file)?,
        }
        let folder = folder_of(file);
        // Some systems cannot sync a folder; the file is there all the same.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The folder that a file is in, or is to be in.
fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Deletes the parts of this file that a process left behind which was killed.
fn sweep(file: &Path) {
    let Some(name) = file.file_name().and_then(|name| name.to_str()) else { return };
    let folder = folder_of(file);
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_old = |found: Metadata| {
            let age = found.modified().ok().and_then(|at| at.elapsed().ok());
            found.is_file() && age.is_some_and(|age| age > LEFT_BEHIND)
        };
        let is_part = entry.file_name().to_str().is_some_and(|found| is_part_of(name, found));
        if is_part && entry.metadata().is_ok_and(is_old) {
            // One that cannot be deleted is tried again next time.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Whether a file of this name is a part of that one: its name, sixteen digits, and what SQLite has beside a file.
fn is_part_of(name: &str, found: &str) -> bool {
    let Some(rest) = found.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')) else { return false };
    let Some((digits, end)) = rest.split_at_checked(drawn().len()) else { return false };
    let is_drawn = digits.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit));
    is_drawn && ["", "-journal", "-wal", "-shm", "-lock"].contains(&end)
}

fn address(name: &str, text: &str) -> Result<Address, Nothing> {
    text.parse().map_err(|problem| Nothing::Usage(format!("{name}: {problem}")))
}

fn unusable(error: StoreError) -> Nothing {
    Nothing::Failure(ErrorReport { code: Code::StoreUnusable, message: error.to_string() })
}

fn unwritable(file: &Path, error: &std::io::Error) -> Nothing {
    Nothing::Failure(report(file, error))
}

fn report(file: &Path, error: &impl std::fmt::Display) -> ErrorReport {
    ErrorReport { code: Code::StoreUnusable, message: format!("{} cannot be written: {error}", file.display()) }
}

fn rows(copied: &Copied) -> Map<String, Value> {
    copied.rows.iter().map(|(name, rows)| (name.clone(), Value::from(*rows))).collect()
}

fn summary(copied: &Copied) -> String {
    let of = |table: &str, one: &str, many: &str| match copied.rows_of(table) {
        1 => format!("1 {one}"),
        rows => format!("{rows} {many}"),
    };
    let (alerts, jobs) = (of("alerts", "alert", "alerts"), of("jobs", "job", "jobs"));
    format!("{alerts}, {jobs} and {}", of("deliveries", "delivery", "deliveries"))
}

/// Prints what has come of it.
fn end(done: Result<Told, Nothing>, choice: Option<OutputChoice>, output: &Output) -> Exit {
    match done {
        Ok((lines, object)) => {
            // Addresses come without passwords, and are to be used again: what looks like a secret in one is none.
            match output_format(choice, output) {
                OutputFormat::Text => {
                    lines.iter().for_each(|line| output.line_as_it_is(&line.replace(char::is_control, " ")));
                }
                OutputFormat::Json => output.line_as_it_is(&object.to_string()),
            }
            SUCCESS
        }
        Err(Nothing::Usage(problem)) => usage(output, &problem),
        Err(Nothing::Failure(ErrorReport { code, message })) => fail(&presenter(choice, output, false), code, &message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_were_left_behind_are_swept_and_no_other_file() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let part = format!("relay.backup.{}", drawn());
        let old = [part.clone(), format!("{part}-lock"), format!("{part}-journal")];
        let others = ["relay.backup", "relay.backup.old", "relay.backup.0123456789abcdef0", "other.0123456789abcdef"];
        for name in old.iter().map(String::as_str).chain(others) {
            let file = File::create(at(name)).unwrap();
            file.set_modified(std::time::SystemTime::now() - 2 * LEFT_BEHIND).unwrap();
        }
        let new = format!("relay.backup.{}", drawn());
        File::create(at(&new)).unwrap();
        sweep(&at("relay.backup"));
        assert!(old.iter().all(|name| !at(name).exists()));
        assert!(others.into_iter().chain([new.as_str()]).all(|name| at(name).exists()));
    }
}
