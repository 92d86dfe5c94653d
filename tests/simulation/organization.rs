//! What is true in a simulated organization: its sessions, their messages, and some short lists, each thing with everything
//! that it has ever looked like. Knows no request.

use fastrand::Rng;
use serde_json::{Value, json};

use super::behavior::Behavior;
use crate::common::ORG;

/// The lists that are not sessions: the stream, the path, and the field that identifies an item.
pub const SHORT_LISTS: [(&str, &str, &str); 13] = [
    ("playbooks", "playbooks", "playbook_id"),
    ("secrets", "secrets", "secret_id"),
    ("knowledge_notes", "knowledge/notes", "note_id"),
    ("automations", "automations", "automation_id"),
    (SCHEDULES, SCHEDULES, "scheduled_session_id"),
    ("knowledge_folders", FOLDERS, "folder_id"),
    (TRAIL, "audit-logs", "audit_log_id"),
    (FIGURES, "metrics", "id"),
    (PEOPLE, "members", "user_id"),
    (USAGE, "metrics/usage", "id"),
    (SPENDING, "consumption", "id"),
    (ORGANIZATIONS, ORGANIZATIONS, "org_id"),
    (REPOSITORIES, REPOSITORIES, "provider_repository_id"),
];

/// The list that has offsets instead of cursors, and times as text.
pub const SCHEDULES: &str = "schedules";

/// A list that the enterprise has once.
pub const ORGANIZATIONS: &str = "organizations";

/// A list whose items are told apart by several fields.
pub const REPOSITORIES: &str = "repositories";

/// The list without pages.
pub const FOLDERS: &str = "knowledge/folders";

/// The list that is asked for in windows of time, and ordered. The organization's own has a part of the enterprise's entries.
pub const TRAIL: &str = "audit_logs";

/// Figures of days, in a list for each of these.
pub const FIGURES: &str = "active_users";
pub const PERIODS: [&str; 3] = ["dau", "wau", "mau"];

/// The people, of whom some are in a second list.
pub const PEOPLE: &str = "members";

/// One figure a day, which is asked for by itself.
pub const USAGE: &str = "metrics_usage_daily";

/// Figures of days, in a list for each person.
pub const SPENDING: &str = "consumption_daily_users";

/// The stream of what comes with messages.
pub const FILES: &str = "session_attachments";

/// The organization that some histories have beside the first.
pub const OTHER: &str = "org-2";

const DAY_S: i64 = 86_400;

/// A day has been over for so long when it has its first figure, so that every clock that is sound knows it.
const SETTLED_S: i64 = 5_000;

/// When a day of spending begins; sooner than it has its first figure.
const MORNING_S: i64 = 600;

/// How long a session that is made at the beginning has existed at most, in seconds.
const PAST_S: i64 = 20_000;

/// Something that a list has an item for.
#[derive(Debug)]
pub struct Thing {
    pub id: String,
    /// The organization whose it is.
    pub org: &'static str,
    pub created_at: i64,
    pub revisions: Vec<Revision>,
    pub deleted_at_ms: Option<i64>,
    /// Of sessions, in their order.
    pub messages: Vec<Message>,
}

/// What a thing looks like from some moment on.
#[derive(Debug, Clone)]
pub struct Revision {
    pub visible_at_ms: i64,
    pub updated_at: Option<i64>,
    status: &'static str,
    /// The item, as it stands in the list.
    pub item: String,
    /// The record of a session's pull request.
    pub pull_request: String,
    /// The item with what it has more elsewhere: a session's in the list of insights, a figure's as a record.
    pub extended: String,
}

#[derive(Debug)]
pub struct Message {
    pub visible_at_ms: i64,
    pub item: String,
    /// The record that is to come of it.
    pub record: String,
    /// The file that came with it, as it is listed, and its record but for when its session last changed.
    pub attachment: (String, String),
}

