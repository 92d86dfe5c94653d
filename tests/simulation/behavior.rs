//! How a simulated API behaves where Devin's documentation is silent: drawn for each history, and fixed for its length.
//!
//! Every combination is drawn, but for the corners in which no client could win. They are not left out in silence; this is
//! the whole list, and `docs/streams.md` has what of it concerns a user:
//!
//! - A session that has ended, or has slept for long, changes only together with its `updated_at`
//!   ([`Behavior::notices_sleepers_for_s`]): nothing else would tell that it has changed, and asking for every session
//!   again is a full refresh. The same goes for any session where the API ignores `session_ids`, since nobody can be asked
//!   for by name.
//! - What becomes visible late does so within the look-back ([`Behavior::lag_ms`]): a read that asked for all times again
//!   would be a full refresh.
//! - A session whose end does not move its `updated_at` shows it after all that was said before: nothing would tell a read that
//!   sees it for the first time, and ended, that more is to come.
//! - Lists that are paged by number lose nothing from their front, as far as it can be told from what stays
//!   ([`Behavior::may_delete`], [`Order::pushes_back`]): the item that moves up into a page that has come by is in no page.
//!   Where the list names its `total`, a deletion shows there, and happens here, unless something is added meanwhile.
//! - Figures of days are read where the clocks are less than a day apart ([`Behavior::knows_days`]): a machine that is weeks behind
//!   asks for no day that it does not know.
//! - A list that cannot be filtered by time changes once while it is read ([`Behavior::whole_changes_a_sync`]): one that
//!   changes again whenever it is listed is never complete.

use fastrand::Rng;

use super::organization::{FIGURES, FOLDERS, SCHEDULES};

/// What an API does.
#[derive(Debug, Clone)]
pub struct Behavior {
    pub order: Order,
    pub paging: Paging,
    /// The most items that a page holds, whatever is asked for.
    pub page_size: usize,
    /// How `updated_after` and `created_after` are understood.
    pub filter: Filter,
    /// Whether `session_ids` is understood.
    pub knows_names: bool,
    /// Whether a change to a session that has not ended moves its `updated_at`.
    pub updated_at_moves: bool,
    /// How far the `Date` of answers is ahead of the clock that dates the data; `None` without that header.
    pub date_ahead_s: Option<i64>,
    /// How far the clock of the machine that reads is ahead.
    pub machine_ahead_s: i64,
    pub total: Total,
    /// Whether each page begins with the last item of the one before.
    pub repeats_last_item: bool,
    /// Whether a page that is full promises another, which may be empty.
    pub promises_when_full: bool,
    /// So long at most until something that has happened shows, in milliseconds.
    pub lag_ms: i64,
    /// Whether the items of a list of messages name their session.
    pub names_session: bool,
    /// What stands before the identifier of each session.
    pub id_prefix: &'static str,
    /// Whether a second organization is read in the same run.
    pub has_two: bool,
    /// Whether the audit trail heeds the order that is asked for.
    pub heeds_order: bool,
    /// Whether the key may see the trail of the enterprise.
    pub sees_enterprise: bool,
    /// How many of 100 answers come after something has happened.
    pub bustle: u8,
    /// How long an answer takes at most, in milliseconds.
    pub slowest_ms: u64,
}

/// In which order items are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    NewestUpdated,
    NewestCreated,
    OldestUpdated,
    OldestCreated,
    /// By something that has nothing to do with time.
    Random,
}

/// What a page's cursor stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paging {
    /// The sort key of the page's last item: what follows it is the next page.
    Keyset,
    /// A copy of the list as it was at the first page.
    Snapshot,
    /// How many items have come by.
    Offset,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    Inclusive,
    Exclusive,
    Ignored,
}

/// What the envelope says about the number of items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    Exact,
    Absent,
    Null,
    /// More than there are.
    TooLarge,
}

impl Order {
    /// Whether a change moves an item towards the end, so that those behind it move up.
    pub fn pushes_back(self) -> bool {
        self == Order::OldestUpdated
    }
}

