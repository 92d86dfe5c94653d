//! One organization of Devin: its client, whose key it is, and whether it can be worked with. A key that is refused pauses
//! this integration and no other. Its requests are the ports of its jobs.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::polls::Polls;
use super::store::Store;
use super::{Log, store::StoreError};
use crate::devin::Error;
use crate::devin::client::{Client, now_s};
use crate::devin::gate::Pass;
use crate::devin::session::{NewSession, Session, bare};
use crate::devin::sessions::Creation;
use crate::relay::driver::Sessions;
use crate::relay::error_report::{Audience, Code, ErrorReport, create_error_report, ignore_events};
use crate::relay::job::{Now, Query};
use crate::relay::organization;

/// How long after a look at the key the next one is taken at the earliest.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// How much longer than its wait a create that was refused counts though the key looks good, and how long at most: by then
/// it has been tried again.
const REFUSED_BEYOND: Duration = Duration::from_secs(30);
const REFUSED_FOR: Duration = Duration::from_secs(330);

/// Stands in no item of a list.
const UNMATCHED: &str = "\0";

/// What an integration is made of.
pub struct IntegrationSettings {
    pub name: String,
    pub client: Client,
    /// `None` where the key is to tell it.
    pub org_id: Option<String>,
    /// How long a create may take.
    pub create_timeout: Duration,
}

/// One organization.
pub struct Integration {
    pub name: String,
    client: Client,
    configured: Option<String>,
    create_timeout: Duration,
    pub polls: Polls,
    standing: Mutex<Standing>,
    /// Since when, in Unix milliseconds.
    since: AtomicI64,
    /// What was said of that last.
    said: Mutex<String>,
    /// Until when a create that was refused counts.
    refused_until: Mutex<Option<Instant>>,
    /// Told when the key has to be looked at.
    doubt: Notify,
    /// Told when it is ready.
    ready: Notify,
}

/// Whether it can be worked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Not known yet.
    Starting,
    Ready {
        org_id: String,
    },
    Paused {
        reason: ErrorReport,
        /// The organization, where jobs are tried all the same, because nothing is wrong with the key as far as is known:
        /// what has a session goes on, and what has none waits.
        tried_in: Option<String>,
    },
}

/// What a look at the key has found.
enum Look {
    Good {
        org_id: String,
    },
    /// The API did not answer as it should, which says nothing about the key.
    Unanswered {
        reason: ErrorReport,
        org_id: Option<String>,
    },
    Bad(ErrorReport),
}

impl Integration {
    /// One that is not known yet.
    pub fn new(settings: IntegrationSettings) -> Integration {
        Integration {
            name: settings.name,
            client: settings.client,
            configured: settings.org_id,
            create_timeout: settings.create_timeout,
            polls: Polls::default(),
            standing: Mutex::new(Standing::Starting),
            since: AtomicI64::new(now_s() * 1000),
            said: Mutex::default(),
            refused_until: Mutex::default(),
            doubt: Notify::new(),
            ready: Notify::new(),
        }
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Since when it stands so, in Unix milliseconds.
    pub fn since(&self) -> i64 {
        self.since.load(Ordering::Relaxed)
    }

    /// The requests to its organization; `None` while it is not ready.
    pub fn requests(&self) -> Option<Requests<'_>> {
        match self.standing() {
            Standing::Ready { org_id } | Standing::Paused { tried_in: Some(org_id), .. } => {
                Some(Requests { integration: self, org_id })
            }
            _ => None,
        }
    }

    /// Waits until it becomes ready.
    pub async fn readied(&self) {
        self.ready.notified().await;
    }

    /// A create was refused, or limited, and is made again after `wait`: if every other one would be too, nothing is ready
    /// until one goes through.
    pub fn refuse(&self, error: &Error, wait: Duration, log: &Log) {
        let reason = create_error_report(error, Audience::Rules);
        if !is_about_the_organization(reason.code) {
            return;
        }
        let until = Instant::now() + (wait + REFUSED_BEYOND).min(REFUSED_FOR);
        self.set_refused_until(Some(until));
        // A key that is not accepted is of no use to anybody. Whether it is that, the look tells.
        let tried_in = self.organization().filter(|_| reason.code != Code::InvalidDevinToken);
        self.stand(Standing::Paused { reason, tried_in }, log);
        self.doubt();
    }

    /// Has the key looked at: a request failed for what may be the key, the organization, or the whole API.
    pub fn doubt(&self) {
        self.doubt.notify_one();
    }

    /// A create went through.
    pub fn has_worked(&self, log: &Log) {
        self.set_refused_until(None);
        if let Standing::Paused { tried_in: Some(org_id), .. } = self.standing() {
            self.stand(Standing::Ready { org_id }, log);
        }
    }

    /// Looks at the key until it is good, and again whenever it is in doubt. Never ends.
    pub async fn verify(&self, store: &Store, log: &Log) {
        loop {
            let looked_at = Instant::now();
            let next = self.judge(self.look(store, log).await);
            let is_ready = matches!(next, Standing::Ready { .. });
            self.stand(next, log);
            if self.requests().is_some() {
                self.ready.notify_waiters();
            }
            if is_ready {
                self.doubt.notified().await;
            }
            tokio::time::sleep_until(looked_at + LOOK_AGAIN).await;
        }
    }

    /// How it stands after a look.
    fn judge(&self, look: Look) -> Standing {
        match (look, self.standing()) {
            // A key that looks good may still be refused what a create needs.
            (Look::Good { org_id }, Standing::Paused { reason, .. }) if self.is_refused() => {
                Standing::Paused { reason, tried_in: Some(org_id) }
            }
            (Look::Good { org_id }, _) => Standing::Ready { org_id },
            (Look::Unanswered { reason, org_id }, _) => Standing::Paused { reason, tried_in: org_id },
            (Look::Bad(reason), _) => {
                // What creates were refused is explained by the key.
                self.set_refused_until(None);
                Standing::Paused { reason, tried_in: None }
            }
        }
    }

