//! One list, listed until nothing can have moved behind the reader, and then the sessions that may have changed without being
//! in it, by name. One listing serves all who need it: the records of a stream, and the messages.

use std::sync::Arc;

use super::context::{Context, End, Tell, server_now};
use super::cursor::Bounds;
use super::emit::Ledger;
use super::facts::Facts;
use super::fingerprint::fingerprint;
use super::listing::{Decision, Kind, Listing, Sight, Times};
use super::open::InVain;
use super::pages::Pages;
use super::partition::PartitionList;
use super::pass::Pass;
use super::plan::Step;
use super::record::frame_page;
use crate::airbyte::Level;
use crate::devin::session::bare;
use crate::devin::{Error, Kind as Trouble, Page};

/// Within one read, no change shows later than this.
const LONGEST_LAG_S: i64 = 3600;

/// Sessions asked for by their identifiers at once: a number known to work.
const IDS_A_REQUEST: usize = 50;

/// Who needs the list.
pub struct Readers<'a> {
    /// A stream whose records they are.
    pub records: Option<Records<'a>>,
    /// The sessions whose messages are to be read.
    pub partitions: Option<&'a mut PartitionList>,
}

/// The records of one stream.
pub struct Records<'a> {
    pub step: &'a Step,
    pub ledger: &'a Arc<Ledger>,
    pub pass: &'a mut Pass,
}

/// Lists what is below `path` with `bounds`, and hands every item to its readers.
///
/// # Errors
/// See [`End`].
pub async fn read_list(
    context: &Arc<Context>,
    path: &[&str],
    kind: Kind,
    bounds: Bounds,
    now: i64,
    tell: &Tell,
    readers: &mut Readers<'_>,
) -> Result<Listing, End> {
    let mut listing = Listing::new(kind, bounds.since, now).lagging(lag(context, bounds));
    let mut bounds = bounds;
    let mut is_first = true;
    loop {
        let filters = if kind == Kind::Sessions { bounds.filters(now) } else { Vec::new() };
        let mut pages = Pages::start(context, context.list(path, filters), tell);
        while let Some(page) = pages.next().await? {
            if is_first {
                let now = server_now(&page, now);
                listing.begin(now);
                readers.begin(context, &page, now);
            }
            is_first = false;
            readers.take(context, &page, |item, facts| Some(note(&mut listing, item, facts)), false).await?;
            listing.end_page(page.total, page.has_next()).map_err(End::Data)?;
        }
        match listing.end() {
            Decision::Complete { doubt } => {
                readers.warn(context, doubt);
                break;
            }
            Decision::ListAgain { since } => bounds.since = since,
            Decision::Incomplete { reason } => return Err(End::Data(reason)),
        }
    }
    if kind == Kind::Sessions {
        by_name(context, path, now, tell, readers).await?;
    }
    Ok(listing)
}

/// How late a change may show, in seconds. The next read looks back as far, but after a full refresh there is none.
fn lag(context: &Context, bounds: Bounds) -> i64 {
    if bounds.since.is_none() { context.lookback.min(LONGEST_LAG_S) } else { 0 }
}

fn note(listing: &mut Listing, item: &str, facts: &Facts) -> Sight {
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
    path: &[&str],
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
            let mut pages = Pages::start(context, context.list(path, query.clone()), tell);
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

impl Readers<'_> {
    /// The first answer is there.
    fn begin(&mut self, context: &Context, first: &Page, now: i64) {
        if let Some(records) = &mut self.records {
            records.pass.begin(now);
            // Of a list that the server does not filter, only the changed part is emitted.
            let is_whole = records.step.bounds.since.is_none();
            let is_filtered = records.step.stream.path.first() == Some(&"sessions");
            if let Some(total) = first.total.filter(|_| is_whole || is_filtered) {
                context.emitter.estimate(records.ledger, total);
            }
        }
        if let Some(partitions) = &mut self.partitions {
            partitions.begin(now);
        }
    }

    /// Takes a page's items; `sight` says what is known of each.
    async fn take(
        &mut self,
        context: &Context,
        page: &Page,
        mut sight: impl FnMut(&str, &Facts) -> Option<Sight>,
        is_by_name: bool,
    ) -> Result<(), End> {
        let id_field = self.records.as_ref().map_or("session_id", |records| records.step.stream.id_field());
        let frame = self.records.as_ref().map(|records| context.emitter.frame(&records.step.descriptor));
        let (records, partitions) = (&mut self.records, &mut self.partitions);
        let framed = frame_page(page, &frame.unwrap_or_default(), id_field, |item, facts| {
            let Some(sight) = sight(item, facts) else { return false };
            if let Some(partitions) = partitions.as_deref_mut() {
                partitions.take(item, facts, sight, is_by_name);
            }
            let Some(Records { pass, .. }) = records else { return false };
            if is_by_name { pass.wants_again(item, facts, sight) } else { pass.wants(item, facts, sight) }
        });
        if let Some(records) = records {
            context.emitter.running(records.ledger);
            context.emitter.records(records.ledger, framed).await?;
        }
        Ok(())
    }

    /// Every session that a reader would ask for by name.
    fn to_reread(&self) -> Vec<String> {
        let mut ids = self.records.as_ref().map(|records| records.pass.open.to_reread()).unwrap_or_default();
        for id in self.partitions.as_ref().map(|partitions| partitions.to_reread()).unwrap_or_default() {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }

    /// These sessions were asked for in vain, as far as they have not come: the next read asks again, and after that nobody does.
    fn defer(&mut self, context: &Context, ids: &[String], reason: &str) {
        let (mut stay, mut go) = (0, 0);
        for id in ids {
            if let Some(partitions) = &mut self.partitions {
                partitions.defer(id);
            }
            match self.records.as_mut().and_then(|records| records.pass.open.defer(id)) {
                Some(InVain::Kept(_)) => stay += 1,
                Some(InVain::Dropped) => go += 1,
                None => {}
            }
        }
        let then = match (stay, go) {
            (0, 0) => "the next read asks again",
            (_, 0) => "the next read asks again for what has not come",
            _ => "what has not come, for the second time, is not asked for anymore",
        };
        context.emitter.log(Level::Warn, &format!("{reason}; {then}"));
    }

    /// Nobody can be asked for by name.
    fn carry(&mut self) {
        if let Some(records) = &mut self.records {
            records.pass.open.carry();
        }
        if let Some(partitions) = &mut self.partitions {
            partitions.carry();
        }
    }

    fn warn(&self, context: &Context, warning: Option<String>) {
        let stream = self.records.as_ref().map_or("session_messages", |records| records.step.stream.name);
        if let Some(warning) = warning {
            context.emitter.log(Level::Warn, &format!("stream {stream}: {warning}"));
        }
    }
}
