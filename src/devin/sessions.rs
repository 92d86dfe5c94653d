//! The calls on sessions that a relay makes: create, poll, find, tag, message, terminate.
//!
//! Creating is not idempotent in this API, so it never shares the retry of the reads: it is tried once, and its answer
//! says whether a session certainly exists, certainly does not, or may exist.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::client::{Answer, Client, Event, Refusal, to_send};
use super::connection::Connections;
use super::error::{Error, Kind};
use super::form::Form;
use super::page::{Invalid, Request, Trail};
use super::session::{NewSession, Session, bare};
use super::transport::Method;

/// What the answer to a create means.
#[derive(Debug, Clone)]
pub enum Creation {
    Created(Session),
    /// Certainly not created, and trying again would not help.
    Refused(Error),
    /// Certainly not created; worth another try after the wait, when the server named one.
    RateLimited(Error, Option<Duration>),
    /// Possibly created: never to be repeated blindly.
    Unclear(Error),
}

impl Client {
    /// Creates a session, once, whatever else is under way. Follows no redirect and reuses no connection that could break unseen.
    pub async fn create_session(&self, organization: &str, new: &NewSession, patience: Duration) -> Creation {
        let request = sessions_of(organization, &[]);
        let fail = |refusal: Refusal| refused(refusal, &request);
        let body = serde_json::to_vec(new).expect("a body with string keys serializes");
        let sent = to_send(Method::Post, &request, None, body);
        // One limit, or which of two is named would depend on which of two timers is seen first.
        let outcome = timeout(patience, self.ask(sent, Connections::Own, Duration::MAX)).await;
        let refusal = match outcome.unwrap_or_else(|_| Err(Kind::TimeUp(patience).into())) {
            Ok(answer) => match read_session(&answer) {
                Ok(session) => return Creation::Created(session),
                Err(invalid) if answer.status == 200 => Refusal::from(Kind::Invalid(invalid)),
                Err(_) => Refusal::from(Kind::Status(answer.status)),
            },
            Err(refusal) => refusal,
        };
        let wait = refusal.retry_after;
        creation(fail(refusal), wait)
    }

    /// One session as it is now.
    ///
    /// # Errors
    /// As for [`Client::page`].
    pub async fn session(&self, organization: &str, id: &str, tell: &(dyn Fn(Event) + Sync)) -> Result<Session, Error> {
        let in_path = format!("devin-{}", bare(id));
        let read = |answer: Answer| {
            let session = read_session(&answer)?;
            // What is said of another session must not be taken for this one's end.
            let is_asked_for = session.is_named(id);
            if is_asked_for { Ok(session) } else { Err(Invalid::Unexpected("it describes another session")) }
        };
        self.get(&sessions_of(organization, &[&in_path]), None, read, tell).await
    }

