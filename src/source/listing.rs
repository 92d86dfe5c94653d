//! A list that changes while it is read: is it complete, is it to be listed again and from when on, or is there no end to
//! it? Pure: items in, decisions out.
//!
//! The API documents no order. Where the sessions changed last come first, one that changes while later pages are read moves
//! to a page that has come by, and its row is in none of them. So a list of several pages is listed again, from a time that
//! the data itself names, until one page holds everything that can have moved. How many items there should be (`total`) is
//! a hint, which is followed up once.

mod one_listing;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::BuildHasherDefault;

use self::one_listing::{Latest, OneListing};
use super::keys::{AsItIs, Keys};

/// Clocks may differ by so much; what claims to be later is not believed.
const A_DAY_S: i64 = 86_400;

/// So often a list is listed at most: one that changes faster is left to the next read.
const MOST_LISTINGS: u32 = 12;

/// So often everything is listed, where items are deleted meanwhile.
const MOST_WHOLE_LISTINGS: u32 = 4;

/// So many items are remembered with their times before any is forgotten.
const PRUNE_AT: usize = 4096;

/// What is known of a list's behavior.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Sessions, which change and can be asked for by the time of their last change.
    Sessions,
    /// A list without a filter.
    Whole,
    /// One that only grows at its end.
    Append,
}

/// What is known of an item when it comes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    New,
    /// It has come by before, with another `updated_at`.
    Changed,
    Repeated,
}

/// When an item was created and last changed, as far as it says.
#[derive(Debug, Default, Clone, Copy)]
pub struct Times {
    pub created_at: Option<i64>,
    pub updated_at: Option<i64>,
}

/// What follows a listing that has come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Everything has been seen. `doubt` is a sentence for a WARN.
    Complete { doubt: Option<String> },
    /// List again what has changed since then; `None` is everything that was asked for at first.
    ListAgain { since: Option<i64> },
    /// It cannot be complete, and listing it once more has not helped.
    Incomplete { reason: String },
}

/// One list, listed as often as it takes.
#[derive(Debug)]
pub struct Listing {
    kind: Kind,
    /// Every key that has come by in any listing.
    keys: Keys,
    /// The `updated_at` of the newest items and their fingerprints, by key: only those that can come by again in the next listing.
    newest: HashMap<u64, (i64, u64), BuildHasherDefault<AsItIs>>,
    /// All items from this time on are among them; `None` is all items.
    newest_from: Option<i64>,
    /// With so many of them, those that can not come by again any more are looked for.
    prune_at: usize,
    /// So long, in seconds, may it take until a change shows in the list.
    lag: i64,
    listings: u32,
    now: OneListing,
    /// From when on everything was asked for at first; `None` is from the beginning.
    first_since: Option<i64>,
    /// The same of the present listing.
    since: Option<i64>,
    /// The largest total that a listing of everything has named.
    total: Option<u64>,
    /// How many items were created after the last listing of everything.
    newcomers: u64,
    /// Whether the last listing of everything has ended with an empty page that had been promised.
    ends_empty: bool,
    /// Whether its total has fallen while it was listed.
    has_fallen: bool,
    /// Whether an item may have slipped past the reader while everything was listed, see [`OneListing::lets_slip`].
    has_slipped: bool,
    /// How often everything has been listed.
    whole_listings: u32,
    /// From when on things may have moved behind the reader of the last listing.
    bound: Option<i64>,
    /// The largest time that any item has named.
    latest: Latest,
    /// Later than any time that can be true.
    not_before: i64,
    is_capped: bool,
    /// Whether the last listing had as many items as it should have; without a number, whether it ended as it should.
    is_exact: bool,
}

