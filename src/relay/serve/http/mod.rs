//! The door for deliveries: accepts connections, bounds what each may cost, and answers once what was delivered is kept.
//! What a body means is read elsewhere; here is what a request may be, and what each answer says.

mod answer;
mod body;
mod places;
mod unread;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{ALLOW, HeaderMap, RETRY_AFTER};
use hyper::http::HeaderValue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::sync::watch::Receiver;
use tokio::task::JoinSet;

use super::Log;
use super::auth::{self, Auth};
use super::integration::{Integration, Standing};
use super::reading::{Unreadable, read};
use super::rules::{Route, Rules};
use super::store::{After, Receipt, Store, Taken, Verdict};
use crate::devin::client::now_s;
use crate::redact::Redactor;
use crate::relay::alert::Format;
use crate::relay::draw::drawn;
use answer::Answer;
use body::Body;
use places::{Place, Places};
use unread::Unread;

/// So many connections are open at once at most; for the next one, the one that has been idle longest is closed.
const CONNECTIONS: usize = 512;

/// How long a request's head may take to come, and with it a kept connection to be used again.
const HEAD: Duration = Duration::from_secs(15);

/// How long after a connection that could not be accepted the next one is tried.
const ACCEPT_AGAIN: Duration = Duration::from_millis(10);

/// How long senders wait for an answer: Sentry one second, the others longer than this.
const DEADLINE: Duration = Duration::from_secs(5);
const DEADLINE_OF_SENTRY: Duration = Duration::from_millis(800);

/// How many alerts are shown.
const ALERTS_SHOWN: usize = 500;

/// What every request needs.
pub struct Door {
    pub rules: Rules,
    pub redactor: Redactor,
    pub log: Log,
    /// Those who take care of what has come in.
    pub wake: Vec<Arc<Notify>>,
    pub integrations: Vec<Arc<Integration>>,
    pub stop: Receiver<Option<i32>>,
    pub store: Arc<Store>,
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

async fn converse(stream: TcpStream, door: Arc<Door>, mut closing: Receiver<bool>, place: Arc<Place>) {
    // Without it a small answer can wait 40 ms for an acknowledgement; failing costs only that.
    let _ = stream.set_nodelay(true);
    let Ok(peer) = stream.peer_addr() else { return };
    let held = Arc::clone(&place);
    let service = service_fn(move |request: Request<Incoming>| {
        let (door, place) = (Arc::clone(&door), Arc::clone(&held));
        Box::pin(async move { Ok::<_, Infallible>(door.answer(request, peer, &place).await.into_response()) })
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_headers(128)
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
    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr, place: &Place) -> Answer {
        let path = request.uri().path().to_string();
        place.begin();
        if let Some(name) = path.strip_prefix("/v1/hooks/") {
            let name = name.split('/').next().unwrap_or_default();
            let Some(route) = self.rules.routes.iter().find(|route| route.name == name) else {
                return Answer::problem(StatusCode::NOT_FOUND, "there is no route of this name");
            };
            if request.method() != Method::POST && request.method() != Method::PUT {
                return refuse_method("POST, PUT");
            }
            return self.deliver(route, request, peer, place).await;
        }
        let show = match path.as_str() {
            "/healthz" | "/readyz" | "/api/v1/alerts" => path.as_str(),
            _ => return Answer::problem(StatusCode::NOT_FOUND, "there is nothing at this address"),
        };
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return refuse_method("GET, HEAD");
        }
        let _work = place.work();
        match show {
            "/healthz" => Answer::new(StatusCode::OK, json!({"status": "ok"})),
            "/readyz" => self.readiness().await,
            _ => match refuse(&Auth::Open, request.headers(), &[], None, peer) {
                None => self.alerts(request.uri().query()).await,
                Some(refusal) => refusal,
            },
        }
    }

    /// Keeps a delivery, and only then says so. Whatever is answered, the log says it too.
    async fn deliver(&self, route: &Route, request: Request<Incoming>, peer: SocketAddr, place: &Place) -> Answer {
        let kept = self.keep(route, request, peer, place).await;
        kept.unwrap_or_else(|refusal| {
            self.log.refused(&route.name, refusal.status.as_u16(), &refusal.body);
            refusal
        })
    }

    /// # Errors
    /// The answer to a request of which nothing is kept.
    async fn keep(
        &self,
        route: &Route,
        request: Request<Incoming>,
        peer: SocketAddr,
        place: &Place,
    ) -> Result<Answer, Answer> {
        let (head, incoming) = request.into_parts();
        let Body { sent, unpacked } = body::receive(&head.headers, incoming).await?;
        let _work = place.work();
        let path_secret = head.uri.path().splitn(5, '/').nth(4);
        if let Some(refusal) = refuse(&route.auth, &head.headers, &sent, path_secret, peer) {
            return Err(refusal);
        }
        let body = unpacked.unwrap_or(Ok(sent))?;
        let headers: Vec<(&str, &str)> =
            head.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
        let read = match read(&self.rules, route, body, &headers, &self.redactor, &drawn) {
            Ok(read) => read,
            Err(Unreadable::TooLarge(reason)) => return Err(Answer::problem(StatusCode::PAYLOAD_TOO_LARGE, &reason)),
            Err(Unreadable::NotJson(reason)) => return Err(Answer::problem(StatusCode::BAD_REQUEST, &reason)),
        };
        let (id, verdict, notes) = (read.delivery.id.clone(), read.delivery.verdict.clone(), read.notes);
        let deadline = if route.format == Some(Format::Sentry) { DEADLINE_OF_SENTRY } else { DEADLINE };
        let answer = match tokio::time::timeout(deadline, self.store.accept(read.delivery)).await {
            Ok(Ok(receipt)) => self.receipt(receipt, verdict, &notes),
            Ok(Err(error)) => {
                self.log.warn(&format!("a delivery to {} cannot be kept: {error}", route.name));
                busy("the delivery cannot be kept now")
            }
            // It may be kept all the same, and is known then when it comes again.
            Err(_) => busy("the delivery is not kept yet"),
        };
        self.log.delivery(&route.name, &id, answer.status.as_u16(), &answer.body);
        Ok(answer)
    }

    fn receipt(&self, receipt: Receipt, verdict: Verdict, notes: &[String]) -> Answer {
        let (mut job_ids, mut suppressed) = (Vec::new(), Vec::new());
        for taken in receipt.taken {
            match taken {
                Taken::Started { job_id } | Taken::Joined { job_id } => job_ids.push(job_id),
                Taken::Suppressed { dedupe_key, reason } => {
                    suppressed.push(json!({"dedupe_key": dedupe_key, "reason": reason}));
                }
            }
        }
        if !job_ids.is_empty() {
            self.wake.iter().for_each(|engine| engine.notify_one());
        }
        let (status, reason) = match verdict {
            _ if receipt.is_duplicate => (StatusCode::ACCEPTED, Some("this delivery is known already".to_string())),
            Verdict::Alerts => (StatusCode::ACCEPTED, None),
            Verdict::NoAlert(reason) => (StatusCode::ACCEPTED, Some(reason)),
            Verdict::Unrecognized(reason) => (StatusCode::UNPROCESSABLE_ENTITY, Some(reason)),
        };
        let mut body = json!({
            "delivery_id": receipt.delivery_id,
            "accepted": status == StatusCode::ACCEPTED,
            "deduplicated": receipt.is_duplicate,
            "suppressed": suppressed,
            "job_ids": job_ids,
        });
        if let Some(reason) = reason {
            body["reason"] = Value::from(reason);
        }
        if !notes.is_empty() {
            body["notes"] = Value::from(notes.to_vec());
        }
        Answer::new(status, body)
    }

    /// Whether deliveries are kept and sessions started, and why not.
    async fn readiness(&self) -> Answer {
        let mut reasons = Vec::new();
        if self.stop.borrow().is_some() {
            reasons.push("stopping".to_string());
        }
        match tokio::time::timeout(DEADLINE, self.store.ping()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => reasons.push(format!("the store: {error}")),
            Err(_) => reasons.push("the store does not answer".to_string()),
        }
        let is_ready = reasons.is_empty();
        // Deliveries are kept all the same while an integration is paused, so it makes nothing unready.
        let integrations: Vec<Value> = self.integrations.iter().map(|one| shown(one)).collect();
        let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        Answer::new(status, json!({"ready": is_ready, "reasons": reasons, "integrations": integrations}))
    }

    /// The alerts, and with `next`, the address of those that follow.
    async fn alerts(&self, query: Option<&str>) -> Answer {
        let after = match query.and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("after="))) {
            None => None,
            Some(text) => match text.split_once('.').map(|(last_at, tag)| (last_at.parse(), tag)) {
                Some((Ok(last_at), tag)) => Some(After { last_at, tag: tag.to_string() }),
                _ => return Answer::problem(StatusCode::BAD_REQUEST, "after is not what an answer's next has"),
            },
        };
        // One more tells whether any follow.
        match self.store.alerts(ALERTS_SHOWN + 1, after).await {
            Ok(mut alerts) => {
                let has_more = alerts.len() > ALERTS_SHOWN;
                alerts.truncate(ALERTS_SHOWN);
                let last = alerts.last().filter(|_| has_more);
                let next = last.map(|last| format!("/api/v1/alerts?after={}.{}", last.last_at, last.tag));
                Answer::new(StatusCode::OK, json!({"alerts": alerts, "next": next}))
            }
            Err(error) => {
                self.log.warn(&format!("the alerts cannot be read: {error}"));
                busy("the alerts cannot be read now")
            }
        }
    }
}

