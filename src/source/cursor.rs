//! What is read and what a checkpoint may claim: start date, lower bounds, look-back, state. Pure.
//!
//! The API documents neither the order of its lists nor the boundaries of its filters. So a bound is sent one second
//! early and compared inclusively here, and a checkpoint says from where on, a look-back before its cursor, everything is
//! to be asked for again: emitting a record twice is allowed, losing one is not. What comes again without a change is
//! known by its fingerprint.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use serde_json::{Map, Value};

use super::facts::Facts;
use super::recent::{Prints, print};

/// At most so many unfinished sessions are remembered to be asked for again; the newest.
pub const MOST_OPEN_SESSIONS: usize = 500;

/// At most so many sessions whose messages could not be read are remembered.
pub const MOST_UNREAD_SESSIONS: usize = 500;

/// Which records of a stream are wanted. `None` is no bound; both bounds are inclusive; a record without the field
/// is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    /// From this `created_at` on, by the user's start date.
    pub start_date: Option<i64>,
    /// From this cursor value on, by an earlier run's checkpoint.
    pub since: Option<i64>,
}

impl Bounds {
    /// Whether a record with these timestamps is wanted.
    pub fn admit(&self, created_at: Option<i64>, cursor: Option<i64>) -> bool {
        let from = |bound: Option<i64>, value: Option<i64>| match (bound, value) {
            (Some(bound), Some(value)) => value >= bound,
            _ => true,
        };
        from(self.start_date, created_at) && from(self.since, cursor)
    }

    /// The server's filters for a list of sessions: one second early, in case they are exclusive.
    pub fn filters(&self) -> Vec<(&'static str, String)> {
        let early = |bound: i64| bound.saturating_sub(1).max(0).to_string();
        let created = self.start_date.map(|bound| ("created_after", early(bound)));
        let updated = self.since.map(|bound| ("updated_after", early(bound)));
        created.into_iter().chain(updated).collect()
    }
}

/// What a run says about a stream, and reads back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// Everything before this cursor value has been read; `None` when nothing is known.
    pub cursor: Option<i64>,
    /// From this cursor value on everything is asked for again, because it may not have been complete; `None` is from the
    /// cursor on.
    pub again_from: Option<i64>,
    /// What has been read between the two: it is not emitted again as it is.
    pub recent: Prints,
    /// Messages only, while a pass is unfinished: sessions whose `updated_at` lies before this are done in it.
    pub sessions_updated_from: Option<i64>,
    /// Sessions that had not ended when they were last seen: each one's `session_id` with its [`fingerprint`].
    pub open_sessions: BTreeMap<String, String>,
    /// Messages only: sessions that did not give theirs, each with the cursor value from which they are to be read.
    pub unread_sessions: BTreeMap<String, i64>,
    /// Messages only, while a pass is unfinished: the same of sessions that this pass has listed, which are to be asked
    /// for by name when it has finished, and not before.
    pub open_later: BTreeMap<String, String>,
    /// Messages only, while a pass is unfinished: what it has read that may lie in the look-back of its end.
    pub recent_later: Prints,
    /// Messages only, while a pass is unfinished: the largest cursor value that it has seen.
    pub newest_seen: Option<i64>,
    /// Messages only, while a pass is unfinished: the moment its first part began. What has happened since then in a
    /// session that was done by then has not been read.
    pub pass_began: Option<i64>,
}

impl Checkpoint {
    /// Reads a stream's state. Null and `{}` are a start from the beginning, and so is anything that cannot be read.
    ///
    /// # Errors
    /// A sentence for a WARN, when the stream is to be read from the beginning for that reason.
    pub fn read(cursor_field: &str, state: Option<&Value>) -> Result<Checkpoint, String> {
        let fields = match state {
            None | Some(Value::Null) => return Ok(Checkpoint::default()),
            Some(Value::Object(fields)) => fields,
            Some(_) => return Err(unreadable("it is not an object")),
        };
        // Without its cursor the rest of a state means nothing.
        let Some(cursor) = fields.get(cursor_field).filter(|value| !value.is_null()) else {
            return Ok(Checkpoint::default());
        };
        let Some(cursor) = seconds(cursor) else {
            return Err(unreadable(&format!("{cursor_field} is not a Unix time in seconds")));
        };
        let entries = |name: &str| fields.get(name).and_then(Value::as_object).into_iter().flatten();
        let sessions = |name: &str| -> BTreeMap<String, String> {
            entries(name).map(|(id, print)| (id.clone(), print.as_str().unwrap_or("").to_string())).collect()
        };
        let prints = |name: &str| -> Prints {
            entries(name).filter_map(|(print, at)| Some((u64::from_str_radix(print, 16).ok()?, seconds(at)?))).collect()
        };
        Ok(Checkpoint {
            cursor: Some(cursor),
            again_from: fields.get("again_from").and_then(seconds).map(|from| from.min(cursor)),
            recent: prints("recent"),
            sessions_updated_from: fields.get("sessions_updated_from").and_then(seconds),
            open_sessions: sessions("open_sessions"),
            // Where a number is missing, everything is wanted of that session.
            unread_sessions: entries("unread_sessions")
                .map(|(id, at)| (id.clone(), seconds(at).unwrap_or(0)))
                .collect(),
            open_later: sessions("open_later"),
            recent_later: prints("recent_later"),
            newest_seen: fields.get("newest_seen").and_then(seconds),
            pass_began: fields.get("pass_began").and_then(seconds),
        })
    }

