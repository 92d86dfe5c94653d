//! The ports of a job on the real API, and a job driven in memory from an alert to its outcome. Keeps nothing.

use std::time::Duration;

use tokio::sync::watch::Receiver;

use super::driver::{Cancellation, Clock, Sessions, drive, event_of};
use super::error_report::ignore_events;
use super::event::EventKind;
use super::job::{End, Job, Millis, Query};
use super::outcome::OutcomeKind;
use super::report::Presenter;
use crate::devin::session::{NewSession, Session};
use crate::devin::sessions::Creation;
use crate::devin::{Client, Error, Kind};
use crate::output::Output;

/// What all alerts of a run share.
pub struct Relay {
    pub client: Client,
    pub org_id: String,
    pub create_timeout: Duration,
    /// The options by which another command reaches the same organization, each with a blank before it; `None` where it
    /// ends with this command.
    pub access: Option<String>,
    pub output: Output,
    pub presenter: Presenter,
    /// The signal that asked to stop; `None` until one has.
    pub stop: Receiver<Option<i32>>,
}

/// How a run ended, as the command's exit tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunEnd {
    Outcome(OutcomeKind),
    /// The session was printed and left alone.
    Detached,
    /// Nothing was created, or the session can no longer be polled; said already.
    Failed,
    /// Asked to stop by this signal; the session goes on.
    Stopped(i32),
}

impl Relay {
    /// Takes one alert's job to its end.
    pub async fn run(&self, job: Job) -> RunEnd {
        let on_event = |event| self.presenter.show(&event);
        let job = drive(job, self, &on_event, &|_| ()).await;
        let note = |text: String| self.presenter.show(&event_of(&job, EventKind::note(text), self.devin_now()));
        let signal = *self.stop.borrow();
        match job.end() {
            Some(End::Outcome(kind)) => RunEnd::Outcome(*kind),
            Some(End::Detached { session_id, session_url, is_over }) => {
                self.leave(session_id, session_url.as_deref(), *is_over, note).await
            }
            Some(End::Failed { session_id }) => {
                if let Some(session_id) = session_id {
                    note(goes_on(session_id, self.access.as_deref()));
                }
                RunEnd::Failed
            }
            Some(End::Stopped { session_id }) => {
                note(match session_id {
                    Some(session_id) => goes_on(session_id, self.access.as_deref()),
                    None => "stopped before a session was created".to_string(),
                });
                signal.map_or(RunEnd::Failed, RunEnd::Stopped)
            }
            None => RunEnd::Failed,
        }
    }

    /// Leaves a session alone once its line is out. A reader that has gone does not keep it unseen.
    async fn leave(&self, id: &str, url: Option<&str>, is_over: bool, note: impl Fn(String)) -> RunEnd {
        tokio::select! {
            biased;
            () = self.output.written() => {}
            () = self.asked_to_stop() => {}
        }
        if !self.output.has_stopped() {
            note(match &self.access {
                Some(access) if is_over => format!("the session has ended; see how with: {}", watching(id, access)),
                access => goes_on(id, access.as_deref()),
            });
            return RunEnd::Detached;
        }
        let url = url.unwrap_or("its URL is not known");
        let command = watching(id, self.access.as_deref().unwrap_or_default());
        note(format!("stdout takes no more: session {id} ({url}) can be watched with: {command}"));
        RunEnd::Failed
    }

    /// Waits until a signal asks to stop.
    async fn asked_to_stop(&self) {
        let mut stop = self.stop.clone();
        if stop.wait_for(Option::is_some).await.is_err() {
            // Whoever could ask has gone.
            std::future::pending::<()>().await;
        }
    }
}

/// How a session that is left alone can be watched again; `access` is [`Relay::access`].
pub fn goes_on(session_id: &str, access: Option<&str>) -> String {
    match access {
        Some(access) => format!("the session goes on; watch it again with: {}", watching(session_id, access)),
        None => "the session ends with its simulated organization".to_string(),
    }
}

fn watching(session_id: &str, access: &str) -> String {
    format!("source-devin-ai alert-relay watch {session_id}{access}")
}

impl Sessions for Relay {
    async fn find(&self, query: &Query, marker: &str) -> Result<Vec<Session>, Error> {
        self.client.find_sessions(&self.org_id, &[query.filter()], marker, &ignore_events).await
    }

    async fn create(&self, new: &NewSession) -> Option<Creation> {
        // Waiting for a permit and for a slow reader of stdout comes first: what follows is sent at once or never.
        let _permit = tokio::select! {
            biased;
            () = self.asked_to_stop() => return None,
            permit = self.client.enter() => permit,
        };
        tokio::select! {
            biased;
            () = self.asked_to_stop() => return None,
            () = self.output.written() => {}
        }
        // A session that nobody could be told of would be started unseen.
        if self.output.has_stopped() {
            let reason = "the output cannot be written, so the session could not be reported".to_string();
            let path = "the create".to_string();
            return Some(Creation::Refused(Error { kind: Kind::Unaskable(reason), path, explanation: None, tries: 0 }));
        }
        Some(self.client.create_session(&self.org_id, new, self.create_timeout).await)
    }

    async fn poll(&self, session_id: &str) -> Result<Session, Error> {
        self.client.session(&self.org_id, session_id, &ignore_events).await
    }

    async fn tag(&self, session_id: &str, tag: &str) -> Result<(), Error> {
        self.client.tag_session(&self.org_id, session_id, tag).await
    }

    async fn terminate(&self, session_id: &str) -> Result<(), Error> {
        self.client.terminate_session(&self.org_id, session_id).await
    }

    async fn message(&self, session_id: &str, message: &str) -> Result<(), Error> {
        self.client.message_session(&self.org_id, session_id, message).await
    }
}

impl Clock for Relay {
    fn now(&self) -> Millis {
        self.client.steady_ms()
    }

    fn devin_now(&self) -> Millis {
        self.client.now_ms()
    }

    async fn sleep_until(&self, moment: Millis) {
        let time = Duration::from_millis((moment - self.now()).max(0).unsigned_abs());
        tokio::time::sleep(time).await;
    }
}

impl Cancellation for Relay {
    /// A reader of stdout that has gone ends the run as well: nobody would be told of what follows.
    async fn cancelled(&self) {
        tokio::select! {
            () = self.asked_to_stop() => {}
            () = self.output.stopped() => {}
        }
    }
}
