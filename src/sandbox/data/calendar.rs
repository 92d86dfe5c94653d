//! When things happened: about half a year of working hours before a fixed moment, without a clock.

use std::ops::Range;

use super::Organization;
use super::dice::{Dice, Topic};

/// 2026-06-01T00:00:00Z, a Monday: nothing in the organization is later.
pub const END: i64 = 1_780_272_000;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
const WEEKS: i64 = 26;

/// How long a billing cycle lasts, and when the one began that [`END`] is in.
pub const CYCLE: i64 = 30 * DAY;
pub const CYCLE_BEGAN: i64 = END - 19 * DAY;

/// 07:00 to 19:00 UTC on weekdays, 10:00 to 13:00 on Saturday and Sunday.
const WEEKDAY_OPEN: i64 = 12 * HOUR;
const WEEKEND_OPEN: i64 = 3 * HOUR;
const WEEK_OPEN: i64 = 5 * WEEKDAY_OPEN + 2 * WEEKEND_OPEN;

/// Sessions come in rows of this many; the place in a row decides about kinship and twins.
pub const ROW: u64 = 12;
/// The place in a row whose session may have children, which are the next newer ones.
pub const PARENT: u64 = 9;
/// The place in a row whose session starts in the same second as the next older one.
const TWIN: u64 = 3;
/// How long after its parent or elder sibling a child starts at the latest, in seconds.
const CHILD_DELAY: i64 = 90;

impl Organization {
    /// When a session began, in Unix seconds. A greater index never began later.
    pub fn created_at(&self, index: u64) -> i64 {
        if let Some((parent, number)) = self.parent_of(index) {
            let latest = self.slot(parent) + CHILD_DELAY * number as i64;
            return self.slot(index).min(latest);
        }
        if index % ROW == TWIN && index + 1 < self.sessions {
            return self.slot(index + 1);
        }
        self.slot(index)
    }

    /// The indexes of the sessions that began at the first of these seconds or later, and before the other.
    pub fn created_between(&self, from: i64, before: i64) -> Range<u64> {
        self.first_created_before(before)..self.first_created_before(from)
    }

    /// The index of the newest session that began before this second; the count when none did.
    pub fn first_created_before(&self, time: i64) -> u64 {
        let (mut newest, mut oldest) = (0, self.sessions);
        while newest < oldest {
            let middle = newest + (oldest - newest) / 2;
            if self.created_at(middle) < time {
                oldest = middle;
            } else {
                newest = middle + 1;
            }
        }
        newest
    }

    /// The parent of a session, and which of its children this one is, counted from 1.
    pub fn parent_of(&self, index: u64) -> Option<(u64, u64)> {
        let parent = index - index % ROW + PARENT;
        let number = parent.checked_sub(index).filter(|number| *number > 0)?;
        (number <= self.children_of(parent)).then_some((parent, number))
    }

    /// How many children a session has, at most three.
    pub fn children_of(&self, index: u64) -> u64 {
        if index % ROW != PARENT || index >= self.sessions {
            return 0;
        }
        if index == PARENT {
            // So that even a small organization has a family.
            return 2;
        }
        Dice::new(self.seed, Topic::Children, index).pick(&[0, 0, 1, 2, 3])
    }

    /// The moment of a place in the row of sessions: denser towards the end, as use grows.
    fn slot(&self, index: u64) -> i64 {
        let jitter = Dice::new(self.seed, Topic::Slot, index).fraction();
        let place = (index as f64 + jitter) / self.sessions as f64;
        let back = place * (0.3 + 0.7 * place);
        open_hours_before_end((back * (WEEKS * WEEK_OPEN) as f64) as i64)
    }
}

/// The moment that lies this many open seconds before [`END`].
fn open_hours_before_end(seconds: i64) -> i64 {
    let (weeks, rest) = (seconds / WEEK_OPEN, seconds % WEEK_OPEN);
    let (day, into_day, close) = match rest.checked_sub(2 * WEEKEND_OPEN) {
        Some(rest) if rest >= 0 => (2 + rest / WEEKDAY_OPEN, rest % WEEKDAY_OPEN, 19 * HOUR),
        _ => (rest / WEEKEND_OPEN, rest % WEEKEND_OPEN, 13 * HOUR),
    };
    END - weeks * 7 * DAY - (day + 1) * DAY + close - 1 - into_day
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greater_index_never_began_later_and_some_seconds_are_shared() {
        for sessions in [1, 2, 36, 5_000, 200_000] {
            let organization = Organization::new(3, sessions, None);
            let times: Vec<i64> = (0..organization.sessions).map(|index| organization.created_at(index)).collect();
            assert!(times.is_sorted_by(|newer, older| newer >= older));
            assert!(times.iter().all(|time| (END - 183 * DAY..END).contains(time)));
            let shared = times.windows(2).filter(|pair| pair[0] == pair[1]).count();
            assert!(sessions < 36 || shared > 0 && shared < sessions / 4, "{shared}");
        }
    }

    #[test]
    fn the_first_before_a_second_is_found_at_both_ends_and_between() {
        let organization = Organization::new(3, 500, None);
        assert_eq!(organization.first_created_before(END), 0);
        assert_eq!(organization.first_created_before(0), 500);
        for index in 0..500 {
            let time = organization.created_at(index);
            let first = organization.first_created_before(time);
            assert!(first > index && first <= index + 4);
            assert!(organization.first_created_before(time + 1) <= index);
        }
    }
}
