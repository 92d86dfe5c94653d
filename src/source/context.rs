//! What all streams of a run share: the client, the emitter, the settings; the requests they make, and why one of them
//! ends early.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::emit::{Emitter, Ledger};
use super::organizations::{Organization, organizations};
use super::place::{Slice, completed};
use super::record::{Frame, frame_page};
use super::selection::Selection;
use super::step::Step;
use super::streams::{Scope, Stream};
use crate::airbyte::Level;
use crate::config::Config;
use crate::devin::{Client, Error, Event, Page};
use crate::output::Closed;

/// What is told about a list's requests while they are tried.
pub type Tell = Arc<dyn Fn(Event) + Send + Sync>;

/// Without a server's clock, ours is trusted but for a minute.
const CLOCK_DOUBT_S: i64 = 60;

/// What all streams of a run share.
pub struct Context {
    pub client: Client,
    pub emitter: Emitter,
    /// Whose streams are read, one after the other.
    pub organizations: Vec<Organization>,
    /// Which sessions are wanted.
    pub selection: Selection,
    /// How many sessions' messages are read side by side.
    pub concurrency: usize,
    /// How late, in seconds, a change may show.
    pub lookback: i64,
    /// How often a long stream says its state at most.
    pub checkpoint_every: Duration,
    /// Whether a stream has said that the key is refused: the others need not say it at length.
    pub is_key_refused: AtomicBool,
    /// The streams of which the enterprise's list has answered: it has what the organizations' own would have.
    of_enterprise: Mutex<BTreeSet<&'static str>>,
}

/// The server's clock when it was asked for this page, else ours, `now`; in Unix seconds.
pub fn server_now(page: &Page, now: i64) -> i64 {
    page.asked_at.unwrap_or(now - CLOCK_DOUBT_S)
}

/// Why a stream ended early.
#[derive(Debug, Clone)]
pub enum End {
    Closed,
    Request(Error),
    /// The first request for a list was refused, or its path is unknown, and so on every path that it may have.
    Refused(Error),
    /// The same of the list of another stream, which this one needs.
    Lacks(&'static Stream, Error),
    /// The API refuses this tag, however it is spelled.
    Tag(String, Error),
    /// A session that was listed does not exist.
    Gone(Error),
    /// Of `all` sessions, `stuck` did not give their messages, the last one with this error, and `untried` have not been
    /// asked for to the end; the others have been read.
    Partial {
        error: Error,
        stuck: usize,
        untried: usize,
        all: usize,
    },
    /// The API's data makes it impossible to go on.
    Data(String),
}

impl From<Error> for End {
    fn from(error: Error) -> End {
        End::Request(error)
    }
}

impl From<Closed> for End {
    fn from(_: Closed) -> End {
        End::Closed
    }
}

impl Context {
    /// Prepares a run; asks nothing yet.
    pub fn new(client: Client, emitter: Emitter, config: &Config) -> Context {
        Context {
            client,
            emitter,
            organizations: organizations(&config.org_id, &config.org_ids),
            selection: Selection::of(config),
            concurrency: config.concurrency,
            lookback: config.lookback_window,
            checkpoint_every: Duration::from_secs(2),
            is_key_refused: AtomicBool::new(false),
            of_enterprise: Mutex::default(),
        }
    }

    /// What a record of a stream looks like on its line, in a list of these.
    pub fn frame(&self, step: &Step, of: &Slice) -> Frame {
        completed(self.emitter.frame(&step.descriptor), step.stream, &step.organization, of)
    }

    /// The same of a record that is put together from several lists, and framed later.
    pub fn plain_frame(&self, step: &Step, of: &Slice) -> Frame {
        completed(self.emitter.plain_frame(&step.descriptor), step.stream, &step.organization, of)
    }

    /// Writes the records of a stream that have been put together from several lists, once all of its organizations have been read,
    /// however that has ended.
    ///
    /// # Errors
    /// [`Closed`] when the reader of stdout has gone.
    pub async fn write_merged(&self, step: &Step, ledger: &Ledger) -> Result<(), Closed> {
        if !step.is_merged() || !ledger.is_last_to_end() {
            return Ok(());
        }
        for page in ledger.merged() {
            let frame = self.emitter.frame(&step.descriptor);
            let framed = frame_page(&page, &frame, &step.stream.reading(), |_, _| true);
            self.emitter.records(ledger, framed).await?;
        }
        Ok(())
    }

    /// Notes which of a stream's paths has answered.
    pub fn answered_at(&self, stream: &'static Stream, path: usize) {
        if stream.paths[path].scope == Scope::Enterprise {
            self.of_enterprise.lock().unwrap_or_else(PoisonError::into_inner).insert(stream.name);
        }
    }

    /// Whether the step has been read with an earlier organization, because the enterprise has one list for all.
    pub fn has_been_read(&self, step: &Step) -> bool {
        let names = self.of_enterprise.lock().unwrap_or_else(PoisonError::into_inner);
        step.organization.is_further && names.contains(step.stream.name)
    }

    /// Says a warning about a stream, if there is one.
    pub fn warn_of(&self, stream: &Stream, warning: Option<String>) {
        if let Some(warning) = warning {
            self.emitter.log(Level::Warn, &format!("stream {}: {warning}", stream.name));
        }
    }

    /// Tells the stream's story while requests are tried.
    pub fn teller(self: &Arc<Self>, ledger: &Arc<Ledger>) -> Tell {
        let (context, ledger) = (Arc::clone(self), Arc::clone(ledger));
        Arc::new(move |event| match event {
            Event::Asking => ledger.asking(),
            Event::Answered { path, status, bytes, took } => {
                ledger.received(bytes);
                let text = format!("GET {path}: {status}, {bytes} bytes in {} ms", took.as_millis());
                context.emitter.log(Level::Debug, &text);
            }
            Event::Retrying { error, wait, rate_limited } => {
                ledger.retrying();
                let wait = wait.as_secs_f64();
                context.emitter.log(
                    Level::Info,
                    &format!("stream {}: {}; trying again in {wait:.1} s", ledger.stream, error.kind),
                );
                context.emitter.log(Level::Debug, &error.to_string());
                if rate_limited {
                    context.emitter.rate_limited(&ledger);
                }
            }
        })
    }
}