fn shown(integration: &Integration) -> Value {
    let name = &integration.name;
    match integration.standing() {
        Standing::Starting => json!({"name": name, "state": "starting"}),
        Standing::Ready { org_id } => json!({"name": name, "state": "ready", "org_id": org_id}),
        Standing::Paused { reason, .. } => {
            json!({"name": name, "state": "paused", "code": reason.code, "reason": reason.message})
        }
    }
}

/// Why a request may not do what it asks for; `None` where it may.
fn refuse(
    auth: &Auth,
    headers: &HeaderMap,
    body: &[u8],
    path_secret: Option<&str>,
    peer: SocketAddr,
) -> Option<Answer> {
    let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let request = auth::Request { headers: &headers, body, path_secret, peer: peer.ip(), now: now_s() };
    match auth::authenticate(auth, request) {
        auth::Verdict::Accepted(_) => None,
        auth::Verdict::Refused(refusal) => {
            let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::FORBIDDEN);
            Some(Answer::problem(status, &refusal.to_string()))
        }
        auth::Verdict::NeedsCertificate(_) => Some(busy("the certificate of Amazon SNS cannot be fetched")),
    }
}

fn refuse_method(allowed: &'static str) -> Answer {
    let answer = Answer::problem(StatusCode::METHOD_NOT_ALLOWED, "this address does not take this method");
    answer.with(ALLOW, HeaderValue::from_static(allowed))
}

/// Whoever sent it should send it again.
fn busy(reason: &str) -> Answer {
    Answer::problem(StatusCode::SERVICE_UNAVAILABLE, reason).with(RETRY_AFTER, HeaderValue::from_static("5"))
}
