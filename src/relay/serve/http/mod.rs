//! The door for deliveries: accepts connections, bounds what each may cost, and answers once what was delivered is kept.
//! What a body means is read elsewhere; here is what a request may be, and what each answer says.

mod answer;
mod api;
mod body;
mod connections;
mod delivering;
mod endpoints;
mod form;
mod large;
mod measuring;
mod page;
mod places;
mod query;
mod receipt;
mod refusals;
mod reloading;
mod sent;
mod tls;
mod unread;

use std::net::SocketAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{ALLOW, RETRY_AFTER};
use hyper::http::HeaderValue;
use hyper::http::Response;
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode, Version};
use tokio::sync::Notify;
use tokio::sync::watch::{Receiver, Sender};

use super::Log;
use super::auth::{self, Accepted, Auth};
use super::gates::Bounds;
use super::integration::Integration;
use super::live::Live;
use super::metrics::{Metrics, Open};
use super::secret::Secret;
use super::sns::Sns;
use super::store::Store;
use crate::devin::client::now_s;
use answer::Answer;
pub use connections::accept;
use places::Place;
pub use refusals::Refusals;
use sent::Sent;
pub use tls::Tls;

/// What every request needs.
pub struct Door {
    pub live: Arc<Live>,
    /// What holds for all jobs, as the rules file says it now.
    pub bounds: Sender<Arc<Bounds>>,
    pub log: Log,
    /// Those who take care of what has come in.
    pub wake: Vec<Arc<Notify>>,
    pub integrations: Vec<Arc<Integration>>,
    pub stop: Receiver<Option<i32>>,
    pub store: Arc<Store>,
    /// As whom this process has jobs in hand.
    pub owner: String,
    pub sns: Sns,
    /// What was refused last.
    pub refusals: Refusals,
    /// What is counted, and what programs that watch the bridge are told.
    pub metrics: Arc<Metrics>,
    pub open: Open,
    /// `None` where requests come in the clear.
    pub tls: Option<Tls>,
    /// What the forms of the pages are signed with where there is no token.
    pub form_key: Secret,
    /// Held while a backup is made, which takes as much room as the store: one at a time.
    pub backing_up: tokio::sync::Mutex<()>,
}

impl Door {
    /// Answers people with pages, and programs with JSON.
    async fn respond(&self, request: Request<Incoming>, peer: SocketAddr, place: &Place) -> Response<Sent> {
        place.begin();
        match page::Wanted::at(request.uri().path()) {
            Some(wanted) => self.page(wanted, request, peer, place).await,
            None => self.answer(request, peer, place).await.into_sent(),
        }
    }

    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr, place: &Place) -> Answer {
        let path = request.uri().path().to_string();
        if let Some(name) = path.strip_prefix("/v1/hooks/") {
            let name = name.split('/').next().unwrap_or_default();
            let served = self.live.now();
            let Some(route) = served.rules.routes.iter().find(|route| route.name == name) else {
                self.metrics.has_no_route();
                return Answer::problem(StatusCode::NOT_FOUND, "there is no route of this name");
            };
            if request.method() != Method::POST && request.method() != Method::PUT {
                return refuse_method("POST, PUT");
            }
            return self.deliver(&served, route, request, peer, place).await;
        }
        self.ask(request, peer, place).await
    }

    /// Whether a request may do what it asks for.
    ///
    /// # Errors
    /// The answer that says why not.
    async fn admit(
        &self,
        auth: &Auth,
        head: &Parts,
        body: &[u8],
        path_secret: Option<&str>,
        peer: SocketAddr,
    ) -> Result<Accepted, Answer> {
        let headers: Vec<(&str, &[u8])> =
            head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let (peer, is_http_1_0, now) = (peer.ip(), head.version < Version::HTTP_11, now_s());
        let request = auth::Request { headers: &headers, body, path_secret, peer, is_http_1_0, now };
        let verdict = match auth::authenticate(auth, request) {
            auth::Verdict::NeedsCertificate(pending) => {
                let verified = self.sns.verify(&pending).await;
                verified.map_err(|problem| self.trouble(&problem, "the certificate of Amazon SNS cannot be fetched"))?
            }
            verdict => verdict,
        };
        match verdict {
            auth::Verdict::Accepted(accepted) => Ok(accepted),
            auth::Verdict::Refused(refusal) => {
                let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::FORBIDDEN);
                Err(Answer::problem(status, &refusal.to_string()).coded(refusal.code()))
            }
            auth::Verdict::NeedsCertificate(_) => Err(busy("the certificate of Amazon SNS cannot be fetched")),
        }
    }

    /// What cannot be done now: the log is told why, and whoever asked for it only what.
    fn trouble(&self, problem: &str, reason: &str) -> Answer {
        self.log.warn(problem);
        busy(reason)
    }
}

fn refuse_method(allowed: &str) -> Answer {
    let answer = Answer::problem(StatusCode::METHOD_NOT_ALLOWED, "this address does not take this method");
    match HeaderValue::from_str(allowed) {
        Ok(allowed) => answer.with(ALLOW, allowed),
        Err(_) => answer,
    }
}

/// Whoever sent it should send it again.
fn busy(reason: &str) -> Answer {
    Answer::problem(StatusCode::SERVICE_UNAVAILABLE, reason).with(RETRY_AFTER, HeaderValue::from_static("5"))
}

#[cfg(test)]
mod tests;
