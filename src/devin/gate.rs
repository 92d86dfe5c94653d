//! The door every request waits at: one pool and one pause for the whole run.
//!
//! The rules are [`Pace`]'s; this file only adds the waiting.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::pace::{Pace, Start};

/// Lets a bounded number of requests through, and nobody while the API asks for a pause.
#[derive(Debug)]
pub struct Gate {
    pace: Mutex<Pace>,
    ended: Notify,
    successes: AtomicU64,
}

/// The right to have one request under way; given back when dropped.
pub struct Pass<'a>(&'a Gate);

impl Gate {
    /// At most `most` requests at once.
    pub fn new(most: usize) -> Gate {
        Gate { pace: Mutex::new(Pace::new(most)), ended: Notify::new(), successes: AtomicU64::new(0) }
    }

    /// Waits until a request may start; before fresh ones, when it is made again.
    pub async fn enter(&self, again: bool) -> Pass<'_> {
        let _turn = again.then(|| Turn::take(self));
        loop {
            let ended = self.ended.notified();
            let start = self.pace().start(Instant::now().into_std(), again);
            match start {
                Start::Now => return Pass(self),
                Start::At(moment) => tokio::time::sleep_until(moment.into()).await,
                Start::WhenOneEnds => ended.await,
            }
        }
    }

    /// Tells of an answer with 429: everybody waits.
    pub fn rate_limited(&self, wait: Duration) {
        self.pace().rate_limited(Instant::now().into_std(), wait);
    }

    /// How many requests have succeeded so far.
    pub fn successes(&self) -> u64 {
        self.successes.load(Ordering::Relaxed)
    }

    /// Tells of a success, which opens the pool again little by little.
    pub fn succeeded(&self) {
        self.successes.fetch_add(1, Ordering::Relaxed);
        self.pace().succeeded();
        self.ended.notify_waiters();
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place before the fresh requests, given back when it is used or given up.
struct Turn<'a>(&'a Gate);

impl Turn<'_> {
    fn take(gate: &Gate) -> Turn<'_> {
        gate.pace().wait_again(true);
        Turn(gate)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.pace().wait_again(false);
        self.0.ended.notify_waiters();
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.0.pace().end();
        // Everybody looks again: one that is woken alone may be about to give up, or to wait for a pause.
        self.0.ended.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_given_up_takes_nobodys_turn() {
        let gate = Arc::new(Gate::new(2));
        let first = gate.enter(false).await;
        let second = gate.enter(false).await;
        let waiting = |gate: &Arc<Gate>| {
            let gate = Arc::clone(gate);
            tokio::spawn(async move { drop(gate.enter(false).await) })
        };
        let given_up = [waiting(&gate), waiting(&gate)];
        let patient = waiting(&gate);
        tokio::task::yield_now().await;
        gate.rate_limited(Duration::from_secs(1));
        drop(first);
        drop(second);
        // Those that were woken now wait for the pause to pass, and are given up there.
        tokio::task::yield_now().await;
        given_up.iter().for_each(tokio::task::JoinHandle::abort);
        tokio::time::timeout(Duration::from_secs(5), patient).await.expect("the patient one gets through").unwrap();
    }
}
