//! Sessions that do not give their messages: is it their own trouble, or everybody's? Pure.
//!
//! One that refuses keeps no other session back: the stream goes on, fails at its end, and the session is remembered to be
//! asked for again. One that has gone since it was listed is skipped. But where nothing at all can be read, a few sessions
//! are enough to say so.

use super::context::End;
use crate::devin::{Error, Kind};

/// So many sessions in a row that do not exist, or that fail after all tries, and the trouble is not theirs alone.
const MOST_IN_A_ROW: usize = 20;

/// So many sessions that fail while none has answered, and the newest one is asked: the old ones may be out of reach.
const PROBE_AFTER: usize = 3;

/// So many sessions that cannot be read are named one by one.
const MOST_NAMED: usize = 20;

/// Why a session was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It does not exist any more.
    Gone,
    /// It does not give its messages.
    Stuck,
}

/// What has gone wrong so far.
#[derive(Default)]
pub struct Trouble {
    /// How many pages of messages have come, of any session.
    answered: usize,
    /// How many sessions could not be read, and how many of them since the last page of any session.
    stuck: usize,
    in_a_row: usize,
    last_stuck: Option<Error>,
    gone: usize,
    last_gone: Option<Error>,
    /// Sessions of which it is not certain yet that the trouble is theirs, by their places.
    unsettled: Vec<(usize, Fate)>,
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

    /// Notes that the session at this place could not be read, and answers whether it should be named.
    pub fn stuck(&mut self, place: usize, error: Error, is_newest: bool) -> bool {
        self.stuck += 1;
        self.in_a_row += 1;
        self.last_stuck = Some(error);
        self.is_newest_refused |= is_newest;
        self.unsettled.push((place, Fate::Stuck));
        self.stuck <= MOST_NAMED
    }

    /// Notes that the session at this place does not exist.
    pub fn gone(&mut self, place: usize, error: Error, is_newest: bool) {
        self.gone += 1;
        self.last_gone = Some(error);
        self.is_newest_refused |= is_newest;
        self.unsettled.push((place, Fate::Gone));
    }

    /// Whether to ask the newest session before its turn, because nothing has come from old ones.
    pub fn wants_probe(&self) -> bool {
        self.answered == 0 && self.stuck + self.gone >= PROBE_AFTER
    }

    /// The sessions whose trouble is known to be theirs alone, because others have been read; each once.
    pub fn settled(&mut self) -> Vec<(usize, Fate)> {
        if self.answered == 0 { Vec::new() } else { std::mem::take(&mut self.unsettled) }
    }

    /// Why it is pointless to ask the other sessions, of which `untried` of `all` have not been asked to the end; `None`
    /// when it is not.
    pub fn verdict(&self, untried: usize, all: usize) -> Option<End> {
        let is_everybodys = self.last_stuck.as_ref().is_some_and(|error| self.is_everybodys(error));
        let none_exists = self.answered == 0 && self.gone >= MOST_IN_A_ROW && self.is_newest_refused;
        if is_everybodys || none_exists { self.end(untried, all) } else { None }
    }

    /// What the stream fails with; `None` when nothing went wrong but that some sessions have gone.
    pub fn end(&self, untried: usize, all: usize) -> Option<End> {
        match (self.last_stuck.clone(), self.answered) {
            (Some(error), 0) => Some(End::Request(error)),
            (Some(error), _) => Some(End::Partial { error, stuck: self.stuck, untried, all }),
            (None, 0) => self.last_gone.clone().map(End::Gone),
            (None, _) => None,
        }
    }

    /// Whether this error would meet every other session as well.
    fn is_everybodys(&self, error: &Error) -> bool {
        match error.kind {
            Kind::Status(401) | Kind::Unaskable(_) => true,
            // So does a rate limit, unless it is for one session's own address.
            Kind::Status(429) | Kind::WaitTooLong { .. } => self.in_a_row >= PROBE_AFTER,
            _ if self.answered == 0 => self.stuck >= PROBE_AFTER && self.is_newest_refused,
            // Each one has taken all its tries. A plain refusal costs one request.
            _ => (error.kind.is_retryable() || error.kind.is_out_of_reach()) && self.in_a_row >= MOST_IN_A_ROW,
        }
    }
}
