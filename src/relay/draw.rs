//! What tells one attempt from another: digits that nobody else draws.

use std::hash::{BuildHasher as _, RandomState};

/// An attempt, or the end of a job's identifier: sixteen hexadecimal digits. They come of the system's randomness (with which
/// every `RandomState` begins), not of a clock: two runs that start in the same instant must never draw the same.
pub fn drawn() -> String {
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}
