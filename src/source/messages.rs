//! The messages of all sessions: the sessions first, then each one's messages, many side by side.
//!
//! Sessions are taken by `updated_at` ascending, so that "everything before this one is done" is a place to resume
//! from. A pass keeps two marks: which messages an earlier pass has read (`created_at`), and how far this pass has
//! come (`sessions_updated_from`). With one mark, a run that is killed half way would drop the old messages of the
//! sessions it had not come to. A session that does not give its messages holds up neither mark: it is remembered by name.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::context::{CLOCK_DOUBT_S, Context, End, Tell};
use super::cursor::{Bounds, Checkpoint, MOST_UNREAD_SESSIONS, is_plain};
use super::emit::{Ledger, now_ms};
use super::facts::Facts;
use super::pages::{Pages, by_name};
use super::pass::{Ids, Pass};
use super::plan::Step;
use super::recent::{Known, Seen, print};
use super::record::{frame_page, is_empty};
use super::streams::Stream;
use super::trouble::{Fate, Trouble};
use super::turns::{Progress, Turns};
use crate::airbyte::Level;
use crate::devin::session::bare;
use crate::devin::{Kind, Page};

/// How often at most the place to resume from is worked out: it is only needed when it is said.
const NOTE_EVERY: Duration = Duration::from_millis(100);

/// Reads the stream to its end.
///
/// # Errors
/// See [`End`]. What has been read by then, the emitter knows as the safe state.
pub async fn read(context: &Arc<Context>, step: &Step, ledger: &Arc<Ledger>) -> Result<Checkpoint, End> {
    let reader = Arc::new(Reader::new(context, step, ledger));
    let (sessions, pass) = reader.sessions(step).await?;
    let mut course = Course::new(step, sessions, pass);
    let mut trouble = Trouble::default();
    let (mut noted, mut said) = (Instant::now(), Instant::now());
    let mut reading = JoinSet::new();
    loop {
        while reading.len() < context.concurrency
            && let Some(place) = course.turns.next(trouble.wants_probe())
        {
            let (reader, session, until) = (Arc::clone(&reader), course.sessions[place].clone(), course.pass.until());
            reading.spawn(async move { (place, reader.session(&session, until).await) });
        }
        let Some(ended) = reading.join_next().await else { break };
        let (place, outcome) = ended.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()));
        course.asked += 1;
        let is_newest = place == course.newest;
        trouble.heard(reader.pages.load(Ordering::Relaxed));
        let mut early = None;
        match outcome {
            Ok(found) => course.is_read(place, found),
            // It was not listed this time.
            Err(End::Gone(_)) if course.sessions[place].is_left => {
                context.warn_of(step.stream, Some(course.sessions[place].skipped()));
                course.is_gone(place);
            }
            Err(End::Gone(error)) => trouble.gone(place, error, is_newest),
            Err(End::Request(error)) => {
                let text = format!("stream {}: {error}; the other sessions go on", step.stream.name);
                if trouble.stuck(place, error, is_newest) {
                    context.emitter.log(Level::Warn, &text);
                }
            }
            Err(end) => early = Some(end),
        }
        for (place, fate) in trouble.settled() {
            match fate {
                Fate::Gone => {
                    context.warn_of(step.stream, Some(course.sessions[place].skipped()));
                    course.is_gone(place);
                }
                Fate::Stuck => course.is_stuck(place),
            }
        }
        if let Some(end) = early.or_else(|| trouble.verdict(course.untried(), course.sessions.len())) {
            course.note_last(context, ledger);
            return Err(end);
        }
        if noted.elapsed() >= NOTE_EVERY.min(context.checkpoint_every) {
            noted = Instant::now();
            course.note(context, ledger);
        }
        if said.elapsed() >= context.checkpoint_every {
            said = Instant::now();
            context.emitter.checkpoint(ledger);
        }
    }
    if let Some(end) = trouble.end(course.untried(), course.sessions.len()) {
        course.note_last(context, ledger);
        return Err(end);
    }
    context.warn_of(step.stream, course.pass.forgotten());
    Ok(course.checkpoint())
}

/// How far a pass has come through its sessions, and what may be claimed of it.
struct Course<'a> {
    step: &'a Step,
    sessions: Vec<Session>,
    /// The place of the newest one.
    newest: usize,
    pass: Pass,
    /// The sessions that this pass has found open.
    open_later: BTreeMap<String, String>,
    /// The sessions that have not given their messages, with the cursor value from which they are to be read.
    unread: BTreeMap<String, i64>,
    turns: Turns,
    progress: Progress,
    /// How many sessions have been asked to the end, whatever came of it.
    asked: usize,
}

