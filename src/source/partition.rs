//! The sessions whose messages are read, a partition each, while they are listed: which they are, and from when on. Pure.

use std::sync::Arc;

use super::cursor::Bounds;
use super::facts::Facts;
use super::fingerprint::{digits, fingerprint};
use super::listing::Sight;
use super::open::{InVain, OpenSessions, is_plain};
use super::state::StreamState;
use super::step::Step;
use crate::devin::session::bare;

/// A session whose messages are to be read.
#[derive(Debug, Clone)]
pub struct Partition {
    pub id: Arc<str>,
    /// `None` is read first, and again each time.
    pub updated_at: Option<i64>,
    /// From which cursor value on its messages are wanted; `None` is all of them.
    pub since: Option<i64>,
    /// Whether an earlier pass could not read it.
    pub is_unread: bool,
    /// Whether a list has shown it in this pass; `None` when nobody could be asked for it by name.
    pub is_listed: Option<bool>,
}

impl Partition {
    /// Whether a list has shown it in this pass.
    pub fn is_listed(&self) -> bool {
        self.is_listed == Some(true)
    }

    /// What a message calls it.
    pub fn name(&self) -> String {
        if is_plain(&self.id) {
            format!("session {}", self.id)
        } else {
            "a session whose identifier is not plain text".to_string()
        }
    }
}

/// The sessions of a pass while they are listed.
#[derive(Debug)]
pub struct PartitionList {
    bounds: Bounds,
    state: StreamState,
    found: Vec<Partition>,
    pub open: OpenSessions,
    /// The largest `updated_at` that has been listed; of what was asked for by name, none.
    pub largest: Option<i64>,
    /// When the list was first asked for, in Unix seconds.
    pub now: i64,
    lookback: i64,
    can_ask_by_name: bool,
    items: u64,
    keyless: u64,
}

impl PartitionList {
    /// A list that begins now, by a clock that is not the server's.
    pub fn new(step: &Step) -> PartitionList {
        PartitionList {
            bounds: Bounds { since: step.sessions_since(), ..step.bounds },
            state: step.state.clone(),
            found: Vec::new(),
            open: OpenSessions::new(&step.state),
            largest: None,
            now: step.now,
            lookback: step.lookback,
            can_ask_by_name: true,
            items: 0,
            keyless: 0,
        }
    }

    /// Takes the server's clock.
    pub fn begin(&mut self, now: i64) {
        self.now = now;
    }

    /// Takes a session that is listed, or that was asked for by name: then an ended one is read only if it has changed.
    pub fn take(&mut self, item: &str, facts: &Facts, sight: Sight, is_by_name: bool) {
        // A server that ignores the filter answers for those that would be asked for by name, too.
        let is_by_name = is_by_name || self.open.remembers(facts) && !self.bounds.admit(None, facts.updated_at());
        let bounds = if is_by_name { Bounds { since: None, ..self.bounds } } else { self.bounds };
        if !bounds.admit(facts.created_at(), facts.updated_at()) {
            return;
        }
        self.items += u64::from(sight == Sight::New);
        let Some(id) = facts.session_id.text().filter(|id| !bare(id).is_empty()) else {
            self.keyless += u64::from(sight == Sight::New);
            return;
        };
        let before = self.open.before(&id).map(str::to_string);
        // Others are asked for by whoever shares the list.
        if is_by_name && before.is_none() && !self.state.unread_sessions.keys().any(|unread| bare(unread) == bare(&id))
        {
            return;
        }
        if !is_by_name {
            self.largest = self.largest.max(facts.updated_at());
        }
        // What comes by once more is known as it was when it was taken.
        if sight == Sight::Repeated {
            return;
        }
        let was_open = self.open.was_open(&id);
        self.open.note(item, facts, self.now);
        if let Some(before) = before.as_deref().filter(|_| was_open && !facts.is_open()) {
            self.open.keep_ended(facts, before, self.now, self.lookback);
        }
        let is_still = is_by_name && !facts.is_open() && before == Some(digits(fingerprint(item.as_bytes())));
        if !is_still {
            self.found.push(Partition {
                id: Arc::from(&*id),
                updated_at: facts.updated_at(),
                since: None,
                is_unread: false,
                is_listed: Some(true),
            });
        }
    }

