//! The HTTP side: authentication, time limits, and one method per call of the API.
//!
//! The HTTP library's client is made when the first request is due, because loading the machine's
//! root certificates takes milliseconds that no other command should pay.

use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use percent_encoding::utf8_percent_encode;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{RequestBuilder, Response, Url};
use tokio::time::{Instant, timeout, timeout_at};

use super::address::is_loopback;
use super::error::{Error, Kind, explanation};
use super::gate::{Gate, Pass};
use super::page::{Invalid, Page, RESERVED, Request, Trail};
use super::principal::Principal;
use super::retry::{Policy, Verdict, retry_after};
use super::surrogate::replace_halves;
use super::token::Token;

/// The largest answer that is read. A page of 200 messages has been seen at 1.6 MB.
const LARGEST_BODY: usize = 256 << 20;

/// So much of an error's body is read for an explanation.
const LARGEST_ERROR_BODY: usize = 16 << 10;

/// Where the API is and how it may be used.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The API's base without a trailing slash, for instance `https://api.devin.ai`.
    pub api_url: String,
    pub token: Token,
    pub policy: Policy,
    /// How many requests may be under way at once.
    pub concurrency: usize,
}

/// A client of one API with one key. Shared by everything that runs.
pub struct Client {
    settings: Settings,
    http: OnceLock<Result<reqwest::Client, String>>,
    gate: Gate,
}

/// Something a request met on its way, told while it is still being tried.
#[derive(Debug, Clone)]
pub enum Event {
    /// A try goes out.
    Asking,
    /// A try has been answered.
    Answered { path: String, status: u16, bytes: usize, took: Duration },
    /// A try has failed, and the next one starts after `wait`.
    Retrying { error: Error, wait: Duration, rate_limited: bool },
}

impl Client {
    /// Prepares a client. Opens nothing and asks nothing.
    pub fn new(settings: Settings) -> Client {
        let gate = Gate::new(settings.concurrency);
        Client { settings, http: OnceLock::new(), gate }
    }

    /// The page of a list that `trail` has come to, tried until it is sound or the policy gives up.
    ///
    /// # Errors
    /// The last try's error. A broken or senseless answer is an error like a failed one, never the list's end.
    pub async fn page(&self, request: &Request, trail: &Trail, tell: &(dyn Fn(Event) + Sync)) -> Result<Page, Error> {
        let read = |answer: Answer| {
            let mut page = Page::parse(answer.body)?;
            trail.check(&page)?;
            page.asked_at = answer.date.map(|date| date - answer.took.as_secs_f64().ceil() as i64);
            Ok(page)
        };
        self.get(request, trail.after(), read, tell).await
    }

    /// Who the key belongs to.
    ///
    /// # Errors
    /// As for [`Client::page`]; a 404 says only that this deployment does not know the endpoint.
    pub async fn principal(&self, tell: &(dyn Fn(Event) + Sync)) -> Result<Principal, Error> {
        let request = Request { path: vec!["v3".into(), "self".into()], query: Vec::new() };
        let read = |answer: Answer| {
            serde_json::from_slice(&answer.body).map_err(|_| Invalid::Unexpected("it does not describe a principal"))
        };
        self.get(&request, None, read, tell).await
    }

