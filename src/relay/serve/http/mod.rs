//! The door for deliveries: accepts connections, bounds what each may cost, and answers once what was delivered is kept.
//! What a body means is read elsewhere; here is what a request may be, and what each answer says.

mod answer;
mod api;
mod body;
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

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{ALLOW, RETRY_AFTER};
use hyper::http::HeaderValue;
use hyper::http::Response;
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode, Version};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::sync::watch::{Receiver, Sender};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Log;
use super::auth::{self, Accepted, Auth};
use super::gates::Bounds;
use super::integration::Integration;
use super::live::{Live, Served};
use super::metrics::{Metrics, Open};
use super::reading::Unreadable;
use super::rules::Route;
use super::secret::Secret;
use super::sns::Sns;
use super::store::{Store, Verdict};
use crate::devin::client::now_s;
use crate::relay::alert::Format;
use answer::Answer;
use body::Body;
use places::{Place, Places};
use receipt::decision;
pub use refusals::Refusals;
use sent::Sent;
pub use tls::Tls;
use unread::Unread;

/// So many connections are open at once at most; for the next one, the one that has been idle longest is closed.
const CONNECTIONS: usize = 512;

/// How long a request's head may take to come, and with it a kept connection to be used again.
const HEAD: Duration = Duration::from_secs(15);

/// How long a request's head may be, in bytes.
const LONGEST_HEAD: usize = 64 << 10;

/// How long after a connection that could not be accepted the next one is tried.
const ACCEPT_AGAIN: Duration = Duration::from_millis(10);

/// How long senders wait for an answer: Sentry one second, the others longer than this.
const DEADLINE: Duration = Duration::from_secs(5);
const DEADLINE_OF_SENTRY: Duration = Duration::from_millis(800);

/// What a delivery is kept as that asks whether a topic's messages may come.
const SUBSCRIPTION: &str = "the delivery asks to confirm a subscription to Amazon SNS, which is done";

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

