//! What one pass over a stream's list learns for its checkpoint. Pure.

use std::collections::BTreeMap;

use super::cursor::{Bounds, Checkpoint, MOST_OPEN_SESSIONS, OpenSessions, fingerprint};
use super::facts::Facts;
use super::plan::Step;
use super::recent::{Known, Prints, Seen, print};
use super::streams::{Listing, Stream};
use crate::devin::Page;
use crate::devin::session::bare;

/// Sessions asked for by their identifiers at once: a number known to work.
const IDS_A_REQUEST: usize = 50;

/// One pass, from a step's checkpoint to the next one.
pub struct Pass {
    from: Checkpoint,
    lookback: i64,
    began: i64,
    largest: Option<i64>,
    /// The largest `updated_at` of sessions that are no records of this stream.
    largest_listed: Option<i64>,
    known: Known,
    seen: Seen,
    open: OpenSessions,
    /// Sessions that were open last time and have not come by in this pass, with what they looked like.
    unseen: BTreeMap<String, String>,
    /// Sessions that an interrupted part of this pass has found open, and that have not come by since.
    later: BTreeMap<String, String>,
}

impl Pass {
    /// A pass that begins now, by a clock that is not the server's, in Unix seconds.
    pub fn new(step: &Step, now: i64) -> Pass {
        let open = step.checkpoint.open_sessions.iter();
        let mut seen = Seen::new(step.reach(), now);
        seen.remember(&step.checkpoint.recent_later);
        Pass {
            known: Known::new(step.checkpoint.cursor, &step.checkpoint.recent),
            seen,
            from: step.checkpoint.clone(),
            lookback: step.lookback,
            began: now,
            largest: step.checkpoint.newest_seen,
            largest_listed: None,
            open: OpenSessions::default(),
            later: step.checkpoint.open_later.clone(),
            unseen: open.map(|(id, print)| (bare(id).to_string(), print.clone())).collect(),
        }
    }

    /// Takes the server's clock from the list's first page.
    pub fn begin(&mut self, first: &Page) {
        self.began = first.asked_at.unwrap_or(self.began);
        self.seen.ends(self.until());
    }

    /// The moment the listing began, in Unix seconds.
    pub fn began(&self) -> i64 {
        self.began
    }

    /// The moment its first part began, which is the same when nothing has interrupted the pass.
    pub fn first_began(&self) -> i64 {
        // A state without it was made by hand; what it says of its sessions was true then.
        let first = self.from.pass_began.or(self.from.sessions_updated_from);
        first.map_or(self.began, |first| first.min(self.began))
    }

    /// The checkpoint of this pass lies no later: it moves to when the pass began at most, and never back.
    pub fn until(&self) -> i64 {
        self.first_began().max(self.from.cursor.unwrap_or(i64::MIN))
    }

    /// Notes a record that the list has brought, and answers whether it is wanted.
    pub fn wants(&mut self, stream: &Stream, bounds: &Bounds, item: &str, facts: &Facts) -> bool {
        let cursor = facts.cursor(stream.cursor_field, stream.cursor_fallback);
        if !bounds.admit(facts.created_at(), cursor) {
            return false;
        }
        self.note_cursor(cursor);
        if stream.listing == Listing::Sessions {
            self.note_session(item, facts);
        }
        self.seen.wants(&self.known, cursor, || print(&[item]))
    }

    /// Notes a record that was asked for again by name, and answers whether it has changed since last time: by its
    /// cursor, or by any of its bytes.
    pub fn wants_again(&mut self, stream: &Stream, bounds: &Bounds, item: &str, facts: &Facts) -> bool {
        let before = facts.session_id.text().and_then(|id| self.unseen.get(bare(&id)).cloned());
        let whenever = Bounds { since: None, ..*bounds };
        let is_new = bounds.admit(facts.created_at(), facts.updated_at());
        self.wants(stream, &whenever, item, facts) && (is_new || before.as_deref() != Some(&*fingerprint(item)))
    }

    /// Notes a session that is no record of this stream but has some.
    pub fn note_listed(&mut self, item: &str, facts: &Facts) {
        self.largest_listed = self.largest_listed.max(facts.updated_at());
        self.note_session(item, facts);
    }

    /// Notes what a part of the pass, which is done, has read: the largest cursor value, and what it has seen lately.
    pub fn take(&mut self, largest: Option<i64>, seen: Seen) {
        self.note_cursor(largest);
        self.seen.absorb(seen);
    }

