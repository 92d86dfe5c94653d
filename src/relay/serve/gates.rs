//! Whether an alert may start a session now, later or not at all, and why. Pure.

mod settings;

pub use settings::{Bounds, Gates, Limits, Occurrences, Runs, Storm};
