//! The polls of one integration that have not been made yet: whoever wants to know a session waits here for its answer.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use crate::devin::client::now_s;
use crate::devin::session::Session;
use crate::devin::{Error, Kind};

/// So many sessions are asked for at once: more have not been seen to work.
pub const TOGETHER: usize = 50;

/// How long a poll waits for as many others to go with it.
const GATHERING: Duration = Duration::from_millis(200);

/// What waits to be asked, and what is known of the asking.
#[derive(Default)]
pub struct Polls {
    waiting: Mutex<Vec<Poll>>,
    wake: Notify,
    /// Told when there are enough for a list.
    full: Notify,
    /// Whether the API has answered with sessions that nobody asked for: then it knows no such filter.
    is_alone: AtomicBool,
    /// When a session was last seen, in Unix milliseconds; 0 before the first.
    last_at: AtomicI64,
}

/// One that waits.
pub struct Poll {
    pub session_id: String,
    answer: oneshot::Sender<Result<Session, Error>>,
}

impl Polls {
    /// One session as it is now.
    ///
    /// # Errors
    /// The request's.
    pub async fn poll(&self, session_id: &str) -> Result<Session, Error> {
        let (answer, answered) = oneshot::channel();
        let poll = Poll { session_id: session_id.to_string(), answer };
        if self.put(poll) == TOGETHER {
            self.full.notify_one();
        }
        self.wake.notify_one();
        answered.await.unwrap_or_else(|_| Err(given_up()))
    }

    /// When a session was last seen, in Unix milliseconds; `None` before the first.
    pub fn last_at(&self) -> Option<i64> {
        Some(self.last_at.load(Ordering::Relaxed)).filter(|at| *at > 0)
    }

    /// How many wait then.
    fn put(&self, poll: Poll) -> usize {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(poll);
        waiting.len()
    }

    /// Waits until there is something to ask, and a moment more for others; at most [`TOGETHER`] go into one list.
    pub async fn next(&self) -> Vec<Vec<Poll>> {
        self.wake.notified().await;
        // A late word of those that are gone already only makes this list shorter.
        let _ = tokio::time::timeout(GATHERING, self.full.notified()).await;
        let mut waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let mut lists = Vec::new();
        while !waiting.is_empty() {
            let rest = waiting.split_off(waiting.len().min(TOGETHER));
            lists.push(std::mem::replace(&mut waiting, rest));
        }
        lists
    }

    /// Answers one poll.
    pub fn answer(&self, poll: Poll, result: Result<Session, Error>) {
        if result.is_ok() {
            self.last_at.store(now_s() * 1000, Ordering::Relaxed);
        }
        // Whoever asked may have been told to stop.
        let _ = poll.answer.send(result);
    }

    /// Whether lists by identifiers are of no use here.
    pub fn is_alone(&self) -> bool {
        self.is_alone.load(Ordering::Relaxed)
    }

    /// Notes that lists by identifiers are of no use here.
    pub fn leave_alone(&self) {
        self.is_alone.store(true, Ordering::Relaxed);
    }
}

fn given_up() -> Error {
    let kind = Kind::Broken("the poll was given up".to_string());
    Error { kind, path: "the poll".to_string(), explanation: None, tries: 1 }
}
