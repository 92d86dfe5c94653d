//! Sessions that do not give their messages: is it their own trouble, or everybody's? Pure.
//!
//! One that refuses keeps no other session back: the stream goes on, and fails at its end. One that has gone since it was
//! listed is skipped. But where nothing at all can be read, a few sessions are enough to say so.

use super::context::End;
use crate::devin::{Error, Kind};

/// So many sessions in a row that do not exist, or that fail after all tries, and the trouble is not theirs alone.
const MOST_IN_A_ROW: usize = 20;

/// So many sessions that fail while none has answered, and the newest one is asked: the old ones may be out of reach.
const PROBE_AFTER: usize = 3;

/// So many sessions that cannot be read are named one by one.
const MOST_NAMED: usize = 20;

/// What has gone wrong so far.
#[derive(Default)]
pub struct Trouble {
    /// How many pages of messages have come, of any session.
    answered: usize,
    /// How many sessions could not be read, and how many of them since the last page of any session.
    stuck: usize,
    in_a_row: usize,
    last: Option<Error>,
    gone: Vec<(usize, Error)>,
    is_newest_refused: bool,
}

impl Trouble {
    /// Learns how many pages have come by now.
    pub fn heard(&mut self, answered: usize) {
        if answered > self.answered {
            self.in_a_row = 0;
            self.answered = answered;
        }
    }

    /// Notes a session that could not be read, and answers whether it should be named.
    pub fn stuck(&mut self, error: &Error, is_newest: bool) -> bool {
        self.stuck += 1;
        self.in_a_row += 1;
        self.is_newest_refused |= is_newest;
        self.last = Some(error.clone());
        self.stuck <= MOST_NAMED
    }

    /// Notes that the session at this place does not exist.
    pub fn gone(&mut self, place: usize, error: Error, is_newest: bool) {
        self.is_newest_refused |= is_newest;
        self.gone.push((place, error));
    }

    /// Whether to ask the newest session before its turn, because nothing has come from old ones.
    pub fn wants_probe(&self) -> bool {
        self.answered == 0 && self.stuck + self.gone.len() >= PROBE_AFTER
    }

    /// The places of the gone sessions that may be skipped by now.
    pub fn skippable(&mut self) -> Vec<usize> {
        if self.answered == 0 {
            return Vec::new();
        }
        self.gone.drain(..).map(|(place, _)| place).collect()
    }

    /// Why it is pointless to ask the other sessions, of which `left` of `all` are unread; `None` when it is not.
    pub fn verdict(&self, left: usize, all: usize) -> Option<End> {
        if self.last.as_ref().is_some_and(|error| self.is_everybodys(error)) {
            return self.end(left, all);
        }
        let none_exists = self.answered == 0 && self.gone.len() >= MOST_IN_A_ROW && self.is_newest_refused;
        none_exists.then(|| self.end(left, all)).flatten()
    }

    /// What the stream fails with when `left` of `all` sessions are unread; `None` when nothing went wrong.
    pub fn end(&self, left: usize, all: usize) -> Option<End> {
        let Some(error) = self.last.clone() else {
            let (_, error) = self.gone.last()?;
            return Some(End::Gone(error.clone()));
        };
        if self.answered == 0 {
            return Some(End::Request(error));
        }
        Some(End::Partial { error, stuck: self.stuck, untried: left.saturating_sub(self.stuck), all })
    }

    /// Whether this error would meet every other session as well.
    fn is_everybodys(&self, error: &Error) -> bool {
        match error.kind {
            Kind::Status(401 | 429) | Kind::WaitTooLong { .. } | Kind::Unaskable(_) => true,
            _ if self.answered == 0 => self.stuck >= PROBE_AFTER && self.is_newest_refused,
            // Each one has taken all its tries. A plain refusal costs one request.
            _ => (error.kind.is_retryable() || error.kind.is_out_of_reach()) && self.in_a_row >= MOST_IN_A_ROW,
        }
    }
}
