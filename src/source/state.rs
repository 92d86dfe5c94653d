//! What a run says about a stream, and reads back: one object that a person can read. Pure.
//!
//! Every field is a promise about what need not be asked for again. So what cannot be read is taken for nothing, and the
//! stream is read from the beginning, aloud.

mod forms;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::forms::{entries, fingerprints, lenient, seconds, times, version};
use super::fingerprint::Fingerprints;
use super::recent::Recent;

/// Items by identifier, each with its cursor field as the API wrote it.
pub type Known = BTreeMap<String, Value>;

/// The form of state that this version writes. Of an older form, the marks and the sessions by name are read.
const VERSION: u64 = 2;

/// At most so many sessions whose messages could not be read are remembered.
pub const MOST_UNREAD_SESSIONS: usize = 500;

/// How far a stream has been read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StreamState {
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "version")]
    version: u64,
    /// What the read that wrote it was bounded by; `None` in states that do not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// The cursor field's name and the mark: it stands under that name. `None` when nothing has been read.
    #[serde(skip)]
    mark: Option<(String, i64)>,
    /// Messages only: up to which `updated_at` all sessions have been listed; `None` is up to the mark.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient")]
    pub sessions_updated_at: Option<i64>,
    /// What has been emitted since a look-back before the mark.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "entries")]
    pub recent: Recent,
    /// Sessions that had not ended when they were last seen.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "fingerprints")]
    pub open_sessions: Fingerprints,
    /// Sessions that went to sleep a short while ago.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "fingerprints")]
    pub suspended_sessions: Fingerprints,
    /// Messages only: sessions that did not give theirs, each with the cursor value from which these are wanted.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "times")]
    pub unread_sessions: BTreeMap<String, i64>,
    /// Messages only: a pass over all sessions that has not come to its end; `None` when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unfinished: Option<Unfinished>,
    /// Where deletions are reported: the items of the list when it was last read, each with its cursor field; `None` when that is
    /// not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_items: Option<Known>,
    /// The same of items that the list had before that, and lacked then.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub missing_items: Known,
    /// Whether it was not written in this form, so that it does not know what lies in the look-back.
    #[serde(skip)]
    pub is_foreign: bool,
}

/// A pass over the messages of all sessions that was interrupted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Unfinished {
    /// When its first part began, by the data's own clock: what has happened since then in a session that was done by then
    /// has not been read.
    #[serde(deserialize_with = "lenient")]
    pub began: Option<i64>,
    /// Sessions whose `updated_at` lies before this are done in it.
    #[serde(deserialize_with = "lenient")]
    pub sessions_updated_at: Option<i64>,
    /// The largest cursor value that it has seen; `None` when it has seen none.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient")]
    pub newest: Option<i64>,
}

/// What a read is bounded by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    pub org_id: String,
    /// Of a list that the enterprise has once, the other organizations that are read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub org_ids: Vec<String>,
    /// In Unix seconds; `None` without one, and for streams that it does not bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_date: Option<i64>,
    /// The same of the end date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_date: Option<i64>,
    /// Which sessions were left out by tag and user; `None` when none were, and for other streams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<String>,
    /// Which of the paths was read that the list may have; `None` where there is one, and in states that do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl Scope {
    /// Why a state of this scope does not serve a read of the scope `now`; `None` when it does.
    fn mismatch(&self, now: &Scope) -> Option<&'static str> {
        if normal(&self.org_id) != normal(&now.org_id) {
            return Some("is another organization's");
        }
        if self.selection != now.selection {
            return Some("was written for other tags or users");
        }
        match (self.end_date, now.end_date) {
            (Some(_), None) => return Some("was written with an end date, which has been removed"),
            (Some(before), Some(now)) if now > before => return Some("was written with an earlier end date"),
            _ => {}
        }
        match (self.start_date, now.start_date) {
            (Some(_), None) => Some("was written with a start date, which has been removed"),
            (Some(before), Some(now)) if now < before => Some("was written with a later start date"),
            _ => None,
        }
    }
}

/// Both spellings of an organization's identifier are the same one.
fn normal(org_id: &str) -> String {
    org_id.strip_prefix("org_").map_or_else(|| org_id.to_string(), |rest| format!("org-{rest}"))
}

impl StreamState {
    /// Nothing has been read yet by a read of this scope.
    pub fn new(scope: Scope) -> StreamState {
        StreamState { version: VERSION, scope: Some(scope), ..StreamState::default() }
    }

