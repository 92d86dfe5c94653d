//! The alert relay: an alert comes in, a Devin session is created once, watched to its end, and its outcome reported.

pub mod dispatch;
pub mod outcome;
pub mod watch;