    /// The only retry loop: asks, reads, decides, waits.
    pub(super) async fn get<T>(
        &self,
        request: &Request,
        after: Option<&str>,
        read: impl Fn(Answer) -> Result<T, Invalid>,
        tell: &(dyn Fn(Event) + Sync),
    ) -> Result<T, Error> {
        let path = request.encoded_path();
        let fail = |kind, explanation, tries| Error { kind, path: path.clone(), explanation, tries };
        let url = self.url(&path, request, after).map_err(|reason| fail(Kind::Unaskable(reason), None, 0))?;
        let policy = &self.settings.policy;
        let started = Instant::now();
        // Waiting for a place, or because the server asked for it, is not this request's doing.
        let mut excused = Duration::ZERO;
        let mut tries = 0;
        loop {
            let waiting = Instant::now();
            let pass = self.gate.enter(tries > 0).await;
            excused += waiting.elapsed();
            tries += 1;
            tell(Event::Asking);
            let deadline = started + excused + policy.budget;
            let successes = self.gate.successes();
            let outcome = match timeout_at(deadline, self.ask_for(&url)).await {
                Ok(outcome) => outcome,
                Err(_) => Err(Refusal::from(Kind::TimeUp(policy.budget))),
            };
            let refusal = match outcome {
                Ok(answer) => {
                    let (status, bytes, took) = (200, answer.body.len(), answer.took);
                    tell(Event::Answered { path: path.clone(), status, bytes, took });
                    match read(answer) {
                        Ok(value) => {
                            self.gate.succeeded();
                            return Ok(value);
                        }
                        Err(invalid) => Refusal::from(Kind::Invalid(invalid)),
                    }
                }
                Err(refusal) => refusal,
            };
            // While a limit lets others through, losing to them is no failed try: this request's turn will come.
            let is_outrun = refusal.kind == Kind::Status(429) && self.gate.successes() > successes;
            tries -= u32::from(is_outrun && tries > 1);
            let spent = started.elapsed().saturating_sub(excused);
            let verdict = policy.after(&refusal.kind, tries, spent, refusal.retry_after, fastrand::f64());
            let error = fail(refusal.kind, refusal.explanation, tries);
            let (wait, asked) = match verdict {
                Verdict::GiveUp(kind) => return Err(Error { kind, ..error }),
                Verdict::Wait { wait, asked } => (wait, asked),
            };
            let rate_limited = error.kind == Kind::Status(429);
            if rate_limited {
                self.gate.rate_limited(wait);
            }
            drop(pass);
            tell(Event::Retrying { error, wait, rate_limited });
            // After a 429 everybody waits at the gate, this request included.
            if !rate_limited {
                tokio::time::sleep(wait).await;
                excused += if asked { wait } else { Duration::ZERO };
            }
        }
    }

    /// One try to read.
    async fn ask_for(&self, url: &Url) -> Result<Answer, Refusal> {
        let http = self.http().map_err(|reason| Refusal::from(Kind::Unaskable(reason)))?;
        let answer = self.ask(http.get(url.clone()), self.settings.policy.silence).await?;
        // Another success than 200 is no answer to a read.
        if answer.status == 200 { Ok(answer) } else { Err(Kind::Status(answer.status).into()) }
    }

    /// One try of any request, with the longest silence that is borne.
    pub(super) async fn ask(&self, request: RequestBuilder, silence: Duration) -> Result<Answer, Refusal> {
        let started = Instant::now();
        let sent = timeout(silence, request.send()).await;
        let response = sent.map_err(|_| Kind::Silent(silence))?.map_err(|error| self.kind_of(&error))?;
        let status = response.status().as_u16();
        let date = header(&response, DATE).and_then(|value| httpdate::parse_http_date(value).ok());
        if !response.status().is_success() {
            let wait = header(&response, RETRY_AFTER)
                .and_then(|value| retry_after(value, date.unwrap_or_else(SystemTime::now)));
            let body = self.body(response, LARGEST_ERROR_BODY, silence).await.unwrap_or_default();
            let explanation = explanation(&body, &self.settings.token);
            return Err(Refusal { kind: Kind::Status(status), explanation, retry_after: wait });
        }
        let body = self.body(response, LARGEST_BODY, silence).await?;
        if body.len() > LARGEST_BODY {
            return Err(Kind::Invalid(Invalid::TooLarge { limit: LARGEST_BODY }).into());
        }
        let date = date.and_then(|date| date.duration_since(UNIX_EPOCH).ok()).map(|date| date.as_secs() as i64);
        Ok(Answer { status, body, date, took: started.elapsed() })
    }

    /// Reads a body until its end, or until it exceeds `most`.
    async fn body(&self, mut response: Response, most: usize, silence: Duration) -> Result<Vec<u8>, Kind> {
        let announced = response.content_length().unwrap_or(0).min(most as u64);
        let mut body = Vec::with_capacity(announced as usize);
        loop {
            let chunk = timeout(silence, response.chunk()).await.map_err(|_| Kind::Silent(silence))?;
            match chunk.map_err(|error| self.kind_of(&error))? {
                Some(chunk) => body.extend_from_slice(&chunk),
                None => {
                    replace_halves(&mut body);
                    return Ok(body);
                }
            }
            if body.len() > most {
                return Ok(body);
            }
        }
    }

