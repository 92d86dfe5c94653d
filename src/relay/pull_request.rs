//! Which of a session's pull requests speaks for it, and what has been seen of them. Pure.

use serde::{Deserialize, Serialize};

use crate::devin::session::PullRequest;

/// Where a pull request stands, the one that matters most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PullRequestState {
    /// Drafts, too.
    Open,
    /// Not told, or a word that this program does not know.
    Unknown,
    Merged,
    Closed,
}

/// What the API's free text means.
pub fn state_of(pull_request: &PullRequest) -> PullRequestState {
    match pull_request.pr_state.as_deref().map(|state| state.trim().to_ascii_lowercase()).as_deref() {
        Some("open" | "opened" | "draft") => PullRequestState::Open,
        Some("merged") => PullRequestState::Merged,
        Some("closed") => PullRequestState::Closed,
        _ => PullRequestState::Unknown,
    }
}

/// The pull request to name: of the wanted repositories before others, open before merged before closed, and the highest
/// number. `None` when there is none.
pub fn best<'a>(pull_requests: &'a [PullRequest], repos: &[String]) -> Option<&'a PullRequest> {
    pull_requests.iter().min_by_key(|pull_request| {
        let is_foreign = !repos.is_empty() && !is_of(pull_request, repos);
        (is_foreign, state_of(pull_request), std::cmp::Reverse(number(&pull_request.pr_url)))
    })
}

/// Whether a pull request is of one of these repositories, each `owner/name`.
pub fn is_of(pull_request: &PullRequest, repos: &[String]) -> bool {
    let url = pull_request.pr_url.to_ascii_lowercase();
    repos.iter().any(|repo| {
        let repo = format!("/{}/", repo.trim_matches('/').to_ascii_lowercase());
        url.split_once("://").map_or(&*url, |(_, rest)| rest).contains(&repo)
    })
}

/// Adds what a poll has shown to what earlier ones have: what was once seen is remembered, with its latest state.
pub fn remember(seen: &mut Vec<PullRequest>, shown: &[PullRequest]) {
    for pull_request in shown {
        match seen.iter_mut().find(|known| known.pr_url == pull_request.pr_url) {
            Some(known) => *known = pull_request.clone(),
            None => seen.push(pull_request.clone()),
        }
    }
}

fn number(url: &str) -> u64 {
    let digits = url.trim_end_matches('/').rsplit(['/', '#', '!']).find_map(|part| part.parse().ok());
    digits.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<PullRequest> {
        text.split(' ')
            .map(|item| {
                let (url, state) = item.split_once('=').map_or((item, None), |(url, state)| (url, Some(state)));
                PullRequest { pr_url: format!("https://github.com/{url}"), pr_state: state.map(str::to_string) }
            })
            .collect()
    }

    fn named(text: &str, repos: &[&str]) -> String {
        let repos: Vec<String> = repos.iter().map(ToString::to_string).collect();
        best(&list(text), &repos).unwrap().pr_url.replace("https://github.com/", "")
    }

    #[test]
    fn an_open_pull_request_of_the_wanted_repository_speaks_for_the_session() {
        assert_eq!(named("a/b/pull/1=closed a/b/pull/2=open", &[]), "a/b/pull/2");
        assert_eq!(named("a/b/pull/1=draft a/b/pull/2=merged", &[]), "a/b/pull/1");
        assert_eq!(named("a/b/pull/1=closed a/b/pull/2=merged", &[]), "a/b/pull/2");
        assert_eq!(named("a/b/pull/1=open a/b/pull/10=open a/b/pull/9=OPEN", &[]), "a/b/pull/10");
        assert_eq!(named("a/b/pull/1=closed a/b/pull/2", &[]), "a/b/pull/2");
        assert_eq!(named("x/y/pull/9=open a/b/pull/1=closed", &["A/B"]), "a/b/pull/1");
        assert_eq!(named("x/y/pull/8=closed x/y/pull/9=open", &["a/b"]), "x/y/pull/9");
        assert!(best(&[], &[]).is_none());
    }

    #[test]
    fn a_pull_request_that_was_seen_is_remembered_with_its_latest_state() {
        let mut seen = list("a/b/pull/1=open");
        remember(&mut seen, &[]);
        remember(&mut seen, &list("a/b/pull/2=open a/b/pull/1=closed"));
        assert_eq!(seen, list("a/b/pull/1=closed a/b/pull/2=open"));
    }
}