impl Listing {
    /// A list of which nothing has been asked yet. `since` is the bound that it is first asked with; times of more than a day
    /// past `now` are no help.
    pub fn new(kind: Kind, since: Option<i64>, now: i64) -> Listing {
        Listing {
            kind,
            keys: Keys::default(),
            newest: HashMap::default(),
            newest_from: None,
            prune_at: PRUNE_AT,
            lag: 0,
            listings: 1,
            now: OneListing::default(),
            first_since: since,
            since,
            total: None,
            newcomers: 0,
            ends_empty: false,
            has_fallen: false,
            has_slipped: false,
            whole_listings: 1,
            bound: None,
            latest: Latest::default(),
            not_before: now.saturating_add(A_DAY_S),
            is_capped: false,
            is_exact: false,
        }
    }

    /// The same, of a list in which a change may show so many seconds late.
    pub fn lagging(self, lag: i64) -> Listing {
        Listing { lag, ..self }
    }

    /// Takes the server's clock, before the first item.
    pub fn begin(&mut self, now: i64) {
        self.not_before = now.saturating_add(A_DAY_S);
    }

    /// Notes the next item of the page at hand. `key` is a hash of what identifies it, `print` one of all of it.
    pub fn note(&mut self, key: u64, times: Times, print: impl FnOnce() -> u64) -> Sight {
        let Times { created_at, updated_at } = times;
        let is_new = self.keys.insert(key);
        // What has been created since is not among those that a listing of everything has counted.
        let is_partial = self.since != self.first_since;
        self.newcomers += u64::from(is_new && is_partial && created_at.is_some() && created_at >= self.bound);
        let is_new_here = if self.listings == 1 { is_new } else { self.now.keys.insert(key) };
        self.now.note(is_new_here, updated_at, self.not_before);
        self.latest.note(updated_at, self.not_before);
        let sight = match updated_at.filter(|_| self.kind != Kind::Append) {
            _ if is_new => {
                updated_at.map(|at| self.remember(key, at, print));
                Sight::New
            }
            None => Sight::Repeated,
            Some(at) => self.sight_again(key, at, print, is_new_here),
        };
        self.now.has_news |= sight != Sight::Repeated;
        self.now.has_moved |= sight == Sight::Changed && !is_new_here;
        sight
    }

    /// What is known of an item that is not new.
    fn sight_again(&mut self, key: u64, updated_at: i64, print: impl FnOnce() -> u64, is_new_here: bool) -> Sight {
        match self.remember(key, updated_at, print) {
            Some(true) => Sight::Changed,
            // An older copy of it is no change.
            Some(false) => Sight::Repeated,
            // It was older than all that is remembered.
            None if Some(updated_at) >= self.newest_from => Sight::Changed,
            None if is_new_here && self.bound.is_some_and(|bound| updated_at >= bound) => Sight::Changed,
            None => Sight::Repeated,
        }
    }

    /// Remembers an item's largest time if it can come by in the next listing, or has come by before; then the answer is whether
    /// it has changed. It may have done so twice within a second.
    fn remember(&mut self, key: u64, updated_at: i64, print: impl FnOnce() -> u64) -> Option<bool> {
        match self.newest.entry(key) {
            Entry::Occupied(mut known) => {
                let (before, looked) = *known.get();
                if updated_at < before {
                    return Some(false);
                }
                let looks = print();
                known.insert((updated_at, looks));
                Some(before < updated_at || looked != looks)
            }
            Entry::Vacant(unknown) => {
                if Some(updated_at) >= self.newest_from {
                    unknown.insert((updated_at, print()));
                }
                None
            }
        }
    }

    /// Forgets what is older than `time`.
    fn forget_before(&mut self, time: Option<i64>) {
        self.newest_from = self.newest_from.max(time);
        let from = self.newest_from;
        self.newest.retain(|_, (at, _)| Some(*at) >= from);
        self.prune_at = PRUNE_AT.max(2 * self.newest.len());
    }

    /// Ends the page at hand.
    ///
    /// # Errors
    /// A sentence, when there is no end to the list.
    pub fn end_page(&mut self, total: Option<u64>, has_next: bool) -> Result<(), String> {
        self.now.end_page(total, has_next)?;
        let is_first_page = self.listings == 1 && self.now.pages == 1;
        if is_first_page || self.newest.len() > self.prune_at {
            self.forget_before(self.now.bound().map(|bound| bound.saturating_sub(self.lag)));
        }
        Ok(())
    }