    /// All sessions that a query finds, every page of them. Filters that the API does not know are ignored by it: the
    /// caller checks each session. An item that cannot be read is an error only if it holds `marker`: taken for none, the
    /// session would be created again. What is somebody else's is left out.
    ///
    /// # Errors
    /// As for [`Client::page`].
    pub async fn find_sessions(
        &self,
        organization: &str,
        query: &[(&'static str, String)],
        marker: &str,
        tell: &(dyn Fn(Event) + Sync),
    ) -> Result<Vec<Session>, Error> {
        let mut request = sessions_of(organization, &[]);
        request.query = first_page().into_iter().chain(query.iter().cloned()).collect();
        let marker = marker.to_ascii_lowercase();
        self.all(&request, |item| item.to_ascii_lowercase().contains(&marker), tell).await
    }

    /// Sees whether the organization's sessions can be read.
    ///
    /// # Errors
    /// As for [`Client::page`].
    pub async fn can_list_sessions(&self, organization: &str, tell: &(dyn Fn(Event) + Sync)) -> Result<(), Error> {
        let mut request = sessions_of(organization, &[]);
        request.query = vec![("first", "1".to_string())];
        self.page(&request, &Trail::default(), tell).await.map(drop)
    }

    /// The organizations that an enterprise key may act in, as identifiers.
    ///
    /// # Errors
    /// As for [`Client::page`]; 403 and 404 say only that this key is not of that kind.
    pub async fn organizations(&self, tell: &(dyn Fn(Event) + Sync)) -> Result<Vec<String>, Error> {
        #[derive(Deserialize)]
        struct Organization {
            org_id: String,
        }
        let path = ["v3", "enterprise", "organizations"].map(str::to_string).to_vec();
        let found = self
            .all::<Organization>(&Request { path, query: first_page(), form: Form::default() }, |_| true, tell)
            .await?;
        Ok(found.into_iter().map(|organization| organization.org_id).collect())
    }

    /// Every item of a list, page after page. One that cannot be read is left out, or an error where it `matters`.
    async fn all<T: DeserializeOwned>(
        &self,
        request: &Request,
        matters: impl Fn(&str) -> bool,
        tell: &(dyn Fn(Event) + Sync),
    ) -> Result<Vec<T>, Error> {
        let mut trail = Trail::default();
        let mut found = Vec::new();
        while !trail.has_ended() {
            let page = self.page(request, &trail, tell).await?;
            for item in page.items() {
                match serde_json::from_str(item) {
                    Ok(item) => found.push(item),
                    Err(_) if !matters(item) => {}
                    Err(_) => {
                        return Err(Error {
                            kind: Kind::Invalid(Invalid::Unexpected("it lists something that lacks its identifier")),
                            path: request.encoded_path(),
                            explanation: None,
                            tries: 1,
                        });
                    }
                }
            }
            trail.advance(&page);
        }
        Ok(found)
    }

    /// Appends a tag to a session.
    ///
    /// # Errors
    /// The request's, asked once; [`Kind::WaitTooLong`] where the server asks for a wait.
    pub async fn tag_session(&self, organization: &str, id: &str, tag: &str) -> Result<(), Error> {
        let in_path = format!("devin-{}", bare(id));
        let request = sessions_of(organization, &[&in_path, "tags"]);
        let body = serde_json::json!({"tags": [tag]}).to_string().into_bytes();
        let fail = |refusal: Refusal| refused_once(refusal, &request);
        let sent = to_send(Method::Post, &request, None, body);
        self.ask(sent, Connections::Own, self.patience()).await.map(drop).map_err(fail)
    }

    /// Writes to a session, as a person would.
    ///
    /// # Errors
    /// The request's, asked once; [`Kind::WaitTooLong`] where the server asks for a wait.
    pub async fn message_session(&self, organization: &str, id: &str, message: &str) -> Result<(), Error> {
        let in_path = format!("devin-{}", bare(id));
        let request = sessions_of(organization, &[&in_path, "messages"]);
        let body = serde_json::json!({"message": message}).to_string().into_bytes();
        let fail = |refusal: Refusal| refused_once(refusal, &request);
        let sent = to_send(Method::Post, &request, None, body);
        self.ask(sent, Connections::Own, self.patience()).await.map(drop).map_err(fail)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// The request's, asked once; [`Kind::WaitTooLong`] where the server asks for a wait.
    pub async fn terminate_session(&self, organization: &str, id: &str) -> Result<(), Error> {
        let in_path = format!("devin-{}", bare(id));
        let request = sessions_of(organization, &[&in_path]);
        let fail = |refusal: Refusal| refused_once(refusal, &request);
        let sent = to_send(Method::Delete, &request, None, Vec::new());
        self.ask(sent, Connections::Kept, self.patience()).await.map(drop).map_err(fail)
    }
}

/// The whole table: what a create that brought no session means.
fn creation(error: Error, wait: Option<Duration>) -> Creation {
    match error.kind {
        Kind::Status(429) => Creation::RateLimited(error, wait),
        // Only these redirects say that the same request is to be made elsewhere; after the others it may have been done.
        Kind::Status(307 | 308) => Creation::Refused(error),
        Kind::Status(200..=399 | 408 | 409 | 500..=599)
        | Kind::Silent(_)
        | Kind::TimeUp(_)
        | Kind::Broken(_)
        | Kind::Invalid(_) => Creation::Unclear(error),
        Kind::Status(_) | Kind::WaitTooLong { .. } | Kind::Unreachable(_) | Kind::Barred(_) | Kind::Unaskable(_) => {
            Creation::Refused(error)
        }
    }
}

/// As [`refused`]; a request that is asked once waits for nothing, so the wait that the server asks for is in its error.
fn refused_once(refusal: Refusal, request: &Request) -> Error {
    let wait = refusal.retry_after.filter(|wait| !wait.is_zero());
    let error = refused(refusal, request);
    match (wait, error.kind.status()) {
        (Some(wait), Some(status)) if error.kind.is_retryable() => {
            Error { kind: Kind::WaitTooLong { status, wait }, ..error }
        }
        _ => error,
    }
}

fn refused(refusal: Refusal, request: &Request) -> Error {
    Error { kind: refusal.kind, path: request.encoded_path(), explanation: refusal.explanation, tries: 1 }
}

fn first_page() -> Vec<(&'static str, String)> {
    vec![("first", "200".to_string())]
}

fn sessions_of(organization: &str, below: &[&str]) -> Request {
    let path = ["v3", "organizations", organization, "sessions"];
    Request {
        path: path.iter().chain(below).map(ToString::to_string).collect(),
        query: Vec::new(),
        form: Form::default(),
    }
}

fn read_session(answer: &Answer) -> Result<Session, Invalid> {
    serde_json::from_slice(&answer.body).map_err(|_| Invalid::Unexpected("it does not describe a session"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Kind) -> &'static str {
        let error = Error { kind, path: String::new(), explanation: None, tries: 1 };
        match creation(error, None) {
            Creation::Created(_) => "created",
            Creation::Refused(_) => "refused",
            Creation::RateLimited(..) => "rate limited",
            Creation::Unclear(_) => "unclear",
        }
    }

    #[test]
    fn a_wait_that_is_asked_for_is_in_the_error_of_a_request_that_is_asked_once() {
        let told = |status, wait: Option<u64>| {
            let mut refusal = Refusal::from(Kind::Status(status));
            refusal.retry_after = wait.map(Duration::from_secs);
            refused_once(refusal, &sessions_of("org-1", &[])).kind
        };
        let wait = Duration::from_secs(4);
        assert_eq!(told(429, Some(4)), Kind::WaitTooLong { status: 429, wait });
        assert_eq!(told(503, Some(4)), Kind::WaitTooLong { status: 503, wait });
        assert_eq!([told(503, None), told(503, Some(0))], [Kind::Status(503), Kind::Status(503)]);
        assert_eq!(told(403, Some(4)), Kind::Status(403), "waiting does not help");
    }

    #[test]
    fn every_answer_to_a_create_is_a_no_or_a_maybe() {
        let statuses = (100..600).map(|status| (status, check(Kind::Status(status))));
        let maybe: Vec<u16> =
            statuses.clone().filter(|(_, class)| *class == "unclear").map(|(status, _)| status).collect();
        let redirects = (300..400).filter(|status| ![307, 308].contains(status));
        let certain = (200..300).chain(redirects).chain([408, 409]).chain(500..600);
        assert_eq!(maybe, certain.collect::<Vec<u16>>());
        let waits: Vec<u16> =
            statuses.filter(|(_, class)| *class == "rate limited").map(|(status, _)| status).collect();
        assert_eq!(waits, [429]);
        for (kind, class) in [
            (Kind::Unreachable(String::new()), "refused"),
            (Kind::Unaskable(String::new()), "refused"),
            (Kind::Silent(Duration::ZERO), "unclear"),
            (Kind::TimeUp(Duration::ZERO), "unclear"),
            (Kind::Broken(String::new()), "unclear"),
            (Kind::Invalid(Invalid::NoItems), "unclear"),
        ] {
            assert_eq!(check(kind.clone()), class, "{kind:?}");
        }
    }
}
