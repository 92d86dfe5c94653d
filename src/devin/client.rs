//! The HTTP side: authentication, time limits, and one method per call of the API.
//!
//! The HTTP library's client is made when the first request is due, because loading the machine's
//! root certificates takes milliseconds that no other command should pay.

use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use percent_encoding::utf8_percent_encode;
use reqwest::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use reqwest::{RequestBuilder, Response, Url};
use tokio::time::{Instant, timeout, timeout_at};

use super::clock::ServerClock;
use super::connection::{Connections, Settings, build, is_hang_up, kind_of};
use super::error::{Error, Kind, explanation};
use super::gate::{Gate, Pass};
use super::page::{Invalid, Page, RESERVED, Request, Trail};
use super::principal::Principal;
use super::retry::{Outrun, Verdict, retry_after};
use super::surrogate::replace_halves;

/// The largest answer that is read. A page of 200 messages has been seen at 1.6 MB.
const LARGEST_BODY: usize = 256 << 20;

/// So much of an error's body is read for an explanation.
const LARGEST_ERROR_BODY: usize = 16 << 10;

/// A client of one API with one key. Shared by everything that runs.
pub struct Client {
    settings: Settings,
    http: OnceLock<Result<reqwest::Client, String>>,
    /// The same for those whose kept connection broke.
    fresh_http: OnceLock<Result<reqwest::Client, String>>,
    gate: Gate,
    clock: ServerClock,
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
        Client { settings, http: OnceLock::new(), fresh_http: OnceLock::new(), gate, clock: ServerClock::default() }
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
        let mut connections = Connections::Kept;
        let mut outrun = Outrun::default();
        let (mut asked, mut failed) = (0, 0);
        loop {
            let waiting = Instant::now();
            let pass = self.gate.enter(asked > 0).await;
            excused += waiting.elapsed();
            asked += 1;
            tell(Event::Asking);
            let deadline = started + excused + policy.budget;
            let successes = self.gate.successes();
            let outcome = match timeout_at(deadline, self.ask_for(&url, connections)).await {
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
            // A server may close a kept connection at any moment, so the first time it says nothing about the server.
            // Other kept ones may be closed as well.
            if refusal.is_hang_up && connections == Connections::Kept {
                connections = Connections::Fresh;
                let error = fail(refusal.kind, None, asked);
                tell(Event::Retrying { error, wait: Duration::ZERO, rate_limited: false });
                continue;
            }
            let rate_limited = refusal.kind == Kind::Status(429);
            // While a limit lets others through, losing to them is no failed try: this request's turn will come. What
            // succeeded before it went out, or while everybody waited, does not count.
            let is_outrun = rate_limited && self.gate.successes() > successes;
            let is_excused = is_outrun && outrun.is_excused(policy, Instant::now().into_std());
            failed += u32::from(!is_excused);
            let spent = started.elapsed().saturating_sub(excused);
            let verdict = policy.after(&refusal.kind, failed, spent, refusal.retry_after, fastrand::f64());
            let error = fail(refusal.kind, refusal.explanation, asked);
            let (wait, is_wished) = match verdict {
                Verdict::GiveUp(kind) => return Err(Error { kind, ..error }),
                Verdict::Wait { wait, asked } => (wait, asked),
            };
            let waits_alone = !rate_limited || (is_outrun && !outrun.pauses_everybody(policy, wait));
            if !waits_alone {
                self.gate.rate_limited(wait);
            }
            drop(pass);
            tell(Event::Retrying { error, wait, rate_limited });
            // With everybody else it waits at the gate.
            if waits_alone {
                tokio::time::sleep(wait).await;
                excused += if is_wished || rate_limited { wait } else { Duration::ZERO };
            }
        }
    }

    /// One try to read.
    async fn ask_for(&self, url: &Url, connections: Connections) -> Result<Answer, Refusal> {
        let http = self.http(connections).map_err(|reason| Refusal::from(Kind::Unaskable(reason)))?;
        let answer = self.ask(http.get(url.clone()), self.settings.policy.silence).await?;
        // Another success than 200 is no answer to a read.
        if answer.status == 200 { Ok(answer) } else { Err(Kind::Status(answer.status).into()) }
    }

    /// One try of any request, with the longest silence that is borne.
    pub(super) async fn ask(&self, request: RequestBuilder, silence: Duration) -> Result<Answer, Refusal> {
        let started = Instant::now();
        let sent = timeout(silence, request.send()).await;
        let response = sent
            .map_err(|_| Kind::Silent(silence))?
            .map_err(|error| Refusal { is_hang_up: is_hang_up(&error), ..Refusal::from(kind_of(&error)) })?;
        let status = response.status().as_u16();
        let date = header(&response, DATE).and_then(|value| httpdate::parse_http_date(value).ok());
        if let Some(date) = date {
            self.clock.heard(date, Instant::now().into_std());
        }
        if !response.status().is_success() {
            let wait = header(&response, RETRY_AFTER)
                .and_then(|value| retry_after(value, date.unwrap_or_else(SystemTime::now)));
            let body = self.body(response, LARGEST_ERROR_BODY, silence).await.unwrap_or_default();
            let explanation = explanation(&body, &self.settings.token);
            return Err(Refusal { explanation, retry_after: wait, ..Refusal::from(Kind::Status(status)) });
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
            match chunk.map_err(|error| kind_of(&error))? {
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
        Ok(self.http(Connections::Kept).map_err(Kind::Unaskable)?.delete(url))
    }

    /// The API's clock, in Unix milliseconds: its last `Date` and the time since. This machine's until there is one.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms(Instant::now().into_std(), SystemTime::now())
    }

    /// Waits for a place among the requests under way.
    pub async fn enter(&self) -> Pass<'_> {
        self.gate.enter(false).await
    }

    /// The longest silence that a read bears.
    pub(super) fn patience(&self) -> Duration {
        self.settings.policy.silence
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

    fn http(&self, connections: Connections) -> Result<&reqwest::Client, String> {
        let made = match connections {
            Connections::Kept => &self.http,
            Connections::Fresh => &self.fresh_http,
        };
        made.get_or_init(|| build(&self.settings, connections)).as_ref().map_err(Clone::clone)
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
    /// Whether the connection ended before an answer began.
    is_hang_up: bool,
}

impl From<Kind> for Refusal {
    fn from(kind: Kind) -> Refusal {
        Refusal { kind, explanation: None, retry_after: None, is_hang_up: false }
    }
}

fn header(response: &Response, name: reqwest::header::HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
}
