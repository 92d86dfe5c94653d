//! One alert from its payload to its outcome: dispatched once, watched to its end, reported. Keeps nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch::Receiver;

use super::dispatch::{Api, Dispatched, Order, dispatch};
use super::organisation::{quiet, trouble};
use super::outcome::{Outcome, Verdict, settle};
use super::report::{Event, Report, Trouble, say};
use super::watch::{Ended, Polling, watch};
use crate::devin::session::{NewSession, Session, bare};
use crate::devin::sessions::Creation;
use crate::devin::{Client, Error};
use crate::output::Output;

/// What all alerts of a run share.
pub struct Relay {
    pub client: Client,
    pub org_id: String,
    pub polling: Polling,
    pub create_timeout: Duration,
    pub on_timeout: OnTimeout,
    /// Prints the session and leaves it alone.
    pub detach: bool,
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
        let session = match dispatch(&*self, &order, |text| report.note(text)).await {
            Ok(Dispatched::Created(session)) => {
                let created = Event::SessionCreated { session_id: &session.session_id, session_url: &session.url };
                say(&self.output, &created);
                session
            }
            Ok(Dispatched::Adopted(session, why)) => {
                report.adopted(&session, &why);
                session
            }
            Ok(Dispatched::Reported(session)) => {
                let (session_id, session_url) = (&*session.session_id, &*session.url);
                say(&self.output, &Event::SessionAdopted { session_id, session_url, reason: "ended_within_cooldown" });
                let outcome = settle(&session);
                report.outcome(&outcome, Some(&session), 0);
                return End::Outcome(outcome.verdict);
            }
            Ok(Dispatched::Unknown(error)) => {
                let reason = format!(
                    "{error}. A session may have been created and was not found: look for the tag {} in Devin, and run the same alert again to adopt it, or with --create-again to create once more if it is still not there",
                    order.mark
                );
                let outcome = Outcome { verdict: Verdict::CreateUnknown, reason };
                report.outcome(&outcome, None, 0);
                return End::Outcome(outcome.verdict);
            }
            Err(error) => return self.fail(&report, &trouble(&error)),
        };
        if self.detach {
            return End::Detached;
        }
        self.watch(&session.session_id, Some(session.url), report).await
    }

    /// Watches a session to its end.
    pub async fn watch(&self, session_id: &str, url: Option<String>, report: Report) -> End {
        let mut last_state = None;
        let ended = watch(
            &self.polling,
            async || self.client.session(&self.org_id, session_id, &quiet).await,
            async |time| Api::wait(self, time).await,
            || report.started().elapsed(),
            |seen| match seen {
                Ok(session) => {
                    let state = (session.status.clone(), session.status_detail.clone(), session.pull_requests.len());
                    let is_news = last_state.as_ref() != Some(&state);
                    report.seen(session, is_news);
                    last_state = Some(state);
                }
                Err(error) => report.note(&format!("{error}; looking again in {} s", self.polling.interval.as_secs())),
            },
        )
        .await;
        let again = || {
            let id = url.as_deref().filter(|url| !url.is_empty()).unwrap_or(session_id);
            format!("the session goes on; watch it again with: source-devin-ai alert-relay watch {id}")
        };
        match ended {
            Ended::Settled { mut outcome, last, polls } => {
                if outcome.verdict == Verdict::PollTimeout && self.on_timeout == OnTimeout::Terminate {
                    let ended = self.client.terminate_session(&self.org_id, session_id).await;
                    outcome.reason += &match ended {
                        Ok(()) => "; it was terminated".to_string(),
                        Err(error) => format!("; it could not be terminated: {error}"),
                    };
                }
                report.outcome(&outcome, last.as_ref(), polls);
                End::Outcome(outcome.verdict)
            }
            Ended::Refused(error) => {
                let trouble = trouble(&error);
                let message = format!("{} {}", trouble.message, again());
                self.fail(&report, &Trouble { message, ..trouble })
            }
            Ended::Stopped => {
                report.note(&again());
                End::Stopped(self.stop.borrow().unwrap_or_default())
            }
        }
    }

    fn fail(&self, report: &Report, trouble: &Trouble) -> End {
        say(&self.output, &Event::Error(trouble));
        report.note(&format!("error: {}", trouble.message));
        End::Trouble
    }
}

impl Api for Relay {
    async fn find_by_tag(&self, tag: &str) -> Result<Vec<Session>, Error> {
        self.client.find_sessions(&self.org_id, &[("tags", tag.to_string())], &quiet).await
    }

    async fn find_recent(&self, within: Duration) -> Result<Vec<Session>, Error> {
        let since = self.now().saturating_sub(i64::try_from(within.as_secs()).unwrap_or(i64::MAX)).max(0);
        self.client.find_sessions(&self.org_id, &[("created_after", since.to_string())], &quiet).await
    }

    async fn create(&self, new: &NewSession) -> Creation {
        self.client.create_session(&self.org_id, new, self.create_timeout).await
    }

    async fn terminate(&self, session_id: &str) -> Result<(), Error> {
        self.client.terminate_session(&self.org_id, session_id).await
    }

    async fn wait(&self, time: Duration) -> bool {
        let mut stop = self.stop.clone();
        let asked = stop.wait_for(Option::is_some);
        tokio::select! {
            biased;
            _ = asked => false,
            () = tokio::time::sleep(time) => true,
        }
    }

    fn now(&self) -> i64 {
        crate::devin::client::now_s()
    }
}

/// The identifier in what people paste: the session's address in the web app, or the identifier itself.
///
/// # Errors
/// A sentence that says what is expected.
pub fn session_id(text: &str) -> Result<String, String> {
    let path = text.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let last = path.rsplit('/').next().unwrap_or_default();
    let id = bare(last);
    let is_plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_session = !text.contains('/') || path.contains("/sessions/");
    if is_plain && is_session {
        Ok(id.to_string())
    } else {
        Err("expected a session's identifier or its address, https://app.devin.ai/sessions/…".to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_named_by_its_identifier_or_its_address() {
        let id = "0d902d4d605a230ab8f5a3d24bdfd1fe";
        for text in [
            id,
            &format!("devin-{id}"),
            &format!("https://app.devin.ai/sessions/{id}"),
            &format!("https://app.devin.ai/sessions/devin-{id}/?tab=1#x"),
        ] {
            assert_eq!(session_id(text).as_deref(), Ok(id), "{text}");
        }
        for text in
            ["", "https://app.devin.ai/", "https://app.devin.ai/sessions/", "https://app.devin.ai/org/x", "a b", "../x"]
        {
            assert!(session_id(text).is_err(), "{text}");
        }
    }
}
