//! Limits and budgets: how much of each is used.

use serde::Serialize;

use super::super::admission;
use super::super::trouble::StoreError;
use super::super::work::Work;
use crate::relay::serve::gates::Limits;

const DAY: i64 = 86_400_000;

/// What has limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub kind: ScopeKind,
    /// Of the integration or the rule; empty for the bridge.
    pub name: String,
    pub limits: Limits,
}

/// What kind of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeKind {
    Bridge,
    Integration,
    Rule,
}

/// How much of its limits is used, as programs are shown it. What has no limit is `None` or left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UsageView {
    pub scope: ScopeKind,
    /// `None` for the bridge.
    pub name: Option<String>,
    pub concurrent_sessions: Option<Share>,
    pub runs: Vec<WindowView>,
    /// From midnight to midnight (UTC).
    pub acu_per_day: Option<Share>,
    /// When the ACUs of the day begin anew, in Unix milliseconds.
    pub acu_resets_at: Option<i64>,
}

/// What is used of what there is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    pub used: f64,
    pub of: u32,
}

/// Starts within a time that ends now.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct WindowView {
    pub within_seconds: u64,
    #[serde(flatten)]
    pub share: Share,
    /// When the next one may start, in Unix milliseconds; `None` where one may now.
    pub free_at: Option<i64>,
}

/// How much of these limits is used, in their order. One without limits is left out.
///
/// # Errors
/// The database's.
pub async fn usage(work: &mut Work<'_>, scopes: &[Scope]) -> Result<Vec<UsageView>, StoreError> {
    let mut views = Vec::new();
    for Scope { kind, name, limits } in scopes.iter().filter(|scope| scope.limits != Limits::default()) {
        let column = match kind {
            ScopeKind::Bridge => ("", ""),
            ScopeKind::Integration => ("integration", name.as_str()),
            ScopeKind::Rule => ("rule", name.as_str()),
        };
        let used = admission::usage(work, limits, column, ("", None)).await?;
        let window = |runs: &crate::relay::serve::gates::Runs| {
            let within = i64::try_from(runs.within.as_millis()).unwrap_or(i64::MAX);
            let starts: Vec<i64> = used.starts.iter().copied().filter(|at| work.now - at < within).collect();
            let last = usize::try_from(runs.count).unwrap_or(usize::MAX).checked_sub(1);
            let holds = last.and_then(|last| starts.get(last));
            WindowView {
                within_seconds: runs.within.as_secs(),
                share: Share { used: starts.len() as f64, of: runs.count },
                free_at: holds.map(|at| at.saturating_add(within)),
            }
        };
        views.push(UsageView {
            scope: *kind,
            name: Some(name.clone()).filter(|_| *kind != ScopeKind::Bridge),
            concurrent_sessions: limits.concurrent_sessions.map(|of| Share { used: f64::from(used.at_work), of }),
            runs: limits.runs.iter().map(window).collect(),
            acu_per_day: limits.acu_per_day.map(|of| Share { used: used.acus, of }),
            acu_resets_at: limits.acu_per_day.map(|_| (work.now.div_euclid(DAY) + 1) * DAY),
        });
    }
    Ok(views)
}
