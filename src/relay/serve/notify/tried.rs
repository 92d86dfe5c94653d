//! What came of one try to send a message.

use std::time::Duration;

/// What came of it, in words that are fit to be shown once they have been made safe.
#[derive(Debug, PartialEq, Eq)]
pub enum Tried {
    /// It arrived; `reference` is what changes the message later, where the target has such a thing.
    Sent { reference: Option<String> },
    /// It may come through later; where the target says when, then.
    Failed { reason: String, asked: Option<Duration> },
    /// It never will as it is.
    Refused { reason: String },
    /// The message that was to be changed cannot be any more.
    Gone { reason: String },
    /// The target has no place for it.
    Nowhere { reason: String },
}
