//! How many connections there may be, and which one makes room for the next: the one that has been idle longest. A
//! connection is idle unless a whole request of it is being answered. Knows no bytes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

/// How soon, while no connection has made room, the next one is asked to.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// The places for connections.
pub struct Places {
    free: Arc<Semaphore>,
    taken: Vec<Weak<Place>>,
}

/// A connection's place, free again when it is dropped.
pub struct Place {
    state: Mutex<State>,
    wanted: Notify,
    _permit: OwnedSemaphorePermit,
}

/// A request is being answered as long as this lives.
pub struct Work<'p>(&'p Place);

struct State {
    is_at_work: bool,
    is_wanted: bool,
    /// When it was taken, or a request began or was answered.
    since: Instant,
}

impl Places {
    /// So many places.
    pub fn new(most: usize) -> Places {
        Places { free: Arc::new(Semaphore::new(most)), taken: Vec::new() }
    }

    /// Takes a place; where none is free, that of the connection that has been idle longest.
    pub async fn take(&mut self) -> Arc<Place> {
        let permit = loop {
            if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
                break permit;
            }
            self.make_room();
            // It is never closed.
            if let Ok(Ok(permit)) = timeout(ASK_AGAIN, Arc::clone(&self.free).acquire_owned()).await {
                break permit;
            }
        };
        let state = State { is_at_work: false, is_wanted: false, since: Instant::now() };
        let place = Arc::new(Place { state: Mutex::new(state), wanted: Notify::new(), _permit: permit });
        self.taken.retain(|place| place.strong_count() > 0);
        self.taken.push(Arc::downgrade(&place));
        place
    }

    fn make_room(&self) {
        let living = self.taken.iter().filter_map(Weak::upgrade);
        let idle = living.filter(|place| {
            let state = place.state();
            !state.is_at_work && !state.is_wanted
        });
        if let Some(place) = idle.min_by_key(|place| place.state().since) {
            place.state().is_wanted = true;
            place.wanted.notify_one();
        }
    }
}

impl Place {
    /// A request has begun to come.
    pub fn begin(&self) {
        self.state().since = Instant::now();
    }

    /// A request has come whole; its connection makes no room before it is answered.
    pub fn work(&self) -> Work<'_> {
        self.state().is_at_work = true;
        Work(self)
    }

    /// Waits until another connection needs the place.
    pub async fn is_wanted(&self) {
        self.wanted.notified().await;
    }

    /// Whether a request is being answered.
    pub fn is_at_work(&self) -> bool {
        self.state().is_at_work
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.is_at_work = false;
        state.since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_connection_that_has_been_idle_longest_makes_room() {
        let mut places = Places::new(3);
        let mut taken = Vec::new();
        for _ in 0..3 {
            taken.push(places.take().await);
            tokio::time::advance(ASK_AGAIN).await;
        }
        let idle = taken.remove(2);
        let work = taken[0].work();
        taken[1].begin();
        let gives_way = async {
            idle.is_wanted().await;
            drop(idle);
        };
        let both = async { tokio::join!(places.take(), gives_way) };
        let (next, ()) = timeout(ASK_AGAIN * 9, both).await.expect("it is asked to make room");
        assert!(taken[0].is_at_work() && !next.is_at_work());
        drop(work);
        assert!(!taken[0].is_at_work(), "it may be asked next");
    }
}
