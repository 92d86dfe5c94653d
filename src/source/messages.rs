//! The messages of all sessions: the sessions first, then each one's messages, many side by side.
//!
//! Sessions are taken by `updated_at` ascending, so that "everything before this one is done" is a place to resume
//! from. A pass keeps two marks: which messages an earlier pass has read (`created_at`), and how far this pass has
//! come (`sessions_updated_from`). With one mark, a run that is killed half way would drop the old messages of the
//! sessions it had not come to.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::context::{CLOCK_DOUBT_S, Context, End, Tell};
use super::cursor::{Bounds, Checkpoint, is_plain};
use super::emit::{Ledger, now_ms};
use super::facts::Facts;
use super::pages::{Pages, by_name};
use super::pass::{Ids, Pass};
use super::plan::Step;
use super::record::{frame_page, is_empty};
use super::streams::Stream;
use crate::airbyte::Level;
use crate::devin::session::bare;
use crate::devin::{Error, Kind, Page};

/// So many sessions that do not exist, and none that does: the list and the messages disagree for good.
const MOST_GONE: usize = 20;

/// So many sessions that cannot be read, and the trouble is not theirs alone.
const MOST_STUCK: usize = 20;

/// The same, as long as no session could be read.
const MOST_STUCK_AT_FIRST: usize = 3;

/// How often at most the place to resume from is worked out: it is only needed when it is said.
const NOTE_EVERY: Duration = Duration::from_millis(100);

/// Reads the stream to its end.
pub async fn read(context: &Arc<Context>, step: &Step, ledger: &Arc<Ledger>) -> Result<Checkpoint, End> {
    let tell = context.teller(ledger);
    let (sessions, mut pass) = sessions(context, step, &tell, ledger).await?;
    let open_later = pass.open_sessions();
    let resume = |progress: &Progress, largest: Option<i64>| {
        let from = sessions.get(progress.reached()?)?.updated_at?;
        let from = from.min(pass.began()).saturating_sub(context.lookback);
        Some(Checkpoint {
            cursor: step.checkpoint.cursor,
            sessions_updated_from: Some(from.max(step.since().unwrap_or(i64::MIN))),
            // Until this pass is finished, they may not have been read.
            open_sessions: step.checkpoint.open_sessions.clone(),
            open_later: open_later.clone(),
            newest_seen: largest,
        })
    };
    let note = |progress: &Progress, largest: Option<i64>| {
        if let Some(resume) = resume(progress, largest) {
            context.emitter.safe(ledger, resume.write(step.stream.cursor_field));
        }
    };
    let mut largest = step.checkpoint.newest_seen;
    let mut progress = Progress::new(sessions.len());
    let (mut gone, mut stuck) = (Gone::default(), Stuck::default());
    let (mut noted, mut said) = (Instant::now(), Instant::now());
    let mut reading = JoinSet::new();
    let mut next = 0;
    loop {
        while reading.len() < context.concurrency && next < sessions.len() {
            let session = Arc::clone(&sessions[next].id);
            let one = one_session(
                Arc::clone(context),
                step.stream,
                step.bounds,
                session,
                Arc::clone(ledger),
                Arc::clone(&tell),
            );
            let index = next;
            reading.spawn(async move { (index, one.await) });
            next += 1;
        }
        let Some(ended) = reading.join_next().await else { break };
        let (index, outcome) = ended.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()));
        match outcome {
            Ok(found) => {
                gone.one_exists = true;
                largest = largest.max(found);
                progress.finish(index);
            }
            Err(End::Gone(error)) => gone.sessions.push((index, error)),
            Err(End::Request(error)) if stuck.take(&error, gone.one_exists) => {
                let text = format!("stream {}: {error}; the other sessions are read first", step.stream.name);
                context.emitter.log(Level::Warn, &text);
            }
            Err(end) => {
                note(&progress, largest);
                return Err(end);
            }
        }
        gone.skippable(&sessions, context)?.into_iter().for_each(|index| progress.finish(index));
        if noted.elapsed() >= NOTE_EVERY.min(context.checkpoint_every) {
            noted = Instant::now();
            note(&progress, largest);
        }
        if said.elapsed() >= context.checkpoint_every {
            said = Instant::now();
            context.emitter.checkpoint(ledger);
        }
    }
    if let Some(error) = stuck.last {
        note(&progress, largest);
        return Err(if gone.one_exists {
            End::Partial { error, count: stuck.count, all: sessions.len() }
        } else {
            End::Request(error)
        });
    }
    gone.end()?;
    context.warn_of(step.stream, pass.forgotten());
    pass.note_cursor(largest);
    Ok(pass.checkpoint(context.lookback))
}

/// A session whose messages are to be read.
struct Session {
    id: Arc<str>,
    /// `None` is read first, and again each time.
    updated_at: Option<i64>,
}

