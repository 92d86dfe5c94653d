//! This program's own keys, in every spelling a text may give them. Pure.

mod encoding;
pub(crate) mod key;
pub(crate) mod ring;
mod rows;
mod spelled;
