//! The machine against a Devin in memory with a clock of its own: every fault of its lists, tags and answers.

mod faults;
mod histories;
mod promises;
mod races;
mod runs;
mod world;