    /// The state to print.
    pub fn write(&self, cursor_field: &str) -> Value {
        let mut state = Map::new();
        // An unfinished first pass claims nothing about any record, and says so as a number.
        let cursor = self.cursor.or(self.sessions_updated_from.map(|_| 0));
        if let Some(cursor) = cursor {
            state.insert(cursor_field.to_string(), cursor.into());
        }
        for (name, seconds) in [
            ("again_from", self.again_from),
            ("sessions_updated_from", self.sessions_updated_from),
            ("newest_seen", self.newest_seen),
            ("pass_began", self.pass_began),
        ] {
            if let Some(seconds) = seconds {
                state.insert(name.to_string(), seconds.into());
            }
        }
        let unread = self.unread_sessions.iter().map(|(id, at)| (id.clone(), Value::from(*at)));
        let maps: [(&str, Map<String, Value>); 5] = [
            ("open_sessions", texts(&self.open_sessions)),
            ("open_later", texts(&self.open_later)),
            ("unread_sessions", unread.collect()),
            ("recent", hexadecimal(&self.recent)),
            ("recent_later", hexadecimal(&self.recent_later)),
        ];
        for (name, map) in maps {
            if !map.is_empty() {
                state.insert(name.to_string(), Value::Object(map));
            }
        }
        Value::Object(state)
    }

    /// Where the next read begins.
    pub fn since(&self) -> Option<i64> {
        self.again_from.or(self.cursor)
    }

    /// The cursor after a complete pass, and from where on to ask again: the largest value seen, but never past the moment
    /// the listing began, and never behind where it was; and a look-back before it, but not before what has been asked for
    /// in this pass. Where it does not move, both stay.
    pub fn moved(&self, largest_seen: Option<i64>, began: i64, lookback: i64) -> (Option<i64>, Option<i64>) {
        let cursor = largest_seen.map(|seen| seen.min(began)).max(self.cursor);
        if cursor <= self.cursor {
            return (self.cursor, self.again_from);
        }
        let again_from =
            cursor.filter(|_| lookback > 0).map(|cursor| cursor.saturating_sub(lookback).max(self.asked()));
        (cursor, again_from)
    }

    /// From when on everything has been asked for.
    fn asked(&self) -> i64 {
        self.since().unwrap_or(i64::MIN)
    }
}

fn texts(sessions: &BTreeMap<String, String>) -> Map<String, Value> {
    sessions.iter().map(|(id, print)| (id.clone(), Value::from(print.as_str()))).collect()
}

fn hexadecimal(prints: &Prints) -> Map<String, Value> {
    prints.iter().map(|(print, at)| (format!("{print:016x}"), Value::from(*at))).collect()
}

fn unreadable(reason: &str) -> String {
    format!("the state cannot be read ({reason}), so the stream is read from the beginning")
}

