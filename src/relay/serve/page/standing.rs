//! How an alert stands, in one word and one color: one table over what the store says of its last job. Pure.

use super::view::JobRow;

/// How an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No rule has made a job of it.
    NoJob,
    /// Its job may not start yet.
    Waiting,
    /// A session is looked for or created.
    Starting,
    /// A session works on it.
    Working,
    /// Devin asks a person.
    Blocked,
    PullRequest,
    /// It ended well without a pull request.
    Done,
    /// Dropped, because a limit or a bill stopped it: a person may retry.
    OutOfQuota,
    /// It ended without a result.
    Dropped,
}

impl Standing {
    /// How an alert with this last job stands.
    pub fn of(job: Option<&JobRow>) -> Standing {
        let Some(job) = job else { return Standing::NoJob };
        let has_pr = job.pr_url.is_some();
        match (job.status.as_deref(), job.result.as_deref()) {
            (Some("blocked"), _) => Standing::Blocked,
            (Some("done"), Some("pr_closed")) => Standing::Done,
            (Some("done"), _) if has_pr => Standing::PullRequest,
            (Some("done"), _) => Standing::Done,
            (Some(_), Some("quota_exceeded")) => Standing::OutOfQuota,
            (Some(_), _) => Standing::Dropped,
            // An earlier session takes care of it, or it was left alone.
            (None, _) if job.settled_at.is_some() => Standing::Done,
            (None, _) => match job.phase.as_str() {
                "received" => Standing::Waiting,
                "watching" => Standing::Working,
                _ if job.session.is_some() => Standing::Working,
                _ if job.waits.is_some() => Standing::Waiting,
                _ => Standing::Starting,
            },
        }
    }

    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Standing::NoJob => "No session",
            Standing::Waiting => "Waiting",
            Standing::Starting => "Starting",
            Standing::Working => "Working",
            Standing::Blocked => "Needs a person",
            Standing::PullRequest => "Pull request",
            Standing::Done => "Done",
            Standing::Dropped | Standing::OutOfQuota => "Dropped",
        }
    }

    /// The class that colors it.
    pub fn tone(self) -> &'static str {
        match self {
            Standing::NoJob | Standing::Done | Standing::Dropped => "quiet",
            Standing::Waiting => "wait",
            Standing::Starting | Standing::Working => "work",
            Standing::Blocked => "warn",
            Standing::PullRequest => "good",
            Standing::OutOfQuota => "bad",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_has_a_standing() {
        let ends = [
            ("received", None, None, None),
            ("finding", None, None, None),
            ("creating", None, None, None),
            ("watching", None, None, None),
            ("watching", None, None, Some("https://a.b/pull/1")),
            ("settled", None, None, None),
            ("settled", Some("done"), Some("pr_opened"), Some("https://a.b/pull/1")),
            ("settled", Some("done"), Some("pr_closed"), Some("https://a.b/pull/1")),
            ("settled", Some("done"), Some("no_pr"), None),
            ("settled", Some("done"), Some("attached"), None),
            ("settled", Some("blocked"), Some("waiting_for_user"), None),
            ("settled", Some("dropped"), Some("quota_exceeded"), None),
            ("settled", Some("dropped"), Some("session_error"), None),
            ("settled", Some("failed"), None, None),
        ];
        let table = ends.map(|(phase, status, result, pr_url)| {
            let job = JobRow {
                phase: phase.to_string(),
                status: status.map(str::to_string),
                result: result.map(str::to_string),
                pr_url: pr_url.map(str::to_string),
                settled_at: (phase == "settled").then_some(1),
                ..JobRow::default()
            };
            let (status, result) = (status.unwrap_or("-"), result.unwrap_or("-"));
            format!("{phase} {status} {result}: {}", Standing::of(Some(&job)).word())
        });
        insta::assert_snapshot!(table.join("\n"));
        assert_eq!(Standing::of(None), Standing::NoJob);
    }
}