impl<'a> Course<'a> {
    fn new(step: &'a Step, sessions: Vec<Session>, pass: Pass) -> Course<'a> {
        let is_left: Vec<usize> = (0..sessions.len()).filter(|place| sessions[*place].is_left).collect();
        let newest = (sessions.len() - is_left.len()).max(1) - 1;
        let mut progress = Progress::new(sessions.len());
        // They are remembered by name until they have been read, so they hold up no mark.
        is_left.into_iter().for_each(|place| progress.finish(place));
        Course {
            step,
            open_later: pass.open_sessions(),
            pass,
            unread: step.checkpoint.unread_sessions.clone(),
            turns: Turns::new(sessions.len(), newest),
            newest,
            progress,
            sessions,
            asked: 0,
        }
    }

    fn untried(&self) -> usize {
        self.sessions.len() - self.asked
    }

    fn is_read(&mut self, place: usize, found: Found) {
        self.pass.take(found.largest, found.seen);
        self.is_gone(place);
    }

    /// There is nothing more to be read of the session at this place.
    fn is_gone(&mut self, place: usize) {
        self.forget(place);
        self.progress.finish(place);
    }

    fn forget(&mut self, place: usize) {
        let session = &self.sessions[place];
        if session.is_unread {
            self.unread.retain(|id, _| bare(id) != bare(&session.id));
        }
    }

    /// The session at this place is left for another time. One that cannot be remembered holds up the mark instead.
    fn is_stuck(&mut self, place: usize) {
        self.forget(place);
        let session = &self.sessions[place];
        if is_plain(&session.id) && (session.is_unread || self.unread.len() < MOST_UNREAD_SESSIONS) {
            self.unread.insert(session.id.to_string(), session.since.unwrap_or(0));
            self.progress.finish(place);
        }
    }

    /// Notes what may be claimed by now.
    fn note(&self, context: &Context, ledger: &Ledger) {
        if let Some(checkpoint) = self.so_far() {
            context.emitter.safe(ledger, checkpoint.write(self.step.stream.cursor_field));
        }
    }

    /// The same when no more will be read: then it may be all but the sessions that are remembered by name.
    fn note_last(&self, context: &Context, ledger: &Ledger) {
        if self.progress.left() == 0 {
            context.emitter.safe(ledger, self.checkpoint().write(self.step.stream.cursor_field));
        } else {
            self.note(context, ledger);
        }
    }

    /// The checkpoint of a pass that is not at its end; `None` when that would claim nothing.
    fn so_far(&self) -> Option<Checkpoint> {
        let from = self.sessions[self.progress.reached()?].updated_at?.min(self.pass.began());
        let from = from.saturating_sub(self.step.lookback).max(self.step.sessions_since().unwrap_or(i64::MIN));
        let before = &self.step.checkpoint;
        Some(Checkpoint {
            cursor: before.cursor,
            again_from: before.again_from,
            recent: before.recent.clone(),
            sessions_updated_from: Some(from),
            // Until this pass is finished, they may not have been read.
            open_sessions: before.open_sessions.clone(),
            unread_sessions: self.unread.clone(),
            open_later: self.open_later.clone(),
            recent_later: self.pass.recent(),
            newest_seen: self.pass.largest(),
            pass_began: Some(self.pass.first_began()),
        })
    }

    /// The checkpoint when there is no session left that has not been asked.
    fn checkpoint(&self) -> Checkpoint {
        Checkpoint { unread_sessions: self.unread.clone(), ..self.pass.checkpoint() }
    }
}

/// A session whose messages are to be read.
#[derive(Clone)]
struct Session {
    id: Arc<str>,
    /// `None` is read first, and again each time.
    updated_at: Option<i64>,
    /// Whether an earlier pass has left it, and whether it is here for that reason only.
    is_unread: bool,
    is_left: bool,
    /// From which cursor value on its messages are wanted; `None` is all of them.
    since: Option<i64>,
}

impl Session {
    /// A sentence for a WARN when it has gone.
    fn skipped(&self) -> String {
        let id = if is_plain(&self.id) { &self.id } else { "(whose identifier is no plain text)" };
        format!("session {id} disappeared between the list and the reading of its messages, and is skipped")
    }
}

/// What the messages of one session have come to.
struct Found {
    largest: Option<i64>,
    seen: Seen,
}

/// What the reading of every session needs.
struct Reader {
    context: Arc<Context>,
    stream: &'static Stream,
    bounds: Bounds,
    known: Known,
    /// See [`Step::reach`].
    reach: i64,
    ledger: Arc<Ledger>,
    tell: Tell,
    /// How many pages of messages have come, of all sessions.
    pages: AtomicUsize,
}

impl Reader {
    fn new(context: &Arc<Context>, step: &Step, ledger: &Arc<Ledger>) -> Reader {
        Reader {
            context: Arc::clone(context),
            stream: step.stream,
            bounds: step.bounds,
            known: Known::new(step.checkpoint.cursor, &step.checkpoint.recent),
            reach: step.reach(),
            ledger: Arc::clone(ledger),
            tell: context.teller(ledger),
            pages: AtomicUsize::new(0),
        }
    }

