//! How many bytes of answers a run may hold at once. Knows no HTTP and no list.
//!
//! A request gets a [`Share`] before it goes out, as large as answers have been of late, and its page keeps it until its
//! records are on their way. Whoever waits for a share holds nothing and has no request under way, and whoever holds one
//! waits for no other: so everybody comes to an end, however slow the reader is, and no server is kept waiting. An answer
//! that turns out larger than its share takes more where there is any. Otherwise it is let go, and asked for again with a
//! share that is large enough.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many units there are: 64 MiB.
const ALL: u32 = 64 << 10;

const UNIT: usize = 1 << 10;

/// What an answer is taken for as long as none has come, in units.
const AT_FIRST: u32 = 512;

/// What all answers of a run share.
#[derive(Debug)]
pub struct Memory {
    units: Arc<Semaphore>,
    /// How large answers have been of late.
    usual: AtomicU32,
}

/// An answer's part of the [`Memory`], given back when dropped.
#[derive(Debug)]
pub struct Share {
    permit: OwnedSemaphorePermit,
    /// What it should have been, once it has turned out to be too small.
    needed: u32,
}

impl Memory {
    /// Waits for a share of the usual size.
    pub async fn share(&self) -> Share {
        self.take(self.usual.load(Ordering::Relaxed)).await
    }

    /// Waits for a larger share in place of one that was too small. That one is given back first.
    pub async fn larger(&self, small: Share) -> Share {
        let needed = small.needed.max(self.usual.load(Ordering::Relaxed));
        drop(small);
        self.take(needed).await
    }

    /// Gives back what an answer of so many bytes does not need of its share, and learns its size.
    pub fn settle(&self, share: &mut Share, bytes: usize) {
        let size = units_of(bytes);
        // Follows larger answers at once, smaller ones little by little.
        let usual = self.usual.load(Ordering::Relaxed);
        self.usual.store(size.max(usual - usual.saturating_sub(size) / 8), Ordering::Relaxed);
        let surplus = share.permit.num_permits().saturating_sub(size as usize);
        drop(share.permit.split(surplus));
    }

    async fn take(&self, units: u32) -> Share {
        let permit = Arc::clone(&self.units).acquire_many_owned(units).await;
        Share { permit: permit.expect("the semaphore is never closed"), needed: units }
    }
}

impl Share {
    /// Whether an answer of so many bytes may be held: takes what is missing, if that is there at once. Who has all that
    /// there is may hold anything.
    pub fn holds(&mut self, bytes: usize) -> bool {
        let (held, size) = (self.permit.num_permits(), units_of(bytes));
        let missing = size.saturating_sub(u32::try_from(held).unwrap_or(ALL));
        if missing == 0 {
            return true;
        }
        match Arc::clone(self.permit.semaphore()).try_acquire_many_owned(missing) {
            Ok(more) => {
                self.permit.merge(more);
                true
            }
            Err(_) => {
                self.needed = size;
                false
            }
        }
    }
}

impl Default for Memory {
    fn default() -> Memory {
        Memory { units: Arc::new(Semaphore::new(ALL as usize)), usual: AtomicU32::new(AT_FIRST) }
    }
}

/// The share of an answer of so many bytes: the text as it came, and the lines that are made of it.
fn units_of(bytes: usize) -> u32 {
    u32::try_from(bytes.saturating_mul(2).div_ceil(UNIT)).unwrap_or(ALL).min(ALL)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const MIB: usize = 1 << 20;

    #[tokio::test(start_paused = true)]
    async fn a_share_grows_while_there_is_something_left_and_is_exchanged_otherwise() {
        let memory = Memory::default();
        let (mut first, mut second) = (memory.share().await, memory.share().await);
        assert!(first.holds(20 * MIB));
        assert!(!second.holds(20 * MIB), "two of them are 80 MiB");
        let waiting = memory.larger(second);
        tokio::pin!(waiting);
        assert!(timeout(Duration::from_secs(1), &mut waiting).await.is_err(), "it is not there yet");
        drop(first);
        assert!(waiting.await.holds(20 * MIB));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_larger_than_everything_goes_alone() {
        let memory = Memory::default();
        let mut large = memory.share().await;
        assert!(large.holds(1000 * MIB));
        assert!(timeout(Duration::from_secs(1), memory.share()).await.is_err());
        memory.settle(&mut large, MIB);
        drop(memory.share().await);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_asked_for_follows_what_has_come() {
        let memory = Memory::default();
        for (bytes, usual) in [(0, 448), (10 * MIB, 20 << 10), (0, 17_920)] {
            memory.settle(&mut memory.share().await, bytes);
            assert_eq!(memory.usual.load(Ordering::Relaxed), usual);
        }
    }
}