    /// A create, on a connection of its own: one that had been idle could break without telling whether anything arrived.
    pub(super) fn post(&self, request: &Request, body: Vec<u8>) -> Result<RequestBuilder, Kind> {
        let http = build(&self.settings, Connections::Fresh).map_err(Kind::Unaskable)?;
        let url = self.url(&request.encoded_path(), request, None).map_err(Kind::Unaskable)?;
        Ok(http.post(url).header(CONTENT_TYPE, "application/json").body(body))
    }

    pub(super) fn delete(&self, request: &Request) -> Result<RequestBuilder, Kind> {
        let url = self.url(&request.encoded_path(), request, None).map_err(Kind::Unaskable)?;
        Ok(self.http().map_err(Kind::Unaskable)?.delete(url))
    }

    /// Waits for a place among the requests under way.
    pub async fn enter(&self) -> Pass<'_> {
        self.gate.enter(false).await
    }

    /// The longest silence that a read bears.
    pub(super) fn patience(&self) -> Duration {
        self.settings.policy.silence
    }

    fn kind_of(&self, error: &reqwest::Error) -> Kind {
        if error.is_builder() {
            Kind::Unaskable(root_cause(error))
        } else if error.is_connect() {
            let host = error.url().and_then(Url::host_str).unwrap_or("the server");
            Kind::Unreachable(format!("{host}: {}", root_cause(error)))
        } else {
            Kind::Broken(root_cause(error))
        }
    }

    fn url(&self, path: &str, request: &Request, after: Option<&str>) -> Result<Url, String> {
        let cursor = after.map(|cursor| ("after", cursor));
        let query = request.query.iter().map(|(name, value)| (*name, value.as_str())).chain(cursor);
        let query: Vec<String> =
            query.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, RESERVED))).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let text = format!("{}{path}{mark}{}", self.settings.api_url, query.join("&"));
        Url::parse(&text).map_err(|error| format!("the API's address is unusable: {error}"))
    }

    fn http(&self) -> Result<&reqwest::Client, String> {
        self.http.get_or_init(|| build(&self.settings, Connections::Kept)).as_ref().map_err(Clone::clone)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Client").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// This machine's clock, in Unix seconds.
pub fn now_s() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

/// A complete answer that says success.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    /// The server's `Date`, in Unix seconds.
    date: Option<i64>,
    took: Duration,
}

/// A try that brought nothing.
pub(super) struct Refusal {
    pub(super) kind: Kind,
    pub(super) explanation: Option<String>,
    pub(super) retry_after: Option<Duration>,
}

impl From<Kind> for Refusal {
    fn from(kind: Kind) -> Refusal {
        Refusal { kind, explanation: None, retry_after: None }
    }
}

/// Whether connections are used again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Connections {
    Kept,
    Fresh,
}

/// Makes the HTTP client. Loopback is asked in the clear, without a proxy and without root certificates, so that it
/// works on a machine that has none.
fn build(settings: &Settings, connections: Connections) -> Result<reqwest::Client, String> {
    let mut key = HeaderValue::from_bytes(format!("Bearer {}", settings.token.expose()).as_bytes())
        .map_err(|_| "the API key holds characters that no HTTP header can carry".to_string())?;
    key.set_sensitive(true);
    let headers = HeaderMap::from_iter([(AUTHORIZATION, key), (ACCEPT, HeaderValue::from_static("application/json"))]);
    // Fails only when a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .default_headers(headers)
        .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(settings.policy.connect)
        .tcp_nodelay(true)
        .pool_max_idle_per_host(settings.concurrency);
    if connections == Connections::Fresh {
        builder = builder.pool_max_idle_per_host(0).retry(reqwest::retry::never());
    }
    if Url::parse(&settings.api_url).is_ok_and(|url| url.host_str().is_some_and(is_loopback)) {
        builder = builder.no_proxy();
        if settings.api_url.starts_with("http://") {
            builder = builder.tls_certs_only([]);
        }
    }
    builder.build().map_err(|error| {
        format!(
            "{} (install the package ca-certificates, or point SSL_CERT_FILE at a file of root certificates)",
            root_cause(&error)
        )
    })
}

fn header(response: &Response, name: reqwest::header::HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
}

/// The innermost cause, which says "connection refused" where the outer ones say "error sending request for url".
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