    /// Reads a stream's state for a read of the scope `now`. Null and `{}` are a start from the beginning, and so is a state
    /// without its cursor field.
    ///
    /// # Errors
    /// A sentence for a WARN, when the stream is to be read from the beginning for that reason.
    pub fn read(cursor_field: &str, now: &Scope, state: Option<&Value>) -> Result<StreamState, String> {
        let nothing = StreamState::new(now.clone());
        let fields = match state {
            None | Some(Value::Null) => return Ok(nothing),
            Some(Value::Object(fields)) => fields,
            Some(_) => return Err(unreadable("it is not an object")),
        };
        // Without its cursor the rest of a state means nothing.
        let Some(cursor) = fields.get(cursor_field).filter(|value| !value.is_null()) else { return Ok(nothing) };
        let Some(cursor) = seconds(cursor) else {
            return Err(unreadable(&format!("{cursor_field} is not a Unix time in seconds")));
        };
        let state = StreamState::deserialize(Value::Object(fields.clone()))
            .map_err(|_| unreadable("a field has another form than this version writes"))?;
        if state.version > VERSION {
            return Err(
                "the state was written by a newer version of this connector, so the stream is read from the beginning"
                    .to_string(),
            );
        }
        if let Some(reason) = state.scope.as_ref().and_then(|scope| scope.mismatch(now)) {
            return Err(format!("the state {reason}, so the stream is read from the beginning"));
        }
        let mut read = StreamState {
            open_sessions: state.open_sessions,
            unread_sessions: state.unread_sessions,
            ..StreamState::new(now.clone())
        };
        read.set_path(state.scope.and_then(|scope| scope.path));
        read.set_cursor(cursor_field, Some(cursor));
        read.is_foreign = state.version != VERSION;
        if !read.is_foreign {
            read = StreamState {
                sessions_updated_at: state.sessions_updated_at,
                recent: state.recent,
                suspended_sessions: state.suspended_sessions,
                known_items: state.known_items,
                missing_items: state.missing_items,
                unfinished: state.unfinished.filter(|unfinished| unfinished.sessions_updated_at.is_some()),
                ..read
            };
        }
        Ok(read)
    }

    /// The state to print.
    pub fn write(&self) -> Value {
        let mut value = serde_json::to_value(self).expect("maps with text keys and numbers are JSON");
        if let Some((field, mark)) = &self.mark {
            value[field] = Value::from(*mark);
        }
        value
    }

    /// The mark: everything before this cursor value has been read; `None` when nothing has.
    pub fn cursor(&self) -> Option<i64> {
        self.mark.as_ref().map(|(_, mark)| *mark)
    }

    /// Why the mark does not serve a read of the list at `path`, which has another order of events: a sentence for a WARN. `None`
    /// when it does. What a person has written down is taken at its word.
    pub fn other_path(&self, path: &str) -> Option<String> {
        let before = match self.scope.as_ref().and_then(|scope| scope.path.as_deref()) {
            Some(before) if before == path => return None,
            None if self.is_foreign => return None,
            before => before.unwrap_or("a list that it does not name"),
        };
        self.cursor()?;
        Some(format!("the state is of {before}, and {path} answers now, so the stream is read from the beginning"))
    }

    /// Sets the path that is read.
    pub fn set_path(&mut self, path: Option<String>) {
        self.scope.get_or_insert_default().path = path;
    }

    /// Sets the mark of a stream with this cursor field.
    pub fn set_cursor(&mut self, cursor_field: &str, cursor: Option<i64>) {
        self.mark = cursor.map(|cursor| (cursor_field.to_string(), cursor));
    }
}

fn unreadable(reason: &str) -> String {
    format!("the state cannot be read ({reason}), so the stream is read from the beginning")
}

