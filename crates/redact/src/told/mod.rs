//! Secrets that people tell each other in sentences. Pure.

pub(crate) mod ahead;
pub(crate) mod assigned;
pub(crate) mod change;
pub(crate) mod chat;
pub(crate) mod codes;
pub(crate) mod community;
pub(crate) mod factory;
pub(crate) mod given;
pub(crate) mod hint;
pub(crate) mod joined;
pub(crate) mod keys;
mod need;
pub(crate) mod passing;
pub(crate) mod purpose;
pub(crate) mod recovery;
pub(crate) mod said;
pub(crate) mod second;
