//! The client of the API: time limits, the one retry loop, and one method per call.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use percent_encoding::utf8_percent_encode;
use tokio::time::{Instant, timeout};

use super::clock::ServerClock;
use super::connection::{Connections, Settings};
use super::error::{Error, Kind, explanation};
use super::form::Form;
use super::gate::{Gate, Pass};
use super::memory::{Memory, Share};
use super::page::{Invalid, Page, RESERVED, Request, Trail};
use super::principal::Principal;
use super::retry::{FailedTry, Next, Tries, retry_after};
use super::surrogate::replace_halves;
use super::transport::{Excuse, HttpRequest, Method, Network, Transport, Unanswered};

/// The largest answer that is read. A page of 200 messages has been seen at 1.6 MB.
const LARGEST_BODY: usize = 256 << 20;

/// So much of an error's body is read for an explanation.
const LARGEST_ERROR_BODY: usize = 16 << 10;

/// A client of one API with one key. Shared by everything that runs.
pub struct Client {
    settings: Settings,
    network: Network,
    /// What is asked instead of the network.
    transport: Option<Arc<dyn Transport>>,
    gate: Gate,
    memory: Memory,
    clock: ServerClock,
    /// This machine's clock.
    machine: Box<dyn Fn() -> SystemTime + Send + Sync>,
    /// Told of each request.
    watch: Option<Box<Watch>>,
}

