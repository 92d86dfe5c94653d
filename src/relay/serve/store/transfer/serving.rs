//! Whether a bridge serves a store, seen from outside, and why none may.

use std::fs::{File, TryLockError};
use std::time::Duration;

use super::super::Address;
use super::super::place::lock_beside;
use super::super::trouble::StoreError;
use super::holding::Held;
use super::lock::lock_alone;

/// A database that does not answer within this time is not waited for.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Whether a bridge serves the store at this place, as a mark names it; `None` where that cannot be seen from here.
pub async fn is_served(place: &str) -> Option<bool> {
    match marked_address(place)? {
        Address::Memory => None,
        Address::Sqlite(path) if !path.exists() => Some(false),
        Address::Sqlite(path) => {
            let beside = lock_beside(&path.canonicalize().ok()?);
            match File::open(beside).map(|file| file.try_lock()) {
                Ok(Ok(())) => Some(false),
                Ok(Err(TryLockError::WouldBlock)) => Some(true),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(false),
                _ => None,
            }
        }
        address @ Address::Postgres(_) => {
            let opened = tokio::time::timeout(PATIENCE, Held::to_be_read(&address)).await;
            let mut held = opened.ok()?.ok()?;
            let is_free = lock_alone(&mut held.connection).await;
            held.close().await;
            is_free.ok().map(|is_free| !is_free)
        }
    }
}

/// The store at a place as a mark names it: without its password, which then comes from where that of the process does.
pub fn marked_address(place: &str) -> Option<Address> {
    place.replacen(":****@", "@", 1).parse().ok()
}

/// Sees whether a bridge can serve what is there. Leaves nothing behind. Answers with what to warn of: that a database cannot be reached
/// now, which may be otherwise when it is served.
///
/// # Errors
/// A sentence with the place: why no bridge serves it.
pub async fn may_be_served(address: &Address) -> Result<Option<StoreError>, StoreError> {
    let opened = match address {
        Address::Memory => return Ok(None),
        // It is to be made, or of another kind, which was looked at before.
        Address::Sqlite(path) if !path.is_file() => return Ok(None),
        Address::Sqlite(_) => Held::to_be_looked_at(address).await,
        Address::Postgres(_) => match tokio::time::timeout(PATIENCE, Held::to_be_read(address)).await {
            Ok(opened) => opened,
            Err(_) => Err(address.cannot_be_opened(&StoreError::unanswered(PATIENCE))),
        },
    };
    let mut held = match opened {
        Ok(held) => held,
        Err(error) if error.is_unreachable() => return Ok(Some(error)),
        Err(error) => return Err(error),
    };
    let looked = held.see_that_it_can_be_served().await;
    held.close().await;
    looked.map(|()| None).map_err(|error| address.cannot_be_opened(&error))
}
