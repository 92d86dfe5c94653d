//! Many alerts at once that are one incident: when they are, when that is looked into, and which alert stands for all. Pure.

use super::settings::Storm;

/// How long nothing may join before a storm is looked into, and how long that may be put off at most.
const DEBOUNCE: i64 = 15_000;
const LONGEST: i64 = 90_000;

/// How a storm stands for one of its alerts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StormFacts {
    pub detected_at: i64,
    /// When the last alert joined it.
    pub last_at: i64,
    /// How many of its alerts were started at once.
    pub started: u32,
    pub root: Root,
}

/// The alert that stands for all of its storm, seen from one of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Root {
    /// Nobody knows yet.
    #[default]
    Open,
    /// It is this one.
    This,
    /// It is another one, and has no session yet.
    Waits,
    /// It has a session.
    Session(Linked),
}

/// The session that takes care of an alert under another alert's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    pub session_id: String,
    pub session_url: Option<String>,
}

/// One of a storm that could stand for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub job_id: String,
    /// The name of its severity; `None` where its sender gives none.
    pub severity: Option<String>,
    pub at: i64,
}

/// Whether an alert is one of so many within the window that they are a storm, where the others came at these moments.
pub fn is_storm(came_at: i64, others: &[i64], storm: &Storm) -> bool {
    let mut moments = [others, &[came_at]].concat();
    moments.sort_unstable();
    let window = i64::try_from(storm.window.as_millis()).unwrap_or(i64::MAX);
    moments.windows((storm.threshold as usize).max(1)).any(|run| {
        let (first, last) = (run[0], run[run.len() - 1]);
        last - first < window && (first..=last).contains(&came_at)
    })
}

/// When a storm is looked into.
pub fn triage_at(detected_at: i64, last_at: i64) -> i64 {
    last_at.saturating_add(DEBOUNCE).min(detected_at.saturating_add(LONGEST))
}

/// The one that stands for all: the worst, and of those the earliest.
pub fn root(candidates: &[Candidate]) -> Option<&Candidate> {
    candidates.iter().min_by_key(|one| (std::cmp::Reverse(badness(one.severity.as_deref())), one.at, &one.job_id))
}

fn badness(severity: Option<&str>) -> u8 {
    match severity {
        Some("critical") => 5,
        Some("high") => 4,
        Some("medium") => 3,
        Some("low") => 2,
        Some("info") => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_alerts_are_a_storm_and_one_less_is_none() {
        let (storm, others) = (Storm::default(), [0; 9]);
        assert_eq!([3, 4, 5].map(|count| is_storm(0, &others[..count], &storm)), [false, true, true]);
    }

    #[test]
    fn only_what_came_within_one_window_with_an_alert_counts_before_it_and_after_it() {
        let storm = Storm { threshold: 3, window: std::time::Duration::from_secs(10), immediate: 1 };
        let is_storm = |came_at, others: &[i64]| is_storm(came_at, others, &storm);
        assert_eq!([is_storm(9_999, &[0, 5_000]), is_storm(10_000, &[0, 5_000])], [true, false]);
        assert_eq!([is_storm(0, &[9_999, 5_000]), is_storm(0, &[10_000, 5_000])], [true, false]);
        assert_eq!([is_storm(5_000, &[0, 9_999]), is_storm(5_000, &[0, 10_000])], [true, false]);
        assert!(!is_storm(20_000, &[0, 1, 2, 3]), "that was another one");
        assert!(!is_storm(24_000, &[0, 12_000, 36_000, 48_000]));
    }

    #[test]
    fn each_alert_puts_the_triage_off_but_not_beyond_its_cap() {
        assert_eq!([0, 5_000, 10_000, 20_000].map(|last| triage_at(0, last)), [15_000, 20_000, 25_000, 35_000]);
        assert_eq!([74_999, 75_000, 75_001, 89_000].map(|last| triage_at(0, last)), [89_999, 90_000, 90_000, 90_000]);
    }

    #[test]
    fn the_worst_stands_for_all_and_of_those_the_earliest() {
        let one = |job: &str, severity: &str, at| Candidate {
            job_id: job.to_string(),
            severity: Some(severity.to_string()).filter(|word| !word.is_empty()),
            at,
        };
        let mut all = vec![one("a", "", 1), one("b", "info", 2), one("c", "high", 9), one("d", "high", 8)];
        assert_eq!(root(&all).unwrap().job_id, "d");
        all.push(one("e", "critical", 99));
        assert_eq!(root(&all).unwrap().job_id, "e");
        assert_eq!(root(&[]), None);
    }
}