fn is_zero(version: &u64) -> bool {
    *version == 0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scope() -> Scope {
        Scope { org_id: "org-1".to_string(), start_date: Some(100), ..Scope::default() }
    }

    fn check(state: Value) -> String {
        match StreamState::read("updated_at", &scope(), Some(&state)) {
            Ok(state) => state.write().to_string(),
            Err(warning) => format!("WARN {warning}"),
        }
    }

    #[test]
    fn a_state_is_read_back_as_it_was_written() {
        let text = |id: &str| (id.to_string(), "0123456789abcdef".to_string());
        for field in ["updated_at", "created_at"] {
            let mut state = StreamState {
                sessions_updated_at: Some(9),
                recent: Recent::from([("a".to_string(), (4, "00000000000000ff".to_string()))]),
                open_sessions: Fingerprints::from([text("b")]),
                suspended_sessions: Fingerprints::from([text("c")]),
                unread_sessions: BTreeMap::from([("d".to_string(), 3)]),
                known_items: Some(Known::from([("e".to_string(), json!("2026"))])),
                missing_items: Known::from([("f".to_string(), Value::Null)]),
                unfinished: Some(Unfinished { began: Some(7), sessions_updated_at: Some(6), newest: None }),
                ..StreamState::new(scope())
            };
            state.set_cursor(field, Some(5));
            assert_eq!(StreamState::read(field, &scope(), Some(&state.write())), Ok(state));
        }
        insta::assert_snapshot!(StreamState::new(scope()).write(), @r#"{"scope":{"org_id":"org-1","start_date":100},"version":2}"#);
    }

    #[test]
    fn a_state_of_the_first_form_gives_its_mark_and_the_sessions_by_name() {
        insta::assert_snapshot!(check(json!({
            "updated_at": 1_700_000_000, "again_from": 1_699_999_400, "recent": {"a3bee32bab721b27": 1_699_999_500},
            "open_sessions": {"s1": "5be1d7c2a90e4f13"}, "unread_sessions": {"s2": 5}, "open_later": {"s3": "1"},
            "sessions_updated_from": 7, "newest_seen": 8, "pass_began": 9,
        })), @r#"{"open_sessions":{"s1":"5be1d7c2a90e4f13"},"scope":{"org_id":"org-1","start_date":100},"unread_sessions":{"s2":5},"updated_at":1700000000,"version":2}"#);
    }

    #[test]
    fn a_state_that_does_not_serve_begins_anew_aloud() {
        let of = |scope: Value| check(json!({"version": 2, "scope": scope, "updated_at": 5}));
        insta::assert_snapshot!(of(json!({"org_id": "org_1", "start_date": 100})), @r#"{"scope":{"org_id":"org-1","start_date":100},"updated_at":5,"version":2}"#);
        insta::assert_snapshot!(of(json!({"org_id": "org-1"})), @r#"{"scope":{"org_id":"org-1","start_date":100},"updated_at":5,"version":2}"#);
        insta::assert_snapshot!(of(json!({"org_id": "org-1", "start_date": 50})), @r#"{"scope":{"org_id":"org-1","start_date":100},"updated_at":5,"version":2}"#);
        insta::assert_snapshot!(of(json!({"org_id": "org-1", "start_date": 101})), @"WARN the state was written with a later start date, so the stream is read from the beginning");
        insta::assert_snapshot!(of(json!({"org_id": "org-2", "start_date": 100})), @"WARN the state is another organization's, so the stream is read from the beginning");
        insta::assert_snapshot!(of(json!(7)), @"WARN the state cannot be read (a field has another form than this version writes), so the stream is read from the beginning");
        insta::assert_snapshot!(check(json!({"version": 3, "updated_at": 5})), @"WARN the state was written by a newer version of this connector, so the stream is read from the beginning");
        insta::assert_snapshot!(check(json!({"version": "two", "updated_at": 5})), @"WARN the state was written by a newer version of this connector, so the stream is read from the beginning");
        let removed = Scope { start_date: None, ..scope() };
        let state = json!({"version": 2, "scope": {"org_id": "org-1", "start_date": 100}, "updated_at": 5});
        insta::assert_snapshot!(StreamState::read("updated_at", &removed, Some(&state)).unwrap_err(), @"the state was written with a start date, which has been removed, so the stream is read from the beginning");
    }

    #[test]
    fn a_state_serves_the_list_that_it_is_of() {
        let other = |state: Value| {
            let read = StreamState::read("updated_at", &scope(), Some(&state)).unwrap();
            read.other_path("/a").unwrap_or_default()
        };
        let of = |path: Value| json!({"version": 2, "updated_at": 5, "scope": {"org_id": "org-1", "path": path}});
        assert_eq!(other(of(json!("/a"))), "");
        assert_eq!(other(json!({"updated_at": 5})), "", "what a person has written");
        assert_eq!(other(json!({})), "", "nothing has been read");
        insta::assert_snapshot!(other(of(json!("/b"))), @"the state is of /b, and /a answers now, so the stream is read from the beginning");
        insta::assert_snapshot!(other(of(json!(null))), @"the state is of a list that it does not name, and /a answers now, so the stream is read from the beginning");
    }

    #[test]
    fn times_are_read_from_whatever_a_platform_or_a_person_writes() {
        for (written, read) in [
            (json!(1_700_000_000), 1_700_000_000),
            (json!(1_700_000_000.9), 1_700_000_000),
            (json!("1700000000"), 1_700_000_000),
            (json!(1_700_000_000_123_i64), 1_700_000_000),
            (json!(4_102_444_800_i64), 4_102_444_800),
        ] {
            let state = StreamState::read("updated_at", &scope(), Some(&json!({"updated_at": written}))).unwrap();
            assert_eq!(state.cursor(), Some(read), "{written}");
        }
    }

    #[test]
    fn what_a_hand_has_written_wrong_is_left_out() {
        insta::assert_snapshot!(check(json!({
            "version": 2, "updated_at": 5, "recent": {"a": 7, "b": [1, "x"], "c": ["y"]}, "open_sessions": ["s"],
            "unread_sessions": {"s": null}, "unfinished": {"began": 1}, "sessions_updated_at": "soon",
        })), @r#"{"recent":{"b":[1,"x"]},"scope":{"org_id":"org-1","start_date":100},"unread_sessions":{"s":0},"updated_at":5,"version":2}"#);
        insta::assert_snapshot!(check(json!({"version": 2, "updated_at": "soon"})), @"WARN the state cannot be read (updated_at is not a Unix time in seconds), so the stream is read from the beginning");
        insta::assert_snapshot!(check(json!({"version": 2, "updated_at": 5, "unfinished": 7})), @"WARN the state cannot be read (a field has another form than this version writes), so the stream is read from the beginning");
        insta::assert_snapshot!(check(json!([])), @"WARN the state cannot be read (it is not an object), so the stream is read from the beginning");
    }
}
