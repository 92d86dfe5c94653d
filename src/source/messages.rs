//! The messages of all sessions: the sessions first, then each one's messages, many side by side.
//!
//! Sessions are taken by `updated_at` ascending, so that "everything before this one is done" is a place to resume
//! from. Three marks are needed: which messages earlier passes have read (`created_at`), up to where sessions have been
//! listed (`sessions_updated_at`), and how far an unfinished pass has come (`unfinished`). What becomes of a session that
//! does not give its messages is decided in [`super::partition`].

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::context::{Context, End, Tell};
use super::cursor::Bounds;
use super::emit::Ledger;
use super::facts::Facts;
use super::fingerprint::fingerprint;
use super::list::key_of;
use super::listing::{Decision, Kind as ListKind, Listing, Sight, Times};
use super::open::OpenSessions;
use super::organizations::Organization;
use super::pages::Pages;
use super::partition::{Partition, PartitionList};
use super::partitions::{Fate, PartitionResult, Partitions};
use super::pass::next_mark;
use super::place::{Place, Slice, completed};
use super::recent::{Recent, RecentRecords};
use super::record::frame_page;
use super::state::{StreamState, Unfinished};
use super::step::Step;
use super::streams::{Added, Stream};
use crate::airbyte::Level;
use crate::devin::Kind;
use crate::devin::session::bare;

/// How often at most the place to resume from is worked out: it is only needed when it is said.
const NOTE_EVERY: Duration = Duration::from_millis(100);

/// Reads the messages of the sessions that have been listed, to the end.
///
/// # Errors
/// See [`End`]. What has been read by then, the emitter knows as the safe state.
pub async fn read(
    context: &Arc<Context>,
    step: &Step,
    ledger: &Arc<Ledger>,
    mut list: PartitionList,
    listing: &Listing,
) -> Result<StreamState, End> {
    context.emitter.running(ledger);
    context.warn_of(step.stream, list.keyless(step.stream.below_session()).map_err(End::Data)?);
    let mut pass = MessagePass::new(step, &mut list, listing);
    let reader = Arc::new(Reader::new(context, step, ledger));
    let (mut noted, mut said) = (Instant::now(), Instant::now());
    let mut reading = JoinSet::new();
    loop {
        ledger.sessions(pass.partitions.all.len(), pass.partitions.left());
        while reading.len() < context.concurrency
            && let Some(place) = pass.partitions.next_place()
        {
            let (reader, partition) = (Arc::clone(&reader), pass.partitions.all[place].clone());
            let recent = pass.recent.part(pass.recent.known_of(&record_key(&partition, "")));
            reading.spawn(async move { (place, reader.partition(&partition, recent).await) });
        }
        let Some(ended) = reading.join_next().await else { break };
        let (place, outcome) = ended.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()));
        pass.partitions.heard(reader.pages.load(Ordering::Relaxed));
        let result = match outcome {
            Ok(found) => {
                pass.take(found);
                PartitionResult::Read
            }
            Err(End::Gone(error)) => PartitionResult::Missing(error),
            Err(End::Request(error)) => {
                if pass.partitions.is_worth_naming() {
                    let text = format!("stream {}: {error}; the other sessions go on", step.stream.name);
                    context.emitter.log(Level::Warn, &text);
                }
                PartitionResult::Failed(error)
            }
            Err(end) => return Err(end),
        };
        for (place, fate) in pass.partitions.settle(place, result) {
            match fate {
                Fate::Gone(warning) => {
                    pass.open.mark_gone(&pass.partitions.all[place].id);
                    context.warn_of(step.stream, Some(warning));
                }
                Fate::Deferred(warning) => context.warn_of(step.stream, Some(warning)),
                Fate::Unclear => {
                    if reader.find_missing(&mut pass.partitions, place).await? == Existence::Gone {
                        pass.open.mark_gone(&pass.partitions.all[place].id);
                    }
                }
            }
        }
        if let Some(end) = pass.partitions.verdict() {
            pass.note_last(context, ledger);
            return Err(end);
        }
        if noted.elapsed() >= NOTE_EVERY.min(context.checkpoint_every) {
            noted = Instant::now();
            pass.note(context, ledger);
        }
        if said.elapsed() >= context.checkpoint_every {
            said = Instant::now();
            context.emitter.checkpoint(ledger);
        }
    }
    if let Some(end) = pass.partitions.end() {
        pass.note_last(context, ledger);
        return Err(end);
    }
    context.warn_of(step.stream, pass.open.forgotten());
    Ok(pass.state())
}

/// How far a pass has come through its partitions, and what may be claimed of it.
struct MessagePass<'a> {
    step: &'a Step,
    partitions: Partitions,
    open: OpenSessions,
    recent: RecentRecords,
    /// The largest cursor value so far.
    newest: Option<i64>,
    /// When the pass began, by the data's own clock; its first part, where it has been interrupted.
    began: Option<i64>,
    /// Up to where all sessions have been listed.
    sessions_updated_at: Option<i64>,
    /// Whether the list changed too fast to be complete: then no message of those it lacks has been read, however old.
    lacks_sessions: bool,
}

