//! What programs see: who answers each address, and what all of these answers have in common.

pub mod acting;
mod backing_up;
mod lists;
mod simulating;
pub mod state;

use std::net::SocketAddr;

use hyper::body::Incoming;
use hyper::header::{ALLOW, WWW_AUTHENTICATE};
use hyper::http::HeaderValue;
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode, Version};
use serde::de::DeserializeOwned;

pub use acting::{Act, Who};
pub use state::scopes;

use super::answer::Answer;
use super::body::{self, Body};
use super::busy;
use super::endpoints::{self, Endpoint, Handler};
use super::places::Place;
use super::query::{Query, decoded};
use super::{Door, refuse_method};
use crate::devin::client::now_s;
use crate::relay::serve::access::{Caller, Denied, Right};
use crate::relay::serve::auth;
use crate::relay::serve::store::StoreError;

/// The description of all of this for programs.
pub const DESCRIPTION: &str = include_str!("../../../../../schemas/relay-api.json");

/// A request that may be answered.
struct Asked {
    query: Query,
    /// What stands in the braces of the path; empty where there are none.
    id: String,
    who: Who,
    head: Parts,
    body: Incoming,
}

impl Door {
    /// Answers whatever is no delivery.
    pub(super) async fn ask(&self, request: Request<Incoming>, peer: SocketAddr, place: &Place) -> Answer {
        let path = request.uri().path().to_string();
        let found = endpoints::at(&path);
        if found.is_empty() {
            let reason = "there is nothing at this address: deliveries go to /v1/hooks/NAME, and /api/v1/openapi.json describes what can be asked";
            return Answer::problem(StatusCode::NOT_FOUND, reason);
        }
        let allowed = endpoints::allowed(&found);
        if request.method() == Method::OPTIONS {
            let allowed = HeaderValue::from_str(&allowed).unwrap_or_else(|_| HeaderValue::from_static("OPTIONS"));
            return Answer::empty(StatusCode::NO_CONTENT).with(ALLOW, allowed);
        }
        let Some((endpoint, id)) = found.iter().find(|(endpoint, _)| endpoint.takes(request.method())) else {
            return refuse_method(&allowed);
        };
        let _work = place.work();
        let answer = self.answer_at(endpoint, id.unwrap_or_default(), request, peer).await;
        answer.unwrap_or_else(|refusal| refusal).without_secrets(&self.live.now().redactor)
    }

    /// Who asks. A program or page shows who it is, or comes from this machine.
    ///
    /// # Errors
    /// Why it may see nothing.
    pub(super) fn caller(&self, head: &Parts, peer: SocketAddr) -> Result<Caller, Denied> {
        let is_safe = head.method.is_safe();
        match self.with_request(head, peer, |request| self.live.now().rules.access.caller(request, is_safe)) {
            // The status page leads to answers of the API.
            Err(Denied::NoToken) => self.looker(head, peer).ok_or(Denied::NoToken),
            caller => caller,
        }
    }

    /// Asks something about a request without its body, such as whether one of this bridge's own pages has sent it.
    pub(super) fn with_request<T>(&self, head: &Parts, peer: SocketAddr, ask: impl FnOnce(auth::Request) -> T) -> T {
        let headers: Vec<(&str, &[u8])> =
            head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let (peer, is_http_1_0) = (peer.ip(), head.version < Version::HTTP_11);
        ask(auth::Request { headers: &headers, body: &[], path_secret: None, peer, is_http_1_0, now: now_s() })
    }

    async fn answer_at(
        &self,
        endpoint: &Endpoint,
        id: &str,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Answer, Answer> {
        let (head, body) = request.into_parts();
        let caller = self.caller(&head, peer).and_then(|caller| caller.with(endpoint.right));
        let caller = match (caller, endpoint.right) {
            // Whether the bridge lives is for everybody; why it does not is for those who may read.
            (Err(_), Right::Nothing) => Caller { right: Right::Nothing, token: None },
            (caller, _) => caller.map_err(|denied| deny(&denied))?,
        };
        // Whoever only looks whether the bridge lives may add what keeps an answer from being kept.
        let query = head.uri.query().filter(|_| endpoint.right > Right::Nothing);
        let query = Query::read(query, endpoint.query)?;
        let id = decoded(&id.replace('+', "%2B"))
            .ok_or_else(|| Answer::problem(StatusCode::BAD_REQUEST, "the path is not percent-encoded UTF-8"))?;
        let (right, who) = (caller.right, Who::new(&caller, peer));
        let asked = Asked { query, id, who, head, body };
        match endpoint.handler {
            Handler::Health => Ok(Answer::new(StatusCode::OK, serde_json::json!({"status": "ok"}))),
            Handler::Readiness => Ok(self.readiness(right).await),
            Handler::Metrics => Ok(self.show_metrics().await),
            Handler::Description => {
                let described = serde_json::from_str(DESCRIPTION);
                let broken = |_| Answer::problem(StatusCode::INTERNAL_SERVER_ERROR, "the description is broken");
                Ok(Answer::new(StatusCode::OK, described.map_err(broken)?))
            }
            Handler::Alerts => self.list_alerts(&asked.query).await,
            Handler::Alert => self.show_alert(&asked.id).await,
            Handler::Jobs => self.list_jobs(&asked.query).await,
            Handler::Job => self.show_job(&asked.id).await,
            Handler::Deliveries => self.list_deliveries(&asked.query).await,
            Handler::Delivery => self.show_delivery(&asked.id, right).await,
            Handler::Decisions => self.list_decisions(&asked.query).await,
            Handler::Storms => self.list_storms(&asked.query).await,
            Handler::Notifications => self.list_notifications(&asked.query).await,
            Handler::Actions => self.list_actions(&asked.query).await,
            Handler::Suppressions => self.list_suppressions().await,
            Handler::Rules => self.rules().await,
            Handler::Limits => self.limits().await,
            Handler::Integrations => self.integrations().await,
            Handler::Statistics => self.statistics(&asked.query).await,
            Handler::Switches => self.show_switches().await,
            Handler::BackUp => self.back_up(&asked.who).await,
            Handler::Simulate => self.simulate(asked).await,
            _ => self.act_as_asked(endpoint.handler, asked).await,
        }
    }

    fn unreadable(&self, what: &str, error: &StoreError) -> Answer {
        self.log.store_failed(&format!("the {what} cannot be read"), error);
        busy(&format!("the {what} cannot be read now"))
    }
}

impl Asked {
    /// The body, unpacked.
    ///
    /// # Errors
    /// The answer that says why it is not taken.
    async fn bytes(self) -> Result<Vec<u8>, Answer> {
        let Body { sent, unpacked } = body::receive(&self.head.headers, self.body).await?;
        unpacked.unwrap_or(Ok(sent))
    }

    /// The body as what is wanted.
    ///
    /// # Errors
    /// The answer that says what to send.
    async fn json<T: DeserializeOwned>(self, expected: &str) -> Result<T, Answer> {
        let bytes = self.bytes().await?;
        serde_json::from_slice(&bytes).map_err(|_| Answer::problem(StatusCode::BAD_REQUEST, expected))
    }
}

/// The answer to whoever may not see or do something.
pub(super) fn deny(denied: &Denied) -> Answer {
    let status = StatusCode::from_u16(denied.status()).unwrap_or(StatusCode::FORBIDDEN);
    let answer = Answer::problem(status, &denied.to_string());
    match status {
        StatusCode::UNAUTHORIZED => answer.with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        _ => answer,
    }
}
