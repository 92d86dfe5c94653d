//! Whether a delivery is one that has come before: one that its sender sent again, or that a second sender sent too. Pure.
//!
//! A sender's identifier of the delivery decides where there is one. Most senders have none, and their repeats look like
//! the first delivery: then an equal body is a duplicate for a short time only, and repeats after that are the cool-down's
//! business.

use std::time::Duration;

use crate::relay::job::{End, Millis};
use crate::relay::outcome::OutcomeStatus;

/// How long an equal body without an identifier is a duplicate.
pub const EQUAL_BODY_FOR: Duration = Duration::from_secs(300);

/// A delivery that has come in on a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received<'a> {
    /// The sender's identifier; `None` where it has none.
    pub delivery_id: Option<&'a str>,
    /// A hash of the raw body.
    pub body_hash: [u8; 32],
    /// When it came, by the clock of whoever keeps deliveries.
    pub received_at: Millis,
    /// The dedupe keys of its alerts.
    pub alerts: &'a [String],
}

/// A delivery that is kept, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier<'a> {
    /// How whoever keeps it calls it.
    pub id: i64,
    /// Whether it came on the route of the one that is asked about.
    pub is_of_route: bool,
    pub received: Received<'a>,
    pub fate: Fate,
}

/// What became of a delivery. Where its alerts had different ends, the worst: the last of these that is one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It was a duplicate itself.
    Duplicate,
    /// Its jobs go on or are done, or it asked for none.
    Kept,
    /// It was not recognized: after a change of the rules it may be.
    Rejected,
    /// A job of it failed or was dropped: sending it again is the retry.
    Lost,
}

/// Why a delivery is a duplicate, and of which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicate {
    /// The sender gave both the same identifier.
    SameId { of: i64, has_other_body: bool },
    /// Their bodies are equal, and the first came a moment ago.
    SameBody { of: i64 },
}

impl Fate {
    /// Of a job that has ended.
    pub fn of(end: &End) -> Fate {
        match end {
            End::Outcome(kind) if kind.status() == OutcomeStatus::Dropped => Fate::Lost,
            End::Outcome(_) | End::Detached { .. } => Fate::Kept,
            End::Failed { .. } | End::Stopped { .. } => Fate::Lost,
        }
    }
}

/// Whether `delivery` is a duplicate of one of the `earlier` ones, which are kept for `retention`, in any order.
///
/// Of other routes' deliveries only those matter that came in between and tell of one of its alerts.
pub fn duplicate(delivery: &Received, earlier: &[Earlier], retention: Duration) -> Option<Duplicate> {
    let of_route = |earlier: &&Earlier| earlier.is_of_route;
    if let Some(delivery_id) = delivery.delivery_id {
        // One that was not recognized started nothing, so that it may be sent again once the rules are right.
        let same = |earlier: &&Earlier| {
            earlier.received.delivery_id == Some(delivery_id)
                && earlier.fate != Fate::Rejected
                && is_within(delivery, earlier, retention)
        };
        let first = earlier.iter().filter(of_route).filter(same).min_by_key(|earlier| earlier.received.received_at)?;
        let has_other_body = first.received.body_hash != delivery.body_hash;
        return Some(Duplicate::SameId { of: first.id, has_other_body });
    }
    let same = |earlier: &&Earlier| {
        earlier.received.body_hash == delivery.body_hash && is_within(delivery, earlier, EQUAL_BODY_FOR)
    };
    // What was a duplicate itself does not count: or repeats that come often enough would be duplicates forever.
    let is_original = |earlier: &&Earlier| earlier.fate != Fate::Duplicate;
    let originals = earlier.iter().filter(of_route).filter(same).filter(is_original);
    let last = originals.max_by_key(|earlier| earlier.received.received_at)?;
    let is_kept = last.fate == Fate::Kept && !came_between(delivery, last, earlier);
    is_kept.then_some(Duplicate::SameBody { of: last.id })
}

