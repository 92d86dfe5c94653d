//! A store that is being filled. It is marked before anything comes into it, and the mark goes after everything has: whatever ends the
//! process in between, no bridge serves a store that is empty or has a part only, and running the command again fills it anew.

use std::path::PathBuf;

use super::super::Address;
use super::super::schema::migrate;
use super::super::trouble::StoreError;
use super::holding::Held;
use super::mark::{Mark, MarkKind};
use super::{Copied, discard, fill};

/// A store that no bridge serves until it is opened.
pub struct Filling {
    held: Held,
    address: Address,
    /// The file, where it was not there before.
    made: Option<PathBuf>,
    /// Whether it was marked already, by a process that was ended before all was there.
    was_marked: bool,
}

impl Filling {
    /// Marks a store as one that is being filled. It has to be empty, or to have such a mark of before; nobody may serve it.
    ///
    /// # Errors
    /// A sentence; the store is as before then.
    pub async fn begin(into: &Address, kind: MarkKind, from: String) -> Result<Filling, StoreError> {
        let made = match into {
            Address::Sqlite(path) if !path.exists() => Some(path.clone()),
            _ => None,
        };
        let held = Held::alone(into).await?;
        // Until it is seen that there is no mark, none is taken away.
        let mut filling = Filling { held, address: into.clone(), made, was_marked: true };
        match filling.mark(kind, from).await {
            Ok(()) => Ok(filling),
            Err(error) => Err(filling.give_up(error).await),
        }
    }

    /// Goes on with a store that a migration from this one has filled, but not opened; `None` where there is none.
    ///
    /// # Errors
    /// A sentence: it cannot be opened.
    pub async fn of_migration(into: &Address, from: &str) -> Result<Option<Filling>, StoreError> {
        if matches!(into, Address::Sqlite(path) if !path.is_file()) {
            return Ok(None);
        }
        let mut seen = Held::to_be_looked_at(into).await?;
        let mark = seen.mark().await;
        seen.close().await;
        match mark? {
            Some(mark) if mark.kind == MarkKind::Arriving && mark.detail == from => {
                let held = Held::alone(into).await?;
                Ok(Some(Filling { held, address: into.clone(), made: None, was_marked: true }))
            }
            _ => Ok(None),
        }
    }

    async fn mark(&mut self, kind: MarkKind, from: String) -> Result<(), StoreError> {
        let found = self.held.mark().await?;
        self.was_marked = found.is_some();
        match &found {
            Some(mark) if mark.may_be_filled_again(kind, &from) => {}
            Some(mark) if mark.kind.is_of_filling() => {
                return Err(StoreError(format!("{}. Or delete this one first", mark.refusal())));
            }
            Some(mark) => return Err(mark.refusal()),
            None => self.held.see_that_it_is_empty().await?,
        }
        let at = self.held.now().await?;
        self.held.set_mark(&Mark { kind, at, detail: from }).await?;
        // What is written from now on is seen by nobody before it is committed, also if this process is killed.
        self.held.keep_a_journal().await
    }

    /// Copies all of a store into it, and brings it to today's tables. It stays marked.
    ///
    /// # Errors
    /// A sentence: nothing of it is kept then.
    pub async fn fill(&mut self, source: &mut Held) -> Result<Copied, StoreError> {
        let copied = fill(source, &mut self.held).await?;
        migrate(&mut self.held.connection, self.held.dialect).await?;
        self.held.end_leases().await?;
        self.held.commit().await?;
        Ok(copied)
    }

    /// Lets bridges serve it.
    ///
    /// # Errors
    /// A sentence: it stays marked then.
    pub async fn open(mut self) -> Result<(), StoreError> {
        let opened = self.held.clear_mark().await;
        self.held.close().await;
        opened.map_err(|error| {
            StoreError(format!("the store {} is filled, but stays marked: {error}. Run this again", self.address))
        })
    }

    /// After an error: the store becomes what it was before it was marked. One that was marked before stays so. Answers with what to say.
    pub async fn give_up(mut self, error: StoreError) -> StoreError {
        self.held.roll_back().await;
        let cleared = match (&self.made, self.was_marked) {
            (None, false) => self.held.clear_mark_of_filling().await,
            _ => Ok(()),
        };
        self.held.close().await;
        if let Some(path) = &self.made {
            discard(path);
        }
        let failed = format!("the store {} cannot be filled: {error}", self.address);
        StoreError(match cleared {
            Ok(()) => failed,
            Err(_) => format!("{failed}. No bridge serves it until this is run again, and comes to its end"),
        })
    }
}