    /// The largest cursor value so far.
    pub fn largest(&self) -> Option<i64> {
        self.largest
    }

    /// What has been read that may lie in the look-back of this pass's checkpoint.
    pub fn recent(&self) -> Prints {
        self.seen.all().collect()
    }

    fn note_cursor(&mut self, cursor: Option<i64>) {
        self.largest = self.largest.max(cursor);
    }

    fn note_session(&mut self, item: &str, facts: &Facts) {
        self.open.note(item, facts);
        if !(self.unseen.is_empty() && self.later.is_empty())
            && let Some(id) = facts.session_id.text()
        {
            self.unseen.remove(bare(&id));
            self.later.remove(&id);
        }
    }

    /// The sessions still to be asked for, in as many requests as that takes.
    pub fn unseen(&self) -> Vec<Ids> {
        let ids: Vec<&String> = self.unseen.keys().collect();
        ids.chunks(IDS_A_REQUEST).map(|ids| Ids(ids.iter().map(ToString::to_string).collect())).collect()
    }

    /// A sentence for a WARN when more sessions have not ended than are remembered.
    pub fn forgotten(&self) -> Option<String> {
        let forgotten = self.open.forgotten;
        (forgotten > 0).then(|| {
            format!("{forgotten} sessions that have not ended are too many to be asked for again next time: what changes in them is seen only if their updated_at moves")
        })
    }

    /// The sessions that have not ended, as far as this pass has seen.
    pub fn open_sessions(&self) -> BTreeMap<String, String> {
        let mut open = self.open.to_map();
        let room = MOST_OPEN_SESSIONS.saturating_sub(open.len());
        let later: Vec<_> = self.later.iter().filter(|(id, _)| !open.contains_key(*id)).take(room).collect();
        open.extend(later.into_iter().map(|(id, print)| (id.clone(), print.clone())));
        open
    }

    /// What a complete pass may claim.
    pub fn checkpoint(&self) -> Checkpoint {
        // A first pass that found sessions without a single record still need not list them all again.
        let listed = self.largest_listed.filter(|_| self.from.cursor.is_none());
        let (cursor, again_from) = self.from.moved(self.largest.or(listed), self.first_began(), self.lookback);
        let recent = match (again_from, cursor) {
            (Some(from), Some(cursor)) => self.seen.between(from, cursor),
            _ => Prints::new(),
        };
        Checkpoint { cursor, again_from, recent, open_sessions: self.open_sessions(), ..Checkpoint::default() }
    }
}

/// Some sessions, asked for by name.
pub struct Ids(Vec<String>);

impl Ids {
    /// The query that asks for them: a repeated key.
    pub fn filter(&self) -> Vec<(&'static str, String)> {
        self.0.iter().map(|id| ("session_ids", id.clone())).collect()
    }

    /// Two halves of them; `None` when there is only one.
    pub fn halves(&self) -> Option<[Ids; 2]> {
        let (first, second) = self.0.split_at(self.0.len() / 2);
        (!first.is_empty()).then(|| [Ids(first.to_vec()), Ids(second.to_vec())])
    }

    /// Whether an answered session is one of them: the API ignores a filter that it does not know.
    pub fn contain(&self, facts: &Facts) -> bool {
        facts.session_id.text().is_some_and(|id| self.0.iter().any(|wanted| wanted == bare(&id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::streams::find;

    #[test]
    fn the_open_sessions_of_an_interrupted_pass_stay_bounded() {
        let open_later = (0..MOST_OPEN_SESSIONS).map(|n| (format!("earlier{n}"), "0".to_string())).collect();
        let checkpoint = Checkpoint { cursor: Some(0), open_later, ..Checkpoint::default() };
        let stream = find("session_messages").unwrap();
        let mut pass = Pass::new(&Step { stream, checkpoint, bounds: Bounds::default(), lookback: 600 }, 9000);
        for n in 0..7 {
            let item = format!(r#"{{"session_id":"s{n}","status":"running","created_at":{n}}}"#);
            pass.note_listed(&item, &Facts::of(&item));
        }
        let open = pass.open_sessions();
        assert_eq!(open.len(), MOST_OPEN_SESSIONS);
        assert!((0..7).all(|n| open.contains_key(&format!("s{n}"))));
    }
}
