//! The messages of all sessions: the sessions first, then each one's messages, many side by side.
//!
//! Sessions are taken by `updated_at` ascending, so that "everything before this one is done" is a place to resume
//! from. A pass keeps two marks: which messages an earlier pass has read (`created_at`), and how far this pass has
//! come (`sessions_updated_from`). With one mark, a run that is killed half way would drop the old messages of the
//! sessions it had not come to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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
use super::trouble::Trouble;
use super::turns::{Progress, Turns};
use crate::devin::session::bare;
use crate::devin::{Kind, Page};

/// How often at most the place to resume from is worked out: it is only needed when it is said.
const NOTE_EVERY: Duration = Duration::from_millis(100);

/// Reads the stream to its end.
pub async fn read(context: &Arc<Context>, step: &Step, ledger: &Arc<Ledger>) -> Result<Checkpoint, End> {
    let reader = Arc::new(Reader {
        context: Arc::clone(context),
        stream: step.stream,
        bounds: step.bounds,
        ledger: Arc::clone(ledger),
        tell: context.teller(ledger),
        pages: AtomicUsize::new(0),
    });
    let (sessions, mut pass) = reader.sessions(step).await?;
    let open_later = pass.open_sessions();
    let mut largest = step.checkpoint.newest_seen;
    let mut progress = Progress::new(sessions.len());
    let mut trouble = Trouble::default();
    let mut turns = Turns::new(sessions.len());
    let (mut noted, mut said) = (Instant::now(), Instant::now());
    let note = |progress: &Progress, largest: Option<i64>| {
        let Some(from) = progress.reached().and_then(|place| sessions[place].updated_at) else { return };
        let from = from.min(pass.began()).saturating_sub(context.lookback);
        let resume = Checkpoint {
            cursor: step.checkpoint.cursor,
            sessions_updated_from: Some(from.max(step.since().unwrap_or(i64::MIN))),
            // Until this pass is finished, they may not have been read.
            open_sessions: step.checkpoint.open_sessions.clone(),
            open_later: open_later.clone(),
            newest_seen: largest,
            pass_began: Some(pass.first_began()),
        };
        context.emitter.safe(ledger, resume.write(step.stream.cursor_field));
    };
    let mut reading = JoinSet::new();
    loop {
        while reading.len() < context.concurrency
            && let Some(place) = turns.next(trouble.wants_probe())
        {
            let (reader, id) = (Arc::clone(&reader), Arc::clone(&sessions[place].id));
            reading.spawn(async move { (place, reader.session(&id).await) });
        }
        let Some(ended) = reading.join_next().await else { break };
        let (place, outcome) = ended.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()));
        let is_newest = place + 1 == sessions.len();
        trouble.heard(reader.pages.load(Ordering::Relaxed));
        match outcome {
            Ok(found) => {
                largest = largest.max(found);
                progress.finish(place);
            }
            Err(End::Gone(error)) => trouble.gone(place, error, is_newest),
            Err(End::Request(error)) => {
                if trouble.stuck(&error, is_newest) {
                    reader.warn(&format!("{error}; the other sessions go on"));
                }
            }
            Err(end) => {
                note(&progress, largest);
                return Err(end);
            }
        }
        for place in trouble.skippable() {
            reader.warn(&sessions[place].skipped());
            progress.finish(place);
        }
        if let Some(end) = trouble.verdict(progress.left(), sessions.len()) {
            note(&progress, largest);
            return Err(end);
        }
        if noted.elapsed() >= NOTE_EVERY.min(context.checkpoint_every) {
            noted = Instant::now();
            note(&progress, largest);
        }
        if said.elapsed() >= context.checkpoint_every {
            said = Instant::now();
            context.emitter.checkpoint(ledger);
        }
    }
    if let Some(end) = trouble.end(progress.left(), sessions.len()) {
        note(&progress, largest);
        return Err(end);
    }
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

impl Session {
    /// A sentence for a WARN when it has gone.
    fn skipped(&self) -> String {
        let id = if is_plain(&self.id) { &self.id } else { "(whose identifier is no plain text)" };
        format!("session {id} disappeared between the list and the reading of its messages, and is skipped")
    }
}

/// What the reading of every session needs.
struct Reader {
    context: Arc<Context>,
    stream: &'static Stream,
    bounds: Bounds,
    ledger: Arc<Ledger>,
    tell: Tell,
    /// How many pages of messages have come, of all sessions.
    pages: AtomicUsize,
}

impl Reader {
    /// Lists the sessions to read, each once, by `updated_at` ascending.
    async fn sessions(&self, step: &Step) -> Result<(Vec<Session>, Pass), End> {
        let context = &self.context;
        let listed = Bounds { since: step.since(), ..step.bounds };
        let whenever = Bounds { since: None, ..step.bounds };
        let mut pass = Pass::new(step, now_ms() / 1000 - CLOCK_DOUBT_S);
        let mut sessions = Vec::new();
        let mut pages = Pages::start(context, context.list(&["sessions"], listed.filters()), &self.tell);
        let mut is_first = true;
        while let Some(page) = pages.next().await? {
            if is_first {
                pass.begin(&page);
                context.emitter.running(&self.ledger);
                is_first = false;
            }
            take(&page, &listed, None, &mut pass, &mut sessions)?;
        }
        let mut unseen = pass.unseen();
        while let Some(ids) = unseen.pop() {
            for page in by_name(context, &["sessions"], &self.tell, &ids, &mut unseen).await? {
                take(&page, &whenever, Some(&ids), &mut pass, &mut sessions)?;
            }
        }
        // The list can shift while it is read, and name a session twice.
        sessions.sort_unstable_by(|a, b| (bare(&a.id), a.updated_at).cmp(&(bare(&b.id), b.updated_at)));
        sessions.dedup_by(|later, first| bare(&later.id) == bare(&first.id));
        sessions.sort_by_key(|session| session.updated_at);
        Ok((sessions, pass))
    }

    /// Reads one session's messages in their order, and answers with the largest cursor value among them.
    async fn session(&self, session: &Arc<str>) -> Result<Option<i64>, End> {
        let in_path = format!("devin-{}", bare(session));
        let path: Vec<&str> = ["sessions", &in_path].into_iter().chain(self.stream.path.iter().copied()).collect();
        let mut pages = Pages::start(&self.context, self.context.list(&path, Vec::new()), &self.tell);
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
            self.pages.fetch_add(1, Ordering::Relaxed);
            self.context.emitter.running(&self.ledger);
            let frame = self.context.emitter.frame(self.stream.name).of_session(session);
            let framed = frame_page(&page, previous.as_ref(), &frame, |_, facts| {
                let cursor = facts.cursor(self.stream.cursor_field, self.stream.cursor_fallback);
                largest = largest.max(cursor);
                self.bounds.admit(facts.created_at(), cursor)
            });
            // Before waiting for room: what is held while the reader is slow is this page, its lines and the next page.
            previous = Some(page);
            self.context.emitter.records(&self.ledger, framed).await?;
        }
    }

    fn warn(&self, sentence: &str) {
        self.context.warn_of(self.stream, Some(sentence.to_string()));
    }
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
