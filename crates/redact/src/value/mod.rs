//! Where the value of a name begins and ends, and whether it is a secret. Pure.

mod braces;
pub(crate) mod certain;
mod code;
pub(crate) mod decoration;
pub(crate) mod extent;
pub(crate) mod fault;
pub(crate) mod following;
pub(crate) mod generated;
pub(crate) mod next;
pub(crate) mod series;
pub(crate) mod sign;
pub(crate) mod speech;
