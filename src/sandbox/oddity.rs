//! How the organization differs from one that does as the API's pages say: it lags, forgets and misnames. Pure.
//!
//! Unlike a [`fault`](super::fault), none of this looks like an error to whoever asks.

use std::collections::VecDeque;
use std::time::Duration;

/// What is odd, if anything.
#[derive(Clone, Debug, PartialEq)]
pub struct Oddities {
    /// How long after its creation lists show a session.
    pub list_lag: Duration,
    /// How long after its creation a session is found by its identifier.
    pub get_lag: Duration,
    /// How many lists of sessions show none that was created.
    pub stale_lists: u32,
    pub tags: TagRule,
    /// How far the clock is ahead, or behind, in seconds.
    pub clock_ahead: i64,
    /// How many seconds pass on it in one.
    pub clock_speed: f64,
    /// How creates are answered, one after the other; further ones as they should be.
    pub create_answers: VecDeque<CreateAnswer>,
}

/// What becomes of the tags of a session that is created. Those that pick a scenario pick it under every rule.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum TagRule {
    #[default]
    Keep,
    /// They are dropped, which is not said.
    Drop,
    /// They come back in capitals.
    Capitals,
    /// A create with tags is refused.
    Refuse,
}

/// How a create is answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CreateAnswer {
    pub status: u16,
    /// How long that takes.
    pub delay: Duration,
}

impl Default for Oddities {
    fn default() -> Self {
        Oddities {
            list_lag: Duration::ZERO,
            get_lag: Duration::ZERO,
            stale_lists: 0,
            tags: TagRule::Keep,
            clock_ahead: 0,
            clock_speed: 1.0,
            create_answers: VecDeque::new(),
        }
    }
}

impl TagRule {
    /// Each rule with its word.
    pub const ALL: [(&'static str, TagRule); 4] = [
        ("keep", TagRule::Keep),
        ("drop", TagRule::Drop),
        ("capitals", TagRule::Capitals),
        ("refuse", TagRule::Refuse),
    ];

    /// The tags as they are kept; `None` where they are refused.
    pub fn apply(self, tags: Vec<String>) -> Option<Vec<String>> {
        match self {
            TagRule::Keep => Some(tags),
            TagRule::Drop => Some(Vec::new()),
            TagRule::Capitals => Some(tags.iter().map(|tag| tag.to_uppercase()).collect()),
            TagRule::Refuse => tags.iter().all(|tag| tag.starts_with(super::body::SCENARIO_TAG)).then_some(tags),
        }
    }
}

impl CreateAnswer {
    /// Whether a session is made all the same: not where the API has refused to.
    pub fn is_made(self) -> bool {
        !(400..500).contains(&self.status) || matches!(self.status, 408 | 409)
    }
}
