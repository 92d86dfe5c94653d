//! Secrets that are told by a name: a name, what links it, and a value, in every layout. Pure.

mod apart;
mod apposition;
mod beside;
pub(crate) mod cells;
mod closed;
mod connection;
pub(crate) mod header;
mod link;
pub(crate) mod named;
mod phrase;
mod setting;
pub(crate) mod table;
pub(crate) mod variable;
mod whole;
