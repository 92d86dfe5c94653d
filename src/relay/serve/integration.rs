//! One organization of Devin: its client, whose key it is, and whether that key is good. A key that is refused pauses this
//! integration and no other. Its requests are the ports of its jobs.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::polling::Polls;
use super::store::Store;
use super::{Log, store::StoreError};
use crate::devin::Error;
use crate::devin::client::Client;
use crate::devin::session::{NewSession, Session, bare};
use crate::devin::sessions::Creation;
use crate::relay::driver::Sessions;
use crate::relay::error_report::{Code, ErrorReport, ignore_events};
use crate::relay::job::{Now, Query};
use crate::relay::organization;

/// How long after a vain look at the key the next one is taken.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// How long after a job was refused last the integration counts as paused though its key looks good.
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
    /// When a job was refused last what it needs.
    refused_at: Mutex<Option<Instant>>,
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
        /// The organization, where the key looks good and jobs are tried all the same: it is ready once one goes through.
        tried_in: Option<String>,
    },
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
            refused_at: Mutex::default(),
            doubt: Notify::new(),
            ready: Notify::new(),
        }
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone()
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

    /// Starts nothing any more until the key has been looked at: a job was refused what it needs.
    pub fn pause(&self, reason: ErrorReport) {
        self.note_refusal(Some(Instant::now()));
        self.stand(Standing::Paused { reason, tried_in: None });
        self.doubt.notify_one();
    }

    /// A job was given what another one was refused.
    pub fn has_worked(&self) {
        if let Standing::Paused { tried_in: Some(org_id), .. } = self.standing() {
            self.stand(Standing::Ready { org_id });
        }
    }

    /// Looks at the key until it is good, and again whenever it is in doubt. Never ends.
    pub async fn verify(&self, store: &Store, log: &Log) {
        // What was said last of why it is paused.
        let mut said = None;
        loop {
            let found = self.look(store, log).await;
            let refused = match self.standing() {
                Standing::Paused { reason, .. } if self.is_refused() => Some(reason),
                _ => None,
            };
            let (next, paused) = match (found, refused) {
                // A key that looks good may still be refused what a job needs.
                (Ok(org_id), Some(reason)) => {
                    (Standing::Paused { reason: reason.clone(), tried_in: Some(org_id) }, Some(reason.message))
                }
                (Ok(org_id), None) => {
                    log.note(&format!("integration {}: the key is good, the organization is {org_id}", self.name));
                    (Standing::Ready { org_id }, None)
                }
                (Err(reason), _) => {
                    // What jobs were refused is explained by the key.
                    self.note_refusal(None);
                    (Standing::Paused { reason: reason.clone(), tried_in: None }, Some(reason.message))
                }
            };
            if let Some(reason) = &paused
                && paused != said
            {
                log.warn(&format!("integration {} is paused, and alerts wait: {reason}", self.name));
            }
            said = paused;
            let is_ready = matches!(next, Standing::Ready { .. });
            self.stand(next);
            if self.requests().is_some() {
                self.ready.notify_waiters();
            }
            if is_ready {
                self.doubt.notified().await;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    fn note_refusal(&self, at: Option<Instant>) {
        *self.refused_at.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    /// Whether a job was refused lately what it needs. Refused jobs are tried again every five minutes at least.
    fn is_refused(&self) -> bool {
        let refused_at = *self.refused_at.lock().unwrap_or_else(PoisonError::into_inner);
        refused_at.is_some_and(|at| at.elapsed() < REFUSED_FOR)
    }

    async fn look(&self, store: &Store, log: &Log) -> Result<String, ErrorReport> {
        let kept = self.kept(store.organization(&self.name).await, log);
        let found = match organization::find(&self.client, self.configured.as_deref()).await {
            Ok(found) if !found.missing.is_empty() => Err(ErrorReport {
                code: Code::MissingPermission,
                message: format!(
                    "the key lacks {}, without which a session that exists cannot be found and would be created again",
                    found.missing.join(", ")
                ),
            }),
            Ok(found) => {
                if let Some(kept) = kept.filter(|kept| *kept != found.org_id) {
                    log.warn(&format!(
                        "integration {}: the key belongs to the organization {} now, and belonged to {kept} before",
                        self.name, found.org_id
                    ));
                }
                let result = store.keep_organization(&self.name, &found.org_id).await;
                self.kept(result.map(|()| None), log);
                Ok(found.org_id)
            }
            Err(report) if is_about_the_api(report.code) => self.configured.clone().or(kept).ok_or(report),
            Err(report) => Err(report),
        };
        found.map_err(in_words_of_rules)
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
        self.stand(Standing::Ready { org_id: org_id.to_string() });
    }

    fn stand(&self, standing: Standing) {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = standing;
    }
}

/// The words of the command line and of a file of settings, and what the rules file has for them. It is tried again here
/// without anybody's doing.
const WORDS: [(&str, &str); 11] = [
    ("check org_id and api_url", "check endpoint and org_id in the rules file"),
    ("check api_url or --endpoint", "check endpoint in the rules file"),
    ("check that api_url is the Devin API", "check that endpoint in the rules file is on the Devin API"),
    ("Check api_url", "Check endpoint in the rules file"),
    ("check api_url", "check endpoint in the rules file"),
    ("api_url may not be", "endpoint in the rules file may not begin with"),
    (
        "name one as org_id, in DEVIN_ORG_ID, or by --endpoint",
        "name one as org_id of the integration in the rules file",
    ),
    (", in the file or in DEVIN_ORG_ID", ", to the integration in the rules file"),
    (", and run again", ""),
    (": run again later", ": it is asked again by itself"),
    ("Run again later; if", "It is asked again by itself; if"),
];

/// What went wrong, for somebody who has a rules file before them.
fn in_words_of_rules(mut report: ErrorReport) -> ErrorReport {
    for (word, ours) in WORDS {
        report.message = report.message.replace(word, ours);
    }
    report
}

/// Whether it says nothing about the key.
fn is_about_the_api(code: Code) -> bool {
    matches!(code, Code::ApiTrouble | Code::Unreachable | Code::RateLimited)
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

    fn client(&self) -> &Client {
        &self.integration.client
    }
}

impl Sessions for Requests<'_> {
    async fn find(&self, query: &Query, marker: &str) -> Result<Vec<Session>, Error> {
        self.client().find_sessions(&self.org_id, &[query.filter()], marker, &ignore_events).await
    }

    async fn create(&self, new: &NewSession) -> Option<Creation> {
        let _permit = self.client().enter().await;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devin::{Error, Kind};
    use crate::relay::error_report::error_report;

    #[test]
    fn what_went_wrong_is_told_in_the_words_of_the_rules_file() {
        let kinds = [302, 400, 401, 403, 404, 409, 422, 500].map(Kind::Status).into_iter().chain([
            Kind::Unreachable("api.example: connection refused".to_string()),
            Kind::Barred("api.example: invalid peer certificate: UnknownIssuer".to_string()),
            Kind::Invalid(crate::devin::page::Invalid::NoItems),
        ]);
        let message = |kind| {
            let error = Error { kind, path: "/v3/self".to_string(), explanation: None, tries: 1 };
            in_words_of_rules(error_report(&error)).message
        };
        let said: Vec<String> = kinds.map(message).collect();
        for foreign in ["api_url", "--endpoint", "DEVIN_ORG_ID"] {
            assert!(!said.iter().any(|message| message.contains(foreign)), "{foreign}: {said:#?}");
        }
        insta::assert_snapshot!(said.join("\n"));
    }
}
