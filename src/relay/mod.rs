//! The alert relay: an alert comes in, a Devin session is created once, watched to its end, and its outcome reported.

pub mod alert;
pub mod dispatch;
pub mod inbound;
pub mod once;
pub mod organisation;
pub mod outcome;
pub mod prompt;
pub mod report;
pub mod text;
pub mod trouble;
pub mod watch;
