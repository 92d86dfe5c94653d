//! THE TABLE: one row per stream, in `rows.rs`, and the words a row is made of. A stream is one more row and one more schema.

mod page;
mod rows;
#[cfg(test)]
mod tests;

use super::facts::Reading;
use crate::devin::Form;

pub use page::{endpoints, in_markdown, is_permission};
pub use rows::STREAMS;

/// A stream as the connector knows it.
#[derive(Debug)]
pub struct Stream {
    pub name: &'static str,
    /// JSON Schema, draft-07.
    pub schema: &'static str,
    /// The fields that together identify a record. The first is unique alone, since some destinations take no other.
    pub primary_key: &'static [&'static str],
    /// What tells a changed record from an old one; `None` for a list that is always read completely.
    pub cursor: Option<Cursor>,
    /// Where the list is. Of several paths, the next is tried where the first request for one is answered with 403 or 404.
    pub paths: &'static [Path],
    pub listing: Listing,
    /// Whether there is one list, or one for each of some things.
    pub each: Each,
    /// The field of an item whose elements are the records; `None` where each item is one.
    pub projects: Option<&'static str>,
    /// A field that changes at every read, which is no change of the record.
    pub unsteady: Option<&'static str>,
    /// What the answers look like, and how the next page is asked for.
    pub form: Form,
    /// Parameters that every request has.
    pub query: &'static [(&'static str, &'static str)],
    /// Fields that a record gets where it lacks them.
    pub adds: &'static [Added],
    /// What the field `id` is made of; empty where a field of the API is the key.
    pub id: &'static [Part],
    /// The permission that Devin's pages name for it.
    pub permission: &'static str,
    /// Whether only Enterprise plans have it.
    pub is_enterprise: bool,
    /// Whether its path and its fields are documented, or seen.
    pub is_verified: bool,
    /// Whether it is read where nobody says which streams to read.
    pub is_usual: bool,
    /// Whether the connector is of no use where this list cannot be read.
    pub is_essential: bool,
}

/// The field that tells a changed record from an old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub field: &'static str,
    /// What stands in for it where it is absent or null.
    pub fallback: Option<&'static str>,
    pub unit: Unit,
}

/// How an item writes its times. States hold seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Seconds,
    /// Pages and observations disagree: told by its size.
    SecondsOrMilliseconds,
    /// ISO 8601, as text.
    Iso,
}

/// A path of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path {
    pub scope: Scope,
    /// What follows the scope: `["sessions", "insights"]`. [`EACH`] stands for whatever there is a list of.
    pub below: &'static [&'static str],
}

/// In a path, the place of what there is a list for each of.
pub const EACH: &str = "*";

/// What a path is below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// `/v3/organizations/{org_id}`
    Organization,
    /// `/v3beta1/organizations/{org_id}`
    Beta,
    /// `/v3/enterprise/organizations/{org_id}`
    OrganizationOfEnterprise,
    /// `/v3/enterprise`
    Enterprise,
}

/// How a stream's items are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// One list of sessions, which the server filters by time.
    Sessions,
    /// One list per session, below the session's path; a path's end is what follows the session.
    PerSession,
    /// One short list without a filter.
    Whole,
    /// A list that is asked for in windows of time, the oldest first. What is before the mark, but for some days, is known.
    Windows(Windows),
    /// The same of one that is ordered: the first window begins at the oldest entry, and each page is a place to go on from.
    Log(Windows),
}

/// Windows of time, of which the parameters are `time_after` and `time_before`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// Whether they are whole UTC days.
    pub is_of_days: bool,
    /// How long one is at most.
    pub most_days: i64,
    /// So many seconds more are asked for at either end, in case a bound is exclusive, where the items say themselves when they are.
    pub edge_s: i64,
    /// How long after its end is asked for too, in seconds: the API's own days begin later than ours, and one that is cut off
    /// would be told for less than it was.
    pub tail_s: i64,
    /// So many days before the mark are read again, because their figures may still change.
    pub again_days: i64,
}

/// Nothing of Devin is older than 2020, so an earlier time is a number that means something else.
pub const FIRST_OF_ALL: i64 = 1_577_836_800;

/// Without a start date, windows begin so many days ago.
pub const FIRST_DAYS: i64 = 90;

/// For what there is a list each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Each {
    /// There is one list.
    One,
    /// For each of these words, in this order. What several of them have is one record, and a list that the API does not know,
    /// other than the first, is taken for an empty one.
    Union(&'static [&'static str]),
    /// For each of these words, all of which are there.
    Kind(&'static [&'static str]),
    /// For each person of the organization. One whom the API does not know here has nothing.
    Member,
}

/// A field that a record gets where it lacks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// The organization that is read.
    Organization,
    /// What the list is for, of several.
    Each(&'static str),
    /// The window's first second, and the first one after it.
    WindowStart,
    WindowEnd,
    /// When the session last changed that the list is for.
    SessionUpdatedAt,
}

