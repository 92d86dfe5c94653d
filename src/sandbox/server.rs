//! The wire: accept, hold back, break on purpose, answer.
//!
//! What an answer says is decided in [`route`](super::route); which one breaks, in
//! [`fault`](super::fault). Here is only how a break looks from outside.

use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use hyper::http::HeaderValue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::data::Organization;
use super::fault::{FaultKind, Faults};
use super::key::Key;
use super::live::Live;
use super::live::scenario::Delivery;
use super::oddity::{CreateAnswer, Oddities};
use super::problem::Problem;
use super::query::Query;
use super::route::{Change, Changed, Question, Route, method_refused};
use super::{ORG_IDS, Options};

const JSON: &str = "application/json";
const PROBLEM_JSON: &str = "application/problem+json";
const HTML: &str = "text/html; charset=utf-8";
const HTML_PAGE: &str = "<!DOCTYPE html><html><head><title>Just a moment</title></head>\
    <body><h1>Service unavailable</h1><p>Please try again later.</p></body></html>\n";

/// More than any prompt and its secrets need.
const LONGEST_BODY: usize = 8 << 20;
/// How long a request waits whose answer never comes.
const UNANSWERED: Duration = Duration::from_secs(60);

/// How long after a connection that could not be accepted the next one is tried.
const ACCEPT_AGAIN: Duration = Duration::from_millis(10);

/// The end of the year 9999, which is as far as the header `Date` goes.
const LATEST: Duration = Duration::from_secs(253_402_300_799);

/// Serves the organization until the task is dropped, and its connections with it.
pub async fn accept(listener: TcpListener, options: Options) {
    let first = Organization::new(options.seed, options.sessions, options.messages);
    let server = Arc::new(Server {
        organizations: (0..options.organizations.clamp(1, ORG_IDS.len()))
            .map(|number| if number == 0 { first } else { first.further(number) })
            .collect(),
        latency: options.latency,
        clock: Clock::new(&options.oddities),
        stale_lists: AtomicU32::new(options.oddities.stale_lists),
        live: RwLock::new(Live::new(options.session_seconds, options.quota, options.oddities)),
        without_permissions: options.without_permissions,
        faults: Mutex::new(Faults::new(options.faults, options.seed)),
    });
    let mut connections = JoinSet::new();
    loop {
        // A connection that is gone before it is accepted, or no free file descriptor: the next may do.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_AGAIN).await;
            continue;
        };
        connections.spawn(serve(stream, Arc::clone(&server)));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, server: Arc<Server>) {
    // Without it a small answer can wait 40 ms for an acknowledgement; failing costs only that.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let server = Arc::clone(&server);
        Box::pin(async move {
            let mut response = server.answer(request).await?;
            let date = httpdate::fmt_http_date(UNIX_EPOCH + server.clock.now());
            if let Ok(date) = HeaderValue::try_from(date) {
                response.headers_mut().insert(DATE, date);
            }
            Ok::<_, io::Error>(response)
        })
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let end = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let is_reset = end.is_err_and(|error| error.is_user() && !is_cut_short(&error));
    if is_reset {
        let stream = connection.into_parts().io.into_inner();
        // A socket that may not linger is closed by RST instead of FIN.
        let _ = stream.set_zero_linger();
    }
}

struct Server {
    organizations: Vec<Organization>,
    live: RwLock<Live>,
    clock: Clock,
    /// How many lists still show none of the created sessions.
    stale_lists: AtomicU32,
    latency: Duration,
    without_permissions: Vec<String>,
    faults: Mutex<Faults>,
}

