//! How many deliveries a simulation played, and what it had to leave out or assume. Pure.

/// How many deliveries there were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Since the moment that was asked for; the others are played for what they leave behind.
    pub deliveries: usize,
    /// Of these, those whose bodies are not kept any more.
    pub without_body: usize,
    /// Of these, those that came in by a route that the file does not have, by its name.
    pub without_route: Vec<(String, usize)>,
    /// Of these, those that were read then and cannot be now: the store keeps no headers, or the file reads its route otherwise.
    pub unreadable: usize,
    /// Sessions that the bridge did not start, and how long they are taken to work.
    pub assumed: usize,
    pub assumed_ms: i64,
}
