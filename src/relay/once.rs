//! One alert from its payload to its outcome: dispatched once, watched to its end, reported. Keeps nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch::Receiver;

use super::dispatch::{Api, Dispatched, ENDED_TAG, Order, Unclear, dispatch};
use super::outcome::{Outcome, Standing, Verdict, settle, standing};
use super::report::{Event, Report, Trouble, say};
use super::trouble::{quiet, trouble, trouble_of_create};
use super::watch::{Ended, Polling, is_missing, watch};
use crate::devin::session::{NewSession, Session};
use crate::devin::sessions::Creation;
use crate::devin::{Client, Error, Kind};
use crate::output::Output;

/// How long a look, or ending a session, may still take when asked to stop.
const GRACE: Duration = Duration::from_secs(3);

/// How often ending a session is tried; unlike creating one, it may be repeated.
const MOST_TERMINATION_TRIES: u32 = 3;

/// What all alerts of a run share.
pub struct Relay {
    pub client: Client,
    pub org_id: String,
    pub polling: Polling,
    pub create_timeout: Duration,
    pub on_timeout: OnTimeout,
    /// Prints the session and leaves it alone.
    pub detach: bool,
    /// The options by which another command reaches the same organisation, each with a blank before it; `None` where it
    /// ends with this command.
    pub access: Option<String>,
    pub output: Output,
    /// The signal that asked to stop; `None` until one has.
    pub stop: Receiver<Option<i32>>,
}

/// What becomes of a session that is still at work when the looks are used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnTimeout {
    Leave,
    Terminate,
}

/// Whose a session is: only our own is ever ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Ours,
    Another,
}

/// How the trip ended.
#[derive(Debug)]
pub enum End {
    Outcome(Verdict),
    /// The session was printed and left alone.
    Detached,
    /// Nothing was created, or the session can no longer be looked at; said already.
    Trouble,
    /// Asked to stop by this signal; the session goes on.
    Stopped(i32),
}

impl Relay {
    /// Takes one alert's order to its end.
    pub async fn run(self: Arc<Self>, order: Order, dedupe_key: String) -> End {
        let report = Report::new(&self.output, Some(&dedupe_key));
        let known = tokio::select! {
            biased;
            () = self.stopped() => return self.nothing_created(&report),
            known = self.find_by_tag(&order.mark) => known,
        };
        let known = match known {
            Ok(known) => known,
            Err(error) => return self.fail(&report, &trouble(&error)),
        };
        match dispatch(&*self, &order, known, |step| report.step(&step)).await {
            Ok(Dispatched::Created(session)) => self.follow(&session, Origin::Ours, &report).await,
            Ok(Dispatched::Adopted(session, why)) => {
                report.adopted(&session, &why);
                self.follow(&session, Origin::Another, &report).await
            }
            Ok(Dispatched::Reported(session)) => {
                report.ended_lately(&session);
                if self.detach {
                    return self.leave(&session, &report).await;
                }
                let outcome = settle(&session);
                let known = (&*session.session_id, session.url.as_deref());
                report.outcome(&outcome, Some(known), Some(&session), 0);
                End::Outcome(outcome.verdict)
            }
            Ok(Dispatched::Unknown(unclear)) => {
                let outcome = unknown(&unclear, &order.mark);
                report.outcome(&outcome, None, None, 0);
                End::Outcome(outcome.verdict)
            }
            Ok(Dispatched::Stopped) => self.nothing_created(&report),
            Err(error) => self.fail(&report, &trouble_of_create(&error)),
        }
    }

    async fn follow(&self, session: &Session, origin: Origin, report: &Report) -> End {
        if self.detach {
            return self.leave(session, report).await;
        }
        self.watch(&session.session_id, session.url.as_deref(), origin, report).await
    }

