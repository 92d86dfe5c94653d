//! One stream of one organization to read, and how far back. Pure.

use super::cursor::Bounds;
use super::organizations::Organization;
use super::state::StreamState;
use super::streams::Stream;
use crate::airbyte::StreamDescriptor;

/// One stream to read.
#[derive(Debug, Clone)]
pub struct Step {
    pub stream: &'static Stream,
    /// Whose records they are.
    pub organization: Organization,
    /// What the platform calls it.
    pub descriptor: StreamDescriptor,
    /// Whether everything is wanted, each item once, rather than what is new or has changed.
    pub is_full_refresh: bool,
    /// Whether a record without its key would end the sync at the platform.
    pub needs_key: bool,
    /// Whether records say which items of the list are gone.
    pub reports_deletions: bool,
    /// Where an earlier run stopped; without a mark for a read from the beginning.
    pub state: StreamState,
    /// Which records are wanted. The start date bounds sessions, and messages by their session.
    pub bounds: Bounds,
    /// How far before its mark a read asks again, in seconds.
    pub lookback: i64,
    /// This machine's clock when the read was planned, in Unix seconds.
    pub now: i64,
}

impl Step {
    /// From which `updated_at` on sessions are listed: from where an unfinished pass has come to, else from where all
    /// sessions have been listed, else from the mark; and a look-back before that.
    pub fn sessions_since(&self) -> Option<i64> {
        let state = &self.state;
        let unfinished = state.unfinished.and_then(|unfinished| unfinished.sessions_updated_at);
        let mark = unfinished.or(state.sessions_updated_at).or(state.cursor());
        mark.map(|mark| self.before(mark))
    }

    /// Whether its records are put together from several lists before they are written: what has no state, and may be in the list of
    /// more than one organization, too.
    pub fn is_merged(&self) -> bool {
        let is_shared = self.stream.may_be_shared() && self.stream.cursor.is_none();
        self.stream.is_merged() || self.organization.is_one_of_many && is_shared
    }

    /// What a message calls it: the stream, and whose it is where several organizations are read.
    pub fn name(&self) -> String {
        match self.organization.is_one_of_many && !self.stream.is_read_once() {
            true => format!("{} of {}", self.descriptor, self.organization.id),
            false => self.descriptor.to_string(),
        }
    }

    /// The same step from the beginning, whatever its state says.
    pub fn anew(&self) -> Step {
        let state = StreamState::new(self.state.scope.clone().unwrap_or_default());
        Step { state, bounds: Bounds { since: None, ..self.bounds }, ..self.clone() }
    }

    /// A look-back before a mark, but for a state that does not know what lies there.
    pub fn before(&self, mark: i64) -> i64 {
        if self.state.is_foreign { mark } else { mark.saturating_sub(self.lookback).max(mark.min(0)) }
    }
}
