//! `check`: is the key valid, does the organization answer, and which streams may this key read?

use std::borrow::Cow;

use super::context::Context;
use super::emit::Emitter;
use super::open::is_plain;
use super::progress::counted;
use super::streams::{Listing, STREAMS, Stream};
use crate::airbyte::message::CheckStatus;
use crate::airbyte::{FailureType, Level};
use crate::devin::session::bare;
use crate::devin::{Client, Error, Event, Kind, Page, Request, Trail};
use crate::failure::advise;

/// What the API says about a connection.
#[derive(Debug)]
pub enum Verdict {
    /// Usable; the sentences say which streams cannot be read, or not now.
    Usable { streams: Vec<Readable>, warnings: Vec<String> },
    /// The user has to change something first.
    Unusable { message: String },
    /// The API did not say: it could not be reached, or has trouble.
    Unknown { message: String, failure_type: FailureType },
}

/// A stream that can be read.
#[derive(Debug)]
pub struct Readable {
    name: &'static str,
    /// How many items its list has; `None` when the API does not say, or the stream has a list for each session.
    total: Option<u64>,
    is_per_session: bool,
}

impl Verdict {
    /// Whether a read can begin.
    pub fn is_usable(&self) -> bool {
        matches!(self, Verdict::Usable { .. })
    }

    /// The same for a person: the streams that can be read, a line each, or why there are none.
    pub fn text(&self) -> String {
        let Verdict::Usable { streams, .. } = self else { return self.problem().to_string() };
        let line = |stream: &Readable| {
            let total = match stream.total {
                Some(total) => format!("{:>18}", counted(total, "record", "records")),
                None if stream.is_per_session => format!("{:>18}", "of each session"),
                None => String::new(),
            };
            format!("\n  {:<18}{total}", stream.name).trim_end_matches(' ').to_string()
        };
        "The connection works. Streams that can be read:".to_string() + &streams.iter().map(line).collect::<String>()
    }

    fn problem(&self) -> &str {
        match self {
            Verdict::Usable { .. } => "",
            Verdict::Unusable { message } | Verdict::Unknown { message, .. } => message,
        }
    }

    /// Says it in Airbyte's way, and answers whether the command has succeeded: a connection that is found unusable
    /// is an answer, one that could not be tried is not.
    pub fn say(&self, emitter: &Emitter) -> bool {
        match self {
            Verdict::Usable { streams, warnings } => {
                warnings.iter().for_each(|warning| emitter.log(Level::Warn, warning));
                let names: Vec<&str> = streams.iter().map(|stream| stream.name).collect();
                let message = format!("Streams that can be read: {}", names.join(", "));
                emitter.connection(CheckStatus::Succeeded, Some(&message));
                true
            }
            Verdict::Unusable { message } => {
                emitter.connection(CheckStatus::Failed, Some(message));
                true
            }
            Verdict::Unknown { message, failure_type } => {
                emitter.error(message, *failure_type, None);
                false
            }
        }
    }
}