    /// Lists the sessions to read, each once, by `updated_at` ascending; those that an earlier pass has left come last.
    async fn sessions(&self, step: &Step) -> Result<(Vec<Session>, Pass), End> {
        let context = &self.context;
        let listed = Bounds { since: step.sessions_since(), ..step.bounds };
        let whenever = Bounds { since: None, ..step.bounds };
        let mut pass = Pass::new(step, now_ms() / 1000 - CLOCK_DOUBT_S);
        let mut sessions = Vec::new();
        let mut count = 0;
        let mut pages = Pages::start(context, context.list(&["sessions"], listed.filters()), &self.tell);
        while let Some(page) = pages.next().await? {
            if count == 0 {
                pass.begin(&page);
                context.emitter.running(&self.ledger);
            }
            count += 1;
            self.take(&page, &listed, None, &mut pass, &mut sessions)?;
        }
        if count > 1 {
            // A session that changed meanwhile can have moved to a page that had come by. The next pass would take only
            // its new messages.
            let changed =
                Bounds { since: Some(pass.began().saturating_sub(step.lookback)).max(listed.since), ..listed };
            let mut pages = Pages::start(context, context.list(&["sessions"], changed.filters()), &self.tell);
            while let Some(page) = pages.next().await? {
                self.take(&page, &changed, None, &mut pass, &mut sessions)?;
            }
        }
        let mut unseen = pass.unseen();
        while let Some(ids) = unseen.pop() {
            for page in by_name(context, &["sessions"], &self.tell, &ids, &mut unseen).await? {
                self.take(&page, &whenever, Some(&ids), &mut pass, &mut sessions)?;
            }
        }
        // The list can shift while it is read, and name a session twice.
        sessions.sort_unstable_by(|a, b| (bare(&a.id), a.updated_at).cmp(&(bare(&b.id), b.updated_at)));
        sessions.dedup_by(|later, first| bare(&later.id) == bare(&first.id));
        let mut left = Vec::new();
        for (id, since) in &step.checkpoint.unread_sessions {
            match sessions.binary_search_by(|session: &Session| bare(&session.id).cmp(bare(id))) {
                Ok(place) => {
                    sessions[place].since = sessions[place].since.min(Some(*since));
                    sessions[place].is_unread = true;
                }
                Err(_) => left.push(Session {
                    id: Arc::from(id.as_str()),
                    updated_at: None,
                    is_unread: true,
                    is_left: true,
                    since: Some(*since),
                }),
            }
        }
        sessions.sort_by_key(|session| session.updated_at);
        sessions.append(&mut left);
        Ok((sessions, pass))
    }

    /// Takes a page's sessions that are within bounds, and among `ids` if they were asked for by name.
    fn take(
        &self,
        page: &Page,
        bounds: &Bounds,
        ids: Option<&Ids>,
        pass: &mut Pass,
        sessions: &mut Vec<Session>,
    ) -> Result<(), End> {
        for item in page.items().filter(|item| !is_empty(item)) {
            let facts = Facts::of(item);
            if !bounds.admit(facts.created_at(), facts.updated_at()) || ids.is_some_and(|ids| !ids.contain(&facts)) {
                continue;
            }
            let Some(id) = facts.session_id.text().filter(|id| !bare(id).is_empty()) else {
                let text = "the list of sessions holds one without a session_id, whose messages cannot be asked for";
                return Err(End::Data(text.to_string()));
            };
            pass.note_listed(item, &facts);
            let (id, updated_at, since) = (Arc::from(id), facts.updated_at(), self.bounds.since);
            sessions.push(Session { id, updated_at, is_unread: false, is_left: false, since });
        }
        Ok(())
    }

    /// Reads one session's messages in their order; the pass's checkpoint lies no later than `until`.
    async fn session(&self, session: &Session, until: i64) -> Result<Found, End> {
        let in_path = format!("devin-{}", bare(&session.id));
        let path: Vec<&str> = ["sessions", &in_path].into_iter().chain(self.stream.path.iter().copied()).collect();
        let bounds = Bounds { since: session.since, ..self.bounds };
        let mut pages = Pages::start(&self.context, self.context.list(&path, Vec::new()), &self.tell);
        let mut previous: Option<Page> = None;
        let mut found = Found { largest: None, seen: Seen::new(self.reach, until) };
        loop {
            let page = match pages.next().await {
                Ok(Some(page)) => page,
                Ok(None) => return Ok(found),
                // Later on, a page that is missing is no sign that the session is.
                Err(error) if error.kind == Kind::Status(404) && previous.is_none() => return Err(End::Gone(error)),
                Err(error) => return Err(error.into()),
            };
            self.pages.fetch_add(1, Ordering::Relaxed);
            self.context.emitter.running(&self.ledger);
            let frame = self.context.emitter.frame(self.stream.name).of_session(&session.id);
            let framed = frame_page(&page, previous.as_ref(), &frame, |item, facts| {
                let cursor = facts.cursor(self.stream.cursor_field, self.stream.cursor_fallback);
                found.largest = found.largest.max(cursor);
                bounds.admit(facts.created_at(), cursor)
                    && found.seen.wants(&self.known, cursor, || print(&[bare(&session.id), item]))
            });
            // Before waiting for room: what is held while the reader is slow is this page, its lines and the next page.
            previous = Some(page);
            self.context.emitter.records(&self.ledger, framed).await?;
        }
    }
}
