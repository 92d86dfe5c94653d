//! One listing of a list, from its first page to its last: what it has shown, and whether there is an end to it.

use crate::source::keys::Keys;

/// So many pages in a row that only repeat items of the same listing, and there is no end to it.
const MOST_REPEATED_PAGES: u32 = 20;

/// The same of pages that are empty or hold nothing that can be told.
const MOST_PAGES_IN_VAIN: u32 = 1000;

/// What the present listing has shown.
#[derive(Debug, Default)]
pub struct OneListing {
    /// Its own keys, kept apart from the second listing on.
    pub keys: Keys,
    pub pages: u32,
    items_of_page: u32,
    new_keys_of_page: u32,
    repeated_pages: u32,
    /// How many pages in a row have brought no new key, empty ones too.
    pages_in_vain: u32,
    /// Whether an item came that was new or had changed.
    pub has_news: bool,
    pub last_total: Option<u64>,
    /// Whether the total has fallen from one page to the next: where pages are told by numbers, an item may have moved up into
    /// one that had come by.
    pub has_fallen: bool,
    /// Whether a further page was promised and came empty, at the end.
    pub ends_empty: bool,
    /// Whether an item that had come by came once more, changed.
    pub has_moved: bool,
    latest_of_first_page: Latest,
    latest: Latest,
    /// Whether some item was older than one before it, or had no time.
    has_descended: bool,
}

/// The largest of some times.
#[derive(Debug, Default, Clone, Copy)]
pub struct Latest {
    /// Of those that can be true.
    pub sound: Option<i64>,
    /// Of all of them.
    pub any: Option<i64>,
}

impl Latest {
    /// Takes a further time; those from `not_before` on can not be true.
    pub fn note(&mut self, time: Option<i64>, not_before: i64) {
        self.sound = self.sound.max(time.filter(|time| *time < not_before));
        self.any = self.any.max(time);
    }

    /// Where no time can be true, it is the clock that is wrong.
    fn time(self) -> Option<i64> {
        self.sound.or(self.any)
    }
}

impl OneListing {
    /// Notes an item. `is_new` is whether it comes by for the first time in this listing; times from `not_before` on can not be
    /// true.
    pub fn note(&mut self, is_new: bool, updated_at: Option<i64>, not_before: i64) {
        self.items_of_page += 1;
        self.new_keys_of_page += u32::from(is_new);
        self.has_descended |= updated_at.is_none() || updated_at < self.latest.any;
        self.latest.note(updated_at, not_before);
    }

    /// Ends the page at hand.
    ///
    /// # Errors
    /// A sentence, when there is no end to the list.
    pub fn end_page(&mut self, total: Option<u64>, has_next: bool) -> Result<(), String> {
        let (items, new_keys) = (std::mem::take(&mut self.items_of_page), std::mem::take(&mut self.new_keys_of_page));
        self.pages_in_vain = if new_keys == 0 { self.pages_in_vain + 1 } else { 0 };
        self.repeated_pages = match (items, new_keys) {
            (0, _) => self.repeated_pages,
            (_, 0) => self.repeated_pages + 1,
            _ => 0,
        };
        self.pages += 1;
        self.ends_empty = items == 0 && self.pages > 1 && !has_next;
        self.has_fallen |= self.last_total.zip(total).is_some_and(|(before, total)| total < before);
        self.last_total = total.or(self.last_total);
        if self.pages == 1 {
            self.latest_of_first_page = self.latest;
        }
        if self.pages_in_vain >= MOST_PAGES_IN_VAIN {
            return Err(format!("{MOST_PAGES_IN_VAIN} pages in a row brought nothing new, so the list has no end"));
        }
        if self.repeated_pages >= MOST_REPEATED_PAGES {
            return Err(format!(
                "{MOST_REPEATED_PAGES} pages in a row only repeated what earlier ones had, so the list has no end"
            ));
        }
        Ok(())
    }

    /// Whether an item may have come on no page: where what changed last comes last and pages are counted, one that goes to the end
    /// moves up those behind it, and the first of the next page is on the one that has come by.
    pub fn lets_slip(&self) -> bool {
        self.has_moved && !self.has_descended && self.pages > 1
    }

    /// From when on things may have moved behind the reader: whatever changes after the first page was asked for is newer
    /// than all that is on it. Where what changed last comes last, things move ahead of the reader, and only what is newer
    /// than everything matters.
    pub fn bound(&self) -> Option<i64> {
        if self.has_descended { self.latest_of_first_page.time() } else { self.latest.time() }
    }
}
