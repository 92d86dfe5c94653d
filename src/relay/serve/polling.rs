//! Sessions that are due at the same time are asked for in one list, by their identifiers: a thousand watched sessions cost
//! twenty requests. A session that such a list does not show is asked for by itself, because a list may lag.

use std::sync::Arc;

use super::integration::{Integration, Requests};
use super::polls::{Poll, Polls};
use crate::devin::session::Session;
use crate::devin::{Error, Kind};

/// Makes the polls of `integration`. Never ends.
pub async fn make(integration: &Arc<Integration>) {
    loop {
        for polls in integration.polls.next().await {
            tokio::spawn(ask(Arc::clone(integration), polls));
        }
    }
}

/// Asks for these sessions: first for all of them, then for each that was not listed.
async fn ask(integration: Arc<Integration>, polls: Vec<Poll>) {
    // Where there is no way to ask, whoever waits is told by the end of its channel.
    let Some(requests) = integration.requests() else { return };
    let listed = if polls.len() > 1 && !integration.polls.is_alone() {
        list(&requests, &polls, &integration.polls).await
    } else {
        Ok(Vec::new())
    };
    for poll in polls {
        let result = match &listed {
            Ok(found) => match found.iter().find(|session| session.is_named(&poll.session_id)) {
                Some(session) => Ok(session.clone()),
                None => requests.poll_alone(&poll.session_id).await,
            },
            Err(error) => Err(error.clone()),
        };
        integration.polls.answer(poll, result);
    }
}

async fn list(requests: &Requests<'_>, polls: &[Poll], all: &Polls) -> Result<Vec<Session>, Error> {
    let found = match requests.list(polls.iter().map(|poll| poll.session_id.as_str())).await {
        // It does not take so many, or no such filter: that says nothing about the sessions.
        Err(Error { kind: Kind::Status(400 | 404 | 414 | 422), .. }) => {
            all.leave_alone();
            return Ok(Vec::new());
        }
        // One of these sessions may be what this key may not see.
        Err(Error { kind: Kind::Status(403), .. }) => return Ok(Vec::new()),
        found => found?,
    };
    let is_asked_for = |session: &Session| polls.iter().any(|poll| session.is_named(&poll.session_id));
    if !found.iter().all(is_asked_for) {
        all.leave_alone();
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;
    use crate::devin::retry::Policy;
    use crate::devin::transport::{Answering, HttpRequest, HttpResponse, Transport};
    use crate::devin::{Client, Settings, Token};
    use crate::relay::serve::integration::IntegrationSettings;

    /// Lists what is asked for but `z`, or where the filter is ignored everything, and remembers what it was asked.
    #[derive(Debug, Default)]
    struct Api {
        ignores: bool,
        /// Refuses lists, because of a session that the key may not see.
        forbids: bool,
        asked: Mutex<Vec<String>>,
    }

    impl Transport for Api {
        fn send(&self, request: HttpRequest) -> Answering<'_> {
            let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
            let asked = path.trim_start_matches("/v3/organizations/org-1/");
            let ids: Vec<&str> = query.split('&').filter_map(|pair| pair.strip_prefix("session_ids=")).collect();
            self.asked.lock().unwrap().push(format!("{asked} {}", ids.len()));
            let item = |id: &str| format!(r#"{{"session_id": "{id}", "status": "running"}}"#);
            let body = match asked.strip_prefix("sessions/devin-") {
                Some(id) => item(id),
                None if self.ignores => format!(r#"{{"items": [{}], "has_next_page": false}}"#, item("stranger")),
                None => {
                    let items: Vec<String> = ids.iter().filter(|id| **id != "z").map(|id| item(id)).collect();
                    format!(r#"{{"items": [{}], "has_next_page": false}}"#, items.join(","))
                }
            };
            let status = if self.forbids && asked == "sessions" { 403 } else { 200 };
            Box::pin(async move { Ok(HttpResponse { status, body: body.into_bytes(), ..HttpResponse::default() }) })
        }
    }

    /// Polls all of these at once, twice, and answers with what was asked.
    async fn check(api: Api, ids: &[&str]) -> Vec<String> {
        let api = Arc::new(api);
        let settings = Settings {
            api_url: String::new(),
            token: Token::new("cog_t3st-0nly_k3y"),
            policy: Policy::brief(),
            concurrency: 1,
        };
        let client = Client::over(Arc::clone(&api) as Arc<dyn Transport>, settings);
        let integration = Arc::new(Integration::new(IntegrationSettings {
            name: "one".to_string(),
            client,
            org_id: None,
            create_timeout: Duration::from_secs(1),
        }));
        integration.make_ready("org-1");
        let making = tokio::spawn({
            let integration = Arc::clone(&integration);
            async move { make(&integration).await }
        });
        for _ in 0..2 {
            let mut all = tokio::task::JoinSet::new();
            for id in ids {
                let (integration, id) = (Arc::clone(&integration), id.to_string());
                all.spawn(async move { integration.polls.poll(&id).await.unwrap().session_id == id });
            }
            assert!(all.join_all().await.into_iter().all(|is_right| is_right));
        }
        making.abort();
        std::mem::take(&mut *api.asked.lock().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn sessions_that_are_due_together_are_asked_for_in_one_list() {
        assert_eq!(check(Api::default(), &["a", "b", "c"]).await, ["sessions 3", "sessions 3"]);
        assert_eq!(check(Api::default(), &["a"]).await, ["sessions/devin-a 0", "sessions/devin-a 0"]);
        let many: Vec<String> = (0..120).map(|number| format!("s{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let asked = check(Api::default(), &many).await;
        let mut asked: Vec<&str> = asked.iter().map(String::as_str).collect();
        asked.sort_unstable();
        assert_eq!(asked, ["sessions 20", "sessions 20", "sessions 50", "sessions 50", "sessions 50", "sessions 50"]);
    }

    #[tokio::test(start_paused = true)]
    async fn absence_from_a_list_is_no_end() {
        let asked = check(Api::default(), &["a", "z"]).await;
        assert_eq!(asked, ["sessions 2", "sessions/devin-z 0", "sessions 2", "sessions/devin-z 0"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_that_is_forbidden_says_nothing_about_each_session() {
        let asked = check(Api { forbids: true, ..Api::default() }, &["a", "b"]).await;
        assert_eq!(asked, ["sessions 2", "sessions/devin-a 0", "sessions/devin-b 0"].repeat(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_filter_that_is_ignored_is_not_used_again() {
        let asked = check(Api { ignores: true, ..Api::default() }, &["a", "b"]).await;
        let alone = |id: &str| format!("sessions/devin-{id} 0");
        assert_eq!(asked, ["sessions 2".to_string(), alone("a"), alone("b"), alone("a"), alone("b")]);
    }
}
