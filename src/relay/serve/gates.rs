//! Whether an alert may start a session now, later or not at all, and why: one function over what the rules file says and what
//! the store knows. Pure.

mod decide;
mod quota;
mod settings;
mod storm;
#[cfg(test)]
mod tests;

pub use decide::{Decision, FILTER, Facts, Gate, Scope, Usage, decide, ready_at, shown};
pub use quota::{Outage, QUOTA_AGAIN, Sign, out_of_quota_since};
pub use settings::{Bounds, Gates, Limits, Occurrences, Runs, Storm};
pub use storm::{Candidate, Linked, Root, StormFacts, is_storm, root, triage_at};
