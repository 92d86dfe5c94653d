//! Counts by day and by rule, for pictures. Days are those of UTC.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde::Serialize;
use sqlx::Row as _;

use super::super::trouble::StoreError;
use super::super::work::Work;

const DAY: i64 = 86_400_000;

/// What happened in some days. Moments are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatisticsView {
    /// The first moment of the first day.
    pub since: i64,
    pub until: i64,
    /// Each day, the oldest first, also one without anything.
    pub days: Vec<DayView>,
    /// From a job's beginning to its pull request.
    pub time_to_pr: TimeView,
    /// The rules that had sessions, those that consumed most first.
    pub rules: Vec<RuleView>,
}

/// One day.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct DayView {
    /// `2026-11-28`
    pub day: String,
    pub deliveries: i64,
    /// Sessions that began.
    pub sessions: i64,
    pub acus_consumed: f64,
    /// Jobs that ended, by how: `done`, `blocked`, `dropped` or `failed`.
    pub outcomes: BTreeMap<String, i64>,
    /// Likewise, more closely: `pr_opened`, `quota_exceeded` …
    pub results: BTreeMap<String, i64>,
    /// From a job's beginning to its pull request, of those that were seen on this day.
    pub time_to_pr: TimeView,
}

/// How long it took, in milliseconds; `None` where nothing was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct TimeView {
    pub count: usize,
    pub p50_ms: Option<i64>,
    pub p90_ms: Option<i64>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleView {
    pub rule: String,
    pub sessions: i64,
    pub pull_requests: i64,
    pub acus_consumed: f64,
}

/// What happened in the last days, today among them.
///
/// # Errors
/// The database's.
pub async fn statistics(work: &mut Work<'_>, days: i64) -> Result<StatisticsView, StoreError> {
    let until = work.now;
    let today = until.div_euclid(DAY);
    let since = (today + 1 - days.max(1)) * DAY;
    let names = (today + 1 - days.max(1)..=today).map(|day| (day, DayView { day: name(day), ..DayView::default() }));
    let mut by_day: BTreeMap<i64, DayView> = names.collect();
    let mut rules: BTreeMap<String, RuleView> = BTreeMap::new();
    // A session may be the answer to several jobs; it counts once, where the first of them stands.
    let text = "SELECT day, rule, COUNT(*), SUM(has_pr), CAST(SUM(acus) AS DOUBLE PRECISION) FROM (\
        SELECT MIN(started_at) / 86400000 AS day, MIN(rule) AS rule, MAX(CASE WHEN pr_url IS NULL THEN 0 ELSE 1 END) AS has_pr, \
        MAX(COALESCE(acus_consumed, 0)) AS acus FROM jobs WHERE started_at >= $1 AND session_id IS NOT NULL \
        GROUP BY session_id) sessions GROUP BY day, rule";
    for row in sqlx::query(text).bind(since).fetch_all(&mut *work.connection).await? {
        let (day, rule): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
        let (sessions, prs, acus): (i64, i64, f64) = (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
        if let Some(view) = by_day.get_mut(&day) {
            view.sessions += sessions;
            view.acus_consumed += acus;
        }
        let zero = || RuleView { rule: rule.clone(), sessions: 0, pull_requests: 0, acus_consumed: 0.0 };
        let view = rules.entry(rule.clone()).or_insert_with(zero);
        view.sessions += sessions;
        view.pull_requests += prs;
        view.acus_consumed += acus;
    }
    let text = "SELECT settled_at / 86400000, COALESCE(status, 'done'), COALESCE(result, ''), COUNT(*) FROM jobs \
        WHERE settled_at >= $1 GROUP BY 1, 2, 3";
    for row in sqlx::query(text).bind(since).fetch_all(&mut *work.connection).await? {
        let (day, status, result): (i64, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let count: i64 = row.try_get(3)?;
        let Some(view) = by_day.get_mut(&day) else { continue };
        *view.outcomes.entry(status).or_default() += count;
        if !result.is_empty() {
            *view.results.entry(result).or_default() += count;
        }
    }
    let text = "SELECT received_at / 86400000, COUNT(*) FROM deliveries WHERE received_at >= $1 GROUP BY 1";
    for row in sqlx::query(text).bind(since).fetch_all(&mut *work.connection).await? {
        if let Some(view) = by_day.get_mut(&row.try_get::<i64, _>(0)?) {
            view.deliveries = row.try_get(1)?;
        }
    }
    let text = "SELECT MIN(pr_at) / 86400000, MIN(pr_at) - MIN(created_at) FROM jobs WHERE pr_at >= $1 \
        GROUP BY session_id ORDER BY 2";
    let (mut times, mut times_by_day) = (Vec::new(), BTreeMap::<i64, Vec<i64>>::new());
    for row in sqlx::query(text).bind(since).fetch_all(&mut *work.connection).await? {
        let (day, time): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        times.push(time);
        times_by_day.entry(day).or_default().push(time);
    }
    for (day, times) in times_by_day {
        if let Some(view) = by_day.get_mut(&day) {
            view.time_to_pr = TimeView::of(&times);
        }
    }
    let mut rules: Vec<RuleView> = rules.into_values().collect();
    rules.sort_by(|one, other| {
        other.acus_consumed.total_cmp(&one.acus_consumed).then(other.sessions.cmp(&one.sessions))
    });
    Ok(StatisticsView { since, until, days: by_day.into_values().collect(), time_to_pr: TimeView::of(&times), rules })
}

impl TimeView {
    /// By the nearest rank; `times` are sorted.
    fn of(times: &[i64]) -> TimeView {
        let rank = |percent: usize| times.get((times.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        TimeView { count: times.len(), p50_ms: rank(50), p90_ms: rank(90) }
    }
}

fn name(day: i64) -> String {
    DateTime::from_timestamp_millis(day * DAY).map(|moment| moment.format("%Y-%m-%d").to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_time_that_was_there() {
        let ten: Vec<i64> = (1..=10).collect();
        for (times, p50, p90) in [(&[][..], None, None), (&[7], Some(7), Some(7)), (&ten, Some(5), Some(9))] {
            let TimeView { p50_ms, p90_ms, .. } = TimeView::of(times);
            assert_eq!((p50_ms, p90_ms), (p50, p90), "{times:?}");
        }
    }
}
