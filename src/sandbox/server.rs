//! The wire: accept, hold back, break on purpose, answer.
//!
//! What an answer says is decided in [`route`](super::route); which one breaks, in
//! [`fault`](super::fault). Here is only how a break looks from outside.

use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{ALLOW, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use hyper::http::HeaderValue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::data::Organisation;
use super::fault::{FaultKind, Faults};
use super::problem::Problem;
use super::query::Query;
use super::route::{Route, method_refused};
use super::{Options, TOKEN};

const JSON: &str = "application/json";
const PROBLEM_JSON: &str = "application/problem+json";
const HTML: &str = "text/html; charset=utf-8";
const HTML_PAGE: &str = "<!DOCTYPE html><html><head><title>Just a moment</title></head>\
    <body><h1>Service unavailable</h1><p>Please try again later.</p></body></html>\n";

/// Serves the organisation until the task is dropped, and its connections with it.
pub async fn accept(listener: TcpListener, options: Options) {
    let server = Arc::new(Server {
        organisation: Organisation::new(options.seed, options.sessions, options.messages),
        latency: options.latency,
        without_permissions: options.without_permissions,
        faults: Mutex::new(Faults::new(options.faults, options.seed)),
    });
    let mut connections = JoinSet::new();
    loop {
        // A connection that is gone before it is accepted, or no free file descriptor: the next may do.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
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
        Box::pin(async move { server.answer(&request).await })
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
    organisation: Organisation,
    latency: Duration,
    without_permissions: Vec<String>,
    faults: Mutex<Faults>,
}

impl Server {
    /// The answer to one request; the error stands for a connection to reset.
    async fn answer(&self, request: &Request<Incoming>) -> Result<Response<Answer>, io::Error> {
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
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
            Some(FaultKind::RateLimitRetryAfter) => {
                let mut response = broken(StatusCode::TOO_MANY_REQUESTS, "rate limit exceeded");
                let one_second = HeaderValue::from_static("1");
                response.headers_mut().insert(RETRY_AFTER, one_second);
                Ok(response)
            }
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
        if request.method() != Method::GET {
            let mut response = problem(&method_refused(), path);
            let methods = HeaderValue::from_static(route.methods());
            response.headers_mut().insert(ALLOW, methods);
            return response;
        }
        let query = Query::parse(request.uri().query().unwrap_or(""));
        let answer = self
            .refusal(request.headers(), &route)
            .map_or(Ok(()), Err)
            .and_then(|()| route.answer(&self.organisation, path, &query, is_stuck));
        match answer {
            Ok(body) => response(StatusCode::OK, JSON, body),
            Err(refusal) => problem(&refusal, path),
        }
    }

    /// Why this key may not ask for this route; `None` when it may.
    fn refusal(&self, headers: &HeaderMap, route: &Route) -> Option<Problem> {
        let Some(authorization) = headers.get(AUTHORIZATION) else {
            return Some(Problem::new(StatusCode::FORBIDDEN, "not authenticated"));
        };
        let is_known = authorization
            .to_str()
            .ok()
            .and_then(|value| value.split_once(' '))
            .is_some_and(|(scheme, key)| scheme.eq_ignore_ascii_case("bearer") && key == TOKEN);
        if !is_known {
            return Some(Problem::new(StatusCode::UNAUTHORIZED, "invalid token"));
        }
        let permission = route.permission()?;
        let is_missing = self.without_permissions.iter().any(|missing| missing == permission);
        let detail = format!("missing permission: {permission}");
        is_missing.then(|| Problem::new(StatusCode::FORBIDDEN, detail))
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