/// A part of an `id` that is made here; the parts stand between slashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Organization,
    /// A field of the item, left out where that has none.
    Field(&'static str),
    /// The first of these fields that the item has; one without any cannot be told from others.
    FirstOf(&'static [&'static str]),
    /// The UTC day of the item's cursor.
    Day,
    /// What the list is for, of several.
    Each,
}

impl Stream {
    /// The field that tells a record from others of the same list.
    pub fn id_field(&self) -> &'static str {
        self.primary_key[0]
    }

    /// Which fields of an item tell what.
    pub fn reading(&self) -> Reading {
        // What is taken out of a session is known by it.
        let id = if self.projects.is_some() { "session_id" } else { self.id_field() };
        Reading { id, cursor: self.cursor }
    }

    /// Whether the field that tells its items apart is made here.
    pub fn is_identified_here(&self) -> bool {
        !self.id.is_empty() && self.projects.is_none()
    }

    /// Whether each item is for a day, which it names, so that one that does not cannot be told.
    pub fn is_of_days(&self) -> bool {
        let is_added = |cursor: Cursor| self.adds.iter().any(|added| added.field() == cursor.field);
        matches!(self.listing, Listing::Windows(_)) && !self.cursor.is_some_and(is_added)
    }

    /// How long before its mark it is read again because figures may still change, in seconds; `None` where a setting says so.
    pub fn again_s(&self) -> Option<i64> {
        match self.listing {
            Listing::Windows(windows) => Some(windows.again_days * 86_400),
            _ => None,
        }
    }

    /// Whether its records are in the list of sessions, which others need as well.
    pub fn is_of_sessions(&self) -> bool {
        self.listing == Listing::Sessions && self.paths[0].below == ["sessions"]
    }

    /// Whether it takes more than one list to read it.
    pub fn has_many_lists(&self) -> bool {
        matches!(self.listing, Listing::Windows(_) | Listing::Log(_)) || self.each != Each::One
    }

    /// What it has of each session, in a word: `messages`.
    pub fn below_session(&self) -> &'static str {
        self.paths[0].below.last().copied().unwrap_or(self.name)
    }

    /// Whether its records are sessions, or belong to one, and the settings choose which.
    pub fn heeds_selection(&self) -> bool {
        matches!(self.listing, Listing::Sessions | Listing::PerSession)
    }

    /// Whether the enterprise has one list of it for all organizations.
    pub fn is_read_once(&self) -> bool {
        self.paths.iter().all(|path| path.scope == Scope::Enterprise)
    }

    /// Which of its paths has what all organizations of the enterprise have; `None` where each has its own.
    pub fn path_of_enterprise(&self) -> Option<usize> {
        self.paths.iter().position(|path| path.scope == Scope::Enterprise)
    }

    /// Whether several organizations may list the same record, which has a key of the API.
    pub fn may_be_shared(&self) -> bool {
        matches!(self.listing, Listing::Whole | Listing::Log(_)) && self.id.is_empty()
    }

    /// Whether a record is made of all that several lists say of the same thing.
    pub fn is_merged(&self) -> bool {
        matches!(self.each, Each::Union(_))
    }

    /// Whether it can be told which of its items are gone: a short list in one piece, with states.
    pub fn can_report_deletions(&self) -> bool {
        self.listing == Listing::Whole && self.each == Each::One && self.cursor.is_some()
    }

    /// Whether the start date and the end date leave out some of its records.
    pub fn heeds_dates(&self) -> bool {
        self.listing != Listing::Whole
    }
}

impl Cursor {
    /// Whether it is neither of the two fields that nearly all lists have.
    pub fn is_of_its_own(&self) -> bool {
        !matches!(self.field, "created_at" | "updated_at")
    }
}

impl Each {
    /// What there is a list for each of, as it stands in the path, as far as the table says; `None` for the only list.
    pub fn values(self) -> Vec<Option<&'static str>> {
        match self {
            Each::One | Each::Member => vec![None],
            Each::Union(words) | Each::Kind(words) => words.iter().copied().map(Some).collect(),
        }
    }

    /// What stands for it in a path, for people.
    pub fn in_words(self) -> String {
        match self {
            Each::One => EACH.to_string(),
            Each::Union(words) | Each::Kind(words) => format!("{{{}}}", words.join(",")),
            Each::Member => "{user_id}".to_string(),
        }
    }
}

impl Added {
    /// Its name in a record.
    pub fn field(self) -> &'static str {
        match self {
            Added::Organization => "org_id",
            Added::Each(field) => field,
            Added::WindowStart => "window_start",
            Added::WindowEnd => "window_end",
            Added::SessionUpdatedAt => "session_updated_at",
        }
    }
}

/// The row of the stream called `name`; `None` when there is none.
pub fn find(name: &str) -> Option<&'static Stream> {
    STREAMS.iter().find(|stream| stream.name == name)
}

/// The names of all streams, for a sentence: `sessions, …, knowledge_notes`.
pub fn names() -> String {
    let names: Vec<&str> = STREAMS.iter().map(|stream| stream.name).collect();
    names.join(", ")
}