    /// Leaves a session alone once its line is out. A reader that has gone does not keep it unseen.
    async fn leave(&self, session: &Session, report: &Report) -> End {
        tokio::select! {
            biased;
            () = self.output.written() => {}
            () = self.stopped() => {}
        }
        if !self.output.has_stopped() {
            return End::Detached;
        }
        let (id, address) = (&session.session_id, session.url.as_deref().unwrap_or("its address is not known"));
        report.note(&format!(
            "stdout takes no more: session {id} ({address}) can be watched with: {}",
            watching(id, self.access.as_deref().unwrap_or_default())
        ));
        End::Trouble
    }

    /// Watches a session to its end. `url` is its address as far as it is known.
    pub async fn watch(&self, session_id: &str, url: Option<&str>, origin: Origin, report: &Report) -> End {
        let mut last_state = None;
        let mut is_missed = false;
        let started = Instant::now();
        let watching = watch(
            &self.polling,
            async || self.client.session(&self.org_id, session_id, &quiet).await,
            async |time| Api::wait(self, time).await,
            || started.elapsed(),
            |seen| match seen {
                Ok(session) => {
                    let state = (session.status.clone(), session.status_detail.clone(), session.pull_requests.len());
                    let is_news = last_state.as_ref() != Some(&state);
                    report.seen(session, is_news);
                    last_state = Some(state);
                    is_missed = false;
                }
                Err(error) if is_missing(error) => {
                    let guess = if last_state.is_some() { "have been deleted" } else { "not be there yet" };
                    if !std::mem::replace(&mut is_missed, true) {
                        report.note(&format!("{error}; it may {guess}"));
                    }
                }
                Err(error) => report.note(&format!("{error}; this look does not count")),
            },
        );
        let ended = tokio::select! {
            biased;
            () = self.stopped() => Ended::Stopped,
            () = self.output.stopped() => {
                report.note(&goes_on(session_id, self.access.as_deref()));
                return End::Trouble;
            }
            ended = watching => ended,
        };
        match ended {
            Ended::Settled { mut outcome, last, polls, is_current } => {
                let is_at_work =
                    is_current && last.as_ref().is_some_and(|session| standing(session) == Standing::Active);
                let is_given_up = outcome.verdict == Verdict::PollTimeout && is_at_work;
                if is_given_up && self.on_timeout == OnTimeout::Terminate {
                    outcome.reason = self.give_up(session_id, origin, polls, &outcome.reason).await;
                }
                let url = last.as_ref().and_then(|session| session.url.as_deref()).or(url);
                report.outcome(&outcome, Some((session_id, url)), last.as_ref(), polls);
                End::Outcome(outcome.verdict)
            }
            Ended::Refused(error) => {
                let trouble = trouble(&error);
                let message = format!("{} But {}", trouble.message, goes_on(session_id, self.access.as_deref()));
                self.fail(report, &Trouble { message, ..trouble })
            }
            Ended::Stopped => {
                report.note(&goes_on(session_id, self.access.as_deref()));
                self.stopped_by()
            }
        }
    }

    /// Ends a session that is still at work after the last look, if it is ours to end: what has become of it.
    async fn give_up(&self, session_id: &str, origin: Origin, polls: u32, reason: &str) -> String {
        if origin == Origin::Another {
            return format!("{reason}: --on-timeout ends only a session that this run has certainly made");
        }
        match self.terminate(session_id).await {
            Ok(()) => format!("still at work after {polls} looks, and terminated, as --on-timeout asks"),
            Err(error) => format!("{reason}; it could not be terminated: {error}"),
        }
    }

    /// Waits until asked to stop.
    async fn stopped(&self) {
        let mut stop = self.stop.clone();
        if stop.wait_for(Option::is_some).await.is_err() {
            // Whoever could ask has gone.
            std::future::pending::<()>().await;
        }
    }

    fn nothing_created(&self, report: &Report) -> End {
        report.note("stopped before a session was created");
        self.stopped_by()
    }

    fn stopped_by(&self) -> End {
        End::Stopped(self.stop.borrow().unwrap_or_default())
    }

    fn fail(&self, report: &Report, trouble: &Trouble) -> End {
        say(&self.output, &Event::Error(trouble));
        report.note(&format!("error: {}", trouble.message));
        End::Trouble
    }
}