/// Whether another delivery told of one of these alerts since: then this one tells of a change back.
fn came_between(delivery: &Received, last: &Earlier, earlier: &[Earlier]) -> bool {
    let is_other = |other: &&Earlier| other.received.body_hash != delivery.body_hash;
    let is_since = |other: &&Earlier| other.received.received_at >= last.received.received_at;
    let mut others = earlier.iter().filter(is_other).filter(is_since);
    others.any(|other| other.received.alerts.iter().any(|alert| delivery.alerts.contains(alert)))
}

/// Either way, because clocks are set back.
fn is_within(delivery: &Received, earlier: &Earlier, time: Duration) -> bool {
    u128::from(delivery.received_at.abs_diff(earlier.received.received_at)) <= time.as_millis()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::outcome::OutcomeKind;

    const RETENTION: Duration = Duration::from_secs(30 * 86_400);
    const DAY: Millis = 86_400_000;

    /// Deliveries as they came: milliseconds, route, identifier, body, alerts, fate. The last one is asked about.
    type Row<'a> = (Millis, &'a str, &'a str, u8, &'a str, Fate);

    fn check(rows: &[Row]) -> Option<Duplicate> {
        let alerts: Vec<Vec<String>> =
            rows.iter().map(|(.., alerts, _)| alerts.split_whitespace().map(str::to_string).collect()).collect();
        let received = rows.iter().zip(&alerts).map(|((received_at, _, id, body, ..), alerts)| Received {
            delivery_id: Some(*id).filter(|id| !id.is_empty()),
            body_hash: [*body; 32],
            received_at: *received_at,
            alerts,
        });
        let (_, route, ..) = rows.last().unwrap();
        let earlier = rows.iter().zip(1..).zip(received).map(|(((_, of, .., fate), id), received)| Earlier {
            id,
            is_of_route: of == route,
            received,
            fate: *fate,
        });
        let mut earlier: Vec<Earlier> = earlier.collect();
        let asked = earlier.pop().unwrap().received;
        let found = duplicate(&asked, &earlier, RETENTION);
        earlier.reverse();
        assert_eq!(duplicate(&asked, &earlier, RETENTION), found, "the order does not matter");
        found
    }

    #[test]
    fn an_identifier_is_unique_on_its_route_while_it_is_kept() {
        use Fate::{Kept, Lost, Rejected};
        let cases: [(&str, &[Row], Option<Duplicate>); 8] = [
            (
                "again",
                &[(0, "r", "1", 1, "a", Kept), (29 * DAY, "r", "1", 1, "a", Kept)],
                Some(Duplicate::SameId { of: 1, has_other_body: false }),
            ),
            (
                "another body",
                &[(0, "r", "1", 1, "a", Kept), (1, "r", "1", 2, "a", Kept)],
                Some(Duplicate::SameId { of: 1, has_other_body: true }),
            ),
            (
                "after a failure",
                &[(0, "r", "1", 1, "a", Lost), (1, "r", "1", 1, "a", Kept)],
                Some(Duplicate::SameId { of: 1, has_other_body: false }),
            ),
            (
                "with others between",
                &[(0, "r", "1", 1, "a", Kept), (1, "r", "2", 2, "a", Kept), (2, "r", "1", 1, "a", Kept)],
                Some(Duplicate::SameId { of: 1, has_other_body: false }),
            ),
            ("another route", &[(0, "r", "1", 1, "a", Kept), (1, "s", "1", 1, "a", Kept)], None),
            ("after the retention", &[(0, "r", "1", 1, "a", Kept), (30 * DAY + 1, "r", "1", 1, "a", Kept)], None),
            ("a new identifier, an equal body", &[(0, "r", "1", 1, "a", Kept), (1, "r", "2", 1, "a", Kept)], None),
            ("once not recognized", &[(0, "r", "1", 1, "", Rejected), (1, "r", "1", 1, "a", Kept)], None),
        ];
        for (what, rows, expected) in cases {
            assert_eq!(check(rows), expected, "{what}");
        }
    }

    #[test]
    fn without_an_identifier_an_equal_body_is_a_duplicate_for_five_minutes() {
        use Fate::{Duplicate as Again, Kept, Lost, Rejected};
        let same = |of| Some(Duplicate::SameBody { of });
        let cases: [(&str, &[Row], Option<Duplicate>); 17] = [
            ("nothing before", &[(0, "r", "", 1, "a", Kept)], None),
            ("at once", &[(0, "r", "", 1, "a", Kept), (0, "r", "", 1, "a", Kept)], same(1)),
            ("just in time", &[(0, "r", "", 1, "a", Kept), (300_000, "r", "", 1, "a", Kept)], same(1)),
            ("a repeat", &[(0, "r", "", 1, "a", Kept), (300_001, "r", "", 1, "a", Kept)], None),
            ("the clock was set back", &[(300_000, "r", "", 1, "a", Kept), (0, "r", "", 1, "a", Kept)], same(1)),
            ("the first had an identifier", &[(0, "r", "1", 1, "a", Kept), (1, "r", "", 1, "a", Kept)], same(1)),
            ("another body", &[(0, "r", "", 1, "a", Kept), (1, "r", "", 2, "a", Kept)], None),
            ("another route", &[(0, "r", "", 1, "a", Kept), (1, "s", "", 1, "a", Kept)], None),
            ("its job failed", &[(0, "r", "", 1, "a", Lost), (1, "r", "", 1, "a", Kept)], None),
            ("not recognized", &[(0, "r", "", 1, "", Rejected), (1, "r", "", 1, "", Kept)], None),
            (
                "the alert was resolved in between",
                &[(0, "r", "", 1, "a", Kept), (1, "r", "", 2, "b a", Kept), (2, "r", "", 1, "a", Kept)],
                None,
            ),
            (
                "and on another route",
                &[(0, "r", "", 1, "a", Kept), (1, "s", "", 2, "a", Kept), (2, "r", "", 1, "a", Kept)],
                None,
            ),
            (
                "another alert came in between",
                &[(0, "r", "", 1, "a", Kept), (1, "r", "", 2, "b", Kept), (2, "r", "", 1, "a", Kept)],
                same(1),
            ),
            (
                "it was resolved before",
                &[(0, "r", "", 2, "a", Kept), (1, "r", "", 1, "a", Kept), (2, "r", "", 1, "a", Kept)],
                same(2),
            ),
            (
                "duplicates in between are of the first",
                &[(0, "r", "", 1, "a", Kept), (200_000, "r", "", 1, "a", Again), (250_000, "r", "", 1, "a", Kept)],
                same(1),
            ),
            (
                "and do not prolong its time",
                &[(0, "r", "", 1, "a", Kept), (200_000, "r", "", 1, "a", Again), (400_000, "r", "", 1, "a", Kept)],
                None,
            ),
            (
                "the retry of a failure, once more",
                &[(0, "r", "", 1, "a", Lost), (1, "r", "", 1, "a", Kept), (2, "r", "", 1, "a", Kept)],
                same(2),
            ),
        ];
        for (what, rows, expected) in cases {
            assert_eq!(check(rows), expected, "{what}");
        }
    }

    #[test]
    fn a_job_that_failed_or_was_dropped_is_lost() {
        let kinds = [OutcomeKind::PrOpened, OutcomeKind::NoPr, OutcomeKind::WaitingForUser];
        for kind in kinds {
            assert_eq!(Fate::of(&End::Outcome(kind)), Fate::Kept, "{kind:?}");
        }
        for kind in [OutcomeKind::QuotaExceeded, OutcomeKind::SessionError, OutcomeKind::CreateUnknown] {
            assert_eq!(Fate::of(&End::Outcome(kind)), Fate::Lost, "{kind:?}");
        }
        assert_eq!(Fate::of(&End::Failed { session_id: None }), Fate::Lost);
        assert_eq!(
            Fate::of(&End::Detached { session_id: String::new(), session_url: None, is_over: false }),
            Fate::Kept
        );
        assert!(Fate::Lost > Fate::Kept && Fate::Rejected > Fate::Kept);
    }
}