/// Told of each request that was made with which status it was answered, `None` where it was not, and how long that took.
type Watch = dyn Fn(Option<u16>, Duration) + Send + Sync;

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
        let (memory, clock) = (Memory::default(), ServerClock::default());
        let machine = Box::new(SystemTime::now);
        Client { settings, network: Network::default(), transport: None, gate, memory, clock, machine, watch: None }
    }

    /// A client whose requests `transport` answers, instead of the network.
    pub fn over(transport: Arc<dyn Transport>, settings: Settings) -> Client {
        Client { transport: Some(transport), ..Client::new(settings) }
    }

    /// Takes `machine` for this machine's clock, which counts where the API says no time.
    pub fn with_machine_clock(self, machine: impl Fn() -> SystemTime + Send + Sync + 'static) -> Client {
        Client { machine: Box::new(machine), ..self }
    }

    /// Has `watch` told of each request that was made with which status it was answered, `None` where it was not, and how long that
    /// took.
    pub fn watched(self, watch: impl Fn(Option<u16>, Duration) + Send + Sync + 'static) -> Client {
        Client { watch: Some(Box::new(watch)), ..self }
    }

    /// The page of a list that `trail` has come to, tried until it is sound or the policy gives up.
    ///
    /// # Errors
    /// The last try's error. A broken or senseless answer is an error like a failed one, never the list's end.
    pub async fn page(&self, request: &Request, trail: &Trail, tell: &(dyn Fn(Event) + Sync)) -> Result<Page, Error> {
        let read = |answer: Answer| {
            let mut page = Page::parse_as(answer.body, request.form)?.on(trail);
            trail.check(&page)?;
            page.asked_at = answer.date.map(|date| date - answer.took.as_secs_f64().ceil() as i64);
            Ok(page)
        };
        let (mut page, share) = self.get_held(request, trail.after(), read, tell).await?;
        page._share = Some(share);
        Ok(page)
    }

    /// Who the key belongs to.
    ///
    /// # Errors
    /// As for [`Client::page`]; a 404 says only that this deployment does not know the endpoint.
    pub async fn principal(&self, tell: &(dyn Fn(Event) + Sync)) -> Result<Principal, Error> {
        let request = Request { path: vec!["v3".into(), "self".into()], query: Vec::new(), form: Form::default() };
        let read = |answer: Answer| {
            serde_json::from_slice(&answer.body).map_err(|_| Invalid::Unexpected("it does not describe a principal"))
        };
        self.get(&request, None, read, tell).await
    }

    /// Asks for what is small and soon read.
    pub(super) async fn get<T>(
        &self,
        request: &Request,
        after: Option<&str>,
        read: impl Fn(Answer) -> Result<T, Invalid>,
        tell: &(dyn Fn(Event) + Sync),
    ) -> Result<T, Error> {
        self.get_held(request, after, read, tell).await.map(|(value, _)| value)
    }

    /// The only retry loop: asks, reads, decides, waits. Answers with the value and what it takes of the memory.
    async fn get_held<T>(
        &self,
        request: &Request,
        after: Option<&str>,
        read: impl Fn(Answer) -> Result<T, Invalid>,
        tell: &(dyn Fn(Event) + Sync),
    ) -> Result<(T, Share), Error> {
        let path = request.encoded_path();
        let fail = |kind, explanation, tries| Error { kind, path: path.clone(), explanation, tries };
        let asked_for = to_send(Method::Get, request, after, Vec::new());
        let policy = &self.settings.policy;
        let (mut tries, mut asked) = (Tries::default(), 0);
        let mut connections = Connections::Kept;
        let mut share = self.memory.share().await;
        loop {
            let pass = self.gate.enter(asked > 0).await;
            asked += 1;
            tell(Event::Asking);
            let (successes, began) = (self.gate.successes(), Instant::now());
            let outcome = match timeout(tries.left(policy), self.ask_for(&asked_for, connections, &mut share)).await {
                Ok(outcome) => outcome,
                Err(_) => Err(Refusal::from(Kind::TimeUp(policy.budget))),
            };
            let refusal = match outcome {
                Ok(answer) => {
                    let (status, bytes, took) = (200, answer.body.len(), answer.took);
                    self.memory.settle(&mut share, bytes);
                    tell(Event::Answered { path: path.clone(), status, bytes, took });
                    match read(answer) {
                        Ok(value) => {
                            self.gate.succeeded();
                            return Ok((value, share));
                        }
                        Err(invalid) => Refusal::from(Kind::Invalid(invalid)),
                    }
                }
                Err(refusal) => refusal,
            };
            if refusal.excuse == Some(Excuse::LetGo) {
                drop(pass);
                share = self.memory.larger(share).await;
                continue;
            }
            // A server may close a kept connection at any moment, so the first time it says nothing about the server.
            // Other kept ones may be closed as well.
            if refusal.excuse == Some(Excuse::HungUp) && connections == Connections::Kept {
                connections = Connections::Fresh;
                let error = fail(refusal.kind, None, asked);
                tell(Event::Retrying { error, wait: Duration::ZERO, rate_limited: false });
                continue;
            }
            let tried = FailedTry {
                kind: refusal.kind.clone(),
                took: began.elapsed(),
                retry_after: refusal.retry_after,
                others_got_through: self.gate.successes() > successes,
            };
            let next = tries.after(policy, &tried, Instant::now().into_std(), fastrand::f64());
            let rate_limited = refusal.kind == Kind::Status(429);
            let error = fail(refusal.kind, refusal.explanation, asked);
            let (wait, is_alone) = match next {
                Next::GiveUp(kind) => return Err(Error { kind, ..error }),
                Next::WaitTogether(wait) => (wait, false),
                Next::WaitAlone(wait) => (wait, true),
            };
            if !is_alone {
                self.gate.rate_limited(wait);
            }
            drop(pass);
            tell(Event::Retrying { error, wait, rate_limited });
            // With everybody else it waits at the gate.
            if is_alone {
                tokio::time::sleep(wait).await;
            }
        }
    }

    /// One try to read.
    async fn ask_for(
        &self,
        request: &HttpRequest,
        connections: Connections,
        share: &mut Share,
    ) -> Result<Answer, Refusal> {
        let answer = self.ask_within(request.clone(), connections, self.settings.policy.silence, Some(share)).await?;
        // Another success than 200 is no answer to a read.
        if answer.status == 200 { Ok(answer) } else { Err(Kind::Status(answer.status).into()) }
    }

    /// One try of any request, with the longest silence that is borne.
    pub(super) async fn ask(
        &self,
        request: HttpRequest,
        connections: Connections,
        silence: Duration,
    ) -> Result<Answer, Refusal> {
        self.ask_within(request, connections, silence, None).await
    }

    /// The same, as far as the answer's share of the memory lets it.
    async fn ask_within(
        &self,
        request: HttpRequest,
        connections: Connections,
        silence: Duration,
        share: Option<&mut Share>,
    ) -> Result<Answer, Refusal> {
        let started = Instant::now();
        let result = self.exchange(request, connections, silence, share).await;
        if let Some(watch) = &self.watch {
            let status = match &result {
                Ok(answer) => Some(answer.status),
                Err(refusal) => refusal.kind.status(),
            };
            watch(status, started.elapsed());
        }
        result
    }

    async fn exchange(
        &self,
        request: HttpRequest,
        connections: Connections,
        silence: Duration,
        mut share: Option<&mut Share>,
    ) -> Result<Answer, Refusal> {
        let started = Instant::now();
        let mut response = match &self.transport {
            Some(transport) => {
                let sent = timeout(silence, transport.send(request)).await;
                let response = sent.map_err(|_| Unanswered::from(Kind::Silent(silence)))?.map_err(Unanswered::from)?;
                if !share.as_mut().is_none_or(|share| share.holds(response.body.len())) {
                    return Err(Unanswered::let_go().into());
                }
                response
            }
            None => self.network.send(&self.settings, request, connections, silence, limit, share).await?,
        };
        replace_halves(&mut response.body);
        let (status, date) = (response.status, response.date());
        // An error may come from something between here and the API, with a clock of its own.
        if let Some(date) = date.filter(|_| status < 400) {
            self.clock.heard(date, Instant::now().into_std());
        }
        if !is_success(status) {
            let now = date.unwrap_or_else(&self.machine);
            let wait = response.retry_after.as_deref().and_then(|value| retry_after(value, now));
            let explanation = explanation(&response.body, &self.settings.token);
            return Err(Refusal { explanation, retry_after: wait, ..Refusal::from(Kind::Status(status)) });
        }
        if response.body.len() > LARGEST_BODY {
            return Err(Kind::Invalid(Invalid::TooLarge { limit: LARGEST_BODY }).into());
        }
        let date = date.and_then(|date| date.duration_since(UNIX_EPOCH).ok()).map(|date| date.as_secs() as i64);
        Ok(Answer { status, body: response.body, date, took: started.elapsed() })
    }

    /// The API's clock, in Unix milliseconds: its last `Date` and the time since. This machine's until there is one.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms(Instant::now().into_std(), (self.machine)())
    }

    /// As [`Client::now_ms`] by the first `Date` alone, so that it runs on evenly whatever the API's servers say.
    pub fn steady_ms(&self) -> i64 {
        self.clock.steady_ms(Instant::now().into_std(), (self.machine)())
    }

    /// Waits for a place among the requests under way.
    pub async fn enter(&self) -> Pass<'_> {
        self.gate.enter(false).await
    }

    /// The longest silence that a read bears.
    pub(super) fn patience(&self) -> Duration {
        self.settings.policy.silence
    }
}

/// How many bytes of an answer's body are read.
fn limit(status: u16) -> usize {
    if is_success(status) { LARGEST_BODY } else { LARGEST_ERROR_BODY }
}

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

/// A request as it goes out.
pub(super) fn to_send(method: Method, request: &Request, after: Option<&str>, body: Vec<u8>) -> HttpRequest {
    let cursor = after.map(|cursor| (request.form.next(), cursor));
    let query = request.query.iter().map(|(name, value)| (*name, value.as_str())).chain(cursor);
    let query: Vec<String> =
        query.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, RESERVED))).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    HttpRequest { method, target: format!("{}{mark}{}", request.encoded_path(), query.join("&")), body }
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
    excuse: Option<Excuse>,
}

impl From<Kind> for Refusal {
    fn from(kind: Kind) -> Refusal {
        Refusal { kind, explanation: None, retry_after: None, excuse: None }
    }
}

impl From<Unanswered> for Refusal {
    fn from(unanswered: Unanswered) -> Refusal {
        Refusal { excuse: unanswered.excuse, ..Refusal::from(unanswered.kind) }
    }
}
