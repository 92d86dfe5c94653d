//! Secrets that are told by their own shape, whatever stands around them. Pure.

pub(crate) mod address;
pub(crate) mod coded;
pub(crate) mod forms;
pub(crate) mod hashes;
pub(crate) mod jwk;
pub(crate) mod partner;
pub(crate) mod pem;
pub(crate) mod prefix;
pub(crate) mod ticket;
