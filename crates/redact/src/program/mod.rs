//! Secrets in what programs take and print: commands, calls, files, statements and protocols. Pure.

pub(crate) mod argument;
pub(crate) mod block;
pub(crate) mod call;
pub(crate) mod command;
pub(crate) mod devices;
pub(crate) mod directive;
pub(crate) mod field;
pub(crate) mod files;
pub(crate) mod issued;
pub(crate) mod keyed;
pub(crate) mod manifest;
pub(crate) mod oracle;
mod positions;
pub(crate) mod printed;
pub(crate) mod protocol;
pub(crate) mod served;
pub(crate) mod statement;
pub(crate) mod tools;
pub(crate) mod traced;