/// How a session that is left alone can be watched again; `access` is [`Relay::access`].
pub fn goes_on(session_id: &str, access: Option<&str>) -> String {
    match access {
        Some(access) => format!("the session goes on; watch it again with: {}", watching(session_id, access)),
        None => "the session ends with its simulated organisation".to_string(),
    }
}

fn watching(session_id: &str, access: &str) -> String {
    format!("source-devin-ai alert-relay watch {session_id}{access}")
}

/// The outcome when there may be a session that nobody has seen.
fn unknown(Unclear { create, blind }: &Unclear, mark: &str) -> Outcome {
    let search = match blind {
        None => "was not found".to_string(),
        Some(error) => format!("could not be looked for ({error})"),
    };
    let reason = format!(
        "{create}. A session may have been created and {search}: look for {mark} in Devin, a tag and part of the title. Running the same alert again adopts it once Devin lists it, and creates another one if it does not"
    );
    Outcome { verdict: Verdict::CreateUnknown, reason }
}

impl Relay {
    /// Sessions found by one filter. A look that is under way when asked to stop has a few seconds left.
    async fn find(&self, filter: (&'static str, String)) -> Result<Vec<Session>, Error> {
        let filters = [filter];
        self.soon("the look for sessions", self.client.find_sessions(&self.org_id, &filters, &quiet)).await
    }

    /// Lets `work`, called `name`, have a few more seconds once asked to stop.
    async fn soon<T>(&self, name: &str, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let late = async {
            self.stopped().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            done = work => done,
            () = late => {
                Err(Error { kind: Kind::TimeUp(GRACE), path: name.to_string(), explanation: None, tries: 1 })
            }
        }
    }

    /// Ends a session of ours, and tags it as ended.
    async fn end(&self, session_id: &str) -> Result<(), Error> {
        // The tag comes first: were the process killed between the two, a session that has ended without it would pass for
        // a finding, and the alert would be lost. One that is tagged and goes on is still adopted, and its result counts.
        // Ending it matters more than tagging it.
        let _ = self.client.tag_session(&self.org_id, session_id, ENDED_TAG).await;
        let mut tries = 1;
        loop {
            match self.client.terminate_session(&self.org_id, session_id).await {
                Err(error) if error.kind.is_retryable() && tries < MOST_TERMINATION_TRIES => tries += 1,
                // An earlier try has ended it, and only its answer was lost.
                Err(Error { kind: Kind::Status(404 | 409), .. }) if tries > 1 => return Ok(()),
                ended => return ended,
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

impl Api for Relay {
    async fn find_by_tag(&self, tag: &str) -> Result<Vec<Session>, Error> {
        self.find(("tags", tag.to_string())).await
    }

    async fn find_recent(&self, within: Duration) -> Result<Vec<Session>, Error> {
        let since = self.now().saturating_sub(i64::try_from(within.as_secs()).unwrap_or(i64::MAX)).max(0);
        self.find(("created_after", since.to_string())).await
    }

    async fn create(&self, new: &NewSession) -> Option<Creation> {
        // Waiting for a place and for a slow reader of stdout comes first: what follows is sent at once or never.
        let _place = tokio::select! {
            biased;
            () = self.stopped() => return None,
            place = self.client.enter() => place,
        };
        tokio::select! {
            biased;
            () = self.stopped() => return None,
            () = self.output.written() => {}
        }
        // A session that nobody could be told of would be started unseen.
        if self.output.has_stopped() {
            let kind =
                Kind::Unaskable("the output cannot be written, so the session could not be reported".to_string());
            return Some(Creation::Refused(Error {
                kind,
                path: "the create".to_string(),
                explanation: None,
                tries: 0,
            }));
        }
        Some(self.client.create_session(&self.org_id, new, self.create_timeout).await)
    }

    async fn terminate(&self, session_id: &str) -> Result<(), Error> {
        self.soon("the end of the session", self.end(session_id)).await
    }

    async fn wait(&self, time: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.stopped() => false,
            () = tokio::time::sleep(time) => true,
        }
    }

    fn now(&self) -> i64 {
        crate::devin::client::now_s()
    }
}