/// Accepts connections until `closing`, and then lets those that are open be answered.
pub async fn accept(listener: TcpListener, door: Arc<Door>, closing: Receiver<bool>) {
    let mut places = Places::new(CONNECTIONS);
    let mut connections = JoinSet::new();
    let mut until_closed = closing.clone();
    let closed = async move {
        // An error says that there is nobody left to close it.
        let _ = until_closed.wait_for(|is_closed| *is_closed).await;
    };
    tokio::pin!(closed);
    loop {
        let accepted = async {
            let stream = listener.accept().await;
            (stream, places.take().await)
        };
        let (stream, place) = tokio::select! {
            biased;
            () = &mut closed => break,
            accepted = accepted => match accepted {
                (Ok((stream, _)), place) => (stream, place),
                // A connection that is gone before it is accepted, or no free file descriptor: the next may do.
                _ => {
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                    continue;
                }
            },
        };
        let (door, closing) = (Arc::clone(&door), closing.clone());
        connections.spawn(converse(stream, door, closing, place));
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn converse(stream: TcpStream, door: Arc<Door>, closing: Receiver<bool>, place: Arc<Place>) {
    // Without it a small answer can wait 40 ms for an acknowledgement; failing costs only that.
    let _ = stream.set_nodelay(true);
    let Ok(peer) = stream.peer_addr() else { return };
    let Some(tls) = &door.tls else { return exchange(stream, peer, door, closing, place).await };
    let greeted = async {
        if tls::is_clear(&stream).await {
            return Err(stream);
        }
        tls.greet(stream).await.map(Some).or(Ok(None))
    };
    tokio::select! {
        greeted = tokio::time::timeout(HEAD, greeted) => match greeted {
            Ok(Ok(Some(stream))) => exchange(stream, peer, Arc::clone(&door), closing, place).await,
            Ok(Err(clear)) => tls::refuse(clear).await,
            _ => {}
        },
        () = place.is_wanted() => {}
    }
}

/// Takes a connection's requests, and answers each.
async fn exchange<S>(stream: S, peer: SocketAddr, door: Arc<Door>, mut closing: Receiver<bool>, place: Arc<Place>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let held = Arc::clone(&place);
    let service = service_fn(move |request: Request<Incoming>| {
        let (door, place) = (Arc::clone(&door), Arc::clone(&held));
        Box::pin(async move { Ok::<_, Infallible>(door.respond(request, peer, &place).await) })
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_headers(128)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(Unread::new(TokioIo::new(stream)), service);
    tokio::pin!(connection);
    let closed = async {
        // An error says that there is nobody left to close it.
        let _ = closing.wait_for(|is_closed| *is_closed).await;
    };
    // A sender that breaks off has been told nothing; what it sent whole is kept.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = place.is_wanted() => if !place.is_at_work() { return },
        () = closed => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
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

    /// Keeps a delivery, and only then says so. Whatever is answered, the log says it too.
    async fn deliver(
        &self,
        served: &Arc<Served>,
        route: &Route,
        request: Request<Incoming>,
        peer: SocketAddr,
        place: &Place,
    ) -> Answer {
        let began = Instant::now();
        let kept = self.keep(served, route, request, peer, place).await;
        let answer = kept.unwrap_or_else(|refusal| {
            self.log.refused(&route.name, refusal.status.as_u16(), &refusal.body);
            self.refusals.note(&route.name, refusal.status.as_u16(), refusal.reason());
            refusal
        });
        self.metrics.delivered(&route.name, measuring::answered(&answer), answer.code(), began.elapsed());
        answer
    }

    /// # Errors
    /// The answer to a request of which nothing is kept.
    async fn keep(
        &self,
        served: &Arc<Served>,
        route: &Route,
        request: Request<Incoming>,
        peer: SocketAddr,
        place: &Place,
    ) -> Result<Answer, Answer> {
        let (head, incoming) = request.into_parts();
        if route.auth.is_in_the_head()
            && let Err(refusal) = self.admit_delivery(route, &head, &[], peer).await
        {
            // Strangers take no memory: nothing of what they send is held.
            body::discard(incoming).await;
            return Err(refusal);
        }
        let Body { sent, unpacked } = body::receive(&head.headers, incoming).await?;
        let _work = place.work();
        let accepted = self.admit_delivery(route, &head, &sent, peer).await?;
        let body = form::json(&head.headers, unpacked.unwrap_or(Ok(sent))?)?;
        let headers: Vec<(&str, &str)> =
            head.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
        let mut read = match large::read(served, route, body, &headers).await {
            Ok(read) => read,
            Err(Unreadable::TooLarge(reason)) => return Err(Answer::problem(StatusCode::PAYLOAD_TOO_LARGE, &reason)),
            Err(Unreadable::NotJson(reason)) => return Err(Answer::problem(StatusCode::BAD_REQUEST, &reason)),
        };
        if accepted.confirm.is_some() {
            read.delivery.verdict = Verdict::NoAlert(SUBSCRIPTION.to_string());
        }
        let (verdict, notes) = (read.delivery.verdict.clone(), read.notes);
        let keys: Vec<String> = read.delivery.entries.iter().map(|entry| entry.dedupe_key.clone()).collect();
        let mut decisions = Vec::new();
        let deadline = if route.format == Some(Format::Sentry) { DEADLINE_OF_SENTRY } else { DEADLINE };
        let answer = match tokio::time::timeout(deadline, self.store.accept(read.delivery)).await {
            Ok(Ok(receipt)) => {
                receipt.taken.iter().for_each(|taken| self.metrics.took(&route.name, measuring::taken(taken)));
                decisions =
                    keys.into_iter().zip(&receipt.taken).filter_map(|(key, taken)| decision(key, taken)).collect();
                self.confirm(accepted, self.receipt(receipt, verdict, &notes)).await
            }
            Ok(Err(error)) => {
                let problem = format!("a delivery to {} cannot be kept: {error}", route.name);
                self.trouble(&problem, "the delivery cannot be kept now")
            }
            // It may be kept all the same, and is known then when it comes again.
            Err(_) => busy("the delivery is not kept yet"),
        };
        self.log.delivery(&route.name, answer.status.as_u16(), &answer.body, &decisions);
        Ok(answer)
    }

    /// Whether a request may deliver to a route.
    ///
    /// # Errors
    /// The answer that says why not.
    async fn admit_delivery(
        &self,
        route: &Route,
        head: &Parts,
        body: &[u8],
        peer: SocketAddr,
    ) -> Result<Accepted, Answer> {
        let path_secret = head.uri.path().splitn(5, '/').nth(4);
        let accepted = self.admit(&route.auth, head, body, path_secret, peer).await;
        accepted.map_err(|refusal| match route.auth {
            Auth::Open if refusal.status == StatusCode::FORBIDDEN => {
                refusal.and("give the route a secret for requests from elsewhere")
            }
            _ => refusal,
        })
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

    /// Confirms the subscription that a delivery, which is kept already, asks about.
    async fn confirm(&self, accepted: Accepted, mut answer: Answer) -> Answer {
        let Some(url) = accepted.confirm else { return answer };
        if let Err(problem) = self.sns.confirm(&url).await {
            return self.trouble(&problem, "the subscription cannot be confirmed now");
        }
        answer.status = StatusCode::OK;
        answer.body["reason"] =
            Value::from("the subscription is confirmed: the topic's messages come here from now on");
        answer
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
