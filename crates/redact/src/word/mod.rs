//! What words mean and look like: names of secrets, random ones, states, placeholders. Pure.

pub(crate) mod beginnings;
pub(crate) mod ends;
pub(crate) mod event;
pub(crate) mod figure;
mod languages;
pub(crate) mod names;
pub(crate) mod placeholder;
pub(crate) mod predicate;
pub(crate) mod random;
pub(crate) mod remark;
pub(crate) mod shape;
pub(crate) mod tongue;
