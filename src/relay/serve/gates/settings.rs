//! What a rules file says about when a job may start. Pure. What a rule says is kept with the job, so that a change of the
//! file changes no job that is under way; [`Bounds`] are those of the file as it is now.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::relay::serve::notify::Subscription;

/// What a rule asks of an alert before it starts a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gates {
    /// The rule; part of the namespace of its alerts' tags.
    pub rule: String,
    /// How long an alert has to fire first; zero for not at all.
    pub delay: Duration,
    /// How often it has to fire first; `None` for once.
    pub min_occurrences: Option<Occurrences>,
    /// A job that has not started for so long is dropped.
    pub max_wait: Duration,
    /// `None` where many alerts at once are no storm.
    pub storm: Option<Storm>,
    /// What holds for all jobs of this rule together.
    pub limits: Limits,
    /// Who hears of what becomes of them: no question, and yet kept with each job as all of this is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<Subscription>,
}

/// So many firings within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrences {
    /// At least 1.
    pub count: u32,
    pub within: Duration,
}

impl Occurrences {
    /// When an alert had fired so often within that time, but not before it was `made` a job; `None` while it has not. Whenever somebody
    /// asks, the answer is the same: what has held it since then changes nothing.
    pub fn reached_at(&self, firings: &[i64], made: i64) -> Option<i64> {
        self.first_run(firings, made).map(|(_, last)| last.max(made))
    }

    /// The first and the last of the firings by which that is known.
    pub fn first_run(&self, firings: &[i64], made: i64) -> Option<(i64, i64)> {
        let mut firings = firings.to_vec();
        firings.sort_unstable();
        let count = (self.count as usize).max(1);
        let mut runs = firings.windows(count).map(|run| (run[0], run[count - 1]));
        runs.find(|(first, last)| last.max(&made) - first < self.within_ms())
    }

    /// Since when firings count for what fires from `now` on: no more of them than the count are needed, and none from before the time.
    pub fn counts_since(&self, firings: &[i64], now: i64) -> i64 {
        let mut firings = firings.to_vec();
        firings.sort_unstable_by(|one, other| other.cmp(one));
        let enough = firings.get((self.count as usize).saturating_sub(1)).copied().unwrap_or(i64::MIN);
        enough.max(now.saturating_sub(self.within_ms()).saturating_add(1))
    }

    fn within_ms(&self) -> i64 {
        i64::try_from(self.within.as_millis()).unwrap_or(i64::MAX)
    }
}

/// When many alerts at once are one incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storm {
    /// So many alerts within `window`, or more, are a storm: 2 to 50.
    pub threshold: u32,
    /// From 10 to 300 seconds.
    pub window: Duration,
    /// So many of them start at once all the same: 0 to 5.
    pub immediate: u32,
}

impl Default for Storm {
    fn default() -> Storm {
        Storm { threshold: 5, window: Duration::from_secs(60), immediate: 2 }
    }
}

/// How much may be started: by the bridge, for an integration, or by a rule. All that are given hold side by side.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Sessions at work at one time; `None` for any number.
    pub concurrent_sessions: Option<u32>,
    /// Starts within windows of time that end now; all of them hold.
    pub runs: Vec<Runs>,
    /// ACUs from one midnight (UTC) to the next; `None` for any number. Sessions then need a `max_acu_limit`.
    pub acu_per_day: Option<u32>,
}

/// So many starts within a time, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runs {
    pub count: u32,
    pub within: Duration,
}

/// What holds for all jobs, whenever they were made: as the file says it when a job is about to start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bounds {
    /// For all jobs of the bridge together.
    pub limits: Limits,
    /// For those of an integration, by its name.
    pub integrations: BTreeMap<String, Limits>,
    /// Rules whose alerts start nothing, by their identifiers.
    pub disabled: BTreeSet<String>,
    /// As long as something stands in this file, nothing starts.
    pub kill_switch: Option<PathBuf>,
}

impl Gates {
    /// A rule that starts whatever fires, at once.
    pub fn open(rule: &str) -> Gates {
        Gates {
            rule: rule.to_string(),
            delay: Duration::ZERO,
            min_occurrences: None,
            max_wait: Duration::from_secs(3600),
            storm: None,
            limits: Limits::default(),
            notify: Vec::new(),
        }
    }
}
