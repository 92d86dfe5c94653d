//! How a text is looked at: its letters, its readings, and a place in it. Pure.

pub(crate) mod alphabet;
mod composed;
pub(crate) mod letters;
pub(crate) mod place;
pub(crate) mod reading;
pub(crate) mod shell;
