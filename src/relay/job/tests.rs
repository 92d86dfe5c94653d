//! The machine against a Devin in memory with a clock of its own: every fault of its lists, tags and answers.

mod by_hand;
mod chance;
mod faults;
mod histories;
mod last_moments;
mod news;
mod ownership;
mod parts;
mod patience;
mod polls;
mod promises;
mod races;
mod resolving;
mod running;
mod runs;
mod succession;
mod world;