/// Lists the sessions to read, each once, by `updated_at` ascending.
async fn sessions(
    context: &Arc<Context>,
    step: &Step,
    tell: &Tell,
    ledger: &Ledger,
) -> Result<(Vec<Session>, Pass), End> {
    let listed = Bounds { since: step.since(), ..step.bounds };
    let whenever = Bounds { since: None, ..step.bounds };
    let mut pass = Pass::new(step, now_ms() / 1000 - CLOCK_DOUBT_S);
    let mut sessions = Vec::new();
    let mut pages = Pages::start(context, context.list(&["sessions"], listed.filters()), tell);
    let mut is_first = true;
    while let Some(page) = pages.next().await? {
        if is_first {
            pass.begin(&page);
            context.emitter.running(ledger);
            is_first = false;
        }
        take(&page, &listed, None, &mut pass, &mut sessions)?;
    }
    let mut unseen = pass.unseen();
    while let Some(ids) = unseen.pop() {
        for page in by_name(context, &["sessions"], tell, &ids, &mut unseen).await? {
            take(&page, &whenever, Some(&ids), &mut pass, &mut sessions)?;
        }
    }
    // The list can shift while it is read, and name a session twice.
    sessions.sort_unstable_by(|a, b| (bare(&a.id), a.updated_at).cmp(&(bare(&b.id), b.updated_at)));
    sessions.dedup_by(|later, first| bare(&later.id) == bare(&first.id));
    sessions.sort_by_key(|session| session.updated_at);
    Ok((sessions, pass))
}

/// Takes a page's sessions that are within bounds, and among `ids` if they were asked for by name.
fn take(
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
        sessions.push(Session { id: Arc::from(id), updated_at: facts.updated_at() });
    }
    Ok(())
}

/// Reads one session's messages in their order, and answers with the largest cursor value among them.
async fn one_session(
    context: Arc<Context>,
    stream: &'static Stream,
    bounds: Bounds,
    session: Arc<str>,
    ledger: Arc<Ledger>,
    tell: Tell,
) -> Result<Option<i64>, End> {
    let in_path = format!("devin-{}", bare(&session));
    let path: Vec<&str> = ["sessions", &in_path].into_iter().chain(stream.path.iter().copied()).collect();
    let mut pages = Pages::start(&context, context.list(&path, Vec::new()), &tell);
    let mut previous: Option<Page> = None;
    let mut largest = None;
    loop {
        let page = match pages.next().await {
            Ok(Some(page)) => page,
            Ok(None) => return Ok(largest),
            // Later on, a page that is missing is no sign that the session is.
            Err(error) if error.kind == Kind::Status(404) && previous.is_none() => return Err(End::Gone(error)),
            Err(error) => return Err(error.into()),
        };
        context.emitter.running(&ledger);
        let frame = context.emitter.frame(stream.name).of_session(&session);
        let framed = frame_page(&page, previous.as_ref(), &frame, |_, facts| {
            let cursor = facts.cursor(stream.cursor_field, stream.cursor_fallback);
            largest = largest.max(cursor);
            bounds.admit(facts.created_at(), cursor)
        });
        // Before waiting for room: what is held while the reader is slow is this page, its lines and the next page.
        previous = Some(page);
        context.emitter.records(&ledger, framed).await?;
    }
}

/// Which sessions of the ordered list are done. Pure.
struct Progress {
    /// Everything before this index is done.
    before: usize,
    ahead: HashSet<usize>,
    all: usize,
}

impl Progress {
    fn new(all: usize) -> Progress {
        Progress { before: 0, ahead: HashSet::new(), all }
    }

    fn finish(&mut self, index: usize) {
        self.ahead.insert(index);
        while self.ahead.remove(&self.before) {
            self.before += 1;
        }
    }

    /// The first session that is not done; `None` when none or all are.
    fn reached(&self) -> Option<usize> {
        (0 < self.before && self.before < self.all).then_some(self.before)
    }
}

/// Sessions that do not give their messages. They keep no other session back, and fail the stream at its end: the place
/// to resume from stays before the first of them.
#[derive(Default)]
struct Stuck {
    count: usize,
    last: Option<Error>,
}

impl Stuck {
    /// Counts one more; no when the trouble is everybody's, so that going on is pointless.
    fn take(&mut self, error: &Error, one_exists: bool) -> bool {
        let is_everybodys = matches!(error.kind, Kind::Status(401 | 429) | Kind::WaitTooLong { .. });
        self.count += 1;
        self.last = Some(error.clone());
        let most = if one_exists { MOST_STUCK } else { MOST_STUCK_AT_FIRST };
        !is_everybodys && !error.kind.is_out_of_reach() && self.count < most
    }
}

/// Sessions that were listed and then did not exist. One of them is a deletion; all of them are an error.
#[derive(Default)]
struct Gone {
    one_exists: bool,
    sessions: Vec<(usize, Error)>,
}

impl Gone {
    /// The sessions that may be skipped by now, each said with a WARN.
    fn skippable(&mut self, sessions: &[Session], context: &Context) -> Result<Vec<usize>, End> {
        if !self.one_exists {
            return if self.sessions.len() >= MOST_GONE {
                self.take_error().map(|()| Vec::new())
            } else {
                Ok(Vec::new())
            };
        }
        let skipped = std::mem::take(&mut self.sessions);
        Ok(skipped
            .into_iter()
            .map(|(index, _)| {
                let id = &sessions[index].id;
                let id = if is_plain(id) { id } else { "(whose identifier is no plain text)" };
                let text = format!(
                    "session {id} disappeared between the list and the reading of its messages, and is skipped"
                );
                context.emitter.log(Level::Warn, &text);
                index
            })
            .collect())
    }

    /// Whether every session that was asked for did not exist.
    fn end(&mut self) -> Result<(), End> {
        if self.one_exists { Ok(()) } else { self.take_error() }
    }

    fn take_error(&mut self) -> Result<(), End> {
        match self.sessions.pop() {
            Some((_, error)) => Err(End::Gone(error)),
            None => Ok(()),
        }
    }
}