/// Asks the API with one small request per stream, and stops as soon as further questions are pointless.
pub async fn check(context: &Context) -> Verdict {
    let tell = |event: Event| {
        let (level, text) = match event {
            Event::Asking => return,
            Event::Answered { path, status, .. } => (Level::Debug, format!("GET {path}: {status}")),
            Event::Retrying { error, wait, .. } => {
                (Level::Info, format!("{error}; trying again in {:.1} s", wait.as_secs_f64()))
            }
        };
        context.emitter.log(level, &text);
    };
    let key_organization = match context.client.principal(&tell).await {
        Ok(principal) => principal.org_id,
        Err(error) => match error.kind {
            Kind::Status(401 | 429) | Kind::WaitTooLong { .. } => return verdict(&error),
            _ if error.kind.is_out_of_reach() => return verdict(&error),
            // Not every deployment and not every kind of key has this endpoint: the lists have the last word.
            _ => None,
        },
    };
    let (mut missing, mut warnings, mut streams) = (Vec::new(), Vec::new(), Vec::new());
    let mut a_session = None;
    for stream in STREAMS {
        let Some(request) = question(context, stream, a_session.as_deref()) else { continue };
        match one_page(&context.client, &request, &tell).await {
            Ok(page) => {
                if stream.listing == Listing::Sessions {
                    a_session = a_session.or_else(|| first_session(&page));
                }
                let is_per_session = stream.listing == Listing::PerSession;
                let total = page.total.filter(|_| !is_per_session);
                streams.push(Readable { name: stream.name, total, is_per_session });
            }
            Err(error) => match error.kind {
                Kind::Status(401) => return verdict(&error),
                Kind::Status(404) if stream.listing == Listing::Sessions => {
                    let hint = key_organization
                        .filter(|organization| *organization != context.org_id && is_plain(organization))
                        .map(|organization| format!(" The key itself belongs to {organization}."));
                    let message = advise(&error, stream.permission).message + &hint.unwrap_or_default();
                    return Verdict::Unusable { message };
                }
                // The session has gone since it was listed.
                Kind::Status(404) if stream.listing == Listing::PerSession => {}
                Kind::Status(400..=499) if stream.is_essential && !error.kind.is_retryable() => {
                    missing.push(sentence(stream, &error));
                }
                // Nobody answered, or the connector is of no use without the answer.
                _ if stream.is_essential || error.kind.status().is_none() => return verdict(&error),
                _ => {
                    warnings.push(sentence(stream, &error));
                    if matches!(error.kind, Kind::Status(429) | Kind::WaitTooLong { status: 429, .. }) {
                        break;
                    }
                }
            },
        }
    }
    if missing.is_empty() {
        Verdict::Usable { streams, warnings }
    } else {
        missing.append(&mut warnings);
        Verdict::Unusable { message: missing.join(" ") }
    }
}

/// The smallest request that shows whether a stream can be read; `None` when there is no session to ask for.
fn question(context: &Context, stream: &Stream, a_session: Option<&str>) -> Option<Request> {
    let in_path = a_session.map(|id| format!("devin-{}", bare(id)));
    let path: Vec<&str> = match stream.listing {
        Listing::PerSession => {
            ["sessions", in_path.as_deref()?].into_iter().chain(stream.path.iter().copied()).collect()
        }
        Listing::Sessions | Listing::Whole => stream.path.to_vec(),
    };
    let mut request = context.list(&path, Vec::new());
    request.query = vec![("first", "1".to_string())];
    Some(request)
}

async fn one_page(client: &Client, request: &Request, tell: &(dyn Fn(Event) + Sync)) -> Result<Page, Error> {
    client.page(request, &Trail::default(), tell).await
}

fn first_session(page: &Page) -> Option<String> {
    super::facts::Facts::of(page.items().next()?).session_id.text().map(Cow::into_owned)
}

/// What it means for a read that a stream has answered with an error.
fn sentence(stream: &Stream, error: &Error) -> String {
    let is_one_sessions = stream.listing == Listing::PerSession && matches!(error.kind, Kind::Status(400..=499));
    let meaning = if is_one_sessions && !error.kind.is_retryable() {
        format!(
            "{error}. Sessions can be listed, so this may affect this session only: a read gets the messages of the \
             others, then the stream fails, and the next read tries this one again."
        )
    } else {
        advise(error, stream.permission).message
    };
    format!("stream {}: {meaning}", stream.name)
}

/// An error that settles the whole check: the user's to fix, or no answer at all.
fn verdict(error: &Error) -> Verdict {
    let advice = advise(error, "ViewOrgSessions");
    match advice.failure_type {
        FailureType::ConfigError if error.kind.status().is_some() => Verdict::Unusable { message: advice.message },
        failure_type => Verdict::Unknown { message: advice.message, failure_type },
    }
}