    /// What follows, now that the listing has come to its last page.
    pub fn end(&mut self) -> Decision {
        let now = std::mem::take(&mut self.now);
        let distinct = if self.listings == 1 { self.keys.len() } else { now.keys.len() };
        self.is_exact = now.last_total.is_none_or(|total| total == distinct) && !now.has_fallen;
        let bound = now.bound();
        let has_advanced = self.listings == 1 || bound > self.bound || now.has_news;
        self.bound = bound.max(self.bound);
        if self.since == self.first_since {
            self.total = self.total.max(now.last_total);
            self.newcomers = 0;
            self.ends_empty = now.ends_empty;
            self.has_fallen = now.has_fallen;
            self.has_slipped = self.kind == Kind::Sessions && now.lets_slip();
            // What is lacking may be of any time.
            if self.has_fallen && self.whole_listings < MOST_WHOLE_LISTINGS {
                self.whole_listings += 1;
                return self.again(self.first_since);
            }
            if self.has_slipped && self.whole_listings == 1 {
                self.whole_listings += 1;
                return self.again(self.first_since);
            }
        }
        if self.kind == Kind::Sessions && now.pages > 1 && has_advanced && self.latest.any.is_some() {
            if self.listings < MOST_LISTINGS {
                // What was changed before the list was begun shows by now.
                let lag = if self.listings == 1 { self.lag } else { 0 };
                // Where the first page names no time, everything may have moved.
                return self.again(self.bound.map_or(self.first_since, |bound| Some(bound.saturating_sub(lag))));
            }
            self.is_capped = true;
            return Decision::Complete {
                doubt: Some(format!(
                    "the list changed faster than it could be read, {MOST_LISTINGS} times in a row; the next read goes on from where this one could follow"
                )),
            };
        }
        let missing = self.total.filter(|total| *total > self.keys.len() - self.newcomers);
        let is_unsure = self.kind == Kind::Whole && now.pages > 1 && now.last_total != Some(distinct);
        let most = if self.has_slipped { MOST_WHOLE_LISTINGS } else { 2 };
        if (missing.is_some() || is_unsure) && self.whole_listings < most {
            self.whole_listings += 1;
            return self.again(self.first_since);
        }
        let count = self.keys.len() - self.newcomers;
        match missing {
            Some(total) if self.ends_empty => Decision::Incomplete {
                reason: format!(
                    "the list ended after {count} of {total} items although it had promised more, twice in a row"
                ),
            },
            Some(total) => Decision::Complete {
                doubt: Some(format!("the API counts {total} items and lists {count}, twice in a row")),
            },
            None if self.has_fallen => Decision::Complete {
                doubt: Some(format!(
                    "items were deleted while the list was read, {MOST_WHOLE_LISTINGS} times in a row: one that moved up into their place may be lacking"
                )),
            },
            None => Decision::Complete { doubt: None },
        }
    }

    fn again(&mut self, since: Option<i64>) -> Decision {
        self.listings += 1;
        self.since = since;
        Decision::ListAgain { since }
    }

    /// The data's own clock: a time that had come when the last listing was over, by the server's clock `now` or, where no time
    /// in the data agrees with that, by the data alone; `None` when nothing has named one.
    pub fn clock(&self, now: i64) -> Option<i64> {
        self.latest.sound.map(|time| time.min(now)).or(self.latest.any)
    }

    /// Whether it is complete beyond doubt, once it is said to be complete: then what it lacks is not there.
    pub fn is_exact(&self) -> bool {
        self.is_exact && self.total.is_none_or(|total| total <= self.keys.len())
    }

    /// Past this time the list may lack items; `None` when it lacks none.
    pub fn lacks_after(&self) -> Option<i64> {
        self.is_capped.then(|| self.bound.unwrap_or(0))
    }
}

#[cfg(test)]
mod tests;