impl Server {
    /// The answer to one request; the error stands for a connection to reset.
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Answer>, io::Error> {
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
        if request.method() != Method::GET {
            return self.change(request).await;
        }
        let request = &request;
        let path = request.uri().path();
        let target = request.uri().path_and_query().map_or(path, |target| target.as_str());
        let route = Route::of(path);
        let is_paged = route.as_ref().is_some_and(Route::is_paged);
        let fault = self.faults.lock().unwrap_or_else(PoisonError::into_inner).strike(target, is_paged);
        let broken = |status, detail| problem(&Problem::new(status, detail), path);
        match fault {
            None => Ok(self.honest(request, route, false)),
            Some(FaultKind::StuckCursor) => Ok(self.honest(request, route, true)),
            Some(FaultKind::Truncate) => {
                let mut response = self.honest(request, route, false);
                response.body_mut().cut();
                Ok(response)
            }
            Some(FaultKind::RateLimit) => Ok(broken(StatusCode::TOO_MANY_REQUESTS, "rate limit exceeded")),
            Some(FaultKind::RateLimitRetryAfter) => Ok(rate_limited_for_a_second(path)),
            Some(FaultKind::ServerError) => Ok(broken(StatusCode::INTERNAL_SERVER_ERROR, "internal server error")),
            Some(FaultKind::Html) => Ok(response(StatusCode::OK, HTML, HTML_PAGE.to_owned())),
            Some(FaultKind::Reset) => Err(io::ErrorKind::ConnectionReset.into()),
            Some(FaultKind::Hang) => pending().await,
        }
    }

    /// The answer as it is without a fault, or with the one that looks like an honest page.
    fn honest(&self, request: &Request<Incoming>, route: Option<Route>, is_stuck: bool) -> Response<Answer> {
        let path = request.uri().path();
        let Some(route) = route else {
            return problem(&Problem::unknown("path"), path);
        };
        let query = Query::parse(request.uri().query().unwrap_or(""));
        let answer = self.admit(request.headers(), &route, request.method()).and_then(|key| {
            let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
            let is_stale = route.lists_sessions() && self.is_next_list_stale();
            let question = Question { path, query: &query, key, now: self.clock.now(), is_stuck, is_stale };
            route.answer(&self.organizations, &live, &question)
        });
        match answer {
            Ok(body) => response(StatusCode::OK, JSON, body),
            Err(refusal) => problem(&refusal, path),
        }
    }

    fn is_next_list_stale(&self) -> bool {
        let one_less = |left: u32| left.checked_sub(1);
        self.stale_lists.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
    }

    /// The answer to anything but a GET; the error stands for a connection to reset.
    async fn change(&self, request: Request<Incoming>) -> Result<Response<Answer>, io::Error> {
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        // Read before any refusal: closing with unread bytes could cost the client the answer.
        let body = match Limited::new(body, LONGEST_BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                let detail = "the request body is too large";
                return Ok(problem(&Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail), path));
            }
            Err(_) => return Err(io::ErrorKind::ConnectionReset.into()),
        };
        let Some(route) = Route::of(path) else {
            return Ok(problem(&Problem::unknown("path"), path));
        };
        if !route.takes(&head.method) {
            let mut response = problem(&method_refused(), path);
            let methods = HeaderValue::from_static(route.methods());
            response.headers_mut().insert(ALLOW, methods);
            return Ok(response);
        }
        let query = Query::parse(head.uri.query().unwrap_or(""));
        let changed = self.admit(&head.headers, &route, &head.method).and_then(|key| {
            // The clock is read under the lock, so that created sessions stay in their order.
            let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
            let method = &head.method;
            let may_impersonate = !self.lacks("ImpersonateOrgSessions");
            let change = Change { method, query: &query, body: &body, key, now: self.clock.now(), may_impersonate };
            route.change(&self.organizations, &mut live, &change)
        });
        match changed {
            Err(refusal) => Ok(problem(&refusal, path)),
            Ok(Changed { delivery, body }) => deliver(delivery, body, path).await,
        }
    }

    /// Whose key it is, when it may do this.
    fn admit(&self, headers: &HeaderMap, route: &Route, method: &Method) -> Result<Key, Problem> {
        let key = Key::of(headers)?;
        match route.permission(method) {
            Some(permission) if self.lacks(permission) => Err(Problem::lacks(permission)),
            _ => Ok(key),
        }
    }

    /// Whether the key lacks a permission, by itself or since another one would grant it.
    fn lacks(&self, permission: &str) -> bool {
        let is_left_out = |name: &str| self.without_permissions.iter().any(|missing| missing == name);
        is_left_out(permission) || permission == "ManageOrgSessions" && is_left_out("UseDevinSessions")
    }
}