    fn organization(&self) -> Option<String> {
        self.requests().map(|requests| requests.org_id)
    }

    fn set_refused_until(&self, until: Option<Instant>) {
        *self.refused_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// Whether a create was refused lately, and is not made again yet.
    fn is_refused(&self) -> bool {
        let until = *self.refused_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    async fn look(&self, store: &Store, log: &Log) -> Look {
        let kept = self.kept(store.organization(&self.name).await, log);
        match organization::find(&self.client, self.configured.as_deref(), Audience::Rules).await {
            Ok(found) => {
                if let Some(message) = found.lack() {
                    return Look::Bad(ErrorReport { code: Code::MissingPermission, message });
                }
                if let Some(kept) = kept.filter(|kept| *kept != found.org_id) {
                    log.warn(&format!(
                        "integration {}: the key belongs to the organization {} now, and belonged to {kept} before",
                        self.name, found.org_id
                    ));
                }
                let result = store.keep_organization(&self.name, &found.org_id).await;
                self.kept(result.map(|()| None), log);
                Look::Good { org_id: found.org_id }
            }
            Err(reason) if is_about_the_api(reason.code) => {
                Look::Unanswered { reason, org_id: self.configured.clone().or(kept) }
            }
            Err(reason) => Look::Bad(reason),
        }
    }

    /// The organization is a convenience: a store that fails here fails elsewhere too.
    fn kept(&self, result: Result<Option<String>, StoreError>, log: &Log) -> Option<String> {
        result.unwrap_or_else(|error| {
            log.warn(&format!("integration {}: the organization cannot be looked up or kept: {error}", self.name));
            None
        })
    }

    /// As a look at the key would have found it.
    #[cfg(test)]
    pub fn make_ready(&self, org_id: &str) {
        *self.standing.lock().unwrap() = Standing::Ready { org_id: org_id.to_string() };
    }

    fn stand(&self, standing: Standing, log: &Log) {
        let name = &self.name;
        let (said, is_good) = match &standing {
            Standing::Starting => (String::new(), true),
            Standing::Ready { org_id } => {
                (format!("integration {name}: the key is good, the organization is {org_id}"), true)
            }
            Standing::Paused { reason, .. } => {
                (format!("integration {name} is paused, and alerts wait: {}", reason.message), false)
            }
        };
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = standing;
        let before = std::mem::replace(&mut *self.said.lock().unwrap_or_else(PoisonError::into_inner), said.clone());
        if before != said {
            self.since.store(now_s() * 1000, Ordering::Relaxed);
        }
        match is_good {
            _ if before == said => {}
            true => log.note(&said),
            false => log.warn(&said),
        }
    }
}

/// Whether it says nothing about the key.
fn is_about_the_api(code: Code) -> bool {
    matches!(code, Code::ApiTrouble | Code::Unreachable | Code::RateLimited)
}

/// Whether a create was refused for what every other one is refused for too.
fn is_about_the_organization(code: Code) -> bool {
    let is_about_the_key = matches!(code, Code::InvalidDevinToken | Code::MissingPermission);
    is_about_the_key
        || is_about_the_api(code)
        || matches!(code, Code::BadSettings | Code::OrganizationUnknown | Code::SessionLimit)
}

/// The requests to one organization.
pub struct Requests<'a> {
    integration: &'a Integration,
    org_id: String,
}

impl Requests<'_> {
    /// One session, by a request of its own.
    ///
    /// # Errors
    /// The request's.
    pub async fn poll_alone(&self, session_id: &str) -> Result<Session, Error> {
        self.client().session(&self.org_id, session_id, &ignore_events).await
    }

    /// The sessions of these that a list shows.
    ///
    /// # Errors
    /// The request's.
    pub async fn list(&self, session_ids: impl Iterator<Item = &str>) -> Result<Vec<Session>, Error> {
        let query: Vec<_> = session_ids.map(|id| Query::Id(bare(id).to_string()).filter()).collect();
        // Whoever is left out because it cannot be read is asked for by itself, and then that is an error.
        self.client().find_sessions(&self.org_id, &query, UNMATCHED, &ignore_events).await
    }

    /// This moment by both of Devin's clocks.
    pub fn now(&self) -> Now {
        Now { steady: self.client().steady_ms(), devin: self.client().now_ms() }
    }

    /// Waits for a place among the requests under way. A create is made by whoever has one.
    pub async fn enter(&self) -> Pass<'_> {
        self.client().enter().await
    }

    fn client(&self) -> &Client {
        &self.integration.client
    }
}

impl Sessions for Requests<'_> {
    async fn find(&self, query: &Query, marker: &str) -> Result<Vec<Session>, Error> {
        self.client().find_sessions(&self.org_id, &[query.filter()], marker, &ignore_events).await
    }

    async fn create(&self, new: &NewSession) -> Option<Creation> {
        Some(self.client().create_session(&self.org_id, new, self.integration.create_timeout).await)
    }

    async fn poll(&self, session_id: &str) -> Result<Session, Error> {
        self.integration.polls.poll(session_id).await
    }

    async fn tag(&self, session_id: &str, tag: &str) -> Result<(), Error> {
        self.client().tag_session(&self.org_id, session_id, tag).await
    }

    async fn terminate(&self, session_id: &str) -> Result<(), Error> {
        self.client().terminate_session(&self.org_id, session_id).await
    }

    async fn message(&self, session_id: &str, message: &str) -> Result<(), Error> {
        self.client().message_session(&self.org_id, session_id, message).await
    }
}
