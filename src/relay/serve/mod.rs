//! The bridge: deliveries of many senders come in, and each alert becomes a job that is kept.

pub mod auth;
pub mod duplicate;
pub mod rules;
pub mod secret;