/// A state's number: an integer, a float, or an integer as text, as other connectors write it.
fn seconds(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|seconds| seconds as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// The newest sessions that had not ended, at most [`MOST_OPEN_SESSIONS`], by `created_at`.
#[derive(Debug, Default)]
pub struct OpenSessions {
    newest: BinaryHeap<Reverse<(i64, String, String)>>,
    /// How many were too old to be remembered.
    pub forgotten: u64,
}

impl OpenSessions {
    /// Notes a session if it is open. An identifier that could not be one is left out: it would go into the state.
    pub fn note(&mut self, item: &str, facts: &Facts) {
        if !facts.is_open() {
            return;
        }
        let Some(id) = facts.session_id.text().filter(|id| is_plain(id)) else { return };
        self.newest.push(Reverse((facts.created_at().unwrap_or(i64::MAX), id, fingerprint(item))));
        if self.newest.len() > MOST_OPEN_SESSIONS {
            self.newest.pop();
            self.forgotten += 1;
        }
    }

    /// Each identifier once, with the session's fingerprint.
    pub fn to_map(&self) -> BTreeMap<String, String> {
        self.newest.iter().map(|Reverse((_, id, print))| (id.clone(), print.clone())).collect()
    }
}

/// Sixteen hexadecimal digits that change when any byte of an item changes.
pub fn fingerprint(item: &str) -> String {
    format!("{:016x}", print(&[item]))
}

/// Whether an identifier can be shown and stored: letters, digits, dashes and underscores.
pub fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.len() <= 100 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(id: &str, created_at: i64, status: &str) -> String {
        format!(r#"{{"session_id":"{id}","status":"{status}","created_at":{created_at}}}"#)
    }

    #[test]
    fn bounds_are_inclusive_here_and_asked_one_second_early() {
        let bounds = Bounds { start_date: Some(100), since: Some(200) };
        insta::assert_debug_snapshot!(bounds.filters(), @r#"
        [
            (
                "created_after",
                "99",
            ),
            (
                "updated_after",
                "199",
            ),
        ]
        "#);
        assert!(bounds.admit(Some(100), Some(200)));
        assert!(!bounds.admit(Some(99), Some(200)));
        assert!(!bounds.admit(Some(100), Some(199)));
        assert!(bounds.admit(None, None), "a record without the fields is kept");
        assert!(Bounds::default().filters().is_empty());
        assert_eq!(Bounds { start_date: Some(0), since: None }.filters()[0].1, "0");
    }

    #[test]
    fn a_checkpoint_moves_forward_only_and_never_past_the_beginning_of_the_read() {
        let from = |cursor| Checkpoint { cursor, ..Checkpoint::default() };
        let moved = |cursor, seen, began| from(cursor).moved(seen, began, 600);
        assert_eq!(moved(None, Some(1_000), 5_000), (Some(1_000), Some(400)));
        assert_eq!(moved(None, Some(9_000), 5_000), (Some(5_000), Some(4_400)), "capped by the beginning");
        assert_eq!(moved(Some(1_000), Some(1_000), 9_000), (Some(1_000), None), "nothing changed, nothing moves");
        assert_eq!(moved(Some(8_000), Some(1_000), 5_000), (Some(8_000), None), "a state from the future stays");
        assert_eq!(moved(Some(400), None, 5_000), (Some(400), None), "nothing seen");
        assert_eq!(moved(None, None, 5_000), (None, None));
        assert_eq!(from(None).moved(Some(1_000), 5_000, 0), (Some(1_000), None), "no look-back");
        let near = Checkpoint { cursor: Some(1_000), again_from: Some(900), ..Checkpoint::default() };
        assert_eq!(near.moved(Some(1_100), 9_000, 600), (Some(1_100), Some(900)), "no further back than asked for");
        let stays = Checkpoint { cursor: Some(1_000), again_from: Some(300), ..Checkpoint::default() };
        assert_eq!(stays.moved(Some(900), 9_000, 600), (Some(1_000), Some(300)));
        assert_eq!((stays.since(), from(Some(7)).since(), from(None).since()), (Some(300), Some(7), None));
    }

    #[test]
    fn a_state_is_read_back_as_it_was_written() {
        let open = BTreeMap::from([("a".to_string(), "1".to_string()), ("b".to_string(), "2".to_string())]);
        for checkpoint in [
            Checkpoint::default(),
            Checkpoint { cursor: Some(5), ..Checkpoint::default() },
            Checkpoint {
                cursor: Some(5),
                sessions_updated_from: Some(9),
                again_from: Some(3),
                recent: Prints::from([(1, 4), (u64::MAX, 5)]),
                open_sessions: open.clone(),
                unread_sessions: BTreeMap::from([("c".to_string(), 3)]),
                open_later: open,
                recent_later: Prints::from([(2, 6)]),
                newest_seen: Some(7),
                pass_began: Some(8),
            },
        ] {
            assert_eq!(Checkpoint::read("updated_at", Some(&checkpoint.write("updated_at"))), Ok(checkpoint));
        }
        let first_pass = Checkpoint { sessions_updated_from: Some(9), ..Checkpoint::default() };
        insta::assert_snapshot!(first_pass.write("created_at"), @r#"{"created_at":0,"sessions_updated_from":9}"#);
    }

    #[test]
    fn a_session_is_open_until_it_is_known_to_have_ended() {
        let statuses =
            ["new", "claimed", "creating", "running", "resuming", "brand_new_status", "suspended", "exit", "error"];
        let open: Vec<&str> =
            statuses.into_iter().filter(|status| Facts::of(&session("x", 1, status)).is_open()).collect();
        insta::assert_snapshot!(open.join(" "), @"new claimed creating running resuming brand_new_status");
        assert!(!Facts::of("{}").is_open());
    }

    #[test]
    fn only_the_newest_open_sessions_are_remembered() {
        let mut open = OpenSessions::default();
        for number in 0..MOST_OPEN_SESSIONS as i64 + 7 {
            let item = session(&format!("s{number}"), number, "running");
            open.note(&item, &Facts::of(&item));
        }
        let odd = session("no/identifier", 9_999, "running");
        open.note(&odd, &Facts::of(&odd));
        let map = open.to_map();
        assert_eq!(map.len(), MOST_OPEN_SESSIONS);
        assert!(!map.contains_key("s6") && map.contains_key("s7"));
    }
}
