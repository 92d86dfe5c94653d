//! The alert relay: an alert comes in, a Devin session is created once, watched to its end, and its outcome reported.

pub mod alert;
pub mod draw;
pub mod driver;
mod engine;
pub mod error_report;
pub mod event;
pub mod inbound;
pub mod job;
pub mod masks;
pub mod names;
pub mod organization;
pub mod outcome;
pub mod prior;
pub mod prompt;
pub mod pull_request;
pub mod remote;
pub mod report;
pub mod request;
pub mod run;
#[cfg(feature = "serve")]
pub mod serve;
pub mod terminal;
pub mod text;
pub mod values;
