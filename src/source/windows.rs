//! The windows of time in which a list is asked for, the oldest first. Pure.

use super::streams::Windows;

/// A window of time, in Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub from: i64,
    /// The first second after it.
    pub until: i64,
}

const DAY: i64 = 86_400;

/// The windows from `start` to `now`, the last of which holds `now`: whole UTC days where the row has days, and open where it has
/// moments, since more of them come while it is read.
pub fn windows(row: &Windows, start: i64, now: i64) -> impl Iterator<Item = Window> + use<> {
    let row = *row;
    let (first, end) = if row.is_of_days { (midnight(start), midnight(now) + DAY) } else { (start, now + 1) };
    let length = row.most_days * DAY;
    let starts = std::iter::successors(Some(first), move |from| from.checked_add(length));
    let until = move |from: i64| match from.saturating_add(length) {
        until if until < end => until,
        _ if row.is_of_days => end,
        _ => i64::MAX,
    };
    starts.take_while(move |from| *from < end).map(move |from| Window { from, until: until(from) })
}

/// The beginning of a UTC day.
pub fn midnight(at: i64) -> i64 {
    at.div_euclid(DAY) * DAY
}

impl Window {
    /// Whether something of this time lies in it.
    pub fn admits(&self, at: i64) -> bool {
        (self.from..self.until).contains(&at)
    }

    /// The same where nothing is wanted from `end` on. A day that has begun by then is told whole.
    pub fn ending(self, row: &Windows, end: Option<i64>) -> Window {
        match end {
            Some(end) if !row.is_of_days => Window { until: self.until.min(end), ..self },
            _ => self,
        }
    }

    /// The beginning of its last day, by which everything before is known.
    pub fn last_day(&self) -> i64 {
        midnight(self.until - 1)
    }

    /// The parameters that ask for it at the time `now`; never for what is yet to come.
    pub fn parameters(&self, row: &Windows, now: i64) -> Vec<(&'static str, String)> {
        let mut parameters = vec![("time_after", (self.from - row.edge_s).max(0).to_string())];
        let until = self.until.saturating_add(row.tail_s + row.edge_s);
        if until <= now || row.is_of_days {
            parameters.push(("time_before", until.min(now).max(self.from + 1).to_string()));
        }
        parameters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAYS: Windows = Windows { is_of_days: true, most_days: 1, edge_s: 0, tail_s: 0, again_days: 7 };
    const LOG: Windows = Windows { is_of_days: false, most_days: 99, edge_s: 1, tail_s: 0, again_days: 0 };

    fn told(row: &Windows, start: i64, now: i64) -> String {
        let one = |window: Window| {
            let parameters: Vec<String> =
                window.parameters(row, now).iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{}..{} {}", window.from, window.until, parameters.join("&"))
        };
        windows(row, start, now).map(one).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn days_are_utc_days_and_the_last_one_is_not_over() {
        insta::assert_snapshot!(told(&DAYS, 1_767_225_661, 1_767_400_000), @r"
        1767225600..1767312000 time_after=1767225600&time_before=1767312000
        1767312000..1767398400 time_after=1767312000&time_before=1767398400
        1767398400..1767484800 time_after=1767398400&time_before=1767400000
        ");
        insta::assert_snapshot!(told(&Windows { tail_s: 43_200, most_days: 30, ..DAYS }, 1_767_225_600, 1_767_300_000), @"1767225600..1767312000 time_after=1767225600&time_before=1767300000");
        insta::assert_snapshot!(told(&DAYS, 1_767_225_600, 1_767_225_600), @"1767225600..1767312000 time_after=1767225600&time_before=1767225601");
    }

    #[test]
    fn a_log_is_asked_for_in_long_windows_the_last_of_which_is_open() {
        insta::assert_snapshot!(told(&LOG, 1_000, 10_000_000), @r"
        1000..8554600 time_after=999&time_before=8554601
        8554600..9223372036854775807 time_after=8554599
        ");
        assert_eq!(windows(&LOG, 11, 10).count(), 0, "nothing lies after now");
    }

    #[test]
    fn windows_join_without_a_gap() {
        for row in [DAYS, LOG, Windows { most_days: 30, ..DAYS }] {
            let all: Vec<Window> = windows(&row, 12_345_678, 23_456_789).collect();
            assert!(all.windows(2).all(|pair| pair[0].until == pair[1].from), "{row:?}");
            assert!(all.first().is_some_and(|first| first.from <= 12_345_678));
            assert!(all.last().is_some_and(|last| last.admits(23_456_789)));
        }
    }
}