impl<'a> MessagePass<'a> {
    fn new(step: &'a Step, list: &mut PartitionList, listing: &Listing) -> MessagePass<'a> {
        let state = &step.state;
        let partitions = Partitions::new(list.partitions(step), step);
        let unfinished = state.unfinished.unwrap_or_default();
        let listed = state.sessions_updated_at.max(unfinished.sessions_updated_at);
        // Nothing in the data is newer than where sessions have been listed, if nothing new was listed.
        let clock = listing.clock(list.now).max(listed.map(|listed| listed.min(list.now)));
        MessagePass {
            step,
            partitions,
            open: std::mem::take(&mut list.open),
            recent: RecentRecords::new(state.recent.clone(), state.cursor(), step.lookback),
            newest: unfinished.newest,
            began: unfinished.began.or(clock),
            sessions_updated_at: next_mark(listed, list.largest, listing.lacks_after(), list.now),
            lacks_sessions: listing.lacks_after().is_some(),
        }
    }

    fn cursor_field(&self) -> &'static str {
        self.step.stream.cursor.map_or("created_at", |cursor| cursor.field)
    }

    fn take(&mut self, found: Found) {
        self.newest = self.newest.max(found.largest);
        self.recent.absorb(found.recent);
    }

    /// Notes what may be claimed by now.
    fn note(&self, context: &Context, ledger: &Ledger) {
        if let Some(state) = self.so_far() {
            context.emitter.safe(ledger, state.write());
        }
    }

    /// The same when no more will be read: then it may be all but the sessions that are remembered by name.
    fn note_last(&self, context: &Context, ledger: &Ledger) {
        if self.partitions.is_complete() {
            context.emitter.safe(ledger, self.state().write());
        } else {
            self.note(context, ledger);
        }
    }

    /// The state of a pass that is not at its end; `None` when that would claim nothing.
    fn so_far(&self) -> Option<StreamState> {
        let reached = self.partitions.reached()?;
        let reached = self.began.map_or(reached, |began| reached.min(began));
        let before = &self.step.state;
        let come_to = before.unfinished.and_then(|unfinished| unfinished.sessions_updated_at);
        let mut state = before.clone();
        state.unread_sessions = self.partitions.unread.clone();
        state.recent = self.recent_since(before.cursor());
        state.unfinished = Some(Unfinished {
            began: self.began,
            sessions_updated_at: Some(reached).max(come_to),
            newest: self.newest,
        });
        // An unfinished first pass claims nothing about any record, and says so as a number.
        state.set_cursor(self.cursor_field(), before.cursor().or(Some(0)));
        self.open.write(&mut state);
        Some(state)
    }

    /// What is known of the messages that the next read may see again: those of sessions that could not be read for longer.
    fn recent_since(&self, mark: Option<i64>) -> Recent {
        let unread: HashMap<&str, i64> = self.partitions.unread.iter().map(|(id, since)| (bare(id), *since)).collect();
        self.recent.since_of(mark, |key| unread.get(session_of(key)).copied())
    }

    /// The state when there is no partition left that has not been asked. What has come since the pass began may lack its
    /// neighbors, so the mark lies no later.
    fn state(&self) -> StreamState {
        let before = self.step.state.cursor();
        let began = self.began.unwrap_or(self.step.now);
        // A pass that found sessions without a single message still need not list them all again.
        let newest = self.newest.or(self.began.filter(|_| before.is_none()));
        let mark = if self.lacks_sessions { before.or(Some(0)) } else { next_mark(before, newest, None, began) };
        let mut state = self.step.state.clone();
        state.sessions_updated_at = self.sessions_updated_at;
        state.recent = self.recent_since(mark);
        state.unread_sessions = self.partitions.unread.clone();
        state.unfinished = None;
        state.set_cursor(self.cursor_field(), mark);
        self.open.write(&mut state);
        state
    }
}

/// What the messages of one session have come to.
struct Found {
    largest: Option<i64>,
    recent: RecentRecords,
}

/// What tells a message from all others, in a state.
fn record_key(partition: &Partition, event_id: &str) -> String {
    format!("{}/{event_id}", bare(&partition.id))
}

/// The bare identifier of the session in such a key.
pub fn session_of(key: &str) -> &str {
    key.split_once('/').map_or(key, |(session, _)| session)
}

/// The fingerprint of an item without the field that changes at every read.
fn steady_print(item: &str, unsteady: Option<&str>) -> u64 {
    let Some(field) = unsteady else { return fingerprint(item.as_bytes()) };
    let mut fields: BTreeMap<&str, &RawValue> = serde_json::from_str(item).unwrap_or_default();
    fields.remove(field);
    let steady: Vec<&str> = fields.iter().flat_map(|(name, value)| [*name, value.get()]).collect();
    fingerprint(steady.join("\0").as_bytes())
}

