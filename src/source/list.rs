//! One list, listed until nothing can have moved behind the reader, and then the sessions that may have changed without being
//! in it, by name. One listing serves all who need it: the records of a stream, and the messages.

use std::sync::Arc;

use super::context::{Context, End, Tell, server_now};
use super::cursor::Bounds;
use super::facts::Facts;
use super::fingerprint::fingerprint;
use super::listing::{Decision, Kind, Listing, Sight, Times};
use super::pages::Pages;
use super::place::Place;
use super::readers::Readers;
use super::spellings;
use super::streams::{Stream, endpoints};
use crate::airbyte::Level;
use crate::devin::form::described;
use crate::devin::session::bare;
use crate::devin::{Client, Error, Event, Kind as Trouble, Page, Trail};

/// Within one read, no change shows later than this.
const LONGEST_LAG_S: i64 = 3600;

/// Sessions asked for by their identifiers at once: a number known to work.
const IDS_A_REQUEST: usize = 50;

/// Lists what is at `place` with `bounds`, and hands every item to its readers.
///
/// # Errors
/// See [`End`].
pub async fn read_list(
    context: &Arc<Context>,
    place: &Place,
    kind: Kind,
    bounds: Bounds,
    now: i64,
    tell: &Tell,
    readers: &mut Readers<'_>,
) -> Result<Listed, End> {
    let mut listing = Listing::new(kind, bounds.since, now).lagging(lag(context, bounds));
    let mut bounds = bounds;
    let mut selected = context.selection.all_filters();
    let filters = |bounds: Bounds, selected: &[(&'static str, String)]| match kind {
        Kind::Sessions => bounds.filters(now).into_iter().chain(selected.iter().cloned()).collect(),
        _ => Vec::new(),
    };
    let mut opened = open(context, place, &filters(bounds, &selected), tell).await;
    if let Err(End::Request(error)) = &opened
        && spellings::is_refusal(error)
        && kind == Kind::Sessions
    {
        selected = spellings::taken(context, place, tell, error.clone()).await?;
        opened = open(context, place, &filters(bounds, &selected), tell).await;
    }
    let Opened { path, mut pages, mut page } = opened?;
    readers.records.iter_mut().for_each(|records| records.of.scope = Some(place.scope(path)));
    if let Some(first) = &page {
        let now = server_now(first, now);
        listing.begin(now);
        readers.begin(context, first, now);
    }
    loop {
        while let Some(taken) = page {
            readers.take(context, &taken, |item, facts| Some(note(&mut listing, item, facts)), false).await?;
            if !taken.is_past_the_end() {
                listing.end_page(taken.total, taken.has_next()).map_err(End::Data)?;
            }
            readers.end_page(context);
            drop(taken);
            page = pages.next().await?;
        }
        match listing.end() {
            Decision::Complete { doubt } => {
                readers.warn(context, doubt);
                break;
            }
            Decision::ListAgain { since } => {
                bounds.since = since;
                readers.records.iter_mut().for_each(|records| records.identified.begin());
            }
            Decision::Incomplete { reason } => return Err(End::Data(reason)),
        }
        pages = Pages::start(context, place.request(path, filters(bounds, &selected)), tell);
        page = pages.next().await?;
    }
    if let Some(refusal) = readers.not_told_apart() {
        return Err(End::Data(refusal));
    }
    if kind == Kind::Sessions {
        by_name(context, place, now, tell, readers).await?;
    }
    Ok(Listed { listing, path })
}

/// A list that has been read.
pub struct Listed {
    pub listing: Listing,
    /// Which of its paths has answered.
    pub path: usize,
}

/// A list of which the first page has come.
pub struct Opened {
    /// Which of the paths has answered.
    path: usize,
    pages: Pages,
    page: Option<Page>,
}

/// Asks for the first page of a list, at one path after the other until one is neither refused nor unknown.
///
/// # Errors
/// [`End::Refused`] when all are: which of them is told, [`Place::prefers`] says.
pub async fn open(
    context: &Arc<Context>,
    place: &Place,
    query: &[(&'static str, String)],
    tell: &Tell,
) -> Result<Opened, End> {
    let mut refused: Option<Error> = None;
    for path in 0..place.paths() {
        let mut pages = Pages::start(context, place.request(path, query.to_vec()), tell);
        match pages.next().await {
            Ok(page) => return Ok(Opened { path, pages, page }),
            Err(error) if !matches!(error.kind, Trouble::Status(403 | 404)) => return Err(error.into()),
            Err(error) if place.prefers(refused.as_ref()) => refused = Some(error),
            Err(_) => {}
        }
    }
    Err(End::Refused(refused.expect("every list has a path")))
}

/// The smallest page of a list, and which of its paths has answered.
///
/// # Errors
/// As for [`open`].
pub async fn first_page(client: &Client, place: &Place, tell: &(dyn Fn(Event) + Sync)) -> Result<(usize, Page), End> {
    let mut refused: Option<Error> = None;
    for path in 0..place.paths() {
        match client.page(&place.smallest(path), &Trail::default(), tell).await {
            Ok(page) => return Ok((path, page)),
            Err(error) if !matches!(error.kind, Trouble::Status(403 | 404)) => return Err(error.into()),
            Err(error) if place.prefers(refused.as_ref()) => refused = Some(error),
            Err(_) => {}
        }
    }
    Err(End::Refused(refused.expect("every list has a path")))
}

/// How late a change may show, in seconds. The next read looks back as far, but after a full refresh there is none.
fn lag(context: &Context, bounds: Bounds) -> i64 {
    if bounds.since.is_none() { context.lookback.min(LONGEST_LAG_S) } else { 0 }
}

/// Notes an item of a list, and answers what is known of it.
pub fn note(listing: &mut Listing, item: &str, facts: &Facts) -> Sight {
    let times = Times { created_at: facts.created_at(), updated_at: facts.updated_at() };
    listing.note(key_of(item, facts), times, || fingerprint(item.as_bytes()))
}

/// What tells an item from others of its list, as a hash. A session is the same with and without `devin-` before its identifier.
pub fn key_of(item: &str, facts: &Facts) -> u64 {
    let Some(id) = facts.id.text().filter(|id| !bare(id).is_empty()) else { return fingerprint(item.as_bytes()) };
    let is_session = facts.session_id == facts.id || facts.session_id.text().is_some_and(|session| session == id);
    fingerprint(if is_session { bare(&id) } else { &id }.as_bytes())
}

/// Asks for the sessions that may have changed without being in the list, some at a time. An API that does not know the
/// filter answers with others; then nobody can be asked for by name, in this run.
async fn by_name(
    context: &Arc<Context>,
    place: &Place,
    now: i64,
    tell: &Tell,
    readers: &mut Readers<'_>,
) -> Result<(), End> {
    let ids = readers.to_reread();
    let mut chunks: Vec<Vec<String>> = ids.chunks(IDS_A_REQUEST).rev().map(<[String]>::to_vec).collect();
    while let Some(ids) = chunks.pop() {
        let query = ids.iter().map(|id| ("session_ids", id.clone())).collect::<Vec<_>>();
        let mut listing = Listing::new(Kind::Append, None, now);
        loop {
            let mut pages = Pages::start(context, place.request(0, query.clone()), tell);
            let answered = one_by_name(context, &mut pages, &ids, &mut listing, readers).await?;
            match answered {
                ByName::Answered => match listing.end() {
                    Decision::ListAgain { .. } => continue,
                    Decision::Complete { doubt: None } => {}
                    Decision::Complete { doubt: Some(doubt) } | Decision::Incomplete { reason: doubt } => {
                        readers.defer(context, &ids, &format!("the API was asked for sessions by name: {doubt}"));
                    }
                },
                ByName::Ignored => {
                    let text = "the API ignores session_ids: sessions that had not ended can be asked for again only when they are listed as changed, and are kept in mind until then";
                    context.emitter.log(Level::Warn, text);
                    readers.carry();
                    return Ok(());
                }
                // An API that refuses to answer for a session that it no longer has must not fail this run and every later one.
                ByName::Refused(error) if ids.len() == 1 => readers.defer(context, &ids, &error.to_string()),
                ByName::Refused(_) => chunks.extend([ids[..ids.len() / 2].to_vec(), ids[ids.len() / 2..].to_vec()]),
            }
            break;
        }
    }
    Ok(())
}

/// What came of asking for some sessions by name.
enum ByName {
    Answered,
    /// With others.
    Ignored,
    /// For one of them, perhaps: each half is asked for in turn.
    Refused(Error),
}

/// Takes the pages of one request for sessions by name.
async fn one_by_name(
    context: &Arc<Context>,
    pages: &mut Pages,
    ids: &[String],
    listing: &mut Listing,
    readers: &mut Readers<'_>,
) -> Result<ByName, End> {
    loop {
        let page = match pages.next().await {
            Ok(Some(page)) => page,
            Ok(None) => return Ok(ByName::Answered),
            Err(error) if matches!(error.kind, Trouble::Status(400 | 404 | 422)) => return Ok(ByName::Refused(error)),
            Err(error) => return Err(error.into()),
        };
        let is_asked_for =
            |facts: &Facts| facts.session_id.text().is_none_or(|id| ids.iter().any(|wanted| wanted == bare(&id)));
        if !page.items().all(|item| is_asked_for(&Facts::of(item))) {
            return Ok(ByName::Ignored);
        }
        let mut note = |item: &str, facts: &Facts| Some(note(listing, item, facts));
        readers.take(context, &page, &mut note, true).await?;
        listing.end_page(page.total, page.has_next()).map_err(End::Data)?;
    }
}

/// What to say of a page whose items do not say which time they are for.
pub fn undated(stream: &Stream, page: &Page) -> String {
    let field = stream.cursor.map_or("time", |cursor| cursor.field);
    let found = page.items().next().and_then(|item| serde_json::from_str(item).ok());
    let found = found.as_ref().map_or("nothing".to_string(), described);
    format!(
        "{} answered with an item without a usable {field}, so its day is not known; the first item is {found}",
        endpoints(stream).join(" or ")
    )
}