impl Thing {
    /// What a list shows of it; `None` before it is visible and after it has been deleted.
    pub fn at(&self, now_ms: i64) -> Option<&Revision> {
        let is_deleted = self.deleted_at_ms.is_some_and(|at| at <= now_ms);
        let shown = self.revisions.iter().rev().find(|revision| revision.visible_at_ms <= now_ms);
        shown.filter(|_| !is_deleted)
    }

    pub fn last(&self) -> &Revision {
        self.revisions.last().expect("a thing looks like something")
    }
}

/// Everything that there is.
#[derive(Debug)]
pub struct Organization {
    pub sessions: Vec<Thing>,
    /// In the order of [`SHORT_LISTS`].
    pub short_lists: [Vec<Thing>; 13],
    behavior: Behavior,
    serial: u32,
    /// How often a short list may still change before the next sync.
    pub changes_left: u32,
    /// When a session last began, and when one was last deleted.
    begun_ms: i64,
    deleted_ms: i64,
}

impl Organization {
    /// One with a past.
    pub fn found(dice: &mut Rng, behavior: &Behavior, now_ms: i64) -> Organization {
        let mut organization = Organization {
            sessions: Vec::new(),
            short_lists: Default::default(),
            behavior: Behavior { lag_ms: 0, ..behavior.clone() },
            serial: 0,
            changes_left: u32::MAX,
            begun_ms: i64::MIN,
            deleted_ms: i64::MIN,
        };
        let mut times: Vec<i64> = (0..dice.i64(0..40)).map(|_| now_ms - dice.i64(1..PAST_S) * 1000).collect();
        times.sort_unstable();
        for at_ms in times {
            organization.something_happens(dice, at_ms);
        }
        organization.behavior.lag_ms = behavior.lag_ms;
        organization
    }

    /// One event, or several within the same second.
    pub fn something_happens(&mut self, dice: &mut Rng, now_ms: i64) {
        let events = if dice.u8(..12) == 0 { dice.usize(2..8) } else { 1 };
        for _ in 0..events {
            match dice.u8(..23) {
                0..=3 => self.session_begins(dice, now_ms),
                4..=16 => self.session_changes(dice, now_ms),
                _ => self.short_list_changes(dice, now_ms),
            }
        }
    }

    fn session_begins(&mut self, dice: &mut Rng, now_ms: i64) {
        if now_ms < self.behavior.apart(self.deleted_ms) {
            return;
        }
        self.begun_ms = now_ms;
        let number = self.next_serial();
        let mut session = Thing {
            id: format!("{}{number:04x}", self.behavior.id_prefix),
            org: self.any_organization(dice),
            created_at: now_ms / 1000,
            revisions: Vec::new(),
            deleted_at_ms: None,
            messages: Vec::new(),
        };
        // A few are listed without the time of their last change, always.
        let updated_at = (dice.u8(..12) > 0).then_some(now_ms / 1000);
        let status = ["new", "running"][dice.usize(..2)];
        self.look(&mut session, dice, now_ms, updated_at, status);
        for _ in 0..dice.u8(..3) {
            self.say(&mut session, dice, now_ms);
        }
        self.sessions.push(session);
    }

    fn session_changes(&mut self, dice: &mut Rng, now_ms: i64) {
        if self.sessions.is_empty() {
            return;
        }
        let place = dice.usize(..self.sessions.len());
        // Taken out while it changes, because what it will look like takes the organization's serial numbers.
        let mut session = self.sessions.swap_remove(place);
        if session.deleted_at_ms.is_none() {
            self.change_session(&mut session, dice, now_ms);
        }
        self.sessions.push(session);
    }

