//! How far a job has come, and how it ended. Pure.

use serde::{Deserialize, Serialize};

use super::creating::Reconciling;
use super::{Millis, Watching};
use crate::relay::outcome::OutcomeKind;

/// How far a job has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Received,
    /// Looks for prior sessions.
    Finding {
        by: FindBy,
    },
    /// A create is under way, or waits until then for a limit to pass.
    Creating {
        waits_until: Option<Millis>,
    },
    /// Looks for the session that an unclear create may have made.
    Reconciling(Reconciling),
    Watching(Box<Watching>),
    Settled(End),
}

/// By what sessions are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindBy {
    Tag,
    Title,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    Outcome(OutcomeKind),
    /// There is a session, which is left alone.
    Detached {
        session_id: String,
        session_url: Option<String>,
        /// Whether it has ended.
        #[serde(default)]
        is_over: bool,
    },
    /// An error, which was reported; the session that goes on, if there is one.
    Failed {
        session_id: Option<String>,
    },
    /// Asked to stop; the session that goes on, if there is one.
    Stopped {
        session_id: Option<String>,
    },
}
