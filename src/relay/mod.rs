//! The alert relay: an alert comes in, and becomes the words of one Devin session that can be found again.
//!
//! What is here so far is pure: no I/O and no clock.

pub mod alert;
pub mod inbound;
pub mod prompt;
pub mod text;

pub use alert::{Alert, Format, Severity, State};
pub use inbound::{Grouping, Problem};
pub use prompt::{Template, Words};