    /// Every session to be asked for by name: those that may have changed, and those that an earlier pass could not read.
    pub fn to_reread(&self) -> Vec<String> {
        let mut ids = self.open.to_reread();
        ids.extend(self.state.unread_sessions.keys().map(|id| bare(id).to_string()));
        ids
    }

    /// Nobody can be asked for by name: what had not ended is read as it is.
    pub fn carry(&mut self) {
        self.can_ask_by_name = false;
        self.open.carry();
        let open = self.open.carried_open().map(|id| Partition {
            id: Arc::from(id),
            updated_at: None,
            since: None,
            is_unread: false,
            is_listed: None,
        });
        self.found.extend(open);
    }

    /// This session was asked for by its bare identifier in vain. While it is remembered, its messages are read as they are.
    pub fn defer(&mut self, bare_id: &str) {
        if let Some(InVain::Kept(id)) = self.open.defer(bare_id) {
            self.found.push(Partition {
                id: Arc::from(id),
                updated_at: None,
                since: None,
                is_unread: false,
                is_listed: None,
            });
        }
    }

    /// A sentence for a WARN when some sessions have no identifier, so that their `things` cannot be read.
    ///
    /// # Errors
    /// A sentence, when none has one.
    pub fn keyless(&self, things: &str) -> Result<Option<String>, String> {
        match (self.keyless, self.items) {
            (0, _) => Ok(None),
            (keyless, items) if keyless == items => {
                Err(format!("the list of sessions holds none with a session_id, so no {things} can be asked for"))
            }
            (1, _) => Ok(Some(format!("1 listed session has no session_id, so its {things} cannot be asked for"))),
            (keyless, _) => {
                Ok(Some(format!("{keyless} listed sessions have no session_id, so their {things} cannot be asked for")))
            }
        }
    }

    /// Each session once, by `updated_at` ascending; those that an earlier pass could not read come last.
    pub fn partitions(&mut self, step: &Step) -> Vec<Partition> {
        let mut all = std::mem::take(&mut self.found);
        all.sort_unstable_by(|a, b| (bare(&a.id), a.updated_at).cmp(&(bare(&b.id), b.updated_at)));
        all.dedup_by(|later, first| bare(&later.id) == bare(&first.id));
        for partition in &mut all {
            partition.since = self.since(step, partition.updated_at);
        }
        let mut left = Vec::new();
        for (id, since) in &self.state.unread_sessions {
            match all.binary_search_by(|partition: &Partition| bare(&partition.id).cmp(bare(id))) {
                Ok(place) => {
                    all[place].since = all[place].since.min(Some(*since));
                    all[place].is_unread = true;
                }
                Err(_) => left.push(Partition {
                    id: Arc::from(id.as_str()),
                    updated_at: None,
                    since: Some(*since),
                    is_unread: true,
                    is_listed: self.can_ask_by_name.then_some(false),
                }),
            }
        }
        all.sort_by_key(|partition| partition.updated_at);
        all.append(&mut left);
        all
    }

    /// From when on the messages of a session are wanted. One that an interrupted part of this pass has read is read again
    /// from when that part began; a look-back before it, since messages may be seen late.
    fn since(&self, step: &Step, updated_at: Option<i64>) -> Option<i64> {
        let since = step.bounds.since;
        let Some(unfinished) = self.state.unfinished else { return since };
        let is_done = updated_at.is_some_and(|at| Some(at) < unfinished.sessions_updated_at);
        if !is_done {
            return since;
        }
        let began = unfinished.began.map(|began| began.saturating_sub(step.lookback));
        since.max(began)
    }
}