/// Answers a change in the way that its scenario wants.
async fn deliver(delivery: Delivery, body: String, path: &str) -> Result<Response<Answer>, io::Error> {
    match delivery {
        Delivery::Answered => Ok(response(StatusCode::OK, JSON, body)),
        Delivery::Unanswered => {
            // When the client leaves, the connection ends and this with it.
            tokio::time::sleep(UNANSWERED).await;
            Ok(problem(&Problem::new(StatusCode::GATEWAY_TIMEOUT, "gateway timeout"), path))
        }
        Delivery::Reset => Err(io::ErrorKind::ConnectionReset.into()),
        Delivery::ServerError | Delivery::LostServerError => {
            Ok(problem(&Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal server error"), path))
        }
        Delivery::RateLimited => Ok(rate_limited_for_a_second(path)),
        Delivery::Odd(CreateAnswer { status, delay }) => {
            tokio::time::sleep(delay).await;
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            if status.is_success() {
                return Ok(response(status, JSON, body));
            }
            Ok(problem(&Problem::new(status, "as it was asked for"), path))
        }
    }
}

fn rate_limited_for_a_second(path: &str) -> Response<Answer> {
    let mut response = problem(&Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate limit exceeded"), path);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// The time since 1970 by the organization's clock, which never goes back.
struct Clock {
    start: Duration,
    started: Instant,
    speed: f64,
}

impl Clock {
    fn new(oddities: &Oddities) -> Clock {
        let start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let difference = Duration::from_secs(oddities.clock_ahead.unsigned_abs());
        let is_ahead = oddities.clock_ahead >= 0;
        let start = if is_ahead { start + difference } else { start.saturating_sub(difference) };
        Clock { start, started: Instant::now(), speed: oddities.clock_speed }
    }

    fn now(&self) -> Duration {
        (self.start + self.started.elapsed().mul_f64(self.speed)).min(LATEST)
    }
}

fn problem(problem: &Problem, path: &str) -> Response<Answer> {
    response(problem.status, PROBLEM_JSON, problem.body(path))
}

fn response(status: StatusCode, content_type: &'static str, body: String) -> Response<Answer> {
    let length = body.len();
    let mut response = Response::new(Answer::whole(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// The bytes of an answer, all of them or only the first half.
struct Answer {
    bytes: Option<Bytes>,
    is_cut: bool,
    has_rested: bool,
}

impl Answer {
    fn whole(text: String) -> Answer {
        Answer { bytes: Some(Bytes::from(text)), is_cut: false, has_rested: false }
    }

    fn cut(&mut self) {
        self.is_cut = true;
        if let Some(bytes) = &mut self.bytes {
            bytes.truncate(bytes.len() / 2);
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = CutShort;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, CutShort>>> {
        if let Some(bytes) = self.bytes.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        if !self.is_cut {
            return Poll::Ready(None);
        }
        if !self.has_rested {
            // hyper sends what it holds only when the body has nothing ready; an error right away
            // would keep the first half from the wire.
            self.has_rested = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(CutShort)))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none() && !self.is_cut
    }

    fn size_hint(&self) -> SizeHint {
        match &self.bytes {
            Some(bytes) if !self.is_cut => SizeHint::with_exact(bytes.len() as u64),
            _ => SizeHint::default(),
        }
    }
}

/// The body ends before its promised length, on purpose.
#[derive(Debug)]
struct CutShort;

impl std::fmt::Display for CutShort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the answer is cut short on purpose")
    }
}

impl std::error::Error for CutShort {}

fn is_cut_short(error: &hyper::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<CutShort>())
}