    fn change_session(&mut self, session: &mut Thing, dice: &mut Rng, now_ms: i64) {
        let (before, updated_at) = (session.last().status, session.last().updated_at);
        let status = match dice.u8(..10) {
            // What is said wakes it.
            0..=4 => {
                for _ in 0..dice.u8(1..4) {
                    self.say(session, dice, now_ms);
                }
                "running"
            }
            5 => "exit",
            6 => "suspended",
            7 if self.behavior.may_delete() && now_ms >= self.behavior.apart(self.begun_ms) && dice.bool() => {
                self.deleted_ms = now_ms;
                session.deleted_at_ms = Some(now_ms);
                return;
            }
            // A pull request, a title, a cost.
            _ => before,
        };
        let is_noticed = self.behavior.knows_names
            && match before {
                "exit" => false,
                "suspended" => updated_at.is_some_and(|at| now_ms / 1000 - at < self.behavior.notices_sleepers_for_s()),
                _ => true,
            };
        let has_moved = self.behavior.updated_at_moves || !is_noticed || dice.u8(..4) == 0;
        let updated_at = updated_at.map(|before| if has_moved { now_ms / 1000 } else { before });
        self.look(session, dice, now_ms, updated_at, status);
    }

    /// What a session looks like from now on.
    fn look(
        &mut self,
        session: &mut Thing,
        dice: &mut Rng,
        now_ms: i64,
        updated_at: Option<i64>,
        status: &'static str,
    ) {
        let mut item = json!({
            "session_id": session.id,
            "org_id": session.org,
            "created_at": session.created_at,
            "updated_at": updated_at,
            "status": status,
            "revision": self.next_serial(),
        });
        let bare = session.id.trim_start_matches("devin-");
        let (url, state) = (format!("https://git.example/{bare}"), self.serial);
        item["pull_requests"] = json!([{"pr_url": url, "pr_state": state.to_string()}]);
        let pull_request = format!(
            r#"{{"id":"{bare}/{url}","session_id":"{}","org_id":"{}","created_at":{},"updated_at":{},{}"#,
            session.id,
            session.org,
            session.created_at,
            json!(updated_at),
            &item["pull_requests"][0].to_string()[1..]
        );
        let text = item.to_string();
        item["num_user_messages"] = self.serial.into();
        let mut before = session.revisions.last().map(|last| last.visible_at_ms);
        // What has ended behind an `updated_at` that stands still gives no later sign, so its end shows last.
        if ["exit", "suspended"].contains(&status)
            && session.revisions.last().is_some_and(|last| last.updated_at == updated_at)
        {
            before = before.max(session.messages.last().map(|last| last.visible_at_ms));
        }
        let visible_at_ms = self.visible_at(before, dice, now_ms);
        session.revisions.push(Revision {
            visible_at_ms,
            updated_at,
            status,
            item: text,
            pull_request,
            extended: item.to_string(),
        });
    }