impl Behavior {
    /// Draws one; `lookback_s` is what the reader is set to.
    pub fn draw(dice: &mut Rng, lookback_s: i64, has_two: bool) -> Behavior {
        let of = |dice: &mut Rng, some: &[i64]| some[dice.usize(..some.len())];
        let skew = |dice: &mut Rng| of(dice, &[0, 0, 0, 1, -1, 45, -45, 4_000, -4_000, 40 * 86_400, -40 * 86_400]);
        let date_ahead_s = (dice.u8(..4) > 0).then(|| skew(dice));
        let orders =
            [Order::NewestUpdated, Order::NewestCreated, Order::OldestUpdated, Order::OldestCreated, Order::Random];
        let mut behavior = Behavior {
            order: orders[dice.usize(..orders.len())],
            paging: [Paging::Keyset, Paging::Snapshot, Paging::Offset][dice.usize(..3)],
            page_size: dice.usize(1..=9),
            filter: [Filter::Inclusive, Filter::Inclusive, Filter::Exclusive, Filter::Ignored][dice.usize(..4)],
            knows_names: dice.u8(..4) > 0,
            updated_at_moves: dice.bool(),
            date_ahead_s,
            machine_ahead_s: skew(dice),
            total: [Total::Exact, Total::Exact, Total::Absent, Total::Null, Total::TooLarge][dice.usize(..5)],
            repeats_last_item: dice.u8(..6) == 0,
            promises_when_full: dice.u8(..4) == 0,
            lag_ms: if dice.bool() { 0 } else { dice.i64(0..=(lookback_s - 30).max(0) * 1000) },
            names_session: dice.bool(),
            id_prefix: ["", "devin-"][dice.usize(..2)],
            has_two,
            heeds_order: dice.u8(..6) > 0,
            sees_enterprise: dice.u8(..4) > 0,
            bustle: [0, 5, 20, 50][dice.usize(..4)],
            slowest_ms: [50, 400, 6_000][dice.usize(..3)],
        };
        if behavior.paging == Paging::Offset && behavior.order.pushes_back() {
            behavior.order = Order::NewestUpdated;
        }
        // More than there are, and an empty page at the end: then something is certainly amiss, at every read.
        behavior.promises_when_full &= behavior.total != Total::TooLarge;
        behavior
    }

    /// The behavior of one list: that of schedules has offsets, whatever the others have, and some have no pages.
    pub fn of_list(&self, list: &str) -> Behavior {
        match list {
            SCHEDULES => {}
            _ if list == FOLDERS
                || list == FIGURES
                || list == "metrics/usage"
                || list.starts_with("consumption/")
                || list.ends_with("/attachments") =>
            {
                return Behavior { page_size: usize::MAX, repeats_last_item: false, ..self.clone() };
            }
            "audit-logs" => {
                let order = if self.heeds_order { Order::OldestCreated } else { Order::NewestCreated };
                return Behavior { order, ..self.clone() };
            }
            _ => return self.clone(),
        }
        let order = if self.order.pushes_back() { Order::NewestUpdated } else { self.order };
        // An item that came twice would be counted twice.
        Behavior { order, paging: Paging::Offset, repeats_last_item: false, ..self.clone() }
    }

    /// Whether items may be deleted while a list is read.
    pub fn may_delete(&self) -> bool {
        self.paging != Paging::Offset || self.total == Total::Exact
    }

    /// From when on a session may begin after one has been deleted at this time, or the other way round: where pages are told
    /// by numbers and `total` alone shows a deletion, both within one listing would hide it.
    pub fn apart(&self, before_ms: i64) -> i64 {
        if self.paging == Paging::Offset { before_ms.saturating_add(1_000_000) } else { i64::MIN }
    }

    /// How often a list that cannot be filtered changes during one sync at most.
    pub fn whole_changes_a_sync(&self) -> u32 {
        1
    }

    /// Whether days that are asked for by their time are those that there are: a machine that is weeks behind knows none of them.
    pub fn knows_days(&self) -> bool {
        self.machine_ahead_s.abs() < 86_400 && self.date_ahead_s.is_none_or(|ahead| ahead.abs() < 86_400)
    }

    /// How long a session that sleeps may change without its `updated_at`, in seconds.
    pub fn notices_sleepers_for_s(&self) -> i64 {
        let clock_is_sound = match self.date_ahead_s {
            Some(ahead) => ahead.abs() < 86_400,
            None => self.machine_ahead_s.abs() < 86_400,
        };
        if clock_is_sound { 86_400 } else { 0 }
    }
}
