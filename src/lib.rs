//! `source-devin-ai`: an Airbyte source for the Devin API v3, and a relay from alerts to Devin sessions.
//!
//! ```text
//! read:   config ┐
//!         catalog ┼-> plan -> steps --> pages (bounded concurrency) --> record lines --> one writer --> stdout
//!         state  ┘                        |                                |
//!                               retry, shared pause            STATE only where nothing before it can be lost
//!
//! alert:  payload -> alert -> words and mark -> create once, or adopt -> watch -> outcome --> stdout
//! ```
//!
//! The sandbox is the same API on loopback, for trying and for testing. The layers, and who may name whom, are described in `docs/design.md`; a test holds the arrows.

#![deny(clippy::print_stdout, clippy::print_stderr)]
#![forbid(unsafe_code)]

pub mod airbyte;
pub mod cli;
pub mod config;
pub mod devin;
pub mod failure;
pub mod output;
pub mod relay;
pub mod sandbox;
pub mod source;
pub mod stop;