    fn say(&mut self, session: &mut Thing, dice: &mut Rng, now_ms: i64) {
        // The first ones may be stamped before the session itself.
        let created_at = now_ms / 1000 - i64::from(session.messages.is_empty() && dice.u8(..4) == 0);
        let item = json!({
            "event_id": format!("e{:04x}", self.next_serial()),
            "source": (["user", "devin"][dice.usize(..2)]),
            "message": "…",
            "created_at": created_at,
        })
        .to_string();
        let named = format!(r#"{{"session_id":"{}",{}"#, session.id, &item[1..]);
        let visible_at_ms = self.visible_at(session.messages.last().map(|last| last.visible_at_ms), dice, now_ms);
        let item = if self.behavior.names_session { named.clone() } else { item };
        // One of several organizations is named in every record.
        let record =
            if self.behavior.has_two { format!(r#"{{"org_id":"{}",{}"#, session.org, &named[1..]) } else { named };
        let file = json!({"attachment_id": format!("a{:04x}", self.serial), "name": "log.txt"}).to_string();
        let of_file = format!(r#"{{"org_id":"{}","session_id":"{}",{}"#, session.org, session.id, &file[1..]);
        session.messages.push(Message { visible_at_ms, item, record, attachment: (file, of_file) });
    }

    fn short_list_changes(&mut self, dice: &mut Rng, now_ms: i64) {
        let list = dice.usize(..SHORT_LISTS.len());
        match SHORT_LISTS[list].0 {
            TRAIL => return self.entry_is_made(dice, now_ms),
            FIGURES | USAGE | SPENDING => return self.figure_changes(dice, now_ms, list),
            _ if self.changes_left == 0 => return,
            _ => self.changes_left -= 1,
        }
        let place = dice.usize(..=self.short_lists[list].len());
        let serial = self.next_serial();
        let (name, path, key) = SHORT_LISTS[list];
        let may_delete = self.behavior.of_list(path).may_delete();
        let mut thing = if place < self.short_lists[list].len() && dice.bool() {
            self.short_lists[list].swap_remove(place)
        } else {
            let id = format!("{list}-{serial:04x}");
            let (revisions, messages, org) = (Vec::new(), Vec::new(), self.any_organization(dice));
            Thing { id, org, created_at: now_ms / 1000, revisions, deleted_at_ms: None, messages }
        };
        if thing.deleted_at_ms.is_none() && !thing.revisions.is_empty() && dice.u8(..4) == 0 && may_delete {
            thing.deleted_at_ms = Some(now_ms);
        } else if thing.deleted_at_ms.is_none() {
            // One that has never changed may not say when it last did.
            let updated_at = (!thing.revisions.is_empty() || dice.u8(..4) > 0).then_some(now_ms / 1000);
            let mut item = json!({"created_at": thing.created_at, "updated_at": updated_at, "revision": serial});
            if name == SCHEDULES {
                (item["created_at"], item["updated_at"]) = (iso(thing.created_at), updated_at.map_or(Value::Null, iso));
            }
            item["org_id"] = thing.org.into();
            item[key] = thing.id.as_str().into();
            let visible_at_ms = self.visible_at(thing.revisions.last().map(|last| last.visible_at_ms), dice, now_ms);
            let (item, pull_request) = (item.to_string(), String::new());
            let extended = match name {
                REPOSITORIES => format!(r#"{{"id":"{}//{}",{}"#, thing.org, thing.id, &item[1..]),
                "knowledge_folders" => format!(r#"{{"id":"{}/{}",{}"#, thing.org, thing.id, &item[1..]),
                _ => with_second(&thing.id, &item),
            };
            thing.revisions.push(Revision { visible_at_ms, updated_at, status: "", item, pull_request, extended });
        }
        self.short_lists[list].push(thing);
    }

    fn entry_is_made(&mut self, dice: &mut Rng, now_ms: i64) {
        let id = format!("entry-{:04x}", self.next_serial());
        let org_id = (dice.u8(..3) > 0).then(|| self.any_organization(dice));
        let item = json!({"audit_log_id": id, "created_at": now_ms / 1000, "org_id": org_id}).to_string();
        let visible_at_ms = self.visible_at(None, dice, now_ms);
        let (extended, pull_request) = (String::new(), String::new());
        let revision = Revision { visible_at_ms, updated_at: None, status: "", item, pull_request, extended };
        let (revisions, messages) = (vec![revision], Vec::new());
        let entry = Thing {
            id,
            org: org_id.unwrap_or(ORG),
            created_at: now_ms / 1000,
            revisions,
            deleted_at_ms: None,
            messages,
        };
        self.short_lists[place_of(TRAIL)].push(entry);
    }

    /// A figure of one of the last days is there, or another one.
    fn figure_changes(&mut self, dice: &mut Rng, now_ms: i64, list: usize) {
        let last = (now_ms / 1000 - SETTLED_S).div_euclid(DAY_S) * DAY_S;
        let (day, period) = (last - dice.i64(0..4) * DAY_S, PERIODS[dice.usize(..PERIODS.len())]);
        let at = chrono::DateTime::from_timestamp(day, 0).expect("a time of these years").format("%Y-%m-%d");
        let mut org = self.any_organization(dice);
        let (serial, end) = (self.next_serial(), day + DAY_S);
        let (id, item, more) = match SHORT_LISTS[list].0 {
            USAGE => {
                let more = format!(r#""window_start":{day},"window_end":{end}"#);
                (format!("{org}/{at}"), json!({"sessions_count": serial}), more)
            }
            SPENDING => {
                let people = &self.short_lists[place_of(PEOPLE)];
                if people.is_empty() {
                    return;
                }
                let person = &people[dice.usize(..people.len())];
                org = person.org;
                let item = json!({"date": day + MORNING_S, "acus": serial});
                (format!("{org}/{at}/{}", person.id), item, format!(r#""user_id":"{}""#, person.id))
            }
            _ => {
                let item = json!({"start_time": day, "end_time": end, "active_users": serial});
                (format!("{org}/{period}/{at}"), item, format!(r#""period":"{period}""#))
            }
        };
        let item = item.to_string();
        let extended = format!(r#"{{"id":"{id}","org_id":"{org}",{more},{}"#, &item[1..]);
        let known = self.short_lists[list].iter().position(|figure| figure.id == id);
        let before = known.map(|place| self.short_lists[list][place].last().visible_at_ms);
        let visible_at_ms = self.visible_at(before, dice, now_ms);
        let pull_request = String::new();
        let revision = Revision { visible_at_ms, updated_at: Some(day), status: "", item, pull_request, extended };
        match known {
            Some(place) => self.short_lists[list][place].revisions.push(revision),
            None => {
                let (revisions, messages) = (vec![revision], Vec::new());
                self.short_lists[list].push(Thing {
                    id,
                    org,
                    created_at: if SHORT_LISTS[list].0 == SPENDING { day + MORNING_S } else { day },
                    revisions,
                    deleted_at_ms: None,
                    messages,
                });
            }
        }
    }

    /// When something that happens now shows: what happened before it to the same thing shows first.
    fn visible_at(&self, before: Option<i64>, dice: &mut Rng, now_ms: i64) -> i64 {
        let lag = if self.behavior.lag_ms > 0 && dice.u8(..3) == 0 { dice.i64(0..=self.behavior.lag_ms) } else { 0 };
        before.map_or(now_ms + lag, |before| before.max(now_ms + lag))
    }

    /// One of the organizations.
    fn any_organization(&self, dice: &mut Rng) -> &'static str {
        if self.behavior.has_two && dice.bool() { OTHER } else { ORG }
    }

    fn next_serial(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }
}

/// Whether a person is in the second list, too.
pub fn is_in_second(id: &str) -> bool {
    id.ends_with(['0', '2', '4', '6', '8'])
}

/// What the second list has of a person.
pub fn second(id: &str) -> String {
    json!({"user_id": id, "second": [id]}).to_string()
}

/// The record of a person, of whom the first list has `item`.
fn with_second(id: &str, item: &str) -> String {
    let more = if is_in_second(id) { format!(r#","second":["{id}"]"#) } else { String::new() };
    format!("{}{more}}}", &item[..item.len() - 1])
}

/// The place of a list in [`SHORT_LISTS`].
pub fn place_of(stream: &str) -> usize {
    SHORT_LISTS.iter().position(|(name, ..)| *name == stream).expect("it is one of them")
}

/// Whether the start date leaves out something of a stream.
pub fn is_in_range(stream: &str, thing: &Thing, start_date: Option<i64>) -> bool {
    let start_date = match stream {
        FIGURES | USAGE | SPENDING => start_date.map(|start| start.div_euclid(DAY_S) * DAY_S),
        TRAIL => start_date,
        _ if SHORT_LISTS.iter().any(|(name, ..)| *name == stream) => None,
        _ => start_date,
    };
    start_date.is_none_or(|start| thing.created_at >= start)
}

/// A time as text.
fn iso(seconds: i64) -> Value {
    let at = chrono::DateTime::from_timestamp(seconds, 0).expect("a time of these years");
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string().into()
}