/// What the reading of every session needs.
struct Reader {
    context: Arc<Context>,
    stream: &'static Stream,
    organization: Organization,
    ledger: Arc<Ledger>,
    tell: Tell,
    now: i64,
    /// How many pages of messages have come, of all sessions.
    pages: AtomicUsize,
}

impl Reader {
    fn new(context: &Arc<Context>, step: &Step, ledger: &Arc<Ledger>) -> Reader {
        Reader {
            context: Arc::clone(context),
            stream: step.stream,
            organization: step.organization.clone(),
            ledger: Arc::clone(ledger),
            tell: context.teller(ledger),
            now: step.now,
            pages: AtomicUsize::new(0),
        }
    }

    /// Reads one session's messages in their order, and once more where the API counts more than it has given.
    async fn partition(&self, partition: &Partition, recent: RecentRecords) -> Result<Found, End> {
        let in_path = format!("devin-{}", bare(&partition.id));
        let place = Place::below_session(self.stream, &self.organization.id, &in_path);
        // The start date bounds sessions, not what was said in them.
        // Where the session's own change is the cursor, it may stand still although there is something new.
        let is_of_item = !self.stream.adds.contains(&Added::SessionUpdatedAt);
        let bounds = Bounds { since: partition.since.filter(|_| is_of_item), ..Bounds::default() };
        let mut listing = Listing::new(ListKind::Append, None, self.now);
        let mut found = Found { largest: None, recent };
        let mut is_first = true;
        loop {
            let mut pages = Pages::start(&self.context, place.request(0, Vec::new()), &self.tell);
            loop {
                let page = match pages.next().await {
                    Ok(Some(page)) => page,
                    Ok(None) => break,
                    // Later on, a page that is missing is no sign that the session is.
                    Err(error) if error.kind == Kind::Status(404) && is_first => return Err(End::Gone(error)),
                    Err(error) => return Err(error.into()),
                };
                is_first = false;
                self.pages.fetch_add(1, Ordering::Relaxed);
                let of = Slice { session_updated_at: partition.updated_at, ..Slice::default() };
                let frame =
                    completed(self.context.emitter.frame(&self.ledger.stream), self.stream, &self.organization, &of);
                let frame = frame.of_session(&partition.id);
                let framed = frame_page(&page, &frame, &self.stream.reading(), |item, facts| {
                    let cursor = facts.cursor(self.stream.cursor);
                    if listing.note(key_of(item, facts), Times::default(), || 0) == Sight::Repeated {
                        return false;
                    }
                    found.largest = found.largest.max(cursor);
                    let key = facts.id.text().filter(|id| !id.is_empty()).map(|id| record_key(partition, &id));
                    bounds.admit(facts.created_at(), cursor)
                        && found.recent.wants(key.as_deref(), cursor, || steady_print(item, self.stream.unsteady))
                });
                listing.end_page(page.total, page.has_next()).map_err(End::Data)?;
                self.context.emitter.records(&self.ledger, framed).await?;
            }
            match listing.end() {
                Decision::ListAgain { .. } => {}
                Decision::Complete { doubt } => {
                    let doubt = doubt.map(|doubt| format!("{}: {doubt}", partition.name()));
                    self.context.warn_of(self.stream, doubt);
                    return Ok(found);
                }
                Decision::Incomplete { reason } => return Err(End::Data(reason)),
            }
        }
    }

    /// Asks the list whether a session exists whose messages do not: nobody asks for it again after a full refresh, and nobody can by name
    /// where the API ignores `session_ids`.
    async fn find_missing(&self, partitions: &mut Partitions, place: usize) -> Result<Existence, End> {
        let (id, name) = (Arc::clone(&partitions.all[place].id), partitions.all[place].name());
        let query = vec![("session_ids", bare(&id).to_string())];
        let mut pages =
            Pages::start(&self.context, Place::of_sessions(&self.organization.id).request(0, query), &self.tell);
        while let Some(page) = pages.next().await? {
            let ids: Vec<_> = page.items().filter_map(|item| Facts::of(item).session_id.text()).collect();
            // The filter is ignored, and the list is long: what this pass has listed is there, and need not be looked for.
            let is_there_anyway = !ids.is_empty() && page.has_next() && partitions.all[place].is_listed();
            if is_there_anyway || ids.iter().any(|listed| bare(listed) == bare(&id)) {
                self.context.warn_of(self.stream, partitions.is_listed_and_missing(place));
                return Ok(Existence::Listed);
            }
        }
        partitions.is_done(place);
        let text = format!(
            "{name} disappeared between the list and the reading of its {}, and is skipped",
            self.stream.below_session()
        );
        self.context.warn_of(self.stream, Some(text));
        Ok(Existence::Gone)
    }
}

/// Whether there is a session whose messages there are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Existence {
    Listed,
    Gone,
}
