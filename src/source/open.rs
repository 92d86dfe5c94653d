//! Sessions that may change without their `updated_at` saying so, to be asked for again by name. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::BuildHasherDefault;

use super::facts::Facts;
use super::fingerprint::{Fingerprints, PrintHasher, digits, fingerprint};
use super::state::StreamState;
use crate::devin::session::bare;
use crate::devin::token::holds_key;

/// At most so many are remembered: those with the largest times.
pub const MOST: usize = 500;

/// The newest sessions of some kind that a pass has seen, each once.
#[derive(Debug, Default)]
pub struct NewestSessions {
    /// Every item of a list is looked up, so the hash is a plain one; so few cannot crowd it.
    by_id: HashMap<String, (i64, String), BuildHasherDefault<PrintHasher>>,
    by_time: BTreeSet<(i64, String)>,
    /// Whether some were too old to be remembered.
    pub has_forgotten: bool,
}

impl NewestSessions {
    /// Notes a session as it is now; `time` is what the newest are told by. An identifier that could not be one is left out: it
    /// would go into the state.
    pub fn note(&mut self, id: &str, time: i64, item: &str) {
        self.remove(id);
        let oldest = self.by_time.first().filter(|_| self.by_id.len() >= MOST);
        if oldest.is_some_and(|(oldest, _)| *oldest > time) {
            self.has_forgotten = true;
            return;
        }
        if !is_plain(id) {
            return;
        }
        if let Some((_, oldest)) = oldest.cloned() {
            self.remove(&oldest);
            self.has_forgotten = true;
        }
        // The fingerprint is worked out only of what is kept.
        self.by_time.insert((time, id.to_string()));
        self.by_id.insert(id.to_string(), (time, digits(fingerprint(item.as_bytes()))));
    }

    /// Notes a session with the largest times of all.
    fn keep(&mut self, id: &str, print: String) {
        self.note(id, i64::MAX, "");
        self.by_id.insert(id.to_string(), (i64::MAX, print));
    }

    /// Notes that a session is none of these, or none any more.
    pub fn remove(&mut self, id: &str) {
        if self.by_id.is_empty() {
            return;
        }
        if let Some((time, _)) = self.by_id.remove(id) {
            self.by_time.remove(&(time, id.to_string()));
        }
    }

    /// All of them, and those of `others` for which there is room.
    pub fn with(&self, others: &Fingerprints) -> Fingerprints {
        let mut all: Fingerprints = self.by_id.iter().map(|(id, (_, print))| (id.clone(), print.clone())).collect();
        for (id, print) in others {
            if all.len() >= MOST {
                break;
            }
            all.entry(id.clone()).or_insert_with(|| print.clone());
        }
        all
    }
}

/// The sessions of an earlier pass that are to be asked for again by name, and those of this pass for the next one.
#[derive(Debug, Default)]
pub struct OpenSessions {
    open: NewestSessions,
    suspended: NewestSessions,
    /// Sessions of the state that have not come by in this pass, by their bare identifiers.
    to_reread: BTreeMap<String, Remembered>,
    /// Those that cannot be asked for by name: the state keeps them as they are.
    carried: BTreeMap<String, Remembered>,
}

#[derive(Debug, Clone)]
struct Remembered {
    id: String,
    fingerprint: String,
    is_suspended: bool,
    /// Whether the pass before this one asked for it in vain.
    was_refused: bool,
}

/// What becomes of a remembered session that was asked for in vain.
#[derive(Debug, PartialEq, Eq)]
pub enum InVain {
    /// The next pass asks again; its identifier as the list has shown it.
    Kept(String),
    /// It was the second time: nobody asks any more.
    Dropped,
}

/// In place of the fingerprint of a session that has ended, with the time when that was seen.
const ENDED: &str = "ended at ";

/// Before the fingerprint of a session that was asked for in vain.
const REFUSED: &str = "refused ";

/// A session that is asleep is asked for again for so long: its pull request may come late.
const SUSPENDED_FOR_S: i64 = 3 * 86_400;

impl OpenSessions {
    /// Begins with what a state says.
    pub fn new(state: &StreamState) -> OpenSessions {
        let of = |sessions: &Fingerprints, is_suspended| {
            let remembered = move |(id, print): (&String, &String)| {
                let (was_refused, print) = match print.strip_prefix(REFUSED) {
                    Some(print) => (true, print),
                    None => (false, print.as_str()),
                };
                let session = Remembered { id: id.clone(), fingerprint: print.to_string(), is_suspended, was_refused };
                (bare(id).to_string(), session)
            };
            sessions.iter().map(remembered).collect::<Vec<_>>()
        };
        let all = of(&state.suspended_sessions, true).into_iter().chain(of(&state.open_sessions, false));
        OpenSessions { to_reread: all.collect(), ..OpenSessions::default() }
    }

    /// Notes a session as it is; `now` is in Unix seconds.
    pub fn note(&mut self, item: &str, facts: &Facts, now: i64) {
        let Some(id) = facts.session_id.text() else { return };
        if !self.to_reread.is_empty() {
            self.to_reread.remove(bare(&id));
        }
        if facts.is_open() {
            self.suspended.remove(&id);
            self.open.note(&id, facts.created_at().unwrap_or(i64::MAX), item);
            return;
        }
        self.open.remove(&id);
        let asleep_since = facts.updated_at().filter(|at| facts.is_suspended() && *at >= now - SUSPENDED_FOR_S);
        match asleep_since {
            Some(at) => self.suspended.note(&id, at, item),
            None => self.suspended.remove(&id),
        }
    }

