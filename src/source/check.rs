//! `check`: is the key valid, does the organization answer, and which streams may this key read?

mod verdict;

use std::borrow::Cow;

use verdict::{Missing, Readable, Why};

pub use verdict::Verdict;

use super::context::{Context, End};
use super::facts::Facts;
use super::list::first_page;
use super::open::is_plain;
use super::organizations::Organization;
use super::place::Place;
use super::streams::{Each, Listing, STREAMS, Stream};
use super::windows::windows;
use crate::airbyte::{FailureType, Level};
use crate::devin::client::now_s;
use crate::devin::session::bare;
use crate::devin::{Client, Error, Event, Kind, Page};
use crate::failure::advise;

/// Asks the API with one small request per stream, of each organization, and stops as soon as further questions are pointless.
pub async fn check(context: &Context) -> Verdict {
    let [organization] = context.organizations.as_slice() else {
        let mut verdicts = Vec::new();
        for organization in &context.organizations {
            verdicts.push((organization.id.clone(), check_one(context, organization).await));
            // Nobody answers, so nobody will for the others.
            if matches!(verdicts.last(), Some((_, Verdict::Unknown { .. }))) {
                break;
            }
        }
        return Verdict::OfEach(verdicts);
    };
    check_one(context, organization).await
}

/// The same of one organization; what the enterprise has once is asked for with the first.
async fn check_one(context: &Context, organization: &Organization) -> Verdict {
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
    let (mut refused, mut warnings, mut streams, mut missing) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut found = Found::default();
    let now = now_s();
    for stream in STREAMS.iter().filter(|stream| !(organization.is_further && stream.is_read_once())) {
        if stream.projects.is_some() {
            // It is read from the list that is asked for already.
            if streams.iter().any(|readable: &Readable| readable.stream.name == "sessions") {
                streams.push(Readable { stream, total: None, is_per_session: true });
            }
            continue;
        }
        let Some(parts) = parts(stream, &found) else {
            missing.push(Missing { stream, why: Why::Untried });
            continue;
        };
        match first_pages(context, (stream, &organization.id), &found, &parts, now, &tell).await {
            Ok(page) => {
                if stream.listing == Listing::Sessions {
                    found.session = found.session.or_else(|| first_session(&page));
                }
                if stream.name == "members" {
                    found.person = page
                        .noted()
                        .next()
                        .and_then(|item| Facts::noted(item, &stream.reading()).id.text().map(Cow::into_owned));
                }
                let is_per_session = stream.listing == Listing::PerSession;
                // The parts of a stream may have the same records, and of what has a time only the newest is asked for.
                let is_whole = parts.len() == 1 && matches!(stream.listing, Listing::Sessions | Listing::Whole);
                let total = page.total.filter(|_| is_whole);
                streams.push(Readable { stream, total, is_per_session });
            }
            Err(error) => match error.kind {
                Kind::Status(401) => return verdict(&error),
                Kind::Status(404) if stream.listing == Listing::Sessions => {
                    let hint = key_organization
                        .filter(|other| *other != organization.id && is_plain(other))
                        .map(|organization| format!(" The key itself belongs to {organization}."));
                    let message = advise(&error, stream.permission).message + &hint.unwrap_or_default();
                    return Verdict::Unusable { message };
                }
                // The session has gone since it was listed.
                Kind::Status(404) if stream.listing == Listing::PerSession => {
                    missing.push(Missing { stream, why: Why::Untried });
                }
                Kind::Status(403) if !stream.is_usual => missing.push(Missing { stream, why: Why::Refused }),
                Kind::Status(404) if !stream.is_usual => missing.push(Missing { stream, why: Why::Unknown }),
                Kind::Status(400..=499) if stream.is_essential && !error.kind.is_retryable() => {
                    refused.push(sentence(stream, &error));
                }
                // Nobody answered, or the connector is of no use without the answer.
                _ if stream.is_essential || stream.is_usual && error.kind.status().is_none() => return verdict(&error),
                _ => {
                    warnings.push(sentence(stream, &error));
                    if error.kind.status().is_none()
                        || matches!(error.kind, Kind::Status(429) | Kind::WaitTooLong { status: 429, .. })
                    {
                        break;
                    }
                }
            },
        }
    }
    if refused.is_empty() {
        Verdict::Usable { streams, warnings, missing }
    } else {
        refused.append(&mut warnings);
        Verdict::Unusable { message: refused.join(" ") }
    }
}

/// What has been found that other questions need.
#[derive(Default)]
struct Found {
    session: Option<String>,
    person: Option<String>,
}

/// What there is a list for each of, one of which is asked for: `None` when there is no session, or nobody, to ask for.
fn parts(stream: &Stream, found: &Found) -> Option<Vec<Option<String>>> {
    if stream.listing == Listing::PerSession && found.session.is_none() {
        return None;
    }
    match stream.each {
        Each::Member => found.person.clone().map(|person| vec![Some(person)]),
        each => Some(each.values().into_iter().map(|word| word.map(str::to_string)).collect()),
    }
}

/// The smallest page of a stream's first list, after each of its lists has answered: a read needs them all. Further parts of a union
/// need not be there.
async fn first_pages(
    context: &Context,
    (stream, org_id): (&Stream, &str),
    found: &Found,
    parts: &[Option<String>],
    now: i64,
    tell: &(dyn Fn(Event) + Sync),
) -> Result<Page, Error> {
    let mut first: Option<(usize, Page)> = None;
    for part in parts {
        let leads = first.as_ref().map(|(path, _)| *path);
        let place = place((stream, org_id), part.as_deref(), found, now).led_by(leads);
        match (one_page(&context.client, &place, tell).await, stream.each) {
            (Err(error), Each::Union(_)) if first.is_some() && error.kind == Kind::Status(404) => {}
            (answer, _) => {
                let answer = answer?;
                first = first.or(Some(answer));
            }
        }
    }
    Ok(first.expect("every stream has a list").1)
}

/// Where the smallest request can show whether a list can be read.
fn place((stream, org_id): (&Stream, &str), each: Option<&str>, found: &Found, now: i64) -> Place {
    let place = Place::of(stream, org_id, each);
    match (stream.listing, &found.session) {
        (Listing::PerSession, Some(session)) => {
            Place::below_session(stream, org_id, &format!("devin-{}", bare(session)))
        }
        (Listing::Windows(row) | Listing::Log(row), _) => match windows(&row, now, now).last() {
            Some(last) => place.with(last.parameters(&row, now)),
            None => place,
        },
        _ => place,
    }
}

/// The smallest page of a list, at the first of its paths that is neither refused nor unknown, and which that is.
async fn one_page(client: &Client, place: &Place, tell: &(dyn Fn(Event) + Sync)) -> Result<(usize, Page), Error> {
    match first_page(client, place, tell).await {
        Ok(answered) => Ok(answered),
        Err(End::Request(error) | End::Refused(error)) => Err(error),
        Err(_) => unreachable!("a single request ends in no other way"),
    }
}

fn first_session(page: &Page) -> Option<String> {
    Facts::of(page.items().next()?).session_id.text().map(Cow::into_owned)
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
