//! What a sender's word says about an alert: that it fires, has ended, or is in between. Pure.

use crate::relay::text;

/// Whether an alert is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    Firing,
    Resolved,
    /// Something in between that starts nothing and ends nothing, in the sender's word: `acknowledged`, `Warn`.
    Other(String),
    /// What the sender sends to try the connection, known by its own mark.
    Test,
}

/// Words that fire whatever they stand beside, in lowercase, with letters and digits only.
const FIRING: [&str; 83] = [
    "firing",
    "fired",
    "fire",
    "alerting",
    "alert",
    "alerted",
    "alarm",
    "inalarm",
    "triggered",
    "trigger",
    "triggering",
    "retriggered",
    "activated",
    "problem",
    "down",
    "failed",
    "failing",
    "failure",
    "fail",
    "error",
    "errored",
    "critical",
    "warning",
    "warn",
    "degraded",
    "degradedperformance",
    "outage",
    "majoroutage",
    "partialoutage",
    "unhealthy",
    "broken",
    "stillfailing",
    "regressed",
    "regression",
    "escalating",
    "escalated",
    "breached",
    "violated",
    "violation",
    "unreachable",
    "unavailable",
    "offline",
    "crashed",
    "timedout",
    "timeout",
    "nodata",
    "missing",
    "detected",
    "late",
    "overdue",
    "exceeded",
    "unsuccessful",
    "rejected",
    "major",
    "minor",
    "red",
    "bad",
    "incident",
    "anomalous",
    "reactivated",
    "occurred",
    "crit",
    "emergency",
    "fatal",
    "stale",
    "disconnected",
    "exhausted",
    "flapping",
    "faulted",
    "notok",
    "impacted",
    "disrupted",
    "disruption",
    "crashloopbackoff",
    "backoff",
    "oomkilled",
    "imagepullbackoff",
    "evicted",
    "unschedulable",
    "trouble",
    "poor",
    "notready",
    "notresponding",
];

/// Words that fire, but that orders, tickets and pull requests have too.
const OPEN: [&str; 17] = [
    "open",
    "opened",
    "new",
    "active",
    "create",
    "created",
    "started",
    "start",
    "reopened",
    "reopen",
    "unresolved",
    "investigating",
    "identified",
    "on",
    "true",
    "1",
    "yes",
];

const RESOLVED: [&str; 44] = [
    "resolved",
    "resolve",
    "ok",
    "okay",
    "normal",
    "closed",
    "close",
    "recovered",
    "recovery",
    "inactive",
    "up",
    "success",
    "succeeded",
    "successful",
    "pass",
    "passed",
    "passing",
    "fixed",
    "cleared",
    "clear",
    "healthy",
    "completed",
    "complete",
    "deactivated",
    "operational",
    "online",
    "ended",
    "finished",
    "green",
    "available",
    "good",
    "false",
    "end",
    "stop",
    "ready",
    "back",
    "restored",
    "deescalated",
    "mitigated",
    "reconnected",
    "nominal",
    "solved",
    "done",
    "deployed",
];

const BETWEEN: [&str; 59] = [
    "acknowledged",
    "acknowledge",
    "ack",
    "acked",
    "snoozed",
    "snooze",
    "muted",
    "mute",
    "silenced",
    "suppressed",
    "paused",
    "pending",
    "running",
    "queued",
    "building",
    "scheduled",
    "upcoming",
    "inprogress",
    "progressing",
    "waiting",
    "validating",
    "unconfirmed",
    "assigned",
    "assign",
    "unassigned",
    "archived",
    "ignored",
    "ongoing",
    "updated",
    "update",
    "edited",
    "annotated",
    "insufficientdata",
    "monitoring",
    "maintenance",
    "undermaintenance",
    "cancelled",
    "canceled",
    "stopped",
    "skipped",
    "neutral",
    "dismissed",
    "delegated",
    "renotify",
    "acknowledgement",
    "acknowledgment",
    "downtimestart",
    "downtimeend",
    "downtimecancelled",
    "flappingstart",
    "flappingstop",
    "flappingdisabled",
    "custom",
    "requested",
    "postponed",
    "enqueued",
    "blocked",
    "uploading",
    "processing",
];

impl State {
    /// What a word means where a sender has no closed list of its own; `None` for a word nobody knows.
    pub fn known(word: &str) -> Option<State> {
        let plain = plain(word);
        if FIRING.contains(&plain.as_str()) || OPEN.contains(&plain.as_str()) {
            Some(State::Firing)
        } else if RESOLVED.contains(&plain.as_str()) {
            Some(State::Resolved)
        } else {
            BETWEEN.contains(&plain.as_str()).then(|| State::other(word))
        }
    }

    /// Like [`State::known`]; a word nobody knows fires, so that no alert is dropped for it.
    pub fn from_word(word: &str) -> State {
        State::known(word).unwrap_or(State::Firing)
    }

    /// Whether a word fires that is said of alerts only.
    pub fn is_alarm(word: &str) -> bool {
        FIRING.contains(&plain(word).as_str())
    }

    /// A word of the sender's, made fit to be printed.
    pub fn other(word: &str) -> State {
        State::Other(text::clean_line(word, 40))
    }

    /// Whether a session is due.
    pub fn is_firing(&self) -> bool {
        *self == State::Firing
    }

    /// The word to print.
    pub fn name(&self) -> &str {
        match self {
            State::Firing => "firing",
            State::Resolved => "resolved",
            State::Other(word) => word,
            State::Test => "test",
        }
    }
}

fn plain(word: &str) -> String {
    word.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_one_meaning() {
        let mut words: Vec<&str> = FIRING.into_iter().chain(OPEN).chain(RESOLVED).chain(BETWEEN).collect();
        assert!(words.iter().all(|word| plain(word) == *word));
        let all = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), all);
    }

    #[test]
    fn states_come_from_words_and_an_unknown_one_fires() {
        let words = [
            "firing",
            "Alerting",
            "IN_ALARM",
            "No Data",
            "resolved",
            "OK",
            "recovery",
            "In Progress",
            "re\u{202e}notify\n",
            "blorp",
        ];
        let read: Vec<String> = words.iter().map(|word| format!("{:?}", State::from_word(word))).collect();
        insta::assert_snapshot!(read.join("\n"), @r#"
        Firing
        Firing
        Firing
        Firing
        Resolved
        Resolved
        Resolved
        Other("In Progress")
        Other("renotify")
        Firing
        "#);
        assert_eq!(State::known("blorp"), None);
    }
}