    /// Notes a session that has ended although its `updated_at` stands still, and that looked like `before` when it had not: what
    /// belongs to it may show late, so it is asked for again until that was `lookback` seconds ago.
    pub fn keep_ended(&mut self, facts: &Facts, before: &str, now: i64, lookback: i64) {
        let Some(id) = facts.session_id.text().filter(|id| is_plain(id)) else { return };
        let ended_at = before.strip_prefix(ENDED).and_then(|at| at.parse().ok()).unwrap_or(now);
        if now < ended_at.saturating_add(lookback) || ended_at == now {
            self.suspended.remove(&id);
            self.open.keep(&id, format!("{ENDED}{ended_at}"));
        }
    }

    /// What a session that has not come by yet looked like, when it was remembered; `None` for any other.
    pub fn before(&self, id: &str) -> Option<&str> {
        self.to_reread.get(bare(id)).map(|session| session.fingerprint.as_str())
    }

    /// Whether such a session had not ended.
    pub fn was_open(&self, id: &str) -> bool {
        self.to_reread.get(bare(id)).is_some_and(|session| !session.is_suspended)
    }

    /// Whether an item is a session that is remembered and has not come by yet.
    pub fn remembers(&self, facts: &Facts) -> bool {
        !self.to_reread.is_empty() && facts.session_id.text().is_some_and(|id| self.to_reread.contains_key(bare(&id)))
    }

    /// The sessions that are still to be asked for, those that had not ended first.
    pub fn to_reread(&self) -> Vec<String> {
        let of = |is_suspended| self.to_reread.values().filter(move |session| session.is_suspended == is_suspended);
        of(false).chain(of(true)).map(|session| bare(&session.id).to_string()).collect()
    }

    /// Nobody can be asked for by name: what has not come by stays as it was.
    pub fn carry(&mut self) {
        self.carried.append(&mut self.to_reread);
    }

    /// This session was asked for by its bare identifier in vain: it stays as it was, the first time. `None` when it is not
    /// remembered, or has come by.
    pub fn defer(&mut self, bare_id: &str) -> Option<InVain> {
        let mut session = self.to_reread.remove(bare_id)?;
        if session.was_refused {
            return Some(InVain::Dropped);
        }
        session.was_refused = true;
        let id = session.id.clone();
        self.carried.insert(bare_id.to_string(), session);
        Some(InVain::Kept(id))
    }

    /// Notes that a session does not exist any more.
    pub fn mark_gone(&mut self, id: &str) {
        self.open.remove(id);
        self.suspended.remove(id);
        self.carried.remove(bare(id));
    }

    /// The sessions that had not ended when they were last seen and could not be asked for.
    pub fn carried_open(&self) -> impl Iterator<Item = &str> {
        self.carried.values().filter(|session| !session.is_suspended).map(|session| session.id.as_str())
    }

    /// Writes what the next pass needs into its state.
    pub fn write(&self, state: &mut StreamState) {
        let carried = |is_suspended| -> Fingerprints {
            let of = self.carried.values().filter(|session| session.is_suspended == is_suspended);
            let mark = |session: &Remembered| if session.was_refused { REFUSED } else { "" };
            of.map(|session| (session.id.clone(), format!("{}{}", mark(session), session.fingerprint))).collect()
        };
        state.open_sessions = self.open.with(&carried(false));
        state.suspended_sessions = self.suspended.with(&carried(true));
    }

    /// A sentence for a WARN when more sessions have not ended than are remembered.
    pub fn forgotten(&self) -> Option<String> {
        self.open.has_forgotten.then(|| format!(
            "more than {MOST} sessions have not ended: of the others, a change is seen only if it moves their updated_at"
        ))
    }
}

/// Whether an identifier can be shown and stored: letters, digits, dashes and underscores, and not the shape of a key.
pub fn is_plain(id: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !id.is_empty() && id.len() <= 100 && id.bytes().all(is_part) && !holds_key(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_session_is_remembered_once_and_the_newest_are() {
        let mut open = NewestSessions::default();
        for _ in 0..2 {
            (0..MOST as i64 + 7).for_each(|n| open.note(&format!("s{n}"), n, "{}"));
        }
        let all = open.with(&Fingerprints::new());
        assert_eq!(all.len(), MOST);
        assert!(!all.contains_key("s6") && all.contains_key("s7"));
        assert!(open.has_forgotten);

        let mut twice = NewestSessions::default();
        (0..MOST as i64).chain(0..MOST as i64).for_each(|n| twice.note(&format!("s{n}"), n, "{}"));
        assert!(!twice.has_forgotten, "what comes again takes no further room");
        twice.remove("s0");
        assert_eq!(twice.with(&Fingerprints::new()).len(), MOST - 1);
    }

    #[test]
    fn others_are_taken_in_as_far_as_there_is_room() {
        let mut open = NewestSessions::default();
        (0..MOST as i64 - 1).for_each(|n| open.note(&format!("s{n}"), n, "{}"));
        let others = ["a", "b", "s0"].map(|id| (id.to_string(), "0".to_string()));
        let all = open.with(&Fingerprints::from(others));
        assert_eq!(all.len(), MOST);
        assert!(all.contains_key("a") && !all.contains_key("b") && all["s0"] != "0");
    }
}
