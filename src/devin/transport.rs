//! How a request travels to the API and its answer back: over the network, or in memory.
//!
//! Whoever uses this library can answer the requests of a [`Client`](super::Client) itself, by a [`Transport`]: a test that
//! simulates an organization for thousands of reads opens no socket and waits in virtual time. Knows no status that is
//! better than another, and tries nothing again.

use std::fmt;
use std::pin::Pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_TYPE, DATE, HeaderName, RETRY_AFTER};
use reqwest::{Response, Url};
use tokio::time::timeout;

use super::connection::{Connections, Settings, build, is_hang_up, kind_of, wants_http1};
use super::error::Kind;
use super::memory::Share;

/// A way to the API other than the network.
pub trait Transport: fmt::Debug + Send + Sync {
    /// Answers one request. An answer that never comes is given up by the client.
    fn send(&self, request: HttpRequest) -> Answering<'_>;
}

/// An answer that is awaited.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Result<HttpResponse, BrokenConnection>> + Send + 'a>>;

/// A request to the API, whole but for what every request carries, such as the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    pub method: Method,
    /// The path and the query after the API's base address, percent-encoded.
    pub target: String,
    /// JSON, for [`Method::Post`].
    pub body: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Delete,
}

/// An answer, read to its end or to the limit that was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpResponse {
    pub status: u16,
    /// The headers `Date` and `Retry-After`, as they came.
    pub date: Option<String>,
    pub retry_after: Option<String>,
    pub body: Vec<u8>,
}

/// A connection that ended without a whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokenConnection {
    /// Before the answer began: a server may close a connection that it kept open at any moment.
    BeforeAnswer,
    WithinAnswer,
}

/// A try that brought no whole answer.
pub(super) struct Unanswered {
    pub(super) kind: Kind,
    pub(super) excuse: Option<Excuse>,
}

/// Why a try says nothing about the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Excuse {
    /// The connection ended before an answer began.
    HungUp,
    /// The answer was let go, because too much is held already.
    LetGo,
}

impl From<Kind> for Unanswered {
    fn from(kind: Kind) -> Unanswered {
        Unanswered { kind, excuse: None }
    }
}

impl Unanswered {
    /// The answer, or what there was of it, is larger than what may be held now.
    pub(super) fn let_go() -> Unanswered {
        Unanswered { kind: Kind::Broken("too much is held for this answer".to_string()), excuse: Some(Excuse::LetGo) }
    }
}

/// The network. Its HTTP clients are made when they are first needed, because loading the machine's root certificates takes
/// milliseconds that no other command should pay.
#[derive(Default)]
pub(super) struct Network {
    kept: OnceLock<Result<reqwest::Client, String>>,
    /// For those whose kept connection broke.
    fresh: OnceLock<Result<reqwest::Client, String>>,
    /// The same two by HTTP/1.1, for a server that has refused a request because it came by HTTP/2.
    kept_http1: OnceLock<Result<reqwest::Client, String>>,
    fresh_http1: OnceLock<Result<reqwest::Client, String>>,
    is_http1: AtomicBool,
}

impl Network {
    /// Sends a request and reads its answer, of which `limit` says how many bytes are read for a status, as far as its `share`
    /// of the memory lets it; nothing may be silent for longer than `silence`.
    pub(super) async fn send(
        &self,
        settings: &Settings,
        request: HttpRequest,
        connections: Connections,
        silence: Duration,
        limit: impl Fn(u16) -> usize,
        share: Option<&mut Share>,
    ) -> Result<HttpResponse, Unanswered> {
        let text = format!("{}{}", settings.api_url, request.target);
        let url =
            Url::parse(&text).map_err(|error| Kind::Unaskable(format!("the API's address is unusable: {error}")))?;
        let http = self.http(settings, connections).map_err(Kind::Unaskable)?;
        let sent = match request.method {
            Method::Get => http.get(url),
            Method::Post => http.post(url).header(CONTENT_TYPE, "application/json").body(request.body),
            Method::Delete => http.delete(url),
        };
        let response = timeout(silence, sent.send())
            .await
            .map_err(|_| Kind::Silent(silence))?
            .map_err(|error| self.unanswered(&error))?;
        let status = response.status().as_u16();
        let header = |name: HeaderName| Some(response.headers().get(name)?.to_str().ok()?.to_string());
        let (date, retry_after) = (header(DATE), header(RETRY_AFTER));
        let body = match body(response, limit(status), silence, share).await {
            // Of an error, the status is enough.
            Err(_) if !(200..300).contains(&status) => Vec::new(),
            body => body?,
        };
        Ok(HttpResponse { status, date, retry_after, body })
    }

    /// What a request that got no answer comes to. Where it has to be made by HTTP/1.1, all later ones are.
    fn unanswered(&self, error: &reqwest::Error) -> Unanswered {
        let wants_http1 = wants_http1(error) && !self.is_http1.swap(true, Ordering::Relaxed);
        let excuse = (wants_http1 || is_hang_up(error)).then_some(Excuse::HungUp);
        Unanswered { kind: kind_of(error), excuse }
    }

    fn http(&self, settings: &Settings, connections: Connections) -> Result<reqwest::Client, String> {
        let is_http1 = self.is_http1.load(Ordering::Relaxed);
        let made = || build(settings, connections, is_http1);
        match (connections, is_http1) {
            (Connections::Kept, false) => self.kept.get_or_init(made).clone(),
            (Connections::Kept, true) => self.kept_http1.get_or_init(made).clone(),
            (Connections::Fresh, false) => self.fresh.get_or_init(made).clone(),
            (Connections::Fresh, true) => self.fresh_http1.get_or_init(made).clone(),
            (Connections::Own, _) => made(),
        }
    }
}

impl HttpResponse {
    /// The server's clock when it answered.
    pub(super) fn date(&self) -> Option<SystemTime> {
        httpdate::parse_http_date(self.date.as_ref()?).ok()
    }
}

impl From<BrokenConnection> for Unanswered {
    fn from(broken: BrokenConnection) -> Unanswered {
        let excuse = (broken == BrokenConnection::BeforeAnswer).then_some(Excuse::HungUp);
        Unanswered { kind: Kind::Broken("connection closed before the answer was complete".to_string()), excuse }
    }
}

/// Reads a body until its end, or until it exceeds `most`, or the memory that there is.
async fn body(
    mut response: Response,
    most: usize,
    silence: Duration,
    mut share: Option<&mut Share>,
) -> Result<Vec<u8>, Unanswered> {
    let mut may_hold = |bytes| match share.as_mut().is_none_or(|share| share.holds(bytes)) {
        true => Ok(bytes),
        false => Err(Unanswered::let_go()),
    };
    let announced = response.content_length().unwrap_or(0).min(most as u64);
    let mut room = may_hold(announced as usize)?;
    let mut body = Vec::with_capacity(room);
    loop {
        let chunk = timeout(silence, response.chunk()).await.map_err(|_| Kind::Silent(silence))?;
        match chunk.map_err(|error| kind_of(&error))? {
            Some(chunk) => body.extend_from_slice(&chunk),
            None => {
                // Where its length was not announced, up to half of it is spare.
                body.shrink_to_fit();
                return Ok(body);
            }
        }
        if body.len() > room {
            // How much more comes is not known. Twice as much is reached soon, whatever its size.
            room = may_hold(body.len().saturating_mul(2))?;
        }
        if body.len() > most {
            return Ok(body);
        }
    }
}
